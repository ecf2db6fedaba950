//! Lines that count records, alerts and programs.

use crate::judge::Subject;
use crate::scenario::{Expectation, JournalSource, Relation};

use super::builder::*;

const A: &str = "a-stack.service";

#[test]
fn the_journal_has_matching_records() {
    let missing = "^ERROR: missing required secret env file";
    let said = Sample::acted().says(A, "ERROR: missing required secret env file for x").end(200.0);
    check(line(journal(missing, times(1, 1))), &said, PASSED, "");
    check(line(journal(missing, times(1, None))), &said, PASSED, "");
    check(line(journal(missing, times(2, None))), &said, FAILED, "records of a-stack.service: 1");
    check(line(journal(missing, times(2, 3))), &said, FAILED, ": 1 (at 1.0 s)");
    check(line(journal(missing, times(0, 0))), &said, FAILED, "1 (at 1.0 s)");
    let other = Sample::acted().says("b-stack.service", "ERROR: missing required secret env file");
    check(line(journal(missing, times(1, 1))), &other.clone().end(200.0), FAILED, ": 0");
    check(line(journal(missing, times(0, 0))), &other.clone().end(200.0), PASSED, "");
    check(line(journal(missing, times(0, 0))), &other, BROKEN, "no barrier");
    // A record from before the step that arrives late.
    let late = Sample::ready().at(100.0).step().at(99.0).says(A, "ERROR: missing required secret env file");
    check(line(journal(missing, times(0, 0))), &late.at(100.0).acts(1.0).end(200.0), PASSED, "");
    let anything = Expectation::Journal { of: JournalSource::Anything, pattern: pattern(missing), times: times(1, 1) };
    check(line(anything.clone()), &other.end(200.0), PASSED, "");
    check(line(anything), &Sample::acted().end(200.0), FAILED, ": 0");
    let after_half_a_minute = Sample::acted().at(131.0).says(A, "ERROR: missing required secret env file").end(200.0);
    check(within(journal(missing, times(1, None)), 30), &after_half_a_minute, FAILED, "too late");
    check(within(journal(missing, times(1, 1)), 30), &after_half_a_minute, FAILED, ": 0");
    check(within(journal(missing, times(1, 1)), 40), &after_half_a_minute, PASSED, "");
    let similar = Sample::acted().says(A, "WARNING: missing secret env file").end(200.0);
    check(line(journal(missing, times(1, 1))), &similar, FAILED, "the closest is \"WARNING: missing");
    let kernel =
        Expectation::Journal { of: JournalSource::Kernel, pattern: pattern("crng reseeded"), times: times(1, None) };
    let record = [("_TRANSPORT", "kernel"), ("MESSAGE", "crng reseeded due to fork")];
    check(line(kernel.clone()), &Sample::acted().record(&record).end(200.0), PASSED, "");
    check(line(kernel), &Sample::acted().says(A, "crng reseeded").end(200.0), FAILED, ": 0");
}

#[test]
fn a_matching_record_without_a_unit_leaves_the_line_open() {
    let stray = [("_TRANSPORT", "stdout"), ("_UID", "1000"), ("MESSAGE", "ERROR: no mount")];
    let said = Sample::acted().record(&stray);
    for times in [times(1, 1), times(1, None), times(0, 0)] {
        check(line(journal("^ERROR: ", times)), &said.clone().end(200.0), BROKEN, "has no unit");
    }
    // With it or without, there are few enough, or too few.
    check(line(journal("^ERROR: ", times(0, 1))), &said.clone().end(200.0), PASSED, "");
    check(line(journal("^ERROR: ", times(2, None))), &said.clone().end(200.0), FAILED, ": 0");
    check(line(journal("^ERROR: ", times(2, 2))), &said.clone().end(200.0), FAILED, ": 0");
    check(line(journal("^WARNING: ", times(1, None))), &said.clone().end(200.0), FAILED, ": 0");
    check(line(journal("^ERROR: ", times(1, None))), &said.says(A, "ERROR: x").end(200.0), PASSED, "");
    let of_another = [("_TRANSPORT", "stdout"), ("_SYSTEMD_UNIT", "b.service"), ("MESSAGE", "ERROR: no mount")];
    check(line(journal("^ERROR: ", times(0, 0))), &Sample::acted().record(&of_another).end(200.0), PASSED, "");
}

