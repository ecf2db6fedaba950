//! How the units' states changed, from the managers' records and, for what managers do not log, from the pictures.

use std::collections::BTreeMap;

use crate::scenario::{ActiveState, Unit};
use crate::timeline::{Entry, Moment, Picture, Transition, TransitionKind, UnitRef, UnitState};

use super::words::same_unit;

/// How much older than the manager's own stamp a record may seem: the record is stamped when the journal receives it,
/// which is before the state changes for a failure and after it for a start.
const STAMP_TOLERANCE: u64 = 500_000;

/// A unit's change of state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change<'a> {
    /// The timeline entry that shows it.
    pub index: usize,
    /// When.
    pub at: Moment,
    /// The unit.
    pub unit: UnitRef<'a>,
    /// The state it entered.
    pub state: ActiveState,
    /// The Result; `success` for everything but a failure.
    pub result: &'a str,
    /// The invocation; empty where unknown.
    pub invocation: &'a str,
}

/// A picture and its place in the timeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken<'a> {
    pub index: usize,
    pub at: Moment,
    pub picture: &'a Picture,
}

impl<'a> Taken<'a> {
    /// The state of a unit in the picture.
    pub fn unit(&self, unit: UnitRef) -> Option<&'a UnitState> {
        self.picture.units.iter().find(|state| state.unit() == unit)
    }
}

/// The changes that concern a unit of a scenario.
pub(super) fn of_unit<'r, 'a>(changes: &'r [Change<'a>], unit: &Unit) -> impl Iterator<Item = &'r Change<'a>> {
    let unit = unit.clone();
    changes.iter().filter(move |change| same_unit(&unit, change.unit))
}

/// All pictures, in order.
pub(super) fn pictures(entries: &[Entry]) -> Vec<Taken<'_>> {
    entries
        .iter()
        .enumerate()
        .filter_map(|(index, entry)| match entry {
            Entry::Picture { at, picture, .. } => Some(Taken { index, at: *at, picture }),
            _ => None,
        })
        .collect()
}

/// The changes of all units, in the order of guest time.
pub(super) fn changes(entries: &[Entry]) -> Vec<Change<'_>> {
    let pictures = pictures(entries);
    let mut last: BTreeMap<UnitRef, TransitionKind> = BTreeMap::new();
    let mut changes = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let Entry::Journal(record) = entry else {
            continue;
        };
        let Some(transition) = record.transition() else {
            continue;
        };
        let before = last.get(&transition.unit).copied();
        if let Some(change) = change(index, &transition, before, &pictures) {
            last.insert(change.unit, transition.kind);
            changes.push(change);
        }
    }
    let unlogged = unlogged_ends(entries, &pictures, &changes);
    changes.extend(unlogged);
    changes.sort_by_key(|change| (change.at, change.index));
    changes
}

fn change<'a>(
    index: usize,
    transition: &Transition<'a>,
    before: Option<TransitionKind>,
    pictures: &[Taken],
) -> Option<Change<'a>> {
    let mut result = "success";
    let state = match transition.kind {
        TransitionKind::Starting | TransitionKind::RestartScheduled => ActiveState::Activating,
        TransitionKind::Started | TransitionKind::Reloaded { .. } => ActiveState::Active,
        // The end of a oneshot service without RemainAfterExit= comes after it went down again.
        TransitionKind::Finished if before == Some(TransitionKind::Deactivated) => return None,
        TransitionKind::Finished if never_was_active(index, transition, pictures) => ActiveState::Inactive,
        TransitionKind::Finished => ActiveState::Active,
        TransitionKind::Failed { result: failure } => {
            result = failure;
            ActiveState::Failed
        }
        TransitionKind::Stopping => ActiveState::Deactivating,
        // A unit that fails while it stops is `failed`, although its stop job is done.
        TransitionKind::Stopped if matches!(before, Some(TransitionKind::Failed { .. })) => {
            return None;
        }
        TransitionKind::Stopped | TransitionKind::Deactivated => ActiveState::Inactive,
        TransitionKind::Reloading => ActiveState::Reloading,
        TransitionKind::Skipped | TransitionKind::NotStarted { .. } | TransitionKind::OutOfMemory => return None,
    };
    Some(Change { index, at: transition.at, unit: transition.unit, state, result, invocation: transition.invocation })
}

/// Whether the next picture shows that a finished oneshot service was not `active` at any time: the user manager logs
/// the end of its process no differently from one that remains. It may have run again until then. Units that a picture
/// only lists have no stamps there.
fn never_was_active(index: usize, transition: &Transition, pictures: &[Taken]) -> bool {
    let next = pictures.iter().find(|taken| taken.index > index && taken.at.boot == transition.at.boot);
    let state = next.and_then(|taken| taken.unit(transition.unit));
    state.is_some_and(|state| {
        state.state_change != 0 && state.active_enter.saturating_add(STAMP_TOLERANCE) < transition.at.micros
    })
}

