//! Rewrites one object: units in, encoded in parallel, appended in order, published whole, recorded.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use parquet::file::metadata::KeyValue;

use super::budget::{Budget, Reservation};
use super::compute::Compute;
use super::csv::Dialect;
use super::digests::Digests;
use super::discover::{ObjectFormat, SinkFormat, SourceObject};
use super::error::RewriteError;
use super::estimate::{self, Packing};
use super::evaluate::{mask, sources};
use super::inspect::codec;
use super::outcome::{ColumnFacts, Failure, ObjectFacts, Outcome, Status};
use super::parquet::append::Appender;
use super::parquet::footer::{self, Footer};
use super::parquet::index::{self, PageIndexes};
use super::parquet::kept;
use super::parquet::outbox::Segment;
use super::parquet::routes::Routes;
use super::parquet::rows::FileLayout;
use super::parquet::unread::unread;
use super::parquet::write::{self, EncodedRows, ParquetSettings, Source};
use super::privacy::PathPrivacy;
use super::progress::Progress;
use super::publish::{ObjectWriter, Published};
use super::records::{InputId, OutputRef, Record, RecordStore, RunIdentity, superseded};
use super::row_groups::{Needs, RowGroups};
use super::rows::{Rows, WithPartitions};
use super::stop::Stop;
use super::storage::{Entry, Expected, Storage};
use super::sum::{Part, Sum, streamed};
use super::text_rows::TextLayout;
use super::text_write::{EncodedText, TextAppender, TextEncoder, TextSettings};
use super::time::timestamp;
use super::units::{Portion, TextStream, TextUnits, Unit};
use crate::crypto::StreamDigest;
use crate::policy::ColumnType;
use crate::policy::plan::Plan;

/// Units of one object that are under way at a time: one is computed while the next is read.
const UNITS_AHEAD: usize = 2;
/// Text that becomes one row group, in bytes. Part of what an output's bytes follow from.
const ROW_GROUP_TEXT_BYTES: usize = 64 << 20;
/// Text that becomes text, in bytes a unit.
const TEXT_UNIT_BYTES: usize = 16 << 20;

/// What all objects of a run share.
pub struct Run {
    /// Where inputs lie.
    pub source: Storage,
    /// Where outputs go.
    pub sink: Storage,
    /// Where records go.
    pub records: RecordStore,
    /// What the run is, for records.
    pub identity: RunIdentity,
    /// The policy's dataset.
    pub dataset: String,
    /// Records of earlier runs, by input key.
    pub known: HashMap<String, Record>,
    /// Output paths of this run, which no redo removes.
    pub claimed: HashSet<String>,
    /// The pool.
    pub compute: Compute,
    /// What hashes inputs and outputs.
    pub digests: Digests,
    /// The memory budget.
    pub budget: Budget,
    /// Who wants to know.
    pub progress: Arc<dyn Progress>,
    /// Asks to stop.
    pub stop: Stop,
    /// How Parquet is written.
    pub parquet: ParquetSettings,
    /// Footer keys that are carried over.
    pub keep_metadata: Vec<String>,
    /// How CSV is written.
    pub text: TextSettings,
    /// Whether files are synced before they are named.
    pub sync: bool,
}

/// One object's work.
#[derive(Debug, Clone)]
pub struct Task {
    /// The input, and where its output goes.
    pub object: SourceObject,
    /// What is done to its columns.
    pub plan: Arc<Plan>,
    /// The format of its output.
    pub format: SinkFormat,
    /// Its columns as they are stored: texts that the plan's source has typed are texts here.
    pub stored: SchemaRef,
    /// For CSV inputs: how they are read, and the type of each column.
    pub dialect: Dialect,
    /// For CSV inputs, in the header's order.
    pub types: Vec<ColumnType>,
}

/// What was written for an object.
pub(super) struct Done {
    pub(super) published: Published,
    pub(super) rows_in: u64,
    pub(super) rows_out: u64,
    pub(super) input_sha256: Option<String>,
    pub(super) columns: Vec<ColumnFacts>,
}

