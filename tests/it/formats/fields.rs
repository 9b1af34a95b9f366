//! What a source says of its fields in `ARROW:schema`: comments and samples stay behind, at every depth, on every way.

use std::collections::HashMap;
use std::fs;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, DictionaryArray, FixedSizeBinaryArray, ListArray, MapArray, RecordBatch, StringArray,
    StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::support::{Lake, contains, token};

const ROWS: usize = 20;

/// A field of which the source says too much.
fn said(name: &str, data_type: &DataType, more: &[(&str, &str)]) -> FieldRef {
    let comment = ("comment".to_owned(), format!("CANARY-{name}"));
    let more = more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let metadata: HashMap<String, String> = more.chain([comment]).collect();
    Arc::new(Field::new(name, data_type.clone(), true).with_metadata(metadata))
}

fn texts(name: &str) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("{name} {row}"))))
}

fn structure(members: Vec<(FieldRef, ArrayRef)>) -> ArrayRef {
    let (fields, arrays): (Vec<_>, Vec<_>) = members.into_iter().unzip();
    Arc::new(StructArray::new(fields.into(), arrays, None))
}

fn list(item: &str, values: ArrayRef) -> ArrayRef {
    let item = said(item, values.data_type(), &[]);
    Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(vec![1; ROWS]), values, None))
}

fn map(values: ArrayRef) -> ArrayRef {
    let key = Field::clone(&said("key", &DataType::Utf8, &[])).with_nullable(false);
    let value = said("value", values.data_type(), &[]);
    let pairs = StructArray::new(Fields::from(vec![Arc::new(key), value]), vec![texts("key"), values], None);
    let entries = Arc::new(Field::clone(&said("entries", pairs.data_type(), &[])).with_nullable(false));
    Arc::new(MapArray::new(entries, OffsetBuffer::from_lengths(vec![1; ROWS]), pairs, None, false))
}

fn named(name: &str, array: ArrayRef, more: &[(&str, &str)]) -> (FieldRef, ArrayRef) {
    (said(name, array.data_type(), more), array)
}

/// Fields within fields, in lists and maps; `remark` is in metadata of one.
fn source(remark: &str) -> Vec<u8> {
    let few: DictionaryArray<Int32Type> = (0..ROWS).map(|row| Some(["a", "b"][row % 2])).collect();
    let uuids = FixedSizeBinaryArray::try_from_iter((0..ROWS).map(|row| [row as u8; 16])).expect("of one size");
    let deep = || {
        let inner = structure(vec![named("inner", texts("inner"), &[("PARQUET:field_id", "7")])]);
        list("outer_item", list("inner_item", structure(vec![named("wrapped", inner, &[])])))
    };
    let mixed = structure(vec![
        named("secret", texts("secret"), &[]),
        named("stays", deep(), &[]),
        named("pairs", map(deep()), &[]),
    ]);
    let (name, parameters) = ("ARROW:extension:name", "ARROW:extension:metadata");
    let (columns, arrays): (Vec<FieldRef>, Vec<ArrayRef>) = [
        named("flat", texts("flat"), &[("PARQUET:field_id", "5"), ("remark", remark)]),
        named("few", Arc::new(few), &[]),
        named("deep", deep(), &[]),
        named("pairs", map(deep()), &[]),
        named("mixed", mixed, &[]),
        named("uuid", Arc::new(uuids), &[(name, "arrow.uuid")]),
        named("place", texts("place"), &[(name, "geoarrow.wkt"), (parameters, "{\"crs\":\"EPSG:4326\"}")]),
        named("money", texts("money"), &[(name, "acme.money"), (parameters, "CANARY-money")]),
        named("hidden", texts("hidden"), &[(name, "acme.text"), (parameters, "CANARY-hidden")]),
    ]
    .into_iter()
    .unzip();
    let schema = Arc::new(Schema::new(columns));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).expect("fits");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, None).expect("a schema for Parquet");
    writer.write(&batch).expect("writes");
    writer.close().expect("closes");
    bytes
}

