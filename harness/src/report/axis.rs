//! The horizontal axis of a drawing of a timeline.

use std::collections::BTreeMap;

use crate::timeline::{Entry, Moment, Timeline};

/// The drawing's width, and that of the names at its left, in its own units.
pub(super) const WIDTH: f64 = 1000.0;
pub(super) const NAMES: f64 = 230.0;

/// Guest time as a place in the drawing; boots stand one behind the other.
pub(super) struct Axis {
    /// The first and last microsecond of each boot, and the seconds of all boots before it.
    boots: BTreeMap<u32, (u64, u64, f64)>,
    /// Seconds of guest time in all.
    pub(super) total: f64,
}

impl Axis {
    /// The axis on which everything in the timeline has its place.
    pub(super) fn new(timeline: &Timeline) -> Self {
        let mut boots: BTreeMap<u32, (u64, u64, f64)> = BTreeMap::new();
        for at in timeline.entries.iter().filter_map(Entry::at) {
            let (first, last, _) = boots.entry(at.boot).or_insert((at.micros, at.micros, 0.0));
            *first = at.micros.min(*first);
            *last = at.micros.max(*last);
        }
        let mut total = 0.0;
        for (first, last, before) in boots.values_mut() {
            *before = total;
            total += (*last - *first) as f64 / 1e6;
        }
        Self { boots, total }
    }

    /// The place of a moment; one of a boot that the timeline does not have is at the left.
    pub(super) fn place(&self, at: Moment) -> f64 {
        let seconds = self
            .boots
            .get(&at.boot)
            .map_or(0.0, |(first, _, before)| before + at.micros.saturating_sub(*first) as f64 / 1e6);
        // A recording in which no time passed has all its entries at the left.
        NAMES + (WIDTH - NAMES) * seconds / self.total.max(1e-6)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{at, timeline};
    use super::*;

    #[test]
    fn moments_have_places_and_boots_follow_each_other() {
        let mut timeline = timeline();
        let later = |micros| Moment { boot: 1, micros };
        timeline.entries.push(Entry::Boot { at: later(6_100_000) });
        let axis = Axis::new(&timeline);
        let middle = (NAMES + WIDTH) / 2.0;
        for (moment, place) in [
            (at(100.0), NAMES),
            (at(106.1), middle),
            (later(0), middle),
            (later(6_100_000), WIDTH),
            (Moment { boot: 7, micros: 1 }, NAMES),
        ] {
            assert!((axis.place(moment) - place).abs() < 0.01, "{moment:?}");
        }
        assert!((axis.total - 12.2).abs() < 0.01);
    }
}
