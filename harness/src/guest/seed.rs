//! The seed: everything that is put into a guest image to make it one host, as a tar archive that the guest unpacks
//! over its root before its first real boot.

use std::collections::BTreeSet;
use std::io::Write;

use crate::generation::{Delta, Generation, User};

use super::{Error, Result};

/// A file that belongs to the world around the stacks: an image, a secret, a registry's blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedFile {
    /// Absolute path in the guest.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// The content.
    pub content: Vec<u8>,
}

/// What makes a guest image a host.
#[derive(Debug)]
pub struct Seed<'a> {
    /// The generation under test.
    pub generation: &'a Generation,
    /// Secrets, encrypted or plain, by the absolute path where the guest is to have them in plain text.
    pub secrets: &'a [(String, Vec<u8>)],
    /// The age key that opens them.
    pub secrets_key: String,
    /// The program that decrypts them.
    pub decryptor: Vec<u8>,
    /// The images, as `podman load` takes them.
    pub images: Vec<u8>,
    /// The registry's storage and whatever else.
    pub files: Vec<SeedFile>,
    /// Folders that belong to the user, by absolute path.
    pub folders: Vec<String>,
}

/// Where the guest keeps what it decrypts at each boot, since /run is empty then.
pub(super) const SECRETS: &str = "/var/lib/harness/secrets";
/// Where sops-nix looks for its key.
const SECRETS_KEY: &str = "/var/lib/sops-nix/key.txt";
/// What the guest decrypts with.
const DECRYPTOR: &str = "/usr/local/lib/harness/sops-file";
/// What the guest loads into the user's storage once.
const IMAGES: &str = "/var/lib/harness/images.tar";

impl Seed<'_> {
    /// Writes the archive. It is the same for the same seed: no time, no order of a folder gets in.
    pub fn write(&self, to: impl Write) -> Result<()> {
        let manifest = &self.generation.manifest;
        let mut archive = Archive { tar: tar::Builder::new(to), folders: BTreeSet::new(), user: &manifest.user };
        archive.file("/etc/hostname", 0o644, format!("{}\n", manifest.hostname).as_bytes())?;
        for file in &manifest.files {
            let mode = file.permission_bits().map_err(|error| Error::Seed(std::io::Error::other(error)))?;
            archive.file(&file.target, mode, &self.generation.files[&file.source])?;
        }
        for link in &manifest.links {
            archive.link(&link.path, &link.target)?;
        }
        for (path, content) in self.secrets {
            archive.file(&format!("{SECRETS}{path}"), 0o400, content)?;
        }
        archive.file(SECRETS_KEY, 0o400, self.secrets_key.as_bytes())?;
        archive.file(DECRYPTOR, 0o755, &self.decryptor)?;
        archive.file(IMAGES, 0o644, &self.images)?;
        for file in &self.files {
            archive.file(&file.path, file.mode, &file.content)?;
        }
        for folder in &self.folders {
            archive.parents(folder)?;
            archive.folder(folder, 0o755, (manifest.user.uid, manifest.user.gid))?;
        }
        archive.tar.into_inner().and_then(|mut written| written.flush()).map_err(Error::Seed)
    }
}

/// An archive of what a delta lays into a guest, with changed secrets where the guest keeps them.
pub(super) fn archive_of(delta: &Delta, secrets: &[(String, Vec<u8>)], user: &User) -> Result<Vec<u8>> {
    let mut archive = Archive { tar: tar::Builder::new(Vec::new()), folders: BTreeSet::new(), user };
    for (file, content) in &delta.files {
        let mode = file.permission_bits().map_err(|error| Error::Seed(std::io::Error::other(error)))?;
        archive.file(&file.target, mode, content)?;
    }
    for link in &delta.links {
        archive.link(&link.path, &link.target)?;
    }
    for (path, content) in secrets {
        archive.file(&format!("{SECRETS}{path}"), 0o400, content)?;
    }
    archive.tar.into_inner().map_err(Error::Seed)
}

struct Archive<'a, W: Write> {
    tar: tar::Builder<W>,
    folders: BTreeSet<String>,
    user: &'a User,
}

impl<W: Write> Archive<'_, W> {
    fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> Result<()> {
        self.parents(path)?;
        let mut header = header(tar::EntryType::Regular, mode, content.len() as u64, self.owner(path));
        let name = path.trim_start_matches('/');
        self.tar.append_data(&mut header, name, content).map_err(Error::Seed)
    }

    fn link(&mut self, path: &str, target: &str) -> Result<()> {
        self.parents(path)?;
        let mut header = header(tar::EntryType::Symlink, 0o777, 0, self.owner(path));
        self.tar.append_link(&mut header, path.trim_start_matches('/'), target).map_err(Error::Seed)
    }

    fn folder(&mut self, path: &str, mode: u32, owner: (u32, u32)) -> Result<()> {
        if !self.folders.insert(path.to_owned()) {
            return Ok(());
        }
        let mut header = header(tar::EntryType::Directory, mode, 0, owner);
        let name = format!("{}/", path.trim_start_matches('/'));
        self.tar.append_data(&mut header, name, std::io::empty()).map_err(Error::Seed)
    }

    /// Only folders that a guest image cannot have already, or that are the user's, are made: unpacking one sets its
    /// owner and mode. Others that are missing come from the unpacking, and are root's.
    fn parents(&mut self, path: &str) -> Result<()> {
        let own = [
            "/etc/stacks",
            "/usr/local/lib/stacks",
            "/var/lib/harness",
            "/var/lib/docker-registry",
            "/var/lib/sops-nix",
        ];
        let mut folder = match own.iter().find(|root| lies_below(path, root)) {
            Some(root) => {
                self.folder(root, 0o755, (0, 0))?;
                (*root).to_owned()
            }
            None if self.is_at_home(path) => self.user.home.clone(),
            None => return Ok(()),
        };
        let Some((middle, _)) = path[folder.len()..].rsplit_once('/') else { return Ok(()) };
        for part in middle.split('/').filter(|part| !part.is_empty()) {
            folder = format!("{folder}/{part}");
            self.folder(&folder, 0o755, self.owner(&folder))?;
        }
        Ok(())
    }

    fn is_at_home(&self, path: &str) -> bool {
        lies_below(path, &self.user.home)
    }

    /// What is in the user's home is the user's, and so is the folder of secrets: who owns it gets them.
    fn owner(&self, path: &str) -> (u32, u32) {
        if path == SECRETS || self.is_at_home(path) { (self.user.uid, self.user.gid) } else { (0, 0) }
    }
}

fn lies_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn header(kind: tar::EntryType, mode: u32, size: u64, (uid, gid): (u32, u32)) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(uid.into());
    header.set_gid(gid.into());
    header.set_mtime(1_735_689_600);
    header
}
