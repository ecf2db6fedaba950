//! What the judge finds.

use serde::{Deserialize, Serialize};

use crate::timeline::Moment;

/// How a trial ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything held.
    Passed,
    /// Not run, with a reason.
    Skipped,
    /// The stacks did not do what they must.
    Failed,
    /// The harness, the image or the machine did not do its work; nothing is known of the stacks.
    Broken,
}

/// The judgement of one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The outcome: broken if any verdict is, else failed if any is, else passed.
    pub outcome: Outcome,
    /// A verdict for each line, action and gate that had something to say, in the order of the file.
    pub verdicts: Vec<Verdict>,
}

impl Judgement {
    /// The first line marked `red` that failed, by which a trial notices the fault in its generation; none in a broken
    /// trial, of which nothing is known.
    pub fn noticed(&self) -> Option<&Verdict> {
        let is_marked = |verdict: &&Verdict| {
            verdict.result == VerdictResult::Failed && matches!(verdict.subject, Subject::Line { red: true, .. })
        };
        self.verdicts.iter().find(is_marked).filter(|_| self.outcome == Outcome::Failed)
    }
}

/// What a verdict is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// An action of a step (its exit status).
    Action {
        /// The step; none for `given`.
        step: Option<usize>,
        /// The action's index.
        index: usize,
    },
    /// A line of a step's `then`.
    Line {
        /// The step.
        step: usize,
        /// The line's index.
        index: usize,
        /// Whether the scenario marks it `red`.
        red: bool,
    },
    /// Something that is looked at in every trial, by name (`nothing-else-changed`, `core-dump`, `journal-error`, …).
    Gate(String),
    /// The recording itself.
    Recording,
}

/// One verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What it is about.
    pub subject: Subject,
    /// Where that is written (bytes of the scenario file); none for gates.
    pub span: Option<(usize, usize)>,
    /// The result.
    pub result: VerdictResult,
    /// What was expected, in words.
    pub expected: String,
    /// What was found instead, in words; empty where it passed.
    pub observed: String,
    /// What came closest to the expectation, where something did.
    pub nearest: Option<String>,
    /// Indices of the timeline entries that the verdict rests on.
    pub evidence: Vec<usize>,
    /// The moment in the guest that matters most for it.
    pub at: Option<Moment>,
}

/// The result of a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerdictResult {
    /// It held.
    Passed,
    /// It did not.
    Failed,
    /// It cannot be known.
    Broken,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_noticed_by_a_marked_line_that_failed() {
        let verdict = |red: bool, result: VerdictResult| Verdict {
            subject: Subject::Line { step: 0, index: 0, red },
            span: None,
            result,
            expected: String::new(),
            observed: String::new(),
            nearest: None,
            evidence: Vec::new(),
            at: None,
        };
        let check = |verdicts: Vec<Verdict>, outcome: Outcome, noticed: Option<usize>| {
            let judgement = Judgement { outcome, verdicts };
            assert_eq!(judgement.noticed(), noticed.map(|index| &judgement.verdicts[index]), "{judgement:?}");
        };
        let (unmarked, marked) = (verdict(false, VerdictResult::Failed), verdict(true, VerdictResult::Failed));
        let held = verdict(true, VerdictResult::Passed);
        check(vec![held.clone()], Outcome::Passed, None);
        check(vec![unmarked.clone(), held.clone()], Outcome::Failed, None);
        check(vec![unmarked, held, marked.clone()], Outcome::Failed, Some(2));
        check(vec![marked, verdict(false, VerdictResult::Broken)], Outcome::Broken, None);
    }
}
