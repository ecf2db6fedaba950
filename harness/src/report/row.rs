//! One timeline entry as a row for people: when, who, what.

use crate::timeline::{ActionDone, Entry, Moment, Record, UnitRef};

/// A timeline entry in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// When it happened; none for what went wrong on our side.
    pub(super) at: Option<Moment>,
    /// The unit, or the part of the harness.
    pub(super) who: String,
    /// What happened; may have several lines, but no control characters.
    pub(super) what: String,
}

/// Puts an entry in words.
pub(super) fn row(entry: &Entry) -> Row {
    let (who, what) = match entry {
        Entry::Ready { .. } => ("trial", "ready: the first picture is taken".to_owned()),
        Entry::Step { step, .. } => ("trial", format!("step {} begins", step + 1)),
        Entry::Action(done) => ("action", action(done)),
        Entry::Journal(record) => (writer(record), message(record)),
        Entry::Exec { arguments, .. } => ("exec", arguments.join(" ")),
        Entry::Picture { picture, .. } => (
            "picture",
            format!(
                "{} units, {} containers, {} files, {} sockets",
                picture.units.len(),
                picture.containers.len(),
                picture.files.len(),
                picture.sockets.len()
            ),
        ),
        Entry::Barrier { step: Some(step), .. } => {
            ("trial", format!("step {} ends: the journal is complete", step + 1))
        }
        Entry::Barrier { step: None, .. } => ("trial", "the journal is complete".to_owned()),
        Entry::Boot { at } => ("machine", format!("started again (boot {})", at.boot)),
        Entry::Broken { reason } => ("harness", format!("BROKEN: {reason}")),
    };
    Row { at: entry.at(), who: visible(who), what: visible(&what) }
}

/// Whether a unit is one of the transient services in which podman runs health checks: `<64 hex>-<hex>.service`.
pub(super) fn is_health_check(unit: UnitRef) -> bool {
    let hex = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit());
    unit.name
        .split_once('.')
        .and_then(|(name, _)| name.split_once('-'))
        .is_some_and(|(id, rest)| id.len() == 64 && hex(id) && hex(rest))
}

fn action(done: &ActionDone) -> String {
    let end = if done.timed_out {
        "ended because its time was over".to_owned()
    } else {
        format!("exit status {}", done.exit)
    };
    let duration = if done.from.boot == done.to.boot {
        let seconds = done.to.micros.saturating_sub(done.from.micros) as f64 / 1e6;
        format!(" after {seconds:.3} s")
    } else {
        String::new()
    };
    format!("{}: {end}{duration}", done.command)
}

fn writer(record: &Record) -> &str {
    match record.unit() {
        Some(unit) => unit.name,
        None if record.is_kernel() => "kernel",
        None => "-",
    }
}

fn message(record: &Record) -> String {
    let text = record.message();
    let identifier = record.identifier().or_else(|| record.field("_COMM"));
    match (identifier, record.field("_PID")) {
        (Some(identifier), Some(process)) => format!("{identifier}[{process}]: {text}"),
        (Some(identifier), None) => format!("{identifier}: {text}"),
        (None, _) => text.to_owned(),
    }
}

/// Escapes control characters, so that a guest's text can neither recolour nor rewrite the reader's terminal.
pub(super) fn visible(text: &str) -> String {
    text.chars().fold(String::new(), |mut shown, character| {
        if character.is_control() && character != '\n' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_checks_are_told_from_other_units() {
        let id = "0123456789abcdef".repeat(4);
        for (name, expected) in [
            (format!("{id}-1a2b3c.service"), true),
            (format!("{id}-1a2b3c.timer"), true),
            (format!("{id}.service"), false),
            (format!("{id}-.service"), false),
            ("jellyfin-stack.service".to_owned(), false),
        ] {
            let unit = UnitRef { scope: "user", name: &name };
            assert_eq!(is_health_check(unit), expected, "{name}");
        }
    }

    #[test]
    fn control_characters_are_shown_and_not_sent() {
        for (text, shown) in [
            ("plain ä 🦀", "plain ä 🦀"),
            ("a\nb", "a\nb"),
            ("\x1b[31mred", "\\u{1b}[31mred"),
            ("over\rwritten", "over\\rwritten"),
            ("\u{9b}31m", "\\u{9b}31m"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
