//! What a step still waits for, while its recording grows.

use crate::scenario::Trial;
use crate::timeline::{Moment, Timeline};

use super::lines;
use super::recording::Recording;
use super::{seen, words};

/// How far a step is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The lines and actions that can still be decided by what happens next.
    pub undecided: Vec<Undecided>,
    /// How far in guest time the step's picture and barrier must be, as far as it is known: it is final when nothing
    /// is undecided.
    pub horizon: Moment,
}

/// Something that is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    /// The line's index in the step; none for an action that is not done.
    pub line: Option<usize>,
    /// What is waited for, in words.
    pub waits_for: String,
    /// When it is too late; none while that depends on an action that is not done.
    pub until: Option<Moment>,
}

/// What a step still waits for. A step that has not begun waits for that.
pub fn progress(trial: &Trial, step: usize, timeline: &Timeline) -> Progress {
    let recording = Recording::new(trial, timeline);
    let now = recording.now().unwrap_or(Moment { boot: 0, micros: 0 });
    let Some(view) = recording.step(step) else {
        let waits_for = format!("step {} to begin", step + 1);
        let undecided = vec![Undecided { line: None, waits_for, until: None }];
        return Progress { undecided, horizon: now };
    };
    let missing = (0..view.step.when.len()).filter(|index| view.actions.iter().all(|(_, done)| done.index != *index));
    let mut undecided: Vec<_> = missing
        .map(|index| {
            let waits_for = format!("action {} of the step to end", index + 1);
            Undecided { line: None, waits_for, until: None }
        })
        .collect();
    let acting = !undecided.is_empty();
    for (index, line) in view.step.then.iter().enumerate() {
        if lines::is_open(&view, line, now, acting) {
            undecided.push(Undecided {
                line: Some(index),
                waits_for: words::expected(line),
                until: (!acting).then(|| seen::deadline(&view, line)),
            });
        }
    }
    Progress { undecided, horizon: lines::horizon(&view) }
}
