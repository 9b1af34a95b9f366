//! A footer as a tree of numbered fields, in which a test can say anything: the parquet crate writes no lies.
//!
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

/// Fields of `FileMetaData`.
pub mod file {
    pub const ROWS: i16 = 3;
    pub const GROUPS: i16 = 4;
    pub const CREATED_BY: i16 = 6;
    pub const COLUMN_ORDERS: i16 = 7;
}

/// Fields of `RowGroup`.
pub mod group {
    pub const COLUMNS: i16 = 1;
    pub const ROWS: i16 = 3;
    pub const SORTING: i16 = 4;
}

/// Fields of `ColumnChunk`.
pub mod chunk {
    pub const FILE_PATH: i16 = 1;
    pub const METADATA: i16 = 3;
    pub const OFFSET_INDEX: [i16; 2] = [4, 5];
    pub const COLUMN_INDEX: [i16; 2] = [6, 7];
}

/// Fields of `ColumnMetaData`.
pub mod column {
    pub const PATH: i16 = 3;
    pub const ENCODINGS: i16 = 2;
    pub const CODEC: i16 = 4;
    pub const VALUES: i16 = 5;
    pub const UNCOMPRESSED: i16 = 6;
    pub const COMPRESSED: i16 = 7;
    pub const DATA_OFFSET: i16 = 9;
    pub const DICTIONARY_OFFSET: i16 = 11;
    pub const STATISTICS: i16 = 12;
    pub const ENCODING_STATS: i16 = 13;
}

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const I8: u8 = 3;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A value, as far as footers have them.
#[derive(Debug, Clone, PartialEq)]
pub enum Thrift {
    Flag(bool),
    /// Its kind tells how many bits it has.
    Number(u8, i64),
    Double([u8; 8]),
    Bytes(Vec<u8>),
    /// The kind of its elements, and those.
    List(u8, Vec<Thrift>),
    /// By their numbers, in order.
    Struct(Vec<(i16, Thrift)>),
}

/// A number of 32 bits.
pub fn i32(number: i32) -> Thrift {
    Thrift::Number(I32, number.into())
}

/// A number of 64 bits.
pub fn i64(number: i64) -> Thrift {
    Thrift::Number(I64, number)
}

/// A text.
pub fn text(text: &str) -> Thrift {
    Thrift::Bytes(text.as_bytes().to_vec())
}

impl Thrift {
    /// A field of a struct.
    #[track_caller]
    pub fn field(&mut self, id: i16) -> &mut Self {
        let Self::Struct(fields) = self else { panic!("no struct: {self:?}") };
        let found = fields.iter_mut().find(|(known, _)| *known == id);
        &mut found.unwrap_or_else(|| panic!("no field {id}")).1
    }

    /// Elements of a list.
    #[track_caller]
    pub fn list(&mut self) -> &mut Vec<Self> {
        let Self::List(_, elements) = self else { panic!("no list: {self:?}") };
        elements
    }

    /// Sets a field of a struct, or adds it.
    #[track_caller]
    pub fn set(&mut self, id: i16, value: Self) {
        self.remove(id);
        let Self::Struct(fields) = self else { panic!("no struct: {self:?}") };
        fields.insert(fields.partition_point(|(known, _)| *known < id), (id, value));
    }

    /// Takes a field out of a struct, if it is there.
    #[track_caller]
    pub fn remove(&mut self, id: i16) -> Option<Self> {
        let Self::Struct(fields) = self else { panic!("no struct: {self:?}") };
        let at = fields.iter().position(|(known, _)| *known == id)?;
        Some(fields.remove(at).1)
    }

    /// A row group of a footer.
    #[track_caller]
    pub fn group(&mut self, group: usize) -> &mut Self {
        &mut self.field(file::GROUPS).list()[group]
    }

    /// A column chunk of a footer.
    #[track_caller]
    pub fn chunk(&mut self, group: usize, column: usize) -> &mut Self {
        &mut self.group(group).field(self::group::COLUMNS).list()[column]
    }

