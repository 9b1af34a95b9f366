//! What a footer claims of itself as a whole, before anything parses it.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};

use super::thrift::{Kind, Walk};

/// Groups within groups of a schema. Whoever parses or walks a schema recurses; a list takes two.
const MAX_DEPTH: usize = 100;

/// `SchemaElement.num_children` is a number of 32 bits.
const MAX_CHILDREN: i64 = i32::MAX as i64;

/// Row groups of one file: the format numbers them in 16 bits, signed, from 0 (`RowGroup.ordinal`).
pub const MAX_ROW_GROUPS: usize = 1 << 15;

/// What is wrong with the `FileMetaData` of parquet.thrift that `bytes` begin with; nothing, as far as can be told here.
///
/// # Errors
/// What a reader would stumble over: words for [`RewriteError::Parquet`](crate::engine::error::RewriteError::Parquet).
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let unreadable = || "its footer can't be read".to_owned();
    let mut walk = Walk { bytes };
    let mut last = 0;
    let mut schema = None;
    while let Some((id, kind)) = walk.field(&mut last).ok_or_else(unreadable)? {
        // a list's length is looked at, and its elements passed over
        let mut list = Walk { bytes: walk.bytes };
        if (id, kind) == (2, Kind::LIST) {
            let found = Schema::read(&mut list).ok_or_else(unreadable)?;
            if found.depth > MAX_DEPTH {
                return Err(format!("its schema nests deeper than {MAX_DEPTH} groups"));
            }
            // of two nobody knows which one a reader takes
            if schema.replace(found).is_some() {
                return Err(unreadable());
            }
        }
        if (id, kind) == (4, Kind::LIST) {
            let (groups, _) = list.list().ok_or_else(unreadable)?;
            if groups > MAX_ROW_GROUPS {
                let larger = "write it anew with larger ones";
                return Err(format!("it has {groups} row groups, a file can have {MAX_ROW_GROUPS}: {larger}"));
            }
            let schema = schema.as_ref().ok_or_else(unreadable)?;
            for _ in 0..groups {
                if !schema.names_columns(&mut list).ok_or_else(unreadable)? {
                    return Err("its row groups name their columns otherwise than its schema".to_owned());
                }
            }
        }
        walk.pass(kind).ok_or_else(unreadable)?;
    }
    Ok(())
}

/// A schema, as far as it is looked at.
struct Schema<'a> {
    /// How deep its groups nest.
    depth: usize,
    /// Names, each with the place of its group in here; those below the root have none.
    names: Vec<(Option<usize>, &'a [u8])>,
    /// Places of the leaves' names.
    leaves: Vec<usize>,
    /// Hashes of all leaves' paths, once some chunk has a path that is not its leaf's.
    hashes: OnceCell<HashSet<u64>>,
}

impl<'a> Schema<'a> {
    /// The elements of a schema are a list, each with the number of those below it.
    fn read(walk: &mut Walk<'a>) -> Option<Self> {
        let (count, kind) = walk.list()?;
        // groups that are open: how many of their elements are to come, and where their names are
        let mut open: Vec<(i64, Option<usize>)> = Vec::new();
        let mut schema = Self { depth: 0, names: Vec::new(), leaves: Vec::new(), hashes: OnceCell::new() };
        for _ in 0..count {
            let (mut children, mut name, mut has_type) = (0, &[][..], false);
            let mut last = 0;
            if kind != Kind::STRUCT {
                return None;
            }
            while let Some((id, kind)) = walk.field(&mut last)? {
                has_type |= id == 1;
                match (id, kind) {
                    (4, Kind::BINARY) => name = walk.binary()?,
                    (5, Kind::I32) => {
                        children = walk.zigzag().filter(|children| (0..=MAX_CHILDREN).contains(children))?;
                    }
                    (5, _) => return None,
                    (_, other) => walk.pass(other)?,
                }
            }
            // the root has no part in a path
            let place = open.last_mut().map(|(left, group)| {
                *left -= 1;
                schema.names.push((*group, name));
                schema.names.len() - 1
            });
            if children > 0 {
                open.push((children, place));
                schema.depth = schema.depth.max(open.len());
            } else if has_type {
                // a group of nothing is no leaf
                schema.leaves.extend(place);
            }
            while open.last().is_some_and(|(left, _)| *left == 0) {
                open.pop();
            }
        }
        Some(schema)
    }

    /// Whether a row group calls none of its columns by the name of another: some readers go by the names, others by the
    /// order.
    fn names_columns(&self, walk: &mut Walk<'_>) -> Option<bool> {
        let mut is_true = true;
        let mut last = 0;
        while let Some((id, kind)) = walk.field(&mut last)? {
            if (id, kind) != (1, Kind::LIST) {
                walk.pass(kind)?;
                continue;
            }
            let (columns, Kind::STRUCT) = walk.list()? else { return None };
            for column in 0..columns {
                let mut last = 0;
                while let Some((id, kind)) = walk.field(&mut last)? {
                    match (id, kind, self.leaves.get(column)) {
                        (3, Kind::STRUCT, Some(&leaf)) => is_true &= self.names_column(walk, leaf)?,
                        (_, other, _) => walk.pass(other)?,
                    }
                }
            }
        }
        Some(is_true)
    }

    /// Whether the `ColumnMetaData` of a chunk has no path of another leaf than this. What is the path of none, as some
    /// writers have it, nobody can be misled by.
    fn names_column(&self, walk: &mut Walk<'_>, leaf: usize) -> Option<bool> {
        let mut is_true = true;
        let mut last = 0;
        while let Some((id, kind)) = walk.field(&mut last)? {
            if (id, kind) != (3, Kind::LIST) {
                walk.pass(kind)?;
                continue;
            }
            let (count, kind) = walk.list()?;
            if count > 0 && kind != Kind::BINARY {
                return None;
            }
            let path = (0..count).map(|_| walk.binary()).collect::<Option<Vec<_>>>()?;
            let told = hash(path.into_iter().rev());
            is_true &= told == self.hash(leaf) || !self.hashes.get_or_init(|| self.all_hashes()).contains(&told);
        }
        Some(is_true)
    }

