//! `HMAC-SHA256[subkey](canonical)`, truncated and encoded: TOKENS.md section 3, on RFC 2104; through the links of a
//! chain (section 5), or as another program makes its tokens (section 4).

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind, scope_faults};
use super::keyed::Keyed;
use super::signer::{Signer, sign_rows};
use super::spec::{Scheme, TenantSpec};
use super::tokens::{TokenFormat, refused_encoding};
use super::{Transform, TransformError, Transformed, ValueSize, Values, require_canonical, text_like};
use crate::arrays::failure::Failures;
use crate::crypto::encode::TokenEncoding;

/// Bits of a token, TOKENS.md section 3.
const MIN_BITS: u16 = 64;
const MAX_BITS: u16 = 256;
const UUID_BITS: u16 = 128;
/// 24 characters of base64url.
const KELORA_BITS: u16 = 144;

/// Replaces every value by a keyed token: equal values of one domain give equal tokens, in every file and run.
///
/// Formula: the first `bits`/8 bytes of HMAC-SHA256(subkey(`pseudonym`, domain, tenant), canonical bytes), RFC 2104.
/// `scheme: hmac-sha256` and `kelora` make the tokens of other programs, with a key of their own in the keyring.
/// Accepted types: text, binary, integers, decimals, booleans, dates, times, timestamps, and dictionaries of these;
/// floats are refused. Result type: text, or fixed-size binary with `encoding: binary`.
/// Example: `{ domain: users }` gives 32 hexadecimal digits such as `5f0c…`.
/// Deterministic under one key; not reversible, but who holds the key can test guesses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PseudonymSpec {
    /// Separates token spaces: columns that must join share a domain, all others have one of their own.
    ///
    /// May hold column names in braces, `users/{region}`, whose values become part of the domain row by row;
    /// a literal brace is doubled. The scheme `hmac-sha256` knows no domains; the others need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub domain: Option<String>,
    /// Gives each tenant tokens of its own; without it the tenant is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
    /// Token length in bits, 64 to 256 in steps of 8; 128 by default, 256 for `hmac-sha256`. Under 96 only with
    /// `accept_collisions: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 64, max = 256), extend("multipleOf" = 8))]
    pub bits: Option<u16>,
    /// How the token's bytes are written; `hex` by default. `base64` is for the scheme `hmac-sha256` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TokenEncoding>,
    /// Literal text before each token; not with `encoding: binary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// How the token is constructed; `lakeveil` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// States that two values may share a token; required under 96 bits.
    #[serde(default)]
    pub accept_collisions: bool,
}

impl PseudonymSpec {
    /// Token length in bits where a policy names none.
    pub const DEFAULT_BITS: u16 = 128;
    /// Fewest bits that are taken without `accept_collisions: true`.
    pub const SAFE_BITS: u16 = 96;

    /// How tokens are constructed, the default filled in.
    pub fn scheme(&self) -> Scheme {
        self.scheme.unwrap_or_default()
    }

    /// Token length in bits, the default filled in.
    pub fn bits(&self) -> u16 {
        match self.scheme() {
            Scheme::Lakeveil => self.bits.unwrap_or(Self::DEFAULT_BITS),
            Scheme::HmacSha256 => self.bits.unwrap_or(MAX_BITS),
            Scheme::Kelora => KELORA_BITS,
        }
    }

    /// Bits of a token that tell values apart: a UUID gives six of them up for its version and variant.
    fn token_bits(&self) -> u16 {
        if self.encoding() == TokenEncoding::Uuid { UUID_BITS - 6 } else { self.bits() }
    }

    /// Encoding of the token, the default filled in.
    pub fn encoding(&self) -> TokenEncoding {
        match self.scheme() {
            Scheme::Kelora => TokenEncoding::Base64Url,
            _ => self.encoding.unwrap_or_default(),
        }
    }

    /// Options that the scheme does not take.
    fn refused(&self) -> Vec<Fault> {
        let scheme = self.scheme();
        let domain = (scheme == Scheme::HmacSha256 && self.domain.is_some(), "domain");
        let fixed = scheme == Scheme::Kelora;
        let given = [
            domain,
            (scheme != Scheme::Lakeveil && self.tenant.is_some(), "tenant"),
            (fixed && self.bits.is_some(), "bits"),
            (fixed && self.encoding.is_some(), "encoding"),
            (fixed && self.prefix.is_some(), "prefix"),
        ];
        let refused = given.into_iter().filter(|(refused, _)| *refused).map(|(_, option)| {
            let message =
                format!("the scheme `{}` takes no `{option}`: its tokens are those of another program", scheme.name());
            Fault::of(FaultKind::Value, option, message).hint(format!("remove `{option}`"))
        });
        let mut faults: Vec<Fault> = refused.collect();
        if scheme != Scheme::HmacSha256 && self.domain.is_none() {
            let hint = "name the kind of thing the column identifies, such as `customers`";
            faults.push(Fault::of(FaultKind::Missing, "", "`domain` is missing").hint(hint));
        }
        faults
    }

