//! One contract for every store: folders, memory, and real servers where their URLs are set.
//!
//! `LAKEVEIL_TEST_S3`, `LAKEVEIL_TEST_AZURE` and `LAKEVEIL_TEST_GCS` name a folder that may be written, such as
//! `s3://lake/tests`; credentials and endpoints come from the usual variables.

use std::path::Path;

use bytes::Bytes;
use futures::TryStreamExt;
use lakeveil::engine::discover::open_source;
use lakeveil::engine::lease::{Lease, break_lease};
use lakeveil::engine::publish::ObjectWriter;
use lakeveil::engine::storage::{Environment, Expected, Location, Storage, StorageErrorKind};

/// Names that some client, store or file system likes to change.
const ODD_NAMES: [&str; 8] = [
    "day=2026-11-22/part 0.csv",
    "percent/%41%2F.csv",
    "a+b&c.csv",
    "\"quoted\" 'twice'.csv",
    "ünï/çødé/日本.csv",
    "hash#12",
    "~tilde[1]{2}.csv",
    "dots..in.name.csv",
];

fn folder(path: &Path) -> Storage {
    let location = Location::parse(&path.display().to_string()).expect("a path is a location");
    Storage::open(&location, &Environment::default()).expect("a folder opens")
}

async fn storage_contract(storage: &Storage) {
    for entry in storage.list("").await.expect("lists what an earlier test left") {
        storage.delete(&entry.path).await.expect("deletes it");
    }
    small_objects(storage).await;
    odd_names(storage).await;
    ranges_and_streams(storage).await;
    versions(storage).await;
    writers(storage).await;
    for entry in storage.list("").await.expect("lists") {
        storage.delete(&entry.path).await.expect("deletes");
    }
    assert!(storage.list("").await.expect("lists").is_empty());
}

async fn small_objects(storage: &Storage) {
    assert_eq!(storage.get("none").await.expect_err("is not there").kind(), StorageErrorKind::NotFound);
    assert_eq!(storage.head("none").await.expect_err("is not there").kind(), StorageErrorKind::NotFound);
    storage.delete("none").await.expect("what is not there is deleted");
    assert!(storage.list("no/such/folder").await.expect("an absent folder is empty").is_empty());

    storage.put("a/x", "one".into()).await.expect("writes");
    let put = storage.put("a/x", "three".into()).await.expect("writes over");
    assert_eq!(storage.get("a/x").await.expect("reads"), "three");
    let head = storage.head("a/x").await.expect("looks up");
    assert_eq!((head.path.as_str(), head.size), ("a/x", 5));
    assert_eq!(head.etag, put.etag, "the etag of the write is the etag of the object");

    storage.put_new("a/new", "1".into()).await.expect("creates");
    let error = storage.put_new("a/new", "2".into()).await.expect_err("is there");
    assert_eq!(error.kind(), StorageErrorKind::Exists, "{error}");
    assert_eq!(storage.get("a/new").await.expect("reads"), "1");

    storage.put("ab/y", "1".into()).await.expect("writes");
    let listed = storage.list("a").await.expect("lists");
    let paths: Vec<_> = listed.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["a/new", "a/x"], "whole segments, in order, nothing else");
    assert_eq!(listed[1].etag, put.etag, "the listing shows the same etag");
    for path in ["", "/a", "a//b", "../a", "a/./b"] {
        assert_eq!(storage.get(path).await.expect_err("no such path").kind(), StorageErrorKind::Invalid, "{path}");
    }
}

async fn odd_names(storage: &Storage) {
    for name in ODD_NAMES {
        let path = format!("odd/{name}");
        storage.put(&path, Bytes::from(name)).await.expect(name);
        assert_eq!(storage.get(&path).await.expect(name), name);
    }
    let mut expected: Vec<_> = ODD_NAMES.iter().map(|name| format!("odd/{name}")).collect();
    expected.sort_unstable();
    let listed = storage.list("odd").await.expect("lists");
    assert_eq!(listed.iter().map(|entry| entry.path.clone()).collect::<Vec<_>>(), expected);
    for entry in &listed {
        let all = storage.get_range(&entry.path, 0..entry.size, &entry.into()).await.expect(&entry.path);
        assert_eq!(format!("odd/{}", String::from_utf8_lossy(&all)), entry.path);
        storage.delete(&entry.path).await.expect("deletes");
    }
    assert!(storage.list("odd").await.expect("lists").is_empty());
}

