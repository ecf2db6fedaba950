//! What can go wrong between us and a guest; always our fault or the machine's, never the stacks'.

/// A guest that could not be spoken to, or that spoke nonsense.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine under it.
    #[error(transparent)]
    Machine(#[from] crate::machine::Error),
    /// An answer or a stream that cannot be understood.
    #[error("the guest's {what} cannot be understood: {problem}")]
    Nonsense {
        /// Which stream or answer.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// One of our own commands failed in the guest.
    #[error("`{command}` failed in the guest with exit status {status}: {said}")]
    Command {
        /// The command.
        command: String,
        /// Its exit status.
        status: i32,
        /// What it printed.
        said: String,
    },
    /// The guest did not come to rest.
    #[error("the guest did not settle within {seconds} s of guest time; still waiting for {waiting}")]
    Unsettled {
        /// The deadline.
        seconds: u64,
        /// What was missing.
        waiting: String,
    },
    /// The guest settled, but not in the state that the generation promises.
    #[error("the guest settled wrongly: {0}")]
    Wrong(String),
    /// Building the seed failed.
    #[error("cannot write the seed: {0}")]
    Seed(std::io::Error),
}
