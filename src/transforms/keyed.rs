//! Which key a value is treated with: one for the column, or one for each row's tenant and templated domain.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, BinaryArray};

use super::TransformError;
use super::spec::{DomainPart, DomainTemplate};
use crate::arrays::failure::Failures;

/// Why a row has no key.
pub const NO_COMPANION: &str = "the tenant or domain column of its row is null, empty or not UTF-8";

/// A domain and tenant, as far as they are known before a row is seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    domain: Vec<Part>,
    tenant: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Companion(usize),
}

impl Scope {
    /// `companion` tells where a column's values will stand.
    pub fn new(domain: &DomainTemplate, tenant: Option<&str>, mut companion: impl FnMut(&str) -> usize) -> Self {
        let domain = domain.parts().iter().map(|part| match part {
            DomainPart::Text(text) => Part::Literal(text.clone()),
            DomainPart::Column(name) => Part::Companion(companion(name)),
        });
        let domain = domain.collect();
        Self { domain, tenant: tenant.map(companion) }
    }

    /// The domain, where every row has the same and no tenant.
    fn constant(&self) -> Option<&str> {
        match (self.domain.as_slice(), self.tenant) {
            ([Part::Literal(domain)], None) => Some(domain),
            _ => None,
        }
    }

    /// Writes the row's domain into `domain` and gives its tenant; `None` where a value is missing.
    fn of_row<'a>(&self, row: usize, companions: &'a [BinaryArray], domain: &mut String) -> Option<&'a str> {
        domain.clear();
        for part in &self.domain {
            match part {
                Part::Literal(literal) => domain.push_str(literal),
                Part::Companion(column) => {
                    domain.push_str(&DomainTemplate::escape(text(companions.get(*column)?, row)?));
                }
            }
        }
        self.tenant.map_or(Some(""), |column| text(companions.get(column)?, row))
    }
}

/// The value of a companion column, if it is neither null nor empty nor other than text.
fn text(column: &BinaryArray, row: usize) -> Option<&str> {
    std::str::from_utf8(bytes(column, row)?).ok()
}

/// The canonical bytes of a companion column (an entity, a tweak, a row id), if they are neither null nor empty.
pub fn bytes(column: &BinaryArray, row: usize) -> Option<&[u8]> {
    column.is_valid(row).then(|| column.value(row)).filter(|bytes| !bytes.is_empty())
}

type Make<K> = Arc<dyn Fn(&str, &str) -> Result<K, String> + Send + Sync>;

/// The keys of one column, in the form that its family uses.
pub enum Keyed<K> {
    /// One for every row.
    One(K),
    /// One for each row's domain and tenant.
    PerRow {
        /// How to find them.
        scope: Scope,
        /// From domain and tenant to key.
        make: Make<K>,
    },
}

impl<K> std::fmt::Debug for Keyed<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::One(_) => "Keyed::One([redacted])",
            Self::PerRow { .. } => "Keyed::PerRow([redacted])",
        })
    }
}

impl<K> Keyed<K> {
    /// Derived at once where the scope is constant, so that a key that does not serve is known before any row.
    ///
    /// # Errors
    /// What `make` says of a constant scope.
    pub fn new(
        scope: Scope,
        make: impl Fn(&str, &str) -> Result<K, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        match scope.constant() {
            Some(domain) => make(domain, "").map(Self::One),
            None => Ok(Self::PerRow { scope, make: Arc::new(make) }),
        }
    }

    /// The keys of a batch's rows; non-null values without one fail.
    ///
    /// # Errors
    /// [`TransformError::Key`] where the source of keys does not serve a row's domain and tenant.
    pub fn of_rows(
        &self,
        values: &BinaryArray,
        companions: &[BinaryArray],
        failures: &mut Failures,
    ) -> Result<RowKeys<'_, K>, TransformError> {
        let (scope, make) = match self {
            Self::One(key) => return Ok(RowKeys::One(key)),
            Self::PerRow { scope, make } => (scope, make),
        };
        let mut places: HashMap<Vec<u8>, u32> = HashMap::new();
        let (mut keys, mut of_row) = (Vec::new(), vec![NONE; values.len()]);
        let (mut domain, mut lookup) = (String::new(), Vec::new());
        for row in (0..values.len()).filter(|&row| values.is_valid(row)) {
            let Some(tenant) = scope.of_row(row, companions, &mut domain) else {
                failures.push(row, NO_COMPANION);
                continue;
            };
            lookup.clear();
            lookup.extend_from_slice(&(domain.len() as u64).to_be_bytes());
            lookup.extend_from_slice(domain.as_bytes());
            lookup.extend_from_slice(tenant.as_bytes());
            of_row[row] = match places.get(&lookup) {
                Some(&place) => place,
                None => {
                    keys.push(make(&domain, tenant).map_err(TransformError::Key)?);
                    let place = keys.len() as u32 - 1;
                    places.insert(lookup.clone(), place);
                    place
                }
            };
        }
        Ok(RowKeys::Each { keys, of_row })
    }
}

