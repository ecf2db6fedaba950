//! What the repository ships: its scenarios, and the reference of the vocabulary.

use std::collections::BTreeSet;

use regex::Regex;

use super::super::words::{self, Place, WORDS, Word};
use super::*;

fn shipped() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut sources = Vec::new();
    for section in ["functional", "failure", "regression"] {
        for entry in std::fs::read_dir(root.join(section)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let text = std::fs::read_to_string(root.join(section).join(&name)).unwrap();
            sources.push(source(&format!("scenarios/{section}/{name}"), &text));
        }
    }
    sources
}

/// Both hosts.
fn hosts() -> World {
    let mut world = world();
    world.hosts.insert("doc1".to_owned(), host(&golden("doc1")));
    world
}

#[test]
fn shipped_scenarios_are_without_mistakes() {
    let sources = shipped();
    let scenarios = read_all(sources.clone(), &hosts()).unwrap_or_else(|mistakes| {
        let rendered = mistakes.iter().map(|mistake| {
            let source = sources.iter().find(|source| source.path == mistake.path).unwrap();
            mistake.render(source, false)
        });
        panic!("\n{}", rendered.collect::<Vec<_>>().join("\n\n"))
    });
    assert_eq!(scenarios.len(), sources.len());
}

#[test]
fn reference_is_up_to_date() {
    golden::check("docs/scenarios.md", "reference", &reference());
}

const HEAD: &str = r#"title = "t"
proves = ["A4"]
hosts = ["igpu"]
stack = "plex"
given = [ { remove = "@secret" }, { knob = "hang", of = "@holder" } ]
broken-by = "no-alert"
"#;
const MEASURED: &str = r#"
[[step]]
when = { start = "@unit" }
measure = "earlier"
then = [ { unit = "@unit", enters = "active", red = true } ]
"#;
const ACT: &str = r#"{ run = "true" }"#;
const LINE: &str = r#"{ unit = "@unit", is = "active" }"#;

/// The example of a word, put where such a word stands in a file; a key of the example replaces that of the file.
fn file_with(word: &Word) -> String {
    let example = word.example;
    let without = |text: &str, key: &str| -> String {
        let is_other = |line: &&str| !line.starts_with(&format!("{key} ="));
        text.lines().filter(is_other).map(|line| format!("{line}\n")).collect()
    };
    let key = example.split(' ').next().unwrap_or_default();
    let step = |when: &str, then: &str| format!("[[step]]\nwhen = {when}\nthen = [ {then} ]\n");
    let top = format!("{HEAD}{}", MEASURED.replace("earlier", "healthy"));
    let leads_action = words::leads(Place::Act).any(|lead| example.starts_with(&format!("{{ {lead} =")));
    match word.place {
        Place::File if word.name == "step" => top,
        Place::File | Place::Time => format!("{example}\n{}{MEASURED}", without(HEAD, key)),
        Place::Step => format!("{HEAD}{MEASURED}{}{example}\n", without(&step(ACT, LINE), key)),
        Place::Exception => format!("except = [ {example} ]\n{top}"),
        Place::Placeholder => top + &step(&format!("{{ run = \"echo {example}\" }}"), LINE),
        Place::OrderEntry => top + &step(ACT, &format!("{{ order = [ {example}, {example} ] }}")),
        _ if leads_action => top + &step(example, LINE),
        _ => top + &step(ACT, example),
    }
}

#[test]
fn examples_of_the_reference_are_without_mistakes() {
    let mut world = world();
    let stacks = world.hosts.values_mut().flat_map(|host| &mut host.stacks);
    for stack in stacks {
        stack.services.iter_mut().for_each(|service| service.health_check = true);
        stack.secrets.extend(stack.secrets.clone());
    }
    for word in WORDS {
        let text = file_with(word);
        let example = source("example.toml", &text);
        match read(example.clone(), Section::Functional, "example", &world) {
            Ok(scenario) => {
                let whole = |step: &Step| !step.when.is_empty() && !step.then.is_empty();
                assert!(scenario.trials[0].steps.iter().all(whole), "{} was passed over:\n{text}", word.name);
            }
            Err(mistakes) => panic!("{}: {}\n{text}", word.name, mistakes[0].render(&example, false)),
        }
    }
}

/// The texts of the contract that the shipped scenarios match letter by letter.
#[test]
fn drift_is_worded_as_the_manifest_has_it() {
    let scenarios = read_all(shipped(), &hosts()).unwrap();
    let label_removed = Regex::new(&world().hosts["igpu"].texts["label-removed"]).unwrap();
    let trials = scenarios.iter().flat_map(|scenario| &scenario.trials);
    let lines = trials.flat_map(|trial| &trial.steps).flat_map(|step| &step.then);
    let mut seen = 0;
    for line in lines {
        let Expectation::Journal { pattern: Pattern { regex, text: None, .. }, .. } = &line.what else { continue };
        let Some(rest) = regex.as_str().strip_prefix(r"^Removing container [0-9a-f]{12} \(") else { continue };
        let message = format!(
            "Removing container 0123456789ab ({}",
            rest.replace('\\', "").replace("[a-z-]+", "a").trim_end_matches('$')
        );
        assert!(regex.is_match(&message) && label_removed.is_match(&message), "{message}");
        seen += 1;
    }
    assert_eq!(seen, 6);
}

/// What is run again and again to see that no verdict is a matter of luck.
#[test]
fn the_sample_uses_every_action() {
    let scenarios = read_all(shipped(), &hosts()).unwrap();
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/sample")).unwrap();
    let sample: BTreeSet<&str> = text.lines().collect();
    assert_eq!(sample.len(), 20);
    let sampled = |scenario: &&Scenario| {
        let name = |host: &str| format!("{host}::{}::{}", scenario.section.name(), scenario.name);
        scenario.trials.iter().any(|trial| sample.contains(name(&trial.host).as_str()))
    };
    let acts = |scenarios: &[&Scenario]| -> BTreeSet<String> {
        let acts = scenarios.iter().flat_map(|scenario| &scenario.trials).flat_map(Trial::acts);
        acts.map(|act| leading(&act.what)).collect()
    };
    let all: Vec<_> = scenarios.iter().collect();
    let some: Vec<_> = scenarios.iter().filter(sampled).collect();
    assert_eq!(some.len(), sample.len(), "each line is the name of a trial, of as many scenarios");
    assert_eq!(acts(&some), acts(&all));
}

/// What tells one action from another.
fn leading(act: &ActKind) -> String {
    match act {
        ActKind::Systemctl { verb, .. } => verb.name().to_owned(),
        ActKind::Knob { knob, .. } => format!("knob {}", knob.is_some()),
        ActKind::Alerts(mode) => format!("alerts {}", mode.name()),
        act => format!("{act:?}").split([' ', '(']).next().unwrap_or_default().to_owned(),
    }
}
