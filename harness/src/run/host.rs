//! Hosts ready to be cloned: prepared once in a process, from the cache where it has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::event::Event;
use crate::generation::{self, BASE, Generation};
use crate::guest::{self, Kind};
use crate::image::guest::{GuestImage, Recipe as ImageRecipe};
use crate::image::{Key, Progress, Store, guest_program};
use crate::machine::{self, Accelerator, Clock, Node, Probe};
use crate::scenario::{Hardware, Time};

use super::bake::Bake;
use super::project::Secrets;
use super::template::Recipe;
use super::{Baked, Error, Origin, Prepared, Project, Recorder, Result, Workspace};

/// Prepares hosts, each once.
pub struct Hosts {
    project: Project,
    store: Store,
    workspace: Workspace,
    recorder: Arc<Recorder>,
    prepared: Mutex<BTreeMap<(String, Shape), SharedSlot>>,
    image: Mutex<Option<(GuestImage, Probe)>>,
    /// The nodes that were looked at, by name.
    pub(super) nodes: Mutex<BTreeMap<String, (Node, Probe)>>,
}

/// What the machines of a host are like; each shape is a template of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// How time passes in them.
    pub clock: Clock,
    /// How many processors they have at least. In virtual time these take turns, at the guest's own moments.
    pub cpus: u8,
}

impl Shape {
    /// The machines of a scenario that asks for this hardware.
    pub fn of(hardware: Hardware, accelerator: Accelerator) -> Shape {
        let clock = match (hardware.time, accelerator) {
            (Time::Virtual, _) | (Time::Any, Accelerator::Tcg) => Clock::Virtual,
            (Time::Real, _) | (Time::Any, Accelerator::Kvm) => Clock::Real,
        };
        let cpus = if hardware.two_processors || clock == Clock::Real { 2 } else { 1 };
        Shape { clock, cpus }
    }

    /// What tells a bake of this shape from others of the same host, for people.
    fn suffix(self) -> &'static str {
        match (self.clock, self.cpus) {
            (Clock::Real, _) => " (real time)",
            (Clock::Virtual, 1) => "",
            (Clock::Virtual, _) => " (two processors)",
        }
    }
}

/// What came of preparing a host, once somebody has tried.
type Slot = Option<Result<Arc<Prepared>, String>>;

/// Held by whoever prepares the host while others wait for it.
type SharedSlot = Arc<Mutex<Slot>>;

impl Hosts {
    /// Nothing is prepared yet.
    pub fn new(project: Project, store: Store, recorder: Arc<Recorder>) -> Result<Hosts> {
        let workspace = Workspace::open(store.root())?;
        Ok(Hosts {
            project,
            store,
            workspace,
            recorder,
            prepared: Mutex::new(BTreeMap::new()),
            image: Mutex::new(None),
            nodes: Mutex::new(BTreeMap::new()),
        })
    }

    /// Where machines run.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The cache.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The guest image and the verdict on this machine's accelerator, both from the cache where it has them.
    pub fn image(&self) -> Result<(GuestImage, Probe)> {
        let mut slot = self.image.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = &*slot {
            return Ok(ready.clone());
        }
        let progress = self.recorder.task("image");
        let recipe = ImageRecipe::read(&self.project.root().join("fixtures/guest"))?;
        if !matches!(recipe.find(&self.store), Ok(Some(_))) {
            guest_program::require(self.project.root(), &self.store)?;
        }
        let image = recipe.get_or_build(&self.store, &progress)?;
        let probe = self.probe(Path::new(machine::QEMU), &image.kernel(), &image.initrd(), "harness.probe")?;
        *slot = Some((image.clone(), probe.clone()));
        Ok((image, probe))
    }

    /// How many of this machine's processors a machine of a host keeps busy. Two that are emulated by the host's clock
    /// run side by side; beside another machine they would be late for every time-out in the guest.
    pub fn processors(&self, host: &str, hardware: Hardware) -> Result<u32> {
        let accelerator = self.accelerator(host)?.accelerator;
        Ok(match (Shape::of(hardware, accelerator).clock, accelerator) {
            (Clock::Real, Accelerator::Tcg) => 2,
            _ => 1,
        })
    }

    /// What runs the instructions of a host's machines, and why.
    pub fn accelerator(&self, host: &str) -> Result<Probe> {
        match self.project.nodes() {
            Some(nodes) => Ok(self.look_at(nodes.get(host)?)?.1),
            None => Ok(self.image()?.1),
        }
    }

    /// A host on which trials can be run; whoever comes second waits for the first.
    pub fn prepare(&self, host: &str, hardware: Hardware) -> Result<Arc<Prepared>> {
        let shape = Shape::of(hardware, self.accelerator(host)?.accelerator);
        let slot = {
            let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            prepared.entry((host.to_owned(), shape)).or_default().clone()
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        match &*slot {
            Some(Ok(ready)) => return Ok(ready.clone()),
            Some(Err(error)) => return Err(Error::Shared(error.clone())),
            None => {}
        }
        let prepared = match self.project.nodes() {
            Some(nodes) => self.prepare_node(nodes.get(host)?, shape),
            None => self.bake(host, shape),
        };
        let result = prepared.map(Arc::new);
        *slot = Some(result.as_ref().map(Arc::clone).map_err(ToString::to_string));
        result
    }

    /// What kind of guests the hosts are.
    pub fn kind(&self) -> &'static Kind {
        if self.project.nodes().is_some() { &guest::NIXOS } else { &guest::DEBIAN }
    }

