//! One transformed leaf of a row group, page by page: levels and indices stay bytes, only values are made anew.
//!
//! - A page of indices into a dictionary keeps its body; the dictionary's entries are transformed, each once. Where other
//!   pages of the chunk are made anew, with another codec, the body is compressed anew.
//! - Of any other page the levels are kept and the values replaced.
//! - Every header is written anew, without the raw minimum and maximum that writers put there.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array};
use arrow::datatypes::{DataType, Int32Type};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding, Type as PhysicalType};
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::schema::types::ColumnDescPtr;

use super::compress::Compressor;
use super::decompress::Decompressor;
use super::levels::{LevelError, Parts, indices, parts};
use super::page::{Claims, PageFault, PageHeader, PageKind, RawPage, checksum, encoding_stats, pages};
use super::values::{TextEncoding, ValueReader, common_length, encode, encode_entries};
use super::written::{Body, Written};
use crate::engine::error::RewriteError;
use crate::engine::outcome::Route;
use crate::engine::stop::Stop;
use crate::transforms::cell::{Cell, Memo};
use crate::transforms::tally::Tally;

/// More values in one page than this are left to the batches of the generic way.
const MAX_PAGE_VALUES: i32 = 1 << 24;

/// How one leaf column of an object is made anew.
#[derive(Debug)]
pub struct LeafRewriter {
    /// The leaf in the source.
    pub source: ColumnDescPtr,
    /// The leaf in the output.
    pub output: ColumnDescPtr,
    /// Reads its values.
    pub reader: ValueReader,
    /// Its treatment.
    pub cell: Arc<Cell>,
    /// For pages that are made anew.
    pub compression: Compression,
    /// For texts that are made anew.
    pub encoding: TextEncoding,
}

/// A chunk made anew.
#[derive(Debug)]
pub struct RewrittenLeaf {
    /// Its pages.
    pub pages: Vec<Bytes>,
    /// What the footer says of it.
    pub close: ColumnCloseResult,
    /// What was seen.
    pub tally: Tally,
    /// [`Route::Dictionary`] or [`Route::Leaf`].
    pub route: Route,
}

/// Why a chunk was not made anew.
#[derive(Debug)]
pub enum Refusal {
    /// Page by page is not possible: nulls come up, two entries become one, or the pages are unusual. Nothing is wrong
    /// with that; the generic way decides.
    Generic,
    /// The pages are not what they claim.
    Damaged(PageFault),
    /// The object fails.
    Failed(RewriteError),
}

impl LeafRewriter {
    /// Rewrites one chunk, whose bytes are `chunk`; `rows` are those of its row group. In a file with an offset index
    /// its pages must begin with rows.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn rewrite(
        &self,
        chunk: &Bytes,
        metadata: &ColumnChunkMetaData,
        rows: u64,
        has_index: bool,
        stop: &Stop,
    ) -> Result<RewrittenLeaf, Refusal> {
        let raw = pages(chunk, Claims::from(metadata)).map_err(Refusal::Damaged)?;
        let source_codec: Compression = metadata.compression_codec().into();
        let is_ours = std::mem::discriminant(&source_codec) == std::mem::discriminant(&self.compression);
        let has_indices = raw.iter().any(|page| page.header.is_indices());
        let all_indices = raw.iter().all(|page| page.header.values() == 0 || page.header.is_indices());
        // one codec holds for a whole chunk; of the source's the level is not known
        let compression = if has_indices && all_indices && !is_ours { source_codec } else { self.compression };
        let looks_random = self.cell.transform.looks_random();
        let compressor = Compressor::new(compression, looks_random).ok_or(Refusal::Generic)?;
        let mut work = Work {
            rewriter: self,
            compressor,
            entries: None,
            memo: Memo::default(),
            tally: Tally::with_sketches(),
            written: Written { value_bytes: self.has_lengths().then(Vec::new), ..Written::default() },
            lengths: Lengths::Common(0),
            bounds: Bounds::default(),
            bloom: bloom_filter(metadata),
            present: 0,
            has_index,
            keeps_bodies: all_indices || is_ours,
        };
        let mut decompressor = Decompressor::new(metadata.compression_codec()).map_err(Refusal::Damaged)?;
        for page in raw.iter().filter(|page| !matches!(page.header.kind, PageKind::Other)) {
            stop.check().map_err(Refusal::Failed)?;
            let body = decompressor.body(page).map_err(Refusal::Damaged)?;
            match page.header.kind {
                PageKind::Dictionary { values, .. } => work.dictionary(page, &body, values)?,
                _ => work.data(page, &body)?,
            }
        }
        work.finish(metadata, rows, has_indices && all_indices, compression)
    }

    /// Whether values of the output have lengths of their own.
    fn has_lengths(&self) -> bool {
        self.output.physical_type() == PhysicalType::BYTE_ARRAY
    }
}

