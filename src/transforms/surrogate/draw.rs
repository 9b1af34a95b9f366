//! Entries drawn by key and value (TOKENS.md section 3).

use super::fold::push_ascii;
use super::lists::List;
use super::pattern::{Part, Pattern, Piece};
use crate::crypto::uniform::uniform;
use crate::crypto::{HmacKey, frame};

/// Draws from one list and from those that its patterns name.
///
/// The entry of a value in a list is number `uniform(frame(ID@VERSION) || frame(canonical), entries)`, counted from 0:
/// see [`uniform`].
#[derive(Debug)]
pub struct Drawer {
    /// The list itself comes last, after all that it names.
    urns: Vec<Urn>,
}

/// One list, ready to be drawn from.
#[derive(Debug)]
struct Urn {
    list: &'static List,
    prefix: Vec<u8>,
    entries: u64,
    lines: Lines,
}

#[derive(Debug)]
enum Lines {
    Words(Vec<&'static str>),
    Patterns(Vec<Line>),
}

/// A pattern, and the urns of the lists that it names, in order.
#[derive(Debug)]
struct Line {
    pattern: Pattern,
    urns: Vec<usize>,
}

/// Memory to work in, kept from value to value.
#[derive(Debug, Default)]
pub struct Scratch {
    message: Vec<u8>,
    blocks: Vec<u8>,
    word: String,
}

impl Drawer {
    /// Nothing if the list or one that it names does not exist, is empty, or has a line that cannot be read: a test
    /// holds that this is so for none of [`super::lists::LISTS`].
    pub fn new(list: &'static List) -> Option<Self> {
        let mut drawer = Self { urns: Vec::new() };
        drawer.urn_of(list, 0)?;
        Some(drawer)
    }

    /// The lists that are drawn from.
    pub fn lists(&self) -> impl Iterator<Item = &'static List> {
        self.urns.iter().map(|urn| urn.list)
    }

    /// How many entries the list has, those of the lists that it names not multiplied in.
    #[cfg(test)]
    pub fn entries(&self) -> u64 {
        self.urns.last().map_or(0, |urn| urn.entries)
    }

    /// Appends the entry of the value of these canonical bytes.
    pub fn push(&self, key: &HmacKey, canonical: &[u8], scratch: &mut Scratch, out: &mut String) {
        if let Some(last) = self.urns.len().checked_sub(1) {
            self.push_from(last, &mut Value { key, canonical, scratch }, out);
        }
    }

    fn push_from(&self, urn: usize, value: &mut Value<'_>, out: &mut String) {
        let urn = &self.urns[urn];
        let mut index = value.draw(urn);
        match &urn.lines {
            Lines::Words(words) => out.push_str(words[index as usize]),
            Lines::Patterns(lines) => {
                for line in lines {
                    match index.checked_sub(line.pattern.entries()) {
                        Some(further) => index = further,
                        None => return self.spell(line, index, value, out),
                    }
                }
            }
        }
    }

    fn spell(&self, line: &Line, index: u64, value: &mut Value<'_>, out: &mut String) {
        let mut urns = line.urns.iter();
        for piece in line.pattern.spell(index) {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Digit(digit) => out.push(digit),
                Piece::Entry { ascii: false } => {
                    urns.next().into_iter().for_each(|&urn| self.push_from(urn, value, out))
                }
                Piece::Entry { ascii: true } => {
                    let mut word = std::mem::take(&mut value.scratch.word);
                    word.clear();
                    urns.next().into_iter().for_each(|&urn| self.push_from(urn, value, &mut word));
                    push_ascii(&word, out);
                    value.scratch.word = word;
                }
            }
        }
    }

    /// The position of a list's urn, made together with those of the lists that it names.
    fn urn_of(&mut self, list: &'static List, depth: usize) -> Option<usize> {
        if let Some(known) = self.urns.iter().position(|urn| urn.list == list) {
            return Some(known);
        }
        // a list that named itself would go on for ever
        if depth > MOST_NESTED {
            return None;
        }
        let (entries, lines) = if list.holds_patterns() {
            let (mut entries, mut patterns) = (0u64, Vec::new());
            for line in list.lines() {
                let pattern = Pattern::parse(line)?;
                let mut urns = Vec::new();
                for part in pattern.parts() {
                    if let Part::Entry { list, .. } = part {
                        urns.push(self.urn_of(List::named(list)?, depth + 1)?);
                    }
                }
                entries = entries.checked_add(pattern.entries())?;
                patterns.push(Line { pattern, urns });
            }
            (entries, Lines::Patterns(patterns))
        } else {
            let words: Vec<_> = list.lines().collect();
            (words.len() as u64, Lines::Words(words))
        };
        let mut prefix = Vec::new();
        frame(&mut prefix, list.name().as_bytes());
        self.urns.push(Urn { list, prefix, entries: (entries > 0).then_some(entries)?, lines });
        Some(self.urns.len() - 1)
    }
}

/// How deep lists may name lists.
const MOST_NESTED: usize = 8;

/// What is drawn for.
struct Value<'a> {
    key: &'a HmacKey,
    canonical: &'a [u8],
    scratch: &'a mut Scratch,
}

impl Value<'_> {
    fn draw(&mut self, urn: &Urn) -> u64 {
        if urn.entries == 1 {
            return 0;
        }
        let Scratch { message, blocks, .. } = &mut *self.scratch;
        message.clear();
        message.extend_from_slice(&urn.prefix);
        frame(message, self.canonical);
        uniform(self.key, message, urn.entries, blocks)
    }
}
