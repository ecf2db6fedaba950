//! A timeline, cut into the steps of its trial.

use std::ops::Range;
use std::time::Duration;

use crate::scenario::{Step, Trial};
use crate::timeline::{ActionDone, Entry, Moment, Record, Timeline};

use super::history::{self, Change, Taken};

/// How long a step goes on after its last positive line: for lines that wait for its end without a `within` of their own,
/// and for its picture.
pub(super) const QUIET: Duration = Duration::from_secs(3);

/// How long a positive line without `within` waits after the last action's end.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A timeline and what is derived from it once.
pub(super) struct Recording<'a> {
    pub trial: &'a Trial,
    pub entries: &'a [Entry],
    /// The changes of all units, in the order of guest time.
    pub changes: Vec<Change<'a>>,
    pub pictures: Vec<Taken<'a>>,
}

/// From when on the journal and the started programs are looked at: each has its own end in the step before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    pub journal: Moment,
    pub programs: Moment,
}

impl Since {
    /// Both from the same moment on.
    pub fn moment(at: Moment) -> Self {
        Self { journal: at, programs: at }
    }
}

/// One step: what was recorded of it.
pub(super) struct StepView<'r, 'a> {
    pub recording: &'r Recording<'a>,
    pub index: usize,
    pub step: &'a Step,
    /// Where its entries are.
    pub range: Range<usize>,
    /// When it began.
    pub begin: Moment,
    /// From when on nobody has looked at what happened before it began: that counts against lines which allow only so
    /// much.
    pub unseen: Since,
    /// From when `within` counts: its first action, or the start of the boot that its actions caused.
    pub origin: Moment,
    /// The end of its last action so far.
    pub acted: Moment,
    /// Its actions, each with its entry.
    pub actions: Vec<(usize, &'a ActionDone)>,
    /// The last picture before it.
    pub before: Option<Taken<'a>>,
    /// The picture at its end.
    pub after: Option<Taken<'a>>,
    /// The barrier at its end and its entry.
    pub barrier: Option<(usize, Moment)>,
}

impl<'a> Recording<'a> {
    pub fn new(trial: &'a Trial, timeline: &'a Timeline) -> Self {
        let entries = &timeline.entries[..end_of_trial(trial, &timeline.entries)];
        Self { trial, entries, changes: history::changes(entries), pictures: history::pictures(entries) }
    }

    /// The place of the `Ready` entry.
    pub fn ready(&self) -> Option<usize> {
        self.entries.iter().position(|entry| matches!(entry, Entry::Ready { .. }))
    }

    /// The records of the journal in a range of entries.
    pub fn records(&self, range: Range<usize>) -> impl Iterator<Item = (usize, &'a Record)> {
        let entries = self.entries;
        range.filter_map(move |index| match entries.get(index) {
            Some(Entry::Journal(record)) => Some((index, record)),
            _ => None,
        })
    }

    /// A step, if it began.
    pub fn step<'r>(&'r self, index: usize) -> Option<StepView<'r, 'a>> {
        let step = self.trial.steps.get(index)?;
        let (start, begin) = self.entries.iter().enumerate().find_map(|(place, entry)| match entry {
            Entry::Step { step, at } if *step == index => Some((place, *at)),
            _ => None,
        })?;
        let end = self.entries[start + 1..]
            .iter()
            .position(|entry| matches!(entry, Entry::Step { .. }))
            .map_or(self.entries.len(), |length| start + 1 + length);
        let range = start..end;
        let actions = actions(self.entries, &range, index);
        let first = actions.iter().map(|(_, done)| done.from).min().unwrap_or(begin);
        let ended = actions.iter().map(|(_, done)| done.to).max().unwrap_or(begin);
        let booted = self.entries[range.clone()].iter().rev().find_map(|entry| match entry {
            Entry::Boot { at } => Some(Moment { boot: at.boot, micros: 0 }),
            _ => None,
        });
        let before = self.pictures.iter().rfind(|taken| taken.index < start).copied();
        let barrier_before = self.entries[..start].iter().rev().find_map(|entry| match entry {
            Entry::Barrier { at, .. } => Some(*at),
            _ => None,
        });
        let behind = |moment: Option<Moment>| {
            let moment = moment.filter(|at| at.boot == begin.boot && *at < begin);
            moment.map_or(begin, |at| Moment { micros: at.micros + 1, ..at })
        };
        Some(StepView {
            recording: self,
            index,
            step,
            begin,
            unseen: Since { journal: behind(barrier_before), programs: behind(before.map(|taken| taken.at)) },
            origin: booted.unwrap_or(first),
            acted: booted.map_or(ended, |booted| booted.max(ended)),
            before,
            after: self.after(&range, index),
            barrier: barrier(self.entries, &range, index),
            actions,
            range,
        })
    }

