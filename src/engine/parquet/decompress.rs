//! Decompresses pages into what their headers claim and not a byte more: the parquet crate's gzip, brotli and lz4 go
//! on as long as there is something to be had.

use std::io::Read;

use bytes::Bytes;
use parquet::basic::CompressionCodec;

use super::page::{PageFault, PageKind, RawPage};

/// As the parquet crate has it.
const BROTLI_BUFFER: usize = 4096;

/// The codec of one chunk.
pub struct Decompressor(Codec);

enum Codec {
    None,
    Snappy,
    Gzip,
    Zstd(Box<zstd::bulk::Decompressor<'static>>),
    Lz4Raw,
    /// Of three framings, told apart by trying.
    Lz4,
    Brotli,
}

impl Decompressor {
    /// # Errors
    /// [`PageFault::Codec`].
    pub fn new(codec: CompressionCodec) -> Result<Self, PageFault> {
        Ok(Self(match codec {
            CompressionCodec::UNCOMPRESSED => Codec::None,
            CompressionCodec::SNAPPY => Codec::Snappy,
            CompressionCodec::GZIP => Codec::Gzip,
            CompressionCodec::ZSTD => {
                Codec::Zstd(Box::new(zstd::bulk::Decompressor::new().map_err(|_| PageFault::Codec)?))
            }
            CompressionCodec::LZ4_RAW => Codec::Lz4Raw,
            CompressionCodec::LZ4 => Codec::Lz4,
            CompressionCodec::BROTLI => Codec::Brotli,
            CompressionCodec::LZO => return Err(PageFault::Codec),
        }))
    }

    /// The body of a page out of [`pages`](super::page::pages), levels of version 2 included.
    ///
    /// # Errors
    /// [`PageFault::Undecodable`].
    pub fn body(&mut self, page: &RawPage) -> Result<Bytes, PageFault> {
        let (levels, is_compressed) = match page.header.kind {
            PageKind::V2 { definition_bytes, repetition_bytes, is_compressed, .. } => {
                (definition_bytes as usize + repetition_bytes as usize, is_compressed)
            }
            _ => (0, true),
        };
        if !is_compressed || matches!(self.0, Codec::None) {
            return Ok(page.body.clone());
        }
        let (levels, values) = page.body.split_at_checked(levels).ok_or(PageFault::Undecodable)?;
        let claimed = page.header.uncompressed as usize;
        if let (Codec::Zstd(decompressor), []) = (&mut self.0, levels) {
            // the codec that most files have needs no zeros to write over
            let mut body = Vec::with_capacity(claimed);
            let filled = match claimed {
                0 => 0,
                _ => decompressor.decompress_to_buffer(values, &mut body).map_err(|_| PageFault::Undecodable)?,
            };
            return if filled == claimed { Ok(body.into()) } else { Err(PageFault::Undecodable) };
        }
        // zeros that nobody has written yet take no memory: a claim alone costs nothing
        let mut body = vec![0; claimed];
        let (start, rest) = body.split_at_mut_checked(levels.len()).ok_or(PageFault::Undecodable)?;
        start.copy_from_slice(levels);
        // pages of nulls alone have nothing to decompress
        if !rest.is_empty() {
            self.fill(values, rest).ok_or(PageFault::Undecodable)?;
        }
        Ok(body.into())
    }

