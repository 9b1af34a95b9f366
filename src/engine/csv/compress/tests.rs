use std::io::Read;

use proptest::prelude::*;

use super::*;
use crate::engine::csv::Decompressor;

const BOTH: [Codec; 2] = [Codec::Gzip, Codec::Zstd];

fn read_in(codec: Codec, object: &[u8], chunk: usize, room: usize) -> Result<Vec<u8>, CompressError> {
    let mut stream = Decompressor::new(codec);
    let mut text = Vec::new();
    let mut out = vec![0; room];
    for mut chunk in object.chunks(chunk) {
        loop {
            let filled = stream.read(&mut chunk, &mut out)?;
            text.extend_from_slice(&out[..filled]);
            if filled < out.len() {
                assert!(chunk.is_empty(), "all input is taken before there is room left");
                break;
            }
        }
    }
    stream.finish().map(|()| text)
}

fn read(codec: Codec, object: &[u8]) -> Result<Vec<u8>, CompressError> {
    read_in(codec, object, 1 << 16, 1 << 16)
}

fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|i| format!("{i},row number {i}\n").into_bytes()).collect()
}

#[test]
fn members_and_frames_follow_one_another() {
    let text = lines(500);
    for codec in BOTH {
        let object: Vec<u8> =
            text.chunks(1000).flat_map(|part| codec.compress(codec.default_level(), part).expect("memory")).collect();
        for (chunk, room) in [(1, 1), (1, 4096), (7, 3), (object.len(), 100), (object.len(), 1 << 20)] {
            assert_eq!(read_in(codec, &object, chunk, room), Ok(text.clone()), "{codec}, {chunk} in, {room} out");
        }
    }
}

#[test]
fn a_large_expansion_comes_in_bounded_steps() {
    let zeros = vec![0; 20 << 20];
    for codec in BOTH {
        let object = codec.compress(9, &zeros).expect("memory");
        assert!(object.len() < 100_000);
        assert_eq!(read_in(codec, &object, object.len(), 4096).map(|text| text.len()), Ok(zeros.len()), "{codec}");
    }
}

#[test]
fn a_stream_cut_anywhere_is_an_error() {
    for codec in BOTH {
        let object = codec.compress(6, &lines(20)).expect("memory");
        for length in 0..object.len() {
            let expected = Err(CompressError::Truncated { codec, read: length as u64 });
            assert_eq!(read(codec, &object[..length]), expected, "{codec}, {length} bytes");
        }
        let second_cut = [&object[..], &object[..5]].concat();
        assert!(matches!(read(codec, &second_cut), Err(CompressError::Truncated { .. })), "{codec}");
    }
}

#[test]
fn damage_and_other_formats_are_errors() {
    for codec in BOTH {
        let object = codec.compress(6, &lines(20)).expect("memory");
        let damaged =
            |object: &[u8]| assert!(matches!(read(codec, object), Err(CompressError::Damaged { .. })), "{codec}");
        damaged(b"id,name\n1,Ann\n");
        damaged(&[&object[..], b"trailing bytes"].concat());
        // the last bytes are (part of) a checksum
        let at = object.len() - if codec == Codec::Gzip { 5 } else { 1 };
        let mut flipped = object.clone();
        flipped[at] ^= 1;
        damaged(&flipped);
    }
}

#[test]
fn an_empty_part_is_a_whole_stream() {
    for codec in BOTH {
        let object = codec.compress(6, b"").expect("memory");
        assert_eq!(read(codec, &object), Ok(vec![]), "{codec}");
    }
}

#[test]
fn gzip_headers_tell_nothing() {
    // RFC 1952: magic, deflate, no flags, no time, extra flags, unknown system
    let object = Codec::Gzip.compress(6, b"a").expect("memory");
    assert_eq!(object[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
}

#[test]
fn other_readers_take_what_is_written() {
    let text = lines(500);
    let gzip: Vec<u8> = text.chunks(700).flat_map(|part| Codec::Gzip.compress(1, part).expect("memory")).collect();
    let mut read = Vec::new();
    flate2::read::MultiGzDecoder::new(&gzip[..]).read_to_end(&mut read).expect("valid gzip");
    assert_eq!(read, text);
    let frames: Vec<u8> = text.chunks(700).flat_map(|part| Codec::Zstd.compress(1, part).expect("memory")).collect();
    assert_eq!(zstd::stream::decode_all(&frames[..]).expect("valid zstd"), text);
}

#[test]
fn streams_of_others_are_read() {
    // with the time and name that the gzip program stores
    let text = lines(100);
    let named = {
        let mut encoder = GzBuilder::new()
            .mtime(1_700_000_000)
            .filename("a.csv")
            .comment("c")
            .write(Vec::new(), flate2::Compression::best());
        encoder.write_all(&text).expect("a Vec takes every byte");
        encoder.finish().expect("a Vec takes every byte")
    };
    assert_eq!(read_in(Codec::Gzip, &named, 3, 100), Ok(text.clone()));
    // a streamed frame: no content size, no checksum
    let streamed = zstd::stream::encode_all(&text[..], 1).expect("memory");
    assert_eq!(read_in(Codec::Zstd, &streamed, 3, 100), Ok(text.clone()));
    // a skippable frame (RFC 8878 section 3.1.2) before it
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3][..], &streamed].concat();
    assert_eq!(read_in(Codec::Zstd, &skippable, 3, 100), Ok(text));
}

#[test]
fn levels_outside_the_range_are_moved_to_its_ends() {
    for codec in BOTH {
        for (level, end) in [(i32::MIN, *codec.levels().start()), (i32::MAX, *codec.levels().end())] {
            let compress = |level| codec.compress(level, b"id\n1\n").expect("memory");
            assert_eq!(compress(level), compress(end), "{codec}");
        }
    }
}

#[test]
fn endings_tell_codecs() {
    for (name, codec) in [
        ("a.csv.gz", Some(Codec::Gzip)),
        ("a.csv.zst", Some(Codec::Zstd)),
        ("a.csv", None),
        ("gz", None),
        ("a.gz/b", None),
    ] {
        assert_eq!(Codec::of_name(name), codec, "{name}");
    }
    for codec in BOTH {
        assert_eq!(Codec::of_name(&format!("a.{}", codec.extension())), Some(codec));
    }
}

#[test]
fn parts_of_nothing() {
    assert_eq!(Parts::new(4).finish(), Some(vec![]));
    let mut full = Parts::new(2);
    full.push(b"ab", drop);
    assert_eq!(full.finish(), None);
}

proptest! {
    #[test]
    fn parts_follow_from_the_bytes_alone(
        text in prop::collection::vec(any::<u8>(), 0..60),
        size in 1_usize..10,
        piece in 1_usize..20,
    ) {
        let cut = |piece: usize| {
            let mut parts = Parts::new(size);
            let mut cut = Vec::new();
            text.chunks(piece).for_each(|bytes| parts.push(bytes, |part| cut.push(part)));
            cut.extend(parts.finish());
            cut
        };
        let parts = cut(piece);
        prop_assert_eq!(&parts, &cut(text.len().max(1)));
        prop_assert_eq!(parts.concat(), text);
        prop_assert!(parts.iter().rev().skip(1).all(|part| part.len() == size));
    }
}
