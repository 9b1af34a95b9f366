//! What a Parquet file tells beside its rows: no raw value is left in any part of an output.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, FixedSizeBinaryArray, Int64Array, LargeStringArray, ListArray, RecordBatch,
    StringArray, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;

use crate::support::{Lake, contains, token};

const ROWS: usize = 500;
/// Integers whose eight bytes, little-endian as Parquet has them, occur nowhere by chance.
const FIRST_NUMBER: i64 = 0x5ec2_e7ca_9a27_0000;

fn canary(column: &str, row: usize) -> String {
    format!("CANARY-{column}-{row:04}")
}

fn canaries(column: &str) -> impl Iterator<Item = String> {
    (0..ROWS).map(move |row| canary(column, row))
}

/// Every column holds canaries, and so does the metadata of the schema and of `described` fields.
fn source(version: WriterVersion, dictionary: bool, described: &[&str]) -> Vec<u8> {
    let text = |column: &str| Arc::new(StringArray::from_iter_values(canaries(column))) as ArrayRef;
    let few: DictionaryArray<Int32Type> =
        (0..ROWS).map(|row| Some(canary("few", row % 7))).collect::<Vec<_>>().iter().map(Option::as_deref).collect();
    let numbers = Int64Array::from_iter_values((0..ROWS as i64).map(|row| FIRST_NUMBER + row));
    let large = LargeStringArray::from_iter_values(canaries("large"));
    let blob = FixedSizeBinaryArray::try_from_iter(canaries("blob")).expect("of one size");
    let street = Arc::new(Field::new("street", DataType::Utf8, true));
    let city = Arc::new(Field::new("city", DataType::Utf8, true));
    let address = StructArray::new(Fields::from(vec![street, city]), vec![text("street"), text("city")], None);
    let item = Arc::new(Field::new("item", DataType::Utf8, true));
    let phones = ListArray::new(item, OffsetBuffer::from_lengths(vec![1; ROWS]), text("phones"), None);
    let columns: [(&str, ArrayRef); 13] = [
        ("text", text("text")),
        ("few", Arc::new(few)),
        ("number", Arc::new(numbers)),
        ("large", Arc::new(large)),
        ("blob", Arc::new(blob)),
        ("address", Arc::new(address)),
        ("phones", Arc::new(phones)),
        ("masked", text("masked")),
        ("redacted", text("redacted")),
        ("nothing", text("nothing")),
        ("hashed", text("hashed")),
        ("dropped", text("dropped")),
        ("filter", text("filter")),
    ];
    let told = |key: &str| HashMap::from([("comment".to_owned(), canary(key, 0))]);
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| {
            let field = Field::new(*name, array.data_type().clone(), true);
            if described.contains(name) { field.with_metadata(told(name)) } else { field }
        })
        .collect();
    let schema = Arc::new(Schema::new(fields).with_metadata(told("schema")));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns.map(|(_, array)| array).into()).expect("fits");
    let pandas = KeyValue::new("pandas".to_owned(), canary("pandas", 0));
    let kept = KeyValue::new("origin".to_owned(), "crm export".to_owned());
    let properties = WriterProperties::builder()
        .set_writer_version(version)
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(dictionary)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_bloom_filter_enabled(true)
        .set_created_by(canary("writer", 0))
        .set_max_row_group_row_count(Some(200))
        .set_key_value_metadata(Some(vec![pandas, kept]))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties)).expect("a schema for Parquet");
    writer.write(&batch).expect("writes");
    writer.close().expect("closes");
    bytes
}

