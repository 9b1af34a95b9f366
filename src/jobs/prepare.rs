//! From a policy to tasks: keys, listing, schemas, plans, names, decisions. Nothing is written here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use futures::{StreamExt, stream};
use parquet::basic::{BrotliLevel, Compression as ParquetCodec, GzipLevel, ZstdLevel};
use percent_encoding::percent_decode_str;

use super::{JobError, Settings};
use crate::crypto::PathKey;
use crate::engine::compute::Compute;
use crate::engine::csv::{Codec, Dialect};
use crate::engine::discover::{
    Compression, GivenFormat, Naming, ObjectFormat, OutputNames, Partition, PartitionRewrite, SinkFormat, SourceObject,
    discover, open_source,
};
use crate::engine::error::RewriteError;
use crate::engine::inspect::{Inspected, dialect, inspect};
use crate::engine::object::Task;
use crate::engine::outcome::{Failure, ObjectFacts, Outcome, Status};
use crate::engine::parquet::write::ParquetSettings;
use crate::engine::privacy::PathPrivacy;
use crate::engine::records::{Decision, KeyRef, Reason, RecordStore, Records, RunIdentity, decide};
use crate::engine::sql::expressions::Expressions;
use crate::engine::storage::{Entry, Environment, Location, Overlap, Storage, StorageError};
use crate::engine::text_write::TextSettings;
use crate::keys::Key;
use crate::policy::bind::{SourceColumns, bind, needs_key, policy_digest};
use crate::policy::describe::{KeyUse, PlanDescription, Warning};
use crate::policy::plan::{PartitionColumn, Plan};
use crate::policy::{ColumnPath, CsvCompression, Document, Format, Names, ParquetCompression, Policy};
use crate::transforms::cell::{Cell, CellError, Memo};
use crate::transforms::spec::TransformSpec;
use crate::transforms::tally::Tally;

/// Objects looked at concurrently.
const INSPECTIONS_IN_FLIGHT: usize = 16;

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
    /// Output paths of all inputs.
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

/// The key that the policy's keyring has for it; `None` if it needs none.
///
/// # Errors
/// [`JobError::Key`]
pub fn open_key(policy: &Policy) -> Result<Option<Arc<Key>>, JobError> {
    let Some(spec) = &policy.keyring else { return Ok(None) };
    let keyring = spec.open()?;
    Ok(Some(Arc::new(keyring.select(policy.key.as_deref())?.clone())))
}

/// Settles everything. With `hold` the sink's lease is to be held already.
///
/// # Errors
/// What stops the run as a whole.
pub async fn prepare(
    document: &Document,
    settings: &Settings,
    compute: &Compute,
    places: &Places,
    key: Option<&Arc<Key>>,
) -> Result<Prepared, JobError> {
    let policy = &document.policy;
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
    let chosen = discover(listed.clone(), &source.selection, given, &naming, &privacy)?;
    let identity = RunIdentity {
        source: source.storage.location().to_string(),
        filter: source.selection.filter(),
        policy_digest: policy_digest(policy),
        keys: key_uses(policy, key, &partitions)
            .into_iter()
            .map(|key| KeyRef { id: key.id, fingerprint: key.fingerprint })
            .collect(),
        privacy: privacy.clone(),
    };
    let records = RecordStore::new(control.clone());
    let known = records.load(&policy.dataset).await?;
    let inputs: Vec<Entry> = chosen.objects.iter().map(|object| object.entry.clone()).collect();
    let in_sink = sink.list("").await?;
    let decisions = decide(&inputs, &known, &in_sink, &identity, settings.full);

    let looked = look(&source.storage, &chosen.objects, &decisions, policy, compute).await;
    let plans = bind_all(document, &chosen.objects, &looked, key, &privacy)?;
    let cells = partition_cells(&plans);
    let rewrite = |partition: &Partition| rewrite_partition(&cells, partition);
    let naming = Naming { format: &sink_format, names: names(), partition: &rewrite };
    let named = discover(listed, &source.selection, given, &naming, &privacy)?;

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
        claimed: named.objects.iter().map(|object| object.output.clone()).collect(),
        inputs,
        skipped_by_rule: named.skipped.hidden + named.skipped.markers,
        description: describe(policy, key, &partitions, &plans, document),
        parquet: ParquetSettings { compression: parquet_codec(policy.sink.parquet.compression), metadata: Vec::new() },
        text: TextSettings { dialect: Dialect::from(&policy.sink.csv), codec: csv_codec(policy) },
    };
    for ((object, decision), look) in named.objects.into_iter().zip(decisions).zip(looked) {
        prepared.settle(policy, object, decision, look, &plans);
    }
    Ok(prepared)
}

