//! Encodes an object's columns side by side, row group by row group, and appends them in order.

use std::io::Write;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;

use crate::engine::error::RewriteError;
use crate::engine::evaluate::{ColumnState, Mask, for_each_batch};
use crate::engine::rows::Rows;
use crate::policy::plan::{ColumnSource, OutputColumn, Plan};
use crate::transforms::shape::Shape;

use super::rows::FileLayout;

/// What a policy says about the Parquet files it writes.
#[derive(Debug, Clone)]
pub struct ParquetSettings {
    /// Codec of every column.
    pub compression: Compression,
    /// Key-value pairs of the source's footer that are carried over.
    pub metadata: Vec<KeyValue>,
}

/// Where the writer's bytes wait to be moved.
#[derive(Debug, Clone, Default)]
struct Outbox(Arc<Mutex<Vec<u8>>>);

impl Outbox {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)).into()
    }
}

impl Write for Outbox {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Encodes row groups; shared by all units of one object.
#[derive(Debug)]
pub struct Encoder {
    plan: Arc<Plan>,
    factory: ArrowRowGroupWriterFactory,
    /// Leaf columns below each output column.
    leaves: Vec<usize>,
}

/// Appends encoded row groups, in order.
pub struct Appender {
    writer: SerializedFileWriter<Outbox>,
    outbox: Outbox,
}

/// One row group, encoded, and what was seen on the way.
pub struct EncodedRows {
    chunks: Vec<ArrowColumnChunk>,
    /// Rows that stayed.
    pub rows: u64,
    /// Encoded bytes of each output column.
    pub bytes: Vec<u64>,
    /// Figures of each output column.
    pub states: Vec<ColumnState>,
}

/// Begins an output object. `source` tells how the source's columns were encoded, if it is a Parquet file.
///
/// # Errors
/// [`RewriteError::Internal`] for a schema that Parquet has no words for: binding refuses those.
pub fn begin(
    plan: &Arc<Plan>,
    settings: &ParquetSettings,
    source: Option<&FileLayout>,
) -> Result<(Encoder, Appender), RewriteError> {
    let broken = |_| RewriteError::Internal("beginning a Parquet file");
    let outbox = Outbox::default();
    let properties = properties(plan, settings, source);
    let writer = ArrowWriter::try_new(outbox.clone(), Arc::clone(&plan.output), Some(properties)).map_err(broken)?;
    let (writer, factory) = writer.into_serialized_writer().map_err(broken)?;
    let schema = writer.schema_descr();
    let mut leaves = vec![0; plan.columns.len()];
    (0..schema.num_columns()).for_each(|leaf| leaves[schema.get_column_root_idx(leaf)] += 1);
    Ok((Encoder { plan: Arc::clone(plan), factory, leaves }, Appender { writer, outbox }))
}

fn properties(plan: &Plan, settings: &ParquetSettings, source: Option<&FileLayout>) -> WriterProperties {
    let created_by = concat!("lakeveil version ", env!("CARGO_PKG_VERSION")).to_owned();
    let mut builder = WriterProperties::builder()
        .set_compression(settings.compression)
        .set_created_by(created_by)
        .set_key_value_metadata((!settings.metadata.is_empty()).then(|| settings.metadata.clone()));
    for column in &plan.columns {
        builder = encode_as_source(builder, column, source);
    }
    builder.build()
}

/// Keeps the source's choice between dictionary and plain pages: it was made by somebody who saw the values, and
/// a dictionary attempt over tokens of a high-cardinality column is work for nothing.
fn encode_as_source(
    builder: WriterPropertiesBuilder,
    column: &OutputColumn,
    source: Option<&FileLayout>,
) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(column.field.name().as_str());
    let (Some(layout), ColumnSource::Column { name, shape, .. }) = (source, &column.source) else { return builder };
    if column.field.data_type().is_nested() || layout.is_dictionary(name) {
        return builder;
    }
    match shape {
        Shape::Keep { .. } => match layout.plain_encoding(name) {
            Some(encoding) => {
                builder.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding)
            }
            None => builder,
        },
        _ if is_text(column) => {
            let builder = builder.set_column_dictionary_enabled(path.clone(), false);
            builder.set_column_encoding(path, Encoding::DELTA_LENGTH_BYTE_ARRAY)
        }
        _ => builder,
    }
}

