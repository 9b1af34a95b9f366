//! The report for the terminal: plain lines, no colours, readable in a log a year later.

use super::clean::clean;
use super::table::{self, Heading};
use super::words;
use crate::lineage::model::{Column, Object, ObjectStatus, Report};

/// Failed objects that are shown one by one; the JSON report holds all.
const FAILURES_SHOWN: usize = 20;

const HEADINGS: [Heading; 9] = [
    Heading { title: "column", figures: false },
    Heading { title: "what was done", figures: false },
    Heading { title: "domain / key", figures: false },
    Heading { title: "type", figures: false },
    Heading { title: "route, bytes", figures: false },
    Heading { title: "values", figures: true },
    Heading { title: "nulls", figures: true },
    Heading { title: "failed", figures: true },
    Heading { title: "about distinct", figures: true },
];

/// The report in lines of about `width` characters.
pub fn render(report: &Report, width: usize) -> String {
    let mut out = Lines { text: String::new(), width };
    out.line(&format!("Dataset {}: {}", clean(&report.dataset), words::status(report)));
    for (label, text) in words::summary(report) {
        out.labelled(label, &text);
    }

    out.line("");
    let written = words::number(report.totals.objects_written);
    out.line(&format!("Columns (figures over the {written} objects written by this run; ? is unknown):"));
    let rows: Vec<_> = report.columns.iter().map(row).collect();
    out.text.push_str(&table::render(&HEADINGS, &rows, width));
    out.line("");
    let dropped = report.dropped.iter().map(|column| column.name.as_str());
    out.labelled("kept", &format!("as they are: {}", words::list(report.kept.iter().map(String::as_str))));
    out.labelled("dropped", &words::list(dropped));

    out.failures(&report.objects);
    if !report.warnings.is_empty() {
        out.line("");
        out.line("Warnings:");
        for warning in &report.warnings {
            let about = warning.column.as_ref().map_or(String::new(), |column| format!("{}: ", clean(column)));
            out.item(&format!("{about}{} [{}]", clean(&warning.message), clean(&warning.code)));
        }
    }
    out.text
}

fn row(column: &Column) -> Vec<String> {
    vec![
        clean(&column.name).into_owned(),
        words::done(column),
        words::domain_and_key(column),
        words::types(column),
        words::routes(column),
        words::figure(column.values),
        words::figure(column.nulls),
        words::figure(column.failed),
        words::distinct(column),
    ]
}

struct Lines {
    text: String,
    width: usize,
}

impl Lines {
    fn line(&mut self, text: &str) {
        self.hanging("", text, 0);
    }

    fn item(&mut self, text: &str) {
        self.hanging("- ", text, 2);
    }

    fn labelled(&mut self, label: &str, text: &str) {
        let label = format!("{label:<8} ");
        self.hanging(&label, text, label.len());
    }

    /// `first` and the text, its further lines set in by `indent`.
    fn hanging(&mut self, first: &str, text: &str, indent: usize) {
        let mut lead = first.to_owned();
        for line in table::wrap(text, self.width.saturating_sub(indent).max(20)) {
            self.text.push_str(format!("{lead}{line}").trim_end());
            self.text.push('\n');
            lead = " ".repeat(indent);
        }
    }

    fn failures(&mut self, objects: &[Object]) {
        let failed: Vec<_> = objects.iter().filter(|object| object.status == ObjectStatus::Failed).collect();
        if failed.is_empty() {
            return;
        }
        self.line("");
        self.line("Failed objects:");
        for object in failed.iter().take(FAILURES_SHOWN) {
            let why = object.failure.as_ref().map_or("no reason was recorded".into(), |failure| {
                format!("{} [{}]", clean(&failure.message), clean(&failure.code))
            });
            self.item(&format!("{}: {why}", clean(&object.input.path)));
        }
        if failed.len() > FAILURES_SHOWN {
            self.item(&format!("and {} more: see the JSON report", failed.len() - FAILURES_SHOWN));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::testing;

    #[test]
    fn page_is_as_committed() {
        testing::golden("report/sample.txt", &render(&testing::report(), 120));
    }

    #[test]
    fn narrow_terminal_loses_no_word() {
        let words = |text: &str| -> Vec<String> {
            let mut words: Vec<_> = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
            words.sort_unstable();
            words.into_iter().map(String::from).collect()
        };
        let report = testing::report();
        assert_eq!(words(&render(&report, 60)), words(&render(&report, 200)));
    }

    #[test]
    fn hostile_names_can_neither_steer_the_terminal_nor_forge_a_line() {
        let text = render(&testing::hostile_report(), 120);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
        assert!(text.contains(r"\u{1b}"), "the escape is shown, not swallowed");
        assert!(!text.lines().any(|line| line.starts_with("FORGED")), "{text}");
    }

    #[test]
    fn unknown_figures_are_question_marks_never_zero() {
        let text = render(&testing::collector().opening(), 200);
        let line = text.lines().find(|line| line.starts_with("email")).expect("a row for the column");
        let figures: Vec<_> = line.split_whitespace().rev().take(6).collect();
        assert_eq!(figures, ["?", "->", "?", "?", "?", "?"]);
    }

    #[test]
    fn many_failures_are_counted_not_listed() {
        let mut report = testing::report();
        let failed = report.objects.iter().find(|o| o.status == ObjectStatus::Failed).expect("one").clone();
        report.objects.extend(std::iter::repeat_n(failed, 29));
        assert!(render(&report, 100).contains("and 10 more"));
    }
}
