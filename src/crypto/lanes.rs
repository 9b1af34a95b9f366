//! HMAC-SHA256 over many short messages.
//!
//! A column is millions of messages of a few bytes under one key, so what depends on the key alone is computed once:
//! a message of up to 55 bytes then costs two calls of the compression function instead of four.

use std::fmt;

use sha2::{Digest, Sha256, block_api::compress256};
use zeroize::{Zeroize, Zeroizing};

/// Bytes in a block of SHA-256.
const BLOCK: usize = 64;
/// Where the 64-bit message length begins in the last block (FIPS 180-4, section 5.1.1).
const LENGTH_AT: usize = BLOCK - 8;
/// The initial hash value of SHA-256 (FIPS 180-4, section 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// `H((K0 ^ opad) || H((K0 ^ ipad) || message))`, H = SHA-256 - RFC 2104.
///
/// The key is kept as the two states that H reaches after its first block; they are as secret as the key, zeroed on
/// drop and absent from `Debug`.
///
/// ```
/// use lakeveil::crypto::HmacKey;
/// let key = HmacKey::new(b"Jefe");
/// assert_eq!(key.sign(b"what do ya want for nothing?")[..4], [0x5b, 0xdc, 0xc1, 0x46]); // RFC 4231, case 2
/// assert_eq!(format!("{key:?}"), "HmacKey([redacted])");
/// ```
#[derive(Clone)]
pub struct HmacKey {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl HmacKey {
    /// Prepares a key of any length; one longer than 64 bytes is hashed first, as RFC 2104 has it.
    pub fn new(key: &[u8]) -> Self {
        let mut block = Zeroizing::new([0; BLOCK]);
        if key.len() > BLOCK {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        Self { inner: keyed_state(&block, 0x36), outer: keyed_state(&block, 0x5c) }
    }

    /// `HMAC-SHA256[key](message)`.
    #[inline]
    pub fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut state = self.inner;
        let (blocks, tail) = message.as_chunks::<BLOCK>();
        if !blocks.is_empty() {
            compress256(&mut state, blocks);
        }
        let mut last = [[0; BLOCK]; 2];
        let padded = last.as_flattened_mut();
        padded[..tail.len()].copy_from_slice(tail);
        padded[tail.len()] = 0x80;
        let used = if tail.len() < LENGTH_AT { 1 } else { 2 };
        last[used - 1][LENGTH_AT..].copy_from_slice(&bit_length(BLOCK + message.len()));
        compress256(&mut state, &last[..used]);

        let mut block = [0; BLOCK];
        block[..32].copy_from_slice(&to_bytes(&state));
        block[32] = 0x80;
        block[LENGTH_AT..].copy_from_slice(&bit_length(BLOCK + 32));
        state = self.outer;
        compress256(&mut state, &[block]);
        to_bytes(&state)
    }

    /// `out[i] = HMAC-SHA256[key](values[offsets[i]..offsets[i + 1]])`: the layout of an Arrow string or binary array.
    ///
    /// The values under null slots are signed like any other; the caller leaves them out of its result.
    ///
    /// ```
    /// use lakeveil::crypto::HmacKey;
    /// let key = HmacKey::new(b"key");
    /// let mut out = [[0; 32]; 2];
    /// key.sign_many(&[0, 3, 3], b"abc", &mut out);
    /// assert_eq!(out, [key.sign(b"abc"), key.sign(b"")]);
    /// ```
    ///
    /// # Panics
    /// If `offsets` is not one longer than `out`, or its values are negative, decreasing or beyond `values`.
    pub fn sign_many(&self, offsets: &[i32], values: &[u8], out: &mut [[u8; 32]]) {
        assert_eq!(offsets.len(), out.len() + 1, "offsets must be one longer than the outputs");
        for (bounds, slot) in offsets.windows(2).zip(out) {
            // a negative offset becomes a huge one, which the slice refuses
            *slot = self.sign(&values[bounds[0] as usize..bounds[1] as usize]);
        }
    }
}

impl Drop for HmacKey {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey([redacted])")
    }
}

/// The state of SHA-256 after the block `key ^ pad`.
fn keyed_state(key: &[u8; BLOCK], pad: u8) -> [u32; 8] {
    let mut block = Zeroizing::new([0; BLOCK]);
    for (masked, byte) in block.iter_mut().zip(key) {
        *masked = byte ^ pad;
    }
    let mut state = INITIAL;
    compress256(&mut state, std::slice::from_ref(&*block));
    state
}

fn bit_length(bytes: usize) -> [u8; 8] {
    (bytes as u64 * 8).to_be_bytes()
}

fn to_bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *chunk = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::{self, unhex};
    use hmac::{Hmac, KeyInit, Mac};

    /// RFC 4231, section 4: (key, data, HMAC-SHA-256); case 5 is given there cut to 128 bits.
    #[test]
    fn meets_rfc_4231() {
        let counting: Vec<u8> = (1..=25).collect();
        let long_data = b"This is a test using a larger than block-size key and a larger than block-size data. \
                          The key needs to be hashed before being used by the HMAC algorithm.";
        let cases: [(&[u8], &[u8], &str); 7] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (&counting, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
            (&[0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (&[0xaa; 131], long_data, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
        ];
        for (key, data, expected) in cases {
            let expected = unhex(expected);
            assert_eq!(HmacKey::new(key).sign(data)[..expected.len()], expected);
        }
    }

    #[test]
    fn meets_the_known_answers_of_the_interoperable_scheme() {
        for case in vectors::cases::<vectors::HmacSha256>("hmac_sha256") {
            let token = HmacKey::new(case.root().expose()).sign(case.canonical_utf8.as_bytes());
            assert_eq!(token[..], unhex(&case.hex), "{case:?}");
        }
    }

    #[test]
    fn equals_the_hmac_crate_at_every_key_and_message_length_around_the_blocks() {
        let bytes: Vec<u8> = (0..300_u32).map(|i| (i * 7 + 3) as u8).collect();
        for key_len in [0, 1, 16, 32, 63, 64, 65, 130] {
            let key = HmacKey::new(&bytes[..key_len]);
            for len in 0..=bytes.len() {
                let mut oracle = Hmac::<Sha256>::new_from_slice(&bytes[..key_len]).unwrap();
                oracle.update(&bytes[..len]);
                assert_eq!(key.sign(&bytes[..len])[..], oracle.finalize().into_bytes()[..], "{key_len} {len}");
            }
        }
    }

    #[test]
    fn many_equals_one_by_one_from_an_offset_that_is_not_zero() {
        let key = HmacKey::new(b"key");
        let values: Vec<u8> = (0..=255).collect();
        let offsets = [5, 5, 60, 61, 189, 256];
        let mut out = [[0; 32]; 5];
        key.sign_many(&offsets, &values, &mut out);
        for (i, token) in out.iter().enumerate() {
            assert_eq!(*token, key.sign(&values[offsets[i] as usize..offsets[i + 1] as usize]));
        }
        key.sign_many(&[7], &values, &mut []);
    }

    #[test]
    #[should_panic(expected = "one longer")]
    fn fail_offsets_and_outputs_that_disagree() {
        HmacKey::new(b"key").sign_many(&[0, 1], b"ab", &mut [[0; 32]; 2]);
    }

    #[test]
    #[should_panic(expected = "range")]
    fn fail_a_negative_offset() {
        HmacKey::new(b"key").sign_many(&[-1, 1], b"ab", &mut [[0; 32]; 1]);
    }
}
