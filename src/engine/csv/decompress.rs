//! Gzip and zstd streams of any origin -> their text, in bounded steps.

use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::{Codec, CompressError};

/// The largest window of a zstd frame that is read, as a power of two: 128 MiB, what `zstd -d` takes by default.
const MAX_WINDOW_LOG: u32 = 27;

/// Reads a stream of gzip members or zstd frames, in steps that the caller bounds.
///
/// ```
/// use lakeveil::engine::csv::{Codec, Decompressor};
///
/// let object = [Codec::Gzip.compress(6, b"id\n1\n")?, Codec::Gzip.compress(6, b"2\n")?].concat();
/// let mut stream = Decompressor::new(Codec::Gzip);
/// let mut text = Vec::new();
/// for mut chunk in object.chunks(7) {
///     let mut buffer = [0; 4];
///     loop {
///         let filled = stream.read(&mut chunk, &mut buffer)?;
///         text.extend_from_slice(&buffer[..filled]);
///         if filled < buffer.len() {
///             break;
///         }
///     }
/// }
/// stream.finish()?;
/// assert_eq!(text, b"id\n1\n2\n");
/// # Ok::<(), lakeveil::engine::csv::CompressError>(())
/// ```
pub struct Decompressor {
    stream: Stream,
    /// Compressed bytes taken.
    read: u64,
    /// Whether the bytes taken end where a member or frame ends.
    complete: bool,
}

enum Stream {
    /// The member being read; a new one is made for each.
    Gzip(Box<Decompress>),
    Zstd(Option<Box<Decoder<'static>>>),
}

impl Decompressor {
    /// A reader from the start of an object on.
    pub fn new(codec: Codec) -> Self {
        let stream = match codec {
            Codec::Gzip => Stream::Gzip(Box::new(gzip_member())),
            Codec::Zstd => Stream::Zstd(zstd_decoder()),
        };
        Self { stream, read: 0, complete: false }
    }

    /// Fills `out` as far as `input` and what is pending go, and moves `input` past what was taken. Fewer bytes than
    /// `out` has room for mean that all of `input` is taken and nothing is pending.
    ///
    /// # Errors
    /// [`CompressError::Damaged`]; also for bytes after the last member or frame that begin no other.
    pub fn read(&mut self, input: &mut &[u8], out: &mut [u8]) -> Result<usize, CompressError> {
        let mut filled = 0;
        while filled < out.len() && !(input.is_empty() && self.complete) {
            let step = match &mut self.stream {
                Stream::Gzip(member) => gzip_step(member, input, &mut out[filled..]),
                Stream::Zstd(Some(decoder)) => zstd_step(decoder, input, &mut out[filled..]),
                Stream::Zstd(None) => None,
            };
            let damaged = CompressError::Damaged { codec: self.codec(), read: self.read };
            let step = step.ok_or_else(|| damaged.clone())?;
            filled += step.written;
            self.read += step.taken as u64;
            *input = &input[step.taken..];
            if step.taken + step.written == 0 && !step.ended {
                // a stream that takes nothing more and gives nothing is stuck, unless it waits for input
                return if input.is_empty() { Ok(filled) } else { Err(damaged) };
            }
            self.complete = step.ended;
        }
        Ok(filled)
    }

    /// Says whether the stream was whole.
    ///
    /// # Errors
    /// [`CompressError::Truncated`].
    pub fn finish(self) -> Result<(), CompressError> {
        if self.complete { Ok(()) } else { Err(CompressError::Truncated { codec: self.codec(), read: self.read }) }
    }

    fn codec(&self) -> Codec {
        match self.stream {
            Stream::Gzip(_) => Codec::Gzip,
            Stream::Zstd(_) => Codec::Zstd,
        }
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decompressor {{ codec: {}, read: {} }}", self.codec(), self.read)
    }
}

struct Step {
    taken: usize,
    written: usize,
    /// Whether a member or frame ended, with nothing pending.
    ended: bool,
}

fn gzip_member() -> Decompress {
    Decompress::new_gzip(15)
}

fn gzip_step(member: &mut Decompress, input: &[u8], out: &mut [u8]) -> Option<Step> {
    let (taken, written) = (member.total_in(), member.total_out());
    let status = member.decompress(input, out, FlushDecompress::None).ok()?;
    let taken = (member.total_in() - taken) as usize;
    let written = (member.total_out() - written) as usize;
    let ended = status == Status::StreamEnd;
    if ended {
        *member = gzip_member();
    }
    Some(Step { taken, written, ended })
}

/// `None` where the library has no memory for it.
fn zstd_decoder() -> Option<Box<Decoder<'static>>> {
    let mut decoder = Decoder::new().ok()?;
    decoder.set_parameter(DParameter::WindowLogMax(MAX_WINDOW_LOG)).ok()?;
    Some(Box::new(decoder))
}

fn zstd_step(decoder: &mut Decoder<'_>, input: &[u8], out: &mut [u8]) -> Option<Step> {
    let mut input = InBuffer::around(input);
    let mut output = OutBuffer::around(out);
    let hint = decoder.run(&mut input, &mut output).ok()?;
    Some(Step { taken: input.pos(), written: output.pos(), ended: hint == 0 })
}
