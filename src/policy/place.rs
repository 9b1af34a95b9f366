//! Places in a policy: paths of keys, and the lines and columns they stand at.

use std::collections::HashMap;
use std::fmt;

use serde::{Serialize, Serializer};

/// A stretch of the policy's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Characters to underline, at least 1; a place that spans lines is cut at the end of its first.
    pub width: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The keys and list indexes that lead to a place in the policy.
///
/// Displayed as `source.csv.null[0]`; a key with other characters than letters, digits, `_` and `-` is quoted.
///
/// ```
/// use lakeveil::policy::DocPath;
/// assert_eq!(DocPath::root().key("columns").key("address.street").to_string(), r#"columns."address.street""#);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct DocPath(Vec<Step>);

/// One step of a [`DocPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Into the entry of a map.
    Key(String),
    /// Into the item of a list, from 0.
    Index(usize),
}

impl DocPath {
    /// The whole policy.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of an entry of the map at this path.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.then(Step::Key(key.into()))
    }

    /// The path of an item of the list at this path.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// The steps from the root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this path is `other` or leads to a place above it.
    pub fn leads_to(&self, other: &DocPath) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Whether the path is this key of the root, or below it.
    pub fn is_within(&self, key: &str) -> bool {
        matches!(self.0.first(), Some(Step::Key(first)) if first == key)
    }

    /// The keys along the path, `None` for list items.
    pub fn keys<'a>(&'a self) -> Vec<Option<&'a str>> {
        let key = |step: &'a Step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        };
        self.0.iter().map(key).collect()
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for DocPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
                    if key.is_empty() || !key.chars().all(plain) {
                        write!(f, "{key:?}")?;
                    } else {
                        f.write_str(key)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Serialize for DocPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where each path of a policy stands in its text.
#[derive(Debug, Clone, Default)]
pub struct Spans {
    places: HashMap<DocPath, Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    key: Position,
    value: Position,
}

impl Spans {
    /// Notes where a path's key stands, and its value; the first one noted stays.
    pub(super) fn insert(&mut self, path: DocPath, key: Position, value: Position) {
        self.places.entry(path).or_insert(Place { key, value });
    }

    /// The place of a path's key (or list item). A path that is not in the text, such as a default or an override,
    /// has that of the nearest place above it.
    pub fn locate(&self, path: &DocPath) -> Option<Position> {
        let mut above = path.clone();
        loop {
            if let Some(place) = self.places.get(&above) {
                return Some(place.key);
            }
            above.0.pop()?;
        }
    }

    /// The place of a path's value where that is a single word or text, else of its key as [`Spans::locate`] has it.
    pub fn locate_value(&self, path: &DocPath) -> Option<Position> {
        self.places.get(path).map(|place| place.value).or_else(|| self.locate(path))
    }
}
