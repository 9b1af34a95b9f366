//! Text columns read as the types that a policy gives them.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait, StructArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};

use crate::engine::csv::parse_texts;
use crate::policy::{ColumnPath, ColumnType, Segment};

/// Why a column could not be read as planned.
#[derive(Debug, PartialEq, Eq)]
pub enum NotRead {
    /// A text that is not of its type.
    Value {
        /// Its path.
        path: ColumnPath,
        /// Its row in the batch, from 0.
        row: usize,
        /// The type.
        wanted: ColumnType,
    },
    /// The array is not what its field says, or Arrow refused to put it together again.
    Unusual,
}

/// `array`, stored as `from`, as planned by `to`: the same but for texts that have a type there.
///
/// # Errors
/// [`NotRead`]
pub fn read_as(array: &ArrayRef, from: &Field, to: &Field, path: &ColumnPath) -> Result<ArrayRef, NotRead> {
    if from.data_type() == to.data_type() {
        return Ok(Arc::clone(array));
    }
    match (from.data_type(), to.data_type()) {
        (DataType::Struct(from), DataType::Struct(to)) => {
            let parts = array.as_struct_opt().ok_or(NotRead::Unusual)?;
            let (mut fields, mut columns) = (Vec::with_capacity(to.len()), Vec::with_capacity(to.len()));
            // fields that nobody needs are not in the array
            for (field, part) in parts.fields().iter().zip(parts.columns()) {
                let named = |fields: &Fields| fields.iter().find(|known| known.name() == field.name()).cloned();
                let (from, to) = (named(from).ok_or(NotRead::Unusual)?, named(to).ok_or(NotRead::Unusual)?);
                let column = read_as(part, &from, &to, &path.then(Segment::Field(to.name().clone())))?;
                fields.push(fitting(&to, &column));
                columns.push(column);
            }
            let made = StructArray::try_new_with_length(fields.into(), columns, parts.nulls().cloned(), parts.len());
            Ok(Arc::new(made.map_err(|_| NotRead::Unusual)?))
        }
        (DataType::List(from), DataType::List(to)) => list::<i32>(array, from, to, path),
        (DataType::LargeList(from), DataType::LargeList(to)) => list::<i64>(array, from, to, path),
        (DataType::FixedSizeList(from, _), DataType::FixedSizeList(to, width)) => {
            let list = array.as_fixed_size_list_opt().ok_or(NotRead::Unusual)?;
            let length = usize::try_from(*width).map_err(|_| NotRead::Unusual)?;
            let items = read_as(list.values(), from, to, &path.then(Segment::ListItem));
            let items = items.map_err(|error| error.in_row(|item| item / length.max(1)))?;
            let made = FixedSizeListArray::try_new(fitting(to, &items), *width, items, list.nulls().cloned());
            Ok(Arc::new(made.map_err(|_| NotRead::Unusual)?))
        }
        (DataType::Map(from, _), DataType::Map(to, sorted)) => {
            let map = array.as_map_opt().ok_or(NotRead::Unusual)?;
            let (DataType::Struct(from), DataType::Struct(pair)) = (from.data_type(), to.data_type()) else {
                return Err(NotRead::Unusual);
            };
            let ([from_key, from_value], [key, value]) = (&from[..], &pair[..]) else { return Err(NotRead::Unusual) };
            let (offsets, parts) = (map.offsets(), [map.keys(), map.values()]);
            let in_row = |error: NotRead| error.in_row(|entry| row_of(offsets, entry));
            let keys = read_as(parts[0], from_key, key, &path.then(Segment::MapKey)).map_err(in_row)?;
            let values = read_as(parts[1], from_value, value, &path.then(Segment::MapValue)).map_err(in_row)?;
            let pair: Fields = vec![fitting(key, &keys), fitting(value, &values)].into();
            let to = Arc::new(Field::clone(to).with_data_type(DataType::Struct(pair.clone())));
            let pairs = StructArray::try_new(pair, vec![keys, values], None);
            let made =
                pairs.and_then(|pairs| MapArray::try_new(to, offsets.clone(), pairs, map.nulls().cloned(), *sorted));
            Ok(Arc::new(made.map_err(|_| NotRead::Unusual)?))
        }
        _ => {
            let wanted = ColumnType::of(to).ok_or(NotRead::Unusual)?;
            // Arrow's own text is dropped: it may quote a value
            let texts = cast(array, &DataType::Utf8).map_err(|_| NotRead::Unusual)?;
            let texts = texts.as_string_opt::<i32>().ok_or(NotRead::Unusual)?;
            parse_texts(texts, wanted).map_err(|row| NotRead::Value { path: path.clone(), row, wanted })
        }
    }
}

