//! What a step waits for while it goes on.

use crate::judge::{Outcome, progress};
use crate::scenario::{ActiveState, Expectation};
use crate::timeline::Moment;

use super::builder::*;

const A: &str = "a-stack.service";

fn second(seconds: u64) -> Moment {
    Moment { boot: 0, micros: seconds * 1_000_000 }
}

#[test]
fn positive_lines_are_waited_for() {
    let never = Expectation::UnitNeverEnters { units: a(), state: ActiveState::Failed };
    let lines = vec![within(enters(ActiveState::Active), 20), line(never)];
    let trial = trial(vec![step(lines)]);
    let check = |sample: &Sample, undecided: &[(Option<usize>, Option<Moment>)], horizon: Moment| {
        let progress = progress(&trial, 0, &sample.timeline);
        let found: Vec<_> = progress.undecided.iter().map(|waiting| (waiting.line, waiting.until)).collect();
        assert_eq!((&found[..], progress.horizon), (undecided, horizon));
        if found.is_empty() {
            let judgement = sample.clone().end(horizon.micros as f64 / 1e6).judge(&trial);
            assert_ne!(judgement.outcome, Outcome::Broken, "{judgement:#?}");
        }
    };
    check(&Sample::ready(), &[(None, None)], second(90));
    check(&Sample::ready().at(100.0).step(), &[(None, None), (Some(0), None)], second(123));
    check(&Sample::acted(), &[(Some(0), Some(second(120)))], second(123));
    check(&Sample::acted().at(105.0).started(A), &[], second(108));
    check(&Sample::acted().at(121.0).says(A, "x"), &[], second(123));
    check(&Sample::acted().at(121.0).started(A), &[], second(123));
}

#[test]
fn the_least_of_an_exact_number_is_waited_for() {
    let alert = |least, most: Option<u32>| {
        line(Expectation::Alert { units: a(), pattern: None, priority: None, times: times(least, most) })
    };
    let check = |line: crate::scenario::Line, sample: &Sample, until: Option<Moment>, horizon: Moment| {
        let progress = progress(&trial(vec![step(vec![line])]), 0, &sample.timeline);
        assert_eq!(progress.undecided.first().and_then(|waiting| waiting.until), until);
        assert_eq!(progress.horizon, horizon);
    };
    let one = Sample::acted().at(110.0).alert("a-stack.service failed");
    // The step goes on until it has come, and then long enough to see a second one.
    check(alert(1, Some(1)), &Sample::acted(), Some(second(161)), second(164));
    check(alert(1, Some(1)), &one, None, second(113));
    check(alert(2, Some(2)), &one, Some(second(161)), second(164));
    check(alert(0, Some(1)), &Sample::acted(), None, second(104));
    let once = || line(journal("^x$", times(1, 1)));
    check(once(), &Sample::acted(), Some(second(161)), second(164));
    check(once(), &Sample::acted().at(120.0).says(A, "x"), None, second(123));
    let hasty = Sample::acted().end(105.0).judge(&trial(vec![step(vec![once()])]));
    assert_eq!(hasty.outcome, Outcome::Broken, "{hasty:#?}");
}

#[test]
fn a_within_of_a_negative_line_is_the_horizon() {
    let never = || Expectation::UnitNeverEnters { units: a(), state: ActiveState::Failed };
    let horizon = |lines| progress(&trial(vec![step(lines)]), 0, &Sample::acted().timeline).horizon;
    assert_eq!(horizon(vec![within(never(), 30)]), second(130));
    assert_eq!(horizon(vec![within(never(), 30), line(never())]), second(130));
    assert_eq!(horizon(vec![line(never())]), second(104));
    assert_eq!(horizon(vec![]), second(104));
}
