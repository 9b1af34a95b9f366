//! Parquet files of a schema, with every setting of the parquet crate's writer that changes how chunks look.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, FixedSizeListArray, LargeListArray, ListArray, MapArray, RecordBatch, RecordBatchOptions,
    StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{BrotliLevel, Compression, Encoding, GzipLevel, Type as PhysicalType, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use proptest::prelude::*;

use super::data::{Numbers, Repeats};
use super::{Column, Form, Leaf};

/// One file: its data and how it is written.
#[derive(Debug, Clone)]
pub struct File {
    rows: usize,
    seed: u64,
    repeats: Repeats,
    /// Chance in a hundred.
    nulls: u64,
    group_rows: usize,
    page_rows: usize,
    page_bytes: usize,
    pub second_version: bool,
    dictionary: bool,
    dictionary_bytes: usize,
    /// Which of the encodings that are valid for a type.
    encoding: usize,
    codec: usize,
    statistics: usize,
    header_statistics: bool,
    bloom_filters: bool,
    offset_index: bool,
    coerced: bool,
}

/// Items of a list of fixed size.
const FIXED_LENGTH: i32 = 2;

const CODECS: usize = 6;
const ENCODINGS: usize = 3;

pub fn file() -> impl Strategy<Value = File> {
    use prop::sample::select;
    let rows = prop_oneof![1 => Just(0), 3 => 1usize..40, 4 => 40usize..600, 1 => 600usize..3000];
    let repeats = select(vec![Repeats::Few, Repeats::Unique, Repeats::FewThenUnique, Repeats::One]);
    let data = (rows, any::<u64>(), repeats, select(vec![0, 10, 50, 100]));
    let sizes = (select(vec![7, 100, 5000]), select(vec![3, 64, 20_000]), select(vec![64, 1024, 1 << 20]));
    let dictionary = (prop::bool::weighted(0.7), select(vec![16, 512, 1 << 20]), 0..ENCODINGS);
    let flags = (prop::bool::weighted(0.3), any::<bool>(), prop::bool::weighted(0.7), prop::bool::weighted(0.3));
    (data, sizes, dictionary, flags, any::<bool>(), 0..CODECS, 0usize..3).prop_map(
        |(data, sizes, dictionary, flags, second_version, codec, statistics)| File {
            rows: data.0,
            seed: data.1,
            repeats: data.2,
            nulls: data.3,
            group_rows: sizes.0.max(data.0 / 20),
            page_rows: sizes.1,
            page_bytes: sizes.2,
            second_version,
            dictionary: dictionary.0,
            dictionary_bytes: dictionary.1,
            encoding: dictionary.2,
            codec,
            statistics,
            header_statistics: flags.1,
            bloom_filters: flags.0,
            offset_index: flags.2,
            coerced: flags.3,
        },
    )
}

fn leaf_field(name: &str, leaf: &Leaf) -> FieldRef {
    Arc::new(leaf.data.field(name, leaf.nullable))
}

fn both(column: &Column) -> Fields {
    let [first, second] = &column.leaves;
    Fields::from(vec![leaf_field("a", first), leaf_field("b", second)])
}

fn entries(column: &Column) -> FieldRef {
    let [key, value] = &column.leaves;
    let fields = Fields::from(vec![leaf_field("keys", key), leaf_field("values", value)]);
    Arc::new(Field::new("entries", DataType::Struct(fields), false))
}

fn inner_list(column: &Column) -> FieldRef {
    Arc::new(Field::new("item", DataType::List(leaf_field("item", &column.leaves[0])), true))
}

fn data_type(column: &Column) -> DataType {
    match column.form {
        Form::Flat => column.leaves[0].data.data_type(),
        Form::List => DataType::List(leaf_field("item", &column.leaves[0])),
        Form::LargeList => DataType::LargeList(leaf_field("item", &column.leaves[0])),
        Form::FixedSizeList => DataType::FixedSizeList(leaf_field("item", &column.leaves[0]), FIXED_LENGTH),
        Form::Struct => DataType::Struct(both(column)),
        Form::ListOfStructs => DataType::List(Arc::new(Field::new("item", DataType::Struct(both(column)), true))),
        Form::ListOfLists => DataType::List(inner_list(column)),
        Form::Map => DataType::Map(entries(column), false),
    }
}

fn schema(columns: &[Column]) -> SchemaRef {
    let field = |(index, column): (usize, &Column)| {
        let name = format!("c{index}");
        match column.form {
            Form::Flat => column.leaves[0].data.field(&name, column.leaves[0].nullable),
            _ => Field::new(name, data_type(column), column.nullable),
        }
    };
    Arc::new(Schema::new(columns.iter().enumerate().map(field).collect::<Vec<_>>()))
}

struct Maker<'a> {
    file: &'a File,
    numbers: Numbers,
}

