//! Integers and decimals: FF1 over the decimal digits of the magnitude, walked along its cycle back into the type.

use arrow::array::{ArrayRef, AsArray, BinaryArray, make_array};
use arrow::datatypes::DataType;

use super::super::texts::{Reason, texts};
use super::super::{TransformError, Transformed, Values};
use super::Cipher;
use crate::arrays::canonical::{Meaning, canonical};
use crate::arrays::restore::{RestoreError, restore};
use crate::arrays::source_type::SourceType;

/// Fewest digits: one more than FF1 takes, as the first is not 0 (TOKENS.md section 3).
const MIN_DIGITS: usize = 7;

/// Whether values of `data_type` are numbers that have decimal digits.
pub(super) fn is_number(data_type: &DataType) -> bool {
    unscaled(data_type).is_some()
}

/// The type of the unscaled integers of a decimal; an integer type itself.
fn unscaled(data_type: &DataType) -> Option<DataType> {
    use DataType::*;
    Some(match data_type {
        Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 | UInt64 => data_type.clone(),
        Decimal32(precision, _) => Decimal32(*precision, 0),
        Decimal64(precision, _) => Decimal64(*precision, 0),
        Decimal128(precision, _) => Decimal128(*precision, 0),
        Decimal256(precision, _) => Decimal256(*precision, 0),
        _ => return None,
    })
}

/// The greatest magnitude of a number of its sign; `None` where all of as many digits are taken, as in a decimal.
fn greatest(data_type: &DataType, negative: bool) -> Option<u128> {
    use DataType::*;
    let (signed, unsigned): (_, u128) = match data_type {
        Int8 => (true, 1 << 7),
        Int16 => (true, 1 << 15),
        Int32 => (true, 1 << 31),
        Int64 => (true, 1 << 63),
        UInt8 => (false, 1 << 8),
        UInt16 => (false, 1 << 16),
        UInt32 => (false, 1 << 32),
        UInt64 => (false, 1 << 64),
        _ => return None,
    };
    Some(if signed && negative { unsigned } else { unsigned - 1 })
}

/// Every number with its digits replaced, by the cipher that `cipher_of` hands to what it is given for a row.
///
/// Numbers are read from their canonical text, as `normalize` left it.
pub(super) fn numbers(
    values: &Values<'_>,
    mut with_cipher: impl FnMut(usize, &mut dyn FnMut(&Cipher<'_>) -> Result<(), Reason>) -> Result<(), Reason>,
) -> Result<Transformed, TransformError> {
    let data_type = values.array.data_type();
    let refused = || TransformError::Build(data_type.clone());
    let integers = unscaled(data_type).ok_or_else(refused)?;
    let source = |data_type: &DataType| SourceType::new(data_type, Meaning::Plain).map_err(|_| refused());
    let read = restore(values.canonical, &source(data_type)?).map_err(refuse)?;
    let digits = canonical(&as_type(&read.array, &integers)?, Meaning::Plain)?.values;
    let mut numerals = Vec::new();
    let made = texts(&digits, |row, text, out| {
        with_cipher(row, &mut |cipher| {
            let (negative, magnitude) = text.strip_prefix('-').map_or((false, text), |magnitude| (true, magnitude));
            numerals.clear();
            numerals.extend(magnitude.bytes().map(|digit| u16::from(digit - b'0')));
            walk(cipher, &mut numerals, greatest(&integers, negative))?;
            out.extend(negative.then_some('-'));
            // a digit of radix 10 is one byte
            out.extend(numerals.iter().map(|&digit| char::from(b'0' + digit as u8)));
            Ok(())
        })
    })?;
    let made_digits = BinaryArray::from(made.array.as_string::<i32>().clone());
    let written = restore(&made_digits, &source(&integers)?).map_err(refuse)?;
    let mut failures = read.failures;
    failures.extend(made.failures);
    failures.extend(written.failures);
    Ok(Transformed { failures, ..as_type(&written.array, data_type)?.into() })
}

/// Runs the cipher until the digits are a number of their length, up to `greatest`. They are one before, so the cycle
/// that they are on comes to one again, at the latest at themselves.
fn walk(cipher: &Cipher<'_>, digits: &mut [u16], greatest: Option<u128>) -> Result<(), Reason> {
    if digits.len() < MIN_DIGITS {
        return Err(format!("{} digits; at least {MIN_DIGITS} are needed", digits.len()).into());
    }
    let number = |digits: &[u16]| digits.iter().fold(0_u128, |number, &digit| number * 10 + u128::from(digit));
    loop {
        cipher.run(digits)?;
        // an integer has at most 20 digits, which are far from 128 bits
        if digits.first() != Some(&0) && greatest.is_none_or(|greatest| number(digits) <= greatest) {
            return Ok(());
        }
    }
}

/// The same numbers under another type of the same width.
fn as_type(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, TransformError> {
    let data = array.to_data().into_builder().data_type(data_type.clone()).build();
    data.map(make_array).map_err(|_| TransformError::Build(data_type.clone()))
}

fn refuse(RestoreError::Build(data_type): RestoreError) -> TransformError {
    TransformError::Build(data_type)
}
