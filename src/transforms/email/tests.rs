use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, DictionaryArray, LargeStringArray};
use arrow::datatypes::Int32Type;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::family::build;
use super::super::normalize::is_alphanumeric;
use super::super::spec::TransformSpec;
use super::super::subkeys::{Keys, SubkeySource};
use super::super::testing::{Root, any_keys, apply, built, cell, companion, keys, one, shown, texts};
use super::*;
use crate::crypto::Secret;
use crate::crypto::vectors;

fn email(options: Value) -> Value {
    let mut spec = json!({ "domain": "users" });
    spec.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    json!({ "email": spec })
}

fn made(options: Value, value: &str) -> Option<String> {
    one(&built(email(options), &any_keys()).unwrap(), value, &[])
}

fn pseudonym(value: &str) -> String {
    one(&built(json!({ "pseudonym": { "domain": "users" } }), &any_keys()).unwrap(), value, &[]).unwrap()
}

#[test]
fn the_local_part_has_the_pseudonym_of_the_known_answers() {
    let mut seen = 0;
    for case in vectors::cases::<vectors::Pseudonym>("pseudonym") {
        let local = &case.canonical_utf8;
        let fits = !local.is_empty() && !local.chars().any(|c| c.is_whitespace()) && case.bits <= 248;
        if case.encoding != "hex" || !fits {
            continue;
        }
        seen += 1;
        let mut spec = json!({ "domain": case.domain, "bits": case.bits, "accept_collisions": true, "host": "keep" });
        if !case.tenant.is_empty() {
            spec["tenant"] = json!({ "column": "tenant" });
        }
        let built = built(json!({ "email": spec }), &keys(&case.root_hex)).unwrap();
        let companions: Vec<&str> = built.companions.iter().map(|_| case.tenant.as_str()).collect();
        let made = one(&built, &format!("{local}@example.net"), &companions).unwrap();
        assert_eq!(made, format!("{}@example.net", case.token), "{case:?}");
    }
    assert!(seen > 10, "{seen} known answers");
}

#[test]
fn a_local_part_has_one_token_at_all_hosts_and_letter_case_counts() {
    let ann = pseudonym("ann");
    for host in ["a.example", "b.example.com"] {
        assert_eq!(made(json!({ "host": "keep" }), &format!("ann@{host}")), Some(format!("{ann}@{host}")));
    }
    assert_ne!(made(json!({ "host": "keep" }), "Ann@a.example"), Some(format!("{ann}@a.example")));
    // only the last `@` splits
    let odd = pseudonym("\"a@b\"");
    assert_eq!(made(json!({ "host": "keep" }), "\"a@b\"@a.example"), Some(format!("{odd}@a.example")));
}

#[test]
fn hosts_are_taken_in_their_one_ascii_form() {
    let ann = pseudonym("ann");
    for host in ["Bücher.Example", "bu\u{308}cher.example.", "xn--bcher-kva.example"] {
        let value = format!("ann@{host}");
        assert_eq!(made(json!({ "host": "keep" }), &value), Some(format!("{ann}@xn--bcher-kva.example")));
        let token = pseudonym("xn--bcher-kva.example");
        assert_eq!(made(json!({}), &value), Some(format!("{ann}@{token}.example")));
    }
}

#[test]
fn the_registrable_domain_is_that_of_the_public_suffix_list() {
    // after the list's own test data, publicsuffix.org/list
    let cases = [
        ("example.com", Some("example.com")),
        ("a.b.example.com", Some("example.com")),
        ("MAIL.Shop.Co.UK", Some("shop.co.uk")),
        ("test.ac", Some("test.ac")),
        ("a.b.c.kobe.jp", Some("b.c.kobe.jp")),
        ("www.city.kobe.jp", Some("city.kobe.jp")),
        ("www.www.ck", Some("www.ck")),
        ("a.b.test.ck", Some("b.test.ck")),
        ("www.食狮.公司.cn", Some("xn--85x722f.xn--55qx5d.cn")),
        ("mail.someone.github.io", Some("someone.github.io")),
        ("host.internal.corporation", Some("internal.corporation")),
        ("com", None),
        ("co.uk", None),
        ("c.kobe.jp", None),
        ("github.io", None),
        ("公司.cn", None),
        ("localhost", None),
        ("192.0.2.1", None),
        ("[192.0.2.1]", None),
    ];
    let ann = pseudonym("ann");
    for (host, registrable) in cases {
        let expected = registrable.map(|host| format!("{ann}@{host}"));
        assert_eq!(made(json!({ "host": "registrable" }), &format!("ann@{host}")), expected, "{host}");
    }
}

