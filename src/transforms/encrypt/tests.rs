use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Int64Array,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::TimeUnit;
use proptest::prelude::*;
use serde_json::Value;

use super::super::testing::{any_keys, apply, cell, companion, keys, shown, texts};
use super::*;
use crate::arrays::canonical::{Meaning, canonical, meaning_of};
use crate::arrays::restore::restore;
use crate::crypto::vectors::{self, unhex};

fn encrypt(spec: Value, root_hex: &str) -> Encrypt {
    let spec: EncryptSpec = serde_json::from_value(spec).unwrap();
    assert_eq!(spec.faults(), []);
    spec.transform(&mut Context::new(Some(&keys(root_hex)))).unwrap()
}

fn any_encrypt(encoding: &str) -> Encrypt {
    let spec: EncryptSpec = serde_json::from_value(json!({ "domain": "users", "encoding": encoding })).unwrap();
    spec.transform(&mut Context::new(Some(&any_keys()))).unwrap()
}

fn run(encrypt: &Encrypt, array: &ArrayRef, meaning: Meaning, companions: &[BinaryArray]) -> Transformed {
    let text = canonical(array, meaning).unwrap().values;
    encrypt.apply(&Values { array, canonical: &text, companions }).unwrap()
}

/// Back to canonical bytes.
fn back(encrypt: &Encrypt, tokens: &ArrayRef, companions: &[BinaryArray]) -> Transformed {
    let text = canonical(tokens, Meaning::Plain).unwrap().values;
    encrypt.unapply(&Values { array: tokens, canonical: &text, companions }).unwrap()
}

#[test]
fn tokens_meet_the_known_answers_in_every_encoding_and_decrypt() {
    for case in vectors::cases::<vectors::Encrypt>("encrypt") {
        let mut spec = json!({ "domain": case.domain });
        let mut companions = Vec::new();
        if !case.tenant.is_empty() {
            spec["tenant"] = json!({ "column": "tenant" });
            companions.push(companion([Some(&case.tenant)]));
        }
        let values = texts([Some(&case.canonical_utf8)]);
        let token = unhex(&case.hex);
        for (encoding, expected) in [
            ("hex", case.hex.clone().into_bytes()),
            ("base64url", BASE64URL_NOPAD.encode(&token).into_bytes()),
            ("binary", token),
        ] {
            spec["encoding"] = encoding.into();
            let encrypt = encrypt(spec.clone(), &case.root_hex);
            let made = run(&encrypt, &values, Meaning::Plain, &companions);
            assert!(made.failures.is_empty());
            assert_eq!(
                canonical(&made.array, Meaning::Plain).unwrap().values.value(0),
                expected,
                "{encoding} {case:?}"
            );
            let plain = back(&encrypt, &made.array, &companions);
            assert_eq!(plain.array.as_binary::<i32>().value(0), case.canonical_utf8.as_bytes());
        }
    }
}

#[test]
fn the_default_is_base64url() {
    let spec: EncryptSpec = serde_json::from_value(json!({ "domain": "users" })).unwrap();
    assert_eq!(spec.encoding(), TokenEncoding::Base64Url);
    assert_eq!(spec.resolved(), [("encoding", json!("base64url"))]);
}

