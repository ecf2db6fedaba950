//! The message for one trial that failed or broke.

use unicode_width::UnicodeWidthStr;

use crate::event::TrialFinished;
use crate::scenario::Source;
use crate::timeline::Timeline;

use super::Style;
use super::around::{Around, AroundRow};
use super::explanation::{ExplainedVerdict, Explanation, explain};

/// Columns that a row's text may take; longer ones are cut off, the journal has them in full.
const ROW_WIDTH: usize = 110;

/// Columns that the names of units may take.
const NAME_WIDTH: usize = 34;

/// The message for one trial that failed or broke: what was expected where, what was observed, what happened around
/// it in the guest, and which commands lead further.
///
/// Without a timeline, the part around each verdict is missing.
pub fn failure(finished: &TrialFinished, source: &Source, timeline: Option<&Timeline>, style: &Style) -> String {
    text(finished, Some(source), timeline, style)
}

/// [`failure`] for a reader who may have lost the scenario file.
pub(super) fn text(
    finished: &TrialFinished,
    source: Option<&Source>,
    timeline: Option<&Timeline>,
    style: &Style,
) -> String {
    let Explanation { sentences, verdicts, commands } = explain(finished, source, timeline, style);
    let mut paragraphs = vec![heading(finished, style)];
    paragraphs.extend(sentences);
    paragraphs.extend(verdicts.iter().map(|verdict| verdict_text(verdict, style)));
    let commands: Vec<String> =
        commands.iter().map(|(purpose, command)| format!("{:<15}{command}", format!("{purpose}:"))).collect();
    paragraphs.push(commands.join("\n"));
    let mut message = paragraphs.join("\n\n");
    message.push('\n');
    message
}

fn heading(finished: &TrialFinished, style: &Style) -> String {
    let proves =
        if finished.proves.is_empty() { String::new() } else { format!(" (proves {})", finished.proves.join(", ")) };
    format!(
        "{} {}\n{}{}",
        style.word(finished.outcome.into()),
        style.strong(&finished.trial),
        finished.title,
        style.faint(&proves)
    )
}

fn verdict_text(verdict: &ExplainedVerdict, style: &Style) -> String {
    let mut lines = vec![verdict.head.clone()];
    lines.extend(verdict.findings.iter().map(|(name, text)| {
        let label = style.strong(&format!("{:<10}", format!("{name}:")));
        format!("  {label}{}", text.replace('\n', "\n            "))
    }));
    lines.extend(verdict.around.iter().map(|around| around_text(around, style)));
    lines.join("\n")
}

fn around_text(around: &Around, style: &Style) -> String {
    let title = format!(
        "  around it, in guest seconds since {} ({} of {} entries, `>` marks evidence):",
        around.since,
        around.rows.len(),
        around.of
    );
    let width = |column: fn(&AroundRow) -> &str| {
        let widths = around.rows.iter().map(|row| column(row).width());
        widths.max().unwrap_or(0)
    };
    let time = width(|row| &row.time);
    let name = width(|row| &row.who).min(NAME_WIDTH);
    let mut lines = vec![style.faint(&title)];
    lines.extend(around.rows.iter().map(|row| {
        let mark = if row.evidence { '>' } else { ' ' };
        let who = shortened(&row.who, NAME_WIDTH);
        let what = shortened(&row.what, ROW_WIDTH);
        let line = format!("  {mark} {:>time$}  {who:<name$}  {what}", row.time);
        if row.evidence { style.strong(&line) } else { line }
    }));
    lines.extend(
        around.missing.iter().map(|index| {
            format!("  evidence {index} is not in this timeline: the verdict belongs to another recording")
        }),
    );
    lines.join("\n")
}

