//! The policy bound to a real schema: nothing is validated again after this.

use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::{FieldRef, SchemaRef};

use super::describe::PlanDescription;
use super::sql::BoundSql;
use crate::transforms::cell::Cell;
use crate::transforms::shape::Shape;

/// A function from columns to columns.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The same as plain data, for people and reports.
    pub description: PlanDescription,
    /// Columns of the source objects.
    pub source: SchemaRef,
    /// Hive partition columns of the source, in path order.
    pub partitions: Vec<PartitionColumn>,
    /// Columns of the output objects.
    pub output: SchemaRef,
    /// How each output column is made, in the output's order.
    pub columns: Vec<OutputColumn>,
    /// Which rows stay, if not all.
    pub filter: Option<BoundSql>,
}

/// One column of the output.
#[derive(Debug, Clone)]
pub struct OutputColumn {
    /// Name and type in the output.
    pub field: FieldRef,
    /// Where its values come from.
    pub source: ColumnSource,
    /// Its leaves among [`PlanDescription::columns`].
    pub leaves: Range<usize>,
}

impl OutputColumn {
    /// Whether it is made of a source column that has a rule of its own beside it.
    pub fn is_new(&self) -> bool {
        matches!(&self.source, ColumnSource::Column(SourceColumn { is_new: true, .. }))
    }

    /// Whether it is a source column as it is.
    pub fn is_kept(&self) -> bool {
        matches!(&self.source, ColumnSource::Column(SourceColumn { shape: Shape::Keep { .. }, .. }))
    }
}

/// Where an output column's values come from.
#[derive(Debug, Clone)]
pub enum ColumnSource {
    /// One source column, treated leaf by leaf.
    Column(SourceColumn),
    /// An expression over source columns.
    Derived(BoundSql),
}

/// A source column, and what becomes of it.
#[derive(Debug, Clone)]
pub struct SourceColumn {
    /// Name in the source.
    pub name: String,
    /// Fields of structs below it that lead to what is taken of it; none for all of it.
    pub below: Vec<String>,
    /// Whether it is a further output of a column that has a rule of its own.
    pub is_new: bool,
    /// What is done to it.
    pub shape: Shape,
    /// Columns that steer it, by name, in the order that its cells expect.
    pub companions: Vec<String>,
    /// Conditions over source columns that choose rows for its cells.
    pub conditions: Vec<BoundSql>,
}

impl SourceColumn {
    /// Whether no other column decides on anything.
    pub fn is_alone(&self) -> bool {
        self.companions.is_empty() && self.conditions.is_empty()
    }

    /// The source columns that it is made of: its own, those that steer it, then what conditions read beside these.
    pub fn reads(&self) -> Vec<String> {
        let mut names: Vec<String> = std::iter::once(&self.name).chain(&self.companions).cloned().collect();
        for name in self.conditions.iter().flat_map(|condition| &condition.columns) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// One partition column: its values lie in the path.
#[derive(Debug, Clone)]
pub struct PartitionColumn {
    /// Name in the path's segment.
    pub name: String,
    /// Name in the output path's segment.
    pub output_name: String,
    /// What is done to its values; `None` keeps them.
    pub cell: Option<Arc<Cell>>,
    /// Its place among [`PlanDescription::columns`].
    pub leaf: usize,
}

impl Plan {
    /// Whether output paths show less than input paths: records and reports then name inputs by keyed hashes.
    pub fn transforms_paths(&self) -> bool {
        self.partitions.iter().any(|partition| partition.cell.is_some())
    }
}
