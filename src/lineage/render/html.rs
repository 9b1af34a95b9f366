//! The report as one page to mail or to archive: no script, nothing loaded from elsewhere.

use std::fmt::Write;

use super::clean::clean;
use super::words;
use crate::lineage::model::{Object, ObjectStatus, Report};

/// Objects that the page lists, the failed ones first; the JSON report holds all.
const OBJECTS_SHOWN: usize = 1_000;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#222}\
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ddd;overflow-wrap:anywhere}\
td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.kept td{background:#fff6e0}\
.failed td{background:#fde8e8}";

/// A complete HTML document.
pub fn render(report: &Report) -> String {
    let title = format!("lakeveil report: {}", escape(&report.dataset));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p>{}</p>\n",
        words::status(report)
    );

    out.push_str("<table>\n");
    for (label, text) in words::summary(report) {
        let _ = writeln!(out, "<tr><th>{label}</th><td>{}</td></tr>", escape(&text));
    }
    out.push_str("</table>\n");
    columns(&mut out, report);

    let dropped = report.dropped.iter().map(|column| column.name.as_str());
    let kept = report.kept.iter().map(String::as_str);
    let _ = writeln!(out, "<p><b>Kept as they are:</b> {}</p>", escape(&words::list(kept)));
    let _ = writeln!(out, "<p><b>Dropped:</b> {}</p>", escape(&words::list(dropped)));

    if !report.warnings.is_empty() {
        out.push_str("<h2>Warnings</h2>\n<ul>\n");
        for warning in &report.warnings {
            let about = warning.column.as_ref().map_or(String::new(), |column| format!("<b>{}</b>: ", escape(column)));
            let _ = writeln!(out, "<li>{about}{} [{}]</li>", escape(&warning.message), escape(&warning.code));
        }
        out.push_str("</ul>\n");
    }
    objects(&mut out, &report.objects);
    out.push_str("</body>\n</html>\n");
    out
}

fn columns(out: &mut String, report: &Report) {
    let written = words::number(report.totals.objects_written);
    let _ =
        writeln!(out, "<h2>Columns</h2>\n<p>Figures over the {written} objects written by this run; ? is unknown.</p>");
    out.push_str(
        "<table>\n<tr><th>column</th><th>what was done</th><th>domain / key</th><th>type</th><th>route, bytes</th>",
    );
    for title in ["values", "nulls", "empties", "transformed", "failed", "distinct"] {
        let _ = write!(out, "<th class=\"n\">{title}</th>");
    }
    out.push_str("</tr>\n");
    for column in &report.columns {
        let class = if column.transform == "keep" { " class=\"kept\"" } else { "" };
        let _ = write!(out, "<tr{class}>");
        let said = [words::done(column), words::domain_and_key(column), words::types(column), words::routes(column)];
        for text in [&column.name].into_iter().chain(&said) {
            let _ = write!(out, "<td>{}</td>", escape(text));
        }
        let figures =
            [column.values, column.nulls, column.empties, column.transformed, column.failed].map(words::figure);
        for text in figures.iter().chain([&words::distinct(column)]) {
            let _ = write!(out, "<td class=\"n\">{}</td>", escape(text));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table>\n");
}

fn objects(out: &mut String, objects: &[Object]) {
    out.push_str("<h2>Objects</h2>\n<table>\n<tr><th>input</th><th>output</th><th>status</th>");
    out.push_str("<th class=\"n\">bytes</th><th class=\"n\">rows</th><th>sha256 of the output</th></tr>\n");
    let (failed, others): (Vec<_>, Vec<_>) = objects.iter().partition(|object| object.status == ObjectStatus::Failed);
    for object in failed.into_iter().chain(others).take(OBJECTS_SHOWN) {
        let failure = object.failure.as_ref().map(|f| format!(": {} [{}]", f.message, f.code)).unwrap_or_default();
        let (class, status) = match object.status {
            ObjectStatus::Written => ("", "written".to_owned()),
            ObjectStatus::Skipped => ("", "skipped".to_owned()),
            ObjectStatus::Failed => (" class=\"failed\"", format!("failed{failure}")),
        };
        let output = object.output.as_ref();
        let path = output.map_or("-", |facts| facts.path.as_str());
        let bytes = words::figure(output.map(|facts| facts.size));
        let rows = words::figure(output.and_then(|facts| facts.rows));
        let digest = output.and_then(|facts| facts.sha256.as_deref()).unwrap_or(words::UNKNOWN);
        let _ = writeln!(
            out,
            "<tr{class}><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{bytes}</td><td class=\"n\">{rows}</td><td>{}</td></tr>",
            escape(&object.input.path),
            escape(path),
            escape(&status),
            escape(digest),
        );
    }
    out.push_str("</table>\n");
    if let more @ 1.. = objects.len().saturating_sub(OBJECTS_SHOWN) {
        let _ = writeln!(out, "<p>and {} more: see the JSON report</p>", words::number(more as u64));
    }
}

/// Text as HTML text or attribute: markup characters by name, steering characters spelt out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::testing;

    #[test]
    fn page_is_as_committed() {
        testing::golden("report/sample.html", &render(&testing::report()));
    }

    #[test]
    fn page_loads_and_runs_nothing() {
        let page = render(&testing::report());
        for word in ["<script", "src=", "href=", "url(", "@import"] {
            assert!(!page.contains(word), "{word}");
        }
    }

    #[test]
    fn many_objects_are_counted_and_failed_ones_still_shown() {
        let mut report = testing::report();
        let skipped = report.objects[0].clone();
        report.objects.splice(0..0, std::iter::repeat_n(skipped, 1_500));
        let page = render(&report);
        assert!(page.contains("and 504 more"));
        assert!(page.contains("country=FR/phone.csv"));
    }

    #[test]
    fn hostile_names_add_no_tag() {
        let tags = |page: &str| page.matches('<').count();
        let hostile = render(&testing::hostile_report());
        assert!(hostile.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"), "{hostile}");
        assert!(!hostile.contains("<script"));
        assert!(hostile.chars().all(|c| c == '\n' || !c.is_control()));
        assert_eq!(tags(&hostile), tags(&render(&testing::tame_twin_of_hostile_report())));
    }
}
