//! Compresses pages: the parquet crate keeps its codecs to itself.

use std::io::{Cursor, Write};

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

    /// Appends the compressed values of a page to `out`.
    pub fn compress_values(&mut self, values: &EncodedValues, out: &mut Vec<u8>) -> Option<()> {
        let (Codec::ZstdRandom(compressors), Some((before, texts, of_one_length))) = (&mut self.0, values.texts())
        else {
            return self.compress(&values.whole(), out);
        };
        if repeat(texts, of_one_length) {
            return zstd(&mut compressors[1], &values.whole(), out);
        }
        digits::compress(before, texts, of_one_length, out).or_else(|| zstd(&mut compressors[0], &values.whole(), out))
    }

    /// Appends the compressed bytes of `bytes`, which look like no value, to `out`.
    pub fn compress_other(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        match &mut self.0 {
            Codec::ZstdRandom(compressors) => zstd(&mut compressors[1], bytes, out),
            _ => self.compress(bytes, out),
        }
    }

    /// Appends the compressed bytes of `bytes` to `out`.
    pub fn compress(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
        match &mut self.0 {
            Codec::None => out.extend_from_slice(bytes),
            Codec::Snappy => out.extend_from_slice(&snap::raw::Encoder::new().compress_vec(bytes).ok()?),
            Codec::Gzip(level) => {
                let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::new(*level));
                encoder.write_all(bytes).ok()?;
                encoder.finish().ok()?;
            }
            Codec::ZstdRandom(compressors) => zstd(&mut compressors[0], bytes, out)?,
            Codec::Zstd(compressor) => zstd(compressor, bytes, out)?,
            Codec::Lz4Raw => out.extend_from_slice(&lz4_flex::block::compress(bytes)),
            Codec::Brotli(level) => {
                let mut writer = brotli::CompressorWriter::new(out, BROTLI_BUFFER, *level, BROTLI_WINDOW);
                writer.write_all(bytes).ok()?;
            }
        }
        Some(())
    }
}

fn zstd(compressor: &mut zstd::bulk::Compressor<'static>, bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    out.reserve_exact(zstd::zstd_safe::compress_bound(bytes.len()));
    let mut behind = Cursor::new(out);
    behind.set_position(behind.get_ref().len() as u64);
    compressor.compress_to_buffer(bytes, &mut behind).ok()?;
    Some(())
}

/// Texts of a page that are looked at for repetition.
const SAMPLE: usize = 4096;
/// More than an eighth of the sample again: from some 15 000 distinct values on, zstd gains nothing by finding them.
const FEW_REPEATS: usize = 8;

/// Whether so many of the texts come again that a search for them pays.
fn repeat(texts: &[u8], all: Texts) -> bool {
    const SLOTS: usize = 2 * SAMPLE;
    let before = if all.have_lengths { PLAIN_LENGTH } else { 0 };
    let stride = before + all.length as usize;
    let mut seen = vec![0u64; SLOTS];
    let (mut looked, mut again) = (0, 0);
    for text in texts.chunks_exact(stride.max(1)).take(SAMPLE) {
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
            let mut compressed = b"kept".to_vec();
            Compressor::new(zstd, looks_random).unwrap().compress(&bytes, &mut compressed).unwrap();
            let compressed = compressed.strip_prefix(b"kept").unwrap();
            assert_eq!(zstd::bulk::decompress(compressed, bytes.len()).unwrap(), bytes);
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
        let mut compressed = Vec::new();
        Compressor::new(zstd, true).unwrap().compress_values(&values, &mut compressed).unwrap();
        assert!(zstd::bulk::decompress(&compressed, values.size()).unwrap() == *values.whole());
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
            assert!(compressor.compress(b"", &mut Vec::new()).is_some());
            let mut compressed = b"kept".to_vec();
            compressor.compress(&[7; 10_000], &mut compressed).unwrap();
            assert_eq!(compressed.len() < 1000, compressor.is_any(), "{compression:?}");
            assert!(compressed.starts_with(b"kept"), "{compression:?}");
        }
        assert!(Compressor::new(Compression::LZO, false).is_none());
    }
}
