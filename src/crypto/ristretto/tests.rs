use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::traits::Identity;
use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::crypto::vectors::{cases_of, unhex};
use crate::crypto::{Secret, TokenEncoding, subkey};

#[derive(Debug, Deserialize)]
struct Space {
    root_hex: String,
    domain: String,
    tenant: String,
}

impl Space {
    fn key(&self) -> RekeyableKey {
        let root = Secret::new(unhex(&self.root_hex));
        RekeyableKey::from_subkey(subkey(&root, "rekeyable", &self.domain, &self.tenant, 64).expose()).unwrap()
    }
}

#[derive(Debug, Deserialize)]
struct Token {
    #[serde(flatten)]
    space: Space,
    canonical_utf8: String,
    encoding: String,
    token: String,
}

#[derive(Debug, Deserialize)]
struct Move {
    old: Space,
    new: Space,
    delta_hex: String,
    canonical_utf8: String,
    old_token_hex: String,
    new_token_hex: String,
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    unhex(hex).try_into().unwrap()
}

fn key(bytes: [u8; 64]) -> RekeyableKey {
    RekeyableKey::from_subkey(&bytes).unwrap()
}

#[test]
fn multiples_of_the_generator_meet_rfc_9496_appendix_a_1() {
    #[derive(Debug, Deserialize)]
    struct Multiple {
        factor: u64,
        hex: String,
    }
    let cases = cases_of::<Multiple>("rfc9496.json", "multiples");
    assert_eq!(cases.len(), 16);
    for case in cases {
        let expected: [u8; 32] = array(&case.hex);
        let made = match Half::of(Scalar::from(case.factor)) {
            Some(half) => half.multiply([RISTRETTO_BASEPOINT_POINT].into_iter())[0],
            None => RistrettoPoint::identity().compress().to_bytes(),
        };
        assert_eq!(made, expected, "{case:?}");
        assert_eq!(decode(&expected).is_ok(), case.factor != 0, "{case:?}");
    }
}

#[test]
fn fail_invalid_encodings_of_rfc_9496_appendix_a_2_are_no_tokens() {
    #[derive(Debug, Deserialize)]
    struct Invalid {
        reason: String,
        hex: String,
    }
    let delta = Delta::between(&key([1; 64]), &key([2; 64]));
    let cases = cases_of::<Invalid>("rfc9496.json", "invalid");
    assert_eq!(cases.len(), 29);
    for case in cases {
        assert_eq!(delta.rekey(&unhex(&case.hex)), Err(RekeyError::Token), "{} {}", case.reason, case.hex);
    }
}

#[test]
fn elements_of_uniform_bytes_meet_rfc_9496_appendix_a_3() {
    #[derive(Debug, Deserialize)]
    struct Uniform {
        bytes_hex: String,
        hex: String,
    }
    let cases = cases_of::<Uniform>("rfc9496.json", "uniform");
    assert_eq!(cases.len(), 11);
    for case in cases {
        let element = RistrettoPoint::from_uniform_bytes(&array(&case.bytes_hex));
        assert_eq!(element.compress().to_bytes(), array(&case.hex), "{case:?}");
    }
}

#[test]
fn tokens_meet_the_known_answers_one_by_one_and_all_at_once() {
    let cases = cases_of::<Token>("rekeyable-v1.json", "tokens");
    for case in &cases {
        let token = case.space.key().token(case.canonical_utf8.as_bytes());
        let encoding: TokenEncoding = case.encoding.parse().unwrap();
        let written = match encoding {
            TokenEncoding::Binary => TokenEncoding::Hex,
            text => text,
        };
        let mut text = vec![0; written.encoded_len(TOKEN_BYTES)];
        written.encode_into(&token, &mut text);
        assert_eq!(text, case.token.as_bytes(), "{case:?}");
        let again = case.space.key().tokens([case.canonical_utf8.as_bytes(), b"another"]);
        assert_eq!(again[0], token, "{case:?}");
    }
}

