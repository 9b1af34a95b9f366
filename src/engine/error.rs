//! Why an object could not be rewritten: what happened, where, what to do. Never a cell value.

use arrow::datatypes::DataType;

/// A failure of one object.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RewriteError {
    /// Reading or writing failed.
    #[error(transparent)]
    Storage(#[from] super::storage::StorageError),
    /// The object was published, and what it supersedes could not be removed.
    #[error("the new output stands, but an older one could not be removed: {0}; run again once that is possible")]
    OlderOutput(super::storage::StorageError),
    /// The CSV text is not what its dialect says.
    #[error(transparent)]
    Csv(#[from] super::csv::CsvError),
    /// The CSV object has no header that could be one.
    #[error(transparent)]
    CsvHeader(#[from] super::csv::HeaderError),
    /// A row can't be written as CSV.
    #[error(transparent)]
    CsvEncode(#[from] super::csv::EncodeError),
    /// The compressed stream is damaged or ends too early.
    #[error(transparent)]
    Compress(#[from] super::csv::CompressError),
    /// The Parquet file is damaged, or lies.
    #[error("not a sound Parquet file: {what}; restore the object or take it out of the source")]
    Parquet {
        /// What is wrong, without anything of a value.
        what: String,
    },
    /// Pages of a column can't be decoded.
    #[error("column `{column}`, row group {row_group}: {fault}; restore the object")]
    Decode {
        /// Name in the source.
        column: String,
        /// From 0.
        row_group: usize,
        /// What is wrong with them.
        fault: super::parquet::page::PageFault,
    },
    /// A value that the transform could not take, under `on_error: fail`.
    #[error(
        "column `{column}`, row {row}: a value could not be taken: {reason}; mend the data or set `on_error` to `to_null` or `redact`"
    )]
    Value {
        /// Path in the output.
        column: String,
        /// Row of the object, from 1.
        row: u64,
        /// Without anything of the value.
        reason: String,
    },
    /// A text that is not of the type that the policy gives its column.
    #[error("column `{column}`, row {row}: the value is no {wanted}; mend the value, or give the column another type")]
    NotOfType {
        /// Path in the source.
        column: String,
        /// Row of the object, from 1.
        row: u64,
        /// The type asked for, as a policy writes it.
        wanted: String,
    },
    /// A whole column is impossible.
    #[error("column `{column}`: {reason}")]
    Column {
        /// Name in the output.
        column: String,
        /// Without anything of a value.
        reason: String,
    },
    /// The object's columns are not those that were planned.
    #[error("its columns changed between planning and reading; run again")]
    SchemaChanged,
    /// The output could not be encoded.
    #[error("column `{column}` of type {data_type} could not be encoded")]
    Encode {
        /// Name in the output.
        column: String,
        /// Its type.
        data_type: DataType,
    },
    /// The run was asked to stop.
    #[error("stopped; run the same command again to go on")]
    Stopped,
    /// A fault of ours.
    #[error("a fault in lakeveil while {0}; nothing was published for this object: please report it")]
    Internal(&'static str),
}

impl RewriteError {
    /// A stable code for reports.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Storage(error) => error.kind().code(),
            Self::OlderOutput(_) => "older-output-stands",
            Self::Csv(_) | Self::CsvHeader(_) => "csv-invalid",
            Self::CsvEncode(_) => "encode-failed",
            Self::Compress(_) => "stream-damaged",
            Self::Parquet { .. } => "parquet-invalid",
            Self::Decode { .. } => "parquet-undecodable",
            Self::Value { .. } | Self::NotOfType { .. } => "value-refused",
            Self::Column { .. } => "column-impossible",
            Self::SchemaChanged => "schema-changed",
            Self::Encode { .. } => "encode-failed",
            Self::Stopped => "stopped",
            Self::Internal(_) => "internal",
        }
    }
}
