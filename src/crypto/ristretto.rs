//! `k * H(m)` on ristretto255 (RFC 9496): one-way tokens that move to another key without their messages.

use std::fmt;

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity;
use sha2::Sha512;
use zeroize::{Zeroize, Zeroizing};

use super::expand::expand_message_xmd;

/// The domain separation tag of `H`, of token specification version 1.
const TAG: &[u8] = b"lakeveil.v1.rekeyable";

/// Bytes of a token: the encoding of a group element, RFC 9496 section 4.3.2.
pub const TOKEN_BYTES: usize = 32;

/// Bytes of the subkey that a [`RekeyableKey`] is made of.
pub const SUBKEY_BYTES: usize = 64;

/// `H(message)` = element derivation (RFC 9496 section 4.3.4) of
/// `expand_message_xmd(SHA-512, message, "lakeveil.v1.rekeyable", 64)` (RFC 9380 section 5.3.1).
///
/// Nobody knows how two such elements relate, which is what makes tokens one-way.
fn element(message: &[u8]) -> RistrettoPoint {
    RistrettoPoint::from_uniform_bytes(&expand_message_xmd::<Sha512, 64>(message, TAG))
}

/// A scalar other than zero, kept as its half: elements are doubled as they are encoded, many at one go.
#[derive(Clone)]
struct Half(Scalar);

impl Half {
    fn of(scalar: Scalar) -> Option<Self> {
        (scalar != Scalar::ZERO).then(|| Self(scalar.div_by_2()))
    }

    fn whole(&self) -> Scalar {
        self.0 + self.0
    }

    /// The encodings of `scalar * element` for each of `elements`.
    fn multiply(&self, elements: impl Iterator<Item = RistrettoPoint>) -> Vec<[u8; TOKEN_BYTES]> {
        let halves: Vec<RistrettoPoint> = elements.map(|element| element * self.0).collect();
        RistrettoPoint::double_and_compress_batch(&halves).iter().map(CompressedRistretto::to_bytes).collect()
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The key of a family of tokens: a scalar `k` modulo the group's order, never zero.
///
/// It is zeroed when dropped, and `Debug` does not show it.
///
/// ```
/// use lakeveil::crypto::ristretto::{Delta, RekeyableKey};
/// let old = RekeyableKey::from_subkey(&[1; 64])?;
/// let new = RekeyableKey::from_subkey(&[2; 64])?;
/// let token = old.token(b"alice@example.com");
/// assert_eq!(Delta::between(&old, &new).rekey(&token)?, new.token(b"alice@example.com"));
/// # Ok::<(), lakeveil::crypto::ristretto::RekeyError>(())
/// ```
#[derive(Clone)]
pub struct RekeyableKey(Half);

impl RekeyableKey {
    /// `k` = the subkey, 64 bytes, read little-endian modulo the group's order.
    ///
    /// # Errors
    /// [`RekeyError::SubkeyLength`], and [`RekeyError::ZeroKey`] once in 2^252 subkeys.
    pub fn from_subkey(subkey: &[u8]) -> Result<Self, RekeyError> {
        let bytes: &[u8; SUBKEY_BYTES] = subkey.try_into().map_err(|_| RekeyError::SubkeyLength)?;
        Half::of(Scalar::from_bytes_mod_order_wide(bytes)).map(Self).ok_or(RekeyError::ZeroKey)
    }

    /// The encoding of `k * H(message)`.
    pub fn token(&self, message: &[u8]) -> [u8; TOKEN_BYTES] {
        (element(message) * self.0.whole()).compress().to_bytes()
    }

    /// The tokens of many messages, in their order: as [`token`](Self::token) of each, and cheaper.
    ///
    /// About 640 bytes of memory for each message are held until all are done.
    pub fn tokens<'a>(&self, messages: impl IntoIterator<Item = &'a [u8]>) -> Vec<[u8; TOKEN_BYTES]> {
        self.0.multiply(messages.into_iter().map(element))
    }
}

impl fmt::Debug for RekeyableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RekeyableKey(redacted)")
    }
}

/// `k_new * k_old^-1` modulo the group's order: moves tokens from one key to another.
///
/// Secret: with either of the two keys it gives the other. Alone it lets its holder move tokens to and fro, but tells
/// nothing of the messages. It is zeroed when dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct Delta(Half);

impl Delta {
    /// The scalar that moves tokens of `old` to `new`.
    pub fn between(old: &RekeyableKey, new: &RekeyableKey) -> Self {
        // half of new times the inverse of old is half of delta
        Self(Half(new.0.0 * old.0.whole().invert()))
    }

    /// Reads 32 bytes, little-endian.
    ///
    /// # Errors
    /// [`RekeyError::Delta`] unless they are a number from 1 to the group's order less 1.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, RekeyError> {
        let scalar: Option<Scalar> = Scalar::from_canonical_bytes(*bytes).into();
        scalar.and_then(Half::of).map(Self).ok_or(RekeyError::Delta)
    }

    /// 32 bytes, little-endian.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.whole().to_bytes())
    }

    /// The token of the same message under the other key.
    ///
    /// # Errors
    /// [`RekeyError::TokenLength`], [`RekeyError::Token`].
    pub fn rekey(&self, token: &[u8]) -> Result<[u8; TOKEN_BYTES], RekeyError> {
        Ok((decode(token)? * self.0.whole()).compress().to_bytes())
    }

    /// Moves many tokens: as [`rekey`](Self::rekey) of each, and cheaper.
    ///
    /// # Errors
    /// For each token those of [`rekey`](Self::rekey).
    pub fn rekey_many<'a>(
        &self,
        tokens: impl IntoIterator<Item = &'a [u8]>,
    ) -> Vec<Result<[u8; TOKEN_BYTES], RekeyError>> {
        let decoded: Vec<Result<RistrettoPoint, RekeyError>> = tokens.into_iter().map(decode).collect();
        let mut moved = self.0.multiply(decoded.iter().flatten().copied()).into_iter();
        // as many were moved as were decoded, in their order
        decoded.into_iter().map(|token| token.and_then(|_| moved.next().ok_or(RekeyError::Token))).collect()
    }
}

impl fmt::Debug for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Delta(redacted)")
    }
}

/// The element that a token encodes, RFC 9496 section 4.3.1. No message has the identity for its token.
fn decode(token: &[u8]) -> Result<RistrettoPoint, RekeyError> {
    let encoding = CompressedRistretto::from_slice(token).map_err(|_| RekeyError::TokenLength)?;
    encoding.decompress().filter(|element| !element.is_identity()).ok_or(RekeyError::Token)
}

/// Why there is no key or no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RekeyError {
    /// A subkey of another length.
    #[error("a rekeyable key is made of a subkey of 64 bytes")]
    SubkeyLength,
    /// The subkey is a multiple of the group's order.
    #[error("the subkey of this domain is zero modulo the group's order: choose another domain")]
    ZeroKey,
    /// A delta that is zero, or not reduced.
    #[error("a delta is a number from 1 to the group's order less 1, 32 bytes little-endian")]
    Delta,
    /// A token of another length.
    #[error("a rekeyable token is 32 bytes long")]
    TokenLength,
    /// A token that encodes no element, or the identity.
    #[error("32 bytes that are no rekeyable token")]
    Token,
}

#[cfg(test)]
mod tests;
