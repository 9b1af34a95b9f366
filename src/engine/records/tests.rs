use std::collections::HashSet;
use std::sync::Arc;

use super::*;
use crate::engine::privacy::PathPrivacy;
use crate::engine::storage::Entry;

fn entry(path: &str, size: u64, etag: &str) -> Entry {
    Entry { path: path.to_owned(), size, etag: Some(etag.to_owned()), modified: None }
}

fn run() -> RunIdentity {
    RunIdentity {
        source: "s3://lake/raw".to_owned(),
        filter: None,
        policy_digest: "p1".to_owned(),
        keys: vec![KeyRef { id: "2026-11".to_owned(), fingerprint: "0011".to_owned() }],
        privacy: PathPrivacy::Open,
        former: Vec::new(),
    }
}

fn keyed() -> PathPrivacy {
    PathPrivacy::Keyed(Arc::new(|text: &str| {
        let digest = <sha2::Sha256 as sha2::Digest>::digest(format!("key{text}"));
        data_encoding::HEXLOWER.encode(&digest[..8])
    }))
}

/// The record of `input`, whose output is `<input>.out` of 7 bytes.
fn record(input: &Entry, run: &RunIdentity) -> Record {
    Record {
        version: Record::VERSION,
        dataset: "customers".to_owned(),
        source: run.recorded_source(),
        filter: run.recorded_filter(),
        input: InputId::new(input, &run.privacy),
        policy_digest: run.policy_digest.clone(),
        keys: run.keys.clone(),
        outputs: vec![OutputRef {
            path: format!("{}.out", input.path),
            size: 7,
            etag: Some("o".to_owned()),
            sha256: "00".to_owned(),
        }],
        superseded: Vec::new(),
        rows_in: 2,
        rows_out: 1,
        completed_at: "2026-11-22T00:00:00Z".to_owned(),
    }
}

fn output(path: &str) -> Entry {
    entry(&format!("{path}.out"), 7, "o")
}

#[test]
fn an_input_is_skipped_only_if_all_is_as_it_was() {
    let input = entry("a", 1, "e");
    let records: Records = [record(&input, &run())].into_iter().collect();
    let sink = [output("a")];
    let one = |input: &Entry, sink: &[Entry], run: &RunIdentity, full| {
        decide(std::slice::from_ref(input), &records, sink, run, full)[0]
    };
    assert_eq!(one(&input, &sink, &run(), false), Decision::Skip);
    assert_eq!(one(&input, &sink, &run(), true), Decision::Do(Reason::Full));
    assert_eq!(one(&entry("b", 1, "e"), &sink, &run(), false), Decision::Do(Reason::New));
    assert_eq!(one(&entry("a", 2, "e"), &sink, &run(), false), Decision::Do(Reason::InputChanged));
    assert_eq!(one(&entry("a", 1, "f"), &sink, &run(), false), Decision::Do(Reason::InputChanged));
    let elsewhere = RunIdentity { source: "s3://lake/other".to_owned(), ..run() };
    assert_eq!(one(&input, &sink, &elsewhere, false), Decision::Do(Reason::InputChanged));
    let policy = RunIdentity { policy_digest: "p2".to_owned(), ..run() };
    assert_eq!(one(&input, &sink, &policy, false), Decision::Do(Reason::PolicyChanged));
    let keys = RunIdentity { keys: Vec::new(), ..run() };
    assert_eq!(one(&input, &sink, &keys, false), Decision::Do(Reason::KeysChanged));
    for sink in [vec![], vec![entry("a.out", 8, "o")], vec![entry("a.out", 7, "other")]] {
        assert_eq!(one(&input, &sink, &run(), false), Decision::Do(Reason::OutputChanged));
    }
}

#[test]
fn keyed_records_decide_alike_and_hold_no_path() {
    let run = RunIdentity { privacy: keyed(), ..run() };
    let input = entry("patient=ada/x.csv", 1, "e");
    let mut record = record(&input, &run);
    record.outputs[0].path = "patient=t1/x.csv".to_owned();
    let json = String::from_utf8(record.to_json().expect("serializes")).expect("is text");
    assert!(!json.contains("ada") && !json.contains("raw") && !json.contains("\"e\""), "{json}");
    let records: Records = [record].into_iter().collect();
    let sink = [entry("patient=t1/x.csv", 7, "o")];
    let all = decide(&[input.clone(), entry(&input.path, 2, "e")], &records, &sink, &run, false);
    assert_eq!(all, [Decision::Skip, Decision::Do(Reason::InputChanged)]);
}

#[test]
fn equal_objects_do_not_show_in_keyed_records() {
    let versions = ["a", "b"].map(|path| match InputId::new(&entry(path, 1, "e"), &keyed()) {
        InputId::Keyed { version_digest, .. } => version_digest,
        InputId::Open { .. } => unreachable!("the privacy is keyed"),
    });
    assert_ne!(versions[0], versions[1]);
}

#[test]
fn old_outputs_go_unless_somebody_has_them() {
    let input = entry("a", 1, "e");
    let old = Record {
        outputs: ["x", "y", "z"]
            .map(|path| OutputRef { path: path.to_owned(), size: 1, etag: None, sha256: String::new() })
            .into(),
        ..record(&input, &run())
    };
    let new = Record { outputs: vec![old.outputs[0].clone()], ..old.clone() };
    let claimed = HashSet::from(["y".to_owned()]);
    assert_eq!(superseded(&old, &new, &claimed), ["z"]);
}

