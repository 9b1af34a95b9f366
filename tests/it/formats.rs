//! One table in every format on both sides: the same tokens, nulls apart from empties, rows in order.

mod either_way;
mod every_rule;
mod fields;
mod footers;
mod large;
mod sources;
mod surgery;
mod web;

use std::fs;
use std::io::{Read, Write};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use sha2::Sha256;

use crate::support::{Lake, SECRET, Table, token};

const ROWS: usize = 3_000;

/// What a CSV file looks like.
#[derive(Clone, Copy)]
pub struct Dialect {
    delimiter: char,
    quote: char,
    escape: Option<char>,
    header: bool,
}

pub const USUAL: Dialect = Dialect { delimiter: ',', quote: '"', escape: None, header: true };

/// Some are null, some empty; many occur more than once.
fn email(row: usize) -> Option<String> {
    match row % 10 {
        3 => None,
        7 => Some(String::new()),
        _ => Some(format!("żółw{}@example.com", row % 900)),
    }
}

/// As [`email`], in a column that is kept.
fn blank(row: usize) -> Option<String> {
    match row % 3 {
        0 => None,
        1 => Some(String::new()),
        _ => Some(" ".to_owned()),
    }
}

/// Everything that a CSV file must quote, whatever its dialect.
fn note(row: usize) -> String {
    format!("line one, {row}\r\nand \"two\";\ttab 'end' \\ ünï 日本")
}

/// The table as CSV; text is quoted always, so that an empty one is not null.
fn csv_text(rows: usize, dialect: Dialect) -> String {
    let Dialect { delimiter, quote, escape, header } = dialect;
    let quoted = |text: String| {
        let inner = match escape {
            None => text.replace(quote, &format!("{quote}{quote}")),
            Some(escape) => text.chars().fold(String::new(), |mut inner, c| {
                inner.extend((c == quote || c == escape).then_some(escape));
                inner.push(c);
                inner
            }),
        };
        format!("{quote}{inner}{quote}")
    };
    let line = |fields: [String; 4]| fields.join(&delimiter.to_string()) + "\n";
    let mut text = String::new();
    if header {
        text += &line(["id", "email", "blank", "note"].map(str::to_owned));
    }
    for row in 0..rows {
        let or_null = |text: Option<String>| text.map(quoted).unwrap_or_default();
        text += &line([(row * 7).to_string(), or_null(email(row)), or_null(blank(row)), quoted(note(row))]);
    }
    text
}

/// Line ends between records only: those inside quotes are data.
fn crlf(text: &str) -> String {
    let mut quoted = false;
    let mut out = String::with_capacity(text.len() + ROWS);
    for c in text.chars() {
        quoted ^= c == '"';
        out += if c == '\n' && !quoted { "\r" } else { "" };
        out.push(c);
    }
    out
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("writes to memory");
    encoder.finish().expect("writes to memory")
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 1).expect("in memory")
}

/// The table as Parquet, in several row groups; ids are integers here.
fn parquet(rows: usize) -> Vec<u8> {
    let columns: [(&str, ArrayRef); 4] = [
        ("id", Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|row| row * 7)))),
        ("email", Arc::new((0..rows).map(email).collect::<StringArray>())),
        ("blank", Arc::new((0..rows).map(blank).collect::<StringArray>())),
        ("note", Arc::new((0..rows).map(|row| Some(note(row))).collect::<StringArray>())),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)));
    let batch = batch.expect("columns of one length");
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(700)).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a schema for Parquet");
    writer.write(&batch).expect("writes");
    assert!(writer.close().expect("closes").num_row_groups() > rows / 701);
    bytes
}

/// All 32 bytes of the token of any bytes, where [`token`] takes text and gives 16.
pub fn mac(domain: &str, tenant: &str, value: &[u8]) -> [u8; 32] {
    let mut info = Vec::new();
    for part in ["pseudonym", domain, tenant] {
        info.extend_from_slice(&u32::try_from(part.len()).expect("short").to_be_bytes());
        info.extend_from_slice(part.as_bytes());
    }
    let mut subkey = [0; 32];
    Hkdf::<Sha256>::new(Some(b"lakeveil.v1"), SECRET.as_bytes()).expand(&info, &mut subkey).expect("32 bytes");
    let mut mac = Hmac::<Sha256>::new_from_slice(&subkey).expect("any length");
    mac.update(value);
    mac.finalize().into_bytes().into()
}

fn expected(rows: usize) -> Table {
    let columns: [(&str, Vec<Option<String>>); 4] = [
        ("id", (0..rows).map(|row| Some(token("ids", &(row * 7).to_string()))).collect()),
        ("email", (0..rows).map(|row| email(row).map(|email| token("emails", &email))).collect()),
        ("blank", (0..rows).map(blank).collect()),
        ("note", (0..rows).map(|row| Some(note(row))).collect()),
    ];
    columns.map(|(name, values)| (name.to_owned(), values)).into()
}

