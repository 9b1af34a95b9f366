//! Makes an object's columns side by side, row group by row group.

use std::sync::Arc;

use arrow::datatypes::Schema;
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding};
use parquet::bloom_filter::Sbbf;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, ColumnPath, SchemaDescriptor, Type};
use rayon::prelude::*;

use super::append::{Appender, Chunk};
use super::index::PageIndexes;
use super::kept;
use super::leaf::Refusal;
use super::outbox::Outbox;
use super::routes::{Choices, ColumnRoute, LeafRoute, Routes};
use super::rows::{FileLayout, bloom_filter};
use super::seal::seal;
use super::values::TextEncoding;
use crate::engine::error::RewriteError;
use crate::engine::evaluate::{ColumnState, Mask, for_each_batch, sources};
use crate::engine::outcome::{Route, RouteBytes};
use crate::engine::rows::Rows;
use crate::engine::stop::Stop;
use crate::engine::units::Portion;
use crate::policy::plan::{ColumnSource, OutputColumn, Plan};
use crate::transforms::tally::Tally;

/// What a policy says about the Parquet files it writes.
#[derive(Debug, Clone)]
pub struct ParquetSettings {
    /// Codec of what is made anew.
    pub compression: Compression,
    /// Encoding of texts that are made anew.
    pub encoding: TextEncoding,
    /// Key-value pairs of the source's footer that are carried over.
    pub metadata: Vec<KeyValue>,
}

impl ParquetSettings {
    /// What concerns columns.
    pub fn choices(&self) -> Choices {
        Choices { compression: self.compression, encoding: self.encoding }
    }
}

/// A Parquet object of which chunks are copied, or that at least tells how it was encoded.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its columns.
    pub layout: FileLayout,
    /// Its page indexes; `None` where the output has none, since an offset index is there for all chunks or for none.
    pub indexes: Option<Arc<PageIndexes>>,
    /// Its size in bytes.
    pub size: u64,
}

/// Makes row groups; shared by all units of one object.
#[derive(Debug)]
pub struct Encoder {
    plan: Arc<Plan>,
    routes: Routes,
    source: Option<Source>,
    factory: ArrowRowGroupWriterFactory,
    /// Leaves of each output column.
    outputs: Vec<Vec<ColumnDescPtr>>,
    stop: Stop,
}

/// What is known of one output column of one unit.
pub struct ColumnPart {
    /// Figures of its leaves.
    pub tallies: Vec<Tally>,
    /// How each of them was made.
    pub routes: Vec<Vec<RouteBytes>>,
}

/// Columns of one row group, made, and what was seen on the way.
pub struct EncodedRows {
    chunks: Vec<Chunk>,
    /// Rows that stayed.
    pub rows: u64,
    /// One for each output column of the portion.
    pub columns: Vec<ColumnPart>,
}

/// Begins an output object.
///
/// # Errors
/// [`RewriteError::Internal`] for a schema that Parquet has no words for: binding refuses those.
pub fn begin(
    plan: &Arc<Plan>,
    settings: &ParquetSettings,
    routes: Routes,
    source: Option<Source>,
    stop: &Stop,
) -> Result<(Encoder, Appender), RewriteError> {
    let broken = |_| RewriteError::Internal("beginning a Parquet file");
    let has_index = source.as_ref().is_none_or(|source| source.indexes.is_some());
    let schema = SchemaDescriptor::new(Arc::clone(&routes.root));
    let mut outputs = vec![Vec::new(); plan.columns.len()];
    (0..schema.num_columns()).for_each(|leaf| outputs[schema.get_column_root_idx(leaf)].push(schema.column(leaf)));

    let layout = source.as_ref().map(|source| &source.layout);
    let places: Vec<Option<usize>> = (routes.columns.iter().zip(&outputs))
        .flat_map(|(route, outputs)| (0..outputs.len()).map(|leaf| route.copied_from(leaf)))
        .collect();
    let place = |leaf| places.iter().position(|&copied| copied == Some(leaf));
    let sorting = layout.and_then(|layout| kept::sorting(layout.metadata(), place));
    let mut properties = properties(plan, settings, layout, sorting).build();
    add_encoded_arrow_schema_to_metadata(&plan.output, &mut properties);
    let properties = Arc::new(properties);

    // writers are made for what is not copied
    let made = || plan.columns.iter().zip(&routes.columns).filter(|(_, route)| !route.is_copied());
    let fields = made().map(|(column, _)| Arc::clone(&column.field)).collect::<Vec<_>>();
    let types = plan.columns.iter().zip(&routes.columns).zip(routes.root.get_fields());
    let types = types.filter(|((_, route), _)| !route.is_copied()).map(|(_, root)| Arc::clone(root)).collect();
    let root = Arc::new(Type::group_type_builder("made").with_fields(types).build().map_err(broken)?);
    let aside = SerializedFileWriter::new(std::io::sink(), root, Arc::clone(&properties)).map_err(broken)?;
    let factory = ArrowRowGroupWriterFactory::new(&aside, Arc::new(Schema::new(fields)));

    let outbox = Outbox::default();
    let writer = SerializedFileWriter::new(outbox.clone(), Arc::clone(&routes.root), properties).map_err(broken)?;
    let encoder = Encoder { plan: Arc::clone(plan), routes, source, factory, outputs, stop: stop.clone() };
    Ok((encoder, Appender::new(writer, outbox, has_index)))
}

