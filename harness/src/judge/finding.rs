//! What is found for a subject, before it becomes a verdict with a place.

use crate::scenario::Span;
use crate::timeline::Moment;

use super::{Subject, Verdict, VerdictResult};

/// A verdict but for its subject and what was expected.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub result: VerdictResult,
    pub observed: String,
    pub nearest: Option<String>,
    pub evidence: Vec<usize>,
    pub at: Option<Moment>,
}

impl Finding {
    pub fn passed(evidence: Vec<usize>, at: Option<Moment>) -> Self {
        Self { result: VerdictResult::Passed, observed: String::new(), nearest: None, evidence, at }
    }

    pub fn failed<T: Into<String>>(observed: T) -> Self {
        Self::unhappy(VerdictResult::Failed, observed.into())
    }

    pub fn broken<T: Into<String>>(observed: T) -> Self {
        Self::unhappy(VerdictResult::Broken, observed.into())
    }

    /// Passed without sentences, failed with them.
    pub fn of_sentences(sentences: Vec<String>) -> Self {
        if sentences.is_empty() { Self::passed(Vec::new(), None) } else { Self::failed(sentences.join("\n")) }
    }

    fn unhappy(result: VerdictResult, observed: String) -> Self {
        Self { result, observed, nearest: None, evidence: Vec::new(), at: None }
    }

    pub fn nearest(mut self, nearest: Option<String>) -> Self {
        self.nearest = nearest;
        self
    }

    pub fn evidence(mut self, evidence: Vec<usize>) -> Self {
        self.evidence = evidence;
        self
    }

    pub fn at(mut self, at: Moment) -> Self {
        self.at = Some(at);
        self
    }

    pub fn verdict(self, subject: Subject, span: Option<&Span>, expected: String) -> Verdict {
        Verdict {
            subject,
            span: span.map(|span| (span.start, span.end)),
            result: self.result,
            expected,
            observed: self.observed,
            nearest: self.nearest,
            evidence: self.evidence,
            at: self.at,
        }
    }
}
