use arrow::datatypes::DataType;
use serde_json::{Value, json};

use super::super::{Replacement, ScrubSpec};
use super::*;
use crate::transforms::family::{Family, FaultKind};

fn spec(options: Value) -> ScrubSpec {
    serde_json::from_value(options).unwrap()
}

#[test]
fn options_that_make_no_sense_are_told_by_their_place() {
    use FaultKind::*;
    for (options, kind, path) in [
        (json!({ "find": [] }), Value, "find"),
        (json!({ "find": ["email", "ip", "email"] }), Value, "find"),
        (json!({ "patterns": { "p": "(" } }), Pattern, "patterns.p"),
        (json!({ "patterns": { "p": "x*" } }), Pattern, "patterns.p"),
        (json!({ "patterns": { "email": "x" } }), Pattern, "patterns.email"),
        (json!({ "find": ["email"], "replace": { "ip": "mask" } }), Value, "replace.ip"),
        (json!({ "phone_regions": ["UK"] }), Value, "phone_regions"),
        (json!({ "find": ["ip"], "phone_regions": ["DE"] }), Value, "phone_regions"),
        (json!({ "replace": "pseudonym" }), Missing, ""),
        (json!({ "replace": { "ip": "pseudonym" }, "domain": "a{b" }), Domain, "domain"),
        (json!({ "replace": "pseudonym", "domain": "d", "tenant": { "column": "" } }), Value, "tenant.column"),
        (json!({ "domain": "d" }), Value, "domain"),
        (json!({ "tenant": { "column": "t" } }), Value, "tenant"),
    ] {
        let faults = spec(options.clone()).faults();
        let told: Vec<_> = faults.iter().map(|fault| (fault.kind, fault.path.join("."))).collect();
        assert_eq!(told, [(kind, path.to_owned())], "{options}");
    }
}

#[test]
fn options_that_make_sense_are_taken() {
    for options in [
        json!({}),
        json!({ "find": [], "patterns": { "p": "x+" } }),
        json!({ "replace": { "p": "mask", "email": "pseudonym" }, "patterns": { "p": "x+" }, "domain": "d/{c}" }),
        json!({ "find": ["phone"], "phone_regions": ["DE", "US"], "replace": "mask" }),
    ] {
        assert_eq!(spec(options.clone()).faults(), [], "{options}");
        let written = serde_json::to_value(spec(options.clone())).unwrap();
        assert_eq!(written, options);
    }
}

#[test]
fn what_no_one_wrote_is_filled_in() {
    let spec = spec(json!({ "replace": { "ip": "mask" } }));
    assert_eq!(spec.kinds(), Kind::ALL);
    assert_eq!([spec.replacement("ip"), spec.replacement("email")], [Replacement::Mask, Replacement::Label]);
    assert!(!spec.facts().keyed && spec.facts().domain.is_none());
    let facts = serde_json::from_value::<ScrubSpec>(json!({ "replace": "pseudonym", "domain": "d" })).unwrap();
    assert!(facts.facts().keyed && facts.facts().domain == Some("d") && facts.facts().token_bits == Some(128));
}

#[test]
fn an_unknown_word_is_refused() {
    for options in [json!({ "find": ["name"] }), json!({ "replace": "hide" }), json!({ "replace": { "ip": "hide" } })] {
        assert!(serde_json::from_value::<ScrubSpec>(options.clone()).is_err(), "{options}");
    }
}

#[test]
fn only_text_is_searched_and_keeps_its_type() {
    let transform = built(json!({ "scrub": {} }), &any_keys()).unwrap().transform;
    for text in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
        assert_eq!(transform.output_type(&text), Ok(text));
    }
    for other in [DataType::Binary, DataType::FixedSizeBinary(16), DataType::Int64, DataType::Date32, DataType::Null] {
        assert!(transform.output_type(&other).is_err(), "{other}");
    }
}

#[test]
fn columns_of_all_encodings_are_counted_by_use() {
    use arrow::compute::cast;

    use crate::transforms::testing::{apply, cell, shown};

    let cell = cell(json!({ "scrub": { "find": ["email", "ip"] } }));
    let plain = texts([Some("a@b.cc"), None, Some("::1, ::1"), Some("a@b.cc"), Some("x")]);
    let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    for encoding in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary] {
        let (made, tally) = apply(&cell, &cast(&plain, &encoding).unwrap(), &[]);
        assert_eq!(
            shown(&made),
            ["<EMAIL>", "", "<IP>, <IP>", "<EMAIL>", "x"].map(|text| Some(text.to_owned()).filter(|t| !t.is_empty()))
        );
        assert_eq!(tally.found, [2, 2], "{encoding}");
    }
}
