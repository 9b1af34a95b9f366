//! Texts -> the type that a policy gives their column.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanBuilder, FixedSizeBinaryBuilder, PrimitiveBuilder, StringArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};

use super::CsvError;
use crate::arrays::calendar::NANOS_PER_DAY;
use crate::arrays::iso;
use crate::policy::ColumnType;

/// Parses a column of texts; `first_row` is the number of its first row, from 1. Null stays null.
///
/// ASCII blanks around a value are passed over, except in `text`. What each type takes:
///
/// | type | texts |
/// |---|---|
/// | `boolean` | `true`, `t`, `yes`, `y`, `1` and `false`, `f`, `no`, `n`, `0`, in any case |
/// | integers | digits with an optional sign, within the type's range |
/// | floats | decimal numbers with an optional exponent, `NaN`, `inf`, `infinity`; the nearest value is taken |
/// | `decimal(P,S)` | digits with an optional sign and point; past S fractional digits only zeros |
/// | `date` | `YYYY-MM-DD` |
/// | `time` | `HH:MM[:SS[.f]]` |
/// | `timestamp` | a date, or a date, `T` or a blank, and a time; an offset from UTC is refused, not dropped |
/// | `timestamp(UTC)` | the same, with or without `Z` or `+HH:MM`; without one the text is taken for UTC |
/// | `uuid` | 32 hexadecimal digits in any case, with the four hyphens or without |
///
/// Fractions of a second finer than the unit are refused unless they are zeros.
///
/// # Errors
/// [`CsvError::NotOfType`] for the first row whose value is not of the type.
///
/// ```
/// use arrow::array::{AsArray, StringArray};
/// use arrow::datatypes::Int64Type;
/// use lakeveil::engine::csv::parse_column;
/// use lakeveil::policy::ColumnType;
///
/// let texts = StringArray::from(vec![Some("7"), None, Some("-1")]);
/// let numbers = parse_column(&texts, ColumnType::Int64, "n", 1)?;
/// assert_eq!(numbers.as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(7), None, Some(-1)]);
///
/// let error = parse_column(&StringArray::from(vec!["1", "one"]), ColumnType::Int64, "n", 1).unwrap_err();
/// assert!(error.to_string().starts_with("row 2, column `n`: the value is no int64"));
/// # Ok::<(), lakeveil::engine::csv::CsvError>(())
/// ```
pub fn parse_column(
    texts: &StringArray,
    wanted: ColumnType,
    column: &str,
    first_row: u64,
) -> Result<ArrayRef, CsvError> {
    parse_texts(texts, wanted).map_err(|index| CsvError::NotOfType {
        row: first_row + index as u64,
        column: column.to_owned(),
        wanted: wanted.to_string(),
    })
}

/// As [`parse_column`].
///
/// # Errors
/// The index of the first value that is not of the type.
pub fn parse_texts(texts: &StringArray, wanted: ColumnType) -> Result<ArrayRef, usize> {
    let parsed = match wanted {
        ColumnType::Text => Ok(Arc::new(texts.clone()) as ArrayRef),
        ColumnType::Boolean => booleans(texts),
        ColumnType::Int8 => numbers::<Int8Type>(texts),
        ColumnType::Int16 => numbers::<Int16Type>(texts),
        ColumnType::Int32 => numbers::<Int32Type>(texts),
        ColumnType::Int64 => numbers::<Int64Type>(texts),
        ColumnType::UInt8 => numbers::<UInt8Type>(texts),
        ColumnType::UInt16 => numbers::<UInt16Type>(texts),
        ColumnType::UInt32 => numbers::<UInt32Type>(texts),
        ColumnType::UInt64 => numbers::<UInt64Type>(texts),
        ColumnType::Float32 => numbers::<Float32Type>(texts),
        ColumnType::Float64 => numbers::<Float64Type>(texts),
        ColumnType::Decimal { precision, scale } => {
            primitives::<Decimal128Type>(texts, wanted.data_type(), |text| decimal(text.as_bytes(), precision, scale))
        }
        ColumnType::Date => primitives::<Date32Type>(texts, wanted.data_type(), |text| {
            iso::date(text.as_bytes()).and_then(|days| days.try_into().ok())
        }),
        ColumnType::Time => primitives::<Time64MicrosecondType>(texts, wanted.data_type(), |text| {
            whole_ticks(iso::time(text.as_bytes())?, 1_000)
        }),
        ColumnType::Timestamp { unit, utc } => timestamps(texts, unit, utc, wanted.data_type()),
        ColumnType::Uuid => uuids(texts),
    };
    parsed.map_err(|NotParsed(index)| index)
}

