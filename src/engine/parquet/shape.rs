//! What parquet.thrift says of the kinds of fields. Who parses a footer goes by the numbers of fields and takes the
//! kinds for granted: a list that is declared as something else would be passed over by whoever checks its length, and
//! allocated by whoever reads it.
//!
//! <https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift>

use super::thrift::{Kind, Walk};

/// The kind of a field or of an element of a list.
#[derive(Debug)]
pub(super) enum Shape {
    /// True or false.
    Bool,
    /// A number, a text, or a struct that holds nothing but such.
    Of(Kind),
    /// A list.
    List(&'static Shape),
    /// A struct, its fields by their numbers; others may come.
    Struct(&'static [(i16, Shape)]),
}

use Shape::{Bool, List, Of, Struct};

const I16: Shape = Of(Kind::I16);
const I32: Shape = Of(Kind::I32);
const I64: Shape = Of(Kind::I64);
const BINARY: Shape = Of(Kind::BINARY);
/// A struct without lists.
const FLAT: Shape = Of(Kind::STRUCT);

/// `FileMetaData`.
pub(super) static FOOTER: Shape = Struct(&[
    (1, I32),
    (2, List(&SCHEMA_ELEMENT)),
    (3, I64),
    (4, List(&ROW_GROUP)),
    (5, List(&FLAT)),
    (6, BINARY),
    (7, List(&FLAT)),
    (8, FLAT),
    (9, BINARY),
]);

/// `ColumnIndex`.
pub(super) static COLUMN_INDEX: Shape = Struct(&[
    (1, List(&Bool)),
    (2, List(&BINARY)),
    (3, List(&BINARY)),
    (4, I32),
    (5, List(&I64)),
    (6, List(&I64)),
    (7, List(&I64)),
]);

static SCHEMA_ELEMENT: Shape =
    Struct(&[(1, I32), (2, I32), (3, I32), (4, BINARY), (5, I32), (6, I32), (7, I32), (8, I32), (9, I32), (10, FLAT)]);

static ROW_GROUP: Shape =
    Struct(&[(1, List(&COLUMN_CHUNK)), (2, I64), (3, I64), (4, List(&FLAT)), (5, I64), (6, I64), (7, I16)]);

static COLUMN_CHUNK: Shape = Struct(&[
    (1, BINARY),
    (2, I64),
    (3, COLUMN_META_DATA),
    (4, I64),
    (5, I32),
    (6, I64),
    (7, I32),
    // within it: a path of names
    (8, Struct(&[(2, Struct(&[(1, List(&BINARY)), (2, BINARY)]))])),
    (9, BINARY),
]);

const COLUMN_META_DATA: Shape = Struct(&[
    (1, I32),
    (2, List(&I32)),
    (3, List(&BINARY)),
    (4, I32),
    (5, I64),
    (6, I64),
    (7, I64),
    (8, List(&FLAT)),
    (9, I64),
    (10, I64),
    (11, I64),
    (12, FLAT),
    (13, List(&FLAT)),
    (14, I64),
    (15, I32),
    // SizeStatistics
    (16, Struct(&[(1, I64), (2, List(&I64)), (3, List(&I64))])),
    // GeospatialStatistics
    (17, Struct(&[(1, FLAT), (2, List(&I32))])),
]);

/// Whether `bytes` begin with a struct of this shape, of which every length can be true: what is allocated by a claim
/// is bounded by the bytes that are there. Bytes after the struct are nobody's business here.
pub(super) fn has_shape(bytes: &[u8], shape: &Shape) -> bool {
    let mut walk = Walk { bytes };
    value(&mut walk, Kind::STRUCT, shape, 0).is_some()
}

fn value(walk: &mut Walk<'_>, kind: Kind, shape: &Shape, depth: usize) -> Option<()> {
    match shape {
        Bool => matches!(kind, Kind::TRUE | Kind::FALSE).then_some(()),
        Of(known) if *known == kind => walk.value(kind, depth),
        Of(_) => None,
        List(of) if kind == Kind::LIST => {
            let (count, kind) = walk.list()?;
            walk.has_room_for(count, kind)?;
            for _ in 0..count {
                value(walk, kind, of, depth + 1)?;
                if matches!(of, Bool) {
                    walk.skip(1)?;
                }
            }
            Some(())
        }
        Struct(fields) if kind == Kind::STRUCT => {
            let mut last = 0;
            while let Some((id, kind)) = walk.field(&mut last)? {
                match fields.iter().find(|(known, _)| *known == id) {
                    Some((_, shape)) => value(walk, kind, shape, depth + 1)?,
                    None => walk.pass(kind)?,
                }
            }
            Some(())
        }
        List(_) | Struct(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// {1: version 1, 2: schema [{4: "n", 5: 0}], 3: 0 rows, 4: row groups}
    fn footer(row_groups: &[u8]) -> Vec<u8> {
        let schema = [0x19, 0x1c, 0x48, 1, b'n', 0x15, 0, 0];
        [&[0x15, 2][..], &schema, &[0x16, 0], row_groups, &[0]].concat()
    }

    /// A row group of one column chunk with this metadata.
    fn group(metadata: &[u8]) -> Vec<u8> {
        [&[0x19, 0x1c, 0x19, 0x1c, 0x3c][..], metadata, &[0, 0x16, 0, 0x16, 0, 0]].concat()
    }

    #[test]
    fn footers_pass_with_fields_that_nobody_knows_yet() {
        assert!(has_shape(&footer(&group(&[0x15, 12, 0x19, 0x15, 0, 0])), &FOOTER));
        // {20: 7} in the metadata of a column
        assert!(has_shape(&footer(&group(&[0x15, 12, 0x05, 40, 14, 0])), &FOOTER));
        assert!(has_shape(&footer(&[0x19, 0x0c]), &FOOTER), "no row groups");
    }

    #[test]
    fn a_field_of_another_kind_is_refused_at_every_depth() {
        let claim = [0xfc, 0xff, 0xff, 0xff, 0xff, 7, 0, 0];
        assert!(!has_shape(&footer(&[&[0x17][..], &claim].concat()), &FOOTER), "row groups as a double");
        // encodings as a double, and as a list of doubles
        let sound =
            |encodings: &[u8]| has_shape(&footer(&group(&[&[0x15, 12][..], encodings, &[0]].concat())), &FOOTER);
        assert!(sound(&[0x19, 0x25, 0, 2]));
        assert!(!sound(&[&[0x17][..], &claim].concat()));
        assert!(!sound(&[0x19, 0x17, 0, 0, 0, 0, 0, 0, 0, 0]));
        assert!(!sound(&[0x1a, 0x25, 0, 2]), "as a set");
        let as_set = [0x15, 2, 0x1a, 0x1c, 0x48, 1, b'n', 0x15, 0, 0, 0x16, 0, 0x19, 0x0c, 0];
        assert!(!has_shape(&as_set, &FOOTER), "the schema as a set");
        let wide = [0x15, 2, 0x19, 0x1c, 0x48, 1, b'n', 0x16, 0, 0, 0x16, 0, 0x19, 0x0c, 0];
        assert!(!has_shape(&wide, &FOOTER), "children as 64 bits");
    }

    #[test]
    fn lists_of_flags_are_a_byte_each() {
        // {1: [true, false], 2: ["", ""], 3: ["", ""], 4: 0}
        let index = [0x19, 0x21, 1, 2, 0x19, 0x28, 0, 0, 0x19, 0x28, 0, 0, 0x15, 0, 0];
        assert!(has_shape(&index, &COLUMN_INDEX));
        for end in 0..index.len() {
            assert!(!has_shape(&index[..end], &COLUMN_INDEX), "cut at {end}");
        }
    }
}
