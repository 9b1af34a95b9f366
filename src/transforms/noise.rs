//! Keyed noise on numbers: blurred values, the same in every run.

mod law;
mod number;
mod sum;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveBuilder};
use arrow::datatypes::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind, scope_faults};
use super::keyed::{self, Keyed, NO_COMPANION};
use super::presence::presence;
use super::spec::TenantSpec;
use super::{Transform, TransformError, Transformed, Values};
use crate::arrays::failure::Failures;
use crate::crypto::{HmacKey, frame};
use law::{Law, unit};
pub use number::Number;
use sum::{Float, FloatType, Reason, Whole};

/// The purpose under which subkeys of this family are derived.
pub const PURPOSE: &str = "noise";
/// Version of the crate whose logarithm decides on outputs: pinned exactly.
const LIBM_VERSION: &str = "0.2.16";

/// Adds noise to a number: drawn by key and row, so that a rerun gives the same bytes and many exports do not average
/// it out.
///
/// Formula: value + noise. u(i) = floor(w / 2^11) · 2^-53 in [0, 1), where w is the first 8 bytes, big-endian, of
/// HMAC-SHA256(subkey(`noise`, domain, tenant), frame(canonical bytes of the column `by`) || be32(i)).
/// `uniform: { width: w }`: noise (2·u(0) - 1) · w, in [-w, w). `laplace: { scale: b }`: m = b · ln(1 - 2·|u - 0.5|), u
/// being the first of u(0), u(1), … that is not 0; noise m where u < 0.5, else -m; at most b · 36.05 either way.
/// Each step is rounded to f64, in this order. Integers: noise is rounded to whole numbers, halves away from zero, and
/// added exactly. Decimals of scale s: noise · 10^s likewise, added to the unscaled integer. Floats: added in f64, then
/// rounded to the type. `min` and `max` clamp the sum to the values of the type between them.
/// Accepted types: integers, decimals, floats. Result type: the same.
/// Errors of the value: a null or empty row id, NaN and infinities, a float so large that the noise cannot change it, a
/// sum that does not fit the type where no bound keeps it within.
/// Example: `{ by: order_id, domain: amounts, uniform: { width: 5 } }` turns `120` into `117`.
/// Deterministic under one key; who has the key can take the noise off again. All columns of one domain have the same u
/// in a row: give each column a domain of its own, or their differences stay exact. Row ids must differ: equal ids get
/// equal noise. Noise is no anonymity: the value shows to within its size, a small one may leave an integer as it was,
/// clamped values show that they were near the bound. This is not differential privacy by itself, which also needs a
/// bound on what one person adds, and a budget over all releases; and the Laplace noise of floats is open to the attack
/// of Mironov (2012, "On significance of the least significant bits for differential privacy").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoiseSpec {
    /// The source column that tells rows apart, such as a primary key; null or empty is an error of the value.
    #[schemars(length(min = 1))]
    pub by: String,
    /// Separates columns whose noise must differ; may hold column names in braces.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// Gives each tenant noise of its own; without it the tenant is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
    /// Bounded noise; either this or `laplace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uniform: Option<UniformSpec>,
    /// Noise of Laplace's distribution; either this or `uniform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub laplace: Option<LaplaceSpec>,
    /// No result is less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Number>,
    /// No result is greater.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Number>,
}

/// Noise that is uniform over an interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UniformSpec {
    /// How far a value moves at most, either way; above 0.
    pub width: Number,
}

/// Noise of Laplace's distribution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaplaceSpec {
    /// Mean distance that a value moves; above 0.
    pub scale: Number,
}

impl NoiseSpec {
    fn law(&self) -> Result<Law, Fault> {
        let positive = |key: &str, number: Number| {
            let fault = || Fault::of(FaultKind::Value, key, "noise has a size above 0");
            (number.get() > 0.0).then_some(number.get()).ok_or_else(fault)
        };
        match (&self.uniform, &self.laplace) {
            (Some(uniform), None) => Ok(Law::Uniform { width: positive("uniform.width", uniform.width)? }),
            (None, Some(laplace)) => Ok(Law::Laplace { scale: positive("laplace.scale", laplace.scale)? }),
            (None, None) => Err(Fault::of(FaultKind::Missing, "", "the noise has no distribution")
                .hint("add `uniform: { width: … }` or `laplace: { scale: … }`")),
            (Some(_), Some(_)) => Err(Fault::of(FaultKind::Value, "laplace", "the noise has two distributions")
                .hint("remove `uniform` or `laplace`")),
        }
    }
}

impl Family for NoiseSpec {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = scope_faults(&self.domain, self.tenant.as_ref());
        if self.by.is_empty() {
            faults.push(Fault::of(FaultKind::Value, "by", "the column of row ids has no name"));
        }
        faults.extend(self.law().err());
        if self.min.zip(self.max).is_some_and(|(min, max)| min > max) {
            faults.push(Fault::of(FaultKind::Value, "max", "`max` is less than `min`"));
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        // the noise comes off under the key, and the value is back
        Facts { reversible: true, tests_guesses: false, ..Facts::keyed(&self.domain) }
    }

    fn pins(&self) -> Result<BTreeMap<String, String>, BuildError> {
        let libm = self.laplace.is_some().then(|| ("libm".to_owned(), LIBM_VERSION.to_owned()));
        Ok(libm.into_iter().collect())
    }

    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        let law = self.law().map_err(|fault| BuildError::Options(fault.message))?;
        let make = |subkey: &[u8]| Ok(HmacKey::new(subkey));
        let keys = context.keyed(PURPOSE, &self.domain, self.tenant.as_ref(), 32, make)?;
        let by = context.companion(&self.by);
        Ok(Box::new(Noise { keys, by, law, bounds: (self.min, self.max) }))
    }
}