/// The Arrow schema in a footer's base64, decoded, and as readers get it.
fn schema(bytes: Vec<u8>) -> (Vec<u8>, SchemaRef) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).expect("is Parquet");
    let pairs = reader.metadata().file_metadata().key_value_metadata().expect("has the schema");
    let encoded = pairs.iter().find(|pair| pair.key == "ARROW:schema").and_then(|pair| pair.value.clone());
    let decoded = data_encoding::BASE64.decode(encoded.expect("is there").as_bytes()).expect("is base64");
    (decoded, Arc::clone(reader.schema()))
}

const RULES: &str = "unlisted: keep
columns:
  flat: { keep: {}, rename: renamed }
  mixed.secret: { pseudonym: { domain: d } }
  hidden: { pseudonym: { domain: d } }
";

#[test]
fn comments_on_fields_are_left_out_at_every_depth() {
    // copied and leaf by leaf; all in batches; and with columns that SQL makes of described ones
    let streamed = format!("where: \"few <> 'c'\"\n{RULES}");
    let derived = format!("{RULES}  again: {{ derive: \"deep\" }}\n  flat_again: {{ derive: \"flat\" }}\n");
    for (way, rules) in [("copied", RULES), ("streamed", &streamed), ("derived", &derived)] {
        let lake = Lake::new();
        let bytes = source("CANARY-one");
        let (told, _) = schema(bytes.clone());
        for field in ["flat", "inner_item", "wrapped", "inner", "entries", "key", "value", "money", "one"] {
            assert!(contains(&told, format!("CANARY-{field}").as_bytes()), "the source does not tell of {field}");
        }
        lake.put("in/1.parquet", bytes);
        // what two objects say of a column does not make it two columns
        lake.put("in/2.parquet", source("CANARY-two"));
        lake.policy(rules);
        let said = lake.run(&[]).expect(0).words();
        assert!(!said.contains("CANARY"), "{way}: {said}");
        assert_eq!(lake.holding("out", "CANARY"), Vec::<String>::new(), "{way}");
        for object in ["out/1.parquet", "out/2.parquet"] {
            let made = fs::read(lake.path(object)).expect("reads");
            let (told, fields) = schema(made);
            assert!(!contains(&told, b"CANARY"), "{way}, {object}: {}", String::from_utf8_lossy(&told));
            let metadata = |name: &str| fields.field_with_name(name).expect("is there").metadata().clone();
            let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
            let name = |name: &str| pair("ARROW:extension:name", name);
            assert_eq!(metadata("renamed"), [pair("PARQUET:field_id", "5")].into(), "{way}");
            assert_eq!(metadata("uuid"), [name("arrow.uuid")].into(), "{way}");
            let parameters = pair("ARROW:extension:metadata", "{\"crs\":\"EPSG:4326\"}");
            assert_eq!(metadata("place"), [name("geoarrow.wkt"), parameters].into(), "{way}");
            // who knows the type can't read its name without its parameters
            assert_eq!((metadata("money"), metadata("hidden")), Default::default(), "{way}");
            assert!(format!("{:?}", fields.field_with_name("deep")).contains("PARQUET:field_id\": \"7\""), "{way}");
        }
    }
}

#[test]
fn values_of_fields_with_comments_are_what_they_were() {
    let lake = Lake::new();
    lake.put("in/t.parquet", source("CANARY-one"));
    lake.policy(&format!("where: \"few <> 'c'\"\n{RULES}"));
    lake.run_well(&[]);
    let read = |bytes| crate::support::batch(bytes);
    let (before, after) = (read(source("")), read(fs::read(lake.path("out/t.parquet")).expect("reads")));
    for (old, new) in [("flat", "renamed"), ("few", "few"), ("uuid", "uuid"), ("money", "money")] {
        assert_eq!(before.column_by_name(old), after.column_by_name(new), "{old}");
    }
    let inner = |batch: &RecordBatch| {
        let deep = batch.column_by_name("deep").expect("is there").as_list::<i32>().clone();
        let wrapped = Arc::clone(deep.values().as_list::<i32>().values().as_struct().column(0));
        Arc::clone(wrapped.as_struct().column(0))
    };
    assert_eq!(&inner(&before), &inner(&after));
    let mixed = after.column_by_name("mixed").expect("is there").as_struct().clone();
    let secrets = mixed.column_by_name("secret").expect("is there").as_string::<i32>().clone();
    assert_eq!(secrets.value(3), token("d", "secret 3"));
}
