//! The options of `scrub`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::kind::Kind;
use super::patterns::Pattern;
use super::search::Search;
use super::transform::{Replacement, Scrub, TOKEN_BITS};
use crate::transforms::Transform;
use crate::transforms::family::{BuildError, Context, Facts, Family, Fault, FaultKind, scope_faults};
use crate::transforms::normalize::{Region, UNICODE_VERSIONS};
use crate::transforms::spec::TenantSpec;

/// Replaces what can be recognized in free text, where it stands; the rest of the text stays as it is.
///
/// A search, not a proof: it finds what has a form of its own and misses names, postal addresses and all forms that it
/// does not know. What it leaves is still personal data.
/// Formula: each find becomes its label `<KIND>`, its mask, or the first 16 bytes of HMAC-SHA256(subkey(`pseudonym`,
/// domain, tenant), the find's bytes as they stand) in hexadecimal, which is the token of a `pseudonym` column of that
/// domain for a value written the same way. Finds that overlap are replaced as one.
/// Accepted types: text. Result type: the same. Example: `{ find: [email, ip] }` turns `ann@example.com at 192.0.2.1`
/// into `<EMAIL> at <IP>`. Deterministic; not reversible, but who holds the key can test guesses of pseudonyms. Check
/// digits are met by chance, most often by one number in ten: name the kinds that a column can hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrubSpec {
    /// Kinds to search for; all by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub find: Option<Vec<Kind>>,
    /// What stands in place of a find: `label` (default), `mask` or `pseudonym`, or a map from kinds and patterns to
    /// these; what the map does not name gets its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<Replacements>,
    /// Patterns of your own, by name: regular expressions of the crate `regex`, searched for besides the kinds. One of
    /// them wins where a kind claims the same characters. A pattern that can match long stretches can be slow.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub patterns: BTreeMap<String, String>,
    /// Regions, such as `DE`, whose telephone numbers are found as they are written there. Without, only numbers with
    /// `+` and North American ones with separators are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phone_regions: Vec<String>,
    /// Separates token spaces; with `pseudonym` only. May hold column names in braces, as that of `pseudonym`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub domain: Option<String>,
    /// Gives each tenant tokens of its own; with `pseudonym` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantSpec>,
}

/// What stands in place of finds: one for all, or one for each kind or pattern named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Replacements {
    /// The same for all.
    All(Replacement),
    /// By name; a label for the others.
    ByName(BTreeMap<String, Replacement>),
}

impl<'de> Deserialize<'de> for Replacements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ReplacementsVisitor;

        impl<'de> Visitor<'de> for ReplacementsVisitor {
            type Value = Replacements;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`label`, `mask` or `pseudonym`, or a map from kinds to these")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Replacements, E> {
                Replacement::deserialize(StrDeserializer::new(word)).map(Replacements::All)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Replacements, A::Error> {
                Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Replacements::ByName)
            }
        }

        deserializer.deserialize_any(ReplacementsVisitor)
    }
}

/// Of what finders find: a change that finds more or less is a new version.
pub const FINDERS_VERSION: &str = "1";

impl ScrubSpec {
    /// The kinds searched for, the default filled in.
    pub fn kinds(&self) -> &[Kind] {
        self.find.as_deref().unwrap_or(Kind::ALL)
    }

    /// What stands in place of a find of this name, the default filled in.
    pub fn replacement(&self, name: &str) -> Replacement {
        match &self.replace {
            None => Replacement::default(),
            Some(Replacements::All(replacement)) => *replacement,
            Some(Replacements::ByName(by_name)) => by_name.get(name).copied().unwrap_or_default(),
        }
    }

    /// Whether any find becomes a token.
    fn signs(&self) -> bool {
        let mut names = self.names();
        names.any(|name| self.replacement(name) == Replacement::Pseudonym)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.patterns.keys().map(String::as_str).chain(self.kinds().iter().map(|kind| kind.name()))
    }

    fn pattern_faults(&self) -> impl Iterator<Item = Fault> {
        self.patterns.iter().filter_map(|(name, regex)| {
            let message = Pattern::new(name, regex).err()?.to_string();
            let path = vec!["patterns".to_owned(), name.clone()];
            Some(Fault { kind: FaultKind::Pattern, path, message, hint: None })
        })
    }

