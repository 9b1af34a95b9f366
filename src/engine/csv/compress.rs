//! Gzip and zstd without IO: bytes in, bytes out.
//!
//! Writing is by parts of a fixed size, each a gzip member or zstd frame of its
//! own: parts compress in parallel and the object's bytes depend on nothing but its content.

use std::fmt;
use std::io::Write;
use std::ops::RangeInclusive;

use flate2::GzBuilder;
use zstd::zstd_safe::CParameter;

/// A compression that CSV objects come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// RFC 1952, ending `.gz`.
    Gzip,
    /// RFC 8878, ending `.zst`.
    Zstd,
}

impl Codec {
    /// The codec that an object's name tells by its ending.
    ///
    /// ```
    /// use lakeveil::engine::csv::Codec;
    ///
    /// assert_eq!(Codec::of_name("a/b.csv.gz"), Some(Codec::Gzip));
    /// assert_eq!(Codec::of_name("a/b.csv"), None);
    /// ```
    pub fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "gz" | "gzip" => Some(Self::Gzip),
            "zst" | "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The ending of names, without the point.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Zstd => "zst",
        }
    }

    /// The levels that [`Codec::compress`] takes.
    pub fn levels(self) -> RangeInclusive<i32> {
        match self {
            Self::Gzip => 0..=9,
            Self::Zstd => zstd::compression_level_range(),
        }
    }

    /// The level where none is asked for: 6 for gzip, 3 for zstd, as their own programs have it.
    pub fn default_level(self) -> i32 {
        match self {
            Self::Gzip => 6,
            Self::Zstd => zstd::DEFAULT_COMPRESSION_LEVEL,
        }
    }

    /// Compresses one part to a whole gzip member or zstd frame with checksum, without time, name or host. Members and
    /// frames one after another are the stream of their contents one after another. A level outside
    /// [`Codec::levels`] is moved to the nearer end.
    ///
    /// # Errors
    /// [`CompressError::Refused`] where the library cannot, for want of memory.
    pub fn compress(self, level: i32, part: &[u8]) -> Result<Vec<u8>, CompressError> {
        let level = level.clamp(*self.levels().start(), *self.levels().end());
        match self {
            Self::Gzip => gzip(level, part),
            Self::Zstd => zstd_frame(level, part),
        }
        .map_err(|_| CompressError::Refused { codec: self })
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

fn gzip(level: i32, part: &[u8]) -> std::io::Result<Vec<u8>> {
    // 255 is "unknown": the default would tell the host's system
    let header = GzBuilder::new().mtime(0).operating_system(255);
    let sink = Vec::with_capacity(part.len() / 3);
    let mut encoder = header.write(sink, flate2::Compression::new(level.unsigned_abs()));
    encoder.write_all(part)?;
    encoder.finish()
}

fn zstd_frame(level: i32, part: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    compressor.compress(part)
}

/// Why a stream cannot be read, or a part not be written. Positions are in compressed bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompressError {
    /// The stream ends within a member or frame, or has none.
    #[error("the {codec} stream ends early, after {read} bytes; the object is incomplete: copy it again")]
    Truncated {
        /// The codec.
        codec: Codec,
        /// Bytes read.
        read: u64,
    },
    /// Bytes that are no such stream, or a checksum that does not match.
    #[error(
        "the {codec} stream is damaged at about byte {read}, or is no {codec} stream; copy the object again, and check \
         that its name's ending tells its compression"
    )]
    Damaged {
        /// The codec.
        codec: Codec,
        /// Bytes read before.
        read: u64,
    },
    /// The library gave up.
    #[error("{codec} could not compress: the library refused; is there memory left?")]
    Refused {
        /// The codec.
        codec: Codec,
    },
}

/// Gathers bytes to parts of one size, whatever the pieces they come in.
///
/// ```
/// use lakeveil::engine::csv::Parts;
///
/// let mut parts = Parts::new(4);
/// let mut cut = Vec::new();
/// parts.push(b"abcdef", |part| cut.push(part));
/// cut.extend(parts.finish());
/// assert_eq!(cut, [b"abcd".to_vec(), b"ef".to_vec()]);
/// ```
pub struct Parts {
    size: usize,
    held: Vec<u8>,
    any: bool,
}

/// The usual size of a part, in bytes before compression: 4 MiB. Part of what an output's bytes follow from.
pub const PART_BYTES: usize = 4 << 20;

impl Parts {
    /// Parts of `size` bytes, at least one.
    pub fn new(size: usize) -> Self {
        Self { size: size.max(1), held: Vec::new(), any: false }
    }

    /// Takes bytes and hands each part that they complete to `emit`.
    pub fn push(&mut self, mut bytes: &[u8], mut emit: impl FnMut(Vec<u8>)) {
        while self.held.len() + bytes.len() >= self.size {
            let (now, later) = bytes.split_at(self.size - self.held.len());
            self.held.extend_from_slice(now);
            bytes = later;
            self.any = true;
            emit(std::mem::take(&mut self.held));
        }
        self.held.extend_from_slice(bytes);
    }

    /// What is left. A stream without a byte is one empty part, so that it too has a member or frame.
    pub fn finish(self) -> Option<Vec<u8>> {
        (!self.any || !self.held.is_empty()).then_some(self.held)
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parts {{ size: {}, held: [{} bytes] }}", self.size, self.held.len())
    }
}

#[cfg(test)]
mod tests;
