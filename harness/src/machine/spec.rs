//! What a machine is made of: everything that QEMU's command line depends on.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Accelerator;

/// How time passes in a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The guest's clock counts its own instructions and jumps over idle time; one processor.
    Virtual,
    /// The guest's clock is the host's.
    Real,
}

/// A disk of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The serial number by which the guest finds it, also the name of its overlay.
    pub serial: String,
    /// The image that it shows. It is never written to: writable disks get an overlay.
    pub base: PathBuf,
    /// `raw` or `qcow2`.
    pub format: String,
    /// Whether the guest may write to it.
    pub writable: bool,
}

/// A machine as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// What runs its instructions.
    pub accelerator: Accelerator,
    /// How time passes in it.
    pub clock: Clock,
    /// How many processors it has.
    pub cpus: u8,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// The kernel.
    pub kernel: PathBuf,
    /// The initial RAM disk.
    pub initrd: PathBuf,
    /// The kernel's command line.
    pub append: String,
    /// The disks, in the order in which the guest numbers them.
    pub disks: Vec<Disk>,
}

impl Spec {
    /// Whether guest time stands still between commands: counted instructions are QEMU's own, not the processor's.
    pub fn pauses(&self) -> bool {
        self.clock == Clock::Virtual && self.accelerator == Accelerator::Tcg
    }
}
