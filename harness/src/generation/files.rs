//! A generation as a set of files: written to a folder, read from one, checked.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path};

use sha2::{Digest, Sha256};

use super::{Error, InstalledFile, Manifest, Result};

/// A rendered generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// What it consists of.
    pub manifest: Manifest,
    /// Its files by their path relative to the generation's folder, without the manifest.
    pub files: BTreeMap<String, Vec<u8>>,
}

const MANIFEST: &str = "manifest.json";

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
        let path = folder.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|error| Error::Manifest { place: path.display().to_string(), problem: error.to_string() })?;
        let mut files = BTreeMap::new();
        for file in &manifest.files {
            check_relative(&file.source)?;
            let path = folder.join(&file.source);
            let real = path.canonicalize().map_err(Error::io("read", &path))?;
            let inside = folder.canonicalize().map_err(Error::io("read", folder))?;
            if !real.starts_with(inside) {
                return Err(refuse(&file.source, "it is a link that leads out of the generation's folder"));
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

    fn check(&self) -> Result<()> {
        if self.manifest.version != 1 {
            return Err(refuse(
                MANIFEST,
                &format!("version {} is unknown; this program reads 1", self.manifest.version),
            ));
        }
        for file in &self.manifest.files {
            check_relative(&file.source)?;
            check_absolute(&file.target)?;
            file.permission_bits()?;
            if !self.files.contains_key(&file.source) {
                return Err(refuse(&file.source, "the manifest lists it, but the file is not there"));
            }
        }
        for link in &self.manifest.links {
            check_absolute(&link.path)?;
        }
        for unit in &self.manifest.units {
            let suffix = format!("/{}", unit.unit);
            if !self.manifest.files.iter().any(|file| file.target.ends_with(&suffix)) {
                return Err(refuse(MANIFEST, &format!("unit {} is listed, but no file installs it", unit.unit)));
            }
        }
        let mut names: Vec<_> = self.manifest.stacks.iter().map(|stack| &stack.name).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(refuse(MANIFEST, &format!("stack {} is listed twice", pair[0]))),
            None => Ok(()),
        }
    }
}

impl InstalledFile {
    /// The permission bits as a number.
    pub fn permission_bits(&self) -> Result<u32> {
        u32::from_str_radix(&self.mode, 8)
            .ok()
            .filter(|mode| *mode <= 0o7777)
            .ok_or_else(|| refuse(&self.source, &format!("`{}` is no octal mode such as 0644", self.mode)))
    }
}

fn check_relative(path: &str) -> Result<()> {
    let safe = !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if safe { Ok(()) } else { Err(refuse(path, "a path inside the generation has to be relative, without `..`")) }
}

fn check_absolute(path: &str) -> Result<()> {
    let path_ = Path::new(path);
    let safe =
        path_.is_absolute() && path_.components().all(|part| matches!(part, Component::Normal(_) | Component::RootDir));
    if safe { Ok(()) } else { Err(refuse(path, "a path in the guest has to be absolute, without `..`")) }
}

fn refuse(place: &str, problem: &str) -> Error {
    Error::Manifest { place: place.to_owned(), problem: problem.to_owned() }
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

    #[test]
    fn bad_input_is_refused_with_its_place() {
        let refused = |change: &dyn Fn(&mut Generation), words: &str| {
            let mut generation = igpu();
            change(&mut generation);
            let error = generation.check().unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(&|generation| generation.manifest.files[0].source = "../x".to_owned(), "../x: a path inside");
        refused(&|generation| generation.manifest.files[0].target = "etc/x".to_owned(), "etc/x: a path in the guest");
        refused(&|generation| generation.manifest.files[0].target = "/etc/../x".to_owned(), "without `..`");
        refused(&|generation| generation.manifest.files[0].mode = "rw".to_owned(), "`rw` is no octal mode");
        refused(&|generation| generation.files.clear(), "the file is not there");
        refused(&|generation| generation.manifest.version = 2, "version 2 is unknown");
        refused(
            &|generation| generation.manifest.stacks[1].name = generation.manifest.stacks[0].name.clone(),
            "stack igpu-management is listed twice",
        );
        refused(&|generation| generation.manifest.units[0].unit = "no.service".to_owned(), "no.service is listed");
    }
}