    /// Decompresses `input`, which must fill `output` to its last byte.
    fn fill(&mut self, input: &[u8], output: &mut [u8]) -> Option<()> {
        match &mut self.0 {
            Codec::None => return None,
            Codec::Snappy => {
                let is_true = snap::raw::decompress_len(input).ok()? == output.len();
                is_true.then(|| snap::raw::Decoder::new().decompress(input, output).ok()).flatten()?;
            }
            Codec::Gzip => read(flate2::read::MultiGzDecoder::new(input), output)?,
            Codec::Zstd(decompressor) => {
                let filled = decompressor.decompress_to_buffer(input, output).ok()?;
                return (filled == output.len()).then_some(());
            }
            Codec::Lz4Raw => lz4_block(input, output)?,
            Codec::Lz4 => {
                let mut tried = lz4_hadoop(input, output);
                tried = tried.or_else(|| read(lz4_flex::frame::FrameDecoder::new(input), output));
                tried.or_else(|| lz4_block(input, output))?;
            }
            Codec::Brotli => read(brotli::Decompressor::new(input, BROTLI_BUFFER), output)?,
        }
        Some(())
    }
}

/// Reads as many bytes as `output` has room for; there must be no more.
fn read(mut reader: impl Read, output: &mut [u8]) -> Option<()> {
    reader.read_exact(output).ok()?;
    (reader.read(&mut [0]).ok()? == 0).then_some(())
}

fn lz4_block(input: &[u8], output: &mut [u8]) -> Option<()> {
    (lz4_flex::block::decompress_into(input, output).ok()? == output.len()).then_some(())
}

/// What Hadoop's codec makes: blocks, each with its decompressed and its compressed length before it.
fn lz4_hadoop(mut input: &[u8], mut output: &mut [u8]) -> Option<()> {
    while !input.is_empty() {
        let (size, rest) = input.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (block, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let (start, left) = output.split_at_mut_checked(u32::from_be_bytes(*size) as usize)?;
        lz4_block(block, start)?;
        (input, output) = (rest, left);
    }
    output.is_empty().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::parquet::compress::Compressor;
    use crate::engine::parquet::page::PageHeader;
    use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, ZstdLevel};

    fn page(kind: PageKind, uncompressed: usize, body: Vec<u8>) -> RawPage {
        let (uncompressed, compressed) = (uncompressed as i32, body.len() as i32);
        RawPage { header: PageHeader { uncompressed, compressed, crc: None, kind }, body: body.into() }
    }

    const DICTIONARY: PageKind = PageKind::Dictionary { values: 1, encoding: Encoding::PLAIN, is_sorted: false };

    fn v2(levels: i32, is_compressed: bool) -> PageKind {
        PageKind::V2 {
            values: 1,
            nulls: 0,
            rows: 1,
            encoding: Encoding::PLAIN,
            definition_bytes: levels,
            repetition_bytes: 0,
            is_compressed,
        }
    }

    fn noise(length: usize) -> Vec<u8> {
        (0..length as u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).take(length).collect()
    }

    #[test]
    fn every_codec_gives_what_was_claimed_and_nothing_else() {
        let plain = [noise(5_000), vec![7; 20_000]].concat();
        for compression in [
            Compression::SNAPPY,
            Compression::GZIP(GzipLevel::default()),
            Compression::BROTLI(BrotliLevel::default()),
            Compression::LZ4_RAW,
            Compression::ZSTD(ZstdLevel::default()),
        ] {
            let mut compressed = Vec::new();
            Compressor::new(compression, false).unwrap().compress(&plain, &mut compressed).unwrap();
            let mut codec = Decompressor::new(compression.into()).unwrap();
            let mut body = |claimed: usize, bytes: &[u8]| codec.body(&page(DICTIONARY, claimed, bytes.to_vec()));
            assert_eq!(body(plain.len(), &compressed).unwrap(), plain, "{compression:?}");
            for wrong in [plain.len() - 1, plain.len() + 1, 1, i32::MAX as usize] {
                assert_eq!(body(wrong, &compressed), Err(PageFault::Undecodable), "{compression:?}: {wrong}");
            }
            assert!(body(plain.len(), &compressed[..compressed.len() - 9]).is_err(), "{compression:?}: cut");
            assert!(body(plain.len(), &[]).is_err(), "{compression:?}: nothing");
        }
    }

    #[test]
    fn lz4_is_known_in_its_three_framings() {
        let plain = noise(3_000);
        let block = |bytes: &[u8]| {
            let block = lz4_flex::block::compress(bytes);
            let lengths = [bytes.len() as u32, block.len() as u32].map(u32::to_be_bytes).concat();
            (block.clone(), [lengths, block].concat())
        };
        let hadoop = [block(&plain[..1_000]).1, block(&plain[1_000..]).1].concat();
        let mut frame = lz4_flex::frame::FrameEncoder::new(Vec::new());
        std::io::Write::write_all(&mut frame, &plain).unwrap();
        for compressed in [hadoop, frame.finish().unwrap(), block(&plain).0] {
            let mut codec = Decompressor::new(CompressionCodec::LZ4).unwrap();
            assert_eq!(codec.body(&page(DICTIONARY, 3_000, compressed.clone())).unwrap(), plain);
            assert!(codec.body(&page(DICTIONARY, 2_999, compressed)).is_err());
        }
    }

    #[test]
    fn levels_of_version_2_lie_as_they_are() {
        let zstd = Compression::ZSTD(ZstdLevel::default());
        let mut values = Vec::new();
        Compressor::new(zstd, false).unwrap().compress(&[7; 100], &mut values).unwrap();
        let mut codec = Decompressor::new(zstd.into()).unwrap();
        let body = codec.body(&page(v2(2, true), 102, [b"ab".to_vec(), values].concat())).unwrap();
        assert_eq!(body, [b"ab".to_vec(), vec![7; 100]].concat());
        assert_eq!(codec.body(&page(v2(2, true), 2, b"ab".to_vec())).unwrap(), "ab", "nulls alone");
        assert_eq!(codec.body(&page(v2(2, false), 4, b"abcd".to_vec())).unwrap(), "abcd");
        assert!(codec.body(&page(v2(3, true), 102, b"ab".to_vec())).is_err(), "fewer bytes than levels");
        assert!(Decompressor::new(CompressionCodec::LZO).is_err());
    }
}
