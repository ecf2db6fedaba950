//! The schema of manifests, for editors and for whoever writes one.

use super::super::Manifest;
use crate::golden;

#[test]
fn the_schema_of_manifests_is_up_to_date() {
    let mut schema = serde_json::to_string_pretty(&schemars::schema_for!(Manifest)).unwrap();
    schema.push('\n');
    golden::check("docs/manifest.schema.json", "schema", &schema);
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
