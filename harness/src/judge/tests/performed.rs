//! Actions, and lines about what they printed and how long they took.

use crate::judge::Subject;
use crate::scenario::{ActKind, ExitRule, Expectation};

use super::builder::*;

#[test]
fn the_output_is_that_of_the_last_action() {
    let output = |least, most: Option<u32>| {
        line(Expectation::Output { pattern: pattern("^label: "), times: times(least, most) })
    };
    let printed = |stdout: &str, stderr: &str| {
        let (stdout, stderr) = (stdout.to_owned(), stderr.to_owned());
        let sample = Sample::ready().at(100.0).step();
        sample.action(1.0, |done| (done.stdout, done.stderr) = (stdout, stderr)).end(200.0)
    };
    check(output(2, Some(2)), &printed("label: a\nx", "label: b"), PASSED, "");
    check(output(1, None), &printed("no label: here", ""), FAILED, "matching lines: 0 of 1 | the closest");
    check(output(0, Some(0)), &printed("label: a", ""), FAILED, "matching lines: 1");
    check(output(0, Some(0)), &Sample::ready().at(100.0).step().end(200.0), BROKEN, "all actions");
}

#[test]
fn a_ratio_compares_the_actions_of_two_steps() {
    let mut reference = step(vec![line(journal("x", times(0, 0)))]);
    reference.measure = Some("healthy".into());
    let of = |of: &str| step(vec![line(Expectation::AtMost { ratio: 1.5, of: of.into() })]);
    let sample = |seconds: f64| {
        let first = Sample::ready().at(100.0).step().acts(10.0).end(200.0);
        first.at(300.0).step().acts(seconds).end(400.0)
    };
    let check = |seconds, name: &str, expected, part: &str| {
        let judgement = sample(seconds).judge(&trial(vec![reference.clone(), of(name)]));
        let is_it = |subject: &Subject| matches!(subject, Subject::Line { step: 1, .. });
        let verdict = judgement.verdicts.iter().find(|verdict| is_it(&verdict.subject)).unwrap();
        assert_eq!(verdict.result, expected, "{}", verdict.observed);
        assert!(verdict.observed.contains(part), "{}", verdict.observed);
    };
    check(15.0, "healthy", PASSED, "");
    check(16.0, "healthy", FAILED, "they took 16.0 s, 1.60 times as long as the 10.0 s");
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
        assert_eq!(verdict.subject, Subject::Action { step: Some(0), index: 0 });
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
    let mut own = step(vec![line(journal("x", times(0, 0)))]);
    own.when = vec![act(ActKind::Remove { paths: vec!["/run/x".into()] })];
    let failing = Sample::ready().at(100.0).step().action(1.0, |done| done.exit = 1).end(200.0);
    assert_eq!(failing.judge(&trial(vec![own])).verdicts[0].result, BROKEN, "what the harness does itself");
    let trial = trial(vec![step(vec![])]);
    let undone = Sample::ready().at(100.0).step().end(200.0).judge(&trial);
    assert_eq!(undone.verdicts[0].result, BROKEN);
}
