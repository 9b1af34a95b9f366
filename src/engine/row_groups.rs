//! A Parquet object as units of work: row groups, and of a row group that memory has no room for some columns at a time.

use std::ops::Range;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;

use super::budget::Budget;
use super::error::RewriteError;
use super::estimate::{MadeLeaf, Packing, made_bytes, made_leaves};
use super::evaluate::sources;
use super::parquet::footer::Footer;
use super::parquet::routes::{ColumnRoute, Routes};
use super::parquet::rows::{FileLayout, RowGroup, bloom_filter};
use super::rows::Rows;
use super::storage::{Entry, Expected, Storage};
use super::units::{Portion, Unit};
use crate::policy::plan::{OutputColumn, Plan};

/// Work on a unit holds the compressed source, as much of encoded output for what is kept, and the batches under way.
const WORKING_FACTOR: u64 = 2;
/// Copied bytes of a unit up to this are read and held with the rest of it: one request instead of many.
const HELD_COPY_BYTES: u64 = 4 << 20;
/// A unit takes half of the budget at most, if it can be divided: so one is made while the other is written.
const UNITS_IN_BUDGET: u64 = 2;

/// Row groups of a Parquet object.
pub struct RowGroups {
    /// Where it lies.
    pub storage: Storage,
    /// The object.
    pub entry: Entry,
    /// Its end, which was read already.
    pub footer: Footer,
    /// Its columns.
    pub layout: FileLayout,
    /// What is needed of it.
    pub needs: Needs,
    /// How what is made is packed.
    pub packing: Packing,
    /// Whether the output has columns that can be made one after another.
    pub by_columns: bool,
    /// The budget.
    pub budget: Budget,
}

/// Leaves of the source, by what needs them.
pub struct Needs {
    /// Of each output column.
    columns: Vec<ColumnNeeds>,
    /// Of `where`: every unit needs them.
    filter: Vec<usize>,
    /// Of columns in use, but needed by nobody.
    unread: Arc<[usize]>,
}

/// Leaves of the source that one output column is made of.
struct ColumnNeeds {
    /// Decoded, and so read whole before a unit starts.
    decoded: Vec<usize>,
    /// Copied: read with the others where they are few bytes, else when their turn comes.
    copied: Vec<usize>,
    /// What is made anew.
    made: Vec<MadeLeaf>,
    /// Whether another column is made of the same leaves, which are counted for that one.
    is_new: bool,
}

impl Needs {
    /// What `plan` needs of an object with `layout`, of which leaves are `unread`.
    ///
    /// # Errors
    /// [`RewriteError::SchemaChanged`] for a column that is not there.
    pub fn new(plan: &Plan, routes: &Routes, layout: &FileLayout, unread: Arc<[usize]>) -> Result<Self, RewriteError> {
        let own = |name: &String| plan.source.column_with_name(name).is_some();
        let leaves = |names: Vec<String>| -> Result<Vec<usize>, RewriteError> {
            let names: Vec<String> = names.into_iter().filter(own).collect();
            let mut leaves = layout.leaves(&names)?;
            leaves.retain(|leaf| !unread.contains(leaf));
            Ok(leaves)
        };
        let of_column = |(column, route): (&OutputColumn, &ColumnRoute)| -> Result<ColumnNeeds, RewriteError> {
            let decoded = if route.is_copied() { Vec::new() } else { leaves(sources(column))? };
            let made = made_leaves(plan, column, route, layout)?;
            Ok(ColumnNeeds { decoded, copied: route.copied(), made, is_new: column.is_new() })
        };
        let columns = plan.columns.iter().zip(&routes.columns).map(of_column).collect::<Result<_, _>>()?;
        let filter = leaves(plan.filter.iter().flat_map(|filter| filter.columns.clone()).collect())?;
        Ok(Self { columns, filter, unread })
    }
}

/// What a unit reads before it starts.
struct Reading {
    ranges: Vec<Range<u64>>,
    /// Memory for that and for what is made of it.
    working: u64,
}

