//! Whether the recording is whole: nothing lost, nothing out of order, nothing that contradicts the pictures.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::{Act, ActKind, Expectation, Trial, Unit};
use crate::timeline::{Entry, MESSAGE_ID_JOURNAL_STOPPED, Moment, Timeline, UnitState};

use super::finding::Finding;
use super::recording::{Recording, StepView};
use super::{Subject, Verdict, history, lines, words};

/// How many complaints of one kind are spelt out; the first ones say what went wrong.
const SPELT_OUT: usize = 5;

/// The verdict on the recording, if it is not whole.
pub(super) fn verdict(recording: &Recording, timeline: &Timeline) -> Option<Verdict> {
    let complaints: Vec<String> = [
        told(timeline),
        milestones(recording),
        sequence(recording),
        shutdowns(recording),
        order(recording),
        gaps(recording),
    ]
    .into_iter()
    .flat_map(shortened)
    .collect();
    (!complaints.is_empty()).then(|| {
        let expected = "the recording is whole and in order".to_owned();
        Finding::broken(complaints.join("\n")).verdict(Subject::Recording, None, expected)
    })
}

fn shortened(mut complaints: Vec<String>) -> Vec<String> {
    let rest = complaints.len().saturating_sub(SPELT_OUT);
    complaints.truncate(SPELT_OUT);
    if rest > 0 {
        complaints.push(format!("and {rest} more of the kind"));
    }
    complaints
}

/// What the harness itself found to be wrong.
fn told(timeline: &Timeline) -> Vec<String> {
    let reasons = timeline.entries.iter().filter_map(|entry| match entry {
        Entry::Broken { reason } => Some(reason.clone()),
        _ => None,
    });
    reasons.collect()
}

/// The entries that every trial has, once and in order.
fn milestones(recording: &Recording) -> Vec<String> {
    let mut complaints = Vec::new();
    if recording.ready().is_none() {
        complaints.push("the trial was never ready: its `given` was not done".to_owned());
    }
    let steps = recording.trial.steps.len();
    let begun: Vec<usize> = recording.entries.iter().filter_map(step_begun).collect();
    if begun.iter().copied().ne(0..steps) {
        let begun: Vec<_> = begun.iter().map(|step| (step + 1).to_string()).collect();
        complaints.push(format!("the trial has {steps} steps, but those that began are: {}", begun.join(", ")));
    }
    let first_step = recording.entries.iter().position(|entry| step_begun(entry).is_some());
    let first_picture = recording.pictures.first().map(|taken| taken.index);
    if first_step.is_some_and(|step| first_picture.is_none_or(|picture| picture > step)) {
        complaints.push("there is no picture from before the first step".to_owned());
    }
    for view in (0..steps).filter_map(|step| recording.step(step)) {
        let number = view.index + 1;
        match view.after {
            None => complaints.push(format!("there is no picture of the end of step {number}")),
            Some(after) => complaints.extend(hasty(&view, after.at)),
        }
        match view.barrier {
            None => complaints.push(format!("the journal's end in step {number} did not arrive: there is no barrier")),
            Some((_, at)) if at < view.acted => {
                complaints.push(format!("the barrier of step {number} is from before the end of its actions"));
            }
            Some(_) => {}
        }
    }
    complaints
}

/// A picture that was taken before the guest had come to rest shows what would have been over a moment later.
fn hasty(view: &StepView, pictured: Moment) -> Option<String> {
    let horizon = lines::horizon(view);
    (pictured < horizon).then(|| {
        let (at, horizon) = (words::moment(pictured), words::moment(horizon));
        format!(
            "the picture of the end of step {} was taken at {at}, before the step's horizon at {horizon}",
            view.index + 1
        )
    })
}

fn step_begun(entry: &Entry) -> Option<usize> {
    match entry {
        Entry::Step { step, .. } => Some(*step),
        _ => None,
    }
}

