use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray, DictionaryArray, FixedSizeBinaryArray, Float64Array, StructArray};
use arrow::datatypes::{Field, Int32Type, TimeUnit};
use proptest::prelude::*;

use super::super::cell::{Cell, EmptyRule, OnError};
use super::super::family::build;
use super::super::spec::TransformSpec;
use super::super::testing::{any_keys, apply, cell, shown, texts};
use super::*;
use crate::arrays::canonical::Meaning;

fn spec(json: serde_json::Value) -> TransformSpec {
    serde_json::from_value(serde_json::json!({ "random": json })).unwrap()
}

fn cell_of(spec: &TransformSpec) -> Cell {
    let transform = build(spec, None).unwrap().transform;
    Cell { meaning: Meaning::Plain, normalizer: None, empty: EmptyRule::Value, on_error: OnError::ToNull, transform }
}

fn faults(json: serde_json::Value) -> Vec<FaultKind> {
    spec(json).family().unwrap().faults().into_iter().map(|fault| fault.kind).collect()
}

#[test]
fn every_row_has_a_token_of_its_own_and_another_one_the_next_time() {
    for bits in [96, 128, 136, 256] {
        let cell = cell_of(&spec(json!({ "bits": bits })));
        let rows = 3 * 256 + 1;
        let values = texts((0..rows).map(|row| (row % 5 > 0).then_some("same")));
        let mut seen = HashSet::new();
        for _ in 0..2 {
            let (made, tally) = apply(&cell, &values, &[]);
            assert_eq!(tally.failed, 0);
            for (row, token) in shown(&made).into_iter().enumerate() {
                assert_eq!(token.is_some(), row % 5 > 0);
                if let Some(token) = token {
                    assert_eq!(token.len(), bits / 4);
                    assert!(seen.insert(token), "a token twice");
                }
            }
        }
        // of many tokens, each bit is set in about half
        let bytes: Vec<_> = seen.iter().map(|token| crate::crypto::vectors::unhex(token)).collect();
        for bit in 0..bits {
            let set = bytes.iter().filter(|token| token[bit / 8] >> (bit % 8) & 1 == 1).count();
            // 1230 tokens: mean 615, standard deviation 17.5; eight of these away is never
            assert!((475..755).contains(&set), "bit {bit} of {bits}: {set} of {}", bytes.len());
        }
    }
}

#[test]
fn a_dictionary_is_expanded_so_that_its_equal_values_differ() {
    let values: DictionaryArray<Int32Type> =
        vec![Some("a"), None, Some("a"), Some("b"), Some("a")].into_iter().collect();
    let values: ArrayRef = Arc::new(values);
    let made = shown(&apply(&cell(json!({ "random": {} })), &values, &[]).0);
    assert_eq!(made.iter().flatten().collect::<HashSet<_>>().len(), 4);
    assert_eq!(made[1], None);
    let made = shown(&apply(&cell(json!({ "random": { "per": "run" } })), &values, &[]).0);
    assert!(made[0] == made[2] && made[0] == made[4] && made[0] != made[3] && made[1].is_none());
}

#[test]
fn a_run_gives_equal_values_equal_tokens_in_all_that_is_built_of_one_spec() {
    let spec_of_run = spec(json!({ "per": "run", "encoding": "base32", "prefix": "r_" }));
    let values = texts([Some("a"), Some("b"), None, Some("a"), Some("")]);
    let one = shown(&apply(&cell_of(&spec_of_run), &values, &[]).0);
    let other = shown(&apply(&cell_of(&spec_of_run.clone()), &values, &[]).0);
    assert_eq!(one, other);
    assert!(one[0] == one[3] && one[0] != one[1] && one[2].is_none() && one[4].is_some());
    assert!(one[0].as_deref().unwrap().starts_with("r_"));
    // what is read anew is another run
    let again = spec(json!({ "per": "run", "encoding": "base32", "prefix": "r_" }));
    assert_eq!(again, spec_of_run);
    assert_ne!(shown(&apply(&cell_of(&again), &values, &[]).0)[0], one[0]);
}

#[test]
fn the_key_of_a_run_is_not_shown() {
    let spec = spec(json!({ "per": "run" }));
    let shown = format!("{:?} {:?}", spec, build(&spec, None).unwrap());
    assert!(shown.contains("RunKey([redacted])") && !shown.contains("inner: ["), "{shown}");
}

