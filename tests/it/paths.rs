//! Paths are data: an identifier in a partition or a file name is shown nowhere once the policy hides it.

use std::fs;

use crate::support::{Lake, Ran, files, lakeveil, root, token};

/// What the paths of testdata/lake/visits hold, decoded and as written.
const IDS: [&str; 4] = ["10001", "10002", "guest/7", "guest%2F7"];

fn lake() -> Lake {
    let lake = Lake::new();
    let visits = root().join("testdata/lake/visits");
    for path in files(&visits) {
        lake.put(&format!("in/{path}"), fs::read(visits.join(&path)).expect("reads"));
    }
    lake
}

const ALL_OUTPUTS: [&str; 5] =
    ["--report=report.json", "--report-html=report.html", "--openlineage=events.jsonl", "--format=text", "--full"];

/// Whether `id` stands in `text`; within a long hexadecimal word (a digest, a run's id) it is chance.
fn shows(text: &str, id: &str) -> bool {
    let hex = |c: &char| c.is_ascii_hexdigit();
    text.match_indices(id).any(|(at, _)| {
        let before = text[..at].chars().rev().take_while(hex).count();
        let after = text[at + id.len()..].chars().take_while(hex).count();
        before + after == 0 || before + id.len() + after < 8
    })
}

/// Nothing that was written or printed holds an identifier of a path.
#[track_caller]
fn shows_no_id(lake: &Lake, words: &str) {
    let written = ["report.json", "report.html", "events.jsonl"].map(str::to_owned);
    let ours = lake.files("out").into_iter().filter(|path| path.starts_with("_lakeveil/"));
    let ours =
        ours.map(|path| format!("out/{path}")).chain(lake.files("book").into_iter().map(|p| format!("book/{p}")));
    for id in IDS {
        assert!(!shows(words, id), "{id} is printed: {words}");
        for path in lake.files("out").iter().chain(&lake.files("book")) {
            assert!(!shows(path, id), "{id} is in the path {path}");
        }
    }
    for path in written.into_iter().chain(ours) {
        let text = fs::read(lake.path(&path)).expect("was written");
        let text = String::from_utf8_lossy(&text);
        for id in IDS {
            assert!(!shows(&text, id), "{id} is in {path}");
        }
    }
}

const HIDDEN: &str = "unlisted: keep\ncolumns: { customer_id: { pseudonym: { domain: customers } } }\n";

/// The paths that [`HIDDEN`] gives the outputs, in order.
fn hidden_outputs() -> Vec<String> {
    let ids = ["10001", "10002", "guest/7"].map(|id| token("customers", id));
    let all = ids.into_iter().chain(["__HIVE_DEFAULT_PARTITION__".to_owned()]);
    let mut all: Vec<String> = all.map(|value| format!("customer_id={value}/part-0.parquet")).collect();
    all.sort_unstable();
    all
}

fn policy_with(sink: &str, rest: &str) -> String {
    format!(
        "version: 1\ndataset: test\nsource: {{ url: in/ }}\nsink: {{ url: out/{sink} }}\n\
         keyring: {{ file: keyring.json }}\n{rest}"
    )
}

#[test]
fn a_transformed_partition_is_transformed_in_the_path_and_named_nowhere_else() {
    let lake = lake();
    lake.policy("unlisted: keep\ncolumns: { customer_id: { pseudonym: { domain: customers } } }\n");
    let ran = lake.run(&ALL_OUTPUTS).expect(0);
    assert_eq!(lake.objects("out"), hidden_outputs());
    shows_no_id(&lake, &ran.words());
    let report = lake.run_well(&[]);
    assert_eq!(report["status"], "nothing-to-do", "records find their inputs by the keyed hash: {report:#}");
    let plan = lake.lakeveil("plan", ["--full"]).expect(0);
    for id in IDS {
        assert!(!plan.words().contains(id), "{}", plan.words());
    }
}

