//! Columns whose values are few: which label each row has, then one pass that copies the labels behind each other.

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;

use crate::transforms::TransformError;
use crate::transforms::texts::text_column;

/// Stands for a row without a label: null, or an error of its value.
pub(super) const NO_LABEL: u32 = u32::MAX;

/// Labels of up to this many bytes are copied without a call.
const SHORT: usize = 16;

/// Texts that stand for many values each, by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels {
    labels: Vec<Label>,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Label {
    /// The first bytes, zeros behind them.
    head: [u8; SHORT],
    start: usize,
    len: usize,
}

impl Labels {
    /// Adds a label; its number.
    pub fn push(&mut self, label: &str) -> u32 {
        let mut head = [0; SHORT];
        let short = label.len().min(SHORT);
        head[..short].copy_from_slice(&label.as_bytes()[..short]);
        self.labels.push(Label { head, start: self.bytes.len(), len: label.len() });
        self.bytes.extend_from_slice(label.as_bytes());
        self.labels.len() as u32 - 1
    }

    /// A text column of one label for each of `rows`, null at [`NO_LABEL`].
    ///
    /// # Errors
    /// [`TransformError::TooLong`] for more than 2 GiB.
    pub fn column(&self, rows: &[u32]) -> Result<ArrayRef, TransformError> {
        let nothing = Label { head: [0; SHORT], start: 0, len: 0 };
        let label = |row: u32| self.labels.get(row as usize).unwrap_or(&nothing);
        let total: usize = rows.iter().map(|&row| label(row).len).sum();
        if i32::try_from(total).is_err() {
            return Err(TransformError::TooLong(total));
        }
        let mut data = vec![0; total + SHORT];
        let mut offsets = Vec::with_capacity(rows.len() + 1);
        let mut end = 0;
        offsets.push(0);
        for &row in rows {
            let Label { head, start, len } = *label(row);
            if len <= SHORT {
                // the zeros behind a short label are written over by the next
                data[end..end + SHORT].copy_from_slice(&head);
            } else {
                data[end..end + len].copy_from_slice(&self.bytes[start..start + len]);
            }
            end += len;
            offsets.push(end as i32);
        }
        data.truncate(end);
        text_column(data, offsets, nulls(rows, NO_LABEL))
    }
}

/// One bit for each row, unset where it is `missing`; `None` if none is.
pub(super) fn nulls<T: Copy + PartialEq>(rows: &[T], missing: T) -> Option<NullBuffer> {
    rows.contains(&missing).then(|| rows.iter().map(|&row| row != missing).collect())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn labels_of_every_length_stand_behind_each_other() {
        let texts: Vec<String> = (0..40).map(|len| "\u{e9}abcdefgh".chars().cycle().take(len).collect()).collect();
        let mut labels = Labels::default();
        let numbers: Vec<u32> = texts.iter().map(|text| labels.push(text)).collect();
        assert_eq!(numbers, (0..40).collect::<Vec<_>>());
        let rows: Vec<u32> =
            (0..400).map(|row| row * 7 % 41).map(|row| if row == 40 { NO_LABEL } else { row }).collect();
        let column = labels.column(&rows).unwrap();
        for (row, value) in rows.iter().zip(column.as_string::<i32>()) {
            assert_eq!(value, texts.get(*row as usize).map(String::as_str));
        }
        assert!(column.null_count() > 0);
        assert!(labels.column(&[]).unwrap().is_empty());
    }
}
