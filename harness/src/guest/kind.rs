//! The kinds of guests: what differs between them, one row a kind. Everything else is the same for all of them.

use crate::generation::{Difference, User};

use super::{Command, Result, switch};

/// Makes a command of a difference between two generations, of secrets by the path where they belong, and of whose they
/// are.
type Replace = fn(&Difference, &[(String, Vec<u8>)], &User) -> Result<Command>;

/// A kind of guest.
#[derive(Debug)]
pub struct Kind {
    /// What it is called.
    pub name: &'static str,
    /// Where the user's commands find programs.
    pub path: &'static str,
    /// Gives files of the generation, and secrets by the path where they belong, another content.
    pub(crate) replace: Replace,
    /// Puts a variant, or the base, in the place of what is there, where that is not done by replacing files.
    pub switch: Option<fn(&str) -> Command>,
}

/// The guest that the harness builds from Debian's packages.
pub static DEBIAN: Kind = Kind {
    name: "debian",
    path: "/run/current-system/sw/bin:/usr/bin:/usr/sbin:/bin",
    replace: switch::install,
    switch: None,
};

/// A test node of NixOS. Its programs that change the user are wrapped; its files are links into a store that nobody can
/// write to, so others are mounted over them; and its variants are specialisations.
pub static NIXOS: Kind = Kind {
    name: "nixos",
    path: "/run/wrappers/bin:/run/current-system/sw/bin",
    replace: switch::mount_over,
    switch: Some(switch::specialise),
};
