//! One suite for every family: the laws of [`Transform`](super::Transform), over every type that a family takes.
//!
//! A family joins by a line in [`SPECIMENS`].

mod columns;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, DictionaryArray, Int8Array, Int32Array, RunArray,
};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Int8Type, Int32Type};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cell::{Cell, EmptyRule, Memo, OnError};
use super::tally::Tally;
use super::testing::{any_keys, built, companion, shown, texts};
use super::{Transformed, Values};
use crate::arrays::canonical::{Meaning, canonical, is_supported};
use columns::{every_type, odd_texts};

/// A family with options that let its laws be seen.
struct Specimen {
    spec: Value,
    /// Whether equal values have equal outputs.
    repeats: bool,
    /// Whether the outputs of texts hide them: none is ever its value.
    hides: bool,
}

fn specimens() -> Vec<Specimen> {
    [
        json!({"pseudonym": {"domain": "d"}}),
        json!({"pseudonym": {"domain": "d/{region}", "tenant": {"column": "tenant"}, "encoding": "binary"}}),
        json!({"pseudonym": {"scheme": "hmac-sha256", "encoding": "base64"}}),
        json!({"encrypt": {"domain": "d"}}),
        json!({"encrypt": {"domain": "d/{region}", "encoding": "binary"}}),
        json!({"fpe": {"domain": "d"}}),
        json!({"fpe": {"domain": "d", "alphabet": "alphanumeric", "tweak_column": "t"}}),
        json!({"fpe": {"domain": "d", "checksum": "luhn"}}),
        json!({"fpe": {"domain": "d", "checksum": "iban", "tenant": {"column": "tenant"}}}),
        json!({"rekeyable": {"domain": "d"}}),
        json!({"rekeyable": {"domain": "d/{region}", "encoding": "binary"}}),
        json!({"ip": {"truncate": {}}}),
        json!({"ip": {"prefix_preserving": {"domain": "d"}}}),
        json!({"email": {"domain": "d"}}),
        json!({"email": {"domain": "d", "host": "registrable"}}),
        json!({"email": {"domain": "d", "host": "pseudonym", "tenant": {"column": "tenant"}}}),
        json!({"surrogate": {"list": "given_name", "locale": "en_US", "domain": "d"}}),
        json!({"surrogate": {"list": "email", "locale": "de_DE", "domain": "d/{region}"}}),
        json!({"date_shift": {"by": "id", "days": 30, "domain": "d"}}),
        json!({"date_shift": {"by": "id", "days": 36500, "domain": "d", "tenant": {"column": "tenant"}}}),
        json!({"generalize": {"date": "year"}}),
        json!({"generalize": {"date": "iso_week"}}),
        json!({"generalize": {"date": "quarter", "as": "first_day"}}),
        json!({"generalize": {"age": {"reference": "2026-01-01"}}}),
        json!({"generalize": {"number": {"width": "10"}}}),
        json!({"generalize": {"number": {"buckets": ["-1", "0", "18.5"]}}}),
        json!({"generalize": {"prefix": {"keep": 2}}}),
        json!({"noise": {"by": "id", "domain": "d", "uniform": {"width": "3"}}}),
        json!({"noise": {"by": "id", "domain": "d", "laplace": {"scale": "2"}}}),
        json!({"random": {}}),
        json!({"random": {"per": "run"}}),
        json!({"scrub": {}}),
        json!({"scrub": {"replace": "pseudonym", "domain": "d", "tenant": {"column": "tenant"}}}),
        json!({"mask": {}}),
        json!({"mask": {"keep_separators": true}}),
        json!({"redact": "[gone]"}),
        json!({"nullify": {}}),
        json!({"hash": {}}),
        json!({"hash": {"algorithm": "xxh3", "encoding": "base32"}}),
    ]
    .into_iter()
    .map(Specimen::new)
    .collect()
}

