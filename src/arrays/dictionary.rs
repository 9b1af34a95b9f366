//! Dictionaries: a thing is done once per distinct value, not once per row.

use std::sync::Arc;

use arrow::array::{AnyDictionaryArray, Array, ArrayRef};

/// Whether two arrays are the same buffers seen through the same window, so that what was made of one holds for
/// the other. Never true of equal values in different memory; the caller keeps one of the two alive.
pub fn same_memory(a: &ArrayRef, b: &ArrayRef) -> bool {
    if Arc::ptr_eq(a, b) {
        return true;
    }
    if a.len() != b.len() || a.data_type() != b.data_type() {
        return false;
    }
    let (a, b) = (a.to_data(), b.to_data());
    a.ptr_eq(&b)
}

/// Calls `visit(row, entry)` for every row of `array` that holds an entry.
///
/// Rows whose key is null hold none; an entry may itself be null.
pub fn for_each_entry(array: &dyn AnyDictionaryArray, mut visit: impl FnMut(usize, usize)) {
    // without entries every key is null, and what lies under a null key is not an index
    if array.values().is_empty() {
        return;
    }
    let entries = array.normalized_keys();
    match array.keys().nulls() {
        Some(nulls) => nulls.valid_indices().for_each(|row| visit(row, entries[row])),
        None => entries.into_iter().enumerate().for_each(|(row, entry)| visit(row, entry)),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, DictionaryArray, Int8Array, StringArray};
    use arrow::datatypes::Int8Type;

    use super::*;

    fn dictionary() -> DictionaryArray<Int8Type> {
        let keys = Int8Array::from(vec![Some(1), None, Some(0), Some(1)]);
        DictionaryArray::new(keys, Arc::new(StringArray::from(vec!["a", "b"])))
    }

    #[test]
    fn entries_are_visited_by_row_without_null_keys_also_when_sliced() {
        let mut seen = Vec::new();
        for_each_entry(&dictionary(), |row, entry| seen.push((row, entry)));
        assert_eq!(seen, [(0, 1), (2, 0), (3, 1)]);
        seen.clear();
        for_each_entry(&dictionary().slice(1, 2), |row, entry| seen.push((row, entry)));
        assert_eq!(seen, [(1, 0)]);
    }

    #[test]
    fn a_dictionary_without_entries_visits_nothing() {
        let empty = DictionaryArray::<Int8Type>::new(Int8Array::new_null(3), Arc::new(StringArray::new_null(0)));
        for_each_entry(&empty, |_, _| unreachable!("no row holds an entry"));
    }

    #[test]
    fn memory_is_the_same_through_clones_and_differs_for_slices_and_equal_copies() {
        let values: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "b"]));
        let copy: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "b"]));
        let clone: ArrayRef = Arc::new(values.as_string::<i32>().clone());
        assert!(same_memory(&values, &clone));
        assert!(!same_memory(&values, &copy));
        assert!(!same_memory(&values.slice(0, 2), &values.slice(2, 2)));
    }
}
