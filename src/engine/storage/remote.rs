//! Object stores, by way of `object_store`: raw names, checked versions, errors of our own.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
};

use super::error::{StorageError, StorageErrorKind};
use super::location::{Location, Place, joined};
use super::{Entry, Expected};

/// A prefix of a bucket or container, or the folder of a web server.
pub(in crate::engine) struct RemoteStore {
    store: Arc<dyn ObjectStore>,
    location: Location,
    prefix: String,
}

impl RemoteStore {
    pub(super) fn new(location: &Location, store: Arc<dyn ObjectStore>) -> Self {
        let prefix = match &location.place {
            Place::Local(_) => String::new(),
            Place::S3 { key, .. }
            | Place::Gcs { key, .. }
            | Place::Azure { key, .. }
            | Place::Http { key, .. }
            | Place::Memory { key } => key.clone(),
        };
        Self { store, location: location.clone(), prefix }
    }

    fn place(&self, path: &str) -> String {
        self.location.join(path).to_string()
    }

    /// `Path::parse` keeps names as they are, where `Path::from` would percent-encode them.
    fn full(&self, path: &str) -> Result<Path, StorageError> {
        Path::parse(joined(&self.prefix, path)).map_err(|_| {
            StorageError::new(
                StorageErrorKind::Invalid,
                self.place(path),
                "has a control character, an empty segment or one of `.` and `..` in its path",
                "rename the object",
            )
        })
    }

    fn failed(&self, error: &object_store::Error, path: &str, doing: &str) -> StorageError {
        StorageError::from_store(error, self.place(path), doing)
    }

    fn entry(&self, meta: ObjectMeta) -> Entry {
        let full = meta.location.as_ref();
        let below = full.strip_prefix(self.prefix.as_str()).unwrap_or(full);
        Entry {
            path: below.trim_start_matches('/').to_owned(),
            size: meta.size,
            etag: meta.e_tag.map(|etag| plain_etag(&etag)),
            // Where a server gives no time, object_store makes it the epoch.
            modified: Some(meta.last_modified.into()).filter(|time| *time != std::time::SystemTime::UNIX_EPOCH),
        }
    }

    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StorageError> {
        if self.location.is_web() {
            return Err(StorageError::new(
                StorageErrorKind::Invalid,
                self.place(prefix),
                "cannot be listed: a web server offers single objects",
                "name one object, or use the store's own scheme",
            ));
        }
        let full = self.full(prefix)?;
        let under = (!full.is_root()).then_some(&full);
        let listed: Result<Vec<Entry>, _> = self.store.list(under).map_ok(|meta| self.entry(meta)).try_collect().await;
        listed.map_err(|error| match error {
            object_store::Error::InvalidPath { .. } => StorageError::new(
                StorageErrorKind::Invalid,
                self.place(prefix),
                "holds an object with a control character, an empty segment or one of `.` and `..` in its name",
                "rename that object, or name a source that does not hold it",
            ),
            error => self.failed(&error, prefix, "cannot list"),
        })
    }

    pub(super) async fn head(&self, path: &str) -> Result<Entry, StorageError> {
        let full = self.full(path)?;
        let meta = self.store.head(&full).await.map_err(|error| self.failed(&error, path, "cannot look it up"))?;
        Ok(self.entry(meta))
    }

    pub(super) async fn get_range(
        &self,
        path: &str,
        range: Range<u64>,
        expected: &Expected,
    ) -> Result<Bytes, StorageError> {
        if range.is_empty() {
            let now = self.head(path).await.map_err(StorageError::of_listed)?;
            return expected.check(&now, || self.place(path)).map(|()| Bytes::new());
        }
        let length = range.end - range.start;
        // If-Match takes strong etags only (RFC 9110 section 13.1.1).
        let strong = expected.etag.as_ref().filter(|etag| !etag.starts_with("W/"));
        let options = GetOptions {
            if_match: strong.map(|etag| self.match_form(etag)),
            if_unmodified_since: if strong.is_some() { None } else { expected.modified.map(Into::into) },
            range: Some(GetRange::Bounded(range)),
            ..GetOptions::default()
        };
        let result = match self.store.get_opts(&self.full(path)?, options).await {
            Ok(result) => result,
            Err(error) => return Err(self.unreadable(&error, path, expected).await),
        };
        expected.check(&self.entry(result.meta.clone()), || self.place(path))?;
        let bytes = match result.bytes().await {
            Ok(bytes) => bytes,
            Err(error) => return Err(self.unreadable(&error, path, expected).await),
        };
        if bytes.len() as u64 != length {
            let (asked, got) = (format!("{length} bytes"), format!("{} bytes", bytes.len()));
            return Err(StorageError::changed(self.place(path), &asked, &got));
        }
        Ok(bytes)
    }

