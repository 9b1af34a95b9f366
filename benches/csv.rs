//! CSV between bytes and columns, on one thread: `cargo bench --bench csv`. Throughput is in bytes of CSV.

use std::fmt::Write;
use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Field};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lakeveil::engine::csv::{
    Blank, Blocks, Codec, Counts, Cutter, Decoder, Dialect, Encoder, Header, Marks, OutputField, Spans, Surgery,
    parse_column, split,
};
use lakeveil::policy::ColumnType;

/// Bytes of one block.
const BLOCK_BYTES: usize = 4 << 20;
const COLUMNS: usize = 8;

/// Eight columns: numbers, an email address, a date, text. `quote` is put around each field.
fn object(quote: &str, inner: &str) -> String {
    let mut text = "id,code,email,name,zip,date,note,flag\n".to_owned();
    let mut row = 0_u64;
    while text.len() < BLOCK_BYTES {
        row += 1;
        let code = row.wrapping_mul(2_654_435_761) as u32;
        let fields = [
            row.to_string(),
            format!("{code:08x}"),
            format!("{}@example.com", code % 9_999),
            format!("name {inner}{}{inner}", code % 777),
            format!("{:05}", code % 100_000),
            "2026-11-22".to_owned(),
            format!("some longer text of row {row}"),
            (row % 2).to_string(),
        ];
        let line: Vec<String> = fields.iter().map(|field| format!("{quote}{field}{quote}")).collect();
        writeln!(text, "{}", line.join(",")).expect("a String takes every text");
    }
    text
}

