//! Canonical text back to values: the inverse of what [`canonical`](super::canonical) writes, and nothing wider.
//!
//! Each function here reads a little more than canonical text (leading zeros, a sign before zero); who calls writes
//! the value again and compares, so that exactly the canonical text of a value is taken as that value.

use arrow::datatypes::i256;

use super::calendar::NANOS_PER_DAY;

/// A decimal number's sign and digits: `-12.50` is negative, `12`, `50`.
struct Digits<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

impl<'a> Digits<'a> {
    fn of(text: &'a [u8]) -> Option<Self> {
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let (whole, fraction) = match rest.iter().position(|&byte| byte == b'.') {
            Some(point) => (&rest[..point], &rest[point + 1..]),
            None => (rest, &b""[..]),
        };
        let all_digits = [whole, fraction].into_iter().flatten().all(u8::is_ascii_digit);
        (all_digits && !whole.is_empty()).then_some(Self { negative, whole, fraction })
    }

    /// The digits of the unscaled integer, `number * 10^scale` cut to an integer.
    fn unscaled(&self, scale: i8) -> impl Iterator<Item = u8> {
        let wanted = self.whole.len().saturating_add_signed(scale.into());
        let digits = self.whole.iter().chain(self.fraction).map(|digit| digit - b'0');
        digits.chain(std::iter::repeat(0)).take(wanted)
    }
}

/// An integer of up to 128 bits.
pub(super) fn integer(text: &[u8]) -> Option<i128> {
    decimal_i128(text, 0)
}

/// The unscaled integer of a decimal of `scale`.
pub(super) fn decimal_i128(text: &[u8], scale: i8) -> Option<i128> {
    let digits = Digits::of(text)?;
    let sign = if digits.negative { -1 } else { 1 };
    // with its sign from the start, so that the least value needs no negation
    digits
        .unscaled(scale)
        .try_fold(0_i128, |number, digit| number.checked_mul(10)?.checked_add(sign * i128::from(digit)))
}

/// The unscaled integer of a decimal of `scale`.
pub(super) fn decimal_i256(text: &[u8], scale: i8) -> Option<i256> {
    let digits = Digits::of(text)?;
    let sign = if digits.negative { -1 } else { 1 };
    let ten = i256::from_i128(10);
    digits.unscaled(scale).try_fold(i256::ZERO, |number, digit| {
        number.checked_mul(ten)?.checked_add(i256::from_i128(sign * i128::from(digit)))
    })
}

/// `number` of all of `text`, which is nothing but digits.
fn number(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0_i64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// Days since 1970-01-01 of a `YYYY-MM-DD`, by Howard Hinnant's `days_from_civil` ("chrono-Compatible Low-Level Date
/// Algorithms"). A day that a month lacks is read as one of the next month.
pub(super) fn date(text: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let (year, month, day) = (number(&[y1, y2, y3, y4])?, number(&[m1, m2])?, number(&[d1, d2])?);
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let month_index = (month + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// Nanoseconds since midnight of a `HH:MM:SS[.f]`.
pub(super) fn time(text: &[u8]) -> Option<i64> {
    let (seconds, fraction) = text.split_at_checked(8)?;
    let &[h1, h2, b':', m1, m2, b':', s1, s2] = seconds else { return None };
    let seconds = number(&[h1, h2])? * 3_600 + number(&[m1, m2])? * 60 + number(&[s1, s2])?;
    let nanos = match fraction {
        [] => 0,
        [b'.', digits @ ..] if digits.len() <= 9 => number(digits)? * 10_i64.pow(9 - digits.len() as u32),
        _ => return None,
    };
    Some(seconds * 1_000_000_000 + nanos)
}

/// Ticks since 1970-01-01T00:00:00, each of `nanos_per_tick`, of a `YYYY-MM-DDTHH:MM:SS[.f]`, then `Z` if `zoned`.
pub(super) fn timestamp(text: &[u8], nanos_per_tick: i64, zoned: bool) -> Option<i64> {
    let text = if zoned { text.strip_suffix(b"Z")? } else { text };
    let (day, of_day) = text.split_at_checked(10)?;
    let of_day = time(of_day.strip_prefix(b"T")?)? / nanos_per_tick;
    // in 128 bits: a day's start may lie outside the range that the timestamp itself is within
    let ticks = i128::from(date(day)?) * i128::from(NANOS_PER_DAY / nanos_per_tick) + i128::from(of_day);
    i64::try_from(ticks).ok()
}

/// The bytes of a lower-case hyphenated UUID.
pub(super) fn uuid(text: &[u8]) -> Option<[u8; 16]> {
    let hyphens = [8, 13, 18, 23];
    if text.len() != 36 || hyphens.iter().any(|&at| text[at] != b'-') {
        return None;
    }
    let mut bytes = [0; 16];
    let mut digits = text.iter().enumerate().filter(|(at, _)| !hyphens.contains(at)).map(|(_, digit)| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    });
    for byte in &mut bytes {
        *byte = digits.next()?? << 4 | digits.next()??;
    }
    Some(bytes)
}
