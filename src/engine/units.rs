//! An object as a stream of units of work, in row order, each with its part of the memory budget.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

use super::budget::{Budget, Reservation};
use super::compute::Compute;
use super::csv::{Block, Blocks, Codec, Decompressor, Dialect, Header, MAX_HEADER_BYTES};
use super::digests::{Digests, Hashing};
use super::error::RewriteError;
use super::object::InputDigest;
use super::rows::Rows;
use super::storage::{Entry, Expected, Storage, StorageError};
use super::text_rows::{TextLayout, TextRows};
use crate::crypto::StreamDigest;

/// Work on CSV holds the text, its columns, and the encoded output of what is kept.
const CSV_WORKING_FACTOR: u64 = 3;
/// Copies of a CSV record that is itself as large as a unit: text, column, encoder, smallest and largest value.
const RECORD_WORKING_FACTOR: u64 = 5;

/// One unit: the future reads and decodes it, the reservation is held until its output is written.
pub struct Unit {
    /// Gives the rows.
    pub rows: BoxFuture<'static, Result<Box<dyn Rows>, RewriteError>>,
    /// Its part of the budget.
    pub reservation: Reservation,
    /// Bytes of the input that it stands for.
    pub input_bytes: u64,
    /// What of it.
    pub portion: Portion,
}

/// The part of an object that a unit is: columns of a row group, or all columns of some rows of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portion {
    /// The row group in the source, where that has row groups.
    pub group: usize,
    /// Columns of the output.
    pub columns: Range<usize>,
    /// How many columns the output has.
    pub of: usize,
}

impl Portion {
    /// Whether it is the first of its rows.
    pub fn begins_rows(&self) -> bool {
        self.columns.start == 0
    }

    /// Whether it is the last of its rows.
    pub fn ends_rows(&self) -> bool {
        self.columns.end == self.of
    }
}

/// Decompressed bytes handed on at a time: what a small object may expand to is not known.
pub(super) const TEXT_BYTES: usize = 8 << 20;

/// The decompressed bytes of a CSV object, piece by piece.
pub struct TextStream {
    pieces: BoxStream<'static, Result<Bytes, StorageError>>,
    stream: Option<Decompressing>,
    compute: Compute,
    digesting: Option<Digesting>,
}

/// The digest of the bytes that were read, where it is wanted.
struct Digesting {
    digests: Digests,
    /// Over the piece that was handed on last; there is time for it until the next one is.
    last: Option<Hashing>,
    whole: InputDigest,
}

/// A decompressor and what it has not taken yet.
struct Decompressing {
    decompressor: Decompressor,
    input: Bytes,
    input_ended: bool,
}

impl TextStream {
    /// Opens the object, which is compressed by `codec` if there is one; nothing is read yet.
    pub fn open(storage: &Storage, entry: &Entry, codec: Option<Codec>, compute: &Compute) -> Self {
        let pieces = storage.get_stream(&entry.path, &Expected::from(entry));
        let stream = codec.map(|codec| Decompressing {
            decompressor: Decompressor::new(codec),
            input: Bytes::new(),
            input_ended: false,
        });
        Self { pieces, stream, compute: compute.clone(), digesting: None }
    }

    /// The pool.
    pub fn compute(&self) -> &Compute {
        &self.compute
    }

