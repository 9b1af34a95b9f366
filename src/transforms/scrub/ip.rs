//! IP addresses.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::groups::{Before, is_digit, is_word};

/// The end of the IPv4 address that begins at `start`: four octets, none with a leading zero, no fifth.
pub(super) fn v4_end(bytes: &[u8], start: usize, before: Before) -> Option<usize> {
    if matches!(before, Before::Letter | Before::Decimal) {
        return None;
    }
    let mut at = start;
    for octet in 0..4 {
        if octet > 0 {
            if bytes.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
        let len = bytes[at..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let value = bytes[at..at + len].iter().fold(0, |value, byte| value * 10 + u32::from(byte - b'0'));
        if !(1..=3).contains(&len) || value > 255 || (len > 1 && bytes[at] == b'0') {
            return None;
        }
        at += len;
    }
    let goes_on = is_word(bytes.get(at)) || (bytes.get(at) == Some(&b'.') && is_digit(bytes.get(at + 1)));
    (!goes_on).then_some(at)
}

/// Longest text of an IPv6 address: six groups and an IPv4 address.
const V6_LONGEST: usize = 45;

/// What the colon at `colon` belongs to: the address if there is one, and where to look for the next.
///
/// - Eight groups, or fewer with `::` and at least one decimal digit, so that `std::fmt` and `a::b` are none.
/// - Neither the time `12:30:45` nor a MAC address is one.
pub(super) fn v6(text: &str, colon: usize) -> (Option<Range<usize>>, usize) {
    let bytes = text.as_bytes();
    let is_double = bytes.get(colon + 1) == Some(&b':');
    let hex = bytes[..colon].iter().rev().take(5).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let word = colon.checked_sub(hex + 1).and_then(|at| bytes.get(at));
    let start = match (hex, is_word(word)) {
        (1..=4, false) => colon - hex,
        (0, false) if is_double => colon,
        // behind a word and one colon, as in `host:2001:db8::1`
        _ if !is_double => colon + 1,
        _ => return (None, colon + 2),
    };
    let is_of_address = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let end = start + bytes[start..].iter().take_while(|byte| is_of_address(byte)).count();
    let next = end.max(colon + 1);
    let token = &text[start..end];
    let token = match is_word(bytes.get(end)).then(|| token.rfind('.')) {
        None => token,
        // a word behind a full stop
        Some(Some(stop)) => &token[..stop],
        Some(None) => return (None, next),
    };
    // what a sentence puts behind an address
    let token = token.trim_end_matches('.');
    let token = if token.ends_with(':') && !token.ends_with("::") { &token[..token.len() - 1] } else { token };
    let address =
        is_v6(token).then_some(token).or_else(|| token.split_once('.').map(|(head, _)| head).filter(|h| is_v6(h)));
    (address.map(|address| start..start + address.len()), next)
}

fn is_v6(token: &str) -> bool {
    token.len() <= V6_LONGEST
        && token.len() > 2
        && token.parse::<Ipv6Addr>().is_ok()
        && (!token.contains("::") || token.bytes().any(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(text: &str) -> Vec<&str> {
        let bytes = text.as_bytes();
        let runs = (0..bytes.len()).filter(|&at| is_digit(bytes.get(at)) && (at == 0 || !is_digit(bytes.get(at - 1))));
        runs.filter_map(|at| v4_end(bytes, at, Before::of(bytes, at)).map(|end| &text[at..end])).collect()
    }

    fn all_v6(text: &str) -> Vec<&str> {
        let mut until = 0;
        let mut found = Vec::new();
        for (colon, _) in text.match_indices(':') {
            if colon >= until {
                let (address, next) = v6(text, colon);
                found.extend(address.map(|range| &text[range]));
                until = next;
            }
        }
        found
    }

    #[test]
    fn four_octets_are_an_address_and_no_other_dotted_number_is() {
        for (text, address) in [
            ("from 192.0.2.1.", "192.0.2.1"),
            ("192.0.2.1:8080", "192.0.2.1"),
            ("http://192.0.2.1/x", "192.0.2.1"),
            ("[192.0.2.1]", "192.0.2.1"),
            ("192.0.2.0/24", "192.0.2.0"),
            ("255.255.255.255", "255.255.255.255"),
            ("0.0.0.0", "0.0.0.0"),
        ] {
            assert_eq!(v4(text), [address], "{text}");
        }
        for text in [
            "1.2.3.4.5",
            "v1.2.3.4",
            "1.2.3",
            "256.1.1.1",
            "01.2.3.4",
            "1.2.3.04",
            "1.2.3.4a",
            "1..2.3.4",
            "1.2.3.1234",
            "3.14159",
            "12.05.2024",
        ] {
            assert_eq!(v4(text), [""; 0], "{text}");
        }
    }

    /// The forms of RFC 4291 section 2.2, among what has colons and is none.
    #[test]
    fn groups_of_hexadecimal_digits_are_an_address_and_times_are_not() {
        for (text, address) in [
            ("ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "ABCD:EF01:2345:6789:ABCD:EF01:2345:6789"),
            ("(2001:DB8:0:0:8:800:200C:417A)", "2001:DB8:0:0:8:800:200C:417A"),
            ("to ::1, please", "::1"),
            ("::FFFF:129.144.52.38.", "::FFFF:129.144.52.38"),
            ("http://[2001:db8::1]:80/", "2001:db8::1"),
            ("host:2001:db8::1", "2001:db8::1"),
            ("addr=fe80::1%eth0", "fe80::1"),
            ("2001:db8::1. Next", "2001:db8::1"),
            ("2001:db8::1.Next", "2001:db8::1"),
            ("seen 2001:db8::1: ok", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8::"),
            ("12:30:45 2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(all_v6(text), [address], "{text}");
        }
        for text in [
            "12:30:45",
            "12:30",
            "::",
            "std::fmt",
            "a::b",
            "Foo::Bar",
            "dead:beef",
            "00:1a:2b:3c:4d:5e",
            "x:::1",
            ":",
            ":::",
            "1:2:3:4:5:6:7:8:9",
            "note: the 12",
            "12345::1",
            "::1g",
            "2001:db8::g",
            "node::1",
        ] {
            assert_eq!(all_v6(text), [""; 0], "{text}");
        }
    }
}
