//! Files of many writers through the binary: the ways that columns take, and that no part of an output, however it is
//! read, holds a value that the policy transforms.

use std::collections::BTreeSet;
use std::fs;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use bytes::Bytes;
use parquet::bloom_filter::Sbbf;
use parquet::column::page::Page;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::{ChunkReader, FileReader, SerializedFileReader};
use parquet::file::serialized_reader::ReadOptionsBuilder;

use super::{assert_same_figures, assert_same_rows, both_ways, ways};
use crate::support::{Lake, batch, contains, root, token};

/// As testdata/writers/make.py has them.
const FIRST_NUMBER: i64 = 7_700_000_000_000;

pub const RULES: &str = "unlisted: keep
columns:
  user_id: { pseudonym: { domain: users } }
  email: { pseudonym: { domain: emails } }
  card: { pseudonym: { domain: cards } }
  number: { pseudonym: { domain: numbers } }
  contact.phone: { pseudonym: { domain: phones } }
";

pub const TRANSFORMED: [&str; 5] = ["user_id", "email", "card", "number", "contact.phone"];
const KEPT: [&str; 8] = ["code", "note", "when", "amount", "tags", "contact.city", "price", "visits"];

/// The way of each transformed column, in their order: `d`ictionary or `l`eaf.
pub const WAYS: [(&str, &str); 14] = [
    ("duckdb-snappy-bloom", "dlldd"),
    ("duckdb-v2-zstd", "dlldd"),
    ("polars-none", "ddldl"),
    ("polars-zstd-pages", "ddldl"),
    ("pyarrow-v1-gzip-checksums", "ddldd"),
    ("pyarrow-v1-none-index", "ddldd"),
    ("pyarrow-v1-snappy-pages", "ddldd"),
    // pages of indices and plain ones in one chunk
    ("pyarrow-v1-zstd-overflow", "dlldd"),
    ("pyarrow-v2-lz4-bloom", "ddldd"),
    ("pyarrow-v2-none-checksums", "ddldd"),
    ("pyarrow-v2-snappy-encodings", "lllll"),
    ("pyarrow-v2-zstd-index-sorted", "ddldd"),
    ("spark-snappy-bloom", "dlldd"),
    ("spark-v2-zstd", "ddldd"),
];

