//! Runs selected trials through libtest-mimic and reports them: what `harness run` and `cargo test` share.

use std::collections::BTreeSet;
use std::fs;
use std::num::NonZero;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Instant;

use libtest_mimic::{Arguments, Completion, Conclusion, Failed};
use tokio::sync::Semaphore;

use crate::event::{Event, TrialFinished};
use crate::generation::Fault;
use crate::judge::{self, Judgement, Outcome};
use crate::machine::{Machine, Spec};
use crate::report::{EventLog, Style, Terminal, TerminalOptions, failure};
use crate::run::{Error, Finished, Folder, Hosts, Project, Result, Shape, TrialRun};
use crate::scenario::{Hardware, Source};
use crate::timeline::Timeline;

use super::needless::{Needless, Needs};
use super::output::{Output, SPEC};
use super::plan::{Matrix, Planned};
use super::print::say;
use super::{Exit, session};

/// A run that is about to begin.
pub struct Suite {
    hosts: Hosts,
    matrix: Matrix,
    output: Output,
    style: Style,
    keep: bool,
    outcomes: Mutex<Vec<Outcome>>,
    needs: Mutex<Needs>,
    /// One permit for each of the host's processors that machines may keep busy, whatever they are for.
    processors: Semaphore,
    /// How many permits there are.
    jobs: usize,
    /// What libtest-mimic is told.
    libtest: Arguments,
}

/// How a run is done and reported.
pub struct SuiteOptions {
    /// The folder below which each run gets its own.
    pub out: PathBuf,
    /// Whether failed machines are kept.
    pub keep: bool,
    /// How messages look.
    pub style: Style,
    /// What libtest-mimic is told. Its threads are how many machines run at once; as many as there are processors if
    /// not given.
    pub libtest: Arguments,
}

impl Suite {
    /// Opens the output folder and the cache.
    pub fn open(project: Project, matrix: Matrix, options: SuiteOptions) -> Result<Suite> {
        let output = Output::create(&options.out)?;
        let log = Mutex::new(EventLog::new(output.events()?));
        let terminal_options = TerminalOptions {
            style: options.style.clone(),
            quiet_trials: true,
            output: Some(output.folder().display().to_string()),
        };
        let terminal = Mutex::new(Terminal::new(anstream::stdout(), terminal_options));
        let begin = Instant::now();
        let hosts = session::open(project, move |event| {
            let written = log.lock().unwrap_or_else(PoisonError::into_inner).event(&event);
            let shown = terminal.lock().unwrap_or_else(PoisonError::into_inner).event(&event, begin.elapsed());
            // A full disk or a closed terminal must not end the trials that still run; the missing lines are said.
            if let Err(error) = written.and(shown) {
                say(&format!("warning: an event could not be reported: {error}"));
            }
        })?;
        let processors = || std::thread::available_parallelism().map_or(1, NonZero::get);
        let jobs = options.libtest.test_threads.unwrap_or_else(processors);
        Ok(Suite {
            hosts,
            matrix,
            output,
            style: options.style,
            keep: options.keep,
            outcomes: Mutex::new(Vec::new()),
            needs: Mutex::new(Needs::default()),
            processors: Semaphore::new(jobs),
            jobs,
            libtest: options.libtest,
        })
    }

    /// Runs trials and gives the exit code that their outcomes deserve.
    pub fn run(self, planned: Vec<Planned>, junit: Option<&Path>) -> Result<Exit> {
        let recorder = Arc::clone(self.hosts.recorder());
        // Whatever an interruption has made fail, it is no fault of ours.
        self.run_all(planned, junit).map_err(|error| recorder.unless_interrupted(error))
    }

