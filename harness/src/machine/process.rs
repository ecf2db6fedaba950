//! The QEMU process: started so that it cannot outlive us, watched while we wait.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use super::{Error, Result, console};

/// The program that runs machines.
pub const QEMU: &str = if cfg!(target_arch = "aarch64") { "qemu-system-aarch64" } else { "qemu-system-x86_64" };

/// A variable of the environment that tells a program where to keep what belongs to one machine.
pub(super) type State = (&'static str, PathBuf);

/// A running QEMU and its working folder.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    folder: PathBuf,
}

impl Process {
    /// Starts a machine's program with its working folder as current directory.
    ///
    /// `setpriv --pdeathsig` makes the kernel kill QEMU when we die of whatever cause, also where a script executes it;
    /// its own process group keeps a Ctrl-C at the terminal for us, who then end it in order.
    pub fn start(folder: &Path, program: &Path, arguments: &[OsString], state: &[State]) -> Result<Process> {
        let log = folder.join("qemu.log");
        let stderr = fs::File::create(&log).map_err(Error::io("create", &log))?;
        let stdout = stderr.try_clone().map_err(Error::io("open", &log))?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .args(arguments)
            .envs(state.iter().cloned())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| Error::Start { program: "setpriv", source })?;
        Ok(Process { child, folder: folder.to_owned() })
    }

    /// Its process id; 0 once it has ended.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Waits until the process ends by itself.
    pub async fn wait(&mut self) -> std::io::Result<std::process::ExitStatus> {
        self.child.wait().await
    }

    /// Ends the process, and whatever it has started, and waits until it is gone.
    pub async fn kill(&mut self) -> Result<()> {
        self.kill_group();
        self.child.kill().await.map_err(Error::io("kill QEMU in", &self.folder))
    }

    fn kill_group(&self) {
        let group = self.child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
        if let Some(group) = group {
            // Its leader has not been waited for yet, so the number is still its own.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }

    /// Runs a future of ours while QEMU lives and the guest gets on.
    ///
    /// `processor_seconds` is how much the process may compute meanwhile: a limit that a slow or loaded host does not
    /// reach sooner than a fast one. A guest that does not compute at all for [`STANDSTILL`] stands still.
    pub async fn watch<T>(
        &mut self,
        waiting: &str,
        processor_seconds: u64,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let identifier = self.child.id();
        let folder = self.folder.clone();
        tokio::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => match done {
                // The control socket closes a moment before the process is gone: its end says more.
                Err(Error::Closed { .. }) => match tokio::time::timeout(Duration::from_secs(5), self.child.wait()).await {
                    Ok(status) => Err(died(&folder, waiting, status)),
                    Err(_) => Err(Error::Closed { command: waiting.to_owned() }),
                },
                done => done,
            },
            status = self.child.wait() => Err(died(&folder, waiting, status)),
            seconds = exhausted(identifier, processor_seconds) => {
                Err(Error::Timeout { waiting: waiting.to_owned(), seconds, said: console::said(&folder) })
            }
            () = panicked(&folder) => {
                Err(Error::Panicked { waiting: waiting.to_owned(), kernel: console::last_words(&folder) })
            }
        }
    }

    /// Resident memory in KiB, as the kernel counts it.
    pub fn resident_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
        line.trim().trim_end_matches(" kB").parse().ok()
    }

    /// The processor time used so far.
    pub fn processor_time(&self) -> Option<Duration> {
        processor_time(self.child.id()?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill_group();
    }
}

/// How long a machine that should run may do nothing at all before it counts as stuck.
const STANDSTILL: Duration = Duration::from_secs(120);

