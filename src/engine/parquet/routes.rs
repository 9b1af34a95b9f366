//! Which way each column of an object goes, and the schema that comes of it: decided by the object and the plan alone.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression, ConvertedType, LogicalType};
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, Type, TypePtr};

use super::leaf::LeafRewriter;
use super::rows::FileLayout;
use super::values::{TextEncoding, ValueReader, is_encodable};
use crate::engine::error::RewriteError;
use crate::policy::plan::{ColumnSource, OutputColumn, Plan};
use crate::transforms::cell::Cell;
use crate::transforms::shape::Shape;

/// Name of the root of every schema that the parquet crate makes of an Arrow schema.
const ROOT: &str = "arrow_schema";

/// The way of one output column.
#[derive(Debug)]
pub enum ColumnRoute {
    /// Every leaf below it is copied.
    Copied {
        /// Their places in the source.
        leaves: Vec<usize>,
        /// Where their figures go.
        figure: usize,
        /// Whether the column is kept as a whole: its values are rows then.
        is_root: bool,
    },
    /// Leaf by leaf, in the output's order.
    Leaves(Vec<LeafRoute>),
    /// Decoded, evaluated, encoded.
    Batches,
}

/// The way of one leaf of a column that is not copied as a whole.
#[derive(Debug)]
pub enum LeafRoute {
    /// Copied.
    Copied {
        /// Its place in the source.
        leaf: usize,
        /// Where its figures go.
        figure: usize,
    },
    /// Page by page.
    Rewritten {
        /// Its place in the source.
        leaf: usize,
        /// Where its figures go.
        figure: usize,
        /// How.
        rewriter: Box<LeafRewriter>,
    },
}

/// The ways of all columns of one object.
#[derive(Debug)]
pub struct Routes {
    /// The output's schema.
    pub root: TypePtr,
    /// One for each output column.
    pub columns: Vec<ColumnRoute>,
}

/// How made columns are written.
#[derive(Debug, Clone, Copy)]
pub struct Choices {
    /// Codec of pages that are made anew.
    pub compression: Compression,
    /// Encoding of texts that are made anew.
    pub encoding: TextEncoding,
}

/// A leaf of the output before the output's schema is known.
enum Draft {
    Copied { leaf: usize, figure: usize },
    Rewritten { leaf: usize, figure: usize, cell: Arc<Cell>, data_type: DataType, encoding: Option<TextEncoding> },
}

impl ColumnRoute {
    /// Whether nothing of it is made anew.
    pub fn is_copied(&self) -> bool {
        matches!(self, Self::Copied { .. })
    }

    /// Places in the source of the column's leaves whose bytes are copied.
    pub fn copied(&self) -> Vec<usize> {
        match self {
            Self::Copied { leaves, .. } => leaves.clone(),
            Self::Leaves(leaves) => (leaves.iter())
                .filter_map(|leaf| match leaf {
                    LeafRoute::Copied { leaf, .. } => Some(*leaf),
                    LeafRoute::Rewritten { .. } => None,
                })
                .collect(),
            Self::Batches => Vec::new(),
        }
    }

    /// Place in the source of the column's leaf `leaf` in the output, if that is copied.
    pub fn copied_from(&self, leaf: usize) -> Option<usize> {
        match self {
            Self::Copied { leaves, .. } => leaves.get(leaf).copied(),
            Self::Leaves(leaves) => match leaves.get(leaf)? {
                LeafRoute::Copied { leaf, .. } => Some(*leaf),
                LeafRoute::Rewritten { .. } => None,
            },
            Self::Batches => None,
        }
    }
}

