use std::path::PathBuf;

use arrow::array::{Array, AsArray};
use serde_json::json;

use super::*;
use crate::engine::csv::Blocks;

fn header(object: &[u8], dialect: &Dialect) -> Header {
    Header::read(object, true, dialect).expect("a valid header").expect("complete")
}

fn decode_as(object: &[u8], dialect: &Dialect) -> Result<RecordBatch, CsvError> {
    let header = header(object, dialect);
    let all: Vec<usize> = (0..header.names().len()).collect();
    let decoder = Decoder::new(dialect, &header, &all);
    decoder.decode(&object[header.data_start()..], 1, &mut Spans::default())
}

fn decode(object: &[u8]) -> Result<RecordBatch, CsvError> {
    decode_as(object, &Dialect::default())
}

fn column(batch: &RecordBatch, index: usize) -> Vec<Option<&str>> {
    batch.column(index).as_string::<i32>().iter().collect()
}

#[test]
fn only_unquoted_null_texts_are_null() {
    let dialect = Dialect::of(json!({ "null": ["NULL", "\\N"] }));
    let batch = decode_as(b"id,v\n1,\n2,\"\"\n3,NULL\n4,\"NULL\"\n5,\\N\n6,null\n", &dialect).expect("valid");
    assert_eq!(column(&batch, 1), [None, Some(""), None, Some("NULL"), None, Some("null")]);
}

#[test]
fn quoted_texts_are_unescaped() {
    let batch = decode(b"id,v\n1,\"ha \"\"ha\"\"\"\n2,\"\"\"\"\n3,\"a\r\nb\"\n").expect("valid");
    assert_eq!(column(&batch, 1), [Some("ha \"ha\""), Some("\""), Some("a\r\nb")]);
}

#[test]
fn wanted_columns_come_in_the_order_asked_for() {
    let object = b"a,b,c\n1,2,3\n";
    let header = header(object, &Dialect::default());
    let decoder = Decoder::new(&Dialect::default(), &header, &[2, 0]);
    let batch = decoder.decode(b"1,2,3\n4,5,6\n", 1, &mut Spans::default()).expect("valid");
    assert_eq!(batch.schema(), *decoder.schema());
    assert_eq!((column(&batch, 0), column(&batch, 1)), (vec![Some("3"), Some("6")], vec![Some("1"), Some("4")]));
}

#[test]
fn without_wanted_columns_rows_are_still_counted() {
    let header = header(b"a,b\n", &Dialect::default());
    let decoder = Decoder::new(&Dialect::default(), &header, &[]);
    let batch = decoder.decode(b"1,2\n3,4\n", 1, &mut Spans::default()).expect("valid");
    assert_eq!((batch.num_rows(), batch.num_columns()), (2, 0));
}

#[test]
fn a_blank_line_is_a_null_where_there_is_one_column() {
    assert_eq!(column(&decode(b"a\nx\n\ny\n").expect("valid"), 0), [Some("x"), None, Some("y")]);
    assert_eq!(decode(b"a,b\nx,1\n\ny,2\n").expect("valid").num_rows(), 2);
}

#[test]
fn a_row_of_another_width_is_an_error() {
    assert_eq!(decode(b"a,b\n1,2\n3,4,5\n"), Err(CsvError::TooManyFields { row: 2, found: 3, columns: 2 }));
    assert_eq!(decode(b"a,b\n1,2\n3\n4,5,6\n"), Err(CsvError::TooFewFields { row: 2, found: 1, columns: 2 }));
}

#[test]
fn invalid_utf8_is_named_by_row_and_column() {
    let name = |column: &str| format!("`{column}`");
    let found = decode(b"a,b\n1,2\n\"x\n\",\"caf\xE9\"\n");
    assert_eq!(found, Err(CsvError::InvalidUtf8 { row: 2, field: 2, column: name("b") }));
    // a character cut short by the delimiter belongs to the field before it
    let found = decode(b"a,b\n\xC3,2\n");
    assert_eq!(found, Err(CsvError::InvalidUtf8 { row: 1, field: 1, column: name("a") }));
}

#[test]
fn broken_quotes_are_named_by_row_and_column() {
    let column = "`b`".to_owned();
    assert_eq!(decode(b"a,b\n1,2\n3,\"4\n"), Err(CsvError::UnclosedQuote { row: 2, field: 2, column: column.clone() }));
    assert_eq!(decode(b"a,b\n1,\"2\"x\n"), Err(CsvError::TextAfterQuote { row: 1, field: 2, column }));
    let past = decode(b"a,b\n1,2,\"3\n").expect_err("unclosed");
    assert!(past.to_string().contains("column none: past the last"), "{past}");
}

