//! Looks at objects, and binds the policy once for each kind of object.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::{StreamExt, stream};

use super::formats::sink_format;
use crate::engine::compute::Compute;
use crate::engine::csv::Encoder;
use crate::engine::discover::{ObjectFormat, SinkFormat, SourceObject};
use crate::engine::error::RewriteError;
use crate::engine::inspect::{Inspected, inspect};
use crate::engine::privacy::PathPrivacy;
use crate::engine::records::Decision;
use crate::engine::sql::expressions::Expressions;
use crate::engine::storage::Storage;
use crate::jobs::JobError;
use crate::policy::bind::{SourceColumns, bind};
use crate::policy::chain::KeyChain;
use crate::policy::plan::Plan;
use crate::policy::{Code, ColumnPath, Diagnostic, DocPath, Document, Policy, Segment};

/// Objects looked at concurrently.
const INSPECTIONS_IN_FLIGHT: usize = 16;

/// What looking at an object gave.
pub(super) type Look = Option<Result<(Inspected, Option<u64>), RewriteError>>;

/// Looks at each object that is to be done, and at one of each kind of path that is not.
pub(super) async fn look(
    source: &Storage,
    objects: &[SourceObject],
    decisions: &[Decision],
    policy: &Policy,
    compute: &Compute,
) -> Vec<Look> {
    let mut kinds: HashSet<Vec<&str>> = HashSet::new();
    let mut wanted: Vec<bool> = decisions.iter().map(|decision| matches!(decision, Decision::Do(_))).collect();
    let kind = |object: &'_ SourceObject| {
        object.partitions.iter().map(|partition| partition.column.clone()).collect::<Vec<_>>()
    };
    let all: Vec<Vec<String>> = objects.iter().map(kind).collect();
    for (at, columns) in all.iter().enumerate().filter(|(at, _)| wanted[*at]).collect::<Vec<_>>() {
        kinds.insert(columns.iter().map(String::as_str).collect());
        debug_assert!(wanted[at]);
    }
    for (at, columns) in all.iter().enumerate() {
        wanted[at] |= kinds.insert(columns.iter().map(String::as_str).collect());
    }
    stream::iter(objects.iter().zip(wanted))
        .map(|(object, wanted)| async move {
            if wanted { Some(inspect(source, object, policy, compute).await) } else { None }
        })
        .buffered(INSPECTIONS_IN_FLIGHT)
        .collect()
        .await
}

/// What decides on a plan: the columns of the object and of its path.
pub(super) type Kind = (Inspected, Vec<String>);

pub(super) fn kind_of(object: &SourceObject, look: &Look) -> Option<Kind> {
    let Some(Ok((inspected, _))) = look else { return None };
    Some((inspected.clone(), object.partitions.iter().map(|partition| partition.column.clone()).collect()))
}

/// One plan for each kind of object, in the order in which they are met.
pub(super) fn bind_all(
    document: &Document,
    objects: &[SourceObject],
    looked: &[Look],
    chain: Option<&KeyChain>,
    privacy: &PathPrivacy,
) -> Result<Vec<(Kind, Arc<Plan>)>, JobError> {
    let expressions = Expressions::new(chain);
    let mut plans: Vec<(Kind, Arc<Plan>)> = Vec::new();
    let mut places: HashMap<Kind, usize> = HashMap::new();
    for (object, look) in objects.iter().zip(looked) {
        let Some(kind) = kind_of(object, look) else { continue };
        if places.contains_key(&kind) {
            continue;
        }
        let source = SourceColumns {
            schema: Arc::clone(&kind.0.schema),
            partitions: kind.1.clone(),
            sorted_by: kind.0.sorted_by.clone(),
        };
        if let Some(problem) = no_header(&document.policy, object, &source) {
            return Err(JobError::Policy(Box::new(document.problems(vec![problem]))));
        }
        let plan = bind(&document.policy, &source, chain, &expressions).map_err(|mut problems| {
            if objects.len() > 1 {
                // the others may be all right: say which one is not
                let seen = privacy.name_input(&object.entry.path);
                problems.iter_mut().for_each(|problem| problem.message.push_str(&format!(" (in {seen})")));
            }
            JobError::Policy(Box::new(document.problems(problems)))
        })?;
        if let (SinkFormat::Csv(_), Err(error)) =
            (sink_format(&document.policy, object.format), Encoder::check(&plan.output))
        {
            let place = DocPath::root().key("sink").key("format");
            let problem = Diagnostic::error(Code::ColumnType, place, error.to_string());
            return Err(JobError::Policy(Box::new(document.problems(vec![problem]))));
        }
        places.insert(kind.clone(), plans.len());
        plans.push((kind, Arc::new(plan)));
    }
    Ok(plans)
}

/// The problem of a CSV object of whose first line no rule names anything: its fields may be cells, and are not shown.
fn no_header(policy: &Policy, object: &SourceObject, source: &SourceColumns) -> Option<Diagnostic> {
    let plain = |name: &str| name.trim().to_lowercase();
    let is_named = |name: &String| {
        let path = ColumnPath::of(name);
        policy.columns.iter().any(|column| {
            let literal = column.pattern.literal();
            let root = literal.as_ref().and_then(|path| match path.segments().first() {
                Some(Segment::Field(root)) => Some(plain(root)),
                _ => None,
            });
            let from = column.rule.options.from.as_ref().and_then(|from| from.segments().first());
            // nearly the same name is a slip, which has a better hint of its own
            column.pattern.matches(&path) || root == Some(plain(name)) || from == path.segments().first()
        })
    };
    let has_header = matches!(object.format, ObjectFormat::Csv { .. }) && policy.source.csv.header;
    let names = source.schema.fields().iter().map(|field| field.name()).chain(&source.partitions);
    let rules = policy.columns.iter().filter(|column| !column.is_new());
    if !has_header || rules.count() == 0 || names.into_iter().any(is_named) {
        return None;
    }
    let message = format!(
        "no rule names any of the {} fields of a CSV object's first line: it may be data rather than names",
        source.schema.fields().len()
    );
    let place = DocPath::root().key("columns");
    let problem = Diagnostic::error(Code::NoSuchColumn, place, message);
    Some(problem.hint("check `source.csv.delimiter`, and write `header: false` beside it if the object has no header"))
}
