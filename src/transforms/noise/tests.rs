use arrow::array::{Array, BinaryArray, DictionaryArray, Float64Array, Int32Array, Int64Array};
use arrow::array::{Decimal128Array, Float32Array, make_array};
use arrow::buffer::Buffer;
use arrow::compute::cast;
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::spec::TransformSpec;
use super::super::testing::{any_keys, apply, built, cell, companion, keys, texts};
use super::*;
use crate::crypto::vectors::{self, unhex};

fn noise(options: Value) -> Value {
    let mut spec = json!({ "by": "id", "domain": "amounts" });
    spec.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    json!({ "noise": spec })
}

/// A column of one value that has no other way in than its bytes.
fn from_bytes(data_type: &DataType, bytes: &[u8]) -> ArrayRef {
    let mut native = bytes.to_vec();
    native.reverse();
    let data = arrow::array::ArrayData::builder(data_type.clone()).len(1).add_buffer(Buffer::from_vec(native));
    make_array(data.build().unwrap())
}

fn bytes_of(array: &ArrayRef) -> Vec<u8> {
    let data = array.to_data();
    let mut bytes = data.buffers()[0].as_slice()[..array.data_type().primitive_width().unwrap()].to_vec();
    bytes.reverse();
    bytes
}

fn data_type_of(case: &Value) -> DataType {
    let precision = || case["precision"].as_u64().unwrap() as u8;
    let scale = || case["scale"].as_i64().unwrap() as i8;
    match case["type"].as_str().unwrap() {
        "Int8" => DataType::Int8,
        "Int16" => DataType::Int16,
        "Int32" => DataType::Int32,
        "Int64" => DataType::Int64,
        "UInt8" => DataType::UInt8,
        "UInt16" => DataType::UInt16,
        "UInt32" => DataType::UInt32,
        "UInt64" => DataType::UInt64,
        "Decimal32" => DataType::Decimal32(precision(), scale()),
        "Decimal64" => DataType::Decimal64(precision(), scale()),
        "Decimal128" => DataType::Decimal128(precision(), scale()),
        "Decimal256" => DataType::Decimal256(precision(), scale()),
        "Float16" => DataType::Float16,
        "Float32" => DataType::Float32,
        "Float64" => DataType::Float64,
        other => panic!("{other}"),
    }
}

/// The bytes of a value of the known answers, most significant first.
fn value_bytes(data_type: &DataType, text: &str) -> Vec<u8> {
    if data_type.is_floating() {
        return unhex(text);
    }
    let whole = i256::from_string(text).unwrap().to_be_bytes();
    whole[32 - data_type.primitive_width().unwrap()..].to_vec()
}

#[test]
fn every_type_has_the_known_answers() {
    let mut seen = std::collections::BTreeMap::new();
    for case in vectors::cases_of::<Value>("noise-v1.json", "cases") {
        let text = |key: &str| case[key].as_str().unwrap();
        let data_type = data_type_of(&case);
        let mut spec = json!({ "domain": text("domain"), "min": case["min"], "max": case["max"] });
        let size = if text("law") == "uniform" { "width" } else { "scale" };
        spec[text("law")] = json!({ size: case["size"] });
        if !text("tenant").is_empty() {
            spec["tenant"] = json!({ "column": "tenant" });
        }
        let built = built(noise(spec), &keys(text("root_hex"))).unwrap();
        assert_eq!(built.transform.output_type(&data_type), Ok(data_type.clone()), "{case}");
        let companion =
            |name: &String| companion([Some(if name == "id" { text("row_id_utf8") } else { text("tenant") })]);
        let companions: Vec<BinaryArray> = built.companions.iter().map(companion).collect();
        let array = from_bytes(&data_type, &value_bytes(&data_type, text("value")));
        let canonical = BinaryArray::new_null(1);
        let made = built.transform.apply(&Values { array: &array, canonical: &canonical, companions: &companions });
        let made = made.unwrap();
        let result = case["result"].as_str().map(|result| value_bytes(&data_type, result));
        assert_eq!((made.array.is_valid(0)).then(|| bytes_of(&made.array)), result, "{case}");
        assert_eq!(made.failures.len(), made.array.null_count());
        *seen.entry((text("type").to_owned(), text("law").to_owned())).or_insert(0) += 1;
    }
    assert!(seen.len() == 2 * 15 && seen.values().all(|&cases| cases > 10), "{seen:?}");
}

