//! What names and placeholders in a file mean on one host.

use std::cell::{Cell, OnceCell};

use regex::Regex;

use super::diagnostic::{Mistakes, suggest};
use super::table::Node;
use super::words::{self, Place};
use super::{HostFacts, Pattern, SecretFacts, ServiceFacts, Span, StackFacts};

/// The host that the file is being read for, and the stack that `@unit` and its like mean there.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) host: &'a HostFacts,
    /// The names of the scenario's hosts.
    pub(super) hosts: &'a [&'a str],
    pub(super) stack: Option<&'a StackFacts>,
    pub(super) mistakes: &'a Mistakes<'a>,
    /// The first line marked `red`, even if something else about it is wrong.
    pub(super) red: &'a OnceCell<Span>,
    /// Whether an action of the file could not be read.
    pub(super) unread: &'a Cell<bool>,
    /// The first thing that the host lacks, where lacking something is no mistake of the file.
    pub(super) lacks: Option<&'a OnceCell<String>>,
}

/// Why a name means nothing here.
pub(super) struct Unresolved {
    message: String,
    advice: Option<String>,
    /// Whether the name is good, and only this host has nothing by it.
    lacking: bool,
}

impl Unresolved {
    pub(super) fn new(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::suggesting(message, Some(advice.into()))
    }

    pub(super) fn suggesting(message: impl Into<String>, advice: Option<String>) -> Self {
        Self { message: message.into(), advice, lacking: false }
    }

    /// The name is good, and only this host has nothing by it.
    pub(super) fn lacking(self) -> Self {
        Self { lacking: true, ..self }
    }
}

impl<'a> Context<'a> {
    /// Reports what could not be resolved at the place of its text.
    pub(super) fn reported<T>(&self, node: Node<'_>, resolved: Result<T, Unresolved>) -> Option<T> {
        let Unresolved { message, advice, lacking } = match resolved {
            Ok(resolved) => return Some(resolved),
            Err(unresolved) => unresolved,
        };
        match self.lacks {
            Some(lacks) if lacking => {
                // The first is reason enough.
                lacks.get_or_init(|| message);
            }
            _ => node.report(message, advice),
        }
        None
    }

    /// The value on this host: a table with a value for each of the scenario's hosts stands where one value may stand.
    pub(super) fn on_host(&self, node: Node<'a>) -> Option<Node<'a>> {
        if !node.is_table() {
            return Some(node);
        }
        let entries = node.entries();
        for (name, span, _) in entries.iter().filter(|(name, ..)| !self.hosts.contains(name)) {
            let advice = suggest(name, self.hosts.iter().copied());
            self.mistakes.report(span.clone(), format!("`{name}` is not among the scenario's hosts"), advice);
        }
        let found = entries.iter().find(|(name, ..)| *name == self.host.name).map(|(.., node)| *node);
        if found.is_none() {
            let message = format!("nothing for host `{}`", self.host.name);
            self.mistakes.missing(node.span(), message, "such a table has a value for each host of the scenario");
        }
        found
    }

    /// The scenario's stack, which `wanted` cannot do without.
    pub(super) fn stack_for(&self, wanted: &str) -> Result<&'a StackFacts, Unresolved> {
        self.stack.ok_or_else(|| {
            let advice = "add `stack = \"…\"` at the top of the file, or name the thing itself";
            Unresolved::new(format!("`{wanted}` needs a stack, and the scenario has none"), advice)
        })
    }

    /// The text with its placeholders replaced, as in a script or a file.
    pub(super) fn filled(&self, node: Node<'a>) -> Option<String> {
        let text = node.text()?;
        self.reported(node, self.fill(text, str::to_owned))
    }

    /// The regular expression with its placeholders replaced by texts that match themselves.
    pub(super) fn pattern(&self, node: Node<'a>) -> Option<Pattern> {
        let text = node.text()?;
        let filled = self.reported(node, self.fill(text, regex::escape))?;
        match Regex::new(&filled) {
            Ok(regex) => Some(Pattern { regex, text: None, relation: None }),
            Err(error) => {
                let reason = error.to_string();
                let last = reason.lines().last().unwrap_or_default();
                let reason = last.trim_start_matches("error: ");
                node.report(format!("this regular expression does not compile: {reason}"), None);
                None
            }
        }
    }

    /// The message text of this name in the generation's manifest.
    pub(super) fn named_text(&self, node: Node<'a>) -> Option<Pattern> {
        let name = node.text()?;
        let Some(expression) = self.host.texts.get(name) else {
            let advice = suggest(name, self.host.texts.keys().map(String::as_str));
            let message = format!("the manifest of {} has no text `{name}`", self.host.name);
            return self.reported(node, Err(Unresolved::suggesting(message, advice).lacking()));
        };
        match Regex::new(expression) {
            Ok(regex) => Some(Pattern { regex, text: Some(name.to_owned()), relation: None }),
            Err(_) => {
                let message = format!("the manifest's text `{name}` is not a regular expression: {expression}");
                node.report(message, Some("mend it where the generation defines it".into()));
                None
            }
        }
    }

