//! Whole or nothing, done once: records, redoing, pruning, leases.

use std::fs;

use serde_json::Value;

use crate::support::{Lake, Ran, SECRET, lakeveil, token};

const COLUMNS: &str = "columns: { id: { pseudonym: { domain: d } }, note: keep }\n";

fn lake_of(objects: usize) -> Lake {
    let lake = Lake::new();
    for object in 0..objects {
        lake.put(&format!("in/{object}.csv"), format!("id,note\n{object},x\n"));
    }
    lake.policy(COLUMNS);
    lake
}

/// The policy of [`lake_of`] with more said of its sink.
fn policy_with(sink: &str) -> String {
    format!(
        "version: 1\ndataset: test\nsource: {{ url: in/ }}\nsink: {{ url: out/{sink} }}\n\
         keyring: {{ file: keyring.json }}\n{COLUMNS}"
    )
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
    // what tools leave in stores in place of folders
    for marker in ["in/day_$folder$", "in/folder"] {
        lake.put(marker, "");
    }
    let report = lake.run_well(&[]);
    assert_eq!((done(&report), &report["totals"]["skipped_by_rule"]), ([2, 0, 0], &6.into()));
    assert_eq!(lake.objects("out"), ["0.csv", "1.csv"]);
}

#[test]
fn a_table_anywhere_in_the_source_stops_the_run_unless_the_glob_leaves_it_out() {
    for marker in ["_delta_log/0.json", "metadata/v1.metadata.json", ".hoodie/hoodie.properties"] {
        let lake = lake_of(1);
        lake.put("in/sub/table/part-0.csv", "id,note\n1,x\n");
        lake.put(&format!("in/sub/table/{marker}"), "{}");
        let error = lake.run(&[]).expect(2).stderr;
        assert!(error.contains("sub/table") && error.contains("export"), "{marker}: {error}");
        assert_eq!(lake.objects("out"), Vec::<String>::new());
        let report = lake.run_well(&["--source", "in/*.csv"]);
        assert_eq!(done(&report), [1, 0, 0], "{marker}: files beside the table are nobody's");
    }
    // the name alone makes no table
    let lake = lake_of(1);
    lake.put("in/metadata/t.csv", "id,note\n1,x\n");
    assert_eq!(done(&lake.run_well(&[])), [2, 0, 0]);
}

#[test]
fn two_inputs_with_one_output_name_stop_the_run_both_named() {
    let lake = lake_of(2);
    lake.put("in/sub/a.csv", "id,note\n1,x\n");
    let gzip = flate2::read::GzEncoder::new("id,note\n2,x\n".as_bytes(), flate2::Compression::fast());
    lake.put("in/sub/a.csv.gz", std::io::Read::bytes(gzip).collect::<Result<Vec<u8>, _>>().expect("in memory"));
    let error = lake.run(&[]).expect(2).stderr;
    for word in ["sub/a.csv ", "sub/a.csv.gz", "names: hash"] {
        assert!(error.contains(word), "`{word}` is missing in: {error}");
    }
    assert_eq!(lake.objects("out"), Vec::<String>::new(), "the others wait too: the job is not what was meant");
    lake.put("policy.yaml", policy_with(", names: hash"));
    assert_eq!(done(&lake.run_well(&[])), [4, 0, 0]);
    assert_eq!(lake.objects("out").len(), 4);
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
    let whole = fs::read(lake.path("out/2.csv")).expect("reads");
    lake.put("out/2.csv", vec![b'x'; whole.len()]);
    assert_eq!(done(&lake.run_well(&[])), [1, 2, 0], "an output of the same size that somebody else wrote");
    assert!(fs::read(lake.path("out/2.csv")).expect("reads") == whole);
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
    lake.put("policy.yaml", policy_with(", format: parquet"));
    assert_eq!(done(&lake.run_well(&[])), [2, 0, 0]);
    assert_eq!(lake.objects("out"), ["0.parquet", "1.parquet"]);
    // one that cannot be redone keeps what it had: nothing is removed before there is something in its place
    lake.put("policy.yaml", policy_with(""));
    lake.put("in/1.csv", "id,note\n1\n");
    lake.run_to(1, &[]);
    assert_eq!(lake.objects("out"), ["0.csv", "1.parquet"]);
    lake.put("in/1.csv", "id,note\n1,x\n");
    lake.run_well(&[]);
    assert_eq!(lake.objects("out"), ["0.csv", "1.csv"]);
    assert_eq!(lake.files("out/_lakeveil/records").len(), 2);
}

