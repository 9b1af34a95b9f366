//! Hexadecimal digits as a Zstandard frame, without a search for anything.
//!
//! Sixteen digits that are equally frequent have Huffman codes of four bits each, and of equal lengths the codes are
//! dealt out in the order of the symbols: the code of a digit is its value. So the compressed form of a token in
//! hexadecimal is the token's own bytes, and finding it costs what packing digits costs. Nothing that compresses random
//! digits makes them smaller.
//!
//! The frame is an ordinary one (RFC 8878): what comes before the digits as a raw block, zeros at its end as a run,
//! then blocks of literals in four streams. Where each text has its length before it, which is always the same, one
//! sequence a text copies it from the text before.

use super::values::{PLAIN_LENGTH, Texts};

/// The most that a block may hold (RFC 8878, section 3.1.1.2.3).
const BLOCK: usize = 128 << 10;
/// Fewer digits than this at the end are not worth a block of their own kind.
const MIN_DIGITS: usize = 1 << 10;

/// Appends a frame of `before` and `digits` to `out`; the `texts` in these should be lower-case hexadecimal digits.
/// `None`, and nothing is appended, if they are something else or too few to be worth it.
pub fn compress(before: &[u8], digits: &[u8], texts: Texts, out: &mut Vec<u8>) -> Option<()> {
    if digits.len() < MIN_DIGITS.max(16 * before.len()) || before.len() > BLOCK {
        return None;
    }
    let start = out.len();
    let framed = frame(before, digits, texts, out);
    if framed.is_none() {
        out.truncate(start);
    }
    framed
}

fn frame(before: &[u8], digits: &[u8], texts: Texts, out: &mut Vec<u8>) -> Option<()> {
    let mut frame = Frame::new(before.len() + digits.len(), out)?;
    let zeros = before.iter().rev().take_while(|&&byte| byte == 0).count();
    frame.raw(&before[..before.len() - zeros], false);
    frame.run_of_zeros(zeros);
    match texts.have_lengths {
        false => frame.digits(digits),
        true => frame.texts(digits, texts.length as usize),
    }
}

/// Types of blocks (RFC 8878, section 3.1.1.2.2).
const RAW: usize = 0;
const RUN: usize = 1;
const COMPRESSED: usize = 2;

/// Types of literals sections (RFC 8878, section 3.1.1.3.1.1).
const WITH_TREE: u64 = 2;
const TREELESS: u64 = 3;
/// Four streams, sizes of 18 bits.
const FOUR_STREAMS: u64 = 3;

/// Lengths of literals that a code says in full, with the code and the number of its bits, all zero then (RFC 8878,
/// section 3.1.1.3.2.1.1): those of tokens of 64, 80, 96, 112, 128, 160, 192 and 256 bits.
const LENGTHS: [(usize, u8, usize); 8] =
    [(16, 16, 1), (20, 18, 1), (24, 20, 2), (28, 21, 2), (32, 22, 3), (40, 23, 3), (48, 24, 4), (64, 25, 6)];
const NO_LITERALS: u8 = 0;
/// The offset of the sequence before.
const LAST_OFFSET: u8 = 0;
/// A match of four bytes, as long as the length of a text.
const MATCH_OF_LENGTH: u8 = 1;
/// Each of the three codes is the same in all sequences of the block.
const ONE_CODE_EACH: u8 = 0b01_01_01_00;

struct Frame<'a> {
    bytes: &'a mut Vec<u8>,
    has_tree: bool,
}

impl<'a> Frame<'a> {
    /// A frame of a known size, without checksum (RFC 8878, section 3.1.1.1), for a window that holds one block: who
    /// reads it as a stream needs no more memory than that, however large the page.
    fn new(size: usize, bytes: &'a mut Vec<u8>) -> Option<Self> {
        const SIZE_IN_FOUR_BYTES: u8 = 0b10 << 6;
        // 2^(10 + 7) bytes
        const WINDOW: u8 = 7 << 3;
        bytes.reserve_exact(size / 2 + size / 64 + 256);
        bytes.extend_from_slice(&0xFD2F_B528_u32.to_le_bytes());
        bytes.extend_from_slice(&[SIZE_IN_FOUR_BYTES, WINDOW]);
        bytes.extend_from_slice(&u32::try_from(size).ok()?.to_le_bytes());
        Some(Self { bytes, has_tree: false })
    }

    fn block(&mut self, kind: usize, size: usize, is_last: bool) {
        let header = size << 3 | kind << 1 | usize::from(is_last);
        self.bytes.extend_from_slice(&header.to_le_bytes()[..3]);
    }

