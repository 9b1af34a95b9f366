//! `ipcrypt-pfx` - draft-denis-ipcrypt: an address to an address of its family, two addresses keeping the length of
//! the prefix that they share.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Block};

/// Bytes of the subkey that a [`PrefixCipher`] is made of.
pub const SUBKEY_BYTES: usize = 32;

/// Bits of an address, as the 128 bits that it is encrypted in.
const BITS: usize = 128;

/// Bits of the prefix that makes an IPv4 address one of 128 bits; it stays as it is.
const MAPPED_BITS: usize = 96;

/// `::ffff:0:0`, the prefix itself.
const MAPPED: u128 = 0xffff << 32;

/// Prefix-preserving encryption of addresses: bit i of the output is bit i of the input XOR one pseudorandom bit of
/// the i bits before it, `lsb(AES[k1](block) XOR AES[k2](block))`.
///
/// Each bit's block is known from the input alone, so all of an address are encrypted at one go. The keys are zeroed
/// when dropped, and `Debug` does not show them.
///
/// ```
/// use lakeveil::crypto::pfx::PrefixCipher;
/// let cipher = PrefixCipher::from_subkey(&std::array::from_fn::<u8, 32, _>(|i| i as u8))?;
/// let hidden = cipher.encrypt("192.0.2.1".parse().unwrap());
/// assert!(hidden.is_ipv4());
/// assert_eq!(cipher.decrypt(hidden).to_string(), "192.0.2.1");
/// # Ok::<(), lakeveil::crypto::pfx::PrefixKeyError>(())
/// ```
#[derive(Clone)]
pub struct PrefixCipher {
    first: Aes128,
    second: Aes128,
}

impl PrefixCipher {
    /// Two AES-128 keys, from the halves of a subkey of 32 bytes.
    ///
    /// # Errors
    /// [`PrefixKeyError::Length`], and [`PrefixKeyError::EqualHalves`] once in 2^128 subkeys: such would encrypt nothing.
    pub fn from_subkey(subkey: &[u8]) -> Result<Self, PrefixKeyError> {
        let (halves, []) = subkey.as_chunks::<16>() else { return Err(PrefixKeyError::Length) };
        let [first, second] = halves else { return Err(PrefixKeyError::Length) };
        if first == second {
            return Err(PrefixKeyError::EqualHalves);
        }
        Ok(Self { first: Aes128::new(first.into()), second: Aes128::new(second.into()) })
    }

    /// The address that stands for `address`, of the same family. `::ffff:a.b.c.d` counts as IPv6: who means the IPv4
    /// address in it calls [`IpAddr::to_canonical`] first.
    pub fn encrypt(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) => {
                let bits = MAPPED | u128::from(v4.to_bits());
                Ipv4Addr::from_bits((bits ^ self.mask::<{ BITS - MAPPED_BITS }>(bits)) as u32).into()
            }
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() ^ self.mask::<BITS>(v6.to_bits())).into(),
        }
    }

    /// The address that `address` stands for. Its bits become known one after the other, so this takes many times as
    /// long as [`encrypt`](Self::encrypt).
    pub fn decrypt(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) => {
                Ipv4Addr::from_bits(self.unmask(MAPPED | u128::from(v4.to_bits()), MAPPED_BITS) as u32).into()
            }
            IpAddr::V6(v6) => Ipv6Addr::from_bits(self.unmask(v6.to_bits(), 0)).into(),
        }
    }

    /// The pseudorandom bits of the last `N` bits of an address.
    fn mask<const N: usize>(&self, address: u128) -> u128 {
        let mut first = [Block::default(); N];
        for (prefix_len, block) in (BITS - N..BITS).zip(&mut first) {
            *block = padded(address, prefix_len);
        }
        let mut second = first;
        self.first.encrypt_blocks(&mut first);
        self.second.encrypt_blocks(&mut second);
        first.iter().zip(&second).fold(0, |mask, (first, second)| mask << 1 | lowest_bit(first, second))
    }

    fn unmask(&self, encrypted: u128, from: usize) -> u128 {
        (from..BITS).fold(encrypted, |address, prefix_len| {
            let mut first = padded(address, prefix_len);
            let mut second = first;
            self.first.encrypt_block(&mut first);
            self.second.encrypt_block(&mut second);
            address ^ lowest_bit(&first, &second) << (BITS - 1 - prefix_len)
        })
    }
}

/// The block of a prefix: zeros, a one, and the first `prefix_len` bits of the address.
fn padded(address: u128, prefix_len: usize) -> Block {
    // two shifts, as one by all 128 bits is none
    let prefix = (address >> 1) >> (BITS - 1 - prefix_len);
    (1 << prefix_len | prefix).to_be_bytes().into()
}

