//! The same job on folders and on real stores: the same bytes, and nothing to do the second time.
//!
//! `LAKEVEIL_TEST_S3`, `LAKEVEIL_TEST_AZURE` and `LAKEVEIL_TEST_GCS` name folders that may be written.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray};
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

/// Every object of a store, `_lakeveil/` included, as text.
fn all_text(url: &str) -> Vec<(String, String)> {
    let storage = storage(url);
    block_on(async {
        let mut objects = Vec::new();
        for entry in storage.list("").await.expect("lists") {
            let bytes = storage.get(&entry.path).await.expect("reads");
            objects.push((entry.path, String::from_utf8_lossy(&bytes).into_owned()));
        }
        objects
    })
}

/// The output objects of a folder.
fn local(lake: &Lake, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let read = |path: String| (path.clone(), std::fs::read(lake.path(folder).join(path)).expect("reads"));
    lake.objects(folder).into_iter().map(read).collect()
}

/// A Parquet object of more than two parts of a multipart upload: a column of noise, which no codec makes smaller.
fn large() -> Vec<u8> {
    let mut state = 1_u64;
    let mut noise = || {
        let mut bytes = vec![0_u8; 16 << 10];
        for byte in &mut bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
        bytes
    };
    let rows = 800;
    let blobs: ArrayRef = Arc::new(BinaryArray::from_iter_values((0..rows).map(|_| noise())));
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let lake = Lake::new();
    lake.put_parquet("x.parquet", vec![("id", ids), ("blob", blobs)]);
    std::fs::read(lake.path("x.parquet")).expect("reads")
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
    objects.insert("a b/\"twice\" & [1]{2}~.csv".to_owned(), b"id,name\n7,x\n".to_vec());
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
    let mut source = source();
    source.insert("large.parquet".to_owned(), large());
    source.iter().for_each(|(path, bytes)| lake.put(&format!("in/{path}"), bytes));
    upload(&remote_in, &source);
    lake.policy(COLUMNS);
    lake.run_well(&[]);
    let expected = local(&lake, "out");
    assert_eq!(expected.len(), source.len());
    assert!(expected["large.parquet"].len() > 2 * (5 << 20), "more than one part");
    let made = table_of("x.parquet", expected["day=2026-11-24/x.parquet"].clone());
    assert_eq!(made["id"][39_999], Some(token("d", "39999")));

    let json = ["--format", "json"];
    run(&lake, &[], &[&["--sink", &remote_out], &json[..]].concat()).expect(0);
    assert!(download(&remote_out) == expected, "folder to store");
    remove(&remote_out);
    let back = [&["--source", &remote_in, "--sink", "back/"], &json[..]].concat();
    run(&lake, &[], &back).expect(0);
    assert!(local(&lake, "back") == expected, "store to folder");
    let second = run(&lake, &[], &back).expect(0);
    assert_eq!(totals(&second)["objects_written"], 0, "the store's etags are recorded as it lists them");
    let within = [&["--source", &remote_in, "--sink", &remote_out], &json[..]].concat();
    let first = run(&lake, &[], &within).expect(0);
    assert_eq!(totals(&first)["objects_written"], source.len());
    assert!(download(&remote_out) == expected, "within the store");
    let second = run(&lake, &[], &within).expect(0);
    assert_eq!(
        (&totals(&second)["objects_written"], &totals(&second)["objects_skipped"]),
        (&0.into(), &source.len().into())
    );
    // credentials stay where they came from
    for name in ["AWS_SECRET_ACCESS_KEY", "AZURE_STORAGE_ACCOUNT_KEY"] {
        let Ok(secret) = std::env::var(name) else { continue };
        assert!(!first.words().contains(&secret), "{name} is printed");
        for (path, text) in all_text(&remote_out) {
            assert!(!text.contains(&secret), "{name} is in {path}");
        }
    }
    remove(&url);
}

