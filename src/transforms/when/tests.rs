use std::sync::Arc;

use arrow::array::{BinaryArray, DictionaryArray, Float64Array, Int64Array};
use arrow::datatypes::{Int8Type, TimeUnit};
use serde_json::json;

use super::*;
use crate::transforms::cell::{EmptyRule, OnError};
use crate::transforms::testing::{apply, cell, companion, shown, texts};

fn when(otherwise: Otherwise) -> When {
    When { condition: 0, otherwise }
}

fn rows(bits: &[bool]) -> BooleanBuffer {
    BooleanBuffer::from(bits)
}

/// `array` treated, with what was counted.
fn treat(cell: &Cell, otherwise: Otherwise, array: &ArrayRef, applied: &[bool]) -> (ArrayRef, Tally) {
    let mut tally = Tally::with_sketches();
    let made = when(otherwise).apply(cell, array, &[], &rows(applied), (&mut Memo::default(), &mut tally));
    let made = made.expect("applies");
    let alone = cell.output_type(array.data_type()).expect("a type");
    assert_eq!(Ok(made.data_type().clone()), when(otherwise).output_type(array.data_type(), &alone));
    (made, tally)
}

const APPLIED: [bool; 7] = [true, false, true, false, true, false, false];

fn column() -> ArrayRef {
    texts([Some("anna"), Some("anna"), None, None, Some(""), Some(""), Some("bo")])
}

/// The tokens of [`column`] where there is no condition.
fn tokens(cell: &Cell) -> Vec<Option<String>> {
    shown(&apply(cell, &column(), &[]).0)
}

#[test]
fn rows_that_are_chosen_are_transformed_and_the_others_left_to_otherwise() {
    let cell = cell(json!({ "pseudonym": { "domain": "d" } }));
    let all = tokens(&cell);
    let expected = |others: [Option<&str>; 4]| {
        let [b, d, f, g] = others.map(|text| text.map(str::to_owned));
        vec![all[0].clone(), b, None, d, all[4].clone(), f, g]
    };
    let made = |otherwise| shown(&treat(&cell, otherwise, &column(), &APPLIED).0);
    assert_eq!(made(Otherwise::Keep), expected([Some("anna"), None, Some(""), Some("bo")]));
    assert_eq!(made(Otherwise::ToNull), expected([None; 4]));
    assert_eq!(made(Otherwise::Redact), expected([Some(REDACTED), None, Some(REDACTED), Some(REDACTED)]));
    let none = treat(&cell, Otherwise::Keep, &column(), &[false; 7]).0;
    assert_eq!(shown(&none), shown(&column()));
    assert_eq!(shown(&treat(&cell, Otherwise::Redact, &column(), &[true; 7]).0), all);
}

#[test]
fn every_form_of_a_column_of_texts_gives_the_same() {
    let cell = cell(json!({ "pseudonym": { "domain": "d" } }));
    for otherwise in [Otherwise::Keep, Otherwise::ToNull, Otherwise::Redact] {
        let (expected, counted) = treat(&cell, otherwise, &column(), &APPLIED);
        let dictionary = cast(&column(), &DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)));
        let large = cast(&column(), &DataType::LargeUtf8);
        let view = cast(&column(), &DataType::Utf8View);
        for array in [dictionary, large, view].map(|array| array.expect("casts")) {
            let (made, tally) = treat(&cell, otherwise, &array, &APPLIED);
            assert_eq!(shown(&made), shown(&expected), "{:?}", array.data_type());
            assert_eq!(tally, counted, "{:?}", array.data_type());
        }
        // a slice, whose rows have their own places
        let (made, _) = treat(&cell, otherwise, &column().slice(1, 5), &APPLIED[1..6]);
        assert_eq!(shown(&made), shown(&expected)[1..6]);
    }
}

#[test]
fn what_is_kept_counts_as_read_and_written_and_not_as_transformed() {
    let cell = cell(json!({ "pseudonym": { "domain": "d" } }));
    let counted = |otherwise| {
        let tally = treat(&cell, otherwise, &column(), &APPLIED).1;
        let distinct = |sketch: &Option<Sketch>| sketch.as_ref().map(Sketch::estimate);
        let figures = (tally.values, tally.nulls, tally.empties, tally.transformed, tally.failed);
        (figures, distinct(&tally.distinct_in), distinct(&tally.distinct_out))
    };
    // read: anna, bo and the empty text; written beside these two tokens
    assert_eq!(counted(Otherwise::Keep), ((Some(7), Some(2), Some(2), 2, 0), Some(3), Some(5)));
    assert_eq!(counted(Otherwise::ToNull), ((Some(7), Some(5), Some(2), 5, 0), Some(3), Some(2)));
    assert_eq!(counted(Otherwise::Redact), ((Some(7), Some(2), Some(2), 5, 0), Some(3), Some(3)));
}

