//! A row group's columns as batches, decoded from bytes in memory, each column apart from the others.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader};
use parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels};
use parquet::basic::{Encoding, PageType};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::chunks::Chunks;
use super::decompress::Decompressor;
use super::footer::{aside, asides_are_apart, chunk_range};
use super::levels::{ITEM_WINDOWS, RowItems};
use super::page::{Claims, PageFault, PageKind, RawPage, pages};
use super::typed::{NotRead, fitting, read_as};
use crate::arrays::fields::{schema_with_metadata, told_of_kept};
use crate::engine::error::RewriteError;
use crate::engine::rows::{BATCH_ROWS, Batches, Rows, TextAs};
use crate::engine::untrusted::survive;
use crate::policy::ColumnPath;

/// To how many times their bytes pages unpack without anybody wondering.
const USUAL_RATIO: u64 = 4;

/// Items of lists and maps that one batch may have, all leaves together, unless one row has more: levels, offsets and
/// nulls of an item take up to some 150 bytes in several forms, so they stay within some 300 MB.
const MAX_BATCH_ITEMS: u64 = 1 << 21;

/// One object's schema, and how its columns are best read.
#[derive(Debug, Clone)]
pub struct FileLayout {
    metadata: Arc<ParquetMetaData>,
    plain: SchemaRef,
    /// As they are planned for: some texts of `plain` are read as another type.
    planned: SchemaRef,
    dictionaries: SchemaRef,
    asides_are_apart: bool,
}

impl FileLayout {
    /// From a checked footer.
    ///
    /// # Errors
    /// [`RewriteError::Parquet`] for a schema that Arrow has no words for.
    pub fn new(metadata: Arc<ParquetMetaData>) -> Result<Self, RewriteError> {
        let unsupported = || RewriteError::Parquet { what: "its schema has no Arrow equivalent".to_owned() };
        let read = |options| survive(|| ArrowReaderMetadata::try_new(Arc::clone(&metadata), options).ok()).flatten();
        let plain = Arc::clone(read(ArrowReaderOptions::new()).ok_or_else(unsupported)?.schema());
        // a group without fields has no Arrow type and is left out: every place after it would be another column's
        let roots = metadata.file_metadata().schema_descr().root_schema().get_fields().iter().map(|root| root.name());
        if !roots.eq(plain.fields().iter().map(|field| field.name().as_str())) {
            return Err(RewriteError::Parquet { what: "a column of it has no Arrow equivalent".to_owned() });
        }
        // at the source of all that is planned and decoded: nothing later can pass it on
        let plain = schema_with_metadata(&plain, &told_of_kept);
        let dictionaries = Arc::new(with_dictionaries(&plain));
        let is_read = read(ArrowReaderOptions::new().with_schema(Arc::clone(&dictionaries))).is_some();
        let dictionaries = if is_read { dictionaries } else { Arc::clone(&plain) };
        let asides_are_apart = asides_are_apart(&metadata);
        Ok(Self { metadata, planned: Arc::clone(&plain), plain, dictionaries, asides_are_apart })
    }

    /// The same, whose rows come as `planned`: its own columns, but for texts that have a type there.
    pub fn read_as(self, planned: &SchemaRef) -> Self {
        Self { planned: Arc::clone(planned), ..self }
    }

    /// Whether texts of a column are read as another type.
    pub fn is_typed(&self, column: &str) -> bool {
        self.root(column).is_ok_and(|root| self.typed(root).is_some())
    }

    /// A column as it is stored and as it is planned for, if these differ.
    fn typed(&self, root: usize) -> Option<(FieldRef, FieldRef)> {
        let (stored, planned) = (&self.plain.fields()[root], self.planned.fields().get(root)?);
        (stored.data_type() != planned.data_type()).then(|| (Arc::clone(stored), Arc::clone(planned)))
    }

    /// Columns and their Arrow types, as they are stored. Of their fields' metadata only what may be told is there.
    pub fn schema(&self) -> &SchemaRef {
        &self.plain
    }