#[test]
fn what_is_no_address_fails_whatever_becomes_of_the_host() {
    let values = [
        "",
        "@",
        "ann",
        "ann@",
        "@example.com",
        "ann@example.com ",
        " ann@example.com",
        "an n@example.com",
        "ann@exa\u{3000}mple.com",
        "<ann@example.com>",
        "ann@example..com",
        "ann@.example.com",
        "ann@-a.example",
        "ann@[2001:db8::1]",
        "ann@\u{301}",
        "ann@a_b.example",
        "ann@\u{0}.example",
    ];
    for host in ["keep", "registrable", "pseudonym"] {
        for value in values {
            assert_eq!(made(json!({ "host": host }), value), None, "{host} {value:?}");
        }
    }
}

#[test]
fn an_address_of_255_bytes_would_be_too_long() {
    // a host of 221 bytes makes 254 with a token of 32 and the `@`
    let label = |length: usize| "a".repeat(length);
    let host = |length: usize| [label(63), label(63), label(63), label(length - 3 * 64)].join(".");
    assert_eq!(made(json!({ "host": "keep" }), &format!("b@{}", host(221))).map(|made| made.len()), Some(254));
    let spec = built(email(json!({ "host": "keep" })), &any_keys()).unwrap();
    let column = companion([Some(format!("b@{}", host(222)))]);
    let array = texts([Some("b")]);
    let values = Values { array: &array, canonical: &column, companions: &[] };
    let failures = spec.transform.apply(&values).unwrap().failures;
    let reasons: Vec<_> = failures.iter().map(|failure| failure.reason.as_ref()).collect();
    assert_eq!(reasons, ["the e-mail address would be 255 bytes long, and the limit is 254"]);
    assert!(made(json!({}), &format!("b@{}", host(240))).is_some());
}

#[test]
fn the_longest_token_fits_a_label_and_a_longer_one_is_a_fault() {
    let made = made(json!({ "bits": 248 }), "ann@example.com").unwrap();
    let (local, host) = made.split_once('@').unwrap();
    assert_eq!((local.len(), host.strip_suffix(".example").map(str::len)), (62, Some(62)));
    let faults = |options| {
        let spec: TransformSpec = serde_json::from_value(email(options)).unwrap();
        spec.family().unwrap().faults().into_iter().map(|fault| fault.kind).collect::<Vec<_>>()
    };
    assert_eq!(faults(json!({ "bits": 248 })), []);
    assert_eq!(faults(json!({ "bits": 256 })), [FaultKind::Bits]);
    assert_eq!(faults(json!({ "bits": 100 })), [FaultKind::Bits]);
    assert_eq!(faults(json!({ "bits": 64 })), [FaultKind::Collisions]);
    assert_eq!(faults(json!({ "bits": 64, "accept_collisions": true })), []);
    assert_eq!(faults(json!({ "domain": "" })), [FaultKind::Domain]);
}

#[test]
fn a_chain_of_keys_moves_both_tokens() {
    let root = |byte: u8| Arc::new(Root(Secret::new(vec![byte; 32]))) as Arc<dyn SubkeySource>;
    let chain = Keys::chain(vec![root(1), root(2)]).unwrap();
    let token = |part| one(&built(json!({ "pseudonym": { "domain": "users" } }), &chain).unwrap(), part, &[]).unwrap();
    let made = one(&built(email(json!({})), &chain).unwrap(), "ann@example.com", &[]).unwrap();
    assert_eq!(made, format!("{}@{}.example", token("ann"), token("example.com")));
}

