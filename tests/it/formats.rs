//! One table in every format on both sides: the same tokens, nulls apart from empties, rows in order.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};

use crate::support::{Lake, Table, table, texts, token};

const ROWS: usize = 3_000;

/// Some e-mail addresses are null, some empty.
fn email(row: usize) -> Option<String> {
    match row % 10 {
        3 => None,
        7 => Some(String::new()),
        _ => Some(format!("żółw{}@example.com", row % 900)),
    }
}

/// Texts that CSV must quote.
fn note(row: usize) -> String {
    format!("line one, {row}\nand \"two\"; tab\t'end'")
}

fn csv_text(delimiter: char, header: bool) -> String {
    let mut text = String::new();
    if header {
        text.push_str(&["id", "email", "note"].join(&delimiter.to_string()));
        text.push('\n');
    }
    for row in 0..ROWS {
        let email = match email(row) {
            None => String::new(),
            Some(email) => format!("\"{email}\""),
        };
        let note = note(row).replace('"', "\"\"");
        text.push_str(&format!("{}{delimiter}{email}{delimiter}\"{note}\"\n", row * 7));
    }
    text
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

fn put_parquet(lake: &Lake) {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values((0..ROWS as i64).map(|row| row * 7)));
    let emails: ArrayRef = Arc::new((0..ROWS).map(email).collect::<StringArray>());
    let notes: ArrayRef = Arc::new((0..ROWS).map(|row| Some(note(row))).collect::<StringArray>());
    lake.put_parquet("in/t.parquet", vec![("id", ids), ("email", emails), ("note", notes)]);
}

const COLUMNS: &str = "columns:
  id: { pseudonym: { domain: ids } }
  email: { pseudonym: { domain: emails } }
  note: keep
";

fn expected() -> Table {
    let ids = (0..ROWS).map(|row| Some(token("ids", &(row * 7).to_string()))).collect();
    let emails = (0..ROWS).map(|row| email(row).map(|email| token("emails", &email))).collect();
    let notes = (0..ROWS).map(|row| Some(note(row))).collect();
    [("id".to_owned(), ids), ("email".to_owned(), emails), ("note".to_owned(), notes)].into()
}

/// Puts an input into a lake.
type Put = Box<dyn Fn(&Lake)>;

/// Each way in: what to put, and what the policy's `source` says beside the URL.
fn inputs() -> Vec<(&'static str, Put, &'static str)> {
    let plain = |name: &'static str, delimiter: char| {
        Box::new(move |lake: &Lake| lake.put(&format!("in/{name}"), csv_text(delimiter, true))) as Put
    };
    vec![
        ("csv", plain("t.csv", ','), "{}"),
        ("tsv by its name", plain("t.tsv", '\t'), "{}"),
        ("semicolons", plain("t.csv", ';'), "{ delimiter: \";\" }"),
        ("gzip", Box::new(|lake| lake.put("in/t.csv.gz", gzip(&csv_text(',', true)))), "{}"),
        (
            "zstd",
            Box::new(|lake| {
                lake.put("in/t.csv.zst", zstd::encode_all(csv_text(',', true).as_bytes(), 1).expect("in memory"))
            }),
            "{}",
        ),
        ("a byte order mark", Box::new(|lake| lake.put("in/t.csv", format!("\u{feff}{}", csv_text(',', true)))), "{}"),
        ("CRLF", Box::new(|lake| lake.put("in/t.csv", crlf(&csv_text(',', true)))), "{}"),
        ("parquet", Box::new(put_parquet), ""),
    ]
}

/// Line ends between records only: those inside quotes are data.
fn crlf(text: &str) -> String {
    let mut quoted = false;
    let mut out = String::with_capacity(text.len() + ROWS);
    for c in text.chars() {
        quoted ^= c == '"';
        match c {
            '\n' if !quoted => out.push_str("\r\n"),
            other => out.push(other),
        }
    }
    out
}

#[test]
fn every_format_gives_the_same_tokens_in_every_other() {
    for (input, put, csv) in inputs() {
        for (name, sink) in [
            ("t.parquet", "{ format: parquet }"),
            ("t.csv", "{ format: csv }"),
            ("t.csv.gz", "{ format: csv, csv: { compression: gzip } }"),
            ("t.csv.zst", "{ format: csv, csv: { compression: zstd } }"),
        ] {
            let lake = Lake::new();
            put(&lake);
            let source = if csv.is_empty() { String::new() } else { format!(", csv: {csv}") };
            let sink = sink.replacen("{ ", "{ url: out/, ", 1);
            lake.put(
                "policy.yaml",
                format!(
                    "version: 1\ndataset: test\nsource: {{ url: in/{source} }}\nsink: {sink}\nkeyring: {{ file: keyring.json }}\n{COLUMNS}"
                ),
            );
            lake.run_well(&[]);
            assert_eq!(lake.objects("out"), [name], "{input}");
            let (mut made, mut expected) = (lake.table(&format!("out/{name}")), expected());
            if name != "t.parquet" {
                // the reader of this test can't tell an empty field from a quoted empty one; see below
                let empty = token("emails", "");
                assert!(made["email"].iter().flatten().any(|made| *made == empty), "{input} to {name}");
            }
            assert_eq!(made.remove("email"), expected.remove("email"), "{input} to {name}");
            assert_eq!(made, expected, "{input} to {name}");
        }
    }
}

