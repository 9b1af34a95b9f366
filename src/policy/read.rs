//! Types out of nodes: a serde deserializer that finds every problem, not just the first.
//!
//! Serde stops at its first error. So a node that fails is noted, left out of the tree, and the reading starts
//! again, until it succeeds. A required field that is missing, or was left out, is filled by a
//! [placeholder](super::placeholder), so that the fields beside it are read as well.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::code::Code;
use super::diagnostic::Diagnostic;
use super::place::{DocPath, Spans};
use super::placeholder::Placeholder;
use super::read_error::{Kind, ReadError};
use super::suggest;
use super::yaml::{Node, Origin, Value};

/// Reads nodes of one tree and gathers the problems.
pub(super) struct Reader<'s> {
    spans: &'s Spans,
    /// Nodes left out.
    pruned: HashSet<usize>,
    /// Required fields of these nodes that placeholders fill.
    filled: HashSet<(usize, &'static str)>,
    /// The paths of these fields.
    unsound: Vec<DocPath>,
    problems: Vec<Diagnostic>,
}

impl<'s> Reader<'s> {
    /// Begins with the problems that were found before.
    pub fn new(spans: &'s Spans, problems: Vec<Diagnostic>) -> Self {
        Self { spans, pruned: HashSet::new(), filled: HashSet::new(), unsound: Vec::new(), problems }
    }

    /// All problems, once everything is read. Of those that `check` finds in the result, the ones that only follow
    /// from a problem at the same place are left out.
    pub fn problems(mut self, found: Vec<Diagnostic>) -> Vec<Diagnostic> {
        let known: Vec<&DocPath> = self.problems.iter().map(|problem| &problem.path).chain(&self.unsound).collect();
        let follows = |path: &DocPath| known.iter().any(|known| known.leads_to(path) || path.leads_to(known));
        let fresh: Vec<Diagnostic> = found.into_iter().filter(|found| !follows(&found.path)).collect();
        self.problems.extend(fresh);
        self.problems
    }

    /// Leaves a node out of what is read, with the reason why.
    pub fn leave_out(&mut self, node: &Node, problem: Diagnostic) {
        self.pruned.insert(node.id);
        self.problems.push(problem);
    }

    /// Leaves a node out whose reason is noted already.
    pub fn leave_out_silently(&mut self, node: &Node) {
        self.pruned.insert(node.id);
    }

    pub fn spans(&self) -> &'s Spans {
        self.spans
    }

    /// Reads a value as far as the text allows. `None` if nothing of it can be read; the problems say why.
    pub fn read<T: DeserializeOwned>(&mut self, node: &Node) -> Option<T> {
        while !self.pruned.contains(&node.id) {
            match T::deserialize(NodeReader { node, reader: self }) {
                Ok(value) => return Some(value),
                Err(error) => self.note(node, error),
            }
        }
        None
    }

    /// Notes an error and makes the next reading pass it by.
    fn note(&mut self, root: &Node, error: ReadError) {
        let node = error.node.and_then(|id| find(root, id)).unwrap_or(root);
        match error.kind {
            Kind::UnknownField { name, expected } => {
                let problem = self.unknown_key(node, &name, expected);
                match node.entry(&name) {
                    Some(entry) => self.leave_out(entry, problem),
                    None => self.leave_out(node, problem),
                }
            }
            Kind::MissingField(field) => {
                if !self.is_explained(node, field) {
                    self.problems.push(self.missing_key(node, field));
                }
                if !self.filled.insert((node.id, field)) {
                    self.pruned.insert(node.id);
                }
                self.unsound.push(node.path.key(field));
            }
            kind => {
                let problem = self.bad_value(node, kind, error.in_key);
                // what a whole map is blamed for may follow from what was left out of it
                if matches!(node.value, Value::Map(_)) && self.problem_below(&node.path) {
                    self.pruned.insert(node.id);
                } else {
                    self.leave_out(node, problem);
                }
            }
        }
    }

    fn unknown_key(&self, node: &Node, name: &str, expected: &[&str]) -> Diagnostic {
        // a key below `keyring` may be a misplaced secret
        if node.path.is_within("keyring") {
            let hint = format!("`keyring` takes {}", suggest::listed(expected));
            return Diagnostic::error(Code::UnknownKey, node.path.clone(), "unknown key in `keyring`")
                .hint(hint)
                .at(self.spans.locate(&node.path));
        }
        let path = node.path.key(name);
        let hint = suggest::hint(name, "the keys here are", expected);
        let at = self.spans.locate(&path);
        Diagnostic::error(Code::UnknownKey, path, format!("unknown key `{name}`")).hint(hint).at(at)
    }

    fn bad_value(&self, node: &Node, kind: Kind, in_key: bool) -> Diagnostic {
        let path = &node.path;
        let found = quoted(node);
        let problem = match kind {
            Kind::WrongType { expected } => {
                let what = if path.steps().is_empty() { "the policy".to_owned() } else { format!("`{path}`") };
                let message = format!("{what} must be {expected}, found {found}");
                Diagnostic::error(Code::WrongType, path.clone(), message)
            }
            Kind::UnknownWord { name, expected } => {
                let message = format!("`{path}` is none of its words: {found}");
                let problem = Diagnostic::error(Code::UnknownWord, path.clone(), message);
                match node.origin {
                    Origin::Text => problem.hint(suggest::hint(&name, "the words are", expected)),
                    _ => problem.hint(format!("the words are: {}", suggest::listed(expected))),
                }
            }
            Kind::Custom(reason) if node.origin == Origin::Text && !path.is_within("keyring") => {
                Diagnostic::error(Code::BadValue, path.clone(), format!("`{path}`: {reason}"))
            }
            _ => Diagnostic::error(Code::BadValue, path.clone(), format!("`{path}` cannot be {found}")),
        };
        problem.at(if in_key { self.spans.locate(path) } else { self.spans.locate_value(path) })
    }

    fn missing_key(&self, node: &Node, field: &str) -> Diagnostic {
        let message = match node.path.steps() {
            [] => format!("the policy has no `{field}`"),
            _ => format!("`{}` has no `{field}`", node.path),
        };
        let at = self.spans.locate(&node.path);
        Diagnostic::error(Code::MissingKey, node.path.key(field), message).at(at)
    }

    /// Whether a missing field has a problem noted already: with its own value, or with a key that looks misspelt.
    fn is_explained(&self, node: &Node, field: &str) -> bool {
        let path = node.path.key(field);
        let Value::Map(entries) = &node.value else { return false };
        let mut left_out = entries.iter().filter(|entry| self.pruned.contains(&entry.node.id));
        self.problems.iter().any(|problem| path.leads_to(&problem.path))
            || left_out.any(|entry| suggest::closest(&entry.key, [field]).is_some())
    }

    fn problem_below(&self, path: &DocPath) -> bool {
        self.problems.iter().any(|problem| path.leads_to(&problem.path) && problem.path != *path)
    }
}

