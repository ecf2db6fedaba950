//! What a machine is made of: everything that QEMU's command line depends on.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Accelerator;

/// How time passes in a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The guest's clock counts its own instructions and jumps over idle time; several processors take turns.
    Virtual,
    /// The guest's clock is the host's.
    Real,
}

/// A disk of a machine that we start ourselves: a raw image, which is never written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The serial number by which the guest finds it, also the name of its copy.
    pub serial: String,
    /// The image that it shows.
    pub base: PathBuf,
    /// How the guest gets at it.
    pub access: Access,
}

/// How a guest gets at a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// As a block device that it cannot write to.
    ReadOnly,
    /// As persistent memory (an NVDIMM) of so many MiB, a multiple of 128: a machine that boots gets a copy of the
    /// image, and a clone maps that copy privately. Reading and writing are then the guest's own instructions:
    /// it never waits for the host's disk, and in virtual time its clock never jumps while it would.
    Memory {
        /// The size.
        mib: u64,
    },
}

/// A block device that a start script made and that a clone writes to, which takes an overlay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// The name of the overlay.
    pub name: String,
    /// The image that the script made. It is never written to again.
    pub base: PathBuf,
    /// The image's format: `raw` or `qcow2`.
    pub format: String,
}

/// A machine as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// What runs its instructions.
    pub accelerator: Accelerator,
    /// How time passes in it.
    pub clock: Clock,
    /// How many processors it has; of a NixOS node in real time, at least as many as the node says.
    pub cpus: u8,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// What starts it.
    pub program: Program,
}

/// What starts a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// QEMU, with a kernel and disks of ours.
    Kernel {
        /// The kernel.
        kernel: PathBuf,
        /// The initial RAM disk.
        initrd: PathBuf,
        /// The kernel's command line.
        append: String,
        /// The disks, in the order in which the guest numbers them.
        disks: Vec<Disk>,
    },
    /// The start script of a NixOS test node, which makes the node's disks and executes QEMU.
    Script(PathBuf),
    /// QEMU as a start script executed it, for clones: the script would make new disks.
    Replay {
        /// The QEMU that the script executed.
        qemu: PathBuf,
        /// The arguments that the script gave it, before ours; disks are named as their overlays are.
        arguments: Vec<String>,
        /// The overlays on the disks that the script made.
        overlays: Vec<Overlay>,
    },
}

impl Spec {
    /// Whether guest time stands still between commands: counted instructions are QEMU's own, not the processor's.
    pub fn pauses(&self) -> bool {
        self.clock == Clock::Virtual && self.accelerator == Accelerator::Tcg
    }

    /// The overlays that each clone gets in its folder.
    pub(super) fn overlays(&self) -> &[Overlay] {
        match &self.program {
            Program::Replay { overlays, .. } => overlays,
            Program::Kernel { .. } | Program::Script(_) => &[],
        }
    }

    /// The disks that are memory to the guest, and their sizes in MiB.
    pub(super) fn memory_disks(&self) -> impl Iterator<Item = (&Disk, u64)> {
        let disks = match &self.program {
            Program::Kernel { disks, .. } => disks.as_slice(),
            Program::Script(_) | Program::Replay { .. } => &[],
        };
        disks.iter().filter_map(|disk| match disk.access {
            Access::Memory { mib } => Some((disk, mib)),
            Access::ReadOnly => None,
        })
    }
}

impl Overlay {
    /// Its file name in the machine's folder.
    pub(super) fn file(&self) -> String {
        format!("{}.qcow2", self.name)
    }
}

impl Disk {
    /// The file name of the copy, in the folder of a machine that boots, of a disk that is memory.
    pub(super) fn copy(&self) -> String {
        format!("{}.raw", self.serial)
    }
}
