//! Format-preserving encryption, FF1: TOKENS.md section 3, on NIST SP 800-38G.
//!
//! | file | holds |
//! |---|---|
//! | `alphabet` | symbols and separators: text to numerals and back |
//! | `checksum` | Luhn and IBAN |
//! | `number` | integers and decimals |

mod alphabet;
mod checksum;
mod number;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::BinaryArray;
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind, scope_faults};
use super::keyed::{self, Keyed, NO_COMPANION};
use super::spec::TenantSpec;
use super::texts::{Reason, texts};
use super::{Transform, TransformError, Transformed, Values};
use crate::arrays::failure::Failures;
use crate::crypto::ff1::{Ff1Error, KEY_BYTES};
use crate::crypto::{Ff1Key, frame};

pub use alphabet::{Alphabet, AlphabetError, Ambiguous, Format};

/// The purpose under which subkeys of this family are derived.
pub const PURPOSE: &str = "fpe";

/// The alphabet where a policy names none, and the one that checksums and numbers are of.
const DIGITS: &str = "digits";

/// Encrypts every value into one of the same form: as long, of the same symbols, separators in place.
///
/// Formula: FF1[subkey(`fpe`, domain, tenant)](symbols of the value), AES-256, NIST SP 800-38G. Tweak: empty, or the
/// canonical bytes of `tweak_column`.
/// Accepted types: text, integers, decimals. Result type: the same. Of a number the decimal digits of the magnitude
/// (of a decimal: of its unscaled integer) are encrypted; sign, count of digits and scale stay.
/// An error of the value: a character that is neither symbol nor separator, more than 256 symbols, so few that there
/// are under 1 000 000 values of that length (6 digits at least; a number 7), a checksum that does not hold.
/// Example: `{ domain: cards, checksum: luhn }` turns `4111-1111-1111-1111` into a Luhn-valid `8357-0843-1600-1573`.
/// Deterministic under one key and tweak, and reversible with them: whoever has the key has the values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FpeSpec {
    /// Separates token spaces: columns that must join share a domain, all others have one of their own.
    ///
    /// May hold column names in braces, `users/{region}`, whose values become part of the domain row by row;
    /// a literal brace is doubled.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// Gives each tenant a key of its own; without it the tenant is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
    /// `digits` (0-9, the default), `lower` (a-z), `upper` (A-Z), `alphanumeric` (0-9A-Za-z), `hex` (0-9a-f), or 2 to
    /// 65536 symbols in their order, none twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alphabet: Option<String>,
    /// Characters that stay where they are, none of them in the alphabet; ` -./()+:` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separators: Option<String>,
    /// The checksum that values have, and outputs too; of text and digits only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// A source column whose value takes part in the encryption: equal values give equal outputs where it is equal as
    /// well. A null or empty one is an error of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub tweak_column: Option<String>,
}

/// How values check themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Checksum {
    /// Luhn's formula, as payment cards have it (ISO/IEC 7812-1): the last digit follows from the others.
    Luhn,
    /// International bank account numbers (ISO 13616-1): country and letters stay, the digits after them are
    /// encrypted. Written in upper case without spaces.
    Iban,
}

impl Checksum {
    /// What stands before the tweak.
    fn name(self) -> &'static str {
        match self {
            Self::Luhn => "luhn",
            Self::Iban => "iban",
        }
    }
}

impl FpeSpec {
    fn alphabet(&self) -> &str {
        self.alphabet.as_deref().unwrap_or(DIGITS)
    }

    fn separators(&self) -> &str {
        self.separators.as_deref().unwrap_or(Format::DEFAULT_SEPARATORS)
    }

    /// The transform itself, which also goes the way back.
    ///
    /// # Errors
    /// [`BuildError`]
    pub fn transform(&self, context: &mut Context<'_>) -> Result<Fpe, BuildError> {
        let options = |error: &dyn std::fmt::Display| BuildError::Options(error.to_string());
        if let Some(fault) = self.checksum_faults().first() {
            return Err(options(&fault.message));
        }
        let alphabet = Alphabet::parse(self.alphabet()).map_err(|error| options(&error))?;
        let radix = alphabet.radix();
        let shape = match self.checksum {
            Some(Checksum::Iban) => Shape::Iban,
            checksum => {
                let format = Format::new(alphabet, self.separators()).map_err(|error| options(&error))?;
                if checksum.is_some() { Shape::Luhn(format) } else { Shape::Plain(format) }
            }
        };
        let key = move |subkey: &[u8]| Ff1Key::new(subkey, radix).map_err(|error| error.to_string());
        let keys = context.keyed(PURPOSE, &self.domain, self.tenant.as_ref(), KEY_BYTES, key)?;
        let tweak = self.tweak_column.as_deref().map(|column| context.companion(column));
        Ok(Fpe { keys, shape, tweak })
    }

    fn checksum_faults(&self) -> Vec<Fault> {
        let refused = |key: &str, message: &str, hint: &str| Fault::of(FaultKind::Value, key, message).hint(hint);
        match self.checksum {
            Some(Checksum::Iban) => [("alphabet", self.alphabet.is_some()), ("separators", self.separators.is_some())]
                .into_iter()
                .filter(|(_, written)| *written)
                .map(|(key, _)| refused(key, "`checksum: iban` has symbols of its own", "leave it out"))
                .collect(),
            Some(Checksum::Luhn) if self.alphabet() != DIGITS => {
                vec![refused("alphabet", "`checksum: luhn` is of digits", "leave it out")]
            }
            _ => Vec::new(),
        }
    }
}

