use arrow::array::*;
use arrow::datatypes::TimeUnit::*;
use proptest::prelude::*;

use super::*;
use crate::arrays::canonical::canonical;

fn source(text: &str) -> SourceType {
    text.parse().unwrap()
}

fn restored(source: &SourceType, texts: &[&[u8]]) -> Restored {
    restore(&BinaryArray::from_iter_values(texts), source).unwrap()
}

/// What text is a value's, and what text that looks like it is none.
#[test]
fn exactly_the_canonical_text_is_taken() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "Int8",
            &["0", "-1", "127", "-128"],
            &["", "-", "-0", "00", "007", "+1", " 1", "1 ", "1.0", "128", "-129", "1e2", "١"],
        ),
        (
            "UInt64",
            &["0", "18446744073709551615"],
            &["-1", "18446744073709551616", "99999999999999999999999999999999999999999999"],
        ),
        (
            "Int64",
            &["-9223372036854775808", "9223372036854775807"],
            &["-9223372036854775809", "9223372036854775808", "0x1"],
        ),
        (
            "Decimal128(5, 2)",
            &["0", "42", "-1.5", "0.05", "999.99", "-999.99"],
            &["42.0", "42.00", "1.555", ".5", "5.", "-0", "0.0", "1000", "1,5", "00.5"],
        ),
        ("Decimal32(3, -2)", &["0", "100", "-99900"], &["1", "150", "100000", "100.5", "0.1"]),
        ("Decimal64(18, 18)", &["0.999999999999999999", "-0.000000000000000001"], &["1", "0.9999999999999999999"]),
        (
            "Decimal128(38, 0)",
            &["99999999999999999999999999999999999999"],
            &["100000000000000000000000000000000000000", "170141183460469231731687303715884105728"],
        ),
        (
            "Decimal256(76, 76)",
            &["0.1", "-0.0000000000000000000000000000000000000000000000000000000000000000000000000001"],
            &["1", "0.10"],
        ),
        ("Boolean", &["true", "false"], &["True", "1", "", "t", "truee"]),
        (
            "Date32",
            &["0001-01-01", "1969-12-31", "2000-02-29", "9999-12-31"],
            &[
                "0000-01-01",
                "10000-01-01",
                "2001-02-29",
                "2001-04-31",
                "2001-13-01",
                "2001-00-01",
                "2001-01-00",
                "2001-1-01",
                "-001-01-01",
                "2001/01/01",
                "2001-01-01 ",
                "20010101",
            ],
        ),
        ("Date64", &["0001-01-01", "9999-12-31"], &["1970-01-01T00:00:00", "1970-01-32"]),
        (
            "Time32(s)",
            &["00:00:00", "23:59:59"],
            &["24:00:00", "00:60:00", "00:00:60", "00:00:00.5", "00:00", "0:00:00", "00-00-00", "23:59:59."],
        ),
        ("Time32(ms)", &["00:00:00.001", "23:59:59.999"], &["00:00:00.0001", "00:00:00.010", "00:00:00."]),
        ("Time64(ns)", &["00:00:00.000000001"], &["00:00:00.0000000001", "00:00:00.00000000a", "00:00:00,5"]),
        (
            "Timestamp(s)",
            &["1969-12-31T23:59:59", "9999-12-31T23:59:59", "0001-01-01T00:00:00"],
            &[
                "1969-12-31T23:59:59Z",
                "1969-12-31 23:59:59",
                "1969-12-31",
                "1969-12-31T24:00:00",
                "1969-12-31T23:59:59.5",
            ],
        ),
        (
            "Timestamp(µs, \"+01:00\")",
            &["2026-11-22T23:59:59.000001Z"],
            &["2026-11-22T23:59:59.000001", "2026-11-22T23:59:59.0000011Z", "2026-11-22T23:59:59+01:00", "Z", ""],
        ),
        (
            "Timestamp(ns)",
            &["1677-09-21T00:12:43.145224192", "2262-04-11T23:47:16.854775807"],
            &["1677-09-21T00:12:43.145224191", "2262-04-11T23:47:16.854775808", "9999-12-31T00:00:00"],
        ),
        (
            "uuid",
            &["00112233-4455-6677-8899-aabbccddeeff"],
            &[
                "00112233-4455-6677-8899-AABBCCDDEEFF",
                "00112233445566778899aabbccddeeff",
                "00112233-4455-6677-8899-aabbccddeef",
                "0011223-34455-6677-8899-aabbccddeeff",
                "{0112233-4455-6677-8899-aabbccddeeff",
                "00112233-4455-6677-8899-aabbccddeeffé",
            ],
        ),
        ("FixedSizeBinary(3)", &["abc", "\0\0\0"], &["", "ab", "abcd"]),
        ("FixedSizeBinary(0)", &[""], &["a"]),
        ("Utf8", &["", "é\0", "\u{301}"], &[]),
        ("Null", &[], &["", "null"]),
    ];
    for (name, taken, refused) in cases {
        let source = source(name);
        let bytes: Vec<&[u8]> = taken.iter().map(|text| text.as_bytes()).collect();
        let good = restored(&source, &bytes);
        assert!(good.failures.is_empty(), "{name}: {:?}", good.failures);
        assert_eq!(good.array.data_type(), source.data_type());
        let again = canonical(&good.array, source.meaning()).unwrap();
        assert_eq!(again.values.iter().flatten().collect::<Vec<_>>(), bytes, "{name}");
        for text in *refused {
            let bad = restored(&source, &[text.as_bytes()]);
            assert_eq!(bad.failures.len(), 1, "{name} takes {text:?}");
            assert_eq!(bad.array.logical_null_count(), 1);
        }
    }
}

