//! Identifiers that begin with letters, found from their first digit.

use std::ops::Range;

use super::checksums::{mod_97_10, number};
use super::groups::{Separator, is_digit, is_word, separator, separator_before};
use super::kind::Kind;
use super::national::es_letter;

/// Hands to `found` each of them whose first digit is at `digit`.
pub(super) fn find(bytes: &[u8], digit: usize, mut found: impl FnMut(Kind, Range<usize>)) {
    let Some(last) = digit.checked_sub(1) else { return };
    if !bytes[last].is_ascii_alphabetic() {
        match separator_before(bytes, digit) {
            Some((Separator::Space, len)) => {
                found_from(uk_nino(bytes, digit, digit - len), Kind::UkNino, &mut found);
            }
            Some((Separator::Hyphen, 1)) => found_from(es_nie(bytes, digit, last), Kind::EsNie, &mut found),
            _ => {}
        }
        return;
    }
    match letters_before(bytes, digit) {
        1 => found_from(es_nie(bytes, digit, digit), Kind::EsNie, &mut found),
        2 => {
            found_from(iban(bytes, digit), Kind::Iban, &mut found);
            found_from(uk_nino(bytes, digit, digit), Kind::UkNino, &mut found);
        }
        letters @ 6..=15 => {
            found_from(it_codice_fiscale(bytes, digit - letters), Kind::ItCodiceFiscale, &mut found);
        }
        _ => {}
    }
}

fn found_from(range: Option<Range<usize>>, kind: Kind, found: &mut impl FnMut(Kind, Range<usize>)) {
    if let Some(range) = range {
        found(kind, range);
    }
}

/// How many letters of ASCII lead to `digit`; 0 where a digit leads to these, 16 for more than any identifier has.
fn letters_before(bytes: &[u8], digit: usize) -> usize {
    let letters = bytes[..digit].iter().rev().take(16).take_while(|byte| byte.is_ascii_alphabetic()).count();
    match digit.checked_sub(letters + 1) {
        Some(at) if bytes[at].is_ascii_digit() => 0,
        _ => letters,
    }
}

/// Two letters, six digits in one piece or in pairs, a letter from A to D; `letters_end` is where the two end.
fn uk_nino(bytes: &[u8], digit: usize, letters_end: usize) -> Option<Range<usize>> {
    let start = letters_end.checked_sub(2)?;
    let [first, second] = [bytes[start], bytes[start + 1]];
    // HMRC NIM39110: letters and pairs that are not used
    let is_prefix = first.is_ascii_uppercase()
        && second.is_ascii_uppercase()
        && !b"DFIQUV".contains(&first)
        && !b"DFIOQUV".contains(&second)
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].contains(&&[first, second]);
    if !is_prefix || is_word(start.checked_sub(1).and_then(|at| bytes.get(at))) {
        return None;
    }
    let mut at = digit;
    for pair in 0..3 {
        if let (1.., Some((Separator::Space, len))) = (pair, separator(bytes, at)) {
            at += len;
        }
        if !(is_digit(bytes.get(at)) && is_digit(bytes.get(at + 1))) {
            return None;
        }
        at += 2;
    }
    if let Some((Separator::Space, len)) = separator(bytes, at) {
        at += len;
    }
    let valid = matches!(bytes.get(at)?, b'A'..=b'D') && !is_word(bytes.get(at + 1));
    valid.then_some(start..at + 1)
}

/// X, Y or Z for 0, 1 or 2, seven digits, the letter; `letter_end` is where the first letter ends.
fn es_nie(bytes: &[u8], digit: usize, letter_end: usize) -> Option<Range<usize>> {
    let start = letter_end.checked_sub(1)?;
    let first = match bytes[start].to_ascii_uppercase() {
        letter @ b'X'..=b'Z' => letter - b'X',
        _ => return None,
    };
    let mut digits = [first; 8];
    for (place, byte) in digits[1..].iter_mut().zip(bytes.get(digit..digit + 7)?) {
        *place = byte.is_ascii_digit().then(|| byte - b'0')?;
    }
    let is_start = !is_word(start.checked_sub(1).and_then(|at| bytes.get(at)));
    es_letter(bytes, digit + 7, number(&digits)).filter(|_| is_start).map(|end| start..end)
}

