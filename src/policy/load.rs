//! From a policy's text to a [`Document`], or to all of its problems.

mod keyring;
mod nulls;
mod rules;

use std::collections::BTreeSet;

use super::check;
use super::code::Code;
use super::diagnostic::{Diagnostic, Problems, Severity, Source};
use super::document::Policy;
use super::interpolate::Variables;
use super::place::{DocPath, Position, Spans};
use super::read::Reader;
use super::rule::Rule;
use super::yaml::{self, Node, Value};
use crate::transforms::spec::TransformSpec;

/// A policy that is sound in itself, with its way back to the text it was read from.
#[derive(Debug, Clone)]
pub struct Document {
    /// What the text says.
    pub policy: Policy,
    /// Where it says so.
    pub spans: Spans,
    /// The names of the variables that the text uses.
    pub variables: BTreeSet<String>,
    warnings: Vec<Diagnostic>,
    source: Source,
}

impl Document {
    /// Reads and checks a policy. `name` is what messages call it, such as its path.
    ///
    /// ```
    /// use lakeveil::policy::{Document, Variables};
    /// let text = "
    /// version: 1
    /// dataset: customers
    /// source: { url: in/ }
    /// sink: { url: out/ }
    /// columns: { id: kepp, name: drop }
    /// ";
    /// let problems = Document::parse(text, "policy.yaml", &Variables::none()).unwrap_err();
    /// assert!(problems.to_string().contains("policy.yaml:6:16"));
    /// assert!(problems.to_string().contains("did you mean `keep`?"));
    /// ```
    ///
    /// # Errors
    /// Every problem of the text at once, in its order, warnings included.
    pub fn parse(text: &str, name: &str, variables: &Variables) -> Result<Self, Problems> {
        let mut source = Source::new(name, text);
        let tree = yaml::parse(text);
        let spans = tree.spans;
        let mut problems = tree.problems;
        let mut used = BTreeSet::new();
        let policy = tree.root.and_then(|mut root| {
            if let Some(keyring) = root.entry("keyring") {
                let first = spans.locate(&keyring.path).map_or(keyring.at.line, |at| at.line);
                source.hide(first..=keyring.end_line);
            }
            let mut known = variables.override_in(&mut root);
            used = variables.replace_in(&mut root, &mut problems);
            known.extend(used.iter().cloned());
            variables.refuse_unknown(&known, &mut problems);
            nulls::keep_null_texts(&mut root);
            read(&root, &spans, &mut problems)
        });
        if policy.is_none() && problems.is_empty() {
            let hint = "`lakeveil policy template` prints one to begin with";
            problems.push(Diagnostic::error(Code::MissingKey, DocPath::root(), "the policy is empty").hint(hint));
        }
        for problem in &mut problems {
            problem.at = problem.at.or_else(|| locate(&spans, &problem.path));
        }
        let has_errors = problems.iter().any(|problem| problem.severity == Severity::Error);
        match policy {
            Some(policy) if !has_errors => Ok(Self { policy, spans, variables: used, warnings: problems, source }),
            _ => Err(Problems::new(problems, source)),
        }
    }

    /// What the policy is called in messages.
    pub fn source_name(&self) -> &str {
        &self.source.name
    }

    /// What its author should know, though the policy can be used.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Problems found later, such as when the policy meets a schema, shown like those of the text itself: a problem
    /// without a position gets that of its path.
    pub fn problems(&self, mut list: Vec<Diagnostic>) -> Problems {
        for problem in &mut list {
            problem.at = problem.at.or_else(|| locate(&self.spans, &problem.path));
        }
        Problems::new(list, self.source.clone())
    }
}

/// One transform with its options, from JSON (which is YAML): read and checked as in a rule. SQL functions come so.
///
/// # Errors
/// The first problem, for the person who wrote the options.
pub fn transform_from_json(text: &str) -> Result<TransformSpec, String> {
    let tree = yaml::parse(text);
    let root = tree.root.ok_or("no transform")?;
    let mut reader = Reader::new(&tree.spans, tree.problems);
    rules::check(&root, &mut reader);
    let rule: Option<Rule> = reader.read(&root);
    let faults = rule.as_ref().map(|rule| check::check_transform(&rule.transform)).unwrap_or_default();
    let mut problems = reader.problems(faults);
    problems.retain(|problem| problem.severity == Severity::Error);
    match (rule, problems.into_iter().next()) {
        (Some(rule), None) => Ok(rule.transform),
        (_, problem) => Err(problem.map_or_else(|| "no transform".to_owned(), |problem| problem.message)),
    }
}

fn read(root: &Node, spans: &Spans, problems: &mut Vec<Diagnostic>) -> Option<Policy> {
    let mut reader = Reader::new(spans, std::mem::take(problems));
    nulls::refuse(root, &mut reader);
    keyring::refuse_secrets(root, &mut reader);
    if let Some(Value::Map(rules)) = root.entry("columns").map(|columns| &columns.value) {
        for rule in rules {
            rules::check(&rule.node, &mut reader);
            // each by itself first: a problem then costs one more reading of its rule, not of the whole policy
            reader.read::<Rule>(&rule.node);
        }
    }
    let policy: Option<Policy> = reader.read(root);
    *problems = reader.problems(policy.as_ref().map(check::check).unwrap_or_default());
    policy
}

/// Where a problem without a position stands: that of a rule or a type at its column, any other at the value.
fn locate(spans: &Spans, path: &DocPath) -> Option<Position> {
    match path.keys()[..] {
        [Some("columns" | "types"), Some(_)] => spans.locate(path),
        _ => spans.locate_value(path),
    }
}
