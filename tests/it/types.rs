//! Every Arrow type of TOKENS.md section 2, flat and nested, typed and as text.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, FixedSizeBinaryArray, Int64Array,
    StringArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use serde_json::{Value, json};

use crate::formats::mac;
use crate::support::{Lake, batch, root, token};

fn lake_of(file: &str) -> Lake {
    let lake = Lake::new();
    let bytes = fs::read(root().join("testdata/lake").join(file)).expect("is there");
    lake.put(&format!("in/{}", file.rsplit('/').next().expect("a name")), bytes);
    lake
}

/// A column of `all.expected.json`: what each value comes to.
struct Expected {
    tokens: Vec<Option<String>>,
    /// Rows, from 1, whose value has no canonical text.
    failed: Vec<usize>,
}

fn expected() -> BTreeMap<String, Expected> {
    let text = fs::read_to_string(root().join("testdata/lake/types/all.expected.json")).expect("is there");
    let columns: BTreeMap<String, Value> = serde_json::from_str(&text).expect("is JSON");
    let one = |column: &Value| {
        let mut expected = Expected { tokens: Vec::new(), failed: Vec::new() };
        for (row, value) in column["values"].as_array().expect("values").iter().enumerate() {
            let canonical = value.as_str().map(|text| match column["form"].as_str() {
                Some("hex") => data_encoding::HEXLOWER.decode(text.as_bytes()).expect("is hexadecimal"),
                _ => text.as_bytes().to_vec(),
            });
            if value.is_object() {
                expected.failed.push(row + 1);
            }
            let token = |bytes: Vec<u8>| data_encoding::HEXLOWER.encode(&mac("d", "", &bytes)[..16]);
            expected.tokens.push(canonical.map(token));
        }
        expected
    };
    columns.iter().map(|(name, column)| (name.clone(), one(column))).collect()
}

#[test]
fn every_type_gives_the_tokens_of_its_canonical_bytes() {
    let expected = expected();
    assert!(expected.len() >= 45 && expected.values().map(|column| column.failed.len()).sum::<usize>() >= 20);
    for sink in ["parquet", "csv"] {
        let lake = lake_of("types/all.parquet");
        lake.put(
            "policy.yaml",
            format!(
                "version: 1\ndataset: test\nsource: {{ url: in/ }}\nsink: {{ url: out/, format: {sink} }}\n\
                 keyring: {{ file: keyring.json }}\n\
                 columns: {{ \"*\": {{ pseudonym: {{ domain: d }}, on_error: to_null }} }}\n"
            ),
        );
        let report = lake.run_well(&[]);
        let made = lake.table(&format!("out/all.{sink}"));
        assert_eq!(made.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{sink}");
        let reported: BTreeMap<&str, &Value> = report["columns"]
            .as_array()
            .expect("columns")
            .iter()
            .map(|column| (column["name"].as_str().expect("a name"), column))
            .collect();
        for (name, column) in &expected {
            assert_eq!(made[name], column.tokens, "{sink}: {name}");
            let nulls = column.tokens.iter().filter(|token| token.is_none()).count();
            let told = reported[name.as_str()];
            let (rows, failed) = (column.tokens.len(), column.failed.len());
            let figures = [rows, nulls, failed, rows - nulls];
            let told = ["values", "nulls", "failed", "transformed"].map(|figure| told[figure].clone());
            assert_eq!(told, figures.map(Value::from), "{sink}: {name}: values, nulls, failed, transformed");
        }
    }
}

#[test]
fn a_value_without_canonical_text_fails_the_object_unless_the_policy_says_otherwise() {
    let expected = expected();
    let failing: Vec<_> = expected.iter().filter(|(_, column)| !column.failed.is_empty()).collect();
    assert!(failing.iter().any(|(name, _)| *name == "date32"));
    for (name, column) in failing {
        let lake = lake_of("types/all.parquet");
        lake.policy(&format!("unlisted: drop\ncolumns: {{ {name}: {{ pseudonym: {{ domain: d }} }} }}\n"));
        let report = lake.run_to(1, &[]);
        let message = report["objects"][0]["failure"]["message"].as_str().expect("a message");
        let place = format!("column `{name}`, row {}: ", column.failed[0]);
        assert!(message.contains(&place), "{place} is missing in {message}");
        assert_eq!(lake.objects("out"), Vec::<String>::new(), "{name}");

        lake.policy(&format!(
            "unlisted: drop\ncolumns: {{ {name}: {{ pseudonym: {{ domain: d }}, on_error: redact }} }}\n"
        ));
        lake.run_well(&[]);
        let mut redacted = column.tokens.clone();
        column.failed.iter().for_each(|row| redacted[row - 1] = Some("[redacted]".to_owned()));
        assert_eq!(lake.table("out/all.parquet")[name], redacted, "{name}");
    }
}

#[test]
fn types_without_one_text_are_refused_by_column_and_type() {
    let refused = [
        ("float16", "Float16"),
        ("float32", "Float32"),
        ("float64", "Float64"),
        ("duration", "Duration(ms)"),
        ("list", "List("),
        ("struct", "Struct("),
        ("map", "Map("),
    ];
    let bytes = fs::read(root().join("testdata/lake/types/refused.parquet")).expect("is there");
    let schema = batch(bytes).schema();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, refused.map(|(name, _)| name), "a type that this test does not know");
    let lake = lake_of("types/refused.parquet");
    let pseudonym = "{ pseudonym: { domain: d }, on_error: to_null }";
    for (name, data_type) in refused {
        lake.policy(&format!("unlisted: drop\ncolumns: {{ {name}: {pseudonym} }}\n"));
        let error = lake.run(&[]).expect(2).stderr;
        assert!(error.contains(&format!("`{name}`")) && error.contains(data_type), "{name}: {error}");
        assert_eq!(error.matches("error[").count(), 1, "{name}: {error}");
        assert_eq!(lake.files("out"), Vec::<String>::new(), "{name}");
    }
    lake.policy(&format!("columns: {{ \"*\": {pseudonym} }}\n"));
    let error = lake.run(&[]).expect(2).stderr;
    for (name, data_type) in refused {
        let line = error.lines().find(|line| line.contains(&format!("`{name}`")));
        assert!(line.is_some_and(|line| line.contains(data_type)), "not all at once: {name}: {error}");
    }
    lake.policy("columns: { \"*\": keep }\n");
    lake.run_well(&[]);
    let kept = batch(fs::read(lake.path("out/refused.parquet")).expect("reads"));
    let source = batch(fs::read(lake.path("in/refused.parquet")).expect("reads"));
    for (name, _) in refused {
        assert_eq!(kept[name].to_data(), source[name].to_data(), "{name}: what can't be a token can be kept");
    }
}

