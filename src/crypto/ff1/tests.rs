use aes::{Aes128Enc, Aes192Enc};
use proptest::prelude::*;

use super::*;
use crate::crypto::vectors::{cases_of, unhex};

/// A sample of NIST's; key and tweak in hexadecimal, numerals as digits of base 36.
#[derive(serde::Deserialize)]
struct Sample {
    sample: u32,
    key: String,
    radix: u32,
    tweak: String,
    plaintext: String,
    ciphertext: String,
}

fn base_36(text: &str) -> Vec<u16> {
    text.chars().map(|digit| digit.to_digit(36).unwrap() as u16).collect()
}

#[test]
fn meets_the_samples_of_nist_with_each_size_of_key() {
    fn meet<C: BlockCipherEncrypt + KeyInit + Clone>(case: &Sample) {
        let ff1 = Ff1::<C>::with_cipher(&unhex(&case.key), case.radix).unwrap();
        let (tweak, plaintext, ciphertext) = (unhex(&case.tweak), base_36(&case.plaintext), base_36(&case.ciphertext));
        let mut numerals = plaintext.clone();
        ff1.encrypt(&tweak, &mut numerals).unwrap();
        assert_eq!(numerals, ciphertext, "sample {}", case.sample);
        ff1.decrypt(&tweak, &mut numerals).unwrap();
        assert_eq!(numerals, plaintext, "sample {}", case.sample);
    }
    let cases = cases_of::<Sample>("ff1-nist.json", "cases");
    assert_eq!(cases.iter().map(|case| case.sample).collect::<Vec<_>>(), (1..=9).collect::<Vec<_>>());
    for case in &cases {
        match case.key.len() / 2 {
            16 => meet::<Aes128Enc>(case),
            24 => meet::<Aes192Enc>(case),
            _ => meet::<Aes256Enc>(case),
        }
    }
}

fn key(radix: u32) -> Ff1Key {
    Ff1Key::new(b"thirty-two bytes of a test's key", radix).unwrap()
}

#[test]
fn the_least_length_has_a_million_strings_in_every_radix() {
    for radix in 2..=65_536 {
        let len = min_numerals(radix) as u32;
        assert!(u64::from(radix).pow(len) >= 1_000_000 && u64::from(radix).pow(len - 1) < 1_000_000, "{radix}");
        assert!(len >= 2, "FF1 has no strings of one numeral");
    }
    assert_eq!([2, 10, 16, 26, 62, 1000, 65_536].map(min_numerals), [20, 6, 5, 5, 4, 2, 2]);
}

#[test]
fn fail_what_is_too_short_too_long_or_outside_the_radix_and_leave_it_as_it_was() {
    let ten = key(10);
    for (mut numerals, error) in [
        (vec![], Ff1Error::TooShort { len: 0, min: 6, radix: 10 }),
        (vec![1; 5], Ff1Error::TooShort { len: 5, min: 6, radix: 10 }),
        (vec![1; 257], Ff1Error::TooLong(257)),
        (vec![1, 2, 3, 4, 5, 10], Ff1Error::Numeral(10)),
        (vec![10; 100], Ff1Error::Numeral(10)),
    ] {
        let before = numerals.clone();
        assert_eq!(ten.encrypt(b"", &mut numerals), Err(error));
        assert_eq!(ten.decrypt(b"", &mut numerals), Err(error));
        assert_eq!(numerals, before);
    }
    for radix in [0, 1, 65_537, u32::MAX] {
        assert_eq!(Ff1Key::new(&[0; 32], radix).unwrap_err(), Ff1Error::Radix(radix));
    }
    for len in [0, 16, 31, 33, 64] {
        assert_eq!(Ff1Key::new(&vec![0; len], 10).unwrap_err(), Ff1Error::KeyLength(len));
    }
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", key(10)), "Ff1(radix 10, redacted)");
}

#[test]
fn strings_of_one_length_are_permuted() {
    let two = key(2);
    let seen: std::collections::HashSet<Vec<u16>> = (0..1_u32 << 20)
        .step_by(97)
        .map(|bits| {
            let mut numerals: Vec<u16> = (0..20).map(|bit| (bits >> bit & 1) as u16).collect();
            two.encrypt(b"", &mut numerals).unwrap();
            numerals
        })
        .collect();
    assert_eq!(seen.len(), (0..1 << 20).step_by(97).count());
}

/// Where machine integers end, `Halves::of` gives up: of decimal digits, after 28 in a half.
#[test]
fn machine_integers_are_used_as_far_as_they_reach() {
    assert!(Halves::of(&[9; 56], 10).is_some() && Halves::of(&[9; 57], 10).is_none());
    assert!(Halves::of(&[1; 192], 2).is_some() && Halves::of(&[1; 193], 2).is_none());
    assert!(Halves::of(&[65_535; 12], 65_536).is_some() && Halves::of(&[65_535; 13], 65_536).is_none());
}

fn radix_and_numerals() -> impl Strategy<Value = (u32, Vec<u16>)> {
    let radix =
        prop_oneof![Just(2), Just(10), Just(16), Just(36), Just(62), Just(65_535), Just(65_536), 2..=65_536_u32];
    let len = prop_oneof![20..60_usize, 20..=256_usize, Just(56), Just(57), Just(256)];
    (radix, len).prop_flat_map(|(radix, len)| {
        let numeral = prop_oneof![0..radix, Just(radix - 1), Just(0)].prop_map(|numeral| numeral as u16);
        (Just(radix), proptest::collection::vec(numeral, min_numerals(radix)..=len))
    })
}

proptest! {
    /// The crate's own strings are arbitrarily wide: they are what machine integers are held against.
    #[test]
    fn equals_the_crates_own_strings_and_decrypts(
        (radix, plaintext) in radix_and_numerals(),
        tweak in proptest::collection::vec(any::<u8>(), 0..70),
    ) {
        let key = key(radix);
        let wide = key.cipher.encrypt(&tweak, &FlexibleNumeralString::from(plaintext.clone())).unwrap();
        let mut numerals = plaintext.clone();
        key.encrypt(&tweak, &mut numerals).unwrap();
        prop_assert_eq!(&numerals, &Vec::from(wide));
        key.decrypt(&tweak, &mut numerals).unwrap();
        prop_assert_eq!(numerals, plaintext);
    }
}
