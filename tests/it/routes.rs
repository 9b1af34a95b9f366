//! The ways of columns through a rewrite of Parquet: all lead to the same rows, and none leaves a raw value behind.

mod claims;
mod codecs;
mod conditions;
mod copies;
mod damage;
mod entries;
mod hostile;
mod known;
mod large;
mod leaks;
mod lies;
mod pages;
mod property;
mod reads;
mod same;
mod thrift;
mod truth;

use std::fs;

use bytes::Bytes;
use serde_json::Value;

use crate::support::{Lake, batch};

/// Runs a policy twice: into `out/`, each column its cheapest way, and into `streamed/`, all of them decoded, since a
/// condition needs every row looked at. Gives both reports; `parquet` is how the sink writes.
#[track_caller]
fn both_ways(lake: &Lake, parquet: &str, rest: &str) -> (Value, Value) {
    let run = |out: &str, filter: &str| {
        let head = "version: 1\ndataset: test\nsource: { url: in/ }\nkeyring: { file: keyring.json }\n";
        let sink = format!("sink: {{ url: {out}, parquet: {{ {parquet} }} }}\n");
        lake.put("policy.yaml", [head, &sink, filter, rest].concat());
        lake.run_well(&[])
    };
    (run("out/", ""), run("streamed/", "where: \"true\"\n"))
}

/// Asserts that both outputs of an object hold the same, column by column, null by null.
#[track_caller]
fn assert_same_rows(lake: &Lake, object: &str, case: &str) {
    let file = |folder: &str| Bytes::from(fs::read(lake.path(folder).join(object)).expect("reads"));
    let read = |folder: &str, source: Option<&Bytes>| {
        let (bytes, case) = (file(folder), format!("{case}, {folder}"));
        truth::assert_told_truly(&bytes, &case);
        truth::assert_indexed(source, &bytes, &case);
        batch(bytes.to_vec())
    };
    let (routed, streamed) = (read("out", Some(&file("in"))), read("streamed", None));
    let fields = |batch: &arrow::array::RecordBatch| {
        let fields = batch
            .schema_ref()
            .fields()
            .iter()
            .map(|field| (field.name().clone(), field.data_type().clone(), field.is_nullable()));
        fields.collect::<Vec<_>>()
    };
    assert_eq!(fields(&routed), fields(&streamed), "{case}: schema");
    assert_eq!(routed.num_rows(), streamed.num_rows(), "{case}: rows");
    for (field, (left, right)) in
        routed.schema_ref().fields().iter().zip(routed.columns().iter().zip(streamed.columns()))
    {
        if left != right {
            let row = (0..left.len()).find(|&row| left.slice(row, 1) != right.slice(row, 1));
            let at = row.map(|row| format!("{:?} and {:?}", left.slice(row, 1), right.slice(row, 1)));
            panic!("{case}: column {} differs from row {row:?} on: {at:?}", field.name());
        }
    }
}

/// Ways of a column, in the report's order.
fn ways(report: &Value, column: &str) -> Vec<String> {
    let columns = report["columns"].as_array().expect("columns");
    let found = columns.iter().find(|known| known["name"] == column);
    let found = found.unwrap_or_else(|| panic!("no column {column} in {columns:?}"));
    let routes = found["routes"].as_array().expect("routes").iter();
    routes.map(|used| used["route"].as_str().expect("a text").to_owned()).collect()
}

/// Asserts that both reports say the same of an object's columns; of what was only copied some figures are unknown.
#[track_caller]
fn assert_same_figures(routed: &Value, streamed: &Value, case: &str) {
    let known = |report: &Value, name: &str| {
        let value = report["totals"][name].clone();
        assert!(value.is_u64(), "{case}: {name} is {value}");
        value
    };
    for name in ["rows_in", "rows_out", "objects_written"] {
        assert_eq!(known(routed, name), known(streamed, name), "{case}: {name}");
    }
    let columns = |report: &Value| report["columns"].as_array().expect("columns").clone();
    let (routed, streamed) = (columns(routed), columns(streamed));
    assert_eq!(routed.len(), streamed.len(), "{case}: columns");
    for (left, right) in routed.iter().zip(&streamed) {
        let name = &left["name"];
        let is_copied = left["routes"].as_array().expect("routes").iter().any(|used| used["route"] == "copied");
        let (left, right) = (left.as_object().expect("fields"), right.as_object().expect("fields"));
        assert!(left.keys().eq(right.keys()), "{case}: {name}");
        // a condition is an indirect input of every column, and there is one on the long way alone
        for (key, value) in left.iter().filter(|(key, _)| !["routes", "indirect_inputs"].contains(&key.as_str())) {
            let is_unknown = is_copied && value.is_null();
            assert!(is_unknown || *value == right[key], "{case}: {key} of {name}: {value} and {}", right[key]);
        }
    }
}
