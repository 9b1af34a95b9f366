//! Variables in a policy's texts: `${VAR}`, `${VAR:-default}`, and `$${` for a literal `${`.

use std::collections::{BTreeMap, BTreeSet};

use super::code::Code;
use super::diagnostic::Diagnostic;
use super::place::DocPath;
use super::suggest;
use super::yaml::{Entry, Node, Origin, Value};

type Environment = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Where the values of `${VAR}` come from, and what replaces parts of the policy altogether.
pub struct Variables {
    set: BTreeMap<String, String>,
    environment: Environment,
    overrides: Vec<Override>,
}

/// A command-line option that replaces a text of the policy.
struct Override {
    option: &'static str,
    section: &'static str,
    key: &'static str,
    value: String,
}

impl Variables {
    /// The variables of the process.
    pub fn from_environment() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// No variables at all.
    pub fn none() -> Self {
        Self::from_lookup(|_| None)
    }

    /// The variables of another place than the process.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { set: BTreeMap::new(), environment: Box::new(lookup), overrides: Vec::new() }
    }

    /// Gives a variable a value, whatever the environment says (`--set name=value`).
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set.insert(name.into(), value.into());
        self
    }

    /// Replaces `source.url` (`--source URL`).
    #[must_use]
    pub fn source(mut self, url: impl Into<String>) -> Self {
        self.overrides.push(Override { option: "--source", section: "source", key: "url", value: url.into() });
        self
    }

    /// Replaces `sink.url` (`--sink URL`).
    #[must_use]
    pub fn sink(mut self, url: impl Into<String>) -> Self {
        self.overrides.push(Override { option: "--sink", section: "sink", key: "url", value: url.into() });
        self
    }

    fn get(&self, name: &str) -> Option<String> {
        self.set.get(name).cloned().or_else(|| (self.environment)(name))
    }

    /// Puts the overrides into the tree. Their texts are taken as they are: no variables in them. Returns the names of the
    /// variables in the texts that they replace.
    pub(super) fn override_in(&self, root: &mut Node) -> BTreeSet<String> {
        let (mut next_id, mut overridden) = (0, BTreeSet::new());
        root.walk(&mut |node| next_id = next_id.max(node.id));
        for Override { option, section, key, value } in &self.overrides {
            let section = child(root, section, Value::Map(Vec::new()), &mut next_id);
            let url = section.and_then(|section| child(section, key, Value::Scalar(String::new()), &mut next_id));
            if let Some(url) = url {
                if let Value::Scalar(text) = &url.value {
                    overridden.extend(replace(text, |_| Some(String::new())).names);
                }
                url.value = Value::Scalar(value.clone());
                url.origin = Origin::Override(option);
            }
        }
        overridden
    }

    /// Replaces the variables in all texts of the tree (not in keys); returns the names of those used.
    pub(super) fn replace_in(&self, root: &mut Node, problems: &mut Vec<Diagnostic>) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        root.walk(&mut |node| {
            let replaced = match (&node.value, &node.origin) {
                (Value::Scalar(text), Origin::Text) if text.contains("${") => replace(text, |name| self.get(name)),
                _ => return,
            };
            problems.extend(replaced.errors.into_iter().map(|error| error.diagnostic(node)));
            node.value = Value::Scalar(replaced.text);
            if !replaced.names.is_empty() {
                used.extend(replaced.names.iter().cloned());
                node.origin = Origin::Variables(replaced.names);
            }
        });
        used
    }

    /// Refuses what was given a value on the command line and is nowhere: mistyped, the policy's default would be taken
    /// for it.
    pub(super) fn refuse_unknown(&self, known: &BTreeSet<String>, problems: &mut Vec<Diagnostic>) {
        problems.extend(self.set.keys().filter(|name| !known.contains(*name)).map(|name| {
            let message = format!("`--set {name}`: no text of the policy has `${{{name}}}`");
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let problem = Diagnostic::error(Code::UnusedVariable, DocPath::root(), message);
            if known.is_empty() {
                problem.hint("it has no variables")
            } else {
                problem.hint(suggest::hint(name, "it has", &known))
            }
        }));
    }
}