#[test]
fn an_object_that_fails_in_a_hidden_partition_is_named_by_its_output() {
    let lake = lake();
    lake.put("in/customer_id=10001/part-0.parquet", "no Parquet at all");
    lake.policy("unlisted: keep\ncolumns: { customer_id: { pseudonym: { domain: customers } } }\n");
    let ran = lake.run(&ALL_OUTPUTS).expect(1);
    shows_no_id(&lake, &ran.words());
    assert!(ran.stdout.contains(&token("customers", "10001")), "{}", ran.stdout);
    assert_eq!(lake.objects("out").len(), 3);
}

#[test]
fn a_lone_newcomer_that_cannot_be_read_shows_no_partition() {
    let lake = lake();
    lake.policy("unlisted: keep\ncolumns: { customer_id: { pseudonym: { domain: customers } } }\n");
    lake.run_well(&[]);
    // nothing else is to be done, so that this object's plan is the only one there could be
    lake.put("in/customer_id=10002/new.parquet", "no Parquet at all");
    let mut args = ALL_OUTPUTS.to_vec();
    args.pop();
    let ran = lake.run(&args).expect(1);
    shows_no_id(&lake, &ran.words());
    assert!(ran.stdout.contains(&token("customers", "10002")), "{}", ran.stdout);
}

#[test]
fn a_new_key_and_a_stricter_rule_leave_no_older_output_behind() {
    let hide = "unlisted: keep\ncolumns: { customer_id: { pseudonym: { domain: customers } } }\n";
    let lake = lake();
    lake.policy("unlisted: keep\ncolumns: { customer_id: keep }\n");
    lake.run_well(&[]);
    assert!(lake.objects("out").iter().any(|path| path.contains("10001")), "the paths are open at first");
    // reports of the time when the policy kept the paths tell them, as they should
    fs::remove_dir_all(lake.path("out/_lakeveil/reports")).expect("removes");
    lake.policy(hide);
    let ran = lake.run(&ALL_OUTPUTS[..3]).expect(0);
    shows_no_id(&lake, &ran.words());
    assert_eq!(lake.objects("out").len(), 4);
    assert_eq!(lake.files("out/_lakeveil/records").len(), 4, "the open records are gone too");

    let before = lake.objects("out");
    let mut add = crate::support::lakeveil();
    add.current_dir(lake.path("")).args(["key", "new", "--id", "next", "--add-to", "keyring.json"]);
    assert!(add.output().expect("starts").status.success());
    lake.run_well(&[]);
    let after = lake.objects("out");
    assert_eq!(after.len(), 4, "{after:?}");
    assert_eq!(after.iter().filter(|path| before.contains(path)).count(), 1, "the null partition alone stays");
    assert_eq!(lake.files("out/_lakeveil/records").len(), 4);

    // what the old key named is found by the new one's run, and can be erased
    fs::remove_file(lake.path("in/customer_id=10001/part-0.parquet")).expect("removes");
    assert_eq!(lake.run_well(&["--prune"])["totals"]["objects_pruned"], 1);
    assert_eq!(lake.objects("out").len(), 3);
}

#[test]
fn folders_that_are_left_empty_go_with_their_names() {
    let lake = lake();
    lake.policy("unlisted: keep\ncolumns: { customer_id: keep }\n");
    lake.run_well(&[]);
    lake.policy("unlisted: keep\ncolumns: { customer_id: { pseudonym: { domain: customers } } }\n");
    lake.run_well(&[]);
    let folders: Vec<String> = fs::read_dir(lake.path("out"))
        .expect("lists")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!folders.iter().any(|name| name.contains("10001") || name.contains("guest")), "{folders:?}");
}

#[test]
fn records_under_a_key_that_is_gone_are_warned_about() {
    let lake = lake();
    lake.policy("unlisted: keep\ncolumns: { customer_id: { pseudonym: { domain: customers } } }\n");
    lake.run_well(&[]);
    lake.put("keyring.json", "another secret, long enough for a key");
    let report = lake.run_well(&[]);
    let warned = report["warnings"].as_array().expect("warnings").iter().find(|w| w["code"] == "records-of-a-lost-key");
    assert!(warned.is_some_and(|warning| warning["message"].to_string().contains("4 records")), "{report:#}");
}

