//! Where a Parquet writer's bytes wait to be moved. Chunks that are moved already are holes in it: the writer counts
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

/// The writer's end; clones share their contents.
#[derive(Debug, Clone, Default)]
pub struct Outbox(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    /// Bytes that the writer has handed over, holes included.
    position: u64,
    bytes: Vec<u8>,
    /// Where in the output each hole lies.
    holes: VecDeque<Range<u64>>,
}

impl Outbox {
    /// Announces that the bytes of the output in `hole` are no concern of its own.
    pub fn announce(&self, hole: Range<u64>) {
        if !hole.is_empty() {
            self.contents().holes.push_back(hole);
        }
    }

    /// What the writer itself has written so far.
    pub fn take(&self) -> Bytes {
        std::mem::take(&mut self.contents().bytes).into()
    }

    fn contents(&self) -> std::sync::MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Contents {
    /// Takes the next bytes up to the next border between hole and bytes; gives how many.
    fn take_some(&mut self, buffer: &[u8]) -> usize {
        let up_to = |border: u64| usize::try_from(border).unwrap_or(usize::MAX).min(buffer.len());
        let taken = match self.holes.front() {
            Some(hole) if hole.start <= self.position => {
                let left = hole.end - self.position;
                let passed = up_to(left);
                if passed as u64 == left {
                    self.holes.pop_front();
                }
                passed
            }
            next => {
                let taken = up_to(next.map_or(u64::MAX, |hole| hole.start - self.position));
                self.bytes.extend_from_slice(&buffer[..taken]);
                taken
            }
        };
        self.position += taken as u64;
        taken
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
            outbox.announce(3..8);
            outbox.announce(8..10);
            outbox.announce(12..14);
            outbox.announce(13..13);
            for piece in b"abc#######de##fghi".chunks(step) {
                outbox.write_all(piece).unwrap();
            }
            assert_eq!(outbox.take(), "abcdefghi", "by {step}");
            assert!(outbox.take().is_empty());
        }
    }
}
