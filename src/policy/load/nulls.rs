//! YAML nulls: an error that names the word meant.

use super::super::code::Code;
use super::super::diagnostic::Diagnostic;
use super::super::read::Reader;
use super::super::yaml::{Node, Value};
use crate::transforms::spec::TransformSpec;

/// Makes the bare words of `csv: { null: ["", NULL] }` the texts they are: there, a null can only be meant as written.
pub(super) fn keep_null_texts(root: &mut Node) {
    root.walk(&mut |node| {
        if !matches!(node.path.keys()[..], [Some("source"), Some("csv"), Some("null"), None]) {
            return;
        }
        match &mut node.value {
            Value::Null(word) if !word.is_empty() => node.value = Value::Scalar(std::mem::take(word)),
            _ => {}
        }
    });
}

/// Leaves all nulls out, each with its problem noted.
pub(super) fn refuse(node: &Node, reader: &mut Reader<'_>) {
    match &node.value {
        Value::Scalar(_) => {}
        Value::List(items) => items.iter().for_each(|item| refuse(item, reader)),
        Value::Map(entries) => entries.iter().for_each(|entry| refuse(&entry.node, reader)),
        Value::Null(word) => {
            let found = if word.is_empty() {
                "nothing, which YAML reads as a null".to_owned()
            } else {
                format!("the YAML null `{word}`")
            };
            let message = format!("`{}` is {found}", node.path);
            reader.leave_out(
                node,
                Diagnostic::error(Code::Null, node.path.clone(), message).hint(hint(node)).at(node.at),
            );
        }
    }
}

fn hint(node: &Node) -> String {
    match node.path.keys()[..] {
        [Some("columns"), Some(_)] => {
            "write `nullify` to make its values null, or `drop` to leave the column out".to_owned()
        }
        [Some("columns"), Some(_), Some("empty" | "on_error" | "otherwise")] => "write `to_null`".to_owned(),
        [Some("columns"), Some(_), Some(word)] if TransformSpec::BARE.contains(&word) => {
            format!("write `{word}: {{}}`, or the bare word `{word}` as the whole rule")
        }
        [.., None] => "quote it if the text is meant".to_owned(),
        _ => "write a value, or leave the key out for its default; quote the text if the text is meant".to_owned(),
    }
}
