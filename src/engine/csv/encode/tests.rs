use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::{Field, Int8Type, Int32Type, TimeUnit, i256};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::engine::csv::{Blocks, Decoder, Header, Spans};

fn encode_as(dialect: &Dialect, batch: &RecordBatch) -> Result<String, EncodeError> {
    let mut out = Vec::new();
    Encoder::new(dialect).rows(batch, 1, &mut out)?;
    Ok(String::from_utf8(out).expect("texts are UTF-8"))
}

fn encode(batch: &RecordBatch) -> Result<String, EncodeError> {
    encode_as(&Dialect::default(), batch)
}

fn null_texts(text: &str) -> Dialect {
    Dialect::of(json!({ "null": [text] }))
}

fn no_quotes() -> Dialect {
    Dialect::of(json!({ "quote": "" }))
}

fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let named = columns.into_iter().enumerate().map(|(i, array)| (format!("c{i}"), array, true));
    RecordBatch::try_from_iter_with_nullable(named).expect("columns of one length")
}

fn column(array: impl Array + 'static) -> RecordBatch {
    batch(vec![Arc::new(array)])
}

fn texts(values: &[Option<&str>]) -> RecordBatch {
    column(StringArray::from(values.to_vec()))
}

fn fixed_size(value: &[u8]) -> FixedSizeBinaryArray {
    FixedSizeBinaryArray::try_from_iter([value].into_iter()).expect("one length")
}

#[test]
fn null_and_empty_differ() {
    let encoded = encode(&texts(&[None, Some(""), Some("a")]));
    assert_eq!(encoded.as_deref(), Ok("\n\"\"\na\n"));
}

#[test]
fn only_what_needs_quotes_has_them() {
    for (text, written) in [
        ("plain", "plain"),
        (" blanks ", " blanks "),
        ("a,b", "\"a,b\""),
        ("a\"b", "\"a\"\"b\""),
        ("a\nb", "\"a\nb\""),
        ("a\rb", "\"a\rb\""),
        ("\"", "\"\"\"\""),
        ("\u{feff}a", "\"\u{feff}a\""),
        ("a\u{feff}", "a\u{feff}"),
        ("a\\b", "a\\b"),
        ("\u{fffd}", "\u{fffd}"),
    ] {
        assert_eq!(encode(&texts(&[Some(text)])), Ok(format!("{written}\n")), "{text:?}");
    }
}

