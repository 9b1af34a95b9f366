//! Characters covered by a mask character, but for the first and last few.

use std::sync::Arc;

use arrow::array::{Array, StringBuilder};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{BuildError, Context, Facts, Family};
use super::text_mask::TextMask;
use super::{Transform, TransformError, Transformed, Values, require_canonical, text_like};
use crate::arrays::failure::Failures;

/// Bytes of the longest character in UTF-8.
const LONGEST_CHAR: usize = 4;

/// Replaces characters by a mask character, all but the first and last few.
///
/// Formula: each character (Unicode scalar value) but the first `keep_first` and last `keep_last` becomes `with`.
/// A value no longer than `keep_first + keep_last` is masked whole.
/// Accepted types: those of `pseudonym`, by their text, except binary. Result type: text.
/// Example: `{ keep_last: 2 }` turns `555-0142` into `******42`, with `keep_separators: true` into `***-**42`.
/// Deterministic, unkeyed, not reversible; the length and the kept characters stay visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskSpec {
    /// How many characters at the start stay; 0 by default.
    #[serde(default)]
    pub keep_first: u32,
    /// How many characters at the end stay; 0 by default.
    #[serde(default)]
    pub keep_last: u32,
    /// The mask character; `*` by default.
    #[serde(default = "MaskSpec::default_character")]
    pub with: char,
    /// Whether characters that are neither letters nor digits nor marks stay, uncounted; `false` by default.
    #[serde(default)]
    pub keep_separators: bool,
}

impl MaskSpec {
    fn default_character() -> char {
        '*'
    }
}

impl Family for MaskSpec {
    fn facts(&self) -> Facts<'_> {
        Facts::COARSE
    }

    fn build(&self, _: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        Ok(Box::new(Mask::new(TextMask {
            keep_first: self.keep_first as usize,
            keep_last: self.keep_last as usize,
            with: self.with,
            keep_separators: self.keep_separators,
        })))
    }
}

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
        Ok(Transformed { array: Arc::new(builder.finish()), failures, found: Vec::new() })
    }
}