/// The shapes: nothing quoted, everything quoted, and everything quoted with doubled quotes in one field of eight.
fn shapes() -> [(&'static str, String); 3] {
    [("plain", object("", "")), ("quoted", object("\"", "")), ("quoted, one field escaped", object("\"", "\"\""))]
}

struct Parsed {
    dialect: Dialect,
    header: Header,
    rows: Vec<u8>,
}

fn parsed(object: &str) -> Parsed {
    let dialect = Dialect::default();
    let header = Header::read(object.as_bytes(), true, &dialect).expect("valid").expect("complete");
    let rows = object.as_bytes()[header.data_start()..].to_vec();
    Parsed { dialect, header, rows }
}

fn decoded(parsed: &Parsed, wanted: &[usize]) -> RecordBatch {
    let decoder = Decoder::new(&parsed.dialect, &parsed.header, wanted);
    decoder.decode(&parsed.rows, 1, &mut Spans::default()).expect("valid")
}

fn read(c: &mut Criterion) {
    let mut group = c.benchmark_group("csv read");
    for (shape, object) in shapes() {
        let parsed = parsed(&object);
        group.throughput(Throughput::Bytes(parsed.rows.len() as u64));
        group.bench_function(BenchmarkId::new("cut to blocks of 1 MiB, from chunks of 256 KiB", shape), |b| {
            b.iter(|| {
                let mut blocks = Blocks::new(&parsed.dialect, &parsed.header, 1 << 20);
                for chunk in object.as_bytes().chunks(256 << 10) {
                    blocks.push(chunk, |block| drop(black_box(block))).expect("valid");
                }
                blocks.finish()
            });
        });
        let mut spans = Spans::default();
        group.bench_function(BenchmarkId::new("split", shape), |b| {
            b.iter(|| split(black_box(&parsed.rows), &parsed.dialect, Blank::Skip, &mut spans));
        });
        let all: Vec<usize> = (0..COLUMNS).collect();
        for (columns, wanted) in
            [("split and decode 8 of 8 columns", &all[..]), ("split and decode 2 of 8 columns", &[0, 2])]
        {
            let decoder = Decoder::new(&parsed.dialect, &parsed.header, wanted);
            group.bench_function(BenchmarkId::new(columns, shape), |b| {
                b.iter(|| decoder.decode(black_box(&parsed.rows), 1, &mut spans));
            });
        }
    }
    group.finish();
}

fn write(c: &mut Criterion) {
    let mut group = c.benchmark_group("csv write");
    for (shape, object) in shapes() {
        let parsed = parsed(&object);
        let all: Vec<usize> = (0..COLUMNS).collect();
        let batch = decoded(&parsed, &all);
        let encoder = Encoder::new(&parsed.dialect);
        let mut out = Vec::new();
        encoder.rows(&batch, 1, &mut out).expect("valid");
        group.throughput(Throughput::Bytes(out.len() as u64));
        group.bench_function(BenchmarkId::new("encode 8 text columns", shape), |b| {
            b.iter(|| {
                out.clear();
                encoder.rows(black_box(&batch), 1, &mut out)
            });
        });
        for codec in [Codec::Gzip, Codec::Zstd] {
            group.bench_function(BenchmarkId::new(format!("compress by {codec}"), shape), |b| {
                b.iter(|| codec.compress(codec.default_level(), black_box(&out)));
            });
        }
    }
    group.finish();
}

fn surgery(c: &mut Criterion) {
    let mut group = c.benchmark_group("csv surgery");
    for (shape, object) in shapes() {
        let parsed = parsed(&object);
        let rows = bytes::Bytes::from(parsed.rows.clone());
        group.throughput(Throughput::Bytes(rows.len() as u64));
        group.bench_function(BenchmarkId::new("cut chunks of 256 KiB to runs of records", shape), |b| {
            b.iter(|| {
                let mut cutter = Cutter::new(b',', b'"');
                for start in (0..rows.len()).step_by(256 << 10) {
                    let chunk = rows.slice(start..rows.len().min(start + (256 << 10)));
                    cutter.push(&chunk, |run| drop(black_box(run))).expect("small records");
                }
                cutter.finish()
            });
        });
        let mut marks = Marks::default();
        group.bench_function(BenchmarkId::new("mark", shape), |b| {
            b.iter(|| marks.scan(black_box(&rows), (b',', b'"'), COLUMNS, usize::MAX));
        });
        let fields = (0..COLUMNS).map(|source| {
            let name = parsed.header.names()[source].clone();
            OutputField { source, name, made: matches!(source, 0 | 2) }
        });
        let surgery = Surgery::new(&parsed.dialect, COLUMNS, fields.collect()).expect("has quotes");
        let field = Field::new("made", DataType::Utf8, true);
        let text = std::str::from_utf8(&rows).expect("is UTF-8");
        let mut out = Vec::new();
        group.bench_function(
            BenchmarkId::new("mark, decode, write and count, 2 of 8 columns as they are", shape),
            |b| {
                b.iter(|| {
                    out.clear();
                    surgery.scan(black_box(&rows), usize::MAX, &mut marks).expect("sound");
                    let made = |column| (&field, Arc::new(surgery.column(text, &marks, column)) as ArrayRef);
                    surgery.write(&rows, &marks, &[made(0), made(2)], 1, &mut [0; 2], &mut out).expect("has text");
                    let mut counts = Counts::new(COLUMNS);
                    surgery.count(&rows, &marks, &mut counts);
                    counts
                });
            },
        );
    }
    group.finish();
}

fn types(c: &mut Criterion) {
    let mut group = c.benchmark_group("csv types");
    let batch = decoded(&parsed(&object("", "")), &(0..COLUMNS).collect::<Vec<_>>());
    group.throughput(Throughput::Elements(batch.num_rows() as u64));
    for (column, wanted) in [(0, "int64"), (0, "float64"), (0, "decimal(12,2)"), (5, "date"), (5, "timestamp(UTC)")] {
        let wanted: ColumnType = wanted.parse().expect("a type");
        let texts = batch.column(column).as_string::<i32>();
        group.bench_function(wanted.to_string(), |b| b.iter(|| parse_column(black_box(texts), wanted, "c", 1)));
    }
    group.finish();
}

criterion_group!(benches, read, write, surgery, types);
criterion_main!(benches);
