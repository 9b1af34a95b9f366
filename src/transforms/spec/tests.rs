use serde_json::json;

use super::*;
use crate::crypto::TokenEncoding;

fn all() -> Vec<TransformSpec> {
    [
        json!({"keep": {}}),
        json!({"drop": {}}),
        json!({"pseudonym": {"domain": "users"}}),
        json!({"encrypt": {"domain": "users"}}),
        json!({"rekeyable": {"domain": "users"}}),
        json!({"fpe": {"domain": "cards"}}),
        json!({"ip": {"truncate": {}}}),
        json!({"email": {"domain": "users"}}),
        json!({"surrogate": {"list": "city", "locale": "de_DE", "domain": "d"}}),
        json!({"date_shift": {"by": "id", "days": 30, "domain": "d"}}),
        json!({"generalize": {"date": "year"}}),
        json!({"noise": {"by": "id", "domain": "d", "uniform": {"width": 0.5}}}),
        json!({"random": {}}),
        json!({"mask": {}}),
        json!({"redact": "x"}),
        json!({"nullify": {}}),
        json!({"hash": {}}),
        json!({"scrub": {}}),
        json!({"derive": "1"}),
    ]
    .into_iter()
    .map(|spec| serde_json::from_value(spec).unwrap())
    .collect()
}

#[test]
fn names_are_the_words_that_serde_reads() {
    let names: Vec<_> = all().iter().map(TransformSpec::name).collect();
    assert_eq!(names, TransformSpec::names());
}

#[test]
fn a_bare_word_is_a_transform_without_needed_options() {
    for &word in TransformSpec::BARE {
        let spec: TransformSpec = serde_json::from_value(json!({ word: {} })).unwrap();
        assert_eq!(spec.name(), word);
    }
}

#[test]
fn defaults_are_those_of_the_specification() {
    let of = |name: &str| all().into_iter().find(|spec| spec.name() == name).unwrap();
    let TransformSpec::Pseudonym(pseudonym) = of("pseudonym") else { panic!("found by its name") };
    assert_eq!((pseudonym.bits(), pseudonym.encoding()), (128, TokenEncoding::Hex));
    assert!(!pseudonym.accept_collisions);
    let TransformSpec::Mask(mask) = of("mask") else { panic!("found by its name") };
    assert_eq!((mask.keep_first, mask.keep_last, mask.with, mask.keep_separators), (0, 0, '*', false));
    let TransformSpec::Hash(hash) = of("hash") else { panic!("found by its name") };
    assert_eq!((hash.algorithm, hash.encoding), (HashAlgorithm::Sha256, TokenEncoding::Hex));
}

#[test]
fn every_spec_reads_back_what_it_writes() {
    for spec in all() {
        let written = serde_json::to_value(&spec).unwrap();
        assert_eq!(serde_json::from_value::<TransformSpec>(written).unwrap(), spec);
    }
}

#[test]
fn unknown_options_are_refused() {
    for &name in TransformSpec::names() {
        let spec = json!({ name: {"domain": "d", "no_such_option": 1} });
        assert!(serde_json::from_value::<TransformSpec>(spec).is_err(), "{name}");
    }
}

#[test]
fn domains_split_at_single_braces_only() {
    let parts = |text| DomainTemplate::parse(text).map(|domain| domain.parts().to_vec());
    let text = |t: &str| DomainPart::Text(t.to_owned());
    let column = |c: &str| DomainPart::Column(c.to_owned());
    assert_eq!(parts("users"), Ok(vec![text("users")]));
    assert_eq!(parts("{a}{b}/c"), Ok(vec![column("a"), column("b"), text("/c")]));
    assert_eq!(parts("{{a}}"), Ok(vec![text("{a}")]));
    assert_eq!(parts(""), Err(DomainError::Empty));
    assert_eq!(parts("a{b"), Err(DomainError::Unclosed));
    assert_eq!(parts("a}b"), Err(DomainError::Unopened));
    assert_eq!(parts("a{}"), Err(DomainError::NoColumn));
}