impl Specimen {
    fn new(spec: Value) -> Self {
        let is = |word: &str| spec.get(word).is_some();
        Self {
            // what is fresh for each row has no answer to compare
            repeats: !(is("random") && spec["random"]["per"] != "run"),
            // a search passes what it does not find, a shift may be by no day, a list may hold the name itself, and a
            // period begins with its first day
            hides: !is("scrub") && !is("date_shift") && !is("surrogate") && spec["generalize"]["as"] != "first_day",
            spec,
        }
    }
}

fn cell_of(specimen: &Specimen, on_error: OnError) -> (Cell, usize) {
    let built = built(specimen.spec.clone(), &any_keys()).expect("builds");
    let companions = built.companions.len();
    let transform = built.transform;
    (Cell { meaning: Meaning::Plain, normalizer: None, empty: EmptyRule::Value, on_error, transform }, companions)
}

/// Companion columns for `rows` rows that begin at `first`: each row's own, some null or empty.
fn companions(count: usize, first: usize, rows: usize) -> Vec<BinaryArray> {
    let value = |column: usize, row: usize| match row % 11 {
        3 => None,
        7 => Some(String::new()),
        _ => Some(format!("{column}/{}", row % 4)),
    };
    (0..count).map(|column| companion((first..first + rows).map(|row| value(column, row)))).collect()
}

fn apply(cell: &Cell, array: &ArrayRef, companions: &[BinaryArray]) -> (ArrayRef, Tally) {
    let mut tally = Tally::with_sketches();
    let made = cell.apply(array, companions, &mut Memo::default(), &mut tally).expect("no failure is fatal here");
    (made, tally)
}

/// An array as plain as it gets: no dictionary, no runs, text as Utf8.
fn plain(array: &ArrayRef) -> ArrayRef {
    let mut array = Arc::clone(array);
    loop {
        let data_type = match array.data_type() {
            DataType::Dictionary(_, values) => values.as_ref().clone(),
            DataType::RunEndEncoded(_, values) => values.data_type().clone(),
            DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
            DataType::LargeBinary | DataType::BinaryView => DataType::Binary,
            _ => return array,
        };
        array = match array.data_type() {
            DataType::RunEndEncoded(..) => {
                let runs = array.as_run::<Int32Type>();
                let rows = Int32Array::from_iter_values((0..runs.len()).map(|row| runs.get_physical_index(row) as i32));
                take(runs.values(), &rows, None).expect("takes")
            }
            _ => cast(&array, &data_type).expect("casts"),
        };
    }
}

/// For every family and every type it takes.
fn for_each(mut each: impl FnMut(&Specimen, &Cell, usize, &ArrayRef)) {
    for specimen in &specimens() {
        let (cell, companions) = cell_of(specimen, OnError::ToNull);
        let mut taken = 0;
        for array in every_type() {
            if cell.output_type(array.data_type()).is_ok() {
                taken += 1;
                each(specimen, &cell, companions, &array);
            }
        }
        assert!(taken > 0, "{} takes no type at all", specimen.spec);
    }
}

#[test]
fn null_stays_null_and_nothing_else_becomes_null_without_a_failure() {
    for_each(|specimen, cell, count, array| {
        let (made, tally) = apply(cell, array, &companions(count, 0, array.len()));
        assert_eq!(made.len(), array.len(), "{}", specimen.spec);
        let nulls = array.logical_null_count();
        if specimen.spec.get("nullify").is_none() {
            let expected = (nulls as u64 + tally.failed) as usize;
            assert_eq!(made.logical_null_count(), expected, "{} of {}", specimen.spec, array.data_type());
        }
        let (before, after) = (array.logical_nulls(), made.logical_nulls());
        for row in 0..array.len() {
            let null = |nulls: &Option<arrow::buffer::NullBuffer>| nulls.as_ref().is_some_and(|n| n.is_null(row));
            assert!(!null(&before) || null(&after), "{} row {row}", specimen.spec);
        }
        assert_eq!(tally.values, Some(array.len() as u64));
        assert_eq!(tally.transformed + tally.failed, (array.len() - nulls) as u64, "{}", specimen.spec);
    });
}

