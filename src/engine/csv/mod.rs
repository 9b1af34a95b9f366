//! CSV without IO: byte buffers in, Arrow arrays out, and back. Called from compute threads.
//!
//! ```text
//! object -- Decompressor --> bytes -- Header, Blocks --> blocks -- Decoder --> texts -- parse_column --> columns
//! columns -- Encoder --> bytes -- Parts --> parts -- Codec::compress --> object
//! ```
//!
//! Blocks are decoded, and parts compressed, in parallel; what they hold depends on the object's bytes alone.
//!
//! No library tells an unquoted empty field (null) from a quoted one (the empty text), so splitting is our own; the
//! spans that it finds also let a rewriter copy the bytes of kept fields as they lie.

mod blocks;
mod compress;
mod decode;
mod decompress;
mod dialect;
mod encode;
mod error;
mod header;
mod infer;
mod iso;
mod split;
mod texts;
mod typed;

pub use blocks::{Block, Blocks, MAX_RECORD_BYTES, MAX_TARGET_BYTES};
pub use compress::{Codec, CompressError, PART_BYTES, Parts};
pub use decode::Decoder;
pub use decompress::Decompressor;
pub use dialect::Dialect;
pub use encode::{EncodeError, Encoder};
pub use error::CsvError;
pub use header::{Header, HeaderError, MAX_HEADER_BYTES};
pub use infer::Inference;
pub use split::{Blank, Field, MAX_BLOCK_BYTES, Spans, SplitError, SplitProblem, split, unescape};
pub use typed::parse_column;
