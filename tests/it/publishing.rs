//! Whole or nothing, done once: records, redoing, pruning, leases.

use std::fs;

use serde_json::Value;

use crate::support::{Lake, SECRET, lakeveil, token};

const COLUMNS: &str = "columns: { id: { pseudonym: { domain: d } }, note: keep }\n";

fn lake_of(objects: usize) -> Lake {
    let lake = Lake::new();
    for object in 0..objects {
        lake.put(&format!("in/{object}.csv"), format!("id,note\n{object},x\n"));
    }
    lake.policy(COLUMNS);
    lake
}

/// Objects written, skipped and pruned.
#[track_caller]
fn done(report: &Value) -> [u64; 3] {
    ["objects_written", "objects_skipped", "objects_pruned"].map(|name| report["totals"][name].as_u64().expect(name))
}

#[test]
fn hidden_names_and_markers_are_passed_over_and_counted() {
    let lake = lake_of(2);
    for hidden in ["in/_SUCCESS", "in/.x.crc", "in/_tmp/y.csv", "in/.hidden/z.csv"] {
        lake.put(hidden, "id,note\nCANARY,x\n");
    }
    let report = lake.run_well(&[]);
    assert_eq!((done(&report), &report["totals"]["skipped_by_rule"]), ([2, 0, 0], &4.into()));
    assert_eq!(lake.objects("out"), ["0.csv", "1.csv"]);
}

#[test]
fn only_what_changed_is_done_again() {
    let lake = lake_of(3);
    assert_eq!(done(&lake.run_well(&[])), [3, 0, 0]);
    assert_eq!(done(&lake.run_well(&[])), [0, 3, 0]);

    lake.put("in/1.csv", "id,note\n77,y\n");
    assert_eq!(done(&lake.run_well(&[])), [1, 2, 0], "a changed input");
    assert_eq!(lake.table("out/1.csv")["id"], [Some(token("d", "77"))]);

    fs::remove_file(lake.path("out/2.csv")).expect("removes");
    assert_eq!(done(&lake.run_well(&[])), [1, 2, 0], "a missing output");
    lake.put("out/2.csv", "tampered with\n");
    assert_eq!(done(&lake.run_well(&[])), [1, 2, 0], "an output of another size");
    assert_eq!(lake.table("out/2.csv")["id"], [Some(token("d", "2"))]);

    lake.put("in/3.csv", "id,note\n3,x\n");
    assert_eq!(done(&lake.run_well(&[])), [1, 3, 0], "a new input");

    lake.policy(&format!("# a comment\n{COLUMNS}"));
    assert_eq!(done(&lake.run_well(&["--threads", "1", "--memory", "64MiB"])), [0, 4, 0], "a comment changes nothing");
    lake.policy(&COLUMNS.replace("domain: d", "domain: e"));
    assert_eq!(done(&lake.run_well(&[])), [4, 0, 0], "another domain changes all");
    assert_eq!(done(&lake.run_well(&["--full"])), [4, 0, 0]);
}

#[test]
fn another_name_replaces_the_old_output() {
    let lake = lake_of(2);
    lake.run_well(&[]);
    lake.put(
        "policy.yaml",
        format!(
            "version: 1\ndataset: test\nsource: {{ url: in/ }}\nsink: {{ url: out/, format: parquet }}\n\
             keyring: {{ file: keyring.json }}\n{COLUMNS}"
        ),
    );
    lake.run_well(&[]);
    assert_eq!(lake.objects("out"), ["0.parquet", "1.parquet"]);
}

#[test]
fn pruning_removes_outputs_whose_input_is_gone_within_its_safeguards() {
    let lake = lake_of(5);
    lake.run_well(&[]);
    fs::remove_file(lake.path("in/4.csv")).expect("removes");
    assert_eq!(done(&lake.run_well(&[])), [0, 4, 0], "nothing is removed unasked");
    let plan = lake.lakeveil("plan", ["--prune"]).expect(0).stdout;
    assert!(plan.contains("prune 4.csv"), "{plan}");
    assert_eq!(lake.objects("out").len(), 5, "a plan removes nothing");
    assert_eq!(done(&lake.run_well(&["--prune"])), [0, 4, 1]);
    assert_eq!(lake.objects("out"), ["0.csv", "1.csv", "2.csv", "3.csv"]);
    assert_eq!(lake.files("out/_lakeveil/records").len(), 4);

    for object in 1..4 {
        fs::remove_file(lake.path(format!("in/{object}.csv"))).expect("removes");
    }
    let error = lake.run(&["--prune"]).expect(2).stderr;
    assert!(error.contains("more than half") && error.contains("--prune=force"), "{error}");
    assert_eq!(lake.objects("out").len(), 4, "a refusal removes nothing");
    assert_eq!(done(&lake.run_well(&["--prune=force"])), [0, 1, 3]);

    fs::remove_file(lake.path("in/0.csv")).expect("removes");
    let error = lake.run(&["--prune"]).expect(2).stderr;
    assert!(error.contains("no object"), "{error}");
    assert_eq!(lake.objects("out"), ["0.csv"]);
}

