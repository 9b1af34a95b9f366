//! Floor 1: what can be done to a column, one file per family behind one small trait.
//!
//! A [`Cell`](cell::Cell) wraps a transform with what holds for all of them: null stays null, canonical bytes,
//! `normalize`, the `empty` rule, each distinct value of a dictionary once, `on_error`.

pub mod cell;
#[cfg(test)]
mod contract;
pub mod date_shift;
pub mod email;
pub mod encrypt;
pub mod family;
pub mod fpe;
pub mod generalize;
pub mod hash;
pub mod ip;
pub mod keyed;
pub mod mask;
pub mod noise;
pub mod normalize;
pub mod nullify;
mod presence;
pub mod pseudonym;
pub mod random;
pub mod redact;
pub mod rekeyable;
pub mod scrub;
pub mod shape;
pub mod signer;
pub mod spec;
pub mod subkeys;
pub mod surrogate;
pub mod tally;
#[cfg(test)]
pub(crate) mod testing;
mod text_batch;
pub mod text_mask;
pub mod texts;
mod tokens;
pub mod when;

use arrow::array::{ArrayRef, BinaryArray};
use arrow::datatypes::{DataType, Field};

use crate::arrays::failure::Failures;

/// Versions of the crates, and of what is our own, whose data decide on outputs beside those of
/// [`normalize`](normalize::UNICODE_VERSIONS): lists of public suffixes, logarithms, regular expressions. Part of the
/// policy's digest, whatever the policy uses, since SQL may use them too.
pub const DATA_VERSIONS: &[(&str, &str)] = &[
    ("libm", "0.2.16"),
    ("psl", "2.1.247"),
    ("regex", "1.13.1"),
    ("regex-automata", "0.4.18"),
    ("regex-syntax", "0.8.11"),
];

/// A function from a column to a column of the same length.
///
/// Laws, held by one suite for every implementation:
/// - null in, null out; nothing else becomes null without a failure;
/// - the output has the type that [`output_type`](Transform::output_type) promised;
/// - the answer for a value depends on the value (and its companions) alone: not on its position, its neighbours,
///   the batch size or the column's encoding;
/// - no failure's reason holds anything of a value.
pub trait Transform: std::fmt::Debug + Send + Sync {
    /// The policy's word for it.
    fn name(&self) -> &'static str;

    /// The output's type for a column of `input`, which is never a dictionary or run-end encoded.
    ///
    /// # Errors
    /// Why this type can't be transformed, for the person who wrote the policy.
    fn output_type(&self, input: &DataType) -> Result<DataType, String>;

    /// Whether values are looked at at all: if not, one without a text form is no obstacle.
    fn needs_text(&self) -> bool {
        true
    }

    /// Whether equal values may share one output of a dictionary: `false` where each occurrence gets its own.
    fn once_per_value(&self) -> bool {
        true
    }

    /// The kinds of things that it finds within values, for [`Transformed::found`]; none for most.
    fn kinds(&self) -> &[String] {
        &[]
    }

    /// What the output's field tells beside its type: keys and values of its metadata. `input` is the source's field.
    fn field_metadata(&self, _input: &Field) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Whether outputs look random, so that no compressor finds anything in them but their alphabet.
    fn looks_random(&self) -> bool {
        false
    }

    /// How long outputs are: memory is reserved for them before they are made.
    fn value_size(&self) -> ValueSize {
        ValueSize::AsSource
    }

    /// Transforms every value.
    ///
    /// # Errors
    /// Only what makes every value impossible, such as a key that serves another domain. A single value that can't
    /// be taken is one of [`Transformed::failures`].
    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError>;
}

/// How long the values are that a transform makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueSize {
    /// About as long as the text of the source's value.
    AsSource,
    /// All of one length.
    Fixed {
        /// In bytes, as text or in binary.
        bytes: usize,
        /// Of these, what no compressor can do without.
        random: usize,
    },
}

/// What a transform gets to see.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The source column, neither dictionary nor run-end encoded.
    pub array: &'a ArrayRef,
    /// Its canonical bytes, normalized (TOKENS.md section 2). Null where the value is null or has already failed.
    pub canonical: &'a BinaryArray,
    /// Canonical bytes of the columns that steer the transform (tenant, parts of a domain), in the order bound.
    pub companions: &'a [BinaryArray],
}

/// What a transform gives back.
#[derive(Debug, Clone)]
pub struct Transformed {
    /// As many values as came in.
    pub array: ArrayRef,
    /// Positions whose value could not be taken; the array is null there.
    pub failures: Failures,
    /// What was found within values, in order of position; mostly nothing.
    pub found: Vec<Found>,
}

/// One thing found within a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Position of the value.
    pub index: u32,
    /// Which of [`Transform::kinds`].
    pub kind: u16,
}

impl From<ArrayRef> for Transformed {
    fn from(array: ArrayRef) -> Self {
        Self { array, failures: Failures::default(), found: Vec::new() }
    }
}

/// What makes a whole column impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransformError {
    /// The key can't serve this column.
    #[error("{0}")]
    Key(String),
    /// The column is not of a type that was bound.
    #[error(transparent)]
    Canonical(#[from] crate::arrays::canonical::CanonicalError),
    /// A batch whose output would pass Arrow's 32-bit offsets.
    #[error("{0} bytes of output in one batch; the limit is 2 GiB: use smaller batches or row groups")]
    TooLong(usize),
    /// Arrow refused to build an array: a fault of ours, told without Arrow's text, which may quote values.
    #[error("could not build an array of type {0}")]
    Build(DataType),
}

/// The text type that suits an input type: text keeps its Arrow flavour, all else becomes Utf8.
pub(crate) fn text_like(input: &DataType) -> DataType {
    match input {
        DataType::LargeUtf8 | DataType::LargeBinary => DataType::LargeUtf8,
        DataType::Utf8View | DataType::BinaryView => DataType::Utf8View,
        _ => DataType::Utf8,
    }
}

/// Refuses what has no canonical bytes, in words for the person who wrote the policy.
pub(crate) fn require_canonical(input: &DataType) -> Result<(), String> {
    use DataType::*;
    if crate::arrays::canonical::is_supported(input) {
        return Ok(());
    }
    Err(match input {
        Float16 | Float32 | Float64 => format!("{input} has no single text form; keep, drop, nullify or redact it"),
        List(_) | LargeList(_) | FixedSizeList(..) | ListView(_) | LargeListView(_) | Struct(_) | Map(..) => {
            format!("{input} is nested; name its leaves, as in `column.field`, `column[].field` or `column{{}}.value`")
        }
        _ => format!("{input} has no canonical text"),
    })
}

/// Refuses what holds no dates, in words for the person who wrote the policy.
pub(crate) fn require_dates(input: &DataType) -> Result<(), String> {
    use DataType::*;
    match input {
        Date32 | Date64 | Timestamp(..) | Utf8 | LargeUtf8 | Utf8View => Ok(()),
        _ => Err(format!("{input} holds no dates; it takes dates, timestamps and text")),
    }
}
