//! Page headers: read without their statistics, so that what is written anew has none.
//!
//! `PageHeader` of parquet-format 2.12 (`parquet.thrift`). Written by us because the parquet crate's page writer drops
//! checksums, and because a header that is copied would carry raw minimum and maximum values.

use std::ops::Range;

use bytes::Bytes;
use parquet::basic::{Encoding, PageType, Type as PhysicalType};
use parquet::file::metadata::{ColumnChunkMetaData, PageEncodingStats};

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

/// What is wrong with the pages of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageFault {
    /// Bytes that are no page, or not the page that the header tells of.
    #[error("the pages do not decode")]
    Undecodable,
    /// A codec that nobody here knows.
    #[error("the pages are compressed by a codec that is not supported")]
    Codec,
    /// Headers against the footer.
    #[error("the page headers tell of another number of values than the footer")]
    Values,
    /// Headers against the footer.
    #[error("the page headers claim more bytes than the footer")]
    Bytes,
    /// The bytes are not those that were written.
    #[error("a page does not have the checksum that its header tells")]
    Checksum,
    /// More than there is memory for.
    #[error("the lists of a row have more than 2097152 items")]
    Items,
    /// A header against its page, or against the footer.
    #[error("the header of the dictionary claims more entries than there can be")]
    Entries,
}

/// What the footer says of a chunk, for its page headers to be held against.
#[derive(Debug, Clone, Copy)]
pub struct Claims {
    /// Values, nulls included.
    values: u64,
    /// Bytes of all pages when decompressed.
    uncompressed: u64,
    /// The least bytes of a value in encoding PLAIN.
    least_value: u64,
}

/// Entries of a dictionary beyond the chunk's values: some writers repeat one dictionary in every row group.
const MAX_SPARE_ENTRIES: u64 = 1 << 20;

impl From<&ColumnChunkMetaData> for Claims {
    fn from(chunk: &ColumnChunkMetaData) -> Self {
        let least_value = match chunk.column_type() {
            PhysicalType::BOOLEAN => 1,
            PhysicalType::INT32 | PhysicalType::FLOAT => 4,
            PhysicalType::INT64 | PhysicalType::DOUBLE => 8,
            PhysicalType::INT96 => 12,
            // a length of its own
            PhysicalType::BYTE_ARRAY => 4,
            PhysicalType::FIXED_LEN_BYTE_ARRAY => chunk.column_descr().type_length().unsigned_abs().max(1),
        };
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Self {
            values: count(chunk.num_values()),
            uncompressed: count(chunk.uncompressed_size()),
            least_value: u64::from(least_value),
        }
    }
}

/// Pages of a column chunk, as they lie, in order: what is claimed of them is bounded by what the footer claims.
///
/// # Errors
/// [`PageFault`].
pub fn pages(chunk: &Bytes, claims: Claims) -> Result<Vec<RawPage>, PageFault> {
    let mut pages: Vec<RawPage> = Vec::new();
    let (mut at, mut values, mut uncompressed) = (0, 0, 0);
    while values < claims.values {
        let (header, length) = PageHeader::read(&chunk[at..]).ok_or(PageFault::Undecodable)?;
        let body = body(chunk.len(), at + length, header.compressed).ok_or(PageFault::Undecodable)?;
        check(&header, pages.is_empty(), claims)?;
        at = body.end;
        values += u64::from(header.values().unsigned_abs());
        uncompressed += u64::from(header.uncompressed.unsigned_abs());
        if uncompressed > claims.uncompressed {
            return Err(PageFault::Bytes);
        }
        let body = chunk.slice(body);
        if header.crc.is_some_and(|crc| crc != checksum(&body)) {
            return Err(PageFault::Checksum);
        }
        pages.push(RawPage { header, body });
    }
    if values == claims.values { Ok(pages) } else { Err(PageFault::Values) }
}

/// The CRC-32 of a page's body as it lies, as `PageHeader.crc` has it.
pub fn checksum(body: &[u8]) -> i32 {
    let mut crc = flate2::Crc::new();
    crc.update(body);
    crc.sum().cast_signed()
}