/// An output as columns. Other than the `csv` crate this tells null (nothing) from the empty text (quotes).
pub fn read(lake: &Lake, path: &str, dialect: Dialect) -> Table {
    if path.ends_with(".parquet") {
        return lake.table(path);
    }
    let bytes = fs::read(lake.path(path)).expect("reads");
    let mut records = cells(&plain(path, &bytes), dialect).into_iter();
    let names = match dialect.header {
        true => records.next().expect("a header").into_iter().flatten().collect(),
        false => ["id", "email", "blank", "note"].map(str::to_owned).to_vec(),
    };
    let mut table: Table = names.iter().map(|name| (name.clone(), Vec::new())).collect();
    for record in records {
        assert_eq!(record.len(), names.len(), "{path}: {record:?}");
        for (name, value) in names.iter().zip(record) {
            table.get_mut(name).expect("a known column").push(value);
        }
    }
    table
}

fn plain(name: &str, bytes: &[u8]) -> String {
    let mut text = Vec::new();
    match name.rsplit_once('.').expect("has an extension").1 {
        "gz" => _ = flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).expect("is gzip"),
        "zst" => text = zstd::decode_all(bytes).expect("is zstd"),
        _ => text = bytes.to_vec(),
    }
    let text = String::from_utf8(text).expect("is UTF-8");
    text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned()
}

/// RFC 4180, one character after the other.
fn cells(text: &str, Dialect { delimiter, quote, .. }: Dialect) -> Vec<Vec<Option<String>>> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), None::<String>);
    let mut inside = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if inside && c == quote && chars.peek() != Some(&quote) {
            inside = false;
        } else if inside {
            // of a doubled quote the second is data
            let literal = if c == quote { chars.next() } else { Some(c) };
            field.get_or_insert_default().extend(literal);
        } else if c == quote && field.is_none() {
            inside = true;
            field.get_or_insert_default();
        } else if c == '\r' && chars.peek() == Some(&'\n') {
            // one line break
        } else if c == delimiter || c == '\n' {
            record.push(field.take());
            if c == '\n' {
                records.push(std::mem::take(&mut record));
            }
        } else {
            field.get_or_insert_default().push(c);
        }
    }
    assert!(!inside, "a quote without end");
    // a last line without its end stays so
    if !record.is_empty() || field.is_some() {
        record.push(field);
        records.push(record);
    }
    records
}

fn policy(source: &str, sink: &str, rest: &str) -> String {
    format!(
        "version: 1\ndataset: test\nsource: {{ url: in/{source} }}\nsink: {{ url: out/{sink} }}\n\
         keyring: {{ file: keyring.json }}\n{rest}"
    )
}

const COLUMNS: &str = "columns:
  id: { pseudonym: { domain: ids } }
  email: { pseudonym: { domain: emails } }
  blank: keep
  note: keep
";

/// Each way in: the case, the file's name and bytes, what `source` says beside the URL.
fn inputs() -> Vec<(&'static str, &'static str, Vec<u8>, &'static str)> {
    let csv = |dialect: Dialect| csv_text(ROWS, dialect);
    let usual = csv(USUAL);
    let other = Dialect { delimiter: ';', quote: '\'', escape: Some('\\'), ..USUAL };
    let other_csv = ", csv: { delimiter: \";\", quote: \"'\", escape: \"\\\\\" }";
    vec![
        ("csv", "t.csv", usual.clone().into(), ""),
        ("tabs, by the name", "t.tsv", csv(Dialect { delimiter: '\t', ..USUAL }).into(), ""),
        ("another delimiter, quote and escape", "t.csv", csv(other).into(), other_csv),
        ("no header", "t.csv", csv(Dialect { header: false, ..USUAL }).into(), ", csv: { header: false }"),
        ("gzip", "t.csv.gz", gzip(&usual), ""),
        ("zstd", "t.csv.zst", zstd(&usual), ""),
        ("a byte order mark", "t.csv", format!("\u{feff}{usual}").into(), ""),
        ("CRLF", "t.csv", crlf(&usual).into(), ""),
        ("the format by the policy", "t", usual.into(), ", format: csv"),
        ("parquet", "t.parquet", parquet(ROWS), ""),
    ]
}

