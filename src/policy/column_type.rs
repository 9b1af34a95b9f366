//! The types that a policy may give a column of text.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, TimeUnit};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A column's type, as a policy writes it: `text`, `boolean`, `int8` to `int64`, `uint8` to `uint64`, `float32`,
/// `float64`, `decimal(P,S)` (P up to 38), `date`, `time`, `timestamp`, `timestamp(UTC)`, `uuid`.
///
/// Times count microseconds; `timestamp(ns)`, `timestamp(ms, UTC)` and their like choose another unit (`s`, `ms`, `us`,
/// `ns`). What texts each takes: [`parse_column`](crate::engine::csv::parse_column).
///
/// ```
/// use arrow::datatypes::DataType;
/// use lakeveil::policy::ColumnType;
///
/// let price: ColumnType = "decimal(12, 2)".parse()?;
/// assert_eq!(price.data_type(), DataType::Decimal128(12, 2));
/// assert_eq!(price.to_string(), "decimal(12,2)");
/// assert!("varchar".parse::<ColumnType>().is_err());
/// # Ok::<(), lakeveil::policy::ColumnTypeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum ColumnType {
    /// UTF-8, as it is.
    Text,
    /// True or false.
    Boolean,
    /// Signed, 8 bits.
    Int8,
    /// Signed, 16 bits.
    Int16,
    /// Signed, 32 bits.
    Int32,
    /// Signed, 64 bits.
    Int64,
    /// Unsigned, 8 bits.
    UInt8,
    /// Unsigned, 16 bits.
    UInt16,
    /// Unsigned, 32 bits.
    UInt32,
    /// Unsigned, 64 bits.
    UInt64,
    /// IEEE 754, 32 bits.
    Float32,
    /// IEEE 754, 64 bits.
    Float64,
    /// Exact decimal number.
    Decimal {
        /// Number of digits, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// Days.
    Date,
    /// Time of day in microseconds.
    Time,
    /// Date and time.
    Timestamp {
        /// Unit that is counted.
        unit: TimeUnit,
        /// Whether it is a point in time, kept in UTC, rather than a reading of a local clock.
        utc: bool,
    },
    /// 16 bytes with Arrow's UUID extension type.
    Uuid,
}

/// Types that are one word.
const WORDS: [(&str, ColumnType); 16] = [
    ("text", ColumnType::Text),
    ("boolean", ColumnType::Boolean),
    ("int8", ColumnType::Int8),
    ("int16", ColumnType::Int16),
    ("int32", ColumnType::Int32),
    ("int64", ColumnType::Int64),
    ("uint8", ColumnType::UInt8),
    ("uint16", ColumnType::UInt16),
    ("uint32", ColumnType::UInt32),
    ("uint64", ColumnType::UInt64),
    ("float32", ColumnType::Float32),
    ("float64", ColumnType::Float64),
    ("date", ColumnType::Date),
    ("time", ColumnType::Time),
    ("timestamp", ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: false }),
    ("uuid", ColumnType::Uuid),
];

const UNITS: [(&str, TimeUnit); 4] = [
    ("s", TimeUnit::Second),
    ("ms", TimeUnit::Millisecond),
    ("us", TimeUnit::Microsecond),
    ("ns", TimeUnit::Nanosecond),
];

