//! Transforms over columns, on one thread: `cargo bench` in this folder. Throughput is in values for each second.
//!
//! A name tells the type, the share of nulls, and how many distinct values there are.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Date32Array, Decimal128Array, DictionaryArray, Int32Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lakeveil::arrays::canonical::{Meaning, canonical};
use lakeveil::arrays::sketch::Sketch;
use lakeveil::crypto::{HmacKey, Secret, TokenEncoding};
use lakeveil::transforms::cell::{Cell, EmptyRule, Memo, OnError};
use lakeveil::transforms::family::{Built, build};
use lakeveil::transforms::keyed::Keyed;
use lakeveil::transforms::normalize::{Normalizer, Step};
use lakeveil::transforms::pseudonym::Pseudonym;
use lakeveil::transforms::signer::Signer;
use lakeveil::transforms::spec::{Scheme, TransformSpec};
use lakeveil::transforms::subkeys::{Keys, SubkeySource};
use lakeveil::transforms::tally::Tally;
use lakeveil::transforms::{Transform, Values};
use serde_json::{Value, json};

/// Values in a batch: what the engine decodes at a time.
const VALUES: usize = 8192;

fn email(distinct: usize, row: usize) -> String {
    format!("customer{}@example.com", row.wrapping_mul(2_654_435_761) % distinct)
}

fn is_null(nulls_percent: usize, row: usize) -> bool {
    row.wrapping_mul(40_503) % 100 < nulls_percent
}

fn texts(nulls_percent: usize, distinct: usize) -> ArrayRef {
    let value = |row| (!is_null(nulls_percent, row)).then(|| email(distinct, row));
    Arc::new((0..VALUES).map(value).collect::<StringArray>())
}

fn dictionary(distinct: usize) -> ArrayRef {
    let values: StringArray = (0..distinct).map(|row| Some(email(distinct, row))).collect();
    let keys: Int32Array = (0..VALUES).map(|row| Some((row.wrapping_mul(40_503) % distinct) as i32)).collect();
    Arc::new(DictionaryArray::new(keys, Arc::new(values)))
}

fn cell(transform: Box<dyn Transform>, normalizer: Option<Normalizer>) -> Cell {
    Cell {
        meaning: Meaning::Plain,
        normalizer,
        empty: EmptyRule::Value,
        on_error: OnError::Fail,
        transform: transform.into(),
    }
}

fn pseudonym() -> Box<dyn Transform> {
    Box::new(Pseudonym::new(Keyed::One(Signer::new(HmacKey::new(&[7; 32]))), 128, TokenEncoding::Hex, ""))
}

fn apply(cell: &Cell, array: &ArrayRef) -> ArrayRef {
    // a fresh memo: what a batch costs that shares no dictionary with the last one
    cell.apply(array, &[], &mut Memo::default(), &mut Tally::with_sketches()).expect("takes every value")
}

/// Canonical text by type: TOKENS.md section 2.
fn canonical_text(c: &mut Criterion) {
    let integers = || (0..VALUES as i64).map(|row| row.wrapping_mul(2_654_435_761));
    let arrays: [(&str, ArrayRef); 5] = [
        ("Int64", Arc::new(integers().collect::<Int64Array>())),
        (
            "Decimal128(18, 2)",
            Arc::new(
                integers().map(i128::from).collect::<Decimal128Array>().with_precision_and_scale(18, 2).expect("fits"),
            ),
        ),
        ("Date32", Arc::new(Date32Array::from_iter_values((0..VALUES as i32).map(|row| row * 3)))),
        (
            "Timestamp(us)",
            Arc::new(TimestampMicrosecondArray::from_iter_values((0..VALUES as i64).map(|row| row * 86_400_000_017))),
        ),
        ("Utf8 of 24 bytes", texts(0, VALUES)),
    ];
    let mut group = c.benchmark_group(format!("canonical text of {VALUES} values"));
    group.throughput(Throughput::Elements(VALUES as u64));
    for (name, array) in &arrays {
        group.bench_function(BenchmarkId::new("type", name), |b| {
            b.iter(|| canonical(black_box(array), Meaning::Plain).expect("has a text form"));
        });
    }
    group.finish();
}

/// A whole cell: canonical text, token, counts and distinct sketches.
fn pseudonyms(c: &mut Criterion) {
    let cell = cell(pseudonym(), None);
    let mut group = c.benchmark_group(format!("pseudonym of {VALUES} values"));
    group.throughput(Throughput::Elements(VALUES as u64));
    for (nulls, distinct) in [(0, VALUES), (0, 100), (50, VALUES)] {
        let array = texts(nulls, distinct);
        group.bench_function(BenchmarkId::new("Utf8", format!("{nulls} % nulls, {distinct} distinct")), |b| {
            b.iter(|| apply(&cell, black_box(&array)));
        });
    }
    for distinct in [100, VALUES] {
        let array = dictionary(distinct);
        group.bench_function(BenchmarkId::new("Dictionary(Int32, Utf8)", format!("{distinct} distinct")), |b| {
            b.iter(|| apply(&cell, black_box(&array)));
        });
    }
    group.finish();
}

