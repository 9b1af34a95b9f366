use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::crypto::vectors;

/// A case of `dates-v1.json`.
#[derive(Debug, Deserialize)]
struct Case {
    format: String,
    text: String,
    days: i64,
    shifted: Option<String>,
}

fn shifted(format: &str, text: &str, by: i64) -> Option<String> {
    let format: DateFormat = format.parse().unwrap();
    let (mut reading, mut out) = (Reading::default(), b"> ".to_vec());
    if !format.read(text.as_bytes(), &mut reading) {
        return None;
    }
    if !format.write(text.as_bytes(), &reading, reading.days() + by, Clock::Kept, &mut out) {
        assert_eq!(out, b"> ", "nothing is appended");
        return None;
    }
    Some(String::from_utf8(out).unwrap().strip_prefix("> ").unwrap().to_owned())
}

#[test]
fn shifted_texts_meet_the_known_answers() {
    for case in vectors::cases_of::<Case>("dates-v1.json", "text") {
        assert_eq!(shifted(&case.format, &case.text, case.days), case.shifted, "{case:?}");
    }
}

#[test]
fn an_iso_date_is_read_by_default() {
    assert_eq!(DateFormat::iso_date(), "%Y-%m-%d".parse().unwrap());
}

#[test]
fn formats_that_do_not_tell_one_whole_date_are_refused() {
    use DateFormatError::*;
    for (format, error) in [
        ("", Incomplete("year (`%Y`)")),
        ("%m/%d", Incomplete("year (`%Y`)")),
        ("%Y", Incomplete("month (`%m`)")),
        ("%Y-%d", Incomplete("month (`%m`)")),
        ("%Y-%b", Incomplete("day (`%d`)")),
        ("%Y-%m-%d %y", Twice("%y")),
        ("%Y-%m-%d %B", Twice("%B")),
        ("%Y-%m-%d %-d", Twice("%-d")),
        ("%Y-%m-%d %j", Twice("%j")),
        ("%Y-%j-%d", Twice("%j")),
        ("%Y-%j %M:%M", Twice("%M")),
        ("%Y-%m-%d %p", Unknown("%p".to_owned())),
        ("%Y-%m-%-H", Unknown("%-H".to_owned())),
        ("%\u{e9}", Unknown("%\u{e9}".to_owned())),
        ("%Y-%m-%d%", Open),
        ("%Y-%m-%d%%%", Open),
        ("%-m%d/%Y", Unending("%-m")),
        ("%-d%Y/%m", Unending("%-d")),
        ("%-d0%m/%Y", Unending("%-d")),
        ("%Y-%m-%d.%f%H", Unending("%f")),
    ] {
        assert_eq!(format.parse::<DateFormat>(), Err(error), "{format}");
    }
}

#[test]
fn a_zone_moves_the_date_in_utc_and_stays_as_written() {
    let format: DateFormat = "%Y-%m-%dT%H:%M%z".parse().unwrap();
    let mut reading = Reading::default();
    for (text, day) in [
        ("1970-01-02T00:30+01:00", 0),
        ("1970-01-02T01:00+0100", 1),
        ("1970-01-01T23:30-00:30", 1),
        ("1970-01-01T23:29-0030", 0),
        ("1970-01-01T23:59Z", 0),
        ("0001-01-01T00:00+00:01", *DAYS.start() - 1),
    ] {
        assert!(format.read(text.as_bytes(), &mut reading), "{text}");
        assert_eq!(reading.utc_days(), day, "{text}");
    }
    assert!(format.has_zone() && !DateFormat::iso_date().has_zone());
}

#[test]
fn at_midnight_the_time_is_zero_in_as_many_digits() {
    let format: DateFormat = "%d.%m.%Y %H:%M:%S.%f %z".parse().unwrap();
    let text = b"05.04.2026 23:59:58.1234 +0200";
    let (mut reading, mut out) = (Reading::default(), Vec::new());
    assert!(format.read(text, &mut reading));
    assert!(format.write(text, &reading, reading.days() - 4, Clock::Midnight, &mut out));
    assert_eq!(out, b"01.04.2026 00:00:00.0000 +0200");
}

