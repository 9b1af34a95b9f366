//! Real data that nobody of this project made: joins outlive pseudonymization, and odd files stay what they are.

mod lineage;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::formats::{USUAL, read};
use crate::support::{Lake, Table, contains, corpora, csv_table, table, token};

type Values = Vec<Option<String>>;

/// Tokens, each distinct value's once.
fn tokens<'a>(domain: &str, values: impl IntoIterator<Item = &'a Option<String>>) -> Values {
    let mut known: HashMap<&str, String> = HashMap::new();
    let mut token = |value: &'a str| known.entry(value).or_insert_with(|| token(domain, value)).clone();
    values.into_iter().map(|value| value.as_deref().map(&mut token)).collect()
}

fn counts(values: &Values) -> HashMap<&str, u64> {
    let mut counts = HashMap::new();
    values.iter().flatten().for_each(|value| *counts.entry(value.as_str()).or_default() += 1);
    counts
}

/// Rows of an inner join on equal values; null joins nothing.
fn joined(left: &Values, right: &Values) -> u64 {
    joined_counts(&counts(left), &counts(right))
}

fn joined_counts(left: &HashMap<&str, u64>, right: &HashMap<&str, u64>) -> u64 {
    // it is the same from either side, and quicker from the smaller
    let (left, right) = if left.len() < right.len() { (left, right) } else { (right, left) };
    left.iter().map(|(value, count)| count * right.get(value).copied().unwrap_or(0)).sum()
}

/// Rows, nulls and distinct values: what a transform of identifiers must not change.
fn shape(values: &Values) -> (usize, usize, usize) {
    let distinct: HashSet<&String> = values.iter().flatten().collect();
    (values.len(), values.iter().filter(|value| value.is_none()).count(), distinct.len())
}

fn policy(source: &Path, sink: &str, rules: &str) -> String {
    let source = source.display();
    format!(
        "version: 1\ndataset: test\nsource: {{ url: \"{source}\" }}\nsink: {{ url: out/{sink} }}\n\
         keyring: {{ file: keyring.json }}\nunlisted: keep\n{rules}"
    )
}

/// Which columns of the pseudopeople files hold what a domain is about.
const PEOPLE: [(&str, &[&str]); 4] = [
    ("ssn", &["ssn", "copy_ssn"]),
    ("people", &["simulant_id", "guardian_1", "guardian_2"]),
    ("households", &["household_id"]),
    ("names", &["first_name", "middle_name", "last_name"]),
];

fn people_rules() -> String {
    let mut rules = "columns:\n".to_owned();
    for (domain, columns) in PEOPLE {
        for column in columns {
            rules += &format!("  {column}: {{ pseudonym: {{ domain: {domain} }}, optional: true }}\n");
        }
    }
    rules + "  date_of_birth: { mask: { keep_first: 4 } }\n  copy_date_of_birth: nullify\n"
}

