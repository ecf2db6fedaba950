//! Lines about the end of a step: what the picture shows, compared with the one before the step where they ask for it.

use std::collections::BTreeMap;

use crate::scenario::{ActiveState, Container, ContainerCondition, Expectation, FileCondition, Unit};
use crate::timeline::{ContainerState, FileFound, Moment, UnitState};

use super::finding::Finding;
use super::history::Taken;
use super::recording::StepView;
use super::words;

/// What systemd calls a unit that it has no file of.
const NOT_FOUND: &str = "not-found";

/// The verdict on a line about the end of a step.
pub(super) fn judge(view: &StepView, what: &Expectation) -> Finding {
    let Some(after) = view.after else {
        return no_picture();
    };
    let finding = match what {
        Expectation::UnitIs { units, state, sub, result } => each(units, |unit| {
            never_existed(view, unit).or_else(|| is(after, unit, *state, sub.as_deref(), result.as_deref()))
        }),
        Expectation::UnitUnchanged { units } => each(units, |unit| unit_unchanged(view, after, unit)),
        Expectation::Containers { containers, are } => {
            let Some(before) = view.before else {
                return Finding::broken("the recording has no picture from before the step");
            };
            each(containers, |container| in_condition(before, after, container, *are))
        }
        Expectation::ContainerLabels { containers, labels } => {
            each(containers, |container| has_pairs(after, container, "label", labels, |state| &state.labels))
        }
        Expectation::ContainerEnvironment { containers, variables } => {
            each(containers, |container| has_pairs(after, container, "variable", variables, |state| &state.environment))
        }
        Expectation::File { path, is } => file(after, path, is),
        _ => Finding::broken("the line is not about the end of a step"),
    };
    Finding { at: Some(after.at), ..finding }.evidence(vec![after.index])
}

/// Whether units end the step in a sub state, after they changed at a moment.
pub(super) fn sub_state(view: &StepView, changed: Moment, units: &[Unit], sub: &str) -> Finding {
    let Some(after) = view.after else {
        return no_picture();
    };
    if after.at < changed {
        return Finding::broken("the picture of the end of the step is older than the change");
    }
    each(units, |unit| match after.unit(words::as_ref(unit)) {
        Some(state) if state.sub == sub => None,
        Some(state) => Some(format!("{} ends the step in {}", words::unit(unit), in_words(state))),
        None => Some(not_loaded(unit)),
    })
}

fn no_picture() -> Finding {
    Finding::broken("the recording has no picture of the end of the step")
}

fn each<T>(subjects: &[T], complaint: impl Fn(&T) -> Option<String>) -> Finding {
    if subjects.is_empty() {
        return Finding::broken("the line names nothing that could be looked at");
    }
    Finding::of_sentences(subjects.iter().filter_map(complaint).collect())
}

fn not_loaded(unit: &Unit) -> String {
    format!("{} is not among the loaded units", words::unit(unit))
}

fn in_words(state: &UnitState) -> String {
    format!("{} ({}), result {:?}", state.active, state.sub, state.result)
}

fn is(after: Taken, unit: &Unit, active: ActiveState, sub: Option<&str>, result: Option<&str>) -> Option<String> {
    let Some(state) = after.unit(words::as_ref(unit)) else {
        return Some(not_loaded(unit));
    };
    let holds = state.active == words::state_name(active)
        && sub.is_none_or(|sub| state.sub == sub)
        && result.is_none_or(|result| state.result == result);
    (!holds).then(|| format!("{} is {}", words::unit(unit), in_words(state)))
}

/// A unit that there never was in the step is in no state: its name is a slip, although a manager that is asked calls
/// it inactive.
pub(super) fn never_existed(view: &StepView, unit: &Unit) -> Option<String> {
    let is_there = |taken: Option<Taken>| {
        taken.and_then(|taken| taken.unit(words::as_ref(unit))).is_some_and(|state| state.load != NOT_FOUND)
    };
    let changed = || view.recording.changes.iter().any(|change| words::same_unit(unit, change.unit));
    let exists = is_there(view.before) || is_there(view.after) || changed();
    (!exists).then(|| format!("{} does not exist", words::unit(unit)))
}

fn unit_unchanged(view: &StepView, after: Taken, unit: &Unit) -> Option<String> {
    let before = view.before.and_then(|before| before.unit(words::as_ref(unit)));
    let now = after.unit(words::as_ref(unit));
    let (Some(before), Some(now)) = (before, now) else {
        return Some(not_loaded(unit));
    };
    if [before, now].iter().any(|state| state.load == NOT_FOUND) {
        return Some(format!("{} does not exist", words::unit(unit)));
    }
    let name = words::unit(unit);
    if let Some(change) = view.changes(view.begin).find(|change| words::same_unit(unit, change.unit)) {
        let at = words::seconds(view.elapsed(change.at));
        return Some(format!("{name} entered {} at {at}", words::state_name(change.state)));
    }
    if before.active != now.active || before.sub != now.sub {
        return Some(format!("{name} was {}, is {}", in_words(before), in_words(now)));
    }
    if now.invocation.is_empty() && matches!(&*now.active, "active" | "reloading" | "activating") {
        return Some(format!("{name} is {} as before, but nothing says whether it has run on since", now.active));
    }
    let other_invocation = before.invocation != now.invocation;
    let changed = other_invocation || before.state_change != now.state_change;
    changed.then(|| {
        let what = if other_invocation { "runs in another invocation" } else { "has changed its state" };
        format!("{name} is {} as before, but {what} since", now.active)
    })
}

fn find<'a>(taken: Taken<'a>, container: &Container) -> Option<&'a ContainerState> {
    taken.picture.containers.iter().find(|state| state.name == container.name)
}

