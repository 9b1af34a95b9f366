//! SHA-256 of a stream that comes in parts, of two streams at a time where there are two.
//!
//! One stream leaves the processor waiting: each round needs the one before. Two in turns are hashed at 1.8 times the
//! speed of one, where the processor has instructions for SHA-256.

use std::fmt;

use sha2::block_api::compress256;

use super::lanes::{BLOCK, Backend, INITIAL, LENGTH_AT, to_bytes};

/// `SHA-256(bytes)` - FIPS 180-4, section 6.2.
///
/// ```
/// use lakeveil::crypto::StreamDigest;
/// let (mut a, mut b) = (StreamDigest::new(), StreamDigest::new());
/// a.update(b"a");
/// StreamDigest::update_both((&mut a, b"bc"), (&mut b, b""));
/// assert_eq!(a.finalize()[..4], [0xba, 0x78, 0x16, 0xbf]); // FIPS 180-2, appendix B.1
/// assert_eq!(b.finalize()[..4], [0xe3, 0xb0, 0xc4, 0x42]);
/// ```
#[derive(Clone)]
pub struct StreamDigest {
    state: [u32; 8],
    /// Bytes after the last whole block: the first `length % BLOCK` of these.
    tail: [u8; BLOCK],
    length: u64,
}

impl StreamDigest {
    /// Of no bytes yet.
    pub fn new() -> Self {
        Self { state: INITIAL, tail: [0; BLOCK], length: 0 }
    }

    /// Appends `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        let blocks = self.take(bytes);
        if !blocks.is_empty() {
            compress256(&mut self.state, blocks);
        }
    }

    /// Appends to each of two streams its bytes, in the time of the longer one where the processor can.
    pub fn update_both(first: (&mut Self, &[u8]), second: (&mut Self, &[u8])) {
        Self::update_both_with(Backend::fastest(), first, second);
    }

    /// [`update_both`](Self::update_both) on a given backend, for tests and measurements: the result is the same.
    pub fn update_both_with(backend: Backend, first: (&mut Self, &[u8]), second: (&mut Self, &[u8])) {
        let ((first, bytes), (second, others)) = (first, second);
        let blocks = [first.take(bytes), second.take(others)];
        backend.compress_both([&mut first.state, &mut second.state], blocks);
    }

    /// The digest of all bytes.
    pub fn finalize(mut self) -> [u8; 32] {
        let bits = (self.length * 8).to_be_bytes();
        let used = self.used();
        // FIPS 180-4, section 5.1.1
        let mut last = [[0; BLOCK]; 2];
        let padded = last.as_flattened_mut();
        padded[..used].copy_from_slice(&self.tail[..used]);
        padded[used] = 0x80;
        let blocks = if used < LENGTH_AT { 1 } else { 2 };
        last[blocks - 1][LENGTH_AT..].copy_from_slice(&bits);
        compress256(&mut self.state, &last[..blocks]);
        to_bytes(&self.state)
    }

    fn used(&self) -> usize {
        (self.length % BLOCK as u64) as usize
    }

    /// Counts `bytes`, and keeps those that fill no block; gives the whole blocks after a tail from before, which the
    /// caller must compress next.
    fn take<'a>(&mut self, bytes: &'a [u8]) -> &'a [[u8; BLOCK]] {
        let used = self.used();
        self.length += bytes.len() as u64;
        let mut rest = bytes;
        if used > 0 {
            let (filling, after) = bytes.split_at(bytes.len().min(BLOCK - used));
            self.tail[used..used + filling.len()].copy_from_slice(filling);
            if used + filling.len() < BLOCK {
                return &[];
            }
            compress256(&mut self.state, &[self.tail]);
            rest = after;
        }
        let (blocks, tail) = rest.as_chunks();
        self.tail[..tail.len()].copy_from_slice(tail);
        blocks
    }
}

impl Default for StreamDigest {
    fn default() -> Self {
        Self::new()
    }
}

