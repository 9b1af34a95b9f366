//! No output of an example holds a value that its policy hides.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use aho_corasick::AhoCorasick;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::{EXAMPLES, Example, Made, objects};
use crate::support::{batch, files, table};

/// Distinct values by the path of their leaf, as reports write it.
type Cells = BTreeMap<String, BTreeSet<String>>;

/// Columns whose outputs are values of the same kind, so that one may be another row's raw value by chance, or whose
/// values are texts of which only parts are hidden. What must hold of these has tests of its own.
const OF_THE_SAME_KIND: [(&str, &str); 5] = [
    ("health-research", "admitted_on"),
    ("health-research", "discharged_on"),
    ("health-research", "glucose"),
    ("health-research", "notes"),
    ("logs", "message"),
];

/// Shorter ones are found by chance.
const TELLING: usize = 7;

fn is_of_the_same_kind(policy: &str, column: &str) -> bool {
    OF_THE_SAME_KIND.contains(&(policy, column))
}

fn cells(folder: &Path) -> Cells {
    let mut cells = Cells::new();
    for path in objects(folder) {
        let whole = folder.join(&path);
        if path.ends_with(".parquet") {
            let batch = batch(fs::read(whole).expect("reads"));
            for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
                leaves(field.name(), column, &mut cells);
            }
        } else {
            for (name, values) in table(&whole) {
                cells.entry(name).or_default().extend(values.into_iter().flatten());
            }
        }
    }
    cells
}

fn leaves(path: &str, array: &ArrayRef, cells: &mut Cells) {
    match array.data_type() {
        DataType::Struct(fields) => {
            for (field, column) in fields.iter().zip(array.as_struct().columns()) {
                leaves(&format!("{path}.{}", field.name()), column, cells);
            }
        }
        DataType::List(_) => leaves(&format!("{path}[]"), array.as_list::<i32>().values(), cells),
        DataType::Map(..) => {
            leaves(&format!("{path}{{}}.key"), array.as_map().keys(), cells);
            leaves(&format!("{path}{{}}.value"), array.as_map().values(), cells);
        }
        _ => {
            let text = cast(array, &DataType::Utf8).expect("has a text form");
            let values = text.as_string::<i32>().iter().flatten().filter(|value| !value.is_empty());
            cells.entry(path.to_owned()).or_default().extend(values.map(str::to_owned));
        }
    }
}

/// Source columns that the report does not list as kept.
fn hidden(example: &Example, made: &Made, source: &Cells) -> Vec<String> {
    let columns = made.report["columns"].as_array().expect("columns");
    let kept: Vec<&str> = columns
        .iter()
        .filter(|column| example.kept.contains(&column["name"].as_str().expect("a name")))
        .filter_map(|column| column["inputs"][0].as_str())
        .collect();
    source.keys().filter(|name| !kept.contains(&name.as_str())).cloned().collect()
}

#[test]
fn no_column_holds_a_raw_value_of_the_column_that_it_was_made_of() {
    for example in &EXAMPLES {
        let made = Made::by(example.policy);
        let (source, outputs) = (cells(&example.lake()), cells(&made.out.path().join(example.sink)));
        let mut compared = 0;
        for column in made.report["columns"].as_array().expect("columns") {
            let name = column["name"].as_str().expect("a name");
            if example.kept.contains(&name) || is_of_the_same_kind(example.policy, name) {
                continue;
            }
            let inputs: Vec<&str> =
                column["inputs"].as_array().expect("inputs").iter().filter_map(|i| i.as_str()).collect();
            assert!(!inputs.is_empty(), "{}: {name} is made of nothing", example.policy);
            for input in inputs {
                let shared = source[input].intersection(&outputs.get(name).cloned().unwrap_or_default()).count();
                assert_eq!(shared, 0, "{}: {name} holds values of {input}", example.policy);
                compared += 1;
            }
        }
        assert!(compared > 0, "{}", example.policy);
    }
}

#[test]
fn no_file_and_no_word_of_a_run_holds_a_hidden_value_anywhere() {
    for example in &EXAMPLES {
        let made = Made::by(example.policy);
        let source = cells(&example.lake());
        let mut values = BTreeSet::new();
        for name in hidden(example, &made, &source) {
            if name == "notes" && example.policy == "health-research" || name == "message" {
                values.extend(source[&name].iter().flat_map(|text| identifiers(text)));
            } else if !is_of_the_same_kind(example.policy, &name) {
                values.extend(source[&name].iter().map(|value| value.trim().to_owned()));
            }
        }
        values.retain(|value| value.len() >= TELLING);
        assert!(values.len() > 50, "{}: {} values", example.policy, values.len());
        let search = AhoCorasick::new(&values).expect("few patterns");
        let mut haystacks = vec![("the terminal".to_owned(), made.words.clone().into_bytes())];
        for path in files(made.out.path()) {
            let bytes = fs::read(made.out.path().join(&path)).expect("reads");
            haystacks.push((format!("the path {path}"), path.clone().into_bytes()));
            haystacks.push((path, bytes));
        }
        for (name, cells) in cells(&made.out.path().join(example.sink)) {
            haystacks.push((format!("column {name}"), cells.into_iter().collect::<Vec<_>>().join("\n").into_bytes()));
        }
        for (place, bytes) in haystacks {
            let found = search.find_iter(&bytes).count();
            assert_eq!(found, 0, "{}: hidden values in {place}", example.policy);
        }
    }
}

/// What has a form of its own in a text: words with an `@`, addresses, tokens, long numbers, and what follows a `+`.
fn identifiers(text: &str) -> Vec<String> {
    let is_telling = |word: &&str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        word.contains('@') || word.starts_with("eyJ") || word.parse::<IpAddr>().is_ok() || digits >= 5
    };
    let words = text.split([' ', ',', ':']).filter(is_telling).map(str::to_owned);
    let phone = text.find(['+', '(']).map(|at| {
        let number = &text[at..];
        let end = number.find(|c: char| !c.is_ascii_digit() && !"+() -".contains(c)).unwrap_or(number.len());
        number[..end].trim_end().to_owned()
    });
    words.chain(phone).collect()
}

#[test]
fn identifiers_are_found_in_the_texts_of_the_lake() {
    assert_eq!(identifiers("asked to be called at +1 202-555-0107 after 6 pm"), ["202-555-0107", "+1 202-555-0107"]);
    assert_eq!(
        identifiers("sent to kin1@example.com and (202) 555-0107"),
        ["kin1@example.com", "555-0107", "(202) 555-0107"]
    );
    assert_eq!(identifiers("ORD-000001: card 4242424242424242 declined"), ["ORD-000001", "4242424242424242"]);
    assert_eq!(identifiers("too many from 192.0.2.7"), ["192.0.2.7"]);
}
