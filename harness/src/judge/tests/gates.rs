//! What is looked at in every trial.

use crate::judge::{Outcome, needed};
use crate::scenario::{
    ActKind, ActiveState, ContainerCondition, Excepted, Exception, ExitRule, Expectation, Step, Trial,
};

use super::builder::*;

const A: &str = "a-stack.service";
const B: &str = "b-stack.service";

/// Expects a gate to say something, or nothing where `part` is empty; and no gate but this one to speak.
#[track_caller]
fn check(gate: &str, trial: &Trial, sample: &Sample, part: &str) {
    let judgement = sample.clone().end(200.0).judge(trial);
    let others = ["core-dump", "kernel", "out-of-memory", "unit-failure", "health", "journal-error", "recording"];
    for other in others.iter().filter(|other| **other != gate) {
        assert_eq!(of_gate(&judgement, other), None);
    }
    match of_gate(&judgement, gate) {
        None => assert_eq!(part, "", "the gate said nothing"),
        Some(verdict) => {
            assert_eq!(verdict.result, FAILED);
            assert!(!part.is_empty() && verdict.observed.contains(part), "{}", verdict.observed);
        }
    }
}

fn kernel(message: &str) -> Sample {
    Sample::acted().record(&[("_TRANSPORT", "kernel"), ("MESSAGE", message), ("PRIORITY", "2")])
}

#[test]
fn crashes_are_noticed() {
    let dump = [("MESSAGE_ID", "fc2e22bc6ee647b6b90729ab34a250b1"), ("MESSAGE", "Process 7 (x) dumped core.")];
    check("core-dump", &quiet(), &Sample::acted().record(&dump), "dumped core");
    check("core-dump", &quiet(), &kernel("x[7]: segfault at 0 ip 0"), "segfault");
    check("core-dump", &except(Excepted::Journal(pattern("^Process 7"))), &Sample::acted().record(&dump), "");
    check("core-dump", &quiet(), &Sample::acted().says(A, "segfault at 0"), "");
    for message in [
        "BUG: unable to handle",
        "Oops: 0000 [#1]",
        "rcu: INFO: rcu_sched self-detected stall",
        "INFO: task x:1 blocked for more than 120 seconds.",
    ] {
        check("kernel", &quiet(), &kernel(message), message);
    }
    check("out-of-memory", &quiet(), &kernel("Out of memory: Killed process 7 (x)"), "Killed process");
    let trial = expecting(enters(ActiveState::Failed));
    check("out-of-memory", &trial, &Sample::acted().failed(A, "oom-kill"), "Failed");
}

#[test]
fn units_fail_only_where_it_is_expected() {
    let fails = || Sample::acted().failed(B, "exit-code");
    check("unit-failure", &quiet(), &fails(), "b-stack.service failed (exit-code) at guest time 101.0 s");
    check("unit-failure", &except(Excepted::Units(vec![unit(B)])), &fails(), "");
    let own = Sample::acted().failed(A, "exit-code");
    check("unit-failure", &quiet(), &own, "a-stack.service failed");
    check("unit-failure", &expecting(enters(ActiveState::Failed)), &own, "");
}

#[test]
fn a_failure_is_expected_in_its_step_only() {
    let twice = || Sample::acted().failed(A, "exit-code").end(200.0).at(210.0).step().acts(1.0).failed(A, "timeout");
    let check = |second: Step, part: &str| {
        let mut trial = expecting(enters(ActiveState::Failed));
        trial.steps.push(second);
        let judgement = twice().end(300.0).judge(&trial);
        let said = of_gate(&judgement, "unit-failure").map_or("", |verdict| &verdict.observed);
        assert!(said.contains(part) && said.is_empty() == part.is_empty(), "{said}");
    };
    let quiet = || step(vec![line(journal("x", times(0, 0)))]);
    check(quiet(), "a-stack.service failed (timeout) at guest time 211.0 s");
    check(step(vec![line(enters(ActiveState::Failed))]), "");
    let mut acts = quiet();
    acts.when[0].exit = ExitRule::Failure;
    check(acts, "");
    let is = Expectation::UnitIs { units: a(), state: ActiveState::Failed, sub: None, result: None };
    check(step(vec![line(is)]), "");
}

#[test]
fn failures_of_the_harness_are_not_the_stacks() {
    let failed = || {
        Sample::acted().record(&[
            ("UNIT", "harness-images.service"),
            ("MESSAGE", "Failed with result 'timeout'."),
            ("MESSAGE_ID", "d9b373ed55a64feb8242e02dbe79a49c"),
            ("UNIT_RESULT", "timeout"),
            ("PRIORITY", "4"),
        ])
    };
    let judgement = failed().end(200.0).judge(&quiet());
    assert_eq!(judgement.outcome, Outcome::Broken);
    assert_eq!(of_gate(&judgement, "unit-failure"), None);
    assert!(of_gate(&judgement, "harness").unwrap().observed.contains("harness-images.service failed"));
    // A scenario cannot except us.
    let excepted = failed().end(200.0).judge(&except(Excepted::Journal(pattern("Failed"))));
    assert!(of_gate(&excepted, "harness").is_some(), "{excepted:#?}");
}

#[test]
fn a_recording_with_a_fault_ends_where_it_is_noticed() {
    let mut red = line(enters(ActiveState::Active));
    red.red = true;
    let second = step(vec![line(journal("x", times(0, 0)))]);
    let trial = trial(vec![step(vec![red]), second]);
    let judged = |sample: &Sample| {
        let judgement = crate::judge::judge_with_fault(&trial, &sample.timeline, &[]);
        (judgement.outcome, judgement.noticed().is_some())
    };
    assert_eq!(judged(&Sample::acted().end(200.0)), (Outcome::Failed, true));
    // One that did not notice goes on, and has to be whole.
    let unnoticed = Sample::acted().started(A).end(200.0);
    assert_eq!(judged(&unnoticed), (Outcome::Broken, false));
    assert_eq!(judged(&unnoticed.at(210.0).step().acts(1.0).end(300.0)), (Outcome::Passed, false));
}

