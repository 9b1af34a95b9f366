//! OpenLineage run events: START when a run begins, COMPLETE or FAIL when it has ended.
//!
//! One job per dataset, one input and one output. Columns are named by path (`address.city`), in the schema and in
//! the column lineage alike. The events hold no option of any transform and not the text of `where`: they go to
//! servers that many read.

use serde_json::{Map, Value, json};

use crate::lineage::model::{Column, Report, Status};

mod naming;

use naming::Dataset;

/// Names the producer in every event and facet.
pub const PRODUCER: &str = "https://docs.rs/lakeveil";

/// Namespace of jobs unless told otherwise.
pub const DEFAULT_JOB_NAMESPACE: &str = "lakeveil";

const SPEC: &str = "https://openlineage.io/spec";

/// The START event of a run whose [opening](crate::lineage::collect::Collector::opening) report is `report`.
pub fn start(report: &Report, job_namespace: &str) -> Value {
    let (input, output) = (Dataset::at(&report.source.url), Dataset::at(&report.sink.url));
    let inputs = dataset(&input, input_facets(report, &input));
    let outputs = dataset(&output, output_facets(report, &input, &output));
    event("START", &report.started, report, job_namespace, inputs, outputs)
}

/// The event that ends a run: COMPLETE, or FAIL if anything failed.
pub fn end(report: &Report, job_namespace: &str) -> Value {
    let (input, output) = (Dataset::at(&report.source.url), Dataset::at(&report.sink.url));
    let mut inputs = dataset(&input, input_facets(report, &input));
    let mut outputs = dataset(&output, output_facets(report, &input, &output));
    let totals = &report.totals;
    let files = totals.objects_written;
    inputs["inputFacets"] = json!({ "inputStatistics":
        facet("1-0-0", "InputStatisticsInputDatasetFacet", statistics(totals.rows_in, totals.bytes_in, files)) });
    outputs["outputFacets"] = json!({ "outputStatistics":
        facet("1-0-2", "OutputStatisticsOutputDatasetFacet", statistics(totals.rows_out, totals.bytes_out, files)) });
    let event_type = match report.status {
        Status::Complete | Status::NothingToDo => "COMPLETE",
        Status::Partial | Status::Failed => "FAIL",
    };
    let mut event = event(event_type, &report.ended, report, job_namespace, inputs, outputs);
    if event_type == "FAIL" {
        let message = json!({ "message": error_message(report), "programmingLanguage": "Rust" });
        event["run"]["facets"]["errorMessage"] = facet("1-0-1", "ErrorMessageRunFacet", message);
    }
    event
}

fn event(kind: &str, time: &str, report: &Report, namespace: &str, inputs: Value, outputs: Value) -> Value {
    let engine = json!({ "name": "lakeveil", "version": report.tool_version });
    let job_type = json!({ "processingType": "BATCH", "integration": "LAKEVEIL", "jobType": "JOB" });
    json!({
        "eventType": kind,
        "eventTime": time,
        "producer": PRODUCER,
        "schemaURL": format!("{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"),
        "run": {
            "runId": report.run_id,
            "facets": { "processing_engine": facet("1-1-1", "ProcessingEngineRunFacet", engine) },
        },
        "job": {
            "namespace": namespace,
            "name": report.dataset,
            "facets": { "jobType": facet("2-0-4", "JobTypeJobFacet", job_type) },
        },
        "inputs": [inputs],
        "outputs": [outputs],
    })
}

fn dataset(at: &Dataset, facets: Value) -> Value {
    json!({ "namespace": at.namespace, "name": at.name, "facets": facets })
}

/// `body` as a facet of the given version of the specification.
fn facet(version: &str, name: &str, mut body: Value) -> Value {
    body["_producer"] = PRODUCER.into();
    body["_schemaURL"] = format!("{SPEC}/facets/{version}/{name}.json#/$defs/{name}").into();
    body
}

fn input_facets(report: &Report, at: &Dataset) -> Value {
    // the plan lists outputs: a source column is known by those that come from it alone, or by having been dropped
    let mut seen = std::collections::HashSet::new();
    let known = report.columns.iter().filter_map(|column| match (&column.inputs[..], &column.type_before) {
        ([input], Some(before)) => Some((input, before)),
        _ => None,
    });
    let dropped = report.dropped.iter().map(|column| (&column.name, &column.type_before));
    let fields = known.chain(dropped).filter(|(name, _)| seen.insert(*name));
    json!({
        "schema": schema(fields),
        "dataSource": data_source(at),
        "storage": storage(at, report.source.format.as_deref()),
    })
}