#[test]
fn a_collision_in_a_hidden_partition_shows_no_partition() {
    let lake = Lake::new();
    for name in ["a.csv", "a.tsv"] {
        lake.put(&format!("in/customer_id=10001/{name}"), "x\n1\n");
    }
    lake.policy("unlisted: keep\ncolumns: { customer_id: { pseudonym: { domain: customers } } }\n");
    let ran = lake.run(&[]).expect(2);
    assert!(ran.stderr.contains(&token("customers", "10001")), "{}", ran.stderr);
    assert!(!ran.words().contains("10001"), "{}", ran.words());
}

#[test]
fn hashed_names_show_nothing_of_the_file_names() {
    let lake = Lake::new();
    lake.put("in/lovelace/augusta.csv", "id\n1\n");
    lake.put("in/day=1/kovalevskaya.csv", "id\n2\n");
    lake.put(
        "policy.yaml",
        "version: 1\ndataset: test\nsource: { url: in/ }\nsink: { url: out/, names: hash }\n\
         keyring: { file: keyring.json }\ncolumns: { id: { pseudonym: { domain: d } }, day: { keep: {}, optional: true } }\n",
    );
    let ran = lake.run(&ALL_OUTPUTS).expect(0);
    let outputs = lake.objects("out");
    assert_eq!(outputs.len(), 2);
    assert!(outputs.iter().any(|path| path.starts_with("day=1/") && path.len() == "day=1/".len() + 32 + 4));
    for name in ["lovelace", "augusta", "kovalevskaya"] {
        assert!(!ran.words().contains(name), "{}", ran.words());
        assert_eq!(lake.holding("out", name), Vec::<String>::new());
    }
    assert_eq!(lake.run_well(&[])["status"], "nothing-to-do");
}

#[test]
fn many_to_one_partitions_stop_the_run_unless_names_are_hashed() {
    let lake = lake();
    lake.policy("unlisted: keep\ncolumns: { customer_id: { redact: x } }\n");
    let ran = lake.run(&[]).expect(2);
    assert!(ran.stderr.contains("names: hash"), "{}", ran.stderr);
    for id in IDS {
        assert!(!ran.words().contains(id), "{}", ran.words());
    }
    assert_eq!(lake.objects("out"), Vec::<String>::new());
    lake.put(
        "policy.yaml",
        "version: 1\ndataset: test\nsource: { url: in/ }\nsink: { url: out/, names: hash }\n\
         keyring: { file: keyring.json }\nunlisted: keep\ncolumns: { customer_id: { redact: x } }\n",
    );
    lake.run_well(&[]);
    assert_eq!(lake.objects("out").len(), 4);
}

#[test]
fn no_log_format_nor_level_shows_a_hidden_path() {
    let lake = lake();
    // objects done, an object that fails, and one that is passed over
    lake.put("in/customer_id=10002/part-0.parquet", "no Parquet at all");
    lake.put("in/customer_id=10001/_SUCCESS", "");
    lake.policy(HIDDEN);
    for args in [["--log-format", "json"], ["--quiet", "--full"], ["--format", "json"]] {
        let mut command = lakeveil();
        command.current_dir(lake.path("")).env("LAKEVEIL_LOG", "trace").args(["run", "policy.yaml"]).args(args);
        let ran = Ran::of(command.args(&ALL_OUTPUTS[..3]).output().expect("starts")).expect(1);
        shows_no_id(&lake, &ran.words());
        assert!(ran.words().contains(&token("customers", "10002")), "{args:?}: {}", ran.words());
    }
}

#[test]
fn records_elsewhere_show_no_hidden_path_either() {
    let lake = lake();
    lake.put("policy.yaml", policy_with(", records: book/", HIDDEN));
    let ran = lake.run(&ALL_OUTPUTS).expect(0);
    shows_no_id(&lake, &ran.words());
    assert_eq!(lake.files("out"), hidden_outputs(), "the sink holds outputs and nothing else");
    assert_eq!(lake.files("book/_lakeveil/records").len(), 4);
    assert_eq!(lake.run_well(&[])["status"], "nothing-to-do");
}

