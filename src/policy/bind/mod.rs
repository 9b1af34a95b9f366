//! Binds a policy to the columns of a source: every problem at once, and after it nothing is validated again.
//!
//! | room | holds |
//! |---|---|
//! | `columns` | which rule decides on a column, a field, an item; what is made of it |
//! | `cells` | a rule's treatment of one leaf, and its description |
//! | `conditions` | for which rows a cell is |
//! | `copies` | new columns made of one source column |
//! | `derived` | new columns by SQL, and `where` |
//! | `types` | what text columns are read as |
//! | `digest` | what two runs must share to be the same job |
//! | `weigh` | what does not stop the run, and should be known before the output is shared |

mod cells;
mod columns;
mod conditions;
mod copies;
mod derived;
mod digest;
mod types;
mod weigh;

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

pub use digest::policy_digest;
pub use types::{given_type, typed};

use super::chain::KeyChain;
use super::code::Code;
use super::describe::{KeyUse, PlanDescription, Warning};
use super::diagnostic::Diagnostic;
use super::document::Policy;
use super::place::DocPath;
use super::plan::{OutputColumn, PartitionColumn, Plan};
use super::select::{ColumnPath, Segment};
use super::sql::SqlBinder;
use crate::transforms::spec::TransformSpec;

/// What a policy is bound to.
#[derive(Debug, Clone)]
pub struct SourceColumns {
    /// Columns of the objects.
    pub schema: SchemaRef,
    /// Partition columns, in path order.
    pub partitions: Vec<String>,
    /// Columns that the objects declare to be sorted by, first to last.
    pub sorted_by: Vec<String>,
}

/// The functions of ours that need a key; the engine holds its own list against this one.
pub const KEYED_FUNCTIONS: &[&str] = &[
    "pseudonym",
    "encrypt",
    "fpe",
    "rekeyable",
    "ip_prefix_preserving",
    "email",
    "surrogate",
    "date_shift",
    "noise_uniform",
    "noise_laplace",
    "scrub",
];

/// Whether SQL may call a function of ours that is keyed. A text that only looks like it records a key too many; one
/// that was missed would leave old tokens standing when the key changes.
pub(super) fn calls_keyed_function(sql: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    let called = |name: &str| {
        sql.match_indices(name).any(|(at, _)| {
            let inside = sql[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
            !inside && sql[at + name.len()..].trim_start_matches(['"', '`']).trim_start().starts_with('(')
        })
    };
    KEYED_FUNCTIONS.iter().any(|name| called(name))
}

/// Whether the policy needs a key, whatever the schema.
pub fn needs_key(policy: &Policy) -> bool {
    let keyed = |spec: &TransformSpec| match spec {
        TransformSpec::Derive(sql) => calls_keyed_function(&sql.0),
        other => other.family().is_some_and(|family| family.facts().keyed),
    };
    policy.sink.names == super::document::Names::Hash
        || policy.filter.as_deref().is_some_and(calls_keyed_function)
        || policy.columns.iter().any(|column| {
            keyed(&column.rule.transform) || column.rule.options.when.as_deref().is_some_and(calls_keyed_function)
        })
}

/// Binds `policy` to `source`.
///
/// # Errors
/// Every problem, each with its place in the policy; positions are filled in by the caller, who has the text.
pub fn bind(
    policy: &Policy,
    source: &SourceColumns,
    keys: Option<&KeyChain>,
    sql: &dyn SqlBinder,
) -> Result<Plan, Vec<Diagnostic>> {
    let mut binder = Binder { sql: Some(sql), ..Binder::new(policy, source, keys) };
    let mut columns = Vec::new();
    for field in source.schema.fields() {
        columns.extend(binder.source_column(field));
    }
    let partitions: Vec<PartitionColumn> = source.partitions.iter().filter_map(|name| binder.partition(name)).collect();
    columns.extend(binder.new_columns(sql));
    let filter = binder.filter(sql);
    binder.check_types();
    binder.unused_rules();
    binder.name_collisions(&columns, &partitions);
    binder.weigh();
    if columns.is_empty() && binder.problems.is_empty() {
        let message = "no column is left in the output";
        binder.problems.push(Diagnostic::error(Code::NoSuchColumn, DocPath::root().key("columns"), message));
    }
    if !binder.problems.is_empty() {
        return Err(binder.problems);
    }
    let output = Arc::new(Schema::new(columns.iter().map(|column| Arc::clone(&column.field)).collect::<Vec<_>>()));
    let description = PlanDescription {
        dataset: policy.dataset.clone(),
        policy_digest: policy_digest(policy),
        keys: binder.key_uses(),
        filter: policy.filter.clone(),
        filter_inputs: filter.as_ref().map(|filter| filter.columns.clone()).unwrap_or_default(),
        columns: binder.leaves,
        dropped: binder.dropped,
        warnings: binder.warnings,
    };
    Ok(Plan { description, source: Arc::clone(&source.schema), partitions, output, columns, filter })
}

/// Binds the partition columns of a source, by their names alone: what becomes of a path never depends on whether some
/// object could be read.
///
/// # Errors
/// As [`bind`].
pub fn bind_partitions(
    policy: &Policy,
    names: impl IntoIterator<Item = String>,
    keys: Option<&KeyChain>,
) -> Result<Vec<PartitionColumn>, Vec<Diagnostic>> {
    let partitions = names.into_iter().collect();
    let source = SourceColumns { schema: Arc::new(Schema::empty()), partitions, sorted_by: Vec::new() };
    let mut binder = Binder::new(policy, &source, keys);
    let columns: Vec<PartitionColumn> = source.partitions.iter().filter_map(|name| binder.partition(name)).collect();
    if binder.problems.is_empty() { Ok(columns) } else { Err(binder.problems) }
}

/// What has been gathered so far.
struct Binder<'a> {
    policy: &'a Policy,
    source: &'a SourceColumns,
    keys: Option<&'a KeyChain>,
    /// Absent where there are no rows.
    sql: Option<&'a dyn SqlBinder>,
    /// Whether each rule has decided on something.
    used: Vec<bool>,
    leaves: Vec<super::describe::ColumnPlan>,
    dropped: Vec<super::describe::DroppedColumn>,
    warnings: Vec<Warning>,
    problems: Vec<Diagnostic>,
}

