//! A generation as a set of files: written to a folder, read from one, checked.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::check::{check_relative, refuse};
use super::{Error, InstalledFile, MANIFEST, Manifest, Result};

/// A rendered generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// What it consists of.
    pub manifest: Manifest,
    /// Its files by their path relative to the generation's folder, without the manifest.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What else the host can be switched to, by name: whole generations, which have no variants themselves.
    pub variants: BTreeMap<String, Generation>,
}

/// What scenarios call the generation itself, beside its variants.
pub const BASE: &str = "base";

impl Generation {
    /// Checks that manifest and files belong together, that no path leaves its place, and the same of each variant.
    pub(super) fn checked(self) -> Result<Generation> {
        self.check()?;
        Ok(self)
    }

    /// Reads a folder that [`Generation::write`] or anybody else wrote.
    pub fn read(folder: &Path) -> Result<Generation> {
        let mut base = Generation::read_base(folder).map_err(|error| error.below(folder))?;
        let read = base.manifest.variants.iter().map(|(name, variant)| {
            let folder = folder.join(variant);
            let variant = base.read_variant(&folder).map_err(|error| error.below(&folder))?;
            Ok((name.clone(), variant))
        });
        base.variants = read.collect::<Result<_>>()?;
        base.checked().map_err(|error| error.below(folder))
    }

    fn read_base(folder: &Path) -> Result<Generation> {
        let text = read_manifest(folder)?;
        let above = folder.parent().filter(|above| above.ends_with("variants"));
        if above.and_then(Path::parent).is_some_and(|base| base.join(MANIFEST).is_file()) {
            let problem = "this is what a variant changes, no whole generation: name the folder above `variants`, or use \
                           `--variant`";
            return Err(refuse(MANIFEST, problem));
        }
        let Versioned { version } = parse(&text)?;
        // Another version may have other keys, so its number is looked at before anything else.
        if version != VERSION {
            return Err(refuse(MANIFEST, &format!("version {version} is unknown; this program reads {VERSION}")));
        }
        let manifest: Manifest = parse(&text)?;
        manifest.variants.values().try_for_each(|variant| check_relative(variant))?;
        Generation::of(folder, manifest, &BTreeMap::new())
    }

    fn read_variant(&self, folder: &Path) -> Result<Generation> {
        let manifest = self.manifest.changed(parse(&read_manifest(folder)?)?).map_err(malformed)?;
        Generation::of(folder, manifest, &self.files)
    }

    /// Reads the files of a manifest. One that is not in the folder is taken from `known`, by its path.
    fn of(folder: &Path, manifest: Manifest, known: &BTreeMap<String, Vec<u8>>) -> Result<Generation> {
        let inside = folder.canonicalize().map_err(Error::io("read", folder))?;
        let mut files = BTreeMap::new();
        for InstalledFile { source, .. } in &manifest.files {
            check_relative(source)?;
            let path = folder.join(source);
            let Ok(real) = path.canonicalize() else {
                files.extend(known.get(source).map(|content| (source.clone(), content.clone())));
                continue;
            };
            if !real.starts_with(&inside) {
                return Err(refuse(source, "it is a link that leads out of the generation's folder"));
            }
            if !real.is_file() {
                return Err(refuse(source, "it is no file"));
            }
            files.insert(source.clone(), fs::read(&path).map_err(Error::io("read", &path))?);
        }
        Ok(Generation { manifest, files, variants: BTreeMap::new() })
    }

    /// The generation and its variants under another host's name.
    pub fn in_place_of(mut self, host: &str) -> Result<Generation> {
        for generation in self.variants.values_mut() {
            generation.manifest.host = host.to_owned();
        }
        self.manifest.host = host.to_owned();
        self.checked()
    }

    /// The generation itself, called [`BASE`], or one of its variants.
    pub fn variant(&self, name: &str) -> Option<&Generation> {
        if name == BASE { Some(self) } else { self.variants.get(name) }
    }

    /// The generation itself, then its variants, by name.
    pub fn with_variants(&self) -> impl Iterator<Item = (&str, &Generation)> {
        let variants = self.variants.iter().map(|(name, variant)| (name.as_str(), variant));
        [(BASE, self)].into_iter().chain(variants)
    }

