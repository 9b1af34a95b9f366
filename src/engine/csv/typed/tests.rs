use arrow::array::AsArray;

use super::*;

fn parse(text: &str, wanted: &str) -> Option<ArrayRef> {
    let texts = StringArray::from(vec![Some(text), None]);
    let array = parse_column(&texts, wanted.parse().expect("a type"), "c", 1).ok()?;
    assert_eq!((array.len(), array.null_count()), (2, 1), "null stays null");
    Some(array)
}

/// The number that is stored for a text.
fn stored<T: ArrowPrimitiveType>(text: &str, wanted: &str) -> Option<T::Native> {
    parse(text, wanted).map(|array| array.as_primitive::<T>().value(0))
}

#[test]
fn arrays_have_the_declared_type() {
    for (wanted, text) in [
        ("text", "x"),
        ("boolean", "true"),
        ("int8", "1"),
        ("int16", "1"),
        ("int32", "1"),
        ("int64", "1"),
        ("uint8", "1"),
        ("uint16", "1"),
        ("uint32", "1"),
        ("uint64", "1"),
        ("float32", "1"),
        ("float64", "1"),
        ("decimal(12,2)", "1"),
        ("date", "2026-11-22"),
        ("time", "10:00"),
        ("timestamp", "2026-11-22"),
        ("timestamp(s, UTC)", "2026-11-22"),
        ("timestamp(ms)", "2026-11-22"),
        ("timestamp(ns)", "2026-11-22"),
        ("uuid", "00000000-0000-0000-0000-000000000000"),
    ] {
        let array = parse(text, wanted).expect(wanted);
        assert_eq!(*array.data_type(), wanted.parse::<ColumnType>().expect("a type").data_type(), "{wanted}");
    }
}

#[test]
fn integers() {
    assert_eq!(stored::<Int8Type>("-128", "int8"), Some(-128));
    assert_eq!(stored::<Int8Type>("128", "int8"), None);
    assert_eq!(stored::<UInt64Type>("18446744073709551615", "uint64"), Some(u64::MAX));
    assert_eq!(stored::<UInt8Type>("-1", "uint8"), None);
    assert_eq!(stored::<Int64Type>(" 007\t", "int64"), Some(7));
    for text in ["", " ", "1.0", "1e3", "0x10", "1_000", "1,000", "one", "\u{a0}1"] {
        assert_eq!(stored::<Int64Type>(text, "int64"), None, "{text:?}");
    }
}

#[test]
fn floats() {
    assert_eq!(stored::<Float64Type>("1e-7", "float64"), Some(1e-7));
    assert_eq!(stored::<Float64Type>("0.1", "float64"), Some(0.1));
    assert!(stored::<Float64Type>("NaN", "float64").is_some_and(f64::is_nan));
    assert_eq!(stored::<Float32Type>("-inf", "float32"), Some(f32::NEG_INFINITY));
    assert_eq!(stored::<Float64Type>("1,5", "float64"), None);
}

#[test]
fn decimals() {
    let read = |text| stored::<Decimal128Type>(text, "decimal(5,2)");
    for (text, unscaled) in
        [("1", 100), ("-1.5", -150), ("+.25", 25), ("999.99", 99_999), ("3.", 300), ("1.25000", 125)]
    {
        assert_eq!(read(text), Some(unscaled), "{text}");
    }
    for text in ["", ".", "-", "1000", "1.255", "1e2", "1.2.3", "--1", "1,5"] {
        assert_eq!(read(text), None, "{text}");
    }
    let nines = "9".repeat(38);
    assert_eq!(stored::<Decimal128Type>(&nines, "decimal(38,0)"), nines.parse().ok());
    assert_eq!(stored::<Decimal128Type>(&"9".repeat(60), "decimal(38,0)"), None);
}

