//! Compresses pages: the parquet crate keeps its codecs to itself.

use std::io::Write;

use parquet::basic::Compression;

/// A codec for the pages of one chunk.
pub struct Compressor(Codec);

enum Codec {
    None,
    Snappy,
    Gzip(u32),
    Zstd(Box<zstd::bulk::Compressor<'static>>),
}

impl Compressor {
    /// `None` for a codec that pages are not written with one by one.
    pub fn new(compression: Compression) -> Option<Self> {
        Some(Self(match compression {
            Compression::UNCOMPRESSED => Codec::None,
            Compression::SNAPPY => Codec::Snappy,
            Compression::GZIP(level) => Codec::Gzip(level.compression_level()),
            Compression::ZSTD(level) => {
                Codec::Zstd(Box::new(zstd::bulk::Compressor::new(level.compression_level()).ok()?))
            }
            Compression::LZO | Compression::BROTLI(_) | Compression::LZ4 | Compression::LZ4_RAW => return None,
        }))
    }

    /// Whether it changes anything.
    pub fn is_any(&self) -> bool {
        !matches!(self.0, Codec::None)
    }

    /// The compressed bytes of `bytes`.
    pub fn compress(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        match &mut self.0 {
            Codec::None => Some(bytes.to_vec()),
            Codec::Snappy => snap::raw::Encoder::new().compress_vec(bytes).ok(),
            Codec::Gzip(level) => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(*level));
                encoder.write_all(bytes).ok()?;
                encoder.finish().ok()
            }
            Codec::Zstd(compressor) => compressor.compress(bytes).ok(),
        }
    }
}