/// The field as planned, of a column that may lack what nobody needs of it.
pub fn fitting(planned: &FieldRef, column: &ArrayRef) -> FieldRef {
    if planned.data_type() == column.data_type() {
        return Arc::clone(planned);
    }
    Arc::new(Field::clone(planned).with_data_type(column.data_type().clone()))
}

impl NotRead {
    /// The same of the row that the item lies in.
    fn in_row(self, row: impl Fn(usize) -> usize) -> Self {
        match self {
            Self::Value { path, row: item, wanted } => Self::Value { path, row: row(item), wanted },
            other => other,
        }
    }
}

fn list<O: OffsetSizeTrait>(
    array: &ArrayRef,
    from: &FieldRef,
    to: &FieldRef,
    path: &ColumnPath,
) -> Result<ArrayRef, NotRead> {
    let list = array.as_list_opt::<O>().ok_or(NotRead::Unusual)?;
    let items = read_as(list.values(), from, to, &path.then(Segment::ListItem));
    let items = items.map_err(|error| error.in_row(|item| row_of(list.offsets(), item)))?;
    let made =
        GenericListArray::<O>::try_new(fitting(to, &items), list.offsets().clone(), items, list.nulls().cloned());
    Ok(Arc::new(made.map_err(|_| NotRead::Unusual)?))
}

/// The row that holds an item.
fn row_of<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>, item: usize) -> usize {
    offsets.partition_point(|offset| offset.as_usize() <= item).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use arrow::array::{Date32Array, DictionaryArray, LargeStringArray, ListArray, StringArray};
    use arrow::datatypes::Int8Type;

    use super::*;

    fn date(name: &str) -> Field {
        ColumnType::Date.field(name)
    }

    #[test]
    fn texts_of_every_form_are_parsed_and_nulls_stay() {
        let texts = vec![Some("1970-01-02"), None, Some("1969-12-31")];
        let dictionary: DictionaryArray<Int8Type> = texts.iter().copied().collect();
        let plain: ArrayRef = Arc::new(StringArray::from(texts.clone()));
        let large: ArrayRef = Arc::new(LargeStringArray::from(texts));
        let view = cast(&plain, &DataType::Utf8View).unwrap();
        for array in [plain, large, view, Arc::new(dictionary) as ArrayRef] {
            let from = Field::new("d", array.data_type().clone(), true);
            let read = read_as(&array, &from, &date("d"), &ColumnPath::of("d")).unwrap();
            assert_eq!(read.as_ref(), &Date32Array::from(vec![Some(1), None, Some(-1)]) as &dyn Array);
        }
    }

    #[test]
    fn a_field_that_nobody_needs_may_be_missing() {
        let text = |name: &str| Arc::new(Field::new(name, DataType::Utf8, true));
        let from = Field::new("u", DataType::Struct(vec![text("email"), text("born")].into()), true);
        let to = Field::new("u", DataType::Struct(vec![text("email"), Arc::new(date("born"))].into()), true);
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["1970-01-02"]));
        let array: ArrayRef = Arc::new(StructArray::from(vec![(text("born"), texts)]));
        let read = read_as(&array, &from, &to, &ColumnPath::of("u")).unwrap();
        assert_eq!(read.as_struct().column(0).as_ref(), &Date32Array::from(vec![1]) as &dyn Array);
    }

    #[test]
    fn an_entry_of_a_dictionary_that_no_value_has_is_not_read() {
        let entries: ArrayRef = Arc::new(StringArray::from(vec!["1970-01-01", "CANARY"]));
        let array: ArrayRef = Arc::new(DictionaryArray::<Int8Type>::new(vec![0, 0].into(), entries));
        let from = Field::new("d", array.data_type().clone(), true);
        assert!(read_as(&array, &from, &date("d"), &ColumnPath::of("d")).is_ok());
    }

    #[test]
    fn the_row_of_an_item_that_does_not_parse_is_told() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["1970-01-01", "1970-01-01", "CANARY"]));
        let item = Arc::new(Field::new("item", DataType::Utf8, true));
        let offsets = OffsetBuffer::from_lengths([1, 0, 0, 2]);
        let array: ArrayRef = Arc::new(ListArray::new(Arc::clone(&item), offsets, texts, None));
        let from = Field::new("l", DataType::List(item), true);
        let to = Field::new("l", DataType::List(Arc::new(date("item"))), true);
        let error = read_as(&array, &from, &to, &ColumnPath::of("l")).unwrap_err();
        let path = "l[]".parse().unwrap();
        assert_eq!(error, NotRead::Value { path, row: 3, wanted: ColumnType::Date });
        // parts of a list begin elsewhere than their items
        let error = read_as(&array.slice(3, 1), &from, &to, &ColumnPath::of("l")).unwrap_err();
        assert!(matches!(error, NotRead::Value { row: 0, .. }), "{error:?}");
    }
}
