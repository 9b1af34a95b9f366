use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, DictionaryArray, Int64Array, StringArray};
use arrow::datatypes::Int32Type;
use data_encoding::HEXLOWER;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::super::normalize::{Normalizer, Scratch as Buffers, Step};
use super::super::spec::TransformSpec;
use super::super::testing::{any_keys, apply, built, cell, companion, keys, one, shown, texts};
use super::*;
use crate::crypto::vectors::{self, unhex};
use crate::crypto::{Secret, subkey};

#[derive(Debug, Deserialize)]
struct Case {
    root_hex: String,
    domain: String,
    tenant: String,
    canonical_utf8: String,
    list: String,
    version: u16,
    surrogate: String,
}

fn drawn(list: &'static List, key: &HmacKey, value: &[u8]) -> String {
    let mut out = String::new();
    Drawer::new(list).unwrap().push(key, value, &mut Scratch::default(), &mut out);
    out
}

fn word(list: &List) -> (&str, &str) {
    list.id.split_once('.').unwrap()
}

#[test]
fn every_list_has_the_known_answers() {
    let cases = vectors::cases_of::<Case>("surrogate-v1.json", "cases");
    let known: HashSet<_> = cases.iter().map(|case| (case.list.as_str(), case.version)).collect();
    assert!(LISTS.iter().all(|list| known.contains(&(list.id, list.version))), "a list without known answers");
    for case in &cases {
        let list = List::find(&case.list, case.version).unwrap();
        let root = Secret::new(unhex(&case.root_hex));
        let key = HmacKey::new(subkey(&root, PURPOSE, &case.domain, &case.tenant, 32).expose());
        assert_eq!(drawn(list, &key, case.canonical_utf8.as_bytes()), case.surrogate, "{case:?}");
    }
}

#[test]
fn what_a_policy_says_leads_to_the_known_answers() {
    for case in vectors::cases_of::<Case>("surrogate-v1.json", "cases") {
        let (kind, locale) = case.list.split_once('.').unwrap();
        if kind == "company_stem" {
            continue;
        }
        let mut spec = json!({ "list": kind, "locale": locale, "domain": case.domain });
        if !case.tenant.is_empty() {
            spec["tenant"] = json!({ "column": "tenant" });
        }
        let built = built(json!({ "surrogate": spec }), &keys(&case.root_hex)).unwrap();
        let companions: Vec<&str> = built.companions.iter().map(|_| case.tenant.as_str()).collect();
        assert_eq!(one(&built, &case.canonical_utf8, &companions).as_ref(), Some(&case.surrogate), "{case:?}");
    }
}

/// An edit of a list fails here. What is wanted is a new file of the next version.
#[test]
fn no_list_has_changed() {
    for list in LISTS {
        let text: String = list.lines().flat_map(|line| [line, "\n"]).collect();
        assert_eq!(HEXLOWER.encode(&Sha256::digest(&text)), list.sha256, "{} has changed", list.name());
    }
}

#[test]
fn every_file_is_a_list_and_ends_each_line_by_a_line_feed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/transforms/surrogate/lists");
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some((id, version)) = name.strip_suffix(".txt").and_then(|name| name.rsplit_once(".v")) else {
            assert_eq!(name, "README.md");
            continue;
        };
        files += 1;
        let list = List::find(id, version.parse().unwrap()).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(HEXLOWER.encode(&Sha256::digest(&bytes)), list.sha256, "{name}");
        assert!(bytes.ends_with(b"\n") && !bytes.contains(&b'\r'), "{name}");
    }
    assert_eq!(files, LISTS.len());
}

#[test]
fn entries_are_told_apart_and_have_no_white_space_at_their_ends() {
    let nfc = Normalizer::new(vec![Step::Nfc, Step::Trim, Step::CollapseWhitespace]);
    for list in LISTS {
        let lines: Vec<_> = list.lines().collect();
        assert_eq!(lines.iter().collect::<HashSet<_>>().len(), lines.len(), "{} has a line twice", list.id);
        for line in lines {
            assert_eq!(nfc.apply(line, &mut Buffers::default()), Ok(line), "{}", list.id);
            assert!(!line.is_empty() && !line.chars().any(char::is_control), "{}", list.id);
        }
        assert!(Drawer::new(list).is_some(), "{} cannot be drawn from", list.id);
    }
}

#[test]
fn seven_locales_have_two_hundred_names_and_every_kind_but_telephone_numbers() {
    for locale in ["de_DE", "en_GB", "en_US", "es_ES", "fr_FR", "it_IT", "pl_PL"] {
        for kind in SurrogateKind::ALL.iter().filter(|kind| **kind != SurrogateKind::Phone) {
            let list = List::find(&format!("{}.{locale}", kind.name()), 1).unwrap();
            let least = match kind {
                SurrogateKind::GivenName | SurrogateKind::FamilyName => 200,
                SurrogateKind::FullName => 1,
                SurrogateKind::Company => 20,
                _ => 90,
            };
            assert!(Drawer::new(list).unwrap().entries() >= least, "{}", list.id);
        }
    }
}

