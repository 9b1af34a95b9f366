//! Bytes in and out of local folders and object stores, each object read as the one version that was listed.
//!
//! Async code here only moves bytes; file system calls run on blocking threads.

mod clouds;
mod error;
mod local;
mod location;
mod ranges;
mod remote;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

pub use clouds::Environment;
pub use error::{StorageError, StorageErrorKind};
pub use location::{Location, Overlap};
pub use ranges::{COALESCE_GAP_BYTES, COALESCE_LIMIT_BYTES};

use local::LocalStore;
pub(super) use local::TemporaryFile;
pub(super) use remote::{RemoteStore, written};

/// Everything of ours in a sink lies below this folder.
pub const CONTROL_FOLDER: &str = "_lakeveil";

/// Where local files are written before they get their names.
pub(super) const TEMPORARY_FOLDER: &str = "_lakeveil/tmp";

/// Requests of one call that run side by side.
const READS_IN_FLIGHT: usize = 8;

/// What [`Storage::get_stream`] asks for at a time. Several requests instead of one long response: a slow consumer
/// then holds no connection open, and every piece is checked.
const STREAM_PIECE_BYTES: u64 = 8 * 1024 * 1024;

/// The same on a local disk: what is copied is still in the processor's cache when it is hashed and written.
const LOCAL_PIECE_BYTES: u64 = 1024 * 1024;

/// Pieces of a stream read ahead of the consumer.
const STREAM_PIECES_AHEAD: usize = 2;

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the root, segments separated by `/`, the name as it is.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Without the quotes of HTTP; a weak one keeps its `W/`. Local files get one from size, time and inode.
    pub etag: Option<String>,
    /// When it was last written, as far as the store says.
    pub modified: Option<SystemTime>,
}

/// The version of an object that a read must find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Bytes.
    pub size: u64,
    /// As in [`Entry::etag`].
    pub etag: Option<String>,
    /// As in [`Entry::modified`]; it decides where there is no etag.
    pub modified: Option<SystemTime>,
}

impl From<&Entry> for Expected {
    fn from(entry: &Entry) -> Self {
        Self { size: entry.size, etag: entry.etag.clone(), modified: entry.modified }
    }
}

impl Expected {
    /// Whether `now` is this version.
    fn check(&self, now: &Entry, place: impl Fn() -> String) -> Result<(), StorageError> {
        let same = self.size == now.size
            && match (&self.etag, &now.etag) {
                (Some(listed), Some(now)) => listed == now,
                _ => self.modified.is_none() || now.modified.is_none() || self.modified == now.modified,
            };
        if same {
            return Ok(());
        }
        // an etag can be a digest of the bytes, so that they are compared and never shown
        let (listed, now) = match self.size == now.size {
            true => (format!("{} bytes", self.size), "as many bytes of another version".to_owned()),
            false => (format!("{} bytes", self.size), format!("{} bytes", now.size)),
        };
        Err(StorageError::changed(place(), &listed, &now))
    }
}

/// A folder, bucket or container prefix that is open for reading and writing; cheap to clone.
///
/// Paths are relative to it, `/`-separated and taken as they are: `%41`, `+`, spaces, quotes and `=` are only
/// characters. Empty segments, `.` and `..` are refused.
///
/// ```
/// use lakeveil::engine::storage::{Environment, Expected, Location, Storage};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let folder = tempfile::tempdir()?;
/// let location = Location::parse(&folder.path().display().to_string())?;
/// let storage = Storage::open(&location, &Environment::of_process())?;
///
/// storage.put("day=1/a b.csv", "id\n1\n".into()).await?;
/// let entry = &storage.list("").await?[0];
/// assert_eq!((entry.path.as_str(), entry.size), ("day=1/a b.csv", 5));
/// assert_eq!(&storage.get_range(&entry.path, 3..4, &Expected::from(entry)).await?[..], b"1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Storage {
    location: Location,
    backend: Backend,
}

#[derive(Clone)]
pub(super) enum Backend {
    Local(Arc<LocalStore>),
    Remote(Arc<RemoteStore>),
}

impl Storage {
    /// Opens `location` with the settings of `environment`; nothing is read or asked yet.
    ///
    /// # Errors
    /// [`StorageErrorKind::Invalid`] where a setting is missing, unreadable or unsafe.
    pub fn open(location: &Location, environment: &Environment) -> Result<Self, StorageError> {
        let backend = match &location.place {
            location::Place::Local(root) => Backend::Local(Arc::new(LocalStore::new(root.clone()))),
            _ => Backend::Remote(Arc::new(RemoteStore::new(location, clouds::open(location, environment)?))),
        };
        Ok(Self { location: location.clone(), backend })
    }

    /// A store in memory, gone with its last clone: for tests and examples.
    pub fn memory() -> Self {
        let location = Location { place: location::Place::Memory { key: String::new() } };
        let store = Arc::new(object_store::memory::InMemory::new());
        Self { backend: Backend::Remote(Arc::new(RemoteStore::new(&location, store))), location }
    }

