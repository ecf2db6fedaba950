//! Which trials there are, and what they prove.

use std::collections::BTreeMap;

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use crate::scenario::{Scenario, in_order};

/// One trial as `list` shows it.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    trial: String,
    title: &'a str,
    proves: &'a [String],
    time: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpus: Option<u8>,
    #[serde(rename = "broken-by")]
    broken_by: &'a [String],
    scenario: &'a str,
}

/// A table of all trials (name, statements, time, faults, title), followed by how many trials prove each statement.
pub fn list(scenarios: &[Scenario]) -> String {
    let header = ["TRIAL", "PROVES", "TIME", "BROKEN BY", "TITLE"].map(str::to_owned);
    let mut rows = vec![header];
    rows.extend(listed(scenarios).map(|listed| {
        [
            listed.trial,
            listed.proves.join(","),
            listed.cpus.map_or(listed.time.to_owned(), |cpus| format!("{}, {cpus} cpus", listed.time)),
            listed.broken_by.join(","),
            listed.title.to_owned(),
        ]
    }));
    let mut text = table(&rows);
    text.push_str(&coverage(scenarios));
    text
}

/// The trials of [`list`] as a JSON array, an object each.
///
/// # Errors
///
/// Fails when the JSON cannot be written.
pub fn list_json(scenarios: &[Scenario]) -> Result<String, serde_json::Error> {
    let all: Vec<Listed> = listed(scenarios).collect();
    serde_json::to_string_pretty(&all)
}

fn listed(scenarios: &[Scenario]) -> impl Iterator<Item = Listed<'_>> {
    scenarios.iter().flat_map(|scenario| {
        scenario.trials.iter().map(|trial| Listed {
            trial: format!("{}::{}::{}", trial.host, scenario.section.name(), scenario.name),
            title: &scenario.title,
            proves: &scenario.proves,
            time: scenario.hardware.time.name(),
            cpus: scenario.hardware.two_processors.then_some(2),
            broken_by: &scenario.broken_by,
            scenario: &scenario.source.path,
        })
    })
}

fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(widths);
            let padded = cells.map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
            let line = padded.collect::<Vec<_>>().join("  ");
            format!("{}\n", line.trim_end())
        })
        .collect()
}

fn coverage(scenarios: &[Scenario]) -> String {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for scenario in scenarios {
        for statement in &scenario.proves {
            *counts.entry(statement).or_default() += scenario.trials.len();
        }
    }
    let trials: usize = scenarios.iter().map(|s| s.trials.len()).sum();
    let count = |statement: &str| counts.iter().find(|(name, _)| **name == statement).map_or(0, |(_, count)| *count);
    let statements = in_order(counts.keys().copied()).into_iter();
    let statements = statements.map(|statement| format!(" {statement}:{}", count(statement))).collect::<String>();
    format!(
        "\n{trials} trials of {} scenarios prove {} statements (statement:trials):{statements}\n",
        scenarios.len(),
        counts.len()
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample::source;
    use super::*;
    use crate::scenario::Time;
    use crate::scenario::Trial;
    use crate::scenario::{Hardware, Section};

    fn scenarios() -> Vec<Scenario> {
        let trial = |host: &str| Trial { host: host.to_owned(), ..Trial::default() };
        let scenario = |name: &str, proves: &[&str], time, hosts: &[&str]| Scenario {
            source: source(),
            section: Section::Failure,
            name: name.to_owned(),
            title: format!("It shows {name}"),
            proves: proves.iter().map(|s| (*s).to_owned()).collect(),
            broken_by: vec!["no-alert".to_owned()],
            hardware: Hardware { time, two_processors: name == "hang" },
            slow: None,
            trials: hosts.iter().map(|host| trial(host)).collect(),
        };
        vec![
            scenario("missing-secret", &["B21", "A4"], Time::Any, &["igpu", "doc1"]),
            scenario("hang", &["B30"], Time::Virtual, &["igpu"]),
            scenario("nowhere", &["B21"], Time::Real, &[]),
        ]
    }

    #[test]
    fn trials_are_a_table_with_coverage() {
        insta::assert_snapshot!(list(&scenarios()), @"
        TRIAL                          PROVES  TIME             BROKEN BY  TITLE
        igpu::failure::missing-secret  B21,A4  any              no-alert   It shows missing-secret
        doc1::failure::missing-secret  B21,A4  any              no-alert   It shows missing-secret
        igpu::failure::hang            B30     virtual, 2 cpus  no-alert   It shows hang

        3 trials of 3 scenarios prove 3 statements (statement:trials): A4:2 B21:2 B30:1
        ");
        insta::assert_snapshot!(list(&[]), @"
        TRIAL  PROVES  TIME  BROKEN BY  TITLE

        0 trials of 0 scenarios prove 0 statements (statement:trials):
        ");
    }

    #[test]
    fn the_json_form_has_an_object_for_each_trial() {
        let json = list_json(&scenarios()[1..]).unwrap();
        insta::assert_snapshot!(json, @r#"
        [
          {
            "trial": "igpu::failure::hang",
            "title": "It shows hang",
            "proves": [
              "B30"
            ],
            "time": "virtual",
            "cpus": 2,
            "broken-by": [
              "no-alert"
            ],
            "scenario": "scenarios/failure/missing-secret-fails-hard.toml"
          }
        ]
        "#);
    }
}
