//! `k * H(canonical)` on ristretto255: one-way tokens that can later be moved to a new key without raw values.
//! TOKENS.md section 3, on RFC 9496 and RFC 9380.

mod known;
#[cfg(test)]
mod tests;

use arrow::array::{Array, BinaryArray};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::family::{BuildError, Context, Facts, Family, Fault, scope_faults};
use super::keyed::{Keyed, RowKeys};
use super::spec::TenantSpec;
use super::tokens::{TokenFormat, refused_encoding};
use super::{Transform, TransformError, Transformed, ValueSize, Values, require_canonical, text_like};
use crate::arrays::failure::Failures;
use crate::crypto::encode::TokenEncoding;
use crate::crypto::ristretto::{RekeyableKey, SUBKEY_BYTES, TOKEN_BYTES};
use known::{KeyId, Known, Token};

/// The purpose under which subkeys of this family are derived.
pub const PURPOSE: &str = "rekeyable";

/// Memory for the tokens of values met before, of one transform: some 250 000 values of 30 bytes.
const KNOWN_BYTES: usize = 32 << 20;

/// Elements multiplied at one go; one inversion in the field is shared by so many.
const AT_ONCE: usize = 256;

/// Replaces every value by a keyed token that can later be moved to a new key without the raw values.
///
/// Formula: k · H(canonical bytes) on ristretto255 (RFC 9496), where k is subkey(`rekeyable`, domain, tenant), 64 bytes
/// read little-endian modulo the group's order, and H the element derivation of expand_message_xmd(SHA-512, canonical
/// bytes, `lakeveil.v1.rekeyable`, 64) (RFC 9380). A token moves to another key by one multiplication with
/// k_new / k_old.
/// Accepted types: those of `pseudonym`. Result type: text, or fixed-size binary of 32 bytes with `encoding: binary`.
/// Example: `{ domain: users }` gives 43 characters of base64url such as `5iSS…`.
/// Deterministic under one key; not reversible, but who holds the key can test guesses. Each distinct value takes
/// some 50 microseconds, hundreds of times as long as `pseudonym`: for keys that must be changed where raw values are
/// no longer kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RekeyableSpec {
    /// Separates token spaces: columns that must join share a domain, all others have one of their own.
    ///
    /// May hold column names in braces, `users/{region}`, whose values become part of the domain row by row;
    /// a literal brace is doubled.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// Gives each tenant tokens of its own; without it the tenant is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
    /// How the token's 32 bytes are written: `base64url` (by default), `hex`, `base32` or `binary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TokenEncoding>,
}

impl RekeyableSpec {
    /// Encoding of the token, the default filled in.
    pub fn encoding(&self) -> TokenEncoding {
        self.encoding.unwrap_or(TokenEncoding::Base64Url)
    }
}

impl Family for RekeyableSpec {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = scope_faults(&self.domain, self.tenant.as_ref());
        match self.encoding() {
            TokenEncoding::Base64 => faults.push(refused_encoding("`base64` holds `/` and `+`, which tokens do not")),
            TokenEncoding::Uuid => {
                faults.push(refused_encoding("a UUID is made of 128 bits, and these tokens have 256"))
            }
            TokenEncoding::Hex | TokenEncoding::Base32 | TokenEncoding::Base64Url | TokenEncoding::Binary => {}
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        Facts::keyed(&self.domain)
    }

    fn resolved(&self) -> Vec<(&'static str, serde_json::Value)> {
        vec![("encoding", json!(self.encoding()))]
    }

    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        let keys = context.keyed(PURPOSE, &self.domain, self.tenant.as_ref(), SUBKEY_BYTES, Multiplier::new)?;
        Ok(Box::new(Rekeyable::new(keys, self.encoding())))
    }
}

/// A key, and what tells it from others where tokens are remembered.
#[derive(Debug)]
pub struct Multiplier {
    key: RekeyableKey,
    id: KeyId,
}

impl Multiplier {
    /// From a subkey of [`SUBKEY_BYTES`].
    ///
    /// # Errors
    /// A subkey that makes no key.
    pub fn new(subkey: &[u8]) -> Result<Self, String> {
        let key = RekeyableKey::from_subkey(subkey).map_err(|error| error.to_string())?;
        Ok(Self { key, id: Sha256::digest(subkey).into() })
    }
}

/// One-way tokens that are the same for equal values of one domain, and move to another key.
///
/// Each distinct value of a column is multiplied once, whatever the batches, as long as its token is remembered.
#[derive(Debug)]
pub struct Rekeyable {
    keys: Keyed<Multiplier>,
    format: TokenFormat,
    known: Known,
}

impl Rekeyable {
    /// Tokens written in `encoding`: `base64url`, `hex`, `base32` or `binary`.
    pub fn new(keys: Keyed<Multiplier>, encoding: TokenEncoding) -> Self {
        let format = TokenFormat { bytes: TOKEN_BYTES, encoding, prefix: String::new() };
        Self { keys, format, known: Known::new(KNOWN_BYTES) }
    }

    /// The tokens of `rows` under one key.
    fn tokens(&self, key: &Multiplier, values: &BinaryArray, rows: &[usize]) -> Vec<Token> {
        self.known.tokens(&key.id, rows.iter().map(|&row| values.value(row)), |unknown| {
            unknown.chunks(AT_ONCE).flat_map(|values| key.key.tokens(values.iter().copied())).collect()
        })
    }
}

impl Transform for Rekeyable {
    fn name(&self) -> &'static str {
        PURPOSE
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
        let mut failures = Failures::default();
        let keys = self.keys.of_rows(canonical, values.companions, &mut failures)?;
        let mut tokens = vec![[0; TOKEN_BYTES]; canonical.len()];
        let mut fill = |key, rows: &[usize]| {
            rows.iter().zip(self.tokens(key, canonical, rows)).for_each(|(&row, token)| tokens[row] = token);
        };
        match &keys {
            RowKeys::One(key) => {
                let rows: Vec<usize> = (0..canonical.len()).filter(|&row| canonical.is_valid(row)).collect();
                fill(key, &rows);
            }
            keys => keys.groups().iter().for_each(|(key, rows)| fill(key, rows)),
        }
        let known = super::cell::without(canonical, &failures);
        let array = self.format.column(&known, |rows, out| {
            out.copy_from_slice(&tokens[rows]);
            Ok(())
        })?;
        Ok(Transformed { failures, ..array.into() })
    }
}
