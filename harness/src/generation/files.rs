//! A generation as a set of files: written to a folder, read from one, checked.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, InstalledFile, Manifest, Result};

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

const MANIFEST: &str = "manifest.json";
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
        let manifest: Manifest = read_manifest(folder)?;
        let mut base = Generation::of(folder, manifest, &BTreeMap::new())?;
        for (name, variant) in &base.manifest.variants {
            check_relative(variant)?;
            let folder = folder.join(variant);
            let manifest = base.manifest.changed(read_manifest(&folder)?).map_err(bad_manifest(&folder))?;
            base.variants.insert(name.clone(), Generation::of(&folder, manifest, &base.files)?);
        }
        base.checked()
    }

    /// Reads the files of a manifest. One that is not in the folder is taken from `known`, by its path.
    fn of(folder: &Path, manifest: Manifest, known: &BTreeMap<String, Vec<u8>>) -> Result<Generation> {
        let inside = folder.canonicalize().map_err(Error::io("read", folder))?;
        let mut files = BTreeMap::new();
        for InstalledFile { source, .. } in &manifest.files {
            check_relative(source)?;
            let path = folder.join(source);
            let content = match (path.canonicalize(), known.get(source)) {
                (Ok(real), _) if real.starts_with(&inside) => fs::read(&path).map_err(Error::io("read", &path))?,
                (Ok(_), _) => return Err(refuse(source, "it is a link that leads out of the generation's folder")),
                (Err(error), Some(known)) if error.kind() == ErrorKind::NotFound => known.clone(),
                (Err(error), _) => return Err(Error::io("read", &path)(error)),
            };
            files.insert(source.clone(), content);
        }
        Ok(Generation { manifest, files, variants: BTreeMap::new() })
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
            let manifest =
                text_of(&self.manifest.differing(&variant.manifest).map_err(bad_manifest(Path::new(folder)))?)?;
            variant.lay_out(Path::new(folder), &self.files, manifest, &mut layout)?;
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
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(refuse(MANIFEST, &format!("stack {} is listed twice", pair[0])));
        }
        self.variants.iter().try_for_each(|(name, variant)| self.check_variant(name, variant))?;
        self.manifest.variants.values().try_for_each(|folder| check_relative(folder))?;
        if self.manifest.variants.keys().eq(self.variants.keys()) {
            Ok(())
        } else {
            Err(refuse(MANIFEST, "the variants that it lists are not those that are there"))
        }
    }

    fn check_variant(&self, name: &str, variant: &Generation) -> Result<()> {
        let place = format!("variant {name}");
        if name == BASE {
            return Err(refuse(&place, "this name is the generation's own: choose another"));
        }
        if !variant.manifest.variants.is_empty() {
            return Err(refuse(&place, "a variant has no variants: list all of them in the base's manifest"));
        }
        let identity = |manifest: &Manifest| (manifest.host.clone(), manifest.user.clone());
        if identity(&variant.manifest) != identity(&self.manifest) {
            return Err(refuse(&place, "it is another host's, or another user's: a variant keeps both"));
        }
        variant.check().map_err(|error| match error {
            Error::Manifest { place: inner, problem } => refuse(&format!("{place}: {inner}"), &problem),
            other => other,
        })
    }
}

/// What a generation is written as.
type Layout<'a> = BTreeMap<PathBuf, (Cow<'a, [u8]>, u32)>;

/// Reads the manifest in a folder, whole or in part.
fn read_manifest<T: DeserializeOwned>(folder: &Path) -> Result<T> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
    serde_json::from_str(&text).map_err(bad_manifest(folder))
}

fn bad_manifest(folder: &Path) -> impl FnOnce(serde_json::Error) -> Error {
    let place = folder.join(MANIFEST).display().to_string();
    move |error| refuse(&place, &error.to_string())
}

/// A manifest, whole or in part, as it is written.
fn text_of(manifest: &impl Serialize) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(manifest).map_err(bad_manifest(Path::new("")))?;
    text.push(b'\n');
    Ok(text)
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
        let variant = |change: &dyn Fn(&mut Generation), words: &str| {
            let changed = |generation: &mut Generation| change(generation.variants.get_mut("unparsable").unwrap());
            refused(&changed, &format!("variant unparsable: {words}"));
        };
        refused(&|generation| generation.variants.clear(), "the variants that it lists are not those");
        variant(&|variant| variant.manifest.files[0].target = "etc/x".to_owned(), "etc/x: a path in the guest");
        variant(&|variant| variant.manifest.host = "other".to_owned(), "it is another host's");
        variant(
            &|variant| variant.manifest.variants = [("x".to_owned(), "x".to_owned())].into(),
            "a variant has no variants",
        );
        refused(
            &|generation| {
                let variant = generation.variants["unparsable"].clone();
                generation.variants.insert(BASE.to_owned(), variant);
            },
            "variant base: this name is the generation's own",
        );
    }
}
