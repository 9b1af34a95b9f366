//! Deterministic authenticated encryption: AES-SIV - RFC 5297.

use std::fmt;

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes::{Aes256Enc, Block};
use zeroize::Zeroize;

/// Bytes of the synthetic initialization vector, which comes before the ciphertext.
pub const IV_BYTES: usize = 16;

/// Bytes of a key: 32 of CMAC, then 32 of CTR.
pub const KEY_BYTES: usize = 64;

const BLOCK: usize = 16;

/// Blocks of key stream that are made at one go.
const STREAM: usize = 8;

/// `SIV-Encrypt[key](plaintext)` with AES-256 and no associated-data component at all - RFC 5297, section 2.6.
///
/// Equal plaintexts give equal tokens, and any change to a token is found when it is decrypted. What depends on the
/// key alone (both key schedules, the subkeys of CMAC, the first step of S2V) is computed once, so that a short
/// value costs three or four calls of AES. The key is zeroed when it is dropped, and `Debug` shows nothing of it.
///
/// ```
/// use lakeveil::crypto::SivKey;
/// let key = SivKey::new(&[7; 64]).expect("64 bytes");
/// let (mut token, mut plain) = (Vec::new(), Vec::new());
/// key.encrypt(b"anna@example.com", &mut token);
/// assert_eq!(token.len(), 16 + 16);
/// key.decrypt(&token, &mut plain)?;
/// assert_eq!(plain, b"anna@example.com");
/// token[3] ^= 1;
/// assert!(key.decrypt(&token, &mut plain).is_err());
/// # Ok::<(), lakeveil::crypto::siv::NotAuthentic>(())
/// ```
#[derive(Clone)]
pub struct SivKey {
    mac: Aes256Enc,
    ctr: Aes256Enc,
    /// The subkeys of CMAC: K1 for a full last block, K2 for a padded one (RFC 4493, section 2.3).
    full: u128,
    padded: u128,
    /// `D = AES-CMAC(K1, <zero>)`, the first step of S2V (RFC 5297, section 2.4).
    zero: u128,
}

/// A token that was made with another key, was changed, or is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was not made with this key, or was changed since")]
pub struct NotAuthentic;

/// A key that is not [`KEY_BYTES`] long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key of AES-SIV has {KEY_BYTES} bytes, not {0}")]
pub struct KeyLength(pub usize);

impl Drop for SivKey {
    fn drop(&mut self) {
        // the key schedules zero themselves
        [&mut self.full, &mut self.padded, &mut self.zero].into_iter().for_each(Zeroize::zeroize);
    }
}

impl fmt::Debug for SivKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SivKey(redacted)")
    }
}

impl SivKey {
    /// Prepares a key: the first 32 bytes are CMAC's, the last 32 CTR's.
    ///
    /// # Errors
    /// [`KeyLength`]
    pub fn new(key: &[u8]) -> Result<Self, KeyLength> {
        let halves = key.split_first_chunk::<32>().and_then(|(mac, ctr)| Some((mac, ctr.try_into().ok()?)));
        let (mac, ctr): (&[u8; 32], &[u8; 32]) = halves.ok_or(KeyLength(key.len()))?;
        let mut made =
            Self { mac: Aes256Enc::new(mac.into()), ctr: Aes256Enc::new(ctr.into()), full: 0, padded: 0, zero: 0 };
        made.full = double(made.aes(0));
        made.padded = double(made.full);
        made.zero = made.aes(made.full);
        Ok(made)
    }

    /// Appends `SIV || ciphertext` of `plaintext` to `out`, 16 bytes more than came in.
    pub fn encrypt(&self, plaintext: &[u8], out: &mut Vec<u8>) {
        let iv = self.s2v(plaintext).to_be_bytes();
        out.reserve(IV_BYTES + plaintext.len());
        out.extend_from_slice(&iv);
        let start = out.len();
        out.extend_from_slice(plaintext);
        self.xor_key_stream(&iv, &mut out[start..]);
    }

    /// Appends the plaintext of `token` to `out`.
    ///
    /// # Errors
    /// [`NotAuthentic`]; `out` is then as it was.
    pub fn decrypt(&self, token: &[u8], out: &mut Vec<u8>) -> Result<(), NotAuthentic> {
        let (iv, ciphertext) = token.split_first_chunk::<IV_BYTES>().ok_or(NotAuthentic)?;
        let start = out.len();
        out.extend_from_slice(ciphertext);
        self.xor_key_stream(iv, &mut out[start..]);
        // one comparison of two words: its time tells nothing of where they differ
        if self.s2v(&out[start..]) ^ u128::from_be_bytes(*iv) == 0 {
            return Ok(());
        }
        out[start..].zeroize();
        out.truncate(start);
        Err(NotAuthentic)
    }

