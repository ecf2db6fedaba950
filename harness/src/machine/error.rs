//! What can go wrong with a machine; always our fault or the host's, never the stacks'.

use std::path::PathBuf;

/// A machine that could not be started, frozen, cloned or spoken to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file, folder or socket could not be used.
    #[error("cannot {operation} {path}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// QEMU could not be started at all.
    #[error("cannot start {program}: {source}; `harness doctor` tells what is missing")]
    Start {
        /// The program.
        program: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// QEMU ended while it was needed.
    #[error("QEMU ended ({status}) while the harness was waiting {waiting}; {said}{advice}", advice = advice(said))]
    Died {
        /// Its exit status in words.
        status: String,
        /// What was being waited for.
        waiting: String,
        /// The ends of its standard error and of the console.
        said: String,
    },
    /// QEMU refused a command of its machine protocol.
    #[error("QEMU refused `{command}`: {answer}")]
    Refused {
        /// The command.
        command: String,
        /// The error it gave.
        answer: String,
    },
    /// The machine protocol broke off.
    #[error("QEMU's control socket closed during `{command}`")]
    Closed {
        /// The command.
        command: String,
    },
    /// The time for something was over while guest time stood still.
    #[error("waited {seconds} s of host time {waiting}, in vain; {said}")]
    Timeout {
        /// What was being waited for, beginning with "for".
        waiting: String,
        /// How long.
        seconds: u64,
        /// The ends of QEMU's standard error and of the console.
        said: String,
    },
    /// A guest whose time must stand still between commands did not stop.
    #[error(
        "the guest did not pause itself within {seconds} s after its answer {waiting}: its time ran on unwatched; something in it may have ended /run/harness/pause"
    )]
    Restless {
        /// What was being waited for, beginning with "for".
        waiting: String,
        /// How long, host seconds.
        seconds: u64,
    },
    /// The guest's kernel panicked.
    #[error("the guest's kernel panicked while the harness was waiting {waiting}; it said: {kernel}")]
    Panicked {
        /// What was being waited for.
        waiting: String,
        /// What the kernel said of it.
        kernel: String,
    },
    /// The guest stopped its machine, as a kernel that panics does, but nothing on the console says so.
    #[error(
        "the guest stopped its machine without an answer while the harness was waiting {waiting}: its kernel panicked, as \
         a rule, but the console does not say so; its processors were at {pointers}; {said}"
    )]
    Stopped {
        /// What was being waited for.
        waiting: String,
        /// The instruction pointers of its processors: the kernel's begin with `ffffffff`.
        pointers: String,
        /// The ends of QEMU's standard error and of the console.
        said: String,
    },
    /// Something else than the harness uses the root shell.
    #[error(
        "the guest printed on its root shell after the banner: {said}; the shell is the harness's alone, so find what else writes to /dev/hvc0"
    )]
    Chatter {
        /// What it printed.
        said: String,
    },
    /// A start script that is not one of a NixOS test node.
    #[error("the start script {script} {problem}; use the one that NixOS makes for a test node", script = script.display())]
    Script {
        /// The script.
        script: PathBuf,
        /// What it does.
        problem: &'static str,
    },
    /// A machine that cannot be frozen and cloned, with the reason and what to do.
    #[error("{0}")]
    Unfreezable(String),
    /// A disk of the guest could not be written: the host's disk with the cache is full, as a rule.
    #[error(
        "QEMU could not write the guest's disk {disk} while the harness was waiting {waiting}: {reason}; free some \
         space where the cache is, or set HARNESS_CACHE to a folder on a larger disk"
    )]
    DiskError {
        /// The disk, as QEMU calls it.
        disk: String,
        /// What was being waited for.
        waiting: String,
        /// The system's reason.
        reason: String,
    },
    /// Not enough memory on the host for one more machine.
    #[error(
        "the host has {available_mib} MiB of memory left and a machine needs {needed_mib} MiB; run fewer at once with --jobs, or end other programs"
    )]
    Memory {
        /// Free memory, MiB.
        available_mib: u64,
        /// Needed, MiB.
        needed_mib: u64,
    },
    /// QEMU's version could not be told or is too old.
    #[error("{0}")]
    Version(String),
}

impl Error {
    /// Adds what was tried, and on what, to an error of the operating system.
    pub(super) fn io(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { operation, path, source }
    }
}

/// What to do about the words with which QEMU ended, where that is known.
fn advice(said: &str) -> &'static str {
    let known = [
        ("is too long", "; the folder of machines has too long a name: set HARNESS_CACHE to a shorter one"),
        ("Cannot allocate memory", "; run fewer machines at once with --jobs"),
        ("Could not access KVM", "; let this user use /dev/kvm, or have none and wait longer"),
    ];
    known.iter().find(|(words, _)| said.contains(words)).map_or("", |(_, advice)| advice)
}
