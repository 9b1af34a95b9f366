//! Objects that are gone or replaced by the time they are read: what a bucket lists is no promise.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use crate::support::{Lake, Ran, lakeveil};

use super::{CANARY, COLUMNS, GOOD, REPORTS, failed_clean, parquet, says};

/// What becomes of the bad object.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Gone,
    Replaced,
    /// By a store that passes over `If-Match`.
    ReplacedUnsaid,
    /// The connection ends within the object, again and again.
    CutShort,
}

/// A bucket `lake` with two objects under `in/`.
struct Bucket {
    bad: (&'static str, Vec<u8>),
    fate: Fate,
    /// Reads of the bad object that go well.
    well: usize,
}

impl Bucket {
    /// Serves it until the test ends; gives its address.
    fn serve(mut self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("is bound").to_string();
        std::thread::spawn(move || listener.incoming().for_each(|stream| self.answer(stream.expect("connects"))));
        address
    }

    /// One request, after which the connection ends.
    fn answer(&mut self, mut stream: TcpStream) {
        let lines = BufReader::new(stream.try_clone().expect("clones")).lines();
        let head: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let Some((method, path)) = head.first().and_then(|line| line.split_once(' ')) else { return };
        let path = path.split(' ').next().expect("has a first part");
        let header =
            |name: &str| head.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix(name).map(str::to_owned));
        let is_bad = path.ends_with(self.bad.0);
        let fate = (is_bad && self.well == 0).then_some(self.fate);
        if is_bad && method == "GET" {
            self.well = self.well.saturating_sub(1);
        }
        let etag = if matches!(fate, Some(Fate::Replaced | Fate::ReplacedUnsaid)) { "\"v2\"" } else { "\"v1\"" };
        let stale = header("if-match: ").is_some_and(|wanted| wanted != etag) && fate != Some(Fate::ReplacedUnsaid);
        let listing;
        let (status, body) = match path {
            "/lake" => unreachable!("a listing has a query"),
            _ if path.starts_with("/lake?") => {
                listing = self.listing();
                ("200 OK", listing.as_bytes())
            }
            _ if fate == Some(Fate::Gone) => ("404 Not Found", &[][..]),
            _ if stale => ("412 Precondition Failed", &[][..]),
            _ if is_bad => ("206 Partial Content", &self.bad.1[..]),
            _ if path.ends_with("/good.csv") => ("206 Partial Content", GOOD.as_bytes()),
            _ => ("404 Not Found", &[][..]),
        };
        let mut extra = String::new();
        let mut part = body;
        if let Some(range) = header("range: bytes=").filter(|_| status.starts_with("206")) {
            let (first, last) = range.split_once('-').expect("one range");
            let first: usize = first.parse().expect("a number");
            let last = last.parse::<usize>().expect("a number").min(body.len() - 1);
            extra = format!("content-range: bytes {first}-{last}/{}\r\n", body.len());
            part = &body[first..=last];
        }
        let (length, modified) = (part.len(), "last-modified: Wed, 25 Nov 2026 00:00:00 GMT");
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\netag: {etag}\r\n{modified}\r\n{extra}connection: close\r\n\r\n"
        );
        let sent = match (method, fate) {
            ("HEAD", _) => 0,
            (_, Some(Fate::CutShort)) => length / 2,
            _ => length,
        };
        // the client may have gone
        let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.write_all(&part[..sent]));
    }

    fn listing(&self) -> String {
        let entry = |name: &str, size: usize| {
            format!(
                "<Contents><Key>in/{name}</Key><LastModified>2026-11-25T00:00:00.000Z</LastModified>\
                 <ETag>&quot;v1&quot;</ETag><Size>{size}</Size></Contents>"
            )
        };
        let entries = entry(self.bad.0, self.bad.1.len()) + &entry("good.csv", GOOD.len());
        format!("<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>")
    }
}

fn run(lake: &Lake, address: &str) -> Ran {
    let mut command = lakeveil();
    command.current_dir(lake.path("")).args(["run", "policy.yaml"]).args(REPORTS).envs([
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", &format!("http://{address}")),
        ("AWS_REGION", "us-east-1"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ]);
    Ran::of(command.output().expect("the binary starts"))
}

/// Before it is looked at, and between the look and the work.
#[test]
fn fail_an_object_that_is_gone_or_replaced_after_it_was_listed() {
    let csv = format!("id,name,note\n1,{CANARY}@example.com,{CANARY}\n");
    for (object, bytes) in [("bad.csv", csv.into_bytes()), ("bad.parquet", parquet(100))] {
        for (fate, code, words) in [
            (Fate::Gone, "object-vanished", &["was there when the source was listed and is gone now", "run again"][..]),
            (Fate::Replaced, "object-changed", &["changed after it was listed", "another version", "run again"]),
            (Fate::ReplacedUnsaid, "object-changed", &["changed after it was listed", "another version", "run again"]),
            (Fate::CutShort, "storage-unreachable", &["cannot read", "check"]),
        ] {
            for well in [0, 1] {
                let lake = Lake::new();
                lake.policy_between("s3://lake/in/", "out/", COLUMNS);
                let address = Bucket { bad: (object, bytes.clone()), fate, well }.serve();
                let message = failed_clean(&lake, run(&lake, &address), object, code);
                says(&message, words);
            }
        }
    }
}

/// The server of the other test by itself: without a fate, all is read and written.
#[test]
fn an_object_that_stays_as_it_was_listed_is_written() {
    let lake = Lake::new();
    lake.policy_between("s3://lake/in/", "out/", COLUMNS);
    let address = Bucket { bad: ("same.csv", GOOD.into()), fate: Fate::Gone, well: usize::MAX }.serve();
    run(&lake, &address).expect(0);
    assert_eq!(lake.objects("out"), ["good.csv", "same.csv"]);
}
