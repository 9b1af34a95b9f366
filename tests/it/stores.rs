//! The same job on folders and on real stores: the same bytes, and nothing to do the second time.
//!
//! `LAKEVEIL_TEST_S3`, `LAKEVEIL_TEST_AZURE` and `LAKEVEIL_TEST_GCS` name folders that may be written.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use bytes::Bytes;
use lakeveil::engine::storage::{Environment, Location, Storage};
use serde_json::Value;

use crate::support::{Lake, Ran, files, lakeveil, root, skipped, table_of, token};

/// Folder of a store that this test has to itself, its trailing slash included.
fn place(variable: &str, test: &str) -> Option<String> {
    let Ok(url) = std::env::var(variable) else {
        skipped(&format!("{variable} is not set, so this store was not tested"));
        return None;
    };
    // beside the folder of the storage contract, which deletes all it finds
    let (bucket, _) = url.rsplit_once('/').expect("a folder in a bucket");
    Some(format!("{bucket}/{test}-{}/", std::process::id()))
}

fn storage(url: &str) -> Storage {
    Storage::open(&Location::parse(url).expect("a location"), &Environment::of_process()).expect("opens")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(future)
}

fn upload(url: &str, objects: &BTreeMap<String, Vec<u8>>) {
    let storage = storage(url);
    block_on(async {
        for (path, bytes) in objects {
            storage.put(path, Bytes::from(bytes.clone())).await.expect("writes");
        }
    });
}

/// Output objects of a store by path, without what lies under `_lakeveil/`.
fn download(url: &str) -> BTreeMap<String, Vec<u8>> {
    let storage = storage(url);
    block_on(async {
        let mut objects = BTreeMap::new();
        for entry in storage.list("").await.expect("lists") {
            if !entry.path.starts_with("_lakeveil/") {
                objects.insert(entry.path.clone(), storage.get(&entry.path).await.expect("reads").to_vec());
            }
        }
        objects
    })
}

fn remove(url: &str) {
    let storage = storage(url);
    block_on(async {
        for entry in storage.list("").await.expect("lists") {
            storage.delete(&entry.path).await.expect("deletes");
        }
    });
}

/// CSV under odd names, and a tree of Parquet partitions.
fn source() -> BTreeMap<String, Vec<u8>> {
    let odd = root().join("testdata/lake/odd");
    let mut objects: BTreeMap<String, Vec<u8>> = files(&odd)
        .into_iter()
        .filter(|path| path.ends_with(".csv") && !path.starts_with(['.', '_']))
        .map(|path| (path.clone(), std::fs::read(odd.join(path)).expect("reads")))
        .collect();
    let lake = Lake::new();
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..40_000));
    let names: ArrayRef = Arc::new((0..40_000).map(|row| Some(format!("näme {row}"))).collect::<StringArray>());
    lake.put_parquet("in/x.parquet", vec![("id", ids), ("name", names)]);
    let bytes = std::fs::read(lake.path("in/x.parquet")).expect("reads");
    objects.insert("day=2026-11-24/x.parquet".to_owned(), bytes.clone());
    objects.insert("day=2026-11-25/y z.parquet".to_owned(), bytes);
    objects
}

const COLUMNS: &str = "unlisted: keep
columns:
  id: { pseudonym: { domain: d } }
";

fn run(lake: &Lake, environment: &[(&str, &str)], args: &[&str]) -> Ran {
    let mut command: Command = lakeveil();
    command.current_dir(lake.path("")).envs(environment.iter().copied()).args(["run", "policy.yaml"]).args(args);
    Ran::of(command.output().expect("starts"))
}

fn totals(ran: &Ran) -> Value {
    serde_json::from_str::<Value>(&ran.stdout).expect("the report")["totals"].clone()
}