impl ColumnType {
    /// The Arrow type of the column.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt8 => DataType::UInt8,
            Self::UInt16 => DataType::UInt16,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            // a scale is at most 38
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale as i8),
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(TimeUnit::Microsecond),
            Self::Timestamp { unit, utc } => DataType::Timestamp(unit, utc.then(|| "UTC".into())),
            Self::Uuid => DataType::FixedSizeBinary(16),
        }
    }

    /// The type whose [`field`](Self::field) is this one, whatever its name.
    pub fn of(field: &Field) -> Option<Self> {
        Some(match field.data_type() {
            DataType::Utf8 => Self::Text,
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::Int8,
            DataType::Int16 => Self::Int16,
            DataType::Int32 => Self::Int32,
            DataType::Int64 => Self::Int64,
            DataType::UInt8 => Self::UInt8,
            DataType::UInt16 => Self::UInt16,
            DataType::UInt32 => Self::UInt32,
            DataType::UInt64 => Self::UInt64,
            DataType::Float32 => Self::Float32,
            DataType::Float64 => Self::Float64,
            DataType::Decimal128(precision, scale) => {
                Self::Decimal { precision: *precision, scale: u8::try_from(*scale).ok()? }
            }
            DataType::Date32 => Self::Date,
            DataType::Time64(TimeUnit::Microsecond) => Self::Time,
            DataType::Timestamp(unit, None) => Self::Timestamp { unit: *unit, utc: false },
            DataType::Timestamp(unit, Some(zone)) if zone.as_ref() == "UTC" => {
                Self::Timestamp { unit: *unit, utc: true }
            }
            DataType::FixedSizeBinary(16) if field.extension_type_name() == Some(UUID_EXTENSION) => Self::Uuid,
            _ => return None,
        })
    }

    /// The column's nullable field, with the extension type where there is one.
    pub fn field(self, name: &str) -> Field {
        let field = Field::new(name, self.data_type(), true);
        match self {
            Self::Uuid => field.with_metadata(HashMap::from([(EXTENSION_NAME.to_owned(), UUID_EXTENSION.to_owned())])),
            _ => field,
        }
    }
}

/// The field metadata key of Arrow's extension types.
const EXTENSION_NAME: &str = "ARROW:extension:name";
/// Arrow's canonical UUID extension type.
const UUID_EXTENSION: &str = "arrow.uuid";

/// Why a text names no column type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnTypeError {
    /// No such type.
    #[error(
        "`{0}` is no type; the types are text, boolean, int8 to int64, uint8 to uint64, float32, float64, \
         decimal(P,S), date, time, timestamp, timestamp(UTC), uuid"
    )]
    Unknown(String),
    /// A decimal whose digits do not fit.
    #[error("`{0}`: decimal takes a precision from 1 to 38 and a scale from 0 to the precision, as in decimal(12,2)")]
    Decimal(String),
    /// A timestamp with another word than a unit and `UTC`.
    #[error("`{0}`: timestamp takes a unit (s, ms, us, ns), UTC, or both, as in timestamp(ms, UTC)")]
    Timestamp(String),
}

impl FromStr for ColumnType {
    type Err = ColumnTypeError;

    fn from_str(text: &str) -> Result<Self, ColumnTypeError> {
        let text = text.trim();
        if let Some((_, word)) = WORDS.iter().find(|(name, _)| *name == text) {
            return Ok(*word);
        }
        let inner = |name: &str| text.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')');
        if let Some(arguments) = inner("decimal") {
            return decimal(arguments).ok_or_else(|| ColumnTypeError::Decimal(text.to_owned()));
        }
        if let Some(arguments) = inner("timestamp") {
            return timestamp(arguments).ok_or_else(|| ColumnTypeError::Timestamp(text.to_owned()));
        }
        Err(ColumnTypeError::Unknown(text.to_owned()))
    }
}

fn decimal(arguments: &str) -> Option<ColumnType> {
    let (precision, scale) = arguments.split_once(',').unwrap_or((arguments, "0"));
    let (precision, scale): (u8, u8) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    let fits = (1..=DECIMAL128_MAX_PRECISION).contains(&precision) && scale <= precision;
    fits.then_some(ColumnType::Decimal { precision, scale })
}

