//! Appends column chunks in order. Their bytes go on at once; what the footer says of them waits for the end of the row
//! group.

use std::ops::Range;

use bytes::Bytes;
use parquet::column::writer::ColumnCloseResult;
use parquet::file::writer::SerializedFileWriter;

use super::outbox::{Hole, Outbox, Segment};
use crate::engine::error::RewriteError;

/// One column chunk of the output.
#[derive(Debug)]
pub struct Chunk {
    content: Content,
    close: Box<ColumnCloseResult>,
}

#[derive(Debug)]
enum Content {
    /// Pieces one behind the other.
    Made(Vec<Bytes>),
    /// A range of the source.
    Copied(Range<u64>),
}

impl Chunk {
    /// A chunk of these pages.
    pub fn made(pages: Vec<Bytes>, close: ColumnCloseResult) -> Self {
        Self { content: Content::Made(pages), close: Box::new(close) }
    }

    /// A chunk that lies in the source.
    pub fn copied(range: Range<u64>, close: ColumnCloseResult) -> Self {
        Self { content: Content::Copied(range), close: Box::new(close) }
    }

    /// Its bytes.
    pub fn size(&self) -> u64 {
        self.content.size()
    }
}

impl Content {
    fn size(&self) -> u64 {
        match self {
            Self::Made(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Self::Copied(range) => range.end - range.start,
        }
    }
}

/// Appends row groups, in order.
pub struct Appender {
    writer: SerializedFileWriter<Outbox>,
    outbox: Outbox,
    has_index: bool,
    /// Chunks of the row group that is open: their lengths, and what is known of them.
    open: Vec<(u64, Box<ColumnCloseResult>)>,
}

impl Appender {
    /// Appends to what `writer` puts into `outbox`; with page indexes for all chunks or for none.
    pub fn new(writer: SerializedFileWriter<Outbox>, outbox: Outbox, has_index: bool) -> Self {
        Self { writer, outbox, has_index, open: Vec::new() }
    }

    /// Appends chunks to a row group, which must have rows: readers stumble over others. Gives what is ready to be moved.
    ///
    /// # Errors
    /// [`RewriteError::Internal`].
    pub fn append(&mut self, chunks: Vec<Chunk>, ends_group: bool) -> Result<Vec<Segment>, RewriteError> {
        let mut segments = self.written()?;
        for Chunk { content, close } in chunks {
            self.open.push((content.size(), close));
            match content {
                Content::Made(pieces) => segments.extend(pieces.into_iter().map(Segment::Bytes)),
                Content::Copied(range) => push_copied(&mut segments, range),
            }
        }
        if ends_group {
            self.end_group()?;
            segments.extend(self.written()?);
        }
        Ok(segments)
    }

    /// Tells the writer of all chunks of the open row group.
    fn end_group(&mut self) -> Result<(), RewriteError> {
        let broken = |_| RewriteError::Internal("appending a row group");
        let mut at = self.writer.bytes_written() as u64;
        let mut group = self.writer.next_row_group().map_err(broken)?;
        for (length, mut close) in self.open.drain(..) {
            if !self.has_index {
                (close.offset_index, close.column_index) = (None, None);
            }
            if i64::try_from(length) != Ok(close.metadata.compressed_size()) {
                return Err(RewriteError::Internal("appending a chunk of another length"));
            }
            self.outbox.announce(at..at + length);
            group.append_column(&Hole, *close).map_err(broken)?;
            at += length;
        }
        group.close().map_err(broken)?;
        Ok(())
    }

    /// What the writer has put into the outbox.
    fn written(&mut self) -> Result<Vec<Segment>, RewriteError> {
        self.writer.flush().map_err(|_| RewriteError::Internal("appending a row group"))?;
        let bytes = self.outbox.take();
        Ok(if bytes.is_empty() { Vec::new() } else { vec![Segment::Bytes(bytes)] })
    }

    /// Writes the footer and gives the last bytes.
    ///
    /// # Errors
    /// [`RewriteError::Internal`].
    pub fn finish(self) -> Result<Vec<Segment>, RewriteError> {
        self.writer.close().map_err(|_| RewriteError::Internal("writing a Parquet footer"))?;
        Ok(vec![Segment::Bytes(self.outbox.take())])
    }
}

/// Neighbours in the source that are neighbours in the output become one segment.
fn push_copied(segments: &mut Vec<Segment>, range: Range<u64>) {
    match segments.last_mut() {
        _ if range.is_empty() => {}
        Some(Segment::Source(last)) if last.end == range.start => last.end = range.end,
        _ => segments.push(Segment::Source(range)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_the_source_become_one_segment() {
        let mut segments = Vec::new();
        for range in [5..9, 9..9, 9..12, 20..21, 12..14] {
            push_copied(&mut segments, range);
        }
        assert_eq!(segments, [5..12, 20..21, 12..14].map(Segment::Source));
    }
}
