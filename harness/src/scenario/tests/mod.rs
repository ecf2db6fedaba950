//! The world that the tests read scenarios against, and files that hold what is expected.

mod coverage;
mod foreign;
mod mistakes;
mod properties;
mod resolved;
mod shipped;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::golden;

/// The host igpu, with all statements and faults.
pub(super) fn world() -> World {
    let groups = [('A', 1..=20), ('B', 21..=39), ('C', 40..=49)];
    let faults: toml::Table = toml::from_str(include_str!("../../../../fixtures/faults.toml")).unwrap();
    let faults = faults["fault"].as_array().unwrap().iter().map(|fault| fault["id"].as_str().unwrap().to_owned());
    World {
        hosts: [("igpu".to_owned(), host(&golden("igpu")))].into(),
        statements: groups
            .into_iter()
            .flat_map(|(group, numbers)| numbers.map(move |number: u32| format!("{group}{number}")))
            .collect(),
        faults: faults.collect(),
        statements_in: "scenarios/statements.toml".to_owned(),
        faults_in: "fixtures/faults.toml".to_owned(),
        foreign: None,
    }
}

/// The manifest of a host's golden copy, with the stacks of its variants.
fn golden(host: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/rendered").join(host);
    let read = |folder: &Path| -> Value {
        serde_json::from_str(&std::fs::read_to_string(folder.join("manifest.json")).unwrap()).unwrap()
    };
    let mut manifest = read(&folder);
    // A variant has only what differs.
    let stacks = manifest["stacks"].clone();
    for variant in manifest["variants"].as_object_mut().unwrap().values_mut() {
        *variant = read(&folder.join(variant.as_str().unwrap())).get("stacks").unwrap_or(&stacks).clone();
    }
    manifest
}

fn host(manifest: &Value) -> HostFacts {
    let unit = |value: &Value| Unit {
        name: text(&value["unit"]),
        scope: if value["scope"] == "user" { Scope::User } else { Scope::System },
    };
    let variants = manifest["variants"].as_object().unwrap().iter();
    let variants = variants.map(|(name, stacks)| (name.clone(), list(stacks, stack)));
    HostFacts {
        name: text(&manifest["host"]),
        hostname: text(&manifest["hostname"]),
        user: text(&manifest["user"]["name"]),
        stacks: list(&manifest["stacks"], stack),
        native_images: [("update-probe".to_owned(), "127.0.0.1:5000/update-probe:latest".to_owned())].into(),
        units: list(&manifest["units"], unit).into_iter().collect(),
        activation: list(&manifest["activation"], unit),
        variants: variants.collect(),
        texts: serde_json::from_value(manifest["texts"].clone()).unwrap(),
        alerts: true,
    }
}

fn stack(value: &Value) -> StackFacts {
    let optional = |value: &Value| value.as_str().map(str::to_owned);
    StackFacts {
        name: text(&value["name"]),
        project: Some(text(&value["name"])),
        unit: text(&value["unit"]),
        compose: optional(&value["compose"]),
        env_paths: optional(&value["env-paths"]),
        services: list(&value["services"], |service| ServiceFacts {
            name: text(&service["name"]),
            container: text(&service["container"]),
            image: format!("127.0.0.1:5000/{}:latest", text(&service["name"])),
            health_check: service["health-check"].as_bool().unwrap(),
            knobs: Some(format!("/mnt/docker/{}/{}/knobs", text(&value["name"]), text(&service["name"]))),
            network_of: optional(&service["network-of"]),
        }),
        secrets: list(&value["secrets"], |secret| SecretFacts {
            name: text(&secret["name"]),
            native: text(&secret["native"]),
            fallback: optional(&secret["fallback"]),
        }),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(item).collect()
}

pub(super) fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: Arc::from(text) }
}
