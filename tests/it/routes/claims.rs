//! What a footer claims of a kept column and of the order of rows: it stays where it keeps its meaning in another file,
//! and nowhere else.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use bytes::Bytes;
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, SortingColumn,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::properties::WriterProperties;

use super::damage::{CANARY, run_tamely};
use super::thrift::{Thrift, chunk, column, edited, file, group, i32, i64, text};
use super::{assert_same_rows, both_ways, ways};
use crate::support::{Lake, batch, contains, written};

/// Rows of each of the two row groups.
const ROWS: usize = 20;

/// Columns of the file, each with nulls: texts, texts, lists of texts, numbers.
const PERSON: usize = 0;
const PLACE: usize = 1;
const TAGS: usize = 2;
const NUMBER: usize = 3;

/// A file with everything that a footer can tell, declared to be sorted by the first two columns; `word` is in every
/// person.
pub fn source(word: &str) -> Vec<u8> {
    let rows = 2 * ROWS;
    let texts = |word: &str, distinct: usize| -> ArrayRef {
        let text = |row: usize| (!row.is_multiple_of(7)).then(|| format!("{word}{:02}", row % distinct));
        Arc::new((0..rows).map(text).collect::<StringArray>())
    };
    let item = Arc::new(Field::new("item", DataType::Utf8, true));
    let lengths = OffsetBuffer::from_lengths((0..rows).map(|row| row % 3));
    let items: ArrayRef = Arc::new(
        (0..lengths[rows] as usize)
            .map(|at| (!at.is_multiple_of(5)).then(|| format!("tag{at}")))
            .collect::<StringArray>(),
    );
    let tags: ArrayRef = Arc::new(ListArray::new(item, lengths, items, None));
    let numbers = (0..rows as i64).map(|row| (row % 4 > 0).then_some(7_000 + row)).collect::<Int64Array>();
    let columns =
        [("person", texts(word, rows)), ("place", texts("town", 5)), ("tags", tags), ("number", Arc::new(numbers))];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)));
    let batch = batch.expect("columns of one length");
    let sorted = |column_idx: usize, descending| SortingColumn {
        column_idx: column_idx as i32,
        descending,
        nulls_first: !descending,
    };
    let properties = WriterProperties::builder()
        .set_bloom_filter_enabled(true)
        .set_write_batch_size(5)
        .set_data_page_row_count_limit(5)
        .set_max_row_group_row_count(Some(ROWS))
        .set_sorting_columns(Some(vec![sorted(PERSON, true), sorted(PLACE, false)]))
        .build();
    written(&batch, properties)
}

/// All that a footer tells, page encodings in full.
fn footer(bytes: &[u8]) -> ParquetMetaData {
    let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
    let reader = ParquetMetaDataReader::new().with_metadata_options(Some(options));
    let reader = reader.with_page_index_policy(PageIndexPolicy::Optional);
    reader.parse_and_finish(&Bytes::copy_from_slice(bytes)).expect("a footer")
}

/// Runs a policy's rules over a file, and gives what was written.
#[track_caller]
fn made(file: &[u8], rules: &str) -> Vec<u8> {
    let lake = Lake::new();
    lake.put("in/t.parquet", file);
    lake.policy(rules);
    run_tamely(&lake, 0);
    fs::read(lake.path("out/t.parquet")).expect("reads")
}

fn bloom_filter<'a>(bytes: &'a [u8], chunk: &ColumnChunkMetaData) -> &'a [u8] {
    let (start, length) = (chunk.bloom_filter_offset().expect("one"), chunk.bloom_filter_length().expect("one"));
    &bytes[start as usize..][..length as usize]
}