#[test]
fn other_dialects_quote_other_texts() {
    let encode = |dialect, text| encode_as(&dialect, &texts(&[Some(text)])).expect("has quotes");
    let semicolon = || Dialect::of(json!({ "delimiter": ";" }));
    assert_eq!(encode(semicolon(), "a,b"), "a,b\n");
    assert_eq!(encode(semicolon(), "a;b"), "\"a;b\"\n");
    assert_eq!(encode(Dialect::of(json!({ "quote": "'" })), "it's \"x\""), "'it''s \"x\"'\n");
    assert_eq!(encode(Dialect::of(json!({ "escape": "\\" })), r#"a"b\c"#), "\"a\\\"b\\\\c\"\n");
}

#[test]
fn a_text_that_would_read_as_null_is_quoted() {
    let encode = |text| encode_as(&null_texts("NULL"), &texts(&[text])).expect("has quotes");
    assert_eq!(encode(Some("NULL")), "\"NULL\"\n");
    assert_eq!(encode(Some("null")), "null\n");
    assert_eq!(encode(None), "\n", "null is always the empty field");
    // a number can be a null text too
    assert_eq!(encode_as(&null_texts("-1"), &column(Int64Array::from(vec![-1, 1]))).as_deref(), Ok("\"-1\"\n1\n"));
}

#[test]
fn a_number_that_holds_the_delimiter_is_quoted() {
    let decimals = Decimal128Array::from(vec![150]).with_precision_and_scale(5, 2).expect("fits");
    assert_eq!(encode_as(&Dialect::of(json!({ "delimiter": "." })), &column(decimals)).as_deref(), Ok("\"1.5\"\n"));
}

#[test]
fn without_quotes_values_that_need_them_are_errors() {
    let error = |text| encode_as(&no_quotes(), &texts(&[Some("a"), Some(text)])).expect_err("no quotes");
    for text in ["", "a,b", "a\n"] {
        assert_eq!(error(text), EncodeError::NeedsQuotes { row: 2, column: "c0".to_owned() }, "{text:?}");
    }
    assert_eq!(encode_as(&no_quotes(), &texts(&[Some("\"a\""), None])).as_deref(), Ok("\"a\"\n\n"));
}

#[test]
fn the_header_is_written_where_the_dialect_has_one() {
    let schema = Schema::new(vec![Field::new("id", DataType::Int64, true), Field::new("a,b", DataType::Utf8, true)]);
    let header = |dialect: &Dialect| {
        let mut out = Vec::new();
        Encoder::new(dialect).header(&schema, &mut out).map(|()| String::from_utf8(out).expect("names are UTF-8"))
    };
    assert_eq!(header(&Dialect::default()).as_deref(), Ok("id,\"a,b\"\n"));
    assert_eq!(header(&Dialect::of(json!({ "header": false }))).as_deref(), Ok(""));
    assert_eq!(header(&no_quotes()), Err(EncodeError::NeedsQuotes { row: 0, column: "a,b".to_owned() }));
}

#[test]
fn every_type_has_its_canonical_text() {
    let cases: Vec<(ArrayRef, &str)> = vec![
        (Arc::new(LargeStringArray::from(vec!["é"])), "é"),
        (Arc::new(StringViewArray::from(vec!["longer than twelve bytes"])), "longer than twelve bytes"),
        (Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..]])), "00ff"),
        (Arc::new(LargeBinaryArray::from(vec![&b"\x0a"[..]])), "0a"),
        (Arc::new(BinaryViewArray::from(vec![&b","[..]])), "2c"),
        (Arc::new(fixed_size(&[1, 2])), "0102"),
        (Arc::new(Int8Array::from(vec![-128])), "-128"),
        (Arc::new(UInt64Array::from(vec![u64::MAX])), "18446744073709551615"),
        (Arc::new(Decimal128Array::from(vec![4200]).with_precision_and_scale(9, 2).expect("fits")), "42"),
        (
            Arc::new(Decimal256Array::from(vec![i256::from_i128(-1)]).with_precision_and_scale(40, 1).expect("fits")),
            "-0.1",
        ),
        (Arc::new(BooleanArray::from(vec![true])), "true"),
        (Arc::new(Date32Array::from(vec![-1])), "1969-12-31"),
        (Arc::new(Time64MicrosecondArray::from(vec![1_500_000])), "00:00:01.5"),
        (Arc::new(TimestampMillisecondArray::from(vec![0])), "1970-01-01T00:00:00"),
        (Arc::new(TimestampNanosecondArray::from(vec![1]).with_timezone("+02:00")), "1970-01-01T00:00:00.000000001Z"),
        (Arc::new(NullArray::new(1)), ""),
        (Arc::new(Float64Array::from(vec![0.1])), "0.1"),
        (Arc::new(Float64Array::from(vec![1.0])), "1.0"),
        (Arc::new(Float64Array::from(vec![1e300])), "1e300"),
        (Arc::new(Float64Array::from(vec![-0.0])), "-0.0"),
        (Arc::new(Float64Array::from(vec![f64::NEG_INFINITY])), "-inf"),
        (Arc::new(Float32Array::from(vec![0.1])), "0.1"),
    ];
    for (array, expected) in cases {
        let data_type = array.data_type().clone();
        assert_eq!(encode(&batch(vec![array])), Ok(format!("{expected}\n")), "{data_type}");
    }
}

#[test]
fn uuids_are_told_by_their_extension_type() {
    let bytes: ArrayRef = Arc::new(fixed_size(&[0x11; 16]));
    let metadata = HashMap::from([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())]);
    let field = Field::new("id", DataType::FixedSizeBinary(16), true).with_metadata(metadata);
    let schema = Arc::new(Schema::new(vec![field]));
    let batch = RecordBatch::try_new(schema, vec![bytes]).expect("16 bytes");
    assert_eq!(encode(&batch).as_deref(), Ok("11111111-1111-1111-1111-111111111111\n"));
}

#[test]
fn dictionaries_runs_and_slices_are_as_their_values() {
    let plain = encode(&texts(&[Some("a,"), None, Some(""), Some("a,")])).expect("valid");
    let dictionary: DictionaryArray<Int8Type> = [Some("a,"), None, Some(""), Some("a,")].into_iter().collect();
    assert_eq!(encode(&column(dictionary)).as_ref(), Ok(&plain));

    // a null among the values, not the keys
    let keys = Int8Array::from(vec![0, 1, 2, 0]);
    let values = Arc::new(StringArray::from(vec![Some("a,"), None, Some(""), Some("not used")]));
    let dictionary = DictionaryArray::<Int8Type>::try_new(keys, values).expect("valid");
    assert_eq!(encode(&column(dictionary)).as_ref(), Ok(&plain));

    let ends = Int32Array::from(vec![2, 3, 4]);
    let runs =
        RunArray::<Int32Type>::try_new(&ends, &StringArray::from(vec![Some("a"), None, Some("b")])).expect("valid");
    assert_eq!(encode(&column(runs.clone())).as_deref(), Ok("a\na\n\nb\n"));
    assert_eq!(encode(&column(runs.slice(1, 2))).as_deref(), Ok("a\n\n"));

    let sliced = texts(&[Some("x,"), Some("a"), None, Some("b")]).slice(1, 2);
    assert_eq!(encode(&sliced).as_deref(), Ok("a\n\n"));
    let sliced = column(BinaryArray::from(vec![Some(&b"x"[..]), Some(b"\x01"), None])).slice(1, 2);
    assert_eq!(encode(&sliced).as_deref(), Ok("01\n\n"));
}

