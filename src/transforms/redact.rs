//! Every value becomes one constant; what is null stays null.

use std::sync::Arc;

use arrow::array::{Array, StringBuilder};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{BuildError, Context, Facts, Family};
use super::{Transform, TransformError, Transformed, ValueSize, Values, text_like};

/// Replaces every value by one constant, written as the rule's value: `redact: "[removed]"`.
///
/// Formula: output = the constant. Accepted types: all. Result type: text.
/// Deterministic, not reversible; which rows are null stays visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RedactSpec(pub String);

impl Family for RedactSpec {
    fn facts(&self) -> Facts<'_> {
        Facts::COARSE
    }

    fn build(&self, _: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        Ok(Box::new(Redact::new(&self.0)))
    }
}

/// A constant in place of every value: shows which rows had one, and nothing else.
#[derive(Debug, Clone)]
pub struct Redact {
    constant: String,
}

impl Redact {
    /// Puts `constant` in place of every value.
    pub fn new(constant: &str) -> Self {
        Self { constant: constant.to_owned() }
    }
}

impl Transform for Redact {
    fn name(&self) -> &'static str {
        "redact"
    }

    fn needs_text(&self) -> bool {
        false
    }

    fn value_size(&self) -> ValueSize {
        ValueSize::Fixed { bytes: self.constant.len(), random: 0 }
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        match input {
            DataType::Struct(_) | DataType::List(_) | DataType::LargeList(_) | DataType::Map(..) => {
                Err(format!("{input} is nested; name its leaves, or drop or nullify the whole"))
            }
            _ => Ok(text_like(input)),
        }
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let rows = values.array.len();
        let total = rows * self.constant.len();
        if i32::try_from(total).is_err() {
            return Err(TransformError::TooLong(total));
        }
        let nulls = values.array.logical_nulls();
        let mut builder = StringBuilder::with_capacity(rows, total);
        for row in 0..rows {
            let null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            builder.append_option((!null).then_some(self.constant.as_str()));
        }
        Ok(Transformed::from(Arc::new(builder.finish()) as arrow::array::ArrayRef))
    }
}