/// Whether a header can be true by itself.
fn check(header: &PageHeader, is_first: bool, claims: Claims) -> Result<(), PageFault> {
    match header.kind {
        PageKind::Dictionary { values, .. } => {
            let entries = u64::from(values.unsigned_abs());
            let room = u64::from(header.uncompressed.unsigned_abs()) / claims.least_value;
            match entries {
                _ if !is_first => Err(PageFault::Undecodable),
                _ if entries > room.min(claims.values.saturating_add(MAX_SPARE_ENTRIES)) => Err(PageFault::Entries),
                _ => Ok(()),
            }
        }
        PageKind::V2 { values, nulls, rows, definition_bytes, repetition_bytes, .. } => {
            let levels = i64::from(definition_bytes) + i64::from(repetition_bytes);
            let has_levels = levels <= i64::from(header.uncompressed.min(header.compressed));
            let is_true = has_levels && nulls <= values && rows <= values;
            if is_true { Ok(()) } else { Err(PageFault::Undecodable) }
        }
        PageKind::V1 { .. } | PageKind::Other => Ok(()),
    }
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

    fn file(headers: &[PageHeader]) -> Bytes {
        headers
            .iter()
            .flat_map(|header| [header.write(), vec![0; header.compressed.max(0) as usize]].concat())
            .collect()
    }

    fn plain(values: i32, uncompressed: i32) -> PageHeader {
        let kind =
            PageKind::V1 { values, encoding: Encoding::PLAIN, definition: Encoding::RLE, repetition: Encoding::RLE };
        PageHeader { uncompressed, compressed: 2, crc: None, kind }
    }

    fn dictionary_of(entries: i32, uncompressed: i32) -> PageHeader {
        let kind = PageKind::Dictionary { values: entries, encoding: Encoding::PLAIN, is_sorted: false };
        PageHeader { uncompressed, compressed: 2, crc: None, kind }
    }

    const CLAIMS: Claims = Claims { values: 7, uncompressed: 40, least_value: 4 };

    #[test]
    fn pages_end_with_the_last_value_and_lies_are_refused() {
        let chunk = Bytes::from([&file(&[plain(3, 2), plain(4, 2)]), b"padding".as_slice()].concat());
        let read = |chunk: &Bytes, values| pages(chunk, Claims { values, ..CLAIMS }).map(|pages| pages.len());
        assert_eq!(read(&chunk, 7), Ok(2));
        assert_eq!(read(&chunk, 6), Err(PageFault::Values));
        assert_eq!(read(&chunk, 8), Err(PageFault::Undecodable));
        assert_eq!(read(&chunk.slice(..chunk.len() - 9), 7), Err(PageFault::Undecodable), "the last body is cut");
        let negative = PageHeader { uncompressed: 2, compressed: -2, crc: None, kind: V1 };
        assert_eq!(read(&negative.write().into(), 1000), Err(PageFault::Undecodable));
    }

    #[test]
    fn claims_beyond_the_footer_s_are_refused() {
        let read = |headers: &[PageHeader]| pages(&file(headers), CLAIMS).map(|pages| pages.len());
        assert_eq!(read(&[plain(3, 20), plain(4, 20)]), Ok(2));
        assert_eq!(read(&[plain(3, 20), plain(4, 21)]), Err(PageFault::Bytes));
        assert_eq!(read(&[plain(7, i32::MAX)]), Err(PageFault::Bytes));
        assert_eq!(read(&[dictionary_of(5, 20), plain(7, 20)]), Ok(2));
        assert_eq!(read(&[dictionary_of(6, 20), plain(7, 20)]), Err(PageFault::Entries));
        assert_eq!(read(&[plain(3, 2), dictionary_of(0, 2), plain(4, 2)]), Err(PageFault::Undecodable));
        assert_eq!(read(&[dictionary_of(1, 4), dictionary_of(1, 4), plain(7, 2)]), Err(PageFault::Undecodable));
        let large = Claims { values: 7, uncompressed: 1 << 30, least_value: 1 };
        let entries = |count: i32| pages(&file(&[dictionary_of(count, 1 << 24), plain(7, 2)]), large).map(|_| ());
        assert_eq!(entries(MAX_SPARE_ENTRIES as i32 + 7), Ok(()));
        assert_eq!(entries(MAX_SPARE_ENTRIES as i32 + 8), Err(PageFault::Entries));
    }

    #[test]
    fn a_page_that_has_a_checksum_is_held_against_it() {
        let read = |crc| pages(&file(&[PageHeader { crc: Some(crc), ..plain(7, 2) }]), CLAIMS).map(|pages| pages.len());
        // of two zeros, by zlib's crc32
        assert_eq!(read(0x41d9_12ff), Ok(1));
        assert_eq!(read(0x41d9_12fe), Err(PageFault::Checksum));
    }

    #[test]
    fn pages_of_version_2_hold_their_levels() {
        let read = |nulls, rows, definition_bytes, repetition_bytes| {
            let (encoding, is_compressed) = (Encoding::PLAIN, true);
            let kind =
                PageKind::V2 { values: 7, nulls, rows, encoding, definition_bytes, repetition_bytes, is_compressed };
            pages(&file(&[PageHeader { uncompressed: 9, compressed: 5, crc: None, kind }]), CLAIMS).map(|_| ())
        };
        assert_eq!(read(7, 7, 3, 2), Ok(()));
        for (nulls, rows, definition, repetition) in
            [(8, 7, 3, 2), (7, 8, 3, 2), (7, 7, 4, 2), (7, 7, i32::MAX, i32::MAX)]
        {
            assert_eq!(read(nulls, rows, definition, repetition), Err(PageFault::Undecodable));
        }
    }
}