    /// Where this is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The name of an object for people: without credentials, but with whatever its path holds.
    pub fn place(&self, path: &str) -> String {
        self.location.join(path).to_string()
    }

    pub(super) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// All objects below `prefix` (whole segments; `""` for all), ordered by path. A folder that does not exist
    /// is empty, as it is in a store.
    ///
    /// # Errors
    /// Where the listing cannot be read whole.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Entry>, StorageError> {
        if !prefix.is_empty() {
            self.check_path(prefix)?;
        }
        let mut entries = match &self.backend {
            Backend::Local(store) => {
                let prefix = prefix.to_owned();
                blocking(store, move |store| store.list(&prefix)).await?
            }
            Backend::Remote(store) => store.list(prefix).await?,
        };
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// One object's size, etag and time.
    ///
    /// # Errors
    /// [`StorageErrorKind::NotFound`] where there is none.
    pub async fn head(&self, path: &str) -> Result<Entry, StorageError> {
        self.check_path(path)?;
        match &self.backend {
            Backend::Local(store) => {
                let path = path.to_owned();
                blocking(store, move |store| store.head(&path)).await
            }
            Backend::Remote(store) => store.head(path).await,
        }
    }

    /// The bytes of `range` of the version `expected`.
    ///
    /// # Errors
    /// [`StorageErrorKind::Changed`] for another version, [`StorageErrorKind::Vanished`] for none,
    /// [`StorageErrorKind::Invalid`] for a range that is not inside the listed size.
    pub async fn get_range(&self, path: &str, range: Range<u64>, expected: &Expected) -> Result<Bytes, StorageError> {
        self.check_path(path)?;
        if range.start > range.end || range.end > expected.size {
            return Err(StorageError::new(
                StorageErrorKind::Invalid,
                self.place(path),
                format!("bytes {} to {} of {} were asked for", range.start, range.end, expected.size),
                "the file may be truncated or its footer damaged: check it with its own tools",
            ));
        }
        match &self.backend {
            Backend::Local(store) => {
                let (path, expected) = (path.to_owned(), expected.clone());
                blocking(store, move |store| store.get_range(&path, range, &expected)).await
            }
            Backend::Remote(store) => store.get_range(path, range, expected).await,
        }
    }

    /// The bytes of each of `ranges`, in their order. Near ranges are read in one request
    /// ([`COALESCE_GAP_BYTES`], [`COALESCE_LIMIT_BYTES`]) and share its memory.
    ///
    /// # Errors
    /// As [`Storage::get_range`].
    pub async fn read_ranges(
        &self,
        path: &str,
        ranges: &[Range<u64>],
        expected: &Expected,
    ) -> Result<Vec<Bytes>, StorageError> {
        self.read_requests(path, ranges, ranges::coalesce(ranges, COALESCE_GAP_BYTES), expected).await
    }

    /// As [`read_ranges`](Self::read_ranges), but reads nothing between them: only ranges that touch are one request.
    ///
    /// # Errors
    /// As [`get_range`](Self::get_range).
    pub async fn read_touching(
        &self,
        path: &str,
        ranges: &[Range<u64>],
        expected: &Expected,
    ) -> Result<Vec<Bytes>, StorageError> {
        self.read_requests(path, ranges, ranges::coalesce(ranges, 0), expected).await
    }

    async fn read_requests(
        &self,
        path: &str,
        ranges: &[Range<u64>],
        requests: Vec<Range<u64>>,
        expected: &Expected,
    ) -> Result<Vec<Bytes>, StorageError> {
        let parts: Vec<Bytes> = stream::iter(requests.clone())
            .map(|request| self.get_range(path, request, expected))
            .buffered(READS_IN_FLIGHT)
            .try_collect()
            .await?;
        let slice = |range: &Range<u64>| {
            let Some(holder) = ranges::holder(&requests, range) else { return Bytes::new() };
            let start = (range.start - requests[holder].start) as usize;
            parts[holder].slice(start..start + (range.end - range.start) as usize)
        };
        Ok(ranges.iter().map(|range| if range.is_empty() { Bytes::new() } else { slice(range) }).collect())
    }

