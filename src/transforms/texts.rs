//! Columns of texts that a function makes of other texts, value by value.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;

use super::text_batch::TextBatch;
use super::{TransformError, Transformed};
use crate::arrays::failure::Failures;

/// Why a value could not be taken, without anything of it.
pub type Reason = Cow<'static, str>;

/// What stands for a value that is no text.
pub const NOT_TEXT: &str = "binary value that is not UTF-8 text";

/// The text of each non-null value: `each(row, value, out)` appends it to `out`, or tells why it can't. What a failed
/// value had appended is taken back.
///
/// # Errors
/// [`TransformError::TooLong`] for more than 2 GiB.
pub fn texts(
    values: &BinaryArray,
    mut each: impl FnMut(usize, &str, &mut String) -> Result<(), Reason>,
) -> Result<Transformed, TransformError> {
    let batch = TextBatch::new(values);
    texts_of_bytes(values, |row, _, out| match batch.get(row) {
        Some(text) => each(row, text, out),
        None => Err(NOT_TEXT.into()),
    })
}

/// As [`texts`], from bytes that need not be text.
///
/// # Errors
/// As [`texts`].
pub fn texts_of_bytes(
    values: &BinaryArray,
    mut each: impl FnMut(usize, &[u8], &mut String) -> Result<(), Reason>,
) -> Result<Transformed, TransformError> {
    let mut failures = Failures::default();
    let ends = values.value_offsets();
    // of a slice, the bytes are those of the whole column
    let mut data = String::with_capacity((ends[values.len()] - ends[0]) as usize);
    let mut offsets = Vec::with_capacity(values.len() + 1);
    offsets.push(0i32);
    for row in 0..values.len() {
        if values.is_valid(row) {
            let before = data.len();
            if let Err(reason) = each(row, values.value(row), &mut data) {
                data.truncate(before);
                failures.push(row, reason);
            }
        }
        offsets.push(i32::try_from(data.len()).map_err(|_| TransformError::TooLong(data.len()))?);
    }
    let nulls = super::cell::without(values, &failures).nulls().cloned();
    Ok(Transformed { failures, ..text_column(data.into_bytes(), offsets, nulls)?.into() })
}

/// A text column of its parts; `data` must be UTF-8, split at `offsets` between characters.
pub(super) fn text_column(
    data: Vec<u8>,
    offsets: Vec<i32>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, TransformError> {
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let array = StringArray::try_new(offsets, Buffer::from_vec(data), nulls);
    Ok(Arc::new(array.map_err(|_| TransformError::Build(DataType::Utf8))?))
}
