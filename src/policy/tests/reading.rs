use super::super::{Code, DocPath, Document, Policy, Problems, Severity, Variables};
use crate::transforms::spec::TransformSpec;

const HEAD: &str = "version: 1\ndataset: d\nsource: { url: in/ }\nsink: { url: out/ }\nkeyring: { env: K }\n";

fn read(text: &str, variables: &Variables) -> Result<Document, Problems> {
    Document::parse(text, "p.yaml", variables)
}

fn codes(text: &str) -> Vec<Code> {
    match read(text, &Variables::none()) {
        Ok(document) => document.warnings().iter().map(|problem| problem.code).collect(),
        Err(problems) => problems.list().iter().map(|problem| problem.code).collect(),
    }
}

fn with_columns(columns: &str) -> String {
    format!("{HEAD}columns:\n{columns}")
}

#[test]
fn rules_keep_the_order_of_the_text() {
    let names = ["zeta", "alpha", "mu_*", "beta"];
    let columns: String = names.iter().map(|name| format!("  \"{name}\": keep\n")).collect();
    let document = read(&with_columns(&columns), &Variables::none()).unwrap();
    let read: Vec<String> = document.policy.columns.iter().map(|column| column.pattern.to_string()).collect();
    assert_eq!(read, names);
}

#[test]
fn scalars_are_read_as_written() {
    let text = with_columns("  no: keep\n  2026-11-22: keep\n  0x1F: { redact: 007 }\n") + "key: 2026\n";
    let policy = read(&text, &Variables::none()).unwrap().policy;
    let patterns: Vec<String> = policy.columns.iter().map(|column| column.pattern.to_string()).collect();
    assert_eq!(patterns, ["no", "2026-11-22", "0x1F"]);
    assert_eq!(policy.key.as_ref().map(|key| key.ids()), Some(&["2026".to_owned()][..]));
    let TransformSpec::Redact(constant) = &policy.columns.iter().nth(2).unwrap().rule.transform else { panic!() };
    assert_eq!(constant.0, "007");
}

#[test]
fn only_true_and_false_are_truth_values() {
    for word in ["no", "yes", "on", "True", "1"] {
        let text = with_columns(&format!("  a: {{ keep: {{}}, optional: {word} }}\n"));
        assert_eq!(codes(&text), [Code::WrongType], "{word}");
    }
}

#[test]
fn json_is_a_policy_too_and_a_policy_reads_back_what_it_writes() {
    let columns = "  a: { pseudonym: { domain: x, bits: 64, accept_collisions: true }, empty: keep, rename: b }\n  \
                   c.d: drop\n  e: { mask: { keep_last: 2 }, type: 'decimal(3,1)' }\n  f: { derive: '1' }\n";
    let policy = read(&with_columns(columns), &Variables::none()).unwrap().policy;
    let json = serde_json::to_string_pretty(&policy).unwrap();
    assert_eq!(read(&json, &Variables::none()).unwrap().policy, policy);
    assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
}

#[test]
fn fail_serde_alone_refuses_a_rule_without_or_with_two_transforms() {
    for rule in [r#"{}"#, r#"{"keep": {}, "drop": {}}"#, r#"{"keep": {}, "no_such": 1}"#, r#""mask""#] {
        assert!(serde_json::from_str::<super::super::Rule>(rule).is_err(), "{rule}");
    }
}

#[test]
fn set_wins_over_the_environment_and_options_over_the_text() {
    let text = "version: 1\ndataset: ${NAME}\nsource: { url: '${UNSET}' }\nsink: {}\ncolumns: { a: keep }\n";
    let variables =
        Variables::from_lookup(|_| Some("environment".to_owned())).set("NAME", "set").source("s3://b/${X}").sink("out");
    let document = read(text, &variables).unwrap();
    assert_eq!(document.policy.dataset, "set");
    assert_eq!(document.policy.source.url, "s3://b/${X}");
    assert_eq!(document.policy.sink.url, "out");
    assert_eq!(document.variables.into_iter().collect::<Vec<_>>(), ["NAME"]);
}

