//! From offsets to groups of messages that a kernel hashes side by side; everything here is safe code.

use std::ops::Range;

use super::{BLOCK, HmacKey};

/// Messages that are sorted into groups at one go: their places (3 KiB) are kept on the stack.
const WINDOW: usize = 256;
/// Block counts that are told apart by counting; the messages of the last class are sorted by comparison.
const CLASSES: usize = 32;
/// Bytes of the longest message that goes into a lane: its length in bits fills one word.
const LANE_BYTES: u32 = 1 << 20;

/// Where a message lies in the values, and which output is its.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    pub start: u32,
    pub len: u32,
    pub slot: u32,
}

impl Message {
    /// What an idle lane holds.
    pub const NONE: Self = Self { start: 0, len: 0, slot: 0 };

    /// Blocks of the padded message, the key's left out (FIPS 180-4, section 5.1.1).
    #[inline(always)]
    pub fn blocks(&self) -> u32 {
        (self.len + 8) / BLOCK as u32 + 1
    }

    /// Its length in bits as the last block states it: the key's block counts.
    #[inline(always)]
    pub fn bits(&self) -> u32 {
        (BLOCK as u32 + self.len) * 8
    }

    /// Block `index` of the padded message without the length: 0x80 behind its last byte, then zeros.
    #[inline(always)]
    pub fn block(&self, index: u32, values: &[u8]) -> [u8; BLOCK] {
        let before = index as usize * BLOCK;
        let start = self.start as usize + before;
        let mut block = match values.get(start..).map(|rest| (rest.first_chunk(), rest)) {
            Some((Some(block), _)) => *block,
            Some((None, rest)) => {
                let mut block = [0; BLOCK];
                block[..rest.len()].copy_from_slice(rest);
                block
            }
            None => [0; BLOCK],
        };
        // bytes of the message from here on; -1 where it ended in an earlier block
        let left = (self.len as isize - before as isize).clamp(-1, BLOCK as isize);
        let at = (BLOCK as isize - left) as usize;
        let (keep, mark): (&[u8; BLOCK], &[u8; BLOCK]) = (window_of(&KEEP, at), window_of(&MARK, at));
        for i in 0..BLOCK {
            block[i] = block[i] & keep[i] | mark[i];
        }
        block
    }
}

/// From byte 64 - n on: n bytes of ones, then zeros.
static KEEP: [u8; 2 * BLOCK + 1] = {
    let mut table = [0; 2 * BLOCK + 1];
    let mut i = 0;
    while i < BLOCK {
        table[i] = 0xff;
        i += 1;
    }
    table
};

/// From byte 64 - n on: n bytes of zeros, 0x80, then zeros; the 0x80 is out of sight for n = 64 and n = -1.
static MARK: [u8; 2 * BLOCK + 1] = {
    let mut table = [0; 2 * BLOCK + 1];
    table[BLOCK] = 0x80;
    table
};

#[inline(always)]
fn window_of(table: &[u8; 2 * BLOCK + 1], at: usize) -> &[u8; BLOCK] {
    table[at..].first_chunk().expect("at most 65")
}

/// Hashes `N` messages side by side.
pub(super) trait Kernel<const N: usize>: Copy {
    /// Lanes that must be busy for a group to cost less than its messages would by themselves.
    fn least_busy(self) -> u32;

    /// The HMACs of a group; those of idle lanes mean nothing.
    fn sign(self, key: &HmacKey, values: &[u8], group: &[Message; N]) -> [[u8; 32]; N];
}

/// Up to [`WINDOW`] messages of a batch, the shortest first.
pub(super) struct Window {
    messages: [Message; WINDOW],
    /// Those that are not signed yet.
    left: Range<usize>,
}

impl Window {
    /// The messages between `offsets`, in the order of their block counts.
    #[inline]
    fn sorted(offsets: &[i32], values: &[u8]) -> Self {
        let (mut messages, count) = ([Message::NONE; WINDOW], offsets.len() - 1);
        let (mut differences, mut blocks) = (0, None);
        for (slot, (bounds, message)) in offsets.windows(2).zip(&mut messages).enumerate() {
            // a negative offset becomes a huge one, which the slice refuses
            let len = values[bounds[0] as usize..bounds[1] as usize].len();
            *message = Message { start: bounds[0] as u32, len: len as u32, slot: slot as u32 };
            differences |= message.blocks() ^ *blocks.get_or_insert(message.blocks());
        }
        if differences != 0 {
            messages = in_order(&messages[..count]);
        }
        Self { messages, left: 0..count }
    }

