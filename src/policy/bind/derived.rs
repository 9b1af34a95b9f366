//! New columns, in the order of their rules, and `where`: SQL over the source columns.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::super::code::Code;
use super::super::describe::ColumnPlan;
use super::super::place::DocPath;
use super::super::plan::{ColumnSource, OutputColumn};
use super::super::sql::{BoundSql, SqlBinder};
use super::{Binder, lies_in};
use crate::transforms::spec::TransformSpec;

impl Binder<'_> {
    /// What SQL can name: the objects' columns, then the partitions as text.
    pub(super) fn sql_schema(&self) -> SchemaRef {
        let fields = self.source.schema.fields().iter().cloned();
        let partitions =
            self.source.partitions.iter().filter(|name| self.source.schema.column_with_name(name).is_none());
        let partitions = partitions.map(|name| Arc::new(Field::new(name, DataType::Utf8, true)));
        Arc::new(Schema::new(fields.chain(partitions).collect::<Vec<_>>()))
    }

    pub(super) fn new_columns(&mut self, sql: &dyn SqlBinder) -> Vec<OutputColumn> {
        let schema = self.sql_schema();
        // what the policy hides is told by the rules of the source columns alone
        let hidden = self.hidden();
        let mut columns = Vec::new();
        for (rule, column) in self.policy.columns.iter().enumerate() {
            if column.rule.options.from.is_some() {
                columns.extend(self.copy(rule, &hidden));
                continue;
            }
            let TransformSpec::Derive(spec) = &column.rule.transform else { continue };
            self.used[rule] = true;
            let name = match column.pattern.literal().as_ref().map(|path| path.segments()) {
                Some([super::Segment::Field(name)]) => name.clone(),
                // the document's own checks have said so
                _ => continue,
            };
            match sql.bind(&spec.0, &schema) {
                Ok(bound) => {
                    let leaf = self.leaves.len();
                    let name = column.rule.options.rename.clone().unwrap_or(name);
                    self.describe_derived(&name, &bound, &hidden);
                    let field = Arc::new(Field::new(name, bound.data_type.clone(), bound.nullable));
                    columns.push(OutputColumn { field, source: ColumnSource::Derived(bound), leaves: leaf..leaf + 1 });
                }
                Err(reason) => {
                    let place = self.place(rule).key("derive");
                    self.problem(Code::BadSql, place, format!("`derive` of `{name}`: {reason}"), None);
                }
            }
        }
        columns
    }

    /// Paths in the source of what the policy hides, as they are shown.
    fn hidden(&self) -> Vec<String> {
        let masked = self.leaves.iter().filter(|leaf| leaf.hides()).flat_map(|leaf| leaf.inputs.iter().cloned());
        masked.chain(self.dropped.iter().map(|dropped| dropped.name.clone())).collect()
    }

    fn describe_derived(&mut self, name: &str, bound: &BoundSql, hidden: &[String]) {
        let hidden = |column: &&String| hidden.iter().any(|path| lies_in(path, column));
        let shown: Vec<String> = bound.raw_columns.iter().filter(hidden).map(|column| format!("`{column}`")).collect();
        if !shown.is_empty() {
            let message =
                format!("`{name}` is derived from {}, which the policy hides: it shows raw data", shown.join(", "));
            self.warn("derive-shows-raw", Some(name), message);
        }
        self.leaves.push(ColumnPlan {
            name: name.to_owned(),
            inputs: bound.columns.clone(),
            indirect_inputs: Vec::new(),
            transform: "derive".to_owned(),
            parameters: [("sql".to_owned(), bound.sql.clone().into())].into(),
            domain: None,
            key: self.keys.filter(|_| super::calls_keyed_function(&bound.sql)).map(|keys| keys.shown()),
            deterministic: true,
            reversible: false,
            masking: bound.raw_columns.is_empty(),
            type_before: None,
            type_after: bound.data_type.to_string(),
            partition: false,
            tests_guesses: false,
            token_bits: None,
            kinds: Vec::new(),
        });
    }

    pub(super) fn filter(&mut self, sql: &dyn SqlBinder) -> Option<BoundSql> {
        let condition = self.policy.filter.as_deref()?;
        let place = DocPath::root().key("where");
        match sql.bind(condition, &self.sql_schema()) {
            Ok(bound) if bound.data_type == DataType::Boolean => Some(bound),
            Ok(bound) => {
                let message = format!("`where` gives {}, not true or false", bound.data_type);
                self.problem(Code::BadSql, place, message, Some("write a comparison".to_owned()));
                None
            }
            Err(reason) => {
                self.problem(Code::BadSql, place, format!("`where`: {reason}"), None);
                None
            }
        }
    }
}
