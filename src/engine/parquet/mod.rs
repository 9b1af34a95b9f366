//! Parquet in and out, row group by row group.
//!
//! | room | holds |
//! |---|---|
//! | [`mod@footer`] | reads a footer and refuses one that lies |
//! | [`thrift`] | walks a footer before anything parses it |
//! | [`mod@rows`] | a row group's columns as batches |
//! | [`mod@write`] | encodes columns side by side, appends them in order |

pub mod footer;
pub mod rows;
pub mod thrift;
pub mod write;
