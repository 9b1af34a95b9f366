//! Domains with column values in them: `users/{region}`.

use std::borrow::Cow;

use thiserror::Error;

/// A domain, split at its braces.
///
/// - `{name}` stands for the row's value in that source column, `{{` and `}}` for literal braces;
/// - a domain is never empty, and neither is a name in braces;
/// - substituted values are [escaped](DomainTemplate::escape), so that no value can imitate another domain.
///
/// ```
/// use lakeveil::transforms::spec::{DomainPart, DomainTemplate};
/// let domain = DomainTemplate::parse("users/{region}").unwrap();
/// assert_eq!(domain.parts(), [DomainPart::Text("users/".into()), DomainPart::Column("region".into())]);
/// assert!(DomainTemplate::parse("users/{region").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DomainTemplate {
    parts: Vec<DomainPart>,
}

/// One stretch of a [`DomainTemplate`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DomainPart {
    /// Literal text.
    Text(String),
    /// The canonical text of this source column's value.
    Column(String),
}

/// Why a text is no domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DomainError {
    /// The whole domain is empty.
    #[error("the domain is empty; name the kind of thing the column identifies, such as `customers`")]
    Empty,
    /// `{` without `}`.
    #[error("the domain has a `{{` that no `}}` closes; double a literal brace")]
    Unclosed,
    /// `}` without `{`.
    #[error("the domain has a `}}` that no `{{` opens; double a literal brace")]
    Unopened,
    /// `{}`.
    #[error("the domain has empty braces; name a source column in them")]
    NoColumn,
}

impl DomainTemplate {
    /// Splits the text of a policy's `domain`.
    ///
    /// # Errors
    /// [`DomainError`] for an empty domain and for braces that do not pair up.
    pub fn parse(domain: &str) -> Result<Self, DomainError> {
        if domain.is_empty() {
            return Err(DomainError::Empty);
        }
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = domain;
        while let Some(at) = rest.find(['{', '}']) {
            text.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                text.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(DomainError::Unopened);
            }
            let end = rest.find('}').ok_or(DomainError::Unclosed)?;
            if end == 0 {
                return Err(DomainError::NoColumn);
            }
            if !text.is_empty() {
                parts.push(DomainPart::Text(std::mem::take(&mut text)));
            }
            parts.push(DomainPart::Column(rest[..end].to_owned()));
            rest = &rest[end + 1..];
        }
        text.push_str(rest);
        if !text.is_empty() {
            parts.push(DomainPart::Text(text));
        }
        Ok(Self { parts })
    }

    /// The parts in their order; never empty, and no two texts stand side by side.
    pub fn parts(&self) -> &[DomainPart] {
        &self.parts
    }

    /// The domain as one constant, where no column takes part.
    pub fn literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [DomainPart::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The source columns whose values take part, in their order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            DomainPart::Column(name) => Some(name.as_str()),
            DomainPart::Text(_) => None,
        })
    }

    /// A substituted value: `%` becomes `%25`, `/` becomes `%2F`.
    ///
    /// ```
    /// use lakeveil::transforms::spec::DomainTemplate;
    /// assert_eq!(DomainTemplate::escape("eu/de 5%"), "eu%2Fde 5%25");
    /// ```
    pub fn escape(value: &str) -> Cow<'_, str> {
        if value.contains(['%', '/']) {
            Cow::Owned(value.replace('%', "%25").replace('/', "%2F"))
        } else {
            Cow::Borrowed(value)
        }
    }
}
