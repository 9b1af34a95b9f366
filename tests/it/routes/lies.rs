//! Footers that lie about places and counts, and numbers in them that nobody knows: such an object fails by its name,
//! whatever becomes of the column that is lied about, and those beside it are written.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use lakeveil::engine::parquet::page::PageHeader;
use parquet::basic::{CompressionCodec, Encoding};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use super::damage::{CANARY, run_tamely};
use super::thrift::{Thrift, chunk, column, edited, file, footer_start, group, i32, i64, text};
use crate::support::{Lake, batch, contains, token, written};

/// Rows of each of the two row groups.
const ROWS: usize = 20;

/// Two columns of texts with this word in them, in chunks without dictionaries, one behind the other.
fn sound(word: &str) -> Vec<u8> {
    let texts = |column: char| -> ArrayRef {
        Arc::new((0..2 * ROWS).map(|row| Some(format!("{word}-{column}{row:02}"))).collect::<StringArray>())
    };
    let columns = [("person", texts('p')), ("place", texts('q'))];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let properties = WriterProperties::builder().set_dictionary_enabled(false);
    let properties = properties.set_max_row_group_row_count(Some(ROWS)).build();
    written(&batch, properties)
}

fn footer(bytes: &[u8]) -> ParquetMetaData {
    ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::copy_from_slice(bytes)).expect("a footer")
}

/// The bytes of a chunk without a dictionary.
fn pages<'a>(bytes: &'a [u8], chunk: &ColumnChunkMetaData) -> &'a [u8] {
    &bytes[chunk.data_page_offset() as usize..][..chunk.compressed_size() as usize]
}

/// What may become of the column that is lied about.
const WAYS: [(&str, &str); 4] = [
    ("kept", "columns: { person: keep, place: keep }\n"),
    ("changed", "columns: { person: { pseudonym: { domain: d } }, place: keep }\n"),
    ("dropped", "columns: { person: drop, place: keep }\n"),
    ("decoded", "where: \"true\"\ncolumns: { person: { pseudonym: { domain: d } }, place: keep }\n"),
];

/// Failures by object, code and message, of a run over files that lie and a sound one, of which only that is written.
#[track_caller]
fn failures(files: &[(&str, Vec<u8>)], (way, rules): (&str, &str)) -> BTreeMap<String, (String, String)> {
    let lake = Lake::new();
    lake.put("in/good.parquet", sound("good"));
    for (name, bytes) in files {
        lake.put(&format!("in/{name}.parquet"), bytes);
    }
    lake.policy(rules);
    let report = run_tamely(&lake, 1);

    assert_eq!(lake.objects("out"), ["good.parquet"], "{way}: the sound one and no other is written");
    let made = lake.table("out/good.parquet");
    let expected = |column: char| (0..2 * ROWS).map(move |row| format!("good-{column}{row:02}"));
    assert!(made["place"].iter().flatten().eq(&expected('q').collect::<Vec<_>>()), "{way}");
    match way {
        "kept" => assert!(made["person"].iter().flatten().eq(&expected('p').collect::<Vec<_>>())),
        "dropped" => assert!(!made.contains_key("person")),
        _ => {
            let tokens: Vec<_> = expected('p').map(|text| token("d", &text)).collect();
            assert!(made["person"].iter().flatten().eq(&tokens), "{way}");
        }
    }
    assert_eq!(lake.holding("out", CANARY), Vec::<String>::new(), "{way}: something of a lying file");
    assert_eq!(lake.files("out/_lakeveil/records").len(), 1, "{way}: no record of what was not done");
    assert_eq!(lake.files("out/_lakeveil/tmp"), Vec::<String>::new(), "{way}: nothing half-written");
    assert!(!contains(&fs::read(lake.path("report.json")).expect("reads"), CANARY.as_bytes()), "{way}: the report");

    let objects = report["objects"].as_array().expect("objects");
    let failed = objects.iter().filter(|object| object["status"] == "failed").map(|object| {
        let word = |value: &Value| value.as_str().expect("a text").to_owned();
        let name = word(&object["input"]["path"]).trim_end_matches(".parquet").to_owned();
        (name, (word(&object["failure"]["code"]), word(&object["failure"]["message"])))
    });
    failed.collect()
}

