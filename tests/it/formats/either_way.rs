//! Whatever the CSV: byte surgery gives the rows that decoding it all gives, and both give what the policy says.

use std::fs;

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_oneof};
use proptest::test_runner::{TestError, TestRunner};

use super::plain;
use crate::support::{Lake, token};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    Keep,
    Drop,
    Pseudonym,
    /// A pseudonym, and null for an empty text.
    ToNull,
    Mask,
    Redact,
    Nullify,
    /// A pseudonym where the first column is not `ab`, else as it is, null, or a mark.
    Else(&'static str),
}

/// One record: what stands for each field, and its line end.
#[derive(Debug, Clone)]
struct Record {
    fields: Vec<usize>,
    end: &'static str,
    /// A line without a byte behind it.
    blank: bool,
}

#[derive(Debug, Clone)]
struct File {
    mark: bool,
    quoted_header: bool,
    records: Vec<Record>,
    last_end: bool,
}

#[derive(Debug, Clone)]
struct Case {
    delimiter: char,
    quote: char,
    nulls: &'static [&'static str],
    rules: Vec<Rule>,
    /// Further outputs, each of a column by its place.
    copies: Vec<(usize, Rule)>,
    files: Vec<File>,
}

/// Fields as they lie, `D` for the delimiter, `Q` for the quote.
const FIELDS: [&str; 20] = [
    "",
    "",
    "QQ",
    "ab",
    "ab",
    " x ",
    "NULL",
    "-",
    "QNULLQ",
    "Q-Q",
    "QaDbQ",
    "Qone\ntwoQ",
    "Q\r\nQ",
    "QoneQQtwoQ",
    "QQQQQ Q",
    "5Q pipe",
    "żółw",
    "Qab Q",
    "Qa\rbQ",
    "QDQ",
];