pub fn fixture(name: &str) -> Vec<u8> {
    let path = root().join("testdata/writers").join(format!("{name}.parquet"));
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A part of a file, and where it was found.
struct Part {
    place: String,
    bytes: Vec<u8>,
}

/// All of a file: as it lies, its footer alone, and each page decompressed, with what its header says of the values.
fn parts(bytes: &Bytes) -> Vec<Part> {
    let properties = ReaderProperties::builder().set_read_page_statistics(true).build();
    let options = ReadOptionsBuilder::new().with_page_index().with_reader_properties(properties).build();
    let reader = SerializedFileReader::new_with_options(bytes.clone(), options).expect("is Parquet");
    let length: [u8; 4] = bytes[bytes.len() - 8..bytes.len() - 4].try_into().expect("4 bytes");
    let footer = bytes.len() - 8 - u32::from_le_bytes(length) as usize;
    let part = |place: &str, bytes: &[u8]| Part { place: place.to_owned(), bytes: bytes.to_vec() };
    let mut parts = vec![part("the bytes", bytes), part("the footer", &bytes[footer..])];
    let metadata = reader.metadata();
    parts.push(part("the metadata", format!("{metadata:?}").as_bytes()));
    for pair in metadata.file_metadata().key_value_metadata().into_iter().flatten() {
        // the Arrow schema lies there in base64
        let value = pair.value.clone().unwrap_or_default();
        parts.push(part("key-value metadata", &data_encoding::BASE64.decode(value.as_bytes()).unwrap_or_default()));
    }
    for (index, group) in metadata.row_groups().iter().enumerate() {
        let pages = reader.get_row_group(index).expect("a row group");
        for (at, column) in group.columns().iter().enumerate() {
            let place = format!("row group {index}, {}", column.column_path().string());
            for page in pages.get_column_page_reader(at).expect("pages") {
                let page = page.expect("decompresses");
                let what = if matches!(page, Page::DictionaryPage { .. }) { "dictionary" } else { "page" };
                parts.push(part(&format!("{place}, {what}"), page.buffer()));
                let said = page.statistics().map(|said| [said.min_bytes_opt(), said.max_bytes_opt()].concat_known());
                parts.extend(said.map(|said| part(&format!("{place}, page header"), &said)));
            }
            if let (Some(offset), Some(length)) = (column.bloom_filter_offset(), column.bloom_filter_length()) {
                let length = length.unsigned_abs() as usize;
                let filter = bytes.get_bytes(offset.unsigned_abs(), length).expect("lies there");
                parts.push(part(&format!("{place}, bloom filter"), &filter));
            }
        }
    }
    parts
}

trait Known {
    fn concat_known(self) -> Vec<u8>;
}

impl Known for [Option<&[u8]>; 2] {
    fn concat_known(self) -> Vec<u8> {
        self.into_iter().flatten().flatten().copied().collect()
    }
}

/// Distinct values of a column or of a struct's field; integers in decimal.
fn distinct(rows: &RecordBatch, column: &str) -> BTreeSet<String> {
    let (name, field) = column.split_once('.').map_or((column, None), |(name, field)| (name, Some(field)));
    let mut array = rows.column_by_name(name).expect("is there").clone();
    if let Some(field) = field {
        array = array.as_struct().column_by_name(field).expect("is there").clone();
    }
    let texts = cast(&array, &DataType::Utf8).expect("has a text form");
    texts.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
}

/// What must be found in the source, and nowhere in the output.
fn needles(rows: &RecordBatch) -> Vec<(String, Vec<u8>)> {
    let mut needles = vec![
        ("a text's first characters".to_owned(), b"CANARY".to_vec()),
        ("the upper bytes of a number".to_owned(), FIRST_NUMBER.to_le_bytes()[1..].to_vec()),
        ("the first digits of a number".to_owned(), FIRST_NUMBER.to_string().as_bytes()[..11].to_vec()),
    ];
    for column in TRANSFORMED {
        needles.extend(distinct(rows, column).into_iter().map(|value| (column.to_owned(), value.into_bytes())));
    }
    let numbers = rows.column_by_name("number").expect("is there").as_primitive::<Int64Type>();
    let numbers: BTreeSet<i64> = numbers.iter().flatten().collect();
    needles.extend(numbers.into_iter().map(|number| ("number".to_owned(), number.to_le_bytes().to_vec())));
    needles
}

fn found<'a>(parts: &'a [Part], needle: &[u8]) -> Vec<&'a str> {
    parts.iter().filter(|part| contains(&part.bytes, needle)).map(|part| part.place.as_str()).collect()
}

/// The bloom filters of a column, row group by row group.
fn filters(bytes: &Bytes, column: &str) -> Vec<Option<Sbbf>> {
    let reader = SerializedFileReader::new(bytes.clone()).expect("is Parquet");
    let groups = reader.metadata().row_groups().iter();
    let chunks = groups.flat_map(|group| group.columns()).filter(|chunk| chunk.column_path().string() == column);
    chunks.map(|chunk| Sbbf::read_from_column_chunk(chunk, bytes).expect("a filter, or none")).collect()
}

fn bits(filter: &Sbbf) -> Vec<u8> {
    let mut bits = Vec::new();
    filter.write_bitset(&mut bits).expect("a Vec takes every byte");
    bits
}

/// Rows of a file, row group by row group.
pub fn row_groups(bytes: &Bytes) -> Vec<RecordBatch> {
    let reader = SerializedFileReader::new(bytes.clone()).expect("is Parquet");
    let (rows, mut start) = (batch(bytes.to_vec()), 0);
    let slice = |group: &RowGroupMetaData| {
        start += group.num_rows() as usize;
        rows.slice(start - group.num_rows() as usize, group.num_rows() as usize)
    };
    reader.metadata().row_groups().iter().map(slice).collect()
}

