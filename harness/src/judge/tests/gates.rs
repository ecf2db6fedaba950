//! What is looked at in every trial.

use std::collections::BTreeSet;

use crate::judge::{Outcome, needed};
use crate::scenario::{
    ActKind, ActiveState, ContainerCondition, Excepted, Exception, ExitRule, Expectation, Step, Trial,
};

use crate::timeline::{Entry, Picture, Remains, UnitState};

use super::builder::*;

const A: &str = "a-stack.service";
const B: &str = "b-stack.service";

fn quiet() -> Trial {
    trial(vec![step(vec![line(journal("x", times(0, 0)))])])
}

fn except(what: Excepted) -> Trial {
    let except = vec![Exception { span: 0..1, what, reason: "known".into() }];
    Trial { except, ..quiet() }
}

fn expecting(what: Expectation) -> Trial {
    trial(vec![step(vec![line(what)])])
}

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
    let failed = Sample::acted().record(&[
        ("UNIT", "harness-images.service"),
        ("MESSAGE_ID", "d9b373ed55a64feb8242e02dbe79a49c"),
        ("UNIT_RESULT", "timeout"),
        ("PRIORITY", "4"),
    ]);
    let judgement = failed.end(200.0).judge(&quiet());
    assert_eq!(judgement.outcome, Outcome::Broken);
    assert_eq!(of_gate(&judgement, "unit-failure"), None);
    assert!(of_gate(&judgement, "harness").unwrap().observed.contains("harness-images.service failed"));
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

/// What `nothing-else-changed` says, if anything.
fn check_changes(trial: &Trial, sample: Sample, part: &str) {
    let judgement = sample.end(200.0).judge(trial);
    let observed = of_gate(&judgement, "nothing-else-changed").map(|verdict| &*verdict.observed);
    match observed {
        None => assert_eq!(part, "", "the gate said nothing"),
        Some(observed) => assert!(!part.is_empty() && observed.contains(part), "{observed}"),
    }
}

#[test]
fn nothing_is_left_behind() {
    let left = |change: fn(&mut Remains)| Sample::acted().in_picture(|picture| change(&mut picture.remains));
    fn new(set: &mut BTreeSet<String>, name: &str) {
        assert!(set.insert(name.to_owned()));
    }
    let check = check_changes;
    check(&quiet(), left(|remains| new(&mut remains.paths, "/tmp/a.env")), "the file /tmp/a.env is new");
    check(&quiet(), left(|remains| remains.paths.retain(|path| path != "/run/user/1000/a.env")), "");
    check(&quiet(), left(|remains| remains.paths.retain(|path| path != "/etc/stacks/b")), "/etc/stacks/b is gone");
    let removed = left(|remains| remains.paths.retain(|path| path != "/etc/stacks/b"));
    let mut removing = quiet();
    removing.given = vec![act(ActKind::Remove { paths: vec!["/etc/stacks/b".into()] })];
    check(&removing, removed, "");
    let stray = "the process sleep of a-stack.service is new";
    check(&quiet(), left(|remains| new(&mut remains.processes, "sleep of a-stack.service")), stray);
    check(&quiet(), left(|remains| new(&mut remains.processes, "podman of podman.service")), "");
    check(&quiet(), left(|remains| remains.processes.clear()), "");
    let runs = left(|remains| new(&mut remains.processes, "sleep of a-stack.service"));
    let runs = runs.becomes(A, "active", "running", "success");
    check(&quiet(), runs, "");
    check(&quiet(), left(|remains| remains.networks.clear()), "the network b_default is gone");
    check(&quiet(), left(|remains| new(&mut remains.networks, "a_other")), "the network a_other is new");
    check(&quiet(), left(|remains| new(&mut remains.volumes, "a_other")), "the volume a_other is new");
    // What a stack keeps stays, also when the stack is stopped.
    check(&quiet(), left(|remains| remains.volumes.retain(|name| name != "a_data")), "the volume a_data is gone");
    check(&quiet(), left(|remains| remains.paths.retain(|path| path != "/etc/stacks/a")), "/etc/stacks/a is gone");
    check(&quiet(), left(|remains| drop(remains.images.remove("image-b"))), "the image image-b is gone");
    let image = |name: &'static str| {
        Sample::acted().in_picture(|picture| {
            picture.remains.images.insert(name.into(), "cccc".into());
        })
    };
    check(&quiet(), image("image-a"), "");
    check(&quiet(), image("image-b"), "the image image-b was bbbb, is cccc");
    check(&quiet(), image("cccc"), "the image cccc is new");
    let unnamed = |picture: &mut Picture, name: &str, id: &str| picture.remains.images.insert(name.into(), id.into());
    let untagged = Sample::acted().in_picture(|picture| {
        unnamed(picture, "image-a", "cccc");
        unnamed(picture, "aaaa", "aaaa");
    });
    check(&quiet(), untagged, "");
    check(&except(Excepted::Change(pattern("^the image cccc is new$"))), image("cccc"), "");
}

