//! A row group's columns as batches, decoded from bytes in memory, each column apart from the others.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use bytes::{Buf, Bytes};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Encoding, PageType};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::reader::{ChunkReader, Length};

use super::footer::chunk_range;
use crate::engine::error::RewriteError;
use crate::engine::rows::{BATCH_ROWS, Batches, Rows, TextAs};

/// One object's schema, and how its columns are best read.
#[derive(Debug, Clone)]
pub struct FileLayout {
    metadata: Arc<ParquetMetaData>,
    plain: ArrowReaderMetadata,
    dictionaries: ArrowReaderMetadata,
}

impl FileLayout {
    /// From a checked footer.
    ///
    /// # Errors
    /// [`RewriteError::Parquet`] for a schema that Arrow has no words for.
    pub fn new(metadata: Arc<ParquetMetaData>) -> Result<Self, RewriteError> {
        let unsupported = |_| RewriteError::Parquet { what: "its schema has no Arrow equivalent".to_owned() };
        let plain =
            ArrowReaderMetadata::try_new(Arc::clone(&metadata), ArrowReaderOptions::new()).map_err(unsupported)?;
        // a group without fields has no Arrow type and is left out: every place after it would be another column's
        let roots = metadata.file_metadata().schema_descr().root_schema().get_fields().iter().map(|root| root.name());
        if !roots.eq(plain.schema().fields().iter().map(|field| field.name().as_str())) {
            return Err(RewriteError::Parquet { what: "a column of it has no Arrow equivalent".to_owned() });
        }
        let schema = Arc::new(with_dictionaries(plain.schema()));
        let options = ArrowReaderOptions::new().with_schema(schema);
        let dictionaries = ArrowReaderMetadata::try_new(Arc::clone(&metadata), options).unwrap_or(plain.clone());
        Ok(Self { metadata, plain, dictionaries })
    }

    /// Columns and their Arrow types.
    pub fn schema(&self) -> &SchemaRef {
        self.plain.schema()
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

    /// How many values some leaves have in one row group, nulls included.
    pub fn values(&self, row_group: usize, leaves: &[usize]) -> u64 {
        let group = self.metadata.row_group(row_group);
        leaves.iter().map(|&leaf| group.column(leaf).num_values().unsigned_abs()).sum()
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
        self.plain.schema().index_of(name).map_err(|_| RewriteError::SchemaChanged)
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
    bytes: Pieces,
}

impl RowGroup {
    /// Row group `index`, of which `pieces` holds the chunks' bytes by their place in the file.
    pub fn new(
        layout: FileLayout,
        index: usize,
        first_row: u64,
        file_size: u64,
        mut pieces: Vec<(u64, Bytes)>,
    ) -> Self {
        pieces.sort_unstable_by_key(|(start, _)| *start);
        let rows = layout.metadata.row_group(index).num_rows() as usize;
        Self { layout, index, rows, first_row, bytes: Pieces { file_size, pieces: pieces.into() } }
    }
}

impl Rows for RowGroup {
    fn len(&self) -> usize {
        self.rows
    }

    fn first_row(&self) -> u64 {
        self.first_row
    }

    fn bytes(&self, range: Range<u64>) -> Option<Bytes> {
        let bytes = self.bytes.from(range.start).filter(|bytes| !bytes.is_empty())?;
        let length = usize::try_from(range.end.checked_sub(range.start)?).ok().filter(|&length| length > 0)?;
        Some(bytes.slice(..length.min(bytes.len())))
    }

    fn batches<'a>(&'a self, columns: &[String], text: TextAs) -> Result<Batches<'a>, RewriteError> {
        let label = columns.first().cloned().unwrap_or_default();
        let undecodable = move || RewriteError::Decode { column: label.clone(), row_group: self.index };
        let one_dictionary = text == TextAs::Dictionaries && columns.len() == 1 && {
            let leaves = self.layout.leaves(columns)?;
            leaves.iter().all(|&leaf| is_fully_dictionary(self.layout.metadata.row_group(self.index).column(leaf)))
        };
        let metadata = if one_dictionary { &self.layout.dictionaries } else { &self.layout.plain };
        let roots = columns.iter().map(|name| self.layout.root(name)).collect::<Result<Vec<_>, _>>()?;
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.iter().copied());
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(self.bytes.clone(), metadata.clone())
            .with_row_groups(vec![self.index])
            .with_projection(mask)
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|_| undecodable())?;
        // the reader gives columns in file order, callers want theirs
        let mut in_file_order = roots.clone();
        in_file_order.sort_unstable();
        in_file_order.dedup();
        let order: Vec<usize> = roots.iter().map(|root| in_file_order.partition_point(|at| at < root)).collect();
        let mut left = self.rows;
        let mut reader = Some(reader);
        Ok(Box::new(std::iter::from_fn(move || {
            let batch = match reader.as_mut()?.next() {
                Some(Ok(batch)) if batch.num_rows() <= left => batch,
                None if left == 0 => return None,
                // too few or too many rows are as bad as a page that does not decode
                _ => {
                    reader = None;
                    return Some(Err(undecodable()));
                }
            };
            left -= batch.num_rows();
            Some(project(&batch, &order).ok_or_else(&undecodable))
        })))
    }
}

fn project(batch: &RecordBatch, order: &[usize]) -> Option<RecordBatch> {
    batch.project(order).ok()
}

/// A file of which only some ranges are there.
#[derive(Debug, Clone)]
struct Pieces {
    file_size: u64,
    pieces: Arc<[(u64, Bytes)]>,
}

impl Pieces {
    fn from(&self, start: u64) -> Option<Bytes> {
        let at = self.pieces.partition_point(|(begin, _)| *begin <= start).checked_sub(1)?;
        let (begin, bytes) = &self.pieces[at];
        let skip = usize::try_from(start - begin).ok()?;
        (skip <= bytes.len()).then(|| bytes.slice(skip..))
    }
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        self.file_size
    }
}

fn absent() -> ParquetError {
    ParquetError::EOF("outside the chunks that were read".to_owned())
}

impl ChunkReader for Pieces {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(self.from(start).ok_or_else(absent)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let bytes = self.from(start).ok_or_else(absent)?;
        if length > bytes.len() {
            return Err(absent());
        }
        Ok(bytes.slice(..length))
    }
}
