//! Arrow columns -> CSV.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use memchr::memchr2;

use super::Dialect;
use super::texts::{Texts, is_encodable};

/// Writes batches as CSV; shared by all threads that do. Lines end in LF.
///
/// Null is an unquoted empty field and the empty text a quoted one. Else a field is quoted only if it has to be: it
/// holds the delimiter, the quote, the escape or a line break, begins with a byte order mark, or would read back as
/// null. Blanks at its ends are part of it (RFC 4180).
///
/// Values are written in their canonical text; where there is none:
///
/// | type | text |
/// |---|---|
/// | binary | hexadecimal, lower-case: the form that `encoding: hex` gives too, so both join |
/// | floats | the shortest decimal that reads back as the same number: `1.0`, `0.1`, `1e-7`, `NaN`, `-inf` |
///
/// In a file of one column a null is an empty line, which [`Decoder`](super::Decoder) reads back as null.
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
/// use lakeveil::engine::csv::{Dialect, Encoder};
///
/// let id: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
/// let note: ArrayRef = Arc::new(StringArray::from(vec![None, Some(""), Some("a, \"b\"")]));
/// let batch = RecordBatch::try_from_iter([("id", id), ("note", note)]).unwrap();
///
/// let encoder = Encoder::new(&Dialect::default());
/// let mut out = Vec::new();
/// encoder.header(&batch.schema(), &mut out)?;
/// encoder.rows(&batch, 1, &mut out)?;
/// assert_eq!(out, b"id,note\n1,\n2,\"\"\n3,\"a, \"\"b\"\"\"\n");
/// # Ok::<(), lakeveil::engine::csv::EncodeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Encoder {
    dialect: Dialect,
}

/// Why rows cannot be written as CSV.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A nested type, an interval or a duration.
    #[error("column `{column}`: CSV has no text for type {data_type}; drop the column, or name the leaves to write")]
    Type {
        /// The column.
        column: String,
        /// Its type.
        data_type: DataType,
    },
    /// A value without canonical text.
    #[error("row {row}, column `{column}`: the value lies outside years 0001 to 9999, or is a time outside the day")]
    NoText {
        /// The row, from 1.
        row: u64,
        /// The column.
        column: String,
    },
    /// A value that needs quotes in a dialect that has none.
    #[error(
        "row {row}, column `{column}`: the value needs quotes, but `csv.quote` is empty; set it, or choose a delimiter \
         that no value holds"
    )]
    NeedsQuotes {
        /// The row, from 1; 0 is the header.
        row: u64,
        /// The column.
        column: String,
    },
    /// Arrow's 32-bit offsets end at 2 GiB.
    #[error("column `{column}`: {bytes} bytes of text in one batch; the limit is 2 GiB: use smaller batches")]
    TooLong {
        /// The column.
        column: String,
        /// Bytes of text, as far as they were counted.
        bytes: usize,
    },
}

impl FieldTexts {
    /// About how many bytes the rows take.
    pub(super) fn bytes(&self) -> usize {
        self.texts.bytes()
    }
}

impl Encoder {
    /// An encoder for this dialect.
    pub fn new(dialect: &Dialect) -> Self {
        Self { dialect: dialect.clone() }
    }

    /// Checks, before any row is read, that every column has a text.
    ///
    /// # Errors
    /// [`EncodeError::Type`] for the first column that has none.
    pub fn check(schema: &Schema) -> Result<(), EncodeError> {
        match schema.fields().iter().find(|field| !is_encodable(field.data_type())) {
            None => Ok(()),
            Some(field) => {
                Err(EncodeError::Type { column: field.name().clone(), data_type: field.data_type().clone() })
            }
        }
    }