    /// The whole object in order, in pieces of bounded size, each checked as by [`Storage::get_range`].
    /// An empty object is looked up once and gives no piece.
    pub fn get_stream(&self, path: &str, expected: &Expected) -> BoxStream<'static, Result<Bytes, StorageError>> {
        let (storage, path, expected) = (self.clone(), path.to_owned(), expected.clone());
        if expected.size == 0 {
            let look = async move {
                let now = storage.head(&path).await.map_err(StorageError::of_listed)?;
                expected.check(&now, || storage.place(&path)).map(|()| Bytes::new())
            };
            let pieces = stream::once(look).try_filter(|bytes| std::future::ready(!bytes.is_empty()));
            return pieces.boxed();
        }
        self.get_range_stream(&path, 0..expected.size, &expected)
    }

    /// The bytes of a range, in pieces.
    ///
    /// # Errors
    /// From the stream: as [`get_range`](Self::get_range).
    pub fn get_range_stream(
        &self,
        path: &str,
        range: Range<u64>,
        expected: &Expected,
    ) -> BoxStream<'static, Result<Bytes, StorageError>> {
        let (storage, path, expected) = (self.clone(), path.to_owned(), expected.clone());
        let piece_bytes = match &self.backend {
            Backend::Local(_) => LOCAL_PIECE_BYTES,
            Backend::Remote(_) => STREAM_PIECE_BYTES,
        };
        let pieces = (range.end - range.start).div_ceil(piece_bytes);
        stream::iter(0..pieces)
            .map(move |piece| {
                let (storage, path, expected) = (storage.clone(), path.clone(), expected.clone());
                let start = range.start + piece * piece_bytes;
                let end = (start + piece_bytes).min(range.end);
                async move { storage.get_range(&path, start..end, &expected).await }
            })
            .buffered(STREAM_PIECES_AHEAD)
            .boxed()
    }

    /// A small object, whole, in whatever version it is.
    ///
    /// # Errors
    /// [`StorageErrorKind::NotFound`] where there is none.
    pub async fn get(&self, path: &str) -> Result<Bytes, StorageError> {
        self.check_path(path)?;
        match &self.backend {
            Backend::Local(store) => {
                let path = path.to_owned();
                blocking(store, move |store| store.get(&path)).await
            }
            Backend::Remote(store) => store.get(path).await,
        }
    }

    /// Writes a small object, whole or not at all, over what had its name.
    ///
    /// # Errors
    /// [`StorageErrorKind::Denied`], [`StorageErrorKind::Full`] and their kin.
    pub async fn put(&self, path: &str, bytes: Bytes) -> Result<Entry, StorageError> {
        self.check_path(path)?;
        match &self.backend {
            Backend::Local(store) => {
                let path = path.to_owned();
                blocking(store, move |store| store.put(&path, &bytes, true)).await
            }
            Backend::Remote(store) => store.put(path, bytes, object_store::PutMode::Overwrite).await,
        }
    }

    /// Writes a small object that must not exist yet.
    ///
    /// # Errors
    /// [`StorageErrorKind::Exists`] where something has that name. A store that ignores `If-None-Match` does not
    /// say so: see the lease of a sink.
    pub async fn put_new(&self, path: &str, bytes: Bytes) -> Result<Entry, StorageError> {
        self.check_path(path)?;
        match &self.backend {
            Backend::Local(store) => {
                let path = path.to_owned();
                blocking(store, move |store| store.put_new(&path, &bytes)).await
            }
            Backend::Remote(store) => store.put(path, bytes, object_store::PutMode::Create).await,
        }
    }

    /// Deletes an object; one that is not there is deleted already.
    ///
    /// # Errors
    /// [`StorageErrorKind::Denied`] and its kin.
    pub async fn delete(&self, path: &str) -> Result<(), StorageError> {
        self.check_path(path)?;
        match &self.backend {
            Backend::Local(store) => {
                let path = path.to_owned();
                blocking(store, move |store| store.delete(&path)).await
            }
            Backend::Remote(store) => store.delete(path).await,
        }
    }

    /// Removes the folders above `path`, as far as they are empty. Only folders of a file system are things of their own.
    ///
    /// # Errors
    /// A folder that is empty and can't be removed.
    pub async fn remove_empty_folders(&self, path: &str) -> Result<(), StorageError> {
        self.check_path(path)?;
        match &self.backend {
            Backend::Local(store) => {
                let path = path.to_owned();
                blocking(store, move |store| store.remove_empty_folders(&path)).await
            }
            Backend::Remote(_) => Ok(()),
        }
    }

    /// Paths come from listings and record files too: none may lead out of the root.
    pub(super) fn check_path(&self, path: &str) -> Result<(), StorageError> {
        let is_plain = |segment: &str| !matches!(segment, "" | "." | "..") && !segment.contains('\0');
        if path.split('/').all(is_plain) {
            return Ok(());
        }
        Err(StorageError::new(
            StorageErrorKind::Invalid,
            self.place(path),
            "has an empty segment or one of `.` and `..` in its path",
            "rename the object",
        ))
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Storage({})", self.location)
    }
}

/// Runs a file system call on a blocking thread.
async fn blocking<T: Send + 'static>(
    store: &Arc<LocalStore>,
    work: impl FnOnce(&LocalStore) -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    let store = Arc::clone(store);
    on_blocking_thread(move || work(&store)).await
}

/// Runs `work` on a blocking thread; its panic goes on here.
pub(super) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StorageError::new(
            StorageErrorKind::Other,
            "this program",
            "is shutting down and did not start a file system call",
            "run again",
        )),
    }
}

/// 128 random bits in hex, for names that must not meet.
pub(super) fn random_name() -> Result<String, StorageError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| {
        StorageError::new(
            StorageErrorKind::Other,
            "the operating system",
            "gives no random bytes",
            "check that its random device can be read",
        )
    })?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}
