//! `scrub`: what can be recognized in free text, replaced where it stands.
//!
//! A search, not a proof: it finds what has a form of its own (an `@`, a check digit, a prefix) and misses names,
//! addresses, spelled-out numbers, typing errors and all forms that it does not know. A text without finds passes as it
//! is. What stays is still personal data.
//!
//! One pass over each value: `scan` looks at each byte once and stops at those that may be a part of something
//! (a digit, `@`, `:`, `+`, a rare byte of a key's prefix); finders look round these. Time is linear in the length of
//! the value, but for patterns of the policy's own, which are searched one after the other.
//!
//! What holds for all finders:
//! - digits are ASCII 0 to 9, and an identifier next to a letter of ASCII or a digit is part of something longer;
//!   other characters, those of other scripts among them, end it;
//! - between groups of digits stands one separator: a space (U+00A0 and U+202F too), a hyphen (U+2010 to U+2013 too),
//!   a dot, where the identifier is written so; groups that a hyphen, dot or slash joins to further digits are none;
//! - finds that overlap are replaced as one: the first and longest names the whole, and nothing of the others stays.
//!
//! | file | holds |
//! |---|---|
//! | `kind` | the kinds, where each comes from, how often one passes by chance |
//! | `scan` | the pass, and what becomes of finds that overlap |
//! | `groups` | digits in groups |
//! | `national`, `lettered` | national identifiers; IBAN and others that begin with letters |
//! | [`checksums`] | check digits |
//! | `card`, `email`, `ip`, `phone`, `secrets` | the other kinds |
//! | `patterns` | the policy's own |
//! | `search` | all of them together |
//! | `transform` | what stands in place of a find |
//! | `spec` | the options of a policy |

mod card;
pub mod checksums;
mod email;
mod groups;
mod ip;
mod kind;
mod lettered;
mod national;
mod patterns;
mod phone;
mod scan;
mod search;
mod secrets;
mod spec;
#[cfg(test)]
mod tests;
mod transform;

pub use kind::Kind;
pub use patterns::{Pattern, PatternError};
pub use search::Search;
pub use spec::{FINDERS_VERSION, Replacements, ScrubSpec};
pub use transform::{Replacement, Scrub};
