//! What happened in the guest around a verdict.

use std::collections::BTreeSet;

use crate::judge::{Subject, Verdict};
use crate::timeline::{Entry, Moment, Timeline};

use super::row::{Row, is_health_check, row};

/// More rows than this hide what they should show.
const LIMIT: usize = 14;

/// An entry that has nothing to do with the verdict's units counts as so many times farther away.
const STRANGER: usize = 8;

/// The entries near the moment of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Around {
    /// What the times count from, as in `step 1 began`.
    pub(super) since: String,
    /// The rows in the order of the timeline.
    pub(super) rows: Vec<AroundRow>,
    /// How many entries the timeline has.
    pub(super) of: usize,
    /// Evidence that is not in the timeline: then the two do not belong together.
    pub(super) missing: Vec<usize>,
}

/// One entry near a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AroundRow {
    /// Whether the verdict rests on it.
    pub(super) evidence: bool,
    /// Guest seconds since [`Around::since`].
    pub(super) time: String,
    pub(super) who: String,
    /// One line.
    pub(super) what: String,
}

/// Chooses the evidence and what is nearest to the verdict's moment, what concerns its units first.
pub(super) fn around(verdict: &Verdict, timeline: &Timeline) -> Around {
    let (since, zero) = origin(verdict, timeline);
    let rows = chosen(verdict, &timeline.entries)
        .into_iter()
        .map(|index| around_row(index, verdict, &timeline.entries[index], zero))
        .collect();
    let missing = verdict.evidence.iter().copied().filter(|index| *index >= timeline.entries.len()).collect();
    Around { since, rows, of: timeline.entries.len(), missing }
}

fn around_row(index: usize, verdict: &Verdict, entry: &Entry, zero: Moment) -> AroundRow {
    let Row { at, who, what } = row(entry);
    AroundRow {
        evidence: verdict.evidence.contains(&index),
        time: at.map_or_else(|| "-".to_owned(), |at| seconds_since(at, zero)),
        who,
        what: one_line(&what),
    }
}

/// Seconds from `zero`; a moment of another boot counts from the start of that boot's kernel, as `within` does.
fn seconds_since(at: Moment, zero: Moment) -> String {
    let seconds = |micros: i128| micros as f64 / 1e6;
    if at.boot == zero.boot {
        let difference = i128::from(at.micros) - i128::from(zero.micros);
        format!("{:+.3}", seconds(difference))
    } else {
        format!("boot {} {:+.3}", at.boot, seconds(at.micros.into()))
    }
}

fn one_line(text: &str) -> String {
    let count = text.lines().count();
    match text.lines().next() {
        Some(first) if count > 1 => format!("{first} (line 1 of {count})"),
        Some(first) => first.to_owned(),
        None => String::new(),
    }
}

/// What times count from: the beginning of the verdict's step, else of the step that was going on at its moment, else
/// of the recording.
fn origin(verdict: &Verdict, timeline: &Timeline) -> (String, Moment) {
    let own = match verdict.subject {
        Subject::Line { step, .. } => Some(step),
        Subject::Action { step, .. } => step,
        Subject::Gate(_) | Subject::Recording => None,
    };
    let mut steps = timeline.entries.iter().filter_map(|entry| match entry {
        Entry::Step { step, at } => Some((*step, *at)),
        _ => None,
    });
    let begun = steps.rfind(|(step, at)| match own {
        Some(own) => own == *step,
        None => verdict.at.is_some_and(|moment| *at <= moment),
    });
    match begun {
        Some((step, at)) => (format!("step {} began", step + 1), at),
        None => {
            let first = timeline.entries.iter().find_map(Entry::at);
            let zero = first.unwrap_or(Moment { boot: 0, micros: 0 });
            ("the recording began".to_owned(), zero)
        }
    }
}

