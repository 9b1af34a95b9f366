//! Patterns over column paths.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::scan::{self, Piece, Token};
use super::{ColumnPath, Segment, SelectError};

/// A rule's key: a column path whose names may hold the wildcards `*` and `?`.
///
/// Names are compared character by character, with case. Two patterns are equal if they are one pattern, however
/// written: `` `a` `` is `a`.
///
/// ```
/// use lakeveil::policy::{ColumnPath, Pattern};
/// let pattern: Pattern = "contacts[].num*".parse().unwrap();
/// assert!(pattern.matches(&"contacts[].number".parse().unwrap()));
/// assert!(!pattern.matches(&"contacts".parse().unwrap()));
/// assert!("contacts".parse::<Pattern>().unwrap().covers(&"contacts[].number".parse().unwrap()));
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    pieces: Vec<Piece>,
    text: String,
}

impl Pattern {
    /// Whether the pattern is that of this very path.
    pub fn matches(&self, path: &ColumnPath) -> bool {
        self.pieces.len() == path.segments().len() && self.covers(path)
    }

    /// Whether the pattern matches this path or one above it, such as the struct that a field lies in.
    pub fn covers(&self, path: &ColumnPath) -> bool {
        let segments = path.segments();
        self.pieces.len() <= segments.len()
            && self.pieces.iter().zip(segments).all(|(piece, s)| piece_matches(piece, s))
    }

    /// The one path that the pattern matches; `None` if it has wildcards.
    pub fn literal(&self) -> Option<ColumnPath> {
        self.sample(|token| token.literal().map(String::from))
    }

    /// Whether every path that `later` matches is matched by this pattern, too.
    ///
    /// Told by samples in which private characters stand for the wildcards of `later`: only a wildcard can match them.
    pub fn includes(&self, later: &Pattern) -> bool {
        ["", "\u{10fffd}", "\u{10fffd}\u{10fffe}\u{10fffd}"].iter().all(|run| {
            let sample = later.sample(|token| match token {
                Token::Char(char) => Some(char.to_string()),
                Token::AnyOne => Some("\u{10fffe}".to_owned()),
                Token::AnyRun => Some((*run).to_owned()),
            });
            sample.is_some_and(|path| self.matches(&path))
        })
    }

    fn sample(&self, text: impl Fn(Token) -> Option<String>) -> Option<ColumnPath> {
        let segment = |piece: &Piece| match piece {
            Piece::Name(tokens) => tokens.iter().map(|token| text(*token)).collect::<Option<_>>().map(Segment::Field),
            Piece::Item => Some(Segment::ListItem),
            Piece::Key => Some(Segment::MapKey),
            Piece::Value => Some(Segment::MapValue),
        };
        ColumnPath::new(self.pieces.iter().map(segment).collect::<Option<_>>()?)
    }
}

fn piece_matches(piece: &Piece, segment: &Segment) -> bool {
    match (piece, segment) {
        (Piece::Name(tokens), Segment::Field(name)) => name_matches(tokens, name),
        (Piece::Item, Segment::ListItem) | (Piece::Key, Segment::MapKey) | (Piece::Value, Segment::MapValue) => true,
        _ => false,
    }
}

/// Wildcard matching with one point of return: the last `*` takes one more character each time the rest fails.
fn name_matches(tokens: &[Token], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut token, mut char) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while char < name.len() {
        match tokens.get(token) {
            Some(Token::AnyRun) => {
                retry = Some((token, char));
                token += 1;
                continue;
            }
            Some(Token::AnyOne) => {}
            Some(Token::Char(wanted)) if *wanted == name[char] => {}
            _ => match retry {
                Some((run, taken)) => {
                    retry = Some((run, taken + 1));
                    (token, char) = (run + 1, taken + 1);
                    continue;
                }
                None => return false,
            },
        }
        token += 1;
        char += 1;
    }
    tokens[token..].iter().all(|token| *token == Token::AnyRun)
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.pieces == other.pieces
    }
}

impl Eq for Pattern {}

impl std::hash::Hash for Pattern {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.pieces.hash(state);
    }
}

impl FromStr for Pattern {
    type Err = SelectError;

    fn from_str(text: &str) -> Result<Self, SelectError> {
        Ok(Self { pieces: scan::pieces(text)?, text: text.to_owned() })
    }
}

/// As it is written in the policy.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Pattern {
    type Error = SelectError;

    fn try_from(text: String) -> Result<Self, SelectError> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}
