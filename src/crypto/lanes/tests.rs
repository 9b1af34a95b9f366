use super::*;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Messages that a window, or a group of sixteen, does not hold.
const MORE_THAN_A_WINDOW: usize = 277;

fn oracle(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut oracle = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    oracle.update(message);
    oracle.finalize().into_bytes().into()
}

/// Signs `messages` on every backend, behind `before` bytes that are no message, in front of `behind` others.
fn every_backend_meets_the_oracle(key: &[u8], messages: &[&[u8]], before: usize, behind: usize) {
    let expected: Vec<[u8; 32]> = messages.iter().map(|message| oracle(key, message)).collect();
    let mut values = vec![0xa5; before];
    let mut offsets = vec![before as i32];
    for message in messages {
        values.extend_from_slice(message);
        offsets.push(values.len() as i32);
    }
    values.extend(vec![0x5a; behind]);
    values.shrink_to_fit();
    let key = HmacKey::new(key);
    let mut out = vec![[0xff; 32]; messages.len()];
    key.sign_many(&offsets, &values, &mut out);
    assert_eq!(out, expected);
    for backend in Backend::available() {
        out.fill([0xff; 32]);
        key.sign_many_with(backend, &offsets, &values, &mut out);
        for (i, (token, expected)) in out.iter().zip(&expected).enumerate() {
            assert_eq!(token, expected, "{backend}: message {i}, {} bytes", messages[i].len());
        }
    }
}

fn counting(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + 3) as u8).collect()
}

