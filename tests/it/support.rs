//! What the tests share: a small lake in a temporary folder, the real binary, and independent readings of its output.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::DataType;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;
use serde_json::Value;
use sha2::Sha256;
use tempfile::TempDir;

/// The secret of every test lake's keyring: 32 bytes that must appear nowhere.
pub const SECRET: &str = "canary-secret-0123456789abcdef!!";

/// Columns by name, each value as text.
pub type Table = BTreeMap<String, Vec<Option<String>>>;

/// The checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Real data that nobody of this project made; `None`, said aloud, where it is not on this machine.
pub fn corpora(name: &str) -> Option<PathBuf> {
    let default = root().join("../shared/corpora");
    let folder = std::env::var_os("LAKEVEIL_CORPORA").map_or(default, PathBuf::from).join(name);
    if folder.exists() {
        return Some(folder);
    }
    skipped(&format!("{} is not there; set LAKEVEIL_CORPORA", folder.display()));
    None
}

/// Straight to the handle: the test harness swallows what a passing test prints.
pub fn skipped(why: &str) {
    use std::io::Write;
    let _ = std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes());
}

/// What a run of the binary came to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Both streams.
    pub fn words(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.words());
        self
    }
}

/// The binary under test.
pub fn lakeveil() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lakeveil"));
    // what a developer has set must not steer a test
    for name in ["OUT", "DAY", "COUNTRY", "OPENLINEAGE_NAMESPACE", "OPENLINEAGE_API_KEY", "LAKEVEIL_LOG"] {
        command.env_remove(name);
    }
    command
}

/// A temporary folder with `in/`, `out/` (made by the run), a keyring and a policy.
pub struct Lake {
    dir: TempDir,
}

impl Lake {
    pub fn new() -> Self {
        let lake = Self { dir: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir(lake.path("in")).expect("creates");
        let keyring = format!(
            r#"{{"version":1,"keys":[{{"id":"test","state":"active","created":"2026-11-22T00:00:00Z","secret":"text:{SECRET}"}}]}}"#
        );
        lake.put("keyring.json", keyring);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let owner = fs::Permissions::from_mode(0o600);
            fs::set_permissions(lake.path("keyring.json"), owner).expect("changes the mode");
        }
        lake
    }

    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// Writes a file, its folders included.
    pub fn put(&self, relative: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().expect("has a parent")).expect("creates folders");
        fs::write(path, bytes).expect("writes");
    }

    /// Writes one batch as Parquet, columns by name.
    pub fn put_parquet(&self, relative: &str, columns: Vec<(&str, ArrayRef)>) {
        let batch =
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
                .expect("columns of one length");
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a schema for Parquet");
        writer.write(&batch).expect("writes");
        writer.close().expect("closes");
        self.put(relative, bytes);
    }

    /// Writes `policy.yaml`: the head that all share, then `rest`.
    pub fn policy(&self, rest: &str) {
        self.policy_between("in/", "out/", rest);
    }

    /// As [`policy`](Self::policy), from and to these places.
    pub fn policy_between(&self, source: &str, sink: &str, rest: &str) {
        let head = format!(
            "version: 1\ndataset: test\nsource:\n  url: \"{source}\"\nsink:\n  url: \"{sink}\"\nkeyring: {{ file: keyring.json }}\n"
        );
        self.put("policy.yaml", head + rest);
    }

    /// Runs `lakeveil ARGS policy.yaml MORE` in this folder.
    pub fn lakeveil<S: AsRef<OsStr>>(&self, verb: &str, more: impl IntoIterator<Item = S>) -> Ran {
        let mut command = lakeveil();
        command.current_dir(self.dir.path()).arg(verb).arg("policy.yaml").args(more);
        Ran::of(command.output().expect("the binary starts"))
    }

    /// `lakeveil run policy.yaml ARGS`.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.lakeveil("run", args)
    }

    /// Runs, expects exit code 0, gives the report.
    #[track_caller]
    pub fn run_well(&self, args: &[&str]) -> Value {
        self.run_to(0, args)
    }

    /// Runs, expects this exit code, gives the report.
    #[track_caller]
    pub fn run_to(&self, code: i32, args: &[&str]) -> Value {
        let _ = fs::remove_file(self.path("report.json"));
        self.run(&[args, &["--report", "report.json"]].concat()).expect(code);
        self.json("report.json")
    }

    pub fn json(&self, relative: &str) -> Value {
        let text = fs::read_to_string(self.path(relative)).expect("is there");
        serde_json::from_str(&text).expect("is JSON")
    }

    /// A file of the lake as text columns.
    pub fn table(&self, relative: &str) -> Table {
        table(&self.path(relative))
    }

    /// Paths below `relative`, `_lakeveil/` included, in order.
    pub fn files(&self, relative: &str) -> Vec<String> {
        files(&self.path(relative))
    }

    /// Paths of output objects below `relative`: without `_lakeveil/`.
    pub fn objects(&self, relative: &str) -> Vec<String> {
        let mut files = self.files(relative);
        files.retain(|path| !path.starts_with("_lakeveil/"));
        files
    }

    /// Every byte below `relative` that contains `needle`, by path.
    pub fn holding(&self, relative: &str, needle: &str) -> Vec<String> {
        let holds = |path: &String| {
            let bytes = fs::read(self.path(relative).join(path)).expect("reads");
            path.contains(needle) || contains(&bytes, needle.as_bytes())
        };
        self.files(relative).into_iter().filter(holds).collect()
    }
}

