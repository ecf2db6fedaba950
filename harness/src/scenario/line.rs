//! Lines: from the tables of `then` to what the judge decides.

use super::context::{Context, Unresolved};
use super::table::{Node, Table};
use super::words::{Place, Word};
use super::{ActiveState, Expectation, FileCondition, JournalSource, Line, Pattern, Relation, Times};

impl<'a> Context<'a> {
    /// The lines of a step. A line about containers of several stacks becomes one for each different content of its
    /// placeholders.
    pub(super) fn lines(&self, node: Node<'a>) -> Vec<Line> {
        node.array().into_iter().flat_map(|line| self.line(line)).collect()
    }

    fn line(&self, node: Node<'a>) -> Vec<Line> {
        let Some(table) = node.table(Place::Line) else { return Vec::new() };
        let red = table.flag("red");
        if red {
            self.red.get_or_init(|| node.span());
        }
        let Some((subject, value)) = table.lead("what the line is about") else { return Vec::new() };
        let takes_time = !matches!(subject, "file" | "output" | "at-most");
        let within = takes_time.then(|| table.get("within")).flatten().and_then(Node::duration);
        let Some((expectations, kind)) = self.expectations(&table, subject, value) else { return Vec::new() };
        table.finish(&kind);
        let line = |what| Line { span: node.span(), red, within, what };
        expectations.into_iter().map(line).collect()
    }

    /// What the line expects, and the keys that made it so, for messages about further keys.
    fn expectations(&self, table: &Table<'a>, subject: &str, value: Node<'a>) -> Option<(Vec<Expectation>, String)> {
        if subject == "containers" {
            return self.container_line(table, value);
        }
        let (verb, expectation) = match subject {
            "unit" => self.unit_line(table, value)?,
            "order" => ("", self.order(value)),
            "journal" => self.journal_line(table, value)?,
            "alert" => ("", self.alert(table, value)),
            "file" => ("", self.file(table, value)),
            "output" => {
                let output = |pattern, times| Expectation::Output { pattern: related(table, pattern), times };
                ("", self.counted(table, value, output))
            }
            "process" => ("", self.counted(table, value, |pattern, times| Expectation::Process { pattern, times })),
            // `at-most`, the last of the words that lead a line.
            _ => ("", at_most(table, value)),
        };
        let kind = if verb.is_empty() { format!("`{subject}`") } else { format!("`{verb}`") };
        Some((expectation.into_iter().collect(), kind))
    }

    fn unit_line(&self, table: &Table<'a>, value: Node<'a>) -> Option<(&'static str, Option<Expectation>)> {
        let units = self.units(value);
        let (verb, state) = table.choose("what becomes of the unit", &["enters", "never-enters", "is"])?;
        if verb == "never-enters" {
            return Some((verb, active_state(state).map(|state| Expectation::UnitNeverEnters { units, state })));
        }
        if verb == "is" && state.peek() == Some("unchanged") {
            return Some((verb, Some(Expectation::UnitUnchanged { units })));
        }
        let state = active_state(state);
        let result = table.get("result").and_then(|node| node.word(Place::Result)).map(owned_name);
        let sub = table.get("sub").and_then(|node| node.word(Place::Sub)).map(owned_name);
        if let (Some(state), Some(node)) = (state, table.get("result"))
            && state == ActiveState::Failed
            && result.as_deref() == Some("success")
        {
            node.report("no unit is failed with the result `success`", Some("drop it, or name a failure".into()));
        }
        if let (Some(state), Some(node), "is") = (state, table.get("sub"), verb)
            && let Some((name, _)) = sub.as_deref().and_then(state_of_sub).filter(|(_, fitting)| *fitting != state)
        {
            let advice = format!("write `is = \"{name}\"`");
            node.report("no unit in this state has that sub state", Some(advice));
        }
        let expectation = state.map(|state| match verb {
            "enters" => Expectation::UnitEnters { units, state, result, sub },
            _ => Expectation::UnitIs { units, state, sub, result },
        });
        Some((verb, expectation))
    }

