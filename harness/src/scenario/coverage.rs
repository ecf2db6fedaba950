//! Which statements are proven on which hosts, and why the others are not.

use std::collections::BTreeMap;

use toml::Spanned;

use super::diagnostic::suggest;
use super::{Diagnostic, Scenario, Source, Span, World};

/// Every statement on every host: proven by scenarios, or not, with the reason that is written down.
#[derive(Debug)]
pub struct Coverage {
    /// The hosts by name.
    pub hosts: Vec<String>,
    /// The statements in the order of their numbers, each with a standing for each host in the order of `hosts`.
    pub statements: Vec<(String, Vec<Standing>)>,
}

impl Coverage {
    /// Leaves out all hosts but one.
    pub fn retain_host(&mut self, host: &str) {
        if let Some(index) = self.hosts.iter().position(|name| name == host) {
            self.hosts = vec![self.hosts.swap_remove(index)];
            self.statements.iter_mut().for_each(|(_, standings)| *standings = vec![standings.swap_remove(index)]);
        }
    }
}

/// How it stands with one statement on one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// These scenarios prove it, named as `section/name`.
    Proven(Vec<String>),
    /// Nothing proves it; this is why.
    Unproven(String),
}

/// Reasons by host and statement, as they are written.
type Reasons = BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<String>>>;

/// What all scenarios prove, and for the rest the reasons in `reasons`: a table for each host, in it a sentence for each
/// statement. Somebody else's generation needs none.
///
/// # Errors
///
/// Every reason for what is proven or does not exist, every reason that says nothing, and every statement that is
/// neither proven nor has a reason.
pub fn coverage(scenarios: &[Scenario], reasons: Option<&Source>, world: &World) -> Result<Coverage, Vec<Diagnostic>> {
    let written = reasons.map(read).transpose()?.unwrap_or_default();
    let proven = proven(scenarios);
    let strict = reasons.filter(|_| world.foreign.is_none());
    let mut mistakes = strict.map_or_else(Vec::new, |source| needless(&written, &proven, source, world));
    let mut statements: Vec<(String, Vec<Standing>)> = Vec::new();
    let mut holes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for statement in in_order(&world.statements) {
        let mut standings = Vec::new();
        for host in world.hosts.keys() {
            let reason = || written.get(host.as_str()).and_then(|of_host| of_host.get(statement));
            match (proven.get(&(host, statement)), reason()) {
                (Some(scenarios), _) => standings.push(Standing::Proven(scenarios.clone())),
                (None, Some(reason)) => standings.push(Standing::Unproven(reason.get_ref().clone())),
                (None, None) if world.foreign.is_some() => {
                    standings.push(Standing::Unproven("no scenario does so".to_owned()));
                }
                (None, None) => holes.entry(host).or_default().push(statement),
            }
        }
        statements.push((statement.to_owned(), standings));
    }
    if let Some(source) = strict {
        mistakes.extend(holes.into_iter().map(|(host, holes)| unexplained(host, &holes, &written, source)));
    }
    if mistakes.is_empty() {
        return Ok(Coverage { hosts: world.hosts.keys().cloned().collect(), statements });
    }
    mistakes.sort_by_key(|mistake| mistake.span.start);
    Err(mistakes)
}

fn read(reasons: &Source) -> Result<Reasons, Vec<Diagnostic>> {
    toml::from_str(&reasons.text).map_err(|error| {
        let message = format!("cannot read the reasons: {}", error.message().replace('\n', " "));
        let advice = "write a table for each host, and in it lines such as `A1 = \"No scenario yet.\"`";
        vec![mistake(reasons, error.span().unwrap_or(0..0), message, Some(advice.to_owned()))]
    })
}

/// Statements in the order of letter and number, `A4` before `A10`.
pub fn in_order<'a>(statements: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    let key = |statement: &&str| {
        let digits = statement.find(|c: char| c.is_ascii_digit()).unwrap_or(statement.len());
        let (letter, number) = statement.split_at(digits);
        (letter.to_owned(), number.parse().unwrap_or(u32::MAX))
    };
    let mut statements: Vec<&str> = statements.into_iter().map(String::as_str).collect();
    statements.sort_by_key(key);
    statements
}

/// The scenarios that prove a statement on a host.
fn proven(scenarios: &[Scenario]) -> BTreeMap<(&str, &str), Vec<String>> {
    let mut proven: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for scenario in scenarios {
        let run = scenario.trials.iter().filter(|trial| trial.lacks.is_none());
        for (trial, statement) in run.flat_map(|trial| scenario.proves.iter().map(move |number| (trial, number))) {
            let name = format!("{}/{}", scenario.section.name(), scenario.name);
            proven.entry((&trial.host, statement)).or_default().push(name);
        }
    }
    proven
}

/// Reasons that nobody needs, since what they are about is proven or does not exist, and such that say nothing.
fn needless(
    written: &Reasons,
    proven: &BTreeMap<(&str, &str), Vec<String>>,
    source: &Source,
    world: &World,
) -> Vec<Diagnostic> {
    let mut mistakes = Vec::new();
    for (host, of_host) in written {
        if !world.hosts.contains_key(host.get_ref()) {
            let advice = suggest(host.get_ref(), world.hosts.keys().map(String::as_str));
            mistakes.push(mistake(source, host.span(), format!("there is no host `{}`", host.get_ref()), advice));
            continue;
        }
        for (statement, reason) in of_host {
            let (host, name) = (host.get_ref(), statement.get_ref());
            let (message, advice) = if !world.statements.contains(name) {
                (format!("there is no statement `{name}`"), suggest(name, world.statements.iter().map(String::as_str)))
            } else if let Some(scenarios) = proven.get(&(host.as_str(), name.as_str())) {
                let message = format!("{name} is proven on {host} by {}", scenarios.join(", "));
                (message, Some("drop this line: it is a reason for what is not proven".to_owned()))
            } else if reason.get_ref().trim().is_empty() {
                (format!("no reason why {name} is not proven on {host}"), Some("say why, as a sentence".to_owned()))
            } else {
                continue;
            };
            mistakes.push(mistake(source, statement.span(), message, advice));
        }
    }
    mistakes
}

/// All holes of a host in one mistake, with the lines that would explain them.
fn unexplained(host: &str, holes: &[&str], written: &Reasons, source: &Source) -> Diagnostic {
    let table = written.get_key_value(host).map(|(name, _)| name.span());
    let lines: String = holes.iter().map(|statement| format!("\n{statement} = \"…\"")).collect();
    let message = format!("no scenario proves {} on {host}, and no reason says why", holes.join(", "));
    let advice = format!("write a scenario, or a reason below `[{host}]`:{lines}");
    mistake(source, table.unwrap_or(0..0), message, Some(advice))
}

fn mistake(source: &Source, span: Span, message: String, advice: Option<String>) -> Diagnostic {
    Diagnostic { path: source.path.clone(), message, span, advice }
}