    /// The footer.
    pub fn metadata(&self) -> &Arc<ParquetMetaData> {
        &self.metadata
    }

    /// The bytes of one chunk.
    ///
    /// # Errors
    /// [`RewriteError::Parquet`] for offsets that can't be.
    pub fn range(&self, row_group: usize, leaf: usize) -> Result<Range<u64>, RewriteError> {
        chunk_range(self.metadata.row_group(row_group).column(leaf))
    }

    /// The bloom filter of a chunk, if it can be told that the bytes are that.
    pub fn bloom_filter(&self, row_group: usize, leaf: usize) -> Option<Range<u64>> {
        let chunk = self.metadata.row_group(row_group).column(leaf);
        aside(chunk.bloom_filter_offset(), chunk.bloom_filter_length()).filter(|_| self.asides_are_apart)
    }

    /// Bytes of some chunks when decompressed, as far as they are more than usual.
    pub fn unusual_bytes(&self, row_group: usize, leaves: &[usize]) -> u64 {
        let chunks = leaves.iter().map(|&leaf| self.metadata.row_group(row_group).column(leaf));
        let count = |bytes: i64| bytes.unsigned_abs();
        let unusual = |chunk: &ColumnChunkMetaData| {
            count(chunk.uncompressed_size()).saturating_sub(count(chunk.compressed_size()).saturating_mul(USUAL_RATIO))
        };
        chunks.map(unusual).fold(0, u64::saturating_add)
    }

    /// The column that a leaf belongs to.
    pub fn root_name(&self, leaf: usize) -> &str {
        self.metadata.file_metadata().schema_descr().get_column_root(leaf).name()
    }

    /// Leaf columns under the named ones, in file order.
    ///
    /// # Errors
    /// [`RewriteError::SchemaChanged`] for a name that is not there.
    pub fn leaves(&self, columns: &[String]) -> Result<Vec<usize>, RewriteError> {
        let roots = columns.iter().map(|name| self.root(name)).collect::<Result<Vec<_>, _>>()?;
        let schema = self.metadata.file_metadata().schema_descr();
        Ok((0..schema.num_columns()).filter(|&leaf| roots.contains(&schema.get_column_root_idx(leaf))).collect())
    }

    fn root(&self, name: &str) -> Result<usize, RewriteError> {
        self.plain.index_of(name).map_err(|_| RewriteError::SchemaChanged)
    }

    /// Whether every data page of the column is dictionary-encoded, in every row group, by what the footer says.
    pub fn is_dictionary(&self, column: &str) -> bool {
        let Ok(leaves) = self.leaves(&[column.to_owned()]) else { return false };
        let groups = self.metadata.row_groups();
        !groups.is_empty()
            && groups.iter().all(|group| leaves.iter().all(|&leaf| is_fully_dictionary(group.column(leaf))))
    }

    /// The one encoding, not a dictionary, of all data pages of a flat column, if the footer tells it.
    pub fn plain_encoding(&self, column: &str) -> Option<Encoding> {
        let leaves = self.leaves(&[column.to_owned()]).ok()?;
        let [leaf] = leaves.as_slice() else { return None };
        let mut encodings = self.metadata.row_groups().iter().map(|group| {
            let mut used = data_encodings(group.column(*leaf))?;
            used.next().filter(|first| used.all(|other| other == *first))
        });
        let first = encodings.next()??;
        let dictionary = matches!(first, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
        (!dictionary && encodings.all(|encoding| encoding == Some(first))).then_some(first)
    }
}

/// Where the bloom filter of a chunk lies, if the footer tells so of an object of `size` bytes.
pub fn bloom_filter(layout: &FileLayout, group: usize, leaf: usize, size: u64) -> Option<Range<u64>> {
    layout.bloom_filter(group, leaf).filter(|range| range.end <= size)
}

/// Encodings of the data pages, if the footer tells them.
fn data_encodings(chunk: &ColumnChunkMetaData) -> Option<impl Iterator<Item = Encoding> + '_> {
    let is_data = |page_type| matches!(page_type, PageType::DATA_PAGE | PageType::DATA_PAGE_V2);
    let stats = chunk.page_encoding_stats()?.iter();
    Some(stats.filter(move |stats| is_data(stats.page_type) && stats.count > 0).map(|stats| stats.encoding))
}