    /// The generation of a host, rendered or from the cache: Nix is asked only when its inputs have changed.
    pub fn generation(&self, host: &str, progress: &dyn Progress) -> Result<Generation> {
        if let Some(foreign) = self.project.foreign().filter(|foreign| foreign.host() == host) {
            return Ok(foreign.generation().clone());
        }
        let mut key = Key::builder().part("host", host);
        for path in generation::inputs(self.project.root(), host)? {
            let content = fs::read(&path).map_err(Error::io("read", &path))?;
            let name = path.strip_prefix(self.project.root()).unwrap_or(&path).display().to_string();
            key = key.part(&name, Sha256::digest(content));
        }
        let entry = self.store.get_or_build("generation", &key.finish(), progress, |folder| {
            progress.phase("rendering the generation");
            generation::render(self.project.root(), host)?.write(folder)?;
            Ok::<(), Error>(())
        })?;
        Ok(Generation::read(entry.path())?)
    }

    fn bake(&self, host: &str, shape: Shape) -> Result<Prepared> {
        let (image, probe) = self.image()?;
        let progress = self.recorder.task(&format!("bake {host}{}", shape.suffix()));
        let generation = self.generation(host, &progress)?;
        let secrets = self.secrets(&generation)?;
        let recipe = Recipe {
            store: &self.store,
            image: &image,
            generation: &generation,
            project: &self.project,
            accelerator: probe.accelerator,
            secrets: &secrets[BASE],
            shape,
        };
        let baked = self.get_or_bake(&recipe.bake(&progress)?, &progress)?;
        let origin = Origin::Template(Box::new(baked));
        Ok(Prepared { generation, secrets, kind: &guest::DEBIAN, origin })
    }

    /// The secrets of a generation and of each variant, by its name.
    fn secrets(&self, generation: &Generation) -> Result<BTreeMap<String, Secrets>> {
        let secrets_of = |(name, generation): (&str, &Generation)| {
            Ok((name.to_owned(), self.project.secrets(name, &generation.manifest)?))
        };
        generation.with_variants().map(secrets_of).collect()
    }

    pub(super) fn get_or_bake(&self, bake: &Bake<'_>, progress: &dyn Progress) -> Result<Baked> {
        let work = bake.get_or_bake(|| self.workspace.folder(), progress);
        runtime()?.block_on(self.recorder.until_interrupted(work))?
    }

    /// The verdict on the accelerator holds as long as QEMU, the guest's kernel and the kernel of this machine do.
    pub(super) fn probe(&self, qemu: &Path, kernel: &Path, initrd: &Path, append: &str) -> Result<Probe> {
        let progress = self.recorder.task("accelerator");
        let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let device = Path::new("/dev/kvm").exists();
        let usable = fs::File::options().read(true).write(true).open("/dev/kvm").is_ok();
        let key = Key::builder()
            .part("qemu", machine::qemu_version()?)
            .part("kernel", release)
            .part("boot", boot)
            .part("device", format!("there {device}, opens {usable}"))
            .part("guest", format!("{} {} {}", qemu.display(), kernel.display(), initrd.display()))
            .finish();
        self.remembered("accelerator", "probe.json", &key, &progress, || {
            progress.phase("running a test guest to see what this machine's accelerator is good for");
            let work = async { Ok(machine::probe(qemu, kernel, initrd, append).await?) };
            runtime()?.block_on(self.recorder.until_interrupted(work))?
        })
    }

    /// What the cache has as JSON in an entry's file, or what is found out now and kept there.
    pub(super) fn remembered<T: Serialize + DeserializeOwned>(
        &self,
        kind: &str,
        file: &str,
        key: &Key,
        progress: &dyn Progress,
        find_out: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let entry = self.store.get_or_build(kind, key, progress, |folder| {
            let path = folder.join(file);
            let text =
                serde_json::to_vec_pretty(&find_out()?).map_err(|error| Error::io("write", &path)(error.into()))?;
            fs::write(&path, text).map_err(Error::io("write", path))
        })?;
        let path = entry.file(file);
        let text = fs::read(&path).map_err(Error::io("read", &path))?;
        serde_json::from_slice(&text)
            .map_err(|error| Error::Project { place: path.display().to_string(), problem: error.to_string() })
    }

    /// Where events go.
    pub fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// Tells reporters something.
    pub fn emit(&self, event: Event) {
        self.recorder.emit(event);
    }
}

/// One thread for one machine: the kernel ends QEMU with the thread that started it.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(Error::io("start", "the asynchronous runtime"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_the_processors_that_are_asked_for_whatever_its_clock() {
        let check = |time: Time, two_processors: bool, accelerator: Accelerator, clock: Clock, cpus: u8| {
            let shape = Shape::of(Hardware { time, two_processors }, accelerator);
            assert_eq!(shape, Shape { clock, cpus }, "{time:?} {two_processors} {accelerator:?}");
        };
        check(Time::Any, false, Accelerator::Tcg, Clock::Virtual, 1);
        check(Time::Any, true, Accelerator::Tcg, Clock::Virtual, 2);
        check(Time::Any, false, Accelerator::Kvm, Clock::Real, 2);
        check(Time::Virtual, true, Accelerator::Kvm, Clock::Virtual, 2);
        check(Time::Real, false, Accelerator::Tcg, Clock::Real, 2);
    }
}
