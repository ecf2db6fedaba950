//! From a trial and its timeline to verdicts: a pure function, the only place where verdicts are made.
//!
//! Every line is judged, even where an earlier one failed. What cannot be known from the recording is broken, never
//! passed: a line that waits for the end of its step needs the step's barrier past its horizon.

mod actions;
mod changes;
mod compose;
mod counted;
mod finding;
mod gates;
mod history;
mod integrity;
mod lines;
mod needed;
mod noise;
mod performed;
mod picture;
mod progress;
mod recording;
mod remains;
mod seen;
mod verdict;
mod words;

#[cfg(test)]
mod tests;

pub use needed::{Needed, needed};
pub use noise::{Noise, NoiseError};
pub use progress::{Progress, Undecided, progress};
pub use verdict::*;

use crate::scenario::Trial;
use crate::timeline::{Entry, Timeline};

use recording::Recording;

/// Judges a complete recording of a trial; `noise` is the project's list of journal records that explain themselves.
pub fn judge(trial: &Trial, timeline: &Timeline, noise: &[Noise]) -> Judgement {
    let recording = Recording::new(trial, timeline);
    let mut verdicts: Vec<Verdict> = actions::verdicts(&recording, None, &trial.given).collect();
    for (index, step) in trial.steps.iter().enumerate() {
        verdicts.extend(actions::verdicts(&recording, Some(index), &step.when));
        verdicts.extend(lines::verdicts(&recording, index, step));
    }
    verdicts.extend(integrity::verdict(&recording, timeline));
    verdicts.extend(gates::verdicts(&recording, noise));
    verdicts.extend(changes::verdict(&recording));
    if timeline.entries.iter().any(|entry| matches!(entry, Entry::Broken { .. })) {
        // What broke is said once, by the recording's own verdict; all that could not be judged for it only follows.
        verdicts.retain(|verdict| verdict.result != VerdictResult::Broken || verdict.subject == Subject::Recording);
    }
    Judgement { outcome: outcome(&verdicts), verdicts }
}

/// Judges the trial as if it had only so many steps.
pub fn judge_steps(trial: &Trial, steps: usize, timeline: &Timeline, noise: &[Noise]) -> Judgement {
    let trial = Trial { steps: trial.steps.iter().take(steps).cloned().collect(), ..trial.clone() };
    judge(&trial, timeline, noise)
}

/// Judges the recording of a trial with a fault, which ends with the step that notices it.
pub fn judge_with_fault(trial: &Trial, timeline: &Timeline, noise: &[Noise]) -> Judgement {
    let mut until = (1..trial.steps.len()).map(|steps| judge_steps(trial, steps, timeline, noise));
    until.find(|judgement| judgement.noticed().is_some()).unwrap_or_else(|| judge(trial, timeline, noise))
}

/// The worst verdict decides. Without any, nothing was judged, and that is no success.
fn outcome(verdicts: &[Verdict]) -> Outcome {
    match verdicts.iter().map(|verdict| verdict.result).max() {
        Some(VerdictResult::Broken) | None => Outcome::Broken,
        Some(VerdictResult::Failed) => Outcome::Failed,
        Some(VerdictResult::Passed) => Outcome::Passed,
    }
}
