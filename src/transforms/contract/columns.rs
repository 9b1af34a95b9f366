//! Columns of every type with their extremes, and texts that nobody expects.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::{DataType, TimeUnit, i256};

/// A column of each type that a policy may meet, nulls and the ends of its range among the values.
pub(super) fn every_type() -> Vec<ArrayRef> {
    macro_rules! numbers {
        ($($array:ident: $native:ty),+) => {
            [$(Arc::new($array::from(vec![
                Some(0), None, Some(1), Some(42), Some(<$native>::MIN), Some(<$native>::MAX), Some(42), None, Some(100),
                Some(7), Some(99),
            ])) as ArrayRef),+]
        };
    }
    let mut columns: Vec<ArrayRef> = numbers![
        Int8Array: i8, Int16Array: i16, Int32Array: i32, Int64Array: i64, UInt8Array: u8, UInt16Array: u16,
        UInt32Array: u32, UInt64Array: u64, Date32Array: i32, Date64Array: i64, Time32SecondArray: i32,
        Time32MillisecondArray: i32, Time64MicrosecondArray: i64, Time64NanosecondArray: i64
    ]
    .to_vec();
    let ticks = || {
        let near = [0, -1, 1_795_305_600, 86_399, -62_135_596_800, 253_402_300_799];
        let ends = [i64::MIN, i64::MAX];
        near.into_iter().chain(ends).map(Some).chain([None, Some(1_795_305_600)]).collect::<Vec<_>>()
    };
    let stamps = Int64Array::from(ticks());
    for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
        for zone in [None, Some("UTC".into()), Some("Europe/Warsaw".into()), Some("+05:30".into())] {
            let stamps = stamps.to_data().into_builder().data_type(DataType::Timestamp(unit, zone));
            columns.push(make_array(stamps.build().expect("of the same layout")));
        }
    }
    let small = [Some(0), None, Some(-1), Some(4_200), Some(1_234_567), Some(99), Some(4_200), Some(-99_999)];
    let decimal = |precision, scale| {
        let values: Decimal128Array = small.iter().map(|value| value.map(i128::from)).collect();
        Arc::new(values.with_precision_and_scale(precision, scale).expect("fits")) as ArrayRef
    };
    columns.extend([decimal(10, 2), decimal(38, 0), decimal(20, 20), decimal(12, -2)]);
    let narrow: Decimal32Array = small.iter().copied().collect();
    columns.push(Arc::new(narrow.with_precision_and_scale(9, 3).expect("fits")));
    let middle: Decimal64Array = small.iter().map(|value| value.map(i64::from)).collect();
    columns.push(Arc::new(middle.with_precision_and_scale(18, 4).expect("fits")));
    let wide: Decimal256Array = small.iter().map(|value| value.map(|value| i256::from_i128(value.into()))).collect();
    columns.push(Arc::new(wide.with_precision_and_scale(76, 5).expect("fits")));
    columns.push(Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)])));
    let floats = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN, f64::MAX, 0.0, -0.0, 1.5, f64::MIN_POSITIVE];
    columns.push(Arc::new(floats.into_iter().map(Some).chain([None]).collect::<Float64Array>()));
    columns.push(Arc::new(floats.into_iter().map(|value| Some(value as f32)).chain([None]).collect::<Float32Array>()));
    let texts: Vec<Option<String>> = likely_texts().into_iter().map(Some).chain([None]).collect();
    columns.push(Arc::new(texts.iter().cloned().collect::<StringArray>()));
    columns.push(Arc::new(texts.iter().map(|text| text.as_ref().map(|text| text.as_bytes())).collect::<BinaryArray>()));
    let fixed = [Some([192, 0, 2, 1]), None, Some([0; 4]), Some([255; 4])];
    columns.push(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(fixed.into_iter(), 4).expect("fits")));
    let sixteen = [Some([0x20; 16]), None, Some([0; 16]), Some([255; 16])];
    columns
        .push(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(sixteen.into_iter(), 16).expect("fits")));
    columns.push(Arc::new(NullArray::new(3)));
    columns
}

/// Texts that families are made for, and a few that they are not.
fn likely_texts() -> Vec<String> {
    [
        "anna@example.com",
        "4242 4242 4242 4242",
        "4242424242424242",
        "GB82 WEST 1234 5698 7654 32",
        "192.0.2.17",
        "2001:db8::1",
        "::ffff:192.0.2.1",
        "1987-03-14",
        "2026-11-28T09:15:00Z",
        "10115",
        "Anna",
        "call +44 20 7946 0958 or write to anna@example.com",
        "",
        " ",
        "42",
        "-7",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Texts that nobody expects.
pub(super) fn odd_texts() -> Vec<String> {
    let mut texts = likely_texts();
    texts.extend(
        [
            "\u{301}",
            "\u{301}\u{301}\u{301}abc",
            "\0",
            "a\0b@c\0d",
            "\u{202e}moc.elpmaxe@anna",
            "مرحبا بالعالم",
            "日本語テスト🙂",
            "\u{feff}anna@example.com",
            "99999999-99-99",
            "0000-00-00",
            "-2147483648-01-01",
            "9999-12-31",
            "0001-01-01",
            "10000-01-01",
            "1.2.3.4.5",
            "01.02.03.04",
            "fe80::1%eth0",
            "192.0.2.1:80",
            "@@@@@@@@",
            "a@b",
            "@b.c",
            "a@",
            "GB82WEST12345698765432",
            "GB00WEST12345698765432",
            "4242424242424243",
            "00000000000000000000",
            "999999",
            "9999999",
            "1e308",
            "NaN",
            "'; drop table users; --",
            "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
            "\u{FFFD}\u{10FFFF}z",
        ]
        .map(str::to_owned),
    );
    texts
}
