//! National identifiers that begin with a digit. Where a form comes from: [`Kind`].

use super::checksums::{is_date, luhn, mod_11_10, number, verhoeff, weighted};
use super::groups::{Before, Groups, Separator, is_word, separator};
use super::kind::Kind;

use Separator::{Dot, Hyphen, Plus, Space};

/// Hands to `found` each of them that begins at `start`, whose groups of digits `groups` holds.
pub(super) fn find(bytes: &[u8], start: usize, before: Before, groups: &Groups, mut found: impl FnMut(Kind, usize)) {
    if matches!(before, Before::Letter | Before::Decimal) {
        return;
    }
    let open = before == Before::Open;
    // in one piece it may follow a hyphen, in groups it would be a part of a longer number
    let grouped = |lens: &[usize], separators| groups.grouped(lens, separators).filter(|_| open);
    let any = |lens: &[usize], separators| groups.grouped_by_any(lens, separators).filter(|_| open);
    let mut check = |kind, end: Option<usize>, len: usize, valid: fn(&[u8]) -> bool| {
        if let Some(end) = end.filter(|_| valid(groups.digits(len)) && !is_in_uuid(bytes, start)) {
            found(kind, end);
        }
    };
    let Some(first) = groups.groups().first() else { return };
    match first.len {
        1 => {}
        2 => {
            check(Kind::DeSteuerId, grouped(&[2, 3, 3, 3], &[Space]), 11, de_steuer_id);
        }
        3 => {
            check(Kind::BrCpf, any(&[3, 3, 3, 2], &[Dot, Space, Hyphen]), 11, br_cpf);
            check(Kind::UkNhs, grouped(&[3, 3, 4], &[Space, Hyphen]), 10, uk_nhs);
            check(Kind::NlBsn, grouped(&[3, 3, 3], &[Space, Dot]), 9, nl_bsn);
            check(Kind::CaSin, grouped(&[3, 3, 3], &[Space, Hyphen]), 9, ca_sin);
            check(Kind::UsSsn, grouped(&[3, 2, 4], &[Space, Hyphen]), 9, us_ssn);
        }
        4 => {
            check(Kind::InAadhaar, grouped(&[4, 4, 4], &[Space, Hyphen]), 12, in_aadhaar);
            check(Kind::NlBsn, grouped(&[4, 2, 3], &[Space, Dot]), 9, nl_bsn);
        }
        6 => {
            check(Kind::NoFodselsnummer, grouped(&[6, 5], &[Space, Hyphen]), 11, no_fodselsnummer);
            check(Kind::SePersonnummer, grouped(&[6, 4], &[Hyphen, Plus]), 10, se_personnummer);
            check(Kind::DkCpr, grouped(&[6, 4], &[Hyphen]), 10, dk_cpr);
        }
        8 => {
            check(Kind::SePersonnummer, grouped(&[8, 4], &[Hyphen, Plus]), 12, se_personnummer);
        }
        9 => {
            check(Kind::NlBsn, groups.plain(9), 9, nl_bsn);
            check(Kind::CaSin, groups.plain(9), 9, ca_sin);
        }
        10 => {
            check(Kind::SePersonnummer, groups.plain(10), 10, se_personnummer);
            check(Kind::UkNhs, groups.plain(10), 10, uk_nhs);
        }
        11 => {
            check(Kind::BrCpf, groups.plain(11), 11, br_cpf);
            check(Kind::NoFodselsnummer, groups.plain(11), 11, no_fodselsnummer);
            check(Kind::PlPesel, groups.plain(11), 11, pl_pesel);
            check(Kind::DeSteuerId, groups.plain(11), 11, de_steuer_id);
        }
        12 => {
            check(Kind::SePersonnummer, groups.plain(12), 12, se_personnummer);
            check(Kind::InAadhaar, groups.plain(12), 12, in_aadhaar);
        }
        _ => {}
    }
    if let Some(end) = fi_hetu(bytes, start, first.len) {
        found(Kind::FiHetu, end);
    }
    if let Some(end) = es_dni(bytes, groups).filter(|_| open || first.len == 8) {
        found(Kind::EsDni, end);
    }
    if let Some(end) = fr_nir(bytes, start).filter(|_| open || first.len > 4) {
        found(Kind::FrNir, end);
    }
}

