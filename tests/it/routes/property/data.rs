//! Values of every type that Parquet and a policy know, from a seed.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, DictionaryArray,
    FixedSizeBinaryArray, Float32Array, Float64Array, Int8Array, Int32Array, Int64Array, LargeBinaryArray,
    LargeStringArray, StringArray, StringViewArray, Time32MillisecondArray, Time64MicrosecondArray,
    Time64NanosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Int32Type, TimeUnit, i256};

/// The type of a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Data {
    Text,
    LargeText,
    TextView,
    TextDictionary,
    Bytes,
    LargeBytes,
    FixedBytes,
    Uuid,
    Int8,
    Int32,
    Int64,
    UInt32,
    UInt64,
    Date,
    TimeMillis,
    TimeMicros,
    TimeNanos,
    Micros,
    Nanos,
    Decimal,
    LongDecimal,
    LongestDecimal,
    Boolean,
    Float32,
    Float64,
}

/// How values repeat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Repeats {
    /// A handful of values.
    Few,
    /// No value twice.
    Unique,
    /// A handful first, then no value twice: dictionaries overflow within a chunk.
    FewThenUnique,
    /// One value.
    One,
}

/// SplitMix64: the same numbers from the same seed for ever.
#[derive(Debug)]
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// True `chance` times in a hundred.
    pub fn happens(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}

impl Data {
    pub const ALL: [Self; 25] = [
        Self::Text,
        Self::LargeText,
        Self::TextView,
        Self::TextDictionary,
        Self::Bytes,
        Self::LargeBytes,
        Self::FixedBytes,
        Self::Uuid,
        Self::Int8,
        Self::Int32,
        Self::Int64,
        Self::UInt32,
        Self::UInt64,
        Self::Date,
        Self::TimeMillis,
        Self::TimeMicros,
        Self::TimeNanos,
        Self::Micros,
        Self::Nanos,
        Self::Decimal,
        Self::LongDecimal,
        Self::LongestDecimal,
        Self::Boolean,
        Self::Float32,
        Self::Float64,
    ];

