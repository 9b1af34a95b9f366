//! Everything but the columns.

use super::super::code::Code;
use super::super::diagnostic::Diagnostic;
use super::super::document::{Names, Policy};
use super::super::format::{CsvInput, CsvOutput, Format, ParquetOutput};
use super::super::place::DocPath;
use crate::transforms::spec::TransformSpec;

/// The version of the policy language that this program reads.
const VERSION: u32 = 1;
/// Longest key id, TOKENS.md section 1.
const KEY_ID_LEN: usize = 64;

pub(super) fn check(policy: &Policy, problems: &mut Vec<Diagnostic>) {
    let root = DocPath::root();
    if policy.version != VERSION {
        let message =
            format!("the policy is written in version {}, this program reads version {VERSION}", policy.version);
        let hint = format!("write `version: {VERSION}`, or use the program that the policy was written for");
        problems.push(Diagnostic::error(Code::Version, root.key("version"), message).hint(hint));
    }
    if !is_identifier(&policy.dataset) {
        let message = format!("the dataset name `{}` is not made of letters, digits, `.`, `_`, `-`", policy.dataset);
        let hint = "it stands in reports, lineage and key derivation; choose a name such as `customers`";
        problems.push(Diagnostic::error(Code::DatasetName, root.key("dataset"), message).hint(hint));
    }
    check_key(policy, problems);
    if policy.filter.as_ref().is_some_and(|sql| sql.trim().is_empty()) {
        let problem = Diagnostic::error(Code::EmptySql, root.key("where"), "`where` is empty");
        problems.push(problem.hint("write a condition, or leave the key out"));
    }
    check_urls(policy, problems);
    check_formats(policy, problems);
    check_keyring(policy, problems);
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn check_urls(policy: &Policy, problems: &mut Vec<Diagnostic>) {
    let source = DocPath::root().key("source").key("url");
    let sink = DocPath::root().key("sink");
    let urls = [
        (source, Some(&policy.source.url)),
        (sink.key("url"), Some(&policy.sink.url)),
        (sink.key("records"), policy.sink.records.as_ref()),
    ];
    for (path, url) in urls {
        if url.is_some_and(|url| url.trim().is_empty()) {
            let message = format!("`{path}` is empty");
            problems.push(Diagnostic::error(Code::BadValue, path, message).hint("write a path or a URL"));
        }
    }
}

fn check_formats(policy: &Policy, problems: &mut Vec<Diagnostic>) {
    let (source, sink) = (DocPath::root().key("source"), DocPath::root().key("sink"));
    let mut beside = |path: &DocPath, format: Option<Format>, options: Format, is_default: bool| {
        if format.is_some_and(|format| format != options) && !is_default {
            let name = |format| if format == Format::Csv { "csv" } else { "parquet" };
            let message = format!(
                "`{path}` has options for {} and the format {}",
                name(options),
                name(format.unwrap_or(options))
            );
            let problem = Diagnostic::error(Code::FormatOptions, path.key(name(options)), message);
            problems.push(problem.hint("remove the options, or change the format"));
        }
    };
    beside(&source, policy.source.format, Format::Csv, policy.source.csv == CsvInput::default());
    beside(&sink, policy.sink.format, Format::Csv, policy.sink.csv == CsvOutput::default());
    beside(&sink, policy.sink.format, Format::Parquet, policy.sink.parquet == ParquetOutput::default());

    let input = &policy.source.csv;
    let csv = source.key("csv");
    let (delimiter, quote, escape) = (input.delimiter.byte(), input.quote.byte(), input.escape.byte());
    if quote == Some(delimiter) {
        problems.push(same(csv.key("quote"), "delimiter", "quote"));
    }
    if escape == Some(delimiter) {
        problems.push(same(csv.key("escape"), "delimiter", "escape"));
    }
    if escape.is_some() && quote.is_none() {
        let message = "`escape` works within quotes, and `quote` is empty";
        problems.push(Diagnostic::error(Code::CsvDialect, csv.key("escape"), message).hint("remove `escape`"));
    }
    for (index, text) in input.null.iter().enumerate() {
        let splits = |b: u8| matches!(b, b'\r' | b'\n') || b == delimiter;
        if text.bytes().any(splits) || (quote.is_some() && text.bytes().next() == quote) {
            let message = "no unquoted field holds this text: it has a delimiter, a quote or a line end in it";
            problems.push(Diagnostic::error(Code::CsvDialect, csv.key("null").index(index), message));
        }
    }
    if policy.sink.csv.delimiter == policy.sink.csv.quote {
        problems.push(same(sink.key("csv").key("quote"), "delimiter", "quote"));
    }
}

fn same(path: DocPath, first: &str, second: &str) -> Diagnostic {
    let message = format!("`{first}` and `{second}` are one character");
    Diagnostic::error(Code::CsvDialect, path, message).hint("choose two different ones")
}

fn check_key(policy: &Policy, problems: &mut Vec<Diagnostic>) {
    let Some(choice) = &policy.key else { return };
    let at = DocPath::root().key("key");
    let is_id = |id: &&String| is_identifier(id) && id.len() <= KEY_ID_LEN;
    if let Some(id) = choice.ids().iter().find(|id| !is_id(id)) {
        let message = format!("`{id}` is no key id: 1 to {KEY_ID_LEN} letters, digits, `.`, `_`, `-`");
        problems.push(Diagnostic::error(Code::KeyId, at, message));
    } else if choice.ids().is_empty() {
        let problem = Diagnostic::error(Code::KeyId, at.key("chain"), "the chain names no key");
        problems.push(problem.hint("list key ids, oldest first; without `key` the active one is used"));
    }
}

fn check_keyring(policy: &Policy, problems: &mut Vec<Diagnostic>) {
    let path = DocPath::root().key("keyring");
    let Some(keyring) = &policy.keyring else {
        let is_keyed = |spec: &TransformSpec| spec.family().is_some_and(|family| family.facts().keyed);
        let keyed = policy.columns.iter().find(|column| is_keyed(&column.rule.transform));
        let needs = match keyed {
            Some(column) => Some(format!("the rule of `{}` needs a key", column.pattern)),
            None => (policy.sink.names == Names::Hash).then(|| "`names: hash` needs a key".to_owned()),
        };
        if let Some(needs) = needs {
            let hint =
                "add `keyring: { env: LAKEVEIL_KEYRING }`, or `file`, or `command`; `lakeveil key new` makes one";
            let message = format!("{needs}, and the policy has no `keyring`");
            problems.push(Diagnostic::error(Code::MissingKey, path, message).hint(hint));
        }
        return;
    };
    for problem in keyring.validate() {
        let hint = "write one of `file: PATH`, `env: NAME`, `command: [PROGRAM, ARGUMENT]`";
        problems.push(Diagnostic::error(Code::KeyringSource, path.clone(), problem.to_string()).hint(hint));
    }
}