impl RowGroups {
    /// The units, in file order.
    pub fn units(self) -> BoxStream<'static, Result<Unit, RewriteError>> {
        let this = Arc::new(self);
        let mut first_row = 0;
        let groups = (0..this.layout.metadata().num_row_groups()).filter_map(move |index| {
            let rows = this.layout.metadata().row_group(index).num_rows().unsigned_abs();
            let group = (index, first_row, Arc::clone(&this));
            first_row += rows;
            // there is nothing in a row group without rows
            (rows > 0).then_some(group)
        });
        let units = groups.flat_map(|(index, first_row, this)| {
            let (portions, error) = match this.portions(index) {
                Ok(portions) => (portions, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            let portions = portions.into_iter().map(move |portion| Ok((Arc::clone(&this), portion, first_row)));
            portions.chain(error)
        });
        let unit = |portion: Result<(Arc<Self>, Portion, u64), _>| async {
            let (this, portion, first_row) = portion?;
            Self::unit(&this, portion, first_row).await
        };
        futures::stream::iter(units).then(unit).boxed()
    }

    /// Row group `index` as portions that fit into the budget, as far as columns can be told apart. What is written does
    /// not depend on it.
    fn portions(&self, index: usize) -> Result<Vec<Portion>, RewriteError> {
        let of = self.needs.columns.len();
        let portion = |columns| Portion { group: index, columns, of };
        let most = self.budget.total() / UNITS_IN_BUDGET;
        if !self.by_columns {
            return Ok(vec![portion(0..of)]);
        }
        let parts = divide(of, most, |columns| Ok(self.reading(index, columns)?.working))?;
        Ok(parts.into_iter().map(portion).collect())
    }

    fn reading(&self, index: usize, columns: Range<usize>) -> Result<Reading, RewriteError> {
        let columns = &self.needs.columns[columns];
        let of =
            |leaves: &[usize]| leaves.iter().map(|&leaf| self.layout.range(index, leaf)).collect::<Result<Vec<_>, _>>();
        let total = |ranges: &[Range<u64>]| ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        let mut decoded = self.needs.filter.clone();
        decoded.extend(columns.iter().flat_map(|column| &column.decoded));
        decoded.sort_unstable();
        decoded.dedup();
        // leaves that stay under a column of which others are made anew may be decoded with them
        let copied = columns.iter().flat_map(|column| &column.copied).copied();
        let mut copied: Vec<usize> = copied.filter(|leaf| decoded.binary_search(leaf).is_err()).collect();
        copied.sort_unstable();
        copied.dedup();
        let (mut ranges, lying) = (of(&decoded)?, of(&copied)?);
        let mut working = total(&ranges).saturating_mul(WORKING_FACTOR);
        working = working.saturating_add(self.layout.unusual_bytes(index, &decoded));
        // what is read once is encoded for each of its outputs
        for column in columns.iter().filter(|column| column.is_new) {
            working = working.saturating_add(total(&of(&column.decoded)?));
        }
        if total(&lying) <= HELD_COPY_BYTES {
            working = working.saturating_add(total(&lying));
            ranges.extend(lying);
        }
        let filters = copied.iter().filter_map(|&leaf| bloom_filter(&self.layout, index, leaf, self.entry.size));
        let filters: Vec<Range<u64>> = filters.collect();
        // held as they lie, as filters, and as bytes of the output
        working = working.saturating_add(total(&filters).saturating_mul(3));
        ranges.extend(filters);
        let made = columns.iter().flat_map(|column| &column.made);
        working = working.saturating_add(made_bytes(made, &self.layout, index, self.packing));
        Ok(Reading { ranges, working })
    }

    async fn unit(this: &Arc<Self>, portion: Portion, first_row: u64) -> Result<Unit, RewriteError> {
        let Reading { ranges, working } = this.reading(portion.group, portion.columns.clone())?;
        let input_bytes = ranges.iter().map(|range| range.end - range.start).sum();
        let reservation = this.budget.reserve(working).await;
        let (this, index) = (Arc::clone(this), portion.group);
        let rows = async move {
            let expected = Expected::from(&this.entry);
            let absent: Vec<Range<u64>> = ranges.iter().map(|range| this.footer.absent_from_whole(range)).collect();
            let read = this.storage.read_touching(&this.entry.path, &absent, &expected).await?;
            let pieces = ranges.iter().zip(read);
            let pieces = pieces.map(|(range, read)| (range.start, this.footer.complete(range, read))).collect();
            let unread = Arc::clone(&this.needs.unread);
            let group = RowGroup::new(this.layout.clone(), (index, first_row), unread, pieces);
            Ok(Box::new(group) as Box<dyn Rows>)
        };
        Ok(Unit { rows: Box::pin(rows), reservation, input_bytes, portion })
    }
}

/// `of` columns as runs of neighbours that cost no more than `most` together, or are alone.
/// Neighbours may cost less than the sum of each: what they share is read once.
fn divide(
    of: usize,
    most: u64,
    cost: impl Fn(Range<usize>) -> Result<u64, RewriteError>,
) -> Result<Vec<Range<usize>>, RewriteError> {
    if of == 0 || cost(0..of)? <= most {
        return Ok(std::iter::once(0..of).collect());
    }
    let (mut parts, mut start) = (Vec::new(), 0);
    for end in 1..of {
        if cost(start..end + 1)? > most {
            parts.push(start..end);
            start = end;
        }
    }
    parts.push(start..of);
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_together_as_far_as_there_is_room_and_alone_where_there_is_none() {
        // costs, and where the runs end
        for (shared, costs, ends) in [
            (0, &[][..], &[0][..]),
            (0, &[3], &[1]),
            (0, &[30], &[1]),
            (0, &[5, 5, 1, 9, 2], &[2, 4, 5]),
            (0, &[0, 30, 0, 30, 30], &[1, 2, 3, 4, 5]),
            (0, &[u64::MAX, u64::MAX, 0], &[1, 2, 3]),
            // what all of them read counts once in a run
            (6, &[1, 1, 1, 1, 1, 1], &[4, 6]),
            (6, &[0, 0, 5, 0, 0], &[2, 3, 5]),
        ] {
            let cost = |columns: Range<usize>| {
                Ok(costs[columns].iter().fold(shared, |sum: u64, &cost| sum.saturating_add(cost)))
            };
            let parts = divide(costs.len(), 10, cost).unwrap();
            assert_eq!(parts.iter().map(|part| part.end).collect::<Vec<_>>(), ends, "{shared} and {costs:?}");
            let starts = std::iter::once(0).chain(ends.iter().copied());
            assert!(parts.iter().map(|part| part.start).eq(starts.take(parts.len())), "{parts:?}");
        }
    }
}
