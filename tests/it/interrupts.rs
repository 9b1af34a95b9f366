//! A run can be stopped or killed anywhere and started again.
#![cfg(unix)]

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Lake, Ran, lakeveil};

const OBJECTS: usize = 24;
const ROWS: usize = 30_000;

fn lake() -> Lake {
    let lake = Lake::new();
    for object in 0..OBJECTS {
        let rows: String = (0..ROWS).map(|row| format!("{object}-{row},some words of row {row}\n")).collect();
        lake.put(&format!("in/{object:02}.csv"), format!("id,note\n{rows}"));
    }
    lake.put(
        "policy.yaml",
        "version: 1\ndataset: test\nsource: { url: in/ }\nsink: { url: out/, format: parquet }\n\
         keyring: { file: keyring.json }\ncolumns: { id: { pseudonym: { domain: d } }, note: keep }\n",
    );
    lake
}

fn start(lake: &Lake) -> Child {
    let mut command = lakeveil();
    command.current_dir(lake.path("")).args(["run", "policy.yaml", "--threads", "1"]);
    command.args(["--openlineage", "events.jsonl", "--report", "report.json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts")
}

/// A run that is under way: some objects stand, others do not.
fn under_way(lake: &Lake) -> Child {
    let child = start(lake);
    let begun = Instant::now();
    while lake.objects("out").len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no object was written");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let mut kill = std::process::Command::new("kill");
    assert!(kill.arg(format!("-{name}")).arg(child.id().to_string()).status().expect("starts").success());
}

/// Every object that has a name is whole.
fn all_whole(lake: &Lake) {
    for path in lake.objects("out") {
        assert_eq!(lake.table(&format!("out/{path}"))["id"].len(), ROWS, "{path}");
    }
}

fn bytes(lake: &Lake, folder: &str) -> Vec<(String, Vec<u8>)> {
    let read = |path: String| (path.clone(), std::fs::read(lake.path(folder).join(path)).expect("reads"));
    lake.objects(folder).into_iter().map(read).collect()
}

#[test]
fn a_killed_run_leaves_whole_objects_and_is_gone_on_with() {
    let lake = lake();
    let mut child = under_way(&lake);
    child.kill().expect("kills");
    child.wait().expect("ends");
    let stood = lake.objects("out").len();
    assert!(stood < OBJECTS, "it was killed under way");
    all_whole(&lake);

    let refused = lake.run(&[]).expect(4).stderr;
    assert!(refused.contains("--break-lease"), "the dead run's lease is told, and what to do: {refused}");
    let report = lake.run_well(&["--break-lease"]);
    let skipped = report["totals"]["objects_skipped"].as_u64().expect("a number") as usize;
    // one thread has two objects under way; each may have its name without its record
    assert!((stood.saturating_sub(2)..=stood).contains(&skipped), "{skipped} of {stood}");
    assert_eq!(lake.objects("out").len(), OBJECTS);
    assert_eq!(lake.files("out/_lakeveil/tmp"), Vec::<String>::new(), "what the killed run left is removed");

    lake.run_well(&["--sink", "undisturbed/"]);
    assert!(bytes(&lake, "out") == bytes(&lake, "undisturbed"), "the same bytes as without the kill");
}

#[test]
fn an_interrupt_stops_cleanly_and_says_how_to_go_on() {
    for name in ["INT", "TERM"] {
        let lake = lake();
        let child = under_way(&lake);
        signal(&child, name);
        let ended = Ran::of(child.wait_with_output().expect("ends")).expect(1);
        assert!(ended.words().contains("run the same command again"), "{name}: {}", ended.words());
        assert!(lake.objects("out").len() < OBJECTS, "{name}: it was stopped under way");
        all_whole(&lake);
        assert_eq!(lake.files("out/_lakeveil/tmp"), Vec::<String>::new(), "{name}");
        assert!(!lake.path("out/_lakeveil/lease.json").exists(), "{name}: the lease is given back");
        let report = lake.json("report.json");
        assert_eq!(report["failure"]["code"], "stopped", "{name}: {report:#}");
        let events = std::fs::read_to_string(lake.path("events.jsonl")).expect("reads");
        assert!(events.lines().last().is_some_and(|event| event.contains("\"FAIL\"")), "{name}: {events}");
        let stood = lake.objects("out").len() as u64;
        let report = lake.run_well(&[]);
        assert_eq!(report["totals"]["objects_skipped"], stood, "{name}");
        assert_eq!(lake.objects("out").len(), OBJECTS, "{name}");
    }
}

#[test]
fn an_object_is_whole_from_the_moment_it_has_its_name() {
    let lake = lake();
    let mut child = start(&lake);
    let begun = Instant::now();
    let mut seen = BTreeSet::new();
    loop {
        let ended = child.try_wait().expect("waits").is_some();
        for path in lake.files("out") {
            if path.starts_with("_lakeveil/") {
                // readers of every file of a kind must not meet what is not done
                assert!(!path.ends_with(".parquet") && !path.ends_with(".csv"), "{path}");
            } else if seen.insert(path.clone()) {
                assert_eq!(lake.table(&format!("out/{path}"))["id"].len(), ROWS, "{path}");
            }
        }
        if ended {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "the run does not end");
    }
    Ran::of(child.wait_with_output().expect("ends")).expect(0);
    assert_eq!(seen.len(), OBJECTS);
}

#[test]
fn a_second_run_is_refused_while_the_first_goes_on_untouched() {
    let lake = lake();
    let first = under_way(&lake);
    let second = lake.run(&["--full", "--format", "json"]).expect(4);
    for word in ["lakeveil run", "wait", "--break-lease"] {
        assert!(second.stderr.contains(word), "`{word}` is missing in: {}", second.stderr);
    }
    assert_eq!(second.stdout, "", "there is nothing to report");
    let plan = lake.lakeveil("plan", [] as [&str; 0]).expect(0).stdout;
    assert!(plan.contains("00.csv"), "a plan may look meanwhile: {plan}");
    Ran::of(first.wait_with_output().expect("ends")).expect(0);
    assert_eq!(lake.json("report.json")["totals"]["objects_written"], OBJECTS);
    all_whole(&lake);
    assert!(!lake.path("out/_lakeveil/lease.json").exists());
    assert_eq!(lake.run_well(&[])["status"], "nothing-to-do");
}

#[test]
fn a_run_killed_while_it_redoes_leaves_the_old_or_the_new_object() {
    let lake = lake();
    lake.run_well(&[]);
    let old = bytes(&lake, "out");
    let policy = std::fs::read_to_string(lake.path("policy.yaml")).expect("reads");
    lake.put("policy.yaml", policy.replace("domain: d", "domain: e"));
    let mut child = start(&lake);
    let begun = Instant::now();
    while bytes(&lake, "out") == old {
        assert!(begun.elapsed() < Duration::from_secs(60), "no object was redone");
    }
    child.kill().expect("kills");
    child.wait().expect("ends");
    let between = bytes(&lake, "out");
    lake.run_well(&["--break-lease"]);
    let new = bytes(&lake, "out");
    assert_eq!(between.len(), OBJECTS, "none is missing at any time");
    assert!(between != new, "it was killed under way");
    for ((path, bytes), (old, new)) in between.iter().zip(old.iter().zip(&new)) {
        assert!(*bytes == old.1 || *bytes == new.1, "{path} is neither the old nor the new");
    }
    lake.run_well(&["--sink", "undisturbed/"]);
    assert!(new == self::bytes(&lake, "undisturbed"));
}
