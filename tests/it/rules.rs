//! What each rule of a policy makes of a column, with the real binary.

mod conditions;
mod copies;
mod order;
mod read_as;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, FixedSizeBinaryArray, StringArray};

use crate::support::{Lake, batch, table, texts, token, token_of};

fn lake() -> Lake {
    let lake = Lake::new();
    let column = |values: [Option<&str>; 3]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    lake.put_parquet(
        "in/t.parquet",
        vec![
            ("id", column([Some("1"), Some("2"), None])),
            ("tenant", column([Some("red"), Some("blue"), Some("red")])),
            ("email", column([Some(" Ada@Example.COM "), Some("bob@example.com"), None])),
            ("phone", column([Some("+44 20 7946 0958"), Some("12"), None])),
        ],
    );
    lake
}

/// The one column that `rule` makes of `column`; the others are dropped.
fn made(column: &str, rule: &str) -> Vec<Option<String>> {
    let lake = lake();
    lake.policy(&format!("unlisted: drop\ncolumns:\n  {column}: {rule}\n"));
    lake.run_well(&[]);
    lake.table("out/t.parquet").remove(column).expect("the column is there")
}

fn two(first: String, second: String) -> Vec<Option<String>> {
    vec![Some(first), Some(second), None]
}

#[test]
fn tokens_in_every_encoding_width_and_domain() {
    let raw = |value: &str| data_encoding::HEXLOWER.decode(token("d", value).as_bytes()).expect("hex");
    let (one, two_) = (raw("1"), raw("2"));
    let base32 = |bytes: &[u8]| data_encoding::BASE32_NOPAD.encode(bytes).to_lowercase();
    let base64url = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let uuid = |bytes: &[u8]| {
        let mut bytes: [u8; 16] = bytes.try_into().expect("16 bytes");
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        uuid::Uuid::from_bytes(bytes).to_string()
    };
    assert_eq!(made("id", "{ pseudonym: { domain: d } }"), two(token("d", "1"), token("d", "2")));
    assert_eq!(made("id", "{ pseudonym: { domain: d, encoding: base32 } }"), two(base32(&one), base32(&two_)));
    assert_eq!(made("id", "{ pseudonym: { domain: d, encoding: base64url } }"), two(base64url(&one), base64url(&two_)));
    assert_eq!(made("id", "{ pseudonym: { domain: d, encoding: uuid } }"), two(uuid(&one), uuid(&two_)));
    let prefixed = |value: &str| format!("usr_{}", &token("d", value)[..24]);
    let rule = "{ pseudonym: { domain: d, bits: 96, prefix: usr_ } }";
    assert_eq!(made("id", rule), two(prefixed("1"), prefixed("2")), "the first 96 bits");
    assert_ne!(made("id", "{ pseudonym: { domain: other } }"), two(token("d", "1"), token("d", "2")));
}

#[test]
fn binary_tokens_are_bytes() {
    let lake = lake();
    lake.policy("unlisted: drop\ncolumns: { id: { pseudonym: { domain: d, encoding: binary } } }\n");
    lake.run_well(&[]);
    let batch = batch(std::fs::read(lake.path("out/t.parquet")).expect("reads"));
    let made: &FixedSizeBinaryArray = batch.column(0).as_fixed_size_binary();
    assert_eq!(data_encoding::HEXLOWER.encode(made.value(0)), token("d", "1"));
    assert_eq!(batch.column(0).null_count(), 1);
}

#[test]
fn a_tenant_column_and_a_domain_template_steer_the_token() {
    let of = |tenant: &str, value: &str| token_of("d", tenant, value);
    assert_eq!(
        made("id", "{ pseudonym: { domain: d, tenant: { column: tenant } } }"),
        two(of("red", "1"), of("blue", "2"))
    );
    assert_eq!(
        made("id", "{ pseudonym: { domain: \"users/{tenant}\" } }"),
        two(token("users/red", "1"), token("users/blue", "2"))
    );
}

#[test]
fn normalization_comes_before_the_token() {
    assert_eq!(
        made("email", "{ normalize: [trim, lowercase], pseudonym: { domain: d } }"),
        two(token("d", "ada@example.com"), token("d", "bob@example.com"))
    );
    assert_eq!(
        made("phone", "{ normalize: [\"e164(GB)\"], pseudonym: { domain: d } }")[0],
        Some(token("d", "+442079460958"))
    );
    // blanks around it: no address
    for (rule, failed) in [("to_null", None), ("redact", Some("[redacted]".to_owned()))] {
        let rule = format!("{{ normalize: [email], pseudonym: {{ domain: d }}, on_error: {rule} }}");
        assert_eq!(made("email", &rule), vec![failed, Some(token("d", "bob@example.com")), None]);
    }
}