/// From a folder to the store, from the store to a folder, within the store: always what a folder to folder run gives.
fn same_on(variable: &str, test: &str) {
    let Some(url) = place(variable, test) else { return };
    let (remote_in, remote_out) = (format!("{url}in/"), format!("{url}out/"));
    let lake = Lake::new();
    let source = source();
    source.iter().for_each(|(path, bytes)| lake.put(&format!("in/{path}"), bytes));
    upload(&remote_in, &source);
    lake.policy(COLUMNS);
    lake.run_well(&[]);
    let expected: BTreeMap<String, Vec<u8>> = lake
        .objects("out")
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(lake.path("out").join(path)).expect("reads")))
        .collect();
    assert_eq!(expected.len(), source.len());
    let made = table_of("x.parquet", expected["day=2026-11-24/x.parquet"].clone());
    assert_eq!(made["id"][39_999], Some(token("d", "39999")));

    let json = ["--format", "json"];
    run(&lake, &[], &[&["--sink", &remote_out], &json[..]].concat()).expect(0);
    assert!(download(&remote_out) == expected, "folder to store");
    remove(&remote_out);
    run(&lake, &[], &["--source", &remote_in, "--sink", "back/"]).expect(0);
    let back = lake.objects("back");
    assert_eq!(back, expected.keys().cloned().collect::<Vec<_>>());
    for path in back {
        assert!(std::fs::read(lake.path("back").join(&path)).expect("reads") == expected[&path], "to a folder: {path}");
    }
    let within = [&["--source", &remote_in, "--sink", &remote_out], &json[..]].concat();
    let first = run(&lake, &[], &within).expect(0);
    assert_eq!(totals(&first)["objects_written"], source.len());
    assert!(download(&remote_out) == expected, "within the store");
    let second = run(&lake, &[], &within).expect(0);
    assert_eq!(
        (&totals(&second)["objects_written"], &totals(&second)["objects_skipped"]),
        (&0.into(), &source.len().into())
    );
    remove(&url);
}

#[test]
fn s3_gives_what_a_folder_gives() {
    same_on("LAKEVEIL_TEST_S3", "same");
}

#[test]
fn azure_gives_what_a_folder_gives() {
    same_on("LAKEVEIL_TEST_AZURE", "same");
}

#[test]
fn gcs_gives_what_a_folder_gives() {
    same_on("LAKEVEIL_TEST_GCS", "same");
}

#[test]
fn a_store_that_often_fails_still_gets_whole_objects() {
    let (Some(url), Ok(faults)) =
        (place("LAKEVEIL_TEST_S3", "faults"), std::env::var("LAKEVEIL_TEST_S3_FAULTS_ENDPOINT"))
    else {
        return skipped("LAKEVEIL_TEST_S3_FAULTS_ENDPOINT is not set, so a failing store was not tested");
    };
    let lake = Lake::new();
    source().iter().for_each(|(path, bytes)| lake.put(&format!("in/{path}"), bytes));
    lake.policy(COLUMNS);
    lake.run_well(&[]);
    run(&lake, &[("AWS_ENDPOINT_URL", &faults), ("AWS_MAX_ATTEMPTS", "10")], &["--sink", &url]).expect(0);
    let made = download(&url);
    assert_eq!(made.keys().cloned().collect::<Vec<_>>(), lake.objects("out"));
    for (path, bytes) in made {
        assert!(std::fs::read(lake.path("out").join(&path)).expect("reads") == bytes, "{path}");
    }
    remove(&url);
}

#[test]
fn a_bucket_that_is_not_there_and_a_wrong_key_are_told() {
    let Some(url) = place("LAKEVEIL_TEST_S3", "denied") else { return };
    let lake = Lake::new();
    lake.put("in/t.csv", "id\n1\n");
    lake.policy(COLUMNS);
    let ran = run(&lake, &[], &["--source", "s3://no-such-bucket-here/x/"]).expect(4);
    assert!(ran.stderr.contains("no-such-bucket-here"), "{}", ran.stderr);
    let ran = run(&lake, &[("AWS_SECRET_ACCESS_KEY", "CANARY-7f3a")], &["--sink", &url]).expect(4);
    assert!(ran.stderr.contains("s3://") && !ran.words().contains("CANARY"), "{}", ran.stderr);
}

#[test]
fn a_lease_in_a_store_keeps_a_second_run_out() {
    let Some(url) = place("LAKEVEIL_TEST_S3", "lease") else { return };
    let lake = Lake::new();
    lake.put("in/t.csv", "id\n1\n");
    lake.policy(COLUMNS);
    let held = r#"{"version":1,"run_id":"another","holder":"lakeveil run","since":"2026-11-25T00:00:00.000Z","expires":"2999-01-01T00:00:00.000Z"}"#;
    upload(&url, &[("_lakeveil/lease.json".to_owned(), held.as_bytes().to_vec())].into());
    let ran = run(&lake, &[], &["--sink", &url]).expect(4);
    assert!(ran.stderr.contains("--break-lease"), "{}", ran.stderr);
    assert!(download(&url).is_empty());
    run(&lake, &[], &["--sink", &url, "--break-lease"]).expect(0);
    assert_eq!(download(&url).len(), 1);
    remove(&url);
}