#[test]
fn fail_every_lie_of_a_footer_about_places_and_counts() {
    const OUTSIDE: &str = "a column chunk lies outside the file";
    const BEFORE: &str = "a column chunk begins or ends before the file does";
    const OVERLAP: &str = "two column chunks overlap";
    const VALUES: &str = "a column chunk does not have as many values as its row group has rows";
    const NEGATIVE: &str = "a column chunk has a negative count";
    const UNREADABLE: &str = "its footer can't be read";
    const NAMES: &str = "its row groups name their columns otherwise than its schema";
    let bytes = sound(CANARY);
    let end = footer_start(&bytes) as i64;
    let metadata = footer(&bytes);
    let place = |group: usize, column: usize| {
        let chunk = metadata.row_group(group).column(column);
        (chunk.data_page_offset(), chunk.compressed_size())
    };
    let (person, neighbour, last) = (place(0, 0), place(0, 1), place(1, 1));
    assert_eq!((person.0, person.0 + person.1), (4, neighbour.0), "neighbours from the start of the file");

    type Lie<'a> = (&'a str, &'a str, Box<dyn Fn(&mut Thrift) + 'a>);
    /// One number of what is said of `person` in the first row group.
    fn of<'a>(name: &'a str, what: &'a str, field: i16, number: i64) -> Lie<'a> {
        (name, what, Box::new(move |footer| footer.column(0, 0).set(field, i64(number))))
    }
    fn other<'a>(name: &'a str, what: &'a str, change: impl Fn(&mut Thrift) + 'a) -> Lie<'a> {
        (name, what, Box::new(change))
    }
    let at = |footer: &mut Thrift, (group, column): (usize, usize), (offset, size): (i64, i64)| {
        let chunk = footer.column(group, column);
        chunk.set(column::DATA_OFFSET, i64(offset));
        chunk.set(column::COMPRESSED, i64(size));
    };
    let lies: Vec<Lie> = vec![
        of("offset-past-the-end", OUTSIDE, column::DATA_OFFSET, bytes.len() as i64),
        of("offset-i64-max", OUTSIDE, column::DATA_OFFSET, i64::MAX),
        other("a-byte-of-the-footer", OUTSIDE, |footer| at(footer, (1, 1), (end - last.1 + 1, last.1))),
        of("offset-in-the-magic", OUTSIDE, column::DATA_OFFSET, 3),
        of("offset-zero", OUTSIDE, column::DATA_OFFSET, 0),
        of("offset-negative", BEFORE, column::DATA_OFFSET, -1),
        of("offset-i64-min", BEFORE, column::DATA_OFFSET, i64::MIN),
        of("size-negative", BEFORE, column::COMPRESSED, -1),
        of("size-i64-max", OUTSIDE, column::COMPRESSED, i64::MAX),
        of("size-zero", "a column chunk with values has no bytes", column::COMPRESSED, 0),
        other("range-of-the-neighbour", OVERLAP, |footer| at(footer, (0, 0), neighbour)),
        other("range-of-another-row-group", OVERLAP, |footer| at(footer, (1, 0), person)),
        of("a-byte-of-the-neighbour", OVERLAP, column::COMPRESSED, person.1 + 1),
        of("dictionary-behind", "a dictionary lies behind the values that need it", column::DICTIONARY_OFFSET, 5),
        other("dictionary-of-the-neighbour", OVERLAP, |footer| {
            footer.column(0, 1).set(column::DICTIONARY_OFFSET, i64(neighbour.0 - 1));
        }),
        other("another-file", "a column chunk lies in another file", |footer| {
            footer.chunk(0, 0).set(chunk::FILE_PATH, text(&format!("{CANARY}.parquet")));
        }),
        of("values-too-many", VALUES, column::VALUES, ROWS as i64 + 1),
        of("values-too-few", VALUES, column::VALUES, ROWS as i64 - 1),
        of("values-none", VALUES, column::VALUES, 0),
        of("values-negative", NEGATIVE, column::VALUES, -(ROWS as i64)),
        of("uncompressed-negative", NEGATIVE, column::UNCOMPRESSED, -1),
        other("rows-negative", "a row group has a negative number of rows", |footer| {
            footer.group(0).set(group::ROWS, i64(-1));
        }),
        other("rows-one-more", "it claims 41 rows, its row groups 40", |footer| footer.set(file::ROWS, i64(41))),
        other("rows-below-none", "it claims -1 rows, its row groups 40", |footer| footer.set(file::ROWS, i64(-1))),
        other("rows-beyond-numbers", "its row counts overflow", |footer| {
            for group in 0..2 {
                footer.group(group).set(group::ROWS, i64(i64::MAX));
                (0..2).for_each(|column| footer.column(group, column).set(column::VALUES, i64(i64::MAX)));
            }
        }),
        other("a-column-too-few", UNREADABLE, |footer| {
            footer.group(0).field(group::COLUMNS).list().pop();
        }),
        other("a-column-too-many", UNREADABLE, |footer| {
            let columns = footer.group(0).field(group::COLUMNS).list();
            columns.push(columns[1].clone());
        }),
        other("paths-of-two-columns-changed-about", NAMES, |footer| {
            for group in 0..2 {
                let paths = [0, 1].map(|column| footer.column(group, column).field(column::PATH).clone());
                footer.column(group, 0).set(column::PATH, paths[1].clone());
                footer.column(group, 1).set(column::PATH, paths[0].clone());
            }
        }),
        other("an-order-too-few", UNREADABLE, |footer| {
            footer.field(file::COLUMN_ORDERS).list().pop();
        }),
    ];
    let files: Vec<_> = lies.iter().map(|(name, _, change)| (*name, edited(&bytes, change))).collect();
    for way in WAYS {
        let failed = failures(&files, way);
        assert_eq!(failed.len(), lies.len(), "{}", way.0);
        for (name, what, _) in &lies {
            let message = format!("not a sound Parquet file: {what}; restore the object or take it out of the source");
            assert_eq!(failed[*name], ("parquet-invalid".to_owned(), message), "{}: {name}", way.0);
        }
    }
}

