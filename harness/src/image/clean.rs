//! What the cache holds, since when nobody has used it, and its removal.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::digest::FILE_NAME;
use super::store::{DAMAGED, FAILED, LOCKS, UNFINISHED, folders_in, remove_folder, removed};
use super::{Error, Result, Store};

/// Something that takes room in the cache: an entry, or what was put aside for people to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its folder.
    pub folder: PathBuf,
    /// When it was last used or, where nobody uses it, put there.
    pub used: SystemTime,
    /// The bytes it takes on the disk: files with holes take less than their length.
    pub bytes: u64,
}

impl Content {
    /// For how long nobody has used it; nothing for a time in the future.
    pub fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.used).unwrap_or_default()
    }

    /// The bytes that several take together.
    pub fn total(contents: &[Content]) -> u64 {
        contents.iter().map(|content| content.bytes).sum()
    }
}

impl Store {
    /// Everything that takes room, what was not used for longest first.
    ///
    /// # Errors
    /// If the cache cannot be listed.
    pub fn contents(&self) -> Result<Vec<Content>> {
        let mut folders = self.entries()?;
        for aside in [DAMAGED, FAILED] {
            folders.extend(folders_in(&self.root().join(aside))?);
        }
        let mut contents = folders.into_iter().map(content).collect::<Result<Vec<Content>>>()?;
        contents.sort_by_key(|content| content.used);
        Ok(contents)
    }

    /// Removes some of the contents, whole ones even where it is interrupted.
    ///
    /// # Errors
    /// If another process uses the cache, and nothing is removed then; or if something cannot be removed.
    pub fn remove(&self, contents: &[Content]) -> Result<()> {
        self.alone(|| contents.iter().try_for_each(|content| self.remove_one(&content.folder)))
    }

    fn remove_one(&self, folder: &Path) -> Result<()> {
        let lock = folder.strip_prefix(self.root()).unwrap_or(folder).to_string_lossy().replace('/', "-");
        // What is left of an interrupted removal is swept away with what dead builds left.
        let aside = self.root().join(UNFINISHED).join(format!("{lock}.removed"));
        fs::rename(folder, &aside).map_err(Error::io("move aside", folder))?;
        remove_folder(&aside)?;
        let lock = self.root().join(LOCKS).join(lock);
        removed(&lock, fs::remove_file(&lock))
    }
}

fn content(folder: PathBuf) -> Result<Content> {
    // An entry's list of files is touched at each use. Where it is missing, the entry is damaged or was put aside.
    let list = fs::metadata(folder.join(FILE_NAME));
    let used = list.or_else(|_| fs::metadata(&folder)).and_then(|metadata| metadata.modified());
    let used = used.map_err(Error::io("look at", &folder))?;
    Ok(Content { used, bytes: occupied(&folder)?, folder })
}

/// The bytes that a folder takes on the disk.
fn occupied(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let entry = entry.map_err(Error::io("list", folder))?;
        let metadata = entry.metadata().map_err(Error::io("look at", entry.path()))?;
        bytes += if metadata.is_dir() { occupied(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}
