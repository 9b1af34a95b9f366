//! Unkeyed digests: anyone can recompute them for a value they guess.

use arrow::array::{Array, BinaryArray};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha512};

use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind};
use super::tokens::{TokenFormat, refused_encoding};
use super::{Transform, TransformError, Transformed, ValueSize, Values, require_canonical, text_like};
use crate::crypto::encode::TokenEncoding;

/// Replaces every value by its unkeyed digest: anyone can test guesses, so a warning goes with it.
///
/// Formula: the digest of the canonical bytes: SHA-256 or SHA-512 (FIPS 180-4), BLAKE3 (32 bytes, no key), or XXH3 (64
/// bits, seed 0, written big-endian: a checksum for grouping, whose collisions anyone can make).
/// Accepted types: those of `pseudonym`. Result type: text, or fixed-size binary with `encoding: binary`.
/// Example: `abc` becomes `ba7816bf…`. Deterministic under every key; for short or listed values
/// (telephone numbers, e-mail addresses) as good as reversible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashSpec {
    /// The digest; `sha256` by default.
    #[serde(default)]
    pub algorithm: HashAlgorithm,
    /// How the digest's bytes are written; `hex` by default, `uuid` and `base64` are refused.
    #[serde(default)]
    pub encoding: TokenEncoding,
}

/// An unkeyed digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-256, FIPS 180-4, 32 bytes.
    #[default]
    Sha256,
    /// SHA-512, FIPS 180-4, 64 bytes.
    Sha512,
    /// BLAKE3, 32 bytes.
    Blake3,
    /// XXH3 with seed 0, 8 bytes, most significant first. No cryptographic hash.
    Xxh3,
}

impl HashAlgorithm {
    /// Bytes of a digest.
    pub fn bytes(self) -> usize {
        match self {
            Self::Sha256 | Self::Blake3 => 32,
            Self::Sha512 => 64,
            Self::Xxh3 => 8,
        }
    }
}

impl Family for HashSpec {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = match self.encoding {
            TokenEncoding::Uuid => vec![refused_encoding("a digest is no UUID")],
            TokenEncoding::Base64 => vec![refused_encoding("`base64` is not offered for digests")],
            _ => Vec::new(),
        };
        let message = "`hash` uses no key: anyone can compute the digest of a guessed value";
        let hint = "`pseudonym` gives tokens that nobody can guess without the key";
        faults.push(Fault::of(FaultKind::Unkeyed, "", message).hint(hint));
        faults
    }

    fn facts(&self) -> Facts<'_> {
        let bits = (self.algorithm.bytes() * 8) as u16;
        Facts { tests_guesses: true, token_bits: Some(bits), ..Facts::COARSE }
    }

    fn build(&self, _: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        Ok(Box::new(Hash::new(self.algorithm, self.encoding)))
    }
}

/// An unkeyed digest: a checksum of the value, no protection of it.
#[derive(Debug)]
pub struct Hash {
    algorithm: HashAlgorithm,
    format: TokenFormat,
}

impl Hash {
    /// The whole digest, written in `encoding`.
    pub fn new(algorithm: HashAlgorithm, encoding: TokenEncoding) -> Self {
        Self { algorithm, format: TokenFormat { bytes: algorithm.bytes(), encoding, prefix: String::new() } }
    }

    fn column<const N: usize>(
        &self,
        values: &BinaryArray,
        digest: impl Fn(&[u8]) -> [u8; N],
    ) -> Result<Transformed, TransformError> {
        let array = self.format.column(values, |rows, out| {
            for (row, out) in rows.zip(out) {
                if values.is_valid(row) {
                    *out = digest(values.value(row));
                }
            }
            Ok(())
        })?;
        Ok(array.into())
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
        match self.algorithm {
            HashAlgorithm::Sha256 => self.column(values.canonical, |value| Sha256::digest(value).into()),
            HashAlgorithm::Sha512 => self.column(values.canonical, |value| Sha512::digest(value).into()),
            HashAlgorithm::Blake3 => self.column(values.canonical, |value| *blake3::hash(value).as_bytes()),
            HashAlgorithm::Xxh3 => {
                self.column(values.canonical, |value| twox_hash::XxHash3_64::oneshot(value).to_be_bytes())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::{any_keys, built, one};
    use crate::crypto::vectors;

    #[test]
    fn every_digest_of_the_known_answers_comes_out() {
        for case in vectors::cases_of::<serde_json::Value>("hash-v1.json", "hash") {
            for algorithm in ["sha256", "sha512", "blake3", "xxh3"] {
                let built = built(json!({ "hash": { "algorithm": algorithm } }), &any_keys()).unwrap();
                let made = one(&built, case["canonical_utf8"].as_str().unwrap(), &[]);
                assert_eq!(made.as_deref(), case[algorithm].as_str(), "{algorithm} of {case}");
            }
        }
    }
}