#[test]
fn a_place_of_no_dictionary_is_none() {
    for offset in [0, -1, i64::MIN] {
        let bytes = edited(&sound("p"), |footer| {
            for (group, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                footer.column(group, column).set(column::DICTIONARY_OFFSET, i64(offset));
            }
        });
        let lake = Lake::new();
        lake.put("in/t.parquet", &bytes);
        super::both_ways(&lake, "compression: none", WAYS[1].1);
        super::assert_same_rows(&lake, "t.parquet", &format!("at {offset}"));
        let made = footer(&fs::read(lake.path("out/t.parquet")).expect("reads"));
        let mut chunks = made.row_groups().iter().flat_map(|group| group.columns());
        assert!(chunks.all(|chunk| chunk.dictionary_page_offset().is_none()), "at {offset}");
    }
}

#[test]
fn fail_fewer_values_of_a_list_than_there_are_rows() {
    let source = super::claims::source(CANARY);
    let with = |values: usize| edited(&source, |footer| footer.column(1, 2).set(column::VALUES, i64(values as i64)));
    for rule in ["keep", "drop", "{ pseudonym: { domain: d } }"] {
        let lake = Lake::new();
        lake.put("in/fewer.parquet", with(ROWS - 1));
        lake.put("in/sound.parquet", super::claims::source("p"));
        lake.policy(&format!("unlisted: drop\ncolumns: {{ \"tags[]\": {rule}, number: keep }}\n"));
        let report = run_tamely(&lake, 1);
        assert_eq!(lake.objects("out"), ["sound.parquet"], "{rule}");
        let failure = &report["objects"][0]["failure"];
        let message = "not a sound Parquet file: a column chunk does not have as many values as its row group has rows; \
                       restore the object or take it out of the source";
        assert_eq!((&failure["code"], &failure["message"]), (&"parquet-invalid".into(), &message.into()), "{rule}");
    }
}

