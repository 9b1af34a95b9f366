//! Each rule by itself.

use super::super::code::Code;
use super::super::diagnostic::Diagnostic;
use super::super::place::DocPath;
use super::super::rule::{OnEmpty, OnError, Rule, RuleOptions};
use super::super::suggest;
use crate::transforms::family::{Fault, FaultKind};
use crate::transforms::normalize::Step;
use crate::transforms::spec::TransformSpec;

pub(super) fn check(rule: &Rule, path: &DocPath, problems: &mut Vec<Diagnostic>) {
    check_family(&rule.transform, path, problems);
    options(&rule.options, &rule.transform, path, problems);
}

pub(super) fn check_family(transform: &TransformSpec, path: &DocPath, problems: &mut Vec<Diagnostic>) {
    let at = path.key(transform.name());
    match (transform, transform.family()) {
        (TransformSpec::Derive(sql), _) if sql.0.trim().is_empty() => {
            problems.push(Diagnostic::error(Code::EmptySql, at, "`derive` is empty").hint("write a SQL expression"));
        }
        (_, Some(family)) => problems.extend(family.faults().into_iter().map(|fault| diagnostic(fault, &at))),
        _ => {}
    }
}

/// A family's fault with its stable code and its place in the policy.
fn diagnostic(fault: Fault, transform: &DocPath) -> Diagnostic {
    let path = fault.path.iter().fold(transform.clone(), |path, key| path.key(key));
    let code = match fault.kind {
        FaultKind::Domain => Code::Domain,
        FaultKind::Bits => Code::Bits,
        FaultKind::Collisions => Code::Collisions,
        FaultKind::Encoding => Code::Encoding,
        FaultKind::Prefix => Code::PrefixOnBinary,
        FaultKind::Value => Code::BadValue,
        FaultKind::Missing => Code::MissingKey,
        FaultKind::Pattern => Code::Pattern,
        FaultKind::Unkeyed => Code::UnkeyedHash,
    };
    let diagnostic = match fault.kind {
        FaultKind::Unkeyed => Diagnostic::warning(code, path, fault.message),
        _ => Diagnostic::error(code, path, fault.message),
    };
    match fault.hint {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

fn options(options: &RuleOptions, transform: &TransformSpec, path: &DocPath, problems: &mut Vec<Diagnostic>) {
    for (index, step) in options.normalize.iter().enumerate() {
        if let Err(error) = step.parse::<Step>() {
            let problem = Diagnostic::error(Code::NormalizeStep, path.key("normalize").index(index), error.to_string());
            let candidates = error.candidates();
            problems.push(match suggest::closest(step, candidates.iter().map(String::as_str)) {
                Some(candidate) => problem.hint(format!("did you mean `{candidate}`?")),
                None => problem,
            });
        }
    }
    let derives = matches!(transform, TransformSpec::Derive(_));
    let drops = matches!(transform, TransformSpec::Drop(_));
    let idle = !transform.takes_value_options();
    let useless = [
        ("normalize", idle && !options.normalize.is_empty()),
        ("empty", idle && options.empty != OnEmpty::default()),
        ("on_error", idle && options.on_error != OnError::default()),
        ("rename", (derives || drops) && options.rename.is_some()),
        ("optional", derives && options.optional),
        ("type", derives && options.column_type.is_some()),
    ];
    for (key, _) in useless.iter().filter(|(_, useless)| *useless) {
        let message = format!("`{key}` has no effect beside `{}`", transform.name());
        let hint = match (derives, *key) {
            (true, "rename") => "the rule's key is the new column's name".to_owned(),
            (true, _) => format!("remove `{key}`; the expression itself can do it"),
            _ => format!("remove `{key}`"),
        };
        problems.push(Diagnostic::error(Code::UselessOption, path.key(*key), message).hint(hint));
    }
}