#[test]
fn every_letter_of_a_name_is_folded_as_in_the_known_answers() {
    #[derive(Deserialize)]
    struct Folded {
        letter: char,
        ascii: String,
    }
    let folded = vectors::cases_of::<Folded>("surrogate-v1.json", "folded");
    let folded: BTreeMap<_, _> = folded.into_iter().map(|case| (case.letter, case.ascii)).collect();
    for list in LISTS.iter().filter(|list| matches!(word(list).0, "given_name" | "family_name")) {
        for letter in list.lines().flat_map(str::chars) {
            let mut out = String::new();
            fold::push_ascii(letter.encode_utf8(&mut [0; 4]), &mut out);
            assert_eq!(folded.get(&letter), Some(&out), "{letter} in {}", list.id);
            assert!(!out.is_empty() && out.bytes().all(|byte| byte.is_ascii_lowercase()), "{letter} in {}", list.id);
        }
    }
}

#[test]
fn addresses_are_valid_and_at_reserved_domains() {
    let (key, step) = (HmacKey::new(b"key"), Normalizer::new(vec![Step::Email]));
    for list in LISTS.iter().filter(|list| word(list).0 == "email") {
        for nth in 0..100 {
            let made = drawn(list, &key, format!("value {nth}").as_bytes());
            assert_eq!(step.apply(&made, &mut Buffers::default()), Ok(made.as_str()));
            let (local, host) = made.split_once('@').unwrap();
            assert!(["example.com", "example.net", "example.org"].contains(&host), "{made}");
            assert!(local.len() <= 64 && local.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'), "{made}");
        }
    }
}

/// The ranges as their sources tell them, digits only.
#[test]
fn telephone_numbers_lie_in_ranges_reserved_for_fiction() {
    let reserved = |locale: &str, digits: &str| match locale {
        "en_US" | "en_CA" => digits.len() == 10 && digits[3..].starts_with("55501"),
        "en_GB" => {
            let ranges = ["0207946 0", "0289649 6", "0292018 0", "0191498 0", "01632960", "07700900"];
            digits.len() == 11
                && (digits[4..].starts_with("4960")
                    || ranges.iter().any(|range| digits.starts_with(&range.replace(' ', ""))))
        }
        "de_DE" => ["03023125", "06990009", "04066969", "02214710", "08999998"]
            .iter()
            .any(|range| digits.strip_prefix(range).is_some_and(|rest| rest.len() == 3)),
        "fr_FR" => {
            let ranges = ["019900", "026191", "035301", "046571", "053649", "063998"];
            digits.len() == 10 && ranges.iter().any(|range| digits.starts_with(range))
        }
        "en_AU" => digits.len() == 10 && ["5550", "7010"].contains(&&digits[2..6]),
        "sv_SE" => {
            let ranges = ["07017406", "0846500 4", "0313900 6", "0406280 4", "0980319 2"];
            ranges.iter().any(|range| digits.strip_prefix(&range.replace(' ', "")).is_some_and(|rest| rest.len() == 2))
        }
        _ => false,
    };
    let key = HmacKey::new(b"key");
    let lists: Vec<_> = LISTS.iter().filter(|list| word(list).0 == "phone").collect();
    assert_eq!(lists.len(), 7);
    for list in lists {
        for nth in 0..300 {
            let made = drawn(list, &key, format!("value {nth}").as_bytes());
            let digits: String = made.chars().filter(char::is_ascii_digit).collect();
            assert!(reserved(word(list).1, &digits), "{made}");
        }
    }
}

#[test]
fn all_entries_come_up_about_equally_often() {
    let key = HmacKey::new(b"key");
    let list = List::find("phone.sv_SE", 1).unwrap();
    let mut seen = BTreeMap::new();
    let rounds = 60;
    for nth in 0..490 * rounds {
        *seen.entry(drawn(list, &key, &(nth as u32).to_be_bytes())).or_insert(0u32) += 1;
    }
    assert_eq!(seen.len(), 490);
    let expected = f64::from(rounds);
    let chi2: f64 = seen.values().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
    // 489 degrees of freedom: mean 489, standard deviation 31
    assert!((380.0..600.0).contains(&chi2), "{chi2}");
}

#[test]
fn a_full_name_is_the_given_and_the_family_name_of_the_same_value() {
    let made = |list: &str, value: &str| {
        let spec = json!({ "surrogate": { "list": list, "locale": "pl_PL", "domain": "people" } });
        one(&built(spec, &any_keys()).unwrap(), value, &[]).unwrap()
    };
    for value in ["", "a", "Anna Nowak", "\u{0}\u{301}"] {
        assert_eq!(made("full_name", value), format!("{} {}", made("given_name", value), made("family_name", value)));
    }
}

#[test]
fn tenants_and_domains_have_surrogates_of_their_own_and_a_missing_one_fails() {
    let spec = json!({ "surrogate": { "list": "email", "locale": "en_US", "domain": "d/{region}",
                                      "tenant": { "column": "tenant" } } });
    let cell = cell(spec);
    let values = texts(vec![Some("ann"); 5]);
    let regions = companion([Some("a"), Some("b"), Some("a"), Some("a"), None]);
    let tenants = companion([Some("x"), Some("x"), Some("y"), Some(""), Some("x")]);
    let (made, tally) = apply(&cell, &values, &[regions, tenants]);
    let made = shown(&made);
    assert_eq!(made[..3].iter().flatten().collect::<HashSet<_>>().len(), 3);
    assert_eq!((&made[3..], tally.failed), (&[None, None][..], 2));
}

#[test]
fn a_version_is_1_unless_it_is_named_and_lists_that_are_not_there_are_faults() {
    let faults = |spec: serde_json::Value| {
        let spec: TransformSpec = serde_json::from_value(json!({ "surrogate": spec })).unwrap();
        let TransformSpec::Surrogate(spec) = spec else { panic!("a surrogate") };
        let faults = spec.faults();
        assert_eq!(faults.is_empty(), spec.pins().is_ok());
        assert_eq!(faults.is_empty(), built(json!({ "surrogate": spec }), &any_keys()).is_ok());
        faults
    };
    assert_eq!(faults(json!({ "list": "city", "locale": "it_IT", "domain": "d" })), []);
    assert_eq!(faults(json!({ "list": "city", "locale": "it_IT", "version": 1, "domain": "d" })), []);
    let phone = faults(json!({ "list": "phone", "locale": "it_IT", "domain": "d" }));
    assert_eq!(phone[0].path, ["locale"]);
    let hint = "there is one for de_DE, en_AU, en_CA, en_GB, en_US, fr_FR, sv_SE";
    assert_eq!(phone[0].hint.as_deref(), Some(hint));
    let version = faults(json!({ "list": "city", "locale": "it_IT", "version": 9, "domain": "d" }));
    assert_eq!((version[0].path[0].as_str(), version[0].hint.as_deref()), ("version", Some("it has 1")));
}

#[test]
fn the_digests_of_all_lists_that_decide_are_pinned() {
    let spec = json!({ "list": "email", "locale": "de_DE", "domain": "d" });
    let spec: SurrogateSpec = serde_json::from_value(spec).unwrap();
    let pins = spec.pins().unwrap();
    let names: Vec<_> = pins.keys().map(String::as_str).collect();
    assert_eq!(names, ["email.de_DE@1", "family_name.de_DE@1", "given_name.de_DE@1"]);
    assert!(pins.iter().all(|(name, digest)| List::named(name).unwrap().sha256 == digest));
}

#[test]
fn every_word_of_a_list_or_locale_is_one_that_serde_reads() {
    for kind in SurrogateKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.name()));
    }
    for locale in Locale::ALL {
        assert_eq!(serde_json::to_value(locale).unwrap(), json!(locale.name()));
    }
}

