//! Token bytes to text.

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Two symbols of base32 (RFC 4648, section 6) for each ten bits.
static BASE32_PAIRS: [[u8; 2]; 1024] = {
    let symbols = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut pairs = [[0; 2]; 1024];
    let mut bits = 0;
    while bits < pairs.len() {
        pairs[bits] = [symbols[bits >> 5], symbols[bits & 31]];
        bits += 1;
    }
    pairs
};

/// Bytes in a UUID, the only token length that [`TokenEncoding::Uuid`] takes.
const UUID_BYTES: usize = 16;

/// How the bytes of a token are written into a column.
///
/// | encoding | output | characters for 16 bytes |
/// |---|---|---|
/// | `hex` | lower-case hexadecimal, RFC 4648 section 8 | 32 |
/// | `base32` | lower-case, no padding, RFC 4648 section 6 | 26 |
/// | `base64url` | no padding, RFC 4648 section 5 | 22 |
/// | `base64` | padded, RFC 4648 section 4 (interoperable scheme `hmac-sha256` only) | 24 |
/// | `binary` | the bytes themselves | 16 |
/// | `uuid` | RFC 9562 version 8, lower-case hyphenated; 16 bytes only, 6 of whose bits are given up | 36 |
///
/// ```
/// use lakeveil::crypto::TokenEncoding;
/// let encoding: TokenEncoding = "base32".parse()?;
/// let mut out = vec![0; encoding.encoded_len(3)];
/// encoding.encode_into(b"foo", &mut out);
/// assert_eq!(out, b"mzxw6");
/// # Ok::<(), lakeveil::crypto::encode::UnknownEncoding>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenEncoding {
    /// Lower-case hexadecimal.
    #[default]
    Hex,
    /// Lower-case base32 without padding.
    Base32,
    /// URL-safe base64 without padding.
    Base64Url,
    /// Standard base64 with padding.
    Base64,
    /// The bytes as they are.
    Binary,
    /// A UUID of version 8.
    Uuid,
}

impl TokenEncoding {
    /// Every encoding, in the order of the documentation.
    pub const ALL: [Self; 6] = [Self::Hex, Self::Base32, Self::Base64Url, Self::Base64, Self::Binary, Self::Uuid];

    /// The name that a policy uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Base32 => "base32",
            Self::Base64Url => "base64url",
            Self::Base64 => "base64",
            Self::Binary => "binary",
            Self::Uuid => "uuid",
        }
    }

    /// Whether the output is text (ASCII), which is all but [`TokenEncoding::Binary`].
    pub fn is_text(self) -> bool {
        self != Self::Binary
    }

    /// Bytes written for a token of `bytes` bytes.
    #[inline]
    pub fn encoded_len(self, bytes: usize) -> usize {
        match self {
            Self::Hex => bytes * 2,
            Self::Base32 => (bytes * 8).div_ceil(5),
            Self::Base64Url => BASE64URL_NOPAD.encode_len(bytes),
            Self::Base64 => BASE64.encode_len(bytes),
            Self::Binary => bytes,
            Self::Uuid => uuid::fmt::Hyphenated::LENGTH,
        }
    }

    /// Writes `token` into `out`, without allocation.
    ///
    /// # Panics
    /// If `out` is not [`encoded_len`](Self::encoded_len) bytes long, or a UUID is asked of other than 16 bytes.
    #[inline]
    pub fn encode_into(self, token: &[u8], out: &mut [u8]) {
        match self {
            Self::Hex => hex(token, out),
            Self::Base32 => base32(token, out),
            Self::Base64Url => BASE64URL_NOPAD.encode_mut(token, out),
            Self::Base64 => BASE64.encode_mut(token, out),
            Self::Binary => out.copy_from_slice(token),
            Self::Uuid => {
                assert_eq!(out.len(), uuid::fmt::Hyphenated::LENGTH, "a UUID is written in 36 bytes");
                let bytes: [u8; UUID_BYTES] = token.try_into().expect("a UUID is made of a 128-bit token");
                uuid::Builder::from_custom_bytes(bytes).into_uuid().hyphenated().encode_lower(out);
            }
        }
    }
}

