//! Numbers in buckets of one width.

use std::collections::HashMap;

use arrow::datatypes::{DataType, i256};

use super::column::{FloatType, Numbers, numbers};
use super::divide::Divisor;
use super::require_number;
use crate::arrays::failure::Failures;
use crate::transforms::generalize::decimal::{Decimal, push_scaled, ten_to};
use crate::transforms::generalize::labels::{Labels, NO_LABEL};
use crate::transforms::{Transform, TransformError, Transformed, Values, text_like};

/// Buckets that begin at `offset` and at every multiple of `width` from there.
#[derive(Debug)]
pub(super) struct Widths {
    /// Greater than 0.
    pub width: Decimal,
    pub offset: Decimal,
}

/// Width and offset as integers beside the integers of a column.
#[derive(Debug, Clone, Copy)]
struct Scaled {
    /// What the column's integers are multiplied by to have the same scale.
    factor: i256,
    width: i256,
    offset: i256,
    scale: u8,
}

const TOO_LARGE: &str = "too large for buckets of this width";

impl Transform for Widths {
    fn name(&self) -> &'static str {
        crate::transforms::generalize::NAME
    }

    fn needs_text(&self) -> bool {
        false
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        use DataType::{Decimal32, Decimal64, Decimal128, Decimal256};
        require_number(input)?;
        let fits = match (FloatType::of(input), input) {
            (Some(float_type), _) => {
                let [width, offset] = [self.width, self.offset].map(|number| float_type.nearest(&number.to_string()));
                width > 0.0 && (offset / width).abs() < float_type.most_widths() / 2.0
            }
            (None, Decimal32(_, scale) | Decimal64(_, scale) | Decimal128(_, scale) | Decimal256(_, scale)) => {
                self.scaled((*scale).into()).is_some()
            }
            _ => self.scaled(0).is_some(),
        };
        if !fits {
            return Err(format!("{input} can't tell buckets of width {} from offset {}", self.width, self.offset));
        }
        Ok(text_like(input))
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let broken = || TransformError::Build(values.array.data_type().clone());
        let mut failures = Failures::default();
        let (numbers, nulls) = numbers(values.array, &mut failures).ok_or_else(broken)?;
        let mut labels = Labels::default();
        let mut rows = match numbers {
            Numbers::Narrow(numbers, scale) => {
                let scaled = self.scaled(scale).ok_or_else(broken)?;
                match scaled.narrow(&numbers) {
                    Some(indices) => scaled.label_near(&indices, &mut labels),
                    None => {
                        let numbers: Vec<i256> = numbers.into_iter().map(i256::from).collect();
                        scaled.label_wide(&numbers, &mut labels)
                    }
                }
            }
            Numbers::Wide(numbers, scale) => self.scaled(scale).ok_or_else(broken)?.label_wide(&numbers, &mut labels),
            Numbers::Floats(numbers, float_type) => {
                let scaled = self.scaled(0).ok_or_else(broken)?;
                Floats::new(self, scaled, float_type).label(&numbers, &mut labels)
            }
        };
        for row in nulls.iter().flat_map(|nulls| (!nulls.inner()).set_indices().collect::<Vec<_>>()) {
            rows[row] = NO_LABEL;
        }
        let null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        if rows.contains(&NO_LABEL) {
            let failed = rows.iter().enumerate().filter(|&(row, &label)| label == NO_LABEL && !null(row));
            failed.for_each(|(row, _)| failures.push(row, TOO_LARGE));
        }
        Ok(Transformed { failures, ..labels.column(&rows)?.into() })
    }
}

impl Widths {
    /// Beside a column whose integers are `10^scale` times its numbers; `None` if 256 bits don't hold it.
    fn scaled(&self, scale: i32) -> Option<Scaled> {
        let common = scale.max(self.width.scale().into()).max(self.offset.scale().into());
        Some(Scaled {
            factor: ten_to((common - scale).unsigned_abs())?,
            width: self.width.at_scale(common)?,
            offset: self.offset.at_scale(common)?,
            scale: common.try_into().ok()?,
        })
    }
}

impl Scaled {
    /// The index of each number's bucket, if 64 bits hold all that is computed on the way.
    fn narrow(&self, numbers: &[i64]) -> Option<Vec<i64>> {
        let narrow = |number: i256| number.to_i128().and_then(|number| i64::try_from(number).ok());
        let (factor, width, offset) = (narrow(self.factor)?, narrow(self.width)?, narrow(self.offset)?);
        let most = (i64::MAX.unsigned_abs().checked_sub(offset.unsigned_abs())? / factor.unsigned_abs()) as i64;
        let width = Divisor::new(width);
        let fit = numbers.iter().fold(true, |fit, &number| fit & (-most <= number) & (number <= most));
        fit.then(|| numbers.iter().map(|&number| width.floor(number * factor - offset)).collect())
    }

    /// The label of each bucket by index.
    fn label_near(&self, indices: &[i64], labels: &mut Labels) -> Vec<u32> {
        let mut known = Known::new(indices.iter().copied());
        let label = indices.iter().map(|&index| {
            let text = || self.label(i256::from(index));
            known.get(index, || text().map(|text| labels.push(&text))).unwrap_or(NO_LABEL)
        });
        label.collect()
    }