async fn ranges_and_streams(storage: &Storage) {
    // Three pieces of a stream, the last one short; no two MiB alike.
    let bytes: Vec<u8> = (0..17 * 1024 * 1024_u32).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect();
    let mut writer = ObjectWriter::create(storage, "big", 0, false).await.expect("creates");
    writer.write(bytes.clone().into()).await.expect("writes");
    let published = writer.finish().await.expect("publishes in four parts");
    let entry = storage.head("big").await.expect("is there");
    assert_eq!((entry.size, &entry.etag), (bytes.len() as u64, &published.etag));
    let expected = Expected::from(&entry);

    let ranges = [9_000_000..9_000_010, 0..4, 10..20, 5..5, 17_825_000..17_825_792];
    let read = storage.read_ranges("big", &ranges, &expected).await.expect("reads");
    for (range, read) in ranges.iter().zip(&read) {
        assert_eq!(read[..], bytes[range.start as usize..range.end as usize], "{range:?}");
    }
    let error = storage.get_range("big", 0..entry.size + 1, &expected).await.expect_err("is too far");
    assert_eq!(error.kind(), StorageErrorKind::Invalid);

    let pieces: Vec<Bytes> = storage.get_stream("big", &expected).try_collect().await.expect("streams");
    assert!(pieces.len() > 1);
    assert_eq!(pieces.concat(), bytes);

    storage.put("empty", Bytes::new()).await.expect("writes");
    let empty = storage.head("empty").await.expect("is there");
    let pieces: Vec<Bytes> = storage.get_stream("empty", &(&empty).into()).try_collect().await.expect("streams");
    assert!(pieces.is_empty());
}

async fn versions(storage: &Storage) {
    storage.put("v", "first".into()).await.expect("writes");
    let listed =
        Expected::from(&storage.list("").await.expect("lists").into_iter().find(|e| e.path == "v").expect("v"));
    assert_eq!(storage.get_range("v", 1..3, &listed).await.expect("the listed version"), "ir");
    for now in ["other", "longer than before"] {
        storage.put("v", now.into()).await.expect("writes over");
        for range in [1..3, 0..0] {
            let error = storage.get_range("v", range, &listed).await.expect_err("another version");
            assert_eq!(error.kind(), StorageErrorKind::Changed, "{error}");
        }
    }
    storage.delete("v").await.expect("deletes");
    for range in [1..3, 0..0] {
        let error = storage.get_range("v", range, &listed).await.expect_err("is gone");
        assert_eq!(error.kind(), StorageErrorKind::Vanished, "{error}");
    }
    let streamed: Result<Vec<Bytes>, _> = storage.get_stream("v", &listed).try_collect().await;
    assert_eq!(streamed.expect_err("is gone").kind(), StorageErrorKind::Vanished);
}

async fn writers(storage: &Storage) {
    for size in [0, 1, 6 * 1024 * 1024] {
        let mut writer = ObjectWriter::create(storage, "w/x", size, true).await.expect("creates");
        writer.write(vec![b'x'; size as usize].into()).await.expect("writes");
        let published = writer.finish().await.expect("publishes");
        let listed = storage.list("w").await.expect("lists");
        assert_eq!((listed[0].size, &listed[0].etag), (size, &published.etag), "{size}");
    }
    let before = storage.head("w/x").await.expect("is there");
    for abort in [true, false] {
        let mut writer = ObjectWriter::create(storage, "w/x", 0, true).await.expect("creates");
        writer.write(vec![b'y'; 12 * 1024 * 1024].into()).await.expect("writes parts");
        if abort {
            writer.abort().await.expect("aborts");
        } else {
            drop(writer);
        }
        let now = storage.head("w/x").await.expect("is there");
        assert_eq!(now.etag, before.etag, "an unfinished writer changes nothing (abort: {abort})");
    }
}

#[tokio::test]
async fn a_folder_keeps_the_contract() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    storage_contract(&folder(&dir.path().join("made/on the way"))).await;
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    storage_contract(&Storage::memory()).await;
}

/// `None`, said aloud, where the variable is not set.
fn server(variable: &str) -> Option<Storage> {
    let Ok(url) = std::env::var(variable) else {
        eprintln!("SKIPPED: {variable} is not set, so this store was not tested");
        return None;
    };
    let location = Location::parse(&url).expect("the variable holds a location");
    Some(Storage::open(&location, &Environment::of_process()).expect("the settings are complete"))
}

#[tokio::test]
async fn s3_keeps_the_contract() {
    if let Some(storage) = server("LAKEVEIL_TEST_S3") {
        storage_contract(&storage).await;
    }
}

#[tokio::test]
async fn azure_keeps_the_contract() {
    if let Some(storage) = server("LAKEVEIL_TEST_AZURE") {
        storage_contract(&storage).await;
    }
}

#[tokio::test]
async fn gcs_keeps_the_contract() {
    if let Some(storage) = server("LAKEVEIL_TEST_GCS") {
        storage_contract(&storage).await;
    }
}

