//! Numbers between listed boundaries.

use arrow::datatypes::{DataType, i256};

use super::column::{Numbers, nearest, numbers};
use super::require_number;
use crate::arrays::failure::Failures;
use crate::transforms::generalize::decimal::{Decimal, Limit};
use crate::transforms::generalize::labels::{Labels, NO_LABEL};
use crate::transforms::{Transform, TransformError, Transformed, Values, text_like};

/// Buckets between boundaries, each with a label.
#[derive(Debug)]
pub(super) struct Buckets {
    /// In order.
    bounds: Vec<Decimal>,
    /// One more than boundaries, lowest bucket first.
    labels: Labels,
}

impl Buckets {
    /// `bounds` increase; `labels` are one more.
    pub fn new(bounds: Vec<Decimal>, given: Option<&[String]>) -> Self {
        let mut labels = Labels::default();
        for bucket in 0..=bounds.len() {
            let label = match given.and_then(|labels| labels.get(bucket)) {
                Some(label) => label.clone(),
                None => match (bucket.checked_sub(1).and_then(|below| bounds.get(below)), bounds.get(bucket)) {
                    (Some(lower), Some(upper)) => format!("[{lower}, {upper})"),
                    (Some(lower), None) => format!(">= {lower}"),
                    (None, Some(upper)) => format!("< {upper}"),
                    (None, None) => String::new(),
                },
            };
            labels.push(&label);
        }
        Self { bounds, labels }
    }
}

impl Transform for Buckets {
    fn name(&self) -> &'static str {
        crate::transforms::generalize::NAME
    }

    fn needs_text(&self) -> bool {
        false
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        require_number(input)?;
        Ok(text_like(input))
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let mut failures = Failures::default();
        let (numbers, nulls) = numbers(values.array, &mut failures)
            .ok_or_else(|| TransformError::Build(values.array.data_type().clone()))?;
        let mut rows = match numbers {
            Numbers::Narrow(numbers, scale) => {
                // a boundary above all 64-bit integers is never reached, one below them always
                let limits =
                    self.bounds.iter().map(|bound| bound.ceil_at_scale(scale)).map_while(|limit| match limit {
                        Limit::Below => Some(i64::MIN),
                        Limit::Above => None,
                        Limit::At(limit) if limit.is_negative() => {
                            Some(limit.to_i128().and_then(|limit| limit.try_into().ok()).unwrap_or(i64::MIN))
                        }
                        Limit::At(limit) => limit.to_i128().and_then(|limit| limit.try_into().ok()),
                    });
                let limits: Vec<i64> = limits.collect();
                bucket_each(&numbers, &limits, |number, limit| limit <= number)
            }
            Numbers::Wide(numbers, scale) => {
                let limits: Vec<Limit> = self.bounds.iter().map(|bound| bound.ceil_at_scale(scale)).collect();
                bucket_each(&numbers, &limits, |number: &i256, limit| *limit <= Limit::At(*number))
            }
            Numbers::Floats(numbers, float_type) => {
                let limits = nearest(&self.bounds, float_type);
                bucket_each(&numbers, &limits, |number, limit| limit <= number)
            }
        };
        for row in nulls.iter().flat_map(|nulls| (!nulls.inner()).set_indices().collect::<Vec<_>>()) {
            rows[row] = NO_LABEL;
        }
        Ok(Transformed { failures, ..self.labels.column(&rows)?.into() })
    }
}

/// How many of the ordered limits each number has reached.
fn bucket_each<N, L>(numbers: &[N], limits: &[L], reached: impl Fn(&N, &L) -> bool) -> Vec<u32> {
    numbers.iter().map(|number| limits.partition_point(|limit| reached(number, limit)) as u32).collect()
}
