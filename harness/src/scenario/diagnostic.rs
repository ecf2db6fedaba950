//! Mistakes in scenario files: collected while reading, shown with their place.

use std::cell::RefCell;
use std::collections::BTreeSet;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, normalize_untrusted_str};

use super::{Diagnostic, Source, Span};

impl Diagnostic {
    /// The mistake as a compiler would show it: message, `file:line:column`, the lines with carets, and the advice.
    ///
    /// `source` is the file that the mistake is in; `color` adds the terminal's escape sequences.
    pub fn render(&self, source: &Source, color: bool) -> String {
        let snippet = Snippet::source(&*source.text)
            .path(&*self.path)
            .annotation(AnnotationKind::Primary.span(self.span.clone()));
        let mut group = Level::ERROR.primary_title(&*self.message).element(snippet);
        if let Some(advice) = &self.advice {
            group = group.element(Level::HELP.message(&**advice));
        }
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

/// The mistakes found in one file so far.
pub(super) struct Mistakes<'s> {
    source: &'s Source,
    /// Where the text stops being TOML: what lies behind is not trusted, and nothing is missed.
    broken_at: Option<usize>,
    list: RefCell<Vec<Diagnostic>>,
}

impl<'s> Mistakes<'s> {
    /// No mistakes yet but those of the TOML parser.
    pub(super) fn new(source: &'s Source, syntax: &[toml::de::Error]) -> Self {
        let place = |error: &toml::de::Error| error.span().unwrap_or(0..0);
        let mistakes = Self { source, broken_at: None, list: RefCell::default() };
        let mut lines = BTreeSet::new();
        for error in syntax {
            let span = inside(&source.text, place(error));
            // One slip makes the parser stumble over the rest of its line.
            if lines.insert(source.text[..span.start].matches('\n').count()) {
                mistakes.report(span, format!("not TOML: {}", error.message()), syntax_advice(error.message()));
            }
        }
        Self {
            broken_at: syntax
                .iter()
                .filter(|error| !error.message().contains("duplicate key"))
                .map(|error| place(error).start)
                .min(),
            ..mistakes
        }
    }

    /// Notes a mistake, unless it may only follow from a broken-off text.
    pub(super) fn report(&self, span: Span, message: impl Into<String>, advice: Option<String>) {
        if self.broken_at.is_some_and(|end| span.end >= end) {
            return;
        }
        self.list.borrow_mut().push(Diagnostic {
            path: self.source.path.clone(),
            message: one_line(&message.into()),
            span: inside(&self.source.text, span),
            advice,
        });
    }

    /// Notes that something is not there, which says nothing in a text that is broken.
    pub(super) fn missing(&self, span: Span, message: impl Into<String>, advice: impl Into<String>) {
        if self.broken_at.is_none() {
            self.report(span, message, Some(advice.into()));
        }
    }

    /// All mistakes in the order of the file, each once although every host reads the same text.
    pub(super) fn into_sorted(self) -> Vec<Diagnostic> {
        let mut list = self.list.into_inner();
        list.sort_by(|a, b| (a.span.start, a.span.end, &a.message).cmp(&(b.span.start, b.span.end, &b.message)));
        list.dedup_by(|a, b| (&a.span, &a.message) == (&b.span, &b.message));
        list
    }
}

/// What people mostly meant where the parser stumbles.
fn syntax_advice(message: &str) -> Option<String> {
    let advice = if message.contains("escape") {
        "between \"…\" a backslash escapes: write regular expressions in single quotes, as in `matches = '\\d+'`"
    } else if message.contains("leading zero") {
        "write it as a string, as in `mode = \"0400\"`"
    } else {
        return None;
    };
    Some(advice.to_owned())
}

/// The message without the line ends and control characters that names quoted from a file can bring along.
fn one_line(message: &str) -> String {
    normalize_untrusted_str(&message.replace(['\n', '\r'], " "))
}

/// The span moved onto characters of the text, since a parser may point behind its end or into a character.
fn inside(text: &str, span: Span) -> Span {
    let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let start = boundary(span.start);
    start..boundary(span.end).max(start)
}

/// "did you mean" for a name that is not among the known ones, or else the list of them.
pub(super) fn suggest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let mut seen = BTreeSet::new();
    let known: Vec<&str> = known.into_iter().filter(|word| seen.insert(*word)).collect();
    if let Some(near) = nearest(name, known.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let list: Vec<String> = known.iter().map(|word| format!("`{word}`")).collect();
    (!list.is_empty()).then(|| format!("known here: {}", list.join(", ")))
}

/// The known name that a slip of the hand would turn into `name`.
pub(super) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|word| (edit_distance(name, word), word))
        .filter(|&(distance, word)| distance <= 1 + word.chars().count() / 4)
        .min()
        .map(|(_, word)| word)
}

/// How many characters have to be inserted, removed, replaced or swapped with the next to make one word of the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut least = replaced.min(row[j - 1] + 1).min(rows[i - 1][j] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}
