//! The names of the columns, and where the rows begin.

use std::collections::HashMap;

use super::split::{Blank, Spans, SplitProblem, split, unescape};
use super::{Blocks, Dialect};

/// The most bytes that a header (without one: the first record) may have: 16 MiB.
pub const MAX_HEADER_BYTES: usize = 16 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Column names and the offset of the first row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    names: Vec<String>,
    data_start: usize,
}

impl Header {
    /// Reads the header from an object's first bytes; a byte order mark and blank lines before it are passed over.
    /// Names are taken as they are, blanks and all. In a dialect without header the first record is counted, and the
    /// columns are named `column_1`, `column_2`, …
    ///
    /// `None` asks for more bytes: call again with a longer beginning. With `is_all` (the bytes are the whole object)
    /// there is always an answer.
    ///
    /// # Errors
    /// An object without a record, a header over [`MAX_HEADER_BYTES`], broken quotes, invalid UTF-8, a column without a
    /// name, two with one name.
    ///
    /// ```
    /// use lakeveil::engine::csv::{Dialect, Header};
    ///
    /// let dialect = Dialect::default();
    /// let header = Header::read(b"id,\"full name\"\r\n1,Ann\r\n", false, &dialect)?.expect("a whole line is there");
    /// assert_eq!(header.names(), ["id", "full name"]);
    /// assert_eq!(header.data_start(), 16);
    /// assert_eq!(Header::read(b"id,\"full", false, &dialect)?, None);
    /// # Ok::<(), lakeveil::engine::csv::HeaderError>(())
    /// ```
    pub fn read(bytes: &[u8], is_all: bool, dialect: &Dialect) -> Result<Option<Self>, HeaderError> {
        if !is_all && bytes.len() < BYTE_ORDER_MARK.len() {
            return Ok(None);
        }
        let mark = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let is_break = |b: &u8| matches!(b, b'\r' | b'\n');
        let start = mark + bytes[mark..].iter().take_while(|b| is_break(b)).count();
        if start == bytes.len() {
            return if is_all { Err(HeaderError::NoRecord) } else { Ok(None) };
        }
        // a cutter's only error is a record over its limit
        let first = Blocks::first_record(&bytes[start..], is_all, dialect, MAX_HEADER_BYTES);
        let Some(first) = first.map_err(|_| HeaderError::TooLarge)? else {
            return Ok(None);
        };
        let mut spans = Spans::default();
        split(&first, dialect, Blank::Skip, &mut spans).map_err(|e| HeaderError::from_split(e.field, e.problem))?;
        if !dialect.header() {
            let names = (1..=spans.record(0).len()).map(|n| format!("column_{n}")).collect();
            return Ok(Some(Self { names, data_start: mark }));
        }
        let mut names = Vec::with_capacity(spans.record(0).len());
        for (index, field) in spans.record(0).iter().enumerate() {
            let text =
                std::str::from_utf8(&first[field.text()]).map_err(|_| HeaderError::InvalidUtf8 { field: index + 1 })?;
            names.push(if field.is_escaped() { unescape(text, dialect).collect() } else { text.to_owned() });
        }
        check_names(&names)?;
        Ok(Some(Self { names, data_start: start + first.len() }))
    }

    /// The columns' names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many bytes of the object lie before the first row.
    pub fn data_start(&self) -> usize {
        self.data_start
    }
}

fn check_names(names: &[String]) -> Result<(), HeaderError> {
    let mut seen = HashMap::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(HeaderError::NoName { field: index + 1 });
        }
        if let Some(first) = seen.insert(name.as_str(), index + 1) {
            return Err(HeaderError::SameName { first, second: index + 1 });
        }
    }
    Ok(())
}

/// Why an object's header cannot be read. It names fields by number only: where `csv.header` is wrongly set, the
/// "names" are values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// No byte but line breaks and a byte order mark.
    #[error("the object holds no record, so that its columns are unknown; leave it out of the source")]
    NoRecord,
    /// More than [`MAX_HEADER_BYTES`] before the first line break outside quotes.
    #[error(
        "the first record is larger than {MAX_HEADER_BYTES} bytes; check `csv.quote`, and that this is a CSV object"
    )]
    TooLarge,
    /// A quote that opens a name and is never closed.
    #[error(
        "field {field} of the first record: a quote opens here and is never closed; close it, or check `csv.quote`"
    )]
    UnclosedQuote {
        /// The field, from 1.
        field: usize,
    },
    /// Text between a closing quote and the next delimiter or line break.
    #[error("field {field} of the first record: text follows the closing quote; check `csv.quote` and `csv.escape`")]
    TextAfterQuote {
        /// The field, from 1.
        field: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("field {field} of the header is not valid UTF-8; convert the object to UTF-8 first")]
    InvalidUtf8 {
        /// The field, from 1.
        field: usize,
    },
    /// A column whose name is the empty text.
    #[error("column {field} has no name in the header; name it, or set `csv.header: false`")]
    NoName {
        /// The field, from 1.
        field: usize,
    },
    /// Two columns with one name.
    #[error("columns {first} and {second} have the same name in the header; rename one, or set `csv.header: false`")]
    SameName {
        /// The one field, from 1.
        first: usize,
        /// The other.
        second: usize,
    },
}

impl HeaderError {
    fn from_split(field: usize, problem: SplitProblem) -> Self {
        let field = field + 1;
        match problem {
            SplitProblem::UnclosedQuote => Self::UnclosedQuote { field },
            SplitProblem::TextAfterQuote => Self::TextAfterQuote { field },
            SplitProblem::BlockTooLarge => Self::TooLarge,
        }
    }
}

#[cfg(test)]
mod tests;
