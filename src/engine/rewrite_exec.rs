//! The run as a DataFusion execution plan: a leaf whose output rows are outcomes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};

use super::object::{Run, Task};
use super::outcome_rows;
use super::stop::StopOnDrop;

/// Rewrites objects; streams out what happened to each (see [`outcome_rows`]).
///
/// - A leaf, bounded, incremental, of unknown partitioning.
/// - Partitions draw tasks from one shared queue, the largest first; each has one object under way at a time.
/// - An object's failure is a row. Dropping a stream before its end stops all of the run's work.
/// - Each task is done once: executing a partition again gives what is left of the queue.
pub struct RewriteExec {
    run: Arc<Run>,
    queue: Arc<Mutex<VecDeque<Task>>>,
    tasks: usize,
    properties: Arc<PlanProperties>,
}

impl RewriteExec {
    /// A plan of `partitions` partitions over `tasks`.
    pub fn new(run: Arc<Run>, mut tasks: Vec<Task>, partitions: usize) -> Self {
        tasks.sort_by(|a, b| {
            let (a, b) = (&a.object.entry, &b.object.entry);
            b.size.cmp(&a.size).then_with(|| a.path.cmp(&b.path))
        });
        let properties = PlanProperties::new(
            EquivalenceProperties::new(outcome_rows::schema()),
            Partitioning::UnknownPartitioning(partitions.max(1)),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let (count, queue) = (tasks.len(), Arc::new(Mutex::new(tasks.into())));
        Self { run, queue, tasks: count, properties: Arc::new(properties) }
    }
}

impl fmt::Debug for RewriteExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RewriteExec({} objects)", self.tasks)
    }
}

impl DisplayAs for RewriteExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RewriteExec: dataset={}, objects={}", self.run.dataset, self.tasks)
    }
}

impl ExecutionPlan for RewriteExec {
    fn name(&self) -> &str {
        "RewriteExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.is_empty() {
            true => Ok(self),
            false => Err(DataFusionError::Internal("RewriteExec is a leaf".to_owned())),
        }
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (run, queue) = (Arc::clone(&self.run), Arc::clone(&self.queue));
        let let_go = StopOnDrop::armed(run.stop.clone());
        let outcomes = futures::stream::unfold((run, queue, let_go), |(run, queue, mut let_go)| async move {
            let task = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(task) = task.filter(|_| !run.stop.is_requested()) else {
                let_go.disarm();
                return None;
            };
            let outcome = run.rewrite(&task).await;
            let rows =
                outcome_rows::to_batch(&outcome).map_err(|error| DataFusionError::ArrowError(Box::new(error), None));
            Some((rows, (run, queue, let_go)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(outcome_rows::schema(), outcomes)))
    }
}
