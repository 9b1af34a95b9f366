//! Format-preserving encryption: FF1 - NIST SP 800-38G.

mod halves;
#[cfg(test)]
mod tests;

use std::fmt;

use aes::Aes256Enc;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use fpe::ff1::{FF1, FlexibleNumeralString, NumeralString};

use halves::Halves;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Most numerals that are taken.
pub const MAX_NUMERALS: usize = 256;
/// Least number of strings that a length must have: with fewer, a list of all of them is soon made (SP 800-38G
/// revision 1, section 5.1).
pub const MIN_STRINGS: u64 = 1_000_000;

/// Longest tweak, so that its length and what is framed around it fit the 32 bits that FF1 has for it.
const MAX_TWEAK_BYTES: usize = i32::MAX as usize;

/// `FF1.Encrypt[key, tweak](numerals)` over one radix, with AES-256 - NIST SP 800-38G, section 6.2.
///
/// Equal numerals under one tweak give equal results; strings of one length are permuted among themselves. The key
/// is zeroed when it is dropped, and `Debug` shows nothing of it.
///
/// ```
/// use lakeveil::crypto::Ff1Key;
/// let key = Ff1Key::new(&[7; 32], 10)?;
/// let mut numerals = [4, 1, 1, 1, 1, 1, 1, 1];
/// key.encrypt(b"", &mut numerals)?;
/// assert_ne!(numerals, [4, 1, 1, 1, 1, 1, 1, 1]);
/// key.decrypt(b"", &mut numerals)?;
/// assert_eq!(numerals, [4, 1, 1, 1, 1, 1, 1, 1]);
/// assert!(key.encrypt(b"", &mut [1, 2, 3, 4, 5]).is_err());
/// # Ok::<(), lakeveil::crypto::ff1::Ff1Error>(())
/// ```
pub type Ff1Key = Ff1<Aes256Enc>;

/// FF1 with any AES: that of a policy has a key of 32 bytes, see [`Ff1Key`].
pub struct Ff1<C> {
    cipher: FF1<C>,
    radix: u32,
    min_numerals: usize,
}

/// What FF1 does not take. Nothing here tells a numeral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ff1Error {
    /// A key of another length.
    #[error("a key of FF1 with AES-256 has {KEY_BYTES} bytes, not {0}")]
    KeyLength(usize),
    /// A radix outside 2 to 65536.
    #[error("a radix of {0} is outside 2 to 65536")]
    Radix(u32),
    /// Fewer than a million strings have this length.
    #[error("{len} symbols of an alphabet of {radix}; at least {min} are needed")]
    TooShort {
        /// Numerals handed in.
        len: usize,
        /// Fewest that are taken.
        min: usize,
        /// Symbols of the alphabet.
        radix: u32,
    },
    /// More than [`MAX_NUMERALS`].
    #[error("{0} symbols; at most {MAX_NUMERALS} are taken")]
    TooLong(usize),
    /// A numeral that the radix does not have.
    #[error("a numeral is not below the radix of {0}")]
    Numeral(u32),
    /// A tweak of 2 GiB or more.
    #[error("a tweak of {0} bytes is too long")]
    Tweak(usize),
}

impl<C> fmt::Debug for Ff1<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ff1(radix {}, redacted)", self.radix)
    }
}

impl Ff1Key {
    /// Prepares a key for numerals of `radix`.
    ///
    /// # Errors
    /// [`Ff1Error::KeyLength`], [`Ff1Error::Radix`]
    pub fn new(key: &[u8], radix: u32) -> Result<Self, Ff1Error> {
        match key.len() {
            KEY_BYTES => Self::with_cipher(key, radix),
            other => Err(Ff1Error::KeyLength(other)),
        }
    }
}

impl<C> Ff1<C> {
    /// The number of symbols.
    pub fn radix(&self) -> u32 {
        self.radix
    }

    /// The fewest numerals that are taken: the least length of which there are a million strings.
    pub fn min_numerals(&self) -> usize {
        self.min_numerals
    }
}

impl<C: BlockCipherEncrypt + KeyInit + Clone> Ff1<C> {
    /// `key` is as long as the cipher's keys.
    fn with_cipher(key: &[u8], radix: u32) -> Result<Self, Ff1Error> {
        let cipher = FF1::new(key, radix).map_err(|_| Ff1Error::Radix(radix))?;
        Ok(Self { cipher, radix, min_numerals: min_numerals(radix) })
    }

    /// Encrypts `numerals` in place.
    ///
    /// # Errors
    /// [`Ff1Error`]; `numerals` are then as they were.
    pub fn encrypt(&self, tweak: &[u8], numerals: &mut [u16]) -> Result<(), Ff1Error> {
        self.run(tweak, numerals, Direction::Encrypt)
    }

    /// Decrypts `numerals` in place.
    ///
    /// # Errors
    /// [`Ff1Error`]; `numerals` are then as they were.
    pub fn decrypt(&self, tweak: &[u8], numerals: &mut [u16]) -> Result<(), Ff1Error> {
        self.run(tweak, numerals, Direction::Decrypt)
    }

    fn run(&self, tweak: &[u8], numerals: &mut [u16], direction: Direction) -> Result<(), Ff1Error> {
        let (len, radix) = (numerals.len(), self.radix);
        if len < self.min_numerals {
            return Err(Ff1Error::TooShort { len, min: self.min_numerals, radix });
        }
        if len > MAX_NUMERALS {
            return Err(Ff1Error::TooLong(len));
        }
        if tweak.len() > MAX_TWEAK_BYTES {
            return Err(Ff1Error::Tweak(tweak.len()));
        }
        if numerals.iter().any(|&numeral| u32::from(numeral) >= radix) {
            return Err(Ff1Error::Numeral(radix));
        }
        match Halves::of(numerals, radix) {
            Some(halves) => self.permute(tweak, &halves, direction)?.write(numerals),
            None => {
                let wide = FlexibleNumeralString::from(numerals.to_vec());
                numerals.copy_from_slice(&Vec::from(self.permute(tweak, &wide, direction)?));
            }
        }
        Ok(())
    }

    fn permute<N: NumeralString>(&self, tweak: &[u8], numerals: &N, direction: Direction) -> Result<N, Ff1Error> {
        match direction {
            Direction::Encrypt => self.cipher.encrypt(tweak, numerals),
            Direction::Decrypt => self.cipher.decrypt(tweak, numerals),
        }
        // what it refuses was refused before
        .map_err(|_| Ff1Error::Numeral(self.radix))
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Encrypt,
    Decrypt,
}

/// The least length of which there are [`MIN_STRINGS`].
fn min_numerals(radix: u32) -> usize {
    let mut strings = 1;
    let mut numerals = 0;
    while strings < MIN_STRINGS {
        strings *= u64::from(radix);
        numerals += 1;
    }
    numerals
}
