//! The report as it is stored.

use crate::lineage::model::Report;

/// Indented JSON, one final newline, keys in the order of the model.
pub fn render(report: &Report) -> String {
    let text = serde_json::to_string_pretty(report).expect("structs and maps with text keys always serialize");
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::testing;

    #[test]
    fn document_is_as_committed() {
        testing::golden("report/sample.json", &render(&testing::report()));
    }

    #[test]
    fn what_is_written_can_be_read() {
        let report = testing::hostile_report();
        assert_eq!(serde_json::from_str::<Report>(&render(&report)).expect("our own JSON"), report);
    }
}
