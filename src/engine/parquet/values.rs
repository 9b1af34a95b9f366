//! The values of one page, without their levels, to Arrow and back.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Encoding, Repetition, Type as PhysicalType};
use parquet::file::metadata::{ColumnChunkMetaData, FileMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::schema::types::{ColumnDescriptor, SchemaDescPtr, SchemaDescriptor, Type};

use super::page::{PageHeader, PageKind};
use crate::engine::untrusted::survive;

/// Reads encoded values of one leaf column as arrays without nulls.
///
/// The conversions from Parquet's types to Arrow's are the parquet crate's: the values are handed to it as the only
/// page of a file of one required column.
#[derive(Debug, Clone)]
pub struct ValueReader {
    schema: SchemaDescPtr,
    hint: Arc<Schema>,
}

impl ValueReader {
    /// For a leaf `column` whose values have the Arrow type `data_type`. `None` for a leaf that can't stand alone.
    pub fn new(column: &ColumnDescriptor, data_type: &DataType) -> Option<Self> {
        let leaf = column.self_type();
        let info = leaf.get_basic_info();
        let required = Type::primitive_type_builder("value", column.physical_type())
            .with_repetition(Repetition::REQUIRED)
            .with_converted_type(info.converted_type())
            .with_logical_type(info.logical_type_ref().cloned())
            .with_length(column.type_length())
            .with_precision(column.type_precision())
            .with_scale(column.type_scale())
            .build()
            .ok()?;
        let root = Type::group_type_builder("schema").with_fields(vec![Arc::new(required)]).build().ok()?;
        let hint = Arc::new(Schema::new(vec![Field::new("value", data_type.clone(), false)]));
        Some(Self { schema: Arc::new(SchemaDescriptor::new(Arc::new(root))), hint })
    }

    /// `count` values. `None` where the bytes are not that.
    pub fn read(&self, values: &Bytes, encoding: Encoding, count: usize) -> Option<ArrayRef> {
        let is_bytes = self.schema.column(0).physical_type() == PhysicalType::BYTE_ARRAY;
        if is_bytes && encoding == Encoding::PLAIN {
            match self.hint.field(0).data_type() {
                DataType::Utf8 => {
                    let (offsets, bytes) = plain_texts(values, count)?;
                    return Some(Arc::new(StringArray::try_new(offsets, bytes, None).ok()?));
                }
                DataType::Binary => {
                    let (offsets, bytes) = plain_texts(values, count)?;
                    return Some(Arc::new(BinaryArray::try_new(offsets, bytes, None).ok()?));
                }
                _ => {}
            }
        }
        survive(|| self.read_page(values, encoding, count)).flatten()
    }

    fn read_page(&self, values: &Bytes, encoding: Encoding, count: usize) -> Option<ArrayRef> {
        if count == 0 {
            return Some(arrow::array::new_empty_array(self.hint.field(0).data_type()));
        }
        let size = i32::try_from(values.len()).ok()?;
        let kind = PageKind::V1 {
            values: i32::try_from(count).ok()?,
            encoding,
            definition: Encoding::RLE,
            repetition: Encoding::RLE,
        };
        let mut file = PageHeader { uncompressed: size, compressed: size, crc: None, kind }.write();
        file.extend_from_slice(values);
        let rows = i64::try_from(count).ok()?;
        let chunk = ColumnChunkMetaData::builder(self.schema.column(0))
            .set_num_values(rows)
            .set_encodings(vec![encoding])
            .set_data_page_offset(0)
            .set_total_compressed_size(file.len() as i64)
            .set_total_uncompressed_size(file.len() as i64)
            .build()
            .ok()?;
        let group = RowGroupMetaData::builder(Arc::clone(&self.schema))
            .set_num_rows(rows)
            .set_total_byte_size(file.len() as i64)
            .set_column_metadata(vec![chunk])
            .build()
            .ok()?;
        let footer = FileMetaData::new(2, rows, None, None, Arc::clone(&self.schema), None);
        let metadata = Arc::new(ParquetMetaData::new(footer, vec![group]));
        let options = ArrowReaderOptions::new().with_schema(Arc::clone(&self.hint));
        let metadata = ArrowReaderMetadata::try_new(metadata, options).ok()?;
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(Bytes::from(file), metadata)
            .with_batch_size(count)
            .build()
            .ok()?;
        let batch = reader.into_iter().next()?.ok()?;
        let array = Arc::clone(batch.column(0));
        (array.len() == count && array.null_count() == 0).then_some(array)
    }
}

/// Values of a BYTE_ARRAY in encoding PLAIN: each its length in 4 bytes, then its bytes.
fn plain_texts(bytes: &[u8], count: usize) -> Option<(OffsetBuffer<i32>, Buffer)> {
    // each value has at least its length
    let total = bytes.len().checked_sub(count.checked_mul(4)?)?;
    i32::try_from(total).ok()?;
    let mut offsets = Vec::with_capacity(count + 1);
    let mut texts = Vec::with_capacity(total);
    let mut rest = bytes;
    offsets.push(0);
    for _ in 0..count {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > after.len() {
            return None;
        }
        let (text, after) = after.split_at(length);
        texts.extend_from_slice(text);
        offsets.push(texts.len() as i32);
        rest = after;
    }
    rest.is_empty().then(|| (OffsetBuffer::new(ScalarBuffer::from(offsets)), Buffer::from_vec(texts)))
}

/// Encoded values, and how.
#[derive(Debug)]
pub struct EncodedValues {
    /// The values section of a page, behind what was there before it.
    bytes: Vec<u8>,
    /// What follows `bytes`: texts that lie together already.
    data: Buffer,
    /// Its encoding.
    pub encoding: Encoding,
    /// Texts, if they are all of one length, and where in `bytes` and `data` they begin.
    texts: Option<(usize, Texts)>,
}

/// Texts of one length.
#[derive(Debug, Clone, Copy)]
pub struct Texts {
    /// Bytes of each.
    pub length: u32,
    /// Whether each has its length before it, in [`PLAIN_LENGTH`] bytes.
    pub have_lengths: bool,
}

impl EncodedValues {
    /// Bytes in all.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.data.len()
    }

    /// All bytes in one piece.
    pub fn whole(&self) -> Cow<'_, [u8]> {
        match self.data.as_slice() {
            [] => Cow::Borrowed(&self.bytes),
            data => Cow::Owned([&self.bytes, data].concat()),
        }
    }

    /// What comes before the texts, and the texts, if they are of one length.
    pub fn texts(&self) -> Option<(&[u8], &[u8], Texts)> {
        let (at, texts) = self.texts?;
        let (before, rest) = self.bytes.split_at_checked(at)?;
        Some((before, if rest.is_empty() { &self.data } else { rest }, texts))
    }
}