/// RFC 4231, section 4: (key, data, HMAC-SHA-256); case 5 is given there cut to 128 bits.
#[test]
fn every_backend_meets_rfc_4231() {
    let one_to_25: Vec<u8> = (1..=25).collect();
    let long_data = b"This is a test using a larger than block-size key and a larger than block-size data. \
                      The key needs to be hashed before being used by the HMAC algorithm.";
    let cases: [(&[u8], &[u8], &str); 7] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (&one_to_25, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (&[0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (&[0xaa; 131], long_data, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ];
    for (key, data, expected) in cases {
        let expected = HEXLOWER.decode(expected.as_bytes()).unwrap();
        assert_eq!(HmacKey::new(key).sign(data)[..expected.len()], expected);
        for backend in Backend::available() {
            // alone, in a full group of sixteen, and in one more
            for count in if cfg!(miri) { vec![16] } else { vec![1, 16, 17] } {
                let offsets: Vec<i32> = (0..=count).map(|i| (i * data.len()) as i32).collect();
                let mut out = vec![[0; 32]; count];
                HmacKey::new(key).sign_many_with(backend, &offsets, &data.repeat(count), &mut out);
                for token in out {
                    assert_eq!(token[..expected.len()], expected, "{backend} x {count}");
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "safe code")]
fn one_equals_the_hmac_crate_at_every_key_and_message_length_around_the_blocks() {
    let bytes = counting(300);
    for key_len in [0, 1, 16, 32, 63, 64, 65, 130] {
        let key = HmacKey::new(&bytes[..key_len]);
        for len in 0..=bytes.len() {
            assert_eq!(key.sign(&bytes[..len]), oracle(&bytes[..key_len], &bytes[..len]), "{key_len} {len}");
        }
    }
}

#[test]
fn many_equal_the_hmac_crate_at_every_length_around_the_blocks() {
    let bytes = counting(300);
    let borders = [0, 1, 20, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 121, 127, 128, 129, 183, 184, 191, 192, 193];
    let lens = if cfg!(miri) { vec![55, 64] } else { (0..200).chain(borders).collect() };
    for len in lens {
        // a full group of sixteen, then five: nothing behind the last message, and its block or more
        let messages: Vec<&[u8]> = (0..if cfg!(miri) { 17 } else { 21 }).map(|i| &bytes[i..i + len]).collect();
        for behind in if cfg!(miri) { vec![0] } else { vec![0, 64] } {
            every_backend_meets_the_oracle(b"key", &messages, 3, behind);
        }
    }
}

#[test]
fn every_count_of_messages_is_signed() {
    let bytes = counting(300);
    let counts = if cfg!(miri) { vec![0, 1, 3, 17] } else { (0..=40).chain([255, 256, 257, 600]).collect() };
    for count in counts {
        let mixed: Vec<&[u8]> = (0..count).map(|i| &bytes[i % 50..i % 50 + i * i % 131]).collect();
        every_backend_meets_the_oracle(b"key", &mixed, 0, 0);
        let equal: Vec<&[u8]> = (0..count).map(|i| &bytes[i % 50..i % 50 + 20]).collect();
        every_backend_meets_the_oracle(b"key", &equal, 1, 9);
    }
}

#[test]
#[cfg_attr(miri, ignore = "megabytes")]
fn long_messages_are_signed_among_short_ones() {
    let bytes = counting((1 << 20) + 200);
    let longest = bytes.len();
    let mut lens = vec![20; MORE_THAN_A_WINDOW];
    for (i, len) in [(3, longest), (17, 1 << 20), (40, (1 << 20) + 1), (41, 5000), (42, 4990), (270, 70_000)] {
        lens[i] = len;
    }
    let messages: Vec<&[u8]> = lens.iter().map(|len| &bytes[longest - len..]).collect();
    every_backend_meets_the_oracle(b"key", &messages, 0, 0);
    // so many of different lengths that they share lanes
    let messages: Vec<&[u8]> = (0..64).map(|i| &bytes[..2500 + i * 29 % 640]).collect();
    every_backend_meets_the_oracle(b"key", &messages, 0, 0);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 1 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_batch_equals_the_hmac_crate(
        key in prop::collection::vec(any::<u8>(), 0..100),
        messages in prop::collection::vec(message(), 0..if cfg!(miri) { 18 } else { 70 }),
        before in 0_usize..70,
        behind in 0_usize..70,
    ) {
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        every_backend_meets_the_oracle(&key, &messages, before, behind);
    }
}

/// Mostly short, often just around the length from which a message takes a block more.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let len = prop_oneof![4 => 0_usize..55, 2 => 54_usize..66, 1 => 118_usize..130, 1 => 0_usize..700];
    len.prop_flat_map(|len| prop::collection::vec(any::<u8>(), len))
}

#[test]
fn many_equals_one_by_one_from_an_offset_that_is_not_zero() {
    let key = HmacKey::new(b"key");
    let values: Vec<u8> = (0..=255).collect();
    let offsets = [5, 5, 60, 61, 189, 256];
    let mut out = [[0; 32]; 5];
    key.sign_many(&offsets, &values, &mut out);
    for (i, token) in out.iter().enumerate() {
        assert_eq!(*token, key.sign(&values[offsets[i] as usize..offsets[i + 1] as usize]));
    }
    key.sign_many(&[7], &values, &mut []);
}

#[test]
#[should_panic(expected = "one longer")]
fn fail_offsets_and_outputs_that_disagree() {
    HmacKey::new(b"key").sign_many(&[0, 1], b"ab", &mut [[0; 32]; 2]);
}

#[test]
fn fail_offsets_that_are_negative_decrease_or_lead_out_of_the_values() {
    let key = HmacKey::new(b"key");
    for backend in Backend::available() {
        for offsets in [[-1, 1, 2], [0, -1, 2], [0, 2, 1], [3, 2, 2], [0, 1, 5], [5, 5, 5], [i32::MIN, 0, 1]] {
            let mut out = [[0; 32]; 2];
            let signed = catch_unwind(AssertUnwindSafe(|| key.sign_many_with(backend, &offsets, b"abcd", &mut out)));
            let message = *signed.expect_err(&format!("{backend} {offsets:?}")).downcast::<String>().unwrap();
            assert!(message.contains("range") || message.contains("slice index"), "{backend} {offsets:?}: {message}");
        }
    }
}

#[test]
fn fail_a_backend_that_the_processor_lacks() {
    for backend in Backend::ALL.into_iter().filter(|backend| !backend.is_available()) {
        let sign = || HmacKey::new(b"key").sign_many_with(backend, &[0, 1], b"a", &mut [[0; 32]]);
        assert!(catch_unwind(sign).is_err(), "{backend}");
    }
    assert!(Backend::Portable.is_available());
    assert!(Backend::fastest().is_available());
}