#[test]
fn the_first_fault_by_row_is_reported() {
    let rows = [
        (&b"a,b\n1,2\n3\n4,\"5\n"[..], "fewer fields before an open quote"),
        (b"a,b\n1,2\n3\n4,\xFF\n", "fewer fields before bad UTF-8"),
        (b"a,b\n1,2\n\xFF,3\n4,5,6\n", "bad UTF-8 before more fields"),
        (b"a,b\n1,2\n\xFF,3\n4,\"5\n", "bad UTF-8 before an open quote"),
        (b"a,b\n1,2\n3,\"4\n\xFF\n", "bad UTF-8 within an open quote"),
    ];
    for (object, case) in rows {
        assert_eq!(decode(object).expect_err(case).row(), 2, "{case}");
    }
}

#[test]
fn rows_are_numbered_through_the_blocks() {
    let object = b"id,v\n1,a\n\n2,\"b\n\"\n3,c\n4\n5,d\n";
    let dialect = Dialect::default();
    let header = header(object, &dialect);
    let decoder = Decoder::new(&dialect, &header, &[0, 1]);
    for target in 1..30 {
        let mut blocks = Blocks::new(&dialect, &header, target);
        let mut cut = Vec::new();
        blocks.push(object, |block| cut.push(block)).expect("small records");
        cut.extend(blocks.finish().expect("small records"));
        let found = cut.iter().find_map(|b| decoder.decode(&b.bytes, b.first_row, &mut Spans::default()).err());
        assert_eq!(found, Some(CsvError::TooFewFields { row: 4, found: 1, columns: 2 }), "blocks of {target} bytes");
    }
}

#[test]
fn no_message_holds_a_value() {
    for rows in [
        &b"CANARY,CANARY,CANARY\n"[..],
        b"CANARY\n",
        b"CANARY,CANARY\xFF\n",
        b"CANARY,\"CANARY\n",
        b"\"CANARY\"CANARY,CANARY\n",
    ] {
        let error = decode(&[b"a,b\n", rows].concat()).expect_err("each is broken");
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{error}");
    }
}

/// The folder of corpora that are not part of the repository; tests over them say aloud when it is missing.
fn corpus(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpora");
    let folder = std::env::var_os("LAKEVEIL_CORPORA").map_or(beside, PathBuf::from).join(name);
    if !folder.is_dir() {
        eprintln!("SKIPPED: no corpus {name}; set LAKEVEIL_CORPORA to the folder that holds it");
        return None;
    }
    Some(folder)
}

/// An object as csv-spectrum writes its expectations: a list of maps; a null reads as the empty text there.
fn as_json(batch: &RecordBatch) -> serde_json::Value {
    let row = |row: usize| {
        let cell = |i: usize| {
            let column = batch.column(i).as_string::<i32>();
            let text = if column.is_null(row) { "" } else { column.value(row) };
            (batch.schema().field(i).name().clone(), text.into())
        };
        serde_json::Value::Object((0..batch.num_columns()).map(cell).collect())
    };
    (0..batch.num_rows()).map(row).collect()
}

#[test]
fn csv_spectrum() {
    let Some(folder) = corpus("csv-spectrum") else { return };
    let mut seen = 0;
    for entry in folder.join("csvs").read_dir().expect("the corpus has its folder") {
        let path = entry.expect("readable").path();
        let name = path.file_stem().and_then(|s| s.to_str()).expect("plain names").to_owned();
        let mut object = std::fs::read(&path).expect("readable");
        seen += 1;
        if name == "location_coordinates" {
            // its expectation is of another file
            assert_eq!(decode(&object).map(|batch| (batch.num_rows(), batch.num_columns())), Ok((1, 4)));
            continue;
        }
        // packaged copies of the corpus have lost the CRs that these names promise
        if name.ends_with("_crlf") && !object.contains(&b'\r') {
            let text = String::from_utf8(object).expect("UTF-8");
            object = text.replace('\n', "\r\n").into_bytes();
        }
        let expected = std::fs::read_to_string(folder.join("json").join(format!("{name}.json"))).expect("its pair");
        let expected: serde_json::Value = serde_json::from_str(&expected).expect("JSON");
        assert_eq!(as_json(&decode(&object).expect(&name)), expected, "{name}");
    }
    assert_eq!(seen, 12);
}

#[test]
fn files_of_the_corpora_read_as_the_csv_crate_reads_them() {
    let files = ["synthea-csv", "febrl"].into_iter().filter_map(corpus).flat_map(|folder| csv_files(&folder));
    for path in files {
        let object = std::fs::read(&path).expect("readable");
        let batch = decode(&object).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(&object[..]);
        let mut rows = 0;
        for (row, record) in reader.records().enumerate() {
            let record = record.expect("the crate reads it too");
            let ours: Vec<&str> = batch
                .columns()
                .iter()
                .map(|c| c.as_string::<i32>())
                .map(|c| if c.is_null(row) { "" } else { c.value(row) })
                .collect();
            assert_eq!(ours, record.iter().collect::<Vec<_>>(), "{}, row {}", path.display(), row + 1);
            rows += 1;
        }
        assert_eq!(batch.num_rows(), rows, "{}", path.display());
    }
}

fn csv_files(folder: &std::path::Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().expect("readable").map(|entry| entry.expect("readable").path());
    entries
        .flat_map(|path| if path.is_dir() { csv_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|e| e == "csv"))
        .collect()
}
