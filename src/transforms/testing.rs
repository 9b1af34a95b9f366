//! What the tests of every family need: keys, columns, a transform applied.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::cell::{Cell, EmptyRule, Memo, OnError};
use super::family::{BuildError, Built, build};
use super::spec::{Scheme, TransformSpec};
use super::subkeys::{Keys, SubkeySource};
use super::tally::Tally;
use crate::arrays::canonical::Meaning;
use crate::crypto::vectors::unhex;
use crate::crypto::{Secret, subkey};

/// A root key as the known answers have them; it serves every scheme.
pub(crate) struct Root(pub(crate) Secret);

impl SubkeySource for Root {
    fn subkey(&self, purpose: &str, domain: &str, tenant: &str, len: usize) -> Result<Secret, String> {
        Ok(subkey(&self.0, purpose, domain, tenant, len))
    }

    fn root(&self, _: Scheme) -> Result<Secret, String> {
        Ok(self.0.clone())
    }
}

/// The key with this root, in hexadecimal.
pub(crate) fn keys(root_hex: &str) -> Keys {
    Keys::one(Arc::new(Root(Secret::new(unhex(root_hex)))))
}

/// A key for tests that ask for no known answers.
pub(crate) fn any_keys() -> Keys {
    keys("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
}

/// What a policy writes, as JSON, built under `keys`.
pub(crate) fn built(spec: serde_json::Value, keys: &Keys) -> Result<Built, BuildError> {
    let spec: TransformSpec = serde_json::from_value(spec).expect("a transform");
    build(&spec, Some(keys))
}

/// A whole column's treatment: plain meaning, no normalization, failures to null.
pub(crate) fn cell(spec: serde_json::Value) -> Cell {
    let transform = built(spec, &any_keys()).expect("builds").transform;
    Cell { meaning: Meaning::Plain, normalizer: None, empty: EmptyRule::Value, on_error: OnError::ToNull, transform }
}

/// `values` treated, with what was counted.
pub(crate) fn apply(cell: &Cell, values: &ArrayRef, companions: &[BinaryArray]) -> (ArrayRef, Tally) {
    let mut tally = Tally::with_sketches();
    let made = cell.apply(values, companions, &mut Memo::default(), &mut tally).expect("applies");
    assert_eq!(made.len(), values.len());
    assert_eq!(Ok(made.data_type().clone()), cell.output_type(values.data_type()));
    (made, tally)
}

/// A column of texts.
pub(crate) fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = Option<T>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

/// A companion column.
pub(crate) fn companion<T: AsRef<[u8]>>(values: impl IntoIterator<Item = Option<T>>) -> BinaryArray {
    values.into_iter().collect()
}

/// The texts of a column that can be read as such.
pub(crate) fn shown(array: &ArrayRef) -> Vec<Option<String>> {
    let texts = cast(array, &DataType::Utf8).expect("a text form");
    texts.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
}

/// The one text that a transform makes of one text; `None` where it could not be taken.
pub(crate) fn one(built: &Built, value: &str, companions: &[&str]) -> Option<String> {
    let companions: Vec<BinaryArray> = companions.iter().map(|value| companion([Some(value)])).collect();
    let array = texts([Some(value)]);
    let canonical = companion([Some(value)]);
    let values = super::Values { array: &array, canonical: &canonical, companions: &companions };
    let made = built.transform.apply(&values).expect("applies");
    assert_eq!(made.failures.len(), made.array.null_count());
    shown(&made.array).remove(0)
}