/// Encrypted, decrypted, and restored by what the metadata says alone.
#[test]
fn a_column_of_every_type_comes_back_by_its_metadata() {
    let uuid = Field::new("c", DataType::FixedSizeBinary(16), true)
        .with_metadata([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())].into());
    let plain = |array: &ArrayRef| Field::new("c", array.data_type().clone(), true);
    let fixed = || Arc::new(FixedSizeBinaryArray::try_from_iter([[7; 16], [0; 16]].into_iter()).unwrap()) as ArrayRef;
    let columns: Vec<ArrayRef> = vec![
        texts([Some("Zoë"), None, Some("")]),
        cast(&texts([Some("a"), None]), &DataType::LargeUtf8).unwrap(),
        cast(&texts([Some("a"), None]), &DataType::BinaryView).unwrap(),
        Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(42)])),
        Arc::new(Decimal128Array::from(vec![Some(4200), Some(-5)]).with_precision_and_scale(12, 2).unwrap()),
        Arc::new(BooleanArray::from(vec![true, false])),
        Arc::new(Date32Array::from(vec![-1, 20_000])),
        Arc::new(TimestampMicrosecondArray::from(vec![-1, 1_234_567]).with_timezone("Europe/Vienna")),
        fixed(),
    ];
    let fields = columns.iter().map(&plain).chain([uuid]).collect::<Vec<_>>();
    let mut told = Vec::new();
    for encoding in ["base64url", "hex", "binary"] {
        let encrypt = any_encrypt(encoding);
        for (field, column) in fields.iter().zip(columns.iter().cloned().chain([fixed()])) {
            let made = run(&encrypt, &column, meaning_of(field), &[]);
            let promised = encrypt.output_type(field.data_type()).unwrap();
            assert_eq!(cast(&made.array, &promised).unwrap().len(), column.len());
            let metadata = encrypt.field_metadata(field);
            let [(key, text)] = metadata.as_slice() else { panic!("{metadata:?}") };
            assert_eq!(key, "lakeveil.source_type");
            let decrypted = back(&encrypt, &made.array, &[]);
            let restored = restore(decrypted.array.as_binary(), &text.parse().unwrap()).unwrap();
            assert!(decrypted.failures.is_empty() && restored.failures.is_empty());
            assert_eq!(&restored.array.to_data(), &column.to_data());
            told.push(text.clone());
        }
    }
    let expected = [
        "Utf8",
        "LargeUtf8",
        "BinaryView",
        "Int64",
        "Decimal128(12, 2)",
        "Boolean",
        "Date32",
        "Timestamp(µs, \"Europe/Vienna\")",
        "FixedSizeBinary(16)",
        "uuid",
    ];
    assert_eq!(told[..10], expected);
}

#[test]
fn tokens_of_a_number_and_of_its_text_are_one_and_the_type_is_as_promised() {
    let spec = json!({ "encrypt": { "domain": "users" } });
    let of_text = shown(&apply(&cell(spec.clone()), &texts([Some("42"), None]), &[]).0);
    let number: ArrayRef = Arc::new(Int64Array::from(vec![Some(42), None]));
    assert_eq!(shown(&apply(&cell(spec.clone()), &number, &[]).0), of_text);
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    for data_type in [DataType::LargeUtf8, DataType::Utf8View, dictionary.clone()] {
        let (made, _) = apply(&cell(spec.clone()), &cast(&texts([Some("42"), None]), &data_type).unwrap(), &[]);
        assert_eq!((made.data_type(), shown(&made)), (&data_type, of_text.clone()));
    }
    let binary = any_encrypt("binary");
    for data_type in [DataType::Utf8, DataType::LargeUtf8, DataType::Int8, DataType::FixedSizeBinary(16)] {
        assert_eq!(binary.output_type(&data_type), Ok(DataType::Binary));
    }
    assert!(binary.output_type(&DataType::Float64).is_err());
    let moment = DataType::Timestamp(TimeUnit::Second, None);
    assert_eq!(any_encrypt("hex").output_type(&moment), Ok(DataType::Utf8));
}

#[test]
fn fail_what_is_no_token_or_another_keys_without_a_word_of_it() {
    let (other, ours) =
        (encrypt(json!({ "domain": "other" }), "6120736563726574206f662031362062"), any_encrypt("base64url"));
    let made = run(&ours, &texts([Some("canary")]), Meaning::Plain, &[]);
    let token = shown(&made.array)[0].clone().unwrap();
    let changed = format!("{}A{}", &token[..7], &token[8..]);
    let cases = [
        "",
        "canary",
        "cana ry=",
        &token[1..],
        &changed,
        &format!("{token}A"),
        &format!("{token}="),
        &token.replace(&token[..1], "é"),
    ];
    let failed = back(&ours, &texts(cases.map(Some)), &[]);
    assert_eq!(failed.failures.len(), cases.len());
    assert!(failed.failures.iter().all(|failure| !failure.reason.contains("canary")));
    assert_eq!(back(&other, &made.array, &[]).failures.len(), 1);
    let hex = any_encrypt("hex");
    let made = run(&hex, &texts([Some("canary")]), Meaning::Plain, &[]);
    let upper = shown(&made.array)[0].clone().unwrap().to_uppercase();
    assert_eq!(back(&hex, &texts([Some(upper)]), &[]).failures.len(), 1);
}

