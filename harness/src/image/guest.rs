//! The Debian guest image: built by mmdebstrap from the machine's own apt sources, kept in the [`Store`].
//!
//! An image is found by what it is made from: the mirrors, the package list, the overlay and the setup script. Which
//! versions the mirrors had when it was built is not part of that (asking would need the network at every start);
//! `packages.txt` in the entry records them. To follow Debian's updates, remove the entry and run again.

use std::fs;
use std::path::{Path, PathBuf};

use super::archive::{Content, Item};
use super::{Entry, Error, Key, Progress, Result, Store, initrd, sources};

mod build;
mod disk;
mod unpack;

pub use disk::{CONTAINERS_MIB, ROOT_MIB};

/// The kind of cache entry that guest images are.
const KIND: &str = "image";

/// What a build takes in the cache on its way, with some to spare.
const ROOM: u64 = 2 << 30;

/// To be counted up whenever the same recipe gives another image because this code has changed.
const GENERATION: &str = "2";

/// What a guest image is made from.
#[derive(Debug, Clone)]
pub struct Recipe {
    sources: Vec<String>,
    packages: Vec<String>,
    overlay: Vec<Item>,
    setup: String,
}

impl Recipe {
    /// Reads `packages.txt` (one a line, `#` begins a comment), `setup.sh` (run in the finished tree) and `overlay/`
    /// (laid over the root: owner root, 0755 for what is executable, 0644 for the rest, symbolic links as they are)
    /// from a folder, and asks apt for its sources.
    ///
    /// # Errors
    /// If a file cannot be read, or apt knows no mirror of Debian's archive.
    pub fn read(folder: &Path) -> Result<Recipe> {
        let text = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(Error::io("read", &path))
        };
        let mut overlay = Vec::new();
        read_tree(&folder.join("overlay"), "", &mut overlay)?;
        Ok(Recipe {
            packages: packages_in(&text("packages.txt")?)?,
            setup: text("setup.sh")?,
            sources: sources::from_apt()?,
            overlay,
        })
    }

    /// The name of this image in the cache.
    pub fn key(&self) -> Key {
        let mut key = Key::builder()
            .part("generation", GENERATION)
            .part("release", sources::RELEASE)
            .part("sources", self.sources.join(", "))
            .part("packages", self.packages.join(" "))
            .part("init script", initrd::INIT)
            .part("setup script", &self.setup);
        for item in &self.overlay {
            let label = format!("overlay {} {:o}", item.path, item.mode);
            key = match &item.content {
                Content::File(bytes) => key.part(&label, bytes),
                Content::Link(target) => key.part(&label, format!("-> {target}")),
                Content::Folder => key.part(&label, ""),
            };
        }
        key.finish()
    }

    /// Finds the image if it is finished.
    ///
    /// # Errors
    /// As [`Store::find`].
    pub fn find(&self, store: &Store) -> Result<Option<GuestImage>> {
        Ok(store.find(KIND, &self.key())?.map(|entry| GuestImage { entry }))
    }

    /// Finds the image, or builds it, which takes some two minutes.
    ///
    /// # Errors
    /// If a host tool is missing, the archive cannot be reached, the setup script fails, or the cache cannot be
    /// written to.
    pub fn get_or_build(&self, store: &Store, progress: &dyn Progress) -> Result<GuestImage> {
        let entry = store.get_or_build(KIND, &self.key(), progress, |folder| {
            store.require_room("build the Debian guest", ROOM)?;
            build::build(self, folder, progress)
        })?;
        Ok(GuestImage { entry })
    }
}

/// A finished guest image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestImage {
    entry: Entry,
}

impl GuestImage {
    /// The cache entry with all the files; its folder's name is the image's key.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The root disk: raw, of [`ROOT_MIB`], one ext4 without partitions.
    pub fn disk(&self) -> PathBuf {
        self.entry.file("root.raw")
    }

    /// The empty disk for podman's storage: raw, of [`CONTAINERS_MIB`], an ext4 labelled `containers` that the stacks'
    /// user owns.
    pub fn containers(&self) -> PathBuf {
        self.entry.file("containers.raw")
    }

    /// The kernel.
    pub fn kernel(&self) -> PathBuf {
        self.entry.file("vmlinuz")
    }

    /// The initial RAM disk. With `harness.probe` on the kernel's command line it prints `harness-probe: ok` and
    /// powers off; what goes wrong in it ends in a kernel panic after a line that begins with `harness-initrd:`.
    pub fn initrd(&self) -> PathBuf {
        self.entry.file("initrd")
    }

    /// A static busybox, what test images are made of.
    pub fn busybox(&self) -> PathBuf {
        self.entry.file("busybox")
    }

    /// The installed packages, name and version on each line.
    pub fn packages(&self) -> PathBuf {
        self.entry.file("packages.txt")
    }
}

/// The names in a package list, in the order of the alphabet.
fn packages_in(text: &str) -> Result<Vec<String>> {
    let names = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let mut packages: Vec<_> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    if let Some(bad) = packages.iter().find(|name| !name.bytes().all(allowed)) {
        let reason = format!("{bad:?} is not the name of a package; write one name a line");
        return Err(Error::Content { what: "packages.txt".to_owned(), reason });
    }
    packages.sort();
    packages.dedup();
    Ok(packages)
}

/// Reads the files and links below a folder, in the order of their names. Folders are not members of their own, so
/// that those of the guest keep their modes.
fn read_tree(folder: &Path, prefix: &str, items: &mut Vec<Item>) -> Result<()> {
    let mut entries =
        fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(Error::io("list", folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name().into_string().map_err(|_| not_utf8(&path))?;
        let name = format!("{prefix}{name}");
        let metadata = entry.metadata().map_err(Error::io("look at", &path))?;
        if metadata.is_dir() {
            read_tree(&path, &format!("{name}/"), items)?;
        } else if metadata.is_symlink() {
            let target = fs::read_link(&path).map_err(Error::io("read", &path))?;
            items.push(Item::link(name, target.to_str().ok_or_else(|| not_utf8(&path))?));
        } else {
            let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
            items.push(Item::file(name, mode_of(&metadata), bytes));
        }
    }
    Ok(())
}

/// Version control keeps one bit of a file's mode, so only that one counts.
fn mode_of(metadata: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    if metadata.permissions().mode() & 0o100 == 0 { 0o644 } else { 0o755 }
}

fn not_utf8(path: &Path) -> Error {
    Error::Content { what: path.display().to_string(), reason: "its name or target is not UTF-8".to_owned() }
}

#[cfg(test)]
mod tests;