/// Places of a job, opened but not read.
pub struct Places {
    /// What the policy says of the source.
    pub source: Location,
    /// Where outputs go.
    pub sink: Storage,
    /// Where records go.
    pub control: Storage,
    /// Settings of the stores.
    pub environment: Environment,
}

impl Places {
    /// Opens the places of `policy`.
    ///
    /// # Errors
    /// A URL that can't be one, a sink inside its source, a source inside its sink.
    pub fn open(policy: &Policy, environment: Environment) -> Result<Self, JobError> {
        let source = Location::parse(&policy.source.url)?;
        let sink = Location::parse(&policy.sink.url)?;
        if sink.is_web() {
            return Err(JobError::Usage(format!(
                "{sink}: http and https are for sources only; name a folder or a bucket"
            )));
        }
        let control = policy.sink.records.as_deref().map(Location::parse).transpose()?;
        let root = source.split_glob().map_or(source.clone(), |(root, _)| root);
        for place in std::iter::once(&sink).chain(&control) {
            match root.overlap(place)? {
                None => {}
                Some(Overlap::Same) => {
                    return Err(JobError::Usage(format!("the source {root} is the sink too; write somewhere else")));
                }
                Some(_) => {
                    return Err(JobError::Usage(format!(
                        "{root} and {place} lie in each other: a second run would read what the first one wrote; \
                         write somewhere else"
                    )));
                }
            }
        }
        let sink = Storage::open(&sink, &environment)?;
        let control = control.map(|place| Storage::open(&place, &environment)).transpose()?.unwrap_or(sink.clone());
        Ok(Self { source, sink, control, environment })
    }
}

/// What looking at an object gave.
type Look = Option<Result<(Inspected, Option<u64>), RewriteError>>;

/// Looks at each object that is to be done, and at one of each kind of path that is not.
async fn look(
    source: &Storage,
    objects: &[SourceObject],
    decisions: &[Decision],
    policy: &Policy,
    compute: &Compute,
) -> Vec<Look> {
    let mut kinds: HashSet<Vec<&str>> = HashSet::new();
    let mut wanted: Vec<bool> = decisions.iter().map(|decision| matches!(decision, Decision::Do(_))).collect();
    let kind = |object: &'_ SourceObject| {
        object.partitions.iter().map(|partition| partition.column.clone()).collect::<Vec<_>>()
    };
    let all: Vec<Vec<String>> = objects.iter().map(kind).collect();
    for (at, columns) in all.iter().enumerate().filter(|(at, _)| wanted[*at]).collect::<Vec<_>>() {
        kinds.insert(columns.iter().map(String::as_str).collect());
        debug_assert!(wanted[at]);
    }
    for (at, columns) in all.iter().enumerate() {
        wanted[at] |= kinds.insert(columns.iter().map(String::as_str).collect());
    }
    stream::iter(objects.iter().zip(wanted))
        .map(|(object, wanted)| async move {
            if wanted { Some(inspect(source, object, policy, compute).await) } else { None }
        })
        .buffered(INSPECTIONS_IN_FLIGHT)
        .collect()
        .await
}

