//! Every step over every Unicode scalar value: an update of a crate that changes one output fails here.
use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::super::{Normalizer, Scratch, Step, UNICODE_VERSIONS};
use super::vectors::VECTORS;

/// The values that stand for one character.
type Around = fn(char) -> [String; 2];

/// SHA-256 over be32(length) || UTF-8 of each output, ff ff ff ff for an error, of the values that `around` makes of
/// each character.
fn digest(step: &str, characters: impl Iterator<Item = char>, around: Around) -> String {
    let step: Step = step.parse().expect("a step of this test");
    let normalizer = Normalizer::new(vec![step]);
    let (mut state, mut scratch) = (Sha256::new(), Scratch::default());
    for value in characters.flat_map(around) {
        match normalizer.apply(&value, &mut scratch) {
            Ok(output) => {
                let length = u32::try_from(output.len()).expect("outputs of this test are short");
                state.update(length.to_be_bytes());
                state.update(output);
            }
            Err(_) => state.update([0xff; 4]),
        }
    }
    HEXLOWER.encode(&state.finalize())
}

fn alone_and_between_letters(c: char) -> [String; 2] {
    [c.to_string(), format!("a{c}b")]
}

fn in_local_part_and_domain(c: char) -> [String; 2] {
    [format!("{c}@example.com"), format!("a@b{c}d.example")]
}

fn alone_and_within_a_number(c: char) -> [String; 2] {
    [c.to_string(), format!("020{c}7946 0958")]
}

/// What each step gives now, for ever: a change here is a new token version.
const DIGESTS: [(&str, Around, &str); 11] = [
    ("trim", alone_and_between_letters, "e60f15a2796fefae7f274ba2b4264d7002a14c69fcca0d0d6f973000a0c7d664"),
    (
        "collapse_whitespace",
        alone_and_between_letters,
        "2cb81a82b7efd5f43b974f8e7a2de56762c0ac263f83f1e3e9b5bb4a11f820b3",
    ),
    ("lowercase", alone_and_between_letters, "401cfcd5accefd65b33971a5a0f698f2da34771813462b1e4ba92160e67dff67"),
    ("uppercase", alone_and_between_letters, "c9971513d9ef6cb4c01a09a895347450a8ae62ffe5a35d49617aa2fd691691dd"),
    ("casefold", alone_and_between_letters, "afcc780c2038106b70352f782830d0173b2697bde029a47cfeebd7fefabcfe32"),
    ("nfc", alone_and_between_letters, "bf7190aaa24a49a1222fcac2040850b12fdcd9b363718898cedfcf57cc900828"),
    ("nfkc", alone_and_between_letters, "b50223443455117124c8c11be9268fa3c0d0b268f5017d94389a00bd81c124eb"),
    ("digits", alone_and_between_letters, "f2582f627cf0fc5948f4b8e38c177725db0abe6277ff2212bbff91349b7282f7"),
    ("alphanumeric", alone_and_between_letters, "effb6ff3ca0993968415440381f831774cbea72533253117c6955f664e913c01"),
    ("email", in_local_part_and_domain, "1e4b4fd1828e2fc59f7738a27caa732a0ac0380899f7dd09e924543ca5d7e020"),
    ("e164(GB)", alone_and_within_a_number, "89ffb0fead745c3705de13255c28e383bddceb20207e4a2e53c51e849389124b"),
];

#[test]
fn every_step_over_all_of_unicode_is_pinned() {
    let ours: BTreeMap<_, _> =
        DIGESTS.par_iter().map(|&(step, around, _)| (step, digest(step, '\0'..=char::MAX, around))).collect();
    let pinned: BTreeMap<_, _> = DIGESTS.iter().map(|&(step, _, digest)| (step, digest.to_owned())).collect();
    assert_eq!(ours, pinned);
}

#[test]
fn the_pinned_digests_are_those_of_an_independent_implementation() {
    let theirs = &VECTORS.digests_over_all_scalar_values;
    assert_eq!(theirs.len(), 6);
    for (step, theirs) in theirs {
        let pinned = DIGESTS.iter().find(|(name, _, _)| name == step).map(|(_, _, digest)| *digest);
        assert_eq!(pinned, Some(theirs.as_str()), "{step}");
    }
}

#[test]
fn case_mappings_are_those_of_an_independent_implementation_where_its_unicode_is_as_new() {
    let ranges = &VECTORS.case_ranges;
    let characters = || ranges.iter().flat_map(|&(first, last)| (first..=last).filter_map(char::from_u32));
    assert!(characters().count() > 280_000);
    assert_eq!(VECTORS.digests_over_case_ranges.len(), 3);
    for (step, theirs) in &VECTORS.digests_over_case_ranges {
        assert_eq!(&digest(step, characters(), alone_and_between_letters), theirs, "{step}");
    }
}

#[test]
fn the_versions_named_are_those_of_the_lock_file() {
    let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock"));
    for (name, version) in UNICODE_VERSIONS.iter().chain(crate::transforms::DATA_VERSIONS) {
        let entries: Vec<_> =
            lock.split("[[package]]").filter(|entry| entry.contains(&format!("\nname = \"{name}\"\n"))).collect();
        assert_eq!(entries.len(), 1, "{name} stands in Cargo.lock once");
        assert!(entries[0].contains(&format!("\nversion = \"{version}\"\n")), "{name} {version}");
    }
    assert!(UNICODE_VERSIONS.is_sorted());
}

#[test]
fn the_versions_named_are_pinned_exactly() {
    let manifest = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    for (name, version) in UNICODE_VERSIONS.iter().chain(crate::transforms::DATA_VERSIONS) {
        let line = manifest.lines().find(|line| line.starts_with(&format!("{name} = ")));
        assert!(line.is_some_and(|line| line.contains(&format!("\"={version}\""))), "{name} {version}");
    }
}
