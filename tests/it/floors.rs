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

/// Where the kernels are, and the files of that folder that hold unsafe code.
const KERNELS: (&str, [&str; 4]) = ("crypto/lanes/", ["armv8.rs", "avx2.rs", "avx512.rs", "shani.rs"]);

/// The lines of a source file without its comments and texts, and where `word` is among their words.
fn lines_with(text: &str, word: &str) -> Vec<usize> {
    let code = |line: &str| line.split("//").next().unwrap_or_default().split('"').step_by(2).collect::<String>();
    let is_word = |line: &str| code(line).split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word);
    text.lines().enumerate().filter(|(_, line)| is_word(line)).map(|(at, _)| at).collect()
}

/// Unsafe code is in the kernels, which one module lets off by name, and each use is argued for.
#[test]
fn unsafe_code_is_in_the_kernels_alone_with_its_reasons() {
    let source = root().join("src");
    let mut seen = Vec::new();
    for path in files(&source).iter().filter(|path| path.ends_with(".rs")) {
        let text = fs::read_to_string(source.join(path)).expect("reads");
        let (used, let_off) = (lines_with(&text, "unsafe"), lines_with(&text, "unsafe_code"));
        let lines: Vec<&str> = text.lines().collect();
        match path.as_str() {
            "lib.rs" => assert_eq!(let_off.iter().map(|at| lines[*at]).collect::<Vec<_>>(), ["#![deny(unsafe_code)]"]),
            "crypto/lanes/mod.rs" => {
                for at in let_off {
                    let module = lines[at + 1].trim_start_matches("mod ").replace(';', ".rs");
                    assert!(KERNELS.1.contains(&module.as_str()), "{path} lets off {module}");
                }
            }
            _ => assert!(let_off.is_empty(), "{path} says which lints hold for unsafe code"),
        }
        match path.strip_prefix(KERNELS.0).filter(|file| KERNELS.1.contains(file)) {
            Some(file) => seen.push(file.to_owned()),
            None => assert!(used.is_empty(), "{path} holds unsafe code"),
        }
        for at in used {
            let reason = lines[..at].iter().rev().find(|line| !line.contains("unsafe")).expect("not the first line");
            assert!(reason.contains("// SAFETY: "), "{path}, line {}: no reason above it", at + 1);
        }
    }
    seen.sort();
    assert_eq!(seen, KERNELS.1);
}

#[test]
fn the_reader_of_code_sees_neither_comments_nor_texts() {
    let text = "// unsafe\nlet x = \"unsafe\";\nlet x = unsafe { f() }; // why\n#[allow(unsafe_code)]\n";
    assert_eq!((lines_with(text, "unsafe"), lines_with(text, "unsafe_code")), (vec![2], vec![3]));
}
