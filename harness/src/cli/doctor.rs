//! `harness doctor`

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anstyle::{AnsiColor, Style};

use crate::image::Content;
use crate::image::guest::Recipe;
use crate::image::tools::{self, Found, ToolReport};
use crate::run::{Error, Hosts, Project, Result};

use super::arguments::DoctorArguments;
use super::print::{print, size};
use super::{Exit, clean, run, session};

/// One line of a table: whether it is fine, and its cells.
struct Row {
    mark: Mark,
    cells: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Fine,
    Bad,
    /// Not known, and no reason not to go on.
    Open,
}

/// The memory that a machine needs at least, MiB.
const MEMORY_MIB: u64 = 768;
/// The room that the image and the templates of the project's hosts take in the cache, MiB.
const CACHE_MIB: u64 = 5120;

const MIB: u64 = 1 << 20;

/// Shows what this machine has and lacks.
pub fn doctor(arguments: &DoctorArguments) -> Result<Exit> {
    let missing = tools::install_command(&tools::inspect()).is_some();
    if arguments.install && missing && tools::is_superuser() {
        run::install()?;
    }
    let hosts = session::open(Project::find()?, session::say_progress)?;
    let reports = tools::inspect();
    let command = tools::install_command(&reports);
    let mut sections = vec![("Programs", reports.iter().map(program).collect::<Vec<_>>())];
    let may_build = arguments.install && command.is_none();
    let mut machine = vec![accelerator(&hosts, may_build)?];
    machine.extend(resources(&hosts)?);
    sections.push(("This machine", machine));
    if arguments.verify {
        sections.push(("The cache, read again", verified(&hosts)?));
    }
    let fine = sections.iter().all(|(_, rows)| rows.iter().all(|row| row.mark != Mark::Bad));
    let mut text: String = sections.iter().map(|(title, rows)| format!("{title}\n{}\n", table(rows))).collect();
    if let Some(command) = command {
        let command = tools::shown_command(&command, tools::is_superuser());
        text.push_str(&format!("Install what is missing with:\n  {command}\n\n"));
    }
    text.push_str(if fine {
        "Everything is usable.\n"
    } else {
        "Something is not usable: see the lines marked BAD.\n"
    });
    print(&text)?;
    Ok(if fine { Exit::Passed } else { Exit::Broken })
}

fn program(report: &ToolReport) -> Row {
    let tool = report.tool;
    let needed = tool.minimum.map(|minimum| format!(", {minimum} is needed")).unwrap_or_default();
    let (mark, version, state) = match &report.found {
        Found::Usable { version, .. } => (Mark::Fine, version.as_ref(), "usable".to_owned()),
        Found::TooOld { version, .. } => (Mark::Bad, Some(version), format!("too old{needed}")),
        Found::Silent { path } => (Mark::Bad, None, format!("{} says no version{needed}", path.display())),
        Found::Missing => (Mark::Bad, None, "missing".to_owned()),
    };
    let version = version.map_or("-".to_owned(), ToString::to_string);
    let cells = [tool.program.to_owned(), tool.package.to_owned(), version, state, tool.purpose.to_owned()];
    Row { mark, cells: cells.to_vec() }
}

/// What runs the guests. Finding out takes a guest image, and building one takes minutes.
fn accelerator(hosts: &Hosts, may_build: bool) -> Result<Row> {
    let row = |mark, text: String| Row { mark, cells: vec!["accelerator".to_owned(), text] };
    let recipe = match Recipe::read(&hosts.project().root().join("fixtures/guest")) {
        Ok(recipe) => recipe,
        Err(error) => return Ok(row(Mark::Bad, format!("cannot be tried: {error}"))),
    };
    // A damaged image counts as none: the next run builds it anew.
    let is_there = matches!(recipe.find(hosts.store()), Ok(Some(_)));
    if !is_there && !may_build {
        let text = "not tried yet: there is no guest image; the first run or `harness doctor --install` builds it";
        return Ok(row(Mark::Open, text.to_owned()));
    }
    match hosts.image() {
        Ok((_, probe)) => Ok(row(Mark::Fine, format!("{}: {}", probe.accelerator.name(), probe.reason))),
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(error) => Ok(row(Mark::Bad, format!("cannot be tried: {error}"))),
    }
}

fn resources(hosts: &Hosts) -> Result<Vec<Row>> {
    let row = |mark, name: &str, text: String| Row { mark, cells: vec![name.to_owned(), text] };
    let processors = std::thread::available_parallelism().map_err(Error::io("count", "the processors"))?;
    let path = Path::new("/proc/meminfo");
    let meminfo = fs::read_to_string(path).map_err(Error::io("read", path))?;
    let memory = match (mebibytes(&meminfo, "MemAvailable:"), mebibytes(&meminfo, "MemTotal:")) {
        (Some(free), Some(all)) => {
            let (mark, advice) = enough(free, MEMORY_MIB, "a machine", "end other programs");
            row(mark, "memory", format!("{} free of {}{advice}", size(free * MIB), size(all * MIB)))
        }
        _ => row(Mark::Open, "memory", "unknown: /proc/meminfo does not say".to_owned()),
    };
    let root = hosts.store().root();
    let disk = rustix::fs::statvfs(root).map_err(|error| Error::io("look at", root)(error.into()))?;
    let free = disk.f_bavail * disk.f_frsize;
    let contents = hosts.store().contents()?;
    let used = Content::total(&contents);
    // What is in the cache already needs no more room.
    let needed = CACHE_MIB.saturating_sub(used / MIB).max(512);
    let (mark, advice) = enough(free / MIB, needed, "a run", "make room, or set HARNESS_CACHE to another disk");
    let entries = match contents.len() {
        1 => "1 entry".to_owned(),
        count => format!("{count} entries"),
    };
    let cache = format!("{} in {entries} at {}{}", size(used), root.display(), old(&contents));
    Ok(vec![
        row(Mark::Fine, "processors", processors.to_string()),
        memory,
        row(mark, "disk", format!("{} free at {}{advice}", size(free), root.display())),
        row(Mark::Fine, "cache", cache),
    ])
}

