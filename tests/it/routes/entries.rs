//! Entries of a dictionary that no value has: they are made anew with the others, and nothing is told of them.

use std::fs;

use bytes::Bytes;
use parquet::basic::{Compression, CompressionCodec, Encoding, PageType};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::damage::{CANARY, run_tamely};
use super::hostile::{Chunk, TEXT, data, dictionary, plain};
use super::thrift::{Thrift, column, edited, i32};
use super::ways;
use crate::support::{Lake, token};

/// A file of four values with these entries, of which the values have some.
fn file(entries: &[&str], used: [u8; 4], tells_encodings: bool) -> Vec<u8> {
    let body = plain(entries);
    // two bits for each index, four of eight that are packed
    let indices = vec![2, 3, used.iter().rev().fold(0, |bits, index| bits << 2 | index), 0];
    let chunk = Chunk {
        column: TEXT,
        codec: Compression::UNCOMPRESSED,
        values: 4,
        uncompressed: 999,
        pages: vec![
            dictionary(entries.len() as i32, body.len(), body),
            data(4, Encoding::RLE_DICTIONARY, indices.len(), indices),
        ],
    };
    let stats = |page: PageType, encoding: Encoding| {
        Thrift::Struct(vec![(1, i32(page as i32)), (2, i32(encoding as i32)), (3, i32(1))])
    };
    edited(&chunk.file(), |footer| {
        if tells_encodings {
            let stats = vec![
                stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN),
                stats(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY),
            ];
            footer.column(0, 0).set(column::ENCODING_STATS, Thrift::List(12, stats));
        }
    })
}

fn footer(bytes: Vec<u8>) -> ParquetMetaData {
    ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(bytes)).expect("a footer")
}

const GOOD: &str = "a@example.com";
const OTHER: &str = "b@example.com";

#[test]
fn unused_entries_never_fail_and_are_never_counted() {
    let bad = format!("{CANARY} is no address");
    let entries = [GOOD, &bad, OTHER];
    for (on_error, made) in [("fail", None), ("to_null", None), ("redact", Some("[redacted]"))] {
        for (filter, tells_encodings) in
            [("", false), ("", true), ("where: \"true\"\n", false), ("where: \"true\"\n", true)]
        {
            let case = format!("{on_error} {filter}{tells_encodings}");
            let rule = format!("normalize: [email], on_error: {on_error}, pseudonym: {{ domain: d }}");
            let run = |used, code| {
                let lake = Lake::new();
                lake.put("in/t.parquet", file(&entries, used, tells_encodings));
                lake.put("in/good.csv", "person\na@example.com\n");
                lake.policy(&format!("{filter}columns: {{ person: {{ {rule} }} }}\n"));
                let report = run_tamely(&lake, code);
                assert_eq!(lake.holding("out", CANARY), Vec::<String>::new(), "{case}");
                (lake, report)
            };
            let (lake, report) = run([0, 2, 0, 0], 0);
            let column = &report["columns"][0];
            let figures = ["values", "nulls", "transformed", "failed", "distinct_in", "distinct_out"];
            // the row of the other object is the first of these addresses too
            assert_eq!(figures.map(|name| column[name].as_u64()), [5, 0, 5, 0, 2, 2].map(Some), "{case}: {column:#}");
            let expected = [GOOD, OTHER, GOOD, GOOD].map(|address| Some(token("d", address)));
            assert_eq!(lake.table("out/t.parquet")["person"], expected, "{case}");

            // used, the same entry does what the policy says
            let (lake, report) = run([0, 1, 0, 2], if on_error == "fail" { 1 } else { 0 });
            if on_error == "fail" {
                assert!(!lake.path("out/t.parquet").exists());
                let objects = report["objects"].as_array().expect("objects");
                let failed = objects.iter().find(|object| object["status"] == "failed").expect("one");
                let message = failed["failure"]["message"].as_str().expect("a message");
                assert!(message.starts_with("column `person`, row 2: a value could not be taken"), "{case}: {message}");
                continue;
            }
            assert_eq!(report["columns"][0]["failed"], 1, "{case}");
            let mut expected = [GOOD, GOOD, GOOD, OTHER].map(|address| Some(token("d", address)));
            expected[1] = made.map(str::to_owned);
            assert_eq!(lake.table("out/t.parquet")["person"], expected, "{case}");
        }
    }
}

#[test]
fn bounds_are_exact_only_if_every_entry_is_used() {
    for (used, is_exact) in [([0, 0, 0, 0], false), ([1, 1, 1, 1], false), ([0, 1, 0, 0], true), ([1, 1, 1, 0], true)] {
        for rule in ["pseudonym: { domain: d }", "pseudonym: { domain: d, encoding: binary }"] {
            let lake = Lake::new();
            lake.put("in/t.parquet", file(&[GOOD, OTHER], used, true));
            lake.policy(&format!("columns: {{ person: {{ {rule} }} }}\n"));
            let report = run_tamely(&lake, 0);
            assert_eq!(ways(&report, "person"), ["dictionary"]);
            let metadata = footer(fs::read(lake.path("out/t.parquet")).expect("reads"));
            let told = metadata.row_group(0).column(0).statistics().expect("statistics").clone();
            assert_eq!((told.min_is_exact(), told.max_is_exact()), (is_exact, is_exact), "{rule}, {used:?}");
            let mut tokens = [GOOD, OTHER].map(|address| token("d", address));
            tokens.sort_unstable();
            let bounds = [told.min_bytes_opt(), told.max_bytes_opt()].map(|bound| {
                let bound = bound.expect("a bound");
                if rule.contains("binary") {
                    data_encoding::HEXLOWER.encode(bound)
                } else {
                    String::from_utf8_lossy(bound).into()
                }
            });
            assert_eq!(bounds, tokens, "{rule}, {used:?}: both entries lie within");
        }
    }
}

#[test]
fn sizes_that_pages_without_a_codec_claim_are_not_passed_on() {
    let body = plain(&[GOOD, OTHER]);
    let huge = i32::MAX as usize;
    let indices = vec![2, 3, 0b0000_0100, 0];
    let pages = vec![dictionary(2, huge, body), data(4, Encoding::RLE_DICTIONARY, huge, indices)];
    let codec = Compression::UNCOMPRESSED;
    let chunk = Chunk { column: TEXT, codec, values: 4, uncompressed: i64::MAX, pages };
    let lake = Lake::new();
    lake.put("in/t.parquet", chunk.file());
    lake.policy("columns: { person: { pseudonym: { domain: d } } }\n");
    let report = run_tamely(&lake, 0);
    assert_eq!(ways(&report, "person"), ["dictionary"]);
    let expected = [GOOD, OTHER, GOOD, GOOD].map(|address| Some(token("d", address)));
    assert_eq!(lake.table("out/t.parquet")["person"], expected);
    let made = footer(fs::read(lake.path("out/t.parquet")).expect("reads"));
    let chunk = made.row_group(0).column(0);
    assert_eq!(chunk.compression_codec(), CompressionCodec::UNCOMPRESSED);
    assert_eq!(chunk.uncompressed_size(), chunk.compressed_size());
}