/// One value as JSON, however deeply it nests; leaves as text, maps as lists of pairs.
fn value(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    let all = |items: ArrayRef| Value::Array((0..items.len()).map(|row| value(&items, row)).collect());
    match array.data_type() {
        DataType::Struct(fields) => {
            let members = fields.iter().zip(array.as_struct().columns());
            members
                .map(|(field, column)| (field.name().clone(), value(column, row)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        DataType::List(_) => all(array.as_list::<i32>().value(row)),
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let pair = |row| json!([value(entries.column(0), row), value(entries.column(1), row)]);
            (0..entries.len()).map(pair).collect()
        }
        _ => cast(&array.slice(row, 1), &DataType::Utf8).expect("is a leaf").as_string::<i32>().value(0).into(),
    }
}

/// Applies `leaf` to the texts of a column, each with its path as a policy writes it.
fn mapped(value: &Value, path: &str, leaf: &impl Fn(&str, &str) -> Option<Value>) -> Option<Value> {
    Some(match value {
        Value::Null => Value::Null,
        Value::String(text) => return leaf(path, text),
        Value::Object(members) => members
            .iter()
            .filter_map(|(name, inner)| Some((name.clone(), mapped(inner, &format!("{path}.{name}"), leaf)?)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) if path == "attributes" => items
            .iter()
            .map(|pair| {
                json!([mapped(&pair[0], "attributes{}.key", leaf), mapped(&pair[1], "attributes{}.value", leaf)])
            })
            .collect(),
        Value::Array(items) => items.iter().filter_map(|item| mapped(item, &format!("{path}[]"), leaf)).collect(),
        other => panic!("{path}: {other}"),
    })
}

#[test]
fn leaves_of_structs_lists_and_maps_become_tokens_and_nulls_stay_at_every_level() {
    for file in ["contacts-1", "contacts-2"] {
        let lake = lake_of(&format!("contacts/{file}.parquet"));
        lake.policy(
            "columns:\n  customer_id: { pseudonym: { domain: customers } }\n  address.street: drop\n  \
             address.city: { pseudonym: { domain: cities } }\n  \"contacts[].kind\": keep\n  \
             \"contacts[].number\": { pseudonym: { domain: phones } }\n  \
             \"attributes{}.key\": { pseudonym: { domain: keys } }\n  \
             \"attributes{}.value\": { pseudonym: { domain: values } }\n",
        );
        lake.run_well(&[]);
        let leaf = |path: &str, text: &str| match path {
            "customer_id" => Some(token("customers", text).into()),
            "address.street" => None,
            "address.city" => Some(token("cities", text).into()),
            "contacts[].kind" => Some(text.into()),
            "contacts[].number" => Some(token("phones", text).into()),
            "attributes{}.key" => Some(token("keys", text).into()),
            "attributes{}.value" => Some(token("values", text).into()),
            other => panic!("a leaf that this test does not know: {other}"),
        };
        let source = batch(fs::read(lake.path(format!("in/{file}.parquet"))).expect("reads"));
        let made = batch(fs::read(lake.path(format!("out/{file}.parquet"))).expect("reads"));
        assert_eq!(made.num_rows(), source.num_rows(), "{file}");
        let mut seen = BTreeMap::new();
        for field in source.schema_ref().fields() {
            let name = field.name().as_str();
            for row in 0..source.num_rows() {
                let raw = value(&source[name], row);
                count_nulls(&raw, name, &mut seen);
                // a dropped leaf leaves no null behind either
                let raw = without_street(raw);
                let expected = mapped(&raw, name, &leaf).expect("only an inner leaf is dropped");
                assert_eq!(value(&made[name], row), expected, "{file}: {name}, row {row}");
            }
        }
        // the data must have what is to be shown
        for place in ["address", "contacts", "contacts[]", "contacts[].number", "attributes", "attributes[][]"] {
            assert!(seen.get(place).is_some_and(|nulls| *nulls > 0), "{file}: no null at {place}: {seen:?}");
        }
    }
}

#[test]
fn a_rule_that_could_make_a_map_key_null_is_refused_before_anything_is_read() {
    for rule in
        ["nullify", "{ pseudonym: { domain: d }, on_error: to_null }", "{ pseudonym: { domain: d }, empty: to_null }"]
    {
        let lake = lake_of("contacts/contacts-1.parquet");
        lake.policy(&format!("unlisted: keep\ncolumns: {{ \"attributes{{}}.key\": {rule} }}\n"));
        let said = lake.run(&[]).expect(2).words();
        assert!(said.contains("attributes{}.key"), "{rule}: {said}");
    }
}

fn without_street(mut value: Value) -> Value {
    value.as_object_mut().map(|members| members.remove("street"));
    value
}

fn count_nulls(value: &Value, path: &str, seen: &mut BTreeMap<String, usize>) {
    match value {
        Value::Null => *seen.entry(path.to_owned()).or_default() += 1,
        Value::Object(members) => {
            members.iter().for_each(|(name, inner)| count_nulls(inner, &format!("{path}.{name}"), seen))
        }
        Value::Array(items) => items.iter().for_each(|item| count_nulls(item, &format!("{path}[]"), seen)),
        _ => {}
    }
}

/// A column as typed Parquet and as CSV: the policy's type, the texts, the same values typed, their canonical texts.
struct Typed {
    name: &'static str,
    words: &'static str,
    texts: [&'static str; 3],
    array: ArrayRef,
    canonical: [&'static str; 3],
}

fn typed() -> Vec<Typed> {
    let uuids: [u8; 48] = std::array::from_fn(|at| if at < 16 { 0xab } else { at as u8 });
    let uuids = FixedSizeBinaryArray::new(16, uuids.to_vec().into(), None);
    let micros = TimestampMicrosecondArray::from(vec![1_795_564_799_250_000, 0, -1]);
    let typed = |name, words, texts, array, canonical| Typed { name, words, texts, array, canonical };
    vec![
        typed("whole", "int64", ["42", "+7", " -0 "], Arc::new(Int64Array::from(vec![42, 7, 0])), ["42", "7", "0"]),
        typed(
            "large",
            "uint64",
            ["18446744073709551615", "042", "0"],
            Arc::new(UInt64Array::from(vec![u64::MAX, 42, 0])),
            ["18446744073709551615", "42", "0"],
        ),
        typed(
            "price",
            "\"decimal(12,2)\"",
            ["42.00", "-.50", "1200"],
            Arc::new(Decimal128Array::from(vec![4200, -50, 120_000]).with_precision_and_scale(12, 2).expect("fits")),
            ["42", "-0.5", "1200"],
        ),
        typed(
            "flag",
            "boolean",
            ["TRUE", "no", "1"],
            Arc::new(BooleanArray::from(vec![true, false, true])),
            ["true", "false", "true"],
        ),
        typed(
            "day",
            "date",
            ["2026-11-25", "1969-12-31", "0001-01-01"],
            Arc::new(Date32Array::from(vec![20_782, -1, -719_162])),
            ["2026-11-25", "1969-12-31", "0001-01-01"],
        ),
        typed(
            "at",
            "timestamp",
            ["2026-11-24 23:59:59.250", "1970-01-01", "1969-12-31T23:59:59.999999"],
            Arc::new(micros.clone()),
            ["2026-11-24T23:59:59.25", "1970-01-01T00:00:00", "1969-12-31T23:59:59.999999"],
        ),
        typed(
            "instant",
            "timestamp(UTC)",
            ["2026-11-25T00:59:59.25+01:00", "1970-01-01 00:00:00Z", "1969-12-31T23:59:59.999999"],
            Arc::new(micros.with_timezone("UTC")),
            ["2026-11-24T23:59:59.25Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z"],
        ),
        typed(
            "uuid",
            "uuid",
            [
                "ABABABAB-ABAB-ABAB-ABAB-ABABABABABAB",
                "101112131415161718191a1b1c1d1e1f",
                "20212223-2425-2627-2829-2a2b2c2d2e2f",
            ],
            Arc::new(uuids),
            [
                "abababab-abab-abab-abab-abababababab",
                "10111213-1415-1617-1819-1a1b1c1d1e1f",
                "20212223-2425-2627-2829-2a2b2c2d2e2f",
            ],
        ),
        typed(
            "text",
            "text",
            ["042", " x ", "42.00"],
            Arc::new(StringArray::from(vec!["042", " x ", "42.00"])),
            ["042", " x ", "42.00"],
        ),
    ]
}

fn csv(columns: &[Typed]) -> String {
    let line = |fields: Vec<&str>| fields.join(",") + "\n";
    let rows = (0..3).map(|row| line(columns.iter().map(|column| column.texts[row]).collect()));
    let names = line(columns.iter().map(|column| column.name).collect());
    // the last row is null in every column, as unquoted empty fields are
    names + &rows.collect::<String>() + &",".repeat(columns.len() - 1) + "\n"
}

fn tokens(values: [&str; 3]) -> Vec<Option<String>> {
    values.iter().map(|value| Some(token("d", value))).chain([None]).collect()
}

#[test]
fn a_typed_csv_column_gives_the_tokens_of_typed_parquet() {
    let columns = typed();
    let rules: String = columns
        .iter()
        .map(|c| format!("  {}: {{ type: {}, pseudonym: {{ domain: d }} }}\n", c.name, c.words))
        .collect();
    let lake = Lake::new();
    lake.put("in/t.csv", csv(&columns));
    lake.policy(&format!("columns:\n{rules}"));
    lake.run_well(&[]);
    let of_csv = lake.table("out/t.csv");

    let lake = Lake::new();
    let null = |array: &ArrayRef| arrow::compute::concat(&[array, &arrow::array::new_null_array(array.data_type(), 1)]);
    // in Parquet the logical type tells a UUID from any sixteen bytes: see all.parquet
    let flat: Vec<_> = columns.iter().filter(|column| column.name != "uuid").collect();
    lake.put_parquet("in/t.parquet", flat.iter().map(|c| (c.name, null(&c.array).expect("one type"))).collect());
    lake.policy("columns: { \"*\": { pseudonym: { domain: d } } }\n");
    lake.run_well(&[]);
    let of_parquet = lake.table("out/t.parquet");
    for column in &columns {
        let expected = tokens(column.canonical);
        assert_eq!(of_csv[column.name], expected, "{} in CSV", column.name);
        if column.name != "uuid" {
            assert_eq!(of_parquet[column.name], expected, "{} in Parquet", column.name);
        }
    }
}

#[test]
fn text_is_never_parsed_where_the_policy_gives_no_type() {
    let columns = typed();
    let lake = Lake::new();
    lake.put("in/t.csv", csv(&columns));
    lake.policy("columns: { \"*\": { pseudonym: { domain: d } } }\n");
    lake.run_well(&[]);
    let made = lake.table("out/t.csv");
    for column in &columns {
        assert_eq!(made[column.name], tokens(column.texts), "{}", column.name);
    }
}

#[test]
fn types_are_guessed_only_where_the_policy_asks_for_it() {
    let lake = Lake::new();
    lake.put("in/t.csv", "at,phone\n2026-11-25 10:00:00,+49\n2026-11-25 10:00:00.50,0049\n");
    let tokens = |values: [&str; 2]| values.map(|value| Some(token("d", value))).to_vec();
    for (case, infer, at) in [
        ("text", false, ["2026-11-25 10:00:00", "2026-11-25 10:00:00.50"]),
        ("guessed", true, ["2026-11-25T10:00:00", "2026-11-25T10:00:00.5"]),
    ] {
        lake.put(
            "policy.yaml",
            format!(
                "version: 1\ndataset: test\nsource: {{ url: in/, csv: {{ infer: {infer} }} }}\nsink: {{ url: out/ }}\n\
                 keyring: {{ file: keyring.json }}\ncolumns: {{ \"*\": {{ pseudonym: {{ domain: d }} }} }}\n"
            ),
        );
        lake.run_well(&["--full"]);
        let made = lake.table("out/t.csv");
        assert_eq!(made["at"], tokens(at), "{case}");
        assert_eq!(made["phone"], tokens(["+49", "0049"]), "{case}: leading signs and zeros are no number's");
    }
}