#[test]
fn csv_without_a_header_has_numbered_columns() {
    let lake = Lake::new();
    lake.put("in/t.csv", csv_text(',', false));
    lake.put(
        "policy.yaml",
        "version: 1\ndataset: test\nsource: { url: in/, csv: { header: false } }\nsink: { url: out/, format: parquet }\n\
         keyring: { file: keyring.json }\ncolumns: { column_1: { pseudonym: { domain: ids } }, column_2: drop, column_3: keep }\n",
    );
    lake.run_well(&[]);
    let made = lake.table("out/t.parquet");
    assert_eq!(made["column_1"], expected()["id"]);
    assert_eq!(made["column_3"], expected()["note"]);
}

#[test]
fn other_quotes_and_escapes_are_read_and_written() {
    let lake = Lake::new();
    lake.put("in/t.csv", "id|note\n1|'it\\'s | one'\n2|two\n");
    lake.put(
        "policy.yaml",
        "version: 1\ndataset: test\nsource: { url: in/, csv: { delimiter: \"|\", quote: \"'\", escape: \"\\\\\" } }\n\
         sink: { url: out/, csv: { delimiter: \";\" } }\nkeyring: { file: keyring.json }\n\
         columns: { id: { pseudonym: { domain: ids } }, note: keep }\n",
    );
    lake.run_well(&[]);
    let made = std::fs::read_to_string(lake.path("out/t.csv")).expect("reads");
    let (one, two) = (token("ids", "1"), token("ids", "2"));
    assert_eq!(made, format!("id;note\n{one};it's | one\n{two};two\n"));
}

#[test]
fn null_and_empty_stay_apart_on_every_way() {
    let source = "a,b\n,x\n\"\",y\nv,z\n";
    let lake = Lake::new();
    lake.put("in/t.csv", source);
    lake.policy("columns: { a: keep, b: { pseudonym: { domain: b } } }\n");
    lake.run_well(&[]);
    let tokens = ["x", "y", "z"].map(|value| token("b", value));
    let expected = format!("a,b\n,{}\n\"\",{}\nv,{}\n", tokens[0], tokens[1], tokens[2]);
    assert_eq!(std::fs::read_to_string(lake.path("out/t.csv")).expect("reads"), expected);

    lake.policy("columns: { a: { pseudonym: { domain: a } }, b: keep }\n");
    lake.run_well(&["--sink", "parquet/", "--full"]);
    let text = std::fs::read_to_string(lake.path("parquet/t.csv")).expect("reads");
    assert_eq!(text, format!("a,b\n,x\n{},y\n{},z\n", token("a", ""), token("a", "v")));
}

#[test]
fn what_an_empty_value_becomes() {
    for (rule, expected) in [
        ("value", [Some(token("a", "")), Some(token("a", "v")), None]),
        ("to_null", [None, Some(token("a", "v")), None]),
        ("keep", [Some(String::new()), Some(token("a", "v")), None]),
    ] {
        let lake = Lake::new();
        let values: ArrayRef = Arc::new(StringArray::from(vec![Some(" "), Some("v "), None]));
        lake.put_parquet("in/t.parquet", vec![("a", values)]);
        lake.policy(&format!("columns: {{ a: {{ normalize: [trim], pseudonym: {{ domain: a }}, empty: {rule} }} }}\n"));
        // `trim` may empty a value; what then happens is the rule's to say
        lake.run_well(&[]);
        assert_eq!(lake.table("out/t.parquet")["a"], expected, "{rule}");
    }
}

#[test]
fn tokens_do_not_depend_on_threads_or_on_how_rows_are_grouped() {
    let lake = Lake::new();
    lake.put("in/t.csv", csv_text(',', true));
    lake.policy(COLUMNS);
    lake.run_well(&["--threads", "1", "--sink", "one/"]);
    lake.run_well(&["--threads", "5", "--memory", "64MiB", "--sink", "five/"]);
    let bytes = |path: &str| std::fs::read(lake.path(path)).expect("reads");
    assert!(bytes("one/t.csv") == bytes("five/t.csv"));
    assert_eq!(table(&lake.path("five/t.csv"))["id"], expected()["id"]);
}

#[test]
fn a_file_a_glob_and_a_tree_are_sources() {
    let lake = Lake::new();
    for (path, id) in [("in/a.csv", 1), ("in/day=1/b.csv", 2), ("in/day=2/c.csv", 3), ("in/day=2/c.txt", 4)] {
        lake.put(path, format!("id\n{id}\n"));
    }
    lake.policy("columns: { id: { pseudonym: { domain: ids } }, day: { keep: {}, optional: true } }\n");
    for (source, sink, outputs) in [
        ("in/a.csv", "one/", vec!["a.csv"]),
        ("in/day=*/*.csv", "days/", vec!["day=1/b.csv", "day=2/c.csv"]),
        ("in/**/*.csv", "all/", vec!["a.csv", "day=1/b.csv", "day=2/c.csv"]),
        ("in/day=1/", "day/", vec!["b.csv"]),
    ] {
        lake.run_well(&["--source", source, "--sink", sink]);
        assert_eq!(lake.objects(sink), outputs, "{source}");
    }
    let made = lake.table("days/day=2/c.csv");
    assert_eq!(made["id"], vec![Some(token("ids", "3"))]);
}

#[test]
fn variables_come_from_the_command_line_before_the_environment() {
    let lake = Lake::new();
    lake.put("in/2026-11-25.csv", "id\n1\n");
    lake.put("in/2026-11-24.csv", "id\n2\n");
    lake.policy_between("in/${DAY}.csv", "out/${WHERE:-here}/", "columns: { id: { redact: \"${WORD}\" } }\n");
    lake.run_well(&["--set", "DAY=2026-11-25", "--set", "WORD=gone"]);
    assert_eq!(lake.table("out/here/2026-11-25.csv")["id"], texts(["gone"]));
    let error = lake.run(&["--set", "DAY=2026-11-25"]).expect(2).stderr;
    assert!(error.contains("WORD"), "{error}");
}
