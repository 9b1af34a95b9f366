//! What holds whatever the values: extreme numbers and dates, arbitrary text, nulls, slices, dictionaries.

use arrow::compute::{cast, concat};
use arrow::datatypes::*;
use proptest::prelude::*;

use super::*;
use crate::transforms::cell::{CellError, Memo, OnError};
use crate::transforms::tally::Tally;

/// Rules for dates and for text that may be one.
fn date_rules() -> Vec<Value> {
    let mut rules = vec![
        json!({ "age": { "reference": "2026-01-01" } }),
        json!({ "age": { "reference": "9999-12-31", "bands": [1], "top": 200 } }),
        json!({ "age": { "reference": "0001-01-01", "bands": 1 } }),
    ];
    for period in ["year", "quarter", "month", "iso_week", "day"] {
        rules.push(json!({ "date": period }));
        rules.push(json!({ "date": period, "as": "first_day" }));
    }
    rules
}

fn number_rules() -> Vec<Value> {
    vec![
        json!({ "number": { "width": 10 } }),
        json!({ "number": { "width": "0.001", "offset": "-99999999999999999999999999999999999.5" } }),
        json!({ "number": { "width": "99999999999999999999999999999999999999", "offset": 1 } }),
        json!({ "number": { "width": 1, "offset": "0.1" } }),
        json!({ "number": { "buckets": ["-0.5", 0, "9223372036854775807", "9223372036854775808"] } }),
    ]
}

fn text_rules() -> Vec<Value> {
    vec![
        json!({ "prefix": { "keep": 2 } }),
        json!({ "prefix": { "keep": 3, "pad": "\u{2022}", "replace": { "abc": "" } } }),
        json!({ "date": "day", "format": "%d.%m.%y" }),
        json!({ "date": "year", "as": "first_day", "format": "%-d/%-m/%Y %f" }),
        json!({ "age": { "reference": "2026-01-01" }, "format": "%B %-d, %Y" }),
    ]
}

/// Holds for every column: types as promised, null for null, a failure for each other null, and the same answer for
/// each value alone, in a slice, and in a dictionary.
fn obeys(options: &Value, column: &ArrayRef) -> Result<(), TestCaseError> {
    let treatment = treatment(options.clone());
    let Ok(promised) = treatment.output_type(column.data_type()) else { return Ok(()) };
    let (made, tally) = apply(&treatment, column, &[]);
    prop_assert_eq!(made.data_type(), &promised);
    prop_assert_eq!((made.null_count() - column.null_count()) as u64, tally.failed);
    for row in 0..column.len() {
        let (alone, _) = apply(&treatment, &column.slice(row, 1), &[]);
        prop_assert_eq!(&alone, &made.slice(row, 1), "{} of {:?}", options, column.slice(row, 1));
    }
    let around = concat(&[column.as_ref(), column.as_ref()]).unwrap();
    let (sliced, _) = apply(&treatment, &around.slice(1, column.len()), &[]);
    prop_assert_eq!(&sliced, &concat(&[&made.slice(1, column.len() - 1), &made.slice(0, 1)]).unwrap());
    let encoded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(column.data_type().clone()));
    if let Ok(dictionary) = cast(column, &encoded) {
        let (entries, _) = apply(&treatment, &dictionary, &[]);
        prop_assert_eq!(&cast(&entries, &promised).unwrap(), &made);
    }
    Ok(())
}

/// Values of a type, with some of its ends among them.
fn with_ends<T: std::fmt::Debug + Clone + 'static>(
    any: impl Strategy<Value = T> + 'static,
    ends: Vec<T>,
) -> impl Strategy<Value = Vec<Option<T>>> {
    prop::collection::vec(prop::option::weighted(0.8, prop_oneof![any, prop::sample::select(ends)]), 1..8)
}

fn i64s() -> impl Strategy<Value = Vec<Option<i64>>> {
    let ends = vec![i64::MIN, i64::MAX, 0, -1, -62_135_596_800, 253_402_300_799, -62_135_596_801, 253_402_300_800];
    with_ends(any::<i64>().prop_flat_map(|number| (0u32..64).prop_map(move |shift| number >> shift)), ends)
}