#[test]
fn joins_between_pseudopeople_files_count_the_same_before_and_after() {
    let Some(folder) = corpora("pseudopeople") else { return };
    let lake = Lake::new();
    let sink = ", parquet: { compression: none }";
    lake.put("policy.yaml", policy(&folder.join("*.parquet"), sink, &people_rules()));
    let report = lake.run_well(&[]);
    let files = lake.objects("out");
    assert_eq!(files.len(), 5, "{files:?}");
    let before: BTreeMap<&str, Table> = files.iter().map(|file| (file.as_str(), table(&folder.join(file)))).collect();
    let after: BTreeMap<&str, Table> =
        files.iter().map(|file| (file.as_str(), lake.table(&format!("out/{file}")))).collect();

    for (file, before) in &before {
        let after = &after[file];
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "{file}");
        for (column, values) in before {
            let domain = PEOPLE.iter().find(|(_, columns)| columns.contains(&column.as_str()));
            let masked = |value: &String| value[..4].to_owned() + &"*".repeat(value.len() - 4);
            let expected = match (column.as_str(), domain) {
                (_, Some((domain, _))) => tokens(domain, values),
                ("date_of_birth", _) => values.iter().map(|value| value.as_ref().map(masked)).collect(),
                ("copy_date_of_birth", _) => vec![None; values.len()],
                _ => values.clone(),
            };
            assert!(after[column] == expected, "{file}: {column} is not what the rule says");
        }
    }

    let mut compared = 0;
    for (domain, columns) in PEOPLE {
        let places = files.iter().flat_map(|file| columns.iter().map(|column| (file.as_str(), *column)));
        let places: Vec<_> = places.filter(|(file, column)| before[file].contains_key(*column)).collect();
        let of = |tables: &BTreeMap<&str, Table>, (file, column): &(&str, &str)| tables[file][*column].clone();
        let (raw, made): (Vec<_>, Vec<_>) = places.iter().map(|at| (of(&before, at), of(&after, at))).unzip();
        let (raw_counts, made_counts): (Vec<_>, Vec<_>) = raw.iter().map(counts).zip(made.iter().map(counts)).unzip();
        for left in 0..places.len() {
            assert_eq!(shape(&raw[left]), shape(&made[left]), "{domain}: {:?}", places[left]);
            for right in 0..places.len() {
                let rows = joined_counts(&raw_counts[left], &raw_counts[right]);
                let made = joined_counts(&made_counts[left], &made_counts[right]);
                assert_eq!(rows, made, "{domain}: {:?} with {:?}", places[left], places[right]);
                compared += usize::from(places[left].0 != places[right].0 && rows > 0);
            }
        }
    }
    // joins without rows would prove nothing
    assert!(compared > 100, "{compared} joins between two files have rows");

    let ssns = before["social_security.parquet"]["ssn"].iter().flatten();
    let bytes: Vec<Vec<u8>> = files.iter().map(|file| fs::read(lake.path("out").join(file)).expect("reads")).collect();
    for ssn in ssns.step_by(1_000) {
        assert!(bytes.iter().all(|bytes| !contains(bytes, ssn.as_bytes())), "a number is left in the output");
    }
    let rows: usize = before.values().map(|table| table["first_name"].len()).sum();
    assert_eq!((&report["totals"]["rows_in"], &report["totals"]["rows_out"]), (&rows.into(), &rows.into()));
    let names = report["columns"].as_array().expect("columns").iter().find(|column| column["name"] == "first_name");
    assert_eq!(names.expect("is reported")["values"], rows, "a column that every file has is counted in every file");
}

#[test]
fn social_security_numbers_join_the_files_of_two_runs() {
    // the corpus has one file of numbers: births and deaths of it, apart, are two files that join
    let Some(folder) = corpora("pseudopeople") else { return };
    let source = folder.join("social_security.parquet");
    let raw = table(&source);
    let lake = Lake::new();
    let mut parts: HashMap<&str, [Values; 2]> = HashMap::new();
    for (event, format) in [("creation", "parquet"), ("death", "csv")] {
        let rules = format!("where: \"event_type = '{event}'\"\n{}", people_rules());
        lake.put("policy.yaml", policy(&source, &format!(", format: {format}"), &rules));
        let sink = format!("{event}/");
        lake.run_well(&["--sink", &sink]);
        let made = lake.table(&format!("{sink}social_security.{format}")).remove("ssn").expect("is there");
        let events = raw["event_type"].iter().map(|value| value.as_deref() == Some(event));
        let before: Values = raw["ssn"].iter().zip(events).filter(|(_, is)| *is).map(|(ssn, _)| ssn.clone()).collect();
        assert!(!before.is_empty(), "{event}");
        assert_eq!(shape(&before), shape(&made), "{event}");
        parts.insert(event, [before, made]);
    }
    let ([births, made_births], [deaths, made_deaths]) = (&parts["creation"], &parts["death"]);
    let count = joined(births, deaths);
    assert!(count > 1_000, "{count}");
    assert_eq!(count, joined(made_births, made_deaths));
    assert_eq!(joined(births, made_deaths), 0, "tokens are not numbers");
}