#[test]
fn pruning_leaves_the_outputs_of_other_sources_alone() {
    let lake = lake_of(3);
    for object in 0..3 {
        lake.put(&format!("other/o{object}.csv"), "id,note\n1,x\n");
    }
    lake.run_well(&[]);
    lake.run_well(&["--source", "other/"]);
    fs::remove_file(lake.path("in/2.csv")).expect("removes");
    assert_eq!(done(&lake.run_well(&["--source", "other/", "--prune"]))[2], 0);
    assert_eq!(done(&lake.run_well(&["--prune"]))[2], 1);
    assert_eq!(lake.objects("out"), ["0.csv", "1.csv", "o0.csv", "o1.csv", "o2.csv"]);
}

#[test]
fn one_night_does_not_take_the_place_of_another() {
    let lake = Lake::new();
    for day in [24, 25] {
        lake.put(&format!("in/date=2026-11-{day}/part-0.csv"), format!("id,note\n{day},x\n"));
    }
    lake.policy_between(
        "in/date=${DAY}/*.csv",
        "out/",
        "columns: { id: { pseudonym: { domain: d } }, note: keep, date: keep }\n",
    );
    for day in ["2026-11-24", "2026-11-25"] {
        assert_eq!(done(&lake.run_well(&["--set", &format!("DAY={day}")])), [1, 0, 0]);
    }
    assert_eq!(lake.objects("out"), ["date=2026-11-24/part-0.csv", "date=2026-11-25/part-0.csv"]);
    assert_eq!(done(&lake.run_well(&["--set", "DAY=2026-11-24"])), [0, 1, 0]);
}

#[test]
fn another_key_redoes_what_only_sql_makes_with_it() {
    let lake = Lake::new();
    lake.put("in/0.csv", "id\n1\n");
    lake.policy("columns: { id: drop, token: { derive: \"pseudonym(id, 'd')\" } }\n");
    let report = lake.run_well(&[]);
    assert_eq!((&report["keys"][0]["id"], &report["columns"][0]["key"]), (&"test".into(), &"test".into()));
    let mut add = lakeveil();
    add.current_dir(lake.path("")).args(["key", "new", "--id", "next", "--add-to", "keyring.json"]);
    assert!(add.status().expect("starts").success());
    let plan = lake.lakeveil("plan", [] as [&str; 0]).expect(0).stdout;
    assert!(plan.contains("the key changed"), "{plan}");
    assert_eq!(done(&lake.run_well(&[])), [1, 0, 0]);
    assert_ne!(lake.table("out/0.csv")["token"], [Some(token("d", "1"))]);
}

#[test]
fn records_may_lie_elsewhere_and_hold_key_and_fingerprint_but_no_secret() {
    let lake = lake_of(2);
    lake.put(
        "policy.yaml",
        format!(
            "version: 1\ndataset: test\nsource: {{ url: in/ }}\nsink: {{ url: out/, records: book/ }}\n\
             keyring: {{ file: keyring.json }}\n{COLUMNS}"
        ),
    );
    let report = lake.run_well(&[]);
    assert_eq!(lake.files("out"), ["0.csv", "1.csv"], "a bare folder for readers that take every file");
    let records = lake.files("book/_lakeveil/records");
    assert_eq!(records.len(), 2);
    let record = lake.json(&format!("book/_lakeveil/records/{}", records[0]));
    assert_eq!(record["keys"], report["keys"]);
    assert_eq!(record["keys"][0]["id"], "test");
    assert_eq!(done(&lake.run_well(&[])), [0, 2, 0]);
    let names = lake.files("book");
    assert!(!names.iter().any(|name| name.ends_with(".parquet") || name.ends_with(".csv")), "{names:?}");
    assert_eq!(names.iter().filter(|name| name.starts_with("_lakeveil/reports/")).count(), 2);
}

