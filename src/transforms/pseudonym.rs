//! `HMAC-SHA256[subkey](canonical)`, truncated and encoded: TOKENS.md section 3, on RFC 2104.

use arrow::datatypes::DataType;

use super::subkeys::Subkeys;
use super::tokens::TokenFormat;
use super::{Transform, TransformError, Transformed, ValueSize, Values, require_canonical, text_like};
use crate::arrays::failure::Failures;
use crate::crypto::encode::TokenEncoding;

/// The purpose under which subkeys of this family are derived.
pub const PURPOSE: &str = "pseudonym";

/// Keyed one-way tokens: equal values in one domain have equal tokens, whoever lacks the key can't compute them.
#[derive(Debug)]
pub struct Pseudonym {
    keys: Subkeys,
    format: TokenFormat,
}

impl Pseudonym {
    /// Tokens of `bits` bits (64 to 256 in steps of 8; 128 for `uuid`), written in `encoding` behind `prefix`.
    pub fn new(keys: Subkeys, bits: u16, encoding: TokenEncoding, prefix: &str) -> Self {
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
        match &self.keys {
            Subkeys::One(key) => {
                let array = self.format.column(canonical, |rows, out| {
                    key.sign_many(&canonical.value_offsets()[rows.start..=rows.end], canonical.value_data(), out);
                    Ok(())
                })?;
                Ok(array.into())
            }
            Subkeys::PerRow(per_row) => {
                let mut failures = Failures::default();
                let digests = per_row.sign(canonical, values.companions, &mut failures)?;
                let known = super::cell::without(canonical, &failures);
                let array = self.format.column(&known, |rows, out| {
                    out.copy_from_slice(&digests[rows]);
                    Ok(())
                })?;
                Ok(Transformed { array, failures })
            }
        }
    }
}