#[test]
fn febrl_files_keep_their_blanks_and_join_after_trimming() {
    let Some(folder) = corpora("febrl") else { return };
    // the names begin with the blank that follows each comma in the header
    let columns = [(" soc_sec_id", "ssn"), (" given_name", "names"), (" surname", "names"), ("rec_id", "records")];
    let rules = columns.iter().fold("columns:\n".to_owned(), |rules, (column, domain)| {
        rules + &format!("  \"{column}\": {{ normalize: [trim], empty: to_null, pseudonym: {{ domain: {domain} }} }}\n")
    });
    let trimmed = |values: &Values| -> Values {
        let trim = |value: &Option<String>| value.as_ref().map(|value| value.trim().to_owned());
        values.iter().map(trim).map(|value| value.filter(|value| !value.is_empty())).collect()
    };
    for format in ["csv", "parquet"] {
        let lake = Lake::new();
        lake.put("policy.yaml", policy(&folder.join("*.csv"), &format!(", format: {format}"), &rules));
        lake.run_well(&[]);
        let mut before = BTreeMap::new();
        let mut after = BTreeMap::new();
        for name in ["dataset1", "dataset2", "dataset3", "dataset4a", "dataset4b"] {
            let raw = csv_table(&fs::read(folder.join(format!("{name}.csv"))).expect("reads"));
            let made = lake.table(&format!("out/{name}.{format}"));
            assert_eq!(raw.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>(), "{name} to {format}");
            for (column, values) in &raw {
                let expected = match columns.iter().find(|(known, _)| known == column) {
                    Some((_, domain)) => tokens(domain, &trimmed(values)),
                    None => values.clone(),
                };
                assert!(made[column] == expected, "{name} to {format}: {column}");
            }
            before.insert(name, trimmed(&raw[" soc_sec_id"]));
            after.insert(name, made[" soc_sec_id"].clone());
        }
        let pairs = |tables: &BTreeMap<&str, Values>| joined(&tables["dataset4a"], &tables["dataset4b"]);
        assert!(pairs(&before) > 1_000, "the two files describe the same people");
        assert_eq!(pairs(&before), pairs(&after), "{format}");
        let nulls =
            shape(&trimmed(&csv_table(&fs::read(folder.join("dataset1.csv")).expect("reads"))[" given_name"])).1;
        assert!(nulls > 0, "names of blanks alone become null");
    }
    let lake = Lake::new();
    lake.put(
        "policy.yaml",
        policy(&folder.join("*.csv"), "", "columns: { soc_sec_id: { pseudonym: { domain: ssn } } }\n"),
    );
    let error = lake.run(&[]).expect(2).stderr;
    assert!(error.contains("did you mean") && error.contains("` soc_sec_id`"), "{error}");
}

/// What a file of csv-spectrum holds: names in order, rows as the project's JSON says.
fn spectrum(folder: &Path, name: &str) -> (String, Vec<BTreeMap<String, String>>) {
    let mut csv = fs::read_to_string(folder.join(format!("csvs/{name}.csv"))).expect("reads");
    // two are named for line ends that version control took from them
    if name.ends_with("_crlf") && !csv.contains('\r') {
        csv = csv.replace('\n', "\r\n");
    }
    let json = fs::read_to_string(folder.join(format!("json/{name}.json"))).expect("reads");
    let rows: Value = serde_json::from_str(&json).expect("is JSON");
    let rows = if rows.is_array() { rows } else { Value::Array(vec![rows]) };
    let mut rows: Vec<BTreeMap<String, String>> = serde_json::from_value(rows).expect("rows of texts");
    if name == "location_coordinates" {
        // the project's JSON has another number than its CSV
        let phone = rows[0].insert("Contact Phone Number".to_owned(), "2095257564".to_owned());
        assert_eq!(phone.as_deref(), Some("1234567890"), "mended since: compare it, too");
    }
    (csv, rows)
}

#[test]
fn every_file_of_csv_spectrum_is_read_and_written_as_it_is_meant() {
    let Some(folder) = corpora("csv-spectrum") else { return };
    let mut names: Vec<String> = fs::read_dir(folder.join("csvs"))
        .expect("lists")
        .map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    assert_eq!(names.len(), 12, "{names:?}");
    for name in &names {
        let (csv, rows) = spectrum(&folder, name);
        let lake = Lake::new();
        lake.put("in/t.csv", &csv);
        let header = csv.lines().next().expect("a header");
        let columns: Vec<&str> = header.split(',').collect();
        let of = |column: &str| -> Values { rows.iter().map(|row| Some(row[column].clone())).collect() };
        for format in ["csv", "parquet"] {
            for secret in [None, columns.first()] {
                let case = format!("{name} to {format}, {secret:?} a token");
                let rules = secret.map_or("columns: {}\n".to_owned(), |secret| {
                    format!("columns: {{ \"`{secret}`\": {{ pseudonym: {{ domain: d }} }} }}\n")
                });
                let source = Path::new("in/");
                lake.put("policy.yaml", policy(source, &format!(", format: {format}"), &rules));
                lake.run_well(&["--full"]);
                let made = read(&lake, &format!("out/t.{format}"), USUAL);
                assert_eq!(made.len(), columns.len(), "{case}");
                for column in &columns {
                    let expected = if secret == Some(column) { tokens("d", &of(column)) } else { of(column) };
                    assert_eq!(made[*column], expected, "{case}: {column}");
                }
                if format == "csv" {
                    // line ends are the source's, between records and within values
                    let written = fs::read_to_string(lake.path("out/t.csv")).expect("reads");
                    assert_eq!(written.lines().next(), Some(header), "{case}");
                    for ends in
                        [written.contains('\r') == csv.contains('\r'), written.ends_with('\n') == csv.ends_with('\n')]
                    {
                        assert!(ends, "{case}: {written:?}");
                    }
                }
            }
        }
    }
}

