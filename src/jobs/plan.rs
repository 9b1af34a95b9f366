//! What a run would do, as data: written nowhere, printed by `lakeveil plan`.

use serde::Serialize;

use super::prepare::{Places, Prepared, open_keys, prepare, shown};
use super::prune::{self, Pruning};
use super::{JobError, Prune, Settings};
use crate::engine::compute::Compute;
use crate::engine::discover::SinkFormat;
use crate::engine::outcome::Status;
use crate::engine::records::Reason;
use crate::engine::storage::Environment;
use crate::policy::describe::PlanDescription;
use crate::policy::{Document, Policy};

/// A run before it is done.
#[derive(Debug, Clone, Serialize)]
pub struct PlanReport {
    /// Version of this shape.
    pub version: u32,
    /// Where inputs lie, without credentials.
    pub source: String,
    /// Where outputs would go.
    pub sink: String,
    /// What would happen to each column.
    pub plan: PlanDescription,
    /// What would happen to each object.
    pub objects: Vec<PlannedObject>,
    /// Outputs that `--prune` would remove, also where it would be refused.
    pub prune: Vec<String>,
    /// Why a run with `--prune` would be refused, if it would.
    pub prune_refused: Option<String>,
    /// Names passed over by the discovery rules.
    pub skipped_by_rule: u64,
}

/// One object of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedObject {
    /// What would happen.
    pub action: Action,
    /// Display name of the input.
    pub input: String,
    /// Where its output would go.
    pub output: Option<String>,
    /// `parquet` or `csv`.
    pub format: Option<String>,
    /// Bytes of the input.
    pub size: u64,
    /// Rows of the input, where its metadata holds them.
    pub rows: Option<u64>,
    /// Why it would be written, or why it can't be.
    pub reason: Option<String>,
}

/// What would happen to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It would be written.
    Write,
    /// It is done already.
    Skip,
    /// It can't be read.
    Fail,
}

/// Plans the job of `document`.
///
/// # Errors
/// What would stop the run as a whole.
pub async fn plan(document: &Document, settings: &Settings, environment: Environment) -> Result<PlanReport, JobError> {
    let compute = Compute::new(settings.threads).map_err(|_| JobError::Internal("starting threads"))?;
    let places = Places::open(&document.policy, environment)?;
    let keys = open_keys(&document.policy)?;
    let prepared = prepare(document, settings, &compute, &places, keys.as_ref()).await?;
    let chosen = prune::choose(&prepared, &prepared.inputs, settings.prune);
    let (pruning, refused) = match chosen {
        Err(JobError::Prune(refused)) => {
            (prune::choose(&prepared, &prepared.inputs, Prune::Force)?, Some(refused.to_string()))
        }
        chosen => (chosen?, None),
    };
    Ok(PlanReport { prune_refused: refused, ..report(&document.policy, &prepared, &pruning) })
}

fn report(policy: &Policy, prepared: &Prepared, pruning: &Pruning) -> PlanReport {
    let mut objects: Vec<PlannedObject> = (prepared.tasks.iter().zip(&prepared.reasons).zip(&prepared.rows))
        .map(|((task, reason), rows)| PlannedObject {
            action: Action::Write,
            input: prepared.identity.privacy.name(&task.object.entry.path, &task.object.output),
            output: Some(task.object.output.clone()),
            format: Some(
                match task.format {
                    SinkFormat::Parquet => "parquet",
                    SinkFormat::Csv(_) => "csv",
                }
                .to_owned(),
            ),
            size: task.object.entry.size,
            rows: *rows,
            reason: Some(reason_word(*reason).to_owned()),
        })
        .collect();
    objects.extend(prepared.settled.iter().map(|outcome| PlannedObject {
        action: if outcome.status == Status::Failed { Action::Fail } else { Action::Skip },
        input: outcome.input.path.clone(),
        output: outcome.output.as_ref().map(|output| output.path.clone()),
        format: None,
        size: outcome.input.size,
        rows: outcome.input.rows,
        reason: outcome.failure.as_ref().map(|failure| failure.message.clone()),
    }));
    objects.sort_by(|a, b| a.input.cmp(&b.input));
    PlanReport {
        version: 1,
        source: shown(policy, &prepared.source.location().to_string()),
        sink: prepared.sink.location().to_string(),
        plan: prepared.description.clone(),
        objects,
        prune: pruning.outputs.clone(),
        prune_refused: None,
        skipped_by_rule: prepared.skipped_by_rule,
    }
}

fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::New => "new",
        Reason::Full => "asked for by --full",
        Reason::InputChanged => "its input changed",
        Reason::PolicyChanged => "the policy changed",
        Reason::KeysChanged => "the key changed",
        _ => "its output is not as recorded",
    }
}