    fn length_faults(&self) -> Vec<Fault> {
        let (bits, encoding) = (self.bits(), self.encoding());
        if !(MIN_BITS..=MAX_BITS).contains(&bits) || bits % 8 != 0 {
            let message = format!("a token has {MIN_BITS} to {MAX_BITS} bits in steps of 8, found {bits}");
            vec![Fault::of(FaultKind::Bits, "bits", message).hint("128 serves most tables")]
        } else if encoding == TokenEncoding::Uuid && bits != UUID_BITS {
            let message = format!("a UUID is made of {UUID_BITS} bits, found {bits}");
            let hint = match self.scheme() {
                Scheme::HmacSha256 => "write `bits: 128`, or choose another encoding",
                _ => "leave `bits` out, or choose another encoding",
            };
            vec![Fault::of(FaultKind::Bits, "bits", message).hint(hint)]
        } else if bits < Self::SAFE_BITS && !self.accept_collisions {
            let message = format!("with {bits} bits, two values of a large table may share a token");
            let hint = format!("use at least {} bits, or add `accept_collisions: true`", Self::SAFE_BITS);
            vec![Fault::of(FaultKind::Collisions, "bits", message).hint(hint)]
        } else {
            Vec::new()
        }
    }
}

impl Family for PseudonymSpec {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = self.refused();
        if let (Some(domain), false) = (&self.domain, self.scheme() == Scheme::HmacSha256) {
            faults.extend(scope_faults(domain, self.tenant.as_ref()));
        }
        faults.extend(self.length_faults());
        if self.encoding() == TokenEncoding::Base64 && self.scheme() == Scheme::Lakeveil {
            let message = "`base64` holds `/` and `+`, which the scheme `lakeveil` keeps out of tokens";
            faults.push(refused_encoding(message));
        }
        if self.prefix.is_some() && self.encoding() == TokenEncoding::Binary {
            let message = "`prefix` is text, and binary tokens are not";
            let hint = "remove `prefix`, or choose a text encoding";
            faults.push(Fault::of(FaultKind::Prefix, "prefix", message).hint(hint));
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        let domain = self.domain.as_deref();
        Facts { domain, token_bits: Some(self.token_bits()), ..Facts::keyed("") }
    }

    fn resolved(&self) -> Vec<(&'static str, serde_json::Value)> {
        vec![("bits", self.bits().into()), ("encoding", json!(self.encoding())), ("scheme", json!(self.scheme()))]
    }

    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        let domain = self.domain.as_deref().unwrap_or_default();
        let keys = match self.scheme() {
            Scheme::Lakeveil => context.signer(domain, self.tenant.as_ref(), self.bits())?,
            scheme => context.interoperable(scheme, domain)?,
        };
        let prefix = self.prefix.as_deref().unwrap_or_default();
        Ok(Box::new(Pseudonym::new(keys, self.bits(), self.encoding(), prefix)))
    }
}

/// Keyed one-way tokens: equal values in one domain have equal tokens, whoever lacks the key can't compute them.
#[derive(Debug)]
pub struct Pseudonym {
    keys: Keyed<Signer>,
    format: TokenFormat,
}

impl Pseudonym {
    /// Tokens of `bits` bits (64 to 256 in steps of 8; 128 for `uuid`), written in `encoding` behind `prefix`.
    pub fn new(keys: Keyed<Signer>, bits: u16, encoding: TokenEncoding, prefix: &str) -> Self {
        let format = TokenFormat { bytes: usize::from(bits) / 8, encoding, prefix: prefix.to_owned() };
        Self { keys, format }
    }
}

impl Transform for Pseudonym {
    fn name(&self) -> &'static str {
        "pseudonym"
    }

    fn looks_random(&self) -> bool {
        true
    }

    fn value_size(&self) -> ValueSize {
        self.format.value_size()
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        require_canonical(input)?;
        Ok(match self.format.data_type() {
            DataType::Utf8 => text_like(input),
            binary => binary,
        })
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let canonical = values.canonical;
        if let Keyed::One(key) = &self.keys {
            let array = self.format.column(canonical, |rows, out| {
                key.sign_many(&canonical.value_offsets()[rows.start..=rows.end], canonical.value_data(), out);
                Ok(())
            })?;
            return Ok(array.into());
        }
        let mut failures = Failures::default();
        let keys = self.keys.of_rows(canonical, values.companions, &mut failures)?;
        let digests = sign_rows(&keys, canonical)?;
        let known = super::cell::without(canonical, &failures);
        let array = self.format.column(&known, |rows, out| {
            out.copy_from_slice(&digests[rows]);
            Ok(())
        })?;
        Ok(Transformed { failures, ..array.into() })
    }
}
