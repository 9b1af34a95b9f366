//! Which key a value is signed with: one for the column, or one for each tenant or templated domain.

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

/// Values of one key that are signed at one go.
const GATHERED: usize = 4096;

/// A key, and the rows that are signed with it.
struct Signer {
    key: HmacKey,
    rows: Vec<usize>,
}

impl PerRow {
    /// Signs each non-null value under its row's key, the values of one key together; rows without one fail.
    pub(super) fn sign(
        &self,
        values: &BinaryArray,
        companions: &[BinaryArray],
        failures: &mut Failures,
    ) -> Result<Vec<[u8; 32]>, TransformError> {
        let mut digests = vec![[0; 32]; values.len()];
        let (mut offsets, mut gathered, mut signed) = (Vec::new(), Vec::new(), vec![[0; 32]; GATHERED]);
        for Signer { key, rows } in self.signers(values, companions, failures)? {
            for rows in rows.chunks(GATHERED) {
                offsets.clear();
                offsets.push(0);
                gathered.clear();
                for &row in rows {
                    gathered.extend_from_slice(values.value(row));
                    // a part of an array, whose own offsets are as wide
                    offsets.push(gathered.len() as i32);
                }
                let signed = &mut signed[..rows.len()];
                key.sign_many(&offsets, &gathered, signed);
                rows.iter().zip(signed).for_each(|(&row, signed)| digests[row] = *signed);
            }
        }
        Ok(digests)
    }

    /// The keys of all rows, in the order in which they come up.
    fn signers(
        &self,
        values: &BinaryArray,
        companions: &[BinaryArray],
        failures: &mut Failures,
    ) -> Result<Vec<Signer>, TransformError> {
        let mut places: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut signers: Vec<Signer> = Vec::new();
        let (mut domain, mut lookup) = (String::new(), Vec::new());
        for row in (0..values.len()).filter(|&row| values.is_valid(row)) {
            domain.clear();
            let (Some(()), Some(tenant)) =
                (self.push_domain(row, companions, &mut domain), self.tenant_of(row, companions))
            else {
                failures.push(row, NO_COMPANION);
                continue;
            };
            lookup.clear();
            lookup.extend_from_slice(&(domain.len() as u64).to_be_bytes());
            lookup.extend_from_slice(domain.as_bytes());
            lookup.extend_from_slice(tenant.as_bytes());
            let place = match places.get(&lookup) {
                Some(&place) => place,
                None => {
                    let subkey = self.source.subkey(self.purpose, &domain, tenant, 32).map_err(TransformError::Key)?;
                    signers.push(Signer { key: HmacKey::new(subkey.expose()), rows: Vec::new() });
                    places.insert(lookup.clone(), signers.len() - 1);
                    signers.len() - 1
                }
            };
            signers[place].rows.push(row);
        }
        Ok(signers)
    }

    fn tenant_of<'a>(&self, row: usize, companions: &'a [BinaryArray]) -> Option<&'a str> {
        self.tenant.map_or(Some(""), |column| text(&companions[column], row))
    }

    fn push_domain(&self, row: usize, companions: &[BinaryArray], domain: &mut String) -> Option<()> {
        for part in &self.domain {
            match part {
                DomainPart::Literal(literal) => domain.push_str(literal),
                DomainPart::Companion(column) => push_escaped(text(&companions[*column], row)?, domain),
            }
        }
        Some(())
    }
}

/// `%` as `%25` and `/` as `%2F` (TOKENS.md section 1).
fn push_escaped(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some((before, after)) = rest.split_once(['%', '/']) {
        out.push_str(before);
        out.push_str(if rest[before.len()..].starts_with('%') { "%25" } else { "%2F" });
        rest = after;
    }
    out.push_str(rest);
}

fn text(column: &BinaryArray, row: usize) -> Option<&str> {
    let bytes = column.is_valid(row).then(|| column.value(row)).filter(|bytes| !bytes.is_empty())?;
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Root;

    impl SubkeySource for Root {
        fn subkey(&self, purpose: &str, domain: &str, tenant: &str, _: usize) -> Result<Secret, String> {
            Ok(Secret::new(format!("{purpose} {domain} {tenant}").into_bytes()))
        }
    }

    #[test]
    fn values_of_many_keys_are_signed_each_with_its_own_whatever_their_order() {
        let regions = ["a", "b/c", "50%", "%2F", ""];
        let rows = 3 * GATHERED;
        let region = |row: usize| regions[row * 7 % 3 + usize::from(row.is_multiple_of(5_000)) * 2];
        let values = (0..rows).map(|row| (row % 11 > 0).then(|| "v".repeat(row % 70))).collect::<Vec<_>>();
        let values = BinaryArray::from_iter(values.iter().map(|value| value.as_ref().map(|text| text.as_bytes())));
        let companions = [
            BinaryArray::from_iter_values((0..rows).map(|row| region(row).as_bytes())),
            BinaryArray::from_iter_values((0..rows).map(|row| if row % 2 == 0 { "x" } else { "y" }.as_bytes())),
        ];
        let domain = vec![DomainPart::Literal("users/".to_owned()), DomainPart::Companion(0)];
        let keys = PerRow { source: Arc::new(Root), purpose: "p", domain, tenant: Some(1) };
        let mut failures = Failures::default();
        let digests = keys.sign(&values, &companions, &mut failures).unwrap();
        let mut failed = 0;
        for row in (0..rows).filter(|&row| values.is_valid(row)) {
            if region(row).is_empty() {
                failed += 1;
                continue;
            }
            let escaped = region(row).replace('%', "%25").replace('/', "%2F");
            let key = format!("p users/{escaped} {}", if row % 2 == 0 { "x" } else { "y" });
            assert_eq!(digests[row], HmacKey::new(key.as_bytes()).sign(values.value(row)), "{row}");
        }
        assert!(failed > 0);
        assert_eq!(failures.len(), failed);
    }
}