/// Bytes of a length in encoding PLAIN.
pub const PLAIN_LENGTH: usize = 4;

/// How texts are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextEncoding {
    /// DELTA_LENGTH_BYTE_ARRAY where all have one length, as tokens do; else PLAIN.
    #[default]
    Best,
    /// PLAIN, for readers that know nothing else.
    Plain,
}

/// Whether [`encode`] takes arrays of `data_type`.
pub fn is_encodable(data_type: &DataType) -> bool {
    use DataType::*;
    matches!(data_type, Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView | FixedSizeBinary(_))
}

/// Encodes an array without nulls behind what `bytes` holds. `None` for a type that [`is_encodable`] refuses.
pub fn encode(array: &ArrayRef, how: TextEncoding, mut bytes: Vec<u8>) -> Option<EncodedValues> {
    use DataType::*;
    match array.data_type() {
        Utf8 => {
            let texts = array.as_string::<i32>();
            let (first, last) = (texts.value_offsets()[0] as usize, texts.value_offsets()[texts.len()] as usize);
            let common = common_length(texts.value_offsets());
            if let Some(length) = common.filter(|_| how == TextEncoding::Best) {
                push_one_length(length, texts.len(), &mut bytes);
                let data = texts.values().slice_with_length(first, last - first);
                let encoding = Encoding::DELTA_LENGTH_BYTE_ARRAY;
                let texts = Some((bytes.len(), Texts { length, have_lengths: false }));
                return Some(EncodedValues { bytes, data, encoding, texts });
            }
            let one_length = common.map(|length| (bytes.len(), Texts { length, have_lengths: true }));
            bytes.reserve_exact(last - first + PLAIN_LENGTH * texts.len());
            push_plain(texts.iter().flatten().map(str::as_bytes), &mut bytes);
            return Some(EncodedValues { texts: one_length, ..plain(bytes) });
        }
        LargeUtf8 | Utf8View => return encode(&arrow::compute::cast(array, &Utf8).ok()?, how, bytes),
        Binary => push_plain(array.as_binary::<i32>().iter().flatten(), &mut bytes),
        LargeBinary | BinaryView => return encode(&arrow::compute::cast(array, &Binary).ok()?, how, bytes),
        FixedSizeBinary(_) => {
            array.as_fixed_size_binary().iter().flatten().for_each(|value| bytes.extend_from_slice(value));
        }
        _ => return None,
    }
    Some(plain(bytes))
}

fn plain(bytes: Vec<u8>) -> EncodedValues {
    EncodedValues { bytes, data: Buffer::default(), encoding: Encoding::PLAIN, texts: None }
}

/// The entries of a dictionary page, which is always PLAIN.
pub fn encode_entries(array: &ArrayRef) -> Option<EncodedValues> {
    encode(array, TextEncoding::Plain, Vec::new())
}

fn push_plain<'a>(values: impl Iterator<Item = &'a [u8]>, bytes: &mut Vec<u8>) {
    for value in values {
        bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
        bytes.extend_from_slice(value);
    }
}

/// The one length of all texts, if they have one.
pub fn common_length(offsets: &[i32]) -> Option<u32> {
    let length = offsets.get(1)? - offsets[0];
    offsets.windows(2).all(|pair| pair[1] - pair[0] == length).then_some(length as u32)
}

