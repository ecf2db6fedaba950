//! A machine's life: booted or cloned, running or paused, frozen or ended.

use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::answer::read_parts;
use super::arguments::{Origin, arguments};
use super::disk::{copy, create_overlay, virtual_size};
use super::process::{Process, QEMU};
use super::qmp::Qmp;
use super::{Error, Overlay, Program, Result, Spec, console, node};

/// A QEMU process and the streams to its guest.
#[derive(Debug)]
pub struct Machine {
    pub(super) spec: Spec,
    pub(super) folder: PathBuf,
    pub(super) process: Process,
    pub(super) qmp: Qmp,
    running: bool,
    shell: UnixStream,
    answer: BufReader<UnixStream>,
    journal: Option<UnixStream>,
}

/// What the root shell of a NixOS test node, and of our own guests, says once it is there.
const BANNER: &[u8] = b"Spawning backdoor root shell...\n";

/// How long the guest's own pause may take to be noticed after its answer, in host time.
const PAUSE_PATIENCE: Duration = Duration::from_secs(30);

/// How long an answer may be on its way after the news that the machine has stopped, in host time.
const ANSWER_PATIENCE: Duration = Duration::from_secs(20);

/// The files of a template beside its disks: memory and the state of the devices.
pub(super) const MEMORY: &str = "memory";
pub(super) const DEVICES: &str = "devices";
/// The folder of a template with an empty overlay for each disk that a start script made, to be copied for each clone.
const EMPTY: &str = "empty";

impl Machine {
    /// Boots a machine in an empty folder, such that it can be frozen there.
    pub async fn boot(spec: &Spec, folder: &Path) -> Result<Machine> {
        for (disk, _) in spec.memory_disks() {
            copy(&disk.base, &folder.join(disk.copy()))?;
        }
        let memory = folder.join(MEMORY);
        Machine::start(spec, folder, Origin::Boot { memory: &memory }).await
    }

    /// Boots a machine in an empty folder for one use.
    pub async fn boot_once(spec: &Spec, folder: &Path) -> Result<Machine> {
        enough_memory(spec)?;
        Machine::start(spec, folder, Origin::Once).await
    }

    /// Stops the machine for good and leaves in its folder what clones need: memory, devices, disks. `home` is where
    /// that folder will be found. Gives what clones are made of.
    pub async fn freeze(mut self, home: &Path) -> Result<Spec> {
        let clones = self.clones(home)?;
        self.pause().await?;
        self.save(true).await?;
        self.qmp.execute("quit", json!({})).await?;
        let ended = tokio::time::timeout(Duration::from_secs(60), self.process.wait()).await;
        if ended.is_err() {
            self.process.kill().await?;
        }
        let empty = self.folder.join(EMPTY);
        fs::create_dir(&empty).map_err(Error::io("create", &empty))?;
        for overlay in clones.overlays() {
            let frozen = self.folder.join(overlay.base.strip_prefix(home).unwrap_or(&overlay.base));
            let size = virtual_size(&frozen)?;
            create_overlay(&empty.join(overlay.file()), &overlay.base, &overlay.format, size)?;
        }
        for socket in ["shell", "journal", "answer", "qmp"] {
            let path = self.folder.join(socket);
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
        }
        Ok(clones)
    }

    /// Clones a frozen machine into an empty folder; the clone is paused.
    pub async fn clone_of(spec: &Spec, template: &Path, folder: &Path) -> Result<Machine> {
        enough_memory(spec)?;
        copy_overlays(spec, &template.join(EMPTY), folder)?;
        let memory = template.join(MEMORY);
        let mut machine = Machine::start(spec, folder, Origin::Clone { memory: &memory }).await?;
        machine.load(&template.join(DEVICES), true).await?;
        Ok(machine)
    }

    /// Brings a machine back in an empty folder as [`Machine::keep`] left it in another, which stays as it is, so that
    /// it can be brought back again; it is paused.
    pub async fn reenter(spec: &Spec, kept: &Path, folder: &Path) -> Result<Machine> {
        copy_overlays(spec, kept, folder)?;
        let mut machine = Machine::start(spec, folder, Origin::Kept).await?;
        machine.load(&kept.join(DEVICES), false).await?;
        Ok(machine)
    }

    /// Ends the machine but leaves its memory, devices and disks in its folder.
    pub async fn keep(mut self) -> Result<()> {
        self.pause().await?;
        self.save(false).await?;
        self.qmp.execute("quit", json!({})).await?;
        let _ended_or_killed_on_drop = tokio::time::timeout(Duration::from_secs(60), self.process.wait()).await;
        Ok(())
    }

