//! Lines about the end of a step.

use std::collections::BTreeMap;

use crate::scenario::{ActiveState, ContainerCondition, Expectation, FileCondition};
use crate::timeline::{ContainerState, FileFound, FileState};

use super::builder::*;

const A: &str = "a-stack.service";

fn check_end(what: Expectation, sample: &Sample, expected: crate::judge::VerdictResult, part: &str) {
    check(line(what.clone()), &sample.clone().end(200.0), expected, part);
    check(line(what.clone()), &sample.clone().end(102.0), BROKEN, "before the line's horizon");
    check(line(what.clone()), &sample.clone().barrier(), BROKEN, "");
    check(line(what), &sample.clone().at(200.0).barrier(), BROKEN, "no picture");
}

#[test]
fn a_unit_is_in_a_state() {
    let is = |name: &str, state, sub: Option<&str>, result: Option<&str>| Expectation::UnitIs {
        units: vec![unit(name)],
        state,
        sub: sub.map(str::to_owned),
        result: result.map(str::to_owned),
    };
    let rest = Sample::acted();
    check_end(is(A, ActiveState::Active, Some("exited"), Some("success")), &rest, PASSED, "");
    check_end(is(A, ActiveState::Active, Some("running"), None), &rest, FAILED, "is active (exited)");
    check_end(is(A, ActiveState::Failed, None, None), &rest, FAILED, "is active");
    // A picture that was taken too early says nothing, however late the barrier is.
    let mut hasty = rest.clone().at(102.0);
    hasty.take_picture();
    let active = line(is(A, ActiveState::Active, None, None));
    check(active, &hasty.at(200.0).barrier(), BROKEN, "horizon");
    check_end(is("c.service", ActiveState::Inactive, None, None), &rest, FAILED, "c.service does not exist");
    check_end(is("system:a-stack.service", ActiveState::Active, None, None), &rest, FAILED, "does not exist");
    // A manager that is asked calls a unit inactive that it has never heard of.
    let unheard = Sample::ready_with(|picture| {
        (picture.units[0].load, picture.units[0].active) = ("not-found".into(), "inactive".into());
    });
    let unheard = unheard.at(100.0).step().acts(1.0);
    check_end(is(A, ActiveState::Inactive, None, None), &unheard, FAILED, "a-stack.service does not exist");
    let never = Expectation::UnitNeverEnters { units: a(), state: ActiveState::Active };
    check(line(never), &unheard.clone().end(200.0), FAILED, "a-stack.service does not exist");
    check_end(is(A, ActiveState::Inactive, None, None), &unheard.stopped(A), PASSED, "");
    let failed = Sample::acted().failed(A, "timeout");
    check_end(is(A, ActiveState::Failed, None, Some("timeout")), &failed, PASSED, "");
    check_end(is(A, ActiveState::Failed, None, Some("exit-code")), &failed, FAILED, "\"timeout\"");
}

#[test]
fn a_unit_is_unchanged() {
    let unchanged = || Expectation::UnitUnchanged { units: a() };
    check_end(unchanged(), &Sample::acted(), PASSED, "");
    check_end(unchanged(), &Sample::acted().stopped(A).at(102.0).started(A), FAILED, "entered inactive at 1.0 s");
    let mut other = Sample::acted();
    other.state(A).invocation = "2".into();
    check_end(unchanged(), &other, FAILED, "another invocation");
    let mut unknown = Sample::acted();
    unknown.state(A).invocation.clear();
    check_end(unchanged(), &unknown, FAILED, "nothing says whether it has run on");
    check_end(unchanged(), &Sample::acted().becomes(A, "failed", "failed", "x"), FAILED, "is failed");
    check_end(unchanged(), &Sample::acted().in_picture(|picture| picture.units.clear()), FAILED, "not among");
    let unknown = Sample::acted().in_picture(|picture| picture.units[0].load = "not-found".into());
    check_end(unchanged(), &unknown, FAILED, "a-stack.service does not exist");
}

