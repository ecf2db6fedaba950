//! The systems of the node, each with a `switch-to-configuration` of its own, where NixOS has the one that was booted
//! and its specialisations.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use harness::generation::{self, BASE, Generation};
use harness::run::Project;
use libtest_mimic::Failed;

const SWITCH: &str = include_str!("switch-to-configuration");
/// Where the systems are in the guest.
const SYSTEMS: &str = "usr/local/lib/conformance/booted-system";
/// Puts the system that was booted where NixOS has it, at each boot.
const TMPFILES: &str = "etc/tmpfiles.d/conformance.conf";
/// The user's own activation, which a switch of NixOS starts anew
/// (nixos/modules/system/activation/activation-script.nix).
const ACTIVATION: &str = "etc/systemd/user/nixos-activation.service";
const ACTIVATION_UNIT: &str = "\
[Unit]
Description=Run user-specific NixOS activation
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/true
";
const WANTED: &str = "etc/systemd/user/default.target.wants/nixos-activation.service";
/// Where the Debian guest keeps its secrets, encrypted.
const SECRETS: &str = "/var/lib/harness/secrets";

/// Adds the systems of a host to its seed, an archive.
pub fn add_to(seed: &Path, host: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    write(folder.path(), host)?;
    // Nothing of this moment gets in: the same systems make the same seed.
    let added = Command::new("tar")
        .args(["--append", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"])
        .arg("--file")
        .arg(seed)
        .arg("--directory")
        .arg(folder.path())
        .args([TMPFILES, SYSTEMS, ACTIVATION, WANTED])
        .status()?;
    if added.success() { Ok(()) } else { Err(format!("tar --append to {} ended with {added}", seed.display()).into()) }
}

fn write(root: &Path, host: &str) -> Result<(), Failed> {
    let project = Project::find()?;
    let base = generation::render(project.root(), host)?;
    let every: BTreeSet<&str> = base.with_variants().flat_map(|(_, one)| paths(one)).collect();
    for (name, one) in base.with_variants() {
        let system = match name {
            BASE => root.join(SYSTEMS),
            variant => root.join(SYSTEMS).join("specialisation").join(variant),
        };
        let own: BTreeSet<&str> = paths(one).collect();
        let absent: String = every.difference(&own).map(|path| format!("{path}\n")).collect();
        put(&system, "absent", absent.as_bytes(), 0o644)?;
        put(&system, "bin/switch-to-configuration", SWITCH.as_bytes(), 0o755)?;
        let files = system.join("files");
        for file in &one.manifest.files {
            put(&files, &file.target, &one.files[&file.source], file.permission_bits()?)?;
        }
        for link in &one.manifest.links {
            let path = files.join(link.path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().ok_or("a link has no folder")?)?;
            symlink(&link.target, path)?;
        }
        for (path, content) in project.secrets(name, &one.manifest)? {
            put(&files, &format!("{SECRETS}{path}"), &content, 0o400)?;
        }
    }
    put(root, ACTIVATION, ACTIVATION_UNIT.as_bytes(), 0o644)?;
    let wanted = root.join(WANTED);
    fs::create_dir_all(wanted.parent().ok_or("a link has no folder")?)?;
    symlink("../nixos-activation.service", wanted)?;
    put(root, TMPFILES, format!("L /run/booted-system - - - - /{SYSTEMS}\n").as_bytes(), 0o644)
}

/// Where a generation's files and links are.
fn paths(generation: &Generation) -> impl Iterator<Item = &str> {
    let manifest = &generation.manifest;
    let files = manifest.files.iter().map(|file| file.target.as_str());
    files.chain(manifest.links.iter().map(|link| link.path.as_str()))
}

fn put(folder: &Path, path: &str, content: &[u8], mode: u32) -> Result<(), Failed> {
    let path = folder.join(path.trim_start_matches('/'));
    fs::create_dir_all(path.parent().ok_or("a file has no folder")?)?;
    fs::write(&path, content)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    Ok(())
}
