//! Lines that wait for something, and lines that count.

use crate::judge::{Outcome, Subject};
use crate::scenario::{ActKind, ActiveState, ExitRule, Expectation, JournalSource};

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
    check(
        within(active(), 20),
        &green,
        FAILED,
        "it did at 23.1 s, 3.1 s too late",
    );
    let never = Sample::acted().at(103.0).failed(A, "exit-code").end(200.0);
    check(
        line(active()),
        &never,
        FAILED,
        "it went failed (exit-code) at 3.0 s",
    );
    check(line(failed("exit-code")), &never, PASSED, "");
    check(
        line(failed("timeout")),
        &never,
        FAILED,
        "it went failed (exit-code)",
    );
    // Failed for 100 ms before Restart= took over.
    let short = Sample::acted()
        .failed(A, "exit-code")
        .at(101.1)
        .starting(A)
        .started(A)
        .end(200.0);
    check(line(failed("exit-code")), &short, PASSED, "");
    // A unit that was so before has not entered it.
    check(
        line(active()),
        &Sample::acted().end(200.0),
        FAILED,
        "did not",
    );
    // Time enough, but the recording stops before it is over.
    check(
        within(active(), 60),
        &Sample::acted().end(150.0),
        BROKEN,
        "before the line's time is over",
    );
    check(line(active()), &Sample::acted(), BROKEN, "breaks off");
    check(
        line(active()),
        &Sample::ready(),
        BROKEN,
        "before the step begins",
    );
    // A record from before the step that arrives late.
    let late = Sample::ready()
        .at(100.0)
        .step()
        .at(99.0)
        .started(A)
        .at(100.0)
        .acts(1.0)
        .end(200.0);
    check(line(active()), &late, FAILED, "did not");
}

#[test]
fn a_sub_state_is_that_of_the_end() {
    let sub = |sub: &str| {
        let sub = Some(sub.to_owned());
        line(Expectation::UnitEnters {
            units: a(),
            state: ActiveState::Active,
            result: None,
            sub,
        })
    };
    let green = Sample::acted().started(A).end(200.0);
    check(sub("exited"), &green, PASSED, "");
    check(sub("running"), &green, FAILED, "active (exited)");
    check(
        sub("exited"),
        &Sample::acted().started(A).barrier(),
        BROKEN,
        "no picture",
    );
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
    assert_eq!(
        reboot(10).nearest.as_deref(),
        Some("it did at 15.0 s, 5.0 s too late")
    );
}

#[test]
fn a_unit_never_enters_a_state() {
    let never = || Expectation::UnitNeverEnters {
        units: a(),
        state: ActiveState::Active,
    };
    check(
        line(never()),
        &Sample::acted().failed(A, "x").end(104.0),
        PASSED,
        "",
    );
    let red = Sample::acted().at(102.0).started(A);
    check(
        line(never()),
        &red.clone().end(110.0),
        FAILED,
        "entering active: 1 (at 2.0 s)",
    );
    check(line(never()), &red, FAILED, "");
    check(
        line(never()),
        &Sample::acted().end(103.9),
        BROKEN,
        "before the line's horizon",
    );
    check(
        within(never(), 30),
        &Sample::acted().end(129.0),
        BROKEN,
        "before the line's horizon",
    );
    check(
        within(never(), 30),
        &Sample::acted().at(131.0).started(A).end(132.0),
        PASSED,
        "",
    );
    check(line(never()), &Sample::acted(), BROKEN, "no barrier");
}

#[test]
fn a_quiet_time_follows_the_last_positive_line() {
    let lines = vec![
        line(Expectation::UnitNeverEnters {
            units: a(),
            state: ActiveState::Failed,
        }),
        line(enters(ActiveState::Active)),
    ];
    let trial = trial(vec![step(lines)]);
    let sample = Sample::acted().at(140.0).started(A);
    assert_eq!(
        sample.clone().end(142.9).judge(&trial).outcome,
        Outcome::Broken
    );
    assert_eq!(sample.end(143.0).judge(&trial).outcome, Outcome::Passed);
}

