//! Keyring files: written whole, for their owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::KeyError;
use super::source::{FileSource, KeyringSource};
use super::{Permissions, new};
use crate::crypto::Secret;

/// Writes a keyring document to a file that must not exist yet, with mode 0600.
///
/// # Errors
/// A file that exists, or cannot be written; what was written of it is removed.
pub fn create(path: &Path, document: &Secret) -> Result<(), KeyError> {
    write_whole(path, document).map_err(|error| KeyError::Write { path: path.to_owned(), error })
}

/// Adds a key to a keyring file by [`new::append`]. The file is replaced at once or not at all, with mode 0600; a link
/// is followed.
///
/// # Errors
/// A file that others can reach, or is not a keyring; whatever [`new::append`] refuses; a file that cannot be written,
/// or that another process is just writing.
pub fn add_key(path: &Path, id: &str, now: SystemTime) -> Result<(), KeyError> {
    let target = path.canonicalize().map_err(|error| KeyError::Read { path: path.to_owned(), error })?;
    let unwritable = |error| KeyError::Write { path: path.to_owned(), error };
    let staged = Staged::create(&target).map_err(unwritable)?;
    let old = FileSource::new(&target, Permissions::Owner).load()?;
    let document = new::append(&old, id, now)?;
    staged.publish(&target, &document).map_err(unwritable)
}

/// The new file beside the old one, `.NAME.new`. Whoever creates it holds the keyring: two processes that both add a
/// key do not lose one. It is removed when dropped before it is published.
struct Staged {
    path: PathBuf,
    file: File,
    published: bool,
}

impl Staged {
    fn create(target: &Path) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut staged = std::ffi::OsString::from(".");
        staged.push(name);
        staged.push(".new");
        let path = target.with_file_name(staged);
        Ok(Self { file: create_private(&path)?, path, published: false })
    }

    fn publish(mut self, target: &Path, document: &Secret) -> io::Result<()> {
        self.file.write_all(document.expose())?;
        self.file.sync_all()?;
        fs::rename(&self.path, target)?;
        self.published = true;
        sync_folder(target)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // once it is published the name is free for another process, and may be in use already
        if !self.published {
            // if it stays, the next run stops at it and says so
            let _removed = fs::remove_file(&self.path);
        }
    }
}

fn write_whole(path: &Path, document: &Secret) -> io::Result<()> {
    let mut file = create_private(path)?;
    let written = file.write_all(document.expose()).and_then(|()| file.sync_all());
    if written.is_err() {
        // the first error is the one to tell
        let _removed = fs::remove_file(path);
    }
    written.and_then(|()| sync_folder(path))
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a new name in a folder outlast a power cut. Windows has no such call.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Keyring;

    fn ids(path: &Path) -> Vec<String> {
        let document = FileSource::new(path, Permissions::Owner).load().unwrap();
        Keyring::parse(&document).unwrap().keys().iter().map(|key| key.id().to_owned()).collect()
    }

    fn files(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_made_and_extended_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.json");
        create(&path, &new::generate("one", SystemTime::now()).unwrap()).unwrap();
        add_key(&path, "two", SystemTime::now()).unwrap();
        assert_eq!(ids(&path), ["one", "two"]);
        assert_eq!(files(folder.path()), ["keyring.json"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        }
    }

    #[test]
    fn fail_to_make_a_file_that_exists_and_leave_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.json");
        create(&path, &new::generate("one", SystemTime::now()).unwrap()).unwrap();
        let error = create(&path, &new::generate("two", SystemTime::now()).unwrap()).unwrap_err();
        assert!(matches!(&error, KeyError::Write { error, .. } if error.kind() == io::ErrorKind::AlreadyExists));
        assert_eq!(ids(&path), ["one"]);
    }

    #[test]
    fn fail_to_extend_leaves_the_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.json");
        create(&path, &new::generate("one", SystemTime::now()).unwrap()).unwrap();
        let before = fs::read(&path).unwrap();
        assert!(add_key(&path, "one", SystemTime::now()).is_err());
        assert_eq!(fs::read(&path).unwrap(), before);
        assert_eq!(files(folder.path()), ["keyring.json"]);
        assert!(matches!(add_key(&folder.path().join("no"), "two", SystemTime::now()), Err(KeyError::Read { .. })));
    }

    #[test]
    fn fail_while_another_process_extends_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring.json");
        create(&path, &new::generate("one", SystemTime::now()).unwrap()).unwrap();
        let other = Staged::create(&path).unwrap();
        let error = add_key(&path, "two", SystemTime::now()).unwrap_err();
        assert!(error.hint().contains(".new"), "{error}");
        assert!(other.path.exists());
        drop(other);
        add_key(&path, "two", SystemTime::now()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_followed_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("keyring.json"), folder.path().join("link"));
        create(&path, &new::generate("one", SystemTime::now()).unwrap()).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        add_key(&link, "two", SystemTime::now()).unwrap();
        assert_eq!(ids(&path), ["one", "two"]);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
