//! Secrets that anybody would guess. This catches mistakes, such as a template that was never filled in; it does not
//! measure strength.

use zeroize::Zeroizing;

/// The longest piece whose repetition is refused. Random bytes of 16 or more repeat one by chance less than once in
/// 2^47.
const MAX_PERIOD: usize = 10;

/// Words of templates and tutorials. A secret that has nothing else in it, digits and punctuation aside, is refused.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "a", "abc", "abcdef", "abcdefgh", "admin", "and", "bar", "change", "default", "dummy", "enter", "example", "fill",
    "foo", "for", "here", "hmac", "in", "insert", "it", "key", "lakeveil", "letmein", "me", "my", "of", "pass", "passw",
    "passwd", "password", "phrase", "placeholder", "please", "put", "qwerty", "rd", "replace", "root", "secret", "test",
    "testing", "the", "this", "to", "todo", "token", "value", "with", "word", "xxx", "your",
];

/// Whether the secret is a short piece over and over, or made of placeholder words alone.
pub(super) fn is_placeholder(secret: &[u8]) -> bool {
    repeats(secret) || is_words(secret)
}

/// Whether some period of at most [`MAX_PERIOD`] bytes makes up the whole secret, the last one perhaps cut.
fn repeats(secret: &[u8]) -> bool {
    let longest = MAX_PERIOD.min(secret.len() * 2 / 3);
    (1..=longest).any(|period| secret.iter().zip(&secret[period..]).all(|(one, next)| one == next))
}

/// Whether the letters of the secret can be cut into placeholder words without a rest.
fn is_words(secret: &[u8]) -> bool {
    if !secret.is_ascii() {
        return false;
    }
    let mut letters = Zeroizing::new(Vec::with_capacity(secret.len()));
    letters.extend(secret.iter().filter(|b| b.is_ascii_alphabetic()).map(u8::to_ascii_lowercase));
    // reached[i]: the first i letters are words
    let mut reached = vec![false; letters.len() + 1];
    reached[0] = true;
    for end in 1..=letters.len() {
        reached[end] = WORDS.iter().any(|word| letters[..end].ends_with(word.as_bytes()) && reached[end - word.len()]);
    }
    !letters.is_empty() && reached[letters.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_found() {
        for secret in [
            "changemechangeme",
            "change-me-change-me",
            "ChangeMe!ChangeMe!",
            "passwordpassword",
            "Passw0rdPassw0rd1234",
            "my-secret-key-please-change",
            "secretsecretsecretsecret",
            "<insert your secret here>",
            "0123456789012345",
            "0123456789abcdef0123456789abcdef",
            "                ",
            "aaaaaaaaaaaaaaaa",
            "xxxxxxxxxxxxxxxxxxxx",
        ] {
            assert!(is_placeholder(secret.as_bytes()), "{secret}");
        }
        assert!(is_placeholder(&[0; 32]));
        assert!(is_placeholder(&[0xff; 16]));
    }

    #[test]
    fn real_secrets_pass() {
        for secret in [
            "correct horse battery staple kelora",
            "a secret of 16 b",
            "pq7-Zk2-mm41-xv0",
            "demo: tokens made with this key protect nothing",
        ] {
            assert!(!is_placeholder(secret.as_bytes()), "{secret}");
        }
        let counting: Vec<u8> = (0..32).collect();
        assert!(!is_placeholder(&counting));
        let mut almost = [0; 16];
        almost[15] = 1;
        assert!(!is_placeholder(&almost));
    }
}
