//! Whose a record is, where the journal could not say.

use std::collections::{BTreeMap, BTreeSet};

use super::{Entry, Record, Timeline};

/// The fields that say in whose name a program wrote.
const UNITS: [&str; 2] = ["_SYSTEMD_USER_UNIT", "_SYSTEMD_UNIT"];
/// What is added to a record beside its unit, so that nobody takes it for the journal's own word.
const BY: &str = "HARNESS_ATTRIBUTED_BY";
const STREAM: &str = "_STREAM_ID";

impl Timeline {
    /// Gives a unit to records that have none because their program had ended before the journal looked for it, as curl
    /// does with its one line: what else came through the same standard output or error says whose it is, if all of it
    /// is one unit's. Called again when the recording has grown, it takes back what it gave: a stream can turn out to be
    /// two units'.
    pub fn attribute(&mut self) {
        self.take_back();
        let mut owners: BTreeMap<Stream, BTreeSet<[Option<&str>; 2]>> = BTreeMap::new();
        let mut orphans = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let Entry::Journal(record) = entry else { continue };
            let Some(stream) = stream(record) else { continue };
            match UNITS.map(|field| record.field(field)) {
                [None, None] => orphans.push((index, stream)),
                units => _ = owners.entry(stream).or_default().insert(units),
            }
        }
        let owner = |(index, stream): (usize, Stream)| {
            let owner = owners.get(&stream).filter(|owners| owners.len() == 1)?.first()?;
            Some((index, owner.map(|unit| unit.map(str::to_owned))))
        };
        let found: Vec<_> = orphans.into_iter().filter_map(owner).collect();
        for (index, owner) in found {
            let Some(Entry::Journal(record)) = self.entries.get_mut(index) else { continue };
            for (field, unit) in UNITS.into_iter().zip(owner) {
                if let Some(unit) = unit {
                    record.fields.insert(field.to_owned(), unit);
                }
            }
            record.fields.insert(BY.to_owned(), STREAM.to_owned());
        }
    }

    fn take_back(&mut self) {
        for entry in &mut self.entries {
            let Entry::Journal(record) = entry else { continue };
            if record.fields.remove(BY).is_some() {
                record.fields.retain(|field, _| !UNITS.contains(&field.as_str()));
            }
        }
    }
}

/// A stream: the boot, and its id in that.
type Stream<'a> = (u32, &'a str);

fn stream(record: &Record) -> Option<Stream<'_>> {
    record.field(STREAM).map(|stream| (record.at.boot, stream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Moment;

    fn record(boot: u32, stream: &str, unit: &str) -> Entry {
        let fields = [(STREAM, stream), ("_SYSTEMD_USER_UNIT", unit), ("MESSAGE", "m")];
        let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Entry::Journal(Record { at: Moment { boot, micros: 1 }, fields })
    }

    /// The units of all records after attribution, and whether each was given one.
    fn attributed(entries: Vec<Entry>) -> Vec<(Option<String>, bool)> {
        let mut timeline = Timeline { entries, ..Timeline::default() };
        timeline.attribute();
        let records = timeline.entries.iter().filter_map(|entry| match entry {
            Entry::Journal(record) => Some(record),
            _ => None,
        });
        records.map(|record| (record.unit().map(|unit| unit.name.to_owned()), record.field(BY).is_some())).collect()
    }

    #[test]
    fn a_stream_tells_whose_a_record_is() {
        let found = attributed(vec![record(0, "s", ""), record(0, "s", "a.service")]);
        assert_eq!(found, [(Some("a.service".into()), true), (Some("a.service".into()), false)]);
    }

    #[test]
    fn what_comes_later_can_take_a_unit_back() {
        let mut timeline =
            Timeline { entries: vec![record(0, "s", ""), record(0, "s", "a.service")], ..Timeline::default() };
        timeline.attribute();
        timeline.entries.push(record(0, "s", "b.scope"));
        timeline.attribute();
        let Entry::Journal(orphan) = &timeline.entries[0] else { panic!("a record") };
        assert_eq!((orphan.unit(), orphan.field(BY)), (None, None));
    }

    #[test]
    fn what_is_not_certain_stays_nobodys() {
        let nobody = (None, false);
        let two = attributed(vec![record(0, "s", ""), record(0, "s", "a.service"), record(0, "s", "b.scope")]);
        assert_eq!(two[0], nobody, "a stream of two units");
        assert_eq!(attributed(vec![record(1, "s", ""), record(0, "s", "a.service")])[0], nobody, "of another boot");
        assert_eq!(attributed(vec![record(0, "t", ""), record(0, "s", "a.service")])[0], nobody, "another stream");
        assert_eq!(attributed(vec![record(0, "", ""), record(0, "s", "a.service")])[0], nobody, "no stream");
    }
}