/// Each way out: the file's name, what `sink` says beside the URL, how the file is written.
fn outputs() -> [(&'static str, &'static str, Dialect); 6] {
    let semicolons = Dialect { delimiter: ';', quote: '\'', ..USUAL };
    [
        ("t.parquet", ", format: parquet", USUAL),
        ("t.csv", ", format: csv", USUAL),
        ("t.csv.gz", ", format: csv, csv: { compression: gzip }", USUAL),
        ("t.csv.zst", ", format: csv, csv: { compression: zstd }", USUAL),
        ("t.csv", ", format: csv, csv: { delimiter: \";\", quote: \"'\" }", semicolons),
        ("t.csv", ", format: csv, csv: { header: false }", Dialect { header: false, ..USUAL }),
    ]
}

#[test]
fn every_format_gives_the_same_tokens_in_every_other() {
    let expected = expected(ROWS);
    let numbered = ["id", "email", "blank", "note"].iter().enumerate().fold(COLUMNS.to_owned(), |rules, (at, name)| {
        let rule = |head: &str| format!("  {name}: {head}");
        let to = |head: &str| format!("  column_{}: {head} rename: {name}, ", at + 1);
        rules.replace(&rule("{ "), &to("{")).replace(&rule("keep"), &(to("{") + "keep: {} }"))
    });
    for (input, file, bytes, source) in inputs() {
        for (name, sink, dialect) in outputs() {
            let case = format!("{input} to {name}{sink}");
            let lake = Lake::new();
            lake.put(&format!("in/{file}"), &bytes);
            let rules = if source.contains("header: false") { numbered.as_str() } else { COLUMNS };
            lake.put("policy.yaml", policy(source, sink, rules));
            lake.run_well(&[]);
            assert_eq!(lake.objects("out"), [name], "{case}");
            let made = read(&lake, &format!("out/{name}"), dialect);
            for (column, values) in &expected {
                assert!(made[column] == *values, "{case}: {column} differs");
            }
            assert_eq!(made.len(), expected.len(), "{case}");
        }
    }
}

#[test]
fn threads_and_memory_change_neither_bytes_nor_order() {
    // text is cut into blocks of 4 MiB, so that several are under way at once, cuts inside quotes among them
    let rows = 90_000;
    let text = csv_text(rows, USUAL);
    assert!(text.len() > 5 << 20);
    let expected = expected(rows);
    let (csv, gz, parquet) = (("t.csv", text.clone().into()), ("t.csv.gz", gzip(&text)), ("t.parquet", parquet(rows)));
    for ((file, bytes), out) in [(&csv, 0), (&gz, 2), (&parquet, 3), (&parquet, 0)] {
        let (name, sink, dialect) = outputs()[out];
        let lake = Lake::new();
        lake.put(&format!("in/{file}"), bytes);
        lake.put("policy.yaml", policy("", sink, COLUMNS));
        lake.run_well(&["--threads", "1", "--sink", "one/"]);
        lake.run_well(&["--threads", "5", "--memory", "64MiB", "--sink", "five/"]);
        let made = |folder: &str| fs::read(lake.path(format!("{folder}/{name}"))).expect("reads");
        assert!(made("one") == made("five"), "{file} to {name}");
        let made = read(&lake, &format!("five/{name}"), dialect);
        assert!(made == expected, "{file} to {name}: not the rows in their order");
    }
}

#[test]
fn the_report_counts_values_nulls_and_empties() {
    let count = |is: fn(&Option<String>) -> bool| (0..ROWS).map(email).filter(is).count();
    let (nulls, empties) = (count(Option::is_none), count(|email| email.as_deref() == Some("")));
    for (file, bytes) in [("t.csv", csv_text(ROWS, USUAL).into()), ("t.parquet", parquet(ROWS))] {
        let lake = Lake::new();
        lake.put(&format!("in/{file}"), &bytes);
        lake.policy(COLUMNS);
        let report = lake.run_well(&[]);
        let columns = report["columns"].as_array().expect("columns");
        let email = columns.iter().find(|column| column["name"] == "email").expect("is reported");
        let told = ["values", "nulls", "transformed", "failed", "empties"].map(|name| (name, email[name].clone()));
        let expected =
            [("values", ROWS), ("nulls", nulls), ("transformed", ROWS - nulls), ("failed", 0), ("empties", empties)];
        assert_eq!(told, expected.map(|(name, count)| (name, count.into())), "{file}");
    }
}

