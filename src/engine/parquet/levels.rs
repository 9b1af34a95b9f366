//! Definition and repetition levels, and indices: the hybrid of runs and bit-packed groups (parquet-format,
//! `Encodings.md`, "RLE/bit-packing hybrid").

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::schema::types::ColumnDescriptor;

use super::page::{PageHeader, PageKind};

/// One run of equal or bit-packed numbers.
enum Run<'a> {
    Repeated { value: u32, count: usize },
    Packed { bytes: &'a [u8], count: usize },
}

/// Calls `each` for every run of the first `count` numbers of `width` bits. `None` if there are fewer.
fn for_each_run<'a>(bytes: &'a [u8], width: u32, count: usize, mut each: impl FnMut(Run<'a>)) -> Option<()> {
    let (mut rest, mut left) = (bytes, count);
    while left > 0 {
        let header = varint(&mut rest)?;
        let run = usize::try_from(header >> 1).ok()?;
        if header & 1 == 0 {
            let width_bytes = width.div_ceil(8) as usize;
            let value = rest.get(..width_bytes)?.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
            rest = &rest[width_bytes..];
            let taken = run.min(left);
            if taken == 0 {
                return None;
            }
            each(Run::Repeated { value, count: taken });
            left -= taken;
        } else {
            let taken = run.checked_mul(8)?.min(left);
            if taken == 0 {
                return None;
            }
            // the last group may be cut after the last number that counts
            let needed = (taken * width as usize).div_ceil(8);
            each(Run::Packed { bytes: rest.get(..needed)?, count: taken });
            rest = &rest[run.checked_mul(width as usize)?.min(rest.len())..];
            left -= taken;
        }
    }
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Numbers of `width` bits, least significant bit first.
fn unpack(bytes: &[u8], width: u32, count: usize, mut each: impl FnMut(u32)) {
    let mask = (1u64 << width) - 1;
    let (mut window, mut bits, mut at) = (0u64, 0u32, 0);
    for _ in 0..count {
        while bits < width {
            if let Some(four) = bytes.get(at..at + 4).filter(|_| bits <= 32) {
                window |= u64::from(u32::from_le_bytes([four[0], four[1], four[2], four[3]])) << bits;
                (bits, at) = (bits + 32, at + 4);
            } else {
                window |= u64::from(bytes.get(at).copied().unwrap_or(0)) << bits;
                (bits, at) = (bits + 8, at + 1);
            }
        }
        each((window & mask) as u32);
        window >>= width;
        bits -= width;
    }
}

/// The indices of a dictionary-encoded page's values: a byte of width, then runs. `None` if there are fewer than
/// `count`, or one is not below `entries`.
pub fn indices(values: &[u8], count: usize, entries: usize) -> Option<Vec<i32>> {
    let mut indices = Vec::with_capacity(count.min(values.len().saturating_mul(8)));
    if count == 0 {
        return Some(indices);
    }
    let (&width, runs) = values.split_first()?;
    let width = u32::from(width);
    if width > 31 {
        return None;
    }
    let mut highest = 0;
    for_each_run(runs, width, count, |run| match run {
        Run::Repeated { value, count } => {
            highest = highest.max(value);
            indices.resize(indices.len() + count, value as i32);
        }
        Run::Packed { bytes, count } => unpack(bytes, width, count, |value| {
            highest = highest.max(value);
            indices.push(value as i32);
        }),
    })?;
    ((highest as usize) < entries).then_some(indices)
}

/// Why levels can't be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LevelError {
    /// Too few, or of an encoding that no writer has used for years.
    Unusual,
    /// Deeper than the schema: readers refuse such a page, or take its values for nulls.
    BeyondMaximum,
}

/// How many of `count` levels up to `max` satisfy `counts`.
fn count(bytes: &[u8], max: i16, count: usize, counts: impl Fn(u32) -> bool) -> Result<usize, LevelError> {
    let max = u32::from(max.unsigned_abs());
    let (mut found, mut highest) = (0, 0);
    let runs = for_each_run(bytes, max.ilog2() + 1, count, |run| match run {
        Run::Repeated { value, count } => {
            highest = highest.max(value);
            found += if counts(value) { count } else { 0 };
        }
        Run::Packed { bytes, count } => unpack(bytes, max.ilog2() + 1, count, |value| {
            highest = highest.max(value);
            found += usize::from(counts(value));
        }),
    });
    runs.ok_or(LevelError::Unusual)?;
    if highest <= max { Ok(found) } else { Err(LevelError::BeyondMaximum) }
}

