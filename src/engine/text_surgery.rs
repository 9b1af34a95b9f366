//! CSV to CSV without decoding what is kept: only the columns that are made anew become arrays.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use bytes::Bytes;

use super::csv::{Counts, Decoder, Dialect, Marks, OutputField, Spans, Surgery, parse_column};
use super::error::RewriteError;
use super::estimate::{copies, is_again, text_bytes};
use super::evaluate::{ColumnState, make, sources};
use super::rows::{Rows, TextAs, WithPartitions};
use super::stop::Stop;
use super::text_rows::TextRows;
use super::text_write::merge;
use crate::policy::ColumnType;
use crate::policy::plan::{ColumnSource, OutputColumn, Plan};
use crate::transforms::shape::{Shape, ShapeState};

/// Text that is rewritten at a time, in bytes: small enough that it stays in the second-level cache.
const WINDOW_BYTES: usize = 256 << 10;

/// How the records of one object are rewritten.
#[derive(Debug)]
pub struct TextSurgery {
    plan: Arc<Plan>,
    surgery: Surgery,
    /// Explains what is not sound.
    judge: Decoder,
    wanted: Vec<Wanted>,
    /// Of the source columns in `wanted`.
    schema: SchemaRef,
    made: Vec<Made>,
    /// Source columns of the made ones, partitions included.
    names: Vec<String>,
}

/// A source column that is decoded.
#[derive(Debug)]
struct Wanted {
    column: usize,
    field: FieldRef,
    data_type: ColumnType,
}

/// An output column that is made anew.
#[derive(Debug)]
struct Made {
    /// Among the plan's columns.
    column: usize,
    /// Where its sources lie among the names.
    sources: Vec<usize>,
}

/// A run of records, rewritten.
#[derive(Debug)]
pub struct Operated {
    /// The new bytes.
    pub text: Vec<u8>,
    /// The run's last byte.
    pub last_read: Option<u8>,
    /// Records.
    pub rows: u64,
    /// What became of each column.
    pub figures: Figures,
}

/// What becomes of each output column of an object.
#[derive(Debug)]
pub struct Figures {
    /// Of source columns.
    pub counts: Counts,
    /// Of output columns, empty for those that are kept.
    pub states: Vec<ColumnState>,
    /// Bytes in the output of each column that is made.
    pub made_bytes: Vec<u64>,
}

impl TextSurgery {
    /// For objects of `plan`, with source columns of `types`; `None` if plan or dialects ask for the stream route. The
    /// choice follows from object and policy alone.
    pub fn choose(plan: &Arc<Plan>, input: &Dialect, output: &Dialect, types: &[ColumnType]) -> Option<Self> {
        let same = (input.delimiter(), input.quote()) == (output.delimiter(), output.quote());
        if plan.filter.is_some() || !same {
            return None;
        }
        let place = |name: &str| plan.source.column_with_name(name).map(|(column, _)| column);
        let mut fields = Vec::with_capacity(plan.columns.len());
        let (mut made, mut names) = (Vec::new(), Vec::new());
        for (index, column) in plan.columns.iter().enumerate() {
            let ColumnSource::Column(read) = &column.source else { return None };
            let source = place(&read.name).filter(|_| read.below.is_empty())?;
            let is_made = !matches!(read.shape, Shape::Keep { .. }) || types.get(source)? != &ColumnType::Text;
            fields.push(OutputField { source, name: column.field.name().clone(), made: is_made });
            if is_made {
                made.push(Made {
                    column: index,
                    sources: sources(column).into_iter().map(|name| at(&mut names, name)).collect(),
                });
            }
        }
        let own = names.iter().filter_map(|name| place(name));
        let wanted = own.map(|column| {
            Some(Wanted { column, field: Arc::clone(&plan.source.fields()[column]), data_type: *types.get(column)? })
        });
        let wanted = wanted.collect::<Option<Vec<_>>>()?;
        let schema = Arc::new(Schema::new(wanted.iter().map(|wanted| Arc::clone(&wanted.field)).collect::<Vec<_>>()));
        let columns: Vec<String> = plan.source.fields().iter().map(|field| field.name().clone()).collect();
        let surgery = Surgery::new(input, columns.len(), fields)?;
        let judge = Decoder::of_names(input, columns, &[]);
        Some(Self { plan: Arc::clone(plan), surgery, judge, wanted, schema, made, names })
    }

    /// The pure part.
    pub fn surgery(&self) -> &Surgery {
        &self.surgery
    }

    /// Memory that work on `bytes` of text may take: the text, what is kept of it, windows under way, and made values
    /// in as many rows as there can be.
    pub fn working_bytes(&self, bytes: u64) -> u64 {
        // a record has a byte for each column at least, and a value, or else nothing is made
        let rows = bytes / self.surgery.columns().max(2) as u64;
        let made = self.made.iter().filter_map(|made| text_bytes(self.output(made)));
        bytes * (3 + self.copies()) + rows * made.sum::<u64>()
    }

    /// How many times over what is as long as the source may be written beside its first time, fields taken as equal.
    fn copies(&self) -> u64 {
        copies(&self.plan, self.surgery.columns())
    }

    /// The largest record, in bytes, that work can be done on in a budget of which a record as large as `total` would be
    /// all: it is held as it is read, and as it is written.
    pub fn largest_record(&self, total: u64) -> usize {
        // a value that is made of it is held as text, normalized, and made
        let copies = self.made.iter().any(|made| text_bytes(self.output(made)).is_none());
        // any field of it may be the long one
        let again = self.plan.columns.iter().filter(|column| is_again(column)).count() as u64;
        usize::try_from(if copies { total / (5 + again) } else { total / (5 + again) * 2 }).unwrap_or(usize::MAX)
    }

