//! Page headers: read without their statistics, so that what is written anew has none.
//!
//! `PageHeader` of parquet-format 2.12 (`parquet.thrift`). Written by us because the parquet crate's page writer drops
//! checksums, and because a header that is copied would carry raw minimum and maximum values.

use std::ops::Range;

use bytes::Bytes;
use parquet::basic::{Encoding, PageType};
use parquet::file::metadata::PageEncodingStats;

use super::thrift::{Kind, StructWriter, Walk};

/// What a page's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageHeader {
    /// Bytes of the body when decompressed; in version 2 with its levels, which are never compressed.
    pub uncompressed: i32,
    /// Bytes of the body as it lies.
    pub compressed: i32,
    /// CRC-32 over the body as it lies.
    pub crc: Option<i32>,
    /// The rest.
    pub kind: PageKind,
}

/// The part of a page header that depends on its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// The entries of a dictionary.
    Dictionary {
        /// Entries.
        values: i32,
        /// [`Encoding::PLAIN`], by older writers called [`Encoding::PLAIN_DICTIONARY`].
        encoding: Encoding,
        /// Whether the entries are in order.
        is_sorted: bool,
    },
    /// Levels and values, compressed together.
    V1 {
        /// Values, nulls included.
        values: i32,
        /// Of the values.
        encoding: Encoding,
        /// Of the definition levels.
        definition: Encoding,
        /// Of the repetition levels.
        repetition: Encoding,
    },
    /// Levels apart from values; rows never cross pages.
    V2 {
        /// Values, nulls included.
        values: i32,
        /// Nulls.
        nulls: i32,
        /// Rows.
        rows: i32,
        /// Of the values.
        encoding: Encoding,
        /// Bytes of definition levels.
        definition_bytes: i32,
        /// Bytes of repetition levels.
        repetition_bytes: i32,
        /// Whether the values are compressed.
        is_compressed: bool,
    },
    /// A page of a type that holds no values.
    Other,
}

impl PageHeader {
    /// Reads a header from the start of `bytes`; gives it and its length. `None` where there is none.
    pub fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut walk = Walk { bytes };
        let (mut page_type, mut uncompressed, mut compressed, mut crc, mut kind) = (None, None, None, None, None);
        let mut last = 0;
        while let Some((id, field)) = walk.field(&mut last)? {
            match (id, field) {
                (1, Kind::I32) => page_type = Some(walk.zigzag()?),
                (2, Kind::I32) => uncompressed = Some(i32::try_from(walk.zigzag()?).ok()?),
                (3, Kind::I32) => compressed = Some(i32::try_from(walk.zigzag()?).ok()?),
                (4, Kind::I32) => crc = Some(walk.zigzag()? as i32),
                (5, Kind::STRUCT) => kind = Some(v1(&mut walk)?),
                (7, Kind::STRUCT) => kind = Some(dictionary(&mut walk)?),
                (8, Kind::STRUCT) => kind = Some(v2(&mut walk)?),
                (_, other) => walk.pass(other)?,
            }
        }
        let kind = match (page_type?, kind) {
            (0, Some(kind @ PageKind::V1 { .. })) => kind,
            (2, Some(kind @ PageKind::Dictionary { .. })) => kind,
            (3, Some(kind @ PageKind::V2 { .. })) => kind,
            (0 | 2 | 3, _) => return None,
            _ => PageKind::Other,
        };
        let header = Self { uncompressed: uncompressed?, compressed: compressed?, crc, kind };
        (header.uncompressed >= 0 && header.compressed >= 0).then_some((header, bytes.len() - walk.bytes.len()))
    }

    /// The header's bytes, without statistics.
    pub fn write(&self) -> Vec<u8> {
        let (page_type, id, inner) = match self.kind {
            PageKind::V1 { values, encoding, definition, repetition } => {
                let inner = StructWriter::default().i32(1, values).i32(2, encoding as i32);
                (0, 5, inner.i32(3, definition as i32).i32(4, repetition as i32))
            }
            PageKind::Dictionary { values, encoding, is_sorted } => {
                (2, 7, StructWriter::default().i32(1, values).i32(2, encoding as i32).bool(3, is_sorted))
            }
            PageKind::V2 { values, nulls, rows, encoding, definition_bytes, repetition_bytes, is_compressed } => {
                let inner = StructWriter::default().i32(1, values).i32(2, nulls).i32(3, rows).i32(4, encoding as i32);
                (3, 8, inner.i32(5, definition_bytes).i32(6, repetition_bytes).bool(7, is_compressed))
            }
            PageKind::Other => (1, 6, StructWriter::default()),
        };
        let header = StructWriter::default().i32(1, page_type).i32(2, self.uncompressed).i32(3, self.compressed);
        let header = match self.crc {
            Some(crc) => header.i32(4, crc),
            None => header,
        };
        header.inner(id, inner).finish()
    }

    /// Values of a data page, nulls included.
    pub fn values(&self) -> i32 {
        match self.kind {
            PageKind::V1 { values, .. } | PageKind::V2 { values, .. } => values,
            PageKind::Dictionary { .. } | PageKind::Other => 0,
        }
    }

    /// How the values are encoded.
    pub fn encoding(&self) -> Option<Encoding> {
        match self.kind {
            PageKind::V1 { encoding, .. } | PageKind::V2 { encoding, .. } | PageKind::Dictionary { encoding, .. } => {
                Some(encoding)
            }
            PageKind::Other => None,
        }
    }

    /// Whether the values are indices into the chunk's dictionary.
    pub fn is_indices(&self) -> bool {
        let is_data = matches!(self.kind, PageKind::V1 { .. } | PageKind::V2 { .. });
        is_data && matches!(self.encoding(), Some(Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY))
    }

    fn page_type(&self) -> PageType {
        match self.kind {
            PageKind::V1 { .. } => PageType::DATA_PAGE,
            PageKind::V2 { .. } => PageType::DATA_PAGE_V2,
            PageKind::Dictionary { .. } => PageType::DICTIONARY_PAGE,
            PageKind::Other => PageType::INDEX_PAGE,
        }
    }
}

