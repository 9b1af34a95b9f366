//! Pages of an output against those of its source, one by one as they lie: what is copied of them, what is made anew,
//! and whether what the footer says of them is so.

use std::fs;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use bytes::Bytes;
use lakeveil::engine::parquet::page::{PageHeader, PageKind};
use parquet::arrow::ArrowWriter;
use parquet::basic::Encoding;
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use serde_json::{Value, json};

use super::leaks::{RULES, TRANSFORMED, WAYS, fixture, indexed, row_groups};
use crate::support::{Lake, token};

/// Characters of a token of 128 bits in hex.
const TOKEN_BYTES: i64 = 32;

/// A page as it lies.
struct Page {
    header: PageHeader,
    /// The header's bytes.
    head: Bytes,
    body: Bytes,
}

/// All pages of a chunk, the dictionary's included.
fn pages(file: &Bytes, chunk: &ColumnChunkMetaData) -> Vec<Page> {
    let (start, length) = chunk.byte_range();
    let mut rest = file.slice(start as usize..(start + length) as usize);
    let mut pages = Vec::new();
    while !rest.is_empty() {
        let (header, length) = PageHeader::read(&rest).expect("a page header");
        let head = rest.split_to(length);
        let body = rest.split_to(header.compressed as usize);
        pages.push(Page { header, head, body });
    }
    pages
}

impl Page {
    fn is_dictionary(&self) -> bool {
        matches!(self.header.kind, PageKind::Dictionary { .. })
    }

    /// Levels of version 2, which lie before the values.
    fn levels(&self) -> &[u8] {
        match self.header.kind {
            PageKind::V2 { definition_bytes, repetition_bytes, .. } => {
                &self.body[..(definition_bytes + repetition_bytes) as usize]
            }
            _ => &[],
        }
    }
}

/// A file, and what the policy makes of it.
fn rewrite(source: &[u8], parquet: &str, rules: &str) -> (Bytes, Value) {
    let lake = Lake::new();
    lake.put("in/t.parquet", source);
    let head = "version: 1\ndataset: test\nsource: { url: in/ }\nkeyring: { file: keyring.json }\n";
    lake.put("policy.yaml", format!("{head}sink: {{ url: out/, parquet: {{ {parquet} }} }}\n{rules}"));
    let report = lake.run_well(&[]);
    (fs::read(lake.path("out/t.parquet")).expect("reads").into(), report)
}

/// The chunk of a column or of a struct's field, and its place in the row group.
fn chunk<'a>(metadata: &'a ParquetMetaData, group: usize, column: &str) -> (usize, &'a ColumnChunkMetaData) {
    let mut chunks = metadata.row_group(group).columns().iter().enumerate();
    chunks.find(|(_, chunk)| chunk.column_path().string() == column).expect("is there")
}

/// A column or a struct's field.
fn leaf(rows: &RecordBatch, column: &str) -> ArrayRef {
    let (name, field) = column.split_once('.').map_or((column, None), |(name, field)| (name, Some(field)));
    let array = rows.column_by_name(name).expect("is there");
    field.map_or(Arc::clone(array), |field| Arc::clone(array.as_struct().column_by_name(field).expect("is there")))
}

fn present(array: &ArrayRef) -> i64 {
    (array.len() - array.logical_null_count()) as i64
}

/// Asserts that sizes are the sums over the pages, and lengths those of the tokens; gives whether pages told lengths.
#[track_caller]
fn assert_figures(metadata: &ParquetMetaData, group: usize, column: &str, pages: &[Page], rows: &RecordBatch) -> bool {
    let (at, chunk) = chunk(metadata, group, column);
    let size = |of: fn(&Page) -> usize| pages.iter().map(of).sum::<usize>() as i64;
    assert_eq!(chunk.compressed_size(), size(|page| page.head.len() + page.body.len()), "{column}: bytes");
    let uncompressed = size(|page| page.head.len() + page.header.uncompressed as usize);
    assert_eq!(chunk.uncompressed_size(), uncompressed, "{column}: bytes when decompressed");
    let array = leaf(rows, column);
    let told = chunk.unencoded_byte_array_data_bytes();
    assert_eq!(told, Some(TOKEN_BYTES * present(&array)), "{column}: bytes of the values");
    let Some(index) = chunk.offset_index_offset().and(metadata.offset_index()) else { return false };
    let index = &index[group][at];
    let mut starts: Vec<usize> = index.page_locations().iter().map(|page| page.first_row_index as usize).collect();
    starts.push(array.len());
    let bytes = starts.windows(2).map(|ends| TOKEN_BYTES * present(&array.slice(ends[0], ends[1] - ends[0])));
    let told = index.unencoded_byte_array_data_bytes();
    assert_eq!(told, Some(&bytes.collect()), "{column}: bytes of the values of each page");
    true
}

