//! One output object, which appears whole or not at all, with its digest computed on the way.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use object_store::{MultipartUpload, PutMode, PutPayload};
use tokio::task::JoinHandle;

use super::digests::{Digests, Hashing};
use super::storage::{
    Backend, CONTROL_FOLDER, RemoteStore, Storage, StorageError, StorageErrorKind, TemporaryFile, on_blocking_thread,
    written,
};
use crate::crypto::StreamDigest;

/// The smallest part that all stores take, and so the size up to which an object is one request.
const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;

/// The most parts that S3 takes.
const MAX_PARTS: u64 = 10_000;

/// Equal parts (some stores ask for them) up to here; an output that outgrows even that has larger ones after it.
const EQUAL_PARTS: u64 = 8_000;

/// Parts under way at once: enough to fill a line, few enough for the memory (one more is being filled).
const PARTS_IN_FLIGHT: u64 = 3;

/// Bytes of parts under way at once; one part may be larger.
const IN_FLIGHT_BYTES: u64 = 64 * 1024 * 1024;

/// How much is gathered before a local write.
const LOCAL_PART_BYTES: usize = 1024 * 1024;

/// What is written to a file as it comes, rather than copied to others.
const LOCAL_WHOLE_BYTES: usize = LOCAL_PART_BYTES / 4;

/// An object that was published whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Bytes.
    pub size: u64,
    /// As a listing of the sink will show it; `None` where the store gives none.
    pub etag: Option<String>,
    /// SHA-256 over the bytes, lower-case hex.
    pub sha256: String,
}

/// Writes one object in order. Nothing has its name before [`ObjectWriter::finish`]; dropped before that, what was
/// written is removed as far as possible.
///
/// - In a folder: a file under `_lakeveil/tmp/`, then a rename.
/// - In a store: one request for small objects, else a multipart upload with few parts under way. At most 3 parts or
///   64 MiB of them, or one larger part, and the part that is being filled are held in memory.
///
/// ```
/// use lakeveil::engine::publish::ObjectWriter;
/// use lakeveil::engine::storage::Storage;
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let sink = Storage::memory();
/// let mut writer = ObjectWriter::create(&sink, "a/b.csv", 0, true).await?;
/// writer.write("id\n".into()).await?;
/// writer.write("1\n".into()).await?;
/// let published = writer.finish().await?;
/// assert_eq!(published.size, 5);
/// assert_eq!(sink.get("a/b.csv").await?, "id\n1\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ObjectWriter {
    path: String,
    buffer: BytesMut,
    size: u64,
    digest: StreamDigest,
    digests: Digests,
    target: Target,
}

enum Target {
    /// Taken out while a blocking thread writes to it.
    Local {
        file: Option<TemporaryFile>,
        sync: bool,
    },
    Remote(Upload),
}

impl ObjectWriter {
    /// Starts an object. `input_size_hint` (bytes) sets the size of the parts: the input's size, or the size it will
    /// have when decompressed. `sync` makes local files durable before they get their names.
    ///
    /// # Errors
    /// Where the path is invalid or a temporary file cannot be made.
    pub async fn create(storage: &Storage, path: &str, input_size_hint: u64, sync: bool) -> Result<Self, StorageError> {
        storage.check_path(path)?;
        let target = match storage.backend() {
            Backend::Local(store) => {
                let store = Arc::clone(store);
                let file = on_blocking_thread(move || TemporaryFile::create(&store)).await?;
                Target::Local { file: Some(file), sync }
            }
            Backend::Remote(store) => Target::Remote(Upload::new(store, path, input_size_hint)),
        };
        let (digest, digests) = (StreamDigest::new(), Digests::default());
        Ok(Self { path: path.to_owned(), buffer: BytesMut::new(), size: 0, digest, digests, target })
    }

    /// Has its bytes hashed along with those of others.
    pub fn hashed_by(self, digests: &Digests) -> Self {
        Self { digests: digests.clone(), ..self }
    }

