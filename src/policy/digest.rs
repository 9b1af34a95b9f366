//! Digests of documents, whatever order their keys were written in.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// `SHA-256(canonical JSON)` in lower-case hexadecimal: keys sorted by their UTF-8 bytes at every level, no white
/// space, numbers and texts as serde_json writes them.
///
/// ```
/// use lakeveil::policy::sha256_of_canonical_json;
/// let digest = sha256_of_canonical_json(&serde_json::json!({ "b": [1, 2], "a": null }));
/// assert_eq!(digest, "ee743f2fa2570a1b5e3270cc405d0456b983ba03ab9cb27552fc6c1a720183c7");
/// ```
pub fn sha256_of_canonical_json(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(entries) => {
            // sorted here rather than trusted: serde_json keeps the order of insertion under one of its features
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_keys_is_nothing() {
        let mut text = String::new();
        let value: Value = serde_json::from_str(r#"{"b": {"z": 1, "é": "\n", "y": [true, null]}, "a": 1.5}"#).unwrap();
        write_canonical(&value, &mut text);
        assert_eq!(text, r#"{"a":1.5,"b":{"y":[true,null],"z":1,"é":"\n"}}"#);
    }

    #[test]
    fn the_digest_is_that_of_the_text() {
        // printf '{"a":null,"b":[1,2]}' | sha256sum
        let digest = "ee743f2fa2570a1b5e3270cc405d0456b983ba03ab9cb27552fc6c1a720183c7";
        assert_eq!(sha256_of_canonical_json(&json!({ "b": [1, 2], "a": null })), digest);
        assert_ne!(sha256_of_canonical_json(&json!({ "b": [2, 1], "a": null })), digest);
    }
}
