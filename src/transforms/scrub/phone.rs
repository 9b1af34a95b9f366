//! Telephone numbers.

use std::ops::Range;

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumberFormat};

use super::groups::{Before, Group, Separator, is_digit, is_word, separator};
use crate::transforms::normalize::Region;

// As for `e164`: the library logs what it cannot read at trace level, which must not exist in this program.
const _: () = assert!((log::STATIC_MAX_LEVEL as usize) < log::LevelFilter::Trace as usize);

/// E.164 has 15 digits at most; one more for a trunk prefix in parentheses.
const DIGITS: usize = 16;
const GROUPS: usize = 10;
/// The shortest national number that is looked for.
const NATIONAL: usize = 6;
/// The shortest international number that is looked for, its country code included.
const INTERNATIONAL: usize = 8;

/// Digits in groups, with parentheses round one of them.
#[derive(Default)]
struct Dialled {
    groups: [Group; GROUPS],
    count: usize,
}

impl Dialled {
    /// Reads from `start`, a digit or an opening parenthesis.
    fn read(bytes: &[u8], start: usize) -> Self {
        let mut read = Self::default();
        let (mut at, mut total) = (start, 0);
        let mut is_open = bytes.get(at) == Some(&b'(');
        at += usize::from(is_open);
        while read.count < GROUPS {
            let len = bytes[at..].iter().take(DIGITS + 1 - total).take_while(|byte| byte.is_ascii_digit()).count();
            if len == 0 || total + len > DIGITS {
                return read;
            }
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
/// By length rather than by what is assigned: ranges open, and a number must not stay in the text until then.
pub(super) fn international(text: &str, plus: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let last = plus.checked_sub(1).and_then(|at| bytes.get(at));
    if is_word(last) || last == Some(&b'+') || !is_digit(bytes.get(plus + 1)) {
        return None;
    }
    let read = Dialled::read(bytes, plus + 1);
    let mut ends = read.ends(bytes, INTERNATIONAL);
    ends.find(|group| is_possible(&text[plus..group.end])).map(|group| plus..group.end)
}

fn is_possible(text: &str) -> bool {
    let number = PHONE_NUMBER_UTIL.parse(text, None);
    number.is_ok_and(|number| {
        PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) == Ok(NumberLengthType::IsPossible)
    })
}

/// The number that begins with the digits at `digit`, or with the parenthesis round the first of them.
fn read_from(bytes: &[u8], digit: usize, before: Before) -> Option<(usize, Dialled)> {
    if before != Before::Open {
        return None;
    }
    let parenthesis = digit.checked_sub(1).filter(|&at| bytes[at] == b'(');
    let in_parentheses = parenthesis.map(|at| (at, Dialled::read(bytes, at))).filter(|(_, read)| read.count > 0);
    Some(in_parentheses.unwrap_or_else(|| (digit, Dialled::read(bytes, digit))))
}

/// A North American number that begins with the digits at `digit`: `(212) 555-0142`, `212-555-0142`, with `1` before.
///
/// Area and exchange begin with 2 to 9 and are no service code such as 911 (NANPA, numbering plan).
pub(super) fn north_american(bytes: &[u8], digit: usize, before: Before) -> Option<Range<usize>> {
    let (start, read) = read_from(bytes, digit, before)?;
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
    let (start, read) = read_from(bytes, digit, before)?;
    if looks_like_date(&read.groups[..read.count]) {
        return None;
    }
    let mut ends = read.ends(bytes, NATIONAL).filter(|group| matches!(group.after, None | Some(Separator::Space)));
    ends.find(|group| regions.iter().any(|region| is_national(&text[start..group.end], *region)))
        .map(|group| start..group.end)
}

fn is_national(text: &str, region: Region) -> bool {
    let Ok(number) = PHONE_NUMBER_UTIL.parse(text, Some(region.library())) else { return false };
    if !number.is_valid() {
        return false;
    }
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
    let (written, national) = (digits(text), digits(&number.format_as(PhoneNumberFormat::National)));
    written == national
        || (written[0] == b'0' && written.ends_with(&digits(&number.format_as(PhoneNumberFormat::E164))))
}

/// `12.05.2024`, `5/12/24`, `2024-05-12`.
fn looks_like_date(groups: &[Group]) -> bool {
    let [a, b, c, ..] = groups else { return false };
    let same = a.after == b.after && matches!(a.after, Some(Separator::Dot | Separator::Slash | Separator::Hyphen));
    same && matches!([a.len, b.len, c.len], [1..=2, 1..=2, 2 | 4] | [4, 1..=2, 1..=2])
}
