//! `from`: several outputs of one input, at the end of the output's columns.

use std::fs;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field};
use serde_json::Value;

use crate::formats::{USUAL, read};
use crate::support::{Lake, batch, token, token_of};

type Texts = [Option<&'static str>; 4];

const EMAIL: Texts = [Some(" Ada@Example.com"), Some("bob@example.com"), None, Some("")];
const N: Texts = [Some("1"), Some("22"), Some("1"), None];

fn lake(format: &str) -> Lake {
    let lake = Lake::new();
    let column = |values: Texts| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    if format == "parquet" {
        let n = arrow::compute::cast(&column(N), &DataType::Int64).expect("casts");
        lake.put_parquet("in/t.parquet", vec![("email", column(EMAIL)), ("n", n)]);
        return lake;
    }
    let field = |value: Option<&str>| value.map(|value| format!("\"{value}\"")).unwrap_or_default();
    let lines = (0..4).map(|row| field(EMAIL[row]) + "," + &field(N[row]) + "\n");
    lake.put("in/t.csv", "email,n\n".to_owned() + &lines.collect::<String>());
    lake
}

fn put_policy(lake: &Lake, sink: &str, rest: &str) {
    let head = "version: 1\ndataset: test\nsource: { url: in/ }\nkeyring: { file: keyring.json }\n";
    lake.put("policy.yaml", format!("{head}sink: {{ url: out/, format: {sink} }}\n{rest}"));
}

const WAYS: [(&str, &str); 4] = [("csv", "csv"), ("csv", "parquet"), ("parquet", "csv"), ("parquet", "parquet")];

/// Names of an output's columns, in order.
fn names(lake: &Lake, path: &str) -> Vec<String> {
    let bytes = fs::read(lake.path(path)).expect("reads");
    if path.ends_with(".csv") {
        let text = String::from_utf8(bytes).expect("is text");
        return text.lines().next().expect("a header").split(',').map(str::to_owned).collect();
    }
    batch(bytes).schema().fields().iter().map(|field| field.name().clone()).collect()
}

fn column<'a>(report: &'a Value, name: &str) -> &'a Value {
    let columns = report["columns"].as_array().expect("columns");
    columns.iter().find(|column| column["name"] == name).expect("is reported")
}

fn warned(report: &Value) -> Vec<String> {
    let warnings = report["warnings"].as_array().expect("warnings").iter();
    let told =
        |one: &Value| format!("{} {}", one["code"].as_str().expect("a code"), one["column"].as_str().unwrap_or(""));
    warnings.map(told).collect()
}

const RULES: &str = "columns:
  user_id: { from: email, normalize: [trim, lowercase], pseudonym: { domain: users }, empty: to_null }
  size: { derive: length(email) }
  email: drop
  n_token: { from: n, pseudonym: { domain: ns, tenant: { column: email } }, on_error: redact }
  n: { pseudonym: { domain: ns } }
  short: { from: email, mask: { keep_first: 1 }, when: n > 1, otherwise: redact }
  m: { from: n, keep: {} }
";

#[test]
fn one_input_has_several_outputs_on_every_way() {
    let some = |text: &str| Some(text.to_owned());
    let expected: [(&str, [Option<String>; 4]); 6] = [
        ("n", N.map(|n| n.map(|n| token("ns", n)))),
        ("user_id", [Some(token("users", "ada@example.com")), Some(token("users", "bob@example.com")), None, None]),
        ("size", [some("16"), some("15"), None, some("0")]),
        (
            "n_token",
            [
                Some(token_of("ns", " Ada@Example.com", "1")),
                Some(token_of("ns", "bob@example.com", "22")),
                some("[redacted]"),
                None,
            ],
        ),
        ("short", [some("[redacted]"), some("b**************"), None, some("")]),
        ("m", N.map(|n| n.map(str::to_owned))),
    ];
    for (source, sink) in WAYS {
        for filter in ["", "where: \"true\"\n"] {
            let (lake, case) = (lake(source), format!("{source} to {sink} {filter}"));
            let types = if source == "csv" { "types: { n: int64 }\n" } else { "" };
            put_policy(&lake, sink, &format!("{filter}{types}{RULES}"));
            let report = lake.run_well(&[]);
            let path = format!("out/t.{sink}");
            let made = read(&lake, &path, USUAL);
            assert_eq!(names(&lake, &path), expected.each_ref().map(|(name, _)| *name), "{case}: in their order");
            for (name, values) in &expected {
                assert_eq!(made[*name], *values, "{case}: {name}");
            }
            assert_eq!(column(&report, "user_id")["inputs"][0], "email", "{case}");
            assert_eq!(column(&report, "m")["transform"], "keep", "{case}");
            let told: Vec<Value> = ["values", "nulls", "empties", "transformed"]
                .map(|figure| column(&report, "user_id")[figure].clone())
                .into();
            assert_eq!(told, [4, 2, 1, 3].map(Value::from), "{case}");
            // what is copied openly is warned about, and so is what is derived
            let warned = warned(&report);
            for warning in ["derive-shows-raw size", "from-shows-raw m"] {
                assert!(warned.iter().any(|one| one == warning), "{case}: {warned:?}");
            }
        }
    }
}

