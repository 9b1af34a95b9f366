//! Dates to the year, quarter, month, ISO week or day that they lie in: as a label, or as that period's first day.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, BinaryArray, PrimitiveArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::days::{DateText, NO_DAY, NOT_IN_FORMAT, days};
use super::labels::nulls;
use crate::arrays::calendar::{Civil, NANOS_PER_DAY, civil_from_days, day_of_week, days_from_civil, iso_week};
use crate::arrays::date_format::{Clock, DateFormat, Reading};
use crate::arrays::failure::Failures;
use crate::transforms::cell::without;
use crate::transforms::texts::text_column;
use crate::transforms::{Transform, TransformError, Transformed, Values, require_dates, text_like};

/// The period that a date becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// `2026`.
    Year,
    /// `2026-Q4`.
    Quarter,
    /// `2026-11`.
    Month,
    /// `2026-W48`: weeks begin on Monday and belong to the year of their Thursday (ISO 8601).
    IsoWeek,
    /// `2026-11-28`.
    Day,
}

/// How a period is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum As {
    /// As text.
    #[default]
    Label,
    /// As its first day: the column keeps its type, timestamps at midnight (in UTC if they have a zone); text is
    /// written as it was, or as an ISO date where the rule has no `format`.
    FirstDay,
}

impl Period {
    /// Days since 1970-01-01 of the first day of the period that holds `day`, which is one of years 0001 to 9999.
    fn first_day(self, day: i64) -> i64 {
        let Civil { year, month, day: of_month } = civil_from_days(day);
        match self {
            Self::Year => days_from_civil(year, 1, 1),
            Self::Quarter => days_from_civil(year, month - (month - 1) % 3, 1),
            Self::Month => day - of_month + 1,
            Self::IsoWeek => day - day_of_week(day),
            Self::Day => day,
        }
    }
}

/// Periods as text.
#[derive(Debug)]
pub(super) struct PeriodLabels {
    pub period: Period,
    pub text: DateText,
}

impl Transform for PeriodLabels {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn needs_text(&self) -> bool {
        false
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        require_dates(input)?;
        Ok(text_like(input))
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let mut failures = Failures::default();
        let days = days(values, &self.text, &mut failures);
        Ok(Transformed { failures, ..labels(self.period, &days)?.into() })
    }
}

/// The label of each day's period.
fn labels(period: Period, days: &[i32]) -> Result<ArrayRef, TransformError> {
    match period {
        Period::Year => column(days, |day, label: &mut [u8; 4]| {
            put_year(civil_from_days(day).year, label);
        }),
        Period::Quarter => column(days, |day, label: &mut [u8; 7]| {
            let Civil { year, month, .. } = civil_from_days(day);
            *label = *b"0000-Q0";
            put_year(year, label);
            label[6] = b'1' + ((month - 1) / 3) as u8;
        }),
        Period::Month => column(days, |day, label: &mut [u8; 7]| {
            let Civil { year, month, .. } = civil_from_days(day);
            *label = *b"0000-00";
            put_year(year, label);
            put_two(month, &mut label[5..]);
        }),
        Period::IsoWeek => column(days, |day, label: &mut [u8; 8]| {
            let (year, week) = iso_week(day);
            *label = *b"0000-W00";
            put_year(year, label);
            put_two(week, &mut label[6..]);
        }),
        Period::Day => column(days, |day, label: &mut [u8; 10]| {
            let Civil { year, month, day } = civil_from_days(day);
            *label = *b"0000-00-00";
            put_year(year, label);
            put_two(month, &mut label[5..]);
            put_two(day, &mut label[8..]);
        }),
    }
}

/// One label of `N` bytes for each day.
fn column<const N: usize>(days: &[i32], put: impl Fn(i64, &mut [u8; N])) -> Result<ArrayRef, TransformError> {
    let longest = days.len().saturating_mul(N);
    if i32::try_from(longest).is_err() {
        return Err(TransformError::TooLong(longest));
    }
    let mut data = vec![0; longest];
    let mut slots = data.as_chunks_mut::<N>().0.iter_mut();
    let mut offsets = Vec::with_capacity(days.len() + 1);
    let mut end = 0;
    offsets.push(0);
    for &day in days {
        if day != NO_DAY
            && let Some(slot) = slots.next()
        {
            put(i64::from(day), slot);
            end += N;
        }
        offsets.push(end as i32);
    }
    data.truncate(end);
    text_column(data, offsets, nulls(days, NO_DAY))
}

