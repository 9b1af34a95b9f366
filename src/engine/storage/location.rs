//! Where a dataset lies: a path or a URL, parsed once, printed without credentials.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

use super::error::{StorageError, StorageErrorKind};

/// A folder or prefix (or a single object, or a glob below one) in one of the supported stores.
///
/// | written | read as |
/// |---|---|
/// | `dir/x`, `/dir/x` | a local path, as it is |
/// | `file:///dir/x` | a local path, percent-decoded (RFC 8089) |
/// | `s3://bucket/key`, `s3a://` | a key as it is, as the AWS tools read it |
/// | `gs://bucket/key` | a key as it is |
/// | `az://container/key`, `az://container@account/key`, and `abfs[s]://`, `adl://`, `azure://` | a key as it is |
/// | `abfss://container@account.dfs.core.windows.net/key` (also `blob.`, also `fabric.microsoft.com`) | the same |
/// | `https://` at `amazonaws.com`, `r2.cloudflarestorage.com`, `*.core.windows.net`, `fabric.microsoft.com` | the store, percent-decoded |
/// | `https://host/path`, `http://host/path` | one object, as a source only |
///
/// Invariants:
/// - a key has no leading or trailing `/`;
/// - neither `Display` nor `Debug` shows user names, passwords, queries or signatures.
///
/// ```
/// use lakeveil::engine::storage::Location;
///
/// let lake = Location::parse("s3://lake/raw/customers/")?;
/// assert_eq!(lake.join("a=1/b.parquet").to_string(), "s3://lake/raw/customers/a=1/b.parquet");
///
/// let signed = Location::parse("https://user:pw@example.org/a.csv?sig=abc")?;
/// assert_eq!(signed.to_string(), "https://example.org/a.csv");
/// assert!(Location::parse("ftp://example.org/a.csv").is_err());
/// assert!(Location::parse("s3://key:secret@lake/raw").is_err());
/// # Ok::<(), lakeveil::engine::storage::StorageError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    pub(super) place: Place,
}

/// What a [`Location`] was parsed to.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Place {
    Local(PathBuf),
    S3 {
        bucket: String,
        region: Option<String>,
        endpoint: Option<String>,
        key: String,
    },
    Gcs {
        bucket: String,
        key: String,
    },
    Azure {
        container: String,
        account: Option<String>,
        fabric: bool,
        sas: Option<String>,
        key: String,
    },
    /// `base` holds everything but the path; `key` is the path, decoded.
    Http {
        base: Url,
        key: String,
    },
    Memory {
        key: String,
    },
}

/// How two locations overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// They are one place.
    Same,
    /// The second lies inside the first.
    SecondInFirst,
    /// The first lies inside the second.
    FirstInSecond,
}

