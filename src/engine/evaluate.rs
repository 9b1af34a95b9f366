//! Makes one output column from the rows of a unit: the same for every format on either side.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{cast, filter};
use arrow::datatypes::DataType;

use super::error::RewriteError;
use super::rows::{BATCH_ROWS, Rows, TextAs};
use crate::arrays::canonical::{Meaning, canonical, meaning_of};
use crate::policy::describe::ColumnPlan;
use crate::policy::plan::{ColumnSource, OutputColumn, Plan};
use crate::policy::sql::BoundSql;
use crate::transforms::shape::{ShapeError, ShapeState, Steering, part};

/// Which rows of a unit stay; `None` keeps all.
pub type Mask = Option<BooleanBuffer>;

/// Evaluates the plan's `where` over a unit. A condition that is null drops its row, as in SQL.
///
/// # Errors
/// What could not be decoded or evaluated.
pub fn mask(plan: &Plan, rows: &dyn Rows) -> Result<Mask, RewriteError> {
    let Some(condition) = &plan.filter else { return Ok(None) };
    let mut kept = arrow::array::BooleanBufferBuilder::new(rows.len().min(BATCH_ROWS));
    for batch in rows.batches(&condition.columns, TextAs::Planned)? {
        let batch = batch?;
        let answers = evaluate(condition, &batch, "where")?;
        let answers = answers.as_boolean_opt().ok_or(RewriteError::Internal("evaluating `where`"))?;
        for row in 0..answers.len() {
            kept.append(answers.is_valid(row) && answers.value(row));
        }
    }
    Ok(Some(kept.finish()))
}

fn evaluate(expression: &BoundSql, batch: &RecordBatch, column: &str) -> Result<ArrayRef, RewriteError> {
    let refused = |reason| RewriteError::Column { column: column.to_owned(), reason };
    expression.evaluator.evaluate(batch).map_err(refused)
}

/// The figures and position carried from batch to batch of one output column of one object.
#[derive(Debug)]
pub struct ColumnState {
    /// Figures of its leaves.
    pub shape: ShapeState,
}

impl ColumnState {
    /// For `column`, before its first batch.
    pub fn new(column: &OutputColumn) -> Self {
        Self { shape: ShapeState::new(column.leaves.len()) }
    }
}

/// Makes `column` of a unit, batch by batch, and hands each on; batches without a row that stays are left out.
///
/// # Errors
/// What could not be decoded, transformed, or what `each` gave.
pub fn for_each_batch(
    plan: &Plan,
    column: &OutputColumn,
    rows: &dyn Rows,
    mask: &Mask,
    state: &mut ColumnState,
    mut each: impl FnMut(ArrayRef) -> Result<(), RewriteError>,
) -> Result<(), RewriteError> {
    let needed = sources(column);
    let mut start = 0;
    let text = match &column.source {
        ColumnSource::Column(source) if source.is_alone() => TextAs::Dictionaries,
        _ => TextAs::Planned,
    };
    for batch in rows.batches(&needed, text)? {
        let batch = batch?;
        let window = mask.as_ref().map(|mask| mask.slice(start, batch.num_rows()));
        let first_row = rows.first_row() + start as u64;
        start += batch.num_rows();
        if let Some(made) = make(plan, column, &batch, window, first_row, state)? {
            each(made)?;
        }
    }
    Ok(())
}

/// The source columns that an output column reads: its own first.
pub fn sources(column: &OutputColumn) -> Vec<String> {
    match &column.source {
        ColumnSource::Column(source) => source.reads(),
        ColumnSource::Derived(expression) => expression.columns.clone(),
    }
}

