//! What a footer says of a chunk that is copied: all that keeps its meaning in another file, and nothing else.

use parquet::basic::{ColumnOrder, SortOrder, Type as PhysicalType};
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, SortingColumn};
use parquet::file::statistics::Statistics;
use parquet::schema::types::ColumnDescPtr;

use super::footer::chunk_range;
use super::index::PageIndexes;
use crate::engine::error::RewriteError;

/// Whether the writer is one that left a header out of a chunk's size (PARQUET-816: parquet-mr up to 1.2.8): readers
/// know it by its name, which a copy does not carry.
pub fn has_wrong_sizes(metadata: &ParquetMetaData) -> bool {
    let writer = metadata.file_metadata().created_by().unwrap_or_default();
    ["1.0.", "1.1.", "1.2."].iter().any(|version| writer.starts_with(&format!("parquet-mr version {version}")))
}

/// Whether minimum and maximum of a leaf mean the same in a file that declares the type-defined order for all.
fn bounds_keep_their_meaning(metadata: &ParquetMetaData, leaf: usize) -> bool {
    match metadata.file_metadata().column_order(leaf) {
        ColumnOrder::TYPE_DEFINED_ORDER(order) => order != SortOrder::UNDEFINED,
        _ => false,
    }
}

/// The closing of chunk `leaf` of row group `group`, its offsets as in the source, for the output's column `output`.
///
/// # Errors
/// [`RewriteError::Internal`]: what a builder of the parquet crate refuses.
pub fn close(
    metadata: &ParquetMetaData,
    (group, leaf): (usize, usize),
    output: &ColumnDescPtr,
    indexes: Option<&PageIndexes>,
    bloom_filter: Option<Sbbf>,
) -> Result<ColumnCloseResult, RewriteError> {
    let chunk = metadata.row_group(group).column(leaf);
    let range = chunk_range(chunk)?;
    let ordered = bounds_keep_their_meaning(metadata, leaf);
    let mut builder = ColumnChunkMetaData::builder(output.clone())
        .set_compression_codec(chunk.compression_codec())
        .set_encodings_mask(*chunk.encodings_mask())
        .set_total_compressed_size(chunk.compressed_size())
        .set_total_uncompressed_size(chunk.uncompressed_size())
        .set_num_values(chunk.num_values())
        .set_data_page_offset(chunk.data_page_offset())
        // an offset of 0 means that there is none
        .set_dictionary_page_offset(chunk.dictionary_page_offset().filter(|&offset| offset > 0))
        .set_unencoded_byte_array_data_bytes(chunk.unencoded_byte_array_data_bytes())
        .set_definition_level_histogram(chunk.definition_level_histogram().cloned())
        .set_repetition_level_histogram(chunk.repetition_level_histogram().cloned());
    if let Some(stats) = chunk.page_encoding_stats() {
        builder = builder.set_page_encoding_stats(stats.clone());
    }
    if let Some(known) = chunk.statistics() {
        let keeps = ordered && !known.is_min_max_deprecated();
        builder = builder.set_statistics(if keeps { known.clone() } else { null_count(known) });
    }
    if let Some(known) = chunk.geo_statistics() {
        builder = builder.set_geo_statistics(Box::new(known.clone()));
    }
    let broken = |_| RewriteError::Internal("carrying over a column's metadata");
    Ok(ColumnCloseResult {
        bytes_written: range.end - range.start,
        rows_written: metadata.row_group(group).num_rows().unsigned_abs(),
        metadata: builder.build().map_err(broken)?,
        bloom_filter,
        column_index: indexes.filter(|_| ordered).and_then(|indexes| indexes.column(group, leaf)).cloned(),
        offset_index: indexes.and_then(|indexes| indexes.offsets(group, leaf)).cloned(),
    })
}

/// The number of nulls alone.
fn null_count(known: &Statistics) -> Statistics {
    let nulls = known.null_count_opt();
    match known.physical_type() {
        PhysicalType::BOOLEAN => Statistics::new::<bool>(None, None, None, nulls, false),
        PhysicalType::INT32 => Statistics::new::<i32>(None, None, None, nulls, false),
        PhysicalType::INT64 => Statistics::new::<i64>(None, None, None, nulls, false),
        PhysicalType::INT96 => Statistics::new::<Int96>(None, None, None, nulls, false),
        PhysicalType::FLOAT => Statistics::new::<f32>(None, None, None, nulls, false),
        PhysicalType::DOUBLE => Statistics::new::<f64>(None, None, None, nulls, false),
        PhysicalType::BYTE_ARRAY => Statistics::new::<ByteArray>(None, None, None, nulls, false),
        PhysicalType::FIXED_LEN_BYTE_ARRAY => Statistics::new::<FixedLenByteArray>(None, None, None, nulls, false),
    }
}

/// The order of rows that the output can declare: the source's, if all row groups agree, up to the first column that
/// is not copied. `place` gives a copied leaf's place in the output.
pub fn sorting(metadata: &ParquetMetaData, place: impl Fn(usize) -> Option<usize>) -> Option<Vec<SortingColumn>> {
    let mut groups = metadata.row_groups().iter().map(|group| group.sorting_columns());
    let first = groups.next()??;
    if !groups.all(|other| other == Some(first)) {
        return None;
    }
    let kept = first.iter().map_while(|column| {
        let leaf = place(usize::try_from(column.column_idx).ok()?)?;
        Some(SortingColumn { column_idx: i32::try_from(leaf).ok()?, ..*column })
    });
    let kept: Vec<SortingColumn> = kept.collect();
    (!kept.is_empty()).then_some(kept)
}