    /// Signs in groups of `N` what pays, and keeps the rest.
    #[inline]
    pub fn sign<const N: usize>(&mut self, kernel: impl Kernel<N>, key: &HmacKey, values: &[u8], out: &mut [[u8; 32]]) {
        // from the longest on; those that are kept move to the back
        let (mut end, mut kept) = (self.left.end, self.left.end);
        while end > self.left.start {
            let first = end.saturating_sub(N).max(self.left.start);
            let members = &self.messages[first..end];
            let longest = members[members.len() - 1];
            if longest.len <= LANE_BYTES && pays(members, kernel.least_busy()) {
                let tokens = match members.as_array() {
                    Some(group) => kernel.sign(key, values, group),
                    None => {
                        let mut group = [Message::NONE; N];
                        group[..members.len()].copy_from_slice(members);
                        kernel.sign(key, values, &group)
                    }
                };
                for (message, token) in members.iter().zip(&tokens) {
                    out[message.slot as usize] = *token;
                }
                end = first;
            } else {
                kept -= 1;
                self.messages[kept] = longest;
                end -= 1;
            }
        }
        self.left.start = kept;
    }

    /// Signs one by one what is left.
    #[inline]
    pub fn finish(&self, key: &HmacKey, values: &[u8], out: &mut [[u8; 32]]) {
        for message in &self.messages[self.left.clone()] {
            let (start, len) = (message.start as usize, message.len as usize);
            out[message.slot as usize] = key.sign(&values[start..start + len]);
        }
    }
}

/// Whether a group's own work, its shortest first, fills as many lanes as it takes to gain from going together.
#[inline]
fn pays(members: &[Message], least_busy: u32) -> bool {
    // the outer hash is one block more
    let (shortest, longest) = (members[0].blocks() + 1, members[members.len() - 1].blocks() + 1);
    let work = match shortest == longest {
        true => members.len() as u32 * longest,
        false => members.iter().map(|message| message.blocks() + 1).sum(),
    };
    work >= least_busy * longest
}

/// Sorts by block count.
fn in_order(messages: &[Message]) -> [Message; WINDOW] {
    let class = |message: &Message| (message.blocks() as usize).min(CLASSES) - 1;
    let mut ends = [0_u16; CLASSES];
    for message in messages {
        ends[class(message)] += 1;
    }
    let mut before = 0;
    for end in &mut ends {
        before += std::mem::replace(end, before);
    }
    let mut sorted = [Message::NONE; WINDOW];
    for message in messages {
        let end = &mut ends[class(message)];
        sorted[usize::from(*end)] = *message;
        *end += 1;
    }
    let long = usize::from(ends[CLASSES - 2]);
    sorted[long..messages.len()].sort_unstable_by_key(Message::blocks);
    sorted
}

/// Calls `sign` for each window of a batch, with the outputs that the slots of its messages point into.
#[inline]
pub(super) fn windows(
    offsets: &[i32],
    values: &[u8],
    out: &mut [[u8; 32]],
    mut sign: impl FnMut(&mut Window, &mut [[u8; 32]]),
) {
    let mut first = 0;
    for out in out.chunks_mut(WINDOW) {
        sign(&mut Window::sorted(&offsets[first..=first + out.len()], values), out);
        first += out.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4, section 5.1.1, word for word; the length is left out.
    fn padded(message: &[u8]) -> Vec<u8> {
        let mut padded = message.to_vec();
        padded.push(0x80);
        while padded.len() % BLOCK != BLOCK - 8 {
            padded.push(0);
        }
        padded.extend([0; 8]);
        padded
    }

    #[test]
    #[cfg_attr(miri, ignore = "safe code")]
    fn blocks_are_those_of_the_padded_message_wherever_the_values_end() {
        let values: Vec<u8> = (0..300_u32).map(|i| i as u8 | 1).collect();
        for len in 0..200 {
            for end in [5 + len, 5 + len + 1, 5 + len + 63, 5 + len + 64, 300] {
                let message = Message { start: 5, len: len as u32, slot: 0 };
                let expected = padded(&values[5..5 + len]);
                assert_eq!(message.blocks() as usize, expected.len() / BLOCK);
                for (index, block) in expected.chunks(BLOCK).enumerate() {
                    assert_eq!(message.block(index as u32, &values[..end.min(300)]), block, "{len} {index} {end}");
                }
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "safe code")]
    fn a_window_is_in_the_order_of_block_counts_and_complete() {
        let lens: Vec<i32> = (0..WINDOW as i32).map(|i| i * 7919 % 5000).collect();
        let mut offsets = vec![0];
        for len in &lens {
            offsets.push(offsets[offsets.len() - 1] + len);
        }
        let values = vec![0; offsets[WINDOW] as usize];
        let window = Window::sorted(&offsets, &values);
        assert_eq!(window.left, 0..WINDOW);
        assert!(window.messages.is_sorted_by_key(Message::blocks));
        let mut slots: Vec<_> = window.messages.iter().map(|message| (message.slot, message.len as i32)).collect();
        slots.sort_unstable();
        assert!(slots.into_iter().eq((0..).zip(lens)));
    }
}
