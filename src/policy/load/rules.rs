//! Rules as the text has them: exactly one transform in each, and no key that is neither transform nor option.

use super::super::code::Code;
use super::super::diagnostic::Diagnostic;
use super::super::read::Reader;
use super::super::rule::RuleOptions;
use super::super::suggest;
use super::super::yaml::{Entry, Node, Origin, Value};
use crate::transforms::spec::TransformSpec;

/// Notes what is wrong with the keys of a rule; values are read by [`Rule`](super::super::rule::Rule)'s own reader.
pub(super) fn check(rule: &Node, reader: &mut Reader<'_>) {
    match &rule.value {
        Value::Scalar(word) => check_word(rule, word, reader),
        Value::Map(entries) => check_keys(rule, entries, reader),
        Value::Null(_) | Value::List(_) => {}
    }
}

fn check_word(rule: &Node, word: &str, reader: &mut Reader<'_>) {
    let names = TransformSpec::names();
    if TransformSpec::BARE.contains(&word) {
        return;
    }
    if rule.origin == Origin::Text && names.contains(&word) {
        let message = format!("the transform `{word}` needs options");
        let hint =
            format!("write `{{ {word}: ... }}`; the transforms without are {}", suggest::listed(TransformSpec::BARE));
        reader.leave_out(rule, Diagnostic::error(Code::MissingKey, rule.path.clone(), message).hint(hint).at(rule.at));
    } else if rule.origin == Origin::Text {
        reader.leave_out(rule, unknown_transform(rule, word));
    }
}

fn check_keys(rule: &Node, entries: &[Entry], reader: &mut Reader<'_>) {
    let names = TransformSpec::names();
    let transforms: Vec<&Entry> = entries.iter().filter(|entry| names.contains(&entry.key.as_str())).collect();
    for further in transforms.iter().skip(1) {
        let message = format!("the rule has the transforms `{}` and `{}`", transforms[0].key, further.key);
        let problem = Diagnostic::error(Code::SeveralTransforms, further.node.path.clone(), message)
            .hint("a column has one transform; remove all others")
            .at(reader.spans().locate(&further.node.path));
        reader.leave_out(&further.node, problem);
    }
    let mut may_be_transform = false;
    for entry in entries {
        let key = entry.key.as_str();
        if names.contains(&key) || RuleOptions::KEYS.contains(&key) {
            continue;
        }
        let problem = if !transforms.is_empty() || suggest::closest(key, RuleOptions::KEYS.iter().copied()).is_some() {
            let hint = suggest::hint(key, "beside its transform a rule takes", RuleOptions::KEYS);
            Diagnostic::error(Code::UnknownKey, entry.node.path.clone(), format!("unknown key `{key}`")).hint(hint)
        } else {
            may_be_transform = true;
            unknown_transform(&entry.node, key)
        };
        reader.leave_out(&entry.node, problem.at(reader.spans().locate(&entry.node.path)));
    }
    if transforms.is_empty() {
        let problem = Diagnostic::error(Code::NoTransform, rule.path.clone(), "the rule has no transform")
            .hint(format!("add one of {}", suggest::listed(names)))
            .at(reader.spans().locate(&rule.path));
        // an unknown transform is problem enough
        if may_be_transform { reader.leave_out_silently(rule) } else { reader.leave_out(rule, problem) }
    }
}

fn unknown_transform(node: &Node, word: &str) -> Diagnostic {
    let hint = suggest::hint(word, "the transforms are", TransformSpec::names());
    Diagnostic::error(Code::UnknownTransform, node.path.clone(), format!("unknown transform `{word}`"))
        .hint(hint)
        .at(node.at)
}