#[test]
fn scripts_complain_in_words() {
    let says = |message: &str| Sample::acted().says(B, message);
    check("journal-error", &quiet(), &says("ERROR: no such thing"), "no such thing");
    check("journal-error", &quiet(), &says("Error: no such thing"), "no such thing");
    check("journal-error", &quiet(), &says("no ERROR: at all"), "");
    check("journal-error", &except(Excepted::Units(vec![unit(B)])), &says("ERROR: no such thing"), "");
    check("journal-error", &except(Excepted::Journal(pattern("^ERROR: no"))), &says("ERROR: no such thing"), "");
}

#[test]
fn a_single_health_check_may_fail() {
    let check_unit = format!("{}-1f2e.service", "0123456789abcdef".repeat(4));
    let failing = Sample::acted().record(&[
        ("USER_UNIT", &check_unit),
        ("MESSAGE_ID", "d9b373ed55a64feb8242e02dbe79a49c"),
        ("UNIT_RESULT", "exit-code"),
        ("PRIORITY", "3"),
    ]);
    check("unit-failure", &quiet(), &failing, "");
}

#[test]
fn containers_become_unhealthy_only_where_it_is_expected() {
    let concluded = |health: &str| {
        let sample = Sample::acted().of_container("a-web", |state| state.id = "0123".into());
        sample.record(&[
            ("PODMAN_EVENT", "health_status"),
            ("PODMAN_HEALTH_STATUS", health),
            ("PODMAN_ID", "0123"),
            ("PODMAN_NAME", "a-web"),
        ])
    };
    let condition = |are| Expectation::Containers { containers: vec![container("a-web")], are };
    let sick = || concluded("unhealthy");
    check("health", &quiet(), &concluded("healthy"), "");
    check("health", &quiet(), &sick(), "a-web is unhealthy at guest time");
    check("health", &expecting(condition(ContainerCondition::Healthy)), &sick(), "a-web is unhealthy");
    check("health", &expecting(condition(ContainerCondition::Unhealthy)), &sick(), "");
    check("health", &except(Excepted::Containers(vec![container("a-web")])), &sick(), "");
    check("health", &except(Excepted::Containers(vec![container("b-web")])), &sick(), "a-web is unhealthy");
    let mut knob = quiet();
    let services = vec![("a".to_owned(), "a-web".to_owned())];
    knob.given = vec![act(ActKind::Knob { services, files: Vec::new(), knob: Some("unhealthy".into()) })];
    let judgement = sick().end(200.0).judge(&knob);
    assert_eq!(of_gate(&judgement, "health"), None);
}

#[test]
fn errors_need_an_explanation() {
    let error = |unit: &str, message: &str| {
        Sample::acted().record(&[("_SYSTEMD_USER_UNIT", unit), ("MESSAGE", message), ("PRIORITY", "3")])
    };
    let bad = || error(A, "ERROR: all is lost");
    check("journal-error", &quiet(), &bad(), "a-stack.service says \"ERROR: all is lost\"");
    check("journal-error", &expecting(journal("^ERROR: all", times(1, 1))), &bad(), "");
    check("journal-error", &expecting(journal("^ERROR: other", times(0, None))), &bad(), "all is lost");
    check("journal-error", &except(Excepted::Journal(pattern("all is lost"))), &bad(), "");
    let forbidden = expecting(journal("^ERROR: all", times(0, 0)));
    check("journal-error", &forbidden, &bad(), "all is lost");
    let noise = |identifier: &str| {
        let list = format!("[[noise]]\npattern = 'all is lost'\nreason = 'r'\n{identifier}");
        of_gate(&bad().end(200.0).judge_with(&quiet(), &list), "journal-error").is_some()
    };
    assert!(!noise(""));
    assert!(noise("identifier = 'other'"));
    // What the manager says about a unit that is expected to fail.
    let job = [("USER_UNIT", A), ("MESSAGE", "Failed to start a."), ("PRIORITY", "3")];
    let failed = Sample::acted().failed(A, "exit-code").record(&job);
    check("journal-error", &expecting(enters(ActiveState::Failed)), &failed, "");
    // Before the trial was ready nobody expects anything.
    let mut early = Sample::ready();
    early.timeline.entries.clear();
    let early = early.record(&[("MESSAGE", "x"), ("PRIORITY", "0")]);
    let mut rest = Sample::acted().end(200.0);
    rest.timeline.entries.splice(0..0, early.timeline.entries);
    assert_eq!(of_gate(&rest.judge(&quiet()), "journal-error"), None);
}

#[test]
fn what_a_recording_needs_is_known() {
    let needs = |sample: &Sample, except: &[Excepted]| {
        let mut trial = quiet();
        trial.except = except
            .iter()
            .enumerate()
            .map(|(index, what)| Exception { span: index..index + 1, what: what.clone(), reason: "it may".into() })
            .collect();
        let needed = needed(&trial, &sample.clone().end(200.0).timeline, &[]);
        needed.exceptions.iter().map(|span| span.start).collect::<Vec<_>>()
    };
    let b_may = || Excepted::Units(vec![unit(B)]);
    let other_may = || Excepted::Units(vec![unit("c.service")]);
    let b_stops = Sample::acted().stopped(B);
    assert_eq!(needs(&b_stops, &[other_may(), b_may()]), [1]);
    assert_eq!(needs(&Sample::acted(), &[other_may(), b_may()]), Vec::<usize>::new());
}