/// A key of no keyring.
struct Root;

impl SubkeySource for Root {
    fn subkey(&self, purpose: &str, domain: &str, tenant: &str, len: usize) -> Result<Secret, String> {
        Ok(lakeveil::crypto::subkey(&Secret::new(vec![7; 32]), purpose, domain, tenant, len))
    }

    fn root(&self, _: Scheme) -> Result<Secret, String> {
        Ok(Secret::new(vec![7; 32]))
    }
}

fn built(spec: Value) -> Built {
    let spec: TransformSpec = serde_json::from_value(spec).expect("a transform");
    build(&spec, Some(&Keys::one(Arc::new(Root)))).expect("builds")
}

/// A column of `rows` values of which `distinct` differ.
fn column_of(distinct: usize, value: impl Fn(usize) -> String) -> ArrayRef {
    Arc::new((0..VALUES).map(|row| Some(value(row.wrapping_mul(2_654_435_761) % distinct))).collect::<StringArray>())
}

/// Every family: the transform alone, without counts and sketches, which a cell adds.
fn families(c: &mut Criterion) {
    let text = |n: usize| format!("customer{n:012}");
    let digits = |n: usize| format!("{:016}", n as u64 * 1_000_003 % 10_000_000_000_000_000);
    let v4 = |n: usize| format!("{}.{}.{}.{}", 10 + n % 200, n / 7 % 256, n / 50 % 256, n % 251);
    let v6 = |n: usize| format!("2001:db8:{:x}:{:x}::{:x}", n % 65_536, n / 3, n + 1);
    type Text<'a> = &'a dyn Fn(usize) -> String;
    let email = |n: usize| format!("anna.{n:06}@mail.example.co.uk");
    let date = |n: usize| format!("{:04}-{:02}-{:02}", 1930 + n % 90, 1 + n % 12, 1 + n % 28);
    let texts: Vec<(&str, Text<'_>, Value)> = vec![
        ("pseudonym", &text, json!({"pseudonym": {"domain": "d"}})),
        ("pseudonym hmac-sha256", &text, json!({"pseudonym": {"scheme": "hmac-sha256"}})),
        ("encrypt", &text, json!({"encrypt": {"domain": "d"}})),
        ("rekeyable", &text, json!({"rekeyable": {"domain": "d"}})),
        ("fpe 16 digits", &digits, json!({"fpe": {"domain": "d"}})),
        ("ip prefix_preserving v4", &v4, json!({"ip": {"prefix_preserving": {"domain": "d"}}})),
        ("ip prefix_preserving v6", &v6, json!({"ip": {"prefix_preserving": {"domain": "d"}}})),
        ("ip truncate v4", &v4, json!({"ip": {"truncate": {}}})),
        ("email host pseudonym", &email, json!({"email": {"domain": "d"}})),
        ("email host registrable", &email, json!({"email": {"domain": "d", "host": "registrable"}})),
        ("surrogate given_name", &text, json!({"surrogate": {"list": "given_name", "locale": "en_US", "domain": "d"}})),
        ("generalize date month of text", &date, json!({"generalize": {"date": "month"}})),
        ("generalize age of text", &date, json!({"generalize": {"age": {"reference": "2026-01-01"}}})),
        ("generalize prefix", &text, json!({"generalize": {"prefix": {"keep": 3}}})),
        ("random per row", &text, json!({"random": {}})),
        ("random per run", &text, json!({"random": {"per": "run"}})),
        ("scrub of short texts", &text, json!({"scrub": {}})),
        ("mask", &text, json!({"mask": {"keep_last": 4}})),
        ("mask keep_separators", &text, json!({"mask": {"keep_separators": true}})),
        ("redact", &text, json!({"redact": "[removed]"})),
        ("nullify", &text, json!({"nullify": {}})),
        ("hash sha256", &text, json!({"hash": {}})),
        ("hash sha512", &text, json!({"hash": {"algorithm": "sha512"}})),
        ("hash blake3", &text, json!({"hash": {"algorithm": "blake3"}})),
        ("hash xxh3", &text, json!({"hash": {"algorithm": "xxh3"}})),
    ];
    let mut group = c.benchmark_group(format!("families, {VALUES} values"));
    group.throughput(Throughput::Elements(VALUES as u64));
    for (name, value, spec) in &texts {
        let built = built(spec.clone());
        for distinct in [VALUES, 1000] {
            let array = column_of(distinct, value);
            let canonical = canonical(&array, Meaning::Plain).expect("has a text form").values;
            let values = Values { array: &array, canonical: &canonical, companions: &[] };
            group.bench_function(BenchmarkId::new(*name, format!("{distinct} distinct")), |b| {
                b.iter(|| built.transform.apply(black_box(&values)).expect("applies"));
            });
        }
    }
    group.finish();
}

