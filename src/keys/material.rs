//! The text form of a secret: `hex:`, `base64:` or `text:`, then its bytes.

use std::fmt;

use data_encoding::{BASE64, Encoding, HEXLOWER_PERMISSIVE};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::problem::SecretProblem;
use super::weak::is_placeholder;
use crate::crypto::Secret;

/// The fewest bytes of a secret (TOKENS: 128 bits), but for scheme `kelora`.
pub(super) const MIN_SECRET_BYTES: usize = 16;
/// The most bytes of a secret.
pub(super) const MAX_SECRET_BYTES: usize = 1024;

/// A secret as a document writes it: zeroed on drop, redacted in `Debug`, written back as it was read.
#[derive(Clone)]
pub(super) struct SecretText(Zeroizing<String>);

impl SecretText {
    /// `hex:`, then the bytes.
    pub(super) fn hex(bytes: &[u8]) -> Self {
        const PREFIX: &str = "hex:";
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 2 * bytes.len()));
        text.push_str(PREFIX);
        HEXLOWER_PERMISSIVE.encode_append(bytes, &mut text);
        Self(text)
    }

    /// A bare secret: as it is where it names its encoding, else `text:` before it.
    pub(super) fn bare(text: &str) -> Self {
        let prefix = if split(text).is_some() { "" } else { "text:" };
        let mut whole = Zeroizing::new(String::with_capacity(prefix.len() + text.len()));
        whole.push_str(prefix);
        whole.push_str(text);
        Self(whole)
    }

    /// Bytes of the text.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes, checked: at least `min` and at most [`MAX_SECRET_BYTES`] of them, and no placeholder.
    pub(super) fn decode(&self, min: usize) -> Result<Secret, SecretProblem> {
        let (encoding, rest) = split(&self.0).ok_or(SecretProblem::NoEncoding)?;
        let bytes = match encoding {
            "hex:" => decode(&HEXLOWER_PERMISSIVE, rest).ok_or(SecretProblem::NotHex)?,
            "base64:" => decode(&BASE64, rest).ok_or(SecretProblem::NotBase64)?,
            _ => Zeroizing::new(rest.as_bytes().to_vec()),
        };
        match bytes.len() {
            short if short < min => Err(SecretProblem::TooShort { bytes: short, min }),
            long if long > MAX_SECRET_BYTES => Err(SecretProblem::TooLong { bytes: long }),
            _ if is_placeholder(&bytes) => Err(SecretProblem::Placeholder),
            _ => Ok(Secret::new(bytes)),
        }
    }
}

/// The encoding with its colon, and what follows it.
fn split(text: &str) -> Option<(&str, &str)> {
    ["hex:", "base64:", "text:"].into_iter().find_map(|prefix| Some((prefix, text.strip_prefix(prefix)?)))
}

/// Decodes into a buffer that is zeroed on drop, also where decoding fails half-way.
fn decode(encoding: &Encoding, text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; encoding.decode_len(text.len()).ok()?]);
    let len = encoding.decode_mut(text.as_bytes(), &mut bytes).ok()?;
    bytes.truncate(len);
    Some(bytes)
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Copies the borrowed text once, into a buffer that is zeroed on drop.
        struct Text;

        impl Visitor<'_> for Text {
            type Value = SecretText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretText, E> {
                Ok(SecretText(Zeroizing::new(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Result<Vec<u8>, SecretProblem> {
        SecretText(Zeroizing::new(text.to_owned())).decode(MIN_SECRET_BYTES).map(|secret| secret.expose().to_vec())
    }

    #[test]
    fn the_three_encodings_give_their_bytes() {
        let bytes = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\xff".to_vec();
        assert_eq!(decoded("hex:000102030405060708090a0b0c0d0eff"), Ok(bytes.clone()));
        assert_eq!(decoded("hex:000102030405060708090A0B0C0D0EFF"), Ok(bytes.clone()));
        assert_eq!(decoded("base64:AAECAwQFBgcICQoLDA0O/w=="), Ok(bytes));
        assert_eq!(decoded("text:caf\u{e9} hex: not a mix"), Ok("caf\u{e9} hex: not a mix".as_bytes().to_vec()));
    }

    #[test]
    fn fail_what_is_not_in_its_encoding() {
        assert_eq!(decoded("000102030405060708090a0b0c0d0eff"), Err(SecretProblem::NoEncoding));
        assert_eq!(decoded("HEX:000102030405060708090a0b0c0d0eff"), Err(SecretProblem::NoEncoding));
        for hex in ["hex:0001020304050607080910111213141", "hex:00010203040506070809101112131g15", "hex: 0001020304"] {
            assert_eq!(decoded(hex), Err(SecretProblem::NotHex), "{hex}");
        }
        for base64 in
            ["base64:AAECAwQFBgcICQoLDA0O_w==", "base64:AAECAwQFBgcICQoLDA0O/w", "base64:AAECAwQFBgcICQoLDA0O/x=="]
        {
            assert_eq!(decoded(base64), Err(SecretProblem::NotBase64), "{base64}");
        }
    }

    #[test]
    fn length_is_16_to_1024_bytes_after_decoding() {
        let text =
            |bytes: usize| format!("hex:{}", "00112233445566778899aabbccddeef1".repeat(70)[..2 * bytes].to_owned());
        assert_eq!(decoded(&text(15)), Err(SecretProblem::TooShort { bytes: 15, min: 16 }));
        assert_eq!(decoded(&text(16)).map(|b| b.len()), Ok(16));
        assert_eq!(decoded(&text(1024)).map(|b| b.len()), Ok(1024));
        assert_eq!(decoded(&text(1025)), Err(SecretProblem::TooLong { bytes: 1025 }));
        assert_eq!(decoded("text:"), Err(SecretProblem::TooShort { bytes: 0, min: 16 }));
    }

    #[test]
    fn fail_a_placeholder_in_any_encoding() {
        for text in ["text:changemechangeme", "hex:00000000000000000000000000000000", "base64:Y2hhbmdlbWVjaGFuZ2VtZQ=="]
        {
            assert_eq!(decoded(text), Err(SecretProblem::Placeholder), "{text}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SecretText::bare("canary")), "[redacted]");
    }
}
