//! The content-addressed cache: one folder for each product, found by [`Key`], finished or not there at all.
//!
//! Layout below the root: `<kind>/<key>/` the entries, `locks/<kind>-<key>` one lock file each, `tmp/<kind>-<key>.…/`
//! unfinished work, `damaged/<kind>-<key>/` the last entry of that name that was found damaged, `failed/<name>/` what
//! the last build of that name that failed left for people to read. A build happens in `tmp` under its lock and is
//! renamed into place when everything is on the disk, so that an interrupted one leaves nothing behind that could be
//! taken for an entry. Whoever has the cache open holds the lock `locks/cache` together with others;
//! [`Store::remove`] needs it for itself.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustix::fs::{FlockOperation, flock};
use tempfile::TempDir;

use super::digest::{self, Digests};
use super::{Error, Key, Progress, Result, lock};

pub(super) const LOCKS: &str = "locks";
pub(super) const UNFINISHED: &str = "tmp";
/// Entries that were found damaged.
pub(super) const DAMAGED: &str = "damaged";
/// What failed builds left for people to read.
pub(super) const FAILED: &str = "failed";
/// The folders below the root that hold no entries; machines that run have theirs in `run`.
const NO_KINDS: [&str; 5] = [LOCKS, UNFINISHED, DAMAGED, FAILED, "run"];
/// The lock of the whole cache. The others have a `-` in their names.
const WHOLE: &str = "cache";

/// The cache on this machine. Cheap to clone; every process may have its own.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    /// The lock of the whole cache, held together with other processes.
    in_use: Arc<File>,
}

impl Store {
    /// Opens the cache in `$HARNESS_CACHE`, else in `$XDG_CACHE_HOME/harness`, else in `~/.cache/harness`.
    ///
    /// # Errors
    /// If no folder can be chosen, or as [`Store::open`].
    pub fn from_environment() -> Result<Store> {
        if let Some(root) = std::env::var_os("HARNESS_CACHE").filter(|root| !root.is_empty()) {
            return Store::open(root);
        }
        let folders = directories::BaseDirs::new().ok_or(Error::NoCacheFolder)?;
        Store::open(folders.cache_dir().join("harness"))
    }

    /// Opens the cache in a folder, creates the folder (mode 0700) if need be, and sweeps away what dead builds left.
    ///
    /// # Errors
    /// If the folder cannot be created or written to.
    pub fn open(root: impl Into<PathBuf>) -> Result<Store> {
        let root = std::path::absolute(root.into()).map_err(Error::io("find", "the cache folder"))?;
        for folder in [LOCKS, UNFINISHED, DAMAGED, FAILED] {
            create_folder(&root.join(folder))?;
        }
        let path = root.join(LOCKS).join(WHOLE);
        let in_use = lock::open(&path)?;
        // Somebody who cleans has it for moments only.
        flock(&in_use, FlockOperation::LockShared).map_err(|error| Error::io("lock", &path)(error.into()))?;
        let store = Store { root, in_use: Arc::new(in_use) };
        store.sweep()?;
        Ok(store)
    }

    /// Does some work while nobody else has the cache open.
    ///
    /// # Errors
    /// If another process has it open, and nothing is done then; or what the work returns.
    pub(super) fn alone(&self, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let lock = |operation| {
            flock(&self.in_use, operation).map_err(|error| match error {
                rustix::io::Errno::WOULDBLOCK => Error::Host {
                    operation: "clean the cache",
                    reason: format!("another harness is using {}", self.root.display()),
                    advice: "wait until it has ended: a run, a bake, or a machine that was entered".to_owned(),
                },
                error => Error::io("lock the cache", &self.root)(error.into()),
            })
        };
        let done = lock(FlockOperation::NonBlockingLockExclusive).and_then(|()| work());
        // Also where the first was refused: the kernel lets go of the shared lock before it tries for the other.
        done.and(lock(FlockOperation::LockShared))
    }