#[test]
fn a_codec_that_nobody_decodes_is_no_obstacle_where_the_column_is_kept() {
    const LZO: i32 = 3;
    let bytes = edited(&sound(CANARY), |footer| {
        for (group, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            footer.column(group, column).set(column::CODEC, i32(LZO));
        }
    });
    let source = footer(&bytes);
    for (rules, columns) in [("person: keep, place: keep", vec![0, 1]), ("person: drop, place: keep", vec![1])] {
        let lake = Lake::new();
        lake.put("in/t.parquet", &bytes);
        lake.policy(&format!("columns: {{ {rules} }}\n"));
        let report = run_tamely(&lake, 0);
        assert_eq!(super::ways(&report, "place"), ["copied"]);
        let written = fs::read(lake.path("out/t.parquet")).expect("reads");
        let made = footer(&written);
        for group in 0..2 {
            for (to, &from) in columns.iter().enumerate() {
                let (from, to) = (source.row_group(group).column(from), made.row_group(group).column(to));
                assert_eq!((to.column_path(), to.compression_codec()), (from.column_path(), CompressionCodec::LZO));
                assert!(pages(&written, to) == pages(&bytes, from), "{}: bytes", from.column_path());
            }
        }
        // said to be what they are, they are read again
        let readable = edited(&written, |footer| {
            for (group, column) in (0..2).flat_map(|group| (0..columns.len()).map(move |column| (group, column))) {
                footer.column(group, column).set(column::CODEC, i32(0));
            }
        });
        assert_eq!(batch(readable).num_rows(), 2 * ROWS);
    }
    let files = [("lzo", bytes)];
    for way in [WAYS[1], WAYS[3]] {
        let message = "column `person`, row group 0: the pages are compressed by a codec that is not supported; \
                       restore the object";
        let expected = ("parquet-undecodable".to_owned(), message.to_owned());
        assert_eq!(failures(&files, way), BTreeMap::from([("lzo".to_owned(), expected)]), "{}", way.0);
    }
}

#[test]
fn fail_numbers_that_nobody_knows_yet_by_the_name_of_the_object() {
    let bytes = sound(CANARY);
    let files = [
        ("codec", edited(&bytes, |footer| footer.column(0, 0).set(column::CODEC, i32(99)))),
        ("encoding", edited(&bytes, |footer| footer.column(0, 0).field(column::ENCODINGS).list().push(i32(99)))),
        (
            "encoding-of-pages",
            edited(&bytes, |footer| footer.column(0, 0).field(column::ENCODING_STATS).list()[0].set(2, i32(99))),
        ),
    ];
    for way in WAYS {
        let failed = failures(&files, way);
        assert_eq!(failed.keys().collect::<Vec<_>>(), ["codec", "encoding", "encoding-of-pages"], "{}", way.0);
        for (name, (code, message)) in &failed {
            assert_eq!(code, "parquet-invalid", "{name}");
            assert_eq!(
                message,
                "not a sound Parquet file: its footer can't be read; restore the object or take it out of the source",
                "{}: {name}",
                way.0
            );
        }
    }
}

#[test]
fn an_encoding_that_nobody_knows_in_a_page_header_is_no_obstacle_where_the_column_is_kept() {
    let mut bytes = sound(CANARY);
    let first = footer(&bytes).row_group(0).column(0).data_page_offset() as usize;
    let (header, length) = PageHeader::read(&bytes[first..]).expect("a header");
    assert_eq!(header.encoding(), Some(Encoding::PLAIN));
    // 2: the encoding, a number of 32 bits behind that of the values
    let values = [0x15, (2 * ROWS) as u8];
    let at = memchr::memmem::find(&bytes[first..first + length], &values).expect("values") + first + values.len();
    assert_eq!(bytes[at..at + 2], [0x15, 0]);
    bytes[at + 1] = 2 * 31;
    assert_eq!(PageHeader::read(&bytes[first..]), None);

    let lake = Lake::new();
    lake.put("in/t.parquet", &bytes);
    lake.policy(WAYS[0].1);
    run_tamely(&lake, 0);
    let written = fs::read(lake.path("out/t.parquet")).expect("reads");
    let [from, to] = [&bytes, &written].map(|bytes| footer(bytes).row_group(0).column(0).clone());
    assert!(pages(&written, &to) == pages(&bytes, &from));
    for way in [WAYS[1], WAYS[3]] {
        let message = "column `person`, row group 0: the pages do not decode; restore the object".to_owned();
        let expected = ("parquet-undecodable".to_owned(), message);
        let failed = failures(&[("encoding", bytes.clone())], way);
        assert_eq!(failed, BTreeMap::from([("encoding".to_owned(), expected)]), "{}", way.0);
    }
}
