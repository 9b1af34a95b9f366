//! Bytes of whole records -> where each field lies: RFC 4180, with the laxness that real files need.
//!
//! - A field is quoted if the quote is its first byte; a quote further on in an unquoted field is text (`5" pipe`).
//! - In a quoted field a doubled quote is a quote, and with an escape character the byte after it is literal.
//! - After a closing quote only a delimiter or the end of the record may come: a quote at the wrong place would
//!   otherwise shift text of one column into the next, and with it past its rule.
//! - LF, CRLF and a lone CR end a record; the last record needs none.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr3};

use super::Dialect;

/// What a line without a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blank {
    /// Nothing: it is passed over and not counted. Right wherever a record has two or more fields.
    Skip,
    /// A record of one empty field: the only way to write a null in a file of one column.
    Record,
}

impl Blank {
    /// The right choice for a file with so many columns.
    pub fn for_columns(columns: usize) -> Self {
        if columns == 1 { Self::Record } else { Self::Skip }
    }
}

const QUOTED: u32 = 1 << 31;
const ESCAPED: u32 = 1 << 30;

/// The longest input that [`split`] takes, in bytes: what offsets and Arrow's 32-bit texts can address.
pub const MAX_BLOCK_BYTES: usize = (1 << 30) - 1;

/// Where one field lies in its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    start: u32,
    /// Length in the low 30 bits.
    len_and_flags: u32,
}

impl Field {
    fn new(range: Range<usize>, flags: u32) -> Self {
        // both fit: `split` refuses inputs over MAX_BLOCK_BYTES
        Self { start: range.start as u32, len_and_flags: (range.end - range.start) as u32 | flags }
    }

    /// The bytes of the text, without its quotes.
    #[inline]
    pub fn text(self) -> Range<usize> {
        let start = self.start as usize;
        start..start + (self.len_and_flags & !(QUOTED | ESCAPED)) as usize
    }

    /// The bytes of the field as it lies, quotes included.
    #[inline]
    pub fn raw(self) -> Range<usize> {
        let Range { start, end } = self.text();
        if self.is_quoted() { start - 1..end + 1 } else { start..end }
    }

    /// Whether the field is quoted, and therefore never null.
    #[inline]
    pub fn is_quoted(self) -> bool {
        self.len_and_flags & QUOTED != 0
    }

    /// Whether the text holds doubled quotes or escapes, so that [`unescape`] must read it.
    #[inline]
    pub fn is_escaped(self) -> bool {
        self.len_and_flags & ESCAPED != 0
    }
}

/// The fields of a block, flat and reusable: after the first blocks nothing is allocated.
///
/// What lies between the last field of a record and the first of the next is the line break (and skipped blank lines).
#[derive(Debug, Default, Clone)]
pub struct Spans {
    fields: Vec<Field>,
    /// For each record, one past its last field.
    ends: Vec<u32>,
}

impl Spans {
    /// Number of records.
    pub fn records(&self) -> usize {
        self.ends.len()
    }

    /// The fields of one record, from 0.
    ///
    /// # Panics
    /// Where there is no such record.
    #[inline]
    pub fn record(&self, index: usize) -> &[Field] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.fields[start..self.ends[index] as usize]
    }

    /// The fields of all records, one after another.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The first record that has not so many fields, with the number it has.
    pub(super) fn first_of_other_width(&self, columns: usize) -> Option<(usize, usize)> {
        let mut start = 0;
        for (index, &end) in self.ends.iter().enumerate() {
            let found = (end - start) as usize;
            if found != columns {
                return Some((index, found));
            }
            start = end;
        }
        None
    }

    fn end_record(&mut self) {
        self.ends.push(self.fields.len() as u32);
    }

    /// Record and field (both from 0) that the next field would get.
    fn next_place(&self) -> (usize, usize) {
        (self.ends.len(), self.fields.len() - self.ends.last().map_or(0, |&end| end as usize))
    }
}

/// Why a block cannot be split: where (record and field from 0) and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("record {}, field {}: {problem}", record + 1, field + 1)]
pub struct SplitError {
    /// Record of the block, from 0.
    pub record: usize,
    /// Field of the record, from 0.
    pub field: usize,
    /// What is wrong there.
    pub problem: SplitProblem,
}

/// What is wrong with a field's quotes, or with the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitProblem {
    /// The quote that opens the field has no partner.
    #[error("a quote opens and is never closed")]
    UnclosedQuote,
    /// Neither delimiter nor line break after the closing quote.
    #[error("text follows the closing quote")]
    TextAfterQuote,
    /// More than [`MAX_BLOCK_BYTES`].
    #[error("the block is larger than {MAX_BLOCK_BYTES} bytes")]
    BlockTooLarge,
}

