//! Sixteen messages side by side in the vectors of AVX-512.

use std::arch::x86_64::*;

use super::batch::{Kernel, Message};
use super::wide::wide_kernel;
use super::{BLOCK, HmacKey, ROUND_CONSTANTS};

/// Messages side by side.
const LANES: usize = 16;

/// Proof that the processor has AVX-512 F and BW.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512 {
    least_busy: u32,
}

impl Avx512 {
    pub fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
        // sixteen lanes take as long as fifteen messages by twos, or as two alone without the SHA extensions (Zen 4)
        found.then(|| Self { least_busy: if is_x86_feature_detected!("sha") { 15 } else { 2 } })
    }
}

impl Kernel<LANES> for Avx512 {
    fn least_busy(self) -> u32 {
        self.least_busy
    }

    #[inline]
    fn sign(self, key: &HmacKey, values: &[u8], group: &[Message; LANES]) -> [[u8; 32]; LANES] {
        // SAFETY: the features are there, or `detect` would not have made `self`
        unsafe { sign(key, values, group) }
    }
}

wide_kernel!("avx512f,avx512bw", __m512i, 16);

#[inline]
#[target_feature(enable = "avx512f")]
fn add(a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn or(a: __m512i, b: __m512i) -> __m512i {
    _mm512_or_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(word: u32) -> __m512i {
    _mm512_set1_epi32(word as i32)
}

/// The lanes in which `a > b`.
#[inline]
#[target_feature(enable = "avx512f")]
fn more(a: __m512i, b: __m512i) -> __mmask16 {
    _mm512_cmpgt_epi32_mask(a, b)
}

/// `if mask { a } else { b }` in every lane.
#[inline]
#[target_feature(enable = "avx512f")]
fn select(mask: __mmask16, a: __m512i, b: __m512i) -> __m512i {
    _mm512_mask_blend_epi32(mask, b, a)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn choose(e: __m512i, f: __m512i, g: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xca>(e, f, g)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn majority(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0xe8>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn rotations<const A: i32, const B: i32, const C: i32>(x: __m512i) -> __m512i {
    xor3(_mm512_ror_epi32::<A>(x), _mm512_ror_epi32::<B>(x), _mm512_ror_epi32::<C>(x))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn small<const A: i32, const B: i32, const SHIFT: u32>(x: __m512i) -> __m512i {
    xor3(_mm512_ror_epi32::<A>(x), _mm512_ror_epi32::<B>(x), _mm512_srli_epi32::<SHIFT>(x))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn from_lanes(lanes: &[u32; LANES]) -> __m512i {
    // SAFETY: the array is 64 bytes long, and the load asks for no alignment
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

/// Big-endian words to native ones, or back.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn swap_bytes(x: __m512i) -> __m512i {
    let order = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm512_shuffle_epi8(x, _mm512_broadcast_i32x4(order))
}

/// Four vectors of words to four in which each quarter holds one word of each: a 4x4 transposition in every quarter.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose4(a: __m512i, b: __m512i, c: __m512i, d: __m512i) -> [__m512i; 4] {
    let (ab_low, ab_high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    let (cd_low, cd_high) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
    [
        _mm512_unpacklo_epi64(ab_low, cd_low),
        _mm512_unpackhi_epi64(ab_low, cd_low),
        _mm512_unpacklo_epi64(ab_high, cd_high),
        _mm512_unpackhi_epi64(ab_high, cd_high),
    ]
}

/// Block `index` of the padded message without the length, as words.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_block(message: &Message, index: u32, values: &[u8]) -> __m512i {
    let (start, len) = (message.start as usize, message.len as usize);
    let (keep, mark, rest) = match values[start..start + len].get(index as usize * BLOCK..) {
        Some(rest) if rest.len() >= BLOCK => (u64::MAX, 0, rest),
        Some(rest) => ((1 << rest.len()) - 1, 1 << rest.len(), rest),
        // it ended in an earlier block
        None => (0, 0, values),
    };
    // SAFETY: the mask has ones for bytes of `rest` alone, and a load does not touch the others
    let bytes = unsafe { _mm512_maskz_loadu_epi8(keep, rest.as_ptr().cast()) };
    swap_bytes(_mm512_mask_mov_epi8(bytes, mark, _mm512_set1_epi8(i8::MIN)))
}

/// Vector t holds word t of each message's block.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn words_of(group: &[Message; LANES], index: u32, values: &[u8]) -> [__m512i; 16] {
    let mut quads = [splat(0); LANES];
    for (quad, message) in quads.iter_mut().zip(group) {
        *quad = load_block(message, index, values);
    }
    for i in (0..LANES).step_by(4) {
        let turned = transpose4(quads[i], quads[i + 1], quads[i + 2], quads[i + 3]);
        quads[i..i + 4].copy_from_slice(&turned);
    }
    // quarter q of vector 4r + i is now word 4q + i of messages 4r..4r + 4: transpose the quarters
    let mut words = [splat(0); 16];
    for i in 0..4 {
        let (a, b, c, d) = (quads[i], quads[i + 4], quads[i + 8], quads[i + 12]);
        let (ab_low, ab_high) = (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
        let (cd_low, cd_high) = (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xdd>(c, d));
        words[i] = _mm512_shuffle_i32x4::<0x88>(ab_low, cd_low);
        words[i + 4] = _mm512_shuffle_i32x4::<0x88>(ab_high, cd_high);
        words[i + 8] = _mm512_shuffle_i32x4::<0xdd>(ab_low, cd_low);
        words[i + 12] = _mm512_shuffle_i32x4::<0xdd>(ab_high, cd_high);
    }
    words
}

/// The states as bytes, one row for each lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn bytes_of(state: &[__m512i; 8]) -> [[u8; 32]; LANES] {
    let [a, b, c, d, e, f, g, h] = *state;
    let (front, back) = (transpose4(a, b, c, d), transpose4(e, f, g, h));
    let mut rows = [[0; 32]; LANES];
    for i in 0..4 {
        // quarter q of `front[i]` is the first half of row 4q + i, that of `back[i]` its second
        let low = _mm512_permutex2var_epi64(front[i], _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), back[i]);
        let high = _mm512_permutex2var_epi64(front[i], _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), back[i]);
        let mut pairs = [[[0_u8; 32]; 2]; 2];
        // SAFETY: each pair of rows is 64 bytes long, and the stores ask for no alignment
        unsafe {
            _mm512_storeu_si512(pairs[0].as_mut_ptr().cast(), swap_bytes(low));
            _mm512_storeu_si512(pairs[1].as_mut_ptr().cast(), swap_bytes(high));
        }
        [[rows[i], rows[i + 4]], [rows[i + 8], rows[i + 12]]] = pairs;
    }
    rows
}
