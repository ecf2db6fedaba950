//! A run as one page that needs nothing but itself: no script, no font, no network.

use std::collections::BTreeMap;

use crate::event::{Event, TrialFinished};
use crate::scenario::Source;
use crate::timeline::Timeline;

use super::Style;
use super::around::{Around, AroundRow};
use super::explanation::{ExplainedVerdict, explain};
use super::standing::{Standing, TrialRecord, trial_records};
use super::strip::strip;

const CSS: &str = include_str!("html.css");

/// What a legend has to say of a drawing.
const LEGEND: &str = "Each lane is a unit, each span one of its states. Small triangles are records of the journal \
                      (rest on one to read it; of several that stand together it is the first), large ones are evidence.";

/// The run as a self-contained HTML page: all trials, those that need attention first, and an explanation with a drawing
/// for each attempt that failed or broke.
///
/// `sources` are found by the path of the scenario, `timelines` by the trial's folder; what is not there is left out.
/// `style` is that of the terminal; a page has no terminal's colours.
pub fn html(events: &[Event], sources: &[Source], timelines: &BTreeMap<String, Timeline>, style: &Style) -> String {
    let style = Style { colored: false, ..style.clone() };
    let mut records = trial_records(events);
    records.sort_by_key(TrialRecord::standing);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{}</title>\n<style>\n{CSS}</style>\n</head>\n<body>\n",
        escaped(&counts(&records))
    );
    page.push_str(&header(events, &records));
    page.push_str(&table(&records));
    for (index, record) in records.iter().enumerate() {
        for (number, attempt) in record.bad_attempts().enumerate() {
            let anchor = anchor(index, number);
            let source = sources.iter().find(|s| s.path == attempt.scenario);
            let folder = attempt.folder.as_ref();
            let timeline = folder.and_then(|folder| timelines.get(folder));
            page.push_str(&section(&anchor, attempt, source, timeline, &style));
        }
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// A text that can stand in an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut safe, character| {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
        safe
    })
}

fn counts(records: &[TrialRecord]) -> String {
    let parts: Vec<String> = Standing::ALL
        .iter()
        .map(|standing| {
            let count = records.iter().filter(|r| r.standing() == *standing).count();
            (count, standing.word())
        })
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() { "no trials".to_owned() } else { parts.join(", ") }
}

fn header(events: &[Event], records: &[TrialRecord]) -> String {
    let mut facts = Vec::new();
    let mut ended = false;
    for event in events {
        match event {
            Event::RunStarted { at, version, accelerator, .. } => {
                facts.push(format!("harness {version}, begun {at}, {accelerator}"))
            }
            Event::RunFinished { seconds, .. } => {
                ended = true;
                facts.push(format!("{seconds:.1} s"));
            }
            Event::Progress { .. } | Event::TrialStarted { .. } | Event::TrialFinished(_) => {}
        }
    }
    if !ended {
        facts.push("the run did not come to its end".to_owned());
    }
    format!("<h1>{}</h1>\n<p class=\"faint\">{}</p>\n", escaped(&counts(records)), escaped(&facts.join(", ")))
}

fn word(standing: Standing) -> String {
    let word = standing.word();
    let class = word.to_lowercase();
    format!("<span class=\"word {class}\">{word}</span>")
}

fn table(records: &[TrialRecord]) -> String {
    let mut table = "<div class=\"scroll\"><table>\n<tr><th>Outcome</th><th>Trial</th><th>Proves</th>\
                     <th class=\"number\">Host s</th><th class=\"number\">Guest s</th></tr>\n"
        .to_owned();
    for (index, record) in records.iter().enumerate() {
        table.push_str(&table_row(index, record));
    }
    table.push_str("</table></div>\n");
    table
}

fn table_row(index: usize, record: &TrialRecord) -> String {
    let name = escaped(record.name);
    let name = if record.bad_attempts().next().is_some() {
        format!("<a href=\"#{}\">{name}</a>", anchor(index, 0))
    } else {
        name
    };
    let last = record.attempts.last();
    let proves = last.map_or_else(String::new, |last| last.proves.join(", "));
    let attempts = match record.attempts.len() {
        0 | 1 => String::new(),
        count => format!(" ({count} attempts)"),
    };
    let about = match last {
        Some(last) => {
            let reason = last.reason.as_deref().unwrap_or_default();
            format!("{}<br>\n<span class=\"faint\">{}</span>", escaped(&last.title), escaped(reason))
        }
        None => "<span class=\"faint\">the run ended before this trial did</span>".to_owned(),
    };
    format!(
        "<tr><td>{}</td><td><code>{name}</code>{attempts}<br>{about}</td><td>{}</td>\
         <td class=\"number\">{:.1}</td><td class=\"number\">{:.1}</td></tr>\n",
        word(record.standing()),
        escaped(&proves),
        record.host_seconds(),
        record.guest_seconds(),
    )
}

/// The id of the section on one attempt that failed or broke.
fn anchor(record: usize, attempt: usize) -> String {
    format!("trial-{record}-{attempt}")
}