impl Routes {
    /// The cheapest right way for each column. `source` is `None` where there are no chunks to copy; a `where` needs
    /// every row looked at.
    ///
    /// # Errors
    /// [`RewriteError::Internal`] for a schema that Parquet has no words for: binding refuses those.
    pub fn new(plan: &Plan, source: Option<&FileLayout>, choices: Choices) -> Result<Self, RewriteError> {
        let source = source.filter(|_| plan.filter.is_none());
        let mut types = Vec::with_capacity(plan.columns.len());
        let mut drafts = Vec::with_capacity(plan.columns.len());
        for column in &plan.columns {
            let draft = source.and_then(|layout| draft(plan, column, layout));
            let (root, leaves) = match draft {
                Some((root, leaves)) => (root, Some(leaves)),
                None => (by_arrow(&column.field)?, None),
            };
            types.push(root);
            drafts.push(leaves);
        }
        let broken = |_| RewriteError::Internal("writing a Parquet schema");
        let root = Arc::new(Type::group_type_builder(ROOT).with_fields(types).build().map_err(broken)?);
        let schema = SchemaDescriptor::new(Arc::clone(&root));
        let mut next = 0;
        let mut columns = Vec::with_capacity(drafts.len());
        for (index, draft) in drafts.into_iter().enumerate() {
            let start = next;
            next = (start..schema.num_columns())
                .find(|&leaf| schema.get_column_root_idx(leaf) != index)
                .unwrap_or(schema.num_columns());
            let outputs = (start..next).map(|leaf| schema.column(leaf)).collect::<Vec<_>>();
            columns.push(match (draft, source) {
                (Some(leaves), Some(layout)) => {
                    let is_root = plan.columns[index].is_kept();
                    finish(leaves, &outputs, layout, choices, is_root)?
                }
                _ => ColumnRoute::Batches,
            });
        }
        Ok(Self { root, columns })
    }

    /// Places in the source of all leaves whose bytes are copied.
    pub fn copied(&self) -> impl Iterator<Item = usize> + '_ {
        self.columns.iter().flat_map(ColumnRoute::copied)
    }

    /// Places in the source of the leaves that are made anew page by page.
    pub fn rewritten(&self) -> impl Iterator<Item = usize> + '_ {
        let leaves = self.columns.iter().filter_map(|column| match column {
            ColumnRoute::Leaves(leaves) => Some(leaves),
            _ => None,
        });
        leaves.flatten().filter_map(|leaf| match leaf {
            LeafRoute::Rewritten { leaf, .. } => Some(*leaf),
            LeafRoute::Copied { .. } => None,
        })
    }

    /// Whether anything is made by way of batches for certain.
    pub fn any_batches(&self) -> bool {
        self.columns.iter().any(|column| matches!(column, ColumnRoute::Batches))
    }
}

/// Parquet's type for an Arrow field.
fn by_arrow(field: &FieldRef) -> Result<TypePtr, RewriteError> {
    let schema = Schema::new(vec![Arc::clone(field)]);
    let converted = ArrowSchemaConverter::new().convert(&schema);
    let converted = converted.map_err(|_| RewriteError::Internal("writing a Parquet schema"))?;
    Ok(Arc::clone(&converted.root_schema().get_fields()[0]))
}

/// The column's type and leaves, if it can go leaf by leaf.
fn draft(plan: &Plan, column: &OutputColumn, layout: &FileLayout) -> Option<(TypePtr, Vec<Draft>)> {
    let ColumnSource::Column(read) = &column.source else { return None };
    let name = &read.name;
    // a leaf that is taken out of what it lies in gets other levels
    if !read.is_alone() || !read.below.is_empty() || layout.is_typed(name) {
        return None;
    }
    let root = plan.source.index_of(name).ok()?;
    let schema = layout.metadata().file_metadata().schema_descr();
    let first = (0..schema.num_columns()).find(|&leaf| schema.get_column_root_idx(leaf) == root)?;
    let source = &schema.root_schema().get_fields()[root];
    let mut walk = Drafting { next: first, leaves: Vec::new() };
    let made = walk.column(source, plan.source.field(root), &column.field, &read.shape)?;
    let made = if read.is_new { without_ids(&made)? } else { made };
    Some((made, walk.leaves))
}

struct Drafting {
    /// Place of the next leaf in the source.
    next: usize,
    leaves: Vec<Draft>,
}