fn timestamp(arguments: &str) -> Option<ColumnType> {
    let (mut unit, mut utc) = (None, false);
    for word in arguments.split(',').map(str::trim) {
        match UNITS.iter().find(|(name, _)| *name == word) {
            Some((_, found)) if unit.is_none() => unit = Some(*found),
            None if word == "UTC" && !utc => utc = true,
            _ => return None,
        }
    }
    Some(ColumnType::Timestamp { unit: unit.unwrap_or(TimeUnit::Microsecond), utc })
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = WORDS.iter().find(|(_, word)| word == self) {
            return f.write_str(name);
        }
        match self {
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Timestamp { unit: TimeUnit::Microsecond, .. } => f.write_str("timestamp(UTC)"),
            Self::Timestamp { unit, utc } => {
                let unit = UNITS.iter().find(|(_, u)| u == unit).map_or("", |(name, _)| name);
                write!(f, "timestamp({unit}{})", if *utc { ", UTC" } else { "" })
            }
            _ => f.write_str("text"),
        }
    }
}

impl TryFrom<String> for ColumnType {
    type Error = ColumnTypeError;

    fn try_from(text: String) -> Result<Self, ColumnTypeError> {
        text.parse()
    }
}

impl From<ColumnType> for String {
    fn from(column_type: ColumnType) -> Self {
        column_type.to_string()
    }
}

impl JsonSchema for ColumnType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ColumnType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<&str> = WORDS.iter().map(|(name, _)| *name).collect();
        let unit = "(s|ms|us|ns|UTC)";
        schemars::json_schema!({
            "type": "string",
            "description": "text, boolean, int8 to int64, uint8 to uint64, float32, float64, decimal(P,S), date, time, \
                            timestamp, timestamp(UTC), uuid",
            "pattern": format!(
                "^({}|decimal *\\( *[0-9]+ *(, *[0-9]+ *)?\\)|timestamp *\\( *{unit} *(, *{unit} *)?\\))$",
                words.join("|")
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_back_from_its_own_text() {
        let decimal = ColumnType::Decimal { precision: 38, scale: 0 };
        let stamps =
            UNITS.iter().flat_map(|(_, unit)| [false, true].map(|utc| ColumnType::Timestamp { unit: *unit, utc }));
        for column_type in WORDS.iter().map(|(_, t)| *t).chain(stamps).chain([decimal]) {
            assert_eq!(column_type.to_string().parse(), Ok(column_type), "{column_type}");
            assert_eq!(ColumnType::of(&column_type.field("c")), Some(column_type), "{column_type}");
        }
    }

    #[test]
    fn known_texts() {
        let data_type = |text: &str| text.parse::<ColumnType>().expect(text).data_type();
        assert_eq!(data_type("decimal(12,2)"), DataType::Decimal128(12, 2));
        assert_eq!(data_type("decimal( 5 )"), DataType::Decimal128(5, 0));
        assert_eq!(data_type("date"), DataType::Date32);
        assert_eq!(data_type("timestamp"), DataType::Timestamp(TimeUnit::Microsecond, None));
        assert_eq!(data_type("timestamp(UTC)"), DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
        assert_eq!(data_type("timestamp(UTC, ns)"), DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())));
    }

    #[test]
    fn other_texts_say_what_is_allowed() {
        let error = |text: &str| text.parse::<ColumnType>().expect_err(text);
        assert_eq!(error("Int64"), ColumnTypeError::Unknown("Int64".to_owned()));
        for text in ["decimal(39,2)", "decimal(0)", "decimal(4,5)", "decimal(a,b)", "decimal()", "decimal(4,-1)"] {
            assert_eq!(error(text), ColumnTypeError::Decimal(text.to_owned()));
        }
        for text in ["timestamp(Europe/Berlin)", "timestamp()", "timestamp(UTC,UTC)", "timestamp(s,ms)"] {
            assert_eq!(error(text), ColumnTypeError::Timestamp(text.to_owned()));
        }
    }

    #[test]
    fn the_json_schema_and_the_parser_agree() {
        let schema = serde_json::to_value(schemars::schema_for!(ColumnType)).expect("plain data");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        for text in ["int64", "decimal(12, 2)", "decimal(3)", "timestamp(ms, UTC)", "int6", "decimal(1,2,3)", "Date"] {
            assert_eq!(validator.is_valid(&text.into()), text.parse::<ColumnType>().is_ok(), "{text}");
        }
    }
}
