use std::sync::Arc;

use arrow::array::*;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::crypto::{subkey, vectors};
use crate::transforms::family::BuildError;
use crate::transforms::keyed::{NO_COMPANION, Scope};
use crate::transforms::spec::DomainTemplate;
use crate::transforms::testing::{any_keys, apply, built, cell, companion, keys, one, shown, texts};

/// A case of `dates-v1.json`.
#[derive(Debug, Deserialize)]
struct Moved<T> {
    #[serde(alias = "format", alias = "type")]
    form: String,
    #[serde(alias = "text")]
    value: T,
    days: i32,
    shifted: Option<T>,
}

fn rule(days: u32) -> Value {
    json!({ "date_shift": { "by": "patient", "days": days, "domain": "patients" } })
}

/// The treatment with a key of its own.
fn shifting(key: &[u8], days: u32, format: DateFormat) -> DateShift {
    let scope = Scope::new(&DomainTemplate::parse("d").unwrap(), None, |_| 0);
    let key = key.to_vec();
    DateShift::new(Keyed::new(scope, move |_, _| Ok(HmacKey::new(&key))).unwrap(), 0, days, format)
}

fn applied(transform: &DateShift, array: &ArrayRef, entities: &[Option<&str>]) -> Transformed {
    let companions = [companion(entities.iter().copied())];
    let canonical = crate::arrays::canonical::canonical(array, Default::default()).unwrap().values;
    transform.apply(&Values { array, canonical: &canonical, companions: &companions }).unwrap()
}

#[test]
fn every_offset_of_the_known_answers_comes_out() {
    for case in vectors::cases::<vectors::DateShift>("date_shift") {
        let mut options = json!({ "by": "patient", "days": case.max_days, "domain": case.domain });
        let mut companions = vec![case.entity_utf8.as_str()];
        if !case.tenant.is_empty() {
            options["tenant"] = json!({ "column": "tenant" });
            // the tenant is asked for first
            companions.insert(0, &case.tenant);
        }
        let key = keys(&case.root_hex);
        let transform = built(json!({ "date_shift": options }), &key).unwrap();
        let shifted = one(&transform, "2000-01-01", &companions);
        if case.entity_utf8.is_empty() {
            assert_eq!(shifted, None, "an empty entity is an error of the value");
            continue;
        }
        let expected = cast(&Date32Array::from(vec![10_957 + case.offset_days as i32]), &DataType::Utf8).unwrap();
        assert_eq!(shifted, shown(&expected).remove(0), "{case:?}");
    }
}

/// An entity, under the key `key`, whose offset of up to 36 500 days is `offset`.
fn entity_of(offset: i32, key: &HmacKey) -> String {
    let mut scratch = Vec::new();
    let drawn = |entity: &String| crate::crypto::uniform::uniform(key, entity.as_bytes(), 73_001, &mut scratch) as i32;
    let mut drawn = drawn;
    (0..).map(|number| number.to_string()).find(|entity| drawn(entity) - 36_500 == offset).unwrap()
}

