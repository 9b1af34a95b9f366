use super::*;

/// Values that make a finder look far, or look often.
const HOSTILE: &[&str] = &[
    "@",
    "1",
    "a",
    "a@",
    "a@a.a",
    "a@a.aa",
    "é@é.éé",
    "+1 ",
    "+",
    "1 ",
    "1-",
    "1.",
    "12 34 ",
    "4111 ",
    "(212) ",
    ":",
    "::",
    "a:",
    "1:",
    "1::",
    "eyJ",
    "eyJ.",
    "eyJ..",
    "J",
    "-",
    "_",
    ".",
    "A",
    "AKIA",
    "sk-",
    "sk-1",
    "xoxb-",
    "ghp_",
    "SG.",
    "SG.SG",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "-----END ",
    "AB12 ",
    "DE12",
    "X1",
    "abcdef1",
    "\"@",
    "1/1/",
    "1+",
    "\u{a0}1",
    "%@",
    "..@",
    "a.",
    "a@b.cc.",
    "2001:db8:",
    "a b1@",
    "12345678Z",
    "1A",
    "\u{2011}1",
    "(1)",
];

#[test]
fn the_bytes_looked_at_grow_as_the_value_does() {
    let search = everything();
    for unit in HOSTILE {
        let looked_at = |len: usize| search.find_into(&unit.repeat(len / unit.len()), &mut Vec::new());
        let (small, large) = (looked_at(1 << 12), looked_at(1 << 16));
        assert!(large <= 17 * small + 4096, "{unit}: {small} at 4 KiB, {large} at 64 KiB");
    }
}

#[test]
fn a_value_of_one_mebibyte_is_searched_through() {
    let search = everything();
    for unit in ["@", "a@a.a", "+1 ", "1"] {
        let looked_at = search.find_into(&unit.repeat((1 << 20) / unit.len()), &mut Vec::new());
        assert!(looked_at < 80 << 20, "{unit}: {looked_at}");
    }
}
