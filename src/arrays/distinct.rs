//! Numbers for distinct byte strings: what is done once for each of them, and looked up by the others.

use std::hash::{BuildHasher, RandomState};

use twox_hash::XxHash3_64;

/// Distinct byte strings, numbered from 0 in the order in which they come.
///
/// An open-addressing table: XXH3 under a seed of its own, so that nobody can choose strings that all meet in one
/// place. Numbers don't depend on the seed.
///
/// ```
/// use lakeveil::arrays::distinct::Distinct;
/// let mut names = Distinct::default();
/// assert_eq!(["b", "a", "b"].map(|name| names.number(name)), [0, 1, 0]);
/// assert_eq!((names.find(b"a"), names.find(b"c")), (Some(1), None));
/// assert_eq!(names.strings(), ["b", "a"]);
/// ```
#[derive(Debug, Clone)]
pub struct Distinct<S> {
    strings: Vec<S>,
    /// A power of two of places, at most half of them taken.
    places: Vec<Place>,
    seed: u64,
}

/// Where a string is looked for: from its hash on, until an empty place.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The upper half of the hash: most strings that are not the same differ here already.
    tag: u32,
    /// One more than the number; 0 for an empty place.
    taken_by: u32,
}

const FIRST_PLACES: usize = 64;

impl<S> Default for Distinct<S> {
    fn default() -> Self {
        let seed = RandomState::new().hash_one(FIRST_PLACES);
        Self { strings: Vec::new(), places: vec![Place::default(); FIRST_PLACES], seed }
    }
}

impl<S: AsRef<[u8]>> Distinct<S> {
    /// The number of a string, which it is given now if it has none.
    #[inline]
    pub fn number(&mut self, string: S) -> u32 {
        let hash = self.hash(string.as_ref());
        let at = match self.look(hash, string.as_ref()) {
            Ok(number) => return number,
            Err(at) => at,
        };
        let number = self.strings.len() as u32;
        self.strings.push(string);
        self.places[at] = Place { tag: tag(hash), taken_by: number + 1 };
        if self.strings.len() * 2 > self.places.len() {
            self.grow();
        }
        number
    }

    /// The number of a string, if it has one.
    #[inline]
    pub fn find(&self, string: &[u8]) -> Option<u32> {
        self.look(self.hash(string), string).ok()
    }

    /// All strings, by number.
    pub fn strings(&self) -> &[S] {
        &self.strings
    }

    fn hash(&self, string: &[u8]) -> u64 {
        XxHash3_64::oneshot_with_seed(self.seed, string)
    }

    /// The string's number, or the empty place where it would stand.
    #[inline]
    fn look(&self, hash: u64, string: &[u8]) -> Result<u32, usize> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let Place { tag: other, taken_by } = self.places[at];
            match taken_by.checked_sub(1) {
                None => return Err(at),
                Some(number) if other == tag(hash) && self.strings[number as usize].as_ref() == string => {
                    return Ok(number);
                }
                Some(_) => at = (at + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        self.places = vec![Place::default(); self.places.len() * 2];
        for number in 0..self.strings.len() {
            let hash = self.hash(self.strings[number].as_ref());
            if let Err(at) = self.look(hash, self.strings[number].as_ref()) {
                self.places[at] = Place { tag: tag(hash), taken_by: number as u32 + 1 };
            }
        }
    }
}

fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn many_strings_keep_their_numbers_while_the_table_grows() {
        let strings: Vec<String> = (0..10_000).map(|number| format!("{number:x}")).collect();
        let mut distinct = Distinct::default();
        for round in 0..2 {
            for (number, string) in strings.iter().enumerate() {
                assert_eq!(distinct.number(string.as_str()), number as u32, "{round}");
            }
        }
        assert_eq!(distinct.strings().len(), 10_000);
        assert!(
            strings.iter().enumerate().all(|(number, string)| distinct.find(string.as_bytes()) == Some(number as u32))
        );
        assert_eq!(distinct.find(b"g"), None);
    }

    proptest! {
        #[test]
        fn numbers_are_those_of_a_map(strings in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..200)) {
            let (mut distinct, mut map) = (Distinct::default(), HashMap::new());
            for string in &strings {
                prop_assert_eq!(distinct.find(string), map.get(string).copied());
                let next = map.len() as u32;
                prop_assert_eq!(distinct.number(string.as_slice()), *map.entry(string.clone()).or_insert(next));
            }
        }
    }
}
