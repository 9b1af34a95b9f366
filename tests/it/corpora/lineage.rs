//! Reports and events of real runs against the schemas that others read them by.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Lake, corpora, root};

/// A run that ends well, one of which an object fails, one that fails, and one that has nothing to do.
fn runs() -> Vec<(&'static str, Lake, Value)> {
    let columns = "columns:\n  id: { pseudonym: { domain: ids, tenant: { column: tenant } } }\n  tenant: keep\n  \
                   email: { normalize: [trim, lowercase], pseudonym: { domain: users }, empty: to_null }\n  \
                   place: { derive: \"upper(tenant)\" }\n  phone: { mask: { keep_last: 2 } }\n  name: drop\n";
    let good = "id,tenant,email,phone,name\n1,a, X@example.com ,555-0142,N\n2,b,,,\n";
    let lake = |files: &[(&str, &str)]| {
        let lake = Lake::new();
        files.iter().for_each(|(name, text)| lake.put(&format!("in/{name}"), text));
        lake.policy(columns);
        lake
    };
    let bad = "id,tenant,email,phone,name\n1,a,x\n";
    let args = ["--openlineage", "events.jsonl", "--openlineage-namespace", "nightly"];
    let mut runs = Vec::new();
    for (case, code, files) in [
        ("complete", 0, vec![("a.csv", good), ("b.csv", good)]),
        ("partial", 1, vec![("a.csv", good), ("b.csv", bad)]),
        ("failed", 1, vec![("a.csv", bad)]),
    ] {
        let lake = lake(&files);
        let report = lake.run_to(code, &args);
        runs.push((case, lake, report));
    }
    let again = lake(&[("a.csv", good)]);
    again.run_well(&[]);
    let report = again.run_well(&args);
    runs.push(("nothing-to-do", again, report));
    runs
}

#[test]
fn reports_of_real_runs_meet_their_schema() {
    let schema = fs::read_to_string(root().join("testdata/report.schema.json")).expect("is there");
    let schema: Value = serde_json::from_str(&schema).expect("is JSON");
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("is a schema");
    let problems = |report: &Value| -> Vec<String> {
        validator.iter_errors(report).map(|error| format!("{}: {error}", error.instance_path())).collect()
    };
    for (case, lake, report) in runs() {
        assert_eq!(report["status"], case);
        assert_eq!(problems(&report), Vec::<String>::new(), "{case}");
        // what the schema does not forbid, it does not describe either
        for name in report.as_object().expect("an object").keys() {
            assert!(schema["properties"].get(name).is_some(), "{case}: {name} is not described");
        }
        // the same report lies in the sink
        let run = report["run_id"].as_str().expect("an id");
        let stored = lake.files("out").into_iter().find(|path| path.contains(run) && path.ends_with(".json"));
        let stored = stored.unwrap_or_else(|| panic!("{case}: no report in the sink: {:?}", lake.files("out")));
        assert_eq!(lake.json(&format!("out/{stored}")), report, "{case}");
        let mut broken = report.clone();
        broken["totals"]["rows_in"] = "many".into();
        broken.as_object_mut().expect("an object").remove("run_id");
        assert!(problems(&broken).len() >= 2, "{case}: the check must be able to fail");
    }
}

/// Serves the specification's files from disk by their published addresses; nothing is fetched.
struct Offline(PathBuf);

impl jsonschema::Retrieve for Offline {
    fn retrieve(&self, uri: &jsonschema::Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let address = uri.as_str().split('#').next().unwrap_or_default();
        let file = address.rsplit('/').next().unwrap_or_default();
        let folder = if file == "OpenLineage.json" { self.0.clone() } else { self.0.join("facets") };
        let schema: Value = serde_json::from_str(&fs::read_to_string(folder.join(file))?)?;
        // a file of another version must not stand in for the one that is named
        if schema["$id"] == address { Ok(schema) } else { Err(format!("another version than {uri}").into()) }
    }
}

