//! What can be wrong with the rows of a CSV object. No error holds a byte of them.

use super::split::{SplitError, SplitProblem};

/// Why an object's rows cannot be read. Rows and fields count from 1; the header is no row, nor is a skipped blank
/// line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// More fields than columns.
    #[error(
        "row {row} has {found} fields, but there are {columns} columns; quote the fields that hold the delimiter, or \
         check `csv.delimiter`"
    )]
    TooManyFields {
        /// The row.
        row: u64,
        /// Its fields.
        found: usize,
        /// The columns.
        columns: usize,
    },
    /// Fewer fields than columns: which of them are missing cannot be known.
    #[error(
        "row {row} has {found} fields, but there are {columns} columns; complete the row, or check `csv.delimiter` and \
         `csv.quote`"
    )]
    TooFewFields {
        /// The row.
        row: u64,
        /// Its fields.
        found: usize,
        /// The columns.
        columns: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("row {row}, field {field} (column {column}) is not valid UTF-8; convert the object to UTF-8 first")]
    InvalidUtf8 {
        /// The row.
        row: u64,
        /// The field.
        field: usize,
        /// Its column, in quotes.
        column: String,
    },
    /// A quote that opens a field and is never closed.
    #[error(
        "row {row}, field {field} (column {column}): a quote opens here and is never closed; close it, or check \
         `csv.quote` and `csv.escape`"
    )]
    UnclosedQuote {
        /// The row.
        row: u64,
        /// The field.
        field: usize,
        /// Its column, in quotes.
        column: String,
    },
    /// Text between a closing quote and the next delimiter or line break.
    #[error(
        "row {row}, field {field} (column {column}): text follows the closing quote; double the quotes within the \
         field, or check `csv.quote` and `csv.escape`"
    )]
    TextAfterQuote {
        /// The row.
        row: u64,
        /// The field.
        field: usize,
        /// Its column, in quotes.
        column: String,
    },
    /// A record larger than what is held in memory for one record.
    #[error(
        "row {row} is larger than {limit} bytes{}; check `csv.quote` and the object's line breaks{}",
        if *open_quote { ", and a quote is still open there" } else { "" },
        if *limit < super::MAX_RECORD_BYTES { ", or grant more `--memory`" } else { "" }
    )]
    RecordTooLarge {
        /// The row.
        row: u64,
        /// The most bytes that one record may have.
        limit: usize,
        /// Whether the limit was met within quotes.
        open_quote: bool,
    },
    /// A block too large for 32-bit offsets; [`Blocks`](super::Blocks) never makes one.
    #[error("the block that begins at row {row} is larger than {limit} bytes; cut it with `Blocks`")]
    BlockTooLarge {
        /// The block's first row.
        row: u64,
        /// The most bytes that a block may have.
        limit: usize,
    },
    /// A value that is not of its column's type.
    #[error(
        "row {row}, column `{column}`: the value is no {wanted}; mend the value, name its null text in `csv.null`, or \
         give the column another `type`"
    )]
    NotOfType {
        /// The row.
        row: u64,
        /// The column.
        column: String,
        /// The type asked for, as a policy writes it.
        wanted: String,
    },
}

impl CsvError {
    /// The row at fault, from 1.
    pub fn row(&self) -> u64 {
        match self {
            Self::TooManyFields { row, .. }
            | Self::TooFewFields { row, .. }
            | Self::InvalidUtf8 { row, .. }
            | Self::UnclosedQuote { row, .. }
            | Self::TextAfterQuote { row, .. }
            | Self::RecordTooLarge { row, .. }
            | Self::BlockTooLarge { row, .. }
            | Self::NotOfType { row, .. } => *row,
        }
    }

    pub(super) fn from_split(error: SplitError, first_row: u64, names: &[String]) -> Self {
        let row = first_row + error.record as u64;
        let field = error.field + 1;
        let column = column_label(names, error.field);
        match error.problem {
            SplitProblem::UnclosedQuote => Self::UnclosedQuote { row, field, column },
            SplitProblem::TextAfterQuote => Self::TextAfterQuote { row, field, column },
            SplitProblem::BlockTooLarge => Self::BlockTooLarge { row, limit: super::split::MAX_BLOCK_BYTES },
        }
    }
}

/// How a message names the column of a field (from 0); a row may have more fields than there are columns.
pub(super) fn column_label(names: &[String], field: usize) -> String {
    names.get(field).map_or_else(|| "none: past the last".to_owned(), |name| format!("`{name}`"))
}
