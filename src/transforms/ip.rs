//! IP addresses cut to a prefix, or encrypted so that common prefixes stay common: TOKENS.md section 3, on
//! draft-denis-ipcrypt and RFC 5952.

mod address;
#[cfg(test)]
mod tests;
mod truncate;

use std::net::IpAddr;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, BinaryBuilder};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind, scope_faults};
use super::keyed::{Keyed, RowKeys};
use super::spec::TenantSpec;
use super::texts::{Reason, texts};
use super::{Transform, TransformError, Transformed, Values, text_like};
use crate::arrays::failure::Failures;
use crate::crypto::pfx::{PrefixCipher, SUBKEY_BYTES};
pub use address::{Extras, PortRule, ZoneRule};
pub use truncate::{TruncateSpec, Truncation};

/// The purpose under which subkeys of this family are derived.
pub const PURPOSE: &str = "ip";

/// Replaces IP addresses by their networks, or by other addresses under which networks stay together.
///
/// Exactly one of `truncate` and `prefix_preserving`. Text is read strictly, white space at its ends aside: IPv4 without
/// leading zeros, IPv6 in every form of RFC 4291; `::ffff:a.b.c.d` counts as the IPv4 address in it. It is written as
/// RFC 5952 says. What is no address, a network (CIDR) included, is an error of the value and never passes; so are zone
/// ids and ports unless `zone` or `port` says otherwise.
/// Accepted types: text; binary values of 4 or 16 bytes, where 16 bytes of `::ffff:a.b.c.d` stay 16 bytes. Result type:
/// the same.
/// Example: `{ truncate: {} }` turns `192.0.2.77` into `192.0.2.0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpSpec {
    /// Keeps the first bits and sets the others to zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncate: Option<TruncateSpec>,
    /// Encrypts so that two addresses that share their first n bits, and no more, still do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_preserving: Option<PrefixPreservingSpec>,
    /// What becomes of a zone id, as in `fe80::1%eth0`: `drop`; without it such a value is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneRule>,
    /// What becomes of a port, as in `192.0.2.1:443` and `[2001:db8::1]:443`: `drop`, or `keep` in plain sight; without
    /// it such a value is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<PortRule>,
}

/// Encrypts addresses to addresses of the same family.
///
/// Formula: ipcrypt-pfx (draft-denis-ipcrypt) under subkey(`ip`, domain, tenant), 32 bytes.
/// Deterministic under one key, and reversible by who holds it. The shape of networks stays: who knows some addresses
/// in it learns the prefixes of others. IPv4 addresses are few: who can ask for outputs can list them all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrefixPreservingSpec {
    /// Separates outputs: columns that must join share a domain, all others have one of their own.
    ///
    /// May hold column names in braces, `logs/{region}`, whose values become part of the domain row by row;
    /// a literal brace is doubled.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// Gives each tenant outputs of its own; without it the tenant is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
}

impl IpSpec {
    fn extras(&self) -> Extras {
        Extras { zone: self.zone, port: self.port }
    }

    /// The transform that gives back the addresses of one under `prefix_preserving`.
    ///
    /// # Errors
    /// [`BuildError`]; [`BuildError::Options`] for `truncate`, which nothing undoes.
    pub fn build_inverse(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        match &self.prefix_preserving {
            Some(spec) => Ok(Box::new(Ip { change: Change::Decrypt(spec.keys(context)?), extras: self.extras() })),
            None => Err(BuildError::Options("nothing gives back what `truncate` cut off".to_owned())),
        }
    }
}

impl PrefixPreservingSpec {
    fn keys(&self, context: &mut Context<'_>) -> Result<Keyed<PrefixCipher>, BuildError> {
        context.keyed(PURPOSE, &self.domain, self.tenant.as_ref(), SUBKEY_BYTES, |subkey| {
            PrefixCipher::from_subkey(subkey).map_err(|error| error.to_string())
        })
    }
}

impl Family for IpSpec {
    fn faults(&self) -> Vec<Fault> {
        let hint = "write `truncate: {}` for networks, or `prefix_preserving: { domain: … }` for other addresses";
        let mut faults = match (&self.truncate, &self.prefix_preserving) {
            (None, None) => {
                vec![
                    Fault::of(FaultKind::Missing, "", "one of `truncate` and `prefix_preserving` is needed").hint(hint),
                ]
            }
            (Some(_), Some(_)) => {
                let message = "`truncate` and `prefix_preserving` exclude each other";
                vec![Fault::of(FaultKind::Value, "truncate", message).hint("remove one of the two")]
            }
            _ => Vec::new(),
        };
        let below = |option: &str, mut fault: Fault| {
            fault.path.insert(0, option.to_owned());
            fault
        };
        if let Some(spec) = &self.truncate {
            faults.extend(spec.faults().into_iter().map(|fault| below("truncate", fault)));
        }
        if let Some(spec) = &self.prefix_preserving {
            let scope = scope_faults(&spec.domain, spec.tenant.as_ref());
            faults.extend(scope.into_iter().map(|fault| below("prefix_preserving", fault)));
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        match &self.prefix_preserving {
            Some(spec) => Facts { reversible: true, ..Facts::keyed(&spec.domain) },
            // nothing of an address is cut off
            None => {
                let whole = self.truncate.as_ref().map(TruncateSpec::truncation);
                let shows = whole.is_some_and(|kept| kept.v4 >= 32 || kept.v6 >= 128);
                Facts { masking: !shows, ..Facts::COARSE }
            }
        }
    }

    fn resolved(&self) -> Vec<(&'static str, serde_json::Value)> {
        self.truncate.iter().map(|spec| ("truncate", spec.resolved())).collect()
    }

    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        let change = match (&self.truncate, &self.prefix_preserving) {
            (Some(spec), None) => Change::Truncate(spec.truncation()),
            (None, Some(spec)) => Change::Encrypt(spec.keys(context)?),
            _ => return Err(BuildError::Options("one of `truncate` and `prefix_preserving` is needed".to_owned())),
        };
        Ok(Box::new(Ip { change, extras: self.extras() }))
    }
}

