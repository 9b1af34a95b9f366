//! The local file system: listing, checked reads, and files that appear whole or not at all.
//!
//! Done here and not by `object_store`, whose local store stages beside the target, does not sync, and hides files
//! whose names end in `#digits`. Everything in this file blocks: callers run it on a blocking thread.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::error::{StorageError, StorageErrorKind};
use super::{Entry, Expected, TEMPORARY_FOLDER};

/// Bytes for each write: for larger ones Linux fills its cache by larger pages, which where memory is scarce or lent
/// by a host have to be brought in first (measured: writes of 1 MiB take seven times as long as of 128 KiB).
const WRITE_BYTES: usize = 128 << 10;

/// A folder of the local file system.
#[derive(Debug, Clone)]
pub(in crate::engine) struct LocalStore {
    root: PathBuf,
}

impl LocalStore {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn resolve(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn place(&self, path: &str) -> String {
        self.resolve(path).display().to_string()
    }

    /// All files below `prefix`, through symbolic links; nothing where there is no such folder.
    pub(super) fn list(&self, prefix: &str) -> Result<Vec<Entry>, StorageError> {
        let mut entries = Vec::new();
        let start = self.resolve(prefix);
        match fs::metadata(&start) {
            Ok(metadata) if metadata.is_dir() => {
                self.list_folder(&start, prefix, &mut vec![identity(&metadata)], &mut entries)?;
            }
            Ok(_) => {}
            Err(error) if is_absence(&error) => {}
            Err(error) => return Err(StorageError::from_io(&error, self.place(prefix), "cannot list")),
        }
        Ok(entries)
    }

    /// `above` identifies the folders on the way down, to notice a link that leads back up.
    fn list_folder(
        &self,
        folder: &Path,
        prefix: &str,
        above: &mut Vec<(u64, u64)>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), StorageError> {
        let cannot_list = |error: &io::Error| StorageError::from_io(error, self.place(prefix), "cannot list");
        for item in fs::read_dir(folder).map_err(|error| cannot_list(&error))? {
            let item = item.map_err(|error| cannot_list(&error))?;
            let Ok(name) = item.file_name().into_string() else {
                return Err(StorageError::new(
                    StorageErrorKind::Invalid,
                    item.path().display().to_string(),
                    "has a name that is not UTF-8",
                    "rename it: paths in the report and in the output are text",
                ));
            };
            let path = super::location::joined(prefix, &name);
            // Follows links. What vanishes meanwhile is not there.
            let metadata = match fs::metadata(item.path()) {
                Ok(metadata) => metadata,
                // a link to what is not there at this moment may hide a whole folder: nothing may take it for gone
                Err(error) if is_absence(&error) && fs::symlink_metadata(item.path()).is_ok() => {
                    return Err(StorageError::new(
                        StorageErrorKind::Invalid,
                        self.place(&path),
                        "is a link to nothing",
                        "bring back what it links to, or remove the link",
                    ));
                }
                Err(error) if is_absence(&error) => continue,
                Err(error) => return Err(StorageError::from_io(&error, self.place(&path), "cannot list")),
            };
            if metadata.is_dir() {
                let this = identity(&metadata);
                if cfg!(unix) && above.contains(&this) {
                    return Err(StorageError::new(
                        StorageErrorKind::Invalid,
                        self.place(&path),
                        "is a link to a folder above itself",
                        "remove the link, or name a source that does not hold it",
                    ));
                }
                above.push(this);
                self.list_folder(&item.path(), &path, above, entries)?;
                above.pop();
            } else if metadata.is_file() {
                entries.push(entry(path, &metadata));
            }
        }
        Ok(())
    }

    pub(super) fn head(&self, path: &str) -> Result<Entry, StorageError> {
        let metadata =
            fs::metadata(self.resolve(path)).map_err(|error| self.absent_or(&error, path, "cannot look it up"))?;
        if !metadata.is_file() {
            return Err(self.not_found(path));
        }
        Ok(entry(path.to_owned(), &metadata))
    }

    /// The bytes of `range`; the file's identity is checked after opening and again after reading.
    pub(super) fn get_range(&self, path: &str, range: Range<u64>, expected: &Expected) -> Result<Bytes, StorageError> {
        let cannot_read = |error: &io::Error| self.absent_or(error, path, "cannot read");
        let mut file = File::open(self.resolve(path)).map_err(|error| cannot_read(&error).of_listed())?;
        let check = |file: &File| {
            let metadata = file.metadata().map_err(|error| cannot_read(&error))?;
            expected.check(&entry(path.to_owned(), &metadata), || self.place(path))
        };
        check(&file)?;
        file.seek(SeekFrom::Start(range.start)).map_err(|error| cannot_read(&error))?;
        let length = range.end - range.start;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        (&file).take(length).read_to_end(&mut bytes).map_err(|error| cannot_read(&error))?;
        check(&file)?;
        if bytes.len() as u64 != length {
            let (listed, now) = (format!("{length} bytes at {}", range.start), format!("{} bytes", bytes.len()));
            return Err(StorageError::changed(self.place(path), &listed, &now));
        }
        Ok(bytes.into())
    }

    pub(super) fn get(&self, path: &str) -> Result<Bytes, StorageError> {
        let bytes = fs::read(self.resolve(path)).map_err(|error| self.absent_or(&error, path, "cannot read"))?;
        Ok(bytes.into())
    }

    pub(super) fn put(&self, path: &str, bytes: &[u8], sync: bool) -> Result<Entry, StorageError> {
        let mut file = TemporaryFile::create(self)?;
        file.write(bytes)?;
        file.publish(path, sync)
    }

    /// Creates `path`, failing with [`StorageErrorKind::Exists`] where something has that name.
    pub(super) fn put_new(&self, path: &str, bytes: &[u8]) -> Result<Entry, StorageError> {
        let mut file = TemporaryFile::create(self)?;
        file.write(bytes)?;
        file.publish_new(path, bytes)
    }

    /// Deletes `path`; what is not there is deleted already.
    pub(super) fn delete(&self, path: &str) -> Result<(), StorageError> {
        match fs::remove_file(self.resolve(path)) {
            Err(error) if !is_absence(&error) => Err(StorageError::from_io(&error, self.place(path), "cannot delete")),
            _ => Ok(()),
        }
    }

    pub(super) fn remove_empty_folders(&self, path: &str) -> Result<(), StorageError> {
        let mut path = path;
        while let Some((folder, _)) = path.rsplit_once('/') {
            match fs::remove_dir(self.resolve(folder)) {
                Ok(()) => path = folder,
                Err(error) if is_absence(&error) => path = folder,
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => break,
                Err(error) => return Err(StorageError::from_io(&error, self.place(folder), "cannot remove")),
            }
        }
        Ok(())
    }

    fn not_found(&self, path: &str) -> StorageError {
        StorageError::new(StorageErrorKind::NotFound, self.place(path), "there is no such file", "check the path")
    }

    fn absent_or(&self, error: &io::Error, path: &str, doing: &str) -> StorageError {
        if is_absence(error) { self.not_found(path) } else { StorageError::from_io(error, self.place(path), doing) }
    }

    /// Makes the folders above `path`, each entry made durable in its parent.
    fn create_parents(&self, path: &str, sync: bool) -> Result<(), StorageError> {
        let target = self.resolve(path);
        let Some(folder) = target.parent() else { return Ok(()) };
        let missing: Vec<_> =
            folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
        let cannot_make = |error: &io::Error, at: &Path| {
            StorageError::from_io(error, at.display().to_string(), "cannot make the folder")
        };
        for at in missing.into_iter().rev() {
            match fs::create_dir(at) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(cannot_make(&error, at)),
                _ => {}
            }
            if sync {
                sync_folder(at.parent().unwrap_or(at)).map_err(|error| cannot_make(&error, at))?;
            }
        }
        Ok(())
    }
}