#[test]
fn text_copies_keep_their_bytes_beside_other_outputs_of_the_same_fields() {
    let lake = Lake::new();
    lake.put("in/t.csv", "a,b\r\n\"x\",NULL\r\n\" \"\"y\"\"\",\"\"\r\n,\n");
    let head =
        "version: 1\ndataset: test\nsource: { url: in/, csv: { null: [NULL] } }\nkeyring: { file: keyring.json }\n";
    let rules = "columns: { b2: { from: b, keep: {} }, a: keep, b: keep, t: { from: a, redact: r }, \
                 a2: { from: a, keep: {} }, a3: { from: a, keep: {} } }\n";
    lake.put("policy.yaml", format!("{head}sink: {{ url: out/ }}\n{rules}"));
    let report = lake.run_well(&[]);
    let made = fs::read_to_string(lake.path("out/t.csv")).expect("reads");
    let y = "\" \"\"y\"\"\"";
    let expected = format!("a,b,b2,t,a2,a3\r\n\"x\",NULL,NULL,r,\"x\",\"x\"\r\n{y},\"\",\"\",r,{y},{y}\r\n,,,,,\n");
    assert_eq!(made, expected);
    for name in ["a", "b", "b2", "a2", "a3"] {
        assert_eq!(column(&report, name)["routes"][0]["route"], "copied", "{name}");
    }
    assert_eq!(column(&report, "a2")["routes"][0]["bytes"], column(&report, "a")["routes"][0]["bytes"]);
    assert_eq!(warned(&report), Vec::<String>::new(), "what is kept openly is no secret");
}

/// `user` with the fields `email` and `born`, null in the second row.
fn users() -> ArrayRef {
    let field = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
    let text = |values: [Option<&str>; 4]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let email = text([Some("ada"), Some("CANARY"), None, Some("eve")]);
    let born = text([Some("2001-02-03"), Some("CANARY"), None, Some("2004-05-06")]);
    let valid = NullBuffer::from(vec![true, false, true, true]);
    let geo: ArrayRef = Arc::new(StructArray::from(vec![(field("city"), text([Some("x"), None, None, Some("y")]))]));
    let geo_field = Arc::new(Field::new("geo", geo.data_type().clone(), true));
    let fields = vec![field("email"), field("born"), geo_field];
    Arc::new(StructArray::new(fields.into(), vec![email, born, geo], Some(valid)))
}