impl Maker<'_> {
    fn leaf(&mut self, leaf: &Leaf, count: usize) -> ArrayRef {
        let nulls = if leaf.nullable { self.file.nulls } else { 0 };
        leaf.data.array(count, nulls, self.file.repeats, &mut self.numbers)
    }

    fn nulls(&mut self, nullable: bool, count: usize) -> Option<NullBuffer> {
        let chance = self.file.nulls;
        nullable.then(|| (0..count).map(|_| !self.numbers.happens(chance)).collect())
    }

    /// Lengths of lists, those of null lists 0.
    fn lists(&mut self, nullable: bool, count: usize) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        let nulls = self.nulls(nullable, count);
        let is_null = |row: usize| nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        let lengths: Vec<usize> =
            (0..count).map(|row| if is_null(row) { 0 } else { self.numbers.below(4) as usize }).collect();
        (OffsetBuffer::from_lengths(lengths), nulls)
    }

    fn structs(&mut self, column: &Column, count: usize, nulls: Option<NullBuffer>) -> StructArray {
        let [first, second] = &column.leaves;
        StructArray::new(both(column), vec![self.leaf(first, count), self.leaf(second, count)], nulls)
    }

    fn column(&mut self, column: &Column) -> ArrayRef {
        let rows = self.file.rows;
        let [first, second] = &column.leaves;
        match column.form {
            Form::Flat => self.leaf(first, rows),
            Form::Struct => {
                let nulls = self.nulls(column.nullable, rows);
                Arc::new(self.structs(column, rows, nulls))
            }
            Form::List => {
                let (offsets, nulls) = self.lists(column.nullable, rows);
                let items = self.leaf(first, offsets[rows] as usize);
                Arc::new(ListArray::new(leaf_field("item", first), offsets, items, nulls))
            }
            Form::LargeList => {
                let (offsets, nulls) = self.lists(column.nullable, rows);
                let items = self.leaf(first, offsets[rows] as usize);
                let offsets = OffsetBuffer::from_lengths(offsets.lengths());
                Arc::new(LargeListArray::new(leaf_field("item", first), offsets, items, nulls))
            }
            Form::FixedSizeList => {
                let nulls = self.nulls(column.nullable, rows);
                let items = self.leaf(first, rows * FIXED_LENGTH as usize);
                Arc::new(FixedSizeListArray::new(leaf_field("item", first), FIXED_LENGTH, items, nulls))
            }
            Form::ListOfLists => {
                let (offsets, nulls) = self.lists(column.nullable, rows);
                let (inner, inner_nulls) = self.lists(true, offsets[rows] as usize);
                let items = self.leaf(first, inner[inner.len() - 1] as usize);
                let lists = ListArray::new(leaf_field("item", first), inner, items, inner_nulls);
                Arc::new(ListArray::new(inner_list(column), offsets, Arc::new(lists), nulls))
            }
            Form::ListOfStructs => {
                let (offsets, nulls) = self.lists(column.nullable, rows);
                let inner = self.nulls(true, offsets[rows] as usize);
                let items = self.structs(column, offsets[rows] as usize, inner);
                let item = Arc::new(Field::new("item", items.data_type().clone(), true));
                Arc::new(ListArray::new(item, offsets, Arc::new(items), nulls))
            }
            Form::Map => {
                let (offsets, nulls) = self.lists(column.nullable, rows);
                let count = offsets[rows] as usize;
                // keys differ within a row
                let keys: StringArray = (0..count).map(|item| Some(format!("key {}", item % 5))).collect();
                let values = self.leaf(second, count);
                let DataType::Struct(fields) = entries(column).data_type().clone() else { unreachable!() };
                let items = StructArray::new(fields, vec![Arc::new(keys), values], None);
                Arc::new(MapArray::new(entries(column), offsets, items, nulls, false))
            }
        }
    }
}