/// An empty filter as large as the source's, if that had one.
fn bloom_filter(metadata: &ColumnChunkMetaData) -> Option<Sbbf> {
    metadata.bloom_filter_offset()?;
    let of_length = |length: i32| {
        // the header before the bits has about 16 bytes, and a filter is a power of two; what is beyond two bytes a
        // value is no use to anybody
        let useful = usize::try_from(metadata.num_values()).ok()?.saturating_mul(2).max(32).next_power_of_two();
        let claimed = 1 << usize::try_from(length).ok()?.checked_ilog2()?;
        Some(Sbbf::new_with_num_of_bytes(useful.min(claimed)))
    };
    match metadata.bloom_filter_length() {
        Some(length) => of_length(length),
        None => Sbbf::new_with_ndv_fpp(metadata.num_values().unsigned_abs(), 0.05).ok(),
    }
}

struct Work<'a> {
    rewriter: &'a LeafRewriter,
    compressor: Compressor,
    /// Entries of the source's dictionary.
    entries: Option<ArrayRef>,
    /// Lengths of the entries made.
    lengths: Lengths,
    memo: Memo,
    tally: Tally,
    written: Written,
    bounds: Bounds,
    bloom: Option<Sbbf>,
    present: u64,
    has_index: bool,
    /// Whether the source's pages are compressed as the output's are.
    keeps_bodies: bool,
}

