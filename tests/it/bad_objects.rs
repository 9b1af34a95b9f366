//! Objects that are not what they should be: each fails by itself, is named with its place, shows no value, and leaves
//! nothing half-written; the others go on.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use crate::support::{Lake, token};

/// Stands beside and in every fault, and may be seen nowhere.
const CANARY: &str = "CANARY-7f3a";

const COLUMNS: &str = "columns:
  id: { pseudonym: { domain: d } }
  name: { normalize: [email], pseudonym: { domain: d } }
  note: { mask: { keep_last: 0 } }
";

/// Runs beside a good object; all that a failure must keep to, whatever it is. Gives its message.
#[track_caller]
fn fails_clean(lake: &Lake, object: &str, code: &str) -> String {
    lake.put("in/good.csv", "id,name,note\n1,a@example.com,fine\n");
    let args = ["--report-html", "report.html", "--openlineage", "events.jsonl", "--report", "report.json"];
    let ran = lake.run(&args).expect(1);
    let report = lake.json("report.json");
    assert_eq!(report["status"], "partial", "{report:#}");
    let objects = report["objects"].as_array().expect("objects");
    let failed: Vec<_> = objects.iter().filter(|object| object["status"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{report:#}");
    assert_eq!((&failed[0]["input"]["path"], &failed[0]["failure"]["code"]), (&object.into(), &code.into()));
    let message = failed[0]["failure"]["message"].as_str().expect("a message").to_owned();

    assert_eq!(lake.objects("out"), ["good.csv"], "the other object is written, this one is not");
    assert_eq!(lake.table("out/good.csv")["id"], [Some(token("d", "1"))]);
    assert_eq!(lake.files("out/_lakeveil/tmp"), Vec::<String>::new(), "nothing half-written");
    assert_eq!(lake.files("out/_lakeveil/records").len(), 1, "no record of what was not done");
    for (place, words) in [("the terminal", ran.words()), ("the report", report.to_string())] {
        assert!(!words.contains(CANARY), "{place}: {words}");
    }
    assert_eq!(lake.holding("out", CANARY), Vec::<String>::new());
    for file in ["report.html", "events.jsonl"] {
        let text = std::fs::read_to_string(lake.path(file)).expect("was written");
        assert!(!text.contains(CANARY), "{file}");
    }
    assert!(ran.stdout.contains(object), "the terminal names the object: {}", ran.stdout);
    message
}

#[track_caller]
fn says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "`{word}` is missing in: {message}");
    }
}

fn lake_with(object: &str, bytes: impl AsRef<[u8]>) -> Lake {
    let lake = Lake::new();
    lake.put(&format!("in/{object}"), bytes);
    lake.policy(COLUMNS);
    lake
}

#[test]
fn fail_rows_with_too_many_or_too_few_fields() {
    let head = format!("id,name,note\n1,a@example.com,{CANARY}\n2,b@example.com,\"two\nlines\"\n");
    for (rows, words) in [
        (format!("3,{CANARY},x,y\n"), ["row 3", "4 fields", "3 columns"]),
        (format!("3,{CANARY}\n"), ["row 3", "2 fields", "3 columns"]),
    ] {
        let lake = lake_with("bad.csv", format!("{head}{rows}4,c@example.com,{CANARY}\n"));
        says(&fails_clean(&lake, "bad.csv", "csv-invalid"), &words);
    }
}

#[test]
fn fail_text_that_is_not_utf_8() {
    let mut bytes = format!("id,name,note\n1,a@example.com,{CANARY}\n2,").into_bytes();
    bytes.extend_from_slice(b"b\xff@example.com,x\n");
    let lake = lake_with("bad.csv", bytes);
    says(&fails_clean(&lake, "bad.csv", "csv-invalid"), &["row 2", "name", "UTF-8"]);
}

#[test]
fn fail_a_quote_that_is_never_closed() {
    let rows: String = (2..2_000).map(|row| format!("{row},b@example.com,{CANARY}\n")).collect();
    let lake = lake_with("bad.csv", format!("id,name,note\n1,a@example.com,\"{CANARY}\n{rows}"));
    says(&fails_clean(&lake, "bad.csv", "csv-invalid"), &["row 1", "quote"]);
}

#[test]
fn fail_a_header_with_the_same_name_twice() {
    let lake = lake_with("bad.csv", format!("id,name,name\n1,{CANARY},x\n"));
    says(&fails_clean(&lake, "bad.csv", "csv-invalid"), &["2 and 3", "same name"]);
}

#[test]
fn fail_a_value_that_a_normalization_step_cannot_take() {
    let lake = lake_with("bad.csv", format!("id,name,note\n1,a@example.com,x\n2,{CANARY},x\n3,{CANARY},x\n"));
    says(&fails_clean(&lake, "bad.csv", "value-refused"), &["name", "row 2", "email", "on_error"]);
}

#[test]
fn fail_compressed_text_that_ends_too_early_or_is_damaged() {
    let text: String = (0..20_000).map(|row| format!("{row},p{row}@example.com,{CANARY}\n")).collect();
    let text = format!("id,name,note\n{text}");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("in memory");
    let mut gzip = gzip.finish().expect("in memory");
    gzip.truncate(gzip.len() / 2);
    says(&fails_clean(&lake_with("bad.csv.gz", gzip), "bad.csv.gz", "stream-damaged"), &["gzip"]);
    let mut zstd = zstd::encode_all(text.as_bytes(), 1).expect("in memory");
    let middle = zstd.len() / 2;
    zstd[middle] ^= 0x55;
    // a flipped bit shows as a damaged stream, or, where it decompresses, as text that is none
    let lake = lake_with("bad.csv.zst", &zstd[..zstd.len() - 9]);
    says(&fails_clean(&lake, "bad.csv.zst", "stream-damaged"), &["zstd"]);
}

