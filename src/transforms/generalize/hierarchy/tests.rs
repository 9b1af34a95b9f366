use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use serde_json::json;

use super::*;
use crate::crypto::vectors;
use crate::transforms::testing::{any_keys, apply, built, cell, one, shown, texts};

/// A case of `hierarchies`.
#[derive(Debug, Deserialize)]
struct Case {
    csv: String,
    delimiter: char,
    header: bool,
    level: u32,
    value: String,
    output: Option<String>,
}

fn file(content: impl AsRef<[u8]>) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content.as_ref()).unwrap();
    file
}

/// What is wrong with a file, behind its name.
fn problem(content: impl AsRef<[u8]>, level: u32) -> String {
    let file = file(content);
    let rule = json!({ "generalize": { "hierarchy": { "file": file.path(), "level": level } } });
    let error = built(rule, &any_keys()).unwrap_err().to_string();
    error.split_once("can't be used: ").unwrap().1.to_owned()
}

#[test]
fn parents_meet_the_known_answers() {
    for case in vectors::cases_of::<Case>("generalize-v1.json", "hierarchies") {
        let file = file(&case.csv);
        let hierarchy = json!({
            "file": file.path(), "level": case.level, "delimiter": case.delimiter, "header": case.header,
        });
        let built = built(json!({ "generalize": { "hierarchy": hierarchy } }), &any_keys()).unwrap();
        assert_eq!(one(&built, &case.value, &[]), case.output, "{case:?}");
    }
}

#[test]
fn values_of_every_type_are_found_by_their_canonical_text() {
    let file = file("42;40-49;*\n-7;below 0;*\n");
    let cell = cell(json!({ "generalize": { "hierarchy": { "file": file.path(), "level": 1 } } }));
    let integers: ArrayRef = Arc::new(Int64Array::from(vec![Some(42), Some(-7), Some(43), None]));
    let (made, tally) = apply(&cell, &integers, &[]);
    assert_eq!(shown(&made), [Some("40-49".to_owned()), Some("below 0".to_owned()), None, None]);
    assert_eq!(tally.failed, 1);
    let (made, _) = apply(&cell, &texts([Some("42"), Some("042")]), &[]);
    assert_eq!(shown(&made), [Some("40-49".to_owned()), None]);
}

#[test]
fn what_is_wrong_with_a_file_is_told_by_line_and_never_by_content() {
    for (content, level, expected) in [
        ("", 1, "it lists no values"),
        ("\n\r\n\n", 1, "it lists no values"),
        ("secret;parent\n", 2, "its lines have 2 fields, and level 2 would be field 3"),
        ("a;b\n\nsecret;b;c\n", 1, "line 3 has 3 fields, and the first has 2"),
        ("a;b\n\"se\ncret\";c\na;other\n", 1, "line 4 gives another parent to the value of line 1"),
        ("a;b\nsecret;secret\n", 1, "line 2 has the value itself on level 1, which would pass as it is"),
        ("a;b\nsec\"ret;b\n", 1, "line 2 has a quote within a field that does not begin with one"),
        ("a;b\n\"secret\"x;b\n", 1, "line 2 has text behind a quoted field"),
        ("a;b\nb;\"secret\n\n\n", 1, "line 2 opens a quote that is never closed"),
    ] {
        assert_eq!(problem(content, level), expected, "{content:?}");
    }
    assert_eq!(problem(b"a;b\nb;c\n\xff;d\n", 1), "line 3 is not UTF-8");
}

#[test]
fn the_same_parent_twice_is_no_contradiction() {
    let file = file("a;b;*\na;b;other\n");
    let built = built(json!({ "generalize": { "hierarchy": { "file": file.path(), "level": 1 } } }), &any_keys());
    assert_eq!(one(&built.unwrap(), "a", &[]).as_deref(), Some("b"));
}

#[test]
fn a_file_that_is_not_there_is_named_with_the_reason() {
    let rule = json!({ "generalize": { "hierarchy": { "file": "no/such.csv", "level": 1 } } });
    let error = built(rule, &any_keys()).unwrap_err();
    assert_eq!(error, BuildError::File("the hierarchy `no/such.csv` can't be used: entity not found".to_owned()));
}

#[test]
fn the_digest_of_the_file_is_pinned() {
    let file = file("abc");
    let spec: HierarchySpec =
        serde_json::from_value(json!({ "file": file.path().to_str().unwrap(), "level": 1 })).unwrap();
    let pins = spec.pins().unwrap();
    // FIPS 180-4, the example of one block
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(pins, BTreeMap::from([("hierarchy_sha256".to_owned(), digest.to_owned())]));
    // what is built is of the bytes that were told, though the file is another by now
    std::fs::write(file.path(), "value;other parent\n").unwrap();
    assert_eq!(spec.pins().unwrap(), pins);
}