#[test]
fn dictionaries_have_room_for_made_and_kept_values_together() {
    let cell = cell(json!({ "pseudonym": { "domain": "d" } }));
    let names: Vec<String> = (0..200).map(|row| format!("name {}", row % 100)).collect();
    let array: ArrayRef = Arc::new(names.iter().map(String::as_str).collect::<DictionaryArray<Int8Type>>());
    let applied: Vec<bool> = (0..200).map(|row| row >= 100).collect();
    let (made, tally) = treat(&cell, Otherwise::Keep, &array, &applied);
    assert!(matches!(made.data_type(), DataType::Dictionary(keys, _) if **keys == DataType::Int32));
    assert_eq!(shown(&made)[..100], names[..100].iter().cloned().map(Some).collect::<Vec<_>>());
    assert_ne!(shown(&made)[100], Some(names[100].clone()));
    assert_eq!(tally.distinct_out.map(|sketch| sketch.estimate() / 10), Some(20));
}

#[test]
fn a_value_that_fails_is_told_by_its_own_row_and_others_do_not_fail() {
    let mut cell = cell(json!({ "pseudonym": { "domain": "d" } }));
    cell.normalizer = Some(crate::transforms::normalize::Normalizer::new(vec!["email".parse().expect("a step")]));
    let array = texts([Some("no address"), Some("ada@example.com"), Some("no address")]);
    let (made, tally) = treat(&cell, Otherwise::Keep, &array, &[false, true, true]);
    assert_eq!((shown(&made)[0].as_deref(), shown(&made)[2].as_deref()), (Some("no address"), None));
    assert_eq!((tally.failed, tally.transformed), (1, 1));
    cell.on_error = OnError::Fail;
    let mut tally = Tally::with_sketches();
    let mut run = |applied: &[bool]| {
        when(Otherwise::Keep).apply(&cell, &array, &[], &rows(applied), (&mut Memo::default(), &mut tally))
    };
    assert!(run(&[false, true, false]).is_ok());
    assert!(matches!(run(&[false, true, true]), Err(CellError::Value { index: 2, .. })));
    cell.empty = EmptyRule::Value;
}

#[test]
fn columns_that_steer_go_with_their_rows() {
    let spec = json!({ "pseudonym": { "domain": "d", "tenant": { "column": "t" } } });
    let cell = cell(spec);
    let (array, tenants) = (texts([Some("a"), Some("a"), Some("a")]), companion([Some("x"), Some("y"), Some("z")]));
    let all = shown(&apply(&cell, &array, std::slice::from_ref(&tenants)).0);
    let tenants: [BinaryArray; 1] = [tenants];
    let made = when(Otherwise::ToNull).apply(
        &cell,
        &array,
        &tenants,
        &rows(&[false, false, true]),
        (&mut Memo::default(), &mut Tally::with_sketches()),
    );
    assert_eq!(shown(&made.expect("applies")), [None, None, all[2].clone()]);
}

#[test]
fn values_of_every_type_may_stay_where_the_type_does() {
    let cell = cell(json!({ "nullify": {} }));
    let integers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(2), None]));
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), Some(2.5), None]));
    let stamps = cast(&integers, &DataType::Timestamp(TimeUnit::Second, Some("UTC".into()))).expect("casts");
    for array in [integers, floats, stamps] {
        let (made, tally) = treat(&cell, Otherwise::Keep, &array, &[true, false, true]);
        assert_eq!((made.data_type(), made.is_null(0), made.is_valid(1)), (array.data_type(), true, true));
        assert_eq!(made.slice(1, 1).as_ref(), array.slice(1, 1).as_ref());
        assert_eq!((tally.values, tally.nulls, tally.transformed), (Some(3), Some(2), 1));
    }
}

#[test]
fn two_types_in_one_column_are_refused() {
    let refused = |otherwise, input: DataType, made: DataType| when(otherwise).output_type(&input, &made).unwrap_err();
    let kept = refused(Otherwise::Keep, DataType::Int64, DataType::Utf8);
    assert!(kept.contains("Int64") && kept.contains("Utf8"), "{kept}");
    refused(Otherwise::Keep, DataType::Utf8, DataType::FixedSizeBinary(16));
    refused(Otherwise::Redact, DataType::Utf8, DataType::FixedSizeBinary(16));
    refused(Otherwise::Redact, DataType::Int64, DataType::Int64);
    let any = when(Otherwise::ToNull).output_type(&DataType::Int64, &DataType::Utf8);
    assert_eq!(any, Ok(DataType::Utf8));
    let dictionary = |keys| DataType::Dictionary(Box::new(keys), Box::new(DataType::Utf8));
    let wide = when(Otherwise::Keep).output_type(&dictionary(DataType::UInt64), &dictionary(DataType::UInt64));
    assert_eq!(wide, Ok(dictionary(DataType::UInt64)));
}