fn chosen(verdict: &Verdict, entries: &[Entry]) -> BTreeSet<usize> {
    let anchor = anchor(verdict, entries);
    let evidence = verdict.evidence.iter().copied();
    let mut evidence: Vec<usize> = evidence.filter(|index| *index < entries.len()).collect();
    evidence.sort_by_key(|index| index.abs_diff(anchor));
    let units: BTreeSet<&str> = evidence.iter().filter_map(|index| unit(&entries[*index])).collect();
    let mut near: Vec<usize> = (0..entries.len()).filter(|index| tells_something(&entries[*index])).collect();
    near.sort_by_key(|index| {
        let concerned = unit(&entries[*index]).is_none_or(|unit| {
            let names = |text: &str| text.contains(unit);
            units.contains(unit) || names(&verdict.expected) || names(&verdict.observed)
        });
        index.abs_diff(anchor) * if concerned { 1 } else { STRANGER }
    });
    let mut chosen = BTreeSet::new();
    for index in evidence.into_iter().chain(near) {
        if chosen.len() < LIMIT {
            chosen.insert(index);
        }
    }
    chosen
}

/// The entry in the middle: the nearest in guest time to the verdict's moment, else its last evidence, else the end.
fn anchor(verdict: &Verdict, entries: &[Entry]) -> usize {
    let nearest = verdict.at.and_then(|at| {
        let distance = |entry: &Entry| {
            entry.at().filter(|moment| moment.boot == at.boot).map(|moment| moment.micros.abs_diff(at.micros))
        };
        let known = entries.iter().enumerate();
        known.filter_map(|(index, entry)| Some((distance(entry)?, index))).min().map(|(_, index)| index)
    });
    nearest.or_else(|| verdict.evidence.iter().copied().max()).unwrap_or(entries.len())
}

/// The unit of a journal record; what the harness itself did concerns every verdict and has none.
fn unit(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Journal(record) => Some(record.unit().map_or("-", |unit| unit.name)),
        _ => None,
    }
}

/// Whether an entry helps without being evidence: programs and pictures are too many or too large, and health checks
/// come and go all the time.
fn tells_something(entry: &Entry) -> bool {
    match entry {
        Entry::Step { .. } | Entry::Action(_) | Entry::Boot { .. } | Entry::Broken { .. } => true,
        Entry::Journal(record) => !record.unit().is_some_and(is_health_check),
        Entry::Ready { .. } | Entry::Exec { .. } | Entry::Picture { .. } | Entry::Barrier { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Recording, UNIT, at, verdict};
    use super::*;
    use crate::judge::VerdictResult;

    /// Many records of another unit around the one that is evidence.
    fn crowd(size: usize) -> Timeline {
        let start = Recording::default().entry(Entry::Step { step: 0, at: at(1.0) });
        (0..size)
            .fold(start, |recording, index| {
                let unit = if index % 10 == 0 { UNIT } else { "other.service" };
                recording.process(2.0 + index as f64, unit, &format!("line {index}"))
            })
            .done()
    }

    fn check(size: usize, evidence: Vec<usize>) -> Around {
        let mut verdict = verdict(VerdictResult::Failed, 0, "title");
        verdict.evidence = evidence;
        verdict.at = Some(at(52.0));
        around(&verdict, &crowd(size))
    }

    #[test]
    fn rows_are_few_in_order_and_prefer_the_verdicts_unit() {
        let around = check(100, vec![51]);
        assert_eq!(around.rows.len(), LIMIT);
        let own = around.rows.iter().filter(|row| row.who == UNIT).count();
        assert!(own >= 5, "{around:#?}");
        let times: Vec<f64> = around.rows.iter().map(|r| r.time.parse().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
    }

    #[test]
    fn evidence_is_shown_however_far_away() {
        let around = check(100, vec![99, 51, 2]);
        let marked: Vec<&str> = around.rows.iter().filter(|row| row.evidence).map(|row| row.time.as_str()).collect();
        assert_eq!(marked, ["+2.000", "+51.000", "+99.000"]);
    }

    #[test]
    fn nothing_is_invented_for_an_empty_or_foreign_timeline() {
        assert_eq!(check(0, Vec::new()).rows.len(), 1);
        let foreign = check(3, vec![40]);
        assert_eq!(foreign.missing, [40]);
        assert_eq!(foreign.rows.len(), 4);
        let verdict = verdict(VerdictResult::Failed, 0, "title");
        assert!(around(&verdict, &Timeline::default()).rows.is_empty());
    }

    #[test]
    fn a_moment_of_another_boot_counts_from_its_kernel() {
        let later = Moment { boot: 1, micros: 2_500_000 };
        for (moment, expected) in [(at(101.25), "+1.250"), (at(99.0), "-1.000"), (later, "boot 1 +2.500")] {
            assert_eq!(seconds_since(moment, at(100.0)), expected);
        }
    }
}
