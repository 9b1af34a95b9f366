//! New keys: `lakeveil key new`.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use zeroize::Zeroizing;

use super::document::{Document, Entry, VERSION};
use super::error::KeyError;
use super::keyring::{KeyState, Keyring, is_id};
use super::material::SecretText;
use super::problem::EntryProblem;
use crate::crypto::Secret;

/// Bytes of a secret made here: as many as HMAC-SHA256 can use.
const SECRET_BYTES: usize = 32;

/// A keyring document with one active key of 32 random bytes.
///
/// ```
/// use lakeveil::keys::{Keyring, new};
/// use std::time::SystemTime;
///
/// let document = new::generate("2026-11", SystemTime::now())?;
/// assert_eq!(Keyring::parse(&document)?.active().id(), "2026-11");
/// # Ok::<(), lakeveil::keys::KeyError>(())
/// ```
///
/// # Errors
/// An id that is not one, or an operating system without random bytes.
pub fn generate(id: &str, now: SystemTime) -> Result<Secret, KeyError> {
    Ok(Document { version: VERSION, keys: vec![entry(id, now)?] }.to_json())
}

/// The keyring document with one more key, which becomes the active one; the key that was active becomes retired.
///
/// The other entries keep their fields and the way in which their secrets are written; layout is not kept. A bare
/// secret becomes the key `default` of a keyring.
///
/// # Errors
/// A document that is not a valid keyring, an id that is there already or is not one, or an operating system without
/// random bytes.
pub fn append(document: &Secret, id: &str, now: SystemTime) -> Result<Secret, KeyError> {
    let mut document = Document::read(document.expose())?;
    Keyring::from_document(&document)?;
    for key in &mut document.keys {
        if key.state.as_deref() == Some(KeyState::Active.name()) {
            key.state = Some(KeyState::Retired.name().to_owned());
        }
    }
    document.keys.push(entry(id, now)?);
    Keyring::from_document(&document)?;
    Ok(document.to_json())
}

fn entry(id: &str, now: SystemTime) -> Result<Entry, KeyError> {
    if !is_id(id) {
        return Err(KeyError::Entry { entry: "the new key".to_owned(), problem: EntryProblem::Id });
    }
    let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(&mut *bytes).map_err(KeyError::Random)?;
    Ok(Entry {
        id: Some(id.to_owned()),
        state: Some(KeyState::Active.name().to_owned()),
        created: Some(DateTime::<Utc>::from(now).to_rfc3339_opts(SecondsFormat::Secs, true)),
        secret: Some(SecretText::hex(&*bytes)),
        ..Entry::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// 2026-11-22T00:00:00Z
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_305_600)
    }

    fn text(document: &Secret) -> &str {
        std::str::from_utf8(document.expose()).unwrap()
    }

    #[test]
    fn a_new_keyring_has_one_active_key_of_32_bytes_in_hex() {
        let document = generate("2026-11", now()).unwrap();
        let value: serde_json::Value = serde_json::from_str(text(&document)).unwrap();
        assert_eq!(value["version"], 1);
        let [key] = value["keys"].as_array().unwrap().as_slice() else { panic!("one key") };
        let secret = key["secret"].as_str().unwrap().strip_prefix("hex:").unwrap();
        assert_eq!((key["id"].as_str(), key["state"].as_str()), (Some("2026-11"), Some("active")));
        assert_eq!(key["created"], "2026-11-22T00:00:00Z");
        assert_eq!(secret.len(), 64);
        assert_eq!(key.as_object().unwrap().len(), 4);
        assert!(text(&document).ends_with("}\n"));
        assert_ne!(text(&generate("2026-11", now()).unwrap()), text(&document), "two random keys are one");
    }

    #[test]
    fn an_added_key_takes_over_and_the_others_keep_their_tokens() {
        let old = Secret::new(
            br#"{"version": 1, "keys": [
                {"id": "leaked", "state": "compromised", "secret": "hex:00112233445566778899aabbccddeeff"},
                {"id": "peer", "state": "retired", "scheme": "kelora", "secret": "text:caf\u00e9 \"1\""},
                {"id": "old", "state": "active", "created": "2025-01-01T00:00:00Z", "secret": "text:a secret of 16 b"}
            ]}"#
            .to_vec(),
        );
        let before = Keyring::parse(&old).unwrap();
        let document = append(&old, "new", now()).unwrap();
        let after = Keyring::parse(&document).unwrap();
        let states: Vec<_> = after.keys().iter().map(|key| (key.id(), key.state().name())).collect();
        assert_eq!(states, [("leaked", "compromised"), ("peer", "retired"), ("old", "retired"), ("new", "active")]);
        for key in before.keys() {
            let kept = after.get(key.id()).unwrap();
            assert_eq!((kept.fingerprint(), kept.created()), (key.fingerprint(), key.created()));
            assert_eq!(kept.scheme(), key.scheme());
        }
        assert!(text(&document).contains(r#""text:a secret of 16 b""#));
    }

    #[test]
    fn a_bare_secret_becomes_the_retired_key_default() {
        let bare = Secret::new(b"hex:00112233445566778899aabbccddeeff\r\n".to_vec());
        let after = Keyring::parse(&append(&bare, "new", now()).unwrap()).unwrap();
        let default = after.get("default").unwrap();
        assert_eq!(default.state(), KeyState::Retired);
        assert_eq!(default.fingerprint(), Keyring::parse(&bare).unwrap().active().fingerprint());
    }

    #[test]
    fn fail_an_id_that_is_there_or_is_none() {
        let document = generate("one", now()).unwrap();
        assert!(matches!(append(&document, "one", now()), Err(KeyError::DuplicateId { id }) if id == "one"));
        for id in ["", "a b", "caf\u{e9}", &"x".repeat(65)] {
            assert_eq!(
                generate(id, now()).unwrap_err().to_string(),
                "the new key: the id is not 1 to 64 of the characters A-Z a-z 0-9 . _ -"
            );
        }
    }
}
