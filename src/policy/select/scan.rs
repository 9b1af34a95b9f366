//! The syntax that paths and patterns share.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

use super::SelectError;

/// A stretch of a path between its dots and brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Piece {
    Name(Vec<Token>),
    Item,
    Key,
    Value,
}

/// A character of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Token {
    Char(char),
    AnyRun,
    AnyOne,
}

impl Token {
    pub fn literal(self) -> Option<char> {
        match self {
            Token::Char(char) => Some(char),
            Token::AnyRun | Token::AnyOne => None,
        }
    }
}

/// Splits a text into its pieces; there is at least one, and the first is a name.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, SelectError> {
    let mut chars = text.chars().peekable();
    let mut pieces = vec![Piece::Name(name(&mut chars)?)];
    while let Some(char) = chars.next() {
        match char {
            '.' => pieces.push(Piece::Name(name(&mut chars)?)),
            '[' => {
                expect(&mut chars, ']', SelectError::StrayBracket)?;
                pieces.push(Piece::Item);
            }
            '{' => {
                expect(&mut chars, '}', SelectError::StrayBracket)?;
                expect(&mut chars, '.', SelectError::MapSide)?;
                let side: Option<String> = name(&mut chars)?.into_iter().map(Token::literal).collect();
                pieces.push(match side.as_deref() {
                    Some("key") => Piece::Key,
                    Some("value") => Piece::Value,
                    _ => return Err(SelectError::MapSide),
                });
            }
            ']' | '}' => return Err(SelectError::StrayBracket),
            _ => return Err(SelectError::MissingDot),
        }
    }
    Ok(pieces)
}

fn expect(chars: &mut Peekable<Chars<'_>>, wanted: char, error: SelectError) -> Result<(), SelectError> {
    chars.next_if_eq(&wanted).map(|_| ()).ok_or(error)
}

fn name(chars: &mut Peekable<Chars<'_>>) -> Result<Vec<Token>, SelectError> {
    let mut tokens = Vec::new();
    let mut quoted = false;
    while let Some(&char) = chars.peek() {
        match char {
            '.' | '[' | ']' | '{' | '}' => break,
            '`' => {
                chars.next();
                quoted = true;
                quoted_run(chars, &mut tokens)?;
                continue;
            }
            '*' => tokens.push(Token::AnyRun),
            '?' => tokens.push(Token::AnyOne),
            char => tokens.push(Token::Char(char)),
        }
        chars.next();
    }
    // an empty name is a name, if it is written out as ``
    if tokens.is_empty() && !quoted { Err(SelectError::MissingName) } else { Ok(tokens) }
}

fn quoted_run(chars: &mut Peekable<Chars<'_>>, tokens: &mut Vec<Token>) -> Result<(), SelectError> {
    loop {
        match chars.next() {
            None => return Err(SelectError::UnclosedBacktick),
            Some('`') if chars.next_if_eq(&'`').is_none() => return Ok(()),
            Some(char) => tokens.push(Token::Char(char)),
        }
    }
}

/// Writes a name so that it is read back as this very name.
pub(super) fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if name.is_empty() || name.contains(['.', '[', ']', '{', '}', '*', '?', '`']) {
        write!(f, "`{}`", name.replace('`', "``"))
    } else {
        f.write_str(name)
    }
}