/// The entry of a map, added if it is not there; `None` if the node is no map.
fn child<'n>(node: &'n mut Node, key: &str, default: Value, next_id: &mut usize) -> Option<&'n mut Node> {
    let (path, at, end_line) = (node.path.key(key), node.at, node.end_line);
    let Value::Map(entries) = &mut node.value else { return None };
    let index = entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
        *next_id += 1;
        let node = Node { id: *next_id, path, at, end_line, value: default, origin: Origin::Text };
        entries.push(Entry { key: key.to_owned(), node });
        entries.len() - 1
    });
    Some(&mut entries[index].node)
}

struct Replaced {
    text: String,
    names: Vec<String>,
    errors: Vec<VariableError>,
}

#[derive(Debug, PartialEq, Eq)]
enum VariableError {
    Unset(String),
    Unclosed,
    BadName,
}

impl VariableError {
    fn diagnostic(self, node: &Node) -> Diagnostic {
        let path = node.path.clone();
        let problem = match self {
            VariableError::Unset(name) => {
                let message = format!("the variable `{name}` is not set");
                let hint = format!("set it, pass --set {name}=VALUE, or give a default: `${{{name}:-default}}`");
                Diagnostic::error(Code::UnsetVariable, path, message).hint(hint)
            }
            VariableError::Unclosed => Diagnostic::error(Code::VariableSyntax, path, "`${` is not closed by `}`")
                .hint("write `${VAR}` or `${VAR:-default}`; `$${` is a literal `${`"),
            VariableError::BadName => {
                let message = "the name after `${` is not made of letters, digits and `_`";
                Diagnostic::error(Code::VariableSyntax, path, message)
                    .hint("write `${VAR}` or `${VAR:-default}`; `$${` is a literal `${`")
            }
        };
        problem.at(node.at)
    }
}

fn replace(text: &str, get: impl Fn(&str) -> Option<String>) -> Replaced {
    let mut replaced = Replaced { text: String::with_capacity(text.len()), names: Vec::new(), errors: Vec::new() };
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let before = &rest[..at];
        let after = &rest[at + 2..];
        if let Some(before) = before.strip_suffix('$') {
            replaced.text.push_str(before);
            replaced.text.push_str("${");
            rest = after;
            continue;
        }
        replaced.text.push_str(before);
        let Some(end) = after.find('}') else {
            replaced.errors.push(VariableError::Unclosed);
            return replaced;
        };
        let (name, default) = match after[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&after[..end], None),
        };
        rest = &after[end + 1..];
        if !is_name(name) {
            replaced.errors.push(VariableError::BadName);
            continue;
        }
        // as in a shell, `:-` also stands in for an empty variable
        let value = get(name).filter(|value| default.is_none() || !value.is_empty());
        match value.or_else(|| default.map(str::to_owned)) {
            Some(value) => replaced.text.push_str(&value),
            None => replaced.errors.push(VariableError::Unset(name.to_owned())),
        }
        replaced.names.push(name.to_owned());
    }
    replaced.text.push_str(rest);
    replaced
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    first && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> Replaced {
        replace(text, |name| match name {
            "A" => Some("alpha".to_owned()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${A}".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn variables_are_replaced_once() {
        let cases = [
            ("${A}", "alpha"),
            ("x${A}y${A}z", "xalphayalphaz"),
            ("${B:-beta}", "beta"),
            ("${B:-}", ""),
            ("${EMPTY}", ""),
            ("${EMPTY:-full}", "full"),
            ("${B:-a:-b}", "a:-b"),
            ("${NESTED}", "${A}"),
            ("$${A}", "${A}"),
            ("$$${A}", "$${A}"),
            ("$A and {A} and $", "$A and {A} and $"),
        ];
        for (text, expected) in cases {
            let replaced = replaced(text);
            assert_eq!((replaced.text.as_str(), replaced.errors.as_slice()), (expected, [].as_slice()), "{text}");
        }
    }

    #[test]
    fn faults_are_all_found() {
        assert_eq!(replaced("${X}${Y}").errors, [VariableError::Unset("X".into()), VariableError::Unset("Y".into())]);
        assert_eq!(replaced("${A").errors, [VariableError::Unclosed]);
        assert_eq!(replaced("${1A}${}").errors, [VariableError::BadName, VariableError::BadName]);
    }
}
