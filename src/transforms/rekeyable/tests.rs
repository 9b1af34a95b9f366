use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, DictionaryArray, Int64Array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Int32Type};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::crypto::ristretto::Delta;
use crate::crypto::vectors::{cases_of, unhex};
use crate::crypto::{Secret, subkey};
use crate::transforms::family::build;
use crate::transforms::spec::TransformSpec;
use crate::transforms::testing::{any_keys, apply, built, cell, companion, keys, one, shown, texts};

#[derive(Debug, Deserialize)]
struct Case {
    root_hex: String,
    domain: String,
    tenant: String,
    canonical_utf8: String,
    encoding: String,
    token: String,
}

fn spec(value: Value) -> RekeyableSpec {
    serde_json::from_value(value).unwrap()
}

#[test]
fn every_encoding_meets_the_known_answers() {
    for case in cases_of::<Case>("rekeyable-v1.json", "tokens") {
        let mut options = json!({ "domain": case.domain, "encoding": case.encoding });
        if !case.tenant.is_empty() {
            options["tenant"] = json!({ "column": "tenant" });
        }
        let built = built(json!({ "rekeyable": options }), &keys(&case.root_hex)).unwrap();
        let array = texts([Some(&case.canonical_utf8)]);
        let canonical = companion([Some(&case.canonical_utf8)]);
        let values = Values { array: &array, canonical: &canonical, companions: &[companion([Some(&case.tenant)])] };
        let made = built.transform.apply(&values).unwrap().array;
        let made = match made.as_fixed_size_binary_opt() {
            Some(binary) => data_encoding::HEXLOWER.encode(binary.value(0)),
            None => made.as_string::<i32>().value(0).to_owned(),
        };
        assert_eq!(made, case.token, "{case:?}");
        let data_type = if case.encoding == "binary" { DataType::FixedSizeBinary(32) } else { DataType::Utf8 };
        assert_eq!(built.transform.output_type(&DataType::Utf8), Ok(data_type));
    }
}

#[test]
fn each_distinct_value_of_a_column_is_multiplied_once_whatever_the_batches() {
    let multiplier = || Multiplier::new(&[7; 64]).unwrap();
    let transform = Rekeyable::new(Keyed::One(multiplier()), TokenEncoding::Hex);
    let array = texts((0..3_000).map(|i| Some(format!("value {}", i % 30))));
    for start in (0..3_000).step_by(100) {
        let array = array.slice(start, 100);
        let canonical = companion(shown(&array));
        transform.apply(&Values { array: &array, canonical: &canonical, companions: &[] }).unwrap();
    }
    let values: Vec<String> = (0..30).map(|i| format!("value {i}")).collect();
    let values = values.iter().map(|value| value.as_bytes());
    transform.known.tokens(&multiplier().id, values, |unknown| panic!("{} are made again", unknown.len()));
}

#[test]
fn values_of_one_column_have_the_keys_of_their_rows() {
    let transform = built(
        json!({ "rekeyable": { "domain": "d/{region}", "tenant": { "column": "tenant" }, "encoding": "hex" } }),
        &any_keys(),
    )
    .unwrap()
    .transform;
    let rows: Vec<_> =
        (0..600).map(|i| (["v", "w", "x"][i % 3], ["a", "b/c"][i / 3 % 2], ["s", "t"][i / 6 % 2])).collect();
    let values = texts(rows.iter().map(|row| Some(row.0)));
    let canonical = companion(rows.iter().map(|row| Some(row.0)));
    let companions = [companion(rows.iter().map(|row| Some(row.1))), companion(rows.iter().map(|row| Some(row.2)))];
    let values = Values { array: &values, canonical: &canonical, companions: &companions };
    let made = transform.apply(&values).unwrap();
    assert!(made.failures.is_empty());
    for (row, token) in rows.iter().zip(shown(&made.array)) {
        let root = Secret::new((0..32).collect::<Vec<u8>>());
        let domain = format!("d/{}", row.1.replace('/', "%2F"));
        let key = RekeyableKey::from_subkey(subkey(&root, "rekeyable", &domain, row.2, 64).expose()).unwrap();
        assert_eq!(token, Some(data_encoding::HEXLOWER.encode(&key.token(row.0.as_bytes()))), "{row:?}");
    }
}

