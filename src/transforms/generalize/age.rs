//! Dates of birth to bands of age at a reference date.

use std::fmt;

use arrow::datatypes::DataType;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, de};

use super::days::{DateText, NO_DAY, days};
use super::labels::{Labels, NO_LABEL};
use crate::arrays::calendar::{Civil, civil_from_days, days_from_civil, days_in_month};
use crate::arrays::failure::Failures;
use crate::arrays::iso;
use crate::transforms::{Transform, TransformError, Transformed, Values, require_dates, text_like};

/// Completed years at a reference date, in bands.
///
/// A person grows a year older on the day of the birthday; who was born on 29 February, in other years on 1 March.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgeSpec {
    /// The date at which ages are told, `YYYY-MM-DD`. Who was born after it is an error of the value.
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub reference: String,
    /// Width of the bands in years, or the ages at which bands begin; 5 by default.
    #[serde(default)]
    pub bands: Bands,
    /// The age from which all share one band; 90 by default, as the Safe Harbor method of HIPAA has it
    /// (45 CFR 164.514(b)(2)(i)(C)).
    #[serde(default = "AgeSpec::default_top")]
    #[schemars(range(min = 1, max = 200))]
    pub top: u32,
}

/// Where bands of age begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Bands {
    /// All of one width, from 0 on.
    Width(u32),
    /// At these ages, and at 0.
    Starts(Vec<u32>),
}

impl Default for Bands {
    fn default() -> Self {
        Self::Width(5)
    }
}

impl AgeSpec {
    /// Greatest `top`.
    const MOST: u32 = 200;

    fn default_top() -> u32 {
        90
    }

    /// The reference in days since 1970-01-01.
    pub(super) fn reference_day(&self) -> Option<i64> {
        iso::date(self.reference.as_bytes())
    }

    /// What is wrong, with the option that it is wrong of.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if self.reference_day().is_none() {
            problems.push(("age.reference", "`reference` is a date, `YYYY-MM-DD`, that exists".to_owned()));
        }
        if !(1..=Self::MOST).contains(&self.top) {
            problems.push(("age.top", format!("`top` is an age from 1 to {}, found {}", Self::MOST, self.top)));
        }
        match &self.bands {
            Bands::Width(0) => problems.push(("age.bands", "a band is at least one year wide".to_owned())),
            Bands::Width(_) => {}
            Bands::Starts(starts) if starts.is_empty() => {
                problems.push(("age.bands", "the list of ages at which bands begin is empty".to_owned()));
            }
            Bands::Starts(starts) => {
                if starts.windows(2).any(|pair| pair[0] >= pair[1]) {
                    problems.push(("age.bands", "the ages at which bands begin must increase".to_owned()));
                }
                if starts.iter().any(|&start| start >= self.top) {
                    let message = format!("bands begin below `top`, which is {}", self.top);
                    problems.push(("age.bands", message));
                }
            }
        }
        problems
    }

    /// The ages at which bands begin: 0 first, `top` last.
    fn starts(&self) -> Vec<u32> {
        let mut starts = match &self.bands {
            Bands::Width(width) => (0..self.top).step_by((*width).max(1) as usize).collect(),
            Bands::Starts(starts) => {
                let zero = starts.first().is_none_or(|&first| first > 0).then_some(0);
                zero.into_iter().chain(starts.iter().copied()).collect::<Vec<_>>()
            }
        };
        starts.push(self.top);
        starts
    }
}

/// Bands of age: `40-44`, `90+`.
#[derive(Debug)]
pub(super) struct AgeBands {
    text: DateText,
    /// The last day on which who is of a band or an older one was born, youngest band first.
    born_by: Vec<i32>,
    /// By band, youngest first.
    labels: Labels,
}

impl AgeBands {
    /// `reference` is the day that `spec` names.
    pub fn new(spec: &AgeSpec, reference: i64, text: DateText) -> Self {
        let starts = spec.starts();
        let mut labels = Labels::default();
        for band in starts.windows(2) {
            let last = band[1] - 1;
            labels.push(&if band[0] == last { last.to_string() } else { format!("{}-{last}", band[0]) });
        }
        labels.push(&format!("{}+", spec.top));
        let born_by = starts.iter().map(|&age| born_by(reference, age)).collect();
        Self { text, born_by, labels }
    }
}

/// The last day on which one can be born to have completed `age` years at `reference`. Days since 1970-01-01.
fn born_by(reference: i64, age: u32) -> i32 {
    let Civil { year, month, day } = civil_from_days(reference);
    let year = year - i64::from(age);
    // at a reference of 29 February, and only then, the day may be missing in the year of birth
    days_from_civil(year, month, day.min(days_in_month(year, month))) as i32
}

impl Transform for AgeBands {
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
        // the days fall as the ages rise; a band that is older than who was born last comes before none
        let band_of = |day: i32| self.born_by.partition_point(|&last| day <= last);
        let bands = days.iter().enumerate().map(|(row, &day)| match day {
            NO_DAY => NO_LABEL,
            day => match band_of(day).checked_sub(1) {
                Some(band) => band as u32,
                None => {
                    failures.push(row, "born after the reference date");
                    NO_LABEL
                }
            },
        });
        let bands: Vec<u32> = bands.collect();
        Ok(Transformed { failures, ..self.labels.column(&bands)?.into() })
    }
}

impl<'de> Deserialize<'de> for Bands {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BandsVisitor;

        impl<'de> Visitor<'de> for BandsVisitor {
            type Value = Bands;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a width in years, or a list of ages")
            }

            fn visit_u64<E: de::Error>(self, width: u64) -> Result<Bands, E> {
                let width =
                    u32::try_from(width).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(width), &self))?;
                Ok(Bands::Width(width))
            }

            fn visit_i64<E: de::Error>(self, width: i64) -> Result<Bands, E> {
                let width = u32::try_from(width).map_err(|_| E::invalid_value(de::Unexpected::Signed(width), &self))?;
                Ok(Bands::Width(width))
            }

            fn visit_str<E: de::Error>(self, width: &str) -> Result<Bands, E> {
                // a policy's scalars are texts as written
                let width = width.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(width), &self))?;
                Ok(Bands::Width(width))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Bands, A::Error> {
                let mut starts = Vec::new();
                while let Some(start) = seq.next_element()? {
                    starts.push(start);
                }
                Ok(Bands::Starts(starts))
            }
        }

        deserializer.deserialize_any(BandsVisitor)
    }
}

impl JsonSchema for Bands {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bands".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Width of the bands in years, or the ages at which bands begin, in order.",
            "anyOf": [
                { "type": "integer", "minimum": 1 },
                { "type": "array", "items": { "type": "integer", "minimum": 0 }, "minItems": 1 },
            ],
        })
    }
}
