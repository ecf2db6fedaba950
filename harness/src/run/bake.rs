//! Baking: a host is booted once, settles, and is frozen into a template.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::generation::Manifest;
use crate::guest::{self, Guest, Kind};
use crate::image::{Begun, Entry, Key, KeyBuilder, Progress, Store};
use crate::machine::{self, Machine, Spec};
use crate::timeline::Picture;

use super::wanted::of_host;
use super::{Error, Folder, Result};

/// A template in the cache.
#[derive(Debug, Clone)]
pub struct Baked {
    /// Where it is.
    pub entry: Entry,
    /// What its clones are made of.
    pub spec: Spec,
    /// The ids of its boots.
    pub boots: Vec<String>,
    /// What it looked like when it was frozen, and so what every clone of it looks like at first.
    pub picture: Picture,
    /// How long baking it took.
    pub figures: BakeFigures,
}

/// How long the parts of a bake took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BakeFigures {
    /// From QEMU's start to the root shell, seconds of the host.
    pub boot_seconds: f64,
    /// From there until the host had settled, seconds of the host.
    pub settle_seconds: f64,
    /// From the template's picture, which follows, until template and disks were written, milliseconds of the host.
    pub freeze_milliseconds: f64,
    /// Guest time at the freeze, seconds.
    pub guest_seconds: f64,
}

/// What is written into the template beside its memory and disks.
#[derive(Serialize, Deserialize)]
struct Description {
    spec: Spec,
    boots: Vec<String>,
    picture: Picture,
    figures: BakeFigures,
}

const DESCRIPTION: &str = "template.json";
/// The journal of a guest that could not be baked.
const JOURNAL: &str = "journal.txt";
/// What is kept of a bake that failed, as far as there is anything in it.
const TRACES: [&str; 3] = ["console.log", "qemu.log", JOURNAL];
/// To be counted up whenever the same parts would give another template because the procedure has changed.
const PROCEDURE: &str = "2";
/// How long a host may take to settle, in guest time.
pub(super) const SETTLE_DEADLINE: Duration = Duration::from_secs(1200);

/// What a template is made from, whatever kind of guest it is.
pub(super) struct Bake<'a> {
    pub store: &'a Store,
    pub key: Key,
    pub spec: Spec,
    pub kind: &'static Kind,
    pub manifest: &'a Manifest,
}

/// The parts of a template's key that do not depend on the kind of guest.
pub(super) fn key(spec: &Spec) -> Result<KeyBuilder> {
    Ok(Key::builder()
        .part("procedure", PROCEDURE)
        .part("guest channel", guest::PROCEDURE)
        .part("machine", serde_json::to_string(spec).unwrap_or_default())
        .part("arguments", machine::command_line(spec))
        .part("qemu", machine::qemu_version()?))
}

impl Bake<'_> {
    /// Finds the template, or bakes it under its lock.
    pub async fn get_or_bake(
        &self,
        workspace_folder: impl Fn() -> Result<Folder>,
        progress: &dyn Progress,
    ) -> Result<Baked> {
        // Waiting for another process' bake blocks this thread, which has nothing else to do.
        match self.store.begin("template", &self.key, progress)? {
            Begun::Ready(entry) => read(entry),
            Begun::Build(unfinished) => {
                let home = self.store.root().join("template").join(self.key.to_string());
                self.store.require_room("bake a template", (self.spec.memory_mib + 512) << 20)?;
                // QEMU works in a folder that goes with this process, whatever ends it.
                let folder = workspace_folder()?;
                if let Err(error) = self.bake(folder.path(), &home, progress).await {
                    return Err(self.keep_traces(folder.path(), error));
                }
                move_files(folder.path(), unfinished.folder())?;
                progress.phase("reading the template once to know it again");
                read(unfinished.commit()?)
            }
        }
    }

    async fn bake(&self, folder: &Path, home: &Path, progress: &dyn Progress) -> Result<()> {
        let manifest = self.manifest;
        progress.phase("booting");
        let begin = Instant::now();
        let machine = Machine::boot(&self.spec, folder).await?;
        let mut guest = Guest::booted(machine, self.kind, &manifest.user).await?;
        let boot_seconds = begin.elapsed().as_secs_f64();
        progress.phase("the root shell is there; waiting for the stacks");
        let begin = Instant::now();
        if let Err(error) = guest::settle(&mut guest, manifest, SETTLE_DEADLINE, |news| progress.phase(&news)).await {
            // The error that is there already says more than that it could not be explained.
            let _ = write_journal(&mut guest, folder).await;
            return Err(error.into());
        }
        let settle_seconds = begin.elapsed().as_secs_f64();
        progress.phase("settled; freezing");
        let picture = guest.look(&of_host(manifest)).await?.picture;
        let begin = Instant::now();
        // A template's disk is written out before it is frozen, so that a clone that loses its power finds it whole.
        let synced = guest.must("sync", Duration::from_secs(300)).await?;
        let boots = guest.boots().to_vec();
        let spec = guest.into_machine().freeze(home).await?;
        let figures = BakeFigures {
            boot_seconds,
            settle_seconds,
            freeze_milliseconds: begin.elapsed().as_secs_f64() * 1000.0,
            guest_seconds: synced.to.micros as f64 / 1e6,
        };
        let description = Description { spec, boots, picture, figures };
        let path = folder.join(DESCRIPTION);
        let text = serde_json::to_string_pretty(&description).unwrap_or_default();
        fs::write(&path, text).map_err(Error::io("write", &path))
    }

    /// Keeps what tells why a bake failed; the error says where.
    fn keep_traces(&self, folder: &Path, error: Error) -> Error {
        let keep = || -> Result<PathBuf> {
            let kept = self.store.failed(&self.manifest.host)?;
            for name in TRACES {
                let (from, to) = (folder.join(name), kept.join(name));
                if fs::metadata(&from).is_ok_and(|file| file.len() > 0) {
                    fs::rename(&from, &to).map_err(Error::io("move a file to", to))?;
                }
            }
            Ok(kept)
        };
        match keep() {
            Ok(kept) => Error::Bake { error: Box::new(error), kept },
            Err(_) => error,
        }
    }
}

/// Writes a guest's whole journal into a file for people to read.
async fn write_journal(guest: &mut Guest, folder: &Path) -> Result<()> {
    let script = "journalctl --all --no-pager --no-hostname --output=short-monotonic";
    let journal = guest.must(script, Duration::from_secs(300)).await?;
    let path = folder.join(JOURNAL);
    fs::write(&path, journal.stdout).map_err(Error::io("write", path))
}

fn read(entry: Entry) -> Result<Baked> {
    let path = entry.file(DESCRIPTION);
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let description: Description = serde_json::from_str(&text).map_err(|error| Error::Project {
        place: path.display().to_string(),
        problem: format!("{error}; remove the folder and bake again"),
    })?;
    let Description { spec, boots, picture, figures } = description;
    Ok(Baked { entry, spec, boots, picture, figures })
}

/// Moves what a machine left into an unfinished entry; both are below the cache.
fn move_files(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).map_err(Error::io("list", from))? {
        let entry = entry.map_err(Error::io("list", from))?;
        let target = to.join(entry.file_name());
        fs::rename(entry.path(), &target).map_err(Error::io("move a file to", target))?;
    }
    Ok(())
}