#[tokio::test]
async fn s3_names_a_bucket_that_is_not_there_and_a_key_that_is_wrong() {
    if server("LAKEVEIL_TEST_S3").is_none() {
        return;
    }
    let location = Location::parse("s3://no-such-bucket-here/x").expect("valid");
    let storage = Storage::open(&location, &Environment::of_process()).expect("opens");
    // Listing, since some servers make a bucket for whoever writes.
    let error = storage.list("").await.expect_err("there is no such bucket");
    assert_eq!(error.kind(), StorageErrorKind::NotFound, "{error}");

    let url = std::env::var("LAKEVEIL_TEST_S3").expect("was set above");
    let wrong = std::env::vars().map(|(name, value)| match name.as_str() {
        "AWS_SECRET_ACCESS_KEY" => (name, "CANARY".to_owned()),
        _ => (name, value),
    });
    let storage = Storage::open(&Location::parse(&url).expect("valid"), &Environment::of(wrong)).expect("opens");
    for error in [
        storage.list("").await.expect_err("the key is wrong"),
        storage.put("x", "1".into()).await.expect_err("the key is wrong"),
    ] {
        assert_eq!(error.kind(), StorageErrorKind::Denied, "{error}");
        assert!(!format!("{error} {error:?}").contains("CANARY"));
    }
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_unreachable() {
    let variables = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "CANARY"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ];
    let environment = Environment::of(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let storage = Storage::open(&Location::parse("s3://b/x").expect("valid"), &environment).expect("opens");
    for error in [
        storage.list("").await.expect_err("nothing listens there"),
        storage.put("x", "1".into()).await.expect_err("nothing listens there"),
        storage.get("x").await.expect_err("nothing listens there"),
    ] {
        assert_eq!(error.kind(), StorageErrorKind::Unreachable, "{error}");
        assert!(error.to_string().contains("endpoint") && !error.to_string().contains("CANARY"), "{error}");
    }
}

#[tokio::test]
async fn fail_to_write_below_a_file() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("file"), "").expect("writes");
    let storage = folder(&dir.path().join("file"));
    let error = storage.put("x", "1".into()).await.expect_err("a file is no folder");
    assert_eq!(error.kind(), StorageErrorKind::Invalid, "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_and_loops_named() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let storage = folder(&dir.path().join("lake"));
    storage.put("a/x.csv", "1".into()).await.expect("writes");
    std::fs::create_dir(dir.path().join("old")).expect("creates");
    std::fs::write(dir.path().join("old/y.csv"), "22").expect("writes");
    symlink(dir.path().join("old"), dir.path().join("lake/b")).expect("links a folder");
    symlink(dir.path().join("old/y.csv"), dir.path().join("lake/z.csv")).expect("links a file");
    let listed = storage.list("").await.expect("lists");
    let listed: Vec<_> = listed.iter().map(|entry| (entry.path.as_str(), entry.size)).collect();
    assert_eq!(listed, [("a/x.csv", 1), ("b/y.csv", 2), ("z.csv", 2)]);

    symlink(dir.path().join("nowhere"), dir.path().join("lake/broken")).expect("links nothing");
    let error = storage.list("").await.expect_err("nobody knows what was there");
    assert!(error.to_string().contains("broken"), "{error}");
    std::fs::remove_file(dir.path().join("lake/broken")).expect("removes the link");

    symlink(dir.path().join("lake"), dir.path().join("lake/a/up")).expect("links upwards");
    let error = storage.list("").await.expect_err("the names would never end");
    assert!(error.to_string().contains("a/up"), "{error}");
}

#[tokio::test]
async fn a_web_server_is_read_by_single_objects_only() {
    let location = Location::parse("http://127.0.0.1:9/x").expect("valid");
    let storage = Storage::open(&location, &Environment::default()).expect("opens");
    for error in [
        storage.list("").await.expect_err("cannot be listed"),
        storage.put("x", "1".into()).await.expect_err("cannot be written"),
    ] {
        assert_eq!(error.kind(), StorageErrorKind::Invalid, "{error}");
    }
}

#[tokio::test]
async fn leases_exclude_each_other_on_s3() {
    let Some(storage) = server("LAKEVEIL_TEST_S3") else { return };
    // A folder beside that of the contract, which runs at the same time and deletes all it finds.
    let (beside, name) = storage.location().split_last().expect("the variable names a folder in a bucket");
    let location = beside.join(&format!("{name}-lease"));
    let storage = Storage::open(&location, &Environment::of_process()).expect("opens");
    break_lease(&storage).await.expect("what an earlier test left");
    let lease = Lease::acquire(&storage, "run-1", "tests").await.expect("is free");
    let error = Lease::acquire(&storage, "run-2", "tests").await.expect_err("is held");
    assert_eq!(error.kind(), StorageErrorKind::Exists, "{error}");
    lease.release().await.expect("releases");
}

