//! Several outputs of one leaf over the files of many writers: on every way, beside each other, however much memory.

use std::fs;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::file::properties::WriterProperties;

use super::leaks::{WAYS, fixture};
use super::{assert_same_figures, assert_same_rows, both_ways, ways};
use crate::support::{Lake, batch, token, written};

const RULES: &str = "unlisted: keep
columns:
  user_id: { pseudonym: { domain: users } }
  card: drop
  note: { pseudonym: { domain: notes }, empty: to_null }
  # kept, and an output beside it
  code2: { from: code, pseudonym: { domain: codes } }
  # made twice, in two domains, and a copy
  user2: { from: user_id, pseudonym: { domain: others, encoding: binary } }
  user3: { from: user_id, keep: {} }
  user4: { from: user_id, mask: { keep_first: 2 } }
  # dropped, and two outputs
  card1: { from: card, pseudonym: { domain: cards } }
  card2: { from: card, keep: {} }
  # copies of what is kept, of lists and structs too
  price2: { from: price, keep: {} }
  tags2: { from: tags, keep: {} }
  contact2: { from: contact, keep: {} }
  phone: { from: contact.phone, pseudonym: { domain: phones } }
  city: { from: contact.city, keep: {} }
  note2: { from: note, nullify: {}, when: visits > 4, otherwise: keep }
";

#[test]
fn outputs_of_one_leaf_give_the_same_on_every_way() {
    for (name, ways_of) in WAYS {
        let lake = Lake::new();
        lake.put("in/t.parquet", fixture(name));
        let (routed, streamed) = both_ways(&lake, "compression: \"zstd(1)\"", RULES);
        assert_same_rows(&lake, "t.parquet", name);
        assert_same_figures(&routed, &streamed, name);
        for copied in ["code", "user3", "card2", "price", "price2", "tags2", "contact2"] {
            assert_eq!(ways(&routed, copied), ["copied"], "{name}: {copied}");
        }
        // binary tokens of a dictionary have none, masks make one of two
        for (column, place) in [("user_id", 0), ("card1", 2)] {
            let way = if ways_of.as_bytes()[place] == b'd' { "dictionary" } else { "leaf" };
            assert!(ways(&routed, column).contains(&way.to_owned()), "{name}: {column}: {:?}", ways(&routed, column));
        }
        assert_eq!(ways(&routed, "phone"), ["leaf"], "{name}: a field of its own goes in batches, alone");
        assert_eq!(ways(&routed, "note2"), ["stream"], "{name}");
        let (made, source) = ("out/t.parquet", "in/t.parquet");
        let read = |path: &str| batch(fs::read(lake.path(path)).expect("reads"));
        let (made, source) = (read(made), read(source));
        for (copy, of) in [("user3", "user_id"), ("card2", "card"), ("price2", "price")] {
            assert_eq!(made[copy].as_ref(), source[of].as_ref(), "{name}: {copy}");
        }
        let size = |copy: &str| {
            let columns = routed["columns"].as_array().expect("columns");
            let column = columns.iter().find(|column| column["name"] == copy).expect("is there");
            column["routes"][0]["bytes"].as_u64().expect("known")
        };
        assert_eq!(size("price2"), size("price"), "{name}: copied twice");
    }
}

#[test]
fn memory_divides_row_groups_between_outputs_of_one_leaf_and_changes_no_byte() {
    let rows = 120_000_i64;
    let text =
        |seed: i64| (0..rows).map(|row| Some(token("x", &(row * 7 + seed).to_string()))).collect::<StringArray>();
    let columns: [(&str, ArrayRef); 4] = [
        ("a", Arc::new(text(1))),
        ("b", Arc::new(text(2))),
        ("c", Arc::new((0..rows).map(|row| Some(format!("c{}", row % 90))).collect::<StringArray>())),
        ("n", Arc::new((0..rows).collect::<Int64Array>())),
    ];
    let table = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let lake = Lake::new();
    lake.put("in/t.parquet", written(&table, properties));
    lake.policy(
        "columns:
  a: { pseudonym: { domain: d } }
  b: keep
  c: keep
  n: keep
  a2: { from: a, keep: {} }
  b2: { from: b, keep: {} }
  b3: { from: b, pseudonym: { domain: d } }
  b4: { from: b, mask: { keep_last: 1 } }
  b5: { from: b, keep: {} }
  c2: { from: c, pseudonym: { domain: d } }
  a3: { from: a, hash: {}, when: n > 60000, otherwise: keep }
",
    );
    let made = |more: &[&str]| {
        lake.run_well(&[&["--full"], more].concat());
        fs::read(lake.path("out/t.parquet")).expect("reads")
    };
    let usual = made(&[]);
    let rows = batch(usual.clone());
    assert_eq!((rows["b2"].as_ref(), rows["a2"].as_ref()), (table["b"].as_ref(), table["a"].as_ref()));
    assert_eq!(rows["b5"].as_ref(), table["b"].as_ref());
    for more in [["--memory", "16MiB"], ["--memory", "64MiB"], ["--threads", "1"]] {
        assert!(made(&more) == usual, "{more:?}");
    }
}
