//! Small events, timelines and judgements for the tests of this module.

use std::collections::BTreeMap;

use crate::event::{Event, TrialFinished};
use crate::judge::{Judgement, Outcome, Subject, Verdict, VerdictResult};
use crate::scenario::Source;
use crate::timeline::{ActionDone, Entry, Moment, Picture, Record, Timeline};

use super::Style;

pub(super) const TRIAL: &str = "igpu::failure::missing-secret-fails-hard";
pub(super) const UNIT: &str = "jellyfin-stack.service";
pub(super) const UNIT_STARTING: &str = "7d4958e842da4a758f6c1cdc7b36dcc5";
pub(super) const UNIT_FAILURE_RESULT: &str = "d9b373ed55a64feb8242e02dbe79a49c";

const SCENARIO: &str = r#"title  = "A missing secret stops the stack"
proves = ["B21", "B26"]

[[step]]
when = { start = "@unit", expect-failure = true }
then = [
  { unit = "@unit", enters = "failed", result = "exit-code", within = "20s" },
  { journal = "@unit", text = "missing-secret", times = 1 },
]
"#;

pub(super) fn plain() -> Style {
    Style { colored: false, program: "cargo run --release --".to_owned(), options: Vec::new() }
}

pub(super) fn source() -> Source {
    Source { path: "scenarios/failure/missing-secret-fails-hard.toml".to_owned(), text: SCENARIO.into() }
}

/// Where a piece of text stands in the sample scenario.
pub(super) fn span(piece: &str) -> Option<(usize, usize)> {
    SCENARIO.find(piece).map(|at| (at, at + piece.len()))
}

/// A moment of the first boot.
pub(super) fn at(seconds: f64) -> Moment {
    Moment { boot: 0, micros: (seconds * 1e6) as u64 }
}

/// A timeline that grows entry by entry.
#[derive(Default)]
pub(super) struct Recording(Timeline);

impl Recording {
    pub(super) fn entry(mut self, entry: Entry) -> Self {
        self.0.entries.push(entry);
        self
    }

    pub(super) fn record(self, seconds: f64, fields: &[(&str, &str)]) -> Self {
        let fields: BTreeMap<String, String> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.entry(Entry::Journal(Record { at: at(seconds), fields }))
    }

    pub(super) fn manager(self, seconds: f64, unit: &str, id: &str, message: &str) -> Self {
        let fields = [("USER_UNIT", unit), ("SYSLOG_IDENTIFIER", "systemd"), ("MESSAGE_ID", id), ("MESSAGE", message)];
        self.record(seconds, &fields)
    }

    pub(super) fn process(self, seconds: f64, unit: &str, message: &str) -> Self {
        let fields =
            [("_SYSTEMD_USER_UNIT", unit), ("SYSLOG_IDENTIFIER", "bash"), ("_PID", "812"), ("MESSAGE", message)];
        self.record(seconds, &fields)
    }

    pub(super) fn done(self) -> Timeline {
        self.0
    }
}

/// A start that fails for another reason than the one that is expected.
pub(super) fn timeline() -> Timeline {
    let health_check = format!("{}-1f.service", "a".repeat(64));
    Recording::default()
        .entry(Entry::Ready { at: at(100.0) })
        .entry(Entry::Step { step: 0, at: at(100.5) })
        .manager(100.52, UNIT, UNIT_STARTING, "Starting jellyfin stack...")
        .manager(101.0, &health_check, UNIT_STARTING, "Starting health check...")
        .process(101.8, UNIT, "ERROR: no such secret\n\x1b[31mred\x1b[0m")
        .manager(102.25, UNIT, UNIT_FAILURE_RESULT, "Failed with result 'timeout'.")
        .entry(Entry::Action(ActionDone {
            step: Some(0),
            index: 0,
            command: format!("systemctl --user start {UNIT}"),
            from: at(100.5),
            to: at(102.4),
            exit: 1,
            stdout: String::new(),
            stderr: "Job for jellyfin-stack.service failed.\n".to_owned(),
            timed_out: false,
        }))
        .entry(Entry::Barrier { step: Some(0), at: at(106.0) })
        .entry(Entry::Picture { step: Some(0), at: at(106.1), picture: Picture::default() })
        .entry(Entry::Boot { at: Moment { boot: 1, micros: 0 } })
        .entry(Entry::Broken { reason: "the guest stopped answering; see its console".to_owned() })
        .done()
}

