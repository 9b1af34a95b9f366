//! One pass over a value: bytes that may be a part of something, and what is found round them.

use std::ops::Range;

use super::groups::{Before, Groups, is_digit, separator};
use super::kind::Kind;
use super::secrets::PemEnd;
use super::{card, email, ip, lettered, national, phone, secrets};
use crate::transforms::normalize::Region;

/// What a byte leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trigger {
    Nothing,
    Digit,
    Plus,
    At,
    Colon,
    Key,
    Jwt,
}

/// One instance of a kind in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Find {
    pub start: usize,
    pub end: usize,
    /// Position in the list of what is searched for.
    pub kind: u16,
}

/// Which of the built-in kinds are searched for.
#[derive(Debug, Clone)]
pub(super) struct Finders {
    triggers: [Trigger; 256],
    /// By [`Kind`]: its position in the list of what is searched for.
    wanted: [Option<u16>; Kind::ALL.len()],
    regions: Vec<Region>,
}

impl Finders {
    /// Finders of `kinds`, each with its position in the list; national telephone numbers as in `regions`.
    pub fn new(kinds: &[(Kind, u16)], regions: Vec<Region>) -> Self {
        let mut wanted = [None; Kind::ALL.len()];
        let mut triggers = [Trigger::Nothing; 256];
        let mut lead = |bytes: &[u8], trigger| bytes.iter().for_each(|&byte| triggers[usize::from(byte)] = trigger);
        for &(kind, position) in kinds {
            wanted[kind as usize] = Some(position);
            match kind {
                Kind::Email => lead(b"@", Trigger::At),
                Kind::ApiKey => lead(secrets::TRIGGERS, Trigger::Key),
                Kind::Jwt => lead(b"J", Trigger::Jwt),
                Kind::Ip => {
                    lead(b":", Trigger::Colon);
                    lead(b"0123456789", Trigger::Digit);
                }
                Kind::Phone => {
                    lead(b"+", Trigger::Plus);
                    lead(b"0123456789", Trigger::Digit);
                }
                _ => lead(b"0123456789", Trigger::Digit),
            }
        }
        Self { triggers, wanted, regions }
    }

    fn wants(&self, kind: Kind) -> bool {
        self.wanted[kind as usize].is_some()
    }

    /// Adds what `text` holds to `finds`, in no order; gives the number of bytes looked at.
    pub fn find(&self, text: &str, finds: &mut Vec<Find>) -> usize {
        let mut scan = Scan { finders: self, text, finds, looked_at: 0, token: NOWHERE, colons: 0, pem: None };
        scan.run();
        scan.looked_at
    }
}

struct Scan<'a> {
    finders: &'a Finders,
    text: &'a str,
    finds: &'a mut Vec<Find>,
    /// Bytes looked at beyond one look at each.
    looked_at: usize,
    /// The run of token bytes that was last looked through: no byte is looked through for each trigger in its run.
    token: Range<usize>,
    /// Up to where colons have been looked at.
    colons: usize,
    pem: PemEnd,
}

/// What is looked at round one trigger at most, in bytes, where it does not depend on the text.
const AROUND: usize = 64;

/// A run that no place is in or next to.
const NOWHERE: Range<usize> = usize::MAX..usize::MAX;

