//! A file as a whole: what stands at its top, its trials, and files beside each other.

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeTable;

use super::connection::check_connections;
use super::context::Context;
use super::diagnostic::{Mistakes, nearest, suggest};
use super::table::{Node, Table};
use super::words::Place;
use super::{
    Diagnostic, Excepted, Exception, Hardware, HostFacts, Pattern, Scenario, Section, Source, Span, Step, Time, Trial,
    World,
};

/// Reads one scenario file; `name` is its file's name without the ending.
///
/// # Errors
///
/// Every mistake in the file, in the order of the text.
pub fn read(source: Source, section: Section, name: &str, world: &World) -> Result<Scenario, Vec<Diagnostic>> {
    let (tree, syntax) = DeTable::parse_recoverable(&source.text);
    let mistakes = Mistakes::new(&source, &syntax);
    if !is_kebab_case(name) {
        let advice = "name the file in lower-case words joined with `-`, as in `missing-secret.toml`";
        mistakes.report(0..0, format!("the file's name `{name}` is not kebab-case"), Some(advice.into()));
    }
    let file = Table::new(Place::File, tree.get_ref(), 0..0, &mistakes);
    let title = file.need("title").and_then(Node::text).unwrap_or_default().to_owned();
    let statements = Known { noun: "statement", names: &world.statements, path: &world.statements_in };
    let proves = statements.among(file.need("proves").map(Node::array));
    let faults = Known { noun: "fault", names: &world.faults, path: &world.faults_in };
    let broken_by = faults.among(file.get("broken-by").map(Node::one_or_more));
    let hardware = hardware(&file);
    let slow = file.get("slow").and_then(Node::text).map(str::to_owned);
    let hosts = hosts(&file, world);
    let names: Vec<&str> = hosts.iter().map(|(name, facts)| facts.map_or(*name, |facts| &facts.name)).collect();
    let known = || hosts.iter().filter_map(|(_, facts)| *facts);
    let red = OnceCell::new();
    let lacks = OnceCell::new();
    let unread = Cell::new(false);
    let without_stack = |host| Context {
        host,
        hosts: &names,
        stack: None,
        mistakes: &mistakes,
        red: &red,
        unread: &unread,
        lacks: world.foreign.is_some().then_some(&lacks),
    };
    let contexts = known().map(|host| with_stack(&file, without_stack(host)));
    let mut trials: Vec<Trial> = contexts.map(|context| trial(&file, context)).collect();
    // What a name means is known on a host only: without one, the rest of the file says nothing.
    if known().next().is_some() {
        check_red(&file, &trials, red.get(), &mistakes);
        file.finish("a file");
    } else if let Some(host) = &world.foreign {
        trials.push(elsewhere(host, &names));
    }

    let found = mistakes.into_sorted();
    if !found.is_empty() {
        return Err(found);
    }
    Ok(Scenario { section, name: name.to_owned(), title, proves, broken_by, hardware, slow, trials, source })
}

fn hardware(file: &Table<'_>) -> Hardware {
    let time = file.get("time").and_then(|node| node.word(Place::Time)).map(|word| word.name);
    let cpus = file.get("cpus").and_then(|node| Some((node, node.count()?)));
    if let Some((node, count)) = cpus.filter(|(_, count)| *count != 2) {
        let advice = "write `cpus = 2`, or leave the key out where one processor is enough";
        node.report(format!("a guest cannot be asked to have {count} processors"), Some(advice.into()));
    }
    Hardware {
        time: match time {
            Some("virtual") => Time::Virtual,
            Some("real") => Time::Real,
            _ => Time::Any,
        },
        two_processors: cpus.is_some(),
    }
}

