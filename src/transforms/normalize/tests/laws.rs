use proptest::prelude::*;

use super::super::text;
use super::apply;

/// Text in which every kind of character that a step treats specially is common.
fn tricky() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        prop::char::range(' ', '~'),
        prop::sample::select(
            "\t\u{a0}\u{3000}\u{2028}\u{200d}\u{301}\u{327}\u{345}\u{df}\u{130}\u{3a3}\u{3c2}\u{149}\u{fb01}\u{ff11}\
             \u{661}\u{ff0e}\u{3002}@@..--\u{1100}\u{1161}\u{11a8}\u{5d0}"
                .chars()
                .collect::<Vec<_>>()
        ),
    ];
    prop::collection::vec(character, 0..24).prop_map(String::from_iter)
}

fn phone_like() -> impl Strategy<Value = String> {
    "[+]?[0-9 ()./x#*~-]{0,20}".prop_map(String::from)
}

/// Steps that must change nothing when applied to their own result. Case mapping and composition are each closed
/// (Unicode stability policy), a domain's ASCII form maps to itself, and an E.164 number is read in every region.
const IDEMPOTENT: [&str; 10] = [
    "trim",
    "collapse_whitespace",
    "lowercase",
    "uppercase",
    "casefold",
    "nfc",
    "nfkc",
    "digits",
    "alphanumeric",
    "email",
];

proptest! {
    #[test]
    fn steps_are_idempotent(value in tricky(), step in prop::sample::select(&IDEMPOTENT[..])) {
        if let Ok(once) = apply(&[step], &value) {
            prop_assert_eq!(apply(&[step], &once), Ok(once.clone()), "{}", step);
        }
    }

    #[test]
    fn email_is_idempotent(local in tricky(), domain in "[a-zA-Z0-9\u{e9}\u{df}\u{3c2}\u{5d0}\u{ff41}\u{301}\u{200d}.\u{3002}-]{1,12}") {
        let value = format!("{local}@{domain}");
        if let Ok(once) = apply(&["email"], &value) {
            prop_assert_eq!(apply(&["email"], &once), Ok(once.clone()));
        }
    }

    #[test]
    fn an_ascii_host_name_is_only_lowercased(domain in "[a-zA-Z0-9]{1,9}([.][a-zA-Z][a-zA-Z0-9]{1,9}){0,3}[.]?") {
        let expected = format!("A@{}", domain.trim_end_matches('.').to_ascii_lowercase());
        prop_assume!(!expected.contains("xn--"));
        prop_assert_eq!(apply(&["email"], &format!("A@{domain}")), Ok(expected));
    }

    #[test]
    fn e164_gives_a_plus_and_digits(value in prop_oneof![tricky(), phone_like()], region in prop::sample::select(&["GB", "US", "IT", "AR", "JP"][..])) {
        if let Ok(number) = apply(&[&format!("e164({region})")], &value) {
            let digits = number.strip_prefix('+').expect("a plus");
            prop_assert!(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }

    #[test]
    fn chains_equal_their_steps_one_by_one(value in tricky(), chain in prop::collection::vec(prop::sample::select(&IDEMPOTENT[..9]), 0..5)) {
        let mut expected = Ok(value.clone());
        for step in &chain {
            expected = expected.and_then(|value| apply(&[step], &value));
        }
        prop_assert_eq!(apply(&chain, &value), expected);
    }

    #[test]
    fn nothing_is_kept_that_a_step_drops(value in tricky()) {
        if let Ok(digits) = apply(&["digits"], &value) {
            prop_assert!(digits.bytes().all(|byte| byte.is_ascii_digit()));
        }
        if let Ok(kept) = apply(&["alphanumeric"], &value) {
            prop_assert!(kept.chars().all(text::is_alphanumeric));
        }
        let collapsed = apply(&["collapse_whitespace"], &value).expect("it empties nothing");
        let other_white = |c: char| c != ' ' && text::is_white_space(c);
        prop_assert!(!collapsed.contains("  ") && !collapsed.contains(other_white));
        let trimmed = apply(&["trim"], &value).expect("it may empty");
        prop_assert!(!trimmed.starts_with(text::is_white_space) && !trimmed.ends_with(text::is_white_space));
    }
}