/// Paths below a folder, in order; none where it is absent.
pub fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        let Ok(entries) = fs::read_dir(&current) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let relative = path.strip_prefix(folder).expect("lies below").to_str().expect("is UTF-8");
                found.push(relative.to_owned());
            }
        }
    }
    found.sort_unstable();
    found
}

/// Whether `needle` lies in `bytes`.
pub fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(bytes, needle).is_some()
}

/// A Parquet or CSV file (`.gz`, `.zst` too) as text columns, read by other code than the engine's own readers for CSV.
pub fn table(path: &Path) -> Table {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    table_of(&path.to_string_lossy(), bytes)
}

/// As [`table`], of bytes whose format `name` tells.
pub fn table_of(name: &str, bytes: Vec<u8>) -> Table {
    if name.ends_with(".parquet") {
        return parquet_table(bytes);
    }
    let text = if name.ends_with(".gz") {
        let mut text = Vec::new();
        std::io::copy(&mut flate2::read::MultiGzDecoder::new(&bytes[..]), &mut text).expect("is gzip");
        text
    } else if name.ends_with(".zst") {
        zstd::decode_all(&bytes[..]).expect("is zstd")
    } else {
        bytes
    };
    csv_table(&text)
}

/// The `csv` crate cannot tell null from empty: here both are `None`.
pub fn csv_table(text: &[u8]) -> Table {
    let mut reader = csv::Reader::from_reader(text);
    let names: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let mut table: Table = names.iter().map(|name| (name.clone(), Vec::new())).collect();
    for record in reader.records() {
        let record = record.expect("a whole record");
        for (name, value) in names.iter().zip(&record) {
            let value = (!value.is_empty()).then(|| value.to_owned());
            table.get_mut(name).expect("a known column").push(value);
        }
    }
    table
}

/// A Parquet file of `batch`, as the parquet crate writes it with `properties`.
pub fn written(batch: &RecordBatch, properties: WriterProperties) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a schema");
    writer.write(batch).expect("writes");
    writer.close().expect("closes");
    bytes
}

/// A Parquet file whole.
pub fn batch(bytes: Vec<u8>) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).expect("is Parquet");
    let schema = Arc::clone(reader.schema());
    let batches: Vec<RecordBatch> = reader.build().expect("opens").map(|batch| batch.expect("decodes")).collect();
    concat_batches(&schema, &batches).expect("one schema")
}

fn parquet_table(bytes: Vec<u8>) -> Table {
    let batch = batch(bytes);
    let text = |array: &ArrayRef| match cast(array, &DataType::Utf8) {
        Ok(array) => array.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect(),
        Err(_) => vec![None; array.len()],
    };
    let names = batch.schema_ref().fields().iter().map(|field| field.name().clone());
    names.zip(batch.columns().iter().map(text)).collect()
}

/// The token that TOKENS.md section 3 gives `value` in `domain` under [`SECRET`]: 128 bits in hex.
pub fn token(domain: &str, value: &str) -> String {
    token_of(domain, "", value)
}

/// As [`token`], of a tenant.
pub fn token_of(domain: &str, tenant: &str, value: &str) -> String {
    let mut info = Vec::new();
    for part in ["pseudonym", domain, tenant] {
        info.extend_from_slice(&(part.len() as u32).to_be_bytes());
        info.extend_from_slice(part.as_bytes());
    }
    let mut subkey = [0; 32];
    Hkdf::<Sha256>::new(Some(b"lakeveil.v1"), SECRET.as_bytes()).expand(&info, &mut subkey).expect("32 bytes");
    let mut mac = Hmac::<Sha256>::new_from_slice(&subkey).expect("any length");
    mac.update(value.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()[..16])
}

/// `Some` texts, for expectations.
pub fn texts<const N: usize>(values: [&str; N]) -> Vec<Option<String>> {
    values.map(|value| Some(value.to_owned())).to_vec()
}
