//! Numbers that a policy writes, exact: `0.1` is one tenth, not the binary fraction next to it.

use std::fmt;
use std::str::FromStr;

use arrow::datatypes::i256;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::arrays::decimal::{push_i128, push_i256};

/// A decimal number of at most 38 digits, without an exponent.
///
/// ```
/// use lakeveil::transforms::generalize::Decimal;
/// assert_eq!("-0.50".parse::<Decimal>()?.to_string(), "-0.5");
/// assert!("1e3".parse::<Decimal>().is_err());
/// # Ok::<(), lakeveil::transforms::generalize::DecimalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// Not a multiple of ten where `scale` is not 0.
    unscaled: i128,
    /// 0 to 38.
    scale: u8,
}

/// A text that is not a plain decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number is written in plain decimal digits, at most 38, such as `-12.5`")]
pub struct DecimalError;

/// An integer that may lie outside of 256 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Limit {
    /// Less than all 256-bit integers.
    Below,
    /// One of them.
    At(i256),
    /// Greater than all of them.
    Above,
}

impl Decimal {
    /// None.
    pub const ZERO: Self = Self { unscaled: 0, scale: 0 };

    /// Whether it is greater than 0.
    pub fn is_positive(self) -> bool {
        self.unscaled > 0
    }

    /// Digits after the point.
    pub(super) fn scale(self) -> u8 {
        self.scale
    }

    /// The integer `self * 10^scale`, if `scale` is not less than its own and it has 256 bits.
    pub(super) fn at_scale(self, scale: i32) -> Option<i256> {
        let more = u32::try_from(scale - i32::from(self.scale)).ok()?;
        i256::from_i128(self.unscaled).checked_mul(ten_to(more)?)
    }

    /// The least integer that is not less than `self * 10^scale`.
    pub(super) fn ceil_at_scale(self, scale: i32) -> Limit {
        let unscaled = i256::from_i128(self.unscaled);
        let more = scale - i32::from(self.scale);
        if more >= 0 {
            return match ten_to(more.unsigned_abs()).and_then(|power| unscaled.checked_mul(power)) {
                Some(limit) => Limit::At(limit),
                None if self.unscaled == 0 => Limit::At(i256::ZERO),
                None if self.unscaled < 0 => Limit::Below,
                None => Limit::Above,
            };
        }
        let up = i256::from_i128(i128::from(self.unscaled > 0));
        let Some(power) = ten_to(more.unsigned_abs()) else { return Limit::At(up) };
        // the quotient is rounded towards 0, which is up for what is less than it
        let up = if unscaled.wrapping_rem(power) == i256::ZERO { i256::ZERO } else { up };
        Limit::At(unscaled.wrapping_div(power).wrapping_add(up))
    }
}

/// `10^exponent`, if it has 256 bits.
pub(super) fn ten_to(exponent: u32) -> Option<i256> {
    i256::from_i128(10).checked_pow(exponent)
}

/// `unscaled * 10^-scale` in plain decimal digits.
pub(super) fn push_scaled(out: &mut Vec<u8>, unscaled: i256, scale: u8) {
    // a scale is at most that of a column (76) or of a policy's number (38)
    push_i256(out, unscaled, scale as i8);
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let scale = i32::from(self.scale.max(other.scale));
        // 38 digits and 38 more have 256 bits
        self.at_scale(scale).cmp(&other.at_scale(scale))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        push_i128(&mut text, self.unscaled, self.scale as i8);
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(DecimalError),
            Some((whole, fraction)) => (whole, fraction.trim_end_matches('0')),
            None => (digits, ""),
        };
        if whole.is_empty() || fraction.len() > 38 {
            return Err(DecimalError);
        }
        let magnitude = whole.bytes().chain(fraction.bytes()).try_fold(0i128, |number, byte| {
            let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
            number.checked_mul(10)?.checked_add(digit)
        });
        let magnitude = magnitude.filter(|&magnitude| magnitude < 10i128.pow(38)).ok_or(DecimalError)?;
        Ok(Self { unscaled: if negative { -magnitude } else { magnitude }, scale: fraction.len() as u8 })
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DecimalVisitor;

        impl Visitor<'_> for DecimalVisitor {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
                Ok(Decimal { unscaled: number.into(), scale: 0 })
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
                Ok(Decimal { unscaled: number.into(), scale: 0 })
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Decimal, E> {
                // the shortest text that gives this number: what was written, if that had up to 15 digits
                self.visit_str(&number.to_string())
            }
        }

        deserializer.deserialize_any(DecimalVisitor)
    }
}

impl JsonSchema for Decimal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A decimal number of at most 38 digits, taken exactly as written.",
            "anyOf": [{ "type": "number" }, { "type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$" }],
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_are_read_exactly_and_printed_without_what_says_nothing() {
        let most = "9".repeat(38);
        for (text, printed) in [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("007", "7"),
            ("1.50", "1.5"),
            ("-12.25", "-12.25"),
            (most.as_str(), most.as_str()),
            (&format!("0.{most}"), &format!("0.{most}")),
            (&format!("1.{}", "0".repeat(99)), "1"),
        ] {
            assert_eq!(decimal(text).to_string(), printed);
        }
        for text in ["", "-", ".5", "5.", "1e3", "+1", " 1", "1 ", "1.5.5", "--1", "\u{663}", "0x10", "NaN", "1_000"] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError), "{text}");
        }
        for text in [format!("1{most}"), format!("0.0{most}"), format!("{most}.1")] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError), "{text}");
        }
    }

    #[test]
    fn a_limit_is_rounded_up_at_the_scale_of_a_column() {
        let at = |number| Limit::At(i256::from_i128(number));
        for (text, scale, limit) in [
            ("0.15", 1, at(2)),
            ("-0.15", 1, at(-1)),
            ("0.1", 1, at(1)),
            ("0.1", 3, at(100)),
            ("1500", -3, at(2)),
            ("-1500", -3, at(-1)),
            ("2000", -3, at(2)),
            ("5", -100, at(1)),
            ("-5", -100, at(0)),
            ("0", -100, at(0)),
            ("0", 100, at(0)),
            ("1", 100, Limit::Above),
            ("-1", 100, Limit::Below),
        ] {
            assert_eq!(decimal(text).ceil_at_scale(scale), limit, "{text} at {scale}");
        }
    }

    #[test]
    fn a_number_is_read_from_text_and_from_the_numbers_of_json() {
        for json in ["\"0.1\"", "0.1"] {
            assert_eq!(serde_json::from_str::<Decimal>(json).unwrap(), decimal("0.1"));
        }
        assert_eq!(serde_json::from_str::<Decimal>("18446744073709551615").unwrap(), decimal("18446744073709551615"));
        assert_eq!(serde_json::from_str::<Decimal>("-9").unwrap(), decimal("-9"));
        assert!(serde_json::from_str::<Decimal>("true").is_err());
    }

    proptest! {
        #[test]
        fn order_is_that_of_numbers(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000, zeros in 0usize..9) {
            let zeros = "0".repeat(zeros);
            let sign = |n: i64| if n < 0 { "-" } else { "" };
            let text = |n: i64| format!("{}{}.{:03}{zeros}", sign(n), n.abs() / 1000, n.abs() % 1000);
            prop_assert_eq!(decimal(&text(a)).cmp(&decimal(&text(b))), a.cmp(&b));
        }
    }
}
