//! A rule's treatment of one leaf, and its description.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};

use super::super::chain::KeyChain;
use super::super::code::Code;
use super::super::describe::ColumnPlan;
use super::super::rule::{OnEmpty, OnError as OnErrorSpec, Rule};
use super::super::select::ColumnPath;
use super::Binder;
use super::columns::{Column, Kept};
use crate::arrays::canonical::{bare, is_supported, meaning_of};
use crate::arrays::fields::told_of_made;
use crate::transforms::Transform;
use crate::transforms::cell::{Cell, EmptyRule, OnError};
use crate::transforms::family::{BuildError, Family, build};
use crate::transforms::normalize::Normalizer;
use crate::transforms::shape::Shape;
use crate::transforms::spec::TransformSpec;
use crate::transforms::when::Otherwise;

impl Binder<'_> {
    /// The leaf `field` under `rule`, which transforms values.
    pub(super) fn cell(
        &mut self,
        rule: usize,
        field: &FieldRef,
        path: &ColumnPath,
        column: &mut Column,
    ) -> Option<Kept> {
        let Rule { transform: spec, options } = &self.policy.columns.iter().nth(rule)?.rule;
        let place = self.place(rule);
        let built = match build(spec, self.keys.map(KeyChain::sources).as_ref()) {
            Ok(built) => built,
            Err(BuildError::NoKey) => {
                let message = format!("`{path}` needs a key, and the policy has no keyring");
                let hint = "name one: `keyring: { env: LAKEVEIL_KEYRING }`".to_owned();
                self.problem(Code::KeyringSource, place, message, Some(hint));
                return None;
            }
            Err(other) => {
                self.problem(Code::BadValue, place.key(spec.name()), format!("`{path}`: {other}"), None);
                return None;
            }
        };
        self.companions(&built.companions, &place, path, column)?;
        let normalizer = if options.normalize.is_empty() {
            None
        } else if !is_text(field.data_type()) {
            let message = format!("`{path}` is {}: `normalize` works on text", field.data_type());
            self.problem(Code::ColumnType, place, message, Some("remove `normalize`".to_owned()));
            return None;
        } else {
            let steps = options.normalize.iter().map(|step| step.parse()).collect::<Result<Vec<_>, _>>();
            match steps {
                Ok(steps) => Some(Normalizer::new(steps)),
                Err(error) => {
                    self.problem(Code::NormalizeStep, place.key("normalize"), error.to_string(), None);
                    return None;
                }
            }
        };
        let cell = Cell {
            meaning: meaning_of(field),
            normalizer,
            empty: match options.empty {
                OnEmpty::Value => EmptyRule::Value,
                OnEmpty::ToNull => EmptyRule::ToNull,
                OnEmpty::Keep => EmptyRule::Keep,
            },
            on_error: match options.on_error {
                OnErrorSpec::Fail => OnError::Fail,
                OnErrorSpec::ToNull => OnError::ToNull,
                OnErrorSpec::Redact => OnError::Redact,
            },
            transform: built.transform,
        };
        let data_type = match cell.output_type(field.data_type()) {
            Ok(data_type) => data_type,
            Err(reason) => {
                let message = format!("`{path}` can't be transformed by `{}`: {reason}", spec.name());
                self.problem(Code::ColumnType, place, message, None);
                return None;
            }
        };
        let when = self.condition(rule, path, column).ok()?;
        let data_type = match when.map_or(Ok(data_type.clone()), |when| when.output_type(field.data_type(), &data_type))
        {
            Ok(data_type) => data_type,
            Err(reason) => {
                self.problem(Code::ColumnType, place.key("otherwise"), format!("`{path}`: {reason}"), None);
                return None;
            }
        };
        if !is_text(&data_type) && (cell.empty == EmptyRule::Keep || cell.on_error == OnError::Redact) {
            let message = format!("`{path}` becomes {data_type}, which holds neither an empty nor a redacted text");
            let hint = "use `to_null` for `empty` and `on_error`, or a text encoding".to_owned();
            self.problem(Code::ColumnType, place, message, Some(hint));
            return None;
        }
        let can_be_null = matches!(spec, TransformSpec::Nullify(_))
            || cell.empty == EmptyRule::ToNull
            || cell.on_error == OnError::ToNull
            || when.is_some_and(|when| when.otherwise == Otherwise::ToNull);
        let output = Field::new(self.new_name(Some(rule)).unwrap_or(field.name().clone()), data_type, true)
            .with_nullable(field.is_nullable() || can_be_null)
            .with_metadata(told_of_made(field).into_iter().chain(cell.transform.field_metadata(field)).collect());
        let leaf = self.leaves.len();
        self.describe(rule, (field, &output), path, column, &built.companions, cell.transform.as_ref());
        if let Some(when) = when {
            self.describe_condition(when, column);
        }
        let shape = Shape::Leaf { cell: Arc::new(cell), when, leaf: leaf - column.first_leaf };
        Some(Kept { field: Arc::new(output), shape })
    }

    /// Notes the columns that steer a cell. All cells of one column see the same list, in the same order.
    fn companions(
        &mut self,
        names: &[String],
        place: &super::DocPath,
        path: &ColumnPath,
        column: &mut Column,
    ) -> Option<()> {
        if names.is_empty() {
            return Some(());
        }
        for name in names {
            if !self.has_column(name) {
                let message = format!("`{path}` is steered by the column `{name}`, which the source does not have");
                let hint = self.did_you_mean(name);
                self.problem(Code::NoSuchColumn, place.clone(), message, hint);
                return None;
            }
            let field = self.source.schema.column_with_name(name).map(|(_, field)| field);
            if let Some(field) = field.filter(|field| !is_supported(field.data_type())) {
                let message = format!("`{name}` is {}: it has no canonical text to steer `{path}`", field.data_type());
                self.problem(Code::ColumnType, place.clone(), message, None);
                return None;
            }
        }
        if !column.companions.is_empty() && column.companions != names {
            let message = format!("`{path}` and another leaf of the same column are steered by different columns");
            let hint = "use the same tenant and domain columns for all leaves of one column".to_owned();
            self.problem(Code::ColumnType, place.clone(), message, Some(hint));
            return None;
        }
        column.companions = names.to_vec();
        Some(())
    }

    fn describe(
        &mut self,
        rule: usize,
        (field, output): (&Field, &Field),
        path: &ColumnPath,
        column: &Column,
        companions: &[String],
        transform: &dyn Transform,
    ) {
        let Some(Rule { transform: spec, options }) = self.policy.columns.iter().nth(rule).map(|column| &column.rule)
        else {
            return;
        };
        let Some(family) = spec.family() else { return };
        let facts = family.facts();
        let mut parameters = parameters(spec, family);
        if !options.normalize.is_empty() {
            parameters.insert("normalize".to_owned(), options.normalize.clone().into());
        }
        if spec.takes_value_options() {
            parameters.insert("empty".to_owned(), serde_json::json!(options.empty));
            parameters.insert("on_error".to_owned(), serde_json::json!(options.on_error));
        }
        // what the field's metadata tell, such as the type that decryption restores, CSV can only tell here
        parameters.extend(transform.field_metadata(field).into_iter().map(|(key, value)| (key, value.into())));
        let name = self.output_path(path, output.name(), column);
        if let TransformSpec::Hash(_) = spec {
            let message = "is hashed without a key: anyone can recompute the digest of a value they guess";
            self.warn("unkeyed-hash", Some(&name), format!("`{name}` {message}"));
        }
        let keys = self.keys.filter(|_| facts.keyed);
        self.leaves.push(ColumnPlan {
            name,
            inputs: vec![path.to_string()],
            indirect_inputs: companions.to_vec(),
            transform: spec.name().to_owned(),
            parameters,
            domain: facts.domain.map(str::to_owned),
            key: keys.map(KeyChain::shown),
            deterministic: facts.deterministic,
            reversible: facts.reversible,
            masking: facts.masking,
            type_before: Some(bare(field.data_type()).to_string()),
            type_after: bare(output.data_type()).to_string(),
            partition: false,
            tests_guesses: facts.tests_guesses && facts.deterministic,
            token_bits: facts.token_bits,
            kinds: transform.kinds().to_vec(),
        });
    }
}

fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_text(values),
        DataType::RunEndEncoded(_, values) => is_text(values.data_type()),
        other => matches!(other, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View),
    }
}

/// A transform's options as written or filled in, but for the domain, which has a place of its own.
fn parameters(spec: &TransformSpec, family: &dyn Family) -> BTreeMap<String, serde_json::Value> {
    let options = serde_json::to_value(spec).ok();
    let options = options.and_then(|value| value.get(spec.name()).cloned());
    let mut parameters: BTreeMap<String, serde_json::Value> = match options {
        Some(serde_json::Value::Object(map)) => map.into_iter().collect(),
        Some(serde_json::Value::String(constant)) => BTreeMap::from([("constant".to_owned(), constant.into())]),
        _ => BTreeMap::new(),
    };
    if family.facts().domain.is_some() {
        parameters.remove("domain");
    }
    parameters.extend(family.resolved().into_iter().map(|(option, value)| (option.to_owned(), value)));
    // what could not be read has stopped the binding already
    parameters.extend(family.pins().unwrap_or_default().into_iter().map(|(name, pin)| (name, pin.into())));
    parameters
}