    /// The folder that holds everything.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Looks for a finished entry and compares the stamps of its files.
    ///
    /// # Errors
    /// [`Error::Damaged`] if a file is not what the build left behind.
    pub fn find(&self, kind: &str, key: &Key) -> Result<Option<Entry>> {
        let path = self.folder_of(kind)?.join(key.to_string());
        if !path.try_exists().map_err(Error::io("look for", &path))? {
            return Ok(None);
        }
        Digests::read(&path)?.check_stamps(&path)?;
        // Only `harness clean` wants to know: a cache that cannot be written can be used all the same.
        let _ = File::open(path.join(digest::FILE_NAME)).and_then(|list| list.set_modified(SystemTime::now()));
        Ok(Some(Entry { path }))
    }

    /// Finds an entry, or locks its name and gives out a folder to build it in. A damaged entry is moved aside and
    /// counts as missing. Waits, saying so once, while another process builds the same entry; such a wait ends at the
    /// latest when that process does, for the kernel drops its lock.
    ///
    /// # Errors
    /// If the cache cannot be read or written.
    pub fn begin(&self, kind: &str, key: &Key, progress: &dyn Progress) -> Result<Begun> {
        // Whatever else the first look finds is looked at again under the lock.
        if let Ok(Some(entry)) = self.find(kind, key) {
            return Ok(Begun::Ready(entry));
        }
        let name = format!("{kind}-{key}");
        let lock = lock::take(&self.root.join(LOCKS), &name, progress)?;
        match self.find(kind, key) {
            Ok(Some(entry)) => return Ok(Begun::Ready(entry)),
            Ok(None) => {}
            Err(damaged @ Error::Damaged { .. }) => {
                let aside = self.move_aside(kind, key)?;
                progress.notice(&format!("{damaged}; moved to {}, building it anew", aside.display()));
            }
            Err(error) => return Err(error),
        }
        // A name of its own for each attempt: a program that outlived its killed builder must not write into this one.
        let parent = self.root.join(UNFINISHED);
        let folder = tempfile::Builder::new().prefix(&format!("{name}.")).tempdir_in(&parent);
        let folder = folder.map_err(Error::io("create a folder in", &parent))?;
        let target = self.folder_of(kind)?.join(key.to_string());
        Ok(Begun::Build(Unfinished { folder, target, key: key.clone(), _lock: lock }))
    }

    /// Finds an entry or builds it in the folder that `build` is given.
    ///
    /// # Errors
    /// What `build` returns, or as [`Store::begin`] and [`Unfinished::commit`].
    pub fn get_or_build<E: From<Error>>(
        &self,
        kind: &str,
        key: &Key,
        progress: &dyn Progress,
        build: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<Entry, E> {
        match self.begin(kind, key, progress)? {
            Begun::Ready(entry) => Ok(entry),
            Begun::Build(unfinished) => {
                build(unfinished.folder())?;
                Ok(unfinished.commit()?)
            }
        }
    }

    /// Refuses to begin what the cache's disk has no room for; otherwise it would fail after minutes.
    ///
    /// # Errors
    /// If there is less room than `bytes`, or the disk does not say.
    pub fn require_room(&self, operation: &'static str, bytes: u64) -> Result<()> {
        let disk = rustix::fs::statvfs(&self.root)
            .map_err(|error| Error::io("ask for the room in", &self.root)(error.into()))?;
        let free = disk.f_bavail * disk.f_frsize;
        if free >= bytes {
            return Ok(());
        }
        let reason =
            format!("{} has {} MiB free, and it takes about {} MiB", self.root.display(), free >> 20, bytes >> 20);
        let advice =
            "free some space (`harness clean` removes old templates), or set HARNESS_CACHE to a folder on a larger disk"
                .to_owned();
        Err(Error::Host { operation, reason, advice })
    }

    /// The folders of all finished entries, by kind and key.
    ///
    /// # Errors
    /// If the cache cannot be listed.
    pub fn entries(&self) -> Result<Vec<PathBuf>> {
        let mut entries = Vec::new();
        for kind in folders_in(&self.root)? {
            if NO_KINDS.iter().any(|name| kind.ends_with(name)) {
                continue;
            }
            entries.extend(folders_in(&kind)?);
        }
        Ok(entries)
    }

    /// Reads every file of every entry and compares its digest. Returns what was found wrong; empty means sound.
    ///
    /// # Errors
    /// If the cache itself cannot be listed; unreadable entries are findings.
    pub fn verify(&self, progress: &dyn Progress) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for entry in self.entries()? {
            progress.phase(&format!("reading {}", entry.display()));
            if let Err(problem) = Digests::read(&entry).and_then(|digests| digests.check_content(&entry)) {
                findings.push(Finding { entry, problem });
            }
        }
        Ok(findings)
    }

