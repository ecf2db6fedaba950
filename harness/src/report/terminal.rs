//! A run as it goes on, for the person in front of it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::event::{Event, TrialFinished};

use super::Style;
use super::row::visible;
use super::standing::Standing;
use super::summary::{Ending, summary};

/// How often the live line moves while nothing happens.
const TICK: Duration = Duration::from_millis(200);

/// The live line.
const LIVE_LINE: &str = "{spinner} {elapsed:>4} {wide_msg}";

/// What a [`Terminal`] shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalOptions {
    /// Colours and the program's name.
    pub style: Style,
    /// Whether somebody else prints a line for each trial.
    pub quiet_trials: bool,
    /// The folder of the run's output, to be named at its end.
    pub output: Option<String>,
}

/// Shows events as they come: a line for each, or, on a terminal, one live line for all work that takes long.
#[derive(Debug)]
pub struct Terminal<W: Write> {
    out: W,
    options: TerminalOptions,
    live: Option<ProgressBar>,
    /// What each task did last, so that nothing is said twice.
    tasks: BTreeMap<String, String>,
    seen: Vec<Event>,
}

impl<W: Write> Terminal<W> {
    /// A reporter that writes lines to `out` and nothing else.
    pub fn new(out: W, options: TerminalOptions) -> Self {
        Self { out, options, live: None, tasks: BTreeMap::new(), seen: Vec::new() }
    }

    /// Shows progress in one live line on `target` instead of a line each. Choose it only where `target` is a terminal:
    /// elsewhere progress would not be seen at all.
    pub fn live(mut self, target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(None, target);
        // A test holds that the template is right; were it not, the bar would keep its own.
        if let Ok(style) = ProgressStyle::with_template(LIVE_LINE) {
            bar.set_style(style);
        }
        self.live = Some(bar);
        self
    }

    /// Shows one event, `elapsed` after the run began.
    ///
    /// # Errors
    ///
    /// Fails when the writer does.
    pub fn event(&mut self, event: &Event, elapsed: Duration) -> io::Result<()> {
        match event {
            Event::RunStarted { version, trials, accelerator, .. } => {
                let count = trials.len();
                let trials = if count == 1 { "trial" } else { "trials" };
                self.line(&format!("harness {version}: {count} {trials}; {accelerator}"))?;
            }
            Event::Progress { task, message } => self.progress(task, message, elapsed)?,
            Event::TrialStarted { .. } => self.rest(),
            Event::TrialFinished(finished) => self.finished(finished)?,
            Event::RunFinished { seconds, needless, .. } => {
                self.rest();
                let Self { seen, options, .. } = self;
                let ending = Ending { seconds: *seconds, needless, output: options.output.as_deref() };
                let text = summary(seen, &ending, &options.style);
                self.line(text.trim_end_matches('\n'))?;
            }
        }
        // Progress comes often and the summary needs none of it.
        if !matches!(event, Event::Progress { .. }) {
            self.seen.push(event.clone());
        }
        Ok(())
    }

    fn progress(&mut self, task: &str, message: &str, elapsed: Duration) -> io::Result<()> {
        let before = self.tasks.insert(task.to_owned(), message.to_owned());
        let text = visible(&format!("{task}: {message}"));
        let Some(bar) = &self.live else {
            if before.as_deref() == Some(message) {
                return Ok(());
            }
            return self.line(&format!("{:>7.1} s  {text}", elapsed.as_secs_f64()));
        };
        if bar.is_finished() {
            bar.reset();
        }
        if before.is_none() {
            bar.reset_elapsed();
        }
        bar.set_message(text);
        bar.enable_steady_tick(TICK);
        Ok(())
    }

