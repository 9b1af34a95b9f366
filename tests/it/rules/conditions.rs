//! `when` and `otherwise`: a rule for some rows, and what becomes of the others.

use std::fs;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, Int64Array, ListBuilder, MapBuilder, MapFieldNames, StringArray, StringBuilder, StructArray,
};
use arrow::datatypes::{DataType, Field};
use serde_json::Value;

use crate::formats::{USUAL, read};
use crate::support::{Lake, batch, token, token_of};

type Texts = [Option<&'static str>; 5];

const EMAIL: Texts = [Some("ada"), Some("bob"), None, Some(""), Some("eve")];
const COUNTRY: Texts = [Some("DE"), Some("PL"), Some("PL"), Some("PL"), None];
const AGE: Texts = [Some("9"), Some("18"), Some("30"), Some("40"), Some("50")];

fn lake(format: &str) -> Lake {
    let lake = Lake::new();
    let column = |values: Texts| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    if format == "parquet" {
        let age = arrow::compute::cast(&column(AGE), &DataType::Int64).expect("casts");
        lake.put_parquet("in/t.parquet", vec![("email", column(EMAIL)), ("country", column(COUNTRY)), ("age", age)]);
        return lake;
    }
    let field = |value: Option<&str>| value.map(|value| format!("\"{value}\"")).unwrap_or_default();
    let line = |row: usize| [EMAIL, COUNTRY, AGE].map(|column| field(column[row])).join(",") + "\n";
    lake.put("in/t.csv", "email,country,age\n".to_owned() + &(0..5).map(line).collect::<String>());
    lake
}

fn put_policy(lake: &Lake, sink: &str, rest: &str) {
    let head = "version: 1\ndataset: test\nsource: { url: in/ }\nkeyring: { file: keyring.json }\n";
    lake.put("policy.yaml", format!("{head}sink: {{ url: out/, format: {sink} }}\n{rest}"));
}

const WAYS: [(&str, &str); 4] = [("csv", "csv"), ("csv", "parquet"), ("parquet", "csv"), ("parquet", "parquet")];

fn column<'a>(report: &'a Value, name: &str) -> &'a Value {
    let columns = report["columns"].as_array().expect("columns");
    columns.iter().find(|column| column["name"] == name).expect("is reported")
}

fn figures(report: &Value, name: &str) -> [u64; 6] {
    let column = column(report, name);
    let figure = |name: &str| column[name].as_u64().unwrap_or_else(|| panic!("{name}: {column}"));
    ["values", "nulls", "empties", "transformed", "distinct_in", "distinct_out"].map(figure)
}

#[test]
fn only_rows_for_which_the_condition_is_false_are_left_to_otherwise() {
    let of = |text: &str| Some(token("d", text));
    let some = |text: &str| Some(text.to_owned());
    // of the last row nobody knows
    let mark = some("[redacted]");
    let cases = [
        ("keep", [of("ada"), some("bob"), None, some(""), of("eve")], [5, 1, 1, 2, 4, 4]),
        ("to_null", [of("ada"), None, None, None, of("eve")], [5, 3, 1, 4, 4, 2]),
        ("redact", [of("ada"), mark.clone(), None, mark, of("eve")], [5, 1, 1, 4, 4, 3]),
    ];
    for (source, sink) in WAYS {
        for (otherwise, expected, counted) in &cases {
            for filter in ["", "where: \"age > 0\"\n"] {
                let (lake, case) = (lake(source), format!("{source} to {sink}, {otherwise} {filter}"));
                let types = if source == "csv" { "types: { age: int64 }\n" } else { "" };
                let rule = format!("pseudonym: {{ domain: d }}, when: \"country = 'DE'\", otherwise: {otherwise}");
                put_policy(&lake, sink, &format!("{filter}{types}columns: {{ email: {{ {rule} }}, '*': keep }}\n"));
                let report = lake.run_well(&[]);
                let made = read(&lake, &format!("out/t.{sink}"), USUAL);
                assert_eq!(made["email"], *expected, "{case}");
                assert_eq!(made["country"], COUNTRY.map(|text| text.map(str::to_owned)), "{case}");
                assert_eq!(figures(&report, "email"), *counted, "{case}");
                let email = column(&report, "email");
                assert_eq!(email["masking"], *otherwise != "keep", "{case}");
                let codes: Vec<&str> = report["warnings"]
                    .as_array()
                    .expect("warnings")
                    .iter()
                    .filter_map(|warning| warning["code"].as_str())
                    // the values of these tests are short
                    .filter(|code| *code != "small-domain")
                    .collect();
                assert_eq!(codes, if *otherwise == "keep" { vec!["when-shows-raw"] } else { vec![] }, "{case}");
                let steering: Vec<&str> =
                    email["indirect_inputs"].as_array().expect("names").iter().filter_map(Value::as_str).collect();
                assert!(steering.contains(&"country"), "{case}: {steering:?}");
                if source == "parquet" {
                    assert_eq!(email["routes"][0]["route"], "stream", "{case}");
                }
            }
        }
    }
}