    fn folder_of(&self, kind: &str) -> Result<PathBuf> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let reserved = NO_KINDS.contains(&kind);
        if kind.is_empty() || reserved || !kind.bytes().all(allowed) {
            return Err(Error::BadKind { name: kind.to_owned() });
        }
        Ok(self.root.join(kind))
    }

    /// Keeps one damaged entry a name for people to look at; an older one makes room.
    fn move_aside(&self, kind: &str, key: &Key) -> Result<PathBuf> {
        let path = self.folder_of(kind)?.join(key.to_string());
        let aside = self.root.join(DAMAGED).join(format!("{kind}-{key}"));
        remove_folder(&aside)?;
        fs::rename(&path, &aside).map_err(Error::io("move aside", &path))?;
        Ok(aside)
    }

    /// A new folder for what a failed build of this name leaves for people to read; an older one makes room.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn failed(&self, name: &str) -> Result<PathBuf> {
        let path = self.root.join(FAILED).join(name);
        remove_folder(&path)?;
        create_folder(&path)?;
        Ok(path)
    }

    /// Removes unfinished work whose lock nobody holds: its builder is dead.
    fn sweep(&self) -> Result<()> {
        for folder in folders_in(&self.root.join(UNFINISHED))? {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let name = name.split('.').next().unwrap_or_default();
            let lock = lock::open(&self.root.join(LOCKS).join(name))?;
            if lock.try_lock().is_ok() {
                remove_folder(&folder)?;
            }
        }
        Ok(())
    }
}

/// One finished product of the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    path: PathBuf,
}

impl Entry {
    /// The folder with the product's files. They are not to be written to.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of one file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// What [`Store::begin`] found.
#[derive(Debug)]
pub enum Begun {
    /// The entry is there.
    Ready(Entry),
    /// The entry is to be built by the caller, who holds its lock.
    Build(Unfinished),
}

/// An entry that is being built. Dropped without [`Unfinished::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Unfinished {
    // Dropped before the lock. After a commit nothing is left there to remove.
    folder: TempDir,
    target: PathBuf,
    key: Key,
    _lock: File,
}

impl Unfinished {
    /// The folder to build in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Takes the digests of all files, brings everything to the disk and puts the entry in its place. Nobody may
    /// write to the files any more: processes that did must have ended.
    ///
    /// # Errors
    /// If a file cannot be read or the folder cannot be renamed.
    pub fn commit(self) -> Result<Entry> {
        let folder = self.folder.path();
        let description = folder.join("key.txt");
        fs::write(&description, self.key.description()).map_err(Error::io("write", &description))?;
        Digests::take(folder)?.write(folder)?;
        sync_folder(folder)?;
        let parent = self.target.parent().unwrap_or(&self.target);
        create_folder(parent)?;
        fs::rename(folder, &self.target).map_err(Error::io("put into place", &self.target))?;
        sync_folder(parent)?;
        Ok(Entry { path: self.target.clone() })
    }
}

/// One entry that [`Store::verify`] found wrong.
#[derive(Debug)]
pub struct Finding {
    /// The entry's folder.
    pub entry: PathBuf,
    /// What is wrong with it.
    pub problem: Error,
}

fn create_folder(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io("create", path))
}

/// Removes a folder with all its content, if it is there.
pub(super) fn remove_folder(path: &Path) -> Result<()> {
    removed(path, fs::remove_dir_all(path))
}

/// What came of a removal: that there was nothing to remove is as good.
pub(super) fn removed(path: &Path, outcome: io::Result<()>) -> Result<()> {
    match outcome {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::io("remove", path)(source)),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io("bring to the disk", path))
}

/// The folders directly in a folder, sorted.
pub(super) fn folders_in(path: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(path).map_err(Error::io("list", path))? {
        let entry = entry.map_err(Error::io("list", path))?;
        if entry.file_type().map_err(Error::io("look at", entry.path()))?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests;