    /// The label of each number, by 256-bit arithmetic.
    fn label_wide(&self, numbers: &[i256], labels: &mut Labels) -> Vec<u32> {
        let index = |number: &i256| {
            let from_offset = number.checked_mul(self.factor)?.checked_sub(self.offset)?;
            let (quotient, rest) = (from_offset.wrapping_div(self.width), from_offset.wrapping_rem(self.width));
            // rounded towards 0, which is up for what is less than it
            Some(if rest.is_negative() { quotient.wrapping_sub(i256::ONE) } else { quotient })
        };
        let mut known = HashMap::new();
        let label = numbers.iter().map(|number| {
            let Some(index) = index(number) else { return NO_LABEL };
            *known.entry(index).or_insert_with(|| self.label(index).map_or(NO_LABEL, |text| labels.push(&text)))
        });
        label.collect()
    }

    /// `[lower, upper)` of a bucket; `None` if 256 bits don't hold a boundary.
    fn label(&self, index: i256) -> Option<String> {
        let [lower, upper] = self.bounds(index)?;
        Some(format!("[{lower}, {upper})"))
    }

    /// The boundaries of a bucket, in plain decimal digits.
    fn bounds(&self, index: i256) -> Option<[String; 2]> {
        let lower = index.checked_mul(self.width)?.checked_add(self.offset)?;
        let text = |number| {
            let mut text = Vec::new();
            push_scaled(&mut text, number, self.scale);
            String::from_utf8(text).ok()
        };
        Some([text(lower)?, text(lower.checked_add(self.width)?)?])
    }
}

/// Buckets of floats: each boundary is the float next to it.
struct Floats {
    scaled: Scaled,
    float_type: FloatType,
    width: f64,
    offset: f64,
}

/// A bucket of floats that a batch has met.
#[derive(Debug, Clone, Copy)]
struct Met {
    lower: f64,
    upper: f64,
    label: u32,
}

/// How often a bucket that was guessed by a division of floats may be moved by one.
const MOVES: usize = 4;

impl Floats {
    fn new(widths: &Widths, scaled: Scaled, float_type: FloatType) -> Self {
        let [width, offset] = [widths.width, widths.offset].map(|number| float_type.nearest(&number.to_string()));
        Self { scaled, float_type, width, offset }
    }

    /// The label of each number.
    fn label(&self, numbers: &[f64], labels: &mut Labels) -> Vec<u32> {
        // as far from 0 as this, two buckets may share a boundary
        let limit = self.float_type.most_widths() / 2.0;
        let guess = |&number: &f64| {
            let index = ((number - self.offset) / self.width).floor();
            (index.abs() < limit).then_some(index as i64)
        };
        let guesses: Vec<Option<i64>> = numbers.iter().map(guess).collect();
        let mut known = Known::new(guesses.iter().copied().flatten());
        let label = numbers.iter().zip(guesses).map(|(&number, guess)| {
            let mut index = guess?;
            for _ in 0..=MOVES {
                let bucket = known.get(index, || self.meet(index, labels))?;
                if number < bucket.lower {
                    index -= 1;
                } else if number >= bucket.upper {
                    index += 1;
                } else {
                    return Some(bucket.label);
                }
            }
            None
        });
        label.map(|label| label.unwrap_or(NO_LABEL)).collect()
    }

    fn meet(&self, index: i64, labels: &mut Labels) -> Option<Met> {
        let [lower, upper] = self.scaled.bounds(i256::from(index))?;
        let label = labels.push(&format!("[{lower}, {upper})"));
        Some(Met { lower: self.float_type.nearest(&lower), upper: self.float_type.nearest(&upper), label })
    }
}

/// What is known of buckets by index: side by side, where those of a batch lie close together.
struct Known<T> {
    first: i64,
    near: Vec<Option<T>>,
    far: HashMap<i64, T>,
}

impl<T: Copy> Known<T> {
    /// For a batch of these indices and few others.
    fn new(indices: impl Iterator<Item = i64> + Clone) -> Self {
        let (least, most) =
            indices.clone().fold((i64::MAX, i64::MIN), |(least, most), index| (least.min(index), most.max(index)));
        let span = if least > most { 0 } else { most.abs_diff(least).saturating_add(1) };
        let near = if span <= 4 * indices.count() as u64 { span as usize } else { 0 };
        Self { first: least, near: vec![None; near], far: HashMap::new() }
    }

    /// What is known of a bucket, made when it is first met.
    #[inline]
    fn get(&mut self, index: i64, make: impl FnOnce() -> Option<T>) -> Option<T> {
        match self.near.get_mut(index.wrapping_sub(self.first) as u64 as usize) {
            Some(Some(known)) => Some(*known),
            Some(unknown) => {
                *unknown = make();
                *unknown
            }
            None => match self.far.get(&index) {
                Some(known) => Some(*known),
                None => {
                    let made = make()?;
                    self.far.insert(index, made);
                    Some(made)
                }
            },
        }
    }
}
