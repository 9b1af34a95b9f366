//! `expand_message_xmd(H, message, tag, LEN)` - RFC 9380 section 5.3.1: uniform bytes from a message.

use sha2::Digest;
use sha2::digest::OutputSizeUser;
use sha2::digest::block_api::BlockSizeUser;
use sha2::digest::typenum::Unsigned;

/// The longest domain separation tag that is taken as it is, in bytes; a longer one is hashed first.
const LONGEST_TAG: usize = 255;

/// `expand_message_xmd[H](message, tag, LEN)` - RFC 9380 section 5.3.1, and section 5.3.3 for a tag over 255 bytes.
///
/// `tag` is the domain separation tag (DST): outputs under two tags are unrelated. More than 255 digests or 65 535
/// bytes of output are refused when the call is compiled.
///
/// ```
/// use lakeveil::crypto::expand::expand_message_xmd;
/// let bytes: [u8; 32] = expand_message_xmd::<sha2::Sha512, 32>(b"abc", b"QUUX-V01-CS02-with-expander-SHA512-256");
/// assert_eq!(bytes[..4], [0x0d, 0xa7, 0x49, 0xf1]);
/// ```
pub fn expand_message_xmd<H: Digest + BlockSizeUser, const LEN: usize>(message: &[u8], tag: &[u8]) -> [u8; LEN] {
    // 2. Abort if ell > 255 or len_in_bytes > 65535
    const { assert!(LEN.div_ceil(<H as OutputSizeUser>::OutputSize::USIZE) <= 255 && LEN <= 65_535) }
    let hashed;
    let tag = if tag.len() > LONGEST_TAG {
        hashed = H::new_with_prefix("H2C-OVERSIZE-DST-").chain_update(tag).finalize();
        hashed.as_slice()
    } else {
        tag
    };
    // 3. DST_prime = DST || I2OSP(len(DST), 1)
    let with_tag = |hash: H| hash.chain_update(tag).chain_update([tag.len() as u8]).finalize();
    // 4. to 7. b_0 = H(Z_pad || msg || l_i_b_str || I2OSP(0, 1) || DST_prime)
    let padding = sha2::digest::block_api::Block::<H>::default();
    let first = H::new_with_prefix(padding).chain_update(message).chain_update((LEN as u16).to_be_bytes());
    let first = with_tag(first.chain_update([0]));
    let mut uniform = [0; LEN];
    let mut last = sha2::digest::Output::<H>::default();
    for (i, out) in uniform.chunks_mut(first.len()).enumerate() {
        // 8. and 10. b_i = H(strxor(b_0, b_(i - 1)) || I2OSP(i, 1) || DST_prime), where b_1 takes b_0 alone
        last.iter_mut().zip(&first).for_each(|(last, first)| *last ^= first);
        last = with_tag(H::new_with_prefix(&last).chain_update([i as u8 + 1]));
        // 11. and 12. the first len_in_bytes bytes of b_1 || ... || b_ell
        out.copy_from_slice(&last[..out.len()]);
    }
    uniform
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors::{self, unhex};
    use sha2::{Sha256, Sha512};

    #[derive(Debug, serde::Deserialize)]
    struct Case {
        section: String,
        hash: String,
        dst: String,
        message: String,
        uniform_bytes_hex: String,
    }

    #[test]
    fn uniform_bytes_meet_rfc_9380_appendix_k() {
        let mut seen = [0; 2];
        for case in vectors::cases_of::<Case>("rfc9380-xmd.json", "cases") {
            let (message, tag) = (case.message.as_bytes(), case.dst.as_bytes());
            let expected = unhex(&case.uniform_bytes_hex);
            let made = match (case.hash.as_str(), expected.len()) {
                ("SHA-256", 32) => expand_message_xmd::<Sha256, 32>(message, tag).to_vec(),
                ("SHA-256", 128) => expand_message_xmd::<Sha256, 128>(message, tag).to_vec(),
                ("SHA-512", 32) => expand_message_xmd::<Sha512, 32>(message, tag).to_vec(),
                ("SHA-512", 128) => expand_message_xmd::<Sha512, 128>(message, tag).to_vec(),
                _ => panic!("{case:?}"),
            };
            assert_eq!(made, expected, "{case:?}");
            seen[usize::from(case.section == "K.2")] += 1;
        }
        assert_eq!(seen, [10, 10], "ten of K.3, and ten of K.2, whose tags are over 255 bytes");
    }

    #[test]
    fn a_tag_of_255_bytes_is_taken_as_it_is_and_one_of_256_is_hashed() {
        let tag = [b't'; 256];
        let hashed = Sha512::new_with_prefix("H2C-OVERSIZE-DST-").chain_update(tag).finalize();
        let long = expand_message_xmd::<Sha512, 64>(b"m", &tag);
        assert_eq!(long, expand_message_xmd::<Sha512, 64>(b"m", &hashed));
        // b_1 of 64 bytes, written out
        let prime = [&tag[..255], &[255]].concat();
        let first = Sha512::digest([&[0; 128][..], b"m", &[0, 64, 0], &prime].concat());
        let expected = Sha512::digest([&first[..], &[1], &prime].concat());
        assert_eq!(expand_message_xmd::<Sha512, 64>(b"m", &tag[..255]), expected[..]);
    }
}
