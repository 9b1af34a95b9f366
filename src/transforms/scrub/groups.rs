//! Digits in groups: what a person sees as one number.

/// What stands between two groups of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// U+0020, and the two that do not break a line: U+00A0, U+202F.
    Space,
    /// U+002D, and what word processors make of it: U+2010 to U+2013.
    Hyphen,
    Dot,
    Slash,
    Plus,
}

/// The separator at `at` and how many bytes it has.
pub(super) fn separator(bytes: &[u8], at: usize) -> Option<(Separator, usize)> {
    Some(match bytes.get(at..)? {
        [b' ', ..] => (Separator::Space, 1),
        [b'-', ..] => (Separator::Hyphen, 1),
        [b'.', ..] => (Separator::Dot, 1),
        [b'/', ..] => (Separator::Slash, 1),
        [b'+', ..] => (Separator::Plus, 1),
        [0xc2, 0xa0, ..] => (Separator::Space, 2),
        [0xe2, 0x80, 0xaf, ..] => (Separator::Space, 3),
        [0xe2, 0x80, 0x90..=0x93, ..] => (Separator::Hyphen, 3),
        _ => return None,
    })
}

/// The separator that ends before `at`, and how many bytes it has.
pub(super) fn separator_before(bytes: &[u8], at: usize) -> Option<(Separator, usize)> {
    let from = |len: usize| separator(bytes, at.checked_sub(len)?).filter(|&(_, found)| found == len);
    from(1).or_else(|| from(2)).or_else(|| from(3))
}

/// Whether the byte is one of the value's digits, letters of ASCII.
pub(super) fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_alphanumeric)
}

pub(super) fn is_digit(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_digit)
}

/// What a run of digits follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Nothing that it could belong to.
    Open,
    /// A letter of ASCII, so that it is part of a word.
    Letter,
    /// A digit and a dot: the second half of a decimal, or of a version.
    Decimal,
    /// A digit and another separator than a space: part of a longer number.
    Joined,
}

impl Before {
    pub fn of(bytes: &[u8], start: usize) -> Self {
        let Some(last) = start.checked_sub(1) else { return Self::Open };
        if bytes[last].is_ascii_alphabetic() {
            return Self::Letter;
        }
        match separator_before(bytes, start) {
            None | Some((Separator::Space, _)) => Self::Open,
            Some((separator, len)) => match start.checked_sub(len + 1) {
                Some(at) if bytes[at].is_ascii_digit() => {
                    if separator == Separator::Dot {
                        Self::Decimal
                    } else {
                        Self::Joined
                    }
                }
                _ => Self::Open,
            },
        }
    }
}

/// Digits of the longest number that any kind has, and one more.
const DIGITS: usize = 20;
/// Groups that are looked at: no kind has more.
const GROUPS: usize = 10;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Group {
    /// Digits in it.
    pub len: usize,
    /// Digits in it and those before it.
    pub total: usize,
    /// Where it ends in the text.
    pub end: usize,
    /// What leads to a further digit.
    pub after: Option<Separator>,
}

/// The digits from one place on, in groups with single separators between them.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    bytes: &'a [u8],
    digits: [u8; DIGITS],
    groups: [Group; GROUPS],
    count: usize,
}