fn v1(walk: &mut Walk<'_>) -> Option<PageKind> {
    let mut fields = [None; 4];
    let mut last = 0;
    while let Some((id, field)) = walk.field(&mut last)? {
        match (id, field) {
            (1..=4, Kind::I32) => fields[id as usize - 1] = Some(i32::try_from(walk.zigzag()?).ok()?),
            (_, other) => walk.pass(other)?,
        }
    }
    Some(PageKind::V1 {
        values: fields[0].filter(|&values| values >= 0)?,
        encoding: encoding(fields[1]?)?,
        definition: encoding(fields[2]?)?,
        repetition: encoding(fields[3]?)?,
    })
}

fn dictionary(walk: &mut Walk<'_>) -> Option<PageKind> {
    let (mut fields, mut is_sorted) = ([None; 2], false);
    let mut last = 0;
    while let Some((id, field)) = walk.field(&mut last)? {
        match (id, field) {
            (1..=2, Kind::I32) => fields[id as usize - 1] = Some(i32::try_from(walk.zigzag()?).ok()?),
            (3, Kind::TRUE) => is_sorted = true,
            (_, other) => walk.pass(other)?,
        }
    }
    let values = fields[0].filter(|&values| values >= 0)?;
    Some(PageKind::Dictionary { values, encoding: encoding(fields[1]?)?, is_sorted })
}

fn v2(walk: &mut Walk<'_>) -> Option<PageKind> {
    let (mut fields, mut is_compressed) = ([None; 6], true);
    let mut last = 0;
    while let Some((id, field)) = walk.field(&mut last)? {
        match (id, field) {
            (1..=6, Kind::I32) => fields[id as usize - 1] = Some(i32::try_from(walk.zigzag()?).ok()?),
            (7, Kind::TRUE) => is_compressed = true,
            (7, Kind::FALSE) => is_compressed = false,
            (_, other) => walk.pass(other)?,
        }
    }
    let count = |at: usize| fields[at].filter(|&count: &i32| count >= 0);
    Some(PageKind::V2 {
        values: count(0)?,
        nulls: count(1)?,
        rows: count(2)?,
        encoding: encoding(fields[3]?)?,
        definition_bytes: count(4)?,
        repetition_bytes: count(5)?,
        is_compressed,
    })
}

fn encoding(number: i32) -> Option<Encoding> {
    let known = [
        Encoding::PLAIN,
        Encoding::PLAIN_DICTIONARY,
        Encoding::RLE,
        #[expect(deprecated, reason = "levels of old files")]
        Encoding::BIT_PACKED,
        Encoding::DELTA_BINARY_PACKED,
        Encoding::DELTA_LENGTH_BYTE_ARRAY,
        Encoding::DELTA_BYTE_ARRAY,
        Encoding::RLE_DICTIONARY,
        Encoding::BYTE_STREAM_SPLIT,
    ];
    known.into_iter().find(|known| *known as i32 == number)
}