/// To another format, with a partition hidden: tokens in paths, records by keyed hashes, and always the same bytes.
fn converted_on(variable: &str, test: &str) {
    let Some(url) = place(variable, test) else { return };
    let (remote_in, remote_out) = (format!("{url}in/"), format!("{url}out/"));
    let lake = Lake::new();
    let source = source();
    source.iter().for_each(|(path, bytes)| lake.put(&format!("in/{path}"), bytes));
    upload(&remote_in, &source);
    for sink in ["format: parquet", "format: csv, csv: { compression: zstd }", "format: csv, names: hash"] {
        let policy = format!(
            "version: 1\ndataset: test\nsource: {{ url: in/ }}\nsink: {{ url: out/, {sink} }}\n\
             keyring: {{ file: keyring.json }}\nunlisted: keep\n\
             columns: {{ id: {{ pseudonym: {{ domain: d }} }}, day: {{ pseudonym: {{ domain: days }}, optional: true }} }}\n"
        );
        lake.put("policy.yaml", policy);
        lake.run_well(&[]);
        let expected = local(&lake, "out");
        assert_eq!(expected.len(), source.len(), "{sink}");
        let day = format!("day={}/", token("days", "2026-11-24"));
        let (path, bytes) = expected.iter().find(|(path, _)| path.starts_with(&day)).expect("a hidden partition");
        let made = table_of(path, bytes.clone());
        assert_eq!((&made["id"][0], &made["id"][39_999]), (&Some(token("d", "0")), &Some(token("d", "39999"))));

        let within = ["--source", &remote_in, "--sink", &remote_out, "--format", "json"];
        let first = run(&lake, &[], &within).expect(0);
        // the sink held what the last policy made, under other names: it is replaced
        assert!(download(&remote_out) == expected, "{sink}");
        let second = run(&lake, &[], &within).expect(0);
        assert_eq!(totals(&second)["objects_written"], 0, "{sink}");
        for shown in [first.words(), second.words()] {
            assert!(!shown.contains("2026-11-24/"), "{sink}: {shown}");
        }
    }
    remove(&url);
}

/// Nights: what changed is done again, what another wrote is replaced, what is gone is pruned.
fn nights_on(variable: &str, test: &str) {
    let Some(url) = place(variable, test) else { return };
    let (remote_in, remote_out) = (format!("{url}in/"), format!("{url}out/"));
    let lake = Lake::new();
    let object =
        |name: &str, id: u32| [(format!("p=ü %/{name}.csv"), format!("id,name\n{id},x\n").into_bytes())].into();
    lake.policy(COLUMNS);
    let night = |more: &[&str]| {
        let args = ["--source", &remote_in, "--sink", &remote_out, "--format", "json"];
        let totals = totals(&run(&lake, &[], &[&args, more].concat()).expect(0));
        ["objects_written", "objects_skipped", "objects_pruned"].map(|name| totals[name].as_u64().expect(name))
    };
    for name in ["a", "b", "c"] {
        upload(&remote_in, &object(name, 1));
    }
    assert_eq!(night(&[]), [3, 0, 0]);
    // of the same size: only the etag tells
    upload(&remote_in, &object("b", 2));
    assert_eq!(night(&[]), [1, 2, 0], "a changed input");
    let made = table_of("b.csv", download(&remote_out)["p=ü %/b.csv"].clone());
    assert_eq!(made["id"], [Some(token("d", "2"))]);
    let before = download(&remote_out);
    let strange = vec![b'x'; before["p=ü %/a.csv"].len()];
    upload(&remote_out, &[("p=ü %/a.csv".to_owned(), strange)].into());
    assert_eq!(night(&[]), [1, 2, 0], "an output that somebody else wrote");
    assert!(download(&remote_out) == before);
    block_on(storage(&remote_in).delete("p=ü %/c.csv")).expect("deletes");
    assert_eq!(night(&[]), [0, 2, 0], "nothing is removed unasked");
    assert_eq!(night(&["--prune"]), [0, 2, 1]);
    assert_eq!(download(&remote_out).into_keys().collect::<Vec<_>>(), ["p=ü %/a.csv", "p=ü %/b.csv"]);
    remove(&remote_in);
    let args = ["--source", &remote_in, "--sink", &remote_out, "--prune"];
    run(&lake, &[], &args).expect(2);
    assert_eq!(download(&remote_out).len(), 2, "an empty listing is no erasure");
    remove(&url);
}

