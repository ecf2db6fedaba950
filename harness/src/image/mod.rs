//! Builds, finds and verifies guest images and everything else that is worth keeping between runs.
//!
//! All of it is blocking code that prints nothing: whoever calls it hands in a [`Progress`] and words things for
//! people. Every product is an entry of the content-addressed [`Store`]; nothing outside that folder is written.

mod archive;
mod clean;
mod command;
mod digest;
mod error;
pub mod guest;
pub mod guest_program;
mod initrd;
mod key;
mod lock;
mod sources;
pub mod store;
pub mod test_image;
pub mod tools;

pub use clean::Content;
pub use command::end_programs;
pub use error::{Error, Result};
pub use key::{Key, KeyBuilder};
pub use store::{Begun, Entry, Finding, Store, Unfinished};

/// Hears what a long operation is doing. The methods may be called from any thread.
pub trait Progress: Send + Sync {
    /// A new phase begins, such as "installing packages".
    fn phase(&self, text: &str);

    /// The operation waits for somebody else, said once a wait.
    fn waiting(&self, text: &str);

    /// Something happened that people should know of although it stops nothing, such as a damaged entry being rebuilt.
    fn notice(&self, text: &str);
}

/// A [`Progress`] for callers that want to hear nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: &str) {}
    fn waiting(&self, _: &str) {}
    fn notice(&self, _: &str) {}
}
