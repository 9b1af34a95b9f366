//! Writes CSV: batches evaluated and encoded in parallel, appended and compressed in order.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use bytes::Bytes;
use rayon::prelude::*;

use super::csv::{Codec, Dialect, Encoder, PART_BYTES, Parts};
use super::error::RewriteError;
use super::evaluate::{ColumnState, Mask, make, sources};
use super::rows::{Rows, TextAs};
use crate::policy::plan::Plan;

/// Batches that one thread makes in a row: their columns share one state.
const BATCHES_PER_TASK: usize = 8;

/// How CSV objects are written.
#[derive(Debug, Clone)]
pub struct TextSettings {
    /// Delimiter, quote, header.
    pub dialect: Dialect,
    /// Compression of the whole object.
    pub codec: Option<Codec>,
}

/// Encodes rows; shared by all units of one object.
#[derive(Debug)]
pub struct TextEncoder {
    plan: Arc<Plan>,
    encoder: Encoder,
    /// Source columns that the plan reads.
    columns: Vec<String>,
    /// For each output column, where its sources lie among `columns`.
    sources: Vec<Vec<usize>>,
}

/// One unit as text.
pub struct EncodedText {
    /// Its lines.
    pub text: Vec<u8>,
    /// Rows that stayed.
    pub rows: u64,
    /// Figures of each output column.
    pub states: Vec<ColumnState>,
}

impl TextEncoder {
    /// For objects of `plan`, whose columns all have a text.
    ///
    /// # Errors
    /// A column that CSV has no text for.
    pub fn new(plan: &Arc<Plan>, settings: &TextSettings, columns: Vec<String>) -> Result<Self, RewriteError> {
        Encoder::check(&plan.output)?;
        let at = |name: String| columns.iter().position(|column| *column == name).ok_or(RewriteError::SchemaChanged);
        let of_column = |column| sources(column).into_iter().map(at).collect::<Result<Vec<_>, _>>();
        let sources = plan.columns.iter().map(of_column).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { plan: Arc::clone(plan), encoder: Encoder::new(&settings.dialect), columns, sources })
    }

    /// The header line, if the dialect has one.
    ///
    /// # Errors
    /// A name that needs quotes in a dialect without.
    pub fn header(&self) -> Result<Vec<u8>, RewriteError> {
        let mut header = Vec::new();
        self.encoder.header(&self.plan.output, &mut header)?;
        Ok(header)
    }

    /// Transforms and encodes one unit.
    ///
    /// # Errors
    /// The first failure, by row.
    pub fn encode(&self, rows: &dyn Rows, mask: &Mask) -> Result<EncodedText, RewriteError> {
        let mut done = EncodedText { text: Vec::new(), rows: 0, states: self.new_states() };
        let mut batches = rows.batches(&self.columns, TextAs::Planned)?;
        let mut start = 0;
        let window = BATCHES_PER_TASK * rayon::current_num_threads().max(1);
        loop {
            let mut taken = Vec::with_capacity(window);
            for batch in batches.by_ref().take(window) {
                let batch = batch?;
                let at = start;
                start += batch.num_rows();
                taken.push((at, batch));
            }
            if taken.is_empty() {
                return Ok(done);
            }
            let made: Vec<_> =
                taken.par_chunks(BATCHES_PER_TASK).map(|part| self.encode_part(part, rows.first_row(), mask)).collect();
            for part in made {
                let part = part?;
                done.text.extend_from_slice(&part.text);
                done.rows += part.rows;
                merge(&mut done.states, &part.states);
            }
        }
    }

    fn new_states(&self) -> Vec<ColumnState> {
        self.plan.columns.iter().map(ColumnState::new).collect()
    }

    fn encode_part(
        &self,
        batches: &[(usize, RecordBatch)],
        first_row: u64,
        mask: &Mask,
    ) -> Result<EncodedText, RewriteError> {
        let mut part = EncodedText { text: Vec::new(), rows: 0, states: self.new_states() };
        for (start, batch) in batches {
            let window = mask.as_ref().map(|mask| mask.slice(*start, batch.num_rows()));
            let before = first_row + *start as u64;
            let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.plan.columns.len());
            for ((column, sources), state) in self.plan.columns.iter().zip(&self.sources).zip(&mut part.states) {
                let needed = batch.project(sources).map_err(|_| RewriteError::SchemaChanged)?;
                match make(&self.plan, column, &needed, window.clone(), before, state)? {
                    Some(made) => columns.push(made),
                    None => break,
                }
            }
            if columns.len() < self.plan.columns.len() {
                continue;
            }
            let made = RecordBatch::try_new(Arc::clone(&self.plan.output), columns)
                .map_err(|_| RewriteError::Internal("putting output columns side by side"))?;
            part.rows += made.num_rows() as u64;
            self.encoder.rows(&made, before + 1, &mut part.text)?;
        }
        Ok(part)
    }
}

/// Adds the figures of one part to those of the whole.
pub fn merge(into: &mut [ColumnState], from: &[ColumnState]) {
    for (into, from) in into.iter_mut().zip(from) {
        for (into, from) in into.shape.tallies.iter_mut().zip(&from.shape.tallies) {
            into.merge(from);
        }
    }
}

/// Appends encoded units, in order, and compresses them in parts of one size: the bytes follow from the text alone.
pub struct TextAppender {
    compression: Option<(Codec, Parts)>,
}

impl TextAppender {
    /// For one object.
    pub fn new(settings: &TextSettings) -> Self {
        Self { compression: settings.codec.map(|codec| (codec, Parts::new(PART_BYTES))) }
    }

    /// Takes text and gives the bytes that are ready to be moved.
    ///
    /// # Errors
    /// The compressor's.
    pub fn append(&mut self, text: Vec<u8>) -> Result<Bytes, RewriteError> {
        match &mut self.compression {
            None => Ok(text.into()),
            Some((codec, parts)) => {
                let mut cut = Vec::new();
                parts.push(&text, |part| cut.push(part));
                compress(*codec, cut)
            }
        }
    }

    /// The last bytes.
    ///
    /// # Errors
    /// The compressor's.
    pub fn finish(self) -> Result<Bytes, RewriteError> {
        match self.compression {
            None => Ok(Bytes::new()),
            Some((codec, parts)) => compress(codec, parts.finish().into_iter().collect()),
        }
    }
}

fn compress(codec: Codec, parts: Vec<Vec<u8>>) -> Result<Bytes, RewriteError> {
    let level = codec.default_level();
    let compressed: Vec<_> = parts.into_par_iter().map(|part| codec.compress(level, &part)).collect();
    let mut bytes = Vec::new();
    for part in compressed {
        bytes.extend_from_slice(&part?);
    }
    Ok(bytes.into())
}
