//! `testdata/vectors/scrub-v1.json`, made by `scrub_vectors.py` beside it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arrow::array::{Array, AsArray, BinaryArray};
use serde::Deserialize;

use super::*;
use crate::crypto::vectors::unhex;
use crate::crypto::{HmacKey, Secret, subkey};

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
        let scrubber = scrubber(&[kind]);
        for instance in texts {
            // a letter of another script ends all but an address
            let between = if kind == Kind::Email { ' ' } else { 'é' };
            for text in [
                instance.clone(),
                format!("x {instance}, y"),
                format!("({instance})"),
                format!("{between}{instance}{between}"),
            ] {
                let found = found(&scrubber, &text);
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
        let scrubber = scrubber(&[kind]);
        for text in texts {
            let found = found(&scrubber, text);
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
    let root = Secret::new(unhex(&VECTORS.root_hex));
    let key = HmacKey::new(subkey(&root, "pseudonym", &VECTORS.domain, "", 32).expose());
    for case in &VECTORS.texts {
        let expected = [&case.label, &case.mask, &case.pseudonym];
        let replacements = [Replacement::Label, Replacement::Mask, Replacement::Pseudonym];
        for (replacement, expected) in replacements.into_iter().zip(expected) {
            let scrubber = Scrubber::new(Kind::ALL, Vec::new(), Vec::new(), |_| replacement);
            let values = BinaryArray::from_iter_values([&case.text]);
            let scrubbed = scrubber.scrub(&values, |_, message| Ok(Some(key.sign(message)))).unwrap();
            assert!(scrubbed.failures.is_empty() && scrubbed.array.null_count() == 0);
            assert_eq!(scrubbed.array.as_string::<i32>().value(0), expected, "{}", case.text);
            let kinds = scrubber.kinds();
            let found: Vec<_> = scrubbed.found.iter().map(|found| kinds[usize::from(found.kind)].clone()).collect();
            assert_eq!(found, case.found, "{}", case.text);
        }
    }
}
