//! NixOS test nodes: what their start scripts give QEMU, looked at, and made fit for clones.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::arguments::{Origin, arguments, escape_commas};
use super::disk::format;
use super::lifecycle::{MEMORY, Machine};
use super::process::State;
use super::{Accelerator, Access, Clock, Disk, Error, Overlay, Program, Result, Spec};

/// What a node is made of, as far as only running its start script can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Memory in MiB.
    pub memory_mib: u64,
    /// How many processors it has.
    pub cpus: u8,
    /// What QEMU boots directly, where it does.
    pub kernel: Option<DirectBoot>,
    /// Why the machine cannot be frozen and cloned, where it cannot.
    pub obstacle: Option<String>,
}

/// A kernel that QEMU boots without a boot loader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectBoot {
    /// The QEMU that does.
    pub qemu: PathBuf,
    /// The kernel.
    pub kernel: PathBuf,
    /// The initial RAM disk.
    pub initrd: PathBuf,
}

/// Runs a node's start script in an empty folder and looks at the machine that it makes; the guest does not run.
pub async fn look_at_node(script: &Path, folder: &Path) -> Result<Node> {
    let spec = Spec {
        accelerator: Accelerator::Tcg,
        clock: Clock::Real,
        cpus: 1,
        memory_mib: 0,
        program: Program::Script(script.to_owned()),
    };
    let mut machine = Machine::start(&spec, folder, Origin::Look).await?;
    let memory = machine.query("query-memory-size-summary").await?;
    let cpus = machine.query("query-cpus-fast").await?;
    let recorded = machine.recorded(script, Origin::Look);
    machine.end().await?;
    let (qemu, arguments) = recorded?;
    let files = value(&arguments, "-kernel").zip(value(&arguments, "-initrd"));
    let kernel = files.map(|(kernel, initrd)| DirectBoot { qemu, kernel, initrd });
    let obstacle = match shared_folder(&arguments) {
        Some(obstacle) => Some(obstacle),
        None => match relocate(arguments, folder, folder) {
            Ok(_) => None,
            Err(Error::Unfreezable(obstacle)) => Some(obstacle),
            Err(error) => return Err(error),
        },
    };
    Ok(Node {
        memory_mib: memory["base-memory"].as_u64().unwrap_or_default() >> 20,
        cpus: cpus.as_array().and_then(|cpus| u8::try_from(cpus.len()).ok()).unwrap_or(1),
        kernel,
        obstacle,
    })
}

/// The folder that a node may share with other machines; ours have nothing to share.
const SHARED: &str = "shared-xchg";

/// Where a start script keeps what belongs to one machine, as the test driver of NixOS tells it.
///
/// Its network leads nowhere, not even to this machine (restrict in qemu(1)). What else a script listens to is made
/// empty, which is as good as not there: a variable that happens to be set would make another machine.
pub(super) fn state(folder: &Path) -> Result<Vec<State>> {
    let folder = folder.canonicalize().map_err(Error::io("find", folder))?;
    let shared = folder.join(SHARED);
    fs::create_dir(&shared).map_err(Error::io("create", &shared))?;
    let mut state = vec![("USE_TMPDIR", PathBuf::from("1")), ("SHARED_DIR", shared), ("TMPDIR", folder)];
    state.push(("QEMU_NET_OPTS", PathBuf::from("restrict=on")));
    let nothing = ["NIX_DISK_IMAGE", "QEMU_OPTS", "QEMU_KERNEL_PARAMS"];
    state.extend(nothing.map(|name| (name, PathBuf::new())));
    Ok(state)
}

impl Machine {
    /// What its clones are made of, once its folder has been moved to `home`.
    pub(super) fn clones(&self, home: &Path) -> Result<Spec> {
        let memory = self.folder.join(MEMORY);
        let program = match &self.spec.program {
            Program::Script(script) => {
                let (qemu, recorded) = self.recorded(script, Origin::Boot { memory: &memory })?;
                let (arguments, overlays) = relocate(recorded, &self.folder, home)?;
                Program::Replay { qemu, arguments, overlays }
            }
            Program::Kernel { kernel, initrd, append, disks } => {
                let (kernel, initrd, append) = (kernel.clone(), initrd.clone(), append.clone());
                let frozen = |disk: &Disk| match disk.access {
                    Access::ReadOnly => disk.clone(),
                    Access::Memory { .. } => Disk { base: home.join(disk.copy()), ..disk.clone() },
                };
                Program::Kernel { kernel, initrd, append, disks: disks.iter().map(frozen).collect() }
            }
            replay @ Program::Replay { .. } => replay.clone(),
        };
        Ok(Spec { program, ..self.spec.clone() })
    }