impl Drafting {
    /// The output's type for `source`; `None` where it does not have the usual form, or would get other levels.
    fn column(&mut self, source: &TypePtr, from: &Field, to: &Field, shape: &Shape) -> Option<TypePtr> {
        if from.is_nullable() != to.is_nullable() {
            return None;
        }
        match (shape, from.data_type()) {
            (Shape::Keep { leaf }, _) => {
                self.keep(source, *leaf);
                renamed(source, to.name())
            }
            (Shape::Leaf { cell, when: None, leaf }, from_type) => self.leaf(source, from_type, to, cell, *leaf),
            (Shape::Struct(members), DataType::Struct(fields)) => {
                if !source.is_group() || source.get_fields().len() != fields.len() {
                    return None;
                }
                let starts = starts(source, self.next);
                let end = self.next + count(source);
                let mut made = Vec::with_capacity(members.len());
                for member in members {
                    let at = fields.iter().position(|field| *field.name() == member.source)?;
                    self.next = starts[at];
                    let child = &source.get_fields()[at];
                    made.push(self.column(child, &fields[at], &member.field, &member.shape)?);
                }
                self.next = end;
                group(source, to.name(), made)
            }
            (Shape::List { item, shape }, DataType::List(from) | DataType::LargeList(from)) => {
                let [repeated] = group_of(source, LogicalType::List, ConvertedType::LIST)? else { return None };
                let [element] = repeated.get_fields_of_group()? else { return None };
                let element = self.column(element, from, item, shape)?;
                // readers tell lists by their structure: its names stay
                let element = renamed(&element, repeated.get_fields()[0].name())?;
                let repeated = group(repeated, repeated.name(), vec![element])?;
                group(source, to.name(), vec![repeated])
            }
            (Shape::Map { entries, key, value }, DataType::Map(from, _)) => {
                let [repeated] = group_of(source, LogicalType::Map, ConvertedType::MAP)? else { return None };
                let [source_key, source_value] = repeated.get_fields_of_group()? else { return None };
                let (DataType::Struct(from), DataType::Struct(to_fields)) = (from.data_type(), entries.data_type())
                else {
                    return None;
                };
                let made_key = self.column(source_key, from.first()?, to_fields.first()?, key)?;
                let made_value = self.column(source_value, from.get(1)?, to_fields.get(1)?, value)?;
                let made_key = renamed(&made_key, source_key.name())?;
                let made_value = renamed(&made_value, source_value.name())?;
                let repeated = group(repeated, repeated.name(), vec![made_key, made_value])?;
                group(source, to.name(), vec![repeated])
            }
            _ => None,
        }
    }

    fn keep(&mut self, source: &Type, figure: usize) {
        let leaves = count(source);
        self.leaves.extend((self.next..self.next + leaves).map(|leaf| Draft::Copied { leaf, figure }));
        self.next += leaves;
    }

    fn leaf(
        &mut self,
        source: &TypePtr,
        from: &DataType,
        to: &Field,
        cell: &Arc<Cell>,
        figure: usize,
    ) -> Option<TypePtr> {
        let plain = |data_type: &DataType| match data_type {
            DataType::Dictionary(_, values) => values.as_ref().clone(),
            other => other.clone(),
        };
        let (data_type, made) = (plain(from), plain(to.data_type()));
        let fits = source.is_primitive() && !data_type.is_nested() && is_encodable(&made);
        // what differs between equal values has no dictionary
        let fits = fits && cell.transform.once_per_value();
        if !fits || cell.output_type(&data_type).ok()? != made {
            return None;
        }
        let leaf = self.next;
        self.next += 1;
        // readers that make Arrow dictionaries of texts know no other encoding
        let is_dictionary = matches!(to.data_type(), DataType::Dictionary(..));
        let encoding = is_dictionary.then_some(TextEncoding::Plain);
        self.leaves.push(Draft::Rewritten { leaf, figure, cell: Arc::clone(cell), data_type, encoding });
        let by_arrow = by_arrow(&Arc::new(Field::new(to.name(), made, to.is_nullable()))).ok()?;
        let info = by_arrow.get_basic_info();
        let length = match by_arrow.as_ref() {
            Type::PrimitiveType { type_length, .. } => *type_length,
            Type::GroupType { .. } => return None,
        };
        let old = source.get_basic_info();
        let made = Type::primitive_type_builder(to.name(), by_arrow.get_physical_type())
            .with_repetition(old.repetition())
            .with_converted_type(info.converted_type())
            .with_logical_type(info.logical_type_ref().cloned())
            .with_length(length)
            .with_id(old.has_id().then(|| old.id()));
        Some(Arc::new(made.build().ok()?))
    }
}

trait GroupFields {
    fn get_fields_of_group(&self) -> Option<&[TypePtr]>;
}

impl GroupFields for Type {
    fn get_fields_of_group(&self) -> Option<&[TypePtr]> {
        self.is_group().then(|| self.get_fields())
    }
}

/// Fields of a group that says what it is in either way; old writers have other forms, which go by batches.
fn group_of(source: &Type, logical: LogicalType, converted: ConvertedType) -> Option<&[TypePtr]> {
    let info = source.get_basic_info();
    let is_it = info.logical_type_ref() == Some(&logical) || info.converted_type() == converted;
    source.get_fields_of_group().filter(|_| is_it)
}

