//! How much memory made values will take, estimated before work starts: from what a footer says of a row group, and
//! from how long the values of each transform are.

use parquet::basic::{Compression, Type as PhysicalType};

use super::error::RewriteError;
use super::parquet::routes::{ColumnRoute, LeafRoute};
use super::parquet::rows::FileLayout;
use crate::policy::plan::{ColumnSource, OutputColumn, Plan};
use crate::transforms::ValueSize;
use crate::transforms::shape::Shape;

/// Beside each value in an encoding: its length in PLAIN, its quotes and delimiter in CSV.
const AROUND_VALUE_BYTES: u64 = 4;
/// The text of a number, date or time at its longest, but for 256-bit decimals.
const NUMBER_TEXT_BYTES: u64 = 40;
/// What SQL makes is not known; a token by default is most likely.
const DERIVED: ValueSize = ValueSize::Fixed { bytes: 32, random: 16 };

/// What becomes of encoded values before they are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Held as they are.
    None,
    /// Repetitions are found (LZ77 alone: Snappy, LZ4).
    Repetitions,
    /// An alphabet of few letters is found too (entropy coding: Zstandard, gzip, Brotli).
    Alphabets,
}

impl From<Compression> for Packing {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::UNCOMPRESSED => Self::None,
            Compression::SNAPPY | Compression::LZ4 | Compression::LZ4_RAW => Self::Repetitions,
            Compression::GZIP(_) | Compression::BROTLI(_) | Compression::ZSTD(_) | Compression::LZO => Self::Alphabets,
        }
    }
}

impl Packing {
    /// Bytes held of each value of a fixed size.
    fn value(self, bytes: usize, random: usize) -> u64 {
        let (whole, random) = (bytes as u64 + AROUND_VALUE_BYTES, random as u64);
        match self {
            Self::Repetitions if random == 0 => 1,
            Self::None | Self::Repetitions => whole,
            // tokens in hexadecimal come to 9/8 of what they tell, lengths included
            Self::Alphabets => whole.min(random + random / 8 + 2),
        }
    }
}

/// Bytes of a made value as text, which nothing packs; `None` if it is as long as its source.
pub fn text_bytes(column: &OutputColumn) -> Option<u64> {
    let bytes = sizes(column).into_iter().map(|size| match size {
        ValueSize::Fixed { bytes, random } => Some(Packing::None.value(bytes, random)),
        ValueSize::AsSource => None,
    });
    bytes.collect::<Option<Vec<_>>>().map(|bytes| bytes.into_iter().max().unwrap_or_default())
}

/// Whether a column is a further output of a source column, of values as long as those.
pub fn is_again(column: &OutputColumn) -> bool {
    column.is_new() && (column.is_kept() || text_bytes(column).is_none())
}

/// How many times over text of so many columns may be written beside its first time, its fields taken as equally long.
pub fn copies(plan: &Plan, columns: usize) -> u64 {
    let again = plan.columns.iter().filter(|column| is_again(column)).count();
    again.div_ceil(columns.max(1)) as u64
}

/// Sizes of the values that are made for a column.
fn sizes(column: &OutputColumn) -> Vec<ValueSize> {
    match &column.source {
        ColumnSource::Column(source) => source.shape.value_sizes(),
        ColumnSource::Derived(_) => vec![DERIVED],
    }
}

/// Bytes held of what is made of one row of CSV, without values that are as long as their source.
pub fn row_bytes(plan: &Plan, packing: Packing) -> u64 {
    let column = |column| {
        sizes(column).into_iter().map(|size| match size {
            ValueSize::Fixed { bytes, random } => packing.value(bytes, random),
            ValueSize::AsSource => 0,
        })
    };
    plan.columns.iter().filter_map(|output| column(output).max()).sum()
}