fn properties(
    plan: &Plan,
    settings: &ParquetSettings,
    source: Option<&FileLayout>,
    sorting: Option<Vec<SortingColumn>>,
) -> WriterPropertiesBuilder {
    let created_by = concat!("lakeveil version ", env!("CARGO_PKG_VERSION")).to_owned();
    let mut builder = WriterProperties::builder()
        .set_compression(settings.compression)
        .set_created_by(created_by)
        .set_sorting_columns(sorting)
        .set_key_value_metadata((!settings.metadata.is_empty()).then(|| settings.metadata.clone()));
    for column in &plan.columns {
        builder = encode_as_source(builder, column, source, settings.encoding);
    }
    builder
}

/// Keeps the source's choice between dictionary and plain pages: it was made by somebody who saw the values, and
/// a dictionary attempt over tokens of a high-cardinality column is work for nothing. Where nobody has chosen, a
/// dictionary is tried until it is full.
fn encode_as_source(
    builder: WriterPropertiesBuilder,
    column: &OutputColumn,
    source: Option<&FileLayout>,
    encoding: TextEncoding,
) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(column.field.name().as_str());
    let chosen = match &column.source {
        ColumnSource::Column(read) if read.below.is_empty() => source.map(|layout| (layout, &read.name)),
        ColumnSource::Column(_) | ColumnSource::Derived(_) => None,
    };
    let is_kept = column.is_kept();
    if column.field.data_type().is_nested() || chosen.is_some_and(|(layout, name)| layout.is_dictionary(name)) {
        return builder;
    }
    let encoding = match chosen {
        // numbers and dates that were texts are encoded as the crate has it
        Some((layout, name)) if is_kept && layout.is_typed(name) => None,
        Some((layout, name)) if is_kept => {
            // a kept text is written anew here, as others are
            let is_plain = encoding == TextEncoding::Plain && is_text(column);
            layout.plain_encoding(name).map(|found| if is_plain { Encoding::PLAIN } else { found })
        }
        _ if !is_kept && is_text(column) => Some(match encoding {
            TextEncoding::Best => Encoding::DELTA_LENGTH_BYTE_ARRAY,
            TextEncoding::Plain => Encoding::PLAIN,
        }),
        _ => None,
    };
    let Some(encoding) = encoding else { return builder };
    builder.set_column_dictionary_enabled(path.clone(), chosen.is_none()).set_column_encoding(path, encoding)
}

fn is_text(column: &OutputColumn) -> bool {
    use arrow::datatypes::DataType::*;
    matches!(column.field.data_type(), Utf8 | LargeUtf8 | Utf8View)
}

/// One column of a row group.
type Made = (Vec<Chunk>, ColumnPart);

impl Encoder {
    /// Makes the columns of `portion` of one row group, side by side.
    ///
    /// # Errors
    /// The first column's failure, in the output's order, so that two runs tell the same.
    pub fn encode(&self, rows: &dyn Rows, mask: &Mask, portion: &Portion) -> Result<EncodedRows, RewriteError> {
        let (columns, index) = (portion.columns.clone(), portion.group);
        let is_in_batches = |column| matches!(self.routes.columns[column], ColumnRoute::Batches);
        let made: Vec<Result<Made, RewriteError>> = if columns.clone().any(is_in_batches) {
            let mut writers: Vec<Option<Vec<ArrowColumnWriter>>> = self.writers(index)?;
            let parts: Vec<_> = columns.map(|column| (column, writers[column].take())).collect();
            parts.into_par_iter().map(|(column, writers)| self.column(column, writers, rows, mask, index)).collect()
        } else {
            columns.into_par_iter().map(|column| self.column(column, None, rows, mask, index)).collect()
        };
        let kept = mask.as_ref().map_or(rows.len(), |mask| mask.count_set_bits());
        let mut done = EncodedRows { chunks: Vec::new(), rows: kept as u64, columns: Vec::new() };
        for column in made {
            let (chunks, part) = column?;
            done.chunks.extend(chunks);
            done.columns.push(part);
        }
        Ok(done)
    }