#[test]
fn no_file_of_any_writer_leaves_a_raw_value_in_its_output_on_any_way() {
    for (name, _) in WAYS {
        let source = Bytes::from(fixture(name));
        let rows = batch(source.to_vec());
        let before = parts(&source);
        let needles = needles(&rows);
        // the search must be able to find: every needle is in the source, text and numbers in its footer too
        for (what, needle) in needles.iter().skip(3).filter(|(what, _)| !is_delta_coded(name, what)) {
            let is_number = what == "number" && needle.len() > 8;
            assert!(is_number || !found(&before, needle).is_empty(), "{name}: a value of {what} is not found");
        }
        for (what, needle) in &needles[..2] {
            assert!(found(&before, needle).contains(&"the footer"), "{name}: {what} is not found in the footer");
        }
        let headers = found(&before, b"CANARY").iter().filter(|place| place.ends_with("page header")).count();
        // pyarrow writes them there where it writes no page index
        let has_headers = name.starts_with("polars") || name.starts_with("pyarrow");
        let has_headers = has_headers && !name.contains("index") && !name.contains("overflow");
        assert_eq!(headers > 0, has_headers, "{name}: canaries in page headers");

        for filter in ["", "where: \"true\"\n"] {
            let case = format!("{name} {}", filter.trim_end());
            let lake = Lake::new();
            lake.put("in/t.parquet", &source);
            lake.policy(&format!("{filter}{RULES}"));
            let said = lake.run(&["--report", "report.json"]).expect(0).words();
            assert!(!said.contains("CANARY"), "{case}: {said}");
            let made = Bytes::from(fs::read(lake.path("out/t.parquet")).expect("reads"));
            let after = parts(&made);
            for (what, needle) in &needles {
                assert_eq!(found(&after, needle), Vec::<&str>::new(), "{case}: {what} {:?}", needle.escape_ascii());
            }
            let users = distinct(&rows, "user_id");
            let one = users.first().expect("a user");
            assert!(!found(&after, token("users", one).as_bytes()).is_empty(), "{case}: tokens were written");
            for path in lake.files("").iter().filter(|path| !path.starts_with("in/")) {
                let bytes = fs::read(lake.path(path)).expect("reads");
                assert!(!contains(&bytes, b"CANARY") && !contains(&bytes, b"7700000000"), "{case}: {path}");
            }
        }
    }
}

/// Rules of every kind over the same columns.
const OTHER_RULES: [&str; 5] = [
    "  user_id: { mask: { keep_first: 2 } }
  email: { hash: {} }
  card: { redact: gone }
  number: { nullify: {} }
  contact.phone: { normalize: [trim, uppercase], pseudonym: { domain: users, encoding: base32, prefix: t_ } }
",
    "  user_id: { redact: \"\" }
  email: { nullify: {} }
  card: { mask: { keep_last: 1, with: x } }
  number: { hash: {} }
  contact.phone: { mask: {} }
",
    "  user_id: { hash: { encoding: binary } }
  email: { pseudonym: { domain: emails, encoding: binary } }
  card: { nullify: {} }
  number: { mask: { keep_first: 2 } }
  contact.phone: drop
",
    "  user_id: { nullify: {} }
  email: drop
  card: { pseudonym: { domain: cards, encoding: uuid }, empty: to_null }
  number: { pseudonym: { domain: numbers, encoding: base64url, bits: 256 }, on_error: to_null }
  contact.phone: { redact: gone }
",
    // all of them dropped, with outputs beside them
    "  user_id: drop
  email: drop
  card: drop
  number: drop
  contact.phone: drop
  a: { from: user_id, pseudonym: { domain: users } }
  b: { from: user_id, hash: { encoding: binary } }
  c: { from: email, mask: {} }
  d: { from: card, redact: gone }
  e: { from: number, pseudonym: { domain: numbers } }
  f: { from: contact.phone, pseudonym: { domain: phones } }
  g: { from: card, nullify: {}, when: visits > 0, otherwise: to_null }
",
];

