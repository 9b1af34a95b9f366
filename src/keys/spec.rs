//! How a policy names its keyring.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::KeyError;
use super::keyring::Keyring;
use super::problem::SpecProblem;
use super::source::{CommandSource, EnvSource, FileSource, KeyringSource};

/// Where the keyring lies: `{ file: PATH, permissions: any }`, `{ env: NAME }` or `{ command: [PROGRAM, ARGUMENT] }`.
///
/// ```
/// use lakeveil::keys::KeyringSpec;
/// let spec: KeyringSpec = serde_json::from_str(r#"{"env": "LAKEVEIL_KEYRING", "file": "keyring.json"}"#)?;
/// assert_eq!(spec.validate()[0].to_string(), "the keyring names 2 sources: file, env");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyringSpec {
    /// A file, relative to the working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Who may read the file: `owner` (the default) or `any`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Permissions>,
    /// The name of an environment variable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// A program and its arguments, run without a shell; its standard output is the keyring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
}

/// Who may reach a keyring file for it to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Permissions {
    /// Its owner alone.
    #[default]
    Owner,
    /// Anybody: for demo keyrings, and for secrets that are mounted into a container.
    Any,
}

impl KeyringSpec {
    /// Every problem of it at once; none if it names one source.
    pub fn validate(&self) -> Vec<SpecProblem> {
        let mut problems = Vec::new();
        let given = [("file", self.file.is_some()), ("env", self.env.is_some()), ("command", self.command.is_some())];
        let names: Vec<_> = given.into_iter().filter_map(|(name, given)| given.then_some(name)).collect();
        match names.len() {
            0 => problems.push(SpecProblem::NoSource),
            1 => {}
            many => problems.push(SpecProblem::ManySources(many, names.join(", "))),
        }
        if self.permissions.is_some() && self.file.is_none() {
            problems.push(SpecProblem::PermissionsWithoutFile);
        }
        if self.file.as_ref().is_some_and(|path| path.as_os_str().is_empty()) {
            problems.push(SpecProblem::EmptyFile);
        }
        if self.env.as_ref().is_some_and(|name| name.is_empty() || name.contains(['=', '\0'])) {
            problems.push(SpecProblem::EnvName);
        }
        if self.command.as_ref().is_some_and(|command| command.first().is_none_or(String::is_empty)) {
            problems.push(SpecProblem::EmptyCommand);
        }
        problems
    }

    /// The source that it names.
    ///
    /// # Errors
    /// The first problem of [`KeyringSpec::validate`].
    pub fn source(&self) -> Result<Box<dyn KeyringSource>, KeyError> {
        if let Some(problem) = self.validate().into_iter().next() {
            return Err(problem.into());
        }
        match (&self.file, &self.env, self.command.as_deref()) {
            (Some(path), None, None) => Ok(Box::new(FileSource::new(path, self.permissions.unwrap_or_default()))),
            (None, Some(name), None) => Ok(Box::new(EnvSource::new(name))),
            (None, None, Some([program, arguments @ ..])) => {
                Ok(Box::new(CommandSource::new(program, arguments.to_vec())))
            }
            _ => Err(SpecProblem::NoSource.into()),
        }
    }

    /// Reads the source and checks the keyring.
    ///
    /// # Errors
    /// Whatever is wrong with the spec, the source or the document; of the document, the source is named.
    pub fn open(&self) -> Result<Keyring, KeyError> {
        let source = self.source()?;
        let document = source.load()?;
        Keyring::parse(&document)
            .map_err(|error| KeyError::Within { origin: source.describe(), error: Box::new(error) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &str) -> KeyringSpec {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn each_kind_of_source_describes_itself() {
        for (json, description) in [
            (r#"{"file": "a b.json", "permissions": "any"}"#, "keyring file a b.json"),
            (r#"{"env": "LAKEVEIL_KEYRING"}"#, "environment variable `LAKEVEIL_KEYRING`"),
            (r#"{"command": ["pass", "show", "canary"]}"#, "keyring command `pass`"),
        ] {
            assert_eq!(spec(json).validate(), []);
            assert_eq!(spec(json).source().unwrap().describe(), description);
        }
    }

    #[test]
    fn fail_all_problems_at_once() {
        let problems = |json| spec(json).validate();
        assert_eq!(problems("{}"), [SpecProblem::NoSource]);
        assert_eq!(
            problems(r#"{"env": "A=B", "command": [], "permissions": "any"}"#),
            [
                SpecProblem::ManySources(2, "env, command".to_owned()),
                SpecProblem::PermissionsWithoutFile,
                SpecProblem::EnvName,
                SpecProblem::EmptyCommand,
            ]
        );
        assert_eq!(problems(r#"{"file": ""}"#), [SpecProblem::EmptyFile]);
        assert_eq!(problems(r#"{"command": [""]}"#), [SpecProblem::EmptyCommand]);
        assert!(spec("{}").source().is_err());
        assert!(serde_json::from_str::<KeyringSpec>(r#"{"vault": "x"}"#).is_err());
        assert!(serde_json::from_str::<KeyringSpec>(r#"{"file": "x", "permissions": "world"}"#).is_err());
    }

    #[test]
    fn fail_a_document_naming_its_source() {
        let error = spec(r#"{"env": "CARGO_PKG_NAME"}"#).open().unwrap_err();
        assert_eq!(
            error.to_string(),
            "environment variable `CARGO_PKG_NAME`: key `default`: the secret has 8 bytes, at least 16 are needed"
        );
        assert!(error.hint().contains("lakeveil key new"));
    }
}