/// Values of a Parquet object that are made anew.
#[derive(Debug, Clone)]
pub struct MadeLeaf {
    /// Their leaf in the source; `None` where they are as many as rows.
    leaf: Option<usize>,
    /// The largest of these counts.
    sizes: Vec<ValueSize>,
}

/// All that is made anew for `column` of an object with `layout`.
///
/// # Errors
/// [`RewriteError::SchemaChanged`] for a column that is not there.
pub fn made_leaves(
    plan: &Plan,
    column: &OutputColumn,
    route: &ColumnRoute,
    layout: &FileLayout,
) -> Result<Vec<MadeLeaf>, RewriteError> {
    let rewritten = |leaf: &LeafRoute| match leaf {
        LeafRoute::Copied { .. } => None,
        LeafRoute::Rewritten { leaf, rewriter, .. } => {
            Some(MadeLeaf { leaf: Some(*leaf), sizes: vec![rewriter.cell.value_size()] })
        }
    };
    Ok(match (route, &column.source) {
        (ColumnRoute::Copied { .. }, _) => Vec::new(),
        (_, ColumnSource::Column(source)) if matches!(source.shape, Shape::Keep { .. }) => Vec::new(),
        (ColumnRoute::Leaves(leaves), _) => leaves.iter().filter_map(rewritten).collect(),
        (ColumnRoute::Batches, ColumnSource::Column(source)) if plan.source.index_of(&source.name).is_ok() => {
            let leaves = layout.leaves(std::slice::from_ref(&source.name))?.into_iter();
            leaves.map(|leaf| MadeLeaf { leaf: Some(leaf), sizes: sizes(column) }).collect()
        }
        (ColumnRoute::Batches, _) => vec![MadeLeaf { leaf: None, sizes: sizes(column) }],
    })
}

/// Bytes held of what is made of one row group.
pub fn made_bytes<'a>(
    made: impl Iterator<Item = &'a MadeLeaf>,
    layout: &FileLayout,
    group: usize,
    packing: Packing,
) -> u64 {
    let group = layout.metadata().row_group(group);
    let of_leaf = |made: &MadeLeaf| {
        let chunk = made.leaf.map(|leaf| group.column(leaf));
        let values = chunk.map_or(group.num_rows(), |chunk| chunk.num_values()).unsigned_abs();
        let held = made.sizes.iter().map(|size| match (size, chunk) {
            (ValueSize::Fixed { bytes, random }, _) => values.saturating_mul(packing.value(*bytes, *random)),
            (ValueSize::AsSource, Some(chunk)) if chunk.column_type() == PhysicalType::BYTE_ARRAY => match packing {
                Packing::None => chunk.uncompressed_size().unsigned_abs(),
                // packed as well as the source, which is counted already
                _ => 0,
            },
            (ValueSize::AsSource, _) => values.saturating_mul(NUMBER_TEXT_BYTES),
        });
        held.max().unwrap_or_default()
    };
    made.map(of_leaf).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::ZstdLevel;

    #[test]
    fn what_is_held_of_a_token_follows_from_its_length_and_the_codec() {
        let zstd = Compression::ZSTD(ZstdLevel::default());
        // hexadecimal of 128 and 256 bits, binary, a constant; lz4 packs no token
        for (compression, bytes, random, expected) in [
            (Compression::UNCOMPRESSED, 32, 16, 36),
            (Compression::UNCOMPRESSED, 64, 32, 68),
            (Compression::UNCOMPRESSED, 16, 16, 20),
            (Compression::UNCOMPRESSED, 10, 0, 14),
            (Compression::LZ4_RAW, 64, 32, 68),
            (Compression::SNAPPY, 10, 0, 1),
            (zstd, 32, 16, 20),
            (zstd, 64, 32, 38),
            (zstd, 16, 16, 20),
            (zstd, 10, 0, 2),
        ] {
            assert_eq!(Packing::from(compression).value(bytes, random), expected, "{compression:?} {bytes} {random}");
        }
    }
}
