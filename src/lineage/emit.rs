//! Sends OpenLineage events to a file or to a server. A failed emission is a warning, never the end of a run.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Url, redirect};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::model::Warning;

/// Variable that holds the bearer token for a server, as OpenLineage's own clients have it.
pub const API_KEY_VARIABLE: &str = "OPENLINEAGE_API_KEY";

/// Where a server listens unless the URL has a path.
const DEFAULT_PATH: &str = "/api/v1/lineage";
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why events could not be sent. Holds no body, no query and no credential of either side.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmitError {
    /// The destination is a URL that nothing here can send to.
    #[error("lineage events cannot be sent to {scheme}:// addresses; give an http:// or https:// URL or a file")]
    Scheme {
        /// Scheme of the URL.
        scheme: String,
    },
    /// The destination starts like a URL but is none.
    #[error("the lineage server's address is not a URL ({reason}); expected something like http://host:5000")]
    Url {
        /// What the parser missed.
        reason: url::ParseError,
    },
    /// The bearer token cannot be sent in a header.
    #[error("{API_KEY_VARIABLE} has characters that an HTTP header cannot hold; look for a line end in it")]
    ApiKey,
    /// The HTTP client could not be made.
    #[error("no HTTP client could be made for the lineage server; look at the TLS certificates of this machine")]
    Client,
    /// The event could not be written to the file.
    #[error("lineage event not written to {}: {kind}; the folder must exist and be writable", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        kind: std::io::ErrorKind,
    },
    /// The server could not be reached.
    #[error("lineage event not sent to {server}: {reason}; the run itself is not affected")]
    Unreachable {
        /// Scheme, host and port.
        server: String,
        /// In a few words.
        reason: &'static str,
    },
    /// The server answered with an error.
    #[error("lineage event not taken by {server}: HTTP status {status}; the run itself is not affected")]
    Refused {
        /// Scheme, host and port.
        server: String,
        /// HTTP status code.
        status: u16,
    },
}

impl EmitError {
    /// The error as a warning for the report.
    pub fn as_warning(&self) -> Warning {
        Warning { code: "openlineage-not-sent".into(), column: None, message: self.to_string() }
    }
}

/// Sends events to one destination.
#[derive(Clone)]
pub struct Emitter {
    to: Destination,
}

#[derive(Clone)]
enum Destination {
    File(PathBuf),
    Server(Client, Url),
}

impl fmt::Debug for Emitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            Destination::File(path) => write!(f, "Emitter({})", path.display()),
            Destination::Server(_, url) => write!(f, "Emitter({})", server(url)),
        }
    }
}

impl Emitter {
    /// An emitter to `destination`, a file or an `http(s)://` URL, with the bearer token `api_key` for a server.
    ///
    /// ```
    /// use lakeveil::lineage::emit::Emitter;
    ///
    /// assert!(Emitter::new("target/events.ndjson", None).is_ok());
    /// assert!(Emitter::new("http://localhost:5000", None).is_ok());
    /// assert!(Emitter::new("s3://bucket/events.ndjson", None).is_err());
    /// ```
    ///
    /// # Errors
    /// The destination is a URL of another kind or none at all, or the token fits no header.
    pub fn new(destination: &str, api_key: Option<&str>) -> Result<Self, EmitError> {
        let to = match destination.split_once("://") {
            None => Destination::File(destination.into()),
            Some(("http" | "https", _)) => {
                let mut url = Url::parse(destination).map_err(|reason| EmitError::Url { reason })?;
                if url.path() == "/" {
                    url.set_path(DEFAULT_PATH);
                }
                Destination::Server(client(api_key)?, url)
            }
            Some((scheme, _)) => return Err(EmitError::Scheme { scheme: scheme.into() }),
        };
        Ok(Self { to })
    }

    /// As [`Emitter::new`], with the token from `OPENLINEAGE_API_KEY`.
    ///
    /// # Errors
    /// As [`Emitter::new`].
    pub fn from_env(destination: &str) -> Result<Self, EmitError> {
        let api_key = match std::env::var(API_KEY_VARIABLE) {
            Ok(key) => Some(key).filter(|key| !key.is_empty()),
            Err(std::env::VarError::NotPresent) => None,
            Err(std::env::VarError::NotUnicode(_)) => return Err(EmitError::ApiKey),
        };
        Self::new(destination, api_key.as_deref())
    }

    /// Sends one event: a line at the end of the file, or a POST.
    ///
    /// # Errors
    /// The file could not be written; the server could not be reached within ten seconds, or did not take the event.
    pub async fn emit(&self, event: &Value) -> Result<(), EmitError> {
        match &self.to {
            Destination::File(path) => {
                let failed = |e: std::io::Error| EmitError::File { path: path.clone(), kind: e.kind() };
                let mut options = tokio::fs::OpenOptions::new();
                let mut file = options.create(true).append(true).open(path).await.map_err(failed)?;
                // one write, so that lines of programs that share the file stay whole
                file.write_all(format!("{event}\n").as_bytes()).await.map_err(failed)?;
                file.flush().await.map_err(failed)
            }
            Destination::Server(client, url) => {
                let sent = client.post(url.clone()).json(event).send().await;
                let response = sent.map_err(|e| EmitError::Unreachable { server: server(url), reason: reason(&e) })?;
                match response.status() {
                    status if status.is_success() => Ok(()),
                    status => Err(EmitError::Refused { server: server(url), status: status.as_u16() }),
                }
            }
        }
    }
}

fn client(api_key: Option<&str>) -> Result<Client, EmitError> {
    let mut headers = HeaderMap::new();
    if let Some(key) = api_key {
        let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| EmitError::ApiKey)?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    // a redirect would carry the event to a server that nobody named
    Client::builder()
        .timeout(TIMEOUT)
        .redirect(redirect::Policy::none())
        .default_headers(headers)
        .build()
        .map_err(|_| EmitError::Client)
}

/// `https://host:port`: where the URL leads, without user, password, path or query.
fn server(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Foreign error texts may quote URLs with credentials, so ours are fixed.
fn reason(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer within 10 seconds"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the exchange broke off"
    }
}

#[cfg(test)]
mod tests;