/// Leaves below a type.
fn count(source: &Type) -> usize {
    if source.is_primitive() { 1 } else { source.get_fields().iter().map(|field| count(field)).sum() }
}

/// Place of the first leaf of each field of a group.
fn starts(source: &Type, first: usize) -> Vec<usize> {
    let mut next = first;
    let start = |field: &TypePtr| {
        let start = next;
        next += count(field);
        start
    };
    source.get_fields().iter().map(start).collect()
}

fn renamed(source: &TypePtr, name: &str) -> Option<TypePtr> {
    if source.name() == name {
        return Some(Arc::clone(source));
    }
    if source.is_group() {
        return group(source, name, source.get_fields().to_vec());
    }
    let Type::PrimitiveType { basic_info: info, physical_type, type_length, scale, precision } = source.as_ref() else {
        return None;
    };
    let made = Type::primitive_type_builder(name, *physical_type)
        .with_repetition(info.repetition())
        .with_converted_type(info.converted_type())
        .with_logical_type(info.logical_type_ref().cloned())
        .with_length(*type_length)
        .with_precision(*precision)
        .with_scale(*scale)
        .with_id(info.has_id().then(|| info.id()));
    Some(Arc::new(made.build().ok()?))
}

/// The same type of another column: an id is of one column alone.
fn without_ids(source: &TypePtr) -> Option<TypePtr> {
    let made = match source.as_ref() {
        Type::GroupType { basic_info: info, fields } => Type::group_type_builder(info.name())
            .with_repetition(info.repetition())
            .with_converted_type(info.converted_type())
            .with_logical_type(info.logical_type_ref().cloned())
            .with_fields(fields.iter().map(without_ids).collect::<Option<_>>()?)
            .build(),
        Type::PrimitiveType { basic_info: info, physical_type, type_length, scale, precision } => {
            Type::primitive_type_builder(info.name(), *physical_type)
                .with_repetition(info.repetition())
                .with_converted_type(info.converted_type())
                .with_logical_type(info.logical_type_ref().cloned())
                .with_length(*type_length)
                .with_precision(*precision)
                .with_scale(*scale)
                .build()
        }
    };
    Some(Arc::new(made.ok()?))
}

/// `source` with another name and other fields.
fn group(source: &Type, name: &str, fields: Vec<TypePtr>) -> Option<TypePtr> {
    let info = source.get_basic_info();
    let made = Type::group_type_builder(name)
        .with_repetition(info.repetition())
        .with_converted_type(info.converted_type())
        .with_logical_type(info.logical_type_ref().cloned())
        .with_fields(fields)
        .with_id(info.has_id().then(|| info.id()));
    Some(Arc::new(made.build().ok()?))
}

fn finish(
    drafts: Vec<Draft>,
    outputs: &[ColumnDescPtr],
    layout: &FileLayout,
    choices: Choices,
    is_root: bool,
) -> Result<ColumnRoute, RewriteError> {
    let as_one: Option<Vec<(usize, usize)>> = (drafts.iter())
        .map(|draft| match draft {
            Draft::Copied { leaf, figure } => Some((*leaf, *figure)),
            Draft::Rewritten { .. } => None,
        })
        .collect();
    if let Some([(_, figure), rest @ ..]) = as_one.as_deref()
        && rest.iter().all(|(_, other)| other == figure)
    {
        let leaves = as_one.iter().flatten().map(|(leaf, _)| *leaf).collect();
        return Ok(ColumnRoute::Copied { leaves, figure: *figure, is_root });
    }
    let schema = layout.metadata().file_metadata().schema_descr();
    let mut leaves = Vec::with_capacity(drafts.len());
    for (draft, output) in drafts.into_iter().zip(outputs) {
        leaves.push(match draft {
            Draft::Copied { leaf, figure } => LeafRoute::Copied { leaf, figure },
            Draft::Rewritten { leaf, figure, cell, data_type, encoding } => {
                let source = schema.column(leaf);
                let reader = ValueReader::new(&source, &data_type)
                    .ok_or(RewriteError::Internal("reading a column apart from its row"))?;
                let rewriter = LeafRewriter {
                    source,
                    output: Arc::clone(output),
                    reader,
                    cell,
                    compression: choices.compression,
                    encoding: encoding.unwrap_or(choices.encoding),
                };
                LeafRoute::Rewritten { leaf, figure, rewriter: Box::new(rewriter) }
            }
        });
    }
    Ok(ColumnRoute::Leaves(leaves))
}
