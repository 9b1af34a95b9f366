//! Bytes of whole records -> where each record begins, its delimiters lie and it ends: what [`split`](super::split())
//! finds, for dialects without escape, at about twice its speed where few fields are quoted.
//!
//! 64 bytes become one bit mask, in a form that the compiler turns into vector instructions; only the bits that are
//! set are looked at. What is not sound is not explained here: the caller lets [`Decoder`](super::Decoder) name it.

use super::split::{Blank, MAX_BLOCK_BYTES};

/// Where the fields of whole records of one width lie. The memory is used again.
///
/// A record of n fields has n + 1 bounds: its start, the positions of its n - 1 delimiters, and the end of its text.
#[derive(Debug, Default)]
pub struct Marks {
    bounds: Vec<u32>,
    columns: usize,
    any_quoted: bool,
}

/// A quote at the wrong place, a record of another width, too many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsound;

impl Marks {
    /// Number of records.
    pub fn records(&self) -> usize {
        self.bounds.len() / (self.columns + 1)
    }

    /// The bounds of each record.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.bounds.chunks_exact(self.columns + 1)
    }

    /// Whether any field is quoted.
    pub fn any_quoted(&self) -> bool {
        self.any_quoted
    }

    /// Marks the records of `bytes`, which begin with a record, up to the first record end at or after `target`; gives
    /// the bytes passed, line breaks and blank lines included.
    ///
    /// # Errors
    /// [`Unsound`]; the marks are then of no use.
    pub fn scan(
        &mut self,
        bytes: &[u8],
        (delimiter, quote): (u8, u8),
        columns: usize,
        target: usize,
    ) -> Result<usize, Unsound> {
        let blank = Blank::for_columns(columns);
        self.columns = columns;
        self.any_quoted = false;
        self.bounds.clear();
        self.bounds.push(0);
        if bytes.len() > MAX_BLOCK_BYTES {
            return Err(Unsound);
        }
        // where the record's bounds begin among all
        let mut base = 0;
        let (mut record_start, mut field_start, mut skip) = (0, 0, 0);
        let mut inside = false;
        let (chunks, rest) = bytes.as_chunks::<64>();
        let mut last = [0; 64];
        last[..rest.len()].copy_from_slice(rest);
        let in_rest = (1u64 << rest.len()) - 1;
        for (index, chunk) in chunks.iter().chain(std::iter::once(&last)).enumerate() {
            let mut mask = specials(chunk, delimiter, quote);
            if index == chunks.len() {
                mask &= in_rest;
            }
            while mask != 0 {
                let at = index * 64 + mask.trailing_zeros() as usize;
                mask &= mask - 1;
                let byte = chunk[at % 64];
                if at < skip {
                    continue;
                }
                if inside {
                    if byte == quote {
                        match bytes.get(at + 1) {
                            Some(&next) if next == quote => skip = at + 2,
                            Some(&next) if next != delimiter && next != b'\n' && next != b'\r' => return Err(Unsound),
                            _ => inside = false,
                        }
                    }
                } else if byte == delimiter {
                    self.bounds.push(at as u32);
                    field_start = at + 1;
                } else if byte == quote {
                    inside = at == field_start;
                    self.any_quoted |= inside;
                } else {
                    let next = at + 1 + usize::from(byte == b'\r' && bytes.get(at + 1) == Some(&b'\n'));
                    if at == record_start && blank == Blank::Skip {
                        self.bounds[base] = next as u32;
                    } else {
                        self.bounds.push(at as u32);
                        base += columns + 1;
                        if self.bounds.len() != base {
                            return Err(Unsound);
                        }
                        if next >= target {
                            return Ok(next);
                        }
                        self.bounds.push(next as u32);
                    }
                    (record_start, field_start, skip) = (next, next, next);
                }
            }
        }
        if record_start == bytes.len() {
            self.bounds.truncate(base);
            return Ok(bytes.len());
        }
        self.bounds.push(bytes.len() as u32);
        if inside || self.bounds.len() != base + columns + 1 {
            return Err(Unsound);
        }
        Ok(bytes.len())
    }
}

/// One bit for each byte that is the delimiter, the quote or a line break.
#[inline(always)]
fn specials(chunk: &[u8; 64], delimiter: u8, quote: u8) -> u64 {
    let mut flags = [0u8; 64];
    for (flag, &byte) in flags.iter_mut().zip(chunk) {
        *flag =
            u8::from(byte == delimiter) | u8::from(byte == quote) | u8::from(byte == b'\n') | u8::from(byte == b'\r');
    }
    let mut mask = 0;
    for (index, word) in flags.as_chunks::<8>().0.iter().enumerate() {
        // the product's highest byte gathers the lowest bit of each byte
        let gathered = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        mask |= gathered << (8 * index);
    }
    mask
}

#[cfg(test)]
mod tests;