/// libm's logarithm is FreeBSD's e_log, bit for bit, as it was written out for the known answers: which are within one
/// unit in the last place of the true one.
#[test]
fn the_logarithm_has_the_known_bits() {
    let cases = vectors::cases_of::<Value>("noise-v1.json", "logarithms");
    assert!(cases.len() > 2000);
    for case in cases {
        let bits = |key: &str| u64::from_str_radix(case[key].as_str().unwrap(), 16).unwrap();
        assert_eq!(libm::log(f64::from_bits(bits("x"))).to_bits(), bits("ln"), "{case}");
    }
}

/// 100 000 logarithms more: another version of libm, or of the compiler, that changes one fails here.
#[test]
fn the_logarithm_has_the_known_digest() {
    let mut digest = Sha256::new();
    for step in 1..=100_000u64 {
        let u = (step * 90_071_992_547 + step * step % 9_973) as f64 / (1u64 << 53) as f64;
        digest.update(libm::log(1.0 - 2.0 * (u - 0.5).abs()).to_bits().to_be_bytes());
    }
    let known = vectors::cases_of::<String>("noise-v1.json", "digest_of_100000_logarithms");
    assert_eq!(known, [HEXLOWER.encode(&digest.finalize())]);
}

fn ids(count: usize) -> BinaryArray {
    companion((0..count).map(|row| Some(format!("row {row}"))))
}

fn floats(array: &ArrayRef) -> Vec<Option<f64>> {
    let array = cast(array, &DataType::Float64).unwrap();
    array.as_primitive::<Float64Type>().iter().collect()
}

#[test]
fn uniform_noise_is_spread_evenly_within_its_width() {
    let rows = 20_000;
    let cell = cell(noise(json!({ "uniform": { "width": 8 } })));
    let values: ArrayRef = Arc::new(Float64Array::from(vec![100.0; rows]));
    let (made, _) = apply(&cell, &values, &[ids(rows)]);
    let mut counts = [0u32; 16];
    for made in floats(&made).into_iter().flatten() {
        let noise = made - 100.0;
        assert!((-8.0..8.0).contains(&noise));
        counts[(noise + 8.0).floor() as usize] += 1;
    }
    // 1250 in each: standard deviation 34
    assert!(counts.iter().all(|count| (1050..1450).contains(count)), "{counts:?}");
}

#[test]
fn laplace_noise_has_its_quantiles() {
    let rows = 20_000;
    let cell = cell(noise(json!({ "laplace": { "scale": 3 } })));
    let values: ArrayRef = Arc::new(Float64Array::from(vec![0.0; rows]));
    let (made, _) = apply(&cell, &values, &[ids(rows)]);
    let mut noise: Vec<f64> = floats(&made).into_iter().flatten().collect();
    noise.sort_by(f64::total_cmp);
    for (part, quantile) in [(0.05, -3.0 * 10f64.ln()), (0.25, -3.0 * 2f64.ln()), (0.5, 0.0), (0.75, 3.0 * 2f64.ln())] {
        let found = noise[(part * rows as f64) as usize];
        assert!((found - quantile).abs() < 0.3, "{part}: {found}, not {quantile}");
    }
}

#[test]
fn laplace_takes_the_first_random_number_that_is_not_zero_and_no_noise_is_beyond_the_most() {
    let law = Law::Laplace { scale: 2.0 };
    let drawn = |numbers: &[f64]| law.draw(|i| numbers[i as usize]);
    assert_eq!(drawn(&[0.0, 0.0, 0.25]), drawn(&[0.25]));
    assert!(drawn(&[0.25]) < 0.0 && drawn(&[0.75]) > 0.0);
    assert_eq!((drawn(&[0.25]), drawn(&[0.5])), (-drawn(&[0.75]), 0.0));
    let (least, greatest) = (1.0 / (1u64 << 53) as f64, 1.0 - 1.0 / (1u64 << 53) as f64);
    assert_eq!((drawn(&[least]), drawn(&[greatest])), (-law.most(), law.most()));
    assert!((law.most() / 2.0 - 36.0437).abs() < 1e-4);
    let uniform = Law::Uniform { width: 4.0 };
    assert_eq!((uniform.draw(|_| 0.0), uniform.draw(|_| 0.5), uniform.draw(|_| 0.75)), (-4.0, 0.0, 2.0));
    assert_eq!(law.draw(|_| 0.0), 0.0, "a source of nothing but zeros ends");
}