/// Splits a block of whole records. `spans` is cleared first; its memory is used again.
///
/// # Errors
/// A quote that is never closed, text after a closing quote, a block over [`MAX_BLOCK_BYTES`]. `spans` then holds the
/// fields before the place at fault.
///
/// ```
/// use lakeveil::engine::csv::{Blank, Dialect, Spans, split};
///
/// let block = b"7,\"a, b\",\r\n8,,\"\"\n";
/// let mut spans = Spans::default();
/// split(block, &Dialect::default(), Blank::Skip, &mut spans)?;
/// assert_eq!(spans.records(), 2);
/// assert_eq!(&block[spans.record(0)[1].text()], b"a, b");
/// assert_eq!(&block[spans.record(0)[1].raw()], b"\"a, b\"");
/// // both are empty, but only the first is null
/// assert!(!spans.record(1)[1].is_quoted() && spans.record(1)[2].is_quoted());
/// # Ok::<(), lakeveil::engine::csv::SplitError>(())
/// ```
pub fn split(bytes: &[u8], dialect: &Dialect, blank: Blank, spans: &mut Spans) -> Result<(), SplitError> {
    spans.fields.clear();
    spans.ends.clear();
    let fail = |spans: &Spans, problem| {
        let (record, field) = spans.next_place();
        Err(SplitError { record, field, problem })
    };
    if bytes.len() > MAX_BLOCK_BYTES {
        return fail(spans, SplitProblem::BlockTooLarge);
    }
    let delimiter = dialect.delimiter();
    let mut at = 0;
    let mut record_start = 0;
    while at < bytes.len() || at > record_start {
        let quote = dialect.quote().filter(|quote| bytes.get(at) == Some(quote));
        let field = if let Some(quote) = quote {
            let Some((end, flags)) = closing_quote(bytes, at + 1, quote, dialect.escape()) else {
                return fail(spans, SplitProblem::UnclosedQuote);
            };
            if bytes.get(end + 1).is_some_and(|&b| b != delimiter && b != b'\n' && b != b'\r') {
                return fail(spans, SplitProblem::TextAfterQuote);
            }
            let field = Field::new(at + 1..end, flags);
            at = end + 1;
            field
        } else {
            let end = memchr3(delimiter, b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |i| at + i);
            let field = Field::new(at..end, 0);
            at = end;
            field
        };
        if bytes.get(at) == Some(&delimiter) {
            spans.fields.push(field);
            at += 1;
            continue;
        }
        let is_blank = at == record_start;
        if !is_blank || blank == Blank::Record {
            spans.fields.push(field);
            spans.end_record();
        }
        let Some(&line_break) = bytes.get(at) else { break };
        at += 1 + usize::from(line_break == b'\r' && bytes.get(at + 1) == Some(&b'\n'));
        record_start = at;
    }
    Ok(())
}

/// Position of the closing quote of a field whose text begins at `start`, and the field's flags.
fn closing_quote(bytes: &[u8], start: usize, quote: u8, escape: Option<u8>) -> Option<(usize, u32)> {
    let mut flags = QUOTED;
    let mut at = start;
    loop {
        let rest = bytes.get(at..)?;
        let found = match escape {
            None => memchr(quote, rest),
            Some(escape) => memchr2(quote, escape, rest),
        };
        let found = at + found?;
        if bytes[found] == quote && bytes.get(found + 1) != Some(&quote) {
            return Some((found, flags));
        }
        // a doubled quote, or the escape and the byte that it makes literal
        flags |= ESCAPED;
        at = found + 2;
    }
}

/// The pieces of a text with doubled quotes or escapes, each to be taken as it lies.
///
/// ```
/// use lakeveil::engine::csv::{Dialect, unescape};
///
/// let text: String = unescape(r#"ha ""ha"" ha"#, &Dialect::default()).collect();
/// assert_eq!(text, r#"ha "ha" ha"#);
/// ```
pub fn unescape<'a>(text: &'a str, dialect: &Dialect) -> impl Iterator<Item = &'a str> + use<'a> {
    let quote = dialect.quote();
    let escape = dialect.escape();
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        // an escaped byte opens the next piece, so that it is never taken for an escape itself
        let skip = usize::from(is_special(rest.as_bytes()[0], quote, escape));
        let body = &rest[skip..];
        let literal = body.chars().next().map_or(0, char::len_utf8) * skip;
        let end = body.as_bytes()[literal..]
            .iter()
            .position(|&b| is_special(b, quote, escape))
            .map_or(body.len(), |i| literal + i);
        let (piece, next) = body.split_at(end);
        rest = next;
        Some(piece)
    })
}

fn is_special(byte: u8, quote: Option<u8>, escape: Option<u8>) -> bool {
    Some(byte) == quote || Some(byte) == escape
}

#[cfg(test)]
mod tests;
