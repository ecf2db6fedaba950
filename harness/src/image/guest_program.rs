//! The one program of this project that runs in a guest: it decrypts secrets while the guest boots.
//!
//! `cargo run` builds only the program that it runs, and stable cargo lets no crate take in another's program. So the
//! harness has cargo build it when the first template needs it, and keeps it in the [`Store`] under the digest of what
//! it is made from: a change anywhere else in the harness leaves the program, and with it every template, as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Entry, Error, Key, Progress, Result, Store, command, tools};

/// The kind of cache entry that it is.
const KIND: &str = "guest-program";
/// Its crate below the project.
const CRATE: &str = "harness/sops-file";
/// Everything below the project that it is made from. The lock file has more than its dependencies; when it changes,
/// cargo sees to it that only what concerns the program is built again.
const SOURCES: [&str; 4] =
    ["Cargo.lock", "Cargo.toml", "harness/sops-file/Cargo.toml", "harness/sops-file/src/main.rs"];

/// The program's file, from the cache or built in a minute or two.
///
/// # Errors
/// If its sources cannot be read, cargo is not installed, or the build fails.
pub fn get_or_build(project: &Path, store: &Store, progress: &dyn Progress) -> Result<PathBuf> {
    let build = |folder: &Path| {
        progress.phase("building the program that decrypts secrets in the guest");
        let mut cargo = Command::new(tools::locate("cargo")?);
        cargo.current_dir(project).args(["install", "--locked", "--no-track", "--profile", "guest"]);
        cargo.arg("--path").arg(CRATE).arg("--root").arg(folder);
        let advice = "see whether `cargo build --package sops-file` works in the project's folder";
        command::run("build a program of the guest", cargo, advice, &mut |_| {})
    };
    let entry: Entry = store.get_or_build(KIND, &key(project)?, progress, build)?;
    Ok(entry.file("bin/sops-file"))
}

fn key(project: &Path) -> Result<Key> {
    let mut key = Key::builder();
    for source in SOURCES {
        let path = project.join(source);
        key = key.part(source, fs::read(&path).map_err(Error::io("read", &path))?);
    }
    Ok(key.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copies the sources, changes one of them, and looks at the key.
    #[test]
    fn the_program_is_found_by_each_of_its_sources() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let copy = tempfile::tempdir().unwrap();
        for source in SOURCES {
            let to = copy.path().join(source);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(project.join(source), to).unwrap();
        }
        assert_eq!(key(copy.path()).unwrap(), key(project).unwrap());
        for source in SOURCES {
            let path = copy.path().join(source);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, format!("{text}\n")).unwrap();
            assert_ne!(key(copy.path()).unwrap(), key(project).unwrap(), "{source}");
            fs::write(&path, text).unwrap();
        }
        fs::remove_file(copy.path().join(SOURCES[3])).unwrap();
        assert!(key(copy.path()).unwrap_err().to_string().contains("sops-file/src/main.rs"));
        let sources = fs::read_dir(project.join(CRATE).join("src")).unwrap().count();
        assert_eq!(sources, 1, "a new source of the program belongs in SOURCES");
    }
}
