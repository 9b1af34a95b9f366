//! Where a Parquet writer's bytes wait to be moved. Chunks that are there already are holes in it: the writer counts
//! them, but their bytes never pass through it.

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

impl Segment {
    fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Source(range) => range.end - range.start,
        }
    }
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
    /// Where in the output each hole begins, and what fills it.
    holes: VecDeque<(u64, Segment)>,
}

impl Outbox {
    /// Announces that the bytes of the output from `at` on are those of `segment`.
    pub fn announce(&self, at: u64, segment: Segment) {
        if segment.len() > 0 {
            self.contents().holes.push_back((at, segment));
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
            Some((start, segment)) if *start <= self.position => {
                let left = start + segment.len() - self.position;
                let passed = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                self.position += passed as u64;
                if passed as u64 == left {
                    self.seal();
                    let filled = self.holes.pop_front();
                    filled.into_iter().for_each(|(_, segment)| self.append(segment));
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

    /// Neighbours in the source that are neighbours in the output become one segment.
    fn append(&mut self, segment: Segment) {
        match (self.ready.last_mut(), &segment) {
            (Some(Segment::Source(last)), Segment::Source(next)) if last.end == next.start => last.end = next.end,
            _ => self.ready.push(segment),
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

/// Stands for the bytes of a hole while a chunk is appended: the writer takes as many as it wants, of no content.
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
            outbox.announce(3, Segment::Source(100..105));
            outbox.announce(8, Segment::Source(105..107));
            outbox.announce(12, Segment::Bytes(Bytes::from("XY")));
            outbox.announce(13, Segment::Source(5..5));
            for piece in b"abc#######de##fghi".chunks(step) {
                outbox.write_all(piece).unwrap();
            }
            let bytes = |text: &'static str| Segment::Bytes(Bytes::from(text));
            let expected = [bytes("abc"), Segment::Source(100..107), bytes("de"), bytes("XY"), bytes("fghi")];
            assert_eq!(outbox.take(), expected, "by {step}");
            assert!(outbox.take().is_empty());
        }
    }
}