fn output_facets(report: &Report, input: &Dataset, output: &Dataset) -> Value {
    json!({
        "schema": schema(report.columns.iter().map(|column| (&column.name, &column.type_after))),
        "columnLineage": column_lineage(report, input),
        "dataSource": data_source(output),
        "storage": storage(output, report.sink.format.as_deref()),
    })
}

fn schema<'a>(fields: impl Iterator<Item = (&'a String, &'a String)>) -> Value {
    let fields: Vec<_> = fields.map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
    facet("1-2-0", "SchemaDatasetFacet", json!({ "fields": fields }))
}

fn data_source(at: &Dataset) -> Value {
    facet("1-0-1", "DatasourceDatasetFacet", json!({ "name": at.namespace, "uri": at.source_uri() }))
}

fn storage(at: &Dataset, format: Option<&str>) -> Value {
    let mut body = json!({ "storageLayer": at.store });
    if let Some(format) = format {
        body["fileFormat"] = format.into();
    }
    facet("1-0-1", "StorageDatasetFacet", body)
}

/// Unknown figures are left out: the specification has integers only.
fn statistics(rows: Option<u64>, bytes: Option<u64>, files: u64) -> Value {
    let mut body = json!({ "fileCount": files });
    if let Some(rows) = rows {
        body["rowCount"] = rows.into();
    }
    if let Some(bytes) = bytes {
        body["size"] = bytes.into();
    }
    body
}

fn column_lineage(report: &Report, input: &Dataset) -> Value {
    let fields: Map<String, Value> =
        report.columns.iter().map(|column| (column.name.clone(), field(column, input))).collect();
    let filter = report.filter.iter().flat_map(|filter| &filter.inputs);
    let filter: Vec<_> = filter
        .map(|name| {
            let read = transformation("INDIRECT", "FILTER", "rows are taken by a condition on this column", false);
            input_field(input, name, vec![read])
        })
        .collect();
    facet("1-2-0", "ColumnLineageDatasetFacet", json!({ "fields": fields, "dataset": filter }))
}

fn field(column: &Column, input: &Dataset) -> Value {
    let keep = column.transform == "keep";
    let description = describe(column);
    let subtype = if keep { "IDENTITY" } else { "TRANSFORMATION" };
    let direct = || transformation("DIRECT", subtype, &description, column.masking);
    let steers = || transformation("INDIRECT", "CONDITIONAL", "steers the transform", column.masking);

    let mut input_fields = Vec::new();
    for name in &column.inputs {
        let mut transformations = vec![direct()];
        if column.indirect_inputs.contains(name) {
            transformations.push(steers());
        }
        input_fields.push(input_field(input, name, transformations));
    }
    for name in column.indirect_inputs.iter().filter(|name| !column.inputs.contains(name)) {
        input_fields.push(input_field(input, name, vec![steers()]));
    }
    let deprecated = match (keep, column.masking) {
        (true, _) => "IDENTITY",
        (false, true) => "MASKED",
        (false, false) => "TRANSFORMATION",
    };
    json!({
        "inputFields": input_fields,
        // deprecated in the specification, but all that Marquez reads
        "transformationType": deprecated,
        "transformationDescription": description,
    })
}

fn input_field(input: &Dataset, name: &str, transformations: Vec<Value>) -> Value {
    json!({ "namespace": input.namespace, "name": input.name, "field": name, "transformations": transformations })
}

fn transformation(kind: &str, subtype: &str, description: &str, masking: bool) -> Value {
    json!({ "type": kind, "subtype": subtype, "description": description, "masking": masking })
}

/// `pseudonym, domain users, key 2026-11, deterministic, one-way`.
fn describe(column: &Column) -> String {
    let mut parts = vec![column.transform.clone()];
    parts.extend(column.domain.iter().map(|domain| format!("domain {domain}")));
    parts.extend(column.key.iter().map(|key| format!("key {key}")));
    if column.transform != "keep" {
        parts.push(if column.deterministic { "deterministic" } else { "not deterministic" }.into());
        match (column.masking, column.reversible) {
            (_, true) => parts.push("reversible with the key".into()),
            (true, false) => parts.push("one-way".into()),
            (false, false) => parts.push("shows source values".into()),
        }
    }
    parts.join(", ")
}

fn error_message(report: &Report) -> String {
    if let Some(failure) = &report.failure {
        return format!("{} [{}]", failure.message, failure.code);
    }
    let totals = &report.totals;
    let all = report.objects.len();
    let first = report.objects.iter().find_map(|object| Some((&object.input.path, object.failure.as_ref()?)));
    let first = first.map_or(String::new(), |(path, failure)| {
        format!("; the first by path: {path}: {} [{}]", failure.message, failure.code)
    });
    format!("{} of {all} objects failed{first}", totals.objects_failed)
}

#[cfg(test)]
mod tests;