#[test]
fn what_is_not_utf8_is_no_text_and_any_bytes_are_binary() {
    let bytes: &[u8] = b"caf\xe9 canary";
    for name in ["Utf8", "LargeUtf8", "Utf8View"] {
        let bad = restored(&source(name), &[bytes, b"ok"]);
        assert_eq!(bad.failures.iter().map(|failure| failure.index).collect::<Vec<_>>(), [0]);
        assert!(bad.failures.iter().all(|failure| !failure.reason.contains("canary")));
        assert_eq!((bad.array.is_null(0), bad.array.is_null(1)), (true, false));
    }
    for name in ["Binary", "LargeBinary", "BinaryView"] {
        let good = restored(&source(name), &[bytes]);
        assert!(good.failures.is_empty());
        assert_eq!(canonical(&good.array, Meaning::Plain).unwrap().values.value(0), bytes);
    }
}

#[test]
fn null_stays_null_in_every_type() {
    let nulls = BinaryArray::new_null(3);
    for name in [
        "Utf8",
        "Utf8View",
        "LargeBinary",
        "Int8",
        "Boolean",
        "Decimal256(5, 1)",
        "Date64",
        "uuid",
        "Null",
        "FixedSizeBinary(0)",
        "Time64(ns)",
        "Timestamp(ms, \"UTC\")",
    ] {
        let restored = restore(&nulls, &source(name)).unwrap();
        assert_eq!((restored.array.len(), restored.array.logical_null_count()), (3, 3), "{name}");
        assert!(restored.failures.is_empty());
    }
}