    fn run_all(self, planned: Vec<Planned>, junit: Option<&Path>) -> Result<Exit> {
        let begin = Instant::now();
        let mut accelerator = match planned.iter().find(|planned| planned.skip.is_none()) {
            Some(first) => self.hosts.accelerator(&first.host().host)?.reason,
            None => "no machine is needed: everything is skipped".to_owned(),
        };
        if !self.style.options.is_empty() {
            accelerator = format!("{accelerator}; {}", self.style.options.join(" "));
        }
        self.output.becomes_latest()?;
        self.hosts.emit(Event::RunStarted {
            at: jiff::Timestamp::now().to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            trials: planned.iter().map(Planned::label).collect(),
            accelerator,
        });
        let suite = Arc::new(self);
        let bakes = suite.bakes(&planned)?;
        let count = planned.len();
        let trials = planned.into_iter().map(|planned| Suite::trial(&suite, planned)).collect();
        let lost = std::thread::scope(|scope| {
            let baking = suite.bake(scope, &bakes)?;
            if suite.jobs == 1 {
                // Nothing can run beside it, and the trials' lines would be mixed with its own.
                baking.into_iter().for_each(|thread| drop(thread.join()));
            }
            // It panics when standard output is closed; what was run until then is reported all the same.
            let run = || libtest_mimic::run(&suite.libtest, trials);
            let conclusion = std::panic::catch_unwind(AssertUnwindSafe(run)).ok();
            if conclusion.is_none() {
                say("warning: nobody reads what this run prints; its reports have the trials that it has done");
            }
            Ok::<_, Error>(suite.lost(conclusion.as_ref(), count))
        })?;
        let seconds = begin.elapsed().as_secs_f64();
        let needless = suite.needless()?;
        let has_needless_noise = !needless.noise.is_empty();
        suite.hosts.emit(Event::RunFinished {
            at: jiff::Timestamp::now().to_string(),
            seconds,
            needless: needless.sentences(),
        });
        let sources: Vec<Source> = suite.matrix.scenarios.iter().map(|scenario| scenario.source.clone()).collect();
        suite.output.write_reports(&sources, &suite.style, junit)?;
        if suite.hosts.recorder().is_interrupted() {
            return Ok(Exit::Interrupted);
        }
        let outcomes = suite.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let needless = has_needless_noise.then_some(Outcome::Failed);
        let lost = (lost > 0).then_some(Outcome::Broken);
        Ok(Exit::of_outcomes(outcomes.iter().copied().chain(needless).chain(lost)))
    }

    /// How many trials were begun and have no outcome: something of ours panicked in them. The conclusion knows only
    /// passed and failed; without one, all of `count` were to be run.
    fn lost(&self, conclusion: Option<&Conclusion>, count: usize) -> u64 {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let ran = conclusion.map_or(count, |found| found.num_passed + found.num_failed + found.num_ignored);
        let outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        ran.saturating_sub(u64::try_from(outcomes.len()).unwrap_or(u64::MAX))
    }

    /// What this run shows could be taken away. Scenarios and noise are not the author's own where the generation is
    /// somebody else's, and may be for other generations.
    fn needless(&self) -> Result<Needless> {
        let needs = self.needs.lock().unwrap_or_else(PoisonError::into_inner);
        if self.matrix.is_foreign() { Ok(Needless::default()) } else { needs.needless(&self.matrix) }
    }

    /// The templates that the selected trials need, in the order of the trials. What comes to the same template is one
    /// piece of work: the second to take it up would only wait.
    fn bakes(&self, planned: &[Planned]) -> Result<Vec<(String, Hardware)>> {
        let mut known = BTreeSet::new();
        let mut bakes = Vec::new();
        for planned in planned.iter().filter(|planned| planned.skip.is_none()) {
            let (host, hardware) = (&planned.host().host, planned.scenario.hardware);
            let accelerator = self.hosts.accelerator(host)?.accelerator;
            if known.insert((host, Shape::of(hardware, accelerator))) {
                bakes.push((host.clone(), hardware));
            }
        }
        Ok(bakes)
    }

    /// How many of the permits a host's machine takes: with one job, any machine runs.
    fn permits(&self, host: &str, hardware: Hardware) -> Result<u32> {
        let jobs = u32::try_from(self.jobs).unwrap_or(u32::MAX);
        Ok(self.hosts.processors(host, hardware)?.min(jobs))
    }