    /// S2V of one string - RFC 5297, section 2.4.
    fn s2v(&self, string: &[u8]) -> u128 {
        // if len(Sn) < 128 then T = dbl(D) xor pad(Sn), which is one full block
        if string.len() < BLOCK {
            let last = double(self.zero) ^ pad(string);
            return self.aes(last ^ self.full);
        }
        // T = Sn xorend D. All but the last 16 to 31 bytes are as in Sn
        let (head, tail) = string.split_at((string.len() - BLOCK) / BLOCK * BLOCK);
        let (blocks, _) = head.as_chunks::<BLOCK>();
        let mut state = 0;
        for block in blocks {
            state = self.aes(state ^ u128::from_be_bytes(*block));
        }
        let mut end = [0; 2 * BLOCK - 1];
        let end = &mut end[..tail.len()];
        end.copy_from_slice(tail);
        for (byte, mask) in end[tail.len() - BLOCK..].iter_mut().zip(self.zero.to_be_bytes()) {
            *byte ^= mask;
        }
        // V = AES-CMAC(K1, T)
        let (block, rest) = end.split_at(BLOCK);
        let block = state ^ pad(block);
        if rest.is_empty() { self.aes(block ^ self.full) } else { self.aes(self.aes(block) ^ pad(rest) ^ self.padded) }
    }

    /// CTR over `data` from `iv` with two bits cleared - RFC 5297, sections 2.5 and 2.6.
    fn xor_key_stream(&self, iv: &[u8; IV_BYTES], data: &mut [u8]) {
        // Q = V bitand (1^64 || 0^1 || 1^31 || 0^1 || 1^31)
        let mut counter = u128::from_be_bytes(*iv) & !(1 << 63 | 1 << 31);
        for part in data.chunks_mut(STREAM * BLOCK) {
            let mut stream = [Block::default(); STREAM];
            let stream = &mut stream[..part.len().div_ceil(BLOCK)];
            for block in &mut *stream {
                *block = Array(counter.to_be_bytes());
                counter = counter.wrapping_add(1);
            }
            self.ctr.encrypt_blocks(stream);
            part.iter_mut().zip(stream.iter().flatten()).for_each(|(byte, key)| *byte ^= key);
        }
    }

    fn aes(&self, block: u128) -> u128 {
        let mut block = Array(block.to_be_bytes());
        self.mac.encrypt_block(&mut block);
        u128::from_be_bytes(block.0)
    }
}

/// `dbl`: multiplication by x in GF(2^128) - RFC 5297, section 2.3. The same time for every block.
fn double(block: u128) -> u128 {
    (block << 1) ^ ((block >> 127) * 0x87)
}

