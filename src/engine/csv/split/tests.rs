use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Each record as its fields: `None` for an unquoted empty field, else the text.
type Records = Vec<Vec<Option<String>>>;

fn records_as(bytes: &[u8], dialect: &Dialect, blank: Blank) -> Result<Records, SplitError> {
    let mut spans = Spans::default();
    split(bytes, dialect, blank, &mut spans)?;
    let read = |field: &Field| {
        let text = std::str::from_utf8(&bytes[field.text()]).expect("test data are UTF-8");
        let whole: String = if field.is_escaped() { unescape(text, dialect).collect() } else { text.to_owned() };
        (field.is_quoted() || !whole.is_empty()).then_some(whole)
    };
    Ok((0..spans.records()).map(|r| spans.record(r).iter().map(read).collect()).collect())
}

fn records(text: &str) -> Result<Records, SplitError> {
    records_as(text.as_bytes(), &Dialect::default(), Blank::Skip)
}

fn rows(expected: &[&[Option<&str>]]) -> Result<Records, SplitError> {
    Ok(expected.iter().map(|row| row.iter().map(|f| f.map(str::to_owned)).collect()).collect())
}

const A: Option<&str> = Some("a");
const B: Option<&str> = Some("b");

#[test]
fn unquoted_and_quoted_empty_fields_differ() {
    assert_eq!(records(",\"\"\n\"\",\n"), rows(&[&[None, Some("")], &[Some(""), None]]));
}

#[test]
fn every_line_break_ends_a_record() {
    assert_eq!(records("a,b\nb,a\r\na,b\rb,a"), rows(&[&[A, B], &[B, A], &[A, B], &[B, A]]));
}

#[test]
fn the_last_line_break_may_be_missing() {
    for end in ["", "\n", "\r\n", "\r"] {
        assert_eq!(records(&format!("a,b{end}")), rows(&[&[A, B]]), "{end:?}");
        assert_eq!(records(&format!("a,\"b\"{end}")), rows(&[&[A, B]]), "{end:?}");
        assert_eq!(records(&format!("a,{end}")), rows(&[&[A, None]]), "{end:?}");
        assert_eq!(records(&format!("a,\"\"{end}")), rows(&[&[A, Some("")]]), "{end:?}");
    }
}

#[test]
fn line_breaks_and_delimiters_in_quotes_are_text() {
    assert_eq!(records("\"a,\r\nb\r\",b\n"), rows(&[&[Some("a,\r\nb\r"), B]]));
}

