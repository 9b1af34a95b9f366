//! How facts are said, in text and HTML alike.

use std::fmt::Write;

use super::clean::clean;
use crate::lineage::model::{Column, Report, Status};
use crate::transforms::DATA_VERSIONS;
use crate::transforms::normalize::UNICODE_VERSIONS;

/// What an unknown figure looks like.
pub(super) const UNKNOWN: &str = "?";

/// `1234567` as `1,234,567`.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `12345` milliseconds as `12.345 s`.
fn seconds(millis: u64) -> String {
    format!("{}.{:03} s", number(millis / 1_000), millis % 1_000)
}

/// A figure, or that it is unknown.
pub(super) fn figure(n: Option<u64>) -> String {
    n.map_or_else(|| UNKNOWN.into(), number)
}

/// How the run ended, in a word and what it means.
pub(super) fn status(report: &Report) -> String {
    let meaning = match report.status {
        Status::Complete => "every object of the dataset stands in the sink",
        Status::Partial => {
            "some objects are as they should be; others failed or were not reached, and their older outputs stay"
        }
        Status::Failed => "nothing was written; older outputs, if any, stay as they were",
        Status::NothingToDo => "every object stood in the sink already",
    };
    format!("{} ({meaning})", report.status.as_str().replace('-', " "))
}

/// Names, cleaned, with commas; `none` for no names.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().map(clean).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// `pseudonym from mail (bits=128, encoding=hex); deterministic, one-way; steered by tenant_id`.
pub(super) fn done(column: &Column) -> String {
    let mut out = match column.transform.as_str() {
        "keep" => "KEPT as it is".to_owned(),
        other => clean(other).into_owned(),
    };
    let own = [column.name.as_str()];
    if !column.inputs.is_empty() && column.inputs != own {
        let from = match (column.transform.as_str(), column.parameters.contains_key("from")) {
            ("keep", true) => ", a copy of",
            ("keep", false) => ", renamed from",
            _ => " from",
        };
        let _ = write!(out, "{from} {}", list(column.inputs.iter().map(String::as_str)));
    }
    let told = column.parameters.iter().filter(|(name, value)| !is_usual(name, value));
    let parameters: Vec<_> = told.map(|(name, value)| parameter(name, value)).collect();
    if !parameters.is_empty() {
        let _ = write!(out, " ({})", parameters.join(", "));
    }
    if column.transform != "keep" {
        let _ = write!(out, "; {}", properties(column));
    }
    if !column.indirect_inputs.is_empty() {
        let _ = write!(out, "; steered by {}", list(column.indirect_inputs.iter().map(String::as_str)));
    }
    if column.partition {
        out.push_str("; in the path");
    }
    if !column.found.is_empty() {
        let found = column.found.iter().filter(|(_, times)| **times > 0);
        let found: Vec<_> = found.map(|(kind, times)| format!("{} {}", number(*times), clean(kind))).collect();
        let _ = write!(out, "; found {}", if found.is_empty() { "nothing".to_owned() } else { found.join(", ") });
    }
    out
}

/// `customer_id 1 in 2^109; email certain`: the birthday bound of each column of tokens.
fn collisions(report: &Report) -> Option<String> {
    let told = report.columns.iter().filter_map(|column| {
        let odds = match column.collision_log2? {
            0 => "certain".to_owned(),
            odds => format!("1 in 2^{}", -odds),
        };
        Some(format!("{} {odds}", clean(&column.name)))
    });
    let told: Vec<_> = told.collect();
    let meaning = "odds that any two of the values read share a token, at most";
    (!told.is_empty()).then(|| format!("{meaning}: {}", told.join("; ")))
}

/// Options that stand as they mostly do, and would hide the telling ones; the JSON report has them all.
fn is_usual(name: &str, value: &serde_json::Value) -> bool {
    match name {
        // told already, as the column's input
        "from" => true,
        "scheme" => value == "lakeveil",
        "on_error" => value == "fail",
        "empty" => value == "value",
        "with" => value == "*",
        "accept_collisions" | "keep_separators" => value == false,
        "keep_first" | "keep_last" => value == 0,
        // versions of the data behind a transform
        _ => UNICODE_VERSIONS.iter().chain(DATA_VERSIONS).any(|(known, _)| *known == name),
    }
}

fn properties(column: &Column) -> String {
    let repeats = if column.deterministic { "deterministic" } else { "not deterministic" };
    let back = match (column.masking, column.reversible) {
        (_, true) => "reversible with the key",
        (true, false) => "one-way",
        (false, false) => "SHOWS source values",
    };
    format!("{repeats}, {back}")
}