#[test]
fn no_rule_of_any_kind_leaves_a_raw_value_on_its_cheapest_way() {
    // every value begins with the first or has the bytes of a number; an encoding may cut the first off
    let pieces =
        [b"CANARY".as_slice(), b"-user-", b"-phone-", b"mail.exam", &FIRST_NUMBER.to_le_bytes()[1..], b"7700000"];
    let mut taken = BTreeSet::new();
    for (name, _) in WAYS {
        let source = Bytes::from(fixture(name));
        let before = parts(&source);
        for piece in pieces {
            assert!(!found(&before, piece).is_empty(), "{name}: {} is not found", piece.escape_ascii());
        }
        for rules in OTHER_RULES {
            let lake = Lake::new();
            lake.put("in/t.parquet", &source);
            lake.policy(&format!("unlisted: keep\ncolumns:\n{rules}"));
            let report = lake.run_well(&[]);
            for column in TRANSFORMED.into_iter().filter(|column| !rules.contains(&format!("{column}: drop"))) {
                let kind = rules.split(&format!("  {column}: {{ ")).nth(1).expect("has a rule").split(':').next();
                taken.insert((kind.expect("a word"), ways(&report, column).concat()));
            }
            let after = parts(&Bytes::from(fs::read(lake.path("out/t.parquet")).expect("reads")));
            for piece in pieces {
                assert_eq!(found(&after, piece), Vec::<&str>::new(), "{name}: {}\n{rules}", piece.escape_ascii());
            }
        }
    }
    for kind in ["pseudonym", "hash", "mask", "redact", "nullify", "normalize"] {
        assert!(taken.contains(&(kind, "leaf".to_owned())), "{kind}: {taken:?}");
    }
    for kind in ["pseudonym", "hash", "normalize"] {
        assert!(taken.contains(&(kind, "dictionary".to_owned())), "{kind}: {taken:?}");
    }
    assert!(taken.iter().all(|(_, way)| way == "leaf" || way == "dictionary"), "{taken:?}");
}

/// Encodings that cut a value into pieces: what is left of the search there is the first characters.
fn is_delta_coded(name: &str, column: &str) -> bool {
    match name {
        "pyarrow-v2-snappy-encodings" => ["user_id", "contact.phone", "number"].contains(&column),
        "spark-v2-zstd" => column == "card",
        _ => false,
    }
}

/// A fixture, and what the rules make of it.
fn rewritten(name: &str) -> (Bytes, Bytes) {
    let source = Bytes::from(fixture(name));
    let lake = Lake::new();
    lake.put("in/t.parquet", &source);
    lake.policy(RULES);
    lake.run_well(&[]);
    let made = fs::read(lake.path("out/t.parquet")).expect("reads");
    (source, made.into())
}

/// A filter says yes to some values that it does not hold: what must be shown is that not one bit is of a raw value.
#[test]
fn bloom_filters_of_a_transformed_column_are_those_of_its_tokens_and_of_nothing_else() {
    let mut seen = 0;
    for (name, _) in WAYS {
        let (source, made) = rewritten(name);
        let groups = row_groups(&source);
        for (column, domain) in TRANSFORMED.into_iter().zip(["users", "emails", "cards", "numbers", "phones"]) {
            let (before, after) = (filters(&source, column), filters(&made, column));
            assert_eq!((before.len(), after.len()), (groups.len(), groups.len()), "{name}: {column}: row groups");
            for (rows, (before, after)) in groups.iter().zip(before.iter().zip(&after)) {
                assert_eq!(after.is_some(), before.is_some(), "{name}: {column} had a filter, or has one now");
                let (Some(before), Some(after)) = (before, after) else { continue };
                seen += 1;
                let values = distinct(rows, column);
                // the source's knows raw values, numbers as such
                let is_known = |value: &String| match value.parse::<i64>() {
                    Ok(number) if column == "number" => before.check(&number),
                    _ => before.check(value.as_str()),
                };
                assert!(values.iter().all(is_known), "{name}: {column}: raw values of the source");
                assert_eq!(after.num_blocks(), before.num_blocks(), "{name}: {column}: size");
                let mut expected = Sbbf::new_with_num_of_bytes(32 * before.num_blocks());
                values.iter().for_each(|value| expected.insert(token(domain, value).as_str()));
                assert!(bits(after) == bits(&expected), "{name}: {column}: bits that are of no token");
            }
        }
    }
    assert_eq!(seen, 10, "filters that were looked at");
}