#[test]
fn units_keep_an_order() {
    let entry = |name: &str| (vec![unit(name)], ActiveState::Active);
    let order = || {
        line(Expectation::Order {
            entries: vec![entry("podman.socket"), entry(A)],
        })
    };
    let socket_first = Sample::acted()
        .started("podman.socket")
        .started(A)
        .end(200.0);
    check(order(), &socket_first, PASSED, "");
    let stack_first = Sample::acted()
        .started(A)
        .at(102.0)
        .started("podman.socket")
        .end(200.0);
    check(
        order(),
        &stack_first,
        FAILED,
        "a-stack.service active at 1.0 s was before podman.socket",
    );
    check(
        order(),
        &Sample::acted().started(A).end(200.0),
        FAILED,
        "podman.socket did not",
    );
    check(
        order(),
        &Sample::acted().started(A).end(120.0),
        BROKEN,
        "podman.socket did not",
    );
}

#[test]
fn the_journal_has_matching_records() {
    let missing = "^ERROR: missing required secret env file";
    let said = Sample::acted()
        .says(A, "ERROR: missing required secret env file for x")
        .end(200.0);
    check(line(journal(missing, times(1, 1))), &said, PASSED, "");
    check(line(journal(missing, times(1, None))), &said, PASSED, "");
    check(
        line(journal(missing, times(2, None))),
        &said,
        FAILED,
        "records of a-stack.service: 1",
    );
    check(
        line(journal(missing, times(2, 3))),
        &said,
        FAILED,
        ": 1 (at 1.0 s)",
    );
    check(
        line(journal(missing, times(0, 0))),
        &said,
        FAILED,
        "1 (at 1.0 s)",
    );
    let other = Sample::acted().says("b-stack.service", "ERROR: missing required secret env file");
    check(
        line(journal(missing, times(1, 1))),
        &other.clone().end(200.0),
        FAILED,
        ": 0",
    );
    check(
        line(journal(missing, times(0, 0))),
        &other.clone().end(200.0),
        PASSED,
        "",
    );
    check(
        line(journal(missing, times(0, 0))),
        &other,
        BROKEN,
        "no barrier",
    );
    let anything = Expectation::Journal {
        of: JournalSource::Anything,
        pattern: pattern(missing),
        times: times(1, 1),
    };
    check(line(anything), &other.end(200.0), PASSED, "");
    let similar = Sample::acted()
        .says(A, "WARNING: missing secret env file")
        .end(200.0);
    check(
        line(journal(missing, times(1, 1))),
        &similar,
        FAILED,
        "the closest is \"WARNING: missing",
    );
    let kernel = Expectation::Journal {
        of: JournalSource::Kernel,
        pattern: pattern("crng reseeded"),
        times: times(1, None),
    };
    let record = [
        ("_TRANSPORT", "kernel"),
        ("MESSAGE", "crng reseeded due to fork"),
    ];
    check(
        line(kernel.clone()),
        &Sample::acted().record(&record).end(200.0),
        PASSED,
        "",
    );
    check(
        line(kernel),
        &Sample::acted().says(A, "crng reseeded").end(200.0),
        FAILED,
        ": 0",
    );
}

#[test]
fn alerts_are_counted_by_unit() {
    let alert = |least, most: Option<u32>| {
        line(Expectation::Alert {
            units: a(),
            times: times(least, most),
        })
    };
    let one = Sample::acted()
        .alert("a-stack.service failed on igpu")
        .end(200.0);
    check(alert(1, Some(1)), &one, PASSED, "");
    check(
        alert(0, Some(0)),
        &one,
        FAILED,
        "alerts about a-stack.service: 1",
    );
    check(alert(2, None), &one, FAILED, ": 1");
    let other = Sample::acted().alert("aa-stack.service failed").end(200.0);
    check(alert(1, Some(1)), &other, FAILED, "another alert says");
    check(alert(0, Some(0)), &other, PASSED, "");
    check(alert(0, Some(0)), &Sample::acted(), BROKEN, "no barrier");
}

#[test]
fn started_programs_are_counted() {
    let process = |least, most: Option<u32>| {
        let pattern = pattern("--force-recreate");
        line(Expectation::Process {
            pattern,
            times: times(least, most),
        })
    };
    let up = Sample::acted().exec("docker-compose up -d");
    check(process(0, Some(0)), &up.clone().end(200.0), PASSED, "");
    check(
        process(1, None),
        &up.clone().end(200.0),
        FAILED,
        "matching programs: 0",
    );
    check(
        process(0, Some(0)),
        &up.exec("docker-compose up --force-recreate").end(200.0),
        FAILED,
        ": 1",
    );
    check(
        process(0, Some(0)),
        &Sample::acted().end(200.0),
        BROKEN,
        "did not run",
    );
}

