use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::apply;

/// `testdata/vectors/normalize-v1.json`, made by `normalize_vectors.py` beside it.
#[derive(Deserialize)]
pub(super) struct Vectors {
    pub(super) digests_over_all_scalar_values: BTreeMap<String, String>,
    pub(super) digests_over_case_ranges: BTreeMap<String, String>,
    pub(super) case_ranges: Vec<(u32, u32)>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    steps: Vec<String>,
    input: String,
    output: Option<String>,
}

pub(super) static VECTORS: LazyLock<Vectors> = LazyLock::new(|| {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/vectors/normalize-v1.json"));
    serde_json::from_str(text).expect("the committed vectors are as described")
});

#[test]
fn known_answers_of_independent_implementations() {
    assert!(VECTORS.cases.len() > 700);
    let wrong: Vec<_> = VECTORS
        .cases
        .iter()
        .filter_map(|Case { steps, input, output }| {
            let steps: Vec<_> = steps.iter().map(String::as_str).collect();
            let ours = apply(&steps, input).ok();
            (ours != *output).then(|| format!("{steps:?} {input:?}: {ours:?}, not {output:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
