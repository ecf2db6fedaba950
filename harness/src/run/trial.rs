//! One trial: clone, act, collect, judge.

use std::time::{Duration, Instant};

use crate::generation::{Delta, Fault};
use crate::guest::{self, Command, Guest, Looked, Settling, Wanted};
use crate::judge::{self, Judgement, Noise};
use crate::machine::Machine;
use crate::scenario::{Act, ActKind, Scenario, Step, Trial};
use crate::timeline::{ActionDone, Entry, Header, Moment, Record, Timeline};

use super::acts;
use super::installed::Installed;
use super::wanted::wanted;
use super::{Error, Folder, Origin, Prepared, Result, Workspace};

/// A trial that is to be run.
#[derive(Clone, Copy)]
pub struct TrialRun<'a> {
    /// The host's template and generation.
    pub prepared: &'a Prepared,
    /// Where its machine lives.
    pub workspace: &'a Workspace,
    /// The scenario.
    pub scenario: &'a Scenario,
    /// It on one host.
    pub trial: &'a Trial,
    /// What is wrong with the generation.
    pub fault: Option<&'a Fault>,
    /// What the journal may say in every trial.
    pub noise: &'a [Noise],
    /// The trial's name, for its timeline.
    pub name: &'a str,
}

/// A trial that was run.
#[derive(Debug)]
pub struct Finished {
    /// Everything that happened.
    pub timeline: Timeline,
    /// What is to be said about it.
    pub judgement: Judgement,
    /// Seconds of the host from the clone's start to the last verdict.
    pub host_seconds: f64,
    /// Seconds of guest time from the first picture to the last.
    pub guest_seconds: f64,
    /// What the console showed.
    pub console: String,
    /// The machine, where it is still there.
    pub machine: Option<(Machine, Folder)>,
}

/// How long a restarted guest may take to come to rest, in guest time.
const REST_DEADLINE: Duration = Duration::from_secs(900);
/// The first and the longest stretch of guest time that passes between two looks at the recording.
const PASSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

impl TrialRun<'_> {
    /// Runs the trial. What goes wrong on our side once the machine is there becomes part of the recording, whose
    /// judgement is then broken; what was recorded until then is kept.
    pub async fn run(&self) -> Result<Finished> {
        let begin = Instant::now();
        let (guest, folder) = self.prepared.guest(self.workspace).await?;
        let header = Header {
            trial: self.name.to_owned(),
            scenario: self.scenario.source.path.clone(),
            host: self.trial.host.clone(),
        };
        let timeline = Timeline { header, entries: Vec::new() };
        let mut recording = self.recording(guest, timeline)?;
        let judgement = match recording.record().await {
            Ok(judgement) => judgement,
            Err(error) => {
                // What has arrived and was not taken yet tells what came before.
                if let Ok(records) = recording.guest.follower().take() {
                    recording.extend(records);
                }
                recording.timeline.entries.push(Entry::Broken { reason: error.to_string() });
                recording.judge(self.trial.steps.len())
            }
        };
        let guest_seconds = recording.guest_seconds();
        let Recording { guest, timeline, .. } = recording;
        let console_bytes = std::fs::read(folder.path().join("console.log")).unwrap_or_default();
        Ok(Finished {
            timeline,
            judgement,
            host_seconds: begin.elapsed().as_secs_f64(),
            guest_seconds,
            console: String::from_utf8_lossy(&console_bytes).into_owned(),
            machine: Some((guest.into_machine(), folder)),
        })
    }

    /// Clones the host and does what the scenario gives, without its steps: for people who want to look around.
    pub async fn given(&self) -> Result<(Guest, Folder)> {
        let (guest, folder) = self.prepared.guest(self.workspace).await?;
        let mut recording = self.recording(guest, Timeline::default())?;
        recording.give().await?;
        Ok((recording.guest, folder))
    }

    fn recording(&self, guest: Guest, timeline: Timeline) -> Result<Recording<'_>> {
        let generation = &self.prepared.generation;
        let whole = match self.fault {
            Some(fault) => fault.apply(generation, self.trial.stack.as_deref())?,
            None => generation.clone(),
        };
        Ok(Recording { run: *self, guest, installed: Installed::base(whole), timeline, first: None, now: None })
    }
}

