//! Rules beside each other: which can ever match, and what the output's columns are called.

use std::collections::{HashMap, HashSet};

use super::super::code::Code;
use super::super::diagnostic::Diagnostic;
use super::super::place::DocPath;
use super::super::rule::{ColumnRule, Columns};
use super::super::select::{ColumnPath, Pattern, Segment};
use crate::transforms::spec::TransformSpec;

pub(super) fn check(columns: &Columns, problems: &mut Vec<Diagnostic>) {
    let of_source = columns.iter().filter(|column| !column.is_new()).map(|column| &column.pattern);
    reach(of_source, ("rule", &DocPath::root().key("columns")), problems);
    let mut outputs: HashMap<ColumnPath, &ColumnRule> = HashMap::new();
    for column in columns {
        if let Some(output) = output_name(column, problems) {
            match outputs.get(&output) {
                Some(first) => problems.push(collision(&output, first, column)),
                None => {
                    outputs.insert(output, column);
                }
            }
        }
    }
}

/// Rules, or entries of `types`, that can never be the first to match; `what` one of them is called, and where `map` is.
/// A new column's rule matches none of the source.
pub(super) fn reach<'a>(
    patterns: impl Iterator<Item = &'a Pattern>,
    (what, map): (&str, &DocPath),
    problems: &mut Vec<Diagnostic>,
) {
    let mut earlier: Vec<&Pattern> = Vec::new();
    let mut seen: HashSet<&Pattern> = HashSet::new();
    for pattern in patterns {
        let path = map.key(pattern.to_string());
        if !seen.insert(pattern) {
            let message = format!("an earlier {what} has the same pattern, so that this one never matches");
            problems.push(Diagnostic::error(Code::DuplicateRule, path, message).hint("remove either"));
        } else if let Some(first) = earlier.iter().find(|earlier| earlier.includes(pattern)) {
            let message = format!("`{pattern}` never matches: the {what} of `{first}` comes first");
            let hint = format!("move it before `{first}`; the first {what} that matches a column wins");
            problems.push(Diagnostic::error(Code::ShadowedRule, path, message).hint(hint));
        }
        if pattern.literal().is_none() {
            earlier.push(pattern);
        }
    }
}

/// The column's path in the output; `None` for patterns, dropped columns and renames that are problems themselves.
fn output_name(column: &ColumnRule, problems: &mut Vec<Diagnostic>) -> Option<ColumnPath> {
    let literal = column.pattern.literal();
    if column.is_new() && !literal.as_ref().is_some_and(ColumnPath::is_top_level) {
        let what = if column.rule.options.from.is_some() { "made of another column" } else { "derived" };
        let message = format!("`{}` is {what}, and no name of one new column", column.pattern);
        let hint = "a new column stands at the top level; put an odd name in backticks";
        problems.push(Diagnostic::error(Code::DeriveName, rule_path(column), message).hint(hint));
        return None;
    }
    if matches!(column.rule.transform, TransformSpec::Drop(_)) {
        return None;
    }
    // beside `from` a new name has no effect
    let renamed = column.rule.options.rename.as_ref().filter(|_| column.rule.options.from.is_none());
    let Some(name) = renamed else { return literal };
    let bad = |message: String, hint: &str| {
        Diagnostic::error(Code::Rename, rule_path(column).key("rename"), message).hint(hint)
    };
    let Some(path) = literal else {
        let message = format!("`{}` may match many columns, which cannot all be called `{name}`", column.pattern);
        problems.push(bad(message, "write one rule for each column to rename"));
        return None;
    };
    if name.is_empty() {
        problems.push(bad("the new name is empty".to_owned(), "write a name, or leave `rename` out"));
        return None;
    }
    match path.segments() {
        [above @ .., Segment::Field(_)] => {
            let mut segments = above.to_vec();
            segments.push(Segment::Field(name.clone()));
            ColumnPath::new(segments)
        }
        _ => {
            let message =
                format!("`{path}` is an item of a list or a part of a map's entry, and has no name of its own");
            problems.push(bad(message, "rename the column that holds it"));
            None
        }
    }
}

fn collision(output: &ColumnPath, first: &ColumnRule, second: &ColumnRule) -> Diagnostic {
    let message = format!("the rules of `{}` and `{}` both give a column `{output}`", first.pattern, second.pattern);
    let path = rule_path(second);
    let renamed = second.rule.options.rename.is_some() && second.rule.options.from.is_none();
    Diagnostic::error(Code::NameCollision, if renamed { path.key("rename") } else { path }, message)
        .hint("give one of them another name")
}

fn rule_path(column: &ColumnRule) -> DocPath {
    DocPath::root().key("columns").key(column.pattern.to_string())
}
