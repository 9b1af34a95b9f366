//! The day on which each value of a column lies, whatever its type.

use std::ops::RangeInclusive;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryArray, PrimitiveArray};
use arrow::datatypes::*;

use crate::arrays::calendar::{DAYS, NANOS_PER_DAY};
use crate::arrays::date_format::{DateFormat, Reading};
use crate::arrays::failure::Failures;
use crate::arrays::iso;
use crate::transforms::Values;

/// Stands for a row without a day: null, or an error of its value.
pub(super) const NO_DAY: i32 = i32::MIN;

/// The reason of a text that its format would not have written.
pub(super) const NOT_IN_FORMAT: &str = "not in the rule's date format";

/// Days of years 0001 to 9999, since 1970-01-01.
const ALL: RangeInclusive<i32> = *DAYS.start() as i32..=*DAYS.end() as i32;

/// How a text column writes its dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DateText {
    /// An ISO date or timestamp.
    Iso,
    /// As a format says.
    Format(DateFormat),
}

/// The day of each row, in days since 1970-01-01: of zoned timestamps in UTC, of others as written. [`NO_DAY`] where a
/// row is null or has failed.
pub(super) fn days(values: &Values<'_>, text: &DateText, failures: &mut Failures) -> Vec<i32> {
    use TimeUnit::*;
    const SECONDS: i64 = NANOS_PER_DAY / 1_000_000_000;
    let array = values.array;
    match array.data_type() {
        DataType::Date32 => typed(array.as_primitive::<Date32Type>(), |day| day, failures),
        DataType::Date64 => ticks::<Date64Type, { SECONDS * 1_000 }>(array, failures),
        DataType::Timestamp(Second, _) => ticks::<TimestampSecondType, SECONDS>(array, failures),
        DataType::Timestamp(Millisecond, _) => ticks::<TimestampMillisecondType, { SECONDS * 1_000 }>(array, failures),
        DataType::Timestamp(Microsecond, _) => {
            ticks::<TimestampMicrosecondType, { SECONDS * 1_000_000 }>(array, failures)
        }
        DataType::Timestamp(Nanosecond, _) => ticks::<TimestampNanosecondType, NANOS_PER_DAY>(array, failures),
        _ => texts(values.canonical, text, failures),
    }
}

fn ticks<T, const PER_DAY: i64>(array: &ArrayRef, failures: &mut Failures) -> Vec<i32>
where
    T: ArrowPrimitiveType<Native = i64>,
{
    // a day outside 32 bits lies outside of all years as well
    let day = |ticks: i64| i32::try_from(ticks.div_euclid(PER_DAY)).unwrap_or(NO_DAY);
    typed(array.as_primitive::<T>(), day, failures)
}

fn typed<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    day: impl Fn(T::Native) -> i32,
    failures: &mut Failures,
) -> Vec<i32> {
    let in_range = |day: i32| if ALL.contains(&day) { day } else { NO_DAY };
    let mut days: Vec<i32> = array.values().iter().map(|&value| in_range(day(value))).collect();
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    if days.contains(&NO_DAY) {
        let failed = days.iter().enumerate().filter(|&(row, &day)| day == NO_DAY && array.is_valid(row));
        failed.for_each(|(row, _)| failures.push(row, "outside years 0001 to 9999"));
    }
    if let Some(nulls) = nulls {
        (!nulls.inner()).set_indices().for_each(|row| days[row] = NO_DAY);
    }
    days
}

fn texts(canonical: &BinaryArray, text: &DateText, failures: &mut Failures) -> Vec<i32> {
    let mut reading = Reading::default();
    let mut day = |value: &[u8]| match text {
        DateText::Iso => iso_day(value),
        DateText::Format(format) => format.read(value, &mut reading).then(|| reading.utc_days()),
    };
    let reason = match text {
        DateText::Iso => "neither an ISO date nor an ISO timestamp",
        DateText::Format(_) => NOT_IN_FORMAT,
    };
    let days = canonical.iter().enumerate().map(|(row, value)| {
        let Some(day) = value.map(&mut day) else { return NO_DAY };
        match day.and_then(|day| i32::try_from(day).ok()) {
            Some(day) if ALL.contains(&day) => day,
            Some(_) => {
                failures.push(row, "outside years 0001 to 9999");
                NO_DAY
            }
            None => {
                failures.push(row, reason);
                NO_DAY
            }
        }
    });
    days.collect()
}

/// The day of an ISO date or timestamp, in UTC if it tells its distance from there.
fn iso_day(text: &[u8]) -> Option<i64> {
    let stamp = iso::stamp(text)?;
    Some(stamp.days + (stamp.nanos / 1_000_000_000 - stamp.offset.unwrap_or(0)).div_euclid(86_400))
}
