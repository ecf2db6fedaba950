//! The verdicts on a step's lines, and how far its recording must reach for them.

use crate::scenario::{Expectation, Line, Step};
use crate::timeline::Moment;

use super::finding::Finding;
use super::recording::{QUIET, Recording, StepView, later};
use super::seen::{self, Sight};
use super::{Subject, Verdict, counted, performed, picture, words};

/// By what a line is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DecidedBy {
    /// By what it waits for, or the end of its time.
    Sight,
    /// By the barrier past its horizon.
    Barrier,
    /// By the picture and the barrier past its horizon.
    Picture,
    /// By the end of the actions.
    Actions,
}

fn decided_by(what: &Expectation) -> DecidedBy {
    match what {
        Expectation::UnitEnters { .. } | Expectation::Order { .. } => DecidedBy::Sight,
        Expectation::Journal { times, .. } | Expectation::Alert { times, .. } => {
            if counted::is_positive(*times) {
                DecidedBy::Sight
            } else {
                DecidedBy::Barrier
            }
        }
        Expectation::UnitNeverEnters { .. } => DecidedBy::Barrier,
        // The trace of programs is collected with the picture.
        Expectation::Process { .. }
        | Expectation::UnitIs { .. }
        | Expectation::UnitUnchanged { .. }
        | Expectation::Containers { .. }
        | Expectation::ContainerLabels { .. }
        | Expectation::ContainerEnvironment { .. }
        | Expectation::File { .. } => DecidedBy::Picture,
        Expectation::Output { .. } | Expectation::AtMost { .. } => DecidedBy::Actions,
    }
}

/// The verdicts on the lines of one step.
pub(super) fn verdicts(recording: &Recording, index: usize, step: &Step) -> Vec<Verdict> {
    let view = recording.step(index).map(|view| (settled(&view), view));
    let verdict = |(place, line): (usize, &Line)| {
        let finding = match &view {
            Some((settled, view)) => judge(view, *settled, line),
            None => Finding::broken("the recording ends before the step begins"),
        };
        let subject = Subject::Line { step: index, index: place, red: line.red };
        finding.verdict(subject, Some(&line.span), words::expected(line))
    };
    step.then.iter().enumerate().map(verdict).collect()
}

fn judge(view: &StepView, settled: Moment, line: &Line) -> Finding {
    if let Some(sight) = seen::look(view, line) {
        return seen::judge(view, line, sight);
    }
    if let Some(times) = counted::times(&line.what) {
        return counted::judge(view, line, times, too_early(view, settled, line));
    }
    match decided_by(&line.what) {
        DecidedBy::Actions => performed::judge(view, &line.what),
        _ => too_early(view, settled, line).unwrap_or_else(|| picture::judge(view, &line.what)),
    }
}

/// What speaks against deciding a line by the end of the step.
fn too_early(view: &StepView, settled: Moment, line: &Line) -> Option<Finding> {
    let horizon = horizon_of(view, settled, line);
    let Some((_, barrier)) = view.barrier else {
        return Some(Finding::broken("the recording of the step breaks off: no barrier arrived"));
    };
    let pictured = match decided_by(&line.what) {
        DecidedBy::Picture => view.after.map(|after| after.at),
        _ => None,
    };
    let end = pictured.unwrap_or(barrier).min(barrier);
    (end < horizon).then(|| {
        Finding::broken(format!(
            "the step was ended at {}, before the line's horizon at {}",
            words::moment(end),
            words::moment(horizon)
        ))
    })
}

/// How far the recording must reach for a line.
fn horizon_of(view: &StepView, settled: Moment, line: &Line) -> Moment {
    match decided_by(&line.what) {
        DecidedBy::Barrier | DecidedBy::Picture => match line.within {
            Some(within) => view.deadline(within).max(view.acted),
            None => later(settled, QUIET),
        },
        DecidedBy::Sight | DecidedBy::Actions => settled,
    }
}

/// When the last thing that is waited for was there, and the last action was done.
fn settled(view: &StepView) -> Moment {
    let awaited = view.step.then.iter().filter_map(|line| awaited_until(view, line));
    awaited.chain([view.acted, view.origin]).max().unwrap_or(view.acted)
}

/// Until when a line is waited for: until what it waits for is seen, and at the latest until its time is over.
fn awaited_until(view: &StepView, line: &Line) -> Option<Moment> {
    let deadline = seen::deadline(view, line);
    seen::awaited(view, line).map(|sight| match sight {
        Sight::Seen { at, .. } => at.min(deadline),
        Sight::Missing { .. } => deadline,
    })
}

/// How far the recording of a step must reach: for all of its lines, and for the picture of a guest at rest, in which
/// nothing is under way that a line did not ask for.
pub(super) fn horizon(view: &StepView) -> Moment {
    let settled = settled(view);
    let lines = view.step.then.iter().map(|line| horizon_of(view, settled, line));
    lines.fold(later(settled, QUIET), Moment::max)
}

/// Whether what a line waits for may still come at a moment; while the step acts, nobody knows when its time is over.
pub(super) fn is_open(view: &StepView, line: &Line, now: Moment, acting: bool) -> bool {
    let missing = matches!(seen::awaited(view, line), Some(Sight::Missing { .. }));
    missing && (acting || now <= seen::deadline(view, line))
}
