//! What can go wrong when a node is read as a type.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// A reading error and, once known, the node that it belongs to.
#[derive(Debug)]
pub(super) struct ReadError {
    pub kind: Kind,
    pub node: Option<usize>,
    /// Whether it is the key of that node's entry that is wrong.
    pub in_key: bool,
}

/// Serde's errors, kept apart so that each gets its own code and hint.
#[derive(Debug)]
pub(super) enum Kind {
    WrongType { expected: String },
    UnknownField { name: String, expected: &'static [&'static str] },
    UnknownWord { name: String, expected: &'static [&'static str] },
    MissingField(&'static str),
    Custom(String),
}

impl ReadError {
    pub fn new(kind: Kind) -> Self {
        Self { kind, node: None, in_key: false }
    }

    /// Blames a node, unless one below it is blamed already.
    pub fn in_node(mut self, id: usize) -> Self {
        self.node.get_or_insert(id);
        self
    }

    /// Blames the key that leads to a node.
    pub fn in_key_of(self, id: usize) -> Self {
        Self { in_key: true, ..self.in_node(id) }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value does not fit its place in a policy")
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Kind::Custom(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Kind::WrongType { expected: expected.to_string() })
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Kind::WrongType { expected: expected.to_string() })
    }

    fn unknown_variant(name: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::UnknownWord { name: name.to_owned(), expected })
    }

    fn unknown_field(name: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::UnknownField { name: name.to_owned(), expected })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::MissingField(field))
    }
}
