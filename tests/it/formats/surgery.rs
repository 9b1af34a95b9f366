//! CSV to CSV: what is kept keeps its bytes, whatever they are; only named fields change.

use std::fs;

use serde_json::json;

use crate::support::{Lake, token, token_of};

use super::{COLUMNS, ROWS, USUAL, csv_text, gzip, plain, policy, read, zstd};

/// A byte order mark, quotes where none are needed, blanks, three kinds of line end, a line break and doubled quotes
/// within a field, a blank line, and no line break at the end.
const ODD: &str = "\u{feff}\"id\",email,n , note\r\n\
    007,a@x.pl,\" 1.50 \",\"line\r\none \"\"two\"\"\"\r\n\
    \n\
    +1,\"b,@x.pl\",1e3,\r\
    \"\",,\"\",5\" pipe\n\
    9,\"\", NULL,NULL";

fn run(input: &str, bytes: &[u8], sink: &str, rest: &str) -> (Lake, serde_json::Value) {
    let lake = Lake::new();
    lake.put(&format!("in/{input}"), bytes);
    lake.put("policy.yaml", policy("", sink, rest));
    let report = lake.run_well(&[]);
    (lake, report)
}

fn out(lake: &Lake, name: &str) -> String {
    String::from_utf8(fs::read(lake.path(format!("out/{name}"))).expect("reads")).expect("is UTF-8")
}

#[test]
fn kept_fields_keep_their_bytes() {
    let rest = "columns: { id: keep, email: { pseudonym: { domain: e } }, \"n \": keep, \" note\": keep }\n";
    let of = |email: &str| token("e", email);
    let expected = format!(
        "\u{feff}\"id\",email,n , note\r\n007,{},\" 1.50 \",\"line\r\none \"\"two\"\"\"\r\n\n+1,{},1e3,\r\"\",,\"\",5\" pipe\n\
         9,{}, NULL,NULL",
        of("a@x.pl"),
        of("b,@x.pl"),
        of("")
    );
    let (lake, report) = run("t.csv", ODD.as_bytes(), "", rest);
    assert_eq!(out(&lake, "t.csv"), expected);
    let column = |name: &str| {
        let columns = report["columns"].as_array().expect("columns");
        columns.iter().find(|column| column["name"] == *name).expect("is there").clone()
    };
    let facts = |name: &str| {
        let column = column(name);
        json!([column["routes"], column["nulls"], column["empties"]])
    };
    let route = |route: &str, bytes: usize| json!([{ "route": route, "objects": 1, "bytes": bytes }]);
    assert_eq!(facts("id"), json!([route("copied", 8), 0, 1]));
    assert_eq!(facts("email"), json!([route("leaf", 96), 1, 1]));
    assert_eq!(facts("n "), json!([route("copied", 18), 0, 1]));
    assert_eq!(facts(" note"), json!([route("copied", 30), 1, 0]));
    assert_eq!(column("n ")["values"], 4);
}

#[test]
fn dropped_and_renamed_columns_leave_the_rest_as_it_lies() {
    let rest = "columns: { id: drop, email: { keep: {}, rename: \"e,mail\" }, \"n \": drop, \" note\": keep }\n";
    let expected =
        "\u{feff}\"e,mail\", note\r\na@x.pl,\"line\r\none \"\"two\"\"\"\r\n\n\"b,@x.pl\",\r,5\" pipe\n\"\",NULL";
    let (lake, _) = run("t.csv", ODD.as_bytes(), "", rest);
    assert_eq!(out(&lake, "t.csv"), expected);
    // a blank line of a file of one column would be a row
    let rest = "columns: { id: drop, email: drop, \"n \": drop, \" note\": keep }\n";
    let (lake, _) = run("t.csv", ODD.as_bytes(), "", rest);
    assert_eq!(out(&lake, "t.csv"), "\u{feff} note\r\n\"line\r\none \"\"two\"\"\"\r\n\r5\" pipe\nNULL");
}

