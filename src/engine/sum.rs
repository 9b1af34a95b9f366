//! Figures of an object, added up over its units.

use super::evaluate::ColumnState;
use super::object::{Done, Task};
use super::outcome::{ColumnFacts, Route, RouteBytes};
use super::parquet::write::ColumnPart;
use super::publish::Published;
use crate::policy::plan::Plan;

/// What one unit adds to an object's figures.
pub(super) struct Part {
    /// Rows read, for the first unit of these rows.
    pub(super) rows_in: u64,
    /// Rows that stayed, for the first unit of these rows.
    pub(super) rows_out: u64,
    /// Place of the first of its columns.
    pub(super) first: usize,
    pub(super) columns: Vec<ColumnPart>,
}

/// A column of a format without columns; nobody looked at one whose state has no figures.
pub(super) fn streamed(state: ColumnState) -> ColumnPart {
    if state.shape.tallies.is_empty() {
        return ColumnPart::unseen(1);
    }
    let tallies = state.shape.tallies;
    let routes = vec![vec![RouteBytes { route: Route::Stream, bytes: None }]; tallies.len()];
    ColumnPart { tallies, routes }
}

/// Figures of an object, added up over its units.
pub(super) struct Sum {
    rows_in: u64,
    rows_out: u64,
    columns: Vec<Option<ColumnPart>>,
}

impl Sum {
    pub(super) fn new(plan: &Plan) -> Self {
        Self { rows_in: 0, rows_out: 0, columns: plan.columns.iter().map(|_| None).collect() }
    }

    pub(super) fn rows_in(&self) -> u64 {
        self.rows_in
    }

    pub(super) fn add(&mut self, part: Part) {
        self.rows_in += part.rows_in;
        self.rows_out += part.rows_out;
        for (sum, part) in self.columns.iter_mut().skip(part.first).zip(part.columns) {
            match sum {
                Some(sum) => sum.add(part),
                None => *sum = Some(part),
            }
        }
    }

    pub(super) fn done(self, task: &Task, published: Published, input_sha256: Option<String>) -> Done {
        let plan = &task.plan;
        let mut columns = Vec::new();
        for (column, part) in plan.columns.iter().zip(self.columns) {
            // an object without a unit has seen all its values: none
            let part = part.unwrap_or_else(|| ColumnPart::of_nothing(column.leaves.len()));
            for ((leaf, tally), routes) in column.leaves.clone().zip(part.tallies).zip(part.routes) {
                columns.push(ColumnFacts {
                    name: plan.description.columns[leaf].name.clone(),
                    routes,
                    values: tally.values,
                    nulls: tally.nulls,
                    empties: tally.empties,
                    transformed: Some(tally.transformed),
                    failed: Some(tally.failed),
                    found: tally.found,
                    value_bits: tally.space.bits().map(u64::from),
                    distinct_in: tally.distinct_in,
                    distinct_out: tally.distinct_out,
                });
            }
        }
        for partition in &plan.partitions {
            let value = task.object.partitions.iter().find(|known| known.column == partition.name);
            let is_null = value.is_none_or(|known| known.value.is_none());
            columns.push(ColumnFacts {
                name: plan.description.columns[partition.leaf].name.clone(),
                routes: vec![RouteBytes { route: Route::Path, bytes: None }],
                values: Some(self.rows_out),
                nulls: Some(if is_null { self.rows_out } else { 0 }),
                empties: None,
                transformed: None,
                failed: None,
                found: Vec::new(),
                value_bits: None,
                distinct_in: None,
                distinct_out: None,
            });
        }
        Done { published, rows_in: self.rows_in, rows_out: self.rows_out, input_sha256, columns }
    }
}
