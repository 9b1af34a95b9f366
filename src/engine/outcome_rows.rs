//! Outcomes as rows, one for each output column of an object: what `RewriteExec` streams out.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, ListArray, RecordBatch, StringBuilder, StructArray, UInt64Array,
    UInt64Builder,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef, UInt64Type};
use arrow::error::ArrowError;

use super::outcome::{ColumnFacts, Failure, ObjectFacts, Outcome, Route, RouteBytes, Status};
use super::sketch::Sketch;

fn text(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Utf8, nullable)
}

fn count(name: &str) -> Field {
    Field::new(name, DataType::UInt64, true)
}

fn object_fields() -> Fields {
    Fields::from(vec![text("path", false), count("size"), text("etag", true), text("sha256", true), count("rows")])
}

fn route_fields() -> Fields {
    Fields::from(vec![text("route", false), count("bytes")])
}

fn route_field() -> FieldRef {
    Arc::new(Field::new("item", DataType::Struct(route_fields()), false))
}

fn found_field() -> FieldRef {
    Arc::new(Field::new("item", DataType::UInt64, false))
}

fn column_fields() -> Fields {
    Fields::from(vec![
        text("name", false),
        Field::new("routes", DataType::List(route_field()), false),
        count("values"),
        count("nulls"),
        count("empties"),
        count("transformed"),
        count("failed"),
        Field::new("found", DataType::List(found_field()), false),
        count("value_bits"),
        Field::new("distinct_in", DataType::Binary, true),
        Field::new("distinct_out", DataType::Binary, true),
    ])
}

/// The rows' schema: `status`, `input`, `output`, `failure`, `column`; the last is null for an object without columns.
pub fn schema() -> SchemaRef {
    let failure = Fields::from(vec![text("code", false), text("message", false)]);
    Arc::new(Schema::new(vec![
        text("status", false),
        Field::new("input", DataType::Struct(object_fields()), false),
        Field::new("output", DataType::Struct(object_fields()), true),
        Field::new("failure", DataType::Struct(failure), true),
        Field::new("column", DataType::Struct(column_fields()), true),
    ]))
}

/// One outcome as rows.
///
/// # Errors
/// Arrow's, for figures that no array can hold.
pub fn to_batch(outcome: &Outcome) -> Result<RecordBatch, ArrowError> {
    let rows = outcome.columns.len().max(1);
    let status = words(std::iter::repeat_n(Some(status_word(outcome.status)), rows));
    let failure = outcome.failure.as_ref();
    let failure_field = Fields::from(vec![text("code", false), text("message", false)]);
    let failure_arrays = vec![
        words(std::iter::repeat_n(Some(failure.map_or("", |failure| &failure.code)), rows)),
        words(std::iter::repeat_n(Some(failure.map_or("", |failure| &failure.message)), rows)),
    ];
    RecordBatch::try_new(
        schema(),
        vec![
            status,
            objects(Some(&outcome.input), rows)?,
            objects(outcome.output.as_ref(), rows)?,
            structs(failure_field, failure_arrays, failure.is_some(), rows)?,
            columns(&outcome.columns)?,
        ],
    )
}

fn words<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let mut builder = StringBuilder::new();
    values.for_each(|value| builder.append_option(value));
    Arc::new(builder.finish())
}

fn counts(values: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    let mut builder = UInt64Builder::new();
    values.for_each(|value| builder.append_option(value));
    Arc::new(builder.finish())
}

fn structs(fields: Fields, arrays: Vec<ArrayRef>, valid: bool, rows: usize) -> Result<ArrayRef, ArrowError> {
    let nulls = (!valid).then(|| arrow::buffer::NullBuffer::new_null(rows));
    Ok(Arc::new(StructArray::try_new(fields, arrays, nulls)?))
}

