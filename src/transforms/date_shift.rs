//! `date + offset(entity)`, keyed and uniform over whole days: TOKENS.md section 3.

mod offsets;
mod shift;
#[cfg(test)]
mod tests;

use arrow::array::AsArray;
use arrow::datatypes::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind, scope_faults};
use super::keyed::Keyed;
use super::spec::TenantSpec;
use super::{Transform, TransformError, Transformed, Values, require_dates};
use crate::arrays::calendar::NANOS_PER_DAY;
use crate::arrays::date_format::DateFormat;
use crate::arrays::failure::Failures;
use crate::crypto::HmacKey;
use shift::{shift, shift_texts};

/// The purpose under which subkeys of this family are derived.
pub const PURPOSE: &str = "date_shift";

/// Moves every date by a secret number of days, the same for all dates of one entity: intervals within it survive.
///
/// Formula: date + (uniform(HMAC-SHA256, subkey(`date_shift`, domain, tenant), canonical bytes of the entity) over the
/// 2 `days` + 1 numbers from -`days` to `days`), in whole days of 86 400 s. Accepted types: dates, timestamps of every
/// unit, with and without a zone, and text that holds dates: `YYYY-MM-DD`, or as `format` says. Result type: the same.
/// Example: `{ by: patient_id, days: 365, domain: patients }`.
/// A date that leaves years 0001 to 9999, or its type, is an error of the value, and so is one whose entity is null or
/// empty. Deterministic under one key; reversible by who has the key. Times of day stay, the day of the week does not.
/// All columns of one entity in one domain move by the same offset, so that intervals between them survive as well:
/// one date that somebody knows undoes them all. Give columns that need no such interval domains of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DateShiftSpec {
    /// The source column that names each row's entity, such as a patient.
    #[schemars(length(min = 1))]
    pub by: String,
    /// The greatest number of days by which a date moves, 1 to 36500.
    #[schemars(range(min = 1, max = 36500))]
    pub days: u32,
    /// Separates offsets: columns of one domain share those of their entities. May hold column names in braces.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// Gives each tenant offsets of its own; without it the tenant is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
    /// How a text column writes its dates: fields such as `%d.%m.%Y %H:%M`; `%Y-%m-%d` by default.
    ///
    /// A text that is not exactly what the format would write is an error of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

impl DateShiftSpec {
    /// Greatest `days`: a hundred years.
    pub const MOST_DAYS: u32 = 36_500;

    fn date_format(&self) -> Result<DateFormat, String> {
        let Some(format) = &self.format else { return Ok(DateFormat::iso_date()) };
        format.parse().map_err(|error| format!("`format` can't be used: {error}"))
    }
}

impl Family for DateShiftSpec {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = scope_faults(&self.domain, self.tenant.as_ref());
        if self.by.is_empty() {
            faults.push(Fault::of(FaultKind::Value, "by", "the entity's column has no name"));
        }
        if !(1..=Self::MOST_DAYS).contains(&self.days) {
            let message = format!("dates move by 1 to {} days, found {}", Self::MOST_DAYS, self.days);
            faults.push(Fault::of(FaultKind::Value, "days", message).hint("365 hides the season"));
        }
        if let Err(message) = self.date_format() {
            faults.push(Fault::of(FaultKind::Value, "format", message));
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        Facts { reversible: true, tests_guesses: false, ..Facts::keyed(&self.domain) }
    }

    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        if !(1..=Self::MOST_DAYS).contains(&self.days) {
            return Err(BuildError::Options(format!("dates move by 1 to {} days", Self::MOST_DAYS)));
        }
        let text = self.date_format().map_err(BuildError::Options)?;
        let make = |subkey: &[u8]| Ok(HmacKey::new(subkey));
        let keys = context.keyed(PURPOSE, &self.domain, self.tenant.as_ref(), 32, make)?;
        Ok(Box::new(DateShift::new(keys, context.companion(&self.by), self.days, text)))
    }
}

/// Dates moved by an offset that is drawn for each entity.
#[derive(Debug)]
pub struct DateShift {
    keys: Keyed<HmacKey>,
    /// Where the entity stands among the companions.
    by: usize,
    /// Greatest offset.
    days: u32,
    /// How text columns write their dates.
    text: DateFormat,
    /// 1, or -1 on the way back.
    sign: i32,
}

impl DateShift {
    /// Moves by up to `days` (1 to 36500) as the companion column `by` says.
    pub fn new(keys: Keyed<HmacKey>, by: usize, days: u32, text: DateFormat) -> Self {
        Self { keys, by, days, text, sign: 1 }
    }

    /// The inverse: of what the transform made, with the same entities, it makes what that was made of.
    #[must_use]
    pub fn back(self) -> Self {
        Self { sign: -self.sign, ..self }
    }
}

impl Transform for DateShift {
    fn name(&self) -> &'static str {
        "date_shift"
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
        let array = values.array;
        let mut failures = Failures::default();
        let offsets = self.offsets(values, &mut failures)?;
        let failed = &mut failures;
        let array = match array.data_type() {
            DataType::Date32 => shift(array.as_primitive::<Date32Type>(), &offsets, 1, failed),
            DataType::Date64 => shift(array.as_primitive::<Date64Type>(), &offsets, SECONDS * 1_000, failed),
            DataType::Timestamp(unit, _) => match unit {
                Second => shift(array.as_primitive::<TimestampSecondType>(), &offsets, SECONDS, failed),
                Millisecond => {
                    shift(array.as_primitive::<TimestampMillisecondType>(), &offsets, SECONDS * 1_000, failed)
                }
                Microsecond => {
                    shift(array.as_primitive::<TimestampMicrosecondType>(), &offsets, SECONDS * 1_000_000, failed)
                }
                Nanosecond => shift(array.as_primitive::<TimestampNanosecondType>(), &offsets, NANOS_PER_DAY, failed),
            },
            _ => shift_texts(values.canonical, &offsets, &self.text, failed)?,
        };
        Ok(Transformed { failures, ..array.into() })
    }
}
