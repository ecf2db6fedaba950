//! Runs programs of the host to their end, and turns a failure into an error that shows what they said last.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{Error, Result, tools};

/// The process groups of the programs that run now.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
/// Whether no program shall be started any more.
static ENDED: AtomicBool = AtomicBool::new(false);

/// Asks every program that runs for a build to end; each then fails for whoever waits for it. No other is started, and
/// nobody waits for another process's builds any more.
pub fn end_programs() {
    ENDED.store(true, Ordering::Relaxed);
    for group in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        // A group that has just ended needs no signal any more.
        let _gone = kill_process_group(*group, Signal::TERM);
    }
}

/// An error once everything shall end.
pub(super) fn go_on() -> Result<()> {
    if ENDED.load(Ordering::Relaxed) { Err(Error::Ended) } else { Ok(()) }
}

/// How many of a failed program's lines an error shows.
const LAST_LINES: usize = 15;

/// Runs a program and hands each line that it prints (output and errors as one stream) to `line`. It ends with us,
/// and has a process group of its own: mmdebstrap signals its whole group when it fails, and so would end us.
///
/// # Errors
/// If it cannot be started, cannot be read from, or does not end with success.
pub(super) fn run(
    operation: &'static str,
    command: Command,
    advice: &'static str,
    line: &mut dyn FnMut(&str),
) -> Result<()> {
    go_on()?;
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |source: io::Error| Error::io("run", &program)(source);
    let mut command = ending_with_us(&command);
    let (reader, writer) = io::pipe().map_err(failed)?;
    command.stdin(Stdio::null()).stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    command.env("PATH", tools::search_path()).env("LC_ALL", "C.UTF-8");
    let mut child = command.process_group(0).spawn().map_err(failed)?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).extend(group);
    // The command still holds the pipe's writing ends; without this the reader would never see the end.
    drop(command);
    let last = read_lines(BufReader::new(reader), line);
    let status = child.wait();
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner).retain(|running| Some(*running) != group);
    let status = status.map_err(failed)?;
    let last_lines = last.map_err(failed)?.into_iter().collect::<Vec<_>>().join("\n");
    if status.success() {
        return Ok(());
    }
    Err(Error::Command { operation, program, status: status.to_string(), last_lines, advice })
}

/// The same command, begun by `setpriv` so that the kernel asks it to end when we die of whatever cause.
fn ending_with_us(command: &Command) -> Command {
    let mut wrapped = Command::new("setpriv");
    wrapped.args(["--pdeathsig", "TERM", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped
}

fn read_lines(mut reader: impl BufRead, line: &mut dyn FnMut(&str)) -> io::Result<VecDeque<String>> {
    let mut last = VecDeque::new();
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
        line(&text);
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(text);
        bytes.clear();
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (Result<()>, Vec<String>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let mut lines = Vec::new();
        let result = run("try", command, "look again", &mut |line| lines.push(line.to_owned()));
        (result, lines)
    }

    #[test]
    fn lines_of_both_streams_arrive_in_order() {
        let (result, lines) = shell("echo one; echo two >&2; printf three");
        assert!(result.is_ok());
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[test]
    fn a_failure_shows_the_last_lines_only() {
        let (result, lines) = shell("seq 100; exit 3");
        assert_eq!(lines.len(), 100);
        let text = result.unwrap_err().to_string();
        assert!(text.starts_with("cannot try: sh ended with exit status: 3; its last lines:\n86\n"), "{text}");
        assert!(text.ends_with("100\nlook again"), "{text}");
    }

    #[test]
    fn a_program_that_ends_its_group_ends_only_itself() {
        let (result, _) = shell("kill -TERM 0; sleep 60");
        assert!(result.unwrap_err().to_string().contains("signal: 15"));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let text = run("try", Command::new("/no/such"), "", &mut |_| {}).unwrap_err().to_string();
        assert!(text.starts_with("cannot try: /no/such ended with exit status: 127; "), "{text}");
    }
}