#[test]
fn a_typed_column_is_written_in_its_own_text() {
    let rest = "columns: { a: { type: int64, keep: {} }, b: keep }\n";
    let (lake, _) = run("t.csv", b"a,b\n\"007\",\"x\"\n +1 ,1.0\n,", "", rest);
    assert_eq!(out(&lake, "t.csv"), "a,b\n7,\"x\"\n1,1.0\n,");
}

#[test]
fn a_mask_is_quoted_where_it_must_be() {
    let rest = "columns: { a: { redact: \"[no, \\\"nothing\\\"]\" }, b: keep }\n";
    let (lake, _) = run("t.csv", b"a,b\r\nx,\"1\"\r\n,2", "", rest);
    assert_eq!(out(&lake, "t.csv"), "a,b\r\n\"[no, \"\"nothing\"\"]\",\"1\"\r\n,2");
}

#[test]
fn a_tenant_column_steers_the_token_and_stays_as_it_lies() {
    let rest = "columns: { id: { pseudonym: { domain: d, tenant: { column: tenant } } }, tenant: keep, n: keep }\n";
    let (lake, report) = run("t.csv", b"id,tenant,n\n1,\"red\",01\n1,blue,\"2\"", "", rest);
    let of = |tenant: &str| token_of("d", tenant, "1");
    assert_eq!(out(&lake, "t.csv"), format!("id,tenant,n\n{},\"red\",01\n{},blue,\"2\"", of("red"), of("blue")));
    let routes = report["columns"].as_array().expect("columns").iter().map(|c| c["routes"][0]["route"].clone());
    assert_eq!(routes.collect::<Vec<_>>(), ["leaf", "copied", "copied"]);
}

#[test]
fn a_partition_of_the_path_steers_the_token_too() {
    let rest = "columns: { id: { pseudonym: { domain: \"users/{region}\" } }, n: keep, region: keep }\n";
    let (lake, _) = run("region=eu/t.csv", b"id,n\r\n1,01\r\n", "", rest);
    assert_eq!(out(&lake, "region=eu/t.csv"), format!("id,n\r\n{},01\r\n", token("users/eu", "1")));
}

#[test]
fn fail_a_value_whose_partition_is_null() {
    let rest = "columns: { id: { pseudonym: { domain: \"users/{region}\" } }, region: keep }\n";
    let lake = Lake::new();
    lake.put("in/region=__HIVE_DEFAULT_PARTITION__/t.csv", "id\n\n1\n");
    lake.put("policy.yaml", policy("", "", rest));
    let told = lake.run_to(1, &[]).to_string();
    assert!(told.contains("column `id`, row 2: a value could not be taken"), "{told}");
}

#[test]
fn compressed_on_either_side_it_is_the_same() {
    let expected = out(
        &run("t.csv", ODD.as_bytes(), "", "unlisted: keep\ncolumns: { id: { pseudonym: { domain: e } } }\n").0,
        "t.csv",
    );
    for (input, bytes) in [("t.csv", ODD.as_bytes().to_vec()), ("t.csv.gz", gzip(ODD)), ("t.csv.zst", zstd(ODD))] {
        for (codec, name) in [("gzip", "t.csv.gz"), ("zstd", "t.csv.zst"), ("none", "t.csv")] {
            let rest = "unlisted: keep\ncolumns: { id: { pseudonym: { domain: e } } }\n";
            let (lake, _) = run(input, &bytes, &format!(", csv: {{ compression: {codec} }}"), rest);
            let made = fs::read(lake.path(format!("out/{name}"))).expect("reads");
            let marked = expected.strip_prefix('\u{feff}').expect("a byte order mark");
            assert_eq!(plain(name, &made), marked, "{input} to {name}");
        }
    }
}

