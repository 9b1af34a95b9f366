//! Which rule decides on a column, a field, an item; what is made of it.
//!
//! A rule decides on all that lies below the column it matches, unless an earlier rule names something below: then
//! the earlier one decides there, and the later one on the rest.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};

use super::super::code::Code;
use super::super::describe::{ColumnPlan, DroppedColumn};
use super::super::document::Unlisted;
use super::super::place::DocPath;
use super::super::plan::{ColumnSource, OutputColumn, PartitionColumn, SourceColumn};
use super::super::select::{ColumnPath, Segment};
use super::super::sql::BoundSql;
use super::{Binder, last_name};
use crate::arrays::canonical::bare;
use crate::arrays::fields::told_of_made;
use crate::transforms::shape::{Member, Shape};
use crate::transforms::spec::TransformSpec;

/// What stays of a field: its type in the output and the way there.
pub(super) struct Kept {
    pub field: FieldRef,
    pub shape: Shape,
}

/// The column under treatment.
pub(super) struct Column {
    /// Where its leaves begin among all leaves.
    pub first_leaf: usize,
    /// Columns that steer its cells, in the order bound.
    pub companions: Vec<String>,
    /// Conditions of its cells, each with its rule.
    pub conditions: Vec<(usize, BoundSql)>,
    /// It lies in the path.
    pub is_partition: bool,
    /// It is a further output, whose own name says nothing of where it comes from.
    pub is_new: bool,
}

impl Column {
    pub(super) fn new(first_leaf: usize) -> Self {
        Self { first_leaf, companions: Vec::new(), conditions: Vec::new(), is_partition: false, is_new: false }
    }
}

impl Column {
    /// Where its values come from: the source column `name`, or what lies `below` it.
    pub(super) fn of(self, name: String, below: Vec<String>, shape: Shape) -> ColumnSource {
        ColumnSource::Column(SourceColumn {
            name,
            below,
            is_new: self.is_new,
            shape,
            companions: self.companions,
            conditions: self.conditions.into_iter().map(|(_, condition)| condition).collect(),
        })
    }
}