    /// Appends `bytes`. Returns when there is room for more, not when they are stored.
    ///
    /// # Errors
    /// Also those of earlier writes; the writer is of no use after one.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        let mut bytes = bytes;
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            if matches!(self.target, Target::Local { .. }) && bytes.len() >= LOCAL_WHOLE_BYTES {
                let held = self.buffer.split().freeze();
                if !held.is_empty() {
                    self.send(held).await?;
                }
                let is_last = bytes.len() < LOCAL_PART_BYTES + LOCAL_WHOLE_BYTES;
                let piece = bytes.split_to(if is_last { bytes.len() } else { LOCAL_PART_BYTES });
                self.send(piece).await?;
                continue;
            }
            let part_size = match &self.target {
                Target::Local { .. } => LOCAL_PART_BYTES,
                Target::Remote(upload) => upload.next_part_size(),
            };
            let room = part_size.saturating_sub(self.buffer.len()).min(bytes.len());
            let whole = self.buffer.is_empty() && room == part_size;
            let piece = bytes.split_to(room);
            if whole {
                self.send(piece).await?;
                continue;
            }
            self.buffer.extend_from_slice(&piece);
            if self.buffer.len() >= part_size {
                let part = self.buffer.split().freeze();
                self.send(part).await?;
            }
        }
        Ok(())
    }

    /// Stores the rest, and gives the object its name.
    ///
    /// # Errors
    /// After one, nothing of this writer has the name.
    pub async fn finish(mut self) -> Result<Published, StorageError> {
        let rest = self.buffer.split().freeze();
        let is_single = matches!(&self.target, Target::Remote(upload) if upload.multipart.is_none());
        if !rest.is_empty() && !is_single {
            self.send(rest.clone()).await?;
        }
        if is_single {
            self.digest = self.hash(rest.clone()).await?;
        }
        let path = self.path.clone();
        let entry = match &mut self.target {
            Target::Local { file, sync } => {
                let (file, sync) = (file.take().ok_or_else(|| spent(&path))?, *sync);
                on_blocking_thread(move || file.publish(&path, sync)).await?
            }
            Target::Remote(upload) if is_single => upload.store.put(&path, rest, PutMode::Overwrite).await?,
            Target::Remote(upload) => {
                let etag = upload.complete().await?;
                written(&path, self.size, etag)
            }
        };
        let sha256 = data_encoding::HEXLOWER.encode(&std::mem::take(&mut self.digest).finalize());
        Ok(Published { size: self.size, etag: entry.etag, sha256 })
    }

    /// Removes what was written. A failure to do so is returned, since the store may charge for what stays.
    ///
    /// # Errors
    /// As [`ObjectWriter::write`].
    pub async fn abort(mut self) -> Result<(), StorageError> {
        match &mut self.target {
            Target::Local { file, .. } => {
                let file = file.take();
                on_blocking_thread(move || {
                    drop(file);
                    Ok(())
                })
                .await
            }
            Target::Remote(upload) => upload.abort().await,
        }
    }

    /// Hashes one full part and passes it on.
    async fn send(&mut self, part: Bytes) -> Result<(), StorageError> {
        let hashing = self.hash(part.clone());
        match &mut self.target {
            Target::Local { file, .. } => {
                let mut open = file.take().ok_or_else(|| spent(&self.path))?;
                // each takes about as long as the other, and one object alone is to keep two threads busy
                let writing = on_blocking_thread(move || {
                    open.write(&part)?;
                    Ok(open)
                });
                let (open, digest) = futures::future::try_join(writing, hashing).await?;
                *file = Some(open);
                self.digest = digest;
                Ok(())
            }
            Target::Remote(upload) => {
                upload.send(part).await?;
                // The part is on its way meanwhile.
                self.digest = hashing.await?;
                Ok(())
            }
        }
    }

    fn hash(&mut self, part: Bytes) -> Hashing {
        self.digests.update(std::mem::take(&mut self.digest), part)
    }
}

fn spent(path: &str) -> StorageError {
    StorageError::new(StorageErrorKind::Other, path, "an earlier write of this object failed", "look at that error")
}

/// A multipart upload that begins with the first full part.
struct Upload {
    store: Arc<RemoteStore>,
    path: String,
    base_part_bytes: u64,
    parts: u64,
    multipart: Option<Box<dyn MultipartUpload>>,
    in_flight: VecDeque<JoinHandle<object_store::Result<()>>>,
}

impl Upload {
    fn new(store: &Arc<RemoteStore>, path: &str, input_size_hint: u64) -> Self {
        Self {
            store: Arc::clone(store),
            path: path.to_owned(),
            base_part_bytes: base_part_bytes(input_size_hint),
            parts: 0,
            multipart: None,
            in_flight: VecDeque::new(),
        }
    }

    fn next_part_size(&self) -> usize {
        usize::try_from(part_bytes(self.base_part_bytes, self.parts)).unwrap_or(usize::MAX)
    }

