//! How a trial stands after all its attempts in one run.

use crate::event::{Event, TrialFinished};
use crate::judge::Outcome;

/// How a trial stands after the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Failed,
    Broken,
    /// It was selected, and the run has no end for it.
    Unfinished,
    /// It passed in one attempt and did not in another.
    Flaky,
    Skipped,
    Passed,
}

impl Standing {
    /// Every standing, the ones that need attention first.
    pub(super) const ALL: [Standing; 6] = [
        Standing::Failed,
        Standing::Broken,
        Standing::Unfinished,
        Standing::Flaky,
        Standing::Skipped,
        Standing::Passed,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Standing::Failed => "FAILED",
            Standing::Broken => "BROKEN",
            Standing::Unfinished => "UNFINISHED",
            Standing::Flaky => "FLAKY",
            Standing::Skipped => "SKIPPED",
            Standing::Passed => "PASSED",
        }
    }
}

impl From<Outcome> for Standing {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Standing::Passed,
            Outcome::Skipped => Standing::Skipped,
            Outcome::Failed => Standing::Failed,
            Outcome::Broken => Standing::Broken,
        }
    }
}

/// A trial of a run with all its attempts, in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrialRecord<'a> {
    pub(super) name: &'a str,
    pub(super) attempts: Vec<&'a TrialFinished>,
}

impl TrialRecord<'_> {
    pub(super) fn standing(&self) -> Standing {
        let passed = self.attempts.iter().any(|a| a.outcome == Outcome::Passed);
        match self.attempts.iter().map(|attempt| attempt.outcome).max() {
            None => Standing::Unfinished,
            Some(Outcome::Failed | Outcome::Broken) if passed => Standing::Flaky,
            Some(worst) => worst.into(),
        }
    }

    /// The attempts that failed or broke.
    pub(super) fn bad_attempts(&self) -> impl Iterator<Item = &TrialFinished> {
        self.attempts.iter().copied().filter(|attempt| matches!(attempt.outcome, Outcome::Failed | Outcome::Broken))
    }

    /// Seconds of the host, over all attempts.
    pub(super) fn host_seconds(&self) -> f64 {
        total(self.attempts.iter().map(|attempt| attempt.host_seconds))
    }

    /// Seconds of guest time, over all attempts.
    pub(super) fn guest_seconds(&self) -> f64 {
        total(self.attempts.iter().map(|attempt| attempt.guest_seconds))
    }
}

/// The sum; that of nothing is `0.0`, where `Iterator::sum` gives `-0.0`.
fn total(seconds: impl Iterator<Item = f64>) -> f64 {
    seconds.fold(0.0, |sum, seconds| sum + seconds)
}

/// The trials of a run in the order in which they were selected; one that nobody announced follows at its end.
pub(super) fn trial_records(events: &[Event]) -> Vec<TrialRecord<'_>> {
    let mut records: Vec<TrialRecord> = Vec::new();
    for event in events {
        match event {
            Event::RunStarted { trials, .. } => {
                for name in trials {
                    record_of(&mut records, name);
                }
            }
            Event::TrialStarted { trial } => {
                record_of(&mut records, trial);
            }
            Event::TrialFinished(finished) => {
                record_of(&mut records, &finished.trial).attempts.push(finished);
            }
            Event::Progress { .. } | Event::RunFinished { .. } => {}
        }
    }
    records
}

fn record_of<'r, 'e>(records: &'r mut Vec<TrialRecord<'e>>, name: &'e str) -> &'r mut TrialRecord<'e> {
    let index = records.iter().position(|record| record.name == name).unwrap_or_else(|| {
        records.push(TrialRecord { name, attempts: Vec::new() });
        records.len() - 1
    });
    &mut records[index]
}

#[cfg(test)]
mod tests {
    use super::super::sample::finished;
    use super::*;

    #[test]
    fn attempts_add_up_to_one_standing() {
        use Outcome::{Broken, Failed, Passed, Skipped};
        for (outcomes, standing) in [
            (&[][..], Standing::Unfinished),
            (&[Passed], Standing::Passed),
            (&[Passed, Passed], Standing::Passed),
            (&[Skipped], Standing::Skipped),
            (&[Failed, Failed], Standing::Failed),
            (&[Failed, Broken], Standing::Broken),
            (&[Failed, Passed], Standing::Flaky),
            (&[Passed, Failed], Standing::Flaky),
            (&[Passed, Broken], Standing::Flaky),
        ] {
            let mut events = vec![Event::TrialStarted { trial: "x".to_owned() }];
            events.extend(outcomes.iter().map(|outcome| Event::TrialFinished(finished("x", *outcome, Vec::new()))));
            let records = trial_records(&events);
            assert_eq!(records.len(), 1);
            assert_eq!(records[0].standing(), standing, "{outcomes:?}");
            assert!(records[0].host_seconds().is_sign_positive());
        }
    }
}