    async fn unreadable(&self, error: &object_store::Error, path: &str, expected: &Expected) -> StorageError {
        if matches!(error, object_store::Error::NotSupported { .. }) {
            return StorageError::new(
                StorageErrorKind::Invalid,
                self.place(path),
                "the server does not answer requests for a part of an object",
                "copy it to a folder or a bucket first",
            );
        }
        let error = self.failed(error, path, "cannot read").of_listed();
        if error.kind() != StorageErrorKind::Changed {
            return error;
        }
        // The condition failed: some stores say so of an object that is gone, too.
        match self.head(path).await {
            Ok(now) => expected.check(&now, || self.place(path)).err().unwrap_or(error),
            Err(now) if now.kind() == StorageErrorKind::NotFound => now.of_listed(),
            Err(_) => error,
        }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Bytes, StorageError> {
        let cannot_read = |error: object_store::Error| self.failed(&error, path, "cannot read");
        let result = self.store.get(&self.full(path)?).await.map_err(cannot_read)?;
        result.bytes().await.map_err(cannot_read)
    }

    pub(in crate::engine) async fn put(&self, path: &str, bytes: Bytes, mode: PutMode) -> Result<Entry, StorageError> {
        let (full, size) = (self.writable(path)?, bytes.len() as u64);
        let options = PutOptions { mode, ..PutOptions::default() };
        let result = self.store.put_opts(&full, bytes.into(), options).await;
        let result = result.map_err(|error| self.failed(&error, path, "cannot write"))?;
        Ok(written(path, size, result.e_tag))
    }

    pub(super) async fn delete(&self, path: &str) -> Result<(), StorageError> {
        match self.store.delete(&self.writable(path)?).await {
            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
            Err(error) => Err(self.failed(&error, path, "cannot delete")),
        }
    }

    pub(in crate::engine) async fn start_multipart(
        &self,
        path: &str,
    ) -> Result<Box<dyn MultipartUpload>, StorageError> {
        let started = self.store.put_multipart(&self.writable(path)?).await;
        started.map_err(|error| self.failed(&error, path, "cannot start to write"))
    }

    pub(in crate::engine) fn cannot_write(&self, error: &object_store::Error, path: &str) -> StorageError {
        self.failed(error, path, "cannot write")
    }

    fn writable(&self, path: &str) -> Result<Path, StorageError> {
        if self.location.is_web() {
            return Err(StorageError::new(
                StorageErrorKind::Invalid,
                self.place(path),
                "cannot be written: https:// is for sources",
                "use a folder or a store's own scheme for the sink",
            ));
        }
        self.full(path)
    }

    fn match_form(&self, etag: &str) -> String {
        match self.location.place {
            // Compares without a parser: its etags have no quotes.
            Place::Memory { .. } => etag.to_owned(),
            _ => format!("\"{etag}\""),
        }
    }
}

/// What a finished write left behind.
pub(in crate::engine) fn written(path: &str, size: u64, etag: Option<String>) -> Entry {
    Entry { path: path.to_owned(), size, etag: etag.map(|etag| plain_etag(&etag)), modified: None }
}

/// Listings of Azure, headers and XML differ in whether they write the quotes.
fn plain_etag(etag: &str) -> String {
    match etag.strip_prefix("W/") {
        Some(weak) => format!("W/{}", weak.trim_matches('"')),
        None => etag.trim_matches('"').to_owned(),
    }
}