impl Family for FpeSpec {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = scope_faults(&self.domain, self.tenant.as_ref());
        let of_checksum = self.checksum_faults();
        if of_checksum.is_empty() {
            match Alphabet::parse(self.alphabet()) {
                Err(error) => faults.push(Fault::of(FaultKind::Value, "alphabet", error.to_string())),
                Ok(alphabet) => {
                    if let Err(error) = Format::new(alphabet, self.separators()) {
                        let hint = "name the separators that stay, or none: `separators: \"\"`";
                        faults.push(Fault::of(FaultKind::Value, "separators", error.to_string()).hint(hint));
                    }
                }
            }
        }
        faults.extend(of_checksum);
        if self.tweak_column.as_ref().is_some_and(String::is_empty) {
            faults.push(Fault::of(FaultKind::Value, "tweak_column", "the tweak's column has no name"));
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        Facts { reversible: true, ..Facts::keyed(&self.domain) }
    }

    fn resolved(&self) -> Vec<(&'static str, serde_json::Value)> {
        match self.checksum {
            Some(Checksum::Iban) => Vec::new(),
            _ => vec![("alphabet", json!(self.alphabet())), ("separators", json!(self.separators()))],
        }
    }

    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        Ok(Box::new(self.transform(context)?))
    }
}

/// What values look like.
#[derive(Debug)]
enum Shape {
    Plain(Format),
    Luhn(Format),
    Iban,
}

/// Values of the same form; see [`FpeSpec`].
#[derive(Debug)]
pub struct Fpe {
    keys: Keyed<Ff1Key>,
    shape: Shape,
    tweak: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Encrypt,
    Decrypt,
}

/// FF1 with a row's key and tweak, one way or the other.
struct Cipher<'a> {
    key: &'a Ff1Key,
    tweak: &'a [u8],
    direction: Direction,
}

impl Cipher<'_> {
    fn run(&self, numerals: &mut [u16]) -> Result<(), Reason> {
        let run = match self.direction {
            Direction::Encrypt => self.key.encrypt(self.tweak, numerals),
            Direction::Decrypt => self.key.decrypt(self.tweak, numerals),
        };
        run.map_err(|error: Ff1Error| error.to_string().into())
    }
}

const NO_TWEAK: &str = "the tweak column of its row is null or empty";

impl Fpe {
    /// The inverse of [`apply`](Transform::apply): the same form again, with what was encrypted. `values` are the
    /// outputs; an IBAN comes back in upper case without spaces.
    ///
    /// # Errors
    /// As [`apply`](Transform::apply).
    pub fn unapply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        self.run(values, Direction::Decrypt)
    }

    fn run(&self, values: &Values<'_>, direction: Direction) -> Result<Transformed, TransformError> {
        let mut failures = Failures::default();
        let keys = self.keys.of_rows(values.canonical, values.companions, &mut failures)?;
        let mut tweak = Vec::new();
        let mut with_cipher = |row: usize, each: &mut dyn FnMut(&Cipher<'_>) -> Result<(), Reason>| {
            let key = keys.get(row).ok_or(NO_COMPANION)?;
            self.write_tweak(row, values.companions, &mut tweak)?;
            each(&Cipher { key, tweak: &tweak, direction })
        };
        let mut numerals = Vec::new();
        let made = match values.array.data_type() {
            DataType::Null => Arc::clone(values.array).into(),
            number if number::is_number(number) => number::numbers(values, with_cipher)?,
            _ => texts(values.canonical, |row, text, out| {
                with_cipher(row, &mut |cipher| match &self.shape {
                    Shape::Iban => checksum::iban(cipher, text, &mut numerals, out),
                    Shape::Plain(format) | Shape::Luhn(format) => {
                        format.read(text, &mut numerals)?;
                        match self.shape {
                            Shape::Luhn(_) => checksum::luhn(cipher, &mut numerals)?,
                            _ => cipher.run(&mut numerals)?,
                        }
                        format.write(text, &numerals, out);
                        Ok(())
                    }
                })
            })?,
        };
        failures.extend(made.failures);
        Ok(Transformed { failures, ..made })
    }

    /// The row's tweak, behind the name of the checksum if there is one.
    fn write_tweak(&self, row: usize, companions: &[BinaryArray], out: &mut Vec<u8>) -> Result<(), Reason> {
        let given = match self.tweak {
            None => &[][..],
            Some(at) => companions.get(at).and_then(|column| keyed::bytes(column, row)).ok_or(NO_TWEAK)?,
        };
        out.clear();
        match self.checksum() {
            None => out.extend_from_slice(given),
            Some(checksum) => {
                frame(out, checksum.name().as_bytes());
                frame(out, given);
            }
        }
        Ok(())
    }

    fn checksum(&self) -> Option<Checksum> {
        match self.shape {
            Shape::Plain(_) => None,
            Shape::Luhn(_) => Some(Checksum::Luhn),
            Shape::Iban => Some(Checksum::Iban),
        }
    }
}

impl Transform for Fpe {
    fn name(&self) -> &'static str {
        "fpe"
    }

    fn looks_random(&self) -> bool {
        true
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        use DataType::*;
        match input {
            Utf8 | LargeUtf8 | Utf8View | Null => Ok(input.clone()),
            number if number::is_number(number) => match &self.shape {
                Shape::Plain(format) if Ok(format.alphabet()) == Alphabet::parse(DIGITS).as_ref() => Ok(input.clone()),
                Shape::Plain(_) => Err(format!("{input} has digits alone; leave `alphabet` out")),
                Shape::Luhn(_) | Shape::Iban => Err(format!("`checksum` is of text, and {input} is none")),
            },
            _ => Err(format!("`fpe` takes text, integers and decimals, not {input}")),
        }
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        self.run(values, Direction::Encrypt)
    }
}
