//! The narrowest type that a sample of a column's texts fits.

use arrow::array::StringArray;
use arrow::datatypes::TimeUnit;

use crate::arrays::iso;
use crate::policy::ColumnType;

/// Looks at texts and names the narrowest of `int64`, `float64`, `boolean`, `date`, `timestamp`, `timestamp(UTC)` and
/// `text` that holds them all without loss.
///
/// - A text with a leading zero or a plus (`007`, `+49`), with blanks around it, or empty within quotes makes `text`:
///   it is more likely an identifier than a number.
/// - `int64`: plain digits, `-` if negative, within 64 bits; longer ones are `text`, never a rounded float.
/// - `float64`: digits, a point, digits, and an optional exponent, of at most 15 significant digits (all of which
///   survive); whole numbers among them if they are as short.
/// - `boolean`: `true` and `false`, all lower-case, all upper-case or capitalized; never `0` and `1`.
/// - `date` is `YYYY-MM-DD`; `timestamp` has seconds and at most six fractional digits; all with an offset or `Z` are
///   `timestamp(UTC)`, a mixture is `text`. Days of the year 0000 are `text`.
/// - Nulls say nothing; nothing but nulls is `text`.
///
/// The sample is not the column: a later value that does not fit is an error of its row.
///
/// ```
/// use arrow::array::StringArray;
/// use lakeveil::engine::csv::Inference;
/// use lakeveil::policy::ColumnType;
///
/// let of = |texts: &[&str]| {
///     let mut inference = Inference::default();
///     inference.see(&StringArray::from(texts.to_vec()));
///     inference.column_type()
/// };
/// assert_eq!(of(&["1", "-20"]), ColumnType::Int64);
/// assert_eq!(of(&["1", "2.5"]), ColumnType::Float64);
/// assert_eq!(of(&["1", "007"]), ColumnType::Text);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Inference {
    class: Option<Class>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Whole numbers that a float holds exactly.
    ShortInteger,
    Integer,
    Float,
    Boolean,
    Date,
    Timestamp,
    TimestampUtc,
    Text,
}

/// Decimal digits that a 64-bit float always keeps (C's `DBL_DIG`).
const FLOAT_DIGITS: usize = 15;

impl Inference {
    /// Takes more texts of the column into account.
    pub fn see(&mut self, texts: &StringArray) {
        for text in texts.iter().flatten() {
            if self.class == Some(Class::Text) {
                return;
            }
            let class = classify(text);
            self.class = Some(self.class.map_or(class, |seen| seen.with(class)));
        }
    }

    /// The type that holds all texts seen so far.
    pub fn column_type(&self) -> ColumnType {
        let timestamp = |utc| ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc };
        match self.class {
            Some(Class::ShortInteger | Class::Integer) => ColumnType::Int64,
            Some(Class::Float) => ColumnType::Float64,
            Some(Class::Boolean) => ColumnType::Boolean,
            Some(Class::Date) => ColumnType::Date,
            Some(Class::Timestamp) => timestamp(false),
            Some(Class::TimestampUtc) => timestamp(true),
            Some(Class::Text) | None => ColumnType::Text,
        }
    }
}

impl Class {
    /// The narrowest class that holds both.
    fn with(self, other: Self) -> Self {
        use Class::*;
        match (self, other) {
            (a, b) if a == b => a,
            (ShortInteger, Integer) | (Integer, ShortInteger) => Integer,
            (ShortInteger, Float) | (Float, ShortInteger) => Float,
            _ => Text,
        }
    }
}

fn classify(text: &str) -> Class {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'-' | b'0'..=b'9') => number(text).or_else(|| temporal(bytes)).unwrap_or(Class::Text),
        _ if matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE") => Class::Boolean,
        _ => Class::Text,
    }
}

fn number(text: &str) -> Option<Class> {
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match magnitude.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (magnitude, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    if !digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let (Some(fraction), exponent) = (fraction, exponent) else {
        // no point: an integer, or a text such as 1e5, which is as likely an identifier
        let is_integer = exponent.is_none() && text != "-0" && text.parse::<i64>().is_ok();
        let short = whole.len() <= FLOAT_DIGITS;
        return is_integer.then_some(if short { Class::ShortInteger } else { Class::Integer });
    };
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        digits(e) && e.len() <= 2
    });
    let fits = digits(fraction) && exponent_fits && whole.len() + fraction.len() <= FLOAT_DIGITS;
    fits.then_some(Class::Float)
}

fn temporal(bytes: &[u8]) -> Option<Class> {
    let stamp = iso::stamp(bytes)?;
    match bytes.len() {
        10 => Some(Class::Date),
        // shorter: no seconds; finer than microseconds: the default unit would lose it
        ..19 => None,
        _ if bytes[16] != b':' || stamp.nanos % 1_000 != 0 => None,
        _ if stamp.offset.is_some() => Some(Class::TimestampUtc),
        _ => Some(Class::Timestamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infer(texts: &[&str]) -> String {
        let mut inference = Inference::default();
        inference.see(&StringArray::from(texts.to_vec()));
        inference.column_type().to_string()
    }

    #[test]
    fn known_samples() {
        for (texts, expected) in [
            (&["0", "-1", "9223372036854775807"][..], "int64"),
            (&["9223372036854775808"], "text"),
            (&["-0"], "text"),
            (&["007"], "text"),
            (&["+49"], "text"),
            (&[" 1"], "text"),
            (&["1", ""], "text"),
            (&["1.5", "-0.25", "3", "1.0e-7"], "float64"),
            (&["1.5", "1234567890123456"], "text"),
            (&["1234567890123456", "2"], "int64"),
            (&["0.1234567890123456"], "text"),
            (&["1."], "text"),
            (&[".5"], "text"),
            (&["1e5"], "text"),
            (&["1.0e999"], "text"),
            (&["NaN"], "text"),
            (&["true", "False"], "boolean"),
            (&["0", "true"], "text"),
            (&["yes"], "text"),
            (&["2026-11-22"], "date"),
            (&["2026-02-30"], "text"),
            (&["2026-11-22T10:00:00", "2026-11-22 10:00:00.123456"], "timestamp"),
            (&["2026-11-22T10:00:00.1234567"], "text"),
            (&["2026-11-22T10:00"], "text"),
            (&["2026-11-22T10:00+01:00"], "text"),
            (&["2026-11-22T10:00:00Z", "2026-11-22T10:00:00+01:00"], "timestamp(UTC)"),
            (&["2026-11-22T10:00:00Z", "2026-11-22T10:00:00"], "text"),
            (&["2026-11-22", "2026-11-22T10:00:00"], "text"),
            (&["2026-11-22", "20261122"], "text"),
            (&[], "text"),
        ] {
            assert_eq!(infer(texts), expected, "{texts:?}");
        }
    }

    #[test]
    fn nulls_say_nothing() {
        let mut inference = Inference::default();
        inference.see(&StringArray::from(vec![None, Some("1"), None]));
        inference.see(&StringArray::new_null(3));
        assert_eq!(inference.column_type(), ColumnType::Int64);
    }

    #[test]
    fn what_is_inferred_can_be_parsed() {
        for texts in [&["0", "-12"][..], &["1.5", "3"], &["TRUE", "false"], &["2026-11-22"], &["2026-11-22 10:00:00Z"]]
        {
            let mut inference = Inference::default();
            let texts = StringArray::from(texts.to_vec());
            inference.see(&texts);
            assert_ne!(inference.column_type(), ColumnType::Text);
            assert!(super::super::parse_column(&texts, inference.column_type(), "c", 1).is_ok());
        }
    }
}