#[test]
fn the_output_is_that_of_the_last_action() {
    let output = |least, most: Option<u32>| {
        line(Expectation::Output {
            pattern: pattern("^label: "),
            times: times(least, most),
        })
    };
    let printed = |stdout: &str, stderr: &str| {
        let (stdout, stderr) = (stdout.to_owned(), stderr.to_owned());
        let sample = Sample::ready().at(100.0).step();
        sample
            .action(1.0, |done| (done.stdout, done.stderr) = (stdout, stderr))
            .end(200.0)
    };
    check(
        output(2, Some(2)),
        &printed("label: a\nx", "label: b"),
        PASSED,
        "",
    );
    check(
        output(1, None),
        &printed("no label: here", ""),
        FAILED,
        "matching lines: 0 of 1 | the closest",
    );
    check(
        output(0, Some(0)),
        &printed("label: a", ""),
        FAILED,
        "matching lines: 1",
    );
    check(
        output(0, Some(0)),
        &Sample::ready().at(100.0).step().end(200.0),
        BROKEN,
        "all actions",
    );
}

#[test]
fn a_ratio_compares_the_actions_of_two_steps() {
    let mut reference = step(vec![line(journal("x", times(0, 0)))]);
    reference.measure = Some("healthy".into());
    let of = |of: &str| {
        step(vec![line(Expectation::AtMost {
            ratio: 1.5,
            of: of.into(),
        })])
    };
    let sample = |seconds: f64| {
        let first = Sample::ready().at(100.0).step().acts(10.0).end(200.0);
        first.at(300.0).step().acts(seconds).end(400.0)
    };
    let check = |seconds, name: &str, expected, part: &str| {
        let judgement = sample(seconds).judge(&trial(vec![reference.clone(), of(name)]));
        let is_it = |subject: &Subject| matches!(subject, Subject::Line { step: 1, .. });
        let verdict = judgement
            .verdicts
            .iter()
            .find(|verdict| is_it(&verdict.subject))
            .unwrap();
        assert_eq!(verdict.result, expected, "{}", verdict.observed);
        assert!(verdict.observed.contains(part), "{}", verdict.observed);
    };
    check(15.0, "healthy", PASSED, "");
    check(
        16.0,
        "healthy",
        FAILED,
        "they took 16.0 s, 1.60 times as long as the 10.0 s",
    );
    check(1.0, "other", BROKEN, "no earlier step");
}

#[test]
fn actions_end_as_expected() {
    let check = |rule, exit, timed_out, expected, part: &str| {
        let mut step = step(vec![line(journal("x", times(0, 0)))]);
        step.when[0].exit = rule;
        let sample = Sample::ready().at(100.0).step().action(1.0, |done| {
            (done.exit, done.timed_out) = (exit, timed_out);
            done.stderr = "Job failed.\n".into();
        });
        let judgement = sample.end(200.0).judge(&trial(vec![step]));
        let verdict = &judgement.verdicts[0];
        assert_eq!(
            verdict.subject,
            Subject::Action {
                step: Some(0),
                index: 0
            }
        );
        assert_eq!(verdict.result, expected);
        assert!(verdict.observed.contains(part), "{}", verdict.observed);
        let printed = verdict.nearest.as_deref() == Some("it printed \"Job failed.\"");
        assert_eq!(printed, expected == FAILED);
    };
    check(ExitRule::Success, 0, false, PASSED, "");
    check(ExitRule::Success, 1, false, FAILED, "ended with status 1");
    check(ExitRule::Failure, 1, false, PASSED, "");
    check(ExitRule::Failure, 0, false, FAILED, "ended with status 0");
    check(ExitRule::Failure, 124, true, FAILED, "still waited for");
    let trial = trial(vec![step(vec![])]);
    let undone = Sample::ready().at(100.0).step().end(200.0).judge(&trial);
    assert_eq!(undone.verdicts[0].result, BROKEN);
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
    check(
        line(both()),
        &one.clone().end(200.0),
        FAILED,
        "b-stack.service did not",
    );
    check(
        line(both()),
        &one.started("b-stack.service").end(200.0),
        PASSED,
        "",
    );
    let nobody = Expectation::UnitEnters {
        units: vec![],
        state: ActiveState::Active,
        result: None,
        sub: None,
    };
    check(
        line(nobody),
        &Sample::acted().end(200.0),
        FAILED,
        "names nothing",
    );
}
