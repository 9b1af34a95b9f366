//! Days since 1970-01-01 to and from dates of the proleptic Gregorian calendar, years 0001 to 9999.

use std::ops::RangeInclusive;

/// `0001-01-01` to `9999-12-31`, in days since 1970-01-01.
pub const DAYS: RangeInclusive<i64> = -719_162..=2_932_896;
/// Nanoseconds of one day: none has a leap second.
pub const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// A date as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    /// 1 to 9999 for days of [`DAYS`].
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
}

/// The date of `days` since 1970-01-01, by Howard Hinnant's `civil_from_days` ("chrono-Compatible Low-Level Date
/// Algorithms").
///
/// ```
/// use lakeveil::arrays::calendar::{Civil, civil_from_days};
/// assert_eq!(civil_from_days(-1), Civil { year: 1969, month: 12, day: 31 });
/// ```
#[inline]
pub fn civil_from_days(days: i64) -> Civil {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    Civil { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
}

/// Days since 1970-01-01 of a date, by Howard Hinnant's `days_from_civil`.
#[inline]
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Days of a month, 1 to 12.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether a year has a 29 February.
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Whether there is such a date, in years 0001 to 9999.
pub fn is_civil(year: i64, month: i64, day: i64) -> bool {
    (1..=9999).contains(&year) && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day)
}

/// Days since the Monday of its week, 0 to 6.
#[inline]
pub fn day_of_week(days: i64) -> i64 {
    // 1970-01-01 was a Thursday
    (days + 3).rem_euclid(7)
}

/// Year and number (1 to 53) of a day's week by ISO 8601: weeks begin on Monday and belong to the year of their
/// Thursday.
///
/// ```
/// use lakeveil::arrays::calendar::{days_from_civil, iso_week};
/// assert_eq!(iso_week(days_from_civil(2027, 1, 3)), (2026, 53));
/// ```
#[inline]
pub fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - day_of_week(days) + 3;
    let year = civil_from_days(thursday).year;
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_range_is_one_more_than_the_day_before_and_comes_back() {
        let mut expected = *DAYS.start();
        for year in 1..=9999 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    assert_eq!(days_from_civil(year, month, day), expected);
                    assert_eq!(civil_from_days(expected), Civil { year, month, day });
                    expected += 1;
                }
            }
        }
        assert_eq!(expected - 1, *DAYS.end());
    }

    #[test]
    fn days_that_do_not_exist_are_no_dates() {
        for (year, month, day) in [(0, 1, 1), (10_000, 1, 1), (2026, 0, 1), (2026, 13, 1), (2026, 1, 0), (1900, 2, 29)]
        {
            assert!(!is_civil(year, month, day), "{year} {month} {day}");
        }
        assert!(is_civil(2000, 2, 29) && is_civil(1, 1, 1) && is_civil(9999, 12, 31));
    }

    #[test]
    fn weeks_begin_on_monday_and_belong_to_the_year_of_their_thursday() {
        for (year, month, day, week) in [
            (1, 1, 1, (1, 1)),
            (1970, 1, 1, (1970, 1)),
            (2005, 1, 1, (2004, 53)),
            (2007, 1, 1, (2007, 1)),
            (2008, 12, 29, (2009, 1)),
            (2010, 1, 3, (2009, 53)),
            (2026, 11, 28, (2026, 48)),
            (9999, 12, 31, (9999, 52)),
        ] {
            assert_eq!(iso_week(days_from_civil(year, month, day)), week, "{year}-{month}-{day}");
        }
        let mut before = iso_week(*DAYS.start());
        for days in DAYS.skip(1) {
            let week = iso_week(days);
            assert!(if day_of_week(days) == 0 { week > before } else { week == before }, "{days}");
            before = week;
        }
    }
}
