//! Tokens and keys of services, found from a byte of their prefix that is rare in prose.

use std::ops::Range;

use data_encoding::BASE64URL_NOPAD;
use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::groups::is_word;

/// Bytes of base64url, of which all keys but AWS's may hold any behind those that they must.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_alphanumeric_or_underscore(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// How keys of one sort are written.
struct Form {
    /// Literal; `?` is any lower-case letter.
    prefix: &'static [u8],
    /// Which byte of the prefix leads to it.
    at: usize,
    /// What the bytes behind it are.
    of: fn(u8) -> bool,
    /// How many of these there must be.
    len: usize,
}

const fn form(prefix: &'static str, at: usize, of: fn(u8) -> bool, len: usize) -> Form {
    Form { prefix: prefix.as_bytes(), at, of, len }
}

/// Prefixes and lengths as the services document them, Stripe's and OpenAI's as they are seen.
const FORMS: &[Form] = &[
    form("AIza", 0, is_token, 35),
    form("ghp_", 3, is_alphanumeric, 36),
    form("gho_", 3, is_alphanumeric, 36),
    form("ghu_", 3, is_alphanumeric, 36),
    form("ghs_", 3, is_alphanumeric, 36),
    form("ghr_", 3, is_alphanumeric, 36),
    form("github_pat_", 10, is_alphanumeric_or_underscore, 82),
    form("sk_live_", 7, is_alphanumeric, 16),
    form("rk_live_", 7, is_alphanumeric, 16),
    form("sk_test_", 7, is_alphanumeric, 16),
    form("rk_test_", 7, is_alphanumeric, 16),
    form("npm_", 3, is_alphanumeric, 36),
    form("xox?-", 4, is_token, 10),
    form("xapp-", 4, is_token, 10),
    form("glpat-", 5, is_token, 20),
    form("pypi-", 4, is_token, 50),
];

/// Bytes that lead to a key: each is in [`FORMS`], or in what [`key`] looks for besides.
pub(super) const TRIGGERS: &[u8] = b"A_-.";

/// AWS access key ids: prefix and 16 of these.
const AWS: usize = 16;
/// OpenAI and those who write keys like it: `sk-` and 20 or more, digits and letters among the first 64.
const SK: usize = 20;
/// SendGrid: `SG.`, 22, a dot, 43.
const SENDGRID: (usize, usize) = (22, 43);

/// The key of which the byte at `at` is the leading one; `token_end` gives the end of the run of token bytes.
pub(super) fn key(bytes: &[u8], at: usize, token_end: &mut impl FnMut(usize) -> usize) -> Option<Range<usize>> {
    let last = at.checked_sub(1).map(|at| bytes[at]).unwrap_or_default();
    match bytes[at] {
        b'.' => return sendgrid(bytes, at, token_end),
        b'A' => {
            if let Some(range) = aws(bytes, at) {
                return Some(range);
            }
        }
        b'-' => {
            if let Some(range) = sk(bytes, at, token_end) {
                return Some(range);
            }
        }
        _ => {}
    }
    // the byte before it tells most of them apart
    let may_be = |form: &&Form| match form.at.checked_sub(1).map(|at| form.prefix[at]) {
        None => bytes[at] == form.prefix[0],
        Some(b'?') => bytes[at] == form.prefix[form.at],
        Some(byte) => byte == last && bytes[at] == form.prefix[form.at],
    };
    FORMS.iter().filter(may_be).find_map(|form| {
        let start = at.checked_sub(form.at)?;
        let behind = start + form.prefix.len();
        let prefix = bytes.get(start..behind)?;
        let fits = prefix.iter().zip(form.prefix).all(|(&byte, &letter)| match letter {
            b'?' => byte.is_ascii_lowercase(),
            letter => byte == letter,
        });
        let body = bytes.get(behind..behind + form.len).filter(|_| fits && is_start(bytes, start))?;
        body.iter().all(|&byte| (form.of)(byte)).then(|| start..token_end(behind))
    })
}

fn is_start(bytes: &[u8], start: usize) -> bool {
    !is_word(start.checked_sub(1).and_then(|at| bytes.get(at)))
}

fn aws(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let (prefix, body) = bytes.get(start..start + 4 + AWS)?.split_at(4);
    let fits = matches!(prefix, b"AKIA" | b"ASIA")
        && is_start(bytes, start)
        && body.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && !is_word(bytes.get(start + 4 + AWS));
    fits.then_some(start..start + 4 + AWS)
}

