//! A transform with what holds for all of them around it (TOKENS.md section 2): null stays null, then canonical
//! text, `normalize`, the `empty` rule, the transform; `on_error` decides on what could not be taken.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, Datum, Scalar, StringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{cast, kernels::zip::zip, nullif};
use arrow::datatypes::{DataType, RunEndIndexType};

use super::normalize::{Normalizer, Scratch};
use super::tally::Tally;
use super::{Found, Transform, TransformError, Transformed, ValueSize, Values};
use crate::arrays::canonical::{Canonical, Meaning, canonical, is_supported};
use crate::arrays::dictionary::{for_each_entry, same_memory};
use crate::arrays::failure::Failures;
use crate::arrays::sketch::Sketch;
use crate::arrays::space::{CHEAP_BITS, Space};

/// What stands in place of a value under `on_error: redact`.
pub const REDACTED: &str = "[redacted]";

/// What an empty value becomes, after `normalize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EmptyRule {
    /// A value like any other.
    #[default]
    Value,
    /// Null.
    ToNull,
    /// Stays empty.
    Keep,
}

/// What happens when a value can't be taken. The value itself never passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// The object fails.
    #[default]
    Fail,
    /// Null.
    ToNull,
    /// [`REDACTED`].
    Redact,
}

/// Why a column could not be transformed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CellError {
    /// A value could not be taken, and the policy says `on_error: fail`.
    #[error("a value could not be taken: {reason}")]
    Value {
        /// Position in the array handed in, from 0.
        index: usize,
        /// Without anything of the value.
        reason: Cow<'static, str>,
    },
    /// The whole column is impossible.
    #[error(transparent)]
    Column(#[from] TransformError),
}

/// One leaf column's whole treatment.
#[derive(Debug)]
pub struct Cell {
    /// What the type does not tell.
    pub meaning: Meaning,
    /// Steps on the canonical text, if any.
    pub normalizer: Option<Normalizer>,
    /// What becomes of empty values.
    pub empty: EmptyRule,
    /// What becomes of values that can't be taken.
    pub on_error: OnError,
    /// The family.
    pub transform: Arc<dyn Transform>,
}

/// What was made of the last dictionary, so that batches that share one pay for it once.
#[derive(Debug, Default)]
pub struct Memo(Option<Entries>);

impl Memo {
    /// Whether every entry of the last dictionary was met.
    pub fn are_all_counted(&self) -> bool {
        self.0.as_ref().is_some_and(|entries| entries.counted.iter().all(|&counted| counted))
    }
}

#[derive(Debug)]
struct Entries {
    source: ArrayRef,
    made: Made,
    counted: Vec<bool>,
}

#[derive(Debug)]
struct Made {
    array: ArrayRef,
    nulls_in: Option<NullBuffer>,
    text_in: Option<BinaryArray>,
    text_out: Option<BinaryArray>,
    failures: Failures,
    empty_in: Option<BooleanBuffer>,
    kept_empty: Option<BooleanBuffer>,
    found: Vec<Found>,
}

impl Cell {
    /// The output's type for a column of `input`: dictionaries and runs stay what they are, around new values. The keys
    /// of a dictionary have 32 bits at least.
    ///
    /// # Errors
    /// Why this type can't be transformed.
    pub fn output_type(&self, input: &DataType) -> Result<DataType, String> {
        match input {
            DataType::Dictionary(keys, values) => Ok(match self.output_type(values)? {
                // Parquet readers stumble over dictionaries of these
                fixed @ DataType::FixedSizeBinary(_) => fixed,
                made => DataType::Dictionary(wide(keys), Box::new(made)),
            }),
            DataType::RunEndEncoded(ends, values) => {
                let inner = self.output_type(values.data_type())?;
                let field = values.as_ref().clone().with_data_type(inner).with_metadata(Default::default());
                Ok(DataType::RunEndEncoded(ends.clone(), Arc::new(field)))
            }
            plain => self.transform.output_type(plain),
        }
    }

    /// How long the values are that it makes, those of failed ones included.
    pub fn value_size(&self) -> ValueSize {
        match (self.transform.value_size(), self.on_error) {
            (ValueSize::Fixed { bytes, random }, OnError::Redact) => {
                ValueSize::Fixed { bytes: bytes.max(REDACTED.len()), random }
            }
            (size, _) => size,
        }
    }

