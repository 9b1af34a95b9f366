//! Characters covered by a mask character, but for the first and last few.

use std::sync::Arc;

use arrow::array::{Array, StringBuilder};
use arrow::datatypes::DataType;

use super::text_mask::TextMask;
use super::{Transform, TransformError, Transformed, Values, require_canonical, text_like};
use crate::arrays::failure::Failures;

/// Bytes of the longest character in UTF-8.
const LONGEST_CHAR: usize = 4;

/// Masks the canonical text. The length in characters stays, and so do the characters asked to be kept.
#[derive(Debug, Clone)]
pub struct Mask {
    mask: TextMask,
}

impl Mask {
    /// Masks as `mask` says.
    pub fn new(mask: TextMask) -> Self {
        Self { mask }
    }
}

impl Transform for Mask {
    fn name(&self) -> &'static str {
        "mask"
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        require_canonical(input)?;
        Ok(text_like(input))
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let longest = values.canonical.value_data().len().saturating_mul(LONGEST_CHAR);
        if i32::try_from(longest).is_err() {
            return Err(TransformError::TooLong(longest));
        }
        let mut failures = Failures::default();
        let mut builder = StringBuilder::with_capacity(values.canonical.len(), values.canonical.value_data().len());
        let mut masked = String::new();
        for (row, value) in values.canonical.iter().enumerate() {
            match value.map(std::str::from_utf8) {
                None => builder.append_null(),
                Some(Ok(text)) => {
                    masked.clear();
                    self.mask.mask(text, &mut masked);
                    builder.append_value(&masked);
                }
                Some(Err(_)) => {
                    failures.push(row, "binary value that is not UTF-8 text");
                    builder.append_null();
                }
            }
        }
        Ok(Transformed { array: Arc::new(builder.finish()), failures })
    }
}
