//! Positive lines: decided as soon as the recording shows them, or their time is over.

use crate::scenario::{ActiveState, Expectation, Line, Unit};
use crate::timeline::Moment;

use super::counted;
use super::finding::Finding;
use super::history::{Change, of_unit};
use super::picture;
use super::recording::{PATIENCE, StepView, later};
use super::words;

/// Whether and when a positive line came true.
pub(super) enum Sight {
    /// It did.
    Seen { at: Moment, evidence: Vec<usize> },
    /// It did not, so far.
    Missing { observed: String, nearest: Option<String>, evidence: Vec<usize> },
}

/// When the time of a positive line is over.
pub(super) fn deadline(view: &StepView, line: &Line) -> Moment {
    line.within.map_or_else(|| later(view.acted.max(view.origin), PATIENCE), |within| view.deadline(within))
}

/// Looks for a positive line; none for lines that are no positive ones.
pub(super) fn look(view: &StepView, line: &Line) -> Option<Sight> {
    match &line.what {
        Expectation::UnitEnters { units, state, result, .. } => {
            Some(all(units.iter().map(|unit| enters(view, unit, *state, result.as_deref()))))
        }
        Expectation::Order { entries } => Some(order(view, entries)),
        what => counted::positive(view, what),
    }
}

/// Looks for what a line waits for: a positive line, or the least that a counted one wants.
pub(super) fn awaited(view: &StepView, line: &Line) -> Option<Sight> {
    look(view, line).or_else(|| counted::awaited(view, &line.what))
}

/// The verdict on a positive line.
pub(super) fn judge(view: &StepView, line: &Line, sight: Sight) -> Finding {
    let deadline = deadline(view, line);
    match sight {
        Sight::Seen { at, evidence } if at <= deadline => {
            let finding = match &line.what {
                Expectation::UnitEnters { units, sub: Some(sub), .. } => picture::sub_state(view, at, units, sub),
                _ => Finding::passed(Vec::new(), None),
            };
            finding.evidence(evidence).at(at)
        }
        unseen => counted::open(view, line, Some(deadline)).unwrap_or_else(|| not_in_time(view, deadline, unseen)),
    }
}

fn not_in_time(view: &StepView, deadline: Moment, sight: Sight) -> Finding {
    match sight {
        Sight::Seen { at, evidence } => {
            Finding::failed("it did not in time").nearest(Some(late(view, at, deadline))).evidence(evidence).at(at)
        }
        Sight::Missing { observed, nearest, evidence } => {
            let finding = match view.barrier {
                Some((_, barrier)) if barrier >= deadline => Finding::failed(observed).at(deadline),
                Some((_, barrier)) => Finding::broken(format!(
                    "{observed}, but the recording of the step ends at {}, before the line's time is over at {}",
                    words::moment(barrier),
                    words::moment(deadline)
                )),
                None => Finding::broken(format!("{observed}, but the recording of the step breaks off")),
            };
            finding.nearest(nearest).evidence(evidence)
        }
    }
}

fn late(view: &StepView, at: Moment, deadline: Moment) -> String {
    let elapsed = words::seconds(view.elapsed(at));
    if at.boot != deadline.boot {
        return format!("it did at {elapsed}, in a later boot");
    }
    let late = std::time::Duration::from_micros(at.micros.saturating_sub(deadline.micros));
    format!("it did at {elapsed}, {} too late", words::seconds(late))
}

/// Holds if every one is seen: the last of them counts.
pub(super) fn all(sights: impl Iterator<Item = Sight>) -> Sight {
    let mut found: Option<(Moment, Vec<usize>)> = None;
    for sight in sights {
        match sight {
            Sight::Missing { .. } => return sight,
            Sight::Seen { at, evidence } => {
                let (latest, all) = found.get_or_insert((at, Vec::new()));
                *latest = (*latest).max(at);
                all.extend(evidence);
            }
        }
    }
    match found {
        Some((at, evidence)) => Sight::Seen { at, evidence },
        None => Sight::Missing {
            observed: "the line names nothing that could do so".into(),
            nearest: None,
            evidence: Vec::new(),
        },
    }
}

fn enters(view: &StepView, unit: &Unit, state: ActiveState, result: Option<&str>) -> Sight {
    let of_unit: Vec<_> = view.changes(view.begin).filter(|change| words::same_unit(unit, change.unit)).collect();
    let wanted = |change: &&&Change| change.state == state && result.is_none_or(|result| result == change.result);
    match of_unit.iter().find(wanted) {
        Some(change) => Sight::Seen { at: change.at, evidence: vec![change.index] },
        None => Sight::Missing {
            observed: format!("{} did not", words::unit(unit)),
            nearest: path(view, &of_unit),
            evidence: of_unit.iter().map(|change| change.index).collect(),
        },
    }
}

/// The states that a unit went through, with their times.
pub(super) fn path(view: &StepView, changes: &[&Change]) -> Option<String> {
    let states: Vec<_> = changes
        .iter()
        .map(|change| {
            let result = match change.state {
                ActiveState::Failed => format!(" ({})", change.result),
                _ => String::new(),
            };
            let at = words::seconds(view.elapsed(change.at));
            format!("{}{result} at {at}", words::state_name(change.state))
        })
        .collect();
    (!states.is_empty()).then(|| format!("it went {}", states.join(", ")))
}

fn order(view: &StepView, entries: &[(Vec<Unit>, ActiveState)]) -> Sight {
    let all_seen =
        all(entries.iter().flat_map(|(units, state)| units.iter().map(|unit| enters(view, unit, *state, None))));
    let Sight::Seen { at, evidence } = all_seen else {
        return all_seen;
    };
    for pair in entries.windows(2) {
        let [(earlier, earlier_state), (next, next_state)] = pair else {
            continue;
        };
        let last = firsts(view, earlier, *earlier_state).max_by_key(|change| change.at);
        let first = firsts(view, next, *next_state).min_by_key(|change| change.at);
        let (Some(last), Some(first)) = (last, first) else {
            continue;
        };
        // Two records can bear one stamp: then their order in the journal decides.
        if (last.at, last.index) >= (first.at, first.index) {
            return Sight::Missing {
                observed: format!("{} was before {}", step_of(view, first), step_of(view, last)),
                nearest: None,
                evidence: vec![first.index, last.index],
            };
        }
    }
    Sight::Seen { at, evidence }
}

fn step_of(view: &StepView, change: &Change) -> String {
    let at = words::seconds(view.elapsed(change.at));
    format!("{} {} at {at}", words::unit_ref(change.unit), words::state_name(change.state))
}

/// Each unit's first change to the state in the step.
fn firsts<'s, 'a>(
    view: &'s StepView<'_, 'a>,
    units: &'s [Unit],
    state: ActiveState,
) -> impl Iterator<Item = &'s Change<'a>> {
    units.iter().filter_map(move |unit| {
        of_unit(&view.recording.changes, unit)
            .find(|change| change.state == state && view.range.contains(&change.index) && change.at >= view.begin)
    })
}
