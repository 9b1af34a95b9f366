//! A column's treatment, leaf by leaf: cells where the policy names a leaf, the nesting rebuilt around them.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait,
    StructArray, UInt64Array,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{nullif, take};
use arrow::datatypes::{DataType, FieldRef, Fields};

use super::cell::{Cell, CellError, Memo};
use super::tally::Tally;
use super::when::When;
use super::{TransformError, ValueSize};

/// What is done to a column or a part of it. `leaf` counts within one output column, from 0.
#[derive(Debug, Clone)]
pub enum Shape {
    /// Passes as it is, with all that lies below.
    Keep {
        /// Where its figures go.
        leaf: usize,
    },
    /// One leaf, transformed.
    Leaf {
        /// The treatment.
        cell: Arc<Cell>,
        /// For which rows, if not all.
        when: Option<When>,
        /// Where its figures go.
        leaf: usize,
    },
    /// Some fields of a struct; those that are not here are dropped.
    Struct(Vec<Member>),
    /// Every item of a list.
    List {
        /// The output's item field.
        item: FieldRef,
        /// What is done to each item.
        shape: Box<Shape>,
    },
    /// Every entry of a map.
    Map {
        /// The output's entries field, a struct of key and value.
        entries: FieldRef,
        /// What is done to each key.
        key: Box<Shape>,
        /// What is done to each value.
        value: Box<Shape>,
    },
}

/// One field of a struct.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name in the source.
    pub source: String,
    /// The field in the output.
    pub field: FieldRef,
    /// What is done to it.
    pub shape: Shape,
}

/// What steers the cells of a column beside its own values: one value for each row.
#[derive(Debug, Clone, Copy, Default)]
pub struct Steering<'a> {
    /// Canonical bytes of the columns that the transforms read.
    pub companions: &'a [BinaryArray],
    /// For each condition the rows that cells with it are for.
    pub conditions: &'a [BooleanBuffer],
}

/// What is carried from batch to batch for one column of one object.
#[derive(Debug, Default)]
pub struct ShapeState {
    /// Figures of each leaf.
    pub tallies: Vec<Tally>,
    memos: Vec<Memo>,
}

impl ShapeState {
    /// For a column of `leaves` leaves.
    pub fn new(leaves: usize) -> Self {
        Self {
            tallies: std::iter::repeat_with(Tally::with_sketches).take(leaves).collect(),
            memos: std::iter::repeat_with(Memo::default).take(leaves).collect(),
        }
    }
}

/// Why a column of a batch could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// A value that the policy lets fail the object.
    #[error("row {row} of the batch: {reason}")]
    Value {
        /// The leaf.
        leaf: usize,
        /// Row of the batch, from 0.
        row: usize,
        /// Without anything of the value.
        reason: Cow<'static, str>,
    },
    /// A leaf that is impossible as a whole.
    #[error(transparent)]
    Column(#[from] TransformError),
}

impl Shape {
    /// Applies the treatment to a batch of the column.
    ///
    /// # Errors
    /// [`ShapeError::Value`] with the leaf and the row; [`ShapeError::Column`] where no value could be taken.
    pub fn apply(
        &self,
        array: &ArrayRef,
        steering: Steering<'_>,
        state: &mut ShapeState,
    ) -> Result<ArrayRef, ShapeError> {
        match self {
            Self::Keep { leaf } => {
                state.tallies[*leaf].count_kept(array);
                Ok(Arc::clone(array))
            }
            Self::Leaf { cell, when, leaf } => {
                let (memo, tally) = (&mut state.memos[*leaf], &mut state.tallies[*leaf]);
                let made = match when {
                    None => cell.apply(array, steering.companions, memo, tally),
                    Some(when) => {
                        let applied = steering.conditions.get(when.condition);
                        let applied = applied.ok_or_else(|| broken(array.data_type()))?;
                        when.apply(cell, array, steering.companions, applied, (memo, tally))
                    }
                };
                made.map_err(|error| match error {
                    CellError::Value { index, reason } => ShapeError::Value { leaf: *leaf, row: index, reason },
                    CellError::Column(error) => ShapeError::Column(error),
                })
            }
            Self::Struct(members) => apply_to_struct(array, members, steering, state),
            Self::List { item, shape } => match array.data_type() {
                DataType::LargeList(_) => apply_to_list::<i64>(array, item, shape, steering, state),
                DataType::List(_) => apply_to_list::<i32>(array, item, shape, steering, state),
                _ => apply_to_fixed_list(array, item, shape, steering, state),
            },
            Self::Map { entries, key, value } => apply_to_map(array, entries, key, value, steering, state),
        }
    }
}

