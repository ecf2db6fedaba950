//! QEMU's command line.

use std::ffi::OsString;
use std::path::Path;

use super::Spec;

/// Where the memory of a machine is and how it comes to life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// It boots; its memory is written to this file, for clones to map.
    Boot {
        /// The file.
        memory: &'a Path,
    },
    /// It is a clone: the file is mapped copy-on-write and the state of the devices comes in by migration.
    Clone {
        /// The template's memory.
        memory: &'a Path,
    },
    /// It was kept: its memory comes in by migration, with the state of the devices.
    Kept,
}

/// The command line of a machine whose sockets, console and overlays are in its working folder.
///
/// Relative socket paths keep them below the 108 bytes that a socket address has room for, wherever the cache is.
pub(super) fn arguments(spec: &Spec, origin: Origin<'_>) -> Vec<OsString> {
    let mut line = Line::default();
    line.flags(&["-nodefaults", "-no-user-config", "-display", "none"]);
    accelerator(&mut line, spec);
    memory(&mut line, spec, origin);
    line.option("-kernel", spec.kernel.as_os_str());
    line.option("-initrd", spec.initrd.as_os_str());
    line.option("-append", &spec.append);
    // The generation id lets the kernel of each clone draw random numbers of its own. pvpanic lets the guest stop
    // itself at the end of a command.
    line.flags(&["-device", "vmgenid,guid=auto", "-device", "pvpanic", "-action", "panic=pause"]);
    line.flags(&["-device", "virtio-rng-pci"]);
    for disk in &spec.disks {
        let (file, format) = if disk.writable {
            (OsString::from(overlay_name(&disk.serial)), "qcow2")
        } else {
            (disk.base.clone().into_os_string(), disk.format.as_str())
        };
        // Nothing is flushed to the host's disk: the guest would idle meanwhile, and a virtual clock would run on. No
        // power cut needs it, since QEMU outlives them, and it writes everything to its files when it quits.
        let mut drive = OsString::from(format!(
            "if=none,id={},format={format},cache=unsafe,discard=unmap,read-only={},file=",
            disk.serial,
            if disk.writable { "off" } else { "on" }
        ));
        drive.push(escape_commas(&file));
        line.option("-drive", drive);
        line.option("-device", format!("virtio-blk-pci,drive={0},serial={0}", disk.serial));
    }
    line.flags(&["-chardev", "file,id=console,path=console.log,append=on", "-serial", "chardev:console"]);
    line.flags(&["-device", "virtio-serial"]);
    // The harness listens and QEMU connects, as for a NixOS test node.
    line.flags(&["-chardev", "socket,id=shell,path=shell", "-device", "virtconsole,chardev=shell"]);
    for port in ["journal", "answer"] {
        line.option("-chardev", format!("socket,id={port},path={port}"));
        line.option("-device", format!("virtserialport,chardev={port},name=harness.{port}"));
    }
    line.flags(&["-chardev", "socket,id=qmp,path=qmp", "-mon", "chardev=qmp,mode=control"]);
    if !matches!(origin, Origin::Boot { .. }) {
        line.flags(&["-incoming", "defer"]);
    }
    line.0
}

/// The command line of a machine that boots, as one text: part of what a template is known by.
pub fn command_line(spec: &Spec) -> String {
    let arguments = arguments(spec, Origin::Boot { memory: Path::new("memory") });
    arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// The file name of a disk's overlay in the machine's folder.
pub(super) fn overlay_name(serial: &str) -> String {
    format!("{serial}.qcow2")
}

fn accelerator(line: &mut Line, spec: &Spec) {
    line.option("-accel", spec.accelerator.name());
    line.option("-cpu", spec.accelerator.cpu_model());
    line.option("-smp", spec.cpus.to_string());
    if spec.pauses() {
        line.flags(&["-icount", "shift=0,sleep=off"]);
    }
}

fn memory(line: &mut Line, spec: &Spec, origin: Origin<'_>) {
    let size = spec.memory_mib;
    let backend = match origin {
        Origin::Boot { memory } => file_backend(size, memory, "on"),
        Origin::Clone { memory } => file_backend(size, memory, "off"),
        Origin::Kept => OsString::from(format!("memory-backend-ram,id=memory,size={size}M")),
    };
    line.option("-object", backend);
    line.option("-machine", "q35,memory-backend=memory");
    line.option("-m", format!("{size}M"));
}

fn file_backend(size: u64, path: &Path, share: &str) -> OsString {
    let mut backend = OsString::from(format!("memory-backend-file,id=memory,size={size}M,share={share},mem-path="));
    backend.push(escape_commas(path.as_os_str()));
    backend
}

/// QEMU's option syntax writes a comma in a value as two.
fn escape_commas(value: &std::ffi::OsStr) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let mut bytes = Vec::with_capacity(value.len());
    for &byte in value.as_bytes() {
        bytes.push(byte);
        if byte == b',' {
            bytes.push(b',');
        }
    }
    OsString::from_vec(bytes)
}

#[derive(Default)]
struct Line(Vec<OsString>);

impl Line {
    fn flags(&mut self, flags: &[&str]) {
        self.0.extend(flags.iter().map(OsString::from));
    }

    fn option(&mut self, name: &str, value: impl Into<OsString>) {
        self.0.push(name.into());
        self.0.push(value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::machine::{Accelerator, Clock, Disk};

    fn spec(clock: Clock, accelerator: Accelerator) -> Spec {
        Spec {
            accelerator,
            clock,
            cpus: 1,
            memory_mib: 1024,
            kernel: "/k".into(),
            initrd: "/i".into(),
            append: "root=/dev/vda".into(),
            disks: vec![
                Disk { serial: "root".into(), base: "/b".into(), format: "qcow2".into(), writable: true },
                Disk { serial: "seed".into(), base: "/a,b".into(), format: "raw".into(), writable: false },
            ],
        }
    }

    fn line(spec: &Spec, origin: Origin<'_>) -> String {
        let arguments = arguments(spec, origin);
        arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_clone_differs_from_its_template_only_in_sharing_and_origin() {
        let spec = spec(Clock::Virtual, Accelerator::Tcg);
        let memory = PathBuf::from("/ram");
        let boot = line(&spec, Origin::Boot { memory: &memory });
        let clone = line(&spec, Origin::Clone { memory: &memory });
        assert_eq!(boot.replace("share=on", "share=off") + " -incoming defer", clone);
    }

    #[test]
    fn only_virtual_time_without_hardware_counts_instructions() {
        let memory = PathBuf::from("/ram");
        for (clock, accelerator, counts) in [
            (Clock::Virtual, Accelerator::Tcg, true),
            (Clock::Real, Accelerator::Tcg, false),
            (Clock::Real, Accelerator::Kvm, false),
        ] {
            let line = line(&spec(clock, accelerator), Origin::Boot { memory: &memory });
            assert_eq!(line.contains("-icount"), counts, "{clock:?} {accelerator:?}");
        }
    }

    #[test]
    fn commas_in_paths_are_doubled_and_read_only_disks_have_no_overlay() {
        let line = line(&spec(Clock::Real, Accelerator::Tcg), Origin::Kept);
        assert!(line.contains("read-only=on,file=/a,,b"), "{line}");
        assert!(line.contains("read-only=off,file=root.qcow2"), "{line}");
    }
}