/// One page as it lies.
#[derive(Debug, Clone)]
pub struct RawPage {
    /// Its header.
    pub header: PageHeader,
    /// Its body, compressed as the chunk is.
    pub body: Bytes,
}

/// Pages of a column chunk, as they lie, in order. `None` for bytes that are no pages, or another number of values.
pub fn pages(chunk: &Bytes, values: u64) -> Option<Vec<RawPage>> {
    let mut pages = Vec::new();
    let (mut at, mut seen) = (0, 0u64);
    while seen < values {
        let (header, length) = PageHeader::read(chunk.get(at..)?)?;
        let body = body(chunk.len(), at + length, header.compressed)?;
        at = body.end;
        seen += header.values() as u64;
        pages.push(RawPage { header, body: chunk.slice(body) });
    }
    (seen == values).then_some(pages)
}

fn body(chunk: usize, start: usize, length: i32) -> Option<Range<usize>> {
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    (end <= chunk).then_some(start..end)
}

/// How often pages of each type and encoding occur, as the footer tells it.
pub fn encoding_stats(headers: impl Iterator<Item = PageHeader>) -> Vec<PageEncodingStats> {
    let mut stats: Vec<PageEncodingStats> = Vec::new();
    for header in headers {
        let (page_type, Some(encoding)) = (header.page_type(), header.encoding()) else { continue };
        match stats.iter_mut().find(|known| known.page_type == page_type && known.encoding == encoding) {
            Some(known) => known.count += 1,
            None => stats.push(PageEncodingStats { page_type, encoding, count: 1 }),
        }
    }
    stats
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: PageKind = PageKind::V1 {
        values: 1000,
        encoding: Encoding::RLE_DICTIONARY,
        definition: Encoding::RLE,
        repetition: Encoding::RLE,
    };

    #[test]
    fn what_is_written_reads_back() {
        let dictionary = PageKind::Dictionary { values: 7, encoding: Encoding::PLAIN, is_sorted: false };
        let v2 = PageKind::V2 {
            values: 70_000,
            nulls: 3,
            rows: 69_000,
            encoding: Encoding::DELTA_LENGTH_BYTE_ARRAY,
            definition_bytes: 9,
            repetition_bytes: 0,
            is_compressed: false,
        };
        for kind in [V1, dictionary, v2] {
            for crc in [None, Some(-1), Some(i32::MIN), Some(12)] {
                let header = PageHeader { uncompressed: 1 << 20, compressed: 300, crc, kind };
                let bytes = header.write();
                assert_eq!(PageHeader::read(&bytes), Some((header, bytes.len())));
                for end in 0..bytes.len() {
                    assert_eq!(PageHeader::read(&bytes[..end]), None, "cut at {end}");
                }
            }
        }
    }

    #[test]
    fn statistics_are_passed_over() {
        let header = PageHeader { uncompressed: 5, compressed: 5, crc: None, kind: V1 };
        let mut bytes = header.write();
        // ends of the two structs, between them a statistics struct: {1: "zz"}
        bytes.truncate(bytes.len() - 2);
        bytes.extend_from_slice(&[0x1c, 0x18, 2, b'z', b'z', 0, 0, 0]);
        assert_eq!(PageHeader::read(&bytes), Some((header, bytes.len())));
        assert!(!header.write().contains(&b'z'));
    }

    #[test]
    fn pages_end_with_the_last_value_and_lies_are_refused() {
        let page = |values| {
            let kind = PageKind::V1 {
                values,
                encoding: Encoding::PLAIN,
                definition: Encoding::RLE,
                repetition: Encoding::RLE,
            };
            let mut bytes = PageHeader { uncompressed: 2, compressed: 2, crc: None, kind }.write();
            bytes.extend_from_slice(b"ab");
            bytes
        };
        let chunk = Bytes::from([page(3), page(4), b"padding".to_vec()].concat());
        assert_eq!(pages(&chunk, 7).map(|pages| pages.len()), Some(2));
        assert!(pages(&chunk, 6).is_none() && pages(&chunk, 8).is_none());
        assert!(pages(&chunk.slice(..chunk.len() - 9), 7).is_none(), "the last body is cut");
        let negative = PageHeader { uncompressed: 2, compressed: -2, crc: None, kind: V1 }.write();
        assert!(pages(&Bytes::from(negative), 1000).is_none());
    }
}