// the tail is data: never in a Debug output
impl fmt::Debug for StreamDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamDigest({} bytes)", self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    fn counting(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 7 + 3) as u8).collect()
    }

    /// On every backend, with the other stream being hashed at the same time.
    fn both_meet_the_oracle(parts: &[(&[u8], &[u8])]) {
        let (mut all, mut others) = (Sha256::new(), Sha256::new());
        for (part, other) in parts {
            all.update(part);
            others.update(other);
        }
        let expected: [[u8; 32]; 2] = [all.finalize().into(), others.finalize().into()];
        for backend in Backend::available() {
            let (mut a, mut b) = (StreamDigest::new(), StreamDigest::new());
            for (part, other) in parts {
                StreamDigest::update_both_with(backend, (&mut a, part), (&mut b, other));
            }
            assert_eq!([a.finalize(), b.finalize()], expected, "{backend}");
        }
    }

    /// FIPS 180-2, appendix B, and the digest of nothing from NIST's CAVP (SHA256ShortMsg.rsp): (message, digest).
    #[test]
    fn one_and_both_meet_fips_180() {
        let million = if cfg!(miri) { Vec::new() } else { vec![b'a'; 1_000_000] };
        let cases: [(&[u8], &str); 4] = [
            (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (&million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ];
        for (message, expected) in &cases[..if cfg!(miri) { 3 } else { 4 }] {
            let mut one = StreamDigest::new();
            one.update(message);
            assert_eq!(HEXLOWER.encode(&one.finalize()), *expected);
            for backend in Backend::available() {
                let (mut a, mut b) = (StreamDigest::new(), StreamDigest::new());
                StreamDigest::update_both_with(backend, (&mut a, message), (&mut b, message));
                assert_eq!(HEXLOWER.encode(&a.finalize()), *expected, "{backend}");
                assert_eq!(HEXLOWER.encode(&b.finalize()), *expected, "{backend}");
            }
        }
    }

    #[test]
    fn both_equal_sha2_at_every_length_around_the_blocks() {
        let bytes = counting(400);
        let lens = if cfg!(miri) { vec![55, 64, 130] } else { (0..200).chain([255, 256, 257, 400]).collect() };
        for &len in &lens {
            for other in [0, 1, 64, 127, 128, 129] {
                both_meet_the_oracle(&[(&bytes[..len], &bytes[400 - other..])]);
                both_meet_the_oracle(&[(&bytes[400 - other..], &bytes[..len])]);
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "safe code")]
    fn one_equals_sha2_wherever_it_is_split() {
        let bytes = counting(200);
        for len in [0, 1, 63, 64, 65, 119, 120, 128, 200] {
            for at in 0..=len {
                let mut one = StreamDigest::new();
                one.update(&bytes[..at]);
                one.update(&bytes[at..len]);
                assert_eq!(one.finalize(), <[u8; 32]>::from(Sha256::digest(&bytes[..len])), "{at} of {len}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: if cfg!(miri) { 2 } else { 256 },
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn any_two_streams_in_any_parts_equal_sha2(
            parts in prop::collection::vec((part(), part()), 0..if cfg!(miri) { 3 } else { 12 }),
        ) {
            let parts: Vec<(&[u8], &[u8])> = parts.iter().map(|(a, b)| (a.as_slice(), b.as_slice())).collect();
            both_meet_the_oracle(&parts);
        }
    }

    /// Often nothing, often around the length of a block or two.
    fn part() -> impl Strategy<Value = Vec<u8>> {
        let len =
            prop_oneof![2 => 0_usize..2, 3 => 0_usize..64, 3 => 62_usize..67, 2 => 126_usize..131, 1 => 0_usize..900];
        len.prop_flat_map(|len| prop::collection::vec(any::<u8>(), len))
    }

    #[test]
    fn its_debug_output_has_nothing_of_the_bytes() {
        let mut digest = StreamDigest::new();
        digest.update(b"CANARY");
        assert_eq!(format!("{digest:?}"), "StreamDigest(6 bytes)");
    }
}
