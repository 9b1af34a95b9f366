//! What happened to one object: the rows that a run streams out, from which the report is made.

use serde::{Deserialize, Serialize};

use crate::arrays::sketch::Sketch;

/// How an output column was made (design section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// Bytes as they lie.
    Copied,
    /// The entries of the dictionary made anew, the indices into it copied.
    Dictionary,
    /// This leaf alone decoded and made anew.
    Leaf,
    /// Decoded, evaluated, encoded.
    Stream,
    /// Part of the path, not of the object.
    Path,
}

/// What became of one input object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Written by this run.
    Written,
    /// Untouched: its record and its output are as they should be.
    Skipped,
    /// Nothing was published for it.
    Failed,
}

/// One object in a store. Where its path holds data, `path` is a display name that does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectFacts {
    /// Path relative to the dataset's root, or, where paths hold data, `output path (keyed hash)`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Entity tag as listed (keyed-hashed where paths hold data).
    pub etag: Option<String>,
    /// SHA-256 over the object's bytes, where they were all read or written.
    pub sha256: Option<String>,
    /// Rows, where known.
    pub rows: Option<u64>,
}

/// Why an object failed: never with a cell value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code, such as `object-changed`.
    pub code: String,
    /// What happened, where, and what to do.
    pub message: String,
}

/// A way, and what came out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteBytes {
    /// The way.
    pub route: Route,
    /// Encoded bytes in the output, where they are known for this column alone.
    pub bytes: Option<u64>,
}

/// Figures of one output leaf column in one object. `None` is unknown, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnFacts {
    /// Path in the output, as in [`crate::policy::describe::ColumnPlan::name`].
    pub name: String,
    /// How it was made, each way once: row groups of one object can go different ways.
    pub routes: Vec<RouteBytes>,
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
    /// Things found within values, by their place among [`kinds`](crate::policy::describe::ColumnPlan::kinds).
    #[serde(default)]
    pub found: Vec<u64>,
    /// Bits that could tell the values read apart, at most [`CHEAP_BITS`](crate::arrays::space::CHEAP_BITS).
    #[serde(default)]
    pub value_bits: Option<u64>,
    /// Distinct values read.
    pub distinct_in: Option<Sketch>,
    /// Distinct values written.
    pub distinct_out: Option<Sketch>,
}

/// What happened to one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What became of it.
    pub status: Status,
    /// The source object.
    pub input: ObjectFacts,
    /// The object published for it, now or by an earlier run.
    pub output: Option<ObjectFacts>,
    /// Why nothing was published.
    pub failure: Option<Failure>,
    /// Figures per output column, empty unless written by this run.
    pub columns: Vec<ColumnFacts>,
}
