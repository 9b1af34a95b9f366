//! Blocks of records -> Arrow texts, for the columns that are wanted.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Field as ColumnField, Schema, SchemaRef};

use super::error::column_label;
use super::split::{Blank, Field, Spans, split, unescape};
use super::{CsvError, Dialect, Header};

/// Parses blocks into batches of texts; shared by all threads that do.
///
/// An unquoted empty field and the unquoted texts of `csv.null` are null; a quoted field never is. Every record must
/// have a field for each column, wanted or not, and every byte of the block must be UTF-8.
///
/// ```
/// use arrow::array::AsArray;
/// use lakeveil::engine::csv::{Decoder, Dialect, Header, Spans};
///
/// let object = b"id,name,note\n7,Ann,\n8,,\"\"\n";
/// let dialect = Dialect::default();
/// let header = Header::read(object, true, &dialect)?.expect("the header is complete");
///
/// let decoder = Decoder::new(&dialect, &header, &[0, 2]);
/// let batch = decoder.decode(&object[header.data_start()..], 1, &mut Spans::default())?;
/// let note = batch.column_by_name("note").expect("it is wanted").as_string::<i32>();
/// assert_eq!(note.iter().collect::<Vec<_>>(), [None, Some("")]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Decoder {
    dialect: Dialect,
    names: Vec<String>,
    wanted: Vec<usize>,
    schema: SchemaRef,
}

impl Decoder {
    /// A decoder for objects with this header. `wanted` are the columns to give out, from 0, in any order.
    ///
    /// # Panics
    /// Where `wanted` names a column that the header has not.
    pub fn new(dialect: &Dialect, header: &Header, wanted: &[usize]) -> Self {
        Self::of_names(dialect, header.names().to_vec(), wanted)
    }

    /// A decoder for objects with columns of these names.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn of_names(dialect: &Dialect, names: Vec<String>, wanted: &[usize]) -> Self {
        let field = |&column: &usize| ColumnField::new(&names[column], DataType::Utf8, true);
        let schema = Arc::new(Schema::new(wanted.iter().map(field).collect::<Vec<_>>()));
        Self { dialect: dialect.clone(), wanted: wanted.to_vec(), schema, names }
    }

    /// The schema of the batches: nullable `Utf8` columns, as wanted.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Parses one block; `first_row` is the number of its first row, from 1, and `spans` memory to work in.
    ///
    /// # Errors
    /// The first fault of the block, by row: quotes, the number of fields, UTF-8.
    pub fn decode(&self, block: &[u8], first_row: u64, spans: &mut Spans) -> Result<RecordBatch, CsvError> {
        let columns = self.names.len();
        let split = split(block, &self.dialect, Blank::for_columns(columns), spans);
        // the records before a broken quote come first
        let shape =
            self.check_widths(spans, first_row).and(split.map_err(|e| CsvError::from_split(e, first_row, &self.names)));
        let text = match std::str::from_utf8(block) {
            Ok(text) => shape.map(|()| text)?,
            Err(e) => {
                let utf8 = self.invalid_utf8(e.valid_up_to(), first_row, spans);
                return Err(shape.err().into_iter().chain(utf8).min_by_key(CsvError::row).expect("one of them failed"));
            }
        };

        let rows = spans.records();
        let arrays = self.wanted.iter().map(|&column| self.column(text, spans, column)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .expect("one Utf8 array of all rows for each field of the schema"))
    }

    fn check_widths(&self, spans: &Spans, first_row: u64) -> Result<(), CsvError> {
        let columns = self.names.len();
        match spans.first_of_other_width(columns) {
            None => Ok(()),
            Some((record, found)) => {
                let row = first_row + record as u64;
                Err(if found > columns {
                    CsvError::TooManyFields { row, found, columns }
                } else {
                    CsvError::TooFewFields { row, found, columns }
                })
            }
        }
    }

    /// One column of a block whose records all have the same width.
    fn column(&self, text: &str, spans: &Spans, column: usize) -> ArrayRef {
        let fields = || spans.fields().iter().skip(column).step_by(self.names.len());
        let bytes = fields().map(|field| field.text().len()).sum();
        let mut builder = StringBuilder::with_capacity(spans.records(), bytes);
        for &field in fields() {
            self.append(&mut builder, text, field);
        }
        Arc::new(builder.finish())
    }

    #[inline]
    fn append(&self, builder: &mut StringBuilder, block: &str, field: Field) {
        let text = &block[field.text()];
        if field.is_escaped() {
            for piece in unescape(text, &self.dialect) {
                builder.write_str(piece).expect("a builder takes every text");
            }
            builder.append_value("");
        } else if !field.is_quoted() && self.dialect.is_null(text.as_bytes()) {
            builder.append_null();
        } else {
            builder.append_value(text);
        }
    }

    /// The field that holds the byte `at`; none if splitting stopped before it.
    fn invalid_utf8(&self, at: usize, first_row: u64, spans: &Spans) -> Option<CsvError> {
        (0..spans.records()).find_map(|record| {
            let field = spans.record(record).iter().position(|field| field.raw().end > at)?;
            let row = first_row + record as u64;
            Some(CsvError::InvalidUtf8 { row, field: field + 1, column: column_label(&self.names, field) })
        })
    }
}

#[cfg(test)]
mod tests;
