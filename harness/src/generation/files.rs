//! A generation as a set of files: written to a folder, read from one, checked.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::check::{check_relative, refuse};
use super::{Error, MANIFEST, Manifest, Result};

/// A rendered generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// What it consists of.
    pub manifest: Manifest,
    /// Its files by their path relative to the generation's folder, without the manifest.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Generation {
    /// Puts a generation together and checks that the manifest and the files belong together and that no path leaves
    /// its place.
    pub fn new(manifest: Manifest, files: BTreeMap<String, Vec<u8>>) -> Result<Generation> {
        let generation = Generation { manifest, files };
        generation.check()?;
        Ok(generation)
    }

    /// Reads a folder that [`Generation::write`] or anybody else wrote.
    pub fn read(folder: &Path) -> Result<Generation> {
        Generation::read_from(folder).map_err(|error| error.below(folder))
    }

    fn read_from(folder: &Path) -> Result<Generation> {
        let manifest = read_manifest(folder)?;
        let inside = folder.canonicalize().map_err(Error::io("read", folder))?;
        let mut files = BTreeMap::new();
        for file in &manifest.files {
            check_relative(&file.source)?;
            let path = folder.join(&file.source);
            let Ok(real) = path.canonicalize() else { continue };
            if !real.starts_with(&inside) {
                return Err(refuse(&file.source, "it is a link that leads out of the generation's folder"));
            }
            if !real.is_file() {
                return Err(refuse(&file.source, "it is no file"));
            }
            files.insert(file.source.clone(), fs::read(&path).map_err(Error::io("read", &path))?);
        }
        Generation::new(manifest, files)
    }

    /// Writes the generation into a folder, which is made if it is not there.
    pub fn write(&self, folder: &Path) -> Result<()> {
        for file in &self.manifest.files {
            let path = folder.join(&file.source);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
            }
            fs::write(&path, &self.files[&file.source]).map_err(Error::io("write", &path))?;
            let mode = fs::Permissions::from_mode(file.permission_bits()?);
            fs::set_permissions(&path, mode).map_err(Error::io("set the mode of", &path))?;
        }
        let path = folder.join(MANIFEST);
        fs::write(&path, self.manifest_text()).map_err(Error::io("write", &path))
    }

    /// The manifest as it is written.
    pub fn manifest_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.manifest).unwrap_or_default();
        text.push('\n');
        text
    }

    /// A digest over the manifest and every file.
    pub fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.manifest_text());
        for (path, content) in &self.files {
            hasher.update(format!("\n{} {path}\n", content.len()));
            hasher.update(content);
        }
        hex::encode(hasher.finalize())
    }
}

/// What every version of a manifest has.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

/// The only version of manifests that there is.
const VERSION: u64 = 1;

/// Another version may have other keys, so its number is looked at before anything else.
fn read_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path)
        .map_err(|error| refuse(MANIFEST, &format!("no manifest can be read here: {error}")))?;
    let malformed = |error: serde_json::Error| refuse(MANIFEST, &error.to_string());
    let Versioned { version } = serde_json::from_str(&text).map_err(malformed)?;
    if version != VERSION {
        return Err(refuse(MANIFEST, &format!("version {version} is unknown; this program reads {VERSION}")));
    }
    serde_json::from_str(&text).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generation::render;

    /// The repository's own folder.
    fn project() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
    }

    fn igpu() -> Generation {
        render(&project(), "igpu", None).unwrap()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let generation = igpu();
        generation.write(folder.path()).unwrap();
        assert_eq!(Generation::read(folder.path()).unwrap(), generation);
    }

    #[test]
    fn compose_files_are_copied_byte_for_byte() {
        for stack in &igpu().manifest.stacks {
            let source = format!("{}/docker-compose.yml", stack.name);
            let original = project().join("fixtures/compose/igpu").join(&source);
            assert_eq!(igpu().files[&source], fs::read(original).unwrap(), "{source}");
        }
    }
}
