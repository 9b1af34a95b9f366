//! Outputs of examples against those of second implementations: `testdata/expected.py`.

use std::fs;

use serde_json::Value;

use super::Made;
use crate::support::{root, table};

#[test]
fn the_examples_write_what_second_implementations_write() {
    let golden = fs::read_to_string(root().join("testdata/golden/policies.json")).expect("is there");
    let golden: Value = serde_json::from_str(&golden).expect("is JSON");
    let rows = golden["rows"].as_u64().expect("a number") as usize;
    let mut compared = 0;
    for (policy, files) in golden["policies"].as_object().expect("policies") {
        let made = Made::by(policy);
        assert_eq!(made.report["keys"][0]["fingerprint"], golden["fingerprint"], "{policy}");
        for (file, columns) in files.as_object().expect("files") {
            let made = table(&made.out.path().join(file));
            for (name, values) in columns.as_object().expect("columns") {
                let expected: Vec<_> = values.as_array().expect("values").iter().map(|value| value.as_str()).collect();
                // null and the empty text are one here, as in the reading of CSV
                let got = made[name].iter().take(rows).map(|value| value.as_deref().filter(|text| !text.is_empty()));
                assert_eq!(got.collect::<Vec<_>>(), expected, "{file}: {name}");
                compared += expected.len();
            }
        }
    }
    assert!(compared > 1500, "{compared} values");
}