#[test]
fn booleans_by_word() {
    let read = |text| parse(text, "boolean").map(|array| array.as_boolean().value(0));
    for text in ["true", "T", "Yes", "y", "1"] {
        assert_eq!(read(text), Some(true), "{text}");
    }
    for text in ["false", "f", "NO", "n", "0"] {
        assert_eq!(read(text), Some(false), "{text}");
    }
    for text in ["", "2", "on", "truee"] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn timestamps_keep_or_refuse_what_they_read() {
    let micros = |text| stored::<TimestampMicrosecondType>(text, "timestamp");
    assert_eq!(micros("1970-01-01 00:00:01.000001"), Some(1_000_001));
    assert_eq!(micros("1969-12-31T23:59:59.999999"), Some(-1));
    assert_eq!(micros("1970-01-02"), Some(86_400_000_000));
    assert_eq!(micros("1970-01-01T00:00:00.0000001"), None, "finer than a microsecond");
    assert_eq!(micros("1970-01-01T00:00:00.123456000"), Some(123_456), "zeros are no loss");
    assert_eq!(micros("1970-01-01T00:00:00Z"), None, "an offset would be dropped");

    let utc = |text| stored::<TimestampMillisecondType>(text, "timestamp(ms, UTC)");
    assert_eq!(utc("1970-01-01T01:00:00+01:00"), Some(0));
    assert_eq!(utc("1970-01-01T00:00:00-05:30"), Some(19_800_000));
    assert_eq!(utc("1970-01-01T00:00:00.5"), Some(500));

    let nanos = |text| stored::<TimestampNanosecondType>(text, "timestamp(ns)");
    assert_eq!(nanos("1677-09-21T00:12:43.145224192"), Some(i64::MIN));
    assert_eq!(nanos("1677-09-21T00:12:43.145224191"), None, "one before the first");
    assert_eq!(nanos("2262-04-11T23:47:16.854775807"), Some(i64::MAX));
    assert_eq!(nanos("2262-04-11T23:47:16.854775808"), None, "one after the last");
}

#[test]
fn times_and_dates() {
    assert_eq!(stored::<Time64MicrosecondType>("00:00:01.5", "time"), Some(1_500_000));
    assert_eq!(stored::<Time64MicrosecondType>("00:00:01.0000005", "time"), None);
    assert_eq!(stored::<Date32Type>(" 2000-02-29 ", "date"), Some(11_016));
    assert_eq!(stored::<Date32Type>("2000-02-29T00:00:00", "date"), None);
}

#[test]
fn uuids_in_either_form() {
    let read = |text| parse(text, "uuid").map(|array| array.as_fixed_size_binary().value(0).to_vec());
    let bytes: Vec<u8> = (0..16).map(|i| i * 0x11).collect();
    assert_eq!(read("00112233-4455-6677-8899-AaBbCcDdEeFf"), Some(bytes.clone()));
    assert_eq!(read("00112233445566778899aabbccddeeff"), Some(bytes));
    for text in ["", "00112233-4455-6677-8899-aabbccddeef", "00112233-4455-6677-8899aabb-ccddeeff", "{x}"] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(read("0011223344556677-8899-aabb-ccddeeffg"), None);
    assert_eq!(read(&"é".repeat(16)), None, "32 bytes that are no digits");
}

#[test]
fn the_uuid_field_says_so() {
    assert_eq!(ColumnType::Uuid.field("id").metadata()["ARROW:extension:name"], "arrow.uuid");
}

#[test]
fn the_first_row_at_fault_is_named_and_its_value_is_not() {
    let texts = StringArray::from(vec![Some("1"), None, Some("CANARY"), Some("x")]);
    for wanted in ["int64", "decimal(3,1)", "boolean", "date", "time", "timestamp", "uuid", "float64"] {
        let wanted: ColumnType = wanted.parse().expect("a type");
        let texts = if matches!(wanted, ColumnType::Int64) { texts.clone() } else { texts.slice(1, 3) };
        let first_row = 100 - (texts.len() as u64 - 2);
        let error = parse_column(&texts, wanted, "c", first_row).expect_err("no such value");
        let expected = CsvError::NotOfType { row: 100, column: "c".to_owned(), wanted: wanted.to_string() };
        assert_eq!(error, expected);
        assert!(!format!("{error} {error:?}").contains("CANARY"));
    }
}
