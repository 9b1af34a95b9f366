//! Every value becomes null; the column and its type stay.

use arrow::array::{Array, new_null_array};
use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::arrays::canonical::bare;

use super::family::{BuildError, Context, Facts, Family};
use super::{Transform, TransformError, Transformed, ValueSize, Values};

/// Replaces every value by null; the column itself stays.
///
/// Formula: output = null. Accepted types: all. Result type: the same. Deterministic, not reversible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NullifySpec {}

impl Family for NullifySpec {
    fn facts(&self) -> Facts<'_> {
        Facts::COARSE
    }

    fn build(&self, _: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        Ok(Box::new(Nullify))
    }
}

/// Nothing of the column stays but its name, its type and its length.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nullify;

impl Transform for Nullify {
    fn name(&self) -> &'static str {
        "nullify"
    }

    fn needs_text(&self) -> bool {
        false
    }

    fn value_size(&self) -> ValueSize {
        ValueSize::Fixed { bytes: 0, random: 0 }
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        Ok(bare(input))
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        Ok(new_null_array(&bare(values.array.data_type()), values.array.len()).into())
    }
}