#[test]
fn a_row_has_its_noise_wherever_it_stands_and_again_the_next_time() {
    let cell = cell(noise(json!({ "uniform": { "width": 1000 } })));
    let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(5), None, Some(5), Some(7)]));
    let (made, _) = apply(&cell, &values, &[companion([Some("a"), Some("b"), Some("c"), Some("a")])]);
    let made = made.as_primitive::<Int64Type>();
    assert!(made.is_null(1) && made.value(0) != made.value(2));
    assert_eq!(made.value(0) - 5, made.value(3) - 7);
    let alone: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    let (alone, _) = apply(&cell, &alone, &[companion([Some("a")])]);
    assert_eq!(alone.as_primitive::<Int64Type>().value(0), made.value(3));
    let dictionary: ArrayRef =
        Arc::new(DictionaryArray::new(Int32Array::from(vec![0, 0]), Arc::new(Int64Array::from(vec![5]))));
    let (dictionary, _) = apply(&cell, &dictionary, &[companion([Some("a"), Some("c")])]);
    let dictionary = cast(&dictionary, &DataType::Int64).unwrap();
    assert_eq!(dictionary.as_primitive::<Int64Type>().values(), &[made.value(0), made.value(2)]);
}

#[test]
fn a_row_without_id_or_tenant_fails_and_a_null_needs_neither() {
    let spec = json!({ "tenant": { "column": "tenant" }, "uniform": { "width": 10 } });
    let built = built(noise(spec.clone()), &any_keys()).unwrap();
    assert_eq!(built.companions, ["tenant", "id"]);
    let cell = cell(noise(spec));
    let values: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(1), Some(1), None, Some(1)]));
    let tenants = companion([Some("x"), Some("x"), None, None, Some("x")]);
    let ids = companion([None, Some(""), Some("c"), None, Some("e")]);
    let (made, tally) = apply(&cell, &values, &[tenants, ids]);
    let nulls: Vec<_> = (0..5).map(|row| made.is_null(row)).collect();
    assert_eq!((nulls, tally.failed), (vec![true, true, true, true, false], 3));
}

#[test]
fn what_is_not_finite_or_beyond_all_noise_fails_and_never_passes() {
    let cell = cell(noise(json!({ "laplace": { "scale": 1 } })));
    let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 1e18, 1.0, -0.0, f64::MIN_POSITIVE];
    let array: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
    let (made, tally) = apply(&cell, &array, &[ids(values.len())]);
    let made = floats(&made);
    assert_eq!((&made[..6], tally.failed), (&[None; 6][..], 6));
    assert!(made[6..].iter().flatten().count() == 3);
    let narrow: ArrayRef = Arc::new(Float32Array::from(vec![1e10, 1e6]));
    let (made, _) = apply(&cell, &narrow, &[ids(2)]);
    assert!(made.is_null(0) && made.is_valid(1));
}

#[test]
fn a_sum_that_does_not_fit_fails_unless_a_bound_clamps_it() {
    let rows = 64;
    let made = |options, value: i8| {
        let array: ArrayRef = Arc::new(arrow::array::Int8Array::from(vec![value; rows]));
        let (made, tally) = apply(&cell(noise(options)), &array, &[ids(rows)]);
        assert_eq!(made.null_count() as u64, tally.failed);
        made.as_primitive::<Int8Type>().iter().collect::<Vec<_>>()
    };
    let open = made(json!({ "uniform": { "width": 20 } }), 127);
    assert!(open.iter().any(Option::is_none) && open.iter().flatten().all(|&value| value >= 107));
    let clamped = made(json!({ "uniform": { "width": 20 }, "min": 0, "max": 120.9 }), 127);
    assert!(clamped.iter().flatten().count() == rows && clamped.contains(&Some(120)));
    assert!(clamped.iter().flatten().all(|&value| value <= 120));
    let beyond = made(json!({ "uniform": { "width": 20 }, "max": 1000 }), 127);
    assert_eq!(beyond, open, "a bound beyond the type clamps nothing to it");
}