/// `pad`: a one bit and zeros up to a full block - RFC 5297, section 2.1. A full block stays as it is.
fn pad(bytes: &[u8]) -> u128 {
    let mut block = [0; BLOCK];
    block[..bytes.len()].copy_from_slice(bytes);
    if let Some(end) = block.get_mut(bytes.len()) {
        *end = 0x80;
    }
    u128::from_be_bytes(block)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{subkey, vectors};
    use aes_siv::siv::Aes256Siv;
    use proptest::prelude::*;

    fn key(bytes: impl IntoIterator<Item = u8>) -> (SivKey, Aes256Siv) {
        let bytes: Vec<u8> = bytes.into_iter().collect();
        let theirs = Aes256Siv::new(bytes.as_slice().try_into().unwrap());
        (SivKey::new(&bytes).unwrap(), theirs)
    }

    fn encrypt(key: &SivKey, plaintext: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        key.encrypt(plaintext, &mut out);
        out
    }

    #[test]
    fn tokens_meet_the_known_answers_and_decrypt() {
        let cases = vectors::cases::<vectors::Encrypt>("encrypt");
        for case in &cases {
            let key =
                SivKey::new(subkey(&case.root(), "encrypt", &case.domain, &case.tenant, KEY_BYTES).expose()).unwrap();
            let token = vectors::unhex(&case.hex);
            assert_eq!(encrypt(&key, case.canonical_utf8.as_bytes()), token, "{case:?}");
            let mut plain = Vec::new();
            key.decrypt(&token, &mut plain).unwrap();
            assert_eq!(plain, case.canonical_utf8.as_bytes());
        }
        let lengths = cases.iter().map(|case| case.canonical_utf8.len()).collect::<std::collections::BTreeSet<_>>();
        assert!(lengths.contains(&0) && lengths.contains(&16) && lengths.last() >= Some(&1000), "{lengths:?}");
    }

    /// A case of RFC 5297, appendix A; all bytes in hexadecimal.
    #[derive(serde::Deserialize)]
    struct Rfc5297 {
        key: String,
        components: Vec<String>,
        plaintext: String,
        output: String,
    }

    /// The crate that these tests compare with meets RFC 5297 itself: so what it says of no components is worth much.
    #[test]
    fn the_crate_compared_with_meets_rfc_5297_appendix_a() {
        for case in vectors::cases_of::<Rfc5297>("aes-siv-rfc5297.json", "cases") {
            let mut siv = aes_siv::siv::Aes128Siv::new(vectors::unhex(&case.key).as_slice().try_into().unwrap());
            let components: Vec<Vec<u8>> = case.components.iter().map(|hex| vectors::unhex(hex)).collect();
            let output = siv.encrypt(components, &vectors::unhex(&case.plaintext)).unwrap();
            assert_eq!(output, vectors::unhex(&case.output));
        }
    }

    #[test]
    fn equals_the_crate_without_components_at_every_length_around_blocks() {
        let (ours, mut theirs) = key(0..64);
        let long: Vec<u8> = (0..1100_u32).map(|i| ((i * 37) >> 3) as u8).collect();
        for len in (0..=300).chain(1000..=1100) {
            let token = encrypt(&ours, &long[..len]);
            assert_eq!(token, theirs.encrypt(std::iter::empty::<&[u8]>(), &long[..len]).unwrap(), "{len}");
        }
    }

    #[test]
    fn the_counter_carries_through_all_words() {
        let (ours, _) = key(0..64);
        let blocks = |start: u128| {
            let mut data = vec![0; 20 * BLOCK];
            ours.xor_key_stream(&start.to_be_bytes(), &mut data);
            data
        };
        // the two cleared bits keep single carries short, but not the carry out of the lowest word
        let start = u128::from_be_bytes([0x7f; 16]) | 0x7fff_ffff;
        for (at, block) in blocks(start).chunks_exact(BLOCK).enumerate() {
            let mut expected = Array(((start & !(1 << 63 | 1 << 31)) + at as u128).to_be_bytes());
            ours.ctr.encrypt_block(&mut expected);
            assert_eq!(block, expected.as_slice(), "{at}");
        }
    }

    #[test]
    fn fail_what_is_too_short_or_of_another_key() {
        let (ours, _) = key(0..64);
        let (other, _) = key(1..65);
        let mut out = b"before".to_vec();
        for len in 0..IV_BYTES {
            assert_eq!(ours.decrypt(&vec![0; len], &mut out), Err(NotAuthentic));
        }
        assert_eq!(ours.decrypt(&encrypt(&other, b""), &mut out), Err(NotAuthentic));
        assert_eq!(ours.decrypt(&encrypt(&other, b"anna@example.com"), &mut out), Err(NotAuthentic));
        assert_eq!(out, b"before");
        for len in [0, 32, 63, 65] {
            assert_eq!(SivKey::new(&vec![1; len]).unwrap_err(), KeyLength(len));
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let (ours, _) = key(std::iter::repeat_n(0x63, 64));
        assert_eq!(format!("{ours:?}"), "SivKey(redacted)");
    }

    proptest! {
        #[test]
        fn equals_the_crate_and_decrypts(bytes in any::<[u8; 64]>(), plaintext in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (ours, mut theirs) = key(bytes);
            let token = encrypt(&ours, &plaintext);
            prop_assert_eq!(&token, &theirs.encrypt(std::iter::empty::<&[u8]>(), &plaintext).unwrap());
            let mut plain = Vec::new();
            ours.decrypt(&token, &mut plain).unwrap();
            prop_assert_eq!(plain, plaintext);
        }

        #[test]
        fn fail_any_changed_bit(plaintext in proptest::collection::vec(any::<u8>(), 0..60), at in any::<prop::sample::Index>(), bit in 0..8) {
            let (ours, _) = key(0..64);
            let mut token = encrypt(&ours, &plaintext);
            token[at.index(plaintext.len() + IV_BYTES)] ^= 1_u8 << bit;
            let mut out = Vec::new();
            prop_assert_eq!(ours.decrypt(&token, &mut out), Err(NotAuthentic));
            prop_assert!(out.is_empty());
        }
    }
}