#[test]
fn every_column_takes_its_cheapest_way_and_all_ways_give_the_same_rows() {
    for (name, expected) in WAYS {
        let lake = Lake::new();
        lake.put("in/t.parquet", fixture(name));
        let (routed, streamed) = both_ways(&lake, "compression: \"zstd(1)\"", RULES);
        let way = |letter| if letter == 'd' { "dictionary" } else { "leaf" };
        for (column, letter) in TRANSFORMED.into_iter().zip(expected.chars()) {
            assert_eq!(ways(&routed, column), [way(letter)], "{name}: {column}");
            assert_eq!(ways(&streamed, column), ["stream"], "{name}: {column}");
        }
        for column in KEPT {
            assert_eq!(ways(&routed, column), ["copied"], "{name}: {column}");
            assert_eq!(ways(&streamed, column), ["stream"], "{name}: {column}");
        }
        assert_same_rows(&lake, "t.parquet", name);
        assert_same_figures(&routed, &streamed, name);
        for folder in ["out", "streamed"] {
            let made = Bytes::from(fs::read(lake.path(folder).join("t.parquet")).expect("reads"));
            assert_bounds_are_told(&made, &format!("{name}, {folder}"));
        }
    }
}

/// Asserts that a reader can pass over row groups by what it seeks in a transformed column.
fn assert_bounds_are_told(made: &Bytes, case: &str) {
    let reader = SerializedFileReader::new(made.clone()).expect("is Parquet");
    let chunks = reader.metadata().row_groups().iter().flat_map(|group| group.columns());
    let chunks = chunks.filter(|chunk| TRANSFORMED.contains(&chunk.column_path().string().as_str()));
    let mut seen = 0;
    for chunk in chunks {
        let path = chunk.column_path().string();
        let known = chunk.statistics().unwrap_or_else(|| panic!("{case}: {path}: no statistics"));
        let bounds = (known.min_bytes_opt().is_some(), known.max_bytes_opt().is_some());
        assert_eq!((bounds, known.null_count_opt().is_some()), ((true, true), true), "{case}: {path}");
        seen += 1;
    }
    assert!(seen >= TRANSFORMED.len(), "{case}: {seen} chunks");
}

#[test]
fn copied_chunks_keep_their_bytes() {
    for (name, _) in WAYS {
        let (source, made) = rewritten(name);
        let (before, after) = (indexed(&source), indexed(&made));
        assert_eq!(before.num_row_groups(), after.num_row_groups(), "{name}");
        let mut seen = 0;
        for (index, group) in before.row_groups().iter().enumerate() {
            for (at, chunk) in group.columns().iter().enumerate() {
                let path = chunk.column_path().string();
                if TRANSFORMED.contains(&path.as_str()) {
                    continue;
                }
                seen += 1;
                let case = format!("{name}, row group {index}: {path}");
                let mut columns = after.row_group(index).columns().iter();
                let place = columns.position(|made| made.column_path() == chunk.column_path()).expect("is kept");
                let same = after.row_group(index).column(place);
                let bytes = |file: &Bytes, chunk: &ColumnChunkMetaData| {
                    let (start, length) = chunk.byte_range();
                    file.slice(start as usize..(start + length) as usize)
                };
                assert!(bytes(&source, chunk) == bytes(&made, same), "{case}");
                assert_eq!(chunk.compression(), same.compression(), "{case}");
                assert_eq!(chunk.encodings().collect::<Vec<_>>(), same.encodings().collect::<Vec<_>>(), "{case}");
                assert_eq!(chunk.statistics(), same.statistics(), "{case}");
                assert_eq!(pages(&before, index, at), pages(&after, index, place), "{case}: pages");
            }
        }
        assert!(seen >= KEPT.len(), "{name}: {seen} chunks");
    }
}

/// A file's metadata, page indexes included.
pub fn indexed(bytes: &Bytes) -> ParquetMetaData {
    let options = ReadOptionsBuilder::new().with_page_index().build();
    SerializedFileReader::new_with_options(bytes.clone(), options).expect("is Parquet").metadata().clone()
}

/// What the page indexes say of a chunk, offsets from its start; `None` where there is no index.
fn pages(
    metadata: &ParquetMetaData,
    group: usize,
    column: usize,
) -> (Option<OffsetIndexMetaData>, Option<ColumnIndexMetaData>) {
    let chunk = metadata.row_group(group).column(column);
    let start = chunk.byte_range().0 as i64;
    let offsets = chunk.offset_index_offset().map(|_| {
        let mut index = metadata.offset_index().expect("was read")[group][column].clone();
        index.page_locations.iter_mut().for_each(|page| page.offset -= start);
        index
    });
    let bounds = chunk.column_index_offset().map(|_| metadata.column_index().expect("was read")[group][column].clone());
    (offsets, bounds)
}
