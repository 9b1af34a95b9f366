//! Names of datasets by OpenLineage's naming specification, so that the graphs of several tools join.
//!
//! | location | namespace | name |
//! |---|---|---|
//! | `s3://bucket/key` (also `s3a`) | `s3://bucket` | `key` |
//! | `gs://bucket/key` (also `gcs`) | `gs://bucket` | `key` |
//! | `abfss://container@account.dfs.core.windows.net/path` (also `abfs`) | all before the path | `path` |
//! | `az://container/path` | `az://container` (the account is not in the URL) | `path` |
//! | `https://host/path` | `https://host` | `path` |
//! | `/path`, `file:///path` | `file` | `/path` |
//!
//! A name has no slash at its end, nor, in an object store, at its start; the root is `/`. Of a glob it is what
//! stands before the first pattern, by whole segments.

/// Where a dataset is found in a lineage graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dataset {
    pub(super) namespace: String,
    pub(super) name: String,
    /// The kind of store: `s3`, `gs`, `abfss`, `az`, `https`, `file`.
    pub(super) store: String,
}

impl Dataset {
    /// The dataset at a location as a policy writes it; relative paths are below the working directory.
    pub(super) fn at(location: &str) -> Self {
        match location.split_once("://") {
            Some(("file", rest)) => Self::file(rest.strip_prefix("localhost").unwrap_or(rest)),
            Some((scheme, rest)) => Self::remote(scheme, rest),
            None => Self::file(location),
        }
    }

    fn file(path: &str) -> Self {
        let path = match before_pattern(path) {
            "" => ".",
            path => path,
        };
        let absolute = std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string());
        Self { namespace: "file".into(), name: or_root(absolute.trim_end_matches('/')), store: "file".into() }
    }

    fn remote(scheme: &str, rest: &str) -> Self {
        let store = match scheme {
            "s3a" => "s3",
            "gcs" => "gs",
            "abfs" => "abfss",
            "azure" => "az",
            other => other,
        };
        // what follows may be a signature that grants access; in a store's key `?` and `#` are characters
        let rest = if store.starts_with("http") { rest.split(['?', '#']).next().unwrap_or(rest) } else { rest };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        // `container@account` names a place; before any other `@` stand credentials
        let host = if store == "abfss" { authority } else { authority.rsplit('@').next().unwrap_or(authority) };
        let name = or_root(before_pattern(path).trim_matches('/'));
        Self { namespace: format!("{store}://{host}"), name, store: store.into() }
    }

    /// A URI of the data source.
    pub(super) fn source_uri(&self) -> String {
        if self.store == "file" { "file:///".into() } else { self.namespace.clone() }
    }
}

fn before_pattern(path: &str) -> &str {
    let Some(pattern) = path.find(['*', '?', '[', '{']) else { return path };
    path[..pattern].rfind('/').map_or("", |slash| &path[..slash + 1])
}

fn or_root(name: &str) -> String {
    if name.is_empty() { "/".into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(location: &str, namespace: &str, name: &str) {
        let dataset = Dataset::at(location);
        assert_eq!((dataset.namespace.as_str(), dataset.name.as_str()), (namespace, name), "{location}");
    }

    #[test]
    fn object_stores_are_named_by_bucket_and_key() {
        check("s3://lake/raw/customers/", "s3://lake", "raw/customers");
        check("s3a://lake/raw", "s3://lake", "raw");
        check("gs://lake/raw", "gs://lake", "raw");
        check("s3://lake", "s3://lake", "/");
        check("az://container/a/b", "az://container", "a/b");
    }

    #[test]
    fn azure_names_keep_container_and_account() {
        let namespace = "abfss://data@acct.dfs.core.windows.net";
        check("abfss://data@acct.dfs.core.windows.net/raw/x", namespace, "raw/x");
        check("abfs://data@acct.dfs.core.windows.net/raw/x", namespace, "raw/x");
    }

    #[test]
    fn files_are_named_by_absolute_path() {
        check("/data/lake/", "file", "/data/lake");
        check("file:///data/lake", "file", "/data/lake");
        check("file://localhost/data", "file", "/data");
        check("/", "file", "/");
        let here = std::env::current_dir().expect("a working directory").join("lake");
        check("lake/", "file", &here.display().to_string());
        check("lake/*.csv", "file", &here.display().to_string());
        check("*.csv", "file", &here.parent().expect("a parent").display().to_string());
    }

    #[test]
    fn credentials_and_signatures_are_left_out() {
        check("https://me:secret@host.example/a.csv?sig=abc#f", "https://host.example", "a.csv");
        check("s3://id:secret@lake/raw", "s3://lake", "raw");
    }

    #[test]
    fn globs_are_named_by_what_stands_before_the_pattern() {
        check("s3://lake/raw/2026-*/part?.csv", "s3://lake", "raw");
        check("s3://lake/*.csv", "s3://lake", "/");
        check("/data/in/*.csv", "file", "/data/in");
    }
}
