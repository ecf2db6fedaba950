//! Files, processes, sockets, networks, volumes and images that are not to change.

use crate::scenario::{ActKind, Excepted, Exception, Expectation, FileCondition, Thing, Trial};
use crate::timeline::Picture;

use super::builder::*;
use super::sample::process;

fn quiet() -> Trial {
    trial(vec![step(vec![line(enters(crate::scenario::ActiveState::Active))])])
}

fn except(thing: Thing, regex: &str) -> Trial {
    let what = Excepted::Things(thing, pattern(regex));
    Trial { except: vec![Exception { span: 0..1, what, reason: "r".into() }], ..quiet() }
}

#[test]
fn belongings_do_not_change() {
    let check = |trial: &Trial, change: fn(&mut Picture), expected: &str| {
        let judgement = Sample::acted().in_picture(change).end(200.0).judge(trial);
        let observed = of_gate(&judgement, "nothing-else-changed").map_or("", |verdict| &*verdict.observed);
        assert_eq!(observed, expected);
    };
    let left: fn(&mut Picture) = |picture| picture.paths.push("/tmp/left".into());
    check(&quiet(), |_| {}, "");
    check(&quiet(), left, "the file /tmp/left is left behind");
    check(&quiet(), |picture| picture.paths.clear(), "the file /tmp is gone");
    check(&except(Thing::File, "^/tmp/l"), left, "");
    check(&except(Thing::Socket, "^/tmp/l"), left, "the file /tmp/left is left behind");
    let mut writes = quiet();
    writes.given = vec![act(ActKind::Write { path: "/tmp/left".into(), content: "x".into() })];
    check(&writes, left, "");
    let looks = Expectation::File { path: "/tmp/left".into(), is: FileCondition::default() };
    check(&trial(vec![step(vec![line(looks)])]), left, "");

    let runs: fn(&mut Picture) = |picture| picture.processes.push(process("backdoor.service", "sleep 9"));
    check(&quiet(), runs, "a process is new: sleep 9");
    check(&except(Thing::Process, "^sleep"), runs, "");
    let another: fn(&mut Picture) = |picture| picture.processes.push(process("watch.service", "watch"));
    check(&quiet(), another, "a process is new: watch");
    check(&quiet(), |picture| picture.processes.clear(), "a process has ended: watch");
    // The unit under test starts what it likes, and what is started on demand says nothing.
    check(&quiet(), |picture| picture.processes.push(process("a-stack.service", "x")), "");
    check(&quiet(), |picture| picture.processes.push(process("podman.service", "x")), "");

    check(&quiet(), |picture| picture.networks.clear(), "the network a_default is gone");
    check(&except(Thing::Network, "a_"), |picture| picture.networks.clear(), "");
    check(&quiet(), |picture| picture.volumes.push("v".into()), "the volume v is new");
    let updated: fn(&mut Picture) = |picture| picture.images = vec!["a:1 is 4567".into()];
    check(&quiet(), updated, "the image a:1 is 0123 is gone\nthe image a:1 is 4567 is new");
    check(&except(Thing::Image, "^a:1 "), updated, "");
    check(&quiet(), |picture| picture.sockets.push("tcp *:81".into()), "somebody listens on tcp *:81 now");
    check(&except(Thing::Socket, ":81$"), |picture| picture.sockets.push("tcp *:81".into()), "");
}
