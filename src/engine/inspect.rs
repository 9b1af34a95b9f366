//! Looks at an object before anything is planned: its columns, and what it says of its order and its rows.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{Schema, SchemaRef};

use super::compute::Compute;
use super::csv::{Blocks, Codec, Decoder, Dialect, Inference, Spans};
use super::discover::{Compression, ObjectFormat, SourceObject};
use super::error::RewriteError;
use super::parquet::footer;
use super::parquet::rows::FileLayout;
use super::storage::Storage;
use super::units::TextStream;
use crate::policy::bind::{given_type, typed};
use crate::policy::{ColumnPath, ColumnType, Policy};

/// Bytes of text from which `infer: true` guesses types.
const SAMPLE_BYTES: usize = 1 << 20;

/// What an object says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Inspected {
    /// Its columns, typed as the policy says.
    pub schema: SchemaRef,
    /// Its columns as they are stored; for CSV the same.
    pub stored: SchemaRef,
    /// For CSV, the type each column is read as.
    pub types: Vec<ColumnType>,
    /// Columns that it declares to be sorted by, first to last.
    pub sorted_by: Vec<String>,
}

/// The compression of the whole object, as the CSV reader names it.
pub fn codec(compression: Compression) -> Option<Codec> {
    match compression {
        Compression::None => None,
        Compression::Gzip => Some(Codec::Gzip),
        Compression::Zstd => Some(Codec::Zstd),
    }
}

/// The dialect of an object: the policy's, with tabs where the name ends in `.tsv` and the policy has the default.
pub fn dialect(policy: &Policy, format: ObjectFormat) -> Dialect {
    let mut options = policy.source.csv.clone();
    let tab = "\t".to_owned().try_into();
    if let (ObjectFormat::Csv { tab: true, .. }, Ok(tab)) = (format, tab)
        && options.delimiter == crate::policy::CsvInput::default().delimiter
    {
        options.delimiter = tab;
    }
    Dialect::from(&options)
}

/// Columns of `object`, and its rows where its metadata holds their number.
///
/// # Errors
/// Storage, and an object that is not what its format says.
pub async fn inspect(
    storage: &Storage,
    object: &SourceObject,
    policy: &Policy,
    compute: &Compute,
) -> Result<(Inspected, Option<u64>), RewriteError> {
    let ObjectFormat::Csv { compression, .. } = object.format else {
        let metadata = footer::read(storage, &object.entry).await?.metadata;
        let layout = compute.run("reading a Parquet schema", move || FileLayout::new(metadata)).await?;
        let rows = layout.metadata().file_metadata().num_rows().unsigned_abs();
        let stored = Arc::clone(layout.schema());
        let schema = typed(policy, &stored);
        let inspected = Inspected { schema, stored, types: Vec::new(), sorted_by: sorted_by(&layout) };
        return Ok((inspected, Some(rows)));
    };
    let dialect = dialect(policy, object.format);
    let mut text = TextStream::open(storage, &object.entry, codec(compression), compute);
    let (header, mut start) = text.header(&dialect).await?;
    let given = |name: &String| given_type(policy, &ColumnPath::of(name));
    let mut types: Vec<ColumnType> =
        header.names().iter().map(|name| given(name).unwrap_or(ColumnType::Text)).collect();
    if policy.source.csv.infer {
        while start.len() < SAMPLE_BYTES {
            let Some(more) = text.next().await? else { break };
            start = [start, more].concat().into();
        }
        let names = header.names().to_vec();
        let wanted: Vec<usize> = (0..names.len()).filter(|&column| given(&names[column]).is_none()).collect();
        let whole = start.len() < SAMPLE_BYTES;
        let sample = move || {
            let mut blocks = Blocks::new(&dialect, &header, SAMPLE_BYTES / 2);
            let mut first = None;
            blocks.push(&start, |block| {
                first.get_or_insert(block);
            })?;
            let first = match first {
                None if whole => blocks.finish()?,
                first => first,
            };
            let decoder = Decoder::new(&dialect, &header, &wanted);
            let Some(block) = first else { return Ok(Vec::new()) };
            let batch = decoder.decode(&block.bytes, block.first_row, &mut Spans::default())?;
            let guess = |column: &arrow::array::ArrayRef| {
                let mut inference = Inference::default();
                inference.see(column.as_string::<i32>());
                inference.column_type()
            };
            Ok(wanted.into_iter().zip(batch.columns().iter().map(guess)).collect())
        };
        for (column, guessed) in compute.run("guessing the types of columns", sample).await? {
            types[column] = guessed;
        }
        return Ok((of_text(&names, types), None));
    }
    Ok((of_text(header.names(), types), None))
}

fn of_text(names: &[String], types: Vec<ColumnType>) -> Inspected {
    let fields: Vec<_> = names.iter().zip(&types).map(|(name, wanted)| wanted.field(name)).collect();
    let schema = Arc::new(Schema::new(fields));
    Inspected { stored: Arc::clone(&schema), schema, types, sorted_by: Vec::new() }
}

fn sorted_by(layout: &FileLayout) -> Vec<String> {
    let metadata = layout.metadata();
    let schema = metadata.file_metadata().schema_descr();
    let Some(columns) = metadata.row_groups().first().and_then(|group| group.sorting_columns()) else {
        return Vec::new();
    };
    let leaf = |index: i32| usize::try_from(index).ok().filter(|&leaf| leaf < schema.num_columns());
    columns
        .iter()
        .filter_map(|column| leaf(column.column_idx))
        .map(|leaf| schema.get_column_root(leaf).name().to_owned())
        .collect()
}
