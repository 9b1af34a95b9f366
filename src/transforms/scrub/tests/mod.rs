mod laws;
mod linear;
mod options;
mod sentences;
mod vectors;

use arrow::array::{Array, ArrayRef, StringArray};
use serde_json::json;

use super::scan::Find;
use super::{Kind, Pattern, Search};
use crate::transforms::testing::{any_keys, built, companion, texts};
use crate::transforms::{Transformed, Values};

/// A search for these alone.
fn search(kinds: &[Kind]) -> Search {
    Search::new(kinds, Vec::new(), Vec::new())
}

fn everything() -> Search {
    search(Kind::ALL)
}

/// The name and the text of each find.
fn found<'a>(search: &Search, text: &'a str) -> Vec<(String, &'a str)> {
    search.find(text).into_iter().map(|(name, range)| (name.to_owned(), &text[range])).collect()
}

fn pattern(name: &str, regex: &str) -> Pattern {
    Pattern::new(name, regex).unwrap()
}

/// What the transform with these options makes of a column of texts, with its companions' values.
fn scrub(options: serde_json::Value, values: &[Option<&str>], companions: &[&[Option<&str>]]) -> Transformed {
    let built = built(json!({ "scrub": options }), &any_keys()).unwrap();
    assert_eq!(built.companions.len(), companions.len());
    let companions: Vec<_> = companions.iter().map(|values| companion(values.iter().copied())).collect();
    let (array, canonical) = (texts(values.iter().copied()), companion(values.iter().copied()));
    let made =
        built.transform.apply(&Values { array: &array, canonical: &canonical, companions: &companions }).unwrap();
    assert_eq!(made.array.len(), values.len());
    made
}

fn strings(array: &ArrayRef) -> &StringArray {
    array.as_any().downcast_ref().unwrap()
}
