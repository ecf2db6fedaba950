//! Spanned TOML, read so that every mistake is noted and reading goes on.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::Span;
use super::diagnostic::{Mistakes, nearest, suggest};
use super::words::{self, Place, Word};

/// A value with its place.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    value: &'a Spanned<DeValue<'a>>,
    mistakes: &'a Mistakes<'a>,
    /// How the vocabulary writes the key that it is the value of.
    example: Option<&'static str>,
}

impl<'a> Node<'a> {
    pub(super) fn span(self) -> Span {
        self.value.span()
    }

    /// Notes a mistake at this value.
    pub(super) fn report(self, message: impl Into<String>, advice: Option<String>) {
        self.mistakes.report(self.span(), message, advice);
    }

    fn wrong_type<T>(self, expected: &str) -> Option<T> {
        let found = self.value.get_ref().type_str();
        let advice = self.example.map(|example| format!("write it as in `{example}`"));
        self.report(format!("expected {expected}, found {found}"), advice);
        None
    }

    /// The string, if it is one; nothing is noted if not.
    pub(super) fn peek(self) -> Option<&'a str> {
        self.value.get_ref().as_str()
    }

    /// A string, which may be empty.
    pub(super) fn any_text(self) -> Option<&'a str> {
        self.peek().or_else(|| self.wrong_type("a string"))
    }

    /// A string that says something.
    pub(super) fn text(self) -> Option<&'a str> {
        let text = self.any_text()?;
        if text.trim().is_empty() {
            self.report("this text is empty", None);
            return None;
        }
        Some(text)
    }

    /// A switch that is only ever on: leaving it out is the one way of saying no.
    pub(super) fn flag(self) -> bool {
        match self.value.get_ref().as_bool() {
            Some(true) => true,
            Some(false) => {
                self.report("`false` says nothing here", Some("leave the key out".into()));
                false
            }
            None => self.wrong_type::<()>("`true`").is_some(),
        }
    }

    /// A whole number from 1 on.
    pub(super) fn count(self) -> Option<u32> {
        let Some(integer) = self.value.get_ref().as_integer() else {
            return self.wrong_type("a whole number");
        };
        match u32::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(count) if count > 0 => Some(count),
            Ok(_) => {
                let advice = "write `never = true` for none at all";
                self.report("zero is not a count here", Some(advice.into()));
                None
            }
            Err(_) => self.wrong_type("a whole number of reasonable size"),
        }
    }

    /// A positive number, whole or with decimals.
    pub(super) fn ratio(self) -> Option<f64> {
        let number = match self.value.get_ref() {
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
            _ => return self.wrong_type("a number"),
        };
        match number {
            Some(ratio) if ratio.is_finite() && ratio > 0.0 => Some(ratio),
            _ => {
                self.report("a ratio is a finite number above zero", None);
                None
            }
        }
    }

    /// A stretch of guest time such as `"20s"`.
    pub(super) fn duration(self) -> Option<Duration> {
        let text = self.text()?;
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let milliseconds_each = match &text[digits.len()..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            _ => 0,
        };
        let milliseconds = digits
            .parse::<u32>()
            .ok()
            .filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .map(|number| u64::from(number) * milliseconds_each)
            .filter(|&total| total > 0);
        if milliseconds.is_none() {
            let advice = "write a whole number above zero with its unit, as in \"500ms\", \"20s\" or \"2m\"";
            self.report(format!("`{text}` is not a duration"), Some(advice.into()));
        }
        milliseconds.map(Duration::from_millis)
    }

    /// The elements of an array that has to have some.
    pub(super) fn array(self) -> Vec<Node<'a>> {
        match self.value.get_ref().as_array() {
            Some(array) if array.is_empty() => {
                self.report(
                    "this array is empty",
                    Some("name at least one, or leave out the key where it is optional".into()),
                );
                Vec::new()
            }
            Some(array) => array.iter().map(|value| Node { value, ..self }).collect(),
            None => self.wrong_type::<Vec<_>>("an array").unwrap_or_default(),
        }
    }

    /// The elements of an array, or the value itself where there is only one.
    pub(super) fn one_or_more(self) -> Vec<Node<'a>> {
        if self.value.get_ref().is_array() { self.array() } else { vec![self] }
    }

    pub(super) fn is_table(self) -> bool {
        self.value.get_ref().is_table()
    }

    pub(super) fn table(self, place: Place) -> Option<Table<'a>> {
        match self.value.get_ref().as_table() {
            Some(table) => Some(Table::new(place, table, self.span(), self.mistakes)),
            None => self.wrong_type("a table"),
        }
    }

    /// The entries of a table whose keys are free.
    pub(super) fn entries(self) -> Vec<(&'a str, Span, Node<'a>)> {
        let Some(table) = self.value.get_ref().as_table() else {
            return self.wrong_type("a table").unwrap_or_default();
        };
        if table.is_empty() {
            self.report("this table is empty", Some("a line that names nothing checks nothing".into()));
        }
        let entry = |(key, value): (&'a Spanned<_>, _)| {
            let key: &'a Spanned<DeString<'a>> = key;
            (&**key.get_ref(), key.span(), Node { value, example: None, ..self })
        };
        table.iter().map(entry).collect()
    }

    /// One of the words that may stand at `place`.
    pub(super) fn word(self, place: Place) -> Option<&'static Word> {
        let text = self.text()?;
        let found = words::find(place, text);
        if found.is_none() {
            let advice = suggest(text, words::names(place));
            self.report(format!("`{text}` is not {}", place.noun()), advice);
        }
        found
    }
}