    /// The digest of the object's bytes, once they are read; before the first one is.
    pub fn hashed_by(&mut self, digests: &Digests) -> InputDigest {
        let whole = InputDigest::default();
        self.digesting = Some(Digesting { digests: digests.clone(), last: None, whole: whole.clone() });
        whole
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, RewriteError> {
        let piece = self.pieces.next().await.transpose()?;
        if let Some(Digesting { digests, last, whole }) = self.digesting.take() {
            let digest = match last {
                Some(last) => last.await?,
                None => StreamDigest::new(),
            };
            match &piece {
                None => whole.set(digest),
                Some(bytes) => {
                    let last = Some(digests.update(digest, bytes.clone()));
                    self.digesting = Some(Digesting { digests, last, whole });
                }
            }
        }
        Ok(piece)
    }

    /// The next bytes; `None` at the end of a whole stream.
    ///
    /// # Errors
    /// Storage, or a compressed stream that is damaged or ends too early.
    pub async fn next(&mut self) -> Result<Option<Bytes>, RewriteError> {
        loop {
            let Some(mut stream) = self.stream.take() else { return self.piece().await };
            if stream.input.is_empty() && !stream.input_ended {
                match self.piece().await? {
                    Some(piece) => stream.input = piece,
                    None => stream.input_ended = true,
                }
            }
            let (stream, text) = self.compute.run("decompressing", move || stream.step()).await?;
            let ended = stream.is_none();
            self.stream = stream;
            if !text.is_empty() || ended {
                return Ok((!text.is_empty()).then(|| text.into()));
            }
        }
    }

    /// Reads as far as the header, and gives it with the bytes read so far.
    ///
    /// # Errors
    /// As [`next`](Self::next), and a header that can't be one.
    pub async fn header(&mut self, dialect: &Dialect) -> Result<(Header, Bytes), RewriteError> {
        let mut start = Vec::new();
        loop {
            let more = self.next().await?;
            let is_all = more.is_none();
            start.extend_from_slice(&more.unwrap_or_default());
            if let Some(header) = Header::read(&start, is_all, dialect)? {
                return Ok((header, start.into()));
            }
            if start.len() > 2 * MAX_HEADER_BYTES {
                return Err(RewriteError::Internal("reading a CSV header"));
            }
        }
    }
}

impl Decompressing {
    /// Decompresses a bounded piece; gives itself back until the stream has come to its whole end.
    fn step(mut self) -> Result<(Option<Self>, Vec<u8>), RewriteError> {
        let mut text = vec![0; TEXT_BYTES];
        let mut input = &self.input[..];
        let filled = self.decompressor.read(&mut input, &mut text)?;
        self.input = self.input.slice(self.input.len() - input.len()..);
        text.truncate(filled);
        if filled == 0 && self.input_ended {
            self.decompressor.finish()?;
            return Ok((None, text));
        }
        Ok((Some(self), text))
    }
}

/// Runs of whole records of a CSV object.
pub struct TextUnits {
    /// The text after what was read for the header.
    pub text: TextStream,
    /// Columns and their types.
    pub layout: Arc<TextLayout>,
    /// Bytes of text for each unit.
    pub unit_bytes: usize,
    /// Bytes held of what is made of each row.
    pub made_row_bytes: u64,
    /// How many times over the text may be written beside its first time.
    pub copies: u64,
    /// How many columns the output has.
    pub columns: usize,
    /// The budget.
    pub budget: Budget,
}

/// Bytes of text that one thread parses at a time.
const BLOCK_BYTES: usize = 4 << 20;

/// Rows after which a unit ends, give or take a block: short rows become far more columns than their text is long.
const UNIT_ROWS: u64 = 1 << 20;

struct Cutting {
    text: TextStream,
    layout: Arc<TextLayout>,
    budget: Budget,
    blocks: Option<Blocks>,
    ready: VecDeque<Block>,
    ready_bytes: usize,
    ready_rows: u64,
    unit_bytes: usize,
    made_row_bytes: u64,
    copies: u64,
    columns: usize,
}

impl TextUnits {
    /// The units. `start` is what was read of the text to find the header.
    pub fn units(self, start: Bytes) -> BoxStream<'static, Result<Unit, RewriteError>> {
        let most = usize::try_from(self.budget.total() / RECORD_WORKING_FACTOR).unwrap_or(usize::MAX);
        let blocks = Blocks::new(self.layout.dialect(), self.layout.header(), BLOCK_BYTES.min(self.unit_bytes));
        let blocks = Some(blocks.with_max_record(most.max(TEXT_BYTES)));
        let cutting = Cutting {
            text: self.text,
            layout: self.layout,
            budget: self.budget,
            blocks,
            ready: VecDeque::new(),
            ready_bytes: 0,
            ready_rows: 0,
            unit_bytes: self.unit_bytes,
            made_row_bytes: self.made_row_bytes,
            copies: self.copies,
            columns: self.columns,
        };
        futures::stream::try_unfold((cutting, Some(start)), |(mut cutting, start)| async move {
            Ok(cutting.next(start).await?.map(|unit| (unit, (cutting, None))))
        })
        .boxed()
    }
}

