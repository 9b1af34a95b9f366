//! Azure Blob Storage: the Azure CLI's `AZURE_STORAGE_*` variables, the identity variables, the CLI's own login.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

use super::{Environment, RETRIES, allow_http, client_options, retries, unusable};
use crate::engine::storage::error::{StorageError, StorageErrorKind};
use crate::engine::storage::location::Location;

/// What the URL itself says.
pub(super) struct Written<'a> {
    pub(super) container: &'a str,
    pub(super) account: Option<&'a str>,
    pub(super) fabric: bool,
    pub(super) sas: Option<&'a str>,
}

/// The public account and key of Azurite and its predecessors, which `UseDevelopmentStorage=true` stands for.
const EMULATOR: &str = "AccountName=devstoreaccount1;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;AccountKey=\
     Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

pub(super) fn open(
    location: &Location,
    written: &Written<'_>,
    environment: &Environment,
) -> Result<Arc<dyn ObjectStore>, StorageError> {
    let for_account = Connection::read(environment);
    let mut builder = MicrosoftAzureBuilder::new();
    for (name, value) in environment.with_prefix("AZURE_") {
        // Names that this client does not know belong to other tools.
        if let Ok(key) = name.parse::<AzureConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    let in_environment = || environment.get("AZURE_STORAGE_ACCOUNT").or(environment.get("AZURE_STORAGE_ACCOUNT_NAME"));
    let Some(account) = written.account.or_else(in_environment).or(for_account.get("accountname")) else {
        return Err(StorageError::new(
            StorageErrorKind::Invalid,
            location.to_string(),
            "no storage account is named",
            "write az://container@account/path, or set AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_CONNECTION_STRING",
        ));
    };
    // A connection string is for its own account only.
    let nothing = Connection::default();
    let connection = if for_account.serves(account) { &for_account } else { &nothing };
    let key = environment.get("AZURE_STORAGE_KEY").or(connection.get("accountkey"));
    if let Some(key) = key {
        builder = builder.with_access_key(key);
    }
    let sas = written.sas.or(environment.get("AZURE_STORAGE_SAS_TOKEN")).or(connection.get("sharedaccesssignature"));
    if let Some(sas) = sas {
        builder = builder.with_config(AzureConfigKey::SasKey, sas.trim_start_matches('?'));
    }
    if key.is_none() && sas.is_none() && logged_in_by_cli(environment) {
        builder = builder.with_use_azure_cli(true);
    }
    let mut http = false;
    let in_environment = || environment.get("AZURE_STORAGE_ENDPOINT").or(environment.get("AZURE_ENDPOINT"));
    if let Some(endpoint) = connection.endpoint(account).or_else(|| in_environment().map(str::to_owned)) {
        http = allow_http(location, &endpoint, environment.flag("AZURE_ALLOW_HTTP"), "AZURE_ALLOW_HTTP")?;
        builder = builder.with_endpoint(endpoint);
    }
    let store = builder
        .with_account(account)
        .with_container_name(written.container)
        .with_use_fabric_endpoint(written.fabric)
        .with_client_options(client_options(http))
        .with_retry(retries(RETRIES))
        .build()
        .map_err(|_| unusable(location))?;
    Ok(Arc::new(store))
}

/// Whether the CLI's login should be asked: only where no variable names an identity, and the CLI has one.
fn logged_in_by_cli(environment: &Environment) -> bool {
    let others = [
        "AZURE_CLIENT_SECRET",
        "AZURE_STORAGE_CLIENT_SECRET",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_STORAGE_TOKEN",
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_MSI_ENDPOINT",
        "IDENTITY_ENDPOINT",
    ];
    let profile = match environment.get("AZURE_CONFIG_DIR") {
        Some(folder) => Some(std::path::Path::new(folder).join("azureProfile.json")),
        None => environment.file("", ".azure/azureProfile.json"),
    };
    others.iter().all(|name| environment.get(name).is_none()) && profile.is_some_and(|file| file.is_file())
}

/// The parts of `AZURE_STORAGE_CONNECTION_STRING`, by name in lower case.
#[derive(Default)]
struct Connection(BTreeMap<String, String>);

impl Connection {
    fn read(environment: &Environment) -> Self {
        let parts = Self::parse(environment.get("AZURE_STORAGE_CONNECTION_STRING").unwrap_or_default());
        if parts.get("usedevelopmentstorage") == Some("true") { Self::parse(EMULATOR) } else { parts }
    }

    fn parse(text: &str) -> Self {
        let part =
            |part: &str| part.split_once('=').map(|(name, value)| (name.trim().to_ascii_lowercase(), value.to_owned()));
        Self(text.split(';').filter_map(part).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn serves(&self, account: &str) -> bool {
        self.get("accountname").is_none_or(|name| name == account)
    }

    fn endpoint(&self, account: &str) -> Option<String> {
        if let Some(endpoint) = self.get("blobendpoint") {
            return Some(endpoint.trim_end_matches('/').to_owned());
        }
        let suffix = self.get("endpointsuffix")?;
        let scheme = self.get("defaultendpointsprotocol").unwrap_or("https");
        Some(format!("{scheme}://{account}.blob.{suffix}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(url: &str, variables: &[(&str, &str)]) -> Result<String, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let location = Location::parse(url).expect("valid");
        super::super::open(&location, &Environment::of(variables))
            .map(|store| format!("{store:?}"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_emulator_has_one_word() {
        let shown = opened("az://c/x", &[("AZURE_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage=true")]);
        let shown = shown.expect("opens");
        assert!(shown.contains("127.0.0.1") && shown.contains("devstoreaccount1"), "{shown}");
    }

    #[test]
    fn a_connection_string_is_for_its_own_account() {
        let connection = "DefaultEndpointsProtocol=https;AccountName=one;AccountKey=a2V5;EndpointSuffix=core.example";
        let variables = [("AZURE_STORAGE_CONNECTION_STRING", connection)];
        let own = opened("az://c@one/x", &variables).expect("opens");
        assert!(own.contains("one.blob.core.example"), "{own}");
        let other = opened("az://c@two/x", &variables).expect("opens");
        assert!(other.contains("two.blob.core.windows.net") && !other.contains("core.example"), "{other}");
    }

    #[test]
    fn fail_without_an_account() {
        let error = opened("az://c/x", &[]).expect_err("must fail");
        assert!(error.contains("AZURE_STORAGE_ACCOUNT"), "{error}");
    }

    #[test]
    fn fail_an_unencrypted_endpoint_elsewhere() {
        let connection = "AccountName=a;AccountKey=a2V5;BlobEndpoint=http://azurite.example/a";
        let error = opened("az://c/x", &[("AZURE_STORAGE_CONNECTION_STRING", connection)]).expect_err("must fail");
        assert!(error.contains("unencrypted") && !error.contains("a2V5"), "{error}");
    }
}
