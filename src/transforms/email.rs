//! E-mail addresses part by part: the local part pseudonymized, the host kept, generalized or pseudonymized.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind, scope_faults};
use super::keyed::{Keyed, NO_COMPANION};
use super::normalize::{Normalizer, Scratch, Step, UNICODE_VERSIONS};
use super::signer::Signer;
use super::spec::TenantSpec;
use super::texts::{Reason, texts};
use super::{Transform, TransformError, Transformed, Values, text_like};
use crate::arrays::failure::Failures;

/// Version of the crate `psl`, which holds the Public Suffix List: pinned exactly, as it decides on outputs.
const PSL_VERSION: &str = "2.1.247";

/// Replaces an e-mail address by another valid one, whose local part is a pseudonym.
///
/// Formula: `TOKEN@HOST`. TOKEN is the first `bits`/8 bytes of HMAC-SHA256(subkey(`pseudonym`, domain, tenant), local
/// part) in hexadecimal: what `pseudonym` gives for the local part in that domain. So one local part has one token at
/// all hosts. HOST is, by `host`,
/// - `pseudonym` (default): the token of the host's text in the same domain, and `.example` (RFC 2606 section 2), so
///   that no mail is ever sent to it;
/// - `registrable`: the host's registrable domain by the Public Suffix List, its private section included:
///   `mail.sales.shop.co.uk` becomes `shop.co.uk`;
/// - `keep`: the host.
///
/// The last `@` splits, both sides are non-empty, there is no white space; the local part is taken as it is, letter
/// case included (`normalize: [lowercase]` makes spellings meet), the host in its ASCII form by UTS #46, as the step
/// `email` of `normalize` has it. All else is an error of the value, and so is an output of more than 254 bytes (RFC
/// 5321) and, under `registrable`, a host without registrable domain: a public suffix, a single label, an IP address.
/// Accepted types: text and binary that is text. Result type: text.
/// Example: `{ domain: users, host: registrable }` turns `ann@mail.shop.co.uk` into `5f0c…@shop.co.uk`.
/// Deterministic under one key; not reversible, but who holds the key can test guesses. A kept host may name a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailSpec {
    /// Separates token spaces, as for `pseudonym`; may hold column names in braces.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// Gives each tenant tokens of its own; without it the tenant is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
    /// What becomes of the host; `pseudonym` by default.
    #[serde(default)]
    pub host: EmailHost,
    /// Token length in bits, 64 to 248 in steps of 8; 128 by default. Under 96 only with `accept_collisions: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 64, max = 248), extend("multipleOf" = 8))]
    pub bits: Option<u16>,
    /// States that two values may share a token; required under 96 bits.
    #[serde(default)]
    pub accept_collisions: bool,
}

/// What becomes of the host of an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EmailHost {
    /// Stays.
    Keep,
    /// Its registrable domain.
    Registrable,
    /// A pseudonym under `.example`.
    #[default]
    Pseudonym,
}

const MIN_BITS: u16 = 64;
/// A label of a host holds 63 bytes (RFC 1035 section 2.3.4), a local part 64 (RFC 5321 section 4.5.3.1.1).
const MAX_BITS: u16 = 248;
const SAFE_BITS: u16 = 96;
/// Of an address that can be used as a path: RFC 5321 section 4.5.3.1.3, erratum 1690.
const MAX_BYTES: usize = 254;

impl EmailSpec {
    fn bits(&self) -> u16 {
        self.bits.unwrap_or(128)
    }
}

impl Family for EmailSpec {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = scope_faults(&self.domain, self.tenant.as_ref());
        let bits = self.bits();
        if !(MIN_BITS..=MAX_BITS).contains(&bits) || !bits.is_multiple_of(8) {
            let message =
                format!("a token in an address has {MIN_BITS} to {MAX_BITS} bits in steps of 8, found {bits}");
            faults.push(Fault::of(FaultKind::Bits, "bits", message).hint("128 serves most tables"));
        } else if bits < SAFE_BITS && !self.accept_collisions {
            let message = format!("with {bits} bits, two values of a large table may share a token");
            let hint = format!("use at least {SAFE_BITS} bits, or add `accept_collisions: true`");
            faults.push(Fault::of(FaultKind::Collisions, "bits", message).hint(hint));
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        Facts { token_bits: Some(self.bits()), ..Facts::keyed(&self.domain) }
    }

    fn resolved(&self) -> Vec<(&'static str, serde_json::Value)> {
        vec![("host", json!(self.host)), ("bits", self.bits().into())]
    }

    fn pins(&self) -> Result<BTreeMap<String, String>, BuildError> {
        let mut pins: BTreeMap<_, _> =
            UNICODE_VERSIONS.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect();
        if self.host == EmailHost::Registrable {
            pins.insert("psl".to_owned(), PSL_VERSION.to_owned());
        }
        Ok(pins)
    }

    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        let keys = context.signer(&self.domain, self.tenant.as_ref(), self.bits())?;
        Ok(Box::new(Email {
            keys,
            host: self.host,
            bytes: usize::from(self.bits()) / 8,
            address: Normalizer::new(vec![Step::Email]),
        }))
    }
}

/// Addresses with pseudonyms in them.
#[derive(Debug)]
struct Email {
    keys: Keyed<Signer>,
    host: EmailHost,
    /// Of a token.
    bytes: usize,
    address: Normalizer,
}

const NO_REGISTRABLE: &str = "the host of the e-mail address has no registrable domain";

impl Email {
    fn push(&self, signer: &Signer, value: &str, scratch: &mut Scratch, out: &mut String) -> Result<(), Reason> {
        let address = self.address.apply(value, scratch).map_err(|error| error.reason.to_string())?;
        let (local, host) = address.rsplit_once('@').ok_or("no `@` in an e-mail address")?;
        let start = out.len();
        self.push_token(signer, local, out);
        out.push('@');
        match self.host {
            EmailHost::Keep => out.push_str(host),
            EmailHost::Registrable => out.push_str(registrable(host).ok_or(NO_REGISTRABLE)?),
            EmailHost::Pseudonym => {
                self.push_token(signer, host, out);
                out.push_str(".example");
            }
        }
        match out.len() - start {
            ..=MAX_BYTES => Ok(()),
            long => Err(format!("the e-mail address would be {long} bytes long, and the limit is {MAX_BYTES}").into()),
        }
    }

    fn push_token(&self, signer: &Signer, part: &str, out: &mut String) {
        HEXLOWER.encode_append(&signer.sign(part.as_bytes())[..self.bytes], out);
    }
}

/// The registrable domain of a host in lower-case ASCII.
fn registrable(host: &str) -> Option<&str> {
    // the list knows names only, and takes the last number of an IPv4 address for a suffix
    let last = host.rsplit('.').next()?;
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    psl::domain_str(host)
}

impl Transform for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        use DataType::*;
        match input {
            Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView | FixedSizeBinary(_) | Null => {
                Ok(text_like(input))
            }
            _ => Err(format!("{input} holds no e-mail addresses")),
        }
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let mut failures = Failures::default();
        let keys = self.keys.of_rows(values.canonical, values.companions, &mut failures)?;
        let mut scratch = Scratch::default();
        texts(values.canonical, |row, value, out| {
            let signer = keys.get(row).ok_or(NO_COMPANION)?;
            self.push(signer, value, &mut scratch, out)
        })
    }
}

#[cfg(test)]
mod tests;
