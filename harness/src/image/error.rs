//! What can go wrong here, each with the operation, what it was done to, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// The result of everything in this folder.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an image, a cache entry or a host tool is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file operation failed.
    #[error("cannot {operation} {}: {source}{}", .path.display(), advice(.source))]
    Io {
        /// What was tried, as a verb: "create", "read".
        operation: &'static str,
        /// The file or folder it was tried on.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },

    /// Neither `$HARNESS_CACHE` nor a home directory says where the cache should be.
    #[error("cannot choose a cache folder: this user has no home directory; set HARNESS_CACHE to a folder of yours")]
    NoCacheFolder,

    /// A cache entry is not what its build left behind.
    #[error(
        "the cache entry {} is damaged: {difference}; remove that folder and it is built anew, or run \
         `harness doctor --verify` to check the whole cache",
        .entry.display()
    )]
    Damaged {
        /// The entry's folder.
        entry: PathBuf,
        /// Which file differs, and how.
        difference: String,
    },

    /// A name that becomes part of a path has characters that do not belong there.
    #[error("cannot use {name:?} as a kind of cache entry: only lower-case letters, digits and '-' are allowed")]
    BadKind {
        /// The name as given.
        name: String,
    },

    /// A program that the operation needs is not installed.
    #[error("cannot find the program {program} (it {purpose}); install it with `{install}`")]
    MissingTool {
        /// The program's name.
        program: &'static str,
        /// What it is needed for.
        purpose: &'static str,
        /// The command that installs it.
        install: String,
    },

    /// Everything shall end.
    #[error("interrupted: no program is started any more")]
    Ended,

    /// A program ran and failed.
    #[error("cannot {operation}: {program} ended with {status}; its last lines:\n{last_lines}\n{advice}")]
    Command {
        /// What the program was to do.
        operation: &'static str,
        /// The program's name.
        program: String,
        /// Exit code or signal.
        status: String,
        /// The end of its output.
        last_lines: String,
        /// What to do about it.
        advice: &'static str,
    },

    /// The operation cannot work on this machine as it is set up.
    #[error("cannot {operation}: {reason}; {advice}")]
    Host {
        /// What was tried.
        operation: &'static str,
        /// Why it cannot work.
        reason: String,
        /// What to do about it.
        advice: String,
    },

    /// A file does not have the content it must have.
    #[error("cannot use {what}: {reason}")]
    Content {
        /// The file or text in question.
        what: String,
        /// What is wrong with it and what would be right.
        reason: String,
    },
}

impl Error {
    /// Wraps the error of a file operation; to be used as `map_err(Error::io("read", path))`.
    pub(crate) fn io(operation: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { operation, path: path.as_ref().to_path_buf(), source }
    }
}

/// What to do about a system error, as the rest of a sentence; empty where the error says it all.
fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; make it writable for this user, or set HARNESS_CACHE to a folder that is"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "; free some space, or set HARNESS_CACHE to a folder on a larger disk"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_errors_say_what_to_do() {
        let check = |kind: io::ErrorKind, advice: &str| {
            let text = Error::io("create", "/cache")(io::Error::from(kind)).to_string();
            assert!(text.starts_with("cannot create /cache: ") && text.ends_with(advice), "{text}");
        };
        check(io::ErrorKind::PermissionDenied, "or set HARNESS_CACHE to a folder that is");
        check(io::ErrorKind::ReadOnlyFilesystem, "or set HARNESS_CACHE to a folder that is");
        check(io::ErrorKind::StorageFull, "or set HARNESS_CACHE to a folder on a larger disk");
        check(io::ErrorKind::NotFound, "not found");
    }
}