fn section(
    anchor: &str,
    attempt: &TrialFinished,
    source: Option<&Source>,
    timeline: Option<&Timeline>,
    style: &Style,
) -> String {
    let explanation = explain(attempt, source, timeline, style);
    let mut html = format!(
        "<h2 id=\"{anchor}\">{} <code>{}</code></h2>\n<p>{}</p>\n",
        word(attempt.outcome.into()),
        escaped(&attempt.trial),
        escaped(&attempt.title)
    );
    for sentence in &explanation.sentences {
        html.push_str(&format!("<p>{}</p>\n", escaped(sentence)));
    }
    for verdict in &explanation.verdicts {
        html.push_str(&verdict_html(verdict));
    }
    html.push_str(&drawing(attempt, timeline));
    let commands: String = explanation
        .commands
        .iter()
        .map(|(purpose, command)| format!("<dt>{purpose}</dt><dd><code>{}</code></dd>\n", escaped(command)))
        .collect();
    html.push_str(&format!("<dl>\n{commands}</dl>\n"));
    html
}

fn verdict_html(verdict: &ExplainedVerdict) -> String {
    let findings: String =
        verdict.findings.iter().map(|(name, text)| format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(text))).collect();
    format!(
        "<pre>{}</pre>\n<dl>\n{findings}</dl>\n{}",
        escaped(&verdict.head),
        verdict.around.as_ref().map_or_else(String::new, around_html)
    )
}

fn around_html(around: &Around) -> String {
    let rows: String = around.rows.iter().map(around_row).collect();
    let missing: String = around
        .missing
        .iter()
        .map(|index| {
            format!("<p>Evidence {index} is not in this timeline: the verdict belongs to another recording.</p>\n")
        })
        .collect();
    format!(
        "<details open><summary>Around it, in guest seconds since {} ({} of {} entries)</summary>\n\
         <div class=\"scroll\"><table class=\"around\">\n{rows}</table></div>\n{missing}</details>\n",
        escaped(&around.since),
        around.rows.len(),
        around.of
    )
}

fn around_row(row: &AroundRow) -> String {
    let (class, mark) = if row.evidence { (" class=\"evidence\"", "&gt;") } else { ("", "") };
    format!(
        "<tr{class}><td>{mark}</td><td class=\"number\">{}</td><td>{}</td><td>{}</td></tr>\n",
        escaped(&row.time),
        escaped(&row.who),
        escaped(&row.what)
    )
}

fn drawing(attempt: &TrialFinished, timeline: Option<&Timeline>) -> String {
    let judgement = attempt.judgement.iter();
    let evidence: Vec<usize> = judgement
        .flat_map(|judgement| &judgement.verdicts)
        .filter(|verdict| verdict.result != crate::judge::VerdictResult::Passed)
        .flat_map(|verdict| verdict.evidence.iter().copied())
        .collect();
    let strip = timeline.map_or_else(String::new, |timeline| strip(timeline, &evidence));
    if strip.is_empty() {
        return strip;
    }
    format!("<div class=\"scroll\">{strip}</div>\n<p class=\"faint\">{LEGEND}</p>\n")
}

#[cfg(test)]
mod tests {
    use super::super::sample::{events, failed, plain, source, timeline};
    use super::*;

    fn page() -> String {
        let folder = failed().folder.unwrap();
        let timelines = BTreeMap::from([(folder, timeline())]);
        html(&events(), &[source()], &timelines, &Style { program: "harness".to_owned(), ..plain() })
    }

    #[test]
    fn trials_that_need_attention_stand_first() {
        let page = page();
        let rows: Vec<&str> = page.lines().filter(|l| l.starts_with("<tr><td><span")).collect();
        let words = ["FAILED", "BROKEN", "UNFINISHED", "FLAKY", "SKIPPED", "PASSED"];
        assert_eq!(rows.len(), words.len());
        for (row, word) in rows.iter().zip(words) {
            assert!(row.contains(word), "{word} in {row}");
        }
    }

    #[test]
    fn the_page_needs_nothing_but_itself() {
        let page = page();
        for foreign in ["<script", "http:", "https:", "url(", "src=", "@import"] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn every_link_has_one_target() {
        let page = page();
        for link in page.split("href=\"#").skip(1) {
            let id = link.split('"').next().unwrap();
            assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
    }

    #[test]
    fn a_guest_cannot_write_markup() {
        let mut events = events();
        let Event::TrialFinished(finished) = &mut events[4] else {
            panic!("the sample's fifth event is a trial's end");
        };
        finished.title = "<b>&\"".to_owned();
        finished.reason = Some("</pre><script>".to_owned());
        let page = html(&events, &[], &BTreeMap::new(), &Style { program: "harness".to_owned(), ..plain() });
        assert!(page.contains("&lt;b&gt;&amp;&quot;"));
        assert!(!page.contains("<script"));
    }

    #[test]
    fn a_run_without_events_is_still_a_page() {
        let page = html(&[], &[], &BTreeMap::new(), &Style { program: "harness".to_owned(), ..plain() });
        assert!(page.contains("no trials"));
        assert!(page.contains("the run did not come to its end"));
    }
}
