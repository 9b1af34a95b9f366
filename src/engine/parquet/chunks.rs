//! Pages of column chunks as the parquet crate's decoders take them, read and decompressed by us: headers are held
//! against the footer first, and no page becomes larger than it claims.

use std::collections::HashMap;
use std::sync::Arc;

use parquet::arrow::arrow_reader::RowGroups;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use super::decompress::Decompressor;
use super::page::{PageFault, PageKind, RawPage};

/// Chunks of one row group.
pub struct Chunks<'a> {
    metadata: &'a ParquetMetaData,
    group: &'a RowGroupMetaData,
    pages: HashMap<usize, Arc<[RawPage]>>,
}

impl<'a> Chunks<'a> {
    /// Of row group `index`, with the pages of the leaves that will be asked for.
    pub fn new(metadata: &'a ParquetMetaData, index: usize, pages: HashMap<usize, Arc<[RawPage]>>) -> Self {
        Self { metadata, group: metadata.row_group(index), pages }
    }
}

impl RowGroups for Chunks<'_> {
    fn num_rows(&self) -> usize {
        self.group.num_rows() as usize
    }

    fn column_chunks(&self, leaf: usize) -> Result<Box<dyn PageIterator>> {
        let pages = self.pages.get(&leaf).ok_or_else(|| ParquetError::General("not read".to_owned()))?;
        let decompressor = Decompressor::new(self.group.column(leaf).compression_codec()).map_err(failed)?;
        let reader: Box<dyn PageReader> = Box::new(Pages { pages: Arc::clone(pages), next: 0, decompressor });
        Ok(Box::new(OneChunk(Some(reader))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.group))
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.metadata
    }
}

fn failed(fault: PageFault) -> ParquetError {
    ParquetError::General(fault.to_string())
}

/// The chunk of the only row group.
struct OneChunk(Option<Box<dyn PageReader>>);

impl Iterator for OneChunk {
    type Item = Result<Box<dyn PageReader>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take().map(Ok)
    }
}

impl PageIterator for OneChunk {}

/// The pages of one chunk.
struct Pages {
    pages: Arc<[RawPage]>,
    next: usize,
    decompressor: Decompressor,
}

impl Pages {
    /// The page to come: those that hold no values are passed over.
    fn coming(&mut self) -> Option<&RawPage> {
        while matches!(self.pages.get(self.next)?.header.kind, PageKind::Other) {
            self.next += 1;
        }
        self.pages.get(self.next)
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(page) = self.coming().cloned() else { return Ok(None) };
        self.next += 1;
        let buf = self.decompressor.body(&page).map_err(failed)?;
        let count = |number: i32| number.unsigned_abs();
        Ok(match page.header.kind {
            PageKind::Dictionary { values, encoding, is_sorted } => {
                Some(Page::DictionaryPage { buf, num_values: count(values), encoding, is_sorted })
            }
            PageKind::V1 { values, encoding, definition, repetition } => Some(Page::DataPage {
                buf,
                num_values: count(values),
                encoding,
                def_level_encoding: definition,
                rep_level_encoding: repetition,
                statistics: None,
            }),
            PageKind::V2 { values, nulls, rows, encoding, definition_bytes, repetition_bytes, .. } => {
                Some(Page::DataPageV2 {
                    buf,
                    num_values: count(values),
                    encoding,
                    num_nulls: count(nulls),
                    num_rows: count(rows),
                    def_levels_byte_len: count(definition_bytes),
                    rep_levels_byte_len: count(repetition_bytes),
                    is_compressed: false,
                    statistics: None,
                })
            }
            PageKind::Other => None,
        })
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        let count = |number: i32| Some(number.unsigned_abs() as usize);
        Ok(self.coming().map(|page| match page.header.kind {
            PageKind::V2 { values, rows, .. } => {
                PageMetadata { num_rows: count(rows), num_levels: count(values), is_dict: false }
            }
            PageKind::V1 { values, .. } => PageMetadata { num_rows: None, num_levels: count(values), is_dict: false },
            PageKind::Dictionary { .. } | PageKind::Other => {
                PageMetadata { num_rows: None, num_levels: None, is_dict: true }
            }
        }))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        if self.coming().is_some() {
            self.next += 1;
        }
        Ok(())
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}
