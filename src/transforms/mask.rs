//! Characters covered by a mask character, but for the first and last few.

use arrow::array::{Array, ArrayRef, BinaryArray};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{BuildError, Context, Facts, Family};
use super::text_batch::TextBatch;
use super::text_mask::TextMask;
use super::texts::{text_column, texts};
use super::{Transform, TransformError, Transformed, Values, require_canonical, text_like};

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
        let batch = TextBatch::new(values.canonical);
        if batch.is_ascii() && self.mask.with.is_ascii() {
            return Ok(self.mask_ascii(values.canonical, batch.bytes())?.into());
        }
        texts(values.canonical, |_, text, masked| {
            self.mask.mask(text, masked);
            Ok(())
        })
    }
}

impl Mask {
    /// A batch of `bytes` bytes in which every character is one byte, and becomes one byte.
    fn mask_ascii(&self, canonical: &BinaryArray, bytes: usize) -> Result<ArrayRef, TransformError> {
        let mut data = vec![self.mask.with as u8; bytes];
        let mut offsets = Vec::with_capacity(canonical.len() + 1);
        let mut end = 0;
        offsets.push(0);
        for row in 0..canonical.len() {
            if canonical.is_valid(row) {
                let value = canonical.value(row);
                self.mask.mask_bytes(value, &mut data[end..end + value.len()]);
                end += value.len();
            }
            // as long as the source's, which has 32-bit offsets
            offsets.push(end as i32);
        }
        data.truncate(end);
        text_column(data, offsets, canonical.nulls().cloned())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, StringArray};
    use arrow::buffer::NullBuffer;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::transforms::testing::{apply, cell, companion, shown, texts};

    proptest! {
        #[test]
        fn a_value_is_masked_the_same_beside_ascii_and_beside_other_text(
            values in prop::collection::vec(prop::option::of("[a-z0-9 .-]{0,12}|\\PC{0,5}"), 0..9),
            options in prop::sample::select(vec![
                json!({}),
                json!({ "keep_first": 1, "keep_last": 2 }),
                json!({ "keep_last": 3, "keep_separators": true, "with": "#" }),
                json!({ "keep_first": 1, "with": "\u{2022}" }),
            ]),
        ) {
            let cell = cell(json!({ "mask": options }));
            let together = shown(&apply(&cell, &texts(values.iter().map(Option::as_ref)), &[]).0);
            for (value, together) in values.iter().zip(together) {
                let beside = texts([value.as_deref(), Some("\u{e9}")]);
                prop_assert_eq!(&shown(&apply(&cell, &beside, &[]).0)[0], &together);
            }
        }
    }

    #[test]
    fn what_lies_under_a_null_is_gone() {
        let column = StringArray::new(
            arrow::buffer::OffsetBuffer::from_lengths([6, 3]),
            arrow::buffer::Buffer::from(b"secretabc".as_slice()),
            Some(NullBuffer::from(vec![false, true])),
        );
        let column: ArrayRef = std::sync::Arc::new(column);
        for column in [column.clone(), column.slice(0, 1)] {
            let (made, _) = apply(&cell(json!({ "mask": { "keep_last": 2 } })), &column, &[]);
            let made = made.as_string::<i32>();
            assert_eq!(made.value_data(), b"*bc".get(..if column.len() > 1 { 3 } else { 0 }).unwrap());
        }
    }

    #[test]
    fn binary_values_are_masked_where_they_are_text() {
        let column: ArrayRef = std::sync::Arc::new(companion([Some(&b"abc"[..]), Some(b"\xc3"), Some(b"\xa9d"), None]));
        let (made, tally) = apply(&cell(json!({ "mask": {} })), &column, &[]);
        assert_eq!((shown(&made), tally.failed), (vec![Some("***".to_owned()), None, None, None], 2));
    }
}
