//! The report, version 1: what a run did, as it is written for others to read. Serde types only.
//!
//! `null` is unknown; zero is zero. A sum with one unknown part is unknown. Lists are ordered (objects by path,
//! columns as the plan orders them), so that two runs of one job differ only in times, run id, host facts and etags.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version that [`Report::version`] carries. A field that changes its meaning is a new version.
pub const VERSION: u32 = 1;

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this document's shape.
    #[schemars(extend("const" = VERSION))]
    pub version: u32,
    /// UUID version 7 of the run.
    #[schemars(extend("format" = "uuid"))]
    pub run_id: String,
    /// Start, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    pub started: String,
    /// End, RFC 3339 in UTC.
    #[schemars(extend("format" = "date-time"))]
    pub ended: String,
    /// Milliseconds from start to end.
    pub elapsed_ms: u64,
    /// Version of lakeveil.
    pub tool_version: String,
    /// How it ended.
    pub status: Status,
    /// Why the run as a whole stopped, where it did; failures of objects lie with the objects.
    pub failure: Option<Failure>,
    /// Logical name of the dataset.
    pub dataset: String,
    /// Where it was read.
    pub source: Location,
    /// Where it was written.
    pub sink: Location,
    /// SHA-256 over the bound plan, in hexadecimal.
    pub policy_digest: String,
    /// Keys in use, by id; never their secrets.
    pub keys: Vec<Key>,
    /// Versions of the Unicode data behind the normalization steps, by crate.
    pub unicode: BTreeMap<String, String>,
    /// Where it ran.
    pub host: Host,
    /// Sums over the objects.
    pub totals: Totals,
    /// Which rows were taken; absent when all were.
    pub filter: Option<Filter>,
    /// Output columns in the order of the plan.
    pub columns: Vec<Column>,
    /// Names of the output columns that hold their source's values as they are.
    pub kept: Vec<String>,
    /// Source columns that the output does not have.
    pub dropped: Vec<Dropped>,
    /// Objects by path.
    pub objects: Vec<Object>,
    /// What to weigh before sharing the output.
    pub warnings: Vec<Warning>,
}

impl Report {
    /// Adds a warning that arose after the run, such as a lineage server that could not be reached.
    pub fn warn(&mut self, warning: Warning) {
        if let Err(place) = self.warnings.binary_search(&warning) {
            self.warnings.insert(place, warning);
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Every object of the dataset stands in the sink.
    Complete,
    /// Some objects stand, others failed or were not reached.
    Partial,
    /// Nothing stands.
    Failed,
    /// Every object stood already, and none had to be removed.
    NothingToDo,
}

impl Status {
    /// The word in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::NothingToDo => "nothing-to-do",
        }
    }
}

/// Why something failed: never with a cell value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Stable code, such as `object-changed`.
    pub code: String,
    /// What happened, where, and what to do.
    pub message: String,
}

/// One end of the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// URL or path as it may be shown: without credentials.
    pub url: String,
    /// `parquet` or `csv`; absent where the objects' names decide.
    pub format: Option<String>,
}

/// A key in use. The secret is not here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// Key id in the keyring.
    pub id: String,
    /// Fingerprint of the root, lower-case hexadecimal.
    pub fingerprint: String,
}

/// The machine, as far as it matters to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    /// Threads that computed.
    pub threads: u64,
    /// Memory budget for data in flight, in bytes.
    pub memory_bytes: u64,
    /// Processor architecture, such as `x86_64`.
    pub cpu_arch: String,
}

/// Sums over the objects. Rows and bytes are those of the objects that this run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// Objects written by this run.
    pub objects_written: u64,
    /// Objects left alone, since what stands in the sink is as it should be.
    pub objects_skipped: u64,
    /// Objects for which nothing was published.
    pub objects_failed: u64,
    /// Outputs removed, since their input is gone.
    pub objects_pruned: u64,
    /// Names passed over by the discovery rules (hidden names, directory markers).
    pub skipped_by_rule: u64,
    /// Rows read.
    pub rows_in: Option<u64>,
    /// Rows written.
    pub rows_out: Option<u64>,
    /// Bytes of the inputs.
    pub bytes_in: Option<u64>,
    /// Bytes of the outputs.
    pub bytes_out: Option<u64>,
}

