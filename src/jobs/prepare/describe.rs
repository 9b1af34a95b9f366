//! One description of a job over all kinds of its objects.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Keys;
use super::kinds::Kind;
use super::paths::hides_paths;
use crate::engine::records::{InputId, Record, Records};
use crate::policy::bind::{needs_key, policy_digest};
use crate::policy::chain::KeyChain;
use crate::policy::describe::{KeyUse, PlanDescription, Warning};
use crate::policy::plan::Plan;
use crate::policy::{Document, Policy};

pub(super) fn key_uses(policy: &Policy, chain: Option<&KeyChain>, partitions: &BTreeSet<String>) -> Vec<KeyUse> {
    let used = needs_key(policy) || hides_paths(policy, partitions);
    let links = chain.filter(|_| used).into_iter().flat_map(KeyChain::links);
    links.map(|key| KeyUse { id: key.id().to_owned(), fingerprint: key.fingerprint().to_string() }).collect()
}

/// One description over all kinds of objects: the first one's, and what the others have beside it.
pub(super) fn describe(
    policy: &Policy,
    chain: Option<&KeyChain>,
    partitions: &BTreeSet<String>,
    plans: &[(Kind, Arc<Plan>)],
    document: &Document,
) -> PlanDescription {
    let mut all = PlanDescription {
        dataset: policy.dataset.clone(),
        policy_digest: policy_digest(policy),
        keys: key_uses(policy, chain, partitions),
        filter: policy.filter.clone(),
        filter_inputs: Vec::new(),
        columns: Vec::new(),
        dropped: Vec::new(),
        warnings: Vec::new(),
    };
    for (_, plan) in plans {
        let description = &plan.description;
        all.filter_inputs = description.filter_inputs.clone();
        for column in &description.columns {
            if !all.columns.iter().any(|known| known.name == column.name) {
                all.columns.push(column.clone());
            }
        }
        for column in &description.dropped {
            if !all.dropped.iter().any(|known| known.name == column.name) {
                all.dropped.push(column.clone());
            }
        }
        all.warnings.extend(description.warnings.iter().cloned());
    }
    if plans.len() > 1 {
        let message = format!(
            "the objects have {} different schemas; types are shown as in the first that has a column",
            plans.len()
        );
        all.warnings.push(Warning { code: "schemas-differ".to_owned(), column: None, message });
    }
    for warning in document.warnings() {
        let code = warning.code.as_str().trim_start_matches("policy::").to_owned();
        if !all.warnings.iter().any(|known| known.code == code) {
            all.warnings.push(Warning { code, column: None, message: warning.message.clone() });
        }
    }
    all.warnings.sort();
    all.warnings.dedup();
    all
}

/// Records that name their inputs under a key that is gone: nobody can tell which inputs they are of.
pub(super) fn lost_records(known: &Records, keys: Option<&Keys>) -> Option<Warning> {
    let ring = keys.into_iter().flat_map(|keys| keys.others.iter().chain([keys.chain.newest()]));
    let ring: BTreeSet<String> = ring.map(|key| key.fingerprint().to_string()).collect();
    let is_lost = |record: &&Record| {
        let keyed = matches!(record.input, InputId::Keyed { .. });
        keyed && !record.keys.iter().any(|key| ring.contains(&key.fingerprint))
    };
    let lost = known.iter().filter(is_lost).count();
    let message = format!(
        "the outputs of {lost} records were made under hidden paths with a key that is not in the keyring: they are \
         neither replaced nor pruned; put that key back as a retired one, or remove them and their records by hand"
    );
    (lost > 0).then(|| Warning { code: "records-of-a-lost-key".to_owned(), column: None, message })
}