fn objects(facts: Option<&ObjectFacts>, rows: usize) -> Result<ArrayRef, ArrowError> {
    let of = |get: fn(&ObjectFacts) -> Option<&str>| words(std::iter::repeat_n(facts.and_then(get), rows));
    let path = words(std::iter::repeat_n(Some(facts.map_or("", |facts| facts.path.as_str())), rows));
    let size = counts(std::iter::repeat_n(facts.map(|facts| facts.size), rows));
    let etag = of(|facts| facts.etag.as_deref());
    let sha256 = of(|facts| facts.sha256.as_deref());
    let row_counts = counts(std::iter::repeat_n(facts.and_then(|facts| facts.rows), rows));
    structs(object_fields(), vec![path, size, etag, sha256, row_counts], facts.is_some(), rows)
}

fn columns(facts: &[ColumnFacts]) -> Result<ArrayRef, ArrowError> {
    if facts.is_empty() {
        let empty = column_fields().iter().map(|field| arrow::array::new_null_array(field.data_type(), 1)).collect();
        let nulls = Some(arrow::buffer::NullBuffer::new_null(1));
        return Ok(Arc::new(StructArray::try_new(column_fields(), empty, nulls)?));
    }
    let of = |get: fn(&ColumnFacts) -> Option<u64>| counts(facts.iter().map(get));
    let sketches = |get: fn(&ColumnFacts) -> Option<&Sketch>| {
        let mut builder = BinaryBuilder::new();
        facts.iter().for_each(|column| builder.append_option(get(column).map(Sketch::as_bytes)));
        Arc::new(builder.finish()) as ArrayRef
    };
    let arrays = vec![
        words(facts.iter().map(|column| Some(column.name.as_str()))),
        routes(facts)?,
        of(|column| column.values),
        of(|column| column.nulls),
        of(|column| column.empties),
        of(|column| column.transformed),
        of(|column| column.failed),
        found(facts)?,
        of(|column| column.value_bits),
        sketches(|column| column.distinct_in.as_ref()),
        sketches(|column| column.distinct_out.as_ref()),
    ];
    Ok(Arc::new(StructArray::try_new(column_fields(), arrays, None)?))
}

/// The outcome that these rows are; `None` if they are not of [`to_batch`].
pub fn from_batch(batch: &RecordBatch) -> Option<Outcome> {
    if batch.schema_ref().fields() != schema().fields() || batch.num_rows() == 0 {
        return None;
    }
    let status = match batch.column(0).as_string::<i32>().value(0) {
        "written" => Status::Written,
        "skipped" => Status::Skipped,
        "failed" => Status::Failed,
        _ => return None,
    };
    let failure = batch.column(3).as_struct();
    let failure = failure.is_valid(0).then(|| Failure {
        code: string(failure, 0, 0).unwrap_or_default(),
        message: string(failure, 1, 0).unwrap_or_default(),
    });
    let columns = batch.column(4).as_struct();
    let column = |row: usize| {
        let sketch = |at: usize| {
            let sketches = columns.column(at).as_binary::<i32>();
            sketches.is_valid(row).then(|| Sketch::from_bytes(sketches.value(row))).flatten()
        };
        Some(ColumnFacts {
            name: string(columns, 0, row)?,
            routes: routes_of(columns, row)?,
            values: number(columns, 2, row),
            nulls: number(columns, 3, row),
            empties: number(columns, 4, row),
            transformed: number(columns, 5, row),
            failed: number(columns, 6, row),
            found: found_of(columns, row)?,
            value_bits: number(columns, 8, row),
            distinct_in: sketch(9),
            distinct_out: sketch(10),
        })
    };
    let columns: Option<Vec<ColumnFacts>> =
        (0..batch.num_rows()).filter(|&row| columns.is_valid(row)).map(column).collect();
    Some(Outcome {
        status,
        input: object(batch.column(1).as_struct())?,
        output: object(batch.column(2).as_struct()),
        failure,
        columns: columns?,
    })
}

fn object(facts: &StructArray) -> Option<ObjectFacts> {
    facts.is_valid(0).then_some(())?;
    Some(ObjectFacts {
        path: string(facts, 0, 0)?,
        size: number(facts, 1, 0)?,
        etag: string(facts, 2, 0),
        sha256: string(facts, 3, 0),
        rows: number(facts, 4, 0),
    })
}

fn string(array: &StructArray, column: usize, row: usize) -> Option<String> {
    let texts = array.column(column).as_string::<i32>();
    texts.is_valid(row).then(|| texts.value(row).to_owned())
}

