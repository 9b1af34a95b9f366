//! `payments.yaml`: numbers that every validation takes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Made, pairs, source};
use crate::support::Table;

fn tables() -> (Table, Table) {
    (source("payments"), Made::by("payments").rows("payments"))
}

/// ISO/IEC 7812-1, annex B.
fn luhn(number: &str) -> bool {
    let digits = number.chars().rev().filter_map(|c| c.to_digit(10));
    let sum: u32 =
        digits.enumerate().map(|(at, digit)| if at % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }).sum();
    sum.is_multiple_of(10)
}

/// ISO 13616-1: 1 for a valid number.
fn remainder(iban: &str) -> u32 {
    let moved = iban[4..].chars().chain(iban[..4].chars());
    moved.fold(0, |sum, c| {
        let value = c.to_digit(36).expect("a digit or a letter");
        (sum * if value < 10 { 10 } else { 100 } + value) % 97
    })
}

#[test]
fn cards_are_luhn_valid_of_the_same_form_and_changed() {
    let (before, after) = tables();
    let cards = pairs(&before["card"], &after["card"]);
    let form = |number: &str| number.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>();
    for (raw, made) in &cards {
        assert!(luhn(raw) && luhn(made));
        assert_eq!(form(raw), form(made));
        assert_ne!(raw, made);
    }
    assert!(cards.iter().any(|(_, made)| made.contains('-')) && cards.iter().any(|(_, made)| made.contains(' ')));
    let changed_first = cards.iter().filter(|(raw, made)| raw[..1] != made[..1]).count();
    assert!(changed_first > cards.len() / 2, "the issuer's digits change too");
}

#[test]
fn a_card_has_one_number_at_each_merchant_and_another_at_others() {
    let (before, after) = tables();
    let digits = |number: &str| number.chars().filter(char::is_ascii_digit).collect::<String>();
    let mut numbers: BTreeMap<(String, &str), BTreeSet<String>> = BTreeMap::new();
    let mut everywhere: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut merchants: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (row, merchant) in before["merchant_id"].iter().enumerate() {
        let (Some(raw), Some(made)) = (&before["card"][row], &after["card"][row]) else { continue };
        let merchant = merchant.as_deref().expect("not null");
        numbers.entry((digits(raw), merchant)).or_default().insert(digits(made));
        everywhere.entry(digits(raw)).or_default().insert(digits(made));
        merchants.entry(digits(raw)).or_default().insert(merchant);
    }
    assert!(numbers.values().all(|made| made.len() == 1));
    assert!(merchants.values().any(|at| at.len() > 2), "a card at several merchants");
    for (raw, at) in merchants {
        assert_eq!(everywhere[&raw].len(), at.len());
    }
}

#[test]
fn ibans_are_valid_of_the_same_country_and_letters_and_changed() {
    let (before, after) = tables();
    let ibans = pairs(&before["iban"], &after["iban"]);
    for (raw, made) in &ibans {
        let raw: String = raw.chars().filter(|c| *c != ' ').collect();
        assert_eq!((remainder(&raw), remainder(made)), (1, 1));
        assert_eq!((&raw[..2], raw.len()), (&made[..2], made.len()));
        let letters = |text: &str| text.char_indices().filter(|(_, c)| c.is_ascii_alphabetic()).collect::<Vec<_>>();
        assert_eq!(letters(&raw), letters(made));
        assert_ne!(raw[4..], made[4..]);
    }
    let distinct = |of: fn(&(&str, &str)) -> String| ibans.iter().map(of).collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(|(raw, _)| raw.replace(' ', "")), distinct(|(_, made)| (*made).to_owned()));
    assert!(ibans.iter().any(|(raw, _)| raw.contains(' ')) && ibans.len() > 40);
}

#[test]
fn payment_ids_stay_whole_numbers_of_ten_digits_and_distinct() {
    let (before, after) = tables();
    let ids = pairs(&before["payment_id"], &after["payment_id"]);
    assert!(ids.iter().all(|(raw, made)| raw != made && made.len() == 10 && made.parse::<u64>().is_ok()));
    assert_eq!(ids.iter().map(|(_, made)| made).collect::<BTreeSet<_>>().len(), 200);
}

#[test]
fn amounts_are_in_the_bucket_that_is_named() {
    let (before, after) = tables();
    let mut seen = BTreeSet::new();
    for (raw, made) in pairs(&before["amount"], &after["amount"]) {
        let cents: u64 = raw.replace('.', "").parse().expect("a decimal of scale 2");
        let expected = match cents {
            0..1_000 => "< 10",
            1_000..5_000 => "[10, 50)",
            5_000..10_000 => "[50, 100)",
            10_000..50_000 => "[100, 500)",
            _ => ">= 500",
        };
        assert_eq!(made, expected);
        seen.insert(expected);
    }
    assert!(seen.len() >= 4, "{seen:?}");
}
