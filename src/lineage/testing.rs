//! Reports to render, and golden files to hold the results against.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::collect::{Collector, Ending, RunFacts};
use super::model::{Host, Location, Report};
use crate::engine::outcome::{ColumnFacts, Failure, ObjectFacts, Outcome, Route, RouteBytes, Status};
use crate::engine::sketch::Sketch;
use crate::policy::describe::{ColumnPlan, DroppedColumn, KeyUse, PlanDescription, Warning};

/// Compares with `testdata/NAME`; `UPDATE_GOLDEN=1` writes it instead.
pub(super) fn golden(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("folder for golden files");
        std::fs::write(&path, actual).expect("golden file");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(actual, expected, "testdata/{name} differs; UPDATE_GOLDEN=1 writes it anew, then read the diff");
}

pub(super) fn run_facts() -> RunFacts {
    RunFacts {
        run_id: "01938a3e-7c00-7000-8000-0123456789ab".parse().expect("a UUID"),
        started: UNIX_EPOCH + Duration::from_millis(1_795_305_600_000),
        tool_version: "0.1.0".into(),
        source: Location { url: "s3://lake/raw/customers/".into(), format: Some("csv".into()) },
        sink: Location { url: "gs://veiled/customers/".into(), format: Some("parquet".into()) },
        host: Host { threads: 2, memory_bytes: 1 << 30, cpu_arch: "x86_64".into() },
        unicode: BTreeMap::from([("idna".into(), "1.1.0".into()), ("unicode-normalization".into(), "0.1.25".into())]),
    }
}

fn column(name: &str, transform: &str) -> ColumnPlan {
    ColumnPlan {
        name: name.into(),
        inputs: vec![name.into()],
        indirect_inputs: Vec::new(),
        transform: transform.into(),
        parameters: BTreeMap::new(),
        domain: None,
        key: None,
        deterministic: true,
        reversible: false,
        masking: transform != "keep",
        type_before: Some("Utf8".into()),
        type_after: "Utf8".into(),
        partition: false,
        tests_guesses: transform == "pseudonym",
        token_bits: (transform == "pseudonym").then_some(128),
        kinds: Vec::new(),
    }
}

/// A plan with one column of each kind; `odd` names one column, its input, and what else a stranger may name.
pub(super) fn plan_with(odd: &str) -> PlanDescription {
    let pseudonym = |name: &str, domain: &str| ColumnPlan {
        parameters: BTreeMap::from([("bits".into(), json!(128)), ("encoding".into(), json!("hex"))]),
        domain: Some(domain.into()),
        key: Some("2026-11".into()),
        ..column(name, "pseudonym")
    };
    PlanDescription {
        dataset: "customers".into(),
        policy_digest: "5d41402abc4b2a76b9719d911017c592ae2f0c6f1b0c9a7d3b8e4f6a1c2d3e4f".into(),
        keys: vec![KeyUse { id: "2026-11".into(), fingerprint: "0f1e2d3c4b5a6978".into() }],
        filter: Some("country <> 'XX'".into()),
        filter_inputs: vec!["country".into()],
        columns: vec![
            ColumnPlan { type_before: Some("Int64".into()), ..pseudonym("customer_id", "customers") },
            ColumnPlan { indirect_inputs: vec!["tenant_id".into()], ..pseudonym("email", "users") },
            ColumnPlan {
                inputs: vec!["email".into()],
                parameters: BTreeMap::from([("sql".into(), json!("lower(split_part(email, '@', 2))"))]),
                masking: false,
                type_before: None,
                ..column("email_domain", "derive")
            },
            ColumnPlan {
                parameters: BTreeMap::from([("keep_last".into(), json!(2)), ("with".into(), json!("*"))]),
                ..column(odd, "mask")
            },
            column("tenant_id", "keep"),
            ColumnPlan { inputs: vec!["created_at".into()], ..column("signed_up_at", "keep") },
            ColumnPlan { partition: true, ..column("country", "keep") },
        ],
        dropped: vec![DroppedColumn { name: "full_name".into(), type_before: "Utf8".into() }],
        warnings: vec![Warning {
            code: "derive-shows-raw".into(),
            column: Some("email_domain".into()),
            message: format!("reads `{odd}` without one of our functions, so that it shows source values"),
        }],
    }
}

