//! What happened in a guest, in order, as values that can be written down, read back and judged again.
//!
//! This module is pure: it parses the journal's JSON and the guest's answers, and imports nothing else of the crate.

mod entry;
mod picture;

pub use entry::*;
pub use picture::*;
