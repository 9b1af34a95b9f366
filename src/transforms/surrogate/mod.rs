//! Realistic replacements from named, versioned word lists: TOKENS.md section 3, `surrogate`.

mod draw;
pub mod fold;
pub mod lists;
pub mod pattern;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::family::{BuildError, Context, Facts, Family, Fault, FaultKind, scope_faults};
use super::keyed::{Keyed, NO_COMPANION};
use super::spec::TenantSpec;
use super::texts::texts_of_bytes;
use super::{Transform, TransformError, Transformed, Values, require_canonical, text_like};
use crate::arrays::failure::Failures;
use crate::crypto::HmacKey;
use draw::{Drawer, Scratch};
use lists::{LISTS, List};

/// The purpose under which subkeys of this family are derived.
pub const PURPOSE: &str = "surrogate";

/// Replaces every value by a realistic one of a word list: a name by a name, an address by an address.
///
/// Formula: entry number `w mod n` of the list's n entries, counted from 0, where w is the first of the big-endian
/// 64-bit words of HMAC-SHA256(subkey(`surrogate`, domain, tenant), frame(`LIST.LOCALE@VERSION`) || frame(canonical
/// bytes) || be32(i)), i = 0, 1, …, that is below floor(2^64 / n) · n. `full_name`, `email`, `street_address` and
/// `company` are put together from entries of other lists, each drawn for the same value as if it stood alone: a
/// value's `full_name` is its `given_name`, a space, its `family_name`.
/// E-mail addresses are at domains reserved for examples (RFC 2606), telephone numbers in ranges reserved for fiction.
/// Accepted types: those of `pseudonym`. Result type: text.
/// Example: `{ list: full_name, locale: fr_FR, domain: patients }` gives `Jules Fontaine` for every equal value.
/// Deterministic under one key; many values share a surrogate, so it is no join key, counts of distinct values shrink,
/// and by chance (1 in n) a value's surrogate is the value itself. Not reversible; who holds the key can rule out
/// guesses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurrogateSpec {
    /// What a replacement is.
    pub list: SurrogateKind,
    /// Of which country and language.
    pub locale: Locale,
    /// Version of the list; 1 by default, whatever newer ones there are, so that outputs stay as they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub version: Option<u16>,
    /// Separates columns whose equal values must not show as equal surrogates; may hold column names in braces.
    #[schemars(length(min = 1))]
    pub domain: String,
    /// Gives each tenant surrogates of its own; without it the tenant is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
}

macro_rules! words {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Every one, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word that a policy uses.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

words! {
    /// What a surrogate is.
    SurrogateKind {
        /// A given name: `Julia`.
        GivenName = "given_name",
        /// A family name: `Fontaine`.
        FamilyName = "family_name",
        /// Given and family name.
        FullName = "full_name",
        /// An e-mail address at a domain reserved for examples: `julia.fontaine07@example.org`.
        Email = "email",
        /// A telephone number reserved for fiction.
        Phone = "phone",
        /// The name of a street that many towns have.
        Street = "street",
        /// Such a street with a house number.
        StreetAddress = "street_address",
        /// A town that exists.
        City = "city",
        /// An invented company.
        Company = "company",
    }
}

words! {
    /// Language and country of a list, as POSIX writes it.
    Locale {
        /// German, Germany.
        DeDe = "de_DE",
        /// English, Australia: telephone numbers only.
        EnAu = "en_AU",
        /// English, Canada: telephone numbers only.
        EnCa = "en_CA",
        /// English, United Kingdom.
        EnGb = "en_GB",
        /// English, United States.
        EnUs = "en_US",
        /// Spanish, Spain: without telephone numbers, of which no range is reserved for fiction there.
        EsEs = "es_ES",
        /// French, France.
        FrFr = "fr_FR",
        /// Italian, Italy: without telephone numbers, as `es_ES`.
        ItIt = "it_IT",
        /// Polish, Poland: without telephone numbers, as `es_ES`.
        PlPl = "pl_PL",
        /// Swedish, Sweden: telephone numbers only.
        SvSe = "sv_SE",
    }
}

impl SurrogateSpec {
    /// Version of the list, the default filled in.
    pub fn version(&self) -> u16 {
        self.version.unwrap_or(1)
    }

    fn id(&self) -> String {
        format!("{}.{}", self.list.name(), self.locale.name())
    }

    fn drawer(&self) -> Result<Drawer, BuildError> {
        let id = self.id();
        let missing = || BuildError::Options(format!("there is no list {id} of version {}", self.version()));
        List::find(&id, self.version()).and_then(Drawer::new).ok_or_else(missing)
    }
}

impl Family for SurrogateSpec {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = scope_faults(&self.domain, self.tenant.as_ref());
        let (id, kind) = (self.id(), self.list.name());
        let versions: Vec<_> = LISTS.iter().filter(|list| list.id == id).map(|list| list.version.to_string()).collect();
        if versions.is_empty() {
            let locales: Vec<_> = (Locale::ALL.iter().map(|locale| locale.name()))
                .filter(|locale| LISTS.iter().any(|list| list.id.split_once('.') == Some((kind, locale))))
                .collect();
            let message = format!("there is no list `{kind}` for {}", self.locale.name());
            let hint = format!("there is one for {}", locales.join(", "));
            faults.push(Fault::of(FaultKind::Value, "locale", message).hint(hint));
        } else if !versions.contains(&self.version().to_string()) {
            let message = format!("the list {id} has no version {}", self.version());
            let hint = format!("it has {}", versions.join(", "));
            faults.push(Fault::of(FaultKind::Value, "version", message).hint(hint));
        }
        faults
    }

    fn facts(&self) -> Facts<'_> {
        Facts::keyed(&self.domain)
    }

    fn resolved(&self) -> Vec<(&'static str, serde_json::Value)> {
        vec![("version", self.version().into())]
    }

    fn pins(&self) -> Result<BTreeMap<String, String>, BuildError> {
        Ok(self.drawer()?.lists().map(|list| (list.name(), list.sha256.to_owned())).collect())
    }

    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        let drawer = self.drawer()?;
        let make = |subkey: &[u8]| Ok(HmacKey::new(subkey));
        let keys = context.keyed(PURPOSE, &self.domain, self.tenant.as_ref(), 32, make)?;
        Ok(Box::new(Surrogate { keys, drawer }))
    }
}

/// Entries of a word list, chosen by key and value.
#[derive(Debug)]
struct Surrogate {
    keys: Keyed<HmacKey>,
    drawer: Drawer,
}

impl Transform for Surrogate {
    fn name(&self) -> &'static str {
        "surrogate"
    }

    fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        require_canonical(input)?;
        Ok(text_like(input))
    }

    fn apply(&self, values: &Values<'_>) -> Result<Transformed, TransformError> {
        let mut failures = Failures::default();
        let keys = self.keys.of_rows(values.canonical, values.companions, &mut failures)?;
        let mut scratch = Scratch::default();
        texts_of_bytes(values.canonical, |row, value, out| {
            let key = keys.get(row).ok_or(NO_COMPANION)?;
            self.drawer.push(key, value, &mut scratch, out);
            Ok(())
        })
    }
}
