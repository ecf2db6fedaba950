//! Why a trial did not pass, before it is laid out as text or as HTML.

use crate::event::TrialFinished;
use crate::judge::{Outcome, Subject, Verdict, VerdictResult};
use crate::scenario::Source;
use crate::timeline::Timeline;

use super::Style;
use super::around::{Around, around};
use super::excerpt::excerpt;
use super::row::visible;
use super::standing::Standing;

/// What to say when the harness is at fault.
const OUR_FAULT: &str = "The harness, the guest image or this machine did not do its work. That is not the stacks' \
                         fault, and nothing is known of them.";

/// What to do when the harness is at fault.
const OUR_ADVICE: &str = "Run it again; if it stays broken, see what `doctor` says of this machine, and read how its \
                          journal ends.";

/// Everything a reader needs to understand one trial that did not pass.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Explanation {
    /// Sentences on the trial as a whole.
    pub(super) sentences: Vec<String>,
    /// The verdicts that failed or are broken, in the order of the file.
    pub(super) verdicts: Vec<ExplainedVerdict>,
    /// Commands that can be pasted, each with what it is for.
    pub(super) commands: Vec<(&'static str, String)>,
}

/// A verdict that failed or is broken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ExplainedVerdict {
    /// The word, what it is about and, where it has a place, the excerpt with the caret.
    pub(super) head: String,
    /// `expected`, `observed` and `nearest`, each with its text.
    pub(super) findings: Vec<(&'static str, String)>,
    /// What happened around it, where there is a recording that shows it.
    pub(super) around: Option<Around>,
}

/// Explains how one attempt ended.
pub(super) fn explain(
    finished: &TrialFinished,
    source: Option<&Source>,
    timeline: Option<&Timeline>,
    style: &Style,
) -> Explanation {
    let judged = finished.judgement.iter().flat_map(|j| &j.verdicts);
    let bad = judged.filter(|verdict| verdict.result != VerdictResult::Passed);
    Explanation {
        sentences: sentences(finished),
        verdicts: bad.map(|verdict| explain_verdict(verdict, &finished.scenario, source, timeline, style)).collect(),
        commands: commands(finished, style),
    }
}

fn sentences(finished: &TrialFinished) -> Vec<String> {
    let mut sentences = Vec::new();
    if finished.outcome == Outcome::Broken {
        sentences.push(OUR_FAULT.to_owned());
    }
    sentences.extend(finished.reason.as_deref().map(visible));
    if finished.outcome == Outcome::Broken {
        sentences.push(OUR_ADVICE.to_owned());
    }
    sentences
}

fn explain_verdict(
    verdict: &Verdict,
    scenario: &str,
    source: Option<&Source>,
    timeline: Option<&Timeline>,
    style: &Style,
) -> ExplainedVerdict {
    let standing = standing(verdict.result);
    let subject = subject(&verdict.subject);
    let head = match (source, verdict.span) {
        (Some(source), Some(span)) => excerpt(source, span, standing.word(), &subject, style),
        (None, Some(_)) => format!("{}: {subject}\n  --> {scenario}", style.word(standing)),
        (_, None) => format!("{}: {subject}", style.word(standing)),
    };
    let findings = [
        ("expected", Some(&verdict.expected)),
        ("observed", Some(&verdict.observed)),
        ("nearest", verdict.nearest.as_ref()),
    ];
    ExplainedVerdict {
        head,
        findings: findings
            .into_iter()
            .filter_map(|(name, text)| Some((name, visible(text?))))
            .filter(|(_, text)| !text.is_empty())
            .collect(),
        around: timeline
            .map(|timeline| around(verdict, timeline))
            .filter(|around| !around.rows.is_empty() || !around.missing.is_empty()),
    }
}

fn standing(result: VerdictResult) -> Standing {
    match result {
        VerdictResult::Passed => Standing::Passed,
        VerdictResult::Failed => Standing::Failed,
        VerdictResult::Broken => Standing::Broken,
    }
}

/// What a verdict is about, counted from one as people count.
fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Action { step: None, index } => format!("action {} of `given`", index + 1),
        Subject::Action { step: Some(step), index } => format!("action {} of step {}", index + 1, step + 1),
        Subject::Line { step, index, .. } => format!("line {} of step {}", index + 1, step + 1),
        Subject::Gate(name) => format!("{name} (looked at in every trial)"),
        Subject::Recording => "the recording of the trial".to_owned(),
    }
}

fn commands(finished: &TrialFinished, style: &Style) -> Vec<(&'static str, String)> {
    let program = &style.program;
    let trial = quoted(&finished.trial);
    let machine = if finished.kept { "its machine was kept" } else { "in a fresh clone: its machine was not kept" };
    let mut commands = vec![
        ("run it again", run_again(&finished.trial, style)),
        ("enter it", format!("{program} enter {trial}   # {machine}")),
    ];
    if let Some(folder) = &finished.folder {
        let journal = quoted(&format!("{folder}/journal.txt"));
        commands.push(("its journal", format!("less {journal}")));
    }
    commands
}

/// The command that runs one trial again.
pub(super) fn run_again(trial: &str, style: &Style) -> String {
    let options: String = style.options.iter().map(|option| format!("{} ", quoted(option))).collect();
    format!("{} run {options}--exact {}", style.program, quoted(trial))
}

/// A word for a POSIX shell, in quotes only where it needs them.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