#[test]
fn pruning_finds_hidden_inputs_that_are_gone() {
    let lake = lake();
    lake.policy(HIDDEN);
    lake.run_well(&[]);
    fs::remove_file(lake.path("in/customer_id=10002/part-0.parquet")).expect("removes");
    let gone = format!("customer_id={}/part-0.parquet", token("customers", "10002"));
    let plan = lake.lakeveil("plan", ["--prune"]).expect(0);
    assert!(plan.stdout.contains(&format!("prune {gone}")), "{}", plan.stdout);
    let mut args = ALL_OUTPUTS.to_vec();
    args.pop();
    let ran = lake.run(&[&args[..], &["--prune"]].concat()).expect(0);
    for words in [plan.words(), ran.words()] {
        shows_no_id(&lake, &words);
    }
    let mut left = hidden_outputs();
    left.retain(|path| *path != gone);
    assert_eq!(lake.objects("out"), left);
    assert_eq!(lake.files("out/_lakeveil/records").len(), 3);
}

#[test]
fn what_was_written_before_a_partition_was_hidden_goes() {
    let lake = lake();
    lake.policy("unlisted: keep\ncolumns: {}\n");
    lake.run_well(&[]);
    assert!(lake.objects("out").iter().any(|path| path.contains("10001")), "the path holds it as long as it is kept");
    // reports of that time tell what was true then; outputs and records are what a sink holds now
    fs::remove_dir_all(lake.path("out/_lakeveil/reports")).expect("removes");
    lake.policy(HIDDEN);
    let mut args = ALL_OUTPUTS.to_vec();
    args.pop();
    let ran = lake.run(&args).expect(0);
    assert_eq!(lake.objects("out"), hidden_outputs(), "rows stand once, under their tokens");
    shows_no_id(&lake, &ran.words());
    assert_eq!(lake.files("out/_lakeveil/records").len(), 4);
}

#[test]
fn what_was_written_before_names_were_hashed_goes() {
    let lake = Lake::new();
    for name in ["augusta", "kovalevskaya"] {
        lake.put(&format!("in/{name}.csv"), "id\n1\n");
    }
    let columns = "columns: { id: { pseudonym: { domain: d } } }\n";
    lake.put("policy.yaml", policy_with("", columns));
    lake.run_well(&[]);
    fs::remove_dir_all(lake.path("out/_lakeveil/reports")).expect("removes");
    lake.put("policy.yaml", policy_with(", names: hash", columns));
    lake.run_well(&[]);
    for name in ["augusta", "kovalevskaya"] {
        assert_eq!(lake.holding("out", name), Vec::<String>::new());
    }
    assert_eq!(lake.objects("out").len(), 2);
}

#[test]
fn what_was_written_with_an_earlier_key_goes() {
    let lake = lake();
    lake.policy(HIDDEN);
    lake.run_well(&[]);
    let mut add = lakeveil();
    add.current_dir(lake.path("")).args(["key", "new", "--id", "next", "--add-to", "keyring.json"]);
    assert!(add.output().expect("starts").status.success());
    let report = lake.run_well(&[]);
    assert_eq!(report["totals"]["objects_written"], 4, "the retired key, still in the keyring, finds the old records");
    let outputs = lake.objects("out");
    assert_eq!(outputs.len(), 4, "rows stand once: {outputs:?}");
    assert_eq!(outputs.iter().filter(|path| hidden_outputs().contains(path)).count(), 1, "the null partition");
}

#[test]
fn a_glob_that_names_a_hidden_partition_is_not_shown() {
    let lake = lake();
    lake.policy(HIDDEN);
    let mut args = ALL_OUTPUTS.to_vec();
    args.push("--source=in/customer_id=10001/*.parquet");
    let ran = lake.run(&args).expect(0);
    assert_eq!(lake.objects("out"), [format!("customer_id={}/part-0.parquet", token("customers", "10001"))]);
    shows_no_id(&lake, &ran.words());
}

#[test]
fn a_glob_that_finds_nothing_shows_no_hidden_partition() {
    let lake = lake();
    lake.policy(HIDDEN);
    let ran = lake.run(&["--source=in/customer_id=70007/*.parquet"]).expect(2);
    assert!(ran.stderr.contains("no object") && !shows(&ran.words(), "70007"), "{}", ran.stderr);
}
