//! Subkeys and fingerprints of a root key.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Secret;

/// The salt of every derivation of token specification version 1.
const SALT: &[u8] = b"lakeveil.v1";

/// `frame(s) = be32(len(s)) || s`, appended to `out`.
///
/// No two lists of byte strings frame alike:
///
/// ```
/// use lakeveil::crypto::frame;
/// let (mut one, mut two) = (Vec::new(), Vec::new());
/// frame(&mut one, b"ab");
/// frame(&mut one, b"c");
/// frame(&mut two, b"a");
/// frame(&mut two, b"bc");
/// assert_eq!(one, b"\0\0\0\x02ab\0\0\0\x01c");
/// assert_ne!(one, two);
/// ```
///
/// # Panics
/// If `bytes` is 4 GiB long or longer.
pub fn frame(out: &mut Vec<u8>, bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).expect("a framed string is shorter than 4 GiB");
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// `HKDF-SHA256(ikm = root, salt = "lakeveil.v1", info = frame(purpose) || frame(domain) || frame(tenant), len)` -
/// RFC 5869.
///
/// `purpose` is the ASCII name of a transform family; `domain` and `tenant` are compared as bytes, never normalized.
///
/// # Panics
/// If `len` is over 8160 bytes, the longest output that RFC 5869 allows.
pub fn subkey(root: &Secret, purpose: &str, domain: &str, tenant: &str, len: usize) -> Secret {
    let mut info = Vec::with_capacity(12 + purpose.len() + domain.len() + tenant.len());
    for part in [purpose, domain, tenant] {
        frame(&mut info, part.as_bytes());
    }
    let mut key = Zeroizing::new(vec![0; len]);
    hkdf_sha256(root.expose(), Some(SALT), &info, &mut key);
    Secret::new(key)
}

/// `HKDF-SHA256(root, salt = "lakeveil.v1", info = frame("fingerprint"), 8)` - RFC 5869.
///
/// Names a root without showing it. Of a guessable root it allows guessing: made roots are random.
pub fn fingerprint(root: &Secret) -> Fingerprint {
    let mut info = Vec::new();
    frame(&mut info, b"fingerprint");
    let mut bytes = [0; 8];
    hkdf_sha256(root.expose(), Some(SALT), &info, &mut bytes);
    Fingerprint(bytes)
}

/// `HKDF-SHA256[salt, info](ikm)`, filling `out` - RFC 5869.
///
/// # Panics
/// If `out` is over 8160 bytes long.
pub fn hkdf_sha256(ikm: &[u8], salt: Option<&[u8]>, info: &[u8], out: &mut [u8]) {
    Hkdf::<Sha256>::new(salt, ikm).expand(info, out).expect("at most 8160 bytes are asked for");
}

/// The public name of a root key: 8 bytes, written as 16 lower-case hexadecimal digits. It may be printed and stored.
///
/// ```
/// use lakeveil::crypto::Fingerprint;
/// let text = "018d4ff62958e109";
/// assert_eq!(text.parse::<Fingerprint>()?.to_string(), text);
/// assert!("018D4FF62958E109".parse::<Fingerprint>().is_err());
/// assert!("018d4ff6".parse::<Fingerprint>().is_err());
/// # Ok::<(), lakeveil::crypto::derive::FingerprintError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^[0-9a-f]{16}$"))]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// The 8 bytes.
    pub fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A text that is not 16 lower-case hexadecimal digits. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 16 lower-case hexadecimal digits")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| FingerprintError)?;
        bytes.try_into().map(Self).map_err(|_| FingerprintError)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::{self, unhex};

    #[test]
    fn subkeys_meet_the_known_answers() {
        for case in vectors::cases::<vectors::Subkey>("subkey") {
            let key = subkey(&case.root(), &case.purpose, &case.domain, &case.tenant, case.length);
            assert_eq!(key.expose(), unhex(&case.hex), "{case:?}");
        }
    }

    #[test]
    fn fingerprints_meet_the_known_answers() {
        for case in vectors::cases::<vectors::RootFingerprint>("fingerprint") {
            assert_eq!(fingerprint(&case.root()).to_string(), case.fingerprint);
        }
    }

    /// RFC 5869 appendix A, the SHA-256 cases: (ikm, salt, info, okm).
    #[test]
    fn hkdf_meets_rfc_5869_appendix_a() {
        let sequence = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let cases = [
            (
                vec![0x0b; 22],
                sequence(0x00, 0x0c),
                sequence(0xf0, 0xf9),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            ),
            (
                sequence(0x00, 0x4f),
                sequence(0x60, 0xaf),
                sequence(0xb0, 0xff),
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09\
                 da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            ),
            (
                vec![0x0b; 22],
                vec![],
                vec![],
                "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            ),
        ];
        for (ikm, salt, info, okm) in cases {
            let expected = unhex(okm);
            let mut out = vec![0; expected.len()];
            hkdf_sha256(&ikm, Some(&salt), &info, &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn a_fingerprint_travels_through_json_as_hex() {
        let json = "\"018d4ff62958e109\"";
        let parsed: Fingerprint = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&parsed).unwrap(), json);
        assert!(serde_json::from_str::<Fingerprint>("\"018d\"").is_err());
    }
}
