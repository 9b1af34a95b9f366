//! Eight messages side by side in the vectors of AVX2.

use std::arch::x86_64::*;

use super::batch::{Kernel, Message};
use super::wide::wide_kernel;
use super::{BLOCK, HmacKey, ROUND_CONSTANTS};

/// Messages side by side.
const LANES: usize = 8;

/// Proof that the processor has AVX2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(());

impl Avx2 {
    pub fn detect() -> Option<Self> {
        is_x86_feature_detected!("avx2").then_some(Self(()))
    }
}

impl Kernel<LANES> for Avx2 {
    fn least_busy(self) -> u32 {
        // eight lanes take less than two messages one by one, without the SHA extensions (Zen 4: 590 and 700 ns)
        2
    }

    #[inline]
    fn sign(self, key: &HmacKey, values: &[u8], group: &[Message; LANES]) -> [[u8; 32]; LANES] {
        // SAFETY: the feature is there, or `detect` would not have made `self`
        unsafe { sign(key, values, group) }
    }
}

wide_kernel!("avx2", __m256i, 8);

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: __m256i, b: __m256i) -> __m256i {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn or(a: __m256i, b: __m256i) -> __m256i {
    _mm256_or_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(a: __m256i, b: __m256i) -> __m256i {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word as i32)
}

/// The lanes in which `a > b`.
#[inline]
#[target_feature(enable = "avx2")]
fn more(a: __m256i, b: __m256i) -> __m256i {
    _mm256_cmpgt_epi32(a, b)
}

/// `if mask { a } else { b }` in every bit.
#[inline]
#[target_feature(enable = "avx2")]
fn select(mask: __m256i, a: __m256i, b: __m256i) -> __m256i {
    xor(_mm256_and_si256(mask, xor(a, b)), b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn choose(e: __m256i, f: __m256i, g: __m256i) -> __m256i {
    select(e, f, g)
}

#[inline]
#[target_feature(enable = "avx2")]
fn majority(a: __m256i, b: __m256i, c: __m256i) -> __m256i {
    select(xor(a, b), c, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotate<const N: i32>(x: __m256i) -> __m256i {
    or(_mm256_srl_epi32(x, _mm_cvtsi32_si128(N)), _mm256_sll_epi32(x, _mm_cvtsi32_si128(32 - N)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotations<const A: i32, const B: i32, const C: i32>(x: __m256i) -> __m256i {
    xor(xor(rotate::<A>(x), rotate::<B>(x)), rotate::<C>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn small<const A: i32, const B: i32, const SHIFT: i32>(x: __m256i) -> __m256i {
    xor(xor(rotate::<A>(x), rotate::<B>(x)), _mm256_srli_epi32::<SHIFT>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn from_lanes(lanes: &[u32; LANES]) -> __m256i {
    // SAFETY: the array is 32 bytes long, and the load asks for no alignment
    unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) }
}

/// Big-endian words to native ones, or back.
#[inline]
#[target_feature(enable = "avx2")]
fn swap_bytes(x: __m256i) -> __m256i {
    let order = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(order))
}

/// Vector t of the result holds element t of each vector: an 8x8 transposition, its own inverse.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose(rows: [__m256i; 8]) -> [__m256i; 8] {
    let [mut fours, mut turned] = [rows; 2];
    for i in [0, 4] {
        let [a, b, c, d] = [rows[i], rows[i + 1], rows[i + 2], rows[i + 3]];
        let (ab_low, ab_high) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
        let (cd_low, cd_high) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
        fours[i] = _mm256_unpacklo_epi64(ab_low, cd_low);
        fours[i + 1] = _mm256_unpackhi_epi64(ab_low, cd_low);
        fours[i + 2] = _mm256_unpacklo_epi64(ab_high, cd_high);
        fours[i + 3] = _mm256_unpackhi_epi64(ab_high, cd_high);
    }
    // half h of vector 4r + i is now element 4h + i of vectors 4r..4r + 4
    for i in 0..4 {
        turned[i] = _mm256_permute2x128_si256::<0x20>(fours[i], fours[i + 4]);
        turned[i + 4] = _mm256_permute2x128_si256::<0x31>(fours[i], fours[i + 4]);
    }
    turned
}

/// Vector t holds word t of each message's block.
#[inline]
#[target_feature(enable = "avx2")]
fn words_of(group: &[Message; LANES], index: u32, values: &[u8]) -> [__m256i; 16] {
    let mut rows = [[0; BLOCK]; LANES];
    for (row, message) in rows.iter_mut().zip(group) {
        *row = message.block(index, values);
    }
    let mut words = [splat(0); 16];
    for half in 0..2 {
        let mut vectors = [splat(0); 8];
        for (vector, row) in vectors.iter_mut().zip(&rows) {
            let bytes = &row.as_chunks::<32>().0[half];
            // SAFETY: half a row is 32 bytes long, and the load asks for no alignment
            *vector = swap_bytes(unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) });
        }
        words[half * 8..half * 8 + 8].copy_from_slice(&transpose(vectors));
    }
    words
}

/// The states as bytes, one row for each lane.
#[inline]
#[target_feature(enable = "avx2")]
fn bytes_of(state: &[__m256i; 8]) -> [[u8; 32]; LANES] {
    let mut rows = [[0; 32]; LANES];
    for (row, vector) in rows.iter_mut().zip(transpose(*state)) {
        // SAFETY: a row is 32 bytes long, and the store asks for no alignment
        unsafe { _mm256_storeu_si256(row.as_mut_ptr().cast(), swap_bytes(vector)) };
    }
    rows
}
