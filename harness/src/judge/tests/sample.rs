//! Recordings in few words. Times are seconds of guest time.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::judge::{Judgement, Noise, judge};
use crate::scenario::Trial;
use crate::timeline::{
    ActionDone, ContainerState, Entry, Header, Moment, Picture, Record, Remains, Timeline, UnitState,
};

/// A recording as it grows: the picture follows what happens.
#[derive(Clone)]
pub struct Sample {
    pub timeline: Timeline,
    pub picture: Picture,
    now: Moment,
    sequence: u64,
    step: Option<usize>,
}

impl Sample {
    /// Two stacks at rest, ready for a step at second 100.
    pub fn ready() -> Self {
        Self::ready_with(|_| {})
    }

    /// [`Sample::ready`], with something else in the first picture.
    pub fn ready_with(change: impl FnOnce(&mut Picture)) -> Self {
        let mut picture = at_rest();
        change(&mut picture);
        let mut sample = Self {
            timeline: Timeline { header: Header::default(), entries: vec![] },
            picture,
            now: Moment { boot: 0, micros: 0 },
            sequence: 10,
            step: None,
        };
        sample.clock(90.0);
        sample.take_picture();
        sample.add(Entry::Ready { at: sample.now });
        sample
    }

    /// A recording in which one step has begun, and its action took from 100 to 101.
    pub fn acted() -> Self {
        Self::ready().at(100.0).step().acts(1.0)
    }

    pub fn add(&mut self, entry: Entry) {
        self.timeline.entries.push(entry);
    }

    fn clock(&mut self, seconds: f64) {
        self.now.micros = Duration::from_secs_f64(seconds).as_micros() as u64;
    }

    pub fn at(mut self, seconds: f64) -> Self {
        self.clock(seconds);
        self
    }

    pub fn step(mut self) -> Self {
        let step = self.step.map_or(0, |step| step + 1);
        self.step = Some(step);
        let at = self.now;
        self.add(Entry::Step { step, at });
        self
    }

    pub fn acts(self, seconds: f64) -> Self {
        self.action(seconds, |_| {})
    }

    pub fn action(mut self, seconds: f64, change: impl FnOnce(&mut ActionDone)) -> Self {
        let from = self.now;
        self.now.micros += (seconds * 1e6) as u64;
        let is_same = |entry: &&Entry| matches!(entry, Entry::Action(done) if done.step == self.step);
        let mut done = ActionDone {
            step: self.step,
            index: self.timeline.entries.iter().filter(is_same).count(),
            command: "systemctl --user start a-stack.service".into(),
            from,
            to: self.now,
            exit: 0,
            stdout: String::new(),
            stderr: String::new(),
            timed_out: false,
        };
        change(&mut done);
        self.add(Entry::Action(done));
        self
    }

    pub fn boot(mut self) -> Self {
        self.now = Moment { boot: self.now.boot + 1, micros: 1_000_000 };
        let at = self.now;
        self.add(Entry::Boot { at });
        self
    }

    pub fn record(mut self, fields: &[(&str, &str)]) -> Self {
        self.sequence += 1;
        let given = fields.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let mut fields: BTreeMap<String, String> = given.collect();
        fields.insert("__SEQNUM".into(), self.sequence.to_string());
        let at = self.now;
        self.add(Entry::Journal(Record { at, fields }));
        self
    }

    pub fn says(self, unit: &str, message: &str) -> Self {
        self.record(&[("_SYSTEMD_USER_UNIT", unit), ("MESSAGE", message), ("PRIORITY", "6")])
    }

    pub fn alert(self, text: &str) -> Self {
        self.alert_answered(text, "200")
    }

    pub fn alert_answered(self, text: &str, status: &str) -> Self {
        self.record(&[
            ("SYSLOG_IDENTIFIER", "alert-receiver"),
            ("ALERT_TITLE", "failure"),
            ("ALERT_MESSAGE", text),
            ("ALERT_PRIORITY", "8"),
            ("ALERT_STATUS", status),
        ])
    }

    pub fn exec(mut self, arguments: &str) -> Self {
        let arguments = arguments.split(' ').map(str::to_owned).collect();
        let at = self.now;
        self.add(Entry::Exec { at, arguments });
        self
    }

    fn manager(self, unit: &str, id: &str, message: &str, result: &str) -> Self {
        self.record(&[
            ("USER_UNIT", unit),
            ("MESSAGE_ID", id),
            ("MESSAGE", message),
            ("JOB_RESULT", result),
            ("UNIT_RESULT", result),
        ])
    }

    pub fn starting(self, unit: &str) -> Self {
        let sample = self.manager(unit, "7d4958e842da4a758f6c1cdc7b36dcc5", "Starting…", "");
        sample.becomes(unit, "activating", "start", "success")
    }