/// Country, check digits, account; in one piece or in groups of four.
fn iban(bytes: &[u8], digit: usize) -> Option<Range<usize>> {
    let start = digit - 2;
    let country = [bytes[start].to_ascii_uppercase(), bytes[start + 1].to_ascii_uppercase()];
    let place = IBAN_LENGTHS.binary_search_by_key(&country, |&(country, _)| country).ok()?;
    let len = IBAN_LENGTHS[place].1;
    let mut code = [0; IBAN_LONGEST];
    let mut at = start;
    for (place, character) in code[..len].iter_mut().enumerate() {
        let between = separator(bytes, at).filter(|_| place > 0 && place % 4 == 0);
        if let Some((Separator::Space | Separator::Hyphen, len)) = between {
            at += len;
        }
        *character = *bytes.get(at).filter(|byte| byte.is_ascii_alphanumeric())?;
        at += 1;
    }
    let (head, account) = code[..len].split_at(4);
    // 00, 01 and 99 are never given, though they may pass
    let is_given = !matches!(&head[2..], b"00" | b"01" | b"99");
    let valid = is_given && mod_97_10(account.iter().chain(head).copied()) && !is_word(bytes.get(at));
    valid.then_some(start..at)
}

const IBAN_LONGEST: usize = 33;

/// Country and length, of the SWIFT IBAN registry, release 101.
#[rustfmt::skip]
const IBAN_LENGTHS: [([u8; 2], usize); 89] = [
    (*b"AD", 24), (*b"AE", 23), (*b"AL", 28), (*b"AT", 20), (*b"AZ", 28), (*b"BA", 20), (*b"BE", 16), (*b"BG", 22),
    (*b"BH", 22), (*b"BI", 27), (*b"BR", 29), (*b"BY", 28), (*b"CH", 21), (*b"CR", 22), (*b"CY", 28), (*b"CZ", 24),
    (*b"DE", 22), (*b"DJ", 27), (*b"DK", 18), (*b"DO", 28), (*b"EE", 20), (*b"EG", 29), (*b"ES", 24), (*b"FI", 18),
    (*b"FK", 18), (*b"FO", 18), (*b"FR", 27), (*b"GB", 22), (*b"GE", 22), (*b"GI", 23), (*b"GL", 18), (*b"GR", 27),
    (*b"GT", 28), (*b"HN", 28), (*b"HR", 21), (*b"HU", 28), (*b"IE", 22), (*b"IL", 23), (*b"IQ", 23), (*b"IS", 26),
    (*b"IT", 27), (*b"JO", 30), (*b"KW", 30), (*b"KZ", 20), (*b"LB", 28), (*b"LC", 32), (*b"LI", 21), (*b"LT", 20),
    (*b"LU", 20), (*b"LV", 21), (*b"LY", 25), (*b"MC", 27), (*b"MD", 24), (*b"ME", 22), (*b"MK", 19), (*b"MN", 20),
    (*b"MR", 27), (*b"MT", 31), (*b"MU", 30), (*b"NI", 28), (*b"NL", 18), (*b"NO", 15), (*b"OM", 23), (*b"PK", 24),
    (*b"PL", 28), (*b"PS", 29), (*b"PT", 25), (*b"QA", 29), (*b"RO", 24), (*b"RS", 22), (*b"RU", 33), (*b"SA", 24),
    (*b"SC", 31), (*b"SD", 18), (*b"SE", 24), (*b"SI", 19), (*b"SK", 24), (*b"SM", 27), (*b"SO", 23), (*b"ST", 25),
    (*b"SV", 28), (*b"TL", 23), (*b"TN", 24), (*b"TR", 26), (*b"UA", 29), (*b"VA", 22), (*b"VG", 24), (*b"XK", 20),
    (*b"YE", 30),
];

/// Six letters of the names, year, month, day, place, check letter; 16 characters from `start`.
///
/// Letters may stand for digits, from the right on, where two people would share a code (omocodia).
fn it_codice_fiscale(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let code = bytes.get(start..start + 16)?;
    let mut sum = 0;
    for (place, byte) in code[..15].iter().map(u8::to_ascii_uppercase).enumerate() {
        let fits = match place {
            6 | 7 | 9 | 10 | 12..=14 => byte.is_ascii_digit() || b"LMNPQRSTUV".contains(&byte),
            8 => b"ABCDEHLMPRST".contains(&byte),
            _ => byte.is_ascii_uppercase(),
        };
        let value = usize::from(if byte.is_ascii_digit() { byte - b'0' } else { byte.wrapping_sub(b'A') });
        if !fits {
            return None;
        }
        // places are counted from 1: the first is odd
        sum += if place % 2 == 0 { ODD_VALUES[value] } else { value };
    }
    let valid = usize::from(code[15].to_ascii_uppercase().wrapping_sub(b'A')) == sum % 26;
    (valid && !is_word(bytes.get(start + 16))).then_some(start..start + 16)
}

/// Of A to Z in odd places, and of 0 to 9 as of A to J: table of the Decreto ministeriale 23 dicembre 1976.
const ODD_VALUES: [usize; 26] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
