//! Objects that are not what they should be: each fails by itself, is named with its place, shows no value, and leaves
//! nothing half-written; the others go on.

mod versions;

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use crate::support::{Lake, Ran, texts, token};

/// Stands beside and in every fault, and may be seen nowhere.
const CANARY: &str = "CANARY-7f3a";

const COLUMNS: &str = "columns:
  id: { pseudonym: { domain: d } }
  name: { normalize: [email], pseudonym: { domain: d } }
  note: { mask: { keep_last: 0 } }
";

/// The object beside the bad one.
const GOOD: &str = "id,name,note\n1,a@example.com,fine\n";

const REPORTS: [&str; 6] = ["--report", "report.json", "--report-html", "report.html", "--openlineage", "events.jsonl"];

/// Runs beside a good object; gives the failure's message.
#[track_caller]
fn fails_clean(lake: &Lake, object: &str, code: &str) -> String {
    lake.put("in/good.csv", GOOD);
    failed_clean(lake, lake.run(&REPORTS), object, code)
}

/// All that a failure must keep to, whatever it is. Gives its message.
#[track_caller]
fn failed_clean(lake: &Lake, ran: Ran, object: &str, code: &str) -> String {
    let ran = ran.expect(1);
    let report = lake.json("report.json");
    assert_eq!(report["status"], "partial", "{report:#}");
    let objects = report["objects"].as_array().expect("objects");
    let failed: Vec<_> = objects.iter().filter(|object| object["status"] == "failed").collect();
    assert_eq!(failed.len(), 1, "{report:#}");
    assert_eq!((&failed[0]["input"]["path"], &failed[0]["failure"]["code"]), (&object.into(), &code.into()));
    let message = failed[0]["failure"]["message"].as_str().expect("a message").to_owned();

    assert_eq!(lake.objects("out"), ["good.csv"], "the other object is written, this one is not");
    assert_eq!(lake.table("out/good.csv")["id"], [Some(token("d", "1"))]);
    let mut kept: Vec<_> =
        lake.files("out/_lakeveil").iter().map(|path| path.split('/').next().map(str::to_owned)).collect();
    kept.dedup();
    assert_eq!(kept, texts(["records", "reports"]), "nothing half-written: {:?}", lake.files("out"));
    assert_eq!(lake.files("out/_lakeveil/records").len(), 1, "no record of what was not done");
    shows_no_canary(lake, &ran);

    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let told = squeezed(&format!("{object}: {message}"));
    assert!(squeezed(&ran.stdout).contains(&told), "the terminal tells it: {}", ran.stdout);
    let html = std::fs::read_to_string(lake.path("report.html")).expect("was written");
    assert!(html.contains(object) && html.contains(code), "the page names {object} and {code}");
    let events = std::fs::read_to_string(lake.path("events.jsonl")).expect("was written");
    let last: Value = serde_json::from_str(events.lines().last().expect("an event")).expect("is JSON");
    assert_eq!(last["eventType"], "FAIL");
    let told = last["run"]["facets"]["errorMessage"]["message"].as_str().expect("a message");
    assert!(told.contains(object) && told.contains(&message), "the event tells it: {told}");
    message
}

/// Neither the terminal nor any file but the inputs, reports and lineage and `_lakeveil/` included.
#[track_caller]
fn shows_no_canary(lake: &Lake, ran: &Ran) {
    assert!(!ran.words().contains(CANARY), "the terminal: {}", ran.words());
    let mut holding = lake.holding("", CANARY);
    holding.retain(|path| !path.starts_with("in/"));
    assert_eq!(holding, Vec::<String>::new(), "these files show a value");
}

