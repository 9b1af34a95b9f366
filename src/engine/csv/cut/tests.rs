use proptest::prelude::*;

use super::*;
use crate::engine::csv::{Blank, Dialect, Spans, split};

fn cut_with(mut cutter: Cutter, chunks: &[&[u8]]) -> Result<Vec<Bytes>, TooLarge> {
    let mut runs = Vec::new();
    for chunk in chunks {
        cutter.push(&Bytes::copy_from_slice(chunk), |run| runs.push(run))?;
    }
    runs.extend(cutter.finish());
    Ok(runs)
}

fn cut(chunks: &[&str]) -> Vec<String> {
    let chunks: Vec<&[u8]> = chunks.iter().map(|chunk| chunk.as_bytes()).collect();
    let runs = cut_with(Cutter::new(b',', b'"'), &chunks).expect("no record is too large");
    runs.iter().map(|run| String::from_utf8(run.to_vec()).expect("test data are UTF-8")).collect()
}

#[test]
fn only_the_record_across_two_chunks_is_put_together() {
    assert_eq!(cut(&["a,1\nb,2\nc", ",3\nd,4\n", "e"]), ["a,1\nb,2\n", "c,3\n", "d,4\n", "e"]);
}

#[test]
fn crlf_is_never_cut_in_two() {
    assert_eq!(cut(&["a\r", "\nb\r", "c\r\r", "\n"]), ["a\r\n", "b\r", "c\r", "\r\n"]);
}

#[test]
fn quoted_line_breaks_end_nothing() {
    assert_eq!(cut(&["\"a\n", "\"\"\n\",1\n2\" \n\"", "\n\"\n"]), ["\"a\n\"\"\n\",1\n", "2\" \n", "\"\n\"\n"]);
    // doubled across two chunks, and a quote that is no field's first byte
    assert_eq!(cut(&["1,\"a\"", "\"\n\"\nb", "\"\n"]), ["1,\"a\"\"\n\"\n", "b\"\n"]);
}

#[test]
fn a_quote_opens_a_field_that_begins_with_a_chunk() {
    assert_eq!(cut(&["a,", "\"\n\",\"\n\"\n"]), ["a,\"\n\",\"\n\"\n"]);
    assert_eq!(cut(&["a\n", "\"\n\"\n"]), ["a\n", "\"\n\"\n"]);
}

#[test]
fn nothing_gives_no_run() {
    assert_eq!(cut(&[]), Vec::<String>::new());
    assert_eq!(cut(&["", ""]), Vec::<String>::new());
}

#[test]
fn fail_a_record_over_the_limit() {
    let small = || Cutter { max_record: 8, ..Cutter::new(b',', b'"') };
    let fits: &[&[u8]] = &[b"12345678\n1234", b"5678\r\n1"];
    assert_eq!(cut_with(small(), fits).expect("fits").len(), 3);
    for (chunks, open_quote) in [
        (&[&b"1\n12345"[..], b"6789"][..], false),
        (&[b"1\n12345", b"678901\n"], false),
        (&[b"1\n\"1234", b"\n789"], true),
    ] {
        assert_eq!(cut_with(small(), chunks).expect_err("too large"), TooLarge { limit: 8, open_quote });
    }
}

#[test]
fn debug_shows_no_byte_of_the_object() {
    let mut cutter = Cutter::new(b',', b'"');
    cutter.push(&Bytes::from_static(b"CANARY"), |_| ()).expect("small");
    assert_eq!(format!("{cutter:?}"), "Cutter { held: [6 bytes], state: Open }");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    /// Split one by one, the runs give the records of the whole.
    #[test]
    fn runs_are_whole_records(text in "[ab,\"\n\r]{0,60}", size in 1usize..20) {
        let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        let runs = cut_with(Cutter::new(b',', b'"'), &chunks).expect("small");
        prop_assert_eq!(runs.concat(), text.as_bytes());

        let fields = |bytes: &[u8]| {
            let mut spans = Spans::default();
            let sound = split(bytes, &Dialect::default(), Blank::Record, &mut spans).is_ok();
            let record = |index| spans.record(index).iter().map(|field| bytes[field.raw()].to_vec()).collect::<Vec<_>>();
            (sound, (0..spans.records()).map(record).collect::<Vec<_>>())
        };
        let (sound, whole) = fields(text.as_bytes());
        let parts: Vec<_> = runs.iter().map(|run| fields(run)).collect();
        prop_assert_eq!(sound, parts.iter().all(|(sound, _)| *sound));
        if sound {
            prop_assert_eq!(whole, parts.into_iter().flat_map(|(_, records)| records).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_record_at_the_limit_passes_wherever_the_chunks_end() {
    let text = [&[b'x'; 100][..], b"\r\nyy\r\n"].concat();
    for at in 90..text.len() {
        let mut cutter = Cutter::new(b',', b'"').with_max_record(100);
        for chunk in [&text[..at], &text[at..]] {
            assert_eq!(cutter.push(&Bytes::copy_from_slice(chunk), |_| {}), Ok(()), "cut at {at}");
        }
    }
}
