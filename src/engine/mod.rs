//! Floor 3: storage, discovery, file formats, publishing, and the execution plan that rewrites objects.

pub mod budget;
pub mod compute;
pub mod csv;
pub mod digests;
pub mod discover;
pub mod error;
pub mod estimate;
pub mod evaluate;
pub mod inspect;
pub mod lease;
pub mod object;
pub mod outcome;
pub mod outcome_rows;
pub mod parquet;
pub mod privacy;
pub mod progress;
pub mod publish;
pub mod records;
pub mod rewrite_exec;
pub mod row_groups;
pub mod rows;
pub mod sql;
pub mod stop;
pub mod storage;
mod sum;
mod text_object;
pub mod text_rows;
pub mod text_surgery;
pub mod text_write;
pub mod time;
pub mod units;
pub mod untrusted;

pub use crate::arrays::sketch;