#[test]
fn a_row_without_tenant_is_an_error_and_each_tenant_has_its_own_tokens() {
    let encrypt = encrypt(
        json!({ "domain": "users/{region}", "tenant": { "column": "tenant" } }),
        "6120736563726574206f662031362062",
    );
    let companions = [
        companion([Some("eu"), Some("us"), Some("eu"), None, Some("eu")]),
        companion([Some("a"), Some("a"), Some("b"), Some("a"), Some("")]),
    ];
    let made = run(&encrypt, &texts([Some("x"); 5]), Meaning::Plain, &companions);
    assert_eq!(made.failures.iter().map(|failure| failure.index).collect::<Vec<_>>(), [3, 4]);
    let tokens = shown(&made.array);
    assert!(tokens[0] != tokens[1] && tokens[0] != tokens[2] && tokens[1] != tokens[2]);
    let plain = back(&encrypt, &made.array, &companions);
    assert_eq!(shown(&plain.array), [Some("x"), Some("x"), Some("x"), None, None].map(|text| text.map(str::to_owned)));
}

#[test]
fn encodings_that_are_not_offered_are_faults() {
    for encoding in TokenEncoding::ALL {
        let offered = ["hex", "base64url", "binary"].contains(&encoding.name());
        let spec = EncryptSpec { domain: "users".to_owned(), tenant: None, encoding: Some(encoding) };
        assert_eq!(spec.faults().is_empty(), offered, "{encoding}");
        assert_eq!(spec.transform(&mut Context::new(Some(&any_keys()))).is_ok(), offered, "{encoding}");
    }
    let spec: EncryptSpec = serde_json::from_value(json!({ "domain": "", "tenant": { "column": "" } })).unwrap();
    assert_eq!(spec.faults().iter().map(|fault| fault.path.join(".")).collect::<Vec<_>>(), ["domain", "tenant.column"]);
}

proptest! {
    #[test]
    fn any_bytes_come_back_and_distinct_ones_have_distinct_tokens(values in proptest::collection::vec(proptest::option::of(proptest::collection::vec(any::<u8>(), 0..50)), 0..20)) {
        let array: ArrayRef = Arc::new(values.iter().map(|value| value.as_deref()).collect::<BinaryArray>());
        for encoding in ["base64url", "hex", "binary"] {
            let encrypt = any_encrypt(encoding);
            let made = run(&encrypt, &array, Meaning::Plain, &[]);
            prop_assert!(made.failures.is_empty());
            let distinct = |array: &ArrayRef| {
                let values = canonical(array, Meaning::Plain).unwrap().values;
                values.iter().map(|value| value.map(<[u8]>::to_vec)).collect::<std::collections::HashSet<_>>()
            };
            prop_assert_eq!(distinct(&made.array).len(), distinct(&array).len());
            let plain = back(&encrypt, &made.array, &[]);
            prop_assert!(plain.failures.is_empty());
            prop_assert_eq!(&plain.array, &array);
        }
    }
}

#[test]
fn a_mebibyte_comes_back() {
    let long = "\u{202e}é\0".repeat(1 << 18);
    let encrypt = any_encrypt("base64url");
    let made = run(&encrypt, &texts([Some(&long)]), Meaning::Plain, &[]);
    assert_eq!(shown(&back(&encrypt, &made.array, &[]).array), [Some(long)]);
}
