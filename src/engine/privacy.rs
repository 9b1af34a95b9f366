//! How inputs are named in records, reports and messages when their paths hold data.

use std::fmt;
use std::sync::Arc;

/// A keyed hash of text, as hex: TOKENS purpose `path`.
pub type KeyedHash = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Whether input paths may be written down.
#[derive(Clone)]
pub enum PathPrivacy {
    /// Paths hold no data: they are written as they are.
    Open,
    /// A path segment is transformed, or names are hashed: inputs go by a keyed hash.
    Keyed(KeyedHash),
}

impl PathPrivacy {
    /// How messages name the input at `path`, whose output is at `output`.
    ///
    /// ```
    /// use lakeveil::engine::privacy::PathPrivacy;
    ///
    /// assert_eq!(PathPrivacy::Open.name("day=1/x.csv", "day=1/x.parquet"), "day=1/x.csv");
    /// let keyed = PathPrivacy::Keyed(std::sync::Arc::new(|_: &str| "00ff".to_owned()));
    /// assert_eq!(keyed.name("id=ada/x.csv", "id=t1/x.parquet"), "the input (hash 00ff) of id=t1/x.parquet");
    /// ```
    pub fn name(&self, path: &str, output: &str) -> String {
        match self {
            Self::Open => path.to_owned(),
            Self::Keyed(hash) => format!("the input (hash {}) of {output}", hash(path)),
        }
    }

    /// How messages name the input at `path` before its output is known.
    pub fn name_input(&self, path: &str) -> String {
        match self {
            Self::Open => path.to_owned(),
            Self::Keyed(hash) => format!("the input with hash {}", hash(path)),
        }
    }
}

impl fmt::Debug for PathPrivacy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "Open",
            Self::Keyed(_) => "Keyed",
        })
    }
}
