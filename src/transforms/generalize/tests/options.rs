use super::*;
use crate::transforms::family::{BuildError, Family, FaultKind};
use crate::transforms::generalize::GeneralizeSpec;
use crate::transforms::testing::{any_keys, built};

fn spec(options: Value) -> GeneralizeSpec {
    serde_json::from_value(options).unwrap()
}

/// The faults of options: where and what.
fn faults(options: Value) -> Vec<(String, String)> {
    spec(options).faults().into_iter().map(|fault| (fault.path.join("."), fault.message)).collect()
}

fn fault(path: &str, message: &str) -> Vec<(String, String)> {
    vec![(path.to_owned(), message.to_owned())]
}

#[test]
fn options_that_make_sense_have_no_faults() {
    for options in [
        json!({ "date": "iso_week" }),
        json!({ "date": "month", "as": "first_day", "format": "%d.%m.%Y" }),
        json!({ "date": "month", "format": "%Y-%m-%dT%H:%M:%S%z" }),
        json!({ "age": { "reference": "2026-01-01" }, "format": "%-m/%-d/%Y" }),
        json!({ "age": { "reference": "2024-02-29", "bands": [18, 65], "top": 80 } }),
        json!({ "number": { "width": 10, "offset": "-0.5" } }),
        json!({ "number": { "buckets": [0, 18, "65.5"], "labels": ["a", "b", "c", "d"] } }),
        json!({ "prefix": { "keep": 3, "replace": { "036": "000" } } }),
        json!({ "prefix": { "keep": 3, "short": "keep", "replace": { "": "none" } } }),
        json!({ "hierarchy": { "file": "zip.csv", "level": 2, "delimiter": ",", "header": true } }),
    ] {
        assert_eq!(faults(options.clone()), [], "{options}");
    }
}

#[test]
fn exactly_one_option_says_what_becomes_of_a_value() {
    let one = "one of `date`, `age`, `number`, `prefix` and `hierarchy` says what becomes of a value, found";
    assert_eq!(faults(json!({})), fault("", &format!("{one} 0")));
    assert_eq!(spec(json!({})).faults()[0].kind, FaultKind::Missing);
    assert_eq!(faults(json!({ "date": "year", "prefix": { "keep": 1 } })), fault("", &format!("{one} 2")));
    let error = built(json!({ "generalize": {} }), &any_keys()).unwrap_err();
    assert_eq!(error, BuildError::Options(format!("{one} 0")), "what was never checked does not build either");
}

