//! Bytes of records in, bytes of records out: the fields that are kept as they lie, the others written anew.

use std::fmt::Write;

use arrow::array::{ArrayRef, StringArray, StringBuilder};
use arrow::datatypes::Field;

use super::encode::{FieldTexts, MARK, NoQuote};
use super::split::{Blank, Spans, split, unescape};
use super::{Cutter, Dialect, EncodeError, Encoder, Header, Marks};

/// One field of each output record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputField {
    /// The column of the source that it comes from, from 0.
    pub source: usize,
    /// Its name in the output.
    pub name: String,
    /// Whether its bytes are written anew.
    pub made: bool,
}

/// Rewrites records of one header: line breaks, blank lines and the bytes of kept fields stay.
///
/// For dialects with a quote and without escape, which then hold on both sides.
#[derive(Debug, Clone)]
pub struct Surgery {
    dialect: Dialect,
    delimiter: u8,
    quote: u8,
    encoder: Encoder,
    columns: usize,
    fields: Vec<OutputField>,
    pieces: Vec<Piece>,
    /// In a file of one column a blank line is a null: those of a wider source must go.
    keeps_blanks: bool,
}

/// A place in a record: a bound, or the byte after it.
type Place = (usize, usize);

/// What an output record is put together from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    /// These bytes of the source.
    Raw(Place, Place),
    /// The text of a made field, by its number among them.
    Made(usize),
    /// A delimiter that the source has elsewhere.
    Delimiter,
}

/// Figures of source columns, for those that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes of each column's fields, quotes included.
    pub bytes: Vec<u64>,
    /// Nulls.
    pub nulls: Vec<u64>,
    /// Empty texts.
    pub empties: Vec<u64>,
}

impl Counts {
    /// For so many columns.
    pub fn new(columns: usize) -> Self {
        let zeros = || vec![0; columns];
        Self { bytes: zeros(), nulls: zeros(), empties: zeros() }
    }

    /// Adds what another part of the object had.
    pub fn merge(&mut self, other: &Self) {
        let pairs = [(&mut self.bytes, &other.bytes), (&mut self.nulls, &other.nulls)];
        for (mine, theirs) in pairs.into_iter().chain([(&mut self.empties, &other.empties)]) {
            mine.iter_mut().zip(theirs).for_each(|(mine, theirs)| *mine += theirs);
        }
    }
}

impl Surgery {
    /// For records of `columns` fields; `None` for a dialect that this is not for.
    ///
    /// # Panics
    /// Where a field comes from a column that is not there.
    pub fn new(dialect: &Dialect, columns: usize, fields: Vec<OutputField>) -> Option<Self> {
        let quote = dialect.quote().filter(|_| dialect.escape().is_none() && !fields.is_empty())?;
        assert!(fields.iter().all(|field| field.source < columns), "a field of no column");
        let pieces = pieces(&fields);
        let keeps_blanks = fields.len() > 1 || columns == 1;
        let (encoder, delimiter) = (Encoder::new(dialect), dialect.delimiter());
        Some(Self { dialect: dialect.clone(), delimiter, quote, encoder, columns, fields, pieces, keeps_blanks })
    }

