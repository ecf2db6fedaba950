//! The programs of the host that the harness calls: where they are, which Debian package has them, what is missing.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Error, Progress, Result, command};

/// One program and what the harness needs it for.
#[derive(Debug, PartialEq, Eq)]
pub struct Tool {
    /// The program's name as it is called.
    pub program: &'static str,
    /// The Debian package that has it.
    pub package: &'static str,
    /// What it does for the harness, as the end of "it …".
    pub purpose: &'static str,
    /// The oldest version that works, where that matters.
    pub minimum: Option<Version>,
    /// Whether the superuser can do without it.
    pub only_for_ordinary_users: bool,
}

/// The first two numbers of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.0, self.1)
    }
}

const fn tool(program: &'static str, package: &'static str, purpose: &'static str) -> Tool {
    Tool { program, package, purpose, minimum: None, only_for_ordinary_users: false }
}

/// Every program of the host that is called anywhere in the harness.
pub const TOOLS: &[Tool] = &[
    Tool { minimum: Some(Version(7, 2)), ..tool("qemu-system-x86_64", "qemu-system-x86", "runs the guests") },
    Tool { minimum: Some(Version(7, 2)), ..tool("qemu-img", "qemu-utils", "makes the guests' disks") },
    tool("mmdebstrap", "mmdebstrap", "builds the Debian guest"),
    tool("arch-test", "arch-test", "tells mmdebstrap what this machine can run"),
    tool("apt-get", "apt", "says where Debian's archive is"),
    tool("fakeroot", "fakeroot", "keeps the guest's file owners while its disk is made"),
    tool("tar", "tar", "unpacks the guest while its disk is made"),
    tool("mke2fs", "e2fsprogs", "makes the guest's file systems"),
    tool("setpriv", "util-linux", "has the kernel end what we started when we end"),
    tool("nix-instantiate", "nix-bin", "renders the stacks"),
    Tool {
        minimum: Some(Version(1, 89)),
        ..tool("cargo", "cargo", "builds the program that decrypts secrets in the guest")
    },
    Tool { only_for_ordinary_users: true, ..tool("unshare", "util-linux", "lets an ordinary user build the guest") },
    Tool { only_for_ordinary_users: true, ..tool("newuidmap", "uidmap", "lets an ordinary user build the guest") },
];

/// What was found of one tool.
#[derive(Debug, PartialEq, Eq)]
pub struct ToolReport {
    /// The tool that was looked for.
    pub tool: &'static Tool,
    /// What was found.
    pub found: Found,
}

/// Whether a tool is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is there, and new enough where that matters.
    Usable {
        /// The program's file.
        path: PathBuf,
        /// Its version, where it was asked for one.
        version: Option<Version>,
    },
    /// It is there, but older than needed.
    TooOld {
        /// The program's file.
        path: PathBuf,
        /// Its version.
        version: Version,
    },
    /// It is there, but does not say a version, so that it may be broken.
    Silent {
        /// The program's file.
        path: PathBuf,
    },
    /// It is not on the search path.
    Missing,
}

/// Looks for every tool that this user needs.
pub fn inspect() -> Vec<ToolReport> {
    let superuser = is_superuser();
    let needed = TOOLS.iter().filter(|tool| !(superuser && tool.only_for_ordinary_users));
    needed.map(|tool| ToolReport { tool, found: look_for(tool) }).collect()
}

/// Finds one of the [`TOOLS`] by name, without asking for its version.
///
/// # Errors
/// If it is not installed; the error says how to install it.
pub fn locate(program: &str) -> Result<PathBuf> {
    let on_path = search(program);
    on_path.ok_or_else(|| match TOOLS.iter().find(|tool| tool.program == program) {
        Some(tool) => Error::MissingTool {
            program: tool.program,
            purpose: tool.purpose,
            install: shown_command(&apt_install(&BTreeSet::from([tool.package])), is_superuser()),
        },
        None => Error::Content { what: program.to_owned(), reason: "it is not in the table of host tools".to_owned() },
    })
}

/// The command that installs what is missing or too old, as the superuser runs it; nothing if all is there.
pub fn install_command(reports: &[ToolReport]) -> Option<Vec<String>> {
    let packages = unusable_packages(reports);
    (!packages.is_empty()).then(|| apt_install(&packages))
}

fn unusable_packages(reports: &[ToolReport]) -> BTreeSet<&'static str> {
    let unusable = reports.iter().filter(|report| !matches!(report.found, Found::Usable { .. }));
    unusable.map(|report| report.tool.package).collect()
}

