mod dates;
mod laws;
mod numbers;
mod options;
mod prefixes;

use std::sync::Arc;

use arrow::array::*;
use serde_json::{Value, json};

use crate::transforms::cell::Cell;
use crate::transforms::testing::{apply, cell, shown};

/// What a rule of this family makes of a column, as text; null where a value could not be taken.
fn generalized(options: Value, array: &ArrayRef) -> Vec<Option<String>> {
    let (made, _) = apply(&treatment(options), array, &[]);
    shown(&made)
}

/// The cell of a rule of this family.
fn treatment(options: Value) -> Cell {
    cell(json!({ "generalize": options }))
}

/// What it makes of one value.
fn of_one(options: Value, array: impl Array + 'static) -> Option<String> {
    let array: ArrayRef = Arc::new(array);
    generalized(options, &array).remove(0)
}
