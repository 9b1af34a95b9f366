//! A rule's `from`.

use super::super::code::Code;
use super::super::diagnostic::Diagnostic;
use super::super::place::DocPath;
use super::super::rule::Rule;
use super::super::select::Segment;
use crate::transforms::spec::TransformSpec;

pub(super) fn check(rule: &Rule, path: &DocPath, problems: &mut Vec<Diagnostic>) {
    let Some(from) = &rule.options.from else { return };
    let mut useless = |key: &str, beside: &str, hint: String| {
        let message = format!("`{key}` has no effect beside `{beside}`");
        problems.push(Diagnostic::error(Code::UselessOption, path.key(key), message).hint(hint));
    };
    match &rule.transform {
        TransformSpec::Derive(_) => {
            return useless("from", "derive", "remove `from`; the expression names its columns".to_owned());
        }
        TransformSpec::Drop(_) => return useless("from", "drop", format!("write `{from}: drop`")),
        _ => {}
    }
    if rule.options.rename.is_some() {
        useless("rename", "from", "the rule's key is the new column's name".to_owned());
    }
    if let Some(given) = rule.options.column_type {
        let hint = format!("a column is read once, for all of its outputs: write `types: {{ {from}: {given} }}`");
        useless("type", "from", hint);
    }
    if from.segments().iter().any(|segment| !matches!(segment, Segment::Field(_))) {
        let message = format!("`{from}` lies in a list or a map, of which a row may have many or none");
        let hint = "name a whole column, or a field of a struct, as in `user.email`";
        problems.push(Diagnostic::error(Code::From, path.key("from"), message).hint(hint));
    }
}
