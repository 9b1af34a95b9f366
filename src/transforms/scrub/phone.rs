//! Telephone numbers.

use std::ops::Range;
use std::sync::LazyLock;

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat};

use super::checksums::number;
use super::groups::{Before, Group, Separator, is_digit, is_word, separator};
use crate::transforms::normalize::Region;

// As for `e164`: the library logs what it cannot read at trace level, which must not exist in this program.
const _: () = assert!((log::STATIC_MAX_LEVEL as usize) < log::LevelFilter::Trace as usize);

/// Digits of the longest number, its country code included.
const E164: u32 = 15;
/// One more, for a trunk prefix in parentheses.
const DIGITS: usize = E164 as usize + 1;
const GROUPS: usize = 10;
/// The shortest national number that is looked for.
const NATIONAL: usize = 6;
/// The shortest international number that is looked for, its country code included.
const INTERNATIONAL: usize = 8;

/// Digits in groups, with parentheses round one of them.
#[derive(Default)]
struct Dialled {
    digits: [u8; DIGITS],
    groups: [Group; GROUPS],
    count: usize,
}

impl Dialled {
    /// Reads up to `most` groups from `start`, a digit or an opening parenthesis.
    fn read(bytes: &[u8], start: usize, most: usize) -> Self {
        let mut read = Self::default();
        let (mut at, mut total) = (start, 0);
        let mut is_open = bytes.get(at) == Some(&b'(');
        at += usize::from(is_open);
        while read.count < most {
            let len = bytes[at..].iter().take(DIGITS + 1 - total).take_while(|byte| byte.is_ascii_digit()).count();
            if len == 0 || total + len > DIGITS {
                return read;
            }
            let digits = read.digits[total..].iter_mut().zip(&bytes[at..at + len]);
            digits.for_each(|(digit, byte)| *digit = byte - b'0');
            at += len;
            total += len;
            let mut end = at;
            if is_open {
                if bytes.get(at) != Some(&b')') {
                    return read;
                }
                at += 1;
                end = at;
            }
            let between = separator(bytes, at).filter(|(separator, _)| *separator != Separator::Plus);
            let next = at + between.map_or(0, |(_, len)| len);
            let opens = bytes.get(next) == Some(&b'(');
            let goes_on = is_digit(bytes.get(next + usize::from(opens)));
            let after = between.filter(|_| goes_on).map(|(separator, _)| separator);
            read.groups[read.count] = Group { len, total, end, after };
            read.count += 1;
            if !goes_on {
                return read;
            }
            is_open = opens;
            at = next + usize::from(opens);
        }
        read
    }

    /// Where a number of at least `digits` digits may end, the longest first.
    fn ends(&self, bytes: &[u8], digits: usize) -> impl Iterator<Item = &Group> {
        let groups = self.groups[..self.count].iter().rev();
        groups.filter(move |group| group.total >= digits && !is_word(bytes.get(group.end)))
    }
}

/// The international number whose `+` is at `plus`: 8 to 15 digits, in a length that its country has.
///
/// By length, as libphonenumber's metadata have it, rather than by what is assigned: ranges open, and a number must not
/// stay in the text until the library knows.
pub(super) fn international(text: &str, plus: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let last = plus.checked_sub(1).and_then(|at| bytes.get(at));
    if is_word(last) || last == Some(&b'+') || !is_digit(bytes.get(plus + 1)) {
        return None;
    }
    let read = Dialled::read(bytes, plus + 1, GROUPS);
    let mut ends = read.ends(bytes, INTERNATIONAL);
    ends.find(|group| is_possible(&read.digits[..group.total])).map(|group| plus..group.end)
}

/// By country code, a bit for each number of digits that a whole number behind it may have.
static LENGTHS: LazyLock<Vec<u32>> = LazyLock::new(|| {
    let mut lengths = vec![0; 1000];
    let (geographic, global) = (
        PHONE_NUMBER_UTIL.get_supported_calling_codes(),
        PHONE_NUMBER_UTIL.get_supported_global_network_calling_codes(),
    );
    for country_code in geographic.chain(global) {
        let Some(lengths) = usize::try_from(country_code).ok().and_then(|code| lengths.get_mut(code)) else { continue };
        for len in 2..=E164 {
            let number = PhoneNumber { country_code, national_number: 10_u64.pow(len - 1), ..Default::default() };
            let is_possible = PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number);
            *lengths |= u32::from(is_possible == Ok(NumberLengthType::IsPossible)) << len;
        }
    }
    lengths
});

/// Whether behind the country code there are as many digits as its numbers have, and perhaps a 0 before these, as in
/// `+44 (0)20`.
fn is_possible(digits: &[u8]) -> bool {
    // no country code begins another
    let code = (1..=3).map(|len| (len, LENGTHS[number(&digits[..len]) as usize])).find(|(_, lengths)| *lengths != 0);
    code.is_some_and(|(len, lengths)| {
        let national = &digits[len..];
        let has = |len: usize| lengths >> len & 1 == 1;
        has(national.len()) || (national[0] == 0 && has(national.len() - 1))
    })
}