#[test]
fn no_secret_is_written_or_printed() {
    let lake = lake_of(2);
    let args = ["--openlineage", "events.jsonl", "--report", "report.json", "--report-html", "report.html"];
    let ran = lake.run(&args).expect(0);
    let plan = lake.lakeveil("plan", ["--format", "json"]).expect(0);
    let mut subkey = [0; 32];
    let info = [&9_u32.to_be_bytes()[..], b"pseudonym", &1_u32.to_be_bytes(), b"d", &0_u32.to_be_bytes()].concat();
    hkdf::Hkdf::<sha2::Sha256>::new(Some(b"lakeveil.v1"), SECRET.as_bytes()).expand(&info, &mut subkey).expect("32");
    let mut needles = vec![SECRET.to_owned()];
    for secret in [SECRET.as_bytes(), &subkey] {
        needles.push(data_encoding::HEXLOWER.encode(secret));
        needles.push(data_encoding::BASE64.encode(secret).trim_end_matches('=').to_owned());
        needles.push(data_encoding::BASE64URL_NOPAD.encode(secret));
    }
    for needle in needles {
        assert!(!ran.words().contains(&needle) && !plan.words().contains(&needle));
        let holding = lake.holding("", &needle);
        assert!(holding.iter().all(|path| path == "keyring.json"), "{holding:?}");
    }
}

#[test]
fn a_lease_keeps_a_second_run_out_until_it_is_broken() {
    let lake = lake_of(2);
    lake.run_well(&[]);
    let held = r#"{"version":1,"run_id":"another","holder":"lakeveil run","since":"2026-11-25T00:00:00.000Z","expires":"2999-01-01T00:00:00.000Z"}"#;
    let path = "out/_lakeveil/lease.json";
    lake.put(path, held);
    let error = lake.run(&["--full"]).expect(4).stderr;
    assert!(error.contains("another") && error.contains("--break-lease"), "{error}");
    assert_eq!(fs::read_to_string(lake.path(path)).expect("is there"), held, "the holder's lease is as it was");
    // a plan writes nothing, so it needs no lease
    lake.lakeveil("plan", [] as [&str; 0]).expect(0);
    assert_eq!(done(&lake.run_well(&["--full", "--break-lease"])), [2, 0, 0]);
    assert!(!lake.path(path).exists(), "released at the end");
    lake.put(path, held.replace("2999", "2020"));
    assert_eq!(done(&lake.run_well(&["--full"])), [2, 0, 0], "one that has run out is nobody's");
}

#[test]
fn openlineage_events_tell_start_and_end() {
    let lake = lake_of(1);
    lake.run_well(&["--openlineage", "events.jsonl", "--openlineage-namespace", "nightly"]);
    lake.put("in/0.csv", "id,note\n1\n");
    lake.run_to(1, &["--openlineage", "events.jsonl", "--openlineage-namespace", "nightly"]);
    let events = fs::read_to_string(lake.path("events.jsonl")).expect("is there");
    let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let types: Vec<_> = events.iter().map(|event| event["eventType"].as_str().expect("a type")).collect();
    assert_eq!(types, ["START", "COMPLETE", "START", "FAIL"]);
    assert!(events.iter().all(|event| event["job"]["namespace"] == "nightly"));
    lake.put("keyring.json", "short");
    lake.run(&["--openlineage", "events.jsonl"]).expect(3);
    let last = fs::read_to_string(lake.path("events.jsonl")).expect("is there");
    let last: Value = serde_json::from_str(last.lines().nth(4).expect("a fifth event")).expect("JSON");
    assert_eq!(last["eventType"], "FAIL", "a run that came to nothing is told too");
    assert!(events[3]["run"]["facets"]["errorMessage"]["message"].is_string(), "{:#}", events[3]);
}

#[test]
fn words_go_where_they_were_sent() {
    let lake = lake_of(1);
    let quiet = lake.run(&["--quiet"]).expect(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let json = lake.run(&["--format", "json", "--full"]).expect(0);
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).expect("only JSON")["status"], "complete");
    lake.put("in/0.csv", "id,note\n1\n");
    let failed = lake.run(&["--quiet", "--log-format", "json"]).expect(1);
    assert_eq!(failed.stdout, "");
    for line in failed.stderr.lines() {
        let line: Value = serde_json::from_str(line).expect("every line is JSON");
        assert_eq!(line["level"], "ERROR");
        assert!(line["fields"]["message"].as_str().is_some_and(|message| message.contains("0.csv")), "{line}");
    }
    assert!(!failed.stderr.is_empty());
    let unwritable = lake.run(&["--report", "no/such/folder/report.json", "--full"]).expect(2).stderr;
    assert!(unwritable.contains("no/such/folder/report.json"), "before anything is done: {unwritable}");
    let mut wrong = lakeveil();
    assert_eq!(wrong.arg("no-such-command").output().expect("starts").status.code(), Some(2));
}
