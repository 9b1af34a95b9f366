//! Does the job: takes the sink's lease, rewrites, records, prunes, reports.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use uuid::Uuid;

use super::prepare::{Places, Prepared, open_keys, prepare, shown};
use super::prune::{self, Pruning};
use super::{JobError, Settings};
use crate::engine::budget::Budget;
use crate::engine::compute::Compute;
use crate::engine::digests::Digests;
use crate::engine::lease::{Lease, break_lease};
use crate::engine::object::Run;
use crate::engine::outcome::Failure;
use crate::engine::outcome_rows;
use crate::engine::progress::Progress;
use crate::engine::publish::clean_temporaries;
use crate::engine::rewrite_exec::RewriteExec;
use crate::engine::stop::Stop;
use crate::engine::storage::{CONTROL_FOLDER, Environment, Storage};
use crate::lineage::collect::{Collector, Ending, RunFacts};
use crate::lineage::emit::Emitter;
use crate::lineage::model::{Host, Location, Report, Status};
use crate::lineage::render;
use crate::policy::describe::{PlanDescription, Warning};
use crate::policy::{Document, Format};
use crate::transforms::normalize::UNICODE_VERSIONS;

/// Of the memory that the caller grants, the part that units of work reserve; the rest is the program itself, its
/// threads' working sets and what the allocator keeps.
const UNITS_SHARE: (u64, u64) = (5, 8);

/// Objects under way at a time beyond one for each thread: while one is published another computes.
const EXTRA_OBJECTS: usize = 1;

/// Runs the job of `document` and gives its report, which also lies in the sink under `_lakeveil/reports/`.
///
/// # Errors
/// What stopped the run as a whole; objects that failed are in the report.
pub async fn run(
    document: &Document,
    settings: &Settings,
    environment: Environment,
    progress: Arc<dyn Progress>,
    stop: Stop,
) -> Result<Report, JobError> {
    let started = SystemTime::now();
    let compute = Compute::new(settings.threads).map_err(|_| JobError::Internal("starting threads"))?;
    let emitter = settings.openlineage.as_deref().map(Emitter::from_env).transpose();
    let emitter = emitter.map_err(|error| JobError::Usage(error.to_string()))?;
    let places = Places::open(&document.policy, environment)?;
    let facts = RunFacts {
        run_id: Uuid::now_v7(),
        started,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        source: place(&shown(&document.policy, &places.source.to_string()), document.policy.source.format),
        sink: place(&places.sink.location().to_string(), document.policy.sink.format),
        host: Host {
            threads: compute.threads() as u64,
            memory_bytes: settings.memory_bytes,
            cpu_arch: std::env::consts::ARCH.to_owned(),
        },
        unicode: UNICODE_VERSIONS.iter().map(|(name, version)| (name.to_string(), version.to_string())).collect(),
    };
    let begun = begin(document, settings, &compute, &places, &facts, &stop).await;
    let (held, prepared, pruning) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            if let Some(emitter) = &emitter {
                tell_failure(emitter, document, settings, facts, &error).await;
            }
            return Err(error);
        }
    };
    let job = Job { document, settings, compute, emitter: emitter.as_ref(), progress, stop };
    let done = work(job, prepared, pruning, facts).await;
    let released = held.release().await;
    let report = done?;
    if let Err(error) = released {
        // it runs out by itself, and the work is done
        tracing::warn!("{error}");
    }
    Ok(report)
}

/// The leases of a run, and who watches them.
#[derive(Default)]
struct Held {
    leases: Vec<(Lease, tokio::task::JoinHandle<()>)>,
}

impl Held {
    async fn acquire(
        &mut self,
        storage: &Storage,
        settings: &Settings,
        run_id: Uuid,
        stop: &Stop,
    ) -> Result<(), JobError> {
        if settings.break_lease {
            break_lease(storage).await?;
        }
        let lease = Lease::acquire(storage, &run_id.to_string(), "lakeveil run").await?;
        let watch = watch_lease(&lease, stop.clone());
        self.leases.push((lease, watch));
        Ok(())
    }

