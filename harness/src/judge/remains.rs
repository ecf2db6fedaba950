//! What a trial leaves behind: files, processes, networks, volumes and images.

use std::collections::BTreeSet;

use crate::timeline::Picture;

use super::changes::{Concern, comes_and_goes};
use super::picture::short;

/// Where things are that may go with a stack. What it keeps elsewhere, and its volumes, its owner would miss.
const PASSING: [&str; 3] = ["/run/", "/tmp/", "/var/tmp/"];

/// What is in the last picture and was not in the first, and what is gone. With a stack that the trial stops, its passing
/// things may go; that new ones come is for no stack a matter of course.
pub(super) fn differences(first: &Picture, last: &Picture, concern: &Concern) -> Vec<String> {
    let (before, after) = (&first.remains, &last.remains);
    let named = |name: &str| concern.has_name_of_stack(name);
    let mut differences = Vec::new();
    let paths = |from: &BTreeSet<String>| from.iter().filter(|path| !concern.has_path(path)).cloned().collect();
    let passes = |path: &str| PASSING.iter().any(|folder| path.starts_with(folder)) && path.split('/').any(named);
    differences.extend(compared("file", &paths(&before.paths), &paths(&after.paths), passes));
    differences.extend(processes(first, last, concern));
    differences.extend(compared("network", &before.networks, &after.networks, named));
    differences.extend(compared("volume", &before.volumes, &after.volumes, |_| false));
    differences.extend(images(first, last, concern));
    differences
}

fn compared(
    kind: &str,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
    may_go: impl Fn(&str) -> bool,
) -> Vec<String> {
    let gone = before.difference(after).filter(|name| !may_go(name)).map(|name| format!("the {kind} {name} is gone"));
    let new = after.difference(before).map(|name| format!("the {kind} {name} is new"));
    gone.chain(new).collect()
}

/// That a program has ended shows in its unit's state. One that is new is left over, unless its unit is a service that
/// now runs.
fn processes(first: &Picture, last: &Picture, concern: &Concern) -> Vec<String> {
    let new = last.remains.processes.difference(&first.remains.processes);
    let left_over = new.filter(|process| {
        let unit = process.rsplit_once(" of ").map_or(process.as_str(), |(_, unit)| unit);
        let mut states = last.units.iter().filter(|state| state.name == unit);
        !states.any(|state| {
            let runs = state.sub == "running" && concern.has_unit(state.unit());
            runs || comes_and_goes(state.unit(), first) || comes_and_goes(state.unit(), last)
        })
    });
    left_over.map(|process| format!("the process {process} is new")).collect()
}

/// An image whose name another one has taken stays without a name; where the trial publishes images, so may one that
/// podman has tried and given up.
fn images(first: &Picture, last: &Picture, concern: &Concern) -> Vec<String> {
    let (before, after) = (&first.remains.images, &last.remains.images);
    let lost_its_name = |id: &String| concern.publishes() || before.values().any(|known| known == id);
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let others = names.into_iter().filter(|name| !concern.has_image(name, first) && !concern.has_image(name, last));
    let sentence = |name: &String| match (before.get(name), after.get(name)) {
        (Some(was), Some(is)) if was != is => Some(format!("the image {name} was {}, is {}", short(was), short(is))),
        (Some(_), None) => Some(format!("the image {name} is gone")),
        (None, Some(id)) if id == name && lost_its_name(id) => None,
        (None, Some(_)) => Some(format!("the image {name} is new")),
        _ => None,
    };
    others.filter_map(sentence).collect()
}
