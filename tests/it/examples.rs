//! The example policies over the lake of the repository: each runs whole, and does what its comments say.

mod found;
mod golden;
mod health;
mod hidden;
mod joins;
mod payments;
mod tokens;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::support::{Ran, Table, files, lakeveil, root, table};

/// The secret of `testdata/demo.keyring.json`'s active key.
const DEMO: &str = "published demo secret, protects nothing (2026-11)";

/// An example and what is known of it.
struct Example {
    policy: &'static str,
    /// Folder below `testdata/lake/`.
    source: &'static str,
    /// Folder below `$OUT`.
    sink: &'static str,
    objects: u64,
    /// All that passes as it is, by the name in the output.
    kept: &'static [&'static str],
}

/// Every policy of `policies/` but the template, which names places that do not exist.
const EXAMPLES: [Example; 10] = [
    Example {
        policy: "quickstart",
        source: "customers",
        sink: "customers",
        objects: 3,
        kept: &["country", "tenant_id", "signed_up_at"],
    },
    Example {
        policy: "orders",
        source: "orders",
        sink: "orders",
        objects: 4,
        kept: &["order_id", "amount", "currency", "status", "ordered_at", "delivery_slot"],
    },
    Example {
        policy: "events",
        source: "events",
        sink: "events",
        objects: 8,
        kept: &["event", "seconds", "at", "country", "date"],
    },
    Example {
        policy: "contacts",
        source: "contacts",
        sink: "contacts",
        objects: 2,
        kept: &["address.city", "contacts[].kind", "attributes{}.key"],
    },
    Example { policy: "analytics", source: "accounts", sink: "accounts", objects: 2, kept: &["country", "plan"] },
    Example { policy: "partner-export", source: "customers", sink: "partner-export", objects: 3, kept: &[] },
    Example { policy: "health-research", source: "patients", sink: "patients", objects: 2, kept: &["sex"] },
    Example {
        policy: "logs",
        source: "weblogs",
        sink: "weblogs",
        objects: 2,
        kept: &["at", "method", "path", "status", "user_agent"],
    },
    Example { policy: "payments", source: "payments", sink: "payments", objects: 2, kept: &["currency", "entry_mode"] },
    Example {
        policy: "kelora",
        source: "weblogs",
        sink: "weblogs-kelora",
        objects: 2,
        kept: &["at", "method", "path", "status"],
    },
];

/// What a run of an example left.
struct Made {
    out: TempDir,
    report: Value,
    /// What the terminal showed.
    words: String,
}

impl Example {
    fn of(policy: &str) -> &'static Self {
        EXAMPLES.iter().find(|example| example.policy == policy).expect("an example")
    }

    fn lake(&self) -> PathBuf {
        root().join("testdata/lake").join(self.source)
    }

    /// Runs it into `out`; the report and the terminal's words.
    fn run_into(&self, out: &Path) -> (Value, String) {
        let report = out.join("report.json");
        let mut command = lakeveil();
        command.current_dir(root()).env("OUT", out).args(["run", &format!("policies/{}.yaml", self.policy)]);
        command.arg("--report").arg(&report);
        let ran = Ran::of(command.output().expect("the binary starts")).expect(0);
        let report = fs::read_to_string(report).expect("is there");
        (serde_json::from_str(&report).expect("is JSON"), ran.words())
    }
}

impl Made {
    fn by(policy: &str) -> Self {
        Self::by_all(&[policy])
    }

    /// Several into one folder; the report and the words are those of the last.
    fn by_all(policies: &[&str]) -> Self {
        let out = tempdir().expect("a temporary folder");
        let mut last = None;
        for policy in policies {
            last = Some(Example::of(policy).run_into(out.path()));
        }
        let (report, words) = last.expect("one policy at least");
        Self { out, report, words }
    }

    /// The output of a policy, every file behind the other.
    fn rows(&self, policy: &str) -> Table {
        rows(&self.out.path().join(Example::of(policy).sink))
    }
}

/// The source of a policy, every file behind the other.
fn source(policy: &str) -> Table {
    rows(&Example::of(policy).lake())
}

/// The objects below a folder in order of their names, as one table. Columns that lie in the path are not in it.
fn rows(folder: &Path) -> Table {
    let mut whole = BTreeMap::new();
    for path in objects(folder) {
        for (name, values) in table(&folder.join(path)) {
            whole.entry(name).or_insert_with(Vec::new).extend(values);
        }
    }
    whole
}

fn objects(folder: &Path) -> Vec<String> {
    let mut paths = files(folder);
    paths.retain(|path| !path.starts_with("_lakeveil/"));
    paths
}

/// Pairs of a source's value and what became of it, where it is not null.
fn pairs<'a>(before: &'a [Option<String>], after: &'a [Option<String>]) -> Vec<(&'a str, &'a str)> {
    assert_eq!(before.len(), after.len());
    let both = before.iter().zip(after).filter(|(before, _)| before.is_some());
    both.map(|(before, after)| (before.as_deref().expect("not null"), after.as_deref().expect("not null"))).collect()
}

#[test]
fn no_policy_of_the_folder_is_forgotten_here() {
    let mut known: Vec<_> = EXAMPLES.iter().map(|example| format!("{}.yaml", example.policy)).collect();
    known.extend(["README.md".to_owned(), "template.yaml".to_owned()]);
    known.sort_unstable();
    assert_eq!(files(&root().join("policies")), known);
    let readme = fs::read_to_string(root().join("policies/README.md")).expect("is there");
    for example in &EXAMPLES {
        assert!(readme.contains(&format!("| `{}.yaml` |", example.policy)), "{} is not in the table", example.policy);
    }
}

#[test]
fn every_example_runs_whole_and_a_second_run_has_nothing_to_do() {
    for example in &EXAMPLES {
        let (policy, out) = (example.policy, tempdir().expect("a temporary folder"));
        let (report, _) = example.run_into(out.path());
        assert_eq!(
            (&report["status"], &report["totals"]["objects_written"]),
            (&"complete".into(), &example.objects.into())
        );
        assert_eq!(report["totals"]["objects_failed"], 0, "{policy}");
        // null where nothing is transformed: in a partition that is kept; a policy may ask for null in place of a value
        let failed = |column: &&Value| {
            let is_meant = column["parameters"]["on_error"] == "to_null";
            !is_meant && column["failed"].as_u64().is_some_and(|values| values > 0)
        };
        let failed = report["columns"].as_array().expect("columns").iter().filter(failed);
        assert_eq!(failed.count(), 0, "{policy}: a value could not be taken");
        assert_eq!(report["kept"], Value::from(example.kept), "{policy}");
        let before = contents(out.path());
        let (report, words) = example.run_into(out.path());
        assert_eq!(report["status"], "nothing-to-do", "{policy}");
        assert_eq!(report["totals"]["objects_skipped"], example.objects, "{policy}");
        assert!(words.contains("nothing to do"), "{policy}: {words}");
        let after = contents(out.path());
        let same = before.iter().all(|(path, bytes)| after.get(path) == Some(bytes));
        assert!(same, "{policy}: a second run changed something");
    }
}

/// All files but reports, by path.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut paths = files(folder);
    paths.retain(|path| !path.contains("/reports/") && path != "report.json");
    paths.into_iter().map(|path| (path.clone(), fs::read(folder.join(path)).expect("reads"))).collect()
}
