//! Policies, keys and places that can't be: nothing runs, the exit code says which it was, and no value is shown.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};

use crate::support::{Lake, Ran, lakeveil, skipped};

const CANARY: &str = "CANARY-7f3a";

fn lake() -> Lake {
    let lake = Lake::new();
    lake.put("in/t.csv", format!("id,email\n1,{CANARY}@example.com\n"));
    lake
}

/// Runs, expects this exit code, nothing written and no canary; gives standard error.
#[track_caller]
fn refused(lake: &Lake, code: i32, words: &[&str]) -> String {
    let args = ["--report", "report.json", "--report-html", "report.html", "--openlineage", "events.jsonl"];
    refused_as(lake, lake.run(&args), code, words)
}

#[track_caller]
fn refused_as(lake: &Lake, ran: Ran, code: i32, words: &[&str]) -> String {
    let ran = ran.expect(code);
    let shown = ran.words();
    assert!(!shown.contains(CANARY), "{shown}");
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}` is missing in: {}", ran.stderr);
    }
    assert_eq!(lake.files("out"), Vec::<String>::new(), "not even a lease is left");
    let mut holding = lake.holding("", CANARY);
    // what the tests themselves put there
    holding.retain(|path| !["in/", "lake/", "link/", "key"].iter().any(|own| path.starts_with(own)));
    assert_eq!(holding, Vec::<String>::new(), "these files show a value");
    assert!(!lake.path("report.json").exists() && !lake.path("report.html").exists(), "nothing ran");
    ran.stderr
}

#[test]
fn fail_unknown_keys_with_place_and_hint() {
    let lake = lake();
    lake.policy("columns:\n  id: { pseudonym: { domian: d } }\n  email: dropp\n");
    let first = ["policy::unknown-key", "policy.yaml:9:22", "domian", "did you mean `domain`?"];
    let shown = refused(&lake, 2, &first);
    // every problem at once
    for word in ["policy::unknown-transform", "policy.yaml:10:10", "dropp", "did you mean `drop`?", "2 errors"] {
        assert!(shown.contains(word), "`{word}` is missing in: {shown}");
    }
}

#[test]
fn fail_a_rule_that_matches_no_column_and_a_column_without_a_rule() {
    let lake = lake();
    lake.policy("columns: { id: keep, emial: drop }\n");
    refused(&lake, 2, &["policy::no-such-column", "policy.yaml:8:22", "`emial`", "did you mean `email`?"]);
    refused(&lake, 2, &["policy::unlisted-column", "no rule names the column `email`", "name it in `columns`"]);
}

#[test]
fn fail_a_float_column_to_pseudonymize() {
    let lake = Lake::new();
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![CANARY]));
    lake.put_parquet("in/t.parquet", vec![("weight", floats), ("name", texts)]);
    lake.policy("columns: { weight: { pseudonym: { domain: d } }, name: drop }\n");
    refused(
        &lake,
        2,
        &["policy::column-type", "policy.yaml:8:12", "`weight`", "Float64", "keep, drop, nullify or redact it"],
    );
}

#[test]
fn fail_without_a_usable_secret() {
    let keyring = |secret: &str| {
        format!(
            r#"{{"version":1,"keys":[{{"id":"test","state":"active","created":"2026-11-22T00:00:00Z","secret":{secret}}}]}}"#
        )
    };
    let new = "lakeveil key new";
    let file = "{ file: key, permissions: any }";
    for (policy, secret, words) in [
        ("{ env: LAKEVEIL_NO_SUCH_VARIABLE }", None, vec!["LAKEVEIL_NO_SUCH_VARIABLE", "not set"]),
        ("{ env: LAKEVEIL_EMPTY_VARIABLE }", None, vec!["LAKEVEIL_EMPTY_VARIABLE", "empty"]),
        ("{ file: nothing.json }", None, vec!["nothing.json", "check the path"]),
        (file, Some(CANARY.to_owned()), vec!["keyring file key", "11 bytes", "16", new]),
        (file, Some(keyring(&format!("\"text:{CANARY}\""))), vec!["`test`", "11 bytes", "16", new]),
        (file, Some(keyring("\"hex:00112233445566\"")), vec!["`test`", "7 bytes", "16", new]),
        (file, Some(keyring(&format!("\"{CANARY}-{CANARY}\""))), vec!["`test`", "encoding", "text:"]),
        (file, Some(keyring(&format!("\"hex:{CANARY}-{CANARY}\""))), vec!["`test`", "hex"]),
        (file, Some(keyring("\"text:changemechangemechangeme\"")), vec!["`test`", "placeholder", new]),
        (file, Some(format!("{{\"version\": 1, \"keys\": [\"{CANARY}\"")), vec!["keyring file key"]),
        (file, Some(String::new()), vec!["keyring file key", "0 bytes", new]),
        ("{ command: [\"false\"] }", None, vec!["false"]),
        ("{ command: [no-such-program-here] }", None, vec!["no-such-program-here"]),
    ] {
        let lake = lake();
        if let Some(secret) = secret {
            lake.put("key", secret);
        }
        lake.put(
            "policy.yaml",
            format!(
                "version: 1\ndataset: t\nsource: {{ url: in/ }}\nsink: {{ url: out/ }}\nkeyring: {policy}\n\
                 columns: {{ id: {{ pseudonym: {{ domain: d }} }}, email: drop }}\n"
            ),
        );
        let mut command = lakeveil();
        command.current_dir(lake.path("")).env("LAKEVEIL_EMPTY_VARIABLE", "").args(["run", "policy.yaml"]);
        refused_as(&lake, Ran::of(command.output().expect("the binary starts")), 3, &words);
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
    for (source, sink) in [
        ("in/", "in/"),
        ("in/", "in"),
        ("in/", "./in/../in"),
        ("in/", "in/out/"),
        ("in/*.csv", "in/clean/"),
        ("lake/in/", "lake/"),
        ("link/", "in/"),
        ("in/", "link/clean/"),
    ] {
        let lake = lake();
        lake.put("lake/in/t.csv", format!("id,email\n1,{CANARY}\n"));
        #[cfg(unix)]
        std::os::unix::fs::symlink("in", lake.path("link")).expect("links");
        lake.policy_between(source, sink, "columns: { id: keep, email: drop }\n");
        let stderr = refused(&lake, 2, &["somewhere else", source.trim_end_matches("*.csv")]);
        assert!(stderr.contains(sink.trim_end_matches('/')) || source == "in/", "{source} to {sink}: {stderr}");
        assert_eq!(lake.files("in"), ["t.csv"], "{source} to {sink}");
        assert_eq!(lake.files("lake"), ["in/t.csv"], "{source} to {sink}");
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
fn fail_a_first_line_that_is_no_header_without_showing_it() {
    for text in [format!("{CANARY},{CANARY}-2\n1,2\n"), format!("id;{CANARY}\n1;2\n")] {
        let lake = Lake::new();
        lake.put("in/t.csv", text);
        lake.policy("columns: { id: keep, email: drop }\n");
        refused(&lake, 2, &["first line", "csv.delimiter", "header: false"]);
    }
}

#[test]
fn fail_the_one_object_that_lacks_a_column_by_name() {
    let lake = lake();
    lake.put("in/u.csv", "id,email\n1,x\n");
    lake.put("in/v.csv", "id\n1\n");
    lake.policy("columns: { id: keep, email: drop }\n");
    refused(&lake, 2, &["email", "(in v.csv)"]);
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
    for (source, sink, named) in [("s3://lake/in/", "out/", "s3://lake/in"), ("in/", "s3://lake/out/", "s3://lake/out")]
    {
        let lake = lake();
        lake.policy_between(source, sink, "columns: { id: keep, email: drop }\n");
        let mut command = lakeveil();
        command.current_dir(lake.path("")).args(["run", "policy.yaml", "--openlineage", "events.jsonl"]).envs([
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", CANARY),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_MAX_ATTEMPTS", "1"),
        ]);
        let ran = Ran::of(command.output().expect("the binary starts"));
        refused_as(&lake, ran, 4, &[named, "check the endpoint setting", "network"]);
        let events = std::fs::read_to_string(lake.path("events.jsonl")).expect("was written");
        assert!(events.contains("FAIL") && events.contains("storage-unreachable"), "{events}");
    }
}

/// Makes `path` a folder that nobody may write to; the superuser obeys no mode, so for him it is a read-only mount.
fn read_only(path: &Path) -> Option<Mounted> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir_all(path).expect("creates");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o555)).expect("changes the mode");
        if std::fs::write(path.join("probe"), "").is_err() {
            return Some(Mounted(None));
        }
        std::fs::remove_file(path.join("probe")).expect("removes");
    }
    Mounted::new(path, "ro,size=64k")
}

#[test]
fn fail_a_write_that_is_denied() {
    let lake = lake();
    match read_only(&lake.path("denied")) {
        Some(_denied) => {
            for sink in ["denied/", "denied/deeper/"] {
                lake.policy_between("in/", sink, "columns: { id: keep, email: drop }\n");
                refused(&lake, 4, &[sink.trim_end_matches('/'), "cannot make the folder", "access"]);
                assert_eq!(lake.files("denied"), Vec::<String>::new());
            }
        }
        None => skipped("neither modes nor mounts deny anything here, so a read-only folder was not tested"),
    }
    // a folder below a file can't be made by anybody
    lake.put("file", "");
    lake.policy_between("in/", "file/out/", "columns: { id: keep, email: drop }\n");
    refused(&lake, 4, &["file/out", "a file and a folder have the same name"]);
}

#[test]
fn fail_one_object_whose_folder_cannot_be_made_and_write_the_others() {
    let lake = lake();
    lake.put("in/below/bad.csv", format!("id,email\n2,{CANARY}\n"));
    lake.put("out/below", "of somebody else");
    lake.policy("columns: { id: keep, email: drop }\n");
    let report = lake.run_to(1, &[]);
    assert_eq!(lake.objects("out"), ["below", "t.csv"]);
    assert_eq!(std::fs::read(lake.path("out/below")).expect("reads"), b"of somebody else");
    assert_eq!(lake.files("out/_lakeveil/tmp"), Vec::<String>::new());
    assert_eq!(lake.files("out/_lakeveil/records").len(), 1);
    let failed = report["objects"].as_array().expect("objects").iter().find(|o| o["status"] == "failed").expect("one");
    assert_eq!(
        (&failed["input"]["path"], &failed["failure"]["code"]),
        (&"below/bad.csv".into(), &"storage-invalid".into())
    );
    assert!(failed["failure"]["message"].as_str().is_some_and(|m| m.contains("move one of them away")), "{failed}");
    assert_eq!(lake.holding("out", CANARY), Vec::<String>::new());
}

/// What was asked for by `--report` tells what was done, whatever becomes of the sink's own copy.
#[test]
fn fail_a_report_that_the_sink_does_not_take_and_give_it_where_it_was_asked_for() {
    let lake = lake();
    lake.put("out/_lakeveil/reports", "no folder");
    lake.policy("columns: { id: keep, email: drop }\n");
    let ran = lake.run(&["--report", "report.json", "--report-html", "report.html"]);
    assert!(matches!(ran.code, Some(1 | 4)), "{ran:?}");
    assert!(ran.stderr.contains("_lakeveil/reports"), "{}", ran.stderr);
    assert_eq!(lake.objects("out"), ["t.csv"]);
    assert!(lake.path("report.json").exists() && lake.path("report.html").exists(), "the report is lost: {ran:?}");
    assert_eq!(lake.json("report.json")["totals"]["objects_written"], 1);
}

/// A small file system, unmounted when dropped; or nothing that would have to be.
struct Mounted(Option<PathBuf>);

impl Mounted {
    fn new(path: &Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(path).expect("creates");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self(Some(path.to_owned())))
    }

    fn grow(&self, size: &str) {
        let path = self.0.as_ref().expect("is mounted");
        let remounted = Command::new("mount").args(["-o", &format!("remount,{size}")]).arg(path).status();
        assert!(remounted.is_ok_and(|status| status.success()), "what can be mounted can be remounted");
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = Command::new("umount").arg(path).status();
        }
    }
}

const PSEUDONYMS: &str = "columns: { id: { pseudonym: { domain: d } }, email: { pseudonym: { domain: e } } }\n";

#[test]
fn fail_a_full_disk_and_go_on_when_there_is_room() {
    let lake = Lake::new();
    let rows: String = (0..60_000).map(|row| format!("{row},{CANARY}{row}@example.com\n")).collect();
    lake.put("in/large.csv", format!("id,email\n{rows}"));
    lake.put("in/small.csv", "id,email\n1,x\n");
    lake.policy(PSEUDONYMS);
    let Some(small) = Mounted::new(&lake.path("out"), "size=2m") else {
        return skipped("no file system can be mounted here, so a full disk was not tested");
    };
    let args = ["--report-html", "report.html", "--openlineage", "events.jsonl"];
    let report = lake.run_to(1, &args);
    assert_eq!(lake.objects("out"), ["small.csv"]);
    assert_eq!(lake.files("out/_lakeveil/tmp"), Vec::<String>::new());
    assert_eq!(lake.files("out/_lakeveil/records").len(), 1);
    let failed = report["objects"].as_array().expect("objects").iter().find(|o| o["status"] == "failed").expect("one");
    assert_eq!((&failed["input"]["path"], &failed["failure"]["code"]), (&"large.csv".into(), &"storage-full".into()));
    let message = failed["failure"]["message"].as_str().expect("a message");
    assert!(message.contains("no storage space") && message.contains("free some space"), "{message}");
    let mut holding = lake.holding("", CANARY);
    holding.retain(|path| !path.starts_with("in/"));
    assert_eq!(holding, Vec::<String>::new());
    small.grow("size=32m");
    let totals = lake.run_well(&[])["totals"].clone();
    assert_eq!((&totals["objects_written"], &totals["objects_skipped"]), (&1.into(), &1.into()), "the large one alone");
}

#[test]
fn fail_a_disk_without_any_room_before_anything_is_read() {
    let lake = lake();
    let Some(_full) = Mounted::new(&lake.path("disk"), "size=64k") else {
        return skipped("no file system can be mounted here, so a full disk was not tested");
    };
    // as much as goes
    let _ = std::fs::write(lake.path("disk/filler"), vec![0; 128 << 10]);
    lake.policy_between("in/", "disk/out/", PSEUDONYMS);
    refused(&lake, 4, &["disk/out", "no storage space", "free some space"]);
    assert_eq!(lake.files("disk"), ["filler"]);
}
