//! The same bytes come out whatever the machine has to spare: ways are chosen by the object and the policy alone.

use std::fs;

use super::{assert_same_figures, assert_same_rows, both_ways};
use crate::support::{Lake, files, root};

#[test]
fn threads_and_memory_change_no_byte() {
    let rules = "unlisted: keep\ncolumns:\n  user_id: { pseudonym: { domain: users } }\n  \
                 card: { mask: { keep_last: 2 } }\n  contact.phone: nullify\n  note: drop\n";
    for name in ["pyarrow-v1-none-index", "pyarrow-v2-zstd-index-sorted", "polars-zstd-pages", "spark-snappy-bloom"] {
        let lake = Lake::new();
        let file = format!("{name}.parquet");
        let source = fs::read(root().join("testdata/writers").join(&file)).expect("is there");
        for copy in ["a", "b", "c"] {
            lake.put(&format!("in/{copy}.parquet"), &source);
        }
        lake.policy(rules);
        let made = |more: &[&str]| {
            let report = lake.run_well(&[&["--full"], more].concat());
            assert_eq!(report["totals"]["objects_written"], 3, "{name}: {more:?}");
            ["a", "b", "c"].map(|copy| fs::read(lake.path(format!("out/{copy}.parquet"))).expect("reads"))
        };
        let usual = made(&[]);
        assert!(usual[0] == usual[1] && usual[1] == usual[2], "{name}: one source, one output");
        for more in [["--threads", "1"], ["--threads", "7"], ["--memory", "32MiB"]] {
            assert!(made(&more) == usual, "{name}: {more:?}");
        }
    }
}

#[test]
fn every_rule_on_every_writer_s_types_gives_the_same_on_the_long_way() {
    let folder = root().join("testdata/writers");
    let names = files(&folder).into_iter().filter(|name| name.ends_with(".parquet")).collect::<Vec<_>>();
    assert!(names.len() >= 14, "{names:?}");
    for rules in [
        "columns:
  user_id: { mask: { keep_last: 2 } }
  email: { redact: gone }
  card: { pseudonym: { domain: cards, encoding: binary } }
  number: { hash: {} }
  contact.phone: { nullify: {} }
  contact.city: { pseudonym: { domain: cities }, empty: to_null }
  \"tags[]\": { pseudonym: { domain: tags, encoding: base32, prefix: t_ } }
  note: { normalize: [trim, uppercase], pseudonym: { domain: notes }, empty: keep }
  when: { pseudonym: { domain: times } }
  price: { pseudonym: { domain: prices, encoding: binary, bits: 96 } }
  visits: { pseudonym: { domain: visits, encoding: uuid } }
  code: { mask: {} }
  amount: { redact: \"0\" }
",
        "columns:
  price: { hash: {} }
  visits: { nullify: {} }
  when: { mask: { keep_first: 4 }, rename: year }
  contact.city: drop
  contact.phone: { pseudonym: { domain: phones, encoding: base64url, bits: 256 } }
  \"tags[]\": { mask: { keep_first: 1 } }
  number: { pseudonym: { domain: numbers, encoding: binary } }
  \"*\": keep
",
    ] {
        for name in &names {
            let lake = Lake::new();
            lake.put("in/t.parquet", fs::read(folder.join(name)).expect("is there"));
            let (routed, streamed) = both_ways(&lake, "compression: \"zstd(1)\"", rules);
            assert_same_rows(&lake, "t.parquet", name);
            assert_same_figures(&routed, &streamed, name);
        }
    }
}
