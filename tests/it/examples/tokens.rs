//! Tokens of the examples, recomputed here or known from elsewhere.

use std::collections::BTreeMap;
use std::fs;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use lakeveil::crypto::SivKey;
use serde_json::Value;
use sha2::Sha256;

use super::{DEMO, Made, pairs, source};
use crate::support::{root, table};

/// TOKENS.md section 1, of the demo key.
pub(super) fn subkey(purpose: &str, domain: &str, tenant: &str, len: usize) -> Vec<u8> {
    let mut info = Vec::new();
    for part in [purpose, domain, tenant] {
        info.extend_from_slice(&(part.len() as u32).to_be_bytes());
        info.extend_from_slice(part.as_bytes());
    }
    let mut key = vec![0; len];
    Hkdf::<Sha256>::new(Some(b"lakeveil.v1"), DEMO.as_bytes()).expand(&info, &mut key).expect("a short key");
    key
}

/// TOKENS.md section 3: 128 bits in hex.
fn pseudonym(domain: &str, value: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&subkey("pseudonym", domain, "", 32)).expect("any length");
    mac.update(value.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()[..16])
}

#[test]
fn pseudonyms_are_those_of_the_demo_key() {
    let columns = [
        ("quickstart", "customer_id", "customer_id", "customers"),
        ("events", "user_id", "user_id", "customers"),
        ("payments", "merchant_id", "merchant_id", "merchants"),
        ("health-research", "patient_id", "patient_id", "study-7"),
        ("health-research", "stay_id", "stay_id", "study-7-stays"),
    ];
    for (policy, input, name, domain) in columns {
        let (before, after) = (source(policy), Made::by(policy).rows(policy));
        for (raw, made) in pairs(&before[input], &after[name]) {
            assert_eq!(made, pseudonym(domain, raw), "{policy}: {name}");
        }
    }
}

#[test]
fn a_mail_address_is_a_token_at_its_registrable_domain() {
    let (before, after) = (source("analytics"), Made::by("analytics").rows("analytics"));
    let mut hosts = std::collections::BTreeSet::new();
    for (raw, made) in before["email"].iter().zip(&after["email"]) {
        let (Some(raw), Some(made)) = (raw.as_deref().filter(|raw| !raw.is_empty()), made) else {
            assert_eq!(made, &None);
            continue;
        };
        let raw = raw.trim().to_lowercase();
        let (local, host) = raw.rsplit_once('@').expect("an address");
        let expected = match host {
            "mail.example.com" => "example.com",
            "bücher.example" => "xn--bcher-kva.example",
            other => other,
        };
        assert_eq!(*made, format!("{}@{expected}", pseudonym("account-mails", local)));
        hosts.insert(expected.to_owned());
    }
    assert_eq!(hosts.len(), 5, "{hosts:?}");
}

#[test]
fn kelora_tokens_are_those_that_kelora_makes() {
    let vectors = fs::read_to_string(root().join("testdata/vectors/kelora-2.2.1.json")).expect("is there");
    let vectors: Value = serde_json::from_str(&vectors).expect("is JSON");
    let known: BTreeMap<&str, &str> = vectors["pseudonym"]
        .as_array()
        .expect("answers")
        .iter()
        .filter(|answer| answer["domain"] == "users")
        .map(|answer| (answer["value"].as_str().expect("a value"), answer["token"].as_str().expect("a token")))
        .collect();
    let made = Made::by("kelora").rows("kelora");
    let (before, tokens) = (&source("kelora")["user_id"], &made["user_id"]);
    let mut met = BTreeMap::new();
    for (raw, token) in before.iter().zip(tokens) {
        // the reading of CSV here does not tell null from the empty text: only the latter has a token
        let raw = raw.as_deref().unwrap_or("");
        match (known.get(raw), token) {
            (Some(known), Some(token)) => {
                assert_eq!(token, known);
                *met.entry(raw).or_insert(0) += 1;
            }
            (Some(_), None) => assert_eq!(raw, ""),
            (None, token) => assert!(token.as_ref().is_some_and(|token| token.len() == 24)),
        }
    }
    assert_eq!(met.len(), 7, "all of the known answers in this domain, the empty one included");
    assert_eq!(met[""], 2);
}

#[test]
fn a_partners_reference_leads_back_to_its_customer() {
    let made = Made::by("partner-export").rows("partner-export");
    let customers = source("partner-export");
    let tenant_of: BTreeMap<&str, &str> =
        pairs(&customers["customer_id"], &customers["tenant_id"]).into_iter().collect();
    let keys = ["acme", "globex", "initech"]
        .map(|tenant| (tenant, SivKey::new(&subkey("encrypt", "partner-export", tenant, 64)).expect("64 bytes")));
    let mut led = 0;
    for token in made["partner_ref"].iter().flatten() {
        let bytes = data_encoding::BASE64URL_NOPAD.decode(token.as_bytes()).expect("base64url");
        let mut plain = Vec::new();
        // one key opens it, that of the customer's tenant
        let opens: Vec<&str> = keys
            .iter()
            .filter(|(_, key)| {
                let mut tried = Vec::new();
                let opened = key.decrypt(&bytes, &mut tried).is_ok();
                if opened {
                    plain = tried;
                }
                opened
            })
            .map(|(tenant, _)| *tenant)
            .collect();
        let customer = String::from_utf8(plain).expect("UTF-8");
        assert_eq!(opens, [tenant_of[customer.as_str()]]);
        led += 1;
    }
    assert!(led > 50, "{led}");
}

#[test]
fn a_partner_gets_the_rows_of_one_country_under_hashed_names() {
    let made = Made::by("partner-export");
    let customers = source("partner-export");
    let rows = made.rows("partner-export")["partner_ref"].len();
    let of = |row: usize| customers["country"][row].as_deref() == Some("PL");
    // the reading of CSV here does not tell null from the empty text, of which the policy takes the latter
    let with_mail = (0..600).filter(|row| of(*row) && customers["email"][*row].is_some()).count();
    let all = (0..600).filter(|row| of(*row)).count();
    assert!((with_mail..=all).contains(&rows), "{rows}");
    for path in super::objects(&made.out.path().join("partner-export")) {
        let stem = path.strip_suffix(".csv").expect("CSV");
        assert!(stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}");
        assert_eq!(table(&made.out.path().join("partner-export").join(&path)).len(), 3, "three columns");
    }
}
