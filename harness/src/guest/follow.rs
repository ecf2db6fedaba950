//! The journal of a guest as it grows, read from a stream of its own.

use std::collections::{BTreeMap, VecDeque};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use crate::machine::Machine;
use crate::timeline::Record;

use super::{Error, Result};

/// Reads the stream all the time, so that the guest never waits for us, and hands out records when asked.
#[derive(Debug)]
pub struct Follower {
    lines: mpsc::UnboundedReceiver<Vec<u8>>,
    /// Records that were parsed while something else was waited for.
    pending: VecDeque<Record>,
    /// The boot ids seen so far, oldest first: their index is the boot's number.
    pub(super) boots: Vec<String>,
    /// Whether the guest is being restarted: its last line may be cut off.
    pub(super) reboots: bool,
    /// The place in the journal of the last record of each boot.
    cursors: BTreeMap<u32, String>,
}

impl Follower {
    pub(super) fn start(machine: &mut Machine) -> Result<Follower> {
        let Some(stream) = machine.take_journal() else {
            return Err(Error::Nonsense { what: "journal", problem: "its stream is read already".to_owned() });
        };
        let (sender, lines) = mpsc::unbounded_channel();
        tokio::spawn(read_lines(stream, sender));
        Ok(Follower { lines, pending: VecDeque::new(), boots: Vec::new(), reboots: false, cursors: BTreeMap::new() })
    }

    /// The records that have arrived and were not yet taken.
    pub fn take(&mut self) -> Result<Vec<Record>> {
        while let Ok(line) = self.lines.try_recv() {
            self.parse(&line)?;
        }
        Ok(self.pending.drain(..).collect())
    }

    /// Takes records up to the first that `wanted` recognises, which is the last of them. The guest must have written
    /// it already: the stream is all that is waited for. Whoever gives up waiting loses nothing: what has arrived stays.
    pub async fn take_until(&mut self, wanted: impl Fn(&Record) -> bool) -> Result<Vec<Record>> {
        let mut seen = 0;
        loop {
            if let Some(found) = self.pending.iter().skip(seen).position(&wanted) {
                return Ok(self.pending.drain(..=seen + found).collect());
            }
            seen = self.pending.len();
            let Some(line) = self.lines.recv().await else {
                return Err(Error::Nonsense { what: "journal", problem: "its stream ended".to_owned() });
            };
            self.parse(&line)?;
        }
    }

    /// The number of the boot that the guest is in.
    pub fn current_boot(&self) -> u32 {
        u32::try_from(self.boots.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The id of the boot before this one, and the place in the journal of its last record that has come over the stream.
    pub(super) fn last_boot(&self) -> Option<(&str, &str)> {
        let boot = self.current_boot().checked_sub(1)?;
        Some((self.boots.get(usize::try_from(boot).ok()?)?, self.cursors.get(&boot)?))
    }

    /// Puts records back that were taken too early.
    pub(super) fn put_back(&mut self, records: Vec<Record>) {
        records.into_iter().rev().for_each(|record| self.pending.push_front(record));
    }

    /// Adds lines of the boot before this one, behind those that have come over the stream.
    pub(super) fn add_to_last_boot(&mut self, lines: &str) -> Result<()> {
        let boot = self.current_boot();
        let new = self.pending.iter().position(|record| record.at.boot == boot).unwrap_or(self.pending.len());
        let streamed = self.pending.split_off(new);
        lines.lines().try_for_each(|line| self.parse(line.as_bytes()))?;
        self.pending.extend(streamed);
        Ok(())
    }

    /// Notes the boot that the guest is in.
    pub(super) fn boot(&mut self, id: String) {
        if !self.boots.contains(&id) {
            self.boots.push(id);
        }
    }

    fn parse(&mut self, line: &[u8]) -> Result<()> {
        let text = String::from_utf8_lossy(line);
        if text.trim().is_empty() {
            return Ok(());
        }
        let boots = &mut self.boots;
        let number = |id: &str| {
            let known = boots.iter().position(|boot| boot == id).unwrap_or_else(|| {
                boots.push(id.to_owned());
                boots.len() - 1
            });
            u32::try_from(known).unwrap_or(u32::MAX)
        };
        match Record::parse(text.trim_end(), number) {
            Ok(record) => {
                // What the new boot has written comes behind all that the old one has.
                self.reboots &= record.at.boot != self.current_boot();
                if let Some(cursor) = record.field("__CURSOR") {
                    self.cursors.insert(record.at.boot, cursor.to_owned());
                }
                self.pending.push_back(record);
            }
            // The line that was being written when the machine stopped is not a record.
            Err(_) if self.reboots => {}
            Err(error) => return Err(Error::Nonsense { what: "journal", problem: error.to_string() }),
        }
        Ok(())
    }
}

async fn read_lines(stream: UnixStream, sender: mpsc::UnboundedSender<Vec<u8>>) {
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    loop {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line).await {
            // A stream that ends or fails closes the channel, which whoever waits for a record is told.
            Ok(0) | Err(_) => return,
            Ok(_) if sender.send(line).is_err() => return,
            Ok(_) => {}
        }
    }
}
