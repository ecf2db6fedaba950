//! `harness lint`

use std::path::{Path, PathBuf};

use crate::generation::{Fault, Generation};
use crate::run::{BESIDE, Error, Project, Result, is_toml, world};
use crate::scenario::{self, Coverage, Diagnostic, Scenario, Section, Source, Trial, World};

use super::Exit;
use super::arguments::LintArguments;
use super::print::print;
use super::session;

/// Checks scenario files and everything that they refer to, and shows every mistake.
pub fn lint(arguments: &LintArguments) -> Result<Exit> {
    let project = session::project(&arguments.system)?;
    let around = mistakes_around(&project)?;
    if !around.is_empty() {
        anstream::eprintln!("the scenarios were not read, since they are checked against these files");
        return report(&[], &around);
    }
    let mut mistakes = Vec::new();
    let mut scenarios = Vec::new();
    let world = world(&project)?;
    if arguments.files.is_empty() {
        let sources = project.sources()?;
        match scenario::read_all(sources.clone(), &world) {
            Ok(read) => scenarios = read,
            Err(found) => mistakes = rendered(&found, &sources),
        }
        if mistakes.is_empty() {
            mistakes = checked_coverage(&project, &scenarios, &world)?.err().unwrap_or_default();
        }
    } else {
        for path in &arguments.files {
            match read_named(&project, path, &world) {
                Ok(scenario) => scenarios.push(scenario),
                Err(found) => mistakes.extend(found),
            }
        }
    }
    let misfits = misfits(&project, &scenarios)?;
    if project.faults_are_its_own() {
        mistakes.extend(misfits.iter().map(|misfit| format!("error: {misfit}")));
    }
    let exit = report(&scenarios, &mistakes)?;
    if exit == Exit::Passed {
        print(&misfits.iter().map(|misfit| format!("skipped with --broken: {misfit}\n")).collect::<String>())?;
    }
    Ok(exit)
}

/// The faults that cannot be put into the generations for the scenarios that name them.
fn misfits(project: &Project, scenarios: &[Scenario]) -> Result<Vec<String>> {
    let (faults, generations) = (project.faults()?, project.generations()?);
    let mut misfits = Vec::new();
    for scenario in scenarios {
        for fault in faults.iter().filter(|fault| scenario.broken_by.contains(&fault.id)) {
            for trial in scenario.trials.iter().filter(|trial| trial.lacks.is_none()) {
                let mut of_host = generations.iter().filter(|generation| generation.manifest.host == trial.host);
                let found = of_host.find_map(|generation| misfit(generation, fault, trial));
                misfits.extend(found.map(|misfit| format!("{}: {misfit}", scenario.source.path)));
            }
        }
    }
    Ok(misfits)
}

/// All scenarios of the project, and that their faults fit, where that is promised.
pub fn scenarios_with_faults(project: &Project) -> Result<Vec<Scenario>> {
    let scenarios = scenarios(project)?;
    let misfits = if project.faults_are_its_own() { misfits(project, &scenarios)? } else { Vec::new() };
    let mistakes: Vec<String> = misfits.iter().map(|misfit| format!("error: {misfit}")).collect();
    if mistakes.is_empty() { Ok(scenarios) } else { Err(refusal(&mistakes)) }
}

/// Why a fault cannot be put into a generation for a trial.
pub fn misfit(generation: &Generation, fault: &Fault, trial: &Trial) -> Option<String> {
    fault.check(generation, trial.stack.as_deref()).err().map(|error| error.to_string())
}

/// All scenarios of the project; the error shows every mistake in them.
pub fn scenarios(project: &Project) -> Result<Vec<Scenario>> {
    let sources = project.sources()?;
    scenario::read_all(sources.clone(), &world(project)?).map_err(|found| refusal(&rendered(&found, &sources)))
}

/// One scenario from a file anywhere; the error shows every mistake in it.
pub fn scenario_in(project: &Project, path: &Path) -> Result<Scenario> {
    read_named(project, path, &world(project)?).map_err(|mistakes| refusal(&mistakes))
}

/// What all scenarios of the project prove; the error shows every reason that is missing or not needed.
pub fn coverage(project: &Project, scenarios: &[Scenario]) -> Result<Coverage> {
    checked_coverage(project, scenarios, &world(project)?)?.map_err(|mistakes| refusal(&mistakes))
}

