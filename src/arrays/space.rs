//! How many values there could be of the kind that a column holds: few enough to try them all?

/// Possible values beyond which guessing is no longer cheap: about a trillion.
pub const CHEAP_BITS: u8 = 40;

/// An upper bound on the bits that tell the values of a column apart, seen value by value: digits count log2(10) bits
/// each, letters log2(26), what separates them none, anything else 8 a byte. It ends at [`CHEAP_BITS`], and so does the
/// work: a column that has shown one longer value is not looked at any more.
///
/// ```
/// use lakeveil::arrays::space::{CHEAP_BITS, Space};
/// let mut space = Space::default();
/// space.see(b"+44 20 7946 0958");
/// assert_eq!(space.bits(), Some(39)); // twelve digits, 39.9 bits
/// space.see(b"anna@example.com");
/// assert_eq!(space.bits(), Some(CHEAP_BITS));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// Thousandths of a bit; `None` before the first value.
    millibits: Option<u32>,
}

/// Thousandths of a bit that a byte of text can tell.
const MILLIBITS: [u32; 256] = {
    let mut table = [8_000; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => 3_322,
            b'a'..=b'z' | b'A'..=b'Z' => 4_700,
            b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+' | b':' | b'_' | b'@' | b'\'' | b',' => 0,
            _ => 8_000,
        };
        byte += 1;
    }
    table
};

const CHEAP: u32 = CHEAP_BITS as u32 * 1_000;

impl Space {
    /// Takes the canonical bytes of a value in.
    #[inline]
    pub fn see(&mut self, value: &[u8]) {
        let seen = self.millibits.unwrap_or(0);
        if seen >= CHEAP {
            return;
        }
        let mut sum = 0;
        for &byte in value {
            sum += MILLIBITS[usize::from(byte)];
            if sum >= CHEAP {
                break;
            }
        }
        self.millibits = Some(seen.max(sum.min(CHEAP)));
    }

    /// Takes in what another part of the column showed.
    pub fn merge(&mut self, other: Self) {
        self.millibits = self.millibits.max(other.millibits);
    }

    /// Whole bits, at most [`CHEAP_BITS`]; `None` where no value was seen.
    pub fn bits(&self) -> Option<u8> {
        self.millibits.map(|millibits| (millibits / 1_000) as u8)
    }

    /// Of a column that showed `bits`.
    pub fn of_bits(bits: Option<u8>) -> Self {
        Self { millibits: bits.map(|bits| u32::from(bits) * 1_000) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(values: &[&str]) -> Option<u8> {
        let mut space = Space::default();
        values.iter().for_each(|value| space.see(value.as_bytes()));
        space.bits()
    }

    #[test]
    fn what_can_be_enumerated_is_below_forty_bits_and_the_widest_value_counts() {
        assert_eq!(bits(&[]), None);
        assert_eq!(bits(&[""]), Some(0));
        assert_eq!(bits(&["1987-03-14"]), Some(26));
        assert_eq!(bits(&["10115", "9"]), Some(16));
        assert_eq!(bits(&["192.168.100.200"]), Some(39));
        assert_eq!(bits(&["SW1A 1AA"]), Some(30));
        assert_eq!(bits(&["1", "anna@example.com", "2"]), Some(CHEAP_BITS));
        assert_eq!(bits(&["Zoë Ærø"]), Some(CHEAP_BITS));
    }

    #[test]
    fn parts_of_a_column_add_up_to_the_whole() {
        let (mut a, mut b) = (Space::default(), Space::default());
        a.see(b"12");
        b.see(b"1234");
        a.merge(b);
        a.merge(Space::default());
        assert_eq!(a.bits(), Some(13));
        assert_eq!(Space::of_bits(a.bits()).bits(), Some(13));
    }
}
