//! `harness judge`

use std::fs;
use std::path::{Path, PathBuf};

use crate::event::TrialFinished;
use crate::judge::{self, Judgement, Outcome};
use crate::report::failure;
use crate::run::{Error, Result, recorded_as};
use crate::scenario::{Scenario, Source, Trial};
use crate::timeline::{Entry, Timeline};

use super::Exit;
use super::arguments::JudgeArguments;
use super::enter::parts;
use super::lint;
use super::output::TIMELINE;
use super::print::print;
use super::run::style;
use super::session;
use super::suite::verdict;

/// Judges a recording by the scenario as it is now.
pub fn judge(arguments: &JudgeArguments) -> Result<Exit> {
    let project = session::project(&arguments.system)?;
    let recorded = recording(&arguments.timeline);
    let timeline = read(&recorded)?;
    let path = arguments.scenario.clone().unwrap_or_else(|| project.root().join(&timeline.header.scenario));
    if !path.is_file() {
        let advice =
            if arguments.scenario.is_none() { "; give the file that it is in now with --scenario" } else { "" };
        return Err(Error::Usage(format!("there is no scenario {}{advice}", path.display())));
    }
    let scenario = lint::scenario_in(&project, &path)?;
    let trial = trial(&scenario, &timeline.header.host)?;
    same_actions(trial, &timeline, &scenario.source)?;
    let noise = project.noise()?;
    let faults = project.faults()?;
    let fault = match parts(&timeline.header.trial).1 {
        Some(id) => Some(faults.iter().find(|fault| fault.id == id).ok_or_else(|| {
            Error::Usage(format!("the trial was run with fault `{id}`, which is no longer among the faults"))
        })?),
        None => None,
    };
    let judge = if fault.is_some() { judge::judge_with_fault } else { judge::judge };
    let judgement = judge(trial, &timeline, &noise);
    let (outcome, reason) = verdict(fault, &judgement);
    let finished = finished(&recorded, &scenario, &timeline, judgement, (outcome, reason));
    print(&text(&finished, &scenario, &timeline))?;
    Ok(Exit::of_outcomes([outcome]))
}

/// The recording in a trial's folder, or the one that is named.
fn recording(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(TIMELINE) } else { path.to_owned() }
}

fn read(path: &Path) -> Result<Timeline> {
    let unusable = |problem: String| {
        let advice = format!("a recording is the `{TIMELINE}` in a trial's folder, below the `out/` of its run");
        Error::Usage(format!("cannot judge {}: {problem}; {advice}", path.display()))
    };
    let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    Timeline::from_json_lines(&text).map_err(|error| unusable(error.to_string()))
}

fn trial<'s>(scenario: &'s Scenario, host: &str) -> Result<&'s Trial> {
    scenario.trials.iter().find(|trial| trial.host == host).ok_or_else(|| {
        let path = &scenario.source.path;
        Error::Usage(format!("the recording is of host `{host}`, and {path} has no trial on it"))
    })
}

/// A recording is of what was done then: lines can be judged anew, other actions cannot.
fn same_actions(trial: &Trial, timeline: &Timeline, source: &Source) -> Result<()> {
    for entry in &timeline.entries {
        let Entry::Action(done) = entry else { continue };
        let acts = match done.step {
            None => Some(&trial.given),
            Some(step) => trial.steps.get(step).map(|step| &step.when),
        };
        let act = acts.and_then(|acts| acts.get(done.index));
        let here = act.map(|act| recorded_as(&act.what)).transpose()?;
        if here.as_ref() == Some(&done.command) {
            continue;
        }
        let place = act.map_or(source.path.clone(), |act| source.place(act.span.start));
        let here = here.map_or("has no action".to_owned(), |here| format!("has `{here}`"));
        return Err(Error::Usage(format!(
            "the recording has `{}` where {place} {here}: judge takes other lines, but not other actions; run the trial again",
            done.command
        )));
    }
    Ok(())
}

/// The end of the trial, as a run would have told it.
fn finished(
    path: &Path,
    scenario: &Scenario,
    timeline: &Timeline,
    judgement: Judgement,
    (outcome, reason): (Outcome, Option<String>),
) -> TrialFinished {
    // A recording that was taken away from the folder of its run has no journal beside it.
    let folder = path.parent().filter(|folder| folder.join("journal.txt").is_file());
    TrialFinished {
        trial: timeline.header.trial.clone(),
        title: scenario.title.clone(),
        scenario: scenario.source.path.clone(),
        proves: scenario.proves.clone(),
        outcome,
        reason,
        judgement: Some(judgement),
        host_seconds: 0.0,
        guest_seconds: 0.0,
        slow: None,
        folder: folder.map(|folder| folder.display().to_string()),
        kept: folder.is_some_and(|folder| folder.join("machine").is_dir()),
    }
}

fn text(finished: &TrialFinished, scenario: &Scenario, timeline: &Timeline) -> String {
    if finished.outcome != Outcome::Passed {
        return failure(finished, &scenario.source, Some(timeline), &style());
    }
    let count = finished.judgement.iter().flat_map(|judgement| &judgement.verdicts).count();
    match &finished.reason {
        Some(reason) => format!("passed: {}: {reason}\n", finished.trial),
        None => format!("passed: {}, {count} verdicts\n", finished.trial),
    }
}