fn invocation_of(picture: &mut Picture, name: &str, invocation: &str) {
    let units = picture.units.iter_mut().filter(|state| state.name == name);
    units.for_each(|state| state.invocation = invocation.to_owned());
}

#[test]
fn nothing_else_changes() {
    let bystanders = || {
        let mut trial = quiet();
        trial.steps[0].when = vec![act(ActKind::Wait(std::time::Duration::from_secs(1)))];
        trial
    };
    let check = check_changes;
    check(&quiet(), Sample::acted(), "");
    check(&quiet(), Sample::acted().stopped(B), "b-stack.service was active, is inactive");
    check(&quiet(), Sample::acted().stopped(A), "");
    check(&bystanders(), Sample::acted().stopped(A), "a-stack.service was active, is inactive");
    // A restart leaves the state as it was, but not the invocation; a new manager starts everything anew.
    let restarted = || Sample::acted().in_picture(|picture| invocation_of(picture, B, "2"));
    check(&quiet(), restarted(), "b-stack.service was stopped and is active again");
    check(&quiet(), restarted().in_picture(|picture| invocation_of(picture, B, "")), "");
    let manager = "user@1000.service";
    let with_manager = |invocation: &str| UnitState {
        scope: "system".into(),
        name: manager.into(),
        load: "loaded".into(),
        active: "active".into(),
        invocation: invocation.into(),
        ..UnitState::default()
    };
    let of_new_manager = Sample::ready_with(|picture| picture.units.push(with_manager("1")));
    let of_new_manager = of_new_manager.at(100.0).step().acts(1.0).in_picture(|picture| {
        invocation_of(picture, B, "2");
        invocation_of(picture, manager, "2");
    });
    check(&except(Excepted::Units(vec![unit("system:user@1000.service")])), of_new_manager, "");
    check(&except(Excepted::Units(vec![unit(B)])), Sample::acted().stopped(B), "");
    let of_b = |change: fn(&mut crate::timeline::ContainerState)| Sample::acted().of_container("b-web", change);
    check(&quiet(), of_b(|state| state.state = "exited".into()), "b-web was running, is exited");
    check(&quiet(), of_b(|state| state.started = "later".into()), "b-web was started again");
    check(&quiet(), of_b(|state| state.id = "new".into()), "b-web was recreated");
    check(&quiet(), of_b(|state| state.health = "unhealthy".into()), "\"healthy\", is \"unhealthy\"");
    check(
        &quiet(),
        of_b(|state| state.name = "c-web".into()),
        "the container b-web is gone\nthe container c-web is new",
    );
    let excepted = except(Excepted::Containers(vec![container("b-web")]));
    check(&excepted, of_b(|state| state.started = "later".into()), "");
    let of_a = || Sample::acted().of_container("a-web", |state| state.started = "later".into());
    check(&quiet(), of_a(), "");
    check(&bystanders(), of_a(), "a-web was started again");
    check(&quiet(), Sample::acted().in_picture(|picture| picture.sockets.clear()), "nobody listens on tcp *:80");
    let listens =
        |sample: Sample, socket: &'static str| sample.in_picture(|picture| picture.sockets.push(socket.into()));
    check(&quiet(), listens(Sample::acted(), "tcp *:9999"), "somebody listens on tcp *:9999 now");
    // Of a container that was stopped a port may go, and nothing else.
    let stopped = || of_a().of_container("a-web", |state| state.state = "exited".into());
    check(&quiet(), stopped().in_picture(|picture| picture.sockets.clear()), "");
    check(&quiet(), listens(stopped(), "tcp *:9999"), "somebody listens on tcp *:9999 now");
    check(&quiet(), listens(stopped(), "unix /run/x"), "somebody listens on unix /run/x now");
    // To expect what is so already is no leave to change it.
    let is_active = Expectation::UnitIs { units: vec![unit(B)], state: ActiveState::Active, sub: None, result: None };
    check(&expecting(is_active), of_b(|state| state.id = "new".into()), "b-web was recreated");
    let runs = |are| Expectation::Containers { containers: vec![container("b-web")], are };
    check(&expecting(runs(ContainerCondition::Running)), of_b(|state| state.id = "new".into()), "b-web was recreated");
    check(&expecting(runs(ContainerCondition::Recreated)), of_b(|state| state.id = "new".into()), "");
    // A service with a socket comes and goes with its clients, but must not fail.
    let ends = |active: &str, result: &str| Sample::acted().becomes("podman.service", active, "dead", result);
    check(&quiet(), ends("inactive", "success"), "");
    check(&quiet(), ends("failed", "exit-code"), "podman.service was active, is failed");
    let mut recovered = ends("active", "success");
    if let Entry::Picture { picture, .. } = &mut recovered.timeline.entries[0] {
        picture.units[2].active = "failed".into();
    }
    check(&quiet(), recovered, "podman.service was failed, is active");
    // So does the instance of a socket's template, and the socket must be there for that.
    let connection = |name: &str| {
        Sample::acted().in_picture(|picture| {
            let service = picture.units.iter().find(|unit| unit.name == "podman.service").cloned();
            let instance = service.into_iter().map(|unit| UnitState { name: name.into(), ..unit });
            picture.units.extend(instance);
        })
    };
    check(&quiet(), connection("podman@1-127.0.0.1:80-127.0.0.1:4711.service"), "");
    check(&quiet(), connection("other@1.service"), "other@1.service was inactive, is active");
    // A switch of NixOS leaves this behind.
    check(&quiet(), connection("systemd-tmpfiles-resetup.service"), "");
    let transient = Sample::acted().in_picture(|picture| {
        let mut unit = picture.units[0].clone();
        (unit.name, unit.transient) = ("run-r1.service".into(), true);
        picture.units.push(unit);
    });
    check(&quiet(), transient, "");
    // One that has failed stays, and shows; the check of a container that is there is the matter of another gate.
    let failed = |name: String| {
        Sample::acted().in_picture(|picture| {
            let mut unit = picture.units[0].clone();
            (unit.name, unit.transient, unit.active) = (name, true, "failed".into());
            picture.units.push(unit);
            picture.containers[0].id = "0".repeat(64);
        })
    };
    check(
        &except(Excepted::Containers(vec![container("a-web")])),
        failed(format!("{}-1f.service", "0".repeat(64))),
        "",
    );
    check(&quiet(), failed(format!("{}-1f.service", "1".repeat(64))), "-1f.service was inactive, is failed");
    check(&quiet(), failed("run-r1.service".into()), "run-r1.service was inactive, is failed");
    let of_the_system = Sample::acted().in_picture(|picture| {
        let unit = picture.units[0].clone();
        let unit = UnitState { scope: "system".into(), name: "x.service".into(), active: "failed".into(), ..unit };
        picture.units.push(unit);
    });
    check(&quiet(), of_the_system, "system:x.service was inactive, is failed");
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