    async fn send(&mut self, part: Bytes) -> Result<(), StorageError> {
        if self.parts == MAX_PARTS {
            return Err(StorageError::new(
                StorageErrorKind::Invalid,
                &self.path,
                format!("the output has more than {MAX_PARTS} parts, from {} bytes each", self.base_part_bytes),
                "split the input: it grows more than twentyfold on its way",
            ));
        }
        while self.in_flight.len() >= parts_in_flight(part.len() as u64) {
            self.wait_for_oldest().await?;
        }
        let multipart = match &mut self.multipart {
            Some(multipart) => multipart,
            None => self.multipart.insert(self.store.start_multipart(&self.path).await?),
        };
        self.in_flight.push_back(tokio::spawn(multipart.put_part(PutPayload::from(part))));
        self.parts += 1;
        Ok(())
    }

    async fn wait_for_oldest(&mut self) -> Result<(), StorageError> {
        let Some(oldest) = self.in_flight.pop_front() else { return Ok(()) };
        let result = oldest.await.unwrap_or_else(|error| Err(error.into()));
        result.map_err(|error| self.store.cannot_write(&error, &self.path))
    }

    async fn complete(&mut self) -> Result<Option<String>, StorageError> {
        while !self.in_flight.is_empty() {
            self.wait_for_oldest().await?;
        }
        let Some(multipart) = &mut self.multipart else { return Ok(None) };
        let result = multipart.complete().await.map_err(|error| self.store.cannot_write(&error, &self.path))?;
        // Nothing is left to abort.
        self.multipart = None;
        Ok(result.e_tag)
    }

    async fn abort(&mut self) -> Result<(), StorageError> {
        match aborting(&mut self.multipart, &mut self.in_flight) {
            Some(abort) => abort.await.map_err(|error| self.store.cannot_write(&error, &self.path)),
            None => Ok(()),
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let abort = aborting(&mut self.multipart, &mut self.in_flight);
        if let (Some(abort), Ok(runtime)) = (abort, tokio::runtime::Handle::try_current()) {
            // Nobody is left to tell; a bucket's rule for incomplete uploads takes what stays.
            runtime.spawn(abort);
        }
    }
}

/// Stops the parts under way, then aborts the upload: a part that arrives after the abort would stay.
fn aborting(
    multipart: &mut Option<Box<dyn MultipartUpload>>,
    in_flight: &mut VecDeque<JoinHandle<object_store::Result<()>>>,
) -> Option<BoxFuture<'static, object_store::Result<()>>> {
    let in_flight = std::mem::take(in_flight);
    let mut multipart = multipart.take()?;
    Some(Box::pin(async move {
        for part in in_flight {
            part.abort();
            // Either way it is over.
            let _ = part.await;
        }
        multipart.abort().await
    }))
}

/// The size of the equal parts: half of them hold an output as large as the input, and none is under
/// [`MIN_PART_BYTES`].
fn base_part_bytes(input_size_hint: u64) -> u64 {
    const MIB: u64 = 1024 * 1024;
    let needed = input_size_hint.div_ceil(EQUAL_PARTS / 2);
    needed.div_ceil(MIB).saturating_mul(MIB).max(MIN_PART_BYTES)
}

/// How many parts of `bytes` may be under way.
fn parts_in_flight(bytes: u64) -> usize {
    (IN_FLIGHT_BYTES / bytes.max(1)).clamp(1, PARTS_IN_FLIGHT) as usize
}

/// The size of part `index`: after the equal ones it doubles every 500 parts.
fn part_bytes(base: u64, index: u64) -> u64 {
    let doublings = if index < EQUAL_PARTS { 0 } else { (index - EQUAL_PARTS) / 500 + 1 };
    base << doublings.min(4)
}

/// Removes what runs that were killed have left under `_lakeveil/tmp/`; returns how many. Only the holder of the
/// sink's lease may do so.
///
/// # Errors
/// Where the folder cannot be listed or a file not deleted.
pub async fn clean_temporaries(sink: &Storage) -> Result<usize, StorageError> {
    if !sink.location().is_local() {
        return Ok(0);
    }
    let left = sink.list(&format!("{CONTROL_FOLDER}/tmp")).await?;
    for entry in &left {
        sink.delete(&entry.path).await?;
    }
    Ok(left.len())
}

#[cfg(test)]
mod tests;
