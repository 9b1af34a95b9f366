//! What is asked of a store for one object: each byte once, none of a dropped column, and of one version only.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::Range;
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, ListArray, RecordBatch, StringArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::ways;
use crate::support::{Lake, batch, token};

const ROWS: usize = 6000;
const ETAG: &str = "\"v1\"";

/// One request for a part of the object.
#[derive(Debug, Clone)]
struct Read {
    range: Range<u64>,
    is_conditional: bool,
}

/// Serves `bytes` at every path until the test ends; gives its address and what was read.
fn serve(bytes: Bytes) -> (String, Arc<Mutex<Vec<Read>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("is bound").to_string();
    let reads = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&reads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (bytes, log) = (bytes.clone(), Arc::clone(&log));
            std::thread::spawn(move || answer_all(stream.expect("connects"), &bytes, &log));
        }
    });
    (address, reads)
}

fn answer_all(mut stream: TcpStream, bytes: &[u8], log: &Mutex<Vec<Read>>) {
    let mut lines = BufReader::new(stream.try_clone().expect("clones")).lines();
    loop {
        let request: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let Some(first) = request.first() else { return };
        let header = |name: &str| {
            let pairs = request.iter().filter_map(|line| line.split_once(": "));
            pairs.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
        };
        let range = header("range").and_then(|range| {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            Some(first.parse::<usize>().ok()?..last.parse::<usize>().ok()?.min(bytes.len() - 1) + 1)
        });
        let is_read = first.starts_with("GET");
        let part = range.clone().unwrap_or(0..bytes.len());
        if is_read {
            let range = part.start as u64..part.end as u64;
            let is_conditional = header("if-match") == Some(ETAG);
            log.lock().expect("no panic").push(Read { range, is_conditional });
        }
        let (status, extra) = match &range {
            Some(part) => (
                "206 Partial Content",
                format!("content-range: bytes {}-{}/{}\r\n", part.start, part.end - 1, bytes.len()),
            ),
            None => ("200 OK", String::new()),
        };
        let modified = "last-modified: Wed, 25 Nov 2026 00:00:00 GMT";
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\netag: {ETAG}\r\n{modified}\r\n{extra}\r\n", part.len());
        let body = if is_read { &bytes[part] } else { &[] };
        // the client may have gone
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    }
}

/// Bytes that no codec makes smaller, `size` of them in each row.
fn noise(size: usize, seed: u64) -> ArrayRef {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    let rows: Vec<Vec<u8>> = (0..ROWS).map(|_| (0..size).map(|_| next()).collect()).collect();
    Arc::new(BinaryArray::from_iter_values(&rows))
}

fn texts(name: &str, distinct: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..ROWS).map(|row| format!("{name} {}", row % distinct))))
}

/// Several megabytes in three row groups, `large` bytes in each row of a kept column.
fn object(large: usize) -> Bytes {
    let fields = Fields::from(vec![
        Field::new("phone", DataType::Utf8, true),
        Field::new("gone", DataType::Binary, true),
        Field::new("city", DataType::Utf8, true),
    ]);
    let contact = StructArray::new(fields, vec![texts("phone", 40), noise(100, 5), texts("city", ROWS)], None);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("first_dropped", noise(200, 1)),
        ("user", texts("user", 50)),
        ("middle_dropped", noise(300, 2)),
        ("large", noise(large, 3)),
        ("card", texts("card", ROWS)),
        ("contact", Arc::new(contact)),
        ("small", texts("note", ROWS)),
        ("last_dropped", noise(400, 4)),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_max_row_group_row_count(Some(ROWS / 3))
        .set_data_page_size_limit(64 << 10);
    // cards and noise are plain, users and phones in dictionaries
    let properties = ["card", "large", "small"]
        .iter()
        .fold(properties, |properties, name| properties.set_column_dictionary_enabled((*name).into(), false));
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).expect("a schema");
    writer.write(&batch).expect("writes");
    writer.close().expect("closes");
    bytes.into()
}

const RULES: &str = "columns:
  user: { pseudonym: { domain: users } }
  card: { pseudonym: { domain: cards } }
  contact.phone: { pseudonym: { domain: phones } }
  contact.gone: drop
  contact.city: keep
  large: keep
  small: keep
  \"*_dropped\": drop
";

/// Byte ranges of all chunks of some columns.
fn chunks(object: &Bytes, wanted: impl Fn(&str) -> bool) -> Vec<Range<u64>> {
    let reader = SerializedFileReader::new(object.clone()).expect("is Parquet");
    let groups = reader.metadata().row_groups();
    let chunks = groups.iter().flat_map(|group| group.columns());
    let chunks = chunks.filter(|chunk| wanted(&chunk.column_path().string()));
    chunks.map(|chunk| chunk.byte_range()).map(|(start, length)| start..start + length).collect()
}

fn overlap(left: &Range<u64>, right: &Range<u64>) -> bool {
    left.start < right.end && right.start < left.end
}