#[test]
fn all_that_keeps_its_meaning_stays_with_a_copied_chunk() {
    let bytes = source(CANARY);
    let written = made(&bytes, "columns: { person: drop, place: keep, \"tags[]\": keep, number: keep }\n");
    assert!(!contains(&written, CANARY.as_bytes()));
    let (source, made) = (footer(&bytes), footer(&written));
    assert_eq!(made.num_row_groups(), 2);
    for group in 0..2 {
        for (to, from) in [PLACE, TAGS, NUMBER].into_iter().enumerate() {
            let (old, new) = (source.row_group(group).column(from), made.row_group(group).column(to));
            let name = old.column_path().string();
            assert_eq!(old.column_path(), new.column_path());
            assert_eq!(old.statistics(), new.statistics(), "{name}");
            assert!(old.statistics().is_some_and(|told| told.min_bytes_opt().is_some()), "{name}");
            assert_eq!(old.page_encoding_stats(), new.page_encoding_stats(), "{name}");
            assert!(old.page_encoding_stats().is_some_and(|stats| stats.len() == 2), "{name}: two types of pages");
            assert!(old.encodings().eq(new.encodings()), "{name}");
            assert_eq!(old.unencoded_byte_array_data_bytes(), new.unencoded_byte_array_data_bytes(), "{name}");
            assert_eq!(old.unencoded_byte_array_data_bytes().is_some(), from != NUMBER);
            assert_eq!(old.definition_level_histogram(), new.definition_level_histogram(), "{name}");
            assert!(old.definition_level_histogram().is_some(), "{name}");
            assert_eq!(old.repetition_level_histogram(), new.repetition_level_histogram(), "{name}");
            assert_eq!(old.repetition_level_histogram().is_some(), from == TAGS, "{name}");
            assert!(bloom_filter(&bytes, old) == bloom_filter(&written, new), "{name}: bloom filter");
            let numbers = |chunk: &ColumnChunkMetaData| {
                let from_start = chunk.data_page_offset() - chunk.dictionary_page_offset().expect("has one");
                (chunk.num_values(), chunk.uncompressed_size(), chunk.compressed_size(), from_start)
            };
            assert_eq!(numbers(old), numbers(new), "{name}");

            let columns = [&source, &made].map(|metadata| metadata.column_index().expect("an index")[group].clone());
            assert!(!matches!(columns[0][from], ColumnIndexMetaData::NONE), "{name}");
            assert_eq!(columns[0][from], columns[1][to], "{name}");
            let offsets = [&source, &made].map(|metadata| metadata.offset_index().expect("an index")[group].clone());
            let (mut old_pages, new_pages) = (offsets[0][from].clone(), &offsets[1][to]);
            assert!(old_pages.page_locations.len() > 1, "{name}");
            let moved = new.data_page_offset() - old.data_page_offset();
            old_pages.page_locations.iter_mut().for_each(|page| page.offset += moved);
            assert_eq!(old_pages, *new_pages, "{name}");
        }
    }
}

/// Whether chunks of `place` and of `number` have bounds, and whether their pages have; null counts must be there.
#[track_caller]
fn bounds(metadata: &ParquetMetaData) -> [[bool; 2]; 2] {
    [PLACE, NUMBER].map(|leaf| {
        let of_group = |group: usize| {
            let chunk = metadata.row_group(group).column(leaf);
            let told = chunk.statistics().expect("statistics");
            let nulls = (group * ROWS..(group + 1) * ROWS).filter(|row| row % if leaf == PLACE { 7 } else { 4 } == 0);
            assert_eq!(told.null_count_opt(), Some(nulls.count() as u64), "{}", chunk.column_path());
            assert_eq!(told.min_bytes_opt().is_some(), told.max_bytes_opt().is_some());
            assert!(metadata.offset_index().is_some(), "where pages lie is told in any case");
            let pages = metadata.column_index().map(|index| !matches!(index[group][leaf], ColumnIndexMetaData::NONE));
            [told.min_bytes_opt().is_some(), pages.unwrap_or_default()]
        };
        assert_eq!(of_group(0), of_group(1), "both row groups tell alike");
        of_group(0)
    })
}

#[test]
fn bounds_stay_only_where_the_source_says_how_they_are_ordered() {
    let bytes = source(CANARY);
    let each_chunk = |footer: &mut Thrift, change: fn(&mut Thrift)| {
        for (group, leaf) in (0..2).flat_map(|group| [PLACE, NUMBER].map(|leaf| (group, leaf))) {
            change(footer.column(group, leaf).field(column::STATISTICS));
        }
    };
    // 1 and 2: maximum and minimum of old, 5 and 6: of now
    let to_old = |told: &mut Thrift| {
        for (now, old) in [(5, 1), (6, 2)] {
            let bound = told.remove(now).expect("a bound");
            told.set(old, bound);
        }
    };
    type Case<'a> = (&'a str, [[bool; 2]; 2], Box<dyn Fn(&mut Thrift) + 'a>);
    let cases: [Case; 4] = [
        ("as written", [[true; 2]; 2], Box::new(|_| {})),
        ("no orders", [[false; 2]; 2], Box::new(|footer| assert!(footer.remove(file::COLUMN_ORDERS).is_some()))),
        (
            "another order of one column",
            [[false; 2], [true; 2]],
            // 2: a variant that this parser does not know
            Box::new(|footer| {
                footer.field(file::COLUMN_ORDERS).list()[PLACE] = Thrift::Struct(vec![(2, Thrift::Struct(Vec::new()))]);
            }),
        ),
        // a bound of old was compared by bytes with a sign, or not
        ("bounds of old alone", [[false, true]; 2], Box::new(|footer| each_chunk(footer, to_old))),
    ];
    let rules = "columns: { person: { pseudonym: { domain: d } }, place: keep, \"tags[]\": keep, number: keep }\n";
    for (case, expected, change) in cases {
        let source = edited(&bytes, |footer| change(footer));
        let written = made(&source, rules);
        assert_eq!(bounds(&footer(&written)), expected, "{case}");
        let unchanged = |leaf: usize| batch(source.clone()).column(leaf) == batch(written.clone()).column(leaf);
        assert!([PLACE, TAGS, NUMBER].into_iter().all(unchanged), "{case}: rows");
    }
}

