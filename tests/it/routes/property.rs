//! Whatever the schema, the data, the writer and the policy: a column's cheapest way gives what decoding it all gives.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof};
use proptest::test_runner::{RngSeed, TestError, TestRunner};
use serde_json::Value;

use super::{assert_same_figures, assert_same_rows, both_ways};
use crate::support::Lake;

mod data;
mod files;

use data::Data;
use files::{File, file, write};

/// One value column, below a container or not, and what the policy does with it.
#[derive(Debug, Clone)]
struct Leaf {
    data: Data,
    nullable: bool,
    rule: Rule,
    /// What becomes of rows without a value in the first column, if the rule is not for them.
    otherwise: Option<&'static str>,
}

/// How values lie in rows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Flat,
    List,
    LargeList,
    FixedSizeList,
    Struct,
    ListOfStructs,
    ListOfLists,
    Map,
}

/// One column of the source; containers of two leaves have both.
#[derive(Debug, Clone)]
struct Column {
    form: Form,
    nullable: bool,
    leaves: [Leaf; 2],
    renamed: bool,
    /// A further output: of the whole column if that is flat, of a struct's first field, or a copy.
    copy: Option<Leaf>,
}

#[derive(Debug, Clone)]
enum Rule {
    Keep,
    Drop,
    Pseudonym {
        encoding: &'static str,
        bits: u32,
        prefix: bool,
    },
    Mask,
    Redact,
    Nullify,
    Hash,
    /// A pseudonym after steps that make equal what was not.
    Normalized,
    /// A pseudonym with a rule for empty texts.
    Empty(&'static str),
}

#[derive(Debug, Clone)]
struct Case {
    columns: Vec<Column>,
    files: Vec<File>,
    sink: &'static str,
    /// A column that is made from others, beside those that go their own ways.
    derived: bool,
    /// A column that lies in the path.
    partitioned: bool,
}

fn rule() -> impl Strategy<Value = Rule> {
    let encoding = prop::sample::select(vec!["hex", "base32", "base64url", "binary", "uuid"]);
    let pseudonym = (encoding, 12u32..=32, any::<bool>()).prop_map(|(encoding, bytes, prefix)| Rule::Pseudonym {
        encoding,
        bits: if encoding == "uuid" { 128 } else { bytes * 8 },
        prefix: prefix && encoding != "binary",
    });
    prop_oneof![
        3 => Just(Rule::Keep),
        1 => Just(Rule::Drop),
        5 => pseudonym,
        1 => Just(Rule::Mask),
        1 => Just(Rule::Redact),
        1 => Just(Rule::Nullify),
        1 => Just(Rule::Hash),
        1 => Just(Rule::Normalized),
        1 => prop::sample::select(vec!["to_null", "keep"]).prop_map(Rule::Empty),
    ]
}

fn leaf() -> impl Strategy<Value = Leaf> {
    let otherwise = prop::sample::select(vec!["keep", "to_null", "redact"]);
    let otherwise = prop::option::weighted(0.15, otherwise);
    (prop::sample::select(Data::ALL.to_vec()), any::<bool>(), rule(), otherwise)
        .prop_map(|(data, nullable, rule, otherwise)| Leaf { data, nullable, rule, otherwise }.of(data))
}

fn column() -> impl Strategy<Value = Column> {
    let form = prop_oneof![
        6 => Just(Form::Flat),
        1 => Just(Form::List),
        1 => Just(Form::LargeList),
        1 => Just(Form::FixedSizeList),
        1 => Just(Form::Struct),
        1 => Just(Form::ListOfStructs),
        1 => Just(Form::ListOfLists),
        1 => Just(Form::Map),
    ];
    let copy = prop::option::weighted(0.25, leaf());
    let renamed = prop::bool::weighted(0.2);
    (form, any::<bool>(), [leaf(), leaf()], renamed, copy).prop_map(|(form, nullable, leaves, renamed, copy)| {
        let [mut first, second] = leaves;
        if form == Form::Map {
            // a key is text that is never null, and stays there
            (first.data, first.nullable, first.otherwise) = (Data::Text, false, None);
            if !matches!(first.rule, Rule::Keep | Rule::Hash) {
                first.rule = Rule::Pseudonym { encoding: "hex", bits: 128, prefix: false };
            }
        }
        let copy = copy.map(|leaf| match (form, &leaf.rule) {
            (Form::Flat | Form::Struct, rule) if !matches!(rule, Rule::Keep | Rule::Drop) => leaf.of(first.data),
            _ => Leaf { rule: Rule::Keep, otherwise: None, ..leaf },
        });
        Column { form, nullable, leaves: [first, second], renamed, copy }
    })
}

fn case() -> impl Strategy<Value = Case> {
    let columns = prop::collection::vec(column(), 1..=8);
    let files = prop::collection::vec(file(), 1..=4);
    let sink = prop::sample::select(vec![
        "compression: none",
        "compression: \"zstd(1)\"",
        "compression: snappy",
        "compression: lz4",
        "compression: \"gzip(6)\"",
        "compression: \"brotli(2)\"",
        "encoding: plain",
    ]);
    let beside = (prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    let version = prop::option::weighted(0.8, any::<bool>());
    (columns, files, sink, beside, version).prop_map(|(mut columns, mut files, sink, beside, version)| {
        let (derived, partitioned) = beside;
        // mostly of one version, so that ways can be counted by it
        files.iter_mut().for_each(|file| file.second_version = version.unwrap_or(file.second_version));
        // something must be left, of each container too
        for column in &mut columns {
            if column.form != Form::Flat && matches!(column.leaves[0].rule, Rule::Drop) {
                column.leaves[0].rule = Rule::Keep;
            }
            if column.form == Form::Map && matches!(column.leaves[1].rule, Rule::Drop) {
                column.leaves[1].rule = Rule::Keep;
            }
        }
        if columns.iter().all(|column| column.form == Form::Flat && matches!(column.leaves[0].rule, Rule::Drop)) {
            columns[0].leaves[0].rule = Rule::Keep;
        }
        Case { columns, files, sink, derived, partitioned }
    })
}

impl Column {
    /// Paths of its leaves in a policy.
    fn paths(&self, name: &str) -> Vec<String> {
        match self.form {
            Form::Flat => vec![name.to_owned()],
            Form::List | Form::LargeList | Form::FixedSizeList => vec![format!("{name}[]")],
            Form::Struct => vec![format!("{name}.a"), format!("{name}.b")],
            Form::ListOfLists => vec![format!("{name}[][]")],
            Form::ListOfStructs => vec![format!("{name}[].a"), format!("{name}[].b")],
            Form::Map => vec![format!("{name}{{}}.key"), format!("{name}{{}}.value")],
        }
    }
}

impl Leaf {
    /// The same for values of `data`, as far as its rule can be on these.
    fn of(self, data: Data) -> Self {
        let rule = match self.rule {
            // floats have no text form; what is not text has no letters and no empty value
            Rule::Pseudonym { .. } | Rule::Mask | Rule::Hash | Rule::Normalized | Rule::Empty(_) if data.is_float() => {
                Rule::Redact
            }
            Rule::Normalized | Rule::Empty(_) if !data.is_text() => Rule::Hash,
            rule => rule,
        };
        // one column holds what is made and what is not
        let otherwise = self.otherwise.filter(|otherwise| match (&rule, *otherwise) {
            (Rule::Keep | Rule::Drop, _) => false,
            (_, "to_null") | (Rule::Nullify, "keep") => true,
            (Rule::Pseudonym { encoding: "binary", .. }, _) => false,
            (Rule::Nullify, _) | (_, "keep") => data.is_text(),
            _ => true,
        });
        Self { data, rule, otherwise, ..self }
    }

    fn rule(&self, rename: Option<&str>) -> String {
        // dates and times have values beyond what has a text form
        let on_error = if self.data.can_fail() { ", on_error: to_null" } else { "" };
        let rename = rename.map(|to| format!(", rename: {to}")).unwrap_or_default();
        let rest = match &self.rule {
            Rule::Keep => return format!("{{ keep: {{}}{rename} }}"),
            Rule::Drop => return "drop".to_owned(),
            Rule::Pseudonym { encoding, bits, prefix } => {
                let prefix = if *prefix { ", prefix: t_" } else { "" };
                format!("pseudonym: {{ domain: d, encoding: {encoding}, bits: {bits}{prefix} }}{on_error}")
            }
            Rule::Mask => format!("mask: {{ keep_first: 1, keep_last: 1 }}{on_error}"),
            Rule::Redact => format!("redact: gone{on_error}"),
            Rule::Nullify => "nullify: {}".to_owned(),
            Rule::Hash => format!("hash: {{}}{on_error}"),
            Rule::Normalized => {
                "normalize: [collapse_whitespace, lowercase], pseudonym: { domain: d }, on_error: redact".to_owned()
            }
            Rule::Empty(rule) => format!("pseudonym: {{ domain: d }}, empty: {rule}"),
        };
        let when = self.otherwise.map(|word| format!(", when: c0 is not null, otherwise: {word}")).unwrap_or_default();
        format!("{{ {rest}{rename}{when} }}")
    }
}

/// The policy but for its head, whose sink is put there by the caller.
fn rules(case: &Case) -> String {
    let mut rules = "columns:\n".to_owned();
    for (index, column) in case.columns.iter().enumerate() {
        let name = format!("c{index}");
        for (path, leaf) in column.paths(&name).iter().zip(&column.leaves) {
            let to = format!("r{index}");
            let rename = (column.form == Form::Flat && column.renamed).then_some(to.as_str());
            rules.push_str(&format!("  \"{path}\": {}\n", leaf.rule(rename)));
        }
    }
    for (index, column) in case.columns.iter().enumerate() {
        let Some(copy) = &column.copy else { continue };
        let from = if column.form == Form::Struct && !matches!(copy.rule, Rule::Keep) { ".a" } else { "" };
        let rule = copy.rule(None).replacen('{', &format!("{{ from: c{index}{from},"), 1);
        rules.push_str(&format!("  x{index}: {rule}\n"));
    }
    if case.derived {
        rules.push_str("  derived: { derive: \"c0 is null\" }\n");
    }
    if case.partitioned {
        rules.push_str("  part: keep\n");
    }
    rules
}

/// How many columns of the cases so far took each way, in all and by what their pages are like.
type Taken = Mutex<BTreeMap<String, usize>>;

fn count_ways(case: &Case, report: &Value, taken: &Taken) {
    let mut taken = taken.lock().expect("no panic");
    let mut count = |what: String| *taken.entry(what).or_default() += 1;
    let second = |file: &File| file.second_version;
    let version = match (case.files.iter().all(second), case.files.iter().any(second)) {
        (true, _) => Some("2"),
        (_, false) => Some("1"),
        _ => None,
    };
    for column in report["columns"].as_array().expect("columns") {
        let name = column["name"].as_str().expect("a name");
        let is_nested = name.contains(['[', '.', '{']);
        for used in column["routes"].as_array().expect("routes") {
            let way = used["route"].as_str().expect("a text");
            count(way.to_owned());
            count(format!("{way}, {}", if is_nested { "nested" } else { "flat" }));
            if let Some(version) = version {
                count(format!("{way}, version {version}"));
            }
        }
    }
}

fn check(case: &Case, taken: &Taken) {
    let lake = Lake::new();
    let folder = if case.partitioned { "part=7/" } else { "" };
    let name = |index: usize| format!("{folder}{index}.parquet");
    for (index, file) in case.files.iter().enumerate() {
        lake.put(&format!("in/{}", name(index)), write(&case.columns, file));
    }
    let (routed, streamed) = both_ways(&lake, case.sink, &rules(case));
    for index in 0..case.files.len() {
        assert_same_rows(&lake, &name(index), &name(index));
    }
    assert_same_figures(&routed, &streamed, "all files");
    count_ways(case, &routed, taken);
}

#[test]
fn the_cheapest_way_of_every_column_gives_what_decoding_gives() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos() as u64;
    let seed = number("LAKEVEIL_TEST_SEED").unwrap_or(clock);
    let config = ProptestConfig {
        cases: number("LAKEVEIL_TEST_CASES").unwrap_or(40) as u32,
        max_shrink_iters: 150,
        // nothing is written into the checkout: the seed says it all
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(seed),
        ..ProptestConfig::default()
    };
    let taken = Taken::default();
    let outcome = TestRunner::new(config).run(&case(), |case| {
        // the runner catches panics
        check(&case, &taken);
        Ok(())
    });
    match outcome {
        Ok(()) => {
            // a comparison of the long way with itself would prove nothing
            let taken = taken.into_inner().expect("no panic");
            let at_least = |what: &str, least| taken.get(what).is_some_and(|&columns| columns >= least);
            for way in ["copied", "dictionary", "leaf"] {
                assert!(at_least(way, 5), "{way}: {taken:?}");
                for kind in ["flat", "nested", "version 1", "version 2"] {
                    assert!(at_least(&format!("{way}, {kind}"), 1), "{way}, {kind}: {taken:?}");
                }
            }
        }
        Err(TestError::Fail(why, case)) => {
            panic!("LAKEVEIL_TEST_SEED={seed}: {why}\n{case:#?}\n{}", rules(&case));
        }
        Err(TestError::Abort(why)) => panic!("LAKEVEIL_TEST_SEED={seed}: {why}"),
    }
}
