use serde_json::Value as Json;

use super::super::{Code, Document, ParquetCompression, Policy, TEMPLATE, Variables, schema};
use super::to_json;

fn template() -> Document {
    Document::parse(TEMPLATE, "template.yaml", &Variables::none()).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_template_is_a_policy_with_one_warning() {
    let codes: Vec<Code> = template().warnings().iter().map(|warning| warning.code).collect();
    assert_eq!(codes, [Code::UnkeyedHash]);
    let validator = jsonschema::validator_for(&schema()).unwrap();
    assert!(validator.is_valid(&to_json(TEMPLATE)));
}

#[test]
fn the_template_shows_the_defaults() {
    let shown = template().policy;
    let text = "
version: 1
dataset: customers
source: { url: raw/customers/, format: csv }
sink: { url: clean/customers/, format: parquet }
keyring: { file: keyring.json }
columns: {}
";
    let default = Document::parse(text, "default.yaml", &Variables::none()).unwrap().policy;
    assert_eq!(shown.source, default.source);
    assert_eq!(shown.sink, default.sink);
    assert_eq!(shown.sink.parquet.compression, ParquetCompression::Zstd(1));
    assert_eq!(shown.unlisted, default.unlisted);
    let keyring = |policy: &Policy| policy.keyring.as_ref().unwrap().permissions.unwrap_or_default();
    assert_eq!(keyring(&shown), keyring(&default));
}

/// Walks the schema; every property must stand in the template, or in a comment of it.
#[test]
fn the_template_has_every_key() {
    let mut missing = Vec::new();
    let schema = schema();
    let columns = to_json(TEMPLATE)["columns"].as_object().unwrap().values().cloned().collect::<Vec<_>>();
    walk(&schema, &schema, &[to_json(TEMPLATE)], &columns, "", &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

fn walk(schema: &Json, root: &Json, places: &[Json], rules: &[Json], path: &str, missing: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let definition = root.pointer(name.trim_start_matches('#')).unwrap();
        let places = if name.ends_with("/Rule") { rules } else { places };
        return walk(definition, root, places, rules, path, missing);
    }
    for branch in ["anyOf", "allOf"] {
        for alternative in schema[branch].as_array().into_iter().flatten() {
            walk(alternative, root, places, rules, path, missing);
        }
    }
    if schema["additionalProperties"].is_object() {
        walk(&schema["additionalProperties"], root, places, rules, path, missing);
    }
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{key}");
        let below: Vec<Json> = places.iter().filter_map(|place| place.get(key)).cloned().collect();
        let in_comment = TEMPLATE.lines().any(|line| line.trim_start().starts_with(&format!("# {key}:")));
        if below.is_empty() && !in_comment {
            missing.push(path.clone());
        }
        // what stands in a comment is not looked into, except for the keys that come with it on the line
        if !below.is_empty() {
            walk(property, root, &below, rules, &path, missing);
        }
    }
}
