//! Compresses pages: the parquet crate keeps its codecs to itself.

use std::io::Write;

use parquet::basic::Compression;
use zstd::zstd_safe::CParameter;

use super::digits;
use super::values::{EncodedValues, PLAIN_LENGTH, Texts};

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
    /// For values that look random, where they don't repeat; and the other for where they do.
    ZstdRandom(Box<[zstd::bulk::Compressor<'static>; 2]>),
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
            Compression::ZSTD(level) if looks_random => {
                let usual = zstd::bulk::Compressor::new(level.compression_level()).ok()?;
                let mut compressor = zstd::bulk::Compressor::new(1).ok()?;
                // nothing repeats, so nothing is to be searched for: base64url in 21 ns a token instead of 38, of the
                // same size (benches/encodings.rs)
                compressor.set_parameter(CParameter::HashLog(6)).ok()?;
                compressor.set_parameter(CParameter::MinMatch(7)).ok()?;
                Codec::ZstdRandom(Box::new([compressor, usual]))
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
        let (Codec::ZstdRandom(compressors), Some(texts)) = (&mut self.0, values.texts) else {
            return self.compress(&values.bytes);
        };
        if repeat(&values.bytes, texts) {
            return compressors[1].compress(&values.bytes).ok();
        }
        digits::compress(&values.bytes, texts).or_else(|| compressors[0].compress(&values.bytes).ok())
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
            Codec::ZstdRandom(compressors) => compressors[0].compress(bytes).ok(),
            Codec::Zstd(compressor) => compressor.compress(bytes).ok(),
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

/// Texts of a page that are looked at for repetition.
const SAMPLE: usize = 4096;
/// More than an eighth of the sample again: from some 15 000 distinct values on, zstd gains nothing by finding them.
const FEW_REPEATS: usize = 8;

/// Whether so many texts come again that a search for them pays.
fn repeat(content: &[u8], texts: Texts) -> bool {
    const SLOTS: usize = 2 * SAMPLE;
    let before = if texts.have_lengths { PLAIN_LENGTH } else { 0 };
    let stride = before + texts.length as usize;
    let mut seen = vec![0u64; SLOTS];
    let (mut looked, mut again) = (0, 0);
    for text in content[texts.at..].chunks_exact(stride.max(1)).take(SAMPLE) {
        let Some(head) = text.get(before..).and_then(<[u8]>::first_chunk) else { break };
        // random already, but hexadecimal has half of its bits in each digit
        let head = u64::from_be_bytes(*head).wrapping_mul(0x9E37_79B9_7F4A_7C15).max(1);
        let mut at = (head >> 32) as usize % SLOTS;
        while seen[at] != 0 && seen[at] != head {
            at = (at + 1) % SLOTS;
        }
        again += usize::from(seen[at] == head);
        looked += 1;
        seen[at] = head;
    }
    again * FEW_REPEATS > looked
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::values::{TextEncoding, encode};
    use super::*;
    use arrow::array::{ArrayRef, StringArray};
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

    /// Bytes of a token in a page of 20 000 with so many distinct ones.
    fn bytes_per_token(distinct: u64, how: TextEncoding) -> f64 {
        let token =
            |i: u64| format!("{:032x}", (u128::from(i) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835));
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % distinct
        };
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..20_000).map(|_| token(next()))));
        let values = encode(&texts, how, Vec::new()).unwrap();
        let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
        let compressed = Compressor::new(zstd, true).unwrap().compress_values(&values).unwrap();
        assert!(zstd::bulk::decompress(&compressed, values.bytes.len()).unwrap() == values.bytes);
        compressed.len() as f64 / 20_000.0
    }

    #[test]
    fn tokens_that_repeat_are_found_and_others_take_their_own_bytes() {
        for how in [TextEncoding::Best, TextEncoding::Plain] {
            assert!(bytes_per_token(16, how) < 2.5, "{how:?}");
            assert!(bytes_per_token(2_000, how) < 12.0, "{how:?}");
            assert!((16.0..16.5).contains(&bytes_per_token(1 << 31, how)), "{how:?}");
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