impl Run {
    /// Rewrites one object; whatever happens to it is an outcome.
    pub async fn rewrite(&self, task: &Task) -> Outcome {
        let display = self.display(task);
        self.progress.object_started(&display);
        let input = ObjectFacts {
            path: display.clone(),
            size: task.object.entry.size,
            etag: self.input_etag(&task.object.entry),
            sha256: None,
            rows: None,
        };
        let outcome = match self.rewrite_and_record(task).await {
            Ok(done) => Outcome {
                status: Status::Written,
                input: ObjectFacts { rows: Some(done.rows_in), sha256: self.shown_digest(done.input_sha256), ..input },
                output: Some(ObjectFacts {
                    path: task.object.output.clone(),
                    size: done.published.size,
                    etag: done.published.etag,
                    sha256: Some(done.published.sha256),
                    rows: Some(done.rows_out),
                }),
                failure: None,
                columns: done.columns,
            },
            Err(error) => {
                let error = match error {
                    RewriteError::Storage(error) => RewriteError::Storage(error.at(&display)),
                    other => other,
                };
                let failure = Failure { code: error.code().to_owned(), message: error.to_string() };
                Outcome { status: Status::Failed, input, output: None, failure: Some(failure), columns: Vec::new() }
            }
        };
        self.progress.object_finished(&display, outcome.status == Status::Written);
        outcome
    }

    fn display(&self, task: &Task) -> String {
        self.identity.privacy.name(&task.object.entry.path, &task.object.output)
    }

    /// An etag can be a digest of the bytes: where paths hold data it is hashed like them.
    fn input_etag(&self, entry: &Entry) -> Option<String> {
        let etag = entry.etag.as_ref()?;
        Some(match &self.identity.privacy {
            PathPrivacy::Open => etag.clone(),
            PathPrivacy::Keyed(hash) => hash(etag),
        })
    }

    /// Anyone can test guesses against a digest of a small object: it is not told where paths are hidden.
    fn shown_digest(&self, sha256: Option<String>) -> Option<String> {
        sha256.filter(|_| matches!(self.identity.privacy, PathPrivacy::Open))
    }

    async fn rewrite_and_record(&self, task: &Task) -> Result<Done, RewriteError> {
        let done = self.write(task).await?;
        let mut record = Record {
            version: 1,
            dataset: self.dataset.clone(),
            source: self.identity.recorded_source(),
            filter: self.identity.recorded_filter(),
            input: InputId::new(&task.object.entry, &self.identity.privacy),
            policy_digest: self.identity.policy_digest.clone(),
            keys: self.identity.keys.clone(),
            outputs: vec![OutputRef {
                path: task.object.output.clone(),
                size: done.published.size,
                etag: done.published.etag.clone(),
                sha256: done.published.sha256.clone(),
            }],
            superseded: Vec::new(),
            rows_in: done.rows_in,
            rows_out: done.rows_out,
            completed_at: timestamp(std::time::SystemTime::now()),
        };
        let keys = self.identity.keys_of(&task.object.entry.path);
        let old: Vec<&Record> = keys.iter().filter_map(|key| self.known.get(key)).collect();
        record.superseded = old.iter().flat_map(|old| superseded(old, &record, &self.claimed)).collect();
        self.records.write(&record).await?;
        if !record.superseded.is_empty() {
            self.records.finish(&self.sink, &mut record).await.map_err(RewriteError::OlderOutput)?;
        }
        for old in old.into_iter().filter(|old| old.input.key() != record.input.key()) {
            self.records.remove(old).await?;
        }
        Ok(done)
    }

    async fn write(&self, task: &Task) -> Result<Done, RewriteError> {
        self.stop.check()?;
        if let Some(surgery) = self.surgery(task) {
            return self.operate(task, surgery).await;
        }
        let mut input = self.open(task).await?;
        let (encoder, mut appender, first) = self.begin(task, &mut input)?;
        let entry = &task.object.entry;
        let writer = ObjectWriter::create(&self.sink, &task.object.output, entry.size, self.sync).await?;
        let mut writer = writer.hashed_by(&self.digests);
        writer.write(first).await?;
        let units = std::mem::replace(&mut input.units, futures::stream::empty().boxed());
        let mut encoded = units.map(|unit| self.encode(task, Arc::clone(&encoder), unit)).buffered(UNITS_AHEAD);
        let mut sum = Sum::new(&task.plan);
        let footer = input.parquet.map(|(_, footer)| footer);
        while let Some(unit) = encoded.next().await {
            let Encoded { payload, portion, rows_in, held, reservation } = unit?;
            let append = move || appender.append(payload, &portion, rows_in);
            let (returned, segments, part) = self.compute.run("appending a unit", append).await?;
            appender = returned;
            sum.add(part);
            self.move_segments(task, segments, (&held, footer.as_ref()), &mut writer).await?;
            self.progress.rows_done(rows_in);
            drop((held, reservation));
        }
        drop(encoded);
        let last = self.compute.run("finishing an object", move || appender.finish()).await?;
        self.move_segments(task, last, (&Held::default(), None), &mut writer).await?;
        self.stop.check()?;
        let published = writer.finish().await?;
        let input_sha256 = input.digest.and_then(|digest| digest.hex());
        Ok(sum.done(task, published, input_sha256))
    }

