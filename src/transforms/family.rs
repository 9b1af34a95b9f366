//! What a family of transforms tells of itself, apart from the loop that does the work: what may be wrong with its
//! options, what holds for its outputs, how it is built. One implementation for each family, in the family's own file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Transform;
use super::keyed::{Keyed, Scope};
use super::signer::{self, Signer};
use super::spec::{DomainError, DomainTemplate, Scheme, TenantSpec, TransformSpec};
use super::subkeys::Keys;

/// The declarative side of one family: the options that a policy gives it.
pub trait Family: std::fmt::Debug {
    /// What is wrong with the options, before any column is seen.
    fn faults(&self) -> Vec<Fault> {
        Vec::new()
    }

    /// What holds for every column that it is put on.
    fn facts(&self) -> Facts<'_>;

    /// Options that are filled in where the policy is silent, for plan and report; the written ones stand already.
    fn resolved(&self) -> Vec<(&'static str, serde_json::Value)> {
        Vec::new()
    }

    /// Names and versions (or digests) of the data that decide on outputs beside the options: word lists, files,
    /// tables of a library. Part of the policy's digest.
    ///
    /// # Errors
    /// A file that can't be read.
    fn pins(&self) -> Result<BTreeMap<String, String>, BuildError> {
        Ok(BTreeMap::new())
    }

    /// Builds what the options describe.
    ///
    /// # Errors
    /// [`BuildError`]
    fn build(&self, context: &mut Context<'_>) -> Result<Box<dyn Transform>, BuildError>;
}

/// Something wrong with a family's options, or to be weighed by who wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of fault.
    pub kind: FaultKind,
    /// The keys below the transform's word that lead to it; none for the transform as a whole.
    pub path: Vec<String>,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Kinds of [`Fault`]. The policy gives each its stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A domain that is missing, empty or has unpaired braces, or that the scheme does not take.
    Domain,
    /// Bits out of range, or that do not fit the encoding.
    Bits,
    /// Short tokens without consent.
    Collisions,
    /// An encoding that the family does not offer.
    Encoding,
    /// A prefix before binary tokens.
    Prefix,
    /// A value of the right shape that makes no sense.
    Value,
    /// An option that is missing beside the others.
    Missing,
    /// A pattern (regular expression) that can't be used.
    Pattern,
    /// Only a warning: anyone can recompute the outputs.
    Unkeyed,
}

impl Fault {
    /// A fault of the option `key`.
    pub fn of(kind: FaultKind, key: &str, message: impl Into<String>) -> Self {
        let path = if key.is_empty() { Vec::new() } else { key.split('.').map(str::to_owned).collect() };
        Self { kind, path, message: message.into(), hint: None }
    }

    /// The same with what to do.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// The faults of the two options that every keyed family has.
pub fn scope_faults(domain: &str, tenant: Option<&TenantSpec>) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Err(error) = DomainTemplate::parse(domain) {
        faults.push(Fault::of(FaultKind::Domain, "domain", error.to_string()));
    }
    if tenant.is_some_and(|tenant| tenant.column.is_empty()) {
        faults.push(Fault::of(FaultKind::Value, "tenant.column", "the tenant's column has no name"));
    }
    faults
}

/// What holds for every output of a family, whatever the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Key domain, where the family has one.
    pub domain: Option<&'a str>,
    /// It needs a key.
    pub keyed: bool,
    /// Same input, same output.
    pub deterministic: bool,
    /// Who has the key (or needs none) can compute the input from the output.
    pub reversible: bool,
    /// The value is hidden.
    pub masking: bool,
    /// Each value has an output of its own, so that who can compute outputs can test guesses against a column.
    pub tests_guesses: bool,
    /// Bits of a truncated token, for the odds that two values share one.
    pub token_bits: Option<u16>,
}

impl Facts<'_> {
    /// Of a family that hides values without a key, many values to one output: masks, bands, constants.
    pub const COARSE: Facts<'static> = Facts {
        domain: None,
        keyed: false,
        deterministic: true,
        reversible: false,
        masking: true,
        tests_guesses: false,
        token_bits: None,
    };

    /// Of a family that gives each value of `domain` an output of its own, one-way.
    pub fn keyed(domain: &str) -> Facts<'_> {
        Facts { domain: Some(domain), keyed: true, tests_guesses: true, ..Facts::COARSE }
    }
}

