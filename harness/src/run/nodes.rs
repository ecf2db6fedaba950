//! NixOS test nodes: read from a file that names their start scripts, and prepared for trials.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::{Error, Result};

/// The nodes of a file in the form of the NixOS test driver's own: `{"vms": {"igpu": {"name": …, "start_script": …}}}`.
///
/// What else the test driver's file has is of no concern here and may be there, but for containers and networks between
/// nodes: they are refused, since a trial would run without them.
#[derive(Debug, Clone)]
pub struct Nodes {
    nodes: BTreeMap<String, NodeFile>,
}

/// One node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// The name, which is that of the host whose scenarios it runs.
    pub name: String,
    /// The program that starts its machine.
    pub start_script: PathBuf,
}

#[derive(Deserialize)]
struct File {
    vms: Entries,
    #[serde(default)]
    containers: serde_json::Map<String, serde_json::Value>,
    #[serde(default)]
    vlans: Vec<u32>,
}

/// A map that keeps entries of the same name, to tell of them.
struct Entries(Vec<(String, NodeFile)>);

impl Nodes {
    /// Reads and checks the file.
    pub fn read(path: &Path) -> Result<Nodes> {
        let place = path.display().to_string();
        let text = fs::read_to_string(path)
            .map_err(|error| Error::Usage(format!("cannot read the file of nodes {place}: {error}")))?;
        let wrong = |problem: String| Error::Project { place: place.clone(), problem };
        let file: File = serde_json::from_str(&text).map_err(|error| {
            wrong(format!(
                "{error}; expected {{\"vms\": {{\"NAME\": {{\"name\": \"NAME\", \"start_script\": \"PATH\"}}}}}}"
            ))
        })?;
        Ok(Nodes { nodes: file.check().map_err(wrong)? })
    }

    /// A node by its name.
    pub fn get(&self, name: &str) -> Result<&NodeFile> {
        self.nodes.get(name).ok_or_else(|| {
            let names: Vec<_> = self.names().collect();
            Error::Usage(format!("there is no node for host {name}: the file of nodes has {}", names.join(", ")))
        })
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }
}

impl File {
    fn check(self) -> Result<BTreeMap<String, NodeFile>, String> {
        if let Some(container) = self.containers.keys().next() {
            return Err(format!(
                "node {container} is a container, which has no setuid programs and so no rootless podman: make it a \
                 virtual machine (`nodes`, not `containers`)"
            ));
        }
        if let Some(vlan) = self.vlans.first() {
            return Err(format!(
                "the nodes are on network {vlan}, and every trial has one machine: set virtualisation.vlans = \
                 lib.mkForce [ ], as nixosModules.test-node does"
            ));
        }
        let mut nodes = BTreeMap::new();
        for (key, node) in self.vms.0 {
            if key != node.name {
                return Err(format!("node {key} calls itself {}: give it one name", node.name));
            }
            is_program(&node)?;
            if nodes.insert(key.clone(), node).is_some() {
                return Err(format!("node {key} is there twice: give each node a name of its own"));
            }
        }
        if nodes.is_empty() {
            return Err("there is no node in it".to_owned());
        }
        Ok(nodes)
    }
}

fn is_program(node: &NodeFile) -> Result<(), String> {
    let script = node.start_script.display();
    let metadata = fs::metadata(&node.start_script)
        .map_err(|error| format!("the start script of node {}, {script}: {error}; build the node first", node.name))?;
    if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 {
        Ok(())
    } else {
        Err(format!("the start script of node {}, {script}, is not a program", node.name))
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("nodes by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a file of nodes, in which `@script@` is a program and `@file@` is not.
    fn check(text: &str, expected: Result<&[&str], &str>) {
        let folder = tempfile::tempdir().unwrap();
        let (script, file, nodes) =
            (folder.path().join("run"), folder.path().join("file"), folder.path().join("nodes.json"));
        fs::write(&script, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(&file, "").unwrap();
        let text = text.replace("@script@", &script.display().to_string());
        fs::write(&nodes, text.replace("@file@", &file.display().to_string())).unwrap();
        match (Nodes::read(&nodes), expected) {
            (Ok(found), Ok(names)) => assert_eq!(found.names().collect::<Vec<_>>(), names),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part) && error.is_usage(), "{error}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn nodes_are_read_as_the_test_driver_writes_them_and_mistakes_are_named() {
        let igpu = r#""igpu": {"name": "igpu", "start_script": "@script@"}"#;
        let file = |vms: &str, more: &str| format!(r#"{{"vms": {{{vms}}}{more}}}"#);
        check(&file(igpu, ""), Ok(&["igpu"]));
        check(
            &file(igpu, r#", "containers": {}, "vlans": [], "global_timeout": 3600, "test_script": "/x""#),
            Ok(&["igpu"]),
        );
        check(&file("", ""), Err("there is no node in it"));
        check(&file(&format!("{igpu}, {igpu}"), ""), Err("node igpu is there twice"));
        check(&file(igpu, r#", "vlans": [1]"#), Err("on network 1"));
        check(&file(igpu, r#", "containers": {"web": {}}"#), Err("node web is a container"));
        check(&file(r#""igpu": {"name": "other", "start_script": "@script@"}"#, ""), Err("calls itself other"));
        check(&file(r#""igpu": {"name": "igpu", "start_script": "/none"}"#, ""), Err("/none: No such file"));
        check(&file(r#""igpu": {"name": "igpu", "start_script": "@file@"}"#, ""), Err("is not a program"));
        check(&file(r#""igpu": {"name": "igpu", "script": "@script@"}"#, ""), Err("unknown field `script`"));
        check("[]", Err("expected {\"vms\""));
        check("{", Err("expected {\"vms\""));
    }

    #[test]
    fn a_file_that_is_not_there_is_a_mistake_of_the_caller() {
        let error = Nodes::read(Path::new("/none.json")).unwrap_err();
        assert!(error.is_usage() && error.to_string().contains("/none.json"), "{error}");
    }
}
