//! Dates and times as text: ISO 8601, proleptic Gregorian calendar, years 0001 to 9999.

use super::calendar::{Civil, DAYS, NANOS_PER_DAY, civil_from_days};

/// The `width` last decimal digits of `number`, which is not negative.
pub(super) fn push_padded(out: &mut Vec<u8>, mut number: i64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    for slot in out[start..].iter_mut().rev() {
        *slot = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// `YYYY-MM-DD` of `days` since 1970-01-01; false, and nothing pushed, outside years 0001 to 9999.
pub(super) fn push_date(out: &mut Vec<u8>, days: i64) -> bool {
    if !DAYS.contains(&days) {
        return false;
    }
    let Civil { year, month, day } = civil_from_days(days);
    push_padded(out, year, 4);
    out.push(b'-');
    push_padded(out, month, 2);
    out.push(b'-');
    push_padded(out, day, 2);
    true
}

/// `HH:MM:SS[.f]` of nanoseconds since midnight, `f` without trailing zeros; false outside one day.
pub(super) fn push_time(out: &mut Vec<u8>, nanos: i64) -> bool {
    if !(0..NANOS_PER_DAY).contains(&nanos) {
        return false;
    }
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    push_padded(out, seconds / 3_600, 2);
    out.push(b':');
    push_padded(out, seconds / 60 % 60, 2);
    out.push(b':');
    push_padded(out, seconds % 60, 2);
    if fraction != 0 {
        out.push(b'.');
        push_padded(out, fraction, 9);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
    true
}

/// `YYYY-MM-DDTHH:MM:SS[.f]` of `ticks` since 1970-01-01T00:00:00, each of `nanos_per_tick`, then `Z` if `zoned`.
pub(super) fn push_timestamp(out: &mut Vec<u8>, ticks: i64, nanos_per_tick: i64, zoned: bool) -> bool {
    let ticks_per_day = NANOS_PER_DAY / nanos_per_tick;
    if !push_date(out, ticks.div_euclid(ticks_per_day)) {
        return false;
    }
    out.push(b'T');
    push_time(out, ticks.rem_euclid(ticks_per_day) * nanos_per_tick);
    if zoned {
        out.push(b'Z');
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_DAY: i64 = *DAYS.start();
    const LAST_DAY: i64 = *DAYS.end();

    fn date(days: i64) -> Option<String> {
        let mut out = Vec::new();
        push_date(&mut out, days).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn dates_at_the_ends_of_the_range_and_around_leap_days() {
        assert_eq!(date(0).as_deref(), Some("1970-01-01"));
        assert_eq!(date(-1).as_deref(), Some("1969-12-31"));
        assert_eq!(date(11_016).as_deref(), Some("2000-02-29"));
        assert_eq!(date(FIRST_DAY).as_deref(), Some("0001-01-01"));
        assert_eq!(date(LAST_DAY).as_deref(), Some("9999-12-31"));
        assert_eq!(date(FIRST_DAY - 1), None);
        assert_eq!(date(LAST_DAY + 1), None);
        assert_eq!(date(i64::MIN), None);
        assert_eq!(date(i64::MAX), None);
    }

    #[test]
    fn every_day_of_the_range_follows_the_day_before() {
        let mut before = date(FIRST_DAY).unwrap();
        for day in FIRST_DAY + 1..=LAST_DAY {
            let today = date(day).unwrap();
            assert!(today > before, "{before} then {today}");
            before = today;
        }
    }

    #[test]
    fn timestamps_before_1970_floor() {
        let mut out = Vec::new();
        assert!(push_timestamp(&mut out, -1, 1_000_000, false));
        assert_eq!(out, b"1969-12-31T23:59:59.999");
    }

    #[test]
    fn fractions_lose_trailing_zeros_and_vanish_at_zero() {
        let text = |nanos| {
            let mut out = Vec::new();
            assert!(push_timestamp(&mut out, nanos, 1, true));
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(1_500_000_000), "1970-01-01T00:00:01.5Z");
        assert_eq!(text(1_000_000_000), "1970-01-01T00:00:01Z");
        assert_eq!(text(1), "1970-01-01T00:00:00.000000001Z");
    }
}