fn sk(bytes: &[u8], hyphen: usize, token_end: &mut impl FnMut(usize) -> usize) -> Option<Range<usize>> {
    let start = hyphen.checked_sub(2)?;
    if bytes[start..hyphen] != *b"sk" || !is_start(bytes, start) {
        return None;
    }
    let end = token_end(hyphen + 1);
    let body = &bytes[hyphen + 1..end];
    let head = &body[..body.len().min(64)];
    let fits = body.len() >= SK
        && head.iter().any(u8::is_ascii_digit)
        && head.iter().filter(|byte| byte.is_ascii_alphabetic()).nth(3).is_some();
    fits.then_some(start..end)
}

fn sendgrid(bytes: &[u8], dot: usize, token_end: &mut impl FnMut(usize) -> usize) -> Option<Range<usize>> {
    let start = dot.checked_sub(2)?;
    if bytes[start..dot] != *b"SG" || !is_start(bytes, start) {
        return None;
    }
    let middle = token_end(dot + 1);
    let fits = middle - dot > SENDGRID.0 && bytes.get(middle) == Some(&b'.');
    let end = if fits { token_end(middle + 1) } else { return None };
    (end - middle > SENDGRID.1).then_some(start..end)
}

/// What a JOSE header says: `alg` always (RFC 7515 section 4.1.1), `enc` if it is a JWE (RFC 7516 section 4.1.2).
#[derive(Deserialize)]
struct Header {
    #[serde(rename = "alg")]
    _alg: String,
    enc: Option<IgnoredAny>,
}

/// The shortest header, `{"alg":""}`, in base64url.
const HEADER: usize = 14;

/// The token that begins at `start`, with `eyJ`: three parts, or the five of a JWE.
pub(super) fn jwt(bytes: &[u8], start: usize, token_end: &mut impl FnMut(usize) -> usize) -> Option<Range<usize>> {
    if start > 0 && is_token(bytes[start - 1]) {
        return None;
    }
    let header_end = token_end(start);
    if header_end - start < HEADER {
        return None;
    }
    let mut part = |at: usize| (bytes.get(at) == Some(&b'.')).then(|| token_end(at + 1));
    // the payload may be empty, and the signature is if `alg` is `none`
    let payload_end = part(header_end)?;
    let end = part(payload_end)?;
    let header = BASE64URL_NOPAD.decode(&bytes[start..header_end]).ok()?;
    let header: Header = serde_json::from_slice(&header).ok()?;
    match header.enc {
        Some(_) => part(end).and_then(part).map(|end| start..end),
        None => Some(start..end),
    }
}

/// Longest label between the dashes of a PEM line that is looked for.
const LABEL: usize = 64;

/// The label of the line that begins at `start` with `intro`, and where the line's dashes end - RFC 7468 section 2.
fn pem_line<'a>(bytes: &'a [u8], start: usize, intro: &[u8]) -> Option<(&'a [u8], usize)> {
    let rest = bytes.get(start..)?.strip_prefix(intro)?;
    let label = memmem::find(&rest[..rest.len().min(LABEL)], b"-----")?;
    Some((&rest[..label], start + intro.len() + label + 5))
}

/// Where the last search for an end of a PEM text began, and where it was.
pub(super) type PemEnd = Option<(usize, Option<usize>)>;

/// The private key whose first line begins at `start`: to its last line, or to the end of the text.
pub(super) fn private_key(
    bytes: &[u8],
    start: usize,
    last: &mut PemEnd,
    looked_at: &mut usize,
) -> Option<Range<usize>> {
    // a line of hyphens is no key
    if bytes.get(start + 5) != Some(&b'B') {
        return None;
    }
    let (label, behind) = pem_line(bytes, start, b"-----BEGIN ")?;
    memmem::find(label, b"PRIVATE KEY")?;
    let end = match *last {
        Some((from, end)) if from <= behind && end.is_none_or(|end| end >= behind) => end,
        _ => {
            let end = memmem::find(&bytes[behind..], b"-----END ").map(|at| behind + at);
            *looked_at += end.unwrap_or(bytes.len()) - behind;
            *last = Some((behind, end));
            end
        }
    };
    let end = end.map_or(bytes.len(), |end| pem_line(bytes, end, b"-----END ").map_or(bytes.len(), |(_, end)| end));
    Some(start..end)
}
