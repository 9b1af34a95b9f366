//! A value and its noise, in the arithmetic of the value's type.

use arrow::datatypes::{ArrowPrimitiveType, Float16Type, Float32Type, Float64Type, i256};

use super::number::Number;

/// Why a sum can't be given, in words that hold nothing of the value.
pub type Reason = &'static str;

const NOT_FINITE: Reason = "NaN or infinite";
const UNTOUCHED: Reason = "so large that noise of this size cannot change it";
pub const OVERFLOW: Reason = "the result does not fit the column's type; `min` and `max` would clamp it";

/// Whole numbers: integers, and decimals as their unscaled integers.
///
/// The sum is `value + round(noise · f)`, where f is 10^scale as the nearest f64 (1 for integers), the product is
/// rounded to f64, and then to the nearest whole number, halves away from zero. The addition is exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Whole {
    factor: f64,
    /// Of the type.
    range: (i256, i256),
    /// Of the policy, rounded inwards to values of the type.
    bounds: (i256, i256),
}

impl Whole {
    /// Numbers with `scale` decimal places within `range`, clamped to `min` and `max`.
    ///
    /// # Errors
    /// No number of the type lies between `min` and `max`, or no noise up to `most` ever changes one.
    pub fn new(
        scale: i8,
        range: (i256, i256),
        (min, max): (Option<Number>, Option<Number>),
        most: f64,
    ) -> Result<Self, Reason> {
        let bounds = (
            min.map_or(i256::MIN, |min| min.unscaled(scale.into(), true)),
            max.map_or(i256::MAX, |max| max.unscaled(scale.into(), false)),
        );
        if bounds.0 > bounds.1 || bounds.0 > range.1 || bounds.1 < range.0 {
            return Err("no value of its type lies between `min` and `max`");
        }
        // parsing rounds correctly, so that this is the same everywhere, as a power computed in f64 would not be
        let factor = format!("1e{scale}").parse().unwrap_or(f64::NAN);
        let whole = Self { factor, range, bounds };
        match whole.rounded(most) {
            i256::ZERO => Err("noise of this size rounds to nothing in its type"),
            _ => Ok(whole),
        }
    }

    /// # Errors
    /// The sum does not fit the type, and no bound of the policy keeps it within.
    pub fn add(&self, value: i256, noise: f64) -> Result<i256, Reason> {
        let noise = self.rounded(noise);
        let sum = value.checked_add(noise).unwrap_or(if noise < i256::ZERO { i256::MIN } else { i256::MAX });
        let sum = sum.clamp(self.bounds.0, self.bounds.1);
        if sum < self.range.0 || sum > self.range.1 { Err(OVERFLOW) } else { Ok(sum) }
    }

    fn rounded(&self, noise: f64) -> i256 {
        let noise = (noise * self.factor).round();
        // the conversion is exact within i128, and the way past it slow
        if noise.abs() < 1e38 {
            return i256::from_i128(noise as i128);
        }
        i256::from_f64(noise).unwrap_or(if noise < 0.0 { i256::MIN } else { i256::MAX })
    }
}

/// Floating-point numbers of 16, 32 or 64 bits.
///
/// The sum is `value + noise` in f64, rounded to the type, both to the nearest, ties to even.
#[derive(Debug, Clone, PartialEq)]
pub struct Float<T: FloatType> {
    bounds: (T::Native, T::Native),
    most: f64,
}

impl<T: FloatType> Float<T> {
    /// Clamped to `min` and `max`, noise never greater than `most`.
    ///
    /// # Errors
    /// No number of the type lies between `min` and `max`.
    pub fn new((min, max): (Option<Number>, Option<Number>), most: f64) -> Result<Self, Reason> {
        let least = min.map_or(f64::NEG_INFINITY, Number::get);
        let greatest = max.map_or(f64::INFINITY, Number::get);
        // rounded inwards: -(least not below -bound) is the greatest not above it
        let bounds = (T::at_least(least), T::negated(T::at_least(-greatest)));
        let (least, greatest) = (T::wide(bounds.0), T::wide(bounds.1));
        if least > greatest || least == f64::INFINITY || greatest == f64::NEG_INFINITY {
            return Err("no value of its type lies between `min` and `max`");
        }
        Ok(Self { bounds, most })
    }

    /// # Errors
    /// The value is not finite, or so large that noise is lost in it; the sum does not fit the type, and no bound of
    /// the policy keeps it within.
    pub fn add(&self, value: T::Native, noise: f64) -> Result<T::Native, Reason> {
        let wide = T::wide(value);
        if !wide.is_finite() {
            return Err(NOT_FINITE);
        }
        let is_lost = |noise: f64| T::wide(T::nearest(wide + noise)) == wide;
        if is_lost(self.most) && is_lost(-self.most) {
            return Err(UNTOUCHED);
        }
        let nearest = T::nearest(wide + noise);
        let sum = T::wide(nearest);
        if sum < T::wide(self.bounds.0) {
            Ok(self.bounds.0)
        } else if sum > T::wide(self.bounds.1) {
            Ok(self.bounds.1)
        } else if sum.is_finite() {
            Ok(nearest)
        } else {
            Err(OVERFLOW)
        }
    }
}

/// What a floating-point type can do.
pub trait FloatType: ArrowPrimitiveType {
    /// The nearest value, ties to even.
    fn nearest(number: f64) -> Self::Native;
    /// The same number as f64.
    fn wide(value: Self::Native) -> f64;
    /// The next greater value of a finite one.
    fn next_up(value: Self::Native) -> Self::Native;
    /// The negative.
    fn negated(value: Self::Native) -> Self::Native;

    /// The least value that is not below `number`.
    fn at_least(number: f64) -> Self::Native {
        let nearest = Self::nearest(number);
        if Self::wide(nearest) < number { Self::next_up(nearest) } else { nearest }
    }
}

impl FloatType for Float64Type {
    fn nearest(number: f64) -> f64 {
        number
    }

    fn wide(value: f64) -> f64 {
        value
    }

    fn next_up(value: f64) -> f64 {
        value.next_up()
    }

    fn negated(value: f64) -> f64 {
        -value
    }
}

impl FloatType for Float32Type {
    fn nearest(number: f64) -> f32 {
        number as f32
    }

    fn wide(value: f32) -> f64 {
        value.into()
    }

    fn next_up(value: f32) -> f32 {
        value.next_up()
    }

    fn negated(value: f32) -> f32 {
        -value
    }
}

type F16 = <Float16Type as ArrowPrimitiveType>::Native;

impl FloatType for Float16Type {
    fn nearest(number: f64) -> F16 {
        // not the processor's own instructions, which round twice, by way of f32
        F16::from_f64_const(number)
    }

    fn wide(value: F16) -> f64 {
        value.to_f64_const()
    }

    fn next_up(value: F16) -> F16 {
        F16::from_bits(match value.to_bits() {
            0x8000 => 0x0001,
            negative if negative > 0x8000 => negative - 1,
            positive => positive + 1,
        })
    }

    fn negated(value: F16) -> F16 {
        F16::from_bits(value.to_bits() ^ 0x8000)
    }
}