#[test]
fn encodings_and_prefixes_are_as_for_other_tokens() {
    let values = texts([Some("a"), None]);
    for (encoding, length) in [("hex", 32), ("base32", 26), ("base64url", 22), ("uuid", 36)] {
        let made = shown(&apply(&cell(json!({ "random": { "encoding": encoding, "prefix": "t-" } })), &values, &[]).0);
        assert_eq!(made[0].as_deref().map(str::len), Some(length + 2), "{encoding}");
    }
    let (made, _) = apply(&cell(json!({ "random": { "encoding": "binary", "bits": 256 } })), &values, &[]);
    let made: &FixedSizeBinaryArray = made.as_fixed_size_binary();
    assert_eq!((made.value_length(), made.is_null(1)), (32, true));
    assert!(made.value(0).iter().any(|&byte| byte != 0));
    assert!(made.value(1).iter().all(|&byte| byte == 0), "a token under a null");
}

#[test]
fn per_row_takes_what_has_no_text_form_and_per_run_does_not() {
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![Some(f64::NAN), None, Some(0.0)]));
    let made = shown(&apply(&cell(json!({ "random": {} })), &floats, &[]).0);
    assert!(made[0].is_some() && made[1].is_none() && made[2].is_some());
    let run = cell(json!({ "random": { "per": "run" } }));
    assert!(run.output_type(&DataType::Float64).is_err());
    let field = Arc::new(Field::new("a", DataType::Int64, true));
    let nested: ArrayRef = Arc::new(StructArray::new_null(vec![Arc::clone(&field)].into(), 1));
    for nested in [nested.data_type().clone(), DataType::List(field)] {
        assert!(cell(json!({ "random": {} })).output_type(&nested).is_err());
    }
}

#[test]
fn a_time_without_text_form_has_a_token_per_row_and_fails_per_run() {
    let times =
        arrow::array::Int64Array::from(vec![i64::MIN, 0]).reinterpret_cast::<arrow::datatypes::TimestampSecondType>();
    assert_eq!(times.data_type(), &DataType::Timestamp(TimeUnit::Second, None));
    let times: ArrayRef = Arc::new(times);
    assert_eq!(apply(&cell(json!({ "random": {} })), &times, &[]).0.null_count(), 0);
    let (made, tally) = apply(&cell(json!({ "random": { "per": "run" } })), &times, &[]);
    assert_eq!((made.null_count(), tally.failed), (1, 1));
}

#[test]
fn options_that_make_no_sense_are_faults() {
    assert_eq!(faults(json!({})), []);
    assert_eq!(faults(json!({ "bits": 96 })), []);
    assert_eq!(faults(json!({ "bits": 88 })), [FaultKind::Bits]);
    assert_eq!(faults(json!({ "bits": 100 })), [FaultKind::Bits]);
    assert_eq!(faults(json!({ "bits": 264 })), [FaultKind::Bits]);
    assert_eq!(faults(json!({ "bits": 256, "encoding": "uuid" })), [FaultKind::Bits]);
    assert_eq!(faults(json!({ "encoding": "base64" })), [FaultKind::Encoding]);
    assert_eq!(faults(json!({ "encoding": "binary", "prefix": "a" })), [FaultKind::Prefix]);
}

#[test]
fn it_needs_no_key_and_tells_that_it_is_not_deterministic() {
    let spec = spec(json!({}));
    let facts = spec.family().unwrap().facts();
    assert!(!facts.keyed && !facts.deterministic && !facts.tests_guesses && facts.masking);
    assert!(build(&spec, Some(&any_keys())).is_ok());
}

proptest! {
    #[test]
    fn no_token_holds_the_value_or_repeats(
        values in proptest::collection::vec(proptest::option::of(any::<String>()), 1..40)
    ) {
        for per in ["row", "run"] {
            let (made, _) = apply(&cell(json!({ "random": { "per": per } })), &texts(values.clone()), &[]);
            let distinct: HashSet<_> = values.iter().flatten().collect();
            let count = if per == "row" { values.iter().flatten().count() } else { distinct.len() };
            let tokens: HashSet<_> = shown(&made).into_iter().flatten().collect();
            prop_assert_eq!(tokens.len(), count);
            prop_assert!(tokens.iter().all(|token| token.len() == 32 && !distinct.contains(token)));
        }
    }
}