/// The number that begins with the digits at `digit`, or with the parenthesis round the first of them.
fn read_from(bytes: &[u8], digit: usize, before: Before, most: usize) -> Option<(usize, Dialled)> {
    if before != Before::Open {
        return None;
    }
    let parenthesis = digit.checked_sub(1).filter(|&at| bytes[at] == b'(');
    let in_parentheses = parenthesis.map(|at| (at, Dialled::read(bytes, at, most))).filter(|(_, read)| read.count > 0);
    Some(in_parentheses.unwrap_or_else(|| (digit, Dialled::read(bytes, digit, most))))
}

/// A North American number that begins with the digits at `digit`: `(212) 555-0142`, `212-555-0142`, with `1` before.
///
/// Area and exchange begin with 2 to 9 and are no service code such as 911 (NANPA, numbering plan).
pub(super) fn north_american(bytes: &[u8], digit: usize, before: Before) -> Option<Range<usize>> {
    // three digits or the 1, and what may follow these
    let fits = match bytes[digit..] {
        [b'1', next, ..] => !next.is_ascii_alphanumeric(),
        [b'2'..=b'9', _, _, next, ..] => !next.is_ascii_alphanumeric(),
        _ => false,
    };
    if !fits {
        return None;
    }
    let (start, read) = read_from(bytes, digit, before, 4)?;
    let groups = &read.groups[..read.count];
    let is_country = groups.first()?.len == 1 && bytes[digit] == b'1' && start == digit;
    let [area, exchange, line, ..] = groups.get(usize::from(is_country)..)? else { return None };
    let in_parentheses = |group: &Group| bytes[group.end - 1] == b')';
    let is_code = |group: &Group| {
        let end = group.end - usize::from(in_parentheses(group));
        group.len == 3 && matches!(bytes[end - 3], b'2'..=b'9') && bytes[end - 2..end] != *b"11"
    };
    let is_separated = |group: &Group| {
        matches!(group.after, Some(Separator::Space | Separator::Hyphen | Separator::Dot)) || in_parentheses(group)
    };
    let valid = [area, exchange].into_iter().all(|group| is_code(group) && is_separated(group))
        && line.len == 4
        && !in_parentheses(line)
        && matches!(line.after, None | Some(Separator::Space))
        && !is_word(bytes.get(line.end));
    valid.then_some(start..line.end)
}

/// A number as one of `regions` writes it, with its trunk or its international prefix, that begins with the digits at
/// `digit`; valid by the numbering plan that the library knows.
pub(super) fn national(text: &str, digit: usize, before: Before, regions: &[Region]) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if regions.is_empty() {
        return None;
    }
    let (start, read) = read_from(bytes, digit, before, GROUPS)?;
    if looks_like_date(&read.groups[..read.count]) {
        return None;
    }
    let mut ends = read.ends(bytes, NATIONAL).filter(|group| matches!(group.after, None | Some(Separator::Space)));
    ends.find(|group| regions.iter().any(|region| is_national(&text[start..group.end], *region)))
        .map(|group| start..group.end)
}

fn is_national(text: &str, region: Region) -> bool {
    let Ok(parsed) = PHONE_NUMBER_UTIL.parse(text, Some(region.library())) else { return false };
    if !parsed.is_valid() {
        return false;
    }
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
    let (written, national) = (digits(text), digits(&parsed.format_as(PhoneNumberFormat::National)));
    written == national
        || (written[0] == b'0' && written.ends_with(&digits(&parsed.format_as(PhoneNumberFormat::E164))))
}

/// `12.05.2024`, `5/12/24`, `2024-05-12`.
fn looks_like_date(groups: &[Group]) -> bool {
    let [a, b, c, ..] = groups else { return false };
    let same = a.after == b.after && matches!(a.after, Some(Separator::Dot | Separator::Slash | Separator::Hyphen));
    same && matches!([a.len, b.len, c.len], [1..=2, 1..=2, 2 | 4] | [4, 1..=2, 1..=2])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the library's own reading, which is too slow to be done for each number.
    #[test]
    fn lengths_are_those_that_the_library_finds_possible() {
        let (mut possible, mut impossible) = (0, 0);
        for country in PHONE_NUMBER_UTIL.get_supported_calling_codes() {
            for len in 5..=12 {
                let text = format!("+{country}{}", &"2345678923456789"[..len]);
                let Ok(parsed) = PHONE_NUMBER_UTIL.parse(&text, None) else { continue };
                if parsed.national_number.to_string().len() != len {
                    continue; // its first digits were read as a prefix
                }
                let theirs = PHONE_NUMBER_UTIL.is_possible_number_with_reason(&parsed);
                let theirs = theirs == Ok(NumberLengthType::IsPossible);
                let digits: Vec<u8> = text[1..].bytes().map(|byte| byte - b'0').collect();
                assert_eq!(is_possible(&digits), theirs, "{text}");
                *(if theirs { &mut possible } else { &mut impossible }) += 1;
            }
        }
        assert!(possible > 300 && impossible > 300, "{possible} {impossible}");
    }

    #[test]
    fn a_trunk_zero_may_stand_behind_the_country() {
        let whole = |text: &str| international(text, 0) == Some(0..text.len());
        assert!(whole("+44 (0)20 7946 0958") && whole("+44 020 7946 0958") && whole("+39 06 698 12345"));
        assert!(!whole("+44 (0)20 7946 09581") && !whole("+1 0212 555 01421"));
    }
}