pub(super) fn verdict(result: VerdictResult, index: usize, piece: &str) -> Verdict {
    Verdict {
        subject: Subject::Line { step: 0, index, red: false },
        span: span(piece),
        result,
        expected: format!("{UNIT} enters failed with result exit-code within 20 s"),
        observed: "it entered failed with result timeout".to_owned(),
        nearest: Some("failed (timeout) at +1.750 s".to_owned()),
        evidence: vec![5],
        at: Some(at(102.25)),
    }
}

/// How a trial ended, with the verdicts that did not pass.
pub(crate) fn finished(trial: &str, outcome: Outcome, verdicts: Vec<Verdict>) -> TrialFinished {
    TrialFinished {
        trial: trial.to_owned(),
        title: "A missing secret stops the stack".to_owned(),
        scenario: source().path,
        proves: vec!["B21".to_owned(), "B26".to_owned()],
        outcome,
        reason: None,
        judgement: Some(Judgement { outcome, verdicts }),
        host_seconds: 21.5,
        guest_seconds: 6.1,
        folder: Some(format!("out/2026-11-22T01-02-03/{}", trial.replace("::", "/"))),
        slow: None,
        kept: false,
    }
}

pub(super) fn failed() -> TrialFinished {
    let line = r#"{ unit = "@unit", enters = "failed", result = "exit-code", within = "20s" }"#;
    finished(TRIAL, Outcome::Failed, vec![verdict(VerdictResult::Failed, 0, line)])
}

pub(super) fn broken() -> TrialFinished {
    TrialFinished {
        reason: Some("The guest's journal has a gap between records 812 and 815.".to_owned()),
        judgement: None,
        ..finished("igpu::functional::boot", Outcome::Broken, Vec::new())
    }
}

/// A run with every kind of end.
pub(super) fn events() -> Vec<Event> {
    let skipped = TrialFinished {
        reason: Some("doc1 needs 4 GiB of memory, this machine has 2 GiB".to_owned()),
        judgement: None,
        folder: None,
        host_seconds: 0.0,
        guest_seconds: 0.0,
        ..finished("doc1::functional::boot", Outcome::Skipped, Vec::new())
    };
    let flaky = "igpu::regression::stop-keeps-containers";
    let ends = [
        finished("igpu::failure::unreadable", Outcome::Passed, Vec::new()),
        failed(),
        broken(),
        skipped,
        TrialFinished { trial: flaky.to_owned(), ..failed() },
        finished(flaky, Outcome::Passed, Vec::new()),
    ];
    let mut trials: Vec<String> = ends.iter().map(|end| end.trial.clone()).collect();
    trials.dedup();
    trials.push("igpu::regression::never-ran".to_owned());
    let mut events = vec![
        Event::RunStarted {
            at: "2026-11-22T01:02:03Z".to_owned(),
            version: "0.1.0".to_owned(),
            trials,
            accelerator: "software emulation, virtual time".to_owned(),
        },
        Event::Progress { task: "bake igpu".to_owned(), message: "waiting for jellyfin-stack.service".to_owned() },
        Event::TrialStarted { trial: "igpu::failure::unreadable".to_owned() },
    ];
    events.extend(ends.map(Event::TrialFinished));
    events.push(Event::RunFinished { at: "2026-11-22T01:04:03Z".to_owned(), seconds: 120.04, needless: Vec::new() });
    events
}
