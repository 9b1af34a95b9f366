//! A column as the texts that CSV holds, each distinct value of a dictionary or run once.

use std::io::Write;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, PrimitiveArray, RunArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Float16Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    RunEndIndexType,
};

use super::EncodeError;
use crate::arrays::canonical::{self, CanonicalError, Meaning, canonical, meaning_of};

/// The texts of a column.
pub(super) struct Texts {
    values: BinaryArray,
    /// For each row the position of its value, where values are shared.
    keys: Option<Vec<Option<usize>>>,
}

/// Whether CSV has a text for values of `data_type`.
pub(super) fn is_encodable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Float16 | DataType::Float32 | DataType::Float64 => true,
        DataType::Dictionary(_, values) => is_encodable(values),
        DataType::RunEndEncoded(_, values) => is_encodable(values.data_type()),
        other => canonical::is_supported(other),
    }
}

impl Texts {
    pub(super) fn new(field: &Field, array: &ArrayRef, first_row: u64) -> Result<Self, EncodeError> {
        let (values, keys) = match array.data_type() {
            DataType::Dictionary(..) => {
                let dictionary = array.as_any_dictionary();
                let rows = dictionary.normalized_keys();
                let keys = rows.into_iter().enumerate().map(|(row, key)| dictionary.is_valid(row).then_some(key));
                (dictionary.values(), Some(keys.collect()))
            }
            DataType::RunEndEncoded(ends, _) => match ends.data_type() {
                DataType::Int16 => runs::<Int16Type>(array),
                DataType::Int32 => runs::<Int32Type>(array),
                _ => runs::<Int64Type>(array),
            },
            _ => (array, None),
        };
        let (texts, without) = value_texts(field, values)?;
        let texts = Self { values: texts, keys };
        // an entry without text counts only where a row has it
        let row = (!without.is_empty()).then(|| {
            (0..array.len()).find(|&row| texts.position(row).is_some_and(|at| without.binary_search(&at).is_ok()))
        });
        match row.flatten() {
            None => Ok(texts),
            Some(row) => Err(EncodeError::NoText { row: first_row + row as u64, column: field.name().clone() }),
        }
    }

    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        let at = self.position(row)?;
        self.values.is_valid(at).then(|| self.values.value(at))
    }

    #[inline]
    fn position(&self, row: usize) -> Option<usize> {
        self.keys.as_ref().map_or(Some(row), |keys| keys[row])
    }

    /// The bytes of all values, one after another.
    pub(super) fn all_bytes(&self) -> &[u8] {
        let offsets = self.values.value_offsets();
        &self.values.value_data()[offsets[0] as usize..offsets[self.values.len()] as usize]
    }

    /// About how many bytes the rows take.
    pub(super) fn bytes(&self) -> usize {
        let bytes = self.all_bytes().len();
        self.keys.as_ref().map_or(bytes, |keys| bytes / self.values.len().max(1) * keys.len())
    }
}

fn runs<R: RunEndIndexType>(array: &ArrayRef) -> (&ArrayRef, Option<Vec<Option<usize>>>) {
    let array: &RunArray<R> = array.as_run();
    let keys = (0..array.len()).map(|row| Some(array.get_physical_index(row))).collect();
    (array.values(), Some(keys))
}

/// The texts of plain values, and the positions, in order, of values that have none.
fn value_texts(field: &Field, values: &ArrayRef) -> Result<(BinaryArray, Vec<usize>), EncodeError> {
    let column = || field.name().clone();
    let is_uuid = meaning_of(field) == Meaning::Uuid;
    match values.data_type() {
        DataType::Float16 => return floats(column, values.as_primitive::<Float16Type>(), f32::from),
        DataType::Float32 => return floats(column, values.as_primitive::<Float32Type>(), |n| n),
        DataType::Float64 => return floats(column, values.as_primitive::<Float64Type>(), |n| n),
        _ => {}
    }
    let meaning = if is_uuid { Meaning::Uuid } else { Meaning::Plain };
    let texts = canonical(values, meaning).map_err(|e| match e {
        CanonicalError::TooLong(bytes) => EncodeError::TooLong { column: column(), bytes },
        _ => EncodeError::Type { column: column(), data_type: values.data_type().clone() },
    })?;
    let is_binary = matches!(
        values.data_type(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_)
    );
    let without = texts.failures.iter().map(|failure| failure.index).collect();
    let texts = if is_binary && !is_uuid { hex(column, &texts.values)? } else { texts.values };
    Ok((texts, without))
}

fn hex(column: impl Fn() -> String, values: &BinaryArray) -> Result<BinaryArray, EncodeError> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let bytes = 2 * values.value_data().len();
    let texts = build(values, bytes, |row, out| {
        let digits = |b: &u8| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]];
        out.extend(values.value(row).iter().flat_map(digits));
    });
    texts.map_err(|bytes| EncodeError::TooLong { column: column(), bytes })
}

fn floats<T, F>(
    column: impl Fn() -> String,
    values: &PrimitiveArray<T>,
    widen: impl Fn(T::Native) -> F,
) -> Result<(BinaryArray, Vec<usize>), EncodeError>
where
    T: ArrowPrimitiveType,
    F: std::fmt::Debug,
{
    // Debug is the shortest text that reads back, with an exponent where the plain form would be long
    let texts = build(values, values.len() * 12, |row, out| {
        write!(out, "{:?}", widen(values.value(row))).expect("a Vec takes every byte");
    });
    texts.map(|texts| (texts, Vec::new())).map_err(|bytes| EncodeError::TooLong { column: column(), bytes })
}

/// One text for each valid row of `array`; else the number of bytes that 32-bit offsets cannot hold.
fn build(array: &dyn Array, bytes: usize, push: impl Fn(usize, &mut Vec<u8>)) -> Result<BinaryArray, usize> {
    let mut data = Vec::with_capacity(bytes);
    let mut offsets = Vec::with_capacity(array.len() + 1);
    offsets.push(0_i32);
    for row in 0..array.len() {
        if array.is_valid(row) {
            push(row, &mut data);
        }
        offsets.push(i32::try_from(data.len()).map_err(|_| data.len())?);
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(BinaryArray::new(offsets, Buffer::from_vec(data), array.nulls().cloned()))
}