    pub fn is_float(self) -> bool {
        matches!(self, Self::Float32 | Self::Float64)
    }

    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::LargeText | Self::TextView | Self::TextDictionary)
    }

    /// Whether some values have no text form: years beyond 9999.
    pub fn can_fail(self) -> bool {
        matches!(self, Self::Date | Self::Micros)
    }

    /// A field of it, with its extension type where it has one.
    pub fn field(self, name: &str, nullable: bool) -> Field {
        let told = (self == Self::Uuid).then(|| ("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned()));
        Field::new(name, self.data_type(), nullable).with_metadata(told.into_iter().collect())
    }

    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::LargeText => DataType::LargeUtf8,
            Self::TextView => DataType::Utf8View,
            Self::TextDictionary => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Self::Bytes => DataType::Binary,
            Self::LargeBytes => DataType::LargeBinary,
            Self::FixedBytes => DataType::FixedSizeBinary(6),
            Self::Uuid => DataType::FixedSizeBinary(16),
            Self::Int8 => DataType::Int8,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Date => DataType::Date32,
            Self::TimeMillis => DataType::Time32(TimeUnit::Millisecond),
            Self::TimeMicros => DataType::Time64(TimeUnit::Microsecond),
            Self::TimeNanos => DataType::Time64(TimeUnit::Nanosecond),
            Self::Micros => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Nanos => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            Self::Decimal => DataType::Decimal128(10, 2),
            Self::LongDecimal => DataType::Decimal128(25, 3),
            Self::LongestDecimal => DataType::Decimal256(60, 5),
            Self::Boolean => DataType::Boolean,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
        }
    }

    /// `count` values, some of them null if `nulls`, a chance in a hundred, is not 0.
    pub fn array(self, count: usize, nulls: u64, repeats: Repeats, numbers: &mut Numbers) -> ArrayRef {
        let picked: Vec<Option<u64>> = (0..count)
            .map(|row| {
                let few = numbers.below(9);
                let value = match repeats {
                    Repeats::One => 4,
                    Repeats::Few => few,
                    Repeats::Unique => 100 + row as u64,
                    Repeats::FewThenUnique if row < count / 2 => few,
                    Repeats::FewThenUnique => 100 + row as u64,
                };
                (!numbers.happens(nulls)).then_some(value)
            })
            .collect();
        self.of(&picked)
    }

    fn of(self, picked: &[Option<u64>]) -> ArrayRef {
        fn map<T, A: FromIterator<Option<T>>>(picked: &[Option<u64>], of: impl Fn(u64) -> T) -> A {
            picked.iter().map(|value| value.map(&of)).collect()
        }
        // spread over the type, negatives included
        let spread = |value: u64| value.wrapping_mul(0x9e37_79b9_7f4a_7c15) as i64;
        match self {
            Self::Text => Arc::new(map::<_, StringArray>(picked, text)),
            Self::LargeText => Arc::new(map::<_, LargeStringArray>(picked, text)),
            Self::TextView => Arc::new(map::<_, StringViewArray>(picked, text)),
            Self::TextDictionary => {
                let texts: Vec<Option<String>> = map(picked, text);
                Arc::new(texts.iter().map(Option::as_deref).collect::<DictionaryArray<Int32Type>>())
            }
            Self::Bytes => {
                let texts: Vec<Option<String>> = map(picked, text);
                Arc::new(texts.iter().map(|text| text.as_ref().map(String::as_bytes)).collect::<BinaryArray>())
            }
            Self::LargeBytes => {
                let texts: Vec<Option<String>> = map(picked, text);
                Arc::new(texts.iter().map(|text| text.as_ref().map(String::as_bytes)).collect::<LargeBinaryArray>())
            }
            Self::Uuid => {
                let bytes = |value: u64| [value.to_be_bytes(), spread(value).to_be_bytes()].concat();
                let bytes = picked.iter().map(|value| value.map(bytes));
                Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16).expect("of one size"))
            }
            Self::FixedBytes => {
                let bytes = picked.iter().map(|value| value.map(|value| format!("{:06}", value % 1_000_000)));
                Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 6).expect("of one size"))
            }
            Self::Int8 => Arc::new(map::<_, Int8Array>(picked, |value| spread(value) as i8)),
            Self::Int32 => Arc::new(map::<_, Int32Array>(picked, |value| spread(value) as i32)),
            Self::Int64 => Arc::new(map::<_, Int64Array>(picked, spread)),
            Self::UInt32 => Arc::new(map::<_, UInt32Array>(picked, |value| spread(value) as u32)),
            Self::UInt64 => Arc::new(map::<_, UInt64Array>(picked, |value| spread(value) as u64)),
            Self::Date => {
                let days = |value| if value == 8 { 4_000_000 } else { spread(value) as i32 % 30_000 };
                Arc::new(map::<_, Date32Array>(picked, days))
            }
            Self::TimeMillis => {
                Arc::new(map::<_, Time32MillisecondArray>(picked, |value| within_day(value, 1_000) as i32))
            }
            Self::TimeMicros => {
                Arc::new(map::<_, Time64MicrosecondArray>(picked, |value| within_day(value, 1_000_000)))
            }
            Self::TimeNanos => {
                Arc::new(map::<_, Time64NanosecondArray>(picked, |value| within_day(value, 1_000_000_000)))
            }
            Self::Micros => {
                let micros = |value| if value == 8 { i64::MAX } else { spread(value) % (1 << 55) };
                Arc::new(map::<_, TimestampMicrosecondArray>(picked, micros))
            }
            Self::Nanos => Arc::new(map::<_, TimestampNanosecondArray>(picked, spread).with_timezone("UTC")),
            Self::Decimal => {
                let unscaled = |value| i128::from(spread(value) % 10_000_000_000);
                let array = map::<_, Decimal128Array>(picked, unscaled);
                Arc::new(array.with_precision_and_scale(10, 2).expect("fits"))
            }
            Self::LongDecimal => {
                let array = map::<_, Decimal128Array>(picked, |value| i128::from(spread(value)) * 1_000_003);
                Arc::new(array.with_precision_and_scale(25, 3).expect("fits"))
            }
            Self::LongestDecimal => {
                let unscaled = |value| i256::from_i128(i128::from(spread(value)) << 60) * i256::from_i128(1 << 60);
                let array = map::<_, Decimal256Array>(picked, unscaled);
                Arc::new(array.with_precision_and_scale(60, 5).expect("fits"))
            }
            Self::Boolean => Arc::new(map::<_, BooleanArray>(picked, |value| value % 3 == 0)),
            Self::Float32 => Arc::new(map::<_, Float32Array>(picked, |value| float(value) as f32)),
            Self::Float64 => Arc::new(map::<_, Float64Array>(picked, float)),
        }
    }
}

/// Empty, blank and equal-but-for-letter-case texts among others.
fn text(value: u64) -> String {
    match value {
        0 => String::new(),
        1 => "Ada  L".to_owned(),
        2 => "ada l".to_owned(),
        3 => " ".to_owned(),
        4 => "żółw".to_owned(),
        5 => "x".repeat(300),
        value => format!("value {value}"),
    }
}

/// A time of day; `ticks` are in a second.
fn within_day(value: u64, ticks: u64) -> i64 {
    (value.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (86_400 * ticks)) as i64
}

fn float(value: u64) -> f64 {
    match value {
        0 => f64::NAN,
        1 => -0.0,
        2 => 0.0,
        3 => f64::NEG_INFINITY,
        value => value as f64 / 3.0,
    }
}