/// Families on typed columns: dates, timestamps and numbers, beside the entity or row id that steers them.
fn typed(c: &mut Criterion) {
    let days: ArrayRef = Arc::new(Date32Array::from_iter_values((0..VALUES as i32).map(|row| row * 3 % 30_000)));
    let stamps: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(
        (0..VALUES as i64).map(|row| row * 86_400_000_017 % 1_700_000_000_000_000),
    ));
    let numbers: ArrayRef = Arc::new((0..VALUES as i64).map(|row| row * 7_919 % 100_003).collect::<Int64Array>());
    let shift = json!({"date_shift": {"by": "id", "days": 365, "domain": "d"}});
    let noise = |law: Value| json!({"noise": {"by": "id", "domain": "d", "uniform": law}});
    let laplace = json!({"noise": {"by": "id", "domain": "d", "laplace": {"scale": 2}}});
    let families: Vec<(&str, &ArrayRef, Value)> = vec![
        ("date_shift Date32", &days, shift.clone()),
        ("date_shift Timestamp(us)", &stamps, shift),
        ("generalize date month of Date32", &days, json!({"generalize": {"date": "month"}})),
        ("generalize date iso_week of Timestamp(us)", &stamps, json!({"generalize": {"date": "iso_week"}})),
        ("generalize age of Date32", &days, json!({"generalize": {"age": {"reference": "2026-01-01"}}})),
        ("generalize number of Int64", &numbers, json!({"generalize": {"number": {"width": 10}}})),
        ("noise uniform of Int64", &numbers, noise(json!({"width": 5}))),
        ("noise laplace of Int64", &numbers, laplace),
        ("fpe of Int64", &numbers, json!({"fpe": {"domain": "d"}})),
    ];
    let mut group = c.benchmark_group(format!("typed families, {VALUES} values"));
    group.throughput(Throughput::Elements(VALUES as u64));
    for (name, array, spec) in &families {
        let built = built(spec.clone());
        for entities in [VALUES, 1000] {
            let ids: BinaryArray =
                (0..VALUES).map(|row| Some(format!("patient-{:012}", row % entities).into_bytes())).collect();
            let companions = vec![ids; built.companions.len()];
            let canonical = canonical(array, Meaning::Plain).expect("has a text form").values;
            let values = Values { array, canonical: &canonical, companions: &companions };
            group.bench_function(BenchmarkId::new(*name, format!("{entities} entities")), |b| {
                b.iter(|| built.transform.apply(black_box(&values)).expect("applies"));
            });
        }
    }
    group.finish();
}

/// Free text by the megabyte: with nothing to find, and with something in every line.
fn scrubbing(c: &mut Criterion) {
    let prose = "The second delivery came at noon, two days late, and nobody had told the warehouse that 3 boxes were \
                 missing; she wrote a note, left it on the desk and went home in the rain. ";
    let found = "Write to anna@example.com or call +44 20 7946 0958 from 192.0.2.17 about order 1234567. ";
    let mut group = c.benchmark_group("scrub, values of 1 KB");
    for (name, text) in [("nothing to find", prose), ("three finds in a hundred bytes", found)] {
        let value: String = text.chars().cycle().take(1_000).collect();
        let array: ArrayRef = Arc::new((0..1_000).map(|_| Some(value.as_str())).collect::<StringArray>());
        let canonical = canonical(&array, Meaning::Plain).expect("is text").values;
        let built = built(json!({"scrub": {}}));
        let values = Values { array: &array, canonical: &canonical, companions: &[] };
        group.throughput(Throughput::Bytes(canonical.value_data().len() as u64));
        group.bench_function(name, |b| b.iter(|| built.transform.apply(black_box(&values)).expect("applies")));
    }
    group.finish();
}

/// Each normalization step before a pseudonym.
fn normalization(c: &mut Criterion) {
    let array = texts(0, VALUES);
    let mut group = c.benchmark_group(format!("normalize and pseudonym of {VALUES} texts of 24 bytes"));
    group.throughput(Throughput::Elements(VALUES as u64));
    for steps in ["trim", "lowercase", "casefold", "nfkc", "alphanumeric", "email"] {
        let step: Step = steps.parse().expect("a step");
        let cell = cell(pseudonym(), Some(Normalizer::new(vec![step])));
        group.bench_function(steps, |b| b.iter(|| apply(&cell, black_box(&array))));
    }
    group.finish();
}

/// Counting distinct values.
fn sketches(c: &mut Criterion) {
    let values: Vec<String> = (0..VALUES).map(|row| email(VALUES, row)).collect();
    let mut group = c.benchmark_group("distinct sketch");
    group.throughput(Throughput::Elements(VALUES as u64));
    group.bench_function("insert of 24 bytes", |b| {
        let mut sketch = Sketch::default();
        b.iter(|| black_box(&values).iter().for_each(|value| sketch.insert(value.as_bytes())));
    });
    group.finish();
}

criterion_group!(benches, canonical_text, pseudonyms, families, typed, scrubbing, normalization, sketches);
criterion_main!(benches);