#[test]
fn an_old_output_that_cannot_be_removed_is_removed_by_the_next_run() {
    let lake = lake_of(2);
    lake.run_well(&[]);
    let old = fs::read(lake.path("out/0.csv")).expect("reads");
    fs::remove_file(lake.path("out/0.csv")).expect("removes");
    // a folder is no file that could be removed, whoever asks
    lake.put("out/0.csv/x", "");
    lake.put("policy.yaml", policy_with(", format: parquet"));
    lake.run_to(1, &[]);
    assert!(lake.path("out/0.parquet").exists(), "the new one stands before the old one goes");
    fs::remove_dir_all(lake.path("out/0.csv")).expect("removes");
    lake.put("out/0.csv", old);
    lake.run_well(&[]);
    assert_eq!(lake.objects("out"), ["0.parquet", "1.parquet"]);
}

#[test]
fn a_nothing_to_do_run_touches_no_output_and_says_so() {
    let lake = lake_of(3);
    lake.run_well(&[]);
    let times = || {
        let time =
            |path: String| fs::metadata(lake.path("out").join(&path)).expect("is there").modified().expect("a time");
        let mut kept = lake.files("out");
        kept.retain(|path| !path.starts_with("_lakeveil/reports/"));
        kept.into_iter().map(|path| (path.clone(), time(path))).collect::<Vec<_>>()
    };
    let before = times();
    let ran = lake.run(&[]).expect(0);
    assert!(ran.stdout.contains("nothing to do"), "{}", ran.stdout);
    assert_eq!(times(), before, "outputs and records are as they were");
}