/// Four digits.
fn put_year(year: i64, out: &mut [u8]) {
    put_two(year / 100, out);
    put_two(year % 100, &mut out[2..]);
}

/// Two digits.
fn put_two(number: i64, out: &mut [u8]) {
    out[0] = b'0' + (number / 10) as u8;
    out[1] = b'0' + (number % 10) as u8;
}

/// Periods as their first days.
#[derive(Debug)]
pub(super) struct FirstDays {
    pub period: Period,
    pub text: DateText,
}

impl Transform for FirstDays {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn needs_text(&self) -> bool {
        false
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        require_dates(input)?;
        Ok(input.clone())
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        use TimeUnit::*;
        const SECONDS: i64 = NANOS_PER_DAY / 1_000_000_000;
        let data_type = values.array.data_type();
        let mut failures = Failures::default();
        if let (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View, DateText::Format(format)) =
            (data_type, &self.text)
        {
            let array = self.texts(values.canonical, format, &mut failures)?;
            return Ok(Transformed { failures, ..array.into() });
        }
        let mut days = days(values, &self.text, &mut failures);
        for day in days.iter_mut().filter(|day| **day != NO_DAY) {
            *day = self.period.first_day(i64::from(*day)) as i32;
        }
        let array = match data_type {
            DataType::Date32 => {
                let firsts = days.iter().map(|&day| if day == NO_DAY { 0 } else { day }).collect();
                primitive::<Date32Type>(firsts, nulls(&days, NO_DAY), data_type)
            }
            DataType::Date64 => ticks::<Date64Type>(days, SECONDS * 1_000, data_type, &mut failures),
            DataType::Timestamp(Second, _) => ticks::<TimestampSecondType>(days, SECONDS, data_type, &mut failures),
            DataType::Timestamp(Millisecond, _) => {
                ticks::<TimestampMillisecondType>(days, SECONDS * 1_000, data_type, &mut failures)
            }
            DataType::Timestamp(Microsecond, _) => {
                ticks::<TimestampMicrosecondType>(days, SECONDS * 1_000_000, data_type, &mut failures)
            }
            DataType::Timestamp(Nanosecond, _) => {
                ticks::<TimestampNanosecondType>(days, NANOS_PER_DAY, data_type, &mut failures)
            }
            _ => labels(Period::Day, &days)?,
        };
        Ok(Transformed { failures, ..array.into() })
    }
}

impl FirstDays {
    /// Texts in `format`, as they were but for the date, and at midnight.
    fn texts(
        &self,
        canonical: &BinaryArray,
        format: &DateFormat,
        failures: &mut Failures,
    ) -> Result<ArrayRef, TransformError> {
        let mut reading = Reading::default();
        let mut data = Vec::new();
        let mut offsets = Vec::with_capacity(canonical.len() + 1);
        offsets.push(0);
        for (row, value) in canonical.iter().enumerate() {
            if let Some(text) = value {
                if !format.read(text, &mut reading) {
                    failures.push(row, NOT_IN_FORMAT);
                } else if !format.write(
                    text,
                    &reading,
                    self.period.first_day(reading.days()),
                    Clock::Midnight,
                    &mut data,
                ) {
                    failures.push(row, "the first day of its period can't be written in the rule's date format");
                }
            }
            offsets.push(i32::try_from(data.len()).map_err(|_| TransformError::TooLong(data.len()))?);
        }
        let nulls = without(canonical, failures).nulls().cloned();
        text_column(data, offsets, nulls)
    }
}

/// Midnight of each day, in ticks; a day before the first that the type can tell fails.
fn ticks<T>(mut days: Vec<i32>, per_day: i64, data_type: &DataType, failures: &mut Failures) -> ArrayRef
where
    T: ArrowPrimitiveType<Native = i64>,
{
    let mut ticks = vec![0; days.len()];
    for (row, (day, tick)) in days.iter_mut().zip(&mut ticks).enumerate().filter(|(_, (day, _))| **day != NO_DAY) {
        match i64::from(*day).checked_mul(per_day) {
            Some(midnight) => *tick = midnight,
            None => {
                failures.push(row, "the first day of its period lies outside of what its type can tell");
                *day = NO_DAY;
            }
        }
    }
    primitive::<T>(ticks, nulls(&days, NO_DAY), data_type)
}

fn primitive<T: ArrowPrimitiveType>(
    values: Vec<T::Native>,
    nulls: Option<NullBuffer>,
    data_type: &DataType,
) -> ArrayRef {
    // the type of the source, its zone included
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls).with_data_type(data_type.clone()))
}
