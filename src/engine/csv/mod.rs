//! CSV without IO: byte buffers in, Arrow arrays out, and back. Called from compute threads.
//!
//! ```text
//! object -- Decompressor --> bytes -- Header, Blocks --> blocks -- Decoder --> texts -- parse_column --> columns
//! columns -- Encoder --> bytes -- Parts --> parts -- Codec::compress --> object
//! ```
//!
//! Where CSV stays CSV, the bytes of fields that are kept are copied as they lie:
//!
//! ```text
//! bytes -- Cutter --> runs of records -- Marks --> bounds of fields -- Surgery, with new texts of some --> bytes
//! ```
//!
//! Blocks are decoded, and parts compressed, in parallel; what they hold depends on the object's bytes alone.
//!
//! No library tells an unquoted empty field (null) from a quoted one (the empty text), so splitting is our own.

mod blocks;
mod compress;
mod cut;
mod decode;
mod decompress;
mod dialect;
mod encode;
mod error;
mod header;
mod infer;
mod marks;
mod split;
mod surgery;
mod texts;
mod typed;

pub use blocks::{Block, Blocks, MAX_RECORD_BYTES, MAX_TARGET_BYTES};
pub use compress::{Codec, CompressError, PART_BYTES, Parts};
pub use cut::{Cutter, TooLarge};
pub use decode::Decoder;
pub use decompress::Decompressor;
pub use dialect::Dialect;
pub use encode::{EncodeError, Encoder};
pub use error::CsvError;
pub use header::{Header, HeaderError, MAX_HEADER_BYTES};
pub use infer::Inference;
pub use marks::{Marks, Unsound};
pub use split::{Blank, Field, MAX_BLOCK_BYTES, Spans, SplitError, SplitProblem, split, unescape};
pub use surgery::{Counts, OutputField, Surgery};
pub use typed::{parse_column, parse_texts};
