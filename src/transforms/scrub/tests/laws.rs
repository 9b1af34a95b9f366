use proptest::prelude::*;
use proptest::sample::select;

use super::vectors::VECTORS;
use super::*;
use crate::transforms::testing::one;

/// What leads finders on: bytes of triggers, prefixes, digits and separators.
const LURES: &[&str] = &[
    "@",
    ".",
    "-",
    "_",
    "+",
    ":",
    "::",
    " ",
    "/",
    "(",
    ")",
    "\"",
    "'",
    "=",
    "%",
    "1",
    "12",
    "123",
    "4111",
    "2001",
    "a",
    "A",
    "X",
    "Z",
    "AB",
    "DE",
    "J",
    "eyJ",
    "eyJhbGciOiJub25lIn0",
    "sk-",
    "AKIA",
    "ghp_",
    "SG.",
    "xoxb-",
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "-----END ",
    "com",
    "xn--",
    "é",
    "中",
    "\u{301}",
    "\u{a0}",
    "\u{202f}",
    "\u{2011}",
    "\u{0}",
    "\u{5d0}",
    "😀",
    "fe80",
    "ffff",
    "2A",
];

fn lures() -> impl Strategy<Value = String> {
    proptest::collection::vec(select(LURES), 0..40).prop_map(|parts| parts.concat())
}

fn instance() -> impl Strategy<Value = (Kind, String)> {
    let all: Vec<_> =
        VECTORS.valid.iter().flat_map(|(&kind, texts)| texts.iter().map(move |text| (kind, text.clone()))).collect();
    select(all)
}

/// Characters that belong to no identifier and lead to none.
fn surroundings() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        select(vec![" ", ",", ";", "\n", "<", ">", "!", "中", "é", "😀", "\u{301}", "\u{0}"]),
        0..12,
    )
    .prop_map(|parts| parts.concat())
}

