//! Rules for some rows over the files of many writers: beside columns that go other ways, and in every row group.

use super::leaks::fixture;
use super::{assert_same_figures, assert_same_rows, both_ways, ways};
use crate::support::{Lake, files, root};

#[test]
fn rules_for_some_rows_give_the_same_on_the_long_way_over_files_of_every_writer() {
    let folder = root().join("testdata/writers");
    let names = files(&folder).into_iter().filter_map(|name| name.strip_suffix(".parquet").map(str::to_owned));
    let names = names.collect::<Vec<_>>();
    assert!(names.len() >= 14, "{names:?}");
    let rules = "unlisted: keep
columns:
  user_id: { pseudonym: { domain: users }, when: \"visits > 3\", otherwise: keep }
  email: { redact: gone, when: \"card is null or visits < 5\", otherwise: to_null }
  card: { mask: { keep_last: 2 }, when: \"card > '5'\", otherwise: redact }
  contact.phone: { pseudonym: { domain: phones }, when: \"visits > 5\", otherwise: keep }
  \"tags[]\": { pseudonym: { domain: tags }, when: \"visits > 5\", otherwise: redact }
  number: { nullify: {}, when: \"visits > 5\", otherwise: keep }
  note: { pseudonym: { domain: notes } }
";
    for name in &names {
        let lake = Lake::new();
        lake.put("in/t.parquet", fixture(name));
        let (routed, streamed) = both_ways(&lake, "compression: \"zstd(1)\"", rules);
        assert_same_rows(&lake, "t.parquet", name);
        assert_same_figures(&routed, &streamed, name);
        for column in ["user_id", "email", "card", "contact.phone", "tags[]", "number"] {
            assert_eq!(ways(&routed, column), ["stream"], "{name}: {column}");
        }
        assert_eq!(ways(&routed, "price"), ["copied"], "{name}");
        let of =
            |name: &str| routed["columns"].as_array().expect("columns").iter().find(|c| c["name"] == name).cloned();
        let (left, all) = (of("user_id").expect("is there"), of("note").expect("is there"));
        let count = |column: &serde_json::Value, figure: &str| column[figure].as_u64().expect("a number");
        assert!(count(&left, "transformed") > 0, "{name}: {left}");
        assert!(count(&left, "transformed") < count(&left, "values"), "{name}: {left}");
        assert!(count(&all, "transformed") + count(&all, "nulls") == count(&all, "values"), "{name}: {all}");
    }
}