fn parquet(rows: usize) -> Vec<u8> {
    let lake = Lake::new();
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows as i64));
    let names = (0..rows).map(|row| Some(format!("{row}@example.com"))).collect::<StringArray>();
    let notes = (0..rows).map(|row| Some(format!("{CANARY} {row}"))).collect::<StringArray>();
    lake.put_parquet("in/x.parquet", vec![("id", ids), ("name", Arc::new(names)), ("note", Arc::new(notes))]);
    std::fs::read(lake.path("in/x.parquet")).expect("reads")
}

/// For objects whose failure is found before anything is planned, the good one gives the columns.
fn damaged(bytes: Vec<u8>, words: &[&str], code: &str) {
    let lake = lake_with("bad.parquet", bytes);
    says(&fails_clean(&lake, "bad.parquet", code), words);
}

#[test]
fn fail_a_truncated_parquet_file() {
    let bytes = parquet(5_000);
    for keep in [0, 3, 11, 200, bytes.len() / 2, bytes.len() - 1] {
        damaged(bytes[..keep].to_vec(), &["Parquet"], "parquet-invalid");
    }
}

#[test]
fn fail_a_parquet_file_of_random_bytes() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    let noise: Vec<u8> = (0..10_000).map(|_| random()).collect();
    damaged(noise.clone(), &["Parquet"], "parquet-invalid");
    // with the right magic and a footer length that fits
    let mut framed = [b"PAR1", &noise[..]].concat();
    framed.extend_from_slice(&5_000_u32.to_le_bytes());
    framed.extend_from_slice(b"PAR1");
    damaged(framed, &["Parquet"], "parquet-invalid");
}

#[test]
fn fail_pages_that_do_not_decode() {
    let mut bytes = parquet(5_000);
    // the header of the first chunk's first page
    bytes[4..30].fill(0xff);
    damaged(bytes, &["id", "row group 0"], "parquet-undecodable");
}

/// A footer as thrift: version, schema of one column `id` of 64-bit integers, rows, and what `groups` gives.
fn footer(rows: &[u8], groups: &[u8]) -> Vec<u8> {
    let root = [&[0x48, 4][..], b"root", &[0x15, 2, 0]].concat();
    let id = [&[0x15, 4, 0x25, 0, 0x18, 2][..], b"id", &[0]].concat();
    let thrift = [&[0x15, 2, 0x19, 0x2c][..], &root, &id, &[0x16], rows, &[0x19], groups, &[0]].concat();
    let length = u32::try_from(thrift.len()).expect("short").to_le_bytes();
    [&b"PAR1"[..], &thrift, &length, b"PAR1"].concat()
}

#[test]
fn fail_footers_that_claim_more_than_they_hold() {
    // the frame itself is sound: no rows, no row groups
    let lake = Lake::new();
    lake.put("in/t.parquet", footer(&[0], &[0x0c]));
    lake.policy("columns: { id: keep }\n");
    lake.run_well(&[]);

    // two thousand million row groups, in a file of some hundred bytes
    damaged(footer(&[0], &[0xfc, 0xff, 0xff, 0xff, 0xff, 0x07]), &["claims more than it holds"], "parquet-invalid");
    // one row group of no columns and 2^40 rows
    let group = [&[0x1c][..], &[0x19, 0x0c, 0x16, 0, 0x16], &[0x80, 0x80, 0x80, 0x80, 0x80, 0x40], &[0]].concat();
    damaged(footer(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x40], &group), &["Parquet"], "parquet-invalid");
}

#[test]
fn a_mended_object_is_written_by_the_next_run_alone() {
    let lake = lake_with("bad.csv", format!("id,name,note\n1,{CANARY},x\n"));
    fails_clean(&lake, "bad.csv", "value-refused");
    lake.put("in/bad.csv", "id,name,note\n5,b@example.com,x\n");
    let report = lake.run_well(&[]);
    assert_eq!(report["totals"]["objects_written"], 1);
    assert_eq!(report["totals"]["objects_skipped"], 1);
    assert_eq!(lake.table("out/bad.csv")["id"], [Some(token("d", "5"))]);
}

#[test]
fn values_that_fail_under_to_null_and_redact_never_pass() {
    for (rule, expected) in [("to_null", None), ("redact", Some("[redacted]".to_owned()))] {
        let lake = lake_with("t.csv", format!("id,name,note\n1,{CANARY},x\n2,a@example.com,x\n"));
        lake.policy(&COLUMNS.replace("normalize: [email],", &format!("normalize: [email], on_error: {rule},")));
        let report = lake.run_well(&[]);
        assert_eq!(lake.table("out/t.csv")["name"], [expected, Some(token("d", "a@example.com"))]);
        let column = report["columns"].as_array().expect("columns").iter().find(|c| c["name"] == "name").expect("name");
        assert_eq!((&column["failed"], &column["transformed"]), (&1.into(), &1.into()));
        assert_eq!(lake.holding("out", CANARY), Vec::<String>::new());
    }
}