    /// Bakes beside each other, as the permits allow, and beside the trials of the hosts that are ready. Whoever asks for
    /// permits first has them first, so bakes go before trials, and no trial's time has a bake in it.
    fn bake<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        bakes: &[(String, Hardware)],
    ) -> Result<Vec<ScopedJoinHandle<'scope, ()>>> {
        let thread = |(host, hardware): (String, Hardware)| {
            let permits = self.permits(&host, hardware)?;
            let runtime = crate::run::runtime()?;
            Ok(scope.spawn(move || {
                let _processors = runtime.block_on(self.processors.acquire_many(permits));
                // Each trial that needs the host tells of an error for itself, and the others are run.
                let _error_is_kept = self.hosts.prepare(&host, hardware);
            }))
        };
        bakes.iter().cloned().map(thread).collect()
    }

    fn trial(suite: &Arc<Suite>, planned: Planned) -> libtest_mimic::Trial {
        let suite = Arc::clone(suite);
        libtest_mimic::Trial::ignorable_test(planned.unique(), move || suite.run_one(&planned))
    }

    fn run_one(&self, planned: &Planned) -> std::result::Result<Completion, Failed> {
        if self.hosts.recorder().is_interrupted() {
            return Ok(Completion::ignored_with("interrupted"));
        }
        self.hosts.emit(Event::TrialStarted { trial: planned.label() });
        let recorded = match &planned.skip {
            Some(reason) => Ok((planned.without_machine(Outcome::Skipped, reason.clone()), None)),
            None => self.record(planned),
        };
        let (finished, timeline) = match recorded {
            Ok(recorded) => recorded,
            Err(_) if self.hosts.recorder().is_interrupted() => return Ok(Completion::ignored_with("interrupted")),
            Err(error) => (planned.without_machine(Outcome::Broken, error.to_string()), None),
        };
        if let (Outcome::Passed, Some(timeline), Some(judgement)) = (finished.outcome, &timeline, &finished.judgement) {
            let mut needs = self.needs.lock().unwrap_or_else(PoisonError::into_inner);
            match planned.fault {
                None => needs.passed(planned, judge::needed(planned.host(), timeline, &self.matrix.noise)),
                Some(_) => needs.noticed(planned, judgement),
            }
        }
        let message = failure(&finished, &planned.scenario.source, timeline.as_ref(), &self.style);
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(finished.outcome);
        let outcome = finished.outcome;
        let reason = finished.reason.clone().unwrap_or_default();
        self.hosts.emit(Event::TrialFinished(finished));
        match outcome {
            Outcome::Passed => Ok(Completion::Completed),
            Outcome::Skipped => Ok(Completion::ignored_with(reason)),
            Outcome::Failed | Outcome::Broken => Err(message.into()),
        }
    }

    fn record(&self, planned: &Planned) -> Result<(TrialFinished, Option<Timeline>)> {
        let trial = planned.host();
        let prepared = self.hosts.prepare(&trial.host, planned.scenario.hardware)?;
        let permits = self.permits(&trial.host, planned.scenario.hardware)?;
        let name = planned.label();
        let run = TrialRun {
            prepared: &prepared,
            workspace: self.hosts.workspace(),
            scenario: &planned.scenario,
            trial,
            fault: planned.fault.as_deref(),
            noise: &self.matrix.noise,
            name: &name,
        };
        let folder = self.output.trial(&planned.unique())?;
        let work = async {
            let _processors = self.processors.acquire_many(permits).await;
            let mut finished = run.run().await?;
            let (outcome, _) = verdict(planned.fault.as_deref(), &finished.judgement);
            let wanted = self.keep && matches!(outcome, Outcome::Failed | Outcome::Broken);
            // Of a machine that cannot be frozen nothing can be kept: this was said when the host was prepared.
            let template = prepared.template().ok().filter(|_| wanted);
            // Before anything else can go wrong.
            Output::write_trial(&folder, &finished.timeline, &finished.console)?;
            let mut kept = false;
            if let Some((machine, place)) = finished.machine.take() {
                if let Some(template) = template {
                    kept = self.keep(machine, &place, &template.spec, &folder).await;
                } else {
                    machine.end().await?;
                }
            }
            Ok((finished, kept))
        };
        let runtime = crate::run::runtime()?;
        let (finished, kept) = runtime.block_on(self.hosts.recorder().until_interrupted(work))??;
        let finished_event = planned.finished(&finished, &folder, kept);
        Ok((finished_event, Some(finished.timeline)))
    }

    /// Keeps the machine of a trial that went wrong. That it cannot be kept changes nothing about the trial.
    async fn keep(&self, machine: Machine, place: &Folder, spec: &Spec, folder: &Path) -> bool {
        let work = async {
            machine.keep().await?;
            let spec = serde_json::to_string_pretty(spec).unwrap_or_default();
            keep(place.path(), &folder.join("machine"), &spec)
        };
        let result = work.await;
        if let Err(error) = &result {
            // Half a machine is of no use, and its memory may be what fills the disk.
            let _may_not_be_there = fs::remove_dir_all(folder.join("machine"));
            say(&format!("warning: a machine could not be kept: {error}"));
        }
        result.is_ok()
    }
}

