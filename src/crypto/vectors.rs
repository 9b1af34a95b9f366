//! The known answers of `testdata/vectors/`, for the tests of every floor.

use std::path::Path;

use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Secret;

/// The cases of one family of `tokens-v1.json`.
pub(crate) fn cases<T: DeserializeOwned>(family: &str) -> Vec<T> {
    cases_of("tokens-v1.json", family)
}

/// The cases of one family of a file; a family without cases fails, so that no test passes by reading nothing.
pub(crate) fn cases_of<T: DeserializeOwned>(file: &str, family: &str) -> Vec<T> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/vectors").join(file);
    let text = std::fs::read_to_string(&file).expect("the vectors are committed");
    let mut document: serde_json::Value = serde_json::from_str(&text).expect("the vectors are JSON");
    let cases: Vec<T> = serde_json::from_value(document[family].take()).expect("the cases have this shape");
    assert!(!cases.is_empty(), "no cases of {family}");
    cases
}

/// Bytes from lower-case hexadecimal.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).expect("the vectors hold lower-case hexadecimal")
}

macro_rules! families {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        pub(crate) struct $name {
            pub(crate) root_hex: String,
            $(pub(crate) $field: $type,)*
        }

        impl $name {
            /// The root key of the case.
            pub(crate) fn root(&self) -> Secret {
                Secret::new(unhex(&self.root_hex))
            }
        }
    )*};
}

families! {
    /// A case of `fingerprint`.
    RootFingerprint { fingerprint: String }
    /// A case of `subkey`.
    Subkey { purpose: String, domain: String, tenant: String, length: usize, hex: String }
    /// A case of `pseudonym`; `binary` tokens are given in hexadecimal.
    Pseudonym { domain: String, tenant: String, canonical_utf8: String, bits: usize, encoding: String, token: String }
    /// A case of `hmac_sha256`.
    HmacSha256 { canonical_utf8: String, hex: String, base64: String }
    /// A case of `date_shift`.
    DateShift { domain: String, tenant: String, entity_utf8: String, max_days: u32, offset_days: i64 }
    /// A case of `encrypt`.
    Encrypt { domain: String, tenant: String, canonical_utf8: String, hex: String }
    /// A case of `path`.
    PathDigest { dataset: String, path: String, hex: String }
}

/// A case of `chain`.
#[derive(Debug, Deserialize)]
pub(crate) struct Chain {
    pub(crate) roots_hex: Vec<String>,
    pub(crate) domain: String,
    pub(crate) tenant: String,
    pub(crate) canonical_utf8: String,
    pub(crate) bits: u16,
    pub(crate) hex: String,
}

/// A case of `kelora-2.2.1.json`.
#[derive(Debug, Deserialize)]
pub(crate) struct Kelora {
    pub(crate) value: String,
    pub(crate) domain: String,
    pub(crate) token: String,
}
