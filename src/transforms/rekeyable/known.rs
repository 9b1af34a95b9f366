//! Tokens that were made before, so that a value is paid for once and not once a batch.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::mem;
use std::sync::{Mutex, PoisonError};

use crate::arrays::distinct::Distinct;

/// What tells one key from another: a digest of its subkey.
pub type KeyId = [u8; 32];

/// A token, `TOKEN_BYTES` long.
pub type Token = [u8; 32];

/// Memory of an entry beside the value's own bytes: pointer, length, token, the table's share. An estimate.
const ENTRY_BYTES: usize = 96;

/// Tokens of values, at most so many bytes of them; shared by threads.
///
/// - It is asked with a value's full bytes; a digest stands for the key alone.
/// - It decides on no token: what is not known is made, and what is known was made of the same key and value.
/// - Values leave in the order in which they were last met, roughly: of two generations the older goes at once.
/// - `Debug` shows no value, and all goes with the transform.
pub struct Known {
    generations: Mutex<Generations>,
    bytes: usize,
}

#[derive(Default)]
struct Generations {
    young: Generation,
    old: Generation,
}

#[derive(Default)]
struct Generation {
    tokens: HashMap<KeyId, HashMap<Box<[u8]>, Token>>,
    bytes: usize,
}

impl Known {
    /// Nothing known yet; never more than about `bytes` of memory.
    pub fn new(bytes: usize) -> Self {
        Self { generations: Mutex::default(), bytes }
    }

