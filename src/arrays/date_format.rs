//! Dates in text by a format in the manner of `strftime` (ISO C, POSIX): the part of it that can be read and printed
//! back exactly.

mod parse;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::str::FromStr;

use super::calendar::{Civil, DAYS, civil_from_days, days_from_civil, is_civil, is_leap};
use super::temporal::push_padded;
pub use parse::DateFormatError;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// How dates are written in a text column.
///
/// | field | text |
/// |---|---|
/// | `%Y` | year, four digits, 0001 to 9999 |
/// | `%y` | last two digits of a year from 1969 to 2068, as POSIX reads them |
/// | `%m`, `%-m` | month, two digits; without a leading zero |
/// | `%b`, `%B` | month in English, `Jan`; `January` |
/// | `%d`, `%-d` | day of the month, two digits; without a leading zero |
/// | `%j` | day of the year, three digits |
/// | `%H`, `%M`, `%S` | hour 00 to 23, minute, second 00 to 59, two digits each |
/// | `%f` | fraction of a second, one to nine digits |
/// | `%z` | distance from UTC: `Z`, `+HH:MM` or `+HHMM` |
/// | `%%` | a percent sign |
///
/// All else stands for itself. A format tells the whole date: a year, and month and day or the day of the year, each
/// once. A text is a date only if it is written exactly as the format would write it, so that what is read and
/// printed without a change is the same text, byte for byte.
///
/// ```
/// use lakeveil::arrays::date_format::{Clock, DateFormat, Reading};
/// let format: DateFormat = "%d.%m.%Y, %H:%M".parse()?;
/// let mut reading = Reading::default();
/// assert!(format.read(b"28.02.2026, 09:30", &mut reading));
/// let mut out = Vec::new();
/// assert!(format.write(b"28.02.2026, 09:30", &reading, reading.days() + 1, Clock::Kept, &mut out));
/// assert_eq!(out, b"01.03.2026, 09:30");
/// assert!(!format.read(b"28.2.2026, 09:30", &mut reading));
/// assert!("%d.%m.".parse::<DateFormat>().is_err());
/// # Ok::<(), lakeveil::arrays::date_format::DateFormatError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Literal(String),
    Field(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Year,
    ShortYear,
    Month,
    PlainMonth,
    ShortMonthName,
    MonthName,
    Day,
    PlainDay,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Fraction,
    Zone,
}

/// What becomes of the time of day when a date is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Stays as written.
    Kept,
    /// Becomes 00:00:00, with as many digits of a fraction as were written.
    Midnight,
}

/// A text that was read, and memory to read the next one into.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    civil: [i64; 3],
    day_of_year: i64,
    seconds: i64,
    east: i64,
    days: i64,
    /// Where each item of the format ends in the text.
    ends: Vec<usize>,
}

impl Reading {
    /// The date as written, in days since 1970-01-01.
    pub fn days(&self) -> i64 {
        self.days
    }

    /// The date in UTC, in days since 1970-01-01: as written, unless the format has a `%z`. It may be one day outside
    /// of years 0001 to 9999.
    pub fn utc_days(&self) -> i64 {
        self.days + (self.seconds - self.east).div_euclid(86_400)
    }
}

const YEAR: usize = 0;
const MONTH: usize = 1;
const DAY: usize = 2;

impl DateFormat {
    /// `%Y-%m-%d`, ISO 8601.
    pub fn iso_date() -> Self {
        let dash = || Item::Literal("-".to_owned());
        let fields = [Field::Year, Field::Month, Field::Day].map(Item::Field);
        let [year, month, day] = fields;
        Self { items: vec![year, dash(), month, dash(), day] }
    }

    /// Whether it has a `%z`.
    pub fn has_zone(&self) -> bool {
        self.has(Field::Zone)
    }

    fn has(&self, field: Field) -> bool {
        self.items.contains(&Item::Field(field))
    }

    /// Reads a date; false where the text is none that this format would write.
    pub fn read(&self, text: &[u8], reading: &mut Reading) -> bool {
        self.try_read(text, reading).is_some()
    }

    fn try_read(&self, text: &[u8], reading: &mut Reading) -> Option<()> {
        reading.ends.clear();
        (reading.day_of_year, reading.seconds, reading.east) = (0, 0, 0);
        let mut at = 0;
        for item in &self.items {
            at += match item {
                Item::Literal(literal) => text[at..].starts_with(literal.as_bytes()).then_some(literal.len())?,
                Item::Field(field) => field.read(&text[at..], reading)?,
            };
            reading.ends.push(at);
        }
        if at != text.len() {
            return None;
        }
        let [year, month, day] = reading.civil;
        reading.days = match reading.day_of_year {
            0 => is_civil(year, month, day).then(|| days_from_civil(year, month, day))?,
            of_year => {
                let is_date = year >= 1 && of_year <= 365 + i64::from(is_leap(year));
                is_date.then(|| days_from_civil(year, 1, 1) + of_year - 1)?
            }
        };
        Some(())
    }