    /// Transforms a column and counts what it saw.
    ///
    /// # Errors
    /// [`CellError::Value`] under `on_error: fail`; [`CellError::Column`] where no value could be taken at all.
    pub fn apply(
        &self,
        array: &ArrayRef,
        companions: &[BinaryArray],
        memo: &mut Memo,
        tally: &mut Tally,
    ) -> Result<ArrayRef, CellError> {
        match array.data_type() {
            DataType::Dictionary(_, values)
                if companions.is_empty() && !values.is_nested() && self.transform.once_per_value() =>
            {
                let made = self.apply_to_dictionary(array, memo, tally)?;
                let out_type = self.promised(array.data_type())?;
                let dictionary = made.as_any_dictionary();
                match dictionary.values().data_type() {
                    fixed @ DataType::FixedSizeBinary(_) => {
                        self.rebuild(arrow::compute::take(dictionary.values(), dictionary.keys(), None), fixed)
                    }
                    _ if made.data_type() == &out_type => Ok(made),
                    _ => self.rebuild(cast(&made, &out_type), &out_type),
                }
            }
            DataType::Dictionary(_, values) => {
                let out_type = self.promised(array.data_type())?;
                let made = self.apply(&self.rebuild(cast(array, values), values)?, companions, memo, tally)?;
                self.rebuild(cast(&made, &out_type), &out_type)
            }
            DataType::RunEndEncoded(ends, values) => {
                let out_type = self.promised(array.data_type())?;
                let plain = match ends.data_type() {
                    DataType::Int16 => expand::<arrow::datatypes::Int16Type>(array),
                    DataType::Int32 => expand::<arrow::datatypes::Int32Type>(array),
                    _ => expand::<arrow::datatypes::Int64Type>(array),
                };
                let made = self.apply(&self.rebuild(plain, values.data_type())?, companions, memo, tally)?;
                self.rebuild(cast(&made, &out_type), &out_type)
            }
            _ => {
                let made = self.make(array, companions)?;
                if let (OnError::Fail, Some(failure)) = (self.on_error, made.failures.iter().next()) {
                    return Err(CellError::Value { index: failure.index, reason: failure.reason.clone() });
                }
                count_plain(&made, tally);
                Ok(made.array)
            }
        }
    }

    /// The type that was promised when the policy was bound.
    fn promised(&self, input: &DataType) -> Result<DataType, CellError> {
        self.output_type(input).map_err(|_| TransformError::Build(input.clone()).into())
    }

    fn rebuild<E>(&self, built: Result<ArrayRef, E>, data_type: &DataType) -> Result<ArrayRef, CellError> {
        // Arrow's own text is dropped: it may quote a value
        built.map_err(|_| TransformError::Build(data_type.clone()).into())
    }

    /// As [`apply`](Self::apply), for a dictionary: what comes back is one, of as many entries.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn apply_to_dictionary(
        &self,
        array: &ArrayRef,
        memo: &mut Memo,
        tally: &mut Tally,
    ) -> Result<ArrayRef, CellError> {
        let dictionary = array.as_any_dictionary();
        let entries = match memo.0.take().filter(|entries| same_memory(&entries.source, dictionary.values())) {
            Some(entries) => memo.0.insert(entries),
            None => memo.0.insert(Entries {
                source: Arc::clone(dictionary.values()),
                made: self.make(dictionary.values(), &[])?,
                counted: vec![false; dictionary.values().len()],
            }),
        };
        let made = &entries.made;
        if let (OnError::Fail, false) = (self.on_error, made.failures.is_empty()) {
            let failed = made.failures.bits(made.array.len());
            let mut first = None;
            for_each_entry(dictionary, |row, entry| {
                if failed.value(entry) {
                    first.get_or_insert((row, entry));
                }
            });
            if let Some((index, entry)) = first {
                let reason = made.failures.iter().find(|failure| failure.index == entry).map(|f| f.reason.clone());
                return Err(CellError::Value { index, reason: reason.unwrap_or_default() });
            }
        }
        count_dictionary(array, entries, tally);
        Ok(dictionary.with_values(Arc::clone(&entries.made.array)))
    }

    /// The plain way: `array` is neither dictionary nor run-end encoded.
    fn make(&self, array: &ArrayRef, companions: &[BinaryArray]) -> Result<Made, CellError> {
        let out_type = self.promised(array.data_type())?;
        let nulls_in = array.logical_nulls();
        let mut failures = Failures::default();
        let (source, text) = if is_supported(array.data_type()) {
            let Canonical { values, failures: without_text } =
                canonical(array, self.meaning).map_err(TransformError::from)?;
            if self.transform.needs_text() {
                failures.extend(without_text);
            }
            (Some(values.clone()), values)
        } else {
            (None, BinaryArray::new_null(array.len()))
        };
        let empty_in = source.as_ref().and_then(empties);
        let mut text = match &self.normalizer {
            Some(normalizer) => normalize(normalizer, &text, &mut failures),
            None => text,
        };
        let empty = (self.empty != EmptyRule::Value).then(|| empties(&text)).flatten();
        if let Some(empty) = &empty {
            text = with_nulls(&text, empty);
        }
        text = without(&text, &failures);
        let array = &match (&empty, failures.is_empty()) {
            (None, true) => Arc::clone(array),
            // transforms that look at the array rather than at its text must not see these values either
            _ => hide(array, &empty, &failures)?,
        };
        let Transformed { array, failures: later, mut found } =
            self.transform.apply(&Values { array, canonical: &text, companions })?;
        failures.extend(later);
        found.retain(|found| !failures.contains(found.index as usize));
        let kept_empty = empty.filter(|_| self.empty == EmptyRule::Keep);
        let mut array = array;
        if let Some(kept) = &kept_empty {
            array = put(array, kept, "")?;
        }
        if !failures.is_empty() {
            let failed = failures.bits(array.len());
            array = match self.on_error {
                OnError::Redact => put(array, &failed, REDACTED)?,
                OnError::Fail | OnError::ToNull => mask_out(&array, &failed)?,
            };
        }
        if array.data_type() != &out_type {
            array = self.rebuild(cast(&array, &out_type), &out_type)?;
        }
        let text_out = is_supported(array.data_type())
            .then(|| canonical(&array, Meaning::Plain).ok())
            .flatten()
            .map(|text| text.values);
        Ok(Made { array, nulls_in, text_in: source, text_out, failures, empty_in, kept_empty, found })
    }
}

