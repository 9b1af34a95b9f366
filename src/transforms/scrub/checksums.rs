//! Check digits: functions of digits (values 0 to 9, most significant first) alone.

/// Luhn: from the right, every second digit doubled, digits of the products added, 0 mod 10 - ISO/IEC 7812-1 annex B.
///
/// ```
/// use lakeveil::transforms::scrub::checksums::luhn;
/// assert!(luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 3]));
/// assert!(!luhn(&[7, 9, 9, 2, 7, 3, 9, 8, 7, 1, 0]));
/// ```
pub fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = (digits.iter().rev().enumerate())
        .map(|(place, &digit)| match (place % 2, digit) {
            (1, 5..) => u32::from(digit) * 2 - 9,
            (1, _) => u32::from(digit) * 2,
            _ => u32::from(digit),
        })
        .sum();
    sum.is_multiple_of(10)
}

/// `Σ weight · digit`, over as many as there are of both.
pub fn weighted(digits: &[u8], weights: &[u8]) -> u32 {
    digits.iter().zip(weights).map(|(&digit, &weight)| u32::from(digit) * u32::from(weight)).sum()
}

/// The number that the digits write, which are 19 at most.
pub fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, &digit| number * 10 + u64::from(digit))
}

/// MOD 11,10, check digit last - ISO/IEC 7064 section 8.
pub fn mod_11_10(digits: &[u8]) -> bool {
    let Some((&check, digits)) = digits.split_last() else { return false };
    let product = digits.iter().fold(10, |product, &digit| {
        let sum = match (product + u32::from(digit)) % 10 {
            0 => 10,
            sum => sum,
        };
        sum * 2 % 11
    });
    (product + u32::from(check)) % 10 == 1
}

/// MOD 97-10 over digits and letters, a letter as the two digits of 10 to 35 - ISO/IEC 7064, as ISO 13616 uses it.
///
/// Other characters make it false.
pub fn mod_97_10(characters: impl Iterator<Item = u8>) -> bool {
    let remainder = characters.into_iter().try_fold(0, |remainder: u32, character| {
        let value = char::from(character).to_digit(36)?;
        Some(if value < 10 { remainder * 10 + value } else { remainder * 100 + value } % 97)
    });
    remainder == Some(1)
}

/// The dihedral group of the pentagon: D of Verhoeff, "Error detecting decimal codes", 1969.
const DIHEDRAL: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];

/// The permutation by place, counted from the check digit: P of the same.
const PERMUTATION: [[u8; 10]; 8] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
];

/// Verhoeff's code: the permuted digits multiply to 0 in the dihedral group D5.
pub fn verhoeff(digits: &[u8]) -> bool {
    let product = digits.iter().rev().enumerate().fold(0, |product: u8, (place, &digit)| {
        DIHEDRAL[usize::from(product)][usize::from(PERMUTATION[place % 8][usize::from(digit) % 10])]
    });
    product == 0
}

/// Whether there was or will be such a day in the Gregorian calendar.
pub fn is_date(year: u32, month: u32, day: u32) -> bool {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap),
        _ => 0,
    };
    (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().map(|byte| byte - b'0').collect()
    }

    /// Each scheme finds every wrong digit, which a scheme with a wrong table would not.
    #[test]
    fn one_wrong_digit_is_always_seen() {
        type Scheme = fn(&[u8]) -> bool;
        let cases: [(Scheme, &str); 3] =
            [(luhn, "4242424242424242"), (verhoeff, "234123412346"), (mod_11_10, "86095742719")];
        for (scheme, valid) in cases {
            let valid = digits(valid);
            assert!(scheme(&valid), "{valid:?}");
            for place in 0..valid.len() {
                for wrong in (0..10).filter(|&wrong| wrong != valid[place]) {
                    let mut changed = valid.clone();
                    changed[place] = wrong;
                    assert!(!scheme(&changed), "{changed:?}");
                }
            }
        }
    }

    /// Verhoeff's code finds every swap of neighbours, for which its permutation is there.
    #[test]
    fn verhoeff_sees_every_swap_of_neighbours() {
        let valid = digits("234123412346");
        for place in 1..valid.len() {
            let mut changed = valid.clone();
            changed.swap(place - 1, place);
            assert_eq!(verhoeff(&changed), changed == valid, "{changed:?}");
        }
    }

    #[test]
    fn mod_97_takes_letters_of_both_cases_and_nothing_else() {
        assert!(mod_97_10("370400440532013000DE89".bytes()));
        assert!(mod_97_10("370400440532013000de89".bytes()));
        assert!(!mod_97_10("370400440532013000DE98".bytes()));
        assert!(!mod_97_10("3704 0044 0532 0130 00DE89".bytes()));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        assert!(is_date(2000, 2, 29) && is_date(2024, 2, 29) && is_date(1999, 12, 31));
        assert!(!is_date(1900, 2, 29) && !is_date(2023, 2, 29) && !is_date(2024, 4, 31));
        assert!(!is_date(2024, 0, 1) && !is_date(2024, 13, 1) && !is_date(2024, 1, 0));
    }
}
