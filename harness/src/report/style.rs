//! How a report looks at the place where it is read.

use anstyle::{AnsiColor, Style as Ansi};

use super::standing::Standing;

/// How messages are presented: with or without colour, and how the reader calls the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// Whether ANSI colours are used.
    pub colored: bool,
    /// The command by which the reader starts the program, as in `cargo run --release --` or `harness`; it stands in
    /// front of the subcommand in every command that is shown.
    pub program: String,
    /// What stands behind `run` in a command that runs a trial again, such as `--time real`.
    pub options: Vec<String>,
}

impl Style {
    /// The standing as a word, in its colour.
    pub(super) fn word(&self, standing: Standing) -> String {
        let color = match standing {
            Standing::Passed => AnsiColor::Green,
            Standing::Failed => AnsiColor::Red,
            Standing::Broken => AnsiColor::Magenta,
            Standing::Flaky => AnsiColor::Yellow,
            Standing::Skipped => AnsiColor::Cyan,
            Standing::Unfinished => AnsiColor::Magenta,
        };
        self.paint(color.on_default().bold(), standing.word())
    }

    /// A text that leads the eye.
    pub(super) fn strong(&self, text: &str) -> String {
        self.paint(Ansi::new().bold(), text)
    }

    /// A text that steps back.
    pub(super) fn faint(&self, text: &str) -> String {
        self.paint(Ansi::new().dimmed(), text)
    }

    fn paint(&self, ansi: Ansi, text: &str) -> String {
        if self.colored { format!("{ansi}{text}{ansi:#}") } else { text.to_owned() }
    }
}
