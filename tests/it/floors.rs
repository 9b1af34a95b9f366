//! DESIGN.md, section 5: imports go downwards only.

use std::fs;
use std::path::Path;

use crate::support::{files, root};

/// The floor of each module; `lineage` and `jobs` share one, and only `jobs` may use its neighbour.
const FLOORS: [(&str, u8); 9] = [
    ("crypto", 0),
    ("arrays", 0),
    ("transforms", 1),
    ("keys", 1),
    ("policy", 2),
    ("engine", 3),
    ("lineage", 4),
    ("jobs", 4),
    ("cli", 6),
];

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

fn may_use(user: &str, used: &str) -> bool {
    user == used || (user, used) == ("jobs", "lineage") || floor(used) < floor(user)
}

/// The modules that a source file names after `crate::`, braces and nested paths included.
fn named_modules(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let word = |text: &str| text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => found.push(word(rest)),
            Some(list) => {
                let mut depth = 0;
                let mut start = true;
                for (at, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            found.push(word(&list[at..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    found
}

#[test]
fn imports_go_downwards_only() {
    let source = root().join("src");
    let (mut seen, mut upward) = (0, Vec::new());
    for path in files(&source) {
        let user = path.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        if matches!(user, "lib" | "main") || path.ends_with("/tests.rs") || path.contains("/tests/") {
            continue;
        }
        assert!(floor(user).is_some(), "{path}: which floor is that?");
        let text = fs::read_to_string(source.join(&path)).expect("reads");
        for used in named_modules(&text) {
            assert!(floor(&used).is_some(), "{path} uses {used}, which is on no floor");
            seen += 1;
            if !may_use(user, &used) {
                upward.push(format!("{path} uses {used}"));
            }
        }
    }
    assert!(seen > 100, "only {seen} uses were found: is the reader of `use` lines broken?");
    assert_eq!(upward, Vec::<String>::new());
}

#[test]
fn the_reader_of_use_lines_sees_lists_and_nested_paths() {
    let text = "use crate::{\n    arrays::{a, b},\n    keys,\n};\nlet x = crate::policy::Y;\n// crate::cli\n";
    assert_eq!(named_modules(text), ["arrays", "keys", "policy"]);
}

/// A file is a room: 600 lines at most.
#[test]
fn no_source_file_is_longer_than_600_lines() {
    let long = |folder: &Path| {
        let lines = |path: &String| fs::read_to_string(folder.join(path)).expect("reads").lines().count();
        let mut paths = files(folder);
        paths.retain(|path| path.ends_with(".rs") && lines(path) > 600);
        paths
    };
    for folder in ["src", "tests", "benches"] {
        assert_eq!(long(&root().join(folder)), Vec::<String>::new(), "{folder}");
    }
}