/// Values of a DELTA_BINARY_PACKED block and its miniblocks (parquet-format, `Encodings.md`).
const BLOCK_VALUES: usize = 128;
const MINIBLOCKS: usize = 4;

/// `count` equal lengths in DELTA_BINARY_PACKED: every block is a smallest delta of 0 and deltas of no bits.
fn push_one_length(length: u32, count: usize, bytes: &mut Vec<u8>) {
    let blocks = count.saturating_sub(1).div_ceil(BLOCK_VALUES);
    let zigzag = u64::from(length) << 1;
    for mut number in [BLOCK_VALUES as u64, MINIBLOCKS as u64, count as u64, zigzag] {
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
    }
    bytes.resize(bytes.len() + blocks * (1 + MINIBLOCKS), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{FixedSizeBinaryArray, Int32Array};

    fn reader(physical: PhysicalType, length: i32, data_type: &DataType) -> ValueReader {
        let leaf = Type::primitive_type_builder("v", physical).with_length(length).build().unwrap();
        let root = Type::group_type_builder("schema").with_fields(vec![Arc::new(leaf)]).build().unwrap();
        let schema = SchemaDescriptor::new(Arc::new(root));
        ValueReader::new(&schema.column(0), data_type).unwrap()
    }

    #[test]
    fn texts_of_one_length_and_of_many_read_back() {
        let reader = reader(PhysicalType::BYTE_ARRAY, 0, &DataType::Utf8);
        for count in [0, 1, 2, 127, 128, 129, 130, 257, 1000] {
            let one: ArrayRef = Arc::new(StringArray::from_iter_values((0..count).map(|i| format!("{i:08}"))));
            let many: ArrayRef = Arc::new(StringArray::from_iter_values((0..count).map(|i| "x".repeat(i % 7))));
            for (texts, how) in [(&one, TextEncoding::Best), (&one, TextEncoding::Plain), (&many, TextEncoding::Best)] {
                let encoded = encode(texts, how, Vec::new()).unwrap();
                let back = reader.read(&encoded.whole().into_owned().into(), encoded.encoding, count).unwrap();
                assert_eq!(&back, texts, "{count} {how:?}");
                if count > 1 {
                    let is_delta = encoded.encoding == Encoding::DELTA_LENGTH_BYTE_ARRAY;
                    assert_eq!(is_delta, Arc::ptr_eq(texts, &one) && how == TextEncoding::Best);
                }
            }
        }
    }

    #[test]
    fn slices_and_other_types_of_text_and_bytes_read_back() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["ab", "cd", "ef"]));
        let two: ArrayRef = Arc::new(StringArray::from(vec!["cd", "ef"]));
        let expected = encode(&two, TextEncoding::Best, Vec::new()).unwrap();
        for data_type in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View] {
            let sliced = arrow::compute::cast(&texts, &data_type).unwrap().slice(1, 2);
            let sliced = encode(&sliced, TextEncoding::Best, Vec::new()).unwrap();
            assert_eq!(sliced.whole(), expected.whole(), "{data_type}");
            assert_eq!(sliced.size(), expected.whole().len(), "{data_type}");
        }
        let fixed: ArrayRef =
            Arc::new(FixedSizeBinaryArray::try_from_iter([b"abc", b"def"].iter().map(|v| v.as_slice())).unwrap());
        let encoded = encode(&fixed.slice(1, 1), TextEncoding::Best, Vec::new()).unwrap();
        assert_eq!(*encoded.whole(), *b"def");
        let read = reader(PhysicalType::FIXED_LEN_BYTE_ARRAY, 3, fixed.data_type());
        assert_eq!(&read.read(&encoded.whole().into_owned().into(), Encoding::PLAIN, 1).unwrap(), &fixed.slice(1, 1));
    }

    #[test]
    fn numbers_become_the_arrow_type_of_the_column() {
        let read = reader(PhysicalType::INT32, 0, &DataType::Int32);
        let bytes: Vec<u8> = [7i32, -1].iter().flat_map(|v| v.to_le_bytes()).collect();
        let expected: ArrayRef = Arc::new(Int32Array::from(vec![7, -1]));
        assert_eq!(read.read(&bytes.clone().into(), Encoding::PLAIN, 2), Some(expected));
        assert_eq!(read.read(&bytes.into(), Encoding::PLAIN, 3), None, "too few");
    }

    #[test]
    fn lying_lengths_are_refused() {
        let read = reader(PhysicalType::BYTE_ARRAY, 0, &DataType::Utf8);
        let text = |bytes: &[u8], count| read.read(&Bytes::copy_from_slice(bytes), Encoding::PLAIN, count);
        assert!(text(&[1, 0, 0, 0, b'a'], 1).is_some());
        assert!(text(&[2, 0, 0, 0, b'a'], 1).is_none());
        assert!(text(&[1, 0, 0, 0, b'a'], 2).is_none());
        assert!(text(&[1, 0, 0, 0, b'a', 0], 1).is_none(), "bytes left over");
        assert!(text(&[1, 0, 0, 0, 0xff], 1).is_none(), "no UTF-8");
        assert!(text(&[0xff; 8], usize::MAX).is_none());
    }
}