    /// The QEMU that the start script has executed, and its arguments before ours.
    fn recorded(&self, script: &Path, origin: Origin<'_>) -> Result<(PathBuf, Vec<String>)> {
        let wrong = |problem| Error::Script { script: script.to_owned(), problem };
        let process = PathBuf::from(format!("/proc/{}", self.process.id()));
        let path = process.join("cmdline");
        let line = fs::read(&path).map_err(Error::io("read", &path))?;
        let text = String::from_utf8(line).map_err(|_| wrong("gives QEMU an argument that is no text"))?;
        let mut words: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
        let ours = arguments(&self.spec, origin);
        let ends_alike = |(word, our): (&String, &std::ffi::OsString)| our.as_os_str() == word.as_str();
        let passed_on = words.len() > ours.len() && words.iter().rev().zip(ours.iter().rev()).all(ends_alike);
        let called = words.first().map(PathBuf::from).unwrap_or_default();
        if !called.file_name().is_some_and(|name| name.to_string_lossy().contains("qemu")) {
            return Err(wrong("does not execute QEMU in its own place (`exec`), and would leave it running"));
        }
        if !passed_on {
            return Err(wrong("does not end QEMU's arguments with its own (`\"$@\"`)"));
        }
        words.truncate(words.len() - ours.len());
        words.remove(0);
        let executable = process.join("exe");
        // A program that wraps QEMU is called by its whole path and stays part of how QEMU is started.
        let qemu = if called.is_absolute() {
            called
        } else {
            fs::read_link(&executable).map_err(Error::io("read", &executable))?
        };
        Ok((qemu, words))
    }

    async fn query(&mut self, command: &str) -> Result<serde_json::Value> {
        self.qmp.execute(command, json!({})).await
    }
}

/// The value that follows an option.
fn value(arguments: &[String], option: &str) -> Option<PathBuf> {
    let position = arguments.iter().position(|argument| argument == option)?;
    arguments.get(position + 1).map(PathBuf::from)
}

/// A folder that the guest shares with the host, which would have to be frozen with it.
fn shared_folder(arguments: &[String]) -> Option<String> {
    let options = ["-virtfs", "-fsdev"];
    let shares = |argument: &&String| {
        options.contains(&argument.as_str())
            || argument.starts_with("vhost-user-fs")
            || argument.starts_with("virtio-9p")
    };
    let option = arguments.iter().find(shares)?;
    Some(format!(
        "it shares folders with the host ({option}), which cannot be frozen: set \
         virtualisation.useNixStoreImage = true and virtualisation.sharedDirectories = lib.mkForce {{ }}, as \
         nixosModules.test-node does"
    ))
}

/// Has the arguments name overlays instead of the disks in the machine's folder, which will be found in `home`.
fn relocate(arguments: Vec<String>, folder: &Path, home: &Path) -> Result<(Vec<String>, Vec<Overlay>)> {
    let folder = folder.canonicalize().map_err(Error::io("find", folder))?;
    let mut overlays = Vec::new();
    let mut relocated: Vec<String> = Vec::new();
    for argument in arguments {
        let is_drive = relocated.last().is_some_and(|option| option == "-drive");
        let argument = if is_drive { relocate_drive(&argument, &folder, home, &mut overlays)? } else { argument };
        if argument.contains(&*folder.to_string_lossy()) && folder != home {
            return Err(Error::Unfreezable(format!("QEMU uses more of its folder than disks: {argument}")));
        }
        relocated.push(argument);
    }
    Ok((relocated, overlays))
}

