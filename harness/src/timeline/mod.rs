//! What happened in a guest, in order, as values that can be written down, read back and judged again.
//!
//! This module is pure: it parses the journal's JSON and the guest's answers, and imports nothing else of the crate.

mod attribution;
mod containers;
mod entry;
mod error;
mod exec;
mod files;
mod lines;
mod picture;
mod record;
mod remains;
mod sockets;
mod transition;
mod units;

pub use containers::parse_containers;
pub use entry::*;
pub use error::ParseError;
pub use exec::parse_exec_trace;
pub use files::parse_files;
pub use picture::*;
pub use record::UnitRef;
pub use remains::{Traces, parse_remains};
pub use sockets::parse_sockets;
pub use transition::{
    MESSAGE_ID_COREDUMP, MESSAGE_ID_JOURNAL_STOPPED, MESSAGE_ID_OOMD_KILL, Transition, TransitionKind,
};
pub use units::{parse_unit_list, parse_units};
