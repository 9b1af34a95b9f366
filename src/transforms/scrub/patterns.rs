//! Patterns of the policy's own.

use std::fmt;

use regex::{Regex, RegexBuilder};

use super::kind::Kind;
use super::scan::Find;

/// Bytes that a compiled pattern may take, and again its automaton while it searches.
const SIZE: usize = 4 << 20;
/// Characters of the longest name.
const NAME: usize = 64;
/// A text with ends of words, lines and digits in it: what matches nothing, matches it here.
const PROBE: &str = "a-1 _.\n\u{e9} Z";

/// Why a pattern is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Its name can't be a label.
    #[error("a name is made of a-z, 0-9 and _, begins with a letter and has 64 characters at most")]
    Name,
    /// Its name is taken.
    #[error("this is the name of a built-in kind")]
    BuiltIn,
    /// No regular expression, or one too large; the text is that of the parser, of the policy alone.
    #[error("{0}")]
    Regex(String),
    /// It matches the empty text, so it would be found everywhere.
    #[error("it matches the empty text")]
    Empty,
}

/// A regular expression in the syntax of the crate `regex`: no look-around, no back-references, linear in the text
/// for each match.
#[derive(Clone)]
pub struct Pattern {
    name: String,
    regex: Regex,
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pattern").field("name", &self.name).field("regex", &self.regex.as_str()).finish()
    }
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// [`PatternError`]
    ///
    /// ```
    /// use lakeveil::transforms::scrub::{Pattern, PatternError};
    ///
    /// assert!(Pattern::new("patient_no", r"\bP-\d{6}\b").is_ok());
    /// assert_eq!(Pattern::new("patient_no", r"\d*").unwrap_err(), PatternError::Empty);
    /// assert_eq!(Pattern::new("email", r"\d+").unwrap_err(), PatternError::BuiltIn);
    /// ```
    pub fn new(name: &str, regex: &str) -> Result<Self, PatternError> {
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.len() <= NAME
            && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        if !is_name {
            return Err(PatternError::Name);
        }
        if Kind::from_name(name).is_some() {
            return Err(PatternError::BuiltIn);
        }
        let regex = RegexBuilder::new(regex).size_limit(SIZE).dfa_size_limit(SIZE).build();
        let regex = regex.map_err(|error| PatternError::Regex(error.to_string()))?;
        if regex.is_match("") || regex.find_iter(PROBE).any(|found| found.is_empty()) {
            return Err(PatternError::Empty);
        }
        Ok(Self { name: name.to_owned(), regex })
    }

    /// The policy's name for it.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn find(&self, text: &str, kind: u16, finds: &mut Vec<Find>) {
        let found = self.regex.find_iter(text).filter(|found| !found.is_empty());
        finds.extend(found.map(|found| Find { start: found.start(), end: found.end(), kind }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_finds_nothing_or_everything_is_refused() {
        let refused = |name: &str, regex: &str| Pattern::new(name, regex).unwrap_err();
        for empty in ["", "a?", r"\b", "(?m)^", r"x*|y", r"\B"] {
            assert_eq!(refused("p", empty), PatternError::Empty, "{empty}");
        }
        for bad in ["(", r"(?=x)", r"(a)\1", r"\w{1000}{1000}"] {
            assert!(matches!(refused("p", bad), PatternError::Regex(_)), "{bad}");
        }
        for name in ["", "P", "1p", "p-q", "é", "_p"] {
            assert_eq!(refused(name, "x"), PatternError::Name, "{name}");
        }
        assert_eq!(refused("us_ssn", "x"), PatternError::BuiltIn);
    }
}
