//! Lines about how often something is there: journal records, alerts, started programs. And units that must not enter a
//! state, which is the same question with the answer "never".

use crate::scenario::{Expectation, JournalSource, Line, Pattern, Times, Unit};
use crate::timeline::{Entry, Moment, Record};

use super::finding::Finding;
use super::recording::{Since, StepView};
use super::seen::{Sight, all};
use super::{picture, words};

/// By what name the receiver of alerts writes to the journal.
const ALERT_RECEIVER: &str = "alert-receiver";

/// What was counted for one subject of a line.
struct Count {
    /// What is counted, in words.
    of: String,
    /// Where and when it was there, in order.
    hits: Vec<(usize, Moment)>,
    /// What came closest, where nothing matched.
    nearest: Option<(usize, String)>,
}

/// Whether a number of times is a positive line: it is decided as soon as there are enough, and there cannot be too many.
pub(super) fn is_positive(times: Times) -> bool {
    times.least > 0 && times.most.is_none()
}

/// How often a line expects something; none for lines that count nothing.
pub(super) fn times(what: &Expectation) -> Option<Times> {
    match what {
        Expectation::Journal { times, .. } | Expectation::Alert { times, .. } | Expectation::Process { times, .. } => {
            Some(*times)
        }
        Expectation::UnitNeverEnters { .. } => Some(Times { least: 0, most: Some(0) }),
        _ => None,
    }
}

/// Looks for a counted line that is a positive one.
pub(super) fn positive(view: &StepView, what: &Expectation) -> Option<Sight> {
    times(what).filter(|times| is_positive(*times)).and_then(|_| awaited(view, what))
}

/// Looks for what a counted line wants to be there at least: that is waited for, even if it also must not be there too
/// often, which only the step's end tells.
pub(super) fn awaited(view: &StepView, what: &Expectation) -> Option<Sight> {
    // Which programs were started is read with the step's picture: nothing is seen of them before.
    if matches!(what, Expectation::Process { .. }) {
        return None;
    }
    let times = times(what).filter(|times| times.least > 0)?;
    let sights = counts(view, what, Since::moment(view.begin)).into_iter().map(|count| match enough(&count, times) {
        Some(at) => Sight::Seen { at, evidence: count.places() },
        None => Sight::Missing {
            observed: count.observed(),
            evidence: count.places(),
            nearest: count.nearest.map(|(_, text)| text),
        },
    });
    Some(all(sights))
}

/// When the least number was reached.
fn enough(count: &Count, times: Times) -> Option<Moment> {
    let least = usize::try_from(times.least).ok()?;
    least.checked_sub(1).and_then(|last| count.hits.get(last)).map(|(_, at)| *at)
}

/// The verdict on a counted line that waits for the step's end; `horizon` is the finding that speaks against a step that
/// ended too early, if it did.
pub(super) fn judge(view: &StepView, line: &Line, times: Times, horizon: Option<Finding>) -> Finding {
    let limit = line.within.map(|within| view.deadline(within));
    // Too many stay too many, however the recording goes on, and nobody else has looked at what was just before the step.
    let too_many = |count: &Count| times.most.is_some_and(|most| count.number() > most);
    if let Some(count) = counts_within(view, &line.what, view.unseen, limit).into_iter().find(too_many) {
        return count.failed(view);
    }
    let counts = counts_within(view, &line.what, Since::moment(view.begin), limit);
    if counts.is_empty() {
        return Finding::broken("the line names nothing that could be counted");
    }
    if let Some(broken) = horizon.or_else(|| no_trace(view, line)).or_else(|| open(view, line, limit)) {
        return broken;
    }
    if let Expectation::UnitNeverEnters { units, .. } = &line.what
        && let Some(complaint) = units.iter().find_map(|unit| picture::never_existed(view, unit))
    {
        return Finding::failed(complaint);
    }
    match counts.iter().find(|count| count.number() < times.least) {
        Some(count) => count.failed(view),
        None => {
            let evidence = counts.iter().flat_map(Count::places).collect();
            Finding::passed(evidence, view.barrier.map(|(_, at)| at))
        }
    }
}

/// A step cannot pass without starting some program: one in which none was seen was not traced. What was started before a
/// restart is lost with the kernel that knew of it.
fn no_trace(view: &StepView, line: &Line) -> Option<Finding> {
    if !matches!(line.what, Expectation::Process { .. }) {
        return None;
    }
    let mut entries = view.recording.entries[view.range.clone()].iter();
    if entries.clone().any(|entry| matches!(entry, Entry::Boot { .. })) {
        return Some(Finding::broken(
            "the guest was restarted in this step, and what it had started before is not known: look in a step of its own",
        ));
    }
    let traced = entries.any(|entry| matches!(entry, Entry::Exec { .. }));
    (!traced).then(|| Finding::broken("the step has no started program at all: the trace in the guest did not run"))
}