    /// Writes the generation and its variants into a folder, which is made if it is not there.
    pub fn write(&self, folder: &Path) -> Result<()> {
        for (path, (content, mode)) in self.layout()? {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
            }
            fs::write(&path, content).map_err(Error::io("write", &path))?;
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(&path, mode).map_err(Error::io("set the mode of", &path))?;
        }
        Ok(())
    }

    /// The paths of all files as they are written, relative to the generation's folder.
    pub fn paths(&self) -> Result<BTreeSet<PathBuf>> {
        Ok(self.layout()?.into_keys().collect())
    }

    /// Content and permission bits of all files by their relative path.
    fn layout(&self) -> Result<Layout<'_>> {
        let mut layout = Layout::new();
        let nothing = BTreeMap::new();
        self.lay_out(Path::new(""), &nothing, text_of(&self.manifest)?, &mut layout)?;
        for (folder, variant) in self.manifest.variants.values().zip(self.variants.values()) {
            let manifest = self.manifest.differing(&variant.manifest).map_err(malformed)?;
            variant.lay_out(Path::new(folder), &self.files, text_of(&manifest)?, &mut layout)?;
        }
        Ok(layout)
    }

    /// The files that are not known by their path, and a manifest.
    fn lay_out<'a>(
        &'a self,
        folder: &Path,
        known: &BTreeMap<String, Vec<u8>>,
        manifest: Vec<u8>,
        layout: &mut Layout<'a>,
    ) -> Result<()> {
        for file in &self.manifest.files {
            let content = &self.files[&file.source];
            if known.get(&file.source) != Some(content) {
                layout.insert(folder.join(&file.source), (Cow::from(content), file.permission_bits()?));
            }
        }
        layout.insert(folder.join(MANIFEST), (Cow::from(manifest), 0o644));
        Ok(())
    }
}

/// What a generation is written as.
type Layout<'a> = BTreeMap<PathBuf, (Cow<'a, [u8]>, u32)>;

/// What every version of a manifest has.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

/// The only version of manifests that there is.
const VERSION: u64 = 1;

fn read_manifest(folder: &Path) -> Result<String> {
    let path = folder.join(MANIFEST);
    fs::read_to_string(path).map_err(|error| refuse(MANIFEST, &format!("no manifest can be read here: {error}")))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(malformed)
}

pub(super) fn malformed(error: serde_json::Error) -> Error {
    refuse(MANIFEST, &error.to_string())
}

/// A manifest, whole or in part, as it is written.
fn text_of(manifest: &impl Serialize) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(manifest).map_err(malformed)?;
    text.push(b'\n');
    Ok(text)
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
        render(&project(), "igpu").unwrap()
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let generation = igpu();
        generation.write(folder.path()).unwrap();
        assert_eq!(Generation::read(folder.path()).unwrap(), generation);
    }

    #[test]
    fn a_variant_keeps_only_what_differs() {
        let folder = tempfile::tempdir().unwrap();
        let generation = igpu();
        generation.write(folder.path()).unwrap();
        let files = |variant: &str| -> Vec<String> {
            let prefix = format!("variants/{variant}/");
            let paths = generation.paths().unwrap();
            paths.iter().filter_map(|path| path.to_str()?.strip_prefix(&prefix).map(str::to_owned)).collect()
        };
        assert_eq!(files("changed-secret"), ["manifest.json"]);
        assert_eq!(files("changed-compose"), ["manifest.json", "tdarr-igp/docker-compose.yml"]);
        let compose = folder.path().join("variants/changed-compose/tdarr-igp/docker-compose.yml");
        let changed = &generation.variant("changed-compose").unwrap().files["tdarr-igp/docker-compose.yml"];
        assert_eq!(&fs::read(&compose).unwrap(), changed);
        assert_ne!(&generation.files["tdarr-igp/docker-compose.yml"], changed);
        // What the variant's folder lacks is the base's.
        fs::remove_file(compose).unwrap();
        let read = Generation::read(folder.path()).unwrap();
        assert_eq!(read.variants["changed-compose"].files, generation.files);
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
