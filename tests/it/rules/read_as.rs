//! `types`: text columns read as another type before anything else, in CSV and in Parquet.

use std::fs;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use parquet::file::properties::WriterProperties;
use serde_json::Value;

use crate::formats::{USUAL, read};
use crate::support::{Lake, batch, token, token_of, written};

const UUID: &str = "0F0E0D0C-0B0A-4908-8706-050403020100";

/// A column of texts.
type Texts = [Option<&'static str>; 3];

/// Texts as spreadsheets have them, and the canonical bytes of what they are read as.
const COLUMNS: [(&str, Texts, Texts); 5] = [
    ("n", [Some("042"), None, Some("+9")], [Some("42"), None, Some("9")]),
    ("price", [Some("42.00"), Some("-0"), None], [Some("42"), Some("0"), None]),
    ("day", [Some("2026-11-22"), None, Some(" 1969-12-31 ")], [Some("2026-11-22"), None, Some("1969-12-31")]),
    (
        "seen_at",
        [Some("2026-11-22 00:00:00"), Some("2026-11-22T01:00+01:00"), None],
        [Some("2026-11-22T00:00:00Z"), Some("2026-11-22T00:00:00Z"), None],
    ),
    (
        "uid",
        [Some(UUID), Some("0f0e0d0c0b0a49088706050403020100"), None],
        [Some("0f0e0d0c-0b0a-4908-8706-050403020100"), Some("0f0e0d0c-0b0a-4908-8706-050403020100"), None],
    ),
];

const TYPES: &str = "types: { n: int64, price: 'decimal(9,2)', day: date, '*_at': timestamp(UTC), '*': uuid }\n";

fn texts(values: Texts) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn lake(format: &str) -> Lake {
    let lake = Lake::new();
    if format == "csv" {
        let names = COLUMNS.map(|(name, ..)| name).join(",");
        let row = |row: usize| COLUMNS.map(|(_, texts, _)| texts[row].unwrap_or_default()).join(",");
        lake.put("in/t.csv", format!("{names}\n{}\n{}\n{}\n", row(0), row(1), row(2)));
    } else {
        lake.put_parquet("in/t.parquet", COLUMNS.iter().map(|(name, values, _)| (*name, texts(*values))).collect());
    }
    lake
}

fn put_policy(lake: &Lake, sink: &str, rest: &str) {
    let head = "version: 1\ndataset: test\nsource: { url: in/ }\nkeyring: { file: keyring.json }\n";
    lake.put("policy.yaml", format!("{head}sink: {{ url: out/, format: {sink} }}\n{rest}"));
}

const WAYS: [(&str, &str); 4] = [("csv", "csv"), ("csv", "parquet"), ("parquet", "csv"), ("parquet", "parquet")];

#[test]
fn a_text_with_a_type_has_the_token_of_what_it_is_read_as() {
    for (source, sink) in WAYS {
        for filter in ["", "where: \"true\"\n"] {
            let (lake, case) = (lake(source), format!("{source} to {sink} {filter}"));
            put_policy(&lake, sink, &format!("{filter}{TYPES}columns: {{ '*': {{ pseudonym: {{ domain: d }} }} }}\n"));
            lake.run_well(&[]);
            let made = read(&lake, &format!("out/t.{sink}"), USUAL);
            for (name, _, canonical) in COLUMNS {
                let expected = canonical.map(|text| text.map(|text| token("d", text)));
                assert_eq!(made[name], expected, "{case}: {name}");
            }
            assert_eq!(made.len(), COLUMNS.len(), "{case}");
        }
    }
}

#[test]
fn without_a_type_text_is_never_parsed() {
    for (source, sink) in WAYS {
        let lake = lake(source);
        put_policy(&lake, sink, "columns: { '*': { pseudonym: { domain: d } } }\n");
        lake.run_well(&[]);
        let made = read(&lake, &format!("out/t.{sink}"), USUAL);
        for (name, values, _) in COLUMNS {
            let expected = values.map(|text| text.map(|text| token("d", text)));
            assert_eq!(made[name], expected, "{source} to {sink}: {name}");
        }
    }
}

#[test]
fn conditions_new_columns_and_columns_that_steer_see_the_type() {
    for (source, sink) in WAYS {
        let (lake, case) = (lake(source), format!("{source} to {sink}"));
        let rules = "where: \"n > 9\"
columns:
  n: { pseudonym: { domain: d, tenant: { column: uid } } }
  next: { derive: \"n + 1\" }
  '*': drop
";
        put_policy(&lake, sink, &format!("{TYPES}{rules}"));
        lake.run_well(&[]);
        let made = read(&lake, &format!("out/t.{sink}"), USUAL);
        let tenant = "0f0e0d0c-0b0a-4908-8706-050403020100";
        assert_eq!(made["n"], [Some(token_of("d", tenant, "42"))], "{case}");
        assert_eq!(made["next"], [Some("43".to_owned())], "{case}");
    }
}

#[test]
fn what_is_kept_with_a_type_has_it_in_the_output() {
    let types: [(&str, DataType); 5] = [
        ("n", DataType::Int64),
        ("price", DataType::Decimal128(9, 2)),
        ("day", DataType::Date32),
        ("seen_at", DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, Some("UTC".into()))),
        ("uid", DataType::FixedSizeBinary(16)),
    ];
    for source in ["csv", "parquet"] {
        let lake = lake(source);
        put_policy(&lake, "parquet", &format!("{TYPES}columns: {{ '*': keep }}\n"));
        let report = lake.run_well(&[]);
        let made = batch(fs::read(lake.path("out/t.parquet")).expect("reads"));
        for ((name, expected), (field, column)) in
            types.iter().zip(made.schema_ref().fields().iter().zip(made.columns()))
        {
            assert_eq!(
                (field.name().as_str(), field.data_type(), column.null_count()),
                (*name, expected, 1),
                "{source}"
            );
        }
        assert_eq!(made["n"].as_primitive::<Int64Type>().iter().collect::<Vec<_>>(), [Some(42), None, Some(9)]);
        assert_eq!(report["columns"][0]["type_after"], "Int64");
    }
}

#[test]
fn a_neighbour_of_a_typed_column_is_copied_as_it_lies() {
    let lake = lake("parquet");
    lake.policy("types: { n: int64 }\nunlisted: keep\ncolumns: { n: { pseudonym: { domain: d } } }\n");
    let report = lake.run_well(&[]);
    let ways = |at: usize| report["columns"][at]["routes"][0]["route"].as_str().expect("a route").to_owned();
    assert_eq!((ways(0), ways(1)), ("leaf".to_owned(), "copied".to_owned()));
}

#[test]
fn leaves_of_nested_columns_have_types_by_their_paths() {
    let lake = Lake::new();
    let born: ArrayRef = Arc::new(StringArray::from(vec![Some("2001-02-03"), None, Some("2004-05-06")]));
    let id: ArrayRef = Arc::new(StringArray::from(vec!["007", "8", "9"]));
    let field = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
    let user: ArrayRef = Arc::new(StructArray::from(vec![(field("born"), born), (field("id"), id)]));
    let mut seen = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
    seen.append_value([Some("10:00"), None]);
    seen.append_null();
    seen.append_value([Some("10:00:00.50")]);
    let seen: ArrayRef = Arc::new(seen.finish());
    let names = arrow::array::MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut codes = arrow::array::MapBuilder::new(
        Some(names),
        arrow::array::StringBuilder::new(),
        arrow::array::StringBuilder::new(),
    );
    for value in ["+1", "2", "03"] {
        codes.keys().append_value("k");
        codes.values().append_value(value);
        codes.append(true).expect("a key and a value");
    }
    let codes: ArrayRef = Arc::new(codes.finish());
    lake.put_parquet("in/t.parquet", vec![("user", user), ("seen", seen), ("codes", codes)]);
    let columns = "types: { user.*: date, 'seen[]': time, 'codes{}.value': int8 }
columns:
  user.born: { pseudonym: { domain: d } }
  user.id: { keep: {}, type: text }
  'seen[]': { pseudonym: { domain: d } }
  'codes{}.value': { pseudonym: { domain: d } }
  codes: keep
";
    lake.policy(columns);
    let error = lake.run(&[]).expect(2).stderr;
    assert!(error.contains("type-conflict") && error.contains("`user.*`"), "{error}");
    lake.policy(&columns.replace("user.*", "user.born"));
    lake.run_well(&[]);
    let made = batch(fs::read(lake.path("out/t.parquet")).expect("reads"));
    let texts =
        |array: &ArrayRef| array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>();
    let user = made["user"].as_struct();
    let of = |text: &str| Some(token("d", text));
    assert_eq!(texts(user.column(0)), [of("2001-02-03"), None, of("2004-05-06")]);
    assert_eq!(texts(user.column(1)), ["007", "8", "9"].map(|id| Some(id.to_owned())));
    assert_eq!(texts(made["seen"].as_list::<i32>().values()), [of("10:00:00"), None, of("10:00:00.5")]);
    assert_eq!(texts(made["codes"].as_map().values()), ["1", "2", "3"].map(of));
}

#[test]
fn a_text_that_is_not_of_its_type_fails_the_object_by_its_row_whatever_on_error_says() {
    let rows: Vec<String> =
        (0..9_000).map(|row| if row == 8_700 { "CANARY".to_owned() } else { row.to_string() }).collect();
    let column: ArrayRef = Arc::new(StringArray::from(rows.clone()));
    let rows_batch = arrow::array::RecordBatch::try_from_iter([("n", column)]).expect("a column");
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(4_000)).build();
    for rule in ["{ pseudonym: { domain: d }, on_error: to_null }", "keep", "drop"] {
        for source in ["csv", "parquet"] {
            let lake = Lake::new();
            match source {
                "csv" => lake.put("in/t.csv", format!("n\n{}\n", rows.join("\n"))),
                _ => lake.put("in/t.parquet", written(&rows_batch, properties.clone())),
            }
            lake.policy(&format!("types: {{ n: int64 }}\ncolumns: {{ n: {rule}, m: {{ derive: \"1\" }} }}\n"));
            if rule == "drop" {
                // nobody reads it
                lake.run_well(&[]);
                continue;
            }
            let report = lake.run_to(1, &[]);
            let message = report["objects"][0]["failure"]["message"].as_str().expect("a message");
            assert!(message.contains("row 8701") && message.contains("no int64"), "{source}: {message}");
            assert!(!report.to_string().contains("CANARY"), "{source}: {report}");
            assert_eq!(lake.objects("out"), Vec::<String>::new());
        }
    }
}

