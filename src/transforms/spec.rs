//! The declarative side of the transforms: what a policy may say about a column, apart from the code that does it.
//!
//! One variant of [`TransformSpec`] and one struct per transform. The documentation of each struct becomes its
//! description in the policy's JSON Schema, so it states formula, accepted types, result type, an example, and
//! whether the transform is deterministic and reversible. A law of all of them: null stays null.

mod domain;
#[cfg(test)]
mod tests;

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, IntoDeserializer};
use serde::{Deserialize, Serialize};

use crate::crypto::TokenEncoding;

pub use domain::{DomainError, DomainPart, DomainTemplate};

/// What happens to a column: exactly one of these in each rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TransformSpec {
    /// The column passes through unchanged.
    Keep(KeepSpec),
    /// The column is left out of the output.
    Drop(DropSpec),
    /// Keyed one-way token.
    Pseudonym(PseudonymSpec),
    /// Characters replaced by a mask character.
    Mask(MaskSpec),
    /// Every value replaced by one constant.
    Redact(RedactSpec),
    /// Every value replaced by null.
    Nullify(NullifySpec),
    /// Unkeyed digest.
    Hash(HashSpec),
    /// A new column, computed from source columns.
    Derive(DeriveSpec),
}

impl TransformSpec {
    /// The transforms that need no options and may be written as a bare word: `email: drop`.
    pub const BARE: &'static [&'static str] = &["keep", "drop", "nullify", "hash"];

    /// The words of all transforms, in the order of the enum, as a policy writes them.
    pub fn names() -> &'static [&'static str] {
        let unnamed: de::value::StrDeserializer<'_, VariantNames> = "".into_deserializer();
        TransformSpec::deserialize(unnamed).map_or_else(|VariantNames(names)| names, |_| &[])
    }

    /// The word of this transform, as a policy writes it.
    pub fn name(&self) -> &'static str {
        match self {
            TransformSpec::Keep(_) => "keep",
            TransformSpec::Drop(_) => "drop",
            TransformSpec::Pseudonym(_) => "pseudonym",
            TransformSpec::Mask(_) => "mask",
            TransformSpec::Redact(_) => "redact",
            TransformSpec::Nullify(_) => "nullify",
            TransformSpec::Hash(_) => "hash",
            TransformSpec::Derive(_) => "derive",
        }
    }

    /// Whether the steps before a transform (`normalize`, `empty`, `on_error`) have an effect on this one.
    ///
    /// They prepare the value that a transform reads or replaces; `keep` and `drop` touch no value, `nullify`
    /// gives null whatever it is handed, and `derive` reads its columns as they are.
    pub fn takes_value_options(&self) -> bool {
        !matches!(
            self,
            TransformSpec::Keep(_) | TransformSpec::Drop(_) | TransformSpec::Nullify(_) | TransformSpec::Derive(_)
        )
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

/// Replaces every value by a keyed token: equal values of one domain give equal tokens, in every file and run.
///
/// Formula: the first `bits`/8 bytes of HMAC-SHA256(subkey(`pseudonym`, domain, tenant), canonical bytes), RFC 2104.
/// Accepted types: text, binary, integers, decimals, booleans, dates, times, timestamps, and dictionaries of these;
/// floats are refused. Result type: text, or fixed-size binary with `encoding: binary`.
/// Example: `{ domain: users }` gives 32 hexadecimal digits such as `5f0c…`.
/// Deterministic under one key; not reversible, but who holds the key can test guesses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PseudonymSpec {
    /// Separates token spaces: columns that must join share a domain, all others have one of their own.
    ///
    /// May hold column names in braces, `users/{region}`, whose values become part of the domain row by row;
    /// a literal brace is doubled.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// Gives each tenant tokens of its own; without it the tenant is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
    /// Token length in bits, 64 to 256 in steps of 8; 128 by default. Under 96 only with `accept_collisions: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 64, max = 256), extend("multipleOf" = 8))]
    pub bits: Option<u16>,
    /// How the token's bytes are written; `hex` by default. `base64` is refused under the scheme `lakeveil`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<TokenEncoding>,
    /// Literal text before each token; not with `encoding: binary`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// How the token is constructed; `lakeveil` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<Scheme>,
    /// States that two values may share a token; required under 96 bits.
    #[serde(default)]
    pub accept_collisions: bool,
}

