//! Columns of tokens that all have one length: offsets are arithmetic, bytes go straight into the output.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;

use super::family::{Fault, FaultKind};
use super::{TransformError, ValueSize};
use crate::crypto::encode::TokenEncoding;

/// Values signed at one go: their digests (8 KiB) stay in the first-level cache.
pub(super) const CHUNK: usize = 256;

/// The fault of an `encoding` that a family does not offer.
pub(super) fn refused_encoding(message: &str) -> Fault {
    Fault::of(FaultKind::Encoding, "encoding", message).hint("use `hex`, `base32`, `base64url` or `binary`")
}

/// How a digest becomes a value of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenFormat {
    /// Bytes of the digest that are used, from its start.
    pub bytes: usize,
    pub encoding: TokenEncoding,
    pub prefix: String,
}

impl TokenFormat {
    pub fn data_type(&self) -> DataType {
        match self.encoding {
            TokenEncoding::Binary => DataType::FixedSizeBinary(self.bytes as i32),
            _ => DataType::Utf8,
        }
    }

    fn token_len(&self) -> usize {
        self.prefix.len() + self.encoding.encoded_len(self.bytes)
    }

    /// How long tokens are. A prefix repeats, but is too short to be found each time.
    pub fn value_size(&self) -> ValueSize {
        ValueSize::Fixed { bytes: self.token_len(), random: self.bytes + self.prefix.len() / 2 }
    }

    /// One token for each non-null value; `digests(range, out)` computes those of a range of rows.
    pub fn column<const N: usize>(
        &self,
        values: &BinaryArray,
        mut digests: impl FnMut(std::ops::Range<usize>, &mut [[u8; N]]) -> Result<(), TransformError>,
    ) -> Result<ArrayRef, TransformError> {
        let (rows, token_len, prefix_len) = (values.len(), self.token_len(), self.prefix.len());
        let total = rows * token_len;
        if i32::try_from(total).is_err() {
            return Err(TransformError::TooLong(total));
        }
        let mut data = vec![0; total];
        let mut scratch = [[0; N]; CHUNK];
        for start in (0..rows).step_by(CHUNK) {
            let end = rows.min(start + CHUNK);
            let signed = &mut scratch[..end - start];
            digests(start..end, signed)?;
            let tokens = data[start * token_len..end * token_len].chunks_exact_mut(token_len.max(1));
            for (digest, token) in signed.iter().zip(tokens) {
                if prefix_len > 0 {
                    token[..prefix_len].copy_from_slice(self.prefix.as_bytes());
                }
                self.encoding.encode_into(&digest[..self.bytes], &mut token[prefix_len..]);
            }
        }
        let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0);
        self.build(data, rows, nulls)
    }

    fn build(&self, mut data: Vec<u8>, rows: usize, nulls: Option<&NullBuffer>) -> Result<ArrayRef, TransformError> {
        let token_len = self.token_len();
        let broken = |_| TransformError::Build(self.data_type());
        if self.encoding == TokenEncoding::Binary {
            // what was signed under a null slot is the token of nothing: it must not be read as a value
            for row in nulls.iter().flat_map(|nulls| (!nulls.inner()).set_indices().collect::<Vec<_>>()) {
                data[row * token_len..(row + 1) * token_len].fill(0);
            }
            let array = FixedSizeBinaryArray::try_new(self.bytes as i32, Buffer::from_vec(data), nulls.cloned());
            return Ok(Arc::new(array.map_err(broken)?));
        }
        let offsets = match nulls {
            None => (0..=rows).map(|row| (row * token_len) as i32).collect(),
            Some(nulls) => compact(&mut data, token_len, nulls),
        };
        let offsets = OffsetBuffer::new(ScalarBuffer::<i32>::from(offsets));
        Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(data), nulls.cloned()).map_err(broken)?))
    }
}

/// Closes the gaps that null rows left in `data`; gives the offsets.
fn compact(data: &mut Vec<u8>, token_len: usize, nulls: &NullBuffer) -> Vec<i32> {
    let mut offsets = Vec::with_capacity(nulls.len() + 1);
    let mut end = 0;
    offsets.push(0);
    for row in 0..nulls.len() {
        if nulls.is_valid(row) {
            data.copy_within(row * token_len..(row + 1) * token_len, end);
            end += token_len;
        }
        offsets.push(end as i32);
    }
    data.truncate(end);
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::AsArray;

    #[test]
    fn tokens_are_as_long_as_memory_is_reserved_for() {
        let values = BinaryArray::from_iter_values([b"a", b"b"]);
        for encoding in [TokenEncoding::Hex, TokenEncoding::Base32, TokenEncoding::Base64Url, TokenEncoding::Base64] {
            for (bits, prefix) in [(64, ""), (128, "usr_"), (256, ""), (256, "customer/")] {
                let format = TokenFormat { bytes: bits / 8, encoding, prefix: prefix.to_owned() };
                let made = format.column::<32>(&values, |_, _| Ok(())).unwrap();
                let ValueSize::Fixed { bytes, random } = format.value_size() else { panic!("of one length") };
                assert_eq!(made.as_string::<i32>().value(1).len(), bytes, "{format:?}");
                assert!(bits / 8 <= random && random <= bytes, "{format:?}");
            }
        }
        for (encoding, bytes) in [(TokenEncoding::Uuid, 36), (TokenEncoding::Binary, 16)] {
            let format = TokenFormat { bytes: 16, encoding, prefix: String::new() };
            assert_eq!(format.value_size(), ValueSize::Fixed { bytes, random: 16 });
        }
    }
}
