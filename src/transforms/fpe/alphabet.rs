//! Symbols and their numerals: text to what FF1 works on, and back.

use super::super::texts::Reason;

/// Most symbols of an alphabet (NIST SP 800-38G, section 6.2).
const MAX_SYMBOLS: usize = 1 << 16;

/// Distinct Unicode scalar values in their order: the numeral of a symbol is its index.
///
/// - It has 2 to 65536 symbols, none of them twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphabet {
    symbols: Vec<char>,
    /// The numerals of ASCII, in most alphabets all there is.
    ascii: [Option<u16>; 128],
    /// The other symbols in order of code point, with their numerals.
    others: Vec<(char, u16)>,
}

/// What is no alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AlphabetError {
    /// A symbol that is written twice.
    #[error("`{}` is in the alphabet twice", .0.escape_debug())]
    Duplicate(char),
    /// Fewer than 2 or more than 65536 symbols.
    #[error("an alphabet has 2 to {MAX_SYMBOLS} symbols, this one has {0}")]
    Size(usize),
}

impl Alphabet {
    /// The named alphabets and their symbols. A name is never read as symbols.
    pub const NAMED: [(&'static str, &'static str); 5] = [
        ("digits", "0123456789"),
        ("lower", "abcdefghijklmnopqrstuvwxyz"),
        ("upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ("alphanumeric", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
        ("hex", "0123456789abcdef"),
    ];

    /// The alphabet of a name, or that of the symbols written.
    ///
    /// # Errors
    /// [`AlphabetError`]
    ///
    /// ```
    /// use lakeveil::transforms::fpe::Alphabet;
    /// assert_eq!(Alphabet::parse("hex")?.radix(), 16);
    /// assert_eq!(Alphabet::parse("äöü")?.radix(), 3);
    /// assert!(Alphabet::parse("abca").is_err());
    /// # Ok::<(), lakeveil::transforms::fpe::AlphabetError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, AlphabetError> {
        let named = Self::NAMED.iter().find(|(name, _)| *name == text);
        let symbols: Vec<char> = named.map_or(text, |(_, symbols)| symbols).chars().collect();
        if !(2..=MAX_SYMBOLS).contains(&symbols.len()) {
            return Err(AlphabetError::Size(symbols.len()));
        }
        let mut ascii = [None; 128];
        let mut others = Vec::new();
        for (numeral, &symbol) in symbols.iter().enumerate() {
            // at most 2^16 symbols, so the last numeral fits
            let numeral = numeral as u16;
            match ascii.get_mut(symbol as usize) {
                Some(slot) => {
                    if slot.replace(numeral).is_some() {
                        return Err(AlphabetError::Duplicate(symbol));
                    }
                }
                None => others.push((symbol, numeral)),
            }
        }
        others.sort_unstable();
        if let Some(twice) = others.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(AlphabetError::Duplicate(twice[0].0));
        }
        Ok(Self { symbols, ascii, others })
    }

    /// How many symbols it has: 2 to 65536.
    pub fn radix(&self) -> u32 {
        self.symbols.len() as u32
    }

    /// The index of a symbol.
    pub fn numeral(&self, symbol: char) -> Option<u16> {
        match self.ascii.get(symbol as usize) {
            Some(numeral) => *numeral,
            None => {
                let at = self.others.binary_search_by_key(&symbol, |(symbol, _)| *symbol).ok()?;
                Some(self.others[at].1)
            }
        }
    }
}

/// Text of an alphabet, with separators that stay in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    alphabet: Alphabet,
    separators: Vec<char>,
}

/// A separator that is a symbol of the alphabet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is a separator and in the alphabet", .0.escape_debug())]
pub struct Ambiguous(pub char);

impl Format {
    /// Separators where a policy names none.
    pub const DEFAULT_SEPARATORS: &'static str = " -./()+:";

    /// Text of `alphabet` between `separators`.
    ///
    /// # Errors
    /// [`Ambiguous`]
    pub fn new(alphabet: Alphabet, separators: &str) -> Result<Self, Ambiguous> {
        let separators: Vec<char> = separators.chars().collect();
        match separators.iter().find(|separator| alphabet.numeral(**separator).is_some()) {
            Some(both) => Err(Ambiguous(*both)),
            None => Ok(Self { alphabet, separators }),
        }
    }

    /// The alphabet.
    pub fn alphabet(&self) -> &Alphabet {
        &self.alphabet
    }