    /// The tokens of `values`, in their order, of which each distinct one is looked up once; `make` gives those of
    /// the values that are not known, in the order in which it gets them.
    pub fn tokens<'a>(
        &self,
        key: &KeyId,
        values: impl ExactSizeIterator<Item = &'a [u8]>,
        make: impl FnOnce(&[&'a [u8]]) -> Vec<Token>,
    ) -> Vec<Token> {
        let mut distinct = Distinct::default();
        let numbers: Vec<u32> = values.map(|value| distinct.number(value)).collect();
        let tokens = self.distinct_tokens(key, distinct.strings(), make);
        numbers.into_iter().map(|number| tokens[number as usize]).collect()
    }

    fn distinct_tokens<'a>(
        &self,
        key: &KeyId,
        values: &[&'a [u8]],
        make: impl FnOnce(&[&'a [u8]]) -> Vec<Token>,
    ) -> Vec<Token> {
        let mut tokens = self.with(|generations, half| generations.find(key, values, half));
        let unknown: Vec<usize> = (0..values.len()).filter(|&i| tokens[i].is_none()).collect();
        let unknown_values: Vec<&[u8]> = unknown.iter().map(|&i| values[i]).collect();
        // made outside of the lock: two threads may make the same token, which is the same
        let made = if unknown.is_empty() { Vec::new() } else { make(&unknown_values) };
        self.with(|generations, half| {
            unknown_values.iter().zip(&made).for_each(|(value, token)| generations.insert(key, value, *token, half));
        });
        unknown.iter().zip(made).for_each(|(&i, token)| tokens[i] = Some(token));
        tokens.into_iter().flatten().collect()
    }

    fn with<T>(&self, work: impl FnOnce(&mut Generations, usize) -> T) -> T {
        // whoever panicked while holding it left whole entries
        work(&mut self.generations.lock().unwrap_or_else(PoisonError::into_inner), self.bytes / 2)
    }
}

impl Generations {
    fn find(&mut self, key: &KeyId, values: &[&[u8]], half: usize) -> Vec<Option<Token>> {
        values
            .iter()
            .map(|value| {
                let young = self.young.get(key, value);
                young.or_else(|| self.old.get(key, value).inspect(|token| self.insert(key, value, *token, half)))
            })
            .collect()
    }

    fn insert(&mut self, key: &KeyId, value: &[u8], token: Token, half: usize) {
        let bytes = value.len() + ENTRY_BYTES;
        if bytes > half {
            return;
        }
        if self.young.bytes + bytes > half {
            self.old = mem::take(&mut self.young);
        }
        let of_key = match self.young.tokens.entry(*key) {
            Entry::Occupied(of_key) => of_key.into_mut(),
            Entry::Vacant(of_key) => {
                self.young.bytes += ENTRY_BYTES;
                of_key.insert(HashMap::new())
            }
        };
        if of_key.insert(value.into(), token).is_none() {
            self.young.bytes += bytes;
        }
    }
}

impl Generation {
    fn get(&self, key: &KeyId, value: &[u8]) -> Option<Token> {
        self.tokens.get(key)?.get(value).copied()
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Known(at most {} bytes)", self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A token that tells its key and value apart from all others.
    fn token(key: &KeyId, value: &[u8]) -> Token {
        use sha2::Digest;
        sha2::Sha256::new().chain_update(key).chain_update(value).finalize().into()
    }

    /// Asks for all of `values`; how many were made.
    fn ask(known: &Known, key: &KeyId, values: &[Vec<u8>]) -> usize {
        let mut made = 0;
        let tokens = known.tokens(key, values.iter().map(Vec::as_slice), |unknown| {
            made += unknown.len();
            unknown.iter().map(|value| token(key, value)).collect()
        });
        assert_eq!(tokens, values.iter().map(|value| token(key, value)).collect::<Vec<_>>());
        made
    }

    fn numbers(range: std::ops::Range<usize>) -> Vec<Vec<u8>> {
        range.map(|i| format!("value {i}").into_bytes()).collect()
    }

    #[test]
    fn each_distinct_value_is_made_once_whatever_the_batches() {
        let known = Known::new(1 << 20);
        let values: Vec<Vec<u8>> = (0..10_000).map(|i| format!("value {}", i * 7 % 100).into_bytes()).collect();
        let made: usize = values.chunks(37).map(|batch| ask(&known, &[1; 32], batch)).sum();
        assert_eq!(made, 100);
    }

    #[test]
    fn keys_do_not_share_tokens() {
        let known = Known::new(1 << 20);
        assert_eq!(ask(&known, &[1; 32], &numbers(0..10)), 10);
        assert_eq!(ask(&known, &[2; 32], &numbers(0..10)), 10);
        assert_eq!(ask(&known, &[1; 32], &numbers(0..11)), 1);
    }

    #[test]
    fn memory_is_bounded_and_what_is_met_often_stays() {
        let known = Known::new(200 * (ENTRY_BYTES + 10));
        let often = numbers(0..10);
        ask(&known, &[0; 32], &often);
        for start in (1_000..20_000).step_by(50) {
            assert_eq!(ask(&known, &[0; 32], &often), 0, "{start}");
            assert_eq!(ask(&known, &[0; 32], &numbers(start..start + 50)), 50);
            let held = known.generations.lock().unwrap();
            let (young, old) = (&held.young, &held.old);
            assert!(young.bytes + old.bytes <= known.bytes, "{} and {}", young.bytes, old.bytes);
            for generation in [young, old] {
                let values = generation.tokens.values().flat_map(HashMap::keys);
                let bytes: usize = values.map(|value| value.len() + ENTRY_BYTES).sum();
                assert!(bytes <= generation.bytes, "{bytes} of {}", generation.bytes);
            }
        }
        assert_eq!(ask(&known, &[0; 32], &numbers(1_000..1_050)), 50, "what was not met again is gone");
    }

    #[test]
    fn a_value_longer_than_all_memory_is_made_each_time() {
        let known = Known::new(1_000);
        let long = [vec![b'x'; 2_000]];
        assert_eq!((ask(&known, &[0; 32], &long), ask(&known, &[0; 32], &long)), (1, 1));
        let none = Known::new(0);
        assert_eq!((ask(&none, &[0; 32], &numbers(0..3)), ask(&none, &[0; 32], &numbers(0..3))), (3, 3));
    }

    #[test]
    fn threads_share_it() {
        let known = Known::new(1 << 20);
        let made = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for batch in numbers(0..400).chunks(20) {
                        made.fetch_add(ask(&known, &[0; 32], batch), Ordering::Relaxed);
                    }
                });
            }
        });
        assert!((400..=1_600).contains(&made.load(Ordering::Relaxed)));
        assert_eq!(ask(&known, &[0; 32], &numbers(0..400)), 0);
    }

    #[test]
    fn debug_shows_no_value() {
        let known = Known::new(1 << 20);
        ask(&known, &[0; 32], &[b"canary".to_vec()]);
        assert_eq!(format!("{known:?} {known:#?}"), "Known(at most 1048576 bytes) Known(at most 1048576 bytes)");
    }
}
