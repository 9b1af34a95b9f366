//! What a footer claims of itself as a whole, before anything parses it.

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
    while let Some((id, kind)) = walk.field(&mut last).ok_or_else(unreadable)? {
        // a list's length is looked at, and its elements passed over
        let mut list = Walk { bytes: walk.bytes };
        if (id, kind) == (2, Kind::LIST) && depth(&mut list).ok_or_else(unreadable)? > MAX_DEPTH {
            return Err(format!("its schema nests deeper than {MAX_DEPTH} groups"));
        }
        if (id, kind) == (4, Kind::LIST) {
            let (groups, _) = list.list().ok_or_else(unreadable)?;
            if groups > MAX_ROW_GROUPS {
                let larger = "write it anew with larger ones";
                return Err(format!("it has {groups} row groups, a file can have {MAX_ROW_GROUPS}: {larger}"));
            }
        }
        walk.pass(kind).ok_or_else(unreadable)?;
    }
    Ok(())
}

/// How deep the groups of a schema nest: its elements are a list, each with the number of those below it.
fn depth(walk: &mut Walk<'_>) -> Option<usize> {
    let (count, kind) = walk.list()?;
    let mut open: Vec<i64> = Vec::new();
    let mut deepest = 0;
    for _ in 0..count {
        let mut children = 0;
        let mut last = 0;
        if kind != Kind::STRUCT {
            return None;
        }
        while let Some((id, kind)) = walk.field(&mut last)? {
            match (id, kind) {
                (5, Kind::I32) => children = walk.zigzag().filter(|children| (0..=MAX_CHILDREN).contains(children))?,
                (5, _) => return None,
                (_, other) => walk.pass(other)?,
            }
        }
        if let Some(left) = open.last_mut() {
            *left -= 1;
        }
        if children > 0 {
            open.push(children);
            deepest = deepest.max(open.len());
        }
        while open.last() == Some(&0) {
            open.pop();
        }
    }
    Some(deepest)
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

    /// {4: "n", 5: children}, the second only where there are any.
    fn element(children: usize) -> Vec<u8> {
        let count = if children > 0 { [vec![0x15], number(children << 1)].concat() } else { Vec::new() };
        [vec![0x48, 1, b'n'], count, vec![0]].concat()
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
    fn children_beyond_32_bits_are_refused() {
        let group = [&[0x48, 1, b'n'][..], &[0x15, 0x81, 0x80, 0x80, 0x80, 0x20], &[0]].concat();
        assert!(check(&footer(&[group, element(0)], 2)).is_err());
    }
}