const RULES: &str = "where: \"filter <> ''\"
columns:
  text: { pseudonym: { domain: text } }
  few: { pseudonym: { domain: few } }
  number: { pseudonym: { domain: number } }
  large: { pseudonym: { domain: large } }
  blob: { pseudonym: { domain: blob } }
  address.street: { pseudonym: { domain: street } }
  address.city: drop
  \"phones[]\": { pseudonym: { domain: phones } }
  masked: { mask: { keep_first: 2 } }
  redacted: { redact: gone }
  nothing: nullify
  hashed: { hash: {} }
  dropped: drop
  filter: drop
  derived: { derive: \"pseudonym(dropped, 'dropped')\" }
";

/// Whatever of a file can be read, part by part: each decoded as far as Parquet's own layers go.
fn parts(bytes: &bytes::Bytes) -> (Vec<(String, Vec<u8>)>, Arc<ParquetMetaData>) {
    let options = ReadOptionsBuilder::new().with_page_index().build();
    let reader = SerializedFileReader::new_with_options(bytes.clone(), options).expect("is Parquet");
    let metadata = Arc::new(reader.metadata().clone());
    let mut parts = vec![
        ("the bytes".to_owned(), bytes.to_vec()),
        ("the metadata".to_owned(), format!("{metadata:?}").into_bytes()),
    ];
    for pair in metadata.file_metadata().key_value_metadata().into_iter().flatten() {
        let value = pair.value.clone().unwrap_or_default();
        // the Arrow schema lies there in base64
        parts.push((
            format!("metadata {}", pair.key),
            data_encoding::BASE64.decode(value.as_bytes()).unwrap_or_default(),
        ));
        parts.push((format!("metadata {}", pair.key), value.into_bytes()));
    }
    for (index, group) in metadata.row_groups().iter().enumerate() {
        let pages = reader.get_row_group(index).expect("a row group");
        for (at, column) in group.columns().iter().enumerate() {
            let place = format!("row group {index}, {}", column.column_path().string());
            if let Some(statistics) = column.statistics() {
                let extremes = [statistics.min_bytes_opt(), statistics.max_bytes_opt()];
                parts.extend(
                    extremes.into_iter().flatten().map(|bytes| (format!("{place}, statistics"), bytes.to_vec())),
                );
            }
            let pages_index = &metadata.column_index().expect("is asked for")[index][at];
            parts.extend(extremes_of(pages_index).into_iter().map(|bytes| (format!("{place}, column index"), bytes)));
            if let (Some(offset), Some(length)) = (column.bloom_filter_offset(), column.bloom_filter_length()) {
                let filter =
                    bytes.get_bytes(offset.unsigned_abs(), length.unsigned_abs() as usize).expect("lies there");
                parts.push((format!("{place}, bloom filter"), filter.to_vec()));
            }
            for page in pages.get_column_page_reader(at).expect("pages") {
                parts.push((format!("{place}, page"), page.expect("decompresses").buffer().to_vec()));
            }
        }
    }
    (parts, metadata)
}

/// The smallest and largest value of each page.
fn extremes_of(index: &ColumnIndexMetaData) -> Vec<Vec<u8>> {
    match index {
        ColumnIndexMetaData::BYTE_ARRAY(index) | ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(index) => {
            index.min_values_iter().chain(index.max_values_iter()).flatten().map(<[u8]>::to_vec).collect()
        }
        ColumnIndexMetaData::INT64(index) => {
            index.min_values().iter().chain(index.max_values()).map(|value| value.to_le_bytes().to_vec()).collect()
        }
        // page by page none is written
        ColumnIndexMetaData::NONE => Vec::new(),
        other => panic!("a column of a type that these tests don't write: {other:?}"),
    }
}

/// Bytes that must be in every part of the source that tells values, and in no part of the output.
fn needles() -> Vec<(String, Vec<u8>)> {
    let number = FIRST_NUMBER.to_le_bytes();
    vec![
        ("a text".to_owned(), b"CANARY-".to_vec()),
        ("the first characters of a text, as shortened statistics have them".to_owned(), b"CANA".to_vec()),
        ("the upper bytes of a number".to_owned(), number[2..].to_vec()),
        ("a number in decimal".to_owned(), FIRST_NUMBER.to_string().as_bytes()[..14].to_vec()),
    ]
}

#[test]
fn no_part_of_an_output_tells_a_raw_value() {
    let (condition, unconditional) = RULES.split_once('\n').expect("a condition before the columns");
    assert!(condition.starts_with("where"));
    let versions = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0];
    let sources = versions.into_iter().flat_map(|version| [(version, true), (version, false)]);
    // without the condition each column goes its own way
    let cases = sources.flat_map(|(version, dictionary)| {
        [RULES, unconditional].map(|rules| (version, dictionary, rules, rules == unconditional))
    });
    for (version, dictionary, rules, is_cheap) in cases {
        let case = format!("{version:?}, dictionary {dictionary}, cheapest ways {is_cheap}");
        let bytes = source(version, dictionary, &[]);
        let lake = Lake::new();
        lake.put("in/t.parquet", &bytes);
        // the search must be able to find: the source has canaries in statistics, pages, metadata and the bytes
        let (told, _) = parts(&bytes.into());
        for part in [
            "the bytes",
            "the metadata",
            "metadata pandas",
            "metadata ARROW:schema",
            "text, statistics",
            "text, page",
            "text, column index",
        ] {
            let found = told.iter().any(|(place, bytes)| place.ends_with(part) && contains(bytes, b"CANARY-"));
            assert!(found, "{case}: the source has no canary in {part}");
        }
        assert!(told.iter().any(|(_, bytes)| contains(bytes, &FIRST_NUMBER.to_le_bytes())), "{case}");

        let head = "version: 1\ndataset: test\nsource: { url: in/ }\n\
                    sink: { url: out/, parquet: { compression: none } }\nkeyring: { file: keyring.json }\n";
        lake.put("policy.yaml", head.to_owned() + rules);
        let said = lake.run(&["--openlineage", "events.jsonl", "--report", "report.json"]).expect(0).words();
        assert!(!said.contains("CANARY"), "{case}: {said}");
        let report = lake.json("report.json");
        let streamed = |column: &&serde_json::Value| column["routes"][0]["route"] == "stream";
        let columns = report["columns"].as_array().expect("columns");
        // what is derived from other columns has no other way
        assert_eq!(columns.iter().filter(streamed).count(), if is_cheap { 1 } else { columns.len() }, "{case}");
        let made = fs::read(lake.path("out/t.parquet")).expect("reads");
        let (told, metadata) = parts(&made.into());
        for (what, needle) in needles() {
            let places: Vec<&String> =
                told.iter().filter(|(_, bytes)| contains(bytes, &needle)).map(|(p, _)| p).collect();
            // the mask of this policy keeps two characters, fewer than any needle has
            assert_eq!(places, Vec::<&String>::new(), "{case}: {what}");
        }
        // the rows are there: nothing was found because all was replaced, not because nothing was written
        assert_eq!(metadata.file_metadata().num_rows(), ROWS as i64, "{case}");
        let table = lake.table("out/t.parquet");
        let tokens = |column: &str| canaries(column).map(|value| Some(token(column, &value))).collect::<Vec<_>>();
        for column in ["text", "large", "blob"] {
            assert_eq!(table[column], tokens(column), "{case}: {column}");
        }
        assert_eq!(table["derived"], tokens("dropped"), "{case}");
        let few: Vec<_> = (0..ROWS).map(|row| Some(token("few", &canary("few", row % 7)))).collect();
        assert_eq!(table["few"], few, "{case}");
        for path in lake.files("").iter().filter(|path| !path.starts_with("in/")) {
            let bytes = fs::read(lake.path(path)).expect("reads");
            assert!(!contains(&bytes, b"CANARY") && !path.contains("CANARY"), "{case}: {path}");
        }
    }
}