    /// Appends the line of names; nothing in a dialect without header.
    ///
    /// # Errors
    /// [`EncodeError::NeedsQuotes`].
    pub fn header(&self, schema: &Schema, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if !self.dialect.header() {
            return Ok(());
        }
        for (index, field) in schema.fields().iter().enumerate() {
            if index > 0 {
                out.push(self.dialect.delimiter());
            }
            self.text(field.name().as_bytes(), out)
                .map_err(|NoQuote| EncodeError::NeedsQuotes { row: 0, column: field.name().clone() })?;
        }
        out.push(b'\n');
        Ok(())
    }

    /// Appends a line for each row of `batch`; `first_row` is the number of its first row, from 1.
    ///
    /// # Errors
    /// A column or value without text, or one that needs quotes in a dialect without; what was appended is then not to
    /// be used.
    pub fn rows(&self, batch: &RecordBatch, first_row: u64, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let schema = batch.schema();
        let columns: Vec<FieldTexts> = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(field, array)| self.column(field, array, first_row))
            .collect::<Result<_, _>>()?;
        out.reserve(columns.iter().map(|column| column.texts.bytes() + batch.num_rows()).sum());
        for row in 0..batch.num_rows() {
            for (index, column) in columns.iter().enumerate() {
                if index > 0 {
                    out.push(self.dialect.delimiter());
                }
                self.field(column, row, out).map_err(|NoQuote| EncodeError::NeedsQuotes {
                    row: first_row + row as u64,
                    column: schema.field(index).name().clone(),
                })?;
            }
            out.push(b'\n');
        }
        Ok(())
    }

    /// The texts of one column, for [`field`](Self::field).
    pub(super) fn column(&self, field: &Field, array: &ArrayRef, first_row: u64) -> Result<FieldTexts, EncodeError> {
        let texts = Texts::new(field, array, first_row)?;
        // one pass over the column's bytes, which the compiler vectorizes, spares a look at each value
        let is_special = texts.all_bytes().iter().fold(false, |seen, &b| seen | self.is_special(b) | (b == MARK[0]));
        Ok(FieldTexts { is_plain: !is_special && !self.dialect.has_null_texts(), texts })
    }

    /// Appends one field, nothing for a null.
    #[inline]
    pub(super) fn field(&self, column: &FieldTexts, row: usize, out: &mut Vec<u8>) -> Result<(), NoQuote> {
        match column.texts.get(row) {
            None => Ok(()),
            Some(text) if column.is_plain && !text.is_empty() => {
                out.extend_from_slice(text);
                Ok(())
            }
            Some(text) => self.text(text, out),
        }
    }

    #[inline]
    fn is_special(&self, byte: u8) -> bool {
        // an absent quote or escape is compared with LF a second time
        let quote = self.dialect.quote().unwrap_or(b'\n');
        let escape = self.dialect.escape().unwrap_or(b'\n');
        (byte == b'\n') | (byte == b'\r') | (byte == self.dialect.delimiter()) | (byte == quote) | (byte == escape)
    }

    /// Appends one text, in quotes if it needs them.
    pub(super) fn text(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), NoQuote> {
        let needs_quotes = self.dialect.is_null(text)
            || text.starts_with(MARK)
            || text.iter().fold(false, |seen, &b| seen | self.is_special(b));
        if !needs_quotes {
            out.extend_from_slice(text);
            return Ok(());
        }
        let quote = self.dialect.quote().ok_or(NoQuote)?;
        let escape = self.dialect.escape().unwrap_or(quote);
        out.push(quote);
        let mut rest = text;
        while let Some(at) = memchr2(quote, escape, rest) {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(&[escape, rest[at]]);
            rest = &rest[at + 1..];
        }
        out.extend_from_slice(rest);
        out.push(quote);
        Ok(())
    }
}

/// The byte order mark.
pub(super) const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The texts of a column that is written.
pub(super) struct FieldTexts {
    texts: Texts,
    /// Whether no text needs quotes, unless it is empty.
    is_plain: bool,
}

/// Quotes are needed and the dialect has none.
pub(super) struct NoQuote;

#[cfg(test)]
mod tests;
