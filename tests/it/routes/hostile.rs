//! Files made to deceive: page headers and footers that contradict each other, or agree upon a lie.

use std::fs;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use bytes::Bytes;
use lakeveil::engine::parquet::page::{PageHeader, PageKind};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader,
    ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::TrackedWrite;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::SchemaDescriptor;

use super::damage::{CANARY, run_tamely};
use crate::support::{Lake, batch, contains, token};

/// Pages before a footer.
fn with_footer(pages: &[u8], metadata: &ParquetMetaData) -> Vec<u8> {
    let mut file = Vec::new();
    let mut tracked = TrackedWrite::new(&mut file);
    tracked.write_all(pages).expect("in memory");
    ParquetMetaDataWriter::new_with_tracked(tracked, metadata).finish().expect("writes");
    file
}

/// A chunk, what the footer says of it, and its pages.
pub struct Chunk {
    pub column: &'static str,
    pub codec: Compression,
    pub values: i64,
    pub uncompressed: i64,
    pub pages: Vec<(PageHeader, Vec<u8>)>,
}

impl Chunk {
    /// A file of this chunk.
    pub fn file(&self) -> Vec<u8> {
        let mut bytes = b"PAR1".to_vec();
        for (header, body) in &self.pages {
            bytes.extend(header.write());
            bytes.extend(body);
        }
        let schema = parse_message_type(&format!("message m {{ required {}; }}", self.column)).expect("a schema");
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
        let chunk = ColumnChunkMetaData::builder(schema.column(0))
            .set_compression(self.codec)
            .set_num_values(self.values)
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
            .set_data_page_offset(4)
            .set_total_compressed_size(bytes.len() as i64 - 4)
            .set_total_uncompressed_size(self.uncompressed);
        let chunks = vec![chunk.build().expect("a chunk")];
        let group = RowGroupMetaData::builder(Arc::clone(&schema)).set_num_rows(self.values);
        let group = group.set_column_metadata(chunks).set_total_byte_size(self.uncompressed).build().expect("a group");
        let file = FileMetaData::new(1, self.values, None, None, schema, None);
        with_footer(&bytes, &ParquetMetaData::new(file, vec![group]))
    }
}

pub const TEXT: &str = "binary person (STRING)";
const NUMBER: &str = "int64 person";

pub fn data(values: i32, encoding: Encoding, uncompressed: usize, body: Vec<u8>) -> (PageHeader, Vec<u8>) {
    let kind = PageKind::V1 { values, encoding, definition: Encoding::RLE, repetition: Encoding::RLE };
    (PageHeader { uncompressed: uncompressed as i32, compressed: body.len() as i32, crc: None, kind }, body)
}

pub fn dictionary(values: i32, uncompressed: usize, body: Vec<u8>) -> (PageHeader, Vec<u8>) {
    let kind = PageKind::Dictionary { values, encoding: Encoding::PLAIN, is_sorted: false };
    (PageHeader { uncompressed: uncompressed as i32, compressed: body.len() as i32, crc: None, kind }, body)
}

