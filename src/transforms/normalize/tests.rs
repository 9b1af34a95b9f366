//! Known answers (`testdata/vectors/normalize-v1.json`), digests over all of Unicode, laws.
mod digests;
mod laws;
mod steps;
mod vectors;

use super::{NormalizeError, Normalizer, Reason, Scratch, Step};

fn normalizer(steps: &[&str]) -> Normalizer {
    Normalizer::new(steps.iter().map(|step| step.parse().expect("a step of this test")).collect())
}

fn apply(steps: &[&str], value: &str) -> Result<String, NormalizeError> {
    normalizer(steps).apply(value, &mut Scratch::default()).map(String::from)
}

#[test]
fn no_steps_give_the_value_itself() {
    let (value, mut scratch) = (" \u{e9}", Scratch::default());
    assert!(std::ptr::eq(Normalizer::default().apply(value, &mut scratch).unwrap(), value));
}

#[test]
fn what_needs_no_change_is_a_part_of_the_value() {
    let (value, mut scratch) = ("  zo\u{eb} ", Scratch::default());
    let result = normalizer(&["trim", "nfc", "nfkc"]).apply(value, &mut scratch).unwrap();
    assert!(std::ptr::eq(result, value.trim()));
}

#[test]
fn a_scratch_carries_nothing_from_one_value_to_the_next() {
    let normalizer = normalizer(&["trim", "uppercase", "collapse_whitespace", "trim"]);
    let mut scratch = Scratch::default();
    for (value, expected) in [("  a long  value", "A LONG VALUE"), ("b", "B"), (" ", ""), ("\u{df} ", "SS")] {
        assert_eq!(normalizer.apply(value, &mut scratch), Ok(expected));
    }
}

#[test]
fn buffers_do_not_grow_from_value_to_value() {
    let normalizer = normalizer(&["trim", "nfkc", "collapse_whitespace", "casefold", "email"]);
    let mut scratch = Scratch::default();
    let mut capacities = Vec::new();
    for _ in 0..5 {
        normalizer.apply(" A\u{ff22}c@B\u{fc}cher.example ", &mut scratch).unwrap();
        capacities.push(scratch.front.capacity() + scratch.back.capacity());
    }
    assert_eq!(capacities[1], capacities[4]);
}

#[test]
fn an_error_names_step_and_reason_but_not_the_value() {
    for (steps, value, reason) in [
        (["trim", "digits"], "canary", Reason::Emptied),
        (["trim", "alphanumeric"], "--\u{1f512}", Reason::Emptied),
        (["trim", "email"], "canary", Reason::EmailWithoutAt),
        (["trim", "email"], "canary@", Reason::EmailWithEmptySide),
        (["trim", "email"], "@canary", Reason::EmailWithEmptySide),
        (["trim", "email"], "can ary@example.com", Reason::EmailWithWhiteSpace),
        (["trim", "email"], "a@can_ary", Reason::EmailDomain),
        (["trim", "e164(GB)"], "canary", Reason::NoPhoneNumber),
    ] {
        let error = apply(&steps, value).unwrap_err();
        assert_eq!((error.step.to_string().as_str(), error.reason), (steps[1], reason));
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("ary") && shown.contains(&format!("step `{}`", steps[1])), "{shown}");
    }
}

#[test]
fn a_scratch_does_not_show_values() {
    let mut scratch = Scratch::default();
    normalizer(&["uppercase", "lowercase"]).apply("canary", &mut scratch).unwrap();
    assert_eq!(format!("{scratch:?}"), "Scratch { .. }");
}

#[test]
fn an_empty_value_stays_empty_but_is_no_address_and_no_number() {
    for name in Step::names().filter(|name| !["email", "e164"].contains(name)) {
        assert_eq!(apply(&[name], ""), Ok(String::new()), "{name}");
    }
    assert_eq!(apply(&["email"], "").unwrap_err().reason, Reason::EmailWithoutAt);
    assert_eq!(apply(&["e164(GB)"], "").unwrap_err().reason, Reason::NoPhoneNumber);
}

#[test]
fn what_trim_emptied_stays_empty_for_later_steps() {
    assert_eq!(apply(&["trim", "digits"], " \u{3000}"), Ok(String::new()));
}