fn in_condition(before: Taken, after: Taken, container: &Container, are: ContainerCondition) -> Option<String> {
    let name = &container.name;
    let Some(now) = find(after, container) else {
        // A stack's container is known to be possible; any other name may be a slip, and what never was is not gone.
        let may_be_absent = container.stack.is_some() || find(before, container).is_some();
        return match (are, may_be_absent) {
            (ContainerCondition::Gone, true) => None,
            (ContainerCondition::Gone, false) => Some(format!("{name} was not there before the step either")),
            _ => Some(format!("{name} is not there")),
        };
    };
    let running = now.state == "running";
    match are {
        ContainerCondition::Running => (!running).then(|| format!("{name} is {}", condition(now))),
        ContainerCondition::Healthy => wrong_health(now, running, "healthy"),
        ContainerCondition::Unhealthy => wrong_health(now, running, "unhealthy"),
        ContainerCondition::Gone => Some(format!("{name} is there, {}", condition(now))),
        ContainerCondition::Unchanged
        | ContainerCondition::SameIds
        | ContainerCondition::Stopped
        | ContainerCondition::Updated
        | ContainerCondition::SameImage
        | ContainerCondition::Recreated => match find(before, container) {
            Some(earlier) => compared(earlier, now, are),
            None => Some(format!("{name} was not there before the step, so it cannot be compared")),
        },
    }
}

fn wrong_health(now: &ContainerState, running: bool, health: &str) -> Option<String> {
    (!running || now.health != health).then(|| format!("{} is {}", now.name, condition(now)))
}

fn condition(state: &ContainerState) -> String {
    let health = if state.health.is_empty() { "no health" } else { &state.health };
    format!("{} ({health})", state.state)
}

fn compared(before: &ContainerState, now: &ContainerState, are: ContainerCondition) -> Option<String> {
    let name = &now.name;
    let same_id = before.id == now.id;
    let running = now.state == "running";
    if are == ContainerCondition::Recreated {
        return match (same_id, running) {
            (true, _) => Some(format!("{name} is the same container as before ({})", short(&now.id))),
            (false, false) => Some(format!("{name} was recreated, but is {}", condition(now))),
            (false, true) => None,
        };
    }
    if matches!(are, ContainerCondition::Updated | ContainerCondition::SameImage) {
        return image_complaint(before, now, running, are == ContainerCondition::Updated);
    }
    if !same_id {
        let (before, now) = (short(&before.id), short(&now.id));
        return Some(format!("{name} is another container: {now}, before {before}"));
    }
    match are {
        ContainerCondition::Stopped => running.then(|| format!("{name} is {}", condition(now))),
        ContainerCondition::Unchanged if before.state != now.state => {
            Some(format!("{name} was {}, is {}", before.state, now.state))
        }
        ContainerCondition::Unchanged if before.started != now.started => {
            Some(format!("{name} was started again: at {}, before at {}", now.started, before.started))
        }
        _ => None,
    }
}

fn image_complaint(before: &ContainerState, now: &ContainerState, running: bool, updated: bool) -> Option<String> {
    let name = &now.name;
    let image = short(&now.image_id);
    match (before.image_id == now.image_id, updated) {
        (true, true) => Some(format!("{name} is of the same image as before ({image})")),
        (false, false) => Some(format!("{name} is of another image: {image}, before {}", short(&before.image_id))),
        _ => (!running).then(|| format!("{name} is {}", condition(now))),
    }
}

/// As much of an id as podman shows.
pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

fn has_pairs(
    after: Taken,
    container: &Container,
    kind: &str,
    wanted: &BTreeMap<String, String>,
    pairs: impl Fn(&ContainerState) -> &BTreeMap<String, String>,
) -> Option<String> {
    let name = &container.name;
    let Some(now) = find(after, container) else {
        return Some(format!("{name} is not there"));
    };
    let wrong: Vec<_> = wanted
        .iter()
        .filter_map(|(key, value)| match pairs(now).get(key) {
            Some(found) if found == value => None,
            Some(found) => Some(format!("{name} has the {kind} {key}={found}")),
            None => Some(format!("{name} has no {kind} {key}")),
        })
        .collect();
    (!wrong.is_empty()).then(|| wrong.join("\n"))
}

fn file(after: Taken, path: &str, is: &FileCondition) -> Finding {
    let Some(file) = after.picture.files.iter().find(|file| file.path == path) else {
        return Finding::broken(format!("the picture does not say whether {path} is there"));
    };
    match (&file.found, is.absent) {
        (None, true) => Finding::of_sentences(Vec::new()),
        (None, false) => Finding::failed(format!("{path} is not there")),
        (Some(_), true) => Finding::failed(format!("{path} is there")),
        (Some(found), false) => Finding::of_sentences(file_complaints(path, found, is)),
    }
}

fn file_complaints(path: &str, found: &FileFound, is: &FileCondition) -> Vec<String> {
    let mut complaints = Vec::new();
    if is.mode.is_some_and(|mode| mode != found.mode) {
        complaints.push(format!("{path} has mode {:04o}", found.mode));
    }
    if is.owner.as_ref().is_some_and(|owner| *owner != found.owner) {
        complaints.push(format!("{path} belongs to {}", found.owner));
    }
    let lines: Vec<&str> = found.text.lines().collect();
    if is.lines.as_ref().is_some_and(|wanted| *wanted != lines) {
        complaints.push(format!("{path} has the lines {lines:?}"));
    }
    if is.matches.as_ref().is_some_and(|pattern| !pattern.is_match(&found.text)) {
        complaints.push(format!("{path} does not match: its text is {:?}", found.text));
    }
    complaints
}