impl Planned {
    fn finished(&self, finished: &Finished, folder: &Path, kept: bool) -> TrialFinished {
        let (outcome, reason) = verdict(self.fault.as_deref(), &finished.judgement);
        TrialFinished {
            trial: self.label(),
            title: self.scenario.title.clone(),
            scenario: self.scenario.source.path.clone(),
            proves: self.scenario.proves.clone(),
            outcome,
            reason,
            judgement: Some(finished.judgement.clone()),
            host_seconds: finished.host_seconds,
            guest_seconds: finished.guest_seconds,
            slow: self.scenario.slow.clone(),
            folder: Some(folder.display().to_string()),
            kept,
        }
    }

    /// A trial that did not even begin.
    fn without_machine(&self, outcome: Outcome, reason: String) -> TrialFinished {
        TrialFinished {
            trial: self.label(),
            title: self.scenario.title.clone(),
            scenario: self.scenario.source.path.clone(),
            proves: self.scenario.proves.clone(),
            outcome,
            reason: Some(reason),
            judgement: None,
            host_seconds: 0.0,
            guest_seconds: 0.0,
            slow: None,
            folder: None,
            kept: false,
        }
    }
}

/// How a trial ended. With a fault in its generation it passes only if a line that the scenario marks went red.
pub fn verdict(fault: Option<&Fault>, judgement: &Judgement) -> (Outcome, Option<String>) {
    let Some(fault) = fault else { return (judgement.outcome, None) };
    match judgement.outcome {
        Outcome::Failed => match judgement.noticed() {
            Some(verdict) => (Outcome::Passed, Some(format!("noticed: {}", verdict.observed))),
            None => (
                Outcome::Failed,
                Some(format!(
                    "fault `{}` ({}) turned the trial red, but at no line marked `red = true`",
                    fault.id, fault.says
                )),
            ),
        },
        Outcome::Passed => {
            (Outcome::Failed, Some(format!("fault `{}` ({}) went unnoticed: the trial passed", fault.id, fault.says)))
        }
        other => (other, None),
    }
}

/// Moves what a kept machine needs to the trial's folder.
fn keep(from: &Path, to: &Path, spec: &str) -> Result<()> {
    fs::create_dir_all(to).map_err(Error::io("create", to))?;
    for entry in fs::read_dir(from).map_err(Error::io("list", from))? {
        let entry = entry.map_err(Error::io("list", from))?;
        if entry.file_type().map_err(Error::io("look at", entry.path()))?.is_file() {
            let target = to.join(entry.file_name());
            fs::copy(entry.path(), &target).map_err(Error::io("copy a kept machine to", target))?;
        }
    }
    let path = to.join(SPEC);
    fs::write(&path, spec).map_err(Error::io("write", path))
}