/// Why a line about the journal of units cannot be decided: records match it that have no unit, and with them there may
/// be enough, or too many.
pub(super) fn open(view: &StepView, line: &Line, limit: Option<Moment>) -> Option<Finding> {
    let Expectation::Journal { of: JournalSource::Units(_), pattern, times } = &line.what else {
        return None;
    };
    let is_meant = |record: &Record| {
        record.is_stray() && pattern.is_match(record.message()) && limit.is_none_or(|limit| record.at <= limit)
    };
    let strays: Vec<_> = view.records(view.unseen.journal).filter(|(_, record)| is_meant(record)).collect();
    let first = strays.first()?;
    let in_step: Vec<_> = strays.iter().filter(|(_, record)| record.at >= view.begin).collect();
    let with = |count: &Count, strays: usize| count.number().saturating_add(u32::try_from(strays).unwrap_or(u32::MAX));
    let counts = counts_within(view, &line.what, Since::moment(view.begin), limit);
    let mut few = counts.iter().filter(|count| count.number() < times.least).peekable();
    let (index, record) = if few.peek().is_none() {
        let may_be_too_many = |count: &Count| times.most.is_some_and(|most| with(count, strays.len()) > most);
        counts_within(view, &line.what, view.unseen, limit).iter().any(may_be_too_many).then_some(first)?
    } else if few.all(|count| with(count, in_step.len()) >= times.least) {
        in_step.first()?
    } else {
        return None;
    };
    let problem = format!(
        "a matching record has no unit, since its program had ended before the journal looked whose it is: {:?}",
        record.message()
    );
    Some(Finding::broken(problem).evidence(vec![*index]).at(record.at))
}

/// The counts of what was there in time.
fn counts_within(view: &StepView, what: &Expectation, since: Since, limit: Option<Moment>) -> Vec<Count> {
    let mut counts = counts(view, what, since);
    for count in &mut counts {
        count.hits.retain(|(_, at)| limit.is_none_or(|limit| *at <= limit));
    }
    counts
}

