//! `harness enter`

use std::fs;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::generation::Fault;
use crate::guest::{Answer, Guest, Session};
use crate::machine::{Machine, Spec};
use crate::run::{Error, Folder, Hosts, Prepared, Result, TrialRun, runtime};
use crate::scenario::{Hardware, Scenario, Section, Source, Trial};

use super::arguments::EnterArguments;
use super::output::{SPEC, kept_machine};
use super::plan::{Matrix, Planned, Selection};
use super::print::print;
use super::{Exit, session};

/// What is to be entered.
struct Wanted {
    planned: Planned,
    origin: Origin,
}

/// Where its machine comes from.
enum Origin {
    /// A run has kept it here.
    Kept(PathBuf),
    /// It is cloned from its host's template.
    Clone(Arc<Prepared>),
}

/// Opens a root shell in a machine, which ends with it.
pub fn enter(arguments: &EnterArguments) -> Result<Exit> {
    let script = if std::io::stdin().is_terminal() { None } else { Some(read_script()?) };
    let hosts = session::open(session::project(&arguments.system)?, session::say_progress)?;
    let wanted = wanted(&hosts, arguments)?;
    let work = async {
        // The folder has the machine's disks and stays until the machine has ended.
        let (guest, _folder) = match &wanted.origin {
            Origin::Kept(kept) => reenter(&hosts, &wanted, kept).await?,
            Origin::Clone(prepared) => clone(&hosts, &wanted.planned, prepared).await?,
        };
        let mut shell = Session::new(guest);
        let status = match &script {
            Some(script) => show(&shell.run(script).await?)?,
            None => converse(&mut shell, &wanted.planned.host().host).await?,
        };
        shell.end().await?;
        Ok(status)
    };
    let status = runtime()?.block_on(hosts.recorder().until_interrupted(work))??;
    Ok(Exit::Guest(status))
}

fn wanted(hosts: &Hosts, arguments: &EnterArguments) -> Result<Wanted> {
    let project = hosts.project();
    let matrix = Matrix::read(project)?;
    let (name, named_fault) = parts(&arguments.trial);
    let planned = if project.hosts()?.iter().any(|host| host == name) {
        only_host(name)
    } else {
        let selection = Selection { filters: vec![name.to_owned()], exact: true, ..Selection::default() };
        matrix.select(&selection)?.remove(0)
    };
    let fault = match arguments.fault.as_deref().or(named_fault) {
        Some(id) => Some(find(&matrix, id)?),
        None => None,
    };
    let planned = Planned { fault, ..planned };
    if let Some(reason) = &planned.skip {
        return Err(Error::Usage(format!("{} cannot be run: {reason}", planned.label())));
    }
    let out = arguments.out.clone().unwrap_or_else(|| project.root().join("out"));
    let origin = match kept_machine(&out, &planned.label())? {
        Some(folder) => Origin::Kept(folder),
        None => Origin::Clone(hosts.prepare(&planned.host().host, planned.scenario.hardware)?),
    };
    Ok(Wanted { planned, origin })
}

/// A name as reports show it, without its fault and repetition, and the fault.
pub fn parts(trial: &str) -> (&str, Option<&str>) {
    let name = trial.split([' ', '[', '(']).next().unwrap_or(trial);
    let fault = trial.split_once("[broken-by ").and_then(|(_, rest)| rest.split(']').next());
    (name, fault)
}

fn find(matrix: &Matrix, id: &str) -> Result<Arc<Fault>> {
    let fault = matrix.faults.iter().find(|fault| fault.id == id);
    let unknown = || Error::Usage(format!("there is no fault `{id}`; `harness list --faults` shows them all"));
    fault.cloned().ok_or_else(unknown)
}

/// A trial in which nothing is done, for a look at a host as it is.
fn only_host(host: &str) -> Planned {
    let trial = Trial { host: host.to_owned(), ..Trial::default() };
    let scenario = Scenario {
        source: Source { path: String::new(), text: "".into() },
        section: Section::Functional,
        name: String::new(),
        title: String::new(),
        proves: Vec::new(),
        broken_by: Vec::new(),
        hardware: Hardware::default(),
        slow: None,
        trials: vec![trial],
    };
    Planned {
        name: host.to_owned(),
        fault: None,
        repetition: (1, 1),
        scenario: Arc::new(scenario),
        index: 0,
        skip: None,
    }
}

