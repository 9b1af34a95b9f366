//! The keyring: named keys, exactly one of them active.

use std::collections::HashSet;
use std::fmt;

use chrono::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Document, Entry, SubkeyEntry};
use super::error::KeyError;
use super::material::MIN_SECRET_BYTES;
use super::problem::EntryProblem;
use crate::crypto::{Fingerprint, Secret, fingerprint, subkey};

/// A checked keyring.
///
/// - At least one key; ids are distinct and match `[A-Za-z0-9._-]{1,64}`.
/// - Exactly one key is active.
/// - Each secret has 16 to 1024 bytes (`kelora`: 1 to 1024) and is no obvious placeholder.
///
/// ```
/// use lakeveil::crypto::Secret;
/// use lakeveil::keys::Keyring;
///
/// let document = br#"{"version": 1, "keys": [{
///     "id": "2026-11", "state": "active", "created": "2026-11-22T00:00:00Z",
///     "secret": "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
/// }]}"#;
/// let keyring = Keyring::parse(&Secret::new(document.to_vec()))?;
/// assert_eq!(keyring.active().fingerprint().to_string(), "018d4ff62958e109");
///
/// // a bare secret is one key, `default`
/// let keyring = Keyring::parse(&Secret::new(b"text:not the best of secrets\n".to_vec()))?;
/// assert_eq!(keyring.active().id(), "default");
///
/// // a secret of 5 bytes is refused, and what was in it is not repeated
/// let error = Keyring::parse(&Secret::new(b"short".to_vec())).unwrap_err();
/// assert_eq!(error.to_string(), "key `default`: the secret has 5 bytes, at least 16 are needed");
/// # Ok::<(), lakeveil::keys::KeyError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Keyring {
    keys: Vec<Key>,
    active: usize,
}

impl Keyring {
    /// Reads a keyring document, or a bare secret as one key with the id `default`.
    ///
    /// # Errors
    /// Anything that is not as the invariants above say. An error tells places and ids, never content.
    pub fn parse(document: &Secret) -> Result<Self, KeyError> {
        Self::from_document(&Document::read(document.expose())?)
    }

    /// Checks a document.
    pub(super) fn from_document(document: &Document) -> Result<Self, KeyError> {
        let keys = document.keys.iter().enumerate().map(|(at, entry)| key(at, entry)).collect::<Result<Vec<_>, _>>()?;
        let mut ids = HashSet::new();
        if let Some(twice) = keys.iter().find(|key| !ids.insert(key.id())) {
            return Err(KeyError::DuplicateId { id: twice.id.clone() });
        }
        let mut active = keys.iter().enumerate().filter(|(_, key)| key.state == KeyState::Active);
        let (first, second) = (active.next(), active.next());
        match (first, second) {
            (Some((active, _)), None) => Ok(Self { active, keys }),
            (Some((_, first)), Some((_, second))) => {
                Err(KeyError::TwoActive { first: first.id.clone(), second: second.id.clone() })
            }
            (None, _) => Err(KeyError::NoneActive { keys: keys.len() }),
        }
    }

    /// The active key.
    pub fn active(&self) -> &Key {
        &self.keys[self.active]
    }

    /// The key with this id, whatever its state: for reading what was made with it.
    pub fn get(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// The key to make tokens with: the one named, else the active one.
    ///
    /// # Errors
    /// An id that is not there, or a key that is compromised.
    pub fn select(&self, id: Option<&str>) -> Result<&Key, KeyError> {
        let Some(id) = id else { return Ok(self.active()) };
        let key = self.known(id)?;
        match key.state {
            KeyState::Compromised => Err(KeyError::Compromised { id: id.to_owned() }),
            KeyState::Active | KeyState::Retired => Ok(key),
        }
    }

    /// As [`get`](Self::get), with an error that tells which keys there are.
    ///
    /// # Errors
    /// [`KeyError::UnknownKey`]
    pub fn known(&self, id: &str) -> Result<&Key, KeyError> {
        self.get(id).ok_or_else(|| KeyError::UnknownKey { id: id.to_owned(), known: self.ids() })
    }

    /// All keys, in the order of the document.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    fn ids(&self) -> String {
        self.keys.iter().map(|key| format!("`{}`", key.id)).collect::<Vec<_>>().join(", ")
    }
}