    /// What a footer says of a column chunk.
    #[track_caller]
    pub fn column(&mut self, group: usize, column: usize) -> &mut Self {
        self.chunk(group, column).field(chunk::METADATA)
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Flag(true) => TRUE,
            Self::Flag(false) => FALSE,
            Self::Number(kind, _) => *kind,
            Self::Double(_) => DOUBLE,
            Self::Bytes(_) => BINARY,
            Self::List(..) => LIST,
            Self::Struct(_) => STRUCT,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            // it lies in the header of its field
            Self::Flag(_) => {}
            Self::Number(I8, number) => out.push(*number as u8),
            Self::Number(_, number) => varint(zigzag(*number), out),
            Self::Double(bytes) => out.extend_from_slice(bytes),
            Self::Bytes(bytes) => {
                varint(bytes.len() as u64, out);
                out.extend_from_slice(bytes);
            }
            Self::List(kind, elements) => {
                match elements.len() {
                    few @ 0..15 => out.push((few as u8) << 4 | kind),
                    many => {
                        out.push(0xf0 | kind);
                        varint(many as u64, out);
                    }
                }
                elements.iter().for_each(|element| element.write(out));
            }
            Self::Struct(fields) => {
                let mut last = 0;
                for (id, value) in fields {
                    out.push(((id - last) as u8) << 4 | value.kind());
                    value.write(out);
                    last = *id;
                }
                out.push(0);
            }
        }
    }
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take(&mut self, count: usize) -> &[u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn varint(&mut self) -> u64 {
        let byte = self.byte();
        if byte < 0x80 { byte.into() } else { self.varint() << 7 | u64::from(byte & 0x7f) }
    }

    fn zigzag(&mut self) -> i64 {
        let number = self.varint();
        (number >> 1) as i64 ^ -((number & 1) as i64)
    }

    fn value(&mut self, kind: u8) -> Thrift {
        match kind {
            TRUE | FALSE => Thrift::Flag(kind == TRUE),
            I8 => Thrift::Number(kind, self.byte().into()),
            4..=I64 => Thrift::Number(kind, self.zigzag()),
            DOUBLE => Thrift::Double(self.take(8).try_into().expect("8 bytes")),
            BINARY => {
                let length = self.varint() as usize;
                Thrift::Bytes(self.take(length).to_vec())
            }
            LIST => {
                let header = self.byte();
                let count = if header >> 4 == 15 { self.varint() } else { u64::from(header >> 4) };
                let kind = header & 0x0f;
                assert!(kind > FALSE, "no footer has a list of flags");
                Thrift::List(kind, (0..count).map(|_| self.value(kind)).collect())
            }
            STRUCT => {
                let (mut fields, mut last) = (Vec::new(), 0);
                loop {
                    let header = self.byte();
                    if header == 0 {
                        return Thrift::Struct(fields);
                    }
                    last = if header >> 4 == 0 { self.zigzag() as i16 } else { last + i16::from(header >> 4) };
                    fields.push((last, self.value(header & 0x0f)));
                }
            }
            _ => panic!("kind {kind} is in no footer"),
        }
    }
}

/// Where the footer of a file begins.
pub fn footer_start(bytes: &[u8]) -> usize {
    let end = bytes.len() - 8;
    end - u32::from_le_bytes(bytes[end..end + 4].try_into().expect("4 bytes")) as usize
}

/// The file with another footer; all before it stays.
#[track_caller]
pub fn edited(bytes: &[u8], change: impl FnOnce(&mut Thrift)) -> Vec<u8> {
    let start = footer_start(bytes);
    let mut footer = Reader(&bytes[start..]).value(STRUCT);
    change(&mut footer);
    let mut made = bytes[..start].to_vec();
    footer.write(&mut made);
    let length = (made.len() - start) as u32;
    made.extend_from_slice(&length.to_le_bytes());
    made.extend_from_slice(b"PAR1");
    made
}

#[test]
fn a_footer_that_nothing_is_changed_in_is_the_same_again() {
    let bytes = super::claims::source("town");
    assert!(edited(&bytes, |_| {}) == bytes);
    let without = edited(&bytes, |footer| {
        footer.remove(file::COLUMN_ORDERS).expect("was there");
    });
    assert!(without.len() < bytes.len());
}
