//! Decimals as text: plain digits, no exponent, no trailing fractional zeros, never `-0`.

use arrow::datatypes::i256;

/// Most digits a 256-bit integer has, and its sign.
const MAX_DIGITS: usize = 78;

/// The decimal digits of the magnitude of a 256-bit integer, most significant first, no leading zeros ("0" is "").
fn digits(value: i256, buffer: &mut [u8; MAX_DIGITS]) -> &[u8] {
    let ten = i256::from_i128(10);
    let mut rest = value;
    let mut start = MAX_DIGITS;
    while rest != i256::ZERO {
        start -= 1;
        // the remainder takes the sign of the dividend, so that the least value needs no negation
        buffer[start] = b'0' + (rest % ten).as_i128().unsigned_abs() as u8;
        rest /= ten;
    }
    &buffer[start..]
}

fn push(out: &mut Vec<u8>, negative: bool, digits: &[u8], scale: i8) {
    if digits.is_empty() {
        out.push(b'0');
        return;
    }
    if negative {
        out.push(b'-');
    }
    if scale <= 0 {
        out.extend_from_slice(digits);
        out.resize(out.len() + scale.unsigned_abs() as usize, b'0');
        return;
    }
    let scale = scale as usize;
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(scale));
    out.extend_from_slice(if whole.is_empty() { b"0" } else { whole });
    let point = out.len();
    out.push(b'.');
    out.resize(out.len() + (scale - fraction.len()), b'0');
    out.extend_from_slice(fraction);
    while out.last() == Some(&b'0') {
        out.pop();
    }
    if out.len() == point + 1 {
        out.pop();
    }
}

/// Canonical text of `unscaled * 10^-scale`.
pub fn push_i128(out: &mut Vec<u8>, unscaled: i128, scale: i8) {
    let mut buffer = itoa::Buffer::new();
    let digits = if unscaled == 0 { "" } else { buffer.format(unscaled.unsigned_abs()) };
    push(out, unscaled < 0, digits.as_bytes(), scale);
}

/// Canonical text of `unscaled * 10^-scale`.
pub fn push_i256(out: &mut Vec<u8>, unscaled: i256, scale: i8) {
    let mut buffer = [0; MAX_DIGITS];
    push(out, unscaled < i256::ZERO, digits(unscaled, &mut buffer), scale);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(unscaled: i128, scale: i8) -> String {
        let (mut narrow, mut wide) = (Vec::new(), Vec::new());
        push_i128(&mut narrow, unscaled, scale);
        push_i256(&mut wide, i256::from_i128(unscaled), scale);
        assert_eq!(narrow, wide);
        String::from_utf8(narrow).unwrap()
    }

    #[test]
    fn known_answers_of_both_widths() {
        for (unscaled, scale, text) in [
            (4200, 2, "42"),
            (4210, 2, "42.1"),
            (-4210, 2, "-42.1"),
            (5, 3, "0.005"),
            (-5, 1, "-0.5"),
            (0, 5, "0"),
            (0, -5, "0"),
            (7, -3, "7000"),
            (100, 0, "100"),
            (i128::MAX, 0, "170141183460469231731687303715884105727"),
            (i128::MIN, 38, "-1.70141183460469231731687303715884105728"),
        ] {
            assert_eq!(both(unscaled, scale), text);
        }
    }

    #[test]
    fn the_least_and_greatest_256_bit_integers() {
        let mut out = Vec::new();
        push_i256(&mut out, i256::MIN, 0);
        assert_eq!(out, b"-57896044618658097711785492504343953926634992332820282019728792003956564819968");
        out.clear();
        push_i256(&mut out, i256::MAX, 76);
        assert_eq!(out, b"5.7896044618658097711785492504343953926634992332820282019728792003956564819967");
    }
}
