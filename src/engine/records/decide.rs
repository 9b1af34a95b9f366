//! What a run makes of the records: pure functions over listings.

use std::collections::{HashMap, HashSet};

use super::Records;
use super::model::{InputId, KeyRef, OutputRef, Record};
use crate::engine::privacy::PathPrivacy;
use crate::engine::storage::Entry;

/// What makes two runs the same job.
#[derive(Debug, Clone)]
pub struct RunIdentity {
    /// As in [`Record::source`], before hashing.
    pub source: String,
    /// As in [`Record::filter`], before hashing.
    pub filter: Option<String>,
    /// The digest of the bound plan.
    pub policy_digest: String,
    /// The keys of this run.
    pub keys: Vec<KeyRef>,
    /// How inputs are named.
    pub privacy: PathPrivacy,
    /// How earlier runs may have named them: openly, or under another key of the keyring.
    pub former: Vec<PathPrivacy>,
}

impl RunIdentity {
    /// [`Record::source`] of this run's records.
    pub fn recorded_source(&self) -> String {
        InputId::key_of(&self.source, &self.privacy)
    }

    /// Every key ([`InputId::key`]) under which a record of the input at `path` may be known, this run's first.
    pub fn keys_of(&self, path: &str) -> Vec<String> {
        self.ways().map(|way| InputId::key_of(path, way)).collect()
    }

    fn ways(&self) -> impl Iterator<Item = &PathPrivacy> {
        std::iter::once(&self.privacy).chain(&self.former)
    }

    /// [`Record::filter`] of this run's records.
    pub fn recorded_filter(&self) -> Option<String> {
        self.filter.as_ref().map(|filter| InputId::key_of(filter, &self.privacy))
    }
}

/// What happens to an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Its output is there and would come out the same.
    Skip,
    /// It is done, for this reason.
    Do(Reason),
}

/// Why an input is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No record names it.
    New,
    /// All inputs are to be done.
    Full,
    /// It is another version, or comes from another source.
    InputChanged,
    /// The policy, as far as it touches outputs, is another.
    PolicyChanged,
    /// The keys are others.
    KeysChanged,
    /// An output is not in the sink as it was published.
    OutputChanged,
}

/// One decision for each of `inputs`. `sink` is a fresh listing of the sink.
pub fn decide(inputs: &[Entry], records: &Records, sink: &[Entry], run: &RunIdentity, full: bool) -> Vec<Decision> {
    let sink: HashMap<&str, &Entry> = sink.iter().map(|entry| (entry.path.as_str(), entry)).collect();
    let source = run.recorded_source();
    let is_there = |output: &OutputRef| {
        let found = sink.get(output.path.as_str());
        // A store that gave no etag when it was written is trusted by size.
        found.is_some_and(|entry| entry.size == output.size && (output.etag.is_none() || entry.etag == output.etag))
    };
    let decide = |input: &Entry| {
        let id = InputId::new(input, &run.privacy);
        let Some(record) = records.get(id.key()) else { return Decision::Do(Reason::New) };
        let changes = [
            (full, Reason::Full),
            (record.input != id || record.source != source, Reason::InputChanged),
            (record.policy_digest != run.policy_digest, Reason::PolicyChanged),
            (record.keys != run.keys, Reason::KeysChanged),
            (!record.outputs.iter().all(is_there), Reason::OutputChanged),
        ];
        changes.iter().find(|(holds, _)| *holds).map_or(Decision::Skip, |(_, reason)| Decision::Do(*reason))
    };
    inputs.iter().map(decide).collect()
}

/// The outputs of `old` that `new` no longer names, to be removed once `new` is written. Those that another input of
/// this run has (`claimed`) stay.
pub fn superseded(old: &Record, new: &Record, claimed: &HashSet<String>) -> Vec<String> {
    let kept: HashSet<&str> = new.outputs.iter().map(|output| output.path.as_str()).collect();
    let known = old.outputs.iter().map(|output| &output.path).chain(&old.superseded);
    known.filter(|path| !kept.contains(path.as_str()) && !claimed.contains(*path)).cloned().collect()
}

/// The records whose inputs are gone: of this run's source and filter exactly, and not in the listing `inputs`. A
/// record under a former key counts as well once the input has one under this run's.
pub fn prune_candidates<'a>(records: &'a Records, inputs: &[Entry], run: &RunIdentity) -> Vec<&'a Record> {
    let mut present: HashMap<String, String> = HashMap::new();
    for input in inputs {
        let keys = run.keys_of(&input.path);
        let Some(current) = keys.first().cloned() else { continue };
        present.extend(keys.into_iter().map(|key| (key, current.clone())));
    }
    let is_gone = |record: &&Record| match present.get(record.input.key()) {
        None => true,
        Some(current) => current != record.input.key() && records.get(current).is_some(),
    };
    in_scope(records, run).filter(is_gone).collect()
}

/// Whether `candidates` of [`prune_candidates`] may go.
///
/// # Errors
/// Where that looks like a mistake rather than an erasure; `force` overrides.
pub fn check_prune(
    candidates: &[&Record],
    records: &Records,
    inputs: &[Entry],
    run: &RunIdentity,
    force: bool,
) -> Result<(), PruneRefused> {
    let known = in_scope(records, run).count();
    if candidates.is_empty() || force {
        Ok(())
    } else if inputs.is_empty() {
        Err(PruneRefused::EmptySource { gone: candidates.len() })
    } else if candidates.len() * 2 > known {
        Err(PruneRefused::MoreThanHalf { gone: candidates.len(), known })
    } else {
        Ok(())
    }
}

/// The outputs of `candidates`, without those that another record or an input of this run (`claimed`) has as well.
pub fn prunable_outputs(candidates: &[&Record], records: &Records, claimed: &HashSet<String>) -> Vec<String> {
    let going: HashSet<&str> = candidates.iter().map(|record| record.input.key()).collect();
    let staying = records.iter().filter(|record| !going.contains(record.input.key()));
    let kept: HashSet<&str> = staying.flat_map(|record| &record.outputs).map(|output| output.path.as_str()).collect();
    let outputs = |record: &'_ &Record| -> Vec<String> {
        record.outputs.iter().map(|output| output.path.clone()).chain(record.superseded.clone()).collect()
    };
    let paths: Vec<String> = candidates.iter().flat_map(outputs).collect();
    paths.into_iter().filter(|path| !kept.contains(path.as_str()) && !claimed.contains(path)).collect()
}

fn in_scope<'a>(records: &'a Records, run: &RunIdentity) -> impl Iterator<Item = &'a Record> {
    let scope = |way: &PathPrivacy| {
        let filter = run.filter.as_ref().map(|filter| InputId::key_of(filter, way));
        (InputId::key_of(&run.source, way), filter)
    };
    let scopes: Vec<_> = run.ways().map(scope).collect();
    records.iter().filter(move |record| {
        scopes.iter().any(|(source, filter)| record.source == *source && record.filter == *filter)
    })
}

/// Why nothing is pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PruneRefused {
    /// The source lists nothing.
    #[error(
        "the source lists no object, so the outputs of all {gone} known inputs would be removed; \
         check the source, and use --prune=force if it is empty on purpose"
    )]
    EmptySource {
        /// Inputs that are gone.
        gone: usize,
    },
    /// More than half of the inputs are gone.
    #[error(
        "{gone} of {known} known inputs are gone, more than half; \
         look at them with `plan --prune`, and use --prune=force if that is right"
    )]
    MoreThanHalf {
        /// Inputs that are gone.
        gone: usize,
        /// Inputs with a record.
        known: usize,
    },
}
