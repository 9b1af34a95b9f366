use proptest::prelude::*;

use super::*;

fn masked(keep_first: usize, keep_last: usize, keep_separators: bool, value: &str) -> String {
    let mut out = String::new();
    TextMask { keep_first, keep_last, with: '*', keep_separators }.mask(value, &mut out);
    out
}

#[test]
fn ends_stay() {
    assert_eq!(masked(0, 2, false, "5550123"), "*****23");
    assert_eq!(masked(2, 0, false, "5550123"), "55*****");
    assert_eq!(masked(1, 1, false, "Lovelace"), "L******e");
    assert_eq!(masked(0, 0, false, "Ada"), "***");
}

#[test]
fn no_longer_than_what_to_keep_is_masked_whole() {
    assert_eq!(masked(2, 2, false, "abcd"), "****");
    assert_eq!(masked(2, 2, false, "abcde"), "ab*de");
    assert_eq!(masked(0, 4, false, "12"), "**");
    assert_eq!(masked(usize::MAX, usize::MAX, false, "12"), "**");
    assert_eq!(masked(usize::MAX, 1, true, "\u{e9}2"), "**");
}

#[test]
fn empty_stays_empty() {
    assert_eq!(masked(1, 1, true, ""), "");
    assert_eq!(masked(0, 0, false, ""), "");
}

#[test]
fn separators_stay_and_do_not_count() {
    assert_eq!(masked(0, 2, true, "+44 20 7946-0958"), "+** ** ****-**58");
    assert_eq!(masked(1, 2, true, "(ab) c-d"), "(a*) c-d");
    assert_eq!(masked(0, 2, true, "a-b"), "*-*", "two characters count, so the value is masked whole");
    assert_eq!(masked(0, 2, false, "a-b"), "*-b");
    assert_eq!(masked(0, 0, true, "--"), "--");
}

#[test]
fn characters_are_scalar_values() {
    assert_eq!(masked(1, 1, false, "\u{e9}\u{1f600}\u{df}"), "\u{e9}*\u{df}");
    assert_eq!(masked(0, 1, false, "ae\u{301}"), "**\u{301}", "a combining mark counts by itself");
}

#[test]
fn marks_are_no_separators() {
    assert_eq!(masked(0, 1, true, "e\u{301}\u{915}\u{94d}x"), "****x");
}

#[test]
fn the_mask_character_may_be_longer_than_a_byte() {
    let mut out = String::from("> ");
    TextMask { keep_first: 0, keep_last: 1, with: '\u{2022}', keep_separators: false }.mask("abc", &mut out);
    assert_eq!(out, "> \u{2022}\u{2022}c", "appended to what is there");
}

proptest! {
    #[test]
    fn only_separators_and_what_is_kept_survive(
        value in prop_oneof![any::<String>(), "[ -~]{0,12}", "[0-9a-z\u{e9}\u{301} .-]{0,12}"],
        keep_first in 0..6_usize,
        keep_last in 0..6_usize,
        with in any::<char>(),
        keep_separators in any::<bool>(),
    ) {
        let mut out = String::new();
        TextMask { keep_first, keep_last, with, keep_separators }.mask(&value, &mut out);
        let counts = |c: char| !keep_separators || is_alphanumeric(c);
        prop_assert_eq!(out.chars().count(), value.chars().count());
        let total = value.chars().filter(|&c| counts(c)).count();
        let mut place = 0;
        for (before, after) in value.chars().zip(out.chars()) {
            if !counts(before) {
                prop_assert_eq!(before, after);
                continue;
            }
            let kept = total > keep_first + keep_last && (place < keep_first || place + keep_last >= total);
            prop_assert_eq!(after, if kept { before } else { with });
            place += 1;
        }
    }

    #[test]
    fn the_ascii_path_equals_the_general_one(
        value in "[0-9A-Za-z]{0,12}",
        keep_first in 0..6_usize,
        keep_last in 0..6_usize,
    ) {
        // without separators in the value, keeping them only chooses the path
        prop_assert_eq!(masked(keep_first, keep_last, false, &value), masked(keep_first, keep_last, true, &value));
    }
}

proptest! {
    #[test]
    fn bytes_are_masked_as_text_is(
        value in "[a-zA-Z0-9 ./@\0-]{0,24}",
        keep_first in 0usize..6,
        keep_last in 0usize..6,
        keep_separators: bool,
        with in "[*xX0 -]",
    ) {
        let with = with.chars().next().unwrap();
        let mask = TextMask { keep_first, keep_last, with, keep_separators };
        let (mut text, mut bytes) = (String::new(), vec![with as u8; value.len()]);
        mask.mask(&value, &mut text);
        mask.mask_bytes(value.as_bytes(), &mut bytes);
        prop_assert_eq!(text.as_bytes(), bytes);
    }
}