    /// Writes segments of the output; what is copied from the source comes from `held`, or from what was read with the
    /// footer, or is read now.
    async fn move_segments(
        &self,
        task: &Task,
        segments: Vec<Segment>,
        (held, footer): (&Held, Option<&Footer>),
        writer: &mut ObjectWriter,
    ) -> Result<(), RewriteError> {
        let entry = &task.object.entry;
        for segment in segments {
            let mut range = match segment {
                Segment::Bytes(bytes) => {
                    writer.write(bytes).await?;
                    continue;
                }
                Segment::Source(range) => range,
            };
            while let Some(bytes) = held.0.as_ref().and_then(|rows| rows.bytes(range.clone())) {
                range.start += bytes.len() as u64;
                writer.write(bytes).await?;
            }
            let absent = footer.map_or(range.clone(), |footer| footer.absent(&range));
            let tail = footer.and_then(|footer| footer.held(&(absent.end..range.end)));
            let mut pieces = self.source.get_range_stream(&entry.path, absent, &Expected::from(entry));
            while let Some(piece) = pieces.next().await {
                self.stop.check()?;
                let piece = piece?;
                self.progress.bytes_read(piece.len() as u64);
                writer.write(piece).await?;
            }
            if let Some(tail) = tail {
                writer.write(tail).await?;
            }
        }
        Ok(())
    }

    /// Opens the input and makes sure that it is what was planned for.
    async fn open(&self, task: &Task) -> Result<Input, RewriteError> {
        let entry = &task.object.entry;
        let (storage, budget) = (self.source.clone(), self.budget.clone());
        let ObjectFormat::Csv { compression, .. } = task.object.format else {
            return self.open_parquet(task).await;
        };
        let columns = needed(&task.plan);
        let mut text = TextStream::open(&storage, entry, codec(compression), &self.compute);
        let digest = text.hashed_by(&self.digests);
        let (header, start) = text.header(&task.dialect).await?;
        let planned: Vec<&String> = task.plan.source.fields().iter().map(|field| field.name()).collect();
        if header.names().iter().collect::<Vec<_>>() != planned {
            return Err(RewriteError::SchemaChanged);
        }
        let wanted: Vec<usize> = (0..planned.len()).filter(|&at| columns.contains(planned[at])).collect();
        let schema = Arc::new(task.plan.source.project(&wanted).map_err(|_| RewriteError::SchemaChanged)?);
        let types = wanted.iter().filter_map(|&at| task.types.get(at).copied()).collect();
        let layout = Arc::new(TextLayout::new(task.dialect.clone(), header, schema, types)?);
        let unit_bytes = match task.format {
            SinkFormat::Parquet => ROW_GROUP_TEXT_BYTES,
            SinkFormat::Csv(_) => TEXT_UNIT_BYTES,
        };
        let made_row_bytes = estimate::row_bytes(&task.plan, self.packing(task));
        let (copies, columns) = (estimate::copies(&task.plan, planned.len()), task.plan.columns.len());
        let units = TextUnits { text, layout, unit_bytes, made_row_bytes, copies, columns, budget }.units(start);
        let routes = Routes::new(&task.plan, None, self.parquet.choices())?;
        Ok(Input { units, routes: Some(routes), parquet: None, digest: Some(digest) })
    }