fn lowest_bit(first: &Block, second: &Block) -> u128 {
    u128::from((first[15] ^ second[15]) & 1)
}

impl fmt::Debug for PrefixCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrefixCipher(redacted)")
    }
}

/// Why there is no cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrefixKeyError {
    /// A subkey of another length.
    #[error("addresses are encrypted under a subkey of 32 bytes")]
    Length,
    /// Both halves are the same.
    #[error("both halves of the subkey of this domain are the same: choose another domain")]
    EqualHalves,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::crypto::vectors::{cases_of, unhex};

    #[test]
    fn addresses_meet_the_known_answers_of_the_draft() {
        #[derive(Debug, Deserialize)]
        struct Case {
            key: String,
            ip: IpAddr,
            encrypted_ip: IpAddr,
        }
        let cases = cases_of::<Case>("ipcrypt-pfx.json", "cases");
        assert_eq!(cases.len(), 16);
        for case in cases {
            let cipher = PrefixCipher::from_subkey(&unhex(&case.key)).unwrap();
            assert_eq!(cipher.encrypt(case.ip), case.encrypted_ip, "{case:?}");
            assert_eq!(cipher.decrypt(case.encrypted_ip), case.ip, "{case:?}");
        }
    }

    #[test]
    fn fail_a_subkey_of_another_length_or_of_equal_halves() {
        for len in [0, 16, 31, 33, 48, 64] {
            let made = PrefixCipher::from_subkey(&(0..len).collect::<Vec<u8>>());
            assert_eq!(made.map(|_| ()), Err(PrefixKeyError::Length), "{len}");
        }
        let made = PrefixCipher::from_subkey(&[7; 32]);
        assert_eq!(made.map(|_| ()), Err(PrefixKeyError::EqualHalves));
    }

    #[test]
    fn debug_shows_no_key() {
        let cipher = PrefixCipher::from_subkey(&(0..32).collect::<Vec<u8>>()).unwrap();
        assert_eq!(format!("{cipher:?} {cipher:#?}"), "PrefixCipher(redacted) PrefixCipher(redacted)");
    }

    #[test]
    fn two_addresses_keep_the_length_of_their_common_prefix_whatever_it_is() {
        let cipher = PrefixCipher::from_subkey(&(0..32).collect::<Vec<u8>>()).unwrap();
        for (address, width) in [("2001:db8:9f27::b4e2:7a3d", 128), ("192.0.2.99", 32)] {
            let address: IpAddr = address.parse().unwrap();
            for common in 0..width {
                let other = match address {
                    IpAddr::V4(v4) => IpAddr::from(Ipv4Addr::from_bits(v4.to_bits() ^ 1 << (31 - common))),
                    IpAddr::V6(v6) => IpAddr::from(Ipv6Addr::from_bits(v6.to_bits() ^ 1 << (127 - common))),
                };
                assert_eq!(common_prefix(cipher.encrypt(address), cipher.encrypt(other)), common, "{other}");
            }
        }
    }

    fn common_prefix(one: IpAddr, two: IpAddr) -> u32 {
        match (one, two) {
            (IpAddr::V4(one), IpAddr::V4(two)) => (one.to_bits() ^ two.to_bits()).leading_zeros(),
            (IpAddr::V6(one), IpAddr::V6(two)) => (one.to_bits() ^ two.to_bits()).leading_zeros(),
            _ => panic!("{one} and {two} are of two families"),
        }
    }

    proptest! {
        #[test]
        fn any_address_equals_the_crate_and_comes_back(key in any::<[u8; 32]>(), address in any::<IpAddr>()) {
            prop_assume!(key[..16] != key[16..]);
            let cipher = PrefixCipher::from_subkey(&key).unwrap();
            let encrypted = cipher.encrypt(address);
            prop_assert_eq!(encrypted, ipcrypt_rs::IpcryptPfx::new(key).encrypt_ipaddr(address));
            prop_assert_eq!(cipher.decrypt(encrypted), address);
        }

        #[test]
        fn any_two_addresses_keep_the_length_of_their_common_prefix(
            key in any::<[u8; 32]>(),
            (one, two) in any::<bool>().prop_flat_map(|v4| if v4 {
                (any::<Ipv4Addr>().prop_map(IpAddr::V4).boxed(), any::<Ipv4Addr>().prop_map(IpAddr::V4).boxed())
            } else {
                (any::<Ipv6Addr>().prop_map(IpAddr::V6).boxed(), any::<Ipv6Addr>().prop_map(IpAddr::V6).boxed())
            }),
        ) {
            prop_assume!(key[..16] != key[16..]);
            let cipher = PrefixCipher::from_subkey(&key).unwrap();
            prop_assert_eq!(common_prefix(cipher.encrypt(one), cipher.encrypt(two)), common_prefix(one, two));
        }
    }
}