#[test]
fn each_byte_is_asked_for_once_none_of_a_dropped_column_and_always_of_one_version() {
    // copied with the rest of their row group, and, where they are large, when their turn comes
    for large in [50, 2500] {
        let object = object(large);
        let size = object.len() as u64;
        let (address, log) = serve(object.clone());
        let lake = Lake::new();
        lake.policy_between(&format!("http://{address}/t.parquet"), "out/", RULES);
        let report = lake.run_well(&[]);
        for (column, way) in [
            ("user", "dictionary"),
            ("card", "leaf"),
            ("contact.phone", "dictionary"),
            ("contact.city", "copied"),
            ("large", "copied"),
            ("small", "copied"),
        ] {
            assert_eq!(ways(&report, column), [way], "{large}: {column}");
        }
        let made = batch(std::fs::read(lake.path("out/t.parquet")).expect("reads"));
        assert_eq!(made.num_rows(), ROWS, "{large}");
        assert_eq!(lake.table("out/t.parquet")["user"][51], Some(token("users", "user 1")), "{large}");

        let reads = log.lock().expect("no panic").clone();
        assert!(reads.iter().all(|read| read.is_conditional), "{large}: {reads:?}");
        // the footer is read from the object's end: once by the plan, once by the run, and what comes with it then is
        // not asked for again
        let (footers, rest): (Vec<Read>, Vec<Read>) = reads.into_iter().partition(|read| read.range.end == size);
        let footers: Vec<Range<u64>> = footers.into_iter().map(|read| read.range).collect();
        assert_eq!(footers, [size - 65_536..size, size - 65_536..size], "{large}");
        let mut rest: Vec<Range<u64>> = rest.into_iter().map(|read| read.range).chain([footers[1].clone()]).collect();
        rest.sort_by_key(|range| range.start);
        for pair in rest.windows(2) {
            assert!(pair[0].end <= pair[1].start, "{large}: asked for twice: {pair:?} of {rest:?}");
        }
        for dropped in chunks(&object, |path| path.ends_with("_dropped")) {
            let asked = rest.iter().find(|range| range.end < size && overlap(range, &dropped));
            assert_eq!(asked, None, "{large}: a dropped column's chunk {dropped:?}");
        }
        // the log sees what is read: all that is kept or transformed lies in it
        let needed = chunks(&object, |path| !path.ends_with("_dropped") && path != "contact.gone");
        for chunk in needed {
            let read: u64 =
                rest.iter().map(|range| range.end.min(chunk.end).saturating_sub(range.start.max(chunk.start))).sum();
            assert_eq!(read, chunk.end - chunk.start, "{large}: {chunk:?}");
        }
        // three row groups: a few requests for each, not one for each chunk or page
        assert!(rest.len() <= 24, "{large}: {} requests: {rest:?}", rest.len());
    }
}

#[test]
fn a_struct_s_dropped_field_is_not_asked_for_where_the_others_go_leaf_by_leaf() {
    let object = object(50);
    let (address, log) = serve(object.clone());
    let lake = Lake::new();
    lake.policy_between(&format!("http://{address}/t.parquet"), "out/", RULES);
    lake.run_well(&[]);
    let reads = log.lock().expect("no panic").clone();
    for dropped in chunks(&object, |path| path == "contact.gone") {
        let asked = reads.iter().find(|read| read.range.end != object.len() as u64 && overlap(&read.range, &dropped));
        assert!(asked.is_none(), "{asked:?} of {dropped:?}");
    }
}

#[test]
fn values_beside_a_dropped_field_are_what_they_were_where_the_column_is_decoded_as_a_whole() {
    let inner = |name: &str| {
        let fields =
            Fields::from(vec![Field::new("gone", DataType::Utf8, true), Field::new("stays", DataType::Utf8, true)]);
        let columns = vec![texts(&format!("{name} gone"), ROWS), texts(&format!("{name} stays"), ROWS)];
        Arc::new(StructArray::new(fields, columns, None)) as ArrayRef
    };
    let items = inner("item");
    let item = Arc::new(Field::new("item", items.data_type().clone(), true));
    let list: ArrayRef = Arc::new(ListArray::new(item, OffsetBuffer::from_lengths(vec![1; ROWS]), items, None));
    let parts: Vec<(&str, ArrayRef)> =
        vec![("first", texts("gone", 9)), ("few", texts("few", 20)), ("inner", inner("inner")), ("list", list)];
    let fields: Fields = parts.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let column = StructArray::new(fields, parts.into_iter().map(|(_, array)| array).collect(), None);
    // a mask makes two entries of a dictionary one, which is not done page by page
    let rules = "columns:
  c.first: drop
  c.few: { mask: { keep_first: 3 } }
  c.inner.gone: drop
  c.inner.stays: keep
  \"c.list[].gone\": drop
  \"c.list[].stays\": { pseudonym: { domain: d } }
";
    let whole = format!("where: \"c is not null\"\n{rules}");
    for (case, rules) in [("alone", rules), ("where all of it is needed", &whole)] {
        let lake = Lake::new();
        lake.put_parquet("in/t.parquet", vec![("c", Arc::new(column.clone()))]);
        lake.policy(rules);
        lake.run_well(&[]);
        assert_eq!(lake.holding("out", "gone 1"), Vec::<String>::new(), "{case}");
        let made = batch(std::fs::read(lake.path("out/t.parquet")).expect("reads"));
        let made = made.column(0).as_struct();
        let names = |array: &StructArray| array.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        assert_eq!(names(made), ["few", "inner", "list"], "{case}");
        let text = |array: &ArrayRef| array.as_string::<i32>().value(4321).to_owned();
        assert_eq!(text(made.column(0)), "few**", "{case}");
        assert_eq!(text(made.column(1).as_struct().column(0)), "inner stays 4321", "{case}");
        let items = made.column(2).as_list::<i32>().values().as_struct().clone();
        assert_eq!(names(&items), ["stays"], "{case}");
        assert_eq!(text(items.column(0)), token("d", "item stays 4321"), "{case}");
    }
}
