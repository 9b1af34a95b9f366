//! File formats and their options, as a policy states them.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Delimited text, also compressed by gzip or zstd.
    Csv,
}

/// How CSV objects are read. RFC 4180, in UTF-8; other dialects by these options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvInput {
    /// Whether the first line names the columns; `true` by default. Without, they are `column_1`, `column_2`, ...
    pub header: bool,
    /// Separates fields; `,` by default.
    pub delimiter: CsvChar,
    /// Encloses fields that hold delimiters or line ends; `"` by default, the empty text for no quoting at all.
    pub quote: OptionalCsvChar,
    /// Makes the next character within quotes literal; empty by default: a quote within quotes is doubled.
    pub escape: OptionalCsvChar,
    /// Unquoted fields that are null; the empty one always is.
    pub null: Vec<String>,
    /// Whether the types of columns without `type` are guessed from the data; `false` by default: they are text.
    pub infer: bool,
}

impl Default for CsvInput {
    fn default() -> Self {
        Self {
            header: true,
            delimiter: CsvChar(b','),
            quote: OptionalCsvChar(Some(CsvChar(b'"'))),
            escape: OptionalCsvChar(None),
            null: vec![String::new()],
            infer: false,
        }
    }
}

/// How CSV objects are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvOutput {
    /// Whether the first line names the columns; `true` by default.
    pub header: bool,
    /// Separates fields; `,` by default.
    pub delimiter: CsvChar,
    /// Encloses fields that hold delimiters or line ends; `"` by default.
    pub quote: CsvChar,
    /// Compression of the whole object; `none` by default.
    pub compression: CsvCompression,
}

impl Default for CsvOutput {
    fn default() -> Self {
        Self { header: true, delimiter: CsvChar(b','), quote: CsvChar(b'"'), compression: CsvCompression::None }
    }
}

/// Compression of a CSV object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CsvCompression {
    /// Plain text.
    #[default]
    None,
    /// gzip, RFC 1952, without name and time.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
}

/// How Parquet objects are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ParquetOutput {
    /// Compression of the pages that are written anew; `zstd(1)` by default.
    pub compression: ParquetCompression,
    /// Encoding of texts that are written anew; `auto` by default.
    pub encoding: ParquetEncoding,
    /// Keys of the footer's metadata that are copied; all others are left out, since they may hold data.
    pub keep_metadata: Vec<String>,
}

/// How texts that are written anew are encoded outside dictionaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParquetEncoding {
    /// What suits them: `DELTA_LENGTH_BYTE_ARRAY` for tokens, which all have one length.
    #[default]
    Auto,
    /// `PLAIN`, for readers that know no other, such as Spark before 3.3.
    Plain,
}

/// Compression of Parquet pages: `none`, `snappy`, `lz4`, `gzip(0..9)`, `brotli(0..11)` or `zstd(1..22)`.
///
/// A codec with levels may go without: `zstd` is `zstd(1)`, `gzip` is `gzip(6)`, `brotli` is `brotli(1)`.
///
/// ```
/// use lakeveil::policy::ParquetCompression;
/// assert_eq!("zstd(3)".parse(), Ok(ParquetCompression::Zstd(3)));
/// assert!("zstd(99)".parse::<ParquetCompression>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ParquetCompression {
    /// Pages as they are.
    None,
    /// Snappy.
    Snappy,
    /// LZ4, in Parquet's `LZ4_RAW` framing.
    Lz4,
    /// gzip at a level from 0 to 9.
    Gzip(u32),
    /// Brotli at a level from 0 to 11.
    Brotli(u32),
    /// Zstandard at a level from 1 to 22.
    Zstd(u32),
}

/// Not a Parquet compression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no compression: use none, snappy, lz4, gzip(0..9), brotli(0..11) or zstd(1..22)")]
pub struct UnknownCompression(String);

impl Default for ParquetCompression {
    fn default() -> Self {
        Self::Zstd(1)
    }
}

impl FromStr for ParquetCompression {
    type Err = UnknownCompression;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownCompression(text.to_owned());
        let (codec, level) = match text.split_once('(') {
            Some((codec, level)) => {
                let level = level.strip_suffix(')').ok_or_else(unknown)?;
                (codec, Some(level.parse::<u32>().map_err(|_| unknown())?))
            }
            None => (text, None),
        };
        match (codec, level) {
            ("none", None) => Ok(Self::None),
            ("snappy", None) => Ok(Self::Snappy),
            ("lz4", None) => Ok(Self::Lz4),
            ("gzip", level) if level.is_none_or(|level| level <= 9) => Ok(Self::Gzip(level.unwrap_or(6))),
            ("brotli", level) if level.is_none_or(|level| level <= 11) => Ok(Self::Brotli(level.unwrap_or(1))),
            ("zstd", level) if level.is_none_or(|level| (1..=22).contains(&level)) => {
                Ok(Self::Zstd(level.unwrap_or(1)))
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for ParquetCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Snappy => f.write_str("snappy"),
            Self::Lz4 => f.write_str("lz4"),
            Self::Gzip(level) => write!(f, "gzip({level})"),
            Self::Brotli(level) => write!(f, "brotli({level})"),
            Self::Zstd(level) => write!(f, "zstd({level})"),
        }
    }
}

impl TryFrom<String> for ParquetCompression {
    type Error = UnknownCompression;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ParquetCompression> for String {
    fn from(compression: ParquetCompression) -> Self {
        compression.to_string()
    }
}

impl JsonSchema for ParquetCompression {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ParquetCompression".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Compression of Parquet pages; a level is optional.",
            "type": "string",
            "pattern": r"^(none|snappy|lz4|gzip(\([0-9]\))?|brotli(\(([0-9]|1[01])\))?|zstd(\(([1-9]|1[0-9]|2[0-2])\))?)$"
        })
    }
}

/// A character of a CSV dialect: one printable ASCII character or a tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CsvChar(u8);

/// Not a character of a CSV dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one printable ASCII character, or a tab written \"\\t\" in double quotes")]
pub struct BadCsvChar;

impl CsvChar {
    /// The character as its one byte.
    pub fn byte(self) -> u8 {
        self.0
    }
}

impl TryFrom<String> for CsvChar {
    type Error = BadCsvChar;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match *text.as_bytes() {
            [byte] if byte == b'\t' || byte == b' ' || byte.is_ascii_graphic() => Ok(Self(byte)),
            _ => Err(BadCsvChar),
        }
    }
}

impl From<CsvChar> for String {
    fn from(char: CsvChar) -> Self {
        char::from(char.0).to_string()
    }
}

impl JsonSchema for CsvChar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CsvChar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[\\t -~]$" })
    }
}

/// A [`CsvChar`], or the empty text for a dialect without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OptionalCsvChar(Option<CsvChar>);

impl OptionalCsvChar {
    /// The character as its one byte.
    pub fn byte(self) -> Option<u8> {
        self.0.map(CsvChar::byte)
    }
}

impl TryFrom<String> for OptionalCsvChar {
    type Error = BadCsvChar;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() { Ok(Self(None)) } else { CsvChar::try_from(text).map(|char| Self(Some(char))) }
    }
}

impl From<OptionalCsvChar> for String {
    fn from(char: OptionalCsvChar) -> Self {
        char.0.map_or_else(String::new, String::from)
    }
}

impl JsonSchema for OptionalCsvChar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OptionalCsvChar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[\\t -~]?$" })
    }
}