fn record(columns: usize) -> impl Strategy<Value = Record> {
    let fields = prop::collection::vec(0..FIELDS.len(), columns);
    let end = prop::sample::select(vec!["\n", "\r\n", "\r"]);
    (fields, end, prop::bool::weighted(0.1)).prop_map(|(fields, end, blank)| Record { fields, end, blank })
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        3 => Just(Rule::Keep),
        1 => Just(Rule::Drop),
        2 => Just(Rule::Pseudonym),
        1 => Just(Rule::ToNull),
        1 => Just(Rule::Mask),
        1 => Just(Rule::Redact),
        1 => Just(Rule::Nullify),
        2 => prop::sample::select(vec!["keep", "to_null", "redact"]).prop_map(Rule::Else),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    // one column of many has its own pitfalls: its nulls are lines without a byte
    let is_alone = prop::bool::weighted(0.3);
    (prop::collection::vec(rule(), 1..=4), is_alone).prop_flat_map(|(mut rules, is_alone)| {
        if is_alone {
            rules[1..].fill(Rule::Drop);
        }
        let copy = (0..rules.len(), rule().prop_filter("an output", |rule| *rule != Rule::Drop));
        let copies = prop_oneof![2 => Just(Vec::new()), 3 => prop::collection::vec(copy, 0..4)];
        let records = prop::collection::vec(record(rules.len()), 0..8);
        let file = (any::<bool>(), any::<bool>(), records, any::<bool>());
        let file =
            file.prop_map(|(mark, quoted_header, records, last_end)| File { mark, quoted_header, records, last_end });
        let dialect = (
            prop::sample::select(vec![',', ';', '\t', '|']),
            prop::sample::select(vec!['"', '\'']),
            prop::sample::select(vec![[].as_slice(), &["NULL", "-"]]),
        );
        (dialect, Just(rules), copies, prop::collection::vec(file, 1..12)).prop_map(
            |((delimiter, quote, nulls), mut rules, copies, files)| {
                if copies.is_empty() && rules.iter().all(|rule| *rule == Rule::Drop) {
                    rules[0] = Rule::Keep;
                }
                Case { delimiter, quote, nulls, rules, copies, files }
            },
        )
    })
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
/// Of further outputs.
const COPIES: [&str; 3] = ["x", "y", "z"];

impl Case {
    fn text(&self, file: &File) -> String {
        let join =
            |fields: &mut dyn Iterator<Item = String>| fields.collect::<Vec<_>>().join(&self.delimiter.to_string());
        let of = |raw: &str| raw.replace('D', &self.delimiter.to_string()).replace('Q', &self.quote.to_string());
        let name = |name: &&str| if file.quoted_header { of(&format!("Q{name}Q")) } else { (*name).to_owned() };
        let mut text = if file.mark { "\u{feff}".to_owned() } else { String::new() };
        text += &join(&mut NAMES[..self.rules.len()].iter().map(name));
        text += "\n";
        for (at, record) in file.records.iter().enumerate() {
            text += &join(&mut record.fields.iter().map(|&field| of(FIELDS[field])));
            if at + 1 < file.records.len() || file.last_end {
                text += record.end;
                text += if record.blank { record.end } else { "" };
            }
        }
        text
    }

    /// Each field's text, and whether it is quoted: one character after the other.
    fn records(&self, text: &str) -> Vec<Vec<(String, bool)>> {
        let (mut records, mut record) = (Vec::new(), Vec::new());
        let (mut field, mut quoted, mut inside) = (String::new(), false, false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                c if inside && c == self.quote && chars.next_if_eq(&c).is_none() => inside = false,
                c if inside => field.push(c),
                c if c == self.quote && field.is_empty() && !quoted => (quoted, inside) = (true, true),
                '\r' if chars.peek() == Some(&'\n') => {}
                c if c == self.delimiter => record.push((std::mem::take(&mut field), std::mem::take(&mut quoted))),
                '\n' | '\r' => {
                    record.push((std::mem::take(&mut field), std::mem::take(&mut quoted)));
                    records.push(std::mem::take(&mut record));
                }
                c => field.push(c),
            }
        }
        assert!(!inside, "a quote without end");
        if !record.is_empty() || quoted || !field.is_empty() {
            record.push((field, quoted));
            records.push(record);
        }
        records
    }

    /// Rows below the header, which must be of these names; blank lines are rows of a file of one column alone.
    fn rows(&self, text: &str, names: &[&str], nulls: &[&str]) -> Vec<Vec<Option<String>>> {
        let mut records = self.records(text).into_iter();
        let header = records.next().expect("a header").into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(header, names);
        let is_null = |text: &str| text.is_empty() || nulls.contains(&text);
        let value = |(text, quoted): (String, bool)| (quoted || !is_null(&text)).then_some(text);
        let rows = records.map(|record| record.into_iter().map(value).collect::<Vec<_>>());
        let rows = rows.filter(|row| names.len() == 1 || *row != [None]).collect::<Vec<_>>();
        assert!(rows.iter().all(|row| row.len() == names.len()), "{rows:?}");
        rows
    }

    fn policy(&self, sink: &str, filter: &str) -> String {
        let quoted = |text: &str| format!("{text:?}");
        let dialect = format!("delimiter: {:?}, quote: {:?}", self.delimiter.to_string(), self.quote.to_string());
        let nulls = self.nulls.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
        let mut policy = format!(
            "version: 1\ndataset: test\nkeyring: {{ file: keyring.json }}\n\
             source: {{ url: in/, csv: {{ {dialect}, null: [{nulls}] }} }}\n\
             sink: {{ url: {sink}, csv: {{ {dialect} }} }}\n{filter}columns:\n"
        );
        let text = |rule: &Rule| match rule {
            Rule::Keep => "keep: {}".to_owned(),
            Rule::Drop => "drop: {}".to_owned(),
            Rule::Pseudonym => "pseudonym: { domain: d }".to_owned(),
            Rule::ToNull => "pseudonym: { domain: d }, empty: to_null".to_owned(),
            Rule::Mask => "mask: { keep_first: 1 }".to_owned(),
            Rule::Redact => "redact: \"it's, |;\\tgone\"".to_owned(),
            Rule::Nullify => "nullify: {}".to_owned(),
            Rule::Else(word) => format!("pseudonym: {{ domain: d }}, when: \"a <> 'ab'\", otherwise: {word}"),
        };
        for (name, rule) in NAMES.iter().zip(&self.rules) {
            policy += &format!("  {name}: {{ {} }}\n", text(rule));
        }
        for (name, (from, rule)) in COPIES.iter().zip(&self.copies) {
            policy += &format!("  {name}: {{ from: {}, {} }}\n", NAMES[*from], text(rule));
        }
        policy
    }
}

