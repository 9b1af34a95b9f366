//! Two messages interleaved through the SHA2 instructions of AArch64.

use std::arch::aarch64::*;
use std::arch::is_aarch64_feature_detected;

use super::batch::{Kernel, Message};
use super::interleaved::interleaved_kernel;
use super::{BLOCK, HmacKey, ROUND_CONSTANTS};

/// Messages interleaved.
const LANES: usize = 2;

/// Proof that the processor has the SHA2 instructions, and NEON with them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sha(());

impl Sha {
    pub fn detect() -> Option<Self> {
        (is_aarch64_feature_detected!("neon") && is_aarch64_feature_detected!("sha2")).then_some(Self(()))
    }

    /// Feeds each stream the blocks that both have.
    #[inline]
    pub fn compress_streams(self, streams: [&mut [u32; 8]; LANES], blocks: [&[[u8; BLOCK]]; LANES]) {
        // SAFETY: the features are there, or `detect` would not have made `self`
        unsafe { compress_streams(streams, blocks) }
    }
}

impl Kernel<LANES> for Sha {
    fn least_busy(self) -> u32 {
        1
    }

    #[inline]
    fn sign(self, key: &HmacKey, values: &[u8], group: &[Message; LANES]) -> [[u8; 32]; LANES] {
        // SAFETY: the features are there, or `detect` would not have made `self`
        unsafe { sign(key, values, group) }
    }
}

interleaved_kernel!("neon,sha2");

type Vector = uint32x4_t;
/// A state: words a b c d, and e f g h.
type State = [Vector; 2];

#[inline]
#[target_feature(enable = "neon,sha2")]
fn four_rounds([abcd, efgh]: &mut State, words: Vector) {
    let before = *abcd;
    *abcd = vsha256hq_u32(*abcd, *efgh, words);
    *efgh = vsha256h2q_u32(*efgh, before, words);
}

/// Words t..t + 4 of the message schedule from the sixteen before them.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn next_words(w0: Vector, w1: Vector, w2: Vector, w3: Vector) -> Vector {
    vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3)
}

#[inline]
#[target_feature(enable = "neon")]
fn add(a: Vector, b: Vector) -> Vector {
    vaddq_u32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
fn splat(word: u32) -> Vector {
    vdupq_n_u32(word)
}

#[inline]
#[target_feature(enable = "neon")]
fn load_words(words: &[u32; 4]) -> Vector {
    // SAFETY: the array is 16 bytes long, and the load asks for no more alignment than it has
    unsafe { vld1q_u32(words.as_ptr()) }
}

/// Four words from their big-endian bytes.
#[inline]
#[target_feature(enable = "neon")]
fn load_bytes(bytes: &[u8; 16]) -> Vector {
    // SAFETY: the array is 16 bytes long
    vreinterpretq_u32_u8(vrev32q_u8(unsafe { vld1q_u8(bytes.as_ptr()) }))
}

#[inline]
#[target_feature(enable = "neon")]
fn store_bytes(words: Vector) -> [u8; 16] {
    let mut bytes = [0; 16];
    // SAFETY: the array is 16 bytes long
    unsafe { vst1q_u8(bytes.as_mut_ptr(), vrev32q_u8(vreinterpretq_u8_u32(words))) };
    bytes
}

#[inline]
#[target_feature(enable = "neon")]
fn load_state(words: &[u32; 8]) -> State {
    let (halves, _) = words.as_chunks();
    [load_words(&halves[0]), load_words(&halves[1])]
}

/// The words a b c d, and e f g h.
fn in_order(state: State) -> [Vector; 2] {
    state
}
