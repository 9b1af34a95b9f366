//! Leaves that nobody needs: fields of a nested column that the policy drops beside others that stay.

use arrow::datatypes::DataType;

use super::rows::FileLayout;
use crate::policy::plan::{ColumnSource, Plan};
use crate::transforms::shape::Shape;

/// Leaves of columns in use that are in no output, in file order. Of what SQL or another column reads all are needed.
pub fn unread(plan: &Plan, layout: &FileLayout) -> Vec<usize> {
    let schema = layout.metadata().file_metadata().schema_descr();
    let mut unread = Vec::new();
    for (root, field) in plan.source.fields().iter().enumerate() {
        let mut leaves = (0..schema.num_columns()).filter(|&leaf| schema.get_column_root_idx(leaf) == root);
        let Some(first) = leaves.next() else { continue };
        let end = first + 1 + leaves.count();
        if count(field.data_type()) != end - first || is_read_whole(plan, field.name()) {
            continue;
        }
        let mut needed = vec![false; end - first];
        let takers = plan.columns.iter().filter_map(|column| match &column.source {
            ColumnSource::Column(read) if read.name == *field.name() => Some(read),
            _ => None,
        });
        takers.for_each(|read| mark_below(&read.below, &read.shape, field.data_type(), &mut 0, &mut needed));
        unread.extend((first..end).filter(|leaf| !needed[leaf - first]));
    }
    unread
}

fn is_read_whole(plan: &Plan, name: &String) -> bool {
    let steers = plan.columns.iter().any(|column| match &column.source {
        ColumnSource::Column(read) => {
            read.companions.contains(name) || read.conditions.iter().any(|condition| condition.columns.contains(name))
        }
        ColumnSource::Derived(sql) => sql.columns.contains(name),
    });
    steers || plan.filter.as_ref().is_some_and(|filter| filter.columns.contains(name))
}

/// As [`mark`], of what lies `below` a part of a column.
fn mark_below(below: &[String], shape: &Shape, data_type: &DataType, next: &mut usize, needed: &mut [bool]) {
    match (below, data_type) {
        ([first, rest @ ..], DataType::Struct(fields)) => {
            for field in fields {
                match field.name() == first {
                    true => mark_below(rest, shape, field.data_type(), next, needed),
                    false => *next += count(field.data_type()),
                }
            }
        }
        _ => mark(shape, data_type, next, needed),
    }
}

/// Marks the leaves that `shape` needs of a part of a column that begins at leaf `next`.
fn mark(shape: &Shape, data_type: &DataType, next: &mut usize, needed: &mut [bool]) {
    match (shape, data_type) {
        (Shape::Struct(members), DataType::Struct(fields)) => {
            for field in fields {
                match members.iter().find(|member| member.source == *field.name()) {
                    Some(member) => mark(&member.shape, field.data_type(), next, needed),
                    None => *next += count(field.data_type()),
                }
            }
        }
        (
            Shape::List { shape, .. },
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _),
        ) => mark(shape, item.data_type(), next, needed),
        (Shape::Map { key, value, .. }, DataType::Map(entries, _)) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                mark(key, fields[0].data_type(), next, needed);
                mark(value, fields[1].data_type(), next, needed);
            }
            entries => mark_all(entries, next, needed),
        },
        _ => mark_all(data_type, next, needed),
    }
}

fn mark_all(data_type: &DataType, next: &mut usize, needed: &mut [bool]) {
    let end = *next + count(data_type);
    needed[*next..end].fill(true);
    *next = end;
}

/// Leaves below a type.
fn count(data_type: &DataType) -> usize {
    match data_type {
        DataType::Struct(fields) => fields.iter().map(|field| count(field.data_type())).sum(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => count(item.data_type()),
        DataType::Map(entries, _) => count(entries.data_type()),
        _ => 1,
    }
}
