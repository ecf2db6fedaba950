//! The guest's disks: ext4 without partitions, in sparse files.

use std::path::Path;
use std::process::Command;

use super::build::Log;
use crate::image::{Result, command, tools};

/// The size of the root disk in MiB as the guest sees it; the file is as large as what is in it. A guest that has its
/// disks as memory keeps 16 MiB of its own memory for each GiB of them.
pub const ROOT_MIB: u64 = 2048;
/// The size of the disk for podman's storage in MiB.
pub const CONTAINERS_MIB: u64 = 2048;

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
    let tree = work.join("root");
    let mut fakeroot = Command::new(tools::locate("fakeroot")?);
    fakeroot.args(["--", "sh", "-c", MAKE_ROOT, "sh"]).arg(&tree).arg(tar);
    fakeroot.arg(tools::locate("mke2fs")?).args(file_system("root", ROOT_IDENTITY, "0:0"));
    fakeroot.arg("-d").arg(&tree).arg(disk).arg(format!("{ROOT_MIB}M"));
    command::run("make the root disk", fakeroot, "check that the cache's disk has 2 GB free", &mut |line| {
        log.line(line)
    })
}

/// Makes the empty disk for podman's storage.
pub(super) fn containers(disk: &Path, log: &mut Log) -> Result<()> {
    let mut mke2fs = Command::new(tools::locate("mke2fs")?);
    mke2fs
        .args(file_system("containers", CONTAINERS_IDENTITY, STACK_OWNER))
        .arg(disk)
        .arg(format!("{CONTAINERS_MIB}M"));
    command::run("make the containers disk", mke2fs, "check that the cache's disk is not full", &mut |line| {
        log.line(line)
    })
}

/// Options of mke2fs. Everything is initialised here, for a new file is all zeros anyway: else the guest's kernel would
/// spend its first minutes on it, and on its disk.
fn file_system(label: &str, identity: &str, owner: &str) -> Vec<String> {
    let extended = format!("root_owner={owner},hash_seed={identity},lazy_itable_init=0,lazy_journal_init=0");
    ["-q", "-F", "-t", "ext4", "-m", "0", "-L", label, "-U", identity, "-E", &extended].map(str::to_owned).into()
}
