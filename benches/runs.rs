//! Whole runs in this process, from files to files: `cargo bench --bench runs`. Throughput is in bytes of input.
//!
//! Reading the keyring, listing the folders, starting the threads, records and report are in the time; syncing is not.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use lakeveil::engine::progress::Silent;
use lakeveil::engine::stop::Stop;
use lakeveil::engine::storage::Environment;
use lakeveil::jobs::Settings;
use lakeveil::jobs::run::run;
use lakeveil::lineage::model::Report;
use lakeveil::policy::{Document, Variables};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use tokio::runtime::Runtime;

/// Two objects, so that one is published while another is computed. Without optimisation, where only building and
/// running is tried, small ones.
const OBJECTS: usize = 2;
const ROWS: usize = if cfg!(debug_assertions) { 1000 } else { 200_000 };

/// Columns that identify people: values that repeat lie in dictionaries, the others do not.
const REPEATING: [&str; 2] = ["user_id", "email"];
const UNIQUE: [&str; 2] = ["phone", "session"];

/// Events: two columns of values that repeat, two of values that do not, and eight that are kept in every run.
fn events(object: usize) -> RecordBatch {
    let numbers = || (object * ROWS..(object + 1) * ROWS).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let few =
        |name: &'static str, distinct: usize| move |number: usize| format!("{name}-{:04}", number >> 40 & distinct);
    let texts =
        |text: &dyn Fn(usize) -> String| -> ArrayRef { Arc::new(StringArray::from_iter_values(numbers().map(text))) };
    let fractions =
        || -> ArrayRef { Arc::new(numbers().map(|number| (number >> 11) as f64 / 64.0).collect::<Float64Array>()) };
    let ids = (object * ROWS..(object + 1) * ROWS).map(|row| row as i64);
    let times = ids.clone().map(|id| 1_767_225_600_000_000 + id * 900_017);
    RecordBatch::try_from_iter([
        ("event_id", Arc::new(ids.collect::<Int64Array>()) as ArrayRef),
        ("event_time", Arc::new(TimestampMicrosecondArray::from_iter_values(times))),
        ("user_id", texts(&few("u", 0xfff))),
        ("email", texts(&|number| format!("{}@example.com", few("user", 0xfff)(number)))),
        ("phone", texts(&|number| format!("+1555{:015}", number >> 16))),
        ("session", texts(&|number| format!("{number:016x}{:016x}", number.rotate_left(29)))),
        ("event_type", texts(&few("type", 0x3))),
        ("page", texts(&few("/shop/item", 0x1ff))),
        ("country", texts(&few("country", 0xf))),
        ("city", texts(&few("city", 0xff))),
        ("amount", fractions()),
        ("score", fractions()),
    ])
    .expect("columns of one length")
}

fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut properties = WriterProperties::builder().set_compression(Compression::ZSTD(Default::default()));
    for name in UNIQUE {
        properties = properties.set_column_dictionary_enabled(name.into(), false);
    }
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).expect("a schema");
    writer.write(batch).expect("writes");
    writer.close().expect("closes");
    bytes
}

/// No value needs quotes.
fn csv(batch: &RecordBatch) -> Vec<u8> {
    let names: Vec<&str> = batch.schema_ref().fields().iter().map(|field| field.name().as_str()).collect();
    let columns: Vec<ArrayRef> =
        batch.columns().iter().map(|column| cast(column, &DataType::Utf8).expect("has a text form")).collect();
    let mut text = names.join(",") + "\n";
    for row in 0..batch.num_rows() {
        let fields: Vec<&str> = columns.iter().map(|column| column.as_string::<i32>().value(row)).collect();
        text += &fields.join(",");
        text.push('\n');
    }
    text.into_bytes()
}

/// One job: from `source` files to `sink` files, with `replaced` columns, by one route.
struct Work {
    name: &'static str,
    formats: [&'static str; 2],
    replaced: &'static [&'static str],
    filter: &'static str,
    route: &'static str,
}

