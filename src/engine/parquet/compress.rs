//! Compresses pages: the parquet crate keeps its codecs to itself.

use std::io::Write;

use parquet::basic::Compression;
use zstd::zstd_safe::CParameter;

use super::digits;
use super::values::EncodedValues;

/// As the parquet crate has them.
const BROTLI_BUFFER: usize = 4096;
const BROTLI_WINDOW: u32 = 22;

/// A codec for the pages of one chunk.
pub struct Compressor(Codec);

enum Codec {
    None,
    Snappy,
    Gzip(u32),
    Zstd(Box<zstd::bulk::Compressor<'static>>),
    /// For values that look random.
    ZstdRandom(Box<zstd::bulk::Compressor<'static>>),
    Lz4Raw,
    Brotli(u32),
}

impl Compressor {
    /// `None` for a codec that pages are not written with one by one. Values that look random, such as tokens, have
    /// nothing to be found in them but their alphabet.
    pub fn new(compression: Compression, looks_random: bool) -> Option<Self> {
        Some(Self(match compression {
            Compression::UNCOMPRESSED => Codec::None,
            Compression::SNAPPY => Codec::Snappy,
            Compression::GZIP(level) => Codec::Gzip(level.compression_level()),
            Compression::ZSTD(_) if looks_random => {
                let mut compressor = zstd::bulk::Compressor::new(1).ok()?;
                // hexadecimal in 24 ns a token instead of 30, of the same size; with lengths between (PLAIN) in 53
                // instead of 86, 5 % larger. Higher levels take longer and gain nothing
                compressor.set_parameter(CParameter::HashLog(6)).ok()?;
                compressor.set_parameter(CParameter::MinMatch(7)).ok()?;
                Codec::ZstdRandom(Box::new(compressor))
            }
            Compression::ZSTD(level) => {
                Codec::Zstd(Box::new(zstd::bulk::Compressor::new(level.compression_level()).ok()?))
            }
            Compression::LZ4_RAW => Codec::Lz4Raw,
            Compression::BROTLI(level) => Codec::Brotli(level.compression_level()),
            Compression::LZO | Compression::LZ4 => return None,
        }))
    }

    /// Whether it changes anything.
    pub fn is_any(&self) -> bool {
        !matches!(self.0, Codec::None)
    }

    /// The compressed values of a page.
    pub fn compress_values(&mut self, values: &EncodedValues) -> Option<Vec<u8>> {
        let digits = match (&self.0, values.texts) {
            (Codec::ZstdRandom(_), Some(texts)) => digits::compress(&values.bytes, texts),
            _ => None,
        };
        digits.or_else(|| self.compress(&values.bytes))
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
            Codec::Zstd(compressor) | Codec::ZstdRandom(compressor) => compressor.compress(bytes).ok(),
            Codec::Lz4Raw => Some(lz4_flex::block::compress(bytes)),
            Codec::Brotli(level) => {
                let mut compressed = Vec::new();
                brotli::CompressorWriter::new(&mut compressed, BROTLI_BUFFER, *level, BROTLI_WINDOW)
                    .write_all(bytes)
                    .ok()?;
                Some(compressed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::{BrotliLevel, GzipLevel, ZstdLevel};

    #[test]
    fn zstd_at_any_level_reads_back_random_looking_or_not() {
        let bytes: Vec<u8> =
            (0..100_000u32).flat_map(|i| format!("{:08x}", i.wrapping_mul(2_654_435_761)).into_bytes()).collect();
        for looks_random in [true, false] {
            let zstd = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
            let compressed = Compressor::new(zstd, looks_random).unwrap().compress(&bytes).unwrap();
            assert_eq!(zstd::bulk::decompress(&compressed, bytes.len()).unwrap(), bytes);
        }
    }

    #[test]
    fn every_codec_takes_nothing_and_something() {
        for compression in [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(GzipLevel::default()),
            Compression::BROTLI(BrotliLevel::default()),
            Compression::LZ4_RAW,
            Compression::ZSTD(ZstdLevel::default()),
        ] {
            let mut compressor = Compressor::new(compression, false).unwrap();
            assert!(compressor.compress(b"").is_some());
            let compressed = compressor.compress(&[7; 10_000]).unwrap();
            assert_eq!(compressed.len() < 1000, compressor.is_any(), "{compression:?}");
        }
        assert!(Compressor::new(Compression::LZO, false).is_none());
    }
}
