//! Recordings that are not whole.

use crate::judge::Outcome;
use crate::scenario::{ActKind, ActiveState, Expectation};
use crate::timeline::{Entry, Moment};

use super::builder::*;

const A: &str = "a-stack.service";

#[track_caller]
fn check(sample: &Sample, part: &str) {
    let quiet = Expectation::UnitNeverEnters { units: a(), state: ActiveState::Failed };
    let judgement = sample.judge(&trial(vec![step(vec![line(quiet)])]));
    match of_gate(&judgement, "recording") {
        None => assert_eq!(part, "", "nothing was found"),
        Some(verdict) => {
            assert_eq!((verdict.result, judgement.outcome), (BROKEN, Outcome::Broken));
            assert!(!part.is_empty() && verdict.observed.contains(part), "{}", verdict.observed);
        }
    }
}

fn edited(change: impl FnOnce(&mut Vec<Entry>)) -> Sample {
    let sample = Sample::acted().says(A, "one").at(102.0).says(A, "two").says(A, "three");
    let mut sample = sample.end(200.0);
    change(&mut sample.timeline.entries);
    sample
}

fn place(entries: &[Entry], is_it: impl Fn(&Entry) -> bool) -> usize {
    entries.iter().rposition(is_it).unwrap()
}

#[test]
fn what_is_missing_is_noticed() {
    let remove = |is_it: fn(&Entry) -> bool| {
        edited(|entries| {
            let place = place(entries, is_it);
            entries.remove(place);
        })
    };
    check(&edited(|_| {}), "");
    check(&remove(|entry| matches!(entry, Entry::Ready { .. })), "never ready");
    check(&remove(|entry| matches!(entry, Entry::Step { .. })), "those that began are: ");
    check(&remove(|entry| matches!(entry, Entry::Picture { step: None, .. })), "from before the first step");
    check(&remove(|entry| matches!(entry, Entry::Picture { .. })), "no picture of the end of step 1");
    check(&remove(|entry| matches!(entry, Entry::Barrier { .. })), "there is no barrier");
    let reason = "the guest stood still".to_owned();
    check(&edited(|entries| entries.push(Entry::Broken { reason })), "stood still");
}

#[test]
fn a_picture_of_a_guest_that_is_not_at_rest_is_noticed() {
    check(&Sample::acted().end(103.9), "before the step's horizon at guest time 104.0 s");
    check(&Sample::acted().end(104.0), "");
}

#[test]
fn lost_and_disordered_records_are_noticed() {
    let is_record = |entry: &Entry| matches!(entry, Entry::Journal(_));
    let second = |entries: &[Entry]| place(entries, is_record) - 1;
    check(&edited(|entries| drop(entries.remove(second(entries)))), "goes on with record 13");
    check(
        &edited(|entries| {
            let second = second(entries);
            entries.swap(second, second - 1);
        }),
        "older than the one before",
    );
    let unnumbered = edited(|entries| {
        if let Some(Entry::Journal(record)) = entries.iter_mut().find(|entry| is_record(entry)) {
            record.fields.remove("__SEQNUM");
        }
    });
    check(&unnumbered, "no sequence number");
    let backwards = Sample::ready().at(100.0).step().action(1.0, |done| done.to.micros = 5);
    check(&backwards.end(200.0), "ended before it began");
    let early = Moment { boot: 0, micros: 100_500_000 };
    let barrier = Entry::Barrier { step: Some(0), at: early };
    check(&edited(|entries| *entries.last_mut().unwrap() = barrier), "before the end of its actions");
}

#[test]
fn a_journal_that_was_stopped_in_order_has_its_end() {
    let check = |what: ActKind, end: Option<&str>, part: &str| {
        let stopped = |sample: Sample, id: &str| sample.record(&[("MESSAGE_ID", id), ("MESSAGE", "Journal stopped")]);
        let sample = Sample::acted().says(A, "x");
        let sample = end.map_or(sample.clone(), |id| stopped(sample, id)).boot();
        let sample = sample.started(A).started("b-stack.service").running("podman.service");
        let sample = sample.running("podman.socket").at(10.0).end(30.0);
        let mut rebooting = trial(vec![step(vec![line(enters(ActiveState::Active))])]);
        rebooting.steps[0].when = vec![act(what)];
        let judgement = sample.judge(&rebooting);
        let said = of_gate(&judgement, "recording").map_or("", |verdict| &verdict.observed);
        assert_eq!(said, part);
    };
    let end = Some("d93fb3c9c24d451a97cea615ce59c00b");
    check(ActKind::Reboot, end, "");
    check(ActKind::Reboot, None, "the journal of boot 0 is cut off before its end");
    check(ActKind::Reboot, Some("another"), "the journal of boot 0 is cut off before its end");
    check(ActKind::PowerCut, None, "");
}

