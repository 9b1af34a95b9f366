//! Dates and times of ISO 8601 as people write them in text: proleptic Gregorian calendar, years 0001 to 9999.
//!
//! Own parsers, because what a typed text means is part of a token: it must not change with a library.

use super::calendar::{days_from_civil, is_civil};

/// A date and time as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Days since 1970-01-01.
    pub days: i64,
    /// Nanoseconds since midnight.
    pub nanos: i64,
    /// What the text says of its distance from UTC, in seconds to the east.
    pub offset: Option<i64>,
}

/// `YYYY-MM-DD` in days since 1970-01-01.
pub fn date(text: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let year = number(&[y1, y2, y3, y4])?;
    let month = number(&[m1, m2])?;
    let day = number(&[d1, d2])?;
    is_civil(year, month, day).then(|| days_from_civil(year, month, day))
}

/// `HH:MM[:SS[.f]]` in nanoseconds since midnight, f of up to nine digits.
pub fn time(text: &[u8]) -> Option<i64> {
    let (minutes, rest) = text.split_at_checked(5)?;
    let &[h1, h2, b':', m1, m2] = minutes else { return None };
    let (hour, minute) = (number(&[h1, h2])?, number(&[m1, m2])?);
    let (second, nanos) = match rest {
        [] => (0, 0),
        &[b':', s1, s2] => (number(&[s1, s2])?, 0),
        &[b':', s1, s2, b'.', ref fraction @ ..] if (1..=9).contains(&fraction.len()) => {
            (number(&[s1, s2])?, number(fraction)? * 10_i64.pow(9 - fraction.len() as u32))
        }
        _ => return None,
    };
    let is_time = hour < 24 && minute < 60 && second < 60;
    is_time.then_some(((hour * 60 + minute) * 60 + second) * 1_000_000_000 + nanos)
}

/// A date, `T`, `t` or one blank, a time, and `Z`, `z`, `+HH:MM`, `+HHMM`, `+HH` or nothing; or a date alone, which is
/// its midnight.
pub fn stamp(text: &[u8]) -> Option<Stamp> {
    let (day, rest) = text.split_at_checked(10)?;
    let days = date(day)?;
    let rest = match rest {
        [] => return Some(Stamp { days, nanos: 0, offset: None }),
        [b'T' | b't' | b' ', rest @ ..] => rest,
        _ => return None,
    };
    let zone = rest.iter().position(|b| matches!(b, b'Z' | b'z' | b'+' | b'-')).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone);
    Some(Stamp { days, nanos: time(clock)?, offset: offset(zone)? })
}

/// The inner `None` is no zone at all.
fn offset(zone: &[u8]) -> Option<Option<i64>> {
    let (sign, digits) = match zone {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match *digits {
        [h1, h2] => (number(&[h1, h2])?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (number(&[h1, h2])?, number(&[m1, m2])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(Some(sign * (hours * 60 + minutes) * 60))
}

/// ASCII digits only, at most nine.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

#[cfg(test)]
mod tests {
    use super::super::calendar::NANOS_PER_DAY;
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;

    #[test]
    fn known_dates() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("0001-01-01", -719_162),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(date(text.as_bytes()), Some(days), "{text}");
        }
    }

    #[test]
    fn days_that_do_not_exist_and_other_forms_are_no_dates() {
        for text in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-04-31",
            "2026-01-00",
            "0000-01-01",
            "26-01-01",
            "2026-1-1",
            "2026/01/01",
            "20260101",
            "+026-01-01",
            "2026-01-01 ",
            "",
        ] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn known_times() {
        for (text, nanos) in [
            ("00:00", 0),
            ("13:00:00", 13 * HOUR),
            ("23:59:59.999999999", NANOS_PER_DAY - 1),
            ("01:00:00.5", HOUR + 500_000_000),
        ] {
            assert_eq!(time(text.as_bytes()), Some(nanos), "{text}");
        }
        for text in ["24:00:00", "23:60", "23:59:60", "1:00", "01:00:00.", "01:00:00.1234567890", "01:00:00,5", "0100"]
        {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn known_stamps() {
        let stamped = |nanos, offset| Some(Stamp { days: 0, nanos, offset });
        for (text, expected) in [
            ("1970-01-01", stamped(0, None)),
            ("1970-01-01T01:00", stamped(HOUR, None)),
            ("1970-01-01 01:00:00.5", stamped(HOUR + 500_000_000, None)),
            ("1970-01-01T01:00:00Z", stamped(HOUR, Some(0))),
            ("1970-01-01t01:00:00z", stamped(HOUR, Some(0))),
            ("1970-01-01T01:00:00+02:00", stamped(HOUR, Some(7_200))),
            ("1970-01-01T01:00:00-0530", stamped(HOUR, Some(-19_800))),
            ("1970-01-01T01:00:00+01", stamped(HOUR, Some(3_600))),
            ("1970-01-01Z", None),
            ("1970-01-01T", None),
            ("1970-01-01T01:00:00 Z", None),
            ("1970-01-01T01:00:00+24:00", None),
            ("1970-01-01T01:00:00+1", None),
            ("1970-01-01  01:00", None),
        ] {
            assert_eq!(stamp(text.as_bytes()), expected, "{text}");
        }
    }
}