/// Whether each of `words` stands in the message; a number at a word's end must end there too.
#[track_caller]
fn says(message: &str, words: &[&str]) {
    for word in words {
        let whole =
            |(at, _): (usize, &str)| !message[at + word.len()..].starts_with(|next: char| next.is_ascii_digit());
        assert!(message.match_indices(word).any(whole), "`{word}` is missing in: {message}");
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

/// The same faults at the start of an object, and where a part of its output has been written already.
#[test]
fn fail_faulty_rows_by_their_number_however_far_into_the_object() {
    let filler = format!("\"{CANARY}\n{}\"", "x".repeat(1_000));
    let far = 18_000;
    for (row, code, words) in [
        (format!("{far},{CANARY},x,y\n").into_bytes(), "csv-invalid", &["4 fields", "3 columns", "csv.delimiter"][..]),
        ([b"0,\xff".as_slice(), CANARY.as_bytes(), b",x\n"].concat(), "csv-invalid", &["`name`", "UTF-8", "convert"]),
        (format!("0,a@example.com,\"{CANARY}\n").into_bytes(), "csv-invalid", &["`note`", "never closed", "csv.quote"]),
        (
            format!("0,a@example.com,\"{CANARY}\"x\n").into_bytes(),
            "csv-invalid",
            &["`note`", "closing quote", "double"],
        ),
        (format!("0,{CANARY},x\n").into_bytes(), "value-refused", &["`name`", "email", "`on_error`"]),
    ] {
        for before in [0, far - 1] {
            let mut bytes = b"id,name,note\n".to_vec();
            for id in 0..before {
                bytes.extend_from_slice(format!("{id},p{id}@example.com,{filler}\n").as_bytes());
            }
            bytes.extend_from_slice(&row);
            for id in 0..10 {
                bytes.extend_from_slice(format!("{id},p{id}@example.com,{CANARY}\n").as_bytes());
            }
            let lake = lake_with("bad.csv", bytes);
            let message = fails_clean(&lake, "bad.csv", code);
            says(&message, words);
            says(&message, &[&format!("row {}", before + 1)]);
        }
    }
}

#[test]
fn fail_at_the_row_of_the_object_when_a_condition_passes_rows_over() {
    let rows: String = (1..10).map(|id| format!("{id},a@example.com,x\n")).collect();
    let lake = lake_with("bad.csv", format!("id,name,note\n{rows}10,{CANARY},x\n"));
    lake.policy(&format!("where: \"id in ('1', '10')\"\n{COLUMNS}"));
    says(&fails_clean(&lake, "bad.csv", "value-refused"), &["`name`", "row 10"]);
}

#[test]
fn fail_the_first_of_several_faulty_rows_however_many_threads_there_are() {
    let faulty: String =
        (0..50_000).map(|id| format!("{id},{}{id},{CANARY}\n", ["a@example.com", CANARY][id / 30_000])).collect();
    for threads in ["1", "4"] {
        let lake = lake_with("bad.csv", format!("id,name,note\n{faulty}"));
        lake.put("in/good.csv", GOOD);
        let ran = lake.run(&[&REPORTS[..], &["--threads", threads]].concat());
        says(&failed_clean(&lake, ran, "bad.csv", "value-refused"), &["`name`", "row 30001"]);
    }
}

#[test]
fn fail_sql_over_a_value_without_quoting_it() {
    let cast = "case when id = '1' then 1 else cast(note as int) end";
    for (column, policy) in [
        ("`where`", format!("where: \"{cast} > 0\"\n{COLUMNS}")),
        ("`number`", format!("{COLUMNS}  number: {{ derive: \"{cast}\" }}\n")),
    ] {
        let lake = lake_with("bad.csv", format!("id,name,note\n1,a@example.com,x\n2,b@example.com,{CANARY}\n"));
        lake.policy(&policy);
        says(&fails_clean(&lake, "bad.csv", "column-impossible"), &[column, "a value", "cast"]);
    }
}

#[test]
fn fail_a_value_that_is_not_of_its_columns_type() {
    for (column_type, words) in [("date", "no date"), ("int64", "no int64"), ("\"decimal(9,2)\"", "no decimal(9,2)")] {
        let lake = lake_with("bad.csv", format!("id,name,note\n1,a@example.com,\n2,b@example.com,{CANARY}\n"));
        lake.policy(
            &COLUMNS.replace(
                "note: { mask: { keep_last: 0 } }",
                &format!("note: {{ nullify: {{}}, type: {column_type} }}"),
            ),
        );
        lake.put("in/good.csv", GOOD.replace("fine", ""));
        let ran = lake.run(&REPORTS);
        says(&failed_clean(&lake, ran, "bad.csv", "csv-invalid"), &["row 2", "`note`", words, "`csv.null`"]);
    }
}

/// What a script sees that reads neither report.
#[test]
fn fail_quietly_with_the_whole_message_and_plan_it_without_a_value() {
    let lake = lake_with("bad.csv", format!("id,name,note\n1,a@example.com,x\n2,{CANARY}\n"));
    let message = fails_clean(&lake, "bad.csv", "csv-invalid");
    for log in ["text", "json"] {
        let ran = lake.run(&["--quiet", "--log-format", log]).expect(1);
        assert_eq!(ran.stdout, "", "{log}");
        says(&ran.stderr, &["bad.csv", &message]);
        shows_no_canary(&lake, &ran);
    }
    lake.put("in/bad.csv", format!("id,id,note\n1,{CANARY},x\n"));
    for format in ["text", "json"] {
        let ran = lake.lakeveil("plan", ["--format", format]).expect(0);
        says(&ran.stdout, &["bad.csv", "columns 1 and 2 have the same name"]);
        shows_no_canary(&lake, &ran);
    }
}

#[test]
fn fail_a_header_that_names_no_columns_or_one_twice() {
    for (header, words) in [
        (b"id,name,name".to_vec(), &["columns 2 and 3", "same name", "rename one", "csv.header"][..]),
        ([CANARY, ",name,", CANARY].concat().into_bytes(), &["columns 1 and 3", "same name"]),
        ([b"id,\xff".as_slice(), CANARY.as_bytes(), b",note"].concat(), &["field 2 of the header", "UTF-8"]),
        (format!("id,name,\"{CANARY}").into_bytes(), &["field 3 of the first record", "never closed"]),
        (format!("id,name,\"{CANARY}\"{CANARY}").into_bytes(), &["field 3 of the first record", "closing quote"]),
        (format!("id,,{CANARY}").into_bytes(), &["column 2", "no name"]),
    ] {
        let bytes = [header, format!("\n1,{CANARY},x\n").into_bytes()].concat();
        says(&fails_clean(&lake_with("bad.csv", bytes), "bad.csv", "csv-invalid"), words);
    }
    says(&fails_clean(&lake_with("bad.csv", ""), "bad.csv", "csv-invalid"), &["holds no record", "leave it out"]);
}

#[test]
fn fail_a_value_that_a_normalization_step_cannot_take() {
    let lake = lake_with("bad.csv", format!("id,name,note\n1,a@example.com,x\n2,{CANARY},x\n3,{CANARY},x\n"));
    says(&fails_clean(&lake, "bad.csv", "value-refused"), &["name", "row 2", "email", "on_error"]);
}

/// Of each damage of a compressed object: what is kept of it, and the bit that is turned.
#[test]
fn fail_compressed_text_that_ends_too_early_or_is_damaged() {
    let text: String = (0..20_000).map(|row| format!("{row},p{row}@example.com,{CANARY}\n")).collect();
    let text = format!("id,name,note\n{text}");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).expect("in memory");
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).expect("in memory");
    // without it nobody could tell every turned bit
    zstd.include_checksum(true).expect("in memory");
    zstd.write_all(text.as_bytes()).expect("in memory");
    for (object, bytes) in [("bad.csv.gz", gzip.finish()), ("bad.csv.zst", zstd.finish())] {
        let bytes = bytes.expect("in memory");
        let codec = if object.ends_with("gz") { "gzip" } else { "zstd" };
        let last = bytes.len() - 1;
        for keep in [0, 1, 9, last / 2, last] {
            let message = fails_clean(&lake_with(object, &bytes[..keep]), object, "stream-damaged");
            says(&message, &[codec, "ends early", "copy it again"]);
        }
        for turned in [0, last / 3, last / 2, last - 1] {
            let mut damaged = bytes.clone();
            damaged[turned] ^= 1;
            let message = fails_clean(&lake_with(object, damaged), object, "stream-damaged");
            says(&message, &[codec, "damaged"]);
        }
        let trailed = [&bytes[..], CANARY.as_bytes()].concat();
        says(&fails_clean(&lake_with(object, trailed), object, "stream-damaged"), &[codec]);
    }
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

const GROUP_ROWS: usize = 1_000;

/// Three row groups, compressed, so that garbage within a page shows.
fn grouped(name: impl Fn(usize) -> String) -> Vec<u8> {
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = None;
    for group in 0..3 {
        let rows = group * GROUP_ROWS..(group + 1) * GROUP_ROWS;
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row as i64 * 7_919)));
        let names: ArrayRef = Arc::new(rows.clone().map(|row| Some(name(row))).collect::<StringArray>());
        let notes: ArrayRef = Arc::new(rows.map(|row| Some(format!("{CANARY} {row}"))).collect::<StringArray>());
        let columns = [("id", ids, true), ("name", names, true), ("note", notes, true)];
        let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
        let writer = writer.get_or_insert_with(|| {
            ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties.clone())).expect("a schema for Parquet")
        });
        writer.write(&batch).and_then(|()| writer.flush()).expect("writes");
    }
    writer.expect("there are groups").into_inner().expect("closes")
}