/// Place in the output, direction and place of nulls of each column that rows are declared to be sorted by.
fn sorted_by(file: &[u8], rules: &str) -> Option<Vec<(i32, bool, bool)>> {
    let metadata = footer(&made(file, rules));
    let of_group = |group: usize| {
        let columns = metadata.row_group(group).sorting_columns()?;
        Some(columns.iter().map(|column| (column.column_idx, column.descending, column.nulls_first)).collect())
    };
    assert_eq!(of_group(0), of_group(1), "all row groups declare one order");
    of_group(0)
}

#[test]
fn the_declared_order_ends_at_the_first_changed_column() {
    const REST: &str = "\"tags[]\": keep, number: keep";
    const BOTH: &str = "columns: { person: keep, place: keep, \"tags[]\": keep, number: keep }\n";
    let bytes = source("p");
    let (person, place) = ((0, true, false), (1, false, true));
    let cases = [
        ("person: keep, place: keep", Some(vec![person, place])),
        ("person: keep, place: { pseudonym: { domain: d } }", Some(vec![person])),
        ("person: keep, place: drop", Some(vec![person])),
        ("person: { pseudonym: { domain: d } }, place: keep", None),
        ("person: drop, place: keep", None),
        ("person: { pseudonym: { domain: d } }, place: nullify", None),
    ];
    for (rules, expected) in cases {
        assert_eq!(sorted_by(&bytes, &format!("columns: {{ {rules}, {REST} }}\n")), expected, "{rules}");
    }
    assert_eq!(sorted_by(&bytes, &format!("where: \"true\"\n{BOTH}")), None, "decoded");

    let element = |column| Thrift::Struct(vec![(1, i32(column)), (2, Thrift::Flag(true)), (3, Thrift::Flag(false))]);
    let with = |group: usize, columns: Vec<Thrift>| {
        edited(&bytes, |footer| *footer.group(group).field(group::SORTING).list() = columns)
    };
    // the place is another one where a column before it is dropped
    let by_place = edited(&bytes, |footer| {
        for group in 0..2 {
            *footer.group(group).field(group::SORTING).list() = vec![element(PLACE as i32), element(NUMBER as i32)];
        }
    });
    let rules = "columns: { person: drop, place: keep, \"tags[]\": drop, number: keep }\n";
    assert_eq!(sorted_by(&by_place, rules), Some(vec![(0, true, false), (1, true, false)]));
    // row groups that disagree, in each way that they can
    assert_eq!(sorted_by(&with(1, vec![element(PERSON as i32)]), BOTH), None, "a column less");
    let mut turned = footer_sorting(&bytes);
    turned[1] = element(PLACE as i32);
    assert_eq!(sorted_by(&with(1, turned), BOTH), None, "another direction");
    let silent = |group| edited(&bytes, |footer| assert!(footer.group(group).remove(group::SORTING).is_some()));
    assert_eq!(sorted_by(&silent(0), BOTH), None, "the first says nothing");
    assert_eq!(sorted_by(&silent(1), BOTH), None, "the second says nothing");
    // columns that are not there
    for nowhere in [4, -1, i32::MIN, i32::MAX] {
        let lie = edited(&bytes, |footer| {
            for group in 0..2 {
                *footer.group(group).field(group::SORTING).list() = vec![element(PLACE as i32), element(nowhere)];
            }
        });
        assert_eq!(sorted_by(&lie, BOTH), Some(vec![(1, true, false)]), "column {nowhere}");
    }
}

fn footer_sorting(bytes: &[u8]) -> Vec<Thrift> {
    let mut columns = Vec::new();
    edited(bytes, |footer| columns = footer.group(0).field(group::SORTING).list().clone());
    columns
}

