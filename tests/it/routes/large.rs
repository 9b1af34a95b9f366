//! Row groups and rows that are large for the memory there is.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::damage::run_tamely;
use super::ways;
use crate::support::{Lake, batch, token, written};

const ROWS: i64 = 100_000;

fn put(lake: &Lake, path: &str, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.expect("columns of one length");
    let zstd = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(zstd).set_max_row_group_row_count(Some(1 << 30));
    let properties = properties.set_column_bloom_filter_enabled("kept".into(), true);
    lake.put(path, written(&batch, properties.build()));
}

fn texts(word: &str, distinct: i64) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("{word} {}", row * 7_919 % distinct))))
}

#[test]
fn a_row_group_without_room_is_made_a_few_columns_at_a_time_and_comes_out_the_same() {
    let lake = Lake::new();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("first", texts("first", ROWS)),
        ("masked", texts("masked", 5_000)),
        ("kept", texts("kept", ROWS)),
        ("few", texts("few", 20)),
        ("number", Arc::new(Int64Array::from_iter_values(0..ROWS))),
        ("gone", texts("gone", ROWS)),
        ("last", texts("last", ROWS)),
    ];
    put(&lake, "in/t.parquet", columns);
    let rules = "columns:
  first: { pseudonym: { domain: a, bits: 256 } }
  masked: { mask: { keep_first: 3 } }
  kept: keep
  few: { pseudonym: { domain: b } }
  number: { pseudonym: { domain: c, bits: 256 } }
  gone: drop
  last: { pseudonym: { domain: d } }
";
    let filter = "where: \"number % 3 < 2\"\n";
    for (case, object, filter) in [
        ("each its cheapest way", "out/t.parquet", ""),
        ("all decoded", "out/t.parquet", filter),
        ("text, which has no columns", "out/t.csv", ""),
    ] {
        let format = object.rsplit('.').next().expect("an ending");
        let head = "version: 1\ndataset: test\nsource: { url: in/ }\nkeyring: { file: keyring.json }\n";
        let sink = format!("sink: {{ url: out/, format: {format} }}\n");
        lake.put("policy.yaml", [head, &sink, filter, rules].concat());
        let mut outputs = Vec::new();
        for memory in ["1GiB", "16MiB"] {
            let report = lake.run_well(&["--full", "--memory", memory]);
            let rows = if filter.is_empty() { ROWS } else { ROWS - ROWS / 3 };
            assert_eq!(report["totals"]["rows_in"], ROWS, "{case}, {memory}");
            assert_eq!(report["totals"]["rows_out"], rows, "{case}, {memory}");
            let first = &report["columns"][0];
            assert_eq!(first["transformed"], rows, "{case}, {memory}: {first}");
            if filter.is_empty() && format == "parquet" {
                let all = ["first", "masked", "kept", "few", "number", "last"].map(|column| ways(&report, column));
                let expected = ["leaf", "leaf", "copied", "dictionary", "dictionary", "leaf"];
                assert_eq!(all.concat(), expected, "{memory}");
            }
            outputs.push(fs::read(lake.path(object)).expect("reads"));
        }
        assert!(outputs[0] == outputs[1], "{case}");
        let made = lake.table(object);
        assert_eq!(made["last"].len() as i64, if filter.is_empty() { ROWS } else { ROWS - ROWS / 3 }, "{case}");
        assert_eq!(made["last"][1], Some(token("d", "last 7919")), "{case}");
        assert_eq!(made["kept"][1], Some("kept 7919".to_owned()), "{case}");
    }
}

/// `items` nulls in lists, the same number in each of `rows` rows but one more list of all that are left.
fn nulls(rows: usize, items: usize) -> ArrayRef {
    let each = items / rows;
    let lengths = std::iter::repeat_n(each, rows - 1).chain([items - each * (rows - 1)]);
    let field = Arc::new(Field::new("item", DataType::Int32, true));
    let values: ArrayRef = Arc::new(Int32Array::new_null(items));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), values, None))
}

#[test]
fn a_list_of_more_items_than_memory_has_room_for_fails_alone_and_many_rows_of_few_do_not() {
    const ITEMS: usize = 12 << 20;
    let lake = Lake::new();
    put(&lake, "in/one.parquet", vec![("list", nulls(1, ITEMS))]);
    put(&lake, "in/many.parquet", vec![("list", nulls(12_000, ITEMS))]);
    assert!(fs::metadata(lake.path("in/one.parquet")).expect("is there").len() < 2_000, "a small file");
    lake.policy("where: \"list is not null\"\ncolumns: { list: keep }\n");
    let report = run_tamely(&lake, 1);
    let objects = report["objects"].as_array().expect("objects");
    let failed: Vec<&str> = objects.iter().filter_map(|object| object["failure"]["message"].as_str()).collect();
    assert_eq!(failed.len(), 1, "{objects:?}");
    assert!(failed[0].contains("the lists of a row have more than 2097152 items"), "{failed:?}");
    assert_eq!(lake.objects("out"), ["many.parquet"]);
    let made = batch(fs::read(lake.path("out/many.parquet")).expect("reads"));
    assert_eq!(made.num_rows(), 12_000);
}
