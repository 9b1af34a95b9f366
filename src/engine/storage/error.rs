//! The one error of this room: a kind to branch on, a place, what happened, what to do.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::io;

use object_store::client::{HttpError, HttpErrorKind};

/// What sort of failure it was; branch on this, never on the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StorageErrorKind {
    /// Nothing has this name.
    NotFound,
    /// It was listed, and is gone.
    Vanished,
    /// It was listed with another size, etag or modification time.
    Changed,
    /// The credentials, or the lack of them, do not allow it.
    Denied,
    /// The host did not answer.
    Unreachable,
    /// No space or quota is left.
    Full,
    /// Something already has the name that was to be created.
    Exists,
    /// The location, name or setting cannot be right.
    Invalid,
    /// Anything else.
    Other,
}

impl StorageErrorKind {
    /// The stable word for it in reports.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotFound => "object-not-found",
            Self::Vanished => "object-vanished",
            Self::Changed => "object-changed",
            Self::Denied => "storage-denied",
            Self::Unreachable => "storage-unreachable",
            Self::Full => "storage-full",
            Self::Exists => "object-exists",
            Self::Invalid => "storage-invalid",
            Self::Other => "storage-failed",
        }
    }
}

/// A failed storage operation.
///
/// - The text never holds credentials, response bodies or foreign error texts.
/// - The place is kept apart from the rest, so that a caller whose paths hold data can name the object
///   otherwise ([`StorageError::at`]).
#[derive(Debug, Clone, thiserror::Error)]
#[error("{place}: {what}; {hint}")]
pub struct StorageError {
    kind: StorageErrorKind,
    place: String,
    what: String,
    hint: String,
}

impl StorageError {
    /// An error of `kind` at `place`: what happened, then what to do.
    pub(crate) fn new(
        kind: StorageErrorKind,
        place: impl Into<String>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { kind, place: place.into(), what: what.into(), hint: hint.into() }
    }

    /// The kind to branch on.
    pub fn kind(&self) -> StorageErrorKind {
        self.kind
    }

    /// The same error at a place named otherwise.
    pub fn at(self, place: impl Into<String>) -> Self {
        Self { place: place.into(), ..self }
    }

    /// The place that the error names.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// An absence becomes [`StorageErrorKind::Vanished`]: for objects that a listing has shown.
    pub(crate) fn of_listed(self) -> Self {
        match self.kind {
            StorageErrorKind::NotFound => Self::vanished(self.place),
            _ => self,
        }
    }

    pub(crate) fn vanished(place: impl Into<String>) -> Self {
        Self::new(
            StorageErrorKind::Vanished,
            place,
            "was there when the source was listed and is gone now",
            "run again when nothing else moves or deletes objects there",
        )
    }

    pub(crate) fn changed(place: impl Into<String>, listed: &str, now: &str) -> Self {
        Self::new(
            StorageErrorKind::Changed,
            place,
            format!("changed after it was listed (listed: {listed}; now: {now})"),
            "run again when nothing else writes to it",
        )
    }

    /// A failed file system call. `doing` is a verb phrase such as "cannot write".
    pub(crate) fn from_io(error: &io::Error, place: impl Into<String>, doing: &str) -> Self {
        use io::ErrorKind as E;
        let (kind, hint) = match error.kind() {
            E::NotFound => (StorageErrorKind::NotFound, "check the path"),
            E::PermissionDenied | E::ReadOnlyFilesystem => {
                (StorageErrorKind::Denied, "give the user that runs this access to it, or name another place")
            }
            E::StorageFull | E::QuotaExceeded => {
                (StorageErrorKind::Full, "free some space and run again: finished objects are kept and not done twice")
            }
            E::AlreadyExists => (StorageErrorKind::Exists, "name another place"),
            E::NotADirectory | E::IsADirectory => {
                (StorageErrorKind::Invalid, "a file and a folder have the same name: move one of them away")
            }
            E::InvalidFilename | E::InvalidInput => {
                (StorageErrorKind::Invalid, "the file system does not take this name: choose another")
            }
            E::CrossesDevices => (
                StorageErrorKind::Invalid,
                "another file system is mounted below the root: name that one as the root instead",
            ),
            _ => (StorageErrorKind::Other, "check the disk and the mount"),
        };
        Self::new(kind, place, format!("{doing} ({})", error.kind()), hint)
    }

    /// A failed call of an object store. `doing` is a verb phrase such as "cannot read".
    pub(crate) fn from_store(error: &object_store::Error, place: impl Into<String>, doing: &str) -> Self {
        let cause = Cause::of(error);
        let mut what = doing.to_owned();
        // `write!` to a String cannot fail.
        let _ = match (cause.status, &cause.code) {
            (Some(status), Some(code)) => write!(what, " (HTTP status {status}, {code})"),
            (Some(status), None) => write!(what, " (HTTP status {status})"),
            (None, Some(code)) => write!(what, " ({code})"),
            (None, None) => Ok(()),
        };
        let kind = cause.kind(error);
        Self::new(kind, place, what, hint(kind))
    }
}