    pub fn started(self, unit: &str) -> Self {
        let sample = self.manager(unit, "39f53479d3a045ac8e11786248231fbf", "Finished it.", "done");
        sample.becomes(unit, "active", "exited", "success")
    }

    /// A service that has a process now, as against one whose program has finished.
    pub fn running(self, unit: &str) -> Self {
        let sample = self.manager(unit, "39f53479d3a045ac8e11786248231fbf", "Started it.", "done");
        sample.becomes(unit, "active", "running", "success")
    }

    pub fn failed(self, unit: &str, result: &str) -> Self {
        let sample = self.manager(unit, "d9b373ed55a64feb8242e02dbe79a49c", "Failed.", result);
        sample.becomes(unit, "failed", "failed", result)
    }

    pub fn deactivated(self, unit: &str) -> Self {
        let id = "7ad2d189f7e94e70a38c781354912448";
        let sample = self.manager(unit, id, "Deactivated successfully.", "");
        sample.becomes(unit, "inactive", "dead", "success")
    }

    pub fn stopped(self, unit: &str) -> Self {
        let sample = self.manager(unit, "9d1aaa27d60140bd96365438aad20286", "Stopped.", "done");
        sample.becomes(unit, "inactive", "dead", "success")
    }

    /// A change in the picture, without a record.
    pub fn becomes(mut self, name: &str, active: &str, sub: &str, result: &str) -> Self {
        let micros = self.now.micros;
        let state = self.state(name);
        (state.active, state.sub, state.result) = (active.into(), sub.into(), result.into());
        state.state_change = micros;
        if active == "active" {
            state.active_enter = micros;
        }
        self
    }

    pub fn state(&mut self, name: &str) -> &mut UnitState {
        self.picture.units.iter_mut().find(|state| state.name == name).unwrap()
    }

    pub fn in_picture(mut self, change: impl FnOnce(&mut Picture)) -> Self {
        change(&mut self.picture);
        self
    }

    pub fn of_container(mut self, name: &str, change: impl FnOnce(&mut ContainerState)) -> Self {
        let mut containers = self.picture.containers.iter_mut();
        change(containers.find(|container| container.name == name).unwrap());
        self
    }

    pub fn take_picture(&mut self) {
        let (step, at, picture) = (self.step, self.now, self.picture.clone());
        self.add(Entry::Picture { step, at, picture });
    }

    pub fn barrier(mut self) -> Self {
        let (step, at) = (self.step, self.now);
        self.add(Entry::Barrier { step, at });
        self
    }

    /// The end of a step: picture and barrier.
    pub fn end(mut self, seconds: f64) -> Self {
        self.clock(seconds);
        self.take_picture();
        self.barrier()
    }

    pub fn judge(&self, trial: &Trial) -> Judgement {
        judge(trial, &self.timeline, &[])
    }

    pub fn judge_with(&self, trial: &Trial, noise: &str) -> Judgement {
        judge(trial, &self.timeline, &Noise::parse_all(noise).unwrap())
    }
}

fn remains() -> Remains {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Remains {
        paths: texts(&["/etc/stacks/a", "/etc/stacks/b", "/run/user/1000/a.env", "/run/user/1000/b.env", "/tmp"]),
        processes: texts(&["systemd of init.scope"]),
        networks: texts(&["a_default", "b_default"]),
        volumes: texts(&["a_data", "b_data"]),
        images: BTreeMap::from([("image-a".into(), "aaaa".into()), ("image-b".into(), "bbbb".into())]),
    }
}

fn at_rest() -> Picture {
    let unit = |name: &str, active: &str, sub: &str| UnitState {
        scope: "user".into(),
        name: name.into(),
        load: "loaded".into(),
        active: active.into(),
        sub: sub.into(),
        result: "success".into(),
        invocation: format!("{name}-1"),
        active_enter: 50_000_000,
        state_change: 50_000_000,
        ..UnitState::default()
    };
    let container = |stack: &str, name: &str| ContainerState {
        id: name.repeat(8),
        name: name.into(),
        image: format!("image-{stack}"),
        state: "running".into(),
        health: "healthy".into(),
        started: "2026-01-01T00:00:00Z".into(),
        labels: BTreeMap::from([
            ("com.docker.compose.project".into(), stack.into()),
            ("com.docker.compose.service".into(), name.into()),
        ]),
        environment: BTreeMap::from([("TOKEN".into(), "t".into())]),
        ..ContainerState::default()
    };
    Picture {
        units: vec![
            unit("a-stack.service", "active", "exited"),
            unit("b-stack.service", "active", "exited"),
            unit("podman.service", "active", "running"),
            unit("podman.socket", "active", "listening"),
        ],
        containers: vec![container("a", "a-web"), container("b", "b-web")],
        files: vec![],
        sockets: vec!["tcp *:80".into()],
        remains: remains(),
    }
}
