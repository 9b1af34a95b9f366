//! The first bits of an address, the others zero.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::transforms::family::{Fault, FaultKind};

/// Keeps the first bits of an address and sets the others to zero.
///
/// Formula: address AND (ones in the first `v4` or `v6` bits). `octets` and `hextets` count from the other end, as
/// kelora's `mask_ip(n)` does: `{ octets: 1, hextets: 1 }` gives what `mask_ip(1)` gives for every address but
/// `::ffff:a.b.c.d`, which is IPv4 here.
/// Deterministic, unkeyed, not reversible; the network stays visible, and the whole address with 32 and 128 bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TruncateSpec {
    /// Bits of an IPv4 address that stay, 0 to 32; 24 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 32))]
    pub v4: Option<u8>,
    /// Bits of an IPv6 address that stay, 0 to 128; 48 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 128))]
    pub v6: Option<u8>,
    /// In place of `v4`: how many of the last numbers of an IPv4 address become zero, 1 to 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4))]
    pub octets: Option<u8>,
    /// In place of `v6`: how many of the last groups of an IPv6 address become zero, 1 to 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 8))]
    pub hextets: Option<u8>,
}

impl TruncateSpec {
    /// Bits of an IPv4 address that stay where a policy names none: a network as small as is routed.
    pub const DEFAULT_V4: u8 = 24;
    /// Bits of an IPv6 address that stay where a policy names none: a site.
    pub const DEFAULT_V6: u8 = 48;

    /// What is wrong with the options.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let ranges = [
            ("v4", self.v4, 0..=32, "bits of an IPv4 address"),
            ("v6", self.v6, 0..=128, "bits of an IPv6 address"),
            ("octets", self.octets, 1..=4, "numbers of an IPv4 address"),
            ("hextets", self.hextets, 1..=8, "groups of an IPv6 address"),
        ];
        let mut faults: Vec<Fault> = ranges
            .into_iter()
            .filter_map(|(option, value, range, what)| {
                let value = value.filter(|value| !range.contains(value))?;
                let message = format!("{what} are from {} to {}, found {value}", range.start(), range.end());
                Some(Fault::of(FaultKind::Value, option, message))
            })
            .collect();
        for (bits, both, count) in
            [("v4", self.v4.and(self.octets), "octets"), ("v6", self.v6.and(self.hextets), "hextets")]
        {
            if both.is_some() {
                let message = format!("`{bits}` and `{count}` say the same in two ways");
                faults.push(Fault::of(FaultKind::Value, count, message).hint("remove one of the two"));
            }
        }
        faults
    }

    /// The options in one form, defaults filled in.
    pub fn truncation(&self) -> Truncation {
        let v4 = self.octets.map(|octets| 32u8.saturating_sub(octets.saturating_mul(8)));
        let v6 = self.hextets.map(|hextets| 128u8.saturating_sub(hextets.saturating_mul(16)));
        Truncation { v4: self.v4.or(v4).unwrap_or(Self::DEFAULT_V4), v6: self.v6.or(v6).unwrap_or(Self::DEFAULT_V6) }
    }

    pub(super) fn resolved(&self) -> serde_json::Value {
        let Truncation { v4, v6 } = self.truncation();
        json!({ "v4": v4, "v6": v6 })
    }
}

/// How many bits of an address stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// Of an IPv4 address; all of 32 and more.
    pub v4: u8,
    /// Of an IPv6 address; all of 128 and more.
    pub v6: u8,
}

impl Truncation {
    /// The address with all bits zero but the first.
    pub fn apply(self, address: IpAddr) -> IpAddr {
        // a shift by all bits leaves none
        match address {
            IpAddr::V4(v4) => {
                let dropped = u32::MAX.checked_shr(self.v4.into()).unwrap_or(0);
                Ipv4Addr::from_bits(v4.to_bits() & !dropped).into()
            }
            IpAddr::V6(v6) => {
                let dropped = u128::MAX.checked_shr(self.v6.into()).unwrap_or(0);
                Ipv6Addr::from_bits(v6.to_bits() & !dropped).into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_defaults_are_24_and_48_bits() {
        let truncation = TruncateSpec::default().truncation();
        assert_eq!(truncation.apply("192.0.2.77".parse().unwrap()).to_string(), "192.0.2.0");
        assert_eq!(truncation.apply("2001:db8:1:2:3:4:5:6".parse().unwrap()).to_string(), "2001:db8:1::");
    }

    #[test]
    fn counts_from_the_end_are_prefix_lengths() {
        for (octets, bits) in [(1, 24), (2, 16), (3, 8), (4, 0)] {
            let spec = TruncateSpec { octets: Some(octets), ..TruncateSpec::default() };
            assert_eq!(spec.truncation(), Truncation { v4: bits, v6: 48 });
        }
        for (hextets, bits) in [(1, 112), (3, 80), (8, 0)] {
            let spec = TruncateSpec { hextets: Some(hextets), ..TruncateSpec::default() };
            assert_eq!(spec.truncation(), Truncation { v4: 24, v6: bits });
        }
    }

    #[test]
    fn fail_lengths_out_of_range_and_both_ways_at_once() {
        let messages = |spec: TruncateSpec| {
            let faults = spec.faults().into_iter();
            faults.map(|fault| format!("{}: {}", fault.path.join("."), fault.message)).collect::<Vec<_>>()
        };
        let spec = TruncateSpec { v4: Some(33), v6: Some(129), octets: Some(5), hextets: Some(0) };
        assert_eq!(
            messages(spec),
            [
                "v4: bits of an IPv4 address are from 0 to 32, found 33",
                "v6: bits of an IPv6 address are from 0 to 128, found 129",
                "octets: numbers of an IPv4 address are from 1 to 4, found 5",
                "hextets: groups of an IPv6 address are from 1 to 8, found 0",
                "octets: `v4` and `octets` say the same in two ways",
                "hextets: `v6` and `hextets` say the same in two ways",
            ]
        );
        let ends = TruncateSpec { v4: Some(32), v6: Some(128), ..TruncateSpec::default() };
        assert_eq!(messages(ends), [""; 0]);
        assert_eq!(messages(TruncateSpec { v4: Some(0), v6: Some(0), ..ends }), [""; 0]);
    }

    proptest! {
        #[test]
        fn truncating_twice_is_truncating_once(address in any::<IpAddr>(), v4 in 0u8..=32, v6 in 0u8..=128) {
            let truncation = Truncation { v4, v6 };
            let once = truncation.apply(address);
            prop_assert_eq!(truncation.apply(once), once);
            prop_assert_eq!(once.is_ipv4(), address.is_ipv4());
        }
    }
}