/// The text in at most `width` columns, with an ellipsis where something was cut off.
fn shortened(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for character in text.chars() {
        if short.width() + 2 > width {
            break;
        }
        short.push(character);
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::super::sample::{broken, failed, finished, plain, source, timeline, verdict};
    use super::*;
    use crate::judge::{Outcome, Subject, VerdictResult};

    #[test]
    fn a_failed_trial_shows_line_findings_surroundings_and_commands() {
        let text = failure(&failed(), &source(), Some(&timeline()), &plain());
        insta::assert_snapshot!(text, @r#"
        FAILED igpu::failure::missing-secret-fails-hard
        A missing secret stops the stack (proves B21, B26)

        FAILED: line 1 of step 1
         --> scenarios/failure/missing-secret-fails-hard.toml:7:3
          |
        7 |   { unit = "@unit", enters = "failed", result = "exit-code", within = "20s" },
          |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          expected: jellyfin-stack.service enters failed with result exit-code within 20 s
          observed: it entered failed with result timeout
          nearest:  failed (timeout) at +1.750 s
          around it, in guest seconds since step 1 began (7 of 11 entries, `>` marks evidence):
                   +0.000  trial                   step 1 begins
                   +0.020  jellyfin-stack.service  systemd: Starting jellyfin stack...
                   +1.300  jellyfin-stack.service  bash[812]: ERROR: no such secret (line 1 of 2)
          >        +1.750  jellyfin-stack.service  systemd: Failed with result 'timeout'.
                   +1.900  action                  systemctl --user start jellyfin-stack.service: exit status 1 after 1.900 s
            boot 1 +0.000  machine                 started again (boot 1)
                        -  harness                 BROKEN: the guest stopped answering; see its console

        run it again:  cargo run --release -- run --exact igpu::failure::missing-secret-fails-hard
        enter it:      cargo run --release -- enter igpu::failure::missing-secret-fails-hard   # in a fresh clone: its machine was not kept
        its journal:   less out/2026-11-22T01-02-03/igpu/failure/missing-secret-fails-hard/journal.txt
        "#);
    }

    #[test]
    fn a_broken_trial_is_our_fault() {
        let text = failure(&broken(), &source(), None, &plain());
        insta::assert_snapshot!(text, @"
        BROKEN igpu::functional::boot
        A missing secret stops the stack (proves B21, B26)

        The harness, the guest image or this machine did not do its work. That is not the stacks' fault, and nothing is known of them.

        The guest's journal has a gap between records 812 and 815.

        Run it again; if it stays broken, see what `doctor` says of this machine, and read how its journal ends.

        run it again:  cargo run --release -- run --exact igpu::functional::boot
        enter it:      cargo run --release -- enter igpu::functional::boot   # in a fresh clone: its machine was not kept
        its journal:   less out/2026-11-22T01-02-03/igpu/functional/boot/journal.txt
        ");
    }

    #[test]
    fn verdicts_without_a_place_or_beyond_the_file_are_still_told() {
        let mut gate = verdict(VerdictResult::Broken, 0, "title");
        gate.subject = Subject::Gate("core-dump".to_owned());
        gate.span = None;
        gate.evidence = vec![99];
        let mut beyond = verdict(VerdictResult::Failed, 1, "title");
        beyond.span = Some((9000, 9010));
        beyond.nearest = None;
        beyond.observed = "two lines:\nthe second".to_owned();
        let trial = "igpu::failure::x [broken-by no-alert]";
        let mut finished = finished(trial, Outcome::Broken, vec![gate, beyond]);
        finished.kept = true;
        let text = failure(&finished, &source(), Some(&timeline()), &plain());
        insta::assert_snapshot!(text, @"
        BROKEN igpu::failure::x [broken-by no-alert]
        A missing secret stops the stack (proves B21, B26)

        The harness, the guest image or this machine did not do its work. That is not the stacks' fault, and nothing is known of them.

        Run it again; if it stays broken, see what `doctor` says of this machine, and read how its journal ends.

        BROKEN: core-dump (looked at in every trial)
          expected: jellyfin-stack.service enters failed with result exit-code within 20 s
          observed: it entered failed with result timeout
          nearest:  failed (timeout) at +1.750 s
          around it, in guest seconds since step 1 began (7 of 11 entries, `>` marks evidence):
                   +0.000  trial                   step 1 begins
                   +0.020  jellyfin-stack.service  systemd: Starting jellyfin stack...
                   +1.300  jellyfin-stack.service  bash[812]: ERROR: no such secret (line 1 of 2)
                   +1.750  jellyfin-stack.service  systemd: Failed with result 'timeout'.
                   +1.900  action                  systemctl --user start jellyfin-stack.service: exit status 1 after 1.900 s
            boot 1 +0.000  machine                 started again (boot 1)
                        -  harness                 BROKEN: the guest stopped answering; see its console
          evidence 99 is not in this timeline: the verdict belongs to another recording

        FAILED: line 2 of step 1
          --> scenarios/failure/missing-secret-fails-hard.toml (bytes 9000..9010: the file was changed after the trial was judged)
          expected: jellyfin-stack.service enters failed with result exit-code within 20 s
          observed: two lines:
                    the second
          around it, in guest seconds since step 1 began (7 of 11 entries, `>` marks evidence):
                   +0.000  trial                   step 1 begins
                   +0.020  jellyfin-stack.service  systemd: Starting jellyfin stack...
                   +1.300  jellyfin-stack.service  bash[812]: ERROR: no such secret (line 1 of 2)
          >        +1.750  jellyfin-stack.service  systemd: Failed with result 'timeout'.
                   +1.900  action                  systemctl --user start jellyfin-stack.service: exit status 1 after 1.900 s
            boot 1 +0.000  machine                 started again (boot 1)
                        -  harness                 BROKEN: the guest stopped answering; see its console

        run it again:  cargo run --release -- run --exact 'igpu::failure::x [broken-by no-alert]'
        enter it:      cargo run --release -- enter 'igpu::failure::x [broken-by no-alert]'   # its machine was kept
        its journal:   less 'out/2026-11-22T01-02-03/igpu/failure/x [broken-by no-alert]/journal.txt'
        ");
    }

    #[test]
    fn colour_adds_escapes_and_changes_no_word() {
        let colored = Style { colored: true, ..plain() };
        let text = failure(&failed(), &source(), Some(&timeline()), &colored);
        assert_ne!(text, anstream::adapter::strip_str(&text).to_string());
        assert_eq!(
            anstream::adapter::strip_str(&text).to_string(),
            failure(&failed(), &source(), Some(&timeline()), &plain())
        );
    }

    #[test]
    fn long_texts_are_cut_to_columns() {
        for (text, width, short) in
            [("short", 5, "short"), ("longer", 5, "long…"), ("ありがとう", 5, "あり…"), ("", 5, "")]
        {
            assert_eq!(shortened(text, width), short);
        }
    }
}
