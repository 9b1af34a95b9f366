//! What a bound policy does, column by column, as plain data: printed by `plan`, carried into the report.
//! Never a cell value, never a secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One leaf column of the output and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnPlan {
    /// Path in the output, such as `email`, `address.city`, `contacts[].number`.
    pub name: String,
    /// Source columns whose values flow into this one, by path.
    pub inputs: Vec<String>,
    /// Source columns that steer the transform without flowing into the value (tenant, entity).
    pub indirect_inputs: Vec<String>,
    /// The policy's word: `keep`, `pseudonym`, `derive`.
    pub transform: String,
    /// The transform's options as the policy resolved them, defaults included.
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Key domain, where the transform has one.
    pub domain: Option<String>,
    /// Id of the key that the transform uses, where it is keyed.
    pub key: Option<String>,
    /// Same input, same output.
    pub deterministic: bool,
    /// The key holder can compute the input from the output.
    pub reversible: bool,
    /// The value is hidden: `masking` in OpenLineage's words.
    pub masking: bool,
    /// Arrow type in the source, absent for a derived column.
    pub type_before: Option<String>,
    /// Arrow type in the output.
    pub type_after: String,
    /// Lies in the path (a Hive partition), not in the object.
    pub partition: bool,
    /// Each value has an output of its own: who can compute outputs can test guesses.
    #[serde(default)]
    pub tests_guesses: bool,
    /// Bits of a token, where outputs are tokens.
    #[serde(default)]
    pub token_bits: Option<u16>,
    /// The kinds of things that are looked for within values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<String>,
}

impl ColumnPlan {
    /// Whether the values of some rows are hidden, if not those of all.
    pub fn hides(&self) -> bool {
        self.masking || self.parameters.contains_key("when")
    }
}

/// A source column that the output does not have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DroppedColumn {
    /// Path in the source.
    pub name: String,
    /// Arrow type in the source.
    pub type_before: String,
}

/// Code of the warning about a column whose values can be guessed.
pub const SMALL_DOMAIN: &str = "small-domain";

/// Something the reader should weigh before sharing the output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Warning {
    /// Stable code, such as `derive-shows-raw`.
    pub code: String,
    /// Column it is about, if one.
    pub column: Option<String>,
    /// One sentence.
    pub message: String,
}

/// A key that the plan uses. The secret is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUse {
    /// Key id in the keyring.
    pub id: String,
    /// TOKENS.md section 1, lower-case hexadecimal.
    pub fingerprint: String,
}

/// The whole plan as plain data.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanDescription {
    /// Logical name of the dataset.
    pub dataset: String,
    /// SHA-256 over the bound plan, in hexadecimal (design section 4).
    pub policy_digest: String,
    /// Keys in use; empty where no transform is keyed.
    pub keys: Vec<KeyUse>,
    /// SQL condition over the source columns, if rows are filtered.
    pub filter: Option<String>,
    /// Source columns that the condition reads, by path.
    pub filter_inputs: Vec<String>,
    /// Output columns, in order.
    pub columns: Vec<ColumnPlan>,
    /// Source columns left out.
    pub dropped: Vec<DroppedColumn>,
    /// What to weigh.
    pub warnings: Vec<Warning>,
}