/// The stream route decodes and encodes all: a condition that every row meets asks for it.
#[test]
fn the_stream_route_gives_the_same_values() {
    let text = csv_text(ROWS, USUAL).replace("\"\n", "\"\r\n");
    let (surgical, report) = run("t.csv", text.as_bytes(), ", format: csv", COLUMNS);
    assert_eq!(report["columns"][0]["routes"][0]["route"], "leaf");
    let filtered = format!("where: \"id is not null\"\n{COLUMNS}");
    let (streamed, report) = run("t.csv", text.as_bytes(), ", format: csv", &filtered);
    assert_eq!(report["columns"][0]["routes"][0]["route"], "stream");
    assert!(read(&surgical, "out/t.csv", USUAL) == read(&streamed, "out/t.csv", USUAL));
}

const ROWS_OF_LARGE: usize = 430_000;

/// Larger than two of the pieces in which an object is read, with quoted line breaks wherever they are cut.
fn large() -> (String, String) {
    let (mut text, mut expected) = (String::new(), String::new());
    let line = "\"a \"\"quoted\"\" line,\r\nand another\", 1.50 ,x";
    for row in 0..ROWS_OF_LARGE {
        let end = if row % 7 == 0 { "\r\n" } else { "\n" };
        let (raw, made) = if row % 50_000 == 3 { ("\"k,\"", token("e", "k,")) } else { ("", String::new()) };
        text += &format!("{row},{raw},{line}{end}");
        expected += &format!("{row},{made},{line}{end}");
    }
    (text, expected)
}

#[test]
fn threads_memory_and_compression_change_nothing_in_a_large_object() {
    let (text, expected) = large();
    assert!(text.len() > 17 << 20);
    let lake = Lake::new();
    lake.put("in/t.csv", format!("n,k,a,b,c\n{text}"));
    let rules = "unlisted: keep\ncolumns: { k: { pseudonym: { domain: e } } }\n";
    lake.put("policy.yaml", policy("", "", rules));
    lake.run_well(&["--threads", "1", "--sink", "one/"]);
    let report = lake.run_well(&["--threads", "5", "--memory", "32MiB", "--sink", "five/"]);
    let expected = format!("n,k,a,b,c\n{expected}");
    for folder in ["one", "five"] {
        let made = fs::read(lake.path(format!("{folder}/t.csv"))).expect("reads");
        assert!(made == expected.as_bytes(), "{folder}: other bytes");
    }
    assert_eq!(report["totals"]["rows_out"], ROWS_OF_LARGE, "{}", report["totals"]);
}

#[test]
fn a_fault_far_into_an_object_is_named_by_its_row() {
    let (text, _) = large();
    let canary = "CANARY";
    let faults = [
        ("1,2,3\n".to_owned().into_bytes(), "row 430001 has 3 fields"),
        (format!("1,{canary},\"3\"{canary},4,5\n").into_bytes(), "row 430001, field 3 (column `a`): text follows"),
        (format!("1,\"{canary},3,4,5\n").into_bytes(), "row 430001, field 2 (column `k`): a quote opens"),
        ([b"1,2,".as_slice(), &[0xff], b",4,5\n"].concat(), "row 430001, field 3 (column `a`) is not valid UTF-8"),
        (format!("{canary},2,3,4,5\n").into_bytes(), "row 430001, column `n`: the value is no int64"),
    ];
    for (fault, words) in faults {
        let lake = Lake::new();
        lake.put("in/t.csv", [b"n,k,a,b,c\n", text.as_bytes(), &fault].concat());
        lake.put("in/u.csv", "n,k,a,b,c\n1,2,3,4,5\n");
        let rules = "unlisted: keep\ncolumns: { k: { pseudonym: { domain: e } }, n: { type: int64, keep: {} } }\n";
        lake.put("policy.yaml", policy("", "", rules));
        let report = lake.run_to(1, &[]);
        let told = report.to_string();
        assert!(told.contains(words), "{words}: {told}");
        assert!(!told.contains(canary));
        assert_eq!(lake.objects("out"), ["u.csv"]);
    }
}