/// Tables of Synthea with their identifiers, each by the domain it belongs to.
const SYNTHEA: [(&str, &[(&str, &str)]); 8] = [
    ("patients", &[("Id", "patients")]),
    ("encounters", &[("Id", "encounters"), ("PATIENT", "patients")]),
    ("claims", &[("Id", "claims"), ("PATIENTID", "patients"), ("APPOINTMENTID", "encounters")]),
    ("claims_transactions", &[("CLAIMID", "claims"), ("PATIENTID", "patients"), ("APPOINTMENTID", "encounters")]),
    ("conditions", &[("PATIENT", "patients"), ("ENCOUNTER", "encounters")]),
    ("medications", &[("PATIENT", "patients"), ("ENCOUNTER", "encounters")]),
    ("procedures", &[("PATIENT", "patients"), ("ENCOUNTER", "encounters")]),
    ("payer_transitions", &[("PATIENT", "patients")]),
];

#[test]
fn linked_tables_of_synthea_join_the_same_before_and_after_in_either_format() {
    let Some(folder) = corpora("synthea-csv") else { return };
    let mut keys: Vec<(String, &str, Values, Values)> = Vec::new();
    for (at, (name, columns)) in SYNTHEA.iter().enumerate() {
        // tables in two formats join as tables in one do
        let format = ["csv", "parquet"][at % 2];
        let lake = Lake::new();
        let mut rules = "columns:\n".to_owned();
        for (column, domain) in *columns {
            rules += &format!("  {column}: {{ pseudonym: {{ domain: {domain} }} }}\n");
        }
        if *name == "patients" {
            rules += "  SSN: { mask: { keep_last: 4, keep_separators: true } }\n  DRIVERS: drop\n  PASSPORT: nullify\n";
        }
        let source = folder.join(format!("{name}.csv"));
        lake.put("policy.yaml", policy(&source, &format!(", format: {format}"), &rules));
        lake.run_well(&[]);
        let (before, after) = (table(&source), lake.table(&format!("out/{name}.{format}")));
        for (column, values) in &before {
            match columns.iter().find(|(known, _)| known == column) {
                Some((_, domain)) => {
                    assert_eq!(after[column], tokens(domain, values), "{name}: {column}");
                    keys.push((format!("{name}.{column}"), domain, values.clone(), after[column].clone()));
                }
                None if *name == "patients" && ["SSN", "DRIVERS", "PASSPORT"].contains(&column.as_str()) => {}
                None => assert_eq!(after[column], *values, "{name}: {column} is kept"),
            }
        }
        if *name == "patients" {
            let masked = |value: &String| format!("***-**-{}", &value[value.len() - 4..]);
            let ssns: Values = before["SSN"].iter().map(|value| value.as_ref().map(masked)).collect();
            assert_eq!((&after["SSN"], after.get("DRIVERS")), (&ssns, None));
            assert_eq!(after["PASSPORT"], vec![None; ssns.len()]);
        }
    }
    let mut with_rows = 0;
    for (left, domain, before, after) in &keys {
        assert_eq!(shape(before), shape(after), "{left}");
        for (right, other, right_before, right_after) in &keys {
            let (raw, made) = (joined(before, right_before), joined(after, right_after));
            // values of two domains never meet, whatever they were
            let expected = if domain == other { raw } else { 0 };
            assert_eq!(made, expected, "{left} with {right}");
            with_rows += usize::from(left != right && made > 0);
        }
    }
    assert!(with_rows > 60, "{with_rows} joins have rows");
}