/// Formats of two or more items with all fields that may stand together.
fn formats() -> impl Strategy<Value = String> {
    let year = prop_oneof![Just("%Y"), Just("%y")];
    let date = prop_oneof![
        Just(vec!["%m", "%d"]),
        Just(vec!["%-m", "%-d"]),
        Just(vec!["%b", "%d"]),
        Just(vec!["%B", "%-d"]),
        Just(vec!["%j"]),
    ];
    let time = prop::sample::subsequence(vec!["%H", "%M", "%S", "%f", "%z"], 0..=5);
    let separators = prop::collection::vec("[-/. \u{e9}\u{301}\u{5d0}\0%]{1,3}", 9);
    (year, date, time, separators).prop_flat_map(|(year, date, time, separators)| {
        let fields: Vec<&str> = std::iter::once(year).chain(date).chain(time).collect();
        Just(fields).prop_shuffle().prop_map(move |fields| {
            let between = separators.iter().map(|text| text.replace('%', "%%"));
            fields.iter().zip(between).flat_map(|(field, text)| [field.to_string(), text]).collect()
        })
    })
}

/// A text that is written in `format`, by nothing that the code under test does.
fn written(format: &str, [year, month, day]: [i64; 3], time: [u32; 3], fraction: &str) -> String {
    let of_year: i64 = (1..month).map(|month| crate::arrays::calendar::days_in_month(year, month)).sum::<i64>() + day;
    let name = MONTHS[month as usize - 1];
    [
        ("%%", "\u{1}".to_owned()),
        ("%Y", format!("{year:04}")),
        ("%y", format!("{:02}", year % 100)),
        ("%m", format!("{month:02}")),
        ("%-m", month.to_string()),
        ("%b", name[..3].to_owned()),
        ("%B", name.to_owned()),
        ("%d", format!("{day:02}")),
        ("%-d", day.to_string()),
        ("%j", format!("{of_year:03}")),
        ("%H", format!("{:02}", time[0])),
        ("%M", format!("{:02}", time[1])),
        ("%S", format!("{:02}", time[2])),
        ("%f", fraction.to_owned()),
        ("%z", "-03:30".to_owned()),
        ("\u{1}", "%".to_owned()),
    ]
    .iter()
    .fold(format.to_owned(), |text, (field, value)| text.replace(field, value))
}

proptest! {
    #[test]
    fn what_is_read_and_written_without_a_change_is_the_same_text_and_a_shift_comes_back(
        format in formats(),
        days in -365i64..=36_159,
        by in -36_500i64..=36_500,
        time in (0u32..24, 0u32..60, 0u32..60),
        fraction in "[0-9]{1,9}",
    ) {
        let Civil { year, month, day } = civil_from_days(days);
        let text = written(&format, [year, month, day], [time.0, time.1, time.2], &fraction);
        let (read, mut reading): (DateFormat, _) = (format.parse().unwrap(), Reading::default());
        prop_assert!(read.read(text.as_bytes(), &mut reading), "{text:?} in {format:?}");
        prop_assert_eq!(reading.days(), days);
        prop_assert_eq!(shifted(&format, &text, 0), Some(text.clone()));
        let back = shifted(&format, &text, by).map(|moved| shifted(&format, &moved, -by));
        prop_assert!(back.is_none() || back == Some(Some(text)));
    }

    #[test]
    fn arbitrary_text_is_no_date_or_comes_back_unchanged(format in formats(), text in "\\PC*|[0-9/.-]{6,12}") {
        let same = shifted(&format, &text, 0);
        prop_assert!(same.is_none() || same == Some(text));
    }

    #[test]
    fn an_arbitrary_format_is_refused_or_reads_without_a_panic(
        format in "(%-?[a-zA-Z%]|[0-9\\PC]){0,12}",
        text in "\\PC*",
    ) {
        if format.parse::<DateFormat>().is_ok() {
            let same = shifted(&format, &text, 0);
            prop_assert!(same.is_none() || same == Some(text));
        }
    }
}