fn problems(specification: &Path, schema_url: &str, document: &Value) -> Vec<String> {
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .with_retriever(Offline(specification.into()))
        .build(&json!({ "$ref": schema_url }))
        .unwrap_or_else(|error| panic!("{schema_url}: {error}"));
    validator.iter_errors(document).map(|error| format!("{schema_url}: {}: {error}", error.instance_path())).collect()
}

/// Every facet in `value`: what has a `_schemaURL`.
fn facets<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.contains_key("_schemaURL").then_some(value));
            members.values().for_each(|inner| facets(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|item| facets(item, found)),
        _ => {}
    }
}

#[test]
fn events_of_real_runs_meet_the_openlineage_specification() {
    let Some(specification) = corpora("openlineage-spec").map(|folder| folder.join("spec")) else { return };
    for (case, lake, report) in runs() {
        let text = fs::read_to_string(lake.path("events.jsonl")).expect("is there");
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("is JSON")).collect();
        let types: Vec<&str> = events.iter().filter_map(|event| event["eventType"].as_str()).collect();
        let end = if ["complete", "nothing-to-do"].contains(&case) { "COMPLETE" } else { "FAIL" };
        assert_eq!(types, ["START", end], "{case}");
        for event in &events {
            let url = event["schemaURL"].as_str().expect("a schema URL");
            assert_eq!(problems(&specification, url, event), Vec::<String>::new(), "{case}");
            let mut found = Vec::new();
            facets(event, &mut found);
            assert!(found.len() >= 6, "{case}: {} facets", found.len());
            for facet in found {
                let url = facet["_schemaURL"].as_str().expect("a schema URL");
                assert_eq!(problems(&specification, url, facet), Vec::<String>::new(), "{case}");
            }
            assert_eq!(event["run"]["runId"], report["run_id"], "{case}");
            assert_eq!(
                event["job"],
                json!({ "namespace": "nightly", "name": "test", "facets": event["job"]["facets"] })
            );
            let fields = &event["outputs"][0]["facets"]["columnLineage"]["fields"];
            let inputs = |column: &str| {
                let inputs = fields[column]["inputFields"].as_array().expect("inputs").iter();
                let masks = |input: &Value| input["transformations"][0]["masking"].as_bool().expect("is said");
                inputs
                    .map(|input| (input["field"].as_str().expect("a name").to_owned(), masks(input)))
                    .collect::<Vec<_>>()
            };
            assert_eq!(inputs("id")[0], ("id".to_owned(), true), "{case}");
            assert_eq!(inputs("id")[1].0, "tenant", "{case}: the tenant steers");
            assert_eq!(inputs("tenant"), [("tenant".to_owned(), false)], "{case}");
            assert_eq!(inputs("place"), [("tenant".to_owned(), false)], "{case}: shows raw data");
            assert_eq!(fields["email"]["transformationType"], "MASKED", "{case}");
            assert!(fields.get("name").is_none(), "{case}: a dropped column has no lineage");
        }
        let statistics = &events[1]["outputs"][0]["outputFacets"]["outputStatistics"];
        match case {
            "complete" => {
                let size: u64 = ["a", "b"]
                    .map(|name| fs::metadata(lake.path(format!("out/{name}.csv"))).expect("is there").len())
                    .iter()
                    .sum();
                assert_eq!((&statistics["rowCount"], &statistics["size"]), (&4.into(), &size.into()), "{case}");
                let mut broken = events[1].clone();
                broken["run"]["runId"] = "none".into();
                let url = broken["schemaURL"].as_str().expect("a schema URL").to_owned();
                assert!(!problems(&specification, &url, &broken).is_empty(), "the check must be able to fail");
            }
            "partial" | "failed" => {
                let message = events[1]["run"]["facets"]["errorMessage"]["message"].as_str().expect("a message");
                assert!(message.contains("failed") && message.contains(".csv"), "{case}: {message}");
            }
            _ => {}
        }
    }
}