fn relocate_drive(drive: &str, folder: &Path, home: &Path, overlays: &mut Vec<Overlay>) -> Result<String> {
    let mut options = split_options(drive);
    let of = |options: &[(String, String)], name: &str| {
        options.iter().find(|(option, _)| option == name).map(|(_, value)| value.clone())
    };
    let Some(file) = of(&options, "file") else { return Ok(drive.to_owned()) };
    // Links and `..` lead out of a folder without its name showing it.
    let file = folder.join(file);
    let file = file.canonicalize().unwrap_or(file);
    let is_read_only = ["readonly", "read-only"].iter().any(|name| of(&options, name).as_deref() == Some("on"));
    let Ok(place) = file.strip_prefix(folder) else {
        if is_read_only {
            return Ok(drive.to_owned());
        }
        return Err(Error::Unfreezable(format!("it writes to {}, outside its state folder", file.display())));
    };
    let path = if is_read_only {
        home.join(place).display().to_string()
    } else {
        let name = of(&options, "id").unwrap_or_else(|| format!("disk{}", overlays.len()));
        let format = of(&options, "format").map_or_else(|| format(&file), Ok)?;
        let overlay = Overlay { name, base: home.join(place), format };
        let file = overlay.file();
        overlays.push(overlay);
        // A clone's disk ends with it, and a power cut happens to the guest alone. Were its writes brought to the
        // host's disk, a guest in virtual time would find its clock ahead after each wait for that.
        let ours = [("format", "qcow2"), ("cache", "unsafe")];
        options.retain(|(name, _)| ours.iter().all(|(our, _)| our != name));
        options.extend(ours.map(|(name, value)| (name.to_owned(), value.to_owned())));
        file
    };
    let written: Vec<_> = options
        .into_iter()
        .map(|(name, value)| {
            let value = if name == "file" { path.clone() } else { value };
            format!("{name}={}", escape_commas(value.as_ref()).to_string_lossy())
        })
        .collect();
    Ok(written.join(","))
}

/// QEMU's options: `name=value,…` where a comma in a value is written as two.
fn split_options(text: &str) -> Vec<(String, String)> {
    let text = text.replace(",,", "\0");
    let pair = |option: &str| {
        let (name, value) = option.split_once('=').unwrap_or((option, "on"));
        (name.to_owned(), value.replace('\0', ","))
    };
    text.split(',').map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn disks_in_the_folder_become_overlays_and_what_cannot_move_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().canonicalize().unwrap();
        let check = |line: &str, expected: std::result::Result<&str, &str>| {
            let line = line.replace("@folder@", &place.display().to_string());
            let found = relocate(words(&line), &place, Path::new("/home")).map(|(line, _)| line.join(" "));
            match expected {
                Ok(expected) => assert_eq!(found.unwrap(), expected),
                Err(expected) => assert!(found.unwrap_err().to_string().contains(expected), "{line}"),
            }
        };
        check("-name igpu -m 1024", Ok("-name igpu -m 1024"));
        check(
            "-drive cache=writeback,file=@folder@/igpu.qcow2,format=qcow2,id=drive1,if=none -device x,drive=drive1",
            Ok("-drive file=drive1.qcow2,id=drive1,if=none,format=qcow2,cache=unsafe -device x,drive=drive1"),
        );
        check(
            "-drive file=@folder@/store.img,format=raw,id=drive2",
            Ok("-drive file=drive2.qcow2,id=drive2,format=qcow2,cache=unsafe"),
        );
        check("-drive file=@folder@/a,,b.img,readonly=on", Ok("-drive file=/home/a,,b.img,readonly=on"));
        check("-drive file=/nix/store/x.img,readonly=on", Ok("-drive file=/nix/store/x.img,readonly=on"));
        check("-drive file=/nix/store/x.img,format=raw", Err("writes to /nix/store/x.img"));
        check("-chardev socket,path=@folder@/tpm", Err("more of its folder than disks"));
    }

    #[test]
    fn bases_are_where_the_template_will_be() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().canonicalize().unwrap();
        let line = format!("-drive file={}/store.img,format=raw,id=drive2", place.display());
        let (_, overlays) = relocate(words(&line), &place, Path::new("/home")).unwrap();
        let overlay = Overlay { name: "drive2".into(), base: "/home/store.img".into(), format: "raw".into() };
        assert_eq!(overlays, [overlay]);
    }

    #[test]
    fn shared_folders_are_named() {
        for line in ["-virtfs local,path=/nix/store", "-fsdev local", "-device vhost-user-fs-pci,tag=x"] {
            assert!(shared_folder(&words(line)).is_some_and(|advice| advice.contains("useNixStoreImage")), "{line}");
        }
        assert_eq!(shared_folder(&words("-drive file=x -device virtio-blk-pci")), None);
    }
}