    async fn release(self) -> Result<(), JobError> {
        let mut released = Ok(());
        for (lease, watch) in self.leases {
            watch.abort();
            released = released.and(lease.release().await);
        }
        Ok(released?)
    }
}

/// All that can fail before a run is announced.
async fn begin(
    document: &Document,
    settings: &Settings,
    compute: &Compute,
    places: &Places,
    facts: &RunFacts,
    stop: &Stop,
) -> Result<(Held, Prepared, Pruning), JobError> {
    let keys = open_keys(&document.policy)?;
    let mut held = Held::default();
    let prepared = async {
        held.acquire(&places.control, settings, facts.run_id, stop).await?;
        // records elsewhere may be another run's records elsewhere: a folder is shared with its own lease as well
        if document.policy.sink.records.is_some() && places.sink.location().is_local() {
            held.acquire(&places.sink, settings, facts.run_id, stop).await?;
        }
        for place in [&places.sink, &places.control] {
            clean_temporaries(place).await?;
        }
        let prepared = prepare(document, settings, compute, places, keys.as_ref()).await?;
        let pruning = prune::choose(&prepared, &prepared.inputs, settings.prune)?;
        Ok((prepared, pruning))
    };
    let prepared = prepared.await;
    match prepared {
        Ok((prepared, pruning)) => Ok((held, prepared, pruning)),
        Err(error) => {
            // the first error is the one to tell
            let _ = held.release().await;
            Err(error)
        }
    }
}

/// Lineage of a run that came to nothing before there was a plan.
async fn tell_failure(emitter: &Emitter, document: &Document, settings: &Settings, facts: RunFacts, error: &JobError) {
    let plan = PlanDescription { dataset: document.policy.dataset.clone(), ..PlanDescription::default() };
    let failure = Some(Failure { code: error.code().to_owned(), message: error.to_string() });
    let ending = Ending { ended: SystemTime::now(), pruned: 0, skipped_by_rule: 0, failure, warnings: Vec::new() };
    let report = Collector::new(facts, &plan).finish(ending);
    if let Err(unsent) = emitter.emit(&render::openlineage::end(&report, namespace(settings))).await {
        tracing::warn!("{unsent}");
    }
}

fn namespace(settings: &Settings) -> &str {
    settings.namespace.as_deref().unwrap_or(render::openlineage::DEFAULT_JOB_NAMESPACE)
}

fn place(url: &str, format: Option<Format>) -> Location {
    let format = format.map(|format| match format {
        Format::Parquet => "parquet".to_owned(),
        Format::Csv => "csv".to_owned(),
    });
    Location { url: url.to_owned(), format }
}

/// Without the lease another run may write: this one stops.
fn watch_lease(lease: &Lease, stop: Stop) -> tokio::task::JoinHandle<()> {
    let mut lost = lease.lost();
    tokio::spawn(async move {
        if lost.wait_for(|lost| *lost).await.is_ok() {
            tracing::error!("the sink's lease was lost to another run; stopping");
            stop.request();
        }
    })
}

/// What the parts of a run share once it has begun.
struct Job<'a> {
    document: &'a Document,
    settings: &'a Settings,
    compute: Compute,
    emitter: Option<&'a Emitter>,
    progress: Arc<dyn Progress>,
    stop: Stop,
}

