//! `health-research.yaml`: dates, ages, areas, diagnoses and values.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::tokens::subkey;
use super::{Made, objects, pairs, source};
use crate::support::{Table, batch, root};

fn tables() -> (Table, Table) {
    (source("health-research"), Made::by("health-research").rows("health-research"))
}

/// Days since 1970-01-01 of the three dates of every row, and its timestamp's microseconds of the day.
fn days(folder: &std::path::Path) -> Vec<([Option<i64>; 3], i64)> {
    const DAY: i64 = 86_400_000_000;
    let mut rows = Vec::new();
    for path in objects(folder) {
        let batch = batch(fs::read(folder.join(path)).expect("reads"));
        let date = |name: &str| batch.column_by_name(name).expect("is there").as_primitive::<Date32Type>().clone();
        let (admitted, discharged) = (date("admitted_on"), date("discharged_on"));
        let recorded =
            batch.column_by_name("recorded_at").expect("is there").as_primitive::<TimestampMicrosecondType>();
        rows.extend((0..batch.num_rows()).map(|row| {
            let at = recorded.value(row);
            let dates = [&admitted, &discharged].map(|dates| dates.iter().nth(row).expect("a row").map(i64::from));
            ([dates[0], dates[1], Some(at.div_euclid(DAY))], at.rem_euclid(DAY))
        }));
    }
    rows
}

/// TOKENS.md section 3: the offset of an entity.
fn offset(entity: &str, days: u64) -> i64 {
    let span = 2 * days + 1;
    let limit = (1u128 << 64) / u128::from(span) * u128::from(span);
    for block in 0u32.. {
        let mut mac = Hmac::<Sha256>::new_from_slice(&subkey("date_shift", "study-7", "", 32)).expect("any length");
        mac.update(entity.as_bytes());
        mac.update(&block.to_be_bytes());
        for word in mac.finalize().into_bytes().chunks(8) {
            let word = u64::from_be_bytes(word.try_into().expect("8 bytes"));
            if u128::from(word) < limit {
                return (word % span) as i64 - days as i64;
            }
        }
    }
    unreachable!("a word below the limit comes")
}

#[test]
fn every_date_of_a_patient_moves_by_the_same_known_number_of_days() {
    let made = Made::by("health-research");
    let before = days(&super::Example::of("health-research").lake());
    let after = days(&made.out.path().join("patients"));
    let patients = &source("health-research")["patient_id"];
    assert_eq!((before.len(), after.len(), patients.len()), (200, 200, 200));
    let mut offsets: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for ((patient, before), after) in patients.iter().zip(&before).zip(&after) {
        assert_eq!(before.1, after.1, "the time of day stays");
        for (before, after) in before.0.iter().zip(after.0) {
            assert_eq!(before.is_some(), after.is_some());
            let moved = before.zip(after).map(|(before, after)| after - before);
            offsets.entry(patient.as_deref().expect("not null")).or_default().extend(moved);
        }
    }
    assert_eq!(offsets.len(), 60);
    for (patient, offsets) in &offsets {
        assert_eq!(offsets.iter().copied().collect::<Vec<_>>(), [offset(patient, 182)]);
    }
    let all: BTreeSet<i64> = offsets.values().flatten().copied().collect();
    assert!(all.len() > 40 && all.iter().all(|days| days.abs() <= 182), "{} offsets", all.len());
}

#[test]
fn ages_are_told_in_bands_of_five_years_and_from_90_on_in_one() {
    let (before, after) = tables();
    let mut old = 0;
    for (born, band) in pairs(&before["birth_date"], &after["age_band"]) {
        let parts: Vec<i32> = born.split('-').map(|part| part.parse().expect("a number")).collect();
        // at 2026-01-01 only who was born on 1 January has had the birthday
        let age = 2025 - parts[0] + i32::from(parts[1..] == [1, 1]);
        let low = age - age % 5;
        let expected = if age >= 90 { "90+".to_owned() } else { format!("{low}-{}", low + 4) };
        assert_eq!(band, expected);
        old += usize::from(age >= 90);
    }
    assert!(old > 5, "{old} of 90 and over");
}

#[test]
fn areas_are_three_digits_and_000_where_few_people_live() {
    // 45 CFR 164.514(b)(2)(i)(B), by the census of 2000
    let small = "036 059 063 102 203 556 692 790 821 823 830 831 878 879 884 890 893";
    let small: Vec<&str> = small.split(' ').collect();
    let (before, after) = tables();
    let areas = pairs(&before["postal_code"], &after["area"]);
    for (code, area) in &areas {
        let expected = if small.contains(&&code[..3]) { "000" } else { &code[..3] };
        assert_eq!(*area, expected);
    }
    assert!(areas.iter().filter(|(_, area)| *area == "000").count() > 10);
    assert!(areas.iter().any(|(_, area)| *area == "021"), "a leading zero stays");
}

#[test]
fn diagnoses_become_the_group_that_the_file_names() {
    let file = fs::read_to_string(root().join("testdata/hierarchy/diagnoses.csv")).expect("is there");
    let groups: BTreeMap<&str, &str> = file
        .lines()
        .map(|line| {
            let mut fields = line.split(';');
            (fields.next().expect("a value"), fields.next().expect("a group"))
        })
        .collect();
    let (before, after) = tables();
    for (code, group) in pairs(&before["diagnosis"], &after["diagnosis"]) {
        assert_eq!(group, groups[code]);
    }
}

#[test]
fn noise_is_bounded_and_keeps_the_mean() {
    let (before, after) = tables();
    let hundredths = |text: &str| text.replace('.', "").parse::<i64>().expect("a decimal of scale 2");
    let values = pairs(&before["glucose"], &after["glucose"]);
    let noise: Vec<i64> = values.iter().map(|(before, after)| hundredths(after) - hundredths(before)).collect();
    assert!(noise.iter().all(|noise| noise.abs() <= 25));
    assert!(noise.iter().collect::<BTreeSet<_>>().len() > 30, "many sizes");
    // the standard deviation of one is 14.4, of the mean of 180 about 1.1
    let mean = noise.iter().sum::<i64>() as f64 / noise.len() as f64;
    assert!(mean.abs() < 4.0, "{mean}");
}

#[test]
fn one_physician_has_one_name() {
    let (before, after) = tables();
    let names: BTreeSet<_> = pairs(&before["physician"], &after["physician"]).into_iter().collect();
    let raw: BTreeSet<_> = names.iter().map(|(raw, _)| raw).collect();
    assert_eq!(names.len(), raw.len());
}
