//! From a source to its tasks: which objects are done, in which format, and how each output is called.
//!
//! An output's name follows from its input's path alone, so that a task can be run twice, anywhere, and leave the
//! same bytes under the same name.

mod names;
mod select;

pub use names::{Naming, OutputNames, Partition, PartitionRewrite, SinkFormat};
pub use select::{Selection, Source, open_source};

use std::collections::HashMap;

use super::privacy::PathPrivacy;
use super::storage::{Entry, StorageError};

/// How the bytes of an object are compressed as a whole (Parquet compresses inside).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, `.gz`.
    Gzip,
    /// RFC 8878, `.zst`.
    Zstd,
}

/// What an input object holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectFormat {
    /// A Parquet file.
    Parquet,
    /// Separated text.
    Csv {
        /// Of the whole object.
        compression: Compression,
        /// Whether the name says `.tsv`: then the delimiter is a tab unless the policy says otherwise.
        tab: bool,
    },
}

/// A format that the policy names for all objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GivenFormat {
    /// All are Parquet.
    Parquet,
    /// All are CSV; the compression is still told by the name.
    Csv,
}

/// One task: an input object and what its path says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceObject {
    /// The object as it was listed.
    pub entry: Entry,
    /// By the policy or the name.
    pub format: ObjectFormat,
    /// The Hive partition segments of its path, in order, decoded.
    pub partitions: Vec<Partition>,
    /// Where its output goes, relative to the sink.
    pub output: String,
}

/// What was listed and is not done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Objects with a segment that begins with `_` or `.`.
    pub hidden: u64,
    /// Empty objects that stand for folders.
    pub markers: u64,
    /// Objects that the source's glob does not match.
    pub unmatched: u64,
}

/// The tasks of a source, ordered by input path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// One for each object.
    pub objects: Vec<SourceObject>,
    /// What was passed over.
    pub skipped: Skipped,
}

/// Why a source cannot be turned into tasks.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// The source cannot be opened or listed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A glob that cannot be read.
    #[error("the glob `{pattern}` of the source cannot be read; close its brackets and braces")]
    Glob {
        /// As written.
        pattern: String,
    },
    /// Objects below a table format's folder.
    #[error(
        "{root} is a {table} table: its plain files bring back deleted rows; \
         export the table with its own tools, and name the export as the source"
    )]
    Table {
        /// Relative to the source, or `the source`.
        root: String,
        /// Delta Lake, Iceberg, Hudi.
        table: &'static str,
    },
    /// Names that tell no format.
    #[error(
        "the format of {first} cannot be told from its name{}; \
         set `source.format`, or narrow the source with a glob such as **/*.parquet",
        if *more == 0 { String::new() } else { format!(", nor that of {more} more") }
    )]
    UnknownFormat {
        /// The first such object.
        first: String,
        /// How many others there are.
        more: usize,
    },
    /// A partition segment that is not text once decoded.
    #[error("the partition segment `{column}=` of {object} is not UTF-8 once percent-decoded; rename the folder")]
    Partition {
        /// The partition column.
        column: String,
        /// The object.
        object: String,
    },
    /// A value of a partition column that its rule cannot transform.
    #[error("the value of partition column `{column}` of {object} cannot be transformed: {why}")]
    PartitionValue {
        /// The partition column.
        column: String,
        /// The object.
        object: String,
        /// What the transform says, without the value.
        why: String,
    },
    /// Two inputs whose outputs would have one name.
    #[error(
        "{first} and {second} would both be written to {output}; \
         use `names: hash`, or narrow the source to one of them"
    )]
    Collision {
        /// One input.
        first: String,
        /// The other.
        second: String,
        /// The name that they share.
        output: String,
    },
}

/// Turns a listing into tasks; nothing is read.
///
/// Skipped and counted: objects with a path segment that begins with `_` or `.`, empty objects that stand for
/// folders, objects that the glob does not match. An object that the source names itself is never skipped.
///
/// # Errors
/// See [`DiscoverError`]. Messages name inputs as `privacy` allows.
pub fn discover(
    entries: Vec<Entry>,
    selection: &Selection,
    given: Option<GivenFormat>,
    naming: &Naming<'_>,
    privacy: &PathPrivacy,
) -> Result<Discovered, DiscoverError> {
    let found = find(entries, selection, given, naming, privacy)?;
    refuse_collisions(&found.objects, privacy)?;
    Ok(found)
}

/// As [`discover`], before names are final: they may still collide, and may show what the final ones hide.
///
/// # Errors
/// As [`discover`], but for collisions.
pub fn find(
    entries: Vec<Entry>,
    selection: &Selection,
    given: Option<GivenFormat>,
    naming: &Naming<'_>,
    privacy: &PathPrivacy,
) -> Result<Discovered, DiscoverError> {
    let tables = select::table_roots(&entries);
    let mut skipped = Skipped::default();
    let mut chosen = select::choose(entries, selection, &mut skipped);
    chosen.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    if let Some((root, table)) = chosen.iter().find_map(|entry| tables.of(&entry.path)) {
        let root = if root.is_empty() { "the source".to_owned() } else { privacy.name_input(root) };
        return Err(DiscoverError::Table { root, table });
    }
    let formats: Vec<_> = chosen.iter().map(|entry| format_of(&entry.path, given)).collect();
    let unknown: Vec<_> = chosen.iter().zip(&formats).filter(|(_, format)| format.is_none()).collect();
    if let Some((first, _)) = unknown.first() {
        return Err(DiscoverError::UnknownFormat { first: privacy.name_input(&first.path), more: unknown.len() - 1 });
    }
    let mut objects = Vec::with_capacity(chosen.len());
    for (entry, format) in chosen.into_iter().zip(formats.into_iter().flatten()) {
        let (partitions, output) = naming.output(&entry.path, format, privacy)?;
        objects.push(SourceObject { entry, format, partitions, output });
    }
    Ok(Discovered { objects, skipped })
}

fn refuse_collisions(objects: &[SourceObject], privacy: &PathPrivacy) -> Result<(), DiscoverError> {
    let mut taken: HashMap<&str, &SourceObject> = HashMap::with_capacity(objects.len());
    for object in objects {
        if let Some(first) = taken.insert(&object.output, object) {
            return Err(DiscoverError::Collision {
                first: privacy.name_input(&first.entry.path),
                second: privacy.name_input(&object.entry.path),
                output: object.output.clone(),
            });
        }
    }
    Ok(())
}

/// The format that the policy gives, else that of the name's end.
fn format_of(path: &str, given: Option<GivenFormat>) -> Option<ObjectFormat> {
    let (_, ending) = names::split_ending(path);
    match (given, ending) {
        (Some(GivenFormat::Parquet), _) => Some(ObjectFormat::Parquet),
        (Some(GivenFormat::Csv), Some(format @ ObjectFormat::Csv { .. })) => Some(format),
        (Some(GivenFormat::Csv), _) => {
            Some(ObjectFormat::Csv { compression: names::split_compression(path).1, tab: false })
        }
        (None, ending) => ending,
    }
}

#[cfg(test)]
mod tests;
