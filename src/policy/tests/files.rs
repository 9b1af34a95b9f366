use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Code, Document, Variables, schema};
use super::to_json;

fn policies(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(!files.is_empty(), "no policies in {}", folder.display());
    files
}

fn file_name(file: &Path) -> String {
    file.file_name().unwrap().to_string_lossy().into_owned()
}

/// The environment that every file is read in.
fn variables() -> Variables {
    Variables::from_lookup(|name| match name {
        "CANARY" => Some("canary-7f3a".to_owned()),
        "BUCKET" => Some("lake".to_owned()),
        _ => None,
    })
}

/// The policies for tests, and those that the repository hands out.
fn valid_policies() -> Vec<PathBuf> {
    policies("testdata/policies/valid").into_iter().chain(policies("policies")).collect()
}

#[test]
fn valid_policies_are_read() {
    for file in valid_policies() {
        let text = fs::read_to_string(&file).unwrap();
        if let Err(problems) = Document::parse(&text, &file_name(&file), &variables()) {
            panic!("{problems}");
        }
    }
}

#[test]
fn valid_policies_agree_with_the_json_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for file in valid_policies() {
        let policy = to_json(&fs::read_to_string(&file).unwrap());
        let errors: Vec<String> = validator.iter_errors(&policy).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
    }
}

#[test]
fn the_json_schema_refuses_what_has_the_wrong_shape() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for case in ["unknown-key", "unknown-transform", "missing-key", "several-transforms", "unknown-word"] {
        let file = policies("testdata/policies/invalid")
            .into_iter()
            .find(|file| file_name(file) == format!("{case}.yaml"))
            .unwrap();
        assert!(!validator.is_valid(&to_json(&fs::read_to_string(file).unwrap())), "{case}");
    }
}

#[test]
fn invalid_policies_have_exactly_the_problems_expected() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    for file in policies("testdata/policies/invalid") {
        let text = fs::read_to_string(&file).unwrap();
        let shown = match Document::parse(&text, &file_name(&file), &variables()) {
            Ok(_) => panic!("{} is read without a problem", file.display()),
            Err(problems) => format!("{problems}\n"),
        };
        assert!(!shown.contains("canary"), "{} shows a secret:\n{shown}", file.display());
        let expected = file.with_extension("expected.txt");
        if update {
            fs::write(&expected, &shown).unwrap();
        }
        let golden = fs::read_to_string(&expected).unwrap_or_default();
        assert!(shown == golden, "{} differs; found:\n{shown}", expected.display());
    }
}

#[test]
fn every_code_is_found_in_some_file() {
    let mut seen = BTreeSet::new();
    for file in policies("testdata/policies/invalid").into_iter().chain(valid_policies()) {
        let text = fs::read_to_string(&file).unwrap();
        match Document::parse(&text, &file_name(&file), &variables()) {
            Ok(document) => seen.extend(document.warnings().iter().map(|problem| problem.code)),
            Err(problems) => {
                seen.extend(problems.list().iter().map(|problem| problem.code));
                let json = serde_json::to_string(&problems).unwrap();
                assert!(!json.contains("canary"), "{}: {json}", file.display());
            }
        }
    }
    let missing: Vec<&str> = Code::ALL
        .iter()
        // the last is of the command line
        .filter(|code| !code.needs_schema() && !seen.contains(code) && **code != Code::UnusedVariable)
        .map(|code| code.as_str())
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "codes that no test file triggers");
}