#[test]
fn each_row_has_the_key_of_its_tenant_and_one_without_fails() {
    let cell = cell(json!({ "email": { "domain": "users", "tenant": { "column": "tenant" } } }));
    let values = texts(vec![Some("ann@example.com"); 4]);
    let tenants = companion([Some("a"), Some("b"), None, Some("a")]);
    let (made, tally) = apply(&cell, &values, &[tenants]);
    let made = shown(&made);
    assert!(made[0] == made[3] && made[0] != made[1] && made[2].is_none());
    assert_eq!(tally.failed, 1);
}

#[test]
fn every_text_type_gives_the_same_and_other_types_are_refused() {
    let cell = cell(email(json!({})));
    let values = [Some("ann@example.com"), None, Some("ann")];
    let expected = shown(&apply(&cell, &texts(values), &[]).0);
    let large: ArrayRef = Arc::new(LargeStringArray::from(values.to_vec()));
    let dictionary: ArrayRef = Arc::new(values.into_iter().collect::<DictionaryArray<Int32Type>>());
    let binary: ArrayRef = Arc::new(BinaryArray::from_iter(values.map(|value| value.map(str::as_bytes))));
    for array in [large, dictionary, binary] {
        assert_eq!(shown(&apply(&cell, &array, &[]).0), expected);
    }
    let broken: ArrayRef = Arc::new(BinaryArray::from_vec(vec![b"a\xff@example.com"]));
    assert_eq!(apply(&cell, &broken, &[]).0.null_count(), 1);
    assert!(cell.output_type(&DataType::Int64).is_err());
}

#[test]
fn the_public_suffix_list_is_pinned_where_it_decides() {
    let pins = |host: &str| {
        let spec: EmailSpec = serde_json::from_value(json!({ "domain": "d", "host": host })).unwrap();
        spec.pins().unwrap()
    };
    assert_eq!(pins("registrable").get("psl").map(String::as_str), Some(PSL_VERSION));
    assert!(!pins("keep").contains_key("psl") && pins("keep").contains_key("idna"));
    let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"));
    assert!(lock.contains(&format!("name = \"psl\"\nversion = \"{PSL_VERSION}\"")), "the pin tells another version");
}

/// A part of an address that is anything, and mostly something.
fn part() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9.+_-]{1,70}", "[a-z0-9-]{1,20}(\\.[a-z0-9-]{1,63}){0,4}", "\\PC{0,20}", any::<String>()]
}

proptest! {
    #[test]
    fn an_output_is_an_address_without_the_local_part_or_a_failure_without_the_value(
        local in part(), host in part(), kind in prop_oneof![Just("keep"), Just("registrable"), Just("pseudonym")]
    ) {
        let value = format!("{local}@{host}");
        let spec: TransformSpec = serde_json::from_value(email(json!({ "host": kind }))).unwrap();
        let transform = build(&spec, Some(&any_keys())).unwrap().transform;
        let (array, canonical) = (texts([Some(&value)]), companion([Some(&value)]));
        let made = transform.apply(&Values { array: &array, canonical: &canonical, companions: &[] }).unwrap();
        match shown(&made.array).remove(0) {
            Some(address) => {
                prop_assert!(made.failures.is_empty() && address.len() <= 254);
                let mut scratch = Scratch::default();
                let again = Normalizer::new(vec![Step::Email]);
                prop_assert_eq!(again.apply(&address, &mut scratch), Ok(address.as_str()));
                let (token, host) = address.split_once('@').unwrap();
                prop_assert!(token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit()));
                prop_assert!(host.split('.').all(|label| (1..=63).contains(&label.len())));
            }
            None => {
                let reason = made.failures.iter().next().unwrap().reason.to_string();
                // no word of the value that is not a word of the fixed sentences: these have none that long
                let words = value.split(|c| !is_alphanumeric(c)).filter(|word| word.chars().count() > 13);
                prop_assert!(words.into_iter().all(|word| !reason.contains(word)), "{}", reason);
            }
        }
    }
}