#[test]
fn a_file_of_a_writer_that_got_sizes_wrong_is_never_copied() {
    let by = |writer: &str| edited(&source(CANARY), |footer| footer.set(file::CREATED_BY, text(writer)));
    let rules = "columns: { person: drop, place: keep, \"tags[]\": keep, number: keep }\n";
    for (writer, way) in [
        ("parquet-mr version 1.2.8 (build abc)", "leaf"),
        ("parquet-mr version 1.0.0", "leaf"),
        ("parquet-mr version 1.2.9", "leaf"),
        ("parquet-mr version 1.8.1 (build abc)", "copied"),
        ("parquet-mr version 1.12.0", "copied"),
        ("another version 1.2.8", "copied"),
    ] {
        let lake = Lake::new();
        lake.put("in/t.parquet", by(writer));
        let (routed, _) = both_ways(&lake, "compression: none", rules);
        for column in ["place", "number"] {
            assert_eq!(ways(&routed, column), [way], "{writer}");
        }
        assert_same_rows(&lake, "t.parquet", writer);
    }
    // sizes as that writer got them: without the header of the dictionary page
    let short = edited(&by("parquet-mr version 1.2.8"), |footer| {
        for (group, leaf) in (0..2).flat_map(|group| (0..4).map(move |leaf| (group, leaf))) {
            let Thrift::Number(_, size) = *footer.column(group, leaf).field(column::COMPRESSED) else {
                panic!("a size")
            };
            footer.column(group, leaf).set(column::COMPRESSED, i64(size - 14));
        }
    });
    let lake = Lake::new();
    lake.put("in/short.parquet", &short);
    lake.put("in/sound.parquet", source("p"));
    lake.policy(rules);
    let report = run_tamely(&lake, 1);
    assert_eq!(lake.objects("out"), ["sound.parquet"]);
    let failed = &report["objects"].as_array().expect("objects")[0];
    assert_eq!(failed["input"]["path"], "short.parquet");
    assert_eq!(
        failed["failure"]["message"],
        "column `place`, row group 0: the pages do not decode; restore the object"
    );
}

/// Chunks of an output that have an offset index, chunks that have a column index, and all chunks.
fn indexed(lake: &Lake) -> (usize, usize, usize) {
    let metadata = footer(&fs::read(lake.path("out/t.parquet")).expect("reads"));
    let chunks: Vec<_> = metadata.row_groups().iter().flat_map(|group| group.columns()).collect();
    let count = |has: fn(&ColumnChunkMetaData) -> bool| chunks.iter().filter(|chunk| has(chunk)).count();
    (
        count(|chunk| chunk.offset_index_offset().is_some()),
        count(|chunk| chunk.column_index_offset().is_some()),
        chunks.len(),
    )
}

#[test]
fn page_indexes_of_some_columns_only_are_for_all_or_for_none() {
    const RULES: &str =
        "columns: { person: { pseudonym: { domain: d } }, place: keep, \"tags[]\": keep, number: drop }\n";
    const DEEP: &str =
        "columns: { person: keep, place: keep, \"tags[]\": { pseudonym: { domain: d } }, number: drop }\n";
    const BOTH: [[i16; 2]; 2] = [chunk::OFFSET_INDEX, chunk::COLUMN_INDEX];
    let bytes = source(CANARY);
    for (case, rules, leaf, fields, expected) in [
        ("sound", RULES, PLACE, &BOTH[..0], (6, 4, 6)),
        ("a kept column has none", RULES, PLACE, &BOTH[..], (0, 0, 6)),
        ("a kept column has no offsets", RULES, PLACE, &BOTH[..1], (0, 0, 6)),
        ("a kept column has offsets alone", RULES, PLACE, &BOTH[1..], (6, 3, 6)),
        ("kept lists have none", RULES, TAGS, &BOTH[..], (0, 0, 6)),
        ("a changed column has none", RULES, PERSON, &BOTH[..], (6, 4, 6)),
        ("a dropped column has none", RULES, NUMBER, &BOTH[..], (6, 4, 6)),
        ("changed lists have none", DEEP, TAGS, &BOTH[..], (0, 0, 6)),
    ] {
        let lake = Lake::new();
        // in the second row group alone: the first one is whole
        let partial = edited(&bytes, |footer| {
            for &id in fields.iter().flatten() {
                footer.chunk(1, leaf).remove(id).expect("was there");
            }
        });
        lake.put("in/t.parquet", partial);
        both_ways(&lake, "compression: none", rules);
        assert_same_rows(&lake, "t.parquet", case);
        assert_eq!(indexed(&lake), expected, "{case}");
        if rules == RULES {
            assert_eq!(lake.holding("out", CANARY), Vec::<String>::new(), "{case}");
        }
    }
}