#[test]
fn moved_tokens_meet_the_known_answers() {
    for case in cases_of::<Move>("rekeyable-v1.json", "moves") {
        let (old, new) = (case.old.key(), case.new.key());
        let (before, after): ([u8; 32], [u8; 32]) = (array(&case.old_token_hex), array(&case.new_token_hex));
        assert_eq!(old.token(case.canonical_utf8.as_bytes()), before, "{case:?}");
        assert_eq!(new.token(case.canonical_utf8.as_bytes()), after, "{case:?}");
        let delta = Delta::between(&old, &new);
        assert_eq!(*delta.to_bytes(), array(&case.delta_hex), "{case:?}");
        assert_eq!(delta.rekey(&before), Ok(after), "{case:?}");
        assert_eq!(Delta::from_bytes(&array(&case.delta_hex)).unwrap().rekey(&before), Ok(after), "{case:?}");
        assert_eq!(Delta::between(&new, &old).rekey(&after), Ok(before), "{case:?}");
    }
}

#[test]
fn fail_a_subkey_that_is_zero_modulo_the_order_is_no_key() {
    let zeros = cases_of::<String>("rekeyable-v1.json", "zero_subkeys_hex");
    assert_eq!(zeros.len(), 3);
    for zero in zeros {
        let made = RekeyableKey::from_subkey(&unhex(&zero));
        assert_eq!(made.map(|_| ()), Err(RekeyError::ZeroKey), "{zero}");
    }
    for len in [0, 32, 63, 65] {
        let made = RekeyableKey::from_subkey(&vec![1; len]);
        assert_eq!(made.map(|_| ()), Err(RekeyError::SubkeyLength), "{len}");
    }
}

#[test]
fn fail_a_delta_that_is_zero_or_not_reduced_is_refused() {
    let order = cases_of::<String>("rekeyable-v1.json", "zero_subkeys_hex")[1].clone();
    for bytes in [[0; 32], array(&order[..64]), [255; 32]] {
        assert_eq!(Delta::from_bytes(&bytes).map(|_| ()), Err(RekeyError::Delta), "{bytes:?}");
    }
}

#[test]
fn fail_bad_tokens_among_good_ones_fail_alone() {
    let (old, new) = (key([3; 64]), key([4; 64]));
    let good = old.tokens([b"a".as_slice(), b"b"]);
    let identity = [0; 32];
    let tokens: [&[u8]; 7] = [&identity, &good[0], &good[0][..31], b"", &[1; 32], &good[1], &[0; 33]];
    let moved = Delta::between(&old, &new).rekey_many(tokens);
    let (length, token) = (Err(RekeyError::TokenLength), Err(RekeyError::Token));
    assert_eq!(moved, [token, Ok(new.token(b"a")), length, length, token, Ok(new.token(b"b")), length]);
    assert_eq!(Delta::between(&old, &new).rekey_many([]), []);
    assert_eq!(old.tokens([]), [[0; 32]; 0]);
}

#[test]
fn debug_shows_no_key_and_no_delta() {
    let (old, new) = (key([5; 64]), key([6; 64]));
    let text = format!("{old:?} {:#?}", Delta::between(&old, &new));
    assert_eq!(text, "RekeyableKey(redacted) Delta(redacted)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn moving_a_token_gives_the_other_keys_token(
        old in any::<[u8; 32]>(),
        new in any::<[u8; 32]>(),
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..8),
    ) {
        let [old, new] = [old, new].map(|half| key([half, half].concat().try_into().unwrap()));
        let delta = Delta::between(&old, &new);
        let tokens = old.tokens(messages.iter().map(Vec::as_slice));
        let expected: Vec<_> = messages.iter().map(|message| Ok(new.token(message))).collect();
        prop_assert_eq!(delta.rekey_many(tokens.iter().map(|token| token.as_slice())), expected);
    }
}
