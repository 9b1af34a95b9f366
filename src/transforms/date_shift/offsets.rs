//! The offset of each row: drawn once for each entity of a batch.

use arrow::array::Array;

use super::DateShift;
use crate::arrays::distinct::Distinct;
use crate::arrays::failure::Failures;
use crate::crypto::HmacKey;
use crate::crypto::uniform::{in_block, uniform};
use crate::transforms::keyed::{RowKeys, bytes};
use crate::transforms::{TransformError, Values};

/// Entities that are signed at one go: their blocks (32 KiB) stay in the cache.
const GATHERED: usize = 1024;

/// Bytes of an entity that is signed by itself, so that what is gathered stays within 32-bit offsets.
const LONG: usize = 1 << 16;

impl DateShift {
    /// The offset of each row in days; 0 where the value is null or its entity is missing, which is a failure.
    ///
    /// # Errors
    /// A source of keys that does not serve a row's domain and tenant.
    pub(super) fn offsets(&self, values: &Values<'_>, failures: &mut Failures) -> Result<Vec<i32>, TransformError> {
        let array = values.array;
        let mut offsets = vec![0; array.len()];
        let keys = self.keys.of_rows(values.canonical, values.companions, failures)?;
        match &keys {
            RowKeys::One(key) => self.draw(key, 0..array.len(), values, &mut offsets, failures),
            RowKeys::Each { .. } => {
                for (key, rows) in keys.groups() {
                    self.draw(key, rows.into_iter(), values, &mut offsets, failures);
                }
            }
        }
        Ok(offsets)
    }

    /// The offsets of rows of one key.
    fn draw(
        &self,
        key: &HmacKey,
        rows: impl Iterator<Item = usize>,
        values: &Values<'_>,
        offsets: &mut [i32],
        failures: &mut Failures,
    ) {
        let entities = &values.companions[self.by];
        let mut distinct = Distinct::default();
        let mut numbers = Vec::with_capacity(rows.size_hint().0);
        for row in rows.filter(|&row| values.array.is_valid(row)) {
            match bytes(entities, row) {
                Some(entity) => numbers.push((row, distinct.number(entity))),
                None => failures.push(row, "the entity's column is null or empty in its row"),
            }
        }
        let drawn = self.draw_each(key, distinct.strings());
        for (row, number) in numbers {
            offsets[row] = drawn[number as usize];
        }
    }

    /// The offset of each entity.
    fn draw_each(&self, key: &HmacKey, entities: &[&[u8]]) -> Vec<i32> {
        let span = u64::from(2 * self.days + 1);
        let (mut messages, mut ends, mut scratch) = (Vec::new(), Vec::new(), Vec::new());
        let mut blocks = vec![[0; 32]; entities.len().min(GATHERED)];
        let mut offsets = Vec::with_capacity(entities.len());
        for entities in entities.chunks(GATHERED) {
            messages.clear();
            ends.clear();
            ends.push(0);
            for entity in entities {
                if entity.len() <= LONG {
                    messages.extend_from_slice(entity);
                    messages.extend_from_slice(&0u32.to_be_bytes());
                }
                ends.push(messages.len() as i32);
            }
            let blocks = &mut blocks[..entities.len()];
            key.sign_many(&ends, &messages, blocks);
            offsets.extend(entities.iter().zip(blocks).map(|(entity, block)| {
                let number = (entity.len() <= LONG).then(|| in_block(block, span)).flatten();
                let number = number.unwrap_or_else(|| uniform(key, entity, span, &mut scratch));
                // both are below 2^17
                self.sign * (number as i32 - self.days as i32)
            }));
        }
        offsets
    }
}
