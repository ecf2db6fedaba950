//! Folders of machines that run: below the cache, gone with their machine, swept when a run was killed.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Error, Result};

/// The place of this process' machines.
#[derive(Debug)]
pub struct Workspace {
    folder: PathBuf,
    /// Held as long as the process lives: whose lock is free is dead.
    _lock: File,
    next: AtomicU64,
}

/// The folder of one machine, removed when it is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    keep: bool,
}

const LOCK: &str = "lock";

impl Workspace {
    /// Makes this process' place below the cache and removes those of dead processes.
    pub fn open(cache: &Path) -> Result<Workspace> {
        let all = cache.join("run");
        create(&all)?;
        sweep(&all)?;
        let folder = all.join(std::process::id().to_string());
        create(&folder)?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(Error::io("create", &path))?;
        lock.lock().map_err(Error::io("lock", &path))?;
        Ok(Workspace { folder, _lock: lock, next: AtomicU64::new(0) })
    }

    /// A new, empty folder.
    pub fn folder(&self) -> Result<Folder> {
        let path = self.folder.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        create(&path)?;
        Ok(Folder { path, keep: false })
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Folder {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder where it is.
    pub fn keep(mut self) -> PathBuf {
        self.keep = true;
        self.path.clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.keep {
            // What cannot be removed now is swept by the next run.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn create(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::io("create", path))
}

fn sweep(all: &Path) -> Result<()> {
    for entry in fs::read_dir(all).map_err(Error::io("list", all))? {
        let folder = entry.map_err(Error::io("list", all))?.path();
        let lock = File::open(folder.join(LOCK));
        // A folder without a lock is being made by somebody, or was left by one who died while making it.
        let dead = match &lock {
            Ok(lock) => lock.try_lock().is_ok(),
            Err(_) => !process_lives(&folder),
        };
        if dead {
            match fs::remove_dir_all(&folder) {
                // Another process sweeps, too.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                removed => removed.map_err(Error::io("remove what a dead run left in", &folder))?,
            }
        }
    }
    Ok(())
}

fn process_lives(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| Path::new("/proc").join(name).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_run_left_is_swept_and_the_living_stay() {
        let cache = tempfile::tempdir().unwrap();
        let dead = cache.path().join("run/999999999");
        fs::create_dir_all(dead.join("0")).unwrap();
        let living = Workspace::open(cache.path()).unwrap();
        let folder = living.folder().unwrap();
        assert!(!dead.exists());
        sweep(&cache.path().join("run")).unwrap();
        assert!(folder.path().exists());
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
