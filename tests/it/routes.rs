//! The ways of columns through a rewrite of Parquet: all lead to the same rows, and none leaves a raw value behind.

mod known;
mod leaks;
mod property;
mod reads;
mod same;
mod truth;

use std::fs;

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
    let read = |folder: &str| {
        let bytes = fs::read(lake.path(folder).join(object)).expect("reads");
        truth::assert_told_truly(&bytes.clone().into(), &format!("{case}, {folder}"));
        batch(bytes)
    };
    let (routed, streamed) = (read("out"), read("streamed"));
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

/// Asserts that a figure which both reports know is the same in both.
#[track_caller]
fn assert_same_figures(routed: &Value, streamed: &Value, case: &str) {
    for name in ["rows_read", "rows_written", "rows_in", "rows_out"] {
        assert_eq!(routed["totals"][name], streamed["totals"][name], "{case}: {name}");
    }
    let columns = |report: &Value| report["columns"].as_array().expect("columns").clone();
    let (routed, streamed) = (columns(routed), columns(streamed));
    assert_eq!(routed.len(), streamed.len(), "{case}: columns");
    for (left, right) in routed.iter().zip(&streamed) {
        let name = &left["name"];
        for key in ["name", "source", "transform", "type_before", "type_after", "domain"] {
            assert_eq!(left[key], right[key], "{case}: {key} of {name}");
        }
        for key in ["values", "nulls", "empties", "transformed", "failed", "distinct_in", "distinct_out"] {
            let both = !left[key].is_null() && !right[key].is_null();
            assert!(!both || left[key] == right[key], "{case}: {key} of {name}: {} and {}", left[key], right[key]);
        }
    }
}
