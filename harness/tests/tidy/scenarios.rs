//! What holds between scenarios, statements and faults.

use std::sync::LazyLock;

use regex::Regex;

use crate::file::{File, matches};

/// Faults that no scenario names in `broken-by` yet, with the statement whose scenario is still to come.
pub const UNUSED_FAULTS: &[(&str, &str)] = &[];

/// Where a message sends the reader to.
const LIST: &str = "UNUSED_FAULTS of tests/tidy/scenarios.rs";

/// The statements are all there, in order, one sentence each.
pub fn statements(files: &[File]) -> Vec<String> {
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(?m)^(\w+) = ".+\."$"#).unwrap());
    let groups = (1..=20).map(|n| format!("A{n}")).chain((21..=39).map(|n| format!("B{n}")));
    let mut expected = groups.chain((40..=49).map(|n| format!("C{n}")));
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.path == "scenarios/statements.toml") {
        for (line, number) in matches(&NUMBER, &file.text) {
            match expected.next() {
                Some(next) if next == number => {}
                next => {
                    let next = next.as_deref().unwrap_or("the end");
                    return vec![file.breach(line, format!("{number} where {next} belongs: keep A1 to C49 in order"))];
                }
            }
        }
        let missing = expected.next().map(|next| format!("{next} is missing, or no sentence in quotes: add it"));
        breaches.extend(missing.map(|problem| file.breach(file.text.lines().count(), problem)));
    }
    breaches
}

/// Every fault has a scenario that must notice it, or stands in the list of those that are still unused.
pub fn faults(files: &[File], unused: &[(&str, &str)]) -> Vec<String> {
    static FAULT: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"(?m)^id = "(.+)"$"#).unwrap());
    let scenarios = files.iter().filter(|file| file.path.starts_with("scenarios/"));
    let named: Vec<String> = scenarios.flat_map(named_faults).collect();
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| file.path == "fixtures/faults.toml") {
        let known = matches(&FAULT, &file.text);
        for (line, fault) in &known {
            let is_named = named.iter().any(|name| name == fault);
            let is_listed = unused.iter().any(|(listed, _)| listed == fault);
            if !is_named && !is_listed {
                let problem = format!("no scenario is broken by {fault}: name it in a `broken-by`, or in {LIST}");
                breaches.push(file.breach(*line, problem));
            }
            if is_named && is_listed {
                let problem = format!("a scenario is broken by {fault} by now: remove it from {LIST}");
                breaches.push(file.breach(*line, problem));
            }
        }
        let gone = unused.iter().filter(|(listed, _)| known.iter().all(|(_, fault)| fault != listed));
        let problem = |fault| format!("there is no fault {fault}: remove it from {LIST}");
        breaches.extend(gone.map(|(fault, _)| file.breach(1, problem(fault))));
    }
    breaches
}

/// The faults that a scenario names. What is no TOML is left to the reader of scenarios, which explains it better.
fn named_faults(scenario: &File) -> Vec<String> {
    match scenario.text.parse::<toml::Table>().ok().and_then(|mut table| table.remove("broken-by")) {
        Some(toml::Value::String(fault)) => vec![fault],
        Some(toml::Value::Array(faults)) => {
            faults.iter().filter_map(|fault| fault.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}
