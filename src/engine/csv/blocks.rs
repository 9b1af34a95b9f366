//! Chunks of any size in, blocks of whole records out, so that blocks can be parsed in parallel.

use std::fmt;

use memchr::{memchr, memchr2, memchr3};

use super::split::Blank;
use super::{CsvError, Dialect, Header};

/// The most bytes that one record may have: 256 MiB. A quote that is never closed would otherwise take the whole object
/// into memory.
pub const MAX_RECORD_BYTES: usize = 256 << 20;

/// The largest block size that can be asked for, in bytes: with a record on top it stays below
/// [`MAX_BLOCK_BYTES`](super::MAX_BLOCK_BYTES).
pub const MAX_TARGET_BYTES: usize = 512 << 20;

/// The least that is scanned at a time, in bytes.
const PIECE_BYTES: usize = 64 << 10;

/// Whole records, in the order of the object.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    /// The records; only the object's last may lack its line break.
    pub bytes: Vec<u8>,
    /// Number of the first row, from 1.
    pub first_row: u64,
    /// How many rows the block holds.
    pub rows: u64,
}

// the bytes are cell values: never in a Debug output
impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, first_row, rows } = self;
        write!(f, "Block {{ bytes: [{} bytes], first_row: {first_row}, rows: {rows} }}", bytes.len())
    }
}

/// Cuts an object's bytes into blocks of whole records.
///
/// A block ends at the first record end at or after the target size, so blocks follow from the bytes alone, however
/// they arrive. Memory held: one block, and one record of at most [`MAX_RECORD_BYTES`].
///
/// ```
/// use lakeveil::engine::csv::{Blocks, Dialect, Header};
///
/// let object = b"id,note\n1,\"a\nb\"\n2,c\n3,d\n";
/// let dialect = Dialect::default();
/// let header = Header::read(object, true, &dialect)?.expect("the header is complete");
///
/// let mut blocks = Blocks::new(&dialect, &header, 8);
/// let mut cut = Vec::new();
/// for chunk in object.chunks(5) {
///     blocks.push(chunk, |block| cut.push(block))?;
/// }
/// cut.extend(blocks.finish()?);
/// assert_eq!(cut[0].bytes, b"1,\"a\nb\"\n");
/// assert_eq!((cut[1].first_row, cut[1].rows), (2, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Blocks {
    delimiter: u8,
    quote: Option<u8>,
    escape: Option<u8>,
    blank: Blank,
    target: usize,
    max_record: usize,
    /// Bytes of the object that are still to be passed over: byte order mark and header.
    skip: usize,
    /// From the start of the block on.
    buffer: Vec<u8>,
    scanned: usize,
    record_start: usize,
    state: State,
    first_row: u64,
    rows: u64,
}

/// What the byte at `scanned` belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// An unquoted field, or what follows a quoted one.
    Open,
    /// A quoted field.
    Quoted,
    /// The byte after an escape.
    Escaped,
    /// The byte after a quote in a quoted field: a second quote, or the field has ended.
    AfterQuote,
    /// The byte after a CR that ended a record: its LF, or the next record.
    AfterCr,
}

impl Blocks {
    /// A cutter for one object, from its first byte; what `header` took is passed over. `target` is the size of a block
    /// in bytes, from 1 to [`MAX_TARGET_BYTES`]; values outside are moved to the nearer end.
    pub fn new(dialect: &Dialect, header: &Header, target: usize) -> Self {
        let mut blocks = Self::cutter(dialect, Blank::for_columns(header.names().len()));
        blocks.target = target.clamp(1, MAX_TARGET_BYTES);
        blocks.skip = header.data_start();
        blocks
    }

    /// With records of at most `max_record` bytes, and never more than [`MAX_RECORD_BYTES`].
    pub fn with_max_record(self, max_record: usize) -> Self {
        Self { max_record: max_record.min(MAX_RECORD_BYTES), ..self }
    }

    /// Bytes of the block that has not ended yet.
    pub fn held_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// The first record of `bytes` with its line break; `None` if its end is not there (and `is_all` does not hold).
    pub(super) fn first_record(
        bytes: &[u8],
        is_all: bool,
        dialect: &Dialect,
        max_record: usize,
    ) -> Result<Option<Vec<u8>>, CsvError> {
        let mut records = Self::cutter(dialect, Blank::Skip);
        records.max_record = max_record;
        for piece in bytes.chunks(PIECE_BYTES) {
            records.buffer.extend_from_slice(piece);
            if let Some(block) = records.scan()? {
                return Ok(Some(block.bytes));
            }
        }
        let rest = if is_all { records.finish()? } else { None };
        Ok(rest.map(|block| block.bytes))
    }

    /// Blocks of one record each, from the first byte on.
    fn cutter(dialect: &Dialect, blank: Blank) -> Self {
        Self {
            delimiter: dialect.delimiter(),
            quote: dialect.quote(),
            escape: dialect.escape(),
            blank,
            target: 1,
            max_record: MAX_RECORD_BYTES,
            skip: 0,
            buffer: Vec::new(),
            scanned: 0,
            record_start: 0,
            state: State::Open,
            first_row: 1,
            rows: 0,
        }
    }