    async fn open_parquet(&self, task: &Task) -> Result<Input, RewriteError> {
        let (entry, plan, stored) = (&task.object.entry, Arc::clone(&task.plan), Arc::clone(&task.stored));
        let footer = footer::read(&self.source, entry).await?;
        let metadata = Arc::clone(&footer.metadata);
        let (to_parquet, choices) = (task.format == SinkFormat::Parquet, self.parquet.choices());
        let look = move || {
            let layout = FileLayout::new(metadata)?;
            if layout.schema().fields() != stored.fields() {
                return Err(RewriteError::SchemaChanged);
            }
            let layout = layout.read_as(&plan.source);
            let copies = to_parquet && !kept::has_wrong_sizes(layout.metadata());
            let routes = Routes::new(&plan, Some(&layout).filter(|_| copies), choices)?;
            Ok((layout, routes))
        };
        let (layout, routes) = self.compute.run("reading a Parquet schema", look).await?;
        let indexes = self.indexes(entry, &footer, &layout, &routes).await?;
        let unread = unread(&task.plan, &layout).into();
        let groups = RowGroups {
            storage: self.source.clone(),
            entry: entry.clone(),
            footer: footer.clone(),
            needs: Needs::new(&task.plan, &routes, &layout, unread)?,
            packing: self.packing(task),
            by_columns: to_parquet,
            layout: layout.clone(),
            budget: self.budget.clone(),
        };
        let source = Source { layout, indexes: indexes.map(Arc::new), size: entry.size };
        Ok(Input { units: groups.units(), routes: Some(routes), parquet: Some((source, footer)), digest: None })
    }

    /// How what is made is packed; text is held as it is, and compressed when its turn comes.
    fn packing(&self, task: &Task) -> Packing {
        match task.format {
            SinkFormat::Parquet => self.parquet.compression.into(),
            SinkFormat::Csv(_) => Packing::None,
        }
    }

    /// Page indexes of what is copied; `None` if some chunk of the output would have none.
    async fn indexes(
        &self,
        entry: &Entry,
        footer: &Footer,
        layout: &FileLayout,
        routes: &Routes,
    ) -> Result<Option<PageIndexes>, RewriteError> {
        let schema = footer.metadata.file_metadata().schema_descr();
        let mut leaves: Vec<usize> = routes.copied().collect();
        // rows of nested pages begin where the source's index says that they do
        leaves.extend(routes.rewritten().filter(|&leaf| schema.column(leaf).max_rep_level() > 0));
        leaves.sort_unstable();
        leaves.dedup();
        let indexes = index::read(&self.source, entry, footer, &leaves).await?;
        let mut groups = layout.metadata().row_groups().iter().enumerate().filter(|(_, group)| group.num_rows() > 0);
        let whole = groups.all(|(index, _)| leaves.iter().all(|&leaf| indexes.offsets(index, leaf).is_some()));
        Ok(whole.then_some(indexes))
    }

    fn begin(&self, task: &Task, input: &mut Input) -> Result<(Arc<AnyEncoder>, AnyAppender, Bytes), RewriteError> {
        match task.format {
            SinkFormat::Parquet => {
                let mut settings = self.parquet.clone();
                let source = input.parquet.as_ref().map(|(source, _)| source.clone());
                let layout = source.as_ref().map(|source| &source.layout);
                settings.metadata = layout.map(|layout| self.kept_metadata(layout)).unwrap_or_default();
                let routes = input.routes.take().ok_or(RewriteError::Internal("beginning an object twice"))?;
                let (encoder, appender) = write::begin(&task.plan, &settings, routes, source, &self.stop)?;
                Ok((Arc::new(AnyEncoder::Parquet(encoder)), AnyAppender::Parquet(appender), Bytes::new()))
            }
            SinkFormat::Csv(_) => {
                let encoder = TextEncoder::new(&task.plan, &self.text, all_needed(&task.plan))?;
                let mut appender = TextAppender::new(&self.text);
                let header = appender.append(encoder.header()?)?;
                Ok((Arc::new(AnyEncoder::Text(encoder)), AnyAppender::Text(appender), header))
            }
        }
    }

    fn kept_metadata(&self, layout: &FileLayout) -> Vec<KeyValue> {
        let pairs = layout.metadata().file_metadata().key_value_metadata();
        let kept = |pair: &&KeyValue| {
            pair.key != parquet::arrow::ARROW_SCHEMA_META_KEY && self.keep_metadata.contains(&pair.key)
        };
        pairs.map(|pairs| pairs.iter().filter(kept).cloned().collect()).unwrap_or_default()
    }

