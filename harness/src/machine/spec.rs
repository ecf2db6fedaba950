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
    /// The image that it shows. It is never written to.
    pub base: PathBuf,
    /// `raw` or `qcow2`.
    pub format: String,
    /// How the guest gets at it.
    pub access: Access,
}

/// How a guest gets at a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    /// As a block device that it cannot write to.
    ReadOnly,
    /// As a block device; what it writes goes into an overlay.
    Overlay,
    /// As persistent memory (an NVDIMM) of so many MiB, a multiple of 128: the image is raw, a machine that boots gets
    /// a copy of it, and a clone maps that copy privately. Reading and writing are then the guest's own instructions:
    /// it never waits for the host's disk, and in virtual time its clock never jumps while it would.
    Memory {
        /// The size.
        mib: u64,
    },
}

/// A machine as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// What runs its instructions.
    pub accelerator: Accelerator,
    /// How time passes in it.
    pub clock: Clock,
    /// How many processors it has; of a NixOS node in real time, as many as the node says.
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
        /// The disks that the script made.
        disks: Vec<Disk>,
    },
}

impl Spec {
    /// Whether guest time stands still between commands: counted instructions are QEMU's own, not the processor's.
    pub fn pauses(&self) -> bool {
        self.clock == Clock::Virtual && self.accelerator == Accelerator::Tcg
    }

    /// The disks that get an overlay in each machine's folder. A start script makes its own.
    pub(super) fn overlays(&self) -> impl Iterator<Item = &Disk> {
        self.disks().iter().filter(|disk| disk.access == Access::Overlay)
    }

    /// The disks that are memory to the guest.
    pub(super) fn memory_disks(&self) -> impl Iterator<Item = &Disk> {
        self.disks().iter().filter(|disk| matches!(disk.access, Access::Memory { .. }))
    }

    fn disks(&self) -> &[Disk] {
        match &self.program {
            Program::Kernel { disks, .. } | Program::Replay { disks, .. } => disks,
            Program::Script(_) => &[],
        }
    }
}

impl Disk {
    /// The file name of its overlay in the machine's folder.
    pub(super) fn overlay(&self) -> String {
        format!("{}.qcow2", self.serial)
    }

    /// The file name of the copy, in the folder of a machine that boots, of a disk that is memory.
    pub(super) fn copy(&self) -> String {
        format!("{}.raw", self.serial)
    }
}
