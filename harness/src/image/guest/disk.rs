//! The guest's disks: ext4 without partitions, in qcow2.

use std::path::Path;
use std::process::Command;

use super::build::Log;
use crate::image::{Result, command, tools};

/// Sizes as the guest sees them; the files are as large as what is in them.
const ROOT_SIZE: &str = "6G";
const CONTAINERS_SIZE: &str = "4G";

/// The user and group that own podman's storage.
const STACK_OWNER: &str = "1000:100";

/// Fixed identities and seeds, so that a rebuild differs only in what it holds.
const ROOT_IDENTITY: &str = "6861726e-6573-4073-8001-000000000001";
const CONTAINERS_IDENTITY: &str = "6861726e-6573-4073-8001-000000000002";

/// Unpacks a tar as its owners and makes a file system of it. Runs under fakeroot, which remembers the owners for an
/// ordinary user. (mke2fs reads a tar itself from version 1.47.1 on; Debian 12 has 1.47.0.) What is in /boot is
/// beside the disk; device nodes come from the kernel.
const MAKE_ROOT: &str = r#"
set -e
mkdir "$1"
tar --extract --file "$2" --directory "$1" --numeric-owner --same-owner --same-permissions \
    --exclude './boot/*' --exclude './dev/*'
shift 2
exec "$@"
"#;

/// Makes the root disk from the packed system.
pub(super) fn root(tar: &Path, work: &Path, disk: &Path, log: &mut Log) -> Result<()> {
    let (tree, raw) = (work.join("root"), work.join("root.raw"));
    let mut fakeroot = Command::new(tools::locate("fakeroot")?);
    fakeroot.args(["--", "sh", "-c", MAKE_ROOT, "sh"]).arg(&tree).arg(tar);
    fakeroot.arg(tools::locate("mke2fs")?).args(file_system("root", ROOT_IDENTITY, "0:0"));
    fakeroot.arg("-d").arg(&tree).arg(&raw).arg(ROOT_SIZE);
    command::run("make the root disk", fakeroot, "check that the cache's disk has 2 GB free", &mut |line| {
        log.line(line)
    })?;
    convert(&raw, disk, log)
}

/// Makes the empty disk for podman's storage.
pub(super) fn containers(work: &Path, disk: &Path, log: &mut Log) -> Result<()> {
    let raw = work.join("containers.raw");
    let mut mke2fs = Command::new(tools::locate("mke2fs")?);
    mke2fs.args(file_system("containers", CONTAINERS_IDENTITY, STACK_OWNER)).arg(&raw).arg(CONTAINERS_SIZE);
    command::run("make the containers disk", mke2fs, "check that the cache's disk is not full", &mut |line| {
        log.line(line)
    })?;
    convert(&raw, disk, log)
}

/// Options of mke2fs. Everything is initialised here, for a new file is all zeros anyway: else the guest's kernel would
/// spend its first minutes on it, and on its disk.
fn file_system(label: &str, identity: &str, owner: &str) -> Vec<String> {
    let extended = format!("root_owner={owner},hash_seed={identity},lazy_itable_init=0,lazy_journal_init=0");
    ["-q", "-F", "-t", "ext4", "-m", "0", "-L", label, "-U", identity, "-E", &extended].map(str::to_owned).into()
}

fn convert(raw: &Path, disk: &Path, log: &mut Log) -> Result<()> {
    let mut convert = Command::new(tools::locate("qemu-img")?);
    convert.args(["convert", "-f", "raw", "-O", "qcow2"]).arg(raw).arg(disk);
    command::run("convert a disk", convert, "check that the cache's disk is not full", &mut |line| log.line(line))
}
