use arrow::datatypes::*;
use serde::Deserialize;

use super::*;
use crate::crypto::vectors;

/// A case of `widths`.
#[derive(Debug, Deserialize)]
struct Width {
    width: String,
    offset: String,
    value: String,
    label: String,
}

/// A case of `float_widths`.
#[derive(Debug, Deserialize)]
struct FloatWidth {
    bits: u32,
    width: String,
    offset: String,
    value: String,
    label: String,
}

/// A case of `buckets`.
#[derive(Debug, Deserialize)]
struct Bucket {
    bounds: Vec<String>,
    labels: Option<Vec<String>>,
    value: String,
    label: String,
}

fn parsed<T: ArrowPrimitiveType>(text: &str) -> Option<PrimitiveArray<T>>
where
    T::Native: std::str::FromStr,
{
    Some(PrimitiveArray::from_iter_values([text.parse().ok()?]))
}

fn integer<T: ArrowPrimitiveType>(text: &str) -> Option<ArrayRef>
where
    T::Native: std::str::FromStr,
{
    Some(Arc::new(parsed::<T>(text)?))
}

fn decimal<T: DecimalType>(unscaled: &str, scale: i8) -> Option<ArrayRef>
where
    T::Native: std::str::FromStr,
{
    Some(Arc::new(parsed::<T>(unscaled)?.with_precision_and_scale(T::MAX_PRECISION, scale).ok()?))
}

/// A number, in one column of each type that holds it.
fn columns(value: &str) -> Vec<ArrayRef> {
    let integers = [
        integer::<Int8Type>(value),
        integer::<Int16Type>(value),
        integer::<Int32Type>(value),
        integer::<Int64Type>(value),
        integer::<UInt8Type>(value),
        integer::<UInt16Type>(value),
        integer::<UInt32Type>(value),
        integer::<UInt64Type>(value),
    ];
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let decimals = [0, 3].into_iter().flat_map(|more| {
        let (unscaled, scale) = (format!("{whole}{fraction}{}", "0".repeat(more)), (fraction.len() + more) as i8);
        [
            decimal::<Decimal32Type>(&unscaled, scale),
            decimal::<Decimal64Type>(&unscaled, scale),
            decimal::<Decimal128Type>(&unscaled, scale),
            decimal::<Decimal256Type>(&unscaled, scale),
        ]
    });
    integers.into_iter().chain(decimals).flatten().collect()
}

#[test]
fn buckets_of_one_width_meet_the_known_answers_in_every_type() {
    let mut types = std::collections::HashSet::new();
    for case in vectors::cases_of::<Width>("generalize-v1.json", "widths") {
        for column in columns(&case.value) {
            types.insert(column.data_type().to_string());
            let options = json!({ "number": { "width": case.width, "offset": case.offset } });
            assert_eq!(generalized(options, &column), [Some(case.label.clone())], "{case:?} {}", column.data_type());
        }
    }
    assert!(types.len() > 12, "{types:?}");
}

#[test]
fn floats_in_buckets_of_one_width_meet_the_known_answers() {
    for case in vectors::cases_of::<FloatWidth>("generalize-v1.json", "float_widths") {
        let column: ArrayRef = match case.bits {
            32 => Arc::new(Float32Array::from(vec![case.value.parse::<f32>().unwrap()])),
            _ => Arc::new(Float64Array::from(vec![case.value.parse::<f64>().unwrap()])),
        };
        let options = json!({ "number": { "width": case.width, "offset": case.offset } });
        assert_eq!(generalized(options, &column), [Some(case.label.clone())], "{case:?}");
    }
}

#[test]
fn listed_buckets_meet_the_known_answers_in_every_type() {
    for case in vectors::cases_of::<Bucket>("generalize-v1.json", "buckets") {
        let mut options = json!({ "number": { "buckets": case.bounds } });
        if let Some(labels) = &case.labels {
            options["number"]["labels"] = json!(labels);
        }
        let mut columns = columns(&case.value);
        columns.push(Arc::new(Float64Array::from(vec![case.value.parse::<f64>().unwrap()])));
        columns.push(Arc::new(Float32Array::from(vec![case.value.parse::<f32>().unwrap()])));
        let number: f64 = case.value.parse().unwrap();
        for column in columns {
            // the float next to -99999999999999999999.01 is that next to -99999999999999999999
            if column.data_type().is_floating() && number.abs() > 1e18 && case.value.contains('.') {
                continue;
            }
            assert_eq!(
                generalized(options.clone(), &column),
                [Some(case.label.clone())],
                "{case:?} {}",
                column.data_type()
            );
        }
    }
}