#[test]
fn fail_garbage_within_a_column_chunk_by_column_and_row_group() {
    let bytes = grouped(|row| format!("{CANARY}{row}@example.com"));
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(bytes.clone())).expect("a footer");
    for (at, column) in ["id", "name", "note"].into_iter().enumerate() {
        for group in 0..3 {
            let page = metadata.row_group(group).column(at).data_page_offset() as usize;
            let mut damaged_bytes = bytes.clone();
            damaged_bytes[page..page + 40].fill(0xff);
            let words = [format!("column `{column}`"), format!("row group {group}"), "restore".to_owned()];
            damaged(damaged_bytes, &words.each_ref().map(String::as_str), "parquet-undecodable");
        }
    }
}

#[test]
fn fail_text_of_a_parquet_column_that_is_not_utf_8() {
    let mut bytes = parquet(100);
    // the first place is in a page, later ones are in the footer
    let at = memchr::memmem::find(&bytes, CANARY.as_bytes()).expect("is there");
    bytes[at + CANARY.len()] = 0xff;
    damaged(bytes, &["column `note`", "row group 0"], "parquet-undecodable");
}

#[test]
fn fail_a_value_of_a_later_row_group_at_the_row_of_the_object() {
    for (group, row) in [(0, 1), (1, 1_001), (2, 3_000)] {
        let name = |at: usize| if at + 1 == row { CANARY.to_owned() } else { format!("{CANARY}{at}@example.com") };
        let lake = lake_with("bad.parquet", grouped(name));
        let message = fails_clean(&lake, "bad.parquet", "value-refused");
        assert!((group * GROUP_ROWS..(group + 1) * GROUP_ROWS).contains(&(row - 1)));
        says(&message, &["`name`", &format!("row {row}"), "email", "`on_error`"]);
    }
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
        let ran = lake.run(&REPORTS).expect(0);
        let report = lake.json("report.json");
        assert_eq!(lake.table("out/t.csv")["name"], [expected, Some(token("d", "a@example.com"))]);
        let column = report["columns"].as_array().expect("columns").iter().find(|c| c["name"] == "name").expect("name");
        assert_eq!((&column["failed"], &column["transformed"]), (&1.into(), &1.into()));
        shows_no_canary(&lake, &ran);
    }
}
