//! `normalize`: spellings of one identifier made one, before it is transformed.
//!
//! Steps are applied in the order written. Each is a pure function of the text, the same on every machine and under
//! every compiler: [`UNICODE_VERSIONS`] names all data it rests on. A value that a step cannot read, or that a step
//! other than `trim` emptied, is an error of the value. A value that was empty before a step was not emptied by it and
//! stays empty, but it is neither an e-mail address nor a telephone number.
//!
//! ```
//! use lakeveil::transforms::normalize::{Normalizer, Scratch, Step};
//!
//! let normalizer = Normalizer::new(vec![Step::Trim, Step::Nfkc, Step::Lowercase]);
//! let mut scratch = Scratch::default();
//! assert_eq!(normalizer.apply(" \u{FF21}nna@Example.com ", &mut scratch)?, "anna@example.com");
//! # Ok::<(), lakeveil::transforms::normalize::NormalizeError>(())
//! ```
mod e164;
mod email;
mod step;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;
use std::ops::Range;

pub use e164::Region;
pub use step::{Step, StepParseError};
pub(super) use text::is_alphanumeric;

/// Crate and version of everything that decides what a step gives, sorted: part of the policy digest and the report.
///
/// Unicode 18.0.0, libphonenumber metadata 9.0.42.
pub const UNICODE_VERSIONS: &[(&str, &str)] = &[
    ("icu_casemap", "2.4.0"),
    ("icu_casemap_data", "2.4.0"),
    ("icu_normalizer", "2.4.0"),
    ("icu_normalizer_data", "2.4.0"),
    ("icu_properties", "2.4.0"),
    ("icu_properties_data", "2.4.0"),
    ("idna", "1.1.0"),
    ("idna_adapter", "1.2.2"),
    ("rlibphonenumber", "2.2.15"),
    ("rlibphonenumber_macro", "0.2.1"),
    ("uniprops-gen", "0.3.5"),
];

/// A list of steps, ready to be applied to many values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Normalizer {
    steps: Vec<Step>,
}

/// The buffers of one thread, kept from value to value so that none is allocated for each.
///
/// Holds remains of the values it was used on; its `Debug` does not show them.
#[derive(Default)]
pub struct Scratch {
    front: String,
    back: String,
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// What a step made of its source.
enum Change {
    /// The source is the result.
    Nothing,
    /// These bytes of the source are the result.
    Part(Range<usize>),
    /// The output buffer holds the result.
    Written,
}

impl Normalizer {
    /// A normalizer that applies `steps` in order; without any it gives every value back as it is.
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// The steps, in the order of their application.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The value after all steps: a part of `value` itself where nothing else was needed, else of `scratch`.
    ///
    /// Allocates only until the buffers have grown to the longest value, `e164` excepted.
    ///
    /// # Errors
    /// The first step that could not read the value or left nothing of it, see [`Reason`].
    pub fn apply<'a>(&self, value: &'a str, scratch: &'a mut Scratch) -> Result<&'a str, NormalizeError> {
        let Scratch { front, back } = scratch;
        let mut written = false;
        let mut range = 0..value.len();
        for &step in &self.steps {
            let source = if written { &front[range.clone()] } else { &value[range.clone()] };
            let was_empty = source.is_empty();
            back.clear();
            match run(step, source, back).map_err(|reason| NormalizeError { step, reason })? {
                Change::Nothing => {}
                Change::Part(part) => range = range.start + part.start..range.start + part.end,
                Change::Written => {
                    std::mem::swap(front, back);
                    written = true;
                    range = 0..front.len();
                }
            }
            if range.is_empty() && !was_empty && step != Step::Trim {
                return Err(NormalizeError { step, reason: Reason::Emptied });
            }
        }
        Ok(if written { &front[range] } else { &value[range] })
    }
}

/// Applies one step; `out` comes empty.
fn run(step: Step, source: &str, out: &mut String) -> Result<Change, Reason> {
    Ok(match step {
        Step::Trim => text::trim(source),
        Step::CollapseWhitespace => text::collapse_whitespace(source, out),
        Step::Lowercase => text::lowercase(source, out),
        Step::Uppercase => text::uppercase(source, out),
        Step::Casefold => text::casefold(source, out),
        Step::Nfc => text::nfc(source, out),
        Step::Nfkc => text::nfkc(source, out),
        Step::Digits => text::digits(source, out),
        Step::Alphanumeric => text::alphanumeric(source, out),
        Step::Email => email::canonical(source, out)?,
        Step::E164(region) => e164::canonical(region, source, out)?,
    })
}

/// An error of the value: which step, and why, without the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("normalize step `{step}`: {reason}")]
pub struct NormalizeError {
    /// The step that failed.
    pub step: Step,
    /// What it found.
    pub reason: Reason,
}

/// Why a step failed on a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Nothing is left of a value that was not empty.
    #[error("nothing is left of the value; leave the step out or set `on_error`")]
    Emptied,
    /// No `@`.
    #[error("no `@` in the value, so it is no e-mail address")]
    EmailWithoutAt,
    /// Nothing before or nothing after the last `@`.
    #[error("nothing before or nothing after the last `@`")]
    EmailWithEmptySide,
    /// White space anywhere.
    #[error("white space in the e-mail address; for white space at the ends put `trim` before this step")]
    EmailWithWhiteSpace,
    /// UTS #46 refuses the domain.
    #[error("what follows the last `@` is no domain name by UTS #46")]
    EmailDomain,
    /// libphonenumber finds no number.
    #[error("the value is no telephone number, neither international nor of the region")]
    NoPhoneNumber,
}
