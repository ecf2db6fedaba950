//! From the text of a scenario file to trials that can be run and judged, or every mistake at once, each with its place.
//!
//! A scenario is read against the [`World`]: the hosts, statements and faults that exist. Reading resolves every
//! target (`@unit`, `@others`, …) for every host, so that nothing behind this module handles a half-resolved name.
//! This module is pure: it takes texts and gives values, and imports nothing else of the crate.

mod act;
mod connection;
mod container_line;
mod context;
mod coverage;
mod diagnostic;
mod expectation;
mod line;
mod model;
mod read;
mod reference;
mod table;
mod target;
mod words;
mod world;

#[cfg(test)]
mod tests;

pub use coverage::{Coverage, Standing, coverage, in_order};
pub use expectation::*;
pub use model::*;
pub use read::{place_of, read, read_all};
pub use reference::reference;
pub use world::*;