/// The value for a message: as written, unless it is a secret's neighbour or comes from outside the text.
fn quoted(node: &Node) -> String {
    match (&node.value, &node.origin) {
        (Value::Scalar(_), _) if node.path.is_within("keyring") => "another text".to_owned(),
        (Value::Scalar(text), Origin::Text) => format!("`{text}`"),
        (Value::Scalar(_), Origin::Variables(names)) => {
            let names: Vec<String> = names.iter().map(|name| format!("${{{name}}}")).collect();
            format!("the value of {}", names.join(" and "))
        }
        (Value::Scalar(_), Origin::Override(option)) => format!("the value of {option}"),
        _ => node.kind().to_owned(),
    }
}

fn find(node: &Node, id: usize) -> Option<&Node> {
    if node.id == id {
        return Some(node);
    }
    match &node.value {
        Value::Null(_) | Value::Scalar(_) => None,
        Value::List(items) => items.iter().find_map(|item| find(item, id)),
        Value::Map(entries) => entries.iter().find_map(|entry| find(&entry.node, id)),
    }
}

#[derive(Clone, Copy)]
struct NodeReader<'n, 's> {
    node: &'n Node,
    reader: &'n Reader<'s>,
}

impl<'n> NodeReader<'n, '_> {
    fn text(&self, expected: &str) -> Result<&'n str, ReadError> {
        match &self.node.value {
            Value::Scalar(text) => Ok(text),
            _ => Err(self.wrong_type(expected)),
        }
    }

    fn wrong_type(&self, expected: &str) -> ReadError {
        ReadError::new(Kind::WrongType { expected: expected.to_owned() }).in_node(self.node.id)
    }

    fn is_left_out(&self, node: &Node) -> bool {
        self.reader.pruned.contains(&node.id)
    }
}

macro_rules! read_number {
    ($($method:ident => $visit:ident: $type:ty,)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            let expected = format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX);
            let number = self.text(&expected)?.parse::<$type>().map_err(|_| self.wrong_type(&expected))?;
            visitor.$visit(number).map_err(|error: ReadError| error.in_node(self.node.id))
        }
    )+};
}

impl<'de> Deserializer<'de> for NodeReader<'_, '_> {
    type Error = ReadError;

    /// For types that take several shapes: a scalar is always a text here.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Null(_) => Err(self.wrong_type("a value")),
            Value::Scalar(text) => visitor.visit_str(text).map_err(|error: ReadError| error.in_node(self.node.id)),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Map(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.text("`true` or `false`")? {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(self.wrong_type("`true` or `false`")),
        }
    }

