//! Sense beyond shape: what a policy's own text tells to be wrong, before any schema is seen.

mod columns;
mod conditions;
mod copies;
mod settings;
mod transforms;
mod types;

use super::diagnostic::Diagnostic;
use super::document::Policy;
use super::place::DocPath;
use crate::transforms::spec::TransformSpec;

/// Problems of a transform's own options.
pub(super) fn check_transform(transform: &TransformSpec) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    transforms::check_family(transform, &DocPath::root(), &mut problems);
    problems
}

/// All problems, without positions.
pub(super) fn check(policy: &Policy) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    settings::check(policy, &mut problems);
    for column in &policy.columns {
        let path = DocPath::root().key("columns").key(column.pattern.to_string());
        transforms::check(&column.rule, &path, &mut problems);
        conditions::check(&column.rule, &path, &mut problems);
        copies::check(&column.rule, &path, &mut problems);
    }
    columns::check(&policy.columns, &mut problems);
    types::check(policy, &mut problems);
    problems
}
