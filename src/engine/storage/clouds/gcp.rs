//! Google Cloud Storage: `GOOGLE_*` variables, application default credentials, `STORAGE_EMULATOR_HOST`.

use std::sync::Arc;

use object_store::gcp::{GcpCredential, GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{ObjectStore, StaticCredentialProvider};
use serde::Deserialize;

use super::{Environment, RETRIES, allow_http, client_options, retries, unusable};
use crate::engine::storage::error::StorageError;
use crate::engine::storage::location::Location;

pub(super) fn open(
    location: &Location,
    bucket: &str,
    environment: &Environment,
) -> Result<Arc<dyn ObjectStore>, StorageError> {
    let mut builder = GoogleCloudStorageBuilder::new();
    for (name, value) in environment.with_prefix("GOOGLE_") {
        // Names that this client does not know belong to other tools.
        if let Ok(key) = name.parse::<GoogleConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    let mut endpoint = environment.get("GOOGLE_BASE_URL").map(str::to_owned).or_else(|| account_endpoint(environment));
    if let Some(host) = environment.get("STORAGE_EMULATOR_HOST") {
        // Google's own libraries take it with and without the scheme, and send no credentials to it.
        let url = if host.contains("://") { host.to_owned() } else { format!("http://{host}") };
        builder = builder
            .with_config(GoogleConfigKey::BaseUrl, url.trim_end_matches('/'))
            .with_config(GoogleConfigKey::SkipSignature, "true")
            // Some requests ask for a token even then, and would look for a machine identity.
            .with_credentials(Arc::new(StaticCredentialProvider::new(GcpCredential { bearer: String::new() })));
        endpoint = Some(url);
    }
    let http = match &endpoint {
        Some(url) => allow_http(location, url, environment.flag("GOOGLE_ALLOW_HTTP"), "GOOGLE_ALLOW_HTTP")?,
        None => false,
    };
    let store = builder
        .with_bucket_name(bucket)
        .with_client_options(client_options(http))
        .with_retry(retries(RETRIES))
        .build()
        .map_err(|_| unusable(location))?;
    Ok(Arc::new(store))
}

/// The endpoint that a service account file names (object_store reads it, but would not allow `http://` for it).
fn account_endpoint(environment: &Environment) -> Option<String> {
    #[derive(Deserialize)]
    struct Account {
        gcs_base_url: Option<String>,
    }
    let names = ["GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_PATH"];
    let text = match environment.get("GOOGLE_SERVICE_ACCOUNT_KEY") {
        Some(text) => text.to_owned(),
        None => std::fs::read_to_string(names.iter().find_map(|name| environment.get(name))?).ok()?,
    };
    serde_json::from_str::<Account>(&text).ok()?.gcs_base_url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(variables: &[(&str, &str)]) -> Result<String, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let location = Location::parse("gs://b/x").expect("valid");
        open(&location, "b", &Environment::of(variables))
            .map(|store| format!("{store:?}"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_emulator_is_named_with_or_without_scheme() {
        for host in ["127.0.0.1:4443", "http://127.0.0.1:4443/"] {
            let shown = opened(&[("STORAGE_EMULATOR_HOST", host)]).expect("opens");
            assert!(shown.contains("http://127.0.0.1:4443"), "{shown}");
        }
    }

    #[test]
    fn fail_an_unencrypted_endpoint_elsewhere() {
        let error = opened(&[("STORAGE_EMULATOR_HOST", "gcs.example:4443")]).expect_err("must fail");
        assert!(error.contains("unencrypted"), "{error}");
        let key = r#"{"gcs_base_url":"http://gcs.example","disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}"#;
        let error = opened(&[("GOOGLE_SERVICE_ACCOUNT_KEY", key)]).expect_err("must fail");
        assert!(error.contains("unencrypted"), "{error}");
    }

    #[test]
    fn fail_unreadable_credentials_without_quoting_them() {
        let error = opened(&[("GOOGLE_SERVICE_ACCOUNT_KEY", "{\"private_key\":\"CANARY\"}")]).expect_err("must fail");
        assert!(!error.contains("CANARY"), "{error}");
    }
}