    fn finished(&mut self, finished: &TrialFinished) -> io::Result<()> {
        self.rest();
        if self.options.quiet_trials {
            return Ok(());
        }
        let standing = Standing::from(finished.outcome);
        let word = self.options.style.word(standing);
        let reason = match &finished.reason {
            Some(reason) => format!(": {}", visible(reason)),
            None => String::new(),
        };
        let seconds = finished.host_seconds;
        self.line(&format!("{word} {} ({seconds:.1} s){reason}", finished.trial))
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        let out = &mut self.out;
        let mut write = || {
            writeln!(out, "{text}")?;
            out.flush()
        };
        match &self.live {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Takes the live line away until the next progress: what it says is over, or others write to the terminal now.
    fn rest(&self) {
        if let Some(bar) = &self.live {
            bar.disable_steady_tick();
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{events, finished, plain};
    use super::*;
    use crate::judge::Outcome;

    fn options(quiet_trials: bool) -> TerminalOptions {
        TerminalOptions { style: plain(), quiet_trials, output: Some("out/2026-11-22T01-02-03".to_owned()) }
    }

    fn shown(quiet_trials: bool, events: &[Event]) -> String {
        let mut terminal = Terminal::new(Vec::new(), options(quiet_trials));
        for event in events {
            terminal.event(event, Duration::from_millis(2500)).unwrap();
        }
        String::from_utf8(terminal.out).unwrap()
    }

    #[test]
    fn a_run_is_told_line_by_line() {
        insta::assert_snapshot!(shown(false, &events()), @"
        harness 0.1.0: 6 trials; software emulation, virtual time
            2.5 s  bake igpu: waiting for jellyfin-stack.service
        PASSED igpu::failure::unreadable (21.5 s)
        FAILED igpu::failure::missing-secret-fails-hard (21.5 s)
        BROKEN igpu::functional::boot (21.5 s): The guest's journal has a gap between records 812 and 815.
        SKIPPED doc1::functional::boot (0.0 s): doc1 needs 4 GiB of memory, this machine has 2 GiB
        FAILED igpu::regression::stop-keeps-containers (21.5 s)
        PASSED igpu::regression::stop-keeps-containers (21.5 s)

        6 trials: 1 PASSED, 1 FAILED, 1 BROKEN, 1 SKIPPED, 1 FLAKY, 1 UNFINISHED in 120.0 s
          FAILED igpu::failure::missing-secret-fails-hard
          BROKEN igpu::functional::boot: The guest's journal has a gap between records 812 and 815.
          UNFINISHED igpu::regression::never-ran: the run ended before it did
          FLAKY igpu::regression::stop-keeps-containers: 1 of 2 attempts did not pass
          SKIPPED doc1::functional::boot: doc1 needs 4 GiB of memory, this machine has 2 GiB
        slowest:
             21.5 s  (6.1 s in the guest)  igpu::failure::unreadable
             21.5 s  (6.1 s in the guest)  igpu::failure::missing-secret-fails-hard
             21.5 s  (6.1 s in the guest)  igpu::functional::boot
             21.5 s  (6.1 s in the guest)  igpu::regression::stop-keeps-containers, 2 times: 21.5 to 21.5 s (6.1 to 6.1 s in the guest)
        output: out/2026-11-22T01-02-03
        run again what did not pass:
          cargo run --release -- run --exact igpu::failure::missing-secret-fails-hard
          cargo run --release -- run --exact igpu::functional::boot
          cargo run --release -- run --exact igpu::regression::stop-keeps-containers
          cargo run --release -- run --exact igpu::regression::never-ran
        ");
    }

    #[test]
    fn what_nothing_needed_is_told_at_the_end() {
        let needless = vec!["scenarios/failure/x.toml:7: the disk is full".to_owned()];
        let finished = Event::RunFinished { at: String::new(), seconds: 1.0, needless };
        let text = shown(true, &[events()[3].clone(), finished]);
        assert!(text.contains("nothing in this run needed:\n  scenarios/failure/x.toml:7: the disk is full\n"));
    }

    #[test]
    fn long_trials_are_named_with_their_reasons() {
        let long = |number: u32| {
            let mut finished = finished(&format!("igpu::failure::x-{number}"), Outcome::Passed, Vec::new());
            (finished.host_seconds, finished.slow) = (60.0 + f64::from(number), Some("It waits.".to_owned()));
            Event::TrialFinished(finished)
        };
        let mut run: Vec<Event> = (0..8).map(long).collect();
        run.push(Event::RunFinished { at: String::new(), seconds: 1.0, needless: Vec::new() });
        let text = shown(true, &run);
        assert_eq!(text.matches(": It waits.").count(), 7, "{text}");
        assert!(text.contains("x-1: It waits.") && !text.contains("x-0"), "{text}");
    }

    #[test]
    fn a_green_run_ends_shortly() {
        let green: Vec<Event> = [3, events().len() - 1].map(|index| events()[index].clone()).into();
        insta::assert_snapshot!(shown(true, &green), @"

        1 trial: 1 PASSED, 0 FAILED, 0 BROKEN in 120.0 s
        output: out/2026-11-22T01-02-03
        ");
    }

    #[test]
    fn progress_is_told_once() {
        let progress =
            |task: &str, message: &str| Event::Progress { task: task.to_owned(), message: message.to_owned() };
        let bakes = [
            progress("bake igpu", "boots"),
            progress("bake doc1", "boots"),
            progress("bake igpu", "boots"),
            progress("bake igpu", "\x1b[2Jfreezes"),
        ];
        insta::assert_snapshot!(shown(true, &bakes), @r"
        2.5 s  bake igpu: boots
        2.5 s  bake doc1: boots
        2.5 s  bake igpu: \u{1b}[2Jfreezes
        ");
    }

    #[test]
    fn progress_lives_on_one_line_that_trials_clear() {
        assert!(ProgressStyle::with_template(LIVE_LINE).is_ok());
        let quiet = Terminal::new(Vec::new(), options(true));
        let mut terminal = quiet.live(ProgressDrawTarget::hidden());
        for event in &events()[..2] {
            terminal.event(event, Duration::ZERO).unwrap();
        }
        let bar = terminal.live.clone().unwrap();
        assert_eq!(bar.message(), "bake igpu: waiting for jellyfin-stack.service");
        assert!(!bar.is_finished());
        for event in &events()[2..] {
            terminal.event(event, Duration::ZERO).unwrap();
        }
        assert!(bar.is_finished());
        let lines = String::from_utf8(terminal.out).unwrap();
        assert!(!lines.contains("waiting for"), "{lines}");
    }
}