/// The file with every dictionary said to be sorted, where its header has room for the word; gives how many.
fn with_sorted_dictionaries(source: &[u8]) -> (Vec<u8>, usize) {
    let bytes = Bytes::copy_from_slice(source);
    let (mut changed, mut count) = (source.to_vec(), 0);
    for chunk in indexed(&bytes).row_groups().iter().flat_map(|group| group.columns()) {
        let first = &pages(&bytes, chunk)[0];
        let PageKind::Dictionary { values, encoding, .. } = first.header.kind else { continue };
        let kind = PageKind::Dictionary { values, encoding, is_sorted: true };
        let head = PageHeader { kind, ..first.header }.write();
        if head.len() == first.head.len() {
            let at = chunk.byte_range().0 as usize;
            changed[at..at + head.len()].copy_from_slice(&head);
            count += 1;
        }
    }
    (changed, count)
}

#[test]
fn indices_are_copied_and_figures_are_those_of_the_tokens() {
    let (mut sorted, mut checksums, mut histograms, mut in_index) = (0, 0, 0, 0);
    for (name, letters) in WAYS {
        let (source, changed) = with_sorted_dictionaries(&fixture(name));
        sorted += changed;
        let source = Bytes::from(source);
        let (made, _) = rewrite(&source, "", RULES);
        let (before, after) = (indexed(&source), indexed(&made));
        for (group, rows) in row_groups(&source).iter().enumerate() {
            for (column, _) in TRANSFORMED.into_iter().zip(letters.chars()).filter(|(_, letter)| *letter == 'd') {
                let case = format!("{name}, row group {group}, {column}");
                let (old, new) = (chunk(&before, group, column).1, chunk(&after, group, column).1);
                let (old_pages, new_pages) = (pages(&source, old), pages(&made, new));
                assert_eq!(new_pages.len(), old_pages.len(), "{case}: pages");
                for (old, new) in old_pages.iter().zip(&new_pages) {
                    // it has nothing else in it, no statistics for one
                    assert_eq!(new.head, new.header.write(), "{case}: a header");
                    match (old.header.kind, new.header.kind) {
                        (PageKind::Dictionary { values, .. }, made) => {
                            let expected = PageKind::Dictionary { values, encoding: Encoding::PLAIN, is_sorted: false };
                            assert_eq!(made, expected, "{case}");
                        }
                        _ => {
                            assert!(old.header.is_indices() && old.body == new.body, "{case}: indices");
                            assert_eq!(new.header, old.header, "{case}: what is said of the indices");
                            checksums += usize::from(old.header.crc.is_some());
                        }
                    }
                }
                in_index += usize::from(assert_figures(&after, group, column, &new_pages, rows));
                let levels = [old.definition_level_histogram(), old.repetition_level_histogram()];
                let kept = [new.definition_level_histogram(), new.repetition_level_histogram()];
                assert_eq!(kept, levels, "{case}: levels");
                histograms += usize::from(levels[0].is_some());
            }
        }
    }
    // what no source has can't be lost
    let seen = [sorted, checksums, histograms, in_index];
    assert!(seen.iter().all(|&count| count >= 5), "sorted, checksums, histograms, page indexes: {seen:?}");
}