#[test]
fn noise_is_rounded_to_whole_numbers_halves_away_from_zero() {
    let sums = |scale, noise: &[f64]| {
        let range = (i256::from_i128(-1000), i256::from_i128(1000));
        let whole = Whole::new(scale, range, (None, None), 1e3).unwrap();
        let sum = |&noise: &f64| whole.add(i256::from_i128(10), noise).ok().and_then(i256::to_i128);
        noise.iter().map(sum).collect::<Vec<_>>()
    };
    let whole = sums(0, &[0.5, -0.5, 1.5, -2.5, 0.499_999_999_999_999_94, -0.49, 990.49, 990.5]);
    assert_eq!(whole, [Some(11), Some(9), Some(12), Some(7), Some(10), Some(10), Some(1000), None]);
    assert_eq!(sums(1, &[0.05, -0.25, f64::MAX, f64::MIN]), [Some(11), Some(7), None, None]);
    assert_eq!(sums(-1, &[5.0, -14.9]), [Some(11), Some(9)]);
}

#[test]
fn decimals_are_bound_as_they_are_written() {
    let rows = 500;
    let cell = cell(noise(json!({ "uniform": { "width": 0.5 }, "min": 0.1, "max": 0.29 })));
    let array: ArrayRef = Arc::new(Decimal128Array::from(vec![20; rows]).with_precision_and_scale(5, 2).unwrap());
    let (made, _) = apply(&cell, &array, &[ids(rows)]);
    let made: Vec<_> = made.as_primitive::<Decimal128Type>().iter().flatten().collect();
    assert_eq!((made.iter().min(), made.iter().max(), made.len()), (Some(&10), Some(&29), rows));
}

#[test]
fn a_float_is_never_beyond_a_bound_that_its_type_does_not_hold() {
    let rows = 300;
    let cell = cell(noise(json!({ "uniform": { "width": 1 }, "min": -0.1, "max": 0.1 })));
    for data_type in [DataType::Float16, DataType::Float32, DataType::Float64] {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![0.0; rows]));
        let (made, _) = apply(&cell, &cast(&values, &data_type).unwrap(), &[ids(rows)]);
        let made: Vec<f64> = floats(&made).into_iter().flatten().collect();
        assert_eq!(made.len(), rows);
        assert!(made.iter().all(|made| (-0.1..=0.1).contains(made)), "{data_type}");
        let greatest = made.iter().copied().fold(f64::MIN, f64::max);
        assert!(greatest > 0.0999 && greatest == -made.iter().copied().fold(f64::MAX, f64::min), "{data_type}");
    }
}

#[test]
fn types_that_noise_cannot_serve_are_refused() {
    let refused = |options, data_type: &DataType| cell(noise(options)).output_type(data_type).unwrap_err();
    let width = |width: f64| json!({ "uniform": { "width": width } });
    assert!(refused(width(5.0), &DataType::Utf8).contains("is no number"));
    assert!(refused(width(5.0), &DataType::Boolean).contains("is no number"));
    assert!(refused(width(5.0), &DataType::Date32).contains("is no number"));
    assert!(refused(width(0.4), &DataType::Int64).contains("rounds to nothing"));
    assert!(refused(width(0.004), &DataType::Decimal128(9, 2)).contains("rounds to nothing"));
    assert!(refused(width(40.0), &DataType::Decimal128(9, -2)).contains("rounds to nothing"));
    assert!(refused(json!({ "laplace": { "scale": 0.01 } }), &DataType::Int64).contains("rounds to nothing"));
    let between = json!({ "uniform": { "width": 5 }, "min": 0.2, "max": 0.8 });
    assert!(refused(between, &DataType::Int64).contains("no value of its type"));
    let above = json!({ "uniform": { "width": 5 }, "min": 200 });
    assert!(refused(above, &DataType::Int8).contains("no value of its type"));
    let beyond = json!({ "uniform": { "width": 5 }, "min": 1e39 });
    assert!(refused(beyond, &DataType::Float32).contains("no value of its type"));
}

#[test]
fn options_that_make_no_sense_are_faults() {
    let faults = |options: Value| {
        let spec: TransformSpec = serde_json::from_value(noise(options)).unwrap();
        let faults = spec.family().unwrap().faults();
        faults.into_iter().map(|fault| (fault.kind, fault.path.join("."))).collect::<Vec<_>>()
    };
    let value = |path: &str| vec![(FaultKind::Value, path.to_owned())];
    let width = json!({ "width": 1 });
    assert_eq!(faults(json!({ "uniform": width, "min": 0, "max": 0 })), []);
    assert_eq!(faults(json!({})), [(FaultKind::Missing, String::new())]);
    assert_eq!(faults(json!({ "uniform": width, "laplace": { "scale": 1 } })), value("laplace"));
    assert_eq!(faults(json!({ "uniform": { "width": 0 } })), value("uniform.width"));
    assert_eq!(faults(json!({ "laplace": { "scale": -1.5 } })), value("laplace.scale"));
    assert_eq!(faults(json!({ "uniform": width, "min": 2, "max": 1 })), value("max"));
    assert_eq!(faults(json!({ "uniform": width, "by": "" })), value("by"));
}

