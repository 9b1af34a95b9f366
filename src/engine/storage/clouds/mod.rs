//! Clients of the clouds, set up by the variables and files that the clouds' own tools read.

mod aws;
mod azure;
mod gcp;
mod ini;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::http::HttpBuilder;
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use url::{Host, Url};

use super::error::{StorageError, StorageErrorKind};
use super::location::{Location, Place};

/// One request, its body included. Parts are of tens of MiB, and lines may be slow.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(300);

/// How long one operation is tried again, and how often unless `AWS_MAX_ATTEMPTS` says otherwise.
const RETRY_TIMEOUT: Duration = Duration::from_secs(180);
const RETRIES: usize = 10;

/// The environment variables that settings and credentials are read from.
///
/// A value instead of a global, so that tests and embedders can give their own. Its `Debug` shows names only.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// The variables of this process; those that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self { variables: std::env::vars_os().filter_map(text).collect() }
    }

    /// These variables and no others.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect() }
    }

    /// A variable that is set and not empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes"))
    }

    /// All set variables that begin with `prefix`, in lower case.
    fn with_prefix(&self, prefix: &str) -> impl Iterator<Item = (String, &str)> {
        let set = self.variables.iter().filter(move |(name, value)| name.starts_with(prefix) && !value.is_empty());
        set.map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
    }

    /// A file of the home folder, unless `variable` names another.
    fn file(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let named = self.get(variable).map(PathBuf::from);
        named.or_else(|| Some(PathBuf::from(self.get("HOME").or_else(|| self.get("USERPROFILE"))?).join(below_home)))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

/// The client for `location`, which is not local.
pub(super) fn open(location: &Location, environment: &Environment) -> Result<Arc<dyn ObjectStore>, StorageError> {
    match &location.place {
        Place::S3 { bucket, region, endpoint, .. } => {
            aws::open(location, bucket, region.as_deref(), endpoint.as_deref(), environment)
        }
        Place::Gcs { bucket, .. } => gcp::open(location, bucket, environment),
        Place::Azure { container, account, fabric, sas, .. } => {
            let written =
                azure::Written { container, account: account.as_deref(), fabric: *fabric, sas: sas.as_deref() };
            azure::open(location, &written, environment)
        }
        Place::Http { base, .. } => web(location, base),
        Place::Local(_) | Place::Memory { .. } => Err(StorageError::new(
            StorageErrorKind::Invalid,
            location.to_string(),
            "is not in a cloud",
            "open it by path",
        )),
    }
}

/// The URL's own scheme decides on encryption: whoever writes `http://` has said so.
fn web(location: &Location, base: &Url) -> Result<Arc<dyn ObjectStore>, StorageError> {
    let builder = HttpBuilder::new()
        .with_url(base.as_str())
        .with_client_options(client_options(base.scheme() == "http"))
        .with_retry(retries(RETRIES));
    let store = builder.build().map_err(|_| unusable(location))?;
    Ok(Arc::new(store))
}

fn client_options(allow_http: bool) -> ClientOptions {
    ClientOptions::new().with_timeout(REQUEST_TIMEOUT).with_allow_http(allow_http)
}

fn retries(max_retries: usize) -> RetryConfig {
    RetryConfig { max_retries, retry_timeout: RETRY_TIMEOUT, ..RetryConfig::default() }
}

/// Whether `endpoint` may be spoken to without encryption: only if it says `http://` itself, and is on this machine
/// or `allowed` by the cloud's own variable (whose name is `variable`).
fn allow_http(location: &Location, endpoint: &str, allowed: bool, variable: &str) -> Result<bool, StorageError> {
    let invalid =
        |what: &str, hint: String| StorageError::new(StorageErrorKind::Invalid, location.to_string(), what, hint);
    let url = Url::parse(endpoint)
        .map_err(|_| invalid("the endpoint setting is not a URL", "write it as https://host[:port]".into()))?;
    match url.scheme() {
        "https" => Ok(false),
        "http" if allowed || is_loopback(&url) => Ok(true),
        "http" => Err(invalid(
            "the endpoint setting says http:// and names another machine: data would travel unencrypted",
            format!("use https://, or set {variable}=true if the network is yours alone"),
        )),
        _ => Err(invalid(
            "the endpoint setting is neither http:// nor https://",
            "write it as https://host[:port]".into(),
        )),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A client that cannot be built. The foreign text may quote settings, so it is dropped.
fn unusable(location: &Location) -> StorageError {
    StorageError::new(
        StorageErrorKind::Invalid,
        location.to_string(),
        "the settings for this store are incomplete or cannot be read",
        "check the credentials, account, region and endpoint variables of the cloud's own tools",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http_allowed(endpoint: &str, allowed: bool) -> Option<bool> {
        let location = Location::parse("s3://b/x").expect("valid");
        allow_http(&location, endpoint, allowed, "AWS_ALLOW_HTTP").ok()
    }

    #[test]
    fn http_is_for_this_machine_or_by_word() {
        assert_eq!(http_allowed("https://minio.example", true), Some(false));
        assert_eq!(http_allowed("http://127.0.0.1:9000", false), Some(true));
        assert_eq!(http_allowed("http://[::1]:9000", false), Some(true));
        assert_eq!(http_allowed("http://localhost:9000", false), Some(true));
        assert_eq!(http_allowed("http://minio.example", false), None);
        assert_eq!(http_allowed("http://127.0.0.1.example", false), None);
        assert_eq!(http_allowed("http://minio.example", true), Some(true));
        assert_eq!(http_allowed("minio.example", true), None);
    }

    #[test]
    fn debug_shows_names_only() {
        let environment = Environment::of([("AWS_SECRET_ACCESS_KEY".to_owned(), "CANARY".to_owned())]);
        assert_eq!(format!("{environment:?}"), "{\"AWS_SECRET_ACCESS_KEY\"}");
    }
}