/// The coverage, or its mistakes as people read them; the outer error is about files that cannot be read.
fn checked_coverage(project: &Project, scenarios: &[Scenario], world: &World) -> Result<Result<Coverage, Vec<String>>> {
    let reasons = project.unproven()?;
    let coverage = scenario::coverage(scenarios, reasons.as_ref(), world);
    Ok(coverage.map_err(|found| rendered(&found, reasons.as_slice())))
}

fn refusal(mistakes: &[String]) -> Error {
    Error::Usage(format!("{}\n\n{}", counted(mistakes.len(), "mistake"), mistakes.join("\n\n")))
}

/// The mistakes in the files that scenarios refer to. Files that cannot be read are an error of their own.
fn mistakes_around(project: &Project) -> Result<Vec<String>> {
    let checks = [
        project.statements().map(drop),
        project.faults().map(drop),
        project.noise().map(drop),
        project.generations().map(drop),
    ];
    let mut mistakes = Vec::new();
    for error in checks.into_iter().filter_map(Result::err) {
        if !error.is_usage() {
            return Err(error);
        }
        mistakes.push(format!("error: {}", error.to_string().trim_end()));
    }
    Ok(mistakes)
}

/// Reads a scenario file that may be anywhere; where its path names no section, it is read as a functional one.
fn read_named(project: &Project, path: &Path, world: &World) -> Result<Scenario, Vec<String>> {
    if let Some(problem) = no_scenario(path) {
        return Err(vec![format!("error: {}: {problem}", path.display())]);
    }
    let source = project.source(path).map_err(|error| vec![format!("error: {error}")])?;
    let (section, name) = place(path);
    scenario::read(source.clone(), section, &name, world).map_err(|found| rendered(&found, &[source]))
}

/// Why a file is not even meant as a scenario.
fn no_scenario(path: &Path) -> Option<&'static str> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if BESIDE.contains(&&*name) {
        return Some("this is no scenario; `harness lint` without files checks it, and the scenarios by it");
    }
    (!is_toml(path)).then_some("this is no scenario: those are TOML, in files that end with .toml")
}

fn place(path: &Path) -> (Section, String) {
    let whole = path.canonicalize().unwrap_or_else(|_| PathBuf::from(path));
    scenario::place_of(&whole.display().to_string()).unwrap_or_else(|| {
        let name = whole.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        (Section::Functional, name)
    })
}

/// Mistakes as people read them, each under its line. Whoever prints them decides on the colours.
fn rendered(mistakes: &[Diagnostic], sources: &[Source]) -> Vec<String> {
    let shown = mistakes.iter().map(|mistake| match sources.iter().find(|source| source.path == mistake.path) {
        Some(source) => mistake.render(source, true),
        None => format!("error: {}: {}", mistake.path, mistake.message),
    });
    shown.collect()
}

fn report(scenarios: &[Scenario], mistakes: &[String]) -> Result<Exit> {
    if !mistakes.is_empty() {
        print(&format!("{}\n\n{}\n", mistakes.join("\n\n"), counted(mistakes.len(), "mistake")))?;
        return Ok(Exit::Usage);
    }
    let trials: Vec<_> = scenarios.iter().flat_map(|scenario| &scenario.trials).collect();
    let skipped_count = trials.iter().filter(|trial| trial.lacks.is_some()).count();
    let of_them =
        if skipped_count > 0 { format!(", of which {skipped_count} would be skipped") } else { String::new() };
    let counts = (counted(scenarios.len(), "scenario"), counted(trials.len(), "trial"));
    print(&format!("{}, {}{of_them}: no mistakes\n", counts.0, counts.1))?;
    print(&skipped(scenarios))?;
    Ok(Exit::Passed)
}

/// The trials that cannot be run on somebody else's generation, each with the reason.
fn skipped(scenarios: &[Scenario]) -> String {
    let of = |scenario: &Scenario| {
        let path = scenario.source.path.clone();
        let lacking = scenario.trials.iter().filter_map(|trial| trial.lacks.as_ref());
        lacking.map(move |reason| format!("skipped: {path}: {reason}\n")).collect::<String>()
    };
    scenarios.iter().map(of).collect()
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_section_and_name_where_it_has_them() {
        for (path, section, name) in [
            ("/nowhere/scenarios/failure/missing-secret.toml", Section::Failure, "missing-secret"),
            ("regression/x.toml", Section::Regression, "x"),
            ("/nowhere/draft.toml", Section::Functional, "draft"),
            ("draft", Section::Functional, "draft"),
        ] {
            assert_eq!(place(Path::new(path)), (section, name.to_owned()), "{path}");
        }
    }
}
