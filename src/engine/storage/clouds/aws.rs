//! S3 and what speaks like it: variables first, then the profile of the shared files, then web identity, container
//! and instance credentials as `object_store` finds them.

use std::path::Path;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use super::ini::Ini;
use super::{Environment, RETRIES, allow_http, client_options, retries, unusable};
use crate::engine::storage::error::{StorageError, StorageErrorKind};
use crate::engine::storage::location::Location;

pub(super) fn open(
    location: &Location,
    bucket: &str,
    region: Option<&str>,
    endpoint: Option<&str>,
    environment: &Environment,
) -> Result<Arc<dyn ObjectStore>, StorageError> {
    let profile = Profile::read(location, environment)?;
    let mut builder = AmazonS3Builder::new();
    for (name, value) in environment.with_prefix("AWS_") {
        // Names that this client does not know belong to other tools.
        if let Ok(key) = name.parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    if environment.get("AWS_ACCESS_KEY_ID").is_none() && environment.get("AWS_WEB_IDENTITY_TOKEN_FILE").is_none() {
        builder = profile.credentials(location, builder)?;
    }
    let configured = || environment.get("AWS_REGION").or(environment.get("AWS_DEFAULT_REGION"));
    if let Some(region) = region.or_else(configured).or(profile.get("region")) {
        builder = builder.with_region(region);
    }
    let named = || environment.get("AWS_ENDPOINT_URL_S3").or(environment.get("AWS_ENDPOINT_URL"));
    let in_profile =
        || (!environment.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")).then(|| profile.endpoint()).flatten();
    let endpoint = endpoint.or_else(named).or_else(|| environment.get("AWS_ENDPOINT")).or_else(in_profile);
    let mut http = false;
    if let Some(endpoint) = endpoint {
        http = allow_http(location, endpoint, environment.flag("AWS_ALLOW_HTTP"), "AWS_ALLOW_HTTP")?;
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
    }
    // The CLI's word counts the first try as well.
    let attempts = environment.get("AWS_MAX_ATTEMPTS").or(profile.get("max_attempts"));
    let retries_wanted = attempts.and_then(|n| n.parse::<usize>().ok()).map_or(RETRIES, |n| n.saturating_sub(1));
    let store = builder
        .with_bucket_name(bucket)
        .with_client_options(client_options(http))
        .with_retry(retries(retries_wanted))
        .build()
        .map_err(|_| unusable(location))?;
    Ok(Arc::new(store))
}

/// The chosen profile of `~/.aws/config` and `~/.aws/credentials`.
struct Profile {
    name: String,
    config: Ini,
    credentials: Ini,
}

impl Profile {
    fn read(location: &Location, environment: &Environment) -> Result<Self, StorageError> {
        let file =
            |variable, below_home| environment.file(variable, below_home).map_or_else(Ini::default, |p| read(&p));
        let chosen = environment.get("AWS_PROFILE").or(environment.get("AWS_DEFAULT_PROFILE"));
        let profile = Self {
            name: chosen.unwrap_or("default").to_owned(),
            config: file("AWS_CONFIG_FILE", ".aws/config"),
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
        };
        let exists = profile.config.has_section(&profile.section()) || profile.credentials.has_section(&profile.name);
        if chosen.is_some() && !exists {
            return Err(invalid(
                location,
                format!("there is no AWS profile `{}`", profile.name),
                "check AWS_PROFILE, ~/.aws/config and ~/.aws/credentials",
            ));
        }
        Ok(profile)
    }

    /// The config file writes `[profile name]`, for the default profile also `[default]`.
    fn section(&self) -> String {
        let plain = self.name == "default" && !self.config.has_section("profile default");
        if plain { self.name.clone() } else { format!("profile {}", self.name) }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.credentials.get(&self.name, name).or_else(|| self.config.get(&self.section(), name))
    }

    fn endpoint(&self) -> Option<&str> {
        let services = self.config.get(&self.section(), "services");
        services
            .and_then(|name| self.config.get(&format!("services {name}"), "s3.endpoint_url"))
            .or_else(|| self.get("endpoint_url"))
    }

    fn credentials(&self, location: &Location, builder: AmazonS3Builder) -> Result<AmazonS3Builder, StorageError> {
        if let (Some(id), Some(secret)) = (self.get("aws_access_key_id"), self.get("aws_secret_access_key")) {
            let builder = builder.with_access_key_id(id).with_secret_access_key(secret);
            return Ok(match self.get("aws_session_token") {
                Some(token) => builder.with_token(token),
                None => builder,
            });
        }
        if let (Some(file), Some(role)) = (self.get("web_identity_token_file"), self.get("role_arn")) {
            return Ok(builder
                .with_config(AmazonS3ConfigKey::WebIdentityTokenFile, file)
                .with_config(AmazonS3ConfigKey::RoleArn, role));
        }
        let indirect = ["sso_session", "sso_start_url", "credential_process", "role_arn"];
        match indirect.iter().find(|name| self.get(name).is_some()) {
            Some(name) => Err(invalid(
                location,
                format!("the AWS profile `{}` gets its keys by `{name}`, which is not read here", self.name),
                "run `eval \"$(aws configure export-credentials --format env)\"` first",
            )),
            None => Ok(builder),
        }
    }
}

/// A file that is not there, or not readable, sets nothing.
fn read(path: &Path) -> Ini {
    std::fs::read_to_string(path).map_or_else(|_| Ini::default(), |text| Ini::parse(&text))
}

fn invalid(location: &Location, what: String, hint: &str) -> StorageError {
    StorageError::new(StorageErrorKind::Invalid, location.to_string(), what, hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(files: [(&str, &str); 2], variables: &[(&str, &str)]) -> Result<String, String> {
        let dir = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(dir.path().join(".aws")).expect("created");
        for (name, text) in files {
            std::fs::write(dir.path().join(".aws").join(name), text).expect("written");
        }
        let home = ("HOME".to_owned(), dir.path().display().to_string());
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment = Environment::of(variables.chain([home]));
        let location = Location::parse("s3://b/x").expect("valid");
        // The client's Debug is the one view of its settings that object_store offers.
        open(&location, "b", None, None, &environment)
            .map(|store| format!("{store:?}"))
            .map_err(|error| error.to_string())
    }

    const CONFIG: &str = "[default]\nregion = eu-north-1\n[profile lake]\nregion = eu-west-3\nservices = local\n\
                          [services local]\ns3 =\n  endpoint_url = http://localhost:9000\n\
                          [profile sso]\nsso_session = me\n";
    const KEYS: &str = "[lake]\naws_access_key_id = LAKEID\naws_secret_access_key = LAKESECRET\n";
    const FILES: [(&str, &str); 2] = [("config", CONFIG), ("credentials", KEYS)];

    #[test]
    fn a_profile_gives_region_and_endpoint() {
        let shown = opened(FILES, &[("AWS_PROFILE", "lake")]).expect("opens");
        assert!(shown.contains("eu-west-3") && shown.contains("http://localhost:9000/b"), "{shown}");
    }

    #[test]
    fn variables_come_before_the_profile() {
        let variables = [
            ("AWS_PROFILE", "lake"),
            ("AWS_REGION", "us-west-2"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:2"),
        ];
        let shown = opened(FILES, &variables).expect("opens");
        assert!(shown.contains("us-west-2") && shown.contains("http://127.0.0.1:2/b"), "{shown}");
    }

    #[test]
    fn the_default_profile_needs_no_name() {
        let shown = opened(FILES, &[]).expect("opens");
        assert!(shown.contains("eu-north-1") && shown.contains("amazonaws.com"), "{shown}");
    }

    #[test]
    fn fail_a_profile_that_is_not_there_or_not_readable_here() {
        let error = opened(FILES, &[("AWS_PROFILE", "lak")]).expect_err("must fail");
        assert!(error.contains("no AWS profile `lak`"), "{error}");
        let error = opened(FILES, &[("AWS_PROFILE", "sso")]).expect_err("must fail");
        assert!(error.contains("sso_session") && error.contains("export-credentials"), "{error}");
    }

    #[test]
    fn fail_an_unencrypted_endpoint_elsewhere() {
        let error = opened(FILES, &[("AWS_ENDPOINT_URL", "http://minio.example:9000")]).expect_err("must fail");
        assert!(error.contains("unencrypted") && error.contains("AWS_ALLOW_HTTP"), "{error}");
    }
}
