//! Two messages interleaved through the SHA extensions of x86-64.

use std::arch::x86_64::*;

use super::batch::{Kernel, Message};
use super::interleaved::interleaved_kernel;
use super::{BLOCK, HmacKey, ROUND_CONSTANTS};

/// Messages interleaved: three or four need more than the sixteen registers and were slower (Zen 4: 44, 52, 49 ns for
/// each value of two, three, four).
const LANES: usize = 2;

/// Proof that the processor has the SHA extensions and SSE4.1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sha(());

impl Sha {
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("sha") && is_x86_feature_detected!("sse4.1")).then_some(Self(()))
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

interleaved_kernel!("sha,sse4.1");

type Vector = __m128i;
/// A state in the order of the instructions: words a b e f, and c d g h.
type State = [Vector; 2];

#[inline]
#[target_feature(enable = "sha,sse4.1")]
fn four_rounds([abef, cdgh]: &mut State, words: Vector) {
    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, words);
    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32::<0x0e>(words));
}

/// Words t..t + 4 of the message schedule from the sixteen before them.
#[inline]
#[target_feature(enable = "sha,sse4.1")]
fn next_words(w0: Vector, w1: Vector, w2: Vector, w3: Vector) -> Vector {
    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
    _mm_sha256msg2_epu32(sum, w3)
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn add(a: Vector, b: Vector) -> Vector {
    _mm_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn splat(word: u32) -> Vector {
    _mm_set1_epi32(word as i32)
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn load_words(words: &[u32; 4]) -> Vector {
    // SAFETY: the array is 16 bytes long, and the load asks for no alignment
    unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
}

/// Four words from their big-endian bytes.
#[inline]
#[target_feature(enable = "sse4.1")]
fn load_bytes(bytes: &[u8; 16]) -> Vector {
    // SAFETY: the array is 16 bytes long, and the load asks for no alignment
    swap_bytes(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn store_bytes(words: Vector) -> [u8; 16] {
    let mut bytes = [0; 16];
    // SAFETY: the array is 16 bytes long, and the store asks for no alignment
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), swap_bytes(words)) };
    bytes
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn swap_bytes(x: Vector) -> Vector {
    _mm_shuffle_epi8(x, _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203))
}

#[inline]
#[target_feature(enable = "sse4.1")]
fn load_state(words: &[u32; 8]) -> State {
    let (halves, _) = words.as_chunks();
    let (abcd, efgh) = (load_words(&halves[0]), load_words(&halves[1]));
    let (cdab, efgh) = (_mm_shuffle_epi32::<0xb1>(abcd), _mm_shuffle_epi32::<0x1b>(efgh));
    [_mm_alignr_epi8::<8>(cdab, efgh), _mm_blend_epi16::<0xf0>(efgh, cdab)]
}

/// The words a b c d, and e f g h.
#[inline]
#[target_feature(enable = "sse4.1")]
fn in_order([abef, cdgh]: State) -> [Vector; 2] {
    let (feba, dchg) = (_mm_shuffle_epi32::<0x1b>(abef), _mm_shuffle_epi32::<0xb1>(cdgh));
    [_mm_blend_epi16::<0xf0>(feba, dchg), _mm_alignr_epi8::<8>(dchg, feba)]
}
