//! Page indexes of the chunks that keep their bytes.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::DecodeResult;
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder, RowGroupMetaData,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::{OffsetIndexMetaData, PageLocation};

use super::footer::{Footer, aside, asides_are_apart, chunk_range};
use super::shape::{COLUMN_INDEX, has_shape};
use super::thrift::{Kind, Walk};
use crate::engine::error::RewriteError;
use crate::engine::storage::{Entry, Expected, Storage};
use crate::engine::untrusted::survive;

/// Indexes by row group and leaf; `None` where the source has none, or one that is not true.
#[derive(Debug, Default)]
pub struct PageIndexes {
    offsets: Vec<Vec<Option<OffsetIndexMetaData>>>,
    columns: Vec<Vec<ColumnIndexMetaData>>,
}

impl PageIndexes {
    /// Where the pages of a chunk lie, by the source's offsets.
    pub fn offsets(&self, group: usize, leaf: usize) -> Option<&OffsetIndexMetaData> {
        self.offsets.get(group)?.get(leaf)?.as_ref()
    }

    /// Minimum, maximum and nulls of the pages of a chunk.
    pub fn column(&self, group: usize, leaf: usize) -> Option<&ColumnIndexMetaData> {
        let index = self.columns.get(group)?.get(leaf)?;
        (!matches!(index, ColumnIndexMetaData::NONE)).then_some(index)
    }

    /// Where the two indexes of a chunk are of different numbers of pages, neither is true.
    fn drop_contradictions(&mut self) {
        let pairs = self.offsets.iter_mut().flatten().zip(self.columns.iter_mut().flatten());
        for (offsets, column) in pairs.filter(|(_, column)| !matches!(column, ColumnIndexMetaData::NONE)) {
            let pages = offsets.as_ref().map(|index| index.page_locations.len() as u64);
            if pages != Some(column.num_pages()) {
                (*offsets, *column) = (None, ColumnIndexMetaData::NONE);
            }
        }
    }
}

/// Reads the indexes of `leaves` in every row group. What was read with the footer is not read again.
///
/// # Errors
/// Storage. An index that can't be read is left out: the data are complete without it.
pub async fn read(
    storage: &Storage,
    entry: &Entry,
    footer: &Footer,
    leaves: &[usize],
) -> Result<PageIndexes, RewriteError> {
    let metadata = &footer.metadata;
    let mut wanted: Vec<(usize, usize, Range<u64>, bool)> = Vec::new();
    if !asides_are_apart(metadata) {
        return Ok(PageIndexes::default());
    }
    for (index, group) in metadata.row_groups().iter().enumerate() {
        for &leaf in leaves {
            let chunk = group.column(leaf);
            let within = |range: &Range<u64>| range.end <= entry.size;
            let offset = aside(chunk.offset_index_offset(), chunk.offset_index_length()).filter(within);
            let column = aside(chunk.column_index_offset(), chunk.column_index_length()).filter(within);
            wanted.extend(offset.map(|range| (index, leaf, range, true)));
            wanted.extend(column.map(|range| (index, leaf, range, false)));
        }
    }
    let absent: Vec<Range<u64>> =
        wanted.iter().map(|(_, _, range, _)| range.clone()).filter(|range| footer.held(range).is_none()).collect();
    let mut read = storage.read_ranges(&entry.path, &absent, &Expected::from(entry)).await?.into_iter();
    let columns = metadata.file_metadata().schema_descr().num_columns();
    let mut indexes = PageIndexes {
        offsets: vec![vec![None; columns]; metadata.num_row_groups()],
        columns: vec![vec![ColumnIndexMetaData::NONE; columns]; metadata.num_row_groups()],
    };
    let mut column_bytes = Vec::new();
    for (group, leaf, range, is_offset) in wanted {
        let Some(bytes) = footer.held(&range).or_else(|| read.next()) else { continue };
        if is_offset {
            let (row_group, chunk) = (metadata.row_group(group), metadata.row_group(group).column(leaf));
            indexes.offsets[group][leaf] = offset_index(&bytes).filter(|index| is_true(index, row_group, chunk));
        } else if has_shape(&bytes, &COLUMN_INDEX) {
            column_bytes.push((group, leaf, bytes));
        }
    }
    if let Some(columns) = column_indexes(metadata, column_bytes) {
        indexes.columns = columns;
    }
    indexes.drop_contradictions();
    Ok(indexes)
}

