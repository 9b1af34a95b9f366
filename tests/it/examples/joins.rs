//! What joined before joins after, and nothing else does.

use std::collections::{BTreeSet, HashMap};

use super::{Made, pairs, source};
use crate::support::Table;

/// Pairs of rows with one value in both columns; null meets nothing.
fn joined(left: &[Option<String>], right: &[Option<String>]) -> usize {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    right.iter().flatten().for_each(|value| *counts.entry(value).or_default() += 1);
    left.iter().flatten().map(|value| counts.get(value.as_str()).copied().unwrap_or(0)).sum()
}

/// As the policies write it: `[trim, lowercase]`, and null where nothing is left.
fn address(values: &[Option<String>]) -> Vec<Option<String>> {
    let made = values.iter().map(|value| value.as_ref().map(|value| value.trim().to_lowercase()));
    made.map(|value| value.filter(|value| !value.is_empty())).collect()
}

#[test]
fn declared_joins_match_as_often_as_in_the_source() {
    let made = Made::by_all(&["quickstart", "orders", "events", "payments", "analytics"]);
    let sides =
        ["quickstart", "orders", "events", "payments", "analytics"].map(|policy| (source(policy), made.rows(policy)));
    let [customers, orders, events, payments, accounts] = &sides;
    let same = |(left, right): (&(Table, Table), &(Table, Table)), name: &str, other: &str| {
        let before = joined(&left.0[name], &right.0[other]);
        assert_eq!(joined(&left.1[name], &right.1[other]), before, "{name} = {other}");
        assert!(before > 100, "{name} = {other}: {before}");
    };
    same((customers, orders), "customer_id", "customer_id");
    same((accounts, customers), "customer_id", "customer_id");
    same((accounts, orders), "customer_id", "customer_id");
    same((accounts, events), "customer_id", "user_id");
    same((accounts, payments), "customer_id", "customer_id");
    same((payments, customers), "customer_id", "customer_id");

    let before = joined(&address(&accounts.0["email"]), &address(&orders.0["billing_email"]));
    assert!(before > joined(&accounts.0["email"], &orders.0["billing_email"]), "spellings differ");
    assert_eq!(joined(&accounts.1["email_key"], &orders.1["billing_email"]), before);
    assert_eq!(
        joined(&accounts.1["email_key"], &customers.1["email"]),
        joined(&address(&accounts.0["email"]), &address(&customers.0["email"]))
    );
}

#[test]
fn outputs_of_different_domains_do_not_join() {
    let made = Made::by_all(&["quickstart", "partner-export", "kelora", "logs", "analytics"]);
    let [customers, partner, kelora, logs, accounts] =
        ["quickstart", "partner-export", "kelora", "logs", "analytics"].map(|policy| made.rows(policy));
    assert_eq!(joined(&customers["customer_id"], &partner["partner_ref"]), 0);
    assert_eq!(joined(&customers["email"], &partner["email"]), 0);
    assert_eq!(joined(&kelora["user_id"], &logs["user_id"]), 0);
    assert_eq!(joined(&accounts["account_id"], &accounts["customer_id"]), 0);
    // the token in a mail address is of another domain than that of the address as a whole
    let locals: Vec<_> =
        accounts["email"].iter().map(|mail| Some(mail.as_ref()?.split_once('@')?.0.to_owned())).collect();
    assert_eq!(joined(&locals, &accounts["email_key"]), 0);
}

#[test]
fn a_find_in_a_message_is_the_token_of_the_same_login() {
    let made = Made::by("logs").rows("logs");
    let before = source("logs");
    let users: BTreeSet<&str> = made["user_id"].iter().flatten().map(String::as_str).collect();
    let mut met = 0;
    for (raw, text) in pairs(&before["message"], &made["message"]) {
        let Some(at) = raw.split(' ').position(|word| word.contains('@')) else { continue };
        let token = text.split(' ').nth(at).expect("as many words");
        assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let login = raw.split(' ').nth(at).map(str::to_owned);
        let is_user = address(&before["user_id"]).contains(&login);
        assert_eq!(users.contains(token), is_user);
        met += usize::from(is_user);
    }
    assert!(met > 5, "{met}");
}
