//! Columns of dates, each moved by its row's offset.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, BinaryArray, PrimitiveArray};
use arrow::buffer::NullBuffer;

use crate::arrays::calendar::DAYS;
use crate::arrays::date_format::{Clock, DateFormat, Reading};
use crate::arrays::failure::Failures;
use crate::transforms::TransformError;
use crate::transforms::cell::without;
use crate::transforms::texts::text_column;

const OUT_OF_RANGE: &str = "before or after the shift it lies outside of years 0001 to 9999, or of its type";

/// Moves each value by `offsets` days of `per_day` ticks. What has failed before, and what lies under a null, is 0.
pub(super) fn shift<T>(array: &PrimitiveArray<T>, offsets: &[i32], per_day: i64, failures: &mut Failures) -> ArrayRef
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64> + TryFrom<i64>,
{
    let first = DAYS.start().saturating_mul(per_day);
    let last = DAYS.end().saturating_mul(per_day).saturating_add(per_day - 1);
    let is_out = |ticks: i64| (ticks < first) | (ticks > last);
    let mut out = false;
    let moved = array.values().iter().zip(offsets).map(|(&ticks, &offset)| {
        let ticks: i64 = ticks.into();
        let (moved, overflows) = ticks.overflowing_add(i64::from(offset) * per_day);
        out |= overflows | is_out(ticks) | is_out(moved);
        T::Native::try_from(moved).unwrap_or_default()
    });
    let mut moved: Vec<T::Native> = moved.collect();
    if out {
        for (row, (&ticks, &offset)) in array.values().iter().zip(offsets).enumerate() {
            let ticks: i64 = ticks.into();
            let moved = ticks.checked_add(i64::from(offset) * per_day);
            if array.is_valid(row) && (is_out(ticks) || moved.is_none_or(is_out)) {
                failures.push(row, OUT_OF_RANGE);
            }
        }
    }
    let failed = (!failures.is_empty()).then(|| NullBuffer::new(!&failures.bits(array.len())));
    let nulls = NullBuffer::union(array.nulls(), failed.as_ref()).filter(|nulls| nulls.null_count() > 0);
    if let Some(nulls) = &nulls {
        (!nulls.inner()).set_indices().for_each(|row| moved[row] = T::Native::default());
    }
    // the type of the source, its zone included
    Arc::new(PrimitiveArray::<T>::new(moved.into(), nulls).with_data_type(array.data_type().clone()))
}

/// Moves each text that `format` reads by `offsets` days.
///
/// # Errors
/// [`TransformError::TooLong`] for more than 2 GiB.
pub(super) fn shift_texts(
    canonical: &BinaryArray,
    offsets: &[i32],
    format: &DateFormat,
    failures: &mut Failures,
) -> Result<ArrayRef, TransformError> {
    let mut reading = Reading::default();
    let mut data = Vec::with_capacity(canonical.len() * 10);
    let mut ends = Vec::with_capacity(canonical.len() + 1);
    ends.push(0);
    for (row, (value, &offset)) in canonical.iter().zip(offsets).enumerate() {
        if let Some(text) = value.filter(|_| !failures.contains(row)) {
            if !format.read(text, &mut reading) {
                failures.push(row, "not in the rule's date format");
            } else if !format.write(text, &reading, reading.days() + i64::from(offset), Clock::Kept, &mut data) {
                failures.push(row, "the shifted date can't be written in the rule's date format");
            }
        }
        ends.push(i32::try_from(data.len()).map_err(|_| TransformError::TooLong(data.len()))?);
    }
    text_column(data, ends, without(canonical, failures).nulls().cloned())
}