#[test]
fn the_plan_names_the_rows_that_stay_raw() {
    let lake = lake("csv");
    lake.policy(
        "columns: { email: { hash: {}, when: \"country <> 'PL'\", otherwise: keep }, '*': keep, \
         d: { derive: upper(email) } }\n",
    );
    let plan = lake.lakeveil("plan", [] as [&str; 0]).expect(0).stdout;
    assert!(plan.contains("when-shows-raw") && plan.contains("SHOWS source values"), "{plan}");
    assert!(plan.contains("derive-shows-raw"), "a column that is hidden in part is hidden from others: {plan}");
}

#[test]
fn a_condition_reads_every_source_column_raw_and_partitions_too() {
    for (source, sink) in WAYS {
        let lake = Lake::new();
        let (path, names) = (format!("in/day=2026-11-22/t.{source}"), ["email", "country", "age"]);
        let from = self::lake(source);
        lake.put(&path, fs::read(from.path(format!("in/t.{source}"))).expect("reads"));
        let _ = names;
        let types = if source == "csv" { "types: { age: int64 }\n" } else { "" };
        // a column that is dropped, the column itself, one that also steers, and the path
        let rules = "columns:
  country: { pseudonym: { domain: c }, when: \"country <> 'PL' and day = '2026-11-22'\", otherwise: to_null }
  email:
    pseudonym: { domain: d, tenant: { column: country } }
    on_error: to_null
    when: \"age < 18 or country = 'XX' or day < '2000'\"
    otherwise: redact
  age: drop
  day: keep
";
        put_policy(&lake, sink, &format!("{types}{rules}"));
        lake.run_well(&[]);
        let made = read(&lake, &format!("out/day=2026-11-22/t.{sink}"), USUAL);
        let case = format!("{source} to {sink}");
        // the last country is null: unknown, so null is transformed, and stays null
        assert_eq!(made["country"], [Some(token("c", "DE")), None, None, None, None], "{case}");
        let mark = Some("[redacted]".to_owned());
        // of the last row nobody knows the country: it would be the transform's, which has no tenant
        let expected = [Some(token_of("d", "DE", "ada")), mark.clone(), None, mark, None];
        assert_eq!(made["email"], expected, "{case}");
    }
}

#[test]
fn leaves_of_nested_columns_go_by_the_condition_of_their_row() {
    let lake = Lake::new();
    let text = |values: [Option<&str>; 3]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let field = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
    let user = StructArray::from(vec![
        (field("id"), text([Some("1"), Some("2"), Some("3")])),
        (field("name"), text([Some("a"), Some("b"), None])),
    ]);
    let mut phones = ListBuilder::new(StringBuilder::new());
    phones.append_value([Some("p"), None, Some("q")]);
    phones.append_value([] as [Option<&str>; 0]);
    phones.append_value([Some("p"), Some("r")]);
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut codes = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for values in [&["x", "y"][..], &["x"], &["z"]] {
        for value in values {
            codes.keys().append_value(value.to_uppercase());
            codes.values().append_value(value);
        }
        codes.append(true).expect("keys and values");
    }
    lake.put_parquet(
        "in/t.parquet",
        vec![
            ("user", Arc::new(user) as ArrayRef),
            ("phones", Arc::new(phones.finish())),
            ("codes", Arc::new(codes.finish())),
            ("n", Arc::new(Int64Array::from(vec![Some(1), Some(2), None]))),
        ],
    );
    lake.policy(
        "columns:
  user.id: { pseudonym: { domain: d }, when: n > 1, otherwise: keep }
  user.name: { mask: {}, when: n = 1, otherwise: to_null }
  'phones[]': { pseudonym: { domain: d }, when: n = 1, otherwise: redact }
  'codes{}.value': { pseudonym: { domain: d }, when: n = 2, otherwise: keep }
  'codes{}.key': { redact: k, when: n = 2, otherwise: keep }
  n: keep
",
    );
    let report = lake.run_well(&[]);
    let made = batch(fs::read(lake.path("out/t.parquet")).expect("reads"));
    let texts =
        |array: &ArrayRef| array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>();
    let (of, some) = (|text: &str| Some(token("d", text)), |text: &str| Some(text.to_owned()));
    let user = made["user"].as_struct();
    assert_eq!(texts(user.column(0)), [some("1"), of("2"), of("3")]);
    assert_eq!(texts(user.column(1)), [some("*"), None, None]);
    let phones = made["phones"].as_list::<i32>();
    assert_eq!(phones.value_offsets(), [0, 3, 3, 5]);
    assert_eq!(texts(phones.values()), [of("p"), None, of("q"), of("p"), of("r")], "unknown is transformed");
    let codes = made["codes"].as_map();
    assert_eq!(texts(codes.keys()), [some("X"), some("Y"), some("k"), some("k")]);
    assert_eq!(texts(codes.values()), [some("x"), some("y"), of("x"), of("z")]);
    assert_eq!(figures(&report, "user.id")[3], 2);
    assert_eq!(figures(&report, "phones[]")[..4], [5, 1, 0, 4]);
    assert_eq!(column(&report, "user.name")["masking"], true);
    // the same, but for a phone of the other kind
    lake.policy(
        "unlisted: keep\ncolumns: { 'phones[]': { pseudonym: { domain: d }, when: n > 1, otherwise: redact } }\n",
    );
    lake.run_well(&[]);
    let made = batch(fs::read(lake.path("out/t.parquet")).expect("reads"));
    let mark = some("[redacted]");
    assert_eq!(texts(made["phones"].as_list::<i32>().values()), [mark.clone(), None, mark, of("p"), of("r")]);
}

#[test]
fn a_condition_that_fails_on_a_value_fails_the_object_and_does_not_show_it() {
    for (source, sink) in WAYS {
        let lake = Lake::new();
        match source {
            "csv" => lake.put("in/t.csv", "id,n\na,1\nb,CANARY\n"),
            _ => {
                let text = |values: [&str; 2]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
                lake.put_parquet("in/t.parquet", vec![("id", text(["a", "b"])), ("n", text(["1", "CANARY"]))]);
            }
        }
        let rule = "{ redact: x, when: \"cast(n as bigint) > 0\", otherwise: keep }";
        put_policy(&lake, sink, &format!("columns: {{ id: {rule}, n: drop }}\n"));
        let ran = lake.run(&["--report", "report.json"]).expect(1);
        assert!(!ran.words().contains("CANARY"), "{}", ran.words());
        let report = lake.json("report.json");
        let message = report["objects"][0]["failure"]["message"].as_str().expect("a message");
        assert!(message.contains("column `id`") && message.contains("`when`"), "{message}");
        assert!(!report.to_string().contains("CANARY"));
        assert_eq!(lake.objects("out"), Vec::<String>::new());
    }
}

#[test]
fn a_value_that_is_not_for_the_transform_cannot_fail_it() {
    for source in ["csv", "parquet"] {
        let lake = lake(source);
        let rule = "{ normalize: [email], pseudonym: { domain: d }, when: \"email like '%@%'\", otherwise: to_null }";
        lake.policy(&format!("unlisted: drop\ncolumns: {{ email: {rule} }}\n"));
        lake.run_well(&[]);
        lake.policy(&format!("unlisted: drop\ncolumns: {{ email: {} }}\n", rule.replace("like '%@%'", "<> 'ada'")));
        let report = lake.run_to(1, &[]);
        let message = report["objects"][0]["failure"]["message"].as_str().expect("a message");
        assert!(message.contains("row 2"), "{source}: {message}");
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
fn conditions_that_make_no_sense_are_refused_before_anything_is_written() {
    let lake = lake("parquet");
    let rule = |more: &str| format!("age: {{ pseudonym: {{ domain: d }}, {more} }}");
    refused(&lake, &rule("when: age > 1"), &["when-otherwise", "say what happens to the other rows"]);
    refused(&lake, &rule("otherwise: keep"), &["when-otherwise", "`otherwise` without `when`"]);
    refused(&lake, &rule("when: age > 1, otherwise: keep"), &["column-type", "`age`", "Int64", "Utf8"]);
    refused(&lake, &rule("when: age + 1, otherwise: redact"), &["bad-sql", "Int64"]);
    refused(&lake, &rule("when: aeg > 1, otherwise: redact"), &["bad-sql", "aeg"]);
    refused(&lake, &rule("when: random() > 0.5, otherwise: redact"), &["bad-sql", "runs must be repeatable"]);
    let binary = "age: { pseudonym: { domain: d, encoding: binary }, when: age > 1, otherwise: redact }";
    refused(&lake, binary, &["column-type", "FixedSizeBinary"]);
    refused(&lake, "age: { keep: {}, when: age > 1, otherwise: redact }", &["useless-option", "turn it round"]);
    // as far as types go the rest is right
    lake.policy(&format!("unlisted: keep\ncolumns: {{ {} }}\n", rule("when: age > 30, otherwise: redact")));
    lake.run_well(&[]);
    let made = &lake.table("out/t.parquet")["age"];
    assert_eq!((made[0].as_deref(), made[3].clone()), (Some("[redacted]"), Some(token("d", "40"))));
}

#[test]
fn a_partition_has_no_condition() {
    let lake = Lake::new();
    lake.put("in/day=1/t.csv", "a\nx\n");
    let rule = "day: { pseudonym: { domain: d }, when: \"a = 'x'\", otherwise: redact }";
    refused(&lake, rule, &["`day` is a partition", "no condition"]);
}

#[test]
fn keys_that_a_condition_uses_are_keys_of_the_run() {
    let lake = lake("csv");
    let rule = format!("{{ redact: x, when: \"pseudonym(email, 'd') <> '{}'\", otherwise: keep }}", token("d", "ada"));
    lake.policy(&format!("columns: {{ email: {rule}, '*': keep }}\n"));
    let report = lake.run_well(&[]);
    assert_eq!(report["keys"][0]["id"], "test");
    assert_eq!(lake.table("out/t.csv")["email"][..2], [Some("ada".to_owned()), Some("x".to_owned())]);
}
