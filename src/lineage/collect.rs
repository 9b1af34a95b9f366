//! From outcomes to the report: outcomes come in any order, the report does not show in which.

use std::collections::{BTreeMap, HashMap};
use std::time::{SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use super::model::{
    Dropped, Failure, Filter, Host, Key, Location, Object, ObjectFacts, ObjectStatus, Report, Status, Totals, VERSION,
    Warning,
};
use crate::engine::outcome::{self, ColumnFacts, Outcome};
use crate::policy::describe::{self, PlanDescription};

mod figures;
mod weigh;

use figures::{Figures, sum};

/// What is known of a run when it starts.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// UUID version 7.
    pub run_id: Uuid,
    /// Start.
    pub started: SystemTime,
    /// Version of lakeveil.
    pub tool_version: String,
    /// Where it reads.
    pub source: Location,
    /// Where it writes.
    pub sink: Location,
    /// Where it runs.
    pub host: Host,
    /// Versions of the Unicode data behind the normalization steps, by crate.
    pub unicode: BTreeMap<String, String>,
}

/// What is known of a run, beside its outcomes, when it has ended.
#[derive(Debug, Clone)]
pub struct Ending {
    /// End.
    pub ended: SystemTime,
    /// Outputs removed, since their input is gone.
    pub pruned: u64,
    /// Names passed over by the discovery rules.
    pub skipped_by_rule: u64,
    /// Why the run as a whole stopped, if it did.
    pub failure: Option<outcome::Failure>,
    /// Warnings that arose while it ran.
    pub warnings: Vec<describe::Warning>,
}

/// A column before anything was written: its figures are unknown.
pub fn planned(column: describe::ColumnPlan) -> super::model::Column {
    Figures::default().with(column)
}

/// Gathers outcomes and makes the report. Holds one sketch per column, however many objects there are.
#[derive(Debug, Clone)]
pub struct Collector {
    run: RunFacts,
    plan: PlanDescription,
    places: HashMap<String, usize>,
    figures: Vec<Figures>,
    objects: Vec<Object>,
    unplanned: Vec<Warning>,
}

impl Collector {
    /// A collector for one run of `plan`.
    pub fn new(run: RunFacts, plan: &PlanDescription) -> Self {
        let places = plan.columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        let figures = vec![Figures::default(); plan.columns.len()];
        Self { run, plan: plan.clone(), places, figures, objects: Vec::new(), unplanned: Vec::new() }
    }

    /// Counts one outcome in.
    pub fn add(&mut self, outcome: Outcome) {
        if outcome.status == outcome::Status::Written {
            self.add_figures(&outcome.columns);
        }
        self.objects.push(Object {
            status: match outcome.status {
                outcome::Status::Written => ObjectStatus::Written,
                outcome::Status::Skipped => ObjectStatus::Skipped,
                outcome::Status::Failed => ObjectStatus::Failed,
            },
            input: outcome.input.into(),
            output: outcome.output.map(Into::into),
            failure: outcome.failure.map(Into::into),
        });
    }

    fn add_figures(&mut self, columns: &[ColumnFacts]) {
        let mut found: Vec<Option<&ColumnFacts>> = vec![None; self.figures.len()];
        for facts in columns {
            match self.places.get(&facts.name) {
                Some(&at) => found[at] = Some(facts),
                None => self.unplanned.push(Warning {
                    code: "unplanned-column".into(),
                    column: Some(facts.name.clone()),
                    message: "an object was written with a column that the plan does not have; report this as a bug"
                        .into(),
                }),
            }
        }
        for (figures, facts) in self.figures.iter_mut().zip(found) {
            figures.add(facts);
        }
    }

    /// The report before the first outcome: what a START event says.
    pub fn opening(&self) -> Report {
        let ended = self.run.started;
        let blank = Self::new(self.run.clone(), &self.plan);
        blank.finish(Ending { ended, pruned: 0, skipped_by_rule: 0, failure: None, warnings: Vec::new() })
    }