#[test]
fn metadata_of_the_footer_is_carried_over_only_where_it_is_named() {
    for (names, expected) in [
        ("[]", vec![]),
        ("[origin]", vec![("origin", "crm export".to_owned())]),
        // rebuilt whoever names it: the source's own tells of the source
        ("[\"ARROW:schema\"]", vec![]),
        ("[origin, pandas, absent]", vec![("origin", "crm export".to_owned()), ("pandas", canary("pandas", 0))]),
    ] {
        let lake = Lake::new();
        lake.put("in/t.parquet", source(WriterVersion::PARQUET_2_0, true, &[]));
        let head = format!(
            "version: 1\ndataset: test\nsource: {{ url: in/ }}\n\
             sink: {{ url: out/, parquet: {{ keep_metadata: {names} }} }}\nkeyring: {{ file: keyring.json }}\n"
        );
        lake.put("policy.yaml", head + RULES);
        lake.run_well(&[]);
        let (told, metadata) = parts(&fs::read(lake.path("out/t.parquet")).expect("reads").into());
        let schema = |bytes: &[u8]| contains(bytes, canary("schema", 0).as_bytes());
        assert!(!told.iter().any(|(_, bytes)| schema(bytes)), "{names}: metadata of the source's schema");
        let pairs = metadata.file_metadata().key_value_metadata().cloned().unwrap_or_default();
        let mut pairs: Vec<(&str, String)> =
            pairs.iter().map(|pair| (pair.key.as_str(), pair.value.clone().unwrap_or_default())).collect();
        // the schema of the output, without which Arrow types would be lost
        pairs.retain(|(key, _)| *key != "ARROW:schema");
        pairs.sort();
        assert_eq!(pairs, expected, "{names}");
        assert!(metadata.file_metadata().created_by().is_some_and(|by| by.starts_with("lakeveil")), "{names}");
    }
}

