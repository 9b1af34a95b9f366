//! Floor 0: bytes in, bytes out. Cryptographic primitives come from reviewed crates; this module composes them.
//!
//! | room | holds |
//! |---|---|
//! | [`secret`] | the type that key material lives in |
//! | [`mod@derive`] | subkeys and fingerprints (HKDF-SHA256) |
//! | [`lanes`] | HMAC-SHA256 over many short messages |
//! | [`uniform`] | numbers below a bound, exactly uniform |
//! | [`expand`] | uniform bytes from a message (expand_message_xmd) |
//! | [`ristretto`] | tokens that can move to another key (ristretto255) |
//! | [`pfx`] | addresses to addresses, prefixes kept (ipcrypt-pfx) |
//! | [`encode`] | token bytes to text |
//! | [`digest`] | SHA-256 of a stream, two at a time |
//! | [`path`] | keyed hashes of object paths |
//! | [`siv`] | deterministic authenticated encryption (AES-SIV) |
//! | [`ff1`] | format-preserving encryption (FF1) |

pub mod derive;
pub mod digest;
pub mod encode;
pub mod expand;
pub mod ff1;
pub mod lanes;
pub mod path;
pub mod pfx;
pub mod ristretto;
pub mod secret;
pub mod siv;
pub mod uniform;
#[cfg(test)]
pub(crate) mod vectors;

pub use derive::{Fingerprint, fingerprint, frame, hkdf_sha256, subkey};
pub use digest::StreamDigest;
pub use encode::TokenEncoding;
pub use ff1::Ff1Key;
pub use lanes::HmacKey;
pub use path::{PathKey, path_digest};
pub use secret::Secret;
pub use siv::SivKey;
