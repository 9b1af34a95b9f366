//! `SHA-256(canonical)`, FIPS 180-4: unkeyed, so anyone can recompute it for a value they guess.

use arrow::array::Array;
use arrow::datatypes::DataType;
use sha2::{Digest, Sha256};

use super::tokens::TokenFormat;
use super::{Transform, TransformError, Transformed, ValueSize, Values, require_canonical, text_like};
use crate::crypto::encode::TokenEncoding;

/// An unkeyed digest: a checksum of the value, no protection of it.
#[derive(Debug)]
pub struct Hash {
    format: TokenFormat,
}

impl Hash {
    /// All 256 bits, written in `encoding`.
    pub fn sha256(encoding: TokenEncoding) -> Self {
        Self { format: TokenFormat { bytes: 32, encoding, prefix: String::new() } }
    }
}

impl Transform for Hash {
    fn name(&self) -> &'static str {
        "hash"
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
        let array = self.format.column(canonical, |rows, out| {
            for (row, digest) in rows.zip(out) {
                if canonical.is_valid(row) {
                    *digest = Sha256::digest(canonical.value(row)).into();
                }
            }
            Ok(())
        })?;
        Ok(array.into())
    }
}