/// What decides on a plan: the columns of the object and of its path.
type Kind = (Inspected, Vec<String>);

fn kind_of(object: &SourceObject, look: &Look) -> Option<Kind> {
    let Some(Ok((inspected, _))) = look else { return None };
    Some((inspected.clone(), object.partitions.iter().map(|partition| partition.column.clone()).collect()))
}

/// One plan for each kind of object, in the order in which they are met.
fn bind_all(
    document: &Document,
    objects: &[SourceObject],
    looked: &[Look],
    key: Option<&Arc<Key>>,
    privacy: &PathPrivacy,
) -> Result<Vec<(Kind, Arc<Plan>)>, JobError> {
    let expressions = Expressions::new(key);
    let mut plans: Vec<(Kind, Arc<Plan>)> = Vec::new();
    let mut places: HashMap<Kind, usize> = HashMap::new();
    for (object, look) in objects.iter().zip(looked) {
        let Some(kind) = kind_of(object, look) else { continue };
        if places.contains_key(&kind) {
            continue;
        }
        let source = SourceColumns {
            schema: Arc::clone(&kind.0.schema),
            partitions: kind.1.clone(),
            sorted_by: kind.0.sorted_by.clone(),
        };
        let plan = bind(&document.policy, &source, key, &expressions).map_err(|mut problems| {
            if !plans.is_empty() {
                // the first objects were all right: say which one is not
                let seen = privacy.name_input(&object.entry.path);
                problems.iter_mut().for_each(|problem| problem.message.push_str(&format!(" (in {seen})")));
            }
            JobError::Policy(Box::new(document.problems(problems)))
        })?;
        places.insert(kind.clone(), plans.len());
        plans.push((kind, Arc::new(plan)));
    }
    Ok(plans)
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
                self.tasks.push(Task { object, plan, format, dialect, types: inspected.types });
                self.reasons.push(reason);
                self.rows.push(rows);
            }
            (Decision::Do(_), None) => {}
        }
    }
}

/// The partition columns that any listed path has.
fn partition_names(listed: &[Entry]) -> BTreeSet<String> {
    let folders =
        listed.iter().filter_map(|entry| entry.path.rsplit_once('/')).flat_map(|(folders, _)| folders.split('/'));
    let decoded = |name: &str| percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
    folders.filter_map(|folder| folder.split_once('=')).map(|(name, _)| decoded(name)).collect()
}

/// Whether the policy does anything to a partition column, so that paths hold what it hides.
fn hides_partition(policy: &Policy, name: &str) -> bool {
    let path = ColumnPath::of(name);
    let rule = policy
        .columns
        .iter()
        .find(|column| !matches!(column.rule.transform, TransformSpec::Derive(_)) && column.pattern.matches(&path));
    rule.is_some_and(|column| !matches!(column.rule.transform, TransformSpec::Keep(_)))
}

/// A failed listing, which may name a folder before anybody knows the partitions: hidden ones are not shown.
fn unlisted(error: StorageError, policy: &Policy, source: &Location) -> StorageError {
    let segments = error.place().split('/').filter_map(|segment| segment.split_once('='));
    let hidden = segments.map(|(name, _)| percent_decode_str(name).decode_utf8_lossy().into_owned());
    let hides = policy.sink.names == Names::Hash || hidden.into_iter().any(|name| hides_partition(policy, &name));
    if hides { error.at(source.to_string()) } else { error }
}

fn hides_paths(policy: &Policy, partitions: &BTreeSet<String>) -> bool {
    policy.sink.names == Names::Hash || partitions.iter().any(|name| hides_partition(policy, name))
}

type Hash = Arc<dyn Fn(&str) -> String + Send + Sync>;