#[test]
fn libm_is_pinned_where_it_decides() {
    let pins = |options| {
        let spec: TransformSpec = serde_json::from_value(noise(options)).unwrap();
        spec.family().unwrap().pins().unwrap()
    };
    assert!(pins(json!({ "uniform": { "width": 1 } })).is_empty());
    assert_eq!(pins(json!({ "laplace": { "scale": 1 } })).get("libm").map(String::as_str), Some(LIBM_VERSION));
    let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"));
    assert!(lock.contains(&format!("name = \"libm\"\nversion = \"{LIBM_VERSION}\"")), "the pin tells another version");
}

#[test]
fn text_keeps_out() {
    let cell = cell(noise(json!({ "uniform": { "width": 1 } })));
    let text = texts([Some("1")]);
    let values = Values { array: &text, canonical: &companion([Some("1")]), companions: &[ids(1)] };
    assert!(cell.transform.apply(&values).is_err());
}

fn law() -> impl Strategy<Value = Value> {
    let size = prop_oneof![1e-3..1e3f64, 1e-300..1e300f64, Just(f64::MAX), Just(1.0)];
    (size, any::<bool>()).prop_map(|(size, uniform)| {
        if uniform { json!({ "uniform": { "width": size } }) } else { json!({ "laplace": { "scale": size } }) }
    })
}

fn bound() -> impl Strategy<Value = Option<f64>> {
    proptest::option::of(prop_oneof![-1e3..1e3f64, proptest::num::f64::NORMAL])
}

fn any_type() -> impl Strategy<Value = DataType> {
    use DataType::*;
    prop_oneof![
        proptest::sample::select(vec![
            Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64, Float16, Float32, Float64
        ]),
        (1u8..=9, -9i8..=9).prop_map(|(precision, scale)| Decimal32(precision, scale.min(precision as i8))),
        (1u8..=38, -38i8..=38).prop_map(|(precision, scale)| Decimal128(precision, scale.min(precision as i8))),
        (1u8..=76, -76i8..=76).prop_map(|(precision, scale)| Decimal256(precision, scale.min(precision as i8))),
    ]
}

proptest! {
    /// Any bits of any type: what comes out fits the type and the bounds, or it is a failure that names no value.
    #[test]
    fn every_number_moves_within_bounds_or_fails(
        law in law(), min in bound(), max in bound(), data_type in any_type(),
        bytes in any::<[u8; 32]>(), id in any::<String>()
    ) {
        let mut options = law;
        options["min"] = json!(min);
        options["max"] = json!(max);
        let built = built(noise(options), &any_keys()).unwrap();
        if built.transform.output_type(&data_type).is_err() {
            return Ok(());
        }
        let width = data_type.primitive_width().unwrap();
        let array = from_bytes(&data_type, &bytes[..width]);
        let canonical = BinaryArray::new_null(1);
        let companions = [companion([Some(&id)])];
        let values = Values { array: &array, canonical: &canonical, companions: &companions };
        let made = built.transform.apply(&values).unwrap();
        prop_assert_eq!(made.array.data_type(), &data_type);
        prop_assert_eq!(made.array.null_count(), made.failures.len());
        if made.array.is_null(0) {
            let reason = made.failures.iter().next().unwrap().reason.clone();
            prop_assert!(reason.bytes().all(|byte| !byte.is_ascii_digit()));
            return Ok(());
        }
        prop_assert!(!id.is_empty());
        if data_type.is_floating() {
            let sum = floats(&made.array)[0].unwrap();
            prop_assert!(sum.is_finite());
            prop_assert!(min.is_none_or(|min| sum >= min) && max.is_none_or(|max| sum <= max));
        } else if let DataType::Decimal32(..) | DataType::Decimal128(..) | DataType::Decimal256(..) = data_type {
            let text = cast(&made.array, &DataType::Utf8).unwrap();
            prop_assert!(text.is_valid(0));
        }
    }
}
