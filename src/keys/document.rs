//! The keyring document as it is written: shapes only, nothing checked but JSON, version and key names.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::KeyError;
use super::material::SecretText;
use crate::crypto::Secret;

/// The version of the document format.
pub(super) const VERSION: u64 = 1;
/// The id of a bare secret.
const BARE_ID: &str = "default";

/// The whole document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) version: u64,
    pub(super) keys: Vec<Entry>,
}

/// One key. What must be there is checked later, so that messages can name the key.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Entry {
    pub(super) id: Option<String>,
    pub(super) state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<SecretText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subkeys: Option<Vec<SubkeyEntry>>,
}

/// One exported subkey.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubkeyEntry {
    pub(super) purpose: String,
    pub(super) domain: String,
    pub(super) tenant: String,
    pub(super) secret: SecretText,
    pub(super) root_fingerprint: String,
}

impl Document {
    /// Reads a keyring document or a bare secret: the first byte that is not ASCII white space tells which.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, KeyError> {
        let first_is_brace = |bytes: &[u8]| bytes.trim_ascii_start().first() == Some(&b'{');
        if first_is_brace(bytes) {
            return Self::from_json(bytes);
        }
        // else a keyring saved by such an editor would silently become one secret
        if bytes.strip_prefix(b"\xef\xbb\xbf").is_some_and(first_is_brace) {
            return Err(KeyError::ByteOrderMark);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| KeyError::NotUtf8)?;
        let text = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text);
        let entry = Entry {
            id: Some(BARE_ID.to_owned()),
            state: Some("active".to_owned()),
            secret: Some(SecretText::bare(text)),
            ..Entry::default()
        };
        Ok(Self { version: VERSION, keys: vec![entry] })
    }

    fn from_json(bytes: &[u8]) -> Result<Self, KeyError> {
        /// Read first, so that a later version is named as such and not as unknown keys.
        #[derive(Deserialize)]
        struct Versioned {
            version: Option<u64>,
        }

        let Versioned { version } = serde_json::from_slice(bytes).map_err(position)?;
        if version != Some(VERSION) {
            return Err(KeyError::Version { found: version });
        }
        serde_json::from_slice(bytes).map_err(position)
    }

    /// The document as indented JSON with a final line break.
    pub(super) fn to_json(&self) -> Secret {
        // reserved at once, since a buffer that grows leaves copies behind
        let mut json = Zeroizing::new(Vec::with_capacity(self.json_capacity()));
        serde_json::to_writer_pretty(&mut *json, self).expect("strings and numbers written into memory");
        json.push(b'\n');
        Secret::new(json)
    }

    /// Bytes that the document takes in JSON at the most.
    pub(super) fn json_capacity(&self) -> usize {
        /// More than names, quotes and indentation of an entry take.
        const FRAME_BYTES: usize = 512;
        /// The longest escape of one byte: `\u0001`.
        const ESCAPE_BYTES: usize = 6;

        let subkeys = self.keys.iter().filter_map(|key| key.subkeys.as_ref()).flatten();
        let entries = 1 + self.keys.len() + subkeys.clone().count();
        let texts = self.keys.iter().map(Entry::text_bytes).chain(subkeys.map(SubkeyEntry::text_bytes));
        FRAME_BYTES * entries + ESCAPE_BYTES * texts.sum::<usize>()
    }
}

impl Entry {
    /// Bytes of its own texts.
    fn text_bytes(&self) -> usize {
        let texts = [&self.id, &self.state, &self.created, &self.scheme];
        texts.into_iter().flatten().map(String::len).sum::<usize>() + self.secret.as_ref().map_or(0, SecretText::len)
    }
}

impl SubkeyEntry {
    /// Bytes of its own texts.
    fn text_bytes(&self) -> usize {
        [&self.purpose, &self.domain, &self.tenant, &self.root_fingerprint].into_iter().map(String::len).sum::<usize>()
            + self.secret.len()
    }
}

/// Where JSON is wrong. The text of the error is dropped: it quotes the document.
fn position(error: serde_json::Error) -> KeyError {
    let (line, column) = (error.line(), error.column());
    if error.is_data() { KeyError::NotKeyring { line, column } } else { KeyError::NotJson { line, column } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_of_a_written_document_is_large_enough_from_the_start() {
        let escaped = "\\u0001".repeat(400);
        let subkey = format!(
            r#"{{"purpose": "p", "domain": "{escaped}", "tenant": "", "secret": "{escaped}", "root_fingerprint": ""}}"#
        );
        let json = format!(
            r#"{{"version": 1, "keys": [{{"secret": "{escaped}"}}, {{"id": "{escaped}", "subkeys": [{subkey}, {subkey}]}}]}}"#
        );
        let document = Document::read(json.as_bytes()).unwrap();
        let written = document.to_json();
        assert!(written.expose().len() > 5 * 6 * 400);
        assert!(written.expose().len() <= document.json_capacity());
        assert_eq!(Document::read(written.expose()).unwrap().to_json().expose(), written.expose());
    }
}