/// Finds are in order, apart, not empty and at the ends of characters; what is outside them stays.
fn holds(options: serde_json::Value, search: &Search, text: &str) {
    let mut finds = Vec::new();
    search.find_into(text, &mut finds);
    let (mut at, mut expected) = (0, String::new());
    for find in &finds {
        assert!(at <= find.start && find.start < find.end, "{finds:?}");
        expected += text.get(at..find.start).expect("ends of characters");
        assert!(text.is_char_boundary(find.end));
        expected += &format!("<{}>", search.names()[usize::from(find.kind)].to_uppercase());
        at = find.end;
    }
    expected += &text[at..];
    assert_eq!(strings(&scrub(options, &[Some(text)], &[]).array).value(0), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_outside_finds_stays_byte_for_byte(text in any::<String>()) {
        holds(json!({}), &everything(), &text);
    }

    #[test]
    fn nothing_that_looks_like_a_find_breaks_it(text in lures()) {
        holds(json!({}), &everything(), &text);
    }

    #[test]
    fn nothing_that_looks_like_a_national_number_breaks_it(text in lures()) {
        let regions = crate::transforms::normalize::Region::from_code("DE").into_iter().collect();
        let options = json!({ "find": ["phone"], "phone_regions": ["DE"] });
        holds(options, &Search::new(&[Kind::Phone], vec![], regions), &text);
    }

    #[test]
    fn a_planted_instance_is_always_found(
        (kind, instance) in instance(), before in surroundings(), after in surroundings(),
    ) {
        // in these two a letter or mark of any script goes on
        let joins = |text: &str| kind == Kind::Email && !text.is_ascii();
        prop_assume!(!joins(&before) && !joins(&after));
        let text = format!("{before}{instance}{after}");
        let found = found(&search(&[kind]), &text);
        prop_assert_eq!(found, vec![(kind.name().to_owned(), instance.as_str())]);
    }

    #[test]
    fn a_planted_instance_never_stays_whatever_else_is_looked_for(
        (_, instance) in instance(), before in lures(), after in lures(),
    ) {
        let text = format!("{before} {instance} {after}");
        let start = before.len() + 1;
        let mut finds = Vec::new();
        everything().find_into(&text, &mut finds);
        let covers = |find: &Find| find.start <= start && start + instance.len() <= find.end;
        prop_assert!(finds.iter().any(covers), "{:?}", finds);
    }

    #[test]
    fn a_mask_leaves_nothing_but_separators((kind, instance) in instance()) {
        let made = scrub(json!({ "find": [kind], "replace": "mask" }), &[Some(&instance)], &[]);
        let masked = strings(&made.array).value(0);
        prop_assert!(!masked.chars().any(char::is_alphanumeric));
        prop_assert_eq!(masked.chars().count(), instance.chars().count());
    }
}

#[test]
fn nulls_stay_and_values_without_a_key_leave_nothing() {
    let options = json!({ "replace": "pseudonym", "domain": "notes", "tenant": { "column": "tenant" } });
    let values = [Some("no find"), None, Some("to secret@example.com now"), Some(""), Some("ann@example.com")];
    let made = scrub(options, &values, &[&[Some("a"), None, None, Some("b"), Some("b")]]);
    let array = strings(&made.array);
    assert_eq!(array.iter().collect::<Vec<_>>()[..4], [Some("no find"), None, None, Some("")]);
    assert_eq!(array.value_data().len(), "no find".len() + 32, "nothing stands under nulls");
    assert_eq!(made.failures.iter().map(|failure| failure.index).collect::<Vec<_>>(), [2]);
    assert!(made.failures.iter().all(|failure| !failure.reason.contains("secret")));
    assert_eq!(made.found.iter().map(|found| found.index).collect::<Vec<_>>(), [4]);
}

/// Each find's token is that of a `pseudonym` column, under the key of its row, whatever is found in other rows.
#[test]
fn tokens_are_those_of_pseudonym_under_each_rows_key() {
    let pseudonym =
        built(json!({ "pseudonym": { "domain": "d/{r}", "tenant": { "column": "t" } } }), &any_keys()).unwrap();
    let token = |value, row: usize| one(&pseudonym, value, &[["x", "y"][row % 2], ["t", "u", "v"][row % 3]]).unwrap();
    let rows: Vec<String> = (0..12).map(|row| format!("a@b.cc {row} ::1 c@d.ee")).collect();
    let values: Vec<_> = rows.iter().map(|text| Some(text.as_str())).collect();
    let regions: Vec<_> = (0..12).map(|row| Some(["x", "y"][row % 2])).collect();
    let tenants: Vec<_> = (0..12).map(|row| Some(["t", "u", "v"][row % 3])).collect();
    let options = json!({
        "replace": { "email": "pseudonym", "ip": "mask" }, "domain": "d/{r}", "tenant": { "column": "t" },
    });
    let made = scrub(options, &values, &[&regions, &tenants]);
    for row in 0..12 {
        let expected = format!("{} {row} ::* {}", token("a@b.cc", row), token("c@d.ee", row));
        assert_eq!(strings(&made.array).value(row), expected);
    }
}

#[test]
fn more_tokens_than_are_made_at_one_go_are_all_right() {
    let pseudonym = built(json!({ "pseudonym": { "domain": "d" } }), &any_keys()).unwrap();
    let rows: Vec<String> = (0..5000).map(|row| format!("u{row}@b.cc, v{row}@b.cc")).collect();
    let values: Vec<_> = rows.iter().map(|text| Some(text.as_str())).collect();
    let made = scrub(json!({ "find": ["email"], "replace": "pseudonym", "domain": "d" }), &values, &[]);
    for row in [0, 1, 2047, 2048, 4999] {
        let token = |name: &str| one(&pseudonym, &format!("{name}{row}@b.cc"), &[]).unwrap();
        assert_eq!(strings(&made.array).value(row), format!("{}, {}", token("u"), token("v")));
    }
}

#[test]
fn finds_are_counted_by_row_and_kind() {
    let made = scrub(json!({ "find": ["ip", "email"] }), &[Some("::1 a@b.cc"), None, Some("-"), Some("a@b.cc")], &[]);
    let found: Vec<_> = made.found.iter().map(|found| (found.index, found.kind)).collect();
    assert_eq!(found, [(0, 1), (0, 0), (3, 0)], "email is first, in the order of kinds");
}