/// `OffsetIndex` of parquet.thrift.
fn offset_index(bytes: &[u8]) -> Option<OffsetIndexMetaData> {
    let mut walk = Walk { bytes };
    let (mut page_locations, mut unencoded) = (None, None);
    let mut last = 0;
    while let Some((id, kind)) = walk.field(&mut last)? {
        match (id, kind) {
            (1, Kind::LIST) => {
                let (count, element) = walk.list()?;
                if element != Kind::STRUCT {
                    return None;
                }
                page_locations = Some((0..count).map(|_| location(&mut walk)).collect::<Option<Vec<_>>>()?);
            }
            (2, Kind::LIST) => {
                let (count, element) = walk.list()?;
                if element != Kind::I64 {
                    return None;
                }
                unencoded = Some((0..count).map(|_| walk.zigzag()).collect::<Option<Vec<_>>>()?);
            }
            (_, other) => walk.pass(other)?,
        }
    }
    Some(OffsetIndexMetaData { page_locations: page_locations?, unencoded_byte_array_data_bytes: unencoded })
}

fn location(walk: &mut Walk<'_>) -> Option<PageLocation> {
    let mut fields = [None; 3];
    let mut last = 0;
    while let Some((id, kind)) = walk.field(&mut last)? {
        match id {
            1..=3 if kind == Kind::I32 || kind == Kind::I64 => fields[id as usize - 1] = Some(walk.zigzag()?),
            _ => walk.pass(kind)?,
        }
    }
    Some(PageLocation {
        offset: fields[0]?,
        compressed_page_size: i32::try_from(fields[1]?).ok()?,
        first_row_index: fields[2]?,
    })
}

/// Whether there are pages, which lie in their chunk, one after the other, and begin with rows of the row group.
fn is_true(index: &OffsetIndexMetaData, group: &RowGroupMetaData, chunk: &ColumnChunkMetaData) -> bool {
    let Ok(range) = chunk_range(chunk) else { return false };
    let (mut end, mut row) = (range.start as i64, -1);
    for location in &index.page_locations {
        let is_next = location.offset >= end && location.compressed_page_size > 0 && location.first_row_index > row;
        if !is_next || location.first_row_index >= group.num_rows().max(1) {
            return false;
        }
        (end, row) =
            (location.offset.saturating_add(i64::from(location.compressed_page_size)), location.first_row_index);
    }
    let unencoded = index.unencoded_byte_array_data_bytes.as_ref();
    index.page_locations.first().is_some_and(|first| first.first_row_index == 0)
        && u64::try_from(end).is_ok_and(|end| end <= range.end)
        && unencoded.is_none_or(|bytes| bytes.len() == index.page_locations.len())
}

/// Parses column indexes with the parquet crate, which does so for whole files: it is shown one that has these alone.
fn column_indexes(
    metadata: &ParquetMetaData,
    parts: Vec<(usize, usize, Bytes)>,
) -> Option<Vec<Vec<ColumnIndexMetaData>>> {
    let mut bytes = Vec::new();
    let mut groups: Vec<Vec<ColumnChunkMetaData>> = (metadata.row_groups().iter())
        .map(|group| group.columns().iter().map(without_index).collect::<Option<Vec<_>>>())
        .collect::<Option<_>>()?;
    for (group, leaf, part) in &parts {
        let chunk = groups[*group][*leaf].clone().into_builder();
        let chunk = chunk.set_column_index_offset(Some(bytes.len() as i64));
        groups[*group][*leaf] = chunk.set_column_index_length(Some(i32::try_from(part.len()).ok()?)).build().ok()?;
        bytes.extend_from_slice(part);
    }
    if bytes.is_empty() {
        return None;
    }
    let row_groups = metadata.row_groups().iter().zip(groups).map(|(group, columns)| {
        let builder = RowGroupMetaData::builder(group.schema_descr_ptr()).set_num_rows(group.num_rows());
        builder.set_column_metadata(columns).build().ok()
    });
    let alone = ParquetMetaData::new(metadata.file_metadata().clone(), row_groups.collect::<Option<_>>()?);
    let size = bytes.len() as u64;
    let mut decoder = ParquetMetaDataPushDecoder::try_new_with_metadata(size, alone)
        .ok()?
        .with_column_index_policy(PageIndexPolicy::Optional)
        .with_offset_index_policy(PageIndexPolicy::Skip);
    decoder.push_range(0..size, bytes.into()).ok()?;
    match survive(|| decoder.try_decode())?.ok()? {
        DecodeResult::Data(decoded) => decoded.column_index().cloned(),
        _ => None,
    }
}

fn without_index(chunk: &ColumnChunkMetaData) -> Option<ColumnChunkMetaData> {
    ColumnChunkMetaData::builder(Arc::clone(&chunk.column_descr_ptr())).build().ok()
}
