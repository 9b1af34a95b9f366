//! Which key a value is signed with: one for the column, or one for each tenant or templated domain.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, BinaryArray};

use super::TransformError;
use crate::arrays::failure::Failures;
use crate::crypto::lanes::HmacKey;
use crate::crypto::secret::Secret;

/// Something that derives subkeys (TOKENS.md section 1): a key of the keyring, or a partner's export.
pub trait SubkeySource: Send + Sync {
    /// The subkey of `purpose`, `domain` and `tenant`, `len` bytes long.
    ///
    /// # Errors
    /// Why this key does not serve the triple, without secrets.
    fn subkey(&self, purpose: &str, domain: &str, tenant: &str, len: usize) -> Result<Secret, String>;
}

/// A part of a domain: written in the policy, or taken from a companion column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainPart {
    /// Text of the policy.
    Literal(String),
    /// The value of the companion column at this position.
    Companion(usize),
}

/// The keys of one column.
#[derive(Clone)]
pub enum Subkeys {
    /// One key for every row.
    One(HmacKey),
    /// A key for each row's domain and tenant.
    PerRow(PerRow),
}

/// How to find a row's key.
#[derive(Clone)]
pub struct PerRow {
    /// Derives.
    pub source: Arc<dyn SubkeySource>,
    /// Family name of TOKENS.md section 3.
    pub purpose: &'static str,
    /// The domain's parts, in order.
    pub domain: Vec<DomainPart>,
    /// Companion column that holds the tenant.
    pub tenant: Option<usize>,
}

impl std::fmt::Debug for Subkeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::One(_) => "Subkeys::One(redacted)",
            Self::PerRow(_) => "Subkeys::PerRow(redacted)",
        })
    }
}

const NO_COMPANION: &str = "the tenant or domain column of its row is null, empty or not UTF-8";

impl PerRow {
    /// Signs each non-null value under its row's key; rows without one fail.
    pub(super) fn sign(
        &self,
        values: &BinaryArray,
        companions: &[BinaryArray],
        failures: &mut Failures,
    ) -> Result<Vec<[u8; 32]>, TransformError> {
        let mut keys: HashMap<Vec<u8>, HmacKey> = HashMap::new();
        let mut digests = vec![[0; 32]; values.len()];
        let mut lookup = Vec::new();
        for (row, digest) in digests.iter_mut().enumerate().filter(|(row, _)| values.is_valid(*row)) {
            let (Some(domain), Some(tenant)) = (self.domain_of(row, companions), self.tenant_of(row, companions))
            else {
                failures.push(row, NO_COMPANION);
                continue;
            };
            lookup.clear();
            lookup.extend_from_slice(&(domain.len() as u64).to_be_bytes());
            lookup.extend_from_slice(domain.as_bytes());
            lookup.extend_from_slice(tenant.as_bytes());
            if !keys.contains_key(&lookup) {
                let subkey = self.source.subkey(self.purpose, &domain, tenant, 32).map_err(TransformError::Key)?;
                keys.insert(lookup.clone(), HmacKey::new(subkey.expose()));
            }
            if let Some(key) = keys.get(&lookup) {
                *digest = key.sign(values.value(row));
            }
        }
        Ok(digests)
    }

    fn tenant_of<'a>(&self, row: usize, companions: &'a [BinaryArray]) -> Option<&'a str> {
        self.tenant.map_or(Some(""), |column| text(&companions[column], row))
    }

    fn domain_of<'a>(&'a self, row: usize, companions: &'a [BinaryArray]) -> Option<Cow<'a, str>> {
        if let [DomainPart::Literal(domain)] = self.domain.as_slice() {
            return Some(domain.into());
        }
        let mut domain = String::new();
        for part in &self.domain {
            match part {
                DomainPart::Literal(literal) => domain.push_str(literal),
                DomainPart::Companion(column) => {
                    domain.push_str(&text(&companions[*column], row)?.replace('%', "%25").replace('/', "%2F"));
                }
            }
        }
        Some(domain.into())
    }
}

fn text(column: &BinaryArray, row: usize) -> Option<&str> {
    let bytes = column.is_valid(row).then(|| column.value(row)).filter(|bytes| !bytes.is_empty())?;
    std::str::from_utf8(bytes).ok()
}
