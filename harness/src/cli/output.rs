//! The folder that a run leaves: events, reports, and for each trial timeline, journal and console.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::event::{Event, TrialFinished};
use crate::judge::Outcome;
use crate::report::{Style, html, junit, read_events, timeline_text};
use crate::run::{Error, Result};
use crate::scenario::Source;
use crate::timeline::Timeline;

use super::print::say;

/// The folder of one run.
#[derive(Debug, Clone)]
pub struct Output {
    folder: PathBuf,
}

const EVENTS: &str = "events.jsonl";
/// The recording of a trial, in its folder.
pub const TIMELINE: &str = "timeline.jsonl";
const LATEST: &str = "latest";
/// The description of a kept machine, beside its memory and disks.
pub const SPEC: &str = "spec.json";

impl Output {
    /// Makes the folder of a run that begins now below `all`. Runs of one nextest share a folder.
    pub fn create(all: &Path) -> Result<Output> {
        let name = match std::env::var("NEXTEST_RUN_ID") {
            Ok(id) => format!("nextest-{id}"),
            Err(_) => jiff::Zoned::now().strftime("%Y-%m-%dT%H-%M-%S").to_string(),
        };
        let mut folder = all.join(&name);
        let shared = std::env::var_os("NEXTEST_RUN_ID").is_some();
        // Two runs may begin in one second.
        for number in 2.. {
            fs::create_dir_all(all).map_err(Error::io("create", all))?;
            match fs::create_dir(&folder) {
                Ok(()) => break,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && shared => break,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    folder = all.join(format!("{name}-{number}"));
                }
                Err(error) => return Err(Error::io("create", &folder)(error)),
            }
        }
        Ok(Output { folder })
    }

    /// Makes this run the latest: from now on it has something to tell.
    pub fn becomes_latest(&self) -> Result<()> {
        self.folder.parent().map_or(Ok(()), |all| point_to_latest(all, &self.folder))
    }

    /// Whether a file that is written at the end of a run can be.
    pub fn can_write(path: &Path) -> Result<()> {
        let opened = File::options().create(true).append(true).open(path);
        opened.map(drop).map_err(|error| Error::Usage(format!("cannot write {}: {error}", path.display())))
    }

    /// The newest run's folder below `all`.
    pub fn latest(all: &Path) -> Result<Output> {
        let link = all.join(LATEST);
        let folder = link.canonicalize().map_err(|_| {
            Error::Usage(format!(
                "there is no earlier run in {}: run something first, or give its folder with --out",
                all.display()
            ))
        })?;
        Ok(Output { folder })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of one trial.
    pub fn trial(&self, unique: &str) -> Result<PathBuf> {
        let folder = self.folder.join(folder_name(unique));
        fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        Ok(folder)
    }

    /// Opens the event log. Each line is written at once, so that several processes of one nextest can share it.
    pub fn events(&self) -> Result<File> {
        let path = self.folder.join(EVENTS);
        File::options().create(true).append(true).open(&path).map_err(Error::io("open", path))
    }

    /// The events so far. Lines that are none are left out, and said.
    pub fn read_events(&self) -> Result<Vec<Event>> {
        let path = self.folder.join(EVENTS);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let (events, errors) = read_events(&String::from_utf8_lossy(&bytes));
        for error in errors {
            say(&format!("warning: {}: {error}", path.display()));
        }
        Ok(events)
    }

    /// Writes what a trial has left behind.
    pub fn write_trial(folder: &Path, timeline: &Timeline, console: &str) -> Result<()> {
        let lines = timeline.to_json_lines().map_err(|error| Error::Project {
            place: folder.join(TIMELINE).display().to_string(),
            problem: error.to_string(),
        })?;
        write(&folder.join(TIMELINE), lines.as_bytes())?;
        write(&folder.join("journal.txt"), timeline_text(timeline).as_bytes())?;
        write(&folder.join("console.log"), console.as_bytes())
    }

    /// Writes the reports of the whole run from its events. Processes of one nextest do so one after the other, so that the
    /// last one's reports have all that the others did.
    pub fn write_reports(&self, sources: &[Source], style: &Style, extra_junit: Option<&Path>) -> Result<()> {
        let lock = self.events()?;
        lock.lock().map_err(Error::io("lock", self.folder.join(EVENTS)))?;
        let events = self.read_events()?;
        let page = html(&events, sources, &timelines_of_failures(&events), style);
        write(&self.folder.join("report.html"), page.as_bytes())?;
        let report = junit(&events, style).map_err(|error| Error::Project {
            place: self.folder.join("junit.xml").display().to_string(),
            problem: error.to_string(),
        })?;
        write(&self.folder.join("junit.xml"), report.as_bytes())?;
        extra_junit.map_or(Ok(()), |path| write(path, report.as_bytes()))
    }
}

