//! The canonical bytes of a value (TOKENS.md section 2): two values that a person would call the same identifier
//! meet here, whatever file they came from.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, GenericByteArray, GenericByteViewArray, PrimitiveArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;

use super::failure::Failures;
use super::{decimal, temporal};

/// What the Arrow type alone does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Meaning {
    /// The type says all.
    #[default]
    Plain,
    /// FixedSizeBinary(16) with the UUID extension type or Parquet's UUID logical type.
    Uuid,
}

/// What a field's extension type tells beyond its Arrow type.
pub fn meaning_of(field: &Field) -> Meaning {
    match field.extension_type_name() {
        Some("arrow.uuid") => Meaning::Uuid,
        _ => Meaning::Plain,
    }
}

/// `data_type` without the metadata of the fields in it, which may describe values.
pub fn bare(data_type: &DataType) -> DataType {
    super::fields::within(data_type, &|_| Default::default())
}

/// A column as canonical bytes.
#[derive(Debug, Clone)]
pub struct Canonical {
    /// The bytes; null where the source is null. A failed value has no bytes here.
    pub values: BinaryArray,
    /// Values without canonical bytes: a year outside 0001 to 9999, a time outside the day.
    pub failures: Failures,
}

/// Why a column has no canonical bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// The type is refused when a policy is bound; meeting it later is a fault of ours.
    #[error("type {0} has no canonical text")]
    Type(DataType),
    /// Arrow's 32-bit offsets end at 2 GiB.
    #[error("{0} bytes of text in one batch; the limit is 2 GiB: use smaller batches or row groups")]
    TooLong(usize),
}

/// Whether values of `data_type` have canonical bytes. Dictionaries and runs are as their values.
///
/// Floats have no single text form; of a nested column, the leaf is to be named.
pub fn is_supported(data_type: &DataType) -> bool {
    use DataType::*;
    match data_type {
        Dictionary(_, values) => is_supported(values),
        RunEndEncoded(_, values) => is_supported(values.data_type()),
        Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => true,
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 => true,
        Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..) => true,
        Boolean | Date32 | Date64 | Time32(_) | Time64(_) | Timestamp(..) | Null => true,
        _ => false,
    }
}

