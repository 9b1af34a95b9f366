//! The stable names of all problems a policy can have.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What kind of problem a diagnostic is about. The names are stable: scripts may branch on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The stable name, `policy::` and kebab-case words.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => concat!("policy::", $name),)+ }
            }
        }
    };
}

codes! {
    // the text
    /// The text is no YAML.
    YamlSyntax = "yaml-syntax",
    /// An anchor, alias, merge key, tag, second document or a key that is no text.
    YamlFeature = "yaml-feature",
    /// A YAML null.
    Null = "null",
    /// One map holds a key twice.
    DuplicateKey = "duplicate-key",
    /// `${VAR}` has no value and no default.
    UnsetVariable = "unset-variable",
    /// `--set` names a variable that the policy does not have.
    UnusedVariable = "unused-variable",
    /// `${` begins no variable.
    VariableSyntax = "variable-syntax",
    /// A secret stands in the policy itself.
    SecretInPolicy = "secret-in-policy",

    // its shape
    /// A key that is not part of the policy language.
    UnknownKey = "unknown-key",
    /// A transform that does not exist.
    UnknownTransform = "unknown-transform",
    /// A required key is missing.
    MissingKey = "missing-key",
    /// A rule says nothing that happens to the column.
    NoTransform = "no-transform",
    /// A rule has more than one transform.
    SeveralTransforms = "several-transforms",
    /// A map, list, text, number or word was expected, and something else found.
    WrongType = "wrong-type",
    /// A word that is none of the listed ones.
    UnknownWord = "unknown-word",
    /// The shape is right and the value is not.
    BadValue = "bad-value",

    // its sense
    /// Another version of the policy language.
    Version = "version",
    /// The dataset's name is empty or holds other characters than letters, digits, `.`, `_`, `-`.
    DatasetName = "dataset-name",
    /// `bits` is out of range, not a multiple of 8, or does not fit the encoding.
    Bits = "bits",
    /// Short tokens without `accept_collisions: true`.
    Collisions = "collisions",
    /// An encoding that the transform cannot use.
    Encoding = "encoding",
    /// A prefix before binary tokens.
    PrefixOnBinary = "prefix-on-binary",
    /// A domain that is empty or has unpaired braces.
    Domain = "domain",
    /// A regular expression that can't be used.
    Pattern = "pattern",
    /// Delimiter, quote and escape are not told apart.
    CsvDialect = "csv-dialect",
    /// A SQL text is empty.
    EmptySql = "empty-sql",
    /// An option that has no effect beside this transform.
    UselessOption = "useless-option",
    /// A normalization step that does not exist.
    NormalizeStep = "normalize-step",
    /// `from` leads into a list or a map.
    From = "from",
    /// `when` without `otherwise`, or the other way round.
    WhenOtherwise = "when-otherwise",
    /// A rename that is empty, or of a pattern, an item or an entry.
    Rename = "rename",
    /// A new column whose name is a pattern or a path.
    DeriveName = "derive-name",
    /// Two rules give columns of one name.
    NameCollision = "name-collision",
    /// Two rules with one pattern.
    DuplicateRule = "duplicate-rule",
    /// A rule that can never match, since an earlier one matches first.
    ShadowedRule = "shadowed-rule",
    /// A rule and an entry of `types` give one column two types.
    TypeConflict = "type-conflict",
    /// The keyring names no source, or more than one.
    KeyringSource = "keyring-source",
    /// A key id with characters that no key id has.
    KeyId = "key-id",
    /// Options of a format that is not the one in use.
    FormatOptions = "format-options",
    /// Warning: an unkeyed digest, whose values can be guessed.
    UnkeyedHash = "unkeyed-hash",

    // bound to a schema
    /// A rule matches no column and is not `optional`.
    NoSuchColumn = "no-such-column",
    /// A column that no rule names.
    UnlistedColumn = "unlisted-column",
    /// A SQL text that does not parse, or does not fit the columns.
    BadSql = "bad-sql",
    /// A transform refuses the column's type.
    ColumnType = "column-type",
}

impl Code {
    /// Whether the problem shows only when the policy meets a schema, not in its text alone.
    pub fn needs_schema(self) -> bool {
        matches!(self, Code::NoSuchColumn | Code::UnlistedColumn | Code::BadSql | Code::ColumnType)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_kebab_case() {
        let mut seen = HashSet::new();
        for code in Code::ALL {
            let name = code.as_str().strip_prefix("policy::").unwrap();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            assert!(seen.insert(name), "{name} is used twice");
        }
    }
}
