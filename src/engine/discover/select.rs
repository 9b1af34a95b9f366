//! Which objects of a listing belong to the source.

use std::collections::HashSet;

use globset::{GlobBuilder, GlobMatcher};

use super::{DiscoverError, Skipped};
use crate::engine::storage::{Entry, Environment, Location, Storage, StorageError, StorageErrorKind};

/// What of a root belongs to the source.
#[derive(Debug, Clone)]
pub enum Selection {
    /// All below it.
    Tree,
    /// What the pattern matches: `*` and `?` stay within a segment, `**` spans them, `{a,b}` are alternatives.
    Glob(GlobMatcher),
    /// One object, by its name.
    Object(String),
}

impl Selection {
    /// A selection by pattern.
    ///
    /// # Errors
    /// [`DiscoverError::Glob`].
    pub fn glob(pattern: &str) -> Result<Self, DiscoverError> {
        let glob = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = glob.map_err(|_| DiscoverError::Glob { pattern: pattern.to_owned() })?;
        Ok(Self::Glob(glob.compile_matcher()))
    }

    /// The filter that completion records keep; `None` for a whole tree.
    pub fn filter(&self) -> Option<String> {
        match self {
            Self::Tree => None,
            Self::Glob(glob) => Some(glob.glob().glob().to_owned()),
            Self::Object(name) => Some(name.clone()),
        }
    }
}

/// An opened source: a root, and what of it is meant.
#[derive(Debug, Clone)]
pub struct Source {
    /// The root, to which all input paths are relative.
    pub storage: Storage,
    /// What of it is meant.
    pub selection: Selection,
    /// The folder below the root outside which nothing is meant, empty for all: listings need not go beyond it.
    folder: String,
}

impl Source {
    /// Lists what the source may hold; [`super::discover`] chooses among it.
    ///
    /// # Errors
    /// Where the listing fails, and where a single object is not there.
    pub async fn list(&self) -> Result<Vec<Entry>, StorageError> {
        match &self.selection {
            Selection::Object(name) => Ok(vec![self.storage.head(name).await?]),
            _ => self.storage.list(&self.folder).await,
        }
    }
}

/// Opens `location`, which may name a folder, a glob, or one object.
///
/// # Errors
/// As [`Storage::open`], and where looking up the object fails.
pub async fn open_source(location: &Location, environment: &Environment) -> Result<Source, DiscoverError> {
    if let Some((root, pattern)) = location.split_glob() {
        let storage = Storage::open(&root, environment)?;
        let literal = |segment: &&str| !segment.contains(['*', '?', '[', '{']);
        let folder = pattern.split('/').take_while(literal).collect::<Vec<_>>().join("/");
        return Ok(Source { storage, selection: Selection::glob(&pattern)?, folder });
    }
    if let Some((parent, name)) = location.split_last() {
        let storage = Storage::open(&parent, environment)?;
        if location.is_web() || is_object(&storage, &name).await? {
            return Ok(Source { storage, selection: Selection::Object(name), folder: String::new() });
        }
    }
    Ok(Source { storage: Storage::open(location, environment)?, selection: Selection::Tree, folder: String::new() })
}

async fn is_object(storage: &Storage, name: &str) -> Result<bool, StorageError> {
    match storage.head(name).await {
        // An empty object may stand for the folder; so may an object be invisible to whoever may list only.
        Ok(entry) => Ok(entry.size > 0),
        Err(error) => match error.kind() {
            StorageErrorKind::NotFound | StorageErrorKind::Denied => Ok(false),
            _ => Err(error),
        },
    }
}

/// Applies the selection and the skip rules.
pub(super) fn choose(entries: Vec<Entry>, selection: &Selection, skipped: &mut Skipped) -> Vec<Entry> {
    if let Selection::Object(name) = selection {
        return entries.into_iter().filter(|entry| entry.path == *name).collect();
    }
    let folders: HashSet<String> =
        entries.iter().flat_map(|entry| folders_of(&entry.path)).map(str::to_owned).collect();
    let mut chosen = Vec::with_capacity(entries.len());
    for entry in entries {
        let is_hidden = entry.path.split('/').any(|segment| segment.starts_with(['_', '.']));
        if is_hidden {
            skipped.hidden += 1;
        } else if entry.size == 0 && stands_for_a_folder(&entry.path, &folders) {
            skipped.markers += 1;
        } else if matches!(selection, Selection::Glob(glob) if !glob.is_match(&entry.path)) {
            skipped.unmatched += 1;
        } else {
            chosen.push(entry);
        }
    }
    chosen
}

/// `dir/` (listed without its slash), or Hadoop's `dir_$folder$`; also where nothing is in it.
fn stands_for_a_folder(path: &str, folders: &HashSet<String>) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    folders.contains(path) || name.ends_with("_$folder$") || !name.contains('.')
}

fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// The folders that belong to a table format.
#[derive(Debug, Default)]
pub(super) struct TableRoots(Vec<(String, &'static str)>);

impl TableRoots {
    /// The table root at or above `path`.
    pub(super) fn of(&self, path: &str) -> Option<(&str, &'static str)> {
        let is_above =
            |root: &str| root.is_empty() || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'));
        self.0.iter().find(|(root, _)| is_above(root)).map(|(root, table)| (root.as_str(), *table))
    }
}

pub(super) fn table_roots(entries: &[Entry]) -> TableRoots {
    let mut roots = TableRoots::default();
    for entry in entries {
        let segments: Vec<&str> = entry.path.split('/').collect();
        for (depth, pair) in segments.windows(2).enumerate() {
            let table = match pair {
                ["_delta_log", _] => "Delta Lake",
                [".hoodie", _] => "Hudi",
                ["metadata", file] if file.ends_with(".metadata.json") => "Iceberg",
                _ => continue,
            };
            let root = segments[..depth].join("/");
            if !roots.0.iter().any(|(known, _)| *known == root) {
                roots.0.push((root, table));
            }
        }
    }
    roots
}