#[test]
fn masks_constants_nulls_and_hashes() {
    let mask = |rule: &str| made("phone", rule);
    assert_eq!(mask("{ mask: { keep_last: 4 } }"), two("************0958".to_owned(), "**".to_owned()));
    assert_eq!(
        mask("{ mask: { keep_first: 3, keep_last: 2, with: x, keep_separators: true } }"),
        two("+44 2x xxxx xx58".to_owned(), "xx".to_owned()),
        "separators stay and do not count; a value no longer than what is kept is masked whole"
    );
    assert_eq!(made("id", "{ redact: gone }"), two("gone".to_owned(), "gone".to_owned()));
    assert_eq!(made("id", "nullify"), vec![None; 3]);
    // printf 1 | sha256sum; printf 2 | sha256sum
    assert_eq!(
        made("id", "{ hash: { algorithm: sha256 } }"),
        two(
            "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b".to_owned(),
            "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35".to_owned()
        )
    );
}

#[test]
fn rows_are_chosen_columns_renamed_dropped_and_derived() {
    let lake = lake();
    lake.policy(
        "where: \"tenant = 'red' and id is not null\"\ncolumns:\n  id: { pseudonym: { domain: d }, rename: person }\n  \
         tenant: keep\n  email: drop\n  phone: drop\n  size: { derive: \"length(email)\" }\n  \
         who: { derive: \"pseudonym(id, 'd')\" }\n",
    );
    let report = lake.run_well(&[]);
    let made = lake.table("out/t.parquet");
    let names: Vec<&String> = made.keys().collect();
    assert_eq!(names, ["person", "size", "tenant", "who"]);
    assert_eq!(made["person"], [Some(token("d", "1"))]);
    assert_eq!((&made["size"], &made["who"]), (&texts(["17"]), &made["person"]));
    assert_eq!((&report["totals"]["rows_in"], &report["totals"]["rows_out"]), (&3.into(), &1.into()));
    let warnings = report["warnings"].as_array().expect("warnings").iter();
    let guessable = |warning: &&serde_json::Value| warning["code"] == "small-domain";
    assert!(warnings.clone().any(|warning| guessable(&warning)), "ids of one digit: {report:#}");
    let warned: Vec<&str> = warnings.filter(|w| !guessable(w)).filter_map(|w| w["column"].as_str()).collect();
    assert_eq!(warned, ["size"], "only what shows raw data: {report:#}");
}

#[test]
fn an_unkeyed_hash_is_warned_about_in_plan_and_report() {
    let lake = lake();
    lake.policy("unlisted: drop\ncolumns: { id: { hash: { algorithm: sha256 } } }\n");
    let plan = lake.lakeveil("plan", [] as [&str; 0]).expect(0).stdout;
    assert!(plan.contains("without a key") || plan.contains("anyone"), "{plan}");
    let report = lake.run_well(&[]);
    assert!(!report["warnings"].as_array().expect("warnings").is_empty(), "{report:#}");
}

#[test]
fn one_value_is_one_identifier_whatever_type_holds_it() {
    let lake = Lake::new();
    lake.put("in/a.csv", "id,x\n42,1\n");
    let ids: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![42]));
    let decimals = arrow::array::Decimal128Array::from(vec![4200]).with_precision_and_scale(10, 2).expect("fits");
    lake.put_parquet("in/b.parquet", vec![("id", ids), ("x", Arc::new(decimals))]);
    lake.policy("columns: { id: { pseudonym: { domain: d } }, x: { pseudonym: { domain: d } } }\n");
    lake.run_well(&[]);
    let (csv, parquet) = (lake.table("out/a.csv"), table(&lake.path("out/b.parquet")));
    let expected = vec![Some(token("d", "42"))];
    assert_eq!((&csv["id"], &parquet["id"], &parquet["x"]), (&expected, &expected, &expected));
}

#[test]
fn a_derived_column_that_reads_an_oddly_named_hidden_column_is_warned_about() {
    let lake = Lake::new();
    lake.put("in/t.csv", "a.b,c\nx,y\n");
    lake.policy("columns: { \"`a.b`\": drop, c: keep, z: { derive: 'upper(\"a.b\")' } }\n");
    let report = lake.run_well(&[]);
    assert_eq!(report["warnings"][0]["code"], "derive-shows-raw", "{report:#}");
}

#[test]
fn a_uuid_steers_by_its_text_whatever_type_holds_it() {
    let tenant = "0f0e0d0c-0b0a-4908-8706-050403020100";
    let columns = "columns: { id: { pseudonym: { domain: d, tenant: { column: tenant } } }, tenant: keep }\n";
    let typed = columns.replace("tenant: keep", "tenant: { keep: {}, type: uuid }");
    for columns in [columns, &typed] {
        let lake = Lake::new();
        lake.put("in/t.csv", format!("id,tenant\n1,{tenant}\n"));
        lake.policy(columns);
        lake.run_well(&["--sink", "out/"]);
        assert_eq!(lake.table("out/t.csv")["id"], [Some(token_of("d", tenant, "1"))], "{columns}");
    }
}
