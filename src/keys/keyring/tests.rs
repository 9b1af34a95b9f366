//! Every rule of TOKENS section 1, by documents.

use super::*;
use crate::crypto::vectors::{self, unhex};
use crate::crypto::{HmacKey, TokenEncoding};
use crate::keys::SecretProblem;

const HEX: &str = "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn parse(document: &str) -> Result<Keyring, KeyError> {
    Keyring::parse(&Secret::new(document.as_bytes().to_vec()))
}

/// A keyring of these entries.
fn keyring(entries: &[&str]) -> Result<Keyring, KeyError> {
    parse(&format!(r#"{{"version": 1, "keys": [{}]}}"#, entries.join(", ")))
}

/// A keyring of one entry with these fields beside its id.
fn entry(fields: &str) -> Result<Keyring, KeyError> {
    keyring(&[&format!(r#"{{"id": "k", {fields}}}"#)])
}

fn problem(result: Result<Keyring, KeyError>) -> EntryProblem {
    match result {
        Err(KeyError::Entry { problem, .. }) => problem,
        other => panic!("an entry's problem is expected: {other:?}"),
    }
}

fn named(id: &str, state: &str) -> String {
    format!(r#"{{"id": "{id}", "state": "{state}", "secret": "{HEX}"}}"#)
}

fn subkey_entry(purpose: &str, domain: &str, tenant: &str, secret: &str, root: &str) -> String {
    format!(
        r#"{{"purpose": "{purpose}", "domain": "{domain}", "tenant": "{tenant}", "secret": "{secret}", "root_fingerprint": "{root}"}}"#
    )
}

fn partner(subkeys: &[String]) -> Result<Keyring, KeyError> {
    entry(&format!(r#""state": "active", "subkeys": [{}]"#, subkeys.join(", ")))
}

#[test]
fn a_keyring_read_from_text_makes_the_known_pseudonyms() {
    for case in vectors::cases::<vectors::Pseudonym>("pseudonym") {
        let keyring = entry(&format!(r#""state": "active", "secret": "hex:{}""#, case.root_hex)).unwrap();
        let key = keyring.active().subkey("pseudonym", &case.domain, &case.tenant, 32).unwrap();
        let token = HmacKey::new(key.expose()).sign(case.canonical_utf8.as_bytes());
        let encoding: TokenEncoding = case.encoding.parse().unwrap();
        let mut out = vec![0; encoding.encoded_len(case.bits / 8)];
        encoding.encode_into(&token[..case.bits / 8], &mut out);
        let expected = if encoding.is_text() { case.token.clone().into_bytes() } else { unhex(&case.token) };
        assert_eq!(out, expected, "{case:?}");
    }
}

#[test]
fn all_fields_are_read() {
    let keyring = keyring(&[
        &format!(
            r#"{{"id": "2025.A_b-c", "state": "retired", "created": "2025-01-02T03:04:05.5+01:00", "secret": "{HEX}"}}"#
        ),
        r#"{"id": "peer", "state": "compromised", "scheme": "hmac-sha256", "secret": "text:a secret of 16 b"}"#,
        &named("now", "active"),
    ])
    .unwrap();
    let facts: Vec<_> = keyring.keys().iter().map(|k| (k.id(), k.state(), k.created(), k.scheme())).collect();
    assert_eq!(
        facts,
        [
            ("2025.A_b-c", KeyState::Retired, Some("2025-01-02T03:04:05.5+01:00"), Scheme::Lakeveil),
            ("peer", KeyState::Compromised, None, Scheme::HmacSha256),
            ("now", KeyState::Active, None, Scheme::Lakeveil),
        ]
    );
    assert_eq!(keyring.active().id(), "now");
    assert_eq!(keyring.get("peer").unwrap().fingerprint().to_string(), "91c0ef8efd89f11e");
}

#[test]
fn a_bare_secret_is_one_active_key_default() {
    let fingerprint = |document: &[u8]| {
        let keyring = Keyring::parse(&Secret::new(document.to_vec())).unwrap();
        assert_eq!((keyring.keys().len(), keyring.active().id()), (1, "default"));
        keyring.active().fingerprint().to_string()
    };
    let text = "91c0ef8efd89f11e"; // of "a secret of 16 b", in the vectors
    assert_eq!(fingerprint(b"a secret of 16 b"), text);
    assert_eq!(fingerprint(b"a secret of 16 b\n"), text);
    assert_eq!(fingerprint(b"a secret of 16 b\r\n"), text);
    assert_eq!(fingerprint(b"text:a secret of 16 b\n"), text);
    assert_eq!(fingerprint(b"hex:6120736563726574206f662031362062\n"), text);
    assert_eq!(fingerprint(b"base64:YSBzZWNyZXQgb2YgMTYgYg==\n"), text);
    for other in [&b"a secret of 16 b\n\n"[..], b"a secret of 16 b\r", b" a secret of 16 b", b"a secret of 16 b "] {
        assert_ne!(fingerprint(other), text, "one line break at the end is dropped and nothing else");
    }
}

#[test]
fn white_space_before_a_brace_still_means_a_keyring() {
    let document = format!(r#"{{"version": 1, "keys": [{}]}}"#, named("k", "active"));
    assert_eq!(parse(&format!(" \t\r\n{document}\n")).unwrap().active().id(), "k");
    assert!(matches!(parse(&format!("\u{feff}{document}")), Err(KeyError::ByteOrderMark)));
    for broken in [" {not json, and long enough to be a secret", "{", "{}{}", &format!("{document}x")] {
        assert!(!matches!(parse(broken), Ok(_) | Err(KeyError::Entry { .. })), "{broken}");
    }
}

#[test]
fn fail_bytes_that_are_no_text() {
    let utf16: Vec<u8> = "a secret of 16 b".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let document = Secret::new([vec![0xff, 0xfe], utf16].concat());
    assert!(matches!(Keyring::parse(&document), Err(KeyError::NotUtf8)));
}

#[test]
fn fail_another_version_even_with_unknown_keys() {
    for (version, found) in [(r#""version": 2, "later": {}, "#, Some(2)), (r#""version": null, "#, None), ("", None)] {
        let error = parse(&format!(r#"{{{version}"keys": []}}"#)).unwrap_err();
        assert!(matches!(error, KeyError::Version { found: f } if f == found), "{error}");
    }
}

#[test]
fn fail_unknown_and_repeated_keys_and_wrong_types_telling_where() {
    let good = named("k", "active");
    for (document, line, column) in [
        (format!("{{\"version\": 1,\n \"kyes\": [{good}]}}"), 2, 7),
        (format!("{{\"version\": 1,\n\"keys\": [{good}], \"keys\": []}}"), 2, good.len() + 18),
        ("{\"version\": 1, \"keys\": [\n{\"name\": 1}]}".to_owned(), 2, 7),
        ("{\"version\": 1, \"keys\": [\n{\"id\": 17}]}".to_owned(), 2, 9),
        ("{\"version\": 1, \"keys\": [\n{\"subkeys\": [{\"purpose\": \"p\"}]}]}".to_owned(), 2, 29),
        ("{\"version\": \"1\"}".to_owned(), 1, 15),
    ] {
        match parse(&document).unwrap_err() {
            KeyError::NotKeyring { line: l, column: c } => assert_eq!((l, c), (line, column), "{document}"),
            other => panic!("{other}: {document}"),
        }
    }
    let error = parse("{\"version\": 1,\n\"keys\": [}").unwrap_err();
    assert_eq!(error.to_string(), "the keyring is not JSON: line 2, column 10");
}

#[test]
fn fail_a_set_of_keys_without_exactly_one_active_and_distinct_ids() {
    let (active, other, retired) = (named("a", "active"), named("b", "active"), named("c", "retired"));
    assert!(matches!(keyring(&[]), Err(KeyError::NoneActive { keys: 0 })));
    assert!(matches!(keyring(&[&retired]), Err(KeyError::NoneActive { keys: 1 })));
    let error = keyring(&[&active, &retired, &other]).unwrap_err();
    assert_eq!(error.to_string(), "two keys are active: `a` and `b`");
    let error = keyring(&[&active, &retired, &retired]).unwrap_err();
    assert_eq!(error.to_string(), "two keys have the id `c`");
}

#[test]
fn fail_an_entry_with_wrong_or_missing_fields() {
    let secret = format!(r#""secret": "{HEX}""#);
    let cases = [
        (r#""id": "x", "state": "active""#.to_owned(), EntryProblem::Missing("secret")),
        (format!(r#""id": "x", {secret}"#), EntryProblem::Missing("state")),
        (format!(r#""state": "active", {secret}"#), EntryProblem::Missing("id")),
        (format!(r#""id": "", "state": "active", {secret}"#), EntryProblem::Id),
        (format!(r#""id": "a b", "state": "active", {secret}"#), EntryProblem::Id),
        (format!(r#""id": "{}", "state": "active", {secret}"#, "x".repeat(65)), EntryProblem::Id),
        (format!(r#""id": "x", "state": "Active", {secret}"#), EntryProblem::State),
        (format!(r#""id": "x", "state": "active", "created": "2026-11-22", {secret}"#), EntryProblem::Created),
        (format!(r#""id": "x", "state": "active", "scheme": "md5", {secret}"#), EntryProblem::Scheme),
        (format!(r#""id": "x", "state": "active", "scheme": "lakeveil", {secret}"#), EntryProblem::Scheme),
        (format!(r#""id": "x", "state": "active", "subkeys": [], {secret}"#), EntryProblem::SecretAndSubkeys),
    ];
    for (fields, expected) in cases {
        assert_eq!(problem(keyring(&[&format!("{{{fields}}}")])), expected, "{fields}");
    }
    let error = keyring(&[&named("k", "active"), r#"{"id": "canary ", "state": "active"}"#]).unwrap_err();
    assert!(error.to_string().starts_with("key 2 of the document: the id is not"), "{error}");
    assert_eq!(keyring(&[&named(&"x".repeat(64), "active")]).unwrap().active().id().len(), 64);
}

#[test]
fn select_takes_the_active_key_or_the_one_named_but_no_compromised_one() {
    let keyring = keyring(&[&named("a", "compromised"), &named("b", "retired"), &named("c", "active")]).unwrap();
    assert_eq!(keyring.select(None).unwrap().id(), "c");
    assert_eq!(keyring.select(Some("b")).unwrap().id(), "b");
    assert!(matches!(keyring.select(Some("a")), Err(KeyError::Compromised { .. })));
    assert!(keyring.get("a").is_some(), "a compromised key still reads what it made");
    let error = keyring.select(Some("d")).unwrap_err();
    assert_eq!(error.to_string(), "the keyring has no key `d`; it has `a`, `b`, `c`");
}

#[test]
fn a_key_of_another_scheme_serves_that_scheme_alone() {
    let keyring = entry(&format!(r#""state": "active", "scheme": "hmac-sha256", "secret": "{HEX}""#)).unwrap();
    let key = keyring.active();
    for case in vectors::cases::<vectors::HmacSha256>("hmac_sha256").iter().filter(|case| HEX.ends_with(&case.root_hex))
    {
        let root = key.raw_root_for(Scheme::HmacSha256).unwrap();
        assert_eq!(HmacKey::new(root.expose()).sign(case.canonical_utf8.as_bytes())[..], unhex(&case.hex));
    }
    let error = key.subkey("pseudonym", "users", "", 32).unwrap_err();
    assert_eq!(error.to_string(), "key `k` is for scheme hmac-sha256, and lakeveil was asked of it");
    assert!(matches!(key.raw_root_for(Scheme::Kelora), Err(KeyError::WrongScheme { .. })));

    let own = entry(&format!(r#""state": "active", "secret": "{HEX}""#)).unwrap();
    for scheme in [Scheme::Lakeveil, Scheme::HmacSha256, Scheme::Kelora] {
        assert!(own.active().raw_root_for(scheme).is_err(), "{scheme}");
    }
    assert!(matches!(own.active().subkey("pseudonym", "", "t", 32), Err(KeyError::EmptyDomain { .. })));
}

#[test]
fn a_short_secret_is_a_warning_for_kelora_and_an_error_elsewhere() {
    let short = |scheme: &str| entry(&format!(r#""state": "active", {scheme} "secret": "text:kelora 2""#));
    let keyring = short(r#""scheme": "kelora","#).unwrap();
    assert_eq!(keyring.active().raw_root_for(Scheme::Kelora).unwrap().expose(), b"kelora 2");
    assert!(keyring.active().warning().unwrap().contains("8 bytes"));
    for scheme in ["", r#""scheme": "hmac-sha256","#] {
        let expected = EntryProblem::Secret(SecretProblem::TooShort { bytes: 8, min: 16 });
        assert_eq!(problem(short(scheme)), expected);
    }
    assert_eq!(entry(&format!(r#""state": "active", "secret": "{HEX}""#)).unwrap().active().warning(), None);
}

#[test]
fn exported_subkeys_serve_their_exact_use_and_nothing_else() {
    let root = Secret::new(unhex(&HEX[4..]));
    let exported = subkey(&root, "pseudonym", "users", "t1", 32);
    let hex = format!("hex:{}", data_encoding::HEXLOWER.encode(exported.expose()));
    let print = fingerprint(&root).to_string();
    let keyring = partner(&[
        subkey_entry("pseudonym", "users", "t1", &hex, &print),
        subkey_entry("pseudonym", "users", "", HEX, &print),
    ])
    .unwrap();
    let key = keyring.active();
    assert_eq!(key.subkey("pseudonym", "users", "t1", 32).unwrap().expose(), exported.expose());
    assert_eq!(key.fingerprint(), fingerprint(&root));
    for (purpose, domain, tenant) in
        [("encrypt", "users", "t1"), ("pseudonym", "canary", "t1"), ("pseudonym", "users", "canary")]
    {
        let error = key.subkey(purpose, domain, tenant, 32).unwrap_err();
        assert!(matches!(&error, KeyError::NotServed { subkeys: 2, .. }), "{error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    let error = key.subkey("pseudonym", "users", "t1", 64).unwrap_err();
    assert!(matches!(error, KeyError::SubkeyLength { found: 32, wanted: 64, .. }), "{error}");
    assert!(matches!(key.raw_root_for(Scheme::Lakeveil), Err(KeyError::NoRoot { .. })));
}

#[test]
fn fail_exported_subkeys_that_do_not_fit_together() {
    let (one, two) = ("018d4ff62958e109", "226795dc09cf5eb0");
    let good = subkey_entry("pseudonym", "users", "", HEX, one);
    assert_eq!(problem(partner(&[])), EntryProblem::NoSubkeys);
    assert_eq!(problem(partner(&[good.clone(), good.clone()])), EntryProblem::DuplicateSubkey);
    assert_eq!(problem(partner(&[subkey_entry("", "users", "", HEX, one)])), EntryProblem::SubkeyEmpty("purpose"));
    assert_eq!(problem(partner(&[subkey_entry("path", "", "", HEX, one)])), EntryProblem::SubkeyEmpty("domain"));
    assert_eq!(problem(partner(&[subkey_entry("path", "d", "", HEX, "018D")])), EntryProblem::RootFingerprint);
    let other = subkey_entry("path", "d", "", HEX, two);
    assert_eq!(problem(partner(&[good.clone(), other])), EntryProblem::DifferentRoots);
    let scheme = entry(&format!(r#""state": "active", "scheme": "kelora", "subkeys": [{good}]"#));
    assert_eq!(problem(scheme), EntryProblem::SchemeAndSubkeys);
}

/// Every way in which a document can be wrong, with a canary wherever it has room for one.
#[test]
fn no_error_and_no_debug_output_repeats_content() {
    let canary = "canary0123456789abcd";
    let subkey = |field: &str| {
        let mut entry = subkey_entry("pseudonym", "users", "t", HEX, "018d4ff62958e109");
        entry.insert_str(1, field);
        partner(&[entry])
    };
    let bad = [
        parse(&format!("hex:{canary}!")),
        parse(&format!("base64:{canary}!")),
        parse(&format!("{{{canary}")),
        parse(&format!(r#"{{"version": "{canary}"}}"#)),
        parse(&format!(r#"{{"version": 1, "{canary}": 1}}"#)),
        keyring(&[&format!(r#"{{"{canary}": 1}}"#)]),
        keyring(&[&format!(r#""{canary}""#)]),
        keyring(&[&format!(r#"{{"id": "{canary} "}}"#)]),
        entry(&format!(r#""state": "{canary}""#)),
        entry(&format!(r#""state": "active", "created": "{canary}""#)),
        entry(&format!(r#""state": "active", "scheme": "{canary}""#)),
        entry(&format!(r#""state": "active", "secret": "{canary}""#)),
        entry(&format!(r#""state": "active", "secret": "hex:{canary}""#)),
        entry(&format!(r#""state": "active", "secret": "base64:{canary}!""#)),
        entry(&format!(r#""state": "active", "secret": "text:{}""#, &canary[..12])),
        entry(&format!(r#""state": "active", "secret": ["{canary}"]"#)),
        subkey(&format!(r#""{canary}": 1, "#)),
    ];
    for result in bad {
        let error = result.unwrap_err();
        let text = format!("{error} {error:?} {error:#?} {}", error.hint());
        assert!(!text.contains("canary"), "{text}");
    }
    let good = [
        parse(canary),
        entry(&format!(r#""state": "active", "secret": "text:{canary}""#)),
        partner(&[subkey_entry("pseudonym", "users", "t", &format!("text:{canary}"), "018d4ff62958e109")]),
    ];
    for keyring in good {
        let text = format!("{:?} {:#?}", keyring.as_ref().unwrap(), keyring.as_ref().unwrap());
        assert!(!text.contains("canary") && text.contains("[20 bytes redacted]"), "{text}");
    }
}