#[test]
fn pictures_contradict_records() {
    let check_end = |sample: Sample, part: &str| check(&sample.end(200.0), part);
    check_end(Sample::acted().stopped(A).at(103.0).started(A), "");
    let unseen = Sample::acted().at(103.0).becomes(A, "failed", "failed", "exit-code");
    check_end(unseen, "a-stack.service has been failed since guest time 103.0 s, but no change of it");
    let later = Sample::acted().started(A).at(110.0).becomes(A, "active", "exited", "success");
    check_end(later, "the last recorded change is to active, at guest time 101.0 s");
    let mut other = Sample::acted().at(101.2).becomes(A, "active", "exited", "success");
    other.state(A).invocation = "2".into();
    check_end(other, "has been active since");
    // A stack goes down by a stop job only, which is logged.
    check_end(Sample::acted().becomes(A, "inactive", "dead", "success"), "has been inactive");
    // Units that are only listed have no stamps: their state and their invocation are held against the records.
    let listed = |mut sample: Sample, active: &str, invocation: &str| {
        (sample.state(A).active_enter, sample.state(A).state_change) = (0, 0);
        sample.state(A).active = active.to_owned();
        sample.state(A).invocation = invocation.to_owned();
        sample
    };
    let known = format!("{A}-1");
    check_end(listed(Sample::acted(), "active", "2"), "a-stack.service has been active since");
    check_end(listed(Sample::acted(), "failed", ""), "a-stack.service has been failed since");
    check_end(listed(Sample::acted().at(103.0).stopped(A), "inactive", ""), "");
    check_end(listed(Sample::acted().at(103.0).stopped(A).at(104.0).started(A), "active", &known), "");
    // While a unit starts, its sub states change without a record.
    check_end(Sample::acted().starting(A).at(150.0).becomes(A, "activating", "start", "success"), "");
    // Units that nobody names may do what they want.
    check_end(Sample::acted().becomes("podman.socket", "failed", "failed", "x"), "");
}

#[test]
fn ends_that_managers_do_not_log_are_taken_from_the_picture() {
    let named = |state| {
        let units = vec![unit("podman.service")];
        trial(vec![step(vec![line(Expectation::UnitEnters { units, state, result: None, sub: None })])])
    };
    let ended = Sample::acted().at(105.0).becomes("podman.service", "inactive", "dead", "success");
    let judgement = ended.end(200.0).judge(&named(ActiveState::Inactive));
    assert_eq!(judgement.outcome, Outcome::Passed, "{judgement:#?}");
    // So is the end of what has come up since a boot.
    let booted = Sample::acted().boot().running("podman.service").at(5.0);
    let booted = booted.becomes("podman.service", "inactive", "dead", "success");
    let judgement = booted.end(30.0).judge(&named(ActiveState::Inactive));
    assert_eq!(of_line(&judgement, 0).result, PASSED, "{judgement:#?}");
    // A oneshot service without RemainAfterExit= finishes without ever being active.
    let oneshot = Sample::acted().at(105.0).started("podman.service");
    let mut oneshot = oneshot.becomes("podman.service", "inactive", "dead", "success");
    oneshot.state("podman.service").active_enter = 0;
    // Nor if it has run again since, and so in another invocation.
    oneshot.state("podman.service").invocation = "2".into();
    let judgement = oneshot.clone().end(200.0).judge(&named(ActiveState::Active));
    assert_eq!(of_line(&judgement, 0).result, FAILED);
    assert_eq!(oneshot.end(200.0).judge(&named(ActiveState::Inactive)).outcome, Outcome::Passed);
}

#[test]
fn what_comes_later_explains_no_earlier_picture() {
    let unit_in = |state| Expectation::UnitNeverEnters { units: vec![unit("podman.service")], state };
    let trial = |what: Expectation| {
        let quiet = step(vec![line(unit_in(ActiveState::Failed))]);
        trial(vec![step(vec![line(what)]), quiet])
    };
    let again = |sample: Sample| sample.end(200.0).at(210.0).step().acts(1.0);
    // It ended without a record in the first step, was started in the second, and stopped by a job.
    let ended = Sample::acted().at(105.0).becomes("podman.service", "inactive", "dead", "success");
    let later = again(ended).running("podman.service").at(220.0).stopped("podman.service").end(300.0);
    let judgement = later.judge(&trial(unit_in(ActiveState::Inactive)));
    assert_eq!(of_line(&judgement, 0).result, FAILED);
    // The same in a boot of which there is no earlier picture.
    let booted = Sample::acted().boot().running("podman.service").at(5.0);
    let booted = again(booted.becomes("podman.service", "inactive", "dead", "success")).running("podman.service");
    let judgement = booted.end(300.0).judge(&trial(unit_in(ActiveState::Inactive)));
    assert_eq!(of_line(&judgement, 0).result, FAILED);
    let gaps = of_gate(&judgement, "recording").map_or("", |verdict| &verdict.observed);
    assert!(!gaps.contains("podman.service"), "{gaps}");
    // A failure that the first picture shows and no record tells.
    let unseen = again(Sample::acted().at(103.0).becomes(A, "failed", "failed", "exit-code"));
    let judgement = unseen.failed(A, "exit-code").end(300.0).judge(&trial(enters(ActiveState::Active)));
    assert!(of_gate(&judgement, "recording").unwrap().observed.contains("but no change of it"), "{judgement:#?}");
}

#[test]
fn records_are_read_as_the_manager_means_them() {
    let check = |sample: &Sample, state, expected| {
        let what = Expectation::UnitNeverEnters { units: a(), state };
        super::builder::check(line(what), sample, expected, "");
    };
    // A oneshot service that does not remain is down before its start job is done.
    let passing = Sample::acted().starting(A).deactivated(A).started(A).end(200.0);
    check(&passing, ActiveState::Active, PASSED);
    check(&passing, ActiveState::Inactive, FAILED);
    // One that is at work again, or has failed since, tells no less that it was not active.
    for sub in [("failed", "failed"), ("activating", "start")] {
        let again = Sample::acted().starting(A).started(A).at(110.0).starting(A).becomes(A, sub.0, sub.1, "success");
        let again = again.in_picture(|picture| {
            picture.units.iter_mut().for_each(|state| state.active_enter = 0);
        });
        check(&again.end(200.0), ActiveState::Active, PASSED);
    }
    // A unit that fails while it stops stays failed, although its stop job is done.
    let stuck = Sample::acted().failed(A, "timeout").stopped(A);
    let stuck = stuck.becomes(A, "failed", "failed", "timeout").end(200.0);
    check(&stuck, ActiveState::Failed, FAILED);
    check(&stuck, ActiveState::Inactive, PASSED);
}
