//! Numbers to buckets: of one width, or between listed boundaries.

mod buckets;
mod column;
mod divide;
mod widths;

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::decimal::Decimal;
use crate::transforms::Transform;

/// Buckets of numbers: `width` (and `offset`), or `buckets` (and `labels`).
///
/// A bucket holds its lower boundary and not its upper one: `[20, 30)`. Boundaries are decimal numbers, exact beside
/// integers and decimals; beside floats each is the float next to it, as if both were written in the column's type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberSpec {
    /// Width of each bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Decimal>,
    /// Where one of the buckets begins; 0 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<Decimal>,
    /// Boundaries in order: n of them make n + 1 buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub buckets: Option<Vec<Decimal>>,
    /// What the buckets are called, lowest first; by default `< 0`, `[0, 18)`, `>= 18`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
}

impl NumberSpec {
    /// What is wrong, with the option that it is wrong of.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        match (&self.width, &self.buckets) {
            (Some(width), None) if !width.is_positive() => {
                problems.push(("number.width", format!("`width` is greater than 0, found {width}")));
            }
            (None, Some(bounds)) if bounds.is_empty() => {
                problems.push(("number.buckets", "the list of boundaries is empty".to_owned()));
            }
            (None, Some(bounds)) if bounds.windows(2).any(|pair| pair[0] >= pair[1]) => {
                problems.push(("number.buckets", "the boundaries must increase".to_owned()));
            }
            (Some(_), None) | (None, Some(_)) => {}
            _ => problems.push(("number", "a rule has either `width` or `buckets`".to_owned())),
        }
        if self.offset.is_some() && self.width.is_none() {
            problems.push(("number.offset", "`offset` belongs to `width`".to_owned()));
        }
        match (&self.labels, &self.buckets) {
            (Some(_), None) => problems.push(("number.labels", "`labels` belong to `buckets`".to_owned())),
            (Some(labels), Some(bounds)) if labels.len() != bounds.len() + 1 => {
                let (buckets, labels) = (bounds.len() + 1, labels.len());
                let message = format!("{} boundaries make {buckets} buckets, found {labels} labels", buckets - 1);
                problems.push(("number.labels", message));
            }
            (Some(labels), _) if labels.iter().any(String::is_empty) => {
                problems.push(("number.labels", "a label is empty".to_owned()));
            }
            _ => {}
        }
        problems
    }

    /// What it describes; `None` if there is something wrong with it.
    pub(super) fn transform(&self) -> Option<Box<dyn Transform>> {
        match (self.width, &self.buckets) {
            (Some(width), None) => {
                Some(Box::new(widths::Widths { width, offset: self.offset.unwrap_or(Decimal::ZERO) }))
            }
            (None, Some(bounds)) => Some(Box::new(buckets::Buckets::new(bounds.clone(), self.labels.as_deref()))),
            _ => None,
        }
    }
}

/// Refuses what is no number, in words for the person who wrote the policy.
fn require_number(data_type: &DataType) -> Result<(), String> {
    if data_type.is_numeric() {
        return Ok(());
    }
    Err(format!("{data_type} holds no numbers; it takes integers, decimals and floats, and text only by a `type`"))
}