/// A data page taken apart.
#[derive(Debug)]
pub struct Parts {
    /// Repetition and definition levels as they lie; in version 1 with their lengths.
    pub levels: Bytes,
    /// The encoded values that are not null.
    pub values: Bytes,
    /// How many values are not null.
    pub present: usize,
    /// Items, nulls included: what has a value or could have one.
    pub items: usize,
    /// Rows that begin in the page.
    pub rows: usize,
    /// Whether its first value begins a row.
    pub begins_row: bool,
}

/// Takes a decompressed page apart.
///
/// # Errors
/// [`LevelError`].
pub fn parts(header: &PageHeader, body: &Bytes, column: &ColumnDescriptor) -> Result<Parts, LevelError> {
    let (repetition, definition, levels) = sections(header, body, column).ok_or(LevelError::Unusual)?;
    let total = header.values().unsigned_abs() as usize;
    let (max_rep, max_def) = (column.max_rep_level(), column.max_def_level());
    let (mut present, mut items, mut rows, mut begins_row) = (total, total, total, true);
    if max_def > 0 {
        let (full, item) = (u32::from(max_def.unsigned_abs()), column.repeated_ancestor_def_level());
        let item = u32::from(item.unsigned_abs());
        present = count(&definition, max_def, total, |level| level == full)?;
        items = if item == 0 { total } else { count(&definition, max_def, total, |level| level >= item)? };
    }
    if max_rep > 0 {
        rows = count(&repetition, max_rep, total, |level| level == 0)?;
        begins_row = count(&repetition, max_rep, total.min(1), |level| level > 0)? == 0;
    }
    Ok(Parts { levels: body.slice(..levels), values: body.slice(levels..), present, items, rows, begins_row })
}

/// Rows of the runs in which items are counted, from the largest on; each begins at a multiple of its length.
pub const ITEM_WINDOWS: [u64; 4] = [8192, 512, 32, 1];

/// Counts items by runs of rows over the pages of a chunk: a row may go on in the next page.
#[derive(Debug, Default)]
pub struct RowItems {
    rows: u64,
    current: [u64; ITEM_WINDOWS.len()],
    most: [u64; ITEM_WINDOWS.len()],
}

impl RowItems {
    /// Goes through the next page, decompressed. `None` for levels that can't be counted.
    pub fn see(&mut self, header: &PageHeader, body: &Bytes, column: &ColumnDescriptor) -> Option<()> {
        let (repetition, _, _) = sections(header, body, column)?;
        let width = column.max_rep_level().unsigned_abs().checked_ilog2()? + 1;
        let total = header.values().unsigned_abs() as usize;
        for_each_run(&repetition, width, total, |run| match run {
            Run::Repeated { value: 0, count } => (0..count).for_each(|_| self.count(0, 1)),
            Run::Repeated { value, count } => self.count(value, count as u64),
            Run::Packed { bytes, count } => unpack(bytes, width, count, |value| self.count(value, 1)),
        })
    }

    /// Level 0 begins a row.
    fn count(&mut self, level: u32, items: u64) {
        for ((window, current), most) in ITEM_WINDOWS.iter().zip(&mut self.current).zip(&mut self.most) {
            if level == 0 && self.rows.is_multiple_of(*window) {
                *current = 0;
            }
            *current += items;
            *most = (*most).max(*current);
        }
        self.rows += u64::from(level == 0);
    }

    /// Items of the run that has the most, for each of [`ITEM_WINDOWS`].
    pub fn most(&self) -> [u64; ITEM_WINDOWS.len()] {
        self.most
    }
}

