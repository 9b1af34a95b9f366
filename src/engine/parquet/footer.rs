//! Reads a footer, and refuses one that lies, before anything else touches it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::DecodeResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataPushDecoder,
};

use super::outline;
use super::shape::{FOOTER, has_shape};
use crate::engine::error::RewriteError;
use crate::engine::storage::{Entry, Expected, Storage};
use crate::engine::untrusted::survive;

/// Bytes read from the end at first: most footers fit, and it is one request.
const FIRST_READ_BYTES: u64 = 64 * 1024;
/// `PAR1`, at the start and the end of every file (parquet-format, "File format").
const MAGIC_BYTES: u64 = 4;
/// The end of a file whose footer is not encrypted.
const PLAIN_MAGIC: &[u8] = b"PAR1";
/// Footer length and magic at the end.
const TAIL_BYTES: u64 = 8;

fn unsound(what: impl Into<String>) -> RewriteError {
    RewriteError::Parquet { what: what.into() }
}

/// What is larger is read whole rather than copied together with the few bytes that are held.
const MAX_JOINED_BYTES: u64 = 16 << 20;

/// A footer, and what lies before it in the end of the file that was read to get it.
#[derive(Debug, Clone)]
pub struct Footer {
    /// Checked by [`check`].
    pub metadata: Arc<ParquetMetaData>,
    start: u64,
    tail: Bytes,
}

impl Footer {
    /// Bytes of the object, if they were read with the footer.
    pub fn held(&self, range: &Range<u64>) -> Option<Bytes> {
        let start = usize::try_from(range.start.checked_sub(self.start)?).ok()?;
        let end = usize::try_from(range.end.checked_sub(self.start)?).ok()?;
        (start <= end && end <= self.tail.len()).then(|| self.tail.slice(start..end))
    }

    /// The part of a range that was not read with the footer.
    pub fn absent(&self, range: &Range<u64>) -> Range<u64> {
        let end = range.end.min(self.start).max(range.start);
        range.start..if self.held(&(end..range.end)).is_some() { end } else { range.end }
    }

    /// The part of a range to be read for [`complete`](Self::complete).
    pub fn absent_from_whole(&self, range: &Range<u64>) -> Range<u64> {
        let absent = self.absent(range);
        if absent.end - absent.start > MAX_JOINED_BYTES { range.clone() } else { absent }
    }

    /// The bytes of a range in one piece, of which `read` are those of its
    /// [`absent_from_whole`](Self::absent_from_whole) part.
    pub fn complete(&self, range: &Range<u64>, read: Bytes) -> Bytes {
        match self.held(&(range.start + read.len() as u64..range.end)) {
            Some(held) if read.is_empty() => held,
            Some(held) if !held.is_empty() => [read, held].concat().into(),
            _ => read,
        }
    }
}

/// The footer of an object.
///
/// # Errors
/// [`RewriteError::Parquet`] for a file that is truncated, foreign or lies; [`RewriteError::Storage`].
pub async fn read(storage: &Storage, entry: &Entry) -> Result<Footer, RewriteError> {
    if entry.size < MAGIC_BYTES + TAIL_BYTES {
        return Err(unsound(format!("{} bytes are too few for a footer", entry.size)));
    }
    let expected = Expected::from(entry);
    let mut decoder = ParquetMetaDataPushDecoder::try_new(entry.size)
        .map_err(|error| described(&error))?
        .with_page_index_policy(PageIndexPolicy::Skip)
        .with_metadata_options(Some(Arc::new(ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false))));
    let mut tail = entry.size.saturating_sub(FIRST_READ_BYTES)..entry.size;
    let mut bytes = storage.get_range(&entry.path, tail.clone(), &expected).await?;
    let footer_at = footer_start(&bytes, entry.size)?;
    if footer_at < tail.start {
        let before = storage.get_range(&entry.path, footer_at..tail.start, &expected).await?;
        bytes = [before, bytes].concat().into();
        tail = footer_at..entry.size;
    }
    let thrift = &bytes[usize::try_from(footer_at - tail.start).unwrap_or(usize::MAX).min(bytes.len())..];
    if bytes.ends_with(PLAIN_MAGIC) {
        if !has_shape(&thrift[..thrift.len().saturating_sub(TAIL_BYTES as usize)], &FOOTER) {
            return Err(unsound("its footer claims more than it holds, or is none"));
        }
        outline::check(thrift).map_err(unsound)?;
    }
    // the footer itself is not kept beside what is read from it
    let (start, held) = (tail.start, Bytes::copy_from_slice(&bytes[..bytes.len() - thrift.len()]));
    decoder.push_range(tail, bytes).map_err(|error| described(&error))?;
    loop {
        let decoded = survive(|| decoder.try_decode()).ok_or_else(|| unsound("its footer can't be read"))?;
        match decoded.map_err(|error| described(&error))? {
            DecodeResult::NeedsData(ranges) => {
                if ranges.iter().any(|range| range.end > entry.size || range.start >= range.end) {
                    return Err(unsound("its footer claims to be longer than the file"));
                }
                let bytes = storage.read_ranges(&entry.path, &ranges, &expected).await?;
                decoder.push_ranges(ranges, bytes).map_err(|error| described(&error))?;
            }
            DecodeResult::Data(metadata) => {
                check(&metadata, footer_at)?;
                return Ok(Footer { metadata: Arc::new(metadata), start, tail: held });
            }
            DecodeResult::Finished => return Err(unsound("it has no footer")),
        }
    }
}