fn is_text(column: &OutputColumn) -> bool {
    use arrow::datatypes::DataType::*;
    matches!(column.field.data_type(), Utf8 | LargeUtf8 | Utf8View)
}

impl Encoder {
    /// Transforms and encodes one unit as row group `index`, its columns in parallel.
    ///
    /// # Errors
    /// The first column's failure, in the output's order, so that two runs tell the same.
    pub fn encode(&self, rows: &dyn Rows, mask: &Mask, index: usize) -> Result<EncodedRows, RewriteError> {
        let broken = |_| RewriteError::Internal("beginning a row group");
        let mut writers = self.factory.create_column_writers(index).map_err(broken)?.into_iter();
        let parts: Vec<(&OutputColumn, Vec<ArrowColumnWriter>)> = (self.plan.columns.iter())
            .zip(&self.leaves)
            .map(|(column, &leaves)| (column, writers.by_ref().take(leaves).collect()))
            .collect();
        let encoded: Vec<_> =
            parts.into_par_iter().map(|(column, writers)| self.encode_column(column, writers, rows, mask)).collect();
        let kept = mask.as_ref().map_or(rows.len(), |mask| mask.count_set_bits());
        let mut done = EncodedRows { chunks: Vec::new(), rows: kept as u64, bytes: Vec::new(), states: Vec::new() };
        for column in encoded {
            let (chunks, state) = column?;
            done.bytes.push(chunks.iter().map(|chunk| chunk.close().metadata.compressed_size().unsigned_abs()).sum());
            done.chunks.extend(chunks);
            done.states.push(state);
        }
        Ok(done)
    }

    fn encode_column(
        &self,
        column: &OutputColumn,
        mut writers: Vec<ArrowColumnWriter>,
        rows: &dyn Rows,
        mask: &Mask,
    ) -> Result<(Vec<ArrowColumnChunk>, ColumnState), RewriteError> {
        let broken = |_| RewriteError::Encode {
            column: column.field.name().clone(),
            data_type: column.field.data_type().clone(),
        };
        let mut state = ColumnState::new(column);
        for_each_batch(&self.plan, column, rows, mask, &mut state, |array| {
            let leaves = compute_leaves(&column.field, &array).map_err(broken)?;
            for (writer, leaf) in writers.iter_mut().zip(&leaves) {
                writer.write(leaf).map_err(broken)?;
            }
            Ok(())
        })?;
        let chunks = writers.into_iter().map(|writer| writer.close()).collect::<Result<Vec<_>, _>>().map_err(broken)?;
        Ok((chunks, state))
    }
}

impl Appender {
    /// Appends one encoded row group and gives the bytes that are ready to be moved. One without rows is left out.
    ///
    /// # Errors
    /// [`RewriteError::Internal`].
    pub fn append(&mut self, encoded: Vec<ArrowColumnChunk>) -> Result<Bytes, RewriteError> {
        let broken = |_| RewriteError::Internal("appending a row group");
        let mut group = self.writer.next_row_group().map_err(broken)?;
        for chunk in encoded {
            chunk.append_to_row_group(&mut group).map_err(broken)?;
        }
        group.close().map_err(broken)?;
        Ok(self.outbox.take())
    }

    /// Writes the footer and gives the last bytes.
    ///
    /// # Errors
    /// [`RewriteError::Internal`].
    pub fn finish(self) -> Result<Bytes, RewriteError> {
        self.writer.close().map_err(|_| RewriteError::Internal("writing a Parquet footer"))?;
        Ok(self.outbox.take())
    }
}

impl EncodedRows {
    /// The column chunks, for [`Appender::append`].
    pub fn take_chunks(&mut self) -> Vec<ArrowColumnChunk> {
        std::mem::take(&mut self.chunks)
    }
}