#[test]
fn types_without_text_are_refused_by_name() {
    let nested = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
    for data_type in [nested, DataType::Duration(TimeUnit::Second)] {
        let schema =
            Schema::new(vec![Field::new("ok", DataType::Float16, true), Field::new("no", data_type.clone(), true)]);
        let refused = EncodeError::Type { column: "no".to_owned(), data_type };
        assert_eq!(Encoder::check(&schema), Err(refused.clone()));
        let empty = RecordBatch::new_empty(Arc::new(schema));
        assert_eq!(encode(&empty), Err(refused));
    }
}

#[test]
fn a_value_without_text_is_named_by_row_unless_no_row_has_it() {
    let dates = column(Date32Array::from(vec![0, i32::MAX]));
    assert_eq!(encode(&dates), Err(EncodeError::NoText { row: 2, column: "c0".to_owned() }));

    let values = Arc::new(Date32Array::from(vec![i32::MAX, 0]));
    let used = DictionaryArray::<Int8Type>::try_new(Int8Array::from(vec![1, 0]), values.clone()).expect("valid");
    assert_eq!(encode(&column(used)), Err(EncodeError::NoText { row: 2, column: "c0".to_owned() }));
    let unused = DictionaryArray::<Int8Type>::try_new(Int8Array::from(vec![1, 1]), values).expect("valid");
    assert_eq!(encode(&column(unused)).as_deref(), Ok("1970-01-01\n1970-01-01\n"));
}

#[test]
fn rows_without_columns_are_empty_lines() {
    let options = RecordBatchOptions::new().with_row_count(Some(2));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).expect("valid");
    assert_eq!(encode(&batch).as_deref(), Ok("\n\n"));
}

#[test]
fn no_message_holds_a_value() {
    let error = encode_as(&no_quotes(), &texts(&[Some("CANARY,")])).expect_err("no quotes");
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}

/// Texts that are likely to be trouble, and any others.
fn cell() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop_oneof!["[a,;\"'\\\\\r\n\u{feff} é]{0,6}", Just("NULL".to_owned()), any::<String>()])
}

fn rows(columns: usize) -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    prop::collection::vec(prop::collection::vec(cell(), columns), 1..12)
}

fn to_batch(columns: usize, rows: &[Vec<Option<String>>]) -> RecordBatch {
    batch(
        (0..columns)
            .map(|c| Arc::new(rows.iter().map(|row| row[c].clone()).collect::<StringArray>()) as ArrayRef)
            .collect(),
    )
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_again(
        (columns, rows) in (1_usize..4).prop_flat_map(|n| (Just(n), rows(n))),
        dialect in prop::sample::select(vec![
            Dialect::default(),
            Dialect::of(json!({ "escape": "\\", "null": ["NULL"] })),
            Dialect::of(json!({ "delimiter": ";", "quote": "'" })),
            Dialect::of(json!({ "delimiter": "\t", "null": ["a"] })),
        ]),
        target in 1_usize..40,
    ) {
        let batch = to_batch(columns, &rows);
        let encoder = Encoder::new(&dialect);
        let mut object = Vec::new();
        encoder.header(&batch.schema(), &mut object).expect("there is a quote");
        encoder.rows(&batch, 1, &mut object).expect("there is a quote");

        let header = Header::read(&object, true, &dialect).expect("own output").expect("whole");
        let all: Vec<usize> = (0..columns).collect();
        let decoder = Decoder::new(&dialect, &header, &all);
        let mut blocks = Blocks::new(&dialect, &header, target);
        let mut cut = Vec::new();
        blocks.push(&object, |block| cut.push(block)).expect("small records");
        cut.extend(blocks.finish().expect("small records"));
        let batches: Vec<RecordBatch> = cut
            .iter()
            .map(|b| decoder.decode(&b.bytes, b.first_row, &mut Spans::default()).expect("own output"))
            .collect();
        let decoded = arrow::compute::concat_batches(decoder.schema(), &batches).expect("one schema");
        prop_assert_eq!(decoded, batch);
    }

    #[test]
    fn the_csv_crate_reads_the_same_texts(rows in rows(2)) {
        let mut object = Vec::new();
        Encoder::new(&Dialect::default()).rows(&to_batch(2, &rows), 1, &mut object).expect("there is a quote");
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&object[..]);
        let read: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.expect("own output").iter().map(str::to_owned).collect())
            .collect();
        let written: Vec<Vec<String>> =
            rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect();
        prop_assert_eq!(read, written);
    }

    #[test]
    fn floats_read_back_as_themselves(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        let text = encode(&column(Float64Array::from(vec![number]))).expect("plain");
        let read: f64 = text.trim_end().parse().expect("a number");
        prop_assert!(read.to_bits() == bits || (read.is_nan() && number.is_nan()), "{text}");
    }
}