/// Where the parts of a UUID begin.
const UUID_PARTS: [usize; 5] = [0, 9, 14, 19, 24];

/// Whether the number is a part of a UUID, or some of its parts.
fn is_in_uuid(bytes: &[u8], start: usize) -> bool {
    let is_uuid = |from: usize| {
        let uuid = bytes.get(from..from + 36);
        uuid.is_some_and(|uuid| {
            uuid.iter().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
        })
    };
    UUID_PARTS.iter().filter_map(|part| start.checked_sub(*part)).any(is_uuid)
}

/// Two digits as a number.
fn pair(digits: &[u8], at: usize) -> u32 {
    u32::from(digits[at]) * 10 + u32::from(digits[at + 1])
}

/// A day whose century is not known: 29 February in every fourth year.
fn is_day_of_some_century(year: u32, month: u32, day: u32) -> bool {
    is_date(if year == 0 { 2000 } else { 1900 + year }, month, day)
}

/// No two differ: a check digit is met by chance by few of these, and none of them is anybody's number.
fn all_alike(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair[0] == pair[1])
}

/// Area not 000, 666 or 900 to 999, group not 00, serial not 0000.
fn us_ssn(digits: &[u8]) -> bool {
    let area = number(&digits[..3]);
    area != 0 && area != 666 && area < 900 && pair(digits, 3) != 0 && number(&digits[5..]) != 0
}

/// Weights 10 to 2; 11 less the remainder is the check digit, 11 meaning 0 and 10 meaning none.
fn uk_nhs(digits: &[u8]) -> bool {
    !all_alike(digits) && weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// MOD 11,10; of the first ten digits exactly one occurs twice or three times, the first of all is not 0.
pub(super) fn de_steuer_id(digits: &[u8]) -> bool {
    let mut counts = [0; 10];
    digits[..10].iter().for_each(|&digit| counts[usize::from(digit)] += 1);
    let repeated = |count: &&u8| **count > 1;
    digits[0] != 0
        && counts.iter().filter(repeated).count() == 1
        && counts.iter().all(|&count| count <= 3)
        && mod_11_10(digits)
}

/// The month tells the century by steps of 20 from 1900; weights 1 3 7 9.
fn pl_pesel(digits: &[u8]) -> bool {
    let month = pair(digits, 2);
    let century = [1900, 2000, 2100, 2200, 1800][(month / 20) as usize];
    is_date(century + pair(digits, 0), month % 20, pair(digits, 4))
        && weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

/// Weights 9 to 2, and -1 for the last digit: 10, mod 11.
fn nl_bsn(digits: &[u8]) -> bool {
    !all_alike(digits) && weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2, 10]).is_multiple_of(11)
}

/// Of 12 digits the first two are the century; a samordningsnummer adds 60 to the day.
fn se_personnummer(digits: &[u8]) -> bool {
    let short = &digits[digits.len() - 10..];
    let (year, month) = (pair(short, 0), pair(short, 2));
    let day = match pair(short, 4) {
        day @ 61.. => day - 60,
        day => day,
    };
    let is_day = match digits.len() {
        12 => (18..=20).contains(&pair(digits, 0)) && is_date(pair(digits, 0) * 100 + year, month, day),
        _ => is_day_of_some_century(year, month, day),
    };
    is_day && luhn(short)
}