impl Rule {
    /// What becomes of a value in a row whose first column is `first`.
    fn made(self, value: Option<String>, first: Option<&str>) -> Option<String> {
        let value = value?;
        match self {
            Self::Else("keep") if first == Some("ab") => Some(value),
            Self::Else("redact") if first == Some("ab") => Some("[redacted]".to_owned()),
            Self::Else(_) if first == Some("ab") => None,
            Self::Keep => Some(value),
            Self::ToNull if value.is_empty() => None,
            Self::Pseudonym | Self::ToNull | Self::Else(_) => Some(token("d", &value)),
            Self::Mask => Some(match value.chars().count() {
                0 => value,
                1 => "*".to_owned(),
                length => value.chars().take(1).chain(std::iter::repeat_n('*', length - 1)).collect(),
            }),
            Self::Redact => Some("it's, |;\tgone".to_owned()),
            Self::Nullify | Self::Drop => None,
        }
    }
}

fn check(case: &Case) {
    let lake = Lake::new();
    let sources: Vec<String> = case.files.iter().map(|file| case.text(file)).collect();
    for (index, source) in sources.iter().enumerate() {
        lake.put(&format!("in/{index}.csv"), source);
    }
    let left = |rule: &&Rule| **rule != Rule::Drop;
    let names = NAMES.iter().zip(&case.rules).filter(|(_, rule)| left(rule)).map(|(name, _)| *name);
    let names: Vec<&str> = names.chain(COPIES.into_iter().take(case.copies.len())).collect();
    let expected = |source: &String| {
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        let rows = case.rows(source, &NAMES[..case.rules.len()], case.nulls).into_iter().map(|row| {
            let first = row[0].clone();
            let own = case.rules.iter().zip(&row).filter(|(rule, _)| left(rule));
            let copies = case.copies.iter().map(|(from, rule)| (rule, &row[*from]));
            own.chain(copies).map(|(rule, value)| rule.made(value.clone(), first.as_deref())).collect::<Vec<_>>()
        });
        rows.collect::<Vec<_>>()
    };
    let expected: Vec<_> = sources.iter().map(expected).collect();
    for (sink, filter, routes) in [("out/", "", ["copied", "leaf"]), ("streamed/", "where: \"true\"\n", ["stream"; 2])]
    {
        lake.put("policy.yaml", case.policy(sink, filter));
        let report = lake.run_well(&[]);
        let columns = report["columns"].as_array().expect("columns");
        // without rows there may be no way
        let columns = columns.iter().filter(|_| expected.iter().any(|rows| !rows.is_empty()));
        let rules = case.rules.iter().filter(left).chain(case.copies.iter().map(|(_, rule)| rule));
        for (column, rule) in columns.zip(rules) {
            let route = if *rule == Rule::Keep { routes[0] } else { routes[1] };
            assert_eq!(column["routes"][0]["route"], route, "{rule:?}");
        }
        for (index, expected) in expected.iter().enumerate() {
            let path = format!("{sink}{index}.csv");
            let made = plain(&path, &fs::read(lake.path(&path)).expect("reads"));
            // what is kept as it lies keeps the source's words for null
            let nulls = if filter.is_empty() { case.nulls } else { &[] };
            let rows = case.rows(&made, &names, nulls);
            assert_eq!(rows, *expected, "{path}: {:?} became {made:?}", sources[index]);
        }
    }
}

#[test]
fn byte_surgery_gives_the_rows_that_decoding_gives() {
    let cases = std::env::var("LAKEVEIL_TEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    let config =
        ProptestConfig { cases, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&case(), |case| {
        check(&case);
        Ok(())
    });
    if let Err(TestError::Fail(why, case)) = outcome {
        panic!("{why}\n{case:#?}\n{}", case.policy("out/", ""));
    }
}
