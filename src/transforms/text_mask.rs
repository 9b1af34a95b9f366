//! Masking of text: some characters at the ends stay, the others become one and the same character.
//!
//! No key and no pseudonym: what stays is raw, and the length is too.
use super::normalize::is_alphanumeric;

/// Which characters stay and what the others become.
///
/// - Characters are Unicode scalar values, not grapheme clusters: an accent written as a combining mark counts by
///   itself, so that a cluster of many marks cannot carry more than was asked for past the mask.
/// - The output has as many characters as the value.
/// - A value with no more characters than are to be kept is masked whole.
/// - With `keep_separators`, characters that are not letters, numbers or marks (General_Category L, N, M) stay where
///   they are, do not count, and stay even where the value is masked whole.
///
/// ```
/// use lakeveil::transforms::text_mask::TextMask;
///
/// let mask = TextMask { keep_first: 0, keep_last: 2, with: '*', keep_separators: true };
/// let mut out = String::new();
/// mask.mask("+44 20 7946 0958", &mut out);
/// assert_eq!(out, "+** ** **** **58");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextMask {
    /// How many characters stay at the beginning.
    pub keep_first: usize,
    /// How many characters stay at the end.
    pub keep_last: usize,
    /// What each of the others becomes.
    pub with: char,
    /// Whether punctuation, spaces and symbols stay in place.
    pub keep_separators: bool,
}

impl TextMask {
    /// Appends the masked value to `out`.
    pub fn mask(&self, value: &str, out: &mut String) {
        if value.is_ascii() && !self.keep_separators {
            return self.mask_ascii(value, out);
        }
        let counts = |c: char| !self.keep_separators || is_alphanumeric(c);
        let (first, end) = self.masked(value.chars().filter(|&c| counts(c)).count());
        let mut place = 0;
        out.extend(value.chars().map(|c| {
            if !counts(c) {
                return c;
            }
            let masked = (first..end).contains(&place);
            place += 1;
            if masked { self.with } else { c }
        }));
    }

    /// The same for text in which characters are bytes and all of them count.
    fn mask_ascii(&self, value: &str, out: &mut String) {
        let (first, end) = self.masked(value.len());
        out.push_str(&value[..first]);
        out.extend(std::iter::repeat_n(self.with, end - first));
        out.push_str(&value[end..]);
    }

    /// The same into `out`, which is as long as `value` and holds nothing but the mask character: for ASCII text, and a
    /// mask character that is ASCII, too.
    #[inline]
    pub(super) fn mask_bytes(&self, value: &[u8], out: &mut [u8]) {
        if !self.keep_separators {
            let (first, end) = self.masked(value.len());
            out[..first].copy_from_slice(&value[..first]);
            out[end..].copy_from_slice(&value[end..]);
            return;
        }
        let counts = |byte: u8| byte.is_ascii_alphanumeric();
        let mut length = 0;
        for (out, &byte) in out.iter_mut().zip(value) {
            *out = if counts(byte) { *out } else { byte };
            length += usize::from(counts(byte));
        }
        let (first, end) = self.masked(length);
        let kept = out.iter_mut().zip(value).filter(|(_, byte)| counts(**byte));
        kept.take(first).for_each(|(out, byte)| *out = *byte);
        let kept = out.iter_mut().zip(value).rev().filter(|(_, byte)| counts(**byte));
        kept.take(length - end).for_each(|(out, byte)| *out = *byte);
    }

    /// The first masked place and the one after the last, of `length` places that count.
    fn masked(&self, length: usize) -> (usize, usize) {
        if length <= self.keep_first.saturating_add(self.keep_last) {
            (0, length)
        } else {
            (self.keep_first, length - self.keep_last)
        }
    }
}

#[cfg(test)]
mod tests;
