use arrow::array::{AsArray, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, LargeBinaryArray};
use arrow::compute::cast;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::crypto::vectors::{cases_of, unhex};
use crate::transforms::cell::Cell;
use crate::transforms::family::{Built, build};
use crate::transforms::spec::TransformSpec;
use crate::transforms::testing::{any_keys, apply, built, cell, companion, keys, one, shown, texts};

#[derive(Debug, Deserialize)]
struct Text {
    #[serde(flatten)]
    options: Options,
    input: String,
    output: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Bytes {
    #[serde(flatten)]
    options: Options,
    input_hex: String,
    output_hex: String,
}

#[derive(Debug, Deserialize)]
struct Options {
    root_hex: Option<String>,
    domain: Option<String>,
    tenant: Option<String>,
    v4: Option<u8>,
    v6: Option<u8>,
    zone: Option<String>,
    port: Option<String>,
}

impl Options {
    /// The transform, and the companion values of a row.
    fn built(&self) -> (Built, Vec<&str>) {
        let mut spec = json!({ "zone": self.zone, "port": self.port });
        let tenant = self.tenant.as_deref().filter(|tenant| !tenant.is_empty());
        match &self.domain {
            None => spec["truncate"] = json!({ "v4": self.v4, "v6": self.v6 }),
            Some(domain) => {
                spec["prefix_preserving"] =
                    json!({ "domain": domain, "tenant": tenant.map(|_| json!({ "column": "tenant" })) });
            }
        }
        let keys = self.root_hex.as_ref().map_or_else(any_keys, |root| keys(root));
        (built(json!({ "ip": spec }), &keys).unwrap(), tenant.into_iter().collect())
    }
}

fn fixed(values: &[&[u8]]) -> ArrayRef {
    Arc::new(FixedSizeBinaryArray::try_from_iter(values.iter()).unwrap())
}

#[test]
fn texts_meet_the_known_answers() {
    for name in ["encrypted", "truncated"] {
        for case in cases_of::<Text>("ip-v1.json", name) {
            let (built, companions) = case.options.built();
            assert_eq!(one(&built, &case.input, &companions), case.output, "{case:?}");
        }
    }
}

#[test]
fn bytes_meet_the_known_answers_and_keep_their_length_and_type() {
    for name in ["encrypted_bytes", "truncated_bytes"] {
        for case in cases_of::<Bytes>("ip-v1.json", name) {
            let (built, companions) = case.options.built();
            let companions: Vec<BinaryArray> = companions.iter().map(|value| companion([Some(value)])).collect();
            let cell = Cell { transform: built.transform, ..cell(json!({ "nullify": {} })) };
            let input = unhex(&case.input_hex);
            let arrays: [ArrayRef; 4] = [
                fixed(&[&input]),
                Arc::new(BinaryArray::from_iter_values([&input])),
                Arc::new(LargeBinaryArray::from_iter_values([&input])),
                Arc::new(BinaryViewArray::from_iter_values([&input])),
            ];
            for array in arrays {
                let (made, _) = apply(&cell, &array, &companions);
                assert_eq!(made.data_type(), array.data_type());
                let made = cast(&made, &DataType::Binary).unwrap();
                assert_eq!(made.as_binary::<i32>().value(0), unhex(&case.output_hex), "{case:?}");
            }
        }
    }
}

#[test]
fn fail_bytes_of_other_lengths() {
    let cell = cell(json!({ "ip": { "truncate": {} } }));
    for bad in cases_of::<String>("ip-v1.json", "refused_bytes_hex") {
        let array: ArrayRef = Arc::new(BinaryArray::from_iter_values([unhex(&bad), vec![192, 0, 2, 1]]));
        let (made, tally) = apply(&cell, &array, &[]);
        assert_eq!((made.is_null(0), made.as_binary::<i32>().value(1), tally.failed), (true, &[192, 0, 2, 0][..], 1));
    }
}

#[test]
fn counts_give_what_kelora_gives() {
    #[derive(Debug, Deserialize)]
    struct Counted {
        count: u8,
        input: String,
        output: String,
    }
    for case in cases_of::<Counted>("ip-v1.json", "counted") {
        let spec = json!({ "ip": { "truncate": { "octets": case.count.min(4), "hextets": case.count } } });
        let built = built(spec, &any_keys()).unwrap();
        assert_eq!(one(&built, &case.input, &[]).as_ref(), Some(&case.output), "{case:?}");
    }
}

#[test]
fn text_and_bytes_of_one_address_agree() {
    let cell = cell(json!({ "ip": { "prefix_preserving": { "domain": "logs" } } }));
    for text in ["192.0.2.1", "2001:db8::1"] {
        let address: IpAddr = text.parse().unwrap();
        let octets = match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        let (made, _) = apply(&cell, &fixed(&[&octets]), &[]);
        let made = made.as_fixed_size_binary().value(0);
        let made = match address {
            IpAddr::V4(_) => IpAddr::from(<[u8; 4]>::try_from(made).unwrap()),
            IpAddr::V6(_) => IpAddr::from(<[u8; 16]>::try_from(made).unwrap()),
        };
        assert_eq!(shown(&apply(&cell, &texts([Some(text)]), &[]).0), [Some(made.to_string())]);
    }
}

#[test]
fn encryption_is_undone_by_its_inverse_and_truncation_by_nothing() {
    let options = json!({ "prefix_preserving": { "domain": "logs" }, "port": "keep" });
    let cell = cell(json!({ "ip": options }));
    let spec: IpSpec = serde_json::from_value(options).unwrap();
    let keys = any_keys();
    let transform = spec.build_inverse(&mut Context::new(Some(&keys))).unwrap();
    let inverse = Cell { transform: transform.into(), ..self::cell(json!({ "nullify": {} })) };
    let addresses = [Some("192.0.2.1"), None, Some("[2001:db8::1]:443"), Some("::"), Some("255.255.255.255:0")];
    let (made, _) = apply(&cell, &texts(addresses), &[]);
    let (back, tally) = apply(&inverse, &made, &[]);
    assert_eq!((shown(&back), tally.failed), (addresses.map(|text| text.map(str::to_owned)).to_vec(), 0));

    let spec: IpSpec = serde_json::from_value(json!({ "truncate": {} })).unwrap();
    assert!(matches!(spec.build_inverse(&mut Context::new(Some(&keys))), Err(BuildError::Options(_))));
}

#[test]
fn each_row_has_the_key_of_its_tenant_and_one_without_fails_alone() {
    let spec = json!({ "ip": { "prefix_preserving": { "domain": "logs", "tenant": { "column": "tenant" } } } });
    let tenants = [Some("a"), Some("b"), None, Some(""), Some("a"), Some("a")];
    let addresses =
        [Some("192.0.2.1"), Some("192.0.2.1"), Some("192.0.2.1"), Some("192.0.2.1"), None, Some("192.0.2.1")];
    let (made, tally) = apply(&cell(spec.clone()), &texts(addresses), &[companion(tenants)]);
    let alone = |tenant| one(&built(spec.clone(), &any_keys()).unwrap(), "192.0.2.1", &[tenant]);
    assert_ne!(alone("a"), alone("b"));
    assert_eq!(shown(&made), [alone("a"), alone("b"), None, None, None, alone("a")]);
    assert_eq!(tally.failed, 2);
}

#[test]
fn other_types_are_refused_with_a_reason() {
    let cell = cell(json!({ "ip": { "truncate": {} } }));
    use DataType::*;
    for refused in [UInt32, Int64, UInt64, Boolean, Float64, Date32, Decimal128(10, 0), FixedSizeBinary(8)] {
        let reason = cell.output_type(&refused).unwrap_err();
        assert!(reason.contains("an address is text, or 4 or 16 bytes of binary"), "{refused}: {reason}");
    }
    for taken in [Utf8, LargeUtf8, Utf8View, Binary, LargeBinary, BinaryView, FixedSizeBinary(4), FixedSizeBinary(16)] {
        assert_eq!(cell.output_type(&taken), Ok(taken.clone()));
    }
}

#[test]
fn faults_name_the_option() {
    let paths = |spec: Value| {
        let faults = serde_json::from_value::<IpSpec>(spec).unwrap().faults();
        faults.into_iter().map(|fault| (fault.path.join("."), fault.kind)).collect::<Vec<_>>()
    };
    let encrypted = json!({ "domain": "logs" });
    assert_eq!(paths(json!({ "truncate": {} })), []);
    assert_eq!(paths(json!({ "prefix_preserving": encrypted, "zone": "drop", "port": "keep" })), []);
    assert_eq!(paths(json!({})), [(String::new(), FaultKind::Missing)]);
    let both = paths(json!({ "truncate": {}, "prefix_preserving": encrypted }));
    assert_eq!(both, [("truncate".to_owned(), FaultKind::Value)]);
    assert_eq!(paths(json!({ "truncate": { "v4": 33 } })), [("truncate.v4".to_owned(), FaultKind::Value)]);
    let no_domain = paths(json!({ "prefix_preserving": { "domain": "" } }));
    assert_eq!(no_domain, [("prefix_preserving.domain".to_owned(), FaultKind::Domain)]);
    let no_tenant = paths(json!({ "prefix_preserving": { "domain": "d", "tenant": { "column": "" } } }));
    assert_eq!(no_tenant, [("prefix_preserving.tenant.column".to_owned(), FaultKind::Value)]);
    for bad in [json!({ "truncate": { "v5": 1 } }), json!({ "zone": "keep" }), json!({ "port": "hide" })] {
        assert!(serde_json::from_value::<IpSpec>(bad.clone()).is_err(), "{bad}");
    }
}

#[test]
fn facts_tell_a_key_apart_from_none() {
    let spec = |spec: Value| serde_json::from_value::<IpSpec>(spec).unwrap();
    let encrypted = spec(json!({ "prefix_preserving": { "domain": "logs" } }));
    assert_eq!(encrypted.facts(), Facts { reversible: true, ..Facts::keyed("logs") });
    let truncated = spec(json!({ "truncate": { "octets": 2 } }));
    assert_eq!(truncated.facts(), Facts::COARSE);
    assert_eq!(truncated.resolved(), [("truncate", json!({ "v4": 16, "v6": 48 }))]);
    let policy: TransformSpec = serde_json::from_value(json!({ "ip": { "truncate": {} } })).unwrap();
    assert!(build(&policy, None).is_ok(), "no key is needed");
}

/// Texts that look like addresses, and some that are.
fn near_addresses() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<IpAddr>().prop_map(|address| address.to_string()),
        any::<std::net::SocketAddr>().prop_map(|address| address.to_string()),
        "[0-9a-fA-F:.%/\\[\\] ]{0,48}",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn what_is_no_address_never_passes_and_no_reason_tells_of_it(
        text in near_addresses(),
        zone in any::<bool>(),
        port in proptest::option::of(any::<bool>()),
        truncate in any::<bool>(),
    ) {
        let mut spec = json!({});
        spec[if truncate { "truncate" } else { "prefix_preserving" }] =
            if truncate { json!({ "v4": 0, "v6": 0 }) } else { json!({ "domain": "logs" }) };
        zone.then(|| spec["zone"] = json!("drop"));
        port.inspect(|&keep| spec["port"] = json!(if keep { "keep" } else { "drop" }));
        let built = built(json!({ "ip": spec }), &any_keys()).unwrap();
        let (array, canonical) = (texts([Some(&text)]), companion([Some(&text)]));
        let made = built.transform.apply(&Values { array: &array, canonical: &canonical, companions: &[] }).unwrap();
        match shown(&made.array).remove(0) {
            // all that is left of an address is its family, and a port that is kept
            Some(made) if truncate => {
                let port = text.trim().rsplit_once(':').map_or("", |(_, port)| port);
                let kept = [format!("0.0.0.0:{port}"), format!("[::]:{port}")];
                prop_assert!(made == "0.0.0.0" || made == "::" || kept.contains(&made), "{:?}", made);
            }
            Some(made) => {
                let is_address = made.parse::<IpAddr>().is_ok() || made.parse::<std::net::SocketAddr>().is_ok();
                prop_assert!(is_address, "{:?}", made);
            }
            None => {
                let reason = made.failures.iter().next().unwrap().reason.clone();
                prop_assert!(text.trim().len() < 2 || !reason.contains(text.trim()), "{:?}", reason);
                prop_assert!(matches!(reason, Reason::Borrowed(_)), "made of nothing but our own words");
            }
        }
    }
}

#[test]
fn a_value_of_a_mebibyte_fails() {
    let cell = cell(json!({ "ip": { "truncate": {}, "zone": "drop", "port": "keep" } }));
    let long = [
        "1".repeat(1 << 20),
        ":".repeat(1 << 20),
        format!("fe80::1%{}", "\u{301}".repeat(1 << 19)),
        "[".repeat(1 << 20),
    ];
    let (made, tally) = apply(&cell, &texts(long.iter().map(Some)), &[]);
    assert_eq!((made.null_count(), tally.failed), (4, 4));
}
