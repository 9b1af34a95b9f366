//! Chunks of any size in, runs of whole records out, by reference: only a record that lies across two chunks is copied.

use std::fmt;

use bytes::Bytes;
use memchr::{memchr, memchr2, memchr3, memrchr2};

use super::MAX_RECORD_BYTES;

/// Cuts an object's bytes, in a dialect without escape, where records end.
///
/// Runs follow from the bytes and the chunks that they come in; put together they are the bytes. In a chunk without a
/// quote only the first and the last line break are looked for; with quotes each break has to be seen, since it may
/// lie within a field.
pub struct Cutter {
    delimiter: u8,
    quote: u8,
    max_record: usize,
    /// From the last record end on.
    tail: Vec<u8>,
    state: State,
    /// Whether the next byte is the first of a field.
    at_field: bool,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// An unquoted field, or what follows a quoted one.
    Open,
    /// A quoted field.
    Quoted,
    /// The byte after a quote in a quoted field: a second quote, or the field has ended.
    AfterQuote,
    /// The byte after a CR that ended a record: its LF, or the next record.
    AfterCr,
}

/// The record after the runs so far is over the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge {
    /// The most bytes that one record may have.
    pub limit: usize,
    /// Whether the limit was met within quotes.
    pub open_quote: bool,
}

impl Cutter {
    /// A cutter for one object, from its first record on.
    pub fn new(delimiter: u8, quote: u8) -> Self {
        let (tail, state) = (Vec::new(), State::Open);
        Self { delimiter, quote, max_record: MAX_RECORD_BYTES, tail, state, at_field: true }
    }

    /// With records of at most `max_record` bytes, and never more than [`MAX_RECORD_BYTES`].
    pub fn with_max_record(self, max_record: usize) -> Self {
        Self { max_record: max_record.min(MAX_RECORD_BYTES), ..self }
    }

    /// Bytes of the record that has not ended yet.
    pub fn held_bytes(&self) -> usize {
        self.tail.len()
    }

    /// Takes the next bytes and hands each run that they complete to `emit`.
    ///
    /// # Errors
    /// [`TooLarge`], after the runs before that record; the cutter is then of no further use.
    pub fn push(&mut self, chunk: &Bytes, mut emit: impl FnMut(Bytes)) -> Result<(), TooLarge> {
        match self.ends(chunk) {
            None => self.tail.extend_from_slice(chunk),
            Some((first, last)) => {
                let mut from = 0;
                if !self.tail.is_empty() {
                    let mut stitched = std::mem::take(&mut self.tail);
                    stitched.extend_from_slice(&chunk[..first]);
                    if stitched.len() > self.max_record.saturating_add(2) {
                        return Err(TooLarge { limit: self.max_record, open_quote: false });
                    }
                    emit(stitched.into());
                    from = first;
                }
                if last > from {
                    emit(chunk.slice(from..last));
                }
                self.tail.extend_from_slice(&chunk[last..]);
            }
        }
        // a CR at the end is no part of the record
        let held = self.tail.len().saturating_sub(usize::from(self.state == State::AfterCr));
        match held > self.max_record {
            true => Err(TooLarge { limit: self.max_record, open_quote: self.state == State::Quoted }),
            false => Ok(()),
        }
    }

    /// The last record, if it has no line break.
    pub fn finish(self) -> Option<Bytes> {
        (!self.tail.is_empty()).then(|| self.tail.into())
    }

    /// The first and the last position of `chunk` at which a record has ended.
    fn ends(&mut self, chunk: &[u8]) -> Option<(usize, usize)> {
        let &last_byte = chunk.last()?;
        let unquoted = matches!(self.state, State::Open | State::AfterCr) && memchr(self.quote, chunk).is_none();
        let ends = if unquoted { self.unquoted_ends(chunk) } else { self.walk(chunk) };
        let at_record = ends.is_some_and(|(_, last)| last == chunk.len());
        self.at_field = self.state == State::Open && (at_record || last_byte == self.delimiter);
        ends
    }

    fn unquoted_ends(&mut self, chunk: &[u8]) -> Option<(usize, usize)> {
        let before = (self.state == State::AfterCr).then(|| usize::from(chunk[0] == b'\n'));
        // the LF of a CR that is the last byte may come in the next chunk
        let (known, state) = match chunk.last() {
            Some(b'\r') => (&chunk[..chunk.len() - 1], State::AfterCr),
            _ => (chunk, State::Open),
        };
        self.state = state;
        let from = before.unwrap_or(0).min(known.len());
        let rest = &known[from..];
        let first = memchr2(b'\n', b'\r', rest).map(|at| {
            let is_pair = rest[at] == b'\r' && rest.get(at + 1) == Some(&b'\n');
            from + at + 1 + usize::from(is_pair)
        });
        let last = memrchr2(b'\n', b'\r', rest).map(|at| from + at + 1);
        let first = before.or(first)?;
        Some((first, last.unwrap_or(first)))
    }

    fn walk(&mut self, chunk: &[u8]) -> Option<(usize, usize)> {
        let mut ends: Option<(usize, usize)> = None;
        let mut end = |at: usize| ends = Some((ends.map_or(at, |(first, _)| first), at));
        let (delimiter, quote) = (self.delimiter, self.quote);
        let mut field_at = if self.at_field { 0 } else { usize::MAX };
        let mut at = 0;
        while at < chunk.len() {
            match self.state {
                State::Open => {
                    let Some(found) = memchr3(quote, b'\n', b'\r', &chunk[at..]).map(|i| at + i) else { break };
                    at = found + 1;
                    match chunk[found] {
                        b'\n' => {
                            end(at);
                            field_at = at;
                        }
                        b'\r' => self.state = State::AfterCr,
                        _ if found == field_at || (found > 0 && chunk[found - 1] == delimiter) => {
                            self.state = State::Quoted;
                        }
                        _ => {}
                    }
                }
                State::AfterCr => {
                    at += usize::from(chunk[at] == b'\n');
                    end(at);
                    field_at = at;
                    self.state = State::Open;
                }
                State::Quoted => {
                    let Some(found) = memchr(quote, &chunk[at..]).map(|i| at + i) else { break };
                    // short cuts past a doubled quote, and to the next field where that is quoted too
                    at = match chunk[found..] {
                        [_, b, ..] if b == quote => found + 2,
                        [_, b, c, ..] if b == delimiter && c == quote => found + 3,
                        _ => {
                            self.state = State::AfterQuote;
                            found + 1
                        }
                    };
                }
                State::AfterQuote if chunk[at] == quote => {
                    at += 1;
                    self.state = State::Quoted;
                }
                State::AfterQuote => self.state = State::Open,
            }
        }
        ends
    }
}

// the bytes are cell values: never in a Debug output
impl fmt::Debug for Cutter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cutter {{ held: [{} bytes], state: {:?} }}", self.tail.len(), self.state)
    }
}

#[cfg(test)]
mod tests;
