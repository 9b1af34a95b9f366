//! A keyring in an environment variable.

use std::env;

use super::KeyringSource;
use crate::crypto::Secret;
use crate::keys::KeyError;

/// Reads an environment variable. The variable itself stays in the environment of this process and its children.
#[derive(Debug, Clone)]
pub struct EnvSource {
    name: String,
}

impl EnvSource {
    /// The variable with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl KeyringSource for EnvSource {
    fn describe(&self) -> String {
        format!("environment variable `{}`", self.name)
    }

    fn load(&self) -> Result<Secret, KeyError> {
        let value = env::var_os(&self.name).ok_or_else(|| KeyError::Env { name: self.name.clone(), set: false })?;
        if value.is_empty() {
            return Err(KeyError::Env { name: self.name.clone(), set: true });
        }
        Ok(Secret::new(value.into_encoded_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_cargo_sets_is_read_byte_for_byte() {
        let secret = EnvSource::new("CARGO_PKG_NAME").load().unwrap();
        assert_eq!(secret.expose(), b"lakeveil");
    }

    #[test]
    fn fail_a_variable_that_is_not_set_naming_it() {
        let error = EnvSource::new("LAKEVEIL_TEST_NEVER_SET").load().unwrap_err();
        assert_eq!(error.to_string(), "environment variable `LAKEVEIL_TEST_NEVER_SET` is not set");
    }
}
