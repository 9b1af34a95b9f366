//! Where a Parquet writer's bytes wait to be moved. Chunks that are copied from the source are holes in it: the writer
//! counts them, but their bytes never pass through it.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::file::reader::{ChunkReader, Length};

/// A piece of an output object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// These bytes.
    Bytes(Bytes),
    /// This range of the source object.
    Source(Range<u64>),
}

/// The writer's end; clones share their contents.
#[derive(Debug, Clone, Default)]
pub struct Outbox(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    /// Bytes that the writer has handed over, holes included.
    position: u64,
    bytes: Vec<u8>,
    ready: Vec<Segment>,
    /// Where in the output each hole begins, and the source's range.
    holes: VecDeque<(u64, Range<u64>)>,
}

impl Outbox {
    /// Announces that the bytes of the output from `at` on come from `source`.
    pub fn announce(&self, at: u64, source: Range<u64>) {
        if !source.is_empty() {
            self.contents().holes.push_back((at, source));
        }
    }

    /// What is there so far.
    pub fn take(&self) -> Vec<Segment> {
        let mut contents = self.contents();
        contents.seal();
        std::mem::take(&mut contents.ready)
    }

    fn contents(&self) -> std::sync::MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    fn seal(&mut self) {
        if !self.bytes.is_empty() {
            self.ready.push(Segment::Bytes(std::mem::take(&mut self.bytes).into()));
        }
    }

    /// Takes the next bytes up to the next border between hole and bytes; gives how many.
    fn take_some(&mut self, buffer: &[u8]) -> usize {
        let before_hole = match self.holes.front() {
            None => u64::MAX,
            Some((start, source)) if *start <= self.position => {
                let left = start + (source.end - source.start) - self.position;
                let passed = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                self.position += passed as u64;
                if passed as u64 == left {
                    let source = self.holes.pop_front().map(|(_, source)| source);
                    self.seal();
                    self.append_source(source.unwrap_or_default());
                }
                return passed;
            }
            Some((start, _)) => start - self.position,
        };
        let taken = usize::try_from(before_hole).unwrap_or(usize::MAX).min(buffer.len());
        self.bytes.extend_from_slice(&buffer[..taken]);
        self.position += taken as u64;
        taken
    }

    /// Neighbours in the source that are neighbours in the output are one segment.
    fn append_source(&mut self, source: Range<u64>) {
        match self.ready.last_mut() {
            Some(Segment::Source(last)) if last.end == source.start => last.end = source.end,
            _ => self.ready.push(Segment::Source(source)),
        }
    }
}

impl Write for Outbox {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let mut contents = self.contents();
        let mut rest = buffer;
        while !rest.is_empty() {
            let taken = contents.take_some(rest);
            rest = &rest[taken..];
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Stands for bytes of the source while a chunk is appended: the writer takes as many as it wants, of no content.
#[derive(Debug)]
pub struct Hole;

impl Length for Hole {
    fn len(&self) -> u64 {
        u64::MAX
    }
}

impl ChunkReader for Hole {
    type T = Self;

    fn get_read(&self, _: u64) -> parquet::errors::Result<Self> {
        Ok(Self)
    }

    fn get_bytes(&self, _: u64, _: usize) -> parquet::errors::Result<Bytes> {
        Err(parquet::errors::ParquetError::General("a hole has no bytes".to_owned()))
    }
}

impl Read for Hole {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        Ok(buffer.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_pass_no_bytes_however_they_are_written() {
        for step in [1, 2, 3, 7, 100] {
            let mut outbox = Outbox::default();
            outbox.announce(3, 100..105);
            outbox.announce(8, 105..107);
            outbox.announce(12, 7..9);
            outbox.announce(13, 5..5);
            for piece in b"abc#######de##fghi".chunks(step) {
                outbox.write_all(piece).unwrap();
            }
            let bytes = |text: &'static str| Segment::Bytes(Bytes::from(text));
            let expected = [bytes("abc"), Segment::Source(100..107), bytes("de"), Segment::Source(7..9), bytes("fghi")];
            assert_eq!(outbox.take(), expected, "by {step}");
            assert!(outbox.take().is_empty());
        }
    }
}
