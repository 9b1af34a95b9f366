//! `types`: what columns of text are read as, whatever rule decides on them.

use std::fmt;
use std::slice;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::column_type::ColumnType;
use super::select::{ColumnPath, Pattern};

/// All entries, in the order of the policy.
///
/// ```
/// use lakeveil::policy::{ColumnPath, ColumnType, ColumnTypes};
/// let types: ColumnTypes = serde_json::from_str(r#"{ "birth_date": "date", "*_at": "timestamp(UTC)" }"#)?;
/// let of = |path: &str| types.of(&path.parse::<ColumnPath>().unwrap());
/// assert_eq!(of("birth_date"), Some(ColumnType::Date));
/// assert_eq!(of("email"), None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnTypes(Vec<TypeEntry>);

/// Some columns and their type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeEntry {
    /// Which columns; of nested ones their leaves.
    pub pattern: Pattern,
    /// What their texts are read as.
    pub column_type: ColumnType,
}

impl ColumnTypes {
    /// The entries in the order of the policy.
    pub fn iter(&self) -> slice::Iter<'_, TypeEntry> {
        self.0.iter()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The place of the first entry for this very column.
    pub fn position(&self, path: &ColumnPath) -> Option<usize> {
        self.0.iter().position(|entry| entry.pattern.matches(path))
    }

    /// The type of the first entry for this very column.
    pub fn of(&self, path: &ColumnPath) -> Option<ColumnType> {
        self.position(path).map(|entry| self.0[entry].column_type)
    }
}

impl<'a> IntoIterator for &'a ColumnTypes {
    type Item = &'a TypeEntry;
    type IntoIter = slice::Iter<'a, TypeEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for ColumnTypes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|entry| (&entry.pattern, &entry.column_type)))
    }
}

impl<'de> Deserialize<'de> for ColumnTypes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TypesVisitor;

        impl<'de> Visitor<'de> for TypesVisitor {
            type Value = ColumnTypes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from columns to types")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ColumnTypes, A::Error> {
                let mut entries = Vec::new();
                while let Some((pattern, column_type)) = map.next_entry()? {
                    entries.push(TypeEntry { pattern, column_type });
                }
                Ok(ColumnTypes(entries))
            }
        }

        deserializer.deserialize_map(TypesVisitor)
    }
}

impl JsonSchema for ColumnTypes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ColumnTypes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Types of text columns, by name, pattern or nested path; the first entry that matches wins.",
            "type": "object",
            "additionalProperties": generator.subschema_for::<ColumnType>(),
        })
    }
}
