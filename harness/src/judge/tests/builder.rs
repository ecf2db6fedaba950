//! Trials and what is judged of them, in few words.

use std::time::Duration;

use regex::Regex;

use crate::judge::{Judgement, Subject, Verdict, VerdictResult};
use crate::scenario::*;

pub use super::sample::Sample;

pub fn unit(name: &str) -> Unit {
    let (scope, name) = match name.strip_prefix("system:") {
        Some(name) => (Scope::System, name),
        None => (Scope::User, name),
    };
    Unit { scope, name: name.into() }
}

/// The stack under test.
pub fn a() -> Vec<Unit> {
    vec![unit("a-stack.service")]
}

pub fn container(name: &str) -> Container {
    let stack = name.split('-').next().unwrap().to_owned();
    Container { unit: format!("{stack}-stack.service"), stack: Some(stack), service: name.into(), name: name.into() }
}

pub fn pattern(regex: &str) -> Pattern {
    Pattern { regex: Regex::new(regex).unwrap(), text: None, relation: None }
}

pub fn times(least: u32, most: impl Into<Option<u32>>) -> Times {
    Times { least, most: most.into() }
}

pub fn enters(state: ActiveState) -> Expectation {
    Expectation::UnitEnters { units: a(), state, result: None, sub: None }
}

pub fn journal(regex: &str, times: Times) -> Expectation {
    Expectation::Journal { of: JournalSource::Units(a()), pattern: pattern(regex), times }
}

pub fn line(what: Expectation) -> Line {
    Line { span: 1..2, red: false, within: None, what }
}

pub fn within(what: Expectation, seconds: u64) -> Line {
    Line { within: Some(Duration::from_secs(seconds)), ..line(what) }
}

pub fn act(what: ActKind) -> Act {
    Act { span: 0..1, what, exit: ExitRule::Success }
}

pub fn start(name: &str) -> Act {
    act(ActKind::Systemctl { verb: Verb::Start, units: vec![unit(name)] })
}

pub fn step(then: Vec<Line>) -> Step {
    Step { name: None, span: 0..1, when: vec![start("a-stack.service")], measure: None, then }
}

pub fn trial(steps: Vec<Step>) -> Trial {
    let stacks = ["a", "b"].map(|name| StackFacts {
        name: name.into(),
        unit: format!("{name}-stack.service"),
        ..StackFacts::default()
    });
    Trial { host: "igpu".into(), stack: Some("a".into()), stacks: stacks.into(), steps, ..Trial::default() }
}

/// A trial that expects and acts on nothing.
pub fn quiet() -> Trial {
    trial(vec![step(vec![line(journal("x", times(0, 0)))])])
}

/// A trial that expects one thing.
pub fn expecting(what: Expectation) -> Trial {
    trial(vec![step(vec![line(what)])])
}

/// The quiet one with one exception.
pub fn except(what: Excepted) -> Trial {
    let except = vec![Exception { span: 0..1, what, reason: "known".into() }];
    Trial { except, ..quiet() }
}

/// The verdict on a line of the first step.
pub fn of_line(judgement: &Judgement, wanted: usize) -> &Verdict {
    let is_it = |verdict: &&Verdict| matches!(verdict.subject, Subject::Line { step: 0, index, .. } if index == wanted);
    judgement.verdicts.iter().find(is_it).unwrap()
}

/// The verdict of a gate, or the one on the recording.
pub fn of_gate<'a>(judgement: &'a Judgement, name: &str) -> Option<&'a Verdict> {
    judgement.verdicts.iter().find(|verdict| match &verdict.subject {
        Subject::Gate(gate) => gate == name,
        Subject::Recording => name == "recording",
        _ => false,
    })
}

pub const PASSED: VerdictResult = VerdictResult::Passed;
pub const FAILED: VerdictResult = VerdictResult::Failed;
pub const BROKEN: VerdictResult = VerdictResult::Broken;

/// Judges one line in a step and compares the result and a part of what was said about it.
#[track_caller]
pub fn check(line: Line, sample: &Sample, expected: VerdictResult, part: &str) {
    let trial = trial(vec![step(vec![line])]);
    let judgement = sample.judge(&trial);
    let verdict = of_line(&judgement, 0);
    let nearest = verdict.nearest.as_deref().unwrap_or_default();
    let said = format!("{} | {nearest}", verdict.observed);
    assert_eq!(verdict.result, expected, "{said}");
    assert!(said.contains(part), "{part:?} is not in {said:?}");
}
