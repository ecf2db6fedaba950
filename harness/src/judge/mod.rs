//! From a trial and its timeline to verdicts: a pure function, the only place where verdicts are made.

mod verdict;

pub use verdict::*;