impl File {
    fn codec(&self) -> Compression {
        let codecs: [Compression; CODECS] = [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(GzipLevel::default()),
            Compression::ZSTD(ZstdLevel::default()),
            Compression::LZ4_RAW,
            Compression::BROTLI(BrotliLevel::default()),
        ];
        codecs[self.codec]
    }

    fn encoding(&self, physical: PhysicalType) -> Encoding {
        use Encoding::*;
        let valid: [Encoding; ENCODINGS] = match physical {
            PhysicalType::BYTE_ARRAY => [PLAIN, DELTA_LENGTH_BYTE_ARRAY, DELTA_BYTE_ARRAY],
            PhysicalType::INT32 | PhysicalType::INT64 => [PLAIN, DELTA_BINARY_PACKED, BYTE_STREAM_SPLIT],
            PhysicalType::FLOAT | PhysicalType::DOUBLE => [PLAIN, BYTE_STREAM_SPLIT, PLAIN],
            PhysicalType::FIXED_LEN_BYTE_ARRAY => [PLAIN, DELTA_BYTE_ARRAY, BYTE_STREAM_SPLIT],
            PhysicalType::BOOLEAN => [PLAIN, RLE, PLAIN],
            PhysicalType::INT96 => [PLAIN; ENCODINGS],
        };
        valid[self.encoding]
    }

    fn properties(&self, schema: &Schema) -> WriterProperties {
        let statistics = [EnabledStatistics::None, EnabledStatistics::Chunk, EnabledStatistics::Page];
        let version = if self.second_version { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 };
        let mut builder = WriterProperties::builder()
            .set_writer_version(version)
            .set_compression(self.codec())
            .set_dictionary_enabled(self.dictionary)
            .set_dictionary_page_size_limit(self.dictionary_bytes)
            .set_data_page_size_limit(self.page_bytes)
            .set_data_page_row_count_limit(self.page_rows)
            .set_write_batch_size(self.page_rows.min(64))
            .set_max_row_group_row_count(Some(self.group_rows))
            .set_statistics_enabled(statistics[self.statistics])
            .set_write_page_header_statistics(self.header_statistics)
            .set_offset_index_disabled(!self.offset_index)
            .set_coerce_types(self.coerced)
            .set_bloom_filter_enabled(self.bloom_filters);
        let leaves = ArrowSchemaConverter::new().with_coerce_types(self.coerced).convert(schema).expect("converts");
        for leaf in leaves.columns() {
            builder = builder.set_column_encoding(leaf.path().clone(), self.encoding(leaf.physical_type()));
        }
        builder.build()
    }
}

/// The file's bytes.
pub fn write(columns: &[Column], file: &File) -> Vec<u8> {
    let schema = schema(columns);
    let mut maker = Maker { file, numbers: Numbers(file.seed) };
    let arrays = columns.iter().map(|column| maker.column(column)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(file.rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), arrays, &options).expect("fits");
    let properties = file.properties(&schema);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties)).expect("a schema for Parquet");
    writer.write(&batch).expect("writes");
    writer.close().expect("closes");
    bytes
}
