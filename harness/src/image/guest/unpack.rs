//! Takes single files out of the packed system: what the machine boots from, and the list of what is installed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::image::{Error, Result};

/// The drivers without which the root disk or the seed cannot be found, be they memory or block devices; others the
/// guest loads by itself from the root disk.
const ROOT_DRIVERS: &[&str] = &["virtio_blk", "nd_pmem", "nfit"];

/// What is needed of the system outside of its disk.
pub(super) struct BootParts {
    pub(super) kernel: Vec<u8>,
    pub(super) busybox: Vec<u8>,
    /// Compressed as they were, each after those it needs.
    pub(super) modules: Vec<Vec<u8>>,
    /// Name and version of each installed package, one a line.
    pub(super) packages: String,
}

/// Reads the parts from the system's tar.
pub(super) fn boot_parts(tar: &Path) -> Result<BootParts> {
    let is_part = |path: &str| {
        path.starts_with("boot/vmlinuz-")
            || path.ends_with("/modules.dep")
            || path == "usr/bin/busybox"
            || path == "var/lib/dpkg/status"
    };
    let mut files = members(tar, &is_part)?;
    let dependencies = the_one(&mut files, "usr/lib/modules/", "/modules.dep")?;
    let paths = module_paths(ROOT_DRIVERS, &String::from_utf8_lossy(&dependencies))?;
    let is_module = |path: &str| paths.iter().any(|module| path.ends_with(&format!("/{module}")));
    let mut modules = members(tar, &is_module)?;
    Ok(BootParts {
        kernel: the_one(&mut files, "boot/vmlinuz-", "")?,
        busybox: the_one(&mut files, "usr/bin/busybox", "")?,
        modules: paths.iter().map(|path| the_one(&mut modules, "", path)).collect::<Result<_>>()?,
        packages: installed(&String::from_utf8_lossy(&the_one(&mut files, "var/lib/dpkg/status", "")?)),
    })
}

/// The regular files of a tar whose path (without `./` in front) is wanted.
fn members(tar: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<BTreeMap<String, Vec<u8>>> {
    let file = File::open(tar).map_err(Error::io("open", tar))?;
    let mut archive = tar::Archive::new(file);
    let mut files = BTreeMap::new();
    for entry in archive.entries_with_seek().map_err(Error::io("read", tar))? {
        let mut entry = entry.map_err(Error::io("read", tar))?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        if entry.header().entry_type().is_file() && wanted(&path) {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(Error::io("read", tar))?;
            files.insert(path, bytes);
        }
    }
    Ok(files)
}

/// The only file whose path begins and ends so.
fn the_one(files: &mut BTreeMap<String, Vec<u8>>, start: &str, end: &str) -> Result<Vec<u8>> {
    let found: Vec<_> = files.keys().filter(|path| path.starts_with(start) && path.ends_with(end)).cloned().collect();
    match found.as_slice() {
        [path] => Ok(files.remove(path).unwrap_or_default()),
        _ => Err(Error::Content {
            what: "the built guest".to_owned(),
            reason: format!(
                "it must have exactly one file {start}…{end} but has {}; see fixtures/guest/packages.txt",
                found.len()
            ),
        }),
    }
}

/// The files of the root disk's drivers and of all that they need, each after those it needs. `modules.dep` lists on
/// each line a module and then what it needs, the deepest last.
fn module_paths(drivers: &[&str], dependencies: &str) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut seen = BTreeSet::new();
    for driver in drivers {
        let file = format!("/{driver}.ko.xz");
        let lines = dependencies.lines().filter_map(|line| line.split_once(':'));
        let Some((path, needs)) = lines.into_iter().find(|(path, _)| path.ends_with(&file)) else {
            let reason = format!("its kernel has no module {driver}.ko.xz, which the initial RAM disk needs");
            return Err(Error::Content { what: "the built guest".to_owned(), reason });
        };
        for module in needs.split_whitespace().rev().chain([path]) {
            if seen.insert(module) {
                paths.push(module.to_owned());
            }
        }
    }
    Ok(paths)
}

/// Name and version of each installed package in dpkg's status file, one a line.
fn installed(status: &str) -> String {
    let mut packages = BTreeSet::new();
    for paragraph in status.split("\n\n") {
        let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        if let (Some(package), Some(version), Some("install ok installed")) =
            (field("Package"), field("Version"), field("Status"))
        {
            packages.insert(format!("{package} {version}\n"));
        }
    }
    packages.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::archive::{Item, tar_of};

    #[test]
    fn modules_come_after_what_they_need() {
        let text = "kernel/a/virtio_blk.ko.xz: kernel/b/near.ko.xz kernel/c/deep.ko.xz\nkernel/b/near.ko.xz: kernel/c/deep.ko.xz\n";
        assert_eq!(
            module_paths(&["virtio_blk"], text).unwrap(),
            ["kernel/c/deep.ko.xz", "kernel/b/near.ko.xz", "kernel/a/virtio_blk.ko.xz"]
        );
        let alone = |text| module_paths(&["virtio_blk"], text);
        assert_eq!(alone("kernel/a/virtio_blk.ko.xz:\n").unwrap(), ["kernel/a/virtio_blk.ko.xz"]);
        assert!(alone("kernel/a/other_virtio_blk.ko.xz:\n").unwrap_err().to_string().contains("virtio_blk"));
    }

    #[test]
    fn only_installed_packages_are_listed() {
        let status = "Package: b\nStatus: install ok installed\nVersion: 2:1-1\n\nPackage: gone\nStatus: deinstall ok \
                      config-files\nVersion: 1\n\nPackage: a\nStatus: install ok installed\nVersion: 3\nDescription: x\n Version: 9\n";
        assert_eq!(installed(status), "a 3\nb 2:1-1\n");
    }

    #[test]
    fn the_parts_are_found_in_the_packed_system() {
        let dependencies: String = ROOT_DRIVERS.iter().map(|name| format!("kernel/{name}.ko.xz:\n")).collect();
        let system = |extra: &[Item]| {
            let mut items = vec![
                Item::link("./vmlinuz", "boot/vmlinuz-6.12"),
                Item::file("./boot/vmlinuz-6.12", 0o644, "kernel"),
                Item::file("./usr/bin/busybox", 0o755, "busybox"),
                Item::file("./usr/lib/modules/6.12/modules.dep", 0o644, dependencies.as_str()),
                Item::file("./var/lib/dpkg/status", 0o644, "Package: a\nStatus: install ok installed\nVersion: 1\n"),
            ];
            items.extend(
                ROOT_DRIVERS
                    .iter()
                    .map(|name| Item::file(format!("./usr/lib/modules/6.12/kernel/{name}.ko.xz"), 0o644, *name)),
            );
            items.extend_from_slice(extra);
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), tar_of(items).unwrap()).unwrap();
            boot_parts(file.path())
        };
        let parts = system(&[]).unwrap();
        assert_eq!((parts.kernel, parts.busybox), (b"kernel".to_vec(), b"busybox".to_vec()));
        let modules: Vec<_> = ROOT_DRIVERS.iter().map(|name| name.as_bytes().to_vec()).collect();
        assert_eq!((parts.modules, parts.packages), (modules, "a 1\n".to_owned()));
        let second = system(&[Item::file("./boot/vmlinuz-6.13", 0o644, "")]).err().unwrap().to_string();
        assert!(second.contains("exactly one file boot/vmlinuz-… but has 2"), "{second}");
    }
}
