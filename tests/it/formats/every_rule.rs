//! All rules in one policy, over an input whose columns are typed in one format and text in the other.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use sha2::{Digest, Sha256};

use crate::support::{Lake, batch, token};

use super::{USUAL, mac, policy, read};

#[test]
fn every_rule_gives_the_same_on_every_way() {
    let columns = ["id", "tenant", "region", "email", "phone", "born", "secret"];
    let rows: [[Option<&str>; 7]; 4] = [
        [
            Some("41"),
            Some("red"),
            Some("eu/west"),
            Some(" Ada@Example.COM "),
            Some("+44 20 7946 0958"),
            Some("1990-02-03"),
            Some("x"),
        ],
        [Some("-42"), Some("50%"), Some("50%"), Some(""), Some("12"), None, Some("y")],
        [Some("7"), None, None, Some("bob@example.com"), None, Some("2026-11-25"), Some("z")],
        [Some("9"), Some("gone"), Some("us"), Some("eve@example.com"), Some("123"), Some("2026-11-25"), None],
    ];
    let field = |value: &Option<&str>| value.map_or(String::new(), |value| format!("\"{value}\""));
    let line = |row: &[Option<&str>; 7]| row.iter().map(field).collect::<Vec<_>>().join(",") + "\n";
    let csv = columns.join(",") + "\n" + &rows.iter().map(line).collect::<String>();
    let texts = |at: usize| Arc::new(rows.iter().map(|row| row[at]).collect::<StringArray>()) as ArrayRef;
    let cast = |at: usize, to| arrow::compute::cast(&texts(at), &to).expect("casts");
    let array = |at: usize| match at {
        0 => cast(0, DataType::Int64),
        5 => cast(5, DataType::Date32),
        at => texts(at),
    };
    let policy = |sink: &str| {
        policy(
            "",
            sink,
            "where: \"tenant is null or tenant <> 'gone'\"
columns:
  id: { type: int64, pseudonym: { domain: ids, bits: 256, encoding: base64url, prefix: u_ }, rename: person }
  tenant: { pseudonym: { domain: tenants, bits: 96, encoding: base32 } }
  region: { pseudonym: { domain: r, encoding: binary } }
  email:
    normalize: [trim, lowercase]
    pseudonym: { domain: \"users/{region}\", tenant: { column: tenant }, encoding: uuid }
    empty: to_null
    on_error: to_null
  phone: { mask: { keep_first: 3, keep_last: 2, with: x, keep_separators: true } }
  born: { type: date, hash: { algorithm: sha256 } }
  secret: drop
  next: { derive: \"id + 1\" }
  who: { derive: \"pseudonym(id, 'ids')\" }
",
        )
    };
    let base32 = |bytes: &[u8]| data_encoding::BASE32_NOPAD.encode(bytes).to_lowercase();
    let person =
        |id: &str| Some(format!("u_{}", data_encoding::BASE64URL_NOPAD.encode(&mac("ids", "", id.as_bytes()))));
    let tenant = |tenant: &str| Some(base32(&mac("tenants", "", tenant.as_bytes())[..12]));
    let mut uuid: [u8; 16] = mac("users/eu%2Fwest", "red", b"ada@example.com")[..16].try_into().expect("16 bytes");
    uuid[6] = uuid[6] & 0x0f | 0x80;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    let email = data_encoding::HEXLOWER.encode(&uuid);
    let email = [&email[..8], &email[8..12], &email[12..16], &email[16..20], &email[20..]].join("-");
    let hash = |text: &str| Some(data_encoding::HEXLOWER.encode(&Sha256::digest(text)));
    let some = |text: &str| Some(text.to_owned());
    let expected: [(&str, [Option<String>; 3]); 8] = [
        ("person", [person("41"), person("-42"), person("7")]),
        ("tenant", [tenant("red"), tenant("50%"), None]),
        ("region", [Some(token("r", "eu/west")), Some(token("r", "50%")), None]),
        // an empty value is null by the rule; a null tenant is an error of the value, and null by the rule too
        ("email", [Some(email), None, None]),
        ("phone", [some("+44 2x xxxx xx58"), some("xx"), None]),
        ("born", [hash("1990-02-03"), None, hash("2026-11-25")]),
        ("next", [some("42"), some("-41"), some("8")]),
        ("who", ["41", "-42", "7"].map(|id| Some(token("ids", id)))),
    ];
    for (input, name, sink) in [
        ("csv", "t.csv", "csv"),
        ("csv", "t.parquet", "parquet"),
        ("parquet", "t.csv", "csv"),
        ("parquet", "t.parquet", "parquet"),
    ] {
        let (lake, case) = (Lake::new(), format!("{input} to {sink}"));
        match input {
            "csv" => lake.put("in/t.csv", &csv),
            _ => lake
                .put_parquet("in/t.parquet", columns.iter().enumerate().map(|(at, name)| (*name, array(at))).collect()),
        }
        lake.put("policy.yaml", policy(&format!(", format: {sink}")));
        let report = lake.run_well(&[]);
        let mut made = read(&lake, &format!("out/{name}"), USUAL);
        if sink == "parquet" {
            // bytes in Parquet, their hexadecimal form in CSV
            let batch = batch(fs::read(lake.path("out/t.parquet")).expect("reads"));
            let bytes = batch.column_by_name("region").expect("is there").as_fixed_size_binary();
            let hex = bytes.iter().map(|bytes| bytes.map(|bytes| data_encoding::HEXLOWER.encode(bytes)));
            made.insert("region".to_owned(), hex.collect());
        }
        for (column, values) in &expected {
            assert_eq!(made[*column], *values, "{case}: {column}");
        }
        assert_eq!(made.len(), expected.len(), "{case}: {:?}", made.keys());
        let columns = report["columns"].as_array().expect("columns");
        let email = columns.iter().find(|column| column["name"] == "email").expect("is reported");
        assert_eq!((&email["failed"], &email["nulls"]), (&1.into(), &2.into()), "{case}");
        assert_eq!((&report["totals"]["rows_in"], &report["totals"]["rows_out"]), (&4.into(), &3.into()), "{case}");
    }
}