#[test]
fn an_override_of_what_is_no_map_changes_nothing() {
    let text = "version: 1\ndataset: d\nsource: here\nsink: { url: o }\ncolumns: { a: keep }\n";
    let problems = read(text, &Variables::none().source("there")).unwrap_err();
    assert_eq!(problems.list()[0].code, Code::WrongType);
    assert!(!problems.to_string().contains("there"));
}

#[test]
fn a_value_from_a_variable_is_named_not_quoted() {
    let text = with_columns("  a: { mask: { keep_last: '${N}' } }\n");
    let problems = read(&text, &Variables::none().set("N", "canary")).unwrap_err().to_string();
    assert!(problems.contains("the value of ${N}") && !problems.contains("canary"), "{problems}");
}

#[test]
fn later_problems_point_at_the_text() {
    let document = read(&with_columns("  emial: drop\n"), &Variables::none()).unwrap();
    let path = DocPath::root().key("columns").key("emial");
    let problem = super::super::Diagnostic::error(Code::NoSuchColumn, path, "`emial` matches no column");
    let problems = document.problems(vec![problem]);
    assert!(problems.has_errors());
    let at = problems.list()[0].at.unwrap();
    assert_eq!((at.line, at.column, at.width), (7, 3, 5));
    let shown = problems.to_string();
    assert!(shown.contains(" --> p.yaml:7:3\n") && shown.contains("7 |   emial: drop\n  |   ^^^^^\n"), "{shown}");
}

#[test]
fn a_path_that_is_not_in_the_text_is_found_above() {
    let document = read(&with_columns("  a: keep\n"), &Variables::none()).unwrap();
    let at = document.spans.locate(&DocPath::root().key("source").key("csv").key("quote")).unwrap();
    assert_eq!((at.line, at.column), (3, 1));
}

#[test]
fn problems_are_json_with_code_place_and_hint() {
    let problems = read(&with_columns("  a: kepp\n"), &Variables::none()).unwrap_err();
    let json = serde_json::to_value(&problems).unwrap();
    assert_eq!(
        json,
        serde_json::json!([{
            "code": "policy::unknown-transform",
            "severity": "error",
            "message": "unknown transform `kepp`",
            "hint": "did you mean `keep`?",
            "at": { "line": 7, "column": 6, "width": 4 },
            "path": "columns.a",
        }])
    );
}

#[test]
fn warnings_do_not_stop_a_policy() {
    let document = read(&with_columns("  a: hash\n"), &Variables::none()).unwrap();
    assert_eq!(document.warnings()[0].severity, Severity::Warning);
}

#[test]
fn deep_nesting_and_alias_bombs_are_refused_at_once() {
    let deep = format!("a: {}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(codes(&deep), [Code::YamlSyntax]);
    let block: String = (0..5_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(codes(&block), [Code::YamlSyntax]);
    let bomb = "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nversion: 1\n";
    assert!(codes(bomb).contains(&Code::YamlFeature));
}

#[test]
fn thousands_of_problems_are_all_reported() {
    let columns: String = (0..2_000).map(|i| format!("  c{i}: {{ mask: {{ keep_lst: 2 }} }}\n")).collect();
    assert_eq!(codes(&with_columns(&columns)).len(), 2_000);
}

#[test]
fn all_transforms_that_are_unknown_are_named() {
    let columns = "  card: { ffx: { alphabet: digits } }\n  birth_date: { shuffle: { by: id } }\n  x: keep\n";
    assert_eq!(codes(&with_columns(columns)), [Code::UnknownTransform, Code::UnknownTransform]);
}

#[test]
fn random_texts_never_panic() {
    let pieces = [
        "version",
        ":",
        " ",
        "\n",
        "  ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "|",
        ">",
        "&a",
        "*a",
        "!!str",
        "null",
        "~",
        "columns",
        "keep",
        "${",
        "}",
        "keyring",
        "#",
        "\t",
        "é",
        "\u{feff}",
        "? ",
        "---",
        "...",
        "%YAML 1.2",
        ",",
        "source",
        "pseudonym",
        "domain",
    ];
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..3_000 {
        let mut text = String::new();
        for _ in 0..30 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        if let Err(problems) = read(&text, &Variables::none()) {
            assert!(!problems.list().is_empty() && !problems.to_string().is_empty());
        }
    }
}