/// Where the footer begins, by the length that the last bytes claim; `tail` ends where the file does.
fn footer_start(tail: &[u8], size: u64) -> Result<u64, RewriteError> {
    let length =
        tail.iter().rev().skip(MAGIC_BYTES as usize).take(4).fold(0u64, |sum, &byte| sum << 8 | u64::from(byte));
    let end = size - TAIL_BYTES;
    end.checked_sub(length).ok_or_else(|| unsound("its footer claims to be longer than the file"))
}

/// A foreign error by its kind: its text may quote the file.
fn described(error: &ParquetError) -> RewriteError {
    unsound(match error {
        ParquetError::NYI(_) => "its footer uses a feature that is not supported (encryption?)",
        ParquetError::EOF(_) => "its footer ends too early",
        ParquetError::IndexOutOfBound(..) => "its footer points outside itself",
        _ => "its footer can't be read",
    })
}

/// The bytes of a column chunk, dictionary page included. An offset of 0 for the dictionary page means none.
pub fn chunk_range(chunk: &ColumnChunkMetaData) -> Result<Range<u64>, RewriteError> {
    let start = match chunk.dictionary_page_offset() {
        Some(offset) if offset > 0 => offset.min(chunk.data_page_offset()),
        _ => chunk.data_page_offset(),
    };
    let (start, len) = (u64::try_from(start), u64::try_from(chunk.compressed_size()));
    match (start, len) {
        (Ok(start), Ok(len)) => {
            let end = start.checked_add(len).ok_or_else(|| unsound("a column chunk ends beyond all bounds"))?;
            Ok(start..end)
        }
        _ => Err(unsound("a column chunk begins or ends before the file does")),
    }
}

