//! The one program of this project that runs in a guest: it decrypts secrets while the guest boots.
//!
//! `cargo run` builds only the program that it runs, and stable cargo lets no crate take in another's program. So the
//! harness has cargo build it when the first template needs it, and keeps it in the [`Store`] under the digest of what
//! it is made from: a change anywhere else in the project leaves the program, and with it every template, as it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use super::{Error, Key, Progress, Result, Store, command, tools};

/// The kind of cache entry that it is.
const KIND: &str = "guest-program";
/// Its name, its crate's, and its profile's in the workspace.
const PROGRAM: &str = "sops-file";
const PROFILE: &str = "guest";
/// Its crate below the project, and all files of it.
const CRATE: &str = "harness/sops-file";
const SOURCES: [&str; 2] = ["harness/sops-file/Cargo.toml", "harness/sops-file/src/main.rs"];

/// The program's file, from the cache or built in a minute or two.
///
/// # Errors
/// If its sources cannot be read, cargo is not installed, or the build fails.
pub fn get_or_build(project: &Path, store: &Store, progress: &dyn Progress) -> Result<PathBuf> {
    let build = |folder: &Path| {
        progress.phase("building the program that decrypts secrets in the guest");
        let mut cargo = Command::new(tools::locate("cargo")?);
        cargo.current_dir(project).args(["install", "--locked", "--no-track", "--profile", PROFILE]);
        cargo.args(["--path", CRATE, "--root"]).arg(folder);
        let advice = "see whether `cargo build --package sops-file` works in the project's folder";
        command::run("build a program of the guest", cargo, advice, &mut |_| {})
    };
    let entry = store.get_or_build(KIND, &key(project)?, progress, build)?;
    Ok(entry.file("bin").join(PROGRAM))
}

/// Sees that the program is in the cache or can be built, before what takes longer is begun.
///
/// # Errors
/// If it would have to be built, and cargo is not installed or its sources cannot be read.
pub fn require(project: &Path, store: &Store) -> Result<()> {
    // A damaged one counts as none: it is built anew.
    if !matches!(store.find(KIND, &key(project)?), Ok(Some(_))) {
        tools::locate("cargo")?;
    }
    Ok(())
}

/// The workspace's manifest, as far as it concerns the program.
#[derive(Deserialize)]
struct Workspace {
    profile: toml::Table,
}

/// Cargo's lock file.
#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

fn key(project: &Path) -> Result<Key> {
    let workspace: Workspace = read_toml(project, "Cargo.toml")?;
    let lock: Lock = read_toml(project, "Cargo.lock")?;
    let profile = workspace.profile.get(PROFILE).map(toml::Value::to_string).unwrap_or_default();
    let mut key = Key::builder().part("profile", profile).part("dependencies", lock.closure_of(PROGRAM));
    for source in SOURCES {
        key = key.part(source, read(project, source)?);
    }
    Ok(key.finish())
}

impl Lock {
    /// A package and all that it needs, one a line with version and checksum.
    fn closure_of(&self, package: &str) -> String {
        let mut found = BTreeSet::new();
        let mut open = vec![package];
        while let Some(wanted) = open.pop() {
            // A dependency is written with its version only where the lock file has several.
            let (name, version) =
                wanted.split_once(' ').map_or((wanted, None), |(name, version)| (name, Some(version)));
            let is_it =
                |package: &&Package| package.name == name && version.is_none_or(|version| package.version == version);
            for package in self.package.iter().filter(is_it) {
                let line = format!("{name} {} {}\n", package.version, package.checksum.as_deref().unwrap_or_default());
                if found.insert(line) {
                    open.extend(package.dependencies.iter().map(String::as_str));
                }
            }
        }
        found.into_iter().collect()
    }
}

fn read(project: &Path, file: &str) -> Result<String> {
    let path = project.join(file);
    fs::read_to_string(&path).map_err(Error::io("read", &path))
}

fn read_toml<T: for<'text> Deserialize<'text>>(project: &Path, file: &str) -> Result<T> {
    let problem = |error: toml::de::Error| Error::Content { what: file.to_owned(), reason: error.to_string() };
    toml::from_str(&read(project, file)?).map_err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copies what decides the key, changes a text in a file of it, and looks at the key.
    #[test]
    fn the_program_is_found_by_what_it_is_made_from() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let copy = tempfile::tempdir().unwrap();
        for file in SOURCES.into_iter().chain(["Cargo.toml", "Cargo.lock"]) {
            let to = copy.path().join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(project.join(file), to).unwrap();
        }
        let check = |file: &str, find: &str, replace: &str, same: bool| {
            let path = copy.path().join(file);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(find), "{find} is not in {file}");
            fs::write(&path, text.replacen(find, replace, 1)).unwrap();
            assert_eq!(key(copy.path()).unwrap() == key(project).unwrap(), same, "{find} in {file}");
            fs::write(&path, text).unwrap();
        };
        check("harness/sops-file/src/main.rs", "fn main", "// More.\nfn main", false);
        check("harness/sops-file/Cargo.toml", "\n[lints]", "\n# More.\n[lints]", false);
        check("Cargo.toml", "[profile.guest]", "[profile.guest]\npanic = \"abort\"", false);
        check("Cargo.toml", "[profile.release]", "[profile.release]\npanic = \"abort\"", true);
        // rops needs age, and the harness alone needs clap.
        let lock = fs::read_to_string(project.join("Cargo.lock")).unwrap();
        let checksum_of = |package: &str| {
            let (_, rest) = lock.split_once(&format!("name = \"{package}\"\n")).unwrap();
            rest.split_once("checksum = \"").unwrap().1[..64].to_owned()
        };
        check("Cargo.lock", &checksum_of("age"), "0", false);
        check("Cargo.lock", &checksum_of("clap"), "0", true);
        fs::remove_file(copy.path().join(SOURCES[1])).unwrap();
        assert!(key(copy.path()).unwrap_err().to_string().contains("sops-file/src/main.rs"));
        let files = fs::read_dir(project.join(CRATE).join("src")).unwrap().count();
        assert_eq!(files, 1, "a new file of the program belongs in SOURCES");
    }
}