fn hint(kind: StorageErrorKind) -> &'static str {
    match kind {
        StorageErrorKind::NotFound => "check the bucket or container and the path",
        StorageErrorKind::Denied => {
            "check the credentials, their expiry, and that they allow listing, reading or writing there"
        }
        StorageErrorKind::Unreachable => "check the endpoint setting, the network, proxies and certificates",
        StorageErrorKind::Full => "free some space or raise the quota and run again: finished objects are kept",
        StorageErrorKind::Exists => "name another place",
        StorageErrorKind::Changed | StorageErrorKind::Vanished => "run again when nothing else writes there",
        StorageErrorKind::Invalid => "check the location and the region setting",
        StorageErrorKind::Other => "run again; if it stays, look at the store's own log",
    }
}

/// What can be learnt from an object store's error without quoting it.
struct Cause {
    status: Option<u16>,
    code: Option<String>,
    connection: Option<HttpErrorKind>,
    misdirected: bool,
}

impl Cause {
    fn of(error: &object_store::Error) -> Self {
        let mut cause = Self { status: None, code: None, connection: None, misdirected: false };
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(inner) = next {
            if let Some(http) = inner.downcast_ref::<HttpError>() {
                cause.connection = Some(http.kind());
            }
            next = inner.source();
            // object_store keeps the status in private types, so the innermost text is the only way to it.
            if next.is_none() {
                let text = inner.to_string();
                cause.status = number_after(&text, "status code: ");
                cause.code = code_in(&text);
                cause.misdirected = text.starts_with("Received redirect without LOCATION");
            }
        }
        cause
    }

    fn kind(&self, error: &object_store::Error) -> StorageErrorKind {
        use object_store::Error as E;
        match error {
            E::NotFound { .. } => StorageErrorKind::NotFound,
            E::AlreadyExists { .. } => StorageErrorKind::Exists,
            E::Precondition { .. } | E::NotModified { .. } => StorageErrorKind::Changed,
            E::PermissionDenied { .. } | E::Unauthenticated { .. } => StorageErrorKind::Denied,
            E::InvalidPath { .. } | E::UnknownConfigurationKey { .. } | E::NotSupported { .. } => {
                StorageErrorKind::Invalid
            }
            _ => match (self.status, self.connection) {
                _ if self.misdirected => StorageErrorKind::Invalid,
                (Some(401 | 403), _) => StorageErrorKind::Denied,
                (Some(404), _) => StorageErrorKind::NotFound,
                (Some(409), _) => StorageErrorKind::Exists,
                (Some(412 | 416), _) => StorageErrorKind::Changed,
                (Some(507), _) => StorageErrorKind::Full,
                (Some(502..=504), _) => StorageErrorKind::Unreachable,
                (None, Some(HttpErrorKind::Connect | HttpErrorKind::Timeout | HttpErrorKind::Request)) => {
                    StorageErrorKind::Unreachable
                }
                (None, Some(HttpErrorKind::Interrupted)) => StorageErrorKind::Unreachable,
                _ => StorageErrorKind::Other,
            },
        }
    }
}

fn number_after(text: &str, mark: &str) -> Option<u16> {
    let rest = &text[text.find(mark)? + mark.len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// The error code of S3, Azure and GCS responses (`<Code>NoSuchBucket</Code>`): a word of a fixed vocabulary.
fn code_in(text: &str) -> Option<String> {
    let rest = &text[text.find("<Code>")? + "<Code>".len()..];
    let code = &rest[..rest.find("</Code>")?];
    let is_word = !code.is_empty() && code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    is_word.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_not_quoted() {
        let error = object_store::Error::Generic {
            store: "S3",
            source: "Server returned non-2xx status code: 403 Forbidden: <Error><Code>AccessDenied</Code>\
                     <Message>CANARY</Message></Error>"
                .into(),
        };
        let error = StorageError::from_store(&error, "s3://b/k", "cannot list");
        assert_eq!(error.kind(), StorageErrorKind::Denied);
        let text = format!("{error} {error:?}");
        assert!(text.contains("cannot list (HTTP status 403, AccessDenied)"), "{text}");
        assert!(!text.contains("CANARY"), "{text}");
    }

    #[test]
    fn a_code_that_is_no_word_is_left_out() {
        assert_eq!(code_in("<Code>a b</Code>"), None);
        assert_eq!(code_in("<Code></Code>"), None);
        assert_eq!(code_in("<Code>NoSuchKey</Code>").as_deref(), Some("NoSuchKey"));
    }

    #[test]
    fn the_place_can_be_named_otherwise() {
        let error = StorageError::vanished("s3://b/patient=7/x").at("output patient=tok/x");
        assert!(!error.to_string().contains("patient=7"));
        assert_eq!(error.kind(), StorageErrorKind::Vanished);
    }

    #[test]
    fn a_full_disk_has_its_own_kind() {
        let error = StorageError::from_io(&io::Error::from(io::ErrorKind::StorageFull), "/x", "cannot write");
        assert_eq!(error.kind(), StorageErrorKind::Full);
        assert!(error.to_string().contains("free some space"));
    }
}
