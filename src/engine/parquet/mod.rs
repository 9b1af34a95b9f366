//! Parquet in and out, row group by row group.
//!
//! | room | holds |
//! |---|---|
//! | [`mod@footer`] | reads a footer and refuses one that lies |
//! | [`mod@rows`] | a row group's columns as batches |
//! | [`mod@write`] | encodes columns side by side, appends them in order |

pub mod footer;
pub mod rows;
pub mod write;
