use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::json;

use super::*;

/// A server for one request; gives its address and, once asked, the request's head and body.
fn server_answering(answer: &'static str) -> (String, JoinHandle<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound").to_string();
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("one request");
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a header line");
            if line.trim().is_empty() {
                break;
            }
            let line = line.to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a number");
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the whole body");
        stream.write_all(answer.as_bytes()).expect("an answer");
        (head, String::from_utf8(body).expect("JSON is UTF-8"))
    });
    (address, served)
}

#[tokio::test]
async fn event_is_posted_as_json_to_the_default_path_with_the_token() {
    let (address, served) = server_answering("HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n");
    let emitter = Emitter::new(&format!("http://{address}"), Some("tok-1")).expect("a destination");
    emitter.emit(&json!({ "eventType": "START" })).await.expect("taken");
    let (head, body) = served.join().expect("the server");
    assert!(head.starts_with("post /api/v1/lineage http/1.1"), "{head}");
    assert!(head.contains("authorization: bearer tok-1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(body, r#"{"eventType":"START"}"#);
}

#[tokio::test]
async fn path_of_the_url_is_kept_and_no_token_is_made_up() {
    let (address, served) = server_answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    Emitter::new(&format!("http://{address}/mine?a=b"), None).expect("ok").emit(&json!({})).await.expect("taken");
    let (head, _) = served.join().expect("the server");
    assert!(head.starts_with("post /mine?a=b http/1.1"), "{head}");
    assert!(!head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn refusal_names_server_and_status_but_neither_body_nor_credentials() {
    let (address, served) = server_answering("HTTP/1.1 422 Nope\r\ncontent-length: 6\r\n\r\ncanary");
    let emitter = Emitter::new(&format!("http://me:canary@{address}/x?k=canary"), Some("canary")).expect("ok");
    let error = emitter.emit(&json!({ "v": "canary" })).await.expect_err("refused");
    served.join().expect("the server");
    let warning = error.as_warning();
    assert_eq!(warning.code, "openlineage-not-sent");
    assert!(warning.message.contains("422") && warning.message.contains(&address), "{}", warning.message);
    for text in [warning.message, format!("{error:?}"), format!("{emitter:?}")] {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (address, served) =
        server_answering("HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n");
    let error = Emitter::new(&format!("http://{address}"), None).expect("ok").emit(&json!({})).await;
    served.join().expect("the server");
    assert!(matches!(error, Err(EmitError::Refused { status: 307, .. })), "{error:?}");
}

#[tokio::test]
async fn unreachable_server_is_an_error_not_a_panic() {
    let address = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let error = Emitter::new(&format!("http://{address}"), None).expect("ok").emit(&json!({})).await;
    assert!(matches!(error, Err(EmitError::Unreachable { reason: "no connection", .. })), "{error:?}");
}

#[tokio::test]
async fn events_are_appended_to_a_file_one_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.ndjson");
    let emitter = Emitter::new(path.to_str().expect("UTF-8"), None).expect("ok");
    for event in [json!({ "n": 1 }), json!({ "n": "two\nlines" })] {
        emitter.emit(&event).await.expect("written");
    }
    let text = std::fs::read_to_string(&path).expect("the file");
    assert_eq!(text, "{\"n\":1}\n{\"n\":\"two\\nlines\"}\n");
}

#[tokio::test]
async fn file_in_a_missing_folder_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("missing/events.ndjson");
    let error = Emitter::new(path.to_str().expect("UTF-8"), None).expect("ok").emit(&json!({})).await;
    assert!(error.expect_err("no folder").to_string().contains("missing/events.ndjson"));
}

#[test]
fn other_schemes_and_unusable_tokens_are_refused_at_once() {
    assert!(matches!(Emitter::new("s3://b/e.ndjson", None), Err(EmitError::Scheme { scheme }) if scheme == "s3"));
    assert!(matches!(Emitter::new("http://", None), Err(EmitError::Url { .. })));
    let error = Emitter::new("http://host", Some("can\nary")).expect_err("a line end in the token");
    assert!(matches!(error, EmitError::ApiKey));
    assert!(!format!("{error} {error:?}").contains("ary\""));
}
