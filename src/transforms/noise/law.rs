//! How noise is distributed, and from which random numbers it is made.

use crate::crypto::HmacKey;

/// A distribution around zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Law {
    /// Uniform over [-width, width).
    Uniform {
        /// Positive and finite.
        width: f64,
    },
    /// Laplace's distribution: density exp(-|x|/scale) / (2 scale).
    Laplace {
        /// Positive and finite.
        scale: f64,
    },
}

/// 2^-53.
const UNIT: f64 = 1.0 / (1u64 << 53) as f64;

impl Law {
    /// The noise that the random numbers `u(i)` in [0, 1) give, each step rounded to the nearest f64, ties to even:
    /// - uniform: `(2·u(0) - 1) · width`;
    /// - Laplace, by the inverse of its distribution function: u is the first of u(0), u(1), … that is not 0;
    ///   p = u - 0.5; m = scale · ln(1 - 2·|p|); the noise is m where p < 0, else -m.
    ///
    /// All but the last product and the logarithm are exact. The logarithm is that of the crate libm (FreeBSD's e_log,
    /// under 1 ulp off), not the platform's.
    pub fn draw(self, mut u: impl FnMut(u32) -> f64) -> f64 {
        match self {
            Law::Uniform { width } => (2.0 * u(0) - 1.0) * width,
            Law::Laplace { scale } => {
                // 0 has no logarithm; two in a row never happen, so that it is no matter where the search ends
                let u = (0..64).map(u).find(|&u| u > 0.0).unwrap_or(0.5);
                let p = u - 0.5;
                let m = scale * libm::log(1.0 - 2.0 * p.abs());
                if p < 0.0 { m } else { -m }
            }
        }
    }

    /// No noise is greater than this, nor less than its negative: `width`, or `scale · 52 · ln 2`, the noise of the
    /// least u.
    pub fn most(self) -> f64 {
        match self {
            Law::Uniform { width } => width,
            Law::Laplace { scale } => -(scale * libm::log(2.0 * UNIT)),
        }
    }
}

/// `u(i)`: the first 8 bytes of HMAC-SHA256(key, message || be32(i)), big-endian, without the last 11 bits, times 2^-53.
///
/// `scratch` is memory to work in.
pub fn unit(key: &HmacKey, message: &[u8], i: u32, scratch: &mut Vec<u8>) -> f64 {
    scratch.clear();
    scratch.extend_from_slice(message);
    scratch.extend_from_slice(&i.to_be_bytes());
    let [a, b, c, d, e, f, g, h, ..] = key.sign(scratch);
    // a whole number below 2^53 and its product with a power of two are exact
    (u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 11) as f64 * UNIT
}
