//! The steps from a recipe to a finished image.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::{Recipe, disk, unpack};
use crate::image::archive::{Item, tar_of};
use crate::image::{Error, Progress, Result, command, initrd, sources, tools};

/// Where the setup script is while it runs in the tree.
const SETUP: &str = "harness-setup.sh";

/// No file of the image is newer than this, so that a rebuild does not differ by its hour: 2025-01-01.
const NEWEST_FILE: &str = "1735689600";

/// What nobody reads in a guest.
const LEFT_OUT: &[&str] = &["/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*"];

/// Every program that a build calls, to be found before it begins.
const TOOLS: &[&str] = &["mmdebstrap", "arch-test", "fakeroot", "tar", "mke2fs", "qemu-img"];

/// The lines of mmdebstrap that begin a phase.
const PHASES: &[(&str, &str)] = &[
    ("I: running apt-get update", "reading Debian's package lists"),
    ("I: downloading packages", "fetching packages"),
    ("I: extracting archives", "unpacking the base system"),
    ("I: installing essential packages", "installing the base system"),
    ("I: installing remaining packages", "installing packages"),
    ("I: running --customize-hook", "setting the system up"),
    ("I: creating tarball", "packing the system"),
];

/// Builds an image in a folder. What is needed only on the way is below `work` there, and removed again.
pub(super) fn build(recipe: &Recipe, folder: &Path, progress: &dyn Progress) -> Result<()> {
    for tool in TOOLS {
        tools::locate(tool)?;
    }
    let work = folder.join("work");
    fs::create_dir(&work).map_err(Error::io("create", &work))?;
    let mut log = Log::create(&folder.join("build.log"))?;
    let root = work.join("root.tar");
    bootstrap(recipe, &work, &root, &mut log, progress)?;
    progress.phase("making the boot files");
    boot_files(&root, folder)?;
    progress.phase("making the disks");
    disk::root(&root, &work, &folder.join("root.raw"), &mut log)?;
    disk::containers(&folder.join("containers.raw"), &mut log)?;
    fs::remove_dir_all(&work).map_err(Error::io("remove", &work))?;
    log.finish()
}

/// Installs the packages, lays the overlay over them and runs the setup script; the outcome is one tar.
fn bootstrap(recipe: &Recipe, work: &Path, root: &Path, log: &mut Log, progress: &dyn Progress) -> Result<()> {
    let mut overlay = recipe.overlay.clone();
    overlay.push(Item::file(SETUP, 0o755, recipe.setup.as_str()));
    write(&work.join("overlay.tar"), &tar_of(overlay)?)?;
    let mut mmdebstrap = Command::new(tools::locate("mmdebstrap")?);
    mmdebstrap
        .current_dir(work)
        .env("SOURCE_DATE_EPOCH", NEWEST_FILE)
        .arg(if tools::is_superuser() { "--mode=root" } else { "--mode=unshare" })
        .args(["--variant=minbase", "--format=tar"])
        .arg("--aptopt=APT::Install-Recommends \"false\"")
        .arg("--aptopt=Acquire::Retries \"3\"")
        .args(LEFT_OUT.iter().map(|path| format!("--dpkgopt=path-exclude={path}")))
        .arg(format!("--include={}", recipe.packages.join(",")))
        // mmdebstrap leaves the machine's own there, and no image may depend on those.
        .arg("--customize-hook=rm -f \"$1/etc/hostname\" \"$1/etc/resolv.conf\"")
        .arg("--customize-hook=tar-in overlay.tar /")
        .arg(format!("--customize-hook=chroot \"$1\" sh /{SETUP} && rm \"$1/{SETUP}\""))
        .arg(sources::RELEASE)
        .arg(root)
        .args(&recipe.sources);
    let advice = "if it could not reach the archive, check the mirrors in the machine's apt sources; if it could not \
                  enter a user namespace, install uidmap and give this user a line in /etc/subuid and /etc/subgid, or \
                  run `harness bake` once as root";
    let mut current = "";
    command::run("build the Debian guest", mmdebstrap, advice, &mut |line| {
        log.line(line);
        let phase = PHASES.iter().find(|(start, _)| line.starts_with(start));
        if let Some((_, phase)) = phase.filter(|(_, phase)| *phase != current) {
            current = phase;
            progress.phase(phase);
        }
    })
}

/// Takes out of the finished tree what must be at hand outside of it.
fn boot_files(root: &Path, folder: &Path) -> Result<()> {
    let parts = unpack::boot_parts(root)?;
    write(&folder.join("vmlinuz"), &parts.kernel)?;
    write(&folder.join("busybox"), &parts.busybox)?;
    write(&folder.join("initrd"), &initrd::build(&parts.busybox, &parts.modules))?;
    write(&folder.join("packages.txt"), parts.packages.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(Error::io("write", path))
}

/// What the programs printed, kept with the image. The first error of writing it is kept until the end, for lines come
/// from within callbacks that cannot fail.
pub(super) struct Log {
    path: std::path::PathBuf,
    file: File,
    result: std::io::Result<()>,
}

impl Log {
    fn create(path: &Path) -> Result<Log> {
        let file = File::create(path).map_err(Error::io("create", path))?;
        Ok(Log { path: path.to_path_buf(), file, result: Ok(()) })
    }

    pub(super) fn line(&mut self, line: &str) {
        if self.result.is_ok() {
            self.result = writeln!(self.file, "{line}");
        }
    }

    fn finish(self) -> Result<()> {
        self.result.map_err(Error::io("write", &self.path))
    }
}