/// The newest machine that a run below `all` has kept of a trial, in any of its repetitions.
pub fn kept_machine(all: &Path, label: &str) -> Result<Option<PathBuf>> {
    let mut newest: Option<(SystemTime, PathBuf)> = None;
    for run in folders_in(all)? {
        for trial in folders_in(&run)?.into_iter().filter(|folder| is_folder_of(folder, label)) {
            let machine = trial.join("machine");
            let Ok(metadata) = fs::metadata(machine.join(SPEC)) else { continue };
            let kept = metadata.modified().map_err(Error::io("look at", &machine))?;
            if newest.as_ref().is_none_or(|(time, _)| *time < kept) {
                newest = Some((kept, machine));
            }
        }
    }
    Ok(newest.map(|(_, machine)| machine))
}

/// The folders in a folder; none if it is not there. The link to the latest run is no folder.
fn folders_in(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(Error::io("list", path))?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("list", path))?;
        if entry.file_type().map_err(Error::io("look at", entry.path()))?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// The folder of a trial by its unique name.
fn folder_name(unique: &str) -> String {
    let plain =
        |character: char| if character.is_alphanumeric() || "-_.".contains(character) { character } else { '-' };
    let name: String = unique.replace("::", ".").chars().map(plain).collect();
    name.trim_end_matches('-').to_owned()
}

/// Whether a folder is of the trial with this label, or of one of its repetitions.
fn is_folder_of(folder: &Path, label: &str) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let is_repetition = |rest: &str| {
        let numbers = rest.trim_start_matches('-').split_once("-of-");
        numbers.is_some_and(|(time, times)| time.parse::<u32>().is_ok() && times.parse::<u32>().is_ok())
    };
    name.strip_prefix(&folder_name(label)).is_some_and(|rest| rest.is_empty() || is_repetition(rest))
}

/// The names of the trials that failed, broke or were not finished, as a later run selects them.
pub fn unsettled(events: &[Event]) -> Vec<String> {
    let selected = events.iter().filter_map(|event| match event {
        Event::RunStarted { trials, .. } => Some(trials),
        _ => None,
    });
    let failed = failed(events);
    let is_finished =
        |name: &str| events.iter().any(|event| matches!(event, Event::TrialFinished(done) if done.trial == name));
    let mut seen = BTreeSet::new();
    let unsettled = selected.flatten().filter(|name| failed.contains(*name) || !is_finished(name));
    unsettled.filter(|name| seen.insert(*name)).cloned().collect()
}

/// The names of the trials that failed or broke.
fn failed(events: &[Event]) -> BTreeSet<String> {
    let finished = events.iter().filter_map(|event| match event {
        Event::TrialFinished(finished) => Some(finished),
        _ => None,
    });
    let bad = |finished: &&TrialFinished| matches!(finished.outcome, Outcome::Failed | Outcome::Broken);
    finished.filter(bad).map(|finished| finished.trial.clone()).collect()
}