    /// The bytes before the first row, of `start`, the beginning of the object: a byte order mark stays, and of the
    /// header all but names that are others now. Where only one side has a header it is dropped, or made.
    ///
    /// # Errors
    /// None that a header which was read can cause.
    pub fn header(&self, start: &[u8], header: &Header, wanted: bool) -> Result<Vec<u8>, EncodeError> {
        let start = &start[..header.data_start()];
        let mark = if start.starts_with(MARK) { MARK.len() } else { 0 };
        let mut out = start[..mark].to_vec();
        let begin = mark + start[mark..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        if !wanted {
            return Ok(out);
        }
        if !self.dialect.header() {
            for (index, field) in self.fields.iter().enumerate() {
                if index > 0 {
                    out.push(self.delimiter);
                }
                self.name(field, &mut out)?;
            }
            out.push(b'\n');
            return Ok(out);
        }
        let mut spans = Spans::default();
        let mut end = begin;
        // it was read before, so it has one record
        if split(&start[begin..], &self.dialect, Blank::Skip, &mut spans).is_ok() && spans.records() == 1 {
            out.extend_from_slice(&start[mark..begin]);
            for (index, field) in self.fields.iter().enumerate() {
                if index > 0 {
                    out.push(self.delimiter);
                }
                let raw = spans.record(0)[field.source].raw();
                let raw = &start[begin + raw.start..begin + raw.end];
                match header.names()[field.source] == field.name && !(out.is_empty() && raw.starts_with(MARK)) {
                    true => out.extend_from_slice(raw),
                    false => self.name(field, &mut out)?,
                }
            }
            end += spans.record(0).last().map_or(0, |last| last.raw().end);
        }
        out.extend_from_slice(&start[end..]);
        Ok(out)
    }

    /// What cuts objects for it.
    pub fn cutter(&self) -> Cutter {
        Cutter::new(self.delimiter, self.quote)
    }

    /// Puts the object's first output together: its header and the first rows. What would be read as a byte order
    /// mark, and is none, gets one before it.
    pub fn begin(header: Vec<u8>, rows: Vec<u8>) -> Vec<u8> {
        let mut first = header;
        if first.is_empty() && rows.starts_with(MARK) {
            first.extend_from_slice(MARK);
        }
        if first.is_empty() {
            return rows;
        }
        first.extend_from_slice(&rows);
        first
    }

    /// The number of source columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The source column of an output column.
    ///
    /// # Panics
    /// Where there is no such output column.
    pub fn source_of(&self, output: usize) -> usize {
        self.fields[output].source
    }

    fn name(&self, field: &OutputField, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let refused = |NoQuote| EncodeError::NeedsQuotes { row: 0, column: field.name.clone() };
        self.encoder.text(field.name.as_bytes(), out).map_err(refused)
    }

    /// Marks the records of `bytes` up to the first record end at or after `target`; see [`Marks::scan`].
    ///
    /// # Errors
    /// [`Unsound`](super::Unsound).
    pub fn scan(&self, bytes: &[u8], target: usize, marks: &mut Marks) -> Result<usize, super::Unsound> {
        marks.scan(bytes, (self.delimiter, self.quote), self.columns, target)
    }

    /// The texts of a source column of marked records, as [`Decoder`](super::Decoder) gives them.
    pub fn column(&self, text: &str, marks: &Marks, column: usize) -> StringArray {
        let after = usize::from(column > 0);
        let range = |bounds: &[u32]| bounds[column] as usize + after..bounds[column + 1] as usize;
        let bytes = marks.iter().map(|bounds| range(bounds).len()).sum();
        let mut builder = StringBuilder::with_capacity(marks.records(), bytes);
        for bounds in marks.iter() {
            let raw = &text[range(bounds)];
            if raw.as_bytes().first() != Some(&self.quote) {
                match self.dialect.is_null(raw.as_bytes()) {
                    true => builder.append_null(),
                    false => builder.append_value(raw),
                }
                continue;
            }
            let inner = &raw[1..raw.len() - 1];
            if memchr::memchr(self.quote, inner.as_bytes()).is_none() {
                builder.append_value(inner);
                continue;
            }
            for piece in unescape(inner, &self.dialect) {
                builder.write_str(piece).expect("a builder takes every text");
            }
            builder.append_value("");
        }
        builder.finish()
    }

    /// Writes the marked records of `bytes`, all of which the marks have passed. `made` are the values of the made
    /// fields, in the output's order; `first_row` is the number of the first row, from 1. `made_bytes` counts what each
    /// made field takes.
    ///
    /// # Errors
    /// A value without text.
    pub fn write(
        &self,
        bytes: &[u8],
        marks: &Marks,
        made: &[(&Field, ArrayRef)],
        first_row: u64,
        made_bytes: &mut [u64],
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let texts = made.iter().map(|(field, array)| self.encoder.column(field, array, first_row));
        let texts = texts.collect::<Result<Vec<FieldTexts>, _>>()?;
        out.reserve(bytes.len() + texts.iter().map(FieldTexts::bytes).sum::<usize>());
        let mut copy = Copy { bytes, from: 0, to: 0 };
        let mut records = marks.iter().peekable();
        if self.keeps_blanks {
            copy.to = records.peek().map_or(bytes.len(), |first| first[0] as usize);
        }
        let mut row = 0;
        while let Some(bounds) = records.next() {
            let mut is_blank = self.fields.len() == 1;
            for piece in &self.pieces {
                match *piece {
                    Piece::Raw((from, after), (to, upto)) => {
                        let (from, to) = (bounds[from] as usize + after, bounds[to] as usize + upto);
                        is_blank &= from == to;
                        copy.take(from, to, out);
                    }
                    Piece::Made(field) => {
                        copy.flush(out);
                        let before = out.len();
                        self.encoder.field(&texts[field], row, out).map_err(|NoQuote| EncodeError::NeedsQuotes {
                            row: first_row + row as u64,
                            column: made[field].0.name().clone(),
                        })?;
                        is_blank &= out.len() == before;
                        made_bytes[field] += (out.len() - before) as u64;
                    }
                    Piece::Delimiter => {
                        copy.flush(out);
                        out.push(self.delimiter);
                    }
                }
            }
            let end = bounds[self.columns] as usize;
            if is_blank {
                copy.flush(out);
                if out.last() == Some(&b'\r') && bytes.get(end) == Some(&b'\n') {
                    // else both were one line break
                    out.push(b'\r');
                }
            }
            let next = match records.peek() {
                _ if !self.keeps_blanks => end + line_break(&bytes[end..]),
                Some(next) => next[0] as usize,
                None => bytes.len(),
            };
            copy.take(end, next, out);
            row += 1;
        }
        copy.flush(out);
        Ok(())
    }

    /// Makes `text`, which [`write`](Self::write) has made of other bytes than what ends in `last`, fit to follow it.
    pub fn join(&self, last: Option<u8>, text: &mut Vec<u8>) {
        if self.fields.len() == 1 && last == Some(b'\r') && text.first() == Some(&b'\n') {
            text.insert(0, b'\r');
        }
    }

    /// What must follow the last byte of an object's output, made of a run that ends in `source`: a last line that is
    /// a record without a byte needs its line break.
    pub fn ending(&self, source: Option<u8>, output: Option<u8>) -> &'static [u8] {
        let is_break = |byte| matches!(byte, b'\r' | b'\n');
        match (self.fields.len(), source, output) {
            (1, Some(source), Some(b'\r')) if !is_break(source) => b"\r\n",
            (1, Some(source), output) if !is_break(source) && output.is_none_or(is_break) => b"\n",
            _ => b"",
        }
    }

