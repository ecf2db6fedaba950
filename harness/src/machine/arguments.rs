//! QEMU's command line.

use std::ffi::OsString;
use std::path::Path;

use super::{Access, Disk, Program, Spec};

/// Where the memory of a machine is and how it comes to life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// It boots; its memory is written to this file, for clones to map.
    Boot {
        /// The file.
        memory: &'a Path,
    },
    /// It boots, and nobody will ever clone it.
    Once,
    /// It is only looked at: not one instruction of the guest is run.
    Look,
    /// It is a clone: the file is mapped copy-on-write and the state of the devices comes in by migration.
    Clone {
        /// The template's memory.
        memory: &'a Path,
    },
    /// It was kept: its memory comes in by migration, with the state of the devices.
    Kept,
}

/// The clock that survives a boot: it begins on the same noon for every machine and goes on with the guest's time. With
/// the host's time, a trial that boots would find the timers of a day due or not by when its template was made.
const RTC: &str = "base=2030-01-01T12:00:00,clock=vm";

/// The arguments of a machine's program. Its sockets, console and overlays are in its working folder.
///
/// Relative socket paths keep them below the 108 bytes that a socket address has room for, wherever the cache is.
pub(super) fn arguments(spec: &Spec, origin: Origin<'_>) -> Vec<OsString> {
    let mut line = Line::default();
    match &spec.program {
        Program::Kernel { kernel, initrd, append, disks } => {
            line.flags(&["-nodefaults", "-no-user-config", "-display", "none"]);
            line.option("-machine", "q35,nvdimm=on");
            line.option("-smp", spec.cpus.to_string());
            modules(&mut line, spec, origin);
            line.option("-kernel", kernel.as_os_str());
            line.option("-initrd", initrd.as_os_str());
            line.option("-append", append);
            let blocks = disks.iter().filter(|disk| disk.access == Access::ReadOnly);
            blocks.for_each(|disk| drive(&mut line, disk));
        }
        Program::Script(_) => node(&mut line, spec),
        Program::Replay { arguments, .. } => {
            line.0.extend(arguments.iter().map(OsString::from));
            node(&mut line, spec);
        }
    }
    processor(&mut line, spec);
    memory(&mut line, spec, origin);
    channels(&mut line);
    match origin {
        Origin::Clone { .. } | Origin::Kept => line.flags(&["-incoming", "defer"]),
        Origin::Look => line.flags(&["-S"]),
        Origin::Boot { .. } | Origin::Once => {}
    }
    line.0
}

