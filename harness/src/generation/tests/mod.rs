//! What holds for every generation that the project renders, and which others are refused.

mod hosts;
mod refused;
mod schema;

use std::path::PathBuf;

/// The repository's own folder.
fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}
