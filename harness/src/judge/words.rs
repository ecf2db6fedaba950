//! How verdicts word units, states, times and patterns.

use std::time::Duration;

use crate::scenario::{
    ActiveState, Container, ContainerCondition, Expectation, FileCondition, JournalSource, Line, Pattern, Scope, Times,
    Unit,
};
use crate::timeline::{Moment, UnitRef};

/// Whether a scenario's unit is the one that the timeline names.
pub(super) fn same_unit(unit: &Unit, found: UnitRef) -> bool {
    scope_name(unit.scope) == found.scope && unit.name == found.name
}

/// A scenario's unit as the timeline names it.
pub(super) fn as_ref(unit: &Unit) -> UnitRef<'_> {
    UnitRef { scope: scope_name(unit.scope), name: &unit.name }
}

pub(super) fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::System => "system",
        Scope::User => "user",
    }
}

pub(super) fn state_name(state: ActiveState) -> &'static str {
    match state {
        ActiveState::Active => "active",
        ActiveState::Reloading => "reloading",
        ActiveState::Inactive => "inactive",
        ActiveState::Failed => "failed",
        ActiveState::Activating => "activating",
        ActiveState::Deactivating => "deactivating",
    }
}

/// The stacks' units are the user's; only system units are marked.
pub(super) fn unit_ref(unit: UnitRef) -> String {
    if unit.scope == "user" { unit.name.to_owned() } else { format!("{}:{}", unit.scope, unit.name) }
}

pub(super) fn unit(unit: &Unit) -> String {
    unit_ref(as_ref(unit))
}

pub(super) fn units(units: &[Unit]) -> String {
    units.iter().map(unit).collect::<Vec<_>>().join(", ")
}

pub(super) fn containers(containers: &[Container]) -> String {
    containers.iter().map(|container| &*container.name).collect::<Vec<_>>().join(", ")
}

pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// A moment on the guest's clock.
pub(super) fn moment(at: Moment) -> String {
    let seconds = seconds(Duration::from_micros(at.micros));
    if at.boot == 0 { format!("guest time {seconds}") } else { format!("guest time {seconds} of boot {}", at.boot) }
}

pub(super) fn times(times: Times) -> String {
    match (times.least, times.most) {
        (_, Some(0)) => "never".into(),
        (1, Some(1)) => "exactly once".into(),
        (least, Some(most)) if least == most => format!("exactly {least} times"),
        (0, Some(most)) => format!("at most {most} times"),
        (least, Some(most)) => format!("{least} to {most} times"),
        (1, None) => "at least once".into(),
        (least, None) => format!("at least {least} times"),
    }
}

pub(super) fn pattern(pattern: &Pattern) -> String {
    let text = match &pattern.text {
        Some(name) => format!("the text {name:?} (/{}/)", pattern.regex),
        None => format!("/{}/", pattern.regex),
    };
    pattern.relation.as_ref().map_or(text.clone(), |relation| format!("{text} where {relation}"))
}

fn source(source: &JournalSource) -> String {
    match source {
        JournalSource::Units(of) => format!("the journal of {}", units(of)),
        JournalSource::Kernel => "the kernel's journal".into(),
        JournalSource::Anything => "the journal".into(),
    }
}

pub(super) fn condition(condition: ContainerCondition) -> &'static str {
    match condition {
        ContainerCondition::Running => "running",
        ContainerCondition::Healthy => "healthy",
        ContainerCondition::Unhealthy => "unhealthy",
        ContainerCondition::Unchanged => "unchanged",
        ContainerCondition::SameIds => "the same by id",
        ContainerCondition::Stopped => "stopped",
        ContainerCondition::Recreated => "recreated",
        ContainerCondition::Updated => "updated",
        ContainerCondition::SameImage => "running on the same image",
        ContainerCondition::Gone => "gone",
    }
}