/// A file under the temporary folder; gone with this value unless published.
#[derive(Debug)]
pub(in crate::engine) struct TemporaryFile {
    store: LocalStore,
    name: PathBuf,
    file: File,
    published: bool,
}

impl TemporaryFile {
    pub(in crate::engine) fn create(store: &LocalStore) -> Result<Self, StorageError> {
        let path = format!("{TEMPORARY_FOLDER}/{}.tmp", super::random_name()?);
        store.create_parents(&path, false)?;
        let name = store.resolve(&path);
        let file = File::create_new(&name)
            .map_err(|error| StorageError::from_io(&error, store.place(&path), "cannot create a temporary file"))?;
        Ok(Self { store: store.clone(), name, file, published: false })
    }

    pub(in crate::engine) fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        let mut pieces = bytes.chunks(WRITE_BYTES);
        pieces.try_for_each(|piece| self.file.write_all(piece)).map_err(|error| self.failed(&error, "cannot write"))
    }

    /// Gives the file its name, replacing what had it.
    pub(in crate::engine) fn publish(mut self, path: &str, sync: bool) -> Result<Entry, StorageError> {
        if sync {
            self.file.sync_all().map_err(|error| self.failed(&error, "cannot write"))?;
        }
        self.store.create_parents(path, sync)?;
        let target = self.store.resolve(path);
        let failed = |error: &io::Error| StorageError::from_io(error, self.store.place(path), "cannot write");
        fs::rename(&self.name, &target).map_err(|error| failed(&error))?;
        if sync && let Some(folder) = target.parent() {
            sync_folder(folder).map_err(|error| failed(&error))?;
        }
        let metadata = self.file.metadata().map_err(|error| failed(&error))?;
        self.published = true;
        Ok(entry(path.to_owned(), &metadata))
    }

    /// Gives the file a name that nothing has yet; `bytes` are its content.
    fn publish_new(self, path: &str, bytes: &[u8]) -> Result<Entry, StorageError> {
        self.file.sync_all().map_err(|error| self.failed(&error, "cannot write"))?;
        self.store.create_parents(path, true)?;
        let target = self.store.resolve(path);
        let failed = |error: &io::Error| StorageError::from_io(error, self.store.place(path), "cannot create");
        match fs::hard_link(&self.name, &target) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(failed(&error)),
            // Some file systems have no hard links: then it is exclusive still, though not whole at once.
            Err(_) => {
                let mut file = File::create_new(&target).map_err(|error| failed(&error))?;
                file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| failed(&error))?;
            }
        }
        self.store.head(path)
    }

    fn failed(&self, error: &io::Error, doing: &str) -> StorageError {
        StorageError::from_io(error, self.name.display().to_string(), doing)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if !self.published {
            // Nobody is left to tell; the next run's `clean_temporaries` takes what stays.
            let _ = fs::remove_file(&self.name);
        }
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Size, modification time in nanoseconds and inode make the etag: a file written over or replaced changes it.
fn entry(path: String, metadata: &Metadata) -> Entry {
    let modified = metadata.modified().ok();
    let since_epoch = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let nanoseconds = since_epoch.map_or(0, |duration| duration.as_nanos());
    let (_, inode) = identity(metadata);
    let size = metadata.len();
    Entry { path, size, etag: Some(format!("{size:x}-{nanoseconds:x}-{inode:x}")), modified }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// `/dev/full` fails every write for want of space, for any user.
    #[test]
    fn a_full_disk_is_said_to_be_full() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let name = folder.path().join("x.tmp");
        let file = File::options().write(true).open("/dev/full").expect("Linux has it");
        let store = LocalStore::new(folder.path().to_owned());
        let mut file = TemporaryFile { store, name, file, published: false };
        let error = file.write(b"1").expect_err("must fail");
        assert_eq!(error.kind(), StorageErrorKind::Full, "{error}");
    }
}
