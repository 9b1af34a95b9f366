//! Values to coarser ones that many share: periods, bands of age, buckets of numbers, prefixes, parents in a hierarchy.
//! Without a key: who sees an output learns what it says of the value, and no more.

mod age;
mod date;
mod days;
mod decimal;
mod hierarchy;
mod labels;
mod number;
mod prefix;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Transform;
use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind};
pub use age::{AgeSpec, Bands};
pub use date::{As, Period};
use days::DateText;
pub use decimal::{Decimal, DecimalError};
pub use hierarchy::HierarchySpec;
pub use number::NumberSpec;
pub use prefix::{PrefixSpec, Short};

use crate::arrays::date_format::{DateFormat, DateFormatError};

/// The policy's word for this family.
const NAME: &str = "generalize";

/// Replaces every value by a coarser one that many values share: a period, a band, a bucket, a prefix, a parent.
///
/// Formula, by the one option that is given:
/// - `date`: the year, quarter, month, ISO week or day of dates and timestamps (zoned ones in UTC), and of text: ISO
///   dates and timestamps, or what `format` says. As a label, `2026`, `2026-Q4`, `2026-11`, `2026-W48`, `2026-11-28`,
///   or with `as: first_day` as the first day of the period, in the column's own type.
/// - `age`: completed years at a reference date, from dates of birth in any of these types, in bands: `40-44`, `90+`.
/// - `number`: buckets of integers, decimals and floats, of one `width` (`[20, 30)`) or between listed boundaries.
/// - `prefix`: the first characters of text.
/// - `hierarchy`: the parent in a CSV file, of every type that `pseudonym` takes.
///
/// Result type: text, but for `as: first_day`. Example: `{ date: month }` turns `2026-11-28` into `2026-11`,
/// `{ age: { reference: 2026-01-01 } }` turns `1981-06-15` into `40-44`, `{ number: { width: 10 } }` turns 27 into
/// `[20, 30)`, `{ prefix: { keep: 3 } }` turns `02139` into `021`.
/// Deterministic, unkeyed, not reversible; what stays is raw, and order stays visible. How many values share an output
/// is up to the data: a rare one may still point at one person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["date"] },
    { "required": ["age"] },
    { "required": ["number"] },
    { "required": ["prefix"] },
    { "required": ["hierarchy"] },
]))]
pub struct GeneralizeSpec {
    /// The period that a date becomes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Period>,
    /// The band of age that a date of birth becomes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<Box<AgeSpec>>,
    /// The bucket that a number becomes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Box<NumberSpec>>,
    /// The first characters of a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<Box<PrefixSpec>>,
    /// The parent of a value in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hierarchy: Option<Box<HierarchySpec>>,
    /// How a period is told, with `date`: `label` by default.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub told_as: Option<As>,
    /// How a text column writes its dates, with `date` and `age`: fields such as `%d.%m.%Y`. By default ISO dates and
    /// timestamps are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

impl GeneralizeSpec {
    fn text(&self) -> Result<DateText, DateFormatError> {
        Ok(match &self.format {
            None => DateText::Iso,
            Some(format) => DateText::Format(format.parse::<DateFormat>()?),
        })
    }

    /// How many of the options are given of which there must be one.
    fn kinds(&self) -> usize {
        let given = [
            self.date.is_some(),
            self.age.is_some(),
            self.number.is_some(),
            self.prefix.is_some(),
            self.hierarchy.is_some(),
        ];
        given.into_iter().filter(|&given| given).count()
    }
}

impl Family for GeneralizeSpec {
    fn faults(&self) -> Vec<Fault> {
        let fault = |(path, message): (&str, String)| Fault::of(FaultKind::Value, path, message);
        let mut faults = Vec::new();
        if self.kinds() != 1 {
            let message = format!(
                "one of `date`, `age`, `number`, `prefix` and `hierarchy` says what becomes of a value, found {}",
                self.kinds()
            );
            let kind = if self.kinds() == 0 { FaultKind::Missing } else { FaultKind::Value };
            faults.push(Fault::of(kind, "", message));
        }
        faults.extend(self.age.iter().flat_map(|spec| spec.problems()).map(fault));
        faults.extend(self.number.iter().flat_map(|spec| spec.problems()).map(fault));
        faults.extend(self.prefix.iter().flat_map(|spec| spec.problems()).map(fault));
        faults.extend(self.hierarchy.iter().flat_map(|spec| spec.problems()).map(fault));
        if self.told_as.is_some() && self.date.is_none() {
            faults.push(fault(("as", "`as` belongs to `date`".to_owned())));
        }
        if self.format.is_some() && self.date.is_none() && self.age.is_none() {
            faults.push(fault(("format", "`format` belongs to `date` and `age`".to_owned())));
        }
        match self.text() {
            Err(error) => faults.push(fault(("format", format!("`format` can't be used: {error}")))),
            Ok(DateText::Format(format)) if format.has_zone() && self.told_as == Some(As::FirstDay) => {
                let message = "a text that tells its distance from UTC (`%z`) has no first day of its own";
                faults.push(fault(("as", message.to_owned())).hint("use `as: label`"));
            }
            Ok(_) => {}
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        // a day is all of a date, and a short value may pass whole
        let shows =
            self.date == Some(Period::Day) || self.prefix.as_ref().is_some_and(|spec| spec.short == Short::Keep);
        Facts { masking: !shows, ..Facts::COARSE }
    }

    fn pins(&self) -> Result<BTreeMap<String, String>, BuildError> {
        self.hierarchy.as_ref().map_or_else(|| Ok(BTreeMap::new()), |spec| spec.pins())
    }

    fn build(&self, _: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        if let Some(fault) = self.faults().into_iter().next() {
            return Err(BuildError::Options(fault.message));
        }
        let text = self.text().map_err(|error| BuildError::Options(error.to_string()))?;
        let built: Option<Box<dyn Transform>> = match self {
            Self { date: Some(period), told_as: Some(As::FirstDay), .. } => {
                Some(Box::new(date::FirstDays { period: *period, text }))
            }
            Self { date: Some(period), .. } => Some(Box::new(date::PeriodLabels { period: *period, text })),
            Self { age: Some(spec), .. } => spec
                .reference_day()
                .map(|reference| Box::new(age::AgeBands::new(spec, reference, text)) as Box<dyn Transform>),
            Self { number: Some(spec), .. } => spec.transform(),
            Self { prefix: Some(spec), .. } => Some(spec.transform()),
            Self { hierarchy: Some(spec), .. } => Some(spec.transform()?),
            _ => None,
        };
        built.ok_or_else(|| BuildError::Options("it says nothing".to_owned()))
    }
}