/// A transform and the columns that steer it.
#[derive(Debug)]
pub struct Built {
    /// What to apply.
    pub transform: Arc<dyn Transform>,
    /// Companion columns, in the order in which it expects their values.
    pub companions: Vec<String>,
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
    /// The options make no sense; a checked policy has none such.
    #[error("{0}")]
    Options(String),
    /// A file that the options name can't be used. Never what is in it.
    #[error("{0}")]
    File(String),
    /// The domain can't be read.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

/// What a family is built from beside its options: keys, and the columns that steer it.
#[derive(Debug)]
pub struct Context<'a> {
    keys: Option<&'a Keys>,
    companions: Vec<String>,
}

impl<'a> Context<'a> {
    /// Derives from `keys`.
    pub fn new(keys: Option<&'a Keys>) -> Self {
        Self { keys, companions: Vec::new() }
    }

    /// Notes a column that steers the transform; where its canonical bytes will stand among
    /// [`Values::companions`](super::Values::companions).
    pub fn companion(&mut self, column: &str) -> usize {
        self.companions.iter().position(|known| known == column).unwrap_or_else(|| {
            self.companions.push(column.to_owned());
            self.companions.len() - 1
        })
    }

    /// One key for the column, or one for each row's tenant and templated domain: `make` turns a subkey of `purpose`,
    /// `len` bytes long, into what the family uses. Under a chain the newest key.
    ///
    /// # Errors
    /// No key, one that does not serve, a domain that does not parse, or what `make` says.
    pub fn keyed<K>(
        &mut self,
        purpose: &'static str,
        domain: &str,
        tenant: Option<&TenantSpec>,
        len: usize,
        make: impl Fn(&[u8]) -> Result<K, String> + Send + Sync + 'static,
    ) -> Result<Keyed<K>, BuildError> {
        let source = Arc::clone(self.keys.ok_or(BuildError::NoKey)?.newest());
        let scope = self.scope(domain, tenant)?;
        Keyed::new(scope, move |domain, tenant| {
            let subkey = source.subkey(purpose, domain, tenant, len)?;
            make(subkey.expose())
        })
        .map_err(BuildError::Key)
    }

    /// The signer of `pseudonym` tokens, `bits` long: under a chain, through all links (TOKENS.md section 5).
    ///
    /// # Errors
    /// As [`keyed`](Self::keyed).
    pub fn signer(
        &mut self,
        domain: &str,
        tenant: Option<&TenantSpec>,
        bits: u16,
    ) -> Result<Keyed<Signer>, BuildError> {
        let keys = self.keys.ok_or(BuildError::NoKey)?.clone();
        let scope = self.scope(domain, tenant)?;
        Keyed::new(scope, move |domain, tenant| Signer::chain(&keys, domain, tenant, bits)).map_err(BuildError::Key)
    }

    /// The signer of an interoperable scheme (TOKENS.md section 4); `domain` is empty where the scheme has none.
    ///
    /// # Errors
    /// As [`keyed`](Self::keyed), a chain, or a key of another scheme.
    pub fn interoperable(&mut self, scheme: Scheme, domain: &str) -> Result<Keyed<Signer>, BuildError> {
        let keys = self.keys.ok_or(BuildError::NoKey)?;
        match scheme {
            Scheme::Lakeveil => self.signer(domain, None, 128),
            Scheme::HmacSha256 => signer::hmac_sha256(keys).map(Keyed::One).map_err(BuildError::Key),
            Scheme::Kelora => {
                let master = signer::Kelora::new(keys).map_err(BuildError::Key)?;
                let scope = self.scope(domain, None)?;
                Keyed::new(scope, move |domain, _| master.signer(domain)).map_err(BuildError::Key)
            }
        }
    }

    fn scope(&mut self, domain: &str, tenant: Option<&TenantSpec>) -> Result<Scope, BuildError> {
        let template = DomainTemplate::parse(domain)?;
        Ok(Scope::new(&template, tenant.map(|tenant| tenant.column.as_str()), |column| self.companion(column)))
    }
}

/// Builds what `spec` describes.
///
/// # Errors
/// [`BuildError`]
pub fn build(spec: &TransformSpec, keys: Option<&Keys>) -> Result<Built, BuildError> {
    let mut context = Context::new(keys);
    let transform = spec.family().ok_or(BuildError::NoValues)?.build(&mut context)?;
    Ok(Built { transform: transform.into(), companions: context.companions })
}