fn path_hash(policy: &Policy, key: Option<&Arc<Key>>) -> Result<Option<Hash>, JobError> {
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

fn path_privacy(
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

fn key_uses(policy: &Policy, key: Option<&Arc<Key>>, partitions: &BTreeSet<String>) -> Vec<KeyUse> {
    let used = needs_key(policy) || hides_paths(policy, partitions);
    let key = key.filter(|_| used);
    key.map(|key| KeyUse { id: key.id().to_owned(), fingerprint: key.fingerprint().to_string() }).into_iter().collect()
}

fn partition_cells(plans: &[(Kind, Arc<Plan>)]) -> BTreeMap<String, PartitionColumn> {
    let partitions = plans.iter().flat_map(|(_, plan)| &plan.partitions);
    partitions.map(|partition| (partition.name.clone(), partition.clone())).collect()
}

fn rewrite_partition(
    cells: &BTreeMap<String, PartitionColumn>,
    partition: &Partition,
) -> Result<PartitionRewrite, String> {
    let Some(column) = cells.get(&partition.column) else { return Ok(PartitionRewrite::Keep) };
    let value = match &column.cell {
        None if column.output_name == column.name => return Ok(PartitionRewrite::Keep),
        None => partition.value.clone(),
        Some(cell) => transformed(cell, partition.value.as_deref())?,
    };
    Ok(PartitionRewrite::Set { column: column.output_name.clone(), value })
}

fn transformed(cell: &Cell, value: Option<&str>) -> Result<Option<String>, String> {
    let array: ArrayRef = Arc::new(StringArray::from(vec![value]));
    let made = cell.apply(&array, &[], &mut Memo::default(), &mut Tally::default()).map_err(|error| match error {
        CellError::Value { reason, .. } => reason.into_owned(),
        CellError::Column(error) => error.to_string(),
    })?;
    let texts = made.as_string_opt::<i32>().ok_or("its token is no text")?;
    Ok(texts.is_valid(0).then(|| texts.value(0).to_owned()))
}

/// One description over all kinds of objects: the first one's, and what the others have beside it.
fn describe(
    policy: &Policy,
    key: Option<&Arc<Key>>,
    partitions: &BTreeSet<String>,
    plans: &[(Kind, Arc<Plan>)],
    document: &Document,
) -> PlanDescription {
    let mut all = PlanDescription {
        dataset: policy.dataset.clone(),
        policy_digest: policy_digest(policy),
        keys: key_uses(policy, key, partitions),
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

fn sink_format(policy: &Policy, input: ObjectFormat) -> SinkFormat {
    let csv = SinkFormat::Csv(match policy.sink.csv.compression {
        CsvCompression::None => Compression::None,
        CsvCompression::Gzip => Compression::Gzip,
        CsvCompression::Zstd => Compression::Zstd,
    });
    match (policy.sink.format, input) {
        (Some(Format::Parquet), _) | (None, ObjectFormat::Parquet) => SinkFormat::Parquet,
        _ => csv,
    }
}

fn csv_codec(policy: &Policy) -> Option<Codec> {
    match policy.sink.csv.compression {
        CsvCompression::None => None,
        CsvCompression::Gzip => Some(Codec::Gzip),
        CsvCompression::Zstd => Some(Codec::Zstd),
    }
}

fn parquet_codec(compression: ParquetCompression) -> ParquetCodec {
    // the policy has checked the levels
    match compression {
        ParquetCompression::None => ParquetCodec::UNCOMPRESSED,
        ParquetCompression::Snappy => ParquetCodec::SNAPPY,
        ParquetCompression::Lz4 => ParquetCodec::LZ4_RAW,
        ParquetCompression::Gzip(level) => ParquetCodec::GZIP(GzipLevel::try_new(level).unwrap_or_default()),
        ParquetCompression::Brotli(level) => ParquetCodec::BROTLI(BrotliLevel::try_new(level).unwrap_or_default()),
        ParquetCompression::Zstd(level) => ParquetCodec::ZSTD(ZstdLevel::try_new(level as i32).unwrap_or_default()),
    }
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
