//! Fresh random tokens: nothing links them to another run, or (by default) to each other.

use std::sync::{Arc, OnceLock};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use zeroize::Zeroizing;

use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind};
use super::presence::presence;
use super::tokens::{TokenFormat, refused_encoding};
use super::{Transform, TransformError, Transformed, ValueSize, Values, require_canonical, text_like};
use crate::crypto::HmacKey;
use crate::crypto::encode::TokenEncoding;

/// Replaces every value by a random token of this run: nobody, with whatever key, can repeat it or test guesses.
///
/// Formula: `per: row`: `bits` random bits of the operating system for each value; `per: run`: the first `bits`/8 bytes
/// of HMAC-SHA256(k, canonical bytes), RFC 2104, with a random 32-byte key k that is drawn once for the rule, kept in
/// memory only, and gone when the run ends.
/// Accepted types: `per: row`: all but nested ones; `per: run`: those of `pseudonym`.
/// Result type: text, or fixed-size binary with `encoding: binary`.
/// Example: `random: {}` gives 32 hexadecimal digits, other ones for each row and in each run.
/// Not deterministic: a rerun gives other bytes, and no two outputs can be joined. `per: row` shows nothing but which
/// rows are null; `per: run` shows which values of the rule's columns are equal, within the run. Not reversible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RandomSpec {
    /// What gets a token of its own; `row` by default.
    #[serde(default)]
    pub per: RandomPer,
    /// Token length in bits, 96 to 256 in steps of 8; 128 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 96, max = 256), extend("multipleOf" = 8))]
    pub bits: Option<u16>,
    /// How the token's bytes are written; `hex` by default, `base64` is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TokenEncoding>,
    /// Literal text before each token; not with `encoding: binary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Drawn when first needed; all that is built from one policy, read once, shares it.
    #[serde(skip)]
    key: RunKey,
}

/// What gets a random token of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RandomPer {
    /// Every value, equal ones too.
    #[default]
    Row,
    /// Each distinct value of the rule's columns in this run.
    Run,
}

/// Fewer could meet by chance within a large table, and there is no one who would have to agree to that.
const MIN_BITS: u16 = 96;
const MAX_BITS: u16 = 256;
const UUID_BITS: u16 = 128;

impl RandomSpec {
    fn bits(&self) -> u16 {
        self.bits.unwrap_or(128)
    }

    fn encoding(&self) -> TokenEncoding {
        self.encoding.unwrap_or_default()
    }
}

impl Family for RandomSpec {
    fn faults(&self) -> Vec<Fault> {
        let (bits, encoding) = (self.bits(), self.encoding());
        let mut faults = Vec::new();
        if !(MIN_BITS..=MAX_BITS).contains(&bits) || !bits.is_multiple_of(8) {
            let message = format!("a random token has {MIN_BITS} to {MAX_BITS} bits in steps of 8, found {bits}");
            faults.push(Fault::of(FaultKind::Bits, "bits", message).hint("128 serves most tables"));
        } else if encoding == TokenEncoding::Uuid && bits != UUID_BITS {
            let message = format!("a UUID is made of {UUID_BITS} bits, found {bits}");
            faults.push(Fault::of(FaultKind::Bits, "bits", message).hint("leave `bits` out"));
        }
        if encoding == TokenEncoding::Base64 {
            faults.push(refused_encoding("`base64` holds `/` and `+`, which are kept out of tokens"));
        }
        if self.prefix.is_some() && encoding == TokenEncoding::Binary {
            let message = "`prefix` is text, and binary tokens are not";
            let hint = "remove `prefix`, or choose a text encoding";
            faults.push(Fault::of(FaultKind::Prefix, "prefix", message).hint(hint));
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        let bits = if self.encoding() == TokenEncoding::Uuid { UUID_BITS - 6 } else { self.bits() };
        Facts { deterministic: false, token_bits: Some(bits), ..Facts::COARSE }
    }

    fn resolved(&self) -> Vec<(&'static str, serde_json::Value)> {
        vec![("per", json!(self.per)), ("bits", self.bits().into()), ("encoding", json!(self.encoding()))]
    }

    fn build(&self, _: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        let format = TokenFormat {
            bytes: usize::from(self.bits()) / 8,
            encoding: self.encoding(),
            prefix: self.prefix.clone().unwrap_or_default(),
        };
        let key = match self.per {
            RandomPer::Row => None,
            RandomPer::Run => Some(self.key.get().map_err(BuildError::Key)?),
        };
        Ok(Box::new(Random { key, format }))
    }
}

/// A key that is drawn once; clones are the same key.
#[derive(Clone, Default)]
struct RunKey(Arc<OnceLock<HmacKey>>);

impl RunKey {
    fn get(&self) -> Result<HmacKey, String> {
        if let Some(known) = self.0.get() {
            return Ok(known.clone());
        }
        let mut bytes = Zeroizing::new([0; 32]);
        draw(&mut *bytes)?;
        Ok(self.0.get_or_init(|| HmacKey::new(&*bytes)).clone())
    }
}

impl std::fmt::Debug for RunKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RunKey([redacted])")
    }
}

/// No part of what a policy says: two policies that say the same are equal, whatever was drawn for them.
impl PartialEq for RunKey {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for RunKey {}

/// Fills `out` with random bytes of the operating system.
fn draw(out: &mut [u8]) -> Result<(), String> {
    getrandom::fill(out).map_err(|error| format!("no random bytes from the operating system: {error}"))
}

/// Random tokens.
#[derive(Debug)]
struct Random {
    /// Of the run, if equal values share a token.
    key: Option<HmacKey>,
    format: TokenFormat,
}

impl Random {
    /// `N` is how many bytes are drawn for a token, at least as many as it has.
    fn fresh<const N: usize>(&self, array: &ArrayRef) -> Result<Transformed, TransformError> {
        let rows = presence(array)?;
        let made =
            self.format.column::<N>(&rows, |_, out| draw(out.as_flattened_mut()).map_err(TransformError::Key))?;
        Ok(made.into())
    }
}

impl Transform for Random {
    fn name(&self) -> &'static str {
        "random"
    }

    fn needs_text(&self) -> bool {
        self.key.is_some()
    }

    fn once_per_value(&self) -> bool {
        self.key.is_some()
    }

    fn looks_random(&self) -> bool {
        true
    }

    fn value_size(&self) -> ValueSize {
        self.format.value_size()
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        if self.key.is_some() {
            require_canonical(input)?;
        } else if input.is_nested() {
            return Err(format!("{input} is nested; name its leaves, or drop or nullify the whole"));
        }
        Ok(match self.format.data_type() {
            DataType::Utf8 => text_like(input),
            binary => binary,
        })
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let canonical = values.canonical;
        match &self.key {
            Some(key) => {
                let made = self.format.column(canonical, |rows, out| {
                    key.sign_many(&canonical.value_offsets()[rows.start..=rows.end], canonical.value_data(), out);
                    Ok(())
                })?;
                Ok(made.into())
            }
            None if self.format.bytes <= 16 => self.fresh::<16>(values.array),
            None => self.fresh::<32>(values.array),
        }
    }
}

#[cfg(test)]
mod tests;