const WORKS: [Work; 6] = [
    Work {
        name: "Parquet, all columns kept",
        formats: ["parquet", "parquet"],
        replaced: &[],
        filter: "",
        route: "copied",
    },
    Work {
        name: "Parquet, 2 of 12 columns, in dictionaries",
        formats: ["parquet", "parquet"],
        replaced: &REPEATING,
        filter: "",
        route: "dictionary",
    },
    Work {
        name: "Parquet, 2 of 12 columns, no value twice",
        formats: ["parquet", "parquet"],
        replaced: &UNIQUE,
        filter: "",
        route: "leaf",
    },
    Work {
        name: "Parquet, 4 of 12 columns, with a condition",
        formats: ["parquet", "parquet"],
        replaced: &["user_id", "email", "phone", "session"],
        filter: "where: \"event_id >= 0\"\n",
        route: "stream",
    },
    Work {
        name: "CSV to CSV, 2 of 12 columns",
        formats: ["csv", "csv"],
        replaced: &REPEATING,
        filter: "",
        route: "leaf",
    },
    Work {
        name: "CSV to Parquet, 2 of 12 columns",
        formats: ["csv", "parquet"],
        replaced: &REPEATING,
        filter: "",
        route: "stream",
    },
];

impl Work {
    /// The policy: from the folder of the source's format to `out/`.
    fn document(&self, folder: &Path) -> Document {
        let (folder, keyring) = (folder.display(), concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/demo.keyring.json"));
        let [source, sink] = self.formats;
        let mut policy = format!(
            "version: 1\ndataset: bench\nsource: {{ url: \"{folder}/{source}/\" }}\n\
             sink: {{ url: \"{folder}/out/\", format: {sink} }}\n\
             keyring: {{ file: \"{keyring}\", permissions: any }}\n{}unlisted: keep\ncolumns:\n  event_id: keep\n",
            self.filter
        );
        for name in self.replaced {
            policy += &format!("  {name}: {{ pseudonym: {{ domain: {name} }} }}\n");
        }
        Document::parse(&policy, "policy", &Variables::none()).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// A figure counts only for the work that its name tells.
    fn check(&self, report: &Report) {
        let rows = Some((OBJECTS * ROWS) as u64);
        assert_eq!((report.totals.rows_in, report.totals.rows_out), (rows, rows), "{}", self.name);
        assert_eq!(report.totals.objects_written, OBJECTS as u64, "{}", self.name);
        for column in &report.columns {
            let is_replaced = self.replaced.contains(&column.name.as_str());
            if is_replaced || self.replaced.is_empty() {
                let routes: Vec<&str> = column.routes.iter().map(|used| used.route.as_str()).collect();
                assert_eq!(routes, [self.route], "{}: {}", self.name, column.name);
            }
        }
    }
}

fn runs(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (format, write) in [("parquet", parquet as fn(&RecordBatch) -> Vec<u8>), ("csv", csv)] {
        fs::create_dir(folder.path().join(format)).expect("creates");
        for object in 0..OBJECTS {
            let path = folder.path().join(format).join(format!("{object}.{format}"));
            fs::write(path, write(&events(object))).expect("writes");
        }
    }
    let runtime = Runtime::new().expect("starts");
    let settings = Settings { sync: false, ..Settings::default() };
    let mut group = c.benchmark_group(format!("runs over {OBJECTS} objects of {ROWS} rows"));
    group.sample_size(10);
    for work in WORKS {
        let document = work.document(folder.path());
        let done = || {
            let job = run(&document, &settings, Environment::of_process(), Arc::new(Silent), Stop::default());
            runtime.block_on(job).unwrap_or_else(|error| panic!("{}: {error}", work.name))
        };
        let empty_sink = || drop(fs::remove_dir_all(folder.path().join("out")));
        empty_sink();
        let report = done();
        work.check(&report);
        group.throughput(Throughput::Bytes(report.totals.bytes_in.expect("was read")));
        group.bench_function(work.name, |b| b.iter_batched(empty_sink, |()| done(), BatchSize::PerIteration));
    }
    group.finish();
}

criterion_group!(benches, runs);
criterion_main!(benches);
