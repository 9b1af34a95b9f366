//! A rule's `when`: for which rows a cell is, and what is told of it.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;

use super::super::code::Code;
use super::super::rule::Otherwise as OtherwiseSpec;
use super::super::select::ColumnPath;
use super::Binder;
use super::columns::Column;
use crate::transforms::when::{Otherwise, When};

impl Binder<'_> {
    /// The condition of `rule`, noted among those of the column, if it has one. `Err` once a problem is noted.
    pub(super) fn condition(
        &mut self,
        rule: usize,
        path: &ColumnPath,
        column: &mut Column,
    ) -> Result<Option<When>, ()> {
        let options = self.policy.columns.iter().nth(rule).map(|column| &column.rule.options);
        let Some((sql, otherwise)) = options.and_then(|options| options.when.as_deref().zip(options.otherwise)) else {
            return Ok(None);
        };
        let otherwise = match otherwise {
            OtherwiseSpec::Keep => Otherwise::Keep,
            OtherwiseSpec::ToNull => Otherwise::ToNull,
            OtherwiseSpec::Redact => Otherwise::Redact,
        };
        if let Some(condition) = column.conditions.iter().position(|(known, _)| *known == rule) {
            return Ok(Some(When { condition, otherwise }));
        }
        let place = self.place(rule).key("when");
        let Some(binder) = self.sql.filter(|_| !column.is_partition) else {
            let message = format!(
                "`{path}` is a partition: one path serves many rows, so no condition on its rows can decide on it"
            );
            self.problem(Code::ColumnType, place, message, Some("remove `when` and `otherwise`".to_owned()));
            return Err(());
        };
        match binder.bind(sql, &self.sql_schema()) {
            Ok(bound) if bound.data_type == DataType::Boolean => {
                column.conditions.push((rule, bound));
                Ok(Some(When { condition: column.conditions.len() - 1, otherwise }))
            }
            Ok(bound) => {
                let message = format!("`when` of `{path}` gives {}, not true or false", bound.data_type);
                self.problem(Code::BadSql, place, message, Some("write a comparison".to_owned()));
                Err(())
            }
            Err(reason) => {
                self.problem(Code::BadSql, place, format!("`when` of `{path}`: {reason}"), None);
                Err(())
            }
        }
    }

    /// Says of the leaf that was described last which rows it is for.
    pub(super) fn describe_condition(&mut self, when: When, column: &Column) {
        let Some((rule, bound)) = column.conditions.get(when.condition) else { return };
        let options = self.policy.columns.iter().nth(*rule).map(|column| &column.rule.options);
        let (Some(options), Some(leaf)) = (options, self.leaves.last_mut()) else { return };
        leaf.parameters.insert("when".to_owned(), bound.sql.clone().into());
        leaf.parameters.insert("otherwise".to_owned(), serde_json::json!(options.otherwise));
        let known: BTreeSet<String> = leaf.indirect_inputs.iter().cloned().collect();
        leaf.indirect_inputs.extend(bound.columns.iter().filter(|name| !known.contains(*name)).cloned());
        if when.otherwise == Otherwise::Keep {
            leaf.masking = false;
            let name = leaf.name.clone();
            let message = format!("rows of `{name}` for which `{}` is false keep their raw value", bound.sql);
            self.warn("when-shows-raw", Some(&name), message);
        }
    }
}