    /// Fresh writers for each output column that is not copied.
    fn writers(&self, index: usize) -> Result<Vec<Option<Vec<ArrowColumnWriter>>>, RewriteError> {
        let broken = |_| RewriteError::Internal("beginning a row group");
        let mut writers = self.factory.create_column_writers(index).map_err(broken)?.into_iter();
        let of_column = |(route, leaves): (&ColumnRoute, &Vec<ColumnDescPtr>)| {
            (!route.is_copied()).then(|| writers.by_ref().take(leaves.len()).collect())
        };
        Ok(self.routes.columns.iter().zip(&self.outputs).map(of_column).collect())
    }

    fn column(
        &self,
        column: usize,
        writers: Option<Vec<ArrowColumnWriter>>,
        rows: &dyn Rows,
        mask: &Mask,
        index: usize,
    ) -> Result<Made, RewriteError> {
        let in_batches = |writers: Option<Vec<ArrowColumnWriter>>| {
            let writers = match writers {
                Some(writers) => writers,
                None => self.writers(index)?.swap_remove(column).unwrap_or_default(),
            };
            self.in_batches(column, writers, rows, mask)
        };
        match &self.routes.columns[column] {
            ColumnRoute::Copied { leaves, figure, is_root } => {
                self.copied(column, leaves, (*figure, *is_root), rows, index)
            }
            ColumnRoute::Leaves(leaves) => match self.by_leaves(column, leaves, rows, index) {
                Ok(made) => Ok(made),
                Err(Refusal::Generic) => in_batches(writers),
                Err(Refusal::Damaged(fault)) => {
                    let column = sources(&self.plan.columns[column]).into_iter().next().unwrap_or_default();
                    Err(RewriteError::Decode { column, row_group: index, fault })
                }
                Err(Refusal::Failed(error)) => Err(error),
            },
            ColumnRoute::Batches => in_batches(writers),
        }
    }

    fn source(&self) -> Result<&Source, RewriteError> {
        self.source.as_ref().ok_or(RewriteError::Internal("copying from an object without columns"))
    }

    fn copied(
        &self,
        column: usize,
        leaves: &[usize],
        (figure, is_root): (usize, bool),
        rows: &dyn Rows,
        group: usize,
    ) -> Result<Made, RewriteError> {
        let source = self.source()?;
        let (mut chunks, mut bytes) = (Vec::new(), 0);
        for (&leaf, output) in leaves.iter().zip(&self.outputs[column]) {
            let chunk = self.copy(source, (group, leaf), output, rows)?;
            bytes += chunk.size();
            chunks.push(chunk);
        }
        let nulls = match leaves {
            [leaf] => nulls_of(source, group, *leaf),
            _ => None,
        };
        let mut part = ColumnPart::unseen(self.plan.columns[column].leaves.len());
        // below the root values are items, of which the footer says nothing
        part.tallies[figure] = Tally::of_unseen(is_root.then_some(rows.len() as u64), nulls);
        part.routes[figure] = vec![RouteBytes { route: Route::Copied, bytes: Some(bytes) }];
        Ok((chunks, part))
    }

    fn copy(
        &self,
        source: &Source,
        (group, leaf): (usize, usize),
        output: &ColumnDescPtr,
        rows: &dyn Rows,
    ) -> Result<Chunk, RewriteError> {
        let filter = bloom_filter(&source.layout, group, leaf, source.size);
        let filter = filter.and_then(|range| rows.bytes(range));
        let filter = filter.and_then(|bytes| Sbbf::from_bytes(&bytes).ok());
        let close = kept::close(source.layout.metadata(), (group, leaf), output, source.indexes.as_deref(), filter)?;
        Ok(Chunk::copied(source.layout.range(group, leaf)?, close))
    }