#[test]
fn dates_of_every_type_move_as_the_known_answers_do() {
    let transform = shifting(b"key", 36_500, DateFormat::iso_date());
    let mut entities = std::collections::HashMap::new();
    for case in vectors::cases_of::<Moved<i64>>("dates-v1.json", "typed") {
        let entity = entities.entry(case.days).or_insert_with(|| entity_of(case.days, &HmacKey::new(b"key")));
        let zones = [None, Some("+05:30"), Some("Europe/Berlin")];
        let columns: Vec<ArrayRef> = match case.form.as_str() {
            "date32" => vec![Arc::new(Date32Array::from(vec![case.value as i32]))],
            "date64" => vec![Arc::new(Date64Array::from(vec![case.value]))],
            "s" => zones
                .map(|zone| Arc::new(TimestampSecondArray::from(vec![case.value]).with_timezone_opt(zone)) as _)
                .into(),
            "ms" => zones
                .map(|zone| Arc::new(TimestampMillisecondArray::from(vec![case.value]).with_timezone_opt(zone)) as _)
                .into(),
            "us" => zones
                .map(|zone| Arc::new(TimestampMicrosecondArray::from(vec![case.value]).with_timezone_opt(zone)) as _)
                .into(),
            _ => zones
                .map(|zone| Arc::new(TimestampNanosecondArray::from(vec![case.value]).with_timezone_opt(zone)) as _)
                .into(),
        };
        for column in columns {
            let made = applied(&transform, &column, &[Some(entity)]);
            assert_eq!(made.array.data_type(), column.data_type(), "the zone stays");
            let ticks = match column.data_type() {
                DataType::Date32 => cast(&cast(&made.array, &DataType::Int32).unwrap(), &DataType::Int64).unwrap(),
                _ => cast(&made.array, &DataType::Int64).unwrap(),
            };
            let ticks = ticks.as_primitive::<arrow::datatypes::Int64Type>();
            assert_eq!(ticks.iter().next().unwrap(), case.shifted, "{case:?}");
            assert_eq!(made.failures.len(), usize::from(case.shifted.is_none()));
        }
    }
}

#[test]
fn dates_in_text_move_as_the_known_answers_do() {
    let mut entities = std::collections::HashMap::new();
    for case in vectors::cases_of::<Moved<String>>("dates-v1.json", "text") {
        let entity = entities.entry(case.days).or_insert_with(|| entity_of(case.days, &HmacKey::new(b"key")));
        let transform = shifting(b"key", 36_500, case.form.parse().unwrap());
        let made = applied(&transform, &texts([Some(&case.value)]), &[Some(entity)]);
        assert_eq!(shown(&made.array), std::slice::from_ref(&case.shifted), "{case:?}");
        assert_eq!(made.failures.len(), usize::from(case.shifted.is_none()));
    }
}

#[test]
fn text_is_an_iso_date_unless_a_format_says_otherwise() {
    let transform = built(rule(30), &any_keys()).unwrap();
    assert!(one(&transform, "2026-11-28", &["p1"]).is_some());
    for text in ["2026-11-28T00:00:00", "28.11.2026", "2026-11-28 ", "2026-02-30", ""] {
        assert_eq!(one(&transform, text, &["p1"]), None, "{text}");
    }
}

#[test]
fn a_null_date_needs_no_entity_and_another_one_does() {
    let dates: ArrayRef = Arc::new(Date32Array::from(vec![None, None, Some(0), Some(1), Some(2)]));
    let entities = [companion([None, Some(""), None, Some(""), Some("p1")])];
    for column in [dates.clone(), cast(&dates, &DataType::Utf8).unwrap()] {
        let (made, tally) = apply(&cell(rule(30)), &column, &entities);
        assert_eq!((made.null_count(), tally.failed), (4, 2), "{}", column.data_type());
        assert!(made.is_valid(4));
    }
}