/// Keys of 32 bits at least: what differs between rows of one value has more entries than the source's dictionary.
fn wide(keys: &DataType) -> Box<DataType> {
    let narrow = keys.primitive_width().is_some_and(|width| width < 4);
    Box::new(if narrow { DataType::Int32 } else { keys.clone() })
}

fn expand<E: RunEndIndexType>(array: &ArrayRef) -> Result<ArrayRef, arrow::error::ArrowError> {
    let runs = array.as_run::<E>();
    let indices =
        arrow::array::UInt64Array::from_iter_values((0..runs.len()).map(|row| runs.get_physical_index(row) as u64));
    arrow::compute::take(runs.values(), &indices, None)
}

fn normalize(normalizer: &Normalizer, text: &BinaryArray, failures: &mut Failures) -> BinaryArray {
    let mut scratch = Scratch::default();
    let mut builder = BinaryBuilder::with_capacity(text.len(), text.value_data().len());
    for (row, value) in text.iter().enumerate() {
        let Some(bytes) = value else {
            builder.append_null();
            continue;
        };
        let Ok(value) = std::str::from_utf8(bytes) else {
            failures.push(row, "binary value that is not UTF-8 text");
            builder.append_null();
            continue;
        };
        match normalizer.apply(value, &mut scratch) {
            Ok(normalized) => builder.append_value(normalized),
            Err(error) => {
                failures.push(row, error.to_string());
                builder.append_null();
            }
        }
    }
    builder.finish()
}

/// One bit for each non-null value without bytes; `None` if there is no such value.
fn empties(text: &BinaryArray) -> Option<BooleanBuffer> {
    let offsets = text.value_offsets();
    let is_empty = |row: usize| offsets[row] == offsets[row + 1] && text.is_valid(row);
    (0..text.len()).any(is_empty).then(|| BooleanBuffer::collect_bool(text.len(), is_empty))
}

fn with_nulls(text: &BinaryArray, also_null: &BooleanBuffer) -> BinaryArray {
    let valid = NullBuffer::new(!also_null);
    let nulls = NullBuffer::union(text.nulls(), Some(&valid));
    BinaryArray::new(text.offsets().clone(), text.values().clone(), nulls)
}

/// `text` with the failed positions null.
pub(super) fn without(text: &BinaryArray, failures: &Failures) -> BinaryArray {
    if failures.is_empty() { text.clone() } else { with_nulls(text, &failures.bits(text.len())) }
}

fn hide(array: &ArrayRef, empty: &Option<BooleanBuffer>, failures: &Failures) -> Result<ArrayRef, CellError> {
    let failed = failures.bits(array.len());
    mask_out(array, &empty.as_ref().map_or(failed.clone(), |empty| empty | &failed))
}

fn mask_out(array: &ArrayRef, also_null: &BooleanBuffer) -> Result<ArrayRef, CellError> {
    nullif(array, &BooleanArray::new(also_null.clone(), None))
        .map_err(|_| TransformError::Build(array.data_type().clone()).into())
}

