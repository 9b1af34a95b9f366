//! HyperLogLog: how many distinct values a column holds, within about 1.6 percent, in 4 KiB.
//!
//! Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog: the analysis of a near-optimal cardinality estimation
//! algorithm" (2007), with a 64-bit hash, so that the large-range correction falls away. Registers depend on the
//! set of values alone: merged in any order, on any machine, the estimate is the same.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

const INDEX_BITS: u32 = 12;
const REGISTERS: usize = 1 << INDEX_BITS;
/// Bias constant of the paper for 4096 registers: `0.7213 / (1 + 1.079 / m)`.
const ALPHA: f64 = 0.7213 / (1.0 + 1.079 / REGISTERS as f64);

/// A distinct-count sketch. Its registers say nothing about any one value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sketch {
    registers: Vec<u8>,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { registers: vec![0; REGISTERS] }
    }
}

impl std::fmt::Debug for Sketch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sketch(about {})", self.estimate())
    }
}

impl Sketch {
    /// Counts a value in by its bytes.
    ///
    /// ```
    /// let mut sketch = lakeveil::arrays::sketch::Sketch::default();
    /// for value in ["anna", "bo", "anna"] {
    ///     sketch.insert(value.as_bytes());
    /// }
    /// assert_eq!(sketch.estimate(), 2);
    /// ```
    pub fn insert(&mut self, value: &[u8]) {
        self.insert_hash(Self::hash(value));
    }

    /// The hash that stands for a value, for callers that count it into several sketches.
    pub fn hash(value: &[u8]) -> u64 {
        XxHash3_64::oneshot(value)
    }

    /// Counts in the value whose [`hash`](Self::hash) this is.
    pub fn insert_hash(&mut self, hash: u64) {
        let index = (hash >> (64 - INDEX_BITS)) as usize;
        let rank = ((hash << INDEX_BITS) | (1 << (INDEX_BITS - 1))).leading_zeros() as u8 + 1;
        let register = &mut self.registers[index];
        *register = (*register).max(rank);
    }

    /// Counts in whatever `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.registers.iter_mut().zip(&other.registers) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// The number of distinct values, estimated.
    pub fn estimate(&self) -> u64 {
        let sum: f64 = self.registers.iter().map(|&rank| 1.0 / (1u64 << rank) as f64).sum();
        let raw = ALPHA * (REGISTERS * REGISTERS) as f64 / sum;
        let zeros = self.registers.iter().filter(|&&rank| rank == 0).count();
        if raw <= 2.5 * REGISTERS as f64 && zeros > 0 {
            return (REGISTERS as f64 * (REGISTERS as f64 / zeros as f64).ln()).round() as u64;
        }
        raw.round() as u64
    }

    /// The registers, one byte each.
    pub fn as_bytes(&self) -> &[u8] {
        &self.registers
    }

    /// The sketch whose registers these are; `None` if they can't be.
    pub fn from_bytes(registers: &[u8]) -> Option<Self> {
        let plausible = registers.len() == REGISTERS && registers.iter().all(|&rank| rank <= 64 - INDEX_BITS as u8 + 1);
        plausible.then(|| Self { registers: registers.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: std::ops::Range<u64>) -> Sketch {
        let mut sketch = Sketch::default();
        range.for_each(|i| sketch.insert(&i.to_le_bytes()));
        sketch
    }

    #[test]
    fn estimates_within_five_percent_from_one_to_a_million() {
        for n in [1, 10, 100, 1_000, 10_000, 15_000, 100_000, 1_000_000u64] {
            let estimate = of(0..n).estimate();
            assert!(estimate.abs_diff(n) as f64 <= (n as f64 * 0.05).max(0.0), "{n} distinct, estimated {estimate}");
        }
    }

    #[test]
    fn empty_sketch_counts_zero() {
        assert_eq!(Sketch::default().estimate(), 0);
    }

    #[test]
    fn merged_sketch_equals_the_sketch_of_the_union() {
        let mut merged = of(0..700);
        merged.merge(&of(500..2_000));
        assert_eq!(merged, of(0..2_000));
    }

    #[test]
    fn bytes_of_wrong_length_or_rank_are_refused() {
        assert!(Sketch::from_bytes(&[0; 7]).is_none());
        assert!(Sketch::from_bytes(&[60; REGISTERS]).is_none());
        assert_eq!(Sketch::from_bytes(of(0..9).as_bytes()), Some(of(0..9)));
    }
}