impl Work<'_> {
    /// Takes the dictionary and writes the one that comes of it. Entries are judged where they are used.
    fn dictionary(&mut self, raw: &RawPage, body: &Bytes, claimed: i32) -> Result<(), Refusal> {
        let count = usize::try_from(claimed).map_err(|_| Refusal::Generic)?;
        if self.entries.is_some() || !self.written.headers.is_empty() {
            return Err(Refusal::Generic);
        }
        let entries = self.rewriter.reader.read(body, Encoding::PLAIN, count).ok_or(Refusal::Generic)?;
        // no index yet: this makes all entries and counts none
        let made = self.apply_indices(Vec::new(), &entries)?;
        self.entries = Some(entries);
        // a null among them is an entry that could not be taken: it fails only if it is used
        if made.null_count() > 0 || !are_distinct(&made) {
            return Err(Refusal::Generic);
        }
        let values = encode_entries(&made).ok_or(Refusal::Generic)?;
        self.see(&made)?;
        self.lengths = Lengths::of(&made).ok_or(Refusal::Generic)?;
        let mut body = Body::new(&[]);
        self.compressor.compress_values(&values, body.bytes()).ok_or(Refusal::Generic)?;
        let header = PageHeader {
            uncompressed: length(values.size())?,
            compressed: body.length().ok_or(Refusal::Generic)?,
            crc: checksum_as(raw, &body),
            kind: PageKind::Dictionary { values: claimed, encoding: Encoding::PLAIN, is_sorted: false },
        };
        self.written.page(header, body, 0, 0).ok_or(Refusal::Generic)
    }

    /// The made entries of the dictionary after values with these indices were counted. Errors have no row here, and
    /// may be of entries that no value has: the generic way finds them again, if they are any.
    fn apply_indices(&mut self, indices: Vec<i32>, entries: &ArrayRef) -> Result<ArrayRef, Refusal> {
        let keys = Int32Array::from(indices);
        let array = DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(entries)).map_err(|_| Refusal::Generic)?;
        let array: ArrayRef = Arc::new(array);
        let made = self.rewriter.cell.apply_to_dictionary(&array, &mut self.memo, &mut self.tally);
        made.map(|made| Arc::clone(made.as_any_dictionary().values())).map_err(|_| Refusal::Generic)
    }

    fn apply(&mut self, array: &ArrayRef) -> Result<ArrayRef, Refusal> {
        let made = self.rewriter.cell.apply(array, &[], &mut self.memo, &mut self.tally);
        made.map_err(|_| Refusal::Generic)
    }

    fn data(&mut self, raw: &RawPage, whole: &Bytes) -> Result<(), Refusal> {
        let header = raw.header;
        if header.values() > MAX_PAGE_VALUES {
            return Err(Refusal::Generic);
        }
        let parts = match parts(&header, whole, &self.rewriter.source) {
            Ok(parts) => parts,
            Err(LevelError::Unusual) => return Err(Refusal::Generic),
            Err(LevelError::BeyondMaximum) => return Err(Refusal::Damaged(PageFault::Undecodable)),
        };
        if self.has_index && !parts.begins_row {
            return Err(Refusal::Generic);
        }
        let absent = parts.items.checked_sub(parts.present).ok_or(Refusal::Generic)?;
        self.tally.count(absent, absent);
        self.present += parts.present as u64;
        if header.is_indices() {
            let entries = self.entries.clone().ok_or(Refusal::Generic)?;
            let indices = indices(&parts.values, parts.present, entries.len()).ok_or(Refusal::Generic)?;
            let value_bytes = self.lengths.total(&indices);
            self.apply_indices(indices, &entries)?;
            // of pages that are not compressed nobody has seen yet whether they claim the truth
            let header = PageHeader { uncompressed: length(whole.len())?, ..header };
            let (header, body) = self.index_page(raw, header, whole, &parts)?;
            return self.written.page(header, body, parts.rows, value_bytes).ok_or(Refusal::Generic);
        }
        let encoding = header.encoding().ok_or(Refusal::Generic)?;
        let source = self.rewriter.reader.read(&parts.values, encoding, parts.present).ok_or(Refusal::Generic)?;
        let made = self.apply(&source)?;
        if made.null_count() > 0 {
            return Err(Refusal::Generic);
        }
        self.see(&made)?;
        let value_bytes = Lengths::of(&made).ok_or(Refusal::Generic)?.sum(made.len());
        // in version 1 the levels are compressed with the values
        let before = match header.kind {
            PageKind::V1 { .. } => parts.levels.to_vec(),
            _ => Vec::new(),
        };
        let values = encode(&made, self.rewriter.encoding, before).ok_or(Refusal::Generic)?;
        let mut body = match header.kind {
            PageKind::V2 { .. } => Body::new(&parts.levels),
            _ => Body::new(&[]),
        };
        self.compressor.compress_values(&values, body.bytes()).ok_or(Refusal::Generic)?;
        let (encoding, compressed) = (values.encoding, body.length().ok_or(Refusal::Generic)?);
        let (uncompressed, kind) = match header.kind {
            PageKind::V1 { values: count, definition, repetition, .. } => {
                (values.size(), PageKind::V1 { values: count, encoding, definition, repetition })
            }
            PageKind::V2 { values: count, nulls, rows, definition_bytes, repetition_bytes, .. } => {
                let is_compressed = self.compressor.is_any();
                let kind = PageKind::V2 {
                    values: count,
                    nulls,
                    rows,
                    encoding,
                    definition_bytes,
                    repetition_bytes,
                    is_compressed,
                };
                (values.size() + parts.levels.len(), kind)
            }
            PageKind::Dictionary { .. } | PageKind::Other => return Err(Refusal::Generic),
        };
        let crc = checksum_as(raw, &body);
        let header = PageHeader { uncompressed: length(uncompressed)?, compressed, crc, kind };
        self.written.page(header, body, parts.rows, value_bytes).ok_or(Refusal::Generic)
    }

    /// A page of indices: its body as it lies or, where the chunk has another codec now, compressed anew.
    fn index_page(
        &mut self,
        raw: &RawPage,
        header: PageHeader,
        whole: &Bytes,
        parts: &Parts,
    ) -> Result<(PageHeader, Body), Refusal> {
        if self.keeps_bodies {
            return Ok((header, Body::new(&raw.body)));
        }
        let mut kind = header.kind;
        let (mut body, values) = match &mut kind {
            PageKind::V2 { is_compressed, .. } => {
                *is_compressed = self.compressor.is_any();
                (Body::new(&parts.levels), &parts.values)
            }
            _ => (Body::new(&[]), whole),
        };
        self.compressor.compress_other(values, body.bytes()).ok_or(Refusal::Generic)?;
        let compressed = body.length().ok_or(Refusal::Generic)?;
        Ok((PageHeader { compressed, crc: checksum_as(raw, &body), kind, ..header }, body))
    }

    /// Counts made values into bounds and filter.
    fn see(&mut self, made: &ArrayRef) -> Result<(), Refusal> {
        let mut bloom = self.bloom.take();
        let bounds = &mut self.bounds;
        for_each_value(made, |value| {
            bounds.see(value);
            if let Some(bloom) = &mut bloom {
                bloom.insert(value);
            }
        })
        .ok_or(Refusal::Generic)?;
        self.bloom = bloom;
        Ok(())
    }

    fn finish(
        mut self,
        metadata: &ColumnChunkMetaData,
        rows: u64,
        keeps_bodies: bool,
        compression: Compression,
    ) -> Result<RewrittenLeaf, Refusal> {
        if self.written.rows != rows {
            return Err(Refusal::Generic);
        }
        // an entry that no value has is in no chunk
        self.bounds.are_exact = self.entries.is_none() || self.memo.are_all_counted();
        let Written { pages, headers, locations, compressed, uncompressed, dictionary_bytes, value_bytes, .. } =
            std::mem::take(&mut self.written);
        let all_indices = keeps_bodies && headers.iter().all(|header| header.values() == 0 || header.is_indices());
        let mut encodings: Vec<Encoding> = headers.iter().filter_map(PageHeader::encoding).collect();
        // levels are always in it
        encodings.push(Encoding::RLE);
        let nulls = metadata.num_values().unsigned_abs().saturating_sub(self.present);
        let builder = ColumnChunkMetaData::builder(Arc::clone(&self.rewriter.output))
            .set_encodings(encodings)
            .set_compression(compression)
            .set_num_values(metadata.num_values())
            .set_total_compressed_size(figure(compressed)?)
            .set_total_uncompressed_size(figure(uncompressed)?)
            .set_dictionary_page_offset((dictionary_bytes > 0).then_some(0))
            .set_data_page_offset(figure(dictionary_bytes)?)
            .set_unencoded_byte_array_data_bytes(value_bytes.as_ref().map(|bytes| bytes.iter().sum()))
            .set_page_encoding_stats(encoding_stats(headers.into_iter()))
            .set_definition_level_histogram(metadata.definition_level_histogram().cloned())
            .set_repetition_level_histogram(metadata.repetition_level_histogram().cloned())
            .set_statistics(self.bounds.statistics(self.rewriter.output.physical_type(), nulls));
        let metadata = builder.build().map_err(|_| Refusal::Generic)?;
        let offset_index =
            OffsetIndexMetaData { page_locations: locations, unencoded_byte_array_data_bytes: value_bytes };
        let close = ColumnCloseResult {
            bytes_written: compressed,
            rows_written: rows,
            metadata,
            bloom_filter: self.bloom,
            column_index: None,
            offset_index: Some(offset_index),
        };
        let route = if all_indices { Route::Dictionary } else { Route::Leaf };
        Ok(RewrittenLeaf { pages, close, tally: self.tally, route })
    }
}

