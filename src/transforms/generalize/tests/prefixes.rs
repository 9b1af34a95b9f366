use serde::Deserialize;

use super::*;
use crate::crypto::vectors;
use crate::transforms::testing::texts;

/// A case of `prefixes`.
#[derive(Debug, Deserialize)]
struct Case {
    rule: Value,
    text: String,
    output: Option<String>,
}

#[test]
fn prefixes_meet_the_known_answers_beside_ascii_and_beside_other_text() {
    let mut cases: Vec<Case> = vectors::cases_of("generalize-v1.json", "prefixes");
    while !cases.is_empty() {
        let rule = cases[0].rule.clone();
        let (of_rule, others): (Vec<Case>, Vec<Case>) = cases.into_iter().partition(|case| case.rule == rule);
        cases = others;
        let options = json!({ "prefix": rule });
        let column = texts(of_rule.iter().map(|case| Some(&case.text)));
        let outputs: Vec<_> = of_rule.iter().map(|case| case.output.clone()).collect();
        assert_eq!(generalized(options.clone(), &column), outputs, "{rule}");
        for case in of_rule {
            let alone = of_one(options.clone(), StringArray::from(vec![case.text.as_str()]));
            assert_eq!(alone, case.output, "{case:?}");
        }
    }
}

#[test]
fn a_number_has_no_prefix() {
    let refused = treatment(json!({ "prefix": { "keep": 3 } })).output_type(&arrow::datatypes::DataType::Int32);
    assert_eq!(refused, Err("Int32 has no prefixes; it takes text".to_owned()));
}

#[test]
fn the_restricted_postal_codes_of_hipaa_become_zeros() {
    let restricted = [
        "036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878", "879", "884", "890",
        "893",
    ];
    let replace: serde_json::Map<String, Value> =
        restricted.iter().map(|prefix| (prefix.to_string(), json!("000"))).collect();
    let codes = texts(["03601", "02139", "89301", "10001"].map(Some));
    let options = json!({ "prefix": { "keep": 3, "replace": replace } });
    assert_eq!(generalized(options, &codes), ["000", "021", "000", "100"].map(|code| Some(code.to_owned())));
}
