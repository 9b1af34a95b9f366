//! From what a policy says to what does it: the only match over all transforms.

use std::sync::Arc;

use super::Transform;
use super::hash::Hash;
use super::mask::Mask;
use super::nullify::Nullify;
use super::pseudonym::{PURPOSE, Pseudonym};
use super::redact::Redact;
use super::spec::{self, DomainTemplate, PseudonymSpec, TransformSpec};
use super::subkeys::{DomainPart, PerRow, SubkeySource, Subkeys};
use super::text_mask::TextMask;
use crate::crypto::lanes::HmacKey;

/// A transform and the columns that steer it.
#[derive(Debug)]
pub struct Built {
    /// What to apply.
    pub transform: Box<dyn Transform>,
    /// Companion columns, in the order in which it expects their values.
    pub companions: Vec<String>,
}

impl From<Box<dyn Transform>> for Built {
    fn from(transform: Box<dyn Transform>) -> Self {
        Self { transform, companions: Vec::new() }
    }
}

/// Why a transform could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// It needs a key and there is none.
    #[error("it needs a key")]
    NoKey,
    /// The key does not serve it.
    #[error("{0}")]
    Key(String),
    /// The word is no transform of values: `keep`, `drop`, `derive`.
    #[error("it transforms no values")]
    NoValues,
    /// The domain can't be read.
    #[error(transparent)]
    Domain(#[from] spec::DomainError),
}

/// Builds what `spec` describes; `key` derives its subkeys.
///
/// # Errors
/// [`BuildError`]
pub fn build(spec: &TransformSpec, key: Option<&Arc<dyn SubkeySource>>) -> Result<Built, BuildError> {
    let transform: Box<dyn Transform> = match spec {
        TransformSpec::Keep(_) | TransformSpec::Drop(_) | TransformSpec::Derive(_) => return Err(BuildError::NoValues),
        TransformSpec::Pseudonym(spec) => return pseudonym(spec, key.ok_or(BuildError::NoKey)?),
        TransformSpec::Mask(spec) => Box::new(Mask::new(TextMask {
            keep_first: spec.keep_first as usize,
            keep_last: spec.keep_last as usize,
            with: spec.with,
            keep_separators: spec.keep_separators,
        })),
        TransformSpec::Redact(spec) => Box::new(Redact::new(&spec.0)),
        TransformSpec::Nullify(_) => Box::new(Nullify),
        TransformSpec::Hash(spec) => Box::new(Hash::sha256(spec.encoding)),
    };
    Ok(transform.into())
}

fn pseudonym(spec: &PseudonymSpec, key: &Arc<dyn SubkeySource>) -> Result<Built, BuildError> {
    let mut companions = Vec::new();
    let mut companion = |name: &String| {
        companions.iter().position(|known| known == name).unwrap_or_else(|| {
            companions.push(name.clone());
            companions.len() - 1
        })
    };
    let template = DomainTemplate::parse(&spec.domain)?;
    let domain: Vec<DomainPart> = (template.parts().iter())
        .map(|part| match part {
            spec::DomainPart::Text(text) => DomainPart::Literal(text.clone()),
            spec::DomainPart::Column(name) => DomainPart::Companion(companion(name)),
        })
        .collect();
    let tenant = spec.tenant.as_ref().map(|tenant| companion(&tenant.column));
    let keys = match (domain.as_slice(), tenant) {
        ([DomainPart::Literal(domain)], None) => {
            let subkey = key.subkey(PURPOSE, domain, "", 32).map_err(BuildError::Key)?;
            Subkeys::One(HmacKey::new(subkey.expose()))
        }
        _ => Subkeys::PerRow(PerRow { source: Arc::clone(key), purpose: PURPOSE, domain, tenant }),
    };
    let prefix = spec.prefix.as_deref().unwrap_or_default();
    let transform = Box::new(Pseudonym::new(keys, spec.bits(), spec.encoding(), prefix));
    Ok(Built { transform, companions })
}