#[test]
fn the_output_has_the_type_that_was_promised() {
    for_each(|specimen, cell, count, array| {
        let promised = cell.output_type(array.data_type()).expect("asked before");
        for rows in [array.len(), 1, 0] {
            let (made, _) = apply(cell, &array.slice(0, rows), &companions(count, 0, rows));
            assert_eq!(made.data_type(), &promised, "{} of {rows} rows", specimen.spec);
        }
    });
}

#[test]
fn the_answer_is_the_same_whatever_the_batches_and_wherever_they_begin() {
    for_each(|specimen, cell, count, array| {
        if !specimen.repeats {
            return;
        }
        let (whole, _) = apply(cell, array, &companions(count, 0, array.len()));
        for size in [1, 3, 8] {
            let mut parts = Vec::new();
            for first in (0..array.len()).step_by(size) {
                let rows = size.min(array.len() - first);
                parts.push(apply(cell, &array.slice(first, rows), &companions(count, first, rows)).0);
            }
            let parts: Vec<&dyn Array> = parts.iter().map(|part| part.as_ref()).collect();
            let joined = concat(&parts).expect("of one type");
            assert_eq!(&plain(&joined), &plain(&whole), "{} of {} by {size}", specimen.spec, array.data_type());
        }
    });
}

#[test]
fn the_answer_is_the_same_for_every_encoding_of_a_column() {
    for_each(|specimen, cell, count, array| {
        if !specimen.repeats || array.data_type() == &DataType::Null {
            return;
        }
        let companions = companions(count, 0, array.len());
        let (expected, _) = apply(cell, array, &companions);
        for other in encodings(array) {
            if cell.output_type(other.data_type()).is_err() {
                continue;
            }
            let (made, tally) = apply(cell, &other, &companions);
            assert_eq!(&plain(&made), &plain(&expected), "{} of {}", specimen.spec, other.data_type());
            assert_eq!(tally.values, Some(array.len() as u64));
        }
    });
}

/// The same column written otherwise.
fn encodings(array: &ArrayRef) -> Vec<ArrayRef> {
    let rows = array.len() as i32;
    // entries in reverse, one that no row has before them, and the last row's twice
    let entries = Int32Array::from_iter_values(std::iter::once(0).chain((0..rows).rev()));
    let entries = take(array, &entries, None).expect("takes");
    let keys = Int32Array::from_iter_values((0..rows).map(|row| rows - row));
    let mut others: Vec<ArrayRef> =
        vec![Arc::new(DictionaryArray::<Int32Type>::try_new(keys, entries).expect("keys are within"))];
    let ends = Int32Array::from_iter_values(1..=rows);
    others.push(Arc::new(RunArray::try_new(&ends, array).expect("a run for each row")));
    let wider: &[DataType] = match array.data_type() {
        DataType::Utf8 => &[DataType::LargeUtf8, DataType::Utf8View],
        DataType::Binary => &[DataType::LargeBinary, DataType::BinaryView],
        _ => &[],
    };
    others.extend(wider.iter().map(|wider| cast(array, wider).expect("casts")));
    others
}

/// As pandas writes categories: keys of eight bits, more rows than they can number.
#[test]
fn dictionaries_of_narrow_keys_have_room_for_an_output_of_each_row() {
    let categories = texts((0..7).map(|n| Some(format!("anna{n}@example.com"))));
    let keys = Int8Array::from_iter_values((0..600).map(|row| (row % 7) as i8));
    let column: ArrayRef = Arc::new(DictionaryArray::<Int8Type>::try_new(keys, categories).expect("keys are within"));
    for specimen in &specimens() {
        let (cell, count) = cell_of(specimen, OnError::ToNull);
        let Ok(promised) = cell.output_type(column.data_type()) else { continue };
        let rows: Vec<BinaryArray> =
            (0..count).map(|_| companion((0..600).map(|row| Some(format!("row {row}"))))).collect();
        let (made, tally) = apply(&cell, &column, &rows);
        assert_eq!((made.data_type(), tally.values), (&promised, Some(600)), "{}", specimen.spec);
    }
}