/// A table with a closed set of keys; [`Table::finish`] reports those that nothing asked for.
pub(super) struct Table<'a> {
    place: Place,
    table: &'a DeTable<'a>,
    span: Span,
    mistakes: &'a Mistakes<'a>,
    taken: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(place: Place, table: &'a DeTable<'a>, span: Span, mistakes: &'a Mistakes<'a>) -> Self {
        Self { place, table, span, mistakes, taken: RefCell::default() }
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(super) fn report(&self, message: impl Into<String>, advice: impl Into<String>) {
        self.mistakes.report(self.span(), message, Some(advice.into()));
    }

    pub(super) fn missing(&self, message: impl Into<String>, advice: impl Into<String>) {
        self.mistakes.missing(self.span(), message, advice);
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &'static str) -> Option<Node<'a>> {
        self.taken.borrow_mut().insert(key);
        let example = words::find(self.place, key).map(|word| word.example);
        self.table.get(key).map(|value| Node { value, mistakes: self.mistakes, example })
    }

    /// The value of a key that has to be there.
    pub(super) fn need(&self, key: &'static str) -> Option<Node<'a>> {
        let found = self.get(key);
        if found.is_none() && !self.misspelt(key) {
            let example = words::find(self.place, key).map_or("", |word| word.example);
            self.missing(format!("missing key `{key}`"), format!("add it, as in `{example}`"));
        }
        found
    }

    /// Whether the key is there and `true`.
    pub(super) fn flag(&self, key: &'static str) -> bool {
        self.get(key).is_some_and(Node::flag)
    }

    /// The one key of several that says what this table is about, with its value.
    pub(super) fn choose(&self, what: &str, choices: &[&'static str]) -> Option<(&'static str, Node<'a>)> {
        let found = self.at_most_one(what, choices);
        if found.is_none() && !self.report_unknown() && !self.any(choices) {
            let list: Vec<String> = choices.iter().map(|key| format!("`{key}`")).collect();
            self.missing(format!("{what} is missing"), format!("give one of {}", list.join(", ")));
        }
        found
    }

    /// Like [`Table::choose`] where none of the keys has to be there.
    pub(super) fn at_most_one(&self, what: &str, choices: &[&'static str]) -> Option<(&'static str, Node<'a>)> {
        let found: Vec<&'static str> = choices.iter().copied().filter(|key| self.has(key)).collect();
        if let [first, second, ..] = found[..] {
            self.taken.borrow_mut().extend(&found);
            self.report(
                format!("`{first}` and `{second}` exclude each other"),
                format!("{what} is said once: drop one, or write two tables"),
            );
            return None;
        }
        let key = *found.first()?;
        self.get(key).map(|node| (key, node))
    }

    /// [`Table::choose`] among the words that can lead a table of this place.
    pub(super) fn lead(&self, what: &str) -> Option<(&'static str, Node<'a>)> {
        let leads: Vec<&'static str> = words::leads(self.place).collect();
        self.choose(what, &leads)
    }

    /// Reports every key that nothing asked for; `with` says what the table turned out to be about.
    pub(super) fn finish(self, with: &str) {
        self.report_unknown();
        for key in self.left_over().filter(|key| self.knows(key.get_ref())) {
            let advice = "docs/scenarios.md says which keys go together; drop it, or write a table of its own";
            self.mistakes.report(
                key.span(),
                format!("`{}` does not go with {with}", key.get_ref()),
                Some(advice.into()),
            );
        }
    }

    /// Reports the keys that no word of this place has, and whether there were any.
    fn report_unknown(&self) -> bool {
        let mut any = false;
        for key in self.left_over().filter(|key| !self.knows(key.get_ref())) {
            let advice = suggest(key.get_ref(), words::names(self.place));
            self.mistakes.report(key.span(), format!("unknown key `{}`", key.get_ref()), advice);
            any = true;
        }
        any
    }

    /// Whether one of the keys is there, rightly written or not.
    pub(super) fn any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether an unknown key looks like this one: it will be reported, with this one as advice.
    fn misspelt(&self, key: &str) -> bool {
        let mut unknown = self.table.keys().map(|found| &**found.get_ref()).filter(|found| !self.knows(found));
        unknown.any(|found| nearest(found, words::names(self.place)) == Some(key))
    }

    fn knows(&self, key: &str) -> bool {
        words::names(self.place).any(|name| name == key)
    }

    fn left_over(&self) -> impl Iterator<Item = &'a Spanned<DeString<'a>>> {
        let table: &'a DeTable<'a> = self.table;
        table.keys().filter(|key| !self.taken.borrow().contains(&**key.get_ref()))
    }
}