/// Which rows were taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Filter {
    /// SQL condition over the source columns.
    pub condition: String,
    /// Source columns that it reads.
    pub inputs: Vec<String>,
}

/// One output column: where it comes from, what was done to it, and its figures over the objects that this run wrote.
/// A figure is `null` where it is unknown for one of them, or where none was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// Path in the output, such as `email`, `address.city`, `contacts[].number`.
    pub name: String,
    /// Source columns whose values flow into this one, by path.
    pub inputs: Vec<String>,
    /// Source columns that steer the transform without flowing into the value (tenant, entity).
    pub indirect_inputs: Vec<String>,
    /// The policy's word: `keep`, `pseudonym`, `derive`.
    pub transform: String,
    /// The transform's options, defaults included.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Key domain, where the transform has one.
    pub domain: Option<String>,
    /// Id of the key, where the transform is keyed.
    pub key: Option<String>,
    /// Same input, same output.
    pub deterministic: bool,
    /// The key holder can compute the input from the output.
    pub reversible: bool,
    /// The source's values are hidden.
    pub masking: bool,
    /// Arrow type in the source; absent for a derived column.
    pub type_before: Option<String>,
    /// Arrow type in the output.
    pub type_after: String,
    /// Lies in the path (a Hive partition), not in the object.
    pub partition: bool,
    /// How it was made, by route.
    pub routes: Vec<RouteUse>,
    /// Values written, nulls included (for a leaf of a list, items rather than rows).
    pub values: Option<u64>,
    /// Nulls written.
    pub nulls: Option<u64>,
    /// Empty strings read.
    pub empties: Option<u64>,
    /// Values that the transform replaced.
    pub transformed: Option<u64>,
    /// Values that the transform could not take and `on_error` decided.
    pub failed: Option<u64>,
    /// Things found within values, by kind; only where the transform looks for such.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub found: BTreeMap<String, u64>,
    /// Bits of a token, where outputs are tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_bits: Option<u16>,
    /// log2 of the birthday bound: the odds that any two of the distinct values read share a token are at most 2 to the
    /// power of this. Absent where there are no tokens or fewer than two values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collision_log2: Option<i32>,
    /// Distinct values read, estimated (HyperLogLog, standard error 1.6 percent).
    pub distinct_in: Option<u64>,
    /// Distinct values written, estimated likewise.
    pub distinct_out: Option<u64>,
}

/// What one route did for a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteUse {
    /// `copied`: bytes as they lie; `dictionary`: entries of the dictionary made anew; `leaf`: this column alone decoded
    /// and made anew; `stream`: decoded, evaluated, encoded; `path`: part of the path, not of the object.
    pub route: String,
    /// Objects in which the column was made so.
    pub objects: u64,
    /// Encoded bytes in the outputs, where the format has columns.
    pub bytes: Option<u64>,
}

/// A source column that the output does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// Path in the source.
    pub name: String,
    /// Arrow type in the source.
    pub type_before: String,
}

/// One input object and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Object {
    /// What became of it.
    pub status: ObjectStatus,
    /// The source object.
    pub input: ObjectFacts,
    /// The object that stands for it in the sink, written now or earlier.
    pub output: Option<ObjectFacts>,
    /// Why nothing was published.
    pub failure: Option<Failure>,
}

/// What became of one input object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectStatus {
    /// Written by this run.
    Written,
    /// Left alone: what stands in the sink is as it should be.
    Skipped,
    /// Nothing was published for it.
    Failed,
}

/// One object in a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ObjectFacts {
    /// Path below the dataset's root; where paths hold data, a display name that does not.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Entity tag as listed; where paths hold data, its keyed hash.
    pub etag: Option<String>,
    /// SHA-256 over the bytes, where they were all read or written.
    pub sha256: Option<String>,
    /// Rows, where known.
    pub rows: Option<u64>,
}

/// Something to weigh before sharing the output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Stable code, such as `derive-shows-raw`.
    pub code: String,
    /// Column it is about, if one.
    pub column: Option<String>,
    /// One sentence.
    pub message: String,
}