impl Shape {
    /// How long the values are that it makes.
    pub fn value_sizes(&self) -> Vec<ValueSize> {
        match self {
            Self::Keep { .. } => Vec::new(),
            Self::Leaf { cell, when: None, .. } => vec![cell.value_size()],
            Self::Leaf { cell, when: Some(when), .. } => when.value_sizes(cell.value_size()),
            Self::Struct(members) => members.iter().flat_map(|member| member.shape.value_sizes()).collect(),
            Self::List { shape, .. } => shape.value_sizes(),
            Self::Map { key, value, .. } => [key.value_sizes(), value.value_sizes()].concat(),
        }
    }
}

fn broken(data_type: &DataType) -> ShapeError {
    TransformError::Build(data_type.clone()).into()
}

fn apply_to_struct(
    array: &ArrayRef,
    members: &[Member],
    steering: Steering<'_>,
    state: &mut ShapeState,
) -> Result<ArrayRef, ShapeError> {
    let source = array.as_struct_opt().ok_or_else(|| broken(array.data_type()))?;
    let mut columns = Vec::with_capacity(members.len());
    for member in members {
        let child = part(array, &member.source)?;
        columns.push(member.shape.apply(&child, steering, state)?);
    }
    let fields: Fields = members.iter().map(|member| Arc::clone(&member.field)).collect();
    let made = StructArray::try_new_with_length(fields, columns, source.nulls().cloned(), source.len());
    Ok(Arc::new(made.map_err(|_| broken(array.data_type()))?))
}

/// A field of a struct, null where the struct is.
///
/// # Errors
/// [`ShapeError::Column`] for what is no struct with such a field.
pub fn part(array: &ArrayRef, name: &str) -> Result<ArrayRef, ShapeError> {
    let source = array.as_struct_opt().ok_or_else(|| broken(array.data_type()))?;
    let child = source.column_by_name(name).ok_or_else(|| broken(array.data_type()))?;
    // what lies under a null parent is no value: it must neither fail nor be counted
    under(child, source.nulls())
}

fn under(child: &ArrayRef, parent: Option<&NullBuffer>) -> Result<ArrayRef, ShapeError> {
    match parent.filter(|nulls| nulls.null_count() > 0) {
        None => Ok(Arc::clone(child)),
        Some(nulls) => {
            let absent = arrow::array::BooleanArray::new(!nulls.inner(), None);
            nullif(child, &absent).map_err(|_| broken(child.data_type()))
        }
    }
}

/// The values of a list between its first and last offset, offsets from 0, and the row of each item.
struct Items {
    values: ArrayRef,
    lengths: Vec<usize>,
}

impl Items {
    fn rows(&self) -> impl Iterator<Item = u64> + '_ {
        self.lengths.iter().enumerate().flat_map(|(row, &len)| std::iter::repeat_n(row as u64, len))
    }

    fn apply(&self, shape: &Shape, steering: Steering<'_>, state: &mut ShapeState) -> Result<ArrayRef, ShapeError> {
        let spread = if steering.companions.is_empty() {
            Vec::new()
        } else {
            let rows = UInt64Array::from_iter_values(self.rows());
            let spread = steering.companions.iter().map(|companion| {
                take(companion, &rows, None)
                    .map(|array| array.as_binary::<i32>().clone())
                    .map_err(|_| broken(companion.data_type()))
            });
            spread.collect::<Result<_, _>>()?
        };
        let of_items = |rows: &BooleanBuffer| self.rows().map(|row| rows.value(row as usize)).collect();
        let conditions: Vec<BooleanBuffer> = steering.conditions.iter().map(of_items).collect();
        let steering = Steering { companions: &spread, conditions: &conditions };
        shape.apply(&self.values, steering, state).map_err(|error| match error {
            ShapeError::Value { leaf, row: item, reason } => {
                let row = self.rows().nth(item).unwrap_or_default() as usize;
                ShapeError::Value { leaf, row, reason }
            }
            other => other,
        })
    }
}

