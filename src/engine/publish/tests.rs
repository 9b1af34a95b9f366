use super::*;
use crate::engine::storage::{Environment, Location};

fn local(folder: &std::path::Path) -> Storage {
    let location = Location::parse(&folder.display().to_string()).expect("a path is a location");
    Storage::open(&location, &Environment::default()).expect("a folder opens")
}

async fn left_over(folder: &std::path::Path) -> Vec<String> {
    local(folder).list("").await.expect("lists").into_iter().map(|entry| entry.path).collect()
}

#[test]
fn parts_follow_the_input_and_stay_within_the_limits() {
    const TIB: u64 = 1 << 40;
    assert_eq!(base_part_bytes(0), MIN_PART_BYTES);
    assert_eq!(base_part_bytes(10 << 30), MIN_PART_BYTES);
    for size in [0, 1 << 30, 100 << 30, TIB, 5 * TIB] {
        let base = base_part_bytes(size);
        assert!(base >= MIN_PART_BYTES && base * EQUAL_PARTS >= 2 * size, "{size}");
    }
    let capacity: u64 = (0..MAX_PARTS).map(|index| part_bytes(1, index)).sum();
    assert_eq!(capacity, 8_000 + 500 * (2 + 4 + 8 + 16));
    // small parts by number, large ones by bytes, and one always
    let under_way = |mib: u64| parts_in_flight(mib << 20);
    assert_eq!([5, 21, 22, 32, 33, 64, 65, 300].map(under_way), [3, 3, 2, 2, 1, 1, 1, 1]);
}

#[tokio::test]
async fn the_digest_is_that_of_the_bytes() {
    for storage in [Storage::memory(), local(tempfile::tempdir().expect("a folder").path())] {
        let mut writer = ObjectWriter::create(&storage, "x", 0, true).await.expect("creates");
        writer.write("ab".into()).await.expect("writes");
        writer.write("c".into()).await.expect("writes");
        let published = writer.finish().await.expect("publishes");
        // FIPS 180-4, the example of one block.
        assert_eq!(published.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(storage.head("x").await.expect("is there").etag, published.etag);
    }
}

#[tokio::test]
async fn pieces_of_any_size_are_written_in_their_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = local(folder.path());
    let mut writer = ObjectWriter::create(&storage, "x", 0, false).await.expect("creates");
    let (small, whole, part) = (100, LOCAL_WHOLE_BYTES, LOCAL_PART_BYTES);
    let mut all = Vec::new();
    for len in [small, whole, whole - 1, whole - 1, part, 0, part + whole - 1, part + whole, 3 * part + small, small] {
        let piece: Vec<u8> = (0..len).map(|i| (i / 251 + all.len()) as u8).collect();
        all.extend_from_slice(&piece);
        writer.write(piece.into()).await.expect("writes");
    }
    let published = writer.finish().await.expect("publishes");
    assert_eq!(published.size, all.len() as u64);
    let digest = <sha2::Sha256 as sha2::Digest>::digest(&all);
    assert_eq!(published.sha256, data_encoding::HEXLOWER.encode(&digest));
    assert!(storage.get("x").await.expect("reads") == all);
}

#[tokio::test]
async fn nothing_has_the_name_before_the_end_and_no_temporary_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = local(folder.path());
    let mut writer = ObjectWriter::create(&storage, "a/b.parquet", 0, true).await.expect("creates");
    writer.write(vec![7; 3 * LOCAL_PART_BYTES + 1].into()).await.expect("writes");
    let before = left_over(folder.path()).await;
    assert!(before.iter().all(|path| path.starts_with("_lakeveil/tmp/")) && before.len() == 1, "{before:?}");
    let published = writer.finish().await.expect("publishes");
    assert_eq!(published.size, 3 * LOCAL_PART_BYTES as u64 + 1);
    assert_eq!(left_over(folder.path()).await, ["a/b.parquet"]);
}

#[tokio::test]
async fn a_dropped_or_aborted_writer_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = local(folder.path());
    for abort in [false, true] {
        let mut writer = ObjectWriter::create(&storage, "x", 0, false).await.expect("creates");
        writer.write(vec![7; 2 * LOCAL_PART_BYTES].into()).await.expect("writes");
        if abort {
            writer.abort().await.expect("aborts");
        } else {
            drop(writer);
        }
        assert!(left_over(folder.path()).await.is_empty(), "abort: {abort}");
    }
}

#[tokio::test]
async fn an_old_object_stays_until_the_new_one_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = local(folder.path());
    storage.put("x", "old".into()).await.expect("writes");
    let mut writer = ObjectWriter::create(&storage, "x", 0, false).await.expect("creates");
    writer.write("new".into()).await.expect("writes");
    assert_eq!(storage.get("x").await.expect("reads"), "old");
    writer.finish().await.expect("publishes");
    assert_eq!(storage.get("x").await.expect("reads"), "new");
}

#[tokio::test]
async fn fail_where_a_file_stands_in_the_way_of_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a"), "file").expect("writes");
    let storage = local(folder.path());
    let writer = ObjectWriter::create(&storage, "a/b", 0, true).await.expect("creates");
    let error = writer.finish().await.expect_err("must fail");
    assert_eq!(error.kind(), StorageErrorKind::Invalid, "{error}");
    assert_eq!(left_over(folder.path()).await, ["a"]);
}

#[tokio::test]
async fn temporaries_of_killed_runs_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let storage = local(folder.path());
    storage.put("kept", "1".into()).await.expect("writes");
    std::fs::write(folder.path().join("_lakeveil/tmp/dead.tmp"), "half").expect("writes");
    assert_eq!(clean_temporaries(&storage).await.expect("cleans"), 1);
    assert_eq!(left_over(folder.path()).await, ["kept"]);
}
