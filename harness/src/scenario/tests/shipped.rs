//! What the repository ships: its scenarios, and the reference of the vocabulary.

use super::super::words::{Place, WORDS, Word};
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

#[test]
fn shipped_scenarios_are_without_mistakes() {
    let sources = shipped();
    let scenarios = read_all(sources.clone(), &world()).unwrap_or_else(|mistakes| {
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
    check_golden("../docs/scenarios.md", &reference());
}

/// The example of a word, put where such a word stands in a file.
fn file_with(word: &Word) -> String {
    let head = "title = \"t\"\nproves = [\"A4\"]\nhosts = [\"igpu\"]\nstack = \"plex\"\nbroken-by = \"no-alert\"\n";
    let with_top = |key: &str, line: &str| {
        let kept: Vec<&str> = head.lines().filter(|kept| !kept.starts_with(&format!("{key} ="))).collect();
        format!("{line}\n{}\n", kept.join("\n"))
    };
    let measured = "[[step]]\nwhen = { start = \"@unit\" }\nmeasure = \"healthy\"\n\
        then = [ { unit = \"@unit\", enters = \"active\", red = true } ]\n";
    let step = |when: &str, line: &str| format!("{head}{measured}[[step]]\nwhen = {when}\nthen = [ {line} ]\n");
    let (act, line) = ("{ run = \"true\" }", "{ unit = \"@unit\", is = \"active\" }");
    let example = word.example.to_owned();
    match word.place {
        Place::File if word.name == "step" => format!("{head}{measured}"),
        Place::File | Place::Time => {
            with_top(if word.place == Place::Time { "time" } else { word.name }, &example) + measured
        }
        Place::Step => {
            let own = ["when = { run = \"true\" }", "then = [ { unit = \"@unit\", is = \"active\" } ]"];
            let kept = own.into_iter().filter(|kept| !kept.starts_with(word.name)).collect::<Vec<_>>().join("\n");
            let measured = measured.replace("healthy", "other");
            format!("{head}{measured}[[step]]\n{kept}\n{example}\n")
        }
        Place::Exception => format!("except = [ {example} ]\n{}", step(act, line)),
        Place::Placeholder => step(&format!("{{ run = \"echo {}\" }}", example.replace(":2", "")), line),
        Place::OrderEntry => step(act, &format!("{{ order = [ {example}, {example} ] }}")),
        Place::Line if word.name == "red" => step(act, &example),
        _ if leads_act(&example) => {
            step(&example, line).replace("when = { restore", "when = [ { remove = \"@secret\" }, { restore")
        }
        _ => step(act, &example),
    }
}

fn leads_act(example: &str) -> bool {
    super::super::words::leads(Place::Act).any(|lead| example.starts_with(&format!("{{ {lead} =")))
}

#[test]
fn examples_of_the_reference_are_without_mistakes() {
    let mut world = world();
    let host = world.hosts.get_mut("igpu").unwrap();
    for stack in &mut host.stacks {
        for service in &mut stack.services {
            service.health_check = true;
        }
    }
    for stack in ["jellyfin"] {
        assert!(host.stacks.iter().any(|facts| facts.name == stack));
    }
    for word in WORDS {
        let mut text = file_with(word);
        if text.contains("restore =") {
            text = text.replace(
                "\"@secret\" }\nthen = [ { unit = \"@unit\", is",
                "\"@secret\" } ]\nthen = [ { unit = \"@unit\", is",
            );
        }
        let example = source("example.toml", &text);
        if let Err(mistakes) = read(example.clone(), Section::Functional, "example", &world) {
            panic!("{}: {}\n{text}", word.name, mistakes[0].render(&example, false));
        }
    }
}