#[test]
fn pruning_touches_only_inputs_of_this_source_and_filter() {
    let inputs = ["a", "b", "c"].map(|path| entry(path, 1, "e"));
    let other = RunIdentity { source: "s3://lake/other".to_owned(), ..run() };
    let narrowed = RunIdentity { filter: Some("d*".to_owned()), ..run() };
    let records: Records = inputs
        .iter()
        .map(|input| record(input, &run()))
        .chain([record(&entry("o", 1, "e"), &other), record(&entry("d", 1, "e"), &narrowed)])
        .collect();
    let gone = prune_candidates(&records, &inputs[..2], &run());
    assert_eq!(gone.iter().map(|record| record.input.key()).collect::<Vec<_>>(), ["c"]);
    assert_eq!(prunable_outputs(&gone, &records, &HashSet::new()), ["c.out"]);
    assert!(prunable_outputs(&gone, &records, &HashSet::from(["c.out".to_owned()])).is_empty());
    assert_eq!(check_prune(&gone, &records, &inputs[..2], &run(), false), Ok(()));

    let gone = prune_candidates(&records, &inputs[..1], &run());
    let refused = check_prune(&gone, &records, &inputs[..1], &run(), false);
    assert_eq!(refused, Err(PruneRefused::MoreThanHalf { gone: 2, known: 3 }));
    assert_eq!(check_prune(&gone, &records, &inputs[..1], &run(), true), Ok(()));
    let gone = prune_candidates(&records, &[], &run());
    let refused = check_prune(&gone, &records, &[], &run(), false);
    assert_eq!(refused, Err(PruneRefused::EmptySource { gone: 3 }));
    assert_eq!(check_prune(&[], &records, &[], &run(), false), Ok(()), "nothing to prune is never wrong");
}

#[test]
fn records_under_a_former_key_are_found_again() {
    let inputs = ["a", "b"].map(|path| entry(path, 1, "e"));
    let before = RunIdentity { privacy: keyed(), ..run() };
    let now = RunIdentity { former: vec![keyed()], ..run() };
    assert_eq!(now.keys_of("a"), ["a".to_owned(), InputId::key_of("a", &keyed())]);
    let old = inputs.iter().chain([&entry("c", 1, "e")]).map(|input| record(input, &before)).collect::<Vec<_>>();
    let records: Records = old.iter().cloned().chain([record(&inputs[0], &now)]).collect();
    let gone = prune_candidates(&records, &inputs, &now);
    let mut keys: Vec<_> = gone.iter().map(|record| record.input.key()).collect();
    keys.sort_unstable();
    let mut expected = [old[0].input.key(), old[2].input.key()];
    expected.sort_unstable();
    assert_eq!(keys, expected, "c is gone; a is known anew; b is still to be done");
}

#[tokio::test]
async fn records_are_written_read_and_removed() {
    let storage = Storage::memory();
    let store = RecordStore::new(storage.clone());
    assert!(store.load("customers").await.expect("no folder is no record").is_empty());
    let first = record(&entry("a b/%41.csv", 1, "e"), &run());
    let other = Record { dataset: "orders".to_owned(), ..first.clone() };
    for record in [&first, &other, &first] {
        store.write(record).await.expect("writes");
    }
    let listed = storage.list("").await.expect("lists");
    assert_eq!(listed.len(), 2, "one for each dataset and input");
    assert!(listed.iter().all(|entry| entry.path.starts_with("_lakeveil/records/") && entry.path.ends_with(".json")));
    let loaded = store.load("customers").await.expect("loads");
    assert_eq!((loaded.len(), loaded.get("a b/%41.csv")), (1, Some(&first)));
    store.remove(&first).await.expect("removes");
    assert!(store.load("customers").await.expect("loads").is_empty());
}

#[tokio::test]
async fn fail_records_that_are_damaged_newer_or_point_elsewhere() {
    let good = record(&entry("a", 1, "e"), &run());
    let mut cases = vec![b"{".to_vec(), b"{\"version\": 2}".to_vec()];
    for path in ["../x", "/x", "_lakeveil/lease.json", ""] {
        let mut record = good.clone();
        record.outputs[0].path = path.to_owned();
        cases.push(record.to_json().expect("serializes"));
    }
    for json in cases {
        let storage = Storage::memory();
        storage.put("_lakeveil/records/x.json", json.clone().into()).await.expect("writes");
        let error = RecordStore::new(storage).load("customers").await.expect_err("must fail");
        assert!(error.to_string().contains("records/x.json"), "{error}");
    }
}

#[test]
fn the_shape_of_a_record_is_pinned() {
    let json = String::from_utf8(record(&entry("a", 1, "e"), &run()).to_json().expect("serializes")).expect("text");
    let expected = r#"{
  "version": 1,
  "dataset": "customers",
  "source": "s3://lake/raw",
  "input": {
    "path": "a",
    "size": 1,
    "etag": "e"
  },
  "policy_digest": "p1",
  "keys": [
    {
      "id": "2026-11",
      "fingerprint": "0011"
    }
  ],
  "outputs": [
    {
      "path": "a.out",
      "size": 7,
      "etag": "o",
      "sha256": "00"
    }
  ],
  "rows_in": 2,
  "rows_out": 1,
  "completed_at": "2026-11-22T00:00:00Z"
}
"#;
    assert_eq!(json, expected);
}