pub(super) fn object(path: &str, rows: Option<u64>) -> ObjectFacts {
    ObjectFacts {
        path: path.into(),
        size: 4_096,
        etag: Some(format!("\"etag of {path}\"")),
        sha256: Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into()),
        rows,
    }
}

pub(super) fn facts(name: &str, values: u64) -> ColumnFacts {
    let mut sketch = Sketch::default();
    (0..values).for_each(|i| sketch.insert(&i.to_le_bytes()));
    ColumnFacts {
        name: name.into(),
        routes: vec![RouteBytes { route: Route::Stream, bytes: Some(values * 8) }],
        values: Some(values),
        nulls: Some(3),
        empties: Some(1),
        transformed: Some(values - 3),
        failed: Some(0),
        found: Vec::new(),
        value_bits: Some(40),
        distinct_in: Some(sketch.clone()),
        distinct_out: Some(sketch),
    }
}

/// An object written with all columns of `plan`.
pub(super) fn written(path: &str, rows: u64, plan: &PlanDescription) -> Outcome {
    let columns = plan.columns.iter().map(|column| {
        let mut facts = facts(&column.name, rows);
        if column.transform == "keep" {
            facts.transformed = Some(0);
        }
        match column.partition {
            true => {
                let routes = vec![RouteBytes { route: Route::Path, bytes: None }];
                ColumnFacts { routes, distinct_in: None, distinct_out: None, ..facts }
            }
            false => facts,
        }
    });
    Outcome {
        status: Status::Written,
        input: ObjectFacts { sha256: None, ..object(path, Some(rows + 10)) },
        output: Some(object(&path.replace(".csv", ".parquet"), Some(rows))),
        failure: None,
        columns: columns.collect(),
    }
}

pub(super) fn failed(path: &str, message: &str) -> Outcome {
    Outcome {
        status: Status::Failed,
        input: object(path, None),
        output: None,
        failure: Some(Failure { code: "object-changed".into(), message: message.into() }),
        columns: Vec::new(),
    }
}

pub(super) fn skipped(path: &str) -> Outcome {
    let output = Some(object(&path.replace(".csv", ".parquet"), Some(77)));
    Outcome { status: Status::Skipped, input: object(path, None), output, failure: None, columns: Vec::new() }
}

pub(super) fn ending() -> Ending {
    Ending {
        ended: run_facts().started + Duration::from_millis(12_345),
        pruned: 1,
        skipped_by_rule: 2,
        failure: None,
        warnings: Vec::new(),
    }
}

pub(super) fn collector() -> Collector {
    Collector::new(run_facts(), &plan_with("phone"))
}

fn report_with(odd: &str) -> Report {
    let plan = plan_with(odd);
    let mut collector = Collector::new(run_facts(), &plan);
    collector.add(written("country=DE/b.csv", 1_000, &plan));
    collector.add(failed(&format!("country=FR/{odd}.csv"), &format!("{odd} changed between listing and reading")));
    collector.add(written("country=DE/a.csv", 500, &plan));
    collector.add(skipped("country=AT/c.csv"));
    collector.finish(ending())
}

/// Two objects written, one skipped, one failed.
pub(super) fn report() -> Report {
    report_with("phone")
}

/// Names that try to steer a terminal, to forge a line, to run in a page.
pub(super) fn hostile_report() -> Report {
    report_with("<script>alert('x')</script>\u{1b}[2J\u{9b}31m\nFORGED \u{202e}\"&\r")
}

/// The same report with a harmless name.
pub(super) fn tame_twin_of_hostile_report() -> Report {
    report_with("harmless")
}
