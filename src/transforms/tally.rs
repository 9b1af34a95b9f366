//! What was seen and done in one leaf column.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray};
use arrow::datatypes::DataType;

use crate::arrays::canonical::{Meaning, canonical, is_supported};
use crate::arrays::dictionary::for_each_entry;
use crate::arrays::sketch::Sketch;
use crate::arrays::space::Space;

/// Figures of one leaf of one object, added up over its batches. `None` where nobody looked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Values, nulls included.
    pub values: Option<u64>,
    /// Nulls written.
    pub nulls: Option<u64>,
    /// Empty strings read.
    pub empties: Option<u64>,
    /// Values replaced.
    pub transformed: u64,
    /// Values that the transform could not take.
    pub failed: u64,
    /// Things found within values, by their place among [`kinds`](super::Transform::kinds); as long as the last kind
    /// that was found.
    pub found: Vec<u64>,
    /// How many values there could be, by those read.
    pub space: Space,
    /// Distinct values read.
    pub distinct_in: Option<Sketch>,
    /// Distinct values written.
    pub distinct_out: Option<Sketch>,
}

impl Tally {
    /// A tally that counts empties and distinct values too: nothing is unknown yet.
    pub fn with_sketches() -> Self {
        let sketch = || Some(Sketch::default());
        Self {
            values: Some(0),
            nulls: Some(0),
            empties: Some(0),
            distinct_in: sketch(),
            distinct_out: sketch(),
            ..Self::default()
        }
    }

    /// Counts values written, and how many of them are null.
    pub fn count(&mut self, values: usize, nulls: usize) {
        self.values = sum(self.values, Some(values as u64));
        self.nulls = sum(self.nulls, Some(nulls as u64));
    }

    /// Counts things of one kind that were found within values.
    pub fn count_found(&mut self, kind: u16, times: u64) {
        let kind = usize::from(kind);
        if self.found.len() <= kind {
            self.found.resize(kind + 1, 0);
        }
        self.found[kind] += times;
    }

    /// A tally of values that nobody looked at.
    pub fn of_unseen(values: Option<u64>, nulls: Option<u64>) -> Self {
        Self { values, nulls, ..Self::default() }
    }

    /// Counts a batch that passes as it is. Empties and distinct values of nested columns stay unknown.
    pub fn count_kept(&mut self, array: &ArrayRef) {
        self.count(array.len(), array.logical_null_count());
        match array.data_type() {
            DataType::Dictionary(_, values) if is_supported(values) => self.count_kept_dictionary(array),
            plain if plain.is_primitive() => self.count_kept_primitive(array),
            plain if is_supported(plain) && !matches!(plain, DataType::RunEndEncoded(..)) => {
                let text = text_of(array);
                let rows = (0..array.len()).filter(|&row| array.is_valid(row));
                self.count_kept_text(text.as_ref(), rows.map(|row| (row, 1)));
            }
            _ => (self.empties, self.distinct_in, self.distinct_out) = (None, None, None),
        }
    }

    /// Counts a batch that an expression made: of what it read nothing is known.
    pub fn count_derived(&mut self, array: &ArrayRef) {
        self.count_kept(array);
        self.transformed += array.len() as u64;
        (self.empties, self.distinct_in) = (None, None);
    }

    fn count_kept_dictionary(&mut self, array: &ArrayRef) {
        let dictionary = array.as_any_dictionary();
        let mut uses = vec![0u64; dictionary.values().len()];
        for_each_entry(dictionary, |_, entry| uses[entry] += 1);
        let text = text_of(dictionary.values());
        let used =
            uses.into_iter().enumerate().filter(|(entry, uses)| *uses > 0 && dictionary.values().is_valid(*entry));
        self.count_kept_text(text.as_ref(), used);
    }

    fn count_kept_text(&mut self, text: Option<&BinaryArray>, uses: impl Iterator<Item = (usize, u64)>) {
        let Some(text) = text else {
            (self.empties, self.distinct_in, self.distinct_out) = (None, None, None);
            return;
        };
        let mut empties = 0;
        for (row, uses) in uses {
            let value = text.value(row);
            empties += if value.is_empty() { uses } else { 0 };
            self.see(value);
        }
        self.empties = sum(self.empties, Some(empties));
    }

    fn count_kept_primitive(&mut self, array: &ArrayRef) {
        let data = array.to_data();
        let Some(width) = array.data_type().primitive_width() else { return };
        let bytes = &data.buffers()[0].as_slice()[data.offset() * width..];
        for row in (0..array.len()).filter(|&row| array.is_valid(row)) {
            self.see(&bytes[row * width..(row + 1) * width]);
        }
    }

    fn see(&mut self, value: &[u8]) {
        let hash = Sketch::hash(value);
        self.distinct_in.iter_mut().chain(&mut self.distinct_out).for_each(|sketch| sketch.insert_hash(hash));
    }

    /// Adds what another part of the same column saw.
    pub fn merge(&mut self, other: &Tally) {
        self.values = sum(self.values, other.values);
        self.nulls = sum(self.nulls, other.nulls);
        self.transformed += other.transformed;
        self.failed += other.failed;
        for (kind, &times) in other.found.iter().enumerate().filter(|(_, times)| **times > 0) {
            self.count_found(kind as u16, times);
        }
        self.empties = sum(self.empties, other.empties);
        self.space.merge(other.space);
        merge_sketch(&mut self.distinct_in, other.distinct_in.as_ref());
        merge_sketch(&mut self.distinct_out, other.distinct_out.as_ref());
    }
}

/// A sum with an unknown part is unknown.
fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    Some(a? + b?)
}

fn merge_sketch(mine: &mut Option<Sketch>, theirs: Option<&Sketch>) {
    match (mine.as_mut(), theirs) {
        (Some(mine), Some(theirs)) => mine.merge(theirs),
        _ => *mine = None,
    }
}

fn text_of(array: &ArrayRef) -> Option<BinaryArray> {
    canonical(array, Meaning::Plain).ok().map(|text| text.values)
}
