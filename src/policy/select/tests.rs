use super::*;

fn path(text: &str) -> ColumnPath {
    text.parse().unwrap()
}

fn pattern(text: &str) -> Pattern {
    text.parse().unwrap()
}

fn field(name: &str) -> Segment {
    Segment::Field(name.to_owned())
}

#[test]
fn paths_have_one_segment_per_step() {
    assert_eq!(path("email").segments(), [field("email")]);
    assert_eq!(path("address.street").segments(), [field("address"), field("street")]);
    assert_eq!(path("c[].number").segments(), [field("c"), Segment::ListItem, field("number")]);
    assert_eq!(path("m[][]").segments(), [field("m"), Segment::ListItem, Segment::ListItem]);
    assert_eq!(path("a{}.value").segments(), [field("a"), Segment::MapValue]);
    assert_eq!(path("a{}.key").segments(), [field("a"), Segment::MapKey]);
    assert_eq!(path("a{}.value[].x").segments(), [field("a"), Segment::MapValue, Segment::ListItem, field("x")]);
    assert_eq!(path("Straße 1, größer!").segments(), [field("Straße 1, größer!")]);
}

#[test]
fn backticks_make_every_character_literal() {
    assert_eq!(path("`a.b[]*`.c").segments(), [field("a.b[]*"), field("c")]);
    assert_eq!(path("`tick``tack`").segments(), [field("tick`tack")]);
    assert_eq!(path("``").segments(), [field("")]);
    assert_eq!(path("a`.`b").segments(), [field("a.b")]);
}

#[test]
fn bad_paths_say_what_is_wrong() {
    let cases = [
        ("", SelectError::MissingName),
        ("a.", SelectError::MissingName),
        (".a", SelectError::MissingName),
        ("a..b", SelectError::MissingName),
        ("[].a", SelectError::MissingName),
        ("`a", SelectError::UnclosedBacktick),
        ("a[0]", SelectError::StrayBracket),
        ("a]", SelectError::StrayBracket),
        ("a[]b", SelectError::MissingDot),
        ("a{}", SelectError::MapSide),
        ("a{}.values", SelectError::MapSide),
        ("a{}.*", SelectError::MapSide),
        ("a*", SelectError::Wildcard),
    ];
    for (text, error) in cases {
        assert_eq!(text.parse::<ColumnPath>(), Err(error), "{text}");
    }
}

#[test]
fn paths_read_back_what_they_write_and_match_only_themselves() {
    let all = ["a", "a.b", "a[].b", "a{}.value.c", "a{}.key", "`a.b`", "`x*`.`?`", "``", "`t``t`", "a[][]"];
    for text in all {
        assert_eq!(path(text).to_string(), text);
        for other in all {
            assert_eq!(pattern(text).matches(&path(other)), text == other, "{text} on {other}");
        }
        assert_eq!(pattern(text).literal(), Some(path(text)));
    }
}

#[test]
fn wildcards_stay_within_one_name() {
    let cases = [
        ("debug_*", "debug_", true),
        ("debug_*", "debug_x_y", true),
        ("debug_*", "debug", false),
        ("*", "a.b", false),
        ("*.b", "a.b", true),
        ("*_id", "customer_id", true),
        ("*_id", "id_customer", false),
        ("a*b*c", "a1b2b3c", true),
        ("a*b*c", "a1b2b3", false),
        ("id?", "id1", true),
        ("id?", "id", false),
        ("?", "é", true),
        ("c[].*", "c[].x", true),
        ("c[].*", "c{}.value.x", false),
        ("`*`", "a", false),
        ("Email", "email", false),
    ];
    for (glob, column, expected) in cases {
        assert_eq!(pattern(glob).matches(&path(column)), expected, "{glob} on {column}");
    }
    assert_eq!(pattern("a*").literal(), None);
}

#[test]
fn a_pattern_covers_what_lies_below() {
    assert!(pattern("address").covers(&path("address.street")));
    assert!(pattern("add*").covers(&path("address.street.x")));
    assert!(!pattern("address.street").covers(&path("address")));
    assert!(!pattern("add").covers(&path("address.street")));
}

#[test]
fn inclusion_is_told_for_literals_and_wildcards() {
    let cases = [
        ("*", "email", true),
        ("*", "a*b?", true),
        ("*", "a.b", false),
        ("debug_*", "debug_x*", true),
        ("debug_x*", "debug_*", false),
        ("a?", "a*", false),
        ("a*", "a?", true),
        ("email", "`email`", true),
        ("email", "emai?", false),
    ];
    for (earlier, later, expected) in cases {
        assert_eq!(pattern(earlier).includes(&pattern(later)), expected, "{earlier} includes {later}");
    }
    assert_eq!(pattern("`email`"), pattern("email"));
}
