//! Lines that stand for many entries: telephone numbers, and what is put together from other lists.
//!
//! In a line of a pattern list
//! - `#` is a digit from 0 to 9 and `%` one from 1 to 9;
//! - `{given_name.en_US@1}` is the entry that the value has in that list, drawn as if the list stood alone;
//! - `{given_name.en_US@1|ascii}` is the same, [folded](super::fold) for e-mail addresses;
//! - everything else is itself.
//!
//! A line of d digit places stands for 10^d entries (9 for 10 where it is `%`), in ascending order of the digits as a
//! number is read. The entries of a list are those of its lines, line after line: `5-%#` and `7` are 91 entries,
//! `5-10`, `5-11`, …, `5-99`, `7`.

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
    entries: u64,
}

/// A stretch of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Stands as it is.
    Literal(&'static str),
    /// A digit from this one to 9.
    Digit(u8),
    /// The value's entry in another list.
    Entry {
        /// `ID@VERSION`.
        list: &'static str,
        /// Whether it is folded.
        ascii: bool,
    },
}

/// A stretch of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Stands as it is.
    Literal(&'static str),
    /// From 0 to 9.
    Digit(char),
    /// The entry in the next of the lists that the line names.
    Entry {
        /// Whether it is folded.
        ascii: bool,
    },
}

impl Pattern {
    /// Reads a line. Nothing if a brace has no partner, or the entries cannot be counted in 64 bits.
    pub fn parse(line: &'static str) -> Option<Self> {
        let (mut parts, mut entries, mut rest) = (Vec::new(), 1u64, line);
        while let Some(first) = rest.chars().next() {
            let taken = match first {
                '#' | '%' => {
                    let from = u8::from(first == '%');
                    entries = entries.checked_mul(u64::from(10 - from))?;
                    parts.push(Part::Digit(from));
                    1
                }
                '{' => {
                    let end = rest.find('}')?;
                    let (list, ascii) = match rest[1..end].strip_suffix("|ascii") {
                        Some(list) => (list, true),
                        None => (&rest[1..end], false),
                    };
                    parts.push(Part::Entry { list, ascii });
                    end + 1
                }
                '}' => return None,
                _ => {
                    let end = rest.find(['#', '%', '{', '}']).unwrap_or(rest.len());
                    parts.push(Part::Literal(&rest[..end]));
                    end
                }
            };
            rest = &rest[taken..];
        }
        Some(Self { parts, entries })
    }

    /// How many entries the line stands for.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The stretches of entry number `index`, counted from 0, in order.
    pub fn spell(&self, index: u64) -> impl Iterator<Item = Piece> {
        let (mut places, mut rest) = (self.entries, index);
        self.parts.iter().map(move |part| match *part {
            Part::Literal(text) => Piece::Literal(text),
            Part::Entry { ascii, .. } => Piece::Entry { ascii },
            Part::Digit(from) => {
                places /= u64::from(10 - from);
                let digit = from + (rest / places) as u8;
                rest %= places;
                Piece::Digit(char::from(b'0' + digit))
            }
        })
    }

    /// The stretches, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &'static str, index: u64) -> String {
        let pattern = Pattern::parse(line).unwrap();
        let mut out = String::new();
        for piece in pattern.spell(index) {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Digit(digit) => out.push(digit),
                Piece::Entry { ascii } => out.push_str(if ascii { "<folded>" } else { "<entry>" }),
            }
        }
        out
    }

    #[test]
    fn digits_ascend_as_a_number_is_read() {
        let pattern = Pattern::parse("(%#) é-#").unwrap();
        assert_eq!(pattern.entries(), 900);
        let all: Vec<_> = (0..900).map(|index| written("(%#) é-#", index)).collect();
        assert_eq!((all[0].as_str(), all[899].as_str()), ("(10) é-0", "(99) é-9"));
        assert!(all.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn entries_of_other_lists_are_named_with_their_version() {
        assert_eq!(written("{a.b@1|ascii}.{c@2}7", 0), "<folded>.<entry>7");
        let pattern = Pattern::parse("{a.b@1|ascii}{c@2}").unwrap();
        let [Part::Entry { list: "a.b@1", ascii: true }, Part::Entry { list: "c@2", ascii: false }] = pattern.parts()
        else {
            panic!("{pattern:?}")
        };
    }

    #[test]
    fn a_line_that_cannot_be_read_is_none() {
        for line in ["{a", "a}", "####################"] {
            assert_eq!(Pattern::parse(line), None, "{line}");
        }
    }
}