fn file(condition: &FileCondition) -> String {
    let mut parts = Vec::new();
    if condition.absent {
        parts.push("is not there".to_owned());
    }
    parts.extend(condition.mode.map(|mode| format!("has mode {mode:04o}")));
    parts.extend(condition.owner.as_ref().map(|owner| format!("belongs to {owner}")));
    parts.extend(condition.lines.as_ref().map(|lines| format!("has the lines {lines:?}")));
    parts.extend(condition.matches.as_ref().map(|text| format!("matches {}", pattern(text))));
    parts.join(" and ")
}

/// A line of a scenario in words.
pub(super) fn expected(line: &Line) -> String {
    let words = expectation(&line.what);
    match line.within {
        Some(within) => format!("{words}, within {}", seconds(within)),
        None => words,
    }
}

fn expectation(what: &Expectation) -> String {
    match what {
        Expectation::UnitEnters { units: of, state, result, sub } => {
            let mut words = format!("{} enters {}", units(of), state_name(*state));
            if let Some(result) = result {
                words += &format!(" with result {result}");
            }
            if let Some(sub) = sub {
                words += &format!(" and ends the step in {sub}");
            }
            words
        }
        Expectation::UnitNeverEnters { units: of, state } => {
            format!("{} never enters {}", units(of), state_name(*state))
        }
        Expectation::UnitIs { units: of, state, sub, result } => {
            let sub = sub.as_ref().map(|sub| format!(" ({sub})")).unwrap_or_default();
            let result = result.as_ref().map(|result| format!(" with result {result}"));
            let result = result.unwrap_or_default();
            format!("{} is {}{sub}{result} at the end of the step", units(of), state_name(*state))
        }
        Expectation::UnitUnchanged { units: of } => format!("{} is unchanged", units(of)),
        Expectation::Order { entries } => entries
            .iter()
            .map(|(of, state)| format!("{} enters {}", units(of), state_name(*state)))
            .collect::<Vec<_>>()
            .join(", then "),
        Expectation::Journal { of, pattern: text, times: count } => {
            format!("{} has {} {}", source(of), pattern(text), times(*count))
        }
        Expectation::Containers { containers: of, are } => {
            format!("{}: {} at the end of the step", containers(of), condition(*are))
        }
        Expectation::ContainerLabels { containers: of, labels } => {
            format!("{}: labels {labels:?}", containers(of))
        }
        Expectation::ContainerEnvironment { containers: of, variables } => {
            format!("{}: environment {variables:?}", containers(of))
        }
        Expectation::Alert { units: of, pattern: text, priority, times: count } => {
            let text = text.as_ref().map(|text| format!(" with {}", pattern(text))).unwrap_or_default();
            let priority = priority.map(|priority| format!(" of priority {priority}")).unwrap_or_default();
            format!("an alert about {}{text}{priority} {}", units(of), times(*count))
        }
        Expectation::File { path, is } => format!("{path} {}", file(is)),
        Expectation::Output { pattern: text, times: count } => {
            format!("the output has {} {}", pattern(text), times(*count))
        }
        Expectation::Process { pattern: text, times: count } => {
            format!("a program is started as {} {}", pattern(text), times(*count))
        }
        Expectation::AtMost { ratio, of } => {
            format!("the actions take at most {ratio} times as long as those of {of:?}")
        }
    }
}

/// The text that shares the most words with a pattern, if it shares at least a third of them.
pub(super) fn closest<'a, T>(
    pattern: &Pattern,
    candidates: impl Iterator<Item = (T, &'a str)>,
) -> Option<(T, &'a str)> {
    let pattern = pattern.regex.as_str();
    let words: Vec<&str> = pattern
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| word.chars().count() >= 3)
        .collect();
    let shared = |text: &str| words.iter().filter(|word| text.contains(**word)).count();
    candidates
        .map(|(item, text)| (shared(text), item, text))
        .filter(|(shared, ..)| *shared > 0 && shared * 3 >= words.len())
        .max_by_key(|(shared, ..)| *shared)
        .map(|(_, item, text)| (item, text))
}