    async fn encode(
        &self,
        task: &Task,
        encoder: Arc<AnyEncoder>,
        unit: Result<Unit, RewriteError>,
    ) -> Result<Encoded, RewriteError> {
        let Unit { rows, reservation, input_bytes, portion } = unit?;
        let inner = rows.await?;
        self.progress.bytes_read(input_bytes);
        let partitions =
            task.object.partitions.iter().map(|partition| (partition.column.clone(), partition.value.clone()));
        let (own, stop) = (Arc::clone(&task.plan.source), self.stop.clone());
        let rows = WithPartitions { inner, partitions: partitions.collect(), own, stop };
        let plan = Arc::clone(&task.plan);
        let encode = move || {
            let mask = mask(&plan, &rows)?;
            Ok((encoder.encode(&rows, &mask, &portion)?, rows, portion))
        };
        let (payload, rows, portion) = self.compute.run("rewriting rows", encode).await?;
        let rows_in = if portion.begins_rows() { rows.len() as u64 } else { 0 };
        Ok(Encoded { payload, portion, rows_in, held: Held(Some(rows)), reservation })
    }
}

/// An input that is open.
struct Input {
    units: BoxStream<'static, Result<Unit, RewriteError>>,
    routes: Option<Routes>,
    parquet: Option<(Source, Footer)>,
    digest: Option<InputDigest>,
}

/// SHA-256 over an object that is read whole.
#[derive(Clone, Default)]
pub struct InputDigest(Arc<OnceLock<[u8; 32]>>);

impl InputDigest {
    /// The object was read to its end.
    pub fn set(&self, digest: StreamDigest) {
        self.0.get_or_init(|| digest.finalize());
    }

    /// In lower-case hexadecimal; `None` before the object was read whole.
    pub fn hex(&self) -> Option<String> {
        self.0.get().map(|digest| data_encoding::HEXLOWER.encode(digest))
    }
}

enum AnyEncoder {
    Parquet(write::Encoder),
    Text(TextEncoder),
}

enum AnyAppender {
    Parquet(Appender),
    Text(TextAppender),
}

enum Payload {
    Parquet(EncodedRows),
    Text(EncodedText),
}

/// What was read for a unit: copied chunks are taken from it, if they are there.
#[derive(Default)]
struct Held(Option<WithPartitions>);

struct Encoded {
    payload: Payload,
    portion: Portion,
    /// Rows that no portion before had.
    rows_in: u64,
    held: Held,
    reservation: Reservation,
}

impl AnyEncoder {
    fn encode(
        &self,
        rows: &dyn super::rows::Rows,
        mask: &super::evaluate::Mask,
        portion: &Portion,
    ) -> Result<Payload, RewriteError> {
        match self {
            Self::Parquet(encoder) => Ok(Payload::Parquet(encoder.encode(rows, mask, portion)?)),
            Self::Text(_) if !(portion.begins_rows() && portion.ends_rows()) => {
                Err(RewriteError::Internal("writing text by columns"))
            }
            Self::Text(encoder) => Ok(Payload::Text(encoder.encode(rows, mask)?)),
        }
    }
}

impl AnyAppender {
    fn append(
        mut self,
        payload: Payload,
        portion: &Portion,
        rows_in: u64,
    ) -> Result<(Self, Vec<Segment>, Part), RewriteError> {
        let (segments, rows, columns) = match (&mut self, payload) {
            (Self::Parquet(appender), Payload::Parquet(mut encoded)) => {
                let chunks = encoded.take_chunks();
                // readers stumble over row groups without rows
                let is_any = encoded.rows > 0;
                let segments = if is_any { appender.append(chunks, portion.ends_rows())? } else { Vec::new() };
                (segments, encoded.rows, encoded.columns)
            }
            (Self::Text(appender), Payload::Text(encoded)) => {
                let text = Segment::Bytes(appender.append(encoded.text)?);
                (vec![text], encoded.rows, encoded.states.into_iter().map(streamed).collect())
            }
            _ => return Err(RewriteError::Internal("matching encoder and appender")),
        };
        let rows_out = if portion.begins_rows() { rows } else { 0 };
        Ok((self, segments, Part { rows_in, rows_out, first: portion.columns.start, columns }))
    }

    fn finish(self) -> Result<Vec<Segment>, RewriteError> {
        match self {
            Self::Parquet(appender) => appender.finish(),
            Self::Text(appender) => Ok(vec![Segment::Bytes(appender.finish()?)]),
        }
    }
}

/// Source columns that the plan reads from the object itself.
fn needed(plan: &Plan) -> Vec<String> {
    let own = |name: &String| plan.source.column_with_name(name).is_some();
    all_needed(plan).into_iter().filter(own).collect()
}

/// Source columns that the plan reads, partitions included, each once.
fn all_needed(plan: &Plan) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let filter = plan.filter.iter().flat_map(|filter| filter.columns.clone());
    for name in plan.columns.iter().flat_map(sources).chain(filter) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
