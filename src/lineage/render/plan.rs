//! A plan's columns as text, in the words of the report.

use super::clean::clean;
use super::table::{self, Heading};
use super::words;
use crate::lineage::collect::planned;
use crate::lineage::model::Column;
use crate::policy::describe::PlanDescription;

const COLUMNS: [Heading; 4] = [
    Heading { title: "column", figures: false },
    Heading { title: "what is done", figures: false },
    Heading { title: "domain / key", figures: false },
    Heading { title: "type", figures: false },
];

/// Columns, dropped columns, filter and warnings of a plan, each line with its newline.
pub fn render(plan: &PlanDescription, width: usize) -> String {
    let columns: Vec<_> = plan.columns.iter().cloned().map(planned).collect();
    let row = |column: &Column| {
        vec![clean(&column.name).into_owned(), words::done(column), words::domain_and_key(column), words::types(column)]
    };
    let rows: Vec<_> = columns.iter().map(row).collect();
    let mut out = table::render(&COLUMNS, &rows, width);
    let mut line = |text: &str| {
        for part in table::wrap(text, width) {
            out.push_str(&part);
            out.push('\n');
        }
    };
    line("");
    if let Some(condition) = &plan.filter {
        line(&format!("Rows are kept where: {}", clean(condition)));
    }
    line(&format!("Dropped: {}", words::list(plan.dropped.iter().map(|column| column.name.as_str()))));
    for warning in &plan.warnings {
        line(&format!("warning [{}]: {}", clean(&warning.code), clean(&warning.message)));
    }
    out
}