#[test]
fn alerts_are_counted_by_unit() {
    let saying = |text: Option<&str>, priority, least, most: Option<u32>| {
        let pattern = text.map(pattern);
        line(Expectation::Alert { units: a(), pattern, priority, times: times(least, most) })
    };
    let alert = |least, most: Option<u32>| saying(None, None, least, most);
    let one = Sample::acted().alert("a-stack.service failed on igpu").end(200.0);
    check(alert(1, Some(1)), &one, PASSED, "");
    check(alert(0, Some(0)), &one, FAILED, "alerts about a-stack.service: 1");
    check(alert(2, None), &one, FAILED, ": 1");
    let other = Sample::acted().alert("aa-stack.service failed").end(200.0);
    check(alert(1, Some(1)), &other, FAILED, "another alert says");
    check(alert(0, Some(0)), &other, PASSED, "");
    check(alert(0, Some(0)), &Sample::acted(), BROKEN, "no barrier");
    // What the endpoint did not accept has not been delivered.
    for status in ["500", "none", "400"] {
        let refused = Sample::acted().alert_answered("a-stack.service failed on igpu", status).end(200.0);
        check(alert(1, Some(1)), &refused, FAILED, "alerts about a-stack.service: 0");
        check(alert(0, Some(0)), &refused, PASSED, "");
    }
    let (right, wrong) = (Some("^failure: .* on igpu$"), Some("on doc1"));
    check(saying(right, Some(8), 1, Some(1)), &one, PASSED, "");
    check(saying(right, None, 1, Some(1)), &one, PASSED, "");
    check(
        saying(wrong, None, 1, Some(1)),
        &one,
        FAILED,
        "another alert says \"failure: a-stack.service failed on igpu\"",
    );
    check(saying(wrong, None, 0, Some(0)), &one, PASSED, "");
    check(saying(None, Some(5), 1, Some(1)), &one, FAILED, "priority 8");
}

#[test]
fn started_programs_are_counted() {
    let process = |least, most: Option<u32>| {
        let pattern = pattern("--force-recreate");
        line(Expectation::Process { pattern, times: times(least, most) })
    };
    let up = Sample::acted().exec("docker-compose up -d");
    check(process(0, Some(0)), &up.clone().end(200.0), PASSED, "");
    check(process(1, None), &up.clone().end(200.0), FAILED, "matching programs: 0");
    check(process(1, None), &up.clone().exec("up --force-recreate").end(200.0), PASSED, "");
    check(process(0, Some(0)), &up.exec("docker-compose up --force-recreate").end(200.0), FAILED, ": 1");
    check(process(0, Some(0)), &Sample::acted().end(200.0), BROKEN, "did not run");
    // The trace ends with the picture, however late the barrier is.
    let mut hasty = Sample::acted().exec("true").at(102.0);
    hasty.take_picture();
    check(process(0, Some(0)), &hasty.at(200.0).barrier(), BROKEN, "horizon");
    // A trace of the first picture says nothing of the step, and a restart takes what was traced with it.
    let before = Sample::ready().exec("true").at(100.0).step().acts(1.0).end(200.0);
    check(process(0, Some(0)), &before, BROKEN, "did not run");
    let restarted = Sample::acted().exec("true").boot().exec("true").end(200.0);
    check(process(0, Some(0)), &restarted, BROKEN, "restarted in this step");
}

#[test]
fn what_happens_between_two_steps_counts_against_the_second() {
    let second = |times, at: f64| {
        let first = step(vec![line(journal("x", super::builder::times(0, 0)))]);
        let told = step(vec![line(Expectation::Alert { units: a(), pattern: None, priority: None, times })]);
        let sample = Sample::acted().end(200.0).at(at).alert("a-stack.service failed").at(210.0).step().acts(1.0);
        let judgement = sample.alert("a-stack.service failed").end(300.0).judge(&trial(vec![first, told]));
        let is_it = |subject: &Subject| matches!(subject, Subject::Line { step: 1, .. });
        judgement.verdicts.iter().find(|verdict| is_it(&verdict.subject)).unwrap().result
    };
    assert_eq!(second(times(1, 1), 205.0), FAILED);
    assert_eq!(second(times(2, 2), 205.0), FAILED, "what is to happen has to happen in the step");
    assert_eq!(second(times(2, None), 205.0), FAILED);
    assert_eq!(second(times(1, None), 205.0), PASSED);
}

#[test]
fn a_relation_between_captures_counts_with_the_match() {
    let stale = |relation: &str, times| {
        let mut pattern = pattern(r"running for (?<age>\d+)s \(threshold: (?<threshold>\d+)s\)$");
        pattern.relation = Relation::parse(relation, &pattern.regex).ok();
        line(Expectation::Journal { of: JournalSource::Units(a()), pattern, times })
    };
    let said = |age: u32| Sample::acted().says(A, &format!("running for {age}s (threshold: 90s)")).end(200.0);
    check(stale("age > threshold", times(1, 1)), &said(91), PASSED, "");
    check(stale("age > threshold", times(1, 1)), &said(90), FAILED, "records of a-stack.service: 0");
    check(stale("age <= threshold", times(0, 0)), &said(91), PASSED, "");
    check(stale("age <= threshold", times(0, 0)), &said(90), FAILED, ": 1");
    check(stale("age > 90", times(1, None)), &Sample::acted().says(A, "running for 91s (threshold: 90s)"), PASSED, "");
    let unheard = Sample::acted().says(A, "running for 91s (threshold: 90s)");
    check(stale("age > threshold", times(1, 1)), &unheard, BROKEN, "no barrier");
}
