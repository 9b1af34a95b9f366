//! The policy's text as a tree of nodes with places: a YAML subset without nulls, anchors, aliases and tags.

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::code::Code;
use super::diagnostic::Diagnostic;
use super::place::{DocPath, Position, Spans};

/// Collections may be nested this deep; the policy language itself needs 7 levels.
const MAX_DEPTH: usize = 32;

/// The words that YAML's core schema reads as null when they are not quoted; no text at all is one, too.
const NULL_WORDS: [&str; 5] = ["", "~", "null", "Null", "NULL"];

/// Keys below `keyring` that may be named in messages: any other may be a misplaced secret.
const KEYRING_KEYS: [&str; 4] = ["file", "permissions", "env", "command"];

/// One value of the policy's text.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Unique in its tree.
    pub id: usize,
    pub path: DocPath,
    /// Where the value stands.
    pub at: Position,
    /// The last line that the value touches.
    pub end_line: usize,
    pub value: Value,
    pub origin: Origin,
}

/// Scalars are text as written: which of them is a number or a truth value is up to the field that reads it.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// With the word as written.
    Null(String),
    Scalar(String),
    List(Vec<Node>),
    /// In the order of the text, without duplicates.
    Map(Vec<Entry>),
}

/// One entry of a map.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub key: String,
    pub node: Node,
}

/// Where the text of a scalar comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// It is written in the policy.
    Text,
    /// At least in part from these variables: not to be quoted in messages.
    Variables(Vec<String>),
    /// From a command-line option such as `--source`.
    Override(&'static str),
}

impl Node {
    pub fn entry(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
            _ => None,
        }
    }

    /// What the value is, for "expected ..., found ..." messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null(_) => "a null",
            Value::Scalar(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// Calls `visit` with this node and all below it.
    pub fn walk(&mut self, visit: &mut impl FnMut(&mut Node)) {
        visit(self);
        match &mut self.value {
            Value::Null(_) | Value::Scalar(_) => {}
            Value::List(items) => items.iter_mut().for_each(|item| item.walk(visit)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| entry.node.walk(visit)),
        }
    }
}

/// A parsed text.
pub(super) struct Tree {
    /// `None` if the text is no YAML, or empty.
    pub root: Option<Node>,
    pub spans: Spans,
    pub problems: Vec<Diagnostic>,
}

/// Reads one YAML document. What is left out of the tree (a second value of a key, an alias) is among the problems.
pub(super) fn parse(text: &str) -> Tree {
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let mut builder = Builder {
        events: Parser::new_from_str_with_options(text, options),
        line_widths: text.lines().map(|line| line.chars().count()).collect(),
        spans: Spans::default(),
        problems: Vec::new(),
        nodes: 0,
    };
    let root = match builder.document() {
        Ok(root) => root,
        Err(error) => {
            builder.syntax_error(&error);
            None
        }
    };
    Tree { root, spans: builder.spans, problems: builder.problems }
}

struct Builder<'t> {
    events: Parser<'t, StrInput<'t>>,
    line_widths: Vec<usize>,
    spans: Spans,
    problems: Vec<Diagnostic>,
    nodes: usize,
}

