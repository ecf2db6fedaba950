//! Templates: a host booted once, settled and frozen.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::generation::{BASE, Generation};
use crate::guest::{self, Guest, Seed, SeedFile};
use crate::image::guest::GuestImage;
use crate::image::guest_program;
use crate::image::test_image;
use crate::image::{Begun, Entry, Key, Progress, Store};
use crate::machine::{self, Accelerator, Clock, Disk, Machine, Spec};

use super::surroundings::Surroundings;
use super::{Error, Folder, Project, Result};

/// A template in the cache.
#[derive(Debug, Clone)]
pub struct Baked {
    /// Where it is.
    pub entry: Entry,
    /// What its machine is made of.
    pub spec: Spec,
    /// The ids of its boots.
    pub boots: Vec<String>,
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
    /// From there until template and disks were written, milliseconds of the host.
    pub freeze_milliseconds: f64,
    /// Guest time at the freeze, seconds.
    pub guest_seconds: f64,
}

/// What is written into the template beside its memory and disks.
#[derive(Serialize, Deserialize)]
struct Description {
    spec: Spec,
    boots: Vec<String>,
    figures: BakeFigures,
}

const DESCRIPTION: &str = "template.json";
/// To be counted up whenever the same parts would give another template because the procedure has changed.
const PROCEDURE: &str = "1";
/// How long a host may take to settle, in guest time.
const SETTLE_DEADLINE: Duration = Duration::from_secs(1200);

/// The kernel's command line. Nothing on it changes what the stacks see; it only keeps an emulated boot short. A
/// panic must not restart the guest behind our back.
const APPEND: &str = "console=ttyS0 root=/dev/vda rw quiet loglevel=4 panic=0 systemd.show_status=0 mitigations=off \
                      audit=0 apparmor=0 nokaslr rcupdate.rcu_expedited=1 fsck.mode=skip random.trust_cpu=on";

/// Everything that a template is made from.
pub(super) struct Recipe<'a> {
    pub store: &'a Store,
    pub image: &'a GuestImage,
    pub generation: &'a Generation,
    pub project: &'a Project,
    pub accelerator: Accelerator,
    pub clock: Clock,
}