#[test]
fn null_is_nothing_and_empty_is_quotes() {
    let lake = Lake::new();
    lake.put("in/t.csv", "a,b\n,x\n\"\",y\nv,z\nNULL,w\n\"NULL\",u\n");
    let b = ["x", "y", "z", "w", "u"].map(|value| token("b", value));
    let rules = "columns: { a: keep, b: { pseudonym: { domain: b } } }\n";
    let (empty, v, null) = (token("a", ""), token("a", "v"), token("a", "NULL"));
    let kept = format!("a,b\n,{}\n\"\",{}\nv,{}\nNULL,{}\n\"NULL\",{}\n", b[0], b[1], b[2], b[3], b[4]);
    for (case, source, rules, expected) in [
        ("kept", "", rules, format!("a,b\n,{}\n\"\",{}\nv,{}\nNULL,{}\nNULL,{}\n", b[0], b[1], b[2], b[3], b[4])),
        (
            "kept, another null",
            ", csv: { null: [\"NULL\"] }",
            rules,
            format!("a,b\n,{}\n\"\",{}\nv,{}\n,{}\nNULL,{}\n", b[0], b[1], b[2], b[3], b[4]),
        ),
        (
            "tokens",
            ", csv: { null: [\"\", \"NULL\"] }",
            "columns: { a: { pseudonym: { domain: a } }, b: keep }\n",
            format!("a,b\n,x\n{empty},y\n{v},z\n,w\n{null},u\n"),
        ),
        (
            "tokens, empties stay",
            "",
            "columns: { a: { pseudonym: { domain: a }, empty: keep }, b: keep }\n",
            format!("a,b\n,x\n\"\",y\n{v},z\n{null},w\n{null},u\n"),
        ),
        (
            "tokens, empties to null",
            "",
            "columns: { a: { pseudonym: { domain: a }, empty: to_null }, b: keep }\n",
            format!("a,b\n,x\n,y\n{v},z\n{null},w\n{null},u\n"),
        ),
    ] {
        lake.put("policy.yaml", policy(source, "", rules));
        lake.run_well(&["--full"]);
        // what is kept is kept to the byte, the words for null included
        let direct = if case.starts_with("kept") { &kept } else { &expected };
        assert_eq!(fs::read_to_string(lake.path("out/t.csv")).expect("reads"), *direct, "{case}");
        // by way of Parquet the same comes out
        lake.put("policy.yaml", policy(source, ", format: parquet", rules));
        lake.run_well(&["--sink", "via/", "--full"]);
        let keep = "version: 1\ndataset: back\nsource: { url: via/ }\nsink: { url: back/, format: csv }\n\
                    keyring: { file: keyring.json }\ncolumns: { a: keep, b: keep }\n";
        lake.put("policy.yaml", keep);
        lake.run_well(&["--full"]);
        assert_eq!(fs::read_to_string(lake.path("back/t.csv")).expect("reads"), expected, "{case}, by way of Parquet");
    }
}

#[test]
fn a_csv_that_is_written_can_be_read_again_whatever_its_dialect() {
    for (name, sink, _) in &outputs()[1..] {
        let lake = Lake::new();
        lake.put("in/t.csv", csv_text(50, USUAL));
        let keep = COLUMNS
            .replace("{ pseudonym: { domain: ids } }", "keep")
            .replace("{ pseudonym: { domain: emails } }", "keep");
        lake.put("policy.yaml", policy("", sink, &keep));
        lake.run_well(&[]);
        // what the sink says of the dialect, the source says too; compression shows by the name
        let dialect = sink.split_once("csv: {").map_or("", |(_, rest)| rest).replace("compression: gzip", "");
        let dialect = dialect.replace("compression: zstd", "");
        let numbered = if sink.contains("header") {
            ["column_1", "column_2", "column_3", "column_4"]
        } else {
            ["id", "email", "blank", "note"]
        };
        let rules: String = numbered.iter().map(|name| format!("  {name}: keep\n")).collect();
        let source = if dialect.is_empty() { String::new() } else { format!(", csv: {{ {dialect}") };
        let second = format!(
            "version: 1\ndataset: back\nsource: {{ url: out/{} }}\nsink: {{ url: back/, format: parquet }}\n\
             keyring: {{ file: keyring.json }}\ncolumns:\n{rules}",
            source
        );
        lake.put("policy.yaml", second);
        lake.run_well(&[]);
        let made = lake.table("back/t.parquet");
        let column = |at: usize| made[numbered[at]].clone();
        assert_eq!(column(1), (0..50).map(email).collect::<Vec<_>>(), "{name}{sink}");
        assert_eq!(column(2), (0..50).map(blank).collect::<Vec<_>>(), "{name}{sink}");
        assert_eq!(column(3), (0..50).map(|row| Some(note(row))).collect::<Vec<_>>(), "{name}{sink}");
    }
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
    let made = fs::read_to_string(lake.path("out/t.csv")).expect("reads");
    let (one, two) = (token("ids", "1"), token("ids", "2"));
    assert_eq!(made, format!("id;note\n{one};it's | one\n{two};two\n"));
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