/// `LAKEVEIL_TEST_LYING_S3_ENDPOINT`: an S3 server that ignores `If-None-Match`, with a bucket `lake`.
#[tokio::test]
async fn fail_to_lease_from_a_store_that_ignores_conditions() {
    let Ok(endpoint) = std::env::var("LAKEVEIL_TEST_LYING_S3_ENDPOINT") else {
        eprintln!("SKIPPED: LAKEVEIL_TEST_LYING_S3_ENDPOINT is not set");
        return;
    };
    let variables = std::env::vars().filter(|(name, _)| !name.starts_with("AWS_ENDPOINT"));
    let environment = Environment::of(variables.chain([("AWS_ENDPOINT_URL".to_owned(), endpoint)]));
    let storage = Storage::open(&Location::parse("s3://lake/lying").expect("valid"), &environment).expect("opens");
    let error = Lease::acquire(&storage, "run-1", "tests").await.expect_err("two could hold it");
    assert!(error.to_string().contains("If-None-Match") && error.to_string().contains("sink.records"), "{error}");
    assert!(storage.list("").await.expect("lists").is_empty(), "nothing stays behind");
}

/// Serves one object at `/a%20b.csv?sig=1` over plain HTTP until the test ends, by parts or (`ranges` false) not.
fn web_server(body: &'static str, ranges: bool) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/a%20b.csv?sig=1", listener.local_addr().expect("is bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.expect("connects"), body, ranges);
        }
    });
    url
}

fn answer(stream: std::net::TcpStream, body: &str, ranges: bool) {
    use std::io::{BufRead, BufReader, Write};
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let Some(request) = lines.next() else { return };
    let headers: Vec<_> = lines.map(|line| line.to_ascii_lowercase()).collect();
    let range = headers.iter().find_map(|line| {
        let (start, end) = line.strip_prefix("range: bytes=")?.split_once('-')?;
        Some((start.parse::<usize>().ok()?, end.parse::<usize>().ok()?))
    });
    let is_other_version = headers.iter().any(|line| line.starts_with("if-match:") && !line.contains("\"v1\""));
    let (status, part, extra) = match range {
        _ if !request.contains(" /a%20b.csv?sig=1 ") => ("404 Not Found", "", String::new()),
        _ if is_other_version => ("412 Precondition Failed", "", String::new()),
        Some((start, end)) if ranges => {
            let range = format!("Content-Range: bytes {start}-{end}/{}\r\n", body.len());
            ("206 Partial Content", &body[start..=end], range)
        }
        _ => ("200 OK", body, String::new()),
    };
    let sent = if request.starts_with("HEAD") { "" } else { part };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: \"v1\"\r\n{extra}", part.len());
    // A client that has gone away is its own affair.
    let _ = (&stream).write_all(format!("{head}Connection: close\r\n\r\n{sent}").as_bytes());
}

#[tokio::test]
async fn a_web_object_is_read_with_its_query_and_checked() {
    let location = Location::parse(&web_server("id,name\n1,x\n", true)).expect("valid");
    let source = open_source(&location, &Environment::default()).await.expect("opens");
    let entries = source.list().await.expect("looks it up");
    let entry = &entries[0];
    assert_eq!((entry.path.as_str(), entry.size, entry.etag.as_deref()), ("a b.csv", 12, Some("v1")));
    let read = source.storage.get_range(&entry.path, 3..7, &entry.into()).await.expect("reads");
    assert_eq!(read, "name");
    let other = Expected { etag: Some("v0".to_owned()), ..Expected::from(entry) };
    let error = source.storage.get_range(&entry.path, 3..7, &other).await.expect_err("another version");
    assert_eq!(error.kind(), StorageErrorKind::Changed, "{error}");
    assert!(!error.to_string().contains("v1"), "an etag can be a digest of the bytes: {error}");
    assert!(!error.to_string().contains("sig="), "{error}");
}

#[tokio::test]
async fn fail_a_web_server_that_knows_no_ranges() {
    let location = Location::parse(&web_server("id\n1\n", false)).expect("valid");
    let source = open_source(&location, &Environment::default()).await.expect("opens");
    let entry = source.list().await.expect("looks it up").remove(0);
    let error = source.storage.get_range(&entry.path, 0..2, &(&entry).into()).await.expect_err("gets all or nothing");
    assert!(error.to_string().contains("copy it"), "{error}");
}