fn is_fully_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    let is_dictionary = |encoding| matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
    data_encodings(chunk).is_some_and(|mut encodings| encodings.all(is_dictionary))
}

/// The schema with flat text and binary columns read as dictionaries, so that each distinct value is met once.
fn with_dictionaries(schema: &Schema) -> Schema {
    let fields: Fields = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => {
                let values = Box::new(field.data_type().clone());
                let data_type = DataType::Dictionary(Box::new(DataType::Int32), values);
                Arc::new(Field::clone(field).with_data_type(data_type))
            }
            _ => Arc::clone(field),
        })
        .collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

/// One row group, the needed chunks of it in memory.
#[derive(Debug)]
pub struct RowGroup {
    layout: FileLayout,
    index: usize,
    rows: usize,
    first_row: u64,
    /// Leaves that are not among the bytes, nor needed.
    unread: Arc<[usize]>,
    /// By their place in the file.
    pieces: Vec<(u64, Bytes)>,
}

impl RowGroup {
    /// Row group `index`, of which `pieces` holds the chunks' bytes by their place in the file, but for leaves that are
    /// `unread`; `first_row` rows lie before it.
    pub fn new(
        layout: FileLayout,
        (index, first_row): (usize, u64),
        unread: Arc<[usize]>,
        mut pieces: Vec<(u64, Bytes)>,
    ) -> Self {
        pieces.sort_unstable_by_key(|(start, _)| *start);
        let rows = layout.metadata.row_group(index).num_rows() as usize;
        Self { layout, index, rows, first_row, unread, pieces }
    }

    fn fault(&self, column: String, fault: PageFault) -> RewriteError {
        RewriteError::Decode { column, row_group: self.index, fault }
    }

    /// A batch with `before` rows of this group before it, its texts read as planned.
    fn typed(
        &self,
        batch: &RecordBatch,
        typed: &[Option<(FieldRef, FieldRef)>],
        before: u64,
    ) -> Result<RecordBatch, RewriteError> {
        let internal = RewriteError::Internal("reading texts as another type");
        let (mut fields, mut columns) = (Vec::with_capacity(typed.len()), Vec::with_capacity(typed.len()));
        for ((array, field), typed) in batch.columns().iter().zip(batch.schema_ref().fields()).zip(typed) {
            let Some((stored, planned)) = typed else {
                fields.push(Arc::clone(field));
                columns.push(Arc::clone(array));
                continue;
            };
            let read = read_as(array, stored, planned, &ColumnPath::of(stored.name()));
            let read = read.map_err(|error| match error {
                NotRead::Value { path, row, wanted } => RewriteError::NotOfType {
                    column: path.to_string(),
                    row: self.first_row + before + row as u64 + 1,
                    wanted: wanted.to_string(),
                },
                NotRead::Unusual => internal.clone(),
            })?;
            fields.push(fitting(planned, &read));
            columns.push(read);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options).map_err(|_| internal)
    }

    /// Pages of some leaves, their headers checked.
    fn pages(&self, leaves: &[usize]) -> Result<HashMap<usize, Arc<[RawPage]>>, RewriteError> {
        let group = self.layout.metadata.row_group(self.index);
        let of_leaf = |&leaf: &usize| {
            let range = self.layout.range(self.index, leaf)?;
            let bytes = self.bytes(range).unwrap_or_default();
            let chunk = group.column(leaf);
            // asked first: the parquet crate tells of pages that do not decode, whatever the reason
            let known = Decompressor::new(chunk.compression_codec());
            match known.and_then(|_| pages(&bytes, Claims::from(chunk))) {
                Ok(pages) => Ok((leaf, pages.into())),
                Err(fault) => Err(self.fault(self.layout.root_name(leaf).to_owned(), fault)),
            }
        };
        leaves.iter().map(of_leaf).collect()
    }