#[test]
fn failures_tell_nothing_of_a_value_and_what_failed_does_not_pass() {
    for specimen in &specimens() {
        let (cell, count) = cell_of(specimen, OnError::Redact);
        for value in odd_texts().iter().filter(|value| value.chars().count() > 2) {
            let array = texts([Some(value)]);
            if cell.output_type(array.data_type()).is_err() {
                continue;
            }
            let canonical = canonical(&array, Meaning::Plain).expect("text").values;
            let companions = companions(count, 0, 1);
            let values = Values { array: &array, canonical: &canonical, companions: &companions };
            let Transformed { failures, array: made, .. } = cell.transform.apply(&values).expect("applies");
            for failure in failures.iter() {
                let reason = failure.reason.to_lowercase();
                assert!(!reason.contains(&value.to_lowercase()), "{}: {reason}", specimen.spec);
                assert!(made.is_null(failure.index), "{}", specimen.spec);
            }
        }
    }
}

fn never_passes(specimen: &Specimen, value: &str) {
    let (cell, count) = cell_of(specimen, OnError::Redact);
    let array = texts([Some(value)]);
    let made = match cell.output_type(array.data_type()) {
        Ok(_) => apply(&cell, &array, &companions(count, 0, 1)).0,
        Err(_) => return,
    };
    if is_supported(made.data_type()) && specimen.hides {
        let made = shown_or_nothing(&made);
        assert_ne!(made.as_deref(), Some(value), "{}", specimen.spec);
    }
}

fn shown_or_nothing(made: &ArrayRef) -> Option<String> {
    match made.data_type() {
        DataType::FixedSizeBinary(_) | DataType::Binary => None,
        _ => shown(made).remove(0),
    }
}

#[test]
fn no_odd_text_passes_as_it_is_and_none_makes_a_transform_panic() {
    for specimen in &specimens() {
        // what is made of an empty or masked text may be itself
        let values = odd_texts();
        values.iter().filter(|value| value.chars().any(char::is_alphanumeric)).for_each(|v| never_passes(specimen, v));
        never_passes(specimen, &"x1 @é".repeat(210_000));
        let (cell, count) = cell_of(specimen, OnError::Redact);
        for value in values {
            let array = texts([Some(&value)]);
            if cell.output_type(array.data_type()).is_ok() {
                apply(&cell, &array, &companions(count, 0, 1));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_arbitrary_text_passes_as_it_is(value in any::<String>()) {
        prop_assume!(value.chars().any(char::is_alphanumeric));
        for specimen in &specimens() {
            never_passes(specimen, &value);
        }
    }
}

#[test]
fn under_fail_the_first_value_that_cannot_be_taken_is_named_by_its_row() {
    let values = texts([Some("a"), None, Some("b"), Some("c")]);
    let companions = [companion([Some("x"), Some("x"), Some(""), None])];
    let specimen = Specimen::new(json!({"pseudonym": {"domain": "d", "tenant": {"column": "tenant"}}}));
    let (cell, _) = cell_of(&specimen, OnError::Fail);
    let error = cell.apply(&values, &companions, &mut Memo::default(), &mut Tally::default()).unwrap_err();
    assert!(matches!(error, super::cell::CellError::Value { index: 2, .. }), "{error}");
    // rows that are masked out do not fail
    let kept = BooleanArray::from(vec![true, true, false, false]);
    let values = arrow::compute::filter(&values, &kept).expect("filters");
    assert!(cell.apply(&values, &[companion([Some("x"); 2])], &mut Memo::default(), &mut Tally::default()).is_ok());
}