#[test]
fn s3_converts_and_hides_as_a_folder_does() {
    converted_on("LAKEVEIL_TEST_S3", "convert");
}

#[test]
fn azure_converts_and_hides_as_a_folder_does() {
    converted_on("LAKEVEIL_TEST_AZURE", "convert");
}

#[test]
fn gcs_converts_and_hides_as_a_folder_does() {
    converted_on("LAKEVEIL_TEST_GCS", "convert");
}

#[test]
fn nights_on_s3() {
    nights_on("LAKEVEIL_TEST_S3", "nights");
}

#[test]
fn nights_on_azure() {
    nights_on("LAKEVEIL_TEST_AZURE", "nights");
}

#[test]
fn nights_on_gcs() {
    nights_on("LAKEVEIL_TEST_GCS", "nights");
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
    let (remote_in, remote_out) = (format!("{url}in/"), format!("{url}out/"));
    let lake = Lake::new();
    let mut source = source();
    source.insert("large.parquet".to_owned(), large());
    source.iter().for_each(|(path, bytes)| lake.put(&format!("in/{path}"), bytes));
    upload(&remote_in, &source);
    lake.policy(COLUMNS);
    lake.run_well(&[]);
    // a third of all requests fails: with this many attempts not one of a million requests does in the end
    let failing = [("AWS_ENDPOINT_URL", &faults[..]), ("AWS_MAX_ATTEMPTS", "20")];
    let args = ["--source", &remote_in, "--sink", &remote_out, "--format", "json"];
    run(&lake, &failing, &args).expect(0);
    assert!(download(&remote_out) == local(&lake, "out"));
    let second = run(&lake, &failing, &args).expect(0);
    assert_eq!(totals(&second)["objects_written"], 0, "what was repeated is recorded as it is listed");
    remove(&url);
}

/// The variable of each store, and its URLs' scheme.
const STORES: [(&str, &str); 3] =
    [("LAKEVEIL_TEST_S3", "s3"), ("LAKEVEIL_TEST_AZURE", "az"), ("LAKEVEIL_TEST_GCS", "gs")];

#[test]
fn fail_a_bucket_that_is_not_there() {
    for (variable, scheme) in STORES {
        if place(variable, "absent").is_none() {
            continue;
        }
        let lake = Lake::new();
        lake.put("in/t.csv", "id\n1\n");
        lake.policy(COLUMNS);
        let bucket = format!("no-such-bucket-{}", std::process::id());
        let url = format!("{scheme}://{bucket}/x/");
        let ran = run(&lake, &[], &["--source", &url]).expect(4);
        assert!(ran.stderr.contains(&format!("{scheme}://{bucket}")), "{}", ran.stderr);
        assert_eq!(lake.objects("out"), Vec::<String>::new());
        // this S3 server makes a bucket for whoever writes there
        if scheme != "s3" {
            let ran = run(&lake, &[], &["--sink", &url]).expect(4);
            assert!(ran.stderr.contains(&format!("{scheme}://{bucket}")), "{}", ran.stderr);
        }
    }
}

#[test]
fn fail_a_wrong_secret_key_which_is_shown_nowhere() {
    // Azure's keys are base64
    let wrong = "Q0FOQVJZLTdmM2EtQ0FOQVJZLTdmM2EtQ0FOQVJZLTdmM2E=";
    for (variable, secret) in
        [("LAKEVEIL_TEST_S3", "AWS_SECRET_ACCESS_KEY"), ("LAKEVEIL_TEST_AZURE", "AZURE_STORAGE_ACCOUNT_KEY")]
    {
        let Some(url) = place(variable, "denied") else { continue };
        let lake = Lake::new();
        lake.put("in/t.csv", "id\n1\n");
        lake.policy(COLUMNS);
        for place in ["--source", "--sink"] {
            let args = [place, &url, "--report", "report.json", "--openlineage", "events.jsonl"];
            let ran = run(&lake, &[(secret, wrong), ("LAKEVEIL_LOG", "trace")], &args).expect(4);
            assert!(
                ran.stderr.contains(url.trim_end_matches('/')) && ran.stderr.contains("credentials"),
                "{}",
                ran.stderr
            );
            assert!(!ran.words().contains(wrong) && !ran.words().contains("CANARY"), "{}", ran.words());
            assert_eq!(lake.holding("", wrong), Vec::<String>::new());
            assert_eq!(lake.objects("out"), Vec::<String>::new());
        }
        assert!(all_text(&url).is_empty(), "nothing was written");
        let ran = run(&lake, &[(secret, "CANARY-no base64!")], &["--sink", &url]).expect(4);
        assert!(!ran.words().contains("CANARY"), "{}", ran.words());
    }
}

