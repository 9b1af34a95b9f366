//! The README's first command; the other policies have `examples.rs`.

use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use crate::support::{Ran, Table, files, lakeveil, root, table};

fn run(policy: &str, out: &std::path::Path, args: &[&str]) -> Ran {
    let mut command = lakeveil();
    command.current_dir(root()).env("OUT", out).args(["run", policy]).args(args);
    Ran::of(command.output().expect("the binary starts"))
}

#[test]
fn the_quickstart_writes_the_golden_tokens() {
    let out = tempdir().expect("a temporary folder");
    run("policies/quickstart.yaml", out.path(), &[]).expect(0);
    let golden = fs::read_to_string(root().join("testdata/golden/quickstart.tokens.json")).expect("is there");
    let golden: Value = serde_json::from_str(&golden).expect("is JSON");
    let mut compared = 0;
    for (file, columns) in golden["files"].as_object().expect("files") {
        let stem = file.split(".csv").next().expect("a CSV name");
        let made = table(&out.path().join(format!("customers/{stem}.parquet")));
        for (name, tokens) in columns.as_object().expect("columns") {
            let tokens: Vec<Option<String>> =
                tokens.as_array().expect("tokens").iter().map(|token| token.as_str().map(str::to_owned)).collect();
            assert_eq!(made[name], tokens, "{file}: {name}");
            compared += tokens.len();
        }
    }
    assert_eq!(compared, 2 * 600, "both columns of every customer");
}

#[test]
fn the_quickstart_leaves_no_identifier_in_what_it_writes() {
    let out = tempdir().expect("a temporary folder");
    let ran = run("policies/quickstart.yaml", out.path(), &[]).expect(0);
    let source: Table = table(&root().join("testdata/lake/customers/customers-1.csv"));
    let mut identifiers: Vec<String> = ["customer_id", "email", "phone", "full_name", "card"]
        .iter()
        .flat_map(|name| source[*name].iter().flatten())
        .map(|value| value.trim().to_owned())
        .collect();
    // shorter ones are found by chance
    identifiers.retain(|value| value.len() >= 8);
    assert!(identifiers.len() > 400, "{}", identifiers.len());
    let mut haystacks = vec![("the terminal".to_owned(), ran.words())];
    for path in files(out.path()) {
        let whole = out.path().join(&path);
        let words = match path.ends_with(".parquet") {
            true => format!("{:?}", table(&whole)),
            false => String::new(),
        };
        let raw = String::from_utf8_lossy(&fs::read(&whole).expect("reads")).into_owned();
        haystacks.push((path, words + &raw));
    }
    for (place, words) in &haystacks {
        let found = identifiers.iter().filter(|value| words.contains(value.as_str())).count();
        assert_eq!(found, 0, "identifiers in {place}");
    }
}

fn contents(folder: &std::path::Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    files(folder).into_iter().map(|path| (path.clone(), fs::read(folder.join(path)).expect("reads"))).collect()
}

#[test]
fn a_full_run_writes_the_same_bytes_and_a_report_that_differs_in_times_only() {
    let out = tempdir().expect("a temporary folder");
    let report = |threads: &str| {
        let ran = run("policies/quickstart.yaml", out.path(), &["--full", "--format", "json", "--threads", threads]);
        serde_json::from_str::<Value>(&ran.expect(0).stdout).expect("the report is JSON")
    };
    let objects = || {
        let mut all = contents(out.path());
        all.retain(|path, _| path.ends_with(".parquet"));
        all
    };
    let (mut first, before) = (report("1"), objects());
    let (mut second, after) = (report("4"), objects());
    assert_eq!(before.len(), 3);
    assert!(before == after, "the bytes of the outputs differ");
    for report in [&mut first, &mut second] {
        let map = report.as_object_mut().expect("an object");
        for differing in ["run_id", "started", "ended", "elapsed_ms", "host"] {
            assert!(map.remove(differing).is_some(), "{differing}");
        }
        for object in map["objects"].as_array_mut().expect("objects") {
            object["output"].as_object_mut().expect("an output").remove("etag");
        }
    }
    assert_eq!(first, second);
}

#[test]
fn a_plan_shows_columns_and_objects_and_writes_nothing() {
    let out = tempdir().expect("a temporary folder");
    let plan = |format: &str| {
        let mut command = lakeveil();
        command.current_dir(root()).env("OUT", out.path()).args([
            "plan",
            "policies/quickstart.yaml",
            "--format",
            format,
        ]);
        Ran::of(command.output().expect("the binary starts")).expect(0).stdout
    };
    let text = plan("text");
    for word in ["customer_id", "pseudonym", "email_domain", "full_name", "customers-2.csv.gz", "Nothing was written"] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
    let json: Value = serde_json::from_str(&plan("json")).expect("is JSON");
    assert_eq!(json["objects"].as_array().map(Vec::len), Some(3));
    assert!(json["plan"]["columns"].as_array().is_some_and(|columns| columns.len() == 10), "{json:#}");
    let warned = |code: &str| {
        json["plan"]["warnings"].as_array().is_some_and(|all| all.iter().any(|warning| warning["code"] == code))
    };
    assert!(warned("derive-shows-raw"), "the plan says that email_domain shows raw data: {json:#}");
    assert_eq!(files(out.path()), Vec::<String>::new());
}