#[test]
fn fields_of_structs_become_columns_of_their_own() {
    for sink in ["parquet", "csv"] {
        for filter in ["", "where: \"true\"\n"] {
            let lake = Lake::new();
            lake.put_parquet(
                "in/t.parquet",
                vec![("user", users()), ("x", Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef)],
            );
            let rules = "types: { user.born: date }
columns:
  user: drop
  x: keep
  user_id: { from: user.email, pseudonym: { domain: users } }
  born: { from: user.born, keep: {} }
  city: { from: user.geo.city, mask: {}, when: x > 1, otherwise: keep }
";
            put_policy(&lake, sink, &format!("{filter}{rules}"));
            let report = lake.run_well(&[]);
            let path = format!("out/t.{sink}");
            assert_eq!(names(&lake, &path), ["x", "user_id", "born", "city"], "{sink}");
            let made = lake.table(&path);
            let (of, some) = (|text: &str| Some(token("users", text)), |text: &str| Some(text.to_owned()));
            assert_eq!(made["user_id"], [of("ada"), None, None, of("eve")], "{sink}: null where the struct is");
            assert_eq!(made["born"], [some("2001-02-03"), None, None, some("2004-05-06")], "{sink}");
            assert_eq!(made["city"], [some("x"), None, None, some("*")], "{sink}");
            assert_eq!(column(&report, "user_id")["inputs"][0], "user.email");
            assert_eq!(column(&report, "user_id")["nulls"], 2);
            let told = warned(&report);
            assert!(told.contains(&"from-shows-raw born".to_owned()), "{told:?}");
            assert_eq!(lake.holding("out", "CANARY"), Vec::<String>::new());
        }
    }
}

#[test]
fn a_nested_column_can_be_copied_whole_and_its_field_id_stays_where_it_was() {
    let id = |field: &Field| field.metadata().get("PARQUET:field_id").cloned();
    let with_id = |field: Field, id: &str| field.with_metadata([("PARQUET:field_id".to_owned(), id.to_owned())].into());
    let users = users();
    let DataType::Struct(fields) = users.data_type() else { panic!() };
    let inner: Vec<Field> =
        fields.iter().zip(["2", "3", "4"]).map(|(field, id)| with_id(Field::clone(field), id)).collect();
    let users = arrow::compute::cast(&users, &DataType::Struct(inner.clone().into())).expect("the same");
    let name: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "b"]));
    let schema = arrow::datatypes::Schema::new(vec![
        with_id(Field::new("user", DataType::Struct(inner.into()), true), "1"),
        with_id(Field::new("name", DataType::Utf8, false), "5"),
    ]);
    let rows = arrow::array::RecordBatch::try_new(Arc::new(schema), vec![users, name]).expect("fits");
    for filter in ["", "where: \"true\"\n"] {
        let lake = Lake::new();
        lake.put("in/t.parquet", crate::support::written(&rows, Default::default()));
        let rules = "columns: { '*': keep, who: { from: user, keep: {} }, called: { from: name, keep: {} }, \
                     token: { from: name, hash: {} } }\n";
        lake.policy(&format!("{filter}{rules}"));
        let report = lake.run_well(&[]);
        let made = batch(fs::read(lake.path("out/t.parquet")).expect("reads"));
        assert_eq!(made["who"].as_struct().columns(), made["user"].as_struct().columns(), "{filter}");
        assert_eq!(made["called"].as_ref(), made["name"].as_ref());
        let schema = made.schema();
        let ids: Vec<_> = schema.fields().iter().map(|field| id(field)).collect();
        let some = |id: &str| Some(id.to_owned());
        assert_eq!(ids, [some("1"), some("5"), None, None, None], "{filter}: an id is of one column alone");
        let DataType::Struct(copied) = schema.field(2).data_type() else { panic!() };
        assert!(copied.iter().all(|field| id(field).is_none()), "{filter}: {copied:?}");
        if filter.is_empty() {
            let way = |name: &str| column(&report, name)["routes"][0]["route"].clone();
            assert_eq!(["who", "called", "token"].map(way), ["copied", "copied", "dictionary"].map(Value::from));
        }
    }
}

#[test]
fn a_partition_may_have_outputs_in_the_objects() {
    for (source, sink) in WAYS {
        let lake = Lake::new();
        let path = format!("day=2026-11-22/t.{source}");
        lake.put(&format!("in/{path}"), fs::read(self::lake(source).path(format!("in/t.{source}"))).expect("reads"));
        let rules = "columns: { email: drop, n: keep, day: { pseudonym: { domain: days } }, \
                     night: { from: day, pseudonym: { domain: nights } }, date: { from: day, keep: {} } }\n";
        put_policy(&lake, sink, rules);
        let report = lake.run_well(&[]);
        let out = format!("out/day={}/t.{sink}", token("days", "2026-11-22"));
        let made = lake.table(&out);
        assert_eq!(made["night"], vec![Some(token("nights", "2026-11-22")); 4], "{source} to {sink}");
        assert_eq!(made["date"], vec![Some("2026-11-22".to_owned()); 4], "{source} to {sink}");
        assert!(warned(&report).contains(&"from-shows-raw date".to_owned()), "{:?}", warned(&report));
    }
}