/// Installs what is missing, with a fresh package list, until nothing is: apt may remove a package that was there and
/// does not go with a new one, such as a `qemu-utils` that is newer than any `qemu-system-x86` there is.
///
/// # Errors
/// If this user is not the superuser (the error has the command for `sudo`), if apt fails, or if something that was
/// installed is still missing or too old afterwards.
pub fn install(progress: &dyn Progress) -> Result<()> {
    let mut asked = BTreeSet::new();
    loop {
        let packages = unusable_packages(&inspect());
        if packages.is_empty() {
            return Ok(());
        }
        let command = apt_install(&packages);
        if !is_superuser() {
            return Err(unusable(
                "only root may install packages",
                format!("run `{}`", shown_command(&command, false)),
            ));
        }
        if !asked.is_disjoint(&packages) {
            return Err(unusable(
                "this machine's Debian release does not have what is needed",
                format!("see which versions `harness doctor` finds, and what `{}` says", shown_command(&command, true)),
            ));
        }
        if asked.is_empty() {
            progress.phase("reading the package lists");
            run_apt("read the package lists", &["apt-get".to_owned(), "update".to_owned()])?;
        }
        progress.phase("installing packages");
        run_apt("install packages", &command)?;
        asked.extend(packages);
    }
}

/// The command as one line for people, with `sudo` in front for everybody but the superuser.
pub fn shown_command(command: &[String], superuser: bool) -> String {
    let sudo = if superuser { "" } else { "sudo " };
    format!("{sudo}{}", command.join(" "))
}

/// Whether this process may do everything.
pub fn is_superuser() -> bool {
    rustix::process::geteuid().is_root()
}

/// `PATH` as child processes are to have it: Debian's ordinary users lack the folders that mke2fs and chroot are in.
pub(super) fn search_path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/local/sbin:/usr/sbin:/sbin");
    path
}

fn search(program: &str) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok();
    std::env::split_paths(&search_path()).map(|folder| folder.join(program)).find(is_program)
}

fn look_for(tool: &Tool) -> Found {
    match (search(tool.program), tool.minimum) {
        (None, _) => Found::Missing,
        (Some(path), None) => Found::Usable { path, version: None },
        (Some(path), Some(minimum)) => match version_of(&path) {
            Some(version) if version >= minimum => Found::Usable { path, version: Some(version) },
            Some(version) => Found::TooOld { path, version },
            None => Found::Silent { path },
        },
    }
}

fn version_of(program: &Path) -> Option<Version> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    first_version(&String::from_utf8_lossy(&output.stdout))
}

/// The first word that begins like `7.2`, as in "QEMU emulator version 7.2.22 (Debian …)".
fn first_version(text: &str) -> Option<Version> {
    text.split_whitespace().find_map(|word| {
        let mut numbers = word.split(|character: char| !character.is_ascii_digit());
        Some(Version(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

fn apt_install(packages: &BTreeSet<&str>) -> Vec<String> {
    let words = ["apt-get", "install", "-y", "--no-install-recommends"];
    words.iter().chain(packages).map(|word| (*word).to_owned()).collect()
}

fn run_apt(operation: &'static str, words: &[String]) -> Result<()> {
    let mut apt = Command::new(locate("apt-get")?);
    apt.args(&words[1..]).env("DEBIAN_FRONTEND", "noninteractive");
    command::run(operation, apt, "check the machine's apt sources and network", &mut |_| {})
}

fn unusable(reason: &str, advice: String) -> Error {
    Error::Host { operation: "install the host's tools", reason: reason.to_owned(), advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_programs_print() {
        let check = |text: &str, version: Option<Version>| assert_eq!(first_version(text), version, "{text}");
        check("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)", Some(Version(7, 2)));
        check("qemu-img version 10.0.3 (Debian 1:10.0.3+ds-0+deb13u1)", Some(Version(10, 0)));
        check("version unknown", None);
        check("", None);
        assert!(Version(10, 0) > Version(7, 2));
    }

    #[test]
    fn the_install_command_names_each_package_once() {
        let report = |program: &str, found: Found| ToolReport {
            tool: TOOLS.iter().find(|tool| tool.program == program).unwrap(),
            found,
        };
        let usable = Found::Usable { path: "/bin/x".into(), version: None };
        let old = Found::TooOld { path: "/bin/x".into(), version: Version(6, 0) };
        assert_eq!(install_command(&[report("tar", usable.clone())]), None);
        let reports = [
            report("qemu-img", old),
            report("tar", usable),
            report("mmdebstrap", Found::Missing),
            report("qemu-img", Found::Missing),
        ];
        let command = install_command(&reports).unwrap();
        let line = "apt-get install -y --no-install-recommends mmdebstrap qemu-utils";
        assert_eq!(shown_command(&command, true), line);
        assert_eq!(shown_command(&command, false), format!("sudo {line}"));
    }

    #[test]
    fn a_program_that_is_not_in_the_table_is_never_looked_for_silently() {
        assert!(locate("no-such-program").unwrap_err().to_string().contains("not in the table"));
        assert!(locate("tar").unwrap().is_absolute());
    }
}
