//! Paths are data: which partitions the policy hides, what becomes of them, and how inputs are named then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use percent_encoding::percent_decode_str;

use super::Keys;
use crate::crypto::PathKey;
use crate::engine::discover::{Partition, PartitionRewrite, SourceObject};
use crate::engine::privacy::PathPrivacy;
use crate::engine::storage::{Entry, Location, StorageError};
use crate::jobs::JobError;
use crate::keys::Key;
use crate::policy::bind::bind_partitions;
use crate::policy::chain::KeyChain;
use crate::policy::plan::PartitionColumn;
use crate::policy::{ColumnPath, Document, Names, Policy};
use crate::transforms::cell::{Cell, CellError, Memo};
use crate::transforms::spec::TransformSpec;
use crate::transforms::tally::Tally;

/// The partition columns that any listed path has.
pub(super) fn partition_names(listed: &[Entry]) -> BTreeSet<String> {
    let folders =
        listed.iter().filter_map(|entry| entry.path.rsplit_once('/')).flat_map(|(folders, _)| folders.split('/'));
    let decoded = |name: &str| percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
    folders.filter_map(|folder| folder.split_once('=')).map(|(name, _)| decoded(name)).collect()
}

/// Whether the policy does anything to a partition column, so that paths hold what it hides.
pub(super) fn hides_partition(policy: &Policy, name: &str) -> bool {
    let path = ColumnPath::of(name);
    let rule = policy.columns.deciding(&path).and_then(|rule| policy.columns.iter().nth(rule));
    rule.is_some_and(|column| !matches!(column.rule.transform, TransformSpec::Keep(_)))
}

/// A URL or path as it may be shown: without the values of partitions that the policy hides.
pub fn shown(policy: &Policy, place: &str) -> String {
    let segment = |segment: &str| match segment.split_once('=') {
        Some((name, _)) if hides_partition(policy, &percent_decode_str(name).decode_utf8_lossy()) => {
            format!("{name}=…")
        }
        _ => segment.to_owned(),
    };
    place.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// A failed listing, which may name a folder before anybody knows the partitions: hidden ones are not shown.
pub(super) fn unlisted(error: StorageError, policy: &Policy, source: &Location) -> StorageError {
    let place = match policy.sink.names {
        Names::Hash => source.to_string(),
        Names::Keep => error.place().to_owned(),
    };
    error.at(shown(policy, &place))
}

pub(super) fn hides_paths(policy: &Policy, partitions: &BTreeSet<String>) -> bool {
    policy.sink.names == Names::Hash || partitions.iter().any(|name| hides_partition(policy, name))
}

pub(super) type Hash = Arc<dyn Fn(&str) -> String + Send + Sync>;

pub(super) fn path_hash(policy: &Policy, key: Option<&Arc<Key>>) -> Result<Option<Hash>, JobError> {
    let Some(key) = key else { return Ok(None) };
    match key.subkey(crate::crypto::path::PURPOSE, &policy.dataset, "", 32) {
        Ok(subkey) => {
            let key = PathKey::from_subkey(&subkey);
            Ok(Some(Arc::new(move |path: &str| key.digest(path))))
        }
        // a partner's subkeys serve their own domains; paths are only hashed where they hold data
        Err(error) if policy.sink.names == Names::Hash => Err(error.into()),
        Err(_) => Ok(None),
    }
}

pub(super) fn path_privacy(
    policy: &Policy,
    partitions: &BTreeSet<String>,
    key: Option<&Arc<Key>>,
) -> Result<PathPrivacy, JobError> {
    if !hides_paths(policy, partitions) {
        return Ok(PathPrivacy::Open);
    }
    match path_hash(policy, key)? {
        Some(hash) => Ok(PathPrivacy::Keyed(hash)),
        None => Err(JobError::Usage(
            "paths of the source hold what the policy hides, so records name them by a keyed hash: the policy needs a \
             `keyring` whose key can derive it"
                .to_owned(),
        )),
    }
}

/// How earlier runs may have named the inputs: under another key, or openly before the policy hid them.
pub(super) fn former_privacies(policy: &Policy, now: &PathPrivacy, keys: Option<&Keys>) -> Vec<PathPrivacy> {
    let Some(keys) = keys else { return Vec::new() };
    let (own, open) = match now {
        PathPrivacy::Open => (Some(keys.chain.newest()), None),
        PathPrivacy::Keyed(_) => (None, Some(PathPrivacy::Open)),
    };
    let hashes = own.into_iter().chain(&keys.others).filter_map(|key| path_hash(policy, Some(key)).ok().flatten());
    hashes.map(PathPrivacy::Keyed).chain(open).collect()
}

/// What becomes of each partition column of the chosen objects.
pub(super) fn partition_cells(
    document: &Document,
    objects: &[SourceObject],
    chain: Option<&KeyChain>,
) -> Result<BTreeMap<String, PartitionColumn>, JobError> {
    let names = objects.iter().flat_map(|object| &object.partitions).map(|partition| partition.column.clone());
    let names: BTreeSet<String> = names.collect();
    let columns = bind_partitions(&document.policy, names, chain)
        .map_err(|problems| JobError::Policy(Box::new(document.problems(problems))))?;
    Ok(columns.into_iter().map(|column| (column.name.clone(), column)).collect())
}

pub(super) fn rewrite_partition(
    cells: &BTreeMap<String, PartitionColumn>,
    partition: &Partition,
) -> Result<PartitionRewrite, String> {
    // a partition that nobody decided on must not pass as it is
    let column = cells.get(&partition.column).ok_or("no rule decides on it")?;
    let value = match &column.cell {
        None if column.output_name == column.name => return Ok(PartitionRewrite::Keep),
        None => partition.value.clone(),
        Some(cell) => transformed(cell, partition.value.as_deref())?,
    };
    Ok(PartitionRewrite::Set { column: column.output_name.clone(), value })
}

pub(super) fn transformed(cell: &Cell, value: Option<&str>) -> Result<Option<String>, String> {
    let array: ArrayRef = Arc::new(StringArray::from(vec![value]));
    let made = cell.apply(&array, &[], &mut Memo::default(), &mut Tally::default()).map_err(|error| match error {
        CellError::Value { reason, .. } => reason.into_owned(),
        CellError::Column(error) => error.to_string(),
    })?;
    let texts = made.as_string_opt::<i32>().ok_or("its token is no text")?;
    Ok(texts.is_valid(0).then(|| texts.value(0).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::storage::StorageErrorKind;
    use crate::policy::Variables;

    #[test]
    fn a_listing_that_fails_in_a_hidden_partition_does_not_name_it() {
        let head = "version: 1\ndataset: d\nsource: { url: in/ }\nsink: { url: out/ }\nkeyring: { env: K }\n";
        let source = Location::parse("in/").expect("a path");
        let shown = |columns: &str| {
            let text = format!("{head}columns: {{ {columns} }}\n");
            let document = Document::parse(&text, "p.yaml", &Variables::none()).expect("a policy");
            let error = StorageError::new(StorageErrorKind::Denied, "in/patient%20id=CANARY/x", "cannot list", "look");
            unlisted(error, &document.policy, &source).to_string()
        };
        assert!(!shown("\"patient id\": { pseudonym: { domain: d } }").contains("CANARY"));
        assert!(!shown("\"*\": drop").contains("CANARY"));
        assert!(shown("\"patient id\": keep").contains("in/patient%20id=CANARY/x"));
    }
}
