//! Walks a footer before anything parses it: whoever reads lists by their claimed length allocates by it.
//!
//! Thrift's compact protocol, as far as its lengths go:
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.

/// Structs within structs; parquet-format needs less than ten.
const MAX_DEPTH: usize = 32;

/// The least bytes of a struct in a list of parquet-format: one required field and the end.
const MIN_STRUCT_BYTES: u64 = 3;

/// Whether `bytes` is one struct of which every length can be true.
///
/// - Every list has as many elements as it claims, every text as many bytes; so what is allocated by a claim is
///   bounded by the bytes that are there.
/// - Bytes after the struct are nobody's business here.
pub fn is_plausible(bytes: &[u8]) -> bool {
    Walk { bytes }.structure(0).is_some()
}

struct Walk<'a> {
    bytes: &'a [u8],
}

impl Walk<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.bytes = self.bytes.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    /// ULEB128, at most 64 bits.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn structure(&mut self, depth: usize) -> Option<()> {
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(());
            }
            // a field id that is no small step from the last one follows as a number
            if header >> 4 == 0 {
                self.varint()?;
            }
            match header & 0x0f {
                // true and false lie in the header
                1 | 2 => {}
                kind => self.value(kind, depth)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match kind {
            1..=3 => self.skip(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.skip(8),
            8 => {
                let length = self.varint()?;
                self.skip(length)
            }
            9 | 10 => {
                let header = self.byte()?;
                let count = match header >> 4 {
                    15 => self.varint()?,
                    short => u64::from(short),
                };
                self.elements(count, &[header & 0x0f], depth)
            }
            11 => match self.varint()? {
                0 => Some(()),
                count => {
                    let kinds = self.byte()?;
                    self.elements(count, &[kinds >> 4, kinds & 0x0f], depth)
                }
            },
            12 => self.structure(depth + 1),
            13 => self.skip(16),
            _ => None,
        }
    }

    fn elements(&mut self, count: u64, kinds: &[u8], depth: usize) -> Option<()> {
        let least = if kinds.contains(&12) { MIN_STRUCT_BYTES } else { 1 };
        if count.checked_mul(least)? > self.bytes.len() as u64 {
            return None;
        }
        for _ in 0..count {
            for &kind in kinds {
                self.value(kind, depth + 1)?;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_that_are_true_pass() {
        // {1: i32 = 1, 2: list<i32> [1, 2], 3: "ab", 4: true, 20: {1: list<struct> [{1: ""}]}}
        let sound = [0x15, 2, 0x19, 0x25, 2, 4, 0x18, 2, b'a', b'b', 0x11, 0x0c, 40, 0x19, 0x1c, 0x18, 0, 0, 0, 0];
        assert!(is_plausible(&sound));
        assert!(is_plausible(&[0]));
        for end in 0..sound.len() {
            assert!(!is_plausible(&sound[..end]), "cut at {end}");
        }
    }

    #[test]
    fn claims_beyond_the_bytes_are_refused() {
        let many = [0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0];
        assert!(!is_plausible(&many), "two thousand million structs");
        assert!(!is_plausible(&[0x18, 0xff, 0x7f, 0]), "a text");
        assert!(!is_plausible(&[0x1b, 0xff, 0x7f, 0x88, 0]), "a map");
        assert!(!is_plausible(&[0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), "no end");
        assert!(!is_plausible(&[[0x1c; 100].as_slice(), &[0; 101]].concat()), "structs without end");
    }
}
