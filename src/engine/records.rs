//! Completion records: what a sink holds, from which inputs, under which policy and keys; and what a run makes of
//! them: inputs to skip, outputs to remove.

mod decide;
mod model;

pub use decide::{
    Decision, PruneRefused, Reason, RunIdentity, check_prune, decide, prunable_outputs, prune_candidates, superseded,
};
pub use model::{InputId, KeyRef, OutputRef, Record};

use std::collections::HashMap;

use futures::stream::{self, StreamExt, TryStreamExt};

use super::storage::{CONTROL_FOLDER, Storage, StorageError, StorageErrorKind};

/// Records read at once: they are small, and a large sink has many.
const READS_IN_FLIGHT: usize = 64;

/// The records below `_lakeveil/records/` of a sink, or of the place that `sink.records` names.
#[derive(Debug, Clone)]
pub struct RecordStore {
    storage: Storage,
}

impl RecordStore {
    /// The records that lie in `storage`.
    pub fn new(storage: Storage) -> Self {
        Self { storage }
    }

    /// Reads all records of `dataset`.
    ///
    /// # Errors
    /// Where the listing or a record cannot be read, and for a record that this version does not understand:
    /// it may list outputs that must be removed one day, so it is not passed over.
    pub async fn load(&self, dataset: &str) -> Result<Records, StorageError> {
        let entries = self.storage.list(&folder()).await?;
        let records: Vec<Record> = stream::iter(entries)
            .map(|entry| async move {
                let bytes = self.storage.get(&entry.path).await?;
                Record::from_json(&bytes).map_err(|what| {
                    let hint = "use the version that wrote it, or delete it: its input is then done again";
                    StorageError::new(StorageErrorKind::Invalid, self.storage.place(&entry.path), what, hint)
                })
            })
            .buffer_unordered(READS_IN_FLIGHT)
            .try_collect()
            .await?;
        let (own, others): (Vec<_>, Vec<_>) = records.into_iter().partition(|record| record.dataset == dataset);
        let foreign = others.into_iter().flat_map(|record| {
            let dataset = record.dataset;
            record.outputs.into_iter().map(move |output| (output.path, dataset.clone()))
        });
        Ok(Records { foreign: foreign.collect(), ..own.into_iter().collect() })
    }

    /// Writes `record`, over that of an earlier run of the same input. To be called after its outputs are published.
    ///
    /// # Errors
    /// As [`Storage::put`].
    pub async fn write(&self, record: &Record) -> Result<(), StorageError> {
        let path = path(record);
        let json = record.to_json().map_err(|what| {
            StorageError::new(StorageErrorKind::Invalid, self.storage.place(&path), what, "report this as a bug")
        })?;
        self.storage.put(&path, json.into()).await.map(|_| ())
    }

    /// Removes the outputs that `record` supersedes, then says so in it.
    ///
    /// # Errors
    /// As [`Storage::delete`] and [`Storage::put`]; the record still names what is left.
    pub async fn finish(&self, sink: &Storage, record: &mut Record) -> Result<(), StorageError> {
        for path in &record.superseded {
            sink.delete(path).await?;
        }
        record.superseded.clear();
        self.write(record).await
    }

    /// Removes `record`. To be called after its outputs are removed.
    ///
    /// # Errors
    /// As [`Storage::delete`].
    pub async fn remove(&self, record: &Record) -> Result<(), StorageError> {
        self.storage.delete(&path(record)).await
    }
}

/// The records of one dataset, one for each input.
#[derive(Debug, Clone, Default)]
pub struct Records {
    by_input: HashMap<String, Record>,
    /// Outputs of other datasets in the same sink, and whose they are.
    foreign: HashMap<String, String>,
}

impl Records {
    /// The record of the input with this key ([`InputId::key`]).
    pub fn get(&self, key: &str) -> Option<&Record> {
        self.by_input.get(key)
    }

    /// All records, in the order of their inputs' keys.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        let mut records: Vec<_> = self.by_input.values().collect();
        records.sort_unstable_by(|a, b| a.input.key().cmp(b.input.key()));
        records.into_iter()
    }

    /// The other dataset whose output lies at `path`, if one does.
    pub fn owner(&self, path: &str) -> Option<&str> {
        self.foreign.get(path).map(String::as_str)
    }

    /// Outputs of other datasets: nobody here may remove or replace them.
    pub fn foreign(&self) -> impl Iterator<Item = &String> {
        self.foreign.keys()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_input.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_input.is_empty()
    }
}

impl FromIterator<Record> for Records {
    fn from_iter<T: IntoIterator<Item = Record>>(records: T) -> Self {
        let by_input = records.into_iter().map(|record| (record.input.key().to_owned(), record)).collect();
        Self { by_input, foreign: HashMap::new() }
    }
}

fn folder() -> String {
    format!("{CONTROL_FOLDER}/records")
}

fn path(record: &Record) -> String {
    format!("{}/{}.json", folder(), record.file_stem())
}

#[cfg(test)]
mod tests;
