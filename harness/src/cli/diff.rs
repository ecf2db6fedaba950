//! `harness diff`

use std::fmt::Write as _;

use crate::generation::{self, Change, Diff, Generation, Lines};
use crate::run::{Error, Project, Result};

use super::Exit;
use super::arguments::DiffArguments;
use super::print::print;
use super::render::{known, variant_of};

/// Shows what differs between two generations.
pub fn diff(arguments: &DiffArguments) -> Result<Exit> {
    let diff = match (&arguments.folders[..], &arguments.host, &arguments.variant) {
        ([first, second], None, None) => Diff::between(&Generation::read(first)?, &Generation::read(second)?)?,
        ([], Some(host), Some(variant)) => {
            let project = Project::find()?;
            known("host", host, &generation::hosts(project.root())?)?;
            let base = generation::render(project.root(), host)?;
            Diff::between(&base, variant_of(&base, variant)?)?
        }
        _ => return Err(Error::Usage("name two folders, or a host and one of its variants".to_owned())),
    };
    let text = if arguments.json { json(&diff)? } else { in_words(&diff) };
    print(&text)?;
    Ok(if diff.is_empty() { Exit::Passed } else { Exit::Failed })
}

fn json(diff: &Diff) -> Result<String> {
    let text = serde_json::to_string_pretty(diff).map_err(std::io::Error::from);
    Ok(text.map_err(Error::io("write", "the difference as JSON"))? + "\n")
}

/// The difference as a reviewer reads it: units first, with their order and commands before the rest.
fn in_words(diff: &Diff) -> String {
    if diff.is_empty() {
        return "nothing differs\n".to_owned();
    }
    let mut text = String::new();
    for unit in &diff.units {
        let manager = unit.scope.name();
        let _infallible = writeln!(text, "{} unit {} ({manager})", sign(unit.change), unit.unit);
        lines(&mut text, "order", &unit.order);
        lines(&mut text, "command", &unit.commands);
        lines(&mut text, "setting", &unit.settings);
    }
    for file in &diff.files {
        let _infallible = writeln!(text, "{} file {}", sign(file.change), file.path);
        if file.change == Change::Changed {
            lines(&mut text, "line", &file.lines);
        }
    }
    for key in &diff.manifest {
        let _infallible = writeln!(text, "~ key `{key}` of the manifest");
    }
    text
}

fn sign(change: Change) -> char {
    match change {
        Change::New => '+',
        Change::Gone => '-',
        Change::Changed => '~',
    }
}

fn lines(text: &mut String, what: &str, lines: &Lines) {
    let gone = lines.gone.iter().map(|line| ('-', line));
    for (sign, line) in gone.chain(lines.new.iter().map(|line| ('+', line))) {
        let _infallible = writeln!(text, "    {what:<8}{sign} {line}");
    }
}
