//! Where keys come from, as far as transforms care: something that derives subkeys, or several in a chain.

use std::sync::Arc;

use super::spec::Scheme;
use crate::crypto::secret::Secret;

/// Something that derives subkeys (TOKENS.md section 1): a key of the keyring, or a partner's export.
pub trait SubkeySource: Send + Sync {
    /// The subkey of `purpose`, `domain` and `tenant`, `len` bytes long.
    ///
    /// # Errors
    /// Why this key does not serve the triple, without secrets.
    fn subkey(&self, purpose: &str, domain: &str, tenant: &str, len: usize) -> Result<Secret, String>;

    /// The root itself, for an interoperable scheme that the key is marked for.
    ///
    /// # Errors
    /// Why this key does not serve the scheme, without secrets.
    fn root(&self, scheme: Scheme) -> Result<Secret, String>;
}

/// The keys that a policy has its outputs made with: one, or a chain (TOKENS.md section 5), oldest first.
#[derive(Clone)]
pub struct Keys {
    earlier: Vec<Arc<dyn SubkeySource>>,
    newest: Arc<dyn SubkeySource>,
}

impl Keys {
    /// One key.
    pub fn one(key: Arc<dyn SubkeySource>) -> Self {
        Self { earlier: Vec::new(), newest: key }
    }

    /// A chain, oldest key first; `None` of no keys.
    pub fn chain(mut links: Vec<Arc<dyn SubkeySource>>) -> Option<Self> {
        let newest = links.pop()?;
        Some(Self { earlier: links, newest })
    }

    /// The last link: the key of every family that knows no chains.
    pub fn newest(&self) -> &Arc<dyn SubkeySource> {
        &self.newest
    }

    /// All links, oldest first.
    pub fn links(&self) -> impl Iterator<Item = &Arc<dyn SubkeySource>> {
        self.earlier.iter().chain(std::iter::once(&self.newest))
    }

    /// Whether there is more than one link.
    pub fn is_chain(&self) -> bool {
        !self.earlier.is_empty()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({} links, [redacted])", self.earlier.len() + 1)
    }
}
