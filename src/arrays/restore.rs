//! Canonical bytes back to a column of the type they came from: the inverse of
//! [`canonical`](super::canonical::canonical).

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanBuilder, FixedSizeBinaryArray, NullBufferBuilder, PrimitiveBuilder,
    StringBuilder, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::*;

use super::canonical::Meaning;
use super::failure::Failures;
use super::source_type::SourceType;
use super::{decimal, parse, temporal};

/// A column of the source's type.
#[derive(Debug, Clone)]
pub struct Restored {
    /// As many values as came in; null where the bytes were null or are no value's.
    pub array: ArrayRef,
    /// Bytes that are not the canonical bytes of a value of this type.
    pub failures: Failures,
}

/// Why a column can't be restored at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// Arrow refused to build an array: a fault of ours, told without Arrow's text, which may quote values.
    #[error("could not build an array of type {0}")]
    Build(DataType),
}

/// A column of `source`'s type whose canonical bytes are `canonical`.
///
/// Exactly the canonical bytes of a value are taken: `42` is an Int64, `042`, `+42` and `42.0` are none. What a type
/// keeps beyond its canonical text does not come back: the time of day of a Date64.
///
/// # Errors
/// [`RestoreError`]
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{ArrayRef, BinaryArray, Decimal128Array};
/// use lakeveil::arrays::restore::restore;
///
/// let canonical = BinaryArray::from(vec!["42".as_bytes(), b"-1.5", b"1.55"]);
/// let restored = restore(&canonical, &"Decimal128(10, 1)".parse().unwrap())?;
/// let expected = Decimal128Array::from(vec![Some(420), Some(-15), None]).with_precision_and_scale(10, 1).unwrap();
/// assert_eq!(&restored.array, &(Arc::new(expected) as ArrayRef));
/// assert_eq!(restored.failures.len(), 1);
/// # Ok::<(), lakeveil::arrays::restore::RestoreError>(())
/// ```
pub fn restore(canonical: &BinaryArray, source: &SourceType) -> Result<Restored, RestoreError> {
    use DataType::*;
    use TimeUnit::*;
    let text = Text { canonical, source };
    Ok(match source.data_type() {
        Utf8 => text.strings(),
        wide @ (LargeUtf8 | Utf8View) => text.strings().cast(wide)?,
        Binary => Restored { array: Arc::new(canonical.clone()), failures: Failures::default() },
        wide @ (LargeBinary | BinaryView) => {
            Restored { array: Arc::new(canonical.clone()), failures: Failures::default() }.cast(wide)?
        }
        FixedSizeBinary(_) if source.meaning() == Meaning::Uuid => text.fixed_size(16, parse::uuid)?,
        FixedSizeBinary(width) => text.fixed_size(*width, |bytes| (bytes.len() == *width as usize).then_some(bytes))?,
        Boolean => text.booleans(),
        Int8 => text.integers::<Int8Type>(),
        Int16 => text.integers::<Int16Type>(),
        Int32 => text.integers::<Int32Type>(),
        Int64 => text.integers::<Int64Type>(),
        UInt8 => text.integers::<UInt8Type>(),
        UInt16 => text.integers::<UInt16Type>(),
        UInt32 => text.integers::<UInt32Type>(),
        UInt64 => text.integers::<UInt64Type>(),
        Decimal32(precision, scale) => text.decimals::<Decimal32Type>(*precision, *scale),
        Decimal64(precision, scale) => text.decimals::<Decimal64Type>(*precision, *scale),
        Decimal128(precision, scale) => text.decimals::<Decimal128Type>(*precision, *scale),
        Decimal256(precision, scale) => {
            let parse = |text: &[u8]| {
                parse::decimal_i256(text, *scale)
                    .filter(|value| Decimal256Type::is_valid_decimal_precision(*value, *precision))
            };
            text.primitives::<Decimal256Type>(parse, |value, out| {
                decimal::push_i256(out, value, *scale);
                true
            })
        }
        Date32 => text.primitives::<Date32Type>(
            |text| i32::try_from(parse::date(text)?).ok(),
            |days, out| temporal::push_date(out, days.into()),
        ),
        Date64 => text.primitives::<Date64Type>(
            |text| parse::date(text)?.checked_mul(MILLIS_PER_DAY),
            |millis, out| temporal::push_date(out, millis.div_euclid(MILLIS_PER_DAY)),
        ),
        Time32(Second) => text.times::<Time32SecondType>(1_000_000_000),
        Time32(_) => text.times::<Time32MillisecondType>(1_000_000),
        Time64(Microsecond) => text.times::<Time64MicrosecondType>(1_000),
        Time64(_) => text.times::<Time64NanosecondType>(1),
        Timestamp(unit, zone) => match unit {
            Second => text.timestamps::<TimestampSecondType>(1_000_000_000, zone.is_some()),
            Millisecond => text.timestamps::<TimestampMillisecondType>(1_000_000, zone.is_some()),
            Microsecond => text.timestamps::<TimestampMicrosecondType>(1_000, zone.is_some()),
            Nanosecond => text.timestamps::<TimestampNanosecondType>(1, zone.is_some()),
        },
        // nothing but null has this type, and a source type is no other
        _ => {
            let failures = text.each(|_| None::<()>, |_| ());
            Restored { array: new_null_array(source.data_type(), canonical.len()), failures }
        }
    })
}

