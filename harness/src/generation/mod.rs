//! What is tested: a generation of units, scripts, compose files and a manifest that names them.
//!
//! This module renders generations from the stack library, writes and reads them as folders, checks them, and patches
//! them with faults. It blocks, and knows nothing of guests.

mod check;
mod compose;
mod delta;
mod diff;
mod fault;
mod files;
mod manifest;
mod render;
#[cfg(test)]
mod tests;
mod unit_file;

pub use compose::Asked;
pub use delta::Delta;
pub use diff::{Change, Diff, FileDiff, Lines, UnitDiff};
pub use fault::Fault;
pub use files::{BASE, Generation};
pub use manifest::{InstalledFile, Link, Manifest, NativeUnit, Scope, Secret, Service, Stack, UnitName, User};
pub use render::{hosts, inputs, render};

use std::path::{Path, PathBuf};

/// The file that makes a folder a generation.
const MANIFEST: &str = "manifest.json";

/// A generation that could not be rendered, read or patched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder could not be used.
    #[error("cannot {operation} {path}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Nix could not be started.
    #[error("cannot start nix-instantiate, which renders the stacks: {0}; `harness doctor --install` installs it")]
    NoNix(std::io::Error),
    /// Nix refused the expression.
    #[error("nix-instantiate could not render host {host}:\n{said}")]
    Render {
        /// The host.
        host: String,
        /// What it said.
        said: String,
    },
    /// The manifest or what Nix printed is not what it should be.
    #[error("{place}: {problem}")]
    Manifest {
        /// The file, and the place in it where there is one.
        place: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A fault that does not exist, or no longer fits.
    #[error("fault `{id}`: {problem}")]
    Fault {
        /// The fault.
        id: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// A result whose error is the generation's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    fn io(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { operation, path, source }
    }

    /// The same error, with its place as seen from outside of the generation's folder.
    fn below(self, folder: &Path) -> Error {
        match self {
            Error::Manifest { place, problem } if place.starts_with('/') => {
                let place_in_manifest = format!("{place}: {problem}");
                Error::Manifest { place: folder.join(MANIFEST).display().to_string(), problem: place_in_manifest }
            }
            Error::Manifest { place, problem } => {
                Error::Manifest { place: folder.join(place).display().to_string(), problem }
            }
            other => other,
        }
    }
}
