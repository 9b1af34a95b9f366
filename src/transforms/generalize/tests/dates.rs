use std::collections::BTreeMap;

use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit};
use serde::Deserialize;

use super::*;
use crate::crypto::vectors;
use crate::transforms::testing::texts;

const PERIODS: [&str; 5] = ["year", "quarter", "month", "iso_week", "day"];

/// A case of `dates`.
#[derive(Debug, Deserialize)]
struct Dates {
    days: i32,
    labels: BTreeMap<String, String>,
    first_days: BTreeMap<String, i32>,
}

/// A case of `ages`.
#[derive(Debug, Deserialize)]
struct Ages {
    reference: String,
    birth: String,
    bands: Value,
    top: u32,
    label: Option<String>,
}

fn known() -> Vec<Dates> {
    vectors::cases_of("generalize-v1.json", "dates")
}

/// Every day of the known answers, at the end of the day where there is a time.
fn columns(days: &[i32]) -> Vec<ArrayRef> {
    let day = |days: i32| i64::from(days);
    let seconds = || days.iter().map(|&days| day(days) * 86_400 + 86_399);
    let nanos = || seconds().map(|seconds| seconds.checked_mul(1_000_000_000).map(|nanos| nanos + 999_999_999));
    let iso: ArrayRef = cast(&Date32Array::from(days.to_vec()), &DataType::Utf8).unwrap();
    let stamps: StringArray =
        iso.as_string::<i32>().iter().map(|day| day.map(|day| format!("{day}T23:59:59.999999999"))).collect();
    vec![
        Arc::new(Date32Array::from(days.to_vec())),
        Arc::new(Date64Array::from_iter_values(seconds().map(|seconds| seconds * 1_000 + 999))),
        Arc::new(TimestampSecondArray::from_iter_values(seconds())),
        Arc::new(TimestampMillisecondArray::from_iter_values(seconds().map(|seconds| seconds * 1_000 + 999))),
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(seconds().map(|seconds| seconds * 1_000_000 + 999_999))
                .with_timezone("Pacific/Auckland"),
        ),
        Arc::new(TimestampNanosecondArray::from_iter(nanos())),
        cast(&iso, &DataType::LargeUtf8).unwrap(),
        cast(&stamps, &DataType::Utf8View).unwrap(),
        iso,
    ]
}

#[test]
fn labels_of_every_type_meet_the_known_answers() {
    let known = known();
    let days: Vec<i32> = known.iter().map(|case| case.days).collect();
    for column in columns(&days) {
        for period in PERIODS {
            let labels = generalized(json!({ "date": period }), &column);
            for (row, (case, label)) in known.iter().zip(labels).enumerate() {
                let expected = column.is_valid(row).then(|| case.labels[period].clone());
                assert_eq!(label, expected, "{period} of {} in {}", case.days, column.data_type());
            }
        }
    }
}

#[test]
fn first_days_of_every_type_meet_the_known_answers_at_midnight_and_keep_the_type() {
    let known = known();
    let days: Vec<i32> = known.iter().map(|case| case.days).collect();
    for column in columns(&days) {
        let data_type = column.data_type();
        for period in PERIODS {
            let (made, _) = apply(&treatment(json!({ "date": period, "as": "first_day" })), &column, &[]);
            assert_eq!(made.data_type(), data_type);
            if data_type.is_string() {
                let firsts = known.iter().map(|case| case.first_days[period]).map(Some).collect::<Date32Array>();
                let firsts = cast(&firsts, &DataType::Utf8).unwrap();
                assert_eq!(shown(&made), shown(&firsts), "{period} in {data_type}");
                continue;
            }
            let per_day = match data_type {
                DataType::Date32 => 1,
                DataType::Timestamp(TimeUnit::Second, _) => 86_400,
                DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => 86_400_000,
                DataType::Timestamp(TimeUnit::Microsecond, _) => 86_400_000_000,
                _ => 86_400_000_000_000i64,
            };
            let ticks = cast(&made, &DataType::Int64).unwrap();
            let ticks = ticks.as_primitive::<arrow::datatypes::Int64Type>();
            for (row, case) in known.iter().enumerate() {
                let first = i64::from(case.first_days[period]).checked_mul(per_day);
                let expected = first.filter(|_| column.is_valid(row));
                let made = ticks.is_valid(row).then(|| ticks.value(row));
                assert_eq!(made, expected, "{period} of {} in {data_type}", case.days);
            }
        }
    }
}

