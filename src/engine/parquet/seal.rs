//! Takes an encoded column out of the parquet crate's hands: its pages, and what a footer will say of them.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use parquet::arrow::arrow_writer::ArrowColumnChunk;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

/// What is gathered before it is held as a piece: more than a page header, less than most bodies.
const PIECE_BYTES: usize = 64 << 10;
/// Magic at the start of a file.
const MAGIC_BYTES: usize = 4;

/// The chunks of all leaves of one column of the type `root`, each as its bytes and what is known of them.
///
/// The crate has its pages written into a row group and nothing else, so they are written into one of a file of this
/// column alone, which ends there.
///
/// # Errors
/// The crate's, for chunks of another type.
pub fn seal(chunks: Vec<ArrowColumnChunk>, root: &TypePtr) -> Result<Vec<(Vec<Bytes>, ColumnCloseResult)>> {
    let schema = Type::group_type_builder("column").with_fields(vec![Arc::clone(root)]).build()?;
    let mut writer =
        SerializedFileWriter::new(Pieces::default(), Arc::new(schema), Arc::<WriterProperties>::default())?;
    let mut group = writer.next_row_group()?;
    let mut closes = Vec::with_capacity(chunks.len());
    for mut chunk in chunks {
        let close = chunk.close().clone();
        let dictionary = dictionary_length(&close);
        closes.push(close.update_dictionary_location(dictionary)?);
        // they have their place in the whole file
        let close = chunk.close_mut();
        (close.bloom_filter, close.column_index, close.offset_index) = (None, None, None);
        chunk.append_to_row_group(&mut group)?;
    }
    group.close()?;
    writer.flush()?;
    let mut pieces = std::mem::take(writer.inner_mut()).finish();
    take(&mut pieces, MAGIC_BYTES);
    let of = |close: ColumnCloseResult| {
        let length = usize::try_from(close.metadata.compressed_size()).unwrap_or_default();
        (take(&mut pieces, length), close)
    };
    Ok(closes.into_iter().map(of).collect())
}

/// Bytes of the dictionary page: what the data pages leave.
fn dictionary_length(close: &ColumnCloseResult) -> usize {
    let (Some(_), Some(index)) = (close.metadata.dictionary_page_offset(), &close.offset_index) else { return 0 };
    let pages = index.page_locations.iter().map(|page| i64::from(page.compressed_page_size)).sum::<i64>();
    usize::try_from(close.metadata.compressed_size() - pages).unwrap_or_default()
}

/// The first `length` bytes.
fn take(pieces: &mut VecDeque<Bytes>, length: usize) -> Vec<Bytes> {
    let (mut taken, mut left) = (Vec::new(), length);
    while left > 0 {
        let Some(mut piece) = pieces.pop_front() else { break };
        let rest = piece.split_off(piece.len().min(left));
        left -= piece.len();
        taken.push(piece);
        if !rest.is_empty() {
            pieces.push_front(rest);
        }
    }
    taken
}

/// What was written, in pieces no larger than they must be.
#[derive(Debug, Default)]
struct Pieces {
    ready: VecDeque<Bytes>,
    open: Vec<u8>,
}

impl Pieces {
    fn cut(&mut self) {
        self.open.shrink_to_fit();
        self.ready.push_back(std::mem::take(&mut self.open).into());
    }

    fn finish(mut self) -> VecDeque<Bytes> {
        self.cut();
        self.ready
    }
}

impl Write for Pieces {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.open.reserve_exact(if buffer.len() < PIECE_BYTES { PIECE_BYTES } else { buffer.len() });
        self.open.extend_from_slice(buffer);
        if self.open.len() >= PIECE_BYTES {
            self.cut();
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_what_was_written_and_are_taken_by_length() {
        let written: Vec<u8> = (0..400_000u32).map(|i| (i % 251) as u8).collect();
        let mut sink = Pieces::default();
        let (mut rest, mut step) = (&written[..], 1);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(step.min(rest.len()));
            sink.write_all(now).unwrap();
            (rest, step) = (later, step * 3);
        }
        let mut pieces = sink.finish();
        let mut at = 0;
        for length in [4, 0, 1, PIECE_BYTES, 200_000, 400_000] {
            let taken = take(&mut pieces, length).concat();
            assert!(taken == written[at..(at + length).min(written.len())]);
            at += taken.len();
        }
        assert_eq!(at, written.len());
    }
}
