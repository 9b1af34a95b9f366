//! The policy's JSON Schema, generated from the types that read it.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::document::Policy;

/// JSON Schema (draft 2020-12) of a policy, for editors: `lakeveil policy schema`.
///
/// It describes what stands in a policy before variables are replaced. What it cannot say (rules that shadow one
/// another, names that collide) is found by [`Document::parse`](super::Document::parse) alone.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Policy>();
    schema.insert("title".to_owned(), "Lakeveil policy".into());
    schema.to_value()
}
