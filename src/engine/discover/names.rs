//! What a path says, and what its output is called.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{Compression, DiscoverError, ObjectFormat};
use crate::engine::privacy::PathPrivacy;

/// What Hive writes for null (and Spark for the empty string) in a partition folder's name.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// What Hive and Spark escape in partition folders (`escapePathName`).
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'\'')
    .add(b'*')
    .add(b'/')
    .add(b':')
    .add(b'=')
    .add(b'?')
    .add(b'\\')
    .add(b'[')
    .add(b']')
    .add(b'^')
    .add(b'{');

/// A Hive partition segment `column=value`, decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Partition {
    /// The column.
    pub column: String,
    /// The value; `None` is null.
    pub value: Option<String>,
}

/// A partition value may be personal data.
impl std::fmt::Debug for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Partition({})", self.column)
    }
}

/// What becomes of a partition segment.
#[derive(Clone, PartialEq, Eq)]
pub enum PartitionRewrite {
    /// It stays, byte for byte.
    Keep,
    /// It is left out: its column is dropped.
    Drop,
    /// It is written anew. Null stays null whatever this says.
    Set {
        /// The column in the output.
        column: String,
        /// The value in the output.
        value: Option<String>,
    },
}

/// How output files are called.
pub enum OutputNames<'a> {
    /// As their inputs, with the sink's ending.
    Keep,
    /// By this keyed hash of the whole input path. Folders that are not partitions are left out: they may be data
    /// as much as file names.
    Hash(&'a dyn Fn(&str) -> String),
}

/// The format of the outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkFormat {
    /// `.parquet`
    Parquet,
    /// `.csv`, `.csv.gz`, `.csv.zst`
    Csv(Compression),
}

impl SinkFormat {
    fn ending(self) -> &'static str {
        match self {
            Self::Parquet => ".parquet",
            Self::Csv(Compression::None) => ".csv",
            Self::Csv(Compression::Gzip) => ".csv.gz",
            Self::Csv(Compression::Zstd) => ".csv.zst",
        }
    }
}

/// How outputs get their names from their inputs' paths.
pub struct Naming<'a> {
    /// What the output of an object of this format ends in.
    pub format: &'a dyn Fn(ObjectFormat) -> SinkFormat,
    /// What files are called.
    pub names: OutputNames<'a>,
    /// What becomes of each partition segment; an error is the reason, without the value.
    pub partition: &'a dyn Fn(&Partition) -> Result<PartitionRewrite, String>,
}

impl Naming<'_> {
    /// The partitions of `path`, and the name of its output.
    pub(super) fn output(
        &self,
        path: &str,
        format: ObjectFormat,
        privacy: &PathPrivacy,
    ) -> Result<(Vec<Partition>, String), DiscoverError> {
        let (folders, file) = match path.rsplit_once('/') {
            Some((folders, file)) => (folders.split('/').collect(), file),
            None => (Vec::new(), path),
        };
        let (mut partitions, mut segments) = (Vec::new(), Vec::with_capacity(folders.len() + 1));
        for folder in folders {
            match read_segment(folder, path, privacy)? {
                Some(partition) => {
                    segments.extend(self.rewritten(&partition, folder, path, privacy)?);
                    partitions.push(partition);
                }
                None if matches!(self.names, OutputNames::Keep) => segments.push(folder.to_owned()),
                None => {}
            }
        }
        let stem = match self.names {
            OutputNames::Keep => split_ending(file).0.to_owned(),
            OutputNames::Hash(hash) => hash(path),
        };
        segments.push(stem + (self.format)(format).ending());
        Ok((partitions, segments.join("/")))
    }

    fn rewritten(
        &self,
        partition: &Partition,
        segment: &str,
        path: &str,
        privacy: &PathPrivacy,
    ) -> Result<Option<String>, DiscoverError> {
        let rewrite = (self.partition)(partition).map_err(|why| DiscoverError::PartitionValue {
            column: partition.column.clone(),
            object: privacy.name_input(path),
            why,
        })?;
        Ok(match rewrite {
            PartitionRewrite::Keep => Some(segment.to_owned()),
            PartitionRewrite::Drop => None,
            PartitionRewrite::Set { column, value } => {
                let value = value.filter(|value| !value.is_empty() && partition.value.is_some());
                Some(write_segment(&column, value.as_deref()))
            }
        })
    }
}

/// `column=value`; `None` for a plain folder.
fn read_segment(segment: &str, path: &str, privacy: &PathPrivacy) -> Result<Option<Partition>, DiscoverError> {
    let Some((column, value)) = segment.split_once('=').filter(|(column, _)| !column.is_empty()) else {
        return Ok(None);
    };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned);
    let (Ok(column), Ok(decoded_value)) = (decoded(column), decoded(value)) else {
        return Err(DiscoverError::Partition { column: column.to_owned(), object: privacy.name_input(path) });
    };
    Ok(Some(Partition { column, value: (value != NULL).then_some(decoded_value) }))
}

fn write_segment(column: &str, value: Option<&str>) -> String {
    let column = utf8_percent_encode(column, ESCAPED);
    match value {
        Some(value) => format!("{column}={}", utf8_percent_encode(value, ESCAPED)),
        None => format!("{column}={NULL}"),
    }
}

/// The path without its ending, and the format that the ending tells, in whatever case.
pub(super) fn split_ending(path: &str) -> (&str, Option<ObjectFormat>) {
    let (inner, compression) = split_compression(path);
    let csv = |tab| ObjectFormat::Csv { compression, tab };
    for (ending, format) in [(".csv", csv(false)), (".tsv", csv(true))] {
        if let Some(stem) = strip_ending(inner, ending) {
            return (stem, Some(format));
        }
    }
    for ending in [".parquet", ".parq", ".pq"] {
        if let Some(stem) = strip_ending(path, ending) {
            return (stem, Some(ObjectFormat::Parquet));
        }
    }
    (inner, None)
}

pub(super) fn split_compression(path: &str) -> (&str, Compression) {
    for (ending, compression) in [(".gz", Compression::Gzip), (".zst", Compression::Zstd)] {
        if let Some(inner) = strip_ending(path, ending) {
            return (inner, compression);
        }
    }
    (path, Compression::None)
}

/// A name that is nothing but an ending has none.
fn strip_ending<'a>(path: &'a str, ending: &str) -> Option<&'a str> {
    let at = path.len().checked_sub(ending.len())?;
    let is_ending = path.get(at..)?.eq_ignore_ascii_case(ending);
    let stem = &path[..at];
    (is_ending && !stem.is_empty() && !stem.ends_with('/')).then_some(stem)
}