/// The timelines of trials that failed or broke; those of the others stay on the disk.
fn timelines_of_failures(events: &[Event]) -> BTreeMap<String, Timeline> {
    let wanted = failed(events);
    let folders = events.iter().filter_map(|event| match event {
        Event::TrialFinished(finished) if wanted.contains(&finished.trial) => finished.folder.clone(),
        _ => None,
    });
    let read = |folder: String| {
        let text = fs::read_to_string(Path::new(&folder).join(TIMELINE)).ok()?;
        Some((folder, Timeline::from_json_lines(&text).ok()?))
    };
    folders.filter_map(read).collect()
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = File::create(path).map_err(Error::io("create", path))?;
    file.write_all(content).map_err(Error::io("write", path))
}

/// Several processes may do this at once: the link is replaced in one step.
fn point_to_latest(all: &Path, folder: &Path) -> Result<()> {
    let link = all.join(LATEST);
    let fresh = all.join(format!(".{LATEST}-{}", std::process::id()));
    let name = folder.file_name().unwrap_or_default();
    std::os::unix::fs::symlink(name, &fresh).map_err(Error::io("link", &fresh))?;
    fs::rename(&fresh, &link).map_err(Error::io("link", &link))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn what_a_run_has_not_seen_pass_is_selected_again() {
        let started = |trials: &[&str]| Event::RunStarted {
            at: String::new(),
            version: String::new(),
            trials: trials.iter().map(ToString::to_string).collect(),
            accelerator: String::new(),
        };
        let finished = |trial, outcome| Event::TrialFinished(sample::finished(trial, outcome, Vec::new()));
        use Outcome::{Broken, Failed, Passed, Skipped};
        let check = |events: Vec<Event>, expected: &[&str]| assert_eq!(unsettled(&events), expected, "{events:?}");
        check(vec![], &[]);
        let begun = || started(&["a", "b", "c"]);
        check(vec![begun()], &["a", "b", "c"]);
        check(vec![begun(), finished("a", Passed), finished("c", Skipped)], &["b"]);
        check(vec![begun(), finished("c", Broken), finished("a", Failed), finished("b", Passed)], &["a", "c"]);
        // Repetitions, and processes of one nextest.
        check(vec![started(&["a", "a"]), finished("a", Failed), finished("a", Passed)], &["a"]);
        check(vec![started(&["a"]), started(&["b"]), finished("b", Passed), finished("a", Passed)], &[]);
    }

    #[test]
    fn a_kept_machine_is_found_by_its_trial() {
        let all = tempfile::tempdir().unwrap();
        let label = "igpu::failure::x";
        let check = |label: &str, run: Option<&str>| {
            let found = kept_machine(all.path(), label).unwrap();
            let shown = found.as_ref().map(|path| path.strip_prefix(all.path()).unwrap().display().to_string());
            assert_eq!(shown.as_deref(), run, "{label}");
        };
        check(label, None);
        let mut age = 100;
        let mut keep = |run: &str, unique: &str| {
            let run = Output { folder: all.path().join(run) };
            let machine = run.trial(unique).unwrap().join("machine");
            fs::create_dir(&machine).unwrap();
            let spec = File::create(machine.join(SPEC)).unwrap();
            age -= 1;
            spec.set_modified(SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
        };
        keep("1", label);
        keep("2", "igpu::failure::x-y");
        keep("2", "igpu::failure::x [broken-by no-alert]");
        check(label, Some("1/igpu.failure.x/machine"));
        check("igpu::failure::x [broken-by no-alert]", Some("2/igpu.failure.x--broken-by-no-alert/machine"));
        check("igpu::failure::x [broken-by late]", None);
        keep("nextest-0", "igpu::failure::x (2 of 3)");
        check(label, Some("nextest-0/igpu.failure.x--2-of-3/machine"));
        keep("0", label);
        fs::create_dir_all(all.path().join("3/igpu.failure.x/machine")).unwrap();
        check(label, Some("0/igpu.failure.x/machine"));
        check("doc1::failure::x", None);
    }
}