    /// Output columns, and the number of each among the made ones, or the source column of one that is kept.
    pub fn columns(&self) -> impl Iterator<Item = Result<usize, usize>> {
        let made = |index| self.made.iter().position(|made| made.column == index);
        let kept = move |index| self.surgery.source_of(index);
        (0..self.plan.columns.len()).map(move |index| made(index).ok_or_else(|| kept(index)))
    }

    /// Rewrites runs of whole records into `buffer`, which is empty. `first_row` is the number of rows before them.
    ///
    /// # Errors
    /// The first fault of the first part of a run that has one.
    pub fn operate(
        &self,
        runs: &[Bytes],
        first_row: u64,
        partitions: &Arc<[(String, Option<String>)]>,
        stop: &Stop,
        buffer: Vec<u8>,
    ) -> Result<Operated, RewriteError> {
        let last_read = runs.iter().rev().find_map(|run| run.last().copied());
        let mut done = Operated { text: buffer, last_read, rows: 0, figures: self.no_figures() };
        let bytes = runs.iter().map(Bytes::len).sum::<usize>();
        done.text.reserve(bytes + bytes / 8);
        let mut marks = Marks::default();
        for run in runs {
            let mut rest = &run[..];
            while !rest.is_empty() {
                stop.check()?;
                let before = first_row + done.rows;
                let Ok(passed) = self.surgery.scan(rest, WINDOW_BYTES, &mut marks) else {
                    return Err(self.fault(rest, before));
                };
                let (window, later) = rest.split_at(passed);
                let Ok(text) = std::str::from_utf8(window) else { return Err(self.fault(window, before)) };
                let made = self.make(text, &marks, before, partitions, stop, &mut done.figures.states)?;
                let made: Vec<(&Field, ArrayRef)> =
                    self.made.iter().map(|made| self.output(made).field.as_ref()).zip(made).collect();
                self.surgery.write(window, &marks, &made, before + 1, &mut done.figures.made_bytes, &mut done.text)?;
                self.surgery.count(window, &marks, &mut done.figures.counts);
                done.rows += marks.records() as u64;
                rest = later;
            }
        }
        Ok(done)
    }

    /// Before anything is counted.
    pub fn no_figures(&self) -> Figures {
        Figures {
            counts: Counts::new(self.surgery.columns()),
            states: self.columns().zip(&self.plan.columns).map(|(made, column)| state(made.is_ok(), column)).collect(),
            made_bytes: vec![0; self.made.len()],
        }
    }

    fn output(&self, made: &Made) -> &OutputColumn {
        &self.plan.columns[made.column]
    }

    fn fault(&self, bytes: &[u8], before: u64) -> RewriteError {
        match self.judge.decode(bytes, before + 1, &mut Spans::default()) {
            Err(error) => error.into(),
            Ok(_) => RewriteError::Internal("marking CSV records"),
        }
    }

    fn make(
        &self,
        text: &str,
        marks: &Marks,
        before: u64,
        partitions: &Arc<[(String, Option<String>)]>,
        stop: &Stop,
        states: &mut [ColumnState],
    ) -> Result<Vec<ArrayRef>, RewriteError> {
        if self.made.is_empty() || marks.records() == 0 {
            return Ok(self
                .made
                .iter()
                .map(|made| arrow::array::new_empty_array(self.output(made).field.data_type()))
                .collect());
        }
        let mut columns = Vec::with_capacity(self.wanted.len());
        for Wanted { column, field, data_type } in &self.wanted {
            let texts = self.surgery.column(text, marks, *column);
            columns.push(parse_column(&texts, *data_type, field.name(), before + 1)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(marks.records()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
            .map_err(|_| RewriteError::Internal("building a batch of CSV columns"))?;
        let inner = Box::new(TextRows::of(batch, before));
        let (own, partitions, stop) = (Arc::clone(&self.plan.source), Arc::clone(partitions), stop.clone());
        let rows = WithPartitions { inner, partitions, own, stop };
        let mut batches = rows.batches(&self.names, TextAs::Planned)?;
        let batch = batches.next().ok_or(RewriteError::Internal("reading a batch of CSV columns"))??;
        let mut arrays = Vec::with_capacity(self.made.len());
        for made in &self.made {
            let needed = batch.project(&made.sources).map_err(|_| RewriteError::SchemaChanged)?;
            let array = make(&self.plan, self.output(made), &needed, None, before, &mut states[made.column])?;
            arrays.push(array.ok_or(RewriteError::Internal("making a CSV column"))?);
        }
        Ok(arrays)
    }
}

impl Figures {
    /// Adds those of another run of records.
    pub fn merge(&mut self, other: &Self) {
        self.counts.merge(&other.counts);
        merge(&mut self.states, &other.states);
        self.made_bytes.iter_mut().zip(&other.made_bytes).for_each(|(mine, theirs)| *mine += theirs);
    }
}

/// Of a column that is kept nothing is carried.
fn state(made: bool, column: &OutputColumn) -> ColumnState {
    if made { ColumnState::new(column) } else { ColumnState { shape: ShapeState::new(0) } }
}

/// The place of `name` among `names`, which takes it in if it is not there.
fn at(names: &mut Vec<String>, name: String) -> usize {
    let found = names.iter().position(|known| *known == name);
    found.unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}