/// Units that ended without a failure before a picture and without a record: managers of users do not log the end of a
/// process that nobody asked to stop, and nobody logs `systemctl reset-failed`.
fn unlogged_ends<'a>(entries: &[Entry], pictures: &[Taken<'a>], changes: &[Change<'a>]) -> Vec<Change<'a>> {
    let ends = pictures.iter().enumerate().skip(1).flat_map(|(position, after)| {
        let before = pictures.get(position - 1).filter(|before| before.at.boot == after.at.boot);
        after.picture.units.iter().filter_map(move |unit| {
            let at = Moment { boot: after.at.boot, micros: unit.state_change };
            let ended = match before {
                Some(before) => before.unit(unit.unit()).is_some_and(|before| ends_unlogged(before, unit)),
                None => ends_unlogged_in_boot(entries, changes, after.index, at, unit),
            };
            ended.then_some(Change {
                index: after.index,
                at,
                unit: unit.unit(),
                state: ActiveState::Inactive,
                result: "success",
                invocation: &unit.invocation,
            })
        })
    });
    ends.filter(|end| !explained(changes, end)).collect()
}

/// A service that remains after its process has exited goes down by a stop job only, which is logged.
fn ends_unlogged(before: &UnitState, after: &UnitState) -> bool {
    let silent = after.scope == "user" || before.active == "failed";
    is_over(after) && silent && before.sub != "exited" && after.state_change > before.state_change
}

/// In a boot of which there is no earlier picture, the journal says whether a process was running: a service that
/// remains after its process has "finished".
fn ends_unlogged_in_boot(entries: &[Entry], changes: &[Change], until: usize, at: Moment, after: &UnitState) -> bool {
    let is_earlier = |change: &&Change| change.index < until && change.at.boot == at.boot;
    let mut earlier = changes.iter().filter(|change| change.unit == after.unit()).filter(is_earlier);
    let last = earlier.next_back().filter(|change| change.at < at).and_then(|change| entries.get(change.index));
    let was_running = matches!(last, Some(Entry::Journal(record))
        if record.transition().is_some_and(|transition| transition.kind == TransitionKind::Started));
    is_over(after) && after.scope == "user" && was_running
}

fn is_over(unit: &UnitState) -> bool {
    unit.active == "inactive" && matches!(&*unit.result, "" | "success")
}

fn explained(changes: &[Change], end: &Change) -> bool {
    changes.iter().any(|change| {
        change.unit == end.unit
            && change.state == end.state
            && change.index < end.index
            && change.at.boot == end.at.boot
            && change.at.micros.saturating_add(STAMP_TOLERANCE) >= end.at.micros
    })
}

/// What is wrong with the recorded changes of a unit if the picture shows a change that none of them explains.
pub(super) fn gap(changes: &[Change], before: Taken, after: Taken, state: &UnitState) -> Option<String> {
    let same_boot = before.at.boot == after.at.boot;
    let earlier = before.unit(state.unit()).filter(|_| same_boot);
    if earlier.is_some_and(|earlier| unchanged(earlier, state)) {
        return None;
    }
    let stamp = settled_stamp(state)?;
    // A unit that this boot has not touched yet, or that its manager has forgotten since, and its stamps with it.
    if stamp == 0 && state.active == "inactive" {
        return None;
    }
    // Where units are only listed there are no stamps: then it was since the picture before.
    let (entered, tolerance) = if stamp == 0 && same_boot { (before.at.micros, 0) } else { (stamp, STAMP_TOLERANCE) };
    let in_boot = |micros| Moment { boot: after.at.boot, micros };
    let since = in_boot(entered.saturating_sub(tolerance));
    let explains = |change: &Change| {
        change.unit == state.unit()
            && super::words::state_name(change.state) == state.active
            && change.index <= after.index
            && change.at >= since
            && (state.active != "active" || change.invocation.is_empty() || change.invocation == state.invocation)
    };
    if changes.iter().any(explains) {
        return None;
    }
    let last = changes.iter().rfind(|change| change.unit == state.unit() && change.at <= after.at).map_or_else(
        || "no change of it was recorded".to_owned(),
        |change| {
            let state = super::words::state_name(change.state);
            format!("the last recorded change is to {state}, at {}", super::words::moment(change.at))
        },
    );
    Some(format!(
        "{} has been {} since {}, but {last}",
        super::words::unit_ref(state.unit()),
        state.active,
        super::words::moment(in_boot(entered)),
    ))
}

fn unchanged(earlier: &UnitState, now: &UnitState) -> bool {
    earlier.active == now.active && earlier.invocation == now.invocation && settled_stamp(earlier) == settled_stamp(now)
}

/// When the unit entered its state. While it starts, stops or reloads, its sub states change without a record.
fn settled_stamp(state: &UnitState) -> Option<u64> {
    match &*state.active {
        "active" => Some(state.active_enter),
        "inactive" | "failed" => Some(state.state_change),
        _ => None,
    }
}