/// What is done to an address.
#[derive(Debug)]
enum Change {
    Truncate(Truncation),
    Encrypt(Keyed<PrefixCipher>),
    Decrypt(Keyed<PrefixCipher>),
}

impl Change {
    fn keys(&self) -> Option<&Keyed<PrefixCipher>> {
        match self {
            Self::Truncate(_) => None,
            Self::Encrypt(keys) | Self::Decrypt(keys) => Some(keys),
        }
    }

    /// `cipher` is the row's, for those that have one.
    fn apply(&self, cipher: Option<&PrefixCipher>, address: IpAddr) -> Result<IpAddr, Reason> {
        match (self, cipher) {
            (Self::Truncate(truncation), _) => Ok(truncation.apply(address)),
            (Self::Encrypt(_), Some(cipher)) => Ok(cipher.encrypt(address)),
            (Self::Decrypt(_), Some(cipher)) => Ok(cipher.decrypt(address)),
            (_, None) => Err(super::keyed::NO_COMPANION.into()),
        }
    }
}

/// Addresses to addresses.
#[derive(Debug)]
pub struct Ip {
    change: Change,
    extras: Extras,
}

impl Transform for Ip {
    fn name(&self) -> &'static str {
        "ip"
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        use DataType::*;
        match input {
            Utf8 | LargeUtf8 | Utf8View | Null => Ok(text_like(input)),
            Binary | LargeBinary | BinaryView | FixedSizeBinary(4 | 16) => Ok(input.clone()),
            FixedSizeBinary(width) => {
                Err(format!("an address is text, or 4 or 16 bytes of binary, found {width} bytes"))
            }
            _ if input.is_integer() => {
                let message = format!("{input} does not tell how an address is written in a number");
                Err(format!("{message}; an address is text, or 4 or 16 bytes of binary"))
            }
            _ => Err(format!("{input} holds no addresses; an address is text, or 4 or 16 bytes of binary")),
        }
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let mut failures = Failures::default();
        let keys = match self.change.keys() {
            Some(keys) => Some(keys.of_rows(values.canonical, values.companions, &mut failures)?),
            None => None,
        };
        let canonical = &super::cell::without(values.canonical, &failures);
        let change = |row, address| {
            let cipher = keys.as_ref().and_then(|keys: &RowKeys<'_, PrefixCipher>| keys.get(row));
            self.change.apply(cipher, address)
        };
        let made = match values.array.data_type() {
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                bytes(canonical, change)
            }
            _ => texts(canonical, |row, text, out| {
                let (address, port) = self.extras.read(text)?;
                self.extras.write((change(row, address)?, port), out);
                Ok(())
            })?,
        };
        failures.extend(made.failures);
        Ok(Transformed { failures, ..made })
    }
}

/// Changes binary values of 4 or 16 bytes, which stay as long as they are: an IPv4 address in 16 bytes is put back
/// into `::ffff:0:0/96`.
fn bytes(values: &BinaryArray, change: impl Fn(usize, IpAddr) -> Result<IpAddr, Reason>) -> Transformed {
    let mut failures = Failures::default();
    let mut made = BinaryBuilder::with_capacity(values.len(), values.len() * 16);
    for (row, value) in values.iter().enumerate() {
        let Some(value) = value else {
            made.append_null();
            continue;
        };
        let changed = match (<[u8; 4]>::try_from(value), <[u8; 16]>::try_from(value)) {
            (Ok(v4), _) => change(row, v4.into()),
            (_, Ok(v6)) => change(row, IpAddr::from(v6).to_canonical()),
            _ => Err(format!("binary value of {} bytes, where an address has 4 or 16", value.len()).into()),
        };
        match changed {
            Ok(IpAddr::V4(v4)) if value.len() == 4 => made.append_value(v4.octets()),
            Ok(IpAddr::V4(v4)) => made.append_value(v4.to_ipv6_mapped().octets()),
            Ok(IpAddr::V6(v6)) => made.append_value(v6.octets()),
            Err(reason) => {
                failures.push(row, reason);
                made.append_null();
            }
        }
    }
    let array: ArrayRef = Arc::new(made.finish());
    Transformed { failures, ..array.into() }
}