    /// Counts the marked records of `bytes` into `counts`.
    pub fn count(&self, bytes: &[u8], marks: &Marks, counts: &mut Counts) {
        // a field is as long as its bounds are apart, without the delimiter before it
        let delimiters: Vec<u32> = (0..self.columns).map(|column| u32::from(column > 0)).collect();
        // a block's bytes fit 32 bits, and so do sums over it
        let mut lengths = vec![0_u32; self.columns];
        let mut nulls = vec![0_u32; self.columns];
        for bounds in marks.iter() {
            let pairs = bounds[..self.columns].iter().zip(&bounds[1..]).zip(&delimiters);
            for (((start, end), delimiter), (length, nulls)) in pairs.zip(lengths.iter_mut().zip(&mut nulls)) {
                let bytes = end - start - delimiter;
                *length += bytes;
                *nulls += u32::from(bytes == 0);
            }
        }
        counts.bytes.iter_mut().zip(lengths).for_each(|(sum, more)| *sum += u64::from(more));
        counts.nulls.iter_mut().zip(nulls).for_each(|(sum, more)| *sum += u64::from(more));
        if !marks.any_quoted() && !self.dialect.has_null_texts() {
            return;
        }
        for bounds in marks.iter() {
            for (column, pair) in bounds.windows(2).enumerate() {
                let raw = &bytes[pair[0] as usize + usize::from(column > 0)..pair[1] as usize];
                if raw.first() == Some(&self.quote) {
                    counts.empties[column] += u64::from(raw.len() == 2);
                } else if !raw.is_empty() {
                    counts.nulls[column] += u64::from(self.dialect.is_null(raw));
                }
            }
        }
    }
}

fn line_break(rest: &[u8]) -> usize {
    match rest {
        [b'\r', b'\n', ..] => 2,
        [] => 0,
        _ => 1,
    }
}

fn pieces(fields: &[OutputField]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let raw = |pieces: &mut Vec<Piece>, from: Place, to: Place| match pieces.last_mut() {
        Some(Piece::Raw(_, end)) if *end == from => *end = to,
        _ => pieces.push(Piece::Raw(from, to)),
    };
    let mut made = 0;
    for (index, field) in fields.iter().enumerate() {
        let column = field.source;
        // before every column but the first lies its delimiter
        match (index, column) {
            (0, _) => {}
            (_, 0) => pieces.push(Piece::Delimiter),
            _ => raw(&mut pieces, (column, 0), (column, 1)),
        }
        if field.made {
            pieces.push(Piece::Made(made));
            made += 1;
        } else {
            raw(&mut pieces, (column, usize::from(column > 0)), (column + 1, 0));
        }
    }
    pieces
}

/// Bytes of the source that are still to be copied: what lies side by side is copied at once.
struct Copy<'a> {
    bytes: &'a [u8],
    from: usize,
    to: usize,
}

impl Copy<'_> {
    #[inline]
    fn take(&mut self, from: usize, to: usize, out: &mut Vec<u8>) {
        if from != self.to {
            self.flush(out);
            self.from = from;
        }
        self.to = to;
    }

    #[inline]
    fn flush(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes[self.from..self.to]);
        self.from = self.to;
    }
}

#[cfg(test)]
mod tests;
