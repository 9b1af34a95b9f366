//! What a completion record holds.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::engine::privacy::PathPrivacy;
use crate::engine::storage::{CONTROL_FOLDER, Entry};
use crate::engine::time::timestamp;

/// The version that this program writes, and the only one that it reads.
const VERSION: u32 = 1;

/// One input that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of this shape.
    pub version: u32,
    /// The policy's dataset.
    pub dataset: String,
    /// The root that the input's path is relative to (keyed-hashed where paths hold data).
    pub source: String,
    /// The glob or name that narrowed that root, if any (hashed likewise).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Which object, in which version.
    pub input: InputId,
    /// The digest of the bound plan.
    pub policy_digest: String,
    /// The keys that were used.
    pub keys: Vec<KeyRef>,
    /// The objects that came of it.
    pub outputs: Vec<OutputRef>,
    /// Older outputs of this input that are still to be removed. Empty once that is done: a run that was killed
    /// between writing and removing is finished by the next one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<String>,
    /// Rows read.
    pub rows_in: u64,
    /// Rows written.
    pub rows_out: u64,
    /// RFC 3339, UTC.
    pub completed_at: String,
}

/// A key by what may be known of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRef {
    /// The id in the keyring.
    pub id: String,
    /// TOKENS section 1, hex.
    pub fingerprint: String,
}

/// An output object as it was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputRef {
    /// Relative to the sink.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// As the sink's listing shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
}

/// An input and its version; equal only for the same version of the same path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InputId {
    /// Where paths hold no data.
    Open {
        /// Relative to the source.
        path: String,
        /// Bytes.
        size: u64,
        /// As the source's listing shows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etag: Option<String>,
        /// RFC 3339; only where there is no etag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        modified: Option<String>,
    },
    /// Where paths hold data.
    Keyed {
        /// The keyed hash of the path.
        path_digest: String,
        /// The keyed hash of path, size and etag or time. The path is in it, so that equal objects do not show.
        version_digest: String,
    },
}

impl InputId {
    /// Names the listed `entry` as `privacy` allows.
    pub fn new(entry: &Entry, privacy: &PathPrivacy) -> Self {
        let modified = || entry.modified.map(timestamp);
        match privacy {
            PathPrivacy::Open => Self::Open {
                path: entry.path.clone(),
                size: entry.size,
                etag: entry.etag.clone(),
                modified: if entry.etag.is_some() { None } else { modified() },
            },
            PathPrivacy::Keyed(hash) => {
                let version = entry.etag.clone().or_else(modified).unwrap_or_default();
                // No path holds a NUL, so no path's hash meets a version's.
                let version = format!("{}\0{}\0{version}", entry.path, entry.size);
                Self::Keyed { path_digest: hash(&entry.path), version_digest: hash(&version) }
            }
        }
    }

    /// What stays the same between versions: the path or its keyed hash.
    pub fn key(&self) -> &str {
        match self {
            Self::Open { path, .. } => path,
            Self::Keyed { path_digest, .. } => path_digest,
        }
    }

    /// The key that [`InputId::new`] gives for `path`.
    pub(super) fn key_of(path: &str, privacy: &PathPrivacy) -> String {
        match privacy {
            PathPrivacy::Open => path.to_owned(),
            PathPrivacy::Keyed(hash) => hash(path),
        }
    }
}

impl Record {
    /// The version to write into [`Record::version`].
    pub const VERSION: u32 = VERSION;

    /// The record's file name without extension: one for each dataset and input.
    pub(super) fn file_stem(&self) -> String {
        let mut hasher = Sha256::new();
        for part in [self.dataset.as_str(), self.input.key()] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        data_encoding::HEXLOWER.encode(&hasher.finalize())
    }

    pub(super) fn to_json(&self) -> Result<Vec<u8>, &'static str> {
        let mut json = serde_json::to_vec_pretty(self).map_err(|_| "cannot be written as JSON")?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads a record. Its outputs may be deleted one day, so none may be ours or lie elsewhere.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, &'static str> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let unreadable = "is not a completion record that can be read";
        let Versioned { version } = serde_json::from_slice(json).map_err(|_| unreadable)?;
        if version != VERSION {
            return Err("is a completion record of another version of this program");
        }
        let record: Self = serde_json::from_slice(json).map_err(|_| unreadable)?;
        let is_plain = |path: &str| {
            path.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
                && path.split('/').next() != Some(CONTROL_FOLDER)
        };
        let paths = record.outputs.iter().map(|output| &output.path).chain(&record.superseded);
        if paths.into_iter().all(|path| is_plain(path)) {
            Ok(record)
        } else {
            Err("is a completion record with an output outside the sink's data")
        }
    }
}