impl Cutting {
    async fn next(&mut self, start: Option<Bytes>) -> Result<Option<Unit>, RewriteError> {
        let bound = self.unit_bytes + BLOCK_BYTES;
        let mut reservation = self.budget.reserve(self.working_bytes(bound)).await;
        let (mut more, mut is_alone) = (start, false);
        while self.ready_bytes < self.unit_bytes && self.ready_rows < UNIT_ROWS && self.blocks.is_some() {
            let text = match more.take() {
                Some(text) => Some(text),
                None => self.text.next().await?,
            };
            self.cut(text).await?;
            // a record that outgrows its unit: it takes the whole budget, for which it must hold nothing
            let held = self.ready_bytes + self.blocks.as_ref().map_or(0, Blocks::held_bytes);
            if held > bound + TEXT_BYTES && !is_alone {
                drop(reservation);
                reservation = self.budget.reserve(self.budget.total()).await;
                is_alone = true;
            }
        }
        let mut taken = Vec::new();
        let (mut bytes, mut rows) = (0, 0);
        while bytes < self.unit_bytes && rows < UNIT_ROWS {
            let Some(block) = self.ready.pop_front() else { break };
            bytes += block.bytes.len();
            rows += block.rows;
            taken.push(block);
        }
        self.ready_bytes -= bytes;
        self.ready_rows -= rows;
        if taken.is_empty() {
            return Ok(None);
        }
        let (layout, compute) = (Arc::clone(&self.layout), self.text.compute.clone());
        let portion = Portion { group: 0, columns: 0..self.columns, of: self.columns };
        let rows = async move {
            let parse = move || Ok(Box::new(TextRows::parse(&layout, taken)?) as Box<dyn Rows>);
            compute.run("parsing CSV", parse).await
        };
        Ok(Some(Unit { rows: Box::pin(rows), reservation, input_bytes: bytes as u64, portion }))
    }

    /// Memory that work on `bytes` of text may take, made values in as many rows as there can be included.
    fn working_bytes(&self, bytes: usize) -> u64 {
        // a record has a byte for each column at least
        let rows = |bytes: usize| (bytes / self.layout.header().names().len().max(2)) as u64;
        let rows = rows(bytes).min(UNIT_ROWS + rows(BLOCK_BYTES));
        bytes as u64 * (CSV_WORKING_FACTOR + self.copies) + rows * self.made_row_bytes
    }

    async fn cut(&mut self, text: Option<Bytes>) -> Result<(), RewriteError> {
        let Some(mut blocks) = self.blocks.take() else { return Ok(()) };
        let (blocks, cut) = self
            .text
            .compute
            .run("cutting CSV", move || {
                let mut cut = Vec::new();
                let blocks = match text {
                    Some(text) => {
                        blocks.push(&text, |block| cut.push(block))?;
                        Some(blocks)
                    }
                    None => {
                        cut.extend(blocks.finish()?);
                        None
                    }
                };
                Ok((blocks, cut))
            })
            .await?;
        self.blocks = blocks;
        self.ready_bytes += cut.iter().map(|block| block.bytes.len()).sum::<usize>();
        self.ready_rows += cut.iter().map(|block| block.rows).sum::<u64>();
        self.ready.extend(cut);
        Ok(())
    }
}