    /// The numerals of `text` without its separators, in place of what `numerals` held.
    pub(super) fn read(&self, text: &str, numerals: &mut Vec<u16>) -> Result<(), Reason> {
        numerals.clear();
        for (at, character) in text.chars().enumerate() {
            match self.alphabet.numeral(character) {
                Some(numeral) => numerals.push(numeral),
                None if self.separators.contains(&character) => (),
                None => {
                    let (at, radix) = (at + 1, self.alphabet.radix());
                    let reason = format!("its character {at} is no separator and not of the alphabet of {radix}");
                    return Err(reason.into());
                }
            }
        }
        Ok(())
    }

    /// `text` with its symbols replaced by those of `numerals`, of which there are as many.
    pub(super) fn write(&self, text: &str, numerals: &[u16], out: &mut String) {
        let mut numerals = numerals.iter();
        out.extend(text.chars().map(|character| match self.separators.contains(&character) {
            true => character,
            false => numerals.next().map_or(character, |&numeral| self.alphabet.symbols[usize::from(numeral)]),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_alphabets_are_those_of_the_specification() {
        for (name, first, last, radix) in [
            ("digits", '0', '9', 10),
            ("lower", 'a', 'z', 26),
            ("upper", 'A', 'Z', 26),
            ("alphanumeric", '0', 'z', 62),
            ("hex", '0', 'f', 16),
        ] {
            let alphabet = Alphabet::parse(name).unwrap();
            assert_eq!(alphabet.radix(), radix, "{name}");
            assert_eq!(alphabet.numeral(first), Some(0));
            assert_eq!(alphabet.numeral(last), Some(radix as u16 - 1));
        }
        let alphanumeric = Alphabet::parse("alphanumeric").unwrap();
        assert_eq!(['9', 'A', 'Z', 'a'].map(|c| alphanumeric.numeral(c)), [9, 10, 35, 36].map(Some));
    }

    #[test]
    fn numerals_follow_the_written_order_within_ascii_and_beyond() {
        let alphabet = Alphabet::parse("z日aé\u{301}🙂\0").unwrap();
        for (numeral, symbol) in "z日aé\u{301}🙂\0".chars().enumerate() {
            assert_eq!(alphabet.numeral(symbol), Some(numeral as u16), "{symbol:?}");
        }
        assert_eq!(["b", "e", "本", "\u{302}"].map(|c| alphabet.numeral(c.chars().next().unwrap())), [None; 4]);
    }

    #[test]
    fn the_largest_alphabet_uses_every_numeral() {
        let all: String = ('\0'..=char::MAX).take(MAX_SYMBOLS).collect();
        let alphabet = Alphabet::parse(&all).unwrap();
        assert_eq!(alphabet.radix(), 65_536);
        assert_eq!(alphabet.numeral(all.chars().last().unwrap()), Some(u16::MAX));
    }

    #[test]
    fn fail_duplicates_and_sizes_out_of_range() {
        assert_eq!(Alphabet::parse("0120"), Err(AlphabetError::Duplicate('0')));
        assert_eq!(Alphabet::parse("aéüé"), Err(AlphabetError::Duplicate('é')));
        assert_eq!(Alphabet::parse(""), Err(AlphabetError::Size(0)));
        assert_eq!(Alphabet::parse("a"), Err(AlphabetError::Size(1)));
        let all: String = ('\0'..=char::MAX).take(MAX_SYMBOLS + 1).collect();
        assert_eq!(Alphabet::parse(&all), Err(AlphabetError::Size(MAX_SYMBOLS + 1)));
    }

    #[test]
    fn fail_a_separator_that_is_a_symbol() {
        let words = Alphabet::parse("abc-").unwrap();
        assert_eq!(Format::new(words.clone(), Format::DEFAULT_SEPARATORS), Err(Ambiguous('-')));
        assert!(Format::new(words, "").is_ok());
    }

    #[test]
    fn separators_stay_and_anything_else_is_told_by_position() {
        let format = Format::new(Alphabet::parse("digits").unwrap(), Format::DEFAULT_SEPARATORS).unwrap();
        let (mut numerals, mut out) = (vec![9], String::new());
        format.read("+1 (23)-4/5.6:7", &mut numerals).unwrap();
        assert_eq!(numerals, [1, 2, 3, 4, 5, 6, 7]);
        format.write("+1 (23)-4/5.6:7", &[7, 6, 5, 4, 3, 2, 1], &mut out);
        assert_eq!(out, "+7 (65)-4/3.2:1");
        // NO-BREAK SPACE is another character than SPACE
        for (text, at) in [("12345\u{a0}67", 6), ("é", 1), ("１", 1), ("12\u{301}", 3), ("\0", 1), ("1,2", 2)] {
            let reason = format.read(text, &mut numerals).unwrap_err();
            assert_eq!(reason, format!("its character {at} is no separator and not of the alphabet of 10"));
        }
    }
}