/// A checksum for a page whose source has one.
fn checksum_as(raw: &RawPage, made: &Body) -> Option<i32> {
    raw.header.crc.map(|_| checksum(made.as_slice()))
}

fn length(bytes: usize) -> Result<i32, Refusal> {
    i32::try_from(bytes).map_err(|_| Refusal::Generic)
}

fn figure(number: u64) -> Result<i64, Refusal> {
    i64::try_from(number).map_err(|_| Refusal::Generic)
}

/// Calls `each` with the bytes of every value. `None` for a type whose values are no bytes.
fn for_each_value(array: &ArrayRef, mut each: impl FnMut(&[u8])) -> Option<()> {
    use DataType::*;
    match array.data_type() {
        Utf8 => array.as_string::<i32>().iter().flatten().for_each(|value| each(value.as_bytes())),
        LargeUtf8 => array.as_string::<i64>().iter().flatten().for_each(|value| each(value.as_bytes())),
        Utf8View => array.as_string_view().iter().flatten().for_each(|value| each(value.as_bytes())),
        Binary => array.as_binary::<i32>().iter().flatten().for_each(each),
        LargeBinary => array.as_binary::<i64>().iter().flatten().for_each(each),
        BinaryView => array.as_binary_view().iter().flatten().for_each(each),
        FixedSizeBinary(_) => array.as_fixed_size_binary().iter().flatten().for_each(each),
        _ => return None,
    }
    Some(())
}