    fn by_leaves(&self, column: usize, leaves: &[LeafRoute], rows: &dyn Rows, group: usize) -> Result<Made, Refusal> {
        let source = self.source().map_err(Refusal::Failed)?;
        let metadata = source.layout.metadata().row_group(group);
        let mut part = ColumnPart::unseen(self.plan.columns[column].leaves.len());
        let outputs = &self.outputs[column];
        let made: Vec<_> = leaves
            .par_iter()
            .zip(outputs)
            .map(|(route, output)| match route {
                LeafRoute::Copied { leaf, figure } => {
                    let chunk = self.copy(source, (group, *leaf), output, rows).map_err(Refusal::Failed)?;
                    let used = RouteBytes { route: Route::Copied, bytes: Some(chunk.size()) };
                    Ok((*figure, chunk, Tally::of_unseen(None, None), used))
                }
                LeafRoute::Rewritten { leaf, figure, rewriter } => {
                    let range = source.layout.range(group, *leaf).map_err(Refusal::Failed)?;
                    let length = range.end - range.start;
                    let bytes = rows.bytes(range).filter(|bytes| bytes.len() as u64 == length);
                    let bytes = bytes.ok_or(Refusal::Generic)?;
                    let rows = metadata.num_rows().unsigned_abs();
                    let made =
                        rewriter.rewrite(&bytes, metadata.column(*leaf), rows, source.indexes.is_some(), &self.stop)?;
                    let used = RouteBytes { route: made.route, bytes: Some(made.close.bytes_written) };
                    Ok((*figure, Chunk::made(made.pages, made.close), made.tally, used))
                }
            })
            .collect();
        let mut chunks = Vec::with_capacity(made.len());
        for made in made {
            let (figure, chunk, tally, used) = made?;
            chunks.push(chunk);
            part.tallies[figure] = tally;
            add_route(&mut part.routes[figure], used);
        }
        Ok((chunks, part))
    }

    fn in_batches(
        &self,
        column: usize,
        mut writers: Vec<ArrowColumnWriter>,
        rows: &dyn Rows,
        mask: &Mask,
    ) -> Result<Made, RewriteError> {
        let root = &self.routes.root.get_fields()[column];
        let column = &self.plan.columns[column];
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
        let chunks = seal(chunks, root).map_err(broken)?;
        let chunks: Vec<Chunk> = chunks.into_iter().map(|(pages, close)| Chunk::made(pages, close)).collect();
        let bytes = chunks.iter().map(Chunk::size).sum();
        let figures = column.leaves.len();
        // of a nested column only the sum over its leaves is known
        let used = RouteBytes { route: self.batch_route(column), bytes: (figures == 1).then_some(bytes) };
        let part = ColumnPart { tallies: state.shape.tallies, routes: vec![vec![used]; figures] };
        Ok((chunks, part))
    }

    /// What the report calls a column that went in batches: alone, or with others beside it.
    fn batch_route(&self, column: &OutputColumn) -> Route {
        let alone = match &column.source {
            ColumnSource::Column(read) => read.is_alone(),
            ColumnSource::Derived(_) => false,
        };
        if alone && self.plan.filter.is_none() && self.source.is_some() { Route::Leaf } else { Route::Stream }
    }
}

/// Nulls of a flat chunk, as far as the footer tells.
fn nulls_of(source: &Source, group: usize, leaf: usize) -> Option<u64> {
    let chunk = source.layout.metadata().row_group(group).column(leaf);
    match chunk.column_descr() {
        nested if nested.path().parts().len() > 1 || nested.max_rep_level() > 0 => None,
        flat if flat.max_def_level() == 0 => Some(0),
        _ => chunk.statistics()?.null_count_opt(),
    }
}

/// Adds what one way made to the ways of a column.
pub fn add_route(routes: &mut Vec<RouteBytes>, used: RouteBytes) {
    match routes.iter_mut().find(|known| known.route == used.route) {
        Some(known) => known.bytes = known.bytes.zip(used.bytes).map(|(known, more)| known + more),
        None => {
            routes.push(used);
            routes.sort_by_key(|known| known.route);
        }
    }
}

impl ColumnPart {
    /// What is known of a column of no rows.
    pub fn of_nothing(figures: usize) -> Self {
        let tallies = std::iter::repeat_with(Tally::with_sketches).take(figures).collect();
        Self { tallies, routes: vec![Vec::new(); figures] }
    }

    /// Adds what another unit says of the same column.
    pub fn add(&mut self, other: Self) {
        self.tallies.iter_mut().zip(&other.tallies).for_each(|(sum, part)| sum.merge(part));
        for (sum, part) in self.routes.iter_mut().zip(other.routes) {
            part.into_iter().for_each(|used| add_route(sum, used));
        }
    }

    /// What is known of a column that nobody looked at.
    pub fn unseen(figures: usize) -> Self {
        Self { tallies: vec![Tally::default(); figures], routes: vec![Vec::new(); figures] }
    }
}

impl EncodedRows {
    /// The column chunks, for [`Appender::append`].
    pub fn take_chunks(&mut self) -> Vec<Chunk> {
        std::mem::take(&mut self.chunks)
    }
}