/// Index of the first value that is not of the type.
struct NotParsed(usize);

fn primitives<T: ArrowPrimitiveType>(
    texts: &StringArray,
    data_type: DataType,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef, NotParsed> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(texts.len()).with_data_type(data_type);
    for (index, text) in texts.iter().enumerate() {
        match text {
            None => builder.append_null(),
            Some(text) => builder.append_value(parse(trim(text)).ok_or(NotParsed(index))?),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn numbers<T>(texts: &StringArray) -> Result<ArrayRef, NotParsed>
where
    T: ArrowPrimitiveType,
    T::Native: std::str::FromStr,
{
    primitives::<T>(texts, T::DATA_TYPE, |text| text.parse().ok())
}

fn booleans(texts: &StringArray) -> Result<ArrayRef, NotParsed> {
    let is_one_of = |text: &str, words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    let mut builder = BooleanBuilder::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match text.map(trim) {
            None => builder.append_null(),
            Some(text) if is_one_of(text, &["true", "t", "yes", "y", "1"]) => builder.append_value(true),
            Some(text) if is_one_of(text, &["false", "f", "no", "n", "0"]) => builder.append_value(false),
            Some(_) => return Err(NotParsed(index)),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn timestamps(texts: &StringArray, unit: TimeUnit, utc: bool, data_type: DataType) -> Result<ArrayRef, NotParsed> {
    let ticks = |nanos_per_tick: i64| {
        move |text: &str| {
            let stamp = iso::stamp(text.as_bytes())?;
            if stamp.offset.is_some() && !utc {
                return None;
            }
            let ticks_per_second = 1_000_000_000 / nanos_per_tick;
            let of_day = whole_ticks(stamp.nanos, nanos_per_tick)? - stamp.offset.unwrap_or(0) * ticks_per_second;
            // before 1970 the day's start alone may lie outside what 64 bits of nanoseconds hold
            let ticks = i128::from(stamp.days) * i128::from(NANOS_PER_DAY / nanos_per_tick) + i128::from(of_day);
            ticks.try_into().ok()
        }
    };
    match unit {
        TimeUnit::Second => primitives::<TimestampSecondType>(texts, data_type, ticks(1_000_000_000)),
        TimeUnit::Millisecond => primitives::<TimestampMillisecondType>(texts, data_type, ticks(1_000_000)),
        TimeUnit::Microsecond => primitives::<TimestampMicrosecondType>(texts, data_type, ticks(1_000)),
        TimeUnit::Nanosecond => primitives::<TimestampNanosecondType>(texts, data_type, ticks(1)),
    }
}

fn whole_ticks(nanos: i64, nanos_per_tick: i64) -> Option<i64> {
    (nanos % nanos_per_tick == 0).then_some(nanos / nanos_per_tick)
}

fn uuids(texts: &StringArray) -> Result<ArrayRef, NotParsed> {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(texts.len(), 16);
    for (index, text) in texts.iter().enumerate() {
        match text.map(trim) {
            None => builder.append_null(),
            Some(text) => {
                let bytes = uuid(text.as_bytes()).ok_or(NotParsed(index))?;
                builder.append_value(bytes).expect("16 bytes, as the builder was made for");
            }
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    let hyphened = match text.len() {
        36 => true,
        32 => false,
        _ => return None,
    };
    let mut bytes = [0; 16];
    let mut at = 0;
    for (index, byte) in bytes.iter_mut().enumerate() {
        if hyphened && matches!(index, 4 | 6 | 8 | 10) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        *byte = hex_digit(text[at])? << 4 | hex_digit(text[at + 1])?;
        at += 2;
    }
    Some(bytes)
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

/// The unscaled value of a decimal number, if `precision` digits hold it with `scale` of them after the point.
fn decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    let point = digits.iter().position(|&b| b == b'.');
    let (whole, fraction) = point.map_or((digits, &[][..]), |at| (&digits[..at], &digits[at + 1..]));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (kept, cut) = fraction.split_at(fraction.len().min(usize::from(scale)));
    if cut.iter().any(|&b| b != b'0') {
        return None;
    }
    let padding = std::iter::repeat_n(&b'0', usize::from(scale) - kept.len());
    let unscaled = whole.iter().chain(kept).chain(padding).try_fold(0_i128, |n, b| {
        let digit = b.is_ascii_digit().then(|| i128::from(b - b'0'))?;
        n.checked_mul(10)?.checked_add(digit)
    })?;
    let fits = unscaled < 10_i128.pow(u32::from(precision));
    fits.then_some(if negative { -unscaled } else { unscaled })
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests;