    /// Ends the machine at once.
    pub async fn end(mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Lets guest time pass.
    pub async fn resume(&mut self) -> Result<()> {
        if !self.running {
            self.qmp.forget_events();
            self.qmp.execute("cont", json!({})).await?;
            self.running = true;
        }
        Ok(())
    }

    /// Stops guest time.
    pub async fn pause(&mut self) -> Result<()> {
        if self.running {
            self.qmp.execute("stop", json!({})).await?;
            self.running = false;
        }
        Ok(())
    }

    /// Writes to the root shell, lets guest time pass until an answer of so many parts has come, each ended by the same
    /// mark with a zero byte at its end, and stops guest time again.
    ///
    /// A guest in virtual time pauses itself right after its answer; the question must end in doing so. `waiting` tells
    /// what is waited for, beginning with "for"; `processor_seconds` is how much QEMU may compute meanwhile.
    pub async fn ask<const PARTS: usize>(
        &mut self,
        question: &[u8],
        end: &[u8],
        waiting: &str,
        processor_seconds: u64,
    ) -> Result<[Vec<u8>; PARTS]> {
        let pauses = self.pauses();
        let Machine { process, qmp, shell, answer, running, folder, .. } = self;
        let work = async {
            // Written before the machine runs, so that no guest time passes until it is read.
            shell.write_all(question).await.map_err(Error::io("write to", folder.join("shell")))?;
            if !*running {
                qmp.forget_events();
                qmp.execute("cont", json!({})).await?;
                *running = true;
            }
            let mut stopped = false;
            let parts = tokio::select! {
                biased;
                read = read_parts::<PARTS>(answer, end, waiting) => read?,
                stop = stopped_without_answer(qmp, &mut stopped, waiting) => {
                    stop?;
                    let pointers = qmp.instruction_pointers().await?.join(", ");
                    return Err(Error::Stopped { waiting: waiting.to_owned(), pointers, said: console::said(folder) });
                }
            };
            let mut unasked = [0; 256];
            if let Ok(count) = shell.try_read(&mut unasked) {
                silent(&unasked[..count])?;
            }
            if pauses {
                let stop = |event: &super::qmp::Event| event.name == "STOP";
                // A guest that ran on would jump from one of its timers to the next, days ahead.
                if !stopped && qmp.event_within(PAUSE_PATIENCE, stop).await?.is_none() {
                    return Err(Error::Restless { waiting: waiting.to_owned(), seconds: PAUSE_PATIENCE.as_secs() });
                }
                *running = false;
            }
            Ok(parts)
        };
        let parts = process.watch(waiting, processor_seconds, work).await?;
        self.pause_if_pausing().await?;
        Ok(parts)
    }

    /// Waits until the guest's root shell has said that it is there, which it does once in each boot.
    pub async fn banner(&mut self, waiting: &str, processor_seconds: u64) -> Result<()> {
        self.resume().await?;
        let Machine { process, shell, folder, .. } = self;
        let work = async {
            let mut seen = Vec::new();
            loop {
                let mut buffer = [0; 4096];
                let count = shell.read(&mut buffer).await.map_err(Error::io("read", folder.join("shell")))?;
                if count == 0 {
                    return Err(Error::Closed { command: waiting.to_owned() });
                }
                seen.extend_from_slice(&buffer[..count]);
                if let Some(rest) = behind(&seen, BANNER) {
                    return silent(&seen[rest..]);
                }
            }
        };
        process.watch(waiting, processor_seconds, work).await
    }

    /// Writes a line to the root shell that will not be answered, such as an orderly reboot.
    pub async fn tell(&mut self, line: &[u8]) -> Result<()> {
        self.shell.write_all(line).await.map_err(Error::io("write to", self.folder.join("shell")))?;
        self.resume().await
    }

    /// Cuts the power and switches it on again: what the guest had not written to its disks is lost.
    pub async fn power_cut(&mut self) -> Result<()> {
        self.qmp.execute("system_reset", json!({})).await?;
        Ok(())
    }

    /// The journal's stream, to be read by one reader for the machine's whole life.
    pub fn take_journal(&mut self) -> Option<UnixStream> {
        self.journal.take()
    }

    /// The machine's folder: console, log of QEMU, overlays.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Resident memory of the process in KiB, without the pages it shares with its template.
    pub fn resident_kib(&self) -> Option<u64> {
        self.process.resident_kib()
    }

    /// The processor time that the machine has used.
    pub fn processor_time(&self) -> Option<Duration> {
        self.process.processor_time()
    }

    pub(super) async fn start(spec: &Spec, folder: &Path, origin: Origin<'_>) -> Result<Machine> {
        // Through its descriptor the folder's path is short enough for a socket address.
        let directory = fs::File::open(folder).map_err(Error::io("open", folder))?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", directory.as_raw_fd()));
        let listen =
            |name: &str| UnixListener::bind(short.join(name)).map_err(Error::io("listen on", folder.join(name)));
        let (shell, journal, answer, control) =
            (listen("shell")?, listen("journal")?, listen("answer")?, listen("qmp")?);
        // A node's script first makes a disk of its whole system.
        let (program, state, processor_seconds) = match &spec.program {
            Program::Kernel { .. } => (Path::new(QEMU), Vec::new(), 300),
            Program::Script(script) => (script.as_path(), node::state(folder)?, 3600),
            Program::Replay { qemu, .. } => (qemu.as_path(), Vec::new(), 300),
        };
        let mut process = Process::start(folder, program, &arguments(spec, origin), &state)?;
        let connect = async {
            let accept = async |listener: UnixListener, name: &str| {
                listener.accept().await.map(|(stream, _)| stream).map_err(Error::io("accept on", folder.join(name)))
            };
            let shell = accept(shell, "shell").await?;
            let journal = accept(journal, "journal").await?;
            let answer = accept(answer, "answer").await?;
            let qmp = Qmp::connect(accept(control, "qmp").await?).await?;
            Ok((shell, journal, answer, qmp))
        };
        let waiting = "for QEMU to connect to its sockets";
        let (shell, journal, answer, qmp) = process.watch(waiting, processor_seconds, connect).await?;
        Ok(Machine {
            spec: spec.clone(),
            folder: folder.to_owned(),
            process,
            qmp,
            running: matches!(origin, Origin::Boot { .. } | Origin::Once),
            shell,
            answer: BufReader::new(answer),
            journal: Some(journal),
        })
    }

    /// Whether guest time stands still between commands.
    pub fn pauses(&self) -> bool {
        self.spec.pauses()
    }

    async fn pause_if_pausing(&mut self) -> Result<()> {
        if self.pauses() { self.pause().await } else { Ok(()) }
    }
}

/// Gives a machine overlays of its own for its writable disks.
fn copy_overlays(spec: &Spec, from: &Path, to: &Path) -> Result<()> {
    for name in spec.overlays().iter().map(Overlay::file) {
        fs::copy(from.join(&name), to.join(&name)).map_err(Error::io("copy an overlay from", from.join(&name)))?;
    }
    Ok(())
}

/// Waits for a stop that no answer follows; an error if a disk cannot be written. A panic that the console shows has been
/// told by then: [`Process::watch`] looks for it all the time.
async fn stopped_without_answer(qmp: &mut Qmp, stopped: &mut bool, waiting: &str) -> Result<()> {
    let event = qmp.event(|event| matches!(event.name.as_str(), "STOP" | "BLOCK_IO_ERROR")).await?;
    if event.name == "BLOCK_IO_ERROR" {
        let text = |key: &str| event.data[key].as_str().unwrap_or("unknown").to_owned();
        return Err(Error::DiskError { disk: text("device"), waiting: waiting.to_owned(), reason: text("reason") });
    }
    *stopped = true;
    // The answer comes on another socket than the news of the stop and may still be on its way.
    tokio::time::sleep(ANSWER_PATIENCE).await;
    Ok(())
}

/// Where the text behind another begins.
fn behind(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle).map(|position| position + needle.len())
}

/// Refuses what the root shell has said unasked: whoever said it may say it in the middle of our commands, too.
fn silent(said: &[u8]) -> Result<()> {
    let said = String::from_utf8_lossy(said).trim().to_owned();
    if said.is_empty() { Ok(()) } else { Err(Error::Chatter { said }) }
}

/// Refuses a clone for which the host has no memory: QEMU would be killed in the middle of a trial.
fn enough_memory(spec: &Spec) -> Result<()> {
    let path = Path::new("/proc/meminfo");
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    let available = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let Some(kib) = available.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()) else {
        return Ok(());
    };
    // A clone touches a part of its memory only; translated code takes some more.
    let needed_mib = spec.memory_mib / 2 + 128;
    let available_mib = kib / 1024;
    if available_mib < needed_mib { Err(Error::Memory { available_mib, needed_mib }) } else { Ok(()) }
}