/// Makes `column` from a batch of its [`sources`]; `None` if no row stays.
///
/// # Errors
/// What could not be transformed.
pub fn make(
    plan: &Plan,
    column: &OutputColumn,
    batch: &RecordBatch,
    window: Option<BooleanBuffer>,
    first_row: u64,
    state: &mut ColumnState,
) -> Result<Option<ArrayRef>, RewriteError> {
    let batch = match &window {
        Some(window) if window.count_set_bits() == 0 => return Ok(None),
        Some(window) if window.count_set_bits() < window.len() => &filtered(batch, window, column)?,
        _ => batch,
    };
    let made = match &column.source {
        ColumnSource::Derived(expression) => {
            let made = evaluate(expression, batch, column.field.name())?;
            state.shape.tallies[0].count_derived(&made);
            made
        }
        ColumnSource::Column(source) => {
            let fields = batch.schema_ref().fields();
            let companions =
                (1..=source.companions.len()).map(|at| companion(batch.column(at), meaning_of(&fields[at]), column));
            let companions = companions.collect::<Result<Vec<_>, _>>()?;
            let conditions = source.conditions.iter().map(|condition| applied(condition, batch, column));
            let conditions = conditions.collect::<Result<Vec<_>, _>>()?;
            let steering = Steering { companions: &companions, conditions: &conditions };
            let taken = source.below.iter().try_fold(Arc::clone(batch.column(0)), |array, name| part(&array, name));
            let made = taken.and_then(|array| source.shape.apply(&array, steering, &mut state.shape));
            made.map_err(|error| match error {
                ShapeError::Value { leaf, row, reason } => RewriteError::Value {
                    column: leaf_of(plan, column, leaf).name.clone(),
                    row: first_row + source_row(window.as_ref(), row) + 1,
                    reason: reason.into_owned(),
                },
                other => RewriteError::Column { column: column.field.name().clone(), reason: other.to_string() },
            })?
        }
    };
    Ok(Some(made))
}

/// The rows that a condition chooses: all but those for which it is false for certain.
fn applied(condition: &BoundSql, batch: &RecordBatch, column: &OutputColumn) -> Result<BooleanBuffer, RewriteError> {
    let places = condition.columns.iter().map(|name| batch.schema_ref().index_of(name)).collect::<Result<Vec<_>, _>>();
    let read = places.and_then(|places| batch.project(&places)).map_err(|_| RewriteError::SchemaChanged)?;
    let answers = condition.evaluator.evaluate(&read).map_err(|reason| RewriteError::Column {
        column: column.field.name().clone(),
        reason: format!("its `when`: {reason}"),
    })?;
    let answers = answers.as_boolean_opt().filter(|answers| answers.len() == batch.num_rows());
    let answers = answers.ok_or(RewriteError::Internal("evaluating `when`"))?;
    Ok(answers.iter().map(|answer| answer != Some(false)).collect())
}

fn leaf_of<'a>(plan: &'a Plan, column: &OutputColumn, leaf: usize) -> &'a ColumnPlan {
    &plan.description.columns[column.leaves.start + leaf]
}

/// The position, before filtering, of the `row`th row that stayed.
fn source_row(window: Option<&BooleanBuffer>, row: usize) -> u64 {
    window.and_then(|window| window.set_indices().nth(row)).unwrap_or(row) as u64
}

fn filtered(batch: &RecordBatch, window: &BooleanBuffer, column: &OutputColumn) -> Result<RecordBatch, RewriteError> {
    let window = BooleanArray::new(window.clone(), None);
    let columns = batch.columns().iter().map(|array| filter(array, &window)).collect::<Result<Vec<_>, _>>();
    columns.and_then(|columns| RecordBatch::try_new(batch.schema(), columns)).map_err(|_| RewriteError::Column {
        column: column.field.name().clone(),
        reason: "its rows could not be filtered".to_owned(),
    })
}

fn companion(array: &ArrayRef, meaning: Meaning, column: &OutputColumn) -> Result<BinaryArray, RewriteError> {
    let values = match array.data_type() {
        DataType::Dictionary(_, values) => Some(values.as_ref()),
        DataType::RunEndEncoded(_, values) => Some(values.data_type()),
        _ => None,
    };
    let plain = match values {
        Some(values) => {
            &cast(array, values).map_err(|_| RewriteError::Internal("reading a tenant or domain column"))?
        }
        None => array,
    };
    canonical(plain, meaning).map(|text| text.values).map_err(|error| RewriteError::Column {
        column: column.field.name().clone(),
        reason: format!("its tenant or domain column: {error}"),
    })
}
