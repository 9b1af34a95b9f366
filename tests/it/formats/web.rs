//! One object of a web server as a source: what is asked of the server, and what its faults come to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::support::{Lake, token};

use super::{ROWS, USUAL, csv_text, email, gzip, parquet};

/// A server's way to answer.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Proper,
    /// The object has another version from the second request on.
    Changing,
    /// Always the whole object, as simple servers do.
    Whole,
    Missing,
}

struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// Serves `bytes` at every path until the test ends.
fn serve(bytes: Vec<u8>, manner: Manner) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("is bound").to_string();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (bytes, log) = (Arc::new(bytes), Arc::clone(&requests));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (bytes, log) = (Arc::clone(&bytes), Arc::clone(&log));
            std::thread::spawn(move || answer_all(stream.expect("connects"), &bytes, manner, &log));
        }
    });
    Server { address, requests }
}

/// One connection, request after request.
fn answer_all(mut stream: TcpStream, bytes: &[u8], manner: Manner, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().expect("clones")).lines();
    loop {
        let request: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        if request.is_empty() {
            return;
        }
        let request = request.join("\n").to_ascii_lowercase();
        let earlier = {
            let mut log = log.lock().expect("no panic");
            log.push(request.clone());
            log.len() - 1
        };
        let (head, body) = answer(&request, bytes, manner, earlier);
        let body = if request.starts_with("head") { &[][..] } else { body };
        // the client may have gone
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    }
}

fn answer<'a>(request: &str, bytes: &'a [u8], manner: Manner, earlier: usize) -> (String, &'a [u8]) {
    let header = |name: &str| request.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let etag = if manner == Manner::Changing && earlier > 0 { "\"v2\"" } else { "\"v1\"" };
    let range = header("range").filter(|_| manner != Manner::Whole).map(|range| {
        let (first, last) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).expect("one range");
        (first.parse::<usize>().expect("a number"), last.parse::<usize>().expect("a number"))
    });
    let (status, extra, body) = if manner == Manner::Missing {
        ("404 Not Found", String::new(), &[][..])
    } else if header("if-match").is_some_and(|wanted| wanted != etag) {
        ("412 Precondition Failed", String::new(), &[][..])
    } else if let Some((first, last)) = range {
        let last = last.min(bytes.len() - 1);
        let extra = format!("content-range: bytes {first}-{last}/{}\r\n", bytes.len());
        ("206 Partial Content", extra, &bytes[first..=last])
    } else {
        ("200 OK", String::new(), bytes)
    };
    let modified = "last-modified: Wed, 25 Nov 2026 00:00:00 GMT";
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\netag: {etag}\r\n{modified}\r\n{extra}\r\n", body.len());
    (head, body)
}

const RULES: &str = "columns:\n  id: { pseudonym: { domain: ids } }\n  email: { pseudonym: { domain: emails } }\n  \
                     blank: drop\n  note: drop\n";

fn lake(server: &Server, name: &str) -> Lake {
    let lake = Lake::new();
    lake.policy_between(&format!("http://{}/data/{name}", server.address), "out/", RULES);
    lake
}

#[test]
fn an_object_of_a_web_server_is_read_in_ranges_of_one_version() {
    for (name, output, bytes) in [
        ("t.parquet", "t.parquet", parquet(ROWS)),
        ("t.csv", "t.csv", csv_text(ROWS, USUAL).into_bytes()),
        ("t.csv.gz", "t.csv", gzip(&csv_text(ROWS, USUAL))),
    ] {
        let size = bytes.len();
        let server = serve(bytes, Manner::Proper);
        let lake = lake(&server, name);
        let report = lake.run_well(&[]);
        assert_eq!(lake.objects("out"), [output]);
        let made = super::read(&lake, &format!("out/{output}"), USUAL);
        let ids: Vec<_> = (0..ROWS).map(|row| Some(token("ids", &(row * 7).to_string()))).collect();
        let emails: Vec<_> = (0..ROWS).map(|row| email(row).map(|email| token("emails", &email))).collect();
        assert!(made["id"] == ids && made["email"] == emails, "{name}");
        let input = &report["objects"][0]["input"];
        assert_eq!((&input["etag"], &input["size"]), (&"v1".into(), &size.into()), "{name}");
        let requests = server.requests.lock().expect("no panic");
        let reads: Vec<_> = requests.iter().filter(|request| request.starts_with("get")).collect();
        assert!(!reads.is_empty(), "{name}");
        for read in reads {
            assert!(read.contains("range: bytes="), "{name}: {read}");
            assert!(read.contains("if-match: \"v1\""), "{name}: {read}");
        }
        drop(requests);
        let report = lake.run_well(&[]);
        assert_eq!(report["status"], "nothing-to-do", "{name}: the same version again");
    }
}

#[test]
fn faults_of_a_web_server_are_named_and_leave_no_object() {
    for (manner, code, words) in [
        (Manner::Changing, 1, vec!["t.csv", "changed"]),
        (Manner::Whole, 1, vec!["t.csv", "does not answer requests for a part"]),
        (Manner::Missing, 4, vec!["t.csv", "not"]),
    ] {
        let server = serve(csv_text(ROWS, USUAL).into_bytes(), manner);
        let lake = lake(&server, "t.csv");
        let said = lake.run(&[]).expect(code).words();
        for word in words {
            assert!(said.contains(word), "{word} is missing in {said}");
        }
        assert!(!said.contains("żółw"), "{said}");
        assert_eq!(lake.objects("out"), Vec::<String>::new(), "{said}");
    }
}

#[test]
fn what_signs_an_address_is_sent_and_never_told() {
    let server = serve(csv_text(10, USUAL).into_bytes(), Manner::Proper);
    let lake = lake(&server, "t.csv?sig=CANARY-signature");
    let report = lake.run_well(&["--openlineage", "events.jsonl"]);
    let plan = lake.lakeveil("plan", ["--full"]).expect(0).words();
    assert!(server.requests.lock().expect("no panic").iter().all(|request| request.contains("sig=canary-signature")));
    assert!(!plan.contains("CANARY-signature") && !report.to_string().contains("CANARY-signature"));
    assert_eq!(lake.holding("out", "CANARY-signature"), Vec::<String>::new());
    assert_eq!(lake.holding("events.jsonl", "CANARY-signature"), Vec::<String>::new());
}

#[test]
fn a_web_server_is_no_sink() {
    let lake = Lake::new();
    lake.put("in/t.csv", "id\n1\n");
    lake.policy_between("in/", "https://example.org/out/", "columns: { id: drop }\n");
    let said = lake.run(&[]).expect(2).stderr;
    assert!(said.contains("https://") && said.contains("source"), "{said}");
}