#[test]
fn doubled_quotes_are_one() {
    assert_eq!(records(r#""ha ""ha"" ha","""","""""""#), rows(&[&[Some(r#"ha "ha" ha"#), Some("\""), Some("\"\"")]]));
}

#[test]
fn a_quote_within_an_unquoted_field_is_text() {
    assert_eq!(records("5\" pipe,a\n \"b\",a\n"), rows(&[&[Some("5\" pipe"), A], &[Some(" \"b\""), A]]));
}

#[test]
fn blank_lines_are_skipped_or_are_nulls() {
    assert_eq!(records("\n\r\na,b\n\n\rb,a\n\n"), rows(&[&[A, B], &[B, A]]));
    let single = records_as(b"a\n\nb\r\n\"\"\n", &Dialect::default(), Blank::Record);
    assert_eq!(single, rows(&[&[A], &[None], &[B], &[Some("")]]));
}

#[test]
fn nothing_holds_no_record() {
    for blank in [Blank::Skip, Blank::Record] {
        assert_eq!(records_as(b"", &Dialect::default(), blank), rows(&[]));
    }
}

#[test]
fn an_escape_makes_the_next_byte_literal() {
    let dialect = Dialect::of(json!({ "escape": "\\" }));
    let read = |text: &str| records_as(text.as_bytes(), &dialect, Blank::Skip);
    assert_eq!(read(r#""a\"b","\\","a""b""#), rows(&[&[Some("a\"b"), Some("\\"), Some("a\"b")]]));
    assert_eq!(read("\"\\\n\\é\\\\\\\"\"\n"), rows(&[&[Some("\né\\\"")]]));
    // outside quotes it is text: the null text \N of some databases stays whole
    assert_eq!(read("\\N,a\\b\n"), rows(&[&[Some("\\N"), Some("a\\b")]]));
}

#[test]
fn without_a_quote_every_quote_is_text() {
    let dialect = Dialect::of(json!({ "quote": "", "delimiter": "|" }));
    assert_eq!(records_as(b"\"a|b\"\n", &dialect, Blank::Skip), rows(&[&[Some("\"a"), Some("b\"")]]));
}

#[test]
fn raw_spans_hold_the_quotes() {
    let bytes = b"a,\"b\"\n";
    let mut spans = Spans::default();
    split(bytes, &Dialect::default(), Blank::Skip, &mut spans).expect("valid");
    let raw: Vec<&[u8]> = spans.fields().iter().map(|f| &bytes[f.raw()]).collect();
    assert_eq!(raw, [&b"a"[..], b"\"b\""]);
}

#[test]
fn spans_can_be_used_again() {
    let mut spans = Spans::default();
    let dialect = Dialect::default();
    assert!(split(b"a,b\nc,\"d", &dialect, Blank::Skip, &mut spans).is_err());
    split(b"x\n", &dialect, Blank::Skip, &mut spans).expect("valid");
    assert_eq!((spans.records(), spans.fields().len()), (1, 1));
}

#[test]
fn an_unclosed_quote_is_named_where_it_opens() {
    let place = |text, escape| {
        let e = records_as(text, &Dialect::of(json!({ "escape": escape })), Blank::Skip).expect_err("unclosed");
        (e.record, e.field, e.problem)
    };
    assert_eq!(place(b"a,b\nc,\"d,e\nf", ""), (1, 1, SplitProblem::UnclosedQuote));
    assert_eq!(place(b"\"", ""), (0, 0, SplitProblem::UnclosedQuote));
    assert_eq!(place(b"\"\"\"", ""), (0, 0, SplitProblem::UnclosedQuote));
    assert_eq!(place(b"\"a\\\"", "\\"), (0, 0, SplitProblem::UnclosedQuote));
    assert_eq!(place(b"\"a\\", "\\"), (0, 0, SplitProblem::UnclosedQuote));
}

#[test]
fn text_after_a_closing_quote_is_an_error() {
    let e = records("a,b\n\"a\"b,c\n").expect_err("a quote too early");
    assert_eq!((e.record, e.field, e.problem), (1, 0, SplitProblem::TextAfterQuote));
    assert_eq!(records("a,\"b\" ,c\n").expect_err("a blank after the quote").field, 1);
}

/// What the `csv` crate reads, or `None` where our rules are stricter: text after a closing quote, an open quote.
fn by_csv_crate(bytes: &[u8], escape: Option<u8>) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).escape(escape).from_reader(bytes);
    let text = |field: &[u8]| String::from_utf8(field.to_vec()).expect("test data are UTF-8");
    reader.byte_records().map(|record| record.expect("from memory").iter().map(text).collect()).collect()
}

proptest! {
    #[test]
    fn agrees_with_the_csv_crate(text in "[ab,\"\r\n\\\\é]{0,40}", escaped in any::<bool>()) {
        let dialect = Dialect::of(json!({ "escape": if escaped { "\\" } else { "" } }));
        if let Ok(ours) = records_as(text.as_bytes(), &dialect, Blank::Skip) {
            let ours: Vec<Vec<String>> =
                ours.into_iter().map(|r| r.into_iter().map(Option::unwrap_or_default).collect()).collect();
            prop_assert_eq!(ours, by_csv_crate(text.as_bytes(), dialect.escape()));
        }
    }

    #[test]
    fn any_bytes_split_or_fail_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut spans = Spans::default();
        if split(&bytes, &Dialect::default(), Blank::Skip, &mut spans).is_ok() {
            // spans are in order and what lies between them is a delimiter or line breaks
            let mut at = 0;
            for field in spans.fields() {
                prop_assert!(bytes[at..field.raw().start].iter().all(|b| b",\r\n".contains(b)));
                at = field.raw().end;
            }
            prop_assert!(bytes[at..].iter().all(|b| b"\r\n".contains(b)));
        }
    }
}