/// The command line of a machine that boots, as one text: part of what a template is known by.
pub fn command_line(spec: &Spec) -> String {
    let arguments = arguments(spec, Origin::Boot { memory: Path::new("memory") });
    arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// What a start script leaves to its caller. Its own monitor and serial line would share our standard input.
fn node(line: &mut Line, spec: &Spec) {
    line.flags(&["-nographic", "-monitor", "none"]);
    line.option("-smp", spec.cpus.to_string());
}

fn drive(line: &mut Line, disk: &Disk) {
    let mut drive = OsString::from(format!("if=none,id={},format=raw,read-only=on,file=", disk.serial));
    drive.push(escape_commas(disk.base.as_os_str()));
    line.option("-drive", drive);
    line.option("-device", format!("virtio-blk-pci,drive={0},serial={0}", disk.serial));
}

/// What runs instructions, and the clocks. QEMU joins the parts of `-machine`, and of `-rtc`, so a start script's own choice
/// gives way.
fn processor(line: &mut Line, spec: &Spec) {
    line.option("-machine", format!("accel={}", spec.accelerator.name()));
    line.option("-cpu", spec.accelerator.cpu_model());
    line.option("-rtc", RTC);
    if spec.pauses() {
        line.flags(&["-icount", "shift=0,sleep=off"]);
    }
}

/// What the harness and its guests have between them. The harness listens and QEMU connects, as for any NixOS test node.
fn channels(line: &mut Line) {
    if cfg!(target_arch = "x86_64") {
        // The generation id lets the kernel of each clone draw random numbers of its own. pvpanic lets the guest stop
        // itself at the end of a command.
        line.flags(&["-device", "vmgenid,guid=auto", "-device", "pvpanic", "-action", "panic=pause"]);
    }
    line.flags(&["-device", "virtio-rng-pci"]);
    line.flags(&["-chardev", "file,id=console,path=console.log,append=on", "-serial", "chardev:console"]);
    line.flags(&["-device", "virtio-serial"]);
    line.flags(&["-chardev", "socket,id=shell,path=shell", "-device", "virtconsole,chardev=shell"]);
    for port in ["journal", "answer"] {
        line.option("-chardev", format!("socket,id={port},path={port}"));
        line.option("-device", format!("virtserialport,chardev={port},name=harness.{port}"));
    }
    line.flags(&["-chardev", "socket,id=qmp,path=qmp", "-mon", "chardev=qmp,mode=control"]);
}

fn memory(line: &mut Line, spec: &Spec, origin: Origin<'_>) {
    let size = spec.memory_mib;
    let backend = match origin {
        Origin::Boot { memory } => file_backend("memory", size, memory, "on"),
        Origin::Clone { memory } => file_backend("memory", size, memory, "off"),
        // A start script may have a memory of its own, shared with whatever else it starts.
        Origin::Once | Origin::Look => return,
        Origin::Kept => ram_backend("memory", size),
    };
    line.option("-object", backend);
    line.option("-machine", "memory-backend=memory");
}

/// The size of the memory, and the disks that are memory. Each module may be moved up to a whole GiB.
fn modules(line: &mut Line, spec: &Spec, origin: Origin<'_>) {
    let (mut slots, mut most) = (0, spec.memory_mib);
    for (disk, mib) in spec.memory_disks() {
        slots += 1;
        most += mib + 1024;
        let name = &disk.serial;
        let backend = match origin {
            Origin::Boot { .. } | Origin::Once | Origin::Look => file_backend(name, mib, Path::new(&disk.copy()), "on"),
            Origin::Clone { .. } => file_backend(name, mib, &disk.base, "off"),
            Origin::Kept => ram_backend(name, mib),
        };
        line.option("-object", backend);
        line.option("-device", format!("nvdimm,id={name}-module,memdev={name}"));
    }
    line.option("-m", format!("{}M,slots={slots},maxmem={most}M", spec.memory_mib));
}

fn ram_backend(name: &str, size: u64) -> OsString {
    OsString::from(format!("memory-backend-ram,id={name},size={size}M"))
}

fn file_backend(name: &str, size: u64, path: &Path, share: &str) -> OsString {
    let mut backend = OsString::from(format!("memory-backend-file,id={name},size={size}M,share={share},mem-path="));
    backend.push(escape_commas(path.as_os_str()));
    backend
}

/// QEMU's option syntax writes a comma in a value as two.
pub(super) fn escape_commas(value: &std::ffi::OsStr) -> OsString {
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
    use crate::machine::{Accelerator, Access, Clock, Disk, Program};

    fn spec(clock: Clock, accelerator: Accelerator) -> Spec {
        Spec {
            accelerator,
            clock,
            cpus: 1,
            memory_mib: 1024,
            program: Program::Kernel {
                kernel: "/k".into(),
                initrd: "/i".into(),
                append: "root=/dev/vda".into(),
                disks: vec![
                    Disk { serial: "root".into(), base: "/b".into(), access: Access::Memory { mib: 128 } },
                    Disk { serial: "seed".into(), base: "/a,b".into(), access: Access::ReadOnly },
                ],
            },
        }
    }

    fn line(spec: &Spec, origin: Origin<'_>) -> String {
        let arguments = arguments(spec, origin);
        arguments.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_clone_differs_from_its_template_only_in_where_its_memory_is_and_origin() {
        let spec = spec(Clock::Virtual, Accelerator::Tcg);
        let memory = PathBuf::from("/ram");
        let boot = line(&spec, Origin::Boot { memory: &memory });
        let clone = line(&spec, Origin::Clone { memory: &memory });
        let changed = boot.replace("share=on", "share=off").replace("mem-path=root.raw", "mem-path=/b");
        assert_eq!(changed + " -incoming defer", clone);
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
        assert!(line.contains("memory-backend-ram,id=root,size=128M"), "{line}");
    }
}