#[test]
fn rows_of_many_tenants_and_domains_each_have_their_own_offset() {
    let options = json!({
        "by": "patient", "days": 36_500, "domain": "d/{region}", "tenant": { "column": "tenant" },
    });
    let built = built(json!({ "date_shift": options }), &any_keys()).unwrap();
    assert_eq!(built.companions, ["region", "tenant", "patient"]);
    let rows = 4_000;
    let dates: ArrayRef = Arc::new(Date32Array::from_iter((0..rows).map(|row| (row % 7 > 0).then_some(row))));
    let value = |row: i32, count: i32| format!("{}", row * 31 % count);
    let companions = [
        companion((0..rows).map(|row| (row % 1_003 > 0).then(|| value(row, 3)))),
        companion((0..rows).map(|row| Some(value(row, 5)))),
        companion((0..rows).map(|row| Some(value(row, 900)))),
    ];
    let canonical = crate::arrays::canonical::canonical(&dates, Default::default()).unwrap().values;
    let made =
        built.transform.apply(&Values { array: &dates, canonical: &canonical, companions: &companions }).unwrap();
    let mut scratch = Vec::new();
    let root =
        crate::crypto::Secret::new(vectors::unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"));
    for row in (0..rows).filter(|row| row % 7 > 0) {
        if row % 1_003 == 0 {
            assert!(made.array.is_null(row as usize));
            continue;
        }
        let subkey = subkey(&root, "date_shift", &format!("d/{}", value(row, 3)), &value(row, 5), 32);
        let key = HmacKey::new(subkey.expose());
        let drawn = crate::crypto::uniform::uniform(&key, value(row, 900).as_bytes(), 73_001, &mut scratch);
        let moved = made.array.as_primitive::<Date32Type>().value(row as usize);
        assert_eq!(moved, row + drawn as i32 - 36_500, "{row}");
    }
    let reasons: Vec<_> = made.failures.iter().map(|failure| failure.reason.as_ref()).collect();
    assert_eq!(reasons, [NO_COMPANION; 3]);
}

#[test]
fn an_entity_of_any_length_has_an_offset() {
    let transform = shifting(b"key", 36_500, DateFormat::iso_date());
    let long = ["x".repeat(1 << 16), "x".repeat((1 << 16) + 1), "x".repeat(1 << 20), "short".to_owned()];
    let entities: Vec<Option<&str>> = long.iter().map(|entity| Some(entity.as_str())).collect();
    let dates: ArrayRef = Arc::new(Date32Array::from(vec![0; 4]));
    let made = applied(&transform, &dates, &entities);
    for (moved, entity) in made.array.as_primitive::<Date32Type>().values().iter().zip(&long) {
        let drawn = crate::crypto::uniform::uniform(&HmacKey::new(b"key"), entity.as_bytes(), 73_001, &mut Vec::new());
        assert_eq!(*moved, drawn as i32 - 36_500);
    }
}

#[test]
fn what_lies_under_a_null_or_has_failed_is_gone() {
    let nulls = Some(arrow::buffer::NullBuffer::from(vec![false, true, true]));
    let dates: ArrayRef = Arc::new(Date32Array::new(vec![12_345, 2_932_896, i32::MIN].into(), nulls));
    let forward = entity_of(36_500, &HmacKey::new(b"key"));
    let made =
        applied(&shifting(b"key", 36_500, DateFormat::iso_date()), &dates, &[Some("p"), Some(&forward), Some("p")]);
    assert_eq!(made.array.as_primitive::<Date32Type>().values().as_ref(), [0, 0, 0]);
    assert_eq!((made.array.null_count(), made.failures.len()), (3, 2));
}

#[test]
fn options_that_make_no_sense_are_told_by_their_place() {
    let faults = |options: Value| {
        let spec: DateShiftSpec = serde_json::from_value(options).unwrap();
        spec.faults().into_iter().map(|fault| fault.path.join(".")).collect::<Vec<_>>()
    };
    assert_eq!(faults(json!({ "by": "p", "days": 36_500, "domain": "d/{region}", "format": "%d.%m.%Y" })), [""; 0]);
    assert_eq!(
        faults(json!({ "by": "", "days": 0, "domain": "", "format": "%d" })),
        ["domain", "by", "days", "format"]
    );
    assert_eq!(faults(json!({ "by": "p", "days": 36_501, "domain": "{" })), ["domain", "days"]);
    for options in [json!({ "by": "p", "days": 0, "domain": "d" }), json!({ "by": "p", "days": 36_501, "domain": "d" })]
    {
        assert!(matches!(built(json!({ "date_shift": options }), &any_keys()), Err(BuildError::Options(_))));
    }
}

#[test]
fn what_holds_no_dates_is_refused() {
    let refused = cell(rule(1)).output_type(&DataType::Int32).unwrap_err();
    assert_eq!(refused, "Int32 holds no dates; it takes dates, timestamps and text");
}

/// A date of each row in every type, from days of years 0001 to 9999.
fn columns(days: &[Option<i32>], ticks: &[Option<i64>]) -> Vec<ArrayRef> {
    let ticks = || ticks.to_vec();
    let dates: ArrayRef = Arc::new(Date32Array::from(days.to_vec()));
    vec![
        Arc::new(Date64Array::from(ticks())),
        Arc::new(TimestampSecondArray::from(ticks()).with_timezone("UTC")),
        Arc::new(TimestampMillisecondArray::from(ticks())),
        Arc::new(TimestampMicrosecondArray::from(ticks()).with_timezone("+01:00")),
        Arc::new(TimestampNanosecondArray::from(ticks())),
        cast(&dates, &DataType::LargeUtf8).unwrap(),
        cast(&dates, &DataType::Utf8View).unwrap(),
        dates,
    ]
}

fn row() -> impl Strategy<Value = (Option<i32>, Option<i64>, Option<String>)> {
    let day = prop_oneof![4 => -719_162i32..=2_932_896, 1 => any::<i32>(), 1 => Just(i32::MIN)];
    let tick = (any::<i64>(), 0u32..64).prop_map(|(tick, shift)| tick >> shift);
    (
        prop::option::weighted(0.8, day),
        prop::option::weighted(0.8, tick),
        prop::option::weighted(0.9, "[a-c\u{5d0}\0]{0,2}"),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_comes_back_is_what_was_moved_and_each_failure_is_null(
        rows in prop::collection::vec(row(), 1..12),
        days in 1u32..=36_500,
    ) {
        let dates: Vec<_> = rows.iter().map(|row| row.0.filter(|day| (-719_162..=2_932_896).contains(day))).collect();
        let ticks: Vec<_> = rows.iter().map(|row| row.1).collect();
        let entities: Vec<_> = rows.iter().map(|row| row.2.as_deref()).collect();
        for column in columns(&dates, &ticks) {
            let forth = applied(&shifting(b"key", days, DateFormat::iso_date()), &column, &entities);
            let back = applied(&shifting(b"key", days, DateFormat::iso_date()).back(), &forth.array, &entities);
            prop_assert_eq!(forth.array.null_count(), column.null_count() + forth.failures.len());
            prop_assert!(back.failures.is_empty());
            let column = cast(&column, back.array.data_type()).unwrap();
            for row in 0..column.len() {
                if forth.array.is_valid(row) {
                    prop_assert_eq!(&back.array.slice(row, 1), &column.slice(row, 1));
                }
            }
        }
    }

    #[test]
    fn intervals_within_an_entity_survive(days in prop::collection::vec(-100_000i32..100_000, 2..10)) {
        let dates: ArrayRef = Arc::new(Date32Array::from(days.clone()));
        let made = applied(&shifting(b"key", 36_500, DateFormat::iso_date()), &dates, &vec![Some("p1"); days.len()]);
        let moved = made.array.as_primitive::<Date32Type>();
        for (row, day) in days.iter().enumerate() {
            prop_assert_eq!(moved.value(row) - moved.value(0), day - days[0]);
        }
    }

    #[test]
    fn any_day_moves_or_fails_and_no_reason_holds_any_of_it(value in "\\PC*|[0-9-]{10}", day: i32) {
        let transform = shifting(b"key", 36_500, DateFormat::iso_date());
        let made = applied(&transform, &texts([Some(&value)]), &[Some("p1")]);
        prop_assert!(made.array.is_null(0) || shown(&made.array)[0].as_deref() != Some(&value));
        for failure in made.failures.iter() {
            prop_assert!(value.len() < 3 || !failure.reason.contains(&value));
        }
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![day]));
        let made = applied(&transform, &dates, &[Some("p1")]);
        prop_assert_eq!(made.array.null_count(), made.failures.len());
    }
}