/// Noise by key and row.
#[derive(Debug)]
struct Noise {
    keys: Keyed<HmacKey>,
    /// Which companion holds the row ids.
    by: usize,
    law: Law,
    bounds: (Option<Number>, Option<Number>),
}

const NO_ROW_ID: &str = "the row id of its row is null or empty";

/// Calls a macro with the Arrow type of each integer.
macro_rules! integer {
    ($data_type:expr, $then:ident, $other:expr) => {
        match $data_type {
            DataType::Int8 => $then!(Int8Type),
            DataType::Int16 => $then!(Int16Type),
            DataType::Int32 => $then!(Int32Type),
            DataType::Int64 => $then!(Int64Type),
            DataType::UInt8 => $then!(UInt8Type),
            DataType::UInt16 => $then!(UInt16Type),
            DataType::UInt32 => $then!(UInt32Type),
            DataType::UInt64 => $then!(UInt64Type),
            _ => $other,
        }
    };
}

impl Noise {
    /// How whole numbers of this type are added to; `None` of a type that has none.
    fn whole(&self, data_type: &DataType) -> Option<Result<Whole, Reason>> {
        macro_rules! range {
            ($type:ty) => {{
                type Native = <$type as ArrowPrimitiveType>::Native;
                ((i256::from_i128(Native::MIN.into()), i256::from_i128(Native::MAX.into())), 0)
            }};
        }
        let (range, scale) = match data_type {
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale) => {
                let limit = i256::from_i128(10).checked_pow((*precision).into())?.checked_sub(i256::ONE)?;
                ((limit.wrapping_neg(), limit), *scale)
            }
            integer => integer!(integer, range, return None),
        };
        Some(Whole::new(scale, range, self.bounds, self.law.most()))
    }

    fn floats<T: FloatType>(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let float = Float::<T>::new(self.bounds, self.law.most()).map_err(|_| TransformError::Build(T::DATA_TYPE))?;
        self.column::<T>(values, |value, noise| float.add(value, noise))
    }

    /// Each value of the column with its row's noise.
    fn column<T: ArrowPrimitiveType>(
        &self,
        values: &Values<'_>,
        add: impl Fn(T::Native, f64) -> Result<T::Native, Reason>,
    ) -> Result<Transformed, TransformError> {
        let array = values.array.as_primitive::<T>();
        let mut failures = Failures::default();
        let rows = presence(values.array)?;
        let keys = self.keys.of_rows(&rows, values.companions, &mut failures)?;
        let mut builder = PrimitiveBuilder::<T>::with_capacity(array.len()).with_data_type(array.data_type().clone());
        let (mut message, mut scratch) = (Vec::new(), Vec::new());
        let mut noisy = |row: usize| {
            let key = keys.get(row).ok_or(NO_COMPANION)?;
            let id = values.companions.get(self.by).and_then(|ids| keyed::bytes(ids, row)).ok_or(NO_ROW_ID)?;
            message.clear();
            frame(&mut message, id);
            add(array.value(row), self.law.draw(|i| unit(key, &message, i, &mut scratch)))
        };
        for row in 0..array.len() {
            match array.is_valid(row).then(|| noisy(row)) {
                Some(Ok(sum)) => builder.append_value(sum),
                Some(Err(reason)) => {
                    failures.push(row, reason);
                    builder.append_null();
                }
                None => builder.append_null(),
            }
        }
        let made: ArrayRef = Arc::new(builder.finish());
        Ok(Transformed { failures, ..made.into() })
    }
}

impl Transform for Noise {
    fn name(&self) -> &'static str {
        "noise"
    }

    fn needs_text(&self) -> bool {
        false
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        let fault = match input {
            DataType::Float16 => Float::<Float16Type>::new(self.bounds, self.law.most()).err(),
            DataType::Float32 => Float::<Float32Type>::new(self.bounds, self.law.most()).err(),
            DataType::Float64 => Float::<Float64Type>::new(self.bounds, self.law.most()).err(),
            other => match self.whole(other) {
                Some(whole) => whole.err(),
                None => return Err(format!("{input} is no number; give the column a type, or generalize it")),
            },
        };
        fault.map_or_else(|| Ok(input.clone()), |fault| Err(format!("{input}: {fault}")))
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let data_type = values.array.data_type();
        let unbound = || TransformError::Build(data_type.clone());
        match data_type {
            DataType::Float16 => return self.floats::<Float16Type>(values),
            DataType::Float32 => return self.floats::<Float32Type>(values),
            DataType::Float64 => return self.floats::<Float64Type>(values),
            _ => {}
        }
        let whole = self.whole(data_type).and_then(Result::ok).ok_or_else(unbound)?;
        macro_rules! narrow {
            ($type:ty) => {
                self.column::<$type>(values, |value, noise| {
                    let sum = whole.add(i256::from_i128(value.into()), noise)?;
                    // within the range of the type, as `add` holds it
                    sum.to_i128().and_then(|sum| sum.try_into().ok()).ok_or(sum::OVERFLOW)
                })
            };
        }
        match data_type {
            DataType::Decimal32(..) => narrow!(Decimal32Type),
            DataType::Decimal64(..) => narrow!(Decimal64Type),
            DataType::Decimal128(..) => narrow!(Decimal128Type),
            DataType::Decimal256(..) => self.column::<Decimal256Type>(values, |value, noise| whole.add(value, noise)),
            integer => integer!(integer, narrow, Err(unbound())),
        }
    }
}
