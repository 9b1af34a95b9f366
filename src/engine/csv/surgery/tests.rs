use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::engine::csv::Decoder;
use arrow::array::AsArray;
use arrow::datatypes::DataType;

/// One output field: a source column kept, renamed, or made with this prefix before its text.
#[derive(Debug, Clone, Copy)]
enum Do {
    Keep(usize),
    Rename(usize, &'static str),
    Make(usize),
}

/// Operates on a whole object, in windows of `target` bytes; what is made is the text between `<` and `>`, null for
/// `null`, empty for `empty`.
fn operate_as(dialect: &Dialect, object: &str, todo: &[Do], wanted: bool, target: usize) -> String {
    let header = Header::read(object.as_bytes(), true, dialect).expect("valid").expect("complete");
    let name = |column: usize| header.names()[column].clone();
    let fields = todo.iter().map(|todo| match *todo {
        Do::Keep(source) => OutputField { source, name: name(source), made: false },
        Do::Rename(source, name) => OutputField { source, name: name.to_owned(), made: false },
        Do::Make(source) => OutputField { source, name: name(source), made: true },
    });
    let surgery = Surgery::new(dialect, header.names().len(), fields.collect()).expect("a dialect with quotes");
    let first = surgery.header(object.as_bytes(), &header, wanted).expect("has a header");
    let rows = &object[header.data_start()..];
    let (mut out, mut rest) = (first, rows);
    let mut marks = Marks::default();
    let sources: Vec<usize> = surgery.fields.iter().filter(|field| field.made).map(|field| field.source).collect();
    let mut made_bytes = vec![0; sources.len()];
    let field = Field::new("made", DataType::Utf8, true);
    while !rest.is_empty() {
        let passed = surgery.scan(rest.as_bytes(), target, &mut marks).expect("sound");
        let (window, later) = rest.split_at(passed);
        let make = |column: &usize| {
            let texts = surgery.column(window, &marks, *column);
            let made = texts.iter().map(|text| match text? {
                "null" => None,
                "empty" => Some(String::new()),
                text => Some(format!("<{text}>")),
            });
            (&field, Arc::new(made.collect::<StringArray>()) as ArrayRef)
        };
        let made: Vec<_> = sources.iter().map(make).collect();
        let mut text = Vec::new();
        surgery.write(window.as_bytes(), &marks, &made, 1, &mut made_bytes, &mut text).expect("text");
        surgery.join(out.last().copied(), &mut text);
        out = if out.is_empty() { Surgery::begin(out, text) } else { [out, text].concat() };
        rest = later;
    }
    let ending = surgery.ending(rows.bytes().last(), out.last().copied());
    out.extend_from_slice(ending);
    String::from_utf8(out).expect("is UTF-8")
}

fn operate(object: &str, todo: &[Do]) -> String {
    let at_once = operate_as(&Dialect::default(), object, todo, true, usize::MAX);
    assert_eq!(operate_as(&Dialect::default(), object, todo, true, 1), at_once, "record by record");
    at_once
}

use Do::{Keep, Make, Rename};

#[test]
fn kept_bytes_stay_as_they_lie() {
    let object = "\u{feff}id,\"e mail\" ,x\r\n007,\"a\",\"1\"\r\n\r\n\n 1.50 ,b,\"x\"\"y\r\nz\"\r+1,,\"\"";
    let object = &object.replace("\" ,", "\",");
    assert_eq!(operate(object, &[Keep(0), Keep(1), Keep(2)]), *object);
    let made = object.replace("\"a\"", "<a>").replace(",b,", ",<b>,");
    assert_eq!(operate(object, &[Keep(0), Make(1), Keep(2)]), made);
}

#[test]
fn line_ends_stay_where_the_last_field_is_made_or_dropped() {
    let object = "a,b\r\n1,2\r\n3,4\r5,6\n7,8";
    assert_eq!(operate(object, &[Keep(0), Make(1)]), "a,b\r\n1,<2>\r\n3,<4>\r5,<6>\n7,<8>");
    assert_eq!(operate(object, &[Keep(0)]), "a\r\n1\r\n3\r5\n7");
    assert_eq!(operate(object, &[Make(0)]), "a\r\n<1>\r\n<3>\r<5>\n<7>");
    assert_eq!(operate(object, &[Keep(1)]), "b\r\n2\r\n4\r6\n8");
}

#[test]
fn columns_are_dropped_wherever_they_lie() {
    let object = "a,b,c,d\n1,\"2,\",3,4\n";
    assert_eq!(operate(object, &[Keep(1), Keep(2), Keep(3)]), "b,c,d\n\"2,\",3,4\n");
    assert_eq!(operate(object, &[Keep(0), Keep(3)]), "a,d\n1,4\n");
    assert_eq!(operate(object, &[Keep(0), Keep(1)]), "a,b\n1,\"2,\"\n");
    assert_eq!(operate(object, &[Make(1), Keep(2)]), "b,c\n\"<2,>\",3\n");
    assert_eq!(operate(object, &[Keep(2)]), "c\n3\n");
}

#[test]
fn columns_come_in_the_outputs_order() {
    let object = "a,b,c\n1,\"2\",3\r\n4,,\"\"\n";
    assert_eq!(operate(object, &[Keep(2), Keep(0), Keep(1)]), "c,a,b\n3,1,\"2\"\r\n\"\",4,\n");
    assert_eq!(operate(object, &[Make(1), Make(0), Keep(2)]), "b,a,c\n<2>,<1>,3\r\n,<4>,\"\"\n");
    assert_eq!(operate(object, &[Keep(0), Make(0)]), "a,a\n1,<1>\r\n4,<4>\n");
}

#[test]
fn renaming_changes_one_field_of_the_header() {
    let object = "\"a\",b,\"c,\"\r\n1,2,3\r\n";
    assert_eq!(operate(object, &[Keep(0), Rename(1, "x,\"y"), Keep(2)]), "\"a\",\"x,\"\"y\",\"c,\"\r\n1,2,3\r\n");
}

#[test]
fn made_texts_get_the_quotes_that_they_need() {
    let object = "a,b\n\"x,y\",1\n\"x\ny\",2\n\"\"\"\",3\nnull,4\nempty,5\n,6\n\"\",7\n";
    let made = "a,b\n\"<x,y>\",1\n\"<x\ny>\",2\n\"<\"\">\",3\n,4\n\"\",5\n,6\n<>,7\n";
    assert_eq!(operate(object, &[Make(0), Keep(1)]), made);
}

#[test]
fn a_made_text_that_the_dialect_reads_as_null_is_quoted() {
    let dialect = Dialect::of(json!({ "null": ["<NA>", "-"] }));
    let made = operate_as(&dialect, "a,b\nNA,-\n-,<NA>\n", &[Make(0), Keep(1)], true, 1);
    assert_eq!(made, "a,b\n\"<NA>\",-\n,<NA>\n");
}

#[test]
fn one_column_of_its_own_keeps_blank_lines_as_nulls() {
    let object = "a\n1\n\n\"\"\n\n2";
    assert_eq!(operate(object, &[Keep(0)]), object);
    assert_eq!(operate(object, &[Make(0)]), "a\n<1>\n\n<>\n\n<2>");
    assert_eq!(operate("a\n1\nnull", &[Make(0)]), "a\n<1>\n\n");
    assert_eq!(operate("a\nnull", &[Make(0)]), "a\n\n");
}

#[test]
fn one_column_of_many_loses_blank_lines_and_gains_none() {
    assert_eq!(operate("\n\na,b\n\n1,2\r\n\r\n\n3,\n\n4,5", &[Keep(1)]), "\n\nb\n2\r\n\n5");
    assert_eq!(operate("a,b\n1,2\n3,", &[Keep(1)]), "b\n2\n\n");
    assert_eq!(operate("a,b\n,2", &[Keep(0)]), "a\n\n");
    assert_eq!(operate("a,b\n,2\n", &[Keep(0)]), "a\n\n");
    // a line without a byte after CR is not its LF
    assert_eq!(operate("a,b\r,2\n,3\n1,4\r,5", &[Keep(0)]), "a\r\r\n\n1\r\r\n");
    assert_eq!(operate("a\r\"null\"\nnull\r\"null\"", &[Make(0)]), "a\r\r\n\r\r\n");
    // with two columns they mean nothing on either side
    assert_eq!(operate("a,b,c\n\n1,2,3\n\n", &[Keep(1), Keep(2)]), "b,c\n\n2,3\n\n");
}

#[test]
fn a_header_on_one_side_only() {
    let none = Dialect::of(json!({ "header": false }));
    let object = "\u{feff}1,\"2\"\r\n3,4";
    assert_eq!(operate_as(&none, object, &[Keep(0), Make(1)], false, 1), "\u{feff}1,<2>\r\n3,<4>");
    let named = operate_as(&none, object, &[Rename(1, "x"), Make(0)], true, 1);
    assert_eq!(named, "\u{feff}x,column_1\n\"2\",<1>\r\n4,<3>");
    assert_eq!(operate_as(&Dialect::default(), "a,b\r\n1,2", &[Keep(1)], false, 1), "2");
    assert_eq!(operate_as(&Dialect::default(), "a,b", &[Keep(1)], true, 1), "b");
}

#[test]
fn text_that_begins_with_a_byte_order_mark_keeps_it() {
    let none = Dialect::of(json!({ "header": false }));
    for (object, todo) in [("1,\u{feff}2\n3,4\n", Keep(1)), ("1,\u{feff}2\n3,4\n", Make(1))] {
        let made = operate_as(&none, object, &[todo], false, 1);
        let header = Header::read(made.as_bytes(), true, &none).expect("valid").expect("complete");
        let decoder = Decoder::new(&none, &header, &[0]);
        let batch = decoder.decode(&made.as_bytes()[header.data_start()..], 1, &mut Spans::default()).expect("valid");
        let first = batch.column(0).as_string::<i32>().value(0).to_owned();
        assert!(first.trim_matches(['<', '>']) == "\u{feff}2", "{made:?}");
    }
    assert_eq!(operate("a,\u{feff}b\n1,2\n", &[Keep(1)]), "\"\u{feff}b\"\n2\n");
}

#[test]
fn counts_tell_bytes_nulls_and_empties_of_each_column() {
    let dialect = Dialect::of(json!({ "null": ["NA"] }));
    let fields = (0..3).map(|source| OutputField { source, name: source.to_string(), made: false }).collect();
    let surgery = Surgery::new(&dialect, 3, fields).expect("a dialect with quotes");
    for (text, bytes, nulls, empties) in [
        ("a,,\"\"\r\n\n\"b,\",NA,\"NA\"", [5, 2, 6], [0, 2, 0], [0, 0, 1]),
        ("a,NA,\n,b,c", [1, 3, 1], [1, 1, 1], [0, 0, 0]),
    ] {
        let (mut marks, mut counts) = (Marks::default(), Counts::new(3));
        surgery.scan(text.as_bytes(), usize::MAX, &mut marks).expect("sound");
        surgery.count(text.as_bytes(), &marks, &mut counts);
        assert_eq!(counts, Counts { bytes: bytes.into(), nulls: nulls.into(), empties: empties.into() }, "{text:?}");
        let once = counts.clone();
        counts.merge(&once);
        assert_eq!(counts.bytes[0], 2 * bytes[0]);
    }
}

#[test]
fn other_dialects_are_not_for_surgery() {
    let fields = || vec![OutputField { source: 0, name: "a".to_owned(), made: false }];
    for keys in [json!({ "quote": "" }), json!({ "escape": "\\" })] {
        assert!(Surgery::new(&Dialect::of(keys), 1, fields()).is_none());
    }
    let tabs = Dialect::of(json!({ "delimiter": "\t", "quote": "'" }));
    assert_eq!(operate_as(&tabs, "a\tb\n'1\t'\t2\n", &[Make(0), Keep(1)], true, 1), "a\tb\n'<1\t>'\t2\n");
}

fn values(object: &str, columns: &[usize]) -> Vec<Vec<Option<String>>> {
    let dialect = Dialect::default();
    let header = Header::read(object.as_bytes(), true, &dialect).expect("valid").expect("complete");
    let decoder = Decoder::new(&dialect, &header, columns);
    let batch = decoder.decode(&object.as_bytes()[header.data_start()..], 1, &mut Spans::default()).expect("valid");
    batch.columns().iter().map(|c| c.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    /// Whatever the object and the choice of columns: what is read from the output is what was read from the input,
    /// made where it was to be made, and the windows change nothing.
    #[test]
    fn reading_the_output_gives_what_was_read_and_made(
        records in prop::collection::vec((prop::collection::vec(
            prop_oneof!["[a-z0-9 .ł]{0,12}", "\"([a ,\n\r]|\"\"){0,9}\""], 4), prop_oneof!["\n", "\r\n", "\r", "\n\n"]), 0..12),
        order in Just([0usize, 1, 2, 3]).prop_shuffle(),
        taken in 1usize..=4,
        made in prop::collection::vec(any::<bool>(), 4),
        ended in any::<bool>(),
        target in 1usize..60,
    ) {
        let mut object = "a,b,c,d\n".to_owned();
        for (fields, line_break) in &records {
            object += &fields.join(",");
            object += line_break;
        }
        if !ended && !records.is_empty() {
            object.truncate(object.trim_end_matches(['\n', '\r']).len());
        }
        let todo: Vec<Do> = order[..taken].iter().map(|&c| if made[c] { Make(c) } else { Keep(c) }).collect();
        let out = operate_as(&Dialect::default(), &object, &todo, true, target);
        prop_assert_eq!(&operate_as(&Dialect::default(), &object, &todo, true, usize::MAX), &out);
        let mut expected = values(&object, &order[..taken]);
        for (values, &column) in expected.iter_mut().zip(&order[..taken]) {
            for value in values.iter_mut().flatten().filter(|_| made[column]) {
                *value = format!("<{value}>");
            }
        }
        prop_assert_eq!(values(&out, &(0..taken).collect::<Vec<_>>()), expected);
    }
}