#[test]
fn a_lease_in_a_store_keeps_a_second_run_out() {
    for (variable, _) in STORES {
        let Some(url) = place(variable, "lease") else { continue };
        let lake = Lake::new();
        lake.put("in/t.csv", "id\n1\n");
        lake.policy(COLUMNS);
        let held = r#"{"version":1,"run_id":"another","holder":"lakeveil run","since":"2026-11-25T00:00:00.000Z","expires":"2999-01-01T00:00:00.000Z"}"#;
        upload(&url, &[("_lakeveil/lease.json".to_owned(), held.as_bytes().to_vec())].into());
        let ran = run(&lake, &[], &["--sink", &url]).expect(4);
        assert!(ran.stderr.contains("another") && ran.stderr.contains("--break-lease"), "{}", ran.stderr);
        assert_eq!(all_text(&url), [("_lakeveil/lease.json".to_owned(), held.to_owned())], "nothing was touched");
        run(&lake, &[], &["--sink", &url, "--break-lease"]).expect(0);
        assert_eq!(download(&url).len(), 1);
        remove(&url);
    }
}

#[cfg(unix)]
#[test]
fn a_run_killed_in_a_store_keeps_others_out_and_is_gone_on_with() {
    let Some(url) = place("LAKEVEIL_TEST_S3", "killed") else { return };
    let lake = Lake::new();
    // small ones first and large ones last in number: some stand while others are under way
    (0..6).for_each(|object| lake.put(&format!("in/{object}.parquet"), large()));
    (0..40).for_each(|object| lake.put(&format!("in/small-{object}.csv"), format!("id\n{object}\n")));
    lake.policy(COLUMNS);
    lake.run_well(&[]);
    let expected = local(&lake, "out");
    let mut command = lakeveil();
    command.current_dir(lake.path("")).args(["run", "policy.yaml", "--sink", &url, "--threads", "1", "--quiet"]);
    let mut child = command.spawn().expect("starts");
    let begun = std::time::Instant::now();
    let recorded = || block_on(storage(&url).list("_lakeveil/records")).expect("lists").len();
    while recorded() == 0 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "no object was written");
    }
    let second = run(&lake, &[], &["--sink", &url]).expect(4);
    assert!(second.stderr.contains("has held this sink since"), "while the first is alive: {}", second.stderr);
    child.kill().expect("kills");
    child.wait().expect("ends");
    let stood = download(&url);
    assert!(stood.len() < expected.len(), "it was killed under way");
    for (path, bytes) in &stood {
        assert!(*bytes == expected[path], "{path} is whole or not there");
    }
    let second = run(&lake, &[], &["--sink", &url]).expect(4);
    assert!(second.stderr.contains("--break-lease"), "the dead run's lease: {}", second.stderr);
    let third = run(&lake, &[], &["--sink", &url, "--break-lease", "--format", "json"]).expect(0);
    let skipped = totals(&third)["objects_skipped"].as_u64().expect("a number") as usize;
    // an object may have its name without its record
    assert!(skipped <= stood.len() && skipped > 0, "{skipped} of {}", stood.len());
    assert!(download(&url) == expected);
    assert!(!all_text(&url).iter().any(|(path, _)| path.contains("lease")), "released at the end");
    remove(&url);
}