#[test]
fn the_first_day_may_lie_before_what_nanoseconds_tell() {
    let column: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![i64::MIN, -1, i64::MAX]));
    let (made, tally) = apply(&treatment(json!({ "date": "year", "as": "first_day" })), &column, &[]);
    assert_eq!((made.is_null(0), made.null_count(), tally.failed), (true, 1, 1));
}

#[test]
fn ages_meet_the_known_answers() {
    for case in vectors::cases_of::<Ages>("generalize-v1.json", "ages") {
        let options = json!({ "age": { "reference": case.reference, "bands": case.bands, "top": case.top } });
        let births = texts([Some(case.birth.as_str())]);
        let date = cast(&births, &DataType::Date32).unwrap();
        for column in [births, date] {
            assert_eq!(generalized(options.clone(), &column), std::slice::from_ref(&case.label), "{case:?}");
        }
    }
}

#[test]
fn bands_are_five_years_wide_and_end_at_90_by_default() {
    let age = |birth| of_one(json!({ "age": { "reference": "2026-01-01" } }), StringArray::from(vec![birth]));
    assert_eq!(age("1981-06-15").as_deref(), Some("40-44"));
    assert_eq!(age("1936-01-01").as_deref(), Some("90+"));
    assert_eq!(age("1936-01-02").as_deref(), Some("85-89"));
    assert_eq!(age("2026-01-01").as_deref(), Some("0-4"));
    assert_eq!(age("2026-01-02"), None);
}

#[test]
fn text_is_read_as_its_format_says_and_otherwise_as_iso() {
    let column = texts([
        Some("28.11.2026 23:59"),
        Some("2026-11-28"),
        Some("2026-11-28T23:59:59+02:00"),
        Some("2026-12-01T00:30:00+01:00"),
        Some("28.11.2026 24:00"),
        Some(" 2026-11-28"),
        Some("0001-01-01T00:00:00+00:01"),
        Some(""),
        None,
    ]);
    let label = |day: &str| Some(day.to_owned());
    let by_format = generalized(json!({ "date": "month", "format": "%d.%m.%Y %H:%M" }), &column);
    assert_eq!(by_format, [label("2026-11"), None, None, None, None, None, None, None, None]);
    let by_default = generalized(json!({ "date": "month" }), &column);
    let expected = [None, label("2026-11"), label("2026-11"), label("2026-11"), None, None, None, None, None];
    assert_eq!(by_default, expected, "a distance from UTC is taken off");
}

#[test]
fn a_zone_in_a_format_is_taken_off_too() {
    let options = json!({ "date": "day", "format": "%Y-%m-%d %H:%M %z" });
    assert_eq!(of_one(options, StringArray::from(vec!["2026-12-01 00:30 +0100"])).as_deref(), Some("2026-11-30"));
}

#[test]
fn first_days_of_text_are_written_as_the_text_was() {
    let first = |format: Option<&str>, text: &str| {
        let mut options = json!({ "date": "quarter", "as": "first_day" });
        if let Some(format) = format {
            options["format"] = json!(format);
        }
        of_one(options, StringArray::from(vec![text]))
    };
    assert_eq!(
        first(Some("%-d. %B %Y, %H:%M:%S.%f"), "28. November 2026, 12:13:14.5"),
        Some("1. October 2026, 00:00:00.0".to_owned())
    );
    assert_eq!(first(Some("%d%m%y"), "020169"), Some("010169".to_owned()));
    assert_eq!(first(None, "2026-11-28T12:00:00"), Some("2026-10-01".to_owned()));
    let week = json!({ "date": "iso_week", "as": "first_day", "format": "%y%j" });
    assert_eq!(of_one(week, StringArray::from(vec!["69001"])), None, "its Monday lies in 1968");
}