/// Lengths of made values, in bytes.
#[derive(Debug)]
enum Lengths {
    /// All have one, as tokens do.
    Common(u64),
    Each(Vec<u32>),
}

impl Lengths {
    fn of(made: &ArrayRef) -> Option<Self> {
        if let Some(texts) = made.as_string_opt::<i32>()
            && let Some(common) = common_length(texts.value_offsets())
        {
            return Some(Self::Common(u64::from(common)));
        }
        let mut lengths = Vec::with_capacity(made.len());
        for_each_value(made, |value| lengths.push(value.len() as u32))?;
        Some(Self::Each(lengths))
    }

    /// Of values with these indices, which are all in range.
    fn total(&self, indices: &[i32]) -> u64 {
        match self {
            Self::Common(length) => length * indices.len() as u64,
            Self::Each(lengths) => indices.iter().map(|&index| u64::from(lengths[index as usize])).sum(),
        }
    }

    /// Of `count` values, each once.
    fn sum(&self, count: usize) -> u64 {
        match self {
            Self::Common(length) => length * count as u64,
            Self::Each(lengths) => lengths.iter().map(|&length| u64::from(length)).sum(),
        }
    }
}

/// Two entries of one value upset some readers.
fn are_distinct(entries: &ArrayRef) -> bool {
    // open addressing over hashes: half of the slots stay empty, 0 marks them
    let slots = (2 * entries.len()).next_power_of_two();
    let mut seen = vec![0u64; slots];
    let mut distinct = true;
    let looked = for_each_value(entries, |value| {
        let hash = twox_hash::XxHash3_64::oneshot(value).max(1);
        let mut at = hash as usize & (slots - 1);
        while seen[at] != 0 && seen[at] != hash {
            at = (at + 1) & (slots - 1);
        }
        // equal hashes of unequal values only cost a detour
        distinct &= seen[at] == 0;
        seen[at] = hash;
    });
    looked.is_some() && distinct
}

/// The first eight bytes as a number: where two differ, the values compare as they do.
#[inline]
fn head(value: &[u8]) -> u64 {
    match value.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut first = [0; 8];
            first[..value.len()].copy_from_slice(value);
            u64::from_be_bytes(first)
        }
    }
}

/// The least and the greatest of the values written.
#[derive(Debug)]
struct Bounds {
    least: Option<Vec<u8>>,
    greatest: Option<Vec<u8>>,
    /// Strictly between these heads lies nothing new.
    between: (u64, u64),
    /// Whether every value that was seen is certainly in the chunk.
    are_exact: bool,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { least: None, greatest: None, between: (u64::MAX, 0), are_exact: true }
    }
}

impl Bounds {
    #[inline]
    fn see(&mut self, value: &[u8]) {
        let head = head(value);
        if self.between.0 < head && head < self.between.1 {
            return;
        }
        if self.least.as_deref().is_none_or(|least| value < least) {
            self.least = Some(value.to_vec());
            self.between.0 = head;
        }
        if self.greatest.as_deref().is_none_or(|greatest| value > greatest) {
            self.greatest = Some(value.to_vec());
            self.between.1 = head;
        }
    }

    fn statistics(&self, physical: PhysicalType, nulls: u64) -> Statistics {
        let (least, greatest) = (self.least.clone(), self.greatest.clone());
        match physical {
            PhysicalType::FIXED_LEN_BYTE_ARRAY => {
                let fixed = |bytes: Vec<u8>| FixedLenByteArray::from(ByteArray::from(bytes));
                let bounds = ValueStatistics::new(least.map(fixed), greatest.map(fixed), None, Some(nulls), false);
                Statistics::FixedLenByteArray(
                    bounds.with_min_is_exact(self.are_exact).with_max_is_exact(self.are_exact),
                )
            }
            _ => {
                let bytes = |bytes: Vec<u8>| ByteArray::from(bytes);
                let bounds = ValueStatistics::new(least.map(bytes), greatest.map(bytes), None, Some(nulls), false);
                Statistics::ByteArray(bounds.with_min_is_exact(self.are_exact).with_max_is_exact(self.are_exact))
            }
        }
    }
}