impl<'t> Builder<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), ScanError> {
        self.events.next().unwrap_or_else(|| Ok((Event::StreamEnd, Span::default())))
    }

    fn document(&mut self) -> Result<Option<Node>, ScanError> {
        let mut root = None;
        let mut documents = 0;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents == 2 {
                        self.feature(&span, &DocPath::root(), "a second document", "a policy is one YAML document");
                    }
                }
                Event::StreamStart | Event::DocumentEnd => {}
                event => {
                    let node = self.node(event, &span, DocPath::root(), None)?;
                    root = root.or(node);
                }
            }
        }
    }

    /// The node that begins with `event`; `None` if it is one that the policy language leaves out.
    fn node(
        &mut self,
        event: Event<'t>,
        span: &Span,
        path: DocPath,
        key_at: Option<Position>,
    ) -> Result<Option<Node>, ScanError> {
        let at = self.position(span);
        self.refuse_properties(&event, span, &path);
        self.nodes += 1;
        let id = self.nodes;
        let is_scalar = matches!(event, Event::Scalar(..));
        self.spans.insert(path.clone(), key_at.unwrap_or(at), if is_scalar { at } else { key_at.unwrap_or(at) });
        // a block's end is noted where the next begins
        let at_line_start = span.end.col() == 0 && span.end.line() > span.start.line();
        let mut end_line = span.end.line() - usize::from(at_line_start);
        let value = match event {
            Event::Scalar(text, style, ..) => {
                if span.start.index() == span.end.index() {
                    Value::Null(String::new())
                } else if style == ScalarStyle::Plain && NULL_WORDS.contains(&text.as_ref()) {
                    Value::Null(text.into_owned())
                } else {
                    Value::Scalar(text.into_owned())
                }
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::SequenceEnd) {
                        end_line = items.iter().map(|item: &Node| item.end_line).fold(end_line, usize::max);
                        break Value::List(items);
                    }
                    items.extend(self.node(event, &span, path.index(items.len()), None)?);
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    if matches!(event, Event::MappingEnd) {
                        end_line = entries.iter().map(|entry: &Entry| entry.node.end_line).fold(end_line, usize::max);
                        break Value::Map(entries);
                    }
                    self.entry(&mut entries, event, &span, &path)?;
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.feature(span, &path, "an alias", "write the value out");
                return Ok(None);
            }
            _ => return Ok(None),
        };
        Ok(Some(Node { id, path, at, end_line, value, origin: Origin::Text }))
    }

    fn entry(
        &mut self,
        entries: &mut Vec<Entry>,
        event: Event<'t>,
        key_span: &Span,
        path: &DocPath,
    ) -> Result<(), ScanError> {
        let key_at = self.position(key_span);
        self.refuse_properties(&event, key_span, path);
        let Event::Scalar(key, style, ..) = event else {
            self.feature(key_span, path, "a key that is no text", "keys are words or quoted texts");
            self.node(event, key_span, path.key("?"), None)?;
            let (event, span) = self.next()?;
            self.node(event, &span, path.key("?"), None)?;
            return Ok(());
        };
        let key = key.into_owned();
        let path = entry_path(path, &key);
        let merge = style == ScalarStyle::Plain && key == "<<";
        let seen = entries.iter().any(|entry: &Entry| entry.key == key);
        if merge {
            self.feature(key_span, &path, "a merge key", "write the entries out");
        } else if seen {
            let first = self.spans.locate(&path).map_or(0, |at| at.line);
            let message = format!("the key `{path}` is given a second time");
            let hint = format!("it stands on line {first} already; remove either");
            self.problems.push(Diagnostic::error(Code::DuplicateKey, path.clone(), message).hint(hint).at(key_at));
        }
        let (event, span) = self.next()?;
        let node = self.node(event, &span, path, Some(key_at))?;
        if !merge && !seen {
            entries.extend(node.map(|node| Entry { key, node }));
        }
        Ok(())
    }

    fn refuse_properties(&mut self, event: &Event<'t>, span: &Span, path: &DocPath) {
        if event.anchor_id().is_some_and(|id| id > 0) && !event.is_alias() {
            self.feature(span, path, "an anchor", "write the value out where it is needed");
        }
        if event.tag().is_some() {
            self.feature(span, path, "a tag", "leave it out: what a value is follows from its key");
        }
    }

    fn feature(&mut self, span: &Span, path: &DocPath, what: &str, hint: &str) {
        let message = format!("{what} is not part of the policy language");
        let at = self.position(span);
        self.problems.push(Diagnostic::error(Code::YamlFeature, path.clone(), message).hint(hint).at(at));
    }

    fn syntax_error(&mut self, error: &ScanError) {
        let at = error.marker();
        let position = Position { line: at.line().max(1), column: at.col() + 1, width: 1 };
        let message = format!("the text is no YAML: {}", error.kind());
        let hint = "check indentation, brackets and quotes up to this place";
        self.problems.push(Diagnostic::error(Code::YamlSyntax, DocPath::root(), message).hint(hint).at(position));
    }

    fn position(&self, span: &Span) -> Position {
        let (start, end) = (&span.start, &span.end);
        let end_column = if start.line() == end.line() {
            end.col()
        } else {
            start.line().checked_sub(1).and_then(|line| self.line_widths.get(line)).copied().unwrap_or_default()
        };
        let width = end_column.saturating_sub(start.col()).max(1);
        Position { line: start.line(), column: start.col() + 1, width }
    }
}

/// The path of an entry, without keys that must not be shown.
fn entry_path(map: &DocPath, key: &str) -> DocPath {
    if map.is_within("keyring") && !KEYRING_KEYS.contains(&key) { map.key("?") } else { map.key(key) }
}