/// Reads all scenario files; the section and the name of each come from its path, `…/<section>/<name>.toml`.
///
/// # Errors
///
/// Every mistake in every file, file by file, in the order of the sources.
pub fn read_all(sources: Vec<Source>, world: &World) -> Result<Vec<Scenario>, Vec<Diagnostic>> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let mut mistakes = Vec::new();
    let mut seen: BTreeMap<(Section, String), String> = BTreeMap::new();
    for source in sources {
        let path = source.path.clone();
        let at_top = |message: String, advice: &str| Diagnostic {
            path: path.clone(),
            message,
            span: 0..0,
            advice: Some(advice.to_owned()),
        };
        let Some((section, name)) = place_of(&path) else {
            let advice = "scenario files are `functional/…`, `failure/…` or `regression/<name>.toml`";
            mistakes.push(at_top("this file is in no section".into(), advice));
            continue;
        };
        if let Some(other) = seen.insert((section, name.clone()), path.clone()) {
            let message = format!("a scenario `{name}` of this section is in `{other}` too");
            mistakes.push(at_top(message, "trials are named by section and file: rename one"));
        }
        match read(source, section, &name, world) {
            Ok(scenario) => scenarios.push(scenario),
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() { Ok(scenarios) } else { Err(mistakes) }
}

/// The section and the name that a path stands for, `…/<section>/<name>.toml`; none if it is in no section.
pub fn place_of(path: &str) -> Option<(Section, String)> {
    let (folder, file) = path.rsplit_once('/')?;
    let section = match folder.rsplit('/').next()? {
        "functional" => Section::Functional,
        "failure" => Section::Failure,
        "regression" => Section::Regression,
        _ => return None,
    };
    Some((section, file.strip_suffix(".toml")?.to_owned()))
}

fn is_kebab_case(name: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    name.split('-').all(is_word)
}

/// Names that a scenario may use, and the file that they are written in.
struct Known<'w> {
    noun: &'static str,
    names: &'w BTreeSet<String>,
    path: &'w str,
}

impl Known<'_> {
    /// The texts of the nodes, each of which has to be known and to stand there once.
    fn among(&self, nodes: Option<Vec<Node<'_>>>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for node in nodes.unwrap_or_default() {
            let Some(name) = node.text() else { continue };
            if !self.names.contains(name) {
                let near = nearest(name, self.names.iter().map(String::as_str));
                let advice = match near {
                    Some(near) => format!("did you mean `{near}`? All are in {}", self.path),
                    None => format!("the {}s are in {}", self.noun, self.path),
                };
                node.report(format!("there is no {} `{name}`", self.noun), Some(advice));
            } else if names.iter().any(|seen| seen == name) {
                node.report(format!("`{name}` is named before"), Some("drop it".into()));
            }
            names.push(name.to_owned());
        }
        names
    }
}

/// The hosts of the scenario, each with what is known of it. An unknown one has the nearest as its stand-in, so that the
/// rest is read all the same. Where somebody else's generation is run, only its own host is known, and others may exist.
fn hosts<'a>(file: &Table<'a>, world: &'a World) -> Vec<(&'a str, Option<&'a HostFacts>)> {
    let mut hosts: Vec<(&str, Option<&HostFacts>)> = Vec::new();
    for node in file.need("hosts").map(Node::array).unwrap_or_default() {
        let Some(name) = node.text() else { continue };
        if hosts.iter().any(|(seen, _)| *seen == name) {
            node.report(format!("`{name}` is named before"), Some("drop it".into()));
            continue;
        }
        let facts = world.hosts.get(name).or_else(|| {
            let known = || world.hosts.keys().map(String::as_str);
            if world.foreign.is_some() {
                return None;
            }
            node.report(format!("there is no host `{name}`"), suggest(name, known()));
            world.hosts.get(nearest(name, known())?)
        });
        hosts.push((name, facts));
    }
    hosts
}

/// The context with the scenario's stack on the host, if it has one. An unknown stack has another as its stand-in, so
/// that `@unit` does not fail everywhere for one misspelt name.
fn with_stack<'a>(file: &Table<'a>, context: Context<'a>) -> Context<'a> {
    let Some(node) = file.get("stack") else { return context };
    let named = context.on_host(node).and_then(|node| context.reported(node, context.stack_named(node.text()?)));
    Context { stack: named.or(context.host.stacks.first()), ..context }
}

