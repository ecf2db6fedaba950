//! The end of a run in a few lines.

use crate::event::{Event, TrialFinished};

use super::Style;
use super::explanation::run_again;
use super::row::visible;
use super::standing::{Standing, TrialRecord, trial_records};

/// So many of the slowest trials are named at least.
const SLOWEST: usize = 5;

/// What takes longer is named always, in seconds of the host: its scenario should say why.
const LONG: f64 = 60.0;

/// What is known of a run when it has ended, beside its trials.
pub(super) struct Ending<'a> {
    /// How long it took.
    pub seconds: f64,
    /// Exceptions, known noise and marks that no trial needed.
    pub needless: &'a [String],
    /// The folder of its output.
    pub output: Option<&'a str>,
}

/// Counts, the trials that need attention, the slowest ones, the time the run took and where its output is.
pub(super) fn summary(events: &[Event], ending: &Ending, style: &Style) -> String {
    let records = trial_records(events);
    let mut text = format!("\n{} in {:.1} s\n", counts(&records, style), ending.seconds);
    text.push_str(&attention(&records, style));
    text.push_str(&slowest(&records));
    if !ending.needless.is_empty() {
        text.push_str("nothing in this run needed:\n");
        text.extend(ending.needless.iter().map(|sentence| format!("  {}\n", visible(sentence))));
    }
    if let Some(output) = ending.output {
        text.push_str(&format!("output: {output}\n"));
    }
    text.push_str(&run_bad_again(&records, style));
    text
}

fn counts(records: &[TrialRecord], style: &Style) -> String {
    let count = |standing| records.iter().filter(|r| r.standing() == standing).count();
    let always = [Standing::Passed, Standing::Failed, Standing::Broken];
    let rest = [Standing::Skipped, Standing::Flaky, Standing::Unfinished];
    let parts: Vec<String> = always
        .into_iter()
        .chain(rest)
        .map(|standing| (standing, count(standing)))
        .filter(|(standing, count)| *count > 0 || always.contains(standing))
        .map(|(standing, count)| match count {
            0 => format!("0 {}", standing.word()),
            _ => format!("{count} {}", style.word(standing)),
        })
        .collect();
    let trials = if records.len() == 1 { "trial" } else { "trials" };
    format!("{} {trials}: {}", records.len(), parts.join(", "))
}

/// Every trial that is not simply green, with its reason where it has one.
fn attention(records: &[TrialRecord], style: &Style) -> String {
    let mut text = String::new();
    for standing in Standing::ALL {
        if standing == Standing::Passed {
            continue;
        }
        for record in records.iter().filter(|r| r.standing() == standing) {
            let word = style.word(standing);
            text.push_str(&format!("  {word} {}{}\n", record.name, why(record)));
        }
    }
    text
}

fn why(record: &TrialRecord) -> String {
    let attempts = record.attempts.len();
    match (record.standing(), record.attempts.last()) {
        (Standing::Flaky, _) => {
            let bad = record.bad_attempts().count();
            format!(": {bad} of {attempts} attempts did not pass")
        }
        (Standing::Unfinished, _) | (_, None) => ": the run ended before it did".to_owned(),
        (_, Some(last)) => match &last.reason {
            Some(reason) => format!(": {}", visible(reason)),
            None => String::new(),
        },
    }
}

fn slowest(records: &[TrialRecord]) -> String {
    let ran = records.iter().filter(|record| record.standing() != Standing::Skipped);
    let mut ran: Vec<(&TrialRecord, &TrialFinished)> =
        ran.filter_map(|record| Some((record, longest(record)?))).collect();
    ran.sort_by(|(_, a), (_, b)| b.host_seconds.total_cmp(&a.host_seconds));
    if ran.len() < 2 {
        return String::new();
    }
    let long = ran.iter().filter(|(_, attempt)| attempt.host_seconds > LONG).count();
    let lines = ran.iter().take(long.max(SLOWEST)).map(|(record, attempt)| {
        let (host, guest) = (attempt.host_seconds, attempt.guest_seconds);
        let reason = attempt.slow.as_deref().filter(|_| host > LONG);
        let reason = reason.map(|reason| format!(": {}", visible(reason))).unwrap_or_default();
        format!("  {host:>7.1} s  ({guest:.1} s in the guest)  {}{}{reason}\n", record.name, spread(record))
    });
    format!("slowest:\n{}", lines.collect::<String>())
}

fn longest<'a>(record: &TrialRecord<'a>) -> Option<&'a TrialFinished> {
    record.attempts.iter().copied().max_by(|a, b| a.host_seconds.total_cmp(&b.host_seconds))
}

/// How far the times of a trial that ran more than once lie apart: on the host, and in the guest, where they should not.
fn spread(record: &TrialRecord) -> String {
    let times = record.attempts.len();
    if times < 2 {
        return String::new();
    }
    let range = |seconds: fn(&TrialFinished) -> f64| {
        let all = record.attempts.iter().map(|attempt| seconds(attempt));
        format!("{:.1} to {:.1} s", all.clone().fold(f64::INFINITY, f64::min), all.fold(0.0, f64::max))
    };
    let (host, guest) = (range(|attempt| attempt.host_seconds), range(|attempt| attempt.guest_seconds));
    format!(", {times} times: {host} ({guest} in the guest)")
}

fn run_bad_again(records: &[TrialRecord], style: &Style) -> String {
    let bad = records.iter().filter(|record| {
        let standing = record.standing();
        !matches!(standing, Standing::Passed | Standing::Skipped)
    });
    let commands: String = bad.map(|record| format!("  {}\n", run_again(record.name, style))).collect();
    if commands.is_empty() { commands } else { format!("run again what did not pass:\n{commands}") }
}