impl Binder<'_> {
    pub(super) fn source_column(&mut self, field: &FieldRef) -> Option<OutputColumn> {
        let mut column = Column::new(self.leaves.len());
        let kept = self.resolve(field, &ColumnPath::of(field.name()), None, &mut column)?;
        let leaves = column.first_leaf..self.leaves.len();
        let source = column.of(field.name().clone(), Vec::new(), kept.shape);
        Some(OutputColumn { field: kept.field, source, leaves })
    }

    pub(super) fn partition(&mut self, name: &str) -> Option<PartitionColumn> {
        let mut column = Column { is_partition: true, ..Column::new(self.leaves.len()) };
        let field = Arc::new(Field::new(name, DataType::Utf8, true));
        let kept = self.resolve(&field, &ColumnPath::of(name), None, &mut column);
        let place = DocPath::root().key("columns").key(name);
        let Some(kept) = kept else {
            // without the problem that resolving may have noted, it was dropped
            if self.dropped.last().is_some_and(|dropped| dropped.name == ColumnPath::of(name).to_string()) {
                let message = format!("`{name}` is a partition: its values lie in the path and can't be dropped");
                let hint = "pseudonymize, redact or nullify it".to_owned();
                self.problem(Code::ColumnType, place, message, Some(hint));
            }
            return None;
        };
        if !self.leaves[column.first_leaf].deterministic {
            let message = format!("`{name}` is a partition: a path must be the same in every run");
            self.problem(Code::ColumnType, place.clone(), message, Some("pseudonymize it".to_owned()));
        }
        if !column.companions.is_empty() {
            let message =
                format!("`{name}` is a partition: one path serves many rows, so no column of theirs can steer it");
            self.problem(Code::ColumnType, place.clone(), message, None);
        }
        if kept.field.data_type() != &DataType::Utf8 {
            let message =
                format!("`{name}` is a partition: its values must be text, not {}", bare(kept.field.data_type()));
            self.problem(Code::ColumnType, place, message, Some("choose a text encoding".to_owned()));
        }
        let leaf = column.first_leaf;
        self.leaves[leaf].partition = true;
        let cell = match kept.shape {
            Shape::Leaf { cell, .. } => Some(cell),
            _ => None,
        };
        Some(PartitionColumn { name: name.to_owned(), output_name: kept.field.name().clone(), cell, leaf })
    }

    /// What stays of `field`; `inherited` is the rule that decided on what it lies in.
    fn resolve(
        &mut self,
        field: &FieldRef,
        path: &ColumnPath,
        inherited: Option<usize>,
        column: &mut Column,
    ) -> Option<Kept> {
        let rule = self.rule_for(path).into_iter().chain(inherited).min();
        let below = self.first_rule_below(field, path);
        match (rule, below) {
            (rule, Some(below)) if rule.is_none_or(|rule| below < rule) => {
                if let Some(rule) = rule {
                    self.used[rule] = true;
                }
                self.descend(field, path, rule, column)
            }
            (Some(rule), _) => self.decide(rule, field, path, column),
            (None, _) => self.unlisted(field, path, column),
        }
    }

    /// The first rule, other than a new column, that matches this very path.
    fn rule_for(&self, path: &ColumnPath) -> Option<usize> {
        self.policy.columns.iter().position(|column| !column.is_new() && column.pattern.matches(path))
    }

    fn first_rule_below(&self, field: &Field, path: &ColumnPath) -> Option<usize> {
        let children = children(field.data_type(), path);
        let of_child = |(child, path): (FieldRef, ColumnPath)| {
            self.rule_for(&path).into_iter().chain(self.first_rule_below(&child, &path)).min()
        };
        children.into_iter().filter_map(of_child).min()
    }

    fn unlisted(&mut self, field: &FieldRef, path: &ColumnPath, column: &mut Column) -> Option<Kept> {
        match self.policy.unlisted {
            Unlisted::Keep => Some(self.keep(field, path, None, column)),
            Unlisted::Drop => {
                self.drop_column(field, path);
                None
            }
            Unlisted::Error => {
                let message = format!("no rule names the column `{path}` of type {}", bare(field.data_type()));
                let hint = "name it in `columns`; `unlisted: keep` or `drop` decides on all columns without a rule";
                self.problem(Code::UnlistedColumn, DocPath::root().key("columns"), message, Some(hint.to_owned()));
                None
            }
        }
    }

    pub(super) fn decide(
        &mut self,
        rule: usize,
        field: &FieldRef,
        path: &ColumnPath,
        column: &mut Column,
    ) -> Option<Kept> {
        self.used[rule] = true;
        let column_rule = self.policy.columns.iter().nth(rule)?;
        match &column_rule.rule.transform {
            TransformSpec::Drop(_) => {
                self.drop_column(field, path);
                None
            }
            TransformSpec::Keep(_) => Some(self.keep(field, path, Some(rule), column)),
            _ => self.cell(rule, field, path, column),
        }
    }

    pub(super) fn drop_column(&mut self, field: &Field, path: &ColumnPath) {
        self.dropped.push(DroppedColumn { name: path.to_string(), type_before: bare(field.data_type()).to_string() });
    }

    fn keep(&mut self, field: &FieldRef, path: &ColumnPath, rule: Option<usize>, column: &Column) -> Kept {
        let field = match self.new_name(rule) {
            Some(name) => Arc::new(Field::clone(field).with_name(name)),
            None => Arc::clone(field),
        };
        let leaf = self.leaves.len();
        self.leaves.push(ColumnPlan {
            name: self.output_path(path, field.name(), column),
            inputs: vec![path.to_string()],
            indirect_inputs: Vec::new(),
            transform: "keep".to_owned(),
            parameters: Default::default(),
            domain: None,
            key: None,
            deterministic: true,
            reversible: true,
            masking: false,
            type_before: Some(bare(field.data_type()).to_string()),
            type_after: bare(field.data_type()).to_string(),
            partition: false,
            tests_guesses: false,
            token_bits: None,
            kinds: Vec::new(),
        });
        Kept { field, shape: Shape::Keep { leaf: leaf - column.first_leaf } }
    }

    pub(super) fn new_name(&self, rule: Option<usize>) -> Option<String> {
        self.policy.columns.iter().nth(rule?)?.rule.options.rename.clone()
    }

    /// `path` with its last name as in the output.
    pub(super) fn output_path(&self, path: &ColumnPath, name: &str, column: &Column) -> String {
        match last_name(path) {
            _ if column.is_new => ColumnPath::of(name).to_string(),
            Some(before) if before != name => path.with_last_name(name).to_string(),
            _ => path.to_string(),
        }
    }

    /// Decides on each part of a nested column by itself.
    fn descend(
        &mut self,
        field: &FieldRef,
        path: &ColumnPath,
        inherited: Option<usize>,
        column: &mut Column,
    ) -> Option<Kept> {
        let parts = children(field.data_type(), path);
        let rebuilt =
            |data_type| Arc::new(Field::clone(field).with_data_type(data_type).with_metadata(told_of_made(field)));
        match field.data_type() {
            DataType::Struct(_) => {
                let mut members = Vec::new();
                for (child, path) in parts {
                    if let Some(kept) = self.resolve(&child, &path, inherited, column) {
                        members.push(Member { source: child.name().clone(), field: kept.field, shape: kept.shape });
                    }
                }
                let fields: Fields = members.iter().map(|member| Arc::clone(&member.field)).collect();
                let kept = Kept { field: rebuilt(DataType::Struct(fields)), shape: Shape::Struct(members) };
                let Shape::Struct(members) = &kept.shape else { return None };
                (!members.is_empty()).then_some(kept)
            }
            DataType::Map(entries, _) => {
                let [(key, key_path), (value, value_path)] = parts.try_into().ok()?;
                let (key, value) = (
                    self.resolve(&key, &key_path, inherited, column),
                    self.resolve(&value, &value_path, inherited, column),
                );
                let (Some(key), Some(value)) = (key, value) else {
                    let message = format!("the keys or the values of the map `{path}` can't be dropped on their own");
                    let hint = "nullify the values, or drop the whole map".to_owned();
                    self.problem(Code::ColumnType, DocPath::root().key("columns"), message, Some(hint));
                    return None;
                };
                if key.field.is_nullable() {
                    let message = format!("the keys of the map `{path}` could become null, which no map can hold");
                    let hint = "pseudonymize or redact them, with `on_error: fail` or `redact`, or drop the whole map";
                    self.problem(Code::ColumnType, DocPath::root().key("columns"), message, Some(hint.to_owned()));
                    return None;
                }
                let fields: Fields = vec![key.field, value.field].into();
                let entries =
                    Field::clone(entries).with_data_type(DataType::Struct(fields)).with_metadata(told_of_made(entries));
                let entries = Arc::new(entries);
                let field = rebuilt(DataType::Map(Arc::clone(&entries), false));
                let shape = Shape::Map { entries, key: Box::new(key.shape), value: Box::new(value.shape) };
                Some(Kept { field, shape })
            }
            list => {
                let (item, path) = parts.into_iter().next()?;
                let kept = self.resolve(&item, &path, inherited, column)?;
                let item = kept.field;
                let data_type = match list {
                    DataType::LargeList(_) => DataType::LargeList(Arc::clone(&item)),
                    DataType::FixedSizeList(_, width) => DataType::FixedSizeList(Arc::clone(&item), *width),
                    _ => DataType::List(Arc::clone(&item)),
                };
                let shape = Shape::List { item, shape: Box::new(kept.shape) };
                Some(Kept { field: rebuilt(data_type), shape })
            }
        }
    }
}

/// What can be named below a column of this type, and its path.
pub(super) fn children(data_type: &DataType, path: &ColumnPath) -> Vec<(FieldRef, ColumnPath)> {
    match data_type {
        DataType::Struct(fields) => {
            fields.iter().map(|field| (Arc::clone(field), path.then(Segment::Field(field.name().clone())))).collect()
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            vec![(Arc::clone(item), path.then(Segment::ListItem))]
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => vec![
                // whatever a writer declares, no map has a null key
                (Arc::new(Field::clone(&fields[0]).with_nullable(false)), path.then(Segment::MapKey)),
                (Arc::clone(&fields[1]), path.then(Segment::MapValue)),
            ],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
