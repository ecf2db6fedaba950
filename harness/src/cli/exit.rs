//! Exit codes.

use crate::judge::Outcome;
use crate::run::Error;

/// How the program ends. `harness --help` documents the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything selected passed.
    Passed,
    /// 1: the stacks did not do what they must.
    Failed,
    /// 2: bad input; nothing was run.
    Usage,
    /// 3: the harness, the image or this machine did not do its work; nothing is known of the stacks.
    Broken,
    /// 4: nothing failed, but something was skipped.
    Skipped,
    /// 130: interrupted.
    Interrupted,
    /// The status of the last command in a guest.
    Guest(u8),
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Passed => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Broken => 3,
            Exit::Skipped => 4,
            Exit::Interrupted => 130,
            Exit::Guest(status) => status,
        }
    }

    /// How the program ends because of an error.
    pub fn of(error: &Error) -> Exit {
        match error {
            Error::Interrupted => Exit::Interrupted,
            error if error.is_usage() => Exit::Usage,
            _ => Exit::Broken,
        }
    }

    /// How the program ends after these outcomes: the worst of them counts.
    pub fn of_outcomes(outcomes: impl IntoIterator<Item = Outcome>) -> Exit {
        match outcomes.into_iter().max() {
            Some(Outcome::Broken) => Exit::Broken,
            Some(Outcome::Failed) => Exit::Failed,
            Some(Outcome::Skipped) => Exit::Skipped,
            Some(Outcome::Passed) | None => Exit::Passed,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_outcome_counts() {
        use Outcome::{Broken, Failed, Passed, Skipped};
        for (outcomes, code) in [
            (vec![], 0),
            (vec![Passed, Passed], 0),
            (vec![Passed, Skipped], 4),
            (vec![Skipped, Failed, Passed], 1),
            (vec![Failed, Broken], 3),
        ] {
            assert_eq!(Exit::of_outcomes(outcomes.clone()).code(), code, "{outcomes:?}");
        }
    }
}