    fn raw(&mut self, bytes: &[u8], is_last: bool) {
        if !bytes.is_empty() {
            self.block(RAW, bytes.len(), is_last);
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn run_of_zeros(&mut self, length: usize) {
        if length > 0 {
            self.block(RUN, length, false);
            self.bytes.push(0);
        }
    }

    /// Nothing but digits, to the end. `None` if a byte is none.
    fn digits(&mut self, digits: &[u8]) -> Option<()> {
        let mut blocks = digits.chunks(BLOCK).peekable();
        while let Some(block) = blocks.next() {
            let is_last = blocks.peek().is_none();
            match block.len() < MIN_DIGITS {
                true => self.raw(block, is_last),
                false => self.literals(block, &[0], is_last)?,
            }
        }
        Some(())
    }

    /// Texts of `length` digits behind their lengths, to the end.
    fn texts(&mut self, texts: &[u8], length: usize) -> Option<()> {
        let &(_, length_code, bits) = LENGTHS.iter().find(|(known, ..)| *known == length)?;
        let stride = PLAIN_LENGTH + length;
        let (first, rest) = texts.split_at_checked(stride)?;
        let prefix = &first[..PLAIN_LENGTH];
        self.raw(first, false);
        self.length_of_second(stride);
        let mut digits = Vec::with_capacity(BLOCK);
        let mut rest = rest.strip_prefix(prefix)?;
        while rest.len() >= MIN_DIGITS {
            // after each text the length of the next; the last text has none
            let block = &rest[..rest.len().min(BLOCK / stride * stride)];
            let is_last = block.len() == rest.len();
            digits.clear();
            for text in block.chunks(stride) {
                let (text, after) = text.split_at_checked(length)?;
                digits.extend_from_slice(text);
                if after != prefix && !(after.is_empty() && is_last) {
                    return None;
                }
            }
            let count = block.len() / stride;
            let mut sequences = vec![0x80 | (count >> 8) as u8, count as u8];
            sequences.extend_from_slice(&[ONE_CODE_EACH, length_code, LAST_OFFSET, MATCH_OF_LENGTH]);
            sequences.resize(sequences.len() + count * bits / 8, 0);
            sequences.push(1 << (count * bits % 8));
            self.literals(&digits, &sequences, is_last)?;
            rest = &rest[block.len()..];
        }
        self.raw(rest, true);
        Some(())
    }

    /// One sequence: four bytes from `offset` bytes before. Those to come have this offset again.
    fn length_of_second(&mut self, offset: usize) {
        // four bytes take a few more here, which libzstd allows; the frame is for all that come after.
        // An offset is three less than what is coded; below its highest bit, which is the code, lie the extra bits, and
        // where the stream marks its end that bit is the mark
        let coded = offset + 3;
        let code = coded.ilog2();
        let stream = &coded.to_le_bytes()[..code as usize / 8 + 1];
        let sequences = [1, ONE_CODE_EACH, NO_LITERALS, code as u8, MATCH_OF_LENGTH];
        self.block(COMPRESSED, 1 + sequences.len() + stream.len(), false);
        // an empty literals section
        self.bytes.push(0);
        self.bytes.extend_from_slice(&sequences);
        self.bytes.extend_from_slice(stream);
    }

    /// A block of digits as literals, and its sequences section. `None` if a byte is no digit.
    fn literals(&mut self, digits: &[u8], sequences: &[u8], is_last: bool) -> Option<()> {
        let tree = tree();
        let (kind, tree): (_, &[u8]) = if self.has_tree { (TREELESS, &[]) } else { (WITH_TREE, &tree) };
        self.has_tree = true;
        let streams = digits.chunks(digits.len().div_ceil(4));
        let sizes: Vec<usize> = streams.clone().map(packed_size).collect();
        let size = tree.len() + JUMP_TABLE + sizes.iter().sum::<usize>();
        self.block(COMPRESSED, LITERALS_HEADER + size + sequences.len(), is_last);
        let header = kind | FOUR_STREAMS << 2 | (digits.len() as u64) << 4 | (size as u64) << 22;
        self.bytes.extend_from_slice(&header.to_le_bytes()[..LITERALS_HEADER]);
        self.bytes.extend_from_slice(tree);
        for &size in &sizes[..3] {
            self.bytes.extend_from_slice(&(size as u16).to_le_bytes());
        }
        for (digits, size) in streams.zip(sizes) {
            let start = self.bytes.len();
            self.bytes.resize(start + size, 0);
            pack(digits, &mut self.bytes[start..])?;
        }
        self.bytes.extend_from_slice(sequences);
        Some(())
    }
}

const LITERALS_HEADER: usize = 5;
const JUMP_TABLE: usize = 6;

/// The description of a tree in which the sixteen digits have weight 1, all else 0, in four bits each; the last symbol
/// is understood (RFC 8878, section 4.2.1).
fn tree() -> [u8; 52] {
    const LAST: u8 = b'f';
    let mut tree = [0; 52];
    tree[0] = 127 + LAST;
    for digit in (b'0'..=b'9').chain(b'a'..LAST) {
        tree[1 + usize::from(digit / 2)] |= if digit % 2 == 0 { 0x10 } else { 0x01 };
    }
    tree
}

/// Bytes of a stream: its codes, and a bit that marks its end.
fn packed_size(digits: &[u8]) -> usize {
    digits.len() / 2 + 1
}

/// Packs digits into a stream, which is read from its end (RFC 8878, section 4.2.2): the first digit lies highest in the
/// last byte but its mark. `None` if a byte is no digit.
fn pack(digits: &[u8], stream: &mut [u8]) -> Option<()> {
    let (end, body) = stream.split_last_mut()?;
    let (odd, pairs) = digits.split_at(digits.len() % 2);
    let (words, tail) = pairs.as_chunks::<8>();
    let (rest, slots) = body.as_rchunks_mut::<4>();
    let mut wrong = 0;
    *end = match odd {
        [] => 1,
        // a word of eight, of which the last digit is this
        &[digit] => {
            0x10 | value(u64::from_be_bytes([b'0', b'0', b'0', b'0', b'0', b'0', b'0', digit]), &mut wrong) as u8
        }
        _ => return None,
    };
    for (&word, slot) in words.iter().zip(slots.iter_mut().rev()) {
        *slot = value(u64::from_be_bytes(word), &mut wrong).to_le_bytes();
    }
    let mut last = [b'0'; 8];
    last[8 - tail.len()..].copy_from_slice(tail);
    rest.copy_from_slice(&value(u64::from_be_bytes(last), &mut wrong).to_le_bytes()[..rest.len()]);
    (wrong == 0).then_some(())
}

/// The number that eight digits are, the first of them in the highest byte; sets bits of `wrong` if they aren't.
#[inline]
fn value(digits: u64, wrong: &mut u64) -> u32 {
    const EACH: u64 = u64::MAX / 0xff;
    let is_letter = digits >> 6 & EACH;
    let nibbles = (digits & (0x0f * EACH)) + 9 * is_letter;
    // back again: whatever was no digit comes out as something else, or as more than 15
    let above_nine = (nibbles + 6 * EACH) >> 4 & EACH;
    *wrong |= (nibbles & (0xf0 * EACH)) | ((nibbles + 0x30 * EACH + 0x27 * above_nine) ^ digits);
    let bytes = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let pairs = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    (pairs | pairs >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(count: usize) -> Vec<u8> {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            b"0123456789abcdef"[(state >> 60) as usize]
        };
        (0..count).map(|_| next()).collect()
    }

    const BARE: Texts = Texts { length: 32, have_lengths: false };

    /// What comes before digits, digits, and what they are.
    type Content = (Vec<u8>, Vec<u8>, Texts);

    fn after(before: &[u8], count: usize) -> Content {
        (before.to_vec(), digits(count), BARE)
    }

    fn with_lengths(before: &[u8], length: usize, count: usize) -> Content {
        let mut texts = Vec::new();
        for text in digits(length * count).chunks(length) {
            texts.extend_from_slice(&(length as u32).to_le_bytes());
            texts.extend_from_slice(text);
        }
        (before.to_vec(), texts, Texts { length: length as u32, have_lengths: true })
    }

    /// The frame, which is appended to something or nothing.
    fn compress((before, digits, texts): &Content) -> Option<Vec<u8>> {
        let mut out = b"kept".to_vec();
        let made = super::compress(before, digits, *texts, &mut out);
        assert!(out.starts_with(b"kept") && (made.is_some() || out.len() == 4));
        made.map(|()| out.split_off(4))
    }

    /// What libzstd and a decoder that shares no code with it make of a frame.
    fn read(frame: &[u8], size: usize) -> Vec<u8> {
        let mut other = Vec::new();
        std::io::Read::read_to_end(&mut ruzstd::decoding::StreamingDecoder::new(frame).unwrap(), &mut other).unwrap();
        assert!(zstd::bulk::decompress(frame, size).unwrap() == other);
        other
    }

    #[test]
    fn bare_digits_read_back_at_every_length() {
        let lengths = (MIN_DIGITS..MIN_DIGITS + 40)
            .chain([BLOCK - 1, BLOCK, BLOCK + 1])
            .chain(BLOCK + MIN_DIGITS - 3..BLOCK + MIN_DIGITS + 9)
            .chain([3 * BLOCK + 12_345]);
        for length in lengths {
            for before in [&b""[..], b"x", b"\0", b"levels\0\0\0\0\0\0\0\0"] {
                let content = after(before, length.max(16 * before.len()));
                let whole = [&content.0[..], &content.1].concat();
                assert!(read(&compress(&content).unwrap(), whole.len()) == whole, "{length}");
            }
        }
    }

    #[test]
    fn texts_with_lengths_read_back_at_every_length_and_count() {
        for (length, ..) in LENGTHS {
            let in_block = BLOCK / (length + PLAIN_LENGTH);
            let counts = (MIN_DIGITS / length..MIN_DIGITS / length + 80)
                .chain([255, 256, 257, 1000])
                .chain(in_block - 1..in_block + 5)
                .chain(in_block + MIN_DIGITS / length - 3..in_block + MIN_DIGITS / length + 5)
                .chain([3 * in_block + 777]);
            for count in counts {
                let content = with_lengths(b"\x02", length, count);
                let whole = [&content.0[..], &content.1].concat();
                assert!(read(&compress(&content).unwrap(), whole.len()) == whole, "{length} x {count}");
            }
        }
    }

    #[test]
    fn a_token_of_sixteen_bytes_takes_little_more() {
        let blocks = 5 * (3 + LITERALS_HEADER + JUMP_TABLE + 4 + 1);
        assert_eq!(compress(&after(b"", 32 * 20_000)).unwrap().len(), 10 + 52 + blocks + 320_000);
        let size = compress(&with_lengths(b"", 32, 20_000)).unwrap().len();
        assert!(size < 320_000 + 3 * 20_000 / 8 + 300, "three bits for a length: {size}");
    }

    #[test]
    fn a_reader_of_streams_needs_the_memory_of_one_block() {
        for content in [after(b"", 3 << 20), with_lengths(b"", 64, 50_000)] {
            let frame = compress(&content).unwrap();
            let mut reader = zstd::stream::read::Decoder::new(frame.as_slice()).unwrap();
            reader.window_log_max(17).unwrap();
            let mut back = Vec::new();
            std::io::Read::read_to_end(&mut reader, &mut back).unwrap();
            assert!(back == content.1);
        }
    }

    #[test]
    fn lengths_that_are_not_as_told_are_refused() {
        let good = with_lengths(b"", 32, 200);
        for at in [36, 39, 36 * 199] {
            let mut content = good.clone();
            content.1[at] ^= 1;
            assert!(compress(&content).is_none(), "{at}");
        }
        assert!(compress(&with_lengths(b"", 31, 200)).is_none(), "a length with extra bits");
        let mut cut = good;
        cut.1.pop();
        assert!(compress(&cut).is_none(), "cut off");
    }

    #[test]
    fn every_byte_that_is_no_digit_is_refused_wherever_it_lies() {
        let good = digits(MIN_DIGITS + 23);
        for byte in (0..=255u8).filter(|byte| !b"0123456789abcdef".contains(byte)) {
            for at in [0, 1, 7, 8, 500, good.len() - 3, good.len() - 1] {
                let mut content = good.clone();
                content[at] = byte;
                assert!(compress(&(Vec::new(), content, BARE)).is_none(), "{byte:#x} at {at}");
            }
        }
    }

    #[test]
    fn what_is_not_worth_it_is_left_to_others() {
        assert_eq!(compress(&after(b"", MIN_DIGITS - 1)), None);
        assert_eq!(compress(&after(&[1; 1000], 15_999)), None, "much before");
        assert!(compress(&after(&[1; 1000], 16_000)).is_some());
    }

    #[test]
    fn a_stream_is_the_token_from_its_end() {
        // by hand after RFC 8878: codes are the digits' values, the first digit is read first, from the end
        let mut stream = [0; 5];
        pack(b"0123cdef", &mut stream).unwrap();
        assert_eq!(stream, [0xef, 0xcd, 0x23, 0x01, 0b1]);
        let mut stream = [0; 2];
        pack(b"a12", &mut stream).unwrap();
        assert_eq!(stream, [0x12, 0x1a]);
    }
}
