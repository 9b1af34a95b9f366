//! Identifiers that check themselves: what FF1 makes of them is valid again.

use super::super::texts::Reason;
use super::Cipher;

/// The check digit of `digits`: with it appended, the sum of the digits, every second from the right doubled and its
/// own digits added, is a multiple of ten - ISO/IEC 7812-1, annex B (Luhn).
fn luhn_digit(digits: &[u16]) -> u16 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &digit)| match (at.is_multiple_of(2), u32::from(digit)) {
            (true, digit @ 5..) => digit * 2 - 9,
            (true, digit) => digit * 2,
            (false, digit) => digit,
        })
        .sum();
    ((10 - sum % 10) % 10) as u16
}

/// Replaces Luhn-valid digits by others: all but the last by the cipher, the last by what makes them valid.
pub(super) fn luhn(cipher: &Cipher<'_>, digits: &mut [u16]) -> Result<(), Reason> {
    let Some((last, body)) = digits.split_last_mut() else {
        return Err("it has no digits".into());
    };
    if *last != luhn_digit(body) {
        return Err("its digits are not valid by Luhn's formula".into());
    }
    cipher.run(body).map_err(|reason| format!("without its check digit, {reason}"))?;
    *last = luhn_digit(body);
    Ok(())
}

/// Country, check digits: what comes before the BBAN - ISO 13616-1.
const IBAN_HEAD: usize = 4;
/// Most characters of an IBAN - ISO 13616-1.
const IBAN_MAX: usize = 34;
/// Check digits that are made: 98 minus a remainder of 97.
const IBAN_CHECKS: std::ops::RangeInclusive<u32> = 2..=98;

/// The remainder by 97 of an IBAN read as a number: BBAN, country, `check`, a letter being 10 to 35 - ISO/IEC 7064.
fn mod_97(iban: &[u8], check: [u8; 2]) -> u32 {
    let bban = iban[IBAN_HEAD..].iter();
    bban.chain(&iban[..2]).chain(&check).fold(0, |remainder, byte| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        letter => (remainder * 100 + u32::from(letter - b'A') + 10) % 97,
    })
}

/// `text` in upper case without spaces, if that is a valid IBAN.
fn read_iban(text: &str) -> Result<Vec<u8>, Reason> {
    let iban: Vec<u8> =
        text.bytes().filter(|&byte| byte != b' ').map(|byte| byte.to_ascii_uppercase()).take(IBAN_MAX + 1).collect();
    if !(IBAN_HEAD + 1..=IBAN_MAX).contains(&iban.len()) {
        return Err(format!("an IBAN has {} to {IBAN_MAX} characters without spaces", IBAN_HEAD + 1).into());
    }
    if !iban.iter().all(u8::is_ascii_alphanumeric) {
        return Err("an IBAN has ASCII letters, digits and spaces only".into());
    }
    let [b'A'..=b'Z', b'A'..=b'Z', k1 @ b'0'..=b'9', k2 @ b'0'..=b'9', ..] = iban[..] else {
        return Err("an IBAN begins with two letters and two digits".into());
    };
    let check = u32::from(k1 - b'0') * 10 + u32::from(k2 - b'0');
    if !IBAN_CHECKS.contains(&check) || mod_97(&iban, [k1, k2]) != 1 {
        return Err("its check digits are not those of a valid IBAN".into());
    }
    Ok(iban)
}

/// Appends to `out` the IBAN with the digits of its BBAN replaced by the cipher and its check digits by valid ones.
pub(super) fn iban(cipher: &Cipher<'_>, text: &str, digits: &mut Vec<u16>, out: &mut String) -> Result<(), Reason> {
    let mut iban = read_iban(text)?;
    digits.clear();
    digits.extend(iban[IBAN_HEAD..].iter().filter(|byte| byte.is_ascii_digit()).map(|byte| u16::from(byte - b'0')));
    cipher.run(digits).map_err(|reason| format!("of the digits after its check digits, {reason}"))?;
    let places = iban[IBAN_HEAD..].iter_mut().filter(|byte| byte.is_ascii_digit());
    // a digit of radix 10 is one byte
    places.zip(&*digits).for_each(|(place, &digit)| *place = b'0' + digit as u8);
    let check = 98 - mod_97(&iban, *b"00");
    iban[2..IBAN_HEAD].copy_from_slice(&[b'0' + (check / 10) as u8, b'0' + (check % 10) as u8]);
    out.extend(iban.into_iter().map(char::from));
    Ok(())
}
