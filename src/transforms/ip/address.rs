//! The text of an address: read strictly, written as RFC 5952 says.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of a zone id, as in `fe80::1%eth0`. Without a rule it is an error of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ZoneRule {
    /// It is taken off.
    Drop,
}

/// What becomes of a port, as in `192.0.2.1:443` and `[2001:db8::1]:443`. Without a rule it is an error of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PortRule {
    /// It stays, in plain sight.
    Keep,
    /// It is taken off.
    Drop,
}

/// What a text may hold beside the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extras {
    /// What becomes of a zone id.
    pub zone: Option<ZoneRule>,
    /// What becomes of a port.
    pub port: Option<PortRule>,
}

/// An address, and the port behind it.
pub type WithPort = (IpAddr, Option<u16>);

const NO_ADDRESS: &str = "neither an IPv4 nor an IPv6 address";
const NETWORK: &str = "a network with the length of its prefix (CIDR), not an address";
const ZONE: &str = "an address with a zone id, which `zone: drop` would take off";
const ZONE_NAME: &str = "a zone id is made of letters, digits and `-._~`";
const PORT: &str = "an address with a port, which `port: drop` or `port: keep` would take";
const PORT_NUMBER: &str = "a port is a number from 0 to 65535 without leading zeros";

impl Extras {
    /// The address in `text`, white space at its ends aside; `::ffff:a.b.c.d` is the IPv4 address in it.
    ///
    /// IPv4: four decimal numbers without leading zeros. IPv6: every form of RFC 4291 section 2.2. With a zone id
    /// only IPv6, with a port `v4:port` and `[v6]:port`, each if there is a rule for it.
    ///
    /// # Errors
    /// Which rule the text breaks, in words that hold nothing of it.
    pub fn read(self, text: &str) -> Result<WithPort, &'static str> {
        let text = text.trim();
        let (address, port) = match text.parse() {
            Ok(address) => (address, None),
            Err(_) => self.read_extras(text)?,
        };
        Ok((address.to_canonical(), port))
    }

    fn read_extras(self, text: &str) -> Result<WithPort, &'static str> {
        if let Some(bracketed) = text.strip_prefix('[') {
            let (inside, port) = bracketed.split_once("]:").ok_or(NO_ADDRESS)?;
            return Ok((self.read_v6(inside)?.into(), Some(self.read_port(port)?)));
        }
        if let Some((Ok(address), port)) = text.split_once(':').map(|(v4, port)| (v4.parse::<Ipv4Addr>(), port)) {
            return Ok((address.into(), Some(self.read_port(port)?)));
        }
        if text.split_once('/').is_some_and(|(address, _)| address.parse::<IpAddr>().is_ok()) {
            return Err(NETWORK);
        }
        Ok((self.read_v6(text)?.into(), None))
    }

    fn read_v6(self, text: &str) -> Result<Ipv6Addr, &'static str> {
        let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
        let address = address.parse().map_err(|_| NO_ADDRESS)?;
        match zone {
            Some(_) if self.zone.is_none() => Err(ZONE),
            // ZoneID of RFC 6874, section 2
            Some(zone)
                if zone.is_empty() || !zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)) =>
            {
                Err(ZONE_NAME)
            }
            _ => Ok(address),
        }
    }

    fn read_port(self, text: &str) -> Result<u16, &'static str> {
        if self.port.is_none() {
            return Err(PORT);
        }
        let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        text.parse().ok().filter(|_| is_plain).ok_or(PORT_NUMBER)
    }

    /// Writes the address, and behind it the port if it is kept, in the form in which such are read.
    pub fn write(self, (address, port): WithPort, out: &mut String) {
        // writing into a string can't fail
        let _ = match (address, port.filter(|_| self.port == Some(PortRule::Keep))) {
            (address, None) => write!(out, "{address}"),
            (IpAddr::V4(v4), Some(port)) => write!(out, "{v4}:{port}"),
            (IpAddr::V6(v6), Some(port)) => write!(out, "[{v6}]:{port}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Extras = Extras { zone: Some(ZoneRule::Drop), port: Some(PortRule::Keep) };

    #[test]
    fn reasons_tell_the_rule_that_is_broken() {
        let none = Extras::default();
        let cases = [
            (none, "", NO_ADDRESS),
            (none, "192.0.2.01", NO_ADDRESS),
            (none, "192.0.2.0/24", NETWORK),
            (none, "2001:db8::/32", NETWORK),
            (none, "1/2", NO_ADDRESS),
            (none, "fe80::1%eth0", ZONE),
            (none, "x%eth0", NO_ADDRESS),
            (ALL, "192.0.2.1%eth0", NO_ADDRESS),
            (ALL, "fe80::1%", ZONE_NAME),
            (ALL, "fe80::1%a/b", ZONE_NAME),
            (none, "192.0.2.1:443", PORT),
            (none, "[::1]:443", PORT),
            (none, "[fe80::1%eth0]:443", ZONE),
            (ALL, "192.0.2.1:", PORT_NUMBER),
            (ALL, "192.0.2.1:+1", PORT_NUMBER),
            (ALL, "[::1]:00", PORT_NUMBER),
            (ALL, "[::1]", NO_ADDRESS),
            (ALL, "[192.0.2.1]:443", NO_ADDRESS),
            (ALL, "192.0.2.01:443", NO_ADDRESS),
        ];
        for (extras, text, reason) in cases {
            assert_eq!(extras.read(text), Err(reason), "{text}");
        }
    }

    /// RFC 5952 sections 4 and 5: what is written, whatever was read.
    #[test]
    fn addresses_are_written_as_rfc_5952_says() {
        let cases = [
            ("2001:0db8::0001", "2001:db8::1"),
            ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:DB8::AAAA", "2001:db8::aaaa"),
            ("0:0:0:0:0:0:0:0", "::"),
            ("::0:1", "::1"),
            ("1:0:0:0:0:0:0:0", "1::"),
            ("::192.0.2.1", "::c000:201"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            ("::ffff:c000:201", "192.0.2.1"),
            ("::ffff:0:0", "0.0.0.0"),
        ];
        for (text, expected) in cases {
            let mut written = String::new();
            ALL.write(ALL.read(text).unwrap(), &mut written);
            assert_eq!(written, expected, "{text}");
        }
    }

    /// Where the standard library prints a mapped address of its own accord.
    #[test]
    fn a_mapped_address_is_printed_with_its_ipv4_part() {
        assert_eq!("::ffff:c000:201".parse::<Ipv6Addr>().unwrap().to_string(), "::ffff:192.0.2.1");
    }
}
