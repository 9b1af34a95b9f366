//! Which values a column has, and nothing else of it.

use arrow::array::{Array, ArrayRef, BinaryArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::DataType;

use super::TransformError;

/// As long as `array`, null where it is and empty elsewhere: for transforms that look at no canonical bytes.
///
/// # Errors
/// None, unless Arrow is at fault.
pub(super) fn presence(array: &ArrayRef) -> Result<BinaryArray, TransformError> {
    BinaryArray::try_new(OffsetBuffer::new_zeroed(array.len()), Buffer::default(), array.logical_nulls())
        .map_err(|_| TransformError::Build(DataType::Binary))
}