/// What a key may be used for; the table in the [module documentation](super) says what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Makes tokens wherever a policy names no key.
    Active,
    /// Makes tokens only where a policy names it.
    Retired,
    /// Makes no tokens any more.
    Compromised,
}

impl KeyState {
    /// The word that a keyring uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Compromised => "compromised",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The way in which tokens are made of a key. One key serves one scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// The scheme of this program: every use has a subkey of its own.
    #[default]
    Lakeveil,
    /// HMAC-SHA256 with the root itself, as many other programs do.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// The scheme of kelora 2.
    Kelora,
}

impl Scheme {
    /// The word that a policy and a keyring use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lakeveil => "lakeveil",
            Self::HmacSha256 => "hmac-sha256",
            Self::Kelora => "kelora",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One key of a keyring. `Debug` shows no key material.
#[derive(Debug, Clone)]
pub struct Key {
    id: String,
    state: KeyState,
    created: Option<String>,
    scheme: Scheme,
    material: Material,
}

/// What a key is made of.
#[derive(Debug, Clone)]
enum Material {
    /// A root secret, of which every subkey can be derived.
    Root(Secret),
    /// Subkeys that another party exported; the fingerprint is that of their root.
    Subkeys { root: Fingerprint, subkeys: Vec<Subkey> },
}

#[derive(Debug, Clone)]
struct Subkey {
    purpose: String,
    domain: String,
    tenant: String,
    secret: Secret,
}

impl Key {
    /// The public name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the key may be used for.
    pub fn state(&self) -> KeyState {
        self.state
    }

    /// When it was made, as RFC 3339 has it, where the keyring says so.
    pub fn created(&self) -> Option<&str> {
        self.created.as_deref()
    }

    /// The scheme that it serves.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The fingerprint of the root, also where only its subkeys are here.
    pub fn fingerprint(&self) -> Fingerprint {
        match &self.material {
            Material::Root(root) => fingerprint(root),
            Material::Subkeys { root, .. } => *root,
        }
    }

    /// What a person should know before using it, without any key material.
    pub fn warning(&self) -> Option<String> {
        match &self.material {
            Material::Root(root) if root.expose().len() < MIN_SECRET_BYTES => Some(format!(
                "key `{}` has {} bytes; under {MIN_SECRET_BYTES} bytes a secret can be guessed",
                self.id,
                root.expose().len()
            )),
            _ => None,
        }
    }

    /// `HKDF-SHA256(root, "lakeveil.v1", frame(purpose) || frame(domain) || frame(tenant), len)`; of an entry of
    /// exported subkeys, the one for exactly this purpose, domain and tenant.
    ///
    /// # Errors
    /// An empty domain, a key of an interoperable scheme, or exported subkeys of which none is for this use.
    ///
    /// # Panics
    /// If `len` is over 8160 bytes.
    pub fn subkey(&self, purpose: &str, domain: &str, tenant: &str, len: usize) -> Result<Secret, KeyError> {
        if domain.is_empty() {
            return Err(KeyError::EmptyDomain { purpose: purpose.to_owned() });
        }
        self.require(Scheme::Lakeveil)?;
        match &self.material {
            Material::Root(root) => Ok(subkey(root, purpose, domain, tenant, len)),
            Material::Subkeys { subkeys, .. } => {
                let Some(found) = subkeys.iter().find(|key| key.serves(purpose, domain, tenant)) else {
                    let (id, purpose) = (self.id.clone(), purpose.to_owned());
                    return Err(KeyError::NotServed { id, subkeys: subkeys.len(), purpose });
                };
                let bytes = found.secret.expose().len();
                if bytes != len {
                    let (id, purpose) = (self.id.clone(), purpose.to_owned());
                    return Err(KeyError::SubkeyLength { id, purpose, found: bytes, wanted: len });
                }
                Ok(found.secret.clone())
            }
        }
    }

