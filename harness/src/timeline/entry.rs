//! The entries of a timeline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Picture;

/// A moment of guest time: the boot it belongs to and the monotonic clock of that boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment {
    /// 0 for the boot the template was frozen in, 1 after the first reboot, and so on.
    pub boot: u32,
    /// CLOCK_MONOTONIC of that boot, in microseconds.
    pub micros: u64,
}

/// Which trial a timeline was recorded in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// `igpu::failure::missing-secret-fails-hard`.
    pub trial: String,
    /// The path of the scenario file.
    pub scenario: String,
    /// The host's name.
    pub host: String,
}

/// Everything recorded in one trial.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// The trial it belongs to.
    pub header: Header,
    /// The entries in the order in which they were recorded.
    pub entries: Vec<Entry>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "kebab-case")]
pub enum Entry {
    /// The trial's `given` is done and its first picture taken; steps follow.
    Ready {
        /// When.
        at: Moment,
    },
    /// A step begins.
    Step {
        /// Its index.
        step: usize,
        /// When.
        at: Moment,
    },
    /// An action of a step (or of `given`, where `step` is none) was done.
    Action(ActionDone),
    /// A record of the journal.
    Journal(Record),
    /// A program was started in the guest.
    Exec {
        /// When.
        at: Moment,
        /// Its arguments, the first being the program as it was called; long ones are cut off.
        arguments: Vec<String>,
    },
    /// The state of the guest: the one before the steps, or at the end of a step.
    Picture {
        /// The step that it ends; none for the first picture.
        step: Option<usize>,
        /// When the guest began to take it.
        at: Moment,
        /// The state.
        picture: Picture,
    },
    /// The guest has synchronised its journal and everything before this moment has arrived.
    Barrier {
        /// The step that it ends; none for the one after the first picture.
        step: Option<usize>,
        /// The guest's clock when it wrote the barrier's record.
        at: Moment,
    },
    /// The guest was started again.
    Boot {
        /// The first moment of the new boot.
        at: Moment,
    },
    /// Something on our side went wrong: the verdict is broken.
    Broken {
        /// What, as a sentence with what to do about it.
        reason: String,
    },
}

impl Entry {
    /// The moment that the entry is about: the end, for an action. None where the guest had no part in it.
    pub fn at(&self) -> Option<Moment> {
        match self {
            Self::Ready { at }
            | Self::Step { at, .. }
            | Self::Exec { at, .. }
            | Self::Picture { at, .. }
            | Self::Barrier { at, .. }
            | Self::Boot { at } => Some(*at),
            Self::Action(done) => Some(done.to),
            Self::Journal(record) => Some(record.at),
            Self::Broken { .. } => None,
        }
    }
}

/// The end of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionDone {
    /// The step it belongs to; none for `given`.
    pub step: Option<usize>,
    /// Its index among the step's actions.
    pub index: usize,
    /// The command as a person would write it.
    pub command: String,
    /// When the guest began it.
    pub from: Moment,
    /// When it was done.
    pub to: Moment,
    /// The exit status.
    pub exit: i32,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
    /// Whether it was ended because its time was over.
    pub timed_out: bool,
}

/// A record of the journal. Fields are texts; bytes that are no UTF-8 are replaced, several values of one field are
/// joined with newlines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `__MONOTONIC_TIMESTAMP` in the boot of `_BOOT_ID`.
    pub at: Moment,
    /// All fields but the addresses (`__CURSOR` and its like are kept too).
    pub fields: BTreeMap<String, String>,
}
