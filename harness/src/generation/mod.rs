//! What is tested: a generation of units, scripts, compose files and a manifest that names them.
//!
//! This module renders generations from the stack library, writes and reads them as folders, checks them, and patches
//! them with faults. It blocks, and knows nothing of guests.

mod fault;
mod files;
mod manifest;
mod render;
#[cfg(test)]
mod tests;

pub use fault::{Fault, Patched};
pub use files::Generation;
pub use manifest::{Activation, InstalledFile, Link, Manifest, NativeUnit, Secret, Service, Stack, UnitName, User};
pub use render::{hosts, inputs, render, variants};

use std::path::PathBuf;

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
    #[error("fault `{id}` in fixtures/faults.toml: {problem}")]
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
}
