//! What a guest has beside units and containers: files, sockets, processes, networks, volumes and images. Part of
//! `nothing-else-changed`.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::{Act, ActKind, Excepted, Expectation, Thing, Trial};
use crate::timeline::{Picture, ProcessState, UnitRef};

use super::changes::Concern;

/// What is there in one of the pictures only, in sentences, but for what is excepted.
pub(super) fn differences(first: &Picture, last: &Picture, trial: &Trial, concern: &Concern) -> Vec<String> {
    let touched = touched_paths(trial);
    let untouched = |paths: &[String]| -> Vec<String> {
        let is_touched = |path: &&String| touched.contains(path.as_str());
        paths.iter().filter(|path| !is_touched(path)).cloned().collect()
    };
    // The published ports of containers that the scenario stops or starts come and go with them, and a picture does not
    // say whose a socket is: then sockets tell nothing.
    let sockets = |picture: &Picture| match concern.running(first) == concern.running(last) {
        true => picture.sockets.clone(),
        false => Vec::new(),
    };
    let processes = |picture: &Picture| other_processes(picture, [first, last], concern);
    let compared = [
        (Thing::File, untouched(&first.paths), untouched(&last.paths)),
        (Thing::Socket, sockets(first), sockets(last)),
        (Thing::Process, processes(first), processes(last)),
        (Thing::Network, first.networks.clone(), last.networks.clone()),
        (Thing::Volume, first.volumes.clone(), last.volumes.clone()),
        (Thing::Image, first.images.clone(), last.images.clone()),
    ];
    compared.iter().flat_map(|(thing, before, after)| of_kind(*thing, before, after, trial)).collect()
}

fn of_kind(thing: Thing, before: &[String], after: &[String], trial: &Trial) -> Vec<String> {
    let (was, is) = (counted(before), counted(after));
    let names: BTreeSet<&str> = was.keys().chain(is.keys()).copied().collect();
    let count = |counts: &BTreeMap<&str, usize>, name| counts.get(name).copied().unwrap_or_default();
    let differing = names.into_iter().filter_map(|name| {
        let (was, is) = (count(&was, name), count(&is, name));
        (was != is && !is_excepted(thing, name, trial)).then(|| sentence(thing, name, is > was))
    });
    differing.collect()
}

/// How often each is there: a program may run more than once.
fn counted(names: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.as_str()).or_default() += 1;
    }
    counts
}

fn is_excepted(thing: Thing, name: &str, trial: &Trial) -> bool {
    trial.except.iter().any(|exception| match &exception.what {
        Excepted::Things(excepted, pattern) => *excepted == thing && pattern.is_match(name),
        _ => false,
    })
}

fn sentence(thing: Thing, name: &str, is_new: bool) -> String {
    match (thing, is_new) {
        (Thing::File, false) => format!("the file {name} is gone"),
        (Thing::File, true) => format!("the file {name} is left behind"),
        (Thing::Socket, false) => format!("nobody listens on {name} any more"),
        (Thing::Socket, true) => format!("somebody listens on {name} now"),
        (Thing::Process, false) => format!("a process has ended: {name}"),
        (Thing::Process, true) => format!("a process is new: {name}"),
        (Thing::Network, false) => format!("the network {name} is gone"),
        (Thing::Network, true) => format!("the network {name} is new"),
        (Thing::Volume, false) => format!("the volume {name} is gone"),
        (Thing::Volume, true) => format!("the volume {name} is new"),
        (Thing::Image, false) => format!("the image {name} is gone"),
        (Thing::Image, true) => format!("the image {name} is new"),
    }
}

/// The paths that actions change, lines look at, or knobs are turned by.
fn touched_paths(trial: &Trial) -> BTreeSet<String> {
    let acts = trial.given.iter().chain(trial.steps.iter().flat_map(|step| &step.when));
    let changed = acts.flat_map(paths_of);
    let looked_at = trial.steps.iter().flat_map(|step| &step.then).filter_map(|line| match &line.what {
        Expectation::File { path, .. } => Some(path.clone()),
        _ => None,
    });
    changed.chain(looked_at).collect()
}

fn paths_of(act: &Act) -> Vec<String> {
    match &act.what {
        ActKind::Remove { paths }
        | ActKind::Restore { paths }
        | ActKind::Chmod { paths, .. }
        | ActKind::Chown { paths, .. } => paths.clone(),
        ActKind::Write { path, .. } => vec![path.clone()],
        ActKind::Knob { files, .. } => files.clone(),
        _ => Vec::new(),
    }
}

/// The commands of processes but those of units that are a concern, that come and go by themselves, or that a program
/// made for a single command or health check.
fn other_processes(picture: &Picture, both: [&Picture; 2], concern: &Concern) -> Vec<String> {
    let is_passing = |unit: UnitRef<'_>| {
        let mut states = both.iter().flat_map(|picture| &picture.units);
        states.any(|state| state.unit() == unit && state.transient) || concern.comes_and_goes(unit, both[0])
    };
    let is_other = |process: &&ProcessState| {
        let unit = UnitRef { scope: &process.scope, name: &process.unit };
        !concern.has_unit(unit) && !is_passing(unit)
    };
    picture.processes.iter().filter(is_other).map(|process| process.command.clone()).collect()
}
