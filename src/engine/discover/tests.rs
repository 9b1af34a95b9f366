use std::sync::Arc;

use super::*;
use crate::engine::storage::{Environment, Location, Storage};

fn entries(paths: &[&str]) -> Vec<Entry> {
    let entry = |path: &&str| Entry {
        path: path.trim_end_matches('/').to_owned(),
        size: if path.ends_with('/') { 0 } else { 9 },
        etag: Some("e".to_owned()),
        modified: None,
    };
    paths.iter().map(entry).collect()
}

fn keep(_: &Partition) -> Result<PartitionRewrite, String> {
    Ok(PartitionRewrite::Keep)
}

fn parquet(_: ObjectFormat) -> SinkFormat {
    SinkFormat::Parquet
}

fn zstd(_: ObjectFormat) -> SinkFormat {
    SinkFormat::Csv(Compression::Zstd)
}

fn naming(format: &dyn Fn(ObjectFormat) -> SinkFormat) -> Naming<'_> {
    Naming { format, names: OutputNames::Keep, partition: &keep }
}

fn found(paths: &[&str], selection: &Selection) -> Result<Discovered, DiscoverError> {
    discover(entries(paths), selection, None, &naming(&parquet), &PathPrivacy::Open)
}

fn outputs(discovered: &Discovered) -> Vec<&str> {
    discovered.objects.iter().map(|object| object.output.as_str()).collect()
}

#[test]
fn hidden_objects_and_folder_markers_are_skipped_and_counted() {
    let paths =
        ["b.csv", "a/", "a/x.csv", "_SUCCESS", "a/_tmp/y.csv", "a/.y.csv.crc", "empty/", "_lakeveil/records/1.json"];
    let found = found(&paths, &Selection::Tree).expect("discovers");
    assert_eq!(outputs(&found), ["a/x.parquet", "b.parquet"], "in the order of the paths");
    assert_eq!(found.skipped, Skipped { hidden: 4, markers: 2, unmatched: 0 });
}

#[test]
fn globs_stay_within_segments_unless_they_say_otherwise() {
    let paths = ["x.csv", "d=1/x.csv", "d=1/y.tsv", "d=1/e/x.csv", "d=2/x.csv"];
    for (pattern, expected) in [
        ("*.csv", vec!["x.parquet"]),
        ("d=*/*.csv", vec!["d=1/x.parquet", "d=2/x.parquet"]),
        ("**/x.csv", vec!["d=1/e/x.parquet", "d=1/x.parquet", "d=2/x.parquet", "x.parquet"]),
        ("d=1/*.{csv,tsv}", vec!["d=1/x.parquet", "d=1/y.parquet"]),
    ] {
        let found = found(&paths, &Selection::glob(pattern).expect("is a glob")).expect("discovers");
        assert_eq!(outputs(&found), expected, "{pattern}");
        assert_eq!(found.skipped.unmatched as usize, paths.len() - expected.len());
    }
    assert!(matches!(Selection::glob("{a,b"), Err(DiscoverError::Glob { .. })));
}

#[test]
fn endings_tell_the_format_and_are_replaced() {
    use Compression::{Gzip, None as Plain, Zstd};
    let csv = |compression, tab| Some(ObjectFormat::Csv { compression, tab });
    for (path, format, output) in [
        ("a.csv", csv(Plain, false), "a.csv.zst"),
        ("a.CSV.GZ", csv(Gzip, false), "a.csv.zst"),
        ("a.b.tsv.zst", csv(Zstd, true), "a.b.csv.zst"),
        ("a.parquet", Some(ObjectFormat::Parquet), "a.csv.zst"),
        ("part-0.snappy.pq", Some(ObjectFormat::Parquet), "part-0.snappy.csv.zst"),
        ("a.csv.gz#1", None, ""),
        ("é.txt", None, ""),
        ("csv", None, ""),
    ] {
        assert_eq!(format_of(path, None), format, "{path}");
        if format.is_some() {
            let (_, named) = naming(&zstd).output(path, ObjectFormat::Parquet, &PathPrivacy::Open).expect("has a name");
            assert_eq!(named, output, "{path}");
        }
    }
    assert_eq!(format_of("data", Some(GivenFormat::Csv)), csv(Plain, false));
    assert_eq!(format_of("data.gz", Some(GivenFormat::Csv)), csv(Gzip, false));
    assert_eq!(format_of("data", Some(GivenFormat::Parquet)), Some(ObjectFormat::Parquet));
}

#[test]
fn fail_a_name_that_tells_no_format() {
    let error = found(&["a.csv", "b.txt", "c"], &Selection::Tree).expect_err("must fail");
    assert!(error.to_string().contains("b.txt") && error.to_string().contains("1 more"), "{error}");
}

