//! `harness run`

use clap::Parser;
use libtest_mimic::Arguments;

use crate::event::Event;
use crate::image::tools;
use crate::report::Style;
use crate::run::{Error, Recorder, Result};
use crate::scenario::Time;

use super::Exit;
use super::arguments::{Environment, RunArguments, TimeChoice};
use super::output::{Output, unsettled};
use super::plan::{Matrix, Selection};
use super::print::print;
use super::session;
use super::suite::{Suite, SuiteOptions};

/// Runs trials.
pub fn run(arguments: &RunArguments) -> Result<Exit> {
    if arguments.install {
        install()?;
    }
    let project = session::project(&arguments.system)?;
    let out = arguments.out.clone().unwrap_or_else(|| project.root().join("out"));
    let only = if arguments.last_failed { Some(last_failed(&out)?) } else { None };
    let mut matrix = Matrix::read(&project)?;
    let mut style = style();
    let time = arguments.time.map(|choice| match choice {
        TimeChoice::Virtual => Time::Virtual,
        TimeChoice::Real => Time::Real,
    });
    if let Some(time) = time {
        matrix.pass_time(time);
        style.options = vec!["--time".to_owned(), time.name().to_owned()];
    }
    // A name that a report shows with its fault is selected as it stands there.
    let with_fault = |names: &[String]| names.iter().any(|name| name.contains("[broken-by "));
    let broken = arguments.broken || with_fault(&arguments.filters) || only.as_deref().is_some_and(with_fault);
    let planned = matrix.select(&Selection {
        filters: arguments.filters.clone(),
        exact: arguments.exact,
        skip: arguments.skip.clone(),
        host: arguments.host.clone(),
        broken,
        repeat: arguments.repeat_each,
        only,
        shard: arguments.shard,
    })?;
    if let Some(time) = time.filter(|time| planned.iter().all(|planned| planned.scenario.hardware.time != *time)) {
        let problem =
            format!("`--time {}` changes nothing: all that is selected says itself how time passes", time.name());
        return Err(Error::Usage(problem));
    }
    if arguments.list {
        print(&planned.iter().map(|planned| format!("{}: test\n", planned.unique())).collect::<String>())?;
        return Ok(Exit::Passed);
    }
    arguments.junit.as_deref().map_or(Ok(()), Output::can_write)?;
    let libtest = Arguments { test_threads: arguments.jobs, ..Arguments::default() };
    let suite = Suite::open(project, matrix, SuiteOptions { out, keep: arguments.keep, style, libtest })?;
    suite.run(planned, arguments.junit.as_deref())
}

/// Runs trials as `cargo test` and `cargo nextest run` ask for them: the main function of a test target.
pub fn test_main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    match test(&arguments) {
        // To cargo and nextest a trial that is ignored, with its reason, is no failure.
        Ok(Exit::Skipped) => Exit::Passed.into(),
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("error: {error}");
            Exit::of(&error).into()
        }
    }
}

fn test(arguments: &Arguments) -> Result<Exit> {
    let environment = Environment::try_parse_from(["harness"]).map_err(|error| Error::Usage(error.to_string()))?;
    let project = session::project(&environment.system)?;
    let matrix = Matrix::read(&project)?;
    let planned = matrix.select(&Selection { repeat: 1, ..Selection::default() })?;
    if arguments.list {
        // No machine, no output folder, no image: listing is for tools that only want the names.
        let nothing = |planned: &super::plan::Planned| libtest_mimic::Trial::test(planned.unique(), || Ok(()));
        let _listed = libtest_mimic::run(arguments, planned.iter().map(nothing).collect());
        return Ok(Exit::Passed);
    }
    let wanted = |name: &str| {
        let fits = |part: &String| if arguments.exact { name == part } else { name.contains(part.as_str()) };
        arguments.filter.as_ref().is_none_or(fits) && !arguments.skip.iter().any(fits)
    };
    let planned: Vec<_> = planned.into_iter().filter(|planned| wanted(&planned.unique())).collect();
    if planned.is_empty() || arguments.ignored {
        // A filter that is meant for another test target of the same `cargo test`.
        let _none = libtest_mimic::run(arguments, Vec::new());
        return Ok(Exit::Passed);
    }
    let out = project.root().join("out");
    let libtest = arguments.clone();
    let suite = Suite::open(project, matrix, SuiteOptions { out, keep: false, style: style(), libtest })?;
    suite.run(planned, None)
}

/// Installs what the host lacks, or says how.
pub fn install() -> Result<()> {
    let recorder = Recorder::new(|event| {
        if let Event::Progress { message, .. } = event {
            anstream::eprintln!("host tools: {message}");
        }
    });
    Ok(tools::install(&recorder.task("host tools"))?)
}

/// How people at this terminal see messages, and how they called the program.
pub fn style() -> Style {
    use std::io::IsTerminal;
    let colored = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    // Under cargo the program is started by cargo's own command; elsewhere by its name.
    let program = if std::env::var_os("CARGO").is_some() { "cargo run --release --" } else { "harness" };
    Style { colored, program: program.to_owned(), options: Vec::new() }
}

fn last_failed(out: &std::path::Path) -> Result<Vec<String>> {
    let latest = Output::latest(out)?;
    let names = unsettled(&latest.read_events()?);
    if names.is_empty() {
        let folder = latest.folder().display();
        return Err(Error::Usage(format!("nothing failed, broke or is unfinished in the last run, {folder}")));
    }
    Ok(names)
}