    read_number! {
        deserialize_u8 => visit_u8: u8,
        deserialize_u16 => visit_u16: u16,
        deserialize_u32 => visit_u32: u32,
        deserialize_u64 => visit_u64: u64,
        deserialize_i8 => visit_i8: i8,
        deserialize_i16 => visit_i16: i16,
        deserialize_i32 => visit_i32: i32,
        deserialize_i64 => visit_i64: i64,
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let mut chars = self.text("one character")?.chars();
        match (chars.next(), chars.next()) {
            (Some(char), None) => visitor.visit_char(char),
            _ => Err(self.wrong_type("one character")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let text = self.text("a text")?;
        visitor.visit_str(text).map_err(|error: ReadError| error.in_node(self.node.id))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self).map_err(|error: ReadError| error.in_node(self.node.id))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let Value::List(items) = &self.node.value else { return Err(self.wrong_type("a list")) };
        let items = items.iter().filter(|item| !self.is_left_out(item));
        visitor.visit_seq(Items { items, reader: self.reader }).map_err(|error: ReadError| error.in_node(self.node.id))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let Value::Map(entries) = &self.node.value else { return Err(self.wrong_type("a map")) };
        let entries = entries.iter().map(|entry| (entry.key.as_str(), Some(&entry.node)));
        let entries = entries.filter(|(_, node)| node.is_none_or(|node| !self.is_left_out(node)));
        let filled = self.reader.filled.iter().filter(|(id, _)| *id == self.node.id).map(|(_, field)| (*field, None));
        let map = Entries { entries: entries.chain(filled), value: None, reader: self.reader };
        visitor.visit_map(map).map_err(|error: ReadError| error.in_node(self.node.id))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let result = match &self.node.value {
            Value::Scalar(word) => visitor.visit_enum(Variant { name: word, node: None, reader: self.reader }),
            Value::Map(entries) => match entries.as_slice() {
                [entry] => {
                    visitor.visit_enum(Variant { name: &entry.key, node: Some(&entry.node), reader: self.reader })
                }
                _ => return Err(self.wrong_type("a word, or a map with one key")),
            },
            _ => return Err(self.wrong_type("a word")),
        };
        result.map_err(|error: ReadError| error.in_node(self.node.id))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! { i128 u128 f32 f64 bytes byte_buf unit unit_struct tuple tuple_struct }
}

/// Reads a value and blames its node for what a type's own conversion says about it.
fn read_node<'de, T: DeserializeSeed<'de>>(seed: T, node: &Node, reader: &Reader<'_>) -> Result<T::Value, ReadError> {
    seed.deserialize(NodeReader { node, reader }).map_err(|error| error.in_node(node.id))
}

struct Items<'n, 's, I> {
    items: I,
    reader: &'n Reader<'s>,
}

impl<'de, 'n, I: Iterator<Item = &'n Node>> SeqAccess<'de> for Items<'n, '_, I> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        let item = self.items.next();
        item.map(|node| read_node(seed, node, self.reader)).transpose()
    }
}

struct Entries<'n, 's, I> {
    entries: I,
    /// The value of the key that was just handed out; `Some(None)` for a placeholder.
    value: Option<Option<&'n Node>>,
    reader: &'n Reader<'s>,
}

impl<'de, 'n, I: Iterator<Item = (&'n str, Option<&'n Node>)>> MapAccess<'de> for Entries<'n, '_, I> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        let key: StringDeserializer<ReadError> = key.to_owned().into_deserializer();
        match (seed.deserialize(key), value) {
            (Ok(key), _) => Ok(Some(key)),
            // an unknown field belongs to the map, whose entries are searched for it; any other error to this entry
            (Err(error), Some(node)) if !matches!(error.kind, Kind::UnknownField { .. }) => {
                Err(error.in_key_of(node.id))
            }
            (Err(error), _) => Err(error),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, ReadError> {
        match self.value.take() {
            Some(Some(node)) => read_node(seed, node, self.reader),
            _ => seed.deserialize(Placeholder),
        }
    }
}

struct Variant<'n, 's> {
    name: &'n str,
    node: Option<&'n Node>,
    reader: &'n Reader<'s>,
}

impl<'n, 's, 'de> EnumAccess<'de> for Variant<'n, 's> {
    type Error = ReadError;
    type Variant = Payload<'n, 's>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant), ReadError> {
        let name: StringDeserializer<ReadError> = self.name.to_owned().into_deserializer();
        Ok((seed.deserialize(name)?, Payload { node: self.node, reader: self.reader }))
    }
}

struct Payload<'n, 's> {
    node: Option<&'n Node>,
    reader: &'n Reader<'s>,
}

impl<'de> VariantAccess<'de> for Payload<'_, '_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        match self.node {
            None => Ok(()),
            Some(_) => Err(de::Error::custom("this word takes no options")),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, ReadError> {
        match self.node {
            Some(node) => read_node(seed, node, self.reader),
            None => Err(de::Error::custom("this word needs options")),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ReadError> {
        Err(de::Error::custom("this word takes no list"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, ReadError> {
        match self.node {
            Some(node) => NodeReader { node, reader: self.reader }.deserialize_map(visitor),
            None => Err(de::Error::custom("this word needs options")),
        }
    }
}