/// The journal numbers its records; a number that is missing is a record that is missing.
fn sequence(recording: &Recording) -> Vec<String> {
    let mut last: BTreeMap<(u32, &str), u64> = BTreeMap::new();
    let mut complaints = Vec::new();
    for (index, record) in recording.records(0..recording.entries.len()) {
        let Some((id, number)) = record.sequence() else {
            complaints.push(format!(
                "the journal record in entry {index} has no sequence number, so that lost records would go unnoticed"
            ));
            continue;
        };
        let expected = last.insert((record.at.boot, id), number).map(|before| before.saturating_add(1));
        if let Some(expected) = expected.filter(|expected| *expected != number) {
            complaints.push(format!(
                "the journal goes on with record {number} at entry {index}, where {expected} should follow"
            ));
        }
    }
    complaints
}

/// A journal that was stopped in order says so at its end. One that does not has lost that end, and with it what happened
/// while the machine went down.
fn shutdowns(recording: &Recording) -> Vec<String> {
    let in_order = |view: &StepView| view.step.when.iter().all(|act| act.what != ActKind::PowerCut);
    let views = (0..recording.trial.steps.len()).filter_map(|step| recording.step(step)).filter(in_order);
    let boots = views.flat_map(|view| recording.entries[view.range].iter());
    let ended = boots.filter_map(|entry| match entry {
        Entry::Boot { at } => at.boot.checked_sub(1),
        _ => None,
    });
    let records = || recording.records(0..recording.entries.len()).map(|(_, record)| record);
    let is_cut_off = |boot: &u32| {
        let last = records().filter(|record| record.at.boot == *boot).last();
        last.is_none_or(|last| last.message_id() != Some(MESSAGE_ID_JOURNAL_STOPPED))
    };
    ended.filter(is_cut_off).map(|boot| format!("the journal of boot {boot} is cut off before its end")).collect()
}

/// Steps and boots, and the journal's records, come in the order of guest time. Pictures and barriers arrive by ways of
/// their own, so that each kind is compared with itself only.
fn order(recording: &Recording) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut latest: BTreeMap<&str, Moment> = BTreeMap::new();
    for (index, entry) in recording.entries.iter().enumerate() {
        let (kind, at) = match entry {
            Entry::Journal(record) => ("journal record", record.at),
            Entry::Ready { at } | Entry::Step { at, .. } | Entry::Boot { at } => ("step or boot", *at),
            Entry::Picture { at, .. } => ("picture", *at),
            Entry::Barrier { at, .. } => ("barrier", *at),
            Entry::Action(done) if done.to < done.from => {
                complaints.push(format!("the action in entry {index} ended before it began"));
                continue;
            }
            Entry::Action(_) | Entry::Exec { .. } | Entry::Broken { .. } => continue,
        };
        if latest.get(kind).is_some_and(|latest| at < *latest) {
            complaints.push(format!("the {kind} in entry {index} is older than the one before it"));
        }
        latest.insert(kind, at);
    }
    complaints
}

/// Changes of units that a picture shows and no record explains.
fn gaps(recording: &Recording) -> Vec<String> {
    let named = named_units(recording.trial);
    let stacks = &recording.trial.stacks;
    let is_checked = |state: &UnitState| {
        stacks.iter().any(|stack| state.scope == "user" && state.name == stack.unit)
            || named.iter().any(|unit| words::same_unit(unit, state.unit()))
    };
    let pairs = recording.pictures.windows(2).map(|pair| (pair[0], pair[1]));
    pairs
        .flat_map(|(before, after)| {
            let units = after.picture.units.iter().filter(|state| is_checked(state));
            units.filter_map(move |state| history::gap(&recording.changes, before, after, state))
        })
        .collect()
}

/// Every unit that an action or a line of the trial names.
pub(super) fn named_units(trial: &Trial) -> BTreeSet<&Unit> {
    let acted_on = trial.acts().flat_map(Act::units);
    let looked_at = trial.lines().flat_map(|line| units_of(&line.what));
    acted_on.chain(looked_at).collect()
}

/// The units whose state a line is about.
pub(super) fn units_of(what: &Expectation) -> Vec<&Unit> {
    match what {
        Expectation::UnitEnters { units, .. }
        | Expectation::UnitNeverEnters { units, .. }
        | Expectation::UnitIs { units, .. }
        | Expectation::UnitUnchanged { units } => units.iter().collect(),
        Expectation::Order { entries } => entries.iter().flat_map(|(units, _)| units).collect(),
        _ => Vec::new(),
    }
}