impl Location {
    /// Reads a path or URL (see the table above).
    ///
    /// # Errors
    /// [`StorageErrorKind::Invalid`] for an unknown scheme, a missing bucket, or credentials in a store's URL.
    pub fn parse(text: &str) -> Result<Self, StorageError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let path = text.strip_prefix("file:").unwrap_or(text);
            if path.is_empty() {
                return Err(invalid("the empty location", "names nothing", "give a path or a URL"));
            }
            return Ok(Self { place: Place::Local(PathBuf::from(path)) });
        };
        let scheme = scheme.to_ascii_lowercase();
        let (authority, key) = rest.split_once('/').unwrap_or((rest, ""));
        let key = key.trim_matches('/').to_owned();
        let place = match scheme.as_str() {
            "file" => local_url(authority, rest)?,
            "s3" | "s3a" => Place::S3 { bucket: bucket(&scheme, authority)?, region: None, endpoint: None, key },
            "gs" => Place::Gcs { bucket: bucket(&scheme, authority)?, key },
            "az" | "abfs" | "abfss" | "adl" | "azure" => azure(&scheme, authority, key)?,
            "https" | "http" => web(&scheme, text)?,
            _ => {
                return Err(invalid(
                    format!("{scheme}://"),
                    "is not a scheme that is known here",
                    "use a path, file://, s3://, gs://, az://, abfss://, or https:// for a source",
                ));
            }
        };
        Ok(Self { place })
    }

    /// This location with `path` (segments separated by `/`, taken as they are) below it.
    pub fn join(&self, path: &str) -> Self {
        let mut place = self.place.clone();
        match &mut place {
            Place::Local(root) => root.push(path),
            Place::S3 { key, .. }
            | Place::Gcs { key, .. }
            | Place::Azure { key, .. }
            | Place::Http { key, .. }
            | Place::Memory { key } => *key = joined(key, path),
        }
        Self { place }
    }

    /// The location one segment up, and the last segment; `None` at a root.
    pub fn split_last(&self) -> Option<(Self, String)> {
        let mut place = self.place.clone();
        let last = match &mut place {
            Place::Local(path) => {
                let last = path.file_name()?.to_str()?.to_owned();
                let parent = path.parent()?;
                *path = if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_owned() };
                last
            }
            Place::S3 { key, .. }
            | Place::Gcs { key, .. }
            | Place::Azure { key, .. }
            | Place::Http { key, .. }
            | Place::Memory { key } => {
                let (parent, last) = key.rsplit_once('/').unwrap_or(("", key));
                if last.is_empty() {
                    return None;
                }
                let last = last.to_owned();
                *key = parent.to_owned();
                last
            }
        };
        Some((Self { place }, last))
    }

    /// The segments before the first that holds one of `*?[{`, and the rest as a pattern; `None` without such a
    /// segment, for a local path that exists as written, and for web servers, which cannot be listed.
    ///
    /// Partition segments (`day=1`) are part of the pattern even where they are written out: they stay columns, and
    /// part of the outputs' names, so that one night's output does not take the place of another's.
    ///
    /// ```
    /// use lakeveil::engine::storage::Location;
    ///
    /// let (root, pattern) = Location::parse("s3://lake/raw/day=*/**/*.{csv,tsv}")?.split_glob().expect("has a glob");
    /// assert_eq!((root.to_string().as_str(), pattern.as_str()), ("s3://lake/raw", "day=*/**/*.{csv,tsv}"));
    /// let (root, pattern) = Location::parse("s3://lake/raw/day=1/*.csv")?.split_glob().expect("has a glob");
    /// assert_eq!((root.to_string().as_str(), pattern.as_str()), ("s3://lake/raw", "day=1/*.csv"));
    /// # Ok::<(), lakeveil::engine::storage::StorageError>(())
    /// ```
    pub fn split_glob(&self) -> Option<(Self, String)> {
        if self.is_web() || matches!(&self.place, Place::Local(path) if path.exists()) {
            return None;
        }
        let (mut root, mut segments, mut at) = (None, Vec::new(), self.clone());
        while let Some((parent, last)) = at.split_last() {
            let is_glob = last.contains(['*', '?', '[', '{']);
            let is_partition = last.split_once('=').is_some_and(|(name, _)| !name.is_empty());
            segments.push(last);
            if is_glob || (is_partition && root.is_some()) {
                root = Some((parent.clone(), segments.len()));
            }
            at = parent;
        }
        let (root, count) = root?;
        segments.truncate(count);
        segments.reverse();
        Some((root, segments.join("/")))
    }

    /// Whether this is a path of the local file system.
    pub fn is_local(&self) -> bool {
        matches!(self.place, Place::Local(_))
    }

    /// Whether this names single objects on a web server, which cannot be listed or written.
    pub fn is_web(&self) -> bool {
        matches!(self.place, Place::Http { .. })
    }

    /// Whether one of two locations lies inside the other, or both are one.
    ///
    /// Local paths are compared as they are after symbolic links and `..`, keys by whole segments. An Azure account
    /// that is not written in one of the URLs counts as the other's.
    ///
    /// # Errors
    /// When the working directory or a link on the way cannot be read.
    pub fn overlap(&self, other: &Self) -> Result<Option<Overlap>, StorageError> {
        let (first, second) = match (&self.place, &other.place) {
            (Place::Local(first), Place::Local(second)) => {
                let (first, second) = (real_path(first)?, real_path(second)?);
                return Ok(overlap(first.components(), second.components()));
            }
            (
                Place::S3 { bucket: a, endpoint: e, key: first, .. },
                Place::S3 { bucket: b, endpoint: f, key: second, .. },
            ) if a == b && e == f => (first, second),
            (Place::Gcs { bucket: a, key: first }, Place::Gcs { bucket: b, key: second }) if a == b => (first, second),
            (
                Place::Azure { container: a, account: x, key: first, .. },
                Place::Azure { container: b, account: y, key: second, .. },
            ) if a == b && (x == y || x.is_none() || y.is_none()) => (first, second),
            (Place::Memory { key: first }, Place::Memory { key: second }) => (first, second),
            _ => return Ok(None),
        };
        let segments = |key: &'_ str| key.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        Ok(overlap(segments(first).into_iter(), segments(second).into_iter()))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Local(path) => write!(f, "{}", path.display()),
            Place::S3 { bucket, key, .. } => write_url(f, "s3", bucket, key),
            Place::Gcs { bucket, key } => write_url(f, "gs", bucket, key),
            Place::Azure { container, account: None, key, .. } => write_url(f, "az", container, key),
            Place::Azure { container, account: Some(account), key, .. } => {
                write_url(f, "az", &format!("{container}@{account}"), key)
            }
            Place::Http { base, key } => {
                let host = base.host_str().unwrap_or_default();
                match base.port() {
                    Some(port) => write_url(f, base.scheme(), &format!("{host}:{port}"), key),
                    None => write_url(f, base.scheme(), host, key),
                }
            }
            Place::Memory { key } => write_url(f, "memory", "", key),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

/// `base/path`, where either may be empty.
pub(super) fn joined(base: &str, path: &str) -> String {
    match (base.trim_end_matches('/'), path.trim_matches('/')) {
        ("", path) => path.to_owned(),
        (base, "") => base.to_owned(),
        (base, path) => format!("{base}/{path}"),
    }
}

fn write_url(f: &mut fmt::Formatter<'_>, scheme: &str, authority: &str, key: &str) -> fmt::Result {
    write!(f, "{scheme}://{authority}/{key}")
}

fn invalid(place: impl Into<String>, what: &str, hint: &str) -> StorageError {
    StorageError::new(StorageErrorKind::Invalid, place, what, hint)
}

fn local_url(authority: &str, rest: &str) -> Result<Place, StorageError> {
    if !matches!(authority, "" | "localhost") {
        return Err(invalid("file://", "names another host", "write file:/// with three slashes and an absolute path"));
    }
    let path = percent_decode_str(&rest[authority.len()..]).decode_utf8().map_err(|_| {
        invalid("file://", "is not UTF-8 after percent-decoding", "write the path itself instead of a URL")
    })?;
    Ok(Place::Local(PathBuf::from(path.into_owned())))
}

fn bucket(scheme: &str, authority: &str) -> Result<String, StorageError> {
    let place = format!("{scheme}://");
    if authority.contains('@') {
        return Err(invalid(
            place,
            "holds a user name or password",
            "remove it and use the environment variables or configuration of the cloud's own tools",
        ));
    }
    if authority.is_empty() {
        return Err(invalid(place, "names no bucket or container", "write scheme://bucket/path"));
    }
    Ok(authority.to_owned())
}

fn azure(scheme: &str, authority: &str, key: String) -> Result<Place, StorageError> {
    let (container, host) = match authority.split_once('@') {
        Some((container, host)) => (container, Some(host)),
        None => (authority, None),
    };
    // `user:password@host` is not `container@account`.
    let container = bucket(scheme, if container.contains(':') { "@" } else { container })?;
    let Some(host) = host else {
        return Ok(Place::Azure { container, account: None, fabric: false, sas: None, key });
    };
    let (account, fabric) = match host.split_once('.') {
        None => (host, false),
        Some((account, domain)) => match azure_domain(domain) {
            Some(fabric) => (account, fabric),
            None => {
                return Err(invalid(
                    format!("{scheme}://{container}@{host}"),
                    "names a host that is not one of Azure's",
                    "write container@account, and give another endpoint by AZURE_STORAGE_CONNECTION_STRING",
                ));
            }
        },
    };
    Ok(Place::Azure { container, account: Some(account.to_owned()), fabric, sas: None, key })
}

fn azure_domain(domain: &str) -> Option<bool> {
    match domain {
        "dfs.core.windows.net" | "blob.core.windows.net" => Some(false),
        "dfs.fabric.microsoft.com" | "blob.fabric.microsoft.com" => Some(true),
        _ => None,
    }
}

/// An `http(s)` URL: one of the clouds' own hosts, or a web server.
fn web(scheme: &str, text: &str) -> Result<Place, StorageError> {
    let place = format!("{scheme}://");
    let unreadable = |what: &str| invalid(place.clone(), what, "write https://host/path, percent-encoded");
    let mut url = Url::parse(text).map_err(|_| unreadable("is not a URL that can be read"))?;
    let host = url.host_str().ok_or_else(|| unreadable("names no host"))?.to_ascii_lowercase();
    let path = percent_decode_str(url.path())
        .decode_utf8()
        .map_err(|_| unreadable("is not UTF-8 after percent-decoding"))?
        .trim_matches('/')
        .to_owned();
    if scheme == "https" {
        if let Some(place) = azure_host(&host, &path, url.query()) {
            return Ok(place);
        }
        // A query holds a signature of its own: then it is one object for whoever has the URL.
        if url.query().is_none()
            && let Some(place) = s3_host(&host, &path)
        {
            return Ok(place);
        }
    }
    if path.is_empty() {
        return Err(unreadable("names no object"));
    }
    url.set_path("/");
    url.set_fragment(None);
    Ok(Place::Http { base: url, key: path })
}

fn azure_host(host: &str, path: &str, query: Option<&str>) -> Option<Place> {
    let (account, domain) = host.split_once('.')?;
    let fabric = azure_domain(domain)?;
    let (container, key) = path.split_once('/').unwrap_or((path, ""));
    if container.is_empty() {
        return None;
    }
    Some(Place::Azure {
        container: container.to_owned(),
        account: Some(account.to_owned()),
        fabric,
        sas: query.map(str::to_owned),
        key: key.to_owned(),
    })
}

fn s3_host(host: &str, path: &str) -> Option<Place> {
    let in_path = |region: Option<&str>, endpoint: Option<String>| {
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let place =
            Place::S3 { bucket: bucket.to_owned(), region: region.map(str::to_owned), endpoint, key: key.to_owned() };
        (!bucket.is_empty()).then_some(place)
    };
    if host.ends_with(".r2.cloudflarestorage.com") {
        return in_path(Some("auto"), Some(format!("https://{host}")));
    }
    let aws = host.strip_suffix(".amazonaws.com")?;
    if let Some(region) = aws.strip_prefix("s3.") {
        return in_path(Some(region), None);
    }
    if aws == "s3" {
        return in_path(None, None);
    }
    let (bucket, region) = match aws.rsplit_once(".s3.") {
        Some((bucket, region)) => (bucket, Some(region)),
        None => (aws.strip_suffix(".s3")?, None),
    };
    Some(Place::S3 {
        bucket: bucket.to_owned(),
        region: region.map(str::to_owned),
        endpoint: None,
        key: path.to_owned(),
    })
}

/// `path` as it is after symbolic links and `..`; what does not exist yet is taken as written.
fn real_path(path: &Path) -> Result<PathBuf, StorageError> {
    let unreadable = |error| StorageError::from_io(&error, path.display().to_string(), "cannot resolve the path");
    let absolute = std::path::absolute(path).map_err(unreadable)?;
    let mut real = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::ParentDir => {
                real.pop();
            }
            other => real.push(other),
        }
        // Resolved step by step, since `link/..` is the parent of the link's target.
        match real.canonicalize() {
            Ok(resolved) => real = resolved,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    Ok(real)
}

fn overlap<T: PartialEq>(first: impl Iterator<Item = T>, second: impl Iterator<Item = T>) -> Option<Overlap> {
    let (mut first, mut second) = (first, second);
    loop {
        match (first.next(), second.next()) {
            (None, None) => return Some(Overlap::Same),
            (None, Some(_)) => return Some(Overlap::SecondInFirst),
            (Some(_), None) => return Some(Overlap::FirstInSecond),
            (Some(a), Some(b)) if a == b => {}
            (Some(_), Some(_)) => return None,
        }
    }
}

#[cfg(test)]
mod tests;