#[test]
fn the_leaf_way_goes_page_by_page_and_copies_pages_of_indices() {
    let (mut of_many_pages, mut indices, mut levels) = (0, 0, 0);
    for (name, letters) in WAYS {
        let source = Bytes::from(fixture(name));
        let (made, _) = rewrite(&source, "", RULES);
        let (before, after) = (indexed(&source), indexed(&made));
        for (group, rows) in row_groups(&source).iter().enumerate() {
            for (column, _) in TRANSFORMED.into_iter().zip(letters.chars()).filter(|(_, letter)| *letter == 'l') {
                let case = format!("{name}, row group {group}, {column}");
                let (old, new) = (chunk(&before, group, column).1, chunk(&after, group, column).1);
                let (old, new) = (pages(&source, old), pages(&made, new));
                let values = |pages: &[Page]| pages.iter().map(|page| page.header.values()).collect::<Vec<_>>();
                assert_eq!(values(&new), values(&old), "{case}: values of each page");
                of_many_pages += usize::from(new.len() > 2);
                for (old, new) in old.iter().zip(&new).filter(|(old, _)| !old.is_dictionary()) {
                    assert_eq!(new.head, new.header.write(), "{case}: a header");
                    assert_eq!(new.header.is_indices(), old.header.is_indices(), "{case}");
                    if old.header.is_indices() {
                        assert!(old.body == new.body && old.header == new.header, "{case}: indices");
                        indices += 1;
                    }
                    assert!(new.levels() == old.levels(), "{case}: levels");
                    levels += new.levels().len();
                }
                assert_figures(&after, group, column, &new, rows);
            }
        }
    }
    assert!(of_many_pages >= 5 && indices >= 2 && levels >= 100, "{of_many_pages}, {indices}, {levels}");
}

fn is_delta(encoding: &Encoding) -> bool {
    use Encoding::{DELTA_BINARY_PACKED, DELTA_BYTE_ARRAY, DELTA_LENGTH_BYTE_ARRAY};
    [DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY].contains(encoding)
}

/// Encodings of a column: those that the footer names, and those of its pages.
fn encodings(file: &Bytes, column: &str) -> Vec<Encoding> {
    let metadata = indexed(file);
    let mut found = Vec::new();
    for group in 0..metadata.num_row_groups() {
        let (_, chunk) = chunk(&metadata, group, column);
        let of_pages = pages(file, chunk).into_iter().filter_map(|page| page.header.encoding());
        found.extend(chunk.encodings().chain(of_pages));
    }
    found
}

#[test]
fn texts_are_plain_where_the_policy_asks_for_it() {
    for (name, letters) in WAYS {
        for filter in ["", "where: \"true\"\n"] {
            let rules = format!("{filter}{RULES}");
            let (plain, _) = rewrite(&fixture(name), "encoding: plain", &rules);
            let (usual, _) = rewrite(&fixture(name), "", &rules);
            for (column, letter) in TRANSFORMED.into_iter().zip(letters.chars()) {
                let case = format!("{name}, {column}, {filter}");
                let found = encodings(&plain, column);
                assert!(found.contains(&Encoding::PLAIN) && !found.iter().any(is_delta), "{case}: {found:?}");
                // decoded whole, a struct's field gets a dictionary, and so does a column that had some of one
                let is_made = letter == 'l' && (filter.is_empty() || column == "card" && !name.contains("overflow"));
                let found = encodings(&usual, column);
                let is_made = !is_made || found.contains(&Encoding::DELTA_LENGTH_BYTE_ARRAY);
                assert!(is_made, "{case}: {found:?}");
            }
        }
    }
}

/// One column of texts, its rows in one row group.
fn texts(encoding: Option<Encoding>, values: &[String]) -> Bytes {
    let array: ArrayRef = Arc::new(StringArray::from_iter_values(values));
    let rows = RecordBatch::try_from_iter([("text", array)]).expect("one column");
    let properties = WriterProperties::builder().set_dictionary_enabled(encoding.is_none());
    let properties = match encoding {
        Some(encoding) => properties.set_column_encoding(ColumnPath::from("text"), encoding),
        None => properties,
    };
    let mut bytes = Vec::new();
    let writer = ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties.build()));
    let mut writer = writer.expect("a schema for Parquet");
    writer.write(&rows).expect("writes");
    writer.close().expect("closes");
    bytes.into()
}