/// The canonical bytes of every value of `array`. Text and binary columns are not copied.
///
/// # Errors
/// [`CanonicalError::Type`] for a type that [`is_supported`] refuses, and for dictionaries and runs, of which the
/// values are to be handed in.
///
/// ```
/// use std::sync::Arc;
/// use arrow::array::{ArrayRef, Decimal128Array, Int64Array};
/// use lakeveil::arrays::canonical::{Meaning, canonical};
///
/// let integer: ArrayRef = Arc::new(Int64Array::from(vec![42]));
/// let decimal: ArrayRef = Arc::new(Decimal128Array::from(vec![4200]).with_precision_and_scale(10, 2).unwrap());
/// for array in [integer, decimal] {
///     assert_eq!(canonical(&array, Meaning::Plain).unwrap().values.value(0), b"42");
/// }
/// ```
pub fn canonical(array: &ArrayRef, meaning: Meaning) -> Result<Canonical, CanonicalError> {
    use DataType::*;
    use TimeUnit::*;
    let values = match array.data_type() {
        Utf8 => BinaryArray::from(array.as_string::<i32>().clone()),
        Binary => array.as_binary::<i32>().clone(),
        LargeUtf8 => narrow_offsets(array.as_string::<i64>())?,
        LargeBinary => narrow_offsets(array.as_binary::<i64>())?,
        Utf8View => gather_views(array.as_string_view())?,
        BinaryView => gather_views(array.as_binary_view())?,
        FixedSizeBinary(16) if meaning == Meaning::Uuid => format_uuids(array)?,
        FixedSizeBinary(width) => fixed_size(array, *width)?,
        Null => BinaryArray::new_null(array.len()),
        Boolean => {
            format(array, 5, |i, out| {
                out.extend_from_slice(if array.as_boolean().value(i) { b"true" } else { b"false" });
                true
            })?
            .values
        }
        Int8 => integers(array.as_primitive::<Int8Type>())?,
        Int16 => integers(array.as_primitive::<Int16Type>())?,
        Int32 => integers(array.as_primitive::<Int32Type>())?,
        Int64 => integers(array.as_primitive::<Int64Type>())?,
        UInt8 => integers(array.as_primitive::<UInt8Type>())?,
        UInt16 => integers(array.as_primitive::<UInt16Type>())?,
        UInt32 => integers(array.as_primitive::<UInt32Type>())?,
        UInt64 => integers(array.as_primitive::<UInt64Type>())?,
        Decimal32(_, scale) => decimals(array.as_primitive::<Decimal32Type>(), *scale)?,
        Decimal64(_, scale) => decimals(array.as_primitive::<Decimal64Type>(), *scale)?,
        Decimal128(_, scale) => decimals(array.as_primitive::<Decimal128Type>(), *scale)?,
        Decimal256(_, scale) => {
            let source = array.as_primitive::<Decimal256Type>();
            format(array, 24, |i, out| {
                decimal::push_i256(out, source.value(i), *scale);
                true
            })?
            .values
        }
        Date32 => return temporals(array.as_primitive::<Date32Type>(), |days, out| temporal::push_date(out, days)),
        Date64 => {
            return temporals(array.as_primitive::<Date64Type>(), |millis, out| {
                temporal::push_date(out, millis.div_euclid(86_400_000))
            });
        }
        Time32(Second) => return times(array.as_primitive::<Time32SecondType>(), 1_000_000_000),
        Time32(_) => return times(array.as_primitive::<Time32MillisecondType>(), 1_000_000),
        Time64(Microsecond) => return times(array.as_primitive::<Time64MicrosecondType>(), 1_000),
        Time64(_) => return times(array.as_primitive::<Time64NanosecondType>(), 1),
        Timestamp(unit, zone) => {
            let zoned = zone.is_some();
            return match unit {
                Second => timestamps(array.as_primitive::<TimestampSecondType>(), 1_000_000_000, zoned),
                Millisecond => timestamps(array.as_primitive::<TimestampMillisecondType>(), 1_000_000, zoned),
                Microsecond => timestamps(array.as_primitive::<TimestampMicrosecondType>(), 1_000, zoned),
                Nanosecond => timestamps(array.as_primitive::<TimestampNanosecondType>(), 1, zoned),
            };
        }
        other => return Err(CanonicalError::Type(other.clone())),
    };
    Ok(Canonical { values, failures: Failures::default() })
}

/// Writes each value by `push`, which says false where there is no canonical text.
fn format(
    array: &dyn Array,
    expected_bytes: usize,
    push: impl Fn(usize, &mut Vec<u8>) -> bool,
) -> Result<Canonical, CanonicalError> {
    let mut data = Vec::with_capacity(array.len() * expected_bytes);
    let mut offsets = Vec::with_capacity(array.len() + 1);
    let mut failures = Failures::default();
    offsets.push(0i32);
    for i in 0..array.len() {
        if array.is_valid(i) && !push(i, &mut data) {
            failures.push(i, "outside years 0001 to 9999, or a time outside the day");
        }
        offsets.push(i32::try_from(data.len()).map_err(|_| CanonicalError::TooLong(data.len()))?);
    }
    Ok(Canonical { values: assemble(offsets, data, array.nulls().cloned()), failures })
}

fn assemble(offsets: Vec<i32>, data: Vec<u8>, nulls: Option<NullBuffer>) -> BinaryArray {
    BinaryArray::new(OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(data), nulls)
}

