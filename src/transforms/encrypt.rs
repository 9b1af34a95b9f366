//! `SIV || ciphertext` of the canonical bytes, AES-SIV: TOKENS.md section 3, on RFC 5297.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{Array, BinaryArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind, scope_faults};
use super::keyed::{Keyed, NO_COMPANION};
use super::spec::TenantSpec;
use super::texts::{Reason, texts_of_bytes};
use super::{Transform, TransformError, Transformed, Values, require_canonical, text_like};
use crate::arrays::failure::Failures;
use crate::arrays::source_type::SourceType;
use crate::crypto::SivKey;
use crate::crypto::encode::TokenEncoding;
use crate::crypto::siv::KEY_BYTES;

/// The purpose under which subkeys of this family are derived.
pub const PURPOSE: &str = "encrypt";

/// Encrypts every value so that who holds the key gets it back: equal values of one domain give equal tokens.
///
/// Formula: SIV-Encrypt[subkey(`encrypt`, domain, tenant)](canonical bytes), AES-256, no associated data, RFC 5297.
/// Accepted types: those of `pseudonym`. Result type: text, or binary with `encoding: binary`. The token is 16 bytes
/// longer than the value's text, so it shows how long that is; a changed token does not decrypt.
/// The source's type is kept in the column's metadata (`lakeveil.source_type`), so that decryption restores it.
/// Example: `{ domain: users }` turns `42` into 24 characters such as `GMSnSgnsSsWZCo_ZLAjQLhoS`.
/// Deterministic under one key, and reversible with it: whoever has the key has the values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EncryptSpec {
    /// Separates token spaces: columns that must join share a domain, all others have one of their own.
    ///
    /// May hold column names in braces, `users/{region}`, whose values become part of the domain row by row;
    /// a literal brace is doubled.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// Gives each tenant tokens of its own; without it the tenant is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
    /// How the token's bytes are written: `base64url` (the default), `hex` or `binary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TokenEncoding>,
}

impl EncryptSpec {
    /// Encoding of the token, the default filled in.
    pub fn encoding(&self) -> TokenEncoding {
        self.encoding.unwrap_or(TokenEncoding::Base64Url)
    }

    /// The transform itself, which also goes the way back.
    ///
    /// # Errors
    /// [`BuildError`]
    pub fn transform(&self, context: &mut Context<'_>) -> Result<Encrypt, BuildError> {
        let key = |subkey: &[u8]| SivKey::new(subkey).map_err(|error| error.to_string());
        let keys = context.keyed(PURPOSE, &self.domain, self.tenant.as_ref(), KEY_BYTES, key)?;
        Encrypt::new(keys, self.encoding()).map_err(BuildError::Options)
    }
}

impl Family for EncryptSpec {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = scope_faults(&self.domain, self.tenant.as_ref());
        let encoding = self.encoding();
        if !OFFERED.contains(&encoding) {
            let message = format!("`{encoding}` is not offered for encrypted values");
            let hint = "use `base64url`, `hex` or `binary`";
            faults.push(Fault::of(FaultKind::Encoding, "encoding", message).hint(hint));
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        Facts { reversible: true, ..Facts::keyed(&self.domain) }
    }

    fn resolved(&self) -> Vec<(&'static str, serde_json::Value)> {
        vec![("encoding", json!(self.encoding()))]
    }

    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        Ok(Box::new(self.transform(context)?))
    }
}

const OFFERED: [TokenEncoding; 3] = [TokenEncoding::Base64Url, TokenEncoding::Hex, TokenEncoding::Binary];

/// Deterministic, reversible tokens.
#[derive(Debug)]
pub struct Encrypt {
    keys: Keyed<SivKey>,
    encoding: TokenEncoding,
}

impl Encrypt {
    /// Tokens written in `encoding`: base64url, hexadecimal or binary.
    ///
    /// # Errors
    /// An encoding that is not offered.
    pub fn new(keys: Keyed<SivKey>, encoding: TokenEncoding) -> Result<Self, String> {
        match OFFERED.contains(&encoding) {
            true => Ok(Self { keys, encoding }),
            false => Err(format!("`{encoding}` is not offered for encrypted values")),
        }
    }