async fn work(job: Job<'_>, mut prepared: Prepared, pruning: Pruning, facts: RunFacts) -> Result<Report, JobError> {
    let Job { settings, emitter, .. } = job;
    let namespace = namespace(settings);
    let run_id = facts.run_id;
    let mut warnings = Vec::new();
    if prepared.inputs.is_empty() && pruning.outputs.is_empty() {
        let message =
            "the source holds no object that could be read; check its URL, its glob and the format".to_owned();
        warnings.push(Warning { code: "no-objects".to_owned(), column: None, message });
    }
    let mut collector = Collector::new(facts, &prepared.description);
    if let Some(emitter) = emitter {
        let event = render::openlineage::start(&collector.opening(), namespace);
        if let Err(error) = emitter.emit(&event).await {
            let code = "openlineage-not-sent".to_owned();
            warnings.push(Warning { code, column: None, message: error.to_string() });
        }
    }

    for outcome in std::mem::take(&mut prepared.settled) {
        collector.add(outcome);
    }
    let failure = match rewrite(&job, &mut prepared, &mut collector).await {
        Err(error) => Some(Failure { code: error.code().to_owned(), message: error.to_string() }),
        Ok(()) if job.stop.is_requested() => {
            let message = "stopped before every object was done; run the same command again to go on".to_owned();
            Some(Failure { code: "stopped".to_owned(), message })
        }
        Ok(()) => None,
    };
    let (pruned, failure) = match failure {
        Some(failure) => (0, Some(failure)),
        None => match prune::remove(&prepared, &pruning, &job.stop).await {
            Ok(pruned) => (pruned, None),
            Err(error) => (0, Some(Failure { code: error.code().to_owned(), message: error.to_string() })),
        },
    };
    let skipped_by_rule = prepared.skipped_by_rule;
    if let Err(error) = prune::tidy(&prepared).await {
        warnings.push(Warning { code: "empty-folder-left".to_owned(), column: None, message: error.to_string() });
    }
    let mut report = collector.finish(Ending { ended: SystemTime::now(), pruned, skipped_by_rule, failure, warnings });
    let path = format!("{CONTROL_FOLDER}/reports/{run_id}.json");
    let stored = |report: &Report| render::json::render(report).into_bytes().into();
    if let Err(error) = prepared.control.put(&path, stored(&report)).await {
        // the report is wanted most where the sink takes nothing more
        report.status = Status::Partial;
        report
            .failure
            .get_or_insert(Failure { code: error.kind().code().to_owned(), message: error.to_string() }.into());
    }
    if let Some(emitter) = emitter {
        let event = render::openlineage::end(&report, namespace);
        if let Err(error) = emitter.emit(&event).await {
            report.warn(error.as_warning());
            prepared.control.put(&path, stored(&report)).await?;
        }
    }
    Ok(report)
}

async fn rewrite(job: &Job<'_>, prepared: &mut Prepared, collector: &mut Collector) -> Result<(), JobError> {
    let Job { document, settings, compute, progress, stop, .. } = job;
    prune::finish_earlier_runs(prepared).await?;
    let tasks = std::mem::take(&mut prepared.tasks);
    progress.start(tasks.len() as u64, tasks.iter().map(|task| task.object.entry.size).sum());
    let partitions = (compute.threads() + EXTRA_OBJECTS).min(tasks.len().max(1));
    let known: HashMap<_, _> =
        prepared.known.iter().map(|record| (record.input.key().to_owned(), record.clone())).collect();
    let run = Run {
        source: prepared.source.clone(),
        sink: prepared.sink.clone(),
        records: prepared.records.clone(),
        identity: prepared.identity.clone(),
        dataset: document.policy.dataset.clone(),
        known,
        claimed: prepared.claimed.clone(),
        compute: compute.clone(),
        digests: Digests::default(),
        budget: Budget::new(settings.memory_bytes / UNITS_SHARE.1 * UNITS_SHARE.0),
        progress: Arc::clone(progress),
        stop: stop.clone(),
        parquet: prepared.parquet.clone(),
        keep_metadata: document.policy.sink.parquet.keep_metadata.clone(),
        text: prepared.text.clone(),
        sync: settings.sync,
    };
    let plan: Arc<dyn ExecutionPlan> = Arc::new(RewriteExec::new(Arc::new(run), tasks, partitions));
    let broken = |_| JobError::Internal("streaming outcomes");
    let mut rows = execute_stream(plan, Arc::new(TaskContext::default())).map_err(broken)?;
    while let Some(batch) = rows.next().await {
        let outcome = outcome_rows::from_batch(&batch.map_err(broken)?);
        collector.add(outcome.ok_or(JobError::Internal("reading outcomes"))?);
    }
    progress.finish();
    Ok(())
}

/// The program's exit code for a report: 0 done, 1 some objects failed or the run was stopped.
pub fn exit_code(report: &Report) -> u8 {
    match report.status {
        Status::Complete | Status::NothingToDo => 0,
        Status::Partial | Status::Failed => 1,
    }
}