#[test]
fn the_first_entry_that_matches_wins() {
    let lake = lake("csv");
    lake.policy("types: { n: text, '?': int64 }\nunlisted: drop\ncolumns: { n: { pseudonym: { domain: d } } }\n");
    let error = lake.run(&[]).expect(2).stderr;
    assert!(error.contains("the entry `?` of `types` names no column"), "an entry that is never the first: {error}");
    lake.put("in/t.csv", "n,m\n042,042\n");
    lake.policy("types: { n: text, '?': int64 }\ncolumns: { '*': { pseudonym: { domain: d } } }\n");
    lake.run_well(&[]);
    let made = lake.table("out/t.csv");
    assert_eq!((&made["n"], &made["m"]), (&vec![Some(token("d", "042"))], &vec![Some(token("d", "42"))]));
}

#[test]
fn an_entry_that_names_no_column_is_an_error_unless_the_column_is_optional() {
    for source in ["csv", "parquet"] {
        let lake = lake(source);
        lake.policy("types: { dai: date }\ncolumns: { '*': { pseudonym: { domain: d } } }\n");
        let error = lake.run(&[]).expect(2).stderr;
        assert!(error.contains("no-such-column") && error.contains("did you mean `day`?"), "{error}");
        assert!(error.contains("policy.yaml:8:10"), "where it stands: {error}");
        let rule = "{ drop: {}, optional: true }";
        lake.policy(&format!(
            "types: {{ dai: date }}\ncolumns: {{ dai: {rule}, '*': {{ pseudonym: {{ domain: d }} }} }}\n"
        ));
        lake.run_well(&[]);
    }
}

