//! What changes although the scenario says nothing of it.

use std::collections::BTreeSet;

use crate::scenario::{ActKind, ActiveState, ContainerCondition, Excepted, Expectation, Trial};
use crate::timeline::{Entry, Picture, Remains, UnitState};

use super::builder::*;

const A: &str = "a-stack.service";
const B: &str = "b-stack.service";

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
    // Units and containers are excepted by name only.
    let wide = || except(Excepted::Change(pattern("b-")));
    check(&wide(), Sample::acted().stopped(B), "b-stack.service was active, is inactive");
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
    let acts_on_manager = || except(Excepted::Units(vec![unit("system:user@1000.service")]));
    check(&acts_on_manager(), of_new_manager, "");
    // A manager that is stopped for good takes with it what it ran, and nothing else.
    let without_manager = |change: fn(&mut Picture)| {
        let sample = Sample::ready_with(|picture| picture.units.push(with_manager("1")));
        sample.at(100.0).step().acts(1.0).in_picture(|picture| {
            picture.units.retain(|state| state.name != manager && state.scope != "user");
            picture.containers.iter_mut().for_each(|state| state.state = "exited".into());
            picture.sockets.clear();
            change(picture);
        })
    };
    check(&acts_on_manager(), without_manager(|_| {}), "");
    check(&acts_on_manager(), without_manager(|picture| picture.containers.clear()), "");
    check(
        &acts_on_manager(),
        without_manager(|picture| picture.containers.iter_mut().for_each(|state| state.id = "new".into())),
        "was recreated",
    );
    check(&acts_on_manager(), without_manager(|picture| picture.sockets.push("tcp *:9999".into())), "tcp *:9999 now");
    check(&quiet(), without_manager(|_| {}), "user@1000.service was active, is inactive");
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
    // A switch of NixOS leaves this behind, and starts the user's own activation anew.
    let switching = || {
        let mut trial = quiet();
        let activate = ActKind::Activate { generation: "base".into(), units: Vec::new() };
        trial.steps[0].when = vec![act(activate)];
        trial
    };
    let resetup = || connection("systemd-tmpfiles-resetup.service");
    check(&switching(), resetup(), "");
    check(&quiet(), resetup(), "systemd-tmpfiles-resetup.service was inactive, is active");
    let anew = |name: &'static str| {
        let known = UnitState { scope: "user".into(), name: name.into(), ..with_manager("1") };
        let sample = Sample::ready_with(|picture| picture.units.push(known)).at(100.0).step().acts(1.0);
        sample.in_picture(|picture| invocation_of(picture, name, "2"))
    };
    check(&switching(), anew("nixos-activation.service"), "");
    check(&quiet(), anew("nixos-activation.service"), "was stopped and is active again");
    check(&quiet(), anew("harness-fallback-secrets.service"), "");
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