/// Waits until the process, with what it has started, has used up its processor time or stands still; gives the seconds
/// waited.
async fn exhausted(identifier: Option<u32>, processor_seconds: u64) -> u64 {
    let begin = tokio::time::Instant::now();
    let Some(identifier) = identifier else { return std::future::pending().await };
    let first = group_time(identifier).unwrap_or_default();
    let mut last = (first, begin);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let Some(now) = group_time(identifier) else { return std::future::pending().await };
        if now.saturating_sub(last.0) > Duration::from_millis(20) {
            last = (now, tokio::time::Instant::now());
        }
        let spent = now.saturating_sub(first).as_secs() > processor_seconds;
        if spent || last.1.elapsed() > STANDSTILL {
            return begin.elapsed().as_secs();
        }
    }
}

/// Waits until the console shows that the guest's kernel has panicked, whether or not the guest tells the machine.
async fn panicked(folder: &Path) {
    while !console::shows_panic(folder) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn processor_time(identifier: u32) -> Option<Duration> {
    let fields = stat(&identifier.to_string())?;
    Some(clock(fields.get(11)? + fields.get(12)?))
}

/// The processor time of a process group: a node's start script waits for the programs that make its disks, which takes
/// minutes for a large system, before it becomes QEMU. None once the leader is gone.
fn group_time(group: u32) -> Option<Duration> {
    stat(&group.to_string())?;
    let processes = fs::read_dir("/proc").ok()?.filter_map(|entry| stat(entry.ok()?.file_name().to_str()?));
    let members = processes.filter(|fields| fields.get(2) == Some(&group.into()));
    // Those that have ended count with whoever waited for them.
    let ticks = |fields: Vec<u64>| fields.get(11..15).map_or(0, |times| times.iter().sum::<u64>());
    Some(clock(members.map(ticks).sum()))
}

/// The fields of `/proc/<pid>/stat` (proc_pid_stat(5)) behind the program's name, from the third on. What is no number, as
/// the first of them, counts as 0.
fn stat(process: &str) -> Option<Vec<u64>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the name in parentheses, which may contain blanks.
    let fields = stat.rsplit_once(')')?.1.split_whitespace();
    Some(fields.map(|field| field.parse().unwrap_or_default()).collect())
}

fn clock(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
}

fn died(folder: &Path, waiting: &str, status: std::io::Result<std::process::ExitStatus>) -> Error {
    let status = match status {
        Ok(status) => status.to_string(),
        Err(error) => format!("unknown status: {error}"),
    };
    Error::Died { status, waiting: waiting.to_owned(), said: console::said(folder) }
}

/// QEMU's version line; an error tells how to install it, or that it is too old.
pub fn qemu_version() -> Result<String> {
    let output = std::process::Command::new(QEMU).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|source| Error::Start { program: QEMU, source })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default().to_owned();
    let number = line.split_whitespace().nth(3).and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    match number {
        Some(major) if major >= 7 => Ok(line),
        Some(_) => Err(Error::Version(format!(
            "{QEMU} is too old ({line}): 7.2 or newer is needed, as Debian 12 has it; `harness doctor` tells more"
        ))),
        None => Err(Error::Version(format!("cannot tell the version of {QEMU}: it printed `{line}`"))),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt as _;
    use std::time::Instant;

    use super::*;

    #[test]
    fn what_a_script_waits_for_is_its_own_work() {
        let enough = Duration::from_millis(200);
        let mut script = std::process::Command::new("bash");
        let mut script = script.args(["-c", "bash -c 'while :; do :; done'; true"]).process_group(0).spawn().unwrap();
        let id = script.id();
        let begin = Instant::now();
        while group_time(id).unwrap() < enough && begin.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let (group, own) = (group_time(id).unwrap(), processor_time(id).unwrap());
        let leader = rustix::process::Pid::from_raw(id.cast_signed()).unwrap();
        rustix::process::kill_process_group(leader, rustix::process::Signal::KILL).unwrap();
        script.wait().unwrap();
        assert!(group >= enough && own < enough, "{group:?}, of which {own:?} by itself");
        assert_eq!(group_time(id), None);
    }
}
