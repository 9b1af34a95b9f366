//! Columns of texts that a function makes of other texts, value by value.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, BinaryArray, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;

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
    texts_of_bytes(values, |row, bytes, out| match std::str::from_utf8(bytes) {
        Ok(text) => each(row, text, out),
        Err(_) => Err(NOT_TEXT.into()),
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
    let mut data = String::with_capacity(values.value_data().len());
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
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    let array = StringArray::try_new(offsets, Buffer::from_vec(data.into_bytes()), nulls)
        .map_err(|_| TransformError::Build(DataType::Utf8))?;
    Ok(Transformed { array: Arc::new(array), failures, found: Vec::new() })
}
