//! The keys that a policy has its outputs made with: one, or a chain of them (TOKENS.md section 5).

use std::sync::Arc;

use crate::crypto::Secret;
use crate::keys::{Key, KeyError, Keyring, Scheme};
use crate::transforms::spec;
use crate::transforms::subkeys::{Keys, SubkeySource};

/// Keys in the order in which tokens go through them, the oldest first. Not empty.
///
/// One key is a chain of one link. Families that know no chains use the newest.
#[derive(Debug, Clone)]
pub struct KeyChain {
    earlier: Vec<Arc<Key>>,
    newest: Arc<Key>,
}

impl KeyChain {
    /// One key.
    pub fn one(key: Arc<Key>) -> Self {
        Self { earlier: Vec::new(), newest: key }
    }

    /// The keys with these ids, oldest first. An earlier link may be compromised: that is what chains are for.
    ///
    /// # Errors
    /// An id that the keyring lacks, one that comes twice, no id at all, or a newest key that makes no tokens.
    pub fn select(keyring: &Keyring, ids: &[String]) -> Result<Self, KeyError> {
        let (newest, earlier) = ids.split_last().ok_or(KeyError::EmptyChain)?;
        if let Some(twice) = ids.iter().enumerate().find(|(at, id)| ids[..*at].contains(id)) {
            return Err(KeyError::ChainRepeats { id: twice.1.clone() });
        }
        let earlier = earlier.iter().map(|id| keyring.known(id).map(|key| Arc::new(key.clone())));
        let earlier = earlier.collect::<Result<_, _>>()?;
        Ok(Self { earlier, newest: Arc::new(keyring.select(Some(newest))?.clone()) })
    }

    /// The last link.
    pub fn newest(&self) -> &Arc<Key> {
        &self.newest
    }

    /// All links, oldest first.
    pub fn links(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.earlier.iter().chain(std::iter::once(&self.newest))
    }

    /// The ids, as plan and report show them: `2026-01 > 2026-11`.
    pub fn shown(&self) -> String {
        self.links().map(|key| key.id()).collect::<Vec<_>>().join(" > ")
    }

    /// The same for transforms.
    pub fn sources(&self) -> Keys {
        let source = |key: &Arc<Key>| Arc::clone(key) as Arc<dyn SubkeySource>;
        let one = || Keys::one(source(&self.newest));
        Keys::chain(self.links().map(source).collect()).unwrap_or_else(one)
    }
}

impl SubkeySource for Key {
    fn subkey(&self, purpose: &str, domain: &str, tenant: &str, len: usize) -> Result<Secret, String> {
        Key::subkey(self, purpose, domain, tenant, len).map_err(|error| error.to_string())
    }

    fn root(&self, scheme: spec::Scheme) -> Result<Secret, String> {
        let scheme = match scheme {
            spec::Scheme::Lakeveil => Scheme::Lakeveil,
            spec::Scheme::HmacSha256 => Scheme::HmacSha256,
            spec::Scheme::Kelora => Scheme::Kelora,
        };
        self.raw_root_for(scheme).cloned().map_err(|error| error.to_string())
    }
}
