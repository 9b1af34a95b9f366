//! A column of numbers in one of three forms, whatever its type.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::*;

use crate::arrays::failure::Failures;
use crate::transforms::generalize::decimal::Decimal;

/// The numbers of a column. What lies under its nulls is 0 here.
#[derive(Debug)]
pub(super) enum Numbers {
    /// Integers, `10^scale` times the numbers, all of 64 bits.
    Narrow(Vec<i64>, i32),
    /// Such integers, at least one of them of more than 64 bits.
    Wide(Vec<i256>, i32),
    /// Binary fractions; neither NaN nor infinities.
    Floats(Vec<f64>, FloatType),
}

/// A type of binary fractions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FloatType {
    Half,
    Single,
    Double,
}

impl FloatType {
    /// The type of a column, if it is one of floats.
    pub fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Float16 => Some(Self::Half),
            DataType::Float32 => Some(Self::Single),
            DataType::Float64 => Some(Self::Double),
            _ => None,
        }
    }

    /// The number of this type that is next to a decimal one.
    pub fn nearest(self, decimal: &str) -> f64 {
        match self {
            Self::Half => {
                let number: f64 = decimal.parse().unwrap_or(f64::NAN);
                <Float16Type as ArrowPrimitiveType>::Native::from_f64_const(number).to_f64()
            }
            Self::Single => decimal.parse::<f32>().unwrap_or(f32::NAN).into(),
            Self::Double => decimal.parse().unwrap_or(f64::NAN),
        }
    }

    /// Numbers of this type are no further apart than `1 / most_widths` of their magnitude.
    pub fn most_widths(self) -> f64 {
        match self {
            Self::Half => (1u64 << 10) as f64,
            Self::Single => (1u64 << 23) as f64,
            Self::Double => (1u64 << 52) as f64,
        }
    }
}

/// The numbers of `array`, and its nulls, among them those of the floats that are none and have failed; `None` for a
/// type without numbers.
pub(super) fn numbers(array: &ArrayRef, failures: &mut Failures) -> Option<(Numbers, Option<NullBuffer>)> {
    use DataType::*;
    let nulls = array.logical_nulls().filter(|nulls| nulls.null_count() > 0);
    let numbers = match array.data_type() {
        Int8 => integers(array.as_primitive::<Int8Type>(), &nulls, 0),
        Int16 => integers(array.as_primitive::<Int16Type>(), &nulls, 0),
        Int32 => integers(array.as_primitive::<Int32Type>(), &nulls, 0),
        Int64 => integers(array.as_primitive::<Int64Type>(), &nulls, 0),
        UInt8 => integers(array.as_primitive::<UInt8Type>(), &nulls, 0),
        UInt16 => integers(array.as_primitive::<UInt16Type>(), &nulls, 0),
        UInt32 => integers(array.as_primitive::<UInt32Type>(), &nulls, 0),
        UInt64 => wide(array.as_primitive::<UInt64Type>(), &nulls, 0),
        Decimal32(_, scale) => integers(array.as_primitive::<Decimal32Type>(), &nulls, (*scale).into()),
        Decimal64(_, scale) => integers(array.as_primitive::<Decimal64Type>(), &nulls, (*scale).into()),
        Decimal128(_, scale) => wide(array.as_primitive::<Decimal128Type>(), &nulls, (*scale).into()),
        Decimal256(_, scale) => {
            let values = or_zero(array.as_primitive::<Decimal256Type>(), &nulls, |value| value);
            match values.iter().map(|value| value.to_i128()?.try_into().ok()).collect() {
                Some(narrow) => Numbers::Narrow(narrow, (*scale).into()),
                None => Numbers::Wide(values, (*scale).into()),
            }
        }
        Float16 => return Some(floats(array.as_primitive::<Float16Type>(), nulls, |half| half.to_f64(), failures)),
        Float32 => return Some(floats(array.as_primitive::<Float32Type>(), nulls, f64::from, failures)),
        Float64 => return Some(floats(array.as_primitive::<Float64Type>(), nulls, |double| double, failures)),
        _ => return None,
    };
    Some((numbers, nulls))
}

fn or_zero<T: ArrowPrimitiveType, N: Default>(
    array: &PrimitiveArray<T>,
    nulls: &Option<NullBuffer>,
    number: impl Fn(T::Native) -> N,
) -> Vec<N> {
    match nulls {
        None => array.values().iter().map(|&value| number(value)).collect(),
        Some(nulls) => {
            let values = array.values().iter().zip(nulls.iter());
            values.map(|(&value, valid)| if valid { number(value) } else { N::default() }).collect()
        }
    }
}

fn integers<T>(array: &PrimitiveArray<T>, nulls: &Option<NullBuffer>, scale: i32) -> Numbers
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64>,
{
    Numbers::Narrow(or_zero(array, nulls, Into::into), scale)
}

/// Of a type that may hold more than 64 bits, though few columns do.
fn wide<T>(array: &PrimitiveArray<T>, nulls: &Option<NullBuffer>, scale: i32) -> Numbers
where
    T: ArrowPrimitiveType,
    T::Native: Into<i128>,
{
    let fits = |value: i128| i128::from(value as i64) == value;
    if array.values().iter().all(|&value| fits(value.into())) {
        return Numbers::Narrow(or_zero(array, nulls, |value| value.into() as i64), scale);
    }
    let values = or_zero(array, nulls, |value| i256::from_i128(value.into()));
    Numbers::Wide(values, scale)
}

fn floats<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    nulls: Option<NullBuffer>,
    number: impl Fn(T::Native) -> f64,
    failures: &mut Failures,
) -> (Numbers, Option<NullBuffer>) {
    let float_type = FloatType::of(&T::DATA_TYPE).unwrap_or(FloatType::Double);
    let mut values = or_zero(array, &nulls, number);
    if values.iter().all(|value| value.is_finite()) {
        return (Numbers::Floats(values, float_type), nulls);
    }
    let before = nulls.as_ref().map(NullBuffer::inner);
    let valid = (0..values.len()).map(|row| values[row].is_finite() && before.is_none_or(|before| before.value(row)));
    let nulls = valid.collect::<NullBuffer>();
    for (row, value) in values.iter_mut().enumerate().filter(|(_, value)| !value.is_finite()) {
        failures.push(row, "not a finite number");
        *value = 0.0;
    }
    (Numbers::Floats(values, float_type), Some(nulls))
}

/// The float of `float_type` next to each boundary.
pub(super) fn nearest(bounds: &[Decimal], float_type: FloatType) -> Vec<f64> {
    bounds.iter().map(|bound| float_type.nearest(&bound.to_string())).collect()
}
