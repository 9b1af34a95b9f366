//! Whether what a file says of its rows is true: minimum, maximum and nulls of chunks and pages, and where pages begin.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, Scalar};
use arrow::compute::concat_batches;
use arrow::compute::kernels::cmp::{gt, lt};
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::metadata::PageIndexPolicy;
use parquet::file::reader::{FileReader, SerializedFileReader};

/// Asserts that no value lies outside the bounds told of `rows`, and that nulls are as many as told.
#[track_caller]
fn assert_bounds(rows: &ArrayRef, [least, greatest]: [ArrayRef; 2], nulls: Option<u64>, place: &str) {
    let outside = |bound: &ArrayRef, beyond: fn(&ArrayRef, &Scalar<ArrayRef>) -> usize| {
        if bound.is_null(0) { 0 } else { beyond(rows, &Scalar::new(Arc::clone(bound))) }
    };
    let below = outside(&least, |rows, bound| lt(rows, bound).expect("compares").true_count());
    let above = outside(&greatest, |rows, bound| gt(rows, bound).expect("compares").true_count());
    assert_eq!((below, above), (0, 0), "{place}: values below {least:?}, above {greatest:?}");
    if let Some(nulls) = nulls {
        assert_eq!(rows.logical_null_count() as u64, nulls, "{place}: nulls");
    }
}

fn has_order(data_type: &DataType) -> bool {
    // of floats, zeros and what is no number have an order of their own
    !data_type.is_nested() && !data_type.is_floating()
}

/// Chunks with rows that have an offset index, and all chunks with rows.
fn offset_indexes(bytes: &Bytes) -> (usize, usize) {
    let reader = SerializedFileReader::new(bytes.clone()).expect("is Parquet");
    let groups = reader.metadata().row_groups().iter().filter(|group| group.num_rows() > 0);
    let chunks: Vec<_> = groups.flat_map(|group| group.columns()).collect();
    (chunks.iter().filter(|chunk| chunk.offset_index_offset().is_some()).count(), chunks.len())
}

/// Asserts that a file has an offset index for every chunk or for none, and for every one where its source does.
/// Without a `source` every chunk was encoded anew, and each has one.
#[track_caller]
pub fn assert_indexed(source: Option<&Bytes>, made: &Bytes, case: &str) {
    let is_whole = source.map(offset_indexes).is_none_or(|(indexed, chunks)| indexed == chunks);
    let (indexed, chunks) = offset_indexes(made);
    let is_allowed = indexed == chunks || (indexed == 0 && !is_whole);
    assert!(is_allowed, "{case}: {indexed} of {chunks} chunks have an offset index; source whole: {is_whole}");
}

/// Asserts all of it for every flat column, and that rows can be picked by the page index.
#[track_caller]
pub fn assert_told_truly(bytes: &Bytes, case: &str) {
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let reading = ArrowReaderMetadata::load(bytes, options).expect("is Parquet");
    let metadata = reading.metadata();
    let read = |selection: Option<RowSelection>| {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), reading.clone());
        let builder = match selection {
            Some(selection) => builder.with_row_selection(selection),
            None => builder,
        };
        let batches: Vec<RecordBatch> = builder.build().expect("opens").map(|batch| batch.expect("decodes")).collect();
        concat_batches(reading.schema(), &batches).expect("one schema")
    };
    let whole = read(None);
    for (at, field) in reading.schema().fields().iter().enumerate().filter(|(_, field)| has_order(field.data_type())) {
        let converter = StatisticsConverter::try_new(field.name(), reading.schema(), reading.parquet_schema());
        let converter = converter.expect("is flat").with_missing_null_counts_as_zero(false);
        let leaf = converter.parquet_column_index().expect("is there");
        let mut start = 0;
        for (index, group) in metadata.row_groups().iter().enumerate() {
            let place = format!("{case}: {}, row group {index}", field.name());
            let rows = whole.column(at).slice(start, group.num_rows() as usize);
            let mins = converter.row_group_mins([group]).expect("converts");
            let maxes = converter.row_group_maxes([group]).expect("converts");
            let nulls = converter.row_group_null_counts([group]).expect("converts");
            assert_bounds(&rows, [mins, maxes], nulls.is_valid(0).then(|| nulls.value(0)), &place);
            start += group.num_rows() as usize;
            let (Some(columns), Some(offsets)) = (metadata.column_index(), metadata.offset_index()) else { continue };
            if offsets[index].is_empty() || columns[index].is_empty() {
                continue;
            }
            let mut starts: Vec<usize> =
                offsets[index][leaf].page_locations().iter().map(|page| page.first_row_index as usize).collect();
            let pages = starts.len();
            starts.push(rows.len());
            let mins = converter.data_page_mins(columns, offsets, [&index]).expect("converts");
            let maxes = converter.data_page_maxes(columns, offsets, [&index]).expect("converts");
            let nulls = converter.data_page_null_counts(columns, offsets, [&index]).expect("converts");
            assert_eq!([mins.len(), maxes.len(), nulls.len()], [pages; 3], "{place}: pages in both indexes");
            for page in 0..pages {
                let place = format!("{place}, page {page}");
                let rows = rows.slice(starts[page], starts[page + 1] - starts[page]);
                let nulls = nulls.is_valid(page).then(|| nulls.value(page));
                assert_bounds(&rows, [mins.slice(page, 1), maxes.slice(page, 1)], nulls, &place);
            }
        }
    }
    // a few rows here and there, so that pages are passed over
    let picked: Vec<usize> = (0..whole.num_rows()).filter(|row| row % 97 == 5 || row % 61 < 2).collect();
    let ranges = picked.iter().map(|&row| row..row + 1);
    let some = read(Some(RowSelection::from_consecutive_ranges(ranges, whole.num_rows())));
    let indices = arrow::array::UInt32Array::from_iter_values(picked.iter().map(|&row| row as u32));
    for (left, right) in some.columns().iter().zip(whole.columns()) {
        let right = arrow::compute::take(right, &indices, None).expect("takes");
        assert!(**left == *right, "{case}: rows picked by the page index");
    }
}

#[test]
fn a_bound_that_is_false_is_noticed() {
    let lake = crate::support::Lake::new();
    let texts: ArrayRef = Arc::new(arrow::array::StringArray::from(vec!["bbb", "ccc", "yyy"]));
    lake.put_parquet("t.parquet", vec![("text", texts)]);
    let mut bytes = std::fs::read(lake.path("t.parquet")).expect("reads");
    assert_told_truly(&bytes.clone().into(), "as written");
    // the last ones lie in the footer
    let at = memchr::memmem::rfind(&bytes, b"yyy").expect("the maximum");
    bytes[at..at + 3].copy_from_slice(b"ddd");
    let told = std::panic::catch_unwind(|| assert_told_truly(&bytes.into(), "changed"));
    assert!(told.is_err());
}
