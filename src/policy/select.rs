//! Which column is meant: paths to columns, and the patterns that match them.
//!
//! | written | means |
//! |---|---|
//! | `email` | the column `email` |
//! | `address.street` | the field `street` of the struct `address` |
//! | `contacts[].number` | the field `number` of each item of the list `contacts` |
//! | `attributes{}.value` | each value of the map `attributes`; `.key` for its keys |
//! | `debug_*`, `id?` | patterns: `*` is any run of characters, `?` any one, never across `.`, `[]` or `{}` |
//! | `` `a.b` ``, `` `what*` `` | between backticks every character is itself; a backtick is doubled |

mod pattern;
mod scan;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use pattern::Pattern;

use scan::{Piece, Token};

/// One step from a schema's root to a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A top-level column, or a field of a struct.
    Field(String),
    /// The items of a list.
    ListItem,
    /// The keys of a map.
    MapKey,
    /// The values of a map.
    MapValue,
}

/// The path of one column.
///
/// - never empty, and begins with a [`Segment::Field`];
/// - displays as it is written in a policy, odd names in backticks, so that [`FromStr`] reads it back and the
///   [`Pattern`] of that text matches this column alone.
///
/// ```
/// use lakeveil::policy::{ColumnPath, Segment};
/// let path: ColumnPath = "attributes{}.value.`a.b`".parse().unwrap();
/// let segments = [Segment::Field("attributes".into()), Segment::MapValue, Segment::Field("a.b".into())];
/// assert_eq!(path.segments(), segments);
/// assert!("debug_*".parse::<ColumnPath>().is_err()); // a pattern names no single column
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ColumnPath(Vec<Segment>);

/// Why a text is no column path or pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SelectError {
    /// No name where one is needed.
    #[error("a name is missing; put an odd name in backticks")]
    MissingName,
    /// A backtick without its partner.
    #[error("a backtick is not closed; a literal backtick is doubled within backticks")]
    UnclosedBacktick,
    /// `[`, `]`, `{` or `}` that is not part of `[]` or `{}`.
    #[error("brackets stand only as `[]` for list items and `{{}}` for map entries; put an odd name in backticks")]
    StrayBracket,
    /// A name straight after `[]` or `{}`.
    #[error("a `.` is missing after `[]` or `{{}}`")]
    MissingDot,
    /// `{}` without `.key` or `.value`.
    #[error("`{{}}` is followed by `.key` or `.value`")]
    MapSide,
    /// `*` or `?` where one column must be named.
    #[error("`*` and `?` match many columns where one must be named; put an odd name in backticks")]
    Wildcard,
}

impl ColumnPath {
    /// A path of these segments; `None` if there are none or the first is no field.
    pub fn new(segments: Vec<Segment>) -> Option<Self> {
        matches!(segments.first(), Some(Segment::Field(_))).then_some(Self(segments))
    }

    /// A top-level column.
    pub fn of(name: &str) -> Self {
        Self(vec![Segment::Field(name.to_owned())])
    }

    /// The path one step further down.
    #[must_use]
    pub fn then(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// The path with another name for the innermost field; what follows it (`[]`, `{}.value`) stays.
    ///
    /// ```
    /// use lakeveil::policy::ColumnPath;
    /// let path: ColumnPath = "address.street".parse().unwrap();
    /// assert_eq!(path.with_last_name("road").to_string(), "address.road");
    /// ```
    #[must_use]
    pub fn with_last_name(&self, name: &str) -> Self {
        let mut segments = self.0.clone();
        let last = segments.iter_mut().rev().find(|segment| matches!(segment, Segment::Field(_)));
        if let Some(last) = last {
            *last = Segment::Field(name.to_owned());
        }
        Self(segments)
    }

    /// The steps from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The top-level column that the path lies in.
    pub fn root(&self) -> &str {
        match &self.0[0] {
            Segment::Field(name) => name,
            _ => unreachable!("a path begins with a field"),
        }
    }

    /// Whether the path is a top-level column.
    pub fn is_top_level(&self) -> bool {
        self.0.len() == 1
    }
}

impl FromStr for ColumnPath {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        let segment = |piece| match piece {
            Piece::Name(tokens) => tokens.into_iter().map(Token::literal).collect::<Option<_>>().map(Segment::Field),
            Piece::Item => Some(Segment::ListItem),
            Piece::Key => Some(Segment::MapKey),
            Piece::Value => Some(Segment::MapValue),
        };
        let segments = scan::pieces(text)?.into_iter().map(segment).collect::<Option<_>>();
        segments.map(Self).ok_or(SelectError::Wildcard)
    }
}

impl fmt::Display for ColumnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::ListItem => f.write_str("[]")?,
                Segment::MapKey => f.write_str("{}.key")?,
                Segment::MapValue => f.write_str("{}.value")?,
                Segment::Field(name) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    scan::write_name(f, name)?;
                }
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for ColumnPath {
    type Error = SelectError;

    fn try_from(text: String) -> Result<Self, SelectError> {
        text.parse()
    }
}

impl From<ColumnPath> for String {
    fn from(path: ColumnPath) -> Self {
        path.to_string()
    }
}
