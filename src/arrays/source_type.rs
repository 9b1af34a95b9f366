//! The type a column had before it was transformed, as text: it is kept with a reversible token, so that what comes
//! back has the type of the source.

use std::fmt;
use std::str::FromStr;

use arrow::datatypes::{DataType, Field};

use super::canonical::{Meaning, bare, is_supported, meaning_of};

/// A type with canonical text, and what it means.
///
/// - It is never a dictionary or run-end encoded: those are ways of storing its values.
/// - Its text is Arrow's, or `uuid` where the bytes mean one.
///
/// ```
/// use lakeveil::arrays::source_type::SourceType;
/// for text in ["Int64", "Decimal128(12, 2)", "Timestamp(µs, \"UTC\")", "uuid"] {
///     assert_eq!(text.parse::<SourceType>()?.to_string(), text);
/// }
/// assert!("Float64".parse::<SourceType>().is_err());
/// # Ok::<(), lakeveil::arrays::source_type::UnknownSourceType>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceType {
    data_type: DataType,
    meaning: Meaning,
}

/// A type without canonical text, or text that names no type. The text is not repeated: it comes from files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it names no type that values can be restored to")]
pub struct UnknownSourceType;

const UUID: &str = "uuid";
const UUID_BYTES: i32 = 16;

impl SourceType {
    /// The key of a field's metadata under which the text is kept.
    pub const METADATA_KEY: &'static str = "lakeveil.source_type";

    /// The type of a column's values.
    ///
    /// # Errors
    /// [`UnknownSourceType`] for a type whose values have no canonical text.
    pub fn new(data_type: &DataType, meaning: Meaning) -> Result<Self, UnknownSourceType> {
        match data_type {
            DataType::Dictionary(_, values) => Self::new(values, meaning),
            DataType::RunEndEncoded(_, values) => Self::new(values.data_type(), meaning),
            plain if is_supported(plain) => {
                let is_uuid = meaning == Meaning::Uuid && *plain == DataType::FixedSizeBinary(UUID_BYTES);
                Ok(Self { data_type: bare(plain), meaning: if is_uuid { Meaning::Uuid } else { Meaning::Plain } })
            }
            _ => Err(UnknownSourceType),
        }
    }

    /// The type of a field's values.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(field: &Field) -> Result<Self, UnknownSourceType> {
        Self::new(field.data_type(), meaning_of(field))
    }

    /// The Arrow type.
    pub fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// What the Arrow type alone does not tell.
    pub fn meaning(&self) -> Meaning {
        self.meaning
    }
}

impl fmt::Display for SourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.meaning {
            Meaning::Uuid => f.write_str(UUID),
            Meaning::Plain => self.data_type.fmt(f),
        }
    }
}

impl FromStr for SourceType {
    type Err = UnknownSourceType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == UUID {
            return Self::new(&DataType::FixedSizeBinary(UUID_BYTES), Meaning::Uuid);
        }
        // Arrow's own words are dropped: they quote the text
        let data_type: DataType = text.parse().map_err(|_| UnknownSourceType)?;
        Self::new(&data_type, Meaning::Plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::TimeUnit::*;

    #[test]
    fn every_type_with_canonical_text_comes_back_from_its_text() {
        use DataType::*;
        let plain = [
            Utf8,
            LargeUtf8,
            Utf8View,
            Binary,
            LargeBinary,
            BinaryView,
            Int8,
            Int16,
            Int32,
            Int64,
            UInt8,
            UInt16,
            UInt32,
            UInt64,
            Boolean,
            Date32,
            Date64,
            Null,
        ];
        let sized = [FixedSizeBinary(0), FixedSizeBinary(16), FixedSizeBinary(i32::MAX)];
        let decimals = [Decimal32(9, 2), Decimal64(18, -3), Decimal128(38, 38), Decimal256(76, 0)];
        let times = [Time32(Second), Time32(Millisecond), Time64(Microsecond), Time64(Nanosecond)];
        let zones = [None, Some("UTC"), Some("+01:00"), Some("Europe/Vienna"), Some("America/Argentina/Buenos_Aires")];
        let timestamps = [Second, Millisecond, Microsecond, Nanosecond]
            .into_iter()
            .flat_map(|unit| zones.map(|zone| Timestamp(unit, zone.map(Into::into))));
        for data_type in plain.into_iter().chain(sized).chain(decimals).chain(times).chain(timestamps) {
            let source = SourceType::new(&data_type, Meaning::Plain).unwrap();
            assert_eq!(source.to_string().parse(), Ok(source.clone()), "{source}");
            assert_eq!(source.data_type(), &data_type);
        }
    }

    #[test]
    fn a_uuid_is_known_by_its_meaning_and_an_encoding_is_no_type() {
        let uuid = SourceType::new(&DataType::FixedSizeBinary(16), Meaning::Uuid).unwrap();
        assert_eq!(uuid.to_string(), "uuid");
        assert_eq!("uuid".parse(), Ok(uuid.clone()));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::FixedSizeBinary(16)));
        assert_eq!(SourceType::new(&dictionary, Meaning::Uuid), Ok(uuid));
        let text = SourceType::new(&DataType::Utf8, Meaning::Uuid).unwrap();
        assert_eq!(text.to_string(), "Utf8");
    }

    #[test]
    fn fail_what_names_no_type_and_repeat_nothing_of_it() {
        let deep = format!("{}Int8{}", "List(".repeat(50), ")".repeat(50));
        for text in ["", "canary", "Float64", "List(Int8)", "Int64 canary", "Decimal128(99, 2)", "UUID", deep.as_str()]
        {
            let error = text.parse::<SourceType>().unwrap_err();
            assert!(!error.to_string().contains("canary"));
        }
    }
}