    /// Rows of a batch of `leaves`, so that none has more than [`MAX_BATCH_ITEMS`] however they are spread over the rows;
    /// one where a single row has more, all its lists together. Few row groups have so many that it must be looked at.
    fn batch_rows(&self, leaves: &[usize], pages: &HashMap<usize, Arc<[RawPage]>>) -> Result<usize, RewriteError> {
        let group = self.layout.metadata.row_group(self.index);
        let repeated = leaves.iter().filter(|&&leaf| group.column(leaf).column_descr().max_rep_level() > 0);
        let values = repeated.clone().map(|&leaf| group.column(leaf).num_values().unsigned_abs());
        if values.fold(0, u64::saturating_add) <= MAX_BATCH_ITEMS {
            return Ok(BATCH_ROWS.min(self.rows));
        }
        let mut most = [0_u64; ITEM_WINDOWS.len()];
        for &leaf in repeated {
            let fault = |fault| self.fault(self.layout.root_name(leaf).to_owned(), fault);
            let pages = pages.get(&leaf).map_or(&[][..], |pages| pages);
            let items = most_items(pages, group.column(leaf)).map_err(fault)?;
            if items[ITEM_WINDOWS.len() - 1] > MAX_BATCH_ITEMS {
                return Err(fault(PageFault::Items));
            }
            most.iter_mut().zip(items).for_each(|(sum, items)| *sum = sum.saturating_add(items));
        }
        let windows = ITEM_WINDOWS.iter().zip(most);
        // many leaves may have more together, in one row or in several: then row by row
        let fitting = windows.filter(|(_, items)| *items <= MAX_BATCH_ITEMS).map(|(&rows, _)| rows).next();
        Ok(usize::try_from(fitting.unwrap_or(1)).unwrap_or(BATCH_ROWS).min(BATCH_ROWS).min(self.rows))
    }
}

/// Items of the run of rows that has the most, for each of [`ITEM_WINDOWS`]; all, where the levels can't be counted.
fn most_items(pages: &[RawPage], chunk: &ColumnChunkMetaData) -> Result<[u64; ITEM_WINDOWS.len()], PageFault> {
    let mut decompressor = Decompressor::new(chunk.compression_codec())?;
    let mut items = RowItems::default();
    let is_data = |page: &&RawPage| matches!(page.header.kind, PageKind::V1 { .. } | PageKind::V2 { .. });
    for page in pages.iter().filter(is_data) {
        let body = decompressor.body(page)?;
        if items.see(&page.header, &body, chunk.column_descr()).is_none() {
            return Ok([chunk.num_values().unsigned_abs(); ITEM_WINDOWS.len()]);
        }
    }
    Ok(items.most())
}

impl Rows for RowGroup {
    fn len(&self) -> usize {
        self.rows
    }

    fn first_row(&self) -> u64 {
        self.first_row
    }

    fn bytes(&self, range: Range<u64>) -> Option<Bytes> {
        let at = self.pieces.partition_point(|(begin, _)| *begin <= range.start).checked_sub(1)?;
        let (begin, bytes) = &self.pieces[at];
        let skip = usize::try_from(range.start - begin).ok().filter(|&skip| skip < bytes.len())?;
        let length = usize::try_from(range.end.checked_sub(range.start)?).ok().filter(|&length| length > 0)?;
        Some(bytes.slice(skip..bytes.len().min(skip.saturating_add(length))))
    }

