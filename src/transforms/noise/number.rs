//! Numbers of the policy: finite, and read as the decimal that was written.

use std::borrow::Cow;
use std::fmt;

use arrow::datatypes::i256;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A finite number of a policy.
///
/// It is what its shortest decimal says: the `0.1` of a policy is one tenth where exactness counts, see
/// [`unscaled`](Number::unscaled).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Number(f64);

impl Eq for Number {}

impl JsonSchema for Number {
    fn schema_name() -> Cow<'static, str> {
        "FiniteNumber".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["number", "string"], "description": "A finite number." })
    }
}

impl Number {
    /// `None` for NaN and infinities.
    pub fn new(number: f64) -> Option<Self> {
        // one zero, so that equal numbers are written alike
        number.is_finite().then_some(Self(number + 0.0))
    }

    /// As f64.
    pub fn get(self) -> f64 {
        self.0
    }

    /// The number times 10^`scale`, rounded to a whole number, upwards or downwards; at the ends of i256 it stays.
    pub fn unscaled(self, scale: i32, upwards: bool) -> i256 {
        let negative = self.0 < 0.0;
        // the shortest decimal that reads back as this f64, never with an exponent
        let text = self.0.abs().to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let (digits, places) = ([whole, fraction].concat(), fraction.len() as i32);
        let shift = scale - places;
        let (kept, cut) = match usize::try_from(-shift) {
            Ok(dropped) => digits.split_at(digits.len().saturating_sub(dropped)),
            Err(_) => (digits.as_str(), ""),
        };
        let zeros = usize::try_from(shift).unwrap_or(0);
        let magnitude = if kept.bytes().all(|digit| digit == b'0') {
            Some(i256::ZERO)
        } else {
            i256::from_string(&[kept, &"0".repeat(zeros.min(MAX_ZEROS))].concat())
        };
        let away = upwards != negative && cut.bytes().any(|digit| digit != b'0');
        let magnitude =
            magnitude.and_then(|magnitude| magnitude.checked_add(if away { i256::ONE } else { i256::ZERO }));
        match (magnitude, negative) {
            (Some(magnitude), false) => magnitude,
            (Some(magnitude), true) => magnitude.wrapping_neg(),
            (None, false) => i256::MAX,
            (None, true) => i256::MIN,
        }
    }
}

/// More digits than an i256 has.
const MAX_ZEROS: usize = 100;

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        // a policy's scalars come as texts, JSON's as numbers
        impl de::Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a finite number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                let number = text.trim().parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))?;
                self.visit_f64(number)
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                Number::new(number).ok_or_else(|| E::custom("a number must be finite"))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                self.visit_f64(number as f64)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                self.visit_f64(number as f64)
            }
        }

        deserializer.deserialize_any(NumberVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_scaled_as_they_are_written() {
        let cases = [
            (0.1, 2, 10, 10),
            (0.125, 2, 12, 13),
            (-0.125, 2, -13, -12),
            (0.29, 2, 29, 29),
            (1e21, 0, 10i128.pow(21), 10i128.pow(21)),
            (1250.0, -2, 12, 13),
            (-1250.0, -2, -13, -12),
            (5.0, -2, 0, 1),
            (-5.0, -2, -1, 0),
            (1e-300, 9, 0, 1),
            (-1e-300, 9, -1, 0),
            (0.0, 76, 0, 0),
            (-0.0, -128, 0, 0),
        ];
        for (number, scale, down, up) in cases {
            let number = Number::new(number).unwrap();
            let seen = (number.unscaled(scale, false), number.unscaled(scale, true));
            assert_eq!(seen, (i256::from_i128(down), i256::from_i128(up)), "{number:?} at {scale}");
        }
    }

    #[test]
    fn what_no_256_bit_integer_holds_stays_at_the_ends() {
        for (number, end) in [(1e300, i256::MAX), (-1e300, i256::MIN), (9.0, i256::MAX)] {
            assert_eq!(Number::new(number).unwrap().unscaled(127, true), end);
        }
        assert_eq!(Number::new(f64::MAX).unwrap().unscaled(i32::from(i8::MIN), false), i256::MAX);
    }

    #[test]
    fn numbers_are_finite() {
        assert_eq!(serde_json::from_str::<Number>("5").unwrap().get(), 5.0);
        assert_eq!(serde_json::from_str::<Number>("\"0.5\"").unwrap().get(), 0.5);
        for text in ["1e999", "\"inf\"", "\"NaN\"", "\"a\"", "\"\""] {
            assert!(serde_json::from_str::<Number>(text).is_err(), "{text}");
        }
        assert!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].into_iter().all(|number| Number::new(number).is_none()));
    }
}