#[test]
fn fail_a_row_without_a_tenant_alone() {
    let transform = cell(json!({ "rekeyable": { "domain": "d", "tenant": { "column": "tenant" } } })).transform;
    let values = [Some("v"), Some("v"), Some("v"), None, Some("v")];
    let tenants = [companion([Some("a"), None, Some(""), None, Some("a")])];
    let (array, canonical) = (texts(values), companion(values));
    let made = transform.apply(&Values { array: &array, canonical: &canonical, companions: &tenants }).unwrap();
    let tokens = shown(&made.array);
    assert_eq!(tokens.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false, false, true]);
    assert_eq!(tokens[0], tokens[4]);
    assert_eq!(made.failures.iter().map(|failure| failure.index).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn the_answer_does_not_depend_on_what_is_remembered_or_how_rows_are_batched() {
    let values: Vec<String> = (0..700).map(|i| format!("value {}", i * i % 300)).collect();
    let array = texts(values.iter().map(Some));
    let fresh = || cell(json!({ "rekeyable": { "domain": "users" } }));
    let (expected, _) = apply(&fresh(), &array, &[]);
    let shared = fresh();
    for batch in [1, 97, 256, 257, 700] {
        let parts = (0..700).step_by(batch).map(|start| array.slice(start, batch.min(700 - start)));
        let made: Vec<ArrayRef> = parts.map(|part| apply(&shared, &part, &[]).0).collect();
        let made: Vec<&dyn Array> = made.iter().map(|array| array.as_ref()).collect();
        assert_eq!(concat(&made).unwrap().as_ref(), expected.as_ref(), "{batch}");
    }
    let forgetful = built(json!({ "rekeyable": { "domain": "users" } }), &any_keys()).unwrap();
    assert_eq!(one(&forgetful, "value 0", &[]), shown(&expected)[0]);
}

#[test]
fn types_meet_in_their_canonical_text_and_nulls_stay() {
    let cell = cell(json!({ "rekeyable": { "domain": "ids" } }));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(42), None, Some(i64::MIN)]));
    let (made, _) = apply(&cell, &numbers, &[]);
    let (as_text, _) = apply(&cell, &texts([Some("42"), None, Some("-9223372036854775808")]), &[]);
    assert_eq!(made.as_ref(), as_text.as_ref());
    let dictionary: DictionaryArray<Int32Type> = [Some("42"), None, Some("42")].into_iter().collect();
    let (made, _) = apply(&cell, &(Arc::new(dictionary) as ArrayRef), &[]);
    assert_eq!(shown(&made), [shown(&as_text)[0].clone(), None, shown(&as_text)[0].clone()]);
    for refused in [DataType::Float64, DataType::new_list(DataType::Utf8, true)] {
        assert!(cell.output_type(&refused).is_err(), "{refused}");
    }
    let none = texts::<&str>([]);
    assert_eq!(apply(&cell, &none, &[]).0.len(), 0);
}

#[test]
fn a_column_moves_to_another_key_without_its_values() {
    let (old, new) = ("00".repeat(31) + "01", "00".repeat(31) + "02");
    let key = |root: &str| {
        RekeyableKey::from_subkey(subkey(&Secret::new(unhex(root)), "rekeyable", "users", "", 64).expose()).unwrap()
    };
    let delta = Delta::between(&key(&old), &key(&new));
    let policy = || json!({ "rekeyable": { "domain": "users", "encoding": "hex" } });
    for value in ["", "alice@example.com", "Zoë", "\u{301}", "\0"] {
        let token = one(&built(policy(), &keys(&old)).unwrap(), value, &[]).unwrap();
        let moved = delta.rekey(&unhex(&token)).unwrap();
        let expected = one(&built(policy(), &keys(&new)).unwrap(), value, &[]);
        assert_eq!(Some(data_encoding::HEXLOWER.encode(&moved)), expected, "{value:?}");
    }
}

#[test]
fn options_default_to_base64url_and_nothing_of_pseudonym_is_taken() {
    let bare = spec(json!({ "domain": "users" }));
    assert_eq!((bare.encoding(), bare.faults()), (TokenEncoding::Base64Url, vec![]));
    assert_eq!(bare.resolved(), [("encoding", json!("base64url"))]);
    assert_eq!(bare.facts(), Facts::keyed("users"));
    for option in ["bits", "prefix", "scheme", "accept_collisions"] {
        assert!(serde_json::from_value::<RekeyableSpec>(json!({ "domain": "d", option: 1 })).is_err(), "{option}");
    }
}

#[test]
fn fail_encodings_of_other_lengths_and_domains_that_are_none() {
    let paths = |options: Value| {
        let faults = spec(options).faults();
        faults.into_iter().map(|fault| (fault.path.join("."), fault.message)).collect::<Vec<_>>()
    };
    for encoding in ["base64", "uuid"] {
        assert_eq!(paths(json!({ "domain": "d", "encoding": encoding }))[0].0, "encoding");
    }
    for encoding in ["hex", "base32", "base64url", "binary"] {
        assert_eq!(paths(json!({ "domain": "d", "encoding": encoding })), []);
    }
    assert_eq!(paths(json!({ "domain": "" }))[0].0, "domain");
    assert_eq!(paths(json!({ "domain": "d", "tenant": { "column": "" } }))[0].0, "tenant.column");
}

#[test]
fn fail_without_a_key() {
    let spec: TransformSpec = serde_json::from_value(json!({ "rekeyable": { "domain": "d" } })).unwrap();
    assert!(matches!(build(&spec, None), Err(BuildError::NoKey)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_text_has_the_token_of_its_bytes(values in proptest::collection::vec(proptest::option::of(any::<String>()), 0..8)) {
        let cell = cell(json!({ "rekeyable": { "domain": "users", "encoding": "hex" } }));
        let root = Secret::new((0..32).collect::<Vec<u8>>());
        let key = RekeyableKey::from_subkey(subkey(&root, "rekeyable", "users", "", 64).expose()).unwrap();
        let (made, tally) = apply(&cell, &texts(values.iter().map(Option::as_ref)), &[]);
        let expected: Vec<_> = (values.iter())
            .map(|value| Some(data_encoding::HEXLOWER.encode(&key.token(value.as_ref()?.as_bytes()))))
            .collect();
        prop_assert_eq!(shown(&made), expected);
        prop_assert_eq!(tally.failed, 0);
    }
}

#[test]
fn a_value_of_a_mebibyte_has_a_token() {
    let cell = cell(json!({ "rekeyable": { "domain": "users" } }));
    let long = "\u{202e}ü".repeat(1 << 18);
    let (made, _) = apply(&cell, &texts([Some(long.as_str()), Some(&long[..long.len() - 2])]), &[]);
    let made = shown(&made);
    assert!(made[0].is_some() && made[0] != made[1]);
}