/// Arithmetic rather than a table: the compiler makes vectors of it.
#[inline]
fn hex(token: &[u8], out: &mut [u8]) {
    assert_eq!(out.len(), token.len() * 2, "a byte is written in two digits");
    let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    for (pair, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(token) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
}

/// Five bytes are eight symbols; bits that miss in the last symbol are zeros.
#[inline]
fn base32(token: &[u8], out: &mut [u8]) {
    assert_eq!(out.len(), (token.len() * 8).div_ceil(5), "five bits are written in one symbol");
    let (groups, tail) = token.as_chunks::<5>();
    let (slots, rest) = out.as_chunks_mut::<8>();
    for (slot, &[a, b, c, d, e]) in slots.iter_mut().zip(groups) {
        let bits = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
        for (i, pair) in slot.as_chunks_mut::<2>().0.iter_mut().enumerate() {
            *pair = BASE32_PAIRS[(bits >> (30 - 10 * i)) as usize & 1023];
        }
    }
    let mut last = [0; 8];
    last[3..3 + tail.len()].copy_from_slice(tail);
    let bits = u64::from_be_bytes(last);
    for (i, symbol) in rest.iter_mut().enumerate() {
        *symbol = BASE32_PAIRS[(bits >> (35 - 5 * i)) as usize & 31][1];
    }
}

impl fmt::Display for TokenEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is none of [`TokenEncoding::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding `{0}`: use hex, base32, base64url, base64, binary or uuid")]
pub struct UnknownEncoding(pub String);

impl FromStr for TokenEncoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|e| e.name() == name).ok_or_else(|| UnknownEncoding(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::{self, unhex};
    use crate::crypto::{HmacKey, subkey};
    use std::collections::BTreeSet;

    fn encode(encoding: TokenEncoding, token: &[u8]) -> String {
        let mut out = vec![0; encoding.encoded_len(token.len())];
        encoding.encode_into(token, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn pseudonyms_meet_the_known_answers() {
        let cases = vectors::cases::<vectors::Pseudonym>("pseudonym");
        for case in &cases {
            let key = subkey(&case.root(), "pseudonym", &case.domain, &case.tenant, 32);
            let token = HmacKey::new(key.expose()).sign(case.canonical_utf8.as_bytes());
            let token = &token[..case.bits / 8];
            let encoding: TokenEncoding = case.encoding.parse().unwrap();
            if encoding == TokenEncoding::Binary {
                assert_eq!(token, unhex(&case.token), "{case:?}");
            } else {
                assert_eq!(encode(encoding, token), case.token, "{case:?}");
            }
        }
        let seen: BTreeSet<_> = cases.iter().map(|case| case.encoding.as_str()).collect();
        assert!(seen.is_superset(&["hex", "base32", "base64url", "binary", "uuid"].into()), "{seen:?}");
    }

    #[test]
    fn hmac_and_base64_meet_the_known_answers_of_the_interoperable_scheme() {
        for case in vectors::cases::<vectors::HmacSha256>("hmac_sha256") {
            let token = HmacKey::new(case.root().expose()).sign(case.canonical_utf8.as_bytes());
            assert_eq!(token[..], unhex(&case.hex), "{case:?}");
            assert_eq!(encode(TokenEncoding::Base64, &unhex(&case.hex)), case.base64);
        }
    }

    /// RFC 4648, section 10, lower-cased and unpadded where the encoding is.
    #[test]
    fn meets_rfc_4648_section_10() {
        let rows = [
            ("", "", "", ""),
            ("f", "66", "my", "Zg=="),
            ("fo", "666f", "mzxq", "Zm8="),
            ("foo", "666f6f", "mzxw6", "Zm9v"),
            ("foob", "666f6f62", "mzxw6yq", "Zm9vYg=="),
            ("fooba", "666f6f6261", "mzxw6ytb", "Zm9vYmE="),
            ("foobar", "666f6f626172", "mzxw6ytboi", "Zm9vYmFy"),
        ];
        for (token, hex, base32, base64) in rows {
            assert_eq!(encode(TokenEncoding::Hex, token.as_bytes()), hex);
            assert_eq!(encode(TokenEncoding::Base32, token.as_bytes()), base32);
            assert_eq!(encode(TokenEncoding::Base64, token.as_bytes()), base64);
            assert_eq!(encode(TokenEncoding::Base64Url, token.as_bytes()), base64.trim_end_matches('='));
            assert_eq!(encode(TokenEncoding::Binary, token.as_bytes()), token);
        }
    }

    /// Against the crate, which other implementations agree with: each byte at each place of a group, and each length.
    #[test]
    fn hex_and_base32_equal_the_crate() {
        let mut spec = data_encoding::Specification::new();
        spec.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
        let base32 = spec.encoding().unwrap();
        let meet = |token: &[u8]| {
            assert_eq!(encode(TokenEncoding::Hex, token), data_encoding::HEXLOWER.encode(token));
            assert_eq!(encode(TokenEncoding::Base32, token), base32.encode(token));
        };
        for len in 0..=40 {
            meet(&(0..len).map(|i| (i * 83 + 29) as u8).collect::<Vec<_>>());
        }
        for (place, byte) in (0..10).flat_map(|place| (0..=255).map(move |byte| (place, byte))) {
            let mut token = [0x5a; 10];
            token[place] = byte;
            meet(&token);
        }
        // each of the ten bits that a pair of base32 symbols stands for
        for bits in 0..1024_u16 {
            meet(&(bits << 6).to_be_bytes());
        }
    }

    #[test]
    #[should_panic(expected = "two digits")]
    fn fail_hex_into_too_many_bytes() {
        TokenEncoding::Hex.encode_into(&[0; 20], &mut [0; 41]);
    }

    #[test]
    #[should_panic(expected = "one symbol")]
    fn fail_base32_into_too_few_bytes() {
        TokenEncoding::Base32.encode_into(&[0; 16], &mut [0; 25]);
    }

    #[test]
    fn a_uuid_gives_up_the_version_and_variant_bits_alone() {
        assert_eq!(encode(TokenEncoding::Uuid, &[0xff; 16]), "ffffffff-ffff-8fff-bfff-ffffffffffff");
        assert_eq!(encode(TokenEncoding::Uuid, &[0; 16]), "00000000-0000-8000-8000-000000000000");
    }

    #[test]
    #[should_panic(expected = "128-bit")]
    fn fail_a_uuid_of_twenty_bytes() {
        TokenEncoding::Uuid.encode_into(&[0; 20], &mut [0; 36]);
    }

    #[test]
    fn names_are_the_same_for_display_parsing_and_serde() {
        for encoding in TokenEncoding::ALL {
            assert_eq!(encoding.to_string().parse(), Ok(encoding));
            assert_eq!(serde_json::to_string(&encoding).unwrap(), format!("\"{encoding}\""));
        }
        let error = "Hex".parse::<TokenEncoding>().unwrap_err();
        for encoding in TokenEncoding::ALL {
            assert!(error.to_string().contains(encoding.name()), "{error} misses {encoding}");
        }
    }
}
