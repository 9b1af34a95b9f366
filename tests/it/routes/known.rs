//! Faults that the other tests of this folder found, each in its smallest form.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, DictionaryArray, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int32Type};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::column::page::Page;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::{assert_same_rows, both_ways, ways};
use crate::support::{Lake, batch, token};

fn dictionary() -> ArrayRef {
    Arc::new(["ab", "cd", "ab"].into_iter().collect::<DictionaryArray<Int32Type>>())
}

#[test]
fn binary_tokens_of_a_dictionary_column_are_read_back_on_every_way() {
    let lake = Lake::new();
    lake.put_parquet("in/t.parquet", vec![("id", dictionary())]);
    let rules = "columns: { id: { pseudonym: { domain: ids, encoding: binary } } }\n";
    both_ways(&lake, "compression: none", rules);
    for folder in ["out", "streamed"] {
        // without the Arrow schema too it must be what its Parquet type says
        let bytes = fs::read(lake.path(folder).join("t.parquet")).expect("reads");
        let column = batch(bytes).column(0).clone();
        let plain = arrow::compute::cast(&column, &DataType::FixedSizeBinary(16)).expect("casts");
        let tokens: Vec<String> =
            plain.as_fixed_size_binary().iter().flatten().map(|bytes| data_encoding::HEXLOWER.encode(bytes)).collect();
        assert_eq!(tokens, ["ab", "cd", "ab"].map(|id| token("ids", id)), "{folder}");
    }
}

#[test]
fn items_of_a_copied_list_are_not_counted_as_rows() {
    let lake = Lake::new();
    let lists = [Some(vec![Some(1), Some(2)]), None, Some(vec![None, Some(3), Some(4)])];
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
    lake.put_parquet("in/t.parquet", vec![("list", Arc::new(list))]);
    let (routed, streamed) = both_ways(&lake, "compression: none", "columns: { \"list[]\": keep }\n");
    assert_eq!(streamed["columns"][0]["values"], 5);
    // the footer knows rows, not items: better no figure than a wrong one
    assert!(routed["columns"][0]["values"].is_null(), "{}", routed["columns"][0]);
}

#[test]
fn values_without_a_text_form_can_be_nullified() {
    let lake = Lake::new();
    let days: ArrayRef = Arc::new(Date32Array::from(vec![Some(1), Some(4_000_000)]));
    lake.put_parquet("in/t.parquet", vec![("day", days)]);
    lake.policy("columns: { day: { nullify: {} } }\n");
    lake.run_well(&[]);
    let made = batch(fs::read(lake.path("out/t.parquet")).expect("reads"));
    assert_eq!(made.column(0).null_count(), 2);
}

#[test]
fn levels_beyond_their_maximum_fail_the_object() {
    let item = Arc::new(Field::new("item", DataType::Utf8, false));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["ab"; 8]));
    let list: ArrayRef = Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([1; 8]), texts, None));
    let batch = RecordBatch::try_from_iter_with_nullable([("list", list, true)]).expect("fits");
    let properties = WriterProperties::builder().set_writer_version(WriterVersion::PARQUET_2_0);
    let properties = properties.set_compression(Compression::UNCOMPRESSED).build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a schema for Parquet");
    writer.write(&batch).expect("writes");
    writer.close().expect("closes");
    // runs of eight: repetition levels of 0, definition levels of 2, which is their maximum
    let at = memchr::memmem::find(&bytes, &[16, 0, 16, 2]).expect("the levels");
    bytes[at + 3] = 3;
    let lake = Lake::new();
    lake.put("in/t.parquet", bytes);
    lake.policy("columns: { \"list[]\": { pseudonym: { domain: d } } }\n");
    let report = lake.run_to(1, &[]);
    assert_eq!(report["objects"][0]["failure"]["code"], "parquet-undecodable", "{report}");
}

#[test]
fn a_group_without_fields_does_not_shift_one_column_into_the_next() {
    use parquet::data_type::{ByteArray, ByteArrayType};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    let columns = "required binary ssn (STRING); required binary city (STRING);";
    let schema = parse_message_type(&format!("message m {{ required group empty {{ }} {columns} }}"));
    let schema = Arc::new(schema.expect("a schema"));
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::default()).expect("a schema for Parquet");
    let mut group = writer.next_row_group().expect("begins");
    for value in ["CANARY", "town"] {
        let mut column = group.next_column().expect("a writer").expect("a column");
        column.typed::<ByteArrayType>().write_batch(&[ByteArray::from(value)], None, None).expect("writes");
        column.close().expect("closes");
    }
    group.close().expect("closes");
    writer.close().expect("closes");
    for rules in ["", "where: \"true\"\n"] {
        let lake = Lake::new();
        lake.put("in/t.parquet", bytes.clone());
        lake.policy(&format!("{rules}columns: {{ ssn: drop, city: keep }}\n"));
        let report = lake.run_to(1, &[]);
        assert_eq!(report["objects"][0]["failure"]["code"], "parquet-invalid", "{report}");
        assert!(!lake.path("out/t.parquet").exists());
    }
}