    /// The report.
    pub fn finish(self, ending: Ending) -> Report {
        let Self { run, plan, figures, mut objects, unplanned, .. } = self;
        objects.sort_by(|a, b| order(a).cmp(&order(b)));
        let totals = totals(&objects, &ending);
        let status = status(&totals, ending.failure.is_some());

        let guessable = weigh::seen(&plan, &figures);
        let mut keys: Vec<Key> = plan.keys.into_iter().map(Into::into).collect();
        keys.sort();
        let mut warnings = unplanned;
        warnings.extend(guessable);
        warnings.extend(plan.warnings.into_iter().chain(ending.warnings).map(Warning::from));
        warnings.sort();
        warnings.dedup();
        let kept = plan.columns.iter().filter(|column| column.transform == "keep").map(|c| c.name.clone()).collect();
        let filter = plan.filter.map(|condition| Filter { condition, inputs: plan.filter_inputs });

        Report {
            version: VERSION,
            run_id: run.run_id.to_string(),
            started: rfc3339(run.started),
            ended: rfc3339(ending.ended),
            elapsed_ms: ending.ended.duration_since(run.started).unwrap_or_default().as_millis() as u64,
            tool_version: run.tool_version,
            status,
            failure: ending.failure.map(Into::into),
            dataset: plan.dataset,
            source: run.source,
            sink: run.sink,
            policy_digest: plan.policy_digest,
            keys,
            unicode: run.unicode,
            host: run.host,
            totals,
            filter,
            columns: plan.columns.into_iter().zip(figures).map(|(column, figures)| figures.with(column)).collect(),
            kept,
            dropped: plan.dropped.into_iter().map(Into::into).collect(),
            objects,
            warnings,
        }
    }
}

/// Objects are ordered by input path; two inputs may share a display name, never an output.
fn order(object: &Object) -> (&str, Option<&str>) {
    (&object.input.path, object.output.as_ref().map(|output| output.path.as_str()))
}

fn totals(objects: &[Object], ending: &Ending) -> Totals {
    let count = |status| objects.iter().filter(|object| object.status == status).count() as u64;
    let written = || objects.iter().filter(|object| object.status == ObjectStatus::Written);
    let output = |object: &Object| object.output.clone();
    Totals {
        objects_written: count(ObjectStatus::Written),
        objects_skipped: count(ObjectStatus::Skipped),
        objects_failed: count(ObjectStatus::Failed),
        objects_pruned: ending.pruned,
        skipped_by_rule: ending.skipped_by_rule,
        rows_in: sum(written().map(|object| object.input.rows)),
        rows_out: sum(written().map(|object| output(object)?.rows)),
        bytes_in: sum(written().map(|object| Some(object.input.size))),
        bytes_out: sum(written().map(|object| Some(output(object)?.size))),
    }
}

fn status(totals: &Totals, stopped: bool) -> Status {
    let stand = totals.objects_written + totals.objects_skipped;
    match stopped || totals.objects_failed > 0 {
        true if stand > 0 => Status::Partial,
        true => Status::Failed,
        false if totals.objects_written == 0 && totals.objects_pruned == 0 => Status::NothingToDo,
        false => Status::Complete,
    }
}

/// RFC 3339 in UTC with milliseconds; times before 1970 become 1970.
fn rfc3339(time: SystemTime) -> String {
    let millis = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    arrow::temporal_conversions::timestamp_ms_to_datetime(millis)
        .unwrap_or_default()
        .format("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

impl From<outcome::ObjectFacts> for ObjectFacts {
    fn from(facts: outcome::ObjectFacts) -> Self {
        let outcome::ObjectFacts { path, size, etag, sha256, rows } = facts;
        Self { path, size, etag, sha256, rows }
    }
}

impl From<outcome::Failure> for Failure {
    fn from(outcome::Failure { code, message }: outcome::Failure) -> Self {
        Self { code, message }
    }
}

impl From<describe::Warning> for Warning {
    fn from(describe::Warning { code, column, message }: describe::Warning) -> Self {
        Self { code, column, message }
    }
}

impl From<describe::KeyUse> for Key {
    fn from(describe::KeyUse { id, fingerprint }: describe::KeyUse) -> Self {
        Self { id, fingerprint }
    }
}

impl From<describe::DroppedColumn> for Dropped {
    fn from(describe::DroppedColumn { name, type_before }: describe::DroppedColumn) -> Self {
        Self { name, type_before }
    }
}

#[cfg(test)]
mod tests;