/// Of any characters, of those of dates, and of some that are easily lost.
fn any_text() -> impl Strategy<Value = String> {
    "\\PC*|[0-9./-]{8,10}|[a-c\u{301}\u{5d0}\0]{0,6}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn dates_and_timestamps(
        days in with_ends(any::<i32>(), vec![i32::MIN, i32::MAX, -719_162, -719_163, 2_932_896, 2_932_897]),
        ticks in i64s(),
    ) {
        let columns: [ArrayRef; 6] = [
            Arc::new(Date32Array::from(days)),
            Arc::new(Date64Array::from(ticks.clone())),
            Arc::new(TimestampSecondArray::from(ticks.clone())),
            Arc::new(TimestampMillisecondArray::from(ticks.clone()).with_timezone("+05:30")),
            Arc::new(TimestampMicrosecondArray::from(ticks.clone())),
            Arc::new(TimestampNanosecondArray::from(ticks).with_timezone("UTC")),
        ];
        for column in &columns {
            for rule in date_rules() {
                obeys(&rule, column)?;
            }
        }
    }

    #[test]
    fn integers_and_decimals(
        numbers in i64s(),
        wide in with_ends(any::<i128>(), vec![i128::MIN, i128::MAX]),
        scale in -76i8..=76,
    ) {
        let wider = wide.iter().map(|number| number.map(|number| i256::from_parts(number as u128, number)));
        let columns: [ArrayRef; 6] = [
            Arc::new(Int64Array::from(numbers.clone())),
            Arc::new(UInt64Array::from_iter(numbers.iter().map(|number| number.map(|number| number as u64)))),
            Arc::new(Int8Array::from_iter(numbers.iter().map(|number| number.map(|number| number as i8)))),
            Arc::new(Decimal64Array::from(numbers).with_data_type(DataType::Decimal64(18, scale))),
            Arc::new(Decimal128Array::from(wide.clone()).with_data_type(DataType::Decimal128(38, scale))),
            Arc::new(Decimal256Array::from_iter(wider).with_data_type(DataType::Decimal256(76, scale))),
        ];
        for column in &columns {
            for rule in number_rules() {
                obeys(&rule, column)?;
            }
        }
    }

    #[test]
    fn floats(
        bits in prop::collection::vec(prop::option::weighted(0.8, any::<u64>()), 1..8),
        small in prop::collection::vec(-1e6f64..1e6, 1..8),
    ) {
        let columns: [ArrayRef; 3] = [
            Arc::new(Float64Array::from_iter(bits.iter().map(|bits| bits.map(f64::from_bits)))),
            Arc::new(Float32Array::from_iter(bits.iter().map(|bits| bits.map(|bits| f32::from_bits(bits as u32))))),
            Arc::new(Float64Array::from(small)),
        ];
        for column in &columns {
            for rule in number_rules() {
                obeys(&rule, column)?;
            }
        }
    }

    #[test]
    fn text(values in prop::collection::vec(prop::option::weighted(0.8, any_text()), 1..8)) {
        let column: ArrayRef = Arc::new(StringArray::from(values));
        for flavour in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
            let column = cast(&column, &flavour).unwrap();
            for rule in text_rules().into_iter().chain(date_rules()) {
                obeys(&rule, &column)?;
            }
        }
    }

    #[test]
    fn no_value_passes_and_no_reason_holds_any_of_it(value in "[a-z\u{301}\u{5d0}]{4,40}|\\PC{4,40}") {
        for rule in text_rules() {
            let column: ArrayRef = Arc::new(StringArray::from(vec![value.as_str()]));
            let mut treatment = treatment(rule.clone());
            let (made, _) = apply(&treatment, &column, &[]);
            prop_assert_ne!(shown(&made).remove(0), Some(value.clone()), "{}", rule);
            treatment.on_error = OnError::Fail;
            if let Err(error) = treatment.apply(&column, &[], &mut Memo::default(), &mut Tally::default()) {
                let CellError::Value { reason, .. } = error else { panic!("of the value") };
                prop_assert!(!reason.contains(&value) && reason.is_ascii(), "{}", reason);
            }
        }
    }
}

#[test]
fn a_mebibyte_of_text_is_cut_or_refused() {
    let long: String = "e\u{301}".repeat(1 << 19);
    for rule in text_rules() {
        obeys(&rule, &(Arc::new(StringArray::from(vec![long.as_str(), "abcd"])) as ArrayRef)).unwrap();
    }
    let cut = of_one(json!({ "prefix": { "keep": 3 } }), StringArray::from(vec![long]));
    assert_eq!(cut.as_deref(), Some("e\u{301}e"));
}

#[test]
fn what_lies_under_a_null_is_neither_read_nor_told() {
    let nulls = || Some(arrow::buffer::NullBuffer::from(vec![false, true]));
    let column: ArrayRef = Arc::new(Date32Array::new(vec![i32::MAX, 0].into(), nulls()));
    for rule in date_rules() {
        obeys(&rule, &column).unwrap();
    }
    let (made, _) = apply(&treatment(json!({ "date": "month", "as": "first_day" })), &column, &[]);
    assert_eq!(made.as_primitive::<Date32Type>().values().as_ref(), [0, 0]);
    let column: ArrayRef = Arc::new(Float64Array::new(vec![f64::NAN, 0.0].into(), nulls()));
    for rule in number_rules() {
        obeys(&rule, &column).unwrap();
    }
}