#[test]
fn decimals_with_a_negative_scale_are_whole_multiples() {
    let thousands = Decimal128Array::from(vec![15, -1]).with_precision_and_scale(5, -3).unwrap();
    let column: ArrayRef = Arc::new(thousands);
    let label = |text: &str| Some(text.to_owned());
    assert_eq!(
        generalized(json!({ "number": { "width": 10_000 } }), &column),
        [label("[10000, 20000)"), label("[-10000, 0)")]
    );
    assert_eq!(
        generalized(json!({ "number": { "buckets": [-500, "14999.5"] } }), &column),
        [label(">= 14999.5"), label("< -500")]
    );
}

#[test]
fn a_bucket_does_not_depend_on_its_neighbours() {
    let wide = i128::from(i64::MAX) * 1_000;
    let alone = |value: i128| of_one(json!({ "number": { "width": "7.5" } }), Decimal128Array::from(vec![value]));
    let values = [27, -27, wide, 0, -wide, i128::from(i64::MAX)];
    let column: ArrayRef = Arc::new(Decimal128Array::from(values.to_vec()));
    assert_eq!(generalized(json!({ "number": { "width": "7.5" } }), &column), values.map(alone));
    let far = [0i64, i64::MAX, 5, i64::MIN, 27];
    let alone = |value| of_one(json!({ "number": { "width": 10 } }), Int64Array::from(vec![value]));
    let column: ArrayRef = Arc::new(Int64Array::from(far.to_vec()));
    assert_eq!(generalized(json!({ "number": { "width": 10 } }), &column), far.map(alone));
}

#[test]
fn what_is_no_finite_number_fails_and_negative_zero_is_zero() {
    let column: ArrayRef = Arc::new(Float64Array::from(vec![
        Some(f64::NAN),
        Some(-f64::NAN),
        Some(f64::INFINITY),
        Some(f64::NEG_INFINITY),
        Some(-0.0),
        None,
        Some(f64::from_bits(1)),
        Some(f64::MAX),
        Some(f64::MIN),
    ]));
    let zero = || Some("[0, 10)".to_owned());
    let (made, tally) = apply(&treatment(json!({ "number": { "width": 10 } })), &column, &[]);
    assert_eq!(shown(&made), [None, None, None, None, zero(), None, zero(), None, None]);
    assert_eq!(tally.failed, 6, "the greatest floats are too far away for buckets of this width");
    let listed = generalized(json!({ "number": { "buckets": [0, 10] } }), &column);
    let (below, above) = (Some("< 0".to_owned()), Some(">= 10".to_owned()));
    assert_eq!(listed, [None, None, None, None, zero(), None, zero(), above, below]);
}

#[test]
fn half_floats_are_read_as_others_are() {
    type Half = <Float16Type as ArrowPrimitiveType>::Native;
    let column: ArrayRef = Arc::new(Float16Array::from(vec![Half::from_f64(0.3), Half::from_f64(-9.5), Half::NAN]));
    let label = |text: &str| Some(text.to_owned());
    assert_eq!(
        generalized(json!({ "number": { "width": "0.1" } }), &column),
        [label("[0.3, 0.4)"), label("[-9.5, -9.4)"), None]
    );
}

#[test]
fn what_256_bits_do_not_hold_is_an_error_of_the_value() {
    let column = |scale| -> ArrayRef {
        let values = Decimal256Array::from(vec![i256::MAX, i256::MIN, i256::ZERO]);
        Arc::new(values.with_data_type(DataType::Decimal256(76, scale)))
    };
    let labels = generalized(json!({ "number": { "width": "0.01" } }), &column(0));
    assert_eq!(labels, [None, None, Some("[0, 0.01)".to_owned())]);
    let refused = treatment(json!({ "number": { "width": 100 } })).output_type(column(76).data_type());
    assert_eq!(refused, Err("Decimal256(76, 76) can't tell buckets of width 100 from offset 0".to_owned()));
}
