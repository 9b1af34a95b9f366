//! A rule for some rows: what happens to the values of the others.
//!
//! A condition decides for a row whether its value goes into the transform. Where it is true, or nobody can tell (SQL's
//! null), the value does: only a row for which it is false for certain is left to [`Otherwise`].

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Datum, Scalar, StringArray, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{cast, filter, interleave, is_null, kernels::zip::zip};
use arrow::datatypes::DataType;

use super::cell::{Cell, CellError, Memo, REDACTED};
use super::tally::Tally;
use super::{TransformError, ValueSize};
use crate::arrays::canonical::{Meaning, canonical, is_supported};
use crate::arrays::sketch::Sketch;

/// Which rows of a column a cell is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// Place of the condition among the column's.
    pub condition: usize,
    /// What becomes of the other rows' values. Null stays null.
    pub otherwise: Otherwise,
}

/// What becomes of the values that a transform is not for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// They stay as they are.
    Keep,
    /// They become null.
    ToNull,
    /// They become [`REDACTED`].
    Redact,
}

impl When {
    /// The output's type for a column of `input` that the cell alone would make `made` of.
    ///
    /// Where texts lie in a dictionary its keys have 32 bits at least: made and other values may be twice as many.
    ///
    /// # Errors
    /// Why one column can't hold both, for the person who wrote the policy.
    pub fn output_type(&self, input: &DataType, made: &DataType) -> Result<DataType, String> {
        if matches!(input, DataType::RunEndEncoded(..)) {
            return Err(format!("{input} can't be taken apart by rows"));
        }
        let (before, after) = (values_of(input), values_of(made));
        match self.otherwise {
            Otherwise::Keep if before != after => Err(format!(
                "`otherwise: keep` leaves {before} beside the {after} that is made: use `to_null` or `redact`"
            )),
            Otherwise::Redact if !is_text(after) => {
                Err(format!("`otherwise: redact` is a text beside the {after} that is made: use `to_null`"))
            }
            _ => Ok(match made {
                DataType::Dictionary(keys, values) if keys.primitive_width().is_some_and(|width| width < 4) => {
                    DataType::Dictionary(Box::new(DataType::Int32), values.clone())
                }
                made => made.clone(),
            }),
        }
    }

    /// How long the values are that come of it, where the cell makes values of `made`.
    pub fn value_sizes(&self, made: ValueSize) -> Vec<ValueSize> {
        match self.otherwise {
            Otherwise::Keep => vec![made, ValueSize::AsSource],
            Otherwise::Redact => vec![made, ValueSize::Fixed { bytes: REDACTED.len(), random: 0 }],
            Otherwise::ToNull => vec![made],
        }
    }

    /// Transforms the rows of `array` that are `applied`, leaves the others to `otherwise`, and counts both.
    ///
    /// # Errors
    /// As [`Cell::apply`].
    pub fn apply(
        &self,
        cell: &Cell,
        array: &ArrayRef,
        companions: &[BinaryArray],
        applied: &BooleanBuffer,
        (memo, tally): (&mut Memo, &mut Tally),
    ) -> Result<ArrayRef, CellError> {
        let broken = || CellError::Column(TransformError::Build(array.data_type().clone()));
        let promised = cell.output_type(array.data_type()).map_err(|_| broken())?;
        let out_type = self.output_type(array.data_type(), &promised).map_err(|_| broken())?;
        // Arrow's own text is dropped: it may quote a value
        let as_type = |array: &ArrayRef, to: &DataType| {
            if array.data_type() == to { Ok(array.clone()) } else { cast(array, to).map_err(|_| broken()) }
        };
        if applied.count_set_bits() == array.len() {
            return as_type(&cell.apply(array, companions, memo, tally)?, &out_type);
        }
        let (chosen, others) = (BooleanArray::new(applied.clone(), None), BooleanArray::new(!applied, None));
        let of = |array: &dyn Array, rows: &BooleanArray| filter(array, rows).map_err(|_| broken());
        let companions = companions.iter().map(|one| Ok(of(one, &chosen)?.as_binary::<i32>().clone()));
        let companions = companions.collect::<Result<Vec<_>, CellError>>()?;
        let made = cell.apply(&of(array, &chosen)?, &companions, memo, tally).map_err(|error| match error {
            CellError::Value { index, reason } => {
                CellError::Value { index: applied.set_indices().nth(index).unwrap_or(index), reason }
            }
            other => other,
        })?;
        let plain = values_of(&out_type);
        let read = of(array, &others)?;
        let read = as_type(&read, values_of(read.data_type()))?;
        let written = match self.otherwise {
            Otherwise::Keep => as_type(&read, plain)?,
            Otherwise::ToNull => new_null_array(plain, read.len()),
            Otherwise::Redact => redacted(&read, plain).ok_or_else(broken)?,
        };
        count(&read, &written, cell.meaning, self.otherwise, tally);
        let made = as_type(&made, plain)?;
        let (mut taken, mut left) = (0, 0);
        let place = |is_applied: bool| {
            let (which, next) = if is_applied { (0, &mut taken) } else { (1, &mut left) };
            *next += 1;
            (which, *next - 1)
        };
        let places: Vec<(usize, usize)> = applied.iter().map(place).collect();
        let merged = interleave(&[&made, &written], &places).map_err(|_| broken())?;
        as_type(&merged, &out_type)
    }
}

fn values_of(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        plain => plain,
    }
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// The mark where `read` has a value.
fn redacted(read: &ArrayRef, data_type: &DataType) -> Option<ArrayRef> {
    let mark = Scalar::new(cast(&StringArray::from(vec![REDACTED]), data_type).ok()?);
    let null = Scalar::new(new_null_array(data_type, 1));
    zip(&is_null(read).ok()?, &null as &dyn Datum, &mark).ok()
}

/// Counts values that were not for the cell, as it counts its own.
fn count(read: &ArrayRef, written: &ArrayRef, meaning: Meaning, otherwise: Otherwise, tally: &mut Tally) {
    tally.count(written.len(), written.logical_null_count());
    if otherwise != Otherwise::Keep {
        tally.transformed += (read.len() - read.logical_null_count()) as u64;
    }
    let text = |array: &ArrayRef, meaning| {
        is_supported(array.data_type()).then(|| canonical(array, meaning).ok()).flatten().map(|text| text.values)
    };
    let (before, after) = (text(read, meaning), text(written, Meaning::Plain));
    let empty = before.as_ref().map(|text| text.iter().flatten().filter(|value| value.is_empty()).count() as u64);
    tally.empties = tally.empties.zip(empty).map(|(sum, more)| sum + more);
    sketch(&mut tally.distinct_in, before.as_ref());
    sketch(&mut tally.distinct_out, after.as_ref());
}

fn sketch(sketch: &mut Option<Sketch>, text: Option<&BinaryArray>) {
    match (sketch.as_mut(), text) {
        (Some(sketch), Some(text)) => text.iter().flatten().for_each(|value| sketch.insert(value)),
        _ => *sketch = None,
    }
}

#[cfg(test)]
mod tests;
