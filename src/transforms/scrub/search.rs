//! All that is searched for in a text.

use super::kind::Kind;
use super::patterns::Pattern;
use super::scan::{Find, Finders, settle};
use crate::transforms::normalize::Region;

/// A search for some kinds and patterns.
#[derive(Debug, Clone)]
pub struct Search {
    names: Vec<String>,
    patterns: Vec<Pattern>,
    finders: Finders,
}

impl Search {
    /// Searches for `patterns`, which come first where another kind claims the same characters, and `kinds`; national
    /// telephone numbers as `regions` write them.
    ///
    /// ```
    /// use lakeveil::transforms::scrub::{Kind, Search};
    ///
    /// let search = Search::new(&[Kind::Email, Kind::Ip], Vec::new(), Vec::new());
    /// assert_eq!(search.names(), ["email", "ip"]);
    /// let text = "ann@example.com, from 192.0.2.1";
    /// let found: Vec<_> = search.find(text).into_iter().map(|(name, range)| (name, &text[range])).collect();
    /// assert_eq!(found, [("email", "ann@example.com"), ("ip", "192.0.2.1")]);
    /// ```
    pub fn new(kinds: &[Kind], patterns: Vec<Pattern>, regions: Vec<Region>) -> Self {
        let mut kinds = kinds.to_vec();
        kinds.sort_unstable();
        kinds.dedup();
        let names = patterns.iter().map(Pattern::name).chain(kinds.iter().map(|kind| kind.name()));
        let names = names.map(str::to_owned).collect();
        let kinds: Vec<_> = kinds.into_iter().zip(patterns.len() as u16..).collect();
        Self { names, finders: Finders::new(&kinds, regions), patterns }
    }

    /// The names of all that is searched for, as a policy writes them: patterns, then kinds.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What a text holds, from left to right, none overlapping another: its name, and where it stands.
    pub fn find(&self, text: &str) -> Vec<(&str, std::ops::Range<usize>)> {
        let mut finds = Vec::new();
        self.find_into(text, &mut finds);
        let named = |find: Find| (self.names[usize::from(find.kind)].as_str(), find.start..find.end);
        finds.into_iter().map(named).collect()
    }

    /// The same behind what is in `finds`; gives the bytes looked at.
    pub(super) fn find_into(&self, text: &str, finds: &mut Vec<Find>) -> usize {
        let first = finds.len();
        for (pattern, kind) in self.patterns.iter().zip(0..) {
            pattern.find(text, kind, finds);
        }
        let looked_at = self.finders.find(text, finds);
        settle(finds, first);
        looked_at
    }
}