#[test]
fn containers_are_in_a_condition() {
    use ContainerCondition::*;
    fn stop(state: &mut ContainerState) {
        state.state = "exited".into();
    }
    fn again(state: &mut ContainerState) {
        state.started = "later".into();
    }
    fn sick(state: &mut ContainerState) {
        state.health = "unhealthy".into();
    }
    fn new(state: &mut ContainerState) {
        state.id = "f".repeat(64);
    }
    fn new_and_stopped(state: &mut ContainerState) {
        new(state);
        stop(state);
    }
    fn same(_: &mut ContainerState) {}
    let check = |are, change: fn(&mut ContainerState), expected, part: &str| {
        let what = Expectation::Containers { containers: vec![container("a-web")], are };
        check_end(what, &Sample::acted().of_container("a-web", change), expected, part);
    };
    check(Running, same, PASSED, "");
    check(Running, stop, FAILED, "a-web is exited");
    check(Healthy, same, PASSED, "");
    check(Healthy, sick, FAILED, "a-web is running (unhealthy)");
    check(Unhealthy, sick, PASSED, "");
    check(Unhealthy, same, FAILED, "(healthy)");
    check(Unchanged, same, PASSED, "");
    check(Unchanged, stop, FAILED, "was running, is exited");
    check(Unchanged, again, FAILED, "was started again");
    check(Unchanged, new, FAILED, "another container: ffffffffffff, before a-weba-weba-");
    check(SameIds, again, PASSED, "");
    check(SameIds, new, FAILED, "another container");
    check(Stopped, stop, PASSED, "");
    check(Stopped, same, FAILED, "is running");
    check(Stopped, new_and_stopped, FAILED, "another container");
    check(Recreated, new, PASSED, "");
    check(Recreated, again, FAILED, "the same container");
    check(Recreated, new_and_stopped, FAILED, "recreated, but is exited");
    fn updated(state: &mut ContainerState) {
        new(state);
        state.image_id = "e".repeat(64);
    }
    fn updated_and_stopped(state: &mut ContainerState) {
        updated(state);
        stop(state);
    }
    check(Updated, updated, PASSED, "");
    check(Updated, new, FAILED, "of the same image as before");
    check(Updated, updated_and_stopped, FAILED, "a-web is exited");
    check(SameImage, new, PASSED, "");
    check(SameImage, updated, FAILED, "of another image: eeeeeeeeeeee");
    check(SameImage, stop, FAILED, "a-web is exited");
    check(Gone, same, FAILED, "is there, running");
    let gone = Sample::acted().in_picture(|picture| picture.containers.clear());
    let what = |are| Expectation::Containers { containers: vec![container("a-web")], are };
    check_end(what(Gone), &gone, PASSED, "");
    let absent = |stack: Option<&str>| {
        let named = crate::scenario::Container { stack: stack.map(str::to_owned), ..container("a-other") };
        Expectation::Containers { containers: vec![named], are: Gone }
    };
    check_end(absent(Some("a")), &gone, PASSED, "");
    check_end(absent(None), &gone, FAILED, "was not there before");
    check_end(what(Running), &gone, FAILED, "a-web is not there");
    let nothing = Expectation::Containers { containers: vec![], are: Running };
    check_end(nothing, &Sample::acted(), BROKEN, "names nothing");
    let absent = Expectation::Containers { containers: vec![container("a-new")], are: Recreated };
    let created = Sample::acted().of_container("a-web", |state| state.name = "a-new".into());
    check_end(absent, &created, FAILED, "not there before the step");
}

#[test]
fn containers_have_labels_and_variables() {
    let labels = |value: &str| Expectation::ContainerLabels {
        containers: vec![container("a-web")],
        labels: BTreeMap::from([("com.docker.compose.project".into(), value.into())]),
    };
    check_end(labels("a"), &Sample::acted(), PASSED, "");
    check_end(labels("b"), &Sample::acted(), FAILED, "a-web has the label com.docker.compose.project=a");
    let variables = |name: &str| Expectation::ContainerEnvironment {
        containers: vec![container("a-web")],
        variables: BTreeMap::from([(name.into(), "t".into())]),
    };
    check_end(variables("TOKEN"), &Sample::acted(), PASSED, "");
    check_end(variables("OTHER"), &Sample::acted(), FAILED, "a-web has no variable OTHER");
}

#[test]
fn a_file_is_like_this() {
    let with = |found: Option<FileFound>| {
        let file = FileState { path: "/paths".into(), found };
        Sample::acted().in_picture(|picture| picture.files.push(file))
    };
    let there = with(Some(FileFound {
        mode: 0o600,
        owner: "abl030".into(),
        group: "users".into(),
        text: "/one\n/two\n".into(),
    }));
    let file = |is: FileCondition| Expectation::File { path: "/paths".into(), is };
    let none = FileCondition::default;
    let check = |is: FileCondition, sample: &Sample, expected, part: &str| {
        check_end(file(is), sample, expected, part);
    };
    check(FileCondition { mode: Some(0o600), ..none() }, &there, PASSED, "");
    check(FileCondition { mode: Some(0o400), ..none() }, &there, FAILED, "has mode 0600");
    check(FileCondition { owner: Some("root".into()), ..none() }, &there, FAILED, "belongs to abl030");
    let lines = |lines: &[&str]| Some(lines.iter().map(ToString::to_string).collect());
    check(FileCondition { lines: lines(&["/one", "/two"]), ..none() }, &there, PASSED, "");
    check(FileCondition { lines: lines(&["/two", "/one"]), ..none() }, &there, FAILED, "has the lines");
    check(FileCondition { matches: Some(pattern("^/one")), ..none() }, &there, PASSED, "");
    check(FileCondition { matches: Some(pattern("three")), ..none() }, &there, FAILED, "does not match");
    check(FileCondition { absent: true, ..none() }, &there, FAILED, "is there");
    check(FileCondition { absent: true, ..none() }, &with(None), PASSED, "");
    check(FileCondition { mode: Some(0o600), ..none() }, &with(None), FAILED, "is not there");
    check(FileCondition { absent: true, ..none() }, &Sample::acted(), BROKEN, "does not say");
}
