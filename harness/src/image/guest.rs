//! The Debian guest image: built by mmdebstrap from the machine's own apt sources, kept in the [`Store`].

use std::path::{Path, PathBuf};

use super::{Entry, Key, Progress, Result, Store};

/// What a guest image is made from.
#[derive(Debug, Clone)]
pub struct Recipe {}

impl Recipe {
    /// Reads `packages.txt`, `setup.sh` and `overlay/` of a folder (`fixtures/guest`), and asks apt for its sources.
    ///
    /// # Errors
    /// If a file cannot be read, or apt knows no Debian archive.
    pub fn read(_folder: &Path) -> Result<Recipe> {
        Ok(Recipe {})
    }

    /// The name of this image in the cache.
    pub fn key(&self) -> Key {
        Key::builder().finish()
    }

    /// Finds the image or builds it, which takes about two minutes.
    ///
    /// # Errors
    /// If a host tool is missing, the archive cannot be reached, or the cache cannot be written to.
    pub fn get_or_build(&self, store: &Store, progress: &dyn Progress) -> Result<GuestImage> {
        let entry = store.get_or_build("image", &self.key(), progress, |_| {
            Ok::<(), super::Error>(())
        })?;
        Ok(GuestImage { entry })
    }
}

/// A finished guest image.
#[derive(Debug, Clone)]
pub struct GuestImage {
    entry: Entry,
}

impl GuestImage {
    /// The root disk (`/dev/vda`, qcow2), to be used below an overlay.
    pub fn disk(&self) -> PathBuf {
        self.entry.file("disk.qcow2")
    }

    /// The empty disk for podman's storage (qcow2, ext4 with the label `containers`).
    pub fn containers(&self) -> PathBuf {
        self.entry.file("containers.qcow2")
    }

    /// The kernel.
    pub fn kernel(&self) -> PathBuf {
        self.entry.file("vmlinuz")
    }

    /// The initial RAM disk; with `harness.probe` on the kernel's command line it prints `harness-probe: ok` and
    /// powers off.
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
