//! Many divisions by one divisor: by multiplication, which is several times as fast.

/// Divides by a positive number, rounding down.
///
/// The quotient is the upper half of the dividend times `ceil(2^128 / divisor)`, exact for all 64-bit dividends and
/// divisors - Lemire, Kaser, Kurz, "Faster remainder by direct computation" (2019), theorem 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Divisor {
    /// 0 where the divisor is 1: it would have 129 bits.
    magic: u128,
}

impl Divisor {
    /// `divisor` is greater than 0.
    pub fn new(divisor: i64) -> Self {
        Self { magic: (u128::MAX / u128::from(divisor.unsigned_abs().max(1))).wrapping_add(1) }
    }

    /// The greatest integer that is not greater than `number / divisor`.
    #[inline]
    pub fn floor(self, number: i64) -> i64 {
        // floor(n / d) = -1 - floor((-1 - n) / d), and -1 - n is !n
        let sign = number >> 63;
        let magnitude = (number ^ sign) as u64;
        let quotient = if self.magic == 0 {
            magnitude
        } else {
            let low = (self.magic & u128::from(u64::MAX)) * u128::from(magnitude);
            (((self.magic >> 64) * u128::from(magnitude) + (low >> 64)) >> 64) as u64
        };
        quotient as i64 ^ sign
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotients_at_the_ends_of_the_range_are_rounded_down() {
        let ends = [i64::MIN, i64::MIN + 1, -1_000_001, -10, -1, 0, 1, 9, 10, 1_000_000, i64::MAX - 1, i64::MAX];
        for divisor in [1, 2, 3, 5, 7, 10, 1 << 32, (1 << 32) + 1, 1 << 62, i64::MAX - 1, i64::MAX] {
            for number in ends {
                assert_eq!(Divisor::new(divisor).floor(number), number.div_euclid(divisor), "{number} / {divisor}");
            }
        }
    }

    proptest! {
        #[test]
        fn quotients_are_rounded_down(number: i64, divisor in 1i64.., shift in 0u32..63) {
            let divisor = (divisor >> shift).max(1);
            prop_assert_eq!(Divisor::new(divisor).floor(number), number.div_euclid(divisor));
            let near = (number / divisor).saturating_mul(divisor);
            for number in [near, near.saturating_sub(1), near.saturating_add(1)] {
                prop_assert_eq!(Divisor::new(divisor).floor(number), number.div_euclid(divisor));
            }
        }
    }
}