/// Texts of the dictionary of a file's only column.
fn entries(file: Vec<u8>) -> Vec<String> {
    let reader = SerializedFileReader::new(bytes::Bytes::from(file)).expect("is Parquet");
    let first = reader.get_row_group(0).expect("one").get_column_page_reader(0).expect("pages").next();
    let Some(Ok(Page::DictionaryPage { buf, .. })) = first else { panic!("no dictionary") };
    let (mut rest, mut entries) = (&buf[..], Vec::new());
    while let Some((length, after)) = rest.split_first_chunk() {
        let (text, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        entries.push(String::from_utf8(text.to_vec()).expect("is UTF-8"));
        rest = after;
    }
    entries.sort();
    entries
}

#[test]
fn entries_that_become_equal_take_the_leaf_way() {
    let texts = |three: [&str; 3]| -> ArrayRef {
        Arc::new((0..60).map(|row| Some(three[row % 3])).collect::<DictionaryArray<Int32Type>>())
    };
    let numbers = || -> ArrayRef { Arc::new(Int64Array::from_iter_values((0..60).map(|row| 4_100 + row % 3 * 50))) };
    let list = || -> ArrayRef {
        let item = Arc::new(Field::new("item", DataType::Utf8, true));
        let texts = (0..60).map(|row| Some(["ab1", "ab2", "cd3"][row % 3])).collect::<StringArray>();
        Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([2; 30]), Arc::new(texts), None))
    };
    let (codes, names) = (|| texts(["ab1", "ab2", "cd3"]), || texts(["Ada", " ada", ""]));
    let tokens = |names: &[&str]| {
        let mut tokens: Vec<String> = names.iter().map(|name| token("d", name)).collect();
        tokens.sort();
        tokens
    };
    let some = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
    let start = "mask: { keep_first: 2 }";
    let ends = "mask: { keep_first: 1, keep_last: 1 }";
    let d = "pseudonym: { domain: d }";
    for (array, path, rule, way, expected) in [
        (codes(), "c", start.to_owned(), "leaf", some(&["ab*", "cd*"])),
        (codes(), "c", ends.to_owned(), "dictionary", some(&["a*1", "a*2", "c*3"])),
        (codes(), "c", "redact: gone".to_owned(), "leaf", some(&["gone"])),
        (numbers(), "c", start.to_owned(), "leaf", some(&["41**", "42**"])),
        (numbers(), "c", "mask: { keep_last: 3 }".to_owned(), "dictionary", some(&["*100", "*150", "*200"])),
        (list(), "c[]", start.to_owned(), "leaf", some(&["ab*", "cd*"])),
        (list(), "c[]", ends.to_owned(), "dictionary", some(&["a*1", "a*2", "c*3"])),
        (names(), "c", format!("{d}, empty: to_null"), "leaf", tokens(&["Ada", " ada"])),
        (names(), "c", format!("{d}, empty: keep"), "dictionary", [some(&[""]), tokens(&["Ada", " ada"])].concat()),
        (names(), "c", format!("normalize: [trim, lowercase], {d}"), "leaf", tokens(&["ada", ""])),
    ] {
        let case = format!("{}, {rule}", array.data_type());
        let lake = Lake::new();
        lake.put_parquet("in/t.parquet", vec![("c", array)]);
        let (routed, _) = both_ways(&lake, "compression: none", &format!("columns: {{ \"{path}\": {{ {rule} }} }}\n"));
        assert_eq!(ways(&routed, path), [way], "{case}");
        assert_eq!(entries(fs::read(lake.path("out/t.parquet")).expect("reads")), expected, "{case}");
        assert_same_rows(&lake, "t.parquet", &case);
    }
}

#[test]
fn values_with_a_meaning_beyond_their_type_go_page_by_page() {
    use arrow::array::{FixedSizeBinaryArray, LargeStringArray};
    let uuids = (0..60u8).map(|row| [row % 3 + 1; 16]);
    let uuids: ArrayRef = Arc::new(FixedSizeBinaryArray::try_from_iter(uuids).expect("of one size"));
    let texts: ArrayRef = Arc::new((0..60).map(|row| Some(format!("[{}]", row % 3))).collect::<LargeStringArray>());
    for (array, extension, text) in
        [(uuids, "arrow.uuid", "01010101-0101-0101-0101-010101010101"), (texts, "arrow.json", "[0]")]
    {
        let told = [("ARROW:extension:name".to_owned(), extension.to_owned())].into();
        let field = Field::new("c", array.data_type().clone(), false).with_metadata(told);
        let schema = Arc::new(arrow::datatypes::Schema::new(vec![field]));
        let rows = RecordBatch::try_new(schema, vec![array]).expect("one column");
        for (is_dictionary, way) in [(true, "dictionary"), (false, "leaf")] {
            let properties = WriterProperties::builder().set_dictionary_enabled(is_dictionary);
            // in version 1 this writer has no dictionaries of bytes of a fixed number
            let properties = properties.set_writer_version(WriterVersion::PARQUET_2_0);
            let properties = properties.set_write_batch_size(20).set_data_page_row_count_limit(20).build();
            let mut bytes = Vec::new();
            let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties)).expect("a schema");
            writer.write(&rows).expect("writes");
            writer.close().expect("closes");
            let lake = Lake::new();
            lake.put("in/t.parquet", bytes);
            let (routed, _) = both_ways(&lake, "", "columns: { c: { pseudonym: { domain: d } } }\n");
            assert_eq!(ways(&routed, "c"), [way], "{extension}");
            assert_same_rows(&lake, "t.parquet", extension);
            let made = fs::read(lake.path("out/t.parquet")).expect("reads");
            assert_eq!(batch(made.clone()).num_rows(), 60);
            assert_eq!(lake.table("out/t.parquet")["c"][0], Some(token("d", text)), "{extension}");
            let reader = SerializedFileReader::new(bytes::Bytes::from(made)).expect("is Parquet");
            let pages = reader.get_row_group(0).expect("one").get_column_page_reader(0).expect("pages");
            let is_data = |page: &Page| !matches!(page, Page::DictionaryPage { .. });
            let pages = pages.filter(|page| is_data(page.as_ref().expect("decompresses"))).count();
            // decoded whole it would be one
            assert_eq!(pages, 3, "{extension}, {way}");
        }
    }
}
