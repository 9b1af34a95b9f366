use arrow::array::{Array, AsArray, BinaryArray};
use proptest::prelude::*;
use proptest::sample::select;

use super::vectors::VECTORS;
use super::*;

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

fn scrubbed(scrubber: &Scrubber, text: &str) -> String {
    let scrubbed = scrubber.scrub(&BinaryArray::from_iter_values([text]), |_, _| Ok(None)).unwrap();
    scrubbed.array.as_string::<i32>().value(0).to_owned()
}

/// Finds are in order, apart, not empty and at the ends of characters; what is outside them stays.
fn holds(scrubber: &Scrubber, text: &str) {
    let mut finds = Vec::new();
    scrubber.find(text, &mut finds);
    let (mut at, mut expected) = (0, String::new());
    for find in &finds {
        assert!(at <= find.start && find.start < find.end, "{finds:?}");
        expected += text.get(at..find.start).expect("ends of characters");
        assert!(text.is_char_boundary(find.end));
        expected += &format!("<{}>", scrubber.kinds()[usize::from(find.kind)].to_uppercase());
        at = find.end;
    }
    expected += &text[at..];
    assert_eq!(scrubbed(scrubber, text), expected);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_outside_finds_stays_byte_for_byte(text in any::<String>()) {
        holds(&everything(), &text);
    }

    #[test]
    fn nothing_that_looks_like_a_find_breaks_it(text in lures()) {
        holds(&everything(), &text);
    }

    #[test]
    fn nothing_that_looks_like_a_national_number_breaks_it(text in lures()) {
        let regions = crate::transforms::normalize::Region::from_code("DE").into_iter().collect();
        holds(&Scrubber::new(&[Kind::Phone], vec![], regions, |_| Replacement::Label), &text);
    }

    #[test]
    fn a_planted_instance_is_always_found(
        (kind, instance) in instance(), before in surroundings(), after in surroundings(),
    ) {
        // in these two a letter or mark of any script goes on
        let joins = |text: &str| kind == Kind::Email && text.chars().any(|c| !c.is_ascii());
        prop_assume!(!joins(&before) && !joins(&after));
        let text = format!("{before}{instance}{after}");
        let found = found(&scrubber(&[kind]), &text);
        prop_assert_eq!(found, vec![(kind.name().to_owned(), instance.as_str())]);
    }

    #[test]
    fn a_planted_instance_never_stays_whatever_else_is_looked_for(
        (_, instance) in instance(), before in lures(), after in lures(),
    ) {
        let text = format!("{before} {instance} {after}");
        let start = before.len() + 1;
        let mut finds = Vec::new();
        everything().find(&text, &mut finds);
        let covers = |find: &Find| find.start <= start && start + instance.len() <= find.end;
        prop_assert!(finds.iter().any(covers), "{:?}", finds);
    }

    #[test]
    fn a_mask_leaves_nothing_but_separators((kind, instance) in instance()) {
        let masking = Scrubber::new(&[kind], vec![], vec![], |_| Replacement::Mask);
        let masked = scrubbed(&masking, &instance);
        prop_assert!(!masked.chars().any(char::is_alphanumeric));
        prop_assert_eq!(masked.chars().count(), instance.chars().count());
    }
}

#[test]
fn nulls_stay_and_failed_values_leave_nothing() {
    let scrubber = Scrubber::new(Kind::ALL, vec![], vec![], |_| Replacement::Pseudonym);
    let values = BinaryArray::from(vec![
        Some("no find".as_bytes()),
        None,
        Some("to secret@example.com now".as_bytes()),
        Some(b"\xffsecret".as_slice()),
        Some(b"".as_slice()),
    ]);
    let scrubbed = scrubber.scrub(&values, |_, _| Ok(None)).unwrap();
    let array = scrubbed.array.as_string::<i32>();
    assert_eq!(array.iter().collect::<Vec<_>>(), [Some("no find"), None, None, None, Some("")]);
    assert_eq!(array.value_data(), b"no find", "nothing stands under nulls");
    assert_eq!(scrubbed.failures.iter().map(|failure| failure.index).collect::<Vec<_>>(), [2, 3]);
    assert!(scrubbed.failures.iter().all(|failure| !failure.reason.contains("secret")));
    assert_eq!(scrubbed.found, []);
}

#[test]
fn finds_are_counted_by_row_and_kind() {
    let scrubber = scrubber(&[Kind::Email, Kind::Ip]);
    let values = BinaryArray::from_iter_values(["::1 a@b.cc", "-", "a@b.cc"]);
    let scrubbed = scrubber.scrub(&values, |_, _| Ok(None)).unwrap();
    let found: Vec<_> = scrubbed.found.iter().map(|found| (found.row, found.kind)).collect();
    assert_eq!(scrubber.kinds(), ["email", "ip"]);
    assert_eq!(found, [(0, 1), (0, 0), (2, 0)]);
    assert_eq!(scrubbed.array.len(), 3);
}
