//! What `scrub` and `ip` do in the examples.

use std::net::IpAddr;

use serde_json::Value;

use super::{Made, pairs, source};

/// The counts that the report gives for a column.
fn found<'a>(made: &'a Made, column: &str) -> &'a Value {
    let columns = made.report["columns"].as_array().expect("columns");
    &columns.iter().find(|found| found["name"] == column).expect("is there")["found"]
}

/// How often a word stands in a column's values.
fn count(values: &[Option<String>], word: &str) -> usize {
    values.iter().flatten().map(|value| value.matches(word).count()).sum()
}

#[test]
fn the_report_counts_what_was_found_in_messages() {
    let made = Made::by("logs");
    let (before, after) = (source("logs"), made.rows("logs"));
    let raw = &before["message"];
    // the words that stand beside each kind in the messages of the lake
    let expected = [
        ("email", count(raw, "@"), 20),
        ("ip", count(raw, " from "), 10),
        ("phone", count(raw, "+44 7700 900"), 10),
        ("card", count(raw, "card "), 10),
        ("jwt", count(raw, "bearer "), 10),
        ("order", count(raw, "ORD-"), 20),
        ("api_key", 0, 0),
    ];
    for (kind, times, least) in expected {
        assert_eq!(found(&made, "message")[kind], times, "{kind}");
        assert!(times >= least, "{kind}: {times}");
    }
    let text = &after["message"];
    for (label, kind) in [("<IP>", "ip"), ("<PHONE>", "phone"), ("<JWT>", "jwt"), ("<ORDER>", "order")] {
        assert_eq!(found(&made, "message")[kind], count(text, label), "{label}");
    }
    assert_eq!(count(text, "**** declined"), count(raw, " declined"));
    let untouched: Vec<_> = pairs(raw, text).into_iter().filter(|(raw, _)| raw.starts_with("rendered in")).collect();
    assert!(untouched.len() > 10 && untouched.iter().all(|(raw, made)| raw == made), "the rest is as it was");
}

#[test]
fn the_report_counts_what_was_found_in_notes() {
    let made = Made::by("health-research");
    let (before, after) = (source("health-research"), made.rows("health-research"));
    let raw = &before["notes"];
    let phones = count(raw, "+1 202-555-01") + count(raw, "(202) 555-01");
    for (kind, times) in [("email", count(raw, "@")), ("phone", phones), ("record", count(raw, "P-0"))] {
        assert_eq!(found(&made, "notes")[kind], times, "{kind}");
        assert_eq!(count(&after["notes"], &format!("<{}>", kind.to_uppercase())), times, "{kind}");
        assert!(times > 20, "{kind}: {times}");
    }
}

/// An address, without its port; IPv4 in its IPv6 form is IPv4.
fn address(text: &str) -> IpAddr {
    let host = match text.strip_prefix('[') {
        Some(rest) => rest.split(']').next().expect("a bracket"),
        None if text.matches(':').count() == 1 => text.split(':').next().expect("a colon"),
        None => text,
    };
    host.parse::<IpAddr>().expect("an address").to_canonical()
}

/// How many leading bits two addresses of one family have in common.
fn common(one: IpAddr, other: IpAddr) -> Option<u32> {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => Some((one.to_bits() ^ other.to_bits()).leading_zeros()),
        (IpAddr::V6(one), IpAddr::V6(other)) => Some((one.to_bits() ^ other.to_bits()).leading_zeros()),
        _ => None,
    }
}

#[test]
fn addresses_share_as_many_leading_bits_as_before() {
    let (before, after) = (source("logs"), Made::by("logs").rows("logs"));
    let addresses: Vec<(IpAddr, IpAddr)> = pairs(&before["client_ip"], &after["client_ip"])
        .into_iter()
        .map(|(raw, made)| (address(raw), made.parse().expect("an address")))
        .collect();
    let (mut v4, mut v6) = (0, 0);
    for (at, (raw, made)) in addresses.iter().enumerate() {
        assert_ne!(raw, made);
        for (other_raw, other_made) in &addresses[..at] {
            let bits = common(*raw, *other_raw);
            assert_eq!(bits, common(*made, *other_made));
            v4 += usize::from(raw.is_ipv4() && bits.is_some_and(|bits| (24..32).contains(&bits)));
            v6 += usize::from(raw.is_ipv6() && bits.is_some_and(|bits| (48..128).contains(&bits)));
        }
    }
    assert!(v4 > 500 && v6 > 500, "pairs of one /24: {v4}, of one /48: {v6}");
}

#[test]
fn truncated_addresses_are_the_networks_of_their_sources() {
    let cut = |policy: &str, column: &str, v4: u32, v6: u32| {
        let (before, after) = (source(policy), Made::by(policy).rows(policy));
        let values = pairs(&before[column], &after[column]);
        assert!(values.len() > 50, "{policy}: {}", values.len());
        for (raw, made) in values {
            let expected: IpAddr = match address(raw) {
                IpAddr::V4(raw) => std::net::Ipv4Addr::from_bits(raw.to_bits() >> (32 - v4) << (32 - v4)).into(),
                IpAddr::V6(raw) => std::net::Ipv6Addr::from_bits(raw.to_bits() >> (128 - v6) << (128 - v6)).into(),
            };
            assert_eq!(made, expected.to_string(), "{policy}: {column}");
        }
    };
    cut("analytics", "last_ip", 24, 48);
    cut("logs", "via_ip", 16, 48);
    cut("kelora", "client_ip", 24, 112);
}