    /// Takes the next bytes of the object and hands each block that they complete to `emit`.
    ///
    /// # Errors
    /// [`CsvError::RecordTooLarge`]; the cutter is then of no further use.
    pub fn push(&mut self, mut chunk: &[u8], mut emit: impl FnMut(Block)) -> Result<(), CsvError> {
        let skipped = self.skip.min(chunk.len());
        self.skip -= skipped;
        chunk = &chunk[skipped..];
        // by pieces, so that what is left over after a cut, and copied, is never more than a block
        for piece in chunk.chunks(self.target.max(PIECE_BYTES)) {
            self.buffer.extend_from_slice(piece);
            while let Some(block) = self.scan()? {
                // blank lines alone are no block
                if block.rows > 0 {
                    emit(block);
                }
            }
        }
        Ok(())
    }

    /// The last records, if any. A quote still open is not judged here: the parser of this block names its field.
    ///
    /// # Errors
    /// [`CsvError::RecordTooLarge`].
    pub fn finish(mut self) -> Result<Option<Block>, CsvError> {
        if self.state == State::AfterCr {
            self.end_record(self.scanned - 1, self.scanned)?;
        }
        if self.record_start < self.buffer.len() {
            self.rows += 1;
        }
        Ok((self.rows > 0).then_some(Block { bytes: self.buffer, first_row: self.first_row, rows: self.rows }))
    }

    /// Scans on until a block is full (and cuts it) or the buffer is read.
    fn scan(&mut self) -> Result<Option<Block>, CsvError> {
        while self.scanned < self.buffer.len() {
            let at = self.scanned;
            match self.state {
                State::Open => {
                    // without quoting LF is looked for twice, which costs nothing
                    let found = memchr3(self.quote.unwrap_or(b'\n'), b'\n', b'\r', &self.buffer[at..]);
                    let Some(found) = found.map(|i| at + i) else {
                        self.scanned = self.buffer.len();
                        break;
                    };
                    self.scanned = found + 1;
                    match self.buffer[found] {
                        b'\n' => self.end_record(found, found + 1)?,
                        b'\r' => self.state = State::AfterCr,
                        _ if found == self.record_start || self.buffer[found - 1] == self.delimiter => {
                            self.state = State::Quoted;
                        }
                        _ => {}
                    }
                }
                State::Quoted => self.scan_quoted(at),
                State::Escaped => {
                    self.scanned += 1;
                    self.state = State::Quoted;
                }
                State::AfterQuote if Some(self.buffer[at]) == self.quote => {
                    self.scanned += 1;
                    self.state = State::Quoted;
                }
                State::AfterQuote => self.state = State::Open,
                State::AfterCr => self.end_record(at - 1, at + usize::from(self.buffer[at] == b'\n'))?,
            }
            if self.record_start >= self.target && self.state == State::Open && self.scanned == self.record_start {
                return Ok(Some(self.cut()));
            }
        }
        // a CR at the end is no part of the record
        let held = self.buffer.len() - self.record_start - usize::from(self.state == State::AfterCr);
        if held > self.max_record {
            return Err(self.too_large());
        }
        Ok(None)
    }

    fn scan_quoted(&mut self, mut at: usize) {
        let quote = self.quote.unwrap_or_default();
        loop {
            let rest = &self.buffer[at..];
            let found = match self.escape {
                None => memchr(quote, rest),
                Some(escape) => memchr2(quote, escape, rest),
            };
            let Some(found) = found.map(|i| at + i) else {
                self.scanned = self.buffer.len();
                return;
            };
            // short cuts past a doubled quote, and to the next field where that is quoted too
            at = match self.buffer[found..] {
                [a, b, ..] if a == quote && b == quote => found + 2,
                [a, b, c, ..] if a == quote && b == self.delimiter && c == quote => found + 3,
                _ => {
                    self.scanned = found + 1;
                    self.state = if self.buffer[found] == quote { State::AfterQuote } else { State::Escaped };
                    return;
                }
            };
        }
    }

    /// Ends a record whose text ends at `end`; the next begins at `next`.
    fn end_record(&mut self, end: usize, next: usize) -> Result<(), CsvError> {
        if end - self.record_start > self.max_record {
            return Err(self.too_large());
        }
        if end > self.record_start || self.blank == Blank::Record {
            self.rows += 1;
        }
        self.record_start = next;
        self.scanned = next;
        self.state = State::Open;
        Ok(())
    }

    /// Takes everything before the current record as a block.
    fn cut(&mut self) -> Block {
        let mut rest = Vec::with_capacity(self.target + self.target / 8);
        rest.extend_from_slice(&self.buffer[self.record_start..]);
        self.buffer.truncate(self.record_start);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let block = Block { bytes, first_row: self.first_row, rows: self.rows };
        self.first_row += self.rows;
        self.rows = 0;
        self.record_start = 0;
        self.scanned = 0;
        block
    }

    fn too_large(&self) -> CsvError {
        CsvError::RecordTooLarge {
            row: self.first_row + self.rows,
            limit: self.max_record,
            open_quote: matches!(self.state, State::Quoted | State::Escaped),
        }
    }
}

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.first_row + self.rows;
        write!(f, "Blocks {{ target: {}, held: [{} bytes], row: {row} }}", self.target, self.buffer.len())
    }
}

#[cfg(test)]
mod tests;