/// Whether what a footer says of places and counts can be true of a file whose footer begins at `end`.
///
/// # Errors
/// [`RewriteError::Parquet`]: a chunk outside the file, in another file, or over another chunk; a negative count;
/// columns that do not fit the schema.
pub fn check(metadata: &ParquetMetaData, end: u64) -> Result<(), RewriteError> {
    let columns = metadata.file_metadata().schema_descr().num_columns();
    let mut ranges = Vec::with_capacity(metadata.num_row_groups() * columns);
    let mut rows = 0i64;
    for group in metadata.row_groups() {
        if group.num_rows() < 0 {
            return Err(unsound("a row group has a negative number of rows"));
        }
        rows = rows.checked_add(group.num_rows()).ok_or_else(|| unsound("its row counts overflow"))?;
        if group.num_columns() != columns {
            return Err(unsound(format!("a row group has {} columns, the schema {columns}", group.num_columns())));
        }
        // some writers leave the places of a row group without rows at 0; nothing of it is read
        for chunk in group.columns().iter().filter(|_| group.num_rows() > 0) {
            if chunk.file_path().is_some() {
                return Err(unsound("a column chunk lies in another file"));
            }
            let range = chunk_range(chunk)?;
            if range.start < MAGIC_BYTES || range.end > end {
                return Err(unsound("a column chunk lies outside the file"));
            }
            if chunk.dictionary_page_offset().is_some_and(|offset| offset > chunk.data_page_offset()) {
                return Err(unsound("a dictionary lies behind the values that need it"));
            }
            if chunk.num_values() < 0 || chunk.uncompressed_size() < 0 {
                return Err(unsound("a column chunk has a negative count"));
            }
            let repeated = chunk.column_descr().max_rep_level() > 0;
            let fits = chunk.num_values() == group.num_rows() || (repeated && chunk.num_values() > group.num_rows());
            if !fits {
                return Err(unsound("a column chunk does not have as many values as its row group has rows"));
            }
            if range.is_empty() {
                return Err(unsound("a column chunk with values has no bytes"));
            }
            ranges.push(range);
        }
    }
    if metadata.file_metadata().num_rows() != rows {
        return Err(unsound(format!("it claims {} rows, its row groups {rows}", metadata.file_metadata().num_rows())));
    }
    if overlap(&mut ranges) {
        return Err(unsound("two column chunks overlap"));
    }
    Ok(())
}

/// Whether page indexes and bloom filters lie apart from each other and from the chunks of a checked footer: if not,
/// what is told of one column may be another's bytes.
pub fn asides_are_apart(metadata: &ParquetMetaData) -> bool {
    let groups = metadata.row_groups().iter().filter(|group| group.num_rows() > 0);
    let of_chunk = |chunk: &ColumnChunkMetaData| {
        let asides = [
            aside(chunk.column_index_offset(), chunk.column_index_length()),
            aside(chunk.offset_index_offset(), chunk.offset_index_length()),
            aside(chunk.bloom_filter_offset(), chunk.bloom_filter_length()),
        ];
        chunk_range(chunk).ok().into_iter().chain(asides.into_iter().flatten())
    };
    let mut ranges = groups.flat_map(|group| group.columns()).flat_map(of_chunk).collect::<Vec<_>>();
    !overlap(&mut ranges)
}

/// Where something beside the chunks lies; `None` where there is nothing, or no place.
pub fn aside(offset: Option<i64>, length: Option<i32>) -> Option<Range<u64>> {
    let (start, length) = (u64::try_from(offset?).ok()?, u64::try_from(length?).ok()?);
    let end = start.checked_add(length)?;
    (length > 0).then_some(start..end)
}

fn overlap(ranges: &mut [Range<u64>]) -> bool {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.windows(2).any(|pair| pair[0].end > pair[1].start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::metadata::FileMetaData;
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    #[test]
    fn what_was_read_with_the_footer_is_not_read_again() {
        let schema = SchemaDescriptor::new(Arc::new(parse_message_type("message m { required int32 a; }").unwrap()));
        let metadata = ParquetMetaData::new(FileMetaData::new(1, 0, None, None, Arc::new(schema), None), Vec::new());
        let object = Bytes::from_static(b"0123456789abcdef");
        // from 14 on lies the footer
        let footer = Footer { metadata: Arc::new(metadata), start: 10, tail: object.slice(10..14) };
        for start in 0..=object.len() as u64 {
            for end in start..=object.len() as u64 {
                let absent = footer.absent(&(start..end));
                let expected = if end <= 14 { start..end.min(10).max(start) } else { start..end };
                assert_eq!(absent, expected, "{start}..{end}");
                assert_eq!(footer.absent_from_whole(&(start..end)), absent, "{start}..{end}");
                let bytes = |range: Range<u64>| object.slice(range.start as usize..range.end as usize);
                assert_eq!(footer.complete(&(start..end), bytes(absent)), bytes(start..end), "{start}..{end}");
            }
        }
        let far = Footer { start: 10 + MAX_JOINED_BYTES, ..footer };
        for start in [9, 10] {
            let (range, absent) = (start..far.start + 2, start..far.start);
            assert_eq!(far.absent(&range), absent);
            assert_eq!(far.absent_from_whole(&range), if start == 9 { range } else { absent });
        }
    }
}