    fn order(&self, value: Node<'a>) -> Option<Expectation> {
        let nodes = value.array();
        if nodes.len() == 1 {
            value.report("an order of one entry always holds", Some("name at least two".into()));
        }
        let entry = |node: Node<'a>| {
            let table = node.table(Place::OrderEntry)?;
            let units = table.need("unit").map(|node| self.units(node));
            let state = table.need("enters").and_then(active_state);
            table.finish("an entry of `order`");
            Some((units?, state?))
        };
        Some(Expectation::Order { entries: nodes.into_iter().filter_map(entry).collect() })
    }

    fn journal_line(&self, table: &Table<'a>, value: Node<'a>) -> Option<(&'static str, Option<Expectation>)> {
        let of = match value.peek() {
            Some("kernel") => JournalSource::Kernel,
            Some("anything") => JournalSource::Anything,
            _ => JournalSource::Units(self.units(value)),
        };
        let (verb, expression) = table.choose("what the records say", &["matches", "text"])?;
        let times = times(table);
        let pattern = match verb {
            "text" => self.named_text(expression),
            _ => {
                let pattern = self.pattern(expression).filter(|pattern| says_something(expression, pattern, times));
                pattern.map(|pattern| related(table, pattern))
            }
        };
        Some((verb, pattern.map(|pattern| Expectation::Journal { of, pattern, times })))
    }

    fn alert(&self, table: &Table<'a>, value: Node<'a>) -> Option<Expectation> {
        let units = self.units(value);
        let times = times(table);
        let says_something = |node, pattern: &Pattern| says_something(node, pattern, AT_LEAST_ONE);
        let pattern =
            table.get("matches").and_then(|node| self.pattern(node).filter(|found| says_something(node, found)));
        let priority = table.get("priority").and_then(Node::count);
        if !self.host.alerts {
            let message = format!("host `{}` posts no alerts", self.host.name);
            let advice = "give its manifest an `alert-url`, or choose another host";
            return self.reported(value, Err(Unresolved::new(message, advice).lacking()));
        }
        Some(Expectation::Alert { units, pattern, priority, times })
    }

    fn counted(
        &self,
        table: &Table<'a>,
        value: Node<'a>,
        expectation: impl Fn(Pattern, Times) -> Expectation,
    ) -> Option<Expectation> {
        let times = times(table);
        let pattern = self.pattern(value)?;
        says_something(value, &pattern, times).then(|| expectation(pattern, times))
    }

    fn file(&self, table: &Table<'a>, value: Node<'a>) -> Option<Expectation> {
        let mut paths = self.paths(value);
        let path = paths.pop();
        if !paths.is_empty() {
            value.report("a line looks at one file", Some("write a line for each".into()));
        }
        let is = FileCondition {
            absent: table.flag("absent"),
            mode: table.get("mode").and_then(super::act::mode),
            owner: table.get("owner").and_then(Node::text).map(str::to_owned),
            lines: table
                .get("lines")
                .map(|node| node.array().into_iter().filter_map(|line| self.filled(line)).collect()),
            matches: table
                .get("matches")
                .and_then(|node| self.pattern(node).filter(|pattern| says_something(node, pattern, AT_LEAST_ONE))),
        };
        let has_content = table.any(&["mode", "owner", "lines", "matches"]);
        if is.absent && has_content {
            table.report("a file that is absent has nothing else", "drop `absent`, or everything else");
        } else if !is.absent && !has_content {
            table.missing("what the file is like is missing", "give `absent`, `mode`, `owner`, `lines` or `matches`");
        }
        path.map(|path| Expectation::File { path, is })
    }
}

const AT_LEAST_ONE: Times = Times { least: 1, most: None };

/// How many there must be: at least one unless the line says otherwise.
fn times(table: &Table<'_>) -> Times {
    match table.at_most_one("how many", &["times", "at-least", "never"]) {
        Some(("never", node)) if node.flag() => Times { least: 0, most: Some(0) },
        Some(("times", node)) => node.count().map_or(AT_LEAST_ONE, |count| Times { least: count, most: Some(count) }),
        Some(("at-least", node)) => node.count().map_or(AT_LEAST_ONE, |least| Times { least, most: None }),
        _ => AT_LEAST_ONE,
    }
}

/// Whether an expression can fail to match: one that matches the empty text finds itself in everything.
fn says_something(node: Node<'_>, pattern: &Pattern, times: Times) -> bool {
    let vacuous = times.most.is_none() && pattern.regex.is_match("");
    if vacuous {
        let advice = "name what has to be there, or say how many with `times` or `never`";
        node.report("this expression matches the empty text, so the line can hardly fail", Some(advice.into()));
    }
    !vacuous
}

/// The pattern with the relation that its captures must be in, where the line has one.
fn related(table: &Table<'_>, pattern: Pattern) -> Pattern {
    let read = |node: Node<'_>| {
        let parsed = Relation::parse(node.text()?, &pattern.regex);
        parsed.map_err(|(message, advice)| node.report(message, Some(advice))).ok()
    };
    Pattern { relation: table.get("where").and_then(read), ..pattern }
}

fn at_most(table: &Table<'_>, value: Node<'_>) -> Option<Expectation> {
    let of = table.need("of").and_then(Node::text);
    Some(Expectation::AtMost { ratio: value.ratio()?, of: of?.to_owned() })
}

fn owned_name(word: &Word) -> String {
    word.name.to_owned()
}

/// The state that a sub state belongs to (systemd's `systemctl --state=help` lists them by kind of unit).
fn state_of_sub(sub: &str) -> Option<(&'static str, ActiveState)> {
    match sub {
        "dead" => Some(("inactive", ActiveState::Inactive)),
        "failed" => Some(("failed", ActiveState::Failed)),
        "exited" | "running" | "listening" | "waiting" | "elapsed" | "mounted" | "active" => {
            Some(("active", ActiveState::Active))
        }
        "start-pre" | "start" | "start-post" | "auto-restart" => Some(("activating", ActiveState::Activating)),
        "stop" => Some(("deactivating", ActiveState::Deactivating)),
        _ => None,
    }
}

fn active_state(node: Node<'_>) -> Option<ActiveState> {
    let word = node.word(Place::State)?;
    Some(match word.name {
        "active" => ActiveState::Active,
        "reloading" => ActiveState::Reloading,
        "inactive" => ActiveState::Inactive,
        "failed" => ActiveState::Failed,
        "activating" => ActiveState::Activating,
        _ => ActiveState::Deactivating,
    })
}