#[test]
fn a_record_that_cannot_be_read_stops_the_run_and_is_named() {
    let lake = lake_of(2);
    lake.run_well(&[]);
    let before = lake.objects("out");
    lake.put("out/_lakeveil/records/damaged.json", "{\"version\":1,");
    let error = lake.run(&["--full"]).expect(4).stderr;
    assert!(error.contains("damaged.json") && error.contains("delete it"), "{error}");
    assert_eq!(lake.objects("out"), before);
    assert!(!lake.path("out/_lakeveil/lease.json").exists(), "a run that is refused gives the lease back");
    fs::remove_file(lake.path("out/_lakeveil/records/damaged.json")).expect("removes");
    lake.run_well(&[]);
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
fn a_plan_lists_what_a_refused_pruning_would_remove() {
    let lake = lake_of(3);
    lake.run_well(&[]);
    for object in [1, 2] {
        fs::remove_file(lake.path(format!("in/{object}.csv"))).expect("removes");
    }
    // the refusal tells people to look there
    let refused = lake.run(&["--prune"]).expect(2).stderr;
    assert!(refused.contains("plan --prune"), "{refused}");
    let plan = lake.lakeveil("plan", ["--prune"]);
    for output in ["prune 1.csv", "prune 2.csv"] {
        assert!(plan.stdout.contains(output), "{output} is missing in: {}", plan.words());
    }
    let forced = lake.lakeveil("plan", ["--prune=force", "--format", "json"]).expect(0).stdout;
    let forced: Value = serde_json::from_str(&forced).expect("JSON");
    assert_eq!(forced["prune"], serde_json::json!(["1.csv", "2.csv"]));
    assert_eq!(lake.objects("out").len(), 3);
}

#[test]
fn pruning_looks_at_the_same_glob_only() {
    let lake = lake_of(0);
    for name in ["a0", "a1", "a2", "b0", "b1", "b2"] {
        lake.put(&format!("in/{name}.csv"), "id,note\n1,x\n");
    }
    for glob in ["in/a*.csv", "in/b*.csv"] {
        assert_eq!(done(&lake.run_well(&["--source", glob])), [3, 0, 0]);
    }
    fs::remove_file(lake.path("in/a2.csv")).expect("removes");
    assert_eq!(done(&lake.run_well(&["--source", "in/b*.csv", "--prune"])), [0, 3, 0]);
    assert!(lake.path("out/a2.csv").exists(), "the other glob lists no a2, and that says nothing");
    assert_eq!(done(&lake.run_well(&["--source", "in/a*.csv", "--prune"])), [0, 2, 1]);
    assert_eq!(lake.objects("out"), ["a0.csv", "a1.csv", "b0.csv", "b1.csv", "b2.csv"]);
}

#[test]
fn datasets_share_a_sink_but_no_output() {
    let lake = lake_of(3);
    lake.run_well(&[]);
    let policy = fs::read_to_string(lake.path("policy.yaml")).expect("reads");
    lake.put("two.yaml", policy.replace("dataset: test", "dataset: two").replace("in/", "other/"));
    let two = |args: &[&str]| {
        let mut command = lakeveil();
        Ran::of(command.current_dir(lake.path("")).args(["run", "two.yaml"]).args(args).output().expect("starts"))
    };
    for object in ["2", "x"] {
        lake.put(&format!("other/{object}.csv"), "id,note\n9,other\n");
    }
    let error = two(&[]).expect(2).stderr;
    assert!(error.contains("2.csv") && error.contains("`test`"), "{error}");
    assert_eq!(lake.objects("out"), ["0.csv", "1.csv", "2.csv"]);
    assert_eq!(lake.table("out/2.csv")["note"], [Some("x".to_owned())], "it is still the first one's");

    fs::rename(lake.path("other/2.csv"), lake.path("other/y.csv")).expect("renames");
    two(&[]).expect(0);
    // each prunes its own, and does not count the other's as gone
    fs::remove_file(lake.path("in/2.csv")).expect("removes");
    fs::remove_file(lake.path("other/y.csv")).expect("removes");
    assert_eq!(done(&lake.run_well(&["--prune"])), [0, 2, 1]);
    assert_eq!(lake.objects("out"), ["0.csv", "1.csv", "x.csv", "y.csv"]);
    two(&["--prune"]).expect(0);
    assert_eq!(lake.objects("out"), ["0.csv", "1.csv", "x.csv"]);
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
    assert!(add.output().expect("starts").status.success());
    let plan = lake.lakeveil("plan", [] as [&str; 0]).expect(0).stdout;
    assert!(plan.contains("the key changed"), "{plan}");
    assert_eq!(done(&lake.run_well(&[])), [1, 0, 0]);
    assert_ne!(lake.table("out/0.csv")["token"], [Some(token("d", "1"))]);
}

#[test]
fn a_run_that_was_killed_before_it_removed_an_older_output_is_finished_by_the_next() {
    let lake = lake_of(1);
    lake.run_well(&[]);
    lake.put("out/old/0.csv", "an older output\n");
    let record = format!("out/_lakeveil/records/{}", lake.files("out/_lakeveil/records")[0]);
    let mut json = lake.json(&record);
    json["superseded"] = serde_json::json!(["old/0.csv"]);
    lake.put(&record, json.to_string());
    assert_eq!(done(&lake.run_well(&[])), [0, 1, 0]);
    assert_eq!(lake.objects("out"), ["0.csv"]);
    assert!(lake.json(&record).get("superseded").is_none());
}

#[test]
fn fail_an_output_name_that_another_dataset_has() {
    let lake = lake_of(2);
    lake.run_well(&[]);
    let other = fs::read_to_string(lake.path("policy.yaml")).expect("reads").replace("dataset: test", "dataset: other");
    lake.put("policy.yaml", &other);
    let error = lake.run(&[]).expect(2).stderr;
    assert!(error.contains("`test`") && error.contains("0.csv"), "{error}");
    // and names that differ live side by side
    lake.put("more/9.csv", "id,note\n9,x\n");
    assert_eq!(done(&lake.run_well(&["--source", "more/"])), [1, 0, 0]);
    fs::remove_file(lake.path("more/9.csv")).expect("removes");
    assert_eq!(done(&lake.run_well(&["--source", "more/", "--prune=force"])), [0, 0, 1]);
    assert_eq!(lake.objects("out"), ["0.csv", "1.csv"]);
}

#[test]
fn records_may_lie_elsewhere_and_hold_key_and_fingerprint_but_no_secret() {
    let lake = lake_of(2);
    lake.put("policy.yaml", policy_with(", records: book/"));
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
fn the_report_lies_in_the_sink_as_it_was_printed_and_saved() {
    let lake = lake_of(2);
    let ran = lake.run(&["--format", "json", "--report", "report.json"]).expect(0);
    let reports = lake.files("out/_lakeveil/reports");
    assert_eq!(reports.len(), 1);
    let in_sink = fs::read_to_string(lake.path("out/_lakeveil/reports").join(&reports[0])).expect("reads");
    assert_eq!(in_sink, ran.stdout);
    assert_eq!(in_sink, fs::read_to_string(lake.path("report.json")).expect("reads"));
    let run_id = lake.json("report.json")["run_id"].as_str().expect("an id").to_owned();
    assert_eq!(reports[0], format!("{run_id}.json"));
    // readers that take every file of a kind must not meet ours
    lake.run_well(&["--full"]);
    let ours = lake.files("out/_lakeveil");
    assert!(ours.iter().all(|name| name.ends_with(".json")), "{ours:?}");
    assert_eq!(lake.files("out/_lakeveil/reports").len(), 2);
}

#[test]
fn no_secret_is_written_or_printed() {
    let lake = lake_of(2);
    lake.put("policy.yaml", policy_with(", names: hash"));
    let args = ["--openlineage", "events.jsonl", "--report", "report.json", "--report-html", "report.html"];
    let mut command = lakeveil();
    // the log that tells most
    command.current_dir(lake.path("")).env("LAKEVEIL_LOG", "trace").args(["run", "policy.yaml"]).args(args);
    let ran = Ran::of(command.output().expect("starts")).expect(0);
    let plan = lake.lakeveil("plan", ["--format", "json"]).expect(0);
    let subkey = |purpose: &str, domain: &str| {
        let part = |text: &str| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
        let info = [part(purpose), part(domain), part("")].concat();
        let mut subkey = [0; 32];
        let extracted = hkdf::Hkdf::<sha2::Sha256>::new(Some(b"lakeveil.v1"), SECRET.as_bytes());
        extracted.expand(&info, &mut subkey).expect("32 bytes");
        subkey
    };
    let mut needles = vec![SECRET.to_owned()];
    for secret in [SECRET.as_bytes(), &subkey("pseudonym", "d"), &subkey("path", "test")] {
        needles.push(data_encoding::HEXLOWER.encode(secret));
        needles.push(data_encoding::HEXUPPER.encode(secret));
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

/// The events of a run's file, in order: type, then how many files the output has.
fn events(lake: &Lake) -> Vec<(String, Value)> {
    let lines = fs::read_to_string(lake.path("events.jsonl")).unwrap_or_default();
    let event = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    lines.lines().map(event).map(|event| (event["eventType"].as_str().expect("a type").to_owned(), event)).collect()
}

#[test]
fn one_bad_object_of_many_fails_the_event_and_is_done_alone_when_mended() {
    let lake = lake_of(3);
    lake.put("in/1.csv", "id,note\nCANARY-7f3a\n");
    let args = ["--openlineage", "events.jsonl"];
    let report = lake.run_to(1, &args);
    assert_eq!((&report["status"], done(&report)), (&"partial".into(), [2, 0, 0]));
    assert_eq!(report["totals"]["objects_failed"], 1);
    assert_eq!(lake.objects("out"), ["0.csv", "2.csv"]);
    lake.put("in/1.csv", "id,note\n8,y\n");
    let report = lake.run_well(&args);
    assert_eq!((&report["status"], done(&report)), (&"complete".into(), [1, 2, 0]));
    assert_eq!(lake.table("out/1.csv")["id"], [Some(token("d", "8"))]);

    let events = events(&lake);
    let types: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(types, ["START", "FAIL", "START", "COMPLETE"]);
    let files = |at: usize| &events[at].1["outputs"][0]["outputFacets"]["outputStatistics"]["fileCount"];
    assert_eq!((files(1), files(3)), (&2.into(), &1.into()));
    let message = &events[1].1["run"]["facets"]["errorMessage"]["message"];
    assert!(message.as_str().is_some_and(|message| !message.contains("CANARY")), "{message}");
    assert_eq!(events[0].1["run"]["runId"], events[1].1["run"]["runId"]);
}

#[test]
fn a_refused_pruning_is_told_as_a_failed_run() {
    let lake = lake_of(3);
    lake.run_well(&[]);
    for object in [1, 2] {
        fs::remove_file(lake.path(format!("in/{object}.csv"))).expect("removes");
    }
    lake.run(&["--prune", "--openlineage", "events.jsonl"]).expect(2);
    let last = events(&lake).pop().expect("a run that came to nothing is told too");
    assert_eq!(last.0, "FAIL");
    assert!(!lake.path("out/_lakeveil/lease.json").exists());
}

#[test]
fn a_log_gets_plain_lines() {
    let lake = lake_of(2);
    lake.put("in/1.csv", "id,note\n1\n");
    let plain = lake.run(&["--full"]).expect(1);
    assert!(plain.stderr.contains("failed: 1.csv"), "{}", plain.stderr);
    for shown in [&plain.stdout, &plain.stderr] {
        assert!(!shown.contains(['\r', '\u{1b}']), "no bars and no colours where nobody looks: {shown:?}");
    }
    let json = lake.run(&["--full", "--log-format", "json"]).expect(1);
    assert!(json.stdout.contains("1.csv"), "the report is no log: {}", json.stdout);
    assert!(!json.stderr.is_empty());
    for line in json.stderr.lines() {
        let line: Value = serde_json::from_str(line).expect("every line is JSON");
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    // what stops a whole run has the same shape
    lake.policy("columns: { nothing: keep }\n");
    let stopped = lake.run(&["--log-format", "json"]).expect(2);
    for line in stopped.stderr.lines() {
        serde_json::from_str::<Value>(line).expect("every line is JSON");
    }
    assert!(stopped.stderr.contains("nothing"), "{}", stopped.stderr);
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
