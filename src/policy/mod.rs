//! Floor 2: the policy document, its diagnostics, and the plan it becomes when bound to a schema.
//!
//! | room | holds |
//! |---|---|
//! | `document`, `rule`, `format`, `join`, `column_type`, `types` | the shape of a policy, plain data |
//! | `select` | column paths and the patterns that match them |
//! | `yaml`, `interpolate`, `read` | the text as a tree, its variables, types out of the tree |
//! | `load`, `check` | all problems at once, or a [`Document`] |
//! | `code`, `diagnostic`, `place`, `suggest` | what a problem is called, where it stands, how it is shown |
//! | [`chain`] | the keys of a policy |
//! | [`plan`], [`describe`], [`sql`] | the policy bound to a schema |
//! | `schema`, `template`, `digest` | JSON Schema, the commented template, digests |

pub mod bind;
pub mod chain;
mod check;
mod code;
mod column_type;
pub mod describe;
mod diagnostic;
mod digest;
mod document;
mod format;
mod interpolate;
mod join;
mod load;
mod place;
mod placeholder;
pub mod plan;
mod read;
mod read_error;
mod rule;
mod schema;
mod select;
pub mod sql;
mod suggest;
mod template;
mod types;
mod yaml;

#[cfg(test)]
mod tests;

pub use code::Code;
pub use column_type::{ColumnType, ColumnTypeError};
pub use diagnostic::{Diagnostic, Problems, Severity};
pub use digest::sha256_of_canonical_json;
pub use document::{KeyChoice, Names, Policy, SinkSpec, SourceSpec, Unlisted};
pub use format::{
    BadCsvChar, CsvChar, CsvCompression, CsvInput, CsvOutput, Format, OptionalCsvChar, ParquetCompression,
    ParquetEncoding, ParquetOutput, UnknownCompression,
};
pub use interpolate::Variables;
pub use join::{BadJoin, Join, JoinSide};
pub use load::{Document, transform_from_json};
pub use place::{DocPath, Position, Spans, Step};
pub use rule::{ColumnRule, Columns, OnEmpty, OnError, Otherwise, Rule, RuleOptions};
pub use schema::schema;
pub use select::{ColumnPath, Pattern, Segment, SelectError};
pub use template::TEMPLATE;
pub use types::{ColumnTypes, TypeEntry};