fn apply_to_list<O: OffsetSizeTrait>(
    array: &ArrayRef,
    item: &FieldRef,
    shape: &Shape,
    steering: Steering<'_>,
    state: &mut ShapeState,
) -> Result<ArrayRef, ShapeError> {
    let list = array.as_list_opt::<O>().ok_or_else(|| broken(array.data_type()))?;
    let (offsets, items) = items_of(list.offsets(), list.values(), list.nulls())?;
    let values = items.apply(shape, steering, state)?;
    let made = GenericListArray::<O>::try_new(Arc::clone(item), offsets, values, list.nulls().cloned());
    Ok(Arc::new(made.map_err(|_| broken(array.data_type()))?))
}

/// Only the items that some non-null row holds, so that nothing hidden is transformed, counted or written.
fn items_of<O: OffsetSizeTrait>(
    offsets: &arrow::buffer::OffsetBuffer<O>,
    values: &ArrayRef,
    nulls: Option<&NullBuffer>,
) -> Result<(arrow::buffer::OffsetBuffer<O>, Items), ShapeError> {
    let valid = |row| nulls.is_none_or(|nulls| nulls.is_valid(row));
    let lengths: Vec<usize> =
        offsets.lengths().enumerate().map(|(row, len)| if valid(row) { len } else { 0 }).collect();
    let (first, last) = (offsets[0].as_usize(), offsets[offsets.len() - 1].as_usize());
    let values = if lengths.iter().sum::<usize>() == last - first {
        values.slice(first, last - first)
    } else {
        let held = offsets.windows(2).zip(&lengths).flat_map(|(pair, &len)| {
            let start = pair[0].as_usize() as u64;
            start..start + len as u64
        });
        let held = UInt64Array::from_iter_values(held);
        take(values, &held, None).map_err(|_| broken(values.data_type()))?
    };
    Ok((arrow::buffer::OffsetBuffer::from_lengths(lengths.iter().copied()), Items { values, lengths }))
}

fn apply_to_fixed_list(
    array: &ArrayRef,
    item: &FieldRef,
    shape: &Shape,
    steering: Steering<'_>,
    state: &mut ShapeState,
) -> Result<ArrayRef, ShapeError> {
    let list = array.as_fixed_size_list_opt().ok_or_else(|| broken(array.data_type()))?;
    let width = list.value_length();
    let held =
        NullBuffer::from_iter((0..list.len()).flat_map(|row| std::iter::repeat_n(list.is_valid(row), width as usize)));
    let items = Items { values: under(list.values(), Some(&held))?, lengths: vec![width as usize; list.len()] };
    let values = items.apply(shape, steering, state)?;
    let made = FixedSizeListArray::try_new(Arc::clone(item), width, values, list.nulls().cloned());
    Ok(Arc::new(made.map_err(|_| broken(array.data_type()))?))
}

fn apply_to_map(
    array: &ArrayRef,
    entries: &FieldRef,
    key: &Shape,
    value: &Shape,
    steering: Steering<'_>,
    state: &mut ShapeState,
) -> Result<ArrayRef, ShapeError> {
    let (map, DataType::Map(_, sorted), DataType::Struct(fields)) =
        (array.as_map_opt().ok_or_else(|| broken(array.data_type()))?, array.data_type(), entries.data_type())
    else {
        return Err(broken(array.data_type()));
    };
    let (offsets, mut items) = items_of(map.offsets(), map.keys(), map.nulls())?;
    let keys = items.apply(key, steering, state)?;
    items.values = items_of(map.offsets(), map.values(), map.nulls())?.1.values;
    let values = items.apply(value, steering, state)?;
    let made = StructArray::try_new(fields.clone(), vec![keys, values], None)
        .and_then(|pairs| MapArray::try_new(Arc::clone(entries), offsets, pairs, map.nulls().cloned(), *sorted));
    Ok(Arc::new(made.map_err(|_| broken(array.data_type()))?))
}
