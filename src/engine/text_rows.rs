//! CSV records as columns: parsed, typed where the policy says so, cut into batches.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use rayon::prelude::*;

use super::csv::{Block, Decoder, Dialect, Header, Spans, parse_column};
use super::error::RewriteError;
use super::rows::{BATCH_ROWS, Batches, Rows, TextAs};
use crate::policy::ColumnType;

/// The columns of one CSV object that a plan reads.
#[derive(Debug)]
pub struct TextLayout {
    dialect: Dialect,
    header: Header,
    decoder: Decoder,
    schema: SchemaRef,
    types: Vec<ColumnType>,
}

impl TextLayout {
    /// Reads the columns of `schema`, whose fields are those of `types`; columns of the header that it lacks are passed over.
    ///
    /// # Errors
    /// [`RewriteError::SchemaChanged`] for a column that the header lacks.
    pub fn new(
        dialect: Dialect,
        header: Header,
        schema: SchemaRef,
        types: Vec<ColumnType>,
    ) -> Result<Self, RewriteError> {
        let at = |name: &String| header.names().iter().position(|column| column == name);
        let wanted = schema.fields().iter().map(|field| at(field.name()).ok_or(RewriteError::SchemaChanged));
        let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
        let decoder = Decoder::new(&dialect, &header, &wanted);
        Ok(Self { dialect, header, decoder, schema, types })
    }

    /// How the text is written.
    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    /// The object's header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    fn parse(&self, block: &Block) -> Result<RecordBatch, RewriteError> {
        let texts = self.decoder.decode(&block.bytes, block.first_row, &mut Spans::default())?;
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(texts.num_columns());
        for ((text, field), wanted) in texts.columns().iter().zip(self.schema.fields()).zip(&self.types) {
            columns.push(parse_column(text.as_string::<i32>(), *wanted, field.name(), block.first_row)?);
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(texts.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|_| RewriteError::Internal("building a batch of CSV columns"))
    }
}

/// A run of records, parsed.
#[derive(Debug)]
pub struct TextRows {
    batches: Vec<RecordBatch>,
    rows: usize,
    first_row: u64,
}

impl TextRows {
    /// Rows that are parsed already, as one batch; `first_row` rows of the object lie before them.
    pub fn of(batch: RecordBatch, first_row: u64) -> Self {
        Self { rows: batch.num_rows(), batches: vec![batch], first_row }
    }

    /// Parses `blocks`, which follow each other, in parallel.
    ///
    /// # Errors
    /// The first fault, by row.
    pub fn parse(layout: &TextLayout, blocks: Vec<Block>) -> Result<Self, RewriteError> {
        let first_row = blocks.first().map_or(0, |block| block.first_row.saturating_sub(1));
        let parsed: Vec<_> = blocks.into_par_iter().map(|block| layout.parse(&block)).collect();
        let mut batches = Vec::new();
        let mut rows = 0;
        for batch in parsed {
            let batch = batch?;
            rows += batch.num_rows();
            for start in (0..batch.num_rows()).step_by(BATCH_ROWS) {
                batches.push(batch.slice(start, BATCH_ROWS.min(batch.num_rows() - start)));
            }
        }
        Ok(Self { batches, rows, first_row })
    }
}

impl Rows for TextRows {
    fn len(&self) -> usize {
        self.rows
    }

    fn first_row(&self) -> u64 {
        self.first_row
    }

    fn batches<'a>(&'a self, columns: &[String], _: TextAs) -> Result<Batches<'a>, RewriteError> {
        let Some(first) = self.batches.first() else { return Ok(Box::new(std::iter::empty())) };
        let schema = first.schema();
        let order = columns.iter().map(|name| schema.index_of(name).map_err(|_| RewriteError::SchemaChanged));
        let order = order.collect::<Result<Vec<_>, _>>()?;
        let project = move |batch: &RecordBatch| {
            batch.project(&order).map_err(|_| RewriteError::Internal("choosing columns of a batch"))
        };
        Ok(Box::new(self.batches.iter().map(project)))
    }
}
