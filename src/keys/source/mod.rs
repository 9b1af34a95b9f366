//! Where a keyring comes from: one file for each kind of source, behind [`KeyringSource`].

mod command;
mod env;
mod file;

use std::io::{self, Read};

use zeroize::Zeroizing;

use super::KeyError;
use crate::crypto::Secret;

pub use command::CommandSource;
pub use env::EnvSource;
pub use file::FileSource;

/// The longest document that is read, far above any keyring: a wrong path does not fill the memory.
pub(super) const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// A place that holds a keyring document or a bare secret.
pub trait KeyringSource: Send + Sync {
    /// The source in words, for messages. Nothing in it is secret.
    fn describe(&self) -> String;

    /// The document, unparsed.
    ///
    /// # Errors
    /// Whatever keeps it from being read. An error never repeats anything of the document.
    fn load(&self) -> Result<Secret, KeyError>;
}

/// Reads to the end, into one buffer that never moves and so leaves no copy behind; `None` if there is more than
/// [`MAX_DOCUMENT_BYTES`].
fn read_capped(mut reader: impl Read) -> io::Result<Option<Secret>> {
    let mut buffer = Zeroizing::new(vec![0; MAX_DOCUMENT_BYTES + 1]);
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => {
                buffer.truncate(filled);
                return Ok(Some(Secret::new(buffer)));
            }
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_the_longest_length_is_read_and_one_byte_more_is_not() {
        let bytes = vec![b'a'; MAX_DOCUMENT_BYTES + 1];
        let whole = read_capped(&bytes[1..]).unwrap().map(|secret| secret.expose().len());
        assert_eq!(whole, Some(MAX_DOCUMENT_BYTES));
        assert!(read_capped(&bytes[..]).unwrap().is_none());
    }

    #[test]
    fn a_document_that_comes_in_pieces_is_read_whole() {
        let pieces = b"one ".chain(&b""[..]).chain(&b"two"[..]);
        assert_eq!(read_capped(pieces).unwrap().unwrap().expose(), b"one two");
    }
}
