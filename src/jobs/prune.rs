//! Removes outputs whose input is gone: erasure reaches the sink.

use super::JobError;
use super::prepare::Prepared;
use crate::engine::records::{Record, check_prune, prunable_outputs, prune_candidates};
use crate::engine::stop::Stop;
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

/// Removes older outputs that an earlier run was to remove, and could not.
///
/// # Errors
/// A store that refuses: the records still name what is left.
pub async fn finish_earlier_runs(prepared: &Prepared) -> Result<(), JobError> {
    let mut taken = prepared.claimed.clone();
    taken.extend(prepared.known.iter().flat_map(|record| &record.outputs).map(|output| output.path.clone()));
    for record in prepared.known.iter().filter(|record| !record.superseded.is_empty()) {
        let mut record = record.clone();
        record.superseded.retain(|path| !taken.contains(path));
        prepared.records.finish(&prepared.sink, &mut record).await?;
    }
    Ok(())
}

/// Removes folders that the removal of outputs has left empty: their names may hold what the policy hides now.
///
/// # Errors
/// A folder that can't be removed.
pub async fn tidy(prepared: &Prepared) -> Result<(), JobError> {
    for record in prepared.known.iter() {
        let outputs = record.outputs.iter().map(|output| &output.path).chain(&record.superseded);
        for path in outputs.filter(|path| !prepared.claimed.contains(*path)) {
            prepared.sink.remove_empty_folders(path).await?;
        }
    }
    Ok(())
}

/// Removes the outputs, then their records; gives how many objects are gone.
///
/// # Errors
/// A store that refuses: what is left is found again by the next run.
pub async fn remove(prepared: &Prepared, pruning: &Pruning, stop: &Stop) -> Result<u64, JobError> {
    for path in &pruning.outputs {
        if stop.is_requested() {
            return Err(JobError::Stopped);
        }
        prepared.sink.delete(path).await?;
    }
    for record in &pruning.records {
        prepared.records.remove(record).await?;
    }
    Ok(pruning.outputs.len() as u64)
}
