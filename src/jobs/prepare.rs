//! From a policy to tasks: keys, listing, schemas, plans, names, decisions. Nothing is written here.

mod describe;
mod formats;
mod kinds;
mod paths;
mod places;

use std::collections::HashSet;
use std::sync::Arc;

pub use paths::shown;
pub use places::Places;

use self::describe::{describe, key_uses, lost_records};
use self::formats::{csv_codec, parquet_codec, sink_format, text_encoding};
use self::kinds::{Kind, Look, bind_all, kind_of, look};
use self::paths::{
    former_privacies, partition_cells, partition_names, path_hash, path_privacy, rewrite_partition, unlisted,
};
use super::{JobError, Prune, Settings};
use crate::engine::compute::Compute;
use crate::engine::csv::Dialect;
use crate::engine::discover::{
    GivenFormat, Naming, OutputNames, Partition, PartitionRewrite, SourceObject, discover, find, open_source,
};
use crate::engine::error::RewriteError;
use crate::engine::inspect::{Inspected, dialect};
use crate::engine::object::Task;
use crate::engine::outcome::{Failure, ObjectFacts, Outcome, Status};
use crate::engine::parquet::write::ParquetSettings;
use crate::engine::privacy::PathPrivacy;
use crate::engine::records::{Decision, KeyRef, Reason, RecordStore, Records, RunIdentity, decide};
use crate::engine::storage::{Entry, Storage};
use crate::engine::text_write::TextSettings;
use crate::keys::Key;
use crate::policy::bind::policy_digest;
use crate::policy::chain::KeyChain;
use crate::policy::describe::PlanDescription;
use crate::policy::plan::Plan;
use crate::policy::{Document, Format, KeyChoice, Names, Policy};

/// Everything a run needs, settled.
pub struct Prepared {
    /// Where inputs lie.
    pub source: Storage,
    /// Where outputs go.
    pub sink: Storage,
    /// Where records, the lease and reports go.
    pub control: Storage,
    /// The records there.
    pub records: RecordStore,
    /// What they say.
    pub known: Records,
    /// What this run is, for records.
    pub identity: RunIdentity,
    /// Objects to write.
    pub tasks: Vec<Task>,
    /// Why each task is done, in the tasks' order.
    pub reasons: Vec<Reason>,
    /// Rows of each task's input, where its metadata holds them.
    pub rows: Vec<Option<u64>>,
    /// Objects that are done already, or that can't be read at all.
    pub settled: Vec<Outcome>,
    /// Every input that was chosen.
    pub inputs: Vec<Entry>,
    /// Output paths of all inputs, and of other datasets: none of them may be removed.
    pub claimed: HashSet<String>,
    /// Names passed over by the discovery rules.
    pub skipped_by_rule: u64,
    /// What happens to each column, over all schemas.
    pub description: PlanDescription,
    /// How Parquet is written.
    pub parquet: ParquetSettings,
    /// How CSV is written.
    pub text: TextSettings,
}

/// The keys of a job.
pub struct Keys {
    /// Those that the policy has its tokens made with.
    pub chain: KeyChain,
    /// The others of the keyring: earlier runs may have named inputs under them.
    pub others: Vec<Arc<Key>>,
}

/// The keys that the policy's keyring has for it; `None` if it names none.
///
/// # Errors
/// [`JobError::Key`]
pub fn open_keys(policy: &Policy) -> Result<Option<Keys>, JobError> {
    let Some(spec) = &policy.keyring else { return Ok(None) };
    let keyring = spec.open()?;
    let chain = match &policy.key {
        None => KeyChain::one(Arc::new(keyring.active().clone())),
        Some(KeyChoice::One(id)) => KeyChain::one(Arc::new(keyring.select(Some(id))?.clone())),
        Some(KeyChoice::Chain { chain }) => KeyChain::select(&keyring, chain)?,
    };
    let others = keyring.keys().iter().filter(|other| other.id() != chain.newest().id());
    let others = others.cloned().map(Arc::new).collect();
    Ok(Some(Keys { chain, others }))
}