    /// The hash of a leaf's path.
    fn hash(&self, leaf: usize) -> u64 {
        let mut place = Some(leaf);
        hash(std::iter::from_fn(|| {
            let (group, name) = self.names[place?];
            place = group;
            Some(name)
        }))
    }

    fn all_hashes(&self) -> HashSet<u64> {
        self.leaves.iter().map(|&leaf| self.hash(leaf)).collect()
    }
}

/// A hash of names, from a leaf's up.
fn hash<'n>(names: impl Iterator<Item = &'n [u8]>) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    names.for_each(|name| name.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::parquet::shape::{FOOTER, has_shape};

    fn number(mut number: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    }

    fn list(id_step: u8, elements: &[Vec<u8>]) -> Vec<u8> {
        [vec![id_step << 4 | 9, 0xfc], number(elements.len()), elements.concat()].concat()
    }

    /// {4: "n", 5: children} or, where there are none, {1: 0, 4: "n"}.
    fn element(children: usize) -> Vec<u8> {
        match children {
            0 => vec![0x15, 0, 0x38, 1, b'n', 0],
            _ => [vec![0x48, 1, b'n', 0x15], number(children << 1), vec![0]].concat(),
        }
    }

    /// {1: [{3: {3: path}}]}
    fn group(path: &[&str]) -> Vec<u8> {
        let names = path.iter().flat_map(|name| [&[name.len() as u8], name.as_bytes()].concat()).collect::<Vec<_>>();
        let metadata = [&[0x39, (path.len() as u8) << 4 | 8][..], &names, &[0]].concat();
        [&[0x19, 0x1c, 0x3c][..], &metadata, &[0, 0]].concat()
    }

    /// {2: schema, 4: groups of no columns}
    fn footer(schema: &[Vec<u8>], groups: usize) -> Vec<u8> {
        let footer = [list(2, schema), list(2, &vec![vec![0x19, 0x0c, 0]; groups]), vec![0]].concat();
        assert!(has_shape(&footer, &FOOTER));
        footer
    }

    #[test]
    fn wide_schemas_pass_and_deep_ones_do_not() {
        let mut wide = vec![element(3_000)];
        wide.extend((0..3_000).flat_map(|_| [element(1), element(0)]));
        assert_eq!(check(&footer(&wide, 2)), Ok(()));
        let deep = |groups| [vec![element(1); groups], vec![element(0)]].concat();
        assert_eq!(check(&footer(&deep(MAX_DEPTH), 2)), Ok(()));
        assert!(check(&footer(&deep(MAX_DEPTH + 1), 2)).unwrap_err().contains("deeper than 100"));
        assert!(check(&footer(&deep(1_000_000), 2)).is_err());
    }

    #[test]
    fn row_groups_are_as_many_as_can_be_numbered() {
        let schema = [element(1), element(0)];
        assert_eq!(check(&footer(&schema, MAX_ROW_GROUPS)), Ok(()));
        assert!(check(&footer(&schema, MAX_ROW_GROUPS + 1)).unwrap_err().contains("32769 row groups"));
        assert!(check(&[0x19]).is_err());
    }

    #[test]
    fn a_column_named_as_another_of_the_schema_is_refused() {
        let named = |name: &str, children: usize| {
            let mut element = element(children);
            let at = element.len() - if children > 0 { 5 } else { 3 };
            element.splice(at..at + 2, [&[name.len() as u8], name.as_bytes()].concat());
            element
        };
        let schema = [named("root", 2), named("group", 1), named("leaf", 0), named("leaf", 0)];
        let checked = |group: Vec<u8>| check(&[list(2, &schema), list(2, &[group]), vec![0]].concat());
        assert_eq!(checked(group(&["group", "leaf"])), Ok(()));
        assert_eq!(checked(vec![0x19, 0x1c, 0x3c, 0, 0, 0]), Ok(()), "no path");
        for path in [&["group"][..], &["group", "other"], &["other", "leaf"], &["root", "group", "leaf"], &[""], &[]] {
            assert_eq!(checked(group(path)), Ok(()), "{path:?} is no leaf's");
        }
        let refused = checked(group(&["leaf"])).unwrap_err();
        assert_eq!(refused, "its row groups name their columns otherwise than its schema");
        // a group of nothing has no chunk
        let empty = vec![0x48, 1, b'e', 0];
        let of_three = [named("root", 3), empty, named("leaf", 0), named("last", 0)];
        let checked = |path: &[&str]| check(&[list(2, &of_three), list(2, &[group(path)]), vec![0]].concat());
        assert_eq!(checked(&["leaf"]), Ok(()));
        assert!(checked(&["last"]).is_err());
        // the groups before the schema, or two schemas: which one would count?
        let groups = |id_step: u8| list(id_step, &[group(&["group", "leaf"])]);
        assert!(check(&[groups(4), vec![0]].concat()).is_err());
        assert!(check(&[list(2, &schema), vec![0x09, 4], list(0, &schema)[1..].to_vec(), vec![0]].concat()).is_err());
    }

    #[test]
    fn children_beyond_32_bits_are_refused() {
        let group = [&[0x48, 1, b'n'][..], &[0x15, 0x81, 0x80, 0x80, 0x80, 0x20], &[0]].concat();
        assert!(check(&footer(&[group, element(0)], 2)).is_err());
    }
}