fn parameter(name: &str, value: &serde_json::Value) -> String {
    let value = match value {
        serde_json::Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    clean(&format!("{name}={value}")).into_owned()
}

/// `users / 2026-11`, or `-` for a transform without a key.
pub(super) fn domain_and_key(column: &Column) -> String {
    match (&column.domain, &column.key) {
        (None, None) => "-".into(),
        (Some(domain), None) => clean(domain).into_owned(),
        (None, Some(key)) => clean(key).into_owned(),
        (Some(domain), Some(key)) => format!("{} / {}", clean(domain), clean(key)),
    }
}

/// `Int64 -> Utf8`, or `Utf8` where it stayed.
pub(super) fn types(column: &Column) -> String {
    let after = clean(&column.type_after);
    match &column.type_before {
        Some(before) if *before == column.type_after => after.into_owned(),
        Some(before) => format!("{} -> {after}", clean(before)),
        None => format!("new {after}"),
    }
}

/// `leaf 12,000; dictionary 400`: how its values came into the outputs, with bytes where they are known.
pub(super) fn routes(column: &Column) -> String {
    let told = column.routes.iter().map(|used| match used.bytes {
        Some(bytes) => format!("{} {}", clean(&used.route), number(bytes)),
        None => clean(&used.route).into_owned(),
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() { "-".into() } else { told.join("; ") }
}

/// `1,000 -> 990`: distinct values before and after.
pub(super) fn distinct(column: &Column) -> String {
    format!("{} -> {}", figure(column.distinct_in), figure(column.distinct_out))
}

/// Label and text of each line that stands above the columns.
pub(super) fn summary(report: &Report) -> Vec<(&'static str, String)> {
    let totals = &report.totals;
    let keys = report.keys.iter().map(|key| format!("{} (fingerprint {})", clean(&key.id), clean(&key.fingerprint)));
    let keys: Vec<_> = keys.collect();
    let unicode: Vec<_> = report.unicode.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let mut lines = vec![
        ("run", format!("{} by lakeveil {}", clean(&report.run_id), clean(&report.tool_version))),
        ("time", format!("{} to {} ({})", report.started, report.ended, seconds(report.elapsed_ms))),
        ("source", clean(&report.source.url).into_owned()),
        ("sink", clean(&report.sink.url).into_owned()),
        ("policy", format!("sha256 {}", clean(&report.policy_digest))),
        ("keys", if keys.is_empty() { "none".into() } else { keys.join(", ") }),
        (
            "objects",
            format!(
                "{} written, {} skipped as unchanged, {} failed, {} pruned; {} hidden names passed over",
                number(totals.objects_written),
                number(totals.objects_skipped),
                number(totals.objects_failed),
                number(totals.objects_pruned),
                number(totals.skipped_by_rule),
            ),
        ),
        ("rows", format!("{} read, {} written", figure(totals.rows_in), figure(totals.rows_out))),
        ("bytes", format!("{} read, {} written", figure(totals.bytes_in), figure(totals.bytes_out))),
    ];
    if let Some(filter) = &report.filter {
        let inputs = list(filter.inputs.iter().map(String::as_str));
        lines.push(("where", format!("{} (reads {inputs})", clean(&filter.condition))));
    }
    // the data behind normalization matter to who normalizes; the JSON report has them always
    let normalizes = report.columns.iter().any(|column| column.parameters.contains_key("normalize"));
    if normalizes && !unicode.is_empty() {
        lines.push(("unicode", clean(&unicode.join(", ")).into_owned()));
    }
    if let Some(collisions) = collisions(report) {
        lines.push(("tokens", collisions));
    }
    if let Some(failure) = &report.failure {
        lines.push(("stopped", format!("{}: {}", clean(&failure.code), clean(&failure.message))));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_telling_options_are_said() {
        let is = |name, value: serde_json::Value| is_usual(name, &value);
        assert!(is("on_error", "fail".into()) && is("keep_first", 0.into()) && is("scheme", "lakeveil".into()));
        assert!(!is("on_error", "to_null".into()) && !is("keep_first", 1.into()) && !is("bits", 128.into()));
    }

    #[test]
    fn numbers_are_grouped_by_three() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(figure(None), "?");
        assert_eq!(seconds(1_234_005), "1,234.005 s");
    }
}
