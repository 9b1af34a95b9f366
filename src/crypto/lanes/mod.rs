//! HMAC-SHA256 over many short messages.
//!
//! A column is millions of messages of a few bytes under one key. What depends on the key alone is computed once: a
//! message of up to 55 bytes then costs two calls of the compression function instead of four. The messages do not
//! depend on each other, so several are hashed at the same time: [`Backend`] says how. The same instructions serve two
//! long streams at a time ([`StreamDigest`](super::StreamDigest)).
//!
//! The key's states are zeroed on drop. Not wiped are what the compression function leaves on the stack and in vector
//! registers: copies of the key's states, blocks of messages and their schedules, and states between the two hashes.
//!
//! | file | holds | unsafe |
//! |---|---|---|
//! | `batch` | offsets to groups of messages of like length; padding | |
//! | `wide` | a message in each lane of a vector | |
//! | `avx512`, `avx2` | the vectors' operations for it | yes |
//! | `interleaved` | a few messages in turns | |
//! | `shani`, `armv8` | the SHA-256 instructions for it | yes |
//! | `backend` | which of them runs | |

// `allow`: vector loads and stores, and calls of functions for instructions that were asked for at run time
#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)]
mod armv8;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx512;
mod backend;
mod batch;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod interleaved;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod shani;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod wide;

use std::fmt;

pub use backend::Backend;
use sha2::{Digest, Sha256, block_api::compress256};
use zeroize::{Zeroize, Zeroizing};

/// Bytes in a block of SHA-256.
pub(super) const BLOCK: usize = 64;
/// Where the 64-bit message length begins in the last block (FIPS 180-4, section 5.1.1).
pub(super) const LENGTH_AT: usize = BLOCK - 8;
/// The initial hash value of SHA-256 (FIPS 180-4, section 5.3.3).
pub(super) const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// K of FIPS 180-4, section 4.2.2: sixteen, in fours, for each pass over the message schedule.
const ROUND_CONSTANTS: [[[u32; 4]; 4]; 4] = [
    [
        [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5],
        [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
        [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3],
        [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    ],
    [
        [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc],
        [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
        [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7],
        [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    ],
    [
        [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13],
        [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
        [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3],
        [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    ],
    [
        [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5],
        [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
        [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208],
        [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
    ],
];

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
        self.sign_many_with(Backend::fastest(), offsets, values, out);
    }

    /// [`sign_many`](Self::sign_many) on a given backend, for tests and measurements: the result is the same.
    ///
    /// # Panics
    /// As `sign_many`, and if the processor lacks the backend.
    pub fn sign_many_with(&self, backend: Backend, offsets: &[i32], values: &[u8], out: &mut [[u8; 32]]) {
        assert_eq!(offsets.len(), out.len() + 1, "offsets must be one longer than the outputs");
        backend.sign_many(self, offsets, values, out);
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

pub(super) fn to_bytes(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *chunk = word.to_be_bytes();
    }
    bytes
}