/// A row group without rows, as some writers leave it: all places at 0, nothing told.
fn nothing(footer: &mut Thrift) -> Thrift {
    let mut empty = footer.group(0).clone();
    empty.set(group::ROWS, i64(0));
    for chunk in empty.field(group::COLUMNS).list() {
        for id in [chunk::OFFSET_INDEX, chunk::COLUMN_INDEX].concat() {
            chunk.remove(id);
        }
        let told = chunk.field(chunk::METADATA);
        for id in [column::VALUES, column::UNCOMPRESSED, column::COMPRESSED, column::DATA_OFFSET] {
            told.set(id, i64(0));
        }
        // dictionary, statistics, encodings of pages, bloom filter, sizes
        for id in [column::DICTIONARY_OFFSET, column::STATISTICS, column::ENCODING_STATS, 14, 15, 16] {
            told.remove(id);
        }
    }
    empty
}

#[test]
fn row_groups_without_rows_are_left_out() {
    let bytes = source(CANARY);
    let rules = "columns: { person: { pseudonym: { domain: d } }, place: keep, \"tags[]\": keep, number: keep }\n";
    for places in [&[0][..], &[1], &[2], &[0, 2, 4], &[0, 0, 0, 3, 3]] {
        let case = format!("at {places:?}");
        let file = edited(&bytes, |footer| {
            let empty = nothing(footer);
            for &at in places {
                footer.field(file::GROUPS).list().insert(at, empty.clone());
            }
            // of all or of none
            let groups = footer.field(file::GROUPS).list();
            groups.iter_mut().for_each(|group| drop(group.remove(7)));
        });
        assert_eq!(footer(&file).num_row_groups(), 2 + places.len());
        let lake = Lake::new();
        lake.put("in/t.parquet", file);
        let (routed, streamed) = both_ways(&lake, "compression: none", rules);
        super::assert_same_figures(&routed, &streamed, &case);
        assert_same_rows(&lake, "t.parquet", &case);
        for folder in ["out", "streamed"] {
            let made = fs::read(lake.path(folder).join("t.parquet")).expect("reads");
            let rows: Vec<_> = footer(&made).row_groups().iter().map(|group| group.num_rows()).collect();
            assert_eq!(rows, [ROWS as i64; 2], "{case}, {folder}");
            assert!(batch(made).column(PLACE) == batch(bytes.clone()).column(PLACE), "{case}, {folder}");
        }
    }
    // whatever is told of a place where nothing is: nobody goes there
    let absurd = edited(&bytes, |footer| {
        let mut empty = nothing(footer);
        for (at, chunk) in empty.field(group::COLUMNS).list().iter_mut().enumerate() {
            let [offset, size] = [[i64::MIN, -1], [i64::MAX, i64::MAX], [-1, i64::MIN], [4, i64::MAX]][at];
            chunk.set(chunk::FILE_PATH, text(CANARY));
            chunk.field(chunk::METADATA).set(column::DATA_OFFSET, i64(offset));
            chunk.field(chunk::METADATA).set(column::DICTIONARY_OFFSET, i64(offset));
            chunk.field(chunk::METADATA).set(column::COMPRESSED, i64(size));
            chunk.field(chunk::METADATA).set(column::UNCOMPRESSED, i64(size));
            chunk.field(chunk::METADATA).set(column::VALUES, i64(size));
        }
        let groups = footer.field(file::GROUPS).list();
        groups.insert(1, empty);
        groups.iter_mut().for_each(|group| drop(group.remove(7)));
    });
    let lake = Lake::new();
    lake.put("in/t.parquet", absurd);
    both_ways(&lake, "compression: none", rules);
    assert_same_rows(&lake, "t.parquet", "absurd places");
    assert_eq!(indexed(&lake), (8, 6, 8));
    assert_eq!(lake.holding("out", CANARY), Vec::<String>::new());

    let empty = edited(&bytes, |footer| {
        let empty = nothing(footer);
        *footer.field(file::GROUPS).list() = vec![empty; 3];
        footer.set(file::ROWS, i64(0));
    });
    let written = made(&empty, rules);
    assert_eq!((footer(&written).num_row_groups(), batch(written).num_rows()), (0, 0));
}