    /// The inverse of [`apply`](Transform::apply): from tokens, whose own bytes or text are `values.canonical`, to
    /// a binary column of the canonical bytes of what was encrypted. A [`SourceType`] then restores a column of its
    /// type: [`restore`](crate::arrays::restore::restore).
    ///
    /// # Errors
    /// As [`apply`](Transform::apply). What is no token, or none of this key, is a failure of the value.
    pub fn unapply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let mut failures = Failures::default();
        let keys = self.keys.of_rows(values.canonical, values.companions, &mut failures)?;
        let mut token = Vec::new();
        let made = bytes(values.canonical, |row, value, out| {
            let key = keys.get(row).ok_or(NO_COMPANION)?;
            if !self.decode(value, &mut token) {
                return Err(format!("{} bytes that are no token in {}", value.len(), self.encoding).into());
            }
            key.decrypt(&token, out).map_err(|error| error.to_string().into())
        })?;
        Ok(with_failures(failures, made))
    }

    /// The bytes of a token; false where its text is none of the encoding.
    fn decode(&self, text: &[u8], token: &mut Vec<u8>) -> bool {
        token.clear();
        let encoding = match self.encoding {
            TokenEncoding::Binary => {
                token.extend_from_slice(text);
                return true;
            }
            TokenEncoding::Hex => &HEXLOWER,
            _ => &BASE64URL_NOPAD,
        };
        let Ok(len) = encoding.decode_len(text.len()) else { return false };
        token.resize(len, 0);
        encoding.decode_mut(text, token).is_ok_and(|written| written == len)
    }
}

/// The failures of an earlier step, then those of `made`.
fn with_failures(mut earlier: Failures, made: Transformed) -> Transformed {
    earlier.extend(made.failures);
    Transformed { failures: earlier, ..made }
}

/// The bytes that `each(row, value, out)` appends to `out` for each non-null value; what a failed one had appended is
/// taken back.
fn bytes(
    values: &BinaryArray,
    mut each: impl FnMut(usize, &[u8], &mut Vec<u8>) -> Result<(), Reason>,
) -> Result<Transformed, TransformError> {
    let mut failures = Failures::default();
    let mut data = Vec::with_capacity(values.value_data().len());
    let mut offsets = Vec::with_capacity(values.len() + 1);
    offsets.push(0i32);
    for row in 0..values.len() {
        if values.is_valid(row) {
            let before = data.len();
            if let Err(reason) = each(row, values.value(row), &mut data) {
                data.truncate(before);
                failures.push(row, reason);
            }
        }
        offsets.push(i32::try_from(data.len()).map_err(|_| TransformError::TooLong(data.len()))?);
    }
    let nulls = super::cell::without(values, &failures).nulls().cloned();
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let array = BinaryArray::try_new(offsets, Buffer::from_vec(data), nulls)
        .map_err(|_| TransformError::Build(DataType::Binary))?;
    Ok(Transformed { array: Arc::new(array), failures, found: Vec::new() })
}

impl Transform for Encrypt {
    fn name(&self) -> &'static str {
        "encrypt"
    }

    fn looks_random(&self) -> bool {
        true
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        require_canonical(input)?;
        Ok(match self.encoding {
            TokenEncoding::Binary => DataType::Binary,
            _ => text_like(input),
        })
    }

    fn field_metadata(&self, input: &Field) -> Vec<(String, String)> {
        let source = SourceType::of(input).map(|source| source.to_string());
        source.map(|text| (SourceType::METADATA_KEY.to_owned(), text)).into_iter().collect()
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let mut failures = Failures::default();
        let keys = self.keys.of_rows(values.canonical, values.companions, &mut failures)?;
        let made = match self.encoding {
            TokenEncoding::Binary => bytes(values.canonical, |row, value, out| {
                keys.get(row).ok_or(NO_COMPANION)?.encrypt(value, out);
                Ok(())
            })?,
            TokenEncoding::Hex => self.texts(values, |row| keys.get(row), &HEXLOWER)?,
            _ => self.texts(values, |row| keys.get(row), &BASE64URL_NOPAD)?,
        };
        Ok(with_failures(failures, made))
    }
}

impl Encrypt {
    fn texts<'k>(
        &self,
        values: &Values<'_>,
        key: impl Fn(usize) -> Option<&'k SivKey>,
        encoding: &data_encoding::Encoding,
    ) -> Result<Transformed, TransformError> {
        let mut token = Vec::new();
        texts_of_bytes(values.canonical, |row, value, out| {
            token.clear();
            key(row).ok_or(NO_COMPANION)?.encrypt(value, &mut token);
            encoding.encode_append(&token, out);
            Ok(())
        })
    }
}
