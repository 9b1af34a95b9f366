//! Chunks whose dictionary was given up halfway, in files of another codec than the sink's: the default of most writers.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use bytes::Bytes;
use parquet::basic::{Compression, CompressionCodec, Encoding, GzipLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::{assert_same_rows, both_ways, ways};
use crate::support::{Lake, written};

const ROWS: usize = 3_000;

/// Texts with nulls, flat and in lists; the dictionary is full after some hundred of them. And few texts, for which it
/// is large enough.
fn file(codec: Compression, version: WriterVersion) -> Vec<u8> {
    let text = |row: usize| (!row.is_multiple_of(7)).then(|| format!("person {}", row * row % 2_003));
    let flat: ArrayRef = Arc::new((0..ROWS).map(text).collect::<StringArray>());
    let items: ArrayRef = Arc::new((0..2 * ROWS).map(text).collect::<StringArray>());
    let item = Arc::new(Field::new("item", DataType::Utf8, true));
    let list: ArrayRef = Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(vec![2; ROWS]), items, None));
    let few: ArrayRef = Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("town {}", row % 9))));
    let batch =
        RecordBatch::try_from_iter_with_nullable([("person", flat, true), ("people", list, true), ("town", few, true)]);
    let batch = batch.expect("columns of one length");
    let properties = WriterProperties::builder().set_compression(codec).set_writer_version(version);
    let properties = properties.set_dictionary_page_size_limit(4_000).set_data_page_row_count_limit(100);
    let properties = properties.set_write_batch_size(100).build();
    written(&batch, properties)
}

#[test]
fn what_is_made_anew_has_the_sink_s_codec_unless_all_of_it_is_indices() {
    use CompressionCodec as Is;
    let rules = "columns:
  person: { pseudonym: { domain: d } }
  \"people[]\": { pseudonym: { domain: d } }
  town: { pseudonym: { domain: t } }
";
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for (sink, made) in [("zstd(1)", Is::ZSTD), ("none", Is::UNCOMPRESSED), ("gzip(6)", Is::GZIP)] {
            for (codec, source) in [
                (Compression::SNAPPY, Is::SNAPPY),
                (Compression::UNCOMPRESSED, Is::UNCOMPRESSED),
                (Compression::GZIP(GzipLevel::default()), Is::GZIP),
            ] {
                let case = format!("{source:?} to {made:?}, {version:?}");
                let lake = Lake::new();
                lake.put("in/t.parquet", file(codec, version));
                let (report, _) = both_ways(&lake, &format!("compression: {sink}"), rules);
                assert_same_rows(&lake, "t.parquet", &case);
                let found = ["person", "people[]", "town"].map(|column| ways(&report, column));
                assert_eq!(found.concat(), ["leaf", "leaf", "dictionary"], "{case}");
                let bytes = Bytes::from(fs::read(lake.path("out/t.parquet")).expect("reads"));
                let reader = SerializedFileReader::new(bytes).expect("is Parquet");
                let chunks = reader.metadata().row_group(0).columns();
                let codecs: Vec<_> = chunks.iter().map(|chunk| chunk.compression_codec()).collect();
                assert_eq!(codecs, [made, made, source], "{case}");
                for chunk in &chunks[..2] {
                    let encodings: Vec<Encoding> = chunk.encodings().collect();
                    let both = [Encoding::RLE_DICTIONARY, Encoding::DELTA_LENGTH_BYTE_ARRAY];
                    assert!(
                        both.iter().all(|one| encodings.contains(one)),
                        "{case}: pages of both kinds: {encodings:?}"
                    );
                }
            }
        }
    }
}
