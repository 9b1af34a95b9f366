//! What text columns are read as: `types` and the rules' own `type`, held against the columns of a source.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};

use super::super::code::Code;
use super::super::column_type::ColumnType;
use super::super::document::Policy;
use super::super::place::DocPath;
use super::super::select::ColumnPath;
use super::super::suggest;
use super::Binder;
use super::columns::children;
use crate::arrays::canonical::bare;
use crate::arrays::fields::told_of_made;

/// The type that the policy gives a column, if it does: by `types`, or by the rule that decides on it.
pub fn given_type(policy: &Policy, path: &ColumnPath) -> Option<ColumnType> {
    policy.types.of(path).or_else(|| type_by_rule(policy, path).map(|(_, own)| own))
}

/// The rule that decides on a column, and the type that it gives it.
fn type_by_rule(policy: &Policy, path: &ColumnPath) -> Option<(usize, ColumnType)> {
    let rule = policy.columns.deciding(path)?;
    Some((rule, policy.columns.iter().nth(rule)?.rule.options.column_type?))
}

/// The columns of an object as they are planned for: texts that the policy gives a type have it, at every depth.
pub fn typed(policy: &Policy, stored: &Schema) -> SchemaRef {
    let fields = stored.fields().iter().map(|field| typed_field(policy, field, &ColumnPath::of(field.name())));
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<_>>(), stored.metadata().clone()))
}

fn typed_field(policy: &Policy, field: &FieldRef, path: &ColumnPath) -> FieldRef {
    if is_readable(field.data_type()) {
        return match given_type(policy, path) {
            None | Some(ColumnType::Text) => Arc::clone(field),
            Some(given) => {
                let made = given.field(field.name()).with_nullable(field.is_nullable());
                let mut told = told_of_made(field);
                told.extend(made.metadata().clone());
                Arc::new(made.with_metadata(told))
            }
        };
    }
    let parts: Vec<FieldRef> =
        children(field.data_type(), path).iter().map(|(child, path)| typed_field(policy, child, path)).collect();
    let data_type = match (field.data_type(), &parts[..]) {
        (DataType::Struct(_), _) => DataType::Struct(parts.into()),
        (DataType::List(_), [item]) => DataType::List(Arc::clone(item)),
        (DataType::LargeList(_), [item]) => DataType::LargeList(Arc::clone(item)),
        (DataType::FixedSizeList(_, width), [item]) => DataType::FixedSizeList(Arc::clone(item), *width),
        (DataType::Map(entries, sorted), [key, value]) => {
            let DataType::Struct(pair) = entries.data_type() else { return Arc::clone(field) };
            // what is declared of the key stays as it is
            let key = Arc::new(Field::clone(key).with_nullable(pair[0].is_nullable()));
            let pair = DataType::Struct(vec![key, Arc::clone(value)].into());
            DataType::Map(Arc::new(Field::clone(entries).with_data_type(pair)), *sorted)
        }
        _ => return Arc::clone(field),
    };
    if data_type == *field.data_type() {
        Arc::clone(field)
    } else {
        Arc::new(Field::clone(field).with_data_type(data_type))
    }
}

/// Texts that can be read as something else.
fn is_readable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_readable(values),
        other => matches!(other, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}

impl Binder<'_> {
    /// Types that disagree, that have no effect, and entries of `types` that name no column.
    pub(super) fn check_types(&mut self) {
        let mut leaves = Vec::new();
        for field in self.source.schema.fields() {
            gather(field, ColumnPath::of(field.name()), &mut leaves);
        }
        let mut used = vec![false; self.policy.types.iter().len()];
        for (path, field) in &leaves {
            let entry = self.policy.types.position(path);
            let by_rule = type_by_rule(self.policy, path);
            if let Some(entry) = entry {
                used[entry] = true;
                self.check_conflict(path, entry, by_rule);
            }
            let given = given_type(self.policy, path).filter(|given| *given != ColumnType::Text);
            if let Some(given) = given.filter(|given| given.data_type() != *field.data_type()) {
                let found = bare(field.data_type());
                let message = format!("`{path}` is {found} and stays that: only text is read as {given}");
                self.warn("type-not-applied", Some(&path.to_string()), message);
            }
        }
        for name in &self.source.partitions {
            let path = ColumnPath::of(name);
            if let Some(entry) = self.policy.types.position(&path) {
                used[entry] = true;
            }
            let is_own = self.source.schema.column_with_name(name).is_some();
            let given = given_type(self.policy, &path).filter(|given| *given != ColumnType::Text && !is_own);
            if let Some(given) = given {
                let message = format!("`{path}` is a partition: its values are text as they lie, not read as {given}");
                self.warn("type-not-applied", Some(&path.to_string()), message);
            }
        }
        let paths: Vec<String> = leaves.iter().map(|(path, _)| path.to_string()).collect();
        for (entry, _) in self.policy.types.iter().zip(used).filter(|(_, used)| !used) {
            let name = entry.pattern.to_string();
            // a column that need not exist need not have a type
            let of_optional = self.policy.columns.iter().any(|column| {
                column.rule.options.optional
                    && (column.pattern == entry.pattern
                        || entry.pattern.literal().is_some_and(|path| column.pattern.covers(&path)))
            });
            if of_optional {
                continue;
            }
            let hint = match suggest::closest(&name, paths.iter().map(String::as_str)) {
                Some(close) => format!("did you mean `{close}`?"),
                None => {
                    "name a column of text, or the leaf of a nested one, as in `column.field` or `column[]`".to_owned()
                }
            };
            let message = format!("the entry `{name}` of `types` names no column of the source");
            self.problem(Code::NoSuchColumn, DocPath::root().key("types").key(name), message, Some(hint));
        }
    }

    fn check_conflict(&mut self, path: &ColumnPath, entry: usize, by_rule: Option<(usize, ColumnType)>) {
        let (Some((rule, own)), Some(entry)) = (by_rule, self.policy.types.iter().nth(entry)) else { return };
        if own != entry.column_type {
            let message = format!(
                "`{path}` is read as {own} by its rule, and as {} by the entry `{}` of `types`",
                entry.column_type, entry.pattern
            );
            let place = self.place(rule).key("type");
            self.problem(Code::TypeConflict, place, message, Some("remove either".to_owned()));
        }
    }
}

/// The leaves of a column, each with its path.
fn gather(field: &FieldRef, path: ColumnPath, leaves: &mut Vec<(ColumnPath, FieldRef)>) {
    let parts = children(field.data_type(), &path);
    if parts.is_empty() {
        leaves.push((path, Arc::clone(field)));
        return;
    }
    for (child, path) in parts {
        gather(&child, path, leaves);
    }
}
