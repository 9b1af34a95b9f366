//! The declarative side of the transforms: what a policy may say about a column, apart from the code that does it.
//!
//! One variant of [`TransformSpec`] for each transform, and one struct, which lies in the family's own file. The
//! documentation of each struct becomes its description in the policy's JSON Schema, so it states formula, accepted
//! types, result type, an example, and whether the transform is deterministic and reversible. A law of all of them:
//! null stays null.

mod domain;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::date_shift::DateShiftSpec;
pub use super::email::EmailSpec;
pub use super::encrypt::EncryptSpec;
use super::family::Family;
pub use super::fpe::FpeSpec;
pub use super::generalize::GeneralizeSpec;
pub use super::hash::{HashAlgorithm, HashSpec};
pub use super::ip::{IpSpec, PortRule, PrefixPreservingSpec, TruncateSpec, ZoneRule};
pub use super::mask::MaskSpec;
pub use super::noise::NoiseSpec;
pub use super::nullify::NullifySpec;
pub use super::pseudonym::PseudonymSpec;
pub use super::random::RandomSpec;
pub use super::redact::RedactSpec;
pub use super::rekeyable::RekeyableSpec;
pub use super::scrub::ScrubSpec;
pub use super::surrogate::SurrogateSpec;
pub use domain::{DomainError, DomainPart, DomainTemplate};

macro_rules! transforms {
    ($($(#[doc = $doc:literal])+ $variant:ident($spec:ty) = $name:literal,)+) => {
        /// What happens to a column: exactly one of these in each rule.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum TransformSpec {
            $($(#[doc = $doc])+ $variant($spec),)+
        }

        impl TransformSpec {
            /// The words of all transforms, in the order of the enum, as a policy writes them.
            pub fn names() -> &'static [&'static str] {
                &[$($name),+]
            }

            /// The word of this transform, as a policy writes it.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)+
                }
            }

            /// What its family tells of it; `None` where no values are transformed.
            pub fn family(&self) -> Option<&dyn Family> {
                match self {
                    $(Self::$variant(spec) => AsFamily::as_family(spec),)+
                }
            }
        }
    };
}

transforms! {
    /// The column passes through unchanged.
    Keep(KeepSpec) = "keep",
    /// The column is left out of the output.
    Drop(DropSpec) = "drop",
    /// Keyed one-way token.
    Pseudonym(PseudonymSpec) = "pseudonym",
    /// Keyed token that who holds the key can decrypt.
    Encrypt(EncryptSpec) = "encrypt",
    /// Keyed one-way token that can be moved to another key.
    Rekeyable(RekeyableSpec) = "rekeyable",
    /// Keyed encryption into a value of the same form.
    Fpe(FpeSpec) = "fpe",
    /// IP addresses cut to networks, or encrypted with common prefixes kept.
    Ip(IpSpec) = "ip",
    /// An e-mail address with its local part pseudonymized.
    Email(EmailSpec) = "email",
    /// A realistic value of a word list.
    Surrogate(SurrogateSpec) = "surrogate",
    /// Date moved by a secret number of days.
    DateShift(DateShiftSpec) = "date_shift",
    /// A coarser value that many share.
    Generalize(GeneralizeSpec) = "generalize",
    /// Keyed noise added to a number.
    Noise(NoiseSpec) = "noise",
    /// A random token of this run.
    Random(RandomSpec) = "random",
    /// Characters replaced by a mask character.
    Mask(MaskSpec) = "mask",
    /// Every value replaced by one constant.
    Redact(RedactSpec) = "redact",
    /// Every value replaced by null.
    Nullify(NullifySpec) = "nullify",
    /// Unkeyed digest.
    Hash(HashSpec) = "hash",
    /// What can be recognized in free text replaced.
    Scrub(ScrubSpec) = "scrub",
    /// A new column, computed from source columns.
    Derive(DeriveSpec) = "derive",
}

/// A spec seen as a family, if its word transforms values.
trait AsFamily {
    fn as_family(&self) -> Option<&dyn Family>;
}

impl<F: Family> AsFamily for F {
    fn as_family(&self) -> Option<&dyn Family> {
        Some(self)
    }
}

macro_rules! no_family {
    ($($spec:ty),+) => {$(
        impl AsFamily for $spec {
            fn as_family(&self) -> Option<&dyn Family> {
                None
            }
        }
    )+};
}

no_family!(KeepSpec, DropSpec, DeriveSpec);

impl TransformSpec {
    /// The transforms that need no options and may be written as a bare word: `email: drop`.
    pub const BARE: &'static [&'static str] = &["keep", "drop", "random", "nullify", "hash", "scrub"];

    /// Whether the steps before a transform (`normalize`, `empty`, `on_error`) have an effect on this one.
    ///
    /// They prepare the value that a transform reads or replaces; `keep` and `drop` touch no value, `nullify`
    /// gives null whatever it is handed, and `derive` reads its columns as they are.
    pub fn takes_value_options(&self) -> bool {
        self.family().is_some() && !matches!(self, TransformSpec::Nullify(_))
    }
}

/// Keeps the column as it is: values, type, encoding.
///
/// Formula: output = input. Accepted types: all. Result type: the same. Example: `42` stays `42`.
/// Deterministic, and nothing is hidden: the report lists kept columns as such.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepSpec {}

/// Leaves the column out of the output.
///
/// Accepted types: all. Result type: none, the output has no such column. Irreversible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropSpec {}

/// Where the tenant of a token comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantSpec {
    /// The source column that names each row's tenant; a null or empty tenant is an error of the value.
    #[schemars(length(min = 1))]
    pub column: String,
}

/// How a token is constructed from key and value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scheme {
    /// Subkeys by HKDF-SHA256 per purpose, domain and tenant; tokens by HMAC-SHA256.
    #[default]
    Lakeveil,
    /// HMAC-SHA256 under the secret itself, as `openssl dgst -hmac`, PostgreSQL's `hmac()` and others have it.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// kelora 2's `pseudonym(value, domain)`.
    Kelora,
}

impl Scheme {
    /// The word that a policy uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lakeveil => "lakeveil",
            Self::HmacSha256 => "hmac-sha256",
            Self::Kelora => "kelora",
        }
    }
}

/// Adds a column computed from the source's columns: the rule's key is the new column, its value a SQL expression.
///
/// Accepted types and result type: those of the expression. Example: `derive: "lower(country)"`.
/// Deterministic (volatile functions are refused); shows what its source columns hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DeriveSpec(#[schemars(length(min = 1))] pub String);
