//! Rules in their order: the first that matches a column, or what it lies in, decides.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};

use crate::support::{Lake, batch, token};

/// `user` with the fields `id`, `email`, `name`, and `note` beside it.
fn lake() -> Lake {
    let lake = Lake::new();
    let text = |value: &str| Arc::new(StringArray::from(vec![value])) as ArrayRef;
    let field = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
    let parts = ["id", "email", "name"].map(|name| (field(name), text(name)));
    lake.put_parquet(
        "in/t.parquet",
        vec![("user", Arc::new(StructArray::from(parts.to_vec())) as ArrayRef), ("note", text("note"))],
    );
    lake
}

/// What became of the fields of `user`, by name.
fn made(rules: &str) -> Vec<(String, String)> {
    let lake = lake();
    lake.policy(&format!("columns:\n{rules}  note: keep\n"));
    lake.run_well(&[]);
    let made = batch(fs::read(lake.path("out/t.parquet")).expect("reads"));
    let Some(user) = made.column_by_name("user") else { return Vec::new() };
    let user = user.as_struct();
    let names = user.fields().iter().map(|field| field.name().clone());
    names.zip(user.columns().iter().map(|column| column.as_string::<i32>().value(0).to_owned())).collect()
}

fn refused(rules: &str) -> String {
    let lake = lake();
    lake.policy(&format!("columns:\n{rules}  note: keep\n"));
    lake.run(&[]).expect(2).stderr
}

fn pairs<const N: usize>(pairs: [(&str, String); N]) -> Vec<(String, String)> {
    pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

#[test]
fn an_earlier_rule_decides_within_what_a_later_one_decides_on() {
    let pseudonym = "{ pseudonym: { domain: d } }";
    assert_eq!(
        made(&format!("  user.e*: {pseudonym}\n  user.i?: drop\n  user: keep\n")),
        pairs([("email", token("d", "email")), ("name", "name".to_owned())])
    );
    assert_eq!(made(&format!("  user.*: {pseudonym}\n")).len(), 3, "a pattern for every field");
    // a struct that is named first decides on all of it
    assert_eq!(made("  user: drop\n"), pairs([]));
}

#[test]
fn a_rule_for_a_part_of_what_an_earlier_rule_decided_on_is_an_error_wherever_others_stand() {
    for rules in [
        "  user: drop\n  user.id: keep\n",
        // a rule before both must not turn their order round
        "  user.email: keep\n  user: drop\n  user.id: keep\n",
        "  user.email: keep\n  'us*': drop\n  user.id: keep\n",
    ] {
        let error = refused(rules);
        assert!(error.contains("the rule `user.id` decides on no column"), "{rules}: {error}");
    }
    let optional = "{ keep: {}, optional: true }";
    let rules = format!("  user.email: keep\n  user: drop\n  user.id: {optional}\n");
    assert_eq!(made(&rules), pairs([("email", "email".to_owned())]), "the first that matches wins");
}

#[test]
fn a_rule_that_matches_nothing_is_an_error_unless_it_is_optional() {
    for pattern in ["usr.id", "user.di", "'x*'", "'user.x*'", "'note[]'", "'user{}.key'"] {
        let error = refused(&format!("  {pattern}: drop\n  user: keep\n"));
        let name = pattern.trim_matches('\'');
        assert!(error.contains(&format!("the rule `{name}` decides on no column")), "{error}");
        made(&format!("  {pattern}: {{ drop: {{}}, optional: true }}\n  user: keep\n"));
    }
}
