//! Lines about a step's own actions: what they printed and how long they took.

use std::time::Duration;

use crate::scenario::{Expectation, Pattern, Times};

use super::finding::Finding;
use super::recording::StepView;
use super::words;

/// The verdict on a line about the step's actions.
pub(super) fn judge(view: &StepView, what: &Expectation) -> Finding {
    if view.actions.len() < view.step.when.len() {
        return Finding::broken("the recording does not have all actions of the step");
    }
    match what {
        Expectation::Output { pattern, times } => output(view, pattern, *times),
        Expectation::AtMost { ratio, of } => at_most(view, *ratio, of),
        _ => Finding::broken("the line is not about the step's actions"),
    }
}

fn output(view: &StepView, pattern: &Pattern, times: Times) -> Finding {
    let Some((place, last)) = view.actions.iter().max_by_key(|(_, done)| done.index) else {
        return Finding::broken("the step has no action that could print something");
    };
    let lines = || last.stdout.lines().chain(last.stderr.lines());
    let count = lines().filter(|line| pattern.is_match(line)).count();
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let holds = count >= times.least && times.most.is_none_or(|most| count <= most);
    let finding = if holds {
        Finding::passed(Vec::new(), None)
    } else {
        let closest = words::closest(pattern, lines().map(|line| ((), line)));
        let nearest = closest.filter(|_| count == 0).map(|((), line)| format!("the closest is {line:?}"));
        Finding::failed(format!("matching lines: {count} of {}", lines().count())).nearest(nearest)
    };
    finding.evidence(vec![*place]).at(last.to)
}

fn at_most(view: &StepView, ratio: f64, of: &str) -> Finding {
    let measured = view.recording.trial.steps[..view.index]
        .iter()
        .rposition(|step| step.measure.as_deref() == Some(of))
        .and_then(|step| view.recording.step(step));
    let Some(reference) = measured else {
        return Finding::broken(format!("the recording has no earlier step that measures {of:?}"));
    };
    let (Some(taken), Some(allowed)) = (duration(view), duration(&reference)) else {
        return Finding::broken("the actions were not recorded, or a boot lies between their begin and end");
    };
    if allowed.is_zero() {
        return Finding::broken(format!("the actions of {of:?} took no time at all"));
    }
    let evidence = view.actions.iter().chain(&reference.actions).map(|(place, _)| *place).collect();
    let found = taken.as_secs_f64() / allowed.as_secs_f64();
    let finding = if found <= ratio {
        Finding::passed(Vec::new(), None)
    } else {
        Finding::failed(format!(
            "they took {}, {found:.2} times as long as the {} of {of:?}",
            words::seconds(taken),
            words::seconds(allowed)
        ))
    };
    finding.evidence(evidence).at(view.acted)
}

/// The guest time of a step's actions together.
fn duration(view: &StepView) -> Option<Duration> {
    let complete = !view.actions.is_empty() && view.actions.len() == view.step.when.len();
    let each = view.actions.iter().map(|(_, done)| {
        let micros = done.to.micros.checked_sub(done.from.micros);
        micros.filter(|_| done.from.boot == done.to.boot).map(Duration::from_micros)
    });
    let total: Option<Vec<Duration>> = each.collect();
    total.filter(|_| complete).map(|durations| durations.iter().sum())
}
