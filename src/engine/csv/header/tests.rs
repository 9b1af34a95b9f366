use serde_json::json;

use super::*;

fn read(bytes: &[u8]) -> Result<Option<Header>, HeaderError> {
    Header::read(bytes, true, &Dialect::default())
}

fn names(bytes: &[u8]) -> Vec<String> {
    read(bytes).expect("valid").expect("complete").names().to_vec()
}

fn headless() -> Dialect {
    Dialect::of(json!({ "header": false }))
}

#[test]
fn names_are_unquoted_and_otherwise_kept() {
    assert_eq!(names(b"id, name ,\"a \"\"b\"\"\nc\",NULL\n"), ["id", " name ", "a \"b\"\nc", "NULL"]);
}

#[test]
fn rows_begin_after_the_line_break() {
    for (object, start) in [("a,b\n1,2", 4), ("a,b\r\n1,2", 5), ("a,b\r1,2", 4), ("a,b", 3), ("\u{feff}a,b\n1", 7)] {
        assert_eq!(read(object.as_bytes()).expect("valid").expect("complete").data_start(), start, "{object:?}");
    }
}

#[test]
fn blank_lines_before_the_header_are_passed_over() {
    let header = read(b"\n\r\na,b\n1,2\n").expect("valid").expect("complete");
    assert_eq!((header.names(), header.data_start()), (&["a".to_owned(), "b".to_owned()][..], 7));
}

#[test]
fn more_bytes_are_asked_for_until_the_record_is_whole() {
    let object = "\u{feff}a,\"b\nc\"\r\n1,2\n".as_bytes();
    let whole = read(object).expect("valid");
    for length in 0..=object.len() {
        let found = Header::read(&object[..length], false, &Dialect::default()).expect("valid so far");
        // the LF after the CR is part of the header, so that its byte must be seen
        assert_eq!(found, if length < 12 { None } else { whole.clone() }, "{length} bytes");
    }
}

#[test]
fn without_a_header_the_first_record_is_counted_and_kept() {
    let header = Header::read("\u{feff}1,\"x,y\",\n".as_bytes(), true, &headless()).expect("valid").expect("complete");
    assert_eq!(header.names(), ["column_1", "column_2", "column_3"]);
    assert_eq!(header.data_start(), 3);
}

#[test]
fn an_object_without_a_record_is_an_error() {
    for object in [&b""[..], b"\n\r\n", b"\xEF\xBB\xBF", b"\xEF\xBB\xBF\n"] {
        assert_eq!(read(object), Err(HeaderError::NoRecord));
        assert_eq!(Header::read(object, true, &headless()), Err(HeaderError::NoRecord));
        assert_eq!(Header::read(object, false, &Dialect::default()), Ok(None));
    }
}

#[test]
fn missing_and_repeated_names_are_errors() {
    assert_eq!(read(b",a\n"), Err(HeaderError::NoName { field: 1 }));
    assert_eq!(read(b"a,\"\"\n"), Err(HeaderError::NoName { field: 2 }));
    assert_eq!(read(b"a,b,\"a\"\n"), Err(HeaderError::SameName { first: 1, second: 3 }));
}

#[test]
fn broken_headers_are_errors() {
    assert_eq!(read(b"a,\"b\n1,2\n"), Err(HeaderError::UnclosedQuote { field: 2 }));
    assert_eq!(read(b"a,\"b\"c\n"), Err(HeaderError::TextAfterQuote { field: 2 }));
    assert_eq!(read(b"a,b\xE9,c\n"), Err(HeaderError::InvalidUtf8 { field: 2 }));
}

#[test]
fn a_header_without_end_is_an_error_even_before_the_end() {
    let mut object = vec![b'a'; MAX_HEADER_BYTES];
    object.push(b'\n');
    assert!(matches!(Header::read(&object, false, &Dialect::default()), Ok(Some(_))));
    object.insert(0, b'a');
    assert_eq!(Header::read(&object, false, &Dialect::default()), Err(HeaderError::TooLarge));
    object[0] = b'"';
    assert_eq!(Header::read(&object, false, &Dialect::default()), Err(HeaderError::TooLarge));
}

#[test]
fn no_message_holds_a_name() {
    for object in [&b"CANARY,CANARY"[..], b"CANARY,,CANARY", b"CANARY,\"CANARY", b"\"CANARY\"CANARY", b"CANARY\xFF"] {
        let error = read(object).expect_err("each is broken");
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{error}");
    }
}
