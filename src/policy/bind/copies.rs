//! New columns that are made of one source column, as `from` says: further outputs beside what its own rule makes.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use super::super::code::Code;
use super::super::plan::OutputColumn;
use super::super::select::{ColumnPath, Segment};
use super::Binder;
use super::columns::Column;
use crate::arrays::fields::{told_of_copied, with_metadata};
use crate::transforms::spec::TransformSpec;

/// A source column, or a field of a struct in it.
struct Found {
    root: String,
    below: Vec<String>,
    field: Field,
}

impl Binder<'_> {
    /// The new column of `rule`. `hidden` are paths of the source, as they are shown.
    pub(super) fn copy(&mut self, rule: usize, hidden: &[String]) -> Option<OutputColumn> {
        let column_rule = self.policy.columns.iter().nth(rule)?;
        let options = &column_rule.rule.options;
        let (Some(from), Some(literal)) = (&options.from, column_rule.pattern.literal()) else { return None };
        // the document's own checks have said so
        let [Segment::Field(name)] = literal.segments() else { return None };
        self.used[rule] = true;
        let Some(Found { root, below, field }) = self.find(from) else {
            if !options.optional {
                let message = format!("`{name}` is made of `{from}`, which the source does not have");
                let hint = self.did_you_mean(&from.to_string());
                self.problem(Code::NoSuchColumn, self.place(rule).key("from"), message, hint);
            }
            return None;
        };
        let field = Arc::new(with_metadata(&field, &told_of_copied).with_name(name));
        let mut column = Column { is_new: true, ..Column::new(self.leaves.len()) };
        let kept = self.decide(rule, &field, from, &mut column)?;
        let shows = |path: &String| is_within(path, &from.to_string()) || is_within(&from.to_string(), path);
        if matches!(column_rule.rule.transform, TransformSpec::Keep(_)) && hidden.iter().any(shows) {
            let message = format!("`{name}` is a copy of `{from}`, which the policy hides: it shows raw data");
            self.warn("from-shows-raw", Some(&ColumnPath::of(name).to_string()), message);
        }
        let leaves = column.first_leaf..self.leaves.len();
        for leaf in &mut self.leaves[leaves.clone()] {
            leaf.parameters.insert("from".to_owned(), from.to_string().into());
        }
        Some(OutputColumn { field: kept.field, source: column.of(root, below, kept.shape), leaves })
    }

    /// What `path` names, if it leads through structs alone. Partitions are columns of text.
    fn find(&self, path: &ColumnPath) -> Option<Found> {
        let [Segment::Field(root), below @ ..] = path.segments() else { return None };
        let known = self.source.schema.column_with_name(root).map(|(_, field)| field.clone());
        let is_partition = || below.is_empty() && self.source.partitions.contains(root);
        let mut field = match known {
            Some(field) => field,
            None => is_partition().then(|| Field::new(root, DataType::Utf8, true))?,
        };
        let mut names = Vec::with_capacity(below.len());
        for segment in below {
            let (Segment::Field(name), DataType::Struct(fields)) = (segment, field.data_type()) else { return None };
            let part = fields.iter().find(|field| field.name() == name)?;
            let is_nullable = field.is_nullable() || part.is_nullable();
            names.push(name.clone());
            field = Field::clone(part).with_nullable(is_nullable);
        }
        Some(Found { root: root.clone(), below: names, field })
    }
}

/// Whether a path, as it is shown, is that of `whole` or of a part of it.
fn is_within(path: &str, whole: &str) -> bool {
    path.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}
