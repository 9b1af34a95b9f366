//! Keyed hashes of object paths: how records name inputs, and file names under `names: hash`.

use data_encoding::HEXLOWER;

use super::{HmacKey, Secret, subkey};

/// The purpose of the subkey that path digests are made with.
pub const PURPOSE: &str = "path";

/// Bytes of the HMAC that a path digest shows.
const DIGEST_BYTES: usize = 16;

/// The key of one dataset's path digests, derived once for many paths.
#[derive(Debug, Clone)]
pub struct PathKey(HmacKey);

impl PathKey {
    /// `subkey(root, "path", dataset, "", 32)`.
    pub fn new(root: &Secret, dataset: &str) -> Self {
        Self::from_subkey(&subkey(root, PURPOSE, dataset, "", 32))
    }

    /// From that subkey, for those who hold no root.
    pub fn from_subkey(subkey: &Secret) -> Self {
        Self(HmacKey::new(subkey.expose()))
    }

    /// `hex(HMAC-SHA256[subkey](path)[..16])`.
    pub fn digest(&self, path: &str) -> String {
        HEXLOWER.encode(&self.0.sign(path.as_bytes())[..DIGEST_BYTES])
    }
}

/// `hex(HMAC-SHA256[subkey("path", dataset, "")](path)[..16])`: 32 lower-case hexadecimal digits.
///
/// For more than one path of a dataset make a [`PathKey`] once.
pub fn path_digest(root: &Secret, dataset: &str, path: &str) -> String {
    PathKey::new(root, dataset).digest(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::vectors;

    #[test]
    fn path_digests_meet_the_known_answers() {
        for case in vectors::cases::<vectors::PathDigest>("path") {
            assert_eq!(path_digest(&case.root(), &case.dataset, &case.path), case.hex, "{case:?}");
        }
    }
}