/// The columns of a batch of any values: each type, its ends among them.
fn columns() -> impl Strategy<Value = Vec<ArrayRef>> {
    let number = prop_oneof![
        any::<i64>(),
        Just(i64::MIN),
        Just(i64::MAX),
        -1000..1000_i64,
        // all years of the text, in seconds, and all days
        -62_135_596_800..=253_402_300_799_i64,
        -719_162..=2_932_896_i64,
    ];
    (proptest::collection::vec(proptest::option::of(number), 0..12), proptest::option::of("\\PC*"), any::<[u8; 16]>())
        .prop_map(|(numbers, text, bytes)| {
            let ints = |to: &DataType| cast(&Int64Array::from(numbers.clone()), to).unwrap();
            let as_i128 = || numbers.iter().map(|n| n.map(|n| i128::from(n) * 1_000_003));
            let ticks = |unit, zone: Option<&str>| {
                let seconds = Int64Array::from(numbers.clone());
                cast(&seconds, &DataType::Timestamp(unit, zone.map(Into::into))).unwrap()
            };
            let of_day = |ticks: i64| numbers.iter().map(move |n| n.map(|n| n.rem_euclid(ticks)));
            let days: Vec<Option<i32>> =
                numbers.iter().map(|n| n.map(|n| n.rem_euclid(3_652_059) as i32 - 719_162)).collect();
            let fixed = FixedSizeBinaryArray::try_from_iter([bytes, [0; 16]].into_iter()).unwrap();
            use DataType::*;
            vec![
                ints(&Int8),
                ints(&Int16),
                ints(&Int32),
                ints(&Int64),
                ints(&UInt8),
                ints(&UInt16),
                ints(&UInt32),
                ints(&UInt64),
                Arc::new(BooleanArray::from_iter(numbers.iter().map(|n| n.map(|n| n % 2 == 0)))),
                Arc::new(
                    Decimal32Array::from_iter(numbers.iter().map(|n| n.map(|n| (n % 1_000_000_000) as i32)))
                        .with_precision_and_scale(9, 4)
                        .unwrap(),
                ),
                Arc::new(
                    Decimal64Array::from_iter(numbers.iter().map(|n| n.map(|n| n % 1_000_000_000_000_000_000)))
                        .with_precision_and_scale(18, -7)
                        .unwrap(),
                ),
                Arc::new(Decimal128Array::from_iter(as_i128()).with_precision_and_scale(38, 37).unwrap()),
                Arc::new(
                    Decimal256Array::from_iter(as_i128().map(|n| n.map(|n| i256::from_i128(n) * i256::from_i128(n))))
                        .with_precision_and_scale(76, 3)
                        .unwrap(),
                ),
                Arc::new(Date32Array::from(days.clone())),
                Arc::new(Date64Array::from_iter(days.iter().map(|day| day.map(|day| i64::from(day) * MILLIS_PER_DAY)))),
                Arc::new(Time32SecondArray::from_iter(of_day(86_400).map(|n| n.map(|n| n as i32)))),
                Arc::new(Time32MillisecondArray::from_iter(of_day(86_400_000).map(|n| n.map(|n| n as i32)))),
                Arc::new(Time64MicrosecondArray::from_iter(of_day(86_400_000_000))),
                Arc::new(Time64NanosecondArray::from_iter(of_day(86_400_000_000_000))),
                ticks(Second, None),
                ticks(Millisecond, Some("+05:30")),
                ticks(Microsecond, Some("UTC")),
                ticks(Nanosecond, None),
                Arc::new(StringArray::from(vec![text.clone(), None])),
                Arc::new(LargeStringArray::from(vec![text.clone(), None])),
                Arc::new(StringViewArray::from(vec![text.clone(), None])),
                Arc::new(BinaryArray::from(vec![Some(bytes.as_slice()), None])),
                Arc::new(LargeBinaryArray::from(vec![Some(bytes.as_slice()), None])),
                Arc::new(BinaryViewArray::from(vec![Some(bytes.as_slice()), None])),
                Arc::new(fixed),
                Arc::new(NullArray::new(2)),
            ]
        })
}

proptest! {
    #[test]
    fn restoring_is_the_inverse_of_canonical(columns in columns()) {
        for column in columns {
            let meanings: &[Meaning] = match column.data_type() {
                DataType::FixedSizeBinary(_) => &[Meaning::Plain, Meaning::Uuid],
                _ => &[Meaning::Plain],
            };
            for &meaning in meanings {
                let text = canonical(&column, meaning).unwrap();
                let source = SourceType::new(column.data_type(), meaning).unwrap();
                let restored = restore(&text.values, &source).unwrap();
                prop_assert_eq!(restored.array.data_type(), column.data_type());
                // a value without text has none to come back from
                let failed = |f: &Failures| f.iter().map(|failure| failure.index).collect::<Vec<_>>();
                prop_assert_eq!(failed(&restored.failures), failed(&text.failures), "{}", source);
                let expected = arrow::compute::nullif(&column, &BooleanArray::new(text.failures.bits(column.len()), None)).unwrap();
                prop_assert_eq!(&restored.array.to_data(), &expected.to_data(), "{}", source);
            }
        }
    }

    /// Whatever text is taken is the canonical text of the value that it is taken for.
    #[test]
    fn any_text_that_is_taken_is_canonical(text in "-?[0-9T:.Z-]{0,30}", at in 0..8_usize) {
        let names = ["Int32", "UInt8", "Decimal128(9, 3)", "Decimal32(9, -1)", "Date32", "Time64(us)", "Timestamp(ms)", "Timestamp(s, \"UTC\")"];
        let source = source(&names[at].replace("us", "µs"));
        let restored = restored(&source, &[text.as_bytes()]);
        if restored.failures.is_empty() {
            let again = canonical(&restored.array, Meaning::Plain).unwrap();
            prop_assert_eq!(again.values.value(0), text.as_bytes());
        }
    }
}