fn counts(view: &StepView, what: &Expectation, since: Since) -> Vec<Count> {
    match what {
        Expectation::Journal { of, pattern, .. } => journal(view, of, pattern, since.journal),
        Expectation::Alert { units, pattern, priority, .. } => {
            let is_meant = |record: &Record| {
                let says = |pattern: &Pattern| alert_text(record).is_some_and(|text| pattern.regex.is_match(&text));
                let ranks = |priority: &u32| record.field("ALERT_PRIORITY") == Some(&*priority.to_string());
                pattern.as_ref().is_none_or(says) && priority.as_ref().is_none_or(ranks)
            };
            units.iter().map(|unit| alerts(view, unit, &is_meant, since.journal)).collect()
        }
        Expectation::Process { pattern, .. } => vec![processes(view, pattern, since.programs)],
        Expectation::UnitNeverEnters { units, state } => units
            .iter()
            .map(|unit| {
                let changes = view.changes(since.journal);
                let changes = changes.filter(|change| change.state == *state && words::same_unit(unit, change.unit));
                Count {
                    of: format!("{} entering {}", words::unit(unit), words::state_name(*state)),
                    hits: changes.map(|change| (change.index, change.at)).collect(),
                    nearest: None,
                }
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn journal(view: &StepView, of: &JournalSource, pattern: &Pattern, from: Moment) -> Vec<Count> {
    let count = |of: String, is_of: &dyn Fn(&Record) -> bool| {
        let records = view.records(from).filter(|(_, record)| is_of(record));
        matching(of, pattern, records.map(|(index, record)| (index, record.at, record.message().to_owned())))
    };
    match of {
        JournalSource::Units(units) => units
            .iter()
            .map(|unit| count(format!("matching records of {}", words::unit(unit)), &|record| is_about(record, unit)))
            .collect(),
        JournalSource::Kernel => vec![count("matching records of the kernel".into(), &Record::is_kernel)],
        JournalSource::Anything => vec![count("matching records".into(), &|_| true)],
    }
}

/// Whether a record is the unit's or its manager's about it.
pub(super) fn is_about(record: &Record, unit: &Unit) -> bool {
    record.unit().is_some_and(|found| words::same_unit(unit, found))
}

fn processes(view: &StepView, pattern: &Pattern, from: Moment) -> Count {
    let started = (0..view.range.end).filter_map(|index| match &view.recording.entries[index] {
        Entry::Exec { at, arguments } if *at >= from => Some((index, *at, arguments.join(" "))),
        _ => None,
    });
    matching("matching programs".into(), pattern, started)
}

fn matching(of: String, pattern: &Pattern, texts: impl Iterator<Item = (usize, Moment, String)>) -> Count {
    let (matching, others): (Vec<_>, Vec<_>) = texts.partition(|(_, _, text)| pattern.is_match(text));
    let others = others.iter().map(|(index, _, text)| (*index, &**text));
    let closest = if matching.is_empty() { words::closest(pattern, others) } else { None };
    Count {
        of,
        hits: in_time_order(matching.into_iter().map(|(index, at, _)| (index, at)).collect()),
        nearest: closest.map(|(index, text)| (index, format!("the closest is {text:?}"))),
    }
}

/// The alerts that the endpoint accepted about a unit and that are meant.
fn alerts(view: &StepView, unit: &Unit, is_meant: &dyn Fn(&Record) -> bool, from: Moment) -> Count {
    let alerts: Vec<_> = view.records(from).filter(|(_, record)| alert_text(record).is_some()).collect();
    let (meant, others): (Vec<_>, Vec<_>) =
        alerts.into_iter().partition(|(_, record)| is_alert_about(record, unit) && is_meant(record));
    let nearest = others.iter().rev().find(|(_, record)| is_alert_about(record, unit)).or(others.last());
    Count {
        of: format!("alerts about {}", words::unit(unit)),
        hits: in_time_order(meant.into_iter().map(|(index, record)| (index, record.at)).collect()),
        nearest: nearest.map(|(index, record)| (*index, another_alert(record))),
    }
}

fn another_alert(record: &Record) -> String {
    let priority = record.field("ALERT_PRIORITY").unwrap_or("none");
    format!("another alert says {:?}, priority {priority}", alert_text(record).unwrap_or_default())
}

/// Whether a record is the receipt of an alert about a unit: the alert's title or message has the unit's full name.
pub(super) fn is_alert_about(record: &Record, unit: &Unit) -> bool {
    alert_text(record).is_some_and(|text| names(&text, &unit.name))
}

/// What an alert says, if a record is the receipt of one that the endpoint accepted.
fn alert_text(record: &Record) -> Option<String> {
    let accepted = record.identifier() == Some(ALERT_RECEIVER) && record.field("ALERT_STATUS") == Some("200");
    let title = record.field("ALERT_TITLE").filter(|_| accepted)?;
    let message = record.field("ALERT_MESSAGE").unwrap_or_default();
    Some(format!("{title}: {message}"))
}

/// Whether a text contains a unit's name as a whole: `a-stack.service` is not in `aa-stack.service`.
fn names(text: &str, unit: &str) -> bool {
    let part_of_name = |character: char| character.is_alphanumeric() || "-_@".contains(character);
    text.match_indices(unit).any(|(place, _)| {
        let before = text[..place].chars().next_back();
        let after = text[place + unit.len()..].chars().next();
        !before.is_some_and(|character| part_of_name(character) || character == '.') && !after.is_some_and(part_of_name)
    })
}

fn in_time_order(mut hits: Vec<(usize, Moment)>) -> Vec<(usize, Moment)> {
    hits.sort_by_key(|(index, at)| (*at, *index));
    hits
}

impl Count {
    fn number(&self) -> u32 {
        u32::try_from(self.hits.len()).unwrap_or(u32::MAX)
    }

    fn places(&self) -> Vec<usize> {
        self.hits.iter().map(|(index, _)| *index).collect()
    }

    fn observed(&self) -> String {
        format!("{}: {}", self.of, self.hits.len())
    }

    fn failed(&self, view: &StepView) -> Finding {
        let times: Vec<_> = self.hits.iter().map(|(_, at)| words::seconds(view.elapsed(*at))).collect();
        let when = if times.is_empty() { String::new() } else { format!(" (at {})", times.join(", ")) };
        let nearest = if self.hits.is_empty() { self.nearest.clone() } else { None };
        let evidence = nearest.iter().map(|(index, _)| *index).chain(self.places()).collect();
        let finding = Finding::failed(format!("{}{when}", self.observed()))
            .nearest(nearest.map(|(_, text)| text))
            .evidence(evidence);
        match self.hits.last() {
            Some((_, at)) => finding.at(*at),
            None => finding,
        }
    }
}