#[test]
fn kept_texts_that_are_written_anew_are_plain_too() {
    let values: Vec<String> = (0..500).map(|row| format!("text {row}")).collect();
    let source = texts(Some(Encoding::DELTA_BYTE_ARRAY), &values);
    let rules = "where: \"true\"\ncolumns: { text: keep }\n";
    for (sink, is_plain) in [("", false), ("encoding: plain", true)] {
        let (made, _) = rewrite(&source, sink, rules);
        let found = encodings(&made, "text");
        assert_eq!(found.contains(&Encoding::DELTA_BYTE_ARRAY), !is_plain, "{sink}: {found:?}");
        assert!(!is_plain || !found.iter().any(is_delta), "{sink}: {found:?}");
    }
}

/// Compressed bytes of all chunks of a column, and of the leaves below it.
fn chunk_bytes(metadata: &ParquetMetaData, column: &str) -> i64 {
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    let below = format!("{column}.");
    let of_column = chunks.filter(|chunk| {
        let path = chunk.column_path().string();
        path == column || path.starts_with(&below)
    });
    of_column.map(|chunk| chunk.compressed_size()).sum()
}

#[test]
fn bytes_of_a_column_s_ways_are_those_of_its_chunks() {
    let (streamed, whole) = (format!("where: \"true\"\n{RULES}"), "unlisted: keep\ncolumns: { card: { hash: {} } }\n");
    for (name, _) in WAYS {
        // the last keeps a struct whole
        for (rules, is_streamed, columns) in [(RULES, false, 13), (&streamed, true, 13), (whole, false, 12)] {
            let (made, report) = rewrite(&fixture(name), "", rules);
            let metadata = indexed(&made);
            let told = report["columns"].as_array().expect("columns");
            assert_eq!(told.len(), columns, "{name}");
            for column in told {
                let path = column["name"].as_str().expect("a name");
                let [used] = column["routes"].as_array().expect("routes").as_slice() else {
                    panic!("{name}: {path}: {}", column["routes"]);
                };
                let bytes = chunk_bytes(&metadata, path);
                assert!(bytes > 0, "{name}: {path}");
                // of columns that are decoded together no field is known apart
                let is_known = !is_streamed || !path.contains('.');
                let expected = if is_known { json!(bytes) } else { Value::Null };
                assert_eq!(used["bytes"], expected, "{name}: {path}, {}", used["route"]);
            }
        }
    }
}

/// One file of the row groups of several with one schema.
fn joined(files: &[Bytes]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let schema = indexed(&files[0]).file_metadata().schema_descr().root_schema_ptr();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).expect("a schema for Parquet");
    for file in files {
        let reader = SerializedFileReader::new(file.clone()).expect("is Parquet");
        for source in reader.metadata().row_groups() {
            let mut group = writer.next_row_group().expect("begins");
            for chunk in source.columns() {
                let close = ColumnCloseResult {
                    bytes_written: chunk.compressed_size() as u64,
                    rows_written: source.num_rows() as u64,
                    metadata: chunk.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                group.append_column(file, close).expect("appends");
            }
            group.close().expect("closes");
        }
    }
    writer.close().expect("closes");
    bytes
}

#[test]
fn row_groups_that_go_different_ways_are_told_apart() {
    let values: Vec<String> = (0..300).map(|row| format!("text {}", row % 7)).collect();
    let source = joined(&[texts(None, &values), texts(Some(Encoding::PLAIN), &values)]);
    let rules = "columns: { text: { pseudonym: { domain: d } } }\n";
    let (made, report) = rewrite(&source, "", rules);
    let metadata = indexed(&made);
    let bytes = |group: usize| metadata.row_group(group).column(0).compressed_size();
    let expected = json!([
        { "route": "dictionary", "objects": 1, "bytes": bytes(0) },
        { "route": "leaf", "objects": 1, "bytes": bytes(1) },
    ]);
    assert_eq!(report["columns"][0]["routes"], expected);
    assert_ne!(bytes(0), bytes(1));
    let tokens = || values.iter().map(|value| Some(token("d", value)));
    let made = crate::support::table_of("t.parquet", made.to_vec());
    assert_eq!(made["text"], tokens().chain(tokens()).collect::<Vec<_>>());
}
