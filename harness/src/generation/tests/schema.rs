//! The schema of manifests, for editors and for whoever writes one.

use std::fs;

use super::super::Manifest;
use super::project;

#[test]
fn the_schema_of_manifests_is_up_to_date() {
    let path = project().join("docs/manifest.schema.json");
    let mut schema = serde_json::to_string_pretty(&schemars::schema_for!(Manifest)).unwrap();
    schema.push('\n');
    if std::env::var_os("HARNESS_UPDATE").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let advice =
        "docs/manifest.schema.json is out of date: renew it with HARNESS_UPDATE=1 cargo test -p harness schema";
    assert!(written == schema, "{advice}\n{}", pretty_assertions::StrComparison::new(&written, &schema));
    undocumented(&serde_json::from_str(&schema).unwrap(), "Manifest");
}

/// Every key of the schema says what it means.
fn undocumented(schema: &serde_json::Value, place: &str) {
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        assert!(property["description"].is_string(), "{place}.{key} has no description: write its doc comment");
    }
    for (name, definition) in schema["$defs"].as_object().into_iter().flatten() {
        undocumented(definition, name);
    }
}