const MILLIS_PER_DAY: i64 = 86_400_000;

impl Restored {
    fn cast(self, data_type: &DataType) -> Result<Self, RestoreError> {
        let array = cast(&self.array, data_type).map_err(|_| RestoreError::Build(data_type.clone()))?;
        Ok(Self { array, ..self })
    }
}

/// What is read, and as what.
struct Text<'a> {
    canonical: &'a BinaryArray,
    source: &'a SourceType,
}

impl<'a> Text<'a> {
    /// Hands each value that `parse` takes to `append`, and nothing for the others and for null.
    fn each<T>(&self, mut parse: impl FnMut(&'a [u8]) -> Option<T>, mut append: impl FnMut(Option<T>)) -> Failures {
        let mut failures = Failures::default();
        for (row, value) in self.canonical.iter().enumerate() {
            let parsed = value.and_then(&mut parse);
            if value.is_some() && parsed.is_none() {
                failures.push(row, format!("it is not the text of a value of type {}", self.source));
            }
            append(parsed);
        }
        failures
    }

    fn strings(&self) -> Restored {
        let mut builder = StringBuilder::with_capacity(self.canonical.len(), self.canonical.value_data().len());
        let failures = self.each(|bytes| std::str::from_utf8(bytes).ok(), |text| builder.append_option(text));
        Restored { array: Arc::new(builder.finish()), failures }
    }

    fn booleans(&self) -> Restored {
        let mut builder = BooleanBuilder::with_capacity(self.canonical.len());
        let parse = |text: &[u8]| match text {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        };
        let failures = self.each(parse, |value| builder.append_option(value));
        Restored { array: Arc::new(builder.finish()), failures }
    }

    fn fixed_size<B: AsRef<[u8]>>(
        &self,
        width: i32,
        parse: impl FnMut(&'a [u8]) -> Option<B>,
    ) -> Result<Restored, RestoreError> {
        let width_bytes = usize::try_from(width).unwrap_or_default();
        let rows = self.canonical.len();
        let mut data = Vec::with_capacity(rows * width_bytes.min(64));
        let mut valid = NullBufferBuilder::new(rows);
        let failures = self.each(parse, |bytes| {
            match &bytes {
                Some(bytes) => data.extend_from_slice(bytes.as_ref()),
                None => data.resize(data.len() + width_bytes, 0),
            }
            valid.append(bytes.is_some());
        });
        let array = FixedSizeBinaryArray::try_new_with_len(width, data.into(), valid.finish(), rows);
        let array = array.map_err(|_| RestoreError::Build(self.source.data_type().clone()))?;
        Ok(Restored { array: Arc::new(array), failures })
    }

    /// Values that `parse` reads and `push` writes as they were read.
    fn primitives<T: ArrowPrimitiveType>(
        &self,
        parse: impl Fn(&[u8]) -> Option<T::Native>,
        push: impl Fn(T::Native, &mut Vec<u8>) -> bool,
    ) -> Restored {
        let mut builder = PrimitiveBuilder::<T>::with_capacity(self.canonical.len());
        let mut written = Vec::new();
        let exactly = |text: &[u8]| {
            let value = parse(text)?;
            written.clear();
            (push(value, &mut written) && written == text).then_some(value)
        };
        let failures = self.each(exactly, |value| builder.append_option(value));
        let array = builder.finish().with_data_type(self.source.data_type().clone());
        Restored { array: Arc::new(array), failures }
    }

    fn integers<T>(&self) -> Restored
    where
        T: ArrowPrimitiveType,
        T::Native: itoa::Integer + TryFrom<i128>,
    {
        self.primitives::<T>(
            |text| parse::integer(text)?.try_into().ok(),
            |value, out| {
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
                true
            },
        )
    }

    fn decimals<T>(&self, precision: u8, scale: i8) -> Restored
    where
        T: DecimalType,
        T::Native: Into<i128> + TryFrom<i128>,
    {
        self.primitives::<T>(
            |text| {
                let value = parse::decimal_i128(text, scale)?.try_into().ok()?;
                T::is_valid_decimal_precision(value, precision).then_some(value)
            },
            |value, out| {
                decimal::push_i128(out, value.into(), scale);
                true
            },
        )
    }

    fn times<T>(&self, nanos_per_tick: i64) -> Restored
    where
        T: ArrowPrimitiveType,
        T::Native: Into<i64> + TryFrom<i64>,
    {
        self.primitives::<T>(
            |text| (parse::time(text)? / nanos_per_tick).try_into().ok(),
            |ticks, out| temporal::push_time(out, ticks.into() * nanos_per_tick),
        )
    }

    fn timestamps<T: ArrowPrimitiveType<Native = i64>>(&self, nanos_per_tick: i64, zoned: bool) -> Restored {
        self.primitives::<T>(
            |text| parse::timestamp(text, nanos_per_tick, zoned),
            |ticks, out| temporal::push_timestamp(out, ticks, nanos_per_tick, zoned),
        )
    }
}