async fn clone(hosts: &Hosts, planned: &Planned, prepared: &Prepared) -> Result<(Guest, Folder)> {
    let host = &planned.host().host;
    anstream::eprintln!("{}: in a fresh clone of {host}, with what the scenario gives", planned.label());
    let run = TrialRun {
        prepared,
        workspace: hosts.workspace(),
        scenario: &planned.scenario,
        trial: planned.host(),
        fault: planned.fault.as_deref(),
        noise: &[],
        name: &planned.label(),
    };
    run.given().await
}

async fn reenter(hosts: &Hosts, wanted: &Wanted, kept: &Path) -> Result<(Guest, Folder)> {
    anstream::eprintln!("{}: as it was kept in {}", wanted.planned.label(), kept.display());
    let path = kept.join(SPEC);
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let spec: Spec = serde_json::from_str(&text)
        .map_err(|error| Error::Project { place: path.display().to_string(), problem: error.to_string() })?;
    let generation = hosts.generation(&wanted.planned.host().host, &hosts.recorder().task("generation"))?;
    let folder = hosts.workspace().folder()?;
    let machine = Machine::reenter(&spec, kept, folder.path()).await?;
    // Moments are of no interest here, nor is the number of its boot.
    Ok((Guest::cloned(machine, hosts.kind(), &generation.manifest.user, Vec::new())?, folder))
}

/// Standard input that is no terminal is one script: its lines may belong together.
fn read_script() -> Result<String> {
    let mut script = String::new();
    std::io::stdin().read_to_string(&mut script).map_err(Error::io("read", "standard input"))?;
    if script.trim().is_empty() {
        return Err(Error::Usage("there is no command on standard input, and it is no terminal".to_owned()));
    }
    Ok(script)
}

/// Runs lines from the terminal one by one until `exit` or the end of input.
async fn converse(shell: &mut Session, host: &str) -> Result<u8> {
    anstream::eprintln!("`as-user COMMAND` runs as the stacks' user; `exit` or Ctrl-D ends the machine");
    let mut lines = lines_of_stdin();
    let mut status = 0;
    loop {
        print(&format!("root@{host}# "))?;
        let Some(line) = lines.recv().await else {
            print("\n")?;
            return Ok(status);
        };
        let line = line.map_err(Error::io("read", "standard input"))?;
        if let Some(given) = exit_status(&line, status) {
            return Ok(given);
        }
        if !line.trim().is_empty() {
            status = show(&shell.run(&line).await?)?;
        }
    }
}

/// Reads in a thread of its own, so that an interruption need not wait for a line.
fn lines_of_stdin() -> mpsc::UnboundedReceiver<std::io::Result<String>> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            // Nobody listens any more: the machine has ended.
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The status to end with, if the line is `exit` alone or with a number.
fn exit_status(line: &str, last: u8) -> Option<u8> {
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        ["exit"] => Some(last),
        ["exit", status] => status.parse().ok(),
        _ => None,
    }
}

/// Shows what a line printed; gives its status.
fn show(answer: &Answer) -> Result<u8> {
    print(&answer.stdout)?;
    anstream::eprint!("{}", answer.stderr);
    if answer.timed_out {
        anstream::eprintln!("it was ended because it took too long");
    }
    Ok(u8::try_from(answer.exit).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_as_reports_show_them() {
        for (trial, name, fault) in [
            ("igpu", "igpu", None),
            ("igpu::failure::x", "igpu::failure::x", None),
            ("igpu::failure::x (2 of 3)", "igpu::failure::x", None),
            ("igpu::failure::x [broken-by no-alert]", "igpu::failure::x", Some("no-alert")),
            ("igpu::failure::x [broken-by no-alert] (1 of 2)", "igpu::failure::x", Some("no-alert")),
        ] {
            assert_eq!(parts(trial), (name, fault), "{trial}");
        }
    }

    #[test]
    fn exit_alone_ends_the_session() {
        for (line, status) in
            [("exit", Some(7)), (" exit 3 ", Some(3)), ("exit 300", None), ("exit; true", None), ("exits", None)]
        {
            assert_eq!(exit_status(line, 7), status, "{line}");
        }
    }
}
