//! `harness list`

use serde::Serialize;

use crate::generation::Fault;
use crate::report;
use crate::run::{Error, Project, Result};
use crate::scenario::Scenario;

use super::Exit;
use super::arguments::ListArguments;
use super::lint;
use super::print::print;
use super::render::known;
use super::session;

/// A fault and who notices it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ListedFault<'a> {
    fault: &'a str,
    says: &'a str,
    noticed_by: Vec<String>,
}

/// Shows the trials, or the faults that they notice.
pub fn list(arguments: &ListArguments) -> Result<Exit> {
    let project = session::project(&arguments.system)?;
    let mut scenarios = lint::scenarios(&project)?;
    if let Some(host) = &arguments.host {
        let hosts: Vec<String> =
            project.generations()?.iter().map(|generation| generation.manifest.host.clone()).collect();
        known("host", host, &hosts)?;
    }
    if arguments.coverage {
        print(&coverage(&project, &scenarios, arguments)?)?;
        return Ok(Exit::Passed);
    }
    if let Some(host) = &arguments.host {
        scenarios.iter_mut().for_each(|scenario| scenario.trials.retain(|trial| trial.host == *host));
        scenarios.retain(|scenario| !scenario.trials.is_empty());
    }
    let faults = project.faults()?;
    let text = match (arguments.faults, arguments.json) {
        (false, false) => report::list(&scenarios),
        (false, true) => json(report::list_json(&scenarios))?,
        (true, false) => faults_text(&listed(&faults, &scenarios)),
        (true, true) => json(serde_json::to_string_pretty(&listed(&faults, &scenarios)))?,
    };
    print(&text)?;
    Ok(Exit::Passed)
}

/// What all scenarios prove, shown for all hosts or for one.
fn coverage(project: &Project, scenarios: &[Scenario], arguments: &ListArguments) -> Result<String> {
    let mut coverage = lint::coverage(project, scenarios)?;
    if let Some(host) = &arguments.host {
        coverage.retain_host(host);
    }
    let sentences = project.statements()?;
    match arguments.json {
        false => Ok(report::coverage(&coverage, &sentences)),
        true => json(report::coverage_json(&coverage, &sentences)),
    }
}

fn json(written: serde_json::Result<String>) -> Result<String> {
    let text = written.map_err(|error| Error::io("write", "the list as JSON")(error.into()))?;
    Ok(format!("{text}\n"))
}

fn listed<'a>(faults: &'a [Fault], scenarios: &[Scenario]) -> Vec<ListedFault<'a>> {
    let noticed_by = |fault: &Fault| noticing(fault, scenarios).map(|scenario| scenario.source.path.clone()).collect();
    faults
        .iter()
        .map(|fault| ListedFault { fault: &fault.id, says: &fault.says, noticed_by: noticed_by(fault) })
        .collect()
}

/// The scenarios that notice a fault.
fn noticing<'a>(fault: &'a Fault, scenarios: &'a [Scenario]) -> impl Iterator<Item = &'a Scenario> {
    scenarios.iter().filter(|scenario| scenario.broken_by.contains(&fault.id))
}

fn faults_text(faults: &[ListedFault<'_>]) -> String {
    let width = faults.iter().map(|listed| listed.fault.len()).max().unwrap_or_default();
    let mut text = String::new();
    for listed in faults {
        text.push_str(&format!("{:width$}  {}\n", listed.fault, listed.says));
        for path in &listed.noticed_by {
            text.push_str(&format!("{:width$}  noticed by {path}\n", ""));
        }
        if listed.noticed_by.is_empty() {
            text.push_str(&format!("{:width$}  noticed by nothing listed\n", ""));
        }
    }
    let noticed = faults.iter().filter(|listed| !listed.noticed_by.is_empty()).count();
    text.push_str(&format!("\n{noticed} of {} faults are noticed by a scenario\n", faults.len()));
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::golden;

    /// The marks around the README's generated table.
    const TABLE: (&str, &str) = ("<!-- proven -->\n", "<!-- /proven -->\n");

    #[test]
    fn the_readme_says_what_is_proven() {
        let project = Project::find().unwrap();
        let coverage = lint::coverage(&project, &lint::scenarios(&project).unwrap()).unwrap();
        let table = report::coverage_table(&coverage, &project.statements().unwrap());
        let readme = std::fs::read_to_string(project.root().join("README.md")).unwrap();
        let (before, rest) = readme.split_once(TABLE.0).unwrap();
        let (_, after) = rest.split_once(TABLE.1).unwrap();
        golden::check("README.md", "readme", &format!("{before}{}{table}{}{after}", TABLE.0, TABLE.1));
    }

    /// What docs/faults.md holds: every pair of a scenario and a fault that it is broken by, on each of its hosts.
    fn faults_table(faults: &[Fault], scenarios: &[Scenario]) -> String {
        let mut pairs: BTreeMap<&str, usize> = BTreeMap::new();
        let mut rows = String::new();
        for fault in faults {
            let mut noticed_by = Vec::new();
            for scenario in noticing(fault, scenarios) {
                let hosts: Vec<_> = scenario.trials.iter().map(|trial| trial.host.as_str()).collect();
                hosts.iter().for_each(|host| *pairs.entry(*host).or_default() += 1);
                let path = &scenario.source.path;
                noticed_by.push(format!("[{}](../{path}) ({})", scenario.name, hosts.join(", ")));
            }
            rows.push_str(&format!("| `{}` | {} | {} |\n", fault.id, fault.says.trim(), noticed_by.join("<br>")));
        }
        let counts: Vec<_> = pairs.iter().map(|(host, count)| format!("{count} on {host}")).collect();
        format!(
            "# Faults\n\n\
             Made from fixtures/faults.toml and the scenarios; renew it with\n\
             `HARNESS_UPDATE=1 cargo test -p harness faults`.\n\n\
             What is put into the stacks, one at a time, to see that scenarios can fail: `harness run --broken` installs each\n\
             fault in a clone, and a trial passes only if a line marked `red` fails by it. These are all pairs of a scenario\n\
             and a fault ({}); `--broken NAME` runs those of a scenario or of a fault.\n\n\
             | Fault | What is wrong | Noticed by |\n|---|---|---|\n{rows}",
            counts.join(", "),
        )
    }

    #[test]
    fn the_table_of_faults_has_every_pair() {
        let project = Project::find().unwrap();
        let table = faults_table(&project.faults().unwrap(), &lint::scenarios(&project).unwrap());
        golden::check("docs/faults.md", "faults", &table);
    }

    #[test]
    fn faults_are_listed_with_who_notices_them() {
        let faults = [
            ListedFault {
                fault: "no-alert",
                says: "No alert.",
                noticed_by: vec!["scenarios/failure/a.toml".to_owned()],
            },
            ListedFault { fault: "late", says: "It is late.", noticed_by: Vec::new() },
        ];
        insta::assert_snapshot!(faults_text(&faults), @r"
        no-alert  No alert.
                  noticed by scenarios/failure/a.toml
        late      It is late.
                  noticed by nothing listed

        1 of 2 faults are noticed by a scenario
        ");
    }
}
