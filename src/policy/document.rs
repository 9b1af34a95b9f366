//! The shape of a policy: plain data, read from its text, not yet bound to a schema.
//!
//! The documentation of these types becomes the policy's JSON Schema.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::format::{CsvInput, CsvOutput, Format, ParquetOutput};
use super::join::Join;
use super::rule::Columns;
use super::types::ColumnTypes;
use crate::keys::KeyringSpec;

/// A policy: what happens to each column of a dataset on its way from source to sink.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Version of the policy language: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// The dataset's logical name in reports and lineage: letters, digits, `.`, `_`, `-`.
    #[schemars(regex(pattern = "^[A-Za-z0-9._-]+$"))]
    pub dataset: String,
    /// Where the raw objects lie.
    pub source: SourceSpec,
    /// Where the pseudonymized objects go.
    pub sink: SinkSpec,
    /// Where the keyring is read from. Needed by keyed transforms and hashed names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyring: Option<KeyringSpec>,
    /// Pins a key by its id, or several as a chain; without it, the keyring's active key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyChoice>,
    /// What happens to a column that no rule names; `error` by default.
    #[serde(default)]
    pub unlisted: Unlisted,
    /// SQL condition over the source columns; rows for which it is not true are left out.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub filter: Option<String>,
    /// Columns that join with columns of other datasets, `customers.id = orders.customer_id`, for `verify`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<Join>,
    /// What text columns are read as before anything else: columns to types, in order, the first that matches wins.
    #[serde(default, skip_serializing_if = "ColumnTypes::is_empty")]
    pub types: ColumnTypes,
    /// One rule per column, in order: the first rule that matches a column wins.
    pub columns: Columns,
}

/// The key that outputs are made with, by its id: `key: "2026-11"`, or `key: { chain: ["2026-01", "2026-11"] }`.
///
/// A chain, oldest key first, makes `pseudonym` tokens go through all its keys, so that tokens stored under the first
/// ones can be moved to the last without raw values (TOKENS.md section 5). Other transforms use the last key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum KeyChoice {
    /// One key.
    One(#[schemars(regex(pattern = "^[A-Za-z0-9._-]{1,64}$"))] String),
    /// Several, oldest first.
    Chain {
        /// Their ids.
        #[schemars(length(min = 1), inner(regex(pattern = "^[A-Za-z0-9._-]{1,64}$")))]
        chain: Vec<String>,
    },
}

/// The long form of [`KeyChoice`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChainOfKeys {
    chain: Vec<String>,
}

impl<'de> Deserialize<'de> for KeyChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChoiceVisitor;

        impl<'de> Visitor<'de> for ChoiceVisitor {
            type Value = KeyChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key id, or a map with `chain`")
            }

            fn visit_str<E: de::Error>(self, id: &str) -> Result<KeyChoice, E> {
                Ok(KeyChoice::One(id.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<KeyChoice, A::Error> {
                let ChainOfKeys { chain } = Deserialize::deserialize(MapAccessDeserializer::new(map))?;
                Ok(KeyChoice::Chain { chain })
            }
        }

        deserializer.deserialize_any(ChoiceVisitor)
    }
}

impl KeyChoice {
    /// The ids named, oldest first.
    pub fn ids(&self) -> &[String] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Chain { chain } => chain,
        }
    }
}

/// Where the raw objects lie, and how they are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// A path, a glob or a URL: `file://`, `s3://`, `gs://`, `az://`, `abfss://`, or `https://` for one object.
    #[schemars(length(min = 1))]
    pub url: String,
    /// The objects' format; without it, each object's name tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// How CSV objects are read.
    #[serde(default)]
    pub csv: CsvInput,
}

/// Where the pseudonymized objects go, and how they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkSpec {
    /// A path or a URL: `file://`, `s3://`, `gs://`, `az://`, `abfss://`.
    #[schemars(length(min = 1))]
    pub url: String,
    /// The objects' format; without it, each object keeps that of its source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// How Parquet objects are written.
    #[serde(default)]
    pub parquet: ParquetOutput,
    /// How CSV objects are written.
    #[serde(default)]
    pub csv: CsvOutput,
    /// How output files are named; `keep` by default.
    #[serde(default)]
    pub names: Names,
    /// Where the completion records go; without it, into `_lakeveil/` of the sink.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub records: Option<String>,
}

/// What happens to a column that no rule names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unlisted {
    /// The run stops before it writes anything.
    #[default]
    Error,
    /// It passes through unchanged.
    Keep,
    /// It is left out.
    Drop,
}

/// How output files are named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    /// As their inputs; the extension follows the format.
    #[default]
    Keep,
    /// By a keyed hash of the input's path.
    Hash,
}
