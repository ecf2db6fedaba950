//! What can go wrong in a run before or beside its trials.

use std::path::PathBuf;

/// A run that cannot begin or go on. [`Error::is_usage`] tells mistakes of whoever called from our own.
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
    /// The cache, the guest image or a host tool.
    #[error(transparent)]
    Image(#[from] crate::image::Error),
    /// The generation.
    #[error(transparent)]
    Generation(#[from] crate::generation::Error),
    /// The machine.
    #[error(transparent)]
    Machine(#[from] crate::machine::Error),
    /// The guest.
    #[error(transparent)]
    Guest(#[from] crate::guest::Error),
    /// A file of the project that is not what it should be.
    #[error("{place}: {problem}")]
    Project {
        /// The file.
        place: String,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Something that the caller named does not exist.
    #[error("{0}")]
    Usage(String),
    /// A bake that failed.
    #[error("{error}\nthe console, and the journal if there was one, are in {kept}", kept = kept.display())]
    Bake {
        /// Why.
        error: Box<Error>,
        /// Where what it left can be read.
        kept: PathBuf,
    },
    /// A bake that another trial of this process needed, too, has failed.
    #[error("{0}")]
    Shared(String),
    /// The run was interrupted.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Adds what was tried, and on what, to an error of the operating system.
    pub(crate) fn io(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { operation, path, source }
    }

    /// Whether the caller made the mistake (exit code 2), and not we or the machine.
    pub fn is_usage(&self) -> bool {
        matches!(self, Error::Usage(_) | Error::Project { .. })
            || matches!(
                self,
                Error::Generation(crate::generation::Error::Manifest { .. } | crate::generation::Error::Fault { .. })
            )
    }
}