pub fn plain(texts: &[&str]) -> Vec<u8> {
    texts.iter().flat_map(|text| [&(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

/// Both ways of a transformed column: page by page, and decoded in batches.
const WAYS: [&str; 2] = ["", "where: \"true\"\n"];

#[track_caller]
fn fails(chunk: &Chunk, words: &str) {
    for way in WAYS {
        let lake = Lake::new();
        lake.put("in/t.parquet", chunk.file());
        lake.policy(&format!("{way}columns: {{ person: {{ pseudonym: {{ domain: d }} }} }}\n"));
        let report = run_tamely(&lake, 1);
        let failure = &report["objects"][0]["failure"];
        assert_eq!(failure["code"], "parquet-undecodable", "{failure:#}");
        let message = failure["message"].as_str().expect("a message");
        assert!(message.contains("column `person`, row group 0") && message.contains(words), "{message}");
        assert!(lake.objects("out").is_empty());
    }
}

#[test]
fn a_file_of_the_frame_that_the_others_deceive_in_is_sound() {
    let body = plain(&["ab", "cd"]);
    let size = body.len();
    let pages = vec![data(2, Encoding::PLAIN, size, gzip(&body))];
    let chunk =
        Chunk { column: TEXT, codec: Compression::GZIP(Default::default()), values: 2, uncompressed: 99, pages };
    for way in WAYS {
        let lake = Lake::new();
        lake.put("in/t.parquet", chunk.file());
        lake.policy(&format!("{way}columns: {{ person: {{ pseudonym: {{ domain: d }} }} }}\n"));
        run_tamely(&lake, 0);
        let made = lake.table("out/t.parquet");
        assert_eq!(made["person"], ["ab", "cd"].map(|text| Some(token("d", text))));
    }
}

#[test]
fn fail_headers_that_claim_more_than_the_footer() {
    let body = plain(&["ab", "cd"]);
    let codec = Compression::GZIP(Default::default());
    let chunk = |uncompressed, pages| Chunk { column: TEXT, codec, values: 2, uncompressed, pages };
    let huge = i32::MAX as usize;
    fails(&chunk(99, vec![data(2, Encoding::PLAIN, huge, gzip(&body))]), "claim more bytes than the footer");
    let one = |values| vec![data(values, Encoding::PLAIN, body.len(), gzip(&body))];
    fails(&chunk(99, one(3)), "another number of values");
    fails(&chunk(99, one(1)), "do not decode");
    // both tell the same lie
    fails(&chunk(i64::MAX, vec![data(2, Encoding::PLAIN, huge, gzip(&body))]), "do not decode");
}

#[test]
fn fail_headers_and_footers_that_agree_upon_a_huge_size() {
    let body = plain(&["ab", "cd"]);
    let huge = i32::MAX as usize;
    let mut brotli = Vec::new();
    brotli::CompressorWriter::new(&mut brotli, 4096, 5, 22).write_all(&body).expect("in memory");
    let zstd = zstd::bulk::compress(&body, 1).expect("in memory");
    for (codec, packed) in [
        (Compression::ZSTD(Default::default()), zstd.clone()),
        // one that does not tell its size
        (Compression::ZSTD(Default::default()), zstd::stream::encode_all(&body[..], 1).expect("in memory")),
        (Compression::BROTLI(Default::default()), brotli),
        (Compression::LZ4_RAW, lz4_flex::block::compress(&body)),
        (Compression::SNAPPY, snap::raw::Encoder::new().compress_vec(&body).expect("in memory")),
    ] {
        for uncompressed in [i64::from(i32::MAX), i64::MAX] {
            let pages = vec![data(2, Encoding::PLAIN, huge, packed.clone())];
            fails(&Chunk { column: TEXT, codec, values: 2, uncompressed, pages }, "do not decode");
        }
    }
    let codec = Compression::ZSTD(Default::default());
    let chunk = |pages| Chunk { column: TEXT, codec, values: 2, uncompressed: i64::MAX, pages };
    // a dictionary, and a page whose levels lie before what is compressed
    let indices = data(2, Encoding::RLE_DICTIONARY, 4, zstd::bulk::compress(&[1, 4, 0, 0], 1).expect("in memory"));
    fails(&chunk(vec![dictionary(2, huge, zstd.clone()), indices]), "do not decode");
    let (encoding, is_compressed) = (Encoding::PLAIN, true);
    let kind = PageKind::V2 {
        values: 2,
        nulls: 0,
        rows: 2,
        encoding,
        definition_bytes: 0,
        repetition_bytes: 0,
        is_compressed,
    };
    let header = PageHeader { uncompressed: i32::MAX, compressed: zstd.len() as i32, crc: None, kind };
    fails(&chunk(vec![(header, zstd)]), "do not decode");
}

#[test]
fn fail_dictionaries_of_more_entries_than_there_can_be() {
    let indices = || data(2, Encoding::RLE_DICTIONARY, 4, vec![1, 4, 0, 0]);
    for (column, entry, bytes) in [(NUMBER, vec![0; 8], 8), (TEXT, plain(&["ab"]), 6)] {
        let codec = Compression::UNCOMPRESSED;
        let chunk = |entries, uncompressed, size| Chunk {
            column,
            codec,
            values: 2,
            uncompressed,
            pages: vec![dictionary(entries, size, entry.clone()), indices()],
        };
        for entries in [3, 1 << 24, i32::MAX] {
            fails(&chunk(entries, 99, bytes), "more entries than there can be");
        }
        fails(&chunk(1 << 26, i64::MAX, i32::MAX as usize), "more entries than there can be");
    }
}

#[test]
fn fail_pages_that_go_on_after_their_claimed_end() {
    let zeros = vec![0; 1 << 30];
    let mut brotli = Vec::new();
    brotli::CompressorWriter::new(&mut brotli, 4096, 5, 22).write_all(&zeros[..1 << 28]).expect("in memory");
    for (codec, bomb) in [
        (Compression::GZIP(Default::default()), gzip(&zeros)),
        (Compression::BROTLI(Default::default()), brotli),
        (Compression::ZSTD(Default::default()), zstd::bulk::compress(&zeros, 1).expect("in memory")),
        (Compression::LZ4_RAW, lz4_flex::block::compress(&zeros[..1 << 28])),
        (Compression::SNAPPY, snap::raw::Encoder::new().compress_vec(&zeros[..1 << 28]).expect("in memory")),
    ] {
        let pages = vec![data(2, Encoding::PLAIN, 99, bomb)];
        fails(&Chunk { column: TEXT, codec, values: 2, uncompressed: 200, pages }, "do not decode");
    }
}

#[test]
fn fail_pages_that_the_decoders_of_the_parquet_crate_panic_over() {
    // DELTA_BYTE_ARRAY: lengths of what two texts share with the one before, lengths of the rest, the rest. The second
    // rest is too long; of length -1; of a length packed into 255 bits
    for lengths in [&[0xc8, 0x01, 0, 0, 0, 0][..], &[0x05, 0, 0, 0, 0], &[0, 255, 255, 255, 255]] {
        let body = [&[0x80, 0x01, 4, 2, 0, 0, 0, 0, 0, 0, 0x80, 0x01, 4, 2, 4], lengths, b"abcd"].concat();
        let pages = vec![data(2, Encoding::DELTA_BYTE_ARRAY, body.len(), body)];
        let codec = Compression::UNCOMPRESSED;
        fails(&Chunk { column: TEXT, codec, values: 2, uncompressed: 99, pages }, "do not decode");
    }
}

/// A file of a column that goes and one that stays, with page indexes and bloom filters, and its footer.
fn indexed() -> (Bytes, ParquetMetaData) {
    let texts = |word: &str| -> ArrayRef {
        Arc::new((0..40).map(|row| Some(format!("{word}{row:02}"))).collect::<StringArray>())
    };
    let columns = [("gone", texts(CANARY)), ("place", texts("town"))];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_bloom_filter_enabled(true)
        .set_write_batch_size(10)
        .set_data_page_row_count_limit(10)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a schema");
    writer.write(&batch).expect("writes");
    writer.close().expect("closes");
    let bytes = Bytes::from(bytes);
    let metadata = footer(&bytes);
    (bytes, metadata)
}

fn footer(bytes: &Bytes) -> ParquetMetaData {
    use parquet::file::metadata::PageIndexPolicy::Optional;
    ParquetMetaDataReader::new().with_page_index_policy(Optional).parse_and_finish(bytes).expect("a footer")
}

/// The file with another footer; the pages stay.
fn changed(
    bytes: &Bytes,
    metadata: &ParquetMetaData,
    change: impl FnOnce(ParquetMetaDataBuilder) -> ParquetMetaDataBuilder,
) -> Vec<u8> {
    let pages = &bytes
        [..bytes.len() - 8 - u32::from_le_bytes(bytes[bytes.len() - 8..][..4].try_into().expect("4 bytes")) as usize];
    with_footer(pages, &change(ParquetMetaDataBuilder::new_from_metadata(metadata.clone())).build())
}

/// Keeps `place` of a file; gives what was written, and its footer.
#[track_caller]
fn kept(file: Vec<u8>) -> (Bytes, ParquetMetaData) {
    let lake = Lake::new();
    lake.put("in/t.parquet", file);
    lake.policy("columns: { gone: drop, place: keep }\n");
    let report = run_tamely(&lake, 0);
    assert_eq!(super::ways(&report, "place"), ["copied"]);
    let made = Bytes::from(fs::read(lake.path("out/t.parquet")).expect("reads"));
    assert_eq!(batch(made.to_vec()).num_rows(), 40);
    assert!(!contains(&made, CANARY.as_bytes()));
    let metadata = footer(&made);
    (made, metadata)
}

#[test]
fn page_indexes_that_contradict_each_other_are_left_out() {
    let (bytes, metadata) = indexed();
    let (_, sound) = kept(bytes.to_vec());
    assert_eq!(sound.offset_index().expect("an index")[0][0].page_locations().len(), 4);
    let offsets = metadata.offset_index().expect("an index").clone();
    let columns = metadata.column_index().expect("an index").clone();
    for (case, change) in [("none", 0), ("fewer", 1), ("shared", 2), ("outside", 3), ("disorder", 4), ("rows", 5)] {
        let mut offsets = offsets.clone();
        let OffsetIndexMetaData { page_locations: pages, unencoded_byte_array_data_bytes: sizes } = &mut offsets[0][1];
        match change {
            0 => pages.clear(),
            1 => {
                pages.truncate(3);
                sizes.iter_mut().for_each(|sizes| sizes.truncate(3));
            }
            2 => pages[1].offset = pages[0].offset,
            3 => pages[0].offset = 4,
            4 => pages[2].first_row_index = pages[1].first_row_index,
            _ => pages[3].first_row_index = 40,
        }
        let file = changed(&bytes, &metadata, |builder| {
            builder.set_offset_index(Some(offsets)).set_column_index(Some(columns.clone()))
        });
        let (_, made) = kept(file);
        assert!(made.offset_index().is_none() && made.column_index().is_none(), "{case}");
    }
    // the column index alone is of another number of pages
    let mut columns = columns.clone();
    columns[0][1] = ColumnIndexMetaData::NONE;
    let (_, made) = kept(changed(&bytes, &metadata, |builder| builder.set_column_index(Some(columns))));
    assert_eq!(made.offset_index().expect("an index")[0][0].page_locations().len(), 4, "offsets alone are no lie");
}

#[test]
fn what_is_told_of_one_column_is_not_told_of_another() {
    let (bytes, metadata) = indexed();
    let group = metadata.row_group(0);
    let (gone, place) = (group.column(0), group.column(1));
    let lie = |what: &str| {
        let builder = place.clone().into_builder();
        let builder = match what {
            "index" => builder
                .set_column_index_offset(gone.column_index_offset())
                .set_column_index_length(gone.column_index_length()),
            "filter" => builder
                .set_bloom_filter_offset(gone.bloom_filter_offset())
                .set_bloom_filter_length(gone.bloom_filter_length()),
            _ => builder,
        };
        let columns = vec![gone.clone(), builder.build().expect("a chunk")];
        let group = group.clone().into_builder().set_column_metadata(columns).build().expect("a group");
        let change = |builder: ParquetMetaDataBuilder| {
            // their bytes are there already
            builder.set_row_groups(vec![group]).set_column_index(None).set_offset_index(None)
        };
        kept(changed(&bytes, &metadata, change)).1
    };
    let honest = lie("nothing");
    assert!(honest.column_index().is_some() && honest.row_group(0).column(0).bloom_filter_offset().is_some());
    for what in ["index", "filter"] {
        let made = lie(what);
        assert!(made.column_index().is_none(), "{what}");
        assert!(made.row_group(0).column(0).bloom_filter_offset().is_none(), "{what}");
    }
}

#[test]
fn thousands_of_row_groups_are_copied_and_rewritten() {
    let columns = |group: usize| -> Vec<(&str, ArrayRef)> {
        let text = |word: &str| -> ArrayRef { Arc::new(StringArray::from(vec![format!("{word}{group}")])) };
        vec![("person", text("p")), ("place", text("town"))]
    };
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(1)).build();
    let batch = |group| RecordBatch::try_from_iter(columns(group)).expect("columns of one length");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch(0).schema(), Some(properties)).expect("a schema");
    (0..3_000).for_each(|group| writer.write(&batch(group)).expect("writes"));
    writer.close().expect("closes");
    let lake = Lake::new();
    lake.put("in/t.parquet", bytes);
    lake.policy("columns: { person: { pseudonym: { domain: d } }, place: keep }\n");
    run_tamely(&lake, 0);
    let made = lake.table("out/t.parquet");
    assert_eq!(made["place"].len(), 3_000);
    for group in [0, 1_500, 2_999] {
        assert_eq!(made["place"][group], Some(format!("town{group}")));
        assert_eq!(made["person"][group], Some(token("d", &format!("p{group}"))));
    }
}

#[test]
fn fail_more_row_groups_than_can_be_numbered_before_anything_is_read() {
    let schema = parse_message_type(&format!("message m {{ required {NUMBER}; }}")).expect("a schema");
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
    let groups = (0..(1 << 15) + 1).map(|at| {
        let chunk = ColumnChunkMetaData::builder(schema.column(0)).set_num_values(1);
        let chunk = chunk.set_data_page_offset(4 + at).set_total_compressed_size(1).build().expect("a chunk");
        let group = RowGroupMetaData::builder(Arc::clone(&schema)).set_num_rows(1);
        group.set_column_metadata(vec![chunk]).build().expect("a group")
    });
    let groups = groups.collect::<Vec<_>>();
    let file = FileMetaData::new(1, groups.len() as i64, None, None, Arc::clone(&schema), None);
    let pages = [b"PAR1".to_vec(), vec![0; groups.len()]].concat();
    let lake = Lake::new();
    lake.put("in/t.parquet", with_footer(&pages, &ParquetMetaData::new(file, groups)));
    lake.put("in/good.csv", "person\n1\n");
    lake.policy("columns: { person: { pseudonym: { domain: d } } }\n");
    let report = run_tamely(&lake, 1);
    let failed = report["objects"].as_array().expect("objects").iter().find(|object| object["status"] == "failed");
    let message = failed.expect("one")["failure"]["message"].as_str().expect("a message");
    assert!(message.contains("32769 row groups, a file can have 32768"), "{message}");
}

#[test]
fn pages_of_lists_begin_with_rows_where_an_index_says_where_pages_begin() {
    let item = Arc::new(Field::new("item", DataType::Utf8, false));
    let texts: ArrayRef = Arc::new((0..16).map(|at| Some(format!("text{at:02}"))).collect::<StringArray>());
    let list: ArrayRef = Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([2; 8]), texts, None));
    let rows = RecordBatch::try_from_iter([("list", list)]).expect("fits");
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .set_write_batch_size(4)
        .set_data_page_row_count_limit(4)
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties)).expect("a schema");
    writer.write(&rows).expect("writes");
    writer.close().expect("closes");
    // repetition levels of eight values, packed: 0 1 0 1 0 1 0 1 in both pages
    let levels = [2, 0, 0, 0, 3, 0b1010_1010];
    let first = memchr::memmem::find(&bytes, &levels).expect("the first page's");
    let second = memchr::memmem::rfind(&bytes, &levels).expect("the second page's");
    assert!(first < second);
    // now the first page's last value begins a row, which the second page goes on with
    bytes[first + 5] = 0b0010_1010;
    bytes[second + 5] = 0b1010_1011;
    let lake = Lake::new();
    lake.put("in/t.parquet", bytes);
    let rules = "columns: { \"list[]\": { pseudonym: { domain: d } } }\n";
    super::both_ways(&lake, "compression: none", rules);
    super::assert_same_rows(&lake, "t.parquet", "a row across two pages");
    let made = footer(&Bytes::from(fs::read(lake.path("out/t.parquet")).expect("reads")));
    let starts = made.offset_index().map(|index| index[0][0].page_locations().iter().map(|page| page.first_row_index));
    assert!(starts.is_none_or(|mut starts| starts.all(|row| row == 0)), "a page that begins within a row");
}