#[test]
fn an_error_of_a_value_names_the_new_column_and_the_row() {
    for source in ["csv", "parquet"] {
        let lake = lake(source);
        lake.policy("columns: { email: keep, n: keep, e: { from: email, normalize: [email], hash: {} } }\n");
        let report = lake.run_to(1, &[]);
        let message = report["objects"][0]["failure"]["message"].as_str().expect("a message");
        assert!(message.contains("column `e`, row 1"), "{source}: {message}");
    }
}

#[track_caller]
fn refused(lake: &Lake, rules: &str, words: &[&str]) {
    lake.policy(&format!("unlisted: keep\ncolumns: {{ {rules} }}\n"));
    let error = lake.run(&[]).expect(2).stderr;
    for word in words {
        assert!(error.contains(word), "`{word}` is missing: {error}");
    }
    assert_eq!(lake.files("out"), Vec::<String>::new());
}

#[test]
fn what_can_t_be_a_new_column_is_refused() {
    let lake = lake("parquet");
    refused(
        &lake,
        "e: { from: emial, hash: {} }",
        &["no-such-column", "`e` is made of `emial`", "did you mean `email`?"],
    );
    refused(&lake, "e: { from: email.x, hash: {} }", &["no-such-column", "`email.x`"]);
    refused(&lake, "n: { from: email, hash: {} }", &["name-collision", "two columns of the output would be named `n`"]);
    refused(&lake, "e: { from: email, hash: {} }, n: { keep: {}, rename: e }", &["name-collision"]);
    refused(&lake, "e: { from: email, hash: {} }, f: { from: email, hash: {}, rename: e }", &["useless-option"]);
    refused(&lake, "e: { from: 'n[]', hash: {} }", &["policy::from", "a list or a map"]);
    refused(&lake, "e: { from: 'em*', hash: {} }", &["bad-value", "match many columns"]);
    refused(&lake, "e: { from: n, type: int64, hash: {} }", &["useless-option", "types: { n: int64 }"]);
    // the source column needs a rule of its own
    lake.policy("columns: { e: { from: email, hash: {} }, n: keep }\n");
    let error = lake.run(&[]).expect(2).stderr;
    assert!(error.contains("unlisted-column") && error.contains("`email`"), "{error}");
    // and a new column is no rule for a source column that has its name
    lake.policy("columns: { n: { from: email, hash: {} }, email: drop }\n");
    let error = lake.run(&[]).expect(2).stderr;
    assert!(error.contains("no rule names the column `n`"), "{error}");
    lake.policy(
        "unlisted: drop\ncolumns: { n: { from: email, hash: {} }, o: { from: o, hash: {}, optional: true } }\n",
    );
    lake.run_well(&[]);
    assert_eq!(names(&lake, "out/t.parquet"), ["n"]);
}

#[test]
fn every_new_column_is_one_input_s_in_lineage_and_plan() {
    let lake = lake("csv");
    lake.policy("columns: { email: keep, n: drop, e: { from: email, hash: {} }, d: { derive: upper(email) } }\n");
    let report = lake.run_well(&["--openlineage", "events.ndjson"]);
    assert_eq!(warned(&report), ["unkeyed-hash e"], "what is kept is hidden by no other output of it");
    let plan = lake.lakeveil("plan", [] as [&str; 0]).expect(0).stdout;
    assert!(plan.contains("hash from email"), "{plan}");
    let events = fs::read_to_string(lake.path("events.ndjson")).expect("reads");
    let last: Value = serde_json::from_str(events.lines().last().expect("an event")).expect("is JSON");
    let fields = &last["outputs"][0]["facets"]["columnLineage"]["fields"];
    assert_eq!(fields["e"]["inputFields"][0]["field"], "email", "{fields:#}");
}