#[test]
fn partitions_are_decoded_and_written_anew() {
    let hash = |partition: &Partition| {
        Ok(match partition.column.as_str() {
            "id" => PartitionRewrite::Set { column: "id".to_owned(), value: Some("t/1=%".to_owned()) },
            "gone" => PartitionRewrite::Drop,
            _ => PartitionRewrite::Keep,
        })
    };
    let naming = Naming { format: &parquet, names: OutputNames::Keep, partition: &hash };
    let path = "plain/day=2026%3A1/gone=1/id=a%2Fb c/id=__HIVE_DEFAULT_PARTITION__/=x/f.csv";
    let (partitions, output) = naming.output(path, ObjectFormat::Parquet, &PathPrivacy::Open).expect("has a name");
    let read: Vec<_> = partitions.iter().map(|p| (p.column.as_str(), p.value.as_deref())).collect();
    let expected = [("day", Some("2026:1")), ("gone", Some("1")), ("id", Some("a/b c")), ("id", None)];
    assert_eq!(read, expected);
    assert_eq!(output, "plain/day=2026%3A1/id=t%2F1%3D%25/id=__HIVE_DEFAULT_PARTITION__/=x/f.parquet");
}

#[test]
fn hashed_names_leave_plain_folders_out() {
    let naming = Naming { format: &parquet, names: OutputNames::Hash(&|_| "00ff".to_owned()), partition: &keep };
    let (_, output) =
        naming.output("ada lovelace/day=1/ada.csv", ObjectFormat::Parquet, &PathPrivacy::Open).expect("has a name");
    assert_eq!(output, "day=1/00ff.parquet");
}

#[test]
fn fail_two_inputs_with_one_output() {
    let error = found(&["a.csv", "a.csv.gz"], &Selection::Tree).expect_err("must fail").to_string();
    assert!(error.contains("a.csv and a.csv.gz") && error.contains("a.parquet"), "{error}");

    let privacy = PathPrivacy::Keyed(Arc::new(|path: &str| format!("h{}", path.len())));
    let naming = naming(&parquet);
    let error = discover(entries(&["ada.csv", "ada.csv.gz"]), &Selection::Tree, None, &naming, &privacy);
    let error = error.expect_err("must fail").to_string();
    assert!(error.contains("hash h7") && error.contains("hash h10") && !error.contains("ada.csv"), "{error}");
}

#[test]
fn fail_a_partition_that_is_no_text_or_has_no_token_without_its_value() {
    let error = found(&["id=CANARY%FF/x.csv"], &Selection::Tree).expect_err("must fail");
    assert!(matches!(error, DiscoverError::Partition { .. }), "{error}");
    let refuse = |_: &Partition| Err("is too short".to_owned());
    let naming = Naming { format: &parquet, names: OutputNames::Keep, partition: &refuse };
    let privacy = PathPrivacy::Keyed(Arc::new(|_: &str| "00".to_owned()));
    let found = discover(entries(&["id=CANARY/x.csv"]), &Selection::Tree, None, &naming, &privacy);
    let error = found.expect_err("must fail").to_string();
    assert!(error.contains("`id`") && error.contains("too short") && !error.contains("CANARY"), "{error}");
}

#[test]
fn fail_on_the_plain_files_of_tables() {
    for (paths, table) in [
        (["x.parquet", "_delta_log/0.json"], "Delta Lake"),
        (["data/x.parquet", "metadata/1.metadata.json"], "Iceberg"),
        (["t/x.parquet", "t/.hoodie/hoodie.properties"], "Hudi"),
    ] {
        let error = found(&paths, &Selection::Tree).expect_err("must fail").to_string();
        assert!(error.contains(table), "{error}");
    }
    let beside = ["t/x.parquet", "t/_delta_log/0.json", "plain/x.parquet"];
    let glob = Selection::glob("plain/*").expect("is a glob");
    assert_eq!(outputs(&found(&beside, &glob).expect("the table is not meant")), ["plain/x.parquet"]);
}

#[tokio::test]
async fn a_source_is_a_folder_a_glob_or_an_object() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().display().to_string();
    let storage = Storage::open(&Location::parse(&root).expect("valid"), &Environment::default()).expect("opens");
    for path in ["a/x.csv", "a/_y.csv", "a/odd[1].csv"] {
        storage.put(path, "1".into()).await.expect("writes");
    }
    for (below, expected, filter) in [
        ("a", vec!["odd[1].parquet", "x.parquet"], None),
        ("a/*x.csv", vec!["x.parquet"], Some("*x.csv")),
        ("a/_y.csv", vec!["_y.parquet"], Some("_y.csv")),
        ("a/odd[1].csv", vec!["odd[1].parquet"], Some("odd[1].csv")),
        ("none", vec![], None),
    ] {
        let location = Location::parse(&format!("{root}/{below}")).expect("valid");
        let source = open_source(&location, &Environment::default()).await.expect("opens");
        let listed = source.list().await.expect("lists");
        let found = discover(listed, &source.selection, None, &naming(&parquet), &PathPrivacy::Open);
        assert_eq!(outputs(&found.expect("discovers")), expected, "{below}");
        assert_eq!(source.selection.filter().as_deref(), filter, "{below}");
    }
}