fn integers<T>(array: &PrimitiveArray<T>) -> Result<BinaryArray, CanonicalError>
where
    T: ArrowPrimitiveType,
    T::Native: itoa::Integer,
{
    let mut buffer = itoa::Buffer::new();
    let mut data = Vec::with_capacity(array.len() * 8);
    let mut offsets = Vec::with_capacity(array.len() + 1);
    offsets.push(0i32);
    for i in 0..array.len() {
        if array.is_valid(i) {
            data.extend_from_slice(buffer.format(array.value(i)).as_bytes());
        }
        offsets.push(i32::try_from(data.len()).map_err(|_| CanonicalError::TooLong(data.len()))?);
    }
    Ok(assemble(offsets, data, array.nulls().cloned()))
}

fn decimals<T>(array: &PrimitiveArray<T>, scale: i8) -> Result<BinaryArray, CanonicalError>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i128>,
{
    let text = format(array, 12, |i, out| {
        decimal::push_i128(out, array.value(i).into(), scale);
        true
    })?;
    Ok(text.values)
}

fn temporals<T>(
    array: &PrimitiveArray<T>,
    push: impl Fn(i64, &mut Vec<u8>) -> bool,
) -> Result<Canonical, CanonicalError>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64>,
{
    format(array, 20, |i, out| push(array.value(i).into(), out))
}

fn times<T>(array: &PrimitiveArray<T>, nanos_per_tick: i64) -> Result<Canonical, CanonicalError>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64>,
{
    temporals(array, |ticks, out| {
        ticks.checked_mul(nanos_per_tick).is_some_and(|nanos| temporal::push_time(out, nanos))
    })
}

fn timestamps<T>(array: &PrimitiveArray<T>, nanos_per_tick: i64, zoned: bool) -> Result<Canonical, CanonicalError>
where
    T: ArrowPrimitiveType<Native = i64>,
{
    temporals(array, |ticks, out| temporal::push_timestamp(out, ticks, nanos_per_tick, zoned))
}

fn narrow_offsets<T: ByteArrayType<Offset = i64>>(array: &GenericByteArray<T>) -> Result<BinaryArray, CanonicalError> {
    let start = array.value_offsets()[0];
    let len = (array.value_offsets()[array.len()] - start) as usize;
    if i32::try_from(len).is_err() {
        return Err(CanonicalError::TooLong(len));
    }
    let offsets: Vec<i32> = array.value_offsets().iter().map(|&offset| (offset - start) as i32).collect();
    let data = array.values().slice_with_length(start as usize, len);
    Ok(BinaryArray::new(OffsetBuffer::new(ScalarBuffer::from(offsets)), data, array.nulls().cloned()))
}

fn gather_views<T: ByteViewType>(array: &GenericByteViewArray<T>) -> Result<BinaryArray, CanonicalError> {
    let text = format(array, 16, |i, out| {
        let value: &T::Native = array.value(i);
        out.extend_from_slice(value.as_ref());
        true
    })?;
    Ok(text.values)
}

fn fixed_size(array: &ArrayRef, width: i32) -> Result<BinaryArray, CanonicalError> {
    let source = array.as_fixed_size_binary();
    let total = source.len() * width as usize;
    if i32::try_from(total).is_err() {
        return Err(CanonicalError::TooLong(total));
    }
    let offsets: Vec<i32> = (0..=source.len() as i32).map(|i| i * width).collect();
    let data = source.values().slice_with_length(0, total);
    Ok(BinaryArray::new(OffsetBuffer::new(ScalarBuffer::from(offsets)), data, source.nulls().cloned()))
}

fn format_uuids(array: &ArrayRef) -> Result<BinaryArray, CanonicalError> {
    let source = array.as_fixed_size_binary();
    let text = format(array, 36, |i, out| {
        for (at, byte) in source.value(i).iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                out.push(b'-');
            }
            out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
        }
        true
    })?;
    Ok(text.values)
}

const HEX: &[u8; 16] = b"0123456789abcdef";
