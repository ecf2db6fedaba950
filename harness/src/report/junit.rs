//! A run as JUnit XML, for continuous integration.

use std::time::Duration;

use quick_junit::{FlakyOrRerun, NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use crate::event::{Event, TrialFinished};
use crate::judge::Outcome;

use super::Style;
use super::failure;
use super::standing::{Standing, TrialRecord, trial_records};

/// A run that cannot be written as JUnit XML.
#[derive(Debug, thiserror::Error)]
#[error("the run cannot be written as JUnit XML: {0}; events.jsonl has all that it would contain")]
pub struct JunitError(#[from] quick_junit::SerializeError);

/// The run as JUnit XML: a suite for each host and section, a case for each trial.
///
/// Failed is `failure`, broken and unfinished are `error`, skipped is `skipped`. A trial that passed at its last
/// attempt only is a success with `flakyFailure`, and bears the property `flaky`.
///
/// # Errors
///
/// Fails when the XML cannot be written.
pub fn junit(events: &[Event], style: &Style) -> Result<String, JunitError> {
    let style = Style { colored: false, ..style.clone() };
    let mut report = Report::new("harness");
    let mut suites: Vec<TestSuite> = Vec::new();
    for record in trial_records(events) {
        let (suite_name, case_name) = split(record.name);
        let case = case(&record, suite_name, case_name, &style);
        match suites.iter_mut().find(|s| s.name.as_str() == suite_name) {
            Some(suite) => suite.add_test_case(case),
            None => {
                let mut suite = TestSuite::new(suite_name);
                suite.add_test_case(case);
                suites.push(suite);
                continue;
            }
        };
    }
    for mut suite in suites {
        let time = suite.test_cases.iter().filter_map(|case| case.time).sum();
        suite.set_time(time);
        report.add_test_suite(suite);
    }
    for event in events {
        match event {
            Event::RunFinished { seconds, .. } => {
                report.set_time(duration(*seconds));
            }
            Event::RunStarted { .. }
            | Event::Progress { .. }
            | Event::TrialStarted { .. }
            | Event::TrialFinished(_) => {}
        }
    }
    Ok(report.to_string()?)
}

/// `igpu::failure` and `x` of `igpu::failure::x [broken-by y]`; what is behind a blank belongs to the case.
fn split(trial: &str) -> (&str, &str) {
    let end = trial.find(' ').unwrap_or(trial.len());
    match trial[..end].rfind("::") {
        Some(at) => (&trial[..at], &trial[at + 2..]),
        None => ("harness", trial),
    }
}

fn case(record: &TrialRecord, suite: &str, name: &str, style: &Style) -> TestCase {
    let mut status = match record.attempts.last() {
        Some(last) => status(last, style),
        None => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message("the run ended before this trial did");
            status
        }
    };
    if let Some((_, earlier)) = record.attempts.split_last() {
        let bad = earlier.iter().filter_map(|attempt| rerun(attempt, style));
        status.add_reruns(bad);
    }
    let flaky = record.standing() == Standing::Flaky;
    if flaky {
        status.set_rerun_kind(FlakyOrRerun::Flaky);
    }
    let mut case = TestCase::new(name, status);
    case.set_classname(suite);
    case.set_time(duration(record.host_seconds()));
    if let Some(last) = record.attempts.last() {
        case.add_property(Property::new("title", &last.title));
        case.add_property(Property::new("proves", last.proves.join(",")));
        case.add_property(Property::new("scenario", &last.scenario));
        case.add_property(Property::new("guest-seconds", last.guest_seconds.to_string()));
    }
    if flaky {
        case.add_property(Property::new("flaky", "true"));
    }
    case
}

fn status(finished: &TrialFinished, style: &Style) -> TestCaseStatus {
    let mut status = match finished.outcome {
        Outcome::Passed => return TestCaseStatus::success(),
        Outcome::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(summary(finished));
            return status;
        }
        Outcome::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Broken => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    status.set_message(summary(finished));
    status.set_type(Standing::from(finished.outcome).word());
    status.set_description(failure::text(finished, None, None, style));
    status
}

fn rerun(finished: &TrialFinished, style: &Style) -> Option<TestRerun> {
    let kind = match finished.outcome {
        Outcome::Passed | Outcome::Skipped => return None,
        Outcome::Failed => NonSuccessKind::Failure,
        Outcome::Broken => NonSuccessKind::Error,
    };
    let mut rerun = TestRerun::new(kind);
    rerun.set_time(duration(finished.host_seconds));
    rerun.set_message(summary(finished));
    rerun.set_type(Standing::from(finished.outcome).word());
    rerun.set_description(failure::text(finished, None, None, style));
    Some(rerun)
}

/// One line: the reason, else the first verdict that did not pass, else the title.
fn summary(finished: &TrialFinished) -> String {
    use crate::judge::VerdictResult::Passed;
    let verdicts = finished.judgement.iter().flat_map(|j| &j.verdicts);
    let bad = verdicts.into_iter().find(|v| v.result != Passed);
    match (&finished.reason, bad) {
        (Some(reason), _) => reason.clone(),
        (None, Some(bad)) => format!("expected {}, observed {}", bad.expected, bad.observed),
        (None, None) => finished.title.clone(),
    }
}

/// A duration of zero where the number is none (negative, infinite): an event log may come from elsewhere.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{events, plain};
    use super::*;

    #[test]
    fn a_run_has_a_suite_for_each_host_and_section() {
        let xml = junit(&events(), &Style { program: "harness".to_owned(), ..plain() }).unwrap();
        insta::assert_snapshot!(xml, @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="harness" tests="6" skipped="1" failures="1" errors="2" time="120.040">
            <testsuite name="igpu::failure" tests="2" skipped="0" errors="0" failures="1" time="43.000">
                <testcase name="unreadable" classname="igpu::failure" time="21.500">
                    <properties>
                        <property name="title" value="A missing secret stops the stack"/>
                        <property name="proves" value="B21,B26"/>
                        <property name="scenario" value="scenarios/failure/missing-secret-fails-hard.toml"/>
                        <property name="guest-seconds" value="6.1"/>
                    </properties>
                </testcase>
                <testcase name="missing-secret-fails-hard" classname="igpu::failure" time="21.500">
                    <properties>
                        <property name="title" value="A missing secret stops the stack"/>
                        <property name="proves" value="B21,B26"/>
                        <property name="scenario" value="scenarios/failure/missing-secret-fails-hard.toml"/>
                        <property name="guest-seconds" value="6.1"/>
                    </properties>
                    <failure message="expected jellyfin-stack.service enters failed with result exit-code within 20 s, observed it entered failed with result timeout" type="FAILED">FAILED igpu::failure::missing-secret-fails-hard
        A missing secret stops the stack (proves B21, B26)

        FAILED: line 1 of step 1
          --&gt; scenarios/failure/missing-secret-fails-hard.toml
          expected: jellyfin-stack.service enters failed with result exit-code within 20 s
          observed: it entered failed with result timeout
          nearest:  failed (timeout) at +1.750 s

        run it again:  harness run --exact igpu::failure::missing-secret-fails-hard
        enter it:      harness enter igpu::failure::missing-secret-fails-hard   # in a fresh clone: its machine was not kept
        its journal:   less out/2026-11-22T01-02-03/igpu/failure/missing-secret-fails-hard/journal.txt
        </failure>
                </testcase>
            </testsuite>
            <testsuite name="igpu::functional" tests="1" skipped="0" errors="1" failures="0" time="21.500">
                <testcase name="boot" classname="igpu::functional" time="21.500">
                    <properties>
                        <property name="title" value="A missing secret stops the stack"/>
                        <property name="proves" value="B21,B26"/>
                        <property name="scenario" value="scenarios/failure/missing-secret-fails-hard.toml"/>
                        <property name="guest-seconds" value="6.1"/>
                    </properties>
                    <error message="The guest&apos;s journal has a gap between records 812 and 815." type="BROKEN">BROKEN igpu::functional::boot
        A missing secret stops the stack (proves B21, B26)

        The harness, the guest image or this machine did not do its work. That is not the stacks&apos; fault, and nothing is known of them.

        The guest&apos;s journal has a gap between records 812 and 815.

        Run it again; if it stays broken, see what `doctor` says of this machine, and read how its journal ends.

        run it again:  harness run --exact igpu::functional::boot
        enter it:      harness enter igpu::functional::boot   # in a fresh clone: its machine was not kept
        its journal:   less out/2026-11-22T01-02-03/igpu/functional/boot/journal.txt
        </error>
                </testcase>
            </testsuite>
            <testsuite name="doc1::functional" tests="1" skipped="1" errors="0" failures="0" time="0.000">
                <testcase name="boot" classname="doc1::functional" time="0.000">
                    <properties>
                        <property name="title" value="A missing secret stops the stack"/>
                        <property name="proves" value="B21,B26"/>
                        <property name="scenario" value="scenarios/failure/missing-secret-fails-hard.toml"/>
                        <property name="guest-seconds" value="0"/>
                    </properties>
                    <skipped message="doc1 needs 4 GiB of memory, this machine has 2 GiB"/>
                </testcase>
            </testsuite>
            <testsuite name="igpu::regression" tests="2" skipped="0" errors="1" failures="0" time="43.000">
                <testcase name="stop-keeps-containers" classname="igpu::regression" time="43.000">
                    <properties>
                        <property name="title" value="A missing secret stops the stack"/>
                        <property name="proves" value="B21,B26"/>
                        <property name="scenario" value="scenarios/failure/missing-secret-fails-hard.toml"/>
                        <property name="guest-seconds" value="6.1"/>
                        <property name="flaky" value="true"/>
                    </properties>
                    <flakyFailure time="21.500" message="expected jellyfin-stack.service enters failed with result exit-code within 20 s, observed it entered failed with result timeout" type="FAILED">FAILED igpu::regression::stop-keeps-containers
        A missing secret stops the stack (proves B21, B26)

        FAILED: line 1 of step 1
          --&gt; scenarios/failure/missing-secret-fails-hard.toml
          expected: jellyfin-stack.service enters failed with result exit-code within 20 s
          observed: it entered failed with result timeout
          nearest:  failed (timeout) at +1.750 s

        run it again:  harness run --exact igpu::regression::stop-keeps-containers
        enter it:      harness enter igpu::regression::stop-keeps-containers   # in a fresh clone: its machine was not kept
        its journal:   less out/2026-11-22T01-02-03/igpu/failure/missing-secret-fails-hard/journal.txt
        </flakyFailure>
                </testcase>
                <testcase name="never-ran" classname="igpu::regression" time="0.000">
                    <error message="the run ended before this trial did"/>
                </testcase>
            </testsuite>
        </testsuites>
        "#);
    }

    #[test]
    fn trial_names_are_split_before_what_a_fault_adds() {
        for (trial, suite, case) in [
            ("igpu::failure::x", "igpu::failure", "x"),
            ("igpu::failure::x [broken-by a::b]", "igpu::failure", "x [broken-by a::b]"),
            ("x", "harness", "x"),
        ] {
            assert_eq!(split(trial), (suite, case));
        }
    }
}
