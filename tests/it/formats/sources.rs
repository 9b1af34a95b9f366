//! Where a run reads from: files, globs, trees and their partitions, and what the command line changes of it.

use crate::support::{Lake, Ran, lakeveil, texts, token};

use super::policy;

#[test]
fn a_file_a_glob_and_a_tree_are_sources() {
    let lake = Lake::new();
    for (path, id) in [("in/a.csv", 1), ("in/day=1/b.csv", 2), ("in/day=2/c.csv", 3), ("in/day=2/c.txt", 4)] {
        lake.put(path, format!("id\n{id}\n"));
    }
    lake.policy("columns: { id: { pseudonym: { domain: ids } }, day: { keep: {}, optional: true } }\n");
    for (source, sink, outputs) in [
        ("in/a.csv", "one/", vec![("a.csv", "1")]),
        ("in/day=*/*.csv", "days/", vec![("day=1/b.csv", "2"), ("day=2/c.csv", "3")]),
        ("in/**/*.csv", "all/", vec![("a.csv", "1"), ("day=1/b.csv", "2"), ("day=2/c.csv", "3")]),
        ("in/day=1/", "day/", vec![("b.csv", "2")]),
    ] {
        lake.run_well(&["--source", source, "--sink", sink]);
        assert_eq!(lake.objects(sink), outputs.iter().map(|(path, _)| *path).collect::<Vec<_>>(), "{source}");
        for (path, id) in outputs {
            assert_eq!(lake.table(&format!("{sink}{path}"))["id"], [Some(token("ids", id))], "{source}: {path}");
        }
    }
}

#[test]
fn values_of_partitions_are_transformed_in_the_path() {
    let lake = Lake::new();
    for (who, day) in [("anna", "1"), ("anna", "2"), ("b%2Fc d", "1"), ("__HIVE_DEFAULT_PARTITION__", "1")] {
        lake.put(&format!("in/who={who}/day={day}/part-0.csv"), "x\nanna\n");
    }
    let rules = "columns:\n  x: { pseudonym: { domain: people } }\n  who: { pseudonym: { domain: people }, rename: person }\n  \
                 day: keep\n  joint: { derive: \"pseudonym(who, 'people')\" }\n";
    let (anna, other) = (token("people", "anna"), token("people", "b/c d"));
    for format in ["csv", "parquet"] {
        lake.put("policy.yaml", policy("", &format!(", format: {format}"), rules));
        let sink = format!("{format}/");
        let report = lake.run_well(&["--sink", &sink]);
        let mut expected: Vec<String> =
            [(anna.as_str(), "1"), (&anna, "2"), (&other, "1"), ("__HIVE_DEFAULT_PARTITION__", "1")]
                .map(|(who, day)| format!("person={who}/day={day}/part-0.{format}"))
                .into();
        expected.sort_unstable();
        assert_eq!(lake.objects(&sink), expected, "{format}");
        let made = lake.table(&format!("{sink}person={anna}/day=2/part-0.{format}"));
        assert_eq!(made.keys().collect::<Vec<_>>(), ["joint", "x"], "{format}: partitions lie in the path alone");
        assert_eq!((&made["x"], &made["joint"]), (&vec![Some(anna.clone())], &vec![Some(anna.clone())]), "{format}");
        let said = report.to_string() + &lake.run(&["--sink", &sink]).words();
        assert!(!said.contains("anna") && !said.contains("b/c"), "{format}: the value of a partition was told: {said}");
        assert_eq!(lake.holding(&sink, "anna"), Vec::<String>::new(), "{format}");
    }
}

#[test]
fn variables_come_from_the_command_line_before_the_environment() {
    let lake = Lake::new();
    for (day, id) in [("24", "1"), ("25", "2")] {
        lake.put(&format!("in/2026-11-{day}.csv"), format!("id\n{id}\n"));
    }
    lake.policy_between("in/${DAY}.csv", "out/${WHERE:-here}/", "columns: { id: { redact: \"${WORD} $${DAY}\" } }\n");
    let run = |day: Option<&str>, args: &[&str]| {
        let mut command = lakeveil();
        command.current_dir(lake.path("")).args(["run", "policy.yaml"]).args(args);
        day.map(|day| command.env("DAY", day));
        Ran::of(command.output().expect("the binary starts"))
    };
    run(Some("2026-11-24"), &["--set", "WORD=one"]).expect(0);
    assert_eq!(lake.table("out/here/2026-11-24.csv")["id"], texts(["one ${DAY}"]), "of the environment");
    run(Some("2026-11-24"), &["--set", "DAY=2026-11-25", "--set", "WORD=two"]).expect(0);
    assert_eq!(lake.table("out/here/2026-11-25.csv")["id"], texts(["two ${DAY}"]), "of the command line");
    run(
        Some("2026-11-24"),
        &["--set", "WORD=3", "--set", "DAY=1", "--source", "in/2026-11-25.csv", "--sink", "there/"],
    )
    .expect(0);
    assert_eq!(lake.objects("there"), ["2026-11-25.csv"], "--source and --sink win");
    let error = run(Some("2026-11-24"), &["--set", "WROD=one", "--set", "WORD=two"]).expect(2).stderr;
    assert!(
        error.contains("error[policy::unused-variable]: `--set WROD`: no text of the policy has `${WROD}`"),
        "{error}"
    );
    assert!(error.contains("did you mean `WORD`?"), "{error}");
    let error = run(None, &["--set", "WORD=one"]).expect(2).stderr;
    assert!(error.contains("DAY") && error.contains("policy.yaml:4"), "{error}");
}
