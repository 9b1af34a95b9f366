//! `uniform[key](message, span)` - exact sampling of a number below `span` by rejection (TOKENS.md section 3).
//!
//! Blocks `HMAC-SHA256[key](message || be32(i))`, i = 0, 1, …, give four big-endian 64-bit words each. The first word
//! w below `floor(2^64 / span) · span` gives `w mod span`: what lies above would favour the smaller remainders.

use super::HmacKey;

/// A number below `span`, each equally likely; the same for the same key, message and span. `scratch` is memory to
/// work in, so that many numbers need one allocation.
///
/// ```
/// use lakeveil::crypto::{HmacKey, uniform::uniform};
/// let (key, mut scratch) = (HmacKey::new(b"key"), Vec::new());
/// let throw = uniform(&key, b"message", 6, &mut scratch);
/// assert!(throw < 6);
/// assert_eq!(throw, uniform(&key, b"message", 6, &mut scratch));
/// assert_eq!(uniform(&key, b"message", 1, &mut scratch), 0);
/// ```
///
/// # Panics
/// If `span` is 0.
pub fn uniform(key: &HmacKey, message: &[u8], span: u64, scratch: &mut Vec<u8>) -> u64 {
    scratch.clear();
    scratch.extend_from_slice(message);
    first_of(span, |index| {
        scratch.truncate(message.len());
        scratch.extend_from_slice(&index.to_be_bytes());
        key.sign(scratch)
    })
}

/// The first number that one of the blocks gives.
fn first_of(span: u64, mut block: impl FnMut(u32) -> [u8; 32]) -> u64 {
    (0..=u32::MAX)
        .find_map(|index| in_block(&block(index), span))
        .expect("of 2^34 words, each of which is taken with a chance of at least one half, one is")
}

/// The number that a block gives, if one of its four words is taken: almost surely the first, for a small `span`.
///
/// # Panics
/// If `span` is 0.
pub fn in_block(block: &[u8; 32], span: u64) -> Option<u64> {
    // 2^64 itself where `span` divides it: every word is below
    let limit = (1u128 << 64) / u128::from(span) * u128::from(span);
    let mut words = block.as_chunks().0.iter().map(|&word| u64::from_be_bytes(word));
    words.find(|&word| u128::from(word) < limit).map(|word| word % span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{subkey, vectors};

    fn block(words: [u64; 4]) -> [u8; 32] {
        words.map(u64::to_be_bytes).as_flattened().try_into().unwrap()
    }

    /// `first_of` over a stream of given blocks, and how many of them it read.
    fn drawn(span: u64, blocks: &[[u64; 4]]) -> (u64, usize) {
        let mut read = 0;
        let number = first_of(span, |index| {
            read += 1;
            block(blocks[index as usize])
        });
        (number, read)
    }

    #[test]
    fn offsets_meet_the_known_answers() {
        let mut scratch = Vec::new();
        for case in vectors::cases::<vectors::DateShift>("date_shift") {
            let key = HmacKey::new(subkey(&case.root(), "date_shift", &case.domain, &case.tenant, 32).expose());
            let drawn = uniform(&key, case.entity_utf8.as_bytes(), u64::from(2 * case.max_days + 1), &mut scratch);
            assert_eq!(drawn as i64 - i64::from(case.max_days), case.offset_days, "{case:?}");
        }
    }

    #[test]
    fn the_first_word_below_the_limit_is_taken_and_no_block_read_after_it() {
        let max = u64::MAX;
        // 2^64 - 1 is a multiple of 3, so that its limit is 2^64 - 1 and the greatest word alone is refused
        assert_eq!(drawn(3, &[[max - 1, 0, 0, 0]]), (2, 1));
        assert_eq!(drawn(3, &[[max, 7, 5, 5]]), (1, 1));
        assert_eq!(drawn(3, &[[max, max, max, 5]]), (2, 1));
        assert_eq!(drawn(3, &[[max; 4], [max, 4, 0, 0]]), (1, 2));
        assert_eq!(drawn(3, &[[max; 4], [max; 4], [6, 0, 0, 0]]), (0, 3));
    }

    #[test]
    fn every_word_is_taken_where_the_span_divides_the_range() {
        for span in [1, 2, 1 << 32, 1 << 63] {
            assert_eq!(drawn(span, &[[u64::MAX, 0, 0, 0]]), (span - 1, 1), "{span}");
        }
    }

    #[test]
    fn nearly_half_of_the_words_are_refused_where_the_span_is_just_over_half_the_range() {
        let span = (1 << 63) + 1;
        assert_eq!(drawn(span, &[[span, u64::MAX, span - 1, 0]]), (span - 1, 1));
        assert_eq!(drawn(u64::MAX, &[[u64::MAX, u64::MAX - 1, 0, 0]]), (u64::MAX - 1, 1));
    }

    #[test]
    fn scratch_left_by_another_message_has_no_effect() {
        let key = HmacKey::new(b"key");
        let mut used = Vec::new();
        uniform(&key, &[7; 99], u64::MAX, &mut used);
        for message in [&b""[..], b"m", b"longer message"] {
            let fresh = uniform(&key, message, u64::MAX, &mut Vec::new());
            assert_eq!(uniform(&key, message, u64::MAX, &mut used), fresh);
        }
    }
}