/// A D-nummer adds 40 to the day; months over 40 and over 80 are those of help numbers and of test persons.
fn no_fodselsnummer(digits: &[u8]) -> bool {
    let day = match pair(digits, 0) {
        day @ 41..=71 => day - 40,
        day => day,
    };
    let month = match pair(digits, 2) {
        month @ 81..=92 => month - 80,
        month @ 41..=52 => month - 40,
        month => month,
    };
    is_day_of_some_century(pair(digits, 4), month, day)
        && weighted(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

fn dk_cpr(digits: &[u8]) -> bool {
    is_day_of_some_century(pair(digits, 4), pair(digits, 2), pair(digits, 0))
}

/// Weights 10 to 2, then 11 to 2; 11 less the remainder is the check digit, 10 and 11 meaning 0.
fn br_cpf(digits: &[u8]) -> bool {
    let check = |weights: &[u8]| match weighted(digits, weights) % 11 {
        0 | 1 => 0,
        remainder => 11 - remainder,
    };
    !all_alike(digits)
        && check(&[10, 9, 8, 7, 6, 5, 4, 3, 2]) == u32::from(digits[9])
        && check(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) == u32::from(digits[10])
}

/// Does not begin with 0 or 1 and is no palindrome.
fn in_aadhaar(digits: &[u8]) -> bool {
    digits[0] > 1 && !digits.iter().eq(digits.iter().rev()) && verhoeff(digits)
}

/// Not of an enterprise, which begin with 8.
fn ca_sin(digits: &[u8]) -> bool {
    digits[0] != 8 && !all_alike(digits) && luhn(digits)
}

/// `DDMMYY`, the sign of the century, three digits from 002 on, the nine digits mod 31 as a character.
fn fi_hetu(bytes: &[u8], start: usize, first_len: usize) -> Option<usize> {
    let (code, end) = (bytes.get(start..start + 11).filter(|_| first_len == 6)?, start + 11);
    let mut digits = [0; 9];
    for (digit, byte) in digits.iter_mut().zip(code[..6].iter().chain(&code[7..10])) {
        *digit = byte.is_ascii_digit().then(|| byte - b'0')?;
    }
    let century = match code[6].to_ascii_uppercase() {
        b'+' => 1800,
        b'-' | b'U'..=b'Y' => 1900,
        b'A'..=b'F' => 2000,
        _ => return None,
    };
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY"[(number(&digits) % 31) as usize];
    let valid = is_date(century + pair(&digits, 4), pair(&digits, 2), pair(&digits, 0))
        && number(&digits[6..]) >= 2
        && code[10].to_ascii_uppercase() == check;
    (valid && !is_word(bytes.get(end))).then_some(end)
}

/// The check letter of a DNI or NIE by its number.
const ES_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// The end of the letter after `at`, with or without a hyphen before it, if it is the one of `number`.
pub(super) fn es_letter(bytes: &[u8], at: usize, number: u64) -> Option<usize> {
    let at = if bytes.get(at) == Some(&b'-') { at + 1 } else { at };
    let letter = ES_LETTERS[(number % 23) as usize];
    let valid = bytes.get(at)?.to_ascii_uppercase() == letter && !is_word(bytes.get(at + 1));
    valid.then_some(at + 1)
}

/// Eight digits, in one piece or `12.345.678`, and the letter.
fn es_dni(bytes: &[u8], groups: &Groups) -> Option<usize> {
    let end = match groups.groups() {
        [one, ..] if one.len == 8 => one.end,
        [a, b, c, ..] if (a.len, b.len, c.len) == (2, 3, 3) && a.after == Some(Dot) && b.after == Some(Dot) => c.end,
        _ => return None,
    };
    es_letter(bytes, end, number(groups.digits(8)))
}

/// Sex, year, month, department (or `2A`, `2B`), commune, order, key; spaces between all, or before the key, or none.
fn fr_nir(bytes: &[u8], start: usize) -> Option<usize> {
    if !matches!(bytes.get(start)?, b'1'..=b'4' | b'7' | b'8') {
        return None;
    }
    let mut code = [0; 15];
    let mut at = start;
    for place in 0..15 {
        if let (1 | 3 | 5 | 7 | 10 | 13, Some((Space | Dot, len))) = (place, separator(bytes, at)) {
            at += len;
        }
        code[place] = match bytes.get(at)? {
            digit @ b'0'..=b'9' => digit - b'0',
            // they count as the departments 19 and 18
            b'A' | b'a' if place == 6 && code[5] == 2 => {
                code[5] = 1;
                9
            }
            b'B' | b'b' if place == 6 && code[5] == 2 => {
                code[5] = 1;
                8
            }
            _ => return None,
        };
        at += 1;
    }
    // the months from 20 on stand for one that is not known
    let is_month = matches!(pair(&code, 3), 1..=12 | 20..=42 | 50..=99);
    let valid = is_month && u64::from(pair(&code, 13)) == 97 - number(&code[..13]) % 97;
    (valid && !is_word(bytes.get(at))).then_some(at)
}