impl<'a> Binder<'a> {
    fn new(policy: &'a Policy, source: &'a SourceColumns, keys: Option<&'a KeyChain>) -> Self {
        let used = vec![false; policy.columns.len()];
        let (leaves, dropped, warnings, problems) = Default::default();
        Self { policy, source, keys, sql: None, used, leaves, dropped, warnings, problems }
    }

    /// Where a rule stands in the policy.
    fn place(&self, rule: usize) -> DocPath {
        let pattern = self.policy.columns.iter().nth(rule).map(|column| column.pattern.to_string());
        DocPath::root().key("columns").key(pattern.unwrap_or_default())
    }

    fn problem(&mut self, code: Code, place: DocPath, message: String, hint: Option<String>) {
        let diagnostic = Diagnostic::error(code, place, message);
        self.problems.push(match hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        });
    }

    fn warn(&mut self, code: &str, column: Option<&str>, message: String) {
        let column = column.map(str::to_owned);
        self.warnings.push(Warning { code: code.to_owned(), column, message });
    }

    /// A top-level column or a partition of the source, by name.
    fn has_column(&self, name: &str) -> bool {
        self.source.schema.column_with_name(name).is_some() || self.source.partitions.iter().any(|known| known == name)
    }

    fn column_names(&self) -> Vec<&str> {
        let fields = self.source.schema.fields().iter().map(|field| field.name().as_str());
        fields.chain(self.source.partitions.iter().map(String::as_str)).collect()
    }

    fn did_you_mean(&self, name: &str) -> Option<String> {
        super::suggest::closest(name, self.column_names()).map(|close| format!("did you mean `{close}`?"))
    }

    /// A rule that decided on nothing protects nothing: its author believes otherwise.
    fn unused_rules(&mut self) {
        for rule in 0..self.used.len() {
            let Some(column) = self.policy.columns.iter().nth(rule) else { continue };
            if self.used[rule] || column.rule.options.optional {
                continue;
            }
            let name = column.pattern.to_string();
            let message = format!("the rule `{name}` decides on no column of the source");
            let hint = self.did_you_mean(&name).unwrap_or_else(|| {
                "an earlier rule may have decided already; reorder, remove it, or write `optional: true`".to_owned()
            });
            self.problem(Code::NoSuchColumn, self.place(rule), message, Some(hint));
        }
    }

    fn name_collisions(&mut self, columns: &[OutputColumn], partitions: &[PartitionColumn]) {
        let names = columns.iter().map(|column| column.field.name().as_str());
        let mut names: Vec<&str> =
            names.chain(partitions.iter().map(|partition| partition.output_name.as_str())).collect();
        names.sort_unstable();
        let twice = names.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]);
        for name in twice.map(str::to_owned).collect::<std::collections::BTreeSet<_>>() {
            // a column that stands both in the path and in the objects is one column to its readers
            let doubled = self.source.schema.column_with_name(&name).is_some()
                && partitions.iter().any(|partition| partition.name == name && partition.output_name == name);
            if !doubled {
                let message = format!("two columns of the output would be named `{name}`");
                let hint = "rename or drop one of them".to_owned();
                self.problem(Code::NameCollision, DocPath::root().key("columns"), message, Some(hint));
            }
        }
    }

    fn key_uses(&self) -> Vec<KeyUse> {
        let in_use =
            needs_key(self.policy) || self.leaves.iter().any(|leaf| leaf.partition && leaf.transform != "keep");
        let links = self.keys.filter(|_| in_use).into_iter().flat_map(KeyChain::links);
        links.map(|key| KeyUse { id: key.id().to_owned(), fingerprint: key.fingerprint().to_string() }).collect()
    }
}

/// Whether the path, as it is shown, is the top-level column `name` or lies in it.
fn lies_in(path: &str, name: &str) -> bool {
    let root = ColumnPath::of(name).to_string();
    path.strip_prefix(&root).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}

/// The name of a path's last field.
fn last_name(path: &ColumnPath) -> Option<&str> {
    match path.segments().last() {
        Some(Segment::Field(name)) => Some(name),
        _ => None,
    }
}
