//! Names come from files that others made: shown, they must not steer a terminal, break a line, or read backwards.

use std::borrow::Cow;

/// `text` with every character that controls rather than shows (line ends, escapes, direction marks, invisible
/// ones) written as `\u{..}`.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            c if steers(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Controls (Cc), all white space but the space, and the format characters (Cf) of Unicode 17.
fn steers(c: char) -> bool {
    let format = matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}');
    c.is_control() || (c.is_whitespace() && c != ' ') || format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_every_script_stay() {
        for text in ["e-mail", "Größe (m²)", "氏名", "prix €", "a  b"] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn terminal_escapes_line_ends_and_direction_marks_are_spelt_out() {
        assert_eq!(clean("a\u{1b}[2Jb"), r"a\u{1b}[2Jb");
        assert_eq!(clean("a\nb\r\t"), r"a\u{a}b\u{d}\u{9}");
        assert_eq!(clean("\u{202e}txt.exe\u{9b}31m"), r"\u{202e}txt.exe\u{9b}31m");
        assert_eq!(clean("a\u{2028}b\u{200b}c"), r"a\u{2028}b\u{200b}c");
    }
}
