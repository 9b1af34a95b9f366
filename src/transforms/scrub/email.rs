//! E-mail addresses, found from their `@`.

use std::ops::Range;

use crate::transforms::normalize::is_alphanumeric;

/// The longest quoted local part with its quotes: RFC 5321 section 4.5.3.1.1 allows 64 octets.
const QUOTED: usize = 64;

/// The address whose `@` is at `at`, and in `looked_at` how many bytes that took.
///
/// Local part: letters, digits and marks of any script and `._%+-'~&`, the first neither dot nor other punctuation; or
/// a quoted string. `=`, `/` and `:` end it on the left, as in `user=ann@example.com`. Host: labels of letters, digits
/// and hyphens with dots between them, from the second on as far as one begins with two letters.
pub(super) fn find(text: &str, at: usize, looked_at: &mut usize) -> Option<Range<usize>> {
    let end = host_end(text, at + 1, looked_at)?;
    let start = local_start(text, at, looked_at)?;
    Some(start..end)
}

fn local_start(text: &str, at: usize, looked_at: &mut usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if at > 0 && bytes[at - 1] == b'"' {
        return quoted_start(text, at);
    }
    let mut start = at;
    // the leftmost place where an address may begin
    let mut first = None;
    while let Some(c) = text[..start].chars().next_back() {
        let begins = if c.is_ascii() { c.is_ascii_alphanumeric() || c == '_' } else { is_alphanumeric(c) };
        if !begins && !matches!(c, '.' | '%' | '+' | '-' | '\'' | '~' | '&') {
            break;
        }
        start -= c.len_utf8();
        *looked_at += c.len_utf8();
        if begins {
            first = Some(start);
        }
    }
    first
}

fn quoted_start(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let from = at.saturating_sub(QUOTED);
    let start = from + bytes[from..at - 1].iter().rposition(|&byte| byte == b'"')?;
    let inside = &bytes[start + 1..at - 1];
    (!inside.is_empty() && !inside.contains(&b'\n')).then_some(start)
}

fn host_end(text: &str, start: usize, looked_at: &mut usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut at, mut labels, mut end) = (start, 0, None);
    loop {
        let label = &text[at..];
        let len = label_len(label);
        *looked_at += len;
        if len == 0 || label.starts_with('-') {
            break;
        }
        labels += 1;
        if let (2.., Some(letters)) = (labels, top_level_len(&label[..len])) {
            end = Some(at + letters);
        }
        at += len;
        if bytes.get(at) != Some(&b'.') {
            break;
        }
        at += 1;
    }
    end
}

fn label_len(text: &str) -> usize {
    let is_of_label = |c: char| if c.is_ascii() { c.is_ascii_alphanumeric() || c == '-' } else { is_alphanumeric(c) };
    text.find(|c| !is_of_label(c)).unwrap_or(text.len())
}

/// How much of the last label can be a top-level domain: two letters or more, or Punycode.
fn top_level_len(label: &str) -> Option<usize> {
    let bytes = label.as_bytes();
    if bytes.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"xn--")) {
        let len = label.find(|c: char| !c.is_ascii()).unwrap_or(label.len());
        let len = label[..len].trim_end_matches('-').len();
        return (len > 4).then_some(len);
    }
    // no top-level domain begins in ASCII and goes on in Chinese, Japanese or Korean: that is the next word
    let is_latin = label.starts_with(|c: char| c.is_ascii());
    let goes_on = |c: char| match c {
        _ if c.is_ascii() => c.is_ascii_alphabetic(),
        '\u{2e80}'.. if is_latin => false,
        _ => true,
    };
    let len = label.find(|c| !goes_on(c)).unwrap_or(label.len());
    (label[..len].chars().nth(1).is_some()).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let at_signs = text.char_indices().filter(|&(_, c)| c == '@');
        at_signs.filter_map(|(at, _)| find(text, at, &mut 0)).map(|range| &text[range]).collect()
    }

    #[test]
    fn addresses_end_where_the_sentence_goes_on() {
        for (text, address) in [
            ("Write to ann@example.com.", "ann@example.com"),
            ("Ann Lee <ann.lee+news@mail.example.co.uk>, Bob", "ann.lee+news@mail.example.co.uk"),
            ("(ann@example.com)", "ann@example.com"),
            ("'ann@example.com'", "ann@example.com"),
            ("**ann@example.com**", "ann@example.com"),
            ("mailto:ann@example.com?subject=x", "ann@example.com"),
            ("user=ann@example.com&x=1", "ann@example.com"),
            ("...ann@example.com...", "ann@example.com"),
            ("ann@example.com-based", "ann@example.com"),
            ("ann@example.com/path", "ann@example.com"),
            ("ann@example.org2024", "ann@example.org"),
            ("o'hara@example.ie", "o'hara@example.ie"),
            ("\"ann lee\"@example.com", "\"ann lee\"@example.com"),
            ("_ann@example.com", "_ann@example.com"),
            ("first.@example.com", "first.@example.com"),
        ] {
            assert_eq!(found(text), [address], "{text}");
        }
    }

    #[test]
    fn letters_of_all_scripts_are_letters() {
        for (text, address) in [
            ("an jörg@müller.example schreiben", "jörg@müller.example"),
            ("用户@例子.测试。", "用户@例子.测试"),
            ("почта: иван@пример.рф!", "иван@пример.рф"),
            ("ann@xn--mller-kva.xn--p1ai", "ann@xn--mller-kva.xn--p1ai"),
            ("ann@example.com谢谢", "ann@example.com"),
            ("x@zoe\u{308}.example", "x@zoe\u{308}.example"),
        ] {
            assert_eq!(found(text), [address], "{text}");
        }
    }

    #[test]
    fn an_at_sign_alone_is_no_address() {
        for text in [
            "@",
            "a@",
            "@example.com",
            "a@b",
            "a @ example.com",
            "a@example",
            "@@@",
            "a@.com",
            "a@b..com",
            "a@1.2",
            "a@-x.com",
            "a@b.c",
            "meet @noon.today",
            "\"\"@example.com",
            ".@example.com",
            "1.5@2.5",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
