//! Floor 1: the keyring, and where it comes from.
//!
//! A keyring is a small JSON document of named keys ([`Keyring`] tells its shape). It is read from an environment
//! variable, a file or a command ([`KeyringSpec`]), and made and extended by [`new`].
//!
//! # What the state of a key means
//!
//! | state | new tokens | old tokens | how it got there |
//! |---|---|---|---|
//! | `active` | made with it wherever a policy names no key | read with it | there is exactly one; a new key starts so |
//! | `retired` | only where a policy names it (a pinned job, an earlier link of a chain) | read with it | a newer key took over |
//! | `compromised` | refused | read with it, to verify, and to move them to another key | somebody else may hold it: its tokens no longer protect |
//!
//! A key is never deleted while tokens made with it are still to be read. Deleting it is the erasure of the link
//! between those tokens and their values, and cannot be undone.

mod document;
mod error;
mod keyring;
mod material;
pub mod new;
mod problem;
pub mod source;
mod spec;
mod weak;
pub mod write;

pub use error::KeyError;
pub use keyring::{Key, KeyState, Keyring, Scheme};
pub use problem::{EntryProblem, SecretProblem, SpecProblem};
pub use source::KeyringSource;
pub use spec::{KeyringSpec, Permissions};
