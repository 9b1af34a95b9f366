//! The two halves of a numeral string as machine integers: the crate's own strings allocate in each of ten rounds.

use fpe::ff1::{NumeralString, Operations};

/// Most bytes of a half: the round function then gives at most `4 * ceil(12 / 4) + 4 = 16` (step 4), one `u128`.
const MAX_BYTES: u32 = 12;

/// A numeral string, split as FF1 does: `u = floor(n / 2)` numerals, then `v = n - u`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Halves {
    a: Half,
    b: Half,
    radix: u32,
}

/// `NUM(X, radix)` of a string of `numerals` numerals, below `modulus = radix^numerals`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Half {
    value: u128,
    modulus: u128,
    numerals: usize,
    radix: u32,
}

impl Halves {
    /// `numerals` as two integers; `None` where the longer half has more than [`MAX_BYTES`] bytes.
    pub(super) fn of(numerals: &[u16], radix: u32) -> Option<Self> {
        let (a, b) = numerals.split_at(numerals.len() / 2);
        Some(Self { a: Half::of(a, radix)?, b: Half::of(b, radix)?, radix })
    }

    /// The numerals again, as many as went in.
    pub(super) fn write(&self, numerals: &mut [u16]) {
        let (a, b) = numerals.split_at_mut(self.a.numerals);
        self.a.write(a);
        self.b.write(b);
    }
}

impl Half {
    fn of(numerals: &[u16], radix: u32) -> Option<Self> {
        let modulus = u128::from(radix).checked_pow(u32::try_from(numerals.len()).ok()?)?;
        // the greatest value is one less than the modulus
        if modulus > 1 << (8 * MAX_BYTES) {
            return None;
        }
        let value = numerals.iter().fold(0, |value, &numeral| value * u128::from(radix) + u128::from(numeral));
        Some(Self { value, modulus, numerals: numerals.len(), radix })
    }

    fn write(&self, numerals: &mut [u16]) {
        let mut rest = self.value;
        for numeral in numerals.iter_mut().rev() {
            // below the radix, which is at most 2^16
            *numeral = (rest % u128::from(self.radix)) as u16;
            rest /= u128::from(self.radix);
        }
    }

    /// `NUM(S) mod radix^m`.
    fn reduce(&self, bytes: impl Iterator<Item = u8>) -> u128 {
        bytes.fold(0, |number: u128, byte| number << 8 | u128::from(byte)) % self.modulus
    }
}

impl NumeralString for Halves {
    type Ops = Half;

    fn is_valid(&self, radix: u32) -> bool {
        self.radix == radix
    }

    fn numeral_count(&self) -> usize {
        self.a.numerals + self.b.numerals
    }

    fn split(&self) -> (Half, Half) {
        (self.a, self.b)
    }

    fn concat(a: Half, b: Half) -> Self {
        Self { a, b, radix: a.radix }
    }
}

/// The last bytes of a number.
pub(super) struct Tail {
    bytes: [u8; 16],
    start: usize,
}

impl AsRef<[u8]> for Tail {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

impl Operations for Half {
    type Bytes = Tail;

    fn numeral_count(&self) -> usize {
        self.numerals
    }

    fn to_be_bytes(&self, _radix: u32, b: usize) -> Tail {
        Tail { bytes: self.value.to_be_bytes(), start: 16 - b }
    }

    fn add_mod_exp(self, other: impl Iterator<Item = u8>, _radix: u32, _m: usize) -> Self {
        // both are below the modulus of at most 2^96
        Self { value: (self.value + self.reduce(other)) % self.modulus, ..self }
    }

    fn sub_mod_exp(self, other: impl Iterator<Item = u8>, _radix: u32, _m: usize) -> Self {
        Self { value: (self.value + self.modulus - self.reduce(other)) % self.modulus, ..self }
    }
}
