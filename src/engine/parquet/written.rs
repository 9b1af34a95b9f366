//! Pages of a chunk that is made anew: each in one piece of memory, where its body was compressed to its place behind
//! its header. They are moved as they are: a chunk is never copied together.

use bytes::Bytes;
use parquet::file::page_index::offset_index::PageLocation;

use super::page::{PageHeader, PageKind};

/// Room for a header: those of [`PageHeader::write`] are no larger.
const HEADER_ROOM: usize = 64;

/// The body of a page to come, behind room for its header.
#[derive(Debug)]
pub struct Body(Vec<u8>);

impl Body {
    /// A body that begins with `start`.
    pub fn new(start: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_ROOM + start.len());
        bytes.resize(HEADER_ROOM, 0);
        bytes.extend_from_slice(start);
        Self(bytes)
    }

    /// Where its bytes are appended.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }

    /// What it is so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.0[HEADER_ROOM..]
    }

    /// Bytes of the body. `None` for more than a page can have.
    pub fn length(&self) -> Option<i32> {
        i32::try_from(self.0.len() - HEADER_ROOM).ok()
    }

    /// The page. It is held until its turn to be written comes: without the room that it grew into, unless that is
    /// little.
    fn behind(self, header: &[u8]) -> Option<Bytes> {
        let Self(mut bytes) = self;
        if bytes.capacity() - bytes.len() > bytes.len() / 8 {
            bytes.shrink_to_fit();
        }
        let start = HEADER_ROOM.checked_sub(header.len())?;
        bytes[start..HEADER_ROOM].copy_from_slice(header);
        Some(Bytes::from(bytes).slice(start..))
    }
}

/// Pages of the output.
#[derive(Debug, Default)]
pub struct Written {
    /// As they lie.
    pub pages: Vec<Bytes>,
    /// Their headers.
    pub headers: Vec<PageHeader>,
    /// Where the data pages are.
    pub locations: Vec<PageLocation>,
    /// Bytes of all pages.
    pub compressed: u64,
    /// Bytes of all pages when decompressed.
    pub uncompressed: u64,
    /// Rows that begin in them.
    pub rows: u64,
    /// Bytes of the dictionary page.
    pub dictionary_bytes: u64,
    /// Bytes of the values of each data page, if they are of any length.
    pub value_bytes: Option<Vec<i64>>,
}

impl Written {
    /// Appends one page; `rows` begin in it, and its values have so many bytes. `None` for figures that no page has.
    pub fn page(&mut self, header: PageHeader, body: Body, rows: usize, value_bytes: u64) -> Option<()> {
        let head = header.write();
        let page = body.behind(&head)?;
        let start = self.compressed;
        self.compressed += page.len() as u64;
        self.uncompressed += head.len() as u64 + u64::from(header.uncompressed.unsigned_abs());
        if matches!(header.kind, PageKind::Dictionary { .. }) {
            self.dictionary_bytes = self.compressed;
        } else {
            self.locations.push(PageLocation {
                offset: i64::try_from(start).ok()?,
                compressed_page_size: i32::try_from(page.len()).ok()?,
                first_row_index: i64::try_from(self.rows).ok()?,
            });
            self.rows += rows as u64;
            if let Some(known) = &mut self.value_bytes {
                known.push(i64::try_from(value_bytes).ok()?);
            }
        }
        self.headers.push(header);
        self.pages.push(page);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::Encoding;

    #[test]
    fn a_page_is_its_header_and_its_body_in_one_piece() {
        let kind = PageKind::V2 {
            values: i32::MAX,
            nulls: i32::MAX,
            rows: i32::MAX,
            encoding: Encoding::BYTE_STREAM_SPLIT,
            definition_bytes: i32::MAX,
            repetition_bytes: i32::MAX,
            is_compressed: false,
        };
        // no header is longer than this
        let header = PageHeader { uncompressed: i32::MIN, compressed: i32::MIN, crc: Some(i32::MIN), kind };
        let mut body = Body::new(b"levels");
        body.bytes().extend_from_slice(b" and values");
        assert_eq!(body.length(), Some(17));
        let mut written = Written::default();
        written.page(header, body, 3, 0).unwrap();
        assert_eq!(written.pages, [Bytes::from([header.write(), b"levels and values".to_vec()].concat())]);
        assert_eq!(written.locations[0].compressed_page_size as u64, written.compressed);
    }

    #[test]
    fn what_is_held_of_a_page_is_little_more_than_the_page() {
        let mut body = Body::new(&[]);
        body.bytes().reserve_exact(1 << 20);
        body.bytes().resize(1000, 7);
        let held = body.behind(b"").unwrap();
        let vec: Vec<u8> = held.into();
        assert!(vec.capacity() < 2000);
    }
}
