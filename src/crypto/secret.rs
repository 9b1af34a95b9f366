//! The type that key material lives in.

use std::fmt;

use zeroize::Zeroizing;

/// Key material, or a document that holds some.
///
/// - Its memory is zeroed when it is dropped.
/// - `Debug` tells the length and nothing else.
/// - It has no `Display`, no `PartialEq` and no serde: the bytes leave through [`Secret::expose`] alone.
///
/// ```
/// use lakeveil::crypto::Secret;
/// let secret = Secret::new(vec![7; 32]);
/// assert_eq!(format!("{secret:?}"), "[32 bytes redacted]");
/// ```
///
/// A secret cannot be printed:
///
/// ```compile_fail,E0277
/// use lakeveil::crypto::Secret;
/// println!("{}", Secret::new(vec![7; 32]));
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over. A `Vec` is moved, not copied, so that no second copy is left behind.
    pub fn new(bytes: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes themselves: the one door out, so that every use can be found by its name.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes redacted]", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_tells_the_length_alone_also_in_a_pretty_printed_container() {
        let held = Some(Secret::new(b"canary-canary-canary".to_vec()));
        let text = format!("{held:?} {held:#?}");
        assert!(!text.contains("canary") && !text.contains("99"), "{text}");
        assert!(text.starts_with("Some([20 bytes redacted])"), "{text}");
    }

    #[test]
    fn the_bytes_are_moved_not_copied() {
        let bytes = vec![1, 2, 3];
        let address = bytes.as_ptr();
        assert_eq!(Secret::new(bytes).expose().as_ptr(), address);
    }
}