/// Settles everything. A run holds the leases by then; a plan needs none, since nothing is written here.
///
/// # Errors
/// What stops the run as a whole.
pub async fn prepare(
    document: &Document,
    settings: &Settings,
    compute: &Compute,
    places: &Places,
    keys: Option<&Keys>,
) -> Result<Prepared, JobError> {
    let policy = &document.policy;
    let chain = keys.map(|keys| &keys.chain);
    let key = chain.map(KeyChain::newest);
    let source = open_source(&places.source, &places.environment).await?;
    let (sink, control) = (places.sink.clone(), places.control.clone());
    let listed = source.list().await.map_err(|error| unlisted(error, policy, &places.source))?;
    let partitions = partition_names(&listed);
    let privacy = path_privacy(policy, &partitions, key)?;
    let sink_format = |format| sink_format(policy, format);
    let hash = path_hash(policy, key)?;
    let names = || match (&policy.sink.names, &hash) {
        (Names::Hash, Some(hash)) => OutputNames::Hash(hash.as_ref()),
        _ => OutputNames::Keep,
    };
    let given = policy.source.format.map(|format| match format {
        Format::Parquet => GivenFormat::Parquet,
        Format::Csv => GivenFormat::Csv,
    });
    // names need the plans' cells, plans need schemas, schemas need objects: so objects are chosen first, named later
    let as_is = |_: &Partition| Ok(PartitionRewrite::Keep);
    let naming = Naming { format: &sink_format, names: names(), partition: &as_is };
    let chosen = find(listed.clone(), &source.selection, given, &naming, &privacy)?;
    if chosen.objects.is_empty() && settings.prune == Prune::No {
        let passed_over = chosen.skipped.hidden + chosen.skipped.markers;
        return Err(JobError::EmptySource { source_url: shown(policy, &places.source.to_string()), passed_over });
    }
    let identity = RunIdentity {
        source: source.storage.location().to_string(),
        filter: source.selection.filter(),
        policy_digest: policy_digest(policy),
        keys: key_uses(policy, chain, &partitions)
            .into_iter()
            .map(|key| KeyRef { id: key.id, fingerprint: key.fingerprint })
            .collect(),
        former: former_privacies(policy, &privacy, keys),
        privacy: privacy.clone(),
    };
    let records = RecordStore::new(control.clone());
    let known = records.load(&policy.dataset).await?;
    let inputs: Vec<Entry> = chosen.objects.iter().map(|object| object.entry.clone()).collect();
    let in_sink = sink.list("").await?;
    let decisions = decide(&inputs, &known, &in_sink, &identity, settings.full);

    let looked = look(&source.storage, &chosen.objects, &decisions, policy, compute).await;
    let plans = bind_all(document, &chosen.objects, &looked, chain, &privacy)?;
    let cells = partition_cells(document, &chosen.objects, chain)?;
    let rewrite = |partition: &Partition| rewrite_partition(&cells, partition);
    let naming = Naming { format: &sink_format, names: names(), partition: &rewrite };
    let named = discover(listed, &source.selection, given, &naming, &privacy)?;

    let claimed: HashSet<String> = named.objects.iter().map(|object| object.output.clone()).collect();
    let mut outputs = named.objects.iter().map(|object| &object.output);
    if let Some((output, dataset)) = outputs.find_map(|output| Some((output, known.owner(output)?))) {
        return Err(JobError::Usage(format!(
            "{output} in this sink is an output of the dataset `{dataset}`; write to a folder of its own, or remove that \
             dataset's outputs and records"
        )));
    }

    let mut description = describe(policy, chain, &partitions, &plans, document);
    description.warnings.extend(lost_records(&known, keys));
    let claimed = claimed.into_iter().chain(known.foreign().cloned()).collect();
    let mut prepared = Prepared {
        source: source.storage,
        sink,
        control,
        records,
        known,
        identity,
        tasks: Vec::new(),
        reasons: Vec::new(),
        rows: Vec::new(),
        settled: Vec::new(),
        claimed,
        inputs,
        skipped_by_rule: named.skipped.hidden + named.skipped.markers,
        description,
        parquet: ParquetSettings {
            compression: parquet_codec(policy.sink.parquet.compression),
            encoding: text_encoding(policy.sink.parquet.encoding),
            metadata: Vec::new(),
        },
        text: TextSettings { dialect: Dialect::from(&policy.sink.csv), codec: csv_codec(policy) },
    };
    for ((object, decision), look) in named.objects.into_iter().zip(decisions).zip(looked) {
        prepared.settle(policy, object, decision, look, &plans);
    }
    Ok(prepared)
}

impl Prepared {
    fn settle(
        &mut self,
        policy: &Policy,
        object: SourceObject,
        decision: Decision,
        look: Look,
        plans: &[(Kind, Arc<Plan>)],
    ) {
        let path = self.identity.privacy.name(&object.entry.path, &object.output);
        let hashed = |etag: &String| match &self.identity.privacy {
            PathPrivacy::Open => etag.clone(),
            PathPrivacy::Keyed(hash) => hash(etag),
        };
        let etag = object.entry.etag.as_ref().map(hashed);
        let input = ObjectFacts { path: path.clone(), size: object.entry.size, etag, sha256: None, rows: None };
        let kind = kind_of(&object, &look);
        match (decision, look) {
            (Decision::Skip, _) => {
                let key = match &self.identity.privacy {
                    PathPrivacy::Open => object.entry.path.clone(),
                    PathPrivacy::Keyed(hash) => hash(&object.entry.path),
                };
                let record = self.known.get(&key);
                let output =
                    record.and_then(|record| Some((record, record.outputs.first()?))).map(|(record, output)| {
                        ObjectFacts {
                            path: output.path.clone(),
                            size: output.size,
                            etag: output.etag.clone(),
                            sha256: Some(output.sha256.clone()),
                            rows: Some(record.rows_out),
                        }
                    });
                let rows = record.map(|record| record.rows_in);
                let input = ObjectFacts { rows, ..input };
                let status = Status::Skipped;
                self.settled.push(Outcome { status, input, output, failure: None, columns: Vec::new() });
            }
            (Decision::Do(_), Some(Err(error))) => {
                let error = match error {
                    RewriteError::Storage(error) => RewriteError::Storage(error.at(&path)),
                    other => other,
                };
                let failure = Failure { code: error.code().to_owned(), message: error.to_string() };
                let (status, columns) = (Status::Failed, Vec::new());
                self.settled.push(Outcome { status, input, output: None, failure: Some(failure), columns });
            }
            (Decision::Do(reason), Some(Ok((inspected, rows)))) => {
                let plan =
                    plans.iter().find(|(known, _)| Some(known) == kind.as_ref()).map(|(_, plan)| Arc::clone(plan));
                let Some(plan) = plan else { return };
                let (format, dialect) = (sink_format(policy, object.format), dialect(policy, object.format));
                let Inspected { stored, types, .. } = inspected;
                self.tasks.push(Task { object, plan, format, stored, dialect, types });
                self.reasons.push(reason);
                self.rows.push(rows);
            }
            (Decision::Do(_), None) => {}
        }
    }
}
