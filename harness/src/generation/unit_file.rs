//! Unit files as a reviewer compares them: what they are ordered after and pull in, what they run, and the rest.

use std::collections::BTreeSet;

/// Directives whose values are names of other units, or paths that stand for mount units.
const EDGES: &[&str] = &[
    "After",
    "Before",
    "BindsTo",
    "Conflicts",
    "OnFailure",
    "OnSuccess",
    "PartOf",
    "PropagatesReloadTo",
    "PropagatesStopTo",
    "ReloadPropagatedFrom",
    "RequiredBy",
    "Requires",
    "RequiresMountsFor",
    "Requisite",
    "Sockets",
    "StopPropagatedFrom",
    "TriggeredBy",
    "Triggers",
    "Unit",
    "Upholds",
    "WantedBy",
    "Wants",
    "WantsMountsFor",
];

/// A unit file, sorted by what its lines are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct UnitFile {
    /// `After=podman.socket`: one for each other unit.
    pub edges: BTreeSet<String>,
    /// `ExecStart=…`, in the order in which they are written, which is that in which they run.
    pub commands: Vec<String>,
    /// `[Service] Type=oneshot`.
    pub settings: BTreeSet<String>,
}

impl UnitFile {
    pub fn parse(text: &str) -> UnitFile {
        let mut file = UnitFile::default();
        let mut section = String::new();
        // A backslash at the end of a line goes on with the next one.
        let joined = text.replace("\\\n", " ");
        let lines = joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
        for line in lines {
            match line.split_once('=') {
                _ if line.starts_with('[') => section = line.to_owned(),
                Some((key, value)) if EDGES.contains(&key.trim_end()) => {
                    let key = key.trim_end();
                    file.edges.extend(value.split_whitespace().map(|other| format!("{key}={other}")));
                }
                Some((key, _)) if key.starts_with("Exec") => file.commands.push(line.to_owned()),
                _ => {
                    file.settings.insert(format!("{section} {line}"));
                }
            }
        }
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sorted_by_what_they_are_about() {
        let file = UnitFile::parse(
            "# A comment\n[Unit]\nDescription=x\nAfter=b.socket a.service\n\n[Service]\nExecStartPre=/p 1\n\
             ExecStart=/x \\\n  --flag\nType=oneshot\nExecStartPre=/p 0\n[Install]\nWantedBy = default.target\n",
        );
        assert_eq!(Vec::from_iter(&file.edges), ["After=a.service", "After=b.socket", "WantedBy=default.target"]);
        assert_eq!(file.commands, ["ExecStartPre=/p 1", "ExecStart=/x    --flag", "ExecStartPre=/p 0"]);
        assert_eq!(Vec::from_iter(&file.settings), ["[Service] Type=oneshot", "[Unit] Description=x"]);
    }
}