/// `array`, text, with `constant` at the marked positions.
fn put(array: ArrayRef, at: &BooleanBuffer, constant: &str) -> Result<ArrayRef, CellError> {
    let broken = |_| TransformError::Build(array.data_type().clone());
    let constant = cast(&StringArray::from(vec![constant]), array.data_type()).map_err(broken)?;
    let constant: &dyn Datum = &Scalar::new(constant);
    Ok(zip(&BooleanArray::new(at.clone(), None), constant, &array).map_err(broken)?)
}

fn count_plain(made: &Made, tally: &mut Tally) {
    let rows = made.array.len();
    let valid = (rows - made.nulls_in.as_ref().map_or(0, NullBuffer::null_count)) as u64;
    let set = |bits: &Option<BooleanBuffer>| bits.as_ref().map_or(0, |bits| bits.count_set_bits() as u64);
    let failed = made.failures.len() as u64;
    tally.count(rows, made.array.logical_null_count());
    tally.failed += failed;
    tally.transformed += valid.saturating_sub(failed + set(&made.kept_empty));
    add(&mut tally.empties, set(&made.empty_in), made);
    made.found.iter().for_each(|found| tally.count_found(found.kind, 1));
    see_all(&mut tally.space, made.text_in.as_ref(), 0..rows);
    sketch_all(&mut tally.distinct_in, made.text_in.as_ref(), 0..rows);
    sketch_all(&mut tally.distinct_out, made.text_out.as_ref(), 0..rows);
}

fn count_dictionary(array: &ArrayRef, entries: &mut Entries, tally: &mut Tally) {
    let Entries { made, counted, .. } = entries;
    let failed = (!made.failures.is_empty()).then(|| made.failures.bits(made.array.len()));
    let nulls_out = made.array.logical_nulls();
    let set = |bits: &Option<BooleanBuffer>, entry: usize| u64::from(bits.as_ref().is_some_and(|b| b.value(entry)));
    let null = |nulls: &Option<NullBuffer>, entry: usize| u64::from(nulls.as_ref().is_some_and(|n| n.is_null(entry)));
    let (mut keyed, mut null_in, mut null_out, mut failures, mut kept, mut empty) = (0, 0, 0, 0, 0, 0);
    let mut fresh = Vec::new();
    let mut uses = vec![0; if made.found.is_empty() { 0 } else { made.array.len() }];
    for_each_entry(array.as_any_dictionary(), |_, entry| {
        keyed += 1;
        uses.get_mut(entry).into_iter().for_each(|uses| *uses += 1);
        null_in += null(&made.nulls_in, entry);
        null_out += null(&nulls_out, entry);
        failures += set(&failed, entry);
        kept += set(&made.kept_empty, entry);
        empty += set(&made.empty_in, entry);
        if !std::mem::replace(&mut counted[entry], true) {
            fresh.push(entry);
        }
    });
    tally.count(array.len(), (array.len() as u64 - keyed + null_out) as usize);
    tally.failed += failures;
    tally.transformed += keyed - null_in - failures - kept;
    add(&mut tally.empties, empty, made);
    made.found.iter().for_each(|found| tally.count_found(found.kind, uses[found.index as usize]));
    see_all(&mut tally.space, made.text_in.as_ref(), fresh.iter().copied());
    sketch_all(&mut tally.distinct_in, made.text_in.as_ref(), fresh.iter().copied());
    sketch_all(&mut tally.distinct_out, made.text_out.as_ref(), fresh.iter().copied());
}

/// Unknown where the column has no canonical text to be empty.
fn add(empties: &mut Option<u64>, seen: u64, made: &Made) {
    *empties = empties.filter(|_| made.text_in.is_some()).map(|empties| empties + seen);
}

fn see_all(space: &mut Space, text: Option<&BinaryArray>, rows: impl Iterator<Item = usize>) {
    if let Some(text) = text.filter(|_| space.bits() != Some(CHEAP_BITS)) {
        rows.filter(|&row| text.is_valid(row)).for_each(|row| space.see(text.value(row)));
    }
}

fn sketch_all(sketch: &mut Option<Sketch>, text: Option<&BinaryArray>, rows: impl Iterator<Item = usize>) {
    match (sketch.as_mut(), text) {
        (Some(sketch), Some(text)) => {
            rows.filter(|&row| text.is_valid(row)).for_each(|row| sketch.insert(text.value(row)));
        }
        _ => *sketch = None,
    }
}
