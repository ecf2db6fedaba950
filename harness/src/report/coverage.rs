//! What is proven on which host, as text, as JSON and as the README's table.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::scenario::{Coverage, Standing};

/// A statement as other programs read it.
#[derive(Serialize)]
struct Listed<'a> {
    statement: &'a str,
    says: &'a str,
    hosts: BTreeMap<&'a str, ListedStanding<'a>>,
}

/// How it stands with a statement on a host.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum ListedStanding<'a> {
    ProvenBy(&'a [String]),
    NotProvenBecause(&'a str),
}

/// Every statement with the scenarios that prove it on each host, or the reason why none does; `sentences` are the
/// statements' texts by number.
pub fn coverage(coverage: &Coverage, sentences: &BTreeMap<String, String>) -> String {
    let width = coverage.hosts.iter().map(String::len).max().unwrap_or_default();
    let mut text = String::new();
    for (statement, standings) in &coverage.statements {
        text.push_str(&format!("{statement:4} {}\n", sentence(sentences, statement)));
        for (host, standing) in coverage.hosts.iter().zip(standings) {
            let shown = match standing {
                Standing::Proven(scenarios) => format!("proven by {}", scenarios.join(", ")),
                Standing::Unproven(reason) => format!("not proven: {reason}"),
            };
            text.push_str(&format!("     {host:width$}  {shown}\n"));
        }
    }
    let counts = counts(coverage).into_iter().map(|(host, proven)| format!("{proven} on {host}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    text.push_str(&format!("\n{} statements, proven of them: {counts}\n", coverage.statements.len()));
    text
}

/// The same as a JSON array, an object for each statement.
///
/// # Errors
///
/// Fails when the JSON cannot be written.
pub fn coverage_json(coverage: &Coverage, sentences: &BTreeMap<String, String>) -> serde_json::Result<String> {
    let listed = coverage.statements.iter().map(|(statement, standings)| Listed {
        statement,
        says: sentence(sentences, statement),
        hosts: coverage.hosts.iter().map(String::as_str).zip(standings.iter().map(listed_standing)).collect(),
    });
    serde_json::to_string_pretty(&listed.collect::<Vec<_>>())
}

fn listed_standing(standing: &Standing) -> ListedStanding<'_> {
    match standing {
        Standing::Proven(scenarios) => ListedStanding::ProvenBy(scenarios),
        Standing::Unproven(reason) => ListedStanding::NotProvenBecause(reason),
    }
}

/// The same as a Markdown table, which does not change with every scenario that proves once more what is proven, and
/// below it the reasons for what is not proven.
pub fn coverage_table(coverage: &Coverage, sentences: &BTreeMap<String, String>) -> String {
    let cells = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
    let hosts = || coverage.hosts.iter().map(String::as_str);
    let mut text = cells(["No.", "Statement"].into_iter().chain(hosts()).collect());
    text.push_str(&format!("|---|---|{}\n", "---|".repeat(coverage.hosts.len())));
    for (statement, standings) in &coverage.statements {
        let shown = standings.iter().map(|standing| match standing {
            Standing::Proven(_) => "proven",
            Standing::Unproven(_) => "—",
        });
        text.push_str(&cells([&**statement, sentence(sentences, statement)].into_iter().chain(shown).collect()));
    }
    let total = coverage.statements.len();
    for (index, (host, proven)) in counts(coverage).into_iter().enumerate() {
        text.push_str(&format!("\n{proven} of {total} statements are proven on {host}.\n"));
        for (reason, statements) in reasons(coverage, index) {
            text.push_str(&format!("\n- {}: {reason}\n", statements.join(", ")));
        }
    }
    text
}

fn sentence<'a>(sentences: &'a BTreeMap<String, String>, statement: &str) -> &'a str {
    sentences.get(statement).map(String::as_str).unwrap_or_default()
}

/// The hosts with how many statements are proven on each.
fn counts(coverage: &Coverage) -> Vec<(&str, usize)> {
    let proven = |index: usize| {
        let standings = coverage.statements.iter().filter_map(|(_, standings)| standings.get(index));
        standings.filter(|standing| matches!(standing, Standing::Proven(_))).count()
    };
    coverage.hosts.iter().enumerate().map(|(index, host)| (host.as_str(), proven(index))).collect()
}

/// The reasons on the host of this index with the statements that each is for, in the order of the statements.
fn reasons(coverage: &Coverage, host: usize) -> Vec<(&str, Vec<&str>)> {
    let of_host = || {
        coverage.statements.iter().filter_map(|(statement, standings)| match standings.get(host) {
            Some(Standing::Unproven(reason)) => Some((reason.as_str(), statement.as_str())),
            _ => None,
        })
    };
    let mut seen = BTreeSet::new();
    let distinct = of_host().filter(|(reason, _)| seen.insert(*reason)).map(|(reason, _)| reason);
    let with_reason = |wanted| of_host().filter(move |(reason, _)| *reason == wanted).map(|(_, statement)| statement);
    distinct.map(|reason| (reason, with_reason(reason).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Coverage, BTreeMap<String, String>) {
        let proven = |names: &[&str]| Standing::Proven(names.iter().map(|name| (*name).to_owned()).collect());
        let unproven = |reason: &str| Standing::Unproven(reason.to_owned());
        let statement = |name: &str, standings: [Standing; 2]| (name.to_owned(), standings.to_vec());
        let statements = vec![
            statement("A4", [proven(&["failure/a"]), proven(&["failure/a", "functional/b"])]),
            statement("A11", [unproven("No scenario yet."), unproven("No stack has two.")]),
            statement("B21", [unproven("No scenario yet."), proven(&["failure/a"])]),
        ];
        let says = [("A4", "It is active."), ("A11", "Order is kept."), ("B21", "It fails.")];
        let says = says.map(|(name, says)| (name.to_owned(), says.to_owned()));
        (Coverage { hosts: vec!["doc1".to_owned(), "igpu".to_owned()], statements }, says.into())
    }

    #[test]
    fn coverage_is_shown_by_statement_and_host() {
        let (sample, sentences) = sample();
        insta::assert_snapshot!(coverage(&sample, &sentences), @r"
        A4   It is active.
             doc1  proven by failure/a
             igpu  proven by failure/a, functional/b
        A11  Order is kept.
             doc1  not proven: No scenario yet.
             igpu  not proven: No stack has two.
        B21  It fails.
             doc1  not proven: No scenario yet.
             igpu  proven by failure/a

        3 statements, proven of them: 1 on doc1, 2 on igpu
        ");
        insta::assert_snapshot!(coverage_table(&sample, &sentences), @r"
        | No. | Statement | doc1 | igpu |
        |---|---|---|---|
        | A4 | It is active. | proven | proven |
        | A11 | Order is kept. | — | — |
        | B21 | It fails. | — | proven |

        1 of 3 statements are proven on doc1.

        - A11, B21: No scenario yet.

        2 of 3 statements are proven on igpu.

        - A11: No stack has two.
        ");
    }

    #[test]
    fn programs_read_the_same() {
        let (mut sample, sentences) = sample();
        sample.statements.remove(0);
        sample.statements.pop();
        insta::assert_snapshot!(coverage_json(&sample, &sentences).unwrap(), @r#"
        [
          {
            "statement": "A11",
            "says": "Order is kept.",
            "hosts": {
              "doc1": {
                "not-proven-because": "No scenario yet."
              },
              "igpu": {
                "not-proven-because": "No stack has two."
              }
            }
          }
        ]
        "#);
    }
}
