//! The report's JSON Schema, generated from the model and committed as `testdata/report.schema.json`.

use schemars::generate::SchemaSettings;

use super::model::Report;

/// JSON Schema (draft 2020-12) of the report as it is written: every field is present, unknown ones as `null`.
///
/// ```
/// let schema = lakeveil::lineage::schema::report();
/// assert_eq!(schema["properties"]["version"]["const"], 1);
/// ```
pub fn report() -> serde_json::Value {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>().to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::{render::json, testing};

    #[test]
    fn committed_schema_is_current() {
        testing::golden("report.schema.json", &format!("{:#}\n", report()));
    }

    #[test]
    fn reports_validate_and_a_missing_field_does_not() {
        let validator = jsonschema::options().should_validate_formats(true).build(&report()).expect("our own schema");
        for sample in [testing::report(), testing::hostile_report(), testing::collector().opening()] {
            let mut document: serde_json::Value = serde_json::from_str(&json::render(&sample)).expect("our own JSON");
            let problems: Vec<_> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
            assert_eq!(problems, Vec::<String>::new());
            document.as_object_mut().expect("an object").remove("kept");
            assert!(!validator.is_valid(&document), "a report without its kept columns must not pass");
        }
    }
}