/// Repetition levels, definition levels, and where the values begin.
fn sections(header: &PageHeader, body: &Bytes, column: &ColumnDescriptor) -> Option<(Bytes, Bytes, usize)> {
    let (max_rep, max_def) = (column.max_rep_level(), column.max_def_level());
    Some(match header.kind {
        PageKind::V1 { definition, repetition, .. } => {
            let mut at = 0;
            let mut next = |max: i16, encoding: Encoding| -> Option<Bytes> {
                if max == 0 {
                    return Some(Bytes::new());
                }
                let start = at + 4;
                let length = body.get(at..start)?;
                let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
                at = start.checked_add(length).filter(|&end| end <= body.len() && encoding == Encoding::RLE)?;
                Some(body.slice(start..at))
            };
            let (repetition, definition) = (next(max_rep, repetition)?, next(max_def, definition)?);
            (repetition, definition, at)
        }
        PageKind::V2 { definition_bytes, repetition_bytes, .. } => {
            let (rep, def) = (repetition_bytes as usize, definition_bytes as usize);
            let end = rep.checked_add(def).filter(|&end| end <= body.len())?;
            (body.slice(..rep), body.slice(rep..end), end)
        }
        PageKind::Dictionary { .. } | PageKind::Other => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_packed_groups_become_indices() {
        // the format's own example of packing 0 to 7 in 3 bits, after a run of four fives
        let values = [3, 4 << 1, 5, 1 << 1 | 1, 0b1000_1000, 0b1100_0110, 0b1111_1010];
        assert_eq!(indices(&values, 12, 8).unwrap(), [5, 5, 5, 5, 0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(indices(&values, 9, 8).unwrap(), [5, 5, 5, 5, 0, 1, 2, 3, 4], "the group is cut");
        assert_eq!(indices(&values, 12, 7), None, "an index beyond the dictionary");
        assert_eq!(indices(&values, 13, 8), None, "too few");
        assert_eq!(indices(&[], 0, 0).unwrap(), [0i32; 0]);
        assert_eq!(indices(&[0, 200, 1], 100, 1).unwrap(), [0; 100], "no bits at all");
        assert_eq!(indices(&[32, 2, 0, 0, 0, 0], 1, 1), None, "wider than an index");
    }

    #[test]
    fn wide_numbers_cross_words() {
        let numbers: Vec<u32> = (0..64).map(|i| i * 33_554_393 % (1 << 27)).collect();
        let mut packed = vec![27, 8 << 1 | 1];
        let mut bits = Vec::new();
        numbers.iter().for_each(|n| bits.extend((0..27).map(|bit| n >> bit & 1)));
        packed.extend(bits.chunks(8).map(|byte| byte.iter().rev().fold(0u8, |sum, &bit| sum << 1 | bit as u8)));
        let unpacked = indices(&packed, 64, usize::MAX).unwrap();
        assert!(unpacked.iter().zip(&numbers).all(|(a, b)| *a as u32 == *b));
    }

    #[test]
    fn items_are_counted_by_row_over_pages() {
        let schema = "message m { optional group l (LIST) { repeated group list { optional int32 element; } } }";
        let schema = parquet::schema::parser::parse_message_type(schema).unwrap();
        let column = parquet::schema::types::SchemaDescriptor::new(std::sync::Arc::new(schema)).column(0);
        let mut items = RowItems::default();
        let mut see = |values: i32, repetition: &[u8]| {
            let kind = PageKind::V2 {
                values,
                nulls: 0,
                rows: 0,
                encoding: Encoding::PLAIN,
                definition_bytes: 0,
                repetition_bytes: repetition.len() as i32,
                is_compressed: false,
            };
            let header = PageHeader { uncompressed: 0, compressed: 0, crc: None, kind };
            items.see(&header, &Bytes::copy_from_slice(repetition), &column)?;
            Some(items.most()[3])
        };
        // levels 0 0 0 1 of one packed group, then runs: 1 x 5, 0 x 3
        assert_eq!(see(8, &[1 << 1 | 1, 0b1011_1000]), Some(4), "0 0 0 1 1 1 0 1");
        assert_eq!(see(8, &[5 << 1, 1, 3 << 1, 0]), Some(7), "a row goes on from the page before");
        assert_eq!(see(2_000_000, &[0x80, 0x92, 0xf4, 0x01, 1]), Some(2_000_001));
        assert_eq!(see(9, &[5 << 1, 1]), None, "too few levels");
        // rows of 1, 1, 2 x 32 and 70 items: the third begins a run of 32
        let mut items = RowItems::default();
        (0..32).for_each(|_| items.count(0, 1));
        for _ in 0..32 {
            items.count(0, 1);
            items.count(1, 1);
        }
        items.count(0, 1);
        items.count(1, 69);
        assert_eq!(items.most(), [166, 166, 70, 70]);
    }

    #[test]
    fn a_claim_beyond_the_bytes_is_refused_without_allocation() {
        assert_eq!(indices(&[8, 0xff, 0xff, 0xff, 0xff, 0x0f], usize::MAX >> 1, 9), None);
        assert_eq!(indices(&[8, 0, 0], 5, 9), None, "a run of nothing");
    }
}