#[test]
fn what_the_source_says_of_a_column_is_not_said_of_its_tokens() {
    // containers of transformed leaves, and a plain column
    for name in ["text", "address", "phones"] {
        let lake = Lake::new();
        let bytes = source(WriterVersion::PARQUET_2_0, true, &[name]);
        lake.put("in/t.parquet", &bytes);
        lake.policy(RULES);
        lake.run_well(&[]);
        let schema = |bytes: &[u8]| {
            let (told, _) = parts(&bytes.to_vec().into());
            told.into_iter()
                .filter(|(place, _)| place == "metadata ARROW:schema")
                .map(|(_, part)| part)
                .collect::<Vec<_>>()
                .concat()
        };
        assert!(contains(&schema(&bytes), canary(name, 0).as_bytes()), "{name}: the source tells nothing");
        let made = schema(&fs::read(lake.path("out/t.parquet")).expect("reads"));
        assert!(!made.is_empty() && !contains(&made, b"CANARY-"), "{name}: metadata of the field was carried over");
    }
}

#[test]
fn rows_that_a_condition_leaves_out_leave_nothing() {
    let gone = |row: usize| row % 5 == 2;
    let value = |row: usize| if gone(row) { canary("gone", row % 35) } else { format!("stays {}", row % 20) };
    let values: Vec<String> = (0..ROWS).map(value).collect();
    let plain = StringArray::from_iter_values(&values);
    let few: DictionaryArray<Int32Type> = values.iter().map(|value| Some(value.as_str())).collect();
    for (name, array) in [("plain", Arc::new(plain) as ArrayRef), ("few", Arc::new(few))] {
        let lake = Lake::new();
        lake.put_parquet("in/t.parquet", vec![("kept", Arc::clone(&array)), ("token", array)]);
        let rest = "where: \"kept like 'stays%'\"\ncolumns: { kept: keep, token: { pseudonym: { domain: d } } }\n";
        for sink in ["parquet, parquet: { compression: none }", "csv"] {
            let head = format!(
                "version: 1\ndataset: test\nsource: {{ url: in/ }}\nsink: {{ url: out/, format: {sink} }}\n\
                 keyring: {{ file: keyring.json }}\n"
            );
            lake.put("policy.yaml", head + rest);
            lake.run_well(&["--full"]);
            assert_eq!(lake.holding("out", "CANARY"), Vec::<String>::new(), "{name} to {sink}");
            let file = if sink == "csv" { "out/t.csv" } else { "out/t.parquet" };
            let stays: Vec<_> = (0..ROWS).filter(|row| !gone(*row)).map(|row| Some(value(row))).collect();
            assert_eq!(lake.table(file)["kept"], stays, "{name} to {sink}");
        }
        let unused = token("d", &canary("gone", 2));
        assert_eq!(lake.holding("out", &unused), Vec::<String>::new(), "{name}: a token of a row that is gone");
    }
}