impl PseudonymSpec {
    /// Token length in bits where a policy names none.
    pub const DEFAULT_BITS: u16 = 128;
    /// Fewest bits that are taken without `accept_collisions: true`.
    pub const SAFE_BITS: u16 = 96;

    /// Token length in bits, the default filled in.
    pub fn bits(&self) -> u16 {
        self.bits.unwrap_or(Self::DEFAULT_BITS)
    }

    /// Encoding of the token, the default filled in.
    pub fn encoding(&self) -> TokenEncoding {
        self.encoding.unwrap_or_default()
    }
}

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
}

/// Replaces characters by a mask character, all but the first and last few.
///
/// Formula: each character (Unicode scalar value) but the first `keep_first` and last `keep_last` becomes `with`.
/// A value no longer than `keep_first + keep_last` is masked whole.
/// Accepted types: those of `pseudonym`, by their text, except binary. Result type: text.
/// Example: `{ keep_last: 2 }` turns `555-0142` into `******42`, with `keep_separators: true` into `***-**42`.
/// Deterministic, unkeyed, not reversible; the length and the kept characters stay visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskSpec {
    /// How many characters at the start stay; 0 by default.
    #[serde(default)]
    pub keep_first: u32,
    /// How many characters at the end stay; 0 by default.
    #[serde(default)]
    pub keep_last: u32,
    /// The mask character; `*` by default.
    #[serde(default = "MaskSpec::default_character")]
    pub with: char,
    /// Whether characters that are neither letters nor digits nor marks stay, uncounted; `false` by default.
    #[serde(default)]
    pub keep_separators: bool,
}

impl MaskSpec {
    fn default_character() -> char {
        '*'
    }
}

/// Replaces every value by one constant, written as the rule's value: `redact: "[removed]"`.
///
/// Formula: output = the constant. Accepted types: all. Result type: text.
/// Deterministic, not reversible; which rows are null stays visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RedactSpec(pub String);

/// Replaces every value by null; the column itself stays.
///
/// Formula: output = null. Accepted types: all. Result type: the same. Deterministic, not reversible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NullifySpec {}

/// Replaces every value by its unkeyed digest: anyone can test guesses, so a warning goes with it.
///
/// Formula: SHA-256(canonical bytes), FIPS 180-4. Accepted types: those of `pseudonym`.
/// Result type: text, or fixed-size binary with `encoding: binary`.
/// Example: `abc` becomes `ba7816bf…`. Deterministic under every key; for short or listed values
/// (telephone numbers, e-mail addresses) as good as reversible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashSpec {
    /// The digest; `sha256` by default.
    #[serde(default)]
    pub algorithm: HashAlgorithm,
    /// How the digest's bytes are written; `hex` by default, `uuid` and `base64` are refused.
    #[serde(default)]
    pub encoding: TokenEncoding,
}

/// An unkeyed digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-256, FIPS 180-4, 32 bytes.
    #[default]
    Sha256,
}

/// Adds a column computed from the source's columns: the rule's key is the new column, its value a SQL expression.
///
/// Accepted types and result type: those of the expression. Example: `derive: "lower(country)"`.
/// Deterministic (volatile functions are refused); shows what its source columns hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DeriveSpec(#[schemars(length(min = 1))] pub String);

/// An error type whose only use is to carry an enum's variant names out of its derived `Deserialize`.
#[derive(Debug)]
struct VariantNames(&'static [&'static str]);

impl fmt::Display for VariantNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no transform")
    }
}

impl std::error::Error for VariantNames {}

impl de::Error for VariantNames {
    fn custom<T: fmt::Display>(_: T) -> Self {
        VariantNames(&[])
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        VariantNames(expected)
    }
}
