//! A unit of work seen as columns: a row group of a Parquet file, or a run of whole CSV records.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::error::RewriteError;
use super::stop::Stop;

/// Rows per batch while decoding: small enough that a column's batch stays in the second-level cache.
pub const BATCH_ROWS: usize = 8192;

/// How text and binary columns are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextAs {
    /// As the plan's source schema has them.
    Planned,
    /// As dictionaries where the source is encoded so: each distinct value is met once.
    Dictionaries,
}

/// Batches of some columns, in row order.
pub type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch, RewriteError>> + Send + 'a>;

/// Some rows of an object, each column of which can be read apart from the others, from any thread.
pub trait Rows: Send + Sync {
    /// How many rows there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Rows of the object before these.
    fn first_row(&self) -> u64;

    /// The named columns, in that order.
    ///
    /// # Errors
    /// From the iterator too: what could not be decoded.
    fn batches<'a>(&'a self, columns: &[String], text: TextAs) -> Result<Batches<'a>, RewriteError>;

    /// The first bytes of a range of the object, as many as were read in one piece; `None` if they were not read.
    fn bytes(&self, _range: Range<u64>) -> Option<Bytes> {
        None
    }
}

/// Rows with the partition values of their path beside their columns.
pub struct WithPartitions {
    /// The object's own columns.
    pub inner: Box<dyn Rows>,
    /// Names and values; null for `__HIVE_DEFAULT_PARTITION__`.
    pub partitions: Arc<[(String, Option<String>)]>,
    /// The object's own column names: they win over partitions of the same name.
    pub own: SchemaRef,
    /// Looked at before every batch.
    pub stop: Stop,
}

impl WithPartitions {
    fn partition(&self, name: &str) -> Option<&Option<String>> {
        if self.own.column_with_name(name).is_some() {
            return None;
        }
        self.partitions.iter().find(|(partition, _)| partition == name).map(|(_, value)| value)
    }
}

impl Rows for WithPartitions {
    fn len(&self) -> usize {
        self.inner.len()
    }

    fn first_row(&self) -> u64 {
        self.inner.first_row()
    }

    fn bytes(&self, range: Range<u64>) -> Option<Bytes> {
        self.inner.bytes(range)
    }

    fn batches<'a>(&'a self, columns: &[String], text: TextAs) -> Result<Batches<'a>, RewriteError> {
        let (constant, own): (Vec<String>, Vec<String>) =
            columns.iter().cloned().partition(|name| self.partition(name).is_some());
        let stop = self.stop.clone();
        let batches = self.inner.batches(&own, text)?.map(move |batch| stop.check().and(batch));
        if constant.is_empty() {
            return Ok(Box::new(batches));
        }
        let columns = columns.to_vec();
        Ok(Box::new(batches.map(move |batch| {
            let batch = batch?;
            let mut own = batch.columns().iter().zip(batch.schema_ref().fields());
            let (mut fields, mut arrays): (Vec<FieldRef>, Vec<ArrayRef>) = Default::default();
            for name in &columns {
                match self.partition(name) {
                    Some(value) => {
                        let values = std::iter::repeat_n(value.as_deref(), batch.num_rows());
                        fields.push(Arc::new(Field::new(name, DataType::Utf8, true)));
                        arrays.push(Arc::new(values.collect::<StringArray>()));
                    }
                    None => {
                        let (array, field) = own.next().ok_or(RewriteError::SchemaChanged)?;
                        fields.push(Arc::clone(field));
                        arrays.push(Arc::clone(array));
                    }
                }
            }
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
                .map_err(|_| RewriteError::Internal("adding partition values"))
        })))
    }
}
