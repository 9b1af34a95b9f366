//! A rule's `when` and `otherwise`.

use super::super::code::Code;
use super::super::diagnostic::Diagnostic;
use super::super::place::DocPath;
use super::super::rule::Rule;
use crate::transforms::spec::TransformSpec;

pub(super) fn check(rule: &Rule, path: &DocPath, problems: &mut Vec<Diagnostic>) {
    let (when, otherwise) = (rule.options.when.as_deref(), rule.options.otherwise);
    if when.is_some_and(|sql| sql.trim().is_empty()) {
        let problem = Diagnostic::error(Code::EmptySql, path.key("when"), "`when` is empty");
        problems.push(problem.hint("write a SQL condition over the source's columns, or leave it out"));
    }
    let transforms =
        !matches!(rule.transform, TransformSpec::Keep(_) | TransformSpec::Drop(_) | TransformSpec::Derive(_));
    if !transforms {
        for key in [when.map(|_| "when"), otherwise.map(|_| "otherwise")].into_iter().flatten() {
            let message = format!("`{key}` has no effect beside `{}`", rule.transform.name());
            let hint = match rule.transform {
                TransformSpec::Derive(_) => format!("remove `{key}`; the expression itself can do it, by `CASE`"),
                TransformSpec::Keep(_) => {
                    "turn it round: the transform for some rows, `otherwise: keep` for the rest".to_owned()
                }
                _ => format!("remove `{key}`; `where` leaves rows out"),
            };
            problems.push(Diagnostic::error(Code::UselessOption, path.key(key), message).hint(hint));
        }
        return;
    }
    // the place is that of what is missing, so that it is silent where that stands and can't be read
    let (key, message, hint) = match (when, otherwise) {
        (Some(_), None) => (
            "otherwise",
            "`when` without `otherwise`: nothing says what happens to the other rows",
            "say what happens to the other rows: `otherwise: keep`, `to_null` or `redact`",
        ),
        (None, Some(_)) => {
            ("when", "`otherwise` without `when`: there are no other rows", "add `when`, or remove `otherwise`")
        }
        _ => return,
    };
    problems.push(Diagnostic::error(Code::WhenOtherwise, path.key(key), message).hint(hint));
}