fn trial<'a>(file: &Table<'a>, context: Context<'a>) -> Trial {
    let given = file.get("given").map(|node| context.acts(node)).unwrap_or_default();
    let steps = file.need("step").map(Node::array).unwrap_or_default();
    let except = file.get("except").map(Node::array).unwrap_or_default();
    let trial = Trial {
        host: context.host.name.clone(),
        stack: context.stack.map(|stack| stack.name.clone()),
        stacks: context.host.stacks.clone(),
        given,
        steps: steps.into_iter().filter_map(|node| step(node, &context)).collect(),
        except: except.into_iter().filter_map(|node| exception(node, &context)).collect(),
        lacks: context.lacks.and_then(OnceCell::get).cloned(),
    };
    // What could not be resolved or read is missing where it would be connected.
    if trial.lacks.is_none() && !context.unread.get() {
        check_connections(&trial, context.mistakes);
    }
    trial
}

/// The one trial of a scenario for other hosts than that of somebody else's generation.
fn elsewhere(host: &str, named: &[&str]) -> Trial {
    Trial {
        host: host.to_owned(),
        lacks: Some(format!("the scenario is for {}; the generation is of {host}", named.join(" and "))),
        ..Trial::default()
    }
}

fn step<'a>(node: Node<'a>, context: &Context<'a>) -> Option<Step> {
    let table = node.table(Place::Step)?;
    let step = Step {
        name: table.get("name").and_then(Node::text).map(str::to_owned),
        span: node.span(),
        when: table.get("when").map(|node| context.acts(node)).unwrap_or_default(),
        measure: table.get("measure").and_then(Node::text).map(str::to_owned),
        then: table.need("then").map(|node| context.lines(node)).unwrap_or_default(),
    };
    table.finish("a step");
    Some(step)
}

fn exception<'a>(node: Node<'a>, context: &Context<'a>) -> Option<Exception> {
    let table = node.table(Place::Exception)?;
    let (about, value) = table.lead("what is excepted")?;
    let what = match about {
        "unit" => Some(Excepted::Units(context.units(value))),
        "containers" => Some(Excepted::Containers(context.containers(value))),
        "journal" => excepted_text(value, context).map(Excepted::Journal),
        _ => excepted_text(value, context).map(Excepted::Change),
    };
    let reason = table.need("reason").and_then(Node::text);
    table.finish(&format!("`{about}`"));
    Some(Exception { span: node.span(), what: what?, reason: reason?.to_owned() })
}

/// An expression that matches the empty text finds itself in everything: nothing would be left to judge.
fn excepted_text<'a>(node: Node<'a>, context: &Context<'a>) -> Option<Pattern> {
    let pattern = context.pattern(node)?;
    if pattern.regex.is_match("") {
        node.report("this exception matches everything", Some("name what the message says".into()));
    }
    Some(pattern)
}

/// A scenario is worth its trial only if a fault is known to turn one of its lines red.
fn check_red(file: &Table<'_>, trials: &[Trial], red: Option<&Span>, mistakes: &Mistakes<'_>) {
    // A step whose `then` could not be read may hold the mark.
    let is_read = |trial: &Trial| !trial.steps.is_empty() && trial.steps.iter().all(|step| !step.then.is_empty());
    let all_read = trials.iter().all(is_read);
    match (file.get("broken-by"), red) {
        (None, Some(span)) => mistakes.missing(
            span.clone(),
            "this line is `red`, but the scenario names no fault",
            "add `broken-by = \"…\"` at the top of the file",
        ),
        (None, None) => {
            file.need("broken-by");
        }
        (Some(node), None) if all_read => mistakes.missing(
            node.span(),
            "no line is marked `red`",
            "add `red = true` to each line that fails under the fault",
        ),
        (Some(_), _) => {}
    }
}