    fn after(&self, range: &Range<usize>, step: usize) -> Option<Taken<'a>> {
        let taken = self.pictures.iter().rfind(|taken| range.contains(&taken.index)).copied()?;
        let ends = matches!(&self.entries[taken.index], Entry::Picture { step: of, .. } if *of == Some(step));
        ends.then_some(taken)
    }

    /// The latest moment of guest time that the recording knows of.
    pub fn now(&self) -> Option<Moment> {
        self.entries.iter().filter_map(Entry::at).max()
    }
}

impl<'a> StepView<'_, 'a> {
    /// The end of a `within`.
    pub fn deadline(&self, within: Duration) -> Moment {
        later(self.origin, within)
    }

    /// The guest time from the action to a moment.
    pub fn elapsed(&self, at: Moment) -> Duration {
        let from = if at.boot == self.origin.boot { self.origin.micros } else { self.begin.micros };
        Duration::from_micros(at.micros.saturating_sub(from))
    }

    /// The changes of units from a moment to the step's end.
    pub fn changes(&self, from: Moment) -> impl Iterator<Item = &Change<'a>> {
        let end = self.range.end;
        let changes = self.recording.changes.iter();
        changes.filter(move |change| change.index < end && change.at >= from)
    }

    /// The journal's records from a moment to the step's end. One that is older than the step belongs to what was before,
    /// even if it arrived late.
    pub fn records(&self, from: Moment) -> impl Iterator<Item = (usize, &'a Record)> {
        let records = self.recording.records(0..self.range.end);
        records.filter(move |(_, record)| record.at >= from)
    }
}

/// A moment so much later.
pub(super) fn later(at: Moment, by: Duration) -> Moment {
    let by = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
    Moment { boot: at.boot, micros: at.micros.saturating_add(by) }
}

/// The trial is over with the picture and the barrier of its last step; what comes behind them is not judged.
fn end_of_trial(trial: &Trial, entries: &[Entry]) -> usize {
    let Some(last) = trial.steps.len().checked_sub(1) else {
        return entries.len();
    };
    let picture = entries.iter().rposition(|entry| matches!(entry, Entry::Picture { step, .. } if *step == Some(last)));
    let barrier = entries.iter().rposition(|entry| matches!(entry, Entry::Barrier { step, .. } if *step == Some(last)));
    match (picture, barrier) {
        (Some(picture), Some(barrier)) => picture.max(barrier) + 1,
        _ => entries.len(),
    }
}

fn actions<'a>(entries: &'a [Entry], range: &Range<usize>, step: usize) -> Vec<(usize, &'a ActionDone)> {
    range
        .clone()
        .filter_map(|index| match &entries[index] {
            Entry::Action(done) if done.step == Some(step) => Some((index, done)),
            _ => None,
        })
        .collect()
}

fn barrier(entries: &[Entry], range: &Range<usize>, step: usize) -> Option<(usize, Moment)> {
    range.clone().rev().find_map(|index| match &entries[index] {
        Entry::Barrier { step: of, at } if *of == Some(step) => Some((index, *at)),
        _ => None,
    })
}
