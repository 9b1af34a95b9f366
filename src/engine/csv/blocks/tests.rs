use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::engine::csv::{Spans, split};

fn cut_with(mut blocks: Blocks, chunks: &[&[u8]]) -> Result<Vec<Block>, CsvError> {
    let mut cut = Vec::new();
    for chunk in chunks {
        blocks.push(chunk, |block| cut.push(block))?;
    }
    cut.extend(blocks.finish()?);
    Ok(cut)
}

fn blocks(blank: Blank, target: usize) -> Blocks {
    let mut blocks = Blocks::cutter(&Dialect::default(), blank);
    blocks.target = target;
    blocks
}

fn texts(cut: &[Block]) -> Vec<&str> {
    cut.iter().map(|b| std::str::from_utf8(&b.bytes).expect("test data are UTF-8")).collect()
}

#[test]
fn a_block_ends_at_the_first_record_end_past_the_target() {
    let cut = cut_with(blocks(Blank::Skip, 5), &[b"a,1\nb,2\nc,3\nd,4"]).expect("valid");
    assert_eq!(texts(&cut), ["a,1\nb,2\n", "c,3\nd,4"]);
    assert_eq!(cut.iter().map(|b| (b.first_row, b.rows)).collect::<Vec<_>>(), [(1, 2), (3, 2)]);
}

#[test]
fn crlf_is_never_cut_in_two() {
    let cut = cut_with(blocks(Blank::Skip, 1), &[b"a\r", b"\nb\r", b"c\r"]).expect("valid");
    assert_eq!(texts(&cut), ["a\r\n", "b\r", "c\r"]);
}

#[test]
fn quoted_line_breaks_end_nothing() {
    let cut = cut_with(blocks(Blank::Skip, 1), &[b"\"a\n\"\"\n\",1\n2\" \n\"\n\"\n"]).expect("valid");
    assert_eq!(texts(&cut), ["\"a\n\"\"\n\",1\n", "2\" \n", "\"\n\"\n"]);
}

#[test]
fn header_and_byte_order_mark_are_passed_over() {
    let object = "\u{feff}id\n1\n2\n".as_bytes();
    let header = Header::read(object, true, &Dialect::default()).expect("valid").expect("complete");
    for size in 1..object.len() {
        let chunks: Vec<&[u8]> = object.chunks(size).collect();
        let cut = cut_with(Blocks::new(&Dialect::default(), &header, 100), &chunks).expect("valid");
        assert_eq!(texts(&cut), ["1\n2\n"], "chunks of {size} bytes");
    }
}

#[test]
fn an_object_without_rows_has_no_block() {
    assert_eq!(cut_with(blocks(Blank::Skip, 1), &[b""]), Ok(vec![]));
    assert_eq!(cut_with(blocks(Blank::Skip, 1), &[b"\n\r\n\r"]), Ok(vec![]));
    assert_eq!(cut_with(blocks(Blank::Skip, 100), &[b"\n\r\n\r"]), Ok(vec![]));
}

#[test]
fn blank_lines_count_only_where_they_are_records() {
    let object: &[u8] = b"a\n\n\nb\n\n";
    let rows = |blank| cut_with(blocks(blank, 100), &[object]).expect("valid")[0].rows;
    assert_eq!((rows(Blank::Skip), rows(Blank::Record)), (2, 5));
}

#[test]
fn a_record_over_the_limit_is_an_error_however_it_arrives() {
    let limited = || {
        let mut blocks = blocks(Blank::Skip, 4);
        blocks.max_record = 10;
        blocks
    };
    let object = b"1,a\n2,\"a quote never closed\n3,c\n";
    for size in 1..object.len() {
        let chunks: Vec<&[u8]> = object.chunks(size).collect();
        let error = cut_with(limited(), &chunks).expect_err("too large");
        assert_eq!(error, CsvError::RecordTooLarge { row: 2, limit: 10, open_quote: true });
    }
    let closed = cut_with(limited(), &[b"1\n0123456789\n01234567890\n"]);
    assert_eq!(closed, Err(CsvError::RecordTooLarge { row: 3, limit: 10, open_quote: false }));
}

#[test]
fn an_open_quote_at_the_end_is_left_to_the_parser() {
    let cut = cut_with(blocks(Blank::Skip, 1), &[b"a\n\"b\nc"]).expect("the limit is not met");
    assert_eq!(texts(&cut), ["a\n", "\"b\nc"]);
    assert_eq!((cut[1].first_row, cut[1].rows), (2, 1));
}

#[test]
fn debug_output_holds_sizes_only() {
    let mut blocks = blocks(Blank::Skip, 1);
    let mut shown = String::new();
    blocks.push(b"CANARY\nCANARY", |block| shown += &format!("{block:?}")).expect("valid");
    shown += &format!("{blocks:?}");
    assert!(shown.contains("[7 bytes]") && !shown.contains("CANARY") && !shown.contains("67"), "{shown}");
}

proptest! {
    #[test]
    fn every_chunk_boundary_gives_the_same_blocks(
        text in "[ab,\"\r\n\\\\]{0,60}",
        target in 1_usize..20,
        escaped in any::<bool>(),
        blank in prop_oneof![Just(Blank::Skip), Just(Blank::Record)],
    ) {
        let dialect = Dialect::of(json!({ "escape": if escaped { "\\" } else { "" } }));
        let cutter = || {
            let mut blocks = Blocks::cutter(&dialect, blank);
            blocks.target = target;
            blocks
        };
        let bytes = text.as_bytes();
        let whole = cut_with(cutter(), &[bytes]).expect("no limit is met");
        for at in 0..=bytes.len() {
            prop_assert_eq!(&cut_with(cutter(), &[&bytes[..at], &bytes[at..]]).expect("as above"), &whole);
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(&cut_with(cutter(), &single).expect("as above"), &whole);

        // and the splitter finds in the blocks what it finds in the whole, and as many rows as were counted
        let mut spans = Spans::default();
        if split(bytes, &dialect, blank, &mut spans).is_ok() {
            let fields = |spans: &Spans, bytes: &[u8]| -> Vec<Vec<Vec<u8>>> {
                (0..spans.records())
                    .map(|r| spans.record(r).iter().map(|f| bytes[f.raw()].to_vec()).collect())
                    .collect()
            };
            let expected = fields(&spans, bytes);
            let mut found = Vec::new();
            let mut next_row = 1;
            for block in &whole {
                split(&block.bytes, &dialect, blank, &mut spans).expect("its blocks are as valid");
                prop_assert_eq!((block.first_row, block.rows), (next_row, spans.records() as u64));
                next_row += block.rows;
                found.extend(fields(&spans, &block.bytes));
            }
            prop_assert_eq!(found, expected);
        }
    }
}