    fn region_faults(&self) -> Vec<Fault> {
        let value = |message: String| Fault::of(FaultKind::Value, "phone_regions", message);
        let unknown = self.phone_regions.iter().filter(|code| Region::from_code(code).is_none());
        let mut faults: Vec<_> = unknown
            .map(|code| value(format!("no region `{code}`")).hint("two upper-case letters of ISO 3166-1, as `DE`"))
            .collect();
        if !self.phone_regions.is_empty() && !self.kinds().contains(&Kind::Phone) {
            faults
                .push(value("`find` does not name `phone`".to_owned()).hint("add `phone`, or remove `phone_regions`"));
        }
        faults
    }

    fn key_faults(&self) -> Vec<Fault> {
        if self.signs() {
            return match &self.domain {
                Some(domain) => scope_faults(domain, self.tenant.as_ref()),
                None => vec![
                    Fault::of(FaultKind::Missing, "", "`domain` is missing: finds are replaced by pseudonyms")
                        .hint("name the domain whose `pseudonym` columns the tokens join with, or one of their own"),
                ],
            };
        }
        let given = [("domain", self.domain.is_some()), ("tenant", self.tenant.is_some())];
        let unused = given.into_iter().filter(|(_, given)| *given).map(|(option, _)| {
            let message = format!("`{option}` has no effect: no find is replaced by a pseudonym");
            Fault::of(FaultKind::Value, option, message).hint(format!("remove `{option}`, or add `replace: pseudonym`"))
        });
        unused.collect()
    }
}

impl Family for ScrubSpec {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let find = |message: String| Fault::of(FaultKind::Value, "find", message);
        let mut seen = BTreeSet::new();
        faults.extend(
            self.kinds().iter().filter(|kind| !seen.insert(**kind)).map(|kind| find(format!("`{kind}` twice"))),
        );
        if self.names().next().is_none() {
            faults.push(find("nothing to find".to_owned()).hint("name kinds or patterns, or leave `find` out for all"));
        }
        if let Some(Replacements::ByName(by_name)) = &self.replace {
            let names: BTreeSet<&str> = self.names().collect();
            faults.extend(by_name.keys().filter(|name| !names.contains(name.as_str())).map(|name| Fault {
                kind: FaultKind::Value,
                path: vec!["replace".to_owned(), name.clone()],
                message: format!("`{name}` is not searched for"),
                hint: Some("add it to `find` or to `patterns`".to_owned()),
            }));
        }
        faults.extend(self.pattern_faults());
        faults.extend(self.region_faults());
        faults.extend(self.key_faults());
        faults
    }

    fn facts(&self) -> Facts<'_> {
        match &self.domain {
            Some(domain) if self.signs() => Facts { token_bits: Some(TOKEN_BITS), ..Facts::keyed(domain) },
            _ => Facts { keyed: self.signs(), ..Facts::COARSE },
        }
    }

    fn resolved(&self) -> Vec<(&'static str, serde_json::Value)> {
        let replace = self.replace.clone().unwrap_or(Replacements::All(Replacement::default()));
        vec![("find", json!(self.kinds())), ("replace", json!(replace))]
    }

    fn pins(&self) -> Result<BTreeMap<String, String>, BuildError> {
        let libraries = UNICODE_VERSIONS.iter().map(|&(name, version)| (name.to_owned(), version.to_owned()));
        Ok(libraries.chain([("scrub".to_owned(), FINDERS_VERSION.to_owned())]).collect())
    }

    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError> {
        let keys = match &self.domain {
            Some(domain) if self.signs() => Some(context.signer(domain, self.tenant.as_ref(), TOKEN_BITS)?),
            None if self.signs() => return Err(BuildError::Options("`domain` is missing".to_owned())),
            _ => None,
        };
        let patterns = self.patterns.iter().map(|(name, regex)| Pattern::new(name, regex)).collect::<Result<_, _>>();
        let patterns: Vec<_> = patterns.map_err(|error| BuildError::Options(error.to_string()))?;
        let regions = self.phone_regions.iter().map(|code| Region::from_code(code)).collect::<Option<_>>();
        let regions: Vec<_> = regions.ok_or_else(|| BuildError::Options("an unknown region".to_owned()))?;
        let search = Search::new(self.kinds(), patterns, regions);
        Ok(Box::new(Scrub::new(search, |name| self.replacement(name), keys)))
    }
}
