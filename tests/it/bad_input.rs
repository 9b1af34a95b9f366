//! Policies, keys and places that can't be: nothing runs, the exit code says which it was, and no value is shown.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};

use crate::support::{Lake, Ran, skipped};

const CANARY: &str = "CANARY-7f3a";

fn lake() -> Lake {
    let lake = Lake::new();
    lake.put("in/t.csv", format!("id,email\n1,{CANARY}@example.com\n"));
    lake
}

/// Runs, expects this exit code, nothing written and no canary; gives standard error.
#[track_caller]
fn refused(lake: &Lake, code: i32, words: &[&str]) -> String {
    let ran: Ran = lake.run(&[]).expect(code);
    let shown = ran.words();
    assert!(!shown.contains(CANARY), "{shown}");
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}` is missing in: {}", ran.stderr);
    }
    assert_eq!(lake.objects("out"), Vec::<String>::new());
    ran.stderr
}

#[test]
fn fail_unknown_keys_with_place_and_hint() {
    let lake = lake();
    lake.policy("columns:\n  id: { pseudonym: { domian: d } }\n  email: dropp\n");
    let shown = refused(&lake, 2, &["policy.yaml:9", "domian", "did you mean `domain`", "dropp"]);
    assert!(shown.contains("policy.yaml:10"), "every problem at once: {shown}");
}

#[test]
fn fail_a_rule_that_matches_no_column_and_a_column_without_a_rule() {
    let lake = lake();
    lake.policy("columns: { id: keep, emial: drop }\n");
    refused(&lake, 2, &["did you mean `email`", "no rule names the column `email`", "unlisted"]);
}

#[test]
fn fail_a_float_column_to_pseudonymize() {
    let lake = Lake::new();
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![CANARY]));
    lake.put_parquet("in/t.parquet", vec![("weight", floats), ("name", texts)]);
    lake.policy("columns: { weight: { pseudonym: { domain: d } }, name: drop }\n");
    refused(&lake, 2, &["weight", "Float64"]);
}

#[test]
fn fail_without_a_usable_secret() {
    for (keyring, file, words) in [
        ("{ env: LAKEVEIL_NO_SUCH_VARIABLE }", None, vec!["LAKEVEIL_NO_SUCH_VARIABLE"]),
        ("{ file: nothing.json }", None, vec!["nothing.json"]),
        ("{ file: key, permissions: any }", Some(CANARY), vec!["16"]),
        ("{ file: key, permissions: any }", Some("{\"version\": 1, \"keys\": ["), vec!["key"]),
        ("{ command: [\"false\"] }", None, vec!["false"]),
        ("{ command: [no-such-program-here] }", None, vec!["no-such-program-here"]),
    ] {
        let lake = lake();
        if let Some(secret) = file {
            lake.put("key", secret);
        }
        lake.put(
            "policy.yaml",
            format!(
                "version: 1\ndataset: t\nsource: {{ url: in/ }}\nsink: {{ url: out/ }}\nkeyring: {keyring}\n\
                 columns: {{ id: {{ pseudonym: {{ domain: d }} }}, email: drop }}\n"
            ),
        );
        refused(&lake, 3, &words);
    }
}

#[test]
fn fail_a_pinned_key_that_is_not_there() {
    let lake = lake();
    lake.policy("key: other\ncolumns: { id: { pseudonym: { domain: d } }, email: drop }\n");
    refused(&lake, 3, &["other", "test"]);
}

#[test]
fn fail_a_sink_inside_its_source_and_the_other_way_round() {
    for (source, sink) in [("in/", "in/out/"), ("lake/in/", "lake/"), ("in/", "in"), ("in/*.csv", "in/clean/")] {
        let lake = lake();
        lake.put("lake/in/t.csv", "id,email\n1,x\n");
        lake.policy_between(source, sink, "columns: { id: keep, email: drop }\n");
        let ran = lake.run(&[]).expect(2);
        assert!(ran.stderr.contains("somewhere else"), "{source} to {sink}: {}", ran.stderr);
        assert_eq!(lake.files("in"), ["t.csv"], "{source} to {sink}");
    }
}

#[test]
fn fail_two_inputs_with_one_output_name_both_named() {
    let lake = lake();
    lake.put("in/t.csv.gz", b"");
    lake.put("in/t.tsv", "id\temail\n1\tx\n");
    std::fs::remove_file(lake.path("in/t.csv.gz")).expect("removes");
    lake.policy("columns: { id: keep, email: drop }\n");
    refused(&lake, 2, &["t.csv", "t.tsv"]);
}

#[test]
fn fail_tables_of_other_programs_whose_plain_files_bring_back_deleted_rows() {
    for marker in ["_delta_log/0.json", "metadata/v1.metadata.json", ".hoodie/hoodie.properties"] {
        let lake = lake();
        lake.put(&format!("in/{marker}"), "{}");
        lake.policy("columns: { id: keep, email: drop }\n");
        refused(&lake, 2, &["table"]);
    }
}

#[test]
fn fail_a_source_that_holds_nothing() {
    for source in ["nowhere/", "in/*.parquet", "in/hidden/"] {
        let lake = lake();
        lake.put("in/hidden/_t.csv", "id,email\n1,x\n");
        lake.policy_between(source, "out/", "columns: { id: keep, email: drop }\n");
        refused(&lake, 2, &["no object", source.trim_end_matches('/')]);
        lake.lakeveil("plan", [] as [&str; 0]).expect(2);
    }
}

#[test]
fn fail_nested_columns_to_csv_before_anything_is_written() {
    let lake = Lake::new();
    let item = Arc::new(arrow::datatypes::Field::new("item", arrow::datatypes::DataType::Utf8, true));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([1]);
    let list = arrow::array::ListArray::new(item, offsets, Arc::new(StringArray::from(vec![CANARY])), None);
    lake.put_parquet("in/t.parquet", vec![("tags", Arc::new(list) as ArrayRef)]);
    lake.put(
        "policy.yaml",
        "version: 1\ndataset: t\nsource: { url: in/ }\nsink: { url: out/, format: csv }\nunlisted: keep\ncolumns: {}\n",
    );
    refused(&lake, 2, &["tags", "CSV"]);
}

#[test]
fn fail_a_bucket_that_cannot_be_reached() {
    let lake = lake();
    lake.policy_between("s3://lake/in/", "out/", "columns: { id: keep, email: drop }\n");
    let mut command = crate::support::lakeveil();
    command.current_dir(lake.path("")).args(["run", "policy.yaml"]).envs([
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", CANARY),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ]);
    let ran = Ran::of(command.output().expect("starts")).expect(4);
    assert!(ran.stderr.contains("s3://lake/in") && !ran.words().contains(CANARY), "{}", ran.stderr);
}

#[test]
fn fail_a_write_that_is_denied() {
    // a folder below a file can't be made by anybody, the superuser that may run this test included
    let lake = lake();
    lake.put("file", "");
    lake.policy_between("in/", "file/out/", "columns: { id: keep, email: drop }\n");
    let ran = lake.run(&[]).expect(4);
    assert!(ran.stderr.contains("file/out") && !ran.words().contains(CANARY), "{}", ran.stderr);
    assert_eq!(lake.files("").iter().filter(|path| path.starts_with("file/")).count(), 0);

    // /proc takes no files, whoever asks
    if std::path::Path::new("/proc/self").exists() {
        lake.policy_between("in/", "/proc/lakeveil/", "columns: { id: keep, email: drop }\n");
        let ran = lake.run(&[]).expect(4);
        assert!(ran.stderr.contains("/proc/lakeveil"), "{}", ran.stderr);
    }
}

/// A small file system, unmounted when dropped.
struct Small(std::path::PathBuf);

impl Small {
    fn mount(path: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&path).expect("creates");
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"]).arg(&path);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self(path))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn fail_a_full_disk_and_go_on_when_there_is_room() {
    let lake = Lake::new();
    let rows: String = (0..60_000).map(|row| format!("{row},{CANARY}{row}@example.com\n")).collect();
    lake.put("in/large.csv", format!("id,email\n{rows}"));
    lake.put("in/small.csv", "id,email\n1,x\n");
    lake.policy("columns: { id: { pseudonym: { domain: d } }, email: { pseudonym: { domain: e } } }\n");
    let Some(small) = Small::mount(lake.path("out")) else {
        return skipped("no file system can be mounted here, so a full disk was not tested");
    };
    let report = lake.run_to(1, &[]);
    assert_eq!(lake.objects("out"), ["small.csv"]);
    assert_eq!(lake.files("out/_lakeveil/tmp"), Vec::<String>::new());
    let failed = report["objects"].as_array().expect("objects").iter().find(|o| o["status"] == "failed").expect("one");
    assert_eq!(failed["failure"]["code"], "storage-full", "{report:#}");
    assert!(!report.to_string().contains(CANARY));
    drop(small);
    let report = lake.run_well(&[]);
    assert_eq!(report["totals"]["objects_written"], 2, "nothing of the mounted folder is left");
}
