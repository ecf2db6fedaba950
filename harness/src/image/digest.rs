//! What an entry's files were when the entry was finished: a stamp that is compared at each use and costs nothing,
//! and a digest that `verify` compares by reading everything.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::SeekFrom;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Error, Result};

/// Files are digested in blocks of this many bytes, so that holes and zeros cost nothing.
const BLOCK: usize = 64 * 1024;

/// The name of the file that lists the digests of all others.
pub(super) const FILE_NAME: &str = "digests.json";

/// Size, identity and time of a file: what changes when anybody writes to it or puts another in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    inode: u64,
    modified_seconds: i64,
    modified_nanoseconds: i64,
}

impl Stamp {
    fn of(path: &Path) -> Result<Stamp> {
        let metadata = fs::symlink_metadata(path).map_err(Error::io("look at", path))?;
        Ok(Stamp {
            size: metadata.size(),
            inode: metadata.ino(),
            modified_seconds: metadata.mtime(),
            modified_nanoseconds: metadata.mtime_nsec(),
        })
    }

    /// What differs, in words; nothing if the stamps are equal.
    fn difference(&self, now: &Stamp) -> Option<String> {
        if self.size != now.size {
            Some(format!("has {} bytes instead of {}", now.size, self.size))
        } else if self.inode != now.inode {
            Some("was replaced by another file".to_owned())
        } else if self != now {
            Some("was written to after it was finished".to_owned())
        } else {
            None
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Digested {
    #[serde(flatten)]
    stamp: Stamp,
    digest: String,
}

/// The files of one entry, by path relative to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Digests(BTreeMap<String, Digested>);

impl Digests {
    /// Brings every file of a folder to the disk and takes its digest and stamp.
    pub(super) fn take(folder: &Path) -> Result<Digests> {
        let mut digests = BTreeMap::new();
        for name in files_below(folder)? {
            let path = folder.join(&name);
            let file = File::open(&path).map_err(Error::io("open", &path))?;
            file.sync_all().map_err(Error::io("bring to the disk", &path))?;
            let digest = digest_of(&file).map_err(Error::io("read", &path))?;
            digests.insert(name, Digested { stamp: Stamp::of(&path)?, digest });
        }
        Ok(Digests(digests))
    }

    /// Reads the list of a finished entry.
    pub(super) fn read(folder: &Path) -> Result<Digests> {
        let path = folder.join(FILE_NAME);
        let text =
            fs::read(&path).map_err(|source| damaged(folder, format!("{FILE_NAME} cannot be read: {source}")))?;
        serde_json::from_slice(&text).map_err(|error| damaged(folder, format!("{FILE_NAME} makes no sense: {error}")))
    }

    /// Writes the list into the folder it describes.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(FILE_NAME);
        let file = File::create(&path).map_err(Error::io("create", &path))?;
        serde_json::to_writer_pretty(&file, self).map_err(|error| Error::io("write", &path)(error.into()))?;
        file.sync_all().map_err(Error::io("bring to the disk", &path))
    }

    /// Compares the stamps of all files; the first difference is the error.
    pub(super) fn check_stamps(&self, folder: &Path) -> Result<()> {
        for (name, digested) in &self.0 {
            let difference = match Stamp::of(&folder.join(name)) {
                Ok(now) => digested.stamp.difference(&now),
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    Some("is missing".to_owned())
                }
                Err(error) => return Err(error),
            };
            if let Some(difference) = difference {
                return Err(damaged(folder, format!("{name} {difference}")));
            }
        }
        Ok(())
    }

    /// Compares the stamps and then the content of all files; the first difference is the error.
    pub(super) fn check_content(&self, folder: &Path) -> Result<()> {
        self.check_stamps(folder)?;
        for (name, digested) in &self.0 {
            let path = folder.join(name);
            let file = File::open(&path).map_err(Error::io("open", &path))?;
            if digest_of(&file).map_err(Error::io("read", &path))? != digested.digest {
                return Err(damaged(folder, format!("{name} has other content than when it was finished")));
            }
        }
        Ok(())
    }
}

fn damaged(entry: &Path, difference: String) -> Error {
    Error::Damaged { entry: entry.to_path_buf(), difference }
}

/// All regular files below a folder, by relative path, sorted; the list of digests itself left out.
fn files_below(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut pending = vec![String::new()];
    while let Some(prefix) = pending.pop() {
        let path = folder.join(&prefix);
        for entry in fs::read_dir(&path).map_err(Error::io("list", &path))? {
            let entry = entry.map_err(Error::io("list", &path))?;
            let kind = entry.file_type().map_err(Error::io("look at", entry.path()))?;
            let Ok(name) = entry.file_name().into_string() else {
                let what = entry.path().display().to_string();
                return Err(Error::Content { what, reason: "its name is not UTF-8".to_owned() });
            };
            let name = format!("{prefix}{name}");
            if kind.is_dir() {
                pending.push(format!("{name}/"));
            } else if kind.is_file() && name != FILE_NAME {
                names.push(name);
            }
        }
    }
    names.sort();
    Ok(names)
}

/// SHA-256 over the file's length and every block that is not all zeros, each after its number. The answer does not
/// depend on where the file system keeps holes, and a guest's memory of gigabytes takes as long as what it really uses.
fn digest_of(file: &File) -> io::Result<String> {
    let length = file.metadata()?.len();
    let mut digest = Sha256::new();
    digest.update(length.to_le_bytes());
    let mut block = vec![0; BLOCK];
    let mut offset = 0;
    while let Some(start) = next_data(file, offset)? {
        let number = start / BLOCK as u64;
        let filled = read_block(file, &mut block, number * BLOCK as u64)?;
        if block[..filled].iter().any(|byte| *byte != 0) {
            digest.update(number.to_le_bytes());
            digest.update(&block[..filled]);
        }
        offset = (number + 1) * BLOCK as u64;
    }
    Ok(hex::encode(digest.finalize()))
}

/// Where the next data begins at or after an offset; nothing if only a hole or the end follows.
fn next_data(file: &File, offset: u64) -> io::Result<Option<u64>> {
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(start) => Ok(Some(start)),
        Err(rustix::io::Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn read_block(file: &File, block: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match file.read_at(&mut block[filled..], offset + filled as u64)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    #[test]
    fn holes_and_written_zeros_have_the_same_digest_and_nothing_else_has() {
        let digest = |pieces: &[(u64, &[u8])], length: u64| {
            let mut file = tempfile::tempfile().unwrap();
            for (offset, bytes) in pieces {
                file.seek(io::SeekFrom::Start(*offset)).unwrap();
                file.write_all(bytes).unwrap();
            }
            file.set_len(length).unwrap();
            digest_of(&file).unwrap()
        };
        let zeros = vec![0; 4 * BLOCK];
        let far = 1 << 31;
        assert_eq!(digest(&[], 4 * BLOCK as u64), digest(&[(0, &zeros)], 4 * BLOCK as u64));
        assert_ne!(digest(&[], 4 * BLOCK as u64), digest(&[], 5 * BLOCK as u64));
        assert_ne!(digest(&[(0, b"x")], far), digest(&[(1, b"x")], far));
        assert_ne!(digest(&[(BLOCK as u64, b"x")], far), digest(&[(2 * BLOCK as u64, b"x")], far));
        assert_eq!(digest(&[(far - 1, b"x")], far), digest(&[(0, &zeros), (far - 1, b"x")], far));
    }
}
