//! Parquet in and out, row group by row group.
//!
//! | room | holds |
//! |---|---|
//! | [`mod@footer`] | reads a footer and refuses one that lies |
//! | [`thrift`], [`mod@shape`], [`mod@outline`] | walk a footer before anything parses it; page headers |
//! | [`mod@chunks`] | page headers held against the footer, for whoever decodes pages; of [`page`], [`decompress`] |
//! | [`mod@rows`], [`mod@typed`], [`mod@unread`] | a row group's columns as batches, texts of a type read as that, and what nobody needs |
//! | [`mod@routes`] | which way each column goes |
//! | [`mod@kept`], [`mod@index`] | what is said of a chunk that is copied |
//! | [`mod@leaf`] | a chunk made anew page by page, of [`page`], [`levels`], [`values`], [`compress`], [`written`] |
//! | [`mod@write`] | makes columns side by side, the crate's own among them by [`mod@seal`] |
//! | [`mod@append`] | appends them in order, its footer by way of an [`outbox`] |

pub mod append;
pub mod chunks;
pub mod compress;
pub mod decompress;
pub mod digits;
pub mod footer;
pub mod index;
pub mod kept;
pub mod leaf;
pub mod levels;
pub mod outbox;
pub mod outline;
pub mod page;
pub mod routes;
pub mod rows;
pub mod seal;
pub mod shape;
pub mod thrift;
pub mod typed;
pub mod unread;
pub mod values;
pub mod write;
pub mod written;
