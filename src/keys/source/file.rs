//! A keyring in a file.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{KeyringSource, read_capped};
use crate::crypto::Secret;
use crate::keys::{KeyError, Permissions};

/// Reads a file, and on Unix first checks that its owner alone may.
#[derive(Debug, Clone)]
pub struct FileSource {
    path: PathBuf,
    permissions: Permissions,
}

impl FileSource {
    /// The file at this path, relative to the working directory.
    pub fn new(path: impl Into<PathBuf>, permissions: Permissions) -> Self {
        Self { path: path.into(), permissions }
    }
}

impl KeyringSource for FileSource {
    fn describe(&self) -> String {
        format!("keyring file {}", self.path.display())
    }

    fn load(&self) -> Result<Secret, KeyError> {
        let unreadable = |error| KeyError::Read { path: self.path.clone(), error };
        let file = File::open(&self.path).map_err(unreadable)?;
        if self.permissions == Permissions::Owner {
            check_owner_only(&file, &self.path)?;
        }
        read_capped(file).map_err(unreadable)?.ok_or_else(|| KeyError::TooLarge { origin: self.describe() })
    }
}

/// Looks at the opened file, not at the path, so that both are one file.
#[cfg(unix)]
fn check_owner_only(file: &File, path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::MetadataExt;

    let metadata = file.metadata().map_err(|error| KeyError::Read { path: path.to_owned(), error })?;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::FileMode { path: path.to_owned(), mode }) }
}

/// Other systems have no such bits; who may read is left to them.
#[cfg(not(unix))]
fn check_owner_only(_: &File, _: &Path) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn load(path: &Path, permissions: Permissions) -> Result<Vec<u8>, KeyError> {
        FileSource::new(path, permissions).load().map(|secret| secret.expose().to_vec())
    }

    #[cfg(unix)]
    #[test]
    fn fail_a_file_that_group_or_others_can_reach_unless_any_may() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keyring");
        fs::write(&path, "canary").unwrap();
        for (mode, private) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            match load(&path, Permissions::Owner) {
                Ok(bytes) => assert!(private && bytes == b"canary", "{mode:o}"),
                Err(error) => {
                    assert!(!private, "{mode:o}");
                    assert!(error.to_string().contains(&format!("has mode {mode:04o}")), "{error}");
                    assert!(error.hint().contains("permissions: any"));
                }
            }
            assert_eq!(load(&path, Permissions::Any).unwrap(), b"canary", "{mode:o}");
        }
    }

    #[test]
    fn fail_a_file_that_is_not_there_and_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("missing"), folder.path().to_owned()] {
            let error = load(&path, Permissions::Any).unwrap_err();
            assert!(matches!(error, KeyError::Read { .. }), "{error}");
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
    }
}
