//! Thrift's compact protocol, as far as page headers need it, and a walk over a footer before anything parses it:
//! whoever reads lists by their claimed length allocates by it.
//!
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

/// Structs within structs; parquet-format needs less than ten.
const MAX_DEPTH: usize = 32;

/// The least bytes of a struct in a list of parquet-format: one required field and the end.
const MIN_STRUCT_BYTES: usize = 3;

/// What follows a field's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(u8);

impl Kind {
    pub(super) const TRUE: Self = Self(1);
    pub(super) const FALSE: Self = Self(2);
    pub(super) const I16: Self = Self(4);
    pub(super) const I32: Self = Self(5);
    pub(super) const I64: Self = Self(6);
    pub(super) const BINARY: Self = Self(8);
    pub(super) const LIST: Self = Self(9);
    pub(super) const STRUCT: Self = Self(12);
}

/// Bytes not read yet. `None` from any method means that they are no Thrift.
pub(super) struct Walk<'a> {
    pub(super) bytes: &'a [u8],
}

impl<'a> Walk<'a> {
    /// The next field of a struct, its number and kind; the inner `None` ends the struct. `last` begins at 0.
    pub(super) fn field(&mut self, last: &mut i16) -> Option<Option<(i16, Kind)>> {
        let header = self.byte()?;
        if header == 0 {
            return Some(None);
        }
        *last = match header >> 4 {
            0 => i16::try_from(self.zigzag()?).ok()?,
            step => last.checked_add(i16::from(step))?,
        };
        Some(Some((*last, Kind(header & 0x0f))))
    }

    /// Passes over the value of a field.
    pub(super) fn pass(&mut self, kind: Kind) -> Option<()> {
        // true and false lie in the field's header
        if matches!(kind, Kind::TRUE | Kind::FALSE) { Some(()) } else { self.value(kind, 0) }
    }

    /// A signed number.
    pub(super) fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// A list's length and the kind of its elements; no longer than there are bytes for it.
    pub(super) fn list(&mut self) -> Option<(usize, Kind)> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.varint()?,
            short => u64::from(short),
        };
        let count = usize::try_from(count).ok().filter(|&count| count <= self.bytes.len())?;
        Some((count, Kind(header & 0x0f)))
    }

    /// Bytes with their length before them.
    pub(super) fn binary(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (binary, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(binary)
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    pub(super) fn skip(&mut self, count: u64) -> Option<()> {
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
                kind => self.value(Kind(kind), depth)?,
            }
        }
    }

    /// Passes over a value, or an element of a list.
    pub(super) fn value(&mut self, kind: Kind, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        match kind.0 {
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

    /// `None` if there can't be so many elements of a list.
    pub(super) fn has_room_for(&self, count: usize, kind: Kind) -> Option<()> {
        let least = if kind == Kind::STRUCT { MIN_STRUCT_BYTES } else { 1 };
        (count.checked_mul(least)? <= self.bytes.len()).then_some(())
    }

    fn elements(&mut self, count: u64, kinds: &[u8], depth: usize) -> Option<()> {
        for &kind in kinds {
            self.has_room_for(usize::try_from(count).ok()?, Kind(kind))?;
        }
        for _ in 0..count {
            for &kind in kinds {
                self.value(Kind(kind), depth + 1)?;
            }
        }
        Some(())
    }
}

/// Writes one struct.
#[derive(Debug, Default)]
pub(super) struct StructWriter {
    bytes: Vec<u8>,
    last: i16,
}

impl StructWriter {
    fn header(&mut self, id: i16, kind: Kind) {
        // every struct of ours has its fields in order, in small steps
        self.bytes.push(((id - self.last) as u8) << 4 | kind.0);
        self.last = id;
    }

    pub(super) fn i32(mut self, id: i16, value: i32) -> Self {
        self.header(id, Kind::I32);
        let mut rest = ((value << 1) ^ (value >> 31)) as u32;
        while rest >= 0x80 {
            self.bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.push(rest as u8);
        self
    }

    pub(super) fn bool(mut self, id: i16, value: bool) -> Self {
        self.header(id, if value { Kind::TRUE } else { Kind::FALSE });
        self
    }

    pub(super) fn inner(mut self, id: i16, inner: StructWriter) -> Self {
        self.header(id, Kind::STRUCT);
        self.bytes.extend_from_slice(&inner.finish());
        self
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_plausible(bytes: &[u8]) -> bool {
        Walk { bytes }.value(Kind::STRUCT, 0).is_some()
    }

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
