//! Rules: what happens to the columns that a pattern matches.

use std::fmt;
use std::slice;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, VariantAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::column_type::ColumnType;
use super::select::{ColumnPath, Pattern};
use crate::transforms::spec::TransformSpec;

/// All rules, in the order of the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(Vec<ColumnRule>);

/// A rule and the columns that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRule {
    /// Which columns; for `derive`, the new column.
    pub pattern: Pattern,
    /// What happens to them.
    pub rule: Rule,
}

/// One transform, and how values are prepared for it. In a policy both stand in one map; a transform that needs no
/// options may be a bare word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// What happens to the column.
    #[serde(flatten)]
    pub transform: TransformSpec,
    /// What happens around it.
    #[serde(flatten)]
    pub options: RuleOptions,
}

/// The options that all transforms share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleOptions {
    /// Normalization steps on each value's text before the transform, in this order: `trim`, `collapse_whitespace`,
    /// `lowercase`, `uppercase`, `casefold`, `nfc`, `nfkc`, `digits`, `alphanumeric`, `email`, `e164(REGION)`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub normalize: Vec<String>,
    /// What happens to empty texts, after `normalize`; `value` by default.
    pub empty: OnEmpty,
    /// What happens to a value that a step or the transform cannot take; `fail` by default.
    pub on_error: OnError,
    /// The source column that a new one is made of: the rule's key is then the new column's name. A field of a struct
    /// by its path. The source column needs a rule of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", length(min = 1))]
    pub from: Option<ColumnPath>,
    /// SQL condition over the source columns: a row for which it is false is left to `otherwise`, any other to the
    /// transform.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub when: Option<String>,
    /// What happens to the values of the rows that `when` leaves out; null stays null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Otherwise>,
    /// The column's name in the output; for a nested column, the name of its last part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rename: Option<String>,
    /// Whether the rule may match no column; `false` by default: that is an error.
    pub optional: bool,
    /// The type that a text column is read as before anything else, as by an entry of `types`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub column_type: Option<ColumnType>,
}

impl RuleOptions {
    /// The keys of the options, as a policy writes them.
    pub const KEYS: &'static [&'static str] =
        &["from", "normalize", "empty", "on_error", "when", "otherwise", "rename", "optional", "type"];
}

/// What happens to empty texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnEmpty {
    /// They are values like any other.
    #[default]
    Value,
    /// They become null.
    ToNull,
    /// They stay empty.
    Keep,
}

/// What happens to a value that a normalization step or the transform cannot take. It never passes as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The object fails; the run goes on with the others.
    #[default]
    Fail,
    /// It becomes null.
    ToNull,
    /// It becomes a fixed mark.
    Redact,
}

/// What happens to the values of rows that a rule's `when` leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// They stay as they are: plan and report warn.
    Keep,
    /// They become null.
    ToNull,
    /// They become a fixed mark.
    Redact,
}

impl ColumnRule {
    /// Whether the rule makes a column of its own, rather than deciding on columns of the source.
    pub fn is_new(&self) -> bool {
        matches!(self.rule.transform, TransformSpec::Derive(_)) || self.rule.options.from.is_some()
    }
}

impl Columns {
    /// The rules in the order of the policy.
    pub fn iter(&self) -> slice::Iter<'_, ColumnRule> {
        self.0.iter()
    }

    /// The place of the rule that decides on a column or on a part of one: the first that matches it, or what it lies in.
    pub fn deciding(&self, path: &ColumnPath) -> Option<usize> {
        self.0.iter().position(|column| !column.is_new() && column.pattern.covers(path))
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Columns {
    type Item = &'a ColumnRule;
    type IntoIter = slice::Iter<'a, ColumnRule>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<ColumnRule> for Columns {
    fn from_iter<I: IntoIterator<Item = ColumnRule>>(rules: I) -> Self {
        Self(rules.into_iter().collect())
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|column| (&column.pattern, &column.rule)))
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ColumnsVisitor;

        impl<'de> Visitor<'de> for ColumnsVisitor {
            type Value = Columns;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from columns to rules")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Columns, A::Error> {
                let mut rules = Vec::new();
                while let Some((pattern, rule)) = map.next_entry()? {
                    rules.push(ColumnRule { pattern, rule });
                }
                Ok(Columns(rules))
            }
        }

        deserializer.deserialize_map(ColumnsVisitor)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RuleVisitor)
    }
}

struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = Rule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a transform's word, or a map with one transform")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Rule, E> {
        if !TransformSpec::BARE.contains(&word) {
            return Err(E::unknown_variant(word, TransformSpec::BARE));
        }
        let no_options = MapDeserializer::new(std::iter::empty::<(&str, &str)>());
        let transform = Named { name: word.to_owned() }.deserialize(MapAccessDeserializer::new(no_options))?;
        Ok(Rule { transform, options: RuleOptions::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rule, A::Error> {
        let mut transform = None;
        let mut options = RuleOptions::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "normalize" => options.normalize = map.next_value()?,
                "empty" => options.empty = map.next_value()?,
                "on_error" => options.on_error = map.next_value()?,
                "from" => options.from = Some(map.next_value()?),
                "when" => options.when = Some(map.next_value()?),
                "otherwise" => options.otherwise = Some(map.next_value()?),
                "rename" => options.rename = Some(map.next_value()?),
                "optional" => options.optional = map.next_value()?,
                "type" => options.column_type = Some(map.next_value()?),
                name if !TransformSpec::names().contains(&name) => {
                    return Err(de::Error::unknown_field(name, RuleOptions::KEYS));
                }
                _ if transform.is_some() => return Err(de::Error::custom("a rule has one transform")),
                _ => transform = Some(map.next_value_seed(Named { name: key })?),
            }
        }
        let transform = transform.ok_or_else(|| de::Error::custom("a rule has one transform"))?;
        Ok(Rule { transform, options })
    }
}

/// Reads the options of the transform with this name: the payload of an externally tagged enum whose tag was read.
struct Named {
    name: String,
}

impl<'de> DeserializeSeed<'de> for Named {
    type Value = TransformSpec;

    fn deserialize<D: Deserializer<'de>>(self, payload: D) -> Result<TransformSpec, D::Error> {
        TransformSpec::deserialize(Tagged { name: self.name, payload })
    }
}

struct Tagged<D> {
    name: String,
    payload: D,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Tagged<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, D: Deserializer<'de>> EnumAccess<'de> for Tagged<D> {
    type Error = D::Error;
    type Variant = Payload<D>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Payload<D>), D::Error> {
        Ok((seed.deserialize(self.name.into_deserializer())?, Payload(self.payload)))
    }
}

struct Payload<D>(D);

impl<'de, D: Deserializer<'de>> VariantAccess<'de> for Payload<D> {
    type Error = D::Error;

    fn unit_variant(self) -> Result<(), D::Error> {
        Deserialize::deserialize(self.0)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, D::Error> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct("options", fields, visitor)
    }
}

impl JsonSchema for Columns {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Columns".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One rule per column, by name, pattern or nested path; the first that matches wins.",
            "type": "object",
            "additionalProperties": generator.subschema_for::<Rule>(),
        })
    }
}

impl JsonSchema for Rule {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rule".into()
    }

    /// A bare word, or a map of the options with exactly one transform.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let transforms = TransformSpec::json_schema(generator);
        let options = RuleOptions::json_schema(generator);
        let mut properties = serde_json::Map::new();
        for variant in transforms.get("oneOf").and_then(|variants| variants.as_array()).into_iter().flatten() {
            properties.extend(variant["properties"].as_object().cloned().unwrap_or_default());
        }
        properties.extend(options.get("properties").and_then(|keys| keys.as_object()).cloned().unwrap_or_default());
        let exactly_one: Vec<_> =
            TransformSpec::names().iter().map(|name| serde_json::json!({ "required": [name] })).collect();
        json_schema!({
            "description": "One transform and the options around it; a transform without options may be a bare word.",
            "anyOf": [
                { "type": "string", "enum": TransformSpec::BARE },
                {
                    "type": "object",
                    "properties": properties,
                    "additionalProperties": false,
                    "oneOf": exactly_one,
                },
            ],
        })
    }
}