impl<'a> Groups<'a> {
    /// Reads from `start`, the first of a run of digits. A group with which there are too many digits is left out.
    pub fn read(bytes: &'a [u8], start: usize) -> Self {
        let mut read = Self { bytes, digits: [0; DIGITS], groups: Default::default(), count: 0 };
        let (mut at, mut total) = (start, 0);
        while read.count < GROUPS {
            let first = total;
            while let Some(digit) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
                if total == DIGITS {
                    return read;
                }
                read.digits[total] = digit - b'0';
                total += 1;
                at += 1;
            }
            let next = separator(bytes, at).filter(|(_, len)| is_digit(bytes.get(at + len)));
            let after = next.map(|(separator, _)| separator);
            read.groups[read.count] = Group { len: total - first, total, end: at, after };
            read.count += 1;
            match next {
                Some((_, len)) => at += len,
                None => break,
            }
        }
        read
    }

    pub fn groups(&self) -> &[Group] {
        &self.groups[..self.count]
    }

    /// The first `count` digits.
    pub fn digits(&self, count: usize) -> &[u8] {
        &self.digits[..count]
    }

    /// The end of a number of `len` digits in one piece.
    ///
    /// Nothing of it may go on: no letter of ASCII, and no decimals.
    pub fn plain(&self, len: usize) -> Option<usize> {
        let group = self.groups().first().filter(|group| group.len == len)?;
        (group.after != Some(Separator::Dot)).then_some(group.end).filter(|&end| !is_word(self.bytes.get(end)))
    }

    /// The end of a number of groups of these lengths, with the same one of `separators` between all of them.
    ///
    /// Nothing of it may go on: no letter of ASCII, no digit behind another separator than a space.
    pub fn grouped(&self, lens: &[usize], separators: &[Separator]) -> Option<usize> {
        let first = self.groups().first()?.after?;
        let same = self.groups().iter().take(lens.len().saturating_sub(1)).all(|group| group.after == Some(first));
        (same && separators.contains(&first)).then(|| self.grouped_by_any(lens, separators)).flatten()
    }

    /// The same, with any of `separators` at each place.
    pub fn grouped_by_any(&self, lens: &[usize], separators: &[Separator]) -> Option<usize> {
        let groups = self.groups().get(..lens.len())?;
        let (last, leading) = groups.split_last()?;
        let fits = groups.iter().zip(lens).all(|(group, &len)| group.len == len)
            && leading.iter().all(|group| group.after.is_some_and(|after| separators.contains(&after)));
        (fits && matches!(last.after, None | Some(Separator::Space)))
            .then_some(last.end)
            .filter(|&end| !is_word(self.bytes.get(end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_over_single_separators_of_every_kind() {
        let text = "12 34\u{a0}56\u{202f}78-90\u{2011}12.34/56  78".as_bytes();
        let read = Groups::read(text, 0);
        let lens: Vec<_> = read.groups().iter().map(|group| group.len).collect();
        assert_eq!(lens, [2; 8], "two spaces end it");
        let after: Vec<_> = read.groups().iter().filter_map(|group| group.after).collect();
        use Separator::*;
        assert_eq!(after, [Space, Space, Space, Hyphen, Hyphen, Dot, Slash]);
        assert_eq!(read.digits(4), [1, 2, 3, 4]);
    }

    #[test]
    fn more_digits_than_any_number_has_are_not_cut_into_one_that_fits() {
        let read = Groups::read(b"123456789012345678901", 0);
        assert!(read.groups().is_empty());
        let read = Groups::read(b"1234567890 12345678901", 0);
        assert_eq!(read.groups().len(), 1);
    }

    #[test]
    fn what_goes_on_is_no_end() {
        let plain = |text: &str| Groups::read(text.as_bytes(), 0).plain(4);
        assert_eq!([plain("1234"), plain("1234 5"), plain("1234."), plain("1234-5")], [Some(4); 4]);
        assert_eq!([plain("1234.5"), plain("1234a"), plain("12345"), plain("123")], [None; 4]);
        let grouped = |text: &str| Groups::read(text.as_bytes(), 0).grouped(&[2, 2], &[Separator::Hyphen]);
        assert_eq!([grouped("12-34"), grouped("12-34 5"), grouped("12-34-")], [Some(5); 3]);
        assert_eq!([grouped("12-34-5"), grouped("12 34"), grouped("12-34x"), grouped("12-3")], [None; 4]);
    }

    #[test]
    fn what_stands_before_tells_whether_a_number_begins() {
        let before = |text: &str| Before::of(text.as_bytes(), text.len());
        assert_eq!([before(""), before("x "), before("7 "), before("x-"), before("é"), before("(")], [Before::Open; 6]);
        assert_eq!([before("x"), before("Z")], [Before::Letter; 2]);
        assert_eq!(before("3."), Before::Decimal);
        assert_eq!([before("3-"), before("3/"), before("3\u{2011}"), before("3+")], [Before::Joined; 4]);
    }
}
