use proptest::prelude::*;

use super::*;
use crate::engine::csv::{Dialect, Spans, split};

const USUAL: (u8, u8) = (b',', b'"');

/// Each record's fields as they lie, as `split` finds them; `None` where it finds a fault or another width.
fn by_split(bytes: &[u8], columns: usize) -> Option<Vec<Vec<&[u8]>>> {
    let mut spans = Spans::default();
    split(bytes, &Dialect::default(), Blank::for_columns(columns), &mut spans).ok()?;
    let record = |index| spans.record(index).iter().map(|field| &bytes[field.raw()]).collect::<Vec<_>>();
    let records: Vec<_> = (0..spans.records()).map(record).collect();
    records.iter().all(|record| record.len() == columns).then_some(records)
}

fn by_marks(bytes: &[u8], columns: usize, target: usize) -> Option<Vec<Vec<&[u8]>>> {
    let mut marks = Marks::default();
    let (mut records, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let passed = marks.scan(rest, USUAL, columns, target).ok()?;
        for bounds in marks.iter() {
            let fields = bounds.windows(2).enumerate();
            let raw =
                |(column, pair): (usize, &[u32])| &rest[pair[0] as usize + usize::from(column > 0)..pair[1] as usize];
            records.push(fields.map(raw).collect());
        }
        rest = &rest[passed..];
    }
    Some(records)
}

#[test]
fn the_bounds_of_a_record_are_its_start_its_delimiters_and_its_end() {
    let mut marks = Marks::default();
    let bytes = b"\na,\"b,\n\"\r\n\r\n,c";
    assert_eq!(marks.scan(bytes, USUAL, 2, usize::MAX), Ok(bytes.len()));
    assert_eq!(marks.iter().collect::<Vec<_>>(), [[1, 2, 8], [12, 12, 14]]);
    assert!(marks.any_quoted());
}

#[test]
fn scanning_ends_at_the_first_record_end_past_the_target() {
    let mut marks = Marks::default();
    let bytes = b"a,1\r\nb,2\r\nc,3\n";
    for (target, passed, records) in [(1, 5, 1), (5, 5, 1), (6, 10, 2), (99, 14, 3)] {
        assert_eq!(marks.scan(bytes, USUAL, 2, target), Ok(passed), "{target}");
        assert_eq!(marks.records(), records, "{target}");
    }
}

#[test]
fn fields_longer_than_a_chunk_and_quotes_on_its_edge() {
    for length in 55..75 {
        let long = "x".repeat(length);
        for text in [
            format!("{long},b\n{long},\"{long}\"\"{long}\"\n"),
            format!("{long}\"\",\"\"\n\"{long}\"\"\",\"\"\"\n\"\"\"\n"),
        ] {
            let found = by_marks(text.as_bytes(), 2, usize::MAX);
            assert!(found.is_some());
            assert_eq!(found, by_split(text.as_bytes(), 2), "{length}");
        }
    }
}

#[test]
fn fail_what_is_not_sound() {
    for bytes in ["a\n", "a,b,c\n", "a,b\nc", "\"a", "\"a\"b,c\n", "a,\"b\n"] {
        assert_eq!(Marks::default().scan(bytes.as_bytes(), USUAL, 2, 1 << 20), Err(Unsound), "{bytes:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn marks_are_what_split_finds(text in "[ab,,\"\"\n\r]{0,90}", columns in 1usize..4, target in 1usize..80) {
        let expected = by_split(text.as_bytes(), columns);
        prop_assert_eq!(by_marks(text.as_bytes(), columns, target), expected.clone());
        prop_assert_eq!(by_marks(text.as_bytes(), columns, usize::MAX), expected);
    }

    #[test]
    fn marks_of_sound_records_are_what_split_finds(
        fields in prop::collection::vec(prop_oneof!["[a-c\"]{0,0}[a-c]{0,40}", "\"([a,\n\r]|\"\"){0,70}\""], 3..60),
        breaks in prop::collection::vec(prop_oneof!["\n", "\r\n", "\r", "\n\n"], 20),
        target in 1usize..300,
    ) {
        let mut text = String::new();
        for (record, line_break) in fields.chunks_exact(3).zip(&breaks) {
            text += &record.join(",");
            text += line_break;
        }
        let found = by_marks(text.as_bytes(), 3, target);
        prop_assert!(found.is_some());
        prop_assert_eq!(found, by_split(text.as_bytes(), 3));
    }
}
