//! Which exceptions and which known noise a recording needed to pass.

use crate::scenario::{Span, Trial};
use crate::timeline::Timeline;

use super::{Noise, Outcome, judge};

/// What a recording would not have passed without.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needed {
    /// Exceptions of the scenario, by where they are written.
    pub exceptions: Vec<Span>,
    /// Entries of the list of noise, by index.
    pub noise: Vec<usize>,
}

/// Takes away each exception and each entry of noise, one at a time, and judges again. What is not in the answer of any
/// trial hides nothing but the next real fault.
pub fn needed(trial: &Trial, timeline: &Timeline, noise: &[Noise]) -> Needed {
    let passes = |trial: &Trial, noise: &[Noise]| judge(trial, timeline, noise).outcome == Outcome::Passed;
    let exceptions = (0..trial.except.len()).filter(|&index| {
        let mut without = trial.clone();
        without.except.remove(index);
        !passes(&without, noise)
    });
    let entries = (0..noise.len()).filter(|&index| {
        let mut without = noise.to_vec();
        without.remove(index);
        !passes(trial, &without)
    });
    Needed { exceptions: exceptions.map(|index| trial.except[index].span.clone()).collect(), noise: entries.collect() }
}
