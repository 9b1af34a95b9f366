//! A batch's values as text, checked all at once instead of one by one.

use arrow::array::BinaryArray;

/// The canonical bytes of a batch, all or most of which are text.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextBatch<'a> {
    values: &'a BinaryArray,
    /// What lies between the first offset and the last, if all of it is text.
    text: Option<&'a str>,
    first: usize,
    bytes: usize,
    is_ascii: bool,
}

impl<'a> TextBatch<'a> {
    /// Looks at all bytes once.
    pub fn new(values: &'a BinaryArray) -> Self {
        let offsets = values.value_offsets();
        let (first, last) = (offsets[0] as usize, offsets[values.offsets().len() - 1] as usize);
        let bytes = &values.value_data()[first..last];
        let is_ascii = bytes.is_ascii();
        Self { values, text: std::str::from_utf8(bytes).ok(), first, bytes: bytes.len(), is_ascii }
    }

    /// How many bytes all values have, what lies under nulls included.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether every character of every value is one byte.
    pub fn is_ascii(&self) -> bool {
        self.is_ascii
    }

    /// The value of a row, which is not null; `None` if it is no text.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        let offsets = self.values.value_offsets();
        let (start, end) = (offsets[row] as usize, offsets[row + 1] as usize);
        match self.text {
            // an offset within a character cuts two values that are no text, though both together are
            Some(text) => text.get(start - self.first..end - self.first),
            None => std::str::from_utf8(&self.values.value_data()[start..end]).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;

    use super::*;

    #[test]
    fn values_are_text_or_not_each_by_itself_also_in_a_slice() {
        let values: Vec<&[u8]> = vec![b"abc", "\u{e9}".as_bytes(), b"", b"\xc3", b"\xa9", b"x", b"\xff"];
        let array = BinaryArray::from_iter_values(&values);
        for (start, end) in [(0, 7), (0, 1), (0, 3), (1, 5), (3, 5), (4, 4), (2, 3), (5, 6)] {
            let slice = array.slice(start, end - start);
            let batch = TextBatch::new(&slice);
            for row in 0..slice.len() {
                assert_eq!(batch.get(row), std::str::from_utf8(values[start + row]).ok(), "{start}..{end}: {row}");
            }
            assert_eq!(batch.is_ascii(), values[start..end].iter().all(|value| value.is_ascii()), "{start}..{end}");
        }
    }
}