#[test]
fn a_rule_and_an_entry_that_disagree_are_an_error() {
    let lake = lake("csv");
    let rules = |own: &str| {
        format!("types: {{ n: int64 }}\nunlisted: drop\ncolumns: {{ '[n]': {{ keep: {{}}, type: {own} }} }}\n")
    };
    lake.policy(&rules("int32").replace("'[n]'", "n"));
    let checked = lake.run(&[]).expect(2).stderr;
    assert!(checked.contains("type-conflict") && checked.contains("int32") && checked.contains("int64"), "{checked}");
    lake.policy(&rules("int32").replace("'[n]'", "'n*'"));
    let error = lake.run(&[]).expect(2).stderr;
    assert!(error.contains("type-conflict"), "by a pattern, once the columns are known: {error}");
    lake.policy(&rules("int64").replace("'[n]'", "'n*'"));
    lake.run_well(&[]);
}

#[test]
fn a_type_that_has_no_effect_is_warned_about() {
    let codes = |report: &Value| {
        let warnings = report["warnings"].as_array().expect("warnings").clone();
        warnings
            .iter()
            .map(|one| format!("{} {}", one["code"].as_str().unwrap(), one["column"].as_str().unwrap_or("")))
            .collect::<Vec<_>>()
    };
    let lake = Lake::new();
    lake.put_parquet(
        "in/day=2026-11-22/t.parquet",
        vec![
            ("n", Arc::new(arrow::array::Int32Array::from(vec![1])) as ArrayRef),
            ("m", Arc::new(arrow::array::Int64Array::from(vec![1]))),
        ],
    );
    lake.policy("types: { n: int64, m: int64, day: date }\ncolumns: { '*': keep }\n");
    let report = lake.run_well(&[]);
    assert_eq!(codes(&report), ["type-not-applied day", "type-not-applied n"]);
}

#[test]
fn another_type_is_another_job() {
    let lake = lake("parquet");
    let columns = "columns: { '*': { pseudonym: { domain: d } } }\n";
    for (types, written) in [("", 1), ("", 0), ("types: { n: int64 }\n", 1), ("types: { n: int8 }\n", 1)] {
        lake.policy(&format!("{types}{columns}"));
        let report = lake.run_well(&[]);
        assert_eq!(report["totals"]["objects_written"], written, "{types}");
    }
}