impl Recipe<'_> {
    /// Finds the template, or bakes it under its lock.
    pub async fn get_or_bake(
        &self,
        workspace_folder: impl Fn() -> Result<Folder>,
        progress: &dyn Progress,
    ) -> Result<Baked> {
        let seed = self.seed(progress)?;
        let spec = self.spec(&seed);
        let key = self.key(&seed, &spec)?;
        // Waiting for another process' bake blocks this thread, which has nothing else to do.
        match self.store.begin("template", &key, progress)? {
            Begun::Ready(entry) => read(entry),
            Begun::Build(unfinished) => {
                let home = self.store.root().join("template").join(key.to_string());
                self.store.require_room("bake a template", (spec.memory_mib + 512) << 20)?;
                // QEMU works in a folder that goes with this process, whatever ends it.
                let folder = workspace_folder()?;
                self.bake(&spec, folder.path(), &home, progress).await?;
                move_files(folder.path(), unfinished.folder())?;
                progress.phase("reading the template once to know it again");
                read(unfinished.commit()?)
            }
        }
    }

    fn key(&self, seed: &Path, spec: &Spec) -> Result<Key> {
        let seed_name = seed.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        let image = self.image.entry().path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let spec_text = serde_json::to_string(spec).unwrap_or_default();
        Ok(Key::builder()
            .part("procedure", PROCEDURE)
            .part("guest channel", guest::PROCEDURE)
            .part("image", image)
            .part("seed", seed_name)
            .part("machine", spec_text)
            .part("arguments", machine::command_line(spec))
            .part("qemu", machine::qemu_version()?)
            .finish())
    }

    fn spec(&self, seed: &Path) -> Spec {
        let (accelerator, cpus) = match self.clock {
            Clock::Virtual => (Accelerator::Tcg, 1),
            Clock::Real => (self.accelerator, 2),
        };
        let disk = |serial: &str, base: PathBuf, format: &str, writable| Disk {
            serial: serial.to_owned(),
            base,
            format: format.to_owned(),
            writable,
        };
        let disks = vec![
            disk("root", self.image.disk(), "qcow2", true),
            disk("containers", self.image.containers(), "qcow2", true),
            disk("seed", seed.to_owned(), "raw", false),
        ];
        Spec {
            accelerator,
            clock: self.clock,
            cpus,
            memory_mib: if self.generation.manifest.containers() > 30 { 2048 } else { 1024 },
            kernel: self.image.kernel(),
            initrd: self.image.initrd(),
            append: APPEND.to_owned(),
            disks,
        }
    }

    /// The seed archive, which stays a disk of the machine as long as the template lives.
    fn seed(&self, progress: &dyn Progress) -> Result<PathBuf> {
        let manifest = &self.generation.manifest;
        let busybox_path = self.image.busybox();
        let busybox = fs::read(&busybox_path).map_err(Error::io("read", &busybox_path))?;
        let surroundings = Surroundings::of(self.generation, &self.project.fstab()?)?;
        let images = &surroundings.images;
        let registry = test_image::registry(images, &busybox)?.into_iter().map(|file| SeedFile {
            path: format!("/var/lib/docker-registry/{}", file.path),
            mode: 0o644,
            content: file.bytes,
        });
        let decryptor_path = guest_program::get_or_build(self.project.root(), self.store, progress)?;
        let decryptor = fs::read(&decryptor_path).map_err(Error::io("read", &decryptor_path))?;
        let secrets = self.project.secrets(BASE, manifest)?;
        let seed = Seed {
            generation: self.generation,
            secrets: &secrets,
            secrets_key: self.project.secrets_key()?,
            decryptor,
            images: test_image::archive(images, &busybox)?,
            files: registry.chain(surroundings.files).collect(),
            folders: surroundings.folders,
        };
        let mut archive = Cursor::new(Vec::new());
        seed.write(&mut archive)?;
        let bytes = archive.into_inner();
        let key = Key::builder().part("content", hex::encode(Sha256::digest(&bytes))).finish();
        let entry = self.store.get_or_build("seed", &key, progress, |folder| {
            let path = folder.join("seed.tar");
            fs::write(&path, &bytes).map_err(Error::io("write", &path))
        })?;
        Ok(entry.file("seed.tar"))
    }

    async fn bake(&self, spec: &Spec, folder: &Path, home: &Path, progress: &dyn Progress) -> Result<()> {
        let manifest = &self.generation.manifest;
        progress.phase("booting");
        let begin = Instant::now();
        let machine = Machine::boot(spec, folder).await?;
        let mut guest = Guest::booted(machine, &manifest.user).await?;
        let boot_seconds = begin.elapsed().as_secs_f64();
        progress.phase("the root shell is there; waiting for the stacks");
        let begin = Instant::now();
        guest::settle(&mut guest, manifest, SETTLE_DEADLINE, |news| progress.phase(&news)).await?;
        let settle_seconds = begin.elapsed().as_secs_f64();
        progress.phase("settled; freezing");
        let begin = Instant::now();
        // A template's disk is written out before it is frozen, so that a clone that loses its power finds it whole.
        let synced = guest.must("sync", Duration::from_secs(300)).await?;
        let boots = guest.boots().to_vec();
        guest.into_machine().freeze(home).await?;
        let figures = BakeFigures {
            boot_seconds,
            settle_seconds,
            freeze_milliseconds: begin.elapsed().as_secs_f64() * 1000.0,
            guest_seconds: synced.to.micros as f64 / 1e6,
        };
        let description = Description { spec: spec.clone(), boots, figures };
        let path = folder.join(DESCRIPTION);
        let text = serde_json::to_string_pretty(&description).unwrap_or_default();
        fs::write(&path, text).map_err(Error::io("write", &path))
    }
}

fn read(entry: Entry) -> Result<Baked> {
    let path = entry.file(DESCRIPTION);
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    let description: Description = serde_json::from_str(&text).map_err(|error| Error::Project {
        place: path.display().to_string(),
        problem: format!("{error}; remove the folder and bake again"),
    })?;
    Ok(Baked { entry, spec: description.spec, boots: description.boots, figures: description.figures })
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
