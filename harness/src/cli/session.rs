//! What every command that runs machines needs: the project, the cache, somebody who listens, and a way to stop.

use std::path::Path;
use std::sync::Arc;

use crate::event::Event;
use crate::image::{self, Store};
use crate::run::{Error, ForeignSystem, Hosts, Nodes, Project, Recorder, Result};

use super::arguments::{GuestArguments, GuestChoice, SystemArguments};
use super::print::say;

/// The host of the project that is meant where none is named.
const DEFAULT_HOST: &str = "igpu";

/// Opens the cache for a project, and has SIGINT, SIGTERM and SIGHUP end everything in order; a second one ends the
/// program at once (the kernel then ends the machines, and the next run sweeps their folders).
pub fn open(project: Project, sink: impl Fn(Event) + Send + Sync + 'static) -> Result<Hosts> {
    let store = Store::from_environment()?;
    let recorder = Arc::new(Recorder::new(sink));
    listen_for_signals(&recorder)?;
    Hosts::new(project, store, recorder)
}

/// The project, with the generation that is named to be run in the place of its hosts.
pub fn project(arguments: &SystemArguments) -> Result<Project> {
    let found = Project::find()?;
    let project = match nodes(&arguments.guests)? {
        Some(nodes) => found.with_nodes(nodes),
        None => found,
    };
    match &arguments.system {
        Some(folder) => project.with_foreign(&ForeignSystem {
            folder: folder.clone(),
            scenarios: arguments.scenarios.clone(),
            host: arguments.host_name.clone(),
        }),
        None => Ok(project),
    }
}

fn nodes(guests: &GuestArguments) -> Result<Option<Nodes>> {
    match (guests.guest, &guests.nodes) {
        (GuestChoice::Debian, None) => Ok(None),
        (GuestChoice::Nixos, Some(file)) => Ok(Some(Nodes::read(file)?)),
        (GuestChoice::Nixos, None) => Err(Error::Usage(
            "--guest nixos needs the nodes: give the file that names them with --nodes FILE".to_owned(),
        )),
        (GuestChoice::Debian, Some(file)) => {
            Err(Error::Usage(format!("--nodes {} names NixOS nodes: give --guest nixos, too", file.display())))
        }
    }
}

/// The host that is meant where none is named.
pub fn default_host(project: &Project) -> String {
    project.foreign().map_or(DEFAULT_HOST, |foreign| foreign.host()).to_owned()
}

/// Says what a long piece of work does, beside what the command is asked for.
pub fn say_progress(event: Event) {
    if let Event::Progress { task, message } = event {
        say(&format!("{task}: {message}"));
    }
}

fn listen_for_signals(recorder: &Arc<Recorder>) -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    // `nohup` has us ignore a terminal that goes away. (A script's shell has what it starts in the background ignore SIGINT;
    // somebody who sends that means it.)
    let listened = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| *signal != SIGHUP || !is_ignored(SIGHUP));
    let mut signals =
        signal_hook::iterator::Signals::new(listened).map_err(Error::io("listen for", Path::new("signals")))?;
    let recorder = Arc::clone(recorder);
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if recorder.is_interrupted() {
                say("interrupted twice: ending at once; the next run sweeps what is left in the cache");
                std::process::exit(128 + signal);
            }
            recorder.interrupt();
            image::end_programs();
            say("interrupted: ending the machines (once more ends at once)");
        }
    });
    Ok(())
}

/// Whether this process ignores a signal: the bit of its number, from 1, in `SigIgn` (proc_pid_status(5)).
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal - 1)) != 0
}