fn number(array: &StructArray, column: usize, row: usize) -> Option<u64> {
    let numbers = array.column(column).as_primitive::<UInt64Type>();
    numbers.is_valid(row).then(|| numbers.value(row))
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Written => "written",
        Status::Skipped => "skipped",
        Status::Failed => "failed",
    }
}

fn routes(facts: &[ColumnFacts]) -> Result<ArrayRef, ArrowError> {
    let all = || facts.iter().flat_map(|column| &column.routes);
    let arrays = vec![words(all().map(|used| Some(route_word(used.route)))), counts(all().map(|used| used.bytes))];
    let items = StructArray::try_new(route_fields(), arrays, None)?;
    let offsets = OffsetBuffer::from_lengths(facts.iter().map(|column| column.routes.len()));
    Ok(Arc::new(ListArray::try_new(route_field(), offsets, Arc::new(items), None)?))
}

fn routes_of(columns: &StructArray, row: usize) -> Option<Vec<RouteBytes>> {
    let used = columns.column(1).as_list_opt::<i32>()?.value(row);
    let used = used.as_struct();
    let one = |at| Some(RouteBytes { route: route_of(&string(used, 0, at)?)?, bytes: number(used, 1, at) });
    (0..used.len()).map(one).collect()
}

fn found(facts: &[ColumnFacts]) -> Result<ArrayRef, ArrowError> {
    let items = UInt64Array::from_iter_values(facts.iter().flat_map(|column| column.found.iter().copied()));
    let offsets = OffsetBuffer::from_lengths(facts.iter().map(|column| column.found.len()));
    Ok(Arc::new(ListArray::try_new(found_field(), offsets, Arc::new(items), None)?))
}

fn found_of(columns: &StructArray, row: usize) -> Option<Vec<u64>> {
    let found = columns.column(7).as_list_opt::<i32>()?.value(row);
    Some(found.as_primitive_opt::<UInt64Type>()?.values().to_vec())
}

/// The word for a route in outcomes and reports.
pub fn route_word(route: Route) -> &'static str {
    match route {
        Route::Copied => "copied",
        Route::Dictionary => "dictionary",
        Route::Leaf => "leaf",
        Route::Stream => "stream",
        Route::Path => "path",
    }
}

fn route_of(word: &str) -> Option<Route> {
    let all = [Route::Copied, Route::Dictionary, Route::Leaf, Route::Stream, Route::Path];
    all.into_iter().find(|route| route_word(*route) == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_read_back_from_their_rows() {
        let object = |path: &str| ObjectFacts {
            path: path.to_owned(),
            size: 7,
            etag: None,
            sha256: Some("00".to_owned()),
            rows: Some(2),
        };
        let mut sketch = Sketch::default();
        sketch.insert(b"a");
        let column = |name: &str, routes: &[RouteBytes]| ColumnFacts {
            name: name.to_owned(),
            routes: routes.to_vec(),
            values: Some(2),
            nulls: Some(0),
            empties: None,
            transformed: Some(2),
            failed: Some(0),
            found: if name == "a" { vec![3, 0, 7] } else { Vec::new() },
            value_bits: (name != "c").then_some(17),
            distinct_in: Some(sketch.clone()),
            distinct_out: None,
        };
        let dictionary = RouteBytes { route: Route::Dictionary, bytes: None };
        let written = Outcome {
            status: Status::Written,
            input: object("a.csv"),
            output: Some(object("a.parquet")),
            failure: None,
            columns: vec![
                column("a", &[dictionary, RouteBytes { route: Route::Leaf, bytes: Some(3) }]),
                column("b", &[RouteBytes { route: Route::Path, bytes: None }]),
                column("c", &[]),
            ],
        };
        let failed = Outcome {
            status: Status::Failed,
            input: object("b.csv"),
            output: None,
            failure: Some(Failure { code: "csv-invalid".to_owned(), message: "row 3".to_owned() }),
            columns: Vec::new(),
        };
        for outcome in [written, failed] {
            assert_eq!(from_batch(&to_batch(&outcome).unwrap()), Some(outcome));
        }
    }
}
