//! One column of tokens as data pages, on one thread: `cargo bench --bench encodings`. Which encoding, with which codec,
//! is fast and small? Throughput is in tokens for each second; what a token takes is printed before each case.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lakeveil::crypto::{HmacKey, TokenEncoding};
use lakeveil::engine::parquet::compress::Compressor;
use lakeveil::engine::parquet::page::{PageHeader, PageKind};
use lakeveil::engine::parquet::values::{TextEncoding, encode};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::WriterProperties;

/// A small row group. Without optimisation, where only building and running is tried, a page.
const TOKENS: usize = if cfg!(debug_assertions) { 1 << 11 } else { 1 << 18 };
/// Tokens in a page: the parquet crate's default.
const PAGE_TOKENS: usize = 20_000;
/// Rows handed to the writer at a time: what the engine decodes at a time.
const BATCH_ROWS: usize = 8192;

/// Tokens of 128 bits: of every row's own number, or of numbers below `distinct` in no order.
fn tokens(encoding: TokenEncoding, distinct: Option<u64>) -> ArrayRef {
    let key = HmacKey::new(&[7; 32]);
    let text = |row: u64| {
        let token = key.sign(&row.to_be_bytes());
        let drawn = distinct.map(|distinct| {
            let random = token.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
            key.sign(&(random % distinct).to_be_bytes())
        });
        let mut text = vec![0; encoding.encoded_len(16)];
        encoding.encode_into(&drawn.unwrap_or(token)[..16], &mut text);
        String::from_utf8(text).expect("is ASCII")
    };
    Arc::new(StringArray::from_iter_values((0..TOKENS as u64).map(text)))
}

/// The columns: what leaves the leaf route, a column of few tokens, and shorter tokens.
fn columns() -> [(&'static str, ArrayRef); 3] {
    [
        ("hex, no token twice", tokens(TokenEncoding::Hex, None)),
        ("hex, 64 rows a token", tokens(TokenEncoding::Hex, Some(TOKENS as u64 / 64))),
        ("base64url, no token twice", tokens(TokenEncoding::Base64Url, None)),
    ]
}

fn codecs() -> [(&'static str, Compression); 5] {
    let zstd = |level| Compression::ZSTD(ZstdLevel::try_new(level).expect("a level"));
    [
        ("none", Compression::UNCOMPRESSED),
        ("snappy", Compression::SNAPPY),
        ("lz4", Compression::LZ4_RAW),
        ("zstd(1)", zstd(1)),
        ("zstd(3)", zstd(3)),
    ]
}

/// A file of the column by the parquet crate; without an `encoding` it tries a dictionary, then PLAIN.
fn by_parquet_crate(column: &ArrayRef, encoding: Option<Encoding>, codec: Compression) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter([("token", Arc::clone(column))]).expect("one column");
    let mut properties = WriterProperties::builder().set_compression(codec);
    if let Some(encoding) = encoding {
        properties = properties.set_dictionary_enabled(false).set_encoding(encoding);
    }
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).expect("a schema");
    for start in (0..TOKENS).step_by(BATCH_ROWS) {
        writer.write(&batch.slice(start, BATCH_ROWS.min(TOKENS - start))).expect("writes");
    }
    writer.close().expect("closes");
    bytes
}

/// Pages of the column as the leaf route makes them: without bounds and filter, which cost the same whatever the
/// encoding. The level of zstd is not asked for: tokens look random.
fn by_us(column: &ArrayRef, encoding: TextEncoding, codec: Compression) -> Vec<u8> {
    let mut compressor = Compressor::new(codec, true).expect("a codec for pages");
    let mut pages = Vec::new();
    for start in (0..column.len()).step_by(PAGE_TOKENS) {
        let page = column.slice(start, PAGE_TOKENS.min(column.len() - start));
        let encoded = encode(&page, encoding, Vec::new()).expect("is text");
        let mut body = Vec::new();
        compressor.compress_values(&encoded, &mut body).expect("compresses");
        let kind = PageKind::V1 {
            values: page.len() as i32,
            encoding: encoded.encoding,
            definition: Encoding::RLE,
            repetition: Encoding::RLE,
        };
        let (uncompressed, compressed) = (encoded.size() as i32, body.len() as i32);
        pages.extend(PageHeader { uncompressed, compressed, crc: None, kind }.write());
        pages.extend(body);
    }
    pages
}

type Writer = Box<dyn Fn(&ArrayRef, Compression) -> Vec<u8>>;

fn writers() -> [(&'static str, Writer); 6] {
    let theirs = |encoding| Box::new(move |column: &ArrayRef, codec| by_parquet_crate(column, encoding, codec));
    let ours = |encoding| Box::new(move |column: &ArrayRef, codec| by_us(column, encoding, codec));
    [
        ("dictionary, by the parquet crate", theirs(None)),
        ("PLAIN, by the parquet crate", theirs(Some(Encoding::PLAIN))),
        ("DELTA_LENGTH_BYTE_ARRAY, by the parquet crate", theirs(Some(Encoding::DELTA_LENGTH_BYTE_ARRAY))),
        ("DELTA_BYTE_ARRAY, by the parquet crate", theirs(Some(Encoding::DELTA_BYTE_ARRAY))),
        ("PLAIN, by us", ours(TextEncoding::Plain)),
        ("DELTA_LENGTH_BYTE_ARRAY, by us", ours(TextEncoding::Best)),
    ]
}

fn encodings(c: &mut Criterion) {
    for (name, column) in columns() {
        let mut group = c.benchmark_group(format!("{TOKENS} tokens, {name}"));
        group.throughput(Throughput::Elements(TOKENS as u64)).sample_size(10);
        for (writer, write) in writers() {
            for (codec_name, codec) in codecs() {
                let size = write(&column, codec).len() as f64 / TOKENS as f64;
                println!("{name}, {writer}, {codec_name}: {size:.2} bytes for each token");
                group.bench_function(BenchmarkId::new(writer, codec_name), |b| {
                    b.iter(|| write(black_box(&column), codec));
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, encodings);
criterion_main!(benches);
