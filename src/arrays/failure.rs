//! Values that could not be taken, by position and reason, never by content.

use std::borrow::Cow;
use std::cmp::Ordering;

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::BooleanBuffer;

/// One value that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Position in the array, from 0.
    pub index: usize,
    /// Why, in words that hold nothing of the value.
    pub reason: Cow<'static, str>,
}

/// The failures of one array, at most one for each position, in order of position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failures(Vec<Failure>);

impl Failures {
    /// Notes that the value at `index` could not be taken.
    pub fn push(&mut self, index: usize, reason: impl Into<Cow<'static, str>>) {
        let at = self.0.partition_point(|failure| failure.index < index);
        if self.0.get(at).is_none_or(|failure| failure.index != index) {
            self.0.insert(at, Failure { index, reason: reason.into() });
        }
    }

    /// Takes in the failures of a later step; where both know a position, the earlier reason stays.
    pub fn extend(&mut self, later: Failures) {
        if later.is_empty() {
            return;
        }
        let mut earlier = std::mem::take(&mut self.0).into_iter().peekable();
        let mut later = later.0.into_iter().peekable();
        self.0.reserve(earlier.len() + later.len());
        while let (Some(first), Some(second)) = (earlier.peek(), later.peek()) {
            match first.index.cmp(&second.index) {
                Ordering::Less => self.0.extend(earlier.next()),
                Ordering::Greater => self.0.extend(later.next()),
                Ordering::Equal => drop(later.next()),
            }
        }
        self.0.extend(earlier.chain(later));
    }

    /// Whether every value was taken.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many values were not taken.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the value at `index` failed.
    pub fn contains(&self, index: usize) -> bool {
        self.0.binary_search_by_key(&index, |failure| failure.index).is_ok()
    }

    /// In order of position.
    pub fn iter(&self) -> std::slice::Iter<'_, Failure> {
        self.0.iter()
    }

    /// One bit for each of `len` positions, set where the value failed.
    pub fn bits(&self, len: usize) -> BooleanBuffer {
        let mut builder = BooleanBufferBuilder::new(len);
        builder.append_n(len, false);
        self.0.iter().for_each(|failure| builder.set_bit(failure.index, true));
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_stay_in_order_and_keep_the_first_reason_of_a_position() {
        let mut failures = Failures::default();
        failures.push(5, "five");
        failures.push(2, "two");
        let mut later = Failures::default();
        later.push(5, "again");
        later.push(9, "nine");
        failures.extend(later);
        let seen: Vec<_> = failures.iter().map(|f| (f.index, f.reason.as_ref())).collect();
        assert_eq!(seen, [(2, "two"), (5, "five"), (9, "nine")]);
        assert_eq!(failures.bits(10).set_indices().collect::<Vec<_>>(), [2, 5, 9]);
    }
}