/// A row without a key.
const NONE: u32 = u32::MAX;

/// The keys of one batch.
pub enum RowKeys<'a, K> {
    /// The same for all rows.
    One(&'a K),
    /// By row.
    Each {
        /// In the order in which they come up.
        keys: Vec<K>,
        /// The place of each row's key.
        of_row: Vec<u32>,
    },
}

impl<K> RowKeys<'_, K> {
    /// The row's key; `None` where its value is null or failed.
    pub fn get(&self, row: usize) -> Option<&K> {
        match self {
            Self::One(key) => Some(key),
            Self::Each { keys, of_row } => keys.get(of_row[row] as usize),
        }
    }
}

impl<K> RowKeys<'_, K> {
    /// Each key with its rows, in their order, where keys differ between rows.
    pub fn groups(&self) -> Vec<(&K, Vec<usize>)> {
        let Self::Each { keys, of_row } = self else { return Vec::new() };
        let mut groups: Vec<(&K, Vec<usize>)> = keys.iter().map(|key| (key, Vec::new())).collect();
        for (row, &place) in of_row.iter().enumerate().filter(|(_, place)| **place != NONE) {
            groups[place as usize].1.push(row);
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(domain: &str, tenant: Option<&str>) -> Keyed<String> {
        let mut columns: Vec<String> = Vec::new();
        let mut companion = |name: &str| {
            columns.push(name.to_owned());
            columns.len() - 1
        };
        let scope = Scope::new(&DomainTemplate::parse(domain).unwrap(), tenant, &mut companion);
        Keyed::new(scope, |domain, tenant| Ok(format!("{domain} {tenant}"))).unwrap()
    }

    fn column(values: &[Option<&str>]) -> BinaryArray {
        values.iter().map(|value| value.map(str::as_bytes)).collect()
    }

    #[test]
    fn a_constant_scope_has_one_key_and_its_failure_is_known_at_once() {
        assert!(matches!(keyed("users", None), Keyed::One(key) if key == "users "));
        let scope = Scope::new(&DomainTemplate::parse("users").unwrap(), None, |_| 0);
        assert_eq!(Keyed::<()>::new(scope, |_, _| Err("no".to_owned())).unwrap_err(), "no");
    }

    #[test]
    fn each_row_has_the_key_of_its_domain_and_tenant_escaped() {
        let keys = keyed("users/{region}", Some("tenant"));
        let values = column(&[Some("v"); 6]);
        let companions = [
            column(&[Some("a"), Some("b/c"), Some("50%"), None, Some(""), Some("a")]),
            column(&[Some("x"), Some("y"), Some("x"), Some("x"), Some("x"), None]),
        ];
        let mut failures = Failures::default();
        let rows = keys.of_rows(&values, &companions, &mut failures).unwrap();
        let seen: Vec<_> = (0..6).map(|row| rows.get(row).map(String::as_str)).collect();
        assert_eq!(seen, [Some("users/a x"), Some("users/b%2Fc y"), Some("users/50%25 x"), None, None, None]);
        assert_eq!(failures.iter().map(|failure| failure.index).collect::<Vec<_>>(), [3, 4, 5]);
    }

    #[test]
    fn a_null_value_needs_no_companion() {
        let mut failures = Failures::default();
        let (values, companions) = (column(&[None]), [column(&[None])]);
        let keys = keyed("{region}", None);
        assert!(keys.of_rows(&values, &companions, &mut failures).unwrap().get(0).is_none());
        assert!(failures.is_empty());
    }

    #[test]
    fn domain_and_tenant_do_not_run_into_each_other() {
        let keys = keyed("{a}", Some("b"));
        let values = column(&[Some("v"), Some("v")]);
        let companions = [column(&[Some("ab"), Some("a")]), column(&[Some("c"), Some("bc")])];
        let mut failures = Failures::default();
        let rows = keys.of_rows(&values, &companions, &mut failures).unwrap();
        assert_eq!((rows.get(0).unwrap().as_str(), rows.get(1).unwrap().as_str()), ("ab c", "a bc"));
    }
}
