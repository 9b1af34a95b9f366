//! The policy language as a whole, on the files of `testdata/policies/`.
//!
//! `valid/*.yaml` are read and agree with the JSON Schema. Each `invalid/CASE.yaml` has its problems in
//! `CASE.expected.txt`, written anew by `UPDATE_GOLDEN=1 cargo test policy::`.

mod files;
mod reading;
mod template;

use serde_json::{Map, Value as Json};

use super::yaml::{self, Node, Value};

/// What an editor's YAML parser hands to its JSON Schema validator.
fn to_json(text: &str) -> Json {
    fn convert(node: &Node) -> Json {
        match &node.value {
            Value::Null(word) => Json::from(word.as_str()),
            Value::Scalar(text) if text == "true" || text == "false" => Json::Bool(text == "true"),
            // digits behind a zero were quoted
            Value::Scalar(text) if text.len() > 1 && text.starts_with('0') => Json::from(text.as_str()),
            Value::Scalar(text) => text.parse::<u64>().map_or_else(|_| Json::from(text.as_str()), Json::from),
            Value::List(items) => items.iter().map(convert).collect(),
            Value::Map(entries) => {
                let entries = entries.iter().map(|entry| (entry.key.clone(), convert(&entry.node)));
                Json::Object(entries.collect::<Map<_, _>>())
            }
        }
    }
    convert(&yaml::parse(text).root.expect("a document"))
}