/// What is said of contents that `harness clean` would remove.
fn old(contents: &[Content]) -> String {
    match Content::total(&clean::unused(contents, clean::DAYS, SystemTime::now())) {
        0 => String::new(),
        bytes => format!("; nobody has used {} of it for a week: `harness clean` removes that", size(bytes)),
    }
}

/// A mark, and for what is too little what to do about it.
fn enough(free_mib: u64, needed_mib: u64, needed_by: &str, advice: &str) -> (Mark, String) {
    if free_mib >= needed_mib {
        return (Mark::Fine, String::new());
    }
    (Mark::Bad, format!("; {needed_by} needs {}: {advice}", size(needed_mib * MIB)))
}

fn verified(hosts: &Hosts) -> Result<Vec<Row>> {
    let count = hosts.store().entries()?.len();
    let findings = hosts.store().verify(&hosts.recorder().task("verify"))?;
    let mut rows: Vec<Row> =
        findings.iter().map(|finding| Row { mark: Mark::Bad, cells: vec![finding.problem.to_string()] }).collect();
    if count == 0 {
        rows.push(Row { mark: Mark::Open, cells: vec!["it is empty: there is nothing to verify".to_owned()] });
    } else {
        let sound = count.saturating_sub(rows.len());
        rows.push(Row { mark: Mark::Fine, cells: vec![format!("{sound} of {count} entries are sound")] });
    }
    Ok(rows)
}

/// A line of /proc/meminfo, in MiB.
fn mebibytes(meminfo: &str, name: &str) -> Option<u64> {
    let rest = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
    Some(rest.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1024)
}

/// Rows with their cells below each other; the last cell is as long as it is.
fn table(rows: &[Row]) -> String {
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or_default();
    let width = |column: usize| rows.iter().filter_map(|row| row.cells.get(column)).map(String::len).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Row| {
        let cells: Vec<String> = row.cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("  {}  {}\n", row.mark.word(), cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

impl Mark {
    /// The mark as a word of three letters, in its colour.
    fn word(self) -> String {
        let (word, color) = match self {
            Mark::Fine => ("ok ", AnsiColor::Green),
            Mark::Bad => ("BAD", AnsiColor::Red),
            Mark::Open => ("?  ", AnsiColor::Yellow),
        };
        let style: Style = color.on_default();
        format!("{style}{word}{style:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::tools::{TOOLS, Version};

    fn report(program: &str, found: Found) -> ToolReport {
        ToolReport { tool: TOOLS.iter().find(|tool| tool.program == program).unwrap(), found }
    }

    #[test]
    fn the_table_says_the_state_in_words() {
        let path = || "/usr/bin/x".into();
        let rows = [
            report("qemu-img", Found::Usable { path: path(), version: Some(Version(7, 2)) }),
            report("qemu-system-x86_64", Found::TooOld { path: path(), version: Version(6, 0) }),
            report("qemu-img", Found::Silent { path: path() }),
            report("tar", Found::Missing),
        ]
        .iter()
        .map(program)
        .collect::<Vec<_>>();
        let text = anstream::adapter::strip_str(&table(&rows)).to_string();
        insta::assert_snapshot!(text, @"
        ok   qemu-img            qemu-utils       7.2  usable                                     makes the guests' disks
        BAD  qemu-system-x86_64  qemu-system-x86  6.0  too old, 7.2 is needed                     runs the guests
        BAD  qemu-img            qemu-utils       -    /usr/bin/x says no version, 7.2 is needed  makes the guests' disks
        BAD  tar                 tar              -    missing                                    unpacks the guest while its disk is made
        ");
    }

    #[test]
    fn the_memory_is_read() {
        let meminfo = "MemTotal:        8000000 kB\nMemAvailable:    4096000 kB\nOdd: 7\n";
        assert_eq!(mebibytes(meminfo, "MemAvailable:"), Some(4000));
        assert_eq!(mebibytes(meminfo, "Odd:"), None);
        assert_eq!(mebibytes(meminfo, "MemFree:"), None);
    }

    #[test]
    fn too_little_comes_with_advice() {
        assert!(enough(1024, 768, "a machine", "end others") == (Mark::Fine, String::new()));
        let (mark, advice) = enough(100, 768, "a machine", "end others");
        assert!(mark == Mark::Bad);
        assert_eq!(advice, "; a machine needs 768 MiB: end others");
    }
}
