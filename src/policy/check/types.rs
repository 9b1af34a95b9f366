//! `types` by itself, and beside the rules.

use super::super::code::Code;
use super::super::diagnostic::Diagnostic;
use super::super::document::Policy;
use super::super::place::DocPath;
use super::columns::reach;

pub(super) fn check(policy: &Policy, problems: &mut Vec<Diagnostic>) {
    let map = DocPath::root().key("types");
    reach(policy.types.iter().map(|entry| &entry.pattern), ("entry", &map), problems);
    for column in policy.columns.iter().filter(|column| !column.is_new()) {
        // what a pattern matches shows when the policy meets a schema
        let Some(path) = column.pattern.literal() else { continue };
        let (Some(own), Some(entry)) = (column.rule.options.column_type, policy.types.position(&path)) else {
            continue;
        };
        let Some(entry) = policy.types.iter().nth(entry).filter(|entry| entry.column_type != own) else { continue };
        let place = DocPath::root().key("columns").key(column.pattern.to_string()).key("type");
        let message = format!(
            "`{path}` is read as {own} by its rule, and as {} by the entry `{}` of `types`",
            entry.column_type, entry.pattern
        );
        problems.push(Diagnostic::error(Code::TypeConflict, place, message).hint("remove either"));
    }
}
