//! Damaged and hostile Parquet files: an object fails by itself with its place named, or gives an output; the program
//! neither breaks nor takes more memory than the bytes deserve, and nothing of one column passes as another.

use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::schema::types::ColumnPath;
use serde_json::Value;

use crate::support::{Lake, Ran, lakeveil};

/// In every value of the columns that must not pass.
pub const CANARY: &str = "CANARY";

const ROWS: i64 = 40;

const RULES: &str = "unlisted: drop
columns:
  person: { optional: true, pseudonym: { domain: persons } }
  \"tags[]\": { optional: true, pseudonym: { domain: tags } }
  number: { optional: true, mask: { keep_last: 1 } }
  place: { optional: true, keep: {} }
";

fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(Compression::UNCOMPRESSED)
}

/// Columns of each kind: texts with nulls, lists, numbers, texts that stay, texts that go.
fn file(properties: WriterPropertiesBuilder) -> Vec<u8> {
    let texts = |word: &str, distinct: i64| -> ArrayRef {
        let text = |row: i64| (row % 5 > 0).then(|| format!("{word}{}", row % distinct));
        Arc::new((0..ROWS).map(text).collect::<StringArray>())
    };
    let lists =
        (0..ROWS).map(|row| (row % 4 > 0).then(move || (0..row % 3).map(move |item| Some((row + item) as i32))));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("person", texts(&format!("{CANARY}-P"), 7)),
        ("tags", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))),
        ("number", Arc::new(Int64Array::from_iter_values((0..ROWS).map(|row| 7_700_000_000_000 + row)))),
        ("gone", texts(&format!("{CANARY}-G"), 11)),
        ("place", texts("town", 5)),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.expect("columns of one length");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).expect("a schema");
    writer.write(&batch).expect("writes");
    writer.close().expect("closes");
    bytes
}

/// Runs a lake, and gives the most memory that the run took, in bytes.
fn run_measured(lake: &Lake) -> (Ran, u64) {
    let mut command = lakeveil();
    command.current_dir(lake.path("")).args(["run", "policy.yaml", "--no-fsync", "--report", "report.json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    let status = format!("/proc/{}/status", child.id());
    let drain = |mut pipe: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).expect("reads");
            bytes
        })
    };
    let out = drain(Box::new(child.stdout.take().expect("a pipe")));
    let err = drain(Box::new(child.stderr.take().expect("a pipe")));
    let mut peak = 0;
    let status = loop {
        if let Some(ended) = child.try_wait().expect("waits") {
            break ended;
        }
        let told = fs::read_to_string(&status).unwrap_or_default();
        let kib = told
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|line| line.trim().strip_suffix(" kB").and_then(|kib| kib.trim().parse::<u64>().ok()));
        peak = peak.max(kib.unwrap_or(0) << 10);
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    let (stdout, stderr) = (out.join().expect("no panic"), err.join().expect("no panic"));
    (Ran::of(std::process::Output { status, stdout, stderr }), peak)
}

/// Sizes of a run that does next to nothing; a debug build, its threads and tables included.
const LITTLE_BYTES: u64 = 512 << 20;

/// What a run over hostile files must keep to: an end of its own, no fault told, no value shown, little memory.
#[track_caller]
pub fn run_tamely(lake: &Lake, code: i32) -> Value {
    let (ran, peak) = run_measured(lake);
    let words = ran.words();
    assert_eq!(ran.code, Some(code), "{words}");
    assert!(!words.contains("fault") && !words.contains(CANARY), "{words}");
    assert!(peak < LITTLE_BYTES, "{peak} bytes at the most");
    lake.json("report.json")
}

#[test]
fn every_byte_of_a_file_may_be_wrong() {
    let path = |parts: &[&str]| ColumnPath::new(parts.iter().map(|&part| part.to_owned()).collect());
    let delta = properties()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_dictionary_enabled(false)
        .set_column_encoding(path(&["person"]), Encoding::DELTA_BYTE_ARRAY)
        .set_column_encoding(path(&["number"]), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(path(&["tags", "list", "item"]), Encoding::DELTA_BINARY_PACKED)
        .set_column_encoding(path(&["place"]), Encoding::DELTA_LENGTH_BYTE_ARRAY);
    let packed = properties().set_compression(Compression::SNAPPY).set_statistics_enabled(EnabledStatistics::None);
    for (name, properties) in [("version 1", properties()), ("version 2", delta), ("compressed", packed)] {
        let sound = file(properties);
        let lake = Lake::new();
        let head = "version: 1\ndataset: test\nsource: { url: in/ }\nkeyring: { file: keyring.json }\n";
        lake.put("policy.yaml", format!("{head}sink: {{ url: out/, parquet: {{ compression: none }} }}\n{RULES}"));
        lake.put("in/sound.parquet", &sound);
        for at in 4..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= [0x01, 0x80, 0xff][at % 3];
            lake.put(&format!("in/{at}.parquet"), bytes);
        }
        let report = run_tamely(&lake, 1);
        let objects = report["objects"].as_array().expect("objects");
        assert_eq!(objects.len(), sound.len() - 3, "{name}");
        for object in objects {
            let code = &object["failure"]["code"];
            let is_told = code.is_null() || code == "parquet-invalid" || code == "parquet-undecodable";
            assert!(is_told, "{name}: {object:#}");
        }
        let written = lake.objects("out");
        assert!(written.len() > 100 && objects.len() - written.len() > 100, "{name}: {} written", written.len());
        assert_eq!(lake.holding("out", CANARY), Vec::<String>::new(), "{name}: one column under another's name");
    }
}
