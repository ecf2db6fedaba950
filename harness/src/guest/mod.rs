//! What can be asked of a booted guest: commands, its journal as it grows, pictures of its state. Only this module
//! knows the commands of systemd and podman.

mod action;
mod channel;
mod error;
mod follow;
mod kind;
mod look;
mod picture_script;
mod seed;
mod session;
mod settle;
mod switch;

pub use action::{Command, act};
pub use channel::{Account, Answer, Guest, PROCEDURE};
pub use error::Error;
pub use follow::Follower;
pub use kind::{DEBIAN, Kind, NIXOS};
pub use look::{Looked, Wanted};
pub use seed::{Seed, SeedFile};
pub use session::Session;
pub use settle::{Settling, rest, settle};
pub use switch::{activate, activation, reload_managers};

/// A result whose error is the guest's.
pub type Result<T, E = Error> = std::result::Result<T, E>;