#[test]
fn options_that_make_no_sense_are_told_by_their_place() {
    let age = |key: &str, value: Value| {
        let mut options = json!({ "age": { "reference": "2026-01-01" } });
        options["age"][key] = value;
        faults(options)
    };
    assert_eq!(
        age("reference", json!("2026-02-29")),
        fault("age.reference", "`reference` is a date, `YYYY-MM-DD`, that exists")
    );
    assert_eq!(age("top", json!(0)), [fault("age.top", "`top` is an age from 1 to 200, found 0")].concat());
    assert_eq!(age("bands", json!(0)), fault("age.bands", "a band is at least one year wide"));
    assert_eq!(age("bands", json!([])), fault("age.bands", "the list of ages at which bands begin is empty"));
    assert_eq!(age("bands", json!([18, 18])), fault("age.bands", "the ages at which bands begin must increase"));
    assert_eq!(age("bands", json!([18, 90])), fault("age.bands", "bands begin below `top`, which is 90"));
    for (number, path, message) in [
        (json!({}), "number", "a rule has either `width` or `buckets`"),
        (json!({ "width": 1, "buckets": [1] }), "number", "a rule has either `width` or `buckets`"),
        (json!({ "width": 0 }), "number.width", "`width` is greater than 0, found 0"),
        (json!({ "width": "-0.5" }), "number.width", "`width` is greater than 0, found -0.5"),
        (json!({ "buckets": [] }), "number.buckets", "the list of boundaries is empty"),
        (json!({ "buckets": [1, "1.0"] }), "number.buckets", "the boundaries must increase"),
        (json!({ "buckets": [1], "offset": 1 }), "number.offset", "`offset` belongs to `width`"),
        (json!({ "width": 1, "labels": ["a"] }), "number.labels", "`labels` belong to `buckets`"),
        (json!({ "buckets": [1], "labels": ["a"] }), "number.labels", "1 boundaries make 2 buckets, found 1 labels"),
        (json!({ "buckets": [1], "labels": ["a", ""] }), "number.labels", "a label is empty"),
    ] {
        assert_eq!(faults(json!({ "number": number })), fault(path, message));
    }
    for (prefix, path, message) in [
        (json!({ "keep": 0 }), "prefix.keep", "a prefix has at least one character; to show none, use `redact`"),
        (json!({ "keep": 3, "replace": { "03": "" } }), "prefix.replace", "no prefix of 3 characters is `03`"),
        (
            json!({ "keep": 1, "short": "keep", "replace": { "03": "" } }),
            "prefix.replace",
            "no prefix of 1 characters is `03`",
        ),
    ] {
        assert_eq!(faults(json!({ "prefix": prefix })), fault(path, message));
    }
    let file =
        |level: u32, delimiter: char| json!({ "hierarchy": { "file": "f", "level": level, "delimiter": delimiter } });
    assert_eq!(faults(file(0, ';')), fault("hierarchy.level", "level 0 is the value itself"));
    let message = "`delimiter` is one ASCII character, and neither a quote nor a line break";
    for delimiter in ['"', '\n', '\u{e9}'] {
        assert_eq!(faults(file(1, delimiter)), fault("hierarchy.delimiter", message));
    }
    assert_eq!(faults(json!({ "prefix": { "keep": 1 }, "as": "label" })), fault("as", "`as` belongs to `date`"));
    assert_eq!(
        faults(json!({ "prefix": { "keep": 1 }, "format": "%Y%j" })),
        fault("format", "`format` belongs to `date` and `age`")
    );
    let message = "`format` can't be used: it has no day (`%d`): a whole date is a year, with month and day or the day \
                   of the year";
    assert_eq!(faults(json!({ "date": "year", "format": "%Y-%m" })), fault("format", message));
    let message = "a text that tells its distance from UTC (`%z`) has no first day of its own";
    assert_eq!(faults(json!({ "date": "year", "as": "first_day", "format": "%Y%j%z" })), fault("as", message));
}

#[test]
fn types_without_what_is_asked_for_are_refused() {
    use arrow::datatypes::DataType::*;
    let refused = |options: Value, data_type| treatment(options).output_type(&data_type).unwrap_err();
    assert_eq!(refused(json!({ "date": "year" }), Int64), "Int64 holds no dates; it takes dates, timestamps and text");
    assert_eq!(
        refused(json!({ "age": { "reference": "2026-01-01" } }), Boolean),
        "Boolean holds no dates; it takes dates, timestamps and text"
    );
    let numbers = "holds no numbers; it takes integers, decimals and floats, and text only by a `type`";
    assert_eq!(refused(json!({ "number": { "width": 1 } }), Utf8), format!("Utf8 {numbers}"));
    assert_eq!(refused(json!({ "number": { "buckets": [1] } }), Date32), format!("Date32 {numbers}"));
}

#[test]
fn a_bandwidth_is_read_as_a_number_and_as_a_scalar_of_a_policy() {
    for bands in [json!(10), json!("10")] {
        let options = json!({ "age": { "reference": "2026-01-01", "bands": bands } });
        assert_eq!(of_one(options, StringArray::from(vec!["1981-06-15"])).as_deref(), Some("40-49"));
    }
    for bands in [json!("ten"), json!(-1), json!(1.5), json!([-1]), json!({})] {
        let options = json!({ "age": { "reference": "2026-01-01", "bands": bands } });
        assert!(serde_json::from_value::<GeneralizeSpec>(options).is_err(), "{bands}");
    }
}

#[test]
fn the_schema_wants_one_of_the_options() {
    let schema = serde_json::to_value(schemars::schema_for!(GeneralizeSpec)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (options, valid) in [
        (json!({ "date": "year" }), true),
        (json!({ "number": { "width": "0.5" } }), true),
        (json!({ "number": { "width": 0.5 } }), true),
        (json!({ "age": { "reference": "2026-01-01", "bands": [1, 2] } }), true),
        (json!({}), false),
        (json!({ "date": "year", "prefix": { "keep": 1 } }), false),
        (json!({ "date": "decade" }), false),
        (json!({ "prefix": { "keep": 0 } }), false),
    ] {
        assert_eq!(validator.is_valid(&options), valid, "{options}");
    }
}