    /// Replaces `{word}` and `{word:2}`. A shell's `${word}`, an escaped `\{word}` and braces around anything else
    /// are not placeholders.
    pub(super) fn fill(&self, text: &str, escape: impl Fn(&str) -> String) -> Result<String, Unresolved> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, from_brace) = rest.split_at(open);
            filled.push_str(before);
            let taken = match placeholder(from_brace) {
                Some((name, number, length)) if !before.ends_with(['$', '\\']) => {
                    filled.push_str(&escape(&self.placeholder_value(name, number)?));
                    length
                }
                _ => {
                    filled.push('{');
                    1
                }
            };
            rest = &from_brace[taken..];
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn placeholder_value(&self, name: &str, number: Option<usize>) -> Result<String, Unresolved> {
        let shown = number.map_or(format!("{{{name}}}"), |number| format!("{{{name}:{number}}}"));
        if words::find(Place::Placeholder, name).is_none() {
            let advice = suggest(name, words::names(Place::Placeholder)).map(|advice| {
                format!("{advice} Braces that are meant as such: `{{ {name} }}`, or `\\{{` in a regular expression")
            });
            return Err(Unresolved::suggesting(format!("unknown placeholder `{shown}`"), advice));
        }
        if name == "hostname" && number.is_none() {
            return Ok(self.host.hostname.clone());
        }
        let stack = self.stack_for(&shown)?;
        let secret = || secret(stack, &shown, number);
        if number.is_some() && !matches!(name, "secret" | "fallback" | "secret-name") {
            return Err(Unresolved::new(format!("`{name}` takes no number"), "only secrets are numbered"));
        }
        match name {
            "unit" => Ok(stack.unit.clone()),
            "compose" => compose(stack),
            "override" => Ok(override_beside(&compose(stack)?)),
            "secret" => Ok(secret()?.native.clone()),
            "fallback" => fallback(secret()?, &shown),
            "secret-name" => Ok(secret()?.name.clone()),
            "env-paths" => env_paths(stack),
            "holder" => holder(stack).map(|service| service.container.clone()),
            "project" => project(stack),
            _ => Ok(stack.name.clone()),
        }
    }
}

/// The name, the number and the length of the placeholder at the start of a text.
fn placeholder(text: &str) -> Option<(&str, Option<usize>, usize)> {
    let (inner, _) = text.strip_prefix('{')?.split_once('}')?;
    let (name, number) = match inner.split_once(':') {
        Some((name, number)) => (name, Some(number.parse().ok()?)),
        None => (inner, None),
    };
    let is_word =
        name.starts_with(|c: char| c.is_ascii_lowercase()) && name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    is_word.then_some((name, number, inner.len() + 2))
}

fn override_beside(compose: &str) -> String {
    let folder = compose.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/override.yml")
}

/// The secret of this number (from 1), the first unless told.
pub(super) fn secret<'a>(
    stack: &'a StackFacts,
    wanted: &str,
    number: Option<usize>,
) -> Result<&'a SecretFacts, Unresolved> {
    let index = number.unwrap_or(1).checked_sub(1);
    index.and_then(|index| stack.secrets.get(index)).ok_or_else(|| {
        let message = format!("`{wanted}` does not exist in stack `{}`", stack.name);
        Unresolved::new(message, format!("it has {} secret(s), numbered from 1", stack.secrets.len())).lacking()
    })
}

/// The stack's compose project.
fn project(stack: &StackFacts) -> Result<String, Unresolved> {
    stack.project.clone().ok_or_else(|| {
        let message = format!("stack `{}` is no compose project", stack.name);
        Unresolved::new(message, "choose a stack that is one").lacking()
    })
}

/// The stack's compose file.
pub(super) fn compose(stack: &StackFacts) -> Result<String, Unresolved> {
    stack.compose.clone().ok_or_else(|| {
        let message = format!("stack `{}` has no compose file", stack.name);
        Unresolved::new(message, "choose a stack that is started from one").lacking()
    })
}

/// The stack's list of resolved env paths.
pub(super) fn env_paths(stack: &StackFacts) -> Result<String, Unresolved> {
    stack.env_paths.clone().ok_or_else(|| {
        let message = format!("stack `{}` writes no list of env paths", stack.name);
        Unresolved::new(message, "choose a stack that writes one, or leave this out").lacking()
    })
}

/// The fallback path of a secret.
pub(super) fn fallback(secret: &SecretFacts, wanted: &str) -> Result<String, Unresolved> {
    secret.fallback.clone().ok_or_else(|| {
        let message = format!("`{wanted}`: the secret `{}` has no fallback path", secret.name);
        Unresolved::new(message, "choose a stack whose secret has one, or leave this out").lacking()
    })
}

/// The service whose network others of the stack join.
pub(super) fn holder(stack: &StackFacts) -> Result<&ServiceFacts, Unresolved> {
    let joins = |service: &ServiceFacts| {
        let network_of = |other: &ServiceFacts| other.network_of.as_deref() == Some(&service.name);
        stack.services.iter().any(network_of)
    };
    stack.services.iter().find(|service| joins(service)).ok_or_else(|| {
        let message = format!("no service of stack `{}` holds a network that others join", stack.name);
        Unresolved::new(message, "choose a stack with `network_mode: service:…`, or name a service").lacking()
    })
}