/// A trial in progress.
struct Recording<'a> {
    run: TrialRun<'a>,
    guest: Guest,
    installed: Installed,
    timeline: Timeline,
    first: Option<Moment>,
    now: Option<Moment>,
}

impl Recording<'_> {
    async fn record(&mut self) -> Result<Judgement> {
        self.give().await?;
        let trial = self.run.trial;
        let wanted = wanted(trial, &self.run.prepared.generation.manifest);
        let looked = self.first_look(&wanted).await?;
        let at = looked.barrier;
        self.looked(None, looked);
        self.first = Some(at);
        self.push(Entry::Ready { at });
        for (index, step) in trial.steps.iter().enumerate() {
            self.step(index, step, &wanted).await?;
            if self.run.fault.is_some() {
                let judgement = self.judge(index + 1);
                if judgement.noticed().is_some() {
                    return Ok(judgement);
                }
            }
        }
        Ok(self.judge(trial.steps.len()))
    }

    /// The picture before the first step. A clone that nobody has touched looks like its template.
    async fn first_look(&mut self, wanted: &Wanted) -> Result<Looked> {
        let is_untouched = self.run.fault.is_none() && self.run.trial.given.is_empty();
        Ok(match &self.run.prepared.origin {
            Origin::Template(baked) if is_untouched => self.guest.look_on(&baked.picture, wanted).await?,
            _ => self.guest.look(wanted).await?,
        })
    }

    fn judge(&self, steps: usize) -> Judgement {
        judge::judge_steps(self.run.trial, steps, &self.timeline, self.run.noise)
    }

    /// Puts the fault in and does what the scenario gives, before anything is looked at.
    async fn give(&mut self) -> Result<()> {
        self.install_fault().await?;
        for (index, given) in self.run.trial.given.iter().enumerate() {
            self.act(None, index, given).await?;
        }
        Ok(())
    }

    async fn step(&mut self, index: usize, step: &Step, wanted: &Wanted) -> Result<()> {
        let at = self.guest.now().await?;
        self.push(Entry::Step { step: index, at });
        for (position, action) in step.when.iter().enumerate() {
            self.act(Some(index), position, action).await?;
        }
        // A picture can correct what the records made believe: a oneshot that "finished" may not have become active. What
        // it opens again gets its time, and another picture.
        for _ in 0..2 {
            let horizon = self.wait(index).await?;
            self.pass_until(horizon).await?;
            let looked = self.guest.look(wanted).await?;
            self.looked(Some(index), looked);
            if !self.is_open(index) {
                break;
            }
        }
        Ok(())
    }

    /// Whether a line of the step can still be decided by what happens next.
    fn is_open(&self, step: usize) -> bool {
        let progress = judge::progress(self.run.trial, step, &self.timeline);
        let mut open = progress.undecided.iter().filter_map(|waiting| waiting.until);
        open.any(|until| self.now.is_none_or(|now| now < until))
    }

    /// Lets guest time pass until nothing of the step can be decided by it any more; gives the time up to which its
    /// other lines want to have looked.
    async fn wait(&mut self, step: usize) -> Result<Moment> {
        let mut stretch = PASSES.0;
        loop {
            let progress = judge::progress(self.run.trial, step, &self.timeline);
            let open = progress.undecided.iter().filter_map(|waiting| waiting.until).max();
            let Some(until) = open.filter(|until| self.now.is_none_or(|now| now < *until)) else {
                return Ok(progress.horizon);
            };
            let left = self.now.map_or(stretch, |now| Duration::from_micros(until.micros.saturating_sub(now.micros)));
            self.pass(stretch.min(left.max(PASSES.0))).await?;
            stretch = (stretch * 2).min(PASSES.1);
        }
    }

    async fn pass_until(&mut self, moment: Moment) -> Result<()> {
        let Some(now) = self.now else { return Ok(()) };
        if now.boot == moment.boot && now < moment {
            // The clock that commands report has hundredths of a second.
            self.pass(Duration::from_micros(moment.micros - now.micros) + Duration::from_millis(20)).await?;
        }
        Ok(())
    }

    async fn pass(&mut self, time: Duration) -> Result<()> {
        let (records, now) = self.guest.pass(time).await?;
        self.extend(records);
        self.now = Some(now);
        Ok(())
    }

    async fn act(&mut self, step: Option<usize>, index: usize, action: &Act) -> Result<()> {
        let done = match (acts::command(&action.what)?, &action.what) {
            (Some(command), _) => self.ask(command).await?,
            (None, ActKind::Activate { generation, .. }) => {
                let command = self.switch(generation).await?;
                self.ask(command).await?
            }
            (None, what) => self.restart(what).await?,
        };
        let records = self.guest.follower().take()?;
        self.extend(records);
        self.push(Entry::Action(ActionDone { step, index, ..done }));
        Ok(())
    }

    async fn ask(&mut self, command: Command) -> Result<ActionDone> {
        let answer = self.guest.command(&command.script, command.account, command.limit).await?;
        self.now = Some(answer.to);
        Ok(ActionDone {
            step: None,
            index: 0,
            command: command.shown,
            from: answer.from,
            to: answer.to,
            exit: answer.exit,
            stdout: answer.stdout,
            stderr: answer.stderr,
            timed_out: answer.timed_out,
        })
    }

    /// Lays another generation over the one that is there; gives the command that activates it.
    async fn switch(&mut self, generation: &str) -> Result<Command> {
        let prepared = self.run.prepared;
        if prepared.kind.switch.is_some() && self.run.fault.is_some() {
            let problem = "a fault cannot be put into a variant of this kind of guest, whose files are its own";
            return Err(Error::Usage(problem.to_owned()));
        }
        let install = self.installed.switch_to(generation, prepared.kind, &prepared.secrets)?;
        if let Some(install) = install {
            self.guest.carry_out(&install).await?;
            self.write_out().await?;
        }
        let manifest = &self.installed.current().manifest;
        Ok(guest::activate(&manifest.activation, prepared.kind, &manifest.user, generation))
    }

    /// Restarts the guest and waits until it is at rest.
    async fn restart(&mut self, what: &ActKind) -> Result<ActionDone> {
        let from = self.guest.now().await?;
        self.guest.reboot(matches!(what, ActKind::Reboot)).await?;
        let boot = from.boot + 1;
        self.push(Entry::Boot { at: Moment { boot, micros: 0 } });
        let mut settling = Settling::default();
        let rested = guest::rest(&mut self.guest, REST_DEADLINE, &mut settling).await;
        self.extend(settling.records);
        self.timeline.entries.extend(settling.started);
        rested?;
        let to = self.guest.now().await?;
        self.now = Some(to);
        Ok(ActionDone {
            step: None,
            index: 0,
            command: acts::recorded_as(what)?,
            from,
            to,
            exit: 0,
            stdout: String::new(),
            stderr: String::new(),
            timed_out: false,
        })
    }

    async fn install_fault(&mut self) -> Result<()> {
        if self.run.fault.is_some() {
            let Prepared { generation, kind, .. } = self.run.prepared;
            let user = &generation.manifest.user;
            let install = (kind.replace)(&Delta::between(generation, self.installed.current()), &[], user)?;
            for command in [install, guest::reload_managers(kind, user)] {
                self.guest.carry_out(&command).await?;
            }
            self.write_out().await?;
        }
        Ok(())
    }

    /// What we install is on the disk: a power cut later in the trial must not take it away.
    async fn write_out(&mut self) -> Result<()> {
        self.guest.must("sync", Duration::from_secs(60)).await?;
        Ok(())
    }

    fn looked(&mut self, step: Option<usize>, looked: Looked) {
        self.extend(looked.records);
        self.timeline.entries.extend(looked.started);
        self.push(Entry::Picture { step, at: looked.at, picture: looked.picture });
        self.push(Entry::Barrier { step, at: looked.barrier });
        self.now = Some(looked.barrier);
    }

    fn extend(&mut self, records: Vec<Record>) {
        self.timeline.entries.extend(records.into_iter().map(Entry::Journal));
        self.timeline.attribute();
    }

    fn push(&mut self, entry: Entry) {
        self.timeline.entries.push(entry);
    }

    fn guest_seconds(&self) -> f64 {
        match (self.first, self.now) {
            (Some(first), Some(now)) if first.boot == now.boot => (now.micros - first.micros) as f64 / 1e6,
            (Some(_), Some(now)) => now.micros as f64 / 1e6,
            _ => 0.0,
        }
    }
}