impl Scan<'_> {
    fn run(&mut self) {
        let bytes = self.text.as_bytes();
        let triggers = &self.finders.triggers;
        let mut at = 0;
        while let Some(ahead) = bytes[at..].iter().position(|&byte| triggers[usize::from(byte)] != Trigger::Nothing) {
            at += ahead;
            self.looked_at += AROUND;
            at = match triggers[usize::from(bytes[at])] {
                Trigger::Nothing => at + 1,
                Trigger::Digit => self.digits(at),
                Trigger::Plus => self.plus(at),
                Trigger::At => self.at_sign(at),
                Trigger::Colon => self.colon(at),
                Trigger::Key => self.key(at),
                Trigger::Jwt => self.jwt(at),
            };
        }
    }

    fn push(&mut self, kind: Kind, range: Range<usize>) {
        if let Some(kind) = self.finders.wanted[kind as usize] {
            self.finds.push(Find { start: range.start, end: range.end, kind });
        }
    }

    /// A run of digits begins at `start`; gives its end.
    fn digits(&mut self, start: usize) -> usize {
        let (text, bytes) = (self.text, self.text.as_bytes());
        let end = start + bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        lettered::find(bytes, start, |kind, range| self.push(kind, range));
        let before = Before::of(bytes, start);
        if before == Before::Letter {
            return end;
        }
        let next = bytes.get(end).copied().unwrap_or_default();
        let goes_on = separator(bytes, end).is_some_and(|(_, len)| is_digit(bytes.get(end + len)));
        // alone, most runs are too short for anything but codes of which letters are a part
        let is_part = match end - start {
            0..=5 | 7 => goes_on,
            6 | 8 => goes_on || next == b'-' || next.is_ascii_alphabetic(),
            _ => true,
        };
        if is_part {
            self.groups(start, end, before);
        }
        if self.finders.wants(Kind::Phone) {
            if let Some(range) = phone::north_american(bytes, start, before) {
                self.push(Kind::Phone, range);
            }
            if let Some(range) = phone::national(text, start, before, &self.finders.regions) {
                self.push(Kind::Phone, range);
            }
        }
        end
    }

    /// The run of digits from `start` to `end` with those that hang on it.
    fn groups(&mut self, start: usize, end: usize, before: Before) {
        let bytes = self.text.as_bytes();
        let groups = Groups::read(bytes, start);
        national::find(bytes, start, before, &groups, |kind, end| self.push(kind, start..end));
        if let Some(end) = card::find(bytes, before, &groups) {
            self.push(Kind::Card, start..end);
        }
        if end - start <= 3
            && let Some(end) = ip::v4_end(bytes, start, before)
        {
            self.push(Kind::Ip, start..end);
        }
    }

    fn plus(&mut self, at: usize) -> usize {
        if let Some(range) = phone::international(self.text, at) {
            self.push(Kind::Phone, range);
        }
        at + 1
    }

    fn at_sign(&mut self, at: usize) -> usize {
        if let Some(range) = email::find(self.text, at, &mut self.looked_at) {
            self.push(Kind::Email, range);
        }
        at + 1
    }

    fn colon(&mut self, at: usize) -> usize {
        if at >= self.colons {
            let (found, next) = ip::v6(self.text, at);
            self.looked_at += next - at;
            self.colons = next;
            if let Some(range) = found {
                self.push(Kind::Ip, range);
            }
        }
        at + 1
    }

    fn key(&mut self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let key = secrets::key(bytes, at, &mut token_end(bytes, &mut self.token, &mut self.looked_at));
        let found = key.or_else(|| secrets::private_key(bytes, at, &mut self.pem, &mut self.looked_at));
        if let Some(range) = found {
            self.push(Kind::ApiKey, range);
        }
        at + 1
    }

    fn jwt(&mut self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        if let Some(start) = at.checked_sub(2).filter(|&start| bytes[start..at] == *b"ey") {
            let found = secrets::jwt(bytes, start, &mut token_end(bytes, &mut self.token, &mut self.looked_at));
            if let Some(range) = found {
                self.push(Kind::Jwt, range);
            }
        }
        at + 1
    }
}

/// The end of the run of token bytes from a place on, looked for once for each run.
fn token_end<'a>(
    bytes: &'a [u8],
    known: &'a mut Range<usize>,
    looked_at: &'a mut usize,
) -> impl FnMut(usize) -> usize + 'a {
    move |at| {
        if !(known.contains(&at) || known.end == at) {
            let len = bytes[at..].iter().take_while(|&&byte| secrets::is_token(byte)).count();
            *looked_at += len;
            *known = at..at + len;
        }
        known.end
    }
}

/// Puts the finds from `first` on in order, those that overlap made one, so that no part of anything found stays in the text.
///
/// The one that begins first gives its kind to all; of several, the longest; of these, the first in the list.
pub(super) fn settle(finds: &mut Vec<Find>, first: usize) {
    let own = &mut finds[first..];
    own.sort_unstable_by_key(|find| (find.start, std::cmp::Reverse(find.end), find.kind));
    let mut kept = 0;
    for at in 0..own.len() {
        match own[..kept].last_mut().map(|last| last.end) {
            Some(end) if own[at].start < end => own[kept - 1].end = end.max(own[at].end),
            _ => {
                own.swap(kept, at);
                kept += 1;
            }
        }
    }
    finds.truncate(first + kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_finds_that_overlap_the_first_and_longest_names_the_whole() {
        let find = |start, end, kind| Find { start, end, kind };
        let mut finds = vec![
            find(7, 8, 9),
            find(9, 12, 0),
            find(0, 4, 2),
            find(0, 6, 3),
            find(5, 8, 1),
            find(0, 6, 4),
            find(8, 9, 5),
        ];
        settle(&mut finds, 1);
        assert_eq!(finds, [find(7, 8, 9), find(0, 8, 3), find(8, 9, 5), find(9, 12, 0)]);
    }
}
