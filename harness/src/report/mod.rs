//! Words events, verdicts and timelines for people and for other programs.
//!
//! This module decides nothing and looks at nothing: no clock, no file system, no process. What it is given becomes
//! text, into a `String` or a `Write`. Colour never carries meaning alone: each outcome is also a word.

mod around;
mod axis;
mod coverage;
mod event_log;
mod excerpt;
mod explanation;
mod failure;
mod html;
mod journal;
mod junit;
mod list;
mod row;
#[cfg(test)]
pub(crate) mod sample;
mod standing;
mod strip;
mod style;
mod summary;
mod terminal;

pub use coverage::{coverage, coverage_json, coverage_table};
pub use event_log::{EventLog, ReadEventsError, read_events};
pub use failure::failure;
pub use html::html;
pub use journal::timeline_text;
pub use junit::{JunitError, junit};
pub use list::{list, list_json};
pub use style::Style;
pub use terminal::{Terminal, TerminalOptions};