    /// The root itself, for an interoperable scheme that uses it without derivation.
    ///
    /// # Errors
    /// A key of another scheme; [`Scheme::Lakeveil`], of which no root is ever handed out.
    pub fn raw_root_for(&self, scheme: Scheme) -> Result<&Secret, KeyError> {
        self.require(scheme)?;
        match &self.material {
            Material::Root(root) if scheme != Scheme::Lakeveil => Ok(root),
            _ => Err(KeyError::NoRoot { id: self.id.clone() }),
        }
    }

    fn require(&self, wanted: Scheme) -> Result<(), KeyError> {
        if self.scheme == wanted {
            return Ok(());
        }
        Err(KeyError::WrongScheme { id: self.id.clone(), own: self.scheme, wanted })
    }
}

impl Subkey {
    fn serves(&self, purpose: &str, domain: &str, tenant: &str) -> bool {
        self.purpose == purpose && self.domain == domain && self.tenant == tenant
    }
}

/// Checks the entry at this place of the document.
fn key(at: usize, entry: &Entry) -> Result<Key, KeyError> {
    let valid_id = entry.id.as_deref().filter(|id| is_id(id));
    check_entry(entry).map_err(|problem| KeyError::Entry {
        entry: valid_id.map_or_else(|| format!("key {} of the document", at + 1), |id| format!("key `{id}`")),
        problem,
    })
}

/// Whether the text matches `[A-Za-z0-9._-]{1,64}`.
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn check_entry(entry: &Entry) -> Result<Key, EntryProblem> {
    let id = entry.id.clone().ok_or(EntryProblem::Missing("id"))?;
    if !is_id(&id) {
        return Err(EntryProblem::Id);
    }
    let state = entry.state.as_deref().ok_or(EntryProblem::Missing("state"))?;
    let state = [KeyState::Active, KeyState::Retired, KeyState::Compromised]
        .into_iter()
        .find(|known| known.name() == state)
        .ok_or(EntryProblem::State)?;
    if entry.created.as_ref().is_some_and(|created| DateTime::parse_from_rfc3339(created).is_err()) {
        return Err(EntryProblem::Created);
    }
    let scheme = match entry.scheme.as_deref() {
        None => Scheme::Lakeveil,
        Some(name) => [Scheme::HmacSha256, Scheme::Kelora]
            .into_iter()
            .find(|known| known.name() == name)
            .ok_or(EntryProblem::Scheme)?,
    };
    let material = match (&entry.secret, &entry.subkeys) {
        (Some(_), Some(_)) => return Err(EntryProblem::SecretAndSubkeys),
        (None, None) => return Err(EntryProblem::Missing("secret")),
        (Some(secret), None) => {
            Material::Root(secret.decode(if scheme == Scheme::Kelora { 1 } else { MIN_SECRET_BYTES })?)
        }
        (None, Some(_)) if scheme != Scheme::Lakeveil => return Err(EntryProblem::SchemeAndSubkeys),
        (None, Some(subkeys)) => check_subkeys(subkeys)?,
    };
    Ok(Key { id, state, created: entry.created.clone(), scheme, material })
}

fn check_subkeys(entries: &[SubkeyEntry]) -> Result<Material, EntryProblem> {
    let mut roots = HashSet::new();
    let mut uses = HashSet::new();
    let mut subkeys = Vec::with_capacity(entries.len());
    for SubkeyEntry { purpose, domain, tenant, secret, root_fingerprint } in entries {
        for (name, value) in [("purpose", purpose), ("domain", domain)] {
            if value.is_empty() {
                return Err(EntryProblem::SubkeyEmpty(name));
            }
        }
        if !uses.insert((purpose, domain, tenant)) {
            return Err(EntryProblem::DuplicateSubkey);
        }
        roots.insert(root_fingerprint.parse::<Fingerprint>().map_err(|_| EntryProblem::RootFingerprint)?);
        subkeys.push(Subkey {
            purpose: purpose.clone(),
            domain: domain.clone(),
            tenant: tenant.clone(),
            secret: secret.decode(MIN_SECRET_BYTES)?,
        });
    }
    let mut roots = roots.into_iter();
    match (roots.next(), roots.next()) {
        (Some(root), None) => Ok(Material::Subkeys { root, subkeys }),
        (None, _) => Err(EntryProblem::NoSubkeys),
        (Some(_), Some(_)) => Err(EntryProblem::DifferentRoots),
    }
}

#[cfg(test)]
mod tests;