#[test]
fn equal_values_have_equal_surrogates_whatever_their_type_and_encoding() {
    let cell = cell(json!({ "surrogate": { "list": "street_address", "locale": "fr_FR", "domain": "d" } }));
    let plain = texts([Some("42"), None, Some(""), Some("42")]);
    let (made, _) = apply(&cell, &plain, &[]);
    let made = shown(&made);
    assert!(made[0] == made[3] && made[0].is_some() && made[1].is_none() && made[2].is_some());
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(42), None]));
    assert_eq!(shown(&apply(&cell, &numbers, &[]).0), made[..2]);
    let dictionary: DictionaryArray<Int32Type> = vec![Some("42"), None, Some(""), Some("42")].into_iter().collect();
    let dictionary: ArrayRef = Arc::new(dictionary);
    assert_eq!(shown(&apply(&cell, &dictionary, &[]).0), made);
    let binary: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"42", b"\xff\x00"]));
    let (binary, _) = apply(&cell, &binary, &[]);
    assert_eq!(binary.as_string::<i32>().value(0), made[0].as_deref().unwrap());
    assert_eq!(binary.null_count(), 0);
}

#[test]
fn a_value_of_a_megabyte_has_a_surrogate() {
    let cell = cell(json!({ "surrogate": { "list": "company", "locale": "es_ES", "domain": "d" } }));
    let long = "\u{202e}é\u{0}".repeat(200_000);
    let (made, tally) = apply(&cell, &texts([Some(long)]), &[]);
    assert_eq!((made.null_count(), tally.failed), (0, 0));
}

proptest! {
    #[test]
    fn any_text_has_an_entry_of_the_list_and_always_the_same(value in any::<String>(), neighbours in 0usize..4) {
        let cell = cell(json!({ "surrogate": { "list": "given_name", "locale": "en_GB", "domain": "d" } }));
        let mut column = vec![Some("x"); neighbours];
        column.push(Some(&value));
        let (made, _) = apply(&cell, &texts(column), &[]);
        let made = shown(&made)[neighbours].clone().unwrap();
        prop_assert!(List::find("given_name.en_GB", 1).unwrap().lines().any(|line| line == made));
        let alone: ArrayRef = Arc::new(StringArray::from(vec![value.as_str()]));
        let again = shown(&apply(&cell, &alone, &[]).0);
        prop_assert_eq!(again[0].as_ref(), Some(&made));
    }
}