    /// Appends the text that `reading` came from with its date changed to `days` since 1970-01-01; false, and nothing
    /// appended, where the format can't write that date: outside years 0001 to 9999, or of `%y`.
    pub fn write(&self, text: &[u8], reading: &Reading, days: i64, clock: Clock, out: &mut Vec<u8>) -> bool {
        if !DAYS.contains(&days) {
            return false;
        }
        let date = civil_from_days(days);
        if self.has(Field::ShortYear) && !SHORT_YEARS.contains(&date.year) {
            return false;
        }
        let mut start = 0;
        for (item, &end) in self.items.iter().zip(&reading.ends) {
            match (item, clock) {
                (Item::Field(field), _) if field.write(date, days, out) => {}
                (Item::Field(Field::Zone) | Item::Literal(_), _) | (_, Clock::Kept) => {
                    out.extend_from_slice(&text[start..end]);
                }
                (Item::Field(_), Clock::Midnight) => out.resize(out.len() + (end - start), b'0'),
            }
            start = end;
        }
        true
    }
}

/// The years that `%y` can mean: 69 to 99 are of the 20th century, 00 to 68 of the 21st (POSIX, `strptime`).
const SHORT_YEARS: Range<i64> = 1969..2069;

impl Field {
    /// Reads the field at the beginning of `text`; its length.
    fn read(self, text: &[u8], reading: &mut Reading) -> Option<usize> {
        match self {
            Self::Year => {
                reading.civil[YEAR] = digits(text, 4)?;
                Some(4)
            }
            Self::ShortYear => {
                let short = digits(text, 2)?;
                reading.civil[YEAR] = short + if short < 69 { 2000 } else { 1900 };
                Some(2)
            }
            Self::Month => {
                reading.civil[MONTH] = digits(text, 2)?;
                Some(2)
            }
            Self::Day => {
                reading.civil[DAY] = digits(text, 2)?;
                Some(2)
            }
            Self::PlainMonth => plain(text, &mut reading.civil[MONTH]),
            Self::PlainDay => plain(text, &mut reading.civil[DAY]),
            Self::ShortMonthName => {
                reading.civil[MONTH] = month_of(|name| text.get(..3) == Some(&name.as_bytes()[..3]))?;
                Some(3)
            }
            Self::MonthName => {
                reading.civil[MONTH] = month_of(|name| text.starts_with(name.as_bytes()))?;
                Some(MONTHS[reading.civil[MONTH] as usize - 1].len())
            }
            Self::DayOfYear => {
                reading.day_of_year = digits(text, 3).filter(|&day| day > 0)?;
                Some(3)
            }
            Self::Hour => {
                reading.seconds += digits(text, 2).filter(|&hour| hour < 24)? * 3_600;
                Some(2)
            }
            Self::Minute => {
                reading.seconds += digits(text, 2).filter(|&minute| minute < 60)? * 60;
                Some(2)
            }
            Self::Second => {
                reading.seconds += digits(text, 2).filter(|&second| second < 60)?;
                Some(2)
            }
            Self::Fraction => {
                let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
                (1..=9).contains(&len).then_some(len)
            }
            Self::Zone => zone(text, &mut reading.east),
        }
    }

    /// Appends a field of the date; false for one of the time.
    fn write(self, Civil { year, month, day }: Civil, days: i64, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Year => push_padded(out, year, 4),
            Self::ShortYear => push_padded(out, year % 100, 2),
            Self::Month => push_padded(out, month, 2),
            Self::PlainMonth => push_padded(out, month, if month < 10 { 1 } else { 2 }),
            Self::ShortMonthName => out.extend_from_slice(&MONTHS[month as usize - 1].as_bytes()[..3]),
            Self::MonthName => out.extend_from_slice(MONTHS[month as usize - 1].as_bytes()),
            Self::Day => push_padded(out, day, 2),
            Self::PlainDay => push_padded(out, day, if day < 10 { 1 } else { 2 }),
            Self::DayOfYear => push_padded(out, days - days_from_civil(year, 1, 1) + 1, 3),
            Self::Hour | Self::Minute | Self::Second | Self::Fraction | Self::Zone => return false,
        }
        true
    }
}

/// The number in the first `len` bytes, ASCII digits all.
fn digits(text: &[u8], len: usize) -> Option<i64> {
    text.get(..len)?
        .iter()
        .try_fold(0, |number, byte| byte.is_ascii_digit().then(|| number * 10 + i64::from(byte - b'0')))
}

/// A number of one or two digits without a leading zero; its length.
fn plain(text: &[u8], number: &mut i64) -> Option<usize> {
    let len = if text.get(1).is_some_and(u8::is_ascii_digit) { 2 } else { 1 };
    *number = digits(text, len).filter(|_| text[0] != b'0')?;
    Some(len)
}

/// The month, 1 to 12, whose name `is`.
fn month_of(is: impl Fn(&str) -> bool) -> Option<i64> {
    MONTHS.iter().position(|name| is(name)).map(|index| index as i64 + 1)
}

/// `Z`, `+HH:MM` or `+HHMM`, in seconds to the east; its length.
fn zone(text: &[u8], east: &mut i64) -> Option<usize> {
    let sign = match text.first()? {
        b'Z' => return Some(1),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = digits(&text[1..], 2).filter(|&hours| hours < 24)?;
    let minutes_at = if text.get(3) == Some(&b':') { 4 } else { 3 };
    let minutes = digits(text.get(minutes_at..)?, 2).filter(|&minutes| minutes < 60)?;
    *east = sign * (hours * 60 + minutes) * 60;
    Some(minutes_at + 2)
}

impl FromStr for DateFormat {
    type Err = DateFormatError;

    fn from_str(text: &str) -> Result<Self, DateFormatError> {
        parse::parse(text).map(|items| Self { items })
    }
}
