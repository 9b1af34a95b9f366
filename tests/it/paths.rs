//! Paths are data: an identifier in a partition or a file name is shown nowhere once the policy hides it.

use std::fs;

use crate::support::{Lake, files, root, token};

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

/// Nothing that was written or printed holds an identifier of a path.
#[track_caller]
fn shows_no_id(lake: &Lake, words: &str) {
    for id in IDS {
        assert!(!words.contains(id), "{id} is printed: {words}");
        assert_eq!(lake.holding("out/_lakeveil", id), Vec::<String>::new());
        assert!(!lake.files("out").iter().any(|path| path.contains(id)), "{id} is in a path");
        for file in ["report.json", "report.html", "events.jsonl"] {
            let text = fs::read_to_string(lake.path(file)).expect("was written");
            assert!(!text.contains(id), "{id} is in {file}");
        }
    }
}

#[test]
fn a_transformed_partition_is_transformed_in_the_path_and_named_nowhere_else() {
    let lake = lake();
    lake.policy("unlisted: keep\ncolumns: { customer_id: { pseudonym: { domain: customers } } }\n");
    let ran = lake.run(&ALL_OUTPUTS).expect(0);
    let mut expected: Vec<String> = ["10001", "10002", "guest/7"]
        .map(|id| format!("customer_id={}/part-0.parquet", token("customers", id)))
        .to_vec();
    expected.push("customer_id=__HIVE_DEFAULT_PARTITION__/part-0.parquet".to_owned());
    expected.sort_unstable();
    assert_eq!(lake.objects("out"), expected);
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
