//! What stands in place of a find.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::patterns::Pattern;
use super::scan::{Find, Finders, settle};
use crate::arrays::failure::Failures;
use crate::transforms::TransformError;
use crate::transforms::normalize::Region;
use crate::transforms::text_mask::TextMask;

/// What stands in place of a find.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Replacement {
    /// The kind's name in upper case: `<EMAIL>`.
    #[default]
    Label,
    /// `*` for each letter, digit and mark; all else stays.
    Mask,
    /// The token that `pseudonym` gives these very bytes: 128 bits, 32 hexadecimal digits.
    Pseudonym,
}

/// Bytes of the digest in a token.
const TOKEN: usize = 16;

const MASK: TextMask = TextMask { keep_first: 0, keep_last: 0, with: '*', keep_separators: true };

/// One instance found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The row that it stands in.
    pub row: u32,
    /// What it is: position in [`Scrubber::kinds`].
    pub kind: u16,
}

/// A column searched through.
#[derive(Debug, Clone)]
pub struct Scrubbed {
    /// The texts with all finds replaced.
    pub array: ArrayRef,
    /// Values that are no text, or whose key is missing.
    pub failures: Failures,
    /// Every instance, row by row.
    pub found: Vec<Found>,
}

/// One thing that is searched for, and what becomes of it.
#[derive(Debug, Clone)]
struct Sought {
    name: String,
    label: String,
    replacement: Replacement,
}

/// A search for some kinds and patterns.
#[derive(Debug, Clone)]
pub struct Scrubber {
    sought: Vec<Sought>,
    patterns: Vec<Pattern>,
    finders: Finders,
}

impl Scrubber {
    /// Searches for `patterns`, which come first where another kind claims the same characters, and `kinds`; national
    /// telephone numbers as `regions` write them.
    pub fn new(
        kinds: &[Kind],
        patterns: Vec<Pattern>,
        regions: Vec<Region>,
        replacement: impl Fn(&str) -> Replacement,
    ) -> Self {
        let mut kinds = kinds.to_vec();
        kinds.sort_unstable();
        kinds.dedup();
        let names = patterns.iter().map(Pattern::name).chain(kinds.iter().map(|kind| kind.name()));
        let sought = names.map(|name| Sought {
            name: name.to_owned(),
            label: format!("<{}>", name.to_ascii_uppercase()),
            replacement: replacement(name),
        });
        let sought: Vec<_> = sought.collect();
        let kinds: Vec<_> = kinds.into_iter().zip(patterns.len() as u16..).collect();
        Self { sought, finders: Finders::new(&kinds, regions), patterns }
    }

    /// The names of all that is searched for, as a policy writes them.
    pub fn kinds(&self) -> Vec<String> {
        self.sought.iter().map(|sought| sought.name.clone()).collect()
    }

    /// The finds of a text, in order, in place of what is in `finds`; gives the bytes looked at.
    pub(super) fn find(&self, text: &str, finds: &mut Vec<Find>) -> usize {
        finds.clear();
        for (pattern, kind) in self.patterns.iter().zip(0..) {
            pattern.find(text, kind, finds);
        }
        let looked_at = self.finders.find(text, finds);
        settle(finds);
        looked_at
    }

    /// Replaces all finds in all texts; `sign` gives the digests of messages (the bytes of finds) of one row.
    ///
    /// A value of which `sign` has no digest fails.
    ///
    /// # Errors
    /// [`TransformError::TooLong`] if the texts pass 2 GiB; what `sign` says of all values.
    pub fn scrub(
        &self,
        values: &BinaryArray,
        mut sign: impl FnMut(usize, &[u8]) -> Result<Option<[u8; 32]>, TransformError>,
    ) -> Result<Scrubbed, TransformError> {
        let mut column = Column::with_capacity(values);
        let (mut failures, mut found, mut finds) = (Failures::default(), Vec::new(), Vec::new());
        for row in 0..values.len() {
            if values.is_valid(row) {
                match std::str::from_utf8(values.value(row)) {
                    Ok(text) => {
                        self.find(text, &mut finds);
                        let written = self.write(text, row, &finds, &mut column.text, &mut sign)?;
                        match written {
                            Ok(()) => found.extend(finds.iter().map(|find| Found { row: row as u32, kind: find.kind })),
                            Err(reason) => {
                                column.text.truncate(column.end());
                                failures.push(row, reason);
                            }
                        }
                    }
                    Err(_) => failures.push(row, "binary value that is not UTF-8 text"),
                }
            }
            column.close()?;
        }
        Ok(Scrubbed { array: column.finish(values, &failures)?, failures, found })
    }

    /// Appends `text` with `finds` replaced.
    fn write(
        &self,
        text: &str,
        row: usize,
        finds: &[Find],
        out: &mut Vec<u8>,
        sign: &mut impl FnMut(usize, &[u8]) -> Result<Option<[u8; 32]>, TransformError>,
    ) -> Result<Result<(), Cow<'static, str>>, TransformError> {
        let mut written = 0;
        for find in finds {
            let instance = &text[find.start..find.end];
            out.extend_from_slice(&text.as_bytes()[written..find.start]);
            written = find.end;
            let sought = &self.sought[usize::from(find.kind)];
            match sought.replacement {
                Replacement::Label => out.extend_from_slice(sought.label.as_bytes()),
                Replacement::Mask => {
                    let mut masked = String::new();
                    MASK.mask(instance, &mut masked);
                    out.extend_from_slice(masked.as_bytes());
                }
                Replacement::Pseudonym => match sign(row, instance.as_bytes())? {
                    Some(digest) => {
                        let start = out.len();
                        out.resize(start + 2 * TOKEN, 0);
                        HEXLOWER.encode_mut(&digest[..TOKEN], &mut out[start..]);
                    }
                    None => return Ok(Err(NO_KEY.into())),
                },
            }
        }
        out.extend_from_slice(&text.as_bytes()[written..]);
        Ok(Ok(()))
    }
}

const NO_KEY: &str = "the tenant or domain column of its row is null, empty or not UTF-8";

/// Texts one behind the other.
struct Column {
    text: Vec<u8>,
    offsets: Vec<i32>,
}

impl Column {
    fn with_capacity(values: &BinaryArray) -> Self {
        let mut offsets = Vec::with_capacity(values.len() + 1);
        offsets.push(0);
        let bytes = values.value_offsets()[values.len()] - values.value_offsets()[0];
        Self { text: Vec::with_capacity(bytes as usize), offsets }
    }

    fn end(&self) -> usize {
        self.offsets.last().map_or(0, |&end| end as usize)
    }

    fn close(&mut self) -> Result<(), TransformError> {
        let len = self.text.len();
        self.offsets.push(i32::try_from(len).map_err(|_| TransformError::TooLong(len))?);
        Ok(())
    }

    fn finish(self, values: &BinaryArray, failures: &Failures) -> Result<ArrayRef, TransformError> {
        let nulls = crate::transforms::cell::without(values, failures).nulls().cloned();
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let array = StringArray::try_new(offsets, Buffer::from_vec(self.text), nulls);
        Ok(Arc::new(array.map_err(|_| TransformError::Build(DataType::Utf8))?))
    }
}
