//! Why an answer of the guest, or a file of ours, could not be read.

/// A text that is not what its writer promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {what}, line {line}: {problem}")]
pub struct ParseError {
    /// What was read: `a journal record`, `systemctl show`, ….
    pub what: &'static str,
    /// The line in the text, counted from 1.
    pub line: usize,
    /// What is wrong with it, and what to do where something can be done.
    pub problem: String,
}

impl ParseError {
    /// An error at a line counted from 1.
    pub(super) fn new(what: &'static str, line: usize, problem: impl Into<String>) -> Self {
        Self { what, line, problem: problem.into() }
    }
}
