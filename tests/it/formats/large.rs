//! Records of CSV that are larger than what is worked on at a time: done within the memory granted, or refused by row.

use std::fs;

use crate::support::{Lake, contains, token};

/// The third record holds a text of `bytes`.
fn source(bytes: usize) -> Vec<u8> {
    let mut text = b"id,note\n1,a\n2,b\n3,\"".to_vec();
    text.resize(text.len() + bytes, b'x');
    text.extend_from_slice(b"\n\"\n4,d\n");
    text
}

fn lake(bytes: usize, format: &str) -> Lake {
    let lake = Lake::new();
    lake.put("in/t.csv", source(bytes));
    let head = format!(
        "version: 1\ndataset: test\nsource: {{ url: in/ }}\nsink: {{ url: out/, format: {format} }}\n\
         keyring: {{ file: keyring.json }}\n"
    );
    lake.put("policy.yaml", head + "columns: { id: { pseudonym: { domain: ids } }, note: keep }\n");
    lake
}

#[test]
fn a_record_larger_than_a_piece_takes_the_budget_alone() {
    const BYTES: usize = 20 << 20;
    for format in ["csv", "parquet"] {
        let lake = lake(BYTES, format);
        // as many objects as are worked on at a time, and more: each waits for all of the budget and none for ever
        for copy in 0..5 {
            lake.put(&format!("in/{copy}.csv"), source(BYTES));
        }
        lake.run_well(&["--memory", "256MiB"]);
        if format == "csv" {
            let made = fs::read(lake.path("out/3.csv")).expect("reads");
            assert!(made.len() > BYTES && contains(&made, token("ids", "3").as_bytes()));
        }
        let last = lake.table(&format!("out/t.{format}"));
        assert_eq!(last["id"][3], Some(token("ids", "4")), "{format}");
        assert_eq!(last["note"][2].as_ref().map(String::len), Some(BYTES + 1), "{format}");
    }
}

#[test]
fn fail_a_record_larger_than_the_memory_granted_by_its_row() {
    for format in ["csv", "parquet"] {
        let lake = lake(20 << 20, format);
        let said = lake.run(&["--memory", "32MiB"]).expect(1).words();
        assert!(said.contains("row 3 is larger than 8388608 bytes, and a quote is still open there"), "{said}");
        assert!(said.contains("or grant more `--memory`"), "{said}");
        assert_eq!(lake.objects("out"), Vec::<String>::new(), "{format}");
    }
}
