//! Lines about how units change.

use crate::judge::Outcome;
use crate::scenario::{ActKind, ActiveState, Expectation};

use super::builder::*;

const A: &str = "a-stack.service";

#[test]
fn a_unit_enters_a_state() {
    let active = || enters(ActiveState::Active);
    let failed = |result: &str| Expectation::UnitEnters {
        units: a(),
        state: ActiveState::Failed,
        result: Some(result.into()),
        sub: None,
    };
    let green = Sample::acted().at(123.1).started(A).end(200.0);
    check(line(active()), &green, PASSED, "");
    check(within(active(), 24), &green, PASSED, "");
    check(within(active(), 20), &green, FAILED, "it did at 23.1 s, 3.1 s too late");
    let never = Sample::acted().at(103.0).failed(A, "exit-code").end(200.0);
    check(line(active()), &never, FAILED, "it went failed (exit-code) at 3.0 s");
    check(line(failed("exit-code")), &never, PASSED, "");
    check(line(failed("timeout")), &never, FAILED, "it went failed (exit-code)");
    // Failed for 100 ms before Restart= took over.
    let short = Sample::acted().failed(A, "exit-code").at(101.1).starting(A).started(A).end(200.0);
    check(line(failed("exit-code")), &short, PASSED, "");
    // A unit that was so before has not entered it.
    check(line(active()), &Sample::acted().end(200.0), FAILED, "did not");
    // Time enough, but the recording stops before it is over.
    check(within(active(), 60), &Sample::acted().end(150.0), BROKEN, "before the line's time is over");
    check(line(active()), &Sample::acted(), BROKEN, "breaks off");
    check(line(active()), &Sample::ready(), BROKEN, "before the step begins");
    // A record from before the step that arrives late.
    let late = Sample::ready().at(100.0).step().at(99.0).started(A).at(100.0).acts(1.0).end(200.0);
    check(line(active()), &late, FAILED, "did not");
}

#[test]
fn every_state_is_read_from_its_own_records() {
    use ActiveState::{Activating, Deactivating, Reloading};
    for (state, id) in [
        (Activating, "7d4958e842da4a758f6c1cdc7b36dcc5"),
        (Activating, "5eb03494b6584870a536b337290809b3"),
        (Deactivating, "de5b426a63be47a7b6ac3eaac82e2f6f"),
        (Reloading, "d34d037fff1847e6ae669a370e694725"),
    ] {
        let told = Sample::acted().record(&[("USER_UNIT", A), ("MESSAGE_ID", id), ("MESSAGE", "x")]).end(200.0);
        let never = Expectation::UnitNeverEnters { units: a(), state };
        check(line(enters(state)), &told, PASSED, "");
        check(line(never.clone()), &told, FAILED, ": 1");
        check(line(enters(state)), &Sample::acted().end(200.0), FAILED, "did not");
        check(line(never), &Sample::acted().end(200.0), PASSED, "");
    }
}

#[test]
fn a_sub_state_is_that_of_the_end() {
    let sub = |sub: &str| {
        let sub = Some(sub.to_owned());
        line(Expectation::UnitEnters { units: a(), state: ActiveState::Active, result: None, sub })
    };
    let green = Sample::acted().started(A).end(200.0);
    check(sub("exited"), &green, PASSED, "");
    check(sub("running"), &green, FAILED, "active (exited)");
    check(sub("exited"), &Sample::acted().started(A).barrier(), BROKEN, "no picture");
}

#[test]
fn within_counts_from_the_new_boot() {
    let sample = Sample::acted().boot().at(15.0).started(A).end(100.0);
    let reboot = |seconds| {
        let mut step = step(vec![within(enters(ActiveState::Active), seconds)]);
        step.when = vec![act(ActKind::Reboot)];
        of_line(&sample.judge(&trial(vec![step])), 0).clone()
    };
    assert_eq!(reboot(20).result, PASSED);
    assert_eq!(reboot(10).nearest.as_deref(), Some("it did at 15.0 s, 5.0 s too late"));
}

#[test]
fn a_unit_never_enters_a_state() {
    let never = || Expectation::UnitNeverEnters { units: a(), state: ActiveState::Active };
    check(line(never()), &Sample::acted().failed(A, "x").end(104.0), PASSED, "");
    let red = Sample::acted().at(102.0).started(A);
    check(line(never()), &red.clone().end(110.0), FAILED, "entering active: 1 (at 2.0 s)");
    check(line(never()), &red, FAILED, "");
    check(line(never()), &Sample::acted().end(103.9), BROKEN, "before the line's horizon");
    check(within(never(), 30), &Sample::acted().end(129.0), BROKEN, "before the line's horizon");
    check(within(never(), 30), &Sample::acted().at(131.0).started(A).end(132.0), PASSED, "");
    check(line(never()), &Sample::acted(), BROKEN, "no barrier");
}

#[test]
fn a_quiet_time_follows_the_last_positive_line() {
    let lines = vec![
        line(Expectation::UnitNeverEnters { units: a(), state: ActiveState::Failed }),
        line(enters(ActiveState::Active)),
    ];
    let trial = trial(vec![step(lines)]);
    let sample = Sample::acted().at(140.0).started(A);
    assert_eq!(sample.clone().end(142.9).judge(&trial).outcome, Outcome::Broken);
    assert_eq!(sample.end(143.0).judge(&trial).outcome, Outcome::Passed);
}

#[test]
fn units_keep_an_order() {
    let entry = |name: &str| (vec![unit(name)], ActiveState::Active);
    let order = || line(Expectation::Order { entries: vec![entry("podman.socket"), entry(A)] });
    let socket_first = Sample::acted().started("podman.socket").started(A).end(200.0);
    check(order(), &socket_first, PASSED, "");
    let stack_first = Sample::acted().started(A).at(102.0).started("podman.socket").end(200.0);
    check(order(), &stack_first, FAILED, "a-stack.service active at 1.0 s was before podman.socket");
    check(order(), &Sample::acted().started(A).end(200.0), FAILED, "podman.socket did not");
    check(order(), &Sample::acted().started(A).end(120.0), BROKEN, "podman.socket did not");
}

#[test]
fn a_line_must_hold_for_each_of_its_units() {
    let both = || Expectation::UnitEnters {
        units: vec![unit(A), unit("b-stack.service")],
        state: ActiveState::Active,
        result: None,
        sub: None,
    };
    let one = Sample::acted().started(A);
    check(line(both()), &one.clone().end(200.0), FAILED, "b-stack.service did not");
    check(line(both()), &one.started("b-stack.service").end(200.0), PASSED, "");
    let nobody = Expectation::UnitEnters { units: vec![], state: ActiveState::Active, result: None, sub: None };
    check(line(nobody), &Sample::acted().end(200.0), FAILED, "names nothing");
}
