//! Removes outputs whose input is gone: erasure reaches the sink.

use super::JobError;
use super::prepare::Prepared;
use crate::engine::records::{Record, check_prune, prunable_outputs, prune_candidates};
use crate::engine::storage::Entry;

/// Whether outputs without input are removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Prune {
    /// They stay.
    #[default]
    No,
    /// They go, unless the listing is empty or more than half would go.
    Yes,
    /// They go in any case.
    Force,
}

/// What pruning would remove.
#[derive(Debug, Clone, Default)]
pub struct Pruning {
    /// Records of inputs that are gone.
    pub records: Vec<Record>,
    /// Their outputs, but for those that another input has now.
    pub outputs: Vec<String>,
}

/// What `prune` would remove.
///
/// # Errors
/// [`JobError::Prune`] if it is refused.
pub fn choose(prepared: &Prepared, inputs: &[Entry], prune: Prune) -> Result<Pruning, JobError> {
    if prune == Prune::No {
        return Ok(Pruning::default());
    }
    let (records, identity) = (&prepared.known, &prepared.identity);
    let candidates = prune_candidates(records, inputs, identity);
    check_prune(&candidates, records, inputs, identity, prune == Prune::Force)?;
    let outputs = prunable_outputs(&candidates, records, &prepared.claimed);
    Ok(Pruning { records: candidates.into_iter().cloned().collect(), outputs })
}

/// Removes the outputs, then their records; gives how many objects are gone.
///
/// # Errors
/// A store that refuses: what is left is found again by the next run.
pub async fn remove(prepared: &Prepared, pruning: &Pruning) -> Result<u64, JobError> {
    for path in &pruning.outputs {
        prepared.sink.delete(path).await?;
    }
    for record in &pruning.records {
        prepared.records.remove(record).await?;
    }
    Ok(pruning.outputs.len() as u64)
}