    fn batches<'a>(&'a self, columns: &[String], text: TextAs) -> Result<Batches<'a>, RewriteError> {
        let label = columns.first().cloned().unwrap_or_default();
        let undecodable = move || self.fault(label.clone(), PageFault::Undecodable);
        let mut leaves = self.layout.leaves(columns)?;
        leaves.retain(|leaf| !self.unread.contains(leaf));
        let group = self.layout.metadata.row_group(self.index);
        let one_dictionary = text == TextAs::Dictionaries
            && columns.len() == 1
            && leaves.iter().all(|&leaf| is_fully_dictionary(group.column(leaf)));
        let roots = columns.iter().map(|name| self.layout.root(name)).collect::<Result<Vec<_>, _>>()?;
        let typed: Vec<Option<(FieldRef, FieldRef)>> = roots.iter().map(|&root| self.layout.typed(root)).collect();
        let is_typed = typed.iter().any(Option::is_some);
        let schema = if one_dictionary && !is_typed { &self.layout.dictionaries } else { &self.layout.plain };
        let pages = self.pages(&leaves)?;
        let batch_rows = self.batch_rows(&leaves, &pages)?;
        let chunks = Chunks::new(&self.layout.metadata, self.index, pages);
        let begin = || {
            let parquet = self.layout.metadata.file_metadata().schema_descr();
            let mask = ProjectionMask::leaves(parquet, leaves.iter().copied());
            let levels = parquet_to_arrow_field_levels(parquet, mask, Some(schema.fields())).ok()?;
            ParquetRecordBatchReader::try_new_with_row_groups(&levels, &chunks, batch_rows, None).ok()
        };
        let reader = survive(begin).flatten().ok_or_else(&undecodable)?;
        // the reader gives columns in file order, callers want theirs
        let mut in_file_order = roots.clone();
        in_file_order.sort_unstable();
        in_file_order.dedup();
        let order: Vec<usize> = roots.iter().map(|root| in_file_order.partition_point(|at| at < root)).collect();
        let mut left = self.rows;
        let mut reader = Some(reader);
        Ok(Box::new(std::iter::from_fn(move || {
            let decoding = reader.as_mut()?;
            let batch = match survive(|| decoding.next()) {
                Some(Some(Ok(batch))) if batch.num_rows() <= left => batch,
                Some(None) if left == 0 => return None,
                // too few or too many rows are as bad as a page that does not decode
                _ => {
                    reader = None;
                    return Some(Err(undecodable()));
                }
            };
            let before = (self.rows - left) as u64;
            left -= batch.num_rows();
            let batch = project(&batch, &order).ok_or_else(&undecodable);
            Some(if is_typed { batch.and_then(|batch| self.typed(&batch, &typed, before)) } else { batch })
        })))
    }
}

fn project(batch: &RecordBatch, order: &[usize]) -> Option<RecordBatch> {
    batch.project(order).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::metadata::{FileMetaData, RowGroupMetaData};
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    #[test]
    fn what_unpacks_beyond_the_usual_is_counted() {
        let schema = parse_message_type("message m { required int32 a; required int32 b; }").unwrap();
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
        let chunk = |leaf, compressed, uncompressed| {
            let chunk = ColumnChunkMetaData::builder(schema.column(leaf)).set_total_compressed_size(compressed);
            chunk.set_total_uncompressed_size(uncompressed).build().unwrap()
        };
        let unusual = |first, second| {
            let group = RowGroupMetaData::builder(Arc::clone(&schema)).set_column_metadata(vec![first, second]);
            let file = FileMetaData::new(1, 0, None, None, Arc::clone(&schema), None);
            let metadata = ParquetMetaData::new(file, vec![group.build().unwrap()]);
            FileLayout::new(Arc::new(metadata)).unwrap().unusual_bytes(0, &[0, 1])
        };
        assert_eq!(unusual(chunk(0, 100, 400), chunk(1, 100, 90)), 0);
        assert_eq!(unusual(chunk(0, 100, 1_000), chunk(1, 100, 401)), 601);
        assert_eq!(unusual(chunk(0, 100, i64::MAX), chunk(1, 100, i64::MAX)), u64::MAX - 801);
    }
}
