//! `testdata/vectors/scrub-v1.json`, made by `scrub_vectors.py` beside it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::*;
use crate::transforms::testing::{keys, one};

#[derive(Deserialize)]
pub(super) struct Vectors {
    root_hex: String,
    domain: String,
    pub(super) valid: BTreeMap<Kind, Vec<String>>,
    pub(super) invalid: BTreeMap<Kind, Vec<String>>,
    key_halves: KeyHalves,
    published: Vec<Published>,
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct KeyHalves {
    valid: Vec<(String, String)>,
    invalid: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Published {
    kind: Kind,
    text: String,
    source: String,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    label: String,
    mask: String,
    pseudonym: String,
    found: Vec<String>,
}

pub(super) static VECTORS: LazyLock<Vectors> = LazyLock::new(|| {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/vectors/scrub-v1.json"));
    let mut vectors: Vectors = serde_json::from_str(text).expect("the committed vectors are as described");
    let joined = |halves: &[(String, String)]| halves.iter().map(|(a, b)| format!("{a}{b}")).collect();
    vectors.valid.insert(Kind::ApiKey, joined(&vectors.key_halves.valid));
    vectors.invalid.insert(Kind::ApiKey, joined(&vectors.key_halves.invalid));
    for Published { kind, text, .. } in &vectors.published {
        vectors.valid.entry(*kind).or_default().push(text.clone());
    }
    vectors
});

#[test]
fn every_kind_has_valid_instances() {
    for kind in Kind::ALL {
        assert!(VECTORS.valid[kind].len() >= 2, "{kind}");
    }
}

#[test]
fn valid_instances_are_found_whole() {
    let mut wrong = Vec::new();
    for (&kind, texts) in &VECTORS.valid {
        let search = search(&[kind]);
        for instance in texts {
            // a letter of another script ends all but an address
            let between = if kind == Kind::Email { ' ' } else { 'é' };
            for text in [
                instance.clone(),
                format!("x {instance}, y"),
                format!("({instance})"),
                format!("{between}{instance}{between}"),
            ] {
                let found = found(&search, &text);
                if found != [(kind.name().to_owned(), instance.as_str())] {
                    wrong.push(format!("{kind}: {text}: {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn invalid_instances_are_not_found() {
    let mut wrong = Vec::new();
    for (&kind, texts) in &VECTORS.invalid {
        let search = search(&[kind]);
        for text in texts {
            let found = found(&search, text);
            if !found.is_empty() {
                wrong.push(format!("{kind}: {text}: {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn published_examples_name_their_source() {
    for Published { text, source, .. } in &VECTORS.published {
        assert!(!source.is_empty(), "{text}");
    }
}

#[test]
fn texts_are_replaced_by_label_mask_and_token() {
    let keys = keys(&VECTORS.root_hex);
    for case in &VECTORS.texts {
        for (word, expected) in [("label", &case.label), ("mask", &case.mask), ("pseudonym", &case.pseudonym)] {
            let mut options = json!({ "replace": word });
            if word == "pseudonym" {
                options["domain"] = json!(VECTORS.domain);
            }
            let built = built(json!({ "scrub": options }), &keys).unwrap();
            assert_eq!(one(&built, &case.text, &[]).as_ref(), Some(expected), "{}", case.text);
        }
        let made = scrub(json!({}), &[Some(&case.text)], &[]);
        let names = everything();
        let found: Vec<_> = made.found.iter().map(|found| &names.names()[usize::from(found.kind)]).collect();
        assert_eq!(found, case.found.iter().collect::<Vec<_>>(), "{}", case.text);
    }
}
